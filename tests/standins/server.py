"""What every stand-in shares: a loopback server, a log of calls, and faults on demand."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What may happen to a call. A number: that status is answered instead of doing the work;
#: « 500 after »: it is answered although the work was done; the words of FAULTS otherwise.
Fault = str | int
#: lost: no answer, the connection is reset; late: no answer in time; garbage: no JSON.
FAULTS: tuple[Fault, ...] = (
    "lost before", "lost after", "late before", "late after", "garbage",
    429, 500, 503, "500 after",
)  # fmt: skip


#: status, body (a function says everything itself, as wrongly as it likes), headers
Answer = tuple[int, bytes | Callable[[BaseHTTPRequestHandler], None], dict[str, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that hangs up is no news."""


class StandIn:
    """A provider on the loopback. Subclasses answer `handle`."""

    #: how long a late answer takes, in seconds: longer than whoever asks waits
    lateness = 1.0
    #: how long any call takes, in seconds: half of it before, half of it after the work is done
    latency = 0.0

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.faults: dict[str, list[Fault]] = {}
        self.script: dict[int, Fault] = {}
        self.lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do(self) -> None:
                stand_in._serve(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do  # noqa: N815

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def fail(self, call: str, *faults: Fault) -> None:
        """Let the next calls that begin so fail: « POST /list », "lost after"."""
        self.faults[call] = list(faults)

    def fail_at(self, number: int, faults: Iterable[Fault]) -> None:
        """Let calls fail by their number, from this one on; the first call is number 1."""
        self.script = dict(enumerate(faults, number))

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and headers.

        The body is JSON; bytes are sent as they are; a function is given the request's handler
        and says everything itself, as slowly or wrongly as it likes.
        """
        raise NotImplementedError

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        """Return what the provider answers with this status."""
        return status, {"message": "as asked"}, {}

    def answer(self, request: BaseHTTPRequestHandler, raw: bytes) -> Answer:
        """Do the work of a call; return status, body and headers."""
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(raw) if raw else None
        return _as_json(self.handle(request.command, parts.path, query, body, request.headers))

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("content-length") or 0))
        call = f"{request.command} {urlsplit(request.path).path}"
        status, content, headers = _as_json((200, {}, {}))
        time.sleep(self.latency / 2)
        with self.lock:
            self.calls.append(call)
            fault = self._fault(call)
            if not isinstance(fault, int) and fault not in ("lost before", "late before"):
                status, content, headers = self.answer(request, raw)
            if isinstance(fault, int) or fault == "500 after":
                status, content, headers = _as_json(self.refuse(int(str(fault).split()[0])))
        time.sleep(self.latency / 2)
        if isinstance(fault, str) and fault.startswith(("lost", "late", "reset")):
            if fault.startswith("late"):
                time.sleep(self.lateness)
            return self._drop(request)
        if fault == "garbage":
            content = b"<html>Bad gateway"
        if callable(content):
            with suppress(OSError):  # whoever asked has left
                content(request)
            request.close_connection = True
            return None
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        return None

    def _fault(self, call: str) -> Fault | None:
        if fault := self.script.pop(len(self.calls), None):
            return fault
        for begin, faults in self.faults.items():
            if call.startswith(begin) and faults:
                return faults.pop(0)
        return None

    @staticmethod
    def _drop(request: BaseHTTPRequestHandler) -> None:
        """Reset the connection: whatever was sent, no answer comes."""
        linger = struct.pack("ii", 1, 0)
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.close_connection = True
        request.connection.close()


def _as_json(answer: tuple[int, Any, dict[str, str]]) -> Answer:
    status, body, headers = answer
    raw = isinstance(body, bytes) or callable(body)
    return status, body if raw else json.dumps(body).encode(), headers
