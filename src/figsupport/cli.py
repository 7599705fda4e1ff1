"""The commands. Each parses its options and makes one call; `main` prints, catches, exits.

Nothing heavy is imported here: start-up is a feature.
"""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from figsupport import __version__
from figsupport.errors import FigsupportError

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


RequestArgument = Annotated[
    str,
    typer.Argument(
        metavar="REQUEST",
        help="A path, - for standard input, or a JSON object. JSON Lines: many requests.",
    ),
]
Share = Annotated[float | None, typer.Option(min=0, max=1, metavar="0..1", show_default=False)]
Count = Annotated[int | None, typer.Option(min=0, metavar="N", show_default=False)]
Ticket = Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's number.")]


@command
def intake(options: Options, request: RequestArgument) -> Any:
    """Take a request in: classify, store files, open the ticket, estimate, write."""
    from figsupport import commands

    return commands.intake(options, request)


@command
def classify(options: Options, request: RequestArgument) -> Any:
    """Tell SUPPORT from MODELISATION, and why."""
    from figsupport import commands

    return commands.classify(options, request)


@command
def analyze(options: Options, request: RequestArgument) -> Any:
    """Judge completeness, complexity and credits; show the letter it would send."""
    from figsupport import commands

    return commands.analyze(options, request)


@command
def upload(options: Options, request: RequestArgument) -> Any:
    """Fetch the files of a request and store them."""
    from figsupport import commands

    return commands.upload(options, request)


@command
def validate(
    options: Options,
    ticket: Ticket,
    credits_: Annotated[
        int | None, typer.Option("--credits", metavar="N", help="The price in credits.")
    ] = None,
    notes: Annotated[str, typer.Option(help="Notes for the modeller.")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="Refuse the request.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is refused, told to the client.")] = "",
    quote: Annotated[
        bool, typer.Option("--quote", help="Send the client a quote and wait.")
    ] = False,
) -> Any:
    """Accept a request for the client, quote a price, or refuse it (administrators)."""
    from figsupport import commands

    if reject and (quote or credits_ is not None):
        raise typer.BadParameter("--reject goes with neither --credits nor --quote")
    if not reject and credits_ is None:
        raise typer.BadParameter("--credits N is missing (or --reject)")
    if reject:
        return commands.validate(options, ticket, "reject", 0, reason)
    return commands.validate(options, ticket, "quote" if quote else "accept", credits_ or 0, notes)


@command
def poll(
    options: Options,
    interval: Annotated[
        float | None,
        typer.Option(min=1, metavar="SECONDS", help="Keep going, a round every so often."),
    ] = None,
) -> Any:
    """Read clients' replies and go on with unfinished cases (cron)."""
    from figsupport import commands

    return commands.poll(options, interval)


@command
def tickets(
    options: Options,
    ticket: Annotated[str | None, typer.Argument(metavar="[TICKET]")] = None,
    sent: Annotated[
        bool, typer.Option("--sent", help="I have sent the letters left as drafts.")
    ] = False,
    proof: Annotated[
        bool, typer.Option("--proof", help="The record of the client's acceptance, checked.")
    ] = False,
) -> Any:
    """List the open cases, or tell one case's story."""
    from figsupport import commands

    if (sent or proof) and ticket is None:
        raise typer.BadParameter("--sent and --proof tell of one ticket: give its TICKET")
    if proof and ticket is not None:
        return commands.proof(options, ticket)
    return commands.tickets(options, ticket, sent)


@command
def reply(
    options: Options,
    ticket: Ticket,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]")] = None,
    eml: Annotated[Path | None, typer.Option("--eml", help="A mail file to deliver.")] = None,
) -> Any:
    """Play the client answering (embedded desk only)."""
    from figsupport import commands

    if (text is None) == (eml is None):
        raise typer.BadParameter("give a TEXT or --eml FILE, one of them")
    return commands.reply(options, ticket, text, eml)


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
    from figsupport import commands

    return commands.inspect(options, places, thumbnail, "fr" if french else "en")


@command
def eval(  # noqa: A001 — the command's name
    options: Options,
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="Labelled cases, JSON Lines.")],
    judge: Annotated[str, typer.Option(help="rules or claude.")] = "rules",
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Two judges side by side."),
    ] = None,
    min_accuracy: Share = None,
    max_false_accepts: Count = None,
    max_money_errors: Count = None,
) -> Any:
    """Measure a judge on labelled cases; exit 69 when it misses a threshold."""
    from figsupport import commands

    wanted = (min_accuracy, max_false_accepts, max_money_errors)
    judges = compare or (judge,)
    if unknown := set(judges) - {"rules", "claude"}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: a judge is rules or claude")
    return commands.evaluate(options, cases, judges, wanted, compare=compare is not None)


@command
def health(options: Options) -> Any:
    """Check settings, directives and every provider."""
    from figsupport import commands

    return commands.health(options)


@command
def setup(options: Options) -> Any:
    """Create what the desk needs (ticket properties) and prove the store; safe to repeat."""
    from figsupport import commands

    return commands.setup(options)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line: the only place that prints, catches and exits."""
    options = Options()
    argv = list(sys.argv[1:] if arguments is None else arguments)
    options.json = _asked_for_json(argv)
    try:
        sys.exit(_run(argv, options))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # whoever read our output has left: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run(argv: list[str], options: Options) -> int:

    try:
        answer = app(argv, standalone_mode=False, obj=options)
        return _show(answer, options)
    except FigsupportError as error:
        _tell(error.document(), options)
        return error.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        usage = {"code": "usage", "message": error.format_message(), "hint": _help_of(error)}
        _tell({"error": {**usage, "problems": []}}, options)
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        _tell(_bug(error), options)
        return 1


def _show(answer: Any, options: Options) -> int:
    """Print what a command returned; return the exit code."""
    if answer is None or isinstance(answer, int):
        return int(answer or 0)  # --help and --version have printed already
    if not hasattr(answer, "each"):
        _print(answer, options)
        return int(answer.exit_code)
    from figsupport.commands import gravest

    codes = []
    for each in _with_progress(answer, options):
        _print(each, options)
        codes.append(each.exit_code)
    return gravest(codes)


def _print(answer: Any, options: Options) -> None:
    if _wants_json(options):
        if not (options.quiet and answer.unremarkable):
            document = answer.document
            if options.dry_run and isinstance(document, dict):
                document = {"dry_run": True, **document}
            print(_dumps(document), flush=True)
        return
    from figsupport import output

    if options.notice and not options.quiet:
        output.notice(options.notice)
        options.notice = ""
    output.show(answer, quiet=options.quiet, verbose=options.verbose, dry_run=options.dry_run)


def _with_progress(answers: Any, options: Options) -> Any:
    if answers.total is None or options.quiet or not sys.stderr.isatty():
        return answers.each
    from figsupport import output

    return output.progress(answers.each, answers.total)


def _tell(document: dict[str, Any], options: Options) -> None:
    """Print a failure: as JSON where a program reads, else for people on standard error."""
    if _wants_json(options):
        print(_dumps(document), flush=True)
        return
    from figsupport import output

    output.failure(document["error"])


def _bug(error: Exception) -> dict[str, Any]:
    """Write the trace to a file and return the document that says where."""
    from figsupport.private import trace_file

    message = f"This is a bug in figsupport: {type(error).__name__}"
    hint = f"The trace is in {trace_file(error)}; send it with your report. Nothing saved was lost."
    return {"error": {"code": "bug", "message": message, "hint": hint, "problems": []}}


def _help_of(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context else 'figsupport'} --help` shows how."


def _asked_for_json(argv: Sequence[str]) -> bool | None:
    """Look for --json before anything is parsed: a mistyped line is answered in JSON too."""
    asked = [word for word in argv if word in ("--json", "--no-json")]
    return asked[-1] == "--json" if asked else None


def _wants_json(options: Options) -> bool:
    return not sys.stdout.isatty() if options.json is None else options.json


def _dumps(document: object) -> str:
    import json

    return json.dumps(document, ensure_ascii=False)


if __name__ == "__main__":
    main()
