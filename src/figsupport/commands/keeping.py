"""The commands about what is kept: `export`, `erase`, `backup`, `restore`."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figsupport import rights, settings
from figsupport.commands.answers import Answer, Options, open_services
from figsupport.errors import Misconfigured, NotAllowed, NotFound
from figsupport.services import Services, utc_now

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
    contact: str, found: rights.Held, services: Services, *, force: bool, ask: Ask
) -> None:
    if ask is None:
        raise NotAllowed(
            "Nobody is here to confirm the erasure; nothing was erased",
            hint="Run it on a terminal, or add --yes when you are sure.",
        )
    rights.check_closed(found, services, force=force)
    given_up = len(found.open(services))
    counted = f"{len(found.cases)} requests, {len(found.tickets)} tickets, "
    counted += f"{len(found.messages)} messages, and their files"
    lost = f" Work on {given_up} is given up." if given_up else ""
    if not ask(f"All that is held on {contact}: {counted}.{lost} It cannot be undone. Erase it?"):
        raise NotAllowed("Nothing was erased", hint="Run it again to decide otherwise.")


def backup(options: Options, target: Path) -> Answer:
    """Copy the embedded state into one file, while others work."""
    from figsupport.adapters import backup as backups

    home = _home(options)
    check_target(target)
    if options.dry_run:
        document: dict[str, Any] = {"file": str(target), "home": str(home)}
        return Answer(document, "backup", (document,))
    try:
        manifest = backups.write(home, target, utc_now())
    except FileExistsError:
        raise rights.taken(target) from None
    document = {**_about(target, manifest), "size": target.stat().st_size}
    return Answer(document, "backup", (document,))


def restore(options: Options, archive: Path, force: bool) -> Answer:
    """Put the state of a backup into the home; under --dry-run only verify it."""
    from figsupport.adapters import restoring

    home = _home(options)
    if options.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            document = _about(archive, restoring.unpack(archive, Path(folder)))
        return Answer(document, "restored", (document,))
    restored = restoring.restore(archive, home, utc_now(), force=force)
    before = str(restored.before) if restored.before else None
    document = {**_about(archive, restored.manifest), "home": str(home), "before": before}
    return Answer(document, "restored", (document,))


def _home(options: Options) -> Path:
    """Return the folder that holds all of the state. Raises Misconfigured where it does not."""
    found = settings.load(options.env_file)
    if found.figsupport_database_url is not None:
        raise Misconfigured(
            "The journal lives on PostgreSQL (FIGSUPPORT_DATABASE_URL), not in a folder",
            hint="Back it up with pg_dump and put it back with pg_restore, the folder "
            f"{found.home} beside it.",
        )
    return found.home


def _about(archive: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": str(archive),
        "taken_at": manifest["taken_at"],
        "version": manifest["figsupport"],
        "files": len(manifest["files"]),
    }


def check_target(target: Path) -> None:
    """Refuse a place where a new file cannot be, before any work. Raises NotFound or NotAllowed."""
    if not target.resolve().parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}", hint="Create it, or name another.")
    if target.exists():
        raise rights.taken(target)
