"""The payload of each effect, composed once from the case, before the effect. Pure."""

import re
from typing import Any, NamedTuple

from figsupport.core import assets, letters
from figsupport.core.model import STAFF, Case, FileFact, Letter, Post, PostKind, Reply, Step
from figsupport.core.plan import Due, changed_properties, wanted_properties
from figsupport.core.references import message_id
from figsupport.core.rules import Directives

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")


class Office(NamedTuple):
    """Who writes our letters: the sender, the domain of its Message-IDs, the administrator."""

    sender: str
    domain: str
    administrator: str


def compose(case: Case, step: Due, directives: Directives, office: Office) -> dict[str, Any]:
    """Return what the step's effect needs, as JSON values."""
    match step.step:
        case Step.CONTACT:
            return {"email": case.request.user_email, "name": case.request.user_name}
        case Step.TICKET:
            return {
                "key": case.id,
                "reference": case.reference,
                "subject": case.request.objet or "Demande sans objet",
                "content": ticket_content(case),
                "contact_id": case.contact.id if case.contact else "",
                "properties": wanted_properties(case),
            }
        case Step.UPDATE:
            return dict(changed_properties(case))
        case Step.PROOF if case.proof is not None:
            return {"name": case.proof.name, "text": case.proof.text}
        case Step.SUBTASK:
            marker = f"[REF-{case.reference}]"
            name = f"{case.request.objet or 'Modélisation'} — {_client(case)} {marker}"
            return {"key": step.key, "marker": marker, "name": name, "body": subtask_body(case)}
        case Step.POST if step.post is not None:
            return _post(case, step.post, step.key, directives, office)
        case _:
            return {}


def ticket_content(case: Case) -> str:
    """Return the text of the ticket: who asks for what, with which files. Plain text."""
    lines = [
        f"Demande de {_client(case)} <{case.request.user_email}> — référence [#{case.reference}]",
        "",
        case.request.description or "(sans description)",
    ]
    if case.files:
        lines += ["", "Fichiers :", *(_file_line(file) for file in case.files)]
    if case.classification is not None:
        lines += ["", f"Classement : {case.classification.type}"]
        lines += [f"- {reason}" for reason in case.classification.reasons]
    return "\n".join(lines)


def subtask_body(case: Case) -> str:
    """Return what the modeller needs, in Markdown; clients' words are escaped."""
    decision, ticket = case.decision, case.ticket
    lines = [
        f"**Client** : {_md(_client(case))} ({_md(case.request.user_email)})",
        f"**Crédits** : {decision.credits if decision else ''}",
        f"**Ticket** : {ticket.url if ticket else ''}",
        "",
        "## Demande",
        f"**{_md(case.request.objet)}**",
        "",
        *(f"> {_md(line)}" for line in case.request.description.splitlines()),
    ]
    if case.files:
        lines += ["", "## Fichiers"]
        lines += [_file_link(file) for file in case.files]
    if case.analysis is not None:
        lines += ["", f"## Estimation ({case.analysis.outcome})"]
        lines += [f"- {_md(reason)}" for reason in case.analysis.reasons]
    if decision is not None and decision.notes:
        lines += ["", "## Notes de l'administrateur", _md(decision.notes)]
    return "\n".join(lines)


def note_text(case: Case, post: Post) -> str:
    """Return the note about a client's message that a person must answer. Plain text."""
    reply = _reply(case, post.about)
    if reply is None:
        return "Un message du client attend une réponse."
    lines = [
        f"Message du client à traiter ({_WHY.get(post.why, post.why)}), de {reply.sender} :",
        "",
        reply.words or "(aucun texte nouveau)",
        "",
        *(f"- {reason}" for reason in reply.reasons),
    ]
    return "\n".join(lines).strip()


_WHY = {
    "question": "question",
    "unclear": "réponse à lire par une personne",
    "more_info": "informations complémentaires",
    "accept": "accord qui n'engage pas",
    "refuse": "refus qui n'engage pas",
    "late": "aucune réponse n'était attendue",
}


def _post(
    case: Case, post: Post, key: str, directives: Directives, office: Office
) -> dict[str, Any]:
    if post.kind is PostKind.NOTE:
        return {"text": note_text(case, post)}
    if post.kind is PostKind.RECORD:
        name = key.replace(":record:", ":mail:", 1)
        sent = next(mail for mail in reversed(case.mails) if mail.key == name)
        return sent.model_dump(mode="json")
    return _letter(case, post, key, directives, office).model_dump(mode="json")


def _letter(case: Case, post: Post, key: str, directives: Directives, office: Office) -> Letter:
    to_staff = post.letter in STAFF
    to = office.administrator if to_staff else case.request.user_email
    text = letters.write(case, post, directives.templates, _reply(case, post.about))
    thread = tuple(mail.message_id for mail in case.mails if mail.to == to)
    return Letter(
        kind=post.letter or "administrator",
        key=key,
        message_id=message_id(case, key, office.domain),
        to=to,
        to_name="" if to_staff else case.request.user_name,
        subject=text.subject,
        text=text.text,
        html=text.html,
        references=thread[-10:],
        ticket_id=case.ticket.id if case.ticket else None,
        thread=None if to_staff else case.thread,
    )


def _reply(case: Case, message: str | None) -> Reply | None:
    return next((reply for reply in case.replies if reply.message_id == message), None)


def _client(case: Case) -> str:
    return case.request.user_name or case.request.user_email


def _file_line(file: FileFact) -> str:
    return "\n".join((f"- {assets.line(file)}", *(f"  {one}" for one in assets.remarks(file))))


def _file_link(file: FileFact) -> str:
    """One line of Markdown: the file, its picture and what is known of it."""
    name = f"[{_md(file.name)}]({file.url})" if file.url else _md(file.name)
    known = [one for one in (assets.summary(file), file.problem) if one]
    if not file.url and not file.problem:
        known.append("non reçu")
    picture = f" — [aperçu]({file.thumbnail})" if file.thumbnail else ""
    adjust = "; ".join(assets.adjustments(file, "fr"))
    remarks = f" — à ajuster : {_md(adjust)}" if adjust else ""
    return f"- {name}{picture}{' : ' if known else ''}{_md(' ; '.join(known))}{remarks}"


def _md(text: str) -> str:
    """Escape Markdown and HTML in a client's words; one line stays one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
