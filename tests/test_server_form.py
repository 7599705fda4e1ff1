"""The public form: which page may send it, what is refused, and that its files are never lost."""

import errno
import os
import pydoc
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from figsupport import polling, workflow
from figsupport.core.model import Case, Request
from figsupport.errors import Busy, Unavailable
from figsupport.server.spool import Arrival, Spool
from figsupport.services import Services
from figsupport.settings import Settings

from .serving import ORIGIN, SECRET, Time, a_client, an_app, journalled, settings, until

FIELDS = {
    "objet": "Chaise",
    "description": "Nous voudrions cette chaise en bois en 3D.",
    "user_email": "client@example.com",
    "user_name": "Jean Dupont",
}
PHOTO = Path(__file__).parent.parent / "examples" / "photos" / "fauteuil.jpg"
FORM_ID = "0b0d6c1e-6f5e-4c5c-9a59-5f3f5a5d1c11"
Send = Callable[..., Any]


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def found(home: Path) -> Settings:
    return settings(
        home,
        figsupport_form_origins=f"https://www.figurative.example, {ORIGIN}/",
        figsupport_webhook_secret=SECRET,
        figsupport_max_file_size=400_000,
        figsupport_max_request_size=600_000,
        figsupport_max_document=10_000,
        figsupport_max_files=3,
    )


@pytest.fixture
def client(found: Settings, now: Time) -> Iterator[TestClient]:
    with a_client(an_app(found, clock=now)) as client:
        yield client


@pytest.fixture
def send(client: TestClient, now: Time) -> Send:
    """Sends the form as a page does that a person took two seconds to fill in."""
    token = client.get("/form/token", headers={"Origin": ORIGIN}).json()["token"]
    now.now += 2

    def send_(
        files: list[Any] | None = None, headers: dict[str, str] | None = None, **fields: str
    ) -> Any:
        return client.post(
            "/form",
            data={"request_id": FORM_ID, **FIELDS, **fields},
            files=files if files is not None else [("fichiers", ("photo.jpg", PHOTO.read_bytes()))],
            headers={"Origin": ORIGIN, "X-Form-Token": token, **(headers or {})},
        )

    return send_


def nothing_left(home: Path) -> bool:
    forms = home / "forms"
    return not forms.exists() or not list(forms.iterdir())


def the_case(home: Path) -> Case:
    (case,) = journalled(home)
    return case


def test_a_form_with_files_becomes_a_ticket(send: Send, home: Path) -> None:
    files = [
        ("fichiers", ("photo.jpg", PHOTO.read_bytes())),
        ("fichiers", ("", b"")),  # a field left empty
        ("fichiers", ("é\u202e../../x.txt", b"text")),
    ]
    answer = send(files)
    assert answer.status_code == 200
    case = the_case(home)
    assert answer.json() == {
        "reference": case.reference,
        "files": 2,
        "message": "Votre demande nous est parvenue.",
    }
    assert case.id == FORM_ID
    assert [file.problem is None for file in case.files] == [True, True]
    assert [file.size for file in case.files] == [PHOTO.stat().st_size, 4]
    assert case.request.source == "formulaire"
    assert nothing_left(home)


def test_the_answer_speaks_the_clients_language(send: Send) -> None:
    assert send(langue="en").json()["message"] == "Your request is with us."


def test_the_same_form_again_is_the_same_ticket(send: Send, home: Path) -> None:
    first, second = send(), send()
    assert first.json() == second.json()
    other = send(objet="Table")
    assert other.status_code == 409
    assert the_case(home).request.objet == "Chaise"
    assert nothing_left(home)


def test_sixteen_times_at_once_is_one_ticket(send: Send, home: Path) -> None:
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: send(), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert the_case(home).files[0].problem is None
    assert nothing_left(home)


# --- who may -------------------------------------------------------------------------------


def test_only_pages_of_the_origins_may(client: TestClient, send: Send, home: Path) -> None:
    for origin in ("https://evil.example", "null", "", ORIGIN + "/", ORIGIN.upper()):
        assert client.get("/form/token", headers={"Origin": origin}).status_code == 403, origin
        assert send(headers={"Origin": origin}).status_code == 403, origin
    other = "https://www.figurative.example"
    assert send(headers={"Origin": other}).status_code == 403  # the token is of another page
    assert journalled(home) == []


def test_browsers_are_told_which_pages_may(client: TestClient, send: Send) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-form-token",
    }
    may = client.options("/form", headers={"Origin": ORIGIN, **asked})
    assert may.headers["access-control-allow-origin"] == ORIGIN
    not_ = client.options("/form", headers={"Origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in not_.headers
    assert send().headers["access-control-allow-origin"] == ORIGIN
    assert send(user_email="").headers["access-control-allow-origin"] == ORIGIN
    webhook = client.post("/webhook/request", json={}, headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in webhook.headers


@pytest.mark.parametrize(
    "token", ["", "x", ".", "1.2", "é", "1795000000000.0000", f"{'9' * 5000}.0"]
)
def test_a_token_that_is_not_ours_is_refused(send: Send, home: Path, token: str) -> None:
    answer = send(headers={"X-Form-Token": token.encode("latin-1")})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:figsupport:form_token"
    assert journalled(home) == []
    assert nothing_left(home)


def test_a_token_is_neither_too_young_nor_too_old(send: Send, now: Time) -> None:
    now.now -= 1.5
    young = send()
    assert (young.status_code, young.headers["retry-after"]) == (429, "1")
    now.now += 3601
    assert send().status_code == 403


def test_a_token_outlives_the_server(found: Settings, now: Time, send: Send) -> None:
    with a_client(an_app(found, clock=now)) as after:
        token = after.get("/form/token", headers={"Origin": ORIGIN}).json()["token"]
    now.now += 2
    assert send(headers={"X-Form-Token": token}).status_code == 200


def test_without_origins_there_is_no_form(home: Path) -> None:
    with a_client(an_app(settings(home))) as client:
        for origin in ("", "null", ORIGIN):
            assert client.get("/form/token", headers={"Origin": origin}).status_code == 404
            assert client.post("/form", headers={"Origin": origin}).status_code == 404


# --- what is refused -----------------------------------------------------------------------


def test_every_field_that_does_not_fit_is_named(send: Send, home: Path) -> None:
    answer = send(
        request_id="1", user_email="x", objet="", description=" ", website="spam", langue="de"
    )
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["problems"]} == {
        "request_id", "user_email", "description", "website", "langue",
    }  # fmt: skip
    assert journalled(home) == []
    assert nothing_left(home)


def test_fields_nobody_asked_for_are_left_out(send: Send, home: Path) -> None:
    assert (
        send(fichiers="/etc/passwd", source="x", validation_status="validated").status_code == 200
    )
    case = the_case(home)
    assert case.request.source == "formulaire"
    assert not case.request.model_extra


@pytest.mark.parametrize(
    "sizes", [[400_001], [300_000, 300_001, 300_000], [1, 1, 1, 1]],
    ids=["a file", "all of them", "too many"],
)  # fmt: skip
def test_files_beyond_the_limits_are_refused(send: Send, home: Path, sizes: list[int]) -> None:
    files = [("fichiers", (f"{n}.jpg", b"x" * size)) for n, size in enumerate(sizes)]
    assert send(files).status_code == 413
    assert journalled(home) == []
    assert nothing_left(home)


def _parts(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


_TEXT = b'Content-Disposition: form-data; name="objet"\r\n\r\n'
MALFORMED = {
    "empty": b"",
    "no form": b"hello",
    "another boundary": b"--c\r\n\r\n--c--",
    "cut": _parts(_TEXT + b"x", end=b""),
    "cut in a file": _parts(
        b'Content-Disposition: form-data; name="f"; filename="a"\r\n\r\nx', end=b""
    ),
    "without a name": _parts(b"Content-Disposition: form-data\r\n\r\nx"),
    "without headers": _parts(b"\r\nx"),
    "no UTF-8": _parts(_TEXT + b"\xff"),
    "a long header": _parts(b"X-Long: " + b"x" * 5_000 + b"\r\n" + _TEXT + b"x"),
    "many parts": _parts(*[_TEXT + b"x"] * 60),
    "many headers": _parts(b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + _TEXT + b"x"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_what_is_no_form_is_refused(client: TestClient, now: Time, home: Path, how: str) -> None:
    token = client.get("/form/token", headers={"Origin": ORIGIN}).json()["token"]
    now.now += 2
    headers = {
        "Origin": ORIGIN,
        "X-Form-Token": token,
        "Content-Type": "multipart/form-data; boundary=b",
    }
    answer = client.post("/form", content=MALFORMED[how], headers=headers)
    assert answer.status_code == 422, answer.text
    assert nothing_left(home)
    no_boundary = {**headers, "Content-Type": "multipart/form-data"}
    assert client.post("/form", content=MALFORMED[how], headers=no_boundary).status_code == 422
    as_json = {**headers, "Content-Type": "application/json"}
    assert client.post("/form", content=b"{}", headers=as_json).status_code == 415


def test_long_texts_are_refused(send: Send, home: Path) -> None:
    assert send(objet="x" * 1_001).status_code == 422
    assert send(description="x" * 10_001).status_code == 413
    assert nothing_left(home)


def test_a_field_where_no_file_was_chosen_is_no_file(
    client: TestClient, now: Time, home: Path
) -> None:
    """As browsers send it."""
    token = client.get("/form/token", headers={"Origin": ORIGIN}).json()["token"]
    now.now += 2
    texts = {**FIELDS, "request_id": FORM_ID}.items()
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in texts
    ]
    empty = (
        b'Content-Disposition: form-data; name="fichiers"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
    )
    headers = {
        "Origin": ORIGIN,
        "X-Form-Token": token,
        "Content-Type": "multipart/form-data; boundary=b",
    }
    answer = client.post("/form", content=_parts(*parts, empty), headers=headers)
    assert answer.json()["files"] == 0
    assert the_case(home).request.fichiers == ()


def test_one_network_and_one_sender_cannot_flood(found: Settings, now: Time) -> None:
    few = found.model_copy(update={"figsupport_serve_rate": 2})
    with a_client(an_app(few, clock=now)) as client:
        statuses = [
            client.get("/form/token", headers={"Origin": ORIGIN}).status_code for _ in range(3)
        ]
    assert statuses == [200, 200, 429]


# --- nothing is lost -----------------------------------------------------------------------


def test_a_provider_that_is_down_keeps_the_form(
    client: TestClient, send: Send, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from figsupport.adapters.local_store import LocalStore

    def down(*_: object) -> None:
        raise Unavailable("The store is down", hint="Later.")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "put", down)
        answer = send()
    assert answer.status_code == 202
    case = the_case(home)
    assert answer.json()["reference"] == case.reference
    assert [path.name for path in (home / "forms" / FORM_ID).iterdir()] == ["01"]
    services = Services(settings(home))
    Spool(home / "forms").tidy(services)
    assert (home / "forms" / FORM_ID / "01").exists(), "the case needs it still"
    polling.poll_pending_tickets(services)
    Spool(home / "forms").tidy(services)
    services.close()
    assert the_case(home).files[0].size == PHOTO.stat().st_size
    assert nothing_left(home)


def test_before_the_journal_nothing_is_kept_and_it_is_said(
    send: Send, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("The disk is full", hint="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(workflow, "intake", full)
        assert send().status_code == 503
    assert send().status_code == 200
    assert the_case(home).files[0].problem is None


@pytest.mark.parametrize("name", ["arriving-x", FORM_ID], ids=["arriving", "moved"])
def test_a_crash_before_the_journal_is_repaired_by_the_next_try(
    send: Send, home: Path, name: str
) -> None:
    """What a killed process leaves: the arriving folder, or the moved one without a case."""
    left = home / "forms" / name
    left.mkdir(parents=True)
    (left / "01").write_bytes(b"of an earlier try")
    (left / "02").write_bytes(b"which had two files")
    assert send().status_code == 200
    case = the_case(home)
    assert [file.size for file in case.files] == [PHOTO.stat().st_size]


class Killed(BaseException):
    """What nobody catches, as nobody catches a SIGKILL."""


MOMENTS = [
    "figsupport.server.spool._to_disk",
    "shutil.rmtree",
    "pathlib.Path.replace",
    "figsupport.server.spool.sync_folder",
    "figsupport.adapters.cases.LocalCases.save",
    "figsupport.adapters.local_store.LocalStore.put",
    "figsupport.adapters.local_desk.LocalDesk.create_ticket",
    "figsupport.adapters.maildir.LocalMail.send",
    "figsupport.server.spool.Spool._let_go",
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.rpartition(".")[2])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("sent_again", [True, False], ids=["sent again", "poll"])
def test_killed_at_any_moment(
    home: Path, moment: str, after: bool, sent_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form whose case is journalled needs no second try; before that the page tries again."""
    spool, form_id = Spool(home / "forms"), FORM_ID

    def attempt() -> Case:
        folder = home / "forms" / f"arriving-{uuid.uuid4()}"
        folder.mkdir(parents=True)
        (folder / "01").write_bytes(PHOTO.read_bytes())
        photo = {"name": "photo.jpg", "path": str(spool.place(form_id) / "01")}
        request = Request.model_validate({**FIELDS, "request_id": form_id, "fichiers": [photo]})
        services = Services(settings(home))
        try:
            return spool.take_in(request, Arrival(folder), services)
        finally:
            services.close()

    with monkeypatch.context() as broken:
        original = pydoc.locate(moment)
        assert callable(original)

        def kill(*given: Any, **more: Any) -> None:
            if after:
                original(*given, **more)
            raise Killed

        broken.setattr(moment, kill)
        with pytest.raises(Killed):
            attempt()
    journalled_ = bool(journalled(home))
    if sent_again or not journalled_:
        attempt()
    services = Services(settings(home))
    polling.poll_pending_tickets(services)
    spool.tidy(services)
    services.close()
    case = the_case(home)
    assert [file.size for file in case.files] == [PHOTO.stat().st_size]
    assert case.ticket is not None
    assert case.ticket.id == "1001"
    assert len(list((home / "mail" / "outbox" / "new").iterdir())) == 1
    assert not spool.place(form_id).exists()


def test_a_reader_that_left_takes_nothing_from_a_worker(home: Path) -> None:
    spool, services = Spool(home / "forms"), Services(settings(home))
    request = Request.model_validate({**FIELDS, "request_id": FORM_ID})
    with spool.arriving() as arrival:
        assert arrival.claim()  # as a worker does
    assert arrival.folder.is_dir()
    with pytest.raises(Busy):
        spool.take_in(request, arrival, services)
    assert services.cases.load(FORM_ID) is None
    services.close()


def test_a_disk_that_is_full_is_said_to_be_our_fault(
    send: Send, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("figsupport.server.spool._to_disk", full)
        answer = send()
    assert answer.status_code == 503
    assert "space" not in answer.text
    assert journalled(home) == []
    assert nothing_left(home)
    assert send().status_code == 200


def test_folders_of_nobody_go_after_a_day(home: Path) -> None:
    folder = home / "forms"
    for name, hours in (("arriving-old", 25), ("arriving-new", 1), (str(uuid.uuid4()), 25)):
        (folder / name).mkdir(parents=True)
        at = time.time() - hours * 3600
        os.utime(folder / name, (at, at))
    services = Services(settings(home))
    Spool(folder).tidy(services)
    assert [path.name for path in folder.iterdir()] == ["arriving-new"]
    with services.cases.lock("form arriving-new"):
        Spool(folder).tidy(services)  # somebody works on it
    services.close()
    assert [path.name for path in folder.iterdir()] == ["arriving-new"]


def test_what_clients_send_is_private(
    send: Send, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: set[int] = set()

    def look(request: Any, services: Services) -> Any:
        folder = home / "forms"
        modes.update(path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir()))
        return original(request, services)

    original = workflow.intake
    monkeypatch.setattr(workflow, "intake", look)
    assert send().status_code == 200
    assert modes == {0}


def test_the_server_tidies_up_without_any_round(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cron's `poll` finished is let go, too."""
    monkeypatch.setattr("figsupport.server.pool._TIDY", 0.01)
    app = an_app(settings(home))
    with a_client(app):
        (home / "forms" / FORM_ID).mkdir(parents=True)
        os.utime(home / "forms" / FORM_ID, (0, 0))
        until(lambda: nothing_left(home))
    assert app.state.house.sweeper.rounds == 0
