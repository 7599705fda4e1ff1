"""Measuring a judge on labelled cases, exactly as the product would act on its judgements."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figsupport import steps
from figsupport.core import progress
from figsupport.core.labelled import CaseSet, LabelledReply, LabelledRequest, parse_cases
from figsupport.core.model import Cost
from figsupport.core.scoring import Form, JudgedCase, score, verdict
from figsupport.errors import InvalidRequest, NotFound
from figsupport.ports import Judge
from figsupport.services import Services

_MOST = 200_000_000


def read_cases(path: Path, services: Services) -> CaseSet:
    """Return the labelled cases of a file. Raises NotFound, or InvalidRequest line by line."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}", hint="CASES is a file of JSON Lines.")
    if path.stat().st_size > _MOST:
        raise InvalidRequest(f"{path} is larger than {_MOST} bytes", hint="Split it.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"{path} is not UTF-8 text (byte {error.start})", hint="Save the file as UTF-8."
        ) from None
    return parse_cases(text, services.settings.limits, services.directives.grid)


def evaluate(cases: CaseSet, services: Services) -> dict[str, Any]:
    """Judge every case and return the report; see `core.scoring.score`."""
    services.spent()
    judged = list(_judged(cases, services.judge))
    form: Form = "replies" if cases.replies else "requests"
    return score(form, services.adapters.judge, judged, services.spent() or Cost())


def _judged(cases: CaseSet, judge: Judge) -> Iterator[JudgedCase]:
    everything: tuple[LabelledReply | LabelledRequest, ...] = (*cases.replies, *cases.requests)
    for case in everything:
        began = time.perf_counter()
        if isinstance(case, LabelledReply):
            got, why, abstained = _on_reply(case, judge)
        else:
            got, why, abstained = _on_request(case, judge)
        taken = (time.perf_counter() - began) * 1000
        yield JudgedCase(case.id, case.expected, case.also_ok, got, why, abstained, taken)


def _on_reply(labelled: LabelledReply, judge: Judge) -> tuple[str, str, bool]:
    """An acceptance counts when the whole product would act on it, not the words alone."""
    reply = steps.read_reply(labelled.message, labelled.case, judge)
    got, why = str(reply.intent), " ; ".join(reply.reasons)
    if got == "accept" and progress.stops(labelled.case, labelled.message) is not None:
        got, why = "unclear", f"{why} ; no open quote of this contact"
    return got, why, got == "unclear"


def _on_request(labelled: LabelledRequest, judge: Judge) -> tuple[str, str, bool]:
    classification = steps.classify_request(labelled.request, judge)
    analysis = None
    if classification.type == "MODELISATION":
        analysis = steps.analyze_request(labelled.request, labelled.files, judge)
    reasons = (*classification.reasons, *(analysis.reasons if analysis else ()))
    abstained = "low" in (classification.confidence, analysis.confidence if analysis else "")
    return verdict(classification, analysis), " ; ".join(reasons), abstained
