"""Letters and the directives they come from."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from figsupport import directives
from figsupport.core.compose import Office, compose, note_text, subtask_body, ticket_content
from figsupport.core.letters import (
    LetterText,
    credits_in_words,
    generate_admin_notice_message,
    generate_confirmation_message,
    generate_info_request_message,
    generate_quote_message,
    generate_refusal_message,
    generate_rejection_message,
)
from figsupport.core.letters import compose as fill
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
from figsupport.core.rules import Template
from figsupport.core.words import Phrases, fold, printable, same_word, singular, words
from figsupport.errors import InvalidDirectives

from .values import NOW, a_case, a_request

FOLDER = directives.default_folder()
RULES = directives.load(FOLDER)
HOSTILE = 'Ève <script>alert("x")</script> $credits $$ \u202egnp\x1b[2J\x00 {0} %s'


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


CLIENT_LETTERS = [
    generate_info_request_message,
    generate_quote_message,
    generate_confirmation_message,
    generate_refusal_message,
    generate_rejection_message,
]


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("generate", CLIENT_LETTERS)
def test_every_letter_to_a_client(generate: Callable[..., LetterText], language: Language) -> None:
    case = a_quoted_case(language)
    subject, text, html = generate(case, RULES.templates)
    assert f"[#{case.reference}]" in subject
    assert "\n" not in subject
    assert ("Bonjour Jean Dupont" if language == "fr" else "Hello Jean Dupont") in text
    assert "Figurative" in text
    assert "$" not in subject + text + html
    assert html.startswith("<!doctype html>")


def test_a_quote_says_all_that_counts() -> None:
    subject, text, html = generate_quote_message(a_quoted_case(), RULES.templates)
    assert "2 crédits" in subject
    for words_ in ("2 crédits", "Je valide", "la modélisation 3D complète", "une personne"):
        assert words_ in text
        assert words_ in html
    one = a_quoted_case(credits_estimes=1, files=(FileFact(name="a.glb", kind="model3d"),))
    assert "1 crédit." in generate_quote_message(one, RULES.templates).text
    assert "fichier 3D que vous avez fourni" in generate_quote_message(one, RULES.templates).text
    english = generate_quote_message(a_quoted_case("en"), RULES.templates)
    assert "I accept" in english.text
    assert credits_in_words(1, "en") == "1 credit"


def test_an_info_request_names_what_is_missing() -> None:
    analysis = Analysis(outcome="INCOMPLET", missing=("une photo nette", "le nom de l'objet"))
    _, text, html = generate_info_request_message(a_quoted_case(analysis=analysis), RULES.templates)
    assert "- une photo nette\n- le nom de l'objet" in text
    assert "<ul><li>une photo nette</li><li>le nom de l&#x27;objet</li></ul>" in html
    assert generate_info_request_message(a_quoted_case(analysis=None), RULES.templates).text


def test_the_administrator_gets_all_facts_and_the_commands() -> None:
    case = a_quoted_case(
        files=(
            FileFact(name="a.jpg", url="https://x.example/a.jpg"),
            FileFact(name="b.glb", problem="le fichier est vide"),
            FileFact(name="c.jpg"),
        )
    )
    reply = Reply(message_id="m", intent="question", sender="x@example.com", words="Quand ?")
    subject, text, _ = generate_admin_notice_message(case, RULES.templates, "question", reply)
    assert "1001" in subject
    for words_ in (
        "pose une question", "x@example.com", "Quand ?", "client@example.com", "a.jpg : https://",
        "b.glb : le fichier est vide", "c.jpg : non reçu", "parce que", "objet standard",
        "figsupport validate 1001 --credits 2", "--reject --reason", "--quote",
    ):  # fmt: skip
        assert words_ in text
    silent = reply.model_copy(update={"words": ""})
    assert (
        "aucun texte nouveau"
        in generate_admin_notice_message(case, RULES.templates, "unclear", silent).text
    )
    support = a_case(classification=Classification(type="SUPPORT", by="rules", confidence="low"))
    text = generate_admin_notice_message(support, RULES.templates, "type").text
    assert "figsupport tickets ?" in text
    assert "validate" not in text
    early = generate_admin_notice_message(
        a_case(request=a_request(description="")), RULES.templates, "?"
    )
    assert "(sans description)" in early.text
    assert "rien encore" in early.text


@pytest.mark.parametrize("generate", CLIENT_LETTERS)
def test_a_clients_words_are_never_markup(generate: Callable[..., LetterText]) -> None:
    request = a_request(objet=HOSTILE, user_name=HOSTILE, description=HOSTILE)
    subject, text, html = generate(a_quoted_case(request=request), RULES.templates)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "$credits $$" in text, "a client's words are read as a template"
    for sign in ("\u202e", "\x1b", "\x00"):
        assert sign not in subject + text + html
    assert "\n" not in subject


def test_who_has_no_name_is_called_by_the_address() -> None:
    case = a_quoted_case(request=a_request(user_name="\u200b", objet=" "))
    assert "Bonjour client@example.com" in generate_refusal_message(case, RULES.templates).text
    assert "« sans objet »" in generate_refusal_message(case, RULES.templates).text


def test_a_template_is_filled_once() -> None:
    letter = fill(Template("A $a", "B $b costs $$5"), {"a": "$b", "b": "x\n- y"})
    assert letter.subject == "A $b"
    assert letter.text == "B x\n- y costs $5\n"
    with pytest.raises(KeyError):
        fill(Template("A", "$unknown"), {})


# --- payloads ------------------------------------------------------------------------------


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


# --- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "written", "same"),
    [
        ("table", "cable", False),
        ("cheminee", "chemine", True),
        ("cheminee", "cheminnee", True),
        ("fauteuil", "fautueil", True),
        ("fauteuil", "fautieul", False),
        ("commode", "comode", True),
        ("commode", "commande", False),
        ("123456", "123457", False),
        ("lampe", "lampe", True),
    ],
)
def test_one_slip_in_a_long_word(word: str, written: str, same: bool) -> None:
    assert same_word(word, written) is same


def test_words_as_people_write_them() -> None:
    assert fold("  L’Œuvre d’ÉTÉ\u200b — « fin »…  ") == "l'oeuvre d'ete - \" fin \"..."
    assert words("L'objet n°12, cœur") == ("l", "objet", "n", "12", "coeur")
    assert [singular(word) for word in ("chaises", "vitraux", "bois", "jus", "glass", "creux")] == [
        "chaise", "vitral", "boi", "jus", "glass", "creu",
    ]  # fmt: skip
    assert printable("a\u202eb\x07c\nd\te") == "abc\nd\te"


def test_the_longest_phrase_counts() -> None:
    phrases = Phrases(["table", "table basse", "basse", "!!", "lampe de chevet"])
    assert phrases.find("Une TABLE BASSE et deux tables") == ["table basse", "table"]
    assert phrases.find("lampe de") == []
    assert phrases.find("") == []


# --- directives ----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "directives")
    return tmp_path / "directives"


def problems(folder: Path) -> list[str]:
    with pytest.raises(InvalidDirectives) as caught:
        directives.load(folder)
    assert caught.value.hint
    return [f"{problem.field} {problem.message}" for problem in caught.value.problems]


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


GRID = "grille_credits_modelisation.md"


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("classification.md", "## Sources SUPPORT", "## Source", "section « ## Sources SUPPORT » is missing"),
        ("classification.md", "## Sources SUPPORT", "## Source", "unknown section « Source »"),
        ("classification.md", "- facture\n", "- modéliser\n- facture\n", "stands for SUPPORT and MODELISATION"),
        ("classification.md", "- facturation\n", "- Factures\n- facture\n", "stands already in line"),
        ("classification.md", "- facture\n", "- !!!\n", "has no word"),
        ("classification.md", "## Principes", "## Sources SUPPORT\n\n## Principes", "stands twice"),
        ("reponses.md", "- je valide\n", "- combien\n", "accepts and objects at once"),
        (GRID, "| simple | 1 | formes droites", "| facile | 1 | formes droites", "complexity « facile »"),
        (GRID, "| simple | 1 | formes droites", "| simple | deux | formes droites", "price « deux »"),
        (GRID, "| simple | 1 | formes droites", "| simple | 99 | formes droites", "price « 99 »"),
        (GRID, "| simple | 1 | formes droites", "| simple | 2 | formes droites", "another price"),
        (GRID, "| complex | Admin | moulures", "| complex | 5 | moulures", "has the price « Admin »"),
        (GRID, "| simple | 1 | formes droites", "| simple | formes droites", "3 cells; expected 4"),
        (GRID, "| caisse,", "| ,caisse,", "empty object name"),
        (GRID, "| caisse,", "| chaise, caisse,", "stands already in line"),
        (GRID, "| Objets | Complexité |", "| Objet | Complexité |", "columns Objets | Complexité"),
        (GRID, "| fichier 3D fourni | ajustement |", "| fichier 3D fourni | simple |", "« ajustement »"),
        (GRID, "| photo | jpg", "| image | jpg", "« image »; expected one of photo"),
        (GRID, "| photo | jpg,", "| photo | .jpg,", "« .jpg » is no extension"),
        (GRID, "| plan | pdf", "| plan | jpg, pdf", "« jpg » stands twice"),
        (GRID, "| objet | ce qu'est", "| object | ce qu'est", "code « object »"),
        (GRID, "| objet | ce qu'est", "| object | ce qu'est", "has no line « objet »"),
        (GRID, "$noms | a usable", "$nom | a usable", "unknown name « $nom »"),
        ("emails/quote.md", "[#$reference]", "", "must hold [#$reference]"),
        ("emails/quote.md", "$client", "$customer", "unknown name $customer"),
        ("emails/quote.md", "est de $credits.", "est de 2 $.", "a « $ » alone"),
        ("emails/quote.md", "Je valide", "Oui", "« Je valide » are missing"),
        ("emails/quote.en.md", "I accept", "Yes", "« I accept » are missing"),
        ("emails/info.md", "$missing", "", "the name $missing is missing"),
        ("emails/info.md", "\n\nBonjour", "\nBonjour", "empty line is expected"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    folder: Path, name: str, old: str, new: str, found: str
) -> None:
    edit(folder, name, old, new)
    assert any(
        found in line and line.startswith(name.removeprefix("/")) for line in problems(folder)
    ), problems(folder)


def test_every_mistake_is_named_at_once(folder: Path) -> None:
    edit(folder, "emails/quote.md", "$client", "$customer")
    (folder / "reponses.md").unlink()
    (folder / "emails" / "info.md").write_bytes(b"\xff\xfe")
    (folder / "emails" / "relance.md").write_text("x")
    (folder / "classification.md").write_text("- x\n" * 200_000)
    found = "\n".join(problems(folder))
    for words_ in ("$customer", "reponses.md is missing", "info.md cannot be read",
                   "relance.md unknown letter", "classification.md is larger"):  # fmt: skip
        assert words_ in found


def test_an_empty_list_and_sentence_are_mistakes(folder: Path) -> None:
    text = (folder / GRID).read_text("utf-8")
    head, _, rest = text.partition("## Parties d'un objet")
    (folder / GRID).write_text(
        f"{head}## Parties d'un objet\n\n##{rest.split('##', 1)[1]}", "utf-8"
    )
    edit(folder, GRID, "a usable version of: $noms", "")
    found = "\n".join(problems(folder))
    assert "has no line starting with" in found
    assert "needs a sentence in both languages" in found


def test_no_folder_at_all(tmp_path: Path) -> None:
    found = problems(tmp_path / "nowhere")
    assert len(found) >= 14
    assert all("is missing" in line or "no line" in line for line in found)


def test_windows_line_ends_and_a_mark_are_fine(folder: Path) -> None:
    for path in folder.rglob("*.md"):
        text = path.read_text("utf-8").replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert directives.load(folder) == RULES


def test_a_row_is_a_price_rule(folder: Path) -> None:
    edit(folder, GRID, "| caisse,", "| zibulon | standard | 2 | |\n| caisse,")
    assert "zibulon" in directives.load(folder).grid.objects["standard"]
