"""Reading texts of lines in blocks: constant memory, whatever the size of the file."""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from figsupport.files.model3d.values import Damaged

_BLOCK = 1 << 20
#: no program writes a line that long; a hostile file does
_LONGEST_LINE = 1 << 20
_BLANK = re.compile(rb"\n\n+")
_BLANKS = b" " * 16


def blocks(path: Path, skip: int = 0) -> Iterator[bytes]:
    """Yield a text in blocks of whole lines that end with a line feed, however they ended.

    Lines that a backslash continues are joined; `skip` bytes of the file come before the text.
    Raises Damaged, OSError.
    """
    rest = b""
    with path.open("rb") as file:
        file.seek(skip)
        while read := file.read(_BLOCK):
            block = rest + read
            held = block[-1:] == b"\r"  # it may be half of an end
            block = _joined(block[:-1] if held else block)
            cut = block.rfind(b"\n") + 1
            rest = block[cut:] + (b"\r" if held else b"")
            if len(rest) > _LONGEST_LINE:
                raise Damaged("long_line")
            yield block[:cut]
    yield _joined(rest + b"\n")


def numbers(words: Iterable[bytes]) -> list[float]:
    """Return the numbers that words say. Raises Damaged; NaN and infinity are none."""
    try:
        found = list(map(float, words))
    except ValueError:
        raise Damaged("malformed") from None
    if not all(map(math.isfinite, found)):
        raise Damaged("numbers")
    return found


def as_text(line: bytes) -> str:
    """Return a name as programs write it: UTF-8, or the code page of a Western Windows."""
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").strip()


def _joined(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n\n\n\n" in block:
        block = _BLANK.sub(b"\n", block)
    while _BLANKS in block:
        block = block.replace(_BLANKS, b" ")
    return block.replace(b"\\\n", b" ") if b"\\\n" in block else block
