"""Letters out and in as Maildirs, which any mail program can open.

Maildir: one file a message, written in `tmp/` and moved to `new/` when it is whole
(https://cr.yp.to/proto/maildir.html).
"""

import hashlib
import itertools
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from figsupport.adapters.database import Sync
from figsupport.adapters.mime import to_mime
from figsupport.core.model import Attachment, Letter, Message, Way
from figsupport.errors import Unavailable
from figsupport.ports import Health
from figsupport.private import private_folder, sync_folder

_numbers = itertools.count()
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<[^>]{1,200}\.([A-Z2-7]{10})@", re.I | re.M)


class Maildir:
    """One Maildir: `tmp`, `new` and `cur`."""

    def __init__(self, folder: Path, sync: Sync = "full") -> None:
        self.folder = folder
        self._sync = sync

    def deliver(self, content: bytes, mark: str) -> Path:
        """Write a message; `mark` stands in its file name. Returns where it lies."""
        # time, process and count make the name unique (Maildir's rule)
        name = f"{time.time_ns()}.P{os.getpid()}Q{next(_numbers)}.{mark}"
        part, final = self.folder / "tmp" / name, self.folder / "new" / name
        try:
            if not part.parent.exists():
                self._create()
            descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as write:
                write.write(content)
                write.flush()
                if self._sync == "full":
                    os.fsync(write.fileno())
            part.rename(final)
            if self._sync == "full":
                sync_folder(final.parent)
        except OSError as error:
            raise Unavailable(
                f"The letter could not be written: {error.strerror}",
                hint=f"Check the space and the rights of {self.folder}.",
            ) from error
        return final

    def names(self) -> Iterator[str]:
        """Return the names of the messages, read and unread."""
        for place in ("new", "cur"):
            if (self.folder / place).is_dir():
                yield from os.listdir(self.folder / place)  # noqa: PTH208 — names only, fast

    def paths(self) -> list[Path]:
        """Return where the messages lie, half written ones too."""
        places = (self.folder / name for name in ("tmp", "new", "cur"))
        return [path for place in places if place.is_dir() for path in place.iterdir()]

    def _create(self) -> None:
        for place in ("cur", "new", "tmp"):  # « tmp » last: where it is, the others are
            private_folder(self.folder / place)


class LocalMail:
    """Letters into a Maildir. See `ports.Mail`."""

    def __init__(
        self, folder: Path, sender: str, clock: Callable[[], datetime], sync: Sync = "full"
    ) -> None:
        self._maildir = Maildir(folder, sync)
        self._sender = sender
        self._clock = clock

    def send(self, letter: Letter) -> Way:
        """Put the letter into the Maildir."""
        mime = to_mime(letter, self._sender, self._clock())
        self._maildir.deliver(mime.encode("ascii"), _mark(letter))
        return "mail"

    def was_sent(self, letter: Letter) -> Way | None:
        """Look for the letter by its Message-ID, which is in the file's name as a hash."""
        mark = f".{_mark(letter)}"
        names = (name.partition(":")[0] for name in self._maildir.names())
        return "mail" if any(name.endswith(mark) for name in names) else None

    def erase(self, reference: str) -> tuple[str, ...]:
        """Delete the letters whose Message-ID names the case."""
        for path in self._maildir.paths():
            named = _MESSAGE_ID.search(path.read_bytes())
            if named and named[1].decode() == reference:
                path.unlink(missing_ok=True)
        return ()

    def check(self) -> Health:
        """Count the letters."""
        count = sum(1 for _ in self._maildir.names())
        return Health(True, f"{count} letters in {self._maildir.folder}")


class Inbox:
    """The client's mail: a Maildir, and any `.eml` dropped beside it."""

    def __init__(self, folder: Path, sync: Sync = "full") -> None:
        self._maildir = Maildir(folder / "inbox", sync)
        self._archive = folder / "archive"
        self._attachments = folder / "attachments"

    def deliver(self, content: bytes) -> Path:
        """Put a mail into the inbox, as a mail server would."""
        return self._maildir.deliver(content, "client")

    def waiting(self) -> list[Path]:
        """Return the mails not yet taken in, oldest first by name."""
        folder = self._maildir.folder
        if not folder.is_dir():
            return []
        places = (folder, folder / "new", folder / "cur")
        found = [path for place in places if place.is_dir() for path in place.iterdir()]
        return sorted(
            (
                path
                for path in found
                if path.is_file() and not path.name.startswith(".") and not path.is_symlink()
                if path.parent != folder or path.suffix.lower() == ".eml"
            ),
            key=lambda path: path.name,
        )

    def read(self, path: Path, now: datetime) -> Message:
        """Return the mail in a file; its attachments are kept beside the inbox."""
        from figsupport.core.mail import parse_mail  # email takes 20 ms to import

        raw = path.read_bytes()
        mail = parse_mail(raw)
        # by content, not by Message-ID: a client could forge that of another
        identity = _identity(raw)
        attachments = tuple(
            Attachment(name=name, path=str(self._keep(identity, number, name, content)))
            for number, (name, content) in enumerate(mail.attachments, 1)
        )
        return Message(
            id=identity,
            sender=mail.sender,
            sender_name=mail.sender_name,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            headers=mail.headers,
            sent_at=mail.sent_at or now,
            attachments=attachments,
        )

    def archive(self, path: Path) -> None:
        """Move a mail that was taken in out of the inbox; nothing is deleted."""
        place = self._archive / "cur"
        for name in ("tmp", "new", "cur"):
            private_folder(self._archive / name)
        name = path.name if ":2," in path.name else f"{path.name}:2,S"
        if path.parent == self._maildir.folder:  # a dropped .eml may bear any name
            name = f"{time.time_ns()}.{name}"
        path.rename(place / name)

    def erase(self, gone: Callable[[str, bytes], bool]) -> None:
        """Delete the mails, waiting or archived, of which this says so, and what came with them.

        It is told the mail's identity and its content.
        """
        for path in (*self.waiting(), *Maildir(self._archive).paths(), *self._maildir.paths()):
            try:
                raw = path.read_bytes()
            except FileNotFoundError:  # named twice
                continue
            identity = _identity(raw)
            if gone(identity, raw):
                shutil.rmtree(self._attachments / identity, ignore_errors=True)
                path.unlink(missing_ok=True)

    def _keep(self, identity: str, number: int, name: str, content: bytes) -> Path:
        suffix = Path(name).suffix.lower()
        ending = suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
        path = self._attachments / identity / f"{number}{ending}"
        private_folder(path.parent)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.chmod(0o600)
        part.rename(path)
        return path


def _identity(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def _mark(letter: Letter) -> str:
    return hashlib.sha256(letter.message_id.encode()).hexdigest()[:16]
