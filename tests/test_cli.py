"""The command line as people, cron jobs and other programs meet it."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from figsupport import cli
from figsupport.services import FACTORIES
from figsupport.settings import Adapters, Settings

REQUEST = {
    "source": "modelisation",
    "objet": "Chaise",
    "description": "Nous voudrions cette chaise en bois en 3D.",
    "user_email": "client@example.com",
    "user_name": "Jean Dupont",
}
INVOICE = {"objet": "Facture", "description": "Où est ma facture ?", "user_email": "a@example.com"}


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return self.json["error"]


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_(*arguments: str, stdin: str = "") -> Ran:
        binary = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", binary)
        with pytest.raises(SystemExit) as stopped:
            cli.main(list(arguments))
        out, err = capsys.readouterr()
        return Ran(int(stopped.value.code or 0), out, err)

    return run_


@pytest.fixture
def request_file(tmp_path: Path) -> str:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(REQUEST), encoding="utf-8")
    return str(path)


def a_photo(folder: Path) -> Path:
    from PIL import Image

    path = folder / "photo.jpg"
    Image.effect_noise((1700, 1300), 60).save(path)
    return path


def quoted(run: Run, folder: Path) -> Any:
    a_photo(folder)
    document = {**REQUEST, "fichiers": [{"name": "photo.jpg", "path": str(folder / "photo.jpg")}]}
    return run("intake", json.dumps(document)).json


# --- documents -----------------------------------------------------------------------------


def test_intake_answers_the_contract_document(run: Run, request_file: str) -> None:
    ran = run("intake", request_file)
    assert ran.code == 0
    assert ran.json == {
        "status": "pending_validation",
        "ticket_id": "1001",
        "ticket_url": "local://tickets/1001",
        "is_new_ticket": True,
        "classification": "MODELISATION",
        "files_uploaded": 0,
        "validation_status": "pending_info",
        "credits_estimes": None,
        "message": "Ticket modélisation créé, en attente de validation",
        "request_id": ran.json["request_id"],
    }
    assert run("intake", request_file).json == {**ran.json, "is_new_ticket": False}


def test_support_is_done(run: Run) -> None:
    ran = run("intake", json.dumps(INVOICE))
    assert ran.json["status"] == "done"
    assert ran.json["message"] == "Ticket support créé"
    assert (ran.json["validation_status"], ran.json["credits_estimes"]) == (None, None)


def test_the_main_job(run: Run, tmp_path: Path) -> None:
    intake = quoted(run, tmp_path)
    assert (intake["validation_status"], intake["credits_estimes"]) == ("pending_credits", 2)
    assert run("reply", "1001", "Je valide").json["ticket_id"] == "1001"
    poll = run("poll")
    assert poll.code == 0
    assert (poll.json["replies"], poll.json["validated"], poll.json["errors"]) == (1, 1, [])
    assert set(poll.json) >= {
        "resumed", "replies", "validated", "rejected", "reanalyzed", "questions", "auto_replies",
        "unclear", "errors", "calls",
    }  # fmt: skip
    case = run("tickets", "1001").json
    assert case["validation_status"] == "validated"
    assert case["subtask"]["id"]
    assert run("tickets").json == []
    again = run("validate", "1001", "--credits", "2").json
    assert again == {
        "success": True,
        "ticket_id": "1001",
        "subtask_id": case["subtask"]["id"],
        "credits": 2,
        "message": "Demande validée, subtask ClickUp créée",
    }


def test_an_eml_is_a_reply(run: Run, tmp_path: Path) -> None:
    quoted(run, tmp_path)
    mail = tmp_path / "answer.eml"
    mail.write_bytes(b"From: client@example.com\r\nSubject: Re: devis\r\n\r\nNon merci.\r\n")
    assert run("reply", "1001", "--eml", str(mail)).code == 0
    assert run("poll").json["rejected"] == 1


def test_steps_chain_through_pipes(run: Run, tmp_path: Path) -> None:
    a_photo(tmp_path)
    document = {**REQUEST, "fichiers": [{"name": "photo.jpg", "path": "photo.jpg"}]}
    (tmp_path / "r.json").write_text(json.dumps(document), encoding="utf-8")
    classified = run("classify", str(tmp_path / "r.json"))
    assert classified.json["classification"]["type"] == "MODELISATION"
    uploaded = run("upload", "-", stdin=classified.out)
    assert uploaded.json["files"][0]["sha256"]
    assert uploaded.json["classification"] == classified.json["classification"]
    analyzed = run("analyze", "-", stdin=uploaded.out)
    assert analyzed.json["analysis"]["credits"] == 2
    assert analyzed.json["letter"]["kind"] == "quote"
    assert not (tmp_path / "home" / "desk.sqlite").exists()
    piped = run("intake", "-", stdin=analyzed.out).json
    plain = run("intake", str(tmp_path / "r.json")).json
    assert plain == {**piped, "is_new_ticket": False}


def test_json_lines_one_result_each(run: Run) -> None:
    lines = [json.dumps(REQUEST), "{broken", json.dumps({"objet": "x"}), json.dumps(INVOICE)]
    ran = run("intake", "-", stdin="\n".join(lines))
    results = [json.loads(line) for line in ran.out.splitlines()]
    assert [result.get("ticket_id") for result in results] == ["1001", None, None, "1002"]
    assert [result.get("line") for result in results] == [None, 2, 3, None]
    assert ran.code == 65


def test_json_lines_for_people_are_lines(run: Run) -> None:
    lines = [json.dumps(REQUEST), "broken", json.dumps(INVOICE)]
    shown = run("intake", "-", "--no-json", stdin="\n".join(lines)).out.splitlines()
    assert [line[0] for line in shown if line[0] in "✓✗"] == ["✓", "✗", "✓"]
    assert "pending_info" in shown[0]


def test_every_adapter_that_a_setting_names_is_here() -> None:
    for port in Adapters._fields:
        names = get_args(get_args(Settings.model_fields[f"figsupport_{port}"].annotation)[0])
        assert {(port, name) for name in names} == {key for key in FACTORIES if key[0] == port}


def test_health_answers_the_contract_document(run: Run) -> None:
    ran = run("health")
    assert ran.code == 0
    assert ran.json["status"] == "healthy"
    assert ran.json["features"] == dict.fromkeys(
        ["classification", "file_upload", "hubspot", "clickup", "credit_validation"], True
    )
    assert ran.json["workflow"] == {
        "support": "immediate_ticket",
        "modelisation": "validation_required",
    }
    assert ran.json["providers"]["desk"].keys() == {"adapter", "ok", "latency_ms", "detail"}


def test_the_embedded_desk_needs_no_setup(run: Run) -> None:
    assert run("setup").json == {"made": [], "there": []}
    assert "needs nothing" in run("setup", "--no-json").out


# --- bad input -----------------------------------------------------------------------------


def test_every_problem_is_named_at_once(run: Run, tmp_path: Path) -> None:
    document = {
        "objet": 12,
        "description": "x" * 100_001,
        "user_email": "nobody",
        "langue": "de",
        "fichiers": [{"url": 3}, {}, {"name": "a", "url": "http://x/", "path": "a"}, 7],
    }
    ran = run("intake", json.dumps(document))
    assert ran.code == 65
    assert ran.error["code"] == "request_invalid"
    assert [problem["field"] for problem in ran.error["problems"]] == [
        "objet",
        "description",
        "user_email",
        "langue",
        "fichiers[0].url",
        "fichiers[1]",
        "fichiers[2]",
        "fichiers[3]",
    ]
    assert "expected an e-mail address" in ran.error["message"]
    assert not (tmp_path / "home" / "desk.sqlite").exists()


@pytest.mark.parametrize(
    ("argument", "code", "words"),
    [
        ("missing.json", 66, "no file"),
        ("{not json", 65, "not JSON"),
        ("{}", 65, "user_email"),
        ('{"user_email": "a@example.com", "fichiers": "photo.jpg"}', 65, "fichiers"),
        ('{"user_email": "a@example.com\\nBcc: b@example.com"}', 65, "user_email"),
        ('{"user_email": "a@example.com", "fichiers": [{"path": "gone.jpg"}]}', 65, "gone.jpg"),
        ('{"figsupport": 1, "request": {"user_email": "a@example.com"}}', 65, "id"),
        ('{"figsupport": 99, "request": {"user_email": "a@example.com"}}', 65, "newer"),
        ('{"figsupport": 1, "request": 3}', 65, "request"),
    ],
)
def test_a_document_that_does_not_fit(run: Run, argument: str, code: int, words: str) -> None:
    ran = run("intake", argument)
    assert ran.code == code
    assert words in ran.error["message"] + str(ran.error["problems"])
    assert ran.error["hint"]


@pytest.mark.parametrize("text", ["[1, 2]", "3", '"x"', "null", "", "\xff", "[" * 100_000])
def test_standard_input_that_is_no_object(run: Run, text: str) -> None:
    assert run("intake", "-", stdin=text).code == 65


def test_a_large_document_is_refused(run: Run) -> None:
    assert run("intake", "-", stdin=json.dumps({"x": "y" * 1_100_000})).code == 65


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["validate", "77", "--credits", "2"], 66, "no ticket 77"),
        (["validate", "1001", "--credits", "0"], 65, "0 credits"),
        (["validate", "1001", "--credits", "-3"], 65, "-3 credits"),
        (["validate", "1001", "--credits", "999"], 65, "999 credits"),
        (["validate", "1001", "--credits", "two"], 2, "--credits"),
        (["validate", "1001"], 2, "--credits"),
        (["validate", "1001", "--credits", "2", "--reject"], 2, "--reject"),
        (["validate", "1002", "--credits", "2"], 65, "SUPPORT"),
        (["tickets", "77"], 66, "no ticket 77"),
        (["reply", "77", "ok"], 66, "no ticket 77"),
        (["reply", "1001"], 2, "TEXT"),
        (["reply", "1001", "--eml", "gone.eml"], 66, "gone.eml"),
        (["nonsense"], 2, "nonsense"),
        (["intake"], 2, "REQUEST"),
        (["poll", "--interval", "0"], 2, "interval"),
        (["tickets", "--env-file", "gone.env"], 78, "gone.env"),
    ],
)
def test_a_clear_answer_to_what_cannot_be_done(
    run: Run, request_file: str, arguments: list[str], code: int, words: str
) -> None:
    run("intake", request_file)
    run("intake", json.dumps(INVOICE))
    ran = run(*arguments)
    assert ran.code == code
    assert words in ran.error["message"]
    assert ran.error["hint"]


def test_validated_and_rejected_tickets_say_what_stands(run: Run, request_file: str) -> None:
    run("intake", request_file)
    assert run("validate", "1001", "--credits", "3", "--notes", "ok").json["credits"] == 3
    assert "3 credits" in run("validate", "1001", "--credits", "2").error["message"]
    assert run("validate", "1001", "--reject").code == 65
    run("intake", json.dumps({**REQUEST, "objet": "Table"}))
    assert run("validate", "1002", "--reject", "--reason", "Hors sujet").json["success"]
    assert "rejected" in run("validate", "1002", "--credits", "2").error["message"]


# --- settings ------------------------------------------------------------------------------


def test_a_live_key_without_the_others_names_every_missing_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_API_KEY", "pat-eu1-secret")
    monkeypatch.setenv("CLICKUP_API_KEY", "pk_...")
    ran = run("poll")
    assert ran.code == 78
    assert ran.error["code"] == "config_missing"
    fields = {problem["field"] for problem in ran.error["problems"]}
    assert {"HUBSPOT_HUB_ID", "CLICKUP_API_KEY", "R2_BUCKET_NAME", "ADMIN_EMAIL"} <= fields
    assert "HUBSPOT_API_KEY" not in fields
    assert "secret" not in ran.out + ran.err


def test_a_file_never_overrides_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FIGSUPPORT_MAX_CREDITS=3\nANTHROPIC_API_KEY=sk-ant-...\n")
    run("intake", json.dumps(REQUEST))
    assert run("validate", "1001", "--credits", "4").code == 65
    monkeypatch.setenv("FIGSUPPORT_MAX_CREDITS", "9")
    assert run("validate", "1001", "--credits", "4").code == 0


def test_cron_finds_the_settings_in_the_home_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".env").write_text("FIGSUPPORT_MAX_CREDITS=3\n")
    run("intake", json.dumps(REQUEST))
    assert run("validate", "1001", "--credits", "4").code == 65


def test_settings_that_do_not_fit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIGSUPPORT_DESK", "zendesk")
    monkeypatch.setenv("FIGSUPPORT_SETTLE", "soon")
    monkeypatch.setenv("MAIL_FROM", "Zoé <zoé@figurative.example>")
    monkeypatch.setenv("ADMIN_EMAIL", "l'administratrice")
    ran = run("tickets")
    assert ran.code == 78
    assert {p["field"] for p in ran.error["problems"]} == {
        "FIGSUPPORT_DESK", "FIGSUPPORT_SETTLE", "MAIL_FROM", "ADMIN_EMAIL",
    }  # fmt: skip


def test_broken_directives_stop_everything(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "directives").mkdir()
    monkeypatch.setenv("FIGSUPPORT_DIRECTIVES", str(tmp_path / "directives"))
    ran = run("intake", json.dumps(REQUEST))
    assert (ran.code, ran.error["code"]) == (65, "directives_invalid")
    health = run("health")
    assert health.code == 78
    assert health.json["providers"]["directives"]["ok"] is False
    assert health.json["features"]["file_upload"] is True


# --- options -------------------------------------------------------------------------------


def test_a_dry_run_does_nothing(run: Run, tmp_path: Path) -> None:
    document = {**REQUEST, "fichiers": [{"name": "photo.jpg", "url": "https://x.example/p.jpg"}]}
    ran = run("intake", json.dumps(document), "--dry-run")
    assert ran.code == 0
    assert ran.json["dry_run"] is True
    assert (ran.json["validation_status"], ran.json["credits_estimes"]) == ("pending_credits", 2)
    assert not (tmp_path / "home").exists()
    run("intake", request := json.dumps(REQUEST))
    before = sorted(str(path) for path in (tmp_path / "home").rglob("*"))
    assert run("--dry-run", "validate", "1001", "--credits", "3").json["credits"] == 3
    run("reply", "1001", "voici")
    assert run("poll", "--dry-run").json["replies"] == 1
    assert run("intake", request, "--dry-run").json["is_new_ticket"] is False
    assert run("tickets", "1001").json["validation_status"] == "pending_info"
    assert [p for p in before if not Path(p).exists()] == []


@pytest.mark.parametrize("place", ["before", "after"])
def test_global_options_stand_before_or_after(run: Run, place: str) -> None:
    command = ["classify", json.dumps(REQUEST)]
    ran = run("--no-json", *command) if place == "before" else run(*command, "--no-json")
    assert "MODELISATION" in ran.out
    assert "{" not in ran.out


def test_quiet_poll_says_nothing_unless_a_person_is_needed(run: Run, tmp_path: Path) -> None:
    quoted(run, tmp_path)
    for form in ("--json", "--no-json"):
        assert run("poll", "-q", form) == (0, "", "")
    run("reply", "1001", "Quand livrez-vous ?")
    assert "question" in run("poll", "-q", "--no-json").out


def test_what_comes_next_is_told(run: Run, tmp_path: Path) -> None:
    quoted(run, tmp_path)
    assert run("tickets", "1001").json["coming"]["what"] == "reminder"
    assert run("tickets").json[0]["coming"] == run("tickets", "1001").json["coming"]
    assert "Coming     reminder on " in run("tickets", "1001", "--no-json").out
    assert "reminder" in run("tickets", "--no-json").out
    run("reply", "1001", "Quand livrez-vous ?")
    run("poll")
    assert run("tickets", "1001").json["coming"] is None
    assert "figsupport tickets 1001 --answered" in run("tickets", "1001", "--no-json").out
    assert run("tickets", "1001", "--answered").json["coming"]["what"] == "reminder"
    assert run("tickets", "1001", "--answered").code == 65
    assert run("tickets", "--answered").code == 2


def test_no_colour_where_none_is_wanted(
    run: Run, monkeypatch: pytest.MonkeyPatch, request_file: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("intake", request_file, "--no-json").out
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR")
    assert "\x1b[" not in run("intake", request_file, "--no-json").out


def test_a_clients_text_moves_no_cursor(run: Run) -> None:
    document = {**REQUEST, "objet": "\x1b[2J\u202egnp.exe [bold]x[/bold]", "user_name": "\x07Al"}
    ran = run("intake", json.dumps(document), "--no-json")
    for mark in ("\x1b[2J", "\u202e", "\x07"):
        assert mark not in ran.out
    assert "[bold]x[/bold]" in ran.out


def test_help_says_the_exits(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    for code in ("65", "66", "69", "75", "77", "78"):
        assert code in ran.out
    assert run("--version").out.startswith("figsupport ")


def test_a_bug_leaves_its_trace_in_a_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("figsupport.commands.tickets.tickets", broken)
    ran = run("tickets")
    assert (ran.code, ran.error["code"]) == (1, "bug")
    trace = Path(ran.error["hint"].split(" is in ")[1].split(";")[0])
    assert "boom" in trace.read_text()
    trace.unlink()


def test_views_on_a_terminal(run: Run, tmp_path: Path) -> None:
    """Every view prints, and says the command to type next."""
    quoted(run, tmp_path)
    assert 'figsupport reply 1001 "Je valide"' in run("tickets", "1001", "--no-json").out
    assert "1001" in run("tickets", "--no-json").out
    analyzed = run("analyze", json.dumps(REQUEST), "--no-json").out
    assert "incomplete" in analyzed
    assert "the letter to client@example.com" in analyzed
    assert "healthy" in run("health", "--no-json").out
    assert "inbox" in run("reply", "1001", "Je valide", "--no-json").out
    assert "1 validated" in run("poll", "--no-json").out
    assert "Nothing new" in run("poll", "--no-json").out
    assert "No open ticket" in run("tickets", "--no-json").out
    assert "validated" in run("validate", "1001", "--credits", "2", "--no-json", "-v").out
    failed = run("validate", "77", "--credits", "2", "--no-json")
    assert (failed.code, failed.out) == (66, "")
    assert "figsupport tickets" in failed.err


def test_a_real_terminal_gets_people_s_output(tmp_path: Path) -> None:
    """In a terminal without --json the output is for people; in a pipe it is JSON."""
    parent, child = pty.openpty()
    environment = {**os.environ, "FIGSUPPORT_HOME": str(tmp_path / "home"), "COLUMNS": "100"}
    command = [sys.executable, "-m", "figsupport.cli", "intake", json.dumps(REQUEST)]
    subprocess.run(command, stdout=child, stderr=child, env=environment, check=True)
    os.close(child)
    shown = os.read(parent, 65536).decode()
    os.close(parent)
    assert "Embedded desk" in shown
    assert "pending_info" in shown
    piped = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert json.loads(piped.stdout)["is_new_ticket"] is False
    assert piped.stderr == b""


def test_completion_works(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "_FIGSUPPORT_COMPLETE": "complete_bash",
        "COMP_WORDS": "figsupport va",
        "COMP_CWORD": "1",
    }
    program = str(Path(sys.executable).with_name("figsupport"))
    ran = subprocess.run([program], capture_output=True, env=environment, check=False, text=True)
    assert "validate" in ran.stdout


def test_a_bar_moves_for_each_large_file_and_goes_when_all_are_there() -> None:
    from io import StringIO

    from rich.console import Console

    from figsupport.output import Bars

    screen = StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=80))
    bars.moved("[red]modèle.glb\x1b[2J", 8_000_000, 16_000_000)
    bars.moved("photo.jpg", 1, 2)
    bars.moved("[red]modèle.glb\x1b[2J", 16_000_000, 16_000_000)
    assert not bars._progress.finished
    bars.moved("photo.jpg", 2, 2)
    assert bars._progress.finished
    said = screen.getvalue()
    assert "[red]modèle.glb" in said
    assert "\x1b[2J" not in said
    assert "16.0 MB" in said


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    from figsupport.cli import Options

    Options().moved("model.glb", 1, 2)
    assert capsys.readouterr().err == ""


# --- what is kept of a client ------------------------------------------------------------------------------


def test_the_commands_answer_with_documents(run: Run, tmp_path: Path) -> None:
    quoted(run, tmp_path)
    ran = run("export", REQUEST["user_email"])
    assert ran.code == 0
    assert (tmp_path / ran.json["file"]).is_file()
    assert REQUEST["user_email"] not in ran.json["file"]
    assert run("export", REQUEST["user_email"], "--to", ran.json["file"]).code == 65
    assert run("export", REQUEST["user_email"], "--to", str(tmp_path / "no" / "x.zip")).code == 66
    assert run("export", "nobody@example.com", "--to", "n.zip").code == 66
    assert "1 ticket," in run("export", REQUEST["user_email"], "--to", "y.zip", "--no-json").out
    refused = run("erase", REQUEST["user_email"])
    assert (refused.code, refused.error["code"]) == (65, "not_allowed")
    assert "--yes" in refused.error["hint"]
    assert "--force" in run("erase", REQUEST["user_email"], "--yes").error["hint"]
    assert run("export", REQUEST["user_email"], "--to", "d.zip", "--dry-run").json["tickets"] == [
        "1001"
    ]
    assert run("erase", REQUEST["user_email"], "--dry-run", "--force").json["dry_run"]
    assert run("tickets", "1001").code == 0
    done = run("erase", REQUEST["user_email"], "--yes", "--force", "--no-json")
    assert done.code == 0
    assert "What stays" in done.out
    assert run("erase", REQUEST["user_email"], "--yes").code == 66


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 65), ("\n", 65)])
def test_a_person_is_asked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    quoted(run, tmp_path)

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(io, "TextIOWrapper", Terminal)
    ran: Ran = run("erase", REQUEST["user_email"], "--force", "--no-json", stdin=answer)
    assert ran.code == code
    assert "It cannot be undone" in ran.err
    assert "Work on 1 is given up" in ran.err
    assert run("tickets", "1001", "--json").code == (66 if code == 0 else 0)
