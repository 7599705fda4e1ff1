"""No pattern of the core can be made to blow up by a long hostile line."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

CORE = Path(__file__).parent.parent / "src" / "figsupport" / "core"
PATTERNS = {
    path.stem: names
    for path in sorted(CORE.glob("*.py"))
    if (
        names := [
            name
            for name, value in vars(import_module(f"figsupport.core.{path.stem}")).items()
            if isinstance(value, re.Pattern)
        ]
    )
}
#: Lines of 100,000 characters that repeat what patterns look for, and never end well.
TRIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from importlib import import_module
module = import_module(f"figsupport.core.{sys.argv[1]}")
patterns = [getattr(module, name) for name in sys.argv[2:]]
for piece in ("a", "a ", " ", "\\t ", "1", "1 ", "a-", "a.", "@", "a@", ">", "> ", "-", "_", "=", ":",
              "de : ", "le 1 ", "(", "[", "[a", "{", "{a", "<", "<a", "a {", ".a", "#a ", "https://", "www.",
              "Jean ", "Bonjour Jean ", "2 credits ", "votre message ", "a ecrit ", "-- a ", "tel ",
              "0;", "color:rgba(", "text-decoration:", "?!", "\\n", "\\u00e9", "$a", "« "):
    line = (piece * (100_000 // len(piece) + 1))[:100_000]
    for text in (line + "!", "De " + line + "\\n"):
        for pattern in patterns:
            pattern.search(text)
"""


def test_patterns_are_found() -> None:
    assert sum(map(len, PATTERNS.values())) >= 20


@pytest.mark.parametrize("module", PATTERNS)
def test_a_long_line_does_not_blow_up(module: str) -> None:
    """A pattern that does takes minutes; all of a module together take seconds."""
    ran = subprocess.run(
        [sys.executable, "-c", TRIAL, module, *PATTERNS[module]],
        check=False, timeout=900, capture_output=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
