"""What people see of what is kept of a client, of backups, and of a move."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from figsupport.core.words import printable

_COUNTED = {
    "cases": "requests",
    "tickets": "tickets",
    "messages": "messages",
    "letters": "letters",
    "notes": "notes",
    "files": "files",
}


def held(document: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [_counted("Held on this client", document)]
    if "file" in document:
        parts.append(_written(document))
    return Group(*parts)


def erased(document: dict[str, Any]) -> RenderableType:
    stays = [
        Text.assemble(("  • ", "yellow"), printable(sentence)) for sentence in document["stays"]
    ]
    return Group(_counted("Erased", document), Text("What stays:", "bold"), *stays)


def backup(document: dict[str, Any]) -> RenderableType:
    if "files" not in document:
        return Text.assemble("Would copy ", printable(document["home"]))
    return Text.assemble(
        ("✓ ", "green"), printable(document["file"]),
        (f"  {document['files']} files, {document['size']} bytes", "dim"),
    )  # fmt: skip


def restored(document: dict[str, Any]) -> RenderableType:
    about = f"the state of {document['taken_at']}, {document['files']} files, each verified"
    if "home" not in document:
        return Text.assemble(("✓ ", "green"), f"The backup is sound: {about}")
    parts = [Text.assemble(("✓ ", "green"), printable(document["home"]), f" holds {about}")]
    if document["before"]:
        parts.append(Text(f"  What was there is kept in {printable(document['before'])}", "dim"))
    parts.append(Text("  figsupport poll", "cyan"))
    return Group(*parts)


def moved(found: Any) -> RenderableType:
    if found.already:
        return Text("These cases live in PostgreSQL already: nothing was moved.", "bold")
    return Text.assemble(
        (f"{found.cases} cases", "bold"),
        f" ({found.open} of them open) and {found.messages} messages live in PostgreSQL now. The "
        "old file stays as it was, closed to every command: keep FIGSUPPORT_DATABASE_URL set.",
    )


def _counted(title: str, document: dict[str, Any]) -> Text:
    numbers = {word: _number(document[name]) for name, word in _COUNTED.items() if name in document}
    told = [f"{number} {word if number != 1 else word[:-1]}" for word, number in numbers.items()]
    return Text.assemble((f"{title}: ", "bold"), ", ".join(told))


def _number(found: Any) -> int:
    return found if isinstance(found, int) else len(found)


def _written(document: dict[str, Any]) -> Text:
    size = f"{document['size']} bytes, SHA-256 {document['sha256']}"
    return Text.assemble(("✓ ", "green"), printable(document["file"]), (f"  {size}", "dim"))
