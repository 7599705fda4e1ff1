"""Files that came with a form, kept until their case needs them no more.

A form's folder is filled beside its place, brought to disk and moved there in one step,
before the case is journalled; it goes when the case waits or is finished. So a process killed
at any moment leaves a folder without a case (the client's next try replaces it, `tidy` removes
it after a day), or a case whose files are there.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figsupport import workflow
from figsupport.core.model import Case, Request
from figsupport.core.plan import due
from figsupport.errors import Busy, FigsupportError, Unavailable
from figsupport.forms import ARRIVING, lock_of
from figsupport.private import private_folder, sync_folder
from figsupport.services import Services

#: Seconds after which a folder without a case is nobody's.
_NOBODYS = 24 * 3600


class Arrival:
    """A folder that a form is read into; its reader or a worker removes it, who claims it first.

    A reader that waits no longer must not take the files from under a worker's hands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Tell whether the caller is the first to ask."""
        return self._claimed.acquire(blocking=False)

    def remove(self) -> None:
        """Remove the folder and what is left in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Spool:
    """One folder for each form, named after the form's own id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, form_id: str) -> Path:
        """Return where the files of a form are."""
        return self._folder / form_id

    @contextmanager
    def arriving(self) -> Iterator[Arrival]:
        """Return a new private folder; it goes with the block, or with the worker that has it."""
        with keeping():
            private_folder(self._folder)
            arrival = Arrival(Path(tempfile.mkdtemp(prefix=ARRIVING, dir=self._folder)))
        try:
            yield arrival
        finally:
            if arrival.claim():
                arrival.remove()

    def take_in(self, request: Request, arrival: Arrival, services: Services) -> Case:
        """Take a form in; its request names files in `place`. Raises what `intake` raises.

        The lock keeps a second try of the same form from touching the files of the first.
        """
        if not arrival.claim():
            raise Busy("Nobody waits for this form any more", hint="Send it again.")
        case_id = request.request_id or ""
        try:
            with services.cases.lock(lock_of(case_id), workflow.PATIENCE):
                if services.cases.load(case_id) is None:
                    self._move(arrival.folder, self.place(case_id))
                case, _ = workflow.intake(request, services)
                self._let_go(case, services)
        finally:
            arrival.remove()
        return case

    def _move(self, arrived: Path, place: Path) -> None:
        with keeping():
            _to_disk(arrived)
            shutil.rmtree(place, ignore_errors=True)
            arrived.replace(place)
            sync_folder(self._folder)

    def tidy(self, services: Services) -> None:
        """Remove the files of cases that are done with them, and folders that are nobody's."""
        if not self._folder.is_dir():
            return
        for place in sorted(self._folder.iterdir()):
            try:
                with services.cases.lock(lock_of(place.name)):
                    case = services.cases.load(place.name)
                    if case is not None:
                        self._let_go(case, services)
                    elif time.time() - place.stat().st_mtime > _NOBODYS:
                        shutil.rmtree(place, ignore_errors=True)
            except (FigsupportError, FileNotFoundError):
                continue  # it is being worked on

    def _let_go(self, case: Case, services: Services) -> None:
        if due(case, (), services.now()) is None:
            shutil.rmtree(self.place(case.id), ignore_errors=True)


@contextmanager
def keeping() -> Iterator[None]:
    """Name the trouble of a block that writes files. Raises Unavailable."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The files of a form cannot be kept: {error.strerror}",
            hint="Check the space and the rights of the home folder.",
        ) from error


def _to_disk(folder: Path) -> None:
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)
