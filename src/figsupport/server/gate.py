"""The gate: whose calls are let in, by what the settings hold."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from figsupport.server.problems import HttpProblem
from figsupport.server.signatures import is_fresh, is_signed, same_secret, webhook_secrets
from figsupport.settings import Settings

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Claim(NamedTuple):
    """What a caller's headers claim; a signature is checked once the body is here."""

    delivery: str | None = None  # the webhook-id
    check: Callable[[bytes], bool] = lambda _: True


class Gate:
    """Lets in who signs with the secret or carries the token."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._keys = webhook_secrets(settings.secret("FIGSUPPORT_WEBHOOK_SECRET"))
        self._token = settings.secret("FIGSUPPORT_WEBHOOK_TOKEN")
        self._clock = clock

    @property
    def open(self) -> bool:
        """Tell whether neither a secret nor a token is set."""
        return not self._keys and not self._token

    def claim(self, headers: Mapping[str, str]) -> Claim:
        """Read what a caller claims to be. Raises HttpProblem (401) before the body is read."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if self._token and scheme.lower() == "bearer":
            if same_secret(token.strip(), self._token):
                return Claim(headers.get("webhook-id"))
            raise _unknown("The bearer token is not the right one")
        if not self._keys:
            raise _unknown("A bearer token is expected: Authorization: Bearer …")
        if missing := [name for name in _HEADERS if not headers.get(name)]:
            raise _unknown(f"The call is not signed: {', '.join(missing)} missing")
        if not is_fresh(headers["webhook-timestamp"], self._clock()):
            raise _unknown("webhook-timestamp is more than five minutes away from now")
        signed = {name: headers[name] for name in _HEADERS}
        return Claim(signed["webhook-id"], lambda body: is_signed(signed, body, self._keys))

    def claim_request(self, headers: Mapping[str, str]) -> Claim:
        """Like `claim`; without secret and token, calls to this machine's own names pass.

        The name tells a call on this machine from one that a proxy passes on, or that a
        web page makes under a name of its own.
        """
        if not self.open:
            return self.claim(headers)
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in _LOCAL_NAMES:
            raise _unknown("Only calls to localhost are let in without a secret")
        return Claim(headers.get("webhook-id"))


def check(claim: Claim, body: bytes) -> None:
    """Check a claim against the body. Raises HttpProblem (401)."""
    if not claim.check(body):
        raise _unknown("No signature in webhook-signature fits this body")


def _unknown(detail: str) -> HttpProblem:
    return HttpProblem(401, "unauthenticated", f"{detail}. Nothing was done.")
