"""The directives as values: `directives/*.md`, read strictly, every problem in one error."""

import re
from pathlib import Path
from typing import get_args

from figsupport.core.model import RequestType
from figsupport.core.rules import Briefing, Directives, Tariff, TypeWords
from figsupport.directives.conservation import read_retention
from figsupport.directives.delays import read_delays
from figsupport.directives.document import Document
from figsupport.directives.grid import read_grid
from figsupport.directives.letters import read_templates
from figsupport.directives.replies import read_replies
from figsupport.errors import InvalidDirectives, Problem, listed

#: The second opinion's weights, trained from `training/requests.txt`.
_WEIGHTS = Path(__file__).parents[1] / "scorer.json"
_DOLLARS = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?")
_DELIVERED = "SUPPORT : modèle déjà livré ou commandé"
_WISHES = "MODELISATION : demande nouvelle"


def default_folder() -> Path:
    """Return the repository's `directives/`, or the copy that travels in the wheel."""
    root = Path(__file__).parents[3]
    if (root / "pyproject.toml").is_file() and (root / "directives").is_dir():
        return root / "directives"
    return Path(__file__).parents[1] / "_directives"


def load(folder: Path) -> Directives:
    """Read a folder of directives. Raises InvalidDirectives naming every file and line."""
    problems: list[Problem] = []
    types = _types(Document(folder / "classification.md", problems))
    grid = read_grid(Document(folder / "grille_credits_modelisation.md", problems))
    replies = read_replies(Document(folder / "reponses.md", problems))
    briefing = _briefing(Document(folder / "claude.md", problems))
    retention = read_retention(Document(folder / "conservation.md", problems))
    delays = read_delays(Document(folder / "delais.md", problems))
    templates = read_templates(folder / "emails", problems)
    if problems:
        raise InvalidDirectives(
            f"The directives in {folder} cannot be used ({len(problems)} problems): "
            + listed(problems),
            hint="Correct the lines named; nothing was sent. The copy in the program's own "
            "repository shows how each file is written.",
            problems=problems,
        )
    return Directives(
        types=types,
        grid=grid,
        replies=replies,
        briefing=briefing,
        retention=retention,
        delays=delays,
        templates=templates,
        weights=_WEIGHTS.read_text(encoding="utf-8"),
    )


def _types(document: Document) -> TypeWords:
    kinds: tuple[RequestType, ...] = get_args(RequestType)
    document.expect(
        [
            *(
                f"{kind} : indices {strength}"
                for kind in kinds
                for strength in ("forts", "faibles")
            ),
            *(f"Sources {kind}" for kind in kinds),
            _DELIVERED,
            _WISHES,
            "Consignes à écarter",
        ]
    )
    found = TypeWords(
        strong={kind: document.phrases(f"{kind} : indices forts") for kind in kinds},
        weak={kind: document.phrases(f"{kind} : indices faibles") for kind in kinds},
        sources={kind: document.phrases(f"Sources {kind}") for kind in kinds},
        delivered=document.phrases(_DELIVERED),
        wishes=document.phrases(_WISHES),
        orders=document.phrases("Consignes à écarter"),
    )
    for title in ("{} : indices forts", "{} : indices faibles", "Sources {}"):
        one, other = (title.format(kind) for kind in kinds)
        document.opposed(one, other, "stands for SUPPORT and MODELISATION")
    document.opposed(_DELIVERED, _WISHES, "stands for SUPPORT and MODELISATION")
    return found


def _briefing(document: Document) -> Briefing:
    document.expect(["Demandes", "Réponses", "Tarifs"])
    tariffs: dict[str, Tariff] = {}
    for row in document.table("Tarifs", ("Modèle", "Entrée", "Sortie")):
        model, *prices = row.cells
        if all(_DOLLARS.fullmatch(price) for price in prices):
            tariffs[model] = Tariff(*(float(price.replace(",", ".")) for price in prices))
        else:
            document.problem(row.number, "a price is a number of dollars, such as 0.10")
    return Briefing(document.prose("Demandes"), document.prose("Réponses"), tariffs)
