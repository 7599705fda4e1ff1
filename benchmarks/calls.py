"""How many calls each provider gets: by an intake, by a subtask, by a poll with k replies.

`python -m benchmarks.calls [--tickets N]` counts on the stand-ins that the tests use, through the
live adapters; N: how many tickets are pending when `poll` is counted.
"""

import argparse
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.standins import clickup as clickup_
from tests.standins import hubspot as hubspot_
from tests.standins.smtp import Office, start

from figsupport import polling, workflow
from figsupport.adapters.cases import LocalCases
from figsupport.core.model import Case, Request, SentLetter, TicketRef
from figsupport.services import Services
from figsupport.settings import Settings

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "examples" / "photos" / "fauteuil.jpg"


class Providers:
    """HubSpot, ClickUp and a mail server on the loopback, and one folder of state."""

    def __init__(self) -> None:
        self.hubspot, self.clickup, self.office = hubspot_.HubSpot(), clickup_.ClickUp(), Office()
        self.relay = start(self.office)
        self.home = Path(tempfile.mkdtemp(prefix="calls-"))
        self.hubspot.clock = datetime.now(UTC)

    def program(self) -> Services:
        return Services(
            Settings(
                figsupport_home=self.home, figsupport_sync="normal", figsupport_settle=0,
                figsupport_judge="rules", figsupport_store="local",
                hubspot_api_key=hubspot_.KEY, hubspot_base_url=self.hubspot.url,
                hubspot_hub_id="145", hubspot_pipeline_id="77", hubspot_stage_new="1",
                clickup_api_key=clickup_.KEY, clickup_base_url=self.clickup.url,
                clickup_parent_task_id=clickup_.PARENT, smtp_security="none",
                smtp_host="127.0.0.1", smtp_port=self.relay.port,
                mail_from="Figurative <support@figurative.example>",
                admin_email="admin@figurative.example",
            )
        )  # fmt: skip

    def counted(self, work: Any) -> tuple[int, int]:
        """Return how many calls HubSpot and ClickUp got while the work was done."""
        before = len(self.hubspot.calls), len(self.clickup.calls)
        services = self.program()
        work(services)
        services.close()
        return len(self.hubspot.calls) - before[0], len(self.clickup.calls) - before[1]

    def answer(self, case: Case, text: str) -> None:
        """The client answers our letter; a conversation of its own begins."""
        self.hubspot.clock += timedelta(seconds=1)
        subject = f"Re: votre devis [#{case.reference}]"
        self.hubspot.client_writes(case.request.user_email, text, subject)

    def close(self) -> None:
        self.relay.stop()
        self.hubspot.close()
        self.clickup.close()
        shutil.rmtree(self.home)


def a_request(number: int, email: str) -> Request:
    return Request.model_validate(
        {
            "source": "modelisation",
            "objet": f"Fauteuil {number}",
            "description": "Un fauteuil à modéliser avec ses textures.",
            "user_email": email,
            "user_name": "Jean Dupont",
            "request_id": f"form-{number}",
            "fichiers": [{"name": PHOTO.name, "path": str(PHOTO)}],
        }
    )


def pending(providers: Providers, count: int) -> list[Case]:
    """Fill the desk and the journal with cases whose quote is open, as intakes leave them."""
    journal = LocalCases(providers.home, "normal")
    first = journal.load("form-0")
    assert first is not None
    assert first.ticket is not None
    ticket = providers.hubspot.objects["tickets"][first.ticket.id]
    cases = []
    for number in range(1_000, 1_000 + count):
        email = f"client{number}@example.com"
        contact: dict[str, Any] = {"id": f"7{number}", "createdAt": "x"}
        contact["properties"] = {"email": email}
        providers.hubspot.objects["contacts"][contact["id"]] = contact
        ident = f"8{number}"
        key = f"form-{number}"
        properties = {**ticket["properties"], "figsupport_key": key}
        providers.hubspot.objects["tickets"][ident] = {
            **ticket, "id": ident, "properties": properties,
        }  # fmt: skip
        providers.hubspot.links.add(("tickets", ident, "contacts", contact["id"]))
        letters = tuple(_to(mail, key, email) for mail in first.mails)
        case = first.with_(
            id=key, request=a_request(number, email), ticket=TicketRef(id=ident), mails=letters
        )
        journal.save(case, unfinished=False)
        cases.append(case)
    journal.close()
    return cases


def _to(mail: SentLetter, key: str, email: str) -> SentLetter:
    return mail.model_copy(update={"to": email, "key": mail.key.replace("form-0", key)})


def said(what: str, count: int, goal: str) -> None:
    """Print a line of the table."""
    print(f"{what:52} {count:3}   goal {goal}")


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    given = parser.parse_args()
    providers = Providers()
    try:
        for number, contact, goal in ((0, "new", "≤ 5"), (1, "known", "≤ 4")):
            request = a_request(number, "jean@example.com")
            calls, _ = providers.counted(partial(workflow.intake, request))
            said(f"intake, {contact} contact: HubSpot", calls, goal)
        providers.counted(polling.poll_pending_tickets)  # the first poll has no watermark
        for count in (20, given.tickets):
            cases = pending(providers, count)
            calls, _ = providers.counted(polling.poll_pending_tickets)
            said(f"poll, {count} pending tickets, nothing new: HubSpot", calls, "1")
            for replies in (1, 10):
                for case in cases[:replies]:
                    providers.answer(case, "Vous livrez quand ?")
                cases = cases[replies:]
                before = len(providers.hubspot.calls)
                providers.counted(polling.poll_pending_tickets)
                made = providers.hubspot.calls[before:]
                read = sum(1 for call in made if call.startswith("GET /conversations"))
                said(f"poll, {replies} replies: HubSpot, to read them", read, f"1 + {replies}")
        providers.answer(cases[0], "Je valide")
        calls, subtask = providers.counted(polling.poll_pending_tickets)
        said("an acceptance: ClickUp, for the subtask", subtask, "≤ 2")
        said("an acceptance: HubSpot, all of it", calls, "–")
    finally:
        providers.close()


if __name__ == "__main__":
    main()
