"""The live support desk keeps the contract of its port, on a stand-in of HubSpot."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from figsupport import steps
from figsupport.adapters.hubspot import HubSpotDesk, Portal
from figsupport.core.model import TicketRef, reference
from figsupport.errors import Credentials, TryLater, Unavailable
from figsupport.ports import Desk

from .contracts import EMAIL, DeskContract, a_draft, a_letter, sent
from .standins.hubspot import KEY, HubSpot
from .values import NOW

OPEN: list[HubSpotDesk] = []


@pytest.fixture
def hubspot(socket_enabled: None) -> Iterator[HubSpot]:
    server = HubSpot()
    yield server
    for desk in OPEN:
        desk.close()
    OPEN.clear()
    server.close()


def desk_on(hubspot: HubSpot, key: str = KEY) -> HubSpotDesk:
    portal = Portal("145", "77", "1")
    desk = HubSpotDesk(
        key, lambda: NOW, portal, base_url=hubspot.url, sleep=lambda _: None, timeout=0.5
    )
    OPEN.append(desk)
    return desk


class TestHubSpotDesk(DeskContract):
    @pytest.fixture
    def desk(self, hubspot: HubSpot) -> Desk:
        self.hubspot = hubspot
        return desk_on(hubspot)

    def test_it_is_healthy(self, desk: Desk) -> None:
        assert "figsupport setup" in desk.check().detail
        assert isinstance(desk, HubSpotDesk)
        desk.setup(dry_run=False)
        assert desk.check().ok

    def client_writes(self, desk: Desk, ticket: TicketRef, text: str) -> None:
        self.hubspot.client_writes(EMAIL, text, f"Re: devis [#{reference('case-1')}]")


@pytest.fixture
def desk(hubspot: HubSpot) -> HubSpotDesk:
    return desk_on(hubspot)


def opened(desk: HubSpotDesk, key: str = "case-1") -> TicketRef:
    contact = desk.find_contact(EMAIL) or desk.create_contact(EMAIL, "Jean Dupont")
    return desk.create_ticket(a_draft(contact, key))


def test_a_known_contact_costs_three_calls(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    desk.create_contact(EMAIL, "Jean")
    hubspot.calls.clear()
    contact = steps.find_or_create_contact(EMAIL, "Jean", desk)
    ticket, new = steps.create_ticket(a_draft(contact.id), desk)
    steps.record_letter(ticket.id, "record:quote:1", sent(a_letter()), desk)
    assert new
    assert len(hubspot.calls) == 3


@pytest.mark.parametrize("fault", ["lost after", "garbage", "reset"])
def test_a_ticket_whose_answer_was_lost_is_found(
    desk: HubSpotDesk, hubspot: HubSpot, fault: str
) -> None:
    contact = desk.create_contact(EMAIL, "Jean")
    hubspot.fail("POST /crm/objects/2026-09/tickets", fault)
    ticket = desk.create_ticket(a_draft(contact))
    assert list(hubspot.objects["tickets"]) == [ticket.id]


@pytest.mark.parametrize("fault", ["lost before", 500, 503])
def test_a_ticket_that_was_not_made_is_made_by_the_next_run(
    desk: HubSpotDesk, hubspot: HubSpot, fault: str | int
) -> None:
    contact = desk.create_contact(EMAIL, "Jean")
    hubspot.fail("POST /crm/objects/2026-09/tickets", fault)
    with pytest.raises(Unavailable):
        desk.create_ticket(a_draft(contact))
    steps.create_ticket(a_draft(contact), desk, in_doubt=True)
    assert len(hubspot.objects["tickets"]) == 1


@pytest.mark.parametrize("what", ["note", "letter"])
def test_a_note_whose_answer_was_lost_is_known(
    desk: HubSpotDesk, hubspot: HubSpot, what: str
) -> None:
    ticket = opened(desk)
    kind = {"note": "notes", "letter": "emails"}[what]
    hubspot.fail(f"POST /crm/objects/2026-09/{kind}", "lost after")
    letter = sent(a_letter())
    with pytest.raises(Unavailable):
        if what == "note":
            steps.add_note(ticket.id, "note:1", "x", desk)
        else:
            steps.record_letter(ticket.id, "record:1", letter, desk)
    if what == "note":
        steps.add_note(ticket.id, "note:1", "x", desk, in_doubt=True)
    else:
        steps.record_letter(ticket.id, "record:1", letter, desk, in_doubt=True)
    assert len(hubspot.objects[kind]) == 1


def test_a_client_s_words_are_escaped(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    desk.add_note(ticket.id, "note:1", "<img src=x onerror=alert(1)>")
    (note,) = hubspot.objects["notes"].values()
    assert "<img" not in note["properties"]["hs_note_body"]


def test_a_poll_costs_one_call_and_one_a_reply(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    tickets = [opened(desk, f"case-{number}") for number in range(8)]
    watermark = desk.new_messages(None).watermark
    hubspot.calls.clear()
    desk.new_messages(watermark)
    assert len(hubspot.calls) == 1
    for ticket in tickets[:3]:
        hubspot.client_writes(EMAIL, "Je valide", "Re: devis", ticket.id)
    hubspot.calls.clear()
    news = desk.new_messages(watermark)
    assert [message.ticket_id for message in news.messages] == [t.id for t in tickets[:3]]
    assert len(hubspot.calls) == 4


def test_a_new_thread_is_matched_and_remembered(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    opened(desk, "case-2")
    subject = f"Re: Votre devis [#{reference('case-1')}]"
    thread = hubspot.client_writes(EMAIL, "Je valide", subject)
    (message,) = desk.new_messages(None).messages
    assert message.ticket_id == ticket.id
    assert desk.get_ticket(ticket.id).properties["figsupport_thread_id"] == thread
    assert [mail.text for mail in desk.get_messages_for_ticket(ticket.id)] == ["Je valide"]


@pytest.mark.parametrize("subject", ["Bonjour", f"Re: [#{reference('case-9')}]"])
def test_a_mail_that_names_no_ticket_is_none_of_ours(
    desk: HubSpotDesk, hubspot: HubSpot, subject: str
) -> None:
    opened(desk)
    hubspot.client_writes(EMAIL, "Bonjour", subject)
    hubspot.client_writes("unknown@example.com", "Bonjour", f"[#{reference('case-1')}]")
    assert desk.new_messages(None).messages == ()


def test_only_messages_of_clients_are_news(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "Je valide", "Re", ticket.id)
    hubspot.add_message(thread, "support@figurative.example", "Merci", "Re", direction="OUTGOING")
    hubspot.add_message(thread, EMAIL, "note", "Re", type="COMMENT")
    assert [message.text for message in desk.new_messages(None).messages] == ["Je valide"]


def test_a_late_message_of_the_same_moment_is_not_lost(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    hubspot.client_writes(EMAIL, "un", "Re", ticket.id)
    watermark = desk.new_messages(None).watermark
    hubspot.clock -= timedelta(minutes=1)  # equal timestamps: it was indexed late
    hubspot.client_writes(EMAIL, "deux", "Re", ticket.id)
    texts = [message.text for message in desk.new_messages(watermark).messages]
    assert "deux" in texts


def test_a_wrong_key_names_the_variable(hubspot: HubSpot) -> None:
    desk = desk_on(hubspot, key="pat-wrong-secret")
    with pytest.raises(Credentials, match="c0ffee-1") as caught:
        desk.find_contact(EMAIL)
    assert "HUBSPOT_API_KEY" in caught.value.hint
    assert "wrong-secret" not in str(caught.value) + caught.value.hint
    assert not desk.check().ok


def test_a_limit_that_stays_ends_the_run(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    hubspot.fail("GET", *[429] * 9)
    with pytest.raises(TryLater, match="RATE_LIMITS"):
        desk.find_contact(EMAIL)


def test_setup_makes_what_is_missing_once(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    planned = desk.setup(dry_run=True)
    assert {state for _, state in planned} == {"made"}
    assert list(hubspot.properties) == ["subject"]
    assert desk.setup(dry_run=False) == planned
    assert hubspot.properties["figsupport_key"]["hasUniqueValue"] is True
    assert (
        next(o["value"] for o in hubspot.properties["validation_status"]["options"])
        == "pending_info"
    )
    assert {state for _, state in desk.setup(dry_run=False)} == {"there"}
    del hubspot.properties["credits_estimes"]
    assert ("credits_estimes", "made") in desk.setup(dry_run=False)


def test_what_a_newcomer_sets_wrong_is_named(hubspot: HubSpot) -> None:
    desk_on(hubspot).setup(dry_run=False)
    wrong = desk_on(hubspot)
    wrong._portal = Portal("145", "78", "1")
    assert "HUBSPOT_PIPELINE_ID=78 is none of 77 (Support)" in wrong.check().detail
    wrong._portal = Portal("145", "77", "9")
    assert "HUBSPOT_STAGE_NEW=9 is no stage of it: 1 (Nouveau)" in wrong.check().detail
    hubspot.properties["credits_estimes"]["type"] = "string"
    hubspot.properties["figsupport_key"]["hasUniqueValue"] = False
    detail = desk_on(hubspot).check().detail
    assert "credits_estimes has the type string, not number" in detail
    assert "figsupport_key must have unique values" in detail
