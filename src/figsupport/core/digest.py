"""What waits for a person, told to the administrator once a business day. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from figsupport.core.compose import Office
from figsupport.core.letters import Templates, commands, compose
from figsupport.core.model import Case, Letter, Value
from figsupport.core.plan import Waiting, waiting

_STUCK = timedelta(hours=1)
_MOST = 50
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip
_WHY = {
    Waiting.ADMINISTRATOR: "à chiffrer",
    Waiting.PERSON: "le client attend une réponse",
    Waiting.DRAFT: "lettre NON ENVOYÉE, laissée en brouillon",
}


class Digest(Value):
    """The digest of a day: its letter, None when nothing waited, and whether it left.

    Saved before the letter leaves and after: it is the intent, and then the outcome.
    """

    day: date
    letter: Letter | None = None
    done: bool = False


def write_digest(
    cases: Iterable[Case], day: date, now: datetime, templates: Templates, office: Office
) -> Digest:
    """Return the digest of a day on the open cases, oldest first."""
    items = [item for case in cases if (item := _item(case, now))]
    if not items:
        return Digest(day=day, done=True)
    shown = items[:_MOST]
    if len(items) > _MOST:
        shown.append(f"… et {len(items) - _MOST} autres.")
    names = {
        "day": f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}",
        "number": f"{len(items)} demande{'s' if len(items) > 1 else ''}",
        "waiting": "\n\n".join(shown),
    }
    text = compose(templates["digest", "fr"], names)
    key = f"digest:{day:%Y%m%d}"
    return Digest(
        day=day,
        letter=Letter(
            kind="digest",
            key=key,
            message_id=f"<{key.replace(':', '.')}@{office.domain}>",
            to=office.administrator,
            subject=text.subject,
            text=text.text,
            html=text.html,
        ),
    )


def _item(case: Case, now: datetime) -> str:
    """One case that waits for a person: why, and what to type; nothing for any other."""
    why = _WHY.get(waiting(case), "")
    stuck = case.doing is not None and now - case.doing.since > _STUCK
    if case.ticket is None or not (why or stuck):
        return ""
    ticket = case.ticket.id
    if case.doing is not None and stuck:
        why = f"interrompue à l'étape « {case.doing.step} » : un fournisseur ne répond pas"
        lines = [f"figsupport tickets {ticket}"]
    else:
        lines = list(_commands(case, ticket))
    objet = " ".join(case.request.objet.split()) or "sans objet"
    client = case.request.user_name or case.request.user_email
    return "\n".join((f"Ticket {ticket} — « {objet} », {client} : {why}", *lines))


def _commands(case: Case, ticket: str) -> Iterator[str]:
    if waiting(case) is Waiting.DRAFT:
        yield f"figsupport tickets {ticket} --sent"
        return
    yield commands(case, ticket)
    if waiting(case) is Waiting.PERSON:
        yield f"figsupport tickets {ticket} --answered"
