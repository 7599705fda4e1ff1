"""What went over the wire, kept: the same questions replay the same verdicts without a network.

Record again with `python -m tests.test_cassettes` after a change of what is sent.
"""

import json
from pathlib import Path
from typing import Any

import vcr

from .standins.anthropic import KEY, Anthropic, says
from .test_claude import BUT, GOOD, PHOTO, VAGUE, judge_on, labelled

CASSETTE = Path(__file__).parent / "cassettes" / "claude.yaml"
HEADER = """\
# Recorded against the stand-in of tests/standins/anthropic.py, not against Anthropic:
# it shows what figsupport sends and how it reads an answer, not what Claude would say.
# No key and no other header is in it; the salt of the tags is fixed; instructions are left
# out, because they change with the directives.
"""


def scrubbed(request: Any) -> Any:
    """Keep what is asked about and nothing else; done twice it changes nothing more."""
    body = json.loads(request.body)
    body["system"] = "…"
    request.body, request.headers = json.dumps(body).encode(), {}
    return request


def tape(mode: str) -> Any:
    """Match on the body too: two questions must never swap their verdicts."""
    return vcr.VCR(
        record_mode=mode,
        match_on=("method", "path", "body"),
        before_record_request=scrubbed,
    ).use_cassette(str(CASSETTE))


def verdicts(claude: Any) -> list[object]:
    judge = judge_on(claude)
    classified, analysed = judge.classify(VAGUE), judge.analyze(VAGUE, PHOTO)
    case = labelled(BUT)
    reply = judge.read(case.message, case.case)
    return [classified.type, classified.by, analysed.credits, reply.intent, reply.by, judge.calls]


EXPECTED = ["MODELISATION", "claude", 2, "question", "claude", 3]


class Nowhere:
    """An address where nobody listens."""

    url = "http://127.0.0.1:9"


def test_a_tape_replays_without_a_network() -> None:
    """pytest-socket refuses every connection here: what is answered comes from the tape."""
    with tape("none") as played:
        assert verdicts(Nowhere()) == EXPECTED
        assert played.all_played


def test_another_question_is_not_on_the_tape() -> None:
    with tape("none") as played:
        other = VAGUE.model_copy(update={"objet": "Bizule"})
        assert judge_on(Nowhere()).classify(other).by == "rules"  # type: ignore[arg-type]
        assert played.play_count == 0


def test_the_tape_holds_no_secret() -> None:
    text = CASSETTE.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    assert KEY not in text
    assert not any(name in text.lower() for name in ("authorization", "x-api-key", "stainless"))


def record() -> None:
    """Make the tape anew."""
    CASSETTE.unlink(missing_ok=True)
    claude = Anthropic()
    claude.to_say = [
        says({**GOOD, "complexity": "standard"}),
        says({**GOOD, "complexity": "standard"}),
        says({"quote": "moins 5 %", "label": "question", "confidence": "high"}),
    ]
    with tape("once"):
        found = verdicts(claude)
    claude.close()
    assert found == EXPECTED, found
    CASSETTE.write_text(HEADER + CASSETTE.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    record()
