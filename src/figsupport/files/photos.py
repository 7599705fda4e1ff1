"""What a photo shows of itself: its size as people see it, blur, and a small copy to compare."""

import math
import warnings
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from figsupport.core.assets import LOOK_SIDE
from figsupport.files.model3d.images import HEAD, size_of

if TYPE_CHECKING:
    from PIL.Image import Image

#: a picture of more pixels is refused unopened, whatever its format
MOST_PIXELS = 80_000_000
#: unpacked whole, a picture of more pixels takes more memory than a photo is worth
_UNPACKED = 24_000_000
_BLUR_SIDE, _TILES, _BLUR = 1_024, 8, 60.0
#: EXIF orientations that lie on their side. Source: CIPA DC-008, 4.6.4
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112
#: format, as `sniff` names it → the only decoders that may look at it
_DECODERS = {
    "jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "gif": ("GIF",), "bmp": ("BMP",),
    "tiff": ("TIFF",), "avif": ("AVIF",), "heic": ("HEIF",),
}  # fmt: skip
#: of these we know every variant: what cannot be unpacked is damaged
_KNOWN = {"jpeg", "png", "webp", "gif"}


class Photo(NamedTuple):
    """What is known of a photo; None where nobody could look. `problem`: why it is of no use.

    `width` and `height` are pixels after the turn that EXIF asks for; `look` is a small grey
    copy for `core.assets` to compare, in Base64.
    """

    width: int | None = None
    height: int | None = None
    blurred: bool | None = None
    look: str | None = None
    problem: str = ""


def look_at(path: Path, format_name: str) -> Photo:
    """Return what a photo of this format shows. Raises OSError when the file cannot be read.

    Pillow opens it with the decoder of its format alone, reads a large JPEG reduced, and no
    picture beyond what memory allows; without `figsupport[heic]` the header of a HEIC counts.
    """
    with path.open("rb") as file:
        stored = size_of(file.read(HEAD))
    known = Photo(*stored) if stored else Photo()
    if stored and math.prod(stored) > MOST_PIXELS:
        return known._replace(problem="too_many_pixels")
    try:
        return _opened(path, format_name)
    except Exception as error:  # decoders raise whatever the bytes lead them to
        if _is_bomb(error):
            return known._replace(problem="too_many_pixels")
        sure = format_name in _KNOWN and not isinstance(error, MemoryError)
        return known._replace(problem="damaged") if sure else known


def _opened(path: Path, format_name: str) -> Photo:
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
        turned = _orientation(image) in _SIDEWAYS
        size = (height, width) if turned else (width, height)
        image.draft("RGB", (2 * _BLUR_SIDE, 2 * _BLUR_SIDE))
        if image.width * image.height > _UNPACKED or _unpacks_whole(image, width * height):
            return Photo(*size)
        grey = image.convert("L")
    look = grey.resize((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX)
    return Photo(*size, _is_blurred(grey), b64encode(look.tobytes()).decode())


def _orientation(image: "Image") -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # metadata of any program: a photo is not judged by it
        return 1


def _unpacks_whole(image: "Image", pixels: int) -> bool:
    """Tell a JPEG whose decoder keeps the whole picture although it is read reduced."""
    return "progressive" in image.info and pixels > _UNPACKED


def _is_blurred(grey: "Image") -> bool:
    """Tell whether even the sharpest parts of a picture have soft edges.

    The variance of the Laplacian in 8 × 8 tiles at 1,024 pixels, of which the 90th percentile
    counts: a sharp object before a plain wall is sharp. Source: Pech-Pacheco and others,
    Diatom autofocusing in brightfield microscopy, 2000 (the variance of the Laplacian).
    """
    from PIL import Image, ImageFilter, ImageStat

    if min(grey.size) < 2 * _TILES:
        return True  # nothing to see
    scale = _BLUR_SIDE / max(grey.size)
    if scale < 1:
        width, height = (max(2 * _TILES, round(side * scale)) for side in grey.size)
        grey = grey.resize((width, height), Image.Resampling.BOX)
    kernel = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
    edges = grey.filter(kernel).crop((1, 1, grey.width - 1, grey.height - 1))  # not its frame
    across, down = (side // _TILES for side in edges.size)
    variances = sorted(
        ImageStat.Stat(edges.crop((x, y, x + across, y + down))).var[0]
        for x in range(0, edges.width - across + 1, across)
        for y in range(0, edges.height - down + 1, down)
    )
    return variances[len(variances) * 9 // 10] < _BLUR


def _is_bomb(error: Exception) -> bool:
    from PIL import Image

    bombs: tuple[Any, ...] = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    return isinstance(error, bombs)
