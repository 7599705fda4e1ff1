"""Payloads: the texts that staff and modellers read, and what else an effect needs."""

import pytest

from figsupport import directives
from figsupport.core.compose import Office, compose, note_text, subtask_body, ticket_content
from figsupport.core.model import (
    Analysis,
    Case,
    Classification,
    Decision,
    FileFact,
    Language,
    Post,
    PostKind,
    Reply,
    Step,
    TicketRef,
)
from figsupport.core.plan import Due
from figsupport.core.references import letter_name

from .values import NOW, a_case, a_request

RULES = directives.load(directives.default_folder())


def a_quoted_case(language: Language = "fr", **changes: object) -> Case:
    return a_case(
        language=language,
        ticket=TicketRef(id="1001", url="local://tickets/1001"),
        classification=Classification(
            type="MODELISATION", by="rules", confidence="high", reasons=("parce que",)
        ),
        analysis=Analysis(outcome="COMPLET", credits=2, reasons=("objet standard",)),
        credits_estimes=2,
        validation_status="pending_credits",
        decision=Decision(verdict="reject", by="administrator", at=NOW, notes="Hors sujet"),
    ).with_(**changes)


def test_texts_for_staff() -> None:
    case = a_quoted_case(
        request=a_request(description="Ligne *une*\n# titre <b>", objet="[x](http://evil)"),
        files=(
            FileFact(name="a|b.jpg", url="https://x.example/a"),
            FileFact(name="b.glb", problem="le fichier est vide"),
            FileFact(name="c.jpg"),
        ),
        decision=Decision(verdict="accept", by="administrator", at=NOW, credits=2, notes="Vite"),
    )
    body = subtask_body(case)
    assert r"Ligne \*une\*" in body
    assert r"\# titre \<b\>" in body
    assert r"\[x\]\(http://evil\)" in body
    assert r"[a\|b.jpg](https://x.example/a)" in body
    assert "le fichier est vide" in body
    assert "Vite" in body
    assert "objet standard" in body
    bare = subtask_body(a_case(request=a_request(user_name="")))
    assert "client@example.com" in bare
    content = ticket_content(case)
    assert "c.jpg : non reçu" in content
    assert "Classement : MODELISATION" in content
    assert "Classement" not in ticket_content(a_case())


def test_a_note_says_what_the_client_wrote() -> None:
    reply = Reply(message_id="m", intent="question", sender="x@example.com", words="Quand ?")
    case = a_case(replies=(reply,))
    note = Post(kind=PostKind.NOTE, key="note:1", about="m", why="question")
    assert "Quand ?" in note_text(case, note)
    empty = case.with_(replies=(reply.model_copy(update={"words": ""}),))
    assert "aucun texte nouveau" in note_text(empty, note)
    assert "attend une réponse" in note_text(a_case(), note)


def test_steps_without_a_payload_have_none() -> None:
    office = Office("a@example.com", "example.com", "b@example.com")
    assert compose(a_case(), Due(Step.UPLOAD, "k"), RULES, office) == {}


@pytest.mark.parametrize("text", ["<x@y>", "<nobody.ABCDEFGHIJ@x>", "", "quote.1.ABCDEFGHIJ@x"])
def test_a_message_id_of_others_says_nothing(text: str) -> None:
    assert letter_name(text) is None
