"""The office of `tests.month`: its clients, cron, an administrator, faults and restarts."""

import heapq
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from figsupport import directives, polling, workflow
from figsupport.adapters.maildir import Inbox
from figsupport.core.dates import is_expired
from figsupport.core.events import Event, StepDone
from figsupport.core.model import Case, FileFact, Language, Request
from figsupport.core.plan import Waiting, waiting
from figsupport.core.references import letter_name
from figsupport.core.round import Round
from figsupport.core.rules import Directives
from figsupport.errors import FigsupportError, NotAllowed, Unavailable
from figsupport.services import Services
from figsupport.settings import Settings
from figsupport.steps import Recognise, Recognised

#: a Monday; the clocks go back on the 25th, the 11th of November is a holiday
BEGIN = datetime(2026, 10, 12, 5, tzinfo=UTC)
FAULTS, DEATHS = 0.004, 0.0004  # of the calls that change something
OUTAGES = ((4.1, 5.2), (18.3, 18.5))  # days without mail: a Friday and its night, a Friday morning
OVERSLEPT = 0.03  # of cron's rounds
PATIENCE = 120  # days after which what is still open stays so
EFFECTS = {
    "desk": ("create_contact", "create_ticket", "update_ticket", "add_note", "record_letter"),
    "board": ("create_subtask",),
    "mail": ("send",),
    "store": ("put",),
}
#: what a client asks for: object, text, with a photo, source
ASKED = (
    ("Fauteuil", "Un fauteuil à modéliser avec ses textures.", True, "modelisation"),
    ("Vase", "Un vase à modéliser.", True, "modelisation"),
    ("Lampe", "Une lampe à modéliser avec ses textures.", True, "modelisation"),
    ("Chaise", "Une chaise à modéliser.", False, "modelisation"),
    ("Cheminée", "Cheminée en marbre sculptée à modéliser.", True, "modelisation"),
    ("Facture", "Où est ma facture ?", False, "facturation"),
)
#: what a client has made up their mind to do about a quote, and how often
MINDS = {
    "accept": 30, "refuse": 10, "silent": 20, "accept the reminder": 12, "ask, then accept": 8,
    "ask, then silent": 4, "accept too late": 4, "accept too late, reopened": 4, "absent": 8,
}  # fmt: skip
#: where a case ends
ENDS = {
    "accept": "validated", "refuse": "refused", "silent": "expired", "absent": "validated",
    "accept the reminder": "validated", "ask, then accept": "validated",
    "ask, then silent": "expired", "accept too late": "expired",
    "accept too late, reopened": "validated",
}  # fmt: skip
YES = ("Je valide", "Bonjour, je valide ce devis. Merci, cordialement", "Je valide le devis.")
NO = ("Non merci", "Non merci, c'est trop cher pour nous.")
QUESTION = ("Vous livrez quand ?", "Bonjour, quel format livrez-vous ?", "Et la TVA ?")


class Death(BaseException):
    """The process is gone."""


class Shaky:
    """A port whose effects fail now and then, before or after they are there."""

    def __init__(self, port: Any, calls: tuple[str, ...], world: "World") -> None:
        self._port, self._calls, self._world = port, calls, world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in self._calls:
            return found

        def call(*given: Any, **named: Any) -> Any:
            draw, after = self._world.dice.random(), self._world.dice.random() < 0.5
            down = name == "send" and self._world.is_down()
            failing = down or draw < FAULTS + DEATHS
            if failing and not after:
                self._fail(dies=not down and draw < DEATHS)
            result = found(*given, **named)
            if failing:
                self._fail(dies=not down and draw < DEATHS)
            return result

        return call

    def _fail(self, *, dies: bool) -> None:
        self._world.counted["deaths" if dies else "faults"] += 1
        if dies:
            raise Death
        raise Unavailable("The provider does not answer", hint="Run it again later.")


class Wired(Services):
    """Services whose ports are shaky; directives were read before, files are what they are named."""

    def __init__(self, settings: Settings, world: "World", read: Directives) -> None:
        super().__init__(settings, lambda: world.now)
        self._world = world
        self.directives = read

    def _build(self, port: str) -> Any:
        return Shaky(super()._build(port), EFFECTS.get(port, ()), self._world)

    def recognise(self, language: Language) -> Recognise:
        def recognise(name: str, path: Path) -> Recognised:
            return Recognised(FileFact(name=name, kind=self.directives.grid.kind_of(name)), ".jpg")

        return recognise


class Day(NamedTuple):
    """What one day cost: milliseconds, and kilobytes on disk at its end.

    `round` is the mean of cron's rounds, which read `mails` and did `steps` in the whole day;
    `empty` is the processor's time for the quickest of the three rounds that came after each and
    found nothing to do: what else the machine does is not in it.
    """

    requests: int
    intake: float
    round: float
    worst: float
    mails: int
    steps: int
    empty: float
    open: int
    kilobytes: float


class World:
    """The office, its clients and the time."""

    def __init__(self, home: Path, days: int, requests: int, seed: int) -> None:
        self.days, self.requests, self.seed = days, requests, seed
        self.dice, self.now, self.counted = Random(seed), BEGIN, Counter[str]()
        self.read = directives.load(directives.default_folder())
        self.delays = self.read.delays
        self.settings = Settings(
            figsupport_home=home,
            figsupport_sync="normal",
            admin_email="admin@figurative.example",
            mail_from="Figurative <support@figurative.example>",
        )
        self.photo = home.with_suffix(".jpg")
        self.photo.write_bytes(b"\xff\xd8\xff a photo")
        self.services = self._opened()
        self.letters: list[Message] = []
        self.minds: dict[str, str] = {}
        self.cases: dict[str, str] = {}
        self._late: set[str] = set()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self.spent: dict[str, list[float]] = defaultdict(list)
        self.done: Counter[str] = Counter()
        self.table: list[Day] = []

    # --- time ------------------------------------------------------------------------------

    def later(self, delay: timedelta, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._numbers), act))

    def is_down(self) -> bool:
        passed = (self.now - BEGIN) / timedelta(days=1)
        return any(begin <= passed < end for begin, end in OUTAGES)

    def run(self) -> None:
        """Live the days, then go on without new requests until nothing is to come."""
        for day in range(self.days):
            for _ in range(self.requests):
                when = timedelta(days=day, minutes=self.dice.randrange(24 * 60))
                self.later(when, self._take_in())
        self.later(timedelta(0), self._cron)
        self.later(timedelta(hours=4), self._administrator)
        self.later(timedelta(hours=19), self._midnight)
        while self._agenda:
            self.now, _, act = heapq.heappop(self._agenda)
            try:
                act()
            except Death:
                self._reopen()
            self._post()

    def _ended(self) -> bool:
        past = (self.now - BEGIN) / timedelta(days=1) - self.days
        waits = (
            len(self._agenda) > 2
            or self.services.cases.open_cases()
            or Inbox(self.settings.home / "mail").waiting()
        )
        return past > PATIENCE or (past > 1 and not waits)

    def _opened(self) -> Services:
        return Wired(self.settings, self, self.read)

    def _reopen(self) -> None:
        """The next command is another process."""
        self.services.close()
        self.services = self._opened()

    # --- the office ------------------------------------------------------------------------

    def _take_in(self) -> Callable[[], None]:
        number = next(self._numbers)
        dice = Random(f"{self.seed}:{number}")
        objet, text, photo, source = dice.choices(ASKED, (25, 15, 10, 25, 10, 15))[0]
        client = dice.randrange(max(1, self.days * self.requests // 3))
        request = Request.model_validate(
            {
                "request_id": f"form-{number}", "source": source, "objet": objet,
                "description": text, "user_email": f"client{client}@example.com",
                "user_name": f"Camille Client{client}",
                "fichiers": [{"name": "photo.jpg", "path": str(self.photo)}] if photo else [],
            }
        )  # fmt: skip
        self.cases[f"form-{number}"] = objet

        def act() -> None:
            began = time.perf_counter()
            try:
                workflow.intake(request, self.services)
            except (Unavailable, Death):
                self.later(timedelta(minutes=7), act)  # the form tries again
                self._reopen()
            self.spent["intake"].append(time.perf_counter() - began)

        return act

    def _cron(self) -> None:
        if not self._ended():
            busy = self.now < BEGIN + timedelta(days=self.days)
            self.later(timedelta(minutes=30 if busy else 180), self._cron)
        if self.dice.random() < OVERSLEPT:
            return
        self._reopen()
        self.services.listeners = (self._count,)
        done = self._round("round")
        self.done["mails"] += done.replies
        self.counted["rounds"] += 1
        if done.errors or self.services.cases.due(self.now):
            return  # another round would go on with that
        for _ in range(3):  # the first finds the processor's caches full of the work before
            self._reopen()
            empty = self._round("empty")
            assert (empty.touched, empty.errors, empty.digest) == ((), (), False)

    def _round(self, name: str) -> Round:
        """Do a round and note its time."""
        clock = time.perf_counter if name == "round" else time.process_time
        began = clock()
        done = polling.poll_pending_tickets(self.services)
        took = clock() - began
        assert not [error for _, error in done.errors if not isinstance(error, Unavailable)]
        self.spent[name].append(took)
        return done

    def _count(self, event: Event) -> None:
        self.done["steps"] += isinstance(event, StepDone)

    def _administrator(self) -> None:
        """Once a day: decide what waits for a person."""
        if not self._ended():
            self.later(timedelta(days=1), self._administrator)
        for case in self.services.cases.open_cases():
            if case.ticket is not None:
                with suppress(FigsupportError):
                    self._attend(case, case.ticket.id)

    def _attend(self, case: Case, ticket: str) -> None:
        mind = self._mind(case.reference)
        if waiting(case) is Waiting.PERSON:
            if is_expired(case) and mind == "accept too late, reopened":
                workflow.process_validation(ticket, self.services, "quote", 2)
            else:
                with suppress(NotAllowed):
                    workflow.mark_answered(ticket, self.services)
                if mind == "ask, then accept":
                    self._writes(self._last(case.reference), YES, days=1)
        elif waiting(case) is Waiting.ADMINISTRATOR:
            verdict = self._verdict(case.reference)
            if verdict == "accept":
                workflow.process_validation(ticket, self.services, "accept", 3, "Note")
            elif verdict == "reject":
                workflow.process_validation(ticket, self.services, "reject", notes="Hors sujet")
            else:
                workflow.process_validation(ticket, self.services, "quote", 4)

    def _verdict(self, name: str) -> str:
        return Random(f"verdict {name}").choice(("accept", "reject", "quote"))

    def _midnight(self) -> None:
        """Note what the day cost."""
        if not self._ended():
            self.later(timedelta(days=1), self._midnight)
        each = {name: self.spent.pop(name, [0.0]) for name in ("intake", "round", "empty")}
        done, self.done = self.done, Counter()
        size = sum(path.stat().st_size for path in self.settings.home.glob("*.sqlite"))
        self.table.append(
            Day(
                requests=len(each["intake"]),
                intake=statistics.median(each["intake"]) * 1e3,
                round=statistics.mean(each["round"]) * 1e3,
                worst=max(each["round"]) * 1e3,
                mails=done["mails"],
                steps=done["steps"],
                empty=min(each["empty"]) * 1e3,
                open=len(self.services.cases.open_cases()),
                kilobytes=size / 1e3,
            )
        )

    # --- the clients -----------------------------------------------------------------------

    def _post(self) -> None:
        """Clients read what has come."""
        box = self.settings.home / "mail" / "outbox"
        for path in sorted(box.glob("new/*")):
            letter = message_from_bytes(path.read_bytes(), policy=default)
            path.rename(box / "cur" / f"{path.name}:2,S")
            self.letters.append(letter)
            if (found := letter_name(str(letter["Message-ID"]))) and "admin" not in found.kind:
                self._react(letter, found.kind)

    def _mind(self, name: str) -> str:
        if name not in self.minds:
            dice = Random(f"{self.seed}:{name}")
            self.minds[name] = dice.choices(list(MINDS), list(MINDS.values()))[0]
        return self.minds[name]

    def _react(self, letter: Message, kind: str) -> None:
        name = reference_of(letter)
        mind = self._mind(name)
        again = name in self._late
        if kind == "info" and mind not in ("silent", "ask, then silent"):
            self._writes(letter, ("Voici la photo.",), photo=True)
        elif kind == "quote" and (mind in ("accept", "absent") or again):
            self._writes(letter, YES, days=1)
        elif kind == "quote" and mind == "refuse":
            self._writes(letter, NO)
        elif kind == "quote" and mind.startswith("ask"):
            self._writes(letter, QUESTION)
        elif kind == "reminder" and mind == "accept the reminder":
            self._writes(letter, YES)
        elif kind == "expiry" and mind.startswith("accept too late"):
            self._writes(letter, YES, days=3)
            self._late.add(name)
        if mind == "absent" and kind == "quote":
            self._writes(letter, ("Je suis absent du bureau.",), machine=True)

    def _last(self, name: str) -> Message:
        return next(
            letter
            for letter in reversed(self.letters)
            if reference_of(letter) == name and "client" in str(letter["To"])
        )

    def _writes(
        self, letter: Message, texts: tuple[str, ...], *, days: float = 0.2, **how: bool
    ) -> None:
        dice = Random(f"{self.seed}:{letter['Message-ID']}:{texts[0]}")
        text = dice.choice(texts)

        def act() -> None:
            raw = answer(letter, text, self.now, **how).as_bytes()
            Inbox(self.settings.home / "mail").deliver(raw)
            self.counted["mails of clients"] += 1

        minutes = 1 if how.get("machine") else dice.uniform(0.2, 1.5) * days * 24 * 60
        self.later(timedelta(minutes=minutes), act)


def reference_of(letter: Message) -> str:
    """The reference in our letter's name."""
    return str(letter["Message-ID"]).partition("@")[0].rpartition(".")[2]


def answer(
    letter: Message, text: str, now: datetime, *, photo: bool = False, machine: bool = False
) -> EmailMessage:
    """A client's answer to a letter, as a mail program writes it."""
    body = letter.get_payload()
    plain = body[0].get_content() if isinstance(body, list) else ""  # type: ignore[union-attr]
    quoted = "\n".join(f"> {line}" for line in str(plain).splitlines())
    mail = EmailMessage(policy=default)
    mail["From"], mail["To"] = str(letter["To"]), str(letter["From"])
    mail["Subject"] = f"Re: {letter['Subject']}"
    mail["Date"] = now
    mail["In-Reply-To"] = mail["References"] = str(letter["Message-ID"])
    if machine:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(f"{text}\n\nLe {now:%d/%m/%Y à %H:%M}, Figurative a écrit :\n\n{quoted}\n")
    if photo:
        mail.add_attachment(b"a photo", maintype="image", subtype="jpeg", filename="a.jpg")
    return mail
