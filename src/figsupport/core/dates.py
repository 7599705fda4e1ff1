"""What time makes due on a case nobody writes about: a reminder, at last the expiry. Pure."""

from datetime import date, datetime
from typing import Literal, NamedTuple

from figsupport.core.calendar import Delays
from figsupport.core.model import REMINDERS, STAFF, Case, Post, PostKind, SentLetter


class Coming(NamedTuple):
    """What a date makes due, and when."""

    what: Literal["reminder", "expiry"]
    at: datetime


def coming(case: Case, now: datetime, delays: Delays) -> Coming | None:
    """Return what comes when nobody writes, at `now` or later; None when nothing does.

    Each delay counts from the last thing we said to the client.
    """
    letter = None if case.outbox else unanswered(case)
    if letter is None:
        return None
    said = [mail for mail in _since(case, letter) if mail.kind not in STAFF]
    days = delays.quote if letter.kind == "quote" else delays.info
    number = min(len(_reminders(case, letter)), len(days) - 1)
    spoken = max(case.spoken or letter.sent_at, said[-1].sent_at)
    at = max(delays.after(spoken, days[number]), case.held_until or spoken, now)
    return Coming("reminder" if number < len(days) - 1 else "expiry", delays.opening(at))


def unanswered(case: Case) -> SentLetter | None:
    """Return our letter that the client leaves without an answer, while nobody waits for us."""
    if case.asked is not None or case.drafts:
        return None
    if case.validation_status == "pending_info":
        asking = [mail for mail in case.mails if mail.kind == "info"]
        return asking[-1] if asking and len(asking) == case.rounds else None
    return case.open_quote


def reminder(case: Case) -> Post | None:
    """Return the reminder that makes sense now; its key says of which letter, and its number."""
    letter = unanswered(case)
    if letter is None:
        return None
    quote = letter.kind == "quote"
    of, number = case.quotes if quote else case.rounds, len(_reminders(case, letter)) + 1
    kind: Literal["reminder", "info_reminder"] = "reminder" if quote else "info_reminder"
    return Post(kind=PostKind.LETTER, key=f"mail:{kind}:{of}:{number}", letter=kind)


def is_moot(case: Case, post: Post) -> bool:
    """Tell whether a letter that a date made due makes no sense any more."""
    if post.letter == "expiry":
        return not is_expired(case)
    current = reminder(case)
    return post.letter in REMINDERS and (current is None or current.key != post.key)


def is_expired(case: Case) -> bool:
    """Tell whether it was time that ended a case, and nobody has taken it up again."""
    return case.decision is not None and case.decision.by == "delay"


def was_reminded(case: Case, day: date, delays: Delays) -> bool:
    """Tell whether the client got a reminder of this case on a day, or is about to."""
    sent = [delays.day(mail.sent_at) for mail in case.mails if mail.kind in REMINDERS]
    return day in sent or any(post.letter in REMINDERS for post in case.outbox)


def _since(case: Case, letter: SentLetter) -> tuple[SentLetter, ...]:
    return case.mails[case.mails.index(letter) :]


def _reminders(case: Case, letter: SentLetter) -> list[SentLetter]:
    return [mail for mail in _since(case, letter) if mail.kind in REMINDERS]
