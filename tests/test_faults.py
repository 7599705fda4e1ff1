"""A sample of the fault matrix, across all paths; `make faults` runs the whole."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_failing_provider_loses_and_doubles_nothing(say: Callable[[str], None]) -> None:
    ran = run("--sample", "30")
    say(ran.stdout.splitlines()[-1] if ran.stdout else ran.stderr)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "over 13 paths, all green" in ran.stdout


def test_the_matrix_has_teeth() -> None:
    """Without asking in doubt, something is there twice."""
    ran = run("--without", "find", "--path", "accepted", "--sample", "3")
    assert ran.returncode == 1
    assert "RED" in ran.stdout, ran.stdout + ran.stderr
