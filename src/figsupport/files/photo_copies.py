"""Copies of photos for a model: small, upright, without what cameras write of their owner."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from figsupport.core.model import FileRef
from figsupport.errors import FileProblem
from figsupport.files.pictures import opened
from figsupport.files.sniff import sniff
from figsupport.steps import Bring

EDGE = 1024
_QUALITY = 80


def small_photo(path: Path) -> bytes:
    """Return a photo as a JPEG of at most 1024 pixels an edge, without metadata.

    Raises FileProblem when it is no photo that can be read, or would take too much memory.
    """
    try:
        return _shrunk(path)
    except Exception:  # on broken pictures the library raises almost anything
        raise FileProblem("broken", "la photo ne se lit pas") from None


def _shrunk(path: Path) -> bytes:
    from PIL import Image, ImageOps

    with opened(path, sniff(path).name) as picture:
        if not picture.fits:
            raise ValueError("too many pixels for our memory")
        upright = ImageOps.exif_transpose(picture.image)
        upright.thumbnail((EDGE, EDGE))
        seen = upright.convert("RGBA")
        flat = Image.new("RGB", seen.size, "white")  # what shows through is paper
        flat.paste(seen, mask=seen.getchannel("A"))
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=_QUALITY)
        return out.getvalue()


def small_photos(files: Sequence[FileRef], bring: Bring, most: int) -> Iterator[bytes]:
    """Yield the first photos that can be had; the others are left out."""
    found = 0
    for file in files:
        if found == most:
            return
        try:
            with bring(file) as path:
                photo = small_photo(path)
        except FileProblem:
            continue
        found += 1
        yield photo
