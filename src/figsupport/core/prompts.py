"""What a model is told: our directives as instructions, the client's words as data. Pure."""

import json
from collections.abc import Mapping, Sequence

from figsupport.core.classify import without_orders
from figsupport.core.model import Case, FileFact, Request
from figsupport.core.rules import Directives
from figsupport.core.words import printable

_LONGEST = 12_000


def request_instructions(directives: Directives) -> str:
    """Return what a model is to do with requests, and the grid. The same for every request."""
    grid = directives.grid
    lists = {
        **{f"Objets « {level} »": names for level, names in grid.objects.items()},
        "Mots d'un travail orné": grid.ornaments,
        "Mots qui disent plusieurs objets": grid.several,
        "Parties d'un objet, qui ne sont pas d'autres objets": grid.parts,
    }
    listed = "\n".join(f"{title} : {', '.join(names)}." for title, names in lists.items())
    return f"{directives.briefing.requests}\n\nLa grille :\n{listed}"


def reply_instructions(directives: Directives) -> str:
    """Return what a model is to do with replies. The same for every reply."""
    return directives.briefing.replies


def about_request(
    request: Request, files: Sequence[FileFact], directives: Directives, salt: str
) -> str:
    """Return a request as data; sentences that command the program are left out."""

    def shown(text: str) -> str:
        return _shown(without_orders(text, directives.types))

    said = {
        "source": shown(request.source),
        "objet": shown(request.objet),
        "description": shown(request.description),
        "fichiers": [f"{shown(file.name)} ({file.kind})" for file in files],
    }
    return f"La demande du client :\n{_as_data(said, salt)}"


def about_reply(own_words: str, case: Case, salt: str) -> str:
    """Return a client's own words as data, after what our letter asked."""
    quote = case.open_quote
    asked = (
        f"Nous avons envoyé un devis de {quote.credits} crédit(s)."
        if quote is not None
        else "Nous avons demandé ce qui manque à la demande."
    )
    return f"{asked}\nLa réponse du client :\n{_as_data({'texte': _shown(own_words)}, salt)}"


def _shown(text: str) -> str:
    return printable(text)[:_LONGEST]


def _as_data(said: Mapping[str, object], salt: str) -> str:
    """Return JSON inside a tag that a client cannot know, and cannot close."""
    text = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    return f"<client-{salt}>{text}</client-{salt}>"
