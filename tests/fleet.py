"""A fleet under fire: two workers and a command share PostgreSQL, and two of the three are killed.

`python -m tests.fleet` takes 200 requests in by a command, clients accept their quotes, and two
workers do what follows. The command is killed with a case in its hands, then, as half of the
clients answer at once, a worker is. The providers are slow, and none of them refuses a double: the
stand-in of HubSpot keeps no key unique here. At the end every request has one ticket, one quote,
one subtask, one confirmation. `--without PART` breaks the program on purpose.

Taken over: how long after the kill the last case of the dead was moved on by somebody alive.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import NamedTuple

from figsupport.adapters.postgres import PostgresCases, lock_key
from figsupport.core.model import reference

from .kill import PARTS
from .standins import clickup as clickup_
from .standins import hubspot as hubspot_
from .standins.postgres import PostgresServer

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "examples" / "photos" / "fauteuil.jpg"
_PATIENCE = 300.0
_BROKEN = """
import sys
from tests.kill import PARTS
from figsupport import cli
PARTS[sys.argv[1]]()
cli.main(sys.argv[2:])
"""


class Report(NamedTuple):
    """What came of it. `wrong`: what is lost, doubled or otherwise not as it must be."""

    cases: int
    seconds: float
    orphans: dict[str, int]
    taken_over: dict[str, float]
    wrong: list[str]

    def __str__(self) -> str:
        told = ", ".join(
            f"{name} killed with {self.orphans[name]} in hand, taken over after {seconds:.1f} s"
            for name, seconds in self.taken_over.items()
        )
        state = "\n".join(self.wrong) or "0 lost, 0 doubled"
        return f"{self.cases} cases in {self.seconds:.0f} s; {told}; {state}"


class Field:
    """The providers, the database, and the processes that work between them."""

    def __init__(
        self, server: PostgresServer, latency: float, interval: float, part: str | None
    ) -> None:
        self.url, self._interval = server.fresh(), interval
        program = ["-c", _BROKEN, part] if part else ["-m", "figsupport.cli"]
        self._program = [sys.executable, *program]
        self._server = server
        self.home = Path(tempfile.mkdtemp(prefix="fleet-"))
        self.hubspot, self.clickup = hubspot_.HubSpot(), clickup_.ClickUp()
        self.hubspot.unique = {"contacts": "email"}
        self.hubspot.clock = datetime.now(UTC) + timedelta(minutes=1)
        self.hubspot.latency = self.clickup.latency = latency
        self.journal = PostgresCases(self.url)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command; what it prints goes to a file of its own."""
        environment = {
            **os.environ,
            "FIGSUPPORT_HOME": str(self.home),
            "FIGSUPPORT_DATABASE_URL": self.url,
            "FIGSUPPORT_PACE": "10000",
            "FIGSUPPORT_STORE": "local",
            "FIGSUPPORT_JUDGE": "rules",
            "FIGSUPPORT_MAIL": "local",
            "FIGSUPPORT_SYNC": "normal",
            "FIGSUPPORT_SETTLE": "2",
            "FIGSUPPORT_TIMEOUT": "5",
            "HUBSPOT_API_KEY": hubspot_.KEY,
            "HUBSPOT_BASE_URL": self.hubspot.url,
            "HUBSPOT_HUB_ID": "145",
            "HUBSPOT_PIPELINE_ID": "77",
            "HUBSPOT_STAGE_NEW": "1",
            "CLICKUP_API_KEY": clickup_.KEY,
            "CLICKUP_BASE_URL": self.clickup.url,
            "CLICKUP_PARENT_TASK_ID": clickup_.PARENT,
            "MAIL_FROM": "Figurative <support@figurative.example>",
            "ADMIN_EMAIL": "admin@figurative.example",
        }
        with (self.home / f"{len(self.processes)}.out").open("wb") as out:
            process = subprocess.Popen(
                [*self._program, *arguments],
                env=environment, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self) -> "subprocess.Popen[bytes]":
        """Start a worker."""
        return self.start("work", "--interval", str(self._interval))

    def printed(self, process: "subprocess.Popen[bytes]") -> list[str]:
        """The lines that a process has printed so far."""
        path = self.home / f"{self.processes.index(process)}.out"
        return path.read_text(encoding="utf-8").splitlines()

    def in_hand(self, process: "subprocess.Popen[bytes]") -> list[str]:
        """The unfinished cases whose locks a process holds."""
        rows = self.journal.database.execute(
            "SELECT (classid::bigint << 32) | objid::bigint AS key "
            "FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND granted AND application_name = ?",
            (f"figsupport {process.pid}",),
        )
        held = {row["key"] for row in rows}
        return [one for one in self.journal.due(datetime.now(UTC)) if lock_key(one) in held]

    def kill(self, process: "subprocess.Popen[bytes]", hands: int) -> tuple[int, float]:
        """Kill a process that has so many cases in hand; return how many it leaves behind.

        And after how many seconds somebody had gone on with the last of them.
        """
        self.wait_for(lambda: len(self.in_hand(process)) >= hands)
        held = self.in_hand(process)
        process.kill()
        died = time.monotonic()
        process.wait()
        due = self.journal.due(datetime.now(UTC))
        left = {one: self.journal.load(one) for one in held if one in due}
        count = len(left)
        while left and time.monotonic() - died < _PATIENCE:
            left = {one: case for one, case in left.items() if self.journal.load(one) == case}
            time.sleep(0.02)
        return count, time.monotonic() - died

    def wait_for(self, what: Callable[[], bool], patience: float = _PATIENCE) -> bool:
        """Wait until something is so; tell whether it came to be."""
        until = time.monotonic() + patience
        while not what():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def letters(self) -> list[str]:
        """The Message-IDs of the letters that have left."""
        paths = sorted((self.home / "mail" / "outbox" / "new").glob("*"))
        mails = (message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths)
        return [str(mail["Message-ID"]) for mail in mails]

    def close(self) -> None:
        """End what still runs and forget everything."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.journal.close()
        self.hubspot.close()
        self.clickup.close()
        shutil.rmtree(self.home)


class Clients(threading.Thread):
    """Half of the clients accept at once, the others each as soon as he has his quote."""

    def __init__(self, field: Field, names: list[str]) -> None:
        super().__init__(daemon=True)
        self._field, self._names = field, {reference(name): name for name in names}
        self.stopped = threading.Event()

    def run(self) -> None:
        answered: set[str] = set()
        while not self.stopped.wait(0.2):
            letters = self._field.letters()
            if len(letters) < len(self._names) // 2:
                continue
            for letter in letters:
                kind, _, rest = letter.strip("<>").partition(".")
                mark = re.findall(r"[A-Z2-7]{10}", rest)
                if kind != "quote" or mark[0] in answered:
                    continue
                answered.add(mark[0])
                with self._field.hubspot.lock:
                    self._field.hubspot.client_writes(
                        f"{self._names[mark[0]]}@example.com",
                        "Je valide",
                        f"Re: devis [#{mark[0]}]",
                    )


def requests(count: int, path: Path) -> list[str]:
    """Write so many requests, one a line; return their ids."""
    names = [f"form-{number}" for number in range(count)]
    lines = [
        {
            "source": "modelisation",
            "objet": f"Fauteuil {name}",
            "description": "Un fauteuil à modéliser avec ses textures.",
            "user_email": f"{name}@example.com",
            "user_name": "Jean Dupont",
            "request_id": name,
            "fichiers": [{"name": PHOTO.name, "path": str(PHOTO)}],
        }
        for name in names
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return names


def run(
    server: PostgresServer, count: int, latency: float, interval: float, part: str | None = None
) -> Report:
    """Let two workers and a command do the work, and kill one of each."""
    field = Field(server, latency, interval, part)
    try:
        return _run(field, count)
    finally:
        field.close()


def _run(field: Field, count: int) -> Report:
    began = time.monotonic()
    wrong: list[str] = []
    names = requests(count, field.home / "many.jsonl")
    clients = Clients(field, names)
    clients.start()
    first, second = field.worker(), field.worker()
    command = field.start("intake", str(field.home / "many.jsonl"))
    orphans, taken_over = {}, {}

    field.wait_for(lambda: len(field.printed(command)) >= count // 4)
    orphans["the command"], taken_over["the command"] = field.kill(command, 1)

    command = field.start("intake", str(field.home / "many.jsonl"))  # given again
    field.wait_for(lambda: len(field.clickup.children()) >= count // 8)
    orphans["a worker"], taken_over["a worker"] = field.kill(first, 3)

    if command.wait() != 0:
        wrong.append(f"the command ended with {command.returncode}: {field.printed(command)[-1:]}")
    done = field.wait_for(
        lambda: not field.journal.due(datetime.now(UTC)) and _all_validated(field, names)
    )
    seconds = time.monotonic() - began
    clients.stopped.set()
    second.send_signal(signal.SIGTERM)
    if second.wait(60) != 0:
        wrong.append(f"the worker ended with {second.returncode}: {field.printed(second)[-3:]}")
    if not done:
        wrong.append(
            f"not finished: {[line for line in field.printed(second) if 'code' in line][-3:]}"
        )
    wrong += books(field, names)
    return Report(count, seconds, orphans, taken_over, wrong)


def _all_validated(field: Field, names: list[str]) -> bool:
    tickets = list(field.hubspot.objects["tickets"].values())
    done = [one for one in tickets if one["properties"].get("validation_status") == "validated"]
    return len(done) >= len(names)


def books(field: Field, names: list[str]) -> list[str]:
    """What is lost or doubled, anywhere."""
    objects = field.hubspot.objects
    marks = [reference(name) for name in names]
    found = {
        "tickets": [one["properties"]["figsupport_key"] for one in objects["tickets"].values()],
        "subtasks": re.findall(r"\[REF-([A-Z2-7]{10})", str([c["name"] for c in field.clickup.children()])),
        "letters": [f"{one.strip('<>').partition('@')[0]}" for one in field.letters()],
        "records": [
            f"{one['properties']['hs_email_subject']}" for one in objects["emails"].values()
        ],
    }  # fmt: skip
    return [*_differences(found, names, marks)]


def _differences(found: dict[str, list[str]], names: list[str], marks: list[str]) -> list[str]:
    wrong = []
    for kind, entries in found.items():
        each = 2 if kind in ("letters", "records") else 1
        twice = [entry for entry, times in Counter(entries).items() if times > 1]
        if twice:
            wrong.append(f"doubled {kind}: {twice}")
        if len(set(entries)) != each * len(names):
            wrong.append(f"{kind}: {len(set(entries))}, expected {each * len(names)}")
    return wrong


def main() -> int:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=200, metavar="N")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds a call takes")
    parser.add_argument("--interval", type=float, default=5.0, help="of the workers' sweeps")
    parser.add_argument("--without", choices=PARTS, help="break the program on purpose")
    given = parser.parse_args()
    server = PostgresServer()
    try:
        report = run(server, given.cases, given.latency, given.interval, given.without)
    finally:
        server.close()
    print(report)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
