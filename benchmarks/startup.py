"""Start-up as a ratio: each command beside a bare typer + rich program, in the same run.

`python benchmarks/startup.py`: medians of whole processes, run in turn, after a warm-up.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELLO = """
import typer
from rich.console import Console

app = typer.Typer()


@app.command()
def hello(name: str = "you") -> None:
    Console().print(f"hello {name}")


app()
"""
REQUEST = '{"objet": "Chaise", "description": "à modéliser", "user_email": "a@example.com"}'
GOALS = {"--help": 1.3, "tickets": 2.0, "poll": 2.0, "classify": 2.0}


def spent(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its wall and CPU seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print a table of medians and ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        environment = {**os.environ, "FIGSUPPORT_HOME": f"{folder}/home"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = f"{folder}/cache"  # both sides compiled once
        program = [sys.executable, "-m", "figsupport.cli"]
        commands = {
            "hello": [sys.executable, str(hello)],
            "hello --help": [sys.executable, str(hello), "--help"],
            "--help": [*program, "--help"],
            "tickets": [*program, "tickets"],
            "poll": [*program, "poll"],
            "classify": [*program, "classify", REQUEST],
        }
        spent([*program, "intake", REQUEST], environment)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(rounds + 2):
            for name, command in commands.items():
                once = spent(command, environment)
                if number >= 2:
                    times[name].append(once)
    print(f"{'command':14}{'wall ms':>9}{'CPU ms':>9}{'× hello wall':>14}{'× hello CPU':>13}  goal")
    for name, found in times.items():
        wall, cpu = (statistics.median(each[i] for each in found) for i in (0, 1))
        rival = times["hello --help" if name == "--help" else "hello"]
        ratios = [
            statistics.median(a[i] / b[i] for a, b in zip(found, rival, strict=True))
            for i in (0, 1)
        ]
        goal = f"≤ {GOALS[name]}" if name in GOALS else ""
        print(
            f"{name:14}{wall * 1e3:9.0f}{cpu * 1e3:9.0f}{ratios[0]:14.2f}{ratios[1]:13.2f}  {goal}"
        )


if __name__ == "__main__":
    main()
