"""HubSpot's conversations as their users meet them: threads by timestamp, newest message first.

A thread belongs to a contact, sometimes to a ticket; « 201 » is not delivery.
"""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_PAGE = 20


class Conversations:
    """The inboxes of one portal."""

    objects: dict[str, dict[str, dict[str, Any]]]

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = {}
        self.clock = _START
        #: why HubSpot cannot deliver what is written on threads, "" when it can
        self.undeliverable = ""

    def contact_of(self, email: str) -> str | None:
        raise NotImplementedError

    def next_id(self) -> str:
        raise NotImplementedError

    def error(self, message: str, category: str, errors: Any = None) -> dict[str, Any]:
        raise NotImplementedError

    # --- what a test does --------------------------------------------------------------------

    def client_writes(self, email: str, text: str, subject: str, ticket: str | None = None) -> str:
        """A client's mail arrives in the connected inbox; it opens a thread of its own."""
        self.clock += timedelta(minutes=1)
        number = self.next_id()
        thread: dict[str, Any] = {
            "id": number,
            "status": "OPEN",
            "associatedContactId": self.contact_of(email),
            "latestMessageReceivedTimestamp": self._stamp(),
            "latestMessageTimestamp": self._stamp(),
            "messages": [],
        }
        if ticket is not None:
            thread["threadAssociations"] = {"associatedTicketId": ticket}
        self.threads[number] = thread
        self.add_message(number, email, text, subject)
        return number

    def add_message(self, thread: str, email: str, text: str, subject: str, **more: Any) -> None:
        """One more message on a thread."""
        message = {
            "id": f"msg-{self.next_id()}",
            "type": "MESSAGE",
            "direction": "INCOMING",
            "createdAt": self._stamp(),
            "text": text,
            "richText": f"<div>{html.escape(text)}</div>",
            "subject": subject,
            "senders": [{"deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": email}}],
            "attachments": [],
            "channelId": "1002",
            "channelAccountId": "4711",
            "truncationStatus": "NOT_TRUNCATED",
            **more,
        }
        found = self.threads[thread]
        found["messages"].append(message)
        found["latestMessageTimestamp"] = self._stamp()
        ticket = found.get("threadAssociations", {}).get("associatedTicketId")
        if message["direction"] == "INCOMING":
            found["latestMessageReceivedTimestamp"] = self._stamp()
            if ticket in self.objects["tickets"]:
                properties = self.objects["tickets"][ticket]["properties"]
                properties["hs_last_message_received_at"] = self._stamp()

    # --- what HubSpot does -------------------------------------------------------------------

    def conversations(
        self, method: str, rest: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        if not rest:
            return 200, {"results": self._listed(query)}
        thread = self.threads.get(rest[0])
        if thread is None:
            return 404, self.error("no such thread", "OBJECT_NOT_FOUND")
        messages = sorted(thread["messages"], key=lambda one: one["createdAt"], reverse=True)
        match method, rest[1:]:
            case "GET", ["messages"]:
                return 200, self._page([self._cut(one) for one in messages], query)
            case "GET", ["messages", ident]:
                return 200, next(one for one in messages if one["id"] == ident)
            case "GET", ["messages", ident, "original-content"]:
                whole = next(one for one in messages if one["id"] == ident)
                return 200, {"text": whole["text"], "richText": whole["richText"]}
            case "POST", ["messages"]:
                return self._write(thread, body)
            case "DELETE", []:
                del self.threads[rest[0]]
                return 204, {}
            case _:
                return 404, self.error("no such path", "OBJECT_NOT_FOUND")

    def _write(self, thread: dict[str, Any], body: Any) -> tuple[int, Any]:
        needed = ("type", "text", "senderActorId", "channelId", "channelAccountId", "recipients")
        missing = [name for name in needed if not body.get(name)]
        if missing:
            return 400, self.error(f"missing: {', '.join(missing)}", "VALIDATION_ERROR")
        self.clock += timedelta(minutes=1)
        status: dict[str, Any] = {"statusType": "SENT"}
        if self.undeliverable:
            failure = {"errorMessage": self.undeliverable}
            status = {"statusType": "FAILED", "failureDetails": failure}
        more = {**body, "direction": "OUTGOING", "status": status}
        text, subject = more.pop("text"), more.pop("subject", "")
        self.add_message(thread["id"], "support@figurative.example", text, subject, **more)
        return 201, thread["messages"][-1]

    def _listed(self, query: dict[str, str]) -> list[dict[str, Any]]:
        threads = list(self.threads.values())
        if contact := query.get("associatedContactId"):
            wanted = (contact, query["threadStatus"])
            found = [
                one for one in threads if (one["associatedContactId"], one["status"]) == wanted
            ]
        else:
            after = _as_stamp(query.get("latestMessageTimestampAfter", ""))
            found = [one for one in threads if one["latestMessageTimestamp"] > after]
            found.sort(key=lambda one: str(one["latestMessageTimestamp"]))
        shown = [{key: one[key] for key in one if key != "messages"} for one in found]
        if query.get("association") != "TICKET":
            shown = [{key: one[key] for key in one if key != "threadAssociations"} for one in shown]
        return shown[: int(query.get("limit", "100"))]

    @staticmethod
    def _cut(message: dict[str, Any]) -> dict[str, Any]:
        """A long message as the list shows it."""
        if message["truncationStatus"] == "NOT_TRUNCATED":
            return message
        return {**message, "text": message["text"][:20], "richText": message["richText"][:20]}

    @staticmethod
    def _page(messages: list[Any], query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("after") or 0)
        page = messages[start : start + _PAGE]
        more = start + len(page) < len(messages)
        paging = {"paging": {"next": {"after": str(start + len(page))}}} if more else {}
        return {"results": page, **paging}

    def _stamp(self) -> str:
        return self.clock.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _as_stamp(text: str) -> str:
    if not text:
        return ""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return re.sub(r"\d{3}Z$", "Z", moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
