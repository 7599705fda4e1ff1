"""The main job on live providers, by the real command line: HubSpot, ClickUp and SMTP."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
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
from .standins.s3 import ACCESS, BUCKET, S3, SECRET
from .standins.smtp import Office, start

ROOT = Path(__file__).parent.parent
EMAIL = "client@example.com"


class Live:
    """The three providers on the loopback, and the program beside them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings: dict[str, str] = {}
        self.said = ""  # on standard error, by the last run
        self.told = ""  # on standard error
        self.hubspot, self.clickup, self.office = HubSpot(), ClickUp(), Office()
        self.relay: Controller = start(self.office)
        self.hubspot.clock = datetime.now(UTC) + timedelta(minutes=1)

    def environment(self) -> dict[str, str]:
        return {
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
            "HUBSPOT_SENDER_USER_ID": "42",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.relay.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "Figurative <support@figurative.example>",
            "ADMIN_EMAIL": "admin@figurative.example",
            **self.settings,
        }

    def run(self, *arguments: str) -> tuple[int, Any]:
        ran = subprocess.run(
            [sys.executable, "-m", "figsupport.cli", *arguments],
            env=self.environment(), cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert HUBSPOT_KEY not in ran.stdout + ran.stderr
        self.said = ran.stderr
        self.told += ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def client_answers(self, text: str) -> None:
        """The client answers our last letter; HubSpot opens a thread of its own for it."""
        _, letter = self.office.letters[-1]
        self.hubspot.client_writes(EMAIL, text, f"Re: {letter['Subject']}")

    def written(self) -> list[str]:
        """The kinds of letters on conversations."""
        messages = [one for thread in self.hubspot.threads.values() for one in thread["messages"]]
        texts = [one["text"] for one in messages if one["direction"] == "OUTGOING"]
        return [text.rpartition("[[")[2].partition(".")[0] for text in texts]

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
    live.hubspot.calls.clear()
    live.clickup.calls.clear()
    code, done = live.run("poll")
    assert (code, done["validated"], done["errors"]) == (0, 1, [])
    assert live.ticket()["validation_status"] == "validated"
    (task,) = live.clickup.children()
    assert live.ticket()["clickup_subtask_id"] == task["id"]
    (thread,) = live.hubspot.threads.values()
    assert live.ticket()["figsupport_thread_id"] == thread["id"]
    # the confirmation answers on the conversation that the client began
    assert live.kinds() == ["quote"]
    assert live.written() == ["confirmation"]
    assert len(live.hubspot.objects["emails"]) == 1
    # the list and the thread; status; the channel, the answer, its delivery
    assert len(live.hubspot.calls) == 6
    assert len(live.clickup.calls) == 2
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
    assert (live.kinds(), live.written()) == (["quote"], ["confirmation"])
    shutil.rmtree(live.home)
    ticket = next(iter(live.hubspot.objects["tickets"]))
    code, again = live.run("validate", ticket, "--credits", "2")
    assert (code, again["success"]) == (0, True)
    assert len(live.clickup.children()) == 1
    assert (live.kinds(), live.written()) == (["quote"], ["confirmation"])


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


def test_a_question_is_answered_by_a_person_and_a_yes_on_the_same_conversation_counts(
    live: Live,
) -> None:
    live.run("intake", "examples/request.json")
    live.client_answers("Vous livrez quand ?")
    code, done = live.run("poll")
    assert (code, done["questions"]) == (0, 1)
    assert live.kinds() == ["quote", "administrator"]
    (thread,) = live.hubspot.threads
    live.hubspot.clock += timedelta(minutes=9)
    live.hubspot.add_message(thread, EMAIL, "Merci. Je valide.", "Re: devis")
    assert live.run("poll")[1]["validated"] == 1
    assert live.written() == ["confirmation"]


def test_without_a_way_to_send_a_letter_is_a_draft_and_its_quote_is_not_open(live: Live) -> None:
    """Nothing is lost, what was not sent is said, and only a person's word opens the quote."""
    live.settings = {"SMTP_HOST": ""}
    code, report = live.run("health")
    assert (code, report["status"]) == (69, "degraded")
    assert "SMTP_HOST" in report["providers"]["mail"]["detail"]
    code, taken = live.run("intake", "examples/request.json")
    assert (code, taken["validation_status"]) == (0, "pending_credits")
    assert "NON ENVOYÉE" in taken["message"]
    ticket = taken["ticket_id"]
    (note,) = live.hubspot.objects["notes"].values()
    assert "LETTRE À ENVOYER" in note["properties"]["hs_note_body"]
    assert "lettre" in live.run("intake", "examples/request.json")[1]["message"]
    assert len(live.hubspot.objects["notes"]) == 1

    reference = live.run("tickets", ticket)[1]["mails"][0]["subject"]
    live.hubspot.client_writes(EMAIL, "Je valide", f"Re: {reference}")
    code, done = live.run("poll")
    assert (code, done["validated"], done["errors"]) == (0, 0, [])  # a person reads it
    assert live.clickup.children() == []

    assert live.run("tickets", ticket, "--sent")[0] == 0
    assert len(live.hubspot.objects["emails"]) == 1
    assert live.run("tickets", ticket, "--sent")[1]["error"]["code"] == "not_allowed"
    live.hubspot.clock = datetime.now(UTC) + timedelta(minutes=5)
    thread = next(iter(live.hubspot.threads))
    live.hubspot.add_message(thread, EMAIL, "Je valide", f"Re: {reference}")
    code, done = live.run("poll")
    assert (code, done["validated"]) == (0, 1)
    assert live.written() == ["confirmation"]


def test_a_draft_is_known_again_when_the_local_state_is_lost(live: Live) -> None:
    live.settings = {"SMTP_HOST": ""}
    ticket = live.run("intake", "examples/request.json")[1]["ticket_id"]
    shutil.rmtree(live.home)
    assert live.run("validate", ticket, "--credits", "2", "--quote")[0] == 0
    assert len(live.hubspot.objects["notes"]) == 1
    assert live.run("tickets", ticket)[1]["mails"][0]["way"] == "draft"


def test_a_merged_ticket_s_replies_reach_its_case(live: Live) -> None:
    ticket = live.run("intake", "examples/request.json")[1]["ticket_id"]
    live.hubspot.objects["tickets"]["9999"] = {
        "id": "9999", "properties": {"subject": "Vente"}, "createdAt": "2026-11-02T09:30:00.000Z",
    }  # fmt: skip
    live.hubspot.merge(ticket, into="9999")
    thread = live.hubspot.client_writes(EMAIL, "Je valide", "Re: votre devis", "9999")
    code, done = live.run("poll")
    assert (code, done["validated"], done["errors"]) == (0, 1, [])
    (task,) = live.clickup.children()
    merged = live.hubspot.objects["tickets"]["9999"]["properties"]
    assert merged["validation_status"] == "validated"
    assert merged["clickup_subtask_id"] == task["id"]
    assert merged["figsupport_thread_id"] == thread


def test_the_daily_limit_ends_the_round_with_75(live: Live) -> None:
    live.run("intake", "examples/request.json")
    live.hubspot.policy = "DAILY"
    live.hubspot.fail("GET", *[429] * 9)
    code, done = live.run("poll")
    assert (code, done["errors"][0]["code"]) == (75, "try_later")
    assert "goes on then by itself" in done["errors"][0]["hint"]


def test_files_go_to_the_bucket_and_are_linked(live: Live) -> None:
    server = S3()
    try:
        server.wait()
        live.settings = {
            "FIGSUPPORT_STORE": "r2",
            "R2_ACCESS_KEY_ID": ACCESS,
            "R2_SECRET_ACCESS_KEY": SECRET,
            "R2_BUCKET_NAME": BUCKET,
            "R2_ENDPOINT_URL": server.url,
            "R2_PUBLIC_URL": "https://files.figurative.example",
        }
        assert live.run("setup")[1]["there"][-1] == f"bucket {BUCKET} (takes a write)"
        assert live.run("health")[0] == 0
        code, taken = live.run("intake", "examples/request.json")
        assert (code, taken["files_uploaded"]) == (0, 1)
        (link,) = live.ticket()["fichiers_urls"].splitlines()
        assert link.startswith("https://files.figurative.example/")
        live.client_answers("Je valide")
        assert live.run("poll")[1]["validated"] == 1
        (task,) = live.clickup.children()
        assert link in task["markdown_content"]
        client: Any = server.client()
        keys = [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
        client.close()
        assert link.removeprefix("https://files.figurative.example/") in keys
        assert any(key.endswith(".json") for key in keys)  # the record of the acceptance
    finally:
        server.close()


def test_a_client_on_live_providers(live: Live, tmp_path: Path) -> None:
    live.run("setup")
    live.run("intake", "examples/request.json")
    live.client_answers("Je valide")
    assert live.run("poll")[1]["validated"] == 1
    foreign = {"subject": "Autre outil", "hs_pipeline": "77", "hs_pipeline_stage": "1"}
    (contact,) = live.hubspot.objects["contacts"]
    live.hubspot.objects["tickets"]["9999"] = {
        "id": "9999", "properties": foreign, "createdAt": "2026-11-02T09:30:00.000Z",
    }  # fmt: skip
    live.hubspot.links.add(("tickets", "9999", "contacts", contact))
    code, found = live.run("export", EMAIL, "--to", str(tmp_path / "x.zip"))
    assert (code, len(found["tickets"]), found["other_tickets"]) == (0, 1, ["9999"])
    data = json.loads(zipfile.ZipFile(tmp_path / "x.zip").read("donnees.json"))
    assert len(data["tickets"][0]["messages"]) >= 2
    code, done = live.run("erase", EMAIL, "--yes")
    assert code == 0
    told = "\n".join(done["stays"])
    for words in ("conversations are archived", "9999", "production subtask", "by mail",
                  "records of acceptances"):  # fmt: skip
        assert words in told
    assert list(live.hubspot.objects["tickets"]) == ["9999"]
    for kind in ("contacts", "notes", "emails"):
        assert live.hubspot.objects[kind] == {}
    assert live.hubspot.threads == {}
    letters = len(live.office.letters)
    code, round_ = live.run("poll")
    assert (code, round_["errors"], round_["strangers"]) == (0, [], [])
    assert len(live.office.letters) == letters
    assert live.run("erase", EMAIL, "--yes")[0] == 66


def test_a_lost_machine_forgets_what_the_desk_holds(live: Live) -> None:
    live.run("setup")
    live.run("intake", "examples/request.json")
    files = list(live.home.glob("files/*/0*"))
    assert files
    (live.home / "cases.sqlite").unlink()
    assert live.run("erase", EMAIL, "--yes")[0] == 65  # the quote is open
    code, done = live.run("erase", EMAIL, "--yes", "--force")
    assert (code, done["files"]) == (0, 1)
    assert not files[0].exists()
    assert live.hubspot.objects["tickets"] == {}
