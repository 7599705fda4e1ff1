"""The work behind the answers: threads that each hold their own services, and the sweeper."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from figsupport import polling
from figsupport.errors import Busy, FigsupportError
from figsupport.private import trace_file
from figsupport.server.problems import busy
from figsupport.services import Services

#: For each thread, how many calls may wait for one.
_WAITING = 8
#: Seconds after which a caller is told to ask again; the work goes on.
ANSWER_WITHIN = 25.0
#: Seconds after which the sweeper tidies up although no round is asked for.
_TIDY = 3600.0

T = TypeVar("T")


class Pool:
    """A bounded number of threads; services are opened by a thread on its first use.

    SQLite connections and HTTP clients are kept from call to call and never shared.
    """

    def __init__(self, open_: Callable[[], Services], threads: int) -> None:
        self._open, self._room = open_, threads * _WAITING
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="figsupport")
        self._own = threading.local()
        self._opened: list[Services] = []
        self._inside = 0
        self._counting = threading.Lock()

    async def run(self, work: Callable[[Services], T], seconds: float = ANSWER_WITHIN) -> T:
        """Return what the work returns. Raises HttpProblem (503) when there is no room.

        The work goes on when its caller has left, or has been told to ask again.
        """
        with self._counting:
            if self._inside >= self._room:
                raise busy("Too many requests at once. Nothing was done.")
            self._inside += 1
        future = self._threads.submit(self._do, work)
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(_heard)
        done, _ = await asyncio.wait({waiting}, timeout=seconds)
        if not done:
            raise busy("The work is not finished yet; sending the same request again is safe.", 10)
        return waiting.result()

    def close(self) -> None:
        """Finish the work that was begun and close what was opened."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for services in self._opened:
            services.close()

    def _do(self, work: Callable[[Services], T]) -> T:
        try:
            services: Services | None = getattr(self._own, "services", None)
            if services is None:
                services = self._own.services = self._open()
                self._opened.append(services)
            return work(services)
        finally:
            with self._counting:
                self._inside -= 1


def _heard(done: "asyncio.Future[T]") -> None:
    """Take note of an error that nobody waits for any more: `poll` meets it again."""
    if not done.cancelled():
        done.exception()


class Sweeper:
    """One thread that does poll rounds: every so many seconds, or when it is poked.

    Pokes that come while a round runs are one more round.
    """

    def __init__(
        self,
        open_: Callable[[], Services],
        interval: float | None,
        tidy: Callable[[Services], None],
        warn: Callable[[str], None],
    ) -> None:
        self._open, self._interval, self._tidy, self._warn = open_, interval, tidy, warn
        self._poked, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="figsupport-poll")
        self.rounds = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def poke(self) -> None:
        """Ask for a round now."""
        self._poked.set()

    def close(self) -> None:
        """Finish the round that runs, and stop."""
        self._stopped = True
        self._poked.set()
        self._thread.join()

    def _run(self) -> None:
        services = self._open()
        try:
            while not self._stopped:
                self._safely(lambda: self._tidy(services))  # others may have finished cases
                poked = self._poked.wait(self._interval or _TIDY)
                self._poked.clear()
                if not self._stopped and (poked or self._interval):
                    self._safely(lambda: self._round(services))
        finally:
            services.close()

    def _round(self, services: Services) -> None:
        try:
            done = polling.poll_pending_tickets(services)
        except Busy:
            return  # another process does it
        finally:
            self.rounds += 1
        for case, error in done.errors:
            self._warn(f"poll: {case}: {error.code}")

    def _safely(self, work: Callable[[], None]) -> None:
        """Do some work; whatever happens, the next round comes."""
        try:
            work()
        except FigsupportError as error:
            self._warn(f"poll: {error.code}: {error.hint}")
        except Exception as error:
            self._warn(f"poll: a bug, {type(error).__name__}; the trace is in {trace_file(error)}")
