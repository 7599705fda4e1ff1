"""How long what is kept of a request: when it ended, until when it stays, what is left then. Pure.

Sources: regulation (EU) 2016/679 (RGPD), articles 5 (storage limitation), 15 (access) and 17
(erasure, 3.b: what the law obliges to keep); code de commerce, article L123-22 (ten years for
accounting evidence).
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from figsupport.core.model import Case, Proof, Request

#: What a finished case is kept as: a support request, one that came to nothing, one that was
#: carried out, or nothing but the evidence of an acceptance. And a mail that belongs to no case.
Kept = Literal["support", "dropped", "validated", "evidence", "stranger"]


class Retention(NamedTuple):
    """For how many months each kind is kept; whether evidence outlives an erasure."""

    months: Mapping[Kept, int]
    keep_evidence: bool = True

    def limits(self, now: datetime) -> dict[Kept, datetime]:
        """Return before when a case of each kind must have ended to be forgotten now."""
        return {kind: months_before(now, months) for kind, months in self.months.items()}


FOR_EVER = Retention({})


def kept_as(case: Case) -> Kept:
    """Return what a finished case is kept as."""
    if case.erased is not None:
        return "evidence"
    if case.validation_status == "validated":
        return "validated"
    if case.classification is not None and case.classification.type == "SUPPORT":
        return "support"
    return "dropped"


def ended_at(case: Case) -> datetime:
    """Return when something last happened on a finished case."""
    moments = [case.created_at, *(mail.sent_at for mail in case.mails)]
    moments += [reply.at for reply in case.replies if reply.at is not None]
    if case.decision is not None:
        moments.append(case.decision.at)
    return max(moments)


def is_outdated(case: Case, limits: Mapping[Kept, datetime]) -> bool:
    """Tell whether a finished case has been kept for as long as it may."""
    limit = limits.get(kept_as(case))
    return limit is not None and ended_at(case) < limit


def months_before(now: datetime, months: int) -> datetime:
    """Return the same day so many months earlier, or the last day of a shorter month."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def is_evidence(key: str) -> bool:
    """Tell whether a stored object is the record of an acceptance."""
    return key.rpartition("/")[2].startswith("acceptance-")


def reduced(case: Case, name: str, now: datetime) -> Case:
    """Return what stays of a case whose client is forgotten: which evidence, and since when.

    Neither the client's name nor address nor words; they are in the record `name` alone.
    """
    decision = case.decision
    return Case(
        id=case.id,
        fingerprint=case.fingerprint,
        created_at=case.created_at,
        request=Request(user_email="", request_id=case.request.request_id),
        validation_status=case.validation_status,
        decision=decision.model_copy(update={"notes": ""}) if decision else None,
        proof=case.proof.model_copy(update={"text": None}) if case.proof else Proof(name=name),
        subtask=case.subtask,
        erased=now,
    )
