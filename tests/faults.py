"""Providers that fail: every call of every path, failing in every way, then the commands again.

`python -m tests.faults --all` runs the whole matrix; without it a sample. The paths run on the live
adapters against stand-ins of HubSpot, ClickUp and SMTP, and a real S3 server behind a connection
on which calls get lost. Each fault comes once (the adapter may get over it alone) and stays for
some calls (the command fails, and is given again when the provider has recovered). At the end the
books must be those of an undisturbed run, and each failure must have been told in a sentence that
names the provider and says what to do next.

Of a letter in doubt plain SMTP can say nothing: it may be there twice under one Message-ID.
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from figsupport import polling, workflow
from figsupport.adapters.r2 import Bucket, R2Store
from figsupport.core.model import Request, reference
from figsupport.errors import FigsupportError
from figsupport.services import Services
from figsupport.settings import Settings

from .kill import PARTS, PHOTO
from .standins import clickup as clickup_
from .standins import hubspot as hubspot_
from .standins.s3 import ACCESS, BUCKET, S3, SECRET, Flaky
from .standins.server import FAULTS, Fault
from .standins.smtp import Office, start
from .values import NOW

Provider = Literal["hubspot", "clickup", "smtp", "r2"]
EMAIL = "client@example.com"
NAMES = {
    "hubspot": "HubSpot",
    "clickup": "ClickUp|production board",
    "smtp": "mail server",
    "r2": "R2",
}
_TIMEOUT, _LATE = 0.4, 0.6
_STAYS = 5  # calls that a fault which stays hits: more than a client tries

# --- the world -------------------------------------------------------------------------------


class World:
    """The providers, the folder of the program, and the time of day."""

    def __init__(self, number: int, *, relay: bool = True) -> None:
        self.hubspot, self.clickup, self.office = hubspot_.HubSpot(), clickup_.ClickUp(), Office()
        self.relay = start(self.office) if relay else None
        self.files, self._store = _store()
        self.files.calls.clear()
        self.home = Path(tempfile.mkdtemp(prefix="faults-"))
        self.number, self.now = number, NOW
        self.hubspot.clock = NOW
        self.told: list[FigsupportError] = []
        for one in (self.hubspot, self.clickup, self.office, self.files):
            one.lateness = _LATE

    def provider(self, name: Provider) -> Any:
        return {"hubspot": self.hubspot, "clickup": self.clickup, "smtp": self.office,
                "r2": self.files}[name]  # fmt: skip

    def heal(self) -> None:
        """Every provider works again."""
        for name in get_args(Provider):
            self.provider(name).script = {}

    @contextmanager
    def program(self) -> Iterator[Services]:
        """One run of the program."""
        mail: dict[str, Any] = {}
        if self.relay:
            mail = {"smtp_host": "127.0.0.1", "smtp_port": self.relay.port}
        settings = Settings(
            figsupport_home=self.home, figsupport_sync="normal", figsupport_judge="rules",
            figsupport_timeout=_TIMEOUT, figsupport_backoff=0.01, figsupport_settle=0,
            hubspot_api_key=hubspot_.KEY, hubspot_base_url=self.hubspot.url, hubspot_hub_id="145",
            hubspot_pipeline_id="77", hubspot_stage_new="1", hubspot_sender_user_id="42",
            clickup_api_key=clickup_.KEY, clickup_base_url=self.clickup.url,
            clickup_parent_task_id=clickup_.PARENT, smtp_security="none",
            r2_access_key_id=ACCESS, r2_secret_access_key=SECRET, r2_bucket_name=BUCKET,
            r2_endpoint_url=self.files.url, r2_public_url="https://files.figurative.example",
            mail_from="Figurative <support@figurative.example>",
            admin_email="admin@figurative.example", **mail,
        )  # fmt: skip
        services = Wired(settings, lambda: self.now, self._store)
        try:
            yield services
        finally:
            services.__dict__.pop("store", None)  # it serves the next run, too
            services.close()

    def close(self) -> None:
        """End the providers and forget the folder."""
        if self.relay:
            self.relay.stop()
        self.hubspot.close()
        self.clickup.close()
        shutil.rmtree(self.home)


class Wired(Services):
    """Services whose store was opened before: opening it takes longer than a path."""

    def __init__(self, settings: Settings, now: Callable[[], datetime], store: R2Store) -> None:
        super().__init__(settings, now)
        self._store = store

    def _build(self, port: str) -> Any:
        return self._store if port == "store" else super()._build(port)


SERVER: list[S3] = []


@cache
def _store() -> tuple[Flaky, R2Store]:
    files = Flaky(SERVER[0])
    bucket = Bucket(BUCKET, files.url, "https://files.figurative.example", ACCESS, SECRET)
    return files, R2Store(bucket, attempts=1, timeout=_TIMEOUT)


# --- what people do --------------------------------------------------------------------------

Act = Callable[[World], None]


def take_in(objet: str, description: str, *files: Path, source: str = "modelisation") -> Act:
    def act(world: World) -> None:
        request = {
            "source": source,
            "objet": objet,
            "description": description,
            "user_email": EMAIL,
            "user_name": "Jean Dupont",
            "request_id": f"form-{world.number}",
            "fichiers": [{"name": path.name, "path": str(path)} for path in files],
        }
        with world.program() as services:
            workflow.intake(Request.model_validate(request), services)

    return act


def decide(verdict: workflow.Verdict, credits_: int = 0) -> Act:
    def act(world: World) -> None:
        with world.program() as services:
            workflow.process_validation(ticket(world), services, verdict, credits_, "Note")

    return act


def poll(world: World) -> None:
    with world.program() as services:
        for _ in range(3):  # rounds of cron
            for _, error in polling.poll_pending_tickets(services).errors:
                raise error
            if not services.cases.due(services.now()):
                return


def send_by_hand(world: World) -> None:
    with world.program() as services:
        workflow.mark_sent(ticket(world), services)


def answer(text: str) -> Act:
    """The client writes, on the conversation when there is one."""

    def client(world: World) -> None:
        world.now += timedelta(hours=2)
        world.hubspot.clock = world.now
        subject = f"Re: votre devis [#{reference(f'form-{world.number}')}]"
        if thread := next(iter(world.hubspot.threads), None):
            world.hubspot.add_message(thread, EMAIL, text, subject)
        else:
            world.hubspot.client_writes(EMAIL, text, subject)

    return client


def wait(days: float) -> Act:
    """Nobody writes for so long."""

    def act(world: World) -> None:
        world.now = world.hubspot.clock = NOW + timedelta(days=days)

    return act


def lose_state(world: World) -> None:
    """The machine is gone; another one begins with an empty folder."""
    shutil.rmtree(world.home)
    world.home.mkdir()


def ticket(world: World) -> str:
    return next(iter(world.hubspot.objects["tickets"]))


ARMCHAIR = take_in("Fauteuil", "Un fauteuil à modéliser avec ses textures.", PHOTO)
ORNATE = take_in("Cheminée", "Cheminée en marbre sculptée à modéliser.", PHOTO)
YES, NO, WHEN = answer("Je valide"), answer("Non merci"), answer("Vous livrez quand ?")


class Story(NamedTuple):
    """A path: what people do, in order; whether there is a mail server."""

    acts: tuple[Act, ...]
    relay: bool = True


STORIES: dict[str, Story] = {
    "support": Story((take_in("Facture", "Où est ma facture ?", source="facturation"),)),
    "accepted": Story((ARMCHAIR, YES, poll)),
    "refused": Story((ARMCHAIR, NO, poll)),
    "question, then yes": Story((ARMCHAIR, WHEN, poll, YES, poll)),
    "incomplete": Story((take_in("Chaise", "Une chaise à modéliser."),
                         answer("Elle fait 80 cm de haut."), poll)),
    "decided": Story((ORNATE, decide("accept", 5))),
    "quoted by hand": Story((ORNATE, decide("quote", 5), YES, poll)),
    "rejected by hand": Story((ARMCHAIR, decide("reject"))),
    "a draft": Story((ARMCHAIR, send_by_hand, YES, poll), relay=False),
    "reminded, accepted": Story((ARMCHAIR, wait(3.3), poll, YES, poll)),
    "reminded, ended": Story((ARMCHAIR, wait(3.3), poll, wait(11.3), poll, wait(28.3), poll)),
    "digest": Story((ORNATE, wait(1.3), poll)),
    "another machine": Story((ARMCHAIR, lose_state, YES, poll)),
}  # fmt: skip

# --- one run ---------------------------------------------------------------------------------


class Point(NamedTuple):
    """Which call of which provider fails, how, and how many times."""

    provider: Provider
    call: int
    fault: Fault
    times: int

    def __str__(self) -> str:
        often = "once" if self.times == 1 else "for a while"
        return f"{self.provider}, call {self.call}, « {self.fault} » {often}"


def run(name: str, number: int, point: Point | None) -> tuple[World, dict[str, Any]]:
    """Run a path, one provider failing at one point; return the world and the books."""
    story = STORIES[name]
    world = World(number, relay=story.relay)
    try:
        if point:
            world.provider(point.provider).fail_at(point.call, (point.fault,) * point.times)
        for act in story.acts:
            _insist(act, world)
        world.heal()
        _insist(poll, world)
        return world, books(world)
    finally:
        world.close()


def _insist(act: Act, world: World) -> None:
    """Give a command, and again when it failed: the provider has recovered meanwhile."""
    for _ in range(4):
        try:
            return act(world)
        except FigsupportError as error:
            world.told.append(error)
            world.heal()
    raise AssertionError(f"it fails for ever: {world.told[-1].message}")


def books(world: World) -> dict[str, Any]:
    """Everything that the providers hold, without the numbers they gave."""
    objects = world.hubspot.objects
    with world.program() as services:
        cases = [
            (case.validation_status, [m.kind for m in case.mails], [r.intent for r in case.replies])
            for case in (services.cases.load(f"form-{world.number}"),)
            if case
        ]
    content = {
        **{kind: [one["properties"] for one in objects[kind].values()] for kind in objects},
        "answers": [
            one["text"]
            for thread in world.hubspot.threads.values()
            for one in thread["messages"]
            if one["direction"] == "OUTGOING"
        ],
        "subtasks": [(one["name"], one["markdown_content"]) for one in world.clickup.children()],
        "files": _files(world),
        "cases": cases,
    }
    plain: dict[str, Any] = {kind: sorted(_plain(one) for one in content[kind]) for kind in content}
    plain["letters"] = Counter(str(letter["Message-ID"]) for _, letter in world.office.letters)
    return plain


def _files(world: World) -> list[tuple[str, int]]:
    folder = world._store.secret_folder(f"form-{world.number}")
    found = world._store._call("list_objects_v2", Bucket=BUCKET, Prefix=folder)
    return [(one["Key"].partition("/")[2], one["Size"]) for one in found.get("Contents") or []]


def _plain(value: object) -> str:
    """A value without what differs from run to run: ids, times, secret folders, references."""
    text = re.sub(r"figsupport-[0-9a-f]{20}|[0-9a-f]{32}|[A-Z2-7]{10}", "H", str(value))
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+|\d{3,}|form-\d+", "N", text)


def differences(found: dict[str, Any], expected: dict[str, Any], doubled: bool) -> Iterator[str]:
    """Say what is not in the books, or too much in them."""
    for kind, value in expected.items():
        got = found[kind]
        if kind == "letters":
            got, value = sorted(map(_plain, got)), sorted(map(_plain, value))  # noqa: PLW2901
            again = [one for one, count in found[kind].items() if count > 1]
            if again and not doubled:
                yield f"letters twice: {again}"
        if got != value:
            yield f"{kind}: {got}, expected {value}"


def try_point(name: str, number: int, point: Point, expected: dict[str, Any]) -> list[str]:
    """Return what is wrong after a provider failed at a point; nothing when all is well."""
    try:
        world, found = run(name, number, point)
    except AssertionError as red:
        return [str(red)]
    wrong = list(differences(found, expected, doubled=point.provider == "smtp"))
    for error in world.told:
        if not re.search(NAMES[point.provider], error.message) or not error.hint:
            wrong.append(f"told badly: {error.message} — {error.hint}")
    return wrong


# --- the matrix ------------------------------------------------------------------------------


def points(world: World) -> list[Point]:
    """Every call that an undisturbed run made, with every fault, once and for a while."""
    return [
        Point(name, call, fault, times)
        for name in get_args(Provider)
        for call in range(1, len(world.provider(name).calls) + 1)
        for fault in FAULTS
        for times in (1, _STAYS)
        if not (fault in ("garbage", "500 after") and times > 1 and name == "smtp")
    ]


def matrix(names: list[str], every: int, workers: int) -> tuple[int, int, list[str]]:
    """Try every `every`-th point of paths; return tries, red ones, and what is wrong."""
    tried, red, wrong = 0, 0, []
    server = S3()
    server.wait()
    SERVER.append(server)
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            for row, name in enumerate(names):
                began = time.monotonic()
                found, expected = pool.submit(_undisturbed, name, row).result()
                chosen = found[len(name) % every :: every]
                ended = [
                    (point, pool.submit(try_point, name, row * 10_000 + at, point, expected))
                    for at, point in enumerate(chosen, 100)
                ]
                for point, end in ended:
                    lines = end.result()
                    red += bool(lines)
                    wrong += [f"{name}: {point}: {line}" for line in lines]
                tried += len(chosen)
                spent = time.monotonic() - began
                print(
                    f"{name:20} {len(chosen):4} of {len(found):4} faults  {spent:5.1f} s",
                    flush=True,
                )
    finally:
        server.close()
        SERVER.clear()
    return tried, red, wrong


def _undisturbed(name: str, row: int) -> tuple[list[Point], dict[str, Any]]:
    world, expected = run(name, row * 10_000, None)
    assert not world.told, f"{name}: {world.told[0].message}"
    return points(world), expected


def main() -> int:
    """Run the matrix and print what was counted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every fault of every call (minutes)")
    parser.add_argument("--sample", type=int, default=25, metavar="N", help="every N-th fault")
    parser.add_argument("--path", choices=STORIES, help="one path of the flow only")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--without", choices=("intent", "find"), help="break it on purpose")
    given = parser.parse_args()
    if given.without:
        PARTS[given.without]()
    names = [given.path] if given.path else list(STORIES)
    tried, red, wrong = matrix(names, 1 if given.all else given.sample, given.workers)
    for line in wrong:
        print("✗", line)
    state = f"{red} RED" if red else "all green"
    print(f"{tried} faults over {len(names)} paths, {state}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
