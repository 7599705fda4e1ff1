"""Do a model's dimensions make sense for the object named, and in which unit would they? Pure."""

from collections.abc import Sequence

from figsupport.core.model import Language
from figsupport.core.rules import Grid
from figsupport.core.words import number_in_words

_SMALL: dict[Language, str] = {
    "fr": "l'échelle est {} fois trop petite",
    "en": "the scale is {} times too small",
}
#: what a model's metres may really be: how many metres one of them is, and how it is called
_UNITS: tuple[tuple[float, dict[Language, str]], ...] = (
    (0.001, {"fr": "les cotes sont en millimètres", "en": "the numbers are millimetres"}),
    (0.01, {"fr": "les cotes sont en centimètres", "en": "the numbers are centimetres"}),
    (0.0254, {"fr": "les cotes sont en pouces", "en": "the numbers are inches"}),
    *(
        (times, {tongue: said.format(times) for tongue, said in _SMALL.items()})
        for times in (10, 100, 1000)
    ),
)
#: units that people say lengths in → metres
_SAID = (("m", 1.0), ("cm", 0.01))
_DOUBT: dict[Language, str] = {
    "fr": "dimensions à vérifier : {size} au plus long pour « {name} »",
    "en": "dimensions to check: {size} at its longest for “{name}”",
}
_LIKELY: dict[Language, str] = {"fr": " ; {size} si {unit}", "en": "; {size} if {unit}"}
_ANYTHING: dict[Language, str] = {"fr": "un objet", "en": "an object"}


def doubt(size: Sequence[float] | None, text: str, grid: Grid, language: Language) -> str | None:
    """Return why dimensions (metres) do not fit the object that a text names, or None.

    Says which unit or scale would make sense. An object that the grid gives no size for is
    as large as any.
    """
    longest = max(size or (0.0,))
    if longest <= 0:
        return None
    named = [place.phrase for place in grid.sized.places(text)]
    ranges = [grid.sizes[name] for name in named] or [grid.any_size]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if low <= longest <= high:
        return None
    name = named[0] if named else _ANYTHING[language]
    said = _DOUBT[language].format(size=in_words([longest], language), name=name)
    for factor, unit in _UNITS:
        if low <= longest * factor <= high:
            likely = in_words([longest * factor], language)
            return said + _LIKELY[language].format(size=likely, unit=unit[language])
    return said


def in_words(sides: Sequence[float], language: Language) -> str:
    """Return lengths (metres) in the unit that suits the longest: 80 × 90 × 75 cm."""
    longest = max(sides)
    unit, worth = next((one for one in _SAID if longest >= one[1]), ("mm", 0.001))
    numbers = (number_in_words(round(side / worth, 4), language) for side in sides)
    return f"{' × '.join(numbers)} {unit}"
