"""The metrics: counts that never go back, a file that is never half there."""

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from figsupport.adapters.tally import Count, Tally
from figsupport.core.events import CallDone, Event, PollDone, StepDone
from figsupport.core.model import Step
from figsupport.core.plan import Waiting
from figsupport.polling import poll_pending_tickets
from figsupport.ports import Census
from figsupport.services import Services
from figsupport.watch import attach
from figsupport.watch.counting import counted
from figsupport.watch.metrics import families, render
from figsupport.workflow import intake

from .values import NOW, a_request

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> tuple[Samples, Samples]:
    """Return all samples by name and label values, and those of them that may only grow."""
    everything: Samples = {}
    growing: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sample.labels.values()))
            assert key not in everything
            everything[key] = sample.value
            if family.type in ("counter", "histogram"):
                growing[key] = sample.value
    return everything, growing


def command(home: Path, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "figsupport.cli", *arguments],
        env={**os.environ, "FIGSUPPORT_HOME": str(home), "FIGSUPPORT_METRICS": str(file)},
        capture_output=True, text=True, check=False, umask=0o077,
    )  # fmt: skip


def test_counters_outlive_the_processes_of_cron(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "figsupport.prom"
    for number in "12":
        request = a_request(
            request_id=number, description="Modéliser ce fauteuil, L 82 cm, H 95 cm"
        )
        assert command(home, file, "intake", request.model_dump_json()).returncode == 0
    assert not file.exists()
    before: Samples = {}
    rounds = []
    for answer in ("C'est pour quand ?", "Je valide, mais moins cher", "Je valide le devis"):
        ran = command(home, file, "reply", "1001", answer)
        assert ran.returncode == 0
        assert command(home, file, "poll").returncode == 0
        assert file.stat().st_mode & 0o777 == 0o644
        everything, growing = samples(file.read_text("utf-8"))
        assert all(growing[key] >= value for key, value in before.items())
        before = growing
        rounds.append(everything)
    assert [one["figsupport_polls_total", ("done",)] for one in rounds] == [1, 2, 3]
    replies = {
        key[1][0]: n for key, n in everything.items() if key[0] == "figsupport_replies_total"
    }
    assert sum(replies.values()) == 3
    assert replies["question"] >= 1
    assert everything["figsupport_steps_total", ("local", "ticket")] == 2
    assert list(tmp_path.glob(".figsupport*")) == []


def test_how_open_cases_stand(services: Services, tmp_path: Path) -> None:
    intake(a_request(description="Modéliser ce fauteuil, L 82 cm, H 95 cm"), services)
    everything, _ = samples(render(services))
    assert sum(n for (name, _), n in everything.items() if name == "figsupport_cases") == 1
    assert everything["figsupport_unfinished_cases", ()] == 0


def test_the_cases_by_what_they_wait_for() -> None:
    census = (
        Census(Waiting.CLIENT_INFO, False, 2, NOW - timedelta(hours=1)),
        Census(Waiting.CLIENT_INFO, True, 1, NOW - timedelta(hours=2)),
        Census(Waiting.FINISHED, True, 1, NOW),
    )
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families((), census, NOW)
        for sample in family.samples
    }
    assert found["figsupport_cases", "client_info"] == 3
    assert found["figsupport_oldest_case_age_seconds", "client_info"] == 7200
    assert found["figsupport_cases", "administrator"] == 0
    assert found["figsupport_unfinished_cases",] == 2


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (StepDone("A", "1", Step.TICKET, "hubspot", 0.1), {("steps", "ticket", "hubspot"): 1}),
        (
            StepDone("A", "1", Step.READ, "rules", 0.1, intent="unclear", guard="forged"),
            {
                ("steps", "read", "rules"): 1,
                ("replies", "unclear"): 1,
                ("acceptances_stopped", "forged"): 1,
            },
        ),
        (
            StepDone("A", "1", Step.TICKET, "hubspot", 0.1, "credentials"),
            {("step_errors", "ticket", "hubspot", "credentials"): 1},
        ),
        (PollDone(1.0), {("polls", "done"): 1, ("strangers",): 0}),
        (
            PollDone(1.0, ("unavailable", "refused", "unavailable"), 2),
            {
                ("strangers",): 2,
                ("polls", "failed"): 1,
                ("poll_errors", "unavailable"): 2,
                ("poll_errors", "refused"): 1,
            },
        ),
    ],
)
def test_what_an_event_counts(event: Event, counts: dict[tuple[str, ...], float]) -> None:
    assert {(count.name, *count.labels): count.value for count in counted(event)} == counts


def test_calls_are_a_histogram(services: Services, tmp_path: Path) -> None:
    tally = Tally(services.settings.home)
    for seconds in (0.05, 0.3, 0.3, 45.0):
        tally.add(counted(CallDone("claude", "messages", 200, seconds, dollars=0.25)))
    tally.add(counted(CallDone("claude", "messages", None, 0.1)))
    tally.close()
    everything, _ = samples(render(services))
    assert everything["figsupport_call_seconds_bucket", ("0.1", "claude")] == 2
    assert everything["figsupport_call_seconds_bucket", ("0.5", "claude")] == 4
    assert everything["figsupport_call_seconds_bucket", ("+Inf", "claude")] == 5
    assert everything["figsupport_call_seconds_count", ("claude",)] == 5
    assert everything["figsupport_call_seconds_sum", ("claude",)] == pytest.approx(45.75)
    assert everything["figsupport_judge_dollars_total", ("claude",)] == 1.0
    assert everything["figsupport_calls_total", ("claude", "none")] == 1


def test_many_count_at_once(tmp_path: Path) -> None:
    """Threads of one process and processes of one home: no count is lost."""
    shared, other = Tally(tmp_path), Tally(tmp_path)

    def work(tally: Tally) -> None:
        for _ in range(50):
            tally.add([Count("steps", ("x",), 1), Count("calls", ("y", "z"), 2)])

    threads = [threading.Thread(target=work, args=(tally,)) for tally in (shared, shared, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.all() == [Count("calls", ("y", "z"), 300), Count("steps", ("x",), 150)]
    shared.put([Count("steps", ("x",), 7)])
    shared.add([])
    assert other.all()[1] == Count("steps", ("x",), 7)
    shared.close()
    other.close()


def test_a_round_goes_on_without_its_file(services: Services, tmp_path: Path) -> None:
    said: list[str] = []
    gone = tmp_path / "gone" / "figsupport.prom"
    services.settings = services.settings.model_copy(update={"figsupport_metrics": gone})
    services.warn = said.append
    attach(services)
    poll_pending_tickets(services)
    (sentence,) = said
    assert "FIGSUPPORT_METRICS" in sentence
    gone.parent.mkdir()
    poll_pending_tickets(services)
    assert len(said) == 1
    first = gone.stat().st_ino
    poll_pending_tickets(services)
    assert gone.stat().st_ino != first  # replaced, not written over
    assert [path.name for path in gone.parent.iterdir()] == ["figsupport.prom"]
    assert samples(gone.read_text("utf-8"))[0]["figsupport_polls_total", ("done",)] == 3


@pytest.mark.parametrize("path", ["figsupport.prom", "/tmp/metrics.txt"])
def test_a_file_that_nobody_would_read_is_refused(path: str, tmp_path: Path) -> None:
    ran = command(tmp_path / "home", Path(path), "poll")
    assert ran.returncode == 78
    assert "FIGSUPPORT_METRICS" in json.loads(ran.stdout)["error"]["problems"][0]["field"]


def test_nothing_is_written_in_a_rehearsal(tmp_path: Path) -> None:
    file = tmp_path / "figsupport.prom"
    assert command(tmp_path / "home", file, "poll", "--dry-run").returncode == 0
    assert not file.exists()
    assert not (tmp_path / "home" / "metrics.sqlite").exists()
