"""What a client's file is: its content decides, and a name that lies is told."""

from pathlib import Path

from figsupport.core.model import FileFact, Language
from figsupport.core.pricing import kind_of
from figsupport.core.rules import Grid
from figsupport.errors import FileProblem
from figsupport.files.sniff import UNKNOWN, disagrees, is_broken, sniff
from figsupport.steps import Recognise

_PROBLEMS = {
    "empty": ("le fichier est vide", "the file is empty"),
    "html": (
        "c'est une page web enregistrée et non le fichier",
        "this is a saved web page, not the file",
    ),
    "lfs-pointer": (
        "c'est un renvoi (git-lfs) et non le fichier",
        "this is a pointer (git-lfs), not the file",
    ),
    "broken": (
        "le fichier est abîmé ou n'est pas ce que son nom annonce",
        "the file is damaged or not what its name says",
    ),
    "exe": ("c'est un programme", "this is a program"),
}


def recogniser(grid: Grid, language: Language = "fr") -> Recognise:
    """Return what tells a file's kind, format and extension. It raises FileProblem."""

    def recognise(name: str, path: Path) -> tuple[FileFact, str]:
        found = sniff(path)
        if found.name in _PROBLEMS:
            raise FileProblem(found.name, _PROBLEMS[found.name][language == "en"])
        if is_broken(name, found):
            raise FileProblem("broken", _PROBLEMS["broken"][language == "en"])
        facts: dict[str, object] = {"format": found.name}
        if disagrees(name, found):
            facts["disagrees"] = True
        if found is UNKNOWN:  # formats without a signature: the name is all there is
            return FileFact(name=name, kind=kind_of(name, grid), facts=facts), _suffix(name)
        return FileFact(name=name, kind=found.kind, facts=facts), found.extension

    return recognise


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 9 else ""
