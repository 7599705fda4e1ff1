"""Wordings that hold choices: each is spelled out only when a text begins as it may. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Use = TypeVar("Use")

#: What may stand at each place of a wording: folded words, none where nothing may stand.
Wording = tuple[tuple[tuple[str, ...], ...], ...]


def spelled_out(wording: Wording, first: str | None = None) -> Iterable[tuple[str, ...]]:
    """Return what a wording can be, or what it can be when it begins with a word."""
    variants: list[tuple[str, ...]] = [()]
    for choices in wording:
        variants = [
            begun + words
            for begun in variants
            for words in choices
            if begun or not words or first in (None, words[0])
        ]
    return filter(None, variants)


def first_words(wording: Wording) -> Iterator[str]:
    """Yield the words that a wording can begin with; a word may come more than once."""
    for choices in wording:
        yield from (words[0] for words in choices if words)
        if all(choices):
            return


def words_of(wordings: Iterable[Wording]) -> frozenset[str]:
    """Return every word of some wordings."""
    # the same choices stand in many: sets of choices, then of words
    choices = {one for wording in wordings for one in wording}
    return frozenset(
        word for words in {words for one in choices for words in one} for word in words
    )


class Tiles(Generic[Use]):
    """What a text can be made of, and the use of each piece.

    `uses` are wordings by use, the weightiest first: what stands under two has the first.
    """

    def __init__(self, uses: Mapping[Use, Sequence[Wording]]) -> None:
        self._beginning: dict[str, list[tuple[Use, Wording]]] = {}
        self._known: dict[str, dict[tuple[str, ...], Use]] = {}
        self.longest = 0
        for use, wordings in reversed([*uses.items()]):
            for wording in wordings:
                length = sum(max(map(len, choices)) for choices in wording)
                self.longest = max(self.longest, length)
                for word in dict.fromkeys(first_words(wording)):
                    self._beginning.setdefault(word, []).append((use, wording))

    def use(self, piece: tuple[str, ...]) -> Use | None:
        """Return the use of some words that follow each other; None when they have none."""
        known = self._known.get(piece[0])
        if known is None:
            known = {
                words: use
                for use, wording in self._beginning.get(piece[0], ())
                for words in spelled_out(wording, piece[0])
            }
            self._known[piece[0]] = known
        return known.get(piece)
