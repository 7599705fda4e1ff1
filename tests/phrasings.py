"""Answers of clients as small firms write them: `tests/cases/phrasings*.txt`, by hand.

One answer a line under « ## expected kind-of-our-letter »; « \\n » is a new line, « => » gives
other labels that are right, « @@ » the name of the contact who signs.
"""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "cases"


class Phrasing(NamedTuple):
    """What a client writes, the letter it answers, and what it means."""

    text: str
    kind: str
    expected: str
    also_ok: tuple[str, ...] = ()
    name: str = "Jean Dupont"


def phrasings(name: str) -> list[Phrasing]:
    """Return the answers of a file. Raises ValueError for a line that stands twice."""
    found: list[Phrasing] = []
    expected = kind = ""
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line.startswith("## "):
            expected, kind = line[3:].split()
        elif line and not line.startswith("#"):
            answer, _, name = line.partition(" @@ ")
            text, _, also = answer.partition(" => ")
            one = Phrasing(text.replace("\\n", "\n"), kind, expected, tuple(also.split()))
            found.append(one._replace(name=name) if name else one)
    texts = [one.text for one in found]
    if len(set(texts)) < len(texts):
        raise ValueError(f"{name}: {[text for text in texts if texts.count(text) > 1]}")
    return found
