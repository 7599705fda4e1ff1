"""Whatever happened to a client's file, looking into it gives facts of the documented shape."""

import gzip
import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from figsupport import directives
from figsupport.errors import FileProblem
from figsupport.files.inspect import near
from figsupport.files.model3d import patches
from figsupport.files.model3d.thumbnail import thumbnail
from figsupport.files.model3d.values import Source
from figsupport.files.recognise import recogniser

from .models import MTL, OBJ, PNG, SOUND, binary_stl, blend, dae, fbx, ply, studio, threemf, zipped

GRID = directives.load(directives.default_folder()).grid


class Seed(NamedTuple):
    """A sound file, and what is put around it once it is changed: a packer's checksums hold."""

    content: bytes
    packed: Callable[[bytes], bytes] = bytes


def _model_of(package: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read("3D/3dmodel.model")


#: ending → seeds
SEEDS: dict[str, list[Seed]] = {name: list(map(Seed, files)) for name, files in SOUND.items()}
SEEDS["obj"].append(Seed(OBJ * 3))
SEEDS["blend"].append(Seed(blend(), gzip.compress))
SEEDS["3mf"].append(Seed(_model_of(threemf()), threemf))
SEEDS["mtl"] = [Seed(MTL)]
SEEDS["zip"] = [
    Seed(zipped({"a/square.obj": OBJ, "a/square.mtl": MTL, "a/oak.png": PNG})),
    Seed(zipped({"a.stl": binary_stl(), "b.3ds": studio(), "c.ply": ply()}, zipfile.ZIP_STORED)),
    Seed(dae(), lambda inner: zipped({"a.dae": inner, "the oak.png": PNG})),
    Seed(fbx(), lambda inner: zipped({"a.fbx": inner})),
]

NUMBERS = [b"\0\0\0\0", b"\1\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x7f\xff\xff\xff"]  # fmt: skip
WORDS = [b"nan", b"-1", b"1e999", b"inf", b"9" * 30, b"\n", b"\0", b"<", b'"', b"#", b"\xc3", b"../"]  # fmt: skip
PLACE, LENGTH = st.integers(0, 1 << 14), st.integers(0, 64)
#: a change: what is done, where, over how many bytes, and what is put there
CHANGE = st.one_of(
    st.tuples(st.just("over"), PLACE, st.just(4), st.sampled_from(NUMBERS)),
    st.tuples(st.just("over"), PLACE, LENGTH, st.sampled_from(WORDS)),
    st.tuples(st.just("over"), PLACE, LENGTH, st.binary(max_size=4)),
    st.tuples(st.just("flip"), PLACE, st.integers(0, 7), st.just(b"")),
    st.tuples(st.just("cut"), PLACE, st.just(0), st.just(b"")),
    st.tuples(st.just("repeat"), PLACE, LENGTH, st.just(b"")),
    st.tuples(st.just("splice"), PLACE, LENGTH, st.binary(min_size=2, max_size=2)),
)


def changed(content: bytes, change: tuple[str, int, int, bytes]) -> bytes:
    what, place, length, new = change
    at = place % (len(content) or 1)
    part = content[at : at + length]
    match what:
        case "over":
            return content[:at] + new + content[at + length :]
        case "flip":
            flipped = bytes(byte ^ 1 << length for byte in content[at : at + 1])
            return content[:at] + flipped + content[at + 1 :]
        case "cut":
            return content[:at]
        case "repeat":
            return content[:at] + part * 40 + content[at:]
        case _:
            other = int.from_bytes(new) % (len(content) or 1)
            return content[:other] + part + content[other:]


def check(facts: dict[str, Any]) -> None:
    """Check what `inspect` documents: counts, sizes and metres that are numbers, never below 0."""
    json.dumps(facts, allow_nan=False).encode()  # no NaN, no lone surrogates
    assert "bug" not in facts, Path(facts["bug"]).read_text()
    assert facts.get("opens") in (True, False, None)
    assert facts.get("opens") is not False or facts["damage"]
    for (
        name
    ) in "triangles triangles_drawn vertices draws meshes materials animations uv_sets".split():
        count = facts.get(name)
        assert count is None or (type(count) is int and count >= 0), name
    if facts.get("opens") and "dimensions_m" in facts:
        assert facts["meshes"] is not None  # it was taken apart
    size = facts.get("dimensions_m")
    assert size is None or (len(size) == 3 and all(0 <= side < math.inf for side in size))
    for texture in facts.get("textures") or ():
        assert texture is None or (len(texture) == 2 and min(texture) >= 0)
    assert set(facts.get("missing_files") or ()) <= set(facts.get("side_files") or ())


@pytest.mark.parametrize("ending", SEEDS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.integers(0, 9), st.lists(CHANGE, min_size=1, max_size=3))
@example(number=0, changes=[])
@example(number=1, changes=[])
def test_a_changed_file_is_refused_or_read(
    ending: str, number: int, changes: list[tuple[str, int, int, bytes]]
) -> None:
    content, packed = SEEDS[ending][number % len(SEEDS[ending])]
    for change in changes:
        content = changed(content, change)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"square.{ending}"
        path.write_bytes(packed(content))
        (path.parent / "oak.png").write_bytes(PNG)
        (path.parent / "square.mtl").touch()
        beside = near(path.parent, {})
        try:
            found = recogniser(GRID, "fr", beside)(path.name, path)
        except FileProblem:  # it is not what its name says
            return
        check(found.fact.facts)
        picture = thumbnail(patches(ending, Source(path, beside)))
        assert picture is None or picture.startswith(b"\x89PNG")
