"""`eval`: labelled cases become the product's own values, and the figures are right."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport import cli, directives, evaluation, output
from figsupport.commands.answers import Answer
from figsupport.core import progress
from figsupport.core.intake import Limits
from figsupport.core.labelled import parse_cases
from figsupport.core.model import (
    Analysis,
    Case,
    Classification,
    Cost,
    Message,
    Reply,
    Request,
)
from figsupport.core.scoring import (
    JudgedCase,
    Thresholds,
    missed,
    money_error,
    percentile,
    score,
    verdict,
    wilson,
)
from figsupport.errors import InvalidRequest
from figsupport.services import Services

GRID = directives.load(directives.default_folder()).grid
SENT = {
    "kind": "devis",
    "from": "Figurative <support@figurative.example>",
    "to": "Jean Dupont <client@example.com>",
    "date": "2026-03-02T10:00",
    "subject": "Votre devis",
    "text": "Votre devis : 2 crédits.",
    "credits": 2,
}
REPLY: dict[str, Any] = {
    "id": "r1",
    "sent_mail": SENT,
    "raw_reply": "Je valide\n\n> Votre devis : 2 crédits.",
    "html": None,
    "headers": {"Subject": "Re: Votre devis"},
    "from": "Jean Dupont <client@example.com>",
    "contact_email": "client@example.com",
    "contact_name": "Jean Dupont",
    "attachments": [],
    "expected": "accept",
    "also_ok": [],
    "note": "fields nobody reads are ignored",
}
REQUEST: dict[str, Any] = {
    "id": "q1",
    "payload": {
        "source": "modelisation",
        "objet": "Chaise",
        "description": "Une chaise en bois à modéliser",
        "user_email": "client@example.com",
        "fichiers": ["chaise.jpg"],
    },
    "expected_type": "MODELISATION",
    "expected_status": "pending_credits",
    "expected_credits": 2,
    "also_ok": [],
}


def lines(*documents: object) -> str:
    return "\n".join(json.dumps(document) for document in documents)


def parsed(*documents: object) -> Any:
    return parse_cases(lines(*documents), Limits(), GRID)


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidRequest) as refused:
        parse_cases(text, Limits(), GRID)
    return [f"{field}: {message}" for field, message in refused.value.problems]


# --- the cases -----------------------------------------------------------------------------


def test_a_reply_answers_our_open_quote() -> None:
    (case,) = parsed(REPLY).replies
    assert case.message.sender == "client@example.com"
    assert case.message.headers == {"subject": "Re: Votre devis"}
    assert case.case.open_quote.credits == 2
    assert case.case.open_quote.text == SENT["text"]
    assert progress.stops(case.case, case.message) is None


@pytest.mark.parametrize(
    ("kind", "status", "open_"),
    [
        ("devis", "pending_credits", True),
        ("relance", "pending_credits", True),
        ("demande_infos", "pending_info", False),
        ("admin", "pending_admin", False),
    ],
)
def test_only_a_quote_or_its_reminder_is_open(kind: str, status: str, open_: bool) -> None:
    (case,) = parsed({**REPLY, "sent_mail": {**SENT, "kind": kind}}).replies
    assert case.case.validation_status == status
    assert (case.case.open_quote is not None) is open_


@pytest.mark.parametrize("author", ["", "Nobody", '"client@example.com" <other@example.com>'])
def test_an_author_who_is_not_the_contact_accepts_nothing(author: str) -> None:
    (case,) = parsed({**REPLY, "from": author}).replies
    assert progress.stops(case.case, case.message) is not None


def test_dates_with_a_zone_are_kept() -> None:
    (case,) = parsed({**REPLY, "sent_mail": {**SENT, "date": "2026-03-02T10:00+02:00"}}).replies
    assert case.case.mails[0].sent_at.isoformat() == "2026-03-02T08:00:00+00:00"


def test_the_files_of_a_request_are_known_by_name_and_never_fetched() -> None:
    files = ["a.jpg", {"name": "b.glb", "url": "https://example.com/b.glb"}, {"path": "/etc/hosts"}]
    (case,) = parsed({**REQUEST, "payload": {**REQUEST["payload"], "fichiers": files}}).requests
    assert [(file.name, file.kind) for file in case.files] == [
        ("a.jpg", "photo"),
        ("b.glb", "model3d"),
        ("hosts", "other"),
    ]
    assert all(file.url is None and file.path is None for file in case.request.fichiers)


def test_every_problem_is_named_with_its_line() -> None:
    text = "\n".join(
        [
            "{not json",
            "[1]",
            '{"id": "x"}',
            lines({**REPLY, "expected": "yes", "also_ok": ["no"]}),
            lines({**REPLY, "id": "r2", "sent_mail": {**SENT, "kind": "lettre"}}),
            lines({**REQUEST, "payload": {"user_email": "nobody"}}),
            lines({**REQUEST, "expected_type": "AUTRE"}),
            "",
            lines(REPLY),
            lines(REPLY),
            lines(REQUEST),
        ]
    )
    found = problems_of(text)
    starts = [line.partition(":")[0] for line in found]
    assert starts == [
        "line 1",
        "line 2",
        "line 3",
        "line 4 expected",
        "line 4 also_ok.0",
        "line 5 sent_mail.kind",
        "line 6 payload.user_email",
        "line 7 expected_type",
        "line 10 id",
        "the file",
    ]
    assert "stands in line 9" in found[-2]
    assert "holds replies and requests" in found[-1]


def test_a_file_without_a_case_is_refused() -> None:
    assert problems_of("\n  \n") == ["the file: holds no case"]
    assert problems_of("[" * 100_000)[0].startswith("line 1: is not JSON")


def test_a_line_separator_inside_a_text_ends_no_line() -> None:
    text = json.dumps({**REPLY, "raw_reply": "Je\u2028valide"}, ensure_ascii=False)
    assert len(parse_cases(text, Limits(), GRID).replies) == 1


# --- the figures ---------------------------------------------------------------------------


def judged(expected: str, got: str, *also_ok: str, name: str = "c", ms: float = 1.0) -> JudgedCase:
    return JudgedCase(name, expected, frozenset(also_ok), got, "why", got == "unclear", ms)


def test_the_report_on_replies() -> None:
    cases = [
        judged("accept", "accept", name="a"),
        judged("accept", "unclear", name="b"),
        judged("question", "accept", name="c"),
        judged("unclear", "accept", "accept", name="d"),
        judged("unclear", "refuse", "refuse", name="e", ms=9.0),
    ]
    report = score("replies", "rules", cases, Cost(calls=1, tokens_in=5, dollars=0.25))
    assert list(report) == [
        "kind", "judge", "cases", "right", "accuracy", "interval", "confusion", "coverage", "wrong",
        "false_accepts", "accept_recall", "type_accuracy", "money_errors", "latency_ms", "cost",
    ]  # fmt: skip
    assert (report["cases"], report["right"], report["accuracy"]) == (5, 3, 0.6)
    assert report["false_accepts"] == ["c"]
    assert report["accept_recall"] == 0.5
    assert report["coverage"] == 0.8
    assert report["type_accuracy"] is None
    assert report["money_errors"] == []
    assert report["confusion"] == {
        "accept": {"accept": 1, "unclear": 1},
        "question": {"accept": 1},
        "unclear": {"accept": 1, "refuse": 1},
    }
    assert report["wrong"][0] == {"id": "b", "expected": "accept", "got": "unclear", "why": "why"}
    assert report["latency_ms"] == {"p50": 1.0, "p95": 9.0}
    assert report["cost"] == {"calls": 1, "tokens_in": 5, "tokens_out": 0, "dollars": 0.25}


PRICED = "MODELISATION pending_credits"
ADMIN, INFO = "MODELISATION pending_admin", "MODELISATION pending_info"


@pytest.mark.parametrize(
    ("expected", "got", "error"),
    [
        (f"{PRICED} 2", f"{PRICED} 1", "under-priced"),
        (f"{PRICED} 1", f"{PRICED} 2", "over-priced"),
        (ADMIN, f"{PRICED} 1", "priced though an administrator was expected"),
        (f"{PRICED} 2", f"{PRICED} 2", None),
        (f"{PRICED} 2", ADMIN, None),
        (INFO, f"{PRICED} 2", None),
        ("SUPPORT", f"{PRICED} 2", None),
        (INFO, "SUPPORT", None),
    ],
)
def test_errors_that_cost_money(expected: str, got: str, error: str | None) -> None:
    assert money_error(judged(expected, got)) == error


def test_a_tolerated_price_is_no_error() -> None:
    assert money_error(judged(f"{PRICED} 2", f"{PRICED} 1", f"{PRICED} 1")) is None


def test_the_report_on_requests() -> None:
    cases = [
        judged(f"{PRICED} 2", f"{PRICED} 1", name="a"),
        judged("SUPPORT", "SUPPORT", name="b"),
        judged("SUPPORT", ADMIN, ADMIN, name="c"),
        judged(INFO, "SUPPORT", name="d"),
    ]
    report = score("requests", "claude", cases, Cost())
    assert report["type_accuracy"] == 0.75
    assert report["money_errors"] == [{"id": "a", "expected": f"{PRICED} 2", "got": f"{PRICED} 1"}]
    assert (report["accept_recall"], report["false_accepts"]) == (None, [])


def test_thresholds_that_are_missed_are_said() -> None:
    report = {"accuracy": 0.9, "false_accepts": ["a"], "money_errors": []}
    assert missed(report, Thresholds()) == []
    assert missed(report, Thresholds(0.9, 1, 0)) == []
    assert missed(report, Thresholds(0.97, 0, 0)) == [
        "accuracy: 0.9; at least 0.97 is wanted",
        "false accepts: 1; at most 0 is wanted",
    ]
    replies, requests = {**report, "accept_recall": 0.8}, {**report, "accept_recall": None}
    assert missed(replies, Thresholds(min_accept_recall=0.8)) == []
    assert missed(replies, Thresholds(min_accept_recall=0.9)) == [
        "accept recall: 0.8; at least 0.9 is wanted"
    ]
    assert missed(requests, Thresholds(min_accept_recall=0.9)) == [
        "accept recall: no acceptance among the cases"
    ]


def test_wilson_s_interval_is_the_published_one() -> None:
    """Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    assert wilson(81, 263) == [0.2553, 0.3662]
    assert wilson(0, 20) == [0.0, 0.1611]


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(counts: tuple[int, int]) -> None:
    right, cases = counts
    low, high = wilson(right, cases)
    assert 0 <= low <= right / cases + 1e-4
    assert right / cases - 1e-4 <= high <= 1


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_a_verdict_is_one_line() -> None:
    modelling = Classification(type="MODELISATION", by="rules", confidence="high")
    support = Classification(type="SUPPORT", by="rules", confidence="high")
    assert verdict(support, None) == "SUPPORT"
    assert verdict(modelling, Analysis(outcome="INCOMPLET")) == INFO
    assert verdict(modelling, Analysis(outcome="COMPLEXE")) == ADMIN
    assert verdict(modelling, Analysis(outcome="COMPLET", credits=2)) == f"{PRICED} 2"


# --- the command ---------------------------------------------------------------------------


def evaluated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SystemExit) as stopped:
        cli.main(["eval", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture
def cases(tmp_path: Path) -> Callable[..., str]:
    def write(*documents: object) -> str:
        path = tmp_path / "cases.jsonl"
        path.write_text(lines(*documents), encoding="utf-8")
        return str(path)

    return write


WRONG = {**REPLY, "id": "r2", "expected": "question"}
STRANGER = {**REPLY, "id": "r3", "from": "x@example.com", "expected": "unclear"}


def test_eval_measures_what_the_product_would_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cases: Callable[..., str],
) -> None:
    path = cases(REPLY, WRONG, STRANGER)
    code, out, _ = evaluated(capsys, monkeypatch, path)
    report = json.loads(out)
    assert (code, report["kind"], report["judge"]) == (0, "replies", "rules")
    assert (report["right"], report["false_accepts"]) == (2, ["r2"])
    assert report["cost"]["calls"] == 0
    code, out, _ = evaluated(capsys, monkeypatch, path, "--max-false-accepts", "0")
    assert (code, json.loads(out)["false_accepts"]) == (69, ["r2"])
    code, out, _ = evaluated(capsys, monkeypatch, cases(REQUEST), "--min-accuracy", "1")
    assert (code, json.loads(out)["kind"]) == (0, "requests")


class SaysYes:
    """A judge that takes every mail for an acceptance, and every request for support."""

    def read(self, message: Message, case: Case) -> Reply:
        return Reply(message_id=message.id, intent="accept", reasons=("yes",))

    def classify(self, request: Request) -> Classification:
        return Classification(type="SUPPORT", by="rules", confidence="low")


def test_a_yes_counts_only_where_the_product_would_act_on_it(services: Services) -> None:
    services.judge = SaysYes()  # type: ignore[assignment]
    report = evaluation.evaluate(parsed(WRONG, STRANGER), services)
    assert report["false_accepts"] == ["r2"]
    report = evaluation.evaluate(parsed(REQUEST), services)
    assert (report["coverage"], report["wrong"][0]["got"]) == (0, "SUPPORT")


def test_two_judges_side_by_side_for_people(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cases: Callable[..., str],
) -> None:
    arguments = (cases(REPLY, WRONG), "--compare", "rules", "rules")
    code, out, _ = evaluated(capsys, monkeypatch, *arguments, "--no-json", "--min-accuracy", "0.9")
    assert code == 69
    for words in ("accept recall", "r2", "accuracy: 0.5", "1 of 2", "nothing"):
        assert words in out
    _, out, _ = evaluated(capsys, monkeypatch, *arguments)
    assert [report["judge"] for report in json.loads(out)] == ["rules", "rules"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("missing.jsonl",), 66),
        (("cases.jsonl", "--judge", "oracle"), 2),
        (("cases.jsonl", "--judge", "claude"), 78),
        (("cases.jsonl", "--min-accuracy", "2"), 2),
        (("latin.jsonl",), 65),
        (("bad.jsonl",), 65),
    ],
)
def test_eval_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cases: Callable[..., str],
    arguments: tuple[str, ...],
    code: int,
) -> None:
    cases(REPLY)
    Path("latin.jsonl").write_bytes(b'{"id": "\xe9"}')
    Path("bad.jsonl").write_text("{", encoding="utf-8")
    found, out, _ = evaluated(capsys, monkeypatch, *arguments)
    assert found == code
    assert json.loads(out)["error"]["message"]


def test_a_huge_file_is_not_read(
    monkeypatch: pytest.MonkeyPatch, services: Services, cases: Callable[..., str]
) -> None:
    monkeypatch.setattr(evaluation, "_MOST", 10)
    with pytest.raises(InvalidRequest, match="larger than"):
        evaluation.read_cases(Path(cases(REPLY)), services)


def test_many_wrong_cases_are_cut_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [judged("question", "unclear", name=f"id-{number}") for number in range(50)]
    report = score("replies", "claude", wrong, Cost(calls=2, tokens_in=10, dollars=0.5))
    answer = Answer(report, "evaluation", ([report], [[]]))
    output.show(answer, quiet=False, verbose=0, dry_run=False)
    out = capsys.readouterr().out
    assert "id-39" in out
    assert "id-40" not in out
    assert "10 more" in out
    assert "$0.5000" in out
