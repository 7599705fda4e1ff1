"""`--dry-run`: the same work on a throwaway copy of the embedded state; nothing is sent.

Live providers are replaced by the embedded ones, files are known by name only, and the
rules judge: no state, no network, no download, no model call.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path

from figsupport.core.model import FileFact, FileRef, Language
from figsupport.core.pricing import kind_of
from figsupport.ports import Cases
from figsupport.services import Services
from figsupport.settings import Settings
from figsupport.steps import Bring, Recognise, Recognised


class Rehearsal(Services):
    """Services whose every effect lands in a folder that is removed afterwards.

    The journal of a fleet is worked on in a transaction that is never committed.
    """

    @cached_property
    def cases(self) -> Cases:
        """The journal as it is now; what is written to it is forgotten."""
        if self.settings.figsupport_database_url is None:
            return super().cases
        from figsupport.adapters.postgres import PostgresCases

        url = self.settings.secret("FIGSUPPORT_DATABASE_URL")
        return PostgresCases(url, rehearsing=True)

    def bring(self, language: Language) -> Bring:
        """Return what brings an empty file in place of the client's."""
        nothing = self.settings.home / "nothing"
        nothing.touch(mode=0o600)

        @contextmanager
        def bring(file: FileRef) -> Iterator[Path]:
            yield nothing

        return bring

    def recognise(self, language: Language) -> Recognise:
        """Return what tells files by their names."""
        grid = self.directives.grid

        def recognise(name: str, path: Path) -> Recognised:
            return Recognised(FileFact(name=name, kind=kind_of(name, grid)), "")

        return recognise


def rehearse(services: Services) -> Rehearsal:
    """Return services on a copy of the state as it is now. Raises Misconfigured on half of one."""
    from figsupport.adapters.database import refuse_half

    refuse_half(services.settings.home)
    folder = Path(tempfile.mkdtemp(prefix="figsupport-dry-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = services.settings.home
    for name in ("cases.sqlite", "desk.sqlite"):
        if (home / name).is_file():
            _copy_database(home / name, folder / name)
    if (home / "mail" / "inbox").is_dir():
        shutil.copytree(home / "mail" / "inbox", folder / "mail" / "inbox")
    return Rehearsal(_embedded(services.settings, folder), services.now)


def _embedded(settings: Settings, home: Path) -> Settings:
    return settings.model_copy(
        update={
            "figsupport_home": home,
            "figsupport_desk": "local",
            "figsupport_board": "local",
            "figsupport_store": "local",
            "figsupport_judge": "rules",
            "figsupport_mail": "local",
            "figsupport_sync": "normal",
        }
    )


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that others may be writing to."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target)) as write,
    ):
        read.backup(write)
