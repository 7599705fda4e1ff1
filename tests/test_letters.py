"""Letters: what each kind says, and that a client's words stay words."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport import directives
from figsupport.core.letters import (
    NAMES,
    LetterText,
    compose,
    credits_in_words,
    generate_admin_notice_message,
    generate_confirmation_message,
    generate_info_request_message,
    generate_quote_message,
    generate_refusal_message,
    generate_rejection_message,
    write,
)
from figsupport.core.model import (
    STAFF,
    Analysis,
    Classification,
    Decision,
    FileFact,
    Language,
    LetterKind,
    Post,
    PostKind,
    Reply,
    SentLetter,
    TicketRef,
)
from figsupport.core.rules import Template

from .values import NOW, a_case, a_request

TEMPLATES = directives.load(directives.default_folder()).templates
LANGUAGES: tuple[Language, ...] = get_args(Language)
KINDS: tuple[LetterKind, ...] = get_args(LetterKind)
HOSTILE = "<b>$credits $$ $client</b>\u202e\x1b[31m\r\nBcc: a@example.com"


def letter(kind: LetterKind, **changes: object) -> LetterText:
    return write(a_case(**changes), Post(kind=PostKind.LETTER, key="k", letter=kind), TEMPLATES)


def test_every_kind_has_its_letter_in_each_language_of_clients() -> None:
    wanted = {(kind, language) for kind in KINDS for language in LANGUAGES}
    assert set(TEMPLATES) == wanted - {(kind, "en") for kind in STAFF}
    assert set(NAMES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_leaves_a_name_open_and_each_carries_its_reference(
    kind: LetterKind, language: Language
) -> None:
    case = a_case(language=language, credits_estimes=2)
    said = letter(kind, language=language, credits_estimes=2)
    assert said.subject.endswith(f"[#{case.reference}]")
    assert "$" not in said.subject + said.text + said.html
    assert said.text.endswith("\n")
    assert said.html.startswith("<!doctype html>")
    assert said.subject == " ".join(said.subject.split())


def test_the_info_request_names_exactly_what_is_missing() -> None:
    analysis = Analysis(outcome="INCOMPLET", missing=("une photo nette", "le nom de l'objet"))
    said = generate_info_request_message(a_case(analysis=analysis), TEMPLATES)
    assert "- une photo nette\n- le nom de l'objet\n" in said.text
    assert "<ul><li>une photo nette</li><li>le nom de l&#x27;objet</li></ul>" in said.html
    assert generate_info_request_message(a_case(), TEMPLATES).text  # nothing was analysed yet


@pytest.mark.parametrize(
    ("language", "number", "price", "accept"),
    [
        ("fr", 1, "1 crédit.", "Je valide"),
        ("fr", 2, "2 crédits.", "Je valide"),
        ("en", 1, "1 credit.", "I accept"),
        ("en", 2, "2 credits.", "I accept"),
    ],
)
def test_a_quote_says_its_price_and_how_to_accept(
    language: Language, number: int, price: str, accept: str
) -> None:
    case = a_case(language=language, credits_estimes=number)
    said = generate_quote_message(case, TEMPLATES)
    assert price in said.text
    assert accept in said.text
    assert re.search("lue par une personne|read by a person", said.text)
    assert credits_in_words(number, language) in said.subject


def test_a_quote_says_what_is_included() -> None:
    model = FileFact(name="a.glb", kind="model3d")
    adjusts = generate_quote_message(a_case(files=(model,)), TEMPLATES).text
    assert "ajustement du fichier 3D" in adjusts
    broken = model.model_copy(update={"problem": "illisible"})
    for files in ((), (broken,), (FileFact(name="a.jpg", kind="photo"),)):
        assert (
            "modélisation 3D complète"
            in generate_quote_message(a_case(files=files), TEMPLATES).text
        )


def test_the_administrator_reads_every_fact_and_the_commands() -> None:
    case = a_case(
        request=a_request(description="Une cheminée\nsculptée"),
        ticket=TicketRef(id="42", url="https://desk.example/42"),
        files=(
            FileFact(name="a.jpg", kind="photo", url="https://files.example/a.jpg"),
            FileFact(name="b.jpg", kind="photo", problem="le lien a expiré"),
            FileFact(name="c.doc", url="https://files.example/c.doc", problem="pas une photo"),
            FileFact(name="d.jpg"),
        ),
        classification=Classification(
            type="MODELISATION", by="rules", confidence="high", reasons=("« modéliser »",)
        ),
        analysis=Analysis(outcome="COMPLEXE", reasons=("travail sculpté",)),
        validation_status="pending_admin",
    )
    said = generate_admin_notice_message(case, TEMPLATES, "complex")
    assert said.subject.startswith("À traiter : demande complexe à chiffrer — ticket 42 [#")
    for fact in (
        "Jean Dupont (client@example.com)",
        "https://desk.example/42",
        "Une cheminée\nsculptée",
        "- a.jpg : https://files.example/a.jpg\n",
        "- b.jpg : le lien a expiré\n",
        "- c.doc : https://files.example/c.doc (pas une photo)",
        "- d.jpg : non reçu\n",
        "- MODELISATION (rules) : « modéliser »",
        "- COMPLEXE (rules) : travail sculpté",
        "- statut : pending_admin",
        "figsupport validate 42 --credits 3\n",
        "figsupport validate 42 --credits 3 --quote\n",
        'figsupport validate 42 --reject --reason "…"',
    ):
        assert fact in said.text, fact


def test_the_administrator_reads_the_clients_words_about_a_reply() -> None:
    reply = Reply(message_id="m", intent="question", sender="c@example.com", words="Quand ?",
                  reasons=("une question",))  # fmt: skip
    post = Post(kind=PostKind.LETTER, key="k", letter="administrator", why="question", about="m")
    said = write(a_case(credits_estimes=2), post, TEMPLATES, reply).text
    assert "le client pose une question\n\nDe c@example.com :\n\nQuand ?\n\n- une question" in said
    assert "--credits 2" in said
    silent = reply.model_copy(update={"words": ""})
    assert "(aucun texte nouveau)" in write(a_case(), post, TEMPLATES, silent).text


def test_the_administrator_of_a_support_ticket_has_nothing_to_price() -> None:
    unsure = Classification(type="SUPPORT", by="rules", confidence="low")
    case = a_case(
        classification=unsure, ticket=TicketRef(id="7"), request=a_request(description="")
    )
    said = generate_admin_notice_message(case, TEMPLATES, "type").text
    assert "figsupport tickets 7" in said
    assert "validate" not in said
    assert "(sans description)" in said
    assert "aucun" in said
    untouched = generate_admin_notice_message(a_case(), TEMPLATES, "un motif libre").text
    assert "un motif libre" in untouched
    assert "- rien encore" in untouched


def test_the_last_letters() -> None:
    accepted = Decision(verdict="accept", by="administrator", at=NOW, credits=5)
    case = a_case(credits_estimes=2, decision=accepted)
    assert "pour 5 crédits" in generate_confirmation_message(case, TEMPLATES).text
    assert (
        "pour 2 crédits" in generate_confirmation_message(a_case(credits_estimes=2), TEMPLATES).text
    )
    assert "ne souhaitez pas donner suite" in generate_refusal_message(a_case(), TEMPLATES).text
    rejected = Decision(verdict="reject", by="administrator", at=NOW, notes="Hors de notre métier.")
    said = generate_rejection_message(a_case(decision=rejected), TEMPLATES).text
    assert "\nHors de notre métier.\n" in said
    assert "\n\n\n" not in generate_rejection_message(a_case(), TEMPLATES).text


@pytest.mark.parametrize(
    ("language", "price", "accept"),
    [("fr", "2 crédits", "Je valide"), ("en", "2 credits", "I accept")],
)
def test_a_reminder_repeats_the_price_of_the_open_quote_and_how_to_accept(
    language: Language, price: str, accept: str
) -> None:
    """It asks nothing: a yes to it can be a yes to the quote only."""
    quote = SentLetter(kind="quote", key="k", message_id="m", to="c@example.com", subject="", text="",
                       sent_at=NOW, credits=2)  # fmt: skip
    case = a_case(language=language, validation_status="pending_credits", quotes=1, mails=(quote,))
    said = letter(
        "reminder",
        **{
            name: getattr(case, name)
            for name in ("language", "validation_status", "quotes", "mails")
        },
    )
    assert price in said.subject
    assert f": {price}." in said.text
    assert accept in said.text
    assert "?" not in said.text


def test_a_reminder_names_what_is_missing_or_the_letter_that_did() -> None:
    analysis = Analysis(outcome="INCOMPLET", missing=("une photo nette",))
    assert "- une photo nette\n" in letter("info_reminder", analysis=analysis).text
    assert "- les éléments demandés dans notre précédent" in letter("info_reminder").text
    assert "- what we asked for" in letter("info_reminder", language="en").text


def test_the_last_letter_says_how_to_go_on() -> None:
    assert "il suffit de nous écrire en réponse" in letter("expiry").text
    assert "simply write to us in reply" in letter("expiry", language="en").text


@pytest.mark.parametrize("kind", KINDS)
def test_a_clients_words_are_never_markup_nor_a_template(kind: LetterKind) -> None:
    request = a_request(objet=HOSTILE, user_name=HOSTILE, description=HOSTILE)
    said = letter(kind, request=request, credits_estimes=2)
    assert "\n" not in said.subject
    assert "$credits $$ $client" in said.text  # put in once, never read again
    assert "<b>" not in said.html
    assert "&lt;b&gt;" in said.html
    for sign in "\u202e\x1b\r":
        assert sign not in said.subject + said.text + said.html


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_a_subject_or_opens_a_tag(objet: str, name: str) -> None:
    said = letter("quote", request=a_request(objet=objet, user_name=name), credits_estimes=1)
    assert len(said.subject.splitlines()) == 1
    assert said.subject.endswith("]")
    tags = set(re.findall(r"<[^>]*>", said.html))
    style = next(tag for tag in tags if tag.startswith("<body"))
    plain = {"<!doctype html>", "<html>", "</html>", "</body>", "<p>", "</p>", "<br>"}
    assert tags - plain - {style, "<ul>", "</ul>", "<li>", "</li>"} == set()


def test_nobody_has_an_empty_name_and_no_subject_is_endless() -> None:
    nobody = a_request(objet=" \u200b", user_name="\x00")
    said = letter("refusal", request=nobody)
    assert "Bonjour client@example.com" in said.text
    assert "« sans objet »" in said.text
    assert '"no subject"' in letter("refusal", request=nobody, language="en").text
    assert len(letter("refusal", request=a_request(objet="chaise " * 9_000)).subject) < 250


def test_a_dollar_is_written_twice_and_a_forgotten_name_is_an_error() -> None:
    template = Template("[#$reference]", "10 $$ pour $client\n\n- un\n- deux\n\nfin")
    said = compose(template, {"reference": "R", "client": "A & B"})
    assert said.text == "10 $ pour A & B\n\n- un\n- deux\n\nfin\n"
    assert "<p>10 $ pour A &amp; B</p>\n<ul><li>un</li><li>deux</li></ul>\n<p>fin</p>" in said.html
    with pytest.raises(KeyError):
        compose(template, {"reference": "R"})
