"""Words as people write them, and the matcher that finds phrases in them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.core.wordings import Tiles, first_words, spelled_out, words_of
from figsupport.core.words import Phrases, fold, printable, same_word, singular, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("", ""),
        ("  Chaise\t\nDE  Bureau ", "chaise de bureau"),
        ("Cheminée ORNEMENTÉE", "cheminee ornementee"),
        ("Chemine\u0301e", "cheminee"),
        ("Œuvre et cætera", "oeuvre et caetera"),
        ("l’objet « neuf » – 20 cm", 'l\'objet " neuf " - 20 cm'),
        ("d`accord", "d'accord"),
        ("je\u200b va\u00adlide\u202e", "je valide"),
        ("ﬁchier Ｃhaise ½", "fichier chaise 1⁄2"),
        ("a\x00b\x7fc", "abc"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_folded_like_any_other_text(text: str) -> None:
    """The short way for plain text ends where the long way does."""
    assert fold(text) == fold(f"{text} é")[:-1].rstrip()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'objet n'est pas dit", ("l", "objet", "n", "est", "pas", "dit")),
        ("Cadre 21x30, 2 fois", ("cadre", "21x30", "2", "fois")),
        ("😀 — …", ()),
    ],
)
def test_words_of_a_text(text: str, found: tuple[str, ...]) -> None:
    assert words(text) == found


def test_what_is_printed_keeps_lines_and_drops_what_cannot_be_seen() -> None:
    assert printable("a\u202eb\nc\x1b[2J\u200b") == "ab\nc[2J"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("chaise", "chaises"),
        ("tableau", "tableaux"),
        ("seau", "seaux"),
        ("cheval", "chevaux"),
        ("tasse", "tasses"),
        ("box", "boxes"),
        ("bench", "benches"),
        ("dish", "dishes"),
        ("glass", "glasses"),
        ("torche", "torches"),
    ],
)
def test_one_and_many_are_one_word(one: str, many: str) -> None:
    assert singular(one) == singular(many)


@pytest.mark.parametrize(
    ("word", "written", "same"),
    [
        ("table", "table", True),
        ("table", "cable", False),  # short words must be exact
        ("table", "tabble", False),
        ("cheminee", "cheminnee", True),
        ("cheminee", "chemine", True),
        ("cheminee", "chemniee", True),
        ("cheminee", "chaminee", True),
        ("cheminee", "cheminees", True),
        ("cheminee", "chaminnee", False),
        ("cheminee", "cheminnnee", False),
        ("fauteuil", "fauteil", True),
        ("buffet", "bufet", True),
        ("lustre", "lustr", False),
        ("livree", "livre", False),
        ("iframe", "frame", False),
        ("secretaire", "decretaire", False),
        ("123456", "123457", False),
        ("", "", True),
    ],
)
def test_one_slip_in_a_long_word(word: str, written: str, same: bool) -> None:
    assert same_word(word, written) is same


@given(st.text(alphabet="abcdefghij", min_size=7, max_size=12), st.data())
def test_any_one_slip_after_the_first_letter_is_forgiven(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(word) - 1))
    letter = data.draw(st.sampled_from("klm"))
    for written in (
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place:],
        word[:place] + letter + word[place + 1 :],
    ):
        assert same_word(word, written)


OBJECTS = Phrases(["table", "table basse", "table", "boîte", "cheminée", "lustre", "???"])
TURNS = Phrases(["avez … livré", "marche … pas", "… en 3d", "je … …"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("rien ici", []),
        ("deux TABLES BASSES", ["table basse"]),
        ("une table basse et une table", ["table basse", "table"]),
        ("un câble, une étable", []),
        ("boite à sel", ["boîte"]),
        ("cheminneé", ["cheminée"]),
        ("illustre", []),
        ("table\u200b", ["table"]),
    ],
)
def test_phrases_are_found(text: str, found: list[str]) -> None:
    assert OBJECTS.find(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("que vous nous avez livrés", ["avez … livré"]),
        ("vous avez déjà bien livré", ["avez … livré"]),
        ("vous avez dit hier que livré", []),
        ("ça ne marche vraiment pas", ["marche … pas"]),
        ("il marche", []),
        ("en 3D", ["… en 3d"]),
        ("je", ["je … …"]),
    ],
)
def test_a_gap_stands_for_up_to_two_words(text: str, found: list[str]) -> None:
    assert TURNS.find(text) == found


def test_places_count_words_and_say_whether_a_slip_was_forgiven() -> None:
    first, second = OBJECTS.places("une table basse, une cheminnée")
    assert first == (1, 3, "table basse", True)
    assert second == (4, 5, "cheminée", False)


@pytest.mark.parametrize("text", ["table basse " * 9_000, "cheminnee " * 9_000, "a" * 100_000])
def test_a_long_hostile_text_costs_linear_time(text: str) -> None:
    """Quadratic work on any of these takes many seconds, linear work a fraction of one."""
    begun = time.process_time()
    found = OBJECTS.places(text)
    assert len(found) == (0 if text[0] == "a" else 9_000)
    assert time.process_time() - begun < 3


WORDING = (((), ("je",)), (("valide",), ("valide", "bien")), ((), ("tout",)))


def test_a_wording_is_spelled_out() -> None:
    assert {*spelled_out(WORDING)} == {
        ("valide",), ("valide", "tout"), ("valide", "bien"), ("valide", "bien", "tout"),
        ("je", "valide"), ("je", "valide", "tout"), ("je", "valide", "bien"),
        ("je", "valide", "bien", "tout"),
    }  # fmt: skip
    assert all(words[0] == "je" for words in spelled_out(WORDING, "je"))
    assert [*spelled_out(WORDING, "nous")] == []
    assert {*first_words(WORDING)} == {"je", "valide"}
    assert {*first_words((((), ("peut",)),))} == {"peut"}
    assert words_of([WORDING]) == {"je", "valide", "bien", "tout"}


def test_tiles_have_the_weightiest_use() -> None:
    tiles = Tiles({"heavy": [WORDING], "light": [WORDING, ((("valide", "deja"),),)]})
    assert tiles.longest == 4
    assert tiles.use(("je", "valide")) == "heavy"
    assert tiles.use(("valide", "deja")) == "light"
    assert tiles.use(("valide", "nous")) is None
    assert tiles.use(("rien",)) is None


def test_phrases_of_wordings_are_found_with_slips_and_gaps() -> None:
    found = Phrases.of([((("annulez", "…", "commande"), ("refuse",)),), WORDING])
    assert found.find("anulez donc la commande") == ["annulez … commande"]
    assert found.find("Je valide tout, et refuse") == ["je valide tout", "refuse"]
    assert found.find("rien de tel") == []
