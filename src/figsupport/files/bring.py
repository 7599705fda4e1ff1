"""Bringing a client's file to a local path: from this machine, or by a guarded download."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from figsupport.core.assets import base_name
from figsupport.core.intake import Limits
from figsupport.core.model import FileRef, Language
from figsupport.errors import FileProblem
from figsupport.steps import Beside, Bring, Near

_SENTENCES = {
    "not_sent": (
        "le fichier est annoncé mais n'est pas joint",
        "the file is named but was not sent",
    ),
    "gone": ("le fichier n'est plus là", "the file is no longer there"),
    "no_file": ("ce n'est pas un fichier ordinaire", "this is not an ordinary file"),
    "too_large": ("le fichier est trop volumineux", "the file is too large"),
    "too_much": (
        "l'ensemble des fichiers est trop volumineux",
        "the files are too large taken together",
    ),
}


def bringer(folder: Path, limits: Limits, allow: Sequence[str], language: Language) -> Bring:
    """Return what brings the files of one request; downloads are spooled in `folder`."""
    total = 0

    @contextmanager
    def bring(file: FileRef) -> Iterator[Path]:
        nonlocal total
        if file.url is not None:
            from figsupport.files.fetch import downloaded

            with downloaded(file.url, folder, limits.file_size, allow, language) as path:
                total += path.stat().st_size
                _check_total(total, limits, language)
                yield path
            return
        if file.path is None:
            raise problem("not_sent", language)
        path = Path(file.path)
        total += _size(path, limits, language)
        _check_total(total, limits, language)
        yield path

    return bring


def beside(files: Sequence[FileRef], bring: Bring) -> Beside:
    """Return what finds files of one request by the last part of a name, once it is asked."""
    there = {base_name(file.name): file for file in files}

    @contextmanager
    def opened() -> Iterator[Near]:
        with ExitStack() as brought:

            @cache
            def here(base: str) -> Path | None:
                try:
                    return brought.enter_context(bring(there[base])) if base in there else None
                except FileProblem:
                    return None

            yield lambda name: here(base_name(name))

    return opened


def problem(code: str, language: Language) -> FileProblem:
    """Return a file's problem, told in the client's language."""
    return FileProblem(code, _SENTENCES[code][language == "en"])


def _size(path: Path, limits: Limits, language: Language) -> int:
    try:
        found = path.stat()
    except OSError:
        raise problem("gone", language) from None
    if not stat.S_ISREG(found.st_mode):
        raise problem("no_file", language)
    if found.st_size > limits.file_size:
        raise problem("too_large", language)
    return found.st_size


def _check_total(total: int, limits: Limits, language: Language) -> None:
    if total > limits.request_size:
        raise problem("too_much", language)
