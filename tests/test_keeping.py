"""How long what is kept: the pure part, and what `poll` does about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from figsupport import workflow
from figsupport.core.access import page
from figsupport.core.intake import identity
from figsupport.core.keeping import (
    Retention,
    ended_at,
    is_evidence,
    is_outdated,
    kept_as,
    months_before,
    reduced,
)
from figsupport.core.model import (
    Case,
    Classification,
    Decision,
    Proof,
    Reply,
    SubtaskRef,
    TicketRef,
)
from figsupport.errors import Unavailable
from figsupport.services import Services

from .conftest import Clock
from .contracts import a_letter, a_message, sent
from .test_workflow import ARMCHAIR, INVOICE, Answers, Open, kinds, poll, with_photo
from .values import NOW, a_case

DAY = timedelta(days=1)
SUPPORT = Classification(type="SUPPORT", by="rules", confidence="high")
YES = Decision(verdict="accept", by="client", at=NOW + 3 * DAY, credits=2, notes="Jean")

# --- pure --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "months", "expected"),
    [
        (datetime(2026, 11, 2, tzinfo=UTC), 1, datetime(2026, 10, 2, tzinfo=UTC)),
        (datetime(2026, 3, 31, tzinfo=UTC), 1, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 12, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 15, 9, tzinfo=UTC), 120, datetime(2016, 1, 15, 9, tzinfo=UTC)),
    ],
)
def test_months_are_the_calendars(now: datetime, months: int, expected: datetime) -> None:
    assert months_before(now, months) == expected


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (a_case(classification=SUPPORT), "support"),
        (a_case(validation_status="rejected"), "dropped"),
        (a_case(validation_status="validated"), "validated"),
        (a_case(validation_status="validated", erased=NOW), "evidence"),
    ],
)
def test_a_finished_case_is_kept_as(case: Case, kind: str) -> None:
    assert kept_as(case) == kind


def test_a_case_ended_when_something_last_happened() -> None:
    assert ended_at(a_case()) == NOW
    letter = sent(a_letter()).model_copy(update={"sent_at": NOW + DAY})
    assert ended_at(a_case(mails=(letter,))) == NOW + DAY
    replies = (Reply(message_id="m", intent="unclear", at=NOW + 2 * DAY),
               Reply(message_id="n", intent="unclear"))  # fmt: skip
    assert ended_at(a_case(mails=(letter,), replies=replies)) == NOW + 2 * DAY
    assert ended_at(a_case(mails=(letter,), decision=YES)) == NOW + 3 * DAY


def test_what_has_no_limit_stays() -> None:
    case = a_case(validation_status="rejected")
    assert not is_outdated(case, {})
    assert not is_outdated(case, {"dropped": NOW})
    assert is_outdated(case, {"dropped": NOW + DAY})
    assert Retention({"support": 1}).limits(NOW) == {"support": months_before(NOW, 1)}


def test_the_record_of_an_acceptance_is_evidence() -> None:
    assert is_evidence("secret/acceptance-45e1f8ae7ca361f0.json")
    assert not is_evidence("acceptance-/01-photo.jpg")


@pytest.mark.parametrize("proof", [None, Proof(name="acceptance-1.json", text="{}", sha256="a")])
def test_what_is_left_of_a_case_names_nobody(proof: Proof | None) -> None:
    case = a_case(
        decision=YES, proof=proof, validation_status="validated", mails=(sent(a_letter()),),
        replies=(Reply(message_id="m", intent="accept", words="Jean valide"),),
        ticket=TicketRef(id="1001"), subtask=SubtaskRef(id="501"),
    )  # fmt: skip
    left = reduced(case, "acceptance-1.json", NOW)
    text = left.model_dump_json()
    assert "Jean" not in text
    assert "example.com" not in text
    assert "fauteuil" not in text
    assert (left.id, left.erased, kept_as(left)) == (case.id, NOW, "evidence")
    assert ended_at(left) == YES.at
    assert left.proof is not None
    assert left.proof.name == "acceptance-1.json"
    assert reduced(a_case(), "acceptance-1.json", NOW).decision is None


def test_who_was_forgotten_may_ask_the_same_again() -> None:
    case = a_case(id="abc")
    assert identity(case.request, case, NOW) == "abc"
    assert identity(case.request, case.with_(erased=NOW), NOW) == "abc-2"


def test_the_page_of_an_export_tells_everything() -> None:
    case = a_case(
        validation_status="validated", ticket=TicketRef(id="1001", url="local://t"),
        subtask=SubtaskRef(id="501", url="local://s"),
        mails=(sent(a_letter()), sent(a_letter(kind="administrator", subject="interne"))),
        replies=(Reply(message_id="m", intent="accept", words="Je valide"),),
    )  # fmt: skip
    files: list[dict[str, Any]] = [
        {"name": "photo.jpg", "path": "fichiers/x/01-photo.jpg", "url": None, "size": 12},
        {"name": "loin.jpg", "path": None, "url": "https://cdn/x", "size": None},
        {"name": "perdu.jpg", "path": None, "url": None, "size": None},
    ]
    text = page("client@example.com", (case,), (a_message(),), files, NOW)
    for words in (
        "sur client@example.com", "02/11/2026 à 02:30 UTC", f"[#{case.reference}]", "validée",
        "Ticket : 1001", "Production : 501", "Votre devis [#ABCDEFGHIJ]", "« accept »",
        "(sans objet)", "12 octets — fichiers/x/01-photo.jpg", "https://cdn/x", "introuvable",
    ):  # fmt: skip
        assert words in text
    assert "interne" not in text
    bare = page("client@example.com", (a_case(),), (), [], NOW)
    assert "demande de support" in bare
    assert "Messages reçus" not in bare


# --- what poll does ----------------------------------------------------------------------------


def everything(services: Services) -> str:
    """Every byte that lies in the home."""
    files = sorted(path for path in services.settings.home.rglob("*") if path.is_file())
    return "\n".join(f"{path}\n{path.read_bytes().decode('latin-1')}" for path in files)


def test_a_support_case_is_forgotten_after_its_months(services: Services, clock: Clock) -> None:
    case, _ = workflow.intake(INVOICE, services)
    clock.forward(days=360)
    assert poll(services).forgotten == 0
    clock.forward(days=10)
    assert poll(services).forgotten == 1
    assert poll(services).forgotten == 0
    assert services.cases.load(case.id) is None
    assert services.desk.find_contact(case.request.user_email) is None
    services.scrub()
    assert "client@example.com" not in everything(services)


def test_an_open_case_is_never_forgotten(services: Services, photo: Path, clock: Clock) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.forward(days=4000)
    assert poll(services).forgotten == 0
    assert services.cases.load(case.id) is not None


def test_evidence_outlives_its_case(
    services: Services, photo: Path, client_answers: Answers, clock: Clock
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Je valide")
    assert poll(services).validated == 1
    folder = services.store.secret_folder(case.id)
    (record,) = filter(is_evidence, services.store.keys(folder))
    clock.forward(days=3 * 366)
    assert poll(services).forgotten == 1
    assert services.store.keys(folder) == (record,)
    left = services.cases.load(case.id)
    assert left is not None
    assert left.proof is not None
    assert left.proof.url
    assert kinds(services) == []
    assert poll(services).forgotten == 0
    clock.forward(days=7 * 366)
    assert poll(services).forgotten == 1
    assert services.store.keys(folder) == ()
    assert services.cases.load(case.id) is None


def test_a_contact_stays_while_a_ticket_of_theirs_does(services: Services, clock: Clock) -> None:
    workflow.intake(INVOICE, services)
    clock.forward(days=200)
    other, _ = workflow.intake(INVOICE.model_copy(update={"objet": "Autre"}), services)
    clock.forward(days=200)
    assert poll(services).forgotten == 1
    assert other.ticket is not None
    assert services.desk.get_ticket(other.ticket.id).contact_email == "client@example.com"


def test_a_round_forgets_no_more_than_it_may(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("figsupport.keeping.MOST_A_ROUND", 2)
    for number in range(3):
        workflow.intake(INVOICE.model_copy(update={"objet": f"Facture {number}"}), services)
    clock.forward(days=400)
    assert [poll(services).forgotten for _ in range(3)] == [2, 1, 0]


def test_what_cannot_be_forgotten_now_is_later(
    services: Services, open_services: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = workflow.intake(INVOICE, services)
    clock.forward(days=400)
    with services.cases.lock(case.id):
        assert poll(open_services()).forgotten == 0
    broken = open_services()

    def down(*_: object, **__: object) -> None:
        raise Unavailable("The store does not answer", hint="Later.")

    monkeypatch.setattr(broken.store, "remove", down)
    done = poll(broken)
    assert (done.forgotten, [name for name, _ in done.errors]) == (0, [case.id])
    assert poll(services).forgotten == 1


def test_who_was_first_has_done_it(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = workflow.intake(INVOICE, services)
    clock.forward(days=400)
    found: Callable[..., list[str]] = services.cases.outdated
    ids = found({"support": clock()}, 9)
    assert ids == [case.id]
    services.cases.forget(case.id)
    monkeypatch.setattr(services.cases, "outdated", lambda *_: ids)
    assert poll(services).forgotten == 0
