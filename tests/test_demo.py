"""`caspen-xero demo`: the story comes out, anywhere, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import webbrowser
from decimal import Decimal
from pathlib import Path

import pytest

from caspen_xero.caspen.feed import BadRecord
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import Invoice
from caspen_xero.cli import demo
from caspen_xero.cli.demo_clinics import CLINICS
from caspen_xero.cli.sandbox import Country

STORY = (
    "$ caspen-xero connect --client-id DEMO --token-store file",
    "Connected to Demo Company (AU).",
    '(The browser shows "Linked to Demo Company (AU)".)',
    "$ caspen-xero settings set --sales-account 200 --payment-account 090 --source",
    "$ caspen-xero taxes list",
    "Not synced",
    "$ caspen-xero push",
    "Tax rate GST is now linked to GST on Income (OUTPUT, 10 %)",
    "invoices synced 18",
    "of these unsynced 1",
    "$ caspen-xero unsynced",
    "1 invoice, 182.89 AUD: tax-rate-not-linked",
    "INV-0013 (Priya Raman)",
    "caspen-xero taxes map 'GST free' asks which: BAS Excluded (BASEXCLUDED, 0 %), GST Free Exports",
    "GST Free Income (EXEMPTOUTPUT, 0 %)",
    "$ caspen-xero taxes map 'GST free' EXEMPTOUTPUT",
    "$ caspen-xero push",
    "invoices synced 1",
    "$ caspen-xero unsynced",
    "Nothing is unsynced",
    "$ caspen-xero invoices list",
    "$ caspen-xero reconcile --from 2026-10-01 --to 2026-11-30",
    "EQUAL TO THE CENT: 19 invoices, with their lines, payments and credit notes.",
    "By month",
    "By tax rate",
    "Debtors as at",
    "19 finalised ones are in the local Xero exactly once",
    "caspen-xero connect --client-id",
    "caspen-xero sandbox serve",
)


# What a clinic there reads: its rates, Xero's, and where they differ.
ELSEWHERE: dict[Country, tuple[str, ...]] = {
    "NZ": (
        "Connected to Demo Company (NZ).",
        "differ on the GST return",
        "Tax rate GST is now linked to 15% GST on Income (OUTPUT2, 15 %)",
        "$ caspen-xero taxes map 'Zero rated' ZERORATED",
        "EQUAL TO THE CENT",
        "NZD in all",
        "One invoice was unsynced",
    ),
    "GB": (
        "Connected to Demo Company (UK).",
        "differ on the VAT return",
        "Tax rate VAT is now linked to 20% (VAT on Income) (OUTPUT2, 20 %)",
        "$ caspen-xero taxes map 'VAT exempt' EXEMPTOUTPUT",
        "EQUAL TO THE CENT",
        "GBP in all",
        "10 invoices were unsynced, with the reason and the command that",
    ),
    "US": (
        "Connected to Demo Company (US).",
        "differ on the sales tax return",
        "asks which: Tax on Sales (OUTPUT, 8.25 %), Tax on Purchases (INPUT, 8.25 %)",
        "$ caspen-xero taxes map 'Sales tax' OUTPUT",
        "$ caspen-xero taxes map 'Not taxed' NONE",
        "EQUAL TO THE CENT",
        "USD in all",
        "17 invoices were unsynced, with the reason and the commands that",
    ),
    "SG": (
        "Connected to Demo Company (Global).",
        "differ on the GST return",
        "asks which: Standard-Rated Supplies (OUTPUTY24, 9 %), Bad Debt Recovery",
        "$ caspen-xero taxes map GST OUTPUTY24",
        "$ caspen-xero taxes map Zero-rated ZERORATEDOUTPUT",
        "EQUAL TO THE CENT",
        "SGD in all",
        "17 invoices were unsynced, with the reason and the commands that",
    ),
}
OTHER_COUNTRIES_WORDS = {
    "NZ": r"VAT|AUD|BAS\b|HICAPS|sales tax\b",
    "GB": r"GST|AUD|BAS\b|HICAPS|sales tax\b",
    "US": r"GST|VAT|AUD|BAS\b|HICAPS",
    "SG": r"VAT|AUD|BAS\b|HICAPS|sales tax\b",
}


def in_order(landmarks: tuple[str, ...], told: str) -> None:
    """Each of these stands in what was told, after the one before; how wide it is told is left alone."""
    told = re.sub(r"\n {5,}(?=\S)", " ", told)
    told = re.sub(r"(?<=\S) {2,}(?=\S)", " ", told)
    place = 0
    for landmark in landmarks:
        found = told.find(landmark, place)
        assert found >= 0, f"{landmark!r} is missing after:\n{told[:place][-500:]}"
        place = found + len(landmark)


def bare_machine(folder: Path) -> dict[str, str]:
    """An environment without home, keyring, display or settings; what is made for a while goes into `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    return {**kept, "TMPDIR": str(folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def test_the_story_is_told_in_order_on_a_bare_machine_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "caspen_xero", "demo"],
        env=bare_machine(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (told.returncode, told.stderr) == (0, "")
    in_order(STORY, told.stdout)
    assert list(tmp_path.iterdir()) == []


def test_who_reads_only_its_beginning_is_told_of_no_failure(tmp_path: Path) -> None:
    told = subprocess.Popen(
        [sys.executable, "-m", "caspen_xero", "demo"],
        env=bare_machine(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert told.stdout is not None
    assert told.stderr is not None
    told.stdout.readline()
    told.stdout.close()
    assert (told.stderr.read(), told.wait(timeout=60)) == ("", 1)


@pytest.mark.parametrize("country", ELSEWHERE)
def test_the_story_of_a_clinic_elsewhere_is_told_in_its_own_words(
    country: Country, capsys: pytest.CaptureFixture[str]
) -> None:
    from caspen_xero.cli.app import app

    assert app(["demo", "--country", country], standalone_mode=False) in {0, None}
    told = capsys.readouterr().out
    in_order((*ELSEWHERE[country], "For real:"), told)
    assert re.findall(OTHER_COUNTRIES_WORDS[country], told) == []


def test_it_runs_beside_a_workspace_of_ones_own_and_touches_neither_it_nor_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from caspen_xero.cli.app import app

    monkeypatch.setenv("CASPEN_XERO_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("CASPEN_XERO_WORKSPACE", "clinic")
    monkeypatch.setenv("XERO_URL", "http://192.0.2.1")
    before, stdin = dict(os.environ), sys.stdin
    assert app(["demo"], standalone_mode=False) in {0, None}
    assert "Nothing is unsynced" in capsys.readouterr().out
    assert (dict(os.environ), sys.stdin) == (before, stdin)
    assert not (tmp_path / "mine").exists()
    retired = webbrowser.get("caspen-xero-demo")
    assert not retired.open("http://192.0.2.1"), "addresses go on to the next browser again"


def test_without_the_sandbox_extra_it_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys\nsys.modules['uvicorn'] = None\n"
        "from caspen_xero.cli.app import main\nsys.argv = ['caspen-xero', 'demo']\nmain()"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], env=bare_machine(tmp_path), capture_output=True, text=True, timeout=30
    )
    assert told.returncode == 1
    assert '-m pip install "joserfc' in told.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Total": Decimal("170.51")}, "INV-0001 shows 155.00, 15.50, 170.51, 0.00, not 155.00, 15.50, 170.50, 0.00"),
        (
            {"AmountDue": Decimal("170.50")},
            "INV-0001 shows 155.00, 15.50, 170.50, 170.50, not 155.00, 15.50, 170.50, 0.00",
        ),
        ({"InvoiceNumber": "INV-9999"}, "INV-9999 should not be there"),
    ],
)
def test_a_cent_too_much_or_a_strange_invoice_would_not_pass(change: dict[str, object], told: str) -> None:
    records = [json.loads(line) for line in CLINICS["AU"].sample.read_text(encoding="utf-8").splitlines()]
    first = {
        "InvoiceNumber": "INV-0001",
        "SubTotal": Decimal("155"),
        "TotalTax": Decimal("15.5"),
        "Total": Decimal("170.5"),
        "AmountDue": Decimal("0"),
    }
    differences = demo._differences(records, [{**first, **change}])
    assert told in differences
    assert "INV-0002 is there 0 times" in differences


@pytest.mark.parametrize("country", CLINICS)
def test_the_sample_clinic_is_a_flawless_export_with_every_case(country: Country) -> None:
    records = list(FileFeed([CLINICS[country].sample]).records())
    assert [record for record in records if isinstance(record, BadRecord)] == []
    invoices = [record for record in records if isinstance(record, Invoice)]
    assert {invoice.tax_mode for invoice in invoices} == {"exclusive", "inclusive", "none"}
    assert {invoice.status for invoice in invoices} == {"draft", "open", "paid", "void"}
    assert len({invoice.currency for invoice in invoices}) == 1
    discounts = [line.discount for invoice in invoices for line in invoice.lines]
    assert {discount.type if discount else None for discount in discounts} == {None, "percentage", "fixed"}
