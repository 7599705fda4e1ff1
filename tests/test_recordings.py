"""What went over the wire to HubSpot, ClickUp and Claude, kept as cassettes, replayed offline.

`python -m tests.test_recordings` records them against the stand-ins; `… --live` against the real
accounts whose keys are in the environment or in `.env` (it opens a contact and a ticket there and a
subtask under the parent task, all named « figsupport cassette », and asks Claude three questions). The first line of a cassette
says which of the two it is.
"""

import argparse
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import vcr

from figsupport import steps
from figsupport.adapters.clickup import ClickUpBoard
from figsupport.adapters.clickup import open_api as open_clickup
from figsupport.adapters.http import Patience
from figsupport.adapters.hubspot import Account, HubSpotDesk, Portal, open_api
from figsupport.core.model import SentLetter
from figsupport.errors import NotFound, Refused
from figsupport.ports import SubtaskDraft, TicketDraft
from figsupport.settings import load

from .standins import anthropic as anthropic_
from .standins import clickup as clickup_
from .standins import hubspot as hubspot_
from .test_claude import BUT, PHOTO, VAGUE, judge_on, labelled

FOLDER = Path(__file__).parent / "cassettes"
STAND_IN = "# Recorded against the stand-ins of tests/standins, not against the real provider.\n"
LIVE = "# Recorded against the real provider.\n"
EMAIL = "figsupport-cassette@example.com"
KEY = "figsupport-cassette-1"
WHEN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class Accounts(NamedTuple):
    """Who is asked: addresses, keys, and where things go."""

    hubspot: str = "https://hubspot.invalid"
    hubspot_key: str = "none"
    portal: Portal = Portal("145", "77", "1")
    clickup: str = "https://clickup.invalid"
    clickup_key: str = "none"
    parent: str = clickup_.PARENT
    claude: str = "https://claude.invalid"
    claude_key: str = "none"

    def desk(self) -> HubSpotDesk:
        account = Account()
        http = open_api(self.hubspot_key, self.hubspot, account, patience=Patience(10, 0))
        return HubSpotDesk(http, lambda: WHEN, self.portal, account)

    def board(self) -> ClickUpBoard:
        return ClickUpBoard(open_clickup(self.clickup_key, self.clickup), self.parent, settle=0)


def intake(accounts: Accounts) -> None:
    """A contact, a ticket once, its status, the record of a letter, all of it read again."""
    desk = accounts.desk()
    contact = steps.find_or_create_contact(EMAIL, "figsupport cassette", desk)
    draft = TicketDraft(KEY, "ABCDEFGHIJ", "figsupport cassette", "Un <fauteuil>", contact.id, {})
    ticket, _ = steps.create_ticket(draft, desk)
    again, new = steps.create_ticket(draft, desk)
    assert (again.id, new) == (ticket.id, False)
    steps.update_ticket_property(ticket.id, {"validation_status": "pending_credits"}, desk)
    letter = SentLetter(
        kind="quote", key=f"{KEY}:mail:quote:1", message_id="<quote.1.ABCDEFGHIJ@example.com>",
        to=EMAIL, subject="Devis", text="2 crédits\n", sent_at=WHEN,
    )  # fmt: skip
    steps.record_letter(ticket.id, "record:quote:1", letter, desk)
    assert desk.has_note(ticket.id, "record:quote:1")
    found = desk.get_ticket(ticket.id)
    assert (found.key, found.contact_email) == (KEY, EMAIL)
    assert found.properties["validation_status"] == "pending_credits"
    assert [mail.id for mail in desk.get_messages_for_ticket(ticket.id)] == [letter.message_id]
    desk.close()


def poll(accounts: Accounts) -> None:
    """New messages since a moment (to come: nobody's mail is recorded), and what is not there."""
    desk = accounts.desk()
    news = desk.new_messages('["2100-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00", {}]')
    assert news.watermark
    assert desk.find_contact("nobody-at-all@example.com") is None
    with pytest.raises(NotFound):
        desk.get_ticket("1")
    desk.close()


def refused(accounts: Accounts) -> None:
    """A property that does not exist is refused, and the answer says which."""
    desk = accounts.desk()
    ticket = desk.find_ticket(KEY)
    assert ticket is not None
    with pytest.raises(Refused, match="no_such_property"):
        desk.update_ticket(ticket.id, {"no_such_property": "x"})
    desk.close()


def subtask(accounts: Accounts) -> None:
    """A subtask, found by its marker."""
    board = accounts.board()
    draft = SubtaskDraft(KEY, "[REF-CASSETTE]", "figsupport cassette [REF-CASSETTE]", "**Client**")
    found = board.find_subtask(draft.marker) or board.create_subtask(draft)
    again = board.find_subtask(draft.marker)
    assert again is not None
    assert again.id == found.id
    board.close()


def judgement(accounts: Accounts) -> None:
    """A request that the rules are not sure of, by two models, and a yes with a but."""
    judge = judge_on(None, url=accounts.claude, key=accounts.claude_key)
    assert judge.classify(VAGUE).by == "claude"
    assert judge.analyze(VAGUE, PHOTO).credits in {1, 2, None}
    case = labelled(BUT)
    reply = judge.read(case.message, case.case)
    assert reply.intent != "accept"
    assert "Claude y lit" in reply.reasons[-1]


SCENARIOS: dict[str, Callable[[Accounts], None]] = {
    "hubspot-intake": intake,
    "hubspot-poll": poll,
    "hubspot-refused": refused,
    "clickup-subtask": subtask,
    "claude-judgement": judgement,
}


def cassette(name: str, mode: str) -> Any:
    """A cassette that keeps no key and no address of anybody's account."""
    recorder = vcr.VCR(
        record_mode=mode,
        match_on=("method", "place", "query", "body"),
        before_record_request=_without_secrets,
        before_record_response=_without_headers,
    )
    recorder.register_matcher("place", _place)
    return recorder.use_cassette(str(FOLDER / f"{name}.yaml"))


def _place(one: Any, other: Any) -> None:
    """Match on the path alone: a stand-in listens somewhere else each time."""
    assert re.sub(r"^/api/v2", "", one.path) == re.sub(r"^/api/v2", "", other.path)


def _without_secrets(request: Any) -> Any:
    """Leave out headers, hosts, and what a model is told to do: it changes with the directives."""
    request.headers = {}
    if "/messages" in request.path:
        request.body = json.dumps({**json.loads(request.body), "system": "…"}).encode()
    request.uri = re.sub(r"^https?://[^/]+", "https://provider.invalid", request.uri)
    return request


def _without_headers(response: dict[str, Any]) -> dict[str, Any]:
    kept = {"content-type", "content-length"}
    headers = response["headers"]
    response["headers"] = {name: headers[name] for name in headers if name.lower() in kept}
    return response


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_was_recorded_is_understood(name: str) -> None:
    """pytest-socket refuses every connection here: what is answered comes from the cassette."""
    about = _about(name)
    accounts = Accounts(portal=Portal(*about["portal"]), parent=about["parent"])
    with cassette(name, "none") as played:
        SCENARIOS[name](accounts)
        assert played.all_played


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_cassette_says_what_it_is_and_holds_no_secret(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith((STAND_IN, LIVE))
    for secret in (
        hubspot_.KEY,
        clickup_.KEY,
        "sk-ant",
        "uthorization",
        "pat-",
        "pk_",
        "127.0.0.1",
    ):
        assert secret not in text


def _about(name: str) -> dict[str, Any]:
    second = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[1]
    about: dict[str, Any] = json.loads(second.removeprefix("# "))
    return about


def record(accounts: Accounts, header: str) -> None:
    """Record every scenario anew."""
    FOLDER.mkdir(exist_ok=True)
    about = json.dumps({"portal": accounts.portal, "parent": accounts.parent})
    for name, scenario in SCENARIOS.items():
        path = FOLDER / f"{name}.yaml"
        path.unlink(missing_ok=True)
        with cassette(name, "once"):
            scenario(accounts)
        path.write_text(f"{header}# {about}\n{path.read_text('utf-8')}", encoding="utf-8")
        print(f"recorded {path.name}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--live", action="store_true", help="with the keys of the environment")
    if not parser.parse_args().live:
        hubspot, clickup, claude = hubspot_.HubSpot(), clickup_.ClickUp(), anthropic_.Anthropic()
        record(
            Accounts(hubspot=hubspot.url, hubspot_key=hubspot_.KEY, clickup=clickup.url,
                     clickup_key=clickup_.KEY, claude=claude.url, claude_key=anthropic_.KEY),
            STAND_IN,
        )  # fmt: skip
        return
    found = load()
    portal = Portal(
        found.hubspot_hub_id or "", found.hubspot_pipeline_id or "", found.hubspot_stage_new or ""
    )
    accounts = Accounts(
        found.hubspot_base_url, found.secret("HUBSPOT_API_KEY"), portal,
        found.clickup_base_url, found.secret("CLICKUP_API_KEY"), found.clickup_parent_task_id or "",
        found.anthropic_base_url, found.secret("ANTHROPIC_API_KEY"),
    )  # fmt: skip
    record(accounts, LIVE)


if __name__ == "__main__":
    main()
