"""A file is what its content says; its name is a promise that may be broken."""

import gzip
import io
import math
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from figsupport.files.sniff import (
    BOMB,
    FORMATS,
    HEAD,
    disagreement,
    disagrees,
    is_broken,
    recognise,
    sniff,
    zip_members,
)

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def zipped(*members: tuple[str, int]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, method in members:
            archive.writestr(zipfile.ZipInfo(name), b"x" * 1_000, method)
    return content.getvalue()


def stl(triangles: int, header: bytes = b"") -> bytes:
    one = struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)
    return header.ljust(80) + struct.pack("<I", triangles) + one * triangles


def ole(*streams: str) -> bytes:
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(30, b"\0") + struct.pack("<H", 9)
    header = header.ljust(48, b"\0") + struct.pack("<I", 1)
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return header.ljust(1_024, b"\0") + entries


GLTF_WRITTEN_FROM_ITS_END = (
    b'{\n "accessors": [ {"bufferView": 2, "componentType": 5126, "count": 24, "type": "VEC3"} ],'
)
IGES = b"3D model".ljust(72) + b"S      1\n"
OBJ = b"# a cube\nmtllib cube.mtl\no cube\nv 0 0 0\nv 1.0e0 -0.5 1\nv 1 1 0\nf 1/1 2/2 3/3\n"

#: what a file holds → its format, and the kind of file that is
CONTENTS = [
    # 3D
    (b"glTF\x02\0\0\0", "glb", "model3d"),
    (b'{"asset": {"version": "2.0"}}', "gltf", "model3d"),
    (b'\xef\xbb\xbf\n{"scenes": [], "asset": {"version": "2.0"}}', "gltf", "model3d"),
    (GLTF_WRITTEN_FROM_ITS_END, "gltf", "model3d"),
    (b"PXR-USDC\0\x08", "usdc", "model3d"),
    (b"#usda 1.0\n", "usda", "model3d"),
    (zipped(("scene.usdc", STORED), ("0/texture.png", STORED)), "usdz", "model3d"),
    (zipped(("Scene.USDA", STORED)), "usdz", "model3d"),
    (zipped(("scene.usdc", DEFLATED)), "usdz", "model3d"),
    (zipped(("scene.usdc", STORED), ("0/texture.png", DEFLATED)), "usdz", "model3d"),
    (zipped(("scene.usdc", STORED), ("a.png", STORED))[:900], "usdz", "model3d"),
    (OBJ, "obj", "model3d"),
    (b"v 0 0 0 " * 20_000, "obj", "model3d"),
    (stl(3), "stl", "model3d"),
    (stl(3, b"solid lies about itself"), "stl", "model3d"),
    (stl(3, b"MZ, says the header"), "stl", "model3d"),
    (stl(0), "stl", "model3d"),
    (stl(40)[:1_000], "stl", "model3d"),
    (stl(3) + b"\r\n", "stl", "model3d"),
    (b"solid cube\n  facet normal 0 0 1\n", "stl", "model3d"),
    (b"ply\nformat ascii 1.0\n", "ply", "model3d"),
    (b"ply\r\nformat binary_little_endian 1.0\r\n", "ply", "model3d"),
    (b"Kaydara FBX Binary  \0\x1a\0", "fbx", "model3d"),
    (b"; FBX 7.4.0 project file", "fbx", "model3d"),
    (b"MM" + struct.pack("<I", 20) + b"\0" * 14, "3ds", "model3d"),
    (b"MM" + struct.pack("<I", 9_999) + b"\2\0\x0a\0\0\0", "3ds", "model3d"),
    (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<COLLADA version='1.4.1'>", "dae", "model3d"),
    (b"ISO-10303-21;\nHEADER;", "step", "model3d"),
    (b"\r\nISO-10303-21;", "step", "model3d"),
    (IGES, "iges", "model3d"),
    (b"BLENDER-v300", "blend", "model3d"),
    (gzip.compress(b"BLENDER-v279" + b"x" * 1_000, mtime=0), "blend", "model3d"),
    (b"(\xb5/\xfd" + b"x" * 50 + b"\xb1\xea\x92\x8f", "blend", "model3d"),
    (zipped(("[Content_Types].xml", DEFLATED), ("3D/3dmodel.model", DEFLATED)), "3mf", "model3d"),
    (b"\xff\xfe\xff\x0eS\0k\0e\0t\0c\0h\0U\0p\0", "skp", "model3d"),
    (b"3D Geometry File Format        7", "3dm", "model3d"),
    (ole("Root Entry", "FileAssetMetaData2", "ClassDirectory3"), "max", "model3d"),
    (b"QC4DC4D6", "c4d", "model3d"),
    (b"//Maya ASCII 2020 scene", "ma", "model3d"),
    (b"#VRML V2.0 utf8", "wrl", "model3d"),
    # plans
    (b"%PDF-1.7", "pdf", "plan"),
    (b"AC1032\0", "dwg", "plan"),
    (b"  0\r\nSECTION\r\n  2\r\nHEADER", "dxf", "plan"),
    (b"999\nDXF made by hand\n0\nSECTION\n", "dxf", "plan"),
    (b"AutoCAD Binary DXF\r\n\x1a\0", "dxf", "plan"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "svg", "plan"),
    (b"<!-- made by hand --><svg>", "svg", "plan"),
    # photos
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpeg", "photo"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png", "photo"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "webp", "photo"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic", "photo"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "avif", "photo"),
    (b"II*\0\x08\0\0\0", "tiff", "photo"),
    (b"MM\0*\0\0\0\x08", "tiff", "photo"),
    (b"GIF89a", "gif", "photo"),
    (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "bmp", "photo"),
    # the rest
    (b"<!DOCTYPE html><p>expired", "html", "other"),
    (b"\n\n<HTML>", "html", "other"),
    (b"<title>403</title>", "html", "other"),
    (b"<!-- cached --><!DOCTYPE html><svg>", "html", "other"),
    (b"<?xml version='1.0'?><html><svg/></html>", "html", "other"),
    ("<html>é".encode("utf-16"), "html", "other"),
    (b"<?xml version='1.0'?><note/>", "xml", "other"),
    (b"MZ\x90\0", "exe", "other"),
    (b"\x7fELF\2\1\1", "exe", "other"),
    (b"#!/bin/sh\n", "exe", "other"),
    (zipped(("readme.txt", STORED), ("scene.usdc", STORED)), "zip", "other"),
    (zipped(("../../etc/passwd", STORED)), "zip", "other"),
    (zipped(), "zip", "other"),
    (b"PK\x03\x04", "zip", "other"),
    (b"PK\x03\x04" + b"x" * 50, "zip", "other"),
    (zipped(("word/document.xml", DEFLATED)), "docx", "other"),
    (zipped(("xl/workbook.xml", DEFLATED)), "xlsx", "other"),
    (ole("Root Entry", "WordDocument"), "ole", "other"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "other"),
    (gzip.compress(b"a text", mtime=0), "gzip", "other"),
    (b"\x1f\x8b\x08", "gzip", "other"),
    (b"(\xb5/\xfd" + b"x" * 50, "zstd", "other"),
    (b"8BPS\0\1", "psd", "other"),
    (b"\0\0\0\x18ftypisom\0\0\0\0", "mp4", "other"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "lfs-pointer", "other"),
    (b"Bonjour, voici les fichiers", "txt", "other"),
    (b"999 photos", "txt", "other"),
    (b"BMW, serie 3", "txt", "other"),
    (b"v 1 2 3\nest la version du fichier\nque je vous envoie\n", "txt", "other"),
    (b'{"error": "link expired"}', "txt", "other"),
    (b"", "empty", "other"),
    (b"\0\1\2\3", "unknown", "other"),
    (
        b"\1".ljust(80, b"\0") + b"\7\0\0\0" + struct.pack("<12fH", *[5.0] * 12, 0) * 9,
        "unknown",
        "other",
    ),
    (b"\1".ljust(80, b"\0") + b"\7\0\0\0" + b"\0" * 500, "unknown", "other"),
    (stl(3).replace(struct.pack("<f", 1), struct.pack("<f", math.nan)) + b"x", "unknown", "other"),
]


@pytest.mark.parametrize(("content", "name", "kind"), CONTENTS, ids=lambda value: str(value)[:24])
def test_content_decides(tmp_path: Path, content: bytes, name: str, kind: str) -> None:
    path = tmp_path / "download"
    path.write_bytes(content)
    found = sniff(path)
    assert (found.name, found.kind) == (name, kind)


def test_every_format_has_a_kind_and_most_an_extension() -> None:
    told = {name for _, name, _ in CONTENTS}
    assert told <= set(FORMATS)
    without = {name for name, found in FORMATS.items() if not found.extension}
    assert without == {"ole", "lfs-pointer", "empty", "unknown"}


# --- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "lies"),
    [
        ("photo.jpg", "jpeg", False), ("PHOTO.JPEG", "jpeg", False), ("a.jfif", "jpeg", False),
        ("raw.nef", "tiff", False), ("photo.heif", "heic", False), ("a.step", "step", False),
        ("scene.usd", "usda", False), ("scene.usd", "usdc", False), ("scene.usda", "usdc", True),
        ("a.stp", "stl", True), ("a.glb", "jpeg", True), ("a.glb", "html", True),
        ("a.glb", "lfs-pointer", True), ("a.glb", "empty", True), ("a.glb", "gltf", True),
        ("a.glb", "txt", True), ("a.glb", "zip", True), ("a.usdz", "zip", True),
        ("a.jpg", "png", True), ("a.jpg", "exe", True), ("a.pdf", "docx", True),
        ("a.zip", "zip", False), ("a.zip", "usdz", False), ("a.zip", "docx", True),
        ("logo.ai", "pdf", False), ("a.mov", "mp4", False), ("a.max", "max", False),
        # names whose format we would not know: only a content we do know contradicts them
        ("cube.mtl", "txt", False), ("list.csv", "txt", False), ("part.sldprt", "ole", False),
        ("part.sldprt", "jpeg", True), ("house.rvt", "ole", False), ("a.kmz", "zip", False),
        # names that promise nothing
        ("photo", "jpeg", False), ("scene.bin", "txt", False), ("", "jpeg", False),
        ("a.glb", "unknown", False),
    ],
)  # fmt: skip
def test_a_name_that_lies_is_a_finding(name: str, content: str, lies: bool) -> None:
    found = FORMATS[content]
    assert disagrees(name, found) is lies
    assert (disagreement(name, found) is not None) is lies


def test_the_finding_is_told_in_the_clients_language() -> None:
    jpeg = FORMATS["jpeg"]
    assert disagreement("a.glb", jpeg) == "le nom annonce GLB, le contenu est JPEG"
    assert disagreement("a.glb", jpeg, "en") == "the name says GLB, the content is JPEG"
    long = disagreement("a." + "x" * 1_000, jpeg)
    assert long is not None
    assert len(long) < 60


@pytest.mark.parametrize(
    ("name", "content", "broken"),
    [
        ("a.glb", "unknown", True), ("a.JPG", "unknown", True), ("a.usd", "unknown", True),
        ("a.glb", "txt", True), ("a.jpg", "txt", True), ("a.usdz", "xml", True),
        ("a.obj", "txt", False), ("a.dae", "xml", False), ("notes.txt", "txt", False),
        ("part.sldprt", "unknown", False), ("scene.bin", "unknown", False), ("a", "unknown", False),
        ("a.glb", "jpeg", False),
    ],
)  # fmt: skip
def test_a_file_that_shows_nothing_of_what_its_name_says(
    name: str, content: str, broken: bool
) -> None:
    assert is_broken(name, FORMATS[content]) is broken


def test_a_container_that_cannot_be_told_is_what_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "download-1234"
    path.write_bytes(b"(\xb5/\xfd" + b"x" * 50)
    assert sniff(path).name == "zstd"
    assert sniff(path, "chaise.blend").name == "blend"
    assert sniff(path, "chaise.max").name == "zstd"


# --- zips ----------------------------------------------------------------------------------


def test_the_directory_of_a_zip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a stub before" + zipped(("é.usdc", STORED), ("b.png", DEFLATED)))
    members = zip_members(path)
    assert members is not None
    assert [(m.name, m.stored, m.size) for m in members] == [
        ("é.usdc", True, 1_000), ("b.png", False, 1_000),
    ]  # fmt: skip
    assert members[1].packed < 100


def directory(entries: int, packed: int, size: int) -> bytes:
    """A zip of nothing but a directory that lies."""
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, packed, size, 1, 0, 0, 0, 0, 0, 0
    )
    content = (entry + b"a") * entries
    count = min(entries, 65_535)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(content), 4, 0)
    return b"PK\3\4" + content + end


def test_a_zip_bomb_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(directory(10, 1, 4_000_000_000))
    assert sniff(path) == BOMB
    path.write_bytes(directory(50, 1_000_000, 1_000_000))  # entries that overlap
    assert sniff(path) == BOMB
    path.write_bytes(directory(10, 1, 1_000))
    assert sniff(path).name == "zip"


def test_a_directory_of_a_million_entries_is_not_read_through(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(directory(1_000_000, 1, 1))
    began = time.perf_counter()
    members = zip_members(path)
    assert members is not None
    assert len(members) == 2_000
    assert sniff(path).name == "zip"
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("end", [b"", b"PK\5\6", b"PK\5\6" + b"\xff" * 18, b"PK\5\6" + b"\0" * 18])
def test_a_zip_without_a_directory(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\3\4" + b"x" * 100 + end)
    assert not zip_members(path)
    assert sniff(path).name == "zip"


# --- anything ------------------------------------------------------------------------------

STARTS = [content for content, _, _ in CONTENTS]


@given(st.binary(max_size=300), st.integers(0, 2**40))
@example(b"MM", 2)
@example(b"\0" * 90, 84)
def test_any_bytes_are_something(content: bytes, size: int) -> None:
    assert recognise(content, size) in FORMATS.values()


@given(st.sampled_from(STARTS), st.binary(max_size=40), st.integers(0, 300), st.integers(0, 300))
def test_any_damage_to_a_file_leaves_it_something(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, noise: bytes, at: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes((content[:at] + noise + content[at + len(noise) :])[: -cut or None])
    assert sniff(path, "a.glb").name in FORMATS


@given(st.text(max_size=40), st.sampled_from(sorted(FORMATS)))
def test_any_name_can_be_compared(name: str, content: str) -> None:
    assert disagrees(name, FORMATS[content]) in (True, False)
    assert is_broken(name, FORMATS[content]) in (True, False)


@pytest.mark.parametrize(
    "content",
    [b"\n" * HEAD, b" " * HEAD, b"v " * HEAD, b"v\n" * HEAD, b"9" * HEAD, b"999\n" * HEAD, b"{" * HEAD,
     b"<!--" * HEAD, b"<?xml " * HEAD, b"solid " * HEAD, b"v 1 1 " + b"1" * HEAD, b"\0" * HEAD,
     b"PK\5\6" * HEAD, b"v 1e999 nan inf\n" * 4_000, b"999\nx\n" * HEAD, b"\xff\xfe" * HEAD],
    ids=lambda content: str(content[:12]),
)  # fmt: skip
def test_no_content_takes_long(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content * 4)
    began = time.process_time()
    assert sniff(path).name in FORMATS
    assert time.process_time() - began < 1.5
