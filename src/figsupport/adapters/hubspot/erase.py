"""Forgetting in HubSpot: records for good where the account allows it, else its recycle bin.

`gdpr-delete` deletes a record at once and for good; an archived one can be restored for 90 days,
an archived conversation for 30. Whether an account may delete tickets for good is not verified:
where it refuses, they are archived, and that is said.
"""

from figsupport.adapters.http import Http
from figsupport.adapters.hubspot.api import CRM
from figsupport.adapters.hubspot.threads import Threads
from figsupport.errors import NotFound, Refused

_MOST_A_CALL = 100
_NAMES = {"tickets": "The ticket", "contacts": "The contact"}


def erase_record(http: Http, kind: str, ident: str) -> tuple[str, ...]:
    """Delete a contact or a ticket; say so when HubSpot only puts it into its recycle bin."""
    body = {"objectId": ident}
    try:
        http.send("POST", f"{CRM}/{kind}/gdpr-delete", body, repeatable=True)
    except (NotFound, Refused):  # gone already, or this account does not offer it
        try:
            http.send("DELETE", f"{CRM}/{kind}/{ident}", None, repeatable=True)
            http.get(f"{CRM}/{kind}/{ident}", archived="true")
        except NotFound:
            return ()
        return (
            f"{_NAMES[kind]} {ident} is in HubSpot's recycle bin for 90 days: delete it there "
            "for good (its menu Actions › Delete).",
        )
    return ()


def archive(http: Http, kind: str, idents: list[str]) -> None:
    """Archive notes or e-mail records, a hundred a call; what is gone already is none."""
    for start in range(0, len(idents), _MOST_A_CALL):
        inputs = [{"id": one} for one in idents[start : start + _MOST_A_CALL]]
        path = f"{CRM}/{kind}/batch/archive"
        http.send("POST", path, {"inputs": inputs}, repeatable=True)


def archive_threads(threads: Threads, contact: str) -> tuple[str, ...]:
    """Archive the conversations of a contact; HubSpot deletes them 30 days later."""
    found = threads.of_contact(contact) + threads.of_contact(contact, "CLOSED")
    for thread in found:
        threads.archive(str(thread["id"]))
    if not found:
        return ()
    return (
        f"{len(found)} conversations are archived; HubSpot deletes them for good after 30 days. "
        "The mailbox connected to its inbox keeps its own copies: delete them there.",
    )
