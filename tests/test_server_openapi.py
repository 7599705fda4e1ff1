"""The OpenAPI document against the server: nothing it does not say, and no fault of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .serving import BEARER, ORIGIN, Server, until

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ENDPOINTS = [
    ("POST", "/webhook/request"),
    ("POST", "/webhook/validate"),
    ("POST", "/webhook/hubspot"),
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/form/token"),
    ("POST", "/form"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    more = {
        "FIGSUPPORT_FORM_ORIGINS": ORIGIN,
        "FIGSUPPORT_SERVE_RATE": "0",
        "HUBSPOT_CLIENT_SECRET": "secret",
    }
    running = Server(tmp_path_factory.mktemp("home"), **more)
    yield running
    running.close()


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_whatever_is_sent_the_answer_is_documented(
    server: Server, socket_enabled: None, method: str, path: str
) -> None:
    known = BEARER if path.startswith(("/webhook", "/health")) else {"Origin": ORIGIN}
    operation: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")[path][method]
    with requests.Session() as session:
        if path == "/form":
            known["X-Form-Token"] = session.get(f"{server.url}/form/token", headers=known).json()[
                "token"
            ]
            until(lambda: session.post(f"{server.url}/form", headers=known).status_code != 429)
        for mode in schemathesis.GenerationMode:

            @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                case.call_and_validate(session=session, checks=CHECKS, headers=known)

            if mode is schemathesis.GenerationMode.POSITIVE or method == "POST":
                check()


def test_every_endpoint_is_tried(server: Server, socket_enabled: None) -> None:
    document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
    described = [(m.upper(), path) for path, item in document["paths"].items() for m in item]
    assert sorted(described) == sorted(ENDPOINTS)
