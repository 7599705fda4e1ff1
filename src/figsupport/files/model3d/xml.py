"""XML of strangers: no DOCTYPE (so no entities), bounded elements and depth."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from figsupport.files.model3d.facts import Unreadable, damaged, too_large
from figsupport.files.model3d.source import MIB, Source

MAX_DEPTH = 100
MAX_ELEMENTS = 300_000
BLOCK = 256 * 1024

Start = Callable[[str, dict[str, str]], None]


def parse(source: Source, limit: int) -> Element:
    """Return the tree of an XML file, names without namespaces; raises Unreadable."""
    builder = TreeBuilder()
    count = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > MAX_ELEMENTS:
            raise too_large("trop d'éléments", "too many elements")
        if depth > MAX_DEPTH:
            raise damaged("une imbrication sans fin", "endless nesting")
        builder.start(local_name(name), attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(local_name(name))

    parser = _parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    _feed(parser, source, limit)
    return builder.close()


def scan(source: Source, limit: int, start: Start) -> None:
    """Call `start` for every element of a large XML file; raises Unreadable."""
    parser = _parser()
    parser.StartElementHandler = start
    _feed(parser, source, limit)


def local_name(name: str) -> str:
    """Return a name without its namespace prefix."""
    return name.rpartition(":")[2]


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: object) -> None:
    raise Unreadable("le XML déclare un DOCTYPE : refusé", "the XML declares a DOCTYPE: refused")


def _feed(parser: expat.XMLParserType, source: Source, limit: int) -> None:
    if source.size > limit:
        megabytes = limit // MIB
        raise too_large(f"plus de {megabytes} Mo de XML", f"more than {megabytes} MB of XML")
    try:
        for offset in range(0, source.size, BLOCK):
            parser.Parse(source.read(offset, min(BLOCK, source.size - offset)), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged("le XML est illisible", "the XML cannot be parsed") from error
