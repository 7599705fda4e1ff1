"""Looking into a large GLB, beside trimesh and pygltflib: time of the reading, peak of the process.

`python -m benchmarks.models [--rivals PYTHON]` makes files of 100 and 500 MB and reads them by
each, in turns; PYTHON is an interpreter that has the rivals (`pip install trimesh pygltflib` in an
environment of its own). What is not installed is left out with a word.
"""

import argparse
import json
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = """
import sys, time
from pathlib import Path
import figsupport.files.model3d.gltf  # as the rivals import themselves before the clock runs
from figsupport.files.model3d import read
from figsupport.files.model3d.values import Source
began = time.perf_counter()
found = read("glb", Source(Path(sys.argv[1])))
assert found.opens, found.problem
print(found.triangles, time.perf_counter() - began)
"""
RIVALS = {
    "trimesh": """
import sys, time, trimesh
began = time.perf_counter()
scene = trimesh.load(sys.argv[1])
print(sum(len(mesh.faces) for mesh in scene.geometry.values()), time.perf_counter() - began)
""",
    "pygltflib": """
import sys, time, pygltflib
began = time.perf_counter()
model = pygltflib.GLTF2().load(sys.argv[1])
found = sum(model.accessors[p.indices].count // 3 for m in model.meshes for p in m.primitives)
print(found, time.perf_counter() - began)
""",
}


def large(path: Path, megabytes: int) -> int:
    """Write a GLB of one mesh of about so many MB; return its number of triangles."""
    triangles = megabytes * 1_000_000 // 48  # three points of 12 bytes, three indices of 4
    points = triangles * 3
    block = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0) * 10_000
    length = points * 12 + points * 4
    root = {
        "asset": {"version": "2.0"},
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": points, "type": "VEC3",
             "min": [0, 0, 0], "max": [1, 1, 0]},
            {"bufferView": 1, "componentType": 5125, "count": points, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": points * 12},
            {"buffer": 0, "byteOffset": points * 12, "byteLength": points * 4},
        ],
        "buffers": [{"byteLength": length}],
    }  # fmt: skip
    text = json.dumps(root).encode()
    text = text.ljust(-(-len(text) // 4) * 4)
    with path.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 28 + len(text) + length))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", length, b"BIN\0"))
        left = points * 12
        while left:
            left -= file.write(block[:left])
        for first in range(0, points, 30_000):
            count = min(30_000, points - first)
            file.write(struct.pack(f"<{count}I", *range(first, first + count)))
    return triangles


def measured(python: str, code: str, path: Path, triangles: int) -> tuple[float, float]:
    """Return the seconds of the reading, and the peak memory (MB) of its process."""
    peak = 0
    process = subprocess.Popen([python, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        for line in _status(process.pid):
            if line.startswith("VmHWM"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.002)
    said, seconds = process.communicate()[0].split()
    assert said == str(triangles), f"{said} triangles, not {triangles}"
    return float(seconds), peak / 1024


def _status(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []


def has(python: str, library: str) -> bool:
    """Tell whether an interpreter has a library."""
    ran = subprocess.run([python, "-c", f"import {library}"], capture_output=True, check=False)
    return ran.returncode == 0


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rivals", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    who = {"ours": (sys.executable, OURS)}
    for name, code in RIVALS.items():
        if has(given.rivals, name):
            who[name] = (given.rivals, code)
        else:
            print(f"{name} is not installed for {given.rivals}: left out (see --help)")
    folder = Path(tempfile.mkdtemp(prefix="inspect-"))
    try:
        for megabytes in (100, 500):
            path = folder / f"{megabytes}.glb"
            triangles = large(path, megabytes)
            took: dict[str, list[tuple[float, float]]] = {name: [] for name in who}
            for _ in range(given.runs):
                for name, (python, code) in who.items():
                    took[name].append(measured(python, code, path, triangles))
            path.unlink()
            medians = {
                name: [statistics.median(column) for column in zip(*runs, strict=True)]
                for name, runs in took.items()
            }
            print(f"\na GLB of {megabytes} MB, {triangles} triangles")
            for name, (seconds, memory) in medians.items():
                faster, smaller = seconds / medians["ours"][0], memory / medians["ours"][1]
                print(f"  {name:10} {seconds:8.4f} s {memory:7.0f} MB   "
                      f"ours: {faster:6.1f} × faster, {smaller:5.1f} × less memory")  # fmt: skip
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
