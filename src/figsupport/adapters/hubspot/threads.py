"""HubSpot's conversations: threads that moved, their messages, an answer on a thread."""

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from figsupport.adapters.http import Http
from figsupport.adapters.hubspot.api import Pages, moment
from figsupport.core.model import Attachment, Letter, Message
from figsupport.errors import NotFound

_THREADS = "conversations/v3/conversations/threads"
_PAGE = 500
_MOST_PAGES = 20
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_MARKER = re.compile(r"\[\[([a-z0-9._]{1,60}\.[A-Z2-7]{10})\]\]")


class Threads:
    """The conversations of the account's inboxes."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def moved(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Return the threads that moved since a moment; equal timestamps never stall it.

        HubSpot sorts them ascending only, and its cursor is for another order: the next page
        begins at the last timestamp of this one.
        """
        seen: set[str] = set()
        while True:
            page = self._http.get(
                _THREADS,
                sort="latestMessageTimestamp",
                latestMessageTimestampAfter=since.isoformat(),
                association="TICKET",
                limit=str(_PAGE),
            ).get("results") or []  # fmt: skip
            fresh = [thread for thread in page if str(thread["id"]) not in seen]
            yield from fresh
            seen.update(str(thread["id"]) for thread in fresh)
            if len(page) < _PAGE or not fresh:
                return
            since = moment(page[-1]["latestMessageTimestamp"]) - timedelta(milliseconds=1)

    def of_contact(self, contact: str, status: str = "OPEN") -> list[dict[str, Any]]:
        """Return the threads of a contact that are OPEN or CLOSED, with their tickets."""
        query = {"associatedContactId": contact, "threadStatus": status, "association": "TICKET"}
        return list(self._http.get(_THREADS, **query).get("results") or [])

    def archive(self, thread: str) -> None:
        """Archive a thread; one that is gone already is none."""
        with suppress(NotFound):
            self._http.send("DELETE", f"{_THREADS}/{thread}", None, repeatable=True)

    def incoming(self, thread: str, ticket: str | None, since: datetime | None) -> list[Message]:
        """Return what the client wrote since a moment (None: ever), oldest first."""
        return [
            _their_message(self._whole(thread, message), thread, ticket)
            for message in self._messages(thread, since)
            if message.get("type") == "MESSAGE" and message.get("direction") == "INCOMING"
        ]

    def letters(self, thread: str, ticket: str) -> list[Message]:
        """Return our own letters on a thread that left, oldest first."""
        found = []
        for message in self._messages(thread, None):
            marked = _MARKER.search(str(message.get("text") or ""))
            if marked and message.get("direction") == "OUTGOING" and not _failure(message):
                found.append(_our_message(message, marked[1], ticket))
        return found

    def write(self, letter: Letter, thread: str, user: str) -> str:
        """Answer on a thread; return why HubSpot could not deliver it, or "".

        The letter's own name stands at its end, so that it is found again when in doubt.
        """
        latest = next(
            (one for one in self._page(thread, "").results if one.get("channelAccountId")), None
        )
        if latest is None:
            return "the thread has no channel to answer on"
        marker = f"[[{_name(letter)}]]"
        answer = self._http.send(
            "POST",
            f"{_THREADS}/{thread}/messages",
            {
                "type": "MESSAGE",
                "text": f"{letter.text}\n{marker}",
                "richText": f'{_body(letter.html)}<p style="color:#bbb;font-size:9px">{marker}</p>',
                "subject": letter.subject,
                "recipients": [
                    {
                        "recipientField": "TO",
                        "deliveryIdentifiers": [{"type": "HS_EMAIL_ADDRESS", "value": letter.to}],
                    }
                ],
                "senderActorId": f"A-{user}",
                "channelId": latest["channelId"],
                "channelAccountId": latest["channelAccountId"],
            },
            repeatable=False,
        )
        # « 201 » is not delivery
        return _failure(self._http.get(f"{_THREADS}/{thread}/messages/{answer['id']}"))

    def has(self, letter: Letter, thread: str) -> bool:
        """Tell whether this letter left on the thread."""
        return any(one.id == f"<{_name(letter)}@hubspot>" for one in self.letters(thread, ""))

    def _messages(self, thread: str, since: datetime | None) -> list[dict[str, Any]]:
        """Return the messages of a thread, oldest first; HubSpot gives the newest first."""
        found: list[dict[str, Any]] = []
        after = ""
        for _ in range(_MOST_PAGES):
            page = self._page(thread, after)
            found += page.results
            after = page.after
            oldest = min((moment(one["createdAt"]) for one in page.results), default=_BEGINNING)
            if not after or (since is not None and oldest < since):
                break
        return sorted(found, key=lambda one: moment(one["createdAt"]))

    def _page(self, thread: str, after: str) -> Pages:
        query = {"after": after} if after else {}
        return Pages.of(self._http.get(f"{_THREADS}/{thread}/messages", **query))

    def _whole(self, thread: str, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message with its whole text, which HubSpot cuts when it is long."""
        if not str(message.get("truncationStatus") or "").startswith("TRUNCATED"):
            return message
        path = f"{_THREADS}/{thread}/messages/{message['id']}/original-content"
        whole = self._http.get(path)
        return {**message, **{name: whole[name] for name in ("text", "richText") if name in whole}}


def _their_message(message: dict[str, Any], thread: str, ticket: str | None) -> Message:
    senders = message.get("senders") or [{}]
    sender = str((senders[0].get("deliveryIdentifier") or {}).get("value") or "")
    return Message(
        id=str(message["id"]),
        ticket_id=ticket,
        thread=thread,
        sender=sender.lower(),
        sender_name=str(senders[0].get("name") or ""),
        subject=str(message.get("subject") or ""),
        text=str(message.get("text") or ""),
        html=message.get("richText"),
        sent_at=moment(message["createdAt"]),
        attachments=tuple(
            # a file without a link is asked for again, like any that cannot be fetched
            Attachment(name=str(file.get("name") or "fichier"), url=file.get("url") or None)
            for file in message.get("attachments") or []
            if file.get("url") or file.get("fileId") or file.get("name")
        ),
    )


def _our_message(message: dict[str, Any], name: str, ticket: str) -> Message:
    return Message(
        id=f"<{name}@hubspot>",
        direction="out",
        ticket_id=ticket,
        sender="",
        subject=str(message.get("subject") or ""),
        text=_MARKER.sub("", str(message.get("text") or "")).rstrip() + "\n",
        sent_at=moment(message["createdAt"]),
    )


def _failure(message: dict[str, Any]) -> str:
    status = message.get("status") or {}
    if status.get("statusType") != "FAILED":
        return ""
    return str((status.get("failureDetails") or {}).get("errorMessage") or "no reason given")


def _name(letter: Letter) -> str:
    return letter.message_id[1:].partition("@")[0]


def _body(page: str) -> str:
    found = re.search(r"<body[^>]*>(.*)</body>", page, re.DOTALL)
    return found[1].strip() if found else f"<p>{html.escape(page)}</p>"
