"""The picture of a model: what stands where, what hides what, and what is left out."""

import io
import math
from array import array

import pytest
from PIL import Image

from figsupport.files.model3d.thumbnail import SIZE, thumbnail
from figsupport.files.model3d.values import Patch

RED, BLUE = (255, 0, 0), (0, 0, 255)
WHITE = (255, 255, 255)


def square(z: float, half: float, colour: tuple[int, int, int]) -> Patch:
    """A square that faces the front."""
    points = [
        p
        for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))
        for p in (x, y, z)
    ]
    return Patch(array("d", points), array("l", [0, 1, 2, 0, 2, 3]), colour)


def pixels(*patches: Patch) -> list[tuple[int, int, int]]:
    content = thumbnail(patches)
    assert content is not None
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size, image.mode) == ("PNG", (SIZE, SIZE), "RGB")
        found = image.tobytes()
        return list(zip(found[0::3], found[1::3], found[2::3], strict=True))


def test_a_square_is_drawn_on_white_and_touches_no_edge() -> None:
    found = pixels(square(0, 1, RED))
    assert found[0] == WHITE
    red, green, blue = found[SIZE * SIZE // 2 + SIZE // 2]
    assert (red > 100, green, blue) == (True, 0, 0)
    assert 0.3 < sum(pixel != WHITE for pixel in found) / len(found) < 0.9


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_nearer_hides_what_is_behind_whatever_comes_first(order: int) -> None:
    found = pixels(*[square(0.1, 1, RED), square(-0.1, 0.5, BLUE)][::order])
    assert all(blue == 0 for _, green, blue in found if green == 0)


@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf, 1e300])
def test_wild_numbers_are_left_out(wild: float) -> None:
    points = array("d", [*square(0, 1, RED).points, wild, 0, 0])
    corners = array("l", [0, 1, 2, 0, 2, 3, 0, 1, 4, 0, 1, 9, -1, 0, 1])
    assert pixels(Patch(points, corners, RED)) == pixels(square(0, 1, RED))


@pytest.mark.parametrize(
    "patches",
    [[], [Patch(array("d"), array("l"))], [Patch(array("d", [0, 0, 0]), array("l", [0, 0, 0]))]],
)
def test_of_nothing_there_is_no_picture(patches: list[Patch]) -> None:
    assert thumbnail(patches) is None


def test_of_very_many_triangles_a_part_covers_the_whole() -> None:
    wide = 400
    points = array("d", (p for y in range(wide) for x in range(wide) for p in (x, y, 0)))
    corners = array("l")
    for at in (y * wide + x for y in range(wide - 1) for x in range(wide - 1)):
        corners.extend((at, at + 1, at + wide, at + 1, at + wide + 1, at + wide))
    found = pixels(Patch(points, corners, RED))
    middle = [found[x * SIZE + y] for x in range(150, 170) for y in range(150, 170)]
    assert sum(pixel != WHITE for pixel in middle) > 0.9 * len(middle)
