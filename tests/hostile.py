"""Reads files that mean harm and watches what is touched: `python -m tests.hostile FOLDER`.

The folder's `cases.json` lists `[file, format]`; a report is printed as JSON: for each file its
seconds of CPU, the memory at its peak, what was found and how many corners were drawn; what else
was touched. Each is read by a child of its own: memory that one leaves behind is not another's.
"""

import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from typing import Any

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Source

#: what a reader has no business with, outside its file
WATCHED = {"open", "os.listdir", "os.scandir", "socket.connect", "socket.getaddrinfo",
           "subprocess.Popen", "os.system", "os.remove", "os.mkdir", "ctypes.dlopen"}  # fmt: skip
#: a pipe may be opened to see that it is one; it is never read
ALLOWED = {"pipe", "model"}


def peak() -> float:
    """Return this program's largest memory in MB; getrusage begins with that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def read_one(folder: Path, name: str, format_name: str) -> tuple[list[Any], list[str]]:
    """Read a file; return what is told of it, and what else was touched."""
    reading = folder / name
    touched: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching or event not in WATCHED or isinstance(arguments[0], int):
            return
        path = Path(str(arguments[0]))
        ours = path == reading or (path.parent == folder and path.name in ALLOWED)
        if not ours and path.suffix != ".pyc":
            touched.append(f"{reading.name}: {event} {path}")

    sys.addaudithook(watch)
    source = Source(reading, lambda name: folder / name)
    began = time.process_time()
    found = read(format_name, source)
    drawn = sum(len(patch.corners) for patch in patches(format_name, source))
    seconds = time.process_time() - began
    watching = False
    return [seconds, peak(), found.opens, found.problem, found.notes, drawn], touched


def main() -> None:
    """Read every file of a folder."""
    resource.setrlimit(resource.RLIMIT_CPU, (240, 240))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    folder = Path(sys.argv[1])
    cases: list[tuple[str, str]] = json.loads((folder / "cases.json").read_text())
    for format_name in {format_name for _, format_name in cases}:
        read(format_name, Source(folder / "empty"))  # imports what it needs
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        done = pool.starmap(read_one, [(folder, *case) for case in cases], chunksize=1)
    touched = [line for _, lines in done for line in lines]
    json.dump({"results": [result for result, _ in done], "touched": touched}, sys.stdout)


if __name__ == "__main__":
    main()
