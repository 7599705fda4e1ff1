"""The second opinion: how a text is cut, what weights make of it, and when it holds back."""

import json

import pytest

from figsupport import directives
from figsupport.core.scorer import NO_OPINION, Head, Question, Scorer, pieces

SCORER = directives.load(directives.default_folder()).scorer


def a_scorer(**biases: int) -> Scorer:
    """A scorer that answers each question the same whatever the text, and knows these words."""
    questions: tuple[Question, ...] = ("support", "unnamed", "simple", "complex", "several")
    known = dict.fromkeys(pieces("une chaise en bois"), 0)
    return Scorer(1, {one: Head(biases.get(one, 0), known) for one in questions})


def test_a_text_is_cut_into_marked_words_pairs_and_their_pieces() -> None:
    found = pieces("Été 2026")
    assert found >= {" ete ", "ete 0", " et", "ete", "te ", " ete", "ete ", " 0 "}
    assert "e" not in found
    assert pieces("") == pieces("?! 😀") == frozenset()


def test_a_huge_text_is_read_at_both_ends_only() -> None:
    assert pieces("chaise " + "x" * 100_000 + " facture") >= {" chaise ", " facture "}
    assert len(pieces("abc def " * 50_000)) < 100


def test_weights_add_up_and_long_texts_do_not_weigh_more() -> None:
    document = {"scale": 2, "heads": {"support": {"bias": 1, "pieces": {"4": [" abc "]}}}}
    scorer = Scorer.parse(json.dumps(document))
    count = len(pieces("abc"))
    assert scorer.odds("abc", "support") == pytest.approx((1 + 4 / count**0.5) / 2)
    assert scorer.odds("xyz", "support") == 0.5
    assert scorer.odds("abc xyz", "support") < scorer.odds("abc", "support")


def test_without_words_or_weights_nothing_is_decided() -> None:
    assert SCORER.odds("", "support") == SCORER.odds("!!!", "complex") == 0.0
    silent = Scorer.parse(NO_OPINION)
    assert silent.odds("une facture", "support") == 0.0
    assert silent.complexity("une chaise") is None
    assert not silent.names_nothing("une chaise")


@pytest.mark.parametrize(
    ("biases", "expected"),
    [
        ({"complex": 2, "simple": -3, "several": -3}, "complex"),
        ({"complex": -1, "simple": -3, "several": -3}, None),
        ({"complex": -2, "simple": -3, "several": 1}, None),
        ({"complex": -2, "simple": 1, "several": -3}, None),
        ({"complex": -2, "simple": 2, "several": -3}, "simple"),
        ({"complex": -2, "simple": -1, "several": -3}, "standard"),
    ],
)
def test_a_price_needs_to_be_sure_of_every_answer(
    biases: dict[str, int], expected: str | None
) -> None:
    scorer = a_scorer(**biases)
    assert scorer.complexity("une chaise en bois") == expected
    strange = scorer.complexity("un krospek en bois")
    assert strange == ("complex" if expected == "complex" else None)


def test_a_text_may_surely_name_nothing() -> None:
    assert a_scorer(unnamed=2).names_nothing("ceci")
    assert not a_scorer(unnamed=1).names_nothing("ceci")


@pytest.mark.parametrize("text", ["Ma facture svp", "le canapé livré est trop grand", "bug AR"])
def test_support_is_known_by_its_words(text: str) -> None:
    assert SCORER.odds(text, "support") > 0 > SCORER.odds("Commode en chêne", "support")
