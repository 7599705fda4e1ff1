"""Events as log lines on standard error: text for people, JSON for machines.

An event has no field for what a client wrote, so neither has a line.
"""

import sys
from typing import Any

import structlog

from figsupport.core.events import CallDone, Event, PollDone, StepDone


class Log:
    """A listener that writes a line for each step and round, and for each call when asked."""

    def __init__(self, *, as_json: bool, calls: bool) -> None:
        self._calls = calls
        last: Any = (
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if as_json
            else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=5, sort_keys=False)
        )
        self._log: Any = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                last,
            ],
            wrapper_class=structlog.BoundLogger,
        )

    def __call__(self, event: Event) -> None:
        """Write the line of an event."""
        if isinstance(event, CallDone) and not self._calls:
            return
        say = self._log.warning if _failed(event) else self._log.info
        say(_NAMES[type(event)], **_fields(event))


_NAMES = {StepDone: "step", CallDone: "call", PollDone: "poll"}


def _failed(event: Event) -> bool:
    match event:
        case StepDone():
            return event.error is not None
        case CallDone():
            return event.status is None or event.status >= 400
        case PollDone():
            return bool(event.errors)


def _fields(event: Event) -> dict[str, object]:
    """Return what a line says: the event's own fields, those that say nothing left out."""
    fields = event._asdict()
    milliseconds = round(fields.pop("seconds") * 1000, 1)
    said = {name: value for name, value in fields.items() if value not in (None, (), 0.0)}
    if isinstance(event, CallDone):
        said["status"] = event.status or "none"
    else:
        said["outcome"] = "failed" if _failed(event) else "done"
    return {**said, "ms": milliseconds}
