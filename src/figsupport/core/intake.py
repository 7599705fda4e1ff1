"""A document → a Request or a Case, every problem named at once. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from figsupport.core.model import CASE_VERSION, Case, Request
from figsupport.errors import InvalidRequest, NotAllowed, Problem, listed

#: The identity of a request without a `request_id` holds while its case is open, or so long.
IDENTITY_DAYS = 30

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM}){{0,10}}@{_LABEL}(?:\.{_LABEL}){{0,10}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CASE_HINT = "Pipe the document of classify, upload or analyze as it was printed."
_NAME_LENGTH = 255
_SHORT_LENGTH = 1_000
_DEPTH = 50  # what the journal takes in it must be able to read again
_URL_LENGTH = 4_096
_EXPECTED = {
    "source": "a text, such as « modelisation »",
    "objet": "a text",
    "description": "a text",
    "user_email": "an e-mail address, such as client@example.com",
    "user_name": "a text",
    "fichiers": 'a list of {"name", "url"} or {"name", "path"}',
    "request_id": "a text of at most 200 characters",
    "langue": "« fr » or « en »",
}


class Limits(NamedTuple):
    """How large a request may be: bytes, characters, files, bytes a file, bytes in all."""

    document: int = 1024 * 1024
    description: int = 100_000
    files: int = 50
    file_size: int = 500_000_000
    request_size: int = 2_000_000_000


def parse_json(text: str | bytes, limits: Limits) -> dict[str, Any]:
    """Return the JSON object in a text. Raises InvalidRequest."""
    if len(text) > limits.document:
        raise InvalidRequest(
            f"The document is larger than {limits.document // 1024} KiB",
            hint="Send files as links or paths in « fichiers », not inside the document.",
        )
    try:
        # halves of surrogate pairs, which no UTF-8 can hold, go wherever they are
        whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "ignore")
        document = json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"The document is not JSON: {error}",
            hint='A request looks like {"objet": "…", "description": "…", "user_email": "…"}.',
        ) from None
    if not isinstance(document, dict):
        raise InvalidRequest(
            f"The document is a JSON {type(document).__name__}; a JSON object is expected",
            hint="Several requests go one a line (JSON Lines).",
        )
    if _is_deeper(document, _DEPTH):
        raise InvalidRequest(
            f"The document is nested more than {_DEPTH} deep",
            hint="A request is a flat document with a list of files.",
        )
    return document


def _is_deeper(document: object, most: int) -> bool:
    level = [document]
    for _ in range(most):
        containers = [value for value in level if isinstance(value, dict | list)]
        if not containers:
            return False
        level = [
            inner
            for value in containers
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return True


def parse_request(document: Mapping[str, Any], limits: Limits) -> Request:
    """Return the request a document holds. Raises InvalidRequest naming every problem."""
    if problems := list(_request_problems(document, limits)):
        raise InvalidRequest(
            "The request does not fit: " + listed(problems),
            hint="Nothing was done. Correct the fields named and send the request again.",
            problems=problems,
        )
    texts = ("source", "objet", "description", "user_email", "user_name")
    known = {name: _clean(document.get(name) or "") for name in texts}
    files = [_file(entry) for entry in document.get("fichiers") or ()]
    identity = " ".join(_clean(str(document.get("request_id") or "")).split()) or None
    return Request.model_validate(
        {
            **document,
            **known,
            "fichiers": files,
            "request_id": identity,
            "langue": document.get("langue") or None,
        }
    )


def parse_case(document: Mapping[str, Any], limits: Limits) -> Case:
    """Return the case a document holds (as the steps print it). Raises InvalidRequest."""
    request = document.get("request")
    if not isinstance(request, Mapping):
        problem = Problem("request", "is missing; a case document holds the request it is about")
        raise InvalidRequest(
            "The case does not fit: the request is missing", hint=_CASE_HINT, problems=[problem]
        )
    parsed = parse_request(request, limits)
    try:
        return Case.model_validate({**document, "request": parsed})
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in line["loc"]) or "case", line["msg"])
            for line in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidRequest(
            "The case does not fit: " + listed(problems),
            hint=_CASE_HINT,
            problems=problems,
        ) from None


def is_case(document: Mapping[str, Any]) -> bool:
    """Tell a case document from a request document."""
    return "figsupport" in document and "request" in document


def new_case(case_id: str, request: Request, language: str, now: datetime) -> Case:
    """Return the case that begins with a request."""
    return Case.model_validate(
        {
            "figsupport": CASE_VERSION,
            "id": case_id,
            "fingerprint": request.fingerprint(),
            "created_at": now,
            "request": request,
            "language": request.langue or language,
        }
    )


def identity(request: Request, newest: Case | None, now: datetime) -> str:
    """Return the id of the case of a request; `newest` is the latest one with its content.

    The same content is the same request while its case is open, and for 30 days.
    """
    if request.request_id is not None:
        return request.request_id
    if newest is None:
        return request.fingerprint()
    if holds(newest, now):
        return newest.id
    first, _, number = newest.id.partition("-")
    return f"{first}-{int(number or 1) + 1}"


def holds(case: Case, now: datetime) -> bool:
    """Tell whether a request with the content of this case still means this case."""
    if case.erased is not None:
        return False
    open_ = case.validation_status in ("pending_info", "pending_credits", "pending_admin")
    return open_ or now - case.created_at < timedelta(days=IDENTITY_DAYS)


def check_same(case: Case, request: Request) -> None:
    """Refuse another request under a `request_id` that is taken. Raises NotAllowed."""
    if case.fingerprint != request.fingerprint():
        raise NotAllowed(
            f"The request_id « {case.id} » already stands for another request",
            hint="Use a new request_id, or leave it out: the content then identifies the request.",
        )


def last_part(location: str) -> str:
    """Return the file name that a link or a path ends in."""
    try:
        location = unquote(urlsplit(location).path) if "://" in location else location
    except ValueError:
        location = ""
    return location.replace("\\", "/").rstrip("/").rpartition("/")[2] or "fichier"


def _request_problems(document: Mapping[str, Any], limits: Limits) -> Iterator[Problem]:
    for name in ("source", "objet", "user_name"):
        yield from _text_problems(name, document.get(name), _SHORT_LENGTH)
    yield from _text_problems("description", document.get("description"), limits.description)
    email = document.get("user_email")
    if not isinstance(email, str) or not _EMAIL.fullmatch(email.strip()):
        shown = "is missing" if not email else f"{_shown(email)} is no address"
        yield Problem("user_email", f"{shown}; expected {_EXPECTED['user_email']}")
    request_id = document.get("request_id")
    if request_id is not None and not isinstance(request_id, int):
        yield from _text_problems("request_id", request_id, 200)
    if document.get("langue") not in (None, "", "fr", "en"):
        yield Problem("langue", f"{_shown(document['langue'])}; expected {_EXPECTED['langue']}")
    files = document.get("fichiers")
    if files is None:
        return
    if not isinstance(files, list | tuple):
        yield Problem("fichiers", f"{_shown(files)}; expected {_EXPECTED['fichiers']}")
    elif len(files) > limits.files:
        yield Problem("fichiers", f"{len(files)} files; expected at most {limits.files}")
    else:
        for index, entry in enumerate(files):
            yield from _file_problems(f"fichiers[{index}]", entry)


def _text_problems(name: str, value: object, most: int) -> Iterator[Problem]:
    if value is None:
        return
    if not isinstance(value, str):
        yield Problem(name, f"{_shown(value)}; expected {_EXPECTED[name]}")
    elif len(value) > most:
        yield Problem(name, f"{len(value)} characters; expected at most {most}")


def _file_problems(field: str, entry: object) -> Iterator[Problem]:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping):
        yield Problem(field, f'{_shown(entry)}; expected {{"name", "url"}} or {{"name", "path"}}')
        return
    name, url, path = (entry.get(key) for key in ("name", "url", "path"))
    for key, value, most in (
        ("name", name, _NAME_LENGTH),
        ("url", url, _URL_LENGTH),
        ("path", path, _URL_LENGTH),
    ):
        if value is not None and (not isinstance(value, str) or not value.strip()):
            yield Problem(f"{field}.{key}", f"{_shown(value)}; expected a text")
        elif isinstance(value, str) and len(value) > most:
            yield Problem(f"{field}.{key}", f"{len(value)} characters; expected at most {most}")
    if url is not None and path is not None:
        yield Problem(field, "has both « url » and « path »; expected one of them")
    if name is None and url is None and path is None:
        yield Problem(field, "names no file; expected « name » with « url » or « path »")


def _file(entry: str | Mapping[str, Any]) -> dict[str, str | None]:
    if isinstance(entry, str):
        return {"name": _file_name(entry), "url": None, "path": None}
    url, path = entry.get("url"), entry.get("path")
    name = entry.get("name") or last_part(url or path or "")
    return {"name": _file_name(name), "url": url, "path": path}


def _file_name(name: str) -> str:
    return " ".join(_clean(name).split())[:_NAME_LENGTH] or "fichier"


def _clean(text: str) -> str:
    """Drop control characters (line breaks and tabs stay) and halves of surrogate pairs."""
    return _CONTROL.sub("", text).encode("utf-8", "ignore").decode("utf-8").strip()


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else f"« {value} »"
    return text if len(text) <= 60 else text[:57] + "…"
