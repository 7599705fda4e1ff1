"""Who may call: signatures over the raw body, a bearer token, tokens of the public form.

Pure but for the comparison in constant time. Standard Webhooks is fifteen lines of `hmac`; its
library fails with bare errors on malformed headers and knows one secret and one clock.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from figsupport.errors import Misconfigured

#: Seconds that a signature may be old, or its clock ahead of ours.
WINDOW = 300.0
#: Seconds that a token of the form holds, and the age below which no person has filled a form.
FORM_LIFE, FORM_AGE = 3600.0, 1.0

_SHORTEST, _LONGEST = 24, 64
#: what HubSpot decodes in the address before it signs
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'",
    "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_ENCODED = re.compile("|".join(_DECODED), re.IGNORECASE)


def webhook_secrets(text: str) -> tuple[bytes, ...]:
    """Return the keys in FIGSUPPORT_WEBHOOK_SECRET; two of them while they are rotated.

    Raises Misconfigured.
    """
    keys = []
    for part in re.split(r"[\s,]+", text.strip()):
        if not part:
            continue
        try:
            key = base64.b64decode(part.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not _SHORTEST <= len(key) <= _LONGEST:
            raise Misconfigured(
                "FIGSUPPORT_WEBHOOK_SECRET is not « whsec_ » and the base64 of 24 to 64 bytes",
                hint='Make one: python3 -c "import base64, secrets; '
                "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\"",
            )
        keys.append(key)
    return tuple(keys)


def is_fresh(timestamp: str, now: float) -> bool:
    """Tell whether a time (Unix seconds as text) is within the window, on both sides."""
    return timestamp.isascii() and timestamp.isdigit() and abs(now - int(timestamp[:20])) <= WINDOW


def is_signed(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes]) -> bool:
    """Tell whether one of the signatures is by one of the keys (Standard Webhooks, v1)."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = [_base64(key, signed) for key in keys]
    given = [
        part.partition(",")[2].encode()
        for part in headers["webhook-signature"].split(" ")
        if part.startswith("v1,")
    ]
    return any(hmac.compare_digest(one, other) for one in expected for other in given)


def same_secret(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def is_by_hubspot(
    secret: str, method: str, url: str, body: bytes, headers: Mapping[str, str], now: float
) -> bool:
    """Tell whether HubSpot signed this call (v3): method, address, body, time in milliseconds."""
    timestamp = headers.get("x-hubspot-request-timestamp", "")
    if not is_fresh(timestamp[:-3], now):
        return False
    url = _ENCODED.sub(lambda found: _DECODED[found[0].upper()], url)
    signed = f"{method}{url}".encode() + body + timestamp.encode()
    expected = _base64(secret.encode(), signed)
    return hmac.compare_digest(expected, headers.get("x-hubspot-signature-v3", "").encode())


def form_token(key: bytes, origin: str, now: float) -> str:
    """Return a token that lets a page of this origin send the form for an hour."""
    issued = str(int(now * 1000))
    return f"{issued}.{_form_mark(key, origin, issued)}"


def form_token_age(token: str, keys: Sequence[bytes], origin: str, now: float) -> float | None:
    """Return the age of a form's token in seconds, None when it is not ours or too old."""
    issued, _, mark = token.partition(".")
    expected = [_form_mark(key, origin, issued) for key in keys]
    if not any(hmac.compare_digest(mark.encode(), one.encode()) for one in expected):
        return None
    age = now - int(issued) / 1000  # ours: it is a number
    return age if -WINDOW <= age <= FORM_LIFE else None


def form_keys(secrets: Sequence[bytes], own: bytes) -> tuple[bytes, ...]:
    """Return the keys of the form's tokens: from the webhook's secrets, else this process's own."""
    return tuple(hmac.digest(key, b"figsupport form", "sha256") for key in secrets) or (own,)


def _form_mark(key: bytes, origin: str, issued: str) -> str:
    return hmac.new(key, f"{origin} {issued}".encode(), hashlib.sha256).hexdigest()


def _base64(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, signed, "sha256"))
