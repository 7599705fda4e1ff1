"""`figsupport inspect`: what files really are, side files beside them, nothing outside."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from figsupport import directives
from figsupport.cli import main
from figsupport.core.intake import Limits
from figsupport.core.model import Language
from figsupport.errors import InvalidRequest, NotFound
from figsupport.files.bring import bringer
from figsupport.files.inspect import Inspected, document, inspect, near, save_thumbnail

GRID = directives.load(directives.default_folder()).grid
TABLE = Path(__file__).parent.parent / "examples" / "models" / "table.glb"
PNG = b"\x89PNG\r\n\x1a\n"
KEYS = {"name", "kind", "format", "opens", "problem", "size", "sha256", "facts", "ar"}


def inspected(
    *places: Path | str, language: Language = "en", draw: bool = False
) -> list[dict[str, Any]]:
    bring = bringer(Path("/nowhere"), Limits(), (), language)
    found = inspect([str(place) for place in places], bring, GRID, language, draw=draw)
    return [document(one.fact, GRID, language) for one in found]


def a_gltf(folder: Path, *uris: str) -> Path:
    path = folder / "scene.gltf"
    images = [{"uri": uri} for uri in uris]
    path.write_text(json.dumps({"asset": {"version": "2.0"}, "images": images}))
    return path


def a_picture(path: Path, side: int = 8) -> Path:
    from PIL import Image

    Image.new("RGB", (side, side)).save(path, "PNG")
    return path


@pytest.mark.parametrize(
    ("name", "content", "format_name", "problem"),
    [
        ("a.glb", b"", "empty", "the file is empty"),
        ("a.glb", b"<html><body>expired", "html", "this is a saved web page, not the file"),
        ("a.glb", b"version https://git-lfs.github.com/spec/v1\n", "lfs-pointer", "this is a pointer (git-lfs), not the file"),
        ("a.jpg", b"MZ\x90", "exe", "this is a program"),
        ("a.glb", b"\0\1\2\3", "unknown", "the file is damaged or not what its name says"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_a_finding(
    tmp_path: Path, name: str, content: bytes, format_name: str, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (found,) = inspected(path)
    assert found.keys() == KEYS
    assert (found["format"], found["opens"], found["problem"]) == (format_name, False, problem)
    assert (found["kind"], found["size"], found["facts"], found["ar"]) == (
        "other",
        len(content),
        {},
        {},
    )
    assert len(found["sha256"]) == 64


def test_a_link_to_a_private_address_is_a_finding() -> None:
    (found,) = inspected("http://127.0.0.1/secret/table.glb?key=1")
    assert found["name"] == "table.glb"
    assert found["problem"] == "the link does not lead to a public web address"
    assert (found["opens"], found["format"], found["size"], found["sha256"]) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe"])
def test_where_no_file_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(NotFound):
        inspected(TABLE, path)


def test_side_files_are_found_beside_the_model_and_never_outside(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "maps").mkdir(parents=True)
    secret = a_picture(tmp_path / "secret.png")
    inner = a_picture(folder / "maps" / "wood.png")
    (folder / "link.png").symlink_to(secret)
    (folder / "inside.png").symlink_to(inner)
    (folder / "circle.png").symlink_to("circle.png")
    find = near(folder, {})
    assert find("maps/wood.png") == find("./maps//wood.png") == find("inside.png") == inner
    for name in ("../secret.png", str(secret), "link.png", "maps", "maps/../../secret.png", "file:///etc/passwd",
                 "C:\\a.png", "gone.png", "", "maps/../maps/wood.png", "circle.png", "a" * 300):  # fmt: skip
        assert find(name) is None, name
    (found,) = inspected(a_gltf(folder, "maps/wood.png", "%2e%2e/secret.png", "link.png"))
    assert found["opens"] is False
    assert len(found["facts"]["missing_files"]) == 2
    assert found["problem"].startswith("missing: ")
    assert found["facts"]["textures"] == [[8, 8]]


def test_side_files_are_found_among_the_arguments(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    wood = a_picture(tmp_path / "elsewhere" / "Wood.PNG", 16)
    scene, picture = inspected(a_gltf(tmp_path, "maps/wood.png"), wood)
    assert (scene["opens"], scene["facts"]["textures"], scene["problem"]) == (
        True,
        [[16, 16]],
        None,
    )
    assert picture["facts"]["part_of"] == "scene.gltf"


def test_a_model_and_photos_in_the_contracts_words(tmp_path: Path) -> None:
    photo = a_picture(tmp_path / "chaise.glb", 1200)
    table, one, other = inspected(TABLE, photo, a_picture(tmp_path / "b.png", 1200), language="fr")
    assert table.keys() == KEYS
    assert (table["kind"], table["format"], table["opens"], table["problem"]) == (
        "model3d",
        "glb",
        True,
        None,
    )
    assert table["facts"].keys() >= {
        "triangles", "triangles_drawn", "meshes", "materials", "textures", "animations", "extensions",
        "missing_files", "dimensions_m", "dimensions_exact",
    }  # fmt: skip
    assert set(table["ar"]) == {"web", "android", "apple", "shopify", "google"}
    assert table["ar"]["apple"] == {"ok": False, "findings": ("format GLB : convertir en USDZ",)}
    assert table["facts"]["dimensions_doubt"] is None
    assert (one["kind"], one["format"], one["opens"]) == ("photo", "png", False)
    assert one["problem"] == "le nom annonce GLB, le contenu est PNG"
    assert {"width": 1200, "height": 1200, "blurred": True}.items() <= one["facts"].items()
    assert other["facts"]["duplicate_of"] == "chaise.glb"
    assert "look" not in one["facts"]


def test_a_thumbnail_goes_where_it_is_wanted(tmp_path: Path) -> None:
    fact = inspect([str(TABLE)], bringer(tmp_path, Limits(), (), "en"), GRID, "en")[0].fact
    drawn = Inspected(fact, PNG)
    assert save_thumbnail(Inspected(fact), tmp_path, alone=True) is None
    assert save_thumbnail(drawn, tmp_path / "a.png", alone=True) == tmp_path / "a.png"
    found = save_thumbnail(drawn, tmp_path / "new", alone=True)
    assert found == tmp_path / "new" / "table-thumbnail.png"
    assert found.read_bytes() == PNG
    assert (
        save_thumbnail(drawn, tmp_path / "b.png", alone=False)
        == tmp_path / "b.png" / "table-thumbnail.png"
    )
    with pytest.raises(InvalidRequest, match="could not be written"):
        save_thumbnail(drawn, tmp_path / "a.png" / "c.png", alone=True)


# --- the command ---------------------------------------------------------------------------


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["inspect", *arguments])
    return int(left.value.code or 0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIGSUPPORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_in_a_pipe_one_list_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(TABLE), "http://127.0.0.1/a.glb", "--json") == 0
    table, link = json.loads(capsys.readouterr().out)
    assert table["opens"] is True
    assert link["problem"]
    assert run(str(TABLE), "http://127.0.0.1/a.glb", "--json", "--dry-run") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert run("gone.glb", "--json") == 66
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_found"
    assert run("--json") == 2


def test_on_a_terminal_people_read_a_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "empty.glb").touch()
    assert run(str(TABLE), "empty.glb", "--no-json", "--french") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("table.glb", "3D model opens", "✗ apple", "convertir en", "does not open", "vide"):
        assert part in shown
