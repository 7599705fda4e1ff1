"""What the files of a request mean together, and what follows for its price and its texts."""

import base64
from typing import Any

import pytest

from figsupport import directives
from figsupport.core.assets import (
    LOOK_SIDE,
    adjustments,
    joined,
    lacking,
    line,
    remarks,
    summary,
    usable,
)
from figsupport.core.compose import subtask_body, ticket_content
from figsupport.core.letters import generate_admin_notice_message, generate_quote_message
from figsupport.core.model import Analysis, FileFact, Language
from figsupport.core.pricing import analyze

from .values import a_case, a_request

RULES = directives.load(directives.default_folder())
GLB: dict[str, Any] = {
    "format": "glb", "opens": True, "damage": "", "triangles": 412_000, "materials": 1,
    "textures": [[512, 512]], "side_files": [], "missing_files": [], "side_files_size": 0,
    "dimensions_m": [0.8, 0.9, 0.75], "dimensions_exact": True,
}  # fmt: skip


def a_model(name: str = "table.glb", **changes: Any) -> FileFact:
    return FileFact(name=name, kind="model3d", size=1_000, facts=GLB | changes)


def a_gltf(*missing: str, **changes: Any) -> FileFact:
    sides = {"side_files": list(missing), "missing_files": list(missing)}
    opens = {"opens": False, "damage": "missing_files"} if missing else {}
    return a_model("scene.gltf", **{"format": "gltf"} | sides | opens | changes)


def a_photo(name: str = "a.jpg", width: int = 1600, height: int = 1200, **changes: Any) -> FileFact:
    known = {
        "format": "jpeg",
        "opens": True,
        "damage": "",
        "width": width,
        "height": height,
        "duplicate_of": None,
    }
    return FileFact(name=name, kind="photo", size=9_000, facts=known | changes)


def a_look(shade: int = 0, step: int = 3) -> str:
    """A grey copy that gets brighter to the right and down, so that gradients differ with `step`."""
    grey = bytes(
        min(255, shade + (x * step + y) % 200) for y in range(LOOK_SIDE) for x in range(LOOK_SIDE)
    )
    return base64.b64encode(grey).decode()


def outcome(*files: FileFact, text: str = "Une chaise", language: Language = "fr") -> Analysis:
    request = a_request(objet="", description=text, langue=language)
    return analyze(request, joined(files, language), RULES)


# --- parts of one another ------------------------------------------------------------------


def test_side_files_of_the_same_request_are_found_whatever_the_folder_and_the_case() -> None:
    model = a_gltf("data/Scene.bin", "C:\\textures\\Wood.JPG")
    bin_ = FileFact(name="scene.BIN", size=500, facts={"format": "unknown"})
    files = joined([model, bin_, a_photo("wood.jpg", 400, 300)], "fr")
    found = files[0]
    assert (found.facts["opens"], found.facts["damage"], found.problem) == (True, "", None)
    assert found.facts["missing_files"] == []
    assert found.facts["textures"] == [[512, 512], [400, 300]]
    assert found.facts["side_files_size"] == 9_500
    assert [file.facts["part_of"] for file in files[1:]] == ["scene.gltf"] * 2
    assert usable(files) == [found]
    assert joined(files, "fr") == files


def test_the_materials_of_an_obj_name_its_pictures() -> None:
    obj = a_model("a.obj", format="obj", side_files=["a.mtl"], missing_files=["a.mtl"])
    names = {"side_files": ["wood.png", "b.png"], "missing_files": ["wood.png", "b.png"]}
    mtl = FileFact(name="a.mtl", size=10, facts={"format": "txt"} | names)
    files = joined([obj, mtl, a_photo("wood.png", 64, 64)], "fr")
    assert files[0].problem == "il manque b.png"
    assert files[0].facts["textures"][-1] == [64, 64]
    assert [file.facts["part_of"] for file in files[1:]] == ["a.obj", "a.mtl"]
    assert joined(files, "fr") == files
    assert joined([*files, a_photo("b.png")], "fr")[0].problem is None


def test_what_no_file_of_the_request_is_stays_missing() -> None:
    unfetched = FileFact(name="b.bin", problem="le lien a expiré")
    (found, _) = joined([a_gltf("a.png", "b.bin"), unfetched], "fr")
    assert found.facts["missing_files"] == ["a.png", "b.bin"]
    assert found.problem == "il manque a.png, b.bin"
    assert found.facts["ar"] == {}
    later = joined([found, unfetched, a_photo("a.png")], "en")
    assert later[0].problem == "missing: b.bin"
    assert later[0].facts["textures"][-1] == [1600, 1200]


def test_a_model_with_other_damage_stays_closed_when_its_files_arrive() -> None:
    broken = a_gltf("a.bin", damage="out_of_bounds")
    (found, _) = joined([broken, FileFact(name="a.bin", facts={"format": "unknown"})], "en")
    assert found.problem == "the file is damaged and does not open"


def test_a_model_that_names_itself_is_no_part_of_itself() -> None:
    (found,) = joined([a_gltf(side_files=["scene.gltf"])], "fr")
    assert "part_of" not in found.facts


@pytest.mark.parametrize(
    ("facts", "french", "english"),
    [
        ({"opens": True}, None, None),
        ({"opens": None}, None, None),
        ({"opens": False, "damage": "truncated"}, "le fichier est coupé", "the file is cut short"),
        ({"opens": False}, "le fichier est abîmé et ne s'ouvre pas", "the file is damaged and does not open"),
    ],
)  # fmt: skip
def test_why_a_file_is_of_no_use(facts: dict[str, Any], french: str, english: str) -> None:
    file = FileFact(name="a.glb", kind="model3d", facts=facts)
    assert joined([file], "fr")[0].problem == french
    assert joined([file], "en")[0].problem == english


def test_a_file_known_by_name_alone_stays_as_it_is() -> None:
    files = (
        FileFact(name="a.jpg", kind="photo"),
        FileFact(name="b.glb", kind="model3d", problem="x"),
    )
    assert joined(files, "fr") == files


# --- photos that are the same --------------------------------------------------------------


def test_the_same_picture_twice_names_the_first() -> None:
    again = a_photo("b.jpg", look=a_look(2))
    other = a_photo("c.jpg", look=a_look(0, step=-3))
    darker = a_photo("d.jpg", look=a_look(30))
    unknown = a_photo("e.jpg", look="?")
    short = a_photo("f.jpg", look="aaaa")
    files = joined([a_photo("a.jpg", look=a_look()), again, other, darker, unknown, short], "fr")
    assert [file.facts["duplicate_of"] for file in files] == [None, "a.jpg", None, None, None, None]
    assert joined(files, "fr") == files


def test_the_same_bytes_are_the_same_picture_even_of_a_format_nobody_reads() -> None:
    one = FileFact(name="a.heic", kind="photo", sha256="1", facts={"opens": None})
    files = joined(
        [one, one.model_copy(update={"name": "b.heic"}), a_photo("c.jpg"), a_model()], "fr"
    )
    assert files[1].facts["duplicate_of"] == "a.heic"
    assert files[2].facts["duplicate_of"] is None


# --- what is lacking, and the price --------------------------------------------------------


def test_a_3d_file_that_opens_is_adjusted_for_one_credit_and_what_to_adjust_is_said() -> None:
    found = outcome(a_model())
    assert (found.outcome, found.credits) == ("COMPLET", 1)
    assert found.reasons == (
        "un fichier 3D est fourni : il s'agit de l'ajuster",
        "table.glb : 412 000 triangles : ramener à 150 000",
    )
    english = outcome(a_model(dimensions_m=[900, 800, 700]), language="en", text="The chair")
    assert english.reasons[1:] == (
        "table.glb: 412,000 triangles: reduce to 150,000",
        "table.glb: dimensions to check: 900 m at its longest for “chair”; 90 cm if the numbers are millimetres",
    )


def test_3d_files_that_are_not_whole_are_asked_for_by_name() -> None:
    missing = outcome(a_gltf("wood.png", "scene.bin"), a_photo(), text="")
    assert missing.outcome == "INCOMPLET"
    assert missing.missing == (
        "les fichiers qui accompagnent votre fichier 3D : wood.png, scene.bin",
    )
    cut = outcome(a_model(opens=False, damage="truncated"), language="en")
    assert cut.missing == ("a 3D file that opens: table.glb (the file is cut short)",)
    page = FileFact(name="chaise.glb", problem="c'est une page web")
    assert outcome(page, a_photo()).missing == (
        "un fichier 3D qui s'ouvre : chaise.glb (c'est une page web)",
    )
    both = outcome(a_gltf("a.bin"), page)
    assert [sentence[:12] for sentence in both.missing] == ["les fichiers", "un fichier 3"]


def test_an_obj_that_opens_without_its_textures_is_not_whole() -> None:
    obj = a_model("a.obj", format="obj", side_files=["a.mtl"], missing_files=["a.mtl"])
    assert "a.mtl" in outcome(obj).missing[0]


def test_one_whole_3d_file_is_enough() -> None:
    broken = a_model("old.glb", opens=False)
    assert outcome(broken, a_model()).credits == 1
    assert outcome(broken, FileFact(name="new.fbx", kind="model3d")).credits == 1


def test_many_missing_names_are_cut_and_none_is_said_twice() -> None:
    (lack,) = lacking(
        joined([a_gltf("a\u202e.bin", *(f"{n}.png" for n in range(12)), "0.png")], "fr"), RULES.grid
    )
    assert lack.names.startswith("a.bin, 0.png, 1.png")
    assert lack.names.endswith("8.png … (+ 3)")


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ([a_photo(width=640, height=480)], "d'au moins 1 000 pixels sur le grand côté : a.jpg (640 × 480)"),
        ([a_photo(look=a_look()), a_photo("b.jpg", look=a_look())], "sont la même image (a.jpg, b.jpg)"),
    ],
)  # fmt: skip
def test_better_photos_are_asked_for(files: list[FileFact], missing: str) -> None:
    found = outcome(*files)
    assert found.outcome == "INCOMPLET"
    assert missing in found.missing[0]
    assert len(outcome(*files, text="").missing) == 2  # and what the object is
    plan = FileFact(name="plan.pdf", kind="plan", facts={"format": "pdf"})
    assert outcome(*files, plan).credits == 2
    assert outcome(*files, a_photo("c.jpg")).credits == 2


def test_a_photo_of_unknown_size_and_a_blurred_one_are_trusted() -> None:
    assert outcome(FileFact(name="a.heic", kind="photo", facts={"opens": None})).credits == 2
    assert outcome(a_photo(blurred=True)).credits == 2
    assert outcome(a_photo(width=700, height=1000)).credits == 2


def test_a_photo_named_glb_is_a_photo() -> None:
    assert outcome(a_photo("chaise.glb", disagrees="le nom annonce GLB")).credits == 2


def test_a_damaged_photo_is_asked_for_again() -> None:
    found = outcome(a_photo(opens=False, damage="damaged"))
    assert "a.jpg (le fichier est abîmé" in found.missing[1]


# --- the texts -----------------------------------------------------------------------------


def test_a_file_in_one_line() -> None:
    assert (
        summary(a_model())
        == "GLB, 1 ko, 412 000 triangles, 1 matière, textures 512 × 512, 80 × 90 × 75 cm"
    )
    about = a_model(
        triangles_drawn=1, materials=None, textures=None, dimensions_exact=False, format="step"
    )
    assert summary(about, "en") == "STEP, 1 kB, 1 triangle, ≈ 80 × 90 × 75 cm"
    none = a_model(triangles=0, materials=0, textures=[], dimensions_m=(0.0123456, 0, 0.00000001))
    assert summary(none) == "GLB, 1 ko, 0 triangle, 0 matière, 1,23 × 0 × 0 cm"
    assert summary(none, "en") == "GLB, 1 kB, 0 triangles, 0 materials, 1.23 × 0 × 0 cm"
    bare = a_model(opens=None, triangles=None, dimensions_m=None)
    assert summary(bare) == "GLB, 1 ko, reconnu sans être lu"
    assert summary(FileFact(name="a.skp", kind="model3d", facts={"format": "skp"})) == "SKP"
    assert (
        summary(a_model(triangles=None, materials=None, textures=[], dimensions_m=None))
        == "GLB, 1 ko"
    )
    photo = a_photo(
        "b.glb", blurred=True, duplicate_of="a.jpg", disagrees="le nom annonce GLB", part_of="x.obj"
    )
    assert summary(photo) == (
        "JPEG, 9 ko, 1600 × 1200, la même image que a.jpg, le nom annonce GLB, fait partie de x.obj"
    )
    assert summary(a_photo(blurred=True)) == "JPEG, 9 ko, 1600 × 1200, floue ?"
    assert summary(FileFact(name="a.jpg", kind="photo")) == ""
    part = {"format": "unknown", "part_of": "x.gltf"}
    assert summary(FileFact(name="a.bin", size=9, facts=part)) == "fait partie de x.gltf"


def test_facts_are_in_the_ticket_the_subtask_the_notice_and_the_quote() -> None:
    (model,) = joined([a_model()], "fr")
    model = model.model_copy(
        update={"url": "https://f.example/1", "thumbnail": "https://f.example/1.png"}
    )
    closed = FileFact(name="b.jpg", kind="photo", url="https://f.example/2", problem="abîmée")
    case = a_case(files=(model, closed, FileFact(name="c.jpg")), credits_estimes=1)
    adjust = "à ajuster : 412 000 triangles : ramener à 150 000"
    assert remarks(model) == (summary(model), adjust, "aperçu : https://f.example/1.png")
    for text in (
        ticket_content(case),
        generate_admin_notice_message(case, RULES.templates, "complex").text,
    ):
        assert "table.glb : https://f.example/1" in text
        assert adjust in text
        assert "aperçu : https://f.example/1.png" in text
        assert "https://f.example/2 (abîmée)" in text
        assert "c.jpg : non reçu" in text
    body = subtask_body(case)
    assert (
        r"[table.glb](https://f.example/1) — [aperçu](https://f.example/1.png) : GLB, 1 ko" in body
    )
    assert adjust in body
    assert "[b.jpg](https://f.example/2) : abîmée" in body
    assert "- c.jpg : non reçu" in body
    quote = generate_quote_message(case, RULES.templates).text
    assert (
        "- l'ajustement du fichier 3D que vous avez fourni\n- 412 000 triangles : ramener" in quote
    )
    named = model.model_copy(update={"name": "b.glb"})
    for language, said in (
        ("fr", "des fichiers 3D que vous avez fournis\n- table.glb : 412 000 triangles : ramener"),
        ("en", "the 3D files you supplied\n- table.glb: 412,000 triangles: reduce"),
    ):
        several = case.model_copy(update={"files": (model, named), "language": language})
        assert said in generate_quote_message(several, RULES.templates).text
    assert adjustments(a_photo("a.glb"), "fr") == ()
    assert line(FileFact(name="a\nb.jpg", problem="vide")) == "a b.jpg : vide"
    assert adjustments(closed, "fr") == ()
