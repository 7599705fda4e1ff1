"""examples/form.html in a real browser: a person fills it in, and a ticket with files is there."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .serving import Server, journalled, until

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "examples" / "form.html").read_text(encoding="utf-8")
PHOTO = ROOT / "examples" / "photos" / "fauteuil.jpg"
MODEL = ROOT / "examples" / "models" / "table.glb"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--force-prefers-reduced-motion",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no browser: apt-get install chromium chromium-driver (.ci/run does)",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path, socket_enabled: None) -> Iterator[tuple[Path, str]]:
    """The site whose page the form is on: its folder and its origin."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser(tmp_path: Path, socket_enabled: None) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def server(tmp_path: Path, site: tuple[Path, str]) -> Iterator[Server]:
    folder, origin = site
    running = Server(tmp_path / "home", FIGSUPPORT_FORM_ORIGINS=origin)
    page = PAGE.replace("http://127.0.0.1:5000", running.url)
    (folder / "form.html").write_text(page, encoding="utf-8")
    yield running
    running.close()


def test_a_filled_in_form_is_a_ticket_with_files(
    browser: Any, site: tuple[Path, str], server: Server, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get(f"{site[1]}/form.html")
    by_id = partial(browser.find_element, "id")
    assert browser.find_element("tag name", "html").get_attribute("lang") == "fr"

    by_id("send").click()  # empty: nothing is sent, the errors are announced
    errors = by_id("errors")
    assert errors.get_attribute("role") == "alert"
    assert len(errors.find_elements("tag name", "li")) == 2
    assert browser.switch_to.active_element == errors
    assert by_id("user_email").get_attribute("aria-invalid") == "true"

    by_id("description").send_keys("Un fauteuil ancien à modéliser avec ses textures.")
    by_id("description").send_keys(Keys.TAB, "Jeanne Dupont", Keys.TAB, "client..x@exemple.fr")
    by_id("fichiers").send_keys(f"{PHOTO}\n{MODEL}")
    by_id("send").send_keys(Keys.ENTER)  # the server refuses what the browser took
    until(lambda: "adresse" in by_id("user_email-error").text)
    by_id("user_email").clear()
    by_id("user_email").send_keys("client@exemple.fr", Keys.ENTER)
    until(lambda: by_id("done").is_displayed())

    (case,) = journalled(tmp_path / "home")
    assert by_id("reference").text == case.reference
    assert browser.switch_to.active_element == by_id("done")
    assert case.ticket is not None
    assert case.request.user_email == "client@exemple.fr"
    assert case.request.user_name == "Jeanne Dupont"
    assert [file.size for file in case.files] == [PHOTO.stat().st_size, MODEL.stat().st_size]
    assert [file.kind for file in case.files] == ["photo", "model3d"]
    logged = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry for entry in logged if "422" not in entry["message"]], logged


def test_every_field_has_a_label(browser: Any, site: tuple[Path, str], server: Server) -> None:
    from selenium.webdriver import ActionChains, Keys

    browser.get(f"{site[1]}/form.html")
    for field in browser.find_elements(
        "css selector", "input:not([type=hidden]), textarea, select"
    ):
        assert field.accessible_name or field.get_attribute("id") == "website"
    order = []
    for _ in range(7):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        order.append(browser.switch_to.active_element.get_attribute("id"))
    assert order == [
        "objet", "description", "user_name", "user_email", "langue", "fichiers", "send",
    ]  # fmt: skip


def test_a_site_that_is_not_named_gets_nothing(
    browser: Any, site: tuple[Path, str], server: Server, tmp_path: Path
) -> None:
    """The same page under another origin: the browser is not even told why."""
    other = site[1].replace("127.0.0.1", "localhost")
    browser.get(f"{other}/form.html")
    browser.find_element("id", "description").send_keys("Une chaise")
    browser.find_element("id", "user_email").send_keys("client@example.com")
    browser.find_element("id", "send").click()
    until(lambda: browser.find_element("id", "errors").text)
    assert journalled(tmp_path / "home") == []
