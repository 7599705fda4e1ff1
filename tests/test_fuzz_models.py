"""Whatever happened to a file, reading it gives a Model and nothing else."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Model, Source

from .gltf_files import glb, model
from .usd_files import MESH, crate, usda, usdz

FULL = model(
    images=[{"bufferView": 2}, {"uri": "data:image/png;base64,AAAA"}],
    nodes=[
        {"mesh": 0, "rotation": [0.1, 0.2, 0.3, 0.9], "skin": 0, "children": [1]},
        {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 1}}}},
    ],
    skins=[{"joints": [0], "inverseBindMatrices": 1}],
    materials=[{"pbrMetallicRoughness": {"baseColorFactor": [1, 0.5, 0, 1]}}],
    animations=[{"channels": [], "samplers": [{"input": 0, "output": 1}]}],
    extensionsUsed=["EXT_mesh_gpu_instancing"],
)
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from([2**31, 2**63, 1e300, -1, 0.5, 5121, 5125]),
    st.text(max_size=4), st.just([]), st.just({}), st.lists(st.integers(0, 3), max_size=3),
    st.just({"extensions": []}), st.just([{}]), st.just("data:,x"),
)  # fmt: skip


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [place for key, item in inner for place in ((*at, key), *paths(item, (*at, key)))]


PLACES = paths(FULL)


def read_bytes(format_name: str, content: bytes) -> Model:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(content)
        source = Source(path, lambda name: Path(folder) / name)
        for patch in patches(format_name, source):
            assert not patch.corners or max(patch.corners) * 3 < len(patch.points)
        return read(format_name, source)


def check(found: Model) -> None:
    assert isinstance(found, Model)
    assert found.opens is not False or found.problem
    json.dumps(found, allow_nan=False).encode()


BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@BOUNDED
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
def test_a_gltf_with_odd_values_is_refused_or_read(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    root = json.loads(json.dumps(FULL))
    for place, value in changes:
        at = root
        try:
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = json.loads(json.dumps(value))
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            continue
    check(read_bytes("glb", glb(root)))


@BOUNDED
@given(st.integers(0, len(glb(FULL))), st.binary(max_size=8), st.booleans())
def test_a_glb_with_odd_bytes_is_refused_or_read(at: int, noise: bytes, cut: bool) -> None:
    content = glb(FULL)
    check(read_bytes("glb", content[:at] + noise + (b"" if cut else content[at + len(noise) :])))


SOUND_USD = [
    crate(),
    usdz({"a.usdc": crate(), "b.png": b"x"}),
    usda(
        f'def "a" (references = @b@</c>) {{ {MESH} asset inputs:file = @d@ }}', "metersPerUnit = 1"
    ),
]


@BOUNDED
@given(st.sampled_from(SOUND_USD), st.integers(0, 1_500), st.binary(max_size=8), st.booleans())
def test_a_usd_with_odd_bytes_is_refused_or_read(
    content: bytes, at: int, noise: bytes, cut: bool
) -> None:
    at %= len(content)
    check(read_bytes("usdz", content[:at] + noise + (b"" if cut else content[at + len(noise) :])))
