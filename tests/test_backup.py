"""A backup is a state that could have been; a restore is all of it or nothing."""

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from figsupport import workflow
from figsupport.adapters import backup, restoring
from figsupport.adapters.database import Database
from figsupport.adapters.maildir import Inbox
from figsupport.adapters.tally import Count, Tally
from figsupport.errors import Busy, InvalidBackup, Misconfigured, NotAllowed, NotFound
from figsupport.services import Services
from figsupport.settings import Settings

from . import kill
from .values import NOW


def on(home: Path) -> Services:
    settings = Settings(figsupport_home=home, figsupport_sync="normal")
    return Services(settings, lambda: kill.BEGIN)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An accepted quote, an open one whose answer waits in the inbox, letters and files."""
    home = tmp_path / "home"
    services = on(home)
    kill.ARMCHAIR(services)
    kill.YES(services)
    kill.poll(services)
    kill.CHAIR(services)
    mail = f"From: client@example.com\r\nSubject: Re: [#{reference(services)}]\r\n\r\nVoilà."
    Inbox(home / "mail").deliver(mail.encode())
    services.close()
    return home


def reference(services: Services) -> str:
    case = services.cases.by_ticket("1002")
    assert case is not None
    return case.reference


@pytest.fixture
def archive(home: Path, tmp_path: Path) -> Path:
    backup.write(home, tmp_path / "b.tar", NOW)
    return tmp_path / "b.tar"


def books(home: Path, was: Path | None = None) -> dict[str, Any]:
    """All that is written in a home, wherever it lies or lay; a restored case is in doubt."""
    text = json.dumps(kill.books(home), ensure_ascii=False)
    for place in (home, was or home):
        text = text.replace(place.as_uri(), "file://HOME").replace(str(place), "HOME")
    found: dict[str, Any] = json.loads(text)
    for row in found.values():
        if isinstance(row, dict) and "fingerprint" in row:
            row["document"] = {**json.loads(row["document"]), "adopted": None}
    return found


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_what_was_backed_up_comes_back(home: Path, tmp_path: Path, name: str) -> None:
    manifest = backup.write(home, tmp_path / name, NOW)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert {"cases.sqlite", "desk.sqlite", "files/.secret"} < set(manifest["files"])
    restored = restoring.restore(tmp_path / name, tmp_path / "é new", NOW, force=False)
    assert restored.before is None
    assert books(tmp_path / "é new") == books(home)
    assert (tmp_path / "é new").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in tmp_path.glob(".*")) == []
    assert sorted(path.name for path in home.glob(".backup-*")) == []


def test_the_work_goes_on_where_it_was(archive: Path, home: Path, tmp_path: Path) -> None:
    restoring.restore(archive, tmp_path / "new", NOW, force=False)
    for each in (home, tmp_path / "new"):
        services = on(each)
        kill.poll(services)
        services.close()
    expected = books(home)
    assert any("archive[1]" in entry for entry in expected)
    assert books(tmp_path / "new") == expected
    urls = [file.url or "" for case in on(tmp_path / "new").cases.of_contact("client@example.com")
            for file in case.files]  # fmt: skip
    assert urls
    assert all(url.startswith(f"{(tmp_path / 'new').as_uri()}/files/") for url in urls)


def test_a_restored_case_asks_before_it_acts(home: Path, tmp_path: Path) -> None:
    """The world went on after the backup: what was done since is found, not done again."""
    services = on(home)
    kill.take_in(kill.request("Banc", "Un banc à modéliser.", kill.PHOTO))(services)
    backup.write(home, tmp_path / "b.tar", NOW)
    workflow.process_validation("1003", services, "accept", 2)
    services.close()
    restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)
    for part in ("desk.sqlite", "mail"):  # a desk and letters that are not in the backup
        (shutil.rmtree if part == "mail" else os.remove)(tmp_path / "new" / part)
    shutil.copytree(home / "mail", tmp_path / "new" / "mail")
    shutil.copy(home / "desk.sqlite", tmp_path / "new" / "desk.sqlite")
    again = on(tmp_path / "new")
    workflow.process_validation("1003", again, "accept", 2)
    marked = again.desk_file.execute("SELECT marker, count(*) FROM subtasks GROUP BY 1").fetchall()
    assert [tuple(row)[1] for row in marked] == [1, 1]
    letters = [letter["Message-ID"] for name, letter in books(tmp_path / "new").items()
               if name.startswith("outbox")]  # fmt: skip
    assert len(letters) == len(set(letters))


def test_a_delivery_sent_again_after_a_restore_gets_the_first_result(
    home: Path, tmp_path: Path
) -> None:
    from . import serving

    def deliver(place: Path, objet: str) -> Any:
        app = serving.an_app(
            serving.settings(place, figsupport_webhook_secret=serving.SECRET), clock=time_
        )
        body = serving.as_json({**serving.ASKED, "objet": objet, "request_id": "r-1"})
        with serving.a_client(app) as client:
            headers = serving.signed(body, time_())
            return client.post("/webhook/request", content=body, headers=headers)

    time_ = serving.Time()
    first = deliver(home, "Chaise")
    assert "deliveries.sqlite" in backup.write(home, tmp_path / "b.tar", NOW)["files"]
    restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)
    again = deliver(tmp_path / "new", "Chaise")
    assert (again.status_code, again.json()["ticket_id"]) == (200, first.json()["ticket_id"])
    refused = deliver(tmp_path / "new", "Table")
    assert "another body" in refused.text


def test_counts_stay_with_their_machine(home: Path, tmp_path: Path) -> None:
    Tally(home).add([Count("polls", ("done",), 1000.0)])
    assert "metrics.sqlite" not in backup.write(home, tmp_path / "b.tar", NOW)["files"]


def test_a_backup_without_what_came_later_comes_back(home: Path, tmp_path: Path) -> None:
    """Forms, deliveries, letters: a home need not have them, nor a backup of an earlier version."""
    backup.write(home, tmp_path / "b.tar", NOW)
    on(home).deliveries.remember("msg_1", b"{}")
    restored = restoring.restore(tmp_path / "b.tar", home, NOW, force=True)
    assert "deliveries.sqlite" not in restored.manifest["files"]
    services = on(home)
    services.deliveries.remember("msg_1", b"another")
    services.close()


def test_a_backup_of_an_earlier_version_comes_back(archive: Path, tmp_path: Path) -> None:
    """Migrations run before the state is put in place; a newer one is refused."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    restoring.unpack(archive, folder)
    with closing(sqlite3.connect(folder / "cases.sqlite")) as database:
        database.execute("PRAGMA user_version = 99")
    repacked(folder, tmp_path / "newer.tar")
    with pytest.raises(Misconfigured, match="newer"):
        restoring.restore(tmp_path / "newer.tar", tmp_path / "new", NOW, force=False)
    assert not (tmp_path / "new").exists()


# --- refusals ------------------------------------------------------------------------------------


def test_there_must_be_something_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing to back up"):
        backup.write(tmp_path, tmp_path / "b.tar", NOW)
    with pytest.raises(NotFound, match="no file"):
        restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)


def test_a_backup_writes_over_nothing(home: Path, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(FileExistsError):
        backup.write(home, archive, NOW)
    assert archive.read_bytes() == before


def test_a_state_is_moved_aside_only_when_told(archive: Path, home: Path) -> None:
    expected = books(home)
    (home / ".env").write_text("FIGSUPPORT_SYNC=normal\n")
    with pytest.raises(NotAllowed, match="already"):
        restoring.restore(archive, home, NOW, force=False)
    services = on(home)
    kill.poll(services)
    services.close()
    changed = books(home)
    restored = restoring.restore(archive, home, NOW, force=True)
    assert restored.before is not None
    assert books(restored.before, home) == changed
    assert books(home) == expected
    assert (home / ".env").read_text() == "FIGSUPPORT_SYNC=normal\n"


@pytest.mark.parametrize("name", ["poll", "case-1"])
def test_nobody_works_on_what_is_replaced(archive: Path, home: Path, name: str) -> None:
    with on(home).cases.lock(name), pytest.raises(Busy):
        restoring.restore(archive, home, NOW, force=True)
    assert (home / "cases.sqlite").is_file()


def test_one_backup_at_a_time_and_leftovers_go(home: Path, tmp_path: Path) -> None:
    (home / ".backup-dead").mkdir()
    (home / ".backup-dead" / "x").write_text("of a killed run")
    with on(home).cases.lock("backup"), pytest.raises(Busy):
        backup.write(home, tmp_path / "b.tar", NOW)
    backup.write(home, tmp_path / "b.tar", NOW)
    assert not list(home.glob(".backup-*"))
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert not [name for name in tar.getnames() if "dead" in name or "locks" in name]


# --- what nobody should trust ----------------------------------------------------------------------


def repacked(folder: Path, target: Path, *extra: tarfile.TarInfo) -> None:
    """A tar of a folder under a manifest that says what is in it, and members more."""
    files: dict[str, Any] = {}
    with tarfile.open(target, "w") as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            files[name] = backup._add(tar, name, path)._asdict()
        for info in extra:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
        manifest = {"figsupport_backup": 1, "figsupport": "9", "taken_at": "", "files": files}
        content = json.dumps(manifest).encode()
        tar.addfile(backup._info(backup.MANIFEST, len(content), 0), io.BytesIO(content))


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = 1 if kind == tarfile.REGTYPE else 0
    return info


HOSTILE = [
    member("../evil"), member("/etc/evil"), member("files/../../evil"), member("files//x"),
    member("evil"), member("files"), member("locks/x"), member(".env"), member("files/a\\b"),
    member("files/\x1b[31m"), member("./cases.sqlite"), member("cases.sqlite"),
    member("files/link", tarfile.SYMTYPE, "/etc"), member("files/hard", tarfile.LNKTYPE, "../x"),
    member("files/pipe", tarfile.FIFOTYPE), member("files/dev", tarfile.CHRTYPE),
    member("mail/folder", tarfile.DIRTYPE), member("files/not-in-the-manifest"),
]  # fmt: skip


@pytest.mark.parametrize("info", HOSTILE, ids=lambda info: f"{info.name!a}-{info.type!a}")
def test_a_hostile_archive_touches_nothing(
    archive: Path, tmp_path: Path, info: tarfile.TarInfo
) -> None:
    folder = tmp_path / "deep" / "unpacked"
    folder.mkdir(parents=True)
    restoring.unpack(archive, folder)
    repacked(folder, tmp_path / "evil.tar", info)
    (tmp_path / "deep" / "homes").mkdir()
    with pytest.raises(InvalidBackup) as caught:
        restoring.restore(
            tmp_path / "evil.tar", tmp_path / "deep" / "homes" / "h", NOW, force=False
        )
    assert "\x1b" not in caught.value.message
    assert list((tmp_path / "deep" / "homes").iterdir()) == []
    assert not list(tmp_path.rglob("*evil")) + list(Path("/etc").glob("evil"))


def test_more_than_there_is_room_for(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1000))
    with pytest.raises(InvalidBackup, match="room"):
        restoring.restore(archive, tmp_path / "new", NOW, force=False)


def test_every_flipped_bit_is_seen(archive: Path, tmp_path: Path) -> None:
    """Whatever byte of an archive is damaged, the state comes back right or not at all."""
    whole = archive.read_bytes()
    refused = 0
    for number, at in enumerate(range(100, len(whole) - 10_240, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        (tmp_path / "damaged.tar").write_bytes(damaged)
        target = tmp_path / f"new-{number}"
        try:
            restoring.restore(tmp_path / "damaged.tar", target, NOW, force=False)
        except InvalidBackup:
            refused += 1
            assert not target.exists()
    assert refused > 30


@pytest.mark.parametrize("cut", [0, 1, 600, 0.5, 0.9])
def test_an_archive_that_was_cut_off(archive: Path, tmp_path: Path, cut: float) -> None:
    whole = archive.read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: int(cut if cut >= 1 else cut * len(whole))])
    with pytest.raises(InvalidBackup):
        restoring.restore(tmp_path / "cut.tar", tmp_path / "new", NOW, force=False)
    packed = gzip.compress(whole)
    (tmp_path / "cut.tar.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InvalidBackup):
        restoring.restore(tmp_path / "cut.tar.gz", tmp_path / "new", NOW, force=False)


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{}", b'{"figsupport_backup": 2, "files": {}}', b"[" * 100_000,
                 b'{"figsupport_backup": 1, "files": {"x": {}}}', b'{"figsupport_backup": 1}'],
    ids=range(7),
)  # fmt: skip
def test_a_manifest_that_says_nothing(tmp_path: Path, manifest: bytes) -> None:
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.addfile(backup._info(backup.MANIFEST, len(manifest), 0), io.BytesIO(manifest))
    with pytest.raises(InvalidBackup):
        restoring.restore(tmp_path / "b.tar", tmp_path / "new", NOW, force=False)


@pytest.mark.parametrize("content", [b"", b"no database " * 999, None])
def test_a_database_that_is_none(archive: Path, tmp_path: Path, content: bytes | None) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    restoring.unpack(archive, folder)
    if content is None:  # one of ours by its number, of nobody by its tables
        (folder / "cases.sqlite").unlink()
        with closing(sqlite3.connect(folder / "cases.sqlite")) as database:
            database.execute("PRAGMA user_version = 4")
    else:
        (folder / "cases.sqlite").write_bytes(content)
    repacked(folder, tmp_path / "none.tar")
    if content == b"":  # an empty file is an empty database: an empty journal
        restoring.restore(tmp_path / "none.tar", tmp_path / "new", NOW, force=False)
        assert on(tmp_path / "new").cases.open_cases() == []
        return
    with pytest.raises(InvalidBackup, match=r"cases\.sqlite"):
        restoring.restore(tmp_path / "none.tar", tmp_path / "new", NOW, force=False)
    assert not (tmp_path / "new").exists()


# --- while others work -----------------------------------------------------------------------------


def at_work(home: Path) -> int:
    """A child that takes requests in, whose clients accept, for ever; return its pid."""
    child = os.fork()
    if child:
        return child
    try:
        services, number = on(home), 0
        while True:
            number += 1
            objet = f"Tabouret {number}"
            kill.take_in(kill.request(objet, "Un tabouret à modéliser.", kill.PHOTO))(services)
            newest = services.cases.open_cases()[-1]
            Inbox(home / "mail").deliver(
                f"From: client@example.com\r\nSubject: Re: [#{newest.reference}]\r\n"
                f"Message-ID: <{number}@example.com>\r\n\r\nJe valide".encode()
            )
            kill.poll(services)
    except BaseException:
        os._exit(1)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "busy"
    child = at_work(home)
    until = time.monotonic() + 30
    while not (home / "mail" / "archive").is_dir() and time.monotonic() < until:
        os.sched_yield()
    yield home
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_a_backup_in_the_middle_of_work_is_exact(
    worker: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """After one round of `poll` the books of each backup are those of finished work."""
    tickets, owed = 0, 0
    for number in range(5):
        backup.write(worker, tmp_path / f"{number}.tar", NOW)
        new = tmp_path / f"new-{number}"
        restoring.restore(tmp_path / f"{number}.tar", new, NOW, force=False)
        services = on(new)
        waits = len(list((new / "mail" / "inbox" / "new").glob("*")))
        owed += len(services.cases.due(services.now())) + waits
        kill.poll(services)
        services.close()
        tickets = check_exact(kill.books(new))
    say(f"5 backups of a busy desk ({owed} times work was under way), {tickets} tickets exact")
    assert tickets > 3


def check_exact(found: dict[str, Any]) -> int:
    """Hold tickets, letters, records, mails, subtasks and files against each other."""

    def rows(start: str) -> list[Any]:
        return [entry for name, entry in found.items() if name.startswith(start)]

    cases = [json.loads(row["document"]) for row in rows("cases.cases")]
    assert len(rows("desk.tickets")) == len(cases)
    letters = [letter["Message-ID"] for letter in rows("outbox")]
    assert len(letters) == len(set(letters))
    recorded = [row["id"] for row in rows("desk.messages") if row["direction"] == "out"]
    assert sorted(recorded) == sorted(letters)
    markers = [row["marker"] for row in rows("desk.subtasks")]
    assert len(markers) == len(set(markers))
    validated = [case for case in cases if case["validation_status"] == "validated"]
    assert len(markers) == len(validated)
    assert len(letters) == len(cases) + len(validated)
    incoming = [row["id"] for row in rows("desk.messages") if row["direction"] == "in"]
    assert len(rows("archive")) == len(incoming) == len(rows("cases.inbox")) == len(validated)
    assert not rows("inbox")
    assert not [row for row in rows("cases.cases") if row["due"]]
    for case in cases:
        assert (case["doing"], case["outbox"]) == (None, [])
        assert [file["sha256"] for file in case["files"]]
    return len(cases)


# --- killed in the middle --------------------------------------------------------------------------


def killed(archive: Path, watched: Path, home: Path, at: int) -> int:
    """Restore in a child that is killed at a moment; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            moment = kill.Moments(at)
            kill.watch_disk(watched, moment)
            moment.asleep = False
            restoring.restore(archive, home, NOW, force=True)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_restore_that_is_killed_leaves_one_state_or_the_other(
    archive: Path, home: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    services = on(home)
    kill.poll(services)
    services.close()
    old, new = books(home), None
    at, moments = 1, 0
    while True:
        place = tmp_path / f"at-{at}"
        shutil.copytree(home, place / "home")
        ended = killed(archive, place, place / "home", at)
        assert ended in (0, -signal.SIGKILL)
        if ended == 0:
            break
        before = list(place.glob("home.before-*"))
        if (place / "home").exists() and not before:
            assert books(place / "home", home) == old
        else:
            assert books(before[0], home) == old
        restored = restoring.restore(archive, place / "home", NOW, force=True)
        new = new or books(place / "home", home)
        assert books(place / "home", home) == new
        assert not list(place.glob(".home-restore-*"))
        kept = [books(one, home) for one in place.glob("home.before-*")]
        assert old in kept
        assert restored.manifest["figsupport"]
        shutil.rmtree(place)
        at, moments = at + 7, moments + 1
    assert new != old
    say(f"restore killed at {moments} moments: the old state or the new one each time")
    assert moments > 10


def test_scrubbing_leaves_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite", ("CREATE TABLE t (a)",))
    with database.transaction():
        for number in range(500):
            database.execute("INSERT INTO t VALUES (?)", (f"Jean Dupont {number}" * 50,))
    database.execute("DELETE FROM t")
    database.scrub()
    database.close()
    for path in tmp_path.glob("x.sqlite*"):
        assert b"Dupont" not in path.read_bytes()
