"""A client's file on its way in: brought here, told by its content, or asked for again."""

import os
from pathlib import Path

import pytest

from figsupport import directives
from figsupport.core.intake import Limits
from figsupport.core.model import FileRef
from figsupport.errors import FileProblem
from figsupport.files.bring import bringer
from figsupport.files.recognise import recogniser

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
    assert fact.facts.get("disagrees", False) is (name == "photo.glb")


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
