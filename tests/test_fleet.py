"""A fleet on a real PostgreSQL: workers, commands, and a plug that is pulled."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from figsupport import polling, workflow
from figsupport.adapters.postgres import PostgresCases
from figsupport.commands.fleet import Failing, Worker
from figsupport.core.events import Event, PollDone, StepDone
from figsupport.core.intake import new_case
from figsupport.core.model import Request
from figsupport.errors import Misconfigured, Refused, Settling
from figsupport.services import Services
from figsupport.settings import Settings, load

from .conftest import Clock
from .fleet import run
from .standins.postgres import PASSWORD, PostgresServer
from .test_workflow import ARMCHAIR, INVOICE, ORNATE, Down, with_photo
from .values import NOW

ROOT = Path(__file__).parent.parent
CHAIR = {"objet": "Chaise", "description": "Une chaise à modéliser.", "user_email": "a@example.com"}


def test_a_fleet_under_fire(
    postgres: PostgresServer, socket_enabled: None, say: Callable[[str], None]
) -> None:
    report = run(postgres, 16, latency=0.05, interval=1.0)
    say(f"fleet: {report}")
    assert report.wrong == []
    assert max(report.taken_over.values()) < 10


class Desk:
    """An embedded desk whose journal is on PostgreSQL, and the commands that work on it."""

    def __init__(self, home: Path, url: str) -> None:
        self.url, self._home = url, home
        self._environment = {
            **os.environ, "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_DATABASE_URL": url,
            "FIGSUPPORT_SYNC": "normal",
        }  # fmt: skip
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "figsupport.cli", *arguments],
            env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=ROOT,
        )  # fmt: skip
        self.running.append(process)
        return process

    def worker(self) -> "subprocess.Popen[str]":
        return self.start("work", "--interval", "0.2")

    def run(self, *arguments: str) -> Any:
        out, err = self.start(*arguments).communicate()
        assert PASSWORD not in out + err
        assert "%40" not in out + err  # nor as it stands in the address
        return json.loads(out)


@pytest.fixture
def desk(postgres: PostgresServer, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "desk", postgres.fresh())
    yield opened
    for process in opened.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def next_line(worker: "subprocess.Popen[str]") -> Any:
    assert worker.stdout is not None
    plug = threading.Timer(60, worker.kill)  # better red than waiting for ever
    plug.start()
    line = worker.stdout.readline()
    plug.cancel()
    return json.loads(line)


def stop(worker: "subprocess.Popen[str]") -> None:
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=60)
    assert (worker.returncode, err) == (0, "")


def test_a_case_of_a_command_is_gone_on_with_by_a_worker_and_the_other_way_round(
    desk: Desk,
) -> None:
    taken = desk.run("intake", "examples/request.json")
    desk.run("reply", taken["ticket_id"], "Vous livrez quand ?")
    worker = desk.worker()
    told = next_line(worker)
    assert (told["case"], told["questions"], told["errors"]) == (taken["request_id"], 1, [])
    stop(worker)
    desk.run("reply", taken["ticket_id"], "Merci. Je valide.")
    assert desk.run("poll")["validated"] == 1
    assert desk.run("validate", taken["ticket_id"], "--credits", "2")["success"]


def test_what_a_dead_command_began_is_finished(desk: Desk) -> None:
    """It had saved the case, and nothing more."""
    journal = PostgresCases(desk.url)
    request = Request.model_validate(CHAIR)
    journal.save(new_case("begun", request, "fr", NOW), unfinished=True)
    journal.close()
    worker = desk.worker()
    told = next_line(worker)
    assert (told["case"], told["resumed"], told["errors"]) == ("begun", 1, [])
    stop(worker)
    assert desk.run("tickets", "begun")["validation_status"] == "pending_info"


def test_what_fails_rests_and_says_so(desk: Desk, tmp_path: Path) -> None:
    """A case that fails is not tried again at every sweep, and holds up no other."""
    journal = PostgresCases(desk.url)
    lost = {**CHAIR, "fichiers": [{"name": "x.jpg", "path": str(tmp_path / "gone" / "x.jpg")}]}
    (tmp_path / "desk" / "mail").mkdir(parents=True)
    (tmp_path / "desk" / "mail" / "outbox").touch()  # where letters should go
    for name in ("bad", "worse"):
        request = Request.model_validate({**lost, "request_id": name})
        journal.save(new_case(name, request, "fr", NOW), unfinished=True)
    worker = desk.worker()
    told = [next_line(worker), next_line(worker)]
    assert {one["case"] for one in told} == {"bad", "worse"}
    assert {one["errors"][0]["code"] for one in told} == {"unavailable"}
    time.sleep(1)  # five sweeps
    worker.send_signal(signal.SIGTERM)
    out, _ = worker.communicate(timeout=60)
    # a sweep may be faster than the rest of a case begins, once
    assert len(out.splitlines()) <= 2
    journal.close()


def test_a_worker_outlives_its_database(desk: Desk, postgres: PostgresServer) -> None:
    taken = desk.run("intake", "examples/request.json")
    desk.run("reply", taken["ticket_id"], "Vous livrez quand ?")
    worker = desk.worker()
    assert next_line(worker)["questions"] == 1
    postgres.stop()
    try:
        assert next_line(worker)["error"]["code"] == "unavailable"
    finally:
        postgres.start()
    desk.run("reply", taken["ticket_id"], "Merci. Je valide.")
    while not next_line(worker).get("validated"):
        pass
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=60)
    assert worker.returncode == 0


# --- time passes -------------------------------------------------------------------------------


@pytest.fixture
def open_fleet(
    database_url: str, tmp_path: Path, clock: Clock, socket_enabled: None
) -> Iterator[Callable[[], Services]]:
    opened: list[Services] = []

    def open_() -> Services:
        settings = Settings(
            figsupport_home=tmp_path / "home",
            figsupport_sync="normal",
            figsupport_database_url=SecretStr(database_url),
            figsupport_pace=10_000,
        )
        opened.append(Services(settings, clock))
        return opened[-1]

    yield open_
    for services in opened:
        services.close()


def told_by_a_worker(
    services: Services, enough: Callable[[list[Any]], bool]
) -> tuple[list[Any], list[Event]]:
    """Let a worker work until it has told enough; return what it told, and its events."""
    heard: list[Event] = []
    services.listeners = (heard.append,)
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGALRM, fail)
    signal.alarm(60)  # better red than waiting for ever
    told: list[Any] = []
    rounds = Worker(services, 2, 0.2).rounds()
    try:
        while not enough(told):
            told.append(next(rounds).document)
    finally:
        signal.alarm(0)
        rounds.close()  # type: ignore[attr-defined]
        signal.signal(signal.SIGTERM, before)
    return told, heard


def fail(*_: object) -> None:
    raise AssertionError("a worker has told nothing for a minute")


def total(told: list[Any], name: str) -> int:
    return sum(one[name] for one in told)


def test_reminders_digest_and_retention_happen_in_a_fleet(
    open_fleet: Callable[[], Services], photo: Path, clock: Clock
) -> None:
    services = open_fleet()
    workflow.intake(INVOICE, services)
    clock.forward(days=3 * 365)
    quoted, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    workflow.intake(with_photo(ORNATE, photo), services)
    clock.forward(days=7, hours=7)  # in working hours
    told, events = told_by_a_worker(
        open_fleet(),
        lambda told: all(total(told, name) for name in ("reminders", "digest", "forgotten")),
    )
    assert [one["errors"] for one in told] == [[]] * len(told)
    assert [total(told, name) for name in ("reminders", "digest", "forgotten")] == [1, 1, 1]
    rounds = [one.errors for one in events if isinstance(one, PollDone)]
    assert rounds == [()] * len(rounds)
    assert "wake" in {one.step for one in events if isinstance(one, StepDone)}
    reminded = services.cases.load(quoted.id)
    assert reminded is not None
    assert [mail.kind for mail in reminded.mails] == ["quote", "reminder"]


def test_a_fleet_reminds_nobody_while_the_mail_cannot_be_read(
    open_fleet: Callable[[], Services], photo: Path, clock: Clock
) -> None:
    """Neither when a sweep finds it so, nor when a turn comes long after the sweep."""
    services = open_fleet()
    quoted, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.forward(days=7, hours=7)  # in working hours
    services.cases.keep("heard", (clock() - timedelta(minutes=5)).isoformat())
    deaf = open_fleet()
    deaf.desk = Down(deaf.desk, "new_messages")
    told, events = told_by_a_worker(deaf, lambda told: len(told) >= 3)
    assert {one["case"] for one in told} == {None}
    assert {one.errors for one in events if isinstance(one, PollDone)} == {("unavailable",)}
    worker = Worker(services, 1, 0.2)
    worker._turn(quoted.id)
    assert services.cases.load(quoted.id) == quoted
    services.cases.keep("heard", clock().isoformat())
    worker._turn(quoted.id)
    reminded = services.cases.load(quoted.id)
    assert reminded is not None
    assert [mail.kind for mail in reminded.mails] == ["quote", "reminder"]
    for one in worker._opened:
        one.close()


class Queue:
    """A queue that nobody serves: what a sweep sends waits."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def cases(self) -> tuple[set[str], set[str]]:
        return set(self.sent), set()

    def send(self, case_id: str, rank: int, *, after: float = 0.0) -> None:
        self.sent.append(case_id)

    def sweep(self) -> None:
        pass


def swept(services: Services) -> tuple[str, ...]:
    """What a sweep of another worker tells its listeners, the ping among them, to have failed."""
    heard: list[Event] = []
    services.listeners = (heard.append,)
    list(Worker(services, 1, 0.2)._sweep(Queue()))  # type: ignore[arg-type]
    (errors,) = (one.errors for one in heard if isinstance(one, PollDone))
    return errors


@pytest.mark.parametrize("finished_by", ["a worker", "a command"])
def test_every_sweep_tells_of_turns_that_failed(
    open_fleet: Callable[[], Services], tmp_path: Path, finished_by: str
) -> None:
    """As `poll` on one machine does in each round, until the case has gone on."""
    outbox = tmp_path / "home" / "mail" / "outbox"
    outbox.parent.mkdir(parents=True)
    outbox.touch()  # where letters should go
    services = open_fleet()
    request = Request.model_validate(CHAIR)
    services.cases.save(new_case("bad", request, "fr", NOW), unfinished=True)
    services.cases.save(new_case("good", request, "fr", NOW), unfinished=True)
    worker = Worker(services, 1, 0.2)
    assert swept(open_fleet()) == ()
    worker._turn("bad")
    for _ in range(2):
        assert swept(open_fleet()) == ("unavailable",)
    worker._turn("bad")
    with services.cases.lock("bad"):  # somebody else is on it: no turn was had
        worker._turn("bad")
    worker._turn("gone")
    assert swept(open_fleet()) == ("unavailable",)
    outbox.unlink()
    if finished_by == "a worker":
        worker._turn("bad")
        assert Failing(services).codes() == {}
    else:
        assert polling.advance_case("bad", services, heard=True).error is None
        assert Failing(services).codes() == {"bad": "unavailable"}
    assert swept(open_fleet()) == ()
    assert Failing(services).codes() == {}
    for one in worker._opened:
        one.close()


def test_what_settles_by_itself_is_no_failure(open_fleet: Callable[[], Services]) -> None:
    services = open_fleet()
    failing, settling = Failing(services), Settling("Wait", until=NOW)
    failing.note("a", polling.Turn(None, settling))
    assert failing.codes() == {}
    failing.note("a", polling.Turn(None, Refused("No", hint="Look.")))
    assert failing.codes() == {"a": "refused"}
    with open_fleet().cases.lock("failing"), pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(Failing, "_PATIENCE", 0.0)
        failing.drop(set())  # another worker is at it: the next sweep does it
    assert failing.codes() == {"a": "refused"}


# --- settings ----------------------------------------------------------------------------------


def test_health_names_the_journal(desk: Desk, postgres: PostgresServer) -> None:
    journal = desk.run("health")["providers"]["cases"]
    assert (journal["adapter"], journal["ok"]) == ("postgresql", True)
    assert journal["detail"].startswith("PostgreSQL ")
    gone = Desk(desk._home, postgres.url("nowhere"))
    report = gone.run("health")
    assert report["status"] == "degraded"
    assert "FIGSUPPORT_DATABASE_URL" in report["providers"]["cases"]["detail"]


def test_a_dry_run_leaves_the_fleet_s_journal_alone(desk: Desk) -> None:
    assert desk.run("intake", json.dumps(CHAIR), "--dry-run")["dry_run"]
    assert desk.run("tickets") == []


@pytest.mark.parametrize(
    "command", [("backup", "b.tar"), ("restore", "b.tar"), ("restore", "b.tar", "--dry-run")]
)
def test_a_backup_of_the_folder_would_not_be_one(desk: Desk, command: tuple[str, ...]) -> None:
    error = desk.run(*command)["error"]
    assert error["code"] == "config_missing"
    assert "pg_dump" in error["hint"]
    assert not (ROOT / "b.tar").exists()


@pytest.mark.parametrize("url", ["mysql://x@y/z", "localhost", "postgresql://host", "secret"])
def test_an_address_that_is_none_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("FIGSUPPORT_DATABASE_URL", url)
    with pytest.raises(
        Misconfigured, match=r"FIGSUPPORT_DATABASE_URL: .*postgresql://user"
    ) as told:
        load()
    assert url not in str(told.value)


def test_a_worker_needs_a_database(desk: Desk) -> None:
    assert Desk(desk._home, "").run("work")["error"]["code"] == "config_missing"
    assert desk.run("work", "--dry-run")["error"]["code"] == "usage"


def test_every_command_of_the_readme_works(desk: Desk) -> None:
    """In the order of the section, on the folder of a machine that has worked alone."""
    alone = Desk(desk._home, "")
    alone.run("intake", "examples/request.json")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## A fleet")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)
    commands = [
        line.partition("#")[0].split()[1:] for line in block.splitlines() if "figsupport" in line
    ]
    assert [command[0] for command in commands] == ["migrate", "work"]
    assert desk.run(*commands[0]) == {"cases": 1, "open": 1, "messages": 0, "already": False}
    assert alone.run("tickets")["error"]["code"] == "config_missing"
    assert len(desk.run("tickets")) == 1
    desk.run("reply", "1001", "Je valide")
    worker = desk.start(*commands[1])
    assert next_line(worker)["validated"] == 1
    stop(worker)
