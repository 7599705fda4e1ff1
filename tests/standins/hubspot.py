"""HubSpot as its users meet it: unique conflicts, associations, threads, rate limits.

Property values are strings; unknown ids are 404; a taken e-mail is 409 with « Existing ID »;
a taken unique value is 400 VALIDATION_ERROR; errors carry a correlation id.
"""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from .server import StandIn

KEY = "pat-eu1-good"
_OBJECTS = ("contacts", "tickets", "notes", "emails")
_UNIQUE = {"contacts": "email", "tickets": "figsupport_key"}
_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class HubSpot(StandIn):
    """One portal."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in _OBJECTS}
        self.links: set[tuple[str, str, str, str]] = set()
        self.threads: dict[str, dict[str, Any]] = {}
        self.properties: dict[str, dict[str, Any]] = {
            "subject": {"name": "subject", "type": "string"}
        }
        self.groups: set[str] = set()
        self._number = 200
        self.clock = _START

    # --- what a test does ------------------------------------------------------------------

    def client_writes(self, email: str, text: str, subject: str, ticket: str | None = None) -> str:
        """A client's mail arrives in the connected inbox; it opens a thread of its own."""
        self.clock += timedelta(minutes=1)
        number = self._next()
        contact = self._by("contacts", "email", email)
        moment = self.clock.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        thread: dict[str, Any] = {
            "id": number,
            "associatedContactId": contact["id"] if contact else None,
            "latestMessageReceivedTimestamp": moment,
            "latestMessageTimestamp": moment,
            "messages": [],
        }
        if ticket is not None:
            thread["threadAssociations"] = {"associatedTicketId": ticket}
        self.threads[number] = thread
        self.add_message(number, email, text, subject)
        return number

    def add_message(self, thread: str, email: str, text: str, subject: str, **more: Any) -> None:
        """One more message on a thread."""
        moment = self.clock.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        message = {
            "id": f"msg-{self._next()}",
            "type": "MESSAGE",
            "direction": "INCOMING",
            "createdAt": moment,
            "text": text,
            "richText": f"<div>{html.escape(text)}</div>",
            "subject": subject,
            "senders": [{"deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": email}}],
            "attachments": [],
            "truncationStatus": "NOT_TRUNCATED",
            **more,
        }
        found = self.threads[thread]
        found["messages"].append(message)
        found["latestMessageTimestamp"] = moment

    # --- what HubSpot does -----------------------------------------------------------------

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        if status == 429:
            body = self._error("You have reached your limit", "RATE_LIMITS")
            return 429, {**body, "policyName": "TEN_SECONDLY_ROLLING"}, {}
        return status, self._error("internal error", "INTERNAL_ERROR"), {}

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if headers.get("Authorization") != f"Bearer {KEY}":
            return (
                401,
                self._error("Authentication credentials not found", "INVALID_AUTHENTICATION"),
                {},
            )
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:2] == ["crm", "objects"] and parts[3] in _OBJECTS:
            status, answer = self._crm(method, parts[3], parts[4:], query, body)
        elif parts[:4] == ["conversations", "v3", "conversations", "threads"]:
            status, answer = self._conversations(parts[4:], query)
        elif parts[:2] == ["crm", "properties"]:
            status, answer = self._properties(method, parts[4:], body)
        elif parts[:2] == ["crm", "pipelines"]:
            stages = [{"id": "1", "label": "Nouveau"}, {"id": "2", "label": "Fermé"}]
            status, answer = 200, {"results": [{"id": "77", "label": "Support", "stages": stages}]}
        elif parts[0] == "account-info":
            status, answer = 200, {"portalId": 145, "uiDomain": "app-eu1.hubspot.com"}
        else:
            status, answer = 404, self._error("no such path", "OBJECT_NOT_FOUND")
        return status, answer, {"X-HubSpot-RateLimit-Remaining": "99"}

    def _crm(
        self, method: str, name: str, rest: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        match method, rest:
            case "POST", []:
                return self._create(name, body)
            case "POST", ["batch", "read"]:
                wanted = body["properties"]
                found = [
                    self._shown(name, self.objects[name][entry["id"]], wanted, [])
                    for entry in body["inputs"]
                    if entry["id"] in self.objects[name]
                ]
                missing = len(found) < len(body["inputs"])
                return (207 if missing else 200), {"results": found}
            case _, [ident]:
                field = query.get("idProperty")
                item = self._by(name, field, ident) if field else self.objects[name].get(ident)
                if item is None:
                    return 404, self._error(f"Object not found: {ident}", "OBJECT_NOT_FOUND")
                if method == "PATCH":
                    item["properties"].update(body["properties"])
                wanted = [part for part in query.get("properties", "").split(",") if part]
                links = [part for part in query.get("associations", "").split(",") if part]
                return 200, self._shown(name, item, wanted, links)
            case _:
                return 405, self._error("not allowed", "METHOD_NOT_ALLOWED")

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        properties = {key: str(value) for key, value in body["properties"].items()}
        unique = _UNIQUE.get(name)
        taken = self._by(name, unique, properties.get(unique, "")) if unique else None
        if taken and name == "contacts":
            return 409, self._error(
                f"Contact already exists. Existing ID: {taken['id']}", "CONFLICT"
            )
        if taken:
            return 400, self._error(
                f"Property values were not valid: {unique} already has that value",
                "VALIDATION_ERROR",
                [{"code": "CONFLICTING_UNIQUE_VALUE"}],
            )
        kinds = {16: "contacts", 228: "tickets", 202: "contacts", 198: "contacts", 224: "tickets"}
        links = [
            (kinds[link["types"][0]["associationTypeId"]], str(link["to"]["id"]))
            for link in body.get("associations", [])
        ]
        for other, ident in links:
            if ident not in self.objects[other]:
                message = f"One or more associations are not valid: {ident} does not exist"
                return 400, self._error(message, "VALIDATION_ERROR")
        number = self._next()
        item = {"id": number, "properties": properties, "createdAt": "2026-11-02T09:30:00.000Z"}
        self.objects[name][number] = item
        self.links |= {(name, number, other, ident) for other, ident in links}
        return 201, self._shown(name, item, list(properties), [])

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
            return 409, self._error(f"{body['name']} already exists", "CONFLICT")
        if rest == ["groups"]:
            self.groups.add(body["name"])
        elif body["groupName"] not in self.groups:
            return 400, self._error("no such group", "VALIDATION_ERROR")
        else:
            self.properties[body["name"]] = body
        return 201, body

    def _conversations(self, rest: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if not rest:
            after = query.get("latestMessageTimestampAfter", "")
            moved = [
                {key: value for key, value in thread.items() if key != "messages"}
                for thread in self.threads.values()
                if thread["latestMessageTimestamp"] > _stamp(after)
            ]
            moved.sort(key=lambda thread: str(thread["latestMessageTimestamp"]))
            return 200, {"results": moved[: int(query.get("limit", "100"))]}
        thread = self.threads.get(rest[0])
        if thread is None or rest[1:] != ["messages"]:
            return 404, self._error("no such thread", "OBJECT_NOT_FOUND")
        return 200, {"results": thread["messages"]}

    def _by(self, name: str, field: str | None, value: str) -> dict[str, Any] | None:
        found = (
            item
            for item in self.objects[name].values()
            if str(item["properties"].get(field or "", "")).lower() == value.lower()
        )
        return next(found, None)

    def _next(self) -> str:
        self._number += 1
        return str(self._number)

    def _error(self, message: str, category: str, errors: Any = None) -> dict[str, Any]:
        return {
            "status": "error",
            "message": message,
            "correlationId": "c0ffee-1",
            "category": category,
            **({"errors": errors} if errors else {}),
        }


def _stamp(text: str) -> str:
    if not text:
        return ""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return re.sub(r"\d{3}Z$", "Z", moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
