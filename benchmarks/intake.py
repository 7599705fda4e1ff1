"""Throughput of the embedded desk, through the real command line.

`python benchmarks/intake.py [--quick]` prints: complete intakes per second and CPU per intake
(every step saved), safe against a killed process and against a power cut; the cost per case
from the first to the last thousand; and a `poll` beside ten and beside all waiting tickets.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = [sys.executable, "-m", "figsupport.cli"]
OBJECTS = ("Chaise", "Fauteuil", "Buffet", "Lampe", "Vase", "Cheminée sculptée")


def request(number: int, photo: Path) -> str:
    """Return the n-th request: of every kind, one in eight SUPPORT, one in four incomplete."""
    support = number % 8 == 0
    return json.dumps(
        {
            "request_id": f"bench-{number}",
            "source": "facturation" if support else "modelisation",
            "objet": "Facture" if support else OBJECTS[number % len(OBJECTS)],
            "description": "Où est ma facture ?" if support else "À modéliser avec ses textures.",
            "user_email": f"client{number}@example.com",
            "user_name": f"Client {number}",
            "fichiers": [] if number % 4 == 0 else [{"name": "photo.jpg", "path": str(photo)}],
        },
        ensure_ascii=False,
    )


def run(home: Path, sync: str, *arguments: str, stdin: str = "") -> tuple[float, float]:
    """Run a command to its end; return its wall and CPU seconds."""
    environment = {**os.environ, "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_SYNC": sync}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    before = os.times()
    subprocess.run(
        [*PROGRAM, *arguments], input=stdin, env=environment, stdout=subprocess.DEVNULL,
        text=True, check=True,
    )  # fmt: skip
    after = os.times()
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return time.perf_counter() - began, cpu


def lines(first: int, count: int, photo: Path) -> str:
    """Return JSON Lines of so many requests."""
    return "\n".join(request(number, photo) for number in range(first, first + count))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 cases instead of 10,000")
    thousands = 2 if parser.parse_args().quick else 10
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(30_000))
        print("complete intakes, every step saved (goal: ≥ 100/s)")
        for sync in ("normal", "full"):
            home = Path(folder) / sync
            run(home, sync, "tickets")
            wall, cpu = run(home, sync, "intake", "-", stdin=lines(0, 1000, photo))
            print(f"  FIGSUPPORT_SYNC={sync:7} {1000 / wall:6.0f}/s  {cpu:6.2f} ms CPU each")
        print("cost per case as the desk fills (wall ms each)")
        home = Path(folder) / "normal"
        each = []
        for thousand in range(1, thousands):
            wall, _ = run(home, "normal", "intake", "-", stdin=lines(thousand * 1000, 1000, photo))
            each.append(wall)
            print(f"  cases {thousand * 1000:6} to {thousand * 1000 + 999:6}: {wall:5.2f}")
        print(f"  last thousand / first: {each[-1] / each[0]:.2f}")
        few = Path(folder) / "few"
        run(few, "normal", "intake", "-", stdin=lines(0, 10, photo))
        polls: dict[Path, list[float]] = {few: [], home: []}
        for _ in range(11):
            for desk, walls in polls.items():
                walls.append(run(desk, "normal", "poll")[0])
        ratio = statistics.median(
            many / ten for many, ten in zip(polls[home], polls[few], strict=True)
        )
        print(f"poll, nothing new, {thousands},000 tickets / 10: {ratio:.2f} (goal: ≤ 1.3)")


if __name__ == "__main__":
    main()
