"""Labelled cases: what a client wrote, and what a good judge makes of it. Pure.

Two forms, told apart by their fields: replies (`sent_mail`) and requests (`payload`). Each
becomes the very values that the product works on.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from figsupport.core.intake import Limits, new_case, parse_request
from figsupport.core.mail import parse_mail
from figsupport.core.model import (
    Attachment,
    Case,
    FileFact,
    FileRef,
    Intent,
    LetterKind,
    Message,
    Request,
    RequestType,
    SentLetter,
    Status,
    Value,
)
from figsupport.core.rules import Grid
from figsupport.core.scoring import verdict_of
from figsupport.errors import InvalidRequest, Problem

_HINT = "Nothing was judged. Each line is one JSON object with « sent_mail » or « payload »."


class LabelledReply(NamedTuple):
    """A client's mail, the case it answers, and the intents that are right."""

    id: str
    expected: str
    also_ok: frozenset[str]
    message: Message
    case: Case


class LabelledRequest(NamedTuple):
    """A request, its files known by their names, and the verdicts that are right."""

    id: str
    expected: str
    also_ok: frozenset[str]
    request: Request
    files: tuple[FileFact, ...]


class CaseSet(NamedTuple):
    """The cases of one file: replies or requests, never both."""

    replies: tuple[LabelledReply, ...] = ()
    requests: tuple[LabelledRequest, ...] = ()


def parse_cases(text: str, limits: Limits, grid: Grid) -> CaseSet:
    """Return the cases of a JSON Lines text. Raises InvalidRequest naming each bad line."""
    replies: list[LabelledReply] = []
    requests: list[LabelledRequest] = []
    problems: list[Problem] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            document = _object(line)
            case = _reply(document) if "sent_mail" in document else _request(document, limits, grid)
        except ValidationError as error:
            problems += [_problem(number, found) for found in error.errors(include_url=False)]
            continue
        except InvalidRequest as error:
            problems += [
                Problem(f"line {number} payload.{found.field}", found.message)
                for found in error.problems
            ] or [Problem(f"line {number}", error.message)]
            continue
        if case.id in lines_of:
            problems.append(Problem(f"line {number} id", f"stands in line {lines_of[case.id]} too"))
        lines_of.setdefault(case.id, number)
        if isinstance(case, LabelledReply):
            replies.append(case)
        else:
            requests.append(case)
    if replies and requests:
        problems.append(Problem("the file", "holds replies and requests; give each its own file"))
    if not lines_of and not problems:
        problems.append(Problem("the file", "holds no case"))
    if problems:
        raise InvalidRequest(
            f"The cases do not fit, {len(problems)} problems; the first is {problems[0].field}: "
            f"{problems[0].message}",
            hint=_HINT,
            problems=problems,
        )
    return CaseSet(tuple(replies), tuple(requests))


class _Sent(Value):
    kind: Literal["devis", "relance", "demande_infos", "admin"]
    date: datetime
    subject: str = ""
    text: str = ""
    credits: int | None = None


class _ReplyCase(Value):
    id: str
    sent_mail: _Sent
    raw_reply: str = ""
    html: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    sender: str = Field(alias="from")
    contact_email: str
    contact_name: str = ""
    attachments: tuple[str, ...] = ()
    expected: Intent
    also_ok: tuple[Intent, ...] = ()


class _Verdict(Value):
    type: RequestType
    status: Status | None = None
    credits: int | None = None


class _RequestCase(Value):
    id: str
    payload: dict[str, Any]
    expected_type: RequestType
    expected_status: Status | None = None
    expected_credits: int | None = None
    also_ok: tuple[_Verdict, ...] = ()


def _object(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"is not JSON: {error}") from None
    if not isinstance(document, dict) or not {"sent_mail", "payload"} & document.keys():
        raise InvalidRequest("is neither a reply (« sent_mail ») nor a request (« payload »)")
    return document


def _problem(number: int, found: Mapping[str, Any]) -> Problem:
    place = ".".join(str(part) for part in found["loc"])
    return Problem(f"line {number} {place}", str(found["msg"]))


#: what we sent → the kind of our letter, and what the case waits for
_SENT: dict[str, tuple[LetterKind, Status]] = {
    "devis": ("quote", "pending_credits"),
    "relance": ("quote", "pending_credits"),
    "demande_infos": ("info", "pending_info"),
    "admin": ("administrator", "pending_admin"),
}


def _reply(document: Mapping[str, Any]) -> LabelledReply:
    """Build the mail as a desk would give it and the case whose last letter it answers."""
    given = _ReplyCase.model_validate(document)
    sent = given.sent_mail
    kind, status = _SENT[sent.kind]
    sent_at = sent.date.astimezone(UTC) if sent.date.tzinfo else sent.date.replace(tzinfo=UTC)
    author = parse_mail(f"From: {' '.join(given.sender.split())}\n\n".encode())
    headers = {name.lower(): value for name, value in given.headers.items()}
    message = Message(
        id=given.id,
        sender=author.sender,
        sender_name=author.sender_name,
        subject=headers.get("subject", ""),
        text=given.raw_reply,
        html=given.html,
        headers=headers,
        sent_at=sent_at + timedelta(days=1),
        attachments=tuple(Attachment(name=name) for name in given.attachments),
    )
    letter = SentLetter(
        kind=kind,
        key=f"{given.id}:mail",
        message_id=f"<{given.id}@figsupport>",
        to=given.contact_email,
        subject=sent.subject,
        text=sent.text,
        sent_at=sent_at,
        credits=sent.credits,
    )
    request = Request(user_email=given.contact_email, user_name=given.contact_name)
    case = new_case(given.id, request, "fr", sent_at).with_(
        validation_status=status,
        credits_estimes=sent.credits,
        mails=(letter,),
        quotes=1 if kind == "quote" else 0,
    )
    return LabelledReply(given.id, given.expected, frozenset(given.also_ok), message, case)


def _request(document: Mapping[str, Any], limits: Limits, grid: Grid) -> LabelledRequest:
    """Build the request; its files are what their names say, and nothing is ever fetched."""
    given = _RequestCase.model_validate(document)
    request = parse_request(given.payload, limits)
    names = [file.name for file in request.fichiers]
    request = request.model_copy(update={"fichiers": tuple(FileRef(name=name) for name in names)})
    return LabelledRequest(
        given.id,
        verdict_of(given.expected_type, given.expected_status, given.expected_credits),
        frozenset(verdict_of(also.type, also.status, also.credits) for also in given.also_ok),
        request,
        tuple(FileFact(name=name, kind=grid.kind_of(name)) for name in names),
    )
