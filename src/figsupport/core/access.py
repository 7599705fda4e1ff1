"""What a client is told is held on them: the readable page of an export, in French. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from figsupport.core.model import Case, Message

_TITLE = "Données détenues par figsupport"
_STATUS = {
    None: "demande de support",
    "pending_info": "en attente d'informations du client",
    "pending_credits": "en attente de la réponse du client au devis",
    "pending_admin": "en attente d'une décision de l'équipe",
    "validated": "validée",
    "rejected": "refusée",
}


def page(
    address: str,
    cases: tuple[Case, ...],
    messages: tuple[Message, ...],
    files: Sequence[Mapping[str, Any]],
    now: datetime,
) -> str:
    """Return the page: who, when, each request with its letters and answers, each file."""
    lines = [f"{_TITLE} sur {address}", f"Établi le {_day(now)}", ""]
    lines += [
        "donnees.json contient tout ce qui suit en entier, avec les tickets, leurs propriétés,",
        "leurs notes et leurs messages. Les fichiers sont dans fichiers/ (ceux d'un formulaire",
        "qui ne sont pas encore classés : dans formulaire/), les pièces jointes des messages dans",
        "pieces-jointes/.",
        "",
    ]
    for case in cases:
        lines += [*_request(case), ""]
    if messages:
        lines += [f"Messages reçus ({len(messages)})"]
        lines += [f"- {_day(one.sent_at)} — {one.subject or '(sans objet)'}" for one in messages]
        lines += [""]
    lines += [f"Fichiers ({len(files)})"]
    lines += [_file(file) for file in files]
    return "\n".join(lines) + "\n"


def _request(case: Case) -> Iterator[str]:
    yield f"Demande [#{case.reference}] du {_day(case.created_at)} : {case.request.objet}"
    yield f"  État : {_STATUS[case.validation_status]}"
    if case.ticket is not None:
        yield f"  Ticket : {case.ticket.id} {case.ticket.url}"
    if case.subtask is not None:
        yield f"  Production : {case.subtask.id} {case.subtask.url}"
    for mail in case.mails:
        if mail.kind != "administrator":
            yield f"  Lettre du {_day(mail.sent_at)} : {mail.subject}"
    for reply in case.replies:
        yield f"  Réponse lue comme « {reply.intent} » par {reply.by} : {reply.words}"


def _file(file: Mapping[str, Any]) -> str:
    place = file["path"] or f"absent de l'archive : {file['url'] or 'introuvable'}"
    size = "taille inconnue" if file["size"] is None else f"{file['size']} octets"
    return f"- {file['name']} — {size} — {place}"


def _day(moment: datetime) -> str:
    return f"{moment:%d/%m/%Y à %H:%M} UTC"
