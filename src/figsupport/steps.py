"""One library function per step: plain values and one port in, a plain value out.

`in_doubt` means that an earlier run may have done the work already: the provider is asked
first, and the work is done only if the answer is no.
"""

import re
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count, starmap
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from figsupport.core.model import (
    Analysis,
    Case,
    Classification,
    ContactRef,
    FileFact,
    FileRef,
    Letter,
    Message,
    Reply,
    Request,
    SentLetter,
    SubtaskRef,
    TicketRef,
    Way,
)
from figsupport.errors import Conflict, FileProblem
from figsupport.ports import (
    Board,
    Desk,
    Judge,
    Mail,
    Store,
    StoredFile,
    SubtaskDraft,
    TicketDraft,
)

#: Brings a file to a local path for the time of a block. Raises FileProblem.
Bring = Callable[[FileRef], AbstractContextManager[Path]]
#: Finds a file that another one names, or None: it is not there.
Near = Callable[[str], Path | None]
#: Opens what finds the files of a request; those it found go with the block.
Beside = Callable[[], AbstractContextManager[Near]]


def nothing_beside() -> AbstractContextManager[Near]:
    """Return what finds no file."""
    return nullcontext(lambda _: None)


class Recognised(NamedTuple):
    """What a file is, the extension it deserves, and what draws its thumbnail (PNG or None).

    A drawing may need files that a model names: it is given what finds them.
    """

    fact: FileFact
    extension: str
    draw: Callable[[Near], bytes | None] = lambda _: None


#: Tells what a file is, from its name and its content. Raises FileProblem.
Recognise = Callable[[str, Path], Recognised]


def classify_request(request: Request, judge: Judge) -> Classification:
    """Return SUPPORT or MODELISATION and why."""
    return judge.classify(request)


def analyze_request(request: Request, files: Sequence[FileFact], judge: Judge) -> Analysis:
    """Return completeness, complexity and credits."""
    return judge.analyze(request, files)


def read_reply(message: Message, case: Case, judge: Judge) -> Reply:
    """Return what a client's message means as an answer to our last letter."""
    return judge.read(message, case)


def upload_files(
    case_id: str,
    files: Sequence[FileRef],
    store: Store,
    bring: Bring,
    recognise: Recognise,
    *,
    beside: Beside = nothing_beside,
    first: int = 1,
) -> tuple[FileFact, ...]:
    """Store the files of a request; one that cannot be had becomes a fact with a problem.

    A model is drawn with what it names, as far as `beside` finds it. Keys follow from the case,
    the number (from `first` on) and the name, so a rerun writes the same ones. Several files go
    at once where the store can take them.
    """
    if not files:
        return ()
    folder = store.secret_folder(case_id)

    def upload(number: int, file: FileRef) -> FileFact:
        return _upload(f"{folder}/{number:02d}", file, store, bring, recognise, beside)

    if store.at_once == 1 or len(files) == 1:
        return tuple(starmap(upload, enumerate(files, first)))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(store.at_once, len(files))) as lanes:
        return tuple(lanes.map(upload, count(first), files))


def look_at_files(
    files: Sequence[FileRef], bring: Bring, recognise: Recognise
) -> tuple[FileFact, ...]:
    """Return what the files of a request are, without storing them."""
    return tuple(_look_at(file, bring, recognise) for file in files)


def find_or_create_contact(email: str, name: str, desk: Desk) -> ContactRef:
    """Return the contact with this address, created if need be."""
    contact_id = desk.find_contact(email)
    if contact_id is None:
        try:
            contact_id = desk.create_contact(email, name)
        except Conflict:  # created by somebody else since we asked
            contact_id = desk.find_contact(email)
            if contact_id is None:
                raise
    return ContactRef(id=contact_id)


def create_ticket(
    draft: TicketDraft, desk: Desk, *, in_doubt: bool = False
) -> tuple[TicketRef, bool]:
    """Return the ticket of this key and whether it is new."""
    if in_doubt and (found := desk.find_ticket(draft.key)):
        return found, False
    try:
        return desk.create_ticket(draft), True
    except Conflict:
        found = desk.find_ticket(draft.key)
        if found is None:
            raise
        return found, False


def update_ticket_property(ticket_id: str, properties: dict[str, str], desk: Desk) -> None:
    """Set ticket properties to absolute values."""
    desk.update_ticket(ticket_id, properties)


def add_note(ticket_id: str, key: str, text: str, desk: Desk, *, in_doubt: bool = False) -> None:
    """Write an internal note on a ticket, once."""
    if not (in_doubt and desk.has_note(ticket_id, key)):
        desk.add_note(ticket_id, key, text)


def record_letter(
    ticket_id: str, key: str, letter: SentLetter, desk: Desk, *, in_doubt: bool = False
) -> None:
    """Write a letter that was sent into the ticket's messages, once."""
    if not (in_doubt and desk.has_note(ticket_id, key)):
        desk.record_letter(ticket_id, letter, key)


def send_email_to_contact(letter: Letter, mail: Mail, *, in_doubt: bool = False) -> Way:
    """Send a letter, once where the mail system can tell; return how it left, or « draft »."""
    return (mail.was_sent(letter) if in_doubt else None) or mail.send(letter)


def get_messages_for_ticket(ticket_id: str, desk: Desk) -> tuple[Message, ...]:
    """Return the mails of a ticket, ours and the client's, oldest first."""
    return desk.get_messages_for_ticket(ticket_id)


def store_text(case_id: str, name: str, text: str, store: Store) -> StoredFile:
    """Store a text beside the files of a case, unless one of this name is there already."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return store.put(f"{store.secret_folder(case_id)}/{name}", path, name)


def read_text(case_id: str, name: str, store: Store) -> bytes:
    """Return what `store_text` stored. Raises NotFound."""
    return store.get(f"{store.secret_folder(case_id)}/{name}")


def create_subtask(draft: SubtaskDraft, board: Board, *, in_doubt: bool = False) -> SubtaskRef:
    """Create the production subtask, once."""
    found = board.find_subtask(draft.marker) if in_doubt else None
    return found or board.create_subtask(draft)


def _upload(
    prefix: str,
    file: FileRef,
    store: Store,
    bring: Bring,
    recognise: Recognise,
    beside: Beside,
) -> FileFact:
    try:
        with bring(file) as path, beside() as near:
            found = recognise(file.name, path)
            key = f"{prefix}-{_slug(file.name)}"
            stored = store.put(f"{key}{found.extension}", path, file.name)
            thumbnail = _put_picture(f"{key}-thumbnail.png", found.draw(near), file.name, store)
    except FileProblem as problem:
        return _missing(file, problem)
    update = {**stored._asdict(), "thumbnail": thumbnail}
    return found.fact.model_copy(update=update)


def _put_picture(key: str, png: bytes | None, name: str, store: Store) -> str | None:
    """Store a thumbnail beside its model; return its link."""
    if png is None:
        return None
    with NamedTemporaryFile(suffix=".png") as file:
        file.write(png)
        file.flush()
        return store.put(key, Path(file.name), f"{name}.png").url


def _look_at(file: FileRef, bring: Bring, recognise: Recognise) -> FileFact:
    try:
        with bring(file) as path:
            return recognise(file.name, path).fact.model_copy(update={"size": path.stat().st_size})
    except FileProblem as problem:
        return _missing(file, problem)


def _missing(file: FileRef, problem: FileProblem) -> FileFact:
    return FileFact(name=file.name, problem=problem.message, facts={"problem": problem.code})


def _slug(name: str) -> str:
    stem = name.rpartition(".")[0] or name
    ascii_ = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_[:80]).strip("-") or "fichier"
