"""Support intake for a 3D/AR studio: from a client's request to the modeller's desk.

The functions below are the public library; each is imported on first use.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "classify_request": "steps",
    "analyze_request": "steps",
    "upload_files": "steps",
    "find_or_create_contact": "steps",
    "create_ticket": "steps",
    "update_ticket_property": "steps",
    "send_email_to_contact": "steps",
    "get_messages_for_ticket": "steps",
    "create_subtask": "steps",
    "intake": "workflow",
    "process_validation": "workflow",
    "poll_pending_tickets": "polling",
    "advance": "workflow",
    "generate_info_request_message": "core.letters",
    "generate_quote_message": "core.letters",
    "generate_admin_notice_message": "core.letters",
    "generate_confirmation_message": "core.letters",
    "generate_refusal_message": "core.letters",
    "generate_rejection_message": "core.letters",
    "Services": "services",
}

__all__ = ["__version__", *sorted(_PUBLIC)]  # noqa: PLE0604 — names of the table above


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'figsupport' has no attribute {name!r}")
    return getattr(import_module(f"figsupport.{_PUBLIC[name]}"), name)
