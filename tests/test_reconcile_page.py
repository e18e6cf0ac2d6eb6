"""The page of a reconciliation, as a browser shows it and as it comes out of a printer."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import proofs
import pytest
from proofs import FIGURES, PAYMENT, STRANGE, money
from pushing import Clinic, commands_in

from caspen_xero import __version__
from caspen_xero.sync.reconciling import prove as seam
from caspen_xero.sync.reconciling.proof import Proof

CHROMIUM, PDFTOTEXT = shutil.which("chromium"), shutil.which("pdftotext")
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")
VOID = {"meta"}
HOSTILE = "<script>alert('1')</script>\"><img src=x onerror=y>&amp;\u202e\nError: forged"

Pages = Callable[..., str]


@pytest.fixture
def page(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pages:
    """The page of a proof, as `reconcile --html` writes it; it stays in `page.html`."""

    def written(found: Proof) -> str:
        monkeypatch.setattr(seam, "prove", lambda *given, **_: replace(found, asked=given[3]))
        clinic.cli("reconcile", *NOVEMBER, "--html", tmp_path / "page.html")
        return (tmp_path / "page.html").read_text("utf-8")

    return written


class Read(HTMLParser):
    """A page as it is read: each element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if {"td", "th"} & {*self.open}:
            self.tables[-1][-1][-1] += data

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_says_whose_books_which_days_when_they_were_read_and_what_came_of_it(page: Pages) -> None:
    read = Read(page(proofs.equal(1204)))
    for words in (
        "Demo Company (AU)",
        "Documents dated 2026-11-01 to 2026-11-30",
        "Debtors as at 2026-11-30",
        "Read from Xero 2026-11-30 08:01 UTC, in 9 calls",
        "Invoices compared 1,204",
        "Amounts in AUD",
        f"caspen-xero {__version__}",
        "EQUAL TO THE CENT: 1,204 invoices",
    ):
        assert words in read.said
    assert "\N{NOT EQUAL TO} " not in read.said.replace("the sign \N{NOT EQUAL TO}", "")
    assert "NOT EQUAL" not in read.said


def test_it_is_one_file_that_asks_nobody_for_anything(page: Pages) -> None:
    text = page(proofs.unequal())
    read = Read(text)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "input", "svg", "base"}
    assert not re.search(r"https?:|//|url\(|@import|javascript:", text.replace("<!doctype html>", ""))
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert read.named("html") == [{"lang": "en"}]
    assert [tag for tag, _ in read.tags].count("h1") == 1
    assert [tag for tag, _ in read.tags].count("title") == 1


def test_what_differs_comes_first_with_both_figures_and_what_to_do(page: Pages) -> None:
    text = page(proofs.unequal(FIGURES, PAYMENT, replace(STRANGE, accepted=True)))
    read = Read(text)
    heads, figures, payment, strange = read.tables[0]
    assert heads == ["Invoice", "Client", "Date", "What", "Caspen", "Xero", "Xero has more"]
    assert figures == [
        "INV-0001",
        FIGURES.party,
        "2026-11-01",
        "subtotal, tax or total",
        FIGURES.caspen,
        FIGURES.xero,
        "0.01",
    ]
    assert payment[3:6] == ["a payment that Caspen does not have: Cash at desk", "\N{EM DASH}", PAYMENT.xero]
    assert strange[3].endswith("(accepted)")
    for command in commands_in(FIGURES.fix):
        assert f"<code>{command}</code>" in text  # to be copied, so with plain spaces
    assert "INV-0001: Put it right" in read.said
    assert read.said.index("What to do") < read.said.index("Step by step")


def test_every_table_is_there_with_a_caption_and_an_entry_in_the_contents(page: Pages) -> None:
    read = Read(page(proofs.unequal()))
    ids = [attributes["id"] for _, attributes in read.tags if attributes.get("id")]
    assert len(ids) == len({*ids})
    targets = [str(attributes["href"])[1:] for attributes in read.named("a")]
    assert targets == ["differences", *(table.key for table in proofs.tables())]
    assert {*targets} <= {*ids}
    assert len(read.named("caption")) == len(read.named("table")) == len(targets)
    for table in proofs.tables():
        assert table.about in read.said


def test_a_difference_is_marked_by_a_sign_and_a_word_and_a_minus_is_seen(page: Pages) -> None:
    read = Read(page(proofs.unequal()))
    (month,) = [rows for rows in read.tables if rows[0][0] == "Month"]
    assert month[1] == [
        *("2026-11", "invoices", "330.00", "330.01", "\N{NOT EQUAL TO} 0.01"),
        *("30.00", "30.00", "0.00"),
    ]
    assert "By month differs" in read.said
    assert "Debtors as at 2026-11-30 equal" in read.said
    assert "\N{MINUS SIGN}100.00" in read.said


def test_several_currencies_have_a_column_of_their_own_and_one_has_none(page: Pages) -> None:
    one, two = (
        Read(page(proofs.equal())),
        Read(page(replace(proofs.equal(), tables=proofs.tables(currencies=("AUD", "NZD"))))),
    )
    assert not [rows for rows in one.tables if "Currency" in rows[0]]
    assert [rows for rows in two.tables if "Currency" in rows[0]]
    assert "Amounts in" not in two.said


def test_whatever_names_hold_is_text(page: Pages) -> None:
    found = replace(
        FIGURES, number=HOSTILE, party=HOSTILE, caspen=HOSTILE, xero=HOSTILE, subject=HOSTILE, fix="<script>"
    )
    table = proofs.tables()[-1]
    rows = [[HOSTILE, date(2026, 11, 1), HOSTILE, "AUD", *([money("1")] * 6)]]
    text = page(replace(proofs.unequal(found), tables=[replace(table, rows=rows, title=HOSTILE, about=HOSTILE)]))
    read = Read(text)
    assert not {"script", "img"} & {tag for tag, _ in read.tags}
    assert "<script>alert('1')</script>" in read.said
    assert "\u202e" not in text
    assert "Error: forged" not in read.said


def test_two_thousand_rows_are_shown_all_that_differ_among_them_and_the_rest_is_told(page: Pages) -> None:
    found = proofs.equal(2500)
    table = found.tables[-1]
    rows = [list(row) for row in table.rows]
    rows[2400][6] = money("0.01")
    read = Read(page(replace(found, tables=[replace(table, rows=rows, is_equal=False)])))
    assert len(read.tables[-1]) == 1 + 2000
    assert "INV-2401" in [row[0] for row in read.tables[-1]]
    assert "2,000 of 2,500 rows are shown, all that differ among them." in read.said
    assert "invoices.csv" in read.said


# --- on paper


def on_paper(folder: Path) -> list[str]:
    """The text of each printed page."""
    printed = folder / "page.pdf"
    subprocess.run(
        [
            *(
                CHROMIUM or "",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={folder / 'profile'}",
            ),
            *("--no-pdf-header-footer", f"--print-to-pdf={printed}", (folder / "page.html").as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    text = subprocess.run(
        [PDFTOTEXT or "", "-layout", printed, "-"], check=True, capture_output=True, timeout=60
    ).stdout
    return text.decode().split("\f")[:-1]


@pytest.mark.skipif(not (CHROMIUM and PDFTOTEXT), reason="chromium and pdftotext are not installed")
def test_it_prints_with_its_differences_first_and_the_heads_of_long_tables_on_each_page(
    page: Pages, tmp_path: Path
) -> None:
    page(replace(proofs.unequal(invoices=200), tables=proofs.tables(200, off="12345.67")))
    sheets = on_paper(tmp_path)
    front = sheets[0]
    for words in ("Demo Company (AU)", "NOT EQUAL: 2 of 200 invoices differ", "Checked by", "Contents"):
        assert words in front
    whole = "".join(sheets)
    assert whole.index("subtotal 100.00") < whole.index("By tax rate differs")
    long = [sheet for sheet in sheets if len(re.findall(r"^ *INV-\d{4} ", sheet, re.MULTILINE)) > 5]
    assert len(long) > 3
    for number, sheet in enumerate(long):
        assert re.search(r"Number +Date +Client", sheet), f"page {number} has no head"
        assert re.search(rf"\d ?/ ?{len(sheets)}\s*$", sheet)
    assert [f"INV-{number:04}" for number in range(1, 201) if f"INV-{number:04}" not in whole] == []
    assert "12,455.67" in whole  # whole, and not cut off at the margin
    assert "\N{NOT EQUAL TO} 12,345.67" in whole


def test_the_same_proof_makes_the_same_page(page: Pages) -> None:
    found: Any = proofs.unequal()
    assert page(found) == page(found)
