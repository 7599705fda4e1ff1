"""A restore into a home that cannot be moved: a volume is mounted there, as in a container."""

import errno
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from figsupport import cli
from figsupport.adapters import backup, restoring
from figsupport.adapters.database import HALF
from figsupport.errors import Busy, InvalidBackup, Misconfigured, NotAllowed

from . import kill
from .test_backup import archive, books, home, killed, on
from .values import NOW

__all__ = ["archive", "home"]
Refuse = Callable[[Path], None]


@pytest.fixture(params=["a mount point", "busy", "another disk", "not ours"])
def mounted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], Path]:
    """Make of a folder one that cannot be moved, or nothing be put beside."""

    def refuse(place: Path) -> Path:
        rename, mkdir = Path.rename, os.mkdir
        why = {"busy": errno.EBUSY, "another disk": errno.EXDEV}.get(request.param, errno.EACCES)

        def refused_rename(self: Path, target: Path) -> Path:
            if place in (self, target):
                raise OSError(why, os.strerror(why))
            return rename(self, target)

        def refused_mkdir(path: Path | str, *given: int) -> None:
            if Path(path).parent == place.parent and Path(path) != place:
                raise OSError(why, os.strerror(why))
            mkdir(path, *given)

        if request.param == "a mount point":
            monkeypatch.setattr(Path, "is_mount", lambda self: self == place)
        if request.param in ("a mount point", "not ours"):
            monkeypatch.setattr(os, "mkdir", refused_mkdir)
        monkeypatch.setattr(Path, "rename", refused_rename)
        return place

    return refuse


def test_an_empty_volume_is_filled(
    archive: Path, home: Path, tmp_path: Path, mounted: Callable[[Path], Path]
) -> None:
    volume = tmp_path / "volume"
    (volume / "lost+found").mkdir(parents=True)
    (volume / ".env").write_text("FIGSUPPORT_SYNC=normal\n")
    restored = restoring.restore(archive, mounted(volume), NOW, force=False)
    assert restored.before is None
    assert books(volume) == books(home)
    there = {path.name for path in volume.iterdir()} - {"locks"}
    assert there == {"cases.sqlite", "desk.sqlite", "mail", "files", "lost+found", ".env"}
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_a_state_is_moved_aside_within_the_volume(
    archive: Path, home: Path, mounted: Callable[[Path], Path]
) -> None:
    expected = books(home)
    services = on(home)
    kill.poll(services)
    services.deliveries.remember("msg_1", b"{}")
    services.close()
    changed = books(home)
    (home / "deliveries.sqlite-wal").write_bytes(b"")
    mounted(home)
    with pytest.raises(NotAllowed, match="already"):
        restoring.restore(archive, home, NOW, force=False)
    for number in (1, 2):
        restored = restoring.restore(archive, home, NOW, force=True)
        assert restored.before is not None
        assert restored.before.parent == home
        assert books(home) == expected
        assert books(restored.before, home) == (changed if number == 1 else expected)
    assert sorted(path.name for path in home.glob("before-*")) == [
        "before-20261102-023000", "before-20261102-023000-2",
    ]  # fmt: skip
    first = home / "before-20261102-023000"
    assert (first / "deliveries.sqlite").is_file()
    assert (first / "deliveries.sqlite-wal").is_file()
    assert not (home / "deliveries.sqlite").exists()
    assert first.stat().st_mode & 0o777 == 0o700
    kill.poll(on(home))


def test_nothing_is_touched_before_all_is_verified(
    archive: Path, home: Path, tmp_path: Path, mounted: Callable[[Path], Path]
) -> None:
    expected = books(home)
    (tmp_path / "cut.tar").write_bytes(archive.read_bytes()[:-20_000])
    mounted(home)
    with pytest.raises(InvalidBackup):
        restoring.restore(tmp_path / "cut.tar", home, NOW, force=True)
    with on(home).cases.lock("case-1"), pytest.raises(Busy):
        restoring.restore(archive, home, NOW, force=True)
    assert books(home) == expected
    assert not list(home.glob("before-*"))
    assert not list(home.glob(".restore-*"))


def test_a_full_disk_is_no_mount_point(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "new").mkdir()
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="space"):
        restoring.restore(archive, tmp_path / "new", NOW, force=False)


def test_killed_at_any_moment_it_is_clear_what_is_there(
    archive: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """The old state or the new one; or nothing that opens, until it is restored again."""
    services = on(home)
    kill.poll(services)
    services.close()
    old, new = books(home), None
    place = tmp_path / "volume"
    monkeypatch.setattr(Path, "is_mount", lambda self: self == place)
    at, half, moments, step = 1, 0, 0, 5
    while True:
        shutil.copytree(home, place)
        ended = killed(archive, place, place, at)
        assert ended in (0, -signal.SIGKILL)
        if ended == 0:
            break
        if (place / HALF).exists():
            half += 1
            with pytest.raises(Misconfigured, match="interrupted"):
                _ = on(place).cases
            with pytest.raises(Misconfigured, match="interrupted"):
                backup.write(place, tmp_path / "half.tar", NOW)
            if half % 2:  # and killed again
                killed(archive, place, place, at + 3)
            step = 1
        else:
            step = 5 if not half else 1
            assert books(place, home) in (old, new)
        restoring.restore(archive, place, NOW, force=not (place / HALF).exists())
        new = new or books(place, home)
        assert books(place, home) == new
        assert old in [books(one, home) for one in place.glob("before-*")]
        assert not (place / HALF).exists()
        assert not [*place.glob(".restore-*"), *place.glob(".before*")]
        shutil.rmtree(place)
        at, moments = at + step, moments + 1
    assert new != old
    say(f"restore inside killed at {moments} moments, {half} times half way: clear each time")
    assert half > 5


def test_the_sentence_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / HALF).write_text("before-1")
    monkeypatch.setenv("FIGSUPPORT_HOME", str(home))
    for command in (["tickets"], ["poll", "--dry-run"], ["backup", "b.tar"]):
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, "--json"])
        assert ended.value.code == 78
        assert "`figsupport restore` again" in capsys.readouterr().out
