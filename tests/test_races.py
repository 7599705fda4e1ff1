"""Two commands at once: real processes on one embedded desk."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
REQUEST = str(ROOT / "examples" / "request.json")
ORNATE = str(ROOT / "examples" / "request-complex.json")


class Desk:
    """An embedded desk in a folder, worked on by real processes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {**os.environ, "FIGSUPPORT_HOME": str(home)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "figsupport.cli", *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def at_once(self, *commands: tuple[str, ...]) -> list[tuple[int, Any]]:
        """Start every command before waiting for any; return exits and documents."""
        running = [self.start(*command) for command in commands]
        ended = [(process.communicate()[0], process.returncode) for process in running]
        return [(code, json.loads(out)) for out, code in ended]

    def run(self, *arguments: str) -> Any:
        ((code, document),) = self.at_once(arguments)
        assert code == 0, document
        return document

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.home / "desk.sqlite")) as desk:
            return int(desk.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    def letters(self) -> int:
        return len(list((self.home / "mail" / "outbox" / "new").iterdir()))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


def test_one_request_taken_in_by_eight_at_once(desk: Desk) -> None:
    """On a folder that nobody has opened before, too."""
    ended = desk.at_once(*[("intake", REQUEST)] * 8)
    assert [code for code, _ in ended] == [0] * 8
    assert {document["ticket_id"] for _, document in ended} == {"1001"}
    assert [document["is_new_ticket"] for _, document in ended].count(True) == 1
    assert (desk.count("tickets"), desk.count("contacts"), desk.letters()) == (1, 1, 1)


def test_two_requests_at_once_are_two_tickets(desk: Desk) -> None:
    ended = desk.at_once(("intake", REQUEST), ("intake", ORNATE))
    assert {document["ticket_id"] for _, document in ended} == {"1001", "1002"}


def test_two_polls_at_once(desk: Desk) -> None:
    desk.run("intake", REQUEST)
    desk.run("reply", "1001", "Je valide")
    ended = desk.at_once(*[("poll",)] * 4)
    assert [code for code, _ in ended] == [0] * 4
    assert sum(document["validated"] for _, document in ended) == 1
    assert (desk.count("subtasks"), desk.letters()) == (1, 2)


@pytest.mark.parametrize("attempt", range(3))
def test_validate_races_an_acceptance(desk: Desk, attempt: int) -> None:
    desk.run("intake", REQUEST)
    desk.run("reply", "1001", "Je valide")
    (_, polled), (code, validated) = desk.at_once(("poll",), ("validate", "1001", "--credits", "2"))
    assert code == 0
    assert polled["errors"] == []
    desk.run("poll")
    case = desk.run("tickets", "1001")
    assert case["subtask"]["id"] == validated["subtask_id"]
    assert case["validation_status"] == "validated"
    assert desk.count("subtasks") == 1
    confirmations = [mail for mail in case["mails"] if mail["kind"] == "confirmation"]
    assert len(confirmations) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_the_first_decision_stands(desk: Desk, attempt: int) -> None:
    desk.run("intake", ORNATE)
    ended = desk.at_once(
        ("validate", "1001", "--credits", "2"), ("validate", "1001", "--credits", "3")
    )
    assert sorted(code for code, _ in ended) == [0, 65]
    won = next(document for code, document in ended if code == 0)
    lost = next(document for code, document in ended if code == 65)
    assert f"accepted at {won['credits']} credits" in lost["error"]["message"]
    assert desk.count("subtasks") == 1
