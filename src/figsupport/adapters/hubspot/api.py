"""How HubSpot is spoken to: its paths, its errors, its limits, and what is known of the account."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from figsupport.adapters.http import Http, Manners, Patience, Speech, Window
from figsupport.core.events import Listener, deaf
from figsupport.private import private_folder, replace_file

VERSION = "2026-09"
CRM = f"crm/objects/{VERSION}"

_REMEDY = {
    400: "`figsupport health` names what is wrong with the account's settings; `figsupport setup` "
    "creates what is missing.",
    401: "Check HUBSPOT_API_KEY: a private-app token or a service key of this account.",
    403: "Scopes are granted in HubSpot under Settings › Integrations › Private apps (or Service "
    "keys) › Scopes; `figsupport setup` names all that are needed.",
    429: "HubSpot's limit is reached; `figsupport poll` goes on by itself.",
}
#: what its paths are made of, ids apart
_WORDS = frozenset(
    f"""
    crm objects {VERSION} contacts tickets notes emails search batch read update upsert properties
    groups pipelines account-info details oauth v2 private-apps get access-token-info
    conversations v3 threads messages original-content
    """.split()
)


class Account:
    """What HubSpot says of the account, kept in a file: links and the day's end follow from it.

    `health` and `setup` learn it; until then links lead through HubSpot's own front door and a
    day ends at midnight UTC.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def learn(self, details: Mapping[str, Any]) -> None:
        """Keep the details that `GET /account-info/…/details` gave."""
        known = {name: str(details.get(name) or "") for name in ("uiDomain", "timeZone")}
        self.__dict__["_known"] = known
        if self._file is not None:
            private_folder(self._file.parent)
            replace_file(self._file, json.dumps(known))

    @property
    def domain(self) -> str:
        """Return the domain of links for staff."""
        return self._known.get("uiDomain") or "app.hubspot.com"

    def midnight(self, now: datetime) -> datetime:
        """Return when the account's day ends."""
        zone: tzinfo = UTC
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError):  # none on this machine
            zone = ZoneInfo(self._known.get("timeZone") or "UTC")
        day = now.astimezone(zone).date() + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    @cached_property
    def _known(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def open_api(
    key: str,
    base_url: str,
    account: Account,
    *,
    patience: Patience = Patience(),  # noqa: B008 — an immutable value
    sleep: Callable[[float], None] = time.sleep,
    hear: Listener = deaf,
) -> Http:
    """Return the connection that desk and letters share."""

    def ends(policy: str) -> datetime | None:
        return account.midnight(datetime.now(UTC)) if policy == "DAILY" else None

    manners = Manners(_heard, _REMEDY, _window, ends, _WORDS)
    headers = {"Authorization": f"Bearer {key}"}
    return Http("HubSpot", base_url, headers, manners, patience=patience, sleep=sleep, hear=hear)


def moment(text: str) -> datetime:
    """Return a timestamp of HubSpot's as a timezone-aware moment."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Pages(NamedTuple):
    """A page of results, and the cursor of the next one ("" at the end)."""

    results: list[dict[str, Any]]
    after: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Pages":
        """Return the page that an answer holds."""
        following = ((answer.get("paging") or {}).get("next") or {}).get("after")
        return cls(list(answer.get("results") or []), str(following or ""))


def _heard(body: Any) -> Speech:
    errors = body.get("errors") or []
    codes = [str(one.get("code") or "") for one in errors]
    contexts = [one.get("context") or {} for one in errors]
    needed = [scope for one in contexts for scope in one.get("requiredGranularScopes") or []]
    return Speech(
        code=" ".join(part for part in (str(body.get("category") or ""), *codes) if part),
        message=str(body.get("message") or ""),
        correlation=str(body.get("correlationId") or ""),
        policy=str(body.get("policyName") or ""),
        needed=tuple(dict.fromkeys(map(str, needed))),
    )


def _window(headers: Mapping[str, str], now: float) -> Window | None:
    names = ("remaining", "max", "interval-milliseconds")
    left, most, spell = (headers.get(f"x-hubspot-ratelimit-{name}") for name in names)
    if not (left and most and spell):
        return None
    return Window(int(left), int(most), int(spell) / 1000)
