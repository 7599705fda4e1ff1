"""Values that many tests need, with what matters given by the test."""

from datetime import UTC, datetime

from figsupport.core.intake import new_case
from figsupport.core.model import Case, Request

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def a_request(**changes: object) -> Request:
    document: dict[str, object] = {
        "source": "modelisation",
        "objet": "Modélisation fauteuil vintage",
        "description": "Je souhaite modéliser ce fauteuil.",
        "user_email": "client@example.com",
        "user_name": "Jean Dupont",
    }
    return Request.model_validate({**document, **changes})


def a_case(**changes: object) -> Case:
    request = changes.pop("request", None) or a_request()
    assert isinstance(request, Request)
    case = new_case(str(changes.pop("id", "case-1")), request, "fr", NOW)
    return case.with_(**changes)
