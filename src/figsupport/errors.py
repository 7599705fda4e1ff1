"""What can go wrong, named after what the reader can do about it.

Every error carries a sentence for people, a hint that says what to do next, a stable
`code` for programs and the exit status of the command line.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong in an input: where it is, and what is wrong and expected there."""

    field: str
    message: str


def listed(problems: Iterable[Problem]) -> str:
    """Return every problem in one line, as messages of errors end."""
    return "; ".join(f"{problem.field}: {problem.message}" for problem in problems)


class FigsupportError(Exception):
    """The base of every error that a user can meet and do something about."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)

    def document(self) -> dict[str, object]:
        """Return the error as the JSON document that programs read."""
        problems = [problem._asdict() for problem in self.problems]
        body = {"code": self.code, "message": self.message, "hint": self.hint, "problems": problems}
        return {"error": body}


class Bug(FigsupportError):
    """Something that should not happen; `__cause__` is what did."""

    code = "bug"


class InvalidRequest(FigsupportError):
    """The request document does not fit; `problems` names every reason."""

    code = "request_invalid"
    exit_code = 65


class InvalidDirectives(FigsupportError):
    """The directives cannot be used; `problems` names every file and line."""

    code = "directives_invalid"
    exit_code = 65


class InvalidBackup(FigsupportError):
    """The archive is no backup, or a damaged one."""

    code = "backup_invalid"
    exit_code = 65

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Nothing was touched. Give another backup.")


class NotAllowed(FigsupportError):
    """The decision asked for contradicts what already stands."""

    code = "not_allowed"
    exit_code = 65


class NotFound(FigsupportError):
    """No such file, ticket or case."""

    code = "not_found"
    exit_code = 66


class Refused(FigsupportError):
    """A provider understood and said no; repeating the call will not help."""

    code = "refused"
    exit_code = 69


class Conflict(Refused):
    """A provider already holds an object under this key."""

    code = "conflict"


class Unavailable(FigsupportError):
    """A provider did not answer; running the same command again later is safe."""

    code = "unavailable"
    exit_code = 75


class TryLater(Unavailable):
    """A provider asks to wait until a moment; `until` is timezone-aware."""

    code = "try_later"

    def __init__(self, message: str, *, until: datetime, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.until = until


class Settling(TryLater):
    """The answer to a call was lost and the call may still be applied: nothing is wrong."""


class Busy(Unavailable):
    """Another figsupport process is working on the same thing."""

    code = "busy"


class Credentials(FigsupportError):
    """A provider rejects the key, or the key lacks a permission."""

    code = "credentials"
    exit_code = 77


class Misconfigured(FigsupportError):
    """Settings are missing or contradict each other; `problems` names every variable."""

    code = "config_missing"
    exit_code = 78


class FileProblem(FigsupportError):
    """A client's file cannot be had or used; the message is for the client, in its language."""

    exit_code = 65

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def code_of(error: Exception) -> str:
    """Return the stable code of any error; what is none of ours is a bug."""
    return error.code if isinstance(error, FigsupportError) else Bug.code
