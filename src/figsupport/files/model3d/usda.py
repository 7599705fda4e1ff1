"""The text form of USD. Arrays of numbers stay text until they are asked for.

Source: OpenUSD documentation, Crate and usda grammar (pxr/usd/sdf/usdaFileFormat).
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from figsupport.files.model3d.usd_layer import SPECS, Asset, Prim, Reference
from figsupport.files.model3d.values import Damaged, Unread

#: bytes of text and words that are read: bounds of time and memory
LIMIT, _WORDS = 8 << 20, 500_000
_DEPTH, _BLOCK, _ELEMENTS = 100, 4_096, 100_000
_TUPLE, _NUMBER = re.compile(r"\([^()]*\)"), re.compile(r"[^\s,()\[\]]+")
_TOKEN = re.compile(
    r"(?P<space>(?:\s|\#[^\n]*)+)"
    r"|(?P<array>\[[-+0-9.eE,()\sinfa]*\])"
    r'|(?P<string>"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\')'
    r"|(?P<asset>@@@[\s\S]*?@@@|@[^@\n]*@)"
    r"|(?P<path><[^>\n]*>)"
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<word>[^\W\d][\w:.|-]*|-inf)"
    r"|(?P<sign>[\[\](){}=,;:.&])"
)
_EDITS = {"prepend", "append", "add", "delete", "reorder"}
_SPECIFIERS = {"def": 0, "over": 1, "class": 2}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Numbers(str):
    """The text of an array of numbers, or of tuples of numbers."""

    __slots__ = ()

    @property
    def items(self) -> int:
        """How many elements it has."""
        inside = self[1:-1].strip().rstrip(",")
        return inside.count("(") or inside.count(",") + bool(inside)

    def blocks(self, most: int) -> Iterator[list[tuple[float, ...]]]:
        """Yield at most so many of its tuples, or of its numbers as tuples of one, in blocks."""
        pattern = _TUPLE if "(" in self else _NUMBER
        found = islice(pattern.finditer(self), most)
        while block := [
            tuple(map(_number, one[0].strip("()").split(","))) for one in islice(found, _BLOCK)
        ]:
            yield block


class Text:
    """A text layer."""

    real_first = True

    def __init__(self, content: bytes, folder: str = "") -> None:
        """Read it all but the arrays. Raises Damaged and Unread."""
        self.folder = folder
        if len(content) > LIMIT:
            raise Unread("too_large_to_read")
        self._text = content.decode()
        self._at = self._words = self._specs = 0
        self._next()
        self.root = Prim()
        if self._is("("):
            self._metadata(self.root.fields)
        self._body(self.root, 0)
        if self._kind:
            raise Damaged("malformed")

    def value(self, raw: object) -> object:
        """Return a value; arrays of numbers are unpacked."""
        if not isinstance(raw, Numbers):
            return raw
        if raw.items > _ELEMENTS:
            return None
        items = [item for block in raw.blocks(_ELEMENTS) for item in block]
        return [item[0] if len(item) == 1 else item for item in items]

    def length(self, raw: object) -> int | None:
        """Return how many elements an array has; None: it is none."""
        if isinstance(raw, Numbers):
            return raw.items
        return len(raw) if isinstance(raw, list) else None

    def samples(self, raw: object) -> list[tuple[float, object]]:
        """Return times and values."""
        found = raw.items() if isinstance(raw, dict) else ()
        timed = [(time, value) for time, value in found if isinstance(time, float)]
        return sorted(timed, key=lambda sample: sample[0])

    def triples(self, raw: object, most: int) -> Iterator[list[tuple[float, ...]]]:
        """Yield at most so many elements of an array of three numbers, in blocks."""
        for block in raw.blocks(most) if isinstance(raw, Numbers) else ():
            yield [item for item in block if len(item) == 3]

    def _next(self) -> None:
        """Go to the next word."""
        while True:
            found = _TOKEN.match(self._text, self._at)
            if not found:
                if self._at < len(self._text):
                    raise Damaged("malformed")
                self._kind, self._word = "", ""
                return
            self._at = found.end()
            if found.lastgroup != "space":
                break
        self._kind, self._word = found.lastgroup or "", found[0]
        self._words += 1
        if self._words > _WORDS:
            raise Unread("too_large_to_read")

    def _is(self, word: str) -> bool:
        return self._word == word

    def _take(self, kind: str = "") -> str:
        word = self._word
        if not self._kind:
            raise Damaged("truncated")
        if kind and self._kind != kind:
            raise Damaged("malformed")
        self._next()
        return word

    def _expect(self, word: str) -> None:
        if self._take() != word:
            raise Damaged("malformed")

    def _body(self, prim: Prim, depth: int) -> None:
        """Read what stands in a prim, up to the brace that closes it or the end."""
        if depth > _DEPTH:
            raise Damaged("nested")
        while self._kind and not self._is("}"):
            self._specs += 1
            if self._specs > SPECS:
                raise Unread("too_large_to_read")
            if self._word in _SPECIFIERS:
                self._prim(prim, depth)
            elif self._is("variantSet"):
                self._variants(prim, depth)
            elif self._is(";"):
                self._next()
            else:
                self._property(prim)

    def _prim(self, parent: Prim, depth: int) -> None:
        specifier = _SPECIFIERS[self._take()]
        type_name = self._take("word") if self._kind == "word" else ""
        prim = parent.children.setdefault(_plain(self._take("string")), Prim())
        prim.fields |= {"specifier": specifier, "typeName": type_name}
        if self._is("("):
            self._metadata(prim.fields)
        self._braced(prim, depth)

    def _braced(self, prim: Prim, depth: int) -> None:
        self._expect("{")
        self._body(prim, depth + 1)
        self._expect("}")

    def _variants(self, prim: Prim, depth: int) -> None:
        self._next()
        name = _plain(self._take("string"))
        self._expect("=")
        self._expect("{")
        while not self._is("}"):
            choice = prim.variants.setdefault((name, _plain(self._take("string"))), Prim())
            if self._is("("):
                self._metadata(choice.fields)
            self._braced(choice, depth)
        self._next()

    def _property(self, prim: Prim) -> None:
        """Read `[custom uniform …] type[] name[.timeSamples] [= value] [(…)]`."""
        words: list[str] = []
        while self._kind in ("word", "array") or self._word in ("[", "]"):
            words.append(self._take())
        while words and words[-1] in ("[", "]", "[]"):
            words.pop()
        if len(words) < 2:
            raise Damaged("malformed")
        name, _, part = words[-1].partition(".")
        fields = prim.properties.setdefault(name, {})
        fields.setdefault("typeName", words[-2] if "[]" not in words[-2:] else words[-3])
        if "[]" in words:
            fields["typeName"] = f"{words[words.index('[]') - 1]}[]"
        if self._is("="):
            self._next()
            value = self._value(0)
            place = "targetPaths" if "rel" in words else part or "default"
            if "delete" not in words:
                fields[place] = value
        if self._is("("):
            self._metadata({})

    def _metadata(self, fields: dict[str, object]) -> None:
        """Read `( name = value … )`."""
        self._expect("(")
        while not self._is(")"):
            if self._kind == "string" or self._is(";"):
                self._next()
                continue
            edit = self._take("word")
            name = self._take("word") if edit in _EDITS else edit
            value: object = None
            if self._is("="):
                self._next()
                value = self._value(0)
            if edit == "delete":
                continue
            old = fields.get(name)
            if isinstance(old, list) and edit in _EDITS:
                value = old + (value if isinstance(value, list) else [value])
            fields[name] = value
        self._next()

    def _value(self, depth: int) -> object:
        if depth > _DEPTH:
            raise Damaged("nested")
        kind, word = self._kind, self._take()
        if kind == "asset":
            return self._reference(word.strip("@"))
        if kind != "sign":
            return _READ.get(kind, str)(word)
        if word == "{":
            return self._dictionary(depth)
        if word not in _CLOSING:
            raise Damaged("malformed")
        items: list[object] = []
        while not self._is(_CLOSING[word]):
            items.append(self._value(depth + 1))
            if self._is(","):
                self._next()
        self._next()
        return items if word == "[" else tuple(items)

    def _reference(self, asset: str) -> object:
        prim = self._take()[1:-1] if self._kind == "path" else ""
        if self._is("("):
            self._metadata({})  # an offset of time, or what is said of a property
        return Reference(asset, prim) if prim else Asset(asset)

    def _dictionary(self, depth: int) -> dict[object, object]:
        """Read `{ type name = value … }` or `{ time: value, … }`."""
        found: dict[object, object] = {}
        while not self._is("}"):
            words = [self._word]
            kind = self._kind
            self._take()
            while self._kind in ("word", "string", "array"):
                words.append(_plain(self._take()))
            if self._word not in (":", "="):
                raise Damaged("malformed")
            self._next()
            key: object = float(words[0]) if kind == "number" else _plain(words[-1])
            found[key] = self._value(depth + 1)
            if self._word in (",", ";"):
                self._next()
        self._next()
        return found


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise Damaged("malformed") from None


def _unbracketed(path: str) -> str:
    return path[1:-1]


def _plain(word: str) -> str:
    quote = word[:3] if word[:3] in ('"""', "'''") else word[:1]
    return word[len(quote) : -len(quote)] if quote[:1] in ("'", '"') else word


_READ: dict[str, Callable[[str], object]] = {
    "array": Numbers, "number": _number, "string": _plain, "path": _unbracketed,
}  # fmt: skip
