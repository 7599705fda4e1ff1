"""The live support desk keeps the contract of its port, on a stand-in of HubSpot."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from figsupport import steps
from figsupport.adapters.http import Patience
from figsupport.adapters.hubspot import Account, HubSpotDesk, Portal, open_api
from figsupport.core.model import Message, TicketRef, reference
from figsupport.errors import (
    Credentials,
    FigsupportError,
    Misconfigured,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
)
from figsupport.ports import Desk

from .contracts import EMAIL, DeskContract, a_draft, a_letter, sent
from .standins.hubspot import KEY, HubSpot
from .standins.server import Fault
from .values import NOW

OPEN: list[HubSpotDesk] = []
PORTAL = Portal("145", "77", "1")


@pytest.fixture
def hubspot(socket_enabled: None) -> Iterator[HubSpot]:
    server = HubSpot()
    yield server
    for desk in OPEN:
        desk.close()
    OPEN.clear()
    server.close()


def desk_on(
    hubspot: HubSpot, key: str = KEY, portal: Portal = PORTAL, file: Path | None = None
) -> HubSpotDesk:
    account = Account(file)
    http = open_api(key, hubspot.url, account, patience=Patience(0.5, 0.01), sleep=lambda _: None)
    desk = HubSpotDesk(http, lambda: NOW, portal, account)
    OPEN.append(desk)
    return desk


class TestHubSpotDesk(DeskContract):
    @pytest.fixture
    def desk(self, hubspot: HubSpot) -> Desk:
        self.hubspot = hubspot
        return desk_on(hubspot)

    def client_writes(self, desk: Desk, ticket: TicketRef, text: str) -> None:
        self.hubspot.client_writes(EMAIL, text, "Re: devis", ticket.id)
        thread = list(self.hubspot.threads)[-1]
        desk.update_ticket(ticket.id, {"figsupport_thread_id": thread})


@pytest.fixture
def desk(hubspot: HubSpot) -> HubSpotDesk:
    return desk_on(hubspot)


def opened(desk: HubSpotDesk, key: str = "case-1") -> TicketRef:
    contact = desk.find_contact(EMAIL) or desk.create_contact(EMAIL, "Jean Dupont")
    return desk.create_ticket(a_draft(contact, key))


def texts(messages: tuple[Message, ...]) -> list[str]:
    return [message.text.strip() for message in messages]


# --- once, and never lost ------------------------------------------------------------------


def test_a_known_contact_costs_three_calls(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    desk.create_contact(EMAIL, "Jean")
    hubspot.calls.clear()
    contact = steps.find_or_create_contact(EMAIL, "Jean", desk)
    ticket, new = steps.create_ticket(a_draft(contact.id), desk)
    steps.record_letter(ticket.id, "record:quote:1", sent(a_letter()), desk)
    assert new
    assert len(hubspot.calls) == 3


LOST: tuple[Fault, ...] = (
    "lost after", "garbage", "late after", "500 after", "lost before", "late before", 500, 503,
)  # fmt: skip


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("kind", ["contacts", "tickets"])
def test_what_is_unique_is_looked_for_and_made_once(
    desk: HubSpotDesk, hubspot: HubSpot, fault: Fault, kind: str
) -> None:
    hubspot.fail(f"POST /crm/objects/2026-09/{kind}", fault)
    ticket = opened(desk)
    assert list(hubspot.objects["tickets"]) == [ticket.id]
    assert len(hubspot.objects["contacts"]) == 1


def test_what_cannot_be_made_is_made_by_the_next_run(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    contact = desk.create_contact(EMAIL, "Jean")
    hubspot.fail("POST /crm/objects/2026-09/tickets", "lost before", 503)
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


def test_many_notes_are_read_a_hundred_a_call(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    for number in range(101):
        desk.add_note(ticket.id, f"note:{number}", "x")
    hubspot.calls.clear()
    assert desk.has_note(ticket.id, "note:100")
    assert len(hubspot.calls) == 3


def test_an_answer_in_parts_is_no_answer(
    desk: HubSpotDesk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch whose status is good may still name errors."""
    ticket = opened(desk)
    desk.add_note(ticket.id, "note:1", "x")
    error = {"category": "RATE_LIMITS", "message": "slow down"}
    monkeypatch.setattr(hubspot, "_read", lambda *_: (207, {"results": [], "errors": [error]}))
    with pytest.raises(Unavailable, match="slow down"):
        desk.has_note(ticket.id, "note:1")


def test_a_client_s_words_are_escaped(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    desk.add_note(ticket.id, "note:1", "<img src=x onerror=alert(1)>")
    (note,) = hubspot.objects["notes"].values()
    assert "<img" not in note["properties"]["hs_note_body"]


def test_a_finished_request_moves_to_the_done_stage(hubspot: HubSpot) -> None:
    desk = desk_on(hubspot, portal=PORTAL._replace(done="2"))
    ticket = opened(desk)
    stage = hubspot.objects["tickets"][ticket.id]["properties"]
    desk.update_ticket(ticket.id, {"validation_status": "pending_credits"})
    assert stage["hs_pipeline_stage"] == "1"
    desk.update_ticket(ticket.id, {"validation_status": "validated"})
    assert stage["hs_pipeline_stage"] == "2"


def test_a_merged_ticket_answers_under_its_new_id(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    one, two = opened(desk), opened(desk, "case-2")
    hubspot.merge(one.id, into=two.id)
    assert desk.get_ticket(one.id).ref.id == two.id
    desk.update_ticket(one.id, {"credits_estimes": "3"})
    assert desk.get_ticket(two.id).properties["credits_estimes"] == "3"


def test_a_deleted_ticket_can_be_restored(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    hubspot.objects["tickets"].clear()
    with pytest.raises(NotFound) as caught:
        desk.update_ticket(ticket.id, {"credits_estimes": "2"})
    assert "restore" in caught.value.hint


# --- replies ---------------------------------------------------------------------------------


def test_a_poll_costs_one_call_and_one_a_reply(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    tickets = {reference(key): opened(desk, key).id for key in map("case-{}".format, range(8))}
    watermark = desk.new_messages(None).watermark
    hubspot.calls.clear()
    desk.new_messages(watermark)
    assert len(hubspot.calls) == 1
    named = list(tickets)[:3]
    for name in named:
        hubspot.client_writes(EMAIL, "Je valide", f"Re: devis [#{name}]")
    hubspot.calls.clear()
    news = desk.new_messages(watermark, tickets.get)
    assert [message.ticket_id for message in news.messages] == [tickets[name] for name in named]
    assert len(hubspot.calls) == 4
    hubspot.calls.clear()
    assert desk.new_messages(news.watermark, tickets.get).messages == ()
    assert len(hubspot.calls) == 1


def test_a_thread_that_we_moved_ourselves_is_not_read(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "Je valide", "Re", ticket.id)
    watermark = desk.new_messages(None).watermark
    hubspot.clock += timedelta(minutes=1)
    hubspot.add_message(thread, "support@figurative.example", "Merci", "Re", direction="OUTGOING")
    hubspot.calls.clear()
    watermark = desk.new_messages(watermark).watermark
    desk.new_messages(watermark)
    assert len(hubspot.calls) == 2
    hubspot.clock += timedelta(minutes=1)
    hubspot.add_message(thread, EMAIL, "Avec plaisir", "Re")
    assert "Avec plaisir" in texts(desk.new_messages(watermark).messages)


def test_a_new_thread_is_matched_when_nobody_here_knows_it(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    ticket = opened(desk)
    opened(desk, "case-2")
    subject = f"Re: Votre devis [#{reference('case-1')}]"
    thread = hubspot.client_writes(EMAIL, "Je valide", subject)
    (message,) = desk.new_messages(None).messages
    assert (message.ticket_id, message.thread) == (ticket.id, thread)


def test_a_later_mail_of_a_thread_may_name_nothing(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "Une question", f"Re: [#{reference('case-1')}]")
    hubspot.add_message(thread, EMAIL, "Je valide", "Autre chose")
    assert [m.ticket_id for m in desk.new_messages(None).messages] == [ticket.id] * 2
    hubspot.threads[thread]["messages"].pop(0)
    assert desk.new_messages(None).messages == ()
    desk.update_ticket(ticket.id, {"figsupport_thread_id": thread})
    assert [m.ticket_id for m in desk.new_messages(None).messages] == [ticket.id]


@pytest.mark.parametrize("subject", ["Bonjour", f"Re: [#{reference('case-9')}]"])
def test_a_mail_that_names_no_ticket_is_none_of_ours(
    desk: HubSpotDesk, hubspot: HubSpot, subject: str
) -> None:
    opened(desk)
    hubspot.client_writes(EMAIL, "Bonjour", subject)
    hubspot.client_writes("unknown@example.com", "Bonjour", f"[#{reference('case-1')}]")
    assert desk.new_messages(None).messages == ()


def test_a_reference_that_we_know_comes_before_an_association(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    """Two tickets were merged: the mail is about the request that it names."""
    one, two = opened(desk), opened(desk, "case-2")
    hubspot.client_writes(EMAIL, "Je valide", f"Re: [#{reference('case-1')}]", two.id)
    known = {reference("case-1"): one.id}
    assert [m.ticket_id for m in desk.new_messages(None, known.get).messages] == [one.id]


def test_only_messages_of_clients_are_news(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "Je valide", "Re", ticket.id)
    hubspot.add_message(thread, "support@figurative.example", "Merci", "Re", direction="OUTGOING")
    hubspot.add_message(thread, EMAIL, "note", "Re", type="COMMENT")
    assert texts(desk.new_messages(None).messages) == ["Je valide"]


def test_a_file_without_a_link_is_not_dropped(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "Voici", "Re", ticket.id)
    files = [
        {"type": "FILE", "fileId": "7", "name": "plan.pdf"},
        {"type": "FILE", "fileId": "8", "url": "https://files.example/a.jpg", "name": "a.jpg"},
        {"type": "QUICK_REPLIES", "quickReplies": []},
    ]
    hubspot.add_message(thread, EMAIL, "les fichiers", "Re", attachments=files)
    (mail,) = (m for m in desk.new_messages(None).messages if m.text == "les fichiers")
    assert [(file.name, file.url) for file in mail.attachments] == [
        ("plan.pdf", None),
        ("a.jpg", "https://files.example/a.jpg"),
    ]


def test_a_late_message_of_the_same_moment_is_not_lost(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    hubspot.client_writes(EMAIL, "un", "Re", ticket.id)
    watermark = desk.new_messages(None).watermark
    hubspot.clock -= timedelta(minutes=1)  # equal timestamps: it was indexed late
    hubspot.client_writes(EMAIL, "deux", "Re", ticket.id)
    assert "deux" in texts(desk.new_messages(watermark).messages)


def test_a_page_of_equal_timestamps_does_not_stall(
    desk: HubSpotDesk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("figsupport.adapters.hubspot.threads._PAGE", 2)
    ticket = opened(desk)
    for word in ("un", "deux", "trois"):
        hubspot.client_writes(EMAIL, word, "Re", ticket.id)
        if word == "deux":
            hubspot.clock -= timedelta(minutes=1)
    found = texts(desk.new_messages(None).messages)
    assert {"un", "deux"} <= set(found)
    assert len(found) == len(set(found))


def test_a_long_thread_is_read_to_its_beginning(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "0", "Re", ticket.id)
    for number in range(1, 45):
        hubspot.clock += timedelta(seconds=1)
        hubspot.add_message(thread, EMAIL, str(number), "Re")
    desk.update_ticket(ticket.id, {"figsupport_thread_id": thread})
    found = texts(desk.get_messages_for_ticket(ticket.id))
    assert found == [str(number) for number in range(45)]


def test_a_message_that_was_cut_is_read_whole(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    """What is cut off may be the « mais … » of an acceptance."""
    ticket = opened(desk)
    thread = hubspot.client_writes(EMAIL, "un", "Re", ticket.id)
    text = "Je valide le devis, " + "vraiment, " * 20 + "mais en bleu."
    status = "TRUNCATED_TO_MOST_RECENT_REPLY"
    hubspot.add_message(thread, EMAIL, text, "Re", truncationStatus=status)
    message = desk.new_messages(None).messages[-1]
    assert message.text == text
    assert message.html is not None
    assert "mais en bleu" in message.html


def test_what_no_conversation_showed_is_searched_once_an_hour(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    clock = [NOW]
    desk._clock = lambda: clock[0]
    one, two = opened(desk), opened(desk, "case-2")
    for ticket in (one, two):
        desk.update_ticket(ticket.id, {"validation_status": "pending_credits"})
    watermark = desk.new_messages(None).watermark
    hubspot.clock = NOW + timedelta(minutes=1)
    thread = hubspot.client_writes(EMAIL, "un", "Re", one.id)
    hubspot.client_writes(EMAIL, "deux", "Re", two.id)
    desk.update_ticket(one.id, {"figsupport_thread_id": thread})
    for found in hubspot.threads.values():
        found["latestMessageTimestamp"] = "2020-01-01T00:00:00.000Z"  # the list leaves them out
    hubspot.unindexed.add(two.id)  # the search lags behind
    assert desk.new_messages(watermark).messages == ()
    clock[0] += timedelta(hours=2)
    news = desk.new_messages(watermark)
    assert texts(news.messages) == ["un"]
    assert desk.new_messages(news.watermark).messages == ()
    hubspot.unindexed.clear()
    properties = hubspot.objects["tickets"][two.id]["properties"]
    properties["hs_last_message_received_at"] = (clock[0] + timedelta(minutes=1)).isoformat()
    clock[0] += timedelta(hours=2)
    assert [m.ticket_id for m in desk.new_messages(news.watermark).messages] == [two.id]


def test_an_account_without_that_property_is_polled_all_the_same(
    desk: HubSpotDesk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = hubspot.error("There was a problem with the request", "VALIDATION_ERROR")
    monkeypatch.setattr(hubspot, "_search", lambda *_: (400, error))
    old = (NOW - timedelta(days=1)).isoformat()
    assert desk.new_messages(f'["{old}", "{old}", {{}}]').messages == ()
    assert "There was a problem" in desk.check().detail


def test_a_watermark_of_an_earlier_version_is_understood(
    desk: HubSpotDesk, hubspot: HubSpot
) -> None:
    ticket = opened(desk)
    hubspot.client_writes(EMAIL, "un", "Re", ticket.id)
    assert texts(desk.new_messages("2026-11-02T09:00:00+00:00").messages) == ["un"]


# --- limits and mistakes ---------------------------------------------------------------------


def test_a_limit_that_stays_ends_the_run(desk: HubSpotDesk, hubspot: HubSpot) -> None:
    hubspot.fail("GET", *[429] * 9)
    with pytest.raises(TryLater, match="RATE_LIMITS"):
        desk.find_contact(EMAIL)


def test_the_daily_limit_ends_at_midnight_of_the_account(hubspot: HubSpot, tmp_path: Path) -> None:
    """No call is made after it: each would be counted."""
    file = tmp_path / "home" / "hubspot.json"
    desk_on(hubspot, file=file).check()
    desk = desk_on(hubspot, file=file)
    hubspot.policy = "DAILY"
    hubspot.fail("GET", *[429] * 9)
    hubspot.calls.clear()
    for _ in range(3):
        with pytest.raises(TryLater) as caught:
            desk.find_contact(EMAIL)
    assert len(hubspot.calls) == 1
    until = caught.value.until.astimezone(ZoneInfo("Europe/Paris"))
    assert (until.hour, until.minute) == (0, 0)
    assert "goes on" in caught.value.hint


def test_links_lead_to_the_account_s_own_domain(hubspot: HubSpot, tmp_path: Path) -> None:
    file = tmp_path / "home" / "hubspot.json"
    assert opened(desk_on(hubspot, file=file)).url.startswith(
        "https://app.hubspot.com/contacts/145/"
    )
    desk_on(hubspot, file=file).check()
    ticket = opened(desk_on(hubspot, file=file), "case-2")
    assert ticket.url == f"https://app-eu1.hubspot.com/contacts/145/ticket/{ticket.id}"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("nonsense")
    assert Account(file).domain == "app.hubspot.com"
    file.write_text('{"timeZone": "Nowhere/Land"}')
    assert Account(file).midnight(datetime(2026, 1, 1, 12, tzinfo=NOW.tzinfo)).day == 2


def test_it_slows_down_before_the_limit(hubspot: HubSpot) -> None:
    waits: list[float] = []
    account = Account()
    http = open_api(KEY, hubspot.url, account, patience=Patience(0.5, 0.01), sleep=waits.append)
    desk = HubSpotDesk(http, lambda: NOW, PORTAL, account)
    OPEN.append(desk)
    hubspot.remaining = 4
    desk.find_contact(EMAIL)
    desk.find_contact(EMAIL)
    assert [1 < wait <= 2 for wait in waits] == [True]


def test_setup_makes_what_is_missing_once(hubspot: HubSpot) -> None:
    hubspot.forget_setup()
    desk = desk_on(hubspot)
    planned = desk.setup(dry_run=True)
    assert {state for _, state in planned} == {"made"}
    assert "figsupport_key" not in hubspot.properties
    assert desk.setup(dry_run=False) == planned
    assert hubspot.properties["figsupport_key"]["hasUniqueValue"] is True
    values = [one["value"] for one in hubspot.properties["validation_status"]["options"]]
    assert values[0] == "pending_info"
    assert {state for _, state in desk.setup(dry_run=False)} == {"there"}
    del hubspot.properties["credits_estimes"]
    assert ("credits_estimes", "made") in desk.setup(dry_run=False)


#: what a newcomer sets wrong, and the words of the sentence that says so
MISTAKES: list[tuple[str, Any, list[str]]] = [
    ("a wrong key", {"key": "pat-wrong-secret"}, ["401", "HUBSPOT_API_KEY", "c0ffee-1"]),
    ("another account", {"portal": PORTAL._replace(hub_id="999")}, ["HUBSPOT_HUB_ID=999", "145"]),
    ("no such pipeline", {"portal": PORTAL._replace(pipeline="78")},
     ["HUBSPOT_PIPELINE_ID=78 is none of 77 (Support), 88 (Ventes): set one"]),
    ("no such stage", {"portal": PORTAL._replace(stage="5")},
     ["HUBSPOT_STAGE_NEW=5 is no stage of Support: set one of 1 (Nouveau), 2 (Fermé)"]),
    ("a stage of another pipeline", {"portal": PORTAL._replace(stage="9")},
     ["HUBSPOT_STAGE_NEW=9 is a stage of the pipeline Ventes, not of Support"]),
    ("a done stage of another pipeline", {"portal": PORTAL._replace(done="9")},
     ["HUBSPOT_STAGE_DONE=9"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "wrong", "words"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_what_a_newcomer_sets_wrong_is_named(
    hubspot: HubSpot, what: str, wrong: dict[str, Any], words: list[str]
) -> None:
    health = desk_on(hubspot, **wrong).check()
    assert not health.ok, what
    for word in words:
        assert word in health.detail
    assert "wrong-secret" not in health.detail


@pytest.mark.parametrize(
    "scope", ["crm.objects.contacts.read", "tickets", "conversations.read", "conversations.write"]
)
def test_a_missing_scope_is_named_with_where_to_grant_it(hubspot: HubSpot, scope: str) -> None:
    hubspot.scopes.remove(scope)
    desk = desk_on(hubspot)
    detail = desk.check().detail
    assert scope in detail
    assert "HUBSPOT_API_KEY" in detail
    assert "Settings › Integrations" in detail
    with pytest.raises(Credentials) as caught:
        desk.setup(dry_run=False)
    assert scope in caught.value.problems[0].message


def test_a_scope_that_only_the_call_shows_is_named(hubspot: HubSpot) -> None:
    """A service key cannot be asked for its scopes: the refused call says what it needs."""
    hubspot.scopes.remove("tickets")
    desk = desk_on(hubspot)
    contact = desk.create_contact(EMAIL, "Jean")
    with pytest.raises(Credentials) as caught:
        desk.create_ticket(a_draft(contact))
    assert caught.value.hint.startswith("Grant the key the scopes tickets.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "credits_estimes", "type": "string"}, "credits_estimes has the type string, not number"),
        ({"name": "figsupport_key", "hasUniqueValue": False}, "figsupport_key must have unique values"),
        ({"name": "validation_status", "options": [{"value": "validated"}]}, "lacks the values pending_info"),
        ({"name": "fichiers_urls", "gone": True}, "fichiers_urls is missing: run `figsupport setup`"),
    ],
)  # fmt: skip
def test_a_wrong_property_is_named(hubspot: HubSpot, change: dict[str, Any], words: str) -> None:
    if change.pop("gone", False):
        del hubspot.properties[change["name"]]
    else:
        hubspot.properties[change["name"]].update(change)
    assert words in desk_on(hubspot).check().detail


def test_before_setup_a_ticket_is_refused_with_what_to_do(hubspot: HubSpot) -> None:
    del hubspot.properties["figsupport_key"]
    desk = desk_on(hubspot)
    contact = desk.create_contact(EMAIL, "Jean")
    with pytest.raises(Refused, match="figsupport_key") as caught:
        desk.create_ticket(a_draft(contact))
    assert "figsupport setup" in caught.value.hint


def test_setup_refuses_a_wrong_stage_before_making_anything(hubspot: HubSpot) -> None:
    del hubspot.properties["figsupport_key"]
    with pytest.raises(Misconfigured, match="HUBSPOT_STAGE_NEW=9"):
        desk_on(hubspot, portal=PORTAL._replace(stage="9")).setup(dry_run=False)
    assert "figsupport_key" not in hubspot.properties


def test_no_error_tells_the_key(hubspot: HubSpot) -> None:
    desk = desk_on(hubspot, key="pat-wrong-secret")
    with pytest.raises(Credentials, match="c0ffee-1") as caught:
        desk.find_contact(EMAIL)
    assert isinstance(caught.value, FigsupportError)
    assert "HUBSPOT_API_KEY" in caught.value.hint
    assert "wrong-secret" not in str(caught.value) + caught.value.hint
