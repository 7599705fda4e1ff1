"""Every event counted; the metrics file written anew when a round has ended."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from figsupport.adapters.tally import Count, Tally
from figsupport.core.events import CallDone, Event, PollDone, StepDone
from figsupport.services import Services

#: Upper bounds of a call's duration, in seconds.
BUCKETS = ("0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")


def counted(event: Event) -> Iterator[Count]:
    """Yield what an event adds to the counters. Pure."""
    match event:
        case StepDone(error=None):
            yield Count("steps", (event.step, event.provider), 1)
            if event.intent is not None:
                yield Count("replies", (event.intent,), 1)
            if event.guard is not None:
                yield Count("acceptances_stopped", (event.guard,), 1)
        case StepDone():
            yield Count("step_errors", (event.step, event.provider, event.error or ""), 1)
        case CallDone():
            yield Count("calls", (event.provider, str(event.status or "none")), 1)
            if event.dollars:
                yield Count("judge_dollars", (event.provider,), event.dollars)
            yield Count("call_seconds_sum", (event.provider,), event.seconds)
            for bound in BUCKETS:
                within = event.seconds <= float(bound)
                yield Count("call_seconds_bucket", (event.provider, bound), within)
        case PollDone():
            yield Count("polls", ("failed" if event.errors else "done",), 1)
            yield Count("strangers", (), event.strangers)
            for code in dict.fromkeys(event.errors):
                yield Count("poll_errors", (code,), event.errors.count(code))


class Counting:
    """A listener that counts for as long as the home folder lives, whatever process it is in."""

    def __init__(self, services: Services, path: Path) -> None:
        self._services, self._path = services, path

    @cached_property
    def _tally(self) -> Tally:
        return Tally(self._services.settings.home)

    def __call__(self, event: Event) -> None:
        """Count an event."""
        self._tally.add(counted(event))
        if isinstance(event, PollDone):
            ended = self._services.now().timestamp()
            self._tally.put(
                (
                    Count("last_poll_timestamp_seconds", (), ended),
                    Count("last_poll_duration_seconds", (), event.seconds),
                )
            )
            self._write()

    def _write(self) -> None:
        from figsupport.private import replace_file
        from figsupport.watch.metrics import render

        try:
            # another user's node_exporter reads it
            replace_file(self._path, render(self._services), mode=0o644)
        except OSError as error:
            self._services.warn(
                f"The metrics were not written ({error.strerror}): check that the folder of "
                f"FIGSUPPORT_METRICS={self._path} is there and writable. The round is done."
            )
