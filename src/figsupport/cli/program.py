"""The program, its global options, and how a command joins it."""

import sys
from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from figsupport import __version__

EXITS = """
Exits: 0 done · 1 a bug · 2 mistyped · 65 the request or a directive is wrong ·
66 no such file or ticket · 69 a provider refused · 75 a provider is unavailable, run again
later · 77 credentials or scopes · 78 configuration
"""

app = typer.Typer(
    name="figsupport",
    help="Support intake for a 3D/AR studio: from a client's request to the modeller's desk.",
    epilog=EXITS,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


class Options:
    """The global options of one run, given before or after the command."""

    def __init__(self) -> None:
        self.json: bool | None = None
        self.dry_run = False
        self.verbose = 0
        self.quiet = False
        self.env_file: Path | None = None
        self.notice = ""  # said beside the result, to people
        self._bars: Any = None

    def moved(self, name: str, done: int, total: int) -> None:
        """Show on a terminal how far a large file is on its way to the store."""
        if self.quiet or not sys.stderr.isatty():
            return
        if self._bars is None:
            from figsupport.output import Bars

            self._bars = Bars()
        self._bars.moved(name, done, total)

    def add(
        self,
        json: bool | None,
        dry_run: bool,
        verbose: int,
        quiet: bool,
        env_file: Path | None,
    ) -> None:
        """Add the options that stand at one place of the command line."""
        self.json = self.json if json is None else json
        self.dry_run = self.dry_run or dry_run
        self.verbose += verbose
        self.quiet = self.quiet or quiet
        self.env_file = env_file or self.env_file

    def warn(self, sentence: str) -> None:
        """Say at once, on standard error, what the run has to do without."""
        if not self.quiet:
            print(sentence, file=sys.stderr, flush=True)


Json = Annotated[
    bool | None,
    typer.Option("--json/--no-json", help="One JSON document (the default in a pipe)."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done and do nothing.")]
Verbose = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what needs a person.")]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="Settings to read instead of ./.env.")
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"figsupport {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    context: typer.Context,
    json: Json = None,
    dry_run: DryRun = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
    env_file: EnvFile = None,
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True)
    ] = None,
) -> None:
    context.obj.add(json, dry_run, verbose, quiet, env_file)


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a command: its own parameters, and the global options after it.

    The function's first parameter, `options`, receives the global options.
    """
    own = list(signature(function, eval_str=True).parameters.values())[1:]
    shared = list(signature(_global, eval_str=True).parameters.values())[:-1]

    @wraps(function)
    def run(context: typer.Context, **given: Any) -> Any:
        options: Options = context.obj
        options.add(**{parameter.name: given.pop(parameter.name) for parameter in shared[1:]})
        return function(options, **given)

    run.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for parameter in (shared[0], *own, *shared[1:])
        ]
    )
    return app.command(epilog=EXITS)(run)
