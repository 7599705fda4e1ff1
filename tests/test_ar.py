"""Ready for augmented reality? One row for each limit, said in two languages."""

from typing import Any

import pytest

from figsupport import directives
from figsupport.core.ar import FORMATS, LIMITS, Limit, Target, verdicts
from figsupport.core.dimensions import doubt
from figsupport.core.model import Language

GRID = directives.load(directives.default_folder()).grid
GOOD: dict[str, Any] = {
    "opens": True, "triangles": 9_000, "triangles_drawn": 12_000, "vertices": 8_000, "draws": 3,
    "materials": 2, "textures": [[2048, 1024], None], "animations": 1, "animation_seconds": 4.0,
    "uv_sets": 1, "extensions_required": [],
}  # fmt: skip
EVERYWHERE = dict.fromkeys(FORMATS, True)


def oks(
    facts: dict[str, Any], size: int | None = 900_000, format_name: str = "glb"
) -> dict[Target, bool | None]:
    return {target: verdict.ok for target, verdict in verdicts(facts, size, format_name).items()}


def test_of_a_file_that_does_not_open_nothing_is_said() -> None:
    assert verdicts({"opens": False}, 1, "glb") == {}
    assert verdicts({"opens": None}, 1, "blend") == {}
    assert verdicts({}, None, "glb") == {}


def test_a_good_glb_suits_all_but_apple_and_a_good_usdz_apple_and_shopify() -> None:
    assert oks(GOOD) == EVERYWHERE | {"apple": False}
    assert oks(GOOD, format_name="usdz") == dict.fromkeys(FORMATS, False) | {
        "apple": True,
        "shopify": True,
    }


@pytest.mark.parametrize(
    ("change", "size", "target", "french", "english"),
    [
        ({"triangles_drawn": 412_000}, 1, "web", "412 000 triangles : ramener à 150 000", "412,000 triangles: reduce to 150,000"),
        ({"triangles_drawn": None, "triangles": 200_000}, 1, "apple", "200 000 triangles : ramener à 100 000", "200,000 triangles: reduce to 100,000"),
        ({"textures": [[4096, 512]]}, 1, "google", "texture de 4 096 pixels : ramener à 2 048", "a texture of 4,096 pixels: reduce to 2,048"),
        ({}, 41_500_000, "web", "fichier de 41,5 Mo : alléger à 3 Mo", "a file of 41.5 MB: bring down to 3 MB"),
        ({"draws": 600}, 1, "web", "600 appels de dessin : regrouper en 500 au plus", "600 draw calls: merge into 500 at most"),
        ({"vertices": 31_000}, 1, "android", "31 000 sommets : ramener à 30 000", "31,000 vertices: reduce to 30,000"),
        ({"materials": 14}, 1, "android", "14 matières : réduire à 10", "14 materials: reduce to 10"),
        ({"uv_sets": 2}, 1, "android", "2 jeux de coordonnées UV : n'en garder que 1", "2 UV sets: keep only 1"),
        ({"animation_seconds": 12.5}, 1, "apple", "animation de 12,5 s : ramener à 10 s", "an animation of 12.5 s: reduce to 10 s"),
        ({"extensions_required": ["KHR_texture_basisu"]}, 1, "android", "compression KTX2 : n'est pas lue, à retirer", "KTX2 compression: is not read, take it out"),
        ({"extensions_required": ["KHR_draco_mesh_compression"]}, 1, "apple", "compression Draco : n'est pas lue, à retirer", "Draco compression: is not read, take it out"),
        ({}, 501_000_000, "shopify", "fichier de 501 Mo : alléger à 500 Mo", "a file of 501 MB: bring down to 500 MB"),
        ({}, 16_000_000, "google", "fichier de 16 Mo : alléger à 15 Mo", "a file of 16 MB: bring down to 15 MB"),
    ],
)  # fmt: skip
def test_what_must_be_mended_is_said(
    change: dict[str, Any], size: int, target: Target, french: str, english: str
) -> None:
    facts = GOOD | change
    format_name = "usdz" if target == "apple" and "extensions_required" not in change else "glb"
    told = {tongue: verdicts(facts, size, format_name, tongue)[target] for tongue in ("fr", "en")}
    assert french in told["fr"].findings
    assert english in told["en"].findings
    assert told["fr"].ok is told["en"].ok is False


def test_advice_is_given_without_refusing() -> None:
    found = verdicts(GOOD | {"draws": 30, "animations": 2}, 16_000_000, "glb", "en")
    assert found["shopify"] == (True, ("a file of 16 MB: bring down to 15 MB",))
    assert found["android"].findings[-1] == "2 animations: only the first is played"
    (heavy, draws) = found["web"].findings
    assert "3 MB" in heavy
    assert draws == "30 draw calls: merge into 20 at most"


def test_what_is_not_known_is_not_judged_but_what_is_too_much_is() -> None:
    assert oks(GOOD | {"textures": None}) == {
        "web": None,
        "android": None,
        "apple": False,
        "shopify": True,
        "google": None,
    }
    assert oks(GOOD, None)["shopify"] is None
    assert oks(GOOD | {"textures": None, "triangles_drawn": 10**6})["web"] is False
    still = GOOD | {"animations": 0, "animation_seconds": None}
    assert oks(still, format_name="usdz")["apple"] is True


def test_other_formats_are_to_be_converted() -> None:
    found = verdicts({"opens": True}, 1, "fbx", "fr")
    assert found["web"] == (False, ("format FBX : convertir en GLB",))
    assert found["apple"].findings == ("format FBX : convertir en USDZ",)


def test_the_strictest_row_of_a_limit_comes_last() -> None:
    seen: dict[tuple[str, str], Limit] = {}
    for limit in LIMITS:
        before = seen.setdefault((limit.target, limit.what), limit)
        assert before is limit or (limit.advice and not before.advice and limit.most < before.most)


@pytest.mark.parametrize(
    ("size", "text", "french"),
    [
        ((900.0, 1888.0, 700.0), "Une chaise en chêne", "dimensions à vérifier : 1 888 m au plus long pour « chaise » ; 1,89 m si les cotes sont en millimètres"),
        ((75.0, 80.0, 140.0), "Table de chevet", "dimensions à vérifier : 140 m au plus long pour « table de chevet » ; 1,4 m si les cotes sont en centimètres"),
        ((60.0, 20.0, 10.0), "Lit", "dimensions à vérifier : 60 m au plus long pour « lit » ; 1,52 m si les cotes sont en pouces"),
        ((0.0012, 0.001, 0.001), "Un éléphant", "dimensions à vérifier : 1,2 mm au plus long pour « un objet » ; 1,2 cm si l'échelle est 10 fois trop petite"),
        ((0.019, 0.01, 0.01), "Canapé", "dimensions à vérifier : 1,9 cm au plus long pour « canapé » ; 1,9 m si l'échelle est 100 fois trop petite"),
        ((745.0, 1.0, 1.0), "", "dimensions à vérifier : 745 m au plus long pour « un objet » ; 74,5 cm si les cotes sont en millimètres"),
        ((1e9, 1.0, 1.0), "", "dimensions à vérifier : 1 000 000 000 m au plus long pour « un objet »"),
    ],
)  # fmt: skip
def test_dimensions_that_make_no_sense(size: tuple[float, ...], text: str, french: str) -> None:
    assert doubt(size, text, GRID, "fr") == french


@pytest.mark.parametrize("tongue", ["fr", "en"])
def test_dimensions_that_make_sense(tongue: Language) -> None:
    assert doubt((0.8, 0.9, 0.7), "fauteuil", GRID, tongue) is None
    assert doubt(None, "fauteuil", GRID, tongue) is None
    assert doubt((0.0, 0.0, 0.0), "fauteuil", GRID, tongue) is None
    assert doubt((4.0, 0.9, 0.7), "une chaise ou une table", GRID, tongue) is None
