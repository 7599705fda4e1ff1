"""Draws the terminal picture of the README from a real run: `make picture`."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from figsupport import commands, output, workflow
from figsupport.adapters import playing
from figsupport.core.intake import parse_request
from figsupport.services import Services
from figsupport.settings import Settings

ROOT = Path(__file__).parent.parent
WIDTH = 92


def prompt(console: Console, command: str) -> None:
    """Show a command as it was typed."""
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))


def main() -> None:
    """Run the main job on an embedded desk and save what people see of it."""
    console = Console(record=True, width=WIDTH, file=open("/dev/null", "w"), highlight=False)  # noqa: SIM115, PTH123
    now = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as home:
        services = Services(Settings(figsupport_home=Path(home)), lambda: now)
        text = (ROOT / "examples" / "request.json").read_bytes()
        request = parse_request(
            commands.parse_json(text, services.settings.limits), services.settings.limits
        )
        request = commands.with_local_files(request, ROOT / "examples", services.settings.limits)
        prompt(console, "figsupport intake examples/request.json")
        case, new = workflow.intake(request, services)
        console.print(output.VIEWS["intake"](case, new))
        prompt(console, 'figsupport reply 1001 "Je valide"')
        raw = playing.as_mail(case, now, services.office.sender, "Je valide", None)
        message = playing.deliver(raw, Path(home) / "mail", now)
        console.print(output.VIEWS["reply"](case, message))
        prompt(console, "figsupport poll")
        console.print(output.VIEWS["round"](workflow.poll_pending_tickets(services)))
    console.save_svg(
        str(ROOT / "docs" / "terminal.svg"), title="figsupport", unique_id="figsupport"
    )


if __name__ == "__main__":
    main()
