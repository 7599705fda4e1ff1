"""A month of the office: clients, cron, an administrator, faults, restarts; then the books.

`python -m tests.month` plays 30 days of 300 requests on the embedded desk and a simulated clock,
over the change to winter time and a public holiday; then nobody sends a request any more until
every case has come to its end. Clients read the letters that were really written, and do as they
had made up their minds (seeded): accept, refuse, ask, complete, answer to the reminder, answer too
late, never. Calls fail before or after their effect, the mail server is down for a night, the
process dies in the middle of a step, cron oversleeps. At the end each case must be where its
client and the administrator brought it, everything must be there once, and no reminder may have
left at night, on a weekend, on a holiday, or twice a day to one client.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from figsupport.core.model import REMINDERS, TIMED, Case
from figsupport.core.references import letter_name

from .kill import MEMORY
from .office import ENDS, World

# --- the books -------------------------------------------------------------------------------


def ended(case: Case) -> str:
    """Where a case has come to."""
    if case.classification is not None and case.classification.type == "SUPPORT":
        return "support"
    if case.decision is None:
        return f"open: {case.validation_status}"
    if case.decision.verdict == "accept":
        return "validated"
    return {"client": "refused", "administrator": "rejected", "delay": "expired"}[case.decision.by]


def expected_end(world: World, case: Case) -> str:
    """Where its client and the administrator brought it."""
    objet, mind = world.cases[case.id], world._mind(case.reference)
    if objet == "Facture":
        return "support"
    if objet == "Cheminée" and (verdict := world._verdict(case.reference)) != "quote":
        return "validated" if verdict == "accept" else "rejected"
    return ENDS[mind]


def wrong(world: World) -> Iterator[str]:
    """Say what is not as it must be."""
    cases = [case for name in world.cases if (case := world.services.cases.load(name))]
    tickets, notes, subtasks = (
        world.services.desk_file.execute(f"SELECT * FROM {name}").fetchall()
        for name in ("tickets", "notes", "subtasks")
    )
    if not len(world.cases) == len(cases) == len(tickets):
        yield f"{len(world.cases)} requests, {len(cases)} cases, {len(tickets)} tickets"
    for case in cases:
        if ended(case) != (expected := expected_end(world, case)):
            yield f"{case.id} ({world._mind(case.reference)}) {ended(case)}, expected {expected}"
        if case.doing or case.outbox:
            yield f"{case.id} is unfinished"
    yield from _letters_wrong(world, cases)
    accepted = [case for case in cases if ended(case) == "validated"]
    markers = Counter(str(row["marker"]) for row in subtasks)
    if markers != Counter(f"[REF-{case.reference}]" for case in accepted):
        yield f"{len(accepted)} validated, {sum(markers.values())} subtasks"
    if len({(row["ticket_id"], row["key"]) for row in notes}) != len(notes):
        yield "a note is there twice"
    if due := world.services.cases.due(world.now + timedelta(days=400)):
        yield f"{len(due)} cases are still due some day"


def _letters_wrong(world: World, cases: list[Case]) -> Iterator[str]:
    left = Counter(str(letter["Message-ID"]) for letter in world.letters)
    yield from (f"{name} left {times} times" for name, times in left.items() if times > 1)
    known = {mail.message_id for case in cases for mail in case.mails}
    digests = {name for name in left if name.startswith("<digest.")}
    if known != left.keys() - digests:
        odd = sorted(known ^ (left.keys() - digests))
        yield f"{len(known)} letters in the cases, {len(left) - len(digests)} left: {odd[:3]}"
    days: Counter[tuple[str, date]] = Counter()
    for letter in world.letters:
        name, when = letter_name(str(letter["Message-ID"])), parsedate_to_datetime(letter["Date"])
        if name is not None and name.kind in TIMED and world.delays.opening(when) != when:
            yield f"{name.kind} left on {when.astimezone(world.delays.zone):%a %d %b %H:%M}"
        if name is not None and name.kind in REMINDERS:
            days[str(letter["To"]), world.delays.day(when)] += 1
    yield from (f"{times} reminders on {day} to {who}" for (who, day), times in days.items()
                if times > 1)  # fmt: skip
    world.counted["most reminders to a client a day"] = max(days.values(), default=0)


def play(days: int, requests: int, seed: int) -> tuple[World, list[str]]:
    """Live a month; return the world and what is wrong in it."""
    folder = Path(tempfile.mkdtemp(prefix="month-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        world = World(folder / "home", days, requests, seed)
        world.run()
        return world, list(wrong(world))
    finally:
        shutil.rmtree(folder)


def report(world: World) -> Iterator[str]:
    """Yield the table of the days and the books.

    A round costs what it has to do, and that grows with the open cases; an empty one must not.
    """
    yield "                        a round of poll: ms   its work that day   an empty round"
    yield "day  requests  intake ms     mean    worst     mails    steps        ms  × day 1   open  kB on disk"
    shown = [0, *range(9, world.days, 10), world.days - 1]
    for number in dict.fromkeys(shown):
        day = world.table[number]
        yield (
            f"{number + 1:3} {day.requests:9} {day.intake:10.1f} {day.round:8.1f} {day.worst:8.0f}"
            f" {day.mails:9} {day.steps:8} {day.empty:9.2f} {day.empty / world.table[0].empty:8.2f}"
            f" {day.open:6} {day.kilobytes:11.0f}"
        )
    kinds = Counter(str(letter["Message-ID"])[1:].partition(".")[0] for letter in world.letters)
    cases = [case for name in world.cases if (case := world.services.cases.load(name))]
    yield f"{len(cases)} requests: {_told(Counter(map(ended, cases)))}"
    yield f"{len(world.letters)} letters: {_told(kinds)}"
    yield _told(world.counted)


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counted.most_common())


def main() -> int:
    """Play it and print the books."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--requests", type=int, default=300, help="a day")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    world, lines = play(given.days, given.requests, given.seed)
    for line in report(world):
        print(line)
    for line in lines[:50]:
        print("✗", line)
    state = f"{len(lines)} WRONG" if lines else "the books are exact"
    print(
        f"{given.days} days × {given.requests} requests in {time.monotonic() - began:.0f} s: {state}"
    )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
