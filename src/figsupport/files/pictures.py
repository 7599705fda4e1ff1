"""Opening pictures that strangers send: by the decoder of their format alone, and no bomb."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

#: a picture of more pixels is refused unopened, whatever its format
MOST_PIXELS = 80_000_000
#: unpacked whole, a picture of more pixels takes more memory than a photo is worth; phones
#: take 5,712 × 4,284
_UNPACKED = 25_000_000
#: a JPEG is read at a fraction of its size that still has so many pixels a side
_REDUCED = 2_048
#: EXIF orientations that lie on their side. Source: CIPA DC-008, 4.6.4
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112
#: format, as `sniff` names it → the only decoders that may look at it
_DECODERS = {
    "jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "gif": ("GIF",), "bmp": ("BMP",),
    "tiff": ("TIFF",), "avif": ("AVIF",), "heic": ("HEIF",),
}  # fmt: skip


class Picture(NamedTuple):
    """An open picture; its size is that which people see, after the turn that EXIF asks for."""

    image: "Image"
    width: int
    height: int

    @property
    def fits(self) -> bool:
        """Whether it may be unpacked: the decoder of a progressive JPEG keeps all of it."""
        whole = "progressive" in self.image.info
        pixels = self.width * self.height if whole else self.image.width * self.image.height
        return pixels <= _UNPACKED


@contextmanager
def opened(path: Path, format_name: str) -> Iterator[Picture]:
    """Open a picture of this format; a large JPEG will be read reduced.

    HEIC takes `figsupport[heic]`. Raises whatever the bytes lead a decoder to.
    """
    from PIL import Image

    if format_name == "heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    # a bomb is an error; a damaged corner of the metadata is nobody's business
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(path, formats=_DECODERS[format_name]) as image:
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            width, height = height, width
        image.draft("RGB", (_REDUCED, _REDUCED))
        yield Picture(image, width, height)


def is_bomb(error: Exception) -> bool:
    """Tell whether a picture was not opened because it has too many pixels."""
    from PIL import Image

    return isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning))


def _orientation(image: "Image") -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # metadata of any program: a photo is not judged by it
        return 1
