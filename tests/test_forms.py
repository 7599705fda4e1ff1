"""Files of a form that wait for the store: in backups, in exports, and gone with their client."""

import os
import zipfile
from pathlib import Path

import pytest

from figsupport import forms, polling, rights, workflow
from figsupport.adapters import backup, restoring
from figsupport.adapters.local_store import LocalStore
from figsupport.core.model import Case, Request
from figsupport.errors import Busy, NotAllowed, Unavailable
from figsupport.server.spool import Arrival, Spool
from figsupport.services import Services

from .conftest import Clock
from .serving import settings
from .test_keeping import everything
from .test_server_form import FIELDS, FORM_ID, PHOTO
from .values import NOW

EMAIL = FIELDS["user_email"]
#: a name of a file that lies outside of the folder of forms, as an id
OUTSIDE = ("../files", "..", ".", "", "/etc", "arriving-x", "a/b", "x\0")


def on(home: Path) -> Services:
    return Services(settings(home), lambda: NOW)


def take_in(home: Path) -> Case:
    """A form has come; the store is down, its files wait."""
    spool, services = Spool(home / "forms"), on(home)
    folder = home / "forms" / "arriving-1"
    folder.mkdir(parents=True)
    (folder / "01").write_bytes(PHOTO.read_bytes())
    photo = {"name": "chaise.jpg", "path": str(spool.place(FORM_ID) / "01")}
    request = Request.model_validate({**FIELDS, "request_id": FORM_ID, "fichiers": [photo]})

    def down(*_: object) -> None:
        raise Unavailable("The store is down", hint="Later.")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(LocalStore, "put", down)
        with pytest.raises(Unavailable):
            spool.take_in(request, Arrival(folder), services)
    case = services.cases.load(FORM_ID)
    services.close()
    assert case is not None
    return case


def finish(home: Path) -> Case:
    """A round of `poll`, and the server tidies up; return the case."""
    services = on(home)
    assert polling.poll_pending_tickets(services).errors == ()
    Spool(home / "forms").tidy(services)
    case = services.cases.load(FORM_ID)
    services.close()
    assert case is not None
    return case


def check_whole(home: Path) -> None:
    case = finish(home)
    assert case.ticket is not None
    (file,) = case.files
    assert (file.problem, file.size) == (None, PHOTO.stat().st_size)
    assert (file.url or "").startswith(f"{home.as_uri()}/files/")
    assert not (home / "forms" / FORM_ID).exists()


# --- backups -----------------------------------------------------------------------------------


def test_a_case_finds_its_files_after_a_restore(home: Path, tmp_path: Path) -> None:
    take_in(home)
    (home / "forms" / "arriving-2").mkdir()
    (home / "forms" / "arriving-2" / "01").write_bytes(b"half of a photo")
    manifest = backup.write(home, tmp_path / "b.tar", NOW)
    names = [name for name in manifest["files"] if name.startswith("forms")]
    assert names == [f"forms/{FORM_ID}/01"]
    restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)
    check_whole(home)
    check_whole(tmp_path / "new")


def test_what_is_stored_while_it_is_copied_is_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal's copy needs files that the case has no need of any more."""
    take_in(home)
    begin_tar = backup._tar

    def later(*given: object) -> object:
        finish(home)
        return begin_tar(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "_tar", later)
    backup.write(home, tmp_path / "b.tar", NOW)
    assert not (home / "forms" / FORM_ID).exists()
    restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)
    check_whole(tmp_path / "new")


def test_a_form_that_waits_is_a_state(home: Path, tmp_path: Path) -> None:
    take_in(home)
    backup.write(home, tmp_path / "b.tar", NOW)
    (tmp_path / "new" / "forms").mkdir(parents=True)
    with pytest.raises(NotAllowed, match="already"):
        restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)


# --- rights ------------------------------------------------------------------------------------


def test_an_export_holds_what_waits(home: Path, tmp_path: Path) -> None:
    case, services = take_in(home), on(home)
    document = rights.export(rights.held(EMAIL, services), services, tmp_path / "x.zip")
    (file,) = document["files"]
    assert (file["name"], file["size"]) == ("chaise.jpg", PHOTO.stat().st_size)
    assert file["path"] == f"formulaire/{case.reference}/01"
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read(file["path"]) == PHOTO.read_bytes()
        assert "formulaire/" in archive.read("LISEZMOI.txt").decode()
    services.close()
    finish(home)
    services = on(home)
    document = rights.export(rights.held(EMAIL, services), services, tmp_path / "y.zip")
    assert [Path(file["path"]).parts[0] for file in document["files"]] == ["fichiers"] * len(
        document["files"]
    )
    services.close()


def test_who_is_forgotten_leaves_no_file_of_a_form(home: Path) -> None:
    case, services = take_in(home), on(home)
    other = home / "forms" / "of-somebody-else"
    other.mkdir()
    (other / "01").write_bytes(b"their photo")
    done = rights.erase(EMAIL, services, force=True)
    services.close()
    assert done.files == 1
    left = everything(services)
    for trace in (EMAIL, "Dupont", FORM_ID, case.reference, PHOTO.read_bytes().decode("latin-1")):
        assert trace not in left
    assert (other / "01").exists()


def test_nobody_is_forgotten_while_a_form_is_taken_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(home)
    monkeypatch.setattr(rights, "PATIENCE", 0.0)
    services, other = on(home), on(home)
    with other.cases.lock(f"form {FORM_ID}"), pytest.raises(Busy):
        rights.erase(EMAIL, services, force=True)
    assert (home / "forms" / FORM_ID / "01").exists()


def test_what_retention_forgets_leaves_no_file_either(home: Path, clock: Clock) -> None:
    """Only cron worked since, which does not tidy up."""
    take_in(home)
    services = Services(settings(home), clock)
    polling.poll_pending_tickets(services)
    workflow.process_validation("1001", services, "reject", notes="Hors sujet")
    clock.forward(days=400)
    with services.cases.lock(f"form {FORM_ID}"):
        assert polling.poll_pending_tickets(services).forgotten == 0
    assert (home / "forms" / FORM_ID / "01").exists()
    assert polling.poll_pending_tickets(services).forgotten == 1
    services.close()
    assert not list((home / "forms").iterdir())


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_id_is_no_path(home: Path, name: str) -> None:
    """Ids are what documents say: a folder is looked for among those that are there."""
    take_in(home)
    (home / "files").mkdir(exist_ok=True)
    (home / "files" / "x").write_text("kept")
    (home / "forms" / "arriving-x").mkdir()
    before = sorted(os.walk(home))
    assert forms.waiting_files(home, name) == ()
    assert forms.remove_files(home, name) == 0
    assert sorted(os.walk(home)) == before
    assert forms.remove_files(home / "none", FORM_ID) == 0
    assert forms.remove_files(home, FORM_ID) == 1
