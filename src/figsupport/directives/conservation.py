"""How long what is kept: `conservation.md` → Retention."""

from figsupport.core.keeping import Kept, Retention
from figsupport.directives.document import Document

_LONGEST = 600
_KINDS: dict[str, Kept] = {
    "support": "support",
    "sans suite": "dropped",
    "validé": "validated",
    "preuve d'acceptation": "evidence",
    "courrier sans dossier": "stranger",
}
_KEEP, _DROP = "conserver les preuves d'acceptation", "effacer les preuves d'acceptation"


def read_retention(document: Document) -> Retention:
    document.expect(["Durées", "Effacement"])
    months: dict[Kept, int] = {}
    for row in document.table("Durées", ("Dossier", "Mois")):
        name, amount = row.cells
        kind = _KINDS.get(name)
        if kind is None:
            document.problem(row.number, f"« {name} »; expected one of {', '.join(_KINDS)}")
        elif kind in months:
            document.problem(row.number, f"« {name} » stands twice")
        elif not amount.isdecimal() or not 1 <= int(amount) <= _LONGEST:
            document.problem(
                row.number, f"« {amount} »; expected a number of months from 1 to {_LONGEST}"
            )
        else:
            months[kind] = int(amount)
    for name, kind in _KINDS.items():
        if kind not in months:
            document.problem(1, f"no usable line of « Durées » tells of « {name} »")
    lines = document.lines("Effacement")
    for line in lines:
        if line.text not in (_KEEP, _DROP) or len(lines) > 1:
            document.problem(line.number, f"« {line.text} »; expected « {_KEEP} » or « {_DROP} »")
    if not lines:
        document.problem(1, f"« Effacement » needs one line, « - {_KEEP} » or « - {_DROP} »")
    return Retention(months, keep_evidence=[line.text for line in lines] != [_DROP])
