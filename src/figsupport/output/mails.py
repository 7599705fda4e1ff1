"""What people see of mails that belong to no request."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from figsupport.core.model import Message
from figsupport.core.words import printable

_MOST = 600


def mails(found: Sequence[Message], answered: bool) -> RenderableType:
    """Return the mails, and what to type when they were seen to."""
    if not found:
        return Text("No mail waits.", "bold")
    parts: list[RenderableType] = []
    for mail in found:
        text = mail.text.strip()
        cut = f"{text[:_MOST]}…" if len(text) > _MOST else text
        parts += [
            Text.assemble(
                ("✉ ", "blue"), (printable(mail.subject) or "(sans objet)", "bold"),
                f"  {printable(mail.sender_name)} <{printable(mail.sender)}>",
                (f"  {mail.sent_at:%d/%m/%Y %H:%M}  {mail.id}", "dim"),
            ),
            Text("\n".join(f"  {printable(line)}" for line in cut.splitlines())),
        ]  # fmt: skip
        parts += [
            Text(f"  + {printable(file.name)}  {printable(file.path or file.url or '')}", "dim")
            for file in mail.attachments
        ]
    last = "They wait no more." if answered else "  figsupport mails --answered"
    return Group(*parts, Text(last, "bold" if answered else "cyan"))
