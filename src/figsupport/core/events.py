"""What operation may know of the work: steps, calls and rounds. Values without a client's word.

Whatever stands in an event may be logged and counted: ids of ours and of providers, names of
steps and adapters, codes, times. Texts, addresses, names and file names have no field here.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from figsupport.core.model import Guard, Intent, Step


class StepDone(NamedTuple):
    """A step of a case was carried out, or failed with the code `error`.

    `case` is its reference, `provider` the name of the adapter; `intent` and `guard` tell how
    a reply was read.
    """

    case: str
    ticket: str | None
    step: Step
    provider: str
    seconds: float
    error: str | None = None
    intent: Intent | None = None
    guard: Guard | None = None


class CallDone(NamedTuple):
    """One call to a provider: `status` as it answered (None: it did not), on which attempt.

    `call` is its verb and its path, without query and ids; `dollars` is what it cost.
    """

    provider: str
    call: str
    status: int | None
    seconds: float
    attempt: int = 1
    dollars: float = 0.0


class PollDone(NamedTuple):
    """A round of `poll` ended.

    `errors` are the codes of what failed in it, `strangers` counts mails that belong to no ticket.
    """

    seconds: float
    errors: tuple[str, ...] = ()
    strangers: int = 0


Event = StepDone | CallDone | PollDone

#: Is told events as they happen. What it raises is nobody's problem but its own.
Listener = Callable[[Event], None]


def deaf(_: Event) -> None:
    """Listen to nothing."""


def without_ids(path: str, words: Iterable[str]) -> str:
    """Return a path of a provider with only these words of it left, « … » for the others."""
    return "/".join(part if part in words else "…" for part in path.strip("/").split("/"))
