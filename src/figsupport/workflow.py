"""The chain: what is due (pure) → do it through a port → remember it → again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from figsupport import steps
from figsupport.core import decisions, progress
from figsupport.core.acceptance import record_name
from figsupport.core.adoption import adopted
from figsupport.core.assets import joined
from figsupport.core.classify import language
from figsupport.core.compose import compose
from figsupport.core.intake import check_same, identity, new_case
from figsupport.core.model import (
    Case,
    Doing,
    FileFact,
    Letter,
    Message,
    Post,
    PostKind,
    Proof,
    Request,
    SentLetter,
    Step,
    Ticket,
)
from figsupport.core.plan import THINKING, Due, due, settled_at
from figsupport.errors import Bug, Busy, FigsupportError, NotAllowed, NotFound, Settling
from figsupport.ports import SubtaskDraft, TicketDraft
from figsupport.private import trace_file
from figsupport.services import Services

#: Seconds a command waits for another process that works on the same case.
PATIENCE = 30.0


def advance(case: Case, services: Services) -> Case:
    """Do what is due on a case until it waits or is finished. The caller holds its lock.

    Idempotent: `intake`, `validate` and `poll` call it alike. An error leaves the case
    saved as it stands; the next call goes on from there.
    """
    while (step := _next(case, services)) is not None:
        in_doubt = case.adopted or case.doing is not None
        if case.doing is not None:
            _let_settle(case, services)
        elif step.step not in THINKING:
            payload = compose(case, step, services.directives, services.office)
            doing = Doing(step=step.step, key=step.key, payload=payload, since=services.now())
            case = _remember(case.with_(doing=doing), services)
        case = _run(case, step, services, in_doubt=in_doubt)
        case = _remember(_with_cost(case, services), services)
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
            case = _remember(case.told("request taken in", now), services)
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
    case = find_case(ticket_id, services)
    with services.cases.lock(case.id, PATIENCE):
        case, now = services.cases.load(case.id) or case, services.now()
        match verdict:
            case "accept":
                case = decisions.accept(case, credits_, notes, now, most)
            case "quote":
                case = decisions.quote(case, credits_, now, most)
            case "reject":
                case = decisions.reject(case, notes, now)
        return advance(_remember(case, services), services)


def mark_sent(ticket_id: str, services: Services) -> Case:
    """Record that a person sent the drafts of a ticket. Raises NotFound or NotAllowed."""
    case = find_case(ticket_id, services)
    with services.cases.lock(case.id, PATIENCE):
        case = services.cases.load(case.id) or case
        if not case.drafts and due(case, (), services.now()) is None:
            raise NotAllowed(
                f"No letter of the ticket {ticket_id} waits to be sent",
                hint=f"`figsupport tickets {ticket_id}` tells its story.",
            )
        if case.drafts:
            case = _remember(progress.marked_sent(case, services.now()), services)
        return advance(case, services)


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


class Round(NamedTuple):
    """What one round of `poll` did."""

    resumed: int
    replies: int
    validated: int
    rejected: int
    reanalyzed: int
    questions: int
    auto_replies: int
    unclear: int
    strangers: tuple[Message, ...]
    errors: tuple[tuple[str, FigsupportError], ...]
    touched: tuple[Case, ...]


class Turn(NamedTuple):
    """A case had its turn: as it was before (None: nothing was done), and what went wrong."""

    before: Case | None = None
    error: FigsupportError | None = None


#: What is done with a case that is due.
GiveTurn = Callable[[str, Services], Turn]


def advance_case(case_id: str, services: Services) -> Turn:
    """Go on with a case from where the journal has it, unless another process is on it.

    What fails is told and stays with its case: one hostile mail stops one case only.
    """
    before = None
    try:
        with services.cases.lock(case_id):
            before = services.cases.load(case_id)
            if before is not None:
                advance(before, services)
    except Busy:
        return Turn()  # whoever holds the lock is doing the work
    except FigsupportError as error:
        return Turn(before, error)
    except Exception as error:
        return Turn(before, _bug(error))
    return Turn(before)


def poll_pending_tickets(services: Services, give_turn: GiveTurn = advance_case) -> Round:
    """Read new replies and resume unfinished cases, once. Raises Busy when another poll runs.

    A fleet's `give_turn` hands a case to its workers.
    """
    errors: list[tuple[str, FigsupportError]] = []
    with services.cases.lock("poll"):
        strangers = _collect(services, errors)
        turns = {one: give_turn(one, services) for one in services.cases.due(services.now())}
    return tally(turns, services, strangers, errors)


def find_case(ticket_id: str, services: Services) -> Case:
    """Return the case of a ticket, rebuilt from the desk when it is not here. Raises NotFound."""
    case = services.cases.by_ticket(ticket_id)
    if case is None:
        ticket = services.desk.get_ticket(ticket_id)
        messages = services.desk.get_messages_for_ticket(ticket.ref.id)
        rebuilt = adopted(ticket, messages, services.now())
        with services.cases.lock(rebuilt.id, PATIENCE):
            case = services.cases.load(rebuilt.id)
            if case is None or case.ticket is None:
                case = _remember(rebuilt, services)
            elif case.ticket.id != ticket.ref.id:  # merged into another ticket
                case = case.with_(ticket=ticket.ref, contact=ticket.contact)
                case = _remember(case.told(f"now ticket {ticket.ref.id}", services.now()), services)
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


def _collect(services: Services, errors: list[tuple[str, FigsupportError]]) -> tuple[Message, ...]:
    """Bring new messages into the inbox; return those that belong to no ticket."""
    cases = services.cases
    try:
        cases.receive(services.desk.new_messages(cases.watermark(), cases.ticket_of))
    except FigsupportError as error:
        errors.append(("desk", error))
    strangers = []
    for message in cases.strangers():
        try:
            if message.ticket_id is None:
                raise NotFound("The mail names no ticket")
            if _is_ours(services.desk.get_ticket(message.ticket_id)):
                find_case(message.ticket_id, services)
            else:
                cases.set_aside(message.id)
        except NotFound:
            strangers.append(message)
            cases.set_aside(message.id)
        except FigsupportError as error:
            errors.append((f"ticket {message.ticket_id}", error))
    return tuple(strangers)


def _is_ours(ticket: Ticket) -> bool:
    """Tell a ticket that figsupport (or the system before it) opened from any other."""
    return bool(ticket.key or ticket.properties.get("validation_status"))


def _bug(error: Exception) -> Bug:
    return Bug(
        f"This is a bug in figsupport: {type(error).__name__}",
        hint=f"The trace is in {trace_file(error)}; send it with your report.",
    )


def _next(case: Case, services: Services) -> Due | None:
    now = services.now()
    step = due(case, (), now)
    if step is None and case.ticket is not None:
        return due(case, services.cases.inbox(case.ticket.id), now)
    return step


def _remember(case: Case, services: Services) -> Case:
    unfinished = due(case, (), services.now()) is not None
    # a provider that cannot find a call again must not be called twice: the intent goes
    # to disk before the call
    durable = case.doing is not None and case.doing.step in (Step.SUBTASK, Step.POST)
    services.cases.save(case, unfinished=unfinished, durable=durable)
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
    way = steps.send_email_to_contact(letter, services.mail, in_doubt=in_doubt)
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


def _ticket_id(case: Case) -> str:
    assert case.ticket is not None  # noqa: S101 — the plan opens the ticket first
    return case.ticket.id


def tally(
    turns: Mapping[str, Turn],
    services: Services,
    strangers: tuple[Message, ...] = (),
    errors: Sequence[tuple[str, FigsupportError]] = (),
) -> Round:
    """Count what changed between the cases as they were and as they are."""
    before = {case_id: turn.before for case_id, turn in turns.items() if turn.before is not None}
    after = [case for case_id in before if (case := services.cases.load(case_id)) is not None]
    failed = [(case_id, turn.error) for case_id, turn in turns.items() if turn.error is not None]
    new = [reply for case in after for reply in case.replies[len(before[case.id].replies) :]]
    intents = [reply.intent for reply in new]
    became = [
        case.validation_status
        for case in after
        if case.validation_status != before[case.id].validation_status
    ]
    return Round(
        resumed=sum(
            1
            for case in after
            if case != before[case.id] and due(before[case.id], (), case.created_at) is not None
        ),
        replies=len(new),
        validated=became.count("validated"),
        rejected=became.count("rejected"),
        reanalyzed=sum(1 for case in after if case.request != before[case.id].request),
        questions=intents.count("question"),
        auto_replies=intents.count("auto_reply"),
        unclear=intents.count("unclear"),
        strangers=strangers,
        errors=(*errors, *failed),
        touched=tuple(after),
    )
