"""Letters in HubSpot: on the thread, else by the mail server, else a draft that is told."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from figsupport import steps
from figsupport.adapters.hubspot import HubSpotDesk, HubSpotMail
from figsupport.adapters.maildir import LocalMail
from figsupport.core.model import STAFF, Letter, LetterKind, TicketRef
from figsupport.core.references import letter_name
from figsupport.errors import Unavailable
from figsupport.ports import Mail

from .contracts import EMAIL, MailContract, a_letter
from .standins.hubspot import HubSpot
from .test_hubspot import OPEN, desk_on, opened
from .values import NOW


@pytest.fixture
def hubspot(socket_enabled: None) -> Iterator[HubSpot]:
    server = HubSpot()
    yield server
    for desk in OPEN:
        desk.close()
    OPEN.clear()
    server.close()


@pytest.fixture
def desk(hubspot: HubSpot) -> HubSpotDesk:
    return desk_on(hubspot)


@pytest.fixture
def relay(tmp_path: Any) -> LocalMail:
    return LocalMail(tmp_path / "outbox", "support@figurative.example", lambda: NOW, "normal")


class TestHubSpotMailWithARelay(MailContract):
    """Without a conversation letters leave by the mail server, as its contract says."""

    @pytest.fixture
    def mail(self, desk: HubSpotDesk, relay: LocalMail) -> Mail:
        self.relay = relay
        return HubSpotMail(desk, "42", relay)

    def delivered(self, mail: Mail) -> list[str]:
        return left(self.relay)


def left(relay: LocalMail) -> list[str]:
    return [
        line.partition(": ")[2]
        for path in sorted(relay._maildir.folder.glob("new/*"))
        for line in path.read_text("utf-8", "replace").splitlines()
        if line.startswith("Message-ID: ")
    ]


def on_thread(hubspot: HubSpot, ticket: TicketRef, number: int = 1) -> Letter:
    thread = hubspot.client_writes(EMAIL, "Une question", "Re: devis", ticket.id)
    return a_letter(number, ticket_id=ticket.id, thread=thread)


def test_a_letter_answers_on_the_conversation(
    desk: HubSpotDesk, hubspot: HubSpot, relay: LocalMail
) -> None:
    letter = on_thread(hubspot, opened(desk))
    mail = HubSpotMail(desk, "42", relay)
    hubspot.calls.clear()
    assert mail.send(letter) == "thread"
    assert len(hubspot.calls) == 3  # the channel, the answer, whether it was delivered
    (_, answer) = hubspot.threads[letter.thread or ""]["messages"]
    assert answer["senderActorId"] == "A-42"
    assert (answer["channelId"], answer["channelAccountId"]) == ("1002", "4711")
    assert answer["recipients"][0]["deliveryIdentifiers"][0]["value"] == EMAIL
    assert answer["text"].startswith("Bonjour,\n\n2 crédits.")
    assert left(relay) == []


@pytest.mark.parametrize("fault", ["lost after", "garbage", "500 after"])
def test_an_answer_in_doubt_is_looked_for_on_the_conversation(
    desk: HubSpotDesk, hubspot: HubSpot, relay: LocalMail, fault: str
) -> None:
    letter = on_thread(hubspot, opened(desk))
    mail = HubSpotMail(desk, "42", relay)
    hubspot.fail("POST /conversations", fault)
    with pytest.raises(Unavailable):
        steps.send_email_to_contact(letter, mail)
    assert steps.send_email_to_contact(letter, mail, in_doubt=True) == "thread"
    assert len(hubspot.threads[letter.thread or ""]["messages"]) == 2


def test_our_letters_on_a_conversation_are_known_again(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    """With the local state lost, the desk still says which quote is open."""
    ticket = opened(desk)
    letter = on_thread(hubspot, ticket)
    HubSpotMail(desk, "42", None).send(letter)
    desk.update_ticket(ticket.id, {"figsupport_thread_id": letter.thread or ""})
    (_, ours) = desk.get_messages_for_ticket(ticket.id)
    assert ours.direction == "out"
    assert ours.id.startswith("<quote.1.ABCDEFGHIJ@")
    assert ours.text == letter.text


def test_every_kind_of_letter_is_known_again_on_a_conversation(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    mail, letter = HubSpotMail(desk, "42", None), on_thread(hubspot, opened(desk))
    for kind in set(get_args(LetterKind)) - STAFF:
        name = f"<{kind}.1.2.ABCDEFGHIJ@figurative.example>"
        one = letter.model_copy(update={"kind": kind, "message_id": name})
        assert mail.was_sent(one) is None
        mail.send(one)
        assert mail.was_sent(one) == "thread"
        assert letter_name(name) == (kind, f"{kind}:1:2")


def test_what_hubspot_cannot_deliver_leaves_by_the_mail_server(
    desk: HubSpotDesk, hubspot: HubSpot, relay: LocalMail
) -> None:
    letter = on_thread(hubspot, opened(desk))
    hubspot.undeliverable = "The channel is disconnected"
    mail = HubSpotMail(desk, "42", relay)
    assert mail.send(letter) == "mail"
    assert left(relay) == [letter.message_id]
    hubspot.undeliverable = ""
    assert mail.was_sent(letter) == "mail"  # and not on the thread, where it failed


def test_a_conversation_without_a_channel_is_none(
    desk: HubSpotDesk, hubspot: HubSpot, relay: LocalMail
) -> None:
    letter = on_thread(hubspot, opened(desk))
    hubspot.threads[letter.thread or ""]["messages"].clear()
    assert HubSpotMail(desk, "42", relay).send(letter) == "mail"


def test_without_a_user_nobody_answers_on_conversations(
    desk: HubSpotDesk, hubspot: HubSpot, relay: LocalMail
) -> None:
    letter = on_thread(hubspot, opened(desk))
    assert HubSpotMail(desk, "", relay).send(letter) == "mail"


def test_without_any_way_the_letter_is_a_draft_on_the_ticket(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    ticket = opened(desk)
    mail, letter = HubSpotMail(desk, "42", None), a_letter(ticket_id=ticket.id)
    assert mail.was_sent(letter) is None
    assert mail.send(letter) == "draft"
    (note,) = hubspot.objects["notes"].values()
    body = note["properties"]["hs_note_body"]
    assert "LETTRE À ENVOYER" in body
    assert EMAIL in body
    assert "2 crédits." in body
    assert f"figsupport tickets {ticket.id} --sent" in body
    assert mail.was_sent(letter) == "draft"
    about_no_ticket = a_letter(kind="digest")
    assert mail.send(about_no_ticket) == "draft"
    assert mail.was_sent(about_no_ticket) is None
    assert len(hubspot.objects["notes"]) == 1
    health = mail.check()
    assert not health.ok
    assert "SMTP_HOST" in health.detail
