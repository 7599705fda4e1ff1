"""Letters by SMTP, from the team's own address.

Plain SMTP has no proof of what left: `was_sent` always returns None, and a letter in doubt is sent
again under the same Message-ID, which most mail programs show once. The window is short: from
the server's acceptance of the letter to the save of it, some milliseconds.
"""

import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from typing import Literal, NamedTuple

from figsupport.adapters.mime import address_of, to_mime
from figsupport.core.events import CallDone, Listener, deaf
from figsupport.core.model import Letter, Way
from figsupport.errors import Credentials, FigsupportError, Misconfigured, Refused, Unavailable
from figsupport.ports import Health

Security = Literal["starttls", "tls", "none"]

_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT = 30.0


class Relay(NamedTuple):
    """The mail server: where it is, who we are there, how the connection is protected."""

    host: str
    port: int | None = None
    username: str = ""
    password: str = ""
    security: Security = "starttls"


class SmtpMail:
    """See `ports.Mail`."""

    def __init__(
        self,
        relay: Relay,
        sender: str,
        clock: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float = _TIMEOUT,
        hear: Listener = deaf,
    ) -> None:
        """`tls`: certificates to trust instead of the system's. Raises Misconfigured."""
        if relay.security == "none" and not _is_loopback(relay.host):
            raise Misconfigured(
                f"SMTP_SECURITY=none would send letters unprotected to {relay.host}",
                hint="Use starttls or tls; none is for a relay on this machine only.",
            )
        self._relay, self._port = relay, relay.port or _PORTS[relay.security]
        self._sender, self._clock = sender, clock
        self._tls, self._timeout, self._hear = tls, timeout, hear
        self.calls = 0

    def send(self, letter: Letter) -> Way:
        """Hand the letter to the mail server."""
        mime = to_mime(letter, self._sender, self._clock())
        began, status = time.perf_counter(), None
        try:
            with self._connected() as server:
                self.calls += 1
                server.sendmail(address_of(self._sender), [letter.to], mime)
            status = 250
        finally:
            self._hear(CallDone("smtp", "send", status, time.perf_counter() - began))
        return "mail"

    def was_sent(self, letter: Letter) -> Way | None:
        """Return None: SMTP cannot tell."""
        return None

    def erase(self, reference: str) -> tuple[str, ...]:
        """Say where copies are: what has left cannot be taken back."""
        return (
            f"Letters with [#{reference}] in their subject left by mail: delete the copies in the "
            "mailbox of MAIL_FROM; the client's own cannot be taken back.",
        )

    def check(self) -> Health:
        """Greet the server and log in; nothing is sent."""
        try:
            with self._connected():
                return Health(True, f"{self._relay.host}:{self._port} ({self._relay.security})")
        except FigsupportError as error:
            return Health(False, f"{error.message} — {error.hint}")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Open a connection, protected and logged in; its errors are ours."""
        where = f"The mail server {self._relay.host}:{self._port}"
        try:
            server = self._open()
            try:
                if self._relay.username:
                    server.login(self._relay.username, self._relay.password)
                yield server
            finally:
                server.close()
        except smtplib.SMTPAuthenticationError as error:
            raise Credentials(
                f"{where} rejects the log-in ({error.smtp_code})",
                hint="Check SMTP_USERNAME and SMTP_PASSWORD.",
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(
                f"{where} cannot do what is asked: {error}",
                hint="Check SMTP_SECURITY, SMTP_PORT and SMTP_USERNAME with the mail provider.",
            ) from None
        except smtplib.SMTPRecipientsRefused as error:
            ((code, _),) = error.recipients.values()
            raise _said(f"{where} refuses the recipient", code) from None
        except smtplib.SMTPResponseException as error:
            raise _said(f"{where} refuses the letter", error.smtp_code) from None
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(
                f"{where} shows a certificate that is not trusted: {error.verify_message}",
                hint="Use the host name that stands in its certificate as SMTP_HOST.",
            ) from None
        except (OSError, smtplib.SMTPException):
            raise Unavailable(
                f"{where} does not answer",
                hint="Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY; then run it again: it is safe.",
            ) from None

    def _open(self) -> smtplib.SMTP:
        tls = self._tls or _certificates()
        if self._relay.security == "tls":
            return smtplib.SMTP_SSL(
                self._relay.host, self._port, timeout=self._timeout, context=tls
            )
        server = smtplib.SMTP(self._relay.host, self._port, timeout=self._timeout)
        if self._relay.security == "starttls":
            try:
                server.starttls(context=tls)
            except BaseException:
                server.close()
                raise
        return server


@cache
def _certificates() -> ssl.SSLContext:
    """The system's authorities, read once: reading them costs more CPU than a letter."""
    return ssl.create_default_context()


def _said(sentence: str, code: int) -> FigsupportError:
    """Return the error of an SMTP code: 4xx passes, 5xx stays (RFC 5321)."""
    if 400 <= code < 500:
        return Unavailable(f"{sentence} for now ({code})", hint="It is sent by the next poll.")
    return Refused(f"{sentence} ({code})", hint="Check the address and MAIL_FROM.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
