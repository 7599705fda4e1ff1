"""How good a judge is on labelled cases: figures that a decision can rest on. Pure."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any, Literal, NamedTuple

from figsupport.core.model import Analysis, Classification, Cost, Status

Form = Literal["replies", "requests"]
_Z = 1.959964  # the normal quantile of a 95 % interval
_STATUS: dict[str, Status] = {
    "INCOMPLET": "pending_info",
    "COMPLEXE": "pending_admin",
    "COMPLET": "pending_credits",
}


class JudgedCase(NamedTuple):
    """One case, judged: what was expected, what came, why, and in how many milliseconds.

    `abstained`: the judge left it to a person because it was not sure.
    """

    id: str
    expected: str
    also_ok: frozenset[str]
    got: str
    why: str
    abstained: bool
    milliseconds: float

    @property
    def right(self) -> bool:
        """Tell whether the verdict is the expected one or another that is tolerated."""
        return self.got == self.expected or self.got in self.also_ok


class Thresholds(NamedTuple):
    """What a judge must reach; None asks nothing."""

    min_accuracy: float | None = None
    max_false_accepts: int | None = None
    max_money_errors: int | None = None
    min_accept_recall: float | None = None


def verdict(classification: Classification, analysis: Analysis | None) -> str:
    """Return the verdict on a request in one line: « MODELISATION pending_credits 2 »."""
    if analysis is None:
        return classification.type
    return verdict_of(classification.type, _STATUS[analysis.outcome], analysis.credits)


def verdict_of(type_: str, status: str | None, credits_: int | None) -> str:
    """Return the same line from its parts."""
    return " ".join(str(part) for part in (type_, status, credits_) if part is not None)


def score(form: Form, judge: str, judged: Sequence[JudgedCase], cost: Cost) -> dict[str, Any]:
    """Return the report on a judge; what a form does not have is None or empty.

    `accuracy`, `accept_recall`, `type_accuracy` and `coverage` are from 0 to 1; `interval` is
    Wilson's, at 95 %. `judged` holds one case at least.
    """
    right = sum(case.right for case in judged)
    replies = form == "replies"
    accepts = [case.got == "accept" for case in judged if case.expected == "accept"]
    return {
        "kind": form,
        "judge": judge,
        "cases": len(judged),
        "right": right,
        "accuracy": _share(right, len(judged)),
        "interval": wilson(right, len(judged)),
        "confusion": _confusion(judged),
        "coverage": _share(sum(not case.abstained for case in judged), len(judged)),
        "wrong": [_told(case) | {"why": case.why} for case in judged if not case.right],
        "false_accepts": [case.id for case in judged if case.got == "accept" and not case.right],
        "accept_recall": _share(sum(accepts), len(accepts)) if accepts else None,
        "type_accuracy": None if replies else _share(sum(map(_type_right, judged)), len(judged)),
        "money_errors": [] if replies else [_told(case) for case in judged if money_error(case)],
        "latency_ms": {
            name: round(percentile([case.milliseconds for case in judged], share), 3)
            for name, share in (("p50", 0.50), ("p95", 0.95))
        },
        "cost": cost.model_dump(),
    }


def missed(report: dict[str, Any], wanted: Thresholds) -> list[str]:
    """Return a sentence for each threshold that a report does not reach."""
    found = []
    for name, wished in wanted._asdict().items():
        bound, _, figure = name.partition("_")
        if wished is None:
            continue
        value = len(report[figure]) if bound == "max" else report[figure]
        if value is None:
            found.append(f"{figure.replace('_', ' ')}: no acceptance among the cases")
        elif value < wished if bound == "min" else value > wished:
            word = {"min": "least", "max": "most"}[bound]
            sentence = f"{figure.replace('_', ' ')}: {value:g}; at {word} {wished:g} is wanted"
            found.append(sentence)
    return found


def money_error(case: JudgedCase) -> str | None:
    """Return how a wrong verdict costs money: too cheap, too dear, or not to be priced at all."""
    price, due = _price(case.got), _price(case.expected)
    if case.right or price is None:
        return None
    if due is not None:
        return "under-priced" if price < due else "over-priced" if price > due else None
    if case.expected.endswith("pending_admin"):
        return "priced though an administrator was expected"
    return None


def wilson(right: int, cases: int) -> list[float]:
    """Return Wilson's score interval of a share at 95 %: lower and upper bound."""
    share, square = right / cases, _Z * _Z
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    half = _Z / (1 + square / cases) * sqrt(share * (1 - share) / cases + square / (4 * cases**2))
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4)


def _told(case: JudgedCase) -> dict[str, str]:
    return {"id": case.id, "expected": case.expected, "got": case.got}


def _type_right(case: JudgedCase) -> bool:
    return case.right or case.got.split()[0] == case.expected.split()[0]


def _price(line: str) -> int | None:
    last = line.rpartition(" ")[2]
    return int(last) if last.isdecimal() else None


def _confusion(judged: Sequence[JudgedCase]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for case in sorted(judged, key=lambda one: (one.expected, one.got)):
        row = table.setdefault(case.expected, {})
        row[case.got] = row.get(case.got, 0) + 1
    return table
