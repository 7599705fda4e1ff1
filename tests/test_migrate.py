"""Moving the embedded journal to PostgreSQL: everything or nothing, once, and nobody left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from figsupport.adapters import moving
from figsupport.adapters.cases import LocalCases
from figsupport.adapters.locks import file_lock
from figsupport.adapters.moving import move
from figsupport.adapters.postgres import PostgresCases
from figsupport.core.model import Reply, TicketRef
from figsupport.errors import Busy, Misconfigured, NotAllowed, NotFound
from figsupport.ports import Cases, News

from .contracts import EMAIL, a_message
from .standins.postgres import PostgresServer
from .values import NOW, a_case

ROOT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two open cases, a finished one, and mails: one read, one not."""
    cases = LocalCases(tmp_path / "desk")
    cases.save(a_case(id="new"), unfinished=True)
    reply = Reply(message_id="m1", intent="unclear")
    cases.receive(News((a_message(1), a_message(2)), "2026"), NOW)
    quoted = a_case(
        id="quoted",
        ticket=TicketRef(id="1001"),
        validation_status="pending_credits",
        replies=(reply,),
    )
    cases.save(quoted, unfinished=False, wake_at=NOW)
    cases.save(a_case(id="done", validation_status="validated"), unfinished=False)
    cases.keep("digest", "today's")
    cases.close()
    return tmp_path / "desk"


def all_of(cases: Cases) -> tuple[object, ...]:
    return (
        cases.open_cases(),
        cases.due(NOW),
        cases.census(),
        cases.of_contact("client@example.com"),
        cases.messages_from(EMAIL),
    )


def test_everything_moves(home: Path, journal: PostgresCases) -> None:
    local = LocalCases(home)
    before = all_of(local)
    local.close()
    assert move(home, journal) == (3, 2, 2, False)
    assert all_of(journal) == before
    assert journal.outdated({"validated": NOW + timedelta(days=1)}, 9) == ["done"]
    assert journal.recall("digest") == "today's"
    assert [message.id for message in journal.inbox("1001")] == ["m2"]
    assert journal.watermark() == "2026"
    assert journal.receive(News((a_message(1),), "2026"), NOW) == 0
    journal.save(a_case(id="next"), unfinished=True)
    assert journal.due(NOW)[-1] == "next"


def test_nobody_goes_on_with_the_old_file(home: Path, journal: PostgresCases) -> None:
    had_it_open = LocalCases(home)
    move(home, journal)
    with pytest.raises(Misconfigured, match="lives in PostgreSQL now") as told:
        had_it_open.save(a_case(id="late"), unfinished=True)
    assert "FIGSUPPORT_DATABASE_URL" in told.value.hint
    with pytest.raises(Misconfigured, match="lives in PostgreSQL now"):
        had_it_open.receive(News((a_message(9),), "9"), NOW)
    had_it_open.close()
    with pytest.raises(Misconfigured, match="lives in PostgreSQL now"):
        LocalCases(home)


def test_twice_is_once(home: Path, journal: PostgresCases) -> None:
    move(home, journal)
    journal.save(a_case(id="new", rounds=2), unfinished=False)  # the fleet goes on
    journal.save(a_case(id="more"), unfinished=True)
    assert move(home, journal).already
    gone_on = journal.load("new")
    assert gone_on is not None
    assert gone_on.rounds == 2


def test_other_cases_are_not_mixed(home: Path, journal: PostgresCases) -> None:
    for id_ in ("foreign", "new"):
        journal.save(a_case(id=id_), unfinished=True)
        with pytest.raises(NotAllowed, match="already holds"):
            move(home, journal)
        local = LocalCases(home)  # is as it was, and goes on
        local.save(a_case(id="new", rounds=1), unfinished=True)
        local.close()
    assert len(journal.due(NOW)) == 2


def test_whoever_works_is_not_disturbed(home: Path, journal: PostgresCases) -> None:
    for name in ("poll", "quoted"):
        with file_lock(home / "locks", name), pytest.raises(Busy):
            move(home, journal)
    assert journal.due(NOW) == []
    LocalCases(home).close()


def test_what_does_not_arrive_whole_does_not_arrive(
    home: Path, journal: PostgresCases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_verify", fail)
    with pytest.raises(AssertionError, match="did not arrive"):
        move(home, journal)
    assert journal.due(NOW) == []
    monkeypatch.undo()
    assert move(home, journal) == (3, 2, 2, False)


def fail(*_: object) -> None:
    raise AssertionError("1 rows of cases did not arrive")


def test_nothing_to_move(tmp_path: Path, journal: PostgresCases) -> None:
    with pytest.raises(NotFound, match="no embedded journal"):
        move(tmp_path, journal)


def test_a_rehearsal_moves_nothing(home: Path, journal: PostgresCases) -> None:
    assert move(home, journal, pretend=True) == (3, 2, 2, False)
    assert journal.due(NOW) == []
    LocalCases(home).close()


# --- by the command line ---------------------------------------------------------------------

KILLED = """
import os, signal, sys
from figsupport import cli
from figsupport.adapters import moving
real, at = getattr(moving, sys.argv[1]), sys.argv[2]
def killed(*given, **named):
    if at == "after":
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(moving, sys.argv[1], killed)
cli.main(["migrate"])
"""


def migrate(home: Path, url: str, *before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(before or ("-m", "figsupport.cli")), *([] if before else ["migrate"])],
        env={**os.environ, "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_DATABASE_URL": url},
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("function", "when"), [("_freeze", "before"), ("_freeze", "after"), ("_copy", "after")]
)
def test_a_killed_move_is_finished_by_the_next(
    home: Path, postgres: PostgresServer, function: str, when: str
) -> None:
    url = postgres.fresh()
    assert migrate(home, url, "-c", KILLED, function, when).returncode == -signal.SIGKILL
    if (function, when) != ("_freeze", "before"):
        with pytest.raises(Misconfigured, match="lives in PostgreSQL now"):
            LocalCases(home)
    ran = migrate(home, url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said: Any = json.loads(ran.stdout)
    assert said == {"cases": 3, "open": 2, "messages": 2, "already": function == "_copy"}
    assert len(postgres.sql("SELECT id FROM figsupport.cases", url.rpartition("/")[2])) == 3


def test_without_a_database_the_variable_is_named(home: Path) -> None:
    ran = migrate(home, "")
    assert ran.returncode == 78
    assert "FIGSUPPORT_DATABASE_URL" in json.loads(ran.stdout)["error"]["message"]


def test_a_copy_of_the_folder_is_not_moved_twice(
    home: Path, journal: PostgresCases, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path / "copy")
    move(home, journal)
    assert move(tmp_path / "copy", journal).already
