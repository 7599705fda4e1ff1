"""Words as people write them: accents, plurals and slips of the finger set aside. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

from figsupport.core.wordings import Wording, first_words, spelled_out

#: From this length on, a word with one wrong, missing, extra or swapped letter is the word.
TYPO_LENGTH = 6

_LIGATURES = str.maketrans(
    {
        "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "ł": "l",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...",
    }
)  # fmt: skip


class _Seen(dict[int, str]):
    """What each sign looks like: no accent of its own, no control sign; filled when asked."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if sign in "\t\n\r\v\f":
            seen = " "
        elif unicodedata.combining(sign) or unicodedata.category(sign)[0] == "C":
            seen = ""
        else:
            seen = sign
        return self.setdefault(code, seen)


_SEEN = _Seen()
_WORD = re.compile(r"[a-z0-9]+")
_CAP = 120_000
_LONGEST_WORD = 40
#: words of texts whose likeness to phrases is kept in mind
_MOST_KNOWN = 1024


def fold(text: str) -> str:
    """Return a text in lower case without accents, ligatures, invisible signs, double spaces."""
    if text.isascii() and text.isprintable():
        return " ".join(text[:_CAP].replace("`", "'").lower().split())
    text = unicodedata.normalize("NFKD", text[:_CAP].casefold().translate(_LIGATURES))
    text = text.casefold().translate(_LIGATURES)
    return " ".join(text.translate(_SEEN).split())


def words(text: str) -> tuple[str, ...]:
    """Return the folded words and numbers of a text, in order."""
    return tuple(_WORD.findall(fold(text)))


def printable(text: str) -> str:
    """Return a text without control, bidirectional and other invisible signs; lines stay."""
    return "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in _INVISIBLE
    )


#: « mais » is no plural of the month, « mois » none of « moi ».
_NO_PLURALS = frozenset("mais mois moins sans dans plus alors hors lors puis jamais temps".split())


@lru_cache(maxsize=1 << 14)
def singular(word: str) -> str:
    """Return a folded French or English word without the mark of its plural.

    The result is a key to compare by, not always a word: « tasse » and « tasses » give tass,
    “box” and “boxes” give box.
    """
    if word in _NO_PLURALS:
        return word
    if word.endswith("eaux"):
        return word[:-1]
    if len(word) > 4 and word.endswith("aux"):
        return f"{word[:-3]}al"
    if len(word) > 3 and word[-1] in "sx" and word[-2] != "s":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith(("che", "she", "sse", "xe")) else word


#: what stands between a name and what is said of it: French sets a space before it
COLON = {"fr": " : ", "en": ": "}


def number_in_words(number: float, language: str) -> str:
    """Return a number as people write it, three digits where it is no whole one: 412 000."""
    text = f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"
    if language == "en":
        return text
    return text.replace(",", " ").replace(".", ",")


def size_in_words(size: float, language: str) -> str:
    """Return a size in bytes as people write it: 1,5 Mo or 1.5 MB."""
    byte = "B" if language == "en" else "o"
    for unit, worth in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if size >= worth:
            rounded = float(f"{size / worth:.3g}")
            return f"{number_in_words(rounded, language)} {unit}{byte}"
    return f"{size:.0f} {'bytes' if language == 'en' else 'octets'}"


class Place(NamedTuple):
    """Where a phrase stands: its first word, the word after its last, and whether exactly."""

    start: int
    end: int
    phrase: str
    exact: bool


#: Phrases that begin alike by the first sign of their second word: no slip changes that one.
_Beginning = dict[str, list[tuple[tuple[str, ...], str]]]


def _add(beginning: _Beginning, parts: tuple[str, ...], phrase: str) -> None:
    second = parts[1] if parts[1:] and parts[1] != _GAP else ""
    beginning.setdefault(second[:1], []).append((parts, phrase))


class Phrases:
    """Phrases to be found in texts; each comes back as it was given.

    A phrase stands in a text when its words follow each other there, in singular or plural,
    with or without accents; a word of six letters and more may have one slip. « … » in a
    phrase stands for up to two words: « avez … livré » is in « vous nous avez bien livré ».
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: dict[str, _Beginning] = {}
        self._unspelled: dict[str, list[tuple[str, Wording]]] = {}
        self._near: dict[str, list[str]] | None = None
        self._nearby = lru_cache(_MOST_KNOWN)(self._look_nearby)
        for phrase in phrases:
            parts = _parts(phrase)
            if parts:
                _add(self._by_first.setdefault(parts[0], {}), parts, phrase)

    @classmethod
    def of(cls, *lists: Iterable[Wording]) -> "Phrases":
        """Return the phrases that wordings allow; each is spelled out when a text needs it."""
        phrases = cls(())
        for wording in (wording for wordings in lists for wording in wordings):
            for word in dict.fromkeys(first_words(wording)):  # the same order in every process
                phrases._unspelled.setdefault(singular(word), []).append((word, wording))
        return phrases

    def _beginning(self, first: str) -> "_Beginning":
        """Return the phrases whose first word has this singular."""
        if first not in self._by_first:
            found: _Beginning = {}
            for word, wording in self._unspelled[first]:
                for words in spelled_out(wording, word):
                    parts = tuple(part if part == _GAP else singular(part) for part in words)
                    _add(found, parts, " ".join(words))
            self._by_first[first] = found
        return self._by_first[first]

    def find(self, text: str) -> list[str]:
        """Return the phrases that stand in a text, in the order of the text."""
        return list(dict.fromkeys(place.phrase for place in self.places(text)))

    def places(self, text: str, *, sure: bool = False) -> list[Place]:
        """Return where phrases stand in a text, in its order.

        Where a longer phrase stands, the shorter ones inside it do not count. `sure`: a slip in
        the ending of a word is none, but another word: see `is_sure`.
        """
        parts = singulars(text)
        found = [
            Place(start, end, given, phrase == parts[start:end])
            for start, part in enumerate(parts)
            for first in self._candidates(part)
            for sign in ("", *parts[start + 1 : start + 2])
            for phrase, given in self._beginning(first).get(sign[:1], ())
            if (end := _end(phrase, parts, start))
        ]
        if sure and not all(place.exact for place in found):
            spoken = words(text)
            found = [place for place in found if place.exact or is_sure(place, spoken)]
        return _longest(found)

    def _candidates(self, part: str) -> Iterable[str]:
        if part in self._by_first or part in self._unspelled:
            return (part,)
        if not TYPO_LENGTH - 1 <= len(part) <= _LONGEST_WORD:
            return ()
        return self._nearby(part)

    def _look_nearby(self, part: str) -> tuple[str, ...]:
        """Return the first words of phrases that a word may be, with one slip."""
        if self._near is None:  # only texts with unknown long words need it
            self._near = {}
            for first in {*self._by_first, *self._unspelled}:
                if len(first) >= TYPO_LENGTH:
                    for short in _shortened(first):
                        self._near.setdefault(short, []).append(first)
        near = {first for short in _shortened(part) for first in self._near.get(short, ())}
        return tuple(sorted(first for first in near if same_word(first, part)))


def same_word(word: str, written: str) -> bool:
    """Tell whether a folded singular word was written, with at most one slip if it is long.

    The first letter is hardly ever the slip (“frame” is not “iframe”). Of a word of six
    letters, only half of a doubled consonant may be missing: « bufet » is « buffet », but
    « livre » is not « livrée ».
    """
    if word == written:
        return True
    if len(word) < TYPO_LENGTH or abs(len(word) - len(written)) > 1 or word.isdigit():
        return False
    if word[0] != written[0]:
        return False
    if (written[:-1] == word and written[-1] in "rz") or (
        word[:-1] == written and word[-1] in "rz"
    ):
        return False  # « montrer » is no « montre », « oublié » no « oubliez »
    pairs = zip(word, written, strict=False)
    place = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(word), len(written)))
    if len(word) < len(written):
        return word[place:] == written[place + 1 :]
    if len(word) > len(written):
        doubled = word[place] == word[place - 1] and word[place] not in "aeiou"
        return word[place + 1 :] == written[place:] and (doubled or len(written) >= TYPO_LENGTH)
    swapped = word[place + 1 : place + 2] + word[place] + word[place + 2 :]
    return written[place:] == swapped or word[place + 1 :] == written[place + 1 :]


def is_sure(place: Place, spoken: Sequence[str]) -> bool:
    """Tell whether the words of a phrase were written with slips inside words alone.

    « comande » is a slip of « commande »; « oubliée » is none of « oubliez », nor « attendiez »
    of « attendez »: another ending is another person or another time, another letter often
    another word (« reviens », « retiens »).
    """
    written = spoken[place.start : place.end]
    return all(
        any(_is_inner_slip(word, other) for other in written)
        for word in place.phrase.split()
        if word != _GAP
    )


def _is_inner_slip(word: str, written: str) -> bool:
    if singular(word) == singular(written):
        return True
    return (
        same_word(singular(word), singular(written))
        and (len(word) != len(written) or sorted(word) == sorted(written))
        and word[-2:] == written[-2:]
        and word.endswith(_LONG_ENDINGS) == written.endswith(_LONG_ENDINGS)
    )


_LONG_ENDINGS = ("iez", "ions")


@lru_cache(maxsize=16)
def singulars(text: str) -> tuple[str, ...]:
    """Return the folded words of a text, each without the mark of its plural."""
    return tuple(singular(word) for word in words(text))


_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_GAP = "…"
_GAP_WORDS = 2


def _shortened(word: str) -> set[str]:
    """The word itself and all it can become by losing one letter."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


@cache  # the phrases of the directives stand in several lists
def _parts(phrase: str) -> tuple[str, ...]:
    """The words of a phrase to compare by, with « … » where others may stand between."""
    pieces = [piece for piece in map(singulars, phrase.split(_GAP)) if piece]
    joined: tuple[str, ...] = ()
    for piece in pieces:
        joined = (*joined, _GAP, *piece) if joined else piece
    return joined


def _end(phrase: tuple[str, ...], parts: tuple[str, ...], place: int) -> int:
    """The place after a phrase that stands at a place; 0 where it does not."""
    for number, word in enumerate(phrase):
        if word == _GAP:
            ends = (
                _end(phrase[number + 1 :], parts, place + skip) for skip in range(_GAP_WORDS + 1)
            )
            return next(filter(None, ends), 0)
        if place >= len(parts) or not same_word(word, parts[place]):
            return 0
        place += 1
    return place


def _longest(places: list[Place]) -> list[Place]:
    """Drop places inside a longer one; they come in the order of their starts."""
    kept: list[Place] = []
    reach = 0
    for _, group in groupby(places, key=lambda place: place.start):
        beginning = list(group)
        end = max(place.end for place in beginning)
        kept += [place for place in beginning if place.end == end and end > reach]
        reach = max(reach, end)
    return kept
