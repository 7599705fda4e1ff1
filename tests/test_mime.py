"""A letter as an Internet message: it reads as what the standard library's own objects write."""

from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.adapters.mime import to_mime

from .contracts import a_letter

SENDER = "Équipe Figurative <support@figurative.example>"
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=timezone(timedelta(hours=1)))
NAMES = [
    "", "Jean Dupont", "Zoé", "Jean-François d'Été", "Müller, Jürgen", "O'Brien", 'Jean "Jo" Dupont',
    "Dupont (SARL)", "a@b.c", "Dr. Who", "back\\slash", "株式会社デザイン", "Дизайн-студия «Форма»",
    "🪑 Chaises & Co", "x" * 70, "é" * 70, "Un nom très long " * 6, "Société; <script>", "a  b", "a:b",
]  # fmt: skip
SUBJECTS = [
    "Votre devis", "Votre devis [#ABCDEFGHIJ] – été", "Nous avons besoin de « précisions » " * 5,
    "word " * 40, "x" * 300, "é" * 300, "株式会社" * 30, "a  b", "a: b; c", "100 % = 5 €",
    "🪑🪑🪑", "?= =", "q=C3=A9",
]  # fmt: skip
TEXTS = [
    "", "Bonjour,\n\nMerci.\n", "Sans fin de ligne", "é" * 500, "x" * 500, ".\n..\nFrom ici\n",
    "espace \nà la fin \t\n", "=_letter_=\n--=_letter_=--\n", "lignes\r\nde\rmachines\n", "=3D é=",
    "deux\u2028lignes\x0cet\x0bsignes", "🪑\t株式会社\n",
]  # fmt: skip


def by_library(letter: Any) -> bytes:
    name, address = parseaddr(SENDER)
    mime = EmailMessage(policy=SMTP)
    mime["From"] = mime["Reply-To"] = Address(name, addr_spec=address)
    mime["To"] = Address(letter.to_name, addr_spec=letter.to)
    mime["Subject"] = letter.subject
    mime["Date"] = format_datetime(NOW)
    mime["Message-ID"] = letter.message_id
    mime["References"] = " ".join(letter.references)
    mime["In-Reply-To"] = letter.references[-1]
    mime.set_content(letter.text)
    mime.add_alternative(letter.html, subtype="html")
    return mime.as_bytes(policy=SMTP.clone(linesep="\n"))


def reading(content: bytes) -> dict[str, Any]:
    """What a mail program shows of a message."""
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    headers = ("Subject", "Date", "Message-ID", "References", "In-Reply-To", "MIME-Version")
    people = ("From", "To", "Reply-To")
    return {
        **{name: str(mail[name]) for name in headers},
        **{name: [_person(one) for one in mail[name].addresses] for name in people},
        "type": mail.get_content_type(),
        "parts": [(part.get_content_type(), part.get_content().rstrip("\r\n")) for part in parts],
        "defects": [*mail.defects, *(mail[name].defects for name in people if mail[name].defects)],
    }  # fmt: skip


def _person(address: Address) -> tuple[str, str]:
    """A name without its spaces: Python reads some into a name of several encoded words."""
    return "".join(address.display_name.split()), address.addr_spec


def compared(**changes: Any) -> None:
    letter = a_letter(references=("<quote.1.ABCDEFGHIJ@localhost>",) * 5, **changes)
    written = to_mime(letter, SENDER, NOW)
    assert written.isascii()
    assert "\r" not in written
    head = written.partition("\n\n")[0]
    assert all(len(line) <= 78 for line in head.split("\n"))
    assert all(len(line) <= 76 for line in written.removeprefix(head).split("\n"))
    assert reading(written.encode()) == reading(by_library(letter))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_reads_as_it_is(name: str) -> None:
    compared(to_name=name)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_reads_as_it_is(subject: str) -> None:
    compared(subject=subject)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_reads_as_it_is(text: str) -> None:
    compared(text=text, html=text)


WRITTEN = st.characters(exclude_categories=("C", "Z"), include_characters=" ")


@given(
    st.text(WRITTEN, max_size=120).map(str.strip),
    st.text(WRITTEN, max_size=120).map(str.strip),
    st.text(WRITTEN, max_size=200),
)
def test_what_anybody_writes_is_read(name: str, subject: str, text: str) -> None:
    changes: dict[str, Any] = {"to_name": name, "subject": subject, "text": text}
    letter = a_letter(**changes)
    read = reading(to_mime(letter, SENDER, NOW).encode())
    assert read["Subject"] == subject
    assert read["To"] == [("".join(name.split()), letter.to)]
    assert read["parts"][0] == ("text/plain", text)


@pytest.mark.parametrize("field", ["subject", "to_name", "message_id", "to"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_no_value_begins_a_header(field: str, end: str) -> None:
    changes: dict[str, Any] = {field: f"a@b.c{end}Bcc: x@y.z"}
    with pytest.raises(ValueError, match="header"):
        to_mime(a_letter(**changes), SENDER, NOW)


@pytest.mark.parametrize("to", ["", "a b@c.d", "<a@b.c>", "é@b.c"])
def test_an_address_is_one(to: str) -> None:
    with pytest.raises(ValueError, match="address"):
        to_mime(a_letter(to=to), SENDER, NOW)
