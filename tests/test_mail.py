"""Internet messages as values: what is shown, what is attached, who wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.core.mail import parse_mail


def multipart(*parts: str, kind: str = "mixed", head: str = "From: a@b.example") -> bytes:
    body = "".join(f"--b\n{part}\n" for part in parts)
    return f"{head}\nContent-Type: multipart/{kind}; boundary=b\n\n{body}--b--\n".encode()


PLAIN = "Content-Type: text/plain; charset=utf-8\n\n"
PAGE = "Content-Type: text/html; charset=utf-8\n\n"


def test_a_mail_attached_to_a_mail_is_a_file() -> None:
    inner = "Content-Type: message/rfc822\n\nFrom: boss@b.example\n\nJe valide"
    mail = parse_mail(multipart(f"{PLAIN}Voir ci-joint", inner))
    assert mail.text.strip() == "Voir ci-joint"
    assert [(name, b"Je valide" in content) for name, content in mail.attachments] == [
        ("piece-2", True)
    ]
    assert parse_mail(multipart(inner)).text == ""


@pytest.mark.parametrize(
    ("head", "sender"),
    [
        ("From: Jean <Client@Example.COM>", "client@example.com"),
        ("From: a@b.example\nFrom: c@d.example", ""),
        ("From: a@b.example, c@d.example", ""),
        ("From: a@b.example <c@d.example>", ""),
        ("From: client@example.com <evil@x.example>", ""),
        ('From: "client@example.com" <evil@x.example>', ""),
        ('From: "client@example.com" <client@example.com>', "client@example.com"),
        ("From: =?utf-8?q?client=40example=2Ecom?= <evil@x.example>", ""),
        ("From: client@example.com\x00@evil.example", ""),
        ("From: undisclosed", ""),
        ("Reply-To: client@example.com", ""),
        ("Sender: client@example.com\nFrom: evil@x.example", "evil@x.example"),
    ],
)
def test_the_one_address_it_is_from(head: str, sender: str) -> None:
    assert parse_mail(f"{head}\n\nJe valide".encode()).sender == sender


def test_the_topmost_result_is_our_server_s() -> None:
    raw = b"Authentication-Results: ours; dmarc=fail\nAuthentication-Results: x; dmarc=pass\n\n"
    assert parse_mail(raw).headers["authentication-results"] == "ours; dmarc=fail"


def test_line_ends_are_one_kind() -> None:
    assert parse_mail(b"From: a@b.example\r\n\r\na\r\nb\rc").text == "a\nb\nc"


@given(st.binary(max_size=400))
def test_any_bytes_give_a_mail(raw: bytes) -> None:
    assert parse_mail(raw).headers is not None


@given(st.lists(st.sampled_from([
    b"From: a@b.example", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", b"--b--",
    b"Content-Type: message/rfc822", b"Content-Type: text/html", b"Content-Type: message/partial",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x",
    b"Content-Disposition: attachment; filename=../../x", b"\xff\xfe", b"Je valide",
]), max_size=24))  # fmt: skip
def test_any_lines_give_a_mail(lines: list[bytes]) -> None:
    mail = parse_mail(b"\n".join(lines))
    assert all("/" not in name for name, _ in mail.attachments)
