"""Stores that earlier versions wrote still open, and the work goes on in them.

`tests/data/stores/N/` are dumps of what the version with the N-th form of the journal wrote: an
accepted request (1001), one that waits for information (1002), one with an open quote and a
question (1003), a support request (1004); the sixth a mail of a stranger, too.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from figsupport import polling, rights
from figsupport.adapters import backup, playing, restoring
from figsupport.core.plan import Waiting
from figsupport.services import Services
from figsupport.settings import Settings

from . import kill
from .conftest import Clock
from .values import NOW

STORES = Path(__file__).parent / "data" / "stores"
VERSIONS = sorted(path.name for path in STORES.iterdir())


@pytest.fixture(params=VERSIONS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    home = tmp_path / "old"
    home.mkdir()
    for name in ("cases", "desk"):
        text = (STORES / request.param / f"{name}.sql").read_text("utf-8")
        with closing(sqlite3.connect(home / f"{name}.sqlite")) as database:
            database.executescript(text.replace("/HOME", str(home)))
    shutil.copy(kill.PHOTO, home / "fauteuil.jpg")
    return home


@pytest.fixture
def open_old(home: Path, clock: Clock) -> Callable[[], Services]:
    def open_() -> Services:
        settings = Settings(
            figsupport_home=home,
            figsupport_sync="normal",
            admin_email="admin@figurative.example",
            mail_from="Figurative <support@figurative.example>",
        )
        return Services(settings, clock)

    return open_


def test_every_form_has_its_store() -> None:
    from figsupport.adapters import cases

    assert [*map(str, range(1, len(cases._MIGRATIONS)))] == VERSIONS


def test_old_cases_are_as_they_were(open_old: Callable[[], Services]) -> None:
    services = open_old()
    found = services.cases.of_contact("Client@example.com")
    assert [case.ticket.id for case in found if case.ticket] == ["1001", "1002", "1004"]
    accepted, waits, support = found
    assert (accepted.validation_status, accepted.credits_estimes) == ("validated", 2)
    assert [mail.kind for mail in accepted.mails] == ["quote", "confirmation"]
    assert [reply.intent for reply in accepted.replies] == ["accept"]
    assert (waits.validation_status, support.validation_status) == ("pending_info", None)
    (open_,) = services.cases.of_contact("autre@example.org")
    assert (open_.validation_status, open_.replies[0].intent) == ("pending_credits", "question")
    assert services.cases.ticket_of(open_.reference) == "1003"
    assert [case.id for case in services.cases.open_cases()] == [waits.id, open_.id]
    waiting = {one.waiting: one.cases for one in services.cases.census()}
    # who has asked is known since the fifth form
    asked = Waiting.PERSON if open_.asked else Waiting.CLIENT_ANSWER
    assert waiting == {Waiting.CLIENT_INFO: 1, asked: 1}
    limits = dict.fromkeys(("support", "dropped", "validated"), NOW)
    assert services.cases.outdated(limits, 9) == [support.id, accepted.id]  # type: ignore[arg-type]
    assert len(services.cases.messages_from("client@example.com")) == 1
    # a mail of nobody we know came to the sixth; it was told then, and counts from now on
    strange = [mail.id for mail in services.cases.messages_from("inconnu@example.net")]
    today = datetime.now(UTC)
    assert services.cases.waiting_mails() == ()
    assert services.cases.outdated_messages(today - timedelta(days=1), 9) == []
    assert services.cases.outdated_messages(today + timedelta(days=1), 9) == strange


def test_the_work_goes_on(open_old: Callable[[], Services], clock: Clock) -> None:
    services = open_old()
    first = polling.poll_pending_tickets(services)
    assert (first.errors, first.replies, first.resumed) == ((), 0, 0)
    (case,) = services.cases.of_contact("autre@example.org")
    raw = playing.as_mail(case, clock(), services.office.sender, "Je valide", None)
    playing.deliver(raw, services.settings.home / "mail", clock())
    done = polling.poll_pending_tickets(open_old())
    assert (done.validated, done.errors, done.strangers) == (1, (), ())
    (letter,) = (services.settings.home / "mail" / "outbox" / "new").iterdir()
    assert "confirmation" in letter.read_text("utf-8")
    subtasks = services.desk_file.execute("SELECT marker FROM subtasks").fetchall()
    assert len({row["marker"] for row in subtasks}) == 2


def test_old_clients_have_rights_and_old_stores_backups(
    open_old: Callable[[], Services], home: Path, tmp_path: Path
) -> None:
    backup.write(home, tmp_path / "b.tar", NOW)
    restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)
    settings = Settings(figsupport_home=tmp_path / "new", figsupport_sync="normal")
    assert len(Services(settings).cases.of_contact("client@example.com")) == 3
    services = open_old()
    found = rights.held("client@example.com", services)
    assert rights.export(found, services, tmp_path / "x.zip")["tickets"] == ["1001", "1002", "1004"]
    assert len(rights.erase("client@example.com", services, force=True).found.cases) == 3
    assert services.cases.of_contact("client@example.com") == []
