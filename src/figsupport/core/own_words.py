"""From a mail to the client's own new words: no quote, no signature, nothing hidden. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from figsupport.core.words import printable, words

_CAP = 100_000
_LINE = 2_000
_WROTE = re.compile(r"(?:a écrit|wrote|a ecrit|schrieb)\s*:?\s*$", re.IGNORECASE)
_ATTRIBUTION = re.compile(r"^[\s>]*(?:le|on|el|am)\b.{0,40}\d", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"^[\s>]*(?:_{10,}|-{2,}\s*(?:message|mail|courriel|original|forwarded|e-mail)\b.{0,60}"
    r"|(?:début du message|begin forwarded message|message transféré)\b.{0,30}"
    r"|message du \d{1,2}/\d{1,2}/\d{2,4}.{0,20})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^[\s>*]*(?:de|from|envoyé(?: le)?|sent|date|à|a|to|objet|subject|cc|copie à)\s*:",
    re.IGNORECASE,
)
_FIRST_HEADER = re.compile(r"^[\s>*]*(?:de|from)\s*:", re.IGNORECASE)
_PHONE_LINE = re.compile(
    r"^\s*(?:envoyé (?:de|depuis|à partir|avec|via)|sent (?:from|with|via)|get outlook"
    r"|télécharge[rz] outlook|obtene[rz] outlook|provenance : courrier)\b",
    re.IGNORECASE,
)
_CLOSINGS = (
    "cordialement", "bien cordialement", "tres cordialement", "cdt", "cdlt", "crdt", "cordialmt",
    "respectueusement", "sincerement", "salutations", "sinceres salutations",
    "meilleures salutations", "salutations distinguees", "bien a vous", "bien a toi", "amicalement",
    "belle journee",
    "bonne journee", "bonne reception", "a bientot", "regards", "best regards", "kind regards",
    "warm regards", "best", "sincerely", "yours sincerely", "cheers", "all the best", "bav",
)  # fmt: skip
_DISCLAIMER = re.compile(
    r"confidenti|destinataire|intended|addressee|imprimer|environnement|environment|virus"
    r"|privileged|strictement|without the authori|unsubscribe|avant d.imprimer",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?(?:[;\s\"']|$)"
    r"|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em|%)?(?:[;\s\"']|$)|mso-hide\s*:\s*all"
    r"|(?:^|[;\s])color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent\b"
    r"|rgb\(\s*255\s*,\s*255\s*,\s*255)"
    r"|text-decoration[^;]{0,30}line-through|(?:max-)?(?:height|width)\s*:\s*0",
    re.IGNORECASE,
)
_QUOTES = (
    "blockquote, .gmail_quote, .gmail_attr, .yahoo_quoted, .moz-cite-prefix, .protonmail_quote, "
    "#divRplyFwdMsg, #appendonsend, .OutlookMessageHeader, #reply-intro, .zmail_extra"
)
_UNSEEN = "head, style, script, template, title, del, s, strike, [hidden], noscript"


class Own(NamedTuple):
    """The client's own words; `rest` is what else may be theirs: under the quote or the name."""

    text: str
    rest: str


def from_text(text: str, sent: Sequence[str], name: str = "") -> Own:
    """Return the own words of a plain text. `sent`: our letters; `name`: the contact's."""
    lines = [line[:_LINE].rstrip() for line in printable(text[:_CAP]).split("\n")]
    ours = _Ours(sent)
    above, below = _cut(lines)
    kept = [line for line in above if not ours.said(line)]
    own, signature = _sign(kept, name)
    under = [line for line in below if not ours.said(line) and not _HEADER.match(line)]
    rest = [line for line in (*signature, *under) if not _DISCLAIMER.search(line)]
    return Own("\n".join(own).strip(), "\n".join(rest).strip())


def from_html(html: str, sent: Sequence[str], name: str = "") -> Own:
    """Return the own words of an HTML body, of what a person sees of it."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[: 4 * _CAP])
    for node in tree.css(_UNSEEN):
        node.decompose()
    for node in tree.css("[style], font[color]"):
        colour = (node.attributes.get("color") or "").lower()
        if _HIDDEN.search((node.attributes.get("style") or "")[:1000]) or colour in _WHITE:
            node.decompose()
    quoted = []
    for node in tree.css(_QUOTES):
        quoted.append(node.text(separator="\n"))
        node.decompose()
    for node in tree.css("br, p, div, li, tr, h1, h2, h3, table, hr"):
        node.insert_before("\n")
    body = tree.body.text() if tree.body else ""
    own = from_text(_unwrapped(body), sent, name)
    ours = _Ours(sent)
    under = [line.strip() for text in quoted for line in text.split("\n")]
    left = [line for line in under if line and not ours.said(line) and not _is_mark(line)]
    return Own(own.text, "\n".join((own.rest, *left)).strip())


_WHITE = frozenset({"white", "#fff", "#ffffff"})


class _Ours:
    """What we wrote, to be told from what the client wrote."""

    def __init__(self, sent: Sequence[str]) -> None:
        self._lines = {words(line) for text in sent for line in text.split("\n")}
        self._all = " ".join(word for text in sent for word in words(text))

    def said(self, line: str) -> bool:
        """Tell whether a line is one of ours, whole, or a long piece of one (wrapped)."""
        spoken = words(line.lstrip("> "))
        if not spoken:
            return False
        return spoken in self._lines or (len(spoken) >= 4 and " ".join(spoken) in self._all)


def _cut(lines: list[str]) -> tuple[list[str], list[str]]:
    """Split lines into those above and around quotes, and those of an unmarked quote below."""
    own: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        skip = _mark(lines, number)
        if skip:
            number += skip
            following = next((one for one in lines[number:] if one.strip()), "")
            if not following.lstrip().startswith(">"):
                return own, [one.lstrip("> ") for one in lines[number:]]
        elif line.lstrip().startswith(">"):
            number += 1  # quoted by a mail program
        else:
            own.append(line)
            number += 1
    return own, []


def _mark(lines: list[str], number: int) -> int:
    """Return how many lines the beginning of a quote takes here, 0 when none begins."""
    line = lines[number]
    if _SEPARATOR.match(line):
        return 1
    if _ATTRIBUTION.match(line):
        for length in (1, 2, 3):
            joined = " ".join(lines[number : number + length]).rstrip("> ")
            if _WROTE.search(joined[-200:]):
                return length
    if _FIRST_HEADER.match(line):
        near = lines[number + 1 : number + 5]
        if sum(1 for one in near if _HEADER.match(one)) >= 2:
            return 1
    return 0


def _is_mark(line: str) -> bool:
    return bool(_WROTE.search(line[-200:]) or _HEADER.match(line) or _SEPARATOR.match(line))


def _sign(lines: list[str], name: str) -> tuple[list[str], list[str]]:
    """Split lines into the words and the signature under them."""
    begun = False
    for number, line in enumerate(lines):
        if line.strip() in ("--", "—", "–"):
            return lines[:number], lines[number + 1 :]
        if _PHONE_LINE.match(line):
            return lines[:number], lines[number + 1 :]
        if begun and (_is_closing(line) or _is_name(line, name)):
            return lines[:number], lines[number:]
        begun = begun or bool(line.strip())
    return lines, []


def _is_closing(line: str) -> bool:
    return " ".join(words(line)) in _CLOSINGS


def _is_name(line: str, name: str) -> bool:
    """Tell whether a line is the contact's name, or its beginning letters (« B. Caron »)."""
    spoken, known = words(line), words(name)
    titled = [word for word in spoken if word not in {"m", "mr", "mme", "mlle", "mrs", "ms", "dr"}]
    if not titled or not known or len(titled) > len(known) + 1:
        return False
    initials = "".join(word[0] for word in known)
    return all(any(full.startswith(w) for full in known) or w in initials for w in titled)


def _unwrapped(text: str) -> str:
    """Undo the line breaks of the HTML source; those of the page are doubled by then."""
    return "\n".join(" ".join(line.split()) for line in text.replace("\xa0", " ").split("\n"))
