"""DAE, FBX, 3DS, 3MF, STEP and BLEND: meshes that stand in a scene, and what only counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Model, Source

from .models import PNG, SOUND, blend, dae, fbx, studio, threemf

FACTS: dict[str, dict[str, Any]] = {
    "3mf": {"triangles": 2, "triangles_drawn": 4, "vertices": 4, "meshes": 1, "materials": 1,
            "dimensions_m": (0.002, 0.001, 0.003), "dimensions_exact": True, "unit": "mm",
            "missing_files": ("3D/oak.png",)},
    "dae": {"triangles": 2, "triangles_drawn": 4, "vertices": 4, "meshes": 1, "materials": 1,
            "animations": 1, "uv_sets": 1, "dimensions_m": (0.02, 0.04, 0), "dimensions_exact": True,
            "unit": "centimeter", "missing_files": ("the oak.png",)},
    "fbx": {"triangles": 2, "triangles_drawn": 2, "vertices": 4, "meshes": 1, "materials": 1,
            "animations": 1, "uv_sets": 1, "dimensions_m": (0.254, 0.508, 0), "dimensions_exact": True,
            "unit": "inch", "missing_files": ("oak.png",)},
    "3ds": {"triangles": 2, "vertices": 4, "meshes": 1, "materials": 1, "missing_files": ("OAK.PNG",),
            "dimensions_m": (2, 1, 0), "dimensions_exact": False, "notes": ("guessed_m",)},
    "step": {"triangles": None, "meshes": 1, "dimensions_m": (0.01, 0.02, 0.005), "unit": "mm",
             "dimensions_exact": False},
    "blend": {"triangles": 3, "triangles_drawn": None, "vertices": 5, "meshes": 1, "materials": 1,
              "dimensions_m": None},
}  # fmt: skip


def look(folder: Path, format_name: str, content: bytes) -> tuple[Model, int]:
    """Return what a file holds, and how many triangles are drawn of it."""
    path = folder / "model"
    path.write_bytes(content)
    source = Source(path, lambda name: folder / name)
    drawn = list(patches(format_name, source))
    assert all(max(part.corners) < len(part.points) // 3 for part in drawn if part.corners)
    return read(format_name, source), sum(len(part.corners) for part in drawn) // 3


def check(found: Model, facts: Mapping[str, Any]) -> None:
    assert found.opens is True
    for name, value in facts.items():
        numbers = name == "dimensions_m" and value
        assert getattr(found, name) == (pytest.approx(value) if numbers else value), name


@pytest.mark.parametrize("format_name", FACTS)
def test_a_sound_file_is_counted_and_measured(tmp_path: Path, format_name: str) -> None:
    for content in SOUND[format_name]:
        found, drawn = look(tmp_path, format_name, content)
        check(found, FACTS[format_name])
        assert drawn == (found.triangles_drawn or 0)


@pytest.mark.parametrize(
    ("format_name", "content"),
    [
        ("dae", dae()),
        ("fbx", fbx()),
        ("3ds", studio()),
        ("3mf", threemf(None, "millimeter", **{"oak.png": PNG})),
        ("fbx", fbx(content=PNG)),
    ],
)
def test_pictures_are_measured_wherever_they_are(
    tmp_path: Path, format_name: str, content: bytes
) -> None:
    for name in ("oak.png", "OAK.PNG", "the oak.png"):
        (tmp_path / name).write_bytes(PNG)
    found, _ = look(tmp_path, format_name, content)
    assert (found.textures, found.missing_files) == (((640, 480),), ())


INPUT = '<input semantic="VERTEX" source="#v" offset="0"/>'


@pytest.mark.parametrize(
    ("primitive", "triangles"),
    [
        (f"<triangles>{INPUT}<p>0 1 2 0 2 3</p></triangles>", 2),
        (f"<polygons>{INPUT}<p>0 1 2 3</p><p>0 1 2</p></polygons>", 3),
        (f"<polygons>{INPUT}<ph><p>0 1 2 3</p><h>0 1 2</h></ph></polygons>", 2),
        (f"<tristrips>{INPUT}<p>0 1 3 2</p><p>0 1 2</p></tristrips>", 3),
        (f"<trifans>{INPUT}<p>0 1 2 3</p></trifans>", 2),
        (f"<polylist>{INPUT}<vcount>3 4 </vcount><p>0 1 2 0 1 2 3</p></polylist>", 3),
        (f"<polylist>{INPUT}<vcount>3 3</vcount><p>0 1 2 0 2 3</p></polylist>", 2),
        (f"<lines>{INPUT}<p>0 1</p></lines>", 0),
        (f"<triangles>{INPUT}<p>0 1 2.0</p></triangles><triangles>{INPUT}<p>1 2 3</p></triangles>", 2),
        (f'<triangles>{INPUT}<input semantic="NORMAL" source="#s" offset="2"/><p>0 9 9 1 9 9 2 9 9</p></triangles>', 1),
    ],
)  # fmt: skip
def test_a_dae_may_be_made_of_other_primitives(
    tmp_path: Path, primitive: str, triangles: int
) -> None:
    found, drawn = look(tmp_path, "dae", dae(primitive))
    check(found, {**FACTS["dae"], "triangles": triangles, "triangles_drawn": 2 * triangles, "uv_sets": 0})  # fmt: skip
    assert drawn == 2 * triangles


@pytest.mark.parametrize(
    ("primitive", "problem"),
    [
        (f"<triangles>{INPUT}<p>0 1</p></triangles>", "malformed"),
        (f"<triangles>{INPUT}<p>0 1 4</p></triangles>", "indices"),
        (f"<triangles>{INPUT}<p>0 1 -1</p></triangles>", "indices"),
        (f"<triangles>{INPUT}<p>0 1 x</p></triangles>", "malformed"),
        (f"<polylist>{INPUT}<vcount>3</vcount><p>0 1 2 3</p></polylist>", "malformed"),
        ("<triangles><p>0 1 2</p></triangles>", "malformed"),
        (f"<triangles>{INPUT.replace('0', '99')}<p>0 1 2</p></triangles>", "malformed"),
    ],
)
def test_a_damaged_dae_does_not_open(tmp_path: Path, primitive: str, problem: str) -> None:
    found, drawn = look(tmp_path, "dae", dae(primitive))
    assert (found.opens, found.problem, drawn) == (False, problem, 0)


def test_a_dae_may_write_decimal_commas_and_another_axis_up(tmp_path: Path) -> None:
    found, _ = look(tmp_path, "dae", dae(numbers="0 0 0 2,0 0 0 2,0 1,0 0 0 1,0 0"))
    check(found, FACTS["dae"])
    found, _ = look(tmp_path, "dae", dae().replace(b"Z_UP", b"X_UP"))
    check(found, FACTS["dae"])


def test_long_lists_of_a_dae_are_read_whole(tmp_path: Path) -> None:
    count = 90_000  # lists of 1 MB and more: they come in parts
    numbers = " ".join(f"{number}.25 -0.5 {number}e-3" for number in range(count))
    corners = " ".join(f"{number}\n1999999" for number in range(count))
    extra = '<input semantic="TEXCOORD" source="#s" offset="1"/>'
    found, drawn = look(
        tmp_path, "dae", dae(f"<triangles>{INPUT}{extra}<p>{corners}</p></triangles>", "", numbers)
    )
    check(found, {"triangles": count // 3, "vertices": count, "unit": "centimeter"})
    assert found.dimensions_m == pytest.approx((0, 0.02 * (count - 1), 0.02 * 89.999), abs=1e-9)
    assert drawn == 2 * count // 3


def test_a_scene_of_very_many_instances_is_not_called_damaged(tmp_path: Path) -> None:
    many = (
        b'<instance_geometry url="#g"/></node>'
        + b'<node><instance_geometry url="#g"/></node>' * 21_000
    )
    whole = dae().replace(b'<instance_geometry url="#g"/></node>', many)
    found, _ = look(tmp_path, "dae", whole)
    assert (found.opens, found.notes) == (None, ("too_large_to_read",))


def test_a_blend_is_counted_as_old_and_new_versions_keep_it(tmp_path: Path) -> None:
    cut, _ = look(tmp_path, "blend", blend(ended=False))
    assert (cut.opens, cut.problem) == (False, "truncated")
    newest, _ = look(tmp_path, "blend", b"BLENDER17-01v0500" + bytes(100))
    assert (newest.opens, newest.notes) == (None, ("unknown_version",))
