"""What the program says beside its results names no client: standard error, traces, lock names.

Results are another matter: who asks for a case is shown the case.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from figsupport.core.model import Case, Request

from . import kill
from .test_live import Live, live
from .values import a_case

__all__ = ["live"]

ADDRESS, NAME, WORDS, FILE = (
    "odile.deray@example.net", "Odile Deray", "vitrine en acajou", "acajou-deray.jpg",
)  # fmt: skip
PERSONAL = ("odile", "deray", "acajou", "vitrine", "example.net", "volutes")


def named(text: str) -> list[str]:
    return [word for word in PERSONAL if word in text.lower()]


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    shutil.copy(kill.PHOTO, tmp_path / FILE)
    request = {
        "source": "modelisation", "objet": f"Modélisation {WORDS}",
        "description": f"Je souhaite faire modéliser cette {WORDS} avec ses textures.",
        "user_email": ADDRESS, "user_name": NAME,
        "fichiers": [{"name": FILE, "path": FILE},
                     {"name": "lien.jpg", "url": f"http://127.0.0.1:9/{FILE}?signature=deray"}],
    }  # fmt: skip
    path = tmp_path / "demande.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    return path


def test_the_whole_flow_names_nobody_on_the_side(tmp_path: Path, request_file: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "FIGSUPPORT_HOME": str(home), "TMPDIR": str(temporary)}

    def run(*arguments: str, code: int = 0) -> Any:
        command = [sys.executable, "-m", "figsupport.cli", *arguments, "-v", "--json"]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert named(ran.stderr) == [], ran.stderr
        document = json.loads(ran.stdout)
        if "error" in document:
            assert named(json.dumps(document["error"], ensure_ascii=False)) == []
        assert ran.returncode == code, ran.stdout
        return document

    taken = run("intake", request_file.name)
    assert taken["ticket_id"] == "1001"
    run("reply", "1001", "Bonjour, les volutes sont-elles comprises ?")
    run("poll")
    run("validate", "1001", "--credits", "99", code=65)
    run("validate", "1001", "--credits", "3", "--notes", "Soigner les volutes")
    run("validate", "1001", "--reject", "--reason", "acajou", code=65)
    run("tickets", "1001")
    run("poll")
    mail = f"From: {ADDRESS}\r\nSubject: {WORDS}\r\n\r\nSans dossier"
    (home / "mail" / "inbox" / "lettre.eml").write_bytes(mail.encode())
    assert len(run("poll")["strangers"]) == 1
    run("export", ADDRESS, "--to", "x.zip")
    run("backup", "b.tar")
    names = [path.relative_to(home).as_posix() for path in home.rglob("*")]
    stored = [name for name in names if not name.startswith("files/")]
    assert named("\n".join(stored)) == []
    assert list((home / "locks").iterdir()) == []
    (home / "desk.sqlite").write_bytes(b"no database at all " * 200)
    run("poll", code=78)
    run("erase", ADDRESS, "--yes", code=78)
    for trace in temporary.glob("**/*"):
        assert not trace.is_file() or named(trace.read_text("utf-8", "replace")) == []


@pytest.mark.parametrize("fault", ["lost after", 500, 429])
def test_a_provider_that_fails_names_nobody(
    live: Live, request_file: Path, fault: str | int
) -> None:
    live.settings = {"FIGSUPPORT_TIMEOUT": "1", "FIGSUPPORT_BACKOFF": "0"}
    live.hubspot.fail("POST /crm/objects/2026-09/emails", *(fault,) * 6)
    live.hubspot.fail("GET /conversations", *(fault,) * 6)
    code, document = live.run("intake", str(request_file))
    assert code == 75
    assert named(json.dumps(document, ensure_ascii=False)) == []
    _, document = live.run("poll", "-v")
    assert named(json.dumps(document["errors"], ensure_ascii=False)) == []
    assert named(live.told) == []


@pytest.mark.parametrize("model", [Request, Case])
def test_a_document_that_does_not_fit_is_not_quoted(model: type[Request] | type[Case]) -> None:
    """Errors of values may end in a trace: they name the field, not what stands in it."""
    document: dict[str, Any] = a_case().model_dump(mode="json") if model is Case else {}
    document |= {"user_email": [ADDRESS], "files": [{"name": {"x": NAME}}]}
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    assert named(str(caught.value)) == []
