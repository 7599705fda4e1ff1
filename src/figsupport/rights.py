"""A client's rights (RGPD): what we hold, all of it in one archive, and forgetting it."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from figsupport import keeping
from figsupport.core import access
from figsupport.core.adoption import adopted
from figsupport.core.model import Case, Message, Step, Ticket
from figsupport.core.plan import Waiting, due, waiting
from figsupport.errors import NotAllowed, NotFound
from figsupport.forms import waiting_files
from figsupport.private import new_file
from figsupport.services import Services
from figsupport.workflow import PATIENCE, is_ours

_DEFLATED = frozenset({".json", ".txt", ".obj", ".gltf", ".dae", ".usda", ".ply", ".stl", ".step"})


class OnDesk(NamedTuple):
    """A ticket of the client, its mails and notes."""

    ticket: Ticket
    messages: tuple[Message, ...]
    notes: tuple[str, ...]


class Held(NamedTuple):
    """All that is held on a client. `others`: tickets on the desk that are none of ours."""

    address: str
    cases: tuple[Case, ...]
    contact_id: str | None
    tickets: tuple[OnDesk, ...]
    others: tuple[str, ...]
    messages: tuple[Message, ...]

    def open(self, services: Services) -> tuple[Case, ...]:
        """Return the cases on which work is still to be done."""
        return tuple(case for case in self.cases if _is_open(case, services))


def held(address: str, services: Services) -> Held:
    """Return what journal and desk hold on a client. Raises NotFound when it is nothing.

    A ticket of ours whose case is not here gives its case back, unsaved: the desk is the record.
    """
    cases = services.cases.of_contact(address)
    contact_id = services.desk.find_contact(address)
    ids = [case.ticket.id for case in cases if case.ticket is not None]
    ids += services.desk.tickets_of(contact_id) if contact_id else ()
    tickets, others = [], []
    for ticket_id in dict.fromkeys(ids):
        try:
            found = _on_desk(ticket_id, services)
        except NotFound:  # erased by an earlier run, or by hand
            continue
        if not is_ours(found.ticket):
            others.append(ticket_id)
            continue
        tickets.append(found)
        known = {case.ticket.id for case in cases if case.ticket is not None}
        if not known & {ticket_id, found.ticket.ref.id}:
            cases.append(adopted(found.ticket, found.messages, services.now()))
    messages = services.cases.messages_from(address)
    if not (cases or contact_id or messages):
        raise NotFound(
            "Nothing is held on a client with this address",
            hint="Check the address: it is the one the request came from.",
        )
    return Held(address, tuple(cases), contact_id, tuple(tickets), tuple(others), messages)


def _on_desk(ticket_id: str, services: Services) -> OnDesk:
    ticket = services.desk.get_ticket(ticket_id)
    messages = services.desk.get_messages_for_ticket(ticket.ref.id)
    return OnDesk(ticket, messages, services.desk.get_notes(ticket.ref.id))


def _is_open(case: Case, services: Services) -> bool:
    if case.erased is not None:
        return False
    return due(case, (), services.now()) is not None or waiting(case) is not Waiting.FINISHED


# --- access ----------------------------------------------------------------------------------


def export(found: Held, services: Services, target: Path) -> dict[str, Any]:
    """Write all that is held into a ZIP that appears whole or not at all; return what it holds.

    Private (0600). Raises NotAllowed when there is a file already.
    """
    try:
        with new_file(target) as out, ZipFile(out, "w", allowZip64=True) as archive:
            files = [
                *_stored(found, services, archive),
                *_not_yet_stored(found, services, archive),
                *_attached(found, archive),
            ]
            _write(archive, "donnees.json", _document(found, files, services))
            now = services.now()
            text = access.page(found.address, found.cases, found.messages, files, now)
            _write(archive, "LISEZMOI.txt", text.encode())
    except FileExistsError:
        raise taken(target) from None
    sha256 = _sha256(target)
    return {**summary(found), "file": str(target), "size": target.stat().st_size,
            "sha256": sha256, "files": files}  # fmt: skip


def taken(target: Path) -> NotAllowed:
    """Return the refusal to write over a file."""
    return NotAllowed(
        f"There is a file {target} already", hint="Name another file, or move that one away."
    )


def summary(found: Held) -> dict[str, Any]:
    """Return how much is held, for programs."""
    letters = sum(len(case.mails) for case in found.cases)
    return {
        "contact": found.address,
        "cases": [case.id for case in found.cases],
        "tickets": [one.ticket.ref.id for one in found.tickets],
        "other_tickets": list(found.others),
        "messages": len(found.messages),
        "letters": letters,
        "notes": sum(len(one.notes) for one in found.tickets),
    }


def _document(found: Held, files: list[dict[str, Any]], services: Services) -> bytes:
    tickets = [
        {
            "ticket": one.ticket.model_dump(mode="json"),
            "messages": [message.model_dump(mode="json") for message in one.messages],
            "notes": list(one.notes),
        }
        for one in found.tickets
    ]
    document = {
        "contact": found.address,
        "contact_id": found.contact_id,
        "exported_at": services.now().isoformat(),
        "cases": [case.model_dump(mode="json") for case in found.cases],
        "tickets": tickets,
        "other_tickets": list(found.others),
        "messages": [message.model_dump(mode="json") for message in found.messages],
        "files": files,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _stored(found: Held, services: Services, archive: ZipFile) -> Iterator[dict[str, Any]]:
    """What the store holds of each case, and the files that it should hold and does not."""
    for case in found.cases:
        folder = services.store.secret_folder(case.id)
        known = {file.url.rpartition("/")[2]: file for file in case.files if file.url}
        for key in services.store.keys(folder):
            last = key.rpartition("/")[2]
            fact = known.pop(last, None)
            name = f"fichiers/{case.reference}/{last}"
            fetch = partial(services.store.fetch, key)
            size, sha256 = _copied(archive, name, fetch)
            url = fact.url if fact else None
            yield {"name": fact.name if fact else last, "path": name, "url": url, "size": size,
                   "sha256": sha256}  # fmt: skip
        for fact in known.values():
            yield {"name": fact.name, "path": None, "url": fact.url, "size": fact.size,
                   "sha256": fact.sha256}  # fmt: skip


def _not_yet_stored(found: Held, services: Services, archive: ZipFile) -> Iterator[dict[str, Any]]:
    """What came with the public form and waits for the store."""
    for case in found.cases:
        if case.files:
            continue
        names = {Path(file.path).name: file.name for file in case.request.fichiers if file.path}
        for path in waiting_files(services.settings.home, case.id):
            name = f"formulaire/{case.reference}/{path.name}"
            size, sha256 = _copied(archive, name, partial(_copy, path))
            yield {"name": names.get(path.name, path.name), "path": name, "url": None,
                   "size": size, "sha256": sha256}  # fmt: skip


def _attached(found: Held, archive: ZipFile) -> Iterator[dict[str, Any]]:
    """What came with the client's messages: files of the embedded desk, else links."""
    messages = [*found.messages, *(one for held_ in found.tickets for one in held_.messages)]
    for message in {one.id: one for one in messages}.values():
        for number, file in enumerate(message.attachments, 1):
            about: dict[str, Any] = {"name": file.name, "path": None, "url": file.url,
                                     "size": None, "sha256": None}  # fmt: skip
            path = Path(file.path) if file.path else None
            if path is not None and path.is_file():
                name = f"pieces-jointes/{message.id}/{number}{path.suffix}"
                size, sha256 = _copied(archive, name, partial(_copy, path))
                about |= {"path": name, "size": size, "sha256": sha256}
            yield about


def _copy(path: Path, into: IO[bytes]) -> None:
    with path.open("rb") as read:
        shutil.copyfileobj(read, into)


def _copied(archive: ZipFile, name: str, copy: Callable[[Any], None]) -> tuple[int, str]:
    """Write a member block by block; return its size and SHA-256."""
    with archive.open(_member(name), "w", force_zip64=True) as member:
        into = _Hashed(member)
        copy(into)
    return into.size, into.hash.hexdigest()


class _Hashed(RawIOBase):
    """Writes through, and knows how much of what."""

    def __init__(self, into: IO[bytes]) -> None:
        self._into, self.hash, self.size = into, hashlib.sha256(), 0

    def write(self, block: Any) -> int:
        """Write a block."""
        self.hash.update(block)
        self.size += len(block)
        return self._into.write(block)


def _write(archive: ZipFile, name: str, content: bytes) -> None:
    with archive.open(_member(name), "w") as member:
        member.write(content)


def _member(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.external_attr = 0o600 << 16
    if Path(name).suffix in _DEFLATED:  # photos and the like are packed already
        info.compress_type = ZIP_DEFLATED
    return info


def _sha256(path: Path) -> str:
    with path.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


# --- erasure ---------------------------------------------------------------------------------


class Erased(NamedTuple):
    """What went, and what stays where, as sentences."""

    found: Held
    files: int
    evidence: tuple[str, ...]
    stays: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {**summary(self.found), "files": self.files, "evidence": list(self.evidence),
                "stays": list(self.stays)}  # fmt: skip


def erase(address: str, services: Services, *, force: bool) -> Erased:
    """Forget a client: files, letters, desk, then the journal. Safe to repeat; goes on if killed.

    Nothing is sent any more from the moment it begins. Raises NotFound, or NotAllowed when work
    is still to be done on a case and `force` does not say that it is given up.
    """
    with ExitStack() as locks:
        locks.enter_context(services.cases.lock("poll", PATIENCE))
        try:
            before = held(address, services)
        except NotFound:
            services.scrub()  # an earlier run may have been killed just before
            raise
        for case in sorted(before.cases, key=lambda one: one.id):
            locks.enter_context(keeping.held_still(case.id, services, PATIENCE))
        found = held(address, services)  # as it stands now that nobody works on it
        check_closed(found, services, force=force)
        for case in found.cases:
            marked = case.with_(erased=case.erased or services.now())
            services.cases.save(marked, unfinished=True, durable=True)
        erased = _erase(found, services)
    services.scrub()
    return erased


def check_closed(found: Held, services: Services, *, force: bool) -> None:
    """Refuse to give work up that nobody said is given up. Raises NotAllowed."""
    names = [case.ticket.id if case.ticket else case.id for case in found.open(services)]
    if names and not force:
        raise NotAllowed(
            f"Work is still to be done for this client: {', '.join(names)}",
            hint="Finish or reject it first (`figsupport tickets`), or give it up: --force. "
            "Nothing was erased.",
        )


def _erase(found: Held, services: Services) -> Erased:
    evidence = services.directives.retention.keep_evidence
    stays = [sentence for case in found.cases for sentence in _production(case, services)]
    wiped = [keeping.wipe(case, services, evidence=evidence, desk=True) for case in found.cases]
    stays += [sentence for one in wiped for sentence in one.stays]
    stays += services.desk.erase_contact(found.address)
    for case, one in zip(found.cases, wiped, strict=True):
        keeping.forget(case, one, services)
    services.cases.forget_messages(found.address)
    records = tuple(key for one in wiped for key in one.evidence)
    if records:
        stays.append(
            f"{len(records)} records of acceptances stay: they are accounting evidence, which the "
            "directives say to keep (conservation.md). They hold name, address and the mail."
        )
    if found.others:
        stays.append(f"Tickets that figsupport did not open stay: {', '.join(found.others)}.")
    stays.append("Backups made before now still hold this client: delete them, or let them expire.")
    files = sum(one.files for one in wiped)
    return Erased(found, files, records, tuple(dict.fromkeys(stays)))


def _production(case: Case, services: Services) -> Iterator[str]:
    """What other places hold on a case that nobody can erase from here."""
    subtask = case.subtask
    if subtask is None and case.doing is not None and case.doing.step is Step.SUBTASK:
        subtask = services.board.find_subtask(f"[REF-{case.reference}]")
    if subtask is not None:
        yield (
            f"The production subtask {subtask.id} {subtask.url} stays: it documents the contract. "
            "It names the client: shorten its text by hand if need be."
        )
    if case.cost is not None:
        yield "What Claude read is kept by Anthropic for as long as its terms say."
