"""A zip that holds a model and the files it names, as clients send them."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from figsupport.files.model3d import zips
from figsupport.files.model3d.values import Damaged, Near, Source, Unread
from figsupport.files.sniff import sniff

#: the endings that models have, the one that tells most of a model first
_ENDINGS = (
    ".glb", ".gltf", ".usdz", ".usdc", ".usda", ".usd", ".fbx", ".dae", ".obj", ".3mf", ".3ds",
    ".ply", ".stl", ".step", ".stp", ".blend",
)  # fmt: skip
_MOST_MODELS = 50
_BLOCK = 1 << 18


class Found(NamedTuple):
    """A model in a zip: its name there, its format, and how to read it while the zip is open."""

    name: str
    format_name: str
    source: Source


@contextmanager
def models(path: Path) -> Iterator[list[Found]]:
    """Open a zip and yield its models, in the order of their names.

    Of one model in several formats (the same name with other endings) there is the one that
    tells most; models of other names are all there, for each is work. What is read is unpacked
    into a private folder that goes with the context.
    Raises Damaged, Unread for what is too large or encrypted, OSError.
    """
    with zips.opened(path) as archive, tempfile.TemporaryDirectory(prefix="figsupport-") as folder:
        unpacked = _Unpacked(archive, Path(folder))
        chosen: dict[str, zipfile.ZipInfo] = {}
        for entry in sorted(unpacked.entries.values(), key=_rank):
            if _rank(entry)[0] < len(_ENDINGS):
                chosen.setdefault(PurePosixPath(_key(entry.filename)).stem, entry)
        if len(chosen) > _MOST_MODELS:
            raise Unread("too_many_entries")
        found: list[Found] = []
        for entry in sorted(chosen.values(), key=lambda entry: entry.filename):
            local = unpacked.path(entry)
            format_ = sniff(local, entry.filename)
            if format_.kind == "model3d":
                near = unpacked.beside(entry)
                found.append(Found(entry.filename, format_.name, Source(local, near)))
        yield found


class _Unpacked:
    """The entries of a zip, each unpacked once, when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self.archive, self.folder = archive, folder
        self.entries = {
            _key(entry.filename): entry
            for entry in archive.infolist()
            if not entry.is_dir() and not _is_litter(entry.filename)
        }
        self.by_name = {PurePosixPath(key).name: entry for key, entry in self.entries.items()}
        self.paths: dict[str, Path] = {}

    def path(self, entry: zipfile.ZipInfo) -> Path:
        """Return where an entry is unpacked; its name there is ours. Raises Damaged."""
        if entry.filename not in self.paths:
            path = self.folder / f"{len(self.paths)}{PurePosixPath(_key(entry.filename)).suffix}"
            left = entry.file_size
            with self.archive.open(entry) as packed, path.open("xb") as file:
                while block := packed.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise Damaged("bomb")
                    file.write(block)
            self.paths[entry.filename] = path
        return self.paths[entry.filename]

    def beside(self, model: zipfile.ZipInfo) -> Near:
        """Return what finds the files that a model names: from its folder, or by name alone."""
        folder = PurePosixPath(_key(model.filename)).parent

        def near(name: str) -> Path | None:
            key = _key(name)
            entry = self.entries.get(str(folder / key)) or self.by_name.get(PurePosixPath(key).name)
            return self.path(entry) if entry else None

        return near


def _key(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").lower()


def _rank(entry: zipfile.ZipInfo) -> tuple[int, str]:
    ending = PurePosixPath(_key(entry.filename)).suffix
    return (_ENDINGS.index(ending) if ending in _ENDINGS else len(_ENDINGS), entry.filename)


def _is_litter(name: str) -> bool:
    """Tell what an operating system adds."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")
