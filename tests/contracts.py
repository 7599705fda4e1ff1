"""What each port means: one test class a port, inherited by the tests of every adapter.

An adapter's test module says how to build it (the fixtures) and what differs.
"""

from datetime import timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest

from figsupport.core.keeping import reduced
from figsupport.core.model import Case, Letter, Message, Reply, SentLetter, TicketRef, Way
from figsupport.core.plan import Waiting
from figsupport.errors import Busy, Conflict, NotAllowed, NotFound
from figsupport.ports import (
    Board,
    Cases,
    Census,
    Deliveries,
    Desk,
    Mail,
    News,
    Store,
    SubtaskDraft,
    TicketDraft,
)

from .values import NOW, a_case, a_request

EMAIL = "client@example.com"


def a_draft(contact_id: str, key: str = "case-1", **changes: object) -> TicketDraft:
    draft = TicketDraft(
        key=key,
        reference="ABCDEFGHIJ",
        subject="Fauteuil",
        content="Un fauteuil <à modéliser>",
        contact_id=contact_id,
        properties={"fichiers_urls": ""},
    )
    return draft._replace(**changes)  # type: ignore[arg-type]


def a_letter(number: int = 1, **changes: object) -> Letter:
    letter = Letter(
        kind="quote",
        key=f"case-1:mail:quote:{number}",
        message_id=f"<quote.{number}.ABCDEFGHIJ@localhost>",
        to=EMAIL,
        to_name="Jean « Jeannot » Dupont",
        subject="Votre devis [#ABCDEFGHIJ] – été",
        text="Bonjour,\n\n2 crédits.\n",
        html="<p>Bonjour,</p>",
    )
    return letter.model_copy(update=changes)


def sent(letter: Letter) -> SentLetter:
    said = letter.model_dump(include=set(SentLetter.model_fields))
    return SentLetter(**said, sent_at=NOW, credits=2)


class DeskContract:
    """The meaning of `ports.Desk`."""

    @pytest.fixture
    def desk(self) -> Desk:
        raise NotImplementedError

    def client_writes(self, desk: Desk, ticket: TicketRef, text: str) -> None:
        """Let a mail of the client about this ticket reach the desk."""
        raise NotImplementedError

    def opened(self, desk: Desk, key: str = "case-1") -> TicketRef:
        contact = desk.find_contact(EMAIL) or desk.create_contact(EMAIL, "Jean Dupont")
        return desk.create_ticket(a_draft(contact, key))

    def test_nobody_is_found_on_an_empty_desk(self, desk: Desk) -> None:
        assert desk.find_contact(EMAIL) is None
        assert desk.find_ticket("case-1") is None

    def test_a_contact_is_found_whatever_the_case_of_its_address(self, desk: Desk) -> None:
        contact = desk.create_contact(EMAIL, "Jean Dupont")
        assert desk.find_contact("Client@Example.com") == contact

    def test_an_address_is_taken_once(self, desk: Desk) -> None:
        desk.create_contact(EMAIL, "Jean")
        with pytest.raises(Conflict):
            desk.create_contact(EMAIL.upper(), "Jeanne")

    def test_a_ticket_is_found_by_its_key(self, desk: Desk) -> None:
        ticket = self.opened(desk)
        assert desk.find_ticket("case-1") == ticket
        assert desk.find_ticket("case-2") is None

    def test_a_key_is_taken_once(self, desk: Desk) -> None:
        ticket = self.opened(desk)
        with pytest.raises(Conflict):
            self.opened(desk)
        assert desk.find_ticket("case-1") == ticket

    def test_a_ticket_says_what_was_written(self, desk: Desk) -> None:
        ref = self.opened(desk)
        ticket = desk.get_ticket(ref.id)
        assert ticket.ref == ref
        assert (ticket.key, ticket.subject) == ("case-1", "Fauteuil")
        assert ticket.content == "Un fauteuil <à modéliser>"
        assert (ticket.contact_email, ticket.contact_name) == (EMAIL, "Jean Dupont")

    @pytest.mark.parametrize("ticket_id", ["999999", "abc", "", "1 OR 1=1"])
    def test_no_such_ticket(self, desk: Desk, ticket_id: str) -> None:
        with pytest.raises(NotFound):
            desk.get_ticket(ticket_id)
        with pytest.raises(NotFound):
            desk.get_messages_for_ticket(ticket_id)
        with pytest.raises(NotFound):
            desk.update_ticket(ticket_id, {"validation_status": "validated"})
        with pytest.raises(NotFound):
            desk.add_note(ticket_id, "k", "text")

    def test_properties_are_absolute(self, desk: Desk) -> None:
        ref = self.opened(desk)
        desk.update_ticket(ref.id, {"validation_status": "pending_credits"})
        desk.update_ticket(ref.id, {"credits_estimes": "2"})
        desk.update_ticket(ref.id, {"credits_estimes": "2"})
        properties = desk.get_ticket(ref.id).properties
        assert properties["validation_status"] == "pending_credits"
        assert properties["credits_estimes"] == "2"

    def test_a_note_is_known_by_its_key(self, desk: Desk) -> None:
        one, two = self.opened(desk), self.opened(desk, "case-2")
        desk.add_note(one.id, "note:1", "Une question <b>du client</b>")
        assert desk.has_note(one.id, "note:1")
        assert not desk.has_note(one.id, "note:2")
        assert not desk.has_note(two.id, "note:1")

    def test_a_letter_is_recorded_under_its_key(self, desk: Desk) -> None:
        ref = self.opened(desk)
        desk.record_letter(ref.id, sent(a_letter()), "record:quote:1")
        assert desk.has_note(ref.id, "record:quote:1")
        (message,) = desk.get_messages_for_ticket(ref.id)
        assert (message.direction, message.text) == ("out", "Bonjour,\n\n2 crédits.\n")
        assert message.id == a_letter().message_id

    def test_nothing_new_on_an_empty_desk(self, desk: Desk) -> None:
        news = desk.new_messages(None)
        assert news.messages == ()
        assert desk.new_messages(news.watermark) == news

    def test_a_reply_is_news_on_its_ticket(self, desk: Desk) -> None:
        ref = self.opened(desk)
        before = desk.new_messages(None).watermark
        self.client_writes(desk, ref, "Je valide")
        news = desk.new_messages(before)
        assert [message.ticket_id for message in news.messages] == [ref.id]
        (message,) = news.messages
        assert message.sender == EMAIL
        assert message.text.strip() == "Je valide"
        assert desk.get_messages_for_ticket(ref.id)[-1].id == message.id

    def test_old_news_is_not_lost_without_a_watermark(self, desk: Desk) -> None:
        ref = self.opened(desk)
        self.client_writes(desk, ref, "un")
        self.client_writes(desk, ref, "deux")
        first = desk.new_messages(None)
        again = desk.new_messages(None)
        assert [m.text.strip() for m in first.messages] == ["un", "deux"]
        assert {m.id for m in first.messages} <= {m.id for m in again.messages}

    def test_our_own_letters_are_no_news(self, desk: Desk) -> None:
        ref = self.opened(desk)
        desk.record_letter(ref.id, sent(a_letter()), "record:quote:1")
        assert desk.new_messages(None).messages == ()

    def test_the_tickets_of_a_contact(self, desk: Desk) -> None:
        contact = desk.create_contact(EMAIL, "Jean")
        assert desk.tickets_of(contact) == ()
        one, two = self.opened(desk), self.opened(desk, "case-2")
        assert desk.tickets_of(contact) == (one.id, two.id)

    def test_the_notes_of_a_ticket(self, desk: Desk) -> None:
        ref = self.opened(desk)
        assert desk.get_notes(ref.id) == ()
        desk.add_note(ref.id, "note:1", "Une question <b>du client</b>\net une autre & fin")
        (note,) = desk.get_notes(ref.id)
        assert note.startswith("Une question <b>du client</b>\net une autre & fin")
        with pytest.raises(NotFound):
            desk.get_notes("999999")

    def test_an_erased_ticket_is_gone_with_its_notes_and_mails(self, desk: Desk) -> None:
        one, two = self.opened(desk), self.opened(desk, "case-2")
        for ref in (one, two):
            desk.add_note(ref.id, "note:1", "Une note")
            desk.record_letter(ref.id, sent(a_letter()), "record:quote:1")
        assert desk.erase_ticket(one.id) == ()
        assert desk.erase_ticket(one.id) == ()
        with pytest.raises(NotFound):
            desk.get_ticket(one.id)
        assert desk.find_ticket("case-1") is None
        assert desk.find_ticket("case-2") == two
        assert desk.has_note(two.id, "note:1")
        assert len(desk.get_messages_for_ticket(two.id)) == 1

    def test_erased_messages_are_gone_or_said_to_stay(self, desk: Desk) -> None:
        ref = self.opened(desk)
        self.client_writes(desk, ref, "Je valide")
        news = desk.new_messages(None)
        (message,) = news.messages
        stays = desk.erase_messages([message.id, "unknown"])
        assert all(sentence.endswith(".") for sentence in stays)
        assert bool(stays) == bool(desk.new_messages(None).messages)
        assert desk.erase_messages([message.id]) == stays
        self.client_writes(desk, ref, "Me revoilà")
        later = desk.new_messages(news.watermark).messages
        assert [one.text.strip() for one in later if one.id != message.id] == ["Me revoilà"]

    def test_an_erased_contact_is_gone_with_all_that_came_from_it(self, desk: Desk) -> None:
        ref = self.opened(desk)
        self.client_writes(desk, ref, "Je valide")
        watermark = desk.new_messages(None).watermark
        self.client_writes(desk, ref, "Non merci")
        desk.erase_ticket(ref.id)
        stays = desk.erase_contact("Client@Example.com")
        assert all(sentence.endswith((".", ")")) for sentence in stays)
        assert desk.erase_contact(EMAIL) == ()
        assert desk.find_contact(EMAIL) is None
        assert desk.new_messages(None).messages == ()
        assert desk.new_messages(watermark).messages == ()
        again = self.opened(desk)
        assert again.id != ref.id
        self.client_writes(desk, again, "Me revoilà")
        news = desk.new_messages(watermark).messages
        assert [message.text.strip() for message in news] == ["Me revoilà"]

    def test_it_is_healthy(self, desk: Desk) -> None:
        assert desk.check().ok


class BoardContract:
    """The meaning of `ports.Board`."""

    @pytest.fixture
    def board(self) -> Board:
        raise NotImplementedError

    def test_a_subtask_is_found_by_its_marker(self, board: Board) -> None:
        assert board.find_subtask("[REF-A]") is None
        made = board.create_subtask(SubtaskDraft("k", "[REF-A]", "Chaise [REF-A]", "body"))
        assert board.find_subtask("[REF-A]") == made
        assert board.find_subtask("[REF-B]") is None

    def test_a_second_subtask_is_not_refused(self, board: Board) -> None:
        draft = SubtaskDraft("k", "[REF-A]", "Chaise [REF-A]", "body")
        assert board.create_subtask(draft).id != board.create_subtask(draft).id

    def test_it_is_healthy(self, board: Board) -> None:
        assert board.check().ok


class MailContract:
    """The meaning of `ports.Mail`."""

    @pytest.fixture
    def mail(self) -> Mail:
        raise NotImplementedError

    def delivered(self, mail: Mail) -> list[str]:
        """Return the Message-IDs that left, in order."""
        raise NotImplementedError

    #: What the adapter can prove of a letter that left (plain SMTP: nothing).
    proves: Way | None = "mail"

    def test_a_letter_leaves_under_its_own_message_id(self, mail: Mail) -> None:
        assert mail.was_sent(a_letter()) is None
        assert mail.send(a_letter()) == "mail"
        assert self.delivered(mail) == [a_letter().message_id]

    def test_what_left_is_known(self, mail: Mail) -> None:
        mail.send(a_letter())
        assert mail.was_sent(a_letter()) == self.proves
        assert mail.was_sent(a_letter(2)) is None

    def test_a_subject_cannot_smuggle_a_header(self, mail: Mail) -> None:
        with pytest.raises(ValueError, match=r"linefeed|newline|header"):
            mail.send(a_letter(subject="Devis\r\nBcc: everyone@example.com"))
        assert self.delivered(mail) == []

    def test_the_letters_of_a_case_are_erased_or_told_of(self, mail: Mail) -> None:
        other = a_letter(message_id="<quote.1.KLMNOPQRST@localhost>")
        for letter in (a_letter(), other, a_letter(2)):
            mail.send(letter)
        stays = [mail.erase("ABCDEFGHIJ"), mail.erase("ABCDEFGHIJ")]
        left = self.delivered(mail)
        if any(stays):
            assert all("ABCDEFGHIJ" in sentence for (sentence,) in stays)
            assert len(left) == 3
        else:
            assert left == [other.message_id]

    def test_it_is_healthy(self, mail: Mail) -> None:
        assert mail.check().ok


class StoreContract:
    """The meaning of `ports.Store`."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def photo(self, tmp_path: Path) -> Path:
        path = tmp_path / "photo.jpg"
        path.write_bytes(b"\xff\xd8\xff" + b"x" * 100_000)
        return path

    def content(self, store: Store, url: str) -> bytes:
        """Return what lies behind a link of the store."""
        raise NotImplementedError

    def test_a_file_is_stored_whole(self, store: Store, photo: Path) -> None:
        stored = store.put("folder/01-photo.jpg", photo, "photo été.jpg")
        assert stored.size == 100_003
        assert len(stored.sha256) == 64
        assert self.content(store, stored.url) == photo.read_bytes()

    def test_a_key_is_never_overwritten(self, store: Store, photo: Path) -> None:
        first = store.put("folder/01-photo.jpg", photo, "photo.jpg")
        photo.write_bytes(b"other")
        assert store.put("folder/01-photo.jpg", photo, "photo.jpg") == first

    def test_a_missing_source_stores_nothing(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            store.put("folder/01-gone.jpg", tmp_path / "gone.jpg", "gone.jpg")

    def test_what_is_stored_comes_back(self, store: Store, photo: Path) -> None:
        store.put("folder/01-photo.jpg", photo, "photo.jpg")
        assert store.get("folder/01-photo.jpg") == photo.read_bytes()
        with pytest.raises(NotFound):
            store.get("folder/02-photo.jpg")

    def test_a_folder_is_listed_fetched_and_removed(self, store: Store, photo: Path) -> None:
        for key in ("folder/02-b.jpg", "folder/01-a.jpg", "folder-2/01-a.jpg"):
            store.put(key, photo, "photo.jpg")
        assert store.keys("folder") == ("folder/01-a.jpg", "folder/02-b.jpg")
        assert store.keys("fold") == ()
        into = BytesIO()
        store.fetch("folder/01-a.jpg", into)
        assert into.getvalue() == photo.read_bytes()
        with pytest.raises(NotFound):
            store.fetch("folder/03-c.jpg", into)
        assert store.remove("folder", keep=["folder/02-b.jpg"]) == 1
        assert store.keys("folder") == ("folder/02-b.jpg",)
        assert store.remove("folder") == 1
        assert store.remove("folder") == 0
        assert store.keys("folder") == ()
        assert store.keys("folder-2") == ("folder-2/01-a.jpg",)

    @pytest.mark.parametrize("folder", ["", ".", "..", "a/.."])
    def test_nobody_removes_more_than_a_folder(self, store: Store, folder: str) -> None:
        with pytest.raises(ValueError, match=r"inside|folder"):
            store.remove(folder)

    def test_an_empty_file_is_a_file(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        assert store.put("folder/01-empty", tmp_path / "empty", "empty").size == 0

    def test_the_folder_of_a_case_is_stable_and_unguessable(self, store: Store) -> None:
        folder = store.secret_folder("case-1")
        assert store.secret_folder("case-1") == folder
        assert store.secret_folder("case-2") != folder
        assert len(folder) >= 32
        assert "case" not in folder

    def test_it_is_healthy(self, store: Store) -> None:
        assert store.check().ok


def a_message(number: int = 1, ticket_id: str | None = "1001", text: str = "ok") -> Message:
    return Message(
        id=f"m{number}", ticket_id=ticket_id, sender=EMAIL, text=text, sent_at=NOW + timedelta(1)
    )


class CasesContract:
    """The meaning of `ports.Cases`."""

    @pytest.fixture
    def cases(self) -> Cases:
        raise NotImplementedError

    @pytest.fixture
    def again(self, cases: Cases) -> Cases:
        """The same journal, opened a second time."""
        raise NotImplementedError

    def ticketed(self, **changes: object) -> Case:
        return a_case(ticket=TicketRef(id="1001"), **changes)

    def test_a_case_comes_back_as_it_was_saved(self, cases: Cases, again: Cases) -> None:
        case = self.ticketed(validation_status="pending_info")
        cases.save(case, unfinished=False)
        assert again.load(case.id) == case
        assert again.by_ticket("1001") == case
        assert again.load("other") is None
        assert again.by_ticket("1002") is None

    def test_a_reference_names_a_ticket(self, cases: Cases, again: Cases) -> None:
        case = self.ticketed()
        assert cases.ticket_of(case.reference) is None
        cases.save(case.with_(ticket=None), unfinished=True)
        assert cases.ticket_of(case.reference) is None
        cases.save(case, unfinished=False)
        assert again.ticket_of(case.reference) == "1001"

    def test_the_last_save_counts(self, cases: Cases) -> None:
        case = self.ticketed()
        cases.save(case, unfinished=True)
        cases.save(case.with_(rounds=2), unfinished=True, durable=True)
        saved = cases.load(case.id)
        assert saved is not None
        assert saved.rounds == 2

    def test_the_newest_case_of_a_content(self, cases: Cases) -> None:
        case = a_case()
        assert cases.newest(case.fingerprint) is None
        cases.save(case, unfinished=True)
        cases.save(case.with_(id=f"{case.id}-2"), unfinished=True)
        newest = cases.newest(case.fingerprint)
        assert newest is not None
        assert newest.id == f"{case.id}-2"

    def test_a_case_with_a_request_id_is_not_found_by_its_content(self, cases: Cases) -> None:
        request = a_request(request_id="form-1")
        case = a_case(id="form-1", request=request)
        cases.save(case, unfinished=True)
        assert cases.newest(case.fingerprint) is None

    def test_due_are_unfinished_cases_and_unread_mail(self, cases: Cases) -> None:
        cases.save(a_case(id="a"), unfinished=True)
        cases.save(a_case(id="b", ticket=TicketRef(id="1001")), unfinished=False)
        cases.save(a_case(id="c", ticket=TicketRef(id="1002")), unfinished=False)
        assert cases.due(NOW) == ["a"]
        cases.receive(News((a_message(),), "1"), NOW)
        assert cases.due(NOW) == ["a", "b"]

    def test_a_case_wakes_at_its_date(self, cases: Cases, again: Cases) -> None:
        tomorrow = NOW + timedelta(days=1)
        cases.save(a_case(id="a"), unfinished=False, wake_at=tomorrow)
        assert again.due(tomorrow - timedelta(seconds=1)) == []
        paris = tomorrow.astimezone(timezone(timedelta(hours=2)))
        assert again.due(paris) == ["a"]
        cases.save(a_case(id="a"), unfinished=False)
        assert again.due(tomorrow) == []

    def test_the_cases_of_a_contact(self, cases: Cases, again: Cases) -> None:
        case = a_case()
        cases.save(case, unfinished=True)
        cases.save(case.with_(id="second"), unfinished=False)
        address = case.request.user_email.upper()
        assert [one.id for one in again.of_contact(address)] == [case.id, "second"]
        assert again.of_contact("nobody@example.com") == []

    def test_the_census_counts_open_cases(self, cases: Cases) -> None:
        assert cases.census() == ()
        quoted = a_case(id="a", validation_status="pending_credits")
        older = quoted.with_(id="b", created_at=NOW - timedelta(days=3))
        cases.save(quoted, unfinished=False)
        cases.save(older, unfinished=False)
        cases.save(a_case(id="c", validation_status="validated"), unfinished=False)
        cases.save(a_case(id="d"), unfinished=True)
        assert set(cases.census()) == {
            Census(Waiting.CLIENT_ANSWER, False, 2, older.created_at),
            Census(Waiting.FINISHED, True, 1, NOW),
        }

    def test_what_is_forgotten_is_gone_with_its_mail(self, cases: Cases, again: Cases) -> None:
        case = self.ticketed()
        cases.save(case, unfinished=True)
        cases.save(a_case(id="other"), unfinished=True)
        cases.receive(News((a_message(),), "1"), NOW)
        cases.forget(case.id)
        cases.forget(case.id)
        cases.forget("unknown")
        assert again.load(case.id) is None
        assert again.inbox("1001") == ()
        assert again.strangers() == ()
        assert again.due(NOW) == ["other"]
        assert again.watermark() == "1"

    def test_a_forgotten_case_may_leave_something(self, cases: Cases, again: Cases) -> None:
        case = self.ticketed(validation_status="validated")
        cases.save(case, unfinished=False)
        cases.receive(News((a_message(),), "1"), NOW)
        left = reduced(case, "acceptance-1.json", NOW)
        cases.forget(case.id, left)
        assert again.load(case.id) == left
        assert again.of_contact(case.request.user_email) == []
        assert again.by_ticket("1001") is None
        assert again.messages_from(EMAIL) == ()
        assert again.outdated({"evidence": NOW + timedelta(1), "validated": NOW}, 9) == [case.id]

    def test_outdated_are_finished_cases_that_ended_before_their_limit(
        self, cases: Cases, again: Cases
    ) -> None:
        done = a_case(id="a", validation_status="validated")
        day = timedelta(days=1)
        cases.save(done, unfinished=False)
        cases.save(done.with_(id="b", created_at=NOW - day), unfinished=False)
        cases.save(done.with_(id="c", created_at=NOW - 2 * day), unfinished=True)
        cases.save(done.with_(id="d", validation_status="rejected"), unfinished=False)
        open_ = done.with_(id="e", validation_status="pending_info", created_at=NOW - 9 * day)
        cases.save(open_, unfinished=False)
        paris = (NOW + timedelta(hours=1)).astimezone(timezone(timedelta(hours=2)))
        assert again.outdated({"validated": NOW}, 9) == ["b"]
        assert again.outdated({"validated": paris}, 9) == ["b", "a"]
        assert again.outdated({"validated": paris, "dropped": paris}, 2) == ["b", "a"]
        assert again.outdated({"dropped": paris, "support": paris}, 9) == ["d"]
        assert again.outdated({}, 9) == []

    def test_the_messages_of_an_address(self, cases: Cases, again: Cases) -> None:
        other = a_message(2).model_copy(update={"sender": "other@example.com"})
        upper = a_message(3, None).model_copy(update={"sender": EMAIL.upper()})
        cases.receive(News((a_message(1), other, upper), "1"), NOW)
        cases.set_aside("m1")
        assert [one.id for one in again.messages_from("Client@example.com")] == ["m1", "m3"]
        again.forget_messages("Client@example.com")
        assert cases.messages_from(EMAIL) == ()
        assert [one.id for one in cases.messages_from("other@example.com")] == ["m2"]

    def test_what_is_kept_is_recalled(self, cases: Cases, again: Cases) -> None:
        assert cases.recall("digest") is None
        cases.keep("digest", "un")
        cases.keep("other", "autre")
        cases.keep("digest", "deux")
        assert (again.recall("digest"), again.recall("other")) == ("deux", "autre")

    def test_open_cases_are_those_that_wait_or_work(self, cases: Cases) -> None:
        cases.save(a_case(id="a"), unfinished=True)
        cases.save(a_case(id="b", validation_status="pending_info"), unfinished=False)
        cases.save(a_case(id="c", validation_status="validated"), unfinished=False)
        assert [case.id for case in cases.open_cases()] == ["a", "b"]

    def test_a_message_enters_once(self, cases: Cases) -> None:
        assert cases.watermark() is None
        assert cases.receive(News((a_message(1), a_message(2)), "2"), NOW) == 2
        assert cases.receive(News((a_message(2), a_message(3)), "3"), NOW) == 1
        assert cases.watermark() == "3"
        assert [message.id for message in cases.inbox("1001")] == ["m1", "m2", "m3"]

    def test_what_a_case_has_replies_for_is_read(self, cases: Cases) -> None:
        cases.receive(News((a_message(1), a_message(2)), "2"), NOW)
        reply = Reply(message_id="m1", intent="unclear")
        cases.save(self.ticketed(replies=(reply,)), unfinished=False)
        assert [message.id for message in cases.inbox("1001")] == ["m2"]
        assert cases.receive(News((a_message(1),), "3"), NOW) == 0
        assert [message.id for message in cases.inbox("1001")] == ["m2"]

    def test_strangers_belong_to_no_case(self, cases: Cases) -> None:
        cases.save(self.ticketed(), unfinished=False)
        cases.receive(News((a_message(1), a_message(2, "9999"), a_message(3, None)), "3"), NOW)
        assert [message.id for message in cases.strangers()] == ["m2", "m3"]
        cases.set_aside("m3")
        assert [message.id for message in cases.strangers()] == ["m2"]

    def test_a_person_sees_to_what_was_set_aside(self, cases: Cases, again: Cases) -> None:
        cases.receive(News(tuple(a_message(number, None) for number in (1, 2, 3)), "3"), NOW)
        for name, waits in (("m1", True), ("m2", False), ("m3", True)):
            cases.set_aside(name, waits=waits)
        assert again.strangers() == ()
        assert [mail.id for mail in again.waiting_mails()] == ["m1", "m3"]
        again.set_aside("m1")
        again.set_aside("unknown", waits=True)
        assert [mail.id for mail in cases.waiting_mails()] == ["m3"]
        again.forget_messages(EMAIL)
        assert cases.waiting_mails() == ()

    def test_outdated_messages_are_of_no_case(self, cases: Cases, again: Cases) -> None:
        """Read or not, by when they came: what a mail says of its date is its sender's word."""
        day = timedelta(days=1)
        cases.save(self.ticketed(replies=(Reply(message_id="m1", intent="unclear"),)),
                   unfinished=False)  # fmt: skip
        of_case = (a_message(1), a_message(2))
        strange = (a_message(3, None), a_message(4, "9999"), a_message(5, None))
        cases.receive(News((*of_case, *strange), "5"), NOW - 2 * day)
        cases.save(self.ticketed(replies=(Reply(message_id="m1", intent="unclear"),)),
                   unfinished=False)  # fmt: skip
        cases.set_aside("m3", waits=True)
        cases.set_aside("m4")
        cases.receive(News((a_message(6, None), a_message(7, None)), "7"), NOW)
        cases.set_aside("m6", waits=True)
        assert again.outdated_messages(NOW - 2 * day, 9) == []
        assert again.outdated_messages(NOW - day, 9) == ["m3", "m4", "m5"]
        assert again.outdated_messages(NOW + day, 4) == ["m3", "m4", "m5", "m6"]
        for name in ("m3", "m3", "unknown"):
            again.forget_message(name)
        assert cases.outdated_messages(NOW - day, 1) == ["m4"]
        assert [one.id for one in cases.messages_from(EMAIL)] == [
            "m1",
            "m2",
            "m4",
            "m5",
            "m6",
            "m7",
        ]

    def test_one_holds_a_lock(self, cases: Cases, again: Cases) -> None:
        with cases.lock("case-1"):
            with pytest.raises(Busy), again.lock("case-1"):
                pass
            with again.lock("case-2"):
                pass
        with again.lock("case-1"):
            pass

    def test_a_lock_is_released_by_an_error(self, cases: Cases, again: Cases) -> None:
        with pytest.raises(ZeroDivisionError), cases.lock("case-1"):
            _ = 1 / 0
        with again.lock("case-1"):
            pass


class DeliveriesContract:
    """`ports.Deliveries`."""

    @pytest.fixture
    def deliveries(self) -> Deliveries:
        raise NotImplementedError

    @pytest.fixture
    def again(self) -> Deliveries:
        """The same memory, opened by another process."""
        raise NotImplementedError

    def test_the_same_delivery_again_is_none(
        self, deliveries: Deliveries, again: Deliveries
    ) -> None:
        deliveries.remember("msg_1", b"body")
        again.remember("msg_1", b"body")
        deliveries.remember("msg_2", b"another body")

    def test_another_body_under_an_id_is_refused(
        self, deliveries: Deliveries, again: Deliveries
    ) -> None:
        deliveries.remember("msg_1", b"body")
        for _ in range(2):
            with pytest.raises(NotAllowed, match="another body"):
                again.remember("msg_1", b"another body")
        deliveries.remember("msg_1", b"body")
