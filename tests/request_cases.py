"""Labelled requests of `tests/cases/`, and what the judge by rules makes of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from figsupport import directives
from figsupport.core.classify import classify
from figsupport.core.model import FileFact, FileRef, Request
from figsupport.core.pricing import analyze, kind_of

FOLDER = Path(__file__).parent / "cases"
RULES = directives.load(directives.default_folder())
STATUS = {"COMPLET": "pending_credits", "COMPLEXE": "pending_admin", "INCOMPLET": "pending_info"}


class Verdict(NamedTuple):
    """Type, status and credits, as a label or as judged."""

    type: str
    status: str | None = None
    credits: int | None = None


class Labelled(NamedTuple):
    """One request, what is expected of it first, and what else is right."""

    id: str
    request: Request
    right: tuple[Verdict, ...]


def labelled(path: Path) -> Iterator[Labelled]:
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        names = [FileRef(name=name) for name in case["payload"]["fichiers"]]
        request = Request.model_validate({**case["payload"], "fichiers": names})
        fields = ("expected_type", "expected_status", "expected_credits")
        expected = Verdict(*(case[field] for field in fields))
        also = (Verdict(**other) for other in case["also_ok"])
        yield Labelled(case["id"], request, (expected, *also))


def judged(request: Request) -> Verdict:
    type_ = classify(request, RULES).type
    if type_ == "SUPPORT":
        return Verdict(type_)
    files = [FileFact(name=f.name, kind=kind_of(f.name, RULES.grid)) for f in request.fichiers]
    analysis = analyze(request, files, RULES)
    return Verdict(type_, STATUS[analysis.outcome], analysis.credits)
