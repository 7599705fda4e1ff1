"""Are a client's photos good enough to model from: size, sharpness, and no two the same.

The thresholds were found by trial on real photos; blur is a warning, never a refusal.
"""

import math
import os
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from figsupport.core.model import Value
from figsupport.files.model3d.facts import Finding, Unreadable
from figsupport.files.model3d.source import open_regular

if TYPE_CHECKING:
    from PIL import Image

GOOD_SIDE = 1600
USABLE_SIDE = 1000
MAX_PIXELS = 80_000_000
MAX_DECODED = 24_000_000
"""Beyond, only a baseline JPEG is decoded (at a reduced scale): others would take gigabytes."""

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
BLUR_SIDE, BLUR_GRID, BLUR_LIMIT = 1024, 8, 60.0
SAME_HASH_BITS, SAME_MEAN = 5, 3.0
ORIENTATION = 0x0112

Usable = Literal["good", "usable", "too_small"]


class PhotoFacts(Value):
    """A photo as it is: `width` and `height` in pixels as one sees it, EXIF rotation applied.

    `sharpness` is the 90th percentile of the variance of the Laplacian over 8 × 8 tiles at
    1024 px (grey levels squared); `blurred` when it is below 60. `duplicate_of` is the name
    of an earlier photo that shows the same picture.
    """

    format: str | None = None
    width: int | None = None
    height: int | None = None
    usable: Usable | None = None
    sharpness: float | None = None
    blurred: bool | None = None
    duplicate_of: str | None = None
    problem: Finding | None = None
    findings: tuple[Finding, ...] = ()


class _Look(NamedTuple):
    """What two photos are compared by: a difference hash and the picture at 64 × 64."""

    difference_hash: int
    small: bytes


def inspect_photo(path: Path) -> PhotoFacts:
    """Return the facts of one photo; a hostile or damaged one has a `problem`.

    Needs Pillow (and `pillow-heif` to look inside HEIC; without it only its size is read).
    """
    return _inspect(path)[0]


def inspect_photos(photos: Mapping[str, Path]) -> dict[str, PhotoFacts]:
    """Return the facts of several photos, name → path, duplicates of earlier ones named."""
    found: dict[str, PhotoFacts] = {}
    looks: dict[str, _Look] = {}
    for name, path in photos.items():
        facts, look = _inspect(path)
        if look is not None:
            same = next((other for other, seen in looks.items() if _same(look, seen)), None)
            if same is None:
                looks[name] = look
            else:
                facts = facts.model_copy(update={"duplicate_of": same})
        found[name] = facts
    return found


def _inspect(path: Path) -> tuple[PhotoFacts, _Look | None]:
    try:
        descriptor = open_regular(path)
    except Unreadable as reason:
        return PhotoFacts(problem=reason.finding), None
    with os.fdopen(descriptor, "rb") as stream:
        start = stream.read(256 * 1024)
        stream.seek(0)
        heic = start[4:8] == b"ftyp" and _register_heif(start)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return _look_at(stream, (*FORMATS, "HEIF") if heic else FORMATS)
        except Exception as error:  # whatever a decoder makes of hostile bytes
            if start[4:8] == b"ftyp" and not heic:
                return _heic_size(start), None
            return PhotoFacts(problem=_problem(error)), None


def _look_at(stream: object, formats: tuple[str, ...]) -> tuple[PhotoFacts, _Look | None]:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(stream, formats=formats) as image:  # type: ignore[arg-type]
        kind = (image.format or "").lower()
        width, height = image.size
        turned = image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        facts = _sized(kind, *((height, width) if turned else (width, height)))
        reducible = kind in ("jpeg", "mpo") and not image.info.get("progressive")
        if width * height > MAX_DECODED and not reducible:
            return facts, None
        image.draft("L", (BLUR_SIDE, BLUR_SIDE))
        image.thumbnail((BLUR_SIDE, BLUR_SIDE))
        grey = image.convert("L")
    sharpness = _sharpness(grey)
    blurred = sharpness < BLUR_LIMIT
    findings = (*facts.findings, _BLURRED) if blurred else facts.findings
    update = {"sharpness": round(sharpness, 1), "blurred": blurred, "findings": findings}
    return facts.model_copy(update=update), _look(grey)


def _sized(kind: str, width: int, height: int) -> PhotoFacts:
    longest = max(width, height)
    usable: Usable = "too_small"
    if longest >= USABLE_SIDE:
        usable = "good" if longest >= GOOD_SIDE else "usable"
    findings = (_too_small(width, height),) if usable == "too_small" else ()
    return PhotoFacts(format=kind, width=width, height=height, usable=usable, findings=findings)


def _sharpness(grey: "Image.Image") -> float:
    from PIL import ImageFilter, ImageStat

    laplacian = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
    edges = grey.filter(laplacian)
    width, height = edges.size
    if min(width, height) < BLUR_GRID:
        return math.inf  # too small for tiles: not a question of sharpness
    columns = [width * i // BLUR_GRID for i in range(BLUR_GRID + 1)]
    rows = [height * i // BLUR_GRID for i in range(BLUR_GRID + 1)]
    variances = sorted(
        ImageStat.Stat(edges.crop((columns[i], rows[j], columns[i + 1], rows[j + 1]))).var[0]
        for i in range(BLUR_GRID)
        for j in range(BLUR_GRID)
    )
    return variances[len(variances) * 9 // 10]


def _look(grey: "Image.Image") -> _Look:
    small = grey.resize((9, 8)).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (small[at] < small[at + 1])
    return _Look(bits, grey.resize((64, 64)).tobytes())


def _same(a: _Look, b: _Look) -> bool:
    """The hash alone takes two angles of one product for the same picture: both must agree."""
    if (a.difference_hash ^ b.difference_hash).bit_count() > SAME_HASH_BITS:
        return False
    difference = sum(abs(x - y) for x, y in zip(a.small, b.small, strict=True))
    return difference / len(a.small) < SAME_MEAN


def _register_heif(start: bytes) -> bool:
    """Return whether the file is HEIC and the extra that reads it is installed."""
    if start[8:12] not in (b"heic", b"heix", b"heif", b"hevc", b"mif1", b"msf1"):
        return False
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _heic_size(start: bytes) -> PhotoFacts:
    """Return the size of the largest picture a HEIC declares (`ispe`, ISO/IEC 23008-12)."""
    sizes, at = [], start.find(b"ispe")
    while at >= 0 and len(sizes) < 1000 and at + 16 <= len(start):
        sizes.append(struct.unpack_from(">II", start, at + 8))
        at = start.find(b"ispe", at + 4)
    if not sizes:
        return PhotoFacts(format="heic", problem=_UNREADABLE)
    width, height = max(sizes, key=math.prod)
    if not 0 < width * height <= MAX_PIXELS:
        return PhotoFacts(format="heic", problem=_BOMB)
    return _sized("heic", width, height)


def _problem(error: Exception) -> Finding:
    bomb = type(error).__name__.startswith("DecompressionBomb")
    return _BOMB if bomb else _UNREADABLE


_BLURRED = Finding(
    fr="cette photo semble floue",
    en="this photo seems blurred",
)
_UNREADABLE = Finding(
    fr="cette photo est endommagée ou n'en est pas une",
    en="this photo is damaged, or is none",
)
_BOMB = Finding(
    fr="cette photo est trop grande (80 millions de pixels au plus)",
    en="this photo is too large (80 million pixels at most)",
)


def _too_small(width: int, height: int) -> Finding:
    return Finding(
        fr=f"photo trop petite : {width} × {height} pixels ({USABLE_SIDE} au moins, "
        f"{GOOD_SIDE} de préférence)",
        en=f"photo too small: {width} × {height} pixels (at least {USABLE_SIDE}, "
        f"better {GOOD_SIDE})",
    )
