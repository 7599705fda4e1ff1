"""The public form. A page holds no secret: its origin, a short-lived token and bounds let it in."""

import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from figsupport.core.intake import parse_request
from figsupport.core.model import Case
from figsupport.core.model import Request as Asked
from figsupport.errors import InvalidRequest, Problem, Unavailable, listed
from figsupport.server import schemas
from figsupport.server.bounds import Rate, chunks, expect_type, network_of, sender_of
from figsupport.server.multipart import Form, file_name, read_form
from figsupport.server.pool import Pool
from figsupport.server.problems import HttpProblem, busy, too_many
from figsupport.server.signatures import (
    FORM_AGE,
    FORM_LIFE,
    form_keys,
    form_token,
    form_token_age,
    webhook_secrets,
)
from figsupport.server.spool import Arrival, Spool, keeping
from figsupport.services import Services
from figsupport.settings import Settings

TOKEN_HEADER = "X-Form-Token"  # noqa: S105 — a header's name
_FIELDS = ("objet", "description", "user_email", "user_name", "langue")
_TRAP = "website"  # people do not see it; robots fill it in
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Seconds that all files of a form may take, and until its answer.
_DEADLINE, _ANSWER_WITHIN = 900.0, 120.0
#: Forms that come in at once, and of these from one network: one caller does not hold them all.
_AT_ONCE, _OF_ONE = 32, 8


class FormDesk:
    """Takes forms in from pages of the origins that the settings name."""

    def __init__(
        self, settings: Settings, pool: Pool, spool: Spool, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._pool, self._spool, self._clock = settings, pool, spool, clock
        secrets_ = webhook_secrets(settings.secret("FIGSUPPORT_WEBHOOK_SECRET"))
        self._keys = form_keys(secrets_, secrets.token_bytes(32))
        self._networks = Rate(settings.figsupport_serve_rate)
        self._senders = Rate(settings.figsupport_serve_rate)
        self._inside: Counter[str] = Counter()

    def token(self, request: Request) -> dict[str, Any]:
        """Return a token for a page. Raises HttpProblem."""
        origin = self._origin(request)
        self._networks.take(network_of(request))
        token = form_token(self._keys[0], origin, self._clock())
        return {"token": token, "min_age": FORM_AGE, "max_age": FORM_LIFE}

    async def send(self, request: Request) -> Response:
        """Take a form in. Raises HttpProblem or a FigsupportError."""
        self._check_token(request, self._origin(request))
        network = network_of(request)
        self._networks.take(network)
        expect_type(request, "multipart/form-data")
        if self._inside.total() >= _AT_ONCE or self._inside[network] >= _OF_ONE:
            raise busy("Too many forms at once. Nothing was done.")
        self._inside[network] += 1
        try:
            with self._spool.arriving() as arrival:
                return await self._read(request, arrival)
        finally:
            self._inside -= Counter([network])  # nobody is counted with nothing

    async def _read(self, request: Request, arrival: Arrival) -> Response:
        limits = self._settings.limits
        body = chunks(request, limits.request_size + limits.document, _DEADLINE)
        with keeping():
            form = await read_form(request.headers["content-type"], body, arrival.folder, limits)
        asked = self._request(form)
        self._senders.take(sender_of(asked.user_email))
        case, finished = await self._pool.run(
            lambda services: self._take_in(asked, arrival, services), _ANSWER_WITHIN
        )
        return JSONResponse(_document(case), 200 if finished else 202)

    def _take_in(self, asked: Asked, arrival: Arrival, services: Services) -> tuple[Case, bool]:
        """Return the case and whether it is finished; once journalled it need not be sent again."""
        try:
            return self._spool.take_in(asked, arrival, services), True
        except Unavailable:
            case = services.cases.load(asked.request_id or "")
            if case is None:
                raise
            return case, False

    def _request(self, form: Form) -> Asked:
        """Return the request a form holds. Raises InvalidRequest naming every problem."""
        problems = []
        form_id = form.fields.get("request_id", "").lower()
        if not _UUID.fullmatch(form_id):
            problems.append(Problem("request_id", "expected a UUID that the page makes once"))
        if form.fields.get(_TRAP):
            problems.append(Problem(_TRAP, "expected to be empty"))
        place = self._spool.place(form_id)
        document: Mapping[str, Any] = {
            **{name: form.fields.get(name, "") for name in _FIELDS},
            "source": "formulaire",
            "request_id": form_id or None,
            "fichiers": [
                {"name": name, "path": str(place / file_name(number))}
                for number, name in enumerate(form.files, 1)
            ],
        }
        try:
            request = parse_request(document, self._settings.limits)
        except InvalidRequest as error:
            problems += error.problems
        if not any(form.fields.get(name, "").strip() for name in ("objet", "description")):
            problems.append(Problem("description", "is missing; expected what the object is"))
        if problems:
            raise InvalidRequest(
                "The form does not fit: " + listed(problems),
                hint="Nothing was done. Correct the fields named and send the form again.",
                problems=problems,
            )
        return request

    def _origin(self, request: Request) -> str:
        origins = self._settings.form_origins
        if not origins:
            raise HttpProblem(404, "not_found", "There is no form here.")
        origin = request.headers.get("origin", "")
        if origin not in origins:
            raise HttpProblem(403, "origin", "Pages of this origin may not use the form.")
        return origin

    def _check_token(self, request: Request, origin: str) -> None:
        token = request.headers.get(TOKEN_HEADER, "")
        age = form_token_age(token, self._keys, origin, self._clock())
        if age is None:
            detail = "The form's token is missing, too old or not ours. Fetch one: GET /form/token."
            raise HttpProblem(403, "form_token", detail)
        if age < FORM_AGE:
            raise too_many("Nobody fills a form in so fast. Nothing was done.", FORM_AGE)


class FormCors:
    """Lets browsers' pages of the form's origins, and only those, call the form."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._form = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=[TOKEN_HEADER],
            expose_headers=["Retry-After"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_form = scope["type"] == "http" and scope["path"].startswith("/form")
        await (self._form if of_form else self._app)(scope, receive, send)


def add_form(app: FastAPI, desk: FormDesk, origins: tuple[str, ...]) -> None:
    """Add the form's two endpoints to the application."""

    @app.get("/form/token", tags=["form"], responses=schemas.form_answers(schemas.FormToken))
    async def token(request: Request) -> Response:
        """A token for a page of an allowed origin; it holds for an hour."""
        return JSONResponse(desk.token(request))

    @app.post(
        "/form",
        tags=["form"],
        responses={
            **schemas.form_answers(schemas.FormReceipt),
            202: {"model": schemas.FormReceipt, "description": "Kept; finished later by itself"},
        },
        openapi_extra=schemas.form_body(),
    )
    async def send(request: Request) -> Response:
        """A request from the public form, with files; the same `request_id` again is the same."""
        return await desk.send(request)

    if origins:
        app.add_middleware(FormCors, origins=origins)


def _document(case: Case) -> dict[str, Any]:
    english = case.language == "en"
    return {
        "reference": case.reference,
        "files": len(case.request.fichiers),
        "message": "Your request is with us." if english else "Votre demande nous est parvenue.",
    }
