"""From the client's files to the ticket: what is looked at, asked for again, drawn, linked."""

import json
import struct
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from figsupport import polling, steps, workflow
from figsupport.adapters.maildir import Inbox
from figsupport.core.model import Case, FileRef, Request
from figsupport.files import model3d
from figsupport.files.model3d import thumbnail
from figsupport.services import Services

from .conftest import Clock
from .values import a_request


def an_stl(path: Path, scale: float = 1.0) -> Path:
    """Four triangles: a pyramid of a metre."""
    corners = [(0.0, 0.0, 0.0), (scale, 0.0, 0.0), (0.0, scale, 0.0), (0.0, 0.0, scale)]
    faces = [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
    body = b"".join(
        struct.pack("<12fH", 0, 0, 1, *(side for corner in face for side in corners[corner]), 0)
        for face in faces
    )
    path.write_bytes(bytes(80) + struct.pack("<I", 4) + body)
    return path


def a_gltf(path: Path) -> Path:
    """A glTF that needs `scene.bin` and `wood.png`."""
    document = {
        "asset": {"version": "2.0"},
        "buffers": [{"uri": "scene.bin", "byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}
        ],
        "images": [{"uri": "wood.png"}],
        "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "material": 0}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    return path


def a_picture(path: Path, width: int, height: int) -> Path:
    from PIL import Image

    Image.effect_noise((width, height), 60).save(path)
    return path


def asked(*paths: Path, objet: str = "Chaise", description: str = "À ajuster.") -> Request:
    files = [FileRef(name=path.name, path=str(path)) for path in paths]
    return a_request(objet=objet, description=description, fichiers=files)


def content_of(case: Case, services: Services) -> str:
    assert case.ticket is not None
    return services.desk.get_ticket(case.ticket.id).content


def last_letter(services: Services) -> str:
    folder = services.settings.home / "mail" / "outbox" / "new"
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    letter = message_from_bytes(newest.read_bytes(), policy=default)
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def stored(services: Services) -> list[str]:
    return sorted(path.name for path in services.settings.home.glob("files/[!.]*/*"))


def test_a_model_is_looked_into_drawn_and_linked(services: Services, tmp_path: Path) -> None:
    case, _ = workflow.intake(asked(an_stl(tmp_path / "Chaise n° 1.stl", 900.0)), services)
    assert (case.validation_status, case.credits_estimes) == ("pending_credits", 1)
    (file,) = case.files
    assert (file.facts["triangles"], file.facts["opens"]) == (4, True)
    assert file.thumbnail is not None
    assert file.thumbnail.endswith("/01-chaise-n-1-thumbnail.png")
    assert stored(services) == ["01-chaise-n-1-thumbnail.png", "01-chaise-n-1.stl"]
    assert (
        Path(file.thumbnail.removeprefix("file://")).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    )
    content = content_of(case, services)
    assert "STL, 284 octets, 4 triangles" in content
    assert "à ajuster : format STL : convertir en GLB" in content
    assert f"aperçu : {file.thumbnail}" in content
    assert "- format STL : convertir en GLB" in last_letter(services)
    assert services.desk.get_ticket(case.ticket.id).properties["fichiers_urls"] == file.url  # type: ignore[union-attr]
    done = workflow.process_validation(case.ticket.id, services, "accept", 1)  # type: ignore[union-attr]
    assert done.subtask is not None
    (subtask,) = services.desk_file.execute("SELECT body FROM subtasks").fetchall()
    assert f"[aperçu]({file.thumbnail})" in subtask["body"]


def test_missing_side_files_are_asked_for_by_name_and_found_in_a_later_mail(
    services: Services, tmp_path: Path, clock: Clock
) -> None:
    case, _ = workflow.intake(asked(a_gltf(tmp_path / "scene.gltf")), services)
    assert case.validation_status == "pending_info"
    assert "accompagnent votre fichier 3D : scene.bin, wood.png" in last_letter(services)
    clock.forward(hours=1)
    mail = EmailMessage()
    mail["From"] = "Jean Dupont <client@example.com>"
    mail["Subject"] = f"Re: [#{case.reference}]"
    mail.set_content("Bonjour, voici les fichiers.")
    wood = a_picture(tmp_path / "wood.png", 64, 64)
    mail.add_attachment(
        bytes(36), maintype="application", subtype="octet-stream", filename="scene.bin"
    )
    mail.add_attachment(wood.read_bytes(), maintype="image", subtype="png", filename="Wood.PNG")
    Inbox(services.settings.home / "mail").deliver(mail.as_bytes())
    done = polling.poll_pending_tickets(services)
    assert (done.reanalyzed, done.errors) == (1, ())
    (case,) = done.touched
    assert (case.validation_status, case.credits_estimes) == ("pending_credits", 1)
    assert [file.facts.get("part_of") for file in case.files] == [None, "scene.gltf", "scene.gltf"]


def test_side_files_sent_together_are_joined(services: Services, tmp_path: Path) -> None:
    bin_ = tmp_path / "scene.bin"
    bin_.write_bytes(struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0))
    paths = [a_picture(tmp_path / "wood.png", 64, 64), bin_, a_gltf(tmp_path / "scene.gltf")]
    case, _ = workflow.intake(asked(*paths), services)
    assert case.credits_estimes == 1
    assert [bool(file.thumbnail) for file in case.files] == [False, False, True]
    for part in ("upload", "analyze"):
        alone = workflow.work_on(asked(*paths), services, part)
        if part == "analyze":
            assert alone.analysis is not None
            assert alone.analysis.credits == 1
        else:
            assert alone.files[2].facts["opens"] is True


@pytest.mark.parametrize(
    ("sizes", "status", "sentence"),
    [
        ([(640, 480)], "pending_info", "d'au moins 1 000 pixels sur le grand côté : 0.png (640 × 480)"),
        ([(1600, 1200), (640, 480)], "pending_credits", "2 crédits"),
    ],
)  # fmt: skip
def test_photos_too_small_to_work_from_are_asked_for_larger(
    services: Services, tmp_path: Path, sizes: Sequence[tuple[int, int]], status: str, sentence: str
) -> None:
    paths = [a_picture(tmp_path / f"{n}.png", *size) for n, size in enumerate(sizes)]
    case, _ = workflow.intake(asked(*paths, description="Chaise en chêne à modéliser"), services)
    assert case.validation_status == status
    assert sentence in last_letter(services)


def test_the_same_photo_twice_is_one(services: Services, tmp_path: Path) -> None:
    photo = a_picture(tmp_path / "a.png", 1200, 1200)
    copy = tmp_path / "b.png"
    copy.write_bytes(photo.read_bytes())
    case, _ = workflow.intake(asked(photo, copy, description="À modéliser"), services)
    assert case.validation_status == "pending_info"
    assert "la même image (a.png, b.png)" in last_letter(services)
    assert "la même image que a.png" in content_of(case, services)


def test_a_model_cut_short_is_stored_and_asked_for_again(
    services: Services, tmp_path: Path
) -> None:
    path = an_stl(tmp_path / "chaise.stl")
    path.write_bytes(path.read_bytes()[:200])
    case, _ = workflow.intake(asked(path), services)
    assert case.validation_status == "pending_info"
    assert "un fichier 3D qui s'ouvre : chaise.stl (le fichier est coupé)" in last_letter(services)
    assert case.files[0].url


@pytest.mark.parametrize(
    "place", [(model3d, "read"), (model3d, "patches"), (thumbnail, "thumbnail")]
)
def test_a_reader_that_fails_stops_no_request(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[object, str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(*place, broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    case, _ = workflow.intake(asked(an_stl(tmp_path / "chaise.stl")), services)
    assert case.credits_estimes == 1
    assert case.files[0].url
    assert (case.files[0].thumbnail is None) is (place[1] != "read")
    assert list(tmp_path.glob("figsupport-*.trace"))


def test_looking_without_storing_draws_nothing(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnail, "thumbnail", None)
    path = an_stl(tmp_path / "chaise.stl")
    files = steps.look_at_files(
        [FileRef(name="chaise.stl", path=str(path))], services.bring("fr"), services.recognise("fr")
    )
    assert (files[0].facts["triangles"], files[0].size) == (4, 284)
