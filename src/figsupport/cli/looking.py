"""The commands that look, measure and prepare. Each parses its options and makes one call."""

from pathlib import Path
from typing import Annotated, Any

import typer

from figsupport.cli.program import Options, command

Share = Annotated[float | None, typer.Option(min=0, max=1, metavar="0..1", show_default=False)]
Count = Annotated[int | None, typer.Option(min=0, metavar="N", show_default=False)]


@command
def inspect(
    options: Options,
    places: Annotated[list[str], typer.Argument(metavar="FILE|URL…", help="Files and links.")],
    thumbnail: Annotated[
        Path | None,
        typer.Option("--thumbnail", metavar="FOLDER|FILE", help="Draw models to PNG files."),
    ] = None,
    french: Annotated[bool, typer.Option("--french", help="Findings in French.")] = False,
) -> Any:
    """Tell what files really are, and whether models are ready for augmented reality."""
    from figsupport.commands import looking

    return looking.inspect(options, places, thumbnail, "fr" if french else "en")


@command
def eval(  # noqa: A001, PLR0913, PLR0917 — the command's name and its options
    options: Options,
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="Labelled cases, JSON Lines.")],
    judge: Annotated[str, typer.Option(help="rules or claude.")] = "rules",
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Two judges side by side."),
    ] = None,
    min_accuracy: Share = None,
    min_accept_recall: Share = None,
    max_false_accepts: Count = None,
    max_money_errors: Count = None,
) -> Any:
    """Measure a judge on labelled cases; exit 69 when it misses a threshold."""
    from figsupport.commands import looking

    wanted = (min_accuracy, max_false_accepts, max_money_errors, min_accept_recall)
    judges = compare or (judge,)
    if unknown := set(judges) - {"rules", "claude"}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: a judge is rules or claude")
    return looking.evaluate(options, cases, judges, wanted, compare=compare is not None)


@command
def health(options: Options) -> Any:
    """Check settings, directives and every provider."""
    from figsupport.commands import looking

    return looking.health(options)


@command
def setup(options: Options) -> Any:
    """Create what the desk needs (ticket properties) and prove the store; safe to repeat."""
    from figsupport.commands import looking

    return looking.setup(options)
