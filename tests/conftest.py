"""What the tests share: an embedded desk in a folder of its own, and a clock that is set."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

from figsupport.adapters import playing
from figsupport.adapters.postgres import PostgresCases
from figsupport.core.model import Case
from figsupport.services import Services
from figsupport.settings import Settings
from figsupport.workflow import find_case

from .standins.postgres import PostgresServer, programs
from .values import NOW


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and none leaves its folder."""
    import os

    for name in os.environ:
        if name.split("_")[0] in {
            "FIGSUPPORT", "HUBSPOT", "CLICKUP", "R2", "SMTP", "ANTHROPIC", "ADMIN", "MAIL",
            "CREDENTIALS",
        }:  # fmt: skip
            monkeypatch.delenv(name)
    monkeypatch.setenv("FIGSUPPORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of an embedded desk."""
    return tmp_path / "home"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_services(tmp_path: Path, clock: Clock) -> Callable[[], Services]:
    """Opens the same embedded desk again, as another process would."""

    def open_() -> Services:
        settings = Settings(
            figsupport_home=tmp_path / "home",
            figsupport_sync="normal",
            admin_email="admin@figurative.example",
            mail_from="Figurative <support@figurative.example>",
        )
        return Services(settings, clock)

    return open_


@pytest.fixture
def services(open_services: Callable[[], Services]) -> Services:
    return open_services()


@pytest.fixture
def client_answers(tmp_path: Path, clock: Clock) -> Callable[..., None]:
    """Lets a client's mail reach the inbox of the embedded desk."""

    def answers(services: Services, case: Case, text: str) -> None:
        clock.forward(hours=1)
        assert case.ticket is not None
        current = find_case(case.ticket.id, services)
        raw = playing.as_mail(current, clock(), services.office.sender, text, None)
        playing.deliver(raw, services.settings.home / "mail", clock())

    return answers


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    from PIL import Image

    path = tmp_path / "photo.jpg"
    Image.effect_noise((1700, 1300), 60).save(path)
    return path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure that whoever runs the tests should see."""

    def say_(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return say_


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started once for all tests that ask for it."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    enable_socket()  # to find a free port
    server = PostgresServer()
    disable_socket(allow_unix_socket=True)
    yield server
    server.close()


@pytest.fixture
def database_url(postgres: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres.fresh()


@pytest.fixture
def journal(database_url: str) -> Iterator[PostgresCases]:
    """A fleet's journal, on a database of its own."""
    cases = PostgresCases(database_url)
    yield cases
    cases.close()
