"""The polite client of the live providers: one retry policy, paced calls, errors by what to do.

A call that a provider might have applied is never repeated blindly: the adapter says which
calls are safe to repeat, and asks (`find`) about the others.
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from figsupport.errors import (
    Conflict,
    Credentials,
    FigsupportError,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
)

TIMEOUT = 30.0
_MOST_ATTEMPTS = 4
_LONGEST_WAIT = 30.0
_BODY = 20_000_000
#: 423 locked, 477 migrating (HubSpot), 5xx and the gateway codes of Cloudflare: pass by themselves
_PASSING = frozenset({423, 477, 500, 502, 503, 504, 521, 522, 523, 524})
_FLOORS = {423: 2.0, 477: 5.0}


class Failure(NamedTuple):
    """How a call failed: HTTP status (None: no answer), Retry-After in seconds, what reached them.

    `reached` is False when the provider surely did not receive the call.
    """

    status: int | None
    retry_after: float | None = None
    reached: bool = True


def pause(failure: Failure, attempt: int, jitter: float, *, repeatable: bool) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up. Pure.

    `attempt` counts from 1; `jitter` is from 0 to 1; `repeatable` says that doing the call
    twice does no harm. A wait longer than 30 s is left to the next run.
    """
    if attempt >= _MOST_ATTEMPTS:
        return None
    refused_unread = failure.status == 429 or not failure.reached
    passing = failure.status is None or failure.status in _PASSING
    if not refused_unread and not (passing and repeatable):
        return None
    backoff = (0.5 + jitter / 2) * 2**attempt
    wait = max(failure.retry_after or 0.0, backoff, _FLOORS.get(failure.status or 0, 0.0))
    return wait if wait <= _LONGEST_WAIT else None


class Speech(NamedTuple):
    """What a provider said of an error: its code, its sentence, its correlation id."""

    code: str = ""
    message: str = ""
    correlation: str = ""


class Http:
    """One provider's HTTP interface: a kept connection, counted and paced calls."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: Mapping[str, str],
        heard: Callable[[Any], Speech],
        *,
        remedy: Mapping[int, str],
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = TIMEOUT,
    ) -> None:
        """`heard` reads an error body; `remedy` says what to do about a status."""
        self.provider = provider
        self.calls = 0
        self._heard, self._remedy, self._sleep = heard, remedy, sleep
        self._not_before = 0.0
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers=dict(headers),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    def get(self, path: str, **query: str) -> Any:
        """Read. Repeated when that may help."""
        return self._call("GET", path, query=query, repeatable=True)

    def send(self, method: str, path: str, body: object, *, repeatable: bool) -> Any:
        """Write; `repeatable` when doing it twice does no harm."""
        return self._call(method, path, body=body, repeatable=repeatable)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        repeatable: bool,
    ) -> Any:
        attempt = 0
        while True:
            attempt += 1
            answer, failure, error = self._once(method, path, query, body)
            if failure is None:
                return answer
            wait = pause(failure, attempt, random.random(), repeatable=repeatable)  # noqa: S311
            if wait is None:
                raise error from None
            self._sleep(wait)

    def _once(
        self, method: str, path: str, query: Mapping[str, str] | None, body: object
    ) -> tuple[Any, Failure | None, FigsupportError]:
        self._pace()
        self.calls += 1
        nothing = Unavailable(f"{self.provider} did not answer", hint=_LATER)
        try:
            answer = self._client.request(method, path.lstrip("/"), params=query or None, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return None, Failure(None, reached=False), nothing
        except httpx.HTTPError:
            return None, Failure(None), nothing
        self._remember_pace(answer.headers)
        if answer.status_code < 300:
            try:
                return answer.json() if answer.content[:_BODY] else {}, None, nothing
            except ValueError:
                garbled = Unavailable(f"{self.provider} answered nonsense", hint=_LATER)
                return None, Failure(None), garbled
        failure = Failure(answer.status_code, _seconds(answer.headers.get("retry-after")))
        return None, failure, self._error(answer, failure)

    def _error(self, answer: httpx.Response, failure: Failure) -> FigsupportError:
        """Return the error of an answer, named after what the reader can do about it."""
        try:
            speech = self._heard(answer.json())
        except (ValueError, TypeError, AttributeError, KeyError):
            speech = Speech()
        status = answer.status_code
        said = " — ".join(part for part in (speech.code, speech.message[:300]) if part)
        where = f" (correlation id {speech.correlation})" if speech.correlation else ""
        sentence = f"{self.provider} answered {status}{f': {said}' if said else ''}{where}"
        remedy = self._remedy.get(status, "")
        if status == 429:
            until = datetime.now(UTC) + timedelta(seconds=failure.retry_after or 60.0)
            return TryLater(sentence, until=until, hint=remedy or _LATER)
        if status in _PASSING or status >= 500:
            return Unavailable(sentence, hint=remedy or _LATER)
        kinds: dict[int, type[FigsupportError]] = {
            401: Credentials, 403: Credentials, 404: NotFound, 409: Conflict,
        }  # fmt: skip
        return kinds.get(status, Refused)(sentence, hint=remedy or "See the provider's answer.")

    def _pace(self) -> None:
        """Wait before a limit is hit, as the last answer's headers tell."""
        wait = min(self._not_before - time.time(), _LONGEST_WAIT)
        if wait > 0:
            self._sleep(wait)

    def _remember_pace(self, headers: httpx.Headers) -> None:
        remaining, reset = headers.get("x-ratelimit-remaining"), headers.get("x-ratelimit-reset")
        if remaining == "0" and reset and reset.isdecimal():
            self._not_before = float(reset)


_LATER = "Run the same command again later: it is safe."


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
