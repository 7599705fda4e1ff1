"""The embedded adapters keep the contracts of their ports."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from figsupport.adapters.cases import LocalCases
from figsupport.adapters.database import Database
from figsupport.adapters.deliveries import Deliveries
from figsupport.adapters.local_desk import LocalBoard, LocalDesk, open_desk
from figsupport.adapters.local_store import LocalStore
from figsupport.adapters.maildir import Inbox, LocalMail
from figsupport.core.model import TicketRef
from figsupport.errors import Misconfigured, NotAllowed
from figsupport.ports import Board, Cases, Desk, Mail, Store

from .conftest import Clock
from .contracts import (
    EMAIL,
    BoardContract,
    CasesContract,
    DeliveriesContract,
    DeskContract,
    MailContract,
    StoreContract,
    a_letter,
)
from .values import NOW


def clock() -> datetime:
    return NOW


class TestLocalDesk(DeskContract):
    @pytest.fixture
    def desk(self, tmp_path: Path) -> Desk:
        self.folder = tmp_path
        return LocalDesk(open_desk(tmp_path), Inbox(tmp_path / "mail"), clock)

    def client_writes(self, desk: Desk, ticket: TicketRef, text: str) -> None:
        Inbox(self.folder / "mail").deliver(
            f"From: Jean <{EMAIL}>\r\nSubject: Re: devis [#ABCDEFGHIJ]\r\n\r\n{text}".encode()
        )

    def test_a_dropped_eml_is_a_reply(self, desk: Desk, tmp_path: Path) -> None:
        ref = self.opened(desk)
        inbox = tmp_path / "mail" / "inbox"
        inbox.mkdir(parents=True)
        (inbox / "réponse.eml").write_bytes(
            f"From: {EMAIL}\r\nIn-Reply-To: <quote.1.ABCDEFGHIJ@localhost>\r\n\r\nok".encode()
        )
        (inbox / "notes.txt").write_text("not a mail")
        (message,) = desk.new_messages(None).messages
        assert message.ticket_id == ref.id
        assert [path.name for path in inbox.iterdir()] == ["notes.txt"]
        assert len(list((tmp_path / "mail" / "archive" / "cur").iterdir())) == 1

    def test_a_mail_that_names_no_ticket_is_kept(self, desk: Desk, tmp_path: Path) -> None:
        Inbox(tmp_path / "mail").deliver(b"From: x@example.com\r\nSubject: Bonjour\r\n\r\nHello")
        (message,) = desk.new_messages(None).messages
        assert message.ticket_id is None

    def test_a_forged_message_id_hides_no_other_mail(self, desk: Desk, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "mail")
        for sender in ("x@example.com", "y@example.com"):
            inbox.deliver(f"From: {sender}\r\nMessage-ID: <same@example.com>\r\n\r\nHi".encode())
        assert len(desk.new_messages(None).messages) == 2

    def test_attachments_are_kept_beside_the_inbox(self, desk: Desk, tmp_path: Path) -> None:
        Inbox(tmp_path / "mail").deliver(
            b"From: client@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\n\r\nphotos\r\n--b\r\nContent-Type: image/jpeg\r\n"
            b'Content-Disposition: attachment; filename="../../x.JPG"\r\n\r\nJPEG\r\n--b--\r\n'
        )
        (message,) = desk.new_messages(None).messages
        (file,) = message.attachments
        assert file.path is not None
        path = Path(file.path)
        assert path.read_bytes().strip() == b"JPEG"
        assert path.is_relative_to(tmp_path / "mail" / "attachments")


class TestLocalBoard(BoardContract):
    @pytest.fixture
    def board(self, tmp_path: Path) -> Board:
        return LocalBoard(open_desk(tmp_path), clock)


class TestLocalMail(MailContract):
    @pytest.fixture
    def mail(self, tmp_path: Path) -> Mail:
        self.folder = tmp_path / "outbox"
        return LocalMail(self.folder, "Équipe Figurative <support@figurative.example>", clock)

    def delivered(self, mail: Mail) -> list[str]:
        return [str(self.message(path)["Message-ID"]) for path in self.letters()]

    def letters(self) -> list[Path]:
        return sorted((self.folder / "new").iterdir()) if self.folder.exists() else []

    def message(self, path: Path):  # type: ignore[no-untyped-def]
        return message_from_bytes(path.read_bytes(), policy=default)

    def test_a_mail_program_can_read_it(self, mail: Mail) -> None:
        mail.send(a_letter(references=("<info.1.ABCDEFGHIJ@localhost>",)))
        message = self.message(self.letters()[0])
        assert message["To"] == "Jean « Jeannot » Dupont <client@example.com>"
        assert message["Reply-To"] == "Équipe Figurative <support@figurative.example>"
        assert message["Subject"] == "Votre devis [#ABCDEFGHIJ] – été"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["In-Reply-To"] == "<info.1.ABCDEFGHIJ@localhost>"
        assert message.get_body(("plain",)).get_content() == "Bonjour,\n\n2 crédits.\n"
        assert message.get_body(("html",)).get_content() == "<p>Bonjour,</p>\n"

    def test_it_is_private(self, mail: Mail) -> None:
        mail.send(a_letter())
        assert self.letters()[0].stat().st_mode & 0o777 == 0o600
        assert self.folder.stat().st_mode & 0o777 == 0o700


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        self.folder = tmp_path / "files"
        return LocalStore(self.folder)

    def content(self, store: Store, url: str) -> bytes:
        return Path(unquote(urlsplit(url).path)).read_bytes()

    @pytest.mark.parametrize("key", ["../x", "/etc/x", "a/../../x"])
    def test_a_key_stays_inside(self, store: Store, photo: Path, key: str) -> None:
        with pytest.raises(ValueError, match="inside"):
            store.put(key, photo, "x")

    def test_files_are_private(self, store: Store, photo: Path) -> None:
        stored = store.put("folder/01-photo.jpg", photo, "photo.jpg")
        path = Path(urlsplit(stored.url).path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_nothing_half_written_stays(self, store: Store, photo: Path) -> None:
        store.put("folder/01-photo.jpg", photo, "photo.jpg")
        assert [path.name for path in (self.folder / "folder").iterdir()] == ["01-photo.jpg"]


class TestDeliveries(DeliveriesContract):
    @pytest.fixture
    def deliveries(self, tmp_path: Path, clock: Clock) -> Iterator[Deliveries]:
        opened = Deliveries(tmp_path, clock)
        yield opened
        opened.close()

    @pytest.fixture
    def again(self, deliveries: Deliveries, tmp_path: Path, clock: Clock) -> Iterator[Deliveries]:
        opened = Deliveries(tmp_path, clock)
        yield opened
        opened.close()

    def test_a_month_later_it_is_forgotten(self, deliveries: Deliveries, clock: Clock) -> None:
        deliveries.remember("msg_1", b"body")
        clock.forward(days=29)
        with pytest.raises(NotAllowed):
            deliveries.remember("msg_1", b"another body")
        clock.forward(days=2)
        deliveries.remember("msg_2", b"body")
        deliveries.remember("msg_1", b"another body")


class TestLocalCases(CasesContract):
    @pytest.fixture
    def cases(self, tmp_path: Path) -> Cases:
        return LocalCases(tmp_path)

    @pytest.fixture
    def again(self, cases: Cases, tmp_path: Path) -> Cases:
        return LocalCases(tmp_path)

    def test_no_lock_file_stays(self, cases: Cases, tmp_path: Path) -> None:
        with cases.lock("case-1"):
            pass
        assert list((tmp_path / "locks").iterdir()) == []


class TestDatabase:
    def test_it_is_private(self, tmp_path: Path) -> None:
        Database(tmp_path / "home" / "x.sqlite", ("CREATE TABLE t (a)",)).close()
        assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "home" / "x.sqlite").stat().st_mode & 0o777 == 0o600

    def test_migrations_run_once_in_order(self, tmp_path: Path) -> None:
        path = tmp_path / "x.sqlite"
        Database(path, ("CREATE TABLE t (a)",)).close()
        database = Database(path, ("CREATE TABLE t (a)", "ALTER TABLE t ADD b; CREATE TABLE u (c)"))
        database.execute("INSERT INTO t (a, b) VALUES (1, 2)")
        Database(path, ("CREATE TABLE t (a)", "ALTER TABLE t ADD b; CREATE TABLE u (c)")).close()
        assert database.execute("SELECT COUNT(*) FROM t").fetchone()[0] == 1

    def test_a_newer_file_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "x.sqlite"
        Database(path, ("CREATE TABLE t (a)", "CREATE TABLE u (a)")).close()
        with pytest.raises(Misconfigured, match="newer"):
            Database(path, ("CREATE TABLE t (a)",))

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "x.sqlite"
        path.write_text("hello " * 1000)
        with pytest.raises(Misconfigured, match="not a figsupport database"):
            Database(path, ("CREATE TABLE t (a)",))

    def test_a_failed_transaction_leaves_nothing(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "x.sqlite", ("CREATE TABLE t (a UNIQUE)",), "normal")
        with pytest.raises(sqlite3.IntegrityError), database.transaction(durable=True):
            database.execute("INSERT INTO t VALUES (1)")
            database.execute("INSERT INTO t VALUES (1)")
        assert database.execute("SELECT COUNT(*) FROM t").fetchone()[0] == 0
        assert database.execute("PRAGMA synchronous").fetchone()[0] == 1
