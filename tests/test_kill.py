"""A sample of the kill matrix, across all paths; `make kill` runs the whole."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.kill", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_killed_process_loses_and_doubles_nothing(say: Callable[[str], None]) -> None:
    ran = run()
    say(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0, ran.stdout
    assert "over 13 paths, all green" in ran.stdout


@pytest.mark.parametrize("part", ["intent", "find"])
def test_the_matrix_has_teeth(part: str) -> None:
    """Without the intent, or without asking in doubt, something is there twice."""
    ran = run("--without", part, "--path", "type unsure", "--sample", "2")
    assert ran.returncode == 1
    assert "administrator.type" in ran.stdout, ran.stdout
