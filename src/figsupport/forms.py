"""Where the files of public forms wait for their case: one folder for each form, named by its id.

An id may come from anybody's document: a folder is found by looking at those that are there,
never by making a path of an id.
"""

import shutil
from pathlib import Path

#: The folder in the home, and what a form's own folder is called before all of it has arrived.
FORMS, ARRIVING = "forms", "arriving-"


def lock_of(form_id: str) -> str:
    """Return the lock's name of whoever touches the files of a form; taken before the case's."""
    return f"form {form_id}"


def waiting_files(home: Path, form_id: str) -> tuple[Path, ...]:
    """Return the files of a form that wait, sorted."""
    return tuple(path for place in _places(home, form_id) for path in sorted(place.iterdir()))


def remove_files(home: Path, form_id: str) -> int:
    """Delete the files of a form that wait; return how many there were. Safe to repeat."""
    count = 0
    for place in _places(home, form_id):
        count += sum(1 for _ in place.iterdir())
        shutil.rmtree(place)
    return count


def _places(home: Path, form_id: str) -> list[Path]:
    folder = home / FORMS
    if form_id.startswith(ARRIVING) or not folder.is_dir():
        return []
    return [place for place in folder.iterdir() if place.name == form_id and place.is_dir()]
