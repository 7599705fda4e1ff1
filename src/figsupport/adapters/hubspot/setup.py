"""What HubSpot must hold before the first ticket: scopes, a stage, and our ticket properties."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from figsupport.adapters.http import Http
from figsupport.adapters.hubspot.api import CRM, VERSION, Account
from figsupport.errors import (
    Conflict,
    Credentials,
    FigsupportError,
    Misconfigured,
    NotFound,
    Problem,
    Refused,
)

if TYPE_CHECKING:
    from figsupport.adapters.hubspot.desk import Portal

_PROPERTIES = f"crm/properties/{VERSION}/tickets"
_GROUP = "figsupport"
_STATUSES = ("pending_info", "pending_credits", "pending_admin", "validated", "rejected")
#: What the key must be granted; any one of a row will do.
_SCOPES = (
    ("crm.objects.contacts.read",),
    ("crm.objects.contacts.write",),
    ("tickets", "crm.objects.tickets.write"),
    ("conversations.read",),
    ("conversations.write",),
)
_SETUP = "run `figsupport setup`"


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


def problems(http: Http, portal: "Portal", account: Account) -> list[str]:
    """Return what keeps the desk from working, each as a sentence with what to do.

    Each part is asked for alone: a missing scope hides nothing of the rest.
    """
    checks: tuple[Callable[[], list[str]], ...] = (
        lambda: _wrong_account(http, portal, account),
        lambda: _missing_scopes(http),
        lambda: _wrong_stages(http, portal),
        lambda: _wrong_properties(http),
        lambda: _no_conversations(http),
        lambda: _no_net(http),
    )
    wrong: list[str] = []
    for check in checks:
        try:
            wrong += check()
        except (Credentials, Refused, NotFound) as error:
            wrong.append(f"{error.message} — {error.hint}")
            if isinstance(error, Credentials) and " 401" in error.message:
                break  # nobody knows this key: the rest would say the same
    return list(dict.fromkeys(wrong))


def prepare(
    http: Http, portal: "Portal", account: Account, *, dry_run: bool
) -> list[tuple[str, str]]:
    """Create the ticket properties that are missing; return (name, « made » or « there »).

    Safe to repeat. Raises Credentials naming every scope that is missing, or Misconfigured
    naming every setting that is wrong, before anything is created.
    """
    settings = _wrong_account(http, portal, account)
    if missing := _missing_scopes(http):
        raise _not_ready(Credentials, "HUBSPOT_API_KEY", missing)
    if wrong := [*settings, *_wrong_stages(http, portal)]:
        raise _not_ready(Misconfigured, "HUBSPOT_PIPELINE_ID", wrong)
    there = _known(http)
    done = []
    if not dry_run and any(needed.name not in there for needed in NEEDED):
        _made(http, f"{_PROPERTIES}/groups", {"name": _GROUP, "label": "figsupport"})
    for number, needed in enumerate(NEEDED):
        made = needed.name not in there
        if made and not dry_run:
            made = _made(http, _PROPERTIES, _document(needed, number))
        done.append((needed.name, "made" if made else "there"))
    return done


def _not_ready(kind: type[FigsupportError], field: str, sentences: list[str]) -> FigsupportError:
    return kind(
        f"HubSpot is not ready: {'; '.join(sentences)}",
        hint="Correct this, then run `figsupport setup` again: it is safe.",
        problems=[Problem(field, sentence) for sentence in sentences],
    )


def _wrong_account(http: Http, portal: "Portal", account: Account) -> list[str]:
    details = http.get(f"account-info/{VERSION}/details")
    account.learn(details)
    number = str(details.get("portalId") or portal.hub_id)
    if number == portal.hub_id:
        return []
    return [f"HUBSPOT_HUB_ID={portal.hub_id} but the key is of the account {number}: set it so"]


def _missing_scopes(http: Http) -> list[str]:
    """Ask what the key is granted; a kind of key that cannot be asked is tried by its use."""
    path = "oauth/v2/private-apps/get/access-token-info"
    body = {"tokenKey": http.authorization.removeprefix("Bearer ")}
    try:
        granted = set(http.send("POST", path, body, repeatable=True).get("scopes") or [])
    except (Refused, NotFound):
        return []
    missing = [" or ".join(names) for names in _SCOPES if granted and granted.isdisjoint(names)]
    return [
        f"HUBSPOT_API_KEY lacks the scope {name}: grant it in HubSpot under Settings › "
        "Integrations › Private apps (or Service keys) › Scopes"
        for name in missing
    ]


def _wrong_stages(http: Http, portal: "Portal") -> list[str]:
    pipelines = http.get(f"crm/pipelines/{VERSION}/tickets").get("results") or []
    ours = next((one for one in pipelines if str(one["id"]) == portal.pipeline), None)
    if ours is None:
        return [f"HUBSPOT_PIPELINE_ID={portal.pipeline} is none of {_choice(pipelines)}: set one"]
    wrong = []
    for name, stage in (("HUBSPOT_STAGE_NEW", portal.stage), ("HUBSPOT_STAGE_DONE", portal.done)):
        if not stage or any(str(one["id"]) == stage for one in ours.get("stages") or []):
            continue
        other = next((one for one in pipelines if any(
            str(found["id"]) == stage for found in one.get("stages") or [])), None)  # fmt: skip
        of = f"a stage of the pipeline {other.get('label')}, not" if other else "no stage"
        choice = _choice(ours.get("stages") or [])
        wrong.append(f"{name}={stage} is {of} of {ours.get('label')}: set one of {choice}")
    return wrong


def _wrong_properties(http: Http) -> list[str]:
    there = _known(http)
    wrong = []
    for needed in NEEDED:
        found = there.get(needed.name)
        if found is None:
            wrong.append(f"the ticket property {needed.name} is missing: {_SETUP}")
        elif found.get("type") != needed.type:
            wrong.append(
                f"the ticket property {needed.name} has the type {found.get('type')}, not "
                f"{needed.type}: archive it in HubSpot, then {_SETUP}"
            )
        elif needed.unique and not found.get("hasUniqueValue"):
            wrong.append(
                f"the ticket property {needed.name} must have unique values: archive it in "
                f"HubSpot, then {_SETUP}"
            )
        elif lacks := _lacks(found, needed):
            wrong.append(
                f"the ticket property {needed.name} lacks the values {', '.join(lacks)}: add "
                "them in HubSpot (internal names, in small letters)"
            )
    return wrong


def _lacks(found: dict[str, Any], needed: Property) -> list[str]:
    if needed.type != "enumeration":
        return []
    values = {str(option.get("value")) for option in found.get("options") or []}
    return [status for status in _STATUSES if status not in values]


def _no_conversations(http: Http) -> list[str]:
    http.get("conversations/v3/conversations/threads", limit="1")
    return []


def _no_net(http: Http) -> list[str]:
    """Try the search that looks for overlooked replies."""
    value = {"propertyName": "hs_last_message_received_at", "operator": "HAS_PROPERTY"}
    body = {"filterGroups": [{"filters": [value]}], "limit": 1}
    http.send("POST", f"{CRM}/tickets/search", body, repeatable=True)
    return []


def _known(http: Http) -> dict[str, dict[str, Any]]:
    return {str(one["name"]): one for one in http.get(_PROPERTIES).get("results") or []}


def _choice(of: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['id']} ({one.get('label')})" for one in of)


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
