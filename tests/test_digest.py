"""The digest's words: which cases are in it, and what to type about each."""

from collections.abc import Sequence
from datetime import date, timedelta

from figsupport import directives
from figsupport.core.compose import Office
from figsupport.core.digest import Digest, write_digest
from figsupport.core.model import (
    Case,
    Classification,
    Doing,
    Message,
    SentLetter,
    Step,
    TicketRef,
)

from .values import NOW, a_case, a_request

TEMPLATES = directives.load(directives.default_folder()).templates
OFFICE = Office("Figurative <support@figurative.example>", "figurative.example", "admin@x.example")
DAY = date(2026, 11, 2)
TYPE = Classification(type="MODELISATION", by="rules", confidence="high")


def waiting_case(number: int = 1, **changes: object) -> Case:
    given = {"classification": TYPE, "validation_status": "pending_admin", **changes}
    return a_case(ticket=TicketRef(id=str(1000 + number)), **given)


def text(*cases: Case, mails: Sequence[Message] = ()) -> str:
    digest = write_digest(cases, mails, DAY, NOW, TEMPLATES, OFFICE)
    assert digest.letter is not None
    return digest.letter.text


def test_nothing_waits_and_nothing_is_written() -> None:
    quiet = waiting_case(validation_status="pending_credits")
    begun = a_case(doing=Doing(step=Step.CONTACT, key="k", since=NOW - timedelta(days=1)))
    assert write_digest((quiet, begun), (), DAY, NOW, TEMPLATES, OFFICE) == Digest(
        day=DAY, done=True
    )


def test_the_letter_has_one_name_a_day() -> None:
    letter = write_digest((waiting_case(),), (), DAY, NOW, TEMPLATES, OFFICE).letter
    assert letter is not None
    assert letter.message_id == "<digest.20261102@figurative.example>"
    assert (letter.to, letter.ticket_id) == ("admin@x.example", None)
    assert letter.subject == "À traiter : 1 demande au lundi 2 novembre 2026"


def test_each_case_says_why_it_waits_and_what_to_type() -> None:
    draft = SentLetter(kind="quote", key="k", message_id="m", to="c", subject="", text="",
                       sent_at=NOW, way="draft")  # fmt: skip
    stuck = Doing(step=Step.SUBTASK, key="k", since=NOW - timedelta(hours=2))
    fresh = Doing(step=Step.SUBTASK, key="k", since=NOW)
    said = text(
        waiting_case(1),
        waiting_case(2, validation_status="pending_credits", asked=NOW, credits_estimes=2),
        waiting_case(3, validation_status="pending_credits", mails=(draft,)),
        waiting_case(4, validation_status="pending_credits", doing=stuck),
        waiting_case(5, validation_status="pending_credits", doing=fresh),
        waiting_case(6, request=a_request(objet=" ", user_name="")),
    )
    blocks = said.split("\n\n")
    assert blocks[1].split("\n") == [
        "Ticket 1001 — « Modélisation fauteuil vintage », Jean Dupont : à chiffrer",
        "figsupport validate 1001 --credits 3",
        "figsupport validate 1001 --credits 3 --quote",
        'figsupport validate 1001 --reject --reason "…"',
    ]
    assert "1002 — « Modélisation fauteuil vintage », Jean Dupont : le client attend une" in said
    assert "--credits 2 --quote\n" in blocks[2]
    assert blocks[2].endswith("figsupport tickets 1002 --answered")
    assert blocks[3].endswith("laissée en brouillon\nfigsupport tickets 1003 --sent")
    assert blocks[4].endswith("ne répond pas\nfigsupport tickets 1004")
    assert "1005" not in said
    assert "Ticket 1006 — « sans objet », client@example.com" in said


def test_a_long_digest_is_cut() -> None:
    said = text(*(waiting_case(number) for number in range(60)))
    assert "… et 10 autres." in said
    assert said.count("Ticket ") == 50


def a_mail(number: int, **changes: object) -> Message:
    given = {"subject": "Bonjour", "sender": "x@example.net", "sent_at": NOW, **changes}
    return Message.model_validate({"id": f"m{number}", "text": "Secret", **given})


def test_mails_of_no_request_are_named_with_what_to_type() -> None:
    named = a_mail(2, sender_name="Zoé", subject="Une\n\nligne", sent_at=NOW + timedelta(days=1))
    mails = (a_mail(1, subject=" "), named)
    letter = write_digest((), mails, DAY, NOW, TEMPLATES, OFFICE).letter
    assert letter is not None
    assert letter.subject == "À traiter : 2 courriers sans dossier au lundi 2 novembre 2026"
    block = letter.text.split("\n\n")[1].split("\n")
    assert block == [
        "2 courriers sans dossier, à lire :",
        f"{NOW:%d/%m/%Y} — « sans objet », x@example.net",
        f"{NOW + timedelta(days=1):%d/%m/%Y} — « Une ligne », Zoé",
        "figsupport mails",
        "figsupport mails --answered",
    ]
    assert "Secret" not in letter.text


def test_requests_come_before_mails_and_many_are_cut() -> None:
    digest = write_digest((waiting_case(),), [a_mail(n) for n in range(30)], DAY, NOW, TEMPLATES,
                          OFFICE)  # fmt: skip
    assert digest.letter is not None
    assert "1 demande et 30 courriers sans dossier" in digest.letter.subject
    assert digest.letter.text.index("Ticket 1001") < digest.letter.text.index("« Bonjour »")
    assert "… et 10 autres." in digest.letter.text
    assert digest.letter.text.count("« Bonjour »") == 20
    assert "1 courrier sans dossier, à lire :" in text(mails=[a_mail(1)])
