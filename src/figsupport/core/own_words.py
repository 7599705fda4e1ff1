"""From a mail to the client's own new words: no quote, no signature, nothing hidden. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from figsupport.core.words import printable, words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_CAP = 100_000
_LINE = 2_000
_WROTE = re.compile(
    r"(?:a[ \xa0]écrit|wrote|a ecrit|schrieb)\s{0,3}[:-]{0,9}\s{0,3}$", re.IGNORECASE
)
_ATTRIBUTION = re.compile(r"^[\s>]*(?:le|on|el|am)\b.{0,40}\d", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"^[\s>]*(?:_{10,}|={10,}|-{2,}\s*(?:message|mail|courriel|original|forwarded|e-mail)\b.{0,60}"
    r"|-{2,}.{1,80}(?:a écrit|wrote) ?-{2,}"
    r"|(?:début du message|begin forwarded message|message transféré)\b.{0,30}"
    r"|message du ?:? \d{1,2}/\d{1,2}/\d{2,4}.{0,20})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^[\s>*]*(?:de|from|envoyé(?: le)?|sent|date|à|a|to|pour|objet|sujet|subject|cc|cci|copie à"
    r"|répondre à|reply-to)\s*:",
    re.IGNORECASE,
)
_FIRST_HEADER = re.compile(r"^[\s>*]*(?:de|from)\s*:", re.IGNORECASE)
_PHONE_LINE = re.compile(
    r"^\s*(?:envoyé (?:de|depuis|à partir|avec|via)|sent (?:from|with|via)|get outlook"
    r"|télécharge[rz] (?:outlook|\w{2,20} (?:pour|for))|obten(?:ez|ir) outlook"
    r"|provenance : courrier)\b",
    re.IGNORECASE,
)
_REACTED = re.compile(r"\b(?:a réagi via gmail|reacted via gmail)\b", re.IGNORECASE)
_CLOSINGS = (
    "cordialement", "bien cordialement", "tres cordialement", "cdt", "cdlt", "crdt", "cordialmt",
    "respectueusement", "sincerement", "salutations", "sinceres salutations",
    "meilleures salutations", "salutations distinguees", "bien a vous", "bien a toi", "amicalement",
    "belle journee",
    "bonne journee", "bonne reception", "a bientot", "regards", "best regards", "kind regards",
    "warm regards", "best", "sincerely", "yours sincerely", "cheers", "all the best", "bav",
)  # fmt: skip
_DISCLAIMER = re.compile(
    r"confidenti|destinataire|intended|addressee|imprim|environnement|environment|virus"
    r"|privileged|strictement|without the authori|unsubscribe"
    r"|\bouvert(?:e|ure)?\b|horaires|opening hours",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"^\W{0,5}(?:t[ée]l|mob|port|phone|fax|cell)[a-zé]{0,10}\W{0,5}[\d+(]"
    r"|^\s{0,9}[+(\d][\d .()/-]{8,24}$",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|opacity\s*:\s*0?(?:\.0\d*)?(?![.\d])|mso-hide\s*:\s*all"
    r"|font(?:-size)?\s*:\s*(?:0(?![.\d])|0?\.\d|[01](?:\.\d+)?(?:px|pt|%))"
    r"|color\s*:\s*(?:#fff(?:f|fff|fffff)?\b|white\b|transparent\b"
    r"|(?:rgba?\(\s*255\s*,\s*255\s*,\s*255|rgba\([^)]{0,40},\s*0(?:\.0\d*)?\s*\)))"
    r"|text-decoration[^;:]{0,20}:[^;]{0,30}line-through|text-indent\s*:\s*-\d{3,}"
    r"|(?:left|top|right)\s*:\s*-\d{3,}|clip(?:-path)?\s*:"
    r"|(?:max-)?(?:height|width)\s*:\s*0(?![.\d]))",
    re.IGNORECASE,
)
_SIMPLE = re.compile(r"[.#][A-Za-z_][\w-]{0,60}")
_RULE = re.compile(r"([^{}@;]{1,200})\{([^{}]{1,1000})\}")
_QUOTES = (
    "blockquote, .gmail_quote, .gmail_attr, .yahoo_quoted, .moz-cite-prefix, .protonmail_quote, "
    "#divRplyFwdMsg, #appendonsend, .OutlookMessageHeader, #reply-intro, .zmail_extra, "
    "[data-marker=__QUOTED_TEXT__], [data-marker=__HEADERS__]"
)
_UNSEEN = "head, style, script, template, title, noscript"
_STRUCK = "del, s, strike, [hidden], [aria-hidden=true]"
_WHITE = frozenset({"white", "#fff", "#ffffff"})
_SIGNS = (">", "|")
_DATES = frozenset(
    "lun mar mer jeu ven sam dim mon tue wed thu fri sat sun jan fev avr mai jui aou sep oct nov "
    "dec feb apr may jun jul aug am pm utc gmt cet a at".split()
)
_AFTER_NAME = re.compile(r"\s[–—|/@-]\s?|[,(]\s?")
_DESK = re.compile(
    r"(?:le |la |l['’]|the )?(?:service|secr[ée]tariat|[ée]quipe|direction|comptabilit[ée]"
    r"|accounts|purchasing)\b[\w '’&-]{0,40}$",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 6
#: What a visiting card says beside what `_DISCLAIMER` knows.
_CARD = re.compile(
    r"rendez-vous|\brdv\b|\bferm[ée]e?\b|devis gratuit|suivez|retrouvez"
    r"|(?:une|des) questions? \?|besoin d[’'](?:aide|un conseil) \?|appelez-nous|contactez-nous"
    r"|newsletter|printing|follow us|open\b"
    r"|by appointment|\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)s?\b",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\b(?:je|j[’']|(?<!rendez-)vous|votre|mais|si|sauf|plut[ôo]t|livr\w+|cr[ée]dits?|ps|p\.s|nb"
    r"|i|you|your|but|if|unless)\b",
    re.IGNORECASE,
)
_TRADE_WORDS = 9
_RUN = 4  # words that follow each other as in our letter are our letter
_MARKED_RUN = 8  # above a quote that is marked, the client repeats us in longer pieces only


class Own(NamedTuple):
    """The client's own words; `rest` is what else may be theirs: under the quote or the name.

    `hidden` is what stands in an HTML body without being seen, or struck out.
    """

    text: str
    rest: str
    hidden: str = ""


def from_text(text: str, sent: Sequence[str], name: str = "", *, marked: bool = False) -> Own:
    """Return the own words of a plain text. `sent`: our letters; `name`: the contact's.

    `marked`: a quote that was marked has been taken away already.
    """
    lines = [line[:_LINE].rstrip() for line in printable(text[:_CAP]).split("\n")]
    ours = _Ours(sent)
    above, below = _cut(lines)
    marked = marked or len(above) < len(lines)
    own, signature = _sign(ours.without(above, _MARKED_RUN if marked else _RUN), name)
    under = [line for line in ours.without(below, _RUN) if not _is_mark(line)]
    said = [line for line in signature if not _is_card(line)]
    rest = [line for line in (*said, *under) if not _DISCLAIMER.search(line)]
    return Own("\n".join(own).strip(), "\n".join(rest).strip())


def from_html(html: str, sent: Sequence[str], name: str = "") -> Own:
    """Return the own words of an HTML body, of what a person sees of it."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[: 4 * _CAP])
    ours = _Ours(sent)
    sheets = "\n".join(_taken(tree, "style"))
    _taken(tree, _UNSEEN)
    quoted = _taken(tree, _QUOTES)
    hidden = _taken(tree, _STRUCK, *_hidden_by(sheets))
    for node in tree.css("[style], font[color]"):
        colour = (node.attributes.get("color") or "").lower()
        if _HIDDEN.search((node.attributes.get("style") or "")[:1000]) or colour in _WHITE:
            hidden.append(node.text(separator="\n"))
            node.decompose()
    for node in tree.css("br, p, div, li, tr, td, th, h1, h2, h3, table, hr"):
        node.insert_before("\n")
    page = _unwrapped(tree.body.text() if tree.body else "")
    own = from_text(page, sent, name, marked=any(map(words, quoted)))
    under = "\n".join((own.rest, *_left(quoted, ours))).strip()
    return Own(own.text, under, "\n".join(_left(hidden, ours)))


def _taken(tree: "LexborHTMLParser", *selectors: str) -> list[str]:
    """Take what a selector names out of a page; return its texts."""
    texts = []
    for selector in selectors:
        for node in tree.css(selector):
            texts.append(node.text(separator="\n"))
            node.decompose()
    return texts


def _hidden_by(sheets: str) -> Iterator[str]:
    """Yield the selectors that the page's own style sheets hide, those that are simple."""
    for selectors, style in _RULE.findall(sheets[:_CAP]):
        if _HIDDEN.search(style):
            yield from _SIMPLE.findall(selectors)


def _left(texts: list[str], ours: "_Ours") -> list[str]:
    """The lines of some texts that we did not write, and that do not introduce a quote."""
    lines = [line.strip() for text in texts for line in text[:_CAP].split("\n")]
    lines, number = [line for line in lines if line], 0
    said = []
    while number < len(lines):
        skip = _mark(lines, number) or _is_mark(lines[number])
        if not skip:
            said.append(lines[number])
        number += max(skip, 1)
    return [line for line in ours.without(said, _RUN) if words(line)]


class _Ours:
    """What we wrote, to be told from what the client wrote."""

    def __init__(self, sent: Sequence[str]) -> None:
        letters = [words(text) for text in sent]
        self._lines = {words(line) for text in sent for line in text.split("\n")}
        self._shingles = {
            letter[place : place + _RUN]
            for letter in letters
            for place in range(len(letter) - _RUN + 1)
        }

    def without(self, lines: list[str], run: int) -> list[str]:
        """Return the lines without our words: whole lines of ours, and pieces cut otherwise.

        A piece is at least `run` words that follow each other as in a letter of ours, wherever
        the lines break; what the client put into a line of ours stays.
        """
        spoken = [words(line.lstrip("> ")) for line in lines]
        stream = [word for line in spoken for word in line]
        ours = self._pieces(stream, run)
        left, place = [], 0
        for line, said in zip(lines, spoken, strict=True):
            here = ours[place : place + len(said)]
            place += len(said)
            if len(said) >= _RUN and said in self._lines:
                continue
            if not any(here):
                left.append(line)
            elif not all(here):
                kept = (word for word, mine in zip(said, here, strict=True) if not mine)
                left.append(" ".join(kept) + (" ?" if "?" in line else ""))
        return left

    def _pieces(self, stream: list[str], run: int) -> list[bool]:
        """Tell of each word whether it stands in a piece of ours."""
        starts = [
            tuple(stream[place : place + _RUN]) in self._shingles for place in range(len(stream))
        ]
        ours = [False] * len(stream)
        for starting, group in groupby(range(len(stream)), key=lambda place: starts[place]):
            places = list(group)
            if starting and len(places) + _RUN - 1 >= run:
                ours[places[0] : places[-1] + _RUN] = [True] * (len(places) + _RUN - 1)
        return ours


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
            if not following.lstrip().startswith(_SIGNS):
                return own, [one.lstrip("> ") for one in lines[number:]]
        elif line.lstrip().startswith(_SIGNS):
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
    if _HEADER.match(line):
        near = lines[number : number + 8]
        heads = [place for place, one in enumerate(near) if _HEADER.match(one)]
        if len(heads) >= 3 and any(_FIRST_HEADER.match(near[place]) for place in heads):
            return 1  # what stands between the headers is looked at as what may object
    return 0


def _is_mark(line: str) -> bool:
    if _WROTE.search(line[-200:]) or _HEADER.match(line) or _SEPARATOR.match(line):
        return True
    said = words(line)  # the date of our letter
    return len(said) > 2 and all(word.isdigit() or word[:3] in _DATES for word in said)


def _sign(lines: list[str], name: str) -> tuple[list[str], list[str]]:
    """Split lines into the words and the signature under them."""
    begun = False
    last = _last_paragraph(lines)
    for number, line in enumerate(lines):
        if line.strip() in ("--", "---", "—", "–"):
            return lines[:number], lines[number + 1 :]
        if _PHONE_LINE.match(line) or _REACTED.search(line):
            own, signature = _sign(lines[:number], name)
            return own, [*signature, *lines[number + 1 :]]
        if begun and (_is_closing(line) or _is_name(line, name) or _PHONE.match(line)):
            return lines[:number], lines[number:]
        if begun and number >= last and _signs(line, name):
            return lines[:number], lines[number:]
        if not begun and name and set(words(name)) <= set(words(line)) and _is_name(line, name):
            return lines[:number], lines[number:]  # nothing but a signature
        begun = begun or bool(line.strip())
    return lines, []


def _is_card(line: str) -> bool:
    """Tell whether a line under the name says what a visiting card says, and nothing to us."""
    return bool(_CARD.search(line)) and not _ADDRESSED.search(line)


def _last_paragraph(lines: list[str]) -> int:
    """Return where the last paragraph begins, behind everything when it is long."""
    end = next((n for n in range(len(lines), 0, -1) if lines[n - 1].strip()), 0)
    start = next((n for n in range(end, 0, -1) if not lines[n - 1].strip()), 0)
    return start if end - start <= _SIGNATURE_LINES else len(lines)


def _signs(line: str, name: str) -> bool:
    """Tell whether a line is a name with trade or firm: « Paul Roy – luthier », « Atelier Roy ».

    All of its words but small ones begin large, and one of them is the contact's. A service signs
    without a name: « Service comptabilité ».
    """
    if _DESK.match(line.strip()):
        return True
    head, *trade = _AFTER_NAME.split(line.strip(), maxsplit=1)
    if trade:
        said = [word for word in words(trade[0]) if not word.isdigit()]  # with a telephone number
        return _is_name(head, name) and len(said) <= _TRADE_WORDS
    known = {word for word in words(name) if len(word) > 2}
    titles = all(word[:1].isupper() for word in line.split() if len(word) > 3 and word.isalpha())
    return titles and bool(known & {*words(line)}) and len(words(line)) <= _TRADE_WORDS


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
