"""The metrics for Prometheus: counts of events, and how the open cases stand."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from figsupport import __version__
from figsupport.adapters.tally import Count, Tally
from figsupport.core.model import Guard, Intent
from figsupport.core.plan import Waiting
from figsupport.ports import Census
from figsupport.services import Services
from figsupport.watch.counting import BUCKETS

#: The type of what `render` returns, for the header of an answer.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """What a counter counts, by which labels; `known` are labels shown before they occur."""

    help: str
    labels: tuple[str, ...]
    known: tuple[str, ...] = ()


COUNTERS = {
    "steps": Family("Steps carried out.", ("step", "provider")),
    "step_errors": Family("Steps that failed.", ("step", "provider", "code")),
    "calls": Family("Calls to providers, each attempt one.", ("provider", "status")),
    "judge_dollars": Family("What the judge cost, in US dollars.", ("provider",)),
    "replies": Family("Clients' replies read.", ("intent",), get_args(Intent)),
    "acceptances_stopped": Family(
        "Replies whose words accept, stopped by a guard.", ("guard",), get_args(Guard)
    ),
    "polls": Family("Rounds of poll.", ("outcome",), ("done", "failed")),
    "strangers": Family("Mails that belong to no ticket.", ()),
    "poll_errors": Family("What failed in rounds of poll.", ("code",)),
}
GAUGES = {
    "last_poll_timestamp_seconds": "When the last round of poll ended.",
    "last_poll_duration_seconds": "How long the last round of poll took.",
}


def render(services: Services) -> str:
    """Return all metrics as text in Prometheus' format: a file's content, or a server's answer."""
    with closing(Tally(services.settings.home)) as tally:
        counts = tally.all()
    found = _Found(tuple(families(counts, services.cases.census(), services.now())))
    registry = CollectorRegistry()
    registry.register(found)
    return generate_latest(registry).decode("utf-8")


class _Found(Collector):
    def __init__(self, metrics: tuple[Metric, ...]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


def families(counts: Iterable[Count], census: Iterable[Census], now: datetime) -> Iterator[Metric]:
    """Yield the metrics that counts and open cases make. Pure."""
    by_name = {name: list(group) for name, group in groupby(counts, lambda count: count.name)}
    info = GaugeMetricFamily("figsupport_build_info", "The version.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    for name, family in COUNTERS.items():
        counter = CounterMetricFamily(f"figsupport_{name}", family.help, labels=family.labels)
        found = {count.labels: count.value for count in by_name.get(name, [])}
        for labels, value in ({(known,): 0.0 for known in family.known} | found).items():
            counter.add_metric(labels, value)
        yield counter
    for name, help_ in GAUGES.items():
        for count in by_name.get(name, []):
            yield GaugeMetricFamily(f"figsupport_{name}", help_, value=count.value)
    yield _durations(by_name.get("call_seconds_bucket", []), by_name.get("call_seconds_sum", []))
    yield from _cases(tuple(census), now)


def _durations(buckets: Iterable[Count], sums: Iterable[Count]) -> Metric:
    metric = HistogramMetricFamily(
        "figsupport_call_seconds", "How long calls to providers took.", labels=["provider"]
    )
    within = {count.labels: count.value for count in buckets}
    for count in sums:
        bounds = [(bound, within.get((*count.labels, bound), 0.0)) for bound in BUCKETS]
        metric.add_metric(count.labels, bounds, count.value)
    return metric


def _cases(census: Sequence[Census], now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "figsupport_cases", "Open cases by what they wait for.", labels=["waiting"]
    )
    oldest = GaugeMetricFamily(
        "figsupport_oldest_case_age_seconds", "The age of the oldest of them.", labels=["waiting"]
    )
    for state in Waiting:
        here = [row for row in census if row.waiting is state]
        ages = [(now - row.oldest).total_seconds() for row in here]
        waiting.add_metric([state.name.lower()], sum(row.cases for row in here))
        oldest.add_metric([state.name.lower()], max(ages, default=0.0))
    yield waiting
    yield oldest
    unfinished = sum(row.cases for row in census if row.unfinished)
    yield GaugeMetricFamily(
        "figsupport_unfinished_cases", "Cases with a step due.", value=unfinished
    )
