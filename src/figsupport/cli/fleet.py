"""The commands of a fleet. Each parses its options and makes one call."""

from typing import Annotated, Any

import typer

from figsupport.cli.program import Options, command


@command
def work(
    options: Options,
    interval: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="How often to look for what is due."),
    ] = 5.0,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=64, metavar="N", help="Cases at one time.")
    ] = 4,
) -> Any:
    """Work as one of a fleet on PostgreSQL, until stopped (service)."""
    from figsupport.commands import fleet

    if options.dry_run:
        raise typer.BadParameter(
            "work has no --dry-run; `figsupport poll --dry-run` shows what is due"
        )
    return fleet.work(options, interval, at_once)


@command
def migrate(options: Options) -> Any:
    """Move the cases of this machine to the fleet's PostgreSQL; safe to repeat."""
    from figsupport.commands import fleet

    return fleet.migrate(options)
