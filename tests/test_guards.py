"""What stops a mail whose words accept is named, so that it can be counted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import get_args

import pytest

from figsupport.core.model import (
    Attachment,
    Case,
    Decision,
    Guard,
    Message,
    Reply,
    SentLetter,
    TicketRef,
)
from figsupport.core.opinion import ReplyOpinion, weighed
from figsupport.core.progress import answered
from figsupport.core.replies import read_reply

from .layouts import LETTER
from .test_replies import CLIENT, PHRASES
from .values import NOW, a_case

LATER = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=1)


def letter(number: int) -> SentLetter:
    return SentLetter(
        kind="quote", key=f"q{number}", message_id=f"<q{number}@x>", to=CLIENT, subject="Devis",
        text=LETTER, sent_at=NOW if number == 2 else LONG_AGO, credits=2,
    )  # fmt: skip


def quoted(*numbers: int, **changes: object) -> Case:
    mails = tuple(map(letter, numbers))
    return a_case(
        ticket=TicketRef(id="1"), mails=mails, quotes=len(numbers), validation_status="pending_credits",
        credits_estimes=2, **changes,
    )  # fmt: skip


def mail(text: str = "Je valide", **changes: object) -> Message:
    message = Message(id="m", sender=CLIENT, subject="Re: devis", text=text, sent_at=LATER)
    return message.model_copy(update=changes)


STOPPED: list[tuple[Guard, Case, Message]] = [
    ("machine", quoted(2), mail(headers={"auto-submitted": "auto-replied"})),
    ("sender", quoted(2), mail(sender="wife@example.com")),
    ("forged", quoted(2), mail(headers={"authentication-results": "mx; dmarc=fail"})),
    ("no_quote", a_case(validation_status="pending_admin"), mail()),
    ("no_quote", a_case(validation_status="pending_info"), mail()),
    ("older_quote", quoted(1, 2), mail(headers={"in-reply-to": "<q1@x>"})),
    ("older_quote", quoted(1, 2), mail(sent_at=NOW - timedelta(hours=1))),
    ("reference", quoted(2), mail(subject="Re: devis [#QQQQQQQQQQ]")),
    ("disagreement", quoted(2), mail(html="<p>Je refuse</p>")),
    ("hidden", quoted(2), mail(html="<p>Je valide</p><p style='display:none'>non</p>")),
    ("objection", quoted(2), mail("Je valide\n\n-- \nJean Dupont\nmais à moitié prix ?")),
    ("files", quoted(2), mail(attachments=(Attachment(name="contrat.pdf"),))),
    ("bare", quoted(2), mail("ok")),
]


@pytest.mark.parametrize(("guard", "case", "message"), STOPPED)
def test_each_guard_is_named(guard: Guard, case: Case, message: Message) -> None:
    reply = read_reply(message, case, PHRASES, bare=False)
    after = answered(case, message, reply, LATER)
    assert after.replies[-1].guard == guard
    assert after.decision is None


def judge() -> Iterator[Guard | None]:
    read = read_reply(mail(), quoted(2), PHRASES)
    assert read.intent == "accept"
    yield weighed(read, ReplyOpinion("accept", "Je valide", "high")).guard
    yield weighed(read, ReplyOpinion("question", "Je valide", "high")).guard


def test_an_opinion_takes_an_acceptance_back() -> None:
    assert list(judge()) == [None, "judge"]


def test_every_guard_is_tried() -> None:
    assert {guard for guard, *_ in STOPPED} | {"judge"} == set(get_args(Guard))


def test_an_acceptance_after_the_decision_has_no_open_quote() -> None:
    case = quoted(2, decision=Decision(verdict="reject", by="client", at=NOW))
    after = answered(case, mail(), read_reply(mail(), case, PHRASES), LATER)
    assert after.replies[-1].guard == "no_quote"


@pytest.mark.parametrize("text", ["Je valide", "Non merci", "C'est pour quand ?", ""])
def test_nothing_is_stopped_where_nothing_accepts_or_all_is_well(text: str) -> None:
    case = quoted(2)
    after = answered(case, mail(text), read_reply(mail(text), case, PHRASES), LATER)
    assert after.replies[-1].guard is None
    assert (after.decision is not None) is (text in ("Je valide", "Non merci"))


def test_a_reply_of_an_older_document_has_no_guard() -> None:
    assert Reply.model_validate({"message_id": "m", "intent": "accept"}).guard is None
