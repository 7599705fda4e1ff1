"""Every refusal as problem details (RFC 9457): what is wrong, field by field, and what to do."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi.responses import Response

from figsupport import errors
from figsupport.errors import FigsupportError, Problem

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a sender may try again when nobody said when.
PAUSE = 30

#: error → status; the first that fits
_STATUS: tuple[tuple[type[FigsupportError], int], ...] = (
    (errors.InvalidRequest, 422),
    (errors.NotAllowed, 409),
    (errors.NotFound, 404),
    (errors.Unavailable, 503),
    (errors.Refused, 502),
    (errors.Credentials, 502),
)

#: What a sender is told when the fault is on our side: never the details.
_OURS = {
    502: "A provider refused the work; a person has to look. Nothing taken in is lost.",
    503: "A provider is unavailable. What was taken in is finished later by itself; "
    "sending the same request again is safe and gives the finished result.",
    500: "Something is wrong here; a person has to look. Nothing taken in is lost.",
}


class HttpProblem(Exception):
    """A refusal that exists over HTTP only."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        problems: Sequence[Problem] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.problems, self.retry_after = tuple(problems), retry_after


def busy(detail: str, seconds: float = 5) -> HttpProblem:
    """Return the refusal of what there is no room for just now."""
    return HttpProblem(503, "overloaded", detail, retry_after=seconds)


def too_many(detail: str, seconds: float) -> HttpProblem:
    """Return the refusal of a sender who sends too much."""
    return HttpProblem(429, "too_many", detail, retry_after=seconds)


def as_problem(error: FigsupportError) -> HttpProblem:
    """Return what a sender is told of an error: all of its own, nothing of ours."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status not in _OURS:
        detail = " ".join(part for part in (f"{error.message}.", error.hint) if part)
        return HttpProblem(status, error.code, detail, problems=error.problems)
    retry_after: float | None = None
    if isinstance(error, errors.TryLater):
        retry_after = max(1.0, (error.until - datetime.now(UTC)).total_seconds())
    elif status == 503:
        retry_after = PAUSE
    return HttpProblem(status, error.code, _OURS[status], retry_after=retry_after)


def response(problem: HttpProblem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal as a response."""
    document = {
        "type": f"urn:figsupport:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "problems": [one._asdict() for one in problem.problems],
    }
    shown = dict(headers or {})
    if problem.retry_after is not None:
        shown["Retry-After"] = str(math.ceil(problem.retry_after))
    if problem.status == 401:
        shown["WWW-Authenticate"] = 'Bearer realm="figsupport"'
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, problem.status, shown, MEDIA_TYPE)
