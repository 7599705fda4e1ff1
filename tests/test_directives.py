"""The directives: what staff write is read strictly, and every problem is named at once."""

import shutil
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from figsupport import directives
from figsupport.directives import load
from figsupport.errors import InvalidDirectives

DELAYS = "delais.md"
GRID, KEPT = "grille_credits_modelisation.md", "conservation.md"
Edit = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(directives.default_folder(), tmp_path / "directives")


def edit(path: Path, change: Edit) -> None:
    text = path.read_text("utf-8")
    changed = change(text)
    assert changed != text, "the test changes nothing"
    path.write_text(changed, "utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(InvalidDirectives) as caught:
        load(folder)
    assert all(str(problem.field) in caught.value.message for problem in caught.value.problems)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def swap(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


def after(heading: str, line: str) -> Edit:
    return swap(f"## {heading}\n", f"## {heading}\n\n{line}\n")


ROW = "| vase, soliflore,"
HEADER = "| Objets | Complexité | Crédits | À savoir |"


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        # sections
        (GRID, swap("## Limites", "## Limits"), "unknown section « Limits »"),
        (GRID, swap("## Fichiers utilisables", "## Principes"), "stands twice"),
        (GRID, swap("## Plusieurs objets", "### Plusieurs objets"), "« ## Plusieurs objets » is"),
        ("reponses.md", swap("## Refuser", "## Dire non"), "« ## Refuser » is missing"),
        ("classification.md", lambda text: "Bonjour.\n", "« ## Sources SUPPORT » is missing"),
        # how long what is kept
        (
            KEPT,
            swap("| support | 12 |", "| soutien | 12 |"),
            "« soutien »; expected one of support",
        ),
        (KEPT, swap("| support | 12 |", "| support | douze |"), "a number of months from 1 to 600"),
        (KEPT, swap("| support | 12 |", "| support | 0 |"), "a number of months from 1 to 600"),
        (KEPT, swap("| support | 12 |", "| validé | 12 |"), "« validé » stands twice"),
        (KEPT, swap("| support | 12 |\n", ""), "no usable line of « Durées » tells of « support »"),
        (
            KEPT,
            swap("- conserver les", "- garder les"),
            "« garder les preuves d'acceptation »; exp",
        ),
        (
            KEPT,
            swap("- conserver les preuves d'acceptation\n", ""),
            "« Effacement » needs one line",
        ),
        (
            KEPT,
            after("Effacement", "- effacer les preuves d'acceptation"),
            "; expected « conserver",
        ),
        # sizes
        (GRID, swap("| lit, bed | 0,9 | 3 |", "| lit, bed | grand | 3 |"), "two numbers of metres"),
        (GRID, swap("| lit, bed | 0,9 | 3 |", "| lit, bed | 3 | 0,9 |"), "the smaller first"),
        (GRID, swap("| lit, bed | 0,9 | 3 |", "| lit, bed | 1 | nan |"), "two numbers of metres"),
        (GRID, swap("| lit, bed | 0,9 | 3 |", "| lit,, bed | 0,9 | 3 |"), "an empty object name"),
        (
            GRID,
            swap("| lit, bed | 0,9 | 3 |", "| lit, chaise | 0,9 | 3 |"),
            "« chaise » stands twice",
        ),
        (GRID, swap("| tout autre objet |", "| autre |"), "has no line « tout autre objet »"),
        (GRID, swap("| fichier3d |", "| fichier4d |"), "code « fichier4d »; expected fichier,"),
        (GRID, swap("dessus) : celles", "dessus), $objet : celles"), "unknown name « $objet »"),
        # lists
        ("reponses.md", after("Refuser", "- "), "«  » has no word"),
        ("reponses.md", after("Refuser", "- ???"), "« ??? » has no word"),
        ("reponses.md", after("Refuser", "- Jamais !\n- jamais"), "« jamais » stands already in"),
        ("reponses.md", after("Refuser", "* jamais"), "« * jamais »: a line of a list starts"),
        ("reponses.md", after("Refuser", "- je valide"), "accepts and objects at once"),
        ("reponses.md", after("Objecter", "- Je valide"), "accepts and objects at once"),
        ("classification.md", after("Sources SUPPORT", "- devis"), "SUPPORT and MODELISATION"),
        (
            "classification.md",
            after("MODELISATION : indices forts", "- Factures\n- facture"),
            "« facture » stands for SUPPORT and MODELISATION",
        ),
        (
            "classification.md",
            after("MODELISATION : demande nouvelle", "- delivered"),
            "« delivered » stands for SUPPORT and MODELISATION",
        ),
        (
            "classification.md",
            swap("## Sources SUPPORT", "## Sources SUPPORT\n\nAucune.\n\n## Autres"),
            "« Sources SUPPORT » has no line starting with",
        ),
        # the table of objects
        (GRID, swap("## Objets\n", "## Objets\n\n## Objets rares\n"), "| À savoir is expected"),
        (GRID, swap(HEADER, "| Objets | Prix |"), "columns Objets | Complexité | Crédits"),
        (GRID, swap(ROW, "| truc | simple | 1 |\n" + ROW), "3 cells; expected 4"),
        (GRID, swap(ROW, "| truc | facile | 1 | |\n" + ROW), "complexity « facile »; expected"),
        (GRID, swap(ROW, "| truc | simple | 0 | |\n" + ROW), "« 0 »; expected a number from 1 to"),
        (GRID, swap(ROW, "| truc | simple | 21 | |\n" + ROW), "« 21 »; expected a number"),
        (GRID, swap(ROW, "| truc | simple | ² | |\n" + ROW), "« ² »; expected a number"),
        (GRID, swap(ROW, "| truc | simple | 3 | |\n" + ROW), "has another price in a line above"),
        (GRID, swap(ROW, "| truc | complex | 5 | |\n" + ROW), "has the price « Admin »"),
        (GRID, swap(ROW, "| truc,, | simple | 1 | |\n" + ROW), "an empty object name"),
        (GRID, swap(ROW, "| | simple | 1 | |\n" + ROW), "an empty object name"),
        (GRID, swap(ROW, "| Chaise | simple | 1 | |\n" + ROW), "« chaise » stands already"),
        (
            GRID,
            swap("| fichier 3D fourni | ajustement | 1 |", "| fichier 3D fourni | simple | 1 |"),
            "no line of « Objets » has the complexity « ajustement »",
        ),
        # usable files, and what may be missing
        (GRID, swap("| plan | pdf", "| dessin | pdf"), "« dessin »; expected one of photo, plan"),
        (GRID, swap("| plan | pdf", "| plan | .pdf"), "« .pdf » is no extension"),
        (GRID, swap("| plan | pdf", "| plan | jpg"), "« jpg » stands twice"),
        (GRID, swap("| fichier | au", "| photo | au"), "code « photo »; expected fichier"),
        (GRID, swap("| fichier | au", "| photo | au"), "has no line « fichier »"),
        (GRID, swap("$noms |", "$nom |"), "unknown name « $nom »"),
        (GRID, swap("| fichier | au", "| fichier | | au"), "4 cells; expected 3"),
        (
            GRID,
            swap("| inutilisable |", "| inutilisable | | |\n| inutilisable |"),
            "« inutilisable » needs a sentence in both languages",
        ),
        # the briefing of a model
        ("claude.md", swap("## Demandes", "## Requêtes"), "« ## Demandes » is missing"),
        ("claude.md", swap("## Réponses", "## Réponses\n\n## Tarifs"), "« Réponses » is empty"),
        ("claude.md", swap("| 0.10 |", "| dix |"), "a price is a number of dollars"),
        ("claude.md", swap("| 0.10 |", "| -1 |"), "a price is a number of dollars"),
        ("claude.md", swap("| 0.10 |", "| nan |"), "a price is a number of dollars"),
        ("claude.md", swap("| Modèle |", "| Nom |"), "columns Modèle | Entrée | Sortie"),
        # delays
        (DELAYS, swap("| devis | 3 |", "| devis | trois |"), "a whole number of business days"),
        (DELAYS, swap("| devis | 3 |", "| devis | 0 |"), "a whole number of business days"),
        (DELAYS, swap("| devis | 3 | 5 | 10 |", "| devis | 3 | 5 | — |"), "a whole number of"),
        (DELAYS, swap("| devis | 3 |", "| devis | — |"), "a second reminder needs a first one"),
        (DELAYS, swap("| devis |", "| quote |"), "unknown row « quote »; expected « devis », «"),
        (DELAYS, swap("| devis |", "| demande d'informations |"), "stands twice"),
        (DELAYS, swap("| devis | 3 | 5 | 10 |\n", ""), "the row « devis » is missing"),
        (DELAYS, swap("- lundi", "- lundy"), "« lundy » is no day; expected lundi … dimanche"),
        (DELAYS, swap("| 9 h |", "| neuf |"), "« neuf » is no hour; expected 9 h or 8 h 30"),
        (DELAYS, swap("| 18 h |", "| 24 h |"), "« 24 h » is no hour"),
        (DELAYS, swap("| 18 h |", "| 8 h 59 |"), "must come before « dernier envoi »"),
        (DELAYS, swap("| Heure |", "| Quoi |"), "columns Heure | Valeur"),
        # letters
        ("emails/reminder.md", swap("Je valide", "Oui"), "« Je valide » are missing"),
        ("emails/digest.md", swap("$waiting", ""), "the name $waiting is missing"),
        ("emails/digest.md", swap("$day", "$client"), "unknown name $client; expected $day"),
        ("emails/info.md", swap("[#$reference]", ""), "the subject must hold [#$reference]"),
        ("emails/info.md", swap("\n\n", "\n"), "an empty line is expected after the subject"),
        ("emails/info.md", lambda _: "Sujet [#$reference]\n", "info.md:2: an empty line"),
        ("emails/info.md", swap("$missing", ""), "the name $missing is missing"),
        ("emails/info.md", swap("$client", "$clinet"), "info.md:3: unknown name $clinet"),
        ("emails/info.md", swap("$client", "10 $ $client"), "info.md:3: a « $ » alone"),
        ("emails/quote.md", swap("Je valide", "J'accepte"), "« Je valide » are missing"),
        ("emails/quote.en.md", swap("I accept", "Yes"), "« I accept » are missing"),
        (
            "emails/quote.md",
            lambda text: text.partition("\n")[0] + text.partition("\n")[2].replace("$credits", ""),
            "the name $credits is missing in the text",
        ),
        ("emails/rejection.md", swap("$reason", ""), "the name $reason is missing"),
        ("emails/administrator.md", swap("$commands", ""), "the name $commands is missing"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, name: str, change: Edit, expected: str) -> None:
    edit(folder / name, change)
    found = problems(folder)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(
    "name",
    [
        "classification.md",
        GRID,
        "reponses.md",
        "claude.md",
        DELAYS,
        "emails/quote.md",
        "emails/info.en.md",
    ],
)
def test_a_file_that_is_missing_empty_huge_or_no_text(folder: Path, name: str) -> None:
    path = folder / name
    for content, expected in (
        (b" \n\n", "is empty"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8"),
        (b"-" * 500_001, "is larger than"),
    ):
        path.write_bytes(content)
        assert [f"{name}: {expected}" in problem for problem in problems(folder)] == [True]
    path.unlink()
    assert problems(folder) == [f"{name}: is missing"]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path / "nowhere")
    assert len(found) == 6 + 18
    assert all(problem.endswith("is missing") for problem in found)


def test_the_line_is_named(folder: Path) -> None:
    text = (folder / GRID).read_text("utf-8")
    line = 1 + text[: text.index(ROW)].count("\n")
    edit(folder / GRID, swap(ROW, "| truc | facile | 1 | |\n" + ROW))
    assert problems(folder)[0].startswith(f"{GRID}:{line}: ")


def test_a_letter_nobody_sends_is_a_mistyped_one(folder: Path) -> None:
    (folder / "emails" / "qoute.md").write_text("x", "utf-8")
    (folder / "emails" / "notes.txt").write_text("for us", "utf-8")
    assert problems(folder)[0].startswith("emails/qoute.md: unknown letter; expected admin")


@pytest.mark.parametrize("write", [lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n")])
def test_files_written_on_windows_say_the_same(folder: Path, write: Edit) -> None:
    for path in folder.rglob("*.md"):
        path.write_bytes(write(path.read_text("utf-8")).encode())
    read, ours = load(folder), load(directives.default_folder())
    assert (read.types, read.grid, read.replies) == (ours.types, ours.grid, ours.replies)
    assert read.templates == ours.templates


def test_prose_is_for_people(folder: Path) -> None:
    edit(folder / GRID, after("Objets", "Une phrase, **libre**.\n\n> Une note."))
    edit(folder / "reponses.md", swap("\n## ", "\nUne introduction.\n\n- même une liste\n\n## "))
    assert load(folder).replies == load(directives.default_folder()).replies


def test_one_row_adds_an_object(folder: Path) -> None:
    edit(folder / GRID, swap(ROW, "| zibulon, widget | standard | 2 | |\n" + ROW))
    grid = load(folder).grid
    assert grid.complexity_of["zibulon"] == "standard"
    assert grid.found.find("trois Zibulons") == ["zibulon"]


def test_delays_as_the_business_writes_them(folder: Path) -> None:
    ours = load(folder).delays
    assert (ours.quote, ours.info, sorted(ours.weekdays)) == (
        (3, 5, 10),
        (3, 5, 10),
        [1, 2, 3, 4, 5],
    )
    assert (ours.opens, ours.closes, ours.digest) == (time(9), time(18), time(8, 30))
    edit(folder / DELAYS, swap("| devis | 3 | 5 | 10 |", "| devis | — | — | 30 |"))
    edit(
        folder / DELAYS,
        swap("| demande d'informations | 3 | 5 |", "| demande d'informations | 4 | — |"),
    )
    edit(folder / DELAYS, swap("- mercredi", "- Samedi"))
    edit(folder / DELAYS, swap("18 h", "20:30"))
    found = load(folder).delays
    assert (found.quote, found.info) == ((30,), (4, 10))
    assert (sorted(found.weekdays), found.closes) == ([1, 2, 4, 5, 6], time(20, 30))


def test_the_grid_is_broad() -> None:
    grid = load(directives.default_folder()).grid
    assert {level: len(names) > 60 for level, names in grid.objects.items()} == {
        "simple": True,
        "standard": True,
        "complex": True,
    }
    assert (grid.adjustment_credits, grid.credits) == (
        1,
        {"simple": 1, "standard": 2, "complex": None},
    )


def test_the_wheel_carries_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "lib" / "site-packages" / "figsupport" / "directives" / "__init__.py"
    monkeypatch.setattr(directives, "__file__", str(installed))
    assert directives.default_folder() == installed.parents[1] / "_directives"
