"""What waits for a person, told to the administrator once a business day. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from figsupport.core.compose import Office
from figsupport.core.letters import Templates, commands, compose
from figsupport.core.model import Case, Letter, Message, Value
from figsupport.core.plan import Waiting, waiting

_STUCK = timedelta(hours=1)
_MOST, _MOST_MAILS = 50, 20
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
    cases: Iterable[Case],
    mails: Sequence[Message],
    day: date,
    now: datetime,
    templates: Templates,
    office: Office,
) -> Digest:
    """Return the digest of a day on the open cases and on mails of no case, oldest first."""
    items = [item for case in cases if (item := _item(case, now))]
    if not (items or mails):
        return Digest(day=day, done=True)
    shown = items[:_MOST]
    if len(items) > _MOST:
        shown.append(f"… et {len(items) - _MOST} autres.")
    if mails:
        shown.append(_strangers(mails))
    counted = [_number(len(items), "demande")] if items else []
    counted += [_number(len(mails), "courrier") + " sans dossier"] if mails else []
    names = {
        "day": f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}",
        "number": " et ".join(counted),
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


def _number(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"


def _strangers(mails: Sequence[Message]) -> str:
    """The mails that belong to no case: when, about what, of whom; and what to type."""
    lines = [
        f"{mail.sent_at:%d/%m/%Y} — « {_line(mail.subject) or 'sans objet'} », "
        f"{_line(mail.sender_name) or mail.sender}"
        for mail in mails[:_MOST_MAILS]
    ]
    if len(mails) > _MOST_MAILS:
        lines.append(f"… et {len(mails) - _MOST_MAILS} autres.")
    return "\n".join(
        (f"{_number(len(mails), 'courrier')} sans dossier, à lire :", *lines,
         "figsupport mails", "figsupport mails --answered")
    )  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.split())


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
    objet = _line(case.request.objet) or "sans objet"
    client = case.request.user_name or case.request.user_email
    return "\n".join((f"Ticket {ticket} — « {objet} », {client} : {why}", *lines))


def _commands(case: Case, ticket: str) -> Iterator[str]:
    if waiting(case) is Waiting.DRAFT:
        yield f"figsupport tickets {ticket} --sent"
        return
    yield commands(case, ticket)
    if waiting(case) is Waiting.PERSON:
        yield f"figsupport tickets {ticket} --answered"
