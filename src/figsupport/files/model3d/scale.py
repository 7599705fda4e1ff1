"""Does the size of a model make sense, and which unit would?

CAD in millimetres taken for metres, scans in centimetres: the most frequent fault in the
files of clients.
"""

import math

from figsupport.files.model3d.facts import Finding, ModelFacts

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
SENSIBLE_M = (0.008, 40.0)
"""The longest side of what people put in a room or a garden, from a ring to a house."""

USUAL_M = 0.7
"""Where the longest side of a product usually lies: a tie between units is decided by it."""

METRIC = ("mm", "cm", "m")

OBJECTS: tuple[tuple[tuple[str, ...], float, float], ...] = (
    (("bague", "boucle d'oreille", "bijou", "ring", "earring", "jewel"), 0.005, 0.12),
    (("montre", "bracelet", "watch", "collier", "necklace"), 0.02, 0.6),
    (("tasse", "mug", "verre", "bouteille", "bottle", "cup", "vase"), 0.04, 1.2),
    (("chaise", "fauteuil", "tabouret", "chair", "armchair", "stool"), 0.3, 1.6),
    (("canapé", "canape", "sofa", "couch", "lit", "bed"), 0.8, 4.5),
    (("table", "bureau", "desk", "commode", "buffet", "armoire", "wardrobe"), 0.3, 4.0),
    (("lampe", "lamp", "luminaire", "suspension"), 0.1, 3.0),
    (("chaussure", "basket", "sneaker", "shoe", "sac", "bag"), 0.1, 1.2),
    (("vélo", "velo", "bicycle", "bike", "moto", "scooter", "motorcycle"), 0.8, 3.0),
    (("voiture", "car"), 2.0, 7.0),
)
"""Words → the longest side of such an object in metres, shortest and longest."""


def with_likely_unit(facts: ModelFacts) -> ModelFacts:
    """Return the facts with the unit that makes sense, and a finding when it is not the stated.

    A model without a unit gets the likely one too, which is a guess and is said to be one.
    """
    if facts.dimensions is None or max(facts.dimensions) <= 0:
        return facts
    longest = max(facts.dimensions)
    if facts.metres_per_unit is not None:
        length = longest * facts.metres_per_unit
        if SENSIBLE_M[0] <= length <= SENSIBLE_M[1]:
            return facts
        unit = likely_unit(longest, *SENSIBLE_M)
        finding = _strange(length, longest, unit)
    else:
        unit = likely_unit(longest, *SENSIBLE_M)
        finding = _unitless(longest, unit)
    return facts.model_copy(update={"likely_unit": unit, "findings": (*facts.findings, finding)})


def size_finding(facts: ModelFacts, text: str) -> Finding | None:
    """Return a finding when the size makes no sense for the object the client names in `text`."""
    if facts.dimensions is None or facts.metres_per_unit is None:
        return None
    words = set("".join(c if c.isalpha() else " " for c in text[:2000].lower()).split())
    lowered = text[:2000].lower()
    for names, low, high in OBJECTS:
        if any(name in words or (" " in name and name in lowered) for name in names):
            longest = max(facts.dimensions)
            length = longest * facts.metres_per_unit
            if low <= length <= high:
                return None
            return _strange(length, longest, likely_unit(longest, low, high))
    return None


def likely_unit(longest: float, low: float, high: float) -> str | None:
    """Return the unit in which the longest side lies between `low` and `high` metres."""
    lengths = {unit: longest * UNITS[unit] for unit in METRIC}
    fitting = {unit: length for unit, length in lengths.items() if low <= length <= high}
    if not fitting:
        return None
    return min(fitting, key=lambda unit: abs(math.log(fitting[unit] / USUAL_M)))


def spoken(metres: float) -> tuple[str, str]:
    """Return a length as people say it, in French and in English."""
    for unit, size in (("m", 1.0), ("cm", 0.01), ("mm", 0.001)):
        if metres >= size or unit == "mm":
            number = f"{metres / size:,.1f}" if metres / size < 10 else f"{metres / size:,.0f}"
            french = number.replace(",", " ").replace(".", ",")
            return f"{french} {unit}", f"{number} {unit}"
    raise AssertionError


def _strange(length: float, longest: float, unit: str | None) -> Finding:
    fr, en = spoken(length)
    if unit is None:
        return Finding(
            fr=f"le modèle mesure {fr} dans sa plus grande dimension : est-ce voulu ?",
            en=f"the model's longest side is {en}: is that intended?",
        )
    better_fr, better_en = spoken(longest * UNITS[unit])
    return Finding(
        fr=f"le modèle mesure {fr} ; il a sans doute été fait en {unit} ({better_fr})",
        en=f"the model measures {en}; it was probably made in {unit} ({better_en})",
    )


def _unitless(longest: float, unit: str | None) -> Finding:
    if unit is None:
        return Finding(
            fr="le fichier ne dit pas son unité : la taille réelle est à préciser",
            en="the file does not tell its unit: the real size is needed",
        )
    fr, en = spoken(longest * UNITS[unit])
    return Finding(
        fr=f"le fichier ne dit pas son unité ; en {unit}, il mesurerait {fr}",
        en=f"the file does not tell its unit; in {unit} it would measure {en}",
    )
