"""Photos as clients send them: turned, blurred, cut, huge, animated, or bombs."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from figsupport import directives
from figsupport.core.assets import joined
from figsupport.core.model import FileFact
from figsupport.errors import FileProblem
from figsupport.files.photo_copies import small_photo
from figsupport.files.photo_facts import Photo, look_at
from figsupport.files.recognise import recogniser

GRID = directives.load(directives.default_folder()).grid


def a_scene(width: int = 1600, height: int = 1200, turned: int = 0) -> Image.Image:
    """A chair of sorts before a plain wall: sharp edges in a part of the picture."""
    image = Image.new("RGB", (width, height), (214, 208, 200))
    draw = ImageDraw.Draw(image)
    for number in range(12):
        x = width // 3 + number * width // 40
        draw.line((x, height // 3, x + turned, height * 3 // 4), (90 - 5 * number, 60, 40), 7)
    draw.rectangle((width // 3, height // 2, width * 2 // 3, height * 5 // 9), (60, 80, 70))
    draw.rectangle((width // 4, height // 5, width // 3, height * 4 // 5), (70, 50, 40))
    grain = Image.effect_noise((width, height), 12).convert("RGB")
    return Image.blend(image, grain, 0.06)


def a_png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def looked_at(folder: Path, content: bytes, format_name: str) -> Photo:
    path = folder / "photo"
    path.write_bytes(content)
    return look_at(path, format_name)


@pytest.mark.parametrize(
    ("content", "format_name", "problem"),
    [
        (b"\xff\xd8\xff\xe0" + b"x" * 100, "jpeg", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "png", "damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp", "damaged"),
        (b"GIF89a", "gif", "damaged"),
        (a_png_header(30_000, 30_000), "png", "too_many_pixels"),
        (a_png_header(9_000, 8_889), "png", "too_many_pixels"),
        (b"II*\0\x08\0\0\0\0\0", "tiff", ""),
        (b"\0\0\0\x18ftypheic" + bytes(40), "heic", ""),
        (b"\0\0\0\x18ftypavif" + bytes(40), "avif", ""),
    ],
)
def test_what_is_no_photo_any_more(
    tmp_path: Path, content: bytes, format_name: str, problem: str
) -> None:
    found = looked_at(tmp_path, content, format_name)
    assert found.problem == problem
    assert found.look is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_photo_cut_in_half_is_damaged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo"
    a_scene(800, 600).save(path, kind)
    content = path.read_bytes()
    assert look_at(path, kind.lower()).problem == ""
    path.write_bytes(content[: len(content) // 2])
    found = look_at(path, kind.lower())
    assert (found.width, found.height, found.problem) == (800, 600, "damaged")


def test_only_the_decoder_of_the_format_found_may_look(tmp_path: Path) -> None:
    """What begins as one format is never handed to the decoder of another (EPS runs programs)."""
    assert looked_at(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n", "png").problem == "damaged"


def test_pictures_are_measured_as_people_see_them(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    a_scene(1600, 1200).save(path, exif=exif)
    assert look_at(path, "jpeg")[:2] == (1200, 1600)
    a_scene(1600, 1200).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert look_at(path, "jpeg")[:3] == (1600, 1200, False)


def test_a_blurred_photo_is_told_from_a_sharp_one(tmp_path: Path) -> None:
    for radius, blurred in ((0, False), (1, False), (6, True), (15, True)):
        path = tmp_path / f"{radius}.jpg"
        a_scene().filter(ImageFilter.GaussianBlur(radius)).save(path, quality=90)
        assert look_at(path, "jpeg").blurred is blurred, radius


def test_a_large_photo_is_read_reduced_or_by_its_header_alone(tmp_path: Path) -> None:
    large = Image.new("L", (8_000, 6_000), 128)
    large.save(tmp_path / "a.jpg")
    large.save(tmp_path / "b.jpg", progressive=True)
    large.save(tmp_path / "c.png")
    assert look_at(tmp_path / "a.jpg", "jpeg")[:3] == (8_000, 6_000, True)
    for name, format_name in (("b.jpg", "jpeg"), ("c.png", "png")):
        assert look_at(tmp_path / name, format_name) == Photo(8_000, 6_000)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_way_to_write_colours_is_looked_at(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "photo"
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = a_scene(300, 200)
    if mode == "I;16":
        image = image.convert("I")
    image.convert(mode).save(path, kind)
    assert look_at(path, kind.lower()).look is not None


def test_a_tiny_and_an_animated_picture(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    assert look_at(tmp_path / "a.png", "png")[:3] == (1, 1, True)
    frames = [a_scene(200, 100), a_scene(200, 100, turned=40)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    assert look_at(tmp_path / "b.gif", "gif")[:2] == (200, 100)


def test_a_heic_is_measured_by_its_header_without_the_extra(tmp_path: Path) -> None:
    tiles = b"".join(
        struct.pack(">I4sIII", 20, b"ispe", 0, *size) for size in ((512, 512), (4032, 3024))
    )
    found = looked_at(tmp_path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + tiles, "heic")
    assert found == Photo(4032, 3024)


def test_a_heic_is_looked_at_and_copied_with_the_extra(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret place"  # turned by a quarter; a description
    a_scene(400, 300).save(tmp_path / "a.heic", quality=90, exif=exif.tobytes())
    a_scene(400, 300).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "b.jpg")
    recognise = recogniser(GRID)
    files = [recognise(name, tmp_path / name).fact for name in ("a.heic", "b.jpg")]
    heic, jpeg = joined(files, "fr")
    assert (heic.facts["format"], heic.facts["opens"], heic.facts["blurred"]) == (
        "heic",
        True,
        False,
    )
    assert (heic.facts["width"], heic.facts["height"]) == (300, 400)
    assert jpeg.facts["duplicate_of"] == "a.heic"
    small = small_photo(tmp_path / "a.heic")
    assert small.startswith(b"\xff\xd8\xff")
    assert b"secret" not in small
    assert Image.open(io.BytesIO(small)).size == (300, 400)
    (tmp_path / "a.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:-200])
    with pytest.raises(FileProblem):
        small_photo(tmp_path / "a.heic")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_photo_of_any_format_is_copied_for_a_model(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"photo.{kind}"
    Image.new("RGB", (2400, 1200)).save(path, kind)
    assert Image.open(io.BytesIO(small_photo(path))).size == (1024, 512)


@pytest.mark.parametrize("content", [b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>", b"%PDF-1.7"])
def test_what_is_no_photo_is_not_copied(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(FileProblem):
        small_photo(tmp_path / "photo.jpg")


def test_the_same_photo_saved_again_is_the_same_and_another_angle_is_not(tmp_path: Path) -> None:
    a_scene().save(tmp_path / "a.jpg", quality=95)
    a_scene().resize((1280, 960)).save(tmp_path / "b.png")
    a_scene().save(tmp_path / "c.jpg", quality=40)
    a_scene(turned=260).save(tmp_path / "d.jpg", quality=95)
    a_scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "e.jpg")
    recognise = recogniser(GRID)
    names = ("a.jpg", "b.png", "c.jpg", "d.jpg", "e.jpg")
    files: list[FileFact] = [recognise(name, tmp_path / name).fact for name in names]
    found = [file.facts["duplicate_of"] for file in joined(files, "fr")]
    assert found == [None, "a.jpg", "a.jpg", None, None]
