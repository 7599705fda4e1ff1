"""No pattern of the core can be made to blow up by a long hostile line."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

CORE = Path(__file__).parent.parent / "src" / "figsupport" / "core"
PATTERNS = [
    (path.stem, name)
    for path in sorted(CORE.glob("*.py"))
    for name, value in vars(import_module(f"figsupport.core.{path.stem}")).items()
    if isinstance(value, re.Pattern)
]
#: Lines of 100,000 characters that repeat what patterns look for, and never end well.
TRIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from importlib import import_module
pattern = getattr(import_module(f"figsupport.core.{sys.argv[1]}"), sys.argv[2])
for piece in ("a", "a ", " ", "\\t ", "1", "1 ", "a-", "a.", "@", "a@", ">", "> ", "-", "_", "=", ":",
              "de : ", "le 1 ", "(", "[", "[a", "{", "{a", "<", "<a", "a {", ".a", "#a ", "https://", "www.",
              "Jean ", "Bonjour Jean ", "2 credits ", "votre message ", "a ecrit ", "-- a ", "tel ",
              "0;", "color:rgba(", "text-decoration:", "?!", "\\n", "\\u00e9", "$a", "« "):
    line = (piece * (100_000 // len(piece) + 1))[:100_000]
    for text in (line + "!", "De " + line + "\\n"):
        pattern.search(text)
"""


def test_patterns_are_found() -> None:
    assert len(PATTERNS) >= 20


@pytest.mark.parametrize(("module", "name"), PATTERNS)
def test_a_long_line_does_not_blow_up(module: str, name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TRIAL, module, name], check=False, timeout=900, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
