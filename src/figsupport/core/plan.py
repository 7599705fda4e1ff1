"""What comes next. The only place that knows the order of the flow."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from figsupport.core.calendar import Delays
from figsupport.core.dates import coming, is_expired, is_moot
from figsupport.core.model import TIMED, Case, Message, Post, PostKind, Step

#: Steps that touch nothing outside: no intent is saved before them.
THINKING = frozenset({Step.CLASSIFY, Step.ANALYZE, Step.READ, Step.WAKE})


#: The port that a step goes through, when it is not the desk.
_PORTS = {
    Step.CLASSIFY: "judge",
    Step.ANALYZE: "judge",
    Step.READ: "judge",
    Step.UPLOAD: "store",
    Step.PROOF: "store",
    Step.SUBTASK: "board",
}


class Due(NamedTuple):
    """The next step, the key of its effect, and what it is about."""

    step: Step
    key: str
    post: Post | None = None
    message: Message | None = None


class Waiting(StrEnum):
    """Why a case has no next step."""

    CLIENT_INFO = "waits for what the client must still send"
    CLIENT_ANSWER = "waits for the client's answer to the quote"
    PERSON = "waits for a person to answer the client"
    DRAFT = "waits for a person to send the letter that was left as a draft"
    ADMINISTRATOR = "waits for the administrator"
    FINISHED = "finished"


def due(
    case: Case, inbox: Sequence[Message], now: datetime, delays: Delays | None = None
) -> Due | None:
    """Return the next step of a case, or None when it waits or is finished.

    A step whose intent was saved comes first, whatever else is due, unless it is a letter that
    must wait for working hours. Without `delays` no date makes a step due.
    """
    held = delays is not None and _is_held(case, now, delays)
    if case.doing is not None and not held:
        return _resumed(case)
    ahead = _opening(case) or _modelling(case)
    if ahead is not None:
        return Due(ahead, f"{case.id}:{ahead}")
    if case.outbox and not held:
        post = case.outbox[0]
        return Due(Step.POST, f"{case.id}:{post.key}", post)
    read = {reply.message_id for reply in case.replies}
    for message in inbox:
        if message.id not in read:
            return Due(Step.READ, f"{case.id}:{Step.READ}", message=message)
    if delays is not None and (found := coming(case, now, delays)) and found.at <= now:
        return Due(Step.WAKE, f"{case.id}:{Step.WAKE}")
    return None


def port_of(step: Due) -> str:
    """Return the name of the port that a step goes through."""
    if step.post is not None and step.post.kind is PostKind.LETTER:
        return "mail"
    return _PORTS.get(step.step, "desk")


def wake_at(case: Case, now: datetime, delays: Delays) -> datetime | None:
    """Return when a step will be due without any news, None when no date makes one due."""
    if _is_held(case, now, delays):
        return delays.opening(now)
    found = coming(case, now, delays)
    return found.at if found else None


def settled_at(case: Case, settle: float) -> datetime | None:
    """Return when a lost answer can be trusted to be final: `settle` seconds after the intent."""
    return case.doing.since + timedelta(seconds=settle) if case.doing else None


def waiting(case: Case) -> Waiting:
    """Return why a case without a next step has none."""
    if case.drafts:
        return Waiting.DRAFT
    match case.validation_status:
        case "pending_info" | "pending_credits" if case.asked is not None:
            return Waiting.PERSON
        case "pending_info":
            return Waiting.CLIENT_INFO
        case "pending_credits":
            return Waiting.CLIENT_ANSWER
        case "pending_admin":
            return Waiting.ADMINISTRATOR
        case "rejected" if case.asked is not None and is_expired(case):
            return Waiting.PERSON
        case _:
            return Waiting.FINISHED


def wanted_properties(case: Case) -> dict[str, str]:
    """Return what the ticket must say now: absolute values, all of them strings."""
    links = "\n".join(file.url for file in case.files if file.url)
    properties = {"fichiers_urls": links}
    if case.validation_status is not None:
        properties["validation_status"] = case.validation_status
        properties["credits_estimes"] = str(case.credits_estimes or "")
    if case.subtask is not None:
        properties["clickup_subtask_id"] = case.subtask.id
    if case.thread is not None:
        properties["figsupport_thread_id"] = case.thread
    return properties


def changed_properties(case: Case) -> dict[str, str]:
    """Return the properties that the ticket does not say yet."""
    wanted = wanted_properties(case)
    return {name: value for name, value in wanted.items() if case.properties.get(name) != value}


def _is_held(case: Case, now: datetime, delays: Delays) -> bool:
    """Tell whether the next letter is one that must wait for working hours."""
    if not case.outbox or case.outbox[0].letter not in TIMED:
        return False
    return not is_moot(case, case.outbox[0]) and delays.opening(now) > now


def _resumed(case: Case) -> Due:
    assert case.doing is not None  # noqa: S101 — the caller has looked
    post = case.outbox[0] if case.doing.step is Step.POST else None
    return Due(case.doing.step, case.doing.key, post)


def _opening(case: Case) -> Step | None:
    if case.classification is None:
        return Step.CLASSIFY
    if len(case.files) < len(case.request.fichiers):
        return Step.UPLOAD
    if case.contact is None:
        return Step.CONTACT
    if case.ticket is None:
        return Step.TICKET
    return None


def _modelling(case: Case) -> Step | None:
    assert case.classification is not None  # noqa: S101 — the opening is over
    if case.classification.type == "MODELISATION":
        if case.decision is not None and case.decision.verdict == "accept":
            if case.proof is not None and case.proof.sha256 is None:
                return Step.PROOF
            if case.subtask is None:
                return Step.SUBTASK
        elif case.validation_status is None:
            return Step.ANALYZE
    if changed_properties(case):
        return Step.UPDATE
    return None
