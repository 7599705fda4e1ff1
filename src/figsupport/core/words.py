"""Words as people write them: accents, plurals and slips of the finger set aside. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

#: From this length on, a word with one wrong, missing, extra or swapped letter is the word.
TYPO_LENGTH = 6

_LIGATURES = str.maketrans(
    {
        "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "ł": "l",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...",
    }
)  # fmt: skip
_WORD = re.compile(r"[a-z0-9]+")
_CAP = 120_000


def fold(text: str) -> str:
    """Return a text in lower case without accents, ligatures, invisible signs, double spaces."""
    text = unicodedata.normalize("NFKD", text[:_CAP].translate(_LIGATURES)).translate(_LIGATURES)
    kept = (sign for sign in text if not unicodedata.combining(sign))
    seen = "".join(sign if unicodedata.category(sign)[0] != "C" else _gap(sign) for sign in kept)
    return " ".join(seen.casefold().split())


def words(text: str) -> tuple[str, ...]:
    """Return the folded words and numbers of a text, in order."""
    return tuple(_WORD.findall(fold(text)))


def printable(text: str) -> str:
    """Return a text without control, bidirectional and other invisible signs; lines stay."""
    return "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in _INVISIBLE
    )


def singular(word: str) -> str:
    """Return a folded French or English word without the mark of its plural."""
    if len(word) > 4 and word.endswith("aux"):
        return f"{word[:-3]}al"
    if len(word) > 3 and word[-1] in "sx" and word[-2] != "s":
        return word[:-1]
    return word


class Place(NamedTuple):
    """Where a phrase stands: its first word, the word after its last, and whether exactly."""

    start: int
    end: int
    phrase: str
    exact: bool


class Phrases:
    """Phrases to be found in texts; each comes back as it was given.

    A phrase stands in a text when its words follow each other there, in singular or plural,
    with or without accents; a word of six letters and more may have one slip.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._firsts: dict[str, list[str]] | None = None
        for phrase in phrases:
            parts = tuple(singular(word) for word in words(phrase))
            if parts:
                self._by_first.setdefault(parts[0], []).append((parts, phrase))

    def find(self, text: str) -> list[str]:
        """Return the phrases that stand in a text, in the order of the text."""
        return list(dict.fromkeys(place.phrase for place in self.places(text)))

    def places(self, text: str) -> list[Place]:
        """Return where phrases stand in a text, in its order.

        Where a longer phrase stands, the shorter ones inside it do not count.
        """
        parts = [singular(word) for word in words(text)]
        found = [
            Place(start, start + len(phrase), given, list(phrase) == parts[start:][: len(phrase)])
            for start, part in enumerate(parts)
            for first in self._candidates(part)
            for phrase, given in self._by_first[first]
            if _stands(phrase, parts, start)
        ]
        return _longest(found)

    def _candidates(self, part: str) -> Iterator[str]:
        if part in self._by_first:
            yield part
        elif len(part) >= TYPO_LENGTH - 1:
            if self._firsts is None:  # only texts with unknown long words need it
                self._firsts = {}
                for first in self._by_first:
                    if len(first) >= TYPO_LENGTH:
                        for short in _shortened(first):
                            self._firsts.setdefault(short, []).append(first)
            near = {first for short in _shortened(part) for first in self._firsts.get(short, ())}
            yield from sorted(first for first in near if same_word(first, part))


def same_word(word: str, written: str) -> bool:
    """Tell whether a folded singular word was written, with at most one slip if it is long."""
    if word == written:
        return True
    if len(word) < TYPO_LENGTH or abs(len(word) - len(written)) > 1 or word.isdigit():
        return False
    if len(word) == len(written):
        wrong = [i for i, (a, b) in enumerate(zip(word, written, strict=True)) if a != b]
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            first, second = wrong
            return word[first] == written[second] and word[second] == written[first]
        return len(wrong) == 1
    longer, shorter = (word, written) if len(word) > len(written) else (written, word)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _gap(sign: str) -> str:
    return " " if sign in "\t\n\r\v\f" else ""


def _shortened(word: str) -> set[str]:
    """The word itself and all it can become by losing one letter."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _stands(phrase: tuple[str, ...], parts: list[str], place: int) -> bool:
    written = parts[place : place + len(phrase)]
    return len(written) == len(phrase) and all(map(same_word, phrase, written))


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
