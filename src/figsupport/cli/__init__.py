"""The command line: `main` runs a command, prints its answer, catches, exits.

Nothing heavy is imported here: start-up is a feature.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer

from figsupport.cli import daily, fleet, keeping, looking, serving
from figsupport.cli.program import Options, app
from figsupport.errors import FigsupportError

__all__ = ["Options", "app", "daily", "fleet", "keeping", "looking", "main", "serving"]


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
    from figsupport.commands.answers import gravest

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
