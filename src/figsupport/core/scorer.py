"""The second opinion on requests: linear scores over pieces of words, trained beforehand. Pure.

The weights are trained from labelled requests at development time (`training/`) and travel as
JSON; scoring needs the standard library alone.
"""

import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from itertools import pairwise, repeat
from math import sqrt
from typing import Literal, NamedTuple

from figsupport.core.model import Complexity
from figsupport.core.words import words

#: What is asked of a text. Is it support? Does it leave open what the object is? And of an
#: object: is it simple, is it complex, are there several?
Question = Literal["support", "unnamed", "simple", "complex", "several"]

#: Weights that answer no question.
NO_OPINION = '{"scale": 1, "heads": {}}'

#: Log-odds at which it is sure enough what an object is, and the share of the pieces of each
#: longer word that training must know: chosen on requests that the model had not seen. Too
#: dear happens, too cheap hardly, in doubt a person.
_SURELY_UNNAMED = 1.0
_SURELY_COMPLEX, _HARDLY_COMPLEX, _HARDLY_SEVERAL = 1.5, -1.2, 0.0
_SURELY_SIMPLE, _HARDLY_SIMPLE = 1.5, 0.0
_FAMILIAR = 0.45
_SHORT_WORD = 3

_SHORTEST, _LONGEST = 3, 5
#: What is read of a text: enough for what it is about, and the same time for any length.
_FIRST, _LAST = 900, 300
_DIGITS = re.compile(r"[0-9]+")


@lru_cache(maxsize=16)
def pieces(text: str) -> frozenset[str]:
    """Return the words of a text, their pairs, and their n-grams of 3 to 5 signs.

    Words are folded and marked at both ends; a number is one digit.
    """
    if len(text) > _FIRST + _LAST:
        text = f"{text[:_FIRST]} {text[-_LAST:]}"
    parts = _words(text)
    pairs = {f"{one} {other}" for one, other in pairwise(parts)}
    return frozenset(pairs.union(*map(_cut, parts)))


def _words(text: str) -> list[str]:
    return [_DIGITS.sub("0", word) for word in words(text)]


def _cut(word: str) -> list[str]:
    """A folded word and its n-grams, each with the marks of the word's ends."""
    marked = f" {word} "
    return [marked] + [
        marked[start : start + length]
        for length in range(_SHORTEST, _LONGEST + 1)
        for start in range(len(marked) - length + 1)
    ]


class Head(NamedTuple):
    """One question: its bias and the weight of each piece, in 1/scale of log-odds."""

    bias: int
    weights: Mapping[str, int]


class Scorer:
    """Answers questions on texts, as sure as the requests it was trained on make it."""

    def __init__(self, scale: int, heads: Mapping[Question, Head]) -> None:
        self._scale = scale
        self._heads = heads

    @classmethod
    def parse(cls, document: str) -> "Scorer":
        """Read what `training/train.py` writes: for each question, pieces by their weight."""
        data = json.loads(document)
        heads: dict[Question, Head] = {}
        for question, head in data["heads"].items():
            by_weight = head["pieces"].items()
            weights = {piece: int(weight) for weight, same in by_weight for piece in same}
            heads[question] = Head(head["bias"], weights)
        return cls(data["scale"], heads)

    def odds(self, text: str, question: Question) -> float:
        """Return the log-odds of a yes; 0, undecided, for a text without words."""
        found = pieces(text)
        head = self._heads.get(question)
        if not found or head is None:
            return 0.0
        weight = sum(map(head.weights.get, found, repeat(0)))
        return (head.bias + weight / sqrt(len(found))) / self._scale

    def names_nothing(self, text: str) -> bool:
        """Tell whether a text is surely one of those that do not say what the object is."""
        return self.odds(text, "unnamed") > _SURELY_UNNAMED

    def complexity(self, text: str) -> Complexity | None:
        """Return how complex the one object of a text is; None when that is not sure."""
        is_complex = self.odds(text, "complex")
        if is_complex > _SURELY_COMPLEX:
            return "complex"
        if is_complex > _HARDLY_COMPLEX or self.odds(text, "several") > _HARDLY_SEVERAL:
            return None
        is_simple = self.odds(text, "simple")
        if _HARDLY_SIMPLE < is_simple < _SURELY_SIMPLE or not self._knows(text):
            return None
        return "simple" if is_simple > 0 else "standard"

    def _knows(self, text: str) -> bool:
        """Tell whether no word of a text is foreign to what was learnt of objects."""
        return all(
            sum(map(self._known.__contains__, cut)) >= _FAMILIAR * len(cut)
            for cut in (_cut(word) for word in _words(text) if len(word) > _SHORT_WORD)
        )

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._heads["simple"].weights) | self._heads["complex"].weights.keys()
