"""The commands on requests: `intake`, `classify`, `upload`, `analyze`; one document or many."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from figsupport import workflow
from figsupport.commands.answers import Answer, Answers, Options, open_services
from figsupport.commands.documents import intake_document
from figsupport.core.intake import is_case, parse_case, parse_json, parse_request
from figsupport.core.model import Case, Request
from figsupport.errors import (
    FigsupportError,
    InvalidRequest,
    Misconfigured,
    NotFound,
    Problem,
    listed,
)
from figsupport.services import Services


def intake(options: Options, argument: str) -> Answer | Answers:
    """Take requests in."""
    return _for_each(options, argument, _intake)


def _intake(given: Request | Case, services: Services) -> Answer:
    case, new = workflow.intake(given, services)
    return Answer(intake_document(case, new), "intake", (case, new))


def classify(options: Options, argument: str) -> Answer | Answers:
    """Classify requests; saves nothing."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "classify"))


def upload(options: Options, argument: str) -> Answer | Answers:
    """Store the files of requests; saves no case."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "upload"))


def analyze(options: Options, argument: str) -> Answer | Answers:
    """Analyse requests; saves nothing, touches no desk."""
    return _for_each(options, argument, lambda given, services: _part(given, services, "analyze"))


def _part(given: Request | Case, services: Services, part: workflow.Part) -> Answer:
    case = workflow.work_on(given, services, part)
    document = case.model_dump(mode="json")
    letter = workflow.letter_of(case, services) if part == "analyze" else None
    if letter is not None:
        document["letter"] = letter.model_dump(mode="json")
    return Answer(document, part, (case, letter))


def _for_each(
    options: Options, argument: str, work: Callable[[Request | Case, Services], Answer]
) -> Answer | Answers:
    """Do the work for the one document of the argument, or for each line of JSON Lines."""
    services = open_services(options)
    folder, text = _read(argument, services)
    lines = _json_lines(text)
    if lines is None:
        return work(_parse(text, folder, services), services)
    services.moved = None  # one bar is enough
    return Answers(_each(lines, folder, services, work), len(lines))


def _each(
    lines: list[tuple[int, str]],
    folder: Path,
    services: Services,
    work: Callable[[Request | Case, Services], Answer],
) -> Iterator[Answer]:
    for number, line in lines:
        try:
            yield work(_parse(line, folder, services), services)._replace(view="line")
        except Misconfigured:
            raise
        except FigsupportError as error:
            document = {**error.document(), "line": number}
            yield Answer(document, "failed", (error, number), error.exit_code)


def _read(argument: str, services: Services) -> tuple[Path, str]:
    """Return the text of a REQUEST argument and the folder its paths are relative to."""
    if argument.lstrip().startswith("{"):
        return Path.cwd(), argument
    if argument == "-":
        return Path.cwd(), _decoded(sys.stdin.buffer.read(), "standard input")
    path = Path(argument)
    if not path.is_file():
        raise NotFound(
            f"There is no file {argument}",
            hint="REQUEST is a path, - for standard input, or a JSON object.",
        )
    return path.resolve().parent, _decoded(path.read_bytes(), argument)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"{name} is not UTF-8 text (byte {error.start})",
            hint="Save the file as UTF-8 and try again.",
        ) from None


def _json_lines(text: str) -> list[tuple[int, str]] | None:
    """Return the numbered lines when the text is JSON Lines, None when it is one document."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    whole = any(_is_object(line) for _, line in lines[:3])
    return lines if len(lines) > 1 and whole else None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parse(text: str, folder: Path, services: Services) -> Request | Case:
    limits = services.settings.limits
    document = parse_json(text, limits)
    if is_case(document):
        return parse_case(document, limits)
    request = parse_request(document, limits)
    return _with_local_files(request, folder, limits.file_size)


def _with_local_files(request: Request, folder: Path, most: int) -> Request:
    """Make paths absolute, so that the work can go on from any folder; every problem at once."""
    problems, files = [], []
    for index, file in enumerate(request.fichiers):
        if file.path is not None:
            path = (folder / file.path).resolve()
            field = f"fichiers[{index}].path"
            if not path.is_file():
                problems.append(Problem(field, f"there is no file {path}"))
            elif (size := path.stat().st_size) > most:
                problems.append(Problem(field, f"{size} bytes; expected at most {most}"))
            file = file.model_copy(update={"path": str(path)})  # noqa: PLW2901
        files.append(file)
    if problems:
        raise InvalidRequest(
            "Files of the request cannot be read: " + listed(problems),
            hint="Paths are relative to the document. Nothing was done.",
            problems=problems,
        )
    return request.model_copy(update={"fichiers": tuple(files)})
