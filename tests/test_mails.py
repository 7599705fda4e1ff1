"""Mails that belong to no request: told, listed, seen to, and forgotten in time."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from figsupport import cli, workflow
from figsupport.adapters.maildir import Inbox
from figsupport.services import Services

from .conftest import Clock
from .test_keeping import everything
from .test_workflow import ARMCHAIR, INVOICE, Answers, Open, letters, poll, with_photo

STRANGE = b"From: Zoe <zoe@example.net>\r\nSubject: Stage d'ete\r\n\r\nCherchez-vous quelqu'un ?"


def stray(services: Services, raw: bytes = STRANGE) -> None:
    Inbox(services.settings.home / "mail").deliver(raw)
    assert len(poll(services).strangers) == 1


def digests(services: Services) -> list[str]:
    found = [one for one in letters(services) if "digest" in str(one["Message-ID"])]
    return [f"{one['Subject']}\n{one.get_body(('plain',)).get_content()}" for one in found]  # type: ignore[union-attr]


def test_the_digest_names_them_until_somebody_saw_to_them(services: Services, clock: Clock) -> None:
    stray(services)
    clock.forward(hours=8)
    assert poll(services).digest
    assert "1 courrier sans dossier" in digests(services)[-1]
    assert "« Stage d'ete », Zoe\nfigsupport mails" in digests(services)[-1]
    assert "Cherchez-vous" not in digests(services)[-1]
    assert not poll(services).digest
    clock.forward(days=1)
    assert poll(services).digest
    (mail,) = services.cases.waiting_mails()
    services.cases.set_aside(mail.id)
    clock.forward(days=1)
    assert not poll(services).digest


def test_a_mail_to_a_ticket_of_ours_is_none(
    services: Services, photo: Path, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Vous livrez quand ?")
    poll(services)
    assert services.cases.waiting_mails() == ()


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run_(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run_


def test_they_are_shown_and_seen_to(
    services: Services, run: Callable[..., tuple[int, str]]
) -> None:
    assert run("mails", "--no-json", "-q") == (0, "No mail waits.\n")
    stray(services)
    stray(services, b"From: x@example.net\r\nSubject: \x1b[31m\r\n\r\n" + b"ab " * 400)
    code, said = run("mails", "--no-json")
    assert code == 0
    assert "Stage d'ete" in said
    assert "Cherchez-vous quelqu'un ?" in said
    assert "figsupport mails --answered" in said
    assert "\x1b[31m" not in said
    first, second = json.loads(run("mails", "--json")[1])
    assert (first["from"], first["name"], first["attachments"]) == ("zoe@example.net", "Zoe", [])
    assert run("mails", "gone", "--json")[0] == 66
    code, said = run("mails", second["id"], "--answered", "--no-json")
    assert (code, "They wait no more." in said, "Stage" in said) == (0, True, False)
    assert run("mails", second["id"])[0] == 66
    assert json.loads(run("mails", "--answered", "--dry-run", "--json")[1]) == [first]
    assert json.loads(run("mails", "--answered", "--json")[1]) == [first]
    assert json.loads(run("mails", "--json")[1]) == []


# --- forgetting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [True, False])
def test_they_are_forgotten_in_time(services: Services, clock: Clock, answered: bool) -> None:
    """With their files and what the embedded desk has of them; nobody else's go."""
    workflow.intake(INVOICE, services)
    stray(services)
    if answered:
        services.cases.set_aside(services.cases.waiting_mails()[0].id)
    clock.forward(days=300)
    stray(services, STRANGE.replace(b"Stage", b"Autre"))
    clock.forward(days=60)
    poll(services)
    assert "Stage d'ete" in everything(services)
    clock.forward(days=10)
    assert poll(services).errors == ()
    assert [mail.subject for mail in services.cases.waiting_mails()] == ["Autre d'ete"]
    for path in (services.settings.home / "mail" / "outbox").rglob("*digest*"):
        path.unlink()
    services.scrub()
    mails = list((services.settings.home / "mail" / "archive").rglob("*:2,S"))
    assert [b"Autre" in path.read_bytes() for path in mails] == [True]
    rows = services.desk_file.execute("SELECT document FROM messages").fetchall()
    assert not [row for row in rows if "Stage" in row["document"]]


def test_a_desk_that_fails_keeps_them_for_the_next_round(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from figsupport.errors import Unavailable

    stray(services)
    clock.forward(days=400)

    def down(*_: object) -> None:
        raise Unavailable("The desk is down", hint="Later.")

    with monkeypatch.context() as broken:
        broken.setattr(type(services.desk), "erase_messages", down)
        ((name, error),) = poll(services).errors
    assert (name, error.code) == ("strangers", "unavailable")
    assert len(services.cases.messages_from("zoe@example.net")) == 1
    assert poll(services).errors == ()
    assert services.cases.messages_from("zoe@example.net") == ()


def test_on_a_live_desk_only_our_copy_goes(open_services: Open, clock: Clock) -> None:
    services = open_services()
    stray(services)
    clock.forward(days=400)
    services.adapters = services.adapters._replace(desk="hubspot")
    poll(services)
    assert services.cases.messages_from("zoe@example.net") == ()
    assert services.desk.new_messages(None).messages
