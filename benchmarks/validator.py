"""Counts in glTF files beside those of the official Khronos validator.

`python -m benchmarks.validator --validator FOLDER FILE…` compares triangles, materials and
animations of every file given, and of small ones made on the spot. FOLDER is where `npm install
gltf-validator` was run; node is needed, for development only. Draw calls are left out: the
validator counts each mesh once, whether it is drawn never or ten times.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.gltf_files import glb, gltf, model

from figsupport.files.model3d import read
from figsupport.files.model3d.values import Source

SCRIPT = """
const validator = require('gltf-validator'), fs = require('fs'), path = require('path');
(async () => {
  for (const file of fs.readFileSync(0, 'utf8').split('\\n').filter(Boolean)) {
    const near = (uri) => Promise.resolve(new Uint8Array(
      fs.readFileSync(path.join(path.dirname(file), decodeURIComponent(uri)))));
    let info = null;
    try {
      const bytes = new Uint8Array(fs.readFileSync(file));
      const report = await validator.validateBytes(bytes, {externalResourceFunction: near});
      info = report.info || null;
    } catch (error) { info = null; }
    console.log(JSON.stringify(info));
  }
})();
"""


def made(folder: Path) -> list[Path]:
    """Small files of many kinds: modes, instances, materials, animations, text and binary."""
    primitive = {"attributes": {"POSITION": 1}, "indices": 0}
    variants: dict[str, dict[str, Any]] = {
        "plain": {},
        "instances": {"nodes": [{"mesh": 0}, {"mesh": 0}, {"children": [0, 1]}],
                      "scenes": [{"nodes": [2]}]},
        "unused mesh": {"meshes": [{"primitives": [primitive]}, {"primitives": [primitive]}]},
        "two primitives": {"meshes": [{"primitives": [primitive, primitive]}]},
        "materials": {"materials": [{}, {"name": "bois"}]},
        "moved": {"nodes": [{"mesh": 0, "translation": [1, 2, 3], "scale": [2, 2, 2]}]},
        **{
            f"mode {mode}": {"meshes": [{"primitives": [{**primitive, "mode": mode}]}]}
            for mode in range(7)
        },
        "not indexed": {"meshes": [{"primitives": [{"attributes": {"POSITION": 1}}]}]},
    }  # fmt: skip
    paths = []
    for name, changes in variants.items():
        for suffix, content in ((".glb", glb(model(**changes))), (".gltf", gltf(model(**changes)))):
            path = folder / f"{name}{suffix}"
            path.write_bytes(content)
            paths.append(path)
    return paths


def compared(path: Path, info: dict[str, Any]) -> list[str]:
    """Return what we count otherwise than the validator."""
    kind = "glb" if path.read_bytes()[:4] == b"glTF" else "gltf"

    def near(name: str) -> Path | None:
        there = path.parent / name
        return there if there.is_file() else None

    found = read(kind, Source(path, near))
    pairs = {
        "triangles": (found.triangles, info.get("totalTriangleCount")),
        "materials": (found.materials, info.get("materialCount")),
        "animations": (found.animations, info.get("animationCount")),
    }
    differ = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return [f"{name}: {ours}, not {theirs}" for name, (ours, theirs) in differ.items()]


def main() -> int:
    """Compare every file and print how many agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--validator", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [path.resolve() for path in given.files] + made(Path(folder))
        ran = subprocess.run(
            ["node", "-e", SCRIPT], input="\n".join(map(str, paths)), cwd=given.validator,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        agreed = counted = 0
        for path, line in zip(paths, ran.stdout.splitlines(), strict=True):
            info = json.loads(line)
            if info is None:
                continue  # not even the validator reads it
            counted += 1
            wrong = compared(path, info)
            agreed += not wrong
            if wrong:
                print(f"{path.name}: {'; '.join(wrong)}")
    print(f"{agreed} of {counted} files: triangles, materials and animations agree")
    return 0 if agreed == counted else 1


if __name__ == "__main__":
    sys.exit(main())
