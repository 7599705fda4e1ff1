"""The live production board keeps the contract of its port, on a stand-in of ClickUp."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from figsupport import steps
from figsupport.adapters.clickup import ClickUpBoard, open_api
from figsupport.adapters.http import Patience
from figsupport.errors import (
    Credentials,
    FigsupportError,
    Misconfigured,
    Refused,
    TryLater,
    Unavailable,
)
from figsupport.ports import Board, SubtaskDraft

from .contracts import BoardContract
from .standins.clickup import KEY, PARENT, ClickUp

ROOT = Path(__file__).parent.parent
DRAFT = SubtaskDraft("case-1:subtask", "[REF-A]", "Chaise — Jean [REF-A]", "**Client**")


@pytest.fixture
def clickup(socket_enabled: None) -> Iterator[ClickUp]:
    server = ClickUp()
    yield server
    for board in OPEN:
        board.close()
    OPEN.clear()
    server.close()


OPEN: list[ClickUpBoard] = []


def board_on(clickup: ClickUp, key: str = KEY, **changes: Any) -> ClickUpBoard:
    given = {"parent": PARENT, "assignee": 7, "settle": 90.0}
    waits: list[float] = []
    http = open_api(key, clickup.url, patience=Patience(0.5, 0.01), sleep=waits.append)
    board = ClickUpBoard(http, **{**given, **changes})
    OPEN.append(board)
    board.waits = waits  # type: ignore[attr-defined]
    return board


class TestClickUpBoard(BoardContract):
    @pytest.fixture
    def board(self, clickup: ClickUp) -> Board:
        return board_on(clickup)

    def test_a_subtask_is_made_in_two_calls(self, board: ClickUpBoard, clickup: ClickUp) -> None:
        made = board.create_subtask(DRAFT)
        assert clickup.calls == [f"GET /task/{PARENT}", "POST /list/901/task"]
        (task,) = clickup.children()
        assert (task["id"], task["url"]) == (made.id, made.url)
        assert task["assignees"] == [7]
        assert task["markdown_content"] == "**Client**"
        board.create_subtask(DRAFT)
        assert board.calls == 3

    def test_descendants_are_not_children(self, board: ClickUpBoard, clickup: ClickUp) -> None:
        clickup.tasks["x"] = {"id": "x", "name": "Deep [REF-A]", "parent": "other", "url": ""}
        assert board.find_subtask("[REF-A]") is None

    @pytest.mark.parametrize("fault", ["lost after", "garbage", "reset"])
    def test_a_create_whose_answer_was_lost_is_found(
        self, board: ClickUpBoard, clickup: ClickUp, fault: str
    ) -> None:
        clickup.fail("POST", fault)
        with pytest.raises(Unavailable, match="ClickUp"):
            steps.create_subtask(DRAFT, board)
        found = steps.create_subtask(DRAFT, board, in_doubt=True)
        assert [task["id"] for task in clickup.children()] == [found.id]

    @pytest.mark.parametrize("fault", ["lost before", 500, 503])
    def test_a_create_is_never_sent_again_blindly(
        self, board: ClickUpBoard, clickup: ClickUp, fault: str | int
    ) -> None:
        clickup.fail("POST", fault)
        with pytest.raises(Unavailable):
            steps.create_subtask(DRAFT, board)
        assert clickup.calls.count("POST /list/901/task") == 1
        steps.create_subtask(DRAFT, board, in_doubt=True)
        assert len(clickup.children()) == 1

    def test_a_limit_is_waited_for(self, board: ClickUpBoard, clickup: ClickUp) -> None:
        clickup.fail("POST", 429)
        board.create_subtask(DRAFT)
        assert len(clickup.children()) == 1
        assert len(board.waits) == 1  # type: ignore[attr-defined]

    def test_a_limit_that_stays_ends_the_run(self, board: ClickUpBoard, clickup: ClickUp) -> None:
        clickup.fail("GET", *[429] * 9)
        with pytest.raises(TryLater, match="APP_002"):
            board.find_subtask("[REF-A]")

    def test_it_slows_down_before_the_limit(self, board: ClickUpBoard, clickup: ClickUp) -> None:
        clickup.remaining = 0
        board.find_subtask("[REF-A]")
        board.find_subtask("[REF-A]")
        assert [0 < wait <= 1 for wait in board.waits] == [True]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("fault", [500, "lost before", "lost after", "garbage"])
    def test_reading_is_tried_again(
        self, board: ClickUpBoard, clickup: ClickUp, fault: str | int
    ) -> None:
        clickup.fail("GET", fault, fault)
        assert board.find_subtask("[REF-A]") is None


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"key": "pk_wrong"}, Credentials, "CLICKUP_API_KEY"),
        ({"parent": "86unknown"}, Misconfigured, "CLICKUP_PARENT_TASK_ID"),
    ],
)
def test_a_newcomers_mistakes(
    clickup: ClickUp, changes: dict[str, Any], error: type[FigsupportError], words: str
) -> None:
    board = board_on(clickup, **changes)
    with pytest.raises(error) as caught:
        board.find_subtask("[REF-A]")
    assert words in caught.value.hint
    assert "pk_" not in caught.value.message
    health = board.check()
    assert not health.ok
    assert words in health.detail


def test_a_custom_id_is_told(clickup: ClickUp) -> None:
    with pytest.raises(Misconfigured, match="custom id"):
        board_on(clickup, parent="ABC-123")


def test_what_clickup_refuses_is_not_repeated(clickup: ClickUp) -> None:
    board = board_on(clickup)
    clickup.fail("POST", 400)
    with pytest.raises(Refused, match="ITEM_001"):
        board.create_subtask(DRAFT)
    assert clickup.calls.count("POST /list/901/task") == 1


def test_nobody_listens(clickup: ClickUp) -> None:
    board = board_on(clickup)
    clickup.close()
    with pytest.raises(Unavailable, match="ClickUp did not answer"):
        board.create_subtask(DRAFT)


# --- the whole flow ------------------------------------------------------------------------


def run(home: Path, clickup: ClickUp, *arguments: str, settle: str = "0") -> tuple[int, Any]:
    environment = {
        **os.environ,
        "FIGSUPPORT_HOME": str(home),
        "FIGSUPPORT_BOARD": "clickup",
        **dict.fromkeys(("FIGSUPPORT_DESK", "FIGSUPPORT_STORE", "FIGSUPPORT_MAIL"), "local"),
        "FIGSUPPORT_JUDGE": "rules",
        "FIGSUPPORT_SETTLE": settle,
        "CLICKUP_API_KEY": KEY,
        "CLICKUP_PARENT_TASK_ID": PARENT,
        "CLICKUP_BASE_URL": clickup.url,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "figsupport.cli", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert KEY not in ran.stdout + ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_the_main_job_ends_on_the_board(clickup: ClickUp, tmp_path: Path) -> None:
    run(tmp_path, clickup, "intake", "examples/request.json")
    run(tmp_path, clickup, "reply", "1001", "Je valide")
    assert clickup.calls == []
    code, done = run(tmp_path, clickup, "poll")
    assert (code, done["validated"], done["calls"]) == (0, 1, {"clickup": 2})
    (task,) = clickup.children()
    assert "Modélisation fauteuil vintage" in task["name"]
    assert "2" in task["markdown_content"]
    assert run(tmp_path, clickup, "health")[1]["providers"]["board"]["ok"]


def test_a_lost_answer_waits_and_nothing_is_doubled(clickup: ClickUp, tmp_path: Path) -> None:
    run(tmp_path, clickup, "intake", "examples/request.json")
    run(tmp_path, clickup, "reply", "1001", "Je valide")
    clickup.fail("POST", "lost after")
    code, done = run(tmp_path, clickup, "poll")
    assert (code, done["errors"][0]["code"]) == (75, "unavailable")
    code, done = run(tmp_path, clickup, "poll", settle="3600")
    assert (code, done["errors"][0]["code"]) == (0, "try_later")
    code, done = run(tmp_path, clickup, "poll")
    assert (code, done["validated"], done["calls"]) == (0, 1, {"clickup": 1})
    assert len(clickup.children()) == 1
