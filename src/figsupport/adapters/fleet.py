"""The fleet's dispatcher: the ids of cases wait in a durable queue of DBOS for a worker.

DBOS dispatches, the journal remembers. A row of a worker that died stays as it is and holds
nothing up: no limit counts it but the one by the clock, no id is reserved by it. Whatever it
was working on is due in the journal still, and is sent again.
"""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from figsupport.adapters.postgres import KEEPALIVES
from figsupport.errors import Misconfigured

try:
    from dbos import DBOS, EnqueueOptions
except ImportError as missing:
    raise Misconfigured(
        f"`figsupport work` needs what is not installed here: {missing}",
        hint="Install it with: pip install 'figsupport[fleet]'",
    ) from missing

_QUEUE, _TURN = "cases", "turn"
#: Seconds over which the fleet's pace is measured: the window of the strictest provider.
_WINDOW = 10.0
_KEPT = timedelta(days=1)
_MANY = 1000


class Fleet:
    """One worker of the fleet, and the queue that all of them share."""

    def __init__(self, url: str, turn: Callable[[str], None], *, at_once: int, pace: int) -> None:
        """`turn` is called with a case's id, on one of `at_once` threads.

        `pace`: how many turns all workers together begin in ten seconds.
        """
        DBOS(
            config={
                "name": "figsupport",
                "system_database_url": url,
                "dbos_system_schema": "figsupport_dbos",
                # another version's rows would be left to wait for a worker of that version
                "application_version": "1",
                # a name that never comes back: nobody takes up rows of the dead under it
                "executor_id": f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}",
                "db_engine_kwargs": {"connect_args": KEEPALIVES},
                "sys_db_pool_size": 4,
                "use_listen_notify": False,
                "log_level": "ERROR",
            }
        )

        @DBOS.workflow(name=_TURN)
        def body(case_id: str) -> None:  # a function: DBOS marks it, which a method does not bear
            turn(case_id)

        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            worker_concurrency=at_once,
            limiter={"limit": pace, "period": _WINDOW},
            polling_interval_sec=0.5,
            on_conflict="always_update",
        )

    def cases(self) -> tuple[set[str], set[str]]:
        """Return the ids of the cases that wait, and of those that a worker took and never ended.

        A worker who is alive holds the locks of the latter.
        """
        rows = DBOS.list_workflows(
            queue_name=_QUEUE, status=["ENQUEUED", "DELAYED", "PENDING"], load_output=False
        )
        waiting, taken = set[str](), set[str]()
        for row in rows:
            assert row.input is not None  # noqa: S101 — it was asked for
            (taken if row.status == "PENDING" else waiting).add(row.input["args"][0])
        return waiting, taken

    def send(self, case_id: str, rank: int, *, after: float = 0.0) -> None:
        """Let a case wait for a worker: rank 1 is served first.

        `after`: not before so many seconds have passed.
        """
        options: EnqueueOptions = {
            "workflow_name": _TURN,
            "queue_name": _QUEUE,
            "priority": rank,
        }
        if after:
            options["delay_seconds"] = after
        DBOS.enqueue_workflow_with_options(options, case_id)

    def sweep(self) -> None:
        """Forget the rows of yesterday, those of the dead too: they are only history."""
        end = datetime.now(UTC) - _KEPT
        rows = DBOS.list_workflows(
            queue_name=_QUEUE, end_time=end.isoformat(), limit=_MANY,
            load_input=False, load_output=False,
        )  # fmt: skip
        if rows:
            DBOS.delete_workflows([row.workflow_id for row in rows])

    def close(self, patience: float = 30.0) -> None:
        """Take no more cases, and wait a while for those that are being worked on."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=int(patience))
