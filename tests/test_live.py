"""The main job on live providers, by the real command line: HubSpot, ClickUp and SMTP."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from .standins.clickup import KEY as CLICKUP_KEY
from .standins.clickup import PARENT, ClickUp
from .standins.hubspot import KEY as HUBSPOT_KEY
from .standins.hubspot import HubSpot
from .standins.smtp import Office, start

ROOT = Path(__file__).parent.parent
EMAIL = "client@example.com"


class Live:
    """The three providers on the loopback, and the program beside them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.hubspot, self.clickup, self.office = HubSpot(), ClickUp(), Office()
        self.relay: Controller = start(self.office)
        self.hubspot.clock = datetime.now(UTC) + timedelta(minutes=1)

    def run(self, *arguments: str) -> tuple[int, Any]:
        environment = {
            **os.environ,
            "FIGSUPPORT_HOME": str(self.home),
            "FIGSUPPORT_STORE": "local",
            "FIGSUPPORT_JUDGE": "rules",
            "FIGSUPPORT_SETTLE": "0",
            "HUBSPOT_API_KEY": HUBSPOT_KEY,
            "HUBSPOT_BASE_URL": self.hubspot.url,
            "HUBSPOT_HUB_ID": "145",
            "HUBSPOT_PIPELINE_ID": "77",
            "HUBSPOT_STAGE_NEW": "1",
            "CLICKUP_API_KEY": CLICKUP_KEY,
            "CLICKUP_BASE_URL": self.clickup.url,
            "CLICKUP_PARENT_TASK_ID": PARENT,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.relay.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "Figurative <support@figurative.example>",
            "ADMIN_EMAIL": "admin@figurative.example",
        }
        ran = subprocess.run(
            [sys.executable, "-m", "figsupport.cli", *arguments],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert HUBSPOT_KEY not in ran.stdout + ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def client_answers(self, text: str) -> None:
        """The client answers our last letter; HubSpot opens a thread of its own for it."""
        _, letter = self.office.letters[-1]
        self.hubspot.client_writes(EMAIL, text, f"Re: {letter['Subject']}")

    def ticket(self) -> dict[str, str]:
        (ticket,) = self.hubspot.objects["tickets"].values()
        return dict(ticket["properties"])

    def kinds(self) -> list[str]:
        return [
            str(letter["Message-ID"])[1:].partition(".")[0] for _, letter in self.office.letters
        ]

    def close(self) -> None:
        self.relay.stop()
        self.clickup.close()
        self.hubspot.close()


@pytest.fixture
def live(tmp_path: Path, socket_enabled: None) -> Iterator[Live]:
    providers = Live(tmp_path / "home")
    yield providers
    providers.close()


def test_the_main_job(live: Live) -> None:
    live.hubspot.forget_setup()
    assert live.run("health")[1]["status"] == "unhealthy"
    code, made = live.run("setup")
    assert (code, len(made["made"]), made["there"]) == (0, 6, [])
    live.hubspot.calls.clear()
    code, taken = live.run("intake", "examples/request.json")
    assert (code, taken["validation_status"]) == (0, "pending_credits")
    assert taken["ticket_url"].endswith(f"/145/ticket/{taken['ticket_id']}")
    assert len(live.hubspot.calls) == 5  # contact read and made, ticket, status, letter record
    assert live.ticket()["credits_estimes"] == "2"
    assert live.kinds() == ["quote"]

    code, done = live.run("poll")
    assert (code, done["replies"], done["calls"]) == (0, 0, {"hubspot": 1})
    live.client_answers("Je valide")
    code, done = live.run("poll")
    assert (code, done["validated"], done["errors"]) == (0, 1, [])
    assert live.ticket()["validation_status"] == "validated"
    (task,) = live.clickup.children()
    assert live.ticket()["clickup_subtask_id"] == task["id"]
    assert live.kinds() == ["quote", "confirmation"]
    assert len(live.hubspot.objects["emails"]) == 2
    assert live.run("health")[1]["status"] == "healthy"


def test_a_known_contact_costs_one_call_less(live: Live) -> None:
    live.run("intake", "examples/request.json")
    live.hubspot.calls.clear()
    request = json.loads((ROOT / "examples" / "request-incomplete.json").read_text("utf-8"))
    live.run("intake", json.dumps({**request, "user_email": EMAIL}))
    assert len(live.hubspot.calls) == 4


def test_the_desk_is_the_record(live: Live) -> None:
    """With the local state deleted, poll and validate go on from what HubSpot holds."""
    live.run("intake", "examples/request.json")
    live.client_answers("Je valide")
    shutil.rmtree(live.home)
    code, done = live.run("poll")
    assert (code, done["validated"], done["errors"]) == (0, 1, [])
    assert len(live.clickup.children()) == 1
    assert live.kinds() == ["quote", "confirmation"]
    shutil.rmtree(live.home)
    ticket = next(iter(live.hubspot.objects["tickets"]))
    code, again = live.run("validate", ticket, "--credits", "2")
    assert (code, again["success"]) == (0, True)
    assert len(live.clickup.children()) == 1
    assert live.kinds() == ["quote", "confirmation"]


def test_other_tickets_of_the_portal_are_left_alone(live: Live) -> None:
    live.run("intake", "examples/request.json")
    live.hubspot.objects["tickets"]["9999"] = {
        "id": "9999", "properties": {"subject": "Vente"}, "createdAt": "2026-11-02T09:30:00.000Z",
    }  # fmt: skip
    live.hubspot.client_writes("someone@example.com", "Bonjour", "Vente", "9999")
    code, done = live.run("poll")
    assert (code, done["replies"], done["strangers"], done["errors"]) == (0, 0, [], [])
    assert live.hubspot.objects["notes"] == {}
    assert live.kinds() == ["quote"]


FAULTS = [
    ("GET /crm/objects/2026-09/contacts", 503),
    ("POST /crm/objects/2026-09/contacts", "lost after"),
    ("POST /crm/objects/2026-09/tickets", "lost before"),
    ("POST /crm/objects/2026-09/tickets", "garbage"),
    ("PATCH /crm/objects/2026-09/tickets", 500),
    ("POST /crm/objects/2026-09/emails", "lost after"),
    ("GET /conversations", "reset"),
    ("GET /task", 503),
    ("POST /list", "lost after"),
    ("POST /list", 429),
]


@pytest.mark.parametrize(("call", "fault"), FAULTS)
def test_a_fault_loses_and_doubles_nothing(live: Live, call: str, fault: str | int) -> None:
    """A sample of the faults of every provider call of the path of an acceptance."""
    for server in (live.hubspot, live.clickup):
        server.fail(call, fault)
    live.run("intake", "examples/request.json")
    live.run("poll")
    live.client_answers("Je valide")
    for _ in range(3):
        code, done = live.run("poll")
    assert (code, done["errors"]) == (0, [])
    assert live.ticket()["validation_status"] == "validated"
    assert len(live.hubspot.objects["contacts"]) == 1
    assert len(live.clickup.children()) == 1
    assert len(live.hubspot.objects["emails"]) == 2
    assert live.kinds() == ["quote", "confirmation"]
