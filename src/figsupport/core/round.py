"""What one round of `poll` did, counted. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from figsupport.core.dates import is_expired
from figsupport.core.model import REMINDERS, Case, Message
from figsupport.core.plan import due
from figsupport.errors import FigsupportError


class Round(NamedTuple):
    """What one round of `poll` did."""

    resumed: int
    replies: int
    validated: int
    rejected: int
    reanalyzed: int
    questions: int
    auto_replies: int
    unclear: int
    reminders: int
    expired: int
    digest: bool
    strangers: tuple[Message, ...]
    errors: tuple[tuple[str, FigsupportError], ...]
    touched: tuple[Case, ...]
    forgotten: int = 0


def tally(
    before: Mapping[str, Case],
    after: Sequence[Case],
    strangers: tuple[Message, ...],
    errors: Sequence[tuple[str, FigsupportError]],
) -> Round:
    """Return what changed between the cases as they were and as they are."""
    new = [reply for case in after for reply in case.replies[len(before[case.id].replies) :]]
    intents = [reply.intent for reply in new]
    became = [
        case.validation_status
        for case in after
        if case.validation_status != before[case.id].validation_status
    ]
    sent = [mail.kind for case in after for mail in case.mails[len(before[case.id].mails) :]]
    expired = sum(1 for case in after if is_expired(case) and not is_expired(before[case.id]))
    return Round(
        resumed=sum(
            1
            for case in after
            if case != before[case.id] and due(before[case.id], (), case.created_at) is not None
        ),
        replies=len(new),
        validated=became.count("validated"),
        rejected=became.count("rejected") - expired,
        reanalyzed=sum(1 for case in after if case.request != before[case.id].request),
        questions=intents.count("question"),
        auto_replies=intents.count("auto_reply"),
        unclear=intents.count("unclear"),
        reminders=sum(1 for kind in sent if kind in REMINDERS),
        expired=expired,
        digest=False,  # nor `forgotten`: cases do not tell
        strangers=strangers,
        errors=tuple(errors),
        touched=tuple(after),
    )
