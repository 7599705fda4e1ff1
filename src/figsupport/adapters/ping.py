"""A sign of life after each round, for a service that calls somebody when it stops coming."""

from collections.abc import Callable

import httpx

from figsupport.core.events import Event, PollDone

_TIMEOUT = 5.0


class Ping:
    """A listener: POSTs nothing to an address after a good round, to its `/fail` after a bad one.

    The address is a secret of its own, and nothing of a case is sent. A ping that does not
    arrive is said once, until one arrives again.
    """

    def __init__(self, url: str, warn: Callable[[str], None]) -> None:
        self._url, self._warn = url, warn
        self._said = False

    def __call__(self, event: Event) -> None:
        """Ping when a round ended."""
        if not isinstance(event, PollDone):
            return
        problem = _problem(_failing(self._url) if event.errors else self._url)
        if problem and not self._said:
            self._warn(
                f"The ping was not taken ({problem}): check FIGSUPPORT_PING_URL; the round is done."
            )
        self._said = bool(problem)


def _problem(url: str) -> str:
    """Ping once; return what went wrong, without the address."""
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, trust_env=False) as client,
            client.stream("POST", url) as answer,  # its body is of no interest
        ):
            return "" if answer.is_success else f"answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _failing(url: str) -> str:
    parts = httpx.URL(url)
    return str(parts.copy_with(path=f"{parts.path.rstrip('/')}/fail"))
