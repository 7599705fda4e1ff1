"""Is everything usable? Works when half of it is broken, and never prints a secret."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from figsupport import __version__
from figsupport.errors import FigsupportError, listed
from figsupport.services import Services
from figsupport.settings import Settings

#: feature of the health document → the parts it needs
_FEATURES = {
    "classification": ("directives", "judge"),
    "file_upload": ("store",),
    "hubspot": ("desk", "mail"),
    "clickup": ("board",),
    "credit_validation": ("directives", "desk", "mail", "board"),
}


def examine(
    settings: Settings, watched: Callable[[Services], Services] = lambda services: services
) -> dict[str, Any]:
    """Return the health document; `status` is healthy, degraded or unhealthy.

    `watched` may let somebody listen to the calls.
    """
    try:
        services = watched(Services(settings))
    except FigsupportError as error:
        return _document("unhealthy", {"settings": _failed("settings", error, 0.0)}, set())
    journal = "postgresql" if settings.figsupport_database_url else "local"
    names = {"directives": "files", **services.adapters._asdict(), "cases": journal}
    built = {part: _built(services, part) for part in names}
    with ThreadPoolExecutor(len(names)) as lanes:  # each provider is waited for at once
        probed = lanes.map(lambda part: _probe(names[part], built[part]), names)
        parts = dict(zip(names, probed, strict=True))
    services.close()
    good = {name for name, part in parts.items() if part["ok"]}
    if len(good) == len(parts):
        return _document("healthy", parts, good)
    return _document("degraded" if {"directives", "desk"} <= good else "unhealthy", parts, good)


def _document(status: str, parts: dict[str, Any], good: set[str]) -> dict[str, Any]:
    return {
        "status": status,
        "version": __version__,
        "features": {name: good.issuperset(needs) for name, needs in _FEATURES.items()},
        "workflow": {"support": "immediate_ticket", "modelisation": "validation_required"},
        "providers": parts,
    }


def _built(services: Services, part: str) -> Any:
    """Return a part of the services, or the error that building it raised."""
    try:
        return getattr(services, part)
    except FigsupportError as error:
        return error


def _probe(adapter: str, provider: Any) -> dict[str, Any]:
    began = time.perf_counter()
    if isinstance(provider, FigsupportError):
        return _failed(adapter, provider, 0.0)
    try:
        found = provider.check() if hasattr(provider, "check") else None
    except FigsupportError as error:
        return _failed(adapter, error, time.perf_counter() - began)
    return {
        "adapter": adapter,
        "ok": found.ok if found else True,
        "latency_ms": round((time.perf_counter() - began) * 1000, 1),
        "detail": found.detail if found else "",
    }


def _failed(adapter: str, error: FigsupportError, seconds: float) -> dict[str, Any]:
    problems = listed(error.problems)
    detail = " — ".join(part for part in (error.message, problems, error.hint) if part)
    return {
        "adapter": adapter,
        "ok": False,
        "latency_ms": round(seconds * 1000, 1),
        "detail": detail,
    }
