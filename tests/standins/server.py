"""What every stand-in shares: a loopback server, a log of calls, and faults on demand."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What may happen to a call: it is lost before or after the work was done, the answer is
#: garbage, the connection is reset, or a status is answered instead of doing the work.
Fault = str | int


class StandIn:
    """A provider on the loopback. Subclasses answer `handle`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.faults: dict[str, list[Fault]] = {}
        self.lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do(self) -> None:
                stand_in._serve(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON body and headers."""
        raise NotImplementedError

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        """Return what the provider answers with this status."""
        return status, {"message": "as asked"}, {}

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(request.headers.get("content-length") or 0)
        body = json.loads(request.rfile.read(length)) if length else None
        call = f"{request.command} {parts.path}"
        with self.lock:
            self.calls.append(call)
            fault = self._fault(call)
            if fault == "lost before":
                return self._drop(request)
            if isinstance(fault, int):
                status, answer, headers = self.refuse(fault)
            else:
                status, answer, headers = self.handle(
                    request.command, parts.path, query, body, request.headers
                )
        if fault in ("lost after", "reset"):
            return self._drop(request)
        raw = b"<html>Bad gateway" if fault == "garbage" else json.dumps(answer).encode()
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(raw))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(raw)
        return None

    def _fault(self, call: str) -> Fault | None:
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
