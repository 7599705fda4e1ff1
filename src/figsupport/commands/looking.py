"""The commands that look and measure: `inspect`, `eval`, `health`; and `setup`."""

from collections.abc import Sequence
from pathlib import Path

from figsupport import settings as settings_
from figsupport.commands.answers import Answer, Options, watched
from figsupport.core.model import Language
from figsupport.core.scoring import Thresholds, missed
from figsupport.services import Services


def evaluate(
    options: Options,
    path: Path,
    judges: Sequence[str],
    wanted: tuple[float | None, int | None, int | None, float | None],
    *,
    compare: bool,
) -> Answer:
    """Measure judges on labelled cases; exit 69 when one misses a threshold.

    `wanted` is the least accuracy, the most false accepts, the most money errors and the least
    recall of acceptances.
    """
    from figsupport import evaluation

    found = settings_.load(options.env_file)
    names = ("rules",) if options.dry_run else judges  # a dry run calls no model
    desks = [watched(Services(found.judging_by(name)), options) for name in names]
    cases = evaluation.read_cases(path, desks[0])
    reports = [evaluation.evaluate(cases, services) for services in desks]
    below = [missed(report, Thresholds(*wanted)) for report in reports]
    document = reports if compare else reports[0]
    return Answer(document, "evaluation", (reports, below), 69 if any(below) else 0)


def health(options: Options) -> Answer:
    """Check settings, directives and every provider; works when half of it is broken."""
    from figsupport.health import examine

    found = settings_.load(options.env_file)
    report = examine(found, lambda services: watched(services, options))
    code = 0 if report["status"] == "healthy" else 78 if report["status"] == "unhealthy" else 69
    return Answer(report, "health", (report,), code)


def setup(options: Options) -> Answer:
    """Create what the desk needs; safe to repeat."""
    services = watched(Services(settings_.load(options.env_file)), options)
    done = []
    for port in services.adapters._fields:
        if prepare := getattr(getattr(services, port), "setup", None):
            done += prepare(dry_run=options.dry_run)
    document = {word: [name for name, state in done if state == word] for word in ("made", "there")}
    return Answer(document, "setup", (done,))


def inspect(
    options: Options, places: list[str], thumbnail: Path | None, language: Language
) -> Answer:
    """Tell what files really are. Needs no provider; downloads nothing under --dry-run."""
    from figsupport import directives
    from figsupport.files import inspect as inspecting
    from figsupport.files.bring import bringer

    found = settings_.load(options.env_file)
    grid = directives.load(found.figsupport_directives or directives.default_folder()).grid
    bring = bringer(found.home / "spool", found.limits, found.allow_hosts, language)
    if options.dry_run:
        thumbnail, places = None, [place for place in places if "://" not in place]
    draw = thumbnail is not None
    inspected = inspecting.inspect(places, bring, grid, language, draw=draw)
    documents = [inspecting.document(one.fact, grid, language) for one in inspected]
    if thumbnail is not None:
        for one, document in zip(inspected, documents, strict=True):
            picture = inspecting.save_thumbnail(one, thumbnail, alone=len(inspected) == 1)
            document["thumbnail"] = picture and str(picture)
    return Answer(documents, "inspected", (documents, [one.fact for one in inspected], language))
