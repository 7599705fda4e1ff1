"""`figsupport serve` under load: 1, 16 and 64 clients, providers that take 0 and 50 ms.

`python -m benchmarks.serve [--seconds N]`: for each, N seconds against a real server on the
loopback that asks stand-ins of HubSpot and a mail server; halfway it is killed (-9) and started
again. Printed: whether every request that was answered 2xx is on the desk exactly once, intakes a
second, CPU of the server for each, and how long callers waited.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

from tests.standins import hubspot as hubspot_
from tests.standins.smtp import Office, start

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-for-an-hour"
_TICK = os.sysconf("SC_CLK_TCK")


class Providers:
    """HubSpot and a mail server in a process of their own, so that their work is not ours."""

    def __init__(self, latency: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve", "--stand-in", str(latency)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url, self.smtp = json.loads(self._process.stdout.readline())

    def stop(self) -> "Seen":
        """Stop, and return what was seen."""
        out, _ = self._process.communicate("stop\n", timeout=60)
        return Seen(*json.loads(out))

    def close(self) -> None:
        """End, if it has not."""
        self._process.kill()
        self._process.communicate()


class Seen(NamedTuple):
    """What the providers saw: the key of every ticket, calls by method and kind, letters."""

    keys: list[str]
    calls: dict[str, int]
    letters: int


class QuickToFind(hubspot_.HubSpot):
    """Finds unique values at once, however many there are, as it would."""

    def __init__(self) -> None:
        super().__init__()
        self._unique: dict[tuple[str, str, str], dict[str, Any]] = {}

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        status, answer = super()._create(name, body)
        if status == 201:
            item = self.objects[name][answer["id"]]
            for field, value in item["properties"].items():
                self._unique[name, field, value.lower()] = item
        return status, answer

    def _by(self, name: str, field: str | None, value: str) -> dict[str, Any] | None:
        return self._unique.get((name, field or "", value.lower()))


def stand_in(latency: float) -> None:
    """Be the providers until a line comes; then print what they saw."""
    hubspot, office = QuickToFind(), Office()
    hubspot.latency = latency
    relay = start(office)
    print(json.dumps([hubspot.url, relay.port]), flush=True)
    sys.stdin.readline()
    tickets = hubspot.objects["tickets"].values()
    keys = [ticket["properties"]["figsupport_key"] for ticket in tickets]
    calls = Counter("/".join(call.split("/")[:5]) for call in hubspot.calls)
    print(json.dumps([keys, calls, len(office.letters)]))
    relay.stop()
    hubspot.close()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds, user and system, of a process and of all that it started."""
    process = Path("/proc") / str(pid)
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    began = [
        int(child)
        for task in (process / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return sum(map(int, fields[11:15])) / _TICK + sum(map(cpu_of, began))


class Server:
    """The server; its CPU seconds are read from /proc while it lives."""

    def __init__(self, home: Path, providers: Providers, port: int, **settings: str) -> None:
        environment = {
            **os.environ,
            "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_SYNC": "full",
            "FIGSUPPORT_WEBHOOK_TOKEN": TOKEN, "FIGSUPPORT_SERVE_RATE": "0",
            "FIGSUPPORT_BOARD": "local", "FIGSUPPORT_STORE": "local", "FIGSUPPORT_JUDGE": "rules",
            "HUBSPOT_API_KEY": hubspot_.KEY, "HUBSPOT_BASE_URL": providers.url,
            "HUBSPOT_HUB_ID": "145", "HUBSPOT_PIPELINE_ID": "77", "HUBSPOT_STAGE_NEW": "1",
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(providers.smtp), "SMTP_SECURITY": "none",
            "MAIL_FROM": "Figurative <support@figurative.example>",
            "ADMIN_EMAIL": "admin@figurative.example",
            **settings,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "figsupport.cli", "serve", "--port", str(port)],
            env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("Listening on "):
                self.port = int(line.split()[2].rpartition(":")[2])
                return
            last = line
        raise SystemExit(f"the server did not start: {last}")

    def cpu(self) -> float:
        """Return the CPU seconds spent so far."""
        return cpu_of(self._process.pid)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.communicate()


class Client(threading.Thread):
    """One caller: a request after the other; one that got no answer is sent again."""

    def __init__(self, name: str, port: int, until: float) -> None:
        super().__init__(name=name)
        self._port, self._until = port, until
        self.answered: list[str] = []
        self.waits: list[float] = []

    def run(self) -> None:
        """Call until the time is over."""
        number = 0
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        while time.monotonic() < self._until:
            key = f"{self.name}-{number}"
            began = time.monotonic()
            try:
                connection.request("POST", "/webhook/request", _request(key), _HEADERS)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                connection.close()
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.answered.append(key)
                self.waits.append(time.monotonic() - began)
                number += 1
            else:
                time.sleep(0.05)
        connection.close()


_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def _request(key: str) -> bytes:
    document = {
        "request_id": key, "source": "modelisation", "objet": "Fauteuil",
        "description": "Un fauteuil à modéliser avec ses textures.",
        "user_email": f"{key}@example.com", "user_name": "Jean Dupont",
    }  # fmt: skip
    return json.dumps(document).encode()


class Figures(NamedTuple):
    """What one run showed."""

    answered: int
    lost: int
    doubled: int
    a_second: float
    cpu_ms: float
    p50: float
    p95: float


def load(clients: int, latency: float, seconds: float) -> Figures:
    """Run one load; the server is killed halfway."""
    home = Path(tempfile.mkdtemp(prefix="serve-"))
    providers = Providers(latency)
    try:
        server = Server(home, providers, 0)
        callers = [
            Client(f"c{number}", server.port, time.monotonic() + seconds)
            for number in range(clients)
        ]
        idle = server.cpu()
        for caller in callers:
            caller.start()
        time.sleep(seconds / 2)
        cpu = server.cpu() - idle
        server.kill()
        server = Server(home, providers, server.port)
        idle = server.cpu()
        for caller in callers:
            caller.join()
        cpu += server.cpu() - idle
        server.kill()
        keys = providers.stop().keys
    finally:
        shutil.rmtree(home, ignore_errors=True)
    answered = [key for caller in callers for key in caller.answered]
    waits = sorted(1000 * wait for caller in callers for wait in caller.waits)
    quantiles = statistics.quantiles(waits, n=20)
    return Figures(
        len(answered),
        len(set(answered) - set(keys)),
        len(keys) - len(set(keys)),
        len(answered) / seconds,
        1000 * cpu / len(answered),
        quantiles[9],
        quantiles[18],
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--stand-in", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stand_in is not None:
        stand_in(given.stand_in)
        return
    print("clients  provider  intakes/s  CPU ms each  p50 ms  p95 ms  answered 2xx, on the desk")
    for latency in (0.0, 0.05):
        for clients in given.clients:
            found = load(clients, latency, given.seconds)
            whole = "each once" if not found.lost + found.doubled else (
                f"{found.lost} LOST, {found.doubled} DOUBLED"
            )  # fmt: skip
            print(
                f"{clients:7} {latency * 1000:6.0f} ms {found.a_second:10.1f} {found.cpu_ms:12.2f} "
                f"{found.p50:7.0f} {found.p95:7.0f}  {found.answered}: {whole}",
                flush=True,
            )


if __name__ == "__main__":
    main()
