"""The record of an acceptance, and the bare yes: what is agreed can be shown afterwards."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from figsupport import cli, directives, workflow
from figsupport.adapters.rules import RulesJudge
from figsupport.core import acceptance
from figsupport.core.model import Case, Message, Proof, Reply, SentLetter, Step
from figsupport.core.plan import due
from figsupport.errors import NotFound, Unavailable
from figsupport.services import Services
from figsupport.settings import Settings

from .conftest import Clock
from .test_workflow import ARMCHAIR, poll, subtasks, with_photo
from .values import NOW, a_case

Open = Callable[[], Services]
Answers = Callable[[Services, Case, str], None]
QUOTE = SentLetter(
    kind="quote", key="k", message_id="<q@x>", to="client@example.com", subject="Votre devis",
    text="Votre devis : 2 crédits. Répondez « Je valide ».", sent_at=NOW, credits=2,
)  # fmt: skip
MAIL = Message(
    id="<m@x>", sender="client@example.com", subject="Re: Votre devis", text="Je valide\n> …",
    html="<p>Je valide</p>", headers={"in-reply-to": "<q@x>"}, sent_at=NOW,
)  # fmt: skip
REPLY = Reply(message_id="<m@x>", intent="accept", words="Je valide", reasons=("every word",))


def recorded() -> tuple[Case, str]:
    case = a_case(mails=(QUOTE,))
    text = acceptance.record(case, QUOTE, MAIL, REPLY, NOW)
    return case.with_(proof=Proof(name="a.json", sha256=acceptance.digest(text))), text


def broken(stored: str, case: Case) -> list[str]:
    return [one.what for one in acceptance.check(stored.encode(), case) if not one.holds]


# --- the record ----------------------------------------------------------------------------


def test_a_record_says_everything_and_holds() -> None:
    case, text = recorded()
    document = json.loads(text)
    assert document["quote"]["text"] == QUOTE.text
    assert document["quote"]["sha256"] == acceptance.digest(QUOTE.text)
    assert document["reply"]["text"] == MAIL.text
    assert document["reply"]["html"] == MAIL.html
    assert document["reply"]["headers"] == {"in-reply-to": "<q@x>"}
    assert (document["words"], document["judged"]["by"]) == ("Je valide", "rules")
    assert document["accepted_at"] == NOW.isoformat()
    assert broken(text, case) == []
    assert acceptance.record(case, QUOTE, MAIL, REPLY, NOW) == text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + " ", "whose hash the case keeps"),
        (lambda text: text.replace("2 crédits", "1 crédit"), "the quote's text has its hash"),
        (lambda text: text.replace("client@example.com", "x@y.example"), "answer has its hash"),
        (lambda text: text.replace('"case": "case-1"', '"case": "case-2"'), "is of this case"),
        (lambda text: "{}", "the quote is the one that was sent"),
        (lambda text: "no document", "the client's answer has its hash"),
        (lambda text: "[]", "the record is of this case"),
        (lambda text: '{"quote": 1, "reply": 2}', "the quote's text has its hash"),
    ],
)
def test_whatever_is_changed_is_found(change: Callable[[str], str], said: str) -> None:
    case, text = recorded()
    assert any(said in what for what in broken(change(text), case))


def test_a_quote_and_its_hash_changed_together_are_found() -> None:
    case, text = recorded()
    document = json.loads(text)
    document["quote"] |= {"text": "1 crédit", "sha256": acceptance.digest("1 crédit")}
    forgotten = case.with_(proof=None)
    assert broken(json.dumps(document), forgotten) == ["the quote is the one that was sent"]


def test_the_record_comes_before_the_subtask(
    services: Services, photo: Path, client_answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Je valide")

    def full(*_: object) -> None:
        raise Unavailable("The disk is full", hint="Make room.")

    with monkeypatch.context() as without_disk:
        without_disk.setattr(services.store, "put", full)
        assert len(poll(services).errors) == 1
    waiting = services.cases.load(case.id)
    assert waiting is not None
    step = due(waiting, (), NOW)
    assert step is not None
    assert (step.step, subtasks(services)) == (Step.PROOF, [])
    poll(services)
    assert len(subtasks(services)) == 1


# --- shown ---------------------------------------------------------------------------------


def accepted(services: Services, photo: Path, client_answers: Answers) -> str:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Bonjour, je valide.")
    assert poll(services).validated == 1
    assert case.ticket is not None
    return case.ticket.id


def shown(ticket: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["tickets", ticket, "--proof", "--json"])
    return int(stopped.value.code or 0), json.loads(capsys.readouterr().out)


def test_the_proof_is_shown_and_checked(
    services: Services, photo: Path, client_answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = accepted(services, photo, client_answers)
    code, document = shown(ticket, capsys)
    assert (code, document["holds"]) == (0, True)
    assert document["record"]["words"] == "Bonjour, je valide."
    (file,) = (services.settings.home / "files").glob("*/acceptance-*.json")
    assert document["url"] == file.as_uri()

    file.write_text(file.read_text("utf-8").replace("je valide", "je refuse"), "utf-8")
    code, document = shown(ticket, capsys)
    assert (code, document["holds"]) == (65, False)
    assert "je refuse" in document["record"]

    file.unlink()
    code, document = shown(ticket, capsys)
    assert (code, document["error"]["code"]) == (66, "not_found")


@pytest.mark.parametrize("holds", [True, False])
def test_people_see_the_proof(
    services: Services, photo: Path, client_answers: Answers, holds: bool
) -> None:
    from rich.console import Console

    from figsupport.cli import Options
    from figsupport.commands.tickets import proof
    from figsupport.output.views import VIEWS

    ticket = accepted(services, photo, client_answers)
    case, found, _ = workflow.proof_of(ticket, services)
    assert found == case.proof
    options = Options()
    document = proof(options, ticket).shown[1]
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(VIEWS["proof"](case, {**document, "holds": holds}))
    assert ("do not rely on it" in console.export_text()) is not holds


def test_a_rebuilt_case_still_finds_its_record(
    open_services: Open, photo: Path, client_answers: Answers
) -> None:
    services = open_services()
    ticket = accepted(services, photo, client_answers)
    for file in services.settings.home.glob("cases.sqlite*"):
        file.unlink()
    case, proof, stored = workflow.proof_of(ticket, open_services())
    assert (case.proof, proof.sha256) == (None, None)
    assert broken(stored.decode(), case) == []


def test_no_acceptance_no_record(services: Services, photo: Path) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    assert case.ticket is not None
    with pytest.raises(NotFound, match="no record of an acceptance"):
        workflow.proof_of(case.ticket.id, services)


def test_a_proof_is_of_one_ticket(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["tickets", "--proof"])
    assert stopped.value.code == 2
    assert "give its TICKET" in capsys.readouterr().out


# --- a bare yes ----------------------------------------------------------------------------

RULES = directives.load(directives.default_folder())
WAITING = a_case(validation_status="pending_credits", mails=(QUOTE,), quotes=1)
LATER = QUOTE.model_copy(update={"kind": "info", "message_id": "<i@x>"})


def meaning(text: str, case: Case = WAITING, *, bare_yes: bool = True, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    mail = MAIL.model_copy(update={"text": text, "html": None, "headers": named})
    return RulesJudge(RULES, bare_yes=bare_yes).read(mail, case).intent


BARE = ["ok", "Oui", "👍", "Bonjour,\n\nOK\n\nMerci", "ok merci !", "d'accord", "yes please"]


@pytest.mark.parametrize("text", BARE)
def test_a_bare_yes_accepts_or_is_left_to_a_person(text: str) -> None:
    assert meaning(text) == "accept"
    assert meaning(text, bare_yes=False) == "unclear"
    assert meaning(text, in_reply_to="<q@x>") == "accept"


@pytest.mark.parametrize("text", ["Je valide", "ok pour 2 crédits", "ok pour moi", "oui je valide"])
def test_a_whole_yes_needs_no_setting(text: str) -> None:
    assert meaning(text, bare_yes=False) == "accept"


@pytest.mark.parametrize("text", ["ok bien reçu", "ok...", "oui…", "ok merci pour le devis"])
def test_a_yes_beside_a_receipt_is_none(text: str) -> None:
    assert meaning(text) == "unclear"


def test_a_bare_yes_answers_the_quote_or_nothing() -> None:
    """After a question that a person may have answered, « ok » may be about that answer."""
    asked = Reply(message_id="<n@x>", intent="question", at=NOW)
    away = asked.model_copy(update={"intent": "auto_reply"})
    assert meaning("ok", WAITING.with_(replies=(asked,))) == "unclear"
    assert meaning("Je valide", WAITING.with_(replies=(asked,))) == "accept"
    assert meaning("ok", WAITING.with_(replies=(away,))) == "accept"
    assert meaning("ok", WAITING.with_(mails=(QUOTE, LATER))) == "unclear"
    assert meaning("ok", WAITING.with_(mails=(LATER, QUOTE)), in_reply_to="<i@x>") == "unclear"


def test_what_the_quote_says_of_itself_is_understood() -> None:
    quote = QUOTE.model_copy(update={"subject": "Devis n° 1070 pour « chaise bistrot »"})
    case = WAITING.with_(mails=(quote,))
    for text in ("Je valide le devis n° 1070", "Je valide pour la chaise bistrot", "Je valide pour la chaise",
                 "ok pour le devis du 2 novembre", "Je valide le devis du 02/11/2026"):  # fmt: skip
        assert meaning(text, case) == "accept", text
    for text in ("Je valide le devis n° 1071", "Je valide pour la table",
                 "ok pour le devis du 3 novembre"):  # fmt: skip
        assert meaning(text, case) == "unclear", text


def test_the_setting_reaches_the_judge(tmp_path: Path, clock: Clock) -> None:
    for value, expected in (("accept", "accept"), ("person", "unclear")):
        settings = Settings(figsupport_home=tmp_path, figsupport_bare_yes=value)
        services = Services(settings, clock)
        mail = MAIL.model_copy(update={"text": "ok", "html": None})
        assert services.judge.read(mail, WAITING).intent == expected
    shutil.rmtree(tmp_path)
