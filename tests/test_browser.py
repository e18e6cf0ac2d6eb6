"""Connecting as a person does it: in a real browser, through Xero's pages, back to ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.invoicing import INVOICES, make_invoice
from tests.sandbox.signing_in import App

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="there is no browser here: chromium and chromedriver are not installed"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def xero() -> Iterator[Sandbox]:
    """A local Xero with two organisations, where a person must say yes."""
    with Sandbox(organisations=["Harbour Clinic"]) as box:
        yield box


@contextmanager
def connecting(xero: Sandbox, home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`caspen-xero connect` under way, and the address that it printed alone on a line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XERO_", "CASPEN_"))}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "caspen_xero",
            "connect",
            "--no-browser",
            "--token-store",
            "file",
            "--client-id",
            "sandbox",
        ],
        env=environment | {"XERO_URL": xero.url, "CASPEN_XERO_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith(xero.url):
                yield process, line.strip()
                return
        pytest.fail("connect printed no address:\n" + "".join(said))
    finally:
        process.kill()
        process.communicate()


def page_says(browser: webdriver.Chrome, *words: str) -> None:
    """Waits until the page that the browser shows has all these words."""

    def said(driver: webdriver.Chrome) -> bool:
        text = driver.find_element(By.TAG_NAME, "body").text
        return all(word in text for word in words)

    # Between two pages there may be no body, or one that is gone before it is read; the browser has several words for that.
    WebDriverWait(browser, 15, ignored_exceptions=(WebDriverException,)).until(said, f"the page never said {words}")


def test_a_person_chooses_an_organisation_allows_access_and_is_told_what_was_linked(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    with connecting(xero, tmp_path) as (process, address):
        browser.get(address)
        page_says(browser, "caspen-xero wants access", "Local sandbox, not Xero.", "accounting.invoices")
        chooser = Select(browser.find_element(By.ID, "organisation"))
        assert [option.text for option in chooser.options] == ["Demo Company (AU)", "Harbour Clinic"]
        chooser.select_by_visible_text("Harbour Clinic")
        browser.find_element(By.ID, "allow").click()
        page_says(browser, "Harbour Clinic", "close this tab")
        assert browser.current_url.startswith("http://localhost:")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 0, said
        assert "Harbour Clinic" in said


def test_a_person_who_cancels_links_nothing_and_is_told_so(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    with connecting(xero, tmp_path) as (process, address):
        browser.get(address)
        page_says(browser, "caspen-xero wants access")
        browser.find_element(By.ID, "cancel").click()
        page_says(browser, "not allowed")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 4, said
        assert "Traceback" not in said


def test_a_person_looks_at_the_books_and_marks_an_invoice_as_paid(browser: webdriver.Chrome) -> None:
    with Sandbox(auto_approve=True) as xero:
        app = App(xero.url)
        app.sign_in()
        make_invoice(app.http, "INV-7")
        browser.get(xero.url)
        page_says(browser, "Demo Company (AU)", "Local sandbox, not Xero.", "INV-7", "AUTHORISED")
        browser.find_element(By.LINK_TEXT, "INV-7").click()
        page_says(browser, "Invoice INV-7")
        browser.find_element(By.XPATH, "//button[text()='Mark as paid']").click()
        page_says(browser, "Invoice INV-7", "PAID")
        assert app.http.get(INVOICES, params={"page": 1}).json()["Invoices"][0]["Status"] == "PAID"
