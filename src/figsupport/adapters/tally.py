"""Counts that outlive the processes that make them: one SQLite file beside the journal.

Commands of cron live for a second, and a counter that begins at nought each time counts
nothing: each event is added here at once, so that a killed process loses no count either.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from figsupport.adapters.database import Database

_MIGRATIONS = (
    """
    CREATE TABLE tally (
        name TEXT NOT NULL,
        labels TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (name, labels)
    ) WITHOUT ROWID
    """,
)


class Count(NamedTuple):
    """A number under a name and the values of its labels."""

    name: str
    labels: tuple[str, ...]
    value: float


class Tally:
    """The counts of one machine. Several processes and threads may count at once."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "metrics.sqlite", _MIGRATIONS, "normal")

    def add(self, counts: Iterable[Count]) -> None:
        """Add to what is there, all of them or none."""
        self._write(counts, "tally.value + excluded.value")

    def put(self, counts: Iterable[Count]) -> None:
        """Take the place of what is there, all of them or none."""
        self._write(counts, "excluded.value")

    def all(self) -> list[Count]:
        """Return every count, in order."""
        rows = self._database.execute("SELECT name, labels, value FROM tally ORDER BY 1, 2")
        return [Count(name, tuple(json.loads(labels)), value) for name, labels, value in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, counts: Iterable[Count], value: str) -> None:
        rows = [(name, json.dumps(labels), number) for name, labels, number in counts]
        if not rows:
            return
        self._database.execute(  # one statement: a transaction of its own, whatever the thread
            f"INSERT INTO tally VALUES {', '.join(['(?, ?, ?)'] * len(rows))} "  # noqa: S608
            f"ON CONFLICT DO UPDATE SET value = {value}",
            [part for row in rows for part in row],
        )
