"""The README is what a user does first: its commands are run, its words are checked."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from figsupport.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
PROGRAM = Path(sys.executable).parent


#: these write where they are run, and read nothing there
WRITES = ("export", "erase", "backup", "restore")


def shell(line: str, home: Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "FIGSUPPORT_HOME": str(home),
        "PATH": f"{PROGRAM}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_command_of_the_daily_life_works(tmp_path: Path) -> None:
    """In the order of the page, on one desk, as a reader would type them."""
    commands = [line for line in LINES if line.startswith("figsupport")]
    assert len(commands) >= 14
    for line in commands:
        writes = line.startswith(tuple(f"figsupport {command}" for command in WRITES))
        ran = shell(line, tmp_path / "home", tmp_path if writes else ROOT)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
    accepted = json.loads(shell("figsupport tickets 1001", tmp_path / "home").stdout)
    assert accepted["validation_status"] == "validated"
    rejected = json.loads(shell("figsupport tickets 1005", tmp_path / "home").stdout)
    assert rejected["validation_status"] == "rejected"


def test_the_two_commands_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`?make (\w+)", README)
    assert {"demo", "test", "check", "kill", "bench"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    without_make = [line for line in LINES if line.startswith("python3 -m venv")]
    assert len(without_make) == 2
    assert "examples/demo.sh" in without_make[0]
    assert "-m pytest" in without_make[1]


def test_the_demo_runs(tmp_path: Path) -> None:
    ran = shell(f"VENV={PROGRAM.parent} sh examples/demo.sh {tmp_path / 'demo'}", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "pending_credits" in ran.stdout
    assert "validated" in ran.stdout
    assert "Nothing saved" not in ran.stdout
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "precious.txt").touch()
    assert shell(f"sh examples/demo.sh {tmp_path / 'taken'}", tmp_path).returncode == 2


def test_every_option_in_the_readme_exists(tmp_path: Path) -> None:
    known = shell("figsupport --help", tmp_path).stdout
    for command in ("intake", "classify", "upload", "analyze", "validate", "poll", "tickets",
                    "reply", "health", "inspect", "eval", "serve", "work", "migrate", *WRITES):  # fmt: skip
        assert command in known
        known += shell(f"figsupport {command} --help", tmp_path).stdout
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--quiet", "--directory"}:
        assert option in known, option


@pytest.mark.parametrize("name", sorted(field.upper() for field in Settings.model_fields))
def test_every_setting_is_explained(name: str) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(rf"^# {name}=", example, flags=re.MULTILINE), name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_exit_is_explained() -> None:
    from figsupport import errors

    codes = {
        value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.FigsupportError)
    }
    for code in codes:
        assert f"| {code} |" in README


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "replies").glob("*.eml")), ids=lambda p: p.name
)
def test_every_example_reply_is_read_as_named(path: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shell("figsupport intake examples/request.json", home)
    shell(f"figsupport reply 1001 --eml {path}", home)
    shell("figsupport poll", home)
    case = json.loads(shell("figsupport tickets 1001", home).stdout)
    intent = path.stem.partition("-")[0]
    assert case["replies"][0]["intent"] == {"absence": "auto_reply"}.get(intent, intent)


@pytest.mark.parametrize(
    ("name", "type_", "status"),
    [
        ("request", "MODELISATION", "pending_credits"),
        ("request-adjust", "MODELISATION", "pending_credits"),
        ("request-incomplete", "MODELISATION", "pending_info"),
        ("request-complex", "MODELISATION", "pending_admin"),
        ("request-support", "SUPPORT", None),
    ],
)
def test_every_example_request_is_what_it_says(
    name: str, type_: str, status: str | None, tmp_path: Path
) -> None:
    ran = shell(f"figsupport intake examples/{name}.json", tmp_path / "home")
    document = json.loads(ran.stdout)
    assert (document["classification"], document["validation_status"]) == (type_, status)
