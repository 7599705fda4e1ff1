"""What an administrator may decide, and what already stands against it. Pure.

Every function returns the case with the decision recorded, the same case when the same
decision already stands, or raises NotAllowed with what stands. That a case ended because nobody
answered in time stands against nobody here.
"""

from datetime import datetime

from figsupport.core.dates import is_expired
from figsupport.core.model import TIMED, Case, Decision, PostKind, Step
from figsupport.core.progress import post_letter, quoted
from figsupport.errors import NotAllowed


def accept(case: Case, credits_: int, notes: str, now: datetime, most: int) -> Case:
    """Record an acceptance by the administrator at this price."""
    _check_credits(credits_, most)
    _check_modelling(case)
    if case.decision is not None and not is_expired(case):
        if case.decision.verdict == "accept" and case.decision.credits == credits_:
            return case
        raise _stands(case)
    decision = Decision(verdict="accept", by="administrator", at=now, credits=credits_, notes=notes)
    case = _without_open_letters(case).with_(decision=decision, credits_estimes=credits_)
    return case.told(f"accepted at {credits_} credits", now, "administrator")


def reject(case: Case, reason: str, now: datetime) -> Case:
    """Record a rejection by the administrator; the client is told the reason."""
    _check_modelling(case)
    if case.decision is not None:
        if case.decision.verdict == "reject":
            return case
        raise _stands(case)
    decision = Decision(verdict="reject", by="administrator", at=now, notes=reason)
    case = _without_open_letters(case).with_(decision=decision, validation_status="rejected")
    case = case.told("rejected", now, "administrator")
    return post_letter(case, "rejection", "mail:rejection")


def quote(case: Case, credits_: int, now: datetime, most: int) -> Case:
    """Send the client a quote at this price; a quote at the same price that is open stands."""
    _check_credits(credits_, most)
    _check_modelling(case)
    if case.decision is not None and not is_expired(case):
        raise _stands(case)
    if case.validation_status == "pending_credits" and case.credits_estimes == credits_:
        return case
    case = _without_open_letters(case).with_(credits_estimes=credits_, decision=None)
    return quoted(case.told(f"quote of {credits_} credits", now, "administrator"))


def _check_credits(credits_: int, most: int) -> None:
    if not 1 <= credits_ <= most:
        raise NotAllowed(
            f"{credits_} credits is not a price",
            hint=f"Give a whole number from 1 to {most}, for example --credits 2.",
        )


def _check_modelling(case: Case) -> None:
    if case.classification is not None and case.classification.type == "SUPPORT":
        raise NotAllowed(
            "This is a SUPPORT ticket: it has no price and nothing to validate",
            hint="Answer it on the desk. For a modelling request, take in a new request.",
        )


def _stands(case: Case) -> NotAllowed:
    decision = case.decision
    assert decision is not None  # noqa: S101 — the caller has looked
    who = "by the client" if decision.by == "client" else "by an administrator"
    when = f"{decision.at:%Y-%m-%d %H:%M}"
    if decision.verdict == "reject":
        return NotAllowed(
            f"The request was rejected {who} on {when}; that stands",
            hint="To take the work up again, take in a new request.",
        )
    return NotAllowed(
        f"The request was accepted at {decision.credits} credits {who} on {when}; that stands",
        hint="A change of price after an acceptance is agreed with the client in person.",
    )


def _without_open_letters(case: Case) -> Case:
    """Drop letters that wait for an answer, decided and not yet begun to be sent."""
    begun = 1 if case.doing is not None and case.doing.step is Step.POST else 0
    dropped = [
        post
        for post in case.outbox[begun:]
        if post.kind is PostKind.LETTER and post.letter in _OPEN and not post.begun
    ]
    return case.with_(
        outbox=tuple(post for post in case.outbox if post not in dropped),
        quotes=case.quotes - sum(1 for post in dropped if post.letter == "quote"),
    )


_OPEN = TIMED | {"info", "quote"}
