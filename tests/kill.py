"""Pulling the plug: every path of the flow, killed at every moment that could matter.

`python -m tests.kill --all` runs the whole matrix; without it a sample. A warm parent forks a
child for each moment; the child runs the commands of the path and sends itself SIGKILL when its
moment comes. Then the commands are given again, as people and cron would, and the books must be
those of an undisturbed run: every row of both databases, every letter, every stored file.

A moment is: just before and just after each call of a port, and before each change of the disk
inside it (a file that appears, is opened to be written, moves or goes; an SQL statement, a
COMMIT too). What SQLite does inside one statement is SQLite's own promise.

`--without PART` breaks the program on purpose: each must turn the matrix red.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from figsupport import polling, ports, steps, workflow
from figsupport.adapters import database, playing
from figsupport.adapters.local_store import LocalStore
from figsupport.adapters.maildir import Inbox
from figsupport.core.model import Case, Message, Request
from figsupport.services import Services
from figsupport.settings import Settings

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "examples" / "photos" / "fauteuil.jpg"
MODEL = ROOT / "examples" / "models" / "table.glb"
MEMORY = Path("/dev/shm")  # a killed process loses nothing that a disk would have kept
#: a Monday before anybody works
BEGIN = datetime(2026, 3, 2, 5, tzinfo=UTC)

# --- what people do ------------------------------------------------------------------------

Act = Callable[[Services], None]


class Story(NamedTuple):
    """A path of the flow: what people do, in order, and what must be in the books then."""

    acts: tuple[Act, ...]
    status: str | None
    letters: tuple[str, ...]
    subtasks: int = 0
    files: tuple[Path, ...] = ()
    notes: int = 0
    days: tuple[float, ...] = ()  # when each act is, after the beginning; the last poll, too


def request(objet: str, description: str, *files: Path, source: str = "modelisation") -> Request:
    return Request.model_validate(
        {
            "source": source,
            "objet": objet,
            "description": description,
            "user_email": "client@example.com",
            "user_name": "Jean Dupont",
            "fichiers": [{"name": path.name, "path": str(path)} for path in files],
        }
    )


def take_in(given: Request) -> Act:
    def act(services: Services) -> None:
        workflow.intake(given, services)

    return act


def decide(verdict: workflow.Verdict, credits_: int = 0) -> Act:
    def act(services: Services) -> None:
        workflow.process_validation("1001", services, verdict, credits_, "Note")

    return act


def poll(services: Services) -> None:
    for _ in range(3):  # rounds of cron
        for _, error in polling.poll_pending_tickets(services).errors:
            raise error
        if not services.cases.due(services.now()):
            return


def answer(text: str, photo: bool = False) -> Act:
    """The client writes; his mail server is not what is killed here."""

    def client(services: Services) -> None:
        case = workflow.find_case("1001", services)
        raw = playing.as_mail(case, services.now(), services.office.sender, text, None)
        if photo:
            mail = message_from_bytes(raw, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            mail.make_mixed(boundary="photo")
            mail.add_attachment(
                PHOTO.read_bytes(), maintype="image", subtype="jpeg", filename="chaise.jpg"
            )
            raw = mail.as_bytes()
        Inbox(services.settings.home / "mail").deliver(raw)

    return client


ARMCHAIR = take_in(request("Fauteuil", "Un fauteuil à modéliser avec ses textures.", PHOTO))
ORNATE = take_in(request("Cheminée", "Cheminée en marbre sculptée à modéliser.", PHOTO))
CHAIR = take_in(request("Chaise", "Une chaise à modéliser."))
TABLE = take_in(request("Table", "Éclaircir le bois de ce fichier GLB.", MODEL, PHOTO))
INVOICE = take_in(request("Facture", "Où est ma facture ?", source="facturation"))
RIDDLE = take_in(request("", "bonjour", source=""))
YES, NO, WHEN = answer("Je valide"), answer("Non merci"), answer("Vous livrez quand ?")
CONFIRMED = ("quote.1", "confirmation")

STORIES: dict[str, Story] = {
    "support": Story((INVOICE,), None, ()),
    "type unsure": Story((RIDDLE,), None, ("administrator.type",)),
    "accepted": Story((ARMCHAIR, YES, poll), "validated", CONFIRMED, 1, (PHOTO,)),
    "refused": Story((ARMCHAIR, NO, poll), "rejected", ("quote.1", "refusal"), 0, (PHOTO,)),
    "question": Story(
        (ARMCHAIR, WHEN, poll), "pending_credits", ("quote.1", "administrator"),
        0, (PHOTO,), notes=1,
    ),
    "completed": Story(
        (CHAIR, answer("Voici la photo.", photo=True), poll, YES, poll),
        "validated", ("info.1", *CONFIRMED), 1, (PHOTO,),
    ),
    "decided": Story(
        (ORNATE, decide("accept", 5)), "validated", ("administrator.complex", "confirmation"),
        1, (PHOTO,),
    ),
    "quoted by hand": Story(
        (ORNATE, decide("quote", 5), YES, poll), "validated",
        ("administrator.complex", *CONFIRMED), 1, (PHOTO,),
    ),
    "rejected by hand": Story(
        (ARMCHAIR, decide("reject")), "rejected", ("quote.1", "rejection"), 0, (PHOTO,)
    ),
    "reminded, accepted": Story(
        (ARMCHAIR, poll, YES, poll), "validated", ("quote.1", "reminder.1.1", "confirmation"),
        1, (PHOTO,), days=(0, 3.2, 3.3, 3.3, 3.3),
    ),
    "reminded, ended": Story(
        (CHAIR, poll, poll, poll, YES, poll), "rejected",
        ("info.1", "info_reminder.1.1", "info_reminder.1.2", "expiry.1", "administrator"),
        notes=1, days=(0, 3.2, 10.2, 24.2, 24.9, 24.9, 24.9),
    ),
    "digest": Story(
        (ORNATE, poll), "pending_admin", ("administrator.complex", "digest"), 0, (PHOTO,),
        days=(0, 1.2, 1.2),
    ),
    "two files": Story((TABLE, YES, poll), "validated", CONFIRMED, 1, (MODEL, PHOTO)),
}  # fmt: skip

# --- where it is killed --------------------------------------------------------------------


class Moments:
    """Counts moments; at the one it is told, the process is gone."""

    def __init__(self, at: int | None) -> None:
        self.count, self.asleep, self._at = 0, True, at

    def __call__(self) -> None:
        if not self.asleep:
            self.count += 1
            if self.count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A port whose every call is a moment before and a moment after."""

    def __init__(self, port: Any, moment: Moments) -> None:
        self._port, self._moment = port, moment

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name == "lock" or not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._moment()
            result = found(*given, **named)
            self._moment()
            return result

        return call


class Fragile(Services):
    """Services whose ports are watched."""

    def __init__(self, home: Path, now: datetime, moment: Moments) -> None:
        super().__init__(Settings(figsupport_home=home, figsupport_sync="normal"), lambda: now)
        self._moment = moment

    def _build(self, port: str) -> Any:
        return Watched(super()._build(port), self._moment)

    @cached_property
    def cases(self) -> ports.Cases:
        watched: Any = Watched(super().cases, self._moment)
        cases: ports.Cases = watched
        return cases


_READS = ("SELECT", "PRAGMA foreign_keys", "PRAGMA synchronous")


def watch_disk(home: Path, moment: Moments) -> None:
    """Moments inside an effect: before each change of a file or of a database."""
    connect = sqlite3.connect

    def watched_connect(*given: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*given, **named)

        def traced(statement: str) -> None:
            if not statement.lstrip().startswith(_READS) and statement != "PRAGMA user_version":
                moment()

        connection.set_trace_callback(traced)
        return connection

    def audited(event: str, given: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.link", "os.remove", "os.mkdir", "open"):
            path, flags = given[0], given[2] if event == "open" else os.O_WRONLY
            # a descriptor is opened to write to a file that was just created
            inside = isinstance(path, int) or str(path).startswith(str(home))
            if inside and flags & (os.O_WRONLY | os.O_RDWR):
                moment()

    sqlite3.connect = watched_connect  # type: ignore[assignment]
    sys.addaudithook(audited)


# --- breaking it on purpose ----------------------------------------------------------------


def _without_intent() -> None:
    """The intent is not saved before the effect."""
    real = workflow.remember

    def forget(case: Case, services: Services) -> Case:
        real(case.with_(doing=None), services)
        return case

    workflow.remember = forget


def _without_find() -> None:
    """Nobody is asked in doubt."""

    def sure(step: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: step(*given, **{**named, "in_doubt": False})

    for name in ("create_ticket", "add_note", "record_letter", "send_email_to_contact",
                 "create_subtask"):  # fmt: skip
        setattr(steps, name, sure(getattr(steps, name)))


def _without_order() -> None:
    """A mail leaves the inbox before it is on the desk."""
    read, archive = Inbox.read, Inbox.archive

    def take(inbox: Inbox, path: Path, now: datetime) -> Message:
        message = read(inbox, path, now)
        archive(inbox, path)
        return message

    Inbox.read = take  # type: ignore[method-assign,assignment]
    Inbox.archive = lambda inbox, path: None  # type: ignore[method-assign,assignment]


def _without_whole() -> None:
    """A stored file is written under its own name."""

    def copy(store: LocalStore, source: Path, target: Path) -> None:
        with os.fdopen(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as write:
            write.write(source.read_bytes())

    LocalStore._copy = copy  # type: ignore[method-assign,assignment]


def _without_transactions() -> None:
    """Statements that belong together are committed one by one."""

    @contextmanager
    def transaction(_: Any, *, durable: bool = False) -> Iterator[None]:
        yield

    database.Database.transaction = transaction  # type: ignore[method-assign,assignment]


PARTS = {
    "intent": _without_intent,
    "find": _without_find,
    "order": _without_order,
    "whole": _without_whole,
    "transactions": _without_transactions,
}

# --- one run -------------------------------------------------------------------------------


def run(story: Story, folder: Path, at: int | None, part: str | None, cron: bool = False) -> int:
    """Do what is not done yet of a story, in one child that is killed at a moment.

    `cron`: `poll` runs before the command that was killed is given again. Returns how many
    moments there were; below zero: minus the signal or the exit code that ended the child.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if part:
                PARTS[part]()
            moment = Moments(at)
            watch_disk(folder / "home", moment)
            _act_all(story, folder, moment, cron)
            os.write(write, str(moment.count).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        counted = pipe.read()
    _, status = os.waitpid(child, 0)
    return int(counted) if counted else -abs(os.waitstatus_to_exitcode(status))


def _act_all(story: Story, folder: Path, moment: Moments, cron: bool) -> None:
    """Each act is a command of its own; the time of day follows from its number."""
    done = folder / "done"
    first = int(done.read_text()) if done.exists() else 0
    for number, act in enumerate((*story.acts, poll)[first:], first):
        days = story.days[number] if story.days else 0
        now = BEGIN + timedelta(minutes=number, days=days)
        for command in (poll, act) if cron and number == first else (act,):
            services = Fragile(folder / "home", now, moment)
            moment.asleep = act.__name__ == "client"
            command(services)
            moment.asleep = True
        done.write_text(str(number + 1))


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder of its own, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kill-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# --- the books -----------------------------------------------------------------------------


def books(home: Path) -> dict[str, Any]:
    """Everything that is written anywhere, read from the files themselves."""
    found: dict[str, Any] = {}
    for name in ("desk", "cases"):
        with closing(sqlite3.connect(home / f"{name}.sqlite")) as database:
            database.row_factory = sqlite3.Row
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                rows = database.execute(f"SELECT rowid, * FROM {table}").fetchall()
                found |= {f"{name}.{table}[{row[0]}]": dict(row) for row in rows}
    for box in ("outbox", "inbox", "archive"):
        for number, letter in enumerate(sorted((home / "mail" / box).glob("[nc][eu][wr]/*"))):
            found[f"{box}[{number}]"] = _letter(letter)
    store = home / "files"
    secret = ""
    for file in sorted(store.glob("[!.]*/[!.]*")):
        secret = file.parent.name
        found[f"file {file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    text = json.dumps(found, default=str).replace(str(home), "HOME")
    text = text.replace(secret, "SECRET") if secret else text
    books_: dict[str, Any] = json.loads(text)
    return books_


def _letter(file: Path) -> dict[str, str]:
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    words = {name: str(mail[name]) for name in ("Message-ID", "To", "Subject", "Date")}
    return {**words, "text": body.get_content() if body else ""}


def differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    """Say what is not in the books, or too much in them, or otherwise there."""
    for entry in sorted(found.keys() | expected.keys()):
        if entry not in found:
            yield f"missing: {entry} {_short(expected[entry])}"
        elif entry not in expected:
            yield f"too much: {entry} {_short(found[entry])}"
        elif found[entry] != expected[entry]:
            yield f"{entry}: {_short(found[entry])}, expected {_short(expected[entry])}"


def _short(entry: Any) -> str:
    if isinstance(entry, dict):  # the letter's or the row's own name says most
        entry = next((entry[name] for name in ("Message-ID", "key") if name in entry), entry)
    return str(entry)[:300]


def check_told(story: Story, found: dict[str, Any]) -> None:
    """Hold the books of an undisturbed run against what the story says."""

    def rows(start: str) -> list[Any]:
        return [entry for name, entry in found.items() if name.startswith(start)]

    (ticket,), (row,) = rows("desk.tickets"), rows("cases.cases")
    case, properties = json.loads(row["document"]), json.loads(ticket["properties"])
    letters = [mail["Message-ID"].strip("<").partition("@")[0] for mail in rows("outbox")]
    names = [letter.rpartition(".")[0] for letter in letters]
    to_client = [name for name in letters if not name.startswith(("administrator", "digest"))]
    recorded = [row["id"] for row in rows("desk.messages") if row["direction"] == "out"]
    assert [name for name in names if name in story.letters or _at_large(name, story)] == names
    assert len(names) == len(story.letters), names
    assert [one.strip("<").partition("@")[0] for one in recorded] == to_client
    assert case["validation_status"] == properties.get("validation_status") == story.status
    assert case["doing"] is None
    assert case["outbox"] == []
    assert not row["due"]
    assert len(rows("desk.contacts")) == 1
    assert len(rows("desk.subtasks")) == story.subtasks
    assert len(rows("desk.notes")) == story.notes
    kept = [
        entry
        for name, entry in found.items()
        if name.startswith("file ") and not re.search("acceptance-|-thumbnail", name)
    ]
    assert kept == [hashlib.sha256(path.read_bytes()).hexdigest() for path in story.files]
    assert len(rows("file acceptance-")) == (story.acts.count(YES) if story.subtasks else 0)
    assert len(properties["fichiers_urls"].split()) == len(story.files)
    assert not rows("inbox")
    assert not [mail for mail in rows("cases.inbox") if mail["unread"]]
    answers = [act for act in story.acts if act.__name__ == "client"]
    assert len(rows("archive")) == len(rows("cases.inbox")) == len(answers)


def _at_large(name: str, story: Story) -> bool:
    """Tell a letter to the administrator about a reply: its name ends with the reply's."""
    return name.startswith("administrator.") and "administrator" in story.letters


# --- the matrix ----------------------------------------------------------------------------


def undisturbed(name: str) -> tuple[int, dict[str, Any]]:
    """Return how many moments a story has, and the books at its end."""
    with fresh_folder() as folder:
        moments = run(STORIES[name], folder, None, None)
        assert moments > 0, f"{name}: the undisturbed run failed ({moments})"
        expected = books(folder / "home")
    check_told(STORIES[name], expected)
    return moments, expected


def kill_at(name: str, at: int, part: str | None, expected: dict[str, Any]) -> list[str]:
    """Kill a story at a moment, give the commands again, and return what is wrong then.

    Every second time cron comes first; every fifth time the recovery is killed as well.
    """
    story = STORIES[name]
    with fresh_folder() as folder:
        if run(story, folder, at, part) != -signal.SIGKILL:
            return [f"moment {at} was never reached"]
        if at % 5 == 0:
            run(story, folder, 1 + at * 7 % 40, part, cron=at % 2 == 0)
        end = run(story, folder, None, part, cron=at % 2 == 0)
        if end < 0:
            return [f"giving the same commands again ended with {end}"]
        return list(differences(books(folder / "home"), expected))


def matrix(names: list[str], every: int, part: str | None = None) -> tuple[int, int, list[str]]:
    """Kill stories at every `every`-th moment; return kills, red ones, and what is wrong."""
    tried, red, wrong = 0, 0, []
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        for name in names:
            began = time.monotonic()
            moments, expected = pool.submit(undisturbed, name).result()
            points = range(1 + len(name) % every, moments + 1, every)
            ended = [(at, pool.submit(kill_at, name, at, part, expected)) for at in points]
            for at, end in ended:
                lines = end.result()
                red += bool(lines)
                wrong += [f"{name}, moment {at} of {moments}: {line}" for line in lines]
            tried += len(points)
            spent = time.monotonic() - began
            print(f"{name:18} {len(points):4} of {moments:4} moments  {spent:5.1f} s", flush=True)
    return tried, red, wrong


def main() -> int:
    """Run the matrix and print what was counted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every moment (minutes)")
    parser.add_argument("--sample", type=int, default=20, metavar="N", help="every N-th moment")
    parser.add_argument("--path", choices=STORIES, help="one path of the flow only")
    parser.add_argument("--without", choices=PARTS, help="break the program on purpose")
    given = parser.parse_args()
    names = [given.path] if given.path else list(STORIES)
    tried, red, wrong = matrix(names, 1 if given.all else given.sample, given.without)
    for line in wrong:
        print("✗", line)
    state = f"{red} RED" if red else "all green"
    print(f"{tried} kill points over {len(names)} paths, {state}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
