"""Reminders, expiry and the digest on the embedded desk, day by day."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from figsupport import polling, workflow
from figsupport.commands.documents import round_document
from figsupport.core.model import Case, Step
from figsupport.core.plan import Waiting, waiting
from figsupport.core.round import Round
from figsupport.errors import NotAllowed, Unavailable
from figsupport.services import Services

from .conftest import Clock
from .test_workflow import (
    ARMCHAIR,
    INVOICE,
    NO_PHOTO,
    ORNATE,
    Answers,
    Down,
    Open,
    forget,
    kinds,
    letters,
    on_desk,
    subtasks,
    with_photo,
)
from .values import NOW


def poll(services: Services) -> Round:
    done = polling.poll_pending_tickets(services)
    assert done.errors == ()
    return done


def live(services: Services, clock: Clock, until: datetime, hours: float = 1) -> list[Round]:
    """Let cron run until a moment; return what each round did."""
    rounds = []
    while clock.time < until:
        clock.forward(hours=hours)
        rounds.append(poll(services))
    return rounds


def case_of(services: Services, case: Case) -> Case:
    found = services.cases.load(case.id)
    assert found is not None
    return found


def when(services: Services, case: Case, kind: str) -> list[str]:
    zone = services.directives.delays.zone
    mails = [mail for mail in case_of(services, case).mails if mail.kind == kind]
    return [f"{mail.sent_at.astimezone(zone):%a %d %H:%M}" for mail in mails]


def test_a_quote_nobody_answers_is_repeated_and_at_last_set_aside(
    services: Services, photo: Path, clock: Clock
) -> None:
    """Monday at night; three, five and ten business days; the 11th of November is none."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=40))
    assert kinds(services) == ["quote", "reminder", "reminder", "expiry"]
    assert when(services, case, "reminder") == ["Thu 05 09:30", "Fri 13 09:30"]
    assert when(services, case, "expiry") == ["Fri 27 09:30"]
    reminder = letters(services)[1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Son prix est inchangé : 2 crédits." in reminder
    assert "Je valide" in reminder
    ended = case_of(services, case)
    assert ended.decision is not None
    assert (ended.validation_status, ended.decision.by) == ("rejected", "delay")
    assert on_desk(services, case)["validation_status"] == "rejected"
    assert waiting(ended) is Waiting.FINISHED
    messages = services.desk.get_messages_for_ticket("1001")
    assert len([m for m in messages if m.direction == "out"]) == 4


def test_what_is_missing_is_asked_again(services: Services, clock: Clock) -> None:
    workflow.intake(NO_PHOTO, services)
    rounds = live(services, clock, NOW + timedelta(days=40), hours=6)
    assert kinds(services) == ["info", "info_reminder", "info_reminder", "expiry"]
    assert sum(done.reminders for done in rounds) == 2
    assert [done.expired for done in rounds if done.expired] == [1]
    assert sum(done.rejected for done in rounds) == 0
    text = letters(services)[1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "- " in text


def test_an_answer_to_the_reminder_answers_the_quote(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=4))
    assert kinds(services)[-1] == "reminder"
    client_answers(services, case, "Je valide")
    assert poll(services).validated == 1
    live(services, clock, NOW + timedelta(days=60), hours=12)
    assert kinds(services) == ["quote", "reminder", "confirmation"]
    _, _, stored = workflow.proof_of("1001", services)
    assert b"Je valide" in stored


def test_a_refusal_of_the_reminder_refuses_the_quote(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=4))
    client_answers(services, case, "Non merci, nous n'avons plus de budget.")
    assert poll(services).rejected == 1


def test_a_bare_yes_to_a_reminder_is_left_to_a_person(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    """« ok » may mean: I have seen it."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=4))
    client_answers(services, case, "ok")
    assert poll(services).validated == 0
    assert waiting(case_of(services, case)) is Waiting.PERSON


def test_a_client_who_waits_for_us_is_not_reminded(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Vous livrez quand ?")
    poll(services)
    live(services, clock, NOW + timedelta(days=60), hours=12)
    assert set(kinds(services)) == {"quote", "administrator", "digest"}
    assert waiting(case_of(services, case)) is Waiting.PERSON
    workflow.mark_answered("1001", services)
    with pytest.raises(NotAllowed, match="waits for an answer"):
        workflow.mark_answered("1001", services)
    live(services, clock, clock.time + timedelta(days=60), hours=12)
    assert [kind for kind in kinds(services) if kind not in ("administrator", "digest")] == [
        "quote", "reminder", "reminder", "expiry",
    ]  # fmt: skip


def test_an_absence_stops_no_reminder(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Je suis absent du bureau jusqu'au 9 novembre, de retour lundi.")
    live(services, clock, NOW + timedelta(days=4))
    assert kinds(services) == ["quote", "reminder"]


def test_a_late_yes_creates_nothing_and_reaches_a_person_who_may_reopen(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=40), hours=6)
    client_answers(services, case, "Je valide")
    done = poll(services)
    assert (done.validated, done.replies) == (0, 1)
    assert subtasks(services) == []
    assert kinds(services)[-1] == "administrator"
    assert waiting(case_of(services, case)) is Waiting.PERSON
    assert services.cases.open_cases() != []
    reopened = workflow.process_validation("1001", services, "quote", 2)
    assert (reopened.validation_status, reopened.decision) == ("pending_credits", None)
    client_answers(services, reopened, "Je valide")
    assert poll(services).validated == 1
    assert len(subtasks(services)) == 1


def test_an_administrator_takes_up_what_time_has_ended(
    services: Services, photo: Path, clock: Clock
) -> None:
    workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=40), hours=6)
    done = workflow.process_validation("1001", services, "accept", 2)
    assert done.validation_status == "validated"
    assert len(subtasks(services)) == 1
    with pytest.raises(NotAllowed):
        workflow.process_validation("1001", services, "quote", 2)


def test_one_reminder_a_day_for_a_client_with_three_requests(
    services: Services, photo: Path, clock: Clock
) -> None:
    cases = [
        workflow.intake(
            with_photo(ARMCHAIR, photo).model_copy(update={"objet": name, "user_email": email}),
            services,
        )[0]
        for name, email in (
            ("Fauteuil", "client@example.com"),
            ("Canapé", "Client@Example.com"),
            ("Pouf", "client@example.com"),
            ("Banc", "other@example.com"),
        )
    ]
    live(services, clock, NOW + timedelta(days=8))
    first = [when(services, case, "reminder")[0] for case in cases]
    assert first == ["Thu 05 09:30", "Fri 06 09:30", "Mon 09 09:30", "Thu 05 09:30"]
    assert "held back" in " ".join(event.event for event in case_of(services, cases[1]).history)


def test_nobody_is_reminded_while_the_mail_cannot_be_read(
    services: Services, open_services: Open, photo: Path, clock: Clock
) -> None:
    """The answer may be there already."""
    workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.time = NOW + timedelta(days=3, hours=8)
    deaf = open_services()
    deaf.desk = Down(deaf.desk, "new_messages")
    assert polling.poll_pending_tickets(deaf).reminders == 0
    workflow.intake(with_photo(ARMCHAIR, photo), services)
    assert kinds(services) == ["quote"]
    assert poll(services).reminders == 1


def test_a_draft_is_not_repeated_until_it_was_sent(
    services: Services, open_services: Open, photo: Path, clock: Clock
) -> None:
    unsent = open_services()
    unsent.mail = Drafts(unsent.mail)  # type: ignore[assignment]
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), unsent)
    live(services, clock, NOW + timedelta(days=30), hours=12)
    assert set(kinds(services)) == {"digest"}
    workflow.mark_sent("1001", services)
    live(services, clock, clock.time + timedelta(days=6), hours=6)
    assert [mail.kind for mail in case_of(services, case).mails] == ["quote", "reminder"]


class Drafts:
    """A mail system that leaves every letter as a draft."""

    def __init__(self, real: object) -> None:
        self._real = real

    def send(self, letter: object) -> str:
        return "draft"


def test_a_reminder_that_could_not_leave_waits_for_working_hours(
    services: Services, open_services: Open, photo: Path, clock: Clock
) -> None:
    """The mail server is down from Thursday morning to Friday night."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.time = NOW + timedelta(days=3, hours=8)
    broken = open_services()
    broken.mail = Down(broken.mail, "send")
    done = polling.poll_pending_tickets(broken)
    assert [error.code for _, error in done.errors] == ["unavailable"]
    clock.time = NOW + timedelta(days=4, hours=18)  # Friday night
    assert services.cases.due(clock.time) == [case.id]  # the intent of that morning
    assert poll(services).reminders == 0
    live(services, clock, NOW + timedelta(days=8))
    assert when(services, case, "reminder") == ["Mon 09 09:30"]


@pytest.fixture(params=[True, False], ids=["left", "lost"])
def left(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def in_doubt(
    services: Services, open_services: Open, photo: Path, clock: Clock, left: bool
) -> Case:
    """A case whose reminder was begun by day; nobody knows whether it left."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.time = NOW + timedelta(days=3, hours=8)
    broken = open_services()
    broken.mail = Lost(broken.mail) if left else Down(broken.mail, "send")  # type: ignore[assignment]
    polling.poll_pending_tickets(broken)
    return case


def test_an_answer_at_night_does_not_wait_for_a_reminder_in_doubt(
    services: Services, in_doubt: Case, clock: Clock, client_answers: Answers, left: bool
) -> None:
    doing = case_of(services, in_doubt).doing
    assert doing is not None
    assert doing.step is Step.POST
    clock.forward(hours=12)
    client_answers(services, in_doubt, "Je valide")
    assert poll(services).validated == 1
    expected = ["quote", "reminder", "confirmation"] if left else ["quote", "confirmation"]
    assert [mail.kind for mail in case_of(services, in_doubt).mails] == expected
    assert kinds(services) == expected
    assert services.cases.due(NOW + timedelta(days=100)) == []


def test_a_question_at_night_lets_a_reminder_in_doubt_go_or_be_told(
    services: Services, in_doubt: Case, clock: Clock, client_answers: Answers, left: bool
) -> None:
    clock.forward(hours=12)
    client_answers(services, in_doubt, "Je serai absent du bureau, de retour lundi.")
    poll(services)
    (post,) = case_of(services, in_doubt).outbox
    assert (post.letter, post.begun) == ("reminder", True)
    client_answers(services, in_doubt, "Quel est le délai ?")
    poll(services)
    assert case_of(services, in_doubt).outbox == ()
    assert kinds(services).count("reminder") == left


class Lost:
    """A mail system whose answer is lost: the letter left, nobody knows."""

    def __init__(self, real: object) -> None:
        self._real = real

    def send(self, letter: object) -> str:
        self._real.send(letter)  # type: ignore[attr-defined]
        raise Unavailable("The provider does not answer", hint="Run it again later.")

    def was_sent(self, letter: object) -> object:
        return self._real.was_sent(letter)  # type: ignore[attr-defined]


def test_a_rebuilt_case_knows_what_was_said(
    services: Services, open_services: Open, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    live(services, clock, NOW + timedelta(days=4))
    forget(services)
    client_answers(open_services(), case, "Je suis absent du bureau, de retour lundi.")
    again = open_services()
    poll(again)
    live(again, clock, NOW + timedelta(days=40), hours=6)
    assert kinds(services) == ["quote", "reminder", "reminder", "expiry"]
    forget(services)
    client_answers(open_services(), case, "Je valide")
    last = open_services()
    poll(last)
    assert subtasks(services) == []
    assert waiting(case_of(last, case)) is Waiting.PERSON


def test_new_delays_count_for_open_cases_too(
    services: Services, open_services: Open, photo: Path, clock: Clock
) -> None:
    from dataclasses import replace

    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    poll(services)
    sooner = open_services()
    delays = replace(sooner.directives.delays, quote=(1, 20))
    sooner.directives = replace(sooner.directives, delays=delays)
    clock.time = NOW + timedelta(days=1, hours=8)
    assert poll(sooner).reminders == 1
    later = open_services()
    clock.time = NOW + timedelta(days=11)
    assert poll(later).reminders == 0
    assert when(later, case, "reminder") == ["Tue 03 11:30"]


def test_a_date_that_moved_is_not_looked_at_again_and_again(
    services: Services, photo: Path, clock: Clock
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    services.cases.save(case, unfinished=False, wake_at=NOW)
    assert services.cases.due(NOW) == [case.id]
    poll(services)
    assert services.cases.due(NOW) == []


# --- the digest ----------------------------------------------------------------------------


def digests(services: Services) -> list[EmailMessage]:
    return [one for one in letters(services) if "digest" in str(one["Message-ID"])]


def test_what_waits_for_a_person_is_told_once_a_business_day(
    services: Services, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    workflow.intake(with_photo(ORNATE, photo), services)
    asking, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    workflow.intake(INVOICE, services)
    client_answers(services, asking, "Vous livrez quand ?")
    rounds = live(services, clock, NOW + timedelta(days=7), hours=0.5)
    found = digests(services)
    assert [str(one["Message-ID"]).partition("@")[0] for one in found] == [
        f"<digest.2026110{day}" for day in (2, 3, 4, 5, 6)
    ]
    assert str(found[0]["To"]) == "admin@figurative.example"
    assert str(found[0]["Subject"]) == "À traiter : 2 demandes au lundi 2 novembre 2026"
    text = found[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Ticket 1001 — « Cheminée ornementée », Jean Dupont : à chiffrer\nfigsupport va" in text
    assert "figsupport tickets 1002 --answered" in text
    assert "1003" not in text
    assert sum(done.digest for done in rounds) <= 5


def test_no_digest_when_nothing_waits(services: Services, photo: Path, clock: Clock) -> None:
    workflow.intake(with_photo(ARMCHAIR, photo), services)
    clock.time = NOW + timedelta(hours=8)
    assert poll(services).digest is False
    workflow.intake(with_photo(ORNATE, photo), services)
    assert poll(services).digest is False  # tomorrow
    clock.forward(days=1)
    assert poll(services).digest is True


def test_a_digest_that_failed_is_sent_once_and_not_on_another_day(
    services: Services, open_services: Open, photo: Path, clock: Clock
) -> None:
    workflow.intake(with_photo(ORNATE, photo), services)
    clock.time = NOW + timedelta(hours=8)
    for broken_mail in (Down(services.mail, "send"), Lost(services.mail)):
        broken = open_services()
        broken.mail = broken_mail  # type: ignore[assignment]
        done = polling.poll_pending_tickets(broken)
        assert [name for name, _ in done.errors] == ["digest"]
        assert round_document(done)["errors"][0]["case"] == "digest"
    assert poll(services).digest is True
    assert poll(services).digest is False
    assert len(digests(services)) == 1
    clock.forward(days=1)
    broken = open_services()
    broken.mail = Down(broken.mail, "send")
    polling.poll_pending_tickets(broken)
    clock.forward(days=1)
    poll(services)
    days = [str(one["Message-ID"])[8:16] for one in digests(services)]
    assert days == ["20261102", "20261104"]


def test_a_case_a_provider_holds_up_is_in_the_digest(
    services: Services, open_services: Open, photo: Path, clock: Clock, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Je valide")
    broken = open_services()
    broken.board = Down(broken.board, "create_subtask")
    polling.poll_pending_tickets(broken)
    clock.time = NOW + timedelta(hours=8)
    broken = open_services()
    broken.board = Down(broken.board, "find_subtask")
    polling.poll_pending_tickets(broken)
    (digest,) = digests(services)
    assert "interrompue à l'étape « subtask »" in digest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
