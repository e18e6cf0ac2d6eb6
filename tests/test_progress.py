"""How far a run has come is told truly: on a terminal all the time, else once a minute at most, and never to a program."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from clinics import client, invoice, payment
from conftest import Result
from pushing import Clinic
from rich.console import Console

from caspen_xero import interruption
from caspen_xero.cli import output
from caspen_xero.cli.output import Output
from caspen_xero.cli.progress import BYTES, Bar, Shown, UnderWay, Work
from caspen_xero.interruption import ToldToEnd, at_once, to_its_end

Screen = Callable[..., Result]
INVOICES = [invoice(f"INV-{number:04d}", client_id="1") for number in range(1, 121)]  # three calls
PAID = [
    payment("65.00", (one["id"], "65.00"), id_=f"pay_{place}", client_id="1") for place, one in enumerate(INVOICES[:60])
]


def test_a_push_tells_of_every_document_and_never_more_than_is_true(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int | None, float, int]] = []
    lines: list[str] = []

    def tell(done: int, total: int | None = None, *, begun: float = 0.0, sent: int = 0) -> None:
        told.append((done, total, begun, len(ready.in_xero())))
        line = Shown(Work("Pushing", unit="invoices to send"), UnderWay())
        line(done, total, begun=begun, sent=sent)
        lines.append(line.figures())

    ready.takes(client("1"), *INVOICES, *PAID)
    monkeypatch.setattr(output, "untold", tell)
    ready.push()
    in_order = [(done, begun) for done, _, begun, _ in told]
    assert told[-1][:3] == (120, 120, 0)
    assert [sum(each) for each in in_order] == sorted(sum(each) for each in in_order)
    assert len({done for done, _ in in_order}) > 3
    assert any(0 < begun < 60 for _, begun in in_order)  # invoices whose payments are still to go
    assert all(done <= there for done, _, _, there in told)
    moved = [line for line, (_, _, begun, _) in zip(lines, told, strict=True) if begun]
    assert any("of 120 invoices to send, " in line and line.endswith(" documents sent") for line in moved)
    assert lines[-1] == "120 of 120 invoices to send"


def test_without_a_terminal_a_line_a_minute_and_none_for_a_short_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr("caspen_xero.cli.progress.time.monotonic", lambda: now)
    talk = Output()
    talk.under_way.calls = lambda: (12, 4988)
    with talk.progress("Pushing", unit="invoices") as tell:
        for second in range(600):
            now = 1000.0 + second
            talk.calls_xero("PUT", "Invoices")
            tell(second, 2000)
            if second % 100 == 20:
                with talk.waits(43, "Xero's limit of calls per minute"):
                    pass
            if second == 19:
                assert capsys.readouterr().err == ""
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "Pushing: 20 of 2,000 invoices; waiting 43 s: Xero's limit of calls per minute; 12 calls, 4,988 left today."
    )
    assert len(lines) == 10
    assert lines[-1] == "Pushing: 559 of 2,000 invoices; sending invoices; 12 calls, 4,988 left today."
    for mute in (Output(quiet=True), Output(json=True)):
        with mute.progress("Pushing") as tell:
            now += 600
            tell(1, 2)
            with mute.waits(50, "a limit"):
                mute.is_told_to_end()
    assert capsys.readouterr() == ("", "")


def test_a_wait_of_a_command_without_a_bar_is_counted_down_and_told_once_a_minute_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr("caspen_xero.cli.progress.time.monotonic", lambda: now)
    talk = Output()
    for _ in range(10):
        with talk.waits(19, "Xero's limit of calls per minute"):
            now += 19
    assert capsys.readouterr().err == 2 * "Waiting for Xero: waiting 19 s: Xero's limit of calls per minute.\n"
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)

    def is_broken_off() -> None:
        nonlocal now
        with talk.waits(19, "a limit"):
            bar = talk._shown
            assert isinstance(bar, Bar)
            assert bar.under_way.in_words() == "waiting 19 s: a limit"
            now += 7
            assert bar.under_way.in_words() == "waiting 12 s: a limit"
            raise ToldToEnd

    with pytest.raises(ToldToEnd):
        is_broken_off()
    assert talk._shown is None


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_bar_fits_the_screen_and_says_what_is_under_way(columns: int) -> None:
    def shown(work: Work, done: int, total: int | None, ending: bool = False) -> list[str]:
        screen = io.StringIO()
        bar = Bar(Console(file=screen, width=columns, color_system=None), work, run)
        bar(done, total, begun=0.5)
        run.is_ending = ending
        bar._console.print(bar)
        return screen.getvalue().splitlines()

    run = UnderWay(calls=lambda: (1234, 3766))
    run.calls_xero("GET", "CreditNotes/0d9b/Allocations")
    lines = shown(Work("Pushing", unit="invoices"), 278, 2000)
    assert len(lines) == 2
    assert all(len(line) <= columns for line in lines)
    if columns >= 80:
        assert lines[0].endswith(" 278 of 2,000 invoices")
        assert lines[1].rstrip() == "  reading allocations; 1,234 calls, 3,766 left today"
    run.waits(41.2, "Xero's limit of calls per minute")
    assert shown(Work("Pushing"), 1, 2)[1].startswith("  waiting 42 s: Xer"[: columns - 1])
    assert "ending after" in shown(Work("Pushing"), 1, 2, ending=True)[1]
    assert "about" not in shown(Work("Reading"), 5, None)[0]
    if columns >= 40:
        assert "7 of about 9 documents" in shown(Work("Read", unit="documents", is_about=True), 7, 9)[0]
        assert "9 of about 9 documents" not in shown(Work("Read", unit="documents", is_about=True), 12, 9)[0]
        assert "34 %" in shown(Work("Importing", unit=BYTES), 345, 1000)[0]


def test_on_a_terminal_a_push_shows_how_far_it_is(ready: Clinic, screen: Screen) -> None:
    ready.takes(client("1"), *INVOICES[:2])
    ready.control("faults", kind="delay", path="/api.xro/2.0/Invoices", method="PUT", seconds=1)
    shown = screen("push", "--yes")
    assert shown.exit_code == 0
    assert "of 2 invoices" in shown.stdout
    assert "sending invoices; " in shown.stdout
    assert "left today" in shown.stdout


def test_what_is_to_be_finished_is_finished_and_what_waits_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[str] = []

    def call() -> None:
        with to_its_end():
            interruption._heard(2, None)
            went.append("the call")
            with to_its_end():
                went.append("what belongs to it")

    def wait() -> None:
        with to_its_end(), at_once():
            interruption._heard(2, None)
            went.append("more waiting")

    for work, done in ((call, ["the call", "what belongs to it"]), (wait, [])):
        monkeypatch.setattr(interruption, "_state", interruption._State())
        went.clear()
        with pytest.raises(ToldToEnd):
            work()
        assert went == done
