"""A picture's size is read from its first bytes, whatever its format."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from figsupport.files.model3d.images import size_of

EXR = b"v/1\x01\2\0\0\0dataWindow\0box2i\0" + struct.pack("<I4i", 16, -2, 0, 37, 20)
BASIS = b"sB".ljust(65, b"\0") + struct.pack("<I", 77) + bytes(8 + 5) + struct.pack("<HH", 40, 21)
KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<4I", 0, 1, 40, 21)
VP8X = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x27\0\0\x14\0\0"
AVIF = b"\0\0\0\x1cftypavif" + b"ispe\0\0\0\0" + struct.pack(">II", 40, 21)
DDS = b"DDS \x7c\0\0\0\0\0\0\0" + struct.pack("<II", 21, 40)
KTX1 = b"\xabKTX 11\xbb\r\n\x1a\n".ljust(36, b"\0") + struct.pack("<II", 40, 21)
TOP_DOWN = b"BM".ljust(14, b"\0") + struct.pack("<Iii", 40, 40, -21)
OS2 = b"BM".ljust(14, b"\0") + struct.pack("<IHH", 12, 40, 21)
HDR = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 21 +X 40\n"
LARGE_METADATA = b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 3


def picture(format_name: str, **options: object) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 21)).save(content, format_name, **options)
    return content.getvalue()


@pytest.mark.parametrize("format_name", "PNG JPEG WEBP GIF BMP TIFF TGA".split())
def test_the_size_of_a_real_picture_is_read(format_name: str) -> None:
    assert size_of(picture(format_name)) == (40, 21)


def test_the_size_of_a_lossless_webp_is_read() -> None:
    assert size_of(picture("WEBP", lossless=True)) == (40, 21)


@pytest.mark.parametrize("head", [EXR, BASIS, KTX2, VP8X, AVIF, DDS, KTX1, TOP_DOWN, OS2, HDR])
def test_the_size_is_read_from_a_header(head: bytes) -> None:
    assert size_of(head) == (40, 21)


def test_the_size_of_a_jpeg_stands_after_its_metadata_and_fill_bytes() -> None:
    jpeg = picture("JPEG")
    assert size_of(LARGE_METADATA + b"\xff\xff" + jpeg[2:]) == (40, 21)


@pytest.mark.parametrize(
    "head",
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WAVEfmt ", b"II*\0\xff\xff\xff\xff",
     b"MM\0*\0\0\0\x08\0\0", b"RIFF\0\0\0\0WEBPVP8?", b"v/1\x01", b"#?RADIANCE\n", b"plain text, no picture",
     b"\xff\xd8" + b"\xff\xe0\0\2" * 60_000, b"\xff\xd8\xff\xe0\0\2no", bytes(64),
     b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(8), AVIF[:12]],
)  # fmt: skip
def test_what_shows_no_size_has_none(head: bytes) -> None:
    assert size_of(head) is None


@given(
    st.sampled_from([EXR, BASIS, KTX2, VP8X, AVIF, DDS, HDR, picture("TIFF"), picture("JPEG")]),
    st.integers(0, 200),
    st.binary(max_size=6),
)
def test_damaged_pictures_have_a_size_or_none(head: bytes, at: int, noise: bytes) -> None:
    size = size_of(head[:at] + noise + head[at + len(noise) :])
    assert size is None or min(size) > 0
