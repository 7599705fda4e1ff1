"""A round with nothing to do costs the same however much lies in the books: nothing is read whole."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from figsupport import polling, workflow
from figsupport.adapters.database import Database
from figsupport.services import Services

from .test_workflow import INVOICE

_WHOLE = re.compile(r"SCAN \w+")


def test_an_empty_round_reads_no_table_whole(
    open_services: Callable[[], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_services()
    workflow.intake(INVOICE, services)
    polling.poll_pending_tickets(services)  # the digest of the day
    asked: list[tuple[Database, str, Sequence[object]]] = []
    execute = Database.execute

    def listening(self: Database, statement: str, values: Sequence[object] = ()) -> Any:
        asked.append((self, statement, values))
        return execute(self, statement, values)

    with monkeypatch.context() as listened:
        listened.setattr(Database, "execute", listening)
        done = polling.poll_pending_tickets(services)
    assert (done.touched, done.errors, done.digest) == ((), (), False)
    questions = [one for one in asked if re.match(r"\s*SELECT", one[1])]
    assert len(questions) > 5
    for database, statement, values in questions:
        plan = [
            row["detail"] for row in execute(database, f"EXPLAIN QUERY PLAN {statement}", values)
        ]
        whole = [line for line in plan if _WHOLE.fullmatch(line) and line not in _SMALL]
        assert not whole, f"{whole} in {statement}"


#: tables of one row
_SMALL = {"SCAN watermark"}
