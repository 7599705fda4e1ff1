"""The commands of a fleet: `work`, one worker of many, and `migrate`, the way there."""

import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from figsupport import polling
from figsupport import settings as settings_
from figsupport.commands.answers import Answer, Answers, Options, open_services
from figsupport.commands.tickets import round_answer
from figsupport.core.model import Case
from figsupport.core.round import Round
from figsupport.errors import (
    Busy,
    FigsupportError,
    Misconfigured,
    Problem,
    Settling,
    TryLater,
    Unavailable,
)
from figsupport.services import Services
from figsupport.settings import Settings
from figsupport.workflow import next_step

if TYPE_CHECKING:
    from figsupport.adapters.fleet import Fleet

_VARIABLE = "FIGSUPPORT_DATABASE_URL"
#: Seconds that a case waits after a failure before it has its next turn.
_REST, _LONGEST_REST = 30.0, 3600.0
#: When a sweep last read the clients' mail and found cases due: a turn may come long after it.
_HEARD = "heard"
_FRESH = timedelta(minutes=1)


def work(options: Options, interval: float, at_once: int) -> Answers:
    """Work as one of a fleet until stopped; a line for each case that had its turn."""
    services = open_services(options)
    _ = _url(services.settings), services.cases  # both are checked before anything begins
    return Answers(Worker(services, at_once, interval).rounds())


class Rank(IntEnum):
    """Who is served first, when more cases are due than workers are free."""

    BEGUN = 1  # somebody died, or waited, in the middle of a step
    ANSWERED = 2  # a client's answer, an acceptance: the ticket is there
    TAKEN_IN = 3
    FAILED = 4  # again: providers that are down keep nobody else waiting


def _rank(case: Case) -> Rank:
    if case.doing is not None:
        return Rank.BEGUN
    return Rank.TAKEN_IN if case.ticket is None else Rank.ANSWERED


class Failing:
    """The cases whose last turn failed, on whatever machine, by the code of what went wrong.

    It is one value in the journal, so that each sweep tells of all of them. What needs no person
    is none: a lost answer that settles.
    """

    _NAME, _PATIENCE = "failing", 10.0

    def __init__(self, services: Services) -> None:
        self._cases = services.cases

    def codes(self) -> dict[str, str]:
        """Return the codes by case."""
        found: dict[str, str] = json.loads(self._cases.recall(self._NAME) or "{}")
        return found

    def note(self, case_id: str, turn: polling.Turn) -> None:
        """Note how a case's turn ended; one it did not get says nothing."""
        if turn.error is not None and not isinstance(turn.error, Settling):
            self._change({case_id: turn.error.code}, {case_id})
        elif turn.before is not None and case_id in self.codes():
            self._change({}, {case_id})

    def drop(self, others_than: Set[str]) -> None:
        """Forget the cases that are not due any more: nothing fails there."""
        if gone := self.codes().keys() - others_than:
            self._change({}, gone)

    def _change(self, new: dict[str, str], gone: Set[str]) -> None:
        with suppress(Busy), self._cases.lock(self._NAME, self._PATIENCE):
            kept = {name: code for name, code in self.codes().items() if name not in gone}
            self._cases.keep(self._NAME, json.dumps({**kept, **new}))


class Worker:
    """One process of the fleet: threads that advance cases, and the sweep that finds them."""

    def __init__(self, services: Services, at_once: int, interval: float) -> None:
        self._services, self._at_once, self._interval = services, at_once, interval
        self._fresh = _FRESH + 2 * timedelta(seconds=interval)
        self._here = threading.local()
        self._opened = [services]
        self._done: SimpleQueue[tuple[str, Round]] = SimpleQueue()

    def rounds(self) -> Iterator[Answer]:
        """Sweep every `interval` seconds, and tell of each turn, until the process is stopped."""
        from figsupport.adapters.fleet import Fleet

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        settings = self._services.settings
        fleet = Fleet(
            _url(settings), self._turn, at_once=self._at_once, pace=settings.figsupport_pace
        )
        try:
            sweep_at = time.monotonic()
            while True:
                try:  # what was done comes first: what failed must rest before the next sweep
                    case_id, done = self._done.get(timeout=max(0.0, sweep_at - time.monotonic()))
                except Empty:
                    yield from self._sweep(fleet)
                    sweep_at = time.monotonic() + self._interval
                    continue
                for _, error in done.errors:
                    self._rest(case_id, error, fleet)
                if done.touched or done.errors:
                    yield self._told(done, case_id)
        finally:
            fleet.close()
            for services in self._opened:
                services.close()

    def _turn(self, case_id: str) -> None:
        """Give a case its turn, on one of DBOS's threads: the whole body of its workflow."""
        services = self._of_this_thread()
        try:
            turn = polling.advance_case(case_id, services, self._heard(services))
            Failing(services).note(case_id, turn)
            self._done.put((case_id, polling.round_of({case_id: turn}, services)))
        except FigsupportError as error:  # the journal is out of reach
            self._done.put((case_id, polling.round_of({}, services, errors=[(case_id, error)])))

    def _of_this_thread(self) -> Services:
        """Ports count, pace and remember for one run at a time: each thread has its own."""
        if not hasattr(self._here, "services"):
            services = Services(self._services.settings, self._services.now)
            services.warn, services.listeners = self._services.warn, self._services.listeners
            self._here.services = services
            self._opened.append(services)
        here: Services = self._here.services
        return here

    def _heard(self, services: Services) -> bool:
        """Tell whether the clients' mail is being read: only then is silence a reason to write."""
        at = services.cases.recall(_HEARD)
        if at is None:
            return False
        return services.now() - datetime.fromisoformat(at) < self._fresh

    def _sweep(self, fleet: "Fleet") -> Iterator[Answer]:
        """Read new replies, and let every due case that nobody works on wait for a worker."""
        # asked after the journal: DBOS waits without a word while the database is away
        in_queue = cache(fleet.cases)
        heard_now = cache(
            lambda: self._services.cases.keep(_HEARD, self._services.now().isoformat())
        )

        due, failing = set[str](), Failing(self._services)

        def codes() -> Sequence[str]:
            failing.drop(due)
            return tuple(failing.codes().values())

        def hand_over(case_id: str, services: Services, heard: bool) -> polling.Turn:
            due.add(case_id)
            waiting, taken = in_queue()
            if heard:
                heard_now()
            with suppress(Busy):
                if case_id not in waiting:
                    with services.cases.lock(case_id):
                        case = services.cases.load(case_id)
                    if case is not None and (heard or next_step(case, services, heard=False)):
                        died = case_id in taken
                        fleet.send(case_id, Rank.BEGUN if died else _rank(case))
            return polling.Turn()

        try:
            done = polling.poll_pending_tickets(self._services, hand_over, codes)
            fleet.sweep()
        except Busy:
            return  # another worker sweeps
        except Unavailable as error:  # the next sweep tries again
            yield Answer(error.document(), "failed", (error,), error.exit_code)
            return
        if done.strangers or done.errors or done.digest or done.forgotten:
            yield self._told(done, None)

    def _told(self, done: Round, case_id: str | None) -> Answer:
        calls: Counter[str] = Counter()
        for services in self._opened:
            calls.update(services.calls())
        answer = round_answer(done, dict(calls))
        assert isinstance(answer.document, dict)  # noqa: S101 — a round is one
        return answer._replace(document={"case": case_id, **answer.document})

    def _rest(self, case_id: str, error: FigsupportError, fleet: "Fleet") -> None:
        """Let a case that failed wait: until the moment a provider named, or for a while."""
        waiting, _ = fleet.cases()
        if case_id in waiting:  # a sweep was faster
            return
        seconds = _REST
        if isinstance(error, TryLater):
            seconds = (error.until - self._services.now()).total_seconds()
        rank = Rank.BEGUN if isinstance(error, Settling) else Rank.FAILED
        fleet.send(case_id, rank, after=min(max(seconds, 1.0), _LONGEST_REST))


def migrate(options: Options) -> Answer:
    """Move the embedded journal to PostgreSQL; safe to repeat, and after a crash."""
    from figsupport.adapters.postgres import PostgresCases

    found = settings_.load(options.env_file)
    target = PostgresCases(_url(found), rehearsing=options.dry_run)
    from figsupport.adapters.moving import move

    try:
        moved = move(found.home, target, pretend=options.dry_run)
    finally:
        target.close()
    return Answer(moved._asdict(), "moved", (moved,))


def _url(settings: Settings) -> str:
    """Return the address of the fleet's database. Raises Misconfigured without one."""
    url = settings.secret(_VARIABLE)
    if not url:
        raise Misconfigured(
            f"Settings are missing: {_VARIABLE}",
            hint="A fleet shares its journal on PostgreSQL: postgresql://user:password@host/database",
            problems=[Problem(_VARIABLE, "is missing; a fleet needs it")],
        )
    return url
