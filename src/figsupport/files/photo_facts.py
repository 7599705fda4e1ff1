"""Facts of a photo: its size as people see it, blur, and a small grey copy to compare."""

import math
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from figsupport.core.assets import LOOK_SIDE
from figsupport.files.model3d.images import HEAD, size_of
from figsupport.files.pictures import MOST_PIXELS, is_bomb, opened

if TYPE_CHECKING:
    from PIL.Image import Image

_BLUR_SIDE, _TILES, _BLUR = 1_024, 8, 60.0
#: formats of which we know every variant: what cannot be unpacked is damaged
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
        if is_bomb(error):
            return known._replace(problem="too_many_pixels")
        sure = format_name in _KNOWN and not isinstance(error, MemoryError)
        return known._replace(problem="damaged") if sure else known


def _opened(path: Path, format_name: str) -> Photo:
    from PIL import Image

    with opened(path, format_name) as picture:
        size = (picture.width, picture.height)
        if not picture.fits:
            return Photo(*size)
        grey = picture.image.convert("L")
    look = grey.resize((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX)
    return Photo(*size, _is_blurred(grey), b64encode(look.tobytes()).decode())


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
