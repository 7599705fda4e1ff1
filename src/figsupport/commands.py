"""What each command does: read its input, make one call, return an Answer. Prints nothing."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from figsupport import settings as settings_
from figsupport import workflow
from figsupport.core.intake import is_case, parse_case, parse_json, parse_request
from figsupport.core.model import Case, Language, Request
from figsupport.core.plan import Waiting, waiting
from figsupport.core.scoring import Thresholds, missed
from figsupport.errors import (
    Busy,
    FigsupportError,
    InvalidRequest,
    Misconfigured,
    NotFound,
    Problem,
    Settling,
    Unavailable,
)
from figsupport.services import Services

#: Exit codes, the gravest first, for what answers for many.
GRAVITY = (1, 78, 77, 75, 65, 66, 69, 0)


class Options(Protocol):
    """The global options of one run."""

    json: bool | None
    dry_run: bool
    verbose: int
    quiet: bool
    env_file: Path | None
    notice: str

    def moved(self, name: str, done: int, total: int) -> None:
        """Show how far a large file is on its way to the store."""
        ...

    def warn(self, sentence: str) -> None:
        """Say at once, on standard error, what the run has to do without."""
        ...


class Answer(NamedTuple):
    """What a command returns: one JSON document, and what people are shown instead.

    `view` names a function of `output`; it is called with `shown`.
    """

    document: dict[str, Any] | list[Any]
    view: str
    shown: tuple[Any, ...] = ()
    exit_code: int = 0
    unremarkable: bool = False  # nothing in it needs a person: -q leaves it out


class Answers(NamedTuple):
    """Many answers, one a line, as they come; `total` when it is known."""

    each: Iterator[Answer]
    total: int | None = None


class Given(NamedTuple):
    """One document of the input: a request or a case, and its number."""

    document: Request | Case
    number: int


def gravest(codes: Iterable[int]) -> int:
    """Return the gravest of several exit codes."""
    return min(codes, key=GRAVITY.index, default=0)


# --- requests -----------------------------------------------------------------------------


def intake(options: Options, argument: str) -> Answer | Answers:
    """Take requests in."""
    return _for_each(options, argument, _intake)


def _intake(given: Request | Case, services: Services) -> Answer:
    case, new = workflow.intake(given, services)
    return Answer(intake_document(case, new), "intake", (case, new))


def intake_document(case: Case, new: bool) -> dict[str, Any]:
    """Return the document that `intake` prints and the webhook answers."""
    support = case.classification is not None and case.classification.type == "SUPPORT"
    message = "Ticket support créé" if support else _CREATED
    if case.drafts:
        message += " ; lettre NON ENVOYÉE, laissée en brouillon sur le ticket"
    return {
        "status": "done" if support else "pending_validation",
        "ticket_id": case.ticket.id if case.ticket else None,
        "ticket_url": case.ticket.url if case.ticket else None,
        "is_new_ticket": new,
        "classification": case.classification.type if case.classification else None,
        "files_uploaded": sum(1 for file in case.files if file.url),
        "validation_status": case.validation_status,
        "credits_estimes": case.credits_estimes,
        "message": message,
        "request_id": case.id,
    }


_CREATED = "Ticket modélisation créé, en attente de validation"


def classify(options: Options, argument: str) -> Answer | Answers:
    """Classify requests; saves nothing."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "classify"))


def upload(options: Options, argument: str) -> Answer | Answers:
    """Store the files of requests; saves no case."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "upload"))


def analyze(options: Options, argument: str) -> Answer | Answers:
    """Analyse requests; saves nothing, touches no desk."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "analyze"))


def _part(given: Request | Case, services: Services, part: workflow.Part) -> Answer:
    case = workflow.work_on(given, services, part)
    document = case.model_dump(mode="json")
    letter = workflow.letter_of(case, services) if part == "analyze" else None
    if letter is not None:
        document["letter"] = letter.model_dump(mode="json")
    return Answer(document, part, (case, letter))


def _for_each(
    options: Options, argument: str, work: Callable[[Request | Case, Services], Answer]
) -> Answer | Answers:
    """Do the work for the one document of the argument, or for each line of JSON Lines."""
    services = open_services(options)
    folder, text = _read(argument, services)
    lines = _json_lines(text)
    if lines is None:
        return work(_parse(text, folder, services), services)
    services.moved = None  # one bar is enough
    return Answers(_each(lines, folder, services, work), len(lines))


def _each(
    lines: list[tuple[int, str]],
    folder: Path,
    services: Services,
    work: Callable[[Request | Case, Services], Answer],
) -> Iterator[Answer]:
    for number, line in lines:
        try:
            yield work(_parse(line, folder, services), services)._replace(view="line")
        except Misconfigured:
            raise
        except FigsupportError as error:
            document = {**error.document(), "line": number}
            yield Answer(document, "failed", (error, number), error.exit_code)


def _read(argument: str, services: Services) -> tuple[Path, str]:
    """Return the text of a REQUEST argument and the folder its paths are relative to."""
    if argument.lstrip().startswith("{"):
        return Path.cwd(), argument
    if argument == "-":
        return Path.cwd(), _decoded(sys.stdin.buffer.read(), "standard input")
    path = Path(argument)
    if not path.is_file():
        raise NotFound(
            f"There is no file {argument}",
            hint="REQUEST is a path, - for standard input, or a JSON object.",
        )
    return path.resolve().parent, _decoded(path.read_bytes(), argument)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"{name} is not UTF-8 text (byte {error.start})",
            hint="Save the file as UTF-8 and try again.",
        ) from None


def _json_lines(text: str) -> list[tuple[int, str]] | None:
    """Return the numbered lines when the text is JSON Lines, None when it is one document."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    whole = any(_is_object(line) for _, line in lines[:3])
    return lines if len(lines) > 1 and whole else None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parse(text: str, folder: Path, services: Services) -> Request | Case:
    limits = services.settings.limits
    document = parse_json(text, limits)
    if is_case(document):
        return parse_case(document, limits)
    request = parse_request(document, limits)
    return _with_local_files(request, folder, limits.file_size)


def _with_local_files(request: Request, folder: Path, most: int) -> Request:
    """Make paths absolute, so that the work can go on from any folder; every problem at once."""
    problems, files = [], []
    for index, file in enumerate(request.fichiers):
        if file.path is not None:
            path = (folder / file.path).resolve()
            field = f"fichiers[{index}].path"
            if not path.is_file():
                problems.append(Problem(field, f"there is no file {path}"))
            elif (size := path.stat().st_size) > most:
                problems.append(Problem(field, f"{size} bytes; expected at most {most}"))
            file = file.model_copy(update={"path": str(path)})  # noqa: PLW2901
        files.append(file)
    if problems:
        raise InvalidRequest(
            "Files of the request cannot be read: "
            + "; ".join(f"{problem.field}: {problem.message}" for problem in problems),
            hint="Paths are relative to the document. Nothing was done.",
            problems=problems,
        )
    return request.model_copy(update={"fichiers": tuple(files)})


# --- tickets ------------------------------------------------------------------------------


def validate(
    options: Options, ticket: str, verdict: workflow.Verdict, credits_: int, notes: str
) -> Answer:
    """Record an administrator's decision and carry it out."""
    services = open_services(options)
    case = workflow.process_validation(ticket, services, verdict, credits_, notes)
    return Answer(validation_document(case, verdict), "validation", (case, verdict))


def validation_document(case: Case, verdict: workflow.Verdict) -> dict[str, Any]:
    """Return the document that `validate` prints and the webhook answers."""
    price = case.decision.credits if case.decision else case.credits_estimes
    message = {
        "accept": "Demande validée, subtask ClickUp créée",
        "quote": f"Devis de {price} crédit{'s' if (price or 0) > 1 else ''} envoyé au client",
        "reject": "Demande refusée, client prévenu",
    }[verdict]
    return {
        "success": True,
        "ticket_id": case.ticket.id if case.ticket else None,
        "subtask_id": case.subtask.id if case.subtask else None,
        "credits": price,
        "message": message,
    }


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
        done = workflow.poll_pending_tickets(services)
    except Busy:
        return Answer({**_NOTHING, "busy": True}, "busy", unremarkable=True)
    document = {**round_document(done), "calls": services.calls()}
    return Answer(document, "round", (done,), _round_exit(done), not _needs_person(done))


def round_document(done: workflow.Round) -> dict[str, Any]:
    """Return the document that `poll` prints."""
    return {
        **{name: getattr(done, name) for name in _NOTHING if name not in ("errors", "calls")},
        "strangers": [{"from": mail.sender, "message_id": mail.id} for mail in done.strangers],
        "errors": [{"case": case, **error.document()["error"]} for case, error in done.errors],  # type: ignore[dict-item]
        "calls": {},
    }


_NOTHING: dict[str, Any] = {
    "resumed": 0,
    "replies": 0,
    "validated": 0,
    "rejected": 0,
    "reanalyzed": 0,
    "questions": 0,
    "auto_replies": 0,
    "unclear": 0,
    "errors": [],
    "calls": {},
}


def _needs_person(done: workflow.Round) -> bool:
    told = done.questions or done.unclear or done.strangers or done.errors
    waits = (Waiting.ADMINISTRATOR, Waiting.DRAFT)
    return bool(told) or any(waiting(case) in waits for case in done.touched)


def _round_exit(done: workflow.Round) -> int:
    return gravest(error.exit_code for _, error in done.errors if not isinstance(error, Settling))


def tickets(options: Options, ticket: str | None, sent: bool) -> Answer:
    """List the open cases, or one case; `sent`: a person has sent its drafts."""
    services = open_services(options)
    if ticket is None:
        cases = services.cases.open_cases()
        return Answer([_line(case) for case in cases], "tickets", (cases, services.now()))
    if sent:
        marked = workflow.mark_sent(ticket, services)
        return Answer(marked.model_dump(mode="json"), "case", (marked,))
    case = services.cases.by_ticket(ticket) or services.cases.load(ticket)
    if case is None:
        raise NotFound(
            f"There is no ticket {ticket} here",
            hint="`figsupport tickets` lists the open ones; `figsupport poll` brings in others.",
        )
    return Answer(case.model_dump(mode="json"), "case", (case,))


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


def _line(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "reference": case.reference,
        "ticket_id": case.ticket.id if case.ticket else None,
        "ticket_url": case.ticket.url if case.ticket else None,
        "objet": case.request.objet,
        "user_email": case.request.user_email,
        "validation_status": case.validation_status,
        "credits_estimes": case.credits_estimes,
        "created_at": case.created_at.isoformat(),
        "waiting": str(waiting(case)),
        "cost": case.cost.dollars if case.cost else 0.0,
        "doing": case.doing.step if case.doing else None,
    }


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


def evaluate(
    options: Options,
    path: Path,
    judges: Sequence[str],
    wanted: tuple[float | None, int | None, int | None],
    *,
    compare: bool,
) -> Answer:
    """Measure judges on labelled cases; exit 69 when one misses a threshold.

    `wanted` is the least accuracy, the most false accepts and the most money errors.
    """
    from figsupport import evaluation

    found = settings_.load(options.env_file)
    names = ("rules",) if options.dry_run else judges  # a dry run calls no model
    desks = [Services(found.judging_by(name)) for name in names]
    for services in desks:
        services.warn = options.warn
    cases = evaluation.read_cases(path, desks[0])
    reports = [evaluation.evaluate(cases, services) for services in desks]
    below = [missed(report, Thresholds(*wanted)) for report in reports]
    document = reports if compare else reports[0]
    return Answer(document, "evaluation", (reports, below), 69 if any(below) else 0)


def health(options: Options) -> Answer:
    """Check settings, directives and every provider; works when half of it is broken."""
    from figsupport.health import examine

    found = settings_.load(options.env_file)
    report = examine(found)
    code = 0 if report["status"] == "healthy" else 78 if report["status"] == "unhealthy" else 69
    return Answer(report, "health", (report,), code)


def setup(options: Options) -> Answer:
    """Create what the desk needs; safe to repeat."""
    services = Services(settings_.load(options.env_file))
    done = []
    for port in services.adapters._fields:
        if prepare := getattr(getattr(services, port), "setup", None):
            done += prepare(dry_run=options.dry_run)
    document = {word: [name for name, state in done if state == word] for word in ("made", "there")}
    return Answer(document, "setup", (done,))


def inspect(
    options: Options, places: list[str], thumbnail: Path | None, language: Language
) -> Answer:
    """Tell what files really are. Needs no provider; downloads nothing under --dry-run."""
    from figsupport import directives
    from figsupport.files import inspect as inspecting
    from figsupport.files.bring import bringer

    found = settings_.load(options.env_file)
    grid = directives.load(found.figsupport_directives or directives.default_folder()).grid
    bring = bringer(found.home / "spool", found.limits, found.allow_hosts, language)
    if options.dry_run:
        thumbnail, places = None, [place for place in places if "://" not in place]
    draw = thumbnail is not None
    inspected = inspecting.inspect(places, bring, grid, language, draw=draw)
    documents = [inspecting.document(one.fact, grid, language) for one in inspected]
    if thumbnail is not None:
        for one, document in zip(inspected, documents, strict=True):
            picture = inspecting.save_thumbnail(one, thumbnail, alone=len(inspected) == 1)
            document["thumbnail"] = picture and str(picture)
    return Answer(documents, "inspected", (documents, [one.fact for one in inspected], language))


# --- services -----------------------------------------------------------------------------


def open_services(options: Options) -> Services:
    """Return the services of this run; a rehearsal on a copy under --dry-run.

    Settings and directives are checked here, before any effect.
    """
    found = settings_.load(options.env_file)
    services = Services(found)
    services.warn = options.warn
    _ = services.directives
    services.moved = options.moved
    if services.adapters.all_local:
        options.notice = f"Embedded desk, no key set: everything stays in {found.home}"
    if options.dry_run:
        from figsupport.rehearsal import rehearse

        return rehearse(services)
    return services
