"""Letters by SMTP keep the contract of the mail port, on a real SMTP server on the loopback."""

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from figsupport.adapters.smtp import Relay, SmtpMail
from figsupport.core.events import CallDone, Event
from figsupport.errors import (
    Credentials,
    FigsupportError,
    Misconfigured,
    Refused,
    Unavailable,
)
from figsupport.ports import Mail

from .contracts import MailContract, a_letter
from .standins.smtp import Office, start
from .values import NOW

CERTIFICATES = trustme.CA()
SENDER = "Équipe Figurative <support@figurative.example>"


def clock() -> datetime:
    return NOW


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = data.login == b"team" and data.password == b"right"
    return AuthResult(success=good, handled=False)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def plain(office: Office, socket_enabled: None) -> Iterator[Controller]:
    controller = start(office)
    yield controller
    controller.stop()


@pytest.fixture
def secure(office: Office, socket_enabled: None) -> Iterator[Controller]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATES.issue_cert("127.0.0.1").configure_cert(context)
    controller = start(
        office, tls_context=context, require_starttls=True, authenticator=authenticate,
        auth_required=True,
    )  # fmt: skip
    yield controller
    controller.stop()


def mail_to(controller: Controller, **changes: Any) -> SmtpMail:
    trusted = ssl.create_default_context()
    CERTIFICATES.configure_trust(trusted)
    tls = changes.pop("tls", trusted)
    relay = Relay("127.0.0.1", controller.port, "team", "right", "starttls")
    return SmtpMail(relay._replace(**changes), SENDER, clock, tls=tls, timeout=2.0)


class TestSmtpMail(MailContract):
    proves = None

    @pytest.fixture
    def mail(self, secure: Controller, office: Office) -> Mail:
        self.office = office
        return mail_to(secure)

    def delivered(self, mail: Mail) -> list[str]:
        return [str(letter["Message-ID"]) for _, letter in self.office.letters]

    def test_the_letter_arrives_as_it_was_written(self, mail: Mail) -> None:
        mail.send(a_letter())
        ((envelope, letter),) = self.office.letters
        assert envelope.mail_from == "support@figurative.example"
        assert envelope.rcpt_tos == ["client@example.com"]
        assert letter["Subject"] == "Votre devis [#ABCDEFGHIJ] – été"
        assert letter["Auto-Submitted"] == "auto-generated"
        assert letter["Reply-To"] == SENDER
        assert "2 crédits" in letter.get_body(("plain",)).get_content()

    def test_a_wrong_password(self, secure: Controller) -> None:
        mail = mail_to(secure, password="wrong-secret")
        with pytest.raises(Credentials, match="535") as caught:
            mail.send(a_letter())
        assert "SMTP_PASSWORD" in caught.value.hint
        health = mail.check()
        assert not health.ok
        assert "wrong-secret" not in health.detail + str(caught.value)

    def test_a_certificate_of_another(self, secure: Controller) -> None:
        with pytest.raises(Misconfigured, match="certificate"):
            mail_to(secure, tls=ssl.create_default_context()).send(a_letter())

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            ({"recipient": "550 No such user"}, Refused),
            ({"recipient": "451 Greylisted"}, Unavailable),
            ({"letter": "554 Spam"}, Refused),
            ({"letter": "452 Full"}, Unavailable),
        ],
    )
    def test_what_the_server_refuses(
        self, mail: Mail, answer: dict[str, str], error: type[FigsupportError]
    ) -> None:
        self.office.answers = answer
        with pytest.raises(error):
            mail.send(a_letter())
        self.office.answers = {}
        mail.send(a_letter())
        assert self.delivered(mail) == [a_letter().message_id]


def test_a_relay_on_this_machine(plain: Controller, office: Office) -> None:
    mail = mail_to(plain, username="", security="none")
    mail.send(a_letter())
    assert mail.calls == len(office.letters) == 1
    assert mail.check().ok


def test_no_letter_goes_unprotected(plain: Controller, office: Office) -> None:
    with pytest.raises(Misconfigured, match="cannot do"):
        mail_to(plain).send(a_letter())
    with pytest.raises(Misconfigured, match="unprotected"):
        SmtpMail(Relay("smtp.example.com", security="none"), SENDER, clock)
    assert office.letters == []
    assert SmtpMail(Relay("localhost", security="none"), SENDER, clock)


def test_nobody_answers(socket_enabled: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        relay = Relay("127.0.0.1", free.getsockname()[1], security="none")
    heard: list[Event] = []
    with pytest.raises(Unavailable, match="does not answer"):
        SmtpMail(relay, SENDER, clock, timeout=0.5, hear=heard.append).send(a_letter())
    assert [(call.call, call.status) for call in heard if isinstance(call, CallDone)] == [
        ("send", None)
    ]
    tls = SmtpMail(relay._replace(security="tls"), SENDER, clock, timeout=0.5)
    assert "SMTP_HOST" in tls.check().detail
