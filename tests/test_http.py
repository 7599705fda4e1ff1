"""The polite client: when it tries again, how it slows down, and what it calls an error."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from figsupport.adapters.http import Failure, Http, Manners, Patience, Speech, Window, pause, spread
from figsupport.errors import (
    Conflict,
    Credentials,
    FigsupportError,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
)

# --- the policy ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "attempt", "repeatable", "waits"),
    [
        (Failure(429), 1, False, True),
        (Failure(429, 12.0), 1, False, True),
        (Failure(429, 3600.0), 1, False, False),
        (Failure(429), 4, False, False),
        (Failure(429, stays=True), 1, True, False),
        (Failure(None, reached=False), 1, False, True),
        (Failure(None), 1, False, False),
        (Failure(None), 1, True, True),
        (Failure(500), 1, False, False),
        (Failure(503), 3, True, True),
        (Failure(503), 4, True, False),
        (Failure(400), 1, True, False),
        (Failure(401), 1, True, False),
        (Failure(404), 1, True, False),
        (Failure(423), 1, True, True),
        (Failure(477), 1, True, True),
        (Failure(501), 1, True, False),
    ],
)
def test_when_to_try_again(failure: Failure, attempt: int, repeatable: bool, waits: bool) -> None:
    for jitter in (0.0, 1.0):
        wait = pause(failure, attempt, jitter, repeatable=repeatable)
        assert (wait is not None) is waits
        if wait is not None:
            assert wait >= (failure.retry_after or 0)
            assert wait <= 30
            assert failure.status != 423 or wait >= 2
            assert failure.status != 477 or wait >= 5


def test_each_wait_is_longer_than_the_one_before() -> None:
    waits = [pause(Failure(503), attempt, 0.5, repeatable=True) or 0 for attempt in (1, 2, 3)]
    assert waits == sorted(set(waits))
    assert pause(Failure(503), 1, 0.5, repeatable=True, backoff=0.0) == 0


@pytest.mark.parametrize(
    ("window", "wait"),
    [
        (Window(50, 100, 10), 0.0),
        (Window(11, 100, 10), 0.0),
        (Window(9, 100, 10), 1.0),
        (Window(0, 100, 10), 10.0),
        (Window(0, 100, -3), 0.0),
        (Window(0, 100, 86_400), 30.0),
    ],
)
def test_what_is_left_of_a_limit_is_spread(window: Window, wait: float) -> None:
    assert spread(window) == pytest.approx(wait)


# --- on the wire ---------------------------------------------------------------------------

Script = Callable[[BaseHTTPRequestHandler], None]


class Scripted:
    """A server that answers each call by the next line of a script."""

    def __init__(self, *script: Script) -> None:
        lines = list(script)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                (lines.pop(0) if len(lines) > 1 else lines[0])(self)

            do_POST = do_GET  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def says(status: int, body: object = None, **headers: str) -> Script:
    content = json.dumps(body).encode() if not isinstance(body, bytes) else body

    def line(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return line


def drips(request: BaseHTTPRequestHandler) -> None:
    """A body that goes on for ever, a byte at a time: no single read is late."""
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    for _ in range(100):
        try:
            request.wfile.write(b" ")
            request.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


def floods(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "100000000")
    request.end_headers()
    try:
        for _ in range(1000):
            request.wfile.write(b" " * 100_000)
    except OSError:
        return


@pytest.fixture
def talk(socket_enabled: None) -> Iterator[Callable[..., tuple[Http, list[float]]]]:
    opened: list[Any] = []

    def talk_(*script: Script, **changes: Any) -> tuple[Http, list[float]]:
        server, waits = Scripted(*script), list[float]()
        manners = Manners(
            lambda body: Speech(str(body.get("code") or ""), policy=str(body.get("policy") or "")),
            {401: "Check the key."},
            lambda headers, now: Window(int(headers["x-left"]), 100, 10) if "x-left" in headers else None,
            lambda policy: datetime.now(UTC) + timedelta(hours=5) if policy == "DAILY" else None,
        )  # fmt: skip
        patience = Patience(changes.get("timeout", 2.0), 0.0)
        http = Http("Desk", server.url, {}, manners, patience=patience, sleep=waits.append)
        opened.extend((http, server))
        return http, waits

    yield talk_
    for one in opened:
        one.close()


def test_reading_is_tried_until_it_works(talk: Callable[..., Any]) -> None:
    http, waits = talk(says(503), says(502), says(200, {"a": 1}))
    assert http.get("x") == {"a": 1}
    assert (http.calls, len(waits)) == (3, 2)


def test_writing_is_not(talk: Callable[..., Any]) -> None:
    http, _ = talk(says(503), says(200, {}))
    with pytest.raises(Unavailable, match="Desk answered 503"):
        http.send("POST", "x", {}, repeatable=False)
    assert http.calls == 1


def test_a_long_wait_is_left_to_the_next_run(talk: Callable[..., Any]) -> None:
    http, waits = talk(says(429, {}, Retry_After="3600"))
    with pytest.raises(TryLater) as caught:
        http.get("x")
    assert (http.calls, waits) == (1, [])
    assert caught.value.until > datetime.now(UTC) + timedelta(minutes=59)


def test_a_limit_that_stays_stops_all_calls(talk: Callable[..., Any]) -> None:
    http, _ = talk(says(429, {"policy": "DAILY"}), says(200, {}))
    for _ in range(3):
        with pytest.raises(TryLater, match="429") as caught:
            http.get("x")
    assert http.calls == 1
    assert "goes on then by itself" in caught.value.hint


def test_it_waits_before_the_limit_is_hit(talk: Callable[..., Any]) -> None:
    http, waits = talk(says(200, {}, X_Left="3"), says(200, {}))
    http.get("x")
    assert waits == []
    http.get("x")
    assert waits == [pytest.approx(2.5, abs=0.2)]


@pytest.mark.parametrize("line", [drips, floods])
def test_an_answer_without_end_is_none(talk: Callable[..., Any], line: Script) -> None:
    http, _ = talk(line, timeout=0.3)
    with pytest.raises(Unavailable, match="Desk did not answer"):
        http.send("GET", "x", None, repeatable=False)


def test_a_redirect_is_not_followed(talk: Callable[..., Any]) -> None:
    http, _ = talk(says(302, {}, Location="http://127.0.0.1:9/steal"))
    with pytest.raises(Refused, match="302"):
        http.get("x")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, Credentials), (403, Credentials), (404, NotFound), (409, Conflict),
     (418, Refused), (501, Unavailable)],
)  # fmt: skip
@pytest.mark.parametrize("body", [{"code": "X1"}, [], b"<html>", b"", b"\xff"])
def test_an_error_is_named_after_what_to_do(
    talk: Callable[..., Any], status: int, kind: type[FigsupportError], body: object
) -> None:
    http, _ = talk(says(status, body))
    with pytest.raises(kind, match=f"Desk answered {status}") as caught:
        http.get("x")
    assert caught.value.hint


@pytest.mark.parametrize("header", ["", "soon", "-5"])
def test_a_strange_retry_after_is_no_wait(talk: Callable[..., Any], header: str) -> None:
    http, waits = talk(says(429, {}, Retry_After=header), says(200, {}))
    http.get("x")
    assert waits == [0.0]


def test_strange_limits_are_ignored(talk: Callable[..., Any]) -> None:
    http, waits = talk(says(200, {}, X_Left="many"), says(200, {}))
    http.get("x")
    http.get("x")
    assert waits == []
