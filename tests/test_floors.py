"""The floors of the house: imports point down, and each library stays on its floor."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "figsupport"

#: floor → what of ours it may import (itself and `errors` always)
FLOORS = {
    "errors": set(),
    "private": set(),
    "forms": set(),
    "core": {"core"},
    "ports": {"core"},
    "steps": {"ports", "core"},
    "directives": {"core"},
    "settings": {"core"},
    "files": {"files", "steps", "core", "private"},
    "adapters": {"adapters", "files", "ports", "core", "private", "forms"},
    "services": {"settings", "directives", "adapters", "files", "steps", "ports", "core"},
    "rehearsal": {"services", "settings", "adapters", "steps", "ports", "core"},
    "digest": {"services", "steps", "core"},
    "keeping": {"services", "ports", "core", "forms"},
    "workflow": {"services", "steps", "ports", "core"},
    "polling": {"workflow", "digest", "keeping", "services", "core", "private"},
    "rights": {"workflow", "keeping", "services", "ports", "core", "private", "forms"},
    "evaluation": {"services", "steps", "ports", "core"},
    "health": {"services", "settings"},
    "watch": {"services", "adapters", "ports", "core", "private"},
    "commands": {
        "rights", "polling", "workflow", "watch", "rehearsal", "health", "evaluation", "services", "settings", "adapters",
        "steps",
        "core", "directives", "files",
    },
    "output": {"core", "workflow"},
    "server": {
        "commands", "polling", "workflow", "watch", "health", "services", "settings", "ports", "core",
        "private", "forms",
    },
    "cli": {"commands", "output", "private", "server"},
}  # fmt: skip

#: library → the only floors that may import it
LIBRARIES = {
    "typer": {"cli"},
    "rich": {"output"},
    "httpx": {"adapters", "files"},
    "httpcore": {"files"},
    "botocore": {"adapters"},
    "boto3": {"adapters"},
    "anthropic": {"adapters"},
    "pydantic_settings": {"settings"},
    "platformdirs": {"settings"},
    "sqlite3": {"adapters", "rehearsal"},
    "httpx2": {"adapters"},
    "zoneinfo": {"directives", "adapters"},
    "psycopg": {"adapters"},
    "dbos": {"adapters"},
    "PIL": {"files"},
    "structlog": {"watch"},
    "prometheus_client": {"watch"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "python_multipart": {"server"},
}

#: what a pure module never touches
IMPURE = {"os", "io", "socket", "subprocess", "time", "random", "secrets", "pathlib", "tempfile",
          "shutil", "sqlite3", "logging", "threading", "asyncio", "urllib.request"}  # fmt: skip

MODULES = sorted(SOURCE.rglob("*.py"))


def floor_of(path: Path) -> str:
    part = path.relative_to(SOURCE).parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file it does so; not for types only."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path.name}: relative imports hide the floor"
            if node.module == "figsupport":
                found |= {f"figsupport.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    floor = floor_of(path)
    if floor == "__init__":
        return
    assert floor in FLOORS, f"{floor} has no floor: say in FLOORS what it may import"
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "figsupport" and rest and rest != "__version__":
            other = rest.split(".")[0]
            allowed = FLOORS[floor] | {floor, "errors"}
            assert other in allowed, (
                f"{path.relative_to(SOURCE)} imports {name}: {floor} may only look down, "
                f"at {', '.join(sorted(allowed))}"
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_library_stays_on_its_floor(path: Path) -> None:
    floor = floor_of(path)
    for name in imports(path):
        library = name.split(".")[0]
        floors = LIBRARIES.get(library)
        assert floors is None or floor in floors, (
            f"{path.relative_to(SOURCE)} imports {library}, which belongs to "
            f"{', '.join(sorted(floors or ()))} alone"
        )


@pytest.mark.parametrize("path", sorted((SOURCE / "core").rglob("*.py")), ids=lambda p: p.name)
def test_the_core_is_pure(path: Path) -> None:
    found = imports(path) & IMPURE
    assert not found, f"core/{path.name} imports {', '.join(sorted(found))}: the core is pure"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            assert name not in {"open", "print", "input", "now", "utcnow", "today"}, (
                f"core/{path.name}:{node.lineno} calls {name}(): the core is pure"
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_settings_read_the_environment(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    reads = "os.environ" in text or "getenv" in text or "import environ" in text
    assert not reads or floor_of(path) == "settings", f"{path.name} reads the environment"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_file_is_longer_than_a_reader_wants(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 500, f"{path.name} has {lines} lines: split it"
