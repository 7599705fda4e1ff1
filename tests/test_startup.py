"""Start-up is a feature: nothing heavy is imported before it is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "httpx", "httpcore", "httpx2", "boto3", "botocore", "anthropic", "selectolax", "PIL", "numpy",
    "requests", "urllib3", "fastapi", "starlette", "uvicorn", "sqlalchemy", "structlog",
    "prometheus_client", "psycopg", "dbos",
}  # fmt: skip
PROGRAM = """
import sys, json
from figsupport import cli
try:
    cli.main(sys.argv[1:])
finally:
    print("MODULES", json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
REQUEST = '{"objet": "Chaise", "description": "à modéliser", "user_email": "a@example.com"}'


def modules_after(home: Path, *arguments: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "FIGSUPPORT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return set(json.loads(ran.stderr.split("MODULES ")[1]))


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("tickets",), ("poll",), ("classify", REQUEST), ("intake", REQUEST)],
    ids=lambda arguments: arguments[0],
)
def test_nothing_heavy_is_imported(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    modules_after(tmp_path, "intake", REQUEST)  # a desk with a ticket on it
    heavy = HEAVY & {name.split(".")[0] for name in modules_after(tmp_path, *arguments)}
    assert not heavy, f"{arguments[0]} imports {', '.join(sorted(heavy))}"


def test_help_imports_no_work(tmp_path: Path) -> None:
    ours = {name for name in modules_after(tmp_path, "--help") if name.startswith("figsupport")}
    floors = {".".join(name.split(".")[:2]) for name in ours}
    assert floors == {"figsupport", "figsupport.cli", "figsupport.errors"}
