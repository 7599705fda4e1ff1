"""HubSpot as its users meet it: unique conflicts, associations, stale search, rate limits.

Property values are strings; unknown ids are 404; a taken e-mail is 409 with « Existing ID »;
a taken unique value is 400 VALIDATION_ERROR; an unknown property is 400; a merged ticket answers
under another id; an archived one is gone; errors carry a correlation id.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from .conversations import Conversations
from .server import StandIn

KEY = "pat-eu1-good"
SCOPES = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "tickets",
    "conversations.read", "conversations.write",
)  # fmt: skip
_OBJECTS = ("contacts", "tickets", "notes", "emails")
_UNIQUE = {"contacts": "email", "tickets": "figsupport_key"}
_KINDS = {16: "contacts", 228: "tickets", 202: "contacts", 198: "contacts", 224: "tickets"}
_OURS = {
    "validation_status": "enumeration", "credits_estimes": "number", "fichiers_urls": "string",
    "clickup_subtask_id": "string", "figsupport_key": "string", "figsupport_thread_id": "string",
}  # fmt: skip
_STATUSES = ("pending_info", "pending_credits", "pending_admin", "validated", "rejected")
_STANDARD = (
    "subject",
    "content",
    "hs_pipeline",
    "hs_pipeline_stage",
    "hs_last_message_received_at",
)


class HubSpot(Conversations, StandIn):
    """One portal, whose custom ticket properties somebody has created."""

    def __init__(self) -> None:
        StandIn.__init__(self)
        Conversations.__init__(self)
        self.objects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in _OBJECTS}
        self.links: set[tuple[str, str, str, str]] = set()
        self.merged: dict[str, str] = {}
        #: records in the recycle bin, by kind and id
        self.bin: dict[tuple[str, str], dict[str, Any]] = {}
        #: kinds of records that this account may delete for good
        self.for_good = {"contacts", "tickets"}
        self.scopes: set[str] = set(SCOPES)
        #: what HubSpot keeps unique: the only thing by which a double is refused
        self.unique = dict(_UNIQUE)
        self.properties: dict[str, dict[str, Any]] = {
            name: {"name": name, "type": "string"} for name in _STANDARD
        }
        self.groups: set[str] = set()
        self.remaining = 99
        self.policy = "TEN_SECONDLY_ROLLING"
        #: tickets that the search does not know yet: its index lags behind
        self.unindexed: set[str] = set()
        self.pipelines: list[dict[str, Any]] = [
            {"id": "77", "label": "Support",
             "stages": [{"id": "1", "label": "Nouveau"}, {"id": "2", "label": "Fermé"}]},
            {"id": "88", "label": "Ventes", "stages": [{"id": "9", "label": "Prospect"}]},
        ]  # fmt: skip
        self._number = 200
        for name, kind in _OURS.items():
            options = [{"value": value} for value in _STATUSES] if kind == "enumeration" else []
            about = {"hasUniqueValue": name == "figsupport_key", "options": options}
            self.properties[name] = {"name": name, "type": kind, **about}

    # --- what people do in HubSpot -----------------------------------------------------------

    def merge(self, ticket: str, into: str) -> None:
        """Staff merge a ticket into another, which takes its links and what it lacks."""
        gone = self.objects["tickets"].pop(ticket)
        kept = self.objects["tickets"][into]
        kept["properties"] = {**gone["properties"], **kept["properties"]}
        self.merged[ticket] = into
        self.links = {
            (a, into if (a, x) == ("tickets", ticket) else x,
             b, into if (b, y) == ("tickets", ticket) else y)
            for a, x, b, y in self.links
        }  # fmt: skip
        for thread in self.threads.values():
            if thread.get("threadAssociations", {}).get("associatedTicketId") == ticket:
                thread["threadAssociations"] = {"associatedTicketId": into}

    def forget_setup(self) -> None:
        """Nobody has created the custom ticket properties yet."""
        for name in _OURS:
            del self.properties[name]

    def contact_of(self, email: str) -> str | None:
        found = self._by("contacts", "email", email)
        return str(found["id"]) if found else None

    def next_id(self) -> str:
        self._number += 1
        return str(self._number)

    # --- what HubSpot does -------------------------------------------------------------------

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        if status == 429:
            body = self.error("You have reached your limit", "RATE_LIMITS")
            return 429, {**body, "policyName": self.policy}, {}
        return status, self.error("internal error", "INTERNAL_ERROR"), {}

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if headers.get("Authorization") != f"Bearer {KEY}":
            message = "Authentication credentials not found"
            return 401, self.error(message, "INVALID_AUTHENTICATION"), {}
        parts = [unquote(part) for part in path.strip("/").split("/")]
        status, answer = self._routed(method, parts, query, body)
        limits = {"Max": "100", "Remaining": str(self.remaining), "Interval-Milliseconds": "10000"}
        return status, answer, {f"X-HubSpot-RateLimit-{name}": limits[name] for name in limits}

    def _routed(
        self, method: str, parts: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        match parts:
            case ["crm", "objects", _, name, *rest] if name in _OBJECTS:
                write = method in ("PATCH", "DELETE") or (
                    method == "POST"
                    and rest in ([], ["batch", "create"], ["batch", "archive"], ["gdpr-delete"])
                )
                granted = self._lacking(_scope(name, write))
                return granted or self._crm(method, name, rest, query, body)
            case ["conversations", "v3", "conversations", "threads", *rest]:
                scope = "conversations.read" if method == "GET" else "conversations.write"
                return self._lacking(scope) or self.conversations(method, rest, query, body)
            case ["crm", "properties", _, "tickets", *rest]:
                return self._lacking("tickets") or self._properties(method, rest, body)
            case ["crm", "pipelines", *_]:
                return self._lacking("tickets") or (200, {"results": self.pipelines})
            case ["account-info", *_]:
                zone = {"timeZone": "Europe/Paris", "uiDomain": "app-eu1.hubspot.com"}
                return 200, {"portalId": 145, **zone}
            case ["oauth", "v2", "private-apps", "get", "access-token-info"]:
                return 200, {"hubId": 145, "scopes": sorted(self.scopes)}
            case _:
                return 404, self.error("no such path", "OBJECT_NOT_FOUND")

    def _lacking(self, scope: str) -> tuple[int, Any] | None:
        if scope in self.scopes:
            return None
        context = {"requiredGranularScopes": [scope]}
        errors = [{"message": "missing", "context": context}]
        return 403, self.error("This app hasn't been granted all required scopes", "MISSING_SCOPES",
                               errors)  # fmt: skip

    def _crm(
        self, method: str, name: str, rest: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        match method, rest:
            case "POST", []:
                return self._create(name, body)
            case "POST", ["search"]:
                return self._search(name, body)
            case "POST", ["batch", "read"]:
                return self._read(name, body)
            case "POST", ["batch", "archive"] | ["gdpr-delete"]:
                return self._delete(name, rest, body)
            case "DELETE", [ident]:
                return self._delete(name, ["batch", "archive"], {"inputs": [{"id": ident}]})
            case "GET", [ident] if query.get("archived") == "true":
                return self._in_bin(name, ident)
            case _, [ident]:
                field = query.get("idProperty")
                if field and field not in self.properties and name == "tickets":
                    return self._unknown(field)
                ident = self.merged.get(ident, ident) if name == "tickets" else ident
                item = self._by(name, field, ident) if field else self.objects[name].get(ident)
                if item is None:
                    return 404, self.error(f"Object not found: {ident}", "OBJECT_NOT_FOUND")
                if method == "PATCH":
                    refused = self._refused(name, body["properties"])
                    if refused:
                        return refused
                    item["properties"].update(body["properties"])
                wanted = [part for part in query.get("properties", "").split(",") if part]
                links = [part for part in query.get("associations", "").split(",") if part]
                return 200, self._shown(name, item, wanted, links)
            case _:
                return 405, self.error("not allowed", "METHOD_NOT_ALLOWED")

    def _delete(self, name: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if rest == ["batch", "archive"]:
            for entry in body["inputs"]:
                self._gone(name, entry["id"], bin_=True)
            return 204, {}
        if name not in self.for_good:
            return 400, self.error("not supported for this object type", "VALIDATION_ERROR")
        if not self._gone(name, body["objectId"]):
            return 404, self.error("Object not found", "OBJECT_NOT_FOUND")
        return 204, {}

    def _in_bin(self, name: str, ident: str) -> tuple[int, Any]:
        if (name, ident) in self.bin:
            return 200, self._shown(name, self.bin[name, ident], [], [])
        return 404, self.error("Object not found", "OBJECT_NOT_FOUND")

    def _gone(self, name: str, ident: str, *, bin_: bool = False) -> bool:
        """A record leaves, for good or into the recycle bin; what it was linked to forgets it."""
        item = self.objects[name].pop(ident, None)
        if item is None:
            return (name, ident) in self.bin and self.bin.pop((name, ident)) is not None
        if bin_:
            self.bin[name, ident] = item
        self.links = {
            link for link in self.links if (name, ident) not in (link[:2], link[2:])
        }  # fmt: skip
        return True

    def _refused(self, name: str, properties: dict[str, Any]) -> tuple[int, Any] | None:
        """What HubSpot says of values that a ticket cannot have."""
        if name != "tickets":
            return None
        for field in properties:
            if field not in self.properties:
                return self._unknown(field)
        stages = {
            stage["id"]
            for pipeline in self.pipelines
            if pipeline["id"] == properties.get("hs_pipeline", "77")
            for stage in pipeline["stages"]
        }
        stage = properties.get("hs_pipeline_stage", "1")
        if stage not in stages:
            message = f"Property values were not valid: {stage} is not a valid pipeline stage ID"
            return 400, self.error(message, "VALIDATION_ERROR")
        return None

    def _unknown(self, field: str) -> tuple[int, Any]:
        message = f'Property values were not valid: Property "{field}" does not exist'
        return 400, self.error(message, "VALIDATION_ERROR", [{"code": "PROPERTY_DOESNT_EXIST"}])

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        properties = {key: str(value) for key, value in body["properties"].items()}
        refused = self._refused(name, properties)
        if refused:
            return refused
        unique = self.unique.get(name)
        taken = self._by(name, unique, properties.get(unique, "")) if unique else None
        if taken and name == "contacts":
            message = f"Contact already exists. Existing ID: {taken['id']}"
            return 409, self.error(message, "CONFLICT")
        if taken:
            return 400, self.error(
                f"Property values were not valid: {unique} already has that value",
                "VALIDATION_ERROR",
                [{"code": "CONFLICTING_UNIQUE_VALUE"}],
            )
        links = [
            (_KINDS[link["types"][0]["associationTypeId"]], str(link["to"]["id"]))
            for link in body.get("associations", [])
        ]
        links = [(other, self.merged.get(ident, ident)) for other, ident in links]
        for other, ident in links:
            if ident not in self.objects[other]:
                message = f"One or more associations are not valid: {ident} does not exist"
                return 400, self.error(message, "VALIDATION_ERROR")
        number = self.next_id()
        item = {"id": number, "properties": properties, "createdAt": "2026-11-02T09:30:00.000Z"}
        self.objects[name][number] = item
        self.links |= {(name, number, other, ident) for other, ident in links}
        return 201, self._shown(name, item, list(properties), [])

    def _read(self, name: str, body: Any) -> tuple[int, Any]:
        ids = [entry["id"] for entry in body["inputs"]]
        found = [
            self._shown(name, self.objects[name][ident], body["properties"], [])
            for ident in ids
            if ident in self.objects[name]
        ]
        if len(found) == len(ids):
            return 200, {"status": "COMPLETE", "results": found}
        error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "not found"}
        return 207, {"status": "COMPLETE", "results": found, "numErrors": 1, "errors": [error]}

    def _search(self, name: str, body: Any) -> tuple[int, Any]:
        found = [
            self._shown(name, item, body.get("properties", []), [])
            for item in self.objects[name].values()
            if item["id"] not in self.unindexed
            and all(_holds(one, item["properties"]) for one in body["filterGroups"][0]["filters"])
        ]
        start = int(body.get("after") or 0)
        page = found[start : start + int(body["limit"])]
        more = start + len(page) < len(found)
        paging = {"paging": {"next": {"after": str(start + len(page))}}} if more else {}
        return 200, {"total": len(found), "results": page, **paging}

    def _shown(self, name: str, item: Any, wanted: list[str], links: list[str]) -> dict[str, Any]:
        shown = {"id": item["id"], "createdAt": item["createdAt"], "archived": False}
        shown["properties"] = {key: item["properties"].get(key) for key in wanted}
        near: dict[str, Any] = {}
        for other in links:
            ids = [b for a, x, o, b in self.links if (a, x, o) == (name, item["id"], other)]
            ids += [x for a, x, o, b in self.links if (a, o, b) == (other, name, item["id"])]
            if ids:
                near[other] = {"results": [{"id": one, "type": "x"} for one in sorted(set(ids))]}
        if near:
            shown["associations"] = near
        return shown

    def _properties(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"results": list(self.properties.values())}
        known: Any = self.groups if rest == ["groups"] else self.properties
        if body["name"] in known:
            return 409, self.error(f"{body['name']} already exists", "CONFLICT")
        if rest == ["groups"]:
            self.groups.add(body["name"])
        elif body["groupName"] not in self.groups:
            return 400, self.error("no such group", "VALIDATION_ERROR")
        else:
            self.properties[body["name"]] = body
        return 201, body

    def _by(self, name: str, field: str | None, value: str) -> dict[str, Any] | None:
        found = (
            item
            for item in self.objects[name].values()
            if str(item["properties"].get(field or "", "")).lower() == value.lower()
        )
        return next(found, None)

    def error(self, message: str, category: str, errors: Any = None) -> dict[str, Any]:
        return {
            "status": "error",
            "message": message,
            "correlationId": "c0ffee-1",
            "category": category,
            **({"errors": errors} if errors else {}),
        }


def _scope(name: str, write: bool) -> str:
    if name == "contacts":
        return f"crm.objects.contacts.{'write' if write else 'read'}"
    return "tickets"


def _holds(one: dict[str, Any], properties: dict[str, Any]) -> bool:
    value = properties.get(one["propertyName"])
    match one["operator"]:
        case "IN":
            return value in one["values"]
        case "GTE":
            limit = datetime.fromtimestamp(int(one["value"]) / 1000, UTC)
            return value is not None and datetime.fromisoformat(value) >= limit
        case _:
            return value is not None
