"""What operation reads of the work: ids, steps, codes and times, never a word of a client."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from figsupport.core.events import CallDone, Event, PollDone, StepDone, without_ids
from figsupport.core.model import Step, reference
from figsupport.services import Services
from figsupport.watch.logs import Log

from .test_live import Live

#: Words that only the client has: none of them may stand in a log.
CLIENT = (
    "Jean",
    "Dupont",
    "client@",
    "example.com",
    "fauteuil",
    "secret",
    "valide",
    "photo",
    "Velours",
)
REQUEST = {
    "objet": "Modélisation fauteuil Velours",
    "description": "Je souhaite modéliser ce fauteuil secret, textures comprises. L 82 cm, H 95 cm.",
    "user_email": "client@example.com",
    "user_name": "Jean Dupont",
    "request_id": "jean-dupont-client@example.com",
    "fichiers": [{"name": "photo-secret.jpg", "path": "photo-secret.jpg"}],
}
PHOTO = (Path(__file__).parent.parent / "examples/photos/fauteuil.jpg").read_bytes()


def run(home: Path, log: str, *arguments: str) -> tuple[int, str]:
    """Run a command as cron does; return its exit and what it said on standard error."""
    ran = subprocess.run(
        [sys.executable, "-m", "figsupport.cli", *arguments],
        env={**os.environ, "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_LOG": log},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stderr


def whole_run(home: Path, log: str) -> str:
    """A request that fails, succeeds, is asked about, accepted; another that is validated."""
    home.mkdir()
    (home / "files").touch()  # the store cannot work
    Path("photo-secret.jpg").write_bytes(PHOTO)
    Path("request.json").write_text(json.dumps(REQUEST), encoding="utf-8")
    code, said = run(home, log, "intake", "request.json")
    assert code != 0
    (home / "files").unlink()
    complex_ = {
        **REQUEST,
        "request_id": "jean-2",
        "description": "Modéliser un moteur animé secret",
    }
    commands = (
        ("intake", "request.json"),
        ("reply", "1001", "Est-ce que Jean aura son fauteuil secret demain ?"),
        ("poll",),
        ("reply", "1001", "Je valide le devis"),
        ("poll",),
        ("intake", json.dumps(complex_)),
        ("validate", "1002", "--credits", "3", "--notes", "Velours secret"),
    )
    for command in commands:
        code, more = run(home, log, *command)
        assert code == 0, more
        said += more
    return said


@pytest.mark.parametrize("log", ["text", "json"])
def test_a_whole_run_says_no_word_of_the_client(tmp_path: Path, log: str) -> None:
    said = whole_run(tmp_path / "home", log)
    assert said.count("step") >= 15
    for word in CLIENT:
        assert word.lower() not in said.lower(), word
    if log == "json":
        lines = [json.loads(line) for line in said.splitlines()]
        assert {line["event"] for line in lines} == {"step", "poll"}
        steps = [line for line in lines if line["event"] == "step"]
        assert {line["case"] for line in steps} >= {reference(str(REQUEST["request_id"]))}
        assert [line["error"] for line in steps if line["outcome"] == "failed"]
        assert {line.get("intent") for line in steps} >= {"question"}
        assert all(line["ms"] >= 0 and datetime.fromisoformat(line["timestamp"]) for line in lines)


@pytest.fixture
def live(tmp_path: Path, socket_enabled: None) -> Iterator[Live]:
    providers = Live(tmp_path / "home")
    yield providers
    providers.close()


def test_calls_are_told_without_ids_queries_and_addresses(live: Live) -> None:
    live.settings = {"FIGSUPPORT_LOG": "json", "FIGSUPPORT_BACKOFF": "0"}
    live.hubspot.fail("PATCH", 503)
    code, _ = live.run("intake", json.dumps({**REQUEST, "fichiers": []}), "-vv")
    assert code == 0
    lines = [json.loads(line) for line in live.said.splitlines()]
    calls = [line for line in lines if line["event"] == "call"]
    told = [(line["provider"], line["call"], line["status"], line["attempt"]) for line in calls]
    crm = "crm/objects/2026-09"
    assert told[:2] == [
        ("hubspot", f"GET {crm}/contacts/…", 404, 1),
        ("hubspot", f"POST {crm}/contacts", 201, 1),
    ]
    patches = [call for call in told if call[1] == f"PATCH {crm}/tickets/…"]
    assert [(status, attempt) for *_, status, attempt in patches] == [(503, 1), (200, 2)]
    assert ("smtp", "send", 250, 1) in told
    for word in CLIENT:
        assert word.lower() not in live.said.lower(), word
    live.run("poll", "-v")
    assert '"call"' not in live.said
    for command in ("health", "setup"):
        live.run(command, "-vv")
        assert "GET crm/properties/2026-09/tickets" in live.said


def test_a_terminal_is_told_with_v_and_nothing_without(tmp_path: Path) -> None:
    home, request = tmp_path / "home", json.dumps({**REQUEST, "fichiers": []})
    assert run(home, "off", "intake", request) == (0, "")
    _, said = run(
        home, "off", "intake", json.dumps({**REQUEST, "request_id": "2", "fichiers": []}), "-v"
    )
    assert "step=ticket provider=local outcome=done" in said
    assert run(home, "off", "poll", "-v", "-q") == (0, "")
    assert run(home, "json", "poll", "--dry-run") == (0, "")


EVENTS: list[tuple[Event, dict[str, Any]]] = [
    (
        StepDone("ABC", None, Step.READ, "rules", 0.0123, intent="unclear", guard="forged"),
        {"event": "step", "level": "info", "case": "ABC", "step": "read", "provider": "rules",
         "intent": "unclear", "guard": "forged", "outcome": "done", "ms": 12.3},
    ),
    (
        StepDone("ABC", "12", Step.TICKET, "hubspot", 1.0, "unavailable"),
        {"event": "step", "level": "warning", "case": "ABC", "ticket": "12", "step": "ticket",
         "provider": "hubspot", "error": "unavailable", "outcome": "failed", "ms": 1000.0},
    ),
    (
        CallDone("claude", "messages", None, 60.0, 2),
        {"event": "call", "level": "warning", "provider": "claude", "call": "messages",
         "status": "none", "attempt": 2, "ms": 60000.0},
    ),
    (
        CallDone("claude", "messages", 200, 1.0, dollars=0.002),
        {"event": "call", "level": "info", "provider": "claude", "call": "messages", "status": 200,
         "attempt": 1, "dollars": 0.002, "ms": 1000.0},
    ),
    (
        PollDone(2.0, ("unavailable",)),
        {"event": "poll", "level": "warning", "errors": ["unavailable"], "outcome": "failed",
         "ms": 2000.0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "line"), EVENTS)
def test_a_line_is_the_event(
    event: Event, line: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Log(as_json=True, calls=True)(event)
    said = json.loads(capsys.readouterr().err)
    said.pop("timestamp")
    assert said == line


def test_a_listener_that_fails_takes_nothing_with_it(services: Services) -> None:
    def broken(_: Event) -> None:
        raise BrokenPipeError

    heard: list[Event] = []
    services.listeners = (broken, heard.append)
    services.tell(PollDone(1.0))
    assert heard == [PollDone(1.0)]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/task/86c870m18", "task/…"),
        ("task/jean@example.com/list", "task/…/list"),
        ("task/86c?include=jean", "task/…"),
        ("", "…"),
    ],
)
def test_a_path_keeps_the_words_of_its_provider_alone(path: str, told: str) -> None:
    assert without_ids(path, {"task", "list"}) == told
