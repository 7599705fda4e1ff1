"""A mail server on the loopback (aiosmtpd) that keeps letters, or fails as a test says."""

import asyncio
import socket
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from .server import Fault


class Office:
    """What the server does with a letter: keeps it, or answers as a test says."""

    lateness = 1.0

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answers: dict[str, str] = {}
        self.calls: list[str] = []
        self.script: dict[int, Fault] = {}

    def fail_at(self, number: int, faults: tuple[Fault, ...]) -> None:
        """Let letters fail by their number, from this one on; the first letter is number 1."""
        self.script = dict(enumerate(faults, number))

    async def handle_RCPT(  # noqa: N802 — the name the server calls
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if "recipient" in self.answers:
            return self.answers["recipient"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if "letter" in self.answers:
            return self.answers["letter"]
        self.calls.append("DATA")
        fault = str(self.script.pop(len(self.calls), ""))
        if fault in ("429", "500", "503", "garbage"):
            return "451 4.3.0 come back later"
        if "before" not in fault:
            letter = message_from_bytes(envelope.content, policy=default)
            self.letters.append((envelope, letter))
        if fault == "500 after":
            return "451 4.3.0 kept all the same"
        if fault.startswith("late"):
            await asyncio.sleep(self.lateness)
        if fault:
            server.transport.abort()
        return "250 OK"


def start(office: Office, **given: Any) -> Controller:
    """Let a server listen for this office, on a port that nobody took meanwhile."""
    for tries in range(9):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(office, hostname="127.0.0.1", port=port, **given)
        try:
            controller.start()
        except OSError:
            if tries == 8:
                raise
        else:
            return controller
    raise AssertionError("not reached")
