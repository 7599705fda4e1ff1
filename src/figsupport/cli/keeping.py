"""The commands about what is kept. Each parses its options and makes one call."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from figsupport.cli.program import Options, command

Contact = Annotated[str, typer.Argument(metavar="CONTACT", help="The client's address.")]


@command
def export(
    options: Options,
    contact: Contact,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.zip", help="Where; default: here.")
    ] = None,
) -> Any:
    """Put all that is held on a client into one ZIP, with a readable page (RGPD, access)."""
    from figsupport.commands import keeping

    return keeping.export(options, contact, to)


@command
def erase(
    options: Options,
    contact: Contact,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Give up work still to be done.")] = False,
) -> Any:
    """Forget a client (RGPD, erasure), and say what stays where. There is no way back."""
    from figsupport.commands import keeping

    return keeping.erase(options, contact, yes, force, _ask if sys.stdin.isatty() else None)


@command
def backup(
    options: Options,
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="Ends in .gz: packed.")],
) -> Any:
    """Copy the embedded state (journal, desk, mails, files) into one file, while others work."""
    from figsupport.commands import keeping

    return keeping.backup(options, file)


@command
def restore(
    options: Options,
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="What `backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Move the state that is there aside.")
    ] = False,
) -> Any:
    """Verify a backup and put its state in place, all of it or nothing."""
    from figsupport.commands import keeping

    return keeping.restore(options, file, force)


def _ask(question: str) -> bool:
    return typer.confirm(question, err=True)
