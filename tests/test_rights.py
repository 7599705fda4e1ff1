"""A client's rights: everything in one archive, and being forgotten, at any moment."""

import json
import os
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from figsupport import polling, rights, workflow
from figsupport.adapters import playing
from figsupport.adapters.maildir import Inbox
from figsupport.core.model import Case, Cost
from figsupport.errors import Busy, FigsupportError, NotAllowed, NotFound
from figsupport.services import Services
from figsupport.settings import Settings

from . import kill
from .conftest import Clock
from .standins.hubspot import KEY, HubSpot
from .standins.server import Fault
from .test_keeping import everything
from .test_workflow import ARMCHAIR, INVOICE, NO_PHOTO, Answers, Open, kinds, poll, with_photo

EMAIL = "client@example.com"
OTHER = INVOICE.model_copy(update={"user_email": "autre@example.org", "user_name": "Zoé Martin"})
#: nothing of the client may be left but what is said to stay
TRACES = ("client@example.com", "Jean", "Dupont", "fauteuil vintage")


@pytest.fixture
def accepted(services: Services, photo: Path, client_answers: Answers) -> Case:
    """A client with an accepted quote, a support ticket, a question and a stray mail."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    workflow.intake(INVOICE, services)
    workflow.intake(OTHER, services)
    client_answers(services, case, "Bonjour, vous livrez quand ?")
    poll(services)
    client_answers(services, case, "Je valide")
    stray = b"From: Jean <Client@Example.com>\r\nSubject: Bonjour\r\n\r\nSans dossier."
    Inbox(services.settings.home / "mail").deliver(stray)
    poll(services)
    found = services.cases.load(case.id)
    assert found is not None
    assert found.validation_status == "validated"
    return found


def held(services: Services, address: str = EMAIL) -> rights.Held:
    return rights.held(address, services)


# --- access ------------------------------------------------------------------------------------


def test_an_export_holds_everything(services: Services, accepted: Case, tmp_path: Path) -> None:
    target = tmp_path / "export.zip"
    document = rights.export(held(services, "CLIENT@example.com"), services, target)
    assert target.stat().st_mode & 0o777 == 0o600
    assert document["sha256"] == sha256(target.read_bytes()).hexdigest()
    assert (len(document["cases"]), document["tickets"]) == (2, ["1001", "1002"])
    assert (document["messages"], document["notes"]) == (3, 1)
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        assert {"LISEZMOI.txt", "donnees.json"} < set(names)
        data = json.loads(archive.read("donnees.json"))
        for file in document["files"]:
            assert sha256(archive.read(file["path"])).hexdigest() == file["sha256"]
            assert len(archive.read(file["path"])) == file["size"]
        page = archive.read("LISEZMOI.txt").decode()
    assert [file["name"] for file in document["files"]][:1] == ["photo.jpg"]
    assert any("acceptance-" in name for name in names)
    assert accepted.reference in page
    assert "Je valide" in page
    texts = json.dumps(data, ensure_ascii=False)
    assert "Sans dossier." in texts
    assert "vous livrez quand" in texts
    assert data["tickets"][0]["notes"]
    assert "Zoé" not in texts
    assert [path.name for path in tmp_path.glob(".figsupport-*")] == []


def test_attachments_are_in_the_export(services: Services, photo: Path, tmp_path: Path) -> None:
    from email.message import EmailMessage

    case, _ = workflow.intake(NO_PHOTO, services)
    mail = EmailMessage()
    mail["From"], mail["Subject"] = EMAIL, f"Re: [#{case.reference}]"
    mail.set_content("Voici la photo.")
    mail.add_attachment(photo.read_bytes(), maintype="image", subtype="jpeg", filename="ch.jpg")
    Inbox(services.settings.home / "mail").deliver(mail.as_bytes())
    poll(services)
    document = rights.export(held(services), services, tmp_path / "x.zip")
    paths = {file["name"]: file["path"] for file in document["files"] if file["path"]}
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        attached = [name for name in archive.namelist() if name.startswith("pieces-jointes/")]
        assert [archive.read(name) for name in attached] == [photo.read_bytes()]
    assert "ch.jpg" in paths


def test_a_file_that_is_gone_is_said_to_be_missing(
    services: Services, accepted: Case, tmp_path: Path
) -> None:
    services.store.remove(services.store.secret_folder(accepted.id))
    document = rights.export(held(services), services, tmp_path / "x.zip")
    (file,) = document["files"]
    assert (file["name"], file["path"]) == ("photo.jpg", None)
    assert file["url"].startswith("file://")


def test_nothing_half_written_is_left(
    services: Services, accepted: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.zip").write_text("precious")
    with pytest.raises(NotAllowed, match="already"):
        rights.export(held(services), services, tmp_path / "there.zip")
    assert (tmp_path / "there.zip").read_text() == "precious"

    def broken(*_: object) -> None:
        raise NotFound("gone")

    monkeypatch.setattr(services.store, "fetch", broken)
    with pytest.raises(NotFound):
        rights.export(held(services), services, tmp_path / "x.zip")
    assert not list(tmp_path.glob("*.zip.*"))
    assert not list(tmp_path.glob(".figsupport-*"))


def test_a_case_that_was_lost_is_told_by_the_desk(services: Services, accepted: Case) -> None:
    services.cases.forget(accepted.id)
    found = held(services)
    assert accepted.id in [case.id for case in found.cases]
    assert services.cases.load(accepted.id) is None


# --- erasure -----------------------------------------------------------------------------------


def test_who_is_forgotten_leaves_no_byte(
    services: Services, open_services: Open, accepted: Case
) -> None:
    done = rights.erase("Client@Example.com", services, force=False)
    assert (len(done.found.cases), len(done.evidence)) == (2, 1)
    told = "\n".join(done.stays)
    assert "local://subtasks/501 stays" in told
    assert "records of acceptances stay" in told
    assert "Backups" in told
    # what is said to stay: the production subtask, the record of the acceptance
    services.desk_file.execute("DELETE FROM subtasks")
    services.store.remove(services.store.secret_folder(accepted.id))
    services.scrub()
    services.close()
    left = everything(services)
    for trace in TRACES:
        assert trace not in left
    assert "Zoé" in left or "autre@example.org" in left
    again = open_services()
    assert held(again, "autre@example.org").cases
    with pytest.raises(NotFound, match="Nothing is held"):
        rights.erase(EMAIL, again, force=False)
    assert poll(again).errors == ()


def test_evidence_goes_where_the_directives_say_so(
    services: Services, open_services: Open, accepted: Case, tmp_path: Path
) -> None:
    from figsupport import directives

    folder = shutil.copytree(directives.default_folder(), tmp_path / "directives")
    text = (folder / "conservation.md").read_text("utf-8")
    text = text.replace("- conserver les preuves", "- effacer les preuves")
    (folder / "conservation.md").write_text(text, "utf-8")
    settings = services.settings.model_copy(update={"figsupport_directives": folder})
    done = rights.erase(EMAIL, Services(settings, services.now), force=False)
    assert done.evidence == ()
    assert services.store.keys(services.store.secret_folder(accepted.id)) == ()
    assert services.cases.load(accepted.id) is None


def test_work_is_not_given_up_by_mistake(
    services: Services, open_services: Open, photo: Path, client_answers: Answers
) -> None:
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    client_answers(services, case, "Je valide")
    before = len(everything(services))
    with pytest.raises(NotAllowed, match="1001"):
        rights.erase(EMAIL, services, force=False)
    assert services.cases.load(case.id) == case
    assert len(everything(services)) == before
    rights.erase(EMAIL, services, force=True)
    done = poll(services)
    assert (done.resumed, done.replies, done.validated, done.touched) == (0, 0, 0, ())
    assert kinds(services) == []
    with pytest.raises(NotFound):
        workflow.process_validation("1001", services, "accept", 2)
    _, new = workflow.intake(with_photo(ARMCHAIR, photo), open_services())
    assert new


def test_a_forgotten_client_may_come_back(
    services: Services, photo: Path, accepted: Case, client_answers: Answers
) -> None:
    rights.erase(EMAIL, services, force=False)
    case, new = workflow.intake(with_photo(ARMCHAIR, photo), services)
    assert new
    assert case.id == f"{accepted.id}-2"
    client_answers(services, case, "Je valide")
    assert poll(services).validated == 1


def test_a_request_id_is_not_taken_up_again(services: Services, photo: Path) -> None:
    request = with_photo(ARMCHAIR, photo).model_copy(update={"request_id": "form-1"})
    case, _ = workflow.intake(request, services)
    services.cases.save(case.with_(erased=services.now()), unfinished=True)
    with pytest.raises(NotAllowed, match="asked to be forgotten"):
        workflow.intake(request, services)
    ((case_id, error),) = poll(services).errors
    assert case_id == "form-1"
    assert "erase" in error.hint
    assert EMAIL not in error.message + error.hint
    with pytest.raises(NotFound, match="forgotten"):
        workflow.process_validation("1001", services, "accept", 2)
    with pytest.raises(NotFound, match="forgotten"):
        workflow.mark_sent("1001", services)


def test_nobody_is_forgotten_while_somebody_works(
    services: Services, open_services: Open, accepted: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "PATIENCE", 0.0)
    other = open_services()
    for name in ("poll", accepted.id):
        with other.cases.lock(name), pytest.raises(Busy):
            rights.erase(EMAIL, services, force=False)
    assert services.cases.load(accepted.id) == accepted


def test_what_others_hold_is_told(services: Services, photo: Path) -> None:
    """A subtask whose creation got no answer, and what a model read."""
    case, _ = workflow.intake(with_photo(ARMCHAIR, photo), services)
    case = workflow.process_validation("1001", services, "accept", 2)
    from figsupport.core.model import Doing, Step

    doing = Doing(step=Step.SUBTASK, key=f"{case.id}:subtask", since=services.now())
    services.cases.save(case.with_(subtask=None, doing=doing, cost=Cost(calls=1)), unfinished=True)
    told = "\n".join(rights.erase(EMAIL, services, force=True).stays)
    assert "local://subtasks/501 stays" in told
    assert "Anthropic" in told


def test_a_ticket_deleted_by_hand_is_no_obstacle(services: Services, accepted: Case) -> None:
    services.desk.erase_ticket("1001")
    assert rights.erase(EMAIL, services, force=False).found.others == ()


# --- killed at any moment ------------------------------------------------------------------------


def killed(home: Path, at: int) -> int:
    """Erase in a child that is killed at a moment; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            moment = kill.Moments(at)
            kill.watch_disk(home, moment)
            services = kill.Fragile(home, kill.BEGIN, moment)
            moment.asleep = False
            rights.erase(EMAIL, services, force=True)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A client with an accepted quote, and one whose quote is open with the answer waiting."""
    services = kill.Fragile(tmp_path / "base", kill.BEGIN, kill.Moments(None))
    kill.ARMCHAIR(services)
    kill.YES(services)
    kill.poll(services)
    kill.take_in(kill.request("Tabouret", "Un tabouret à modéliser.", kill.PHOTO))(services)
    case = workflow.find_case("1002", services)
    raw = playing.as_mail(case, services.now(), services.office.sender, "Je valide", None)
    Inbox(services.settings.home / "mail").deliver(raw)
    services.close()
    return tmp_path / "base"


def test_killed_at_any_moment_it_is_finished_by_the_next_run(
    home: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    at, step, moments = 1, 9, 0
    while True:
        copy = shutil.copytree(home, tmp_path / "copy")
        ended = killed(copy, at)
        assert ended in (0, -signal.SIGKILL)
        if ended == 0:
            break
        settings = Settings(figsupport_home=copy, figsupport_sync="normal")
        letters = sorted((copy / "mail" / "outbox" / "new").iterdir())
        services = Services(settings, lambda: kill.BEGIN)
        if all(case.erased for case in services.cases.of_contact(EMAIL)):
            # cron comes first: from the moment it began, nobody hears of it any more
            polling.poll_pending_tickets(services)
            left = sorted((copy / "mail" / "outbox" / "new").iterdir())
            new = [path for path in left if path not in letters]
            assert not [path for path in new if EMAIL in path.read_text("utf-8")]
        with suppress(NotFound):
            rights.erase(EMAIL, services, force=True)
        services.desk_file.execute("DELETE FROM subtasks")
        for record in copy.glob("files/*/acceptance-*"):
            record.unlink()
        services.scrub()
        services.close()
        left_over = everything(services)
        assert EMAIL not in left_over, f"moment {at}"
        assert not list(copy.glob("files/*/0*")), f"moment {at}"
        shutil.rmtree(copy)
        at, moments = at + step, moments + 1
    say(f"erasure killed at {moments} moments: finished by the next run each time")
    assert moments > 5


# --- HubSpot -------------------------------------------------------------------------------------


@pytest.fixture
def hubspot(socket_enabled: None) -> Iterator[HubSpot]:
    server = HubSpot()
    yield server
    server.close()


@pytest.fixture
def on_hubspot(hubspot: HubSpot, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Services]]:
    opened: list[Services] = []

    def open_() -> Services:
        settings = Settings(
            figsupport_home=tmp_path / "home", figsupport_sync="normal", figsupport_board="local",
            figsupport_store="local", figsupport_judge="rules", figsupport_timeout=0.5,
            figsupport_backoff=0.01, hubspot_api_key=KEY, hubspot_base_url=hubspot.url,
            hubspot_hub_id="145", hubspot_pipeline_id="77", hubspot_stage_new="1",
            admin_email="admin@figurative.example",
        )  # fmt: skip
        opened.append(Services(settings, clock))
        return opened[-1]

    yield open_
    for services in opened:
        services.close()


def test_where_the_account_refuses_the_bin_is_named(
    hubspot: HubSpot, on_hubspot: Callable[[], Services]
) -> None:
    hubspot.for_good.clear()
    services = on_hubspot()
    workflow.intake(INVOICE, services)
    told = "\n".join(rights.erase(EMAIL, services, force=False).stays)
    assert told.count("recycle bin for 90 days") == 2
    assert hubspot.objects["tickets"] == hubspot.objects["contacts"] == {}


_LOST: tuple[Fault, ...] = ("lost after", 500)


@pytest.mark.parametrize("fault", _LOST)
def test_a_failing_desk_is_gone_on_with(
    hubspot: HubSpot, on_hubspot: Callable[[], Services], clock: Clock, fault: Fault
) -> None:
    """Every call of an erasure fails for a while; the next run finishes it."""
    call, done = -1, False
    told: list[str] = []
    while not done:
        workflow.intake(INVOICE.model_copy(update={"objet": f"Facture {call}"}), on_hubspot())
        hubspot.client_writes(EMAIL, "Bonjour", "Bonjour")
        services, call = on_hubspot(), call + 2
        hubspot.calls.clear()
        hubspot.fail_at(call, (fault,) * 4)
        try:
            rights.erase(EMAIL, services, force=False)
            done = len(hubspot.calls) < call
        except FigsupportError as error:
            told.append(error.message)
            hubspot.script = {}
            with suppress(NotFound):
                rights.erase(EMAIL, on_hubspot(), force=False)
        hubspot.script = {}
        assert hubspot.threads == {}
        for objects in hubspot.objects.values():
            assert objects == {}
        assert services.cases.of_contact(EMAIL) == []
    assert call > 6
    assert all("HubSpot" in sentence for sentence in told)


def test_a_forgotten_case_is_not_begun_anew_by_a_late_mail(
    hubspot: HubSpot, on_hubspot: Callable[[], Services], clock: Clock, tmp_path: Path
) -> None:
    """Its ticket is still on the desk: nothing is sent to the client, a person is told."""
    shutil.copy(kill.PHOTO, tmp_path / "fauteuil.jpg")
    hubspot.clock = clock()
    case, _ = workflow.intake(with_photo(ARMCHAIR, tmp_path / "fauteuil.jpg"), on_hubspot())
    assert case.ticket is not None
    workflow.process_validation(case.ticket.id, on_hubspot(), "accept", 2)
    workflow.mark_sent(case.ticket.id, on_hubspot())
    clock.forward(days=4 * 366)
    assert poll(on_hubspot()).forgotten == 1
    assert on_hubspot().cases.load(case.id) is None
    hubspot.clock = clock()
    hubspot.client_writes(EMAIL, "Une question", "Re: devis", case.ticket.id)
    before = len(hubspot.objects["emails"])
    done = poll(on_hubspot())
    assert (done.validated, done.errors, done.strangers) == (0, (), ())
    back = on_hubspot().cases.load(case.id)
    assert back is not None
    assert (back.validation_status, back.subtask is not None) == ("validated", True)
    assert [mail.kind for mail in back.mails if mail.to == EMAIL][2:] == []
    assert len(hubspot.objects["emails"]) == before
    assert poll(on_hubspot()).forgotten == 0
