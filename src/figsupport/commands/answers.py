"""What every command takes and returns: the options of a run, and its answers."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from figsupport import settings as settings_
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


def gravest(codes: Iterable[int]) -> int:
    """Return the gravest of several exit codes."""
    return min(codes, key=GRAVITY.index, default=0)


def open_services(options: Options) -> Services:
    """Return the services of this run; a rehearsal on a copy under --dry-run.

    Settings and directives are checked here, before any effect.
    """
    found = settings_.load(options.env_file)
    services = Services(found)
    _ = services.directives
    services.moved = options.moved
    if services.adapters.all_local:
        fleet = " and the fleet's PostgreSQL" if found.figsupport_database_url else ""
        options.notice = f"Embedded desk, no key set: everything stays in {found.home}{fleet}"
    if options.dry_run:
        from figsupport.rehearsal import rehearse

        return rehearse(services)
    return watched(services, options)


def watched(services: Services, options: Options) -> Services:
    """Return services whose work is logged, counted and told, as settings and options say."""
    from figsupport import watch

    services.warn = options.warn
    watch.attach(services, verbose=0 if options.quiet else options.verbose)
    return services
