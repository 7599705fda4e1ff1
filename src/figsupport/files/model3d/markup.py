"""Reading XML that may be hostile: no DOCTYPE, no entities, bounded depth and size.

Source: XML 1.0 (W3C); what expat may be made to do (billion laughs, quadratic blow-up).
"""

from collections.abc import Callable, Sequence
from typing import IO
from xml.parsers import expat

from figsupport.files.model3d.values import Damaged, Unread

_BLOCK = 1 << 18
_MOST_BYTES = 104 << 20
_MOST_DEPTH = 200

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str, Sequence[str]], None]


def parse(
    file: IO[bytes], start: Start, end: End, most: int, texts: frozenset[str] = frozenset()
) -> None:
    """Call `start` with each element's name and attributes and `end` with its name and text.

    At most `most` elements are read. Names come without their prefixes; the text is that of the
    elements in `texts` alone, in parts of 256 KiB. Raises Damaged, and Unread for what is too
    large.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 18
    stack: list[list[str] | None] = []
    elements = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > most:
            raise Unread("too_large_to_read")
        if len(stack) >= _MOST_DEPTH:
            raise Damaged("nested")
        name = name.rpartition(":")[2]
        stack.append([] if name in texts else None)
        start(name, attributes)

    def ended(name: str) -> None:
        end(name.rpartition(":")[2], stack.pop() or ())

    def said(text: str) -> None:
        if stack and (parts := stack[-1]) is not None:
            parts.append(text)

    def refused(*_: object) -> None:
        raise Damaged("doctype")

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = said
    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    try:
        _feed(parser, file)
    except (ValueError, LookupError):  # an encoding that nobody knows
        raise Damaged("malformed") from None
    except expat.ExpatError as error:
        cut = error.code in (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],)
        unclosed = not parser.CurrentByteIndex or (bool(stack) and not file.read(1))
        raise Damaged("truncated" if cut or unclosed else "malformed") from None


def _feed(parser: expat.XMLParserType, file: IO[bytes]) -> None:
    read = 0
    while block := file.read(_BLOCK):
        read += len(block)
        if read > _MOST_BYTES:
            raise Unread("too_large_to_read")
        parser.Parse(block, False)
    parser.Parse(b"", True)
