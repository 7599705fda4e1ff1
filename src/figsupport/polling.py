"""A round: read new replies, give every case that is due its turn, then what a day brings."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from figsupport import keeping
from figsupport.core.events import PollDone
from figsupport.core.model import Case, Message
from figsupport.core.round import Round, tally
from figsupport.digest import send_digest
from figsupport.errors import Bug, Busy, FigsupportError, NotFound, Settling, code_of
from figsupport.private import trace_file
from figsupport.services import Services
from figsupport.workflow import PATIENCE, advance, find_case, is_ours, remember


class Turn(NamedTuple):
    """A case had its turn: as it was before (None: nothing was done), and what went wrong."""

    before: Case | None = None
    error: FigsupportError | None = None


#: What is done with a case that is due; the flag: the clients' mail was just read.
GiveTurn = Callable[[str, Services, bool], Turn]


def advance_case(case_id: str, services: Services, heard: bool) -> Turn:
    """Go on with a case from where the journal has it, unless another process is on it.

    What fails is told and stays with its case: one hostile mail stops one case only. `heard`: see
    `advance`.
    """
    before = None
    try:
        with services.cases.lock(case_id):
            before = services.cases.load(case_id)
            if before is not None and advance(before, services, heard=heard) == before:
                remember(before, services)  # nothing was due: its date has moved
    except Busy:
        return Turn()  # whoever holds the lock is doing the work
    except FigsupportError as error:
        return Turn(before, error)
    except Exception as error:
        return Turn(before, _bug(error))
    return Turn(before)


def poll_pending_tickets(
    services: Services,
    give_turn: GiveTurn = advance_case,
    failing: Callable[[], Sequence[str]] = tuple,
) -> Round:
    """Read new replies and resume unfinished cases, once. Raises Busy when another poll runs.

    A fleet's `give_turn` hands a case to its workers; with which codes the last turns of cases
    failed there, `failing` tells listeners of the round.
    """
    began = time.perf_counter()
    try:
        done = _round(services, give_turn)
    except Busy:  # the other one tells
        raise
    except Exception as error:
        services.tell(PollDone(time.perf_counter() - began, (code_of(error),)))
        raise
    codes = tuple(error.code for _, error in done.errors if not isinstance(error, Settling))
    codes += tuple(failing())
    services.tell(PollDone(time.perf_counter() - began, codes, len(done.strangers)))
    return done


def _round(services: Services, give_turn: GiveTurn) -> Round:
    errors: list[tuple[str, FigsupportError]] = []
    digest = False
    with services.cases.lock("poll"):
        _follow_delays(services)
        strangers = _collect(services, errors)
        heard = "desk" not in dict(errors)
        due = services.cases.due(services.now())
        turns = {case_id: give_turn(case_id, services, heard) for case_id in due}
        try:
            digest = send_digest(services)
        except FigsupportError as error:
            errors.append(("digest", error))
        forgotten = keeping.retire(services, errors)
        keeping.retire_strangers(services, errors)
    done = round_of(turns, services, strangers, errors)
    return done._replace(digest=digest, forgotten=forgotten)


def round_of(
    turns: Mapping[str, Turn],
    services: Services,
    strangers: tuple[Message, ...] = (),
    errors: Sequence[tuple[str, FigsupportError]] = (),
) -> Round:
    """Return what the turns of cases came to, beside what went wrong elsewhere."""
    before = {case_id: turn.before for case_id, turn in turns.items() if turn.before is not None}
    after = [case for case_id in before if (case := services.cases.load(case_id)) is not None]
    failed = [(case_id, turn.error) for case_id, turn in turns.items() if turn.error is not None]
    return tally(before, after, strangers, (*errors, *failed))


def _collect(services: Services, errors: list[tuple[str, FigsupportError]]) -> tuple[Message, ...]:
    """Bring new messages into the inbox; return those that belong to no ticket."""
    cases = services.cases
    try:
        news = services.desk.new_messages(cases.watermark(), cases.ticket_of)
        cases.receive(news, services.now())
    except FigsupportError as error:
        errors.append(("desk", error))
    strangers = []
    for message in cases.strangers():
        try:
            if message.ticket_id is None:
                raise NotFound("The mail names no ticket")
            if is_ours(services.desk.get_ticket(message.ticket_id)):
                find_case(message.ticket_id, services)
            else:
                cases.set_aside(message.id)
        except NotFound:
            strangers.append(message)
            cases.set_aside(message.id, waits=True)
        except FigsupportError as error:
            errors.append((f"ticket {message.ticket_id}", error))
    return tuple(strangers)


def _follow_delays(services: Services) -> None:
    """Give the open cases new dates when `delais.md` has changed since they got theirs."""
    said = repr(services.directives.delays)
    if services.cases.recall("delays") == said:
        return
    for found in services.cases.open_cases():
        try:
            with services.cases.lock(found.id, PATIENCE):  # a fleet is never at rest
                if (case := services.cases.load(found.id)) is not None:
                    remember(case, services)
        except Busy:
            return  # the next round begins again
    services.cases.keep("delays", said)


def _bug(error: Exception) -> Bug:
    return Bug(
        f"This is a bug in figsupport: {type(error).__name__}",
        hint=f"The trace is in {trace_file(error)}; send it with your report.",
    )
