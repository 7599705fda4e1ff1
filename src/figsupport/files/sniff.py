"""What a file is, by its content: a name proves nothing. Standard library, bounded reads."""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from figsupport.core.model import Kind

HEAD = 65_536
_ENTRIES = 2_000


class Format(NamedTuple):
    """A format's name, the kind of file it is, and the extension it deserves."""

    name: str
    kind: Kind
    extension: str


def _format(name: str, kind: Kind, extension: str | None = None) -> Format:
    return Format(name, kind, f".{name}" if extension is None else extension)


UNKNOWN = _format("unknown", "other", "")
EMPTY = _format("empty", "other", "")
POINTER = _format("lfs-pointer", "other", "")
HTML = _format("html", "other")
_STL = _format("stl", "model3d")

#: (offset, signature) → format; the first that fits counts
_SIGNATURES: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"glTF", _format("glb", "model3d")),
    (0, b"PXR-USDC", _format("usdc", "model3d")),
    (0, b"#usda", _format("usda", "model3d")),
    (0, b"Kaydara FBX Binary", _format("fbx", "model3d")),
    (0, b"; FBX", _format("fbx", "model3d")),
    (0, b"ply\n", _format("ply", "model3d")),
    (0, b"ply\r", _format("ply", "model3d")),
    (0, b"ISO-10303-21", _format("step", "model3d")),
    (0, b"BLENDER", _format("blend", "model3d")),
    (0, b"3D Geometry File Format", _format("3dm", "model3d")),
    (0, b"\xff\xfe\xff\x0eS\0k\0e\0t\0c\0h\0U\0p", _format("skp", "model3d")),
    (0, b"MM\0*", _format("tiff", "photo")),
    (0, b"II*\0", _format("tiff", "photo")),
    (0, b"\xff\xd8\xff", _format("jpeg", "photo", ".jpg")),
    (0, b"\x89PNG\r\n\x1a\n", _format("png", "photo")),
    (0, b"GIF8", _format("gif", "photo")),
    (0, b"BM", _format("bmp", "photo")),
    (0, b"%PDF-", _format("pdf", "plan")),
    (0, b"AC10", _format("dwg", "plan")),
    (0, b"MZ", _format("exe", "other")),
    (0, b"\x7fELF", _format("exe", "other")),
    (0, b"Rar!", _format("rar", "other")),
    (0, b"7z\xbc\xaf", _format("7z", "other")),
    (0, b"version https://git-lfs", POINTER),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _format("ole", "other", "")),  # doc, xls, max
    (0, b"\x1f\x8b", _format("gzip", "other", ".gz")),
    (0, b"(\xb5/\xfd", _format("zstd", "other", ".zst")),
)
_BRANDS = {
    b"heic": "heic", b"heix": "heic", b"heim": "heic", b"hevc": "heic", b"mif1": "heic",
    b"msf1": "heic", b"avif": "avif",
}  # fmt: skip
#: what a zip holds → format, by the name of a member
_ZIPPED = (
    ("word/document.xml", _format("docx", "other")),
    ("xl/workbook.xml", _format("xlsx", "other")),
    ("ppt/presentation.xml", _format("pptx", "other")),
    ("3D/3dmodel.model", _format("3mf", "model3d")),
)
#: formats that carry no signature of their own inside a container: the name may be believed
_CONTAINED = {
    ("ole", "max"): _format("max", "model3d"),
    ("gzip", "blend"): _format("blend", "model3d"),
    ("zstd", "blend"): _format("blend", "model3d"),
}
#: formats that are always known by their content: a file that is none of them is none
_ALWAYS_KNOWN = frozenset(
    """glb gltf usdz usdc usda fbx ply step 3dm tiff jpeg png gif webp heic avif pdf dwg dxf svg
    3ds stl dae obj 3mf""".split()
)
_SAME = {"jpg": "jpeg", "tif": "tiff", "stp": "step", "htm": "html", "heif": "heic", "dll": "exe"}
_OBJ = re.compile(rb"^\s*(?:v|vt|vn|f|o|g|mtllib|usemtl)\s+\S", re.MULTILINE)
_OBJ_FACE = re.compile(rb"^v\s+[-+0-9.eE]+\s+[-+0-9.eE]+\s+[-+0-9.eE]+", re.MULTILINE)
_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(path: Path) -> Format:
    """Return the format of a file, from its first 64 KiB, its size and a zip's directory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = recognise(head, size)
    if found.name == "zip":
        found = _zip(path)
    return _CONTAINED.get((found.name, path.suffix.lower().lstrip(".")), found)


def recognise(head: bytes, size: int) -> Format:
    """Return the format that the first bytes of a file of this size show."""
    if not head:
        return EMPTY
    for offset, signature, found in _SIGNATURES:
        if head.startswith(signature, offset):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _format("webp", "photo")
    if head[4:8] == b"ftyp":
        brand = _BRANDS.get(head[8:12])
        return _format(brand, "photo") if brand else _format("mp4", "other")
    if head[:2] == b"MM" and size >= 6 and int.from_bytes(head[2:6], "little") == size:
        return _format("3ds", "model3d")
    if head[:4] == b"PK\x03\x04":
        return _format("zip", "other")
    if size >= 84 and int.from_bytes(head[80:84], "little") * 50 + 84 == size:
        return _STL  # also where the header begins with « solid »
    return _text(head)


def disagrees(name: str, found: Format) -> bool:
    """Tell whether a file's name promises another format than its content shows."""
    promised = name.rpartition(".")[2].lower() if "." in name else ""
    promised = _SAME.get(promised, promised)
    if not promised or found is UNKNOWN:
        return False
    return promised not in {found.name, found.extension.lstrip(".")}


def is_broken(name: str, found: Format) -> bool:
    """Tell whether a file's name promises a format that its content would surely show."""
    promised = name.rpartition(".")[2].lower()
    return found is UNKNOWN and _SAME.get(promised, promised) in _ALWAYS_KNOWN


def _zip(path: Path) -> Format:
    """Look at the names in a zip; nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()[:_ENTRIES]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        return _format("zip", "other")
    names = {member.filename for member in members}
    for name, found in _ZIPPED:
        if name in names:
            return found
    first = members[0] if members else None
    if first is not None and first.filename.lower().endswith((".usdc", ".usda", ".usd")):
        stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        return _format("usdz", "model3d" if stored else "other")
    return _format("zip", "other")


def _text(head: bytes) -> Format:
    """Tell the formats that are texts."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:2_000]
    low = start.lower()
    if low.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return HTML
    if low.startswith((b"<?xml", b"<svg", b"<collada", b"<!doctype svg", b"<!--")):
        if b"<svg" in low:
            return _format("svg", "plan")
        if b"<collada" in low:
            return _format("dae", "model3d")
        return HTML if b"<html" in low else _format("xml", "other")
    if start[:1] == b"{" and b'"asset"' in head and b'"version"' in head:
        return _format("gltf", "model3d")
    if low.startswith(b"solid") and b"facet" in head:
        return _STL
    if re.match(rb"0\r?\n\s*SECTION", start) or low.startswith(b"999"):
        return _format("dxf", "plan")
    if _TEXT.search(head[:4_096]):
        return UNKNOWN
    if _OBJ_FACE.search(head) and _OBJ.search(head):
        return _format("obj", "model3d")
    return _format("txt", "other")
