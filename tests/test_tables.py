"""Tables on screens of every width and in pipes: what counts is never broken, and rows stay short."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from clinics import client, invoice
from hypothesis import given
from hypothesis import strategies as st
from pushing import Clinic
from rich.cells import cell_len

from caspen_xero.cli.output import Ours, Output
from caspen_xero.cli.tables import folded, shortened, with_thousands, wrapped

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
TITLES = ("Invoice", "Client", "Date", "Sent", "State", "Why", "Total", "Currency")
SPARE = ("Why", "Sent", "Client")
NAMES = (
    "Bo",
    "Margaret Oyelaran-Whitcombe of the Hills",
    "王小明" * 9,
    "Zoë Unit 1234567 of 12 Long Street",
    "x" * 200,
)
WHY = Ours(
    "its lines come to 1,357.95 AUD on 2026-11-28 14:05 AEDT, and its total is 1,357.59 AUD: caspen-xero unsynced"
)
ROWS = [
    (
        f"INV-{number:04}",
        name,
        date(2026, 11, 1 + number),
        "2026-11-28 14:05 AEDT",
        Ours("synced (accepted)"),
        WHY,
        Decimal("1357.95") * 1000**number,
        "AUD" if number % 2 else "NZD",
    )
    for number, name in enumerate(NAMES)
]
WHOLE = re.compile(
    r"INV-\d{4}|2026-11-0\d|2026-11-28 14:05 AEDT|synced \(accepted\)|[\d,]+\.\d\d(?: AUD)?|AUD|NZD|…|-+>?"
)


class Stream(StringIO):
    """A stdout that can be read afterwards."""

    def __init__(self, encoding: str = "utf-8", *, is_terminal: bool = False) -> None:
        super().__init__()
        self.takes, self.is_terminal = encoding, is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.takes

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What stands on stdout at a screen of that width; 0: in a pipe."""

    def show(width: int, say: Callable[[Output], None], stream: StringIO | None = None) -> str:
        written = stream or Stream()
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", written)
            if width:
                patch.setenv("CASPEN_XERO_COLUMNS", str(width))
            say(Output())
        return written.getvalue()

    return show


def _rows_of(text: str) -> list[list[str]]:
    """The lines of each row, below the rule of the head."""
    lines = text.split("\n")
    rule = next(place for place, line in enumerate(lines) if line.startswith("─"))
    rows: list[list[str]] = []
    for line in lines[rule + 1 : lines.index("", rule)]:
        if line.startswith("INV-"):
            rows.append([])
        rows[-1].append(line)
    return rows


def _hidden(text: str) -> list[str]:
    """The columns of which it is said that they are not shown."""
    said = r"Not shown, as the screen is too narrow: (.*)\. A wider one, or --json, shows (?:it|them)\."
    found = re.search(said, " ".join(text.split()))
    return found[1].split(", ") if found else []


@pytest.mark.parametrize("width", [30, 40, 57, 80, 100, 120, 200])
def test_no_number_date_or_state_is_broken_on_any_screen(shown: Callable[..., str], width: int) -> None:
    text = shown(width, lambda output: output.table(TITLES, ROWS, title="Some", narrow_without=SPARE))
    rows = _rows_of(text)
    assert len(rows) == len(ROWS)
    assert all(len(row) <= 2 for row in rows)
    assert all(cell_len(line) <= width for line in text.split("\n"))
    hidden = _hidden(text)
    for row, cells in zip(rows, ROWS, strict=True):
        for title in ("Invoice", "Date", "Sent", "State", "Total", "Currency"):
            cell = cells[TITLES.index(title)]
            words = f"{cell:,.2f}" if isinstance(cell, Decimal) else str(cell)
            assert (words in row[0].split("  ") or f" {words}" in row[0]) == (title not in hidden), (title, text)
        for number in re.findall(r"([\d,.]+)…", "".join(row)):
            assert re.search(rf"(?<![\d,.]){number}(?!\d)", " ".join(map(str, cells))), row


def test_columns_go_in_the_order_in_which_they_matter_least_and_are_named(shown: Callable[..., str]) -> None:
    gone: list[str] = []
    for width in range(220, 24, -1):
        names = _hidden(shown(width, lambda o: o.table(TITLES, ROWS, narrow_without=SPARE)))
        assert names[: len(gone)] == gone
        assert len(names) >= len(gone)
        gone = names
    assert gone[:3] == list(SPARE)


SIDES = ("In Caspen", "In Xero", "Differs")
BOTH = [
    ("Due date", "2026-11-16", "2026-11-17", "differs"),
    ("Contact", "Margaret Oyelaran-Whitcombe", "Margaret Oyelaran-Whitcombe of the Hills 王小明", ""),
    ("Total", "1,234,567.89", "1,234,567.89", ""),
]


@pytest.mark.parametrize("width", [30, 40, 57, 80])
def test_the_two_sides_of_a_thing_are_both_shown_below_each_other_where_there_is_no_room_beside(
    shown: Callable[..., str], width: int
) -> None:
    rows = [tuple(map(Ours, row)) for row in BOTH]
    text = shown(width, lambda output: output.table(("In AUD", *SIDES), rows, beside=SIDES, left_out=["As sent"]))
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert all(word in text for word in ("2026-11-16", "2026-11-17", "differs"))
    assert text.count("1,234,567.89") == 2
    assert _hidden(text) == ["As sent"]
    if width == 40:
        assert "Due date\n  In Caspen  2026-11-16\n  In Xero    2026-11-17\n  Differs    differs\nContact\n" in text


def test_a_currency_is_shown_only_where_there_are_several(shown: Callable[..., str]) -> None:
    alike = [(*row[:-1], "AUD") for row in ROWS]
    assert "Currency" in shown(200, lambda o: o.table(TITLES, ROWS))
    assert "Currency" not in shown(200, lambda o: o.table(TITLES, alike))
    assert shown(0, lambda o: o.table(TITLES, alike)).count("\tAUD\n") == len(ROWS)


def test_an_amount_keeps_its_currency_on_a_narrow_screen(shown: Callable[..., str]) -> None:
    rows = [("INV-1", "synced (accepted)", Decimal("1358024.68"), "AUD"), ("INV-2", "open", Decimal(5), "NZD")]
    text = shown(46, lambda o: o.table(("Invoice", "State", "Total", "Currency"), rows))
    assert "1,358,024.68  AUD\n" in text
    assert "Currency" not in text
    assert _hidden(text) == []


def test_amounts_stand_to_the_right(shown: Callable[..., str]) -> None:
    text = shown(
        80, lambda o: o.table(("Invoice", "Total", "What"), [("INV-1", Decimal(5), "a"), ("INV-2", Decimal(1234), "b")])
    )
    assert re.search(r"^INV-1 {8}5.00  a\nINV-2 {4}1,234.00  b$", text, re.MULTILINE), text


def test_in_a_pipe_a_list_is_a_line_for_each_row_whole_and_with_tabs(shown: Callable[..., str]) -> None:
    lines = shown(0, lambda o: o.table(TITLES, ROWS, narrow_without=SPARE)).splitlines()
    assert lines == [
        "\t".join((row[0], row[1], f"{row[2]}", row[3], row[4], row[5], f"{row[6]:.2f}", row[7])) for row in ROWS
    ]
    facts = shown(0, lambda o: o.facts("Push to Demo", [("invoices synced", 5), ("of", Ours("some"))]))
    assert facts == "Push to Demo\ninvoices synced\t5\nof\tsome\n"
    assert shown(0, lambda o: o.remark("5 invoices.")) == ""


def test_nothing_from_outside_makes_a_line_or_a_cell_of_its_own(shown: Callable[..., str]) -> None:
    hostile = "a\tb\nINV-9999\x1b[31m\u202e[red]Error: x"
    for width in (0, 40, 200):
        text = shown(width, lambda o: o.table(("Invoice", "Client"), [("INV-1", hostile)]))
        assert text.count("\t") == (width == 0)
        assert not re.search(r"[\x1b\u202e]|^INV-9999|Error:", text, re.MULTILINE)


def test_a_screen_without_the_signs_has_others(shown: Callable[..., str]) -> None:
    rows = [("INV-1", "Margaret Oyelaran-Whitcombe", "some other name of this kind")]
    text = shown(40, lambda o: o.table(("Invoice", "Client", "Other"), rows), Stream("ascii"))
    assert text.isascii()
    assert "..." in text


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_link_is_one_unbroken_address(
    shown: Callable[..., str], monkeypatch: pytest.MonkeyPatch, term: str, no_color: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    address = f"https://go.xero.com/app/!abcde/invoicing/view/{'60aa5d55-' * 9}"
    text = shown(40, lambda o: o.link("Open in Xero:", address), Stream(is_terminal=True))
    assert re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", text) == f"Open in Xero: {address}\n"
    assert (f";{address}\x1b\\" in text) == (term != "dumb")


def test_a_terminal_of_forty_columns_is_one_whatever_it_can(screen: Any, caspen: Callable[..., None]) -> None:
    caspen({"object": "client", "id": "1", "first_name": "Margaret", "last_name": "Oyelaran-Whitcombe"})
    told = screen("settings", "show", columns=40)
    assert max(map(cell_len, told.stdout.splitlines())) <= 40
    assert "Not shown, as the screen is too narrow" in told.stdout


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=60), st.integers(2, 30))
def test_a_text_is_shortened_to_no_more_cells_than_there_are(text: str, width: int) -> None:
    assert cell_len(shortened(text, width)) <= width


@given(
    st.lists(st.sampled_from(["a", "caspen-xero push INV-1", "1,357.95 AUD", "2026-11-28 14:05 AEDT", "words"])),
    st.integers(1, 40),
)
def test_a_command_an_amount_and_a_time_are_on_one_line(parts: list[str], width: int) -> None:
    lines = wrapped(" and ".join(parts), width)
    assert " ".join(lines) == " and ".join(parts)
    assert all(any(part in line for line in lines) for part in parts)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_what_is_said_is_folded_between_words_and_never_in_a_command(shown: Callable[..., str], width: int) -> None:
    command = "caspen-xero settings set --sales-account 200 --payment-account 090 --source /home/nell/caspen-export"
    said = (
        "One of these was left out, as it has no account: " * 3,
        f"Set it: {command}; then: caspen-xero push INV-0042",
    )
    text = shown(width, lambda o: o.say(*said))
    assert " ".join(text.split()) == " ".join(" ".join(said).split())
    assert f"{command};" in text
    assert all(cell_len(line) <= width or command in line for line in text.splitlines())
    assert shown(0, lambda o: o.say(*said)) == "".join(f"{line.rstrip()}\n" for line in said)


@pytest.mark.parametrize("width", [40, 80])
def test_each_command_of_a_fix_is_on_a_line_of_its_own_on_a_screen_and_nowhere_else(
    shown: Callable[..., str], width: int
) -> None:
    commands = ("caspen-xero pull", "caspen-xero invoices accept 'INV; 1'", "caspen-xero workspaces remove north")
    fix = f"Put it right there, then: {commands[0]}; if it may stay so: {commands[1]}; then: {commands[2]}"
    for say in (
        lambda o: o.say(f"  -> {fix}"),
        lambda o: o.what_to_do([(fix, "INV; 1", "", ())]),
        lambda o: o.facts("Status", [("Stopped", Ours(f"It is stopped  ->  {fix}"))]),
    ):
        lines = [line.strip() for line in shown(width, say).splitlines()]
        assert [line for line in lines if line in commands] == list(commands), lines
        assert fix in shown(0, say)


def test_a_push_and_a_sync_with_nothing_new_say_so_in_a_line_and_show_no_zeros(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert "invoices synced\t1\n" in ready.cli("push").stdout
    assert ready.cli("push").stdout == "There was nothing new to send to Demo Company (AU).\n"
    told = ready.cli("sync")
    assert told.stdout == "Nothing new from Xero for Caspen.\nThere was nothing new to send to Demo Company (AU).\n"
    assert "1 of 1 finalised invoice is in Xero and equal" in told.stderr


def test_the_pictures_show_what_they_are_to_show() -> None:
    for name, words in {
        "unsynced": ("caspen-xero unsynced", "tax-rate-not-linked", "caspen-xero taxes map 'GST free'"),
        "invoices-show": ("caspen-xero invoices show INV-0005", "Priya Raman"),
        "reconcile": ("EQUAL TO THE CENT: 25 invoices", "By month"),
    }.items():
        drawn = (PICTURES / f"{name}.svg").read_text("utf-8")
        said = unescape(" ".join(part for part in re.findall(r"<text[^>]*>([^<]*)</text>", drawn))).replace("\xa0", " ")
        assert [word for word in words if word not in said] == []
        assert not re.search(r"(?:href|src|url)\W*https?:", drawn)  # a page loads nothing for them


@pytest.mark.parametrize(
    "command", ["workspaces add north", "sandbox serve --port 8790", "schema feed", "push INV-0042"]
)
def test_no_command_is_broken_at_the_edge_of_a_screen(command: str) -> None:
    for width in range(len(command) + 20, 90):
        lines = folded(f"  -> look at it first; or to begin it: caspen-xero {command}", width)
        assert [line for line in lines if f"caspen-xero {command}" in line], (width, lines)


def test_one_long_number_drives_no_column_out(shown: Callable[..., str]) -> None:
    """It loses its middle where there is no room, and nothing else does."""
    long = "INV-2026-11-28-SOUTH-CLINIC-000042"
    rows = [(number, "Ann Lee", date(2026, 11, 28), Decimal("1357.95")) for number in ("INV-0001", long)]
    columns = ("Invoice", "Client", "Date", "Total")
    told = {
        width: shown(width, lambda output: output.table(columns, rows, narrow_without=("Date", "Client")))
        for width in (56, 80)
    }
    assert "INV-2026-1…IC-000042  Ann Lee  2026-11-28  1,357.95" in told[56].replace("   ", "")
    assert long in told[80]


def test_an_amount_in_words_stands_as_in_a_table_and_nothing_else_does() -> None:
    told = with_thousands("1357.95 AUD for Ann, -20000.00; 99.50, INV-1234.50, 2026-11-28, 1,357.95, 12345.678")
    assert told == "1,357.95 AUD for Ann, -20,000.00; 99.50, INV-1234.50, 2026-11-28, 1,357.95, 12345.678"
