"""The letters: `emails/<kind>[.en].md` → Template."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from figsupport.core.letters import ACCEPT_WORDS, NAME, NAMES, OFFERS
from figsupport.core.model import STAFF, Language, LetterKind
from figsupport.core.rules import Template
from figsupport.directives.document import lines_of
from figsupport.errors import Problem


def read_templates(
    folder: Path, problems: list[Problem]
) -> Mapping[tuple[LetterKind, Language], Template]:
    """Return the letters of a folder by kind and language; `problems` gets what is wrong."""
    found: dict[tuple[LetterKind, Language], Template] = {}
    known = set()
    for kind in get_args(LetterKind):
        for language in get_args(Language):
            if kind in STAFF and language == "en":
                continue  # our own staff read French
            path = folder / (f"{kind}.md" if language == "fr" else f"{kind}.{language}.md")
            known.add(path.name)
            lines = lines_of(path, f"emails/{path.name}", problems)
            if lines:
                found[kind, language] = _template(path, lines, kind, language, problems.append)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix == ".md" and path.name not in known:
                expected = ", ".join(sorted(known))
                problems.append(
                    Problem(f"emails/{path.name}", f"unknown letter; expected {expected}")
                )
    return found


def _template(
    path: Path,
    lines: list[str],
    kind: LetterKind,
    language: Language,
    complain: Callable[[Problem], None],
) -> Template:
    subject, body = lines[0].strip(), "\n".join(lines[2:]).strip()
    name = f"emails/{path.name}"
    allowed, required = NAMES[kind]
    if "reference" in required and "[#$reference]" not in subject:
        complain(Problem(f"{name}:1", "the subject must hold [#$reference], so that answers match"))
    if len(lines) < 3 or lines[1].strip():
        complain(Problem(f"{name}:2", "an empty line is expected after the subject"))
    for number, line in enumerate(lines, 1):
        for word in NAME.findall(line):
            if word != "$" and word not in allowed:
                expected = ", ".join(f"${one}" for one in sorted(allowed))
                complain(Problem(f"{name}:{number}", f"unknown name ${word}; expected {expected}"))
        if re.search(r"\$(?![a-z_$])", line.replace("$$", "")):
            complain(Problem(f"{name}:{number}", "a « $ » alone; write « $$ » for the sign"))
    used = {"reference", *NAME.findall(body)}  # the subject's is checked above
    for word in sorted(required - used):
        complain(Problem(f"{name}:1", f"the name ${word} is missing in the text"))
    if kind in OFFERS and ACCEPT_WORDS[language] not in body:
        complain(
            Problem(
                f"{name}:1", f"the words « {ACCEPT_WORDS[language]} » are missing: how to accept"
            )
        )
    return Template(subject, body)
