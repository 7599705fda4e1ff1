"""Listening: what must be right before, the socket, and the server's own bounds."""

import asyncio
import gc
import socket
from ipaddress import ip_address

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from figsupport.commands.answers import Options, open_services, watched
from figsupport.errors import Misconfigured
from figsupport.server import Listen
from figsupport.server.app import create_app
from figsupport.server.gate import Gate
from figsupport.services import Services

#: Connections at once; beyond them callers are told to come again.
_CONNECTIONS = 500
#: Seconds that a stopped server goes on with what was begun.
_LAST = 60


def run(options: Options, listen: Listen) -> None:
    """Answer until stopped. Raises Misconfigured before listening."""
    services = open_services(options)  # settings and directives are checked here
    settings = services.settings
    gate = Gate(settings)
    if gate.open and not is_loopback(listen.host):
        raise Misconfigured(
            f"Listening on {listen.host} would let in anybody: no secret and no token is set",
            hint="Set FIGSUPPORT_WEBHOOK_SECRET or FIGSUPPORT_WEBHOOK_TOKEN, or leave --host out.",
        )
    services.close()
    if options.dry_run:
        options.warn(f"Settings and directives fit; it would listen on {listen.host}.")
        return

    def open_thread() -> Services:
        return watched(services.again(), options)

    app = create_app(settings, open_thread, poll=listen.poll, warn=options.warn)
    config = uvicorn.Config(
        app,
        http=patient(settings.figsupport_serve_patience),
        log_level="warning",
        access_log=False,  # addresses of clients are in no log
        server_header=False,
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_LAST,
    )
    with listening(listen) as bound:
        if options.notice:
            options.warn(options.notice)
        options.warn(f"Listening on http://{_shown(bound)} ({_protection(gate)})")
        gc.freeze()  # what is there for good is not looked through again and again
        uvicorn.Server(config).run(sockets=[bound])


def patient(seconds: float) -> type[H11Protocol]:
    """Return a connection that closes when its next request does not begin in time.

    uvicorn alone waits for ever.
    """

    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.loop.call_later(seconds, self._close_after, None)

        def on_response_complete(self) -> None:
            self.loop.call_later(seconds, self._close_after, self.cycle)
            super().on_response_complete()

        def _close_after(self, cycle: RequestResponseCycle | None) -> None:
            if self.cycle is cycle:
                self.transport.close()

    return Connection


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(listen: Listen) -> socket.socket:
    """Return the socket that callers connect to. Raises Misconfigured when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        bound = socket.create_server((listen.host, listen.port), family=family, backlog=2048)
    except OSError as error:
        raise Misconfigured(
            f"Port {listen.port} of {listen.host} cannot be listened on: {error.strerror}",
            hint="Is another server running? Choose another --port.",
        ) from None
    # connections inherit it; with Nagle's algorithm each answer on a kept connection waits
    # 40 ms for the acknowledgement that the caller delays
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _shown(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _protection(gate: Gate) -> str:
    if gate.open:
        return "no secret set: requests from this machine only, /webhook/validate refused"
    return "signed calls or the token only"
