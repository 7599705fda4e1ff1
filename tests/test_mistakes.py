"""What a newcomer sets wrong: each mistake is one sentence that names the variable and the remedy."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from figsupport.errors import Misconfigured
from figsupport.health import examine
from figsupport.settings import Settings

from .standins import clickup as clickup_
from .standins import hubspot as hubspot_
from .standins.s3 import ACCESS, BUCKET, S3, SECRET
from .standins.smtp import Office, start


class Providers:
    """All providers on the loopback, and settings that fit them."""

    def __init__(self, home: Path, server: S3) -> None:
        self.hubspot, self.clickup = hubspot_.HubSpot(), clickup_.ClickUp()
        self.relay: Controller = start(Office())
        self.settings: dict[str, Any] = {
            "figsupport_home": home, "figsupport_judge": "rules", "figsupport_timeout": 1.0,
            "figsupport_backoff": 0.0,
            "hubspot_api_key": hubspot_.KEY, "hubspot_base_url": self.hubspot.url,
            "hubspot_hub_id": "145", "hubspot_pipeline_id": "77", "hubspot_stage_new": "1",
            "clickup_api_key": clickup_.KEY, "clickup_base_url": self.clickup.url,
            "clickup_parent_task_id": clickup_.PARENT,
            "r2_access_key_id": ACCESS, "r2_secret_access_key": SECRET,
            "r2_bucket_name": BUCKET, "r2_endpoint_url": server.url,
            "r2_public_url": "https://files.figurative.example",
            "smtp_host": "127.0.0.1", "smtp_port": self.relay.port, "smtp_security": "none",
            "mail_from": "Figurative <support@figurative.example>",
            "admin_email": "admin@figurative.example",
        }  # fmt: skip

    def close(self) -> None:
        self.relay.stop()
        self.hubspot.close()
        self.clickup.close()


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    started = S3()
    yield started
    started.close()


@pytest.fixture
def providers(tmp_path: Path, server: S3, socket_enabled: None) -> Iterator[Providers]:
    server.wait()
    found = Providers(tmp_path / "home", server)
    yield found
    found.close()


def test_all_is_well(providers: Providers) -> None:
    report = examine(Settings(**providers.settings))
    assert report["status"] == "healthy", report
    assert all(part["detail"] != "" or name in {"directives", "cases"}
               for name, part in report["providers"].items())  # fmt: skip


#: what is set wrong, which part says so, and the words of its sentence
MISTAKES: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    ("HubSpot's key is wrong", {"hubspot_api_key": "pat-wrong"}, "desk",
     ("HUBSPOT_API_KEY", "private-app token or a service key")),
    ("the key is of another account", {"hubspot_hub_id": "999"}, "desk",
     ("HUBSPOT_HUB_ID=999", "145: set it so")),
    ("no such pipeline", {"hubspot_pipeline_id": "5"}, "desk",
     ("HUBSPOT_PIPELINE_ID=5", "77 (Support), 88 (Ventes): set one")),
    ("a stage of another pipeline", {"hubspot_stage_new": "9"}, "desk",
     ("HUBSPOT_STAGE_NEW=9", "a stage of the pipeline Ventes, not of Support: set one of 1")),
    ("no such stage", {"hubspot_stage_new": "5"}, "desk",
     ("HUBSPOT_STAGE_NEW=5", "set one of 1 (Nouveau)")),
    ("HubSpot's address is wrong", {"hubspot_base_url": "http://127.0.0.1:9"}, "desk",
     ("HubSpot did not answer", "HUBSPOT_BASE_URL")),
    ("ClickUp's key is wrong", {"clickup_api_key": "pk_wrong"}, "board",
     ("CLICKUP_API_KEY", "Settings › Apps")),
    ("the parent task cannot be read", {"clickup_parent_task_id": "86unknown"}, "board",
     ("CLICKUP_PARENT_TASK_ID", "the key may read")),
    ("the parent task is a custom id", {"clickup_parent_task_id": "ABC-123"}, "board",
     ("CLICKUP_PARENT_TASK_ID=ABC-123 is a custom id", "the id in the parent task's link")),
    ("ClickUp's address is wrong", {"clickup_base_url": "http://127.0.0.1:9"}, "board",
     ("ClickUp did not answer", "CLICKUP_BASE_URL")),
    ("no such bucket", {"r2_bucket_name": "other"}, "store",
     ("R2 has no bucket « other »", "Set R2_BUCKET_NAME")),
    ("R2's secret is wrong", {"r2_secret_access_key": "wrong-secret"}, "store",
     ("R2_SECRET_ACCESS_KEY", "may read and write")),
    ("R2's key is wrong", {"r2_access_key_id": "nobody"}, "store", ("R2_ACCESS_KEY_ID",)),
    ("R2's address is wrong", {"r2_endpoint_url": "http://127.0.0.1:9"}, "store",
     ("R2 does not answer at 127.0.0.1:9", "R2_ENDPOINT_URL")),
    ("R2's address is none", {"r2_endpoint_url": "files"}, "store",
     ("R2_ENDPOINT_URL=files", "https address")),
    ("the mail server is not there", {"smtp_port": 9}, "mail",
     ("127.0.0.1:9 does not answer", "SMTP_HOST, SMTP_PORT")),
    ("letters would leave unprotected", {"smtp_host": "mail.example.com"}, "mail",
     ("SMTP_SECURITY=none", "Use starttls or tls")),
    ("the mail server has no encryption", {"smtp_security": "starttls"}, "mail",
     ("SMTP_SECURITY",)),
    ("the mail server wants no log-in", {"smtp_username": "team"}, "mail", ("SMTP_USERNAME",)),
    ("no mail server at all", {"smtp_host": None}, "mail", ("left as drafts", "Set SMTP_HOST")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "wrong", "part", "words"), MISTAKES, ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_named_with_its_remedy(
    providers: Providers, what: str, wrong: dict[str, Any], part: str, words: tuple[str, ...]
) -> None:
    report = examine(Settings(**{**providers.settings, **wrong}))
    found = report["providers"]
    assert report["status"] in ("degraded", "unhealthy")
    assert not found[part]["ok"], what
    for word in words:
        assert word in found[part]["detail"], found[part]["detail"]
    others = {name for name, one in found.items() if not one["ok"]} - {part}
    assert not others - {"mail"}, f"{others} are not wrong"
    for secret in ("pat-wrong", "pk_wrong", "wrong-secret", SECRET, clickup_.KEY, hubspot_.KEY):
        assert secret not in str(report)


@pytest.mark.parametrize("scope", hubspot_.SCOPES)
def test_a_missing_scope_is_named_with_where_to_grant_it(providers: Providers, scope: str) -> None:
    providers.hubspot.scopes.remove(scope)
    detail = examine(Settings(**providers.settings))["providers"]["desk"]["detail"]
    assert scope in detail
    assert "HUBSPOT_API_KEY" in detail
    assert "Settings › Integrations" in detail


def test_before_setup_every_property_is_named(providers: Providers) -> None:
    providers.hubspot.forget_setup()
    detail = examine(Settings(**providers.settings))["providers"]["desk"]["detail"]
    for name in ("validation_status", "credits_estimes", "figsupport_key"):
        assert f"the ticket property {name} is missing: run `figsupport setup`" in detail


def test_a_clock_that_is_wrong_is_named(providers: Providers) -> None:
    with skewed() as url:
        wrong = {**providers.settings, "r2_endpoint_url": url}
        detail = examine(Settings(**wrong))["providers"]["store"]["detail"]
    assert "clock" in detail
    assert "NTP" in detail


NEEDED = (
    "HUBSPOT_API_KEY", "HUBSPOT_HUB_ID", "HUBSPOT_PIPELINE_ID", "HUBSPOT_STAGE_NEW",
    "CLICKUP_API_KEY", "CLICKUP_PARENT_TASK_ID", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY",
    "R2_BUCKET_NAME", "R2_ENDPOINT_URL", "R2_PUBLIC_URL", "MAIL_FROM", "ADMIN_EMAIL",
)  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "xxx", "pat-...", "<your key>"])
def test_a_missing_variable_is_named(providers: Providers, name: str, value: str | None) -> None:
    """A placeholder is missing, too."""
    with pytest.raises(Misconfigured) as caught:
        Settings(**{**providers.settings, name.lower(): value}).adapters()
    assert [problem.field for problem in caught.value.problems] == [name]
    assert name in caught.value.message


class skewed:  # noqa: N801 — reads as a word
    """A store that finds our clock wrong."""

    def __init__(self) -> None:
        body = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self.send_response(403)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        serve: Callable[[float], None] = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
