"""The chain: what is due (pure) → do it through a port → remember it → again."""

import time
from typing import Any, Literal

from figsupport import steps
from figsupport.core import dates, decisions, progress
from figsupport.core.acceptance import record_name
from figsupport.core.adoption import adopted, case_id_of
from figsupport.core.assets import joined
from figsupport.core.classify import language
from figsupport.core.compose import compose
from figsupport.core.events import StepDone
from figsupport.core.intake import check_same, identity, new_case
from figsupport.core.model import (
    Case,
    Doing,
    FileFact,
    Letter,
    Post,
    PostKind,
    Proof,
    Request,
    SentLetter,
    Step,
    Ticket,
)
from figsupport.core.plan import THINKING, Due, due, port_of, settled_at, wake_at
from figsupport.errors import NotAllowed, NotFound, Settling, code_of
from figsupport.ports import SubtaskDraft, TicketDraft
from figsupport.services import Services

#: Seconds a command waits for another process that works on the same case.
PATIENCE = 30.0


def advance(case: Case, services: Services, *, heard: bool = False) -> Case:
    """Do what is due on a case until it waits or is finished. The caller holds its lock.

    Idempotent: `intake`, `validate` and `poll` call it alike. An error leaves the case
    saved as it stands; the next call goes on from there. `heard`: the clients' mail was just
    read; only then is silence a reason to write.
    """
    if case.erased is not None:
        raise NotAllowed(
            f"The client of the case {case.id} asked to be forgotten; nothing is done on it",
            hint="If `figsupport erase` was interrupted, run it again; it goes on from there. "
            "A new request needs a new request_id.",
        )
    ours = False  # whether the saved intent is of this run: nobody can have acted on it
    while (step := next_step(case, services, heard=heard)) is not None:
        if case.doing is not None and case.doing.key != step.key:
            case = progress.put_back(case)
        resumed = case.doing is not None and not ours
        in_doubt = case.adopted or resumed or (step.post is not None and step.post.begun)
        if resumed:
            _let_settle(case, services)
        elif case.doing is None and step.step not in THINKING:
            case = remember(_intending(case, step, services), services)
        case = _carry_out(case, step, services, in_doubt=in_doubt, heard=heard)
        ours = True
    return case


def intake(given: Request | Case, services: Services) -> tuple[Case, bool]:
    """Take a request in; return its case and whether its ticket is new.

    From a given case only what was judged and stored counts (classification, files,
    analysis); for ticket, mails and status the saved case wins.
    """
    request = given.request if isinstance(given, Case) else given
    cases, now = services.cases, services.now()
    case_id = identity(request, cases.newest(request.fingerprint()), now)
    with cases.lock(case_id, PATIENCE):
        case = cases.load(case_id)
        if case is None:
            case = new_case(case_id, request, language(request), now)
            if isinstance(given, Case):
                case = case.with_(
                    classification=given.classification,
                    files=given.files,
                    analysis=given.analysis,
                    cost=given.cost,
                )
            case = remember(case.told("request taken in", now), services)
        else:
            check_same(case, request)
        had_ticket = case.ticket is not None
        case = advance(case, services)
    return case, not had_ticket and not case.adopted


Verdict = Literal["accept", "reject", "quote"]


def process_validation(
    ticket_id: str, services: Services, verdict: Verdict, credits_: int = 0, notes: str = ""
) -> Case:
    """Record an administrator's decision on a ticket and carry it out.

    Raises NotFound, NotAllowed (saying what stands) or Busy.
    """
    most = services.settings.figsupport_max_credits
    known = find_case(ticket_id, services)
    with services.cases.lock(known.id, PATIENCE):
        case, now = _current(known, services), services.now()
        match verdict:
            case "accept":
                case = decisions.accept(case, credits_, notes, now, most)
            case "quote":
                case = decisions.quote(case, credits_, now, most)
            case "reject":
                case = decisions.reject(case, notes, now)
        return advance(remember(case, services), services)


def mark_sent(ticket_id: str, services: Services) -> Case:
    """Record that a person sent the drafts of a ticket. Raises NotFound or NotAllowed."""
    known = find_case(ticket_id, services)
    with services.cases.lock(known.id, PATIENCE):
        case = _current(known, services)
        if not case.drafts and due(case, (), services.now()) is None:
            raise NotAllowed(
                f"No letter of the ticket {ticket_id} waits to be sent",
                hint=f"`figsupport tickets {ticket_id}` tells its story.",
            )
        if case.drafts:
            case = remember(progress.marked_sent(case, services.now()), services)
        return advance(case, services)


def mark_answered(ticket_id: str, services: Services) -> Case:
    """Record that a person has answered the client by hand. Raises NotFound or NotAllowed."""
    case = find_case(ticket_id, services)
    with services.cases.lock(case.id, PATIENCE):
        case = services.cases.load(case.id) or case
        if case.asked is None:
            raise NotAllowed(
                f"No message of the client waits for an answer on the ticket {ticket_id}",
                hint=f"`figsupport tickets {ticket_id}` tells its story.",
            )
        return advance(
            remember(progress.answered_by_hand(case, services.now()), services), services
        )


Part = Literal["classify", "upload", "analyze"]


def work_on(given: Request | Case, services: Services, part: Part) -> Case:
    """Return the case with one part added, unless it is there; nothing is saved.

    `analyze` classifies first when nobody has, and looks at files that are not stored yet
    without storing them.
    """
    now = services.now()
    if isinstance(given, Case):
        case = given
    else:
        case = new_case(identity(given, None, now), given, language(given), now)
    if part == "upload":
        files = (*case.files, *_upload(case, services))
        return case.with_(files=joined(files, case.language))
    if case.classification is None:
        case = case.with_(classification=steps.classify_request(case.request, services.judge))
    modelling = case.classification is not None and case.classification.type == "MODELISATION"
    if part == "analyze" and modelling and case.analysis is None:
        files = case.files + steps.look_at_files(
            case.request.fichiers[len(case.files) :],
            services.bring(case.language),
            services.recognise(case.language),
        )
        files = joined(files, case.language)
        analysis = steps.analyze_request(case.request, files, services.judge)
        case = case.with_(analysis=analysis)
    return _with_cost(case, services)


def letter_of(case: Case, services: Services) -> Letter | None:
    """Return the letter that the analysis of a case leads to, or None without analysis."""
    if case.analysis is None:
        return None
    case = progress.analyzed(case, case.analysis, services.now())
    post = case.outbox[-1]
    step = Due(Step.POST, f"{case.id}:{post.key}", post)
    return Letter.model_validate(compose(case, step, services.directives, services.office))


def find_case(ticket_id: str, services: Services) -> Case:
    """Return the case of a ticket, rebuilt from the desk when it is not here. Raises NotFound."""
    case = services.cases.by_ticket(ticket_id)
    if case is None:
        ticket = services.desk.get_ticket(ticket_id)
        with services.cases.lock(case_id_of(ticket), PATIENCE):
            # asked for under the lock: who erases a client holds it
            messages = services.desk.get_messages_for_ticket(ticket.ref.id)
            case = services.cases.load(case_id_of(ticket))
            if case is None or case.ticket is None:
                case = remember(adopted(ticket, messages, services.now()), services)
            elif case.ticket.id != ticket.ref.id:  # merged into another ticket
                case = case.with_(ticket=ticket.ref, contact=ticket.contact)
                case = remember(case.told(f"now ticket {ticket.ref.id}", services.now()), services)
    return case


def _current(known: Case, services: Services) -> Case:
    """Return a case as it stands now that we hold its lock. Raises NotFound."""
    case = services.cases.load(known.id)
    if case is None or case.erased is not None:
        raise NotFound(
            "There is no such ticket any more: its client is forgotten",
            hint="`figsupport tickets` lists the open ones.",
        )
    return case


def proof_of(ticket_id: str, services: Services) -> tuple[Case, Proof, bytes]:
    """Return the case of a ticket and the stored record of its acceptance. Raises NotFound.

    A case that was rebuilt from the desk has lost the hash, not the record: it is found by
    the mails that may have accepted.
    """
    case = find_case(ticket_id, services)
    names = [record_name(reply.message_id) for reply in reversed(case.replies)]
    proofs = [case.proof] if case.proof else [Proof(name=name) for name in names]
    for proof in proofs:
        try:
            return case, proof, steps.read_text(case.id, proof.name, services.store)
        except NotFound:
            continue
    raise NotFound(
        f"There is no record of an acceptance of ticket {ticket_id}",
        hint="Only a client's acceptance leaves one; `figsupport tickets` tells how a case stands.",
    )


def is_ours(ticket: Ticket) -> bool:
    """Tell a ticket that figsupport (or the system before it) opened from any other."""
    return bool(ticket.key or ticket.properties.get("validation_status"))


def next_step(case: Case, services: Services, *, heard: bool) -> Due | None:
    """Return what is due on a case, its unread mail included; see `advance` for `heard`."""
    now, delays = services.now(), services.directives.delays
    step = due(case, (), now, delays)
    if case.ticket is not None and (step is None or step.step is Step.WAKE):
        step = due(case, services.cases.inbox(case.ticket.id), now, delays)
    if step is not None and step.step is Step.WAKE and not heard:
        return None
    return step


def remember(case: Case, services: Services) -> Case:
    """Save a case, and when it will be due again."""
    now, delays = services.now(), services.directives.delays
    # an erasure that was interrupted stays on the list until it is run again
    unfinished = case.erased is not None or due(case, (), now, delays) is not None
    # a provider that cannot find a call again must not be called twice: the intent goes
    # to disk before the call
    durable = case.doing is not None and case.doing.step in (Step.SUBTASK, Step.POST)
    wake = wake_at(case, now, delays)
    services.cases.save(case, unfinished=unfinished, wake_at=wake, durable=durable)
    return case


def _intending(case: Case, step: Due, services: Services) -> Case:
    payload = compose(case, step, services.directives, services.office)
    doing = Doing(step=step.step, key=step.key, payload=payload, since=services.now())
    return case.with_(doing=doing)


def _foreseeing(case: Case, services: Services, *, heard: bool) -> Case:
    """Add the intent of the next step to a result: one save holds both, or neither.

    A next step that cannot be prepared fails in its own turn, when the result is saved.
    """
    try:
        step = next_step(case, services, heard=heard)
        if step is None or step.step in THINKING:
            return case
        return _intending(case, step, services)
    except Exception:
        return case


def _let_settle(case: Case, services: Services) -> None:
    """Wait, as a state in the journal, while a lost call may still be applied."""
    if case.doing is None or case.doing.step is not Step.SUBTASK:
        return
    until = settled_at(case, services.board.settle)
    if until is not None and services.now() < until:
        raise Settling(
            "The answer of the production board was lost; it may still apply the call",
            until=until,
            hint="`figsupport poll` looks again and goes on: nothing will be doubled.",
        )


def _carry_out(case: Case, step: Due, services: Services, *, in_doubt: bool, heard: bool) -> Case:
    """Carry out one step, save its result and the next intent, and tell who listens."""
    provider = getattr(services.adapters, port_of(step))
    ticket = case.ticket.id if case.ticket else None
    began = time.perf_counter()
    try:
        case = _with_cost(_run(case, step, services, in_doubt=in_doubt), services)
        case = remember(_foreseeing(case, services, heard=heard), services)
    except Exception as error:
        code, seconds = code_of(error), time.perf_counter() - began
        services.tell(StepDone(case.reference, ticket, step.step, provider, seconds, code))
        raise
    done = StepDone(case.reference, ticket, step.step, provider, time.perf_counter() - began)
    if step.step is Step.READ:
        reply = case.replies[-1]
        done = done._replace(intent=reply.intent, guard=reply.guard)
    services.tell(done)
    return case


def _run(case: Case, step: Due, services: Services, *, in_doubt: bool) -> Case:
    """Carry out one step through one port and return the case with its result."""
    now = services.now()
    payload: dict[str, Any] = case.doing.payload if case.doing else {}
    case = case.with_(doing=None)
    match step.step:
        case Step.CLASSIFY:
            return progress.classified(
                case, steps.classify_request(case.request, services.judge), now
            )
        case Step.UPLOAD:
            return progress.uploaded(case, _upload(case, services), now)
        case Step.CONTACT:
            contact = steps.find_or_create_contact(payload["email"], payload["name"], services.desk)
            return progress.contact_found(case, contact, now)
        case Step.TICKET:
            return _open_ticket(case, TicketDraft(**payload), services, in_doubt=in_doubt)
        case Step.ANALYZE:
            analysis = case.analysis or steps.analyze_request(
                case.request, case.files, services.judge
            )
            return progress.analyzed(case, analysis, now)
        case Step.UPDATE:
            steps.update_ticket_property(_ticket_id(case), payload, services.desk)
            return progress.updated(case, payload, now)
        case Step.PROOF:
            return _store_proof(case, payload, services)
        case Step.SUBTASK:
            subtask = steps.create_subtask(
                SubtaskDraft(**payload), services.board, in_doubt=in_doubt
            )
            return progress.subtask_created(case, subtask, now)
        case Step.POST:
            return _post(case, step.post or case.outbox[0], payload, services, in_doubt=in_doubt)
        case Step.READ:
            assert step.message is not None  # noqa: S101 — the plan gives a message to read
            reply = steps.read_reply(step.message, case, services.judge)
            return progress.answered(case, step.message, reply, now)
        case Step.WAKE:
            return _wake(case, services)


def _with_cost(case: Case, services: Services) -> Case:
    spent = services.spent()
    if spent is None:
        return case
    return case.with_(cost=case.cost + spent if case.cost else spent)


def _upload(case: Case, services: Services) -> tuple[FileFact, ...]:
    done = len(case.files)
    return steps.upload_files(
        case.id,
        case.request.fichiers[done:],
        services.store,
        services.bring(case.language),
        services.recognise(case.language),
        beside=services.beside(case.request.fichiers),
        first=done + 1,
    )


def _store_proof(case: Case, payload: dict[str, Any], services: Services) -> Case:
    name = payload["name"]
    stored = steps.store_text(case.id, name, payload["text"], services.store)
    proof = Proof(name=name, url=stored.url, sha256=stored.sha256)
    return progress.proof_stored(case, proof, services.now())


def _open_ticket(case: Case, draft: TicketDraft, services: Services, *, in_doubt: bool) -> Case:
    ref, new = steps.create_ticket(draft, services.desk, in_doubt=in_doubt)
    if not new:
        ticket = services.desk.get_ticket(ref.id)
        if ticket.properties.get("validation_status"):  # worked on before, from elsewhere
            messages = services.desk.get_messages_for_ticket(ref.id)
            return adopted(ticket, messages, services.now(), case)
    return progress.ticket_opened(case, ref, draft.properties, services.now())


def _post(
    case: Case, post: Post, payload: dict[str, Any], services: Services, *, in_doubt: bool
) -> Case:
    now, key = services.now(), f"{case.id}:{post.key}"
    if post.kind is PostKind.NOTE:
        steps.add_note(_ticket_id(case), key, payload["text"], services.desk, in_doubt=in_doubt)
        return progress.noted(case, now)
    if post.kind is PostKind.RECORD:
        sent = SentLetter.model_validate(payload)
        steps.record_letter(_ticket_id(case), key, sent, services.desk, in_doubt=in_doubt)
        return progress.noted(case, now)
    letter = Letter.model_validate(payload)
    if not dates.is_moot(case, post):
        way = steps.send_email_to_contact(letter, services.mail, in_doubt=in_doubt)
    elif not in_doubt or (found := services.mail.was_sent(letter)) is None:
        return progress.withdrawn(case, now)
    else:
        way = found
    sent = SentLetter(
        kind=letter.kind,
        key=letter.key,
        message_id=letter.message_id,
        to=letter.to,
        subject=letter.subject,
        text=letter.text,
        sent_at=now,
        credits=case.credits_estimes if letter.kind == "quote" else None,
        way=way,
    )
    return progress.letter_sent(case, sent, now)


def _wake(case: Case, services: Services) -> Case:
    """Decide what a date makes due; two cases of one client never decide at once."""
    with services.cases.lock("reminders", PATIENCE):
        others = services.cases.of_contact(case.request.user_email)
        delays = services.directives.delays
        return remember(progress.woken(case, others, services.now(), delays), services)


def _ticket_id(case: Case) -> str:
    assert case.ticket is not None  # noqa: S101 — the plan opens the ticket first
    return case.ticket.id
