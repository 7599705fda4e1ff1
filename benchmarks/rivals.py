"""`figsupport serve` beside Node-RED and n8n: the same five provider calls for one intake.

`python -m benchmarks.rivals [--folder FOLDER]... [--seconds N] [--rounds N]`: 16 clients send
requests to each in turns, against a stand-in of HubSpot of its own that answers after 0 and
50 ms. Printed, as medians of the rounds: intakes a second, CPU of the server for each (with
every process it started), how long callers waited, ours as a ratio of theirs, and how many
calls each made for an intake, counted at the stand-in.

The rivals are not among our dependencies. A folder is one in which npm installed them (or
FIGSUPPORT_RIVALS, separated by colons); what is in none is left out with a word:

    npm install node-red@4
    npm install n8n@1             # Node 20.19 or later
    npm install n8n@2 node@24     # with a Node of the folder's own, which is used when it is there
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.serve import Client, Providers, Server, cpu_of

HERE = Path(__file__).parent / "rivals"
CLIENTS = 16
#: Seconds of load before what is measured.
WARM = 4.0
#: Seconds that a server may take to begin.
_BEGIN = 180.0
_QUIET = {
    "NODE_ENV": "production",
    "N8N_LISTEN_ADDRESS": "127.0.0.1", "N8N_LOG_LEVEL": "error", "N8N_DIAGNOSTICS_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_ENABLED": "false", "N8N_TEMPLATES_ENABLED": "false",
    "N8N_PERSONALIZATION_ENABLED": "false", "N8N_HIRING_BANNER_ENABLED": "false",
    "N8N_COMMUNITY_PACKAGES_ENABLED": "false", "N8N_DISABLE_UI": "true",
    "EXECUTIONS_DATA_SAVE_ON_SUCCESS": "none", "EXECUTIONS_DATA_SAVE_ON_ERROR": "none",
    "EXECUTIONS_DATA_SAVE_ON_PROGRESS": "false", "EXECUTIONS_DATA_SAVE_MANUAL_EXECUTIONS": "false",
    "N8N_EXPRESSION_ENGINE": "legacy", "DB_SQLITE_POOL_SIZE": "4",
}  # fmt: skip


class Running(Protocol):
    """A server that listens."""

    port: int

    def cpu(self) -> float:
        """Return the CPU seconds spent so far."""

    def kill(self) -> None:
        """End it."""


class Node:
    """A server on Node.js: started, and waited for until it takes a request."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], port: int, said: Path
    ) -> None:
        self.port, self._said = port, said
        with said.open("wb") as out:
            self._process = subprocess.Popen(
                command, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        self._wait()

    def cpu(self) -> float:
        """Return the CPU seconds of it and its children so far."""
        return cpu_of(self._process.pid)

    def kill(self) -> None:
        """End it and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + _BEGIN
        while time.monotonic() < until and self._process.poll() is None:
            if self._listens():
                return
            time.sleep(0.25)
        self.kill()
        said = self._said.read_text("utf-8", "replace")[-2000:]
        raise SystemExit(f"{self._process.args!r} did not begin: {said}")

    def _listens(self) -> bool:
        """Tell whether the webhook is there: it takes only POST."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/webhook/request", _FIRST, _JSON)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


_JSON = {"Content-Type": "application/json"}
_FIRST = json.dumps(
    {
        "request_id": "first", "source": "modelisation", "objet": "Fauteuil",
        "description": "Un fauteuil.", "user_name": "Jean Dupont",
        "user_email": "first@example.com",
    }
).encode()  # fmt: skip


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _pointed(source: Path, home: Path, providers: Providers) -> Path:
    """Return a copy of a flow that calls these providers."""
    copy = home / source.name
    copy.write_text(source.read_text("utf-8").replace("http://stand-in", providers.url), "utf-8")
    return copy


def _node(modules: Path) -> str:
    own = modules / "node" / "bin" / "node"
    return str(own) if own.exists() else "node"


def node_red(modules: Path, home: Path, providers: Providers) -> Running:
    """Start Node-RED with the flow."""
    flow, port = _pointed(HERE / "node-red" / "flow.json", home, providers), _free()
    command = [
        _node(modules), str(modules / "node-red" / "red.js"), "--userDir", str(home),
        "--settings", str(HERE / "node-red" / "settings.js"), str(flow),
    ]  # fmt: skip
    return Node(command, {**os.environ, **_QUIET, "PORT": str(port)}, port, home / "said")


def n8n(modules: Path, home: Path, providers: Providers) -> Running:
    """Start n8n with the workflow imported and active."""
    workflow, port = _pointed(HERE / "n8n" / "workflow.json", home, providers), _free()
    program = [_node(modules), str(modules / "n8n" / "bin" / "n8n")]
    environment = {
        **os.environ, **_QUIET, "N8N_USER_FOLDER": str(home), "N8N_PORT": str(port),
        "N8N_RUNNERS_BROKER_PORT": str(_free()),
    }  # fmt: skip
    for command in (
        ["import:workflow", f"--input={workflow}"],
        ["update:workflow", "--id=figsupportIntake", "--active=true"],
    ):
        done = subprocess.run(
            [*program, *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"n8n {command[0]}: {(done.stderr or done.stdout)[-2000:]}")
    return Node([*program, "start"], environment, port, home / "said")


_RIVALS = {"node-red": ("Node-RED", node_red), "n8n": ("n8n", n8n)}


class Figures(NamedTuple):
    """What one run showed; CPU and waits in ms."""

    a_second: float
    cpu: float
    p50: float
    p95: float


class Contestant:
    """A server with providers of its own, and what its runs showed."""

    def __init__(self, name: str, server: Running, providers: Providers) -> None:
        self.name, self.server, self._providers = name, server, providers
        self.runs: list[Figures] = []
        self._loads = 0

    def load(self, seconds: float) -> Figures:
        """Let the clients send for so many seconds."""
        self._loads += 1
        began, idle = time.monotonic(), self.server.cpu()
        callers = [
            Client(f"load{self._loads}-{number}", self.server.port, began + seconds)
            for number in range(CLIENTS)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        took, cpu = time.monotonic() - began, self.server.cpu() - idle
        waits = [1000 * wait for caller in callers for wait in caller.waits]
        quantiles = statistics.quantiles(waits, n=20)
        return Figures(len(waits) / took, 1000 * cpu / len(waits), quantiles[9], quantiles[18])

    def measure(self, seconds: float) -> None:
        """Do one more run."""
        self.runs.append(self.load(seconds))

    def median(self) -> Figures:
        """Return the medians of the runs."""
        return Figures(*map(statistics.median, zip(*self.runs, strict=True)))

    def calls(self) -> str:
        """End the providers; return how many calls each ticket cost, and which."""
        seen = self._providers.stop()
        tickets = len(seen.keys)
        made = ", ".join(
            f"{name.replace('/crm/objects/2026-09', '')} {count / tickets:.2f}"
            for name, count in sorted(seen.calls.items())
        )
        return f"{sum(seen.calls.values()) / tickets:.2f} calls an intake ({made})"


@contextmanager
def ours(sync: str, latency: float) -> Iterator[Contestant]:
    """`figsupport serve`; the letter stays here, as it does with the rivals."""
    with _apart(latency) as (home, providers):
        server = Server(home, providers, 0, FIGSUPPORT_SYNC=sync, FIGSUPPORT_MAIL="local")
        try:
            yield Contestant(f"figsupport, {sync}", server, providers)
        finally:
            server.kill()


@contextmanager
def theirs(package: str, modules: Path, latency: float) -> Iterator[Contestant]:
    """A rival."""
    name, start = _RIVALS[package]
    version = json.loads((modules / package / "package.json").read_text("utf-8"))["version"]
    with _apart(latency) as (home, providers):
        server = start(modules, home, providers)
        try:
            yield Contestant(f"{name} {version}", server, providers)
        finally:
            server.kill()


@contextmanager
def _apart(latency: float) -> Iterator[tuple[Path, Providers]]:
    home, providers = Path(tempfile.mkdtemp(prefix="rivals-")), Providers(latency)
    try:
        yield home, providers
    finally:
        providers.close()
        shutil.rmtree(home, ignore_errors=True)


def compare(found: list[tuple[str, Path]], latency: float, seconds: float, rounds: int) -> None:
    """Measure all in turns and print."""
    with ExitStack() as stack:
        us = [stack.enter_context(ours(sync, latency)) for sync in ("full", "normal")]
        them = [stack.enter_context(theirs(*rival, latency)) for rival in found]
        everybody = [*us, *them]
        for contestant in everybody:
            contestant.load(WARM)
        for _ in range(rounds):
            for contestant in everybody:
                contestant.measure(seconds)
        load = os.getloadavg()[0]
        print(f"\nproviders answer after {latency * 1000:.0f} ms; load of the machine {load:.1f}")
        print("                       intakes/s  CPU ms each  p50 ms  p95 ms")
        for one in everybody:
            m = one.median()
            print(f"{one.name:22} {m.a_second:9.1f} {m.cpu:12.2f} {m.p50:7.0f} {m.p95:7.0f}")
        for rival in them:
            for one in us:
                a, b = one.median(), rival.median()
                print(
                    f"{one.name} / {rival.name}: intakes/s × {a.a_second / b.a_second:.2f}, "
                    f"CPU × {a.cpu / b.cpu:.2f}, p50 × {a.p50 / b.p50:.2f}, "
                    f"p95 × {a.p95 / b.p95:.2f}"
                )
        for one in everybody:
            print(f"{one.name}: {one.calls()}", flush=True)


def installed(folders: list[Path]) -> list[tuple[str, Path]]:
    """Return each rival's package and the node_modules it is in; tell of those that are in none."""
    found = []
    for package, (name, _) in _RIVALS.items():
        where = [
            modules
            for folder in folders
            for modules in (folder, folder / "node_modules")
            if (modules / package / "package.json").exists()
        ]
        found += [(package, modules) for modules in where]
        if not where:
            print(f"{name} is left out: it is not installed in a folder given")
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_RAW)
    parser.add_argument("--folder", type=Path, action="append", help="where npm installed rivals")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.05], metavar="SECONDS")
    given = parser.parse_args()
    named = os.environ.get("FIGSUPPORT_RIVALS", "")
    found = installed(given.folder or [Path(name) for name in named.split(":") if name])
    for latency in given.latency:
        compare(found, latency, given.seconds, given.rounds)


_RAW = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main()
