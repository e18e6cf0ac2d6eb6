"""Connecting as a person does it: in a real browser, through Xero's pages, back to ours; and whether every page can be read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import proofs
import pytest
from browsing import AXE, CHROMEDRIVER, CHROMIUM, SCREENS, chromium, hard_to_read, page_says
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from caspen_xero.cli.reconcile_page import page_of
from caspen_xero.cli.session import Session
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.xero import callback_page
from caspen_xero.xero.login import PORTS
from tests.sandbox.invoicing import INVOICES, make_invoice
from tests.sandbox.signing_in import App

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="there is no browser here: chromium and chromedriver are not installed"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless Chromium for all."""
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def xero() -> Iterator[Sandbox]:
    """A local Xero with two organisations, where a person must say yes."""
    with Sandbox(organisations=["Harbour Clinic"]) as box:
        yield box


@contextmanager
def connecting(
    xero: Sandbox, home: Path, *options: str, port: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`caspen-xero connect` under way, and the address that it printed alone on a line. `port`: it listens there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XERO_", "CASPEN_"))}
    command = [sys.executable, "-m", "caspen_xero", "connect", "--no-browser", "--client-id", "sandbox"]
    for attempt in range(60):  # other tests listen there for a moment
        time.sleep(0.5 * min(attempt, 2))
        with ports_before_it_taken(port):
            process = subprocess.Popen(
                [*command, "--token-store", "file", *options],
                env=environment | {"XERO_URL": xero.url, "CASPEN_XERO_HOME": str(home)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert process.stdout
            said: list[str] = []
            while not said or not (said[-1] == "" or said[-1].startswith(xero.url)):
                said.append(process.stdout.readline())
        try:
            line = said[-1]
            if not line:
                pytest.fail("connect printed no address:\n" + "".join(said))
            if port in (None, port_of(line)):
                yield process, line.strip()
                return
        finally:
            process.kill()
            process.communicate()
    pytest.fail(f"port {port} stayed taken")


@contextmanager
def ports_before_it_taken(port: int | None) -> Iterator[None]:
    """The ports that `connect` tries before `port` are taken, so that it comes to that one whoever has left them by now."""
    with ExitStack() as held:
        for earlier in PORTS[: PORTS.index(port)] if port else ():
            with suppress(OSError):  # somebody else has it
                held.enter_context(socket.create_server(("127.0.0.1", earlier)))
        yield


def port_of(address: str) -> int:
    """The port on which the browser is awaited, in the address of a consent page."""
    (redirect,) = parse_qs(urlsplit(address).query)["redirect_uri"]
    return urlsplit(redirect).port or 0


def choose(browser: webdriver.Chrome, organisation: str) -> None:
    """On Xero's page."""
    page_says(browser, "caspen-xero wants access")
    Select(browser.find_element(By.ID, "organisation")).select_by_visible_text(organisation)
    browser.find_element(By.ID, "allow").click()


def another_tab(browser: webdriver.Chrome, address: str) -> str:
    """A tab with this address; gives what it is switched to by."""
    browser.switch_to.new_window("tab")
    browser.get(address)
    return str(browser.current_window_handle)


def test_a_person_chooses_an_organisation_allows_access_and_is_told_what_was_linked(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    with connecting(xero, tmp_path) as (process, address):
        browser.get(address)
        page_says(browser, "caspen-xero wants access", "Local sandbox, not Xero.", "accounting.invoices")
        chooser = Select(browser.find_element(By.ID, "organisation"))
        assert [option.text for option in chooser.options] == ["Demo Company (AU)", "Harbour Clinic"]
        choose(browser, "Harbour Clinic")
        page_says(browser, "Linked to Harbour Clinic", "Next:", "close this tab")
        assert browser.current_url.startswith("http://localhost:")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 0, said
        assert "Harbour Clinic" in said


def test_a_person_who_cancels_links_nothing_and_reads_on_the_page_what_the_terminal_says(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    with connecting(xero, tmp_path, "--workspace", "north") as (process, address):
        browser.get(address)
        page_says(browser, "caspen-xero wants access")
        browser.find_element(By.ID, "cancel").click()
        page_says(browser, "Not linked", "not allowed", "Next:")
        command = browser.find_element(By.TAG_NAME, "code").text
        assert command.startswith("caspen-xero connect ")
        assert "--workspace north" in command
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 4, said
        assert "Traceback" not in said
        assert command in said
        browser.back()
        page_says(browser, "caspen-xero wants access")
        browser.find_element(By.ID, "allow").click()
        page_says(browser, "This page was used already", "Next:")


def test_a_second_tab_and_a_code_that_was_used_link_nothing_and_disturb_nothing(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    first_tab = browser.current_window_handle
    with connecting(xero, tmp_path) as (_, address):  # and ends in the middle: Ctrl-C
        browser.get(address)
        page_says(browser, "caspen-xero wants access")
        port = port_of(address)
    with connecting(xero, tmp_path, port=port) as (process, address):
        choose(browser, "Demo Company (AU)")  # in the tab of the one before
        page_says(browser, "Not this sign-in", "Next:", "the address that the terminal shows now")
        assert process.poll() is None
        late = another_tab(browser, address)
        used = another_tab(browser, address)
        choose(browser, "Harbour Clinic")
        page_says(browser, "Linked to Harbour Clinic")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 0, said
        assert "another sign-in; still waiting for this one" in " ".join(said.split())
    kept = (tmp_path / "default" / "tokens.json").read_bytes()
    browser.switch_to.window(late)
    browser.find_element(By.ID, "cancel").click()  # nobody listens any more
    browser.close()
    browser.switch_to.window(used)
    with connecting(xero, tmp_path, port=port) as (process, address):
        browser.refresh()
        page_says(browser, "Not this sign-in", "was used before", "Next:")
        assert process.poll() is None
        assert (tmp_path / "default" / "tokens.json").read_bytes() == kept
        browser.get(address)
        choose(browser, "Demo Company (AU)")
        page_says(browser, "Not linked", "belongs to Harbour Clinic", "Next:")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 1, said
    assert (tmp_path / "default" / "tokens.json").read_bytes() == kept
    browser.close()
    browser.switch_to.window(first_tab)


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


# --- whether it can be read


LONG = "Müller-Łukasiewicz & Söhne, Physiotherapy and Remedial Massage of the Northern Rivers Pty Ltd"
UNBROKEN = "https://login.example/" + "connect" * 20


def ours(folder: Path) -> Iterator[tuple[str, str]]:
    """Our own pages, as files: a name and the address of each."""
    session = cast(Session, SimpleNamespace(connection=SimpleNamespace(tenant_name=LONG)))
    accepted = replace(proofs.STRANGE, accepted=True)
    fix = "Create an app, exactly so: " + UNBROKEN + "; then: caspen-xero connect --org 'Harbour Clinic' --no-browser"
    pages: dict[str, Callable[[], str]] = {
        "linked": lambda: callback_page.linked_page(LONG),
        "failed": lambda: callback_page.failed_page("Access was not allowed on Xero's page.", fix),
        "stopped": lambda: callback_page.failed_page("caspen-xero stopped before it was done."),
        "received": callback_page.received_page,
        "stray": callback_page.stray_page,
        "equal": lambda: page_of(session, proofs.equal()),
        "unequal": lambda: page_of(session, proofs.unequal(proofs.FIGURES, proofs.PAYMENT, accepted)),
    }
    for name, made in pages.items():
        file = folder / f"{name}.html"
        file.write_text(made(), "utf-8")
        yield name, file.as_uri()


def the_sandboxs(xero: Sandbox) -> Iterator[tuple[str, str]]:
    """The sandbox's pages, with documents of long names and large sums."""
    app = App(xero.url)
    approve(xero, by_itself=True)
    app.sign_in()
    approve(xero, by_itself=False)
    invoice = make_invoice(app.http, "INV-" + "2026-" * 4 + "7", LONG)
    line = {"Description": f"{LONG}, {UNBROKEN}", "Quantity": 3, "UnitAmount": "1234567.89", "AccountCode": "200"}
    contact = {"ContactID": invoice["Contact"]["ContactID"]}
    note = {
        "Type": "ACCRECCREDIT",
        "Contact": contact,
        "Date": "2026-11-02",
        "Status": "AUTHORISED",
        "LineItems": [line],
    }
    made = app.http.put("/api.xro/2.0/CreditNotes", json={"CreditNotes": [note]}).raise_for_status().json()
    pay = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": "10.00"}
    app.http.put("/api.xro/2.0/Payments", json=pay | {"Date": "2026-11-03"}).raise_for_status()
    organisation = f"{xero.url}/app/{xero.api.organisations()[0].short_code}"
    pages = {
        "overview": xero.url,
        "invoices": f"{organisation}/invoicing",
        "invoice": f"{organisation}/invoicing/view/{invoice['InvoiceID']}",
        "contact": f"{organisation}/contacts/contact/{contact['ContactID']}",
        "note": f"{organisation}/creditnotes/view/{made['CreditNotes'][0]['CreditNoteID']}",
        "request": f"{xero.url}/requests/4",
        "missing": f"{organisation}/invoicing/view/none",
        "refused": f"{xero.url}/identity/connect/authorize?client_id=x",
        "consent": f"{xero.url}/identity/connect/authorize?{urlencode(app.question())}",
    }
    yield from pages.items()


def approve(xero: Sandbox, *, by_itself: bool) -> None:
    httpx.post(f"{xero.url}/sandbox/settings", json={"auto_approve": by_itself}).raise_for_status()


def test_every_page_can_be_read_narrow_and_wide_light_and_dark(
    browser: webdriver.Chrome, xero: Sandbox, tmp_path: Path
) -> None:
    wrong: list[str] = []
    for (name, address), by_axe in zip([*ours(tmp_path), *the_sandboxs(xero)], cycle(SCREENS), strict=False):
        browser.get(address)
        wrong += hard_to_read(browser, name, by_axe)
    assert not wrong, "\n".join(wrong)


def test_success_and_failure_differ_in_more_than_colour(browser: webdriver.Chrome, tmp_path: Path) -> None:
    seen: dict[str, tuple[Any, ...]] = {}
    for name, address in ours(tmp_path):
        if name in ("linked", "failed"):
            browser.get(address)
            frame = browser.find_element(By.TAG_NAME, "main").value_of_css_property("border-top-style")
            sign = browser.find_element(By.CSS_SELECTOR, "svg path").get_attribute("d")
            seen[name] = (
                frame,
                sign,
                browser.title.split()[0],
                browser.find_element(By.TAG_NAME, "h1").text.split()[0],
            )
    assert all(good != bad for good, bad in zip(seen["linked"], seen["failed"], strict=True))


BAD = """<!doctype html><title></title><h1>One</h1><h1>Two</h1><p style="color:#999;background:#fff">Pale</p>
<table style="width:900px"><tr><td>1<td style="text-align:right">1,234.50</table>"""


def test_what_is_hard_to_read_is_found(browser: webdriver.Chrome, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(BAD)
    browser.get((tmp_path / "bad.html").as_uri())
    told = "\n".join(hard_to_read(browser, "bad", SCREENS[0]))
    for words in ("2 h1", "no language", "no title", "beside the screen: 1,234.50", "contrast 2.85: Pale", "it is 9"):
        assert words in told
    if not AXE.exists():
        pytest.skip("the pages were looked at without axe-core: npm ci --prefix tests/pages")
    assert "axe: color-contrast" in told
    assert "axe: html-has-lang" in told
