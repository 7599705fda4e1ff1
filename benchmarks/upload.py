"""Uploads to a real S3 server on the loopback, beside boto3's own and the `aws` command line.

`python -m benchmarks.upload [--quick] [--aws PATH]` sends one large file and many small ones by
each, whole process by whole process, in turns, and prints the medians of throughput and of peak
memory, and ours as a ratio of the fastest Python rival. (`pip install awscli` in an environment
of its own gives `aws`; without it that line is left out with a word.)
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.standins.s3 import ACCESS, BUCKET, S3, SECRET

from figsupport import steps
from figsupport.adapters.r2 import Bucket, R2Store
from figsupport.core.model import FileFact, FileRef
from figsupport.steps import Recognised

MEBIBYTE = 1024 * 1024


class Run(NamedTuple):
    """What one process took: seconds, and its largest memory in MiB."""

    seconds: float
    memory: float


# --- who uploads, each in a process of its own -------------------------------------------------


def ours(url: str, folder: Path, prefix: str) -> None:
    """As `intake` does: the files of a request, several at once."""
    store = R2Store(Bucket(BUCKET, url, "https://files.example", ACCESS, SECRET))
    files = [FileRef(name=path.name, path=str(path)) for path in sorted(folder.iterdir())]
    done = steps.upload_files(
        prefix, files, store, _there, lambda name, _: Recognised(FileFact(name=name), "")
    )
    assert all(fact.url for fact in done)


class _there:  # noqa: N801 — a block in which a file is where it is
    def __init__(self, file: FileRef) -> None:
        self._path = Path(file.path or "")

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        """Nothing was fetched."""


def boto3_(url: str, folder: Path, prefix: str) -> None:
    """boto3's `upload_fileobj`, as its documentation shows, ten files at once."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=url, region_name="auto",
        aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
    )  # fmt: skip

    def send(path: Path) -> None:
        with path.open("rb") as file:
            client.upload_fileobj(file, BUCKET, f"{prefix}/{path.name}")

    with ThreadPoolExecutor(10) as lanes:
        list(lanes.map(send, sorted(folder.iterdir())))


CHILDREN: dict[str, Callable[[str, Path, str], None]] = {"ours": ours, "boto3": boto3_}

# --- measuring ---------------------------------------------------------------------------------


def measured(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to its end; return what the operating system counted."""
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        # of the program itself: what the system counts begins with the process that started it
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max(peak, int(next(x for x in lines if x.startswith("VmHWM")).split()[1]))
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Run(time.perf_counter() - began, peak / 1024)


def commands(url: str, folder: Path, number: int, aws: str | None) -> dict[str, list[str]]:
    """The command of each, writing under a prefix of its own."""
    child = [sys.executable, "-m", "benchmarks.upload", "--child"]
    made = {
        name: [*child, name, url, str(folder), f"{name}-{folder.name}-{number}"]
        for name in CHILDREN
    }
    if aws:
        target = f"s3://{BUCKET}/aws-{folder.name}-{number}/"
        made["aws"] = [aws, "s3", "cp", "--quiet", "--recursive", "--endpoint-url", url,
                       str(folder), target]  # fmt: skip
    return made


def compare(url: str, folder: Path, runs: int, aws: str | None) -> None:
    """Let each upload a folder in turns, and print what it took."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "auto", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    took: dict[str, list[Run]] = {}
    for number in range(runs):
        for name, command in commands(url, folder, number, aws).items():
            took.setdefault(name, []).append(measured(command, environment))
        empty(url)
    count = len(list(folder.iterdir()))
    print(f"\n{count} file{'s' if count > 1 else ''}, {size / MEBIBYTE:.0f} MiB in all")
    speed = {
        name: size / MEBIBYTE / statistics.median(run.seconds for run in each)
        for name, each in took.items()
    }
    for name, each in took.items():
        memory = statistics.median(run.memory for run in each)
        print(f"  {name:8} {speed[name]:7.1f} MiB/s   peak {memory:6.1f} MiB")
    rival = max(speed[name] for name in speed if name != "ours")
    print(f"  ours is {speed['ours'] / rival:.2f} × the fastest rival   (goal ≥ 0.9)")


def empty(url: str) -> None:
    """Remove what was stored: the disk is not endless."""
    store = R2Store(Bucket(BUCKET, url, "https://files.example", ACCESS, SECRET))
    while found := store._call("list_objects_v2", Bucket=BUCKET).get("Contents"):
        gone = {"Objects": [{"Key": one["Key"]} for one in found], "Quiet": True}
        store._call("delete_objects", Bucket=BUCKET, Delete=gone)
    store.close()


def filled(folder: Path, count: int, size: int) -> Path:
    """Fill a folder with files of random bytes."""
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number:04}.glb").open("wb") as file:
            for _ in range(-(-size // MEBIBYTE)):
                file.write(os.urandom(min(size, MEBIBYTE)))
    return folder


def main() -> None:
    """Compare, then show that memory does not grow with the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100 MiB and 50 files, one run each")
    parser.add_argument("--aws", default=shutil.which("aws"), help="where the rival is")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        name, url, folder, prefix = given.child
        CHILDREN[name](url, Path(folder), prefix)
        return
    if not given.aws:
        print("no `aws` here: that rival is left out (see --help)")
    large, small, runs = (100, 50, 1) if given.quick else (1024, 500, 3)
    work = Path(tempfile.mkdtemp(prefix="upload-"))
    server = S3()
    try:
        server.wait()
        compare(server.url, filled(work / "large", 1, large * MEBIBYTE), runs, given.aws)
        compare(server.url, filled(work / "small", small, 100 * 1024), runs, given.aws)
        one = filled(work / "one", 1, 100 * MEBIBYTE)
        run = measured(commands(server.url, one, 0, None)["ours"], dict(os.environ))
        print(f"\nours with a 100 MiB file: peak {run.memory:.1f} MiB   (goal: as above, ≤ 100)")
    finally:
        server.close()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
