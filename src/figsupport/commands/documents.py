"""The JSON documents that commands print and the webhook answers."""

from typing import Any

from figsupport import workflow
from figsupport.core.dates import Coming
from figsupport.core.model import Case, Message
from figsupport.core.plan import waiting
from figsupport.core.round import Round


def intake_document(case: Case, new: bool) -> dict[str, Any]:
    """Return the document that `intake` prints and the webhook answers."""
    support = case.classification is not None and case.classification.type == "SUPPORT"
    message = "Ticket support créé" if support else _CREATED
    if case.drafts:
        message += " ; lettre NON ENVOYÉE, laissée en brouillon sur le ticket"
    return {
        "status": "done" if support else "pending_validation",
        "ticket_id": case.ticket.id if case.ticket else None,
        "ticket_url": case.ticket.url if case.ticket else None,
        "is_new_ticket": new,
        "classification": case.classification.type if case.classification else None,
        "files_uploaded": sum(1 for file in case.files if file.url),
        "validation_status": case.validation_status,
        "credits_estimes": case.credits_estimes,
        "message": message,
        "request_id": case.id,
    }


_CREATED = "Ticket modélisation créé, en attente de validation"


def validation_document(case: Case, verdict: workflow.Verdict) -> dict[str, Any]:
    """Return the document that `validate` prints and the webhook answers."""
    price = case.decision.credits if case.decision else case.credits_estimes
    message = {
        "accept": "Demande validée, subtask ClickUp créée",
        "quote": f"Devis de {price} crédit{'s' if (price or 0) > 1 else ''} envoyé au client",
        "reject": "Demande refusée, client prévenu",
    }[verdict]
    return {
        "success": True,
        "ticket_id": case.ticket.id if case.ticket else None,
        "subtask_id": case.subtask.id if case.subtask else None,
        "credits": price,
        "message": message,
    }


def round_document(done: Round) -> dict[str, Any]:
    """Return the document that `poll` prints."""
    return {
        **{name: getattr(done, name) for name in NOTHING if name not in ("errors", "calls")},
        "strangers": [{"from": mail.sender, "message_id": mail.id} for mail in done.strangers],
        "errors": [{"case": case, **error.document()["error"]} for case, error in done.errors],  # type: ignore[dict-item]
        "calls": {},
    }


#: What a round in which nothing happened counts.
NOTHING: dict[str, Any] = {
    "resumed": 0,
    "replies": 0,
    "validated": 0,
    "rejected": 0,
    "reanalyzed": 0,
    "questions": 0,
    "auto_replies": 0,
    "unclear": 0,
    "forgotten": 0,
    "reminders": 0,
    "expired": 0,
    "digest": False,
    "errors": [],
    "calls": {},
}


def mail_document(mail: Message) -> dict[str, Any]:
    """Return a mail that belongs to no request."""
    return {
        "id": mail.id,
        "from": mail.sender,
        "name": mail.sender_name,
        "subject": mail.subject,
        "sent_at": mail.sent_at.isoformat(),
        "text": mail.text,
        "attachments": [file.path or file.url or file.name for file in mail.attachments],
    }


def coming_document(coming: Coming | None) -> dict[str, Any] | None:
    """Return what a date makes due on a case next, and when."""
    return {"what": coming.what, "at": coming.at.isoformat()} if coming else None


def case_line(case: Case, coming: Coming | None) -> dict[str, Any]:
    return {
        "id": case.id,
        "reference": case.reference,
        "ticket_id": case.ticket.id if case.ticket else None,
        "ticket_url": case.ticket.url if case.ticket else None,
        "objet": case.request.objet,
        "user_email": case.request.user_email,
        "validation_status": case.validation_status,
        "credits_estimes": case.credits_estimes,
        "created_at": case.created_at.isoformat(),
        "waiting": str(waiting(case)),
        "coming": coming_document(coming),
        "cost": case.cost.dollars if case.cost else 0.0,
        "doing": case.doing.step if case.doing else None,
    }
