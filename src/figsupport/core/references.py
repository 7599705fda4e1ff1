"""Message-IDs and references: how a letter and its answer find each other. Pure."""

import re
from typing import NamedTuple, get_args

from figsupport.core.model import Case, LetterKind, Message, reference

_REFERENCE = r"[A-Z2-7]{10}"
_IN_SUBJECT = re.compile(rf"\[#({_REFERENCE})\]")
_IN_MESSAGE_ID = re.compile(rf"<[a-z0-9._]{{1,60}}\.({_REFERENCE})@[^<>@\s]{{1,190}}>")
_CAP = 20_000


def message_id(case: Case, key: str, domain: str) -> str:
    """Return the Message-ID of the letter with this key: the same on every rerun."""
    kind = key.removeprefix(f"{case.id}:").removeprefix("mail:").replace(":", ".")
    return f"<{kind}.{reference(case.id)}@{domain}>"


def references(message: Message) -> list[str]:
    """Return the references of cases that a message names, the surest first.

    What it answers (In-Reply-To, References) comes before what its subject says.
    """
    headers = " ".join(message.headers.get(name, "") for name in ("in-reply-to", "references"))
    found = _IN_MESSAGE_ID.findall(headers[:_CAP]) + _IN_SUBJECT.findall(message.subject[:_CAP])
    return list(dict.fromkeys(found))


class LetterName(NamedTuple):
    """What the Message-ID of one of our letters says: its kind and its key on the case."""

    kind: LetterKind
    key: str


def letter_name(message_id: str) -> LetterName | None:
    """Return what a Message-ID says when it is one of ours, else None."""
    if not _IN_MESSAGE_ID.fullmatch(message_id):
        return None
    name = message_id[1:].partition("@")[0].rpartition(".")[0]
    word = name.partition(".")[0]
    kind = next((kind for kind in get_args(LetterKind) if kind == word), None)
    return LetterName(kind, name.replace(".", ":")) if kind else None
