"""The application: endpoints, their order of checks, and what everything else is answered."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from figsupport import __version__, workflow
from figsupport.commands.documents import intake_document, validation_document
from figsupport.core.intake import is_case, parse_json, parse_request
from figsupport.core.model import Request as Asked
from figsupport.errors import Bug, FigsupportError, InvalidRequest, Problem, listed
from figsupport.forms import FORMS
from figsupport.health import examine
from figsupport.private import trace_file
from figsupport.server import schemas
from figsupport.server.bounds import Rate, body_of, expect_type, sender_of
from figsupport.server.form import FormDesk, add_form
from figsupport.server.gate import Claim, Gate, check
from figsupport.server.pool import Pool, Sweeper
from figsupport.server.problems import HttpProblem, as_problem, response
from figsupport.server.signatures import is_by_hubspot
from figsupport.server.spool import Spool
from figsupport.services import Services
from figsupport.settings import Settings

_TICKET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_NOTES = 10_000
#: Seconds for which a health report is given again: it asks every provider.
_HEALTH_HOLDS = 10.0


class House(NamedTuple):
    """What the endpoints share."""

    settings: Settings
    gate: Gate
    senders: Rate
    pool: Pool
    sweeper: Sweeper
    warn: Callable[[str], None]

    def close(self) -> None:
        """Finish what was begun."""
        self.sweeper.close()
        self.pool.close()

    async def document(self, request: Request, claim: Claim) -> tuple[bytes, dict[str, Any]]:
        """Return a body and the JSON object it is, once the claim is proven."""
        expect_type(request, "application/json")
        limits = self.settings.limits
        body = await body_of(request, limits.document, self.settings.figsupport_serve_patience)
        check(claim, body)
        return body, parse_json(body, limits)


def create_app(
    settings: Settings,
    open_: Callable[[], Services],
    *,
    poll: float | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Return the application; `open_` opens the services of one thread."""
    spool = Spool(settings.home / FORMS)
    pool = Pool(open_, settings.figsupport_serve_workers)
    sweeper = Sweeper(open_, poll, spool.tidy, warn)
    senders = Rate(settings.figsupport_serve_rate)
    house = House(settings, Gate(settings, clock), senders, pool, sweeper, warn)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper.start()
        yield
        await asyncio.to_thread(house.close)

    app = FastAPI(title="figsupport", version=__version__, lifespan=lifespan, redoc_url=None)
    app.state.house = house
    _add_webhooks(app, house)
    _add_hubspot(app, house, clock)
    _add_health(app, house)
    _add_metrics(app, house)
    add_form(app, FormDesk(settings, pool, spool, clock), settings.form_origins)
    app.add_middleware(Net, warn=warn)
    app.add_exception_handler(FigsupportError, _answer)
    app.add_exception_handler(HttpProblem, _answer)
    app.add_exception_handler(HTTPException, _answer)
    _describe(app)
    return app


def _add_webhooks(app: FastAPI, house: House) -> None:
    @app.post(
        "/webhook/request",
        tags=["webhooks"],
        responses=schemas.webhook_answers(schemas.IntakeDocument),
        openapi_extra=schemas.json_body(schemas.RequestDocument),
    )
    async def take_request(request: Request) -> Response:
        """Take a request in; the same request again is answered with the same ticket."""
        claim = house.gate.claim_request(request.headers)
        body, document = await house.document(request, claim)
        asked = _request(document, house.settings)
        house.senders.take(sender_of(asked.user_email))

        def intake(services: Services) -> dict[str, Any]:
            _remember(claim, body, services)
            return intake_document(*workflow.intake(asked, services))

        return JSONResponse(await house.pool.run(intake))

    @app.post(
        "/webhook/validate",
        tags=["webhooks"],
        responses=schemas.webhook_answers(schemas.ValidationDocument, 404),
        openapi_extra=schemas.json_body(schemas.ValidationRequest),
    )
    async def validate(request: Request) -> Response:
        """Accept a request for the client. It costs money: never without a secret or token."""
        claim = house.gate.claim(request.headers)
        body, document = await house.document(request, claim)
        ticket, credits_, notes = _decision(document)

        def decide(services: Services) -> dict[str, Any]:
            _remember(claim, body, services)
            case = workflow.process_validation(ticket, services, "accept", credits_, notes)
            return validation_document(case, "accept")

        return JSONResponse(await house.pool.run(decide))


def _remember(claim: Claim, body: bytes, services: Services) -> None:
    if claim.delivery:
        services.deliveries.remember(claim.delivery, body)


def _request(document: Mapping[str, Any], settings: Settings) -> Asked:
    """Return the request a document holds; over HTTP no case, and no file of this machine."""
    if is_case(document):
        raise InvalidRequest(
            "This is a case; over HTTP a request is expected",
            hint="Send the request alone.",
            problems=[Problem("request", "is not taken over HTTP inside a case")],
        )
    files = document.get("fichiers")
    problems = [
        Problem(f"fichiers[{index}].path", "is not taken over HTTP; expected « url »")
        for index, entry in enumerate(files if isinstance(files, list) else ())
        if isinstance(entry, Mapping) and entry.get("path") is not None
    ]
    try:
        request = parse_request(document, settings.limits)
    except InvalidRequest as error:
        problems += error.problems
    if problems:
        raise _unfit(problems)
    return request


def _decision(document: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return ticket, credits and notes of a decision. Raises InvalidRequest."""
    ticket, credits_ = document.get("ticket_id"), document.get("credits")
    notes = document.get("admin_notes") or ""
    problems = []
    if isinstance(ticket, int) and not isinstance(ticket, bool):
        ticket = str(ticket)
    if not isinstance(ticket, str) or not _TICKET.fullmatch(ticket):
        problems.append(Problem("ticket_id", "expected the ticket's number, such as « 12345 »"))
    if not isinstance(credits_, int) or isinstance(credits_, bool):
        problems.append(Problem("credits", "expected a whole number, such as 2"))
    if not isinstance(notes, str) or len(notes) > _MOST_NOTES:
        problems.append(
            Problem("admin_notes", f"expected a text of at most {_MOST_NOTES} characters")
        )
    if problems:
        raise _unfit(problems)
    return str(ticket), int(credits_ or 0), str(notes)


def _unfit(problems: list[Problem]) -> InvalidRequest:
    return InvalidRequest(
        "The document does not fit: " + listed(problems),
        hint="Nothing was done. Correct the fields named and send it again.",
        problems=problems,
    )


def _add_hubspot(app: FastAPI, house: House, clock: Callable[[], float]) -> None:
    settings = house.settings
    secret, ours = settings.secret("HUBSPOT_CLIENT_SECRET"), settings.figsupport_public_url or ""

    @app.post(
        "/webhook/hubspot",
        tags=["webhooks"],
        status_code=204,
        response_class=Response,
        responses=schemas.refusals(401, 404, 408, 413, 415, 500),
        openapi_extra=schemas.hubspot_body(),
    )
    async def poke(request: Request) -> Response:
        """HubSpot says that something moved: do a poll round now (signature v3)."""
        if not secret:
            raise HttpProblem(404, "not_found", "HUBSPOT_CLIENT_SECRET is not set.")
        patience = settings.figsupport_serve_patience
        body = await body_of(request, settings.limits.document, patience)
        url = f"{ours.rstrip('/') or str(request.base_url).rstrip('/')}{request.url.path}"
        url += f"?{request.url.query}" if request.url.query else ""
        if not is_by_hubspot(secret, request.method, url, body, request.headers, clock()):
            raise HttpProblem(401, "unauthenticated", "The call is not signed by HubSpot (v3).")
        house.sweeper.poke()
        return Response(status_code=204)


def _add_health(app: FastAPI, house: House) -> None:
    examining = asyncio.Lock()
    last: tuple[float, dict[str, Any]] = (0.0, {})

    @app.get(
        "/health",
        tags=["health"],
        responses={
            200: {"model": schemas.HealthDocument},
            **schemas.refusals(401, 500),
        },
    )
    async def health(request: Request) -> Response:
        """Is everything usable? 200 whatever the status: a server that answers can keep requests.

        Details need the token or a signature over the empty body.
        """
        nonlocal last
        known = bool(request.headers.get("authorization") or request.headers.get("webhook-id"))
        if known:
            check(house.gate.claim(request.headers), b"")
        async with examining:
            if not last[1] or time.monotonic() - last[0] > _HEALTH_HOLDS:
                last = time.monotonic(), await asyncio.to_thread(examine, house.settings)
        document = last[1]
        shown = document if known else {key: document[key] for key in ("status", "version")}
        return JSONResponse(shown)


def _add_metrics(app: FastAPI, house: House) -> None:
    @app.get(
        "/metrics",
        tags=["health"],
        response_class=PlainTextResponse,
        responses=schemas.refusals(401, 404, 500, 503),
    )
    async def metrics(request: Request) -> Response:
        """The counters for Prometheus; like a request, they need the token or a signature."""
        check(house.gate.claim_request(request.headers), b"")
        if house.settings.figsupport_metrics is None:
            raise HttpProblem(
                404, "not_found", "FIGSUPPORT_METRICS is not set: nothing is counted."
            )
        from figsupport.watch.metrics import CONTENT_TYPE, render

        return Response(await house.pool.run(render), media_type=CONTENT_TYPE)


class Net:
    """Catches what nobody caught: the trace goes to a file, the caller learns nothing of it."""

    def __init__(self, app: ASGIApp, warn: Callable[[str], None]) -> None:
        self._app, self._warn = app, warn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            if scope["type"] != "http":
                raise
            self._warn(f"A bug: {type(error).__name__}; the trace is in {trace_file(error)}")
            if not answered:
                await response(as_problem(Bug("")))(scope, receive, send)


async def _answer(_: Request, error: Exception) -> Response:
    if isinstance(error, FigsupportError):
        error = as_problem(error)
    if isinstance(error, HTTPException):
        headers = dict(error.headers or {})
        return response(HttpProblem(error.status_code, "http", f"{error.detail}."), headers)
    assert isinstance(error, HttpProblem)  # noqa: S101 — the handlers above say so
    return response(error)


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI document what its endpoints refer to."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        components = document.setdefault("components", {})
        for part, entries in schemas.COMPONENTS.items():
            components.setdefault(part, {}).update(entries)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


logging.getLogger("python_multipart").setLevel(logging.WARNING)
