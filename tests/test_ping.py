"""A sign of life after each round; a ping that fails never fails the round."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from figsupport.adapters.locks import file_lock
from figsupport.adapters.ping import Ping
from figsupport.core.events import CallDone, PollDone

from .standins.server import StandIn
from .test_live import Live
from .test_logs import run

PATH = "/5f3e-secret"


class Pings(StandIn):
    """A service that counts signs of life."""

    status = 200

    def handle(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        assert _[3] is None, "nothing is sent"
        return self.status, {}, {}


@pytest.fixture
def pings(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pings]:
    server = Pings()
    monkeypatch.setenv("FIGSUPPORT_PING_URL", f"{server.url}{PATH}?create=1")
    yield server
    server.close()


def test_each_round_gives_a_sign(pings: Pings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(home, "off", "poll") == (0, "")
    assert pings.calls == [f"POST {PATH}"]
    run(home, "off", "tickets")
    run(home, "off", "poll", "--dry-run")
    with file_lock(home / "locks", "poll", 0):  # another poll is at it: it pings, not this one
        assert run(home, "off", "poll") == (0, "")
    assert pings.calls == [f"POST {PATH}"]


def test_a_failed_round_says_so(pings: Pings, tmp_path: Path) -> None:
    live = Live(tmp_path / "home")
    live.settings = {"FIGSUPPORT_BACKOFF": "0"}
    live.hubspot.fail("GET", 500, 500, 500, 500)
    assert live.run("poll")[0] == 75
    live.hubspot.fail("GET", 401)
    assert live.run("poll")[0] == 77
    live.close()
    assert pings.calls == [f"POST {PATH}/fail"] * 2


@pytest.mark.parametrize("trouble", ["refused", "gone", "answers 500"])
def test_a_ping_that_fails_fails_no_round(
    pings: Pings, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings.status = 500
    if trouble == "gone":
        pings.fail("POST", "lost before")
    if trouble == "refused":
        monkeypatch.setenv("FIGSUPPORT_PING_URL", f"http://127.0.0.1:9{PATH}")
    code, said = run(tmp_path / "home", "off", "poll")
    assert code == 0
    assert said.count("The ping was not taken") == 1
    assert "secret" not in said


def test_it_is_said_once_until_a_ping_arrives(pings: Pings) -> None:
    said: list[str] = []
    ping = Ping(f"{pings.url}{PATH}/", said.append)
    for status in (500, 500, 200, 404):
        pings.status = status
        ping(PollDone(1.0))
        ping(CallDone("hubspot", "GET task/…", 200, 0.1))
    assert [sentence.split("(")[1].split(")")[0] for sentence in said] == [
        "answered 500",
        "answered 404",
    ]
    ping(PollDone(1.0, ("refused",)))
    assert pings.calls[-1] == f"POST {PATH}/fail"
    assert len(pings.calls) == 5


@pytest.mark.parametrize("url", ["hc.example/1", "ftp://hc.example/1", "https://", "https://a b/"])
def test_an_address_that_is_none_is_refused_unseen(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIGSUPPORT_PING_URL", url)
    code, _ = run(tmp_path / "home", "off", "poll")
    assert code == 78


def test_the_address_is_in_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from figsupport.settings import load

    monkeypatch.setenv("FIGSUPPORT_PING_URL", f"https://hc.test{PATH}")
    assert PATH not in json.dumps(load().model_dump(mode="json"))
