"""The commands about what is kept: `export`, `erase`, `backup`, `restore`."""

from collections.abc import Callable
from pathlib import Path

from figsupport import rights
from figsupport.commands.answers import Answer, Options, open_services
from figsupport.errors import NotAllowed, NotFound

#: Asks a person; None where nobody can be asked.
Ask = Callable[[str], bool] | None


def export(options: Options, contact: str, to: Path | None) -> Answer:
    """Put all that is held on a client into one archive."""
    services = open_services(options)
    target = to or Path(f"figsupport-export-{services.now():%Y%m%d-%H%M%S}.zip")
    check_target(target)
    found = rights.held(contact, services)
    if options.dry_run:
        return Answer(rights.summary(found), "held", (rights.summary(found),))
    document = rights.export(found, services, target)
    return Answer(document, "held", (document,))


def erase(options: Options, contact: str, yes: bool, force: bool, ask: Ask) -> Answer:
    """Forget a client, once a person has said so."""
    services = open_services(options)
    if not (yes or options.dry_run):
        _confirm(contact, rights.held(contact, services), services, force=force, ask=ask)
    erased = rights.erase(contact, services, force=force)
    return Answer(erased.document(), "erased", (erased.document(),))


def _confirm(
    contact: str, found: rights.Held, services: rights.Services, *, force: bool, ask: Ask
) -> None:
    if ask is None:
        raise NotAllowed(
            "Nobody is here to confirm the erasure; nothing was erased",
            hint="Run it on a terminal, or add --yes when you are sure.",
        )
    rights.check_closed(found, services, force=force)
    given_up = len(found.open(services))
    sentence = f"Erase all that is held on {contact}: {len(found.cases)} requests, "
    sentence += f"{len(found.tickets)} tickets, {len(found.messages)} messages, and their files"
    sentence += f"? Work on {given_up} is given up" if given_up else ""
    if not ask(f"{sentence}? It cannot be undone."):
        raise NotAllowed("Nothing was erased", hint="Run it again to decide otherwise.")


def check_target(target: Path) -> None:
    """Refuse a place where a new file cannot be, before any work. Raises NotFound or NotAllowed."""
    if not target.resolve().parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}", hint="Create it, or name another.")
    if target.exists():
        raise rights.taken(target)
