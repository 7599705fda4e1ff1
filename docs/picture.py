"""Draws the terminal picture of the README from a real run: `make picture`."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
WIDTH = 96
COMMANDS = (
    ("intake", "examples/request.json"),
    ("reply", "1001", '"Je valide"'),
    ("poll",),
)


def main() -> None:
    """Run the main job on an embedded desk and save what people see of it."""
    with (
        tempfile.TemporaryDirectory() as home,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
    ):
        console = Console(record=True, width=WIDTH, file=nowhere)
        environment = {
            **os.environ,
            "FIGSUPPORT_HOME": home,
            "FORCE_COLOR": "1",
            "COLUMNS": str(WIDTH),
        }
        for command in COMMANDS:
            typed = " ".join(("figsupport", *command))
            console.print(Text.assemble(("$ ", "bold green"), (typed, "bold")))
            words = [word.strip('"') for word in command]
            ran = subprocess.run(
                [sys.executable, "-m", "figsupport.cli", *words, "--no-json"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            for line in AnsiDecoder().decode(ran.stdout):
                console.print(line)
        drawn = console.export_svg(title="figsupport", unique_id="figsupport")
    # the reader's own monospaced font: nothing is fetched from elsewhere
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    (ROOT / "docs" / "terminal.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
