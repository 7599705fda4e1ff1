"""The commands on tickets: `validate`, `poll`, `tickets`, `reply`."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from figsupport import polling, workflow
from figsupport.commands.answers import Answer, Answers, Options, gravest, open_services
from figsupport.commands.documents import (
    NOTHING,
    case_line,
    coming_document,
    mail_document,
    round_document,
    validation_document,
)
from figsupport.core.dates import Coming, coming
from figsupport.core.model import Case
from figsupport.core.plan import Waiting, waiting
from figsupport.core.round import Round
from figsupport.errors import Busy, Misconfigured, NotFound, Settling, Unavailable
from figsupport.services import Services


def validate(
    options: Options, ticket: str, verdict: workflow.Verdict, credits_: int, notes: str
) -> Answer:
    """Record an administrator's decision and carry it out."""
    services = open_services(options)
    case = workflow.process_validation(ticket, services, verdict, credits_, notes)
    return Answer(validation_document(case, verdict), "validation", (case, verdict))


def poll(options: Options, interval: float | None) -> Answer | Answers:
    """Do one round, or a round every so many seconds until stopped."""
    services = open_services(options)
    if interval is None:
        return _round(services)
    return Answers(_rounds(services, interval))


def _rounds(services: Services, interval: float) -> Iterator[Answer]:
    while True:
        try:
            yield _round(services)
        except Unavailable as error:  # the next round tries again
            yield Answer(error.document(), "failed", (error,), error.exit_code)
        time.sleep(interval)


def _round(services: Services) -> Answer:
    try:
        done = polling.poll_pending_tickets(services)
    except Busy:
        return Answer({**NOTHING, "busy": True}, "busy", unremarkable=True)
    return round_answer(done, services.calls())


def round_answer(done: Round, calls: dict[str, int]) -> Answer:
    """Return what is printed of a round; `calls`: how many each provider got."""
    document = {**round_document(done), "calls": calls}
    return Answer(document, "round", (done,), _round_exit(done), not _needs_person(done))


def _needs_person(done: Round) -> bool:
    told = done.questions or done.unclear or done.strangers or done.errors
    waits = (Waiting.ADMINISTRATOR, Waiting.DRAFT, Waiting.PERSON)
    return bool(told) or any(waiting(case) in waits for case in done.touched)


def _round_exit(done: Round) -> int:
    return gravest(error.exit_code for _, error in done.errors if not isinstance(error, Settling))


def tickets(options: Options, ticket: str | None, sent: bool, answered: bool) -> Answer:
    """List the open cases, or one case.

    `sent`: a person has sent its drafts; `answered`: a person has answered the client by hand.
    """
    services = open_services(options)
    if ticket is None:
        cases = [(case, _coming(case, services)) for case in services.cases.open_cases()]
        lines = [case_line(case, next_) for case, next_ in cases]
        return Answer(lines, "tickets", (cases, services.now()))
    if answered:
        return _case(workflow.mark_answered(ticket, services), services)
    if sent:
        return _case(workflow.mark_sent(ticket, services), services)
    case = services.cases.by_ticket(ticket) or services.cases.load(ticket)
    if case is None:
        raise NotFound(
            f"There is no ticket {ticket} here",
            hint="`figsupport tickets` lists the open ones; `figsupport poll` brings in others.",
        )
    return _case(case, services)


def mails(options: Options, ids: Sequence[str], answered: bool) -> Answer:
    """List the mails that belong to no request and wait for a person, or only those named.

    `answered`: a person has seen to those that are listed.
    """
    services = open_services(options)
    waiting_ = {mail.id: mail for mail in services.cases.waiting_mails()}
    if unknown := [one for one in ids if one not in waiting_]:
        raise NotFound(
            f"No such mail waits: {', '.join(unknown)}", hint="`figsupport mails` lists them."
        )
    found = [waiting_[one] for one in ids or waiting_]
    if answered:
        for mail in found:
            services.cases.set_aside(mail.id)
    return Answer([mail_document(mail) for mail in found], "mails", (found, answered))


def _case(case: Case, services: Services) -> Answer:
    found = _coming(case, services)
    document = {**case.model_dump(mode="json"), "coming": coming_document(found)}
    return Answer(document, "case", (case, found))


def _coming(case: Case, services: Services) -> Coming | None:
    """What a date makes due next, in the time of the place where we work."""
    delays = services.directives.delays
    found = coming(case, services.now(), delays)
    return found and found._replace(at=found.at.astimezone(delays.zone))


def proof(options: Options, ticket: str) -> Answer:
    """Show the record of a client's acceptance, and whether it still holds."""
    from figsupport.core import acceptance

    case, found, stored = workflow.proof_of(ticket, open_services(options))
    checks = list(acceptance.check(stored, case))
    holds = all(one.holds for one in checks)
    document = {
        "ticket": ticket,
        "holds": holds,
        "checks": [one._asdict() for one in checks],
        "sha256": found.sha256,
        "url": found.url,
        "record": json.loads(stored) if holds else stored.decode("utf-8", "replace"),
    }
    return Answer(document, "proof", (case, document), 0 if holds else 65)


def reply(options: Options, ticket: str, text: str | None, eml: Path | None) -> Answer:
    """Play the client: put a mail into the inbox of the embedded desk."""
    from figsupport.adapters import playing

    services = open_services(options)
    if services.adapters.desk != "local":
        raise Misconfigured(
            "`reply` plays the client on the embedded desk only",
            hint="On a live desk the client answers by e-mail; then run `figsupport poll`.",
        )
    case = workflow.find_case(ticket, services)
    raw = playing.as_mail(case, services.now(), services.office.sender, text, eml)
    message = playing.deliver(raw, services.settings.home / "mail", services.now())
    message = message.model_copy(update={"ticket_id": ticket})
    return Answer(message.model_dump(mode="json"), "reply", (case, message))
