"""What the tests of the server share: an application in a folder, and callers who may or may not."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic import SecretStr
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from figsupport.adapters.cases import LocalCases
from figsupport.core.model import Case
from figsupport.server.app import create_app
from figsupport.services import Services
from figsupport.settings import Settings

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ORIGIN = "http://127.0.0.1:8000"
ASKED = {
    "source": "modelisation",
    "objet": "Chaise",
    "description": "Nous voudrions cette chaise en bois en 3D.",
    "user_email": "client@example.com",
    "user_name": "Jean Dupont",
}


class Time:
    """The seconds that the gate reads."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def settings(home: Path, **more: Any) -> Settings:
    secrets = ("figsupport_webhook_secret", "figsupport_webhook_token", "hubspot_client_secret")
    given = {name: SecretStr(value) if name in secrets else value for name, value in more.items()}
    usual = Settings(
        figsupport_home=home,
        figsupport_sync="normal",
        admin_email="admin@figurative.example",
        mail_from="Figurative <support@figurative.example>",
    )
    return usual.model_copy(update=given)


def an_app(found: Settings, **more: Any) -> FastAPI:
    return create_app(found, lambda: Services(found), **more)


@contextmanager
def a_client(app: FastAPI, host: str = "127.0.0.1") -> Iterator[TestClient]:
    base = f"http://{host}"
    with TestClient(app, base_url=base, raise_server_exceptions=False) as client:
        yield client


def signed(
    body: bytes, now: float, secret: str = SECRET, delivery: str = "msg_1"
) -> dict[str, str]:
    """Return the headers of a delivery, made by the standard's own library."""
    at = datetime.fromtimestamp(now, UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(delivery, at, body.decode()),
    }


def as_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def journalled(home: Path) -> list[Case]:
    """Return the cases that are in the journal of a folder."""
    if not (home / "cases.sqlite").exists():
        return []
    cases = LocalCases(home, "normal")
    try:
        return cases.open_cases()
    finally:
        cases.close()


class Server:
    """`figsupport serve` as its users run it: a process on the loopback."""

    def __init__(self, home: Path, *options: str, **more: str) -> None:
        environment = {
            **os.environ,
            "FIGSUPPORT_HOME": str(home),
            "FIGSUPPORT_SYNC": "normal",
            "FIGSUPPORT_WEBHOOK_TOKEN": TOKEN,
            **more,
        }
        command = [sys.executable, "-m", "figsupport.cli", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.said: list[str] = []
        for line in self.process.stderr:
            self.said.append(line.strip())
            if line.startswith("Listening on "):
                self.url = line.split()[2]
                self.port = urlsplit(self.url).port or 0
                return
        self.close()
        raise AssertionError(f"the server did not start: exit {self.process.returncode}")

    def kill(self) -> None:
        """End it as a power cut of the process would."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Stop it as an operator does."""
        self.process.terminate()
        self.process.communicate(timeout=30)


def until(happened: Any, seconds: float = 20.0) -> Any:
    """Wait for something that another process does; return what it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happened():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")
