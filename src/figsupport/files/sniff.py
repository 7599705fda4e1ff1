"""What a file is, by its content: a name proves nothing. Standard library, bounded reads."""

import math
import re
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from figsupport.core.model import Kind, Language

#: as much of a file's beginning as is ever looked at
HEAD = 65_536
_ENTRIES = 2_000
_DIRECTORY = 1 << 20
_BOMB_SIZE, _BOMB_RATIO = 2 * 10**9, 100


class Format(NamedTuple):
    """A format's name, the kind of file it is, and the extension it deserves."""

    name: str
    kind: Kind
    extension: str


class Member(NamedTuple):
    """An entry of a zip, as its directory tells it: sizes in bytes, `start` in the file."""

    name: str
    stored: bool
    packed: int
    size: int
    start: int


_KINDS: dict[Kind, str] = {
    "model3d": "glb gltf usdz usdc usda obj stl ply fbx 3ds dae step iges blend 3mf skp 3dm max "
    "c4d ma mb wrl",
    "photo": "jpeg png webp heic avif tiff gif bmp",
    "plan": "pdf dwg dxf svg",
    "other": "html xml txt exe zip docx xlsx pptx rar 7z gzip zstd ole psd mp4 mkv zip-bomb "
    "lfs-pointer empty unknown",
}
_EXTENSIONS = {
    "jpeg": ".jpg", "gzip": ".gz", "zstd": ".zst", "zip-bomb": ".zip", "ole": "",
    "lfs-pointer": "", "empty": "", "unknown": "",
}  # fmt: skip
FORMATS = {
    name: Format(name, kind, _EXTENSIONS.get(name, f".{name}"))
    for kind, names in _KINDS.items()
    for name in names.split()
}
UNKNOWN, EMPTY, HTML = FORMATS["unknown"], FORMATS["empty"], FORMATS["html"]
POINTER, BOMB = FORMATS["lfs-pointer"], FORMATS["zip-bomb"]

#: signature at the beginning → format; the first that fits counts
_SIGNATURES = (
    (b"glTF", "glb"), (b"PXR-USDC", "usdc"), (b"#usda", "usda"), (b"Kaydara FBX Binary", "fbx"),
    (b"; FBX", "fbx"), (b"ply\n", "ply"), (b"ply\r", "ply"), (b"BLENDER", "blend"),
    (b"3D Geometry File Format", "3dm"), (b"\xff\xfe\xff\x0eS\0k\0e\0t\0c\0h\0U\0p", "skp"),
    (b"QC4DC4D", "c4d"), (b"//Maya ASCII", "ma"), (b"FOR4\0\0\0\x08MAYA", "mb"), (b"#VRML", "wrl"),
    (b"MM\0*", "tiff"), (b"II*\0", "tiff"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"),
    (b"GIF89a", "gif"), (b"\x89PNG\r\n\x1a\n", "png"), (b"8BPS\0", "psd"), (b"%PDF-", "pdf"),
    (b"AC10", "dwg"), (b"AutoCAD Binary DXF", "dxf"), (b"MZ", "exe"), (b"\x7fELF", "exe"),
    (b"\xcf\xfa\xed\xfe", "exe"), (b"\xca\xfe\xba\xbe", "exe"), (b"#!", "exe"), (b"Rar!", "rar"),
    (b"L\0\0\0\x01\x14\x02\0", "exe"), (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"version https://git-lfs", "lfs-pointer"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x1f\x8b", "gzip"), (b"(\xb5/\xfd", "zstd"), (b"\x1a\x45\xdf\xa3", "mkv"),
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"PK\x07\x08", "zip"),
)  # fmt: skip
#: what a zip holds → format, by the name of a member
_ZIPPED = {
    "word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx",
    "3d/3dmodel.model": "3mf",
}  # fmt: skip
#: containers that may hold a format whose content cannot be told from here: the name may
_CONTAINED = {("ole", "max"): "max", ("gzip", "blend"): "blend", ("zstd", "blend"): "blend"}
#: extensions that are other words for formats; a photo's raw form is a tiff inside
_SAME = {
    "jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "dng": "tiff", "nef": "tiff",
    "cr2": "tiff", "arw": "tiff", "heif": "heic", "hif": "heic", "stp": "step", "igs": "iges",
    "htm": "html", "xhtml": "html", "dll": "exe", "msi": "ole", "mov": "mp4", "m4v": "mp4",
    "webm": "mkv", "ai": "pdf", "vrml": "wrl", "gz": "gzip", "zst": "zstd", "blend1": "blend",
}  # fmt: skip
#: extensions that promise one of several formats, or none
_ANY = {
    "usd": {"usda", "usdc"}, "zip": {"zip", "usdz", "3mf", "zip-bomb"}, "heic": {"heic", "avif"},
}  # fmt: skip
_NO_PROMISE = {"", "bin", "dat", "tmp", "download", "file"}
#: formats that hold many others: they contradict only a name whose format we would know
_GENERIC = {"txt", "xml", "zip", "ole", "gzip", "zstd", "mp4", "mkv"}
#: formats that always show in their content: a file that is none of them is none
_SHOWN = set(" ".join((_KINDS["model3d"], _KINDS["photo"], _KINDS["plan"])).split())
#: of these, the ones that are texts: a text may be one whose beginning does not show it
_TEXTS = {
    "gltf",
    "usda",
    "obj",
    "stl",
    "ply",
    "fbx",
    "dae",
    "step",
    "iges",
    "dxf",
    "svg",
    "ma",
    "wrl",
}
_OBJ_WORDS = set(b"v vn vt vp f l p o g s mg usemtl mtllib usemap cstype curv surf deg".split())
#: the beginnings of a page. Source: WHATWG MIME Sniffing, 7.1
_PAGE = re.compile(
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
    rb"|meta|center)[\s>]"
)
_DXF = re.compile(rb"(?:999\r?\n[^\r\n]{0,200}\r?\n[ \t]{0,8}){0,50}0\r?\n[ \t]{0,8}SECTION")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BMP_HEADERS = {struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124)}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def sniff(path: Path, name: str | None = None) -> Format:
    """Return the format of a file, from its first 64 KiB, its size and a container's directory.

    `name` is the client's name for it. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = recognise(head, size)
    if found.name == "zip":
        found = _in_zip(zip_members(path), head, size)
    elif found.name == "ole":
        found = _in_ole(path, head)
    elif found.name == "zstd" and _tail(path, 4) == b"\xb1\xea\x92\x8f":
        found = FORMATS["blend"]  # of what clients send, only Blender writes a seek table
    inner = _CONTAINED.get((found.name, _extension(name or path.name)))
    return FORMATS[inner] if inner else found


def recognise(head: bytes, size: int) -> Format:
    """Return the format that the first bytes of a file of this size show."""
    return FORMATS[_recognised(head, size)]


def disagrees(name: str, found: Format) -> bool:
    """Tell whether a file's name promises another format than its content shows."""
    extension = _extension(name)
    promised = _SAME.get(extension, extension)
    if extension in _NO_PROMISE or found is UNKNOWN:
        return False
    if found.name in _ANY.get(promised, {promised}):
        return False
    return found.name not in _GENERIC or promised in FORMATS


def disagreement(name: str, found: Format, language: Language = "fr") -> str | None:
    """Return what a client is told of a name that lies, or None when it does not."""
    if not disagrees(name, found):
        return None
    promised, content = _extension(name)[:10].upper(), found.name.upper()
    if language == "en":
        return f"the name says {promised}, the content is {content}"
    return f"le nom annonce {promised}, le contenu est {content}"


def is_broken(name: str, found: Format) -> bool:
    """Tell whether a file's name promises a format that its content would surely show."""
    extension = _extension(name)
    promised = _SAME.get(extension, extension)
    if found.name in ("txt", "xml"):
        return promised in _SHOWN - _TEXTS
    return found is UNKNOWN and (promised in _SHOWN or promised == "usd")


def zip_members(path: Path) -> tuple[Member, ...] | None:
    """Return a zip's entries (at most 2,000) from its directory; None when it has none to read.

    At most 1 MiB of the directory is read and nothing is unpacked. Raises OSError.
    Source: PKWARE APPNOTE 4.3.12 and 4.3.16.
    """
    size = path.stat().st_size
    tail = _tail(path, 22 + 65_535)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return None
    length, _ = struct.unpack_from("<II", tail, at + 12)
    begin = size - len(tail) + at - length
    if begin < 0:
        return None
    with path.open("rb") as file:
        file.seek(begin)
        return tuple(_entries(file.read(min(length, _DIRECTORY))))


def _entries(directory: bytes) -> list[Member]:
    members: list[Member] = []
    at = 0
    while directory.startswith(b"PK\x01\x02", at) and len(directory) - at >= 46:
        flags, method = struct.unpack_from("<HH", directory, at + 8)
        packed, size, names, extra, comment = struct.unpack_from("<IIHHH", directory, at + 20)
        (start,) = struct.unpack_from("<I", directory, at + 42)
        name = directory[at + 46 : at + 46 + names]
        text = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        members.append(Member(text, method == 0, packed, size, start))
        at += 46 + names + extra + comment
        if len(members) == _ENTRIES:
            break
    return members


def _in_zip(members: tuple[Member, ...] | None, head: bytes, size: int) -> Format:
    """Tell what a zip is by the names in it; a cut one by its first entry."""
    if not members and len(head) >= 30:
        (method,) = struct.unpack_from("<H", head, 8)
        (length,) = struct.unpack_from("<H", head, 26)
        name = head[30 : 30 + length].decode("cp437")
        members = (Member(name, method == 0, 0, 0, 0),)
    if not members:
        return FORMATS["zip"]
    unpacked = sum(member.size for member in members)
    if unpacked > max(_BOMB_SIZE, _BOMB_RATIO * size) or sum(m.packed for m in members) > size:
        return BOMB  # or its entries overlap
    for member in members:
        if found := _ZIPPED.get(member.name.lower()):
            return FORMATS[found]
    first = min(members, key=lambda member: member.start)
    if first.name.lower().endswith((".usdc", ".usda", ".usd")):
        return FORMATS["usdz"]
    return FORMATS["zip"]


def _in_ole(path: Path, head: bytes) -> Format:
    """Tell a 3ds Max scene by its streams. Source: MS-CFB 2.2 and 2.6."""
    if len(head) >= 52:
        (shift,) = struct.unpack_from("<H", head, 30)
        (sector,) = struct.unpack_from("<I", head, 48)
        with path.open("rb") as file:
            file.seek((sector + 1) << min(shift, 12))
            if "ClassDirectory".encode("utf-16-le") in file.read(8_192):
                return FORMATS["max"]
    return FORMATS["ole"]


def _recognised(head: bytes, size: int) -> str:
    if not head:
        return "empty"
    if _counts_triangles(head, size):
        return "stl"  # first: its 80 bytes of header may say anything, « solid » too
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return "blend" if found == "gzip" and _holds_blend(head) else found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:2] == b"MM" and (
        int.from_bytes(head[2:6], "little") == size or head[6:8] in (b"\2\0", b"==")
    ):
        return "3ds"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and head[14:18] in _BMP_HEADERS:
        return "bmp"
    return "stl" if _shows_triangles(head) else _text(head)


def _counts_triangles(head: bytes, size: int) -> bool:
    """Tell a binary STL by its size: 84 bytes and 50 for each triangle it counts."""
    return size > 84 and int.from_bytes(head[80:84], "little") * 50 + 84 == size


def _shows_triangles(head: bytes) -> bool:
    """Tell a binary STL that was cut or padded by its first triangles."""
    count = int.from_bytes(head[80:84], "little")
    if len(head) == 84:
        return count == 0  # an export of nothing
    whole = min(count, (len(head) - 84) // 50, 20)
    if whole < 2 or not any(head[84:184]):
        return False
    return all(
        spare == 0 and all(map(math.isfinite, floats)) and _is_normal(floats[:3])
        for *floats, spare in struct.iter_unpack("<12fH", head[84 : 84 + 50 * whole])
    )


def _is_normal(vector: list[float]) -> bool:
    length = math.hypot(*vector)
    return length == 0 or abs(length - 1) < 0.01


def _holds_blend(head: bytes) -> bool:
    """Tell whether a gzip begins as a Blender file; eight bytes are unpacked."""
    try:
        return zlib.decompressobj(31).decompress(head, 8).startswith(b"BLENDER")
    except zlib.error:
        return False


def _by_brand(head: bytes) -> str:
    length = min(int.from_bytes(head[:4], "big"), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length, 4))}
    if b"avif" in brands:
        return "avif"
    return "heic" if head[8:12] in _HEIC else "mp4"


def _text(head: bytes) -> str:
    """Tell the formats that are texts."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    low = start[:4_096].lower()
    if _PAGE.match(low):
        return "html"
    if low.startswith((b"<?xml", b"<svg", b"<collada", b"<!doctype", b"<!--")):
        return _root(low)
    if start.startswith(b"{") and _is_gltf(start):
        return "gltf"
    if start.startswith(b"ISO-10303-21"):
        return "step"
    if low.startswith(b"solid") and b"facet" in low:
        return "stl"
    if _DXF.match(start):
        return "dxf"
    if _CONTROL.search(head, 0, 4_096):
        return "unknown"
    if head[72:73] == b"S" and head[73:80].strip() == b"1":
        return "iges"
    return "obj" if _is_obj(start) else "txt"


def _root(low: bytes) -> str:
    """Tell an XML text by the first element of those we know."""
    roots = {b"<!doctype html": "html", b"<html": "html", b"<svg": "svg", b"<collada": "dae"}
    found = [(at, name) for word, name in roots.items() if (at := low.find(word)) >= 0]
    return min(found)[1] if found else "xml"


def _is_gltf(text: bytes) -> bool:
    """Tell a glTF by its asset, which some programs write last, or by its accessors."""
    return (b'"asset"' in text and b'"version"' in text) or (
        b'"componentType"' in text and b'"bufferView"' in text
    )


def _is_obj(text: bytes) -> bool:
    """Tell an OBJ: a vertex of three numbers, and hardly a line that says something else."""
    lines = [
        line.split(None, 4) for line in text.splitlines() if line.strip()[:1] not in (b"", b"#")
    ]
    known = [words for words in lines if words[0] in _OBJ_WORDS]
    return len(known) * 10 >= len(lines) * 9 and any(
        words[0] == b"v" and len(words) > 3 and all(map(_is_number, words[1:4])) for words in known
    )


def _is_number(word: bytes) -> bool:
    try:
        return len(word) < 64 and math.isfinite(float(word))
    except ValueError:
        return False


def _tail(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - most))
        return file.read(most)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
