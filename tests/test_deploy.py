"""What is shipped for servers: units that systemd accepts, secrets as files, a proxy that starts."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from figsupport.settings import load

from .test_metrics import samples

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = [unit for unit in sorted((DEPLOY / "systemd").glob("figsupport-*.*")) if unit.is_file()]
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
#: systemd's own score: 10 is a process that may do everything, below 2.0 is « OK »
MOST_EXPOSED = 1.5

Say = Callable[[str], None]


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{Path('/usr/sbin')}:{Path('/usr/bin')}") or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, with the program of this environment."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for unit in folder.glob("*.service"):
        here = unit.read_text("utf-8").replace(
            "/opt/figsupport/current/bin", str(Path(sys.executable).parent)
        )
        unit.write_text(here, "utf-8")
    return folder


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_units(unit: Path, units: Path) -> None:
    ran = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", units / unit.name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in ran.stderr.splitlines() if "figsupport" in line]
    assert (ran.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_services_may_do_little(unit: Path, units: Path, say: Say) -> None:
    ran = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", units / unit.name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"exposure level for \S+: ([\d.]+)", ran.stdout)
    assert found, ran.stderr
    say(f"{unit.name}: exposure {found[1]} of 10")
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_service_runs_a_command_that_is_there(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=\S+/figsupport (.+)$", unit.read_text("utf-8"), re.MULTILINE)
    name, *options = line.split()
    program = [sys.executable, "-m", "figsupport.cli"]
    ran = subprocess.run([*program, name, "--help"], capture_output=True, text=True, check=False)
    if ran.returncode == 2:
        pytest.skip(f"the command {name} is not part of this version")
    for option in options:
        assert option in ran.stdout


def test_by_hand_is_as_the_service_runs_it() -> None:
    script = (DEPLOY / "figsupport").read_text("utf-8")
    subprocess.run(["sh", "-n", DEPLOY / "figsupport"], check=True)
    common = (DEPLOY / "systemd" / "figsupport-.service.d" / "common.conf").read_text("utf-8")
    for name in ("User", "UMask", "EnvironmentFile", "LoadCredential"):
        (given,) = re.findall(rf"--property={name}=(\S+)", script)
        assert f"{name}={given}\n" in common


# --- secrets ---------------------------------------------------------------------------------


def test_credentials_come_before_files_and_after_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, or a folder of them, before whose names systemd puts « figsupport_ »."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (folder / "HUBSPOT_API_KEY").write_text("pat-alone\n")
    (folder / "figsupport_SMTP_PASSWORD").write_text("geheim-é")
    (folder / "figsupport_CLICKUP_API_KEY").write_text("pk_folder")
    (folder / "figsupport_R2_SECRET_ACCESS_KEY").write_text("")
    (folder / "figsupport_figsupport_ping_url").write_text("https://hc.test/1")
    (folder / "unrelated").write_text("x")
    Path(".env").write_text("HUBSPOT_API_KEY=pat-file\nR2_SECRET_ACCESS_KEY=r2-file\n")
    monkeypatch.setenv("CLICKUP_API_KEY", "pk_environment")
    settings = load()
    assert settings.secret("HUBSPOT_API_KEY") == "pat-alone"
    assert settings.secret("SMTP_PASSWORD") == "geheim-é"
    assert settings.secret("CLICKUP_API_KEY") == "pk_environment"
    assert settings.secret("R2_SECRET_ACCESS_KEY") == "r2-file"  # an empty file holds nothing
    assert settings.secret("FIGSUPPORT_PING_URL") == "https://hc.test/1"


@pytest.mark.parametrize("folder", ["", "gone"])
def test_without_credentials_all_is_as_ever(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", folder)
    Path(".env").write_text("HUBSPOT_API_KEY=pat-file\n")
    assert load().secret("HUBSPOT_API_KEY") == "pat-file"


# --- the others ------------------------------------------------------------------------------


def test_nginx_accepts_its_part(tmp_path: Path) -> None:
    nginx = tool("nginx")
    authority = trustme.CA().issue_cert("support.your-domain.example")
    authority.cert_chain_pems[0].write_to_path(tmp_path / "fullchain.pem")
    authority.private_key_pem.write_to_path(tmp_path / "privkey.pem")
    part = (DEPLOY / "nginx.conf").read_text("utf-8")
    part = part.replace("/etc/letsencrypt/live/support.your-domain.example", str(tmp_path))
    temporary = "\n".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}\naccess_log off;\n{part}}}\n"
    )
    ran = subprocess.run(
        [nginx, "-t", "-q", "-p", tmp_path, "-c", whole],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_image_is_made_of_what_is_there() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    copied = [
        line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line
    ]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert [line.split()[1] for line in lines if line.startswith("FROM")] == [
        "python:3.11-slim"
    ] * 2
    user = lines.index("USER figsupport")
    assert user < lines.index('ENTRYPOINT ["figsupport"]')


def test_cron_runs_a_round() -> None:
    *_, line = (DEPLOY / "figsupport.cron").read_text("utf-8").splitlines()
    *times, user, program, command, option = line.split()
    assert (len(times), user, command, option) == (5, "figsupport", "poll", "-q")
    assert program == "/opt/figsupport/current/bin/figsupport"


def test_every_alert_is_on_a_metric_that_is_there(tmp_path: Path) -> None:
    from figsupport.core.events import CallDone, PollDone
    from figsupport.services import Services
    from figsupport.settings import Settings
    from figsupport.watch.counting import Counting
    from figsupport.watch.metrics import render

    services = Services(Settings(figsupport_home=tmp_path / "home"))
    count = Counting(services, tmp_path / "figsupport.prom")
    count(CallDone("claude", "messages", 200, 1.0, dollars=0.1))
    count(PollDone(1.0, ("unavailable",)))
    there = {name for name, _ in samples(render(services))[0]}
    readme = (DEPLOY / "README.md").read_text("utf-8")
    named = set(re.findall(r"figsupport_[a-z_]+(?=[{\[ ])", readme))
    assert len(named) >= 6
    assert named <= there


def test_every_link_of_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (DEPLOY / "README.md").read_text("utf-8")):
        assert (DEPLOY / target).exists(), target
