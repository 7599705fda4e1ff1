"""Pulling the plug: every path of the flow, killed at every save and around every effect.

`python -m tests.kill --all` runs the whole matrix; without it a sample. A warm parent forks a
child for each kill point; the child runs the path's commands with counting ports and sends
itself SIGKILL at its point. Then the same commands are run again, as people and cron would,
and the books are counted in the desk's, the board's and the mailbox's own files.

`--without intent` leaves out the save of the intent, `--without find` leaves out the question
asked in doubt: both must turn the matrix red.
"""

import argparse
import hashlib
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

from figsupport import steps, workflow
from figsupport.adapters import playing
from figsupport.adapters.maildir import Inbox
from figsupport.core.model import Case, Request
from figsupport.core.plan import due
from figsupport.errors import FigsupportError
from figsupport.services import Services, utc_now
from figsupport.settings import Settings

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "examples" / "photos" / "fauteuil.jpg"
MODEL = ROOT / "examples" / "models" / "table.glb"
PORTS = ("desk", "board", "mail", "store", "cases")
QUIET = {"lock", "secret_folder", "close", "check"}


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


ARMCHAIR = request("Fauteuil", "Un fauteuil à modéliser avec ses textures.", PHOTO)
ORNATE = request("Cheminée", "Cheminée en marbre sculptée à modéliser.", PHOTO)
CHAIR = request("Chaise", "Une chaise à modéliser.")
TABLE = request("Table", "Éclaircir le bois de ce fichier GLB.", MODEL, PHOTO)
INVOICE = request("Facture", "Où est ma facture ?", source="facturation")
RIDDLE = request("", "bonjour", source="")

Act = Callable[[Services], None]


class Path_(NamedTuple):  # noqa: N801 — a path of the flow
    """What people do, in order, and what must be in the books afterwards."""

    acts: tuple[Act, ...]
    status: str | None
    letters: tuple[str, ...]
    subtasks: int = 0
    files: int = 0
    notes: int = 0


def take_in(given: Request) -> Act:
    def act(services: Services) -> None:
        workflow.intake(given, services)

    return act


def poll(services: Services) -> None:
    for _ in range(20):
        done = workflow.poll_pending_tickets(services)
        for _, error in done.errors:
            raise error
        if not services.cases.due() and not Inbox(services.settings.home / "mail").waiting():
            return


def decide(verdict: workflow.Verdict, credits_: int = 0) -> Act:
    def act(services: Services) -> None:
        workflow.process_validation("1001", services, verdict, credits_, "Note")

    return act


def answer(text: str, photo: bool = False) -> Act:
    """The client writes; his mail server is not what is killed here."""

    def act(services: Services) -> None:
        case = workflow.find_case("1001", services)
        raw = playing.as_mail(case, utc_now(), services.office.sender, text, None)
        if photo:
            mail = EmailMessage()
            for name, value in message_from_bytes(raw, policy=default).items():
                if name.lower() not in (
                    "content-type",
                    "content-transfer-encoding",
                    "mime-version",
                ):
                    mail[name] = value
            mail.set_content(text)
            mail.add_attachment(
                PHOTO.read_bytes(), maintype="image", subtype="jpeg", filename="chaise.jpg"
            )
            raw = mail.as_bytes()
        Inbox(services.settings.home / "mail").deliver(raw)

    return act


PATHS: dict[str, Path_] = {
    "support": Path_((take_in(INVOICE),), None, ()),
    "type unsure": Path_((take_in(RIDDLE),), None, ("administrator.type",)),
    "accepted": Path_(
        (take_in(ARMCHAIR), answer("Je valide"), poll), "validated",
        ("quote.1", "confirmation"), subtasks=1, files=1,
    ),
    "refused": Path_(
        (take_in(ARMCHAIR), answer("Non merci"), poll), "rejected",
        ("quote.1", "refusal"), files=1,
    ),
    "question": Path_(
        (take_in(ARMCHAIR), answer("Vous livrez quand ?"), poll), "pending_credits",
        ("quote.1", "administrator"), files=1, notes=1,
    ),
    "completed": Path_(
        (take_in(CHAIR), answer("Voici la photo.", photo=True), poll, answer("Je valide"), poll),
        "validated", ("info.1", "quote.1", "confirmation"), subtasks=1, files=1,
    ),
    "decided": Path_(
        (take_in(ORNATE), decide("accept", 5)), "validated",
        ("administrator.complex", "confirmation"), subtasks=1, files=1,
    ),
    "quoted by hand": Path_(
        (take_in(ORNATE), decide("quote", 5), answer("Je valide"), poll), "validated",
        ("administrator.complex", "quote.1", "confirmation"), subtasks=1, files=1,
    ),
    "rejected by hand": Path_(
        (take_in(ARMCHAIR), decide("reject")), "rejected", ("quote.1", "rejection"), files=1,
    ),
    "two files": Path_(
        (take_in(TABLE), answer("Je valide"), poll), "validated",
        ("quote.1", "confirmation"), subtasks=1, files=2,
    ),
}  # fmt: skip


# --- one run -------------------------------------------------------------------------------


class Counting:
    """Counts moments; at the one it is told, the process is gone."""

    def __init__(self, at: int | None) -> None:
        self.count, self.asleep, self._at = 0, False, at

    def moment(self) -> None:
        if self.asleep:
            return
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A port whose every call is a moment before and a moment after."""

    def __init__(self, real: Any, counting: Counting) -> None:
        self._real, self._counting = real, counting

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in QUIET or not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._counting.moment()
            result = found(*given, **named)
            self._counting.moment()
            return result

        return call


def services_in(home: Path, counting: Counting | None = None) -> Services:
    services = Services(Settings(figsupport_home=home, figsupport_sync="normal"))
    if counting is not None:
        for port in PORTS:
            setattr(services, port, Watched(getattr(services, port), counting))
        _watch_files(home, counting)
    return services


def _watch_files(home: Path, counting: Counting) -> None:
    """Moments inside an effect: before each name in the home folder appears or changes."""
    inside = str(home)
    events = {"os.rename", "os.link", "os.remove", "os.mkdir"}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if (
            event in events
            and str(arguments[0]).startswith(inside)
            and "locks" not in str(arguments[0])
        ):
            counting.moment()

    sys.addaudithook(hook)


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked child; return 0, the exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except FigsupportError as error:
            print(f"  ended: {error.message}", file=sys.stderr)
            os._exit(75)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def without(part: str | None) -> None:
    """Break the program on purpose, to see that the matrix would notice."""
    if part == "intent":
        real = workflow._remember

        def forget(case: Case, services: Services) -> Case:
            return case if case.doing is not None else real(case, services)

        workflow._remember = forget
    if part == "find":
        for name in ("create_ticket", "add_note", "record_letter", "send_email_to_contact",
                     "create_subtask"):  # fmt: skip
            setattr(steps, name, _never_in_doubt(getattr(steps, name)))


def _never_in_doubt(step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        return step(*given, **{**named, "in_doubt": False})

    return run


def run_path(path: Path_, home: Path, at: int | None, broken: str | None) -> int:
    """Run the path's acts in one child that is killed at a moment; return its end."""

    def work() -> None:
        without(broken)
        act_all(path, home, Counting(at))

    return in_child(work)


def act_all(path: Path_, home: Path, counting: Counting) -> None:
    """Do the acts that are not done yet: a command that was killed is typed again."""
    services = services_in(home, counting)
    for number, act in enumerate(path.acts):
        done = home / f"done-{number}"
        if not done.exists():
            counting.asleep = act.__qualname__.startswith("answer.")
            act(services)
            counting.asleep = False
            done.touch()


def count_moments(path: Path_) -> int:
    """Return how many moments an undisturbed run has."""
    with fresh_home() as home:
        read, write = os.pipe()

        def work() -> None:
            counting = Counting(None)
            act_all(path, home, counting)
            os.write(write, str(counting.count).encode())

        assert in_child(work) == 0
        os.close(write)
        with os.fdopen(read) as pipe:
            return int(pipe.read())


class fresh_home:  # noqa: N801 — a context manager, used like a function
    """A folder of its own, removed afterwards."""

    def __enter__(self) -> Path:
        self.folder = Path(tempfile.mkdtemp(prefix="figsupport-kill-"))
        return self.folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


# --- the books -----------------------------------------------------------------------------


def wrong_books(path: Path_, home: Path) -> Iterator[str]:
    """Say what is not in the books, or there too often. Read from the files themselves."""
    with closing(sqlite3.connect(home / "desk.sqlite")) as desk:
        yield from _counted("contacts", _one(desk, "SELECT COUNT(*) FROM contacts"), 1)
        yield from _counted("tickets", _one(desk, "SELECT COUNT(*) FROM tickets"), 1)
        yield from _counted("subtasks", _one(desk, "SELECT COUNT(*) FROM subtasks"), path.subtasks)
        yield from _counted("notes", _one(desk, "SELECT COUNT(*) FROM notes"), path.notes)
        status = _one(desk, "SELECT json_extract(properties, '$.validation_status') FROM tickets")
        yield from _counted("status on the desk", status, path.status)
        urls = _one(desk, "SELECT json_extract(properties, '$.fichiers_urls') FROM tickets")
        yield from _counted("links on the desk", len(str(urls or "").split()), path.files)
        outgoing = Counter(
            row[0] for row in desk.execute("SELECT id FROM messages WHERE direction = 'out'")
        )
    sent = Counter(_letter(file) for file in (home / "mail" / "outbox").rglob("new/*"))
    names = Counter(name.rsplit(".", 1)[0] for name in sent.elements())
    expected = Counter(path.letters)
    short = Counter(
        "administrator" if name.startswith("administrator.") and name not in expected else name
        for name in names.elements()
    )
    yield from _counted("letters", short, expected)
    to_client = {name for name in sent if not name.startswith("administrator")}
    recorded = Counter(name[1:].partition("@")[0] for name in outgoing.elements())
    yield from _counted("letters recorded", recorded, Counter(dict.fromkeys(to_client, 1)))
    yield from _files(path, home)
    waiting = Inbox(home / "mail").waiting()
    yield from _counted("mails waiting", len(waiting), 0)
    services = services_in(home)
    cases = services.cases.due()
    yield from _counted("cases due", cases, [])
    with closing(sqlite3.connect(home / "cases.sqlite")) as journal:
        documents = [row[0] for row in journal.execute("SELECT document FROM cases")]
    yield from _counted("cases", len(documents), 1)
    for document in documents:
        case = Case.model_validate_json(document)
        yield from _counted("status", case.validation_status, path.status)
        yield from _counted("step begun", case.doing, None)
        yield from _counted("step due", due(case, (), utc_now()), None)
        for file in case.files:
            yield from _counted("problem of a file", file.problem, None)


def _files(path: Path_, home: Path) -> Iterator[str]:
    stored = [file for file in (home / "files").rglob("[0-9]*") if file.is_file()]
    yield from _counted("files stored", len(stored), path.files)
    originals = {hashlib.sha256(file.read_bytes()).hexdigest() for file in (PHOTO, MODEL)}
    for file in stored:
        if hashlib.sha256(file.read_bytes()).hexdigest() not in originals:
            yield f"{file.name} is not whole"


def _letter(file: Path) -> str:
    message_id = str(message_from_bytes(file.read_bytes())["Message-ID"])
    return message_id[1:].partition("@")[0]


def _one(connection: sqlite3.Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def _counted(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found!r}, expected {expected!r}"


# --- the matrix ----------------------------------------------------------------------------


def kill_at(path: Path_, at: int, broken: str | None = None, again: int | None = None) -> list[str]:
    """Kill a path at a moment (and its recovery at another); return what is wrong then."""
    with fresh_home() as home:
        if run_path(path, home, at, broken) != -signal.SIGKILL:
            return [f"moment {at} was never reached"]
        if again is not None:
            run_path(path, home, again, broken)
        end = run_path(Path_((*path.acts, poll), *path[1:]), home, None, broken)
        if end != 0:
            return [f"running the same commands again ended with {end}"]
        return list(wrong_books(path, home))


def matrix(every: int, broken: str | None = None, only: str | None = None) -> tuple[int, list[str]]:
    """Kill each path at every `every`-th moment; return how many were tried and what went wrong."""
    tried, wrong = 0, []
    for name, path in PATHS.items():
        if only not in (None, name):
            continue
        moments = count_moments(path)
        began = time.monotonic()
        points = range(1 + (len(name) % every), moments + 1, every)
        for at in points:
            again = at // 2 + 1 if at % 7 == 0 else None
            found = kill_at(path, at, broken, again)
            wrong += [f"{name}, moment {at} of {moments}: {line}" for line in found]
        tried += len(points)
        print(
            f"{name:18} {len(points):4} of {moments:4} moments  {time.monotonic() - began:5.1f} s"
        )
    return tried, wrong


def main() -> int:
    """Run the matrix and print what was counted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every moment (minutes)")
    parser.add_argument("--every", type=int, default=9, help="kill at every so many moments")
    parser.add_argument("--path", choices=PATHS)
    parser.add_argument("--without", choices=["intent", "find"])
    given = parser.parse_args()
    tried, wrong = matrix(1 if given.all else given.every, given.without, given.path)
    for line in wrong:
        print("✗", line)
    paths = 1 if given.path else len(PATHS)
    print(f"{tried} kill points over {paths} paths: {len(wrong) or 'nothing'} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
