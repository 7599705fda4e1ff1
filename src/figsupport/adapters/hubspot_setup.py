"""What HubSpot must hold before the first ticket: a property group and our ticket properties."""

from typing import Any, NamedTuple

from figsupport.adapters.http import Http
from figsupport.errors import Conflict

_PROPERTIES = "crm/properties/2026-09/tickets"
_GROUP = "figsupport"
_STATUSES = ("pending_info", "pending_credits", "pending_admin", "validated", "rejected")


class Property(NamedTuple):
    """A custom ticket property: its name, its label for staff, HubSpot's type and field type."""

    name: str
    label: str
    type: str
    field: str
    unique: bool = False


NEEDED = (
    Property("validation_status", "Validation", "enumeration", "select"),
    Property("credits_estimes", "Crédits estimés", "number", "number"),
    Property("clickup_subtask_id", "Subtask ClickUp", "string", "text"),
    Property("fichiers_urls", "Fichiers (liens)", "string", "textarea"),
    Property("figsupport_key", "Clé figsupport", "string", "text", unique=True),
    Property("figsupport_thread_id", "Conversation figsupport", "string", "text"),
)


def wrong_properties(http: Http) -> list[str]:
    """Return what is wrong with the ticket properties, each as a sentence."""
    there = {str(one["name"]): one for one in http.get(_PROPERTIES).get("results") or []}
    wrong = []
    for needed in NEEDED:
        found = there.get(needed.name)
        if found is None:
            wrong.append(f"the ticket property {needed.name} is missing")
        elif found.get("type") != needed.type:
            wrong.append(f"{needed.name} has the type {found.get('type')}, not {needed.type}")
        elif needed.unique and not found.get("hasUniqueValue"):
            wrong.append(f"{needed.name} must have unique values; archive it and run setup again")
    return wrong


def make_properties(http: Http, *, dry_run: bool) -> list[tuple[str, str]]:
    """Create what is missing; return (name, « made » or « there »). Safe to repeat."""
    there = {str(one["name"]) for one in http.get(_PROPERTIES).get("results") or []}
    done = []
    if not dry_run and any(needed.name not in there for needed in NEEDED):
        _made(http, f"{_PROPERTIES}/groups", {"name": _GROUP, "label": "figsupport"})
    for number, needed in enumerate(NEEDED):
        missing = needed.name not in there
        if missing and not dry_run:
            missing = _made(http, _PROPERTIES, _document(needed, number))
        done.append((needed.name, "made" if missing else "there"))
    return done


def _document(needed: Property, number: int) -> dict[str, Any]:
    options = [
        {"value": status, "label": status, "displayOrder": order, "hidden": False}
        for order, status in enumerate(_STATUSES)
    ]
    return {
        "groupName": _GROUP,
        "name": needed.name,
        "label": needed.label,
        "type": needed.type,
        "fieldType": needed.field,
        "displayOrder": number,
        "hasUniqueValue": needed.unique,
        **({"options": options} if needed.type == "enumeration" else {}),
    }


def _made(http: Http, path: str, body: dict[str, Any]) -> bool:
    """Create; False when it is there already (created by someone else since we looked)."""
    try:
        http.send("POST", path, body, repeatable=True)
    except Conflict:
        return False
    return True
