"""The polite client of the live providers: one retry policy, paced calls, errors by what to do.

A call that a provider might have applied is never repeated blindly: the adapter says which
calls are safe to repeat, and asks (`find`) about the others.
"""

import contextlib
import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import httpx

from figsupport.core.events import CallDone, Listener, deaf, without_ids
from figsupport.errors import (
    Conflict,
    Credentials,
    FigsupportError,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
)

_MOST_ATTEMPTS = 4
_LONGEST_WAIT = 30.0
_MOST_BYTES = 20_000_000
_AT_ONCE = 4
#: 423 locked, 477 migrating (HubSpot), 5xx and the gateway codes of Cloudflare: pass by themselves
_PASSING = frozenset({423, 477, 500, 502, 503, 504, 521, 522, 523, 524})
_FLOORS = {423: 2.0, 477: 5.0}


class Patience(NamedTuple):
    """How long we wait, in seconds: for one answer, and about how long before trying again."""

    timeout: float = 30.0
    backoff: float = 1.0

    @property
    def deadline(self) -> float:
        """Return the seconds that a call may take with all its attempts and pauses."""
        return 3 * self.timeout


class Failure(NamedTuple):
    """How a call failed: HTTP status (None: no answer), Retry-After in seconds, what reached them.

    `reached` is False when the provider surely did not receive the call; `stays` is True when
    it said that waiting a little will not help.
    """

    status: int | None
    retry_after: float | None = None
    reached: bool = True
    stays: bool = False


def pause(
    failure: Failure, attempt: int, jitter: float, *, repeatable: bool, backoff: float = 1.0
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up. Pure.

    `attempt` counts from 1; `jitter` is from 0 to 1; `repeatable` says that doing the call
    twice does no harm. A wait longer than 30 s is left to the next run.
    """
    if attempt >= _MOST_ATTEMPTS or failure.stays:
        return None
    refused_unread = failure.status == 429 or not failure.reached
    passing = failure.status is None or failure.status in _PASSING
    if not refused_unread and not (passing and repeatable):
        return None
    grown = backoff * (1 + jitter) * 2 ** (attempt - 1)
    floor = backoff * _FLOORS.get(failure.status or 0, 0.0)
    wait = max(failure.retry_after or 0.0, grown, floor)
    return wait if wait <= _LONGEST_WAIT else None


class Window(NamedTuple):
    """What a provider's headers say of its limit: calls left, calls in all, seconds to go."""

    left: int
    most: int
    seconds: float


def spread(window: Window) -> float:
    """Return the seconds to wait before the next call. Pure.

    Nothing while more than a tenth of the window is left; then what is left is spread over
    the rest of the window, for others may be calling too.
    """
    if window.left > window.most / 10:
        return 0.0
    return min(max(0.0, window.seconds) / (window.left + 1), _LONGEST_WAIT)


class Speech(NamedTuple):
    """What a provider said of an error: its code, its sentence, its correlation id.

    `policy` is the limit that was hit, when it says so; `needed` are the scopes it misses.
    """

    code: str = ""
    message: str = ""
    correlation: str = ""
    policy: str = ""
    needed: tuple[str, ...] = ()


class Manners(NamedTuple):
    """How to understand one provider."""

    #: reads an error body
    heard: Callable[[Any], Speech]
    #: what to do about a status
    remedy: Mapping[int, str]
    #: reads the headers that tell its limit; the second argument is the time (Unix seconds)
    window: Callable[[Mapping[str, str], float], Window | None]
    #: when a limit of this policy ends (None: a pause of ours is enough)
    ends: Callable[[str], datetime | None] = lambda _: None
    #: the words of its paths: whatever else stands in a path is an id
    words: frozenset[str] = frozenset()


class Answer(NamedTuple):
    """What a provider answered: status, headers (their case does not matter), body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Http:
    """One provider's HTTP interface: kept connections, counted and paced calls."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: Mapping[str, str],
        manners: Manners,
        *,
        patience: Patience = Patience(),  # noqa: B008 — an immutable value
        sleep: Callable[[float], None] = time.sleep,
        hear: Listener = deaf,
    ) -> None:
        """`hear` is told of each call."""
        self.provider, self._hear = provider, hear
        self.calls = 0
        self._manners, self._patience, self._sleep = manners, patience, sleep
        self._not_before = 0.0
        self._closed: TryLater | None = None
        variable = f"{provider.upper()}_BASE_URL"
        self._unheard = f"{_LATER} Check the network (and {variable}, when it is set: {base_url})."
        # the transport alone: what httpx's client does around it costs half as much again,
        # and we want none of it: no redirects, no cookies, nothing from the environment
        self._transport = httpx.HTTPTransport(
            verify=_certificates(), limits=httpx.Limits(max_connections=_AT_ONCE), trust_env=False
        )
        self._base_url = f"{base_url.rstrip('/')}/"
        # not packed: a small answer must not grow to a huge one
        usual = {"User-Agent": "figsupport", "Accept": "*/*", "Accept-Encoding": "identity"}
        self._headers = httpx.Headers({**usual, **headers})
        timeout = httpx.Timeout(patience.timeout, connect=min(10.0, patience.timeout))
        self._extensions = {"timeout": timeout.as_dict()}

    @property
    def authorization(self) -> str:
        """Return what our calls say of who we are: a secret."""
        return self._headers["Authorization"]

    def get(self, path: str, **query: str) -> Any:
        """Read. Repeated when that may help."""
        return self._call("GET", path, query=query, repeatable=True)

    def send(self, method: str, path: str, body: object, *, repeatable: bool) -> Any:
        """Write; `repeatable` when doing it twice does no harm."""
        return self._call(method, path, body=body, repeatable=repeatable)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        repeatable: bool,
    ) -> Any:
        attempt, until = 0, time.monotonic() + self._patience.deadline
        while True:
            attempt += 1
            answer, failure, error = self._once(attempt, method, path, query, body)
            if failure is None:
                return answer
            wait = pause(
                failure, attempt, random.random(),  # noqa: S311
                repeatable=repeatable, backoff=self._patience.backoff,
            )  # fmt: skip
            if wait is None or time.monotonic() + wait > until:
                raise error from None
            self._sleep(wait)

    def _once(
        self, attempt: int, method: str, path: str, query: Mapping[str, str] | None, body: object
    ) -> tuple[Any, Failure | None, FigsupportError]:
        if self._closed is not None and datetime.now(UTC) < self._closed.until:
            raise self._closed  # asking again would only be counted against us
        self._pace()
        self.calls += 1
        nothing = Unavailable(f"{self.provider} did not answer", hint=self._unheard)
        began, status = time.perf_counter(), None
        try:
            answer = self._ask(method, path, query, body)
            status = answer.status
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return None, Failure(None, reached=False), nothing
        except httpx.HTTPError:
            return None, Failure(None), nothing
        finally:
            call = f"{method} {without_ids(path, self._manners.words)}"
            seconds = time.perf_counter() - began
            self._hear(CallDone(self.provider.lower(), call, status, seconds, attempt))
        self._remember_pace(answer.headers)
        if answer.status < 300:
            try:
                return json.loads(answer.content) if answer.content else {}, None, nothing
            except ValueError:
                garbled = Unavailable(f"{self.provider} answered nonsense", hint=_LATER)
                return None, Failure(None), garbled
        speech = self._speech(answer.content)
        ends = self._manners.ends(speech.policy) if answer.status == 429 else None
        retry_after = _seconds(answer.headers.get("retry-after"))
        failure = Failure(answer.status, retry_after, stays=ends is not None)
        error = self._error(failure, speech, ends)
        if ends is not None and isinstance(error, TryLater):
            self._closed = error
        return None, failure, error

    def _ask(self, method: str, path: str, query: Mapping[str, str] | None, body: object) -> Answer:
        """Return an answer, read to its end: not for ever, and not without end."""
        request = httpx.Request(
            method, self._base_url + path.lstrip("/"), params=query or None,
            headers=self._headers, json=body, extensions=self._extensions,
        )  # fmt: skip
        answer = self._transport.handle_request(request)
        until, content = time.monotonic() + self._patience.timeout, bytearray()
        stream = answer.stream
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 — of a sync transport
        with contextlib.closing(stream):
            for block in stream:
                content += block
                if len(content) > _MOST_BYTES or time.monotonic() > until:
                    raise httpx.ReadError("the answer does not end")
        return Answer(answer.status_code, answer.headers, bytes(content))

    def _speech(self, content: bytes) -> Speech:
        try:
            return self._manners.heard(json.loads(content))
        except (ValueError, TypeError, AttributeError, KeyError):
            return Speech()

    def _error(self, failure: Failure, speech: Speech, ends: datetime | None) -> FigsupportError:
        """Return the error of an answer, named after what the reader can do about it."""
        status = failure.status or 0
        said = " — ".join(part for part in (speech.code, speech.message[:300]) if part)
        where = f" (correlation id {speech.correlation})" if speech.correlation else ""
        sentence = f"{self.provider} answered {status}{f': {said}' if said else ''}{where}"
        remedy = self._manners.remedy.get(status, "")
        if status == 429:
            until = ends or datetime.now(UTC) + timedelta(seconds=failure.retry_after or 60.0)
            hint = f"Its limit ends at {until:%Y-%m-%d %H:%M %Z}; {_THEN}" if ends else remedy
            return TryLater(sentence, until=until, hint=hint or _LATER)
        if status in _PASSING or status >= 500:
            return Unavailable(sentence, hint=remedy or _LATER)
        if status == 403 and speech.needed:
            remedy = f"Grant the key the scopes {', '.join(speech.needed)}. {remedy}"
        kinds: dict[int, type[FigsupportError]] = {
            401: Credentials, 403: Credentials, 404: NotFound, 409: Conflict,
        }  # fmt: skip
        return kinds.get(status, Refused)(sentence, hint=remedy or "See the provider's answer.")

    def _pace(self) -> None:
        """Wait before a limit is hit, as the last answer's headers tell."""
        wait = min(self._not_before - time.time(), _LONGEST_WAIT)
        if wait > 0:
            self._sleep(wait)

    def _remember_pace(self, headers: Mapping[str, str]) -> None:
        now = time.time()
        try:
            window = self._manners.window(headers, now)
        except ValueError:
            return
        if window is not None:
            self._not_before = now + spread(window)


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities we trust, read once for all providers."""
    return httpx.create_ssl_context(trust_env=False)


_THEN = "`figsupport poll` goes on then by itself: nothing is lost."
_LATER = "Run the same command again later: it is safe."


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
