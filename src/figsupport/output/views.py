"""What people see on a terminal: what was decided and why, what happened, what comes next."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from figsupport.core.assets import summary
from figsupport.core.dates import Coming
from figsupport.core.model import Case, FileFact, Language, Letter, Message
from figsupport.core.plan import Waiting, waiting
from figsupport.core.words import printable
from figsupport.errors import FigsupportError
from figsupport.output import kept
from figsupport.output.mails import mails
from figsupport.output.scorecard import cost_text, scorecard

T = TypeVar("T")

_STATUS = {
    "pending_info": "yellow",
    "pending_credits": "cyan",
    "pending_admin": "magenta",
    "validated": "green",
    "rejected": "red",
}


def plain(text: object, style: str = "") -> Text:
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
    return Text("\n").join(Text.assemble(f"{mark} ", plain(line)) for line in lines)


def _panel(title: Text, *parts: RenderableType | None, style: str = "blue") -> Panel:
    shown = [part for part in parts if part is not None]
    return Panel(Group(*shown), title=title, title_align="left", border_style=style, box=ROUNDED)


def _title(case: Case) -> Text:
    number = f"Ticket {case.ticket.id}" if case.ticket else "Request"
    return Text.assemble(
        (number, "bold"), f"  [#{case.reference}]  ", plain(case.request.objet or "(sans objet)")
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
        rows.append(("Type", plain(classification.type, "bold")))
        rows.append(("  why", _list(classification.reasons) if classification.reasons else None))
    if case.files:
        rows.append(("Files", Text("\n").join(_file(file) for file in case.files)))
    if analysis is not None:
        rows.append(("Estimate", _estimate(case)))
        why = [reason for reason in analysis.reasons if reason not in analysis.missing]
        rows.append(("  why", _list(why) if why else None))
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
        return Text.assemble(("✗ ", "red"), plain(file.name), "  ", plain(file.problem, "red"))
    size = f"  {_size(file.size)}" if file.size is not None else ""
    return Text.assemble(("✓ ", "green"), plain(file.name), (f"  {file.kind}{size}", "dim"))


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
        Waiting.PERSON: (
            "The client waits for our answer: decide, or answer by hand and say so.",
            (
                f"figsupport tickets {ticket} --answered",
                f"figsupport validate {ticket} --credits {case.credits_estimes or 3} --quote",
            ),
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
            plain(mail.to),
            "  ",
            plain(mail.subject, "dim"),
        )
        for mail in case.mails
    )


def _intake(case: Case, new: bool) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        (
            "Client",
            Text.assemble(
                plain(case.request.user_name), " ", plain(case.request.user_email, "dim")
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
        plain(letter.subject, "bold"),
        Text(""),
        plain(letter.text),
        style="dim",
    )
    return Group(_panel(_title(case), _judgement(case)), mail)


def _validation(case: Case, verdict: str) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        ("Status", _status(case)),
        ("Credits", Text(str(case.credits_estimes)) if case.credits_estimes else None),
        ("Subtask", plain(case.subtask.url) if case.subtask else None),
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
                plain(reply.intent, "bold"),
                "  ",
                plain(_short(reply.words), "italic"),
            )
            for reply in case.replies[-1:]
        ]
        if case.subtask is not None:
            parts.append(Text.assemble("    subtask ", plain(case.subtask.url, "green")))
    for mail in done.strangers:
        parts.append(
            Text.assemble(
                ("? ", "yellow"),
                "a mail of ",
                plain(mail.sender),
                " names no ticket: see to it by hand (figsupport mails)",
            )
        )
    for case_id, error in done.errors:
        parts.append(
            Text.assemble(
                ("✗ ", "red"),
                f"{case_id}: ",
                plain(error.message),
                "  ",
                plain(error.hint, "dim"),
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
    "forgotten": "kept long enough and forgotten",
    "reminders": "reminder",
    "expired": "ended without an answer",
    "digest": "digest to the administrator",
}
_PLURAL = ("new mail", "question", "automatic answer", "reminder")


def _busy() -> RenderableType:
    return Text("Another poll is running; this one leaves the work to it.", "yellow")


def _tickets(cases: list[tuple[Case, Coming | None]], now: datetime) -> RenderableType:
    if not cases:
        return Group(
            Text("No open ticket.", "bold"), Text("  figsupport intake request.json", "cyan")
        )
    table = Table(box=SIMPLE_HEAD, expand=True)
    for name in ("Ticket", "Reference", "Object", "Client", "Status", "Credits", "Age", "Next"):
        table.add_column(name, overflow="ellipsis", no_wrap=name != "Object")
    for case, coming in cases:
        status = case.validation_status or "…"
        table.add_row(
            case.ticket.id if case.ticket else "—",
            case.reference,
            plain(case.request.objet),
            plain(case.request.user_email),
            Text(status, _STATUS.get(status, "")),
            str(case.credits_estimes or ""),
            _age(now - case.created_at),
            f"{coming.what} {coming.at:%d/%m}" if coming else "",
        )
    return table


def _age(age: Any) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h" if hours else "now"


def _case(case: Case, coming: Coming | None = None) -> RenderableType:
    rows: list[tuple[str, RenderableType | None]] = [
        ("Client", plain(f"{case.request.user_name} <{case.request.user_email}>")),
        ("Request", plain(case.request.description)),
        ("Status", _status(case)),
        ("Letters", _letters(case)),
        ("Coming", Text(f"{coming.what} on {coming.at:%d/%m/%Y %H:%M}") if coming else None),
        ("Subtask", plain(case.subtask.url) if case.subtask else None),
        ("Judging", Text(cost_text(case.cost), "dim") if case.cost else None),
    ]
    return Group(
        _panel(_title(case), _facts(rows), Text(""), _judgement(case), Text(""), _next_step(case)),
        story(case),
    )


def story(case: Case) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Story", title_justify="left")
    for name in ("When (UTC)", "What", "By"):
        table.add_column(name)
    for event in case.history:
        table.add_row(f"{event.at:%Y-%m-%d %H:%M:%S}", plain(event.event), plain(event.by))
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
        ("Accepted", plain(f"{record['accepted_at']}  by {record['reply']['sender']}")),
        ("Words", plain(record["words"])),
        ("Price", plain(_credits(record["quote"]["credits"]))),
        (
            "Judged by",
            plain(f"{record['judged']['by']}, figsupport {record['judged']['figsupport']}"),
        ),
        ("SHA-256", plain(document["sha256"] or "the case was rebuilt and no longer knows it")),
        ("Record", plain(document["url"]) if document["url"] else None),
    ]
    return _panel(_title(case), _facts(rows), Text(""), checks, style="green")


def _reply(case: Case, message: Message) -> RenderableType:
    return Group(
        Text.assemble(
            ("✉ ", "blue"),
            "mail of ",
            plain(message.sender),
            " in the inbox: ",
            plain(_short(message.text.partition("\n\n")[0]), "italic"),
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
        table.add_row(mark, name, part["adapter"], str(part["latency_ms"]), plain(part["detail"]))
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


_KINDS = {"model3d": "3D model", "photo": "photo", "plan": "plan", "other": "file"}


def _inspected(documents: list[dict[str, Any]], facts: list[FileFact], language: Language) -> Table:
    table = Table(box=SIMPLE_HEAD, show_lines=True)
    for name in ("File", "What it is", "Augmented reality"):
        table.add_column(name, overflow="fold")
    opens = {True: ("opens", "green"), False: ("does not open", "red"), None: ("not read", "dim")}
    for document, fact in zip(documents, facts, strict=True):
        doubt = document["facts"].get("dimensions_doubt")
        known = summary(fact, language).replace(" × ", "×").replace("≈ ", "≈")
        problem = document["problem"]
        found = (
            ("", known),
            ("red", problem if problem and problem not in known else ""),
            ("yellow", doubt),
        )
        table.add_row(
            plain(document["name"], "bold"),
            Text("\n").join(
                (
                    Text.assemble(_KINDS[document["kind"]], "  ", opens[document["opens"]]),
                    *(plain(text, style) for style, text in found if text),
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
    return Text.assemble(("✗ ", "red"), where, plain(error.message), "  ", plain(error.hint, "dim"))


def _one_line(case: Case, *_: object) -> RenderableType:
    """One case among many."""
    kind = case.classification.type if case.classification else ""
    status = case.validation_status or kind or "…"
    price = f"  {_credits(case.credits_estimes)}" if case.credits_estimes else ""
    return Text.assemble(
        ("✓ ", "green"),
        f"{case.ticket.id if case.ticket else '—':6}",
        (f"{status:16}", _STATUS.get(status, "")),
        plain(case.request.objet or "(sans objet)"),
        price,
        "  ",
        plain(case.request.user_email, "dim"),
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
    "mails": mails,
    "health": _health,
    "setup": _setup,
    "moved": kept.moved,
    "inspected": _inspected,
    "evaluation": scorecard,
    "held": kept.held,
    "erased": kept.erased,
    "backup": kept.backup,
    "restored": kept.restored,
    "failed": _failed,
    "line": _one_line,
}
