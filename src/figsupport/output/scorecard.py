"""What people see of `eval`: judges side by side, confusion, every wrong case by its id."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from figsupport.core.model import Cost
from figsupport.core.words import printable

_MOST_WRONG = 40


def scorecard(reports: Sequence[dict[str, Any]], below: Sequence[Sequence[str]]) -> RenderableType:
    """Show one report, or two side by side; `below` holds the thresholds each one misses."""
    parts: list[RenderableType] = [_figures(reports)]
    for report, sentences in zip(reports, below, strict=True):
        name = report["judge"]
        parts.append(_confusion(report, f"{name}: expected ↓ got →"))
        if report["wrong"]:
            parts.append(_wrong(report, f"{name}: not right"))
        parts += [Text(f"✗ {name}: {sentence}", "bold red") for sentence in sentences]
    return Group(*parts)


def _figures(reports: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=reports[0]["kind"].capitalize(), title_justify="left")
    table.add_column("")
    for report in reports:
        table.add_column(report["judge"], justify="right")
    rows: dict[str, Callable[[dict[str, Any]], str | Text]] = {
        "right": lambda r: f"{r['right']} of {r['cases']}",
        "accuracy": lambda r: f"{_percent(r['accuracy'])}  ({_interval(r['interval'])})",
        "judged without a person": lambda r: _percent(r["coverage"]),
        "false accepts": lambda r: _ids(r["false_accepts"]),
        "accept recall": lambda r: _percent(r["accept_recall"]),
        "type right": lambda r: _percent(r["type_accuracy"]),
        "money errors": lambda r: _ids([case["id"] for case in r["money_errors"]]),
        "ms a case, p50 / p95": lambda r: "{p50:.1f} / {p95:.1f}".format(**r["latency_ms"]),
        "cost": lambda r: cost_text(Cost(**r["cost"])),
    }
    for label, shown in rows.items():
        cells = [shown(report) for report in reports]
        if any(cells):
            table.add_row(label, *cells)
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _interval(bounds: Sequence[float]) -> str:
    return " – ".join(f"{bound:.1%}" for bound in bounds)


def _ids(ids: Sequence[str]) -> Text:
    style = "bold red" if ids else "green"
    return Text(f"{len(ids)}  {printable(', '.join(ids))}".strip(), style)


def cost_text(cost: Cost) -> str:
    """Return what judging cost in one line."""
    if not cost.calls:
        return "nothing"
    tokens = f"{cost.tokens_in} + {cost.tokens_out} tokens"
    return f"${cost.dollars:.4f}  ({cost.calls} calls, {tokens})"


def _confusion(report: dict[str, Any], title: str) -> Table:
    counts = report["confusion"]
    got = sorted({label for row in counts.values() for label in row} | set(counts))
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("")
    for label in got:
        table.add_column(_short(label), justify="right")
    for expected, row in counts.items():
        cells = [
            Text(str(row.get(label, "·")), "green" if label == expected else "red") for label in got
        ]
        table.add_row(_short(expected), *cells)
    return table


def _short(label: str) -> str:
    """« MODELISATION pending_credits 2 » is « credits 2 » in a table."""
    return label.removeprefix("MODELISATION ").removeprefix("pending_")


def _wrong(report: dict[str, Any], title: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in ("Case", "Expected", "Got", "Why"):
        table.add_column(name)
    for case in report["wrong"][:_MOST_WRONG]:
        table.add_row(*(printable(case[name]) for name in ("id", "expected", "got", "why")))
    if more := len(report["wrong"]) - _MOST_WRONG:
        table.caption = f"and {more} more: --json shows them all" if more > 0 else None
    return table
