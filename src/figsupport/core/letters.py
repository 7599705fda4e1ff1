"""Letters from templates: a client's words go in as words, never as markup. Pure."""

import html
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from figsupport.core import assets
from figsupport.core.model import Case, FileFact, Language, LetterKind, Post, Reply
from figsupport.core.rules import Template
from figsupport.core.words import COLON, printable

Templates = Mapping[tuple[LetterKind, Language], Template]

_COMMON = "client objet reference"
_FACTS = "why words email ticket link description files judgement commands"


def _names(allowed: str, required: str) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(f"{_COMMON} {allowed}".split()), frozenset(f"reference {required}".split())


#: The names a template of each kind may use, and those that it must use.
NAMES: Mapping[LetterKind, tuple[frozenset[str], frozenset[str]]] = {
    "info": _names("missing", "missing"),
    "quote": _names("credits included", "credits"),
    "administrator": _names(_FACTS, "why ticket commands"),
    "confirmation": _names("credits", ""),
    "refusal": _names("", ""),
    "rejection": _names("reason", "reason"),
    "reminder": _names("credits", "credits"),
    "info_reminder": _names("missing", "missing"),
    "expiry": _names("", ""),
    "digest": (frozenset("day number waiting".split()), frozenset({"waiting"})),
}
#: The letters that offer a price: they must say how to accept it.
OFFERS: frozenset[LetterKind] = frozenset({"quote", "reminder"})
#: What an offer must say so that the client knows how to accept.
ACCEPT_WORDS: Mapping[Language, str] = {"fr": "Je valide", "en": "I accept"}
NAME = re.compile(r"\$(\$|[a-z_]+)")
_BULLET = "- "
_LONGEST_OBJECT = 120
_STYLE = "font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.5;color:#222"


class LetterText(NamedTuple):
    """A letter's subject (one line), its plain text and its HTML."""

    subject: str
    text: str
    html: str


def compose(template: Template, names: Mapping[str, str]) -> LetterText:
    """Return the letter of a template. Raises KeyError for a name that is not given."""
    clean = {name: printable(value).strip() for name, value in names.items()}
    subject = _filled(template.subject, {name: _line(value) for name, value in clean.items()})
    body = re.sub(r"\n{3,}", "\n\n", _filled(template.body, clean)).strip()
    return LetterText(_line(subject), f"{body}\n", _html(body))


def generate_info_request_message(case: Case, templates: Templates) -> LetterText:
    """Return the letter that names exactly what is missing."""
    missing = case.analysis.missing if case.analysis else ()
    return _to_client("info", case, templates, missing=_bullets(missing))


def generate_quote_message(case: Case, templates: Templates) -> LetterText:
    """Return the quote: the price, what it includes, how to accept."""
    included = _INCLUDED[case.language]
    models = [file for file in assets.usable(case.files) if file.kind == "model3d"]
    several = len(models) > 1
    found = [
        f"{_line(file.name)}{COLON[case.language]}{finding}" if several else finding
        for file in models
        for finding in assets.adjustments(file, case.language)
    ]
    kind = "adjustments" if several else "adjustment" if models else "modelling"
    what, *rest = included[kind]
    lines = (what, *found, *rest)
    price = credits_in_words(case.credits_estimes or 0, case.language)
    return _to_client("quote", case, templates, credits=price, included=_bullets(lines))


def generate_confirmation_message(case: Case, templates: Templates) -> LetterText:
    """Return the letter that says the work begins."""
    number = case.decision.credits if case.decision else case.credits_estimes
    price = credits_in_words(number or 0, case.language)
    return _to_client("confirmation", case, templates, credits=price)


def generate_refusal_message(case: Case, templates: Templates) -> LetterText:
    """Return the letter that notes the client's refusal."""
    return _to_client("refusal", case, templates)


def generate_rejection_message(case: Case, templates: Templates) -> LetterText:
    """Return the letter that says an administrator refused, and why."""
    reason = case.decision.notes if case.decision else ""
    return _to_client("rejection", case, templates, reason=reason)


def generate_reminder_message(case: Case, templates: Templates) -> LetterText:
    """Return the reminder of the open quote: its price again, and how to accept."""
    quote = case.open_quote
    price = credits_in_words((quote and quote.credits) or 0, case.language)
    return _to_client("reminder", case, templates, credits=price)


def generate_info_reminder_message(case: Case, templates: Templates) -> LetterText:
    """Return the reminder of what is missing."""
    missing = case.analysis.missing if case.analysis else ()
    before = {"fr": "les éléments demandés dans notre précédent message",
              "en": "what we asked for in our previous message"}  # fmt: skip
    listed = _bullets(missing or (before[case.language],))
    return _to_client("info_reminder", case, templates, missing=listed)


def generate_expiry_message(case: Case, templates: Templates) -> LetterText:
    """Return the letter that ends a request nobody answered about."""
    return _to_client("expiry", case, templates)


def generate_admin_notice_message(
    case: Case, templates: Templates, why: str, reply: Reply | None = None
) -> LetterText:
    """Return the notice to the administrator: all facts, and the commands to type.

    `why` is the occasion: complex, rounds, type, late, or the intent of `reply`.
    """
    ticket = case.ticket.id if case.ticket else "?"
    return compose(
        templates["administrator", "fr"],
        {
            "why": _WHY.get(why, why),
            "words": _said(reply),
            "reference": case.reference,
            "client": _client(case),
            "email": case.request.user_email,
            "objet": _object(case),
            "ticket": ticket,
            "link": case.ticket.url if case.ticket else "",
            "description": case.request.description or "(sans description)",
            "files": _bullets(map(_file, case.files)) or "aucun",
            "judgement": _judgement(case),
            "commands": commands(case, ticket),
        },
    )


def write(case: Case, post: Post, templates: Templates, reply: Reply | None = None) -> LetterText:
    """Return the letter that a post of the outbox stands for."""
    match post.letter:
        case "info":
            return generate_info_request_message(case, templates)
        case "quote":
            return generate_quote_message(case, templates)
        case "confirmation":
            return generate_confirmation_message(case, templates)
        case "refusal":
            return generate_refusal_message(case, templates)
        case "rejection":
            return generate_rejection_message(case, templates)
        case "reminder":
            return generate_reminder_message(case, templates)
        case "info_reminder":
            return generate_info_reminder_message(case, templates)
        case "expiry":
            return generate_expiry_message(case, templates)
        case _:
            return generate_admin_notice_message(case, templates, post.why, reply)


def credits_in_words(number: int, language: Language) -> str:
    """Return « 2 crédits » or “2 credits”."""
    word = "crédit" if language == "fr" else "credit"
    return f"{number} {word}{'s' if number > 1 else ''}"


_INCLUDED: Mapping[Language, Mapping[str, tuple[str, ...]]] = {
    "fr": {
        "adjustment": (
            "l'ajustement du fichier 3D que vous avez fourni",
            "un fichier prêt pour la réalité augmentée",
        ),
        "adjustments": (
            "l'ajustement des fichiers 3D que vous avez fournis",
            "des fichiers prêts pour la réalité augmentée",
        ),
        "modelling": (
            "la modélisation 3D complète de l'objet",
            "ses textures et ses matières",
            "un fichier prêt pour la réalité augmentée",
        ),
    },
    "en": {
        "adjustment": (
            "the adjustment of the 3D file you supplied",
            "a file ready for augmented reality",
        ),
        "adjustments": (
            "the adjustment of the 3D files you supplied",
            "files ready for augmented reality",
        ),
        "modelling": (
            "the full 3D modelling of the object",
            "its textures and materials",
            "a file ready for augmented reality",
        ),
    },
}
_WHY = {
    "complex": "demande complexe à chiffrer",
    "rounds": "demande toujours incomplète après trois lettres",
    "type": "type de demande incertain, classée SUPPORT",
    "question": "le client pose une question",
    "unclear": "réponse du client à lire",
    "more_info": "le client envoie des informations",
    "accept": "accord du client qui n'engage pas",
    "refuse": "refus du client qui n'engage pas",
    "late": "message sur une demande qui n'attendait pas de réponse",
}


def _to_client(kind: LetterKind, case: Case, templates: Templates, **names: str) -> LetterText:
    common = {"client": _client(case), "objet": _object(case), "reference": case.reference}
    return compose(templates[kind, case.language], {**common, **names})


def _client(case: Case) -> str:
    return _line(case.request.user_name) or case.request.user_email


def _object(case: Case) -> str:
    said = textwrap.shorten(_line(case.request.objet), _LONGEST_OBJECT, placeholder=" …")
    return said or {"fr": "sans objet", "en": "no subject"}[case.language]


def _said(reply: Reply | None) -> str:
    if reply is None:
        return ""
    reasons = _bullets(reply.reasons)
    return f"De {reply.sender} :\n\n{reply.words or '(aucun texte nouveau)'}\n\n{reasons}"


def _file(file: FileFact) -> str:
    return " — ".join((assets.line(file), *assets.remarks(file)))


def _judgement(case: Case) -> str:
    lines = []
    if case.classification is not None:
        why = " ; ".join(case.classification.reasons)
        lines.append(f"{case.classification.type} ({case.classification.by}) : {why}")
    if case.analysis is not None:
        why = " ; ".join(case.analysis.reasons)
        lines.append(f"{case.analysis.outcome} ({case.analysis.by}) : {why}")
    if case.validation_status is not None:
        lines.append(f"statut : {case.validation_status}")
    return _bullets(lines) or "- rien encore"


def commands(case: Case, ticket: str) -> str:
    """Return what an administrator may type about a case, one command a line."""
    if case.classification is not None and case.classification.type == "SUPPORT":
        return f"figsupport tickets {ticket}"
    price = case.credits_estimes or 3
    return "\n".join(
        (
            f"figsupport validate {ticket} --credits {price}",
            f"figsupport validate {ticket} --credits {price} --quote",
            f'figsupport validate {ticket} --reject --reason "…"',
        )
    )


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"{_BULLET}{_line(line)}" for line in lines)


def _filled(text: str, names: Mapping[str, str]) -> str:
    """Put the names in, once: what a client wrote is never read as a template."""
    return NAME.sub(lambda match: "$" if match[1] == "$" else names[match[1]], text)


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _html(body: str) -> str:
    parts = []
    for block in re.split(r"\n\s*\n", body):
        lines = [html.escape(line.strip()) for line in block.split("\n")]
        if all(line.startswith(_BULLET) for line in lines):
            items = "".join(f"<li>{line.removeprefix(_BULLET)}</li>" for line in lines)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(f"<p>{'<br>'.join(lines)}</p>")
    joined = "\n".join(parts)
    return f'<!doctype html>\n<html><body style="{_STYLE}">\n{joined}\n</body></html>\n'
