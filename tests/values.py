"""Values that many tests need, with what matters given by the test."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from figsupport.core.calendar import Delays
from figsupport.core.intake import new_case
from figsupport.core.model import Case, Request

#: a Monday before anybody works: nothing is due by its date or hour
NOW = datetime(2026, 11, 2, 2, 30, tzinfo=UTC)

DELAYS = Delays(
    quote=(3, 5, 10), info=(2, 8), weekdays=frozenset({1, 2, 3, 4, 5}),
    opens=time(9), closes=time(18), digest=time(8, 30), zone=ZoneInfo("Europe/Paris"),
)  # fmt: skip


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
