"""What people see on a terminal: what was decided and why, what happened, what comes next."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from figsupport.core.assets import summary
from figsupport.core.model import Case, FileFact, Language, Letter, Message
from figsupport.core.plan import Waiting, waiting
from figsupport.core.words import printable
from figsupport.errors import FigsupportError
from figsupport.scorecard import cost_text, scorecard

T = TypeVar("T")

_STATUS = {
    "pending_info": "yellow",
    "pending_credits": "cyan",
    "pending_admin": "magenta",
    "validated": "green",
    "rejected": "red",
}


def show(answer: Any, *, quiet: bool, verbose: int, dry_run: bool) -> None:
    """Print an answer of a command on standard output."""
    if quiet and answer.unremarkable:
        return
    console = Console(highlight=False)
    if dry_run:
        console.print(Text("Dry run: this is what would happen. Nothing was done.", "yellow"))
    console.print(VIEWS[answer.view](*answer.shown))
    if verbose and answer.shown and isinstance(answer.shown[0], Case):
        console.print(_story(answer.shown[0]))


def failure(error: dict[str, Any]) -> None:
    """Print a failure on standard error: what is wrong, and what to do next."""
    console = Console(stderr=True, highlight=False)
    problems = error["problems"]
    message = error["message"]
    if problems:  # the sentence repeats them for programs; people get a list
        message = message.partition(":")[0]
    console.print(Text.assemble(("✗ ", "bold red"), _plain(message, "bold")))
    for problem in problems:
        console.print(
            Text.assemble(
                "  • ", _plain(problem["field"], "bold"), "  ", _plain(problem["message"])
            )
        )
    if error["hint"]:
        console.print(Text.assemble(("→ ", "bold"), _plain(error["hint"])))


def notice(sentence: str) -> None:
    """Print a line beside the result, on standard error."""
    Console(stderr=True, highlight=False).print(_plain(sentence, "dim"))


def progress(each: Iterable[T], total: int) -> Iterator[T]:
    """Show a progress bar on standard error while the answers come."""
    from rich.progress import track

    yield from track(each, "Requests", total, console=Console(stderr=True), transient=True)


class Bars:
    """A bar on standard error for each large file on its way, gone when all have arrived."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskID,
            TextColumn,
            TransferSpeedColumn,
        )

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(),
                   TransferSpeedColumn())  # fmt: skip
        console = console or Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def moved(self, name: str, done: int, total: int) -> None:
        """Show that so many bytes of a file have gone."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(printable(name), total=total)
            self._progress.start()
        self._progress.update(self._tasks[name], completed=done)
        if self._progress.finished:
            self._progress.stop()


def _plain(text: object, style: str = "") -> Text:
    """Return a text that was written elsewhere: no markup, control or bidi characters."""
    return Text(printable(str(text)), style)


def _facts(rows: Iterable[tuple[str, RenderableType | None]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=9)
    table.add_column(ratio=1)
    for label, value in rows:
        if value is not None:
            table.add_row(label, value)
    return table


def _list(lines: Iterable[str], mark: str = "•") -> Text:
    return Text("\n").join(Text.assemble(f"{mark} ", _plain(line)) for line in lines)


def _panel(title: Text, *parts: RenderableType | None, style: str = "blue") -> Panel:
    shown = [part for part in parts if part is not None]
    return Panel(Group(*shown), title=title, title_align="left", border_style=style, box=ROUNDED)


def _title(case: Case) -> Text:
    number = f"Ticket {case.ticket.id}" if case.ticket else "Request"
    return Text.assemble(
        (number, "bold"), f"  [#{case.reference}]  ", _plain(case.request.objet or "(sans objet)")
    )


def _status(case: Case) -> Text:
    status = case.validation_status
    if status is None:
        return Text("SUPPORT: nothing to validate" if _is(case, "SUPPORT") else "not yet estimated")
    return Text.assemble((status, f"bold {_STATUS[status]}"), f" — {waiting(case)}")


def _is(case: Case, type_: str) -> bool:
    return case.classification is not None and case.classification.type == type_


def _judgement(case: Case) -> Table:
    classification, analysis = case.classification, case.analysis
    rows: list[tuple[str, RenderableType | None]] = []
    if classification is not None:
        rows.append(("Type", _plain(classification.type, "bold")))
        rows.append(("  why", _list(classification.reasons) if classification.reasons else None))
    if case.files:
        rows.append(("Files", Text("\n").join(_file(file) for file in case.files)))
    if analysis is not None:
        rows.append(("Estimate", _estimate(case)))
        rows.append(("  why", _list(analysis.reasons) if analysis.reasons else None))
        rows.append(("  missing", _list(analysis.missing) if analysis.missing else None))
    return _facts(rows)


def _estimate(case: Case) -> Text:
    analysis = case.analysis
    if analysis is None:
        return Text("")
    words = {"INCOMPLET": "incomplete", "COMPLEXE": "for the administrator to price"}
    price = words.get(analysis.outcome) or _credits(analysis.credits)
    complexity = f" ({analysis.complexity})" if analysis.complexity else ""
    return Text.assemble((price, "bold"), complexity, (f"  by {analysis.by}", "dim"))


def _credits(number: int | None) -> str:
    return f"{number} credit{'s' if (number or 0) > 1 else ''}"


def _file(file: FileFact) -> Text:
    if file.problem:
        return Text.assemble(("✗ ", "red"), _plain(file.name), "  ", _plain(file.problem, "red"))
    size = f"  {_size(file.size)}" if file.size is not None else ""
    return Text.assemble(("✓ ", "green"), _plain(file.name), (f"  {file.kind}{size}", "dim"))


def _size(size: int) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size = size // 1000 if unit == "B" and size < 1 else size / 1000  # type: ignore[assignment]
    return f"{size:.1f} GB"


def _next_step(case: Case) -> RenderableType:
    ticket = case.ticket.id if case.ticket else "TICKET"
    commands = {
        Waiting.CLIENT_ANSWER: (
            "The client answers by e-mail; on the embedded desk you may play the client.",
            (f'figsupport reply {ticket} "Je valide"', "figsupport poll"),
        ),
        Waiting.DRAFT: (
            "A letter was NOT SENT: it is a draft on the ticket. Send it by hand, then say so.",
            (f"figsupport tickets {ticket} --sent",),
        ),
        Waiting.CLIENT_INFO: (
            "The client sends what is missing by e-mail.",
            ("figsupport poll",),
        ),
        Waiting.ADMINISTRATOR: (
            "An administrator decides.",
            (
                f"figsupport validate {ticket} --credits 3",
                f"figsupport validate {ticket} --credits 3 --quote",
                f'figsupport validate {ticket} --reject --reason "…"',
            ),
        ),
        Waiting.FINISHED: ("Nothing: the work on this request is done.", ()),
    }
    sentence, lines = commands[waiting(case)]
    if case.doing is not None:
        sentence, lines = f"Interrupted at « {case.doing.step} ».", ("figsupport poll",)
    return Group(
        Text.assemble(("Next  ", "bold"), sentence), *(Text(f"  {line}", "cyan") for line in lines)
    )


def _letters(case: Case) -> Text | None:
    if not case.mails:
        return None
    return Text("\n").join(
        Text.assemble(
            ("✎ NOT SENT, a draft: ", "bold yellow") if mail.way == "draft" else ("✉ ", "blue"),
            f"{mail.kind} to ",
            _plain(mail.to),
            "  ",
            _plain(mail.subject, "dim"),
        )
        for mail in case.mails
    )


def _intake(case: Case, new: bool) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        (
            "Client",
            Text.assemble(
                _plain(case.request.user_name), " ", _plain(case.request.user_email, "dim")
            ),
        ),
        (
            "Ticket",
            Text.assemble(
                case.ticket.id if case.ticket else "—",
                ("  new" if new else "  already there", "dim"),
            ),
        ),
        ("Status", _status(case)),
        ("Letters", _letters(case)),
    ]
    return _panel(
        _title(case), _judgement(case), Text(""), _facts(rows), Text(""), _next_step(case)
    )


def _classified(case: Case, letter: Letter | None) -> RenderableType:
    return _panel(_title(case), _judgement(case))


def _analyzed(case: Case, letter: Letter | None) -> RenderableType:
    if letter is None:
        return _panel(_title(case), _judgement(case), Text("A SUPPORT request has no estimate."))
    mail = _panel(
        Text.assemble(("✉ ", "blue"), f"the letter to {letter.to}"),
        _plain(letter.subject, "bold"),
        Text(""),
        _plain(letter.text),
        style="dim",
    )
    return Group(_panel(_title(case), _judgement(case)), mail)


def _validation(case: Case, verdict: str) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        ("Status", _status(case)),
        ("Credits", Text(str(case.credits_estimes)) if case.credits_estimes else None),
        ("Subtask", _plain(case.subtask.url) if case.subtask else None),
        ("Letters", _letters(case)),
    ]
    return _panel(_title(case), _facts(rows), Text(""), _next_step(case), style="green")


def _round(done: Any) -> RenderableType:
    told = [
        f"{number} {name}{'s' if number > 1 and name in _PLURAL else ''}"
        for attribute, name in _COUNTED.items()
        if (number := getattr(done, attribute))
    ]
    parts: list[RenderableType] = [Text(", ".join(told) or "Nothing new.", "bold")]
    for case in done.touched:
        parts.append(Text.assemble("• ", _title(case), "  ", _status(case)))
        parts += [
            Text.assemble(
                "    client: ",
                _plain(reply.intent, "bold"),
                "  ",
                _plain(_short(reply.words), "italic"),
            )
            for reply in case.replies[-1:]
        ]
        if case.subtask is not None:
            parts.append(Text.assemble("    subtask ", _plain(case.subtask.url, "green")))
    for mail in done.strangers:
        parts.append(
            Text.assemble(
                ("? ", "yellow"),
                "a mail of ",
                _plain(mail.sender),
                " names no ticket: answer it by hand",
            )
        )
    for case_id, error in done.errors:
        parts.append(
            Text.assemble(
                ("✗ ", "red"),
                f"{case_id}: ",
                _plain(error.message),
                "  ",
                _plain(error.hint, "dim"),
            )
        )
    return Group(*parts)


_COUNTED = {
    "resumed": "case resumed",
    "replies": "new mail",
    "validated": "validated",
    "rejected": "rejected",
    "reanalyzed": "judged again",
    "questions": "question",
    "auto_replies": "automatic answer",
    "unclear": "for a person to read",
}
_PLURAL = ("new mail", "question", "automatic answer")


def _busy() -> RenderableType:
    return Text("Another poll is running; this one leaves the work to it.", "yellow")


def _tickets(cases: list[Case], now: datetime) -> RenderableType:
    if not cases:
        return Group(
            Text("No open ticket.", "bold"), Text("  figsupport intake request.json", "cyan")
        )
    table = Table(box=SIMPLE_HEAD, expand=True)
    for name in ("Ticket", "Reference", "Object", "Client", "Status", "Credits", "Age"):
        table.add_column(name, overflow="ellipsis", no_wrap=name != "Object")
    for case in cases:
        status = case.validation_status or "…"
        table.add_row(
            case.ticket.id if case.ticket else "—",
            case.reference,
            _plain(case.request.objet),
            _plain(case.request.user_email),
            Text(status, _STATUS.get(status, "")),
            str(case.credits_estimes or ""),
            _age(now - case.created_at),
        )
    return table


def _age(age: Any) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h" if hours else "now"


def _case(case: Case) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        ("Client", _plain(f"{case.request.user_name} <{case.request.user_email}>")),
        ("Request", _plain(case.request.description)),
        ("Status", _status(case)),
        ("Letters", _letters(case)),
        ("Subtask", _plain(case.subtask.url) if case.subtask else None),
        ("Judging", Text(cost_text(case.cost), "dim") if case.cost else None),
    ]
    return Group(
        _panel(_title(case), _facts(rows), Text(""), _judgement(case), Text(""), _next_step(case)),
        _story(case),
    )


def _story(case: Case) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Story", title_justify="left")
    for name in ("When (UTC)", "What", "By"):
        table.add_column(name)
    for event in case.history:
        table.add_row(f"{event.at:%Y-%m-%d %H:%M:%S}", _plain(event.event), _plain(event.by))
    return table


def _proof(case: Case, document: dict[str, Any]) -> RenderableType:
    record, holds = document["record"], document["holds"]
    checks = Text("\n").join(
        Text.assemble(("✓ ", "green") if one["holds"] else ("✗ ", "red"), one["what"])
        for one in document["checks"]
    )
    if not holds:
        warning = Text("The record does not match: do not rely on it.", "bold red")
        return _panel(_title(case), warning, Text(""), checks, style="red")
    rows: list[tuple[str, RenderableType | None]] = [
        ("Accepted", _plain(f"{record['accepted_at']}  by {record['reply']['sender']}")),
        ("Words", _plain(record["words"])),
        ("Price", _plain(_credits(record["quote"]["credits"]))),
        (
            "Judged by",
            _plain(f"{record['judged']['by']}, figsupport {record['judged']['figsupport']}"),
        ),
        ("SHA-256", _plain(document["sha256"] or "the case was rebuilt and no longer knows it")),
        ("Record", _plain(document["url"]) if document["url"] else None),
    ]
    return _panel(_title(case), _facts(rows), Text(""), checks, style="green")


def _reply(case: Case, message: Message) -> RenderableType:
    return Group(
        Text.assemble(
            ("✉ ", "blue"),
            "mail of ",
            _plain(message.sender),
            " in the inbox: ",
            _plain(_short(message.text.partition("\n\n")[0]), "italic"),
        ),
        Text("  figsupport poll", "cyan"),
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _health(report: dict[str, Any]) -> RenderableType:
    colour = {"healthy": "green", "degraded": "yellow", "unhealthy": "red"}[report["status"]]
    table = Table(box=SIMPLE_HEAD)
    for name in ("", "Part", "Adapter", "ms", "Detail"):
        table.add_column(name)
    for name, part in report["providers"].items():
        mark = Text("✓", "green") if part["ok"] else Text("✗", "red")
        table.add_row(mark, name, part["adapter"], str(part["latency_ms"]), _plain(part["detail"]))
    return Group(
        Text.assemble(
            "figsupport ", report["version"], " is ", (report["status"], f"bold {colour}")
        ),
        table,
    )


def _setup(done: list[tuple[str, str]]) -> RenderableType:
    if not done:
        return Text("The embedded desk needs nothing.")
    return Text("\n").join(
        Text.assemble(("✓ ", "green"), f"{name:24}", (state, "dim")) for name, state in done
    )


def _inspected(documents: list[dict[str, Any]], facts: list[FileFact], language: Language) -> Table:
    table = Table(box=SIMPLE_HEAD, show_lines=True)
    for name in ("File", "What it is", "Augmented reality"):
        table.add_column(name, overflow="fold")
    opens = {True: ("opens", "green"), False: ("does not open", "red"), None: ("not read", "dim")}
    for document, fact in zip(documents, facts, strict=True):
        doubt = document["facts"].get("dimensions_doubt")
        found = (("", summary(fact, language)), ("red", document["problem"]), ("yellow", doubt))
        table.add_row(
            _plain(document["name"], "bold"),
            Text("\n").join(
                (
                    Text.assemble(document["kind"], "  ", opens[document["opens"]]),
                    *(_plain(text, style) for style, text in found if text),
                )
            ),
            _targets(document["ar"]),
        )
    return table


def _targets(verdicts: dict[str, dict[str, Any]]) -> Text:
    """Targets with one and the same verdict share a line."""
    alike: dict[tuple[bool | None, str], list[str]] = {}
    for name, verdict in verdicts.items():
        alike.setdefault((verdict["ok"], "; ".join(verdict["findings"])), []).append(name)
    marks = {True: ("✓ ", "green"), False: ("✗ ", "red"), None: ("? ", "yellow")}
    return Text("\n").join(
        Text.assemble(marks[ok], ", ".join(names), (f"  {findings}", "dim"))
        for (ok, findings), names in alike.items()
    )


def _failed(error: FigsupportError, line: int | None = None) -> RenderableType:
    where = f"line {line}: " if line else ""
    return Text.assemble(
        ("✗ ", "red"), where, _plain(error.message), "  ", _plain(error.hint, "dim")
    )


def _one_line(case: Case, *_: object) -> RenderableType:
    """One case among many."""
    kind = case.classification.type if case.classification else ""
    status = case.validation_status or kind or "…"
    price = f"  {_credits(case.credits_estimes)}" if case.credits_estimes else ""
    return Text.assemble(
        ("✓ ", "green"),
        f"{case.ticket.id if case.ticket else '—':6}",
        (f"{status:16}", _STATUS.get(status, "")),
        _plain(case.request.objet or "(sans objet)"),
        price,
        "  ",
        _plain(case.request.user_email, "dim"),
    )


VIEWS: dict[str, Callable[..., RenderableType]] = {
    "intake": _intake,
    "classify": _classified,
    "upload": _classified,
    "analyze": _analyzed,
    "validation": _validation,
    "round": _round,
    "busy": _busy,
    "tickets": _tickets,
    "case": _case,
    "proof": _proof,
    "reply": _reply,
    "health": _health,
    "setup": _setup,
    "inspected": _inspected,
    "evaluation": scorecard,
    "failed": _failed,
    "line": _one_line,
}
