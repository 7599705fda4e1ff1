"""Letters that a person must still send, and those on conversations: what they change in a case."""

from datetime import timedelta

from figsupport.core.model import Case, Message, PostKind, Reply, SentLetter, TicketRef, Way
from figsupport.core.plan import Waiting, waiting, wanted_properties
from figsupport.core.progress import answered, letter_sent, marked_sent, quoted, stops
from figsupport.core.references import references

from .contracts import EMAIL
from .values import NOW, a_case


def quoted_case(way: Way) -> Case:
    """A case whose quote left so."""
    case = quoted(a_case(ticket=TicketRef(id="1001"), credits_estimes=2))
    letter = SentLetter(
        kind="quote", key=f"{case.id}:mail:quote:1", message_id="<quote.1.ABCDEFGHIJ@x>", to=EMAIL,
        subject="Devis", text="2 crédits", sent_at=NOW, credits=2, way=way,
    )  # fmt: skip
    return letter_sent(case, letter, NOW)


def a_yes(subject: str = "Re: devis") -> Message:
    later = NOW + timedelta(hours=1)
    return Message(
        id="m1", ticket_id="1001", thread="77", sender=EMAIL, subject=subject, text="Je valide",
        sent_at=later,
    )  # fmt: skip


def test_a_draft_is_no_open_quote_and_waits_for_a_person() -> None:
    case = quoted_case("draft")
    assert case.outbox == ()
    assert case.open_quote is None
    assert waiting(case) is Waiting.DRAFT
    assert "NOT SENT" in case.history[-1].event
    assert stops(case, a_yes()) == "no_quote"


def test_a_draft_marked_as_sent_is_recorded_and_open() -> None:
    later = NOW + timedelta(days=1)
    case = marked_sent(quoted_case("draft"), later)
    assert [post.kind for post in case.outbox] == [PostKind.RECORD]
    assert case.open_quote is not None
    assert case.open_quote.sent_at == later
    assert waiting(case) is Waiting.CLIENT_ANSWER
    assert stops(case, a_yes()) is None


def test_a_mail_is_recorded_and_an_answer_on_a_conversation_is_there_already() -> None:
    assert [post.kind for post in quoted_case("mail").outbox] == [PostKind.RECORD]
    assert quoted_case("thread").outbox == ()
    assert quoted_case("thread").open_quote is not None


def test_the_ticket_remembers_the_conversation_of_its_client() -> None:
    case = answered(
        quoted_case("thread"), a_yes(), Reply(message_id="m1", intent="question", sender=EMAIL), NOW
    )
    assert case.thread == "77"
    assert wanted_properties(case)["figsupport_thread_id"] == "77"
    stranger = a_yes().model_copy(update={"sender": "other@example.com"})
    reply = Reply(message_id="m1", intent="question", sender="other@example.com")
    assert answered(quoted_case("thread"), stranger, reply, NOW).thread is None


def test_a_yes_that_names_another_request_accepts_nothing() -> None:
    """Tickets are merged: the mail is about the request that its subject names."""
    case = quoted_case("mail")
    other = a_yes("Re: devis [#QQQQQQQQQQ]")
    assert references(other) == ["QQQQQQQQQQ"]
    assert stops(case, other) == "reference"
    assert stops(case, a_yes(f"Re: devis [#{case.reference}]")) is None
