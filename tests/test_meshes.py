"""OBJ, STL and PLY: what they hold, what lies beside them, and what makes them damaged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Model, Source

from .models import MTL, OBJ, PNG, binary_stl, ply, text_stl

Look = Callable[..., Model]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Reads a file of a format, with side files in its folder."""

    def look_(format_name: str, content: bytes, near: dict[str, bytes] | None = None) -> Model:
        path = tmp_path / "model"
        path.write_bytes(content)
        for name, side in (near or {}).items():
            (tmp_path / name).write_bytes(side)
        return read(format_name, Source(path, lambda name: tmp_path / name))

    return look_


@pytest.mark.parametrize("header", [b"", b"solid made here", b"solid facet normal"])
def test_a_binary_stl_is_counted_whatever_its_header_says(look: Look, header: bytes) -> None:
    found = look("stl", binary_stl(header))
    assert (found.opens, found.triangles, found.vertices, found.meshes) == (True, 2, 6, 1)
    assert found.dimensions_m == (2, 1, 0)


def test_a_text_stl_may_hold_several_solids(look: Look) -> None:
    found = look("stl", text_stl("a", "b"))
    assert (found.opens, found.triangles, found.meshes) == (True, 4, 2)


def test_a_text_stl_in_capitals_with_other_line_ends_is_the_same(look: Look) -> None:
    found = look("stl", text_stl("a").upper().replace(b"\n", b"\r\n"))
    assert (found.opens, found.triangles) == (True, 2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (binary_stl()[:-1], "truncated"),
        (binary_stl()[:60], "truncated"),
        (binary_stl(counted=2**31), "truncated"),
        (binary_stl(counted=0), "no_geometry"),
        (text_stl("a")[:-20], "truncated"),
        (text_stl("a").replace(b"vertex 2 1 0", b"vertex 2 1"), "malformed"),
        (text_stl("a").replace(b"vertex 2 1 0", b"vertex 2 1 x"), "malformed"),
        (text_stl("a").replace(b"vertex 2 1 0", b"vertex 2 1 nan"), "numbers"),
    ],
)
def test_a_damaged_stl_does_not_open(look: Look, content: bytes, problem: str) -> None:
    found = look("stl", content)
    assert (found.opens, found.problem) == (False, problem)


@pytest.mark.parametrize(
    ("factor", "unit", "size"),
    [(1, "m", (2, 1, 0)), (10, "cm", (0.2, 0.1, 0)), (1000, "mm", (2, 1, 0))],
)
def test_a_size_without_a_unit_is_a_guess_and_says_so(
    look: Look, factor: int, unit: str, size: tuple[float, ...]
) -> None:
    content = text_stl("a").replace(b"2 ", b"%d " % (2 * factor)).replace(b" 1 ", b" %d " % factor)
    found = look("stl", content.replace(b"0 0 %d" % factor, b"0 0 1"))
    assert found.dimensions_m == pytest.approx(size)
    assert (found.dimensions_exact, found.unit) == (False, "")
    assert found.notes == (f"guessed_{unit}",)


def test_an_obj_is_read_with_its_materials_and_their_pictures(look: Look) -> None:
    found = look("obj", OBJ, {"square.mtl": MTL, "wood oak.png": PNG})
    assert found == Model(
        opens=True,
        triangles=2,
        triangles_drawn=2,
        vertices=4,
        meshes=1,
        materials=1,
        textures=((640, 480),),
        animations=0,
        uv_sets=1,
        side_files=("square.mtl", "wood oak.png"),
        dimensions_m=(2, 1, 0),
        notes=("guessed_m",),
    )


def test_what_is_missing_beside_an_obj_is_named(look: Look) -> None:
    assert look("obj", OBJ).missing_files == ("square.mtl",)
    assert look("obj", OBJ, {"square.mtl": MTL}).missing_files == ("wood oak.png",)


@pytest.mark.parametrize("line", [b"map_Kd C:\\textures\\oak.png", b"bump -o 1 2 oak.png"])
def test_a_picture_is_looked_for_by_the_last_part_of_a_path(look: Look, line: bytes) -> None:
    found = look("obj", OBJ, {"square.mtl": b"newmtl a\n" + line, "oak.png": PNG})
    assert (found.textures, found.missing_files) == (((640, 480),), ())


def test_a_library_may_have_spaces_in_its_name_and_lines_may_name_several(look: Look) -> None:
    spaced = OBJ.replace(b"square.mtl", b"the square.mtl")
    assert look("obj", spaced, {"the square.mtl": MTL}).missing_files == ("wood oak.png",)
    several = OBJ.replace(b"square.mtl", b"a.mtl b.mtl")
    assert look("obj", several).missing_files == ("a.mtl", "b.mtl")


@pytest.mark.parametrize(
    "content",
    [
        OBJ.replace(b"f 1/1 2/1 3/1 4/1", b"f -4 -3 -2 -1"),
        OBJ.replace(b"f 1/1 2/1 3/1 4/1", b"f 1//1 2//1 \\\n 3//1 4//1 # quad"),
        OBJ.replace(b"\n", b"\r\n"),
        OBJ.replace(b"\n", b"\r"),
        OBJ.replace(b"f 1/1 2/1 3/1 4/1", b"f 1 2 3 \\\r\n4"),
        OBJ.strip(),
    ],
)
def test_an_obj_may_be_written_in_other_ways(look: Look, content: bytes) -> None:
    found = look("obj", content)
    assert (found.opens, found.triangles, found.vertices) == (True, 2, 4)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (OBJ.replace(b"4/1", b"5/1"), "indices"),
        (OBJ.replace(b"4/1", b"-5"), "indices"),
        (OBJ.replace(b"4/1", b"0"), "indices"),
        (OBJ.replace(b"f 1/1 2/1 3/1 4/1", b"f 1 2"), "indices"),
        (OBJ.replace(b"4/1", b"x"), "malformed"),
        (OBJ.replace(b"v 2 1 0", b"v 2 1"), "truncated"),
        (OBJ.replace(b"v 2 1 0", b"v 2 1 inf"), "numbers"),
        (b"# nothing\n", "no_geometry"),
        (b"v 0 0 0 " * 200_000, "long_line"),
    ],
)
def test_a_damaged_obj_does_not_open(look: Look, content: bytes, problem: str) -> None:
    found = look("obj", content)
    assert (found.opens, found.problem) == (False, problem)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_is_read_in_each_of_its_forms(look: Look, form: str) -> None:
    found = look("ply", ply(form, "comment TextureFile oak.png\n"), {"oak.png": PNG})
    assert found == Model(
        opens=True,
        triangles=2,
        triangles_drawn=2,
        vertices=4,
        draws=1,
        meshes=1,
        materials=1,
        textures=((640, 480),),
        animations=0,
        side_files=("oak.png",),
        dimensions_m=(2, 1, 0),
        notes=("guessed_m",),
    )


def test_a_picture_that_a_ply_names_may_be_missing(look: Look) -> None:
    assert look("ply", ply(extra="comment TextureFile oak.png\n")).missing_files == ("oak.png",)


def test_a_ply_without_faces_is_a_cloud_of_points(look: Look) -> None:
    head, _, data = ply().partition(b"element face")
    found = look(
        "ply",
        head + b"element face" + data.replace(b" 1\n", b" 0\n", 1).replace(b"9 4 0 1 2 3\n", b""),
    )
    assert (found.opens, found.triangles, found.vertices) == (True, 0, 4)
    assert "point_cloud" in found.notes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ply()[:-12], "truncated"),
        (ply()[:-3], "truncated"),
        (ply("binary_little_endian")[:-1], "truncated"),
        (ply("binary_big_endian")[:-30], "truncated"),
        (ply().partition(b"end_header")[0], "truncated"),
        (ply().replace(b"vertex 4", b"vertex 2147483648"), "malformed"),
        (ply("binary_big_endian").replace(b"vertex 4", b"vertex 2147483648"), "truncated"),
        (ply().replace(b"vertex 4", b"vertex 0"), "no_geometry"),
        (ply().replace(b"2 3\n", b"2 4\n"), "indices"),
        (ply().replace(b"ascii", b"morse"), "malformed"),
        (ply().replace(b"float z", b"float w"), "malformed"),
        (ply().replace(b"float z", b"quad z"), "malformed"),
        (ply(faces="list float int vertex_indices"), "malformed"),
        (
            ply().replace(b"property uchar mark\nproperty list uchar int vertex_indices\n", b""),
            "malformed",
        ),
        (ply("binary_little_endian", faces="list int int vertex_indices"), "truncated"),
        (
            # points that have lists of several lengths
            ply()
            .replace(b"uchar red", b"list uchar int vertex_indices")
            .replace(b" 7\n", b" 1 0\n", 1)
            .replace(b" 7\n", b" 2 0 0\n"),
            "malformed",
        ),
    ],
)
def test_a_damaged_ply_does_not_open(look: Look, content: bytes, problem: str) -> None:
    found = look("ply", content)
    assert (found.opens, found.problem) == (False, problem)


@pytest.mark.parametrize(
    ("format_name", "content"),
    [
        ("obj", OBJ),
        ("stl", binary_stl()),
        ("stl", text_stl("a")),
        ("ply", ply()),
        ("ply", ply("binary_big_endian")),
    ],
)
def test_every_triangle_is_drawn_once(tmp_path: Path, format_name: str, content: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    drawn = list(patches(format_name, Source(path)))
    assert sum(len(patch.corners) for patch in drawn) == 6
    assert all(max(patch.corners) < len(patch.points) // 3 for patch in drawn if patch.corners)


def test_a_text_in_an_encoding_that_nobody_knows_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "model.dae"
    path.write_bytes(b'<?xml version="1.0" encoding="ztf-8"?><COLLADA/>')
    assert read("dae", Source(path)).opens is False
