"""The webhooks over HTTP: who is refused and why, what is answered, and that nothing doubles."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from figsupport import cli, watch
from figsupport.core.round import Round
from figsupport.errors import Busy, Misconfigured, Unavailable
from figsupport.server.app import create_app
from figsupport.server.bounds import Rate, network_of, sender_of
from figsupport.server.problems import HttpProblem
from figsupport.server.running import is_loopback
from figsupport.server.signatures import webhook_secrets
from figsupport.services import Services
from figsupport.settings import Settings

from .serving import (
    ASKED,
    BEARER,
    OTHER_SECRET,
    SECRET,
    TOKEN,
    Time,
    a_client,
    an_app,
    as_json,
    journalled,
    settings,
    signed,
    until,
)

BODY = as_json(ASKED)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def client(home: Path, now: Time) -> Iterator[TestClient]:
    """A server that knows a secret and a token."""
    found = settings(
        home,
        figsupport_webhook_secret=SECRET,
        figsupport_webhook_token=TOKEN,
        figsupport_max_document=20_000,
    )
    with a_client(an_app(found, clock=now)) as client:
        yield client


def send(client: TestClient, body: bytes, headers: dict[str, str]) -> Any:
    return client.post("/webhook/request", content=body, headers=headers)


def refusal(answer: Any) -> Any:
    """Return a refusal's document, checked to be whole problem details."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "problems"}
    assert document["status"] == answer.status_code
    return document


# --- who is refused ------------------------------------------------------------------------


def _without(name: str) -> Any:
    return lambda now: {k: v for k, v in signed(BODY, now).items() if k != name}


REFUSED: dict[str, Any] = {
    "unsigned": lambda now: JSON,
    "without an id": _without("webhook-id"),
    "without a time": _without("webhook-timestamp"),
    "without a signature": _without("webhook-signature"),
    "tampered": lambda now: signed(BODY + b" ", now),
    "under another id": lambda now: {**signed(BODY, now), "webhook-id": "msg_2"},
    "under another time": lambda now: {**signed(BODY, now), "webhook-timestamp": str(int(now) + 1)},
    "late": lambda now: signed(BODY, now - 301),
    "early": lambda now: signed(BODY, now + 301),
    "by another secret": lambda now: signed(BODY, now, OTHER_SECRET),
    "no number for a time": lambda now: {**signed(BODY, now), "webhook-timestamp": "yesterday"},
    "a fraction for a time": lambda now: {**signed(BODY, now), "webhook-timestamp": f"{now}"},
    "no base64": lambda now: {**signed(BODY, now), "webhook-signature": "v1,é v1 , v2,x"},
    "another version": lambda now: {**signed(BODY, now), "webhook-signature": "v2,abc"},
    "another token": lambda now: {**JSON, "Authorization": "Bearer not-the-token"},
    "a token with more": lambda now: {**JSON, "Authorization": f"Bearer {TOKEN}x"},
    "basic": lambda now: {**JSON, "Authorization": f"Basic {TOKEN}"},
}


@pytest.mark.parametrize("how", REFUSED)
@pytest.mark.parametrize("path", ["/webhook/request", "/webhook/validate"])
def test_who_is_not_let_in_does_nothing(
    client: TestClient, home: Path, now: Time, how: str, path: str
) -> None:
    headers = {k: v.encode("latin-1") for k, v in REFUSED[how](now()).items()}
    answer = client.post(path, content=BODY, headers=headers)
    assert answer.status_code == 401
    assert "Nothing was done" in refusal(answer)["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert journalled(home) == []


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_signature_within_five_minutes_is_let_in(
    client: TestClient, now: Time, seconds: int
) -> None:
    assert send(client, BODY, signed(BODY, now() + seconds)).status_code == 200


def test_two_secrets_are_rotated(home: Path, now: Time) -> None:
    both = f"{SECRET} {OTHER_SECRET}"
    with a_client(an_app(settings(home, figsupport_webhook_secret=both), clock=now)) as client:
        for number, secret in enumerate((SECRET, OTHER_SECRET)):
            headers = signed(BODY, now(), secret, f"msg_{number}")
            assert send(client, BODY, headers).status_code == 200
        headers = signed(BODY, now(), OTHER_SECRET)
        headers["webhook-signature"] = f"v1a,zzz v1,AAAA {headers['webhook-signature']}"
        assert send(client, BODY, {**headers, "webhook-id": "msg_1"}).status_code == 200
    assert len(journalled(home)) == 1


@pytest.mark.parametrize("text", ["whsec_", "whsec_c2hvcnQ=", "whsec_é", f"{SECRET},whsec_no!"])
def test_a_secret_that_is_none_is_said(text: str) -> None:
    with pytest.raises(Misconfigured, match="whsec_"):
        webhook_secrets(text)


def test_without_a_secret_only_this_machine_is_let_in(home: Path) -> None:
    app = an_app(settings(home))
    with a_client(app) as client:
        assert send(client, BODY, JSON).status_code == 200
        for host in ("support.figurative.example", "localhost.evil.example", "127.0.0.1.evil:80"):
            answer = send(client, BODY, {**JSON, "Host": host})
            assert answer.status_code == 401, host
        for host in ("localhost:5000", "[::1]:5000", "[::1]", "127.0.0.1"):
            assert send(client, BODY, {**JSON, "Host": host}).status_code == 200, host


def test_a_decision_is_never_let_in_without_a_secret(home: Path) -> None:
    with a_client(an_app(settings(home))) as client:
        ticket = send(client, BODY, JSON).json()["ticket_id"]
        decision = {"ticket_id": ticket, "credits": 2}
        assert client.post("/webhook/validate", json=decision).status_code == 401
    (case,) = journalled(home)
    assert case.subtask is None


# --- what is refused -----------------------------------------------------------------------

UNFIT: dict[str, tuple[bytes, dict[str, str], int]] = {
    "oversized": (as_json({**ASKED, "description": "x" * 20_000}), JSON, 413),
    "no content type": (BODY, {}, 415),
    "a form": (BODY, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": (BODY, {"Content-Type": "text/plain"}, 415),
    "compressed": (BODY, {**JSON, "Content-Encoding": "gzip"}, 415),
    "empty": (b"", JSON, 422),
    "no JSON": (b"{", JSON, 422),
    "no UTF-8": (b'{"objet": "\xff"}', JSON, 422),
    "deep": (b"[" * 10_000, JSON, 422),
    "less deep": (BODY[:-1] + b', "x": ' + b"[" * 250 + b"]" * 250 + b"}", JSON, 422),
    "a list": (b"[]", JSON, 422),
    "a long number": (b'{"request_id": ' + b"9" * 5_000 + b"}", JSON, 422),
    "a case": (as_json({"figsupport": 1, "request": ASKED}), JSON, 422),
    "nothing in it": (b"{}", JSON, 422),
}


@pytest.mark.parametrize("how", UNFIT)
def test_what_does_not_fit_is_refused_and_not_stored(
    client: TestClient, home: Path, how: str
) -> None:
    body, headers, status = UNFIT[how]
    answer = send(client, body, {**BEARER, **headers})
    assert (answer.status_code, refusal(answer)["status"]) == (status, status), answer.text
    assert journalled(home) == []


def test_every_problem_is_named_at_once(client: TestClient, home: Path) -> None:
    document = {
        "user_email": "nobody",
        "objet": 3,
        "langue": "de",
        "fichiers": [
            {"name": "a.jpg", "path": "/etc/passwd"},
            {"name": "b", "url": "u", "path": "b"},
            4,
        ],
    }
    answer = send(client, as_json(document), {**BEARER, **JSON})
    assert answer.status_code == 422
    assert {problem["field"] for problem in refusal(answer)["problems"]} == {
        "user_email", "objet", "langue", "fichiers[0].path", "fichiers[1].path", "fichiers[1]",
        "fichiers[2]",
    }  # fmt: skip
    assert journalled(home) == []


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, {"ticket_id", "credits"}),
        ({"ticket_id": "../tasks", "credits": True}, {"ticket_id", "credits"}),
        ({"ticket_id": "1", "credits": 1.5, "admin_notes": 3}, {"credits", "admin_notes"}),
        (
            {"ticket_id": True, "credits": 1, "admin_notes": "x" * 10_001},
            {"ticket_id", "admin_notes"},
        ),
    ],
)
def test_every_problem_of_a_decision_is_named(
    client: TestClient, document: Any, fields: set[str]
) -> None:
    answer = client.post("/webhook/validate", json=document, headers=BEARER)
    assert answer.status_code == 422
    assert {problem["field"] for problem in refusal(answer)["problems"]} == fields


def test_unknown_paths_and_methods_are_problem_details(client: TestClient) -> None:
    assert refusal(client.get("/admin"))["status"] == 404
    assert refusal(client.get("/webhook/request"))["status"] == 405
    assert refusal(client.delete("/health"))["status"] == 405


def test_one_sender_cannot_flood(home: Path) -> None:
    found = settings(home, figsupport_webhook_token=TOKEN, figsupport_serve_rate=2)
    with a_client(an_app(found)) as client:
        headers = {**BEARER, **JSON}
        for number, address in enumerate(("A@example.com", "a+b@Example.com", "a@example.com")):
            body = as_json({**ASKED, "user_email": address, "objet": f"Chaise {number}"})
            answer = send(client, body, headers)
            assert answer.status_code == (429 if number == 2 else 200)
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert "one sender" in refusal(answer)["detail"]
        assert send(client, BODY, headers).status_code == 200  # somebody else
    assert len(journalled(home)) == 3


def test_a_bucket_fills_again() -> None:
    now = Time()
    rate = Rate(2, now)
    rate.take("a")
    rate.take("a")
    with pytest.raises(HttpProblem) as refused:
        rate.take("a")
    assert refused.value.retry_after == 30
    now.now += 30
    rate.take("a")
    for number in range(10_001):
        rate.take(str(number))
    rate.take("a")  # forgotten: it is full again
    Rate(0).take("a")
    assert sender_of(" Jean+x@Example.COM ") == "jean@example.com"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a socket", "a socket"),
        (None, ""),
    ],
)
def test_a_household_is_one_network(address: str | None, network: str) -> None:
    client = (address, 1) if address else None
    request = Request({"type": "http", "headers": [], "client": client})
    assert network_of(request) == network


# --- what is answered ----------------------------------------------------------------------


def test_the_documents_are_those_of_the_command_line(
    client: TestClient, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = send(client, BODY, {**BEARER, **JSON}).json()
    with pytest.raises(SystemExit):
        cli.main(["intake", json.dumps(ASKED)])
    assert {**json.loads(capsys.readouterr().out), "is_new_ticket": True} == answer
    decision = {"ticket_id": answer["ticket_id"], "credits": 2, "admin_notes": "Validation OK"}
    validated = client.post("/webhook/validate", json=decision, headers=BEARER)
    assert validated.json() == {
        "success": True,
        "ticket_id": "1001",
        "subtask_id": "501",
        "credits": 2,
        "message": "Demande validée, subtask ClickUp créée",
    }
    again = client.post("/webhook/validate", json={**decision, "ticket_id": 1001}, headers=BEARER)
    assert again.json() == validated.json()
    other = client.post("/webhook/validate", json={**decision, "credits": 3}, headers=BEARER)
    assert other.status_code == 409
    assert "2 credits" in refusal(other)["detail"]
    unknown = client.post("/webhook/validate", json={**decision, "ticket_id": "9"}, headers=BEARER)
    assert refusal(unknown)["status"] == 404


def test_a_replay_gets_the_first_result(client: TestClient, home: Path, now: Time) -> None:
    headers = signed(BODY, now())
    first, second = (send(client, BODY, headers).json() for _ in range(2))
    assert {**second, "is_new_ticket": True} == first
    now.now += 3600  # sent again by the sender, under the same id
    third = send(client, BODY, signed(BODY, now()))
    assert third.json() == second
    assert len(journalled(home)) == 1


def test_the_same_id_with_another_body_is_refused(
    client: TestClient, home: Path, now: Time
) -> None:
    assert send(client, BODY, signed(BODY, now())).status_code == 200
    other = as_json({**ASKED, "objet": "Table"})
    answer = send(client, other, signed(other, now()))
    assert answer.status_code == 409
    assert "another body" in refusal(answer)["detail"]
    assert len(journalled(home)) == 1


def test_a_delivery_that_did_not_fit_may_be_corrected(client: TestClient, now: Time) -> None:
    unfit = as_json({**ASKED, "user_email": "nobody"})
    assert send(client, unfit, signed(unfit, now())).status_code == 422
    assert send(client, BODY, signed(BODY, now())).status_code == 200


def test_halves_of_surrogate_pairs_are_no_bug(client: TestClient) -> None:
    body = (
        b'{"objet": "\\ud800 Chaise", "user_email": "a@example.com", "x": {"\\udc00": "\\ud801"}}'
    )
    assert send(client, body, {**BEARER, **JSON}).status_code == 200


def test_strangers_learn_status_and_version_only(client: TestClient, now: Time) -> None:
    assert set(client.get("/health").json()) == {"status", "version"}
    known = client.get("/health", headers=BEARER).json()
    assert set(known) == {"status", "version", "features", "workflow", "providers"}
    assert client.get("/health", headers=signed(b"", now())).json() == known
    assert refusal(client.get("/health", headers={"Authorization": "Bearer x"}))["status"] == 401


def test_the_endpoints_are_documented(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/webhook/request", "/webhook/validate", "/webhook/hubspot", "/health", "/form/token",
        "/form", "/metrics",
    }  # fmt: skip
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"]
            assert {"401", "404"} & set(operation["responses"])


# --- trouble -------------------------------------------------------------------------------


def test_a_bug_tells_nobody_anything(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> Services:
        raise ZeroDivisionError("secret details")

    said: list[str] = []
    app = an_app(settings(home, figsupport_webhook_token=TOKEN), warn=said.append)
    app.state.house.pool._open = broken
    with a_client(app) as client:
        answer = send(client, BODY, {**BEARER, **JSON})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (line,) = said
    assert line.startswith("A bug: ZeroDivisionError; the trace is in ")
    assert "secret details" in Path(line.rpartition(" ")[2]).read_text(encoding="utf-8")


def test_a_disk_that_cannot_be_used_is_said_to_be_our_fault(home: Path) -> None:
    app = an_app(settings(home, figsupport_webhook_token=TOKEN))

    def full() -> Services:
        raise Unavailable(f"The file {home} cannot be used", hint="Check the disk.")

    app.state.house.pool._open = full
    with a_client(app) as client:
        answer = send(client, BODY, {**BEARER, **JSON})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert str(home) not in answer.text


@pytest.mark.parametrize("same", [True, False], ids=["the same", "distinct"])
def test_sixteen_at_once_are_one_ticket_each(home: Path, same: bool) -> None:
    found = settings(home, figsupport_webhook_token=TOKEN)
    with a_client(an_app(found)) as client:
        bodies = [as_json({**ASKED, "objet": f"Chaise {0 if same else n}"}) for n in range(16)]
        with ThreadPoolExecutor(16) as callers:
            answers = list(callers.map(lambda body: send(client, body, {**BEARER, **JSON}), bodies))
    assert {answer.status_code for answer in answers} == {200}
    tickets = [answer.json()["ticket_id"] for answer in answers]
    assert len(set(tickets)) == len(journalled(home)) == (1 if same else 16)
    assert sum(answer.json()["is_new_ticket"] for answer in answers) == len(set(tickets))


def test_more_than_there_is_room_for_is_refused(home: Path) -> None:
    found = settings(home, figsupport_webhook_token=TOKEN, figsupport_serve_workers=1)
    app, gate = an_app(found), threading.Event()

    def slowly() -> Services:
        gate.wait(20)
        return Services(found)

    pool = app.state.house.pool
    pool._open = slowly
    with a_client(app) as client, ThreadPoolExecutor(8) as callers:
        bodies = [as_json({**ASKED, "objet": f"Chaise {number}"}) for number in range(8)]
        answers = [callers.submit(send, client, body, {**BEARER, **JSON}) for body in bodies]
        until(lambda: pool._inside == 8)
        refused = send(client, BODY, {**BEARER, **JSON})
        gate.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert len(journalled(home)) == 8


def test_work_that_takes_long_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("figsupport.server.pool.Pool.run.__defaults__", (0.0,))
    found = settings(home, figsupport_webhook_token=TOKEN)
    with a_client(an_app(found)) as client:
        answer = send(client, BODY, {**BEARER, **JSON})
    assert answer.status_code == 503
    assert "sending the same request again is safe" in refusal(answer)["detail"]
    (case,) = journalled(home)
    assert case.ticket is not None


# --- HubSpot's poke ------------------------------------------------------------------------

HUBSPOT_SECRET = "hubspot-client-secret"
PUBLIC = "https://support.figurative.example"


def by_hubspot(url: str, body: bytes, milliseconds: int, secret: str = HUBSPOT_SECRET) -> Any:
    signed_ = f"POST{url}".encode() + body + str(milliseconds).encode()
    digest = hmac.new(secret.encode(), signed_, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-HubSpot-Request-Timestamp": str(milliseconds),
        "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
    }


@pytest.fixture
def poked(home: Path, now: Time) -> Iterator[TestClient]:
    found = settings(home, hubspot_client_secret=HUBSPOT_SECRET, figsupport_public_url=f"{PUBLIC}/")
    with a_client(an_app(found, clock=now)) as client:
        yield client


def rounds(client: TestClient) -> int:
    return int(client.app.state.house.sweeper.rounds)  # type: ignore[attr-defined]


def test_hubspot_asks_for_a_round(poked: TestClient, now: Time) -> None:
    body, at = b"[]", int(now() * 1000)
    url = "/webhook/hubspot?of=a%40b%3A1&x=%20"
    headers = by_hubspot(f"{PUBLIC}/webhook/hubspot?of=a@b:1&x=%20", body, at)
    assert poked.post(url, content=body, headers=headers).status_code == 204
    until(lambda: rounds(poked) == 1)


@pytest.mark.parametrize(
    ("url", "body", "late", "secret"),
    [
        ("http://127.0.0.1/webhook/hubspot", b"[]", 0, HUBSPOT_SECRET),
        (f"{PUBLIC}/webhook/hubspot", b"{}", 0, HUBSPOT_SECRET),
        (f"{PUBLIC}/webhook/hubspot", b"[]", 301, HUBSPOT_SECRET),
        (f"{PUBLIC}/webhook/hubspot", b"[]", -301, HUBSPOT_SECRET),
        (f"{PUBLIC}/webhook/hubspot", b"[]", 0, "another"),
    ],
)
def test_nobody_else_asks_for_a_round(
    poked: TestClient, now: Time, url: str, body: bytes, late: int, secret: str
) -> None:
    headers = by_hubspot(url, body, int((now() - late) * 1000), secret)
    assert poked.post("/webhook/hubspot", content=b"[]", headers=headers).status_code == 401
    assert poked.post("/webhook/hubspot", content=b"[]").status_code == 401
    assert rounds(poked) == 0


def test_metrics_are_for_those_who_may(home: Path, tmp_path: Path) -> None:
    app = an_app(settings(home, figsupport_webhook_token=TOKEN))
    with a_client(app) as client:
        assert refusal(client.get("/metrics", headers=BEARER))["status"] == 404
    file = tmp_path / "figsupport.prom"
    found = settings(home, figsupport_webhook_token=TOKEN, figsupport_metrics=file)
    with a_client(create_app(found, lambda: listened(found))) as client:
        assert refusal(client.get("/metrics"))["status"] == 401
        assert client.post("/webhook/request", json=ASKED, headers=BEARER).status_code == 200
        answer = client.get("/metrics", headers=BEARER)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'figsupport_steps_total{provider="local",step="ticket"} 1.0' in answer.text
    assert ASKED["user_email"] not in answer.text


def listened(found: Settings) -> Services:
    services = Services(found)
    watch.attach(services)
    return services


def test_without_its_secret_there_is_no_hubspot_webhook(client: TestClient) -> None:
    assert refusal(client.post("/webhook/hubspot", content=b"[]"))["status"] == 404


def test_pokes_during_a_round_are_one_more_round(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from figsupport import polling

    began, go_on = threading.Semaphore(0), threading.Event()
    original = polling.poll_pending_tickets

    def slowly(services: Services) -> Round:
        began.release()
        go_on.wait(20)
        return original(services)

    monkeypatch.setattr(polling, "poll_pending_tickets", slowly)
    app = an_app(settings(home))
    with a_client(app):
        sweeper = app.state.house.sweeper
        sweeper.poke()
        began.acquire(timeout=20)
        for _ in range(5):
            sweeper.poke()
        go_on.set()
        until(lambda: sweeper.rounds == 2)
    assert sweeper.rounds == 2


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Unavailable("HubSpot is down", hint="Later."), "poll: unavailable: Later."),
        (Busy("Another poll runs"), ""),
        (ZeroDivisionError(), "poll: a bug, ZeroDivisionError; the trace is in "),
    ],
)
def test_a_round_that_fails_is_said_and_the_next_one_comes(
    home: Path, tmp_path: Path, error: Exception, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from figsupport import polling

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    original, errors = polling.poll_pending_tickets, [error]

    def once_broken(services: Services) -> Round:
        if errors:
            raise errors.pop()
        return original(services)

    monkeypatch.setattr(polling, "poll_pending_tickets", once_broken)
    said: list[str] = []
    app = an_app(settings(home), warn=said.append, poll=0.01)
    with a_client(app):
        until(lambda: app.state.house.sweeper.rounds >= 2)
    assert [one[: len(line)] for one in said] == ([line] if line else [])


def test_a_case_that_fails_in_a_round_is_named_without_its_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from figsupport.adapters.local_desk import LocalDesk

    def down(*_: object) -> None:
        raise Unavailable("client@example.com cannot be reached", hint="Later.")

    said: list[str] = []
    app = an_app(settings(home), warn=said.append)
    with a_client(app) as client, monkeypatch.context() as broken:
        broken.setattr(LocalDesk, "create_ticket", down)
        assert send(client, BODY, JSON).status_code == 503
        app.state.house.sweeper.poke()
        until(lambda: said)
    (case,) = journalled(home)
    assert said[0] == f"poll: {case.id}: unavailable"


# --- the command ---------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), json.loads(out)["error"] if out else None, err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "support.figurative.example"])
def test_the_open_door_is_not_opened(capsys: pytest.CaptureFixture[str], host: str) -> None:
    code, error, _ = run(capsys, "serve", "--host", host)
    assert code == 78
    assert "FIGSUPPORT_WEBHOOK_SECRET" in error["hint"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("localhost.example", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_missing_extra_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    code, error, _ = run(capsys, "serve")
    assert (code, error["hint"]) == (78, "Install it: pip install 'figsupport[serve]'")


def test_a_dry_run_listens_nowhere(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, error, said = run(capsys, "serve", "--dry-run")
    assert (code, error) == (0, None)
    assert "would listen on 127.0.0.1" in said
    assert not home.exists()


def test_a_secret_that_does_not_fit_is_said_before_listening(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIGSUPPORT_WEBHOOK_SECRET", "secret")
    code, error, _ = run(capsys, "serve")
    assert code == 78
    assert "whsec_" in error["message"]


def test_the_documented_words_are_those_of_the_core() -> None:
    from figsupport.core.model import Language, RequestType
    from figsupport.server import schemas

    assert get_args(RequestType) == ("SUPPORT", "MODELISATION")
    described = schemas.RequestDocument.model_json_schema()["properties"]["langue"]["anyOf"][0]
    assert described["enum"] == list(get_args(Language))
