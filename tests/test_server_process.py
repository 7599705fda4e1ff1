"""`figsupport serve` as a process: slow and lying callers, providers that are down, kill -9."""

import json
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from figsupport.server import Listen
from figsupport.server.running import listening

from .serving import ASKED, BEARER, ORIGIN, Server, as_json, journalled, until
from .test_live import Live

BODY = as_json(ASKED)
HEAD = (
    "POST /webhook/request HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Authorization: {BEARER['Authorization']}\r\n"
)
Start = Callable[..., Server]


@pytest.fixture
def start(home: Path, socket_enabled: None) -> Iterator[Start]:
    servers: list[Server] = []

    def start_(*options: str, **more: str) -> Server:
        servers.append(Server(home, *options, **more))
        return servers[-1]

    yield start_
    for server in servers:
        if server.process.poll() is None:
            server.kill()


def call(
    server: Server, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, Any, dict[str, str]]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(content) if content else None, names


def ask(server: Server, body: bytes = BODY) -> tuple[int, Any, dict[str, str]]:
    headers = {**BEARER, "Content-Type": "application/json"}
    return call(server, "POST", "/webhook/request", body, headers)


def raw(server: Server, *pieces: bytes) -> bytes:
    """Send bytes as they are and return everything that comes back until the end."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while block := connection.recv(65536):
            answer += block
        return answer


def test_answers_do_not_wait_for_acknowledgements(socket_enabled: None) -> None:
    with (
        listening(Listen(host="127.0.0.1", port=0)) as bound,
        closing(socket.create_connection(bound.getsockname())),
        closing(bound.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_operator_stops_it(start: Start, home: Path) -> None:
    server = start()
    assert "Embedded desk" in server.said[0]
    assert "signed calls or the token only" in server.said[-1]
    assert ask(server)[0] == 200
    server.close()
    assert server.process.returncode == -signal.SIGTERM
    assert not list(home.glob("*-wal")), "the journal was not closed"
    assert len(journalled(home)) == 1


def test_a_port_that_is_taken_is_said(start: Start, home: Path) -> None:
    server = start()
    with pytest.raises(AssertionError, match="exit 78"):
        start("--port", str(server.port))


def test_slow_and_lying_callers(start: Start, home: Path) -> None:
    server = start(FIGSUPPORT_SERVE_PATIENCE="0.5", FIGSUPPORT_MAX_DOCUMENT="20000")
    slow = raw(server, f"{HEAD}Content-Length: 100\r\n\r\n".encode(), BODY[:10])
    assert b" 408 " in slow.splitlines()[0]
    declared = raw(server, f"{HEAD}Content-Length: 20001\r\n\r\n".encode())
    assert b" 413 " in declared.splitlines()[0]
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    counted = raw(server, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode(), *[chunk] * 5)
    assert b" 413 " in counted.splitlines()[0]
    lying = raw(server, f"{HEAD}Content-Length: 5\r\nConnection: close\r\n\r\n".encode(), BODY)
    assert b" 422 " in lying.splitlines()[0]
    for length in ("-1", "x", "5, 6", "1e3"):
        answer = raw(server, f"{HEAD}Content-Length: {length}\r\n\r\n".encode(), BODY)
        assert b" 400 " in answer.splitlines()[0]
    both = f"{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert b" 200 " not in raw(server, both, b"0\r\n\r\n").splitlines()[0]
    with closing(socket.create_connection(("127.0.0.1", server.port))) as leaving:
        leaving.sendall(f"{HEAD}Content-Length: 100\r\n\r\n".encode() + BODY[:10])
    assert journalled(home) == []
    assert ask(server)[0] == 200
    server.close()
    assert "bug" not in " ".join(server.said)


def test_a_connection_that_says_nothing_is_closed(start: Start) -> None:
    server = start(FIGSUPPORT_SERVE_PATIENCE="0.5")
    silent = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    dripping = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with closing(silent), closing(dripping):
        dripping.sendall(b"POST / HTTP/1.1\r\nHo")
        assert ask(server)[0] == 200
        assert silent.recv(1) == dripping.recv(1) == b""


# --- providers -----------------------------------------------------------------------------


@pytest.fixture
def live(home: Path, socket_enabled: None) -> Iterator[Live]:
    providers = Live(home)
    providers.settings = {"FIGSUPPORT_BACKOFF": "0", "FIGSUPPORT_TIMEOUT": "2"}
    yield providers
    providers.close()


def tickets(live: Live) -> int:
    return len(live.hubspot.objects["tickets"])


def test_a_provider_that_is_down_is_no_loss(start: Start, live: Live, home: Path) -> None:
    server = start("--poll", "1", **live.environment())
    live.hubspot.fail("POST /crm/objects/2026-09/tickets", *[503] * 4)
    status, document, headers = ask(server)
    assert status == 503
    assert int(headers["retry-after"]) >= 1
    assert headers["content-type"] == "application/problem+json"
    assert "hubspot" not in json.dumps(document).lower()
    until(lambda: tickets(live))  # its own round finishes the case
    until(lambda: not [case for case in journalled(home) if case.outbox or not case.mails])
    status, document, _ = ask(server)
    assert (status, document["is_new_ticket"]) == (200, False)
    assert tickets(live) == 1
    assert live.kinds() == ["info"]


def test_the_same_request_again_finishes_it(start: Start, live: Live) -> None:
    server = start(**live.environment())
    live.hubspot.fail("GET /crm/objects/2026-09/contacts", *[503] * 4)
    assert ask(server)[0] == 503
    assert ask(server)[0] == 200
    assert tickets(live) == 1


def test_wrong_credentials_are_our_fault(start: Start, live: Live) -> None:
    live.settings["HUBSPOT_API_KEY"] = "pat-eu1-bad"
    status, document, _ = ask(start(**live.environment()))
    assert status == 502
    assert "key" not in document["detail"].lower()


# --- killed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call_", ["GET /crm/objects/2026-09/contacts", "POST /crm/objects/2026-09/tickets",
              "PATCH /crm/objects/2026-09/tickets"],
)  # fmt: skip
@pytest.mark.parametrize("when", ["late before", "late after"])
def test_killed_before_the_answer(
    start: Start, live: Live, home: Path, call_: str, when: str
) -> None:
    """After the journalling, while a provider is asked: the same request again is one ticket."""
    live.hubspot.lateness = 1.0
    server = start(**live.environment())
    live.hubspot.fail(call_, when)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(ask, server)
        until(lambda: any(made.startswith(call_) for made in live.hubspot.calls))
        assert len(journalled(home)) == 1
        server.kill()
        with pytest.raises((ConnectionError, OSError)):
            answer.result()
    again = start(**live.environment())
    answers = [ask(again) for _ in range(2)]
    assert {status for status, _, _ in answers} == {200}
    assert len({document["ticket_id"] for _, document, _ in answers}) == 1
    assert tickets(live) == len(live.hubspot.objects["contacts"]) == 1
    assert live.kinds() == ["info"]


@pytest.mark.parametrize("when", ["at once", "while it is stored"])
def test_a_form_survives_a_kill(start: Start, home: Path, when: str, tmp_path: Path) -> None:
    """Its file is there once, whether or not the page sends it again."""
    form = {"FIGSUPPORT_FORM_ORIGINS": ORIGIN}
    server = start(**form)
    form_id, photo = str(uuid.uuid4()), b"\xff\xd8\xff\xe0" + b"x" * 5_000_000
    _, token, _ = call(server, "GET", "/form/token", headers={"Origin": ORIGIN})
    body, kind = as_form({"request_id": form_id, **ASKED}, photo)
    headers = {"Origin": ORIGIN, "X-Form-Token": token["token"], "Content-Type": kind}
    until(lambda: call(server, "POST", "/form", b"", headers)[0] != 429)
    with ThreadPoolExecutor(1) as caller:
        sending = caller.submit(call, server, "POST", "/form", body, headers)
        seen = (home / "forms") if when == "at once" else (home / "cases.sqlite")
        until(lambda: seen.exists() and (when == "at once" or journalled(home)))
        server.kill()
        assert sending.exception() is not None or sending.result()[0] == 200
    again = start("--poll", "1", **form)
    if when == "at once":
        _, token, _ = call(again, "GET", "/form/token", headers={"Origin": ORIGIN})
        headers["X-Form-Token"] = token["token"]
        status = until(
            lambda: (found := call(again, "POST", "/form", body, headers)[0]) != 429 and found
        )
        assert status == 200
    until(lambda: journalled(home) and journalled(home)[0].mails)
    (case,) = journalled(home)
    assert [file.size for file in case.files] == [len(photo)]
    until(lambda: not [path for path in (home / "forms").iterdir() if path.name == form_id])


def as_form(fields: dict[str, str], photo: bytes) -> tuple[bytes, str]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="fichiers"; filename="photo.jpg"\r\n\r\n'
    return b"".join(parts) + head + photo + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
