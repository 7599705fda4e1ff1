"""A client's file on its way in: brought here, told by its content, or asked for again."""

import os
import zipfile
from pathlib import Path

import pytest

from figsupport import directives
from figsupport.core.intake import Limits
from figsupport.core.model import FileFact, FileRef
from figsupport.errors import FileProblem
from figsupport.files.bring import beside, bringer
from figsupport.files.model3d.values import Model
from figsupport.files.recognise import recogniser, together

GRID = directives.load(directives.default_folder()).grid
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100


def brought(file: FileRef, folder: Path, limits: Limits | None = None, language: str = "fr") -> str:
    bring = bringer(folder / "spool", limits or Limits(), (), language)  # type: ignore[arg-type]
    with pytest.raises(FileProblem) as caught, bring(file):
        pass
    return caught.value.code


def test_what_cannot_be_brought(tmp_path: Path) -> None:
    small = tmp_path / "a.jpg"
    small.write_bytes(b"x" * 10)
    os.mkfifo(tmp_path / "pipe")
    assert brought(FileRef(name="a"), tmp_path) == "not_sent"
    assert brought(FileRef(name="a", path=str(tmp_path / "gone")), tmp_path) == "gone"
    assert brought(FileRef(name="a", path=str(tmp_path)), tmp_path) == "no_file"
    assert brought(FileRef(name="a", path=str(tmp_path / "pipe")), tmp_path) == "no_file"
    tight = Limits(file_size=5)
    assert brought(FileRef(name="a", path=str(small)), tmp_path, tight) == "too_large"
    total = Limits(request_size=5)
    assert brought(FileRef(name="a", path=str(small)), tmp_path, total) == "too_much"
    assert brought(FileRef(name="a", url="http://127.0.0.1/"), tmp_path) == "address"


@pytest.mark.parametrize(
    ("name", "content", "kind", "extension"),
    [
        ("photo.glb", JPEG, "photo", ".jpg"),
        ("piece.sldprt", b"\0\1\2\3", "model3d", ".sldprt"),
        ("piece.été", b"\0\1\2\3", "other", ""),
        ("notes.txt", b"Bonjour", "other", ".txt"),
    ],
)
def test_what_a_client_sent(
    tmp_path: Path, name: str, content: bytes, kind: str, extension: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    fact, ending, _ = recogniser(GRID)(name, path)
    assert (fact.kind, ending) == (kind, extension)
    assert ("disagrees" in fact.facts) is (name == "photo.glb")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.glb", b"", "empty"),
        ("a.jpg", b"<html>", "html"),
        ("a.glb", b"version https://git-lfs", "lfs-pointer"),
        ("a.jpg", b"MZ\x90", "exe"),
        ("a.glb", b"\0\1\2\3", "broken"),
    ],
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_must_be_sent_again(
    tmp_path: Path, name: str, content: bytes, code: str, language: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(FileProblem) as caught:
        recogniser(GRID, language)(name, path)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_the_pictures_of_a_material_library_are_told(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    path.write_text(
        "newmtl wood\nmap_Kd -s 1 1 1 C:\\maps\\Wood oak.png\nmap_Bump a.png\nmap_Ks a.png\n"
    )
    found = recogniser(GRID)("Chaise.MTL", path).fact
    assert (found.kind, found.facts["missing_files"]) == ("other", ["Wood oak.png", "a.png"])
    assert "side_files" not in recogniser(GRID)("notes.txt", path).fact.facts


def test_the_files_of_a_request_are_found_by_what_others_call_them(tmp_path: Path) -> None:
    (tmp_path / "wood.png").write_bytes(JPEG)
    files = [
        FileRef(name="Wood.PNG", path=str(tmp_path / "wood.png")),
        FileRef(name="gone.bin", path=str(tmp_path / "gone.bin")),
        FileRef(name="known.bin"),
    ]
    bring = bringer(tmp_path / "spool", Limits(request_size=2 * len(JPEG)), (), "fr")
    open_ = beside(files, bring)
    with open_() as near:
        assert near("D:\\maps\\wood.png") == near("WOOD.png") == tmp_path / "wood.png"
        assert [near(name) for name in ("gone.bin", "known.bin", "other.bin")] == [None] * 3
    with open_() as near:
        assert near("wood.png") is not None
    with open_() as near:  # what is brought again and again is bounded
        assert near("wood.png") is None


# --- zips ----------------------------------------------------------------------------------

OBJ = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def a_zip(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def in_zip(path: Path) -> FileFact:
    return recogniser(GRID)("envoi.zip", path).fact


def test_a_model_in_a_zip_is_looked_into_and_drawn(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "a", a__obj=OBJ, a__mtl="newmtl wood\nmap_Kd wood.png\n")
    found = recogniser(GRID)("envoi.zip", path)
    facts = found.fact.facts
    assert (found.fact.kind, found.extension, facts["format"], facts["holds"]) == (
        "model3d",
        ".zip",
        "zip",
        "obj",
    )
    assert (facts["triangles"], facts["models"]) == (1, ["a.obj"])
    assert (facts["opens"], facts["missing_files"]) == (True, ["wood.png"])
    png = found.draw(lambda _: None)
    assert png is not None
    assert png.startswith(b"\x89PNG")


def test_a_zip_whose_gltf_lacks_its_bin_opens_and_says_so(tmp_path: Path) -> None:
    gltf = '{"asset": {"version": "2.0"}, "buffers": [{"uri": "a.bin", "byteLength": 4}]}'
    facts = in_zip(a_zip(tmp_path / "a", a__gltf=gltf)).facts
    assert (facts["opens"], facts["damage"], facts["missing_files"]) == (True, "", ["a.bin"])


def test_several_models_in_a_zip_count_together(tmp_path: Path) -> None:
    facts = in_zip(a_zip(tmp_path / "a", a__obj=OBJ, b__obj=OBJ)).facts
    assert (facts["triangles"], facts["meshes"], facts["models"]) == (2, 2, ["a.obj", "b.obj"])
    assert (facts["opens"], facts["missing_files"]) == (True, ["a.mtl", "a.mtl"])
    assert facts["dimensions_m"] is None
    broken = in_zip(a_zip(tmp_path / "b", a__obj=OBJ, b__obj=OBJ + "f 7 8 9\n")).facts
    assert (broken["opens"], broken["damage"], broken["triangles"]) == (False, "indices", None)
    assert together([Model(True, vertices=3), Model(None)]) == Model(None, missing_files=())


@pytest.mark.parametrize(
    ("members", "facts"),
    [
        ({"a__txt": "Bonjour"}, {"format": "zip", "opens": True}),
        ({"..__a__obj": OBJ, "/etc/a__obj": OBJ}, {"format": "zip", "opens": False, "damage": "names"}),
    ],
)  # fmt: skip
def test_a_zip_without_a_model_we_may_read_is_a_zip(
    tmp_path: Path, members: dict[str, str], facts: dict[str, object]
) -> None:
    found = recogniser(GRID)("envoi.zip", a_zip(tmp_path / "a", **members))
    assert (found.fact.kind, found.fact.facts) == ("other", facts)
    assert found.draw(lambda _: None) is None


LOCAL, DIRECTORY = b"PK\x03\x04", b"PK\x01\x02"
#: what is written over a zip's first entry: from which of its headers on, how far, and what
Changes = list[tuple[bytes, int, bytes]]


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ([(LOCAL, 6, b"\1"), (DIRECTORY, 8, b"\1")], {"opens": None, "notes": ["encrypted"]}),
        ([(DIRECTORY, 8, b"\x40")], {"opens": None, "notes": ["encrypted"]}),  # strongly
        ([(DIRECTORY, 8, b"\x20")], {"opens": None, "notes": ["compression"]}),  # a patch
        ([(LOCAL, 35, b"\xff")], {"opens": False, "damage": "malformed"}),  # packed nonsense
        ([(DIRECTORY, 16, b"abcd")], {"opens": False, "damage": "malformed"}),  # its checksum
        ([(LOCAL, 28, b"\xff")], {"opens": False, "damage": "truncated"}),  # too far away
        # a name that is said to be UTF-8 and is not
        ([(LOCAL, 30, b"\xff"), (DIRECTORY, 9, b"\x08")], {"opens": False, "damage": "malformed"}),
    ],
)
def test_a_zip_that_is_locked_or_damaged_is_not_read(
    tmp_path: Path, changes: Changes, facts: dict[str, object]
) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.obj", OBJ)
    content = bytearray(path.read_bytes())
    for header, at, new in changes:
        begin = content.index(header) + at
        content[begin : begin + len(new)] = new
    path.write_bytes(content)
    assert in_zip(path).facts == {"format": "zip", **facts}
    assert recogniser(GRID)("envoi.zip", path).draw(lambda _: None) is None
