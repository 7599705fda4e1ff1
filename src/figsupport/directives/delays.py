"""How long we wait before we write again, and when: `delais.md` → Delays."""

import re
from datetime import time
from zoneinfo import ZoneInfo

from figsupport.core.calendar import Delays
from figsupport.core.words import fold
from figsupport.directives.document import Document, Line

_DELAYS = ("Sans réponse à", "Première relance", "Seconde relance", "Clôture")
_LETTERS = {"devis": "quote", "demande d'informations": "info"}
_HOURS = {"premier envoi": "opens", "dernier envoi": "closes", "récapitulatif": "digest"}
_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_DAYS = re.compile(r"[1-9][0-9]{0,2}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]) ?(?:h|:) ?([0-5][0-9])?")
_NONE = frozenset({"", "—", "-"})


def read_delays(document: Document) -> Delays:
    """Return the delays; of a document with problems, those that could be read."""
    document.expect(["Relances et clôture", "Jours ouvrés", "Heures"])
    days = {
        _LETTERS[name]: _delays(document, row)
        for name, row in _rows(document, "Relances et clôture", _DELAYS, tuple(_LETTERS))
    }
    hours = {
        _HOURS[name]: _hour(document, row)
        for name, row in _rows(document, "Heures", ("Heure", "Valeur"), tuple(_HOURS))
    }
    opens, closes = hours.get("opens", time(9)), hours.get("closes", time(18))
    if opens >= closes:
        document.problem(1, "« premier envoi » must come before « dernier envoi »")
    return Delays(
        quote=days.get("quote", (1,)),
        info=days.get("info", (1,)),
        weekdays=_weekdays(document),
        opens=opens,
        closes=closes,
        digest=hours.get("digest", opens),
        zone=ZoneInfo("Europe/Paris"),
    )


def _rows(
    document: Document, section: str, header: tuple[str, ...], names: tuple[str, ...]
) -> list[tuple[str, Line]]:
    """Return the rows of a table by name; each name must stand there once."""
    found: dict[str, Line] = {}
    rows = document.table(section, header)
    for row in rows:
        if row.text not in names:
            expected = ", ".join(f"« {name} »" for name in names)
            document.problem(row.number, f"unknown row « {row.text} »; expected {expected}")
        elif row.text in found:
            document.problem(row.number, f"« {row.text} » stands twice")
        found.setdefault(row.text, row)
    for name in names:
        if rows and name not in found:
            document.problem(rows[0].number, f"the row « {name} » is missing")
    return [(name, row) for name, row in found.items() if name in names]


def _delays(document: Document, row: Line) -> tuple[int, ...]:
    first, second, expiry = row.cells[1:]
    if first in _NONE and second not in _NONE:
        document.problem(row.number, "a second reminder needs a first one")
    given = [cell for cell in (first, second) if cell not in _NONE]
    if not all(_DAYS.fullmatch(cell) for cell in (*given, expiry)):
        document.problem(
            row.number, "a delay is a whole number of business days from 1; « — »: no reminder"
        )
        return (1,)
    return tuple(int(cell) for cell in (*given, expiry))


def _weekdays(document: Document) -> frozenset[int]:
    found = set()
    document.phrases("Jours ouvrés")
    for line in document.lines("Jours ouvrés"):
        name = fold(line.text)
        if name in _WEEKDAYS:
            found.add(1 + _WEEKDAYS.index(name))
        else:
            document.problem(line.number, f"« {line.text} » is no day; expected lundi … dimanche")
    return frozenset(found)


def _hour(document: Document, row: Line) -> time:
    found = _TIME.fullmatch(row.cells[1])
    if found is None:
        document.problem(row.number, f"« {row.cells[1]} » is no hour; expected 9 h or 8 h 30")
        return time(9)
    return time(int(found[1]), int(found[2] or 0))
