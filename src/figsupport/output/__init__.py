"""For people: results on standard output, failures, notices and bars on standard error."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console
from rich.text import Text

from figsupport.core.model import Case
from figsupport.core.words import printable
from figsupport.output.views import VIEWS, plain, story

T = TypeVar("T")


def show(answer: Any, *, quiet: bool, verbose: int, dry_run: bool) -> None:
    """Print an answer of a command on standard output."""
    if quiet and answer.unremarkable:
        return
    console = Console(highlight=False)
    if dry_run:
        console.print(Text("Dry run: this is what would happen. Nothing was done.", "yellow"))
    console.print(VIEWS[answer.view](*answer.shown))
    if verbose and answer.shown and isinstance(answer.shown[0], Case):
        console.print(story(answer.shown[0]))


def failure(error: dict[str, Any]) -> None:
    """Print a failure on standard error: what is wrong, and what to do next."""
    console = Console(stderr=True, highlight=False)
    problems = error["problems"]
    message = error["message"]
    if problems:  # the sentence repeats them for programs; people get a list
        message = message.partition(":")[0]
    console.print(Text.assemble(("✗ ", "bold red"), plain(message, "bold")))
    for problem in problems:
        console.print(
            Text.assemble("  • ", plain(problem["field"], "bold"), "  ", plain(problem["message"]))
        )
    if error["hint"]:
        console.print(Text.assemble(("→ ", "bold"), plain(error["hint"])))


def notice(sentence: str) -> None:
    """Print a line beside the result, on standard error."""
    Console(stderr=True, highlight=False).print(plain(sentence, "dim"))


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
