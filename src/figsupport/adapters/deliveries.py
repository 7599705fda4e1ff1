"""Which webhook deliveries came, with which body, in one SQLite file."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from figsupport.adapters.database import Database
from figsupport.errors import NotAllowed

_MIGRATIONS = (
    """
    CREATE TABLE deliveries (id TEXT PRIMARY KEY, body TEXT NOT NULL, at TEXT NOT NULL);
    CREATE INDEX deliveries_at ON deliveries (at)
    """,
)
_DAYS = 30


class Deliveries:
    """See `ports.Deliveries`. What a power cut takes of it, the journal makes good."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._database = Database(folder / "deliveries.sqlite", _MIGRATIONS, "normal")
        self._clock = clock

    def remember(self, delivery_id: str, body: bytes) -> None:
        """Remember a delivery for 30 days; the same again is none."""
        now, digest = self._clock(), hashlib.sha256(body).hexdigest()
        with self._database.transaction():
            new = self._database.execute(
                "INSERT OR IGNORE INTO deliveries (id, body, at) VALUES (?, ?, ?)",
                (delivery_id, digest, now.isoformat()),
            ).rowcount
            old = (now - timedelta(days=_DAYS)).isoformat()
            self._database.execute("DELETE FROM deliveries WHERE at < ?", (old,))
        if new:
            return
        row = self._database.execute(
            "SELECT body FROM deliveries WHERE id = ?", (delivery_id,)
        ).fetchone()
        if row and row["body"] != digest:
            raise NotAllowed(
                "This webhook-id came with another body before",
                hint="A delivery that is sent again keeps its body; another one gets an id of "
                "its own.",
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()
