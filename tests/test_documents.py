"""Documents, mails and desks' tickets become values; what does not fit is named."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.core.adoption import adopted
from figsupport.core.intake import Limits, identity, parse_case, parse_json, parse_request
from figsupport.core.mail import _tried, parse_mail
from figsupport.core.model import (
    Analysis,
    Case,
    ContactRef,
    Message,
    Request,
    Status,
    Ticket,
    TicketRef,
)
from figsupport.core.own_words import from_html
from figsupport.core.plan import due
from figsupport.core.progress import updated
from figsupport.errors import InvalidRequest

from .values import NOW, a_case, a_request

MINIMAL = {"user_email": "a@example.com"}


def test_a_file_may_be_named_in_many_ways() -> None:
    files = [
        "photo.jpg",
        {"name": "a.jpg"},
        {"url": "https://x.example/dir/b%20c.jpg?sig=1"},
        {"path": "dir\\d.jpg"},
        {"url": "http://[broken"},
        {"name": "e\u202e\n.jpg", "url": "https://x.example/e"},
    ]
    request = parse_request({**MINIMAL, "fichiers": files}, Limits())
    assert [file.name for file in request.fichiers] == [
        "photo.jpg", "a.jpg", "b c.jpg", "d.jpg", "fichier", "e\u202e .jpg",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fichiers": ["a"] * 51}, "fichiers"),
        ({"fichiers": [{"name": "a" * 300}]}, "fichiers[0].name"),
        ({"request_id": "x" * 201}, "request_id"),
        ({"request_id": ["x"]}, "request_id"),
        ({"user_email": "é@example.com"}, "user_email"),
        ({"user_email": "a@b@c"}, "user_email"),
        ({"user_email": "a@-x.com"}, "user_email"),
        ({"user_email": 3}, "user_email"),
        ({"objet": "x" * 1_001}, "objet"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request({**MINIMAL, **change}, Limits())
    assert [problem.field for problem in caught.value.problems] == [field]


def test_unknown_fields_are_kept_and_ignored() -> None:
    request = parse_request({**MINIMAL, "campagne": {"x": 1}, "request_id": 12}, Limits())
    assert request.model_dump()["campagne"] == {"x": 1}
    assert request.request_id == "12"


@pytest.mark.parametrize(
    "extra", ['"\\ud800"', '{"\\udc00": 1}', "NaN", "1e999", "[" * 47 + "{}" + "]" * 47]
)
def test_whatever_is_taken_in_can_be_read_again(extra: str) -> None:
    """A journal that holds what it cannot read stops every other case, too."""
    text = f'{{"user_email": "a@example.com", "more": {extra}}}'
    request = parse_request(parse_json(text, Limits()), Limits())
    assert Request.model_validate_json(request.model_dump_json()).user_email == "a@example.com"


def test_what_is_nested_too_deep_is_refused() -> None:
    text = f'{{"user_email": "a@example.com", "more": {"[" * 250}{"]" * 250}}}'
    with pytest.raises(InvalidRequest, match="nested"):
        parse_json(text, Limits())


def test_order_spaces_and_signatures_are_the_same_request() -> None:
    one = parse_request({"objet": "A  B", **MINIMAL, "fichiers": [{"path": "x/a.jpg"}]}, Limits())
    two = parse_request(
        {"fichiers": [{"path": "/srv/a.jpg"}], "user_email": "A@example.com", "objet": "A B "},
        Limits(),
    )
    assert one.fingerprint() == two.fingerprint()


def test_a_third_case_of_the_same_content() -> None:
    second = a_case(id="abc-2")
    assert identity(a_request(), second, NOW + timedelta(days=31)) == "abc-3"


@pytest.mark.parametrize(
    "analysis",
    [
        {"outcome": "COMPLET"},
        {"outcome": "COMPLEXE", "credits": 2},
        {"outcome": "COMPLET", "credits": 0},
        {"outcome": "COMPLET", "credits": -1},
        {"outcome": "GRATUIT"},
    ],
)
def test_a_forged_analysis_is_refused(analysis: dict[str, object]) -> None:
    document = a_case().model_dump(mode="json") | {"analysis": analysis}
    with pytest.raises(InvalidRequest, match="analysis"):
        parse_case(document, Limits())


def test_a_case_is_a_mapping() -> None:
    with pytest.raises(ValueError, match="Case"):
        Case.model_validate("x")
    assert Analysis(outcome="COMPLET", credits=1).credits == 1


# --- mails ---------------------------------------------------------------------------------


def test_a_usual_mail() -> None:
    raw = (
        b"From: =?utf-8?q?H=C3=A9l=C3=A8ne?= <Helene@Example.com>\r\n"
        b"Subject: =?utf-8?b?UsOpcG9uc2U=?=\r\nDate: Mon, 2 Nov 2026 10:30:00 +0100\r\n"
        b"Received: one\r\nReceived: two\r\n"
        b"Authentication-Results: ours; dmarc=pass\r\nAuthentication-Results: theirs; dmarc=fail\r\n"
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nd'accord \xe9\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>d'accord</p>\r\n--b--\r\n"
    )
    mail = parse_mail(raw)
    assert (mail.sender, mail.sender_name, mail.subject) == (
        "helene@example.com",
        "Hélène",
        "Réponse",
    )
    assert (mail.text.strip(), mail.html) == ("d'accord é", "<p>d'accord</p>")
    assert mail.sent_at == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    assert mail.headers["received"] == "one\ntwo"
    assert mail.headers["authentication-results"] == "ours; dmarc=pass"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@example.com\r\nFrom: b@example.com\r\n\r\nx",
        b"From: a@example.com, b@example.com\r\n\r\nx",
        b"From: Je valide\r\n\r\nx",
        b"From: \r\n\r\nx",
        b"Subject: x\r\n\r\nx",
        b"From: <@>\r\n\r\nx",
        b"",
        b"\x00\xff",
    ],
)
def test_who_is_not_one_sender_is_nobody(raw: bytes) -> None:
    assert parse_mail(raw).sender == ""


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Nov 2026 10:30:00", "1" * 400])
def test_a_date_that_is_none(date: str) -> None:
    assert parse_mail(f"From: a@b.example\r\nDate: {date}\r\n\r\nx".encode()).sent_at is None


def test_a_date_without_a_zone_is_utc() -> None:
    raw = b"Date: Mon, 2 Nov 2026 10:30:00 -0000\r\n\r\n"
    assert parse_mail(raw).sent_at == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("charset", ["utf-8", "nonsense", "utf-7", "ascii"])
def test_any_charset_gives_a_text(charset: str) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + b"d\xe9j\xe0 \x81"
    assert parse_mail(raw).text.startswith("d")


def test_files_of_a_mail() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\ntext\r\n"
        b"--b\r\nContent-Type: image/jpeg\r\n\r\nno name\r\n"
        b'--b\r\nContent-Type: image/png; name="/x/a.png"\r\n\r\nnamed\r\n'
        b"--b\r\nContent-Disposition: attachment\r\n\r\nattached text\r\n"
        b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nsecond text\r\n"
        b'--b\r\nContent-Disposition: attachment; filename="x.bin"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--\r\n"
    )
    mail = parse_mail(raw)
    assert mail.text.split() == ["text", "second", "text"]  # none of the client's words is lost
    assert [name for name, _ in mail.attachments] == ["piece-2", "a.png", "x.bin"]


def test_texts_around_a_picture_are_one_text() -> None:
    """« Je valide » [photo] « mais en bleu » is no « Je valide »."""
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nJe valide\r\n"
        b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nmais en bleu\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>Oui</p>\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>mais non</p>\r\n--b--\r\n"
    )
    mail = parse_mail(raw)
    assert mail.text.split() == ["Je", "valide", "mais", "en", "bleu"]
    assert mail.html is not None
    assert "Oui" in mail.html
    assert "mais non" in mail.html


def test_hostile_mails_are_capped() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(5_000))
    assert len(parse_mail(many + b"\r\nx").headers) <= 300
    parts = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" * 1_000
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--"
    assert len(parse_mail(raw).attachments) <= 200
    assert (
        len(parse_mail(b"Subject: " + b"x" * 100_000 + b"\r\n\r\n" + b"y" * 900_000).text)
        <= 200_000
    )


def test_what_the_library_cannot_read_is_left_out() -> None:
    def broken() -> str:
        raise IndexError

    assert _tried(broken, "nothing") == "nothing"


@given(st.binary(max_size=400))
def test_any_bytes_give_a_mail(raw: bytes) -> None:
    parse_mail(raw)


@given(st.lists(st.sampled_from([
    b"From: a@b.example", b"From: =?utf-8?q?=", b"Content-Type: multipart/mixed; boundary=b", b"",
    b"--b", b"--b--", b"Content-Type: text/plain; charset=x", b"Content-Type: message/rfc822",
    b"Content-Disposition: attachment; filename*=utf-8''%ff", b"\x80: \xff", b"Date: 0", b"Je valide",
    b"Content-Transfer-Encoding: base64", b"Subject: =?x?b?/?=", b"To: <<>>", b"From: (((",
]), max_size=12))  # fmt: skip
def test_any_pieces_of_mail_give_a_mail(lines: list[bytes]) -> None:
    parse_mail(b"\r\n".join(lines))


def test_coloured_words_are_read() -> None:
    html = '<p style="color:#222222">Je <span style="font-weight:bold">valide</span></p>'
    assert from_html(html, []).text == "Je valide"


# --- adoption ------------------------------------------------------------------------------


def a_ticket(status: Status | None, **properties: str) -> Ticket:
    known = {"validation_status": status} if status else {}
    return Ticket(
        ref=TicketRef(id="1001"),
        key="",
        subject="Fauteuil",
        content="Un fauteuil",
        contact=ContactRef(id="7"),
        contact_email="client@example.com",
        properties={**known, **properties},
        created_at=NOW,
    )


def ours(name: str) -> Message:
    return Message(
        id=f"<{name}.ABCDEFGHIJ@localhost>", direction="out", sender="", text="…", sent_at=NOW
    )


@pytest.mark.parametrize(
    ("status", "letters", "owed"),
    [
        (None, [], []),
        ("pending_info", [], ["mail:info:1"]),
        ("pending_info", ["info.1"], []),
        ("pending_credits", [], ["mail:quote:1"]),
        ("pending_credits", ["info.1", "quote.1"], []),
        ("pending_admin", [], []),
        ("validated", ["quote.1"], ["mail:confirmation"]),
        ("validated", ["quote.1", "confirmation"], []),
        ("rejected", ["quote.1"], []),
    ],
)
def test_a_case_is_rebuilt_from_its_ticket(
    status: Status | None, letters: list[str], owed: list[str]
) -> None:
    ticket = a_ticket(status, credits_estimes="2.0", fichiers_urls="https://x.example/a.jpg")
    messages = [
        *(ours(name) for name in letters),
        Message(id="<x@y>", direction="out", sender="", sent_at=NOW),
    ]
    case = adopted(ticket, messages, NOW)
    assert case.id == "ticket-1001"
    assert case.adopted
    assert [post.key for post in case.outbox] == owed
    assert case.credits_estimes == 2
    assert [file.url for file in case.files] == ["https://x.example/a.jpg"]
    assert case.classification is not None
    assert case.classification.type == ("MODELISATION" if status else "SUPPORT")
    assert (case.decision is not None) is (status in ("validated", "rejected"))


def test_mails_answered_by_our_newest_letter_are_read() -> None:
    before = Message(id="a", sender="client@example.com", sent_at=NOW - timedelta(days=1))
    after = Message(id="b", sender="client@example.com", sent_at=NOW + timedelta(days=1))
    case = adopted(a_ticket("pending_credits"), [before, ours("quote.1"), after], NOW)
    assert [reply.message_id for reply in case.replies] == ["a"]
    step = due(updated(case, {"validation_status": "pending_credits", "credits_estimes": ""}, NOW),
               (before, after), NOW)  # fmt: skip
    assert step is not None
    assert step.message == after
