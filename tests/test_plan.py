"""The whole state space of a case: every state has a next step or a reason to wait; no loop."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from figsupport.core import dates, decisions, progress
from figsupport.core.model import (
    TIMED,
    Analysis,
    Attachment,
    Case,
    Classification,
    ContactRef,
    Decision,
    Doing,
    FileFact,
    FileRef,
    Intent,
    Message,
    Post,
    PostKind,
    Proof,
    Reply,
    SentLetter,
    Status,
    Step,
    SubtaskRef,
    TicketRef,
)
from figsupport.core.plan import (
    THINKING,
    Due,
    Waiting,
    changed_properties,
    due,
    settled_at,
    waiting,
    wake_at,
)
from figsupport.errors import NotAllowed

from .values import DELAYS, NOW, a_case, a_request

SUPPORT = Classification(type="SUPPORT", by="rules", confidence="high")
UNSURE = Classification(type="SUPPORT", by="rules", confidence="low")
MODELISATION = Classification(type="MODELISATION", by="rules", confidence="high")
ANALYSES = (
    Analysis(outcome="COMPLET", credits=2, complexity="standard"),
    Analysis(outcome="COMPLEXE", complexity="complex"),
    Analysis(outcome="INCOMPLET", missing=("une photo",)),
)
ACCEPT = Decision(verdict="accept", by="administrator", at=NOW, credits=2)
REJECT = Decision(verdict="reject", by="client", at=NOW)
STATUSES: tuple[Status | None, ...] = (
    None,
    "pending_info",
    "pending_credits",
    "pending_admin",
    "validated",
    "rejected",
)
INTENTS: tuple[Intent, ...] = (
    "accept",
    "refuse",
    "more_info",
    "question",
    "auto_reply",
    "unclear",
)


def a_reply_mail(number: int = 1, **changes: object) -> Message:
    mail = Message(
        id=f"m{number}",
        ticket_id="1001",
        sender="client@example.com",
        text="…",
        sent_at=NOW + timedelta(days=number),
    )
    return mail.model_copy(update=changes)


def carry_out(
    case: Case, step: Due, intent: Intent, analysis: Analysis, now: datetime = NOW
) -> Case:
    """Do a step as the workflow does, with every port answering at once."""
    case = case.with_(doing=None)
    match step.step:
        case Step.CLASSIFY:
            return progress.classified(case, MODELISATION, NOW)
        case Step.UPLOAD:
            new = case.request.fichiers[len(case.files) :]
            return progress.uploaded(case, tuple(FileFact(name=f.name) for f in new), NOW)
        case Step.CONTACT:
            return progress.contact_found(case, ContactRef(id="1"), NOW)
        case Step.TICKET:
            return progress.ticket_opened(case, TicketRef(id="1001"), {}, NOW)
        case Step.ANALYZE:
            return progress.analyzed(case, analysis, NOW)
        case Step.UPDATE:
            return progress.updated(case, changed_properties(case), NOW)
        case Step.PROOF:
            return progress.proof_stored(case, Proof(name="a.json", sha256="0" * 64), NOW)
        case Step.SUBTASK:
            return progress.subtask_created(case, SubtaskRef(id="9"), NOW)
        case Step.POST:
            return say_(case, step.post or case.outbox[0], now)
        case Step.READ:
            assert step.message is not None
            reply = Reply(message_id=step.message.id, intent=intent, words="…")
            return progress.answered(case, step.message, reply, now)
        case Step.WAKE:
            return progress.woken(case, (), now, DELAYS)


def say_(case: Case, post: Post, now: datetime) -> Case:
    if dates.is_moot(case, post):
        return progress.withdrawn(case, now)
    if post.kind is PostKind.LETTER:
        return progress.letter_sent(case, a_sent_letter(case, post, now), now)
    return progress.noted(case, now)


def a_sent_letter(case: Case, post: Post, now: datetime) -> SentLetter:
    return SentLetter(
        kind=post.letter or "administrator",
        key=f"{case.id}:{post.key}",
        message_id=f"<{post.key}>",
        to="client@example.com",
        subject="",
        text="",
        sent_at=now,
        credits=case.credits_estimes,
    )


def states() -> list[Case]:
    """Every combination of what the plan looks at, the impossible ones too."""
    found = []
    letter = Post(kind=PostKind.LETTER, key="mail:quote:1", letter="quote")
    note = Post(kind=PostKind.NOTE, key="note:1", about="m0")
    for (
        classification,
        files,
        contact,
        ticket,
        analysis,
        status,
        decision,
        subtask,
        outbox,
    ) in product(
        (None, SUPPORT, UNSURE, MODELISATION),
        (0, 1),
        (None, ContactRef(id="1")),
        (None, TicketRef(id="1001")),
        (None, *ANALYSES),
        STATUSES,
        (None, ACCEPT, REJECT),
        (None, SubtaskRef(id="9")),
        ((), (letter,), (note, letter)),
    ):
        case = a_case(
            request=a_request(fichiers=(FileRef(name="a.jpg"),)),
            classification=classification,
            files=(FileFact(name="a.jpg"),) * files,
            contact=contact,
            ticket=ticket,
            analysis=analysis,
            validation_status=status,
            decision=decision,
            subtask=subtask,
            outbox=outbox,
            quotes=1 if outbox else 0,
        )
        found.append(case)
        if ticket is None or outbox:
            step = due(case, (), NOW)
            assert step is not None
            if step.step not in THINKING:
                found.append(case.with_(doing=Doing(step=step.step, key=step.key, since=NOW)))
    return found


def test_no_state_is_stuck_and_none_loops(say: Callable[[str], None]) -> None:
    """From every state, with every answer, the work ends in a state that says why it waits."""
    walked = 0
    for case in states():
        for intent in INTENTS:
            inbox = (a_reply_mail(),)
            analysis = case.analysis or ANALYSES[0]
            for _ in range(30):
                step = due(case, inbox, NOW)
                if step is None:
                    break
                case = carry_out(case, step, intent, analysis)  # noqa: PLW2901
            assert due(case, inbox, NOW) is None, "a loop"
            assert isinstance(waiting(case), Waiting)
            assert case.doing is None
            assert case.outbox == ()
            walked += 1
    say(f"{walked} walks through the plan, all of them ended")
    assert walked > 10_000


def dated_states() -> list[Case]:
    """Every combination of what dates look at, the impossible ones too."""
    quote, info = (
        SentLetter(
            kind=kind, key=f"case-1:mail:{kind}:1", message_id=f"<{kind}>", credits=2,
            to="client@example.com", subject="", text="", sent_at=NOW,
        )
        for kind in ("quote", "info")
    )  # fmt: skip
    draft = quote.model_copy(update={"way": "draft"})
    letters_ = [
        Post(kind=PostKind.LETTER, key=key, letter=kind, begun=begun)
        for key, kind in (
            ("mail:reminder:1:1", "reminder"),
            ("mail:reminder:0:1", "reminder"),
            ("mail:info_reminder:1:1", "info_reminder"),
            ("mail:expiry:1", "expiry"),
        )
        for begun in (False, True)
    ]
    late = Decision(verdict="reject", by="delay", at=NOW)
    found = []
    for status, mails, asked, spoken, decision, outbox, held in product(
        STATUSES,
        ((), (quote,), (info,), (info, quote), (draft,)),
        (None, NOW),
        (None, NOW + timedelta(days=2)),
        (None, late, REJECT),
        ((), *((letter,) for letter in letters_)),
        (None, NOW + timedelta(days=4)),
    ):
        case = a_case(
            classification=MODELISATION,
            contact=ContactRef(id="1"),
            ticket=TicketRef(id="1001"),
            analysis=ANALYSES[0],
            validation_status=status,
            mails=mails,
            quotes=sum(1 for mail in mails if mail.kind == "quote"),
            rounds=sum(1 for mail in mails if mail.kind == "info"),
            asked=asked,
            spoken=spoken,
            decision=decision,
            outbox=outbox,
            held_until=held,
        )
        found.append(case)
        for post in outbox:
            key = f"case-1:{post.key}"
            found.append(case.with_(doing=Doing(step=Step.POST, key=key, since=NOW)))
    return found


#: at night, while they work, on a Saturday, a quarter later
STARTS = tuple(NOW + timedelta(hours=hours) for hours in (0, 8, 128, 2168))


def test_time_ends_every_case_or_a_person_does(say: Callable[[str], None]) -> None:
    """Left alone, every case comes to rest; what time says is said in working hours."""
    walked = 0
    for case in dated_states():
        for start in STARTS:
            now, current = start, case
            inbox = (a_reply_mail(),) if start is STARTS[-1] else ()
            for _ in range(60):
                step = due(current, inbox, now, DELAYS)
                if step is not None:
                    said = step.post is not None and step.post.letter in TIMED
                    if said and not dates.is_moot(current, step.post or current.outbox[0]):
                        assert DELAYS.opening(now) == now
                    if current.doing is not None and current.doing.key != step.key:
                        current = progress.put_back(current)
                    current = carry_out(current, step, "auto_reply", ANALYSES[0], now)
                elif (then := wake_at(current, now, DELAYS)) is not None:
                    assert then > now
                    now = then
                else:
                    break
            else:
                raise AssertionError("a loop")
            assert dates.unanswered(current) is None, "forgotten"
            assert (current.doing, current.outbox) == (None, ())
            walked += 1
    say(f"{walked} walks through time, all of them came to rest")
    assert walked > 10_000


def test_a_step_begun_comes_first() -> None:
    case = a_case(doing=Doing(step=Step.CONTACT, key="case-1:contact", since=NOW))
    assert due(case, (), NOW) == Due(Step.CONTACT, "case-1:contact")
    assert settled_at(case, 90) == NOW + timedelta(seconds=90)
    assert settled_at(a_case(), 90) is None


ORDER: list[tuple[dict[str, Any], Step]] = [
    ({}, Step.CLASSIFY),
    ({"classification": MODELISATION}, Step.UPLOAD),
    ({"files": (FileFact(name="a.jpg"),)}, Step.CONTACT),
    ({"contact": ContactRef(id="1")}, Step.TICKET),
    ({"ticket": TicketRef(id="1001")}, Step.ANALYZE),
    ({"validation_status": "pending_credits", "credits_estimes": 2}, Step.UPDATE),
]


def test_the_order_of_the_flow() -> None:
    case = a_case(request=a_request(fichiers=(FileRef(name="a.jpg"),)))
    for changes, expected in ORDER:
        case = case.with_(**changes)
        step = due(case, (), NOW)
        assert step is not None
        assert (step.step, step.key) == (expected, f"case-1:{expected}")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, Waiting.FINISHED),
        ("pending_info", Waiting.CLIENT_INFO),
        ("pending_credits", Waiting.CLIENT_ANSWER),
        ("pending_admin", Waiting.ADMINISTRATOR),
        ("validated", Waiting.FINISHED),
        ("rejected", Waiting.FINISHED),
    ],
)
def test_every_status_has_a_reason_to_wait(status: Status | None, expected: Waiting) -> None:
    assert waiting(a_case(validation_status=status)) is expected


def run(case: Case, *mails: tuple[Intent, Message], analysis: Analysis = ANALYSES[0]) -> Case:
    """Advance a case through the pure core until it waits, reading mails in order."""
    intents = {mail.id: intent for intent, mail in mails}
    inbox = tuple(mail for _, mail in mails)
    while (step := due(case, inbox, NOW)) is not None:
        intent = intents[step.message.id] if step.message else "unclear"
        case = carry_out(case, step, intent, analysis)
    return case


def letters(case: Case) -> list[str]:
    return [mail.key.partition(":mail:")[2] for mail in case.mails]


def test_support_sends_no_letter() -> None:
    case = run(a_case(classification=SUPPORT))
    assert (case.validation_status, case.mails) == (None, ())
    assert waiting(case) is Waiting.FINISHED


def test_an_unsure_type_is_told_to_the_administrator() -> None:
    case = progress.classified(a_case(), UNSURE, NOW)
    assert letters(run(case)) == ["administrator:type"]


def test_a_quote_accepted() -> None:
    case = run(a_case(), ("accept", a_reply_mail()))
    assert case.validation_status == "validated"
    assert case.subtask == SubtaskRef(id="9")
    assert letters(case) == ["quote:1", "confirmation"]
    assert case.decision is not None
    assert (case.decision.by, case.decision.credits, case.decision.message_id) == (
        "client",
        2,
        "m1",
    )
    assert case.properties["validation_status"] == "validated"


def test_a_quote_refused() -> None:
    case = run(a_case(), ("refuse", a_reply_mail()))
    assert (case.validation_status, case.subtask) == ("rejected", None)
    assert letters(case) == ["quote:1", "refusal"]


@pytest.mark.parametrize("intent", ["question", "unclear", "more_info"])
def test_anything_else_on_a_quote_reaches_a_person(intent: Intent) -> None:
    case = run(a_case(), (intent, a_reply_mail()))
    assert (case.validation_status, case.subtask) == ("pending_credits", None)
    assert [key.partition(":")[0] for key in letters(case)] == ["quote", "administrator"]


def test_an_absence_changes_nothing() -> None:
    case = run(a_case(), ("auto_reply", a_reply_mail()))
    assert (case.validation_status, letters(case)) == ("pending_credits", ["quote:1"])


def test_what_was_missing_is_judged_again() -> None:
    case = run(a_case(), analysis=ANALYSES[2])
    assert (case.validation_status, letters(case)) == ("pending_info", ["info:1"])
    photo = Attachment(name="face.jpg", url="https://x.example/face.jpg")
    mail = a_reply_mail(attachments=(photo,))
    case = run(case, ("more_info", mail))
    assert (case.validation_status, letters(case)) == ("pending_credits", ["info:1", "quote:1"])
    assert [file.name for file in case.request.fichiers] == ["face.jpg"]
    assert case.fingerprint == a_case().fingerprint


def test_after_three_rounds_a_person_takes_over() -> None:
    mails = tuple(("more_info", a_reply_mail(number)) for number in (1, 2, 3))
    case = run(a_case(), *mails, analysis=ANALYSES[2])  # type: ignore[arg-type]
    assert case.validation_status == "pending_admin"
    assert letters(case) == ["info:1", "info:2", "info:3", "administrator:rounds"]


@pytest.mark.parametrize("intent", [intent for intent in INTENTS if intent != "auto_reply"])
@pytest.mark.parametrize("classification", [SUPPORT, MODELISATION])
def test_a_reply_nobody_waits_for_is_noted(intent: Intent, classification: Classification) -> None:
    case = run(a_case(classification=classification), analysis=ANALYSES[1])
    before = case.validation_status
    case = run(case, (intent, a_reply_mail()))
    assert case.validation_status == before
    assert case.decision is None
    assert letters(case)[-1].startswith("administrator:")


def test_only_the_contact_accepts() -> None:
    stranger = a_reply_mail(sender="compta@example.com")
    case = run(a_case(), ("accept", stranger))
    assert (case.validation_status, case.decision) == ("pending_credits", None)


def test_an_acceptance_of_an_older_quote_is_not_one_of_the_newer() -> None:
    case = run(decisions.quote(run(a_case()), 5, NOW, 20))
    assert letters(case) == ["quote:1", "quote:2"]
    first, second = (mail.message_id for mail in case.mails)
    old = a_reply_mail(headers={"in-reply-to": first})
    early = a_reply_mail(sent_at=NOW - timedelta(hours=1))
    for mail in (old, early):
        assert run(case, ("accept", mail)).decision is None
    new = a_reply_mail(headers={"in-reply-to": second, "references": f"{first} {second}"})
    decided = run(case, ("accept", new)).decision
    assert decided is not None
    assert decided.credits == 5


def test_a_second_acceptance_creates_no_second_subtask() -> None:
    case = run(a_case(), ("accept", a_reply_mail(1)), ("accept", a_reply_mail(2)))
    assert letters(case)[:2] == ["quote:1", "confirmation"]
    assert case.decision is not None
    assert case.decision.message_id == "m1"


REMINDER = SentLetter(
    kind="reminder", key="case-1:mail:reminder:1:1", message_id="<reminder>", credits=None,
    to="client@example.com", subject="", text="", sent_at=NOW + timedelta(hours=1),
)  # fmt: skip


def test_an_answer_to_a_reminder_of_an_older_quote_is_not_one_to_the_newer() -> None:
    case = run(a_case())
    case = run(decisions.quote(case.with_(mails=(*case.mails, REMINDER)), 5, NOW, 20))
    again = REMINDER.model_copy(update={"message_id": "<again>", "key": "case-1:mail:reminder:2:1"})
    old = a_reply_mail(headers={"in-reply-to": "<reminder>"})
    assert run(case, ("accept", old)).decision is None
    case = case.with_(mails=(*case.mails, again))
    assert run(case, ("accept", old)).decision is None
    new = a_reply_mail(headers={"in-reply-to": "<again>", "references": "<reminder> <again>"})
    decided = run(case, ("accept", new)).decision
    assert decided is not None
    assert decided.credits == 5


def test_a_question_waits_for_a_person_until_one_writes_or_says_so() -> None:
    case = run(a_case(), ("question", a_reply_mail(1)), ("unclear", a_reply_mail(2)))
    assert (case.asked, waiting(case)) == (NOW, Waiting.PERSON)
    assert dates.coming(case, NOW, DELAYS) is None
    by_hand = progress.answered_by_hand(case, NOW + timedelta(days=9))
    assert waiting(by_hand) is Waiting.CLIENT_ANSWER
    found = dates.coming(by_hand, NOW, DELAYS)
    assert found is not None
    assert found.at == DELAYS.after(NOW + timedelta(days=9), 3)
    assert run(decisions.quote(case, 5, NOW, 20)).asked is None


def expired(case: Case) -> Case:
    decision = Decision(verdict="reject", by="delay", at=NOW)
    return case.with_(decision=decision, validation_status="rejected")


def test_what_time_ended_an_administrator_may_take_up() -> None:
    case = expired(run(a_case()))
    assert run(decisions.accept(case, 3, "", NOW, 20)).validation_status == "validated"
    assert letters(run(decisions.quote(case, 2, NOW, 20)))[-1] == "quote:2"
    assert decisions.reject(case, "", NOW) is case
    late = run(case, ("accept", a_reply_mail()))
    assert (late.subtask, waiting(late)) == (None, Waiting.PERSON)
    assert letters(late)[-1].startswith("administrator:")


def test_a_quote_dropped_unsent_leaves_its_number_to_the_next() -> None:
    unsent = run_until(a_case(), Step.POST)
    case = run(decisions.quote(unsent, 5, NOW, 20))
    assert (letters(case), case.quotes) == (["quote:1"], 1)
    assert run(case, ("accept", a_reply_mail())).validation_status == "validated"


def test_an_unsent_reminder_is_dropped_by_a_decision_one_in_doubt_is_not() -> None:
    post = dates.reminder(run(a_case()))
    assert post is not None
    begun = post.model_copy(update={"begun": True})
    for outbox, left in (((post,), []), ((begun,), ["reminder"])):
        decided = decisions.accept(run(a_case()).with_(outbox=outbox), 2, "", NOW, 20)
        assert [one.letter for one in decided.outbox] == left
        assert "reminder" not in [mail.kind for mail in run(decided).mails]


# --- decisions of an administrator ---------------------------------------------------------


@pytest.mark.parametrize("credits_", [-1, 0, 21, 10**9])
def test_absurd_prices_are_refused(credits_: int) -> None:
    with pytest.raises(NotAllowed, match="not a price"):
        decisions.accept(run(a_case()), credits_, "", NOW, 20)
    with pytest.raises(NotAllowed, match="not a price"):
        decisions.quote(run(a_case()), credits_, NOW, 20)


def test_an_administrator_accepts_once() -> None:
    case = run(decisions.accept(run(a_case(), analysis=ANALYSES[1]), 3, "Vite", NOW, 20))
    assert (case.validation_status, case.credits_estimes) == ("validated", 3)
    assert letters(case) == ["administrator:complex", "confirmation"]
    assert decisions.accept(case, 3, "", NOW, 20) is case
    with pytest.raises(NotAllowed, match="accepted at 3 credits by an administrator"):
        decisions.accept(case, 4, "", NOW, 20)
    with pytest.raises(NotAllowed, match="accepted at 3"):
        decisions.reject(case, "", NOW)
    with pytest.raises(NotAllowed, match="accepted at 3"):
        decisions.quote(case, 3, NOW, 20)


def test_an_administrator_rejects_once() -> None:
    case = run(decisions.reject(run(a_case()), "Hors catalogue", NOW))
    assert (case.validation_status, letters(case)) == ("rejected", ["quote:1", "rejection"])
    assert decisions.reject(case, "", NOW) is case
    with pytest.raises(NotAllowed, match="rejected by an administrator"):
        decisions.accept(case, 2, "", NOW, 20)


def test_what_the_client_decided_stands() -> None:
    case = run(a_case(), ("accept", a_reply_mail()))
    assert decisions.accept(case, 2, "", NOW, 20) is case
    with pytest.raises(NotAllowed, match="by the client"):
        decisions.accept(case, 1, "", NOW, 20)


@pytest.mark.parametrize("verdict", ["accept", "quote", "reject"])
def test_a_support_ticket_has_nothing_to_validate(verdict: str) -> None:
    case = run(a_case(classification=SUPPORT))
    with pytest.raises(NotAllowed, match="SUPPORT"):
        match verdict:
            case "accept":
                decisions.accept(case, 2, "", NOW, 20)
            case "quote":
                decisions.quote(case, 2, NOW, 20)
            case _:
                decisions.reject(case, "", NOW)


def test_the_same_quote_twice_is_one_letter() -> None:
    case = run(decisions.quote(run(a_case(), analysis=ANALYSES[1]), 4, NOW, 20))
    assert letters(case) == ["administrator:complex", "quote:1"]
    assert decisions.quote(case, 4, NOW, 20) is case
    assert letters(run(decisions.quote(case, 5, NOW, 20)))[-1] == "quote:2"


def test_a_decision_drops_letters_not_yet_begun() -> None:
    waiting_letter = run_until(a_case(), Step.POST)
    case = run(decisions.accept(waiting_letter, 2, "", NOW, 20))
    assert letters(case) == ["confirmation"]
    begun = waiting_letter.with_(doing=Doing(step=Step.POST, key="case-1:mail:quote:1", since=NOW))
    case = run(decisions.accept(begun, 2, "", NOW, 20))
    assert letters(case) == ["quote:1", "confirmation"]


def run_until(case: Case, last: Step) -> Case:
    while (step := due(case, (), NOW)) is not None and step.step is not last:
        case = carry_out(case, step, "unclear", ANALYSES[0])
    return case
