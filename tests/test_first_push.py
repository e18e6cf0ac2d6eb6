"""The first push says what it is about to send and asks a person at a terminal, who sees the question; nobody else is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import killed_at
from clinics import CASH, EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic

QUESTION = "Send them? [y/N]"
Screen = Callable[..., Any]


@pytest.fixture
def new(ready: Clinic) -> Clinic:
    """Three invoices of 1,100.00 with a payment, a draft and a void one; nothing is in Xero yet, and cash has its own account."""
    ready.takes(
        EFTPOS,
        CASH,
        client("1048237"),
        *(invoice(f"INV-{n:04d}", [line("1000.00")], issue_date=f"2026-11-0{n}") for n in (3, 1, 2)),
        invoice("INV-0008", status="draft", issue_date="2026-01-01"),
        invoice("INV-0009", status="void", issue_date="2026-01-01"),
        payment("100.00", ("inv_INV-0001", "100.00")),
    )
    ready.cli("settings", "set", "--payment-method", "Cash=855")
    ready.forget_calls()
    return ready


SAID = """\
First push to Demo Company (AU): 3 invoices, 3,300.00 AUD in all, the oldest of 2026-11-01.
  Payments to create: 1, 100.00 AUD
  Contacts to create: 1
  Account for invoice lines: 200 Sales
  Account for payments: 090 Business Bank Account
  Account for Cash payments: 855 Card and HICAPS Clearing
"""


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def nothing_was_sent(clinic: Clinic) -> None:
    """Nothing was written; the invoices are pending, and the push that sent nothing is told as that, and is no good one."""
    assert clinic.writes() == []
    assert {row["code"] for row in clinic.unsynced()} == {"not-pushed-yet"}
    statuses = {number: row["sync_status"] for number, row in clinic.listed().items()}
    assert [statuses[f"INV-000{n}"] for n in (1, 2, 3)] == ["pending"] * 3
    status = clinic.cli("status", "--json", "--max-age", "1d")
    assert (status.exit_code, status.json["last_good_push"]) == (1, None)
    assert status.json["last_push"]["ended"] in {"stopped", "interrupted"}
    assert status.json["last_push"]["error"]["code"] in {"declined", "interrupted"}


# --- at a terminal


@pytest.mark.parametrize("columns", [80, 120])
def test_a_person_sees_what_goes_where_before_they_are_asked(new: Clinic, screen: Screen, columns: int) -> None:
    shown = screen("push", typing=[(QUESTION, "n\n")], columns=columns)
    assert shown.exit_code == 0
    before = shown.stdout[shown.stdout.index("First push") : shown.stdout.index(QUESTION)]
    assert in_one_line(SAID) in in_one_line(before)
    assert max(map(len, before.splitlines())) <= columns
    assert (SAID in before) == (columns == 120)


def test_what_stands_on_the_screen_is_the_question_with_its_figures_and_no_bar(new: Clinic, screen: Screen) -> None:
    shown = screen("push", typing=[(QUESTION, "n\n")], columns=120)
    marking, _, screen_below = shown.screen.strip().partition("\n")
    assert marking.startswith("[Demo Company (AU): local Xero at ")
    assert screen_below == (
        f"{SAID}See all of it first:  caspen-xero push --dry-run\n"
        f"{QUESTION} n\n"
        "Nothing was sent to Xero; the invoices stay pending.\n"
        "To send them:            caspen-xero push\n"
        "To leave out older ones: caspen-xero settings set --start-date YYYY-MM-DD\n"
        "A run without a terminal, as from cron, does not ask: the next one sends them."
    )


@pytest.mark.parametrize("command", ["push", "sync"])
@pytest.mark.parametrize("answer", ["\n", "n\n", "No\n", "perhaps\n\n"])
def test_without_a_yes_nothing_is_sent(new: Clinic, screen: Screen, command: str, answer: str) -> None:
    shown = screen(command, typing=[(QUESTION, answer)])
    assert shown.exit_code == 0
    said = shown.stdout[shown.stdout.index(QUESTION) :]
    assert "Nothing was sent to Xero; the invoices stay pending." in said
    assert ("What was pulled is kept." in said) == (command == "sync")
    assert "caspen-xero push\n" in said
    assert "caspen-xero settings set --start-date YYYY-MM-DD\n" in said
    assert "synced" not in said
    nothing_was_sent(new)


@pytest.mark.parametrize("command", ["push", "sync"])
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_whoever_leaves_at_the_question_sends_nothing(new: Clinic, screen: Screen, command: str, key: str) -> None:
    shown = screen(command, typing=[(QUESTION, key)])
    assert shown.exit_code == 130
    assert "\nError: Interrupted." in shown.stdout
    nothing_was_sent(new)


@pytest.mark.parametrize("command", ["push", "sync"])
@pytest.mark.parametrize("answer", ["y\n", "YES\n", "perhaps\ny\n"])
def test_with_a_yes_all_is_sent_and_never_asked_again(new: Clinic, screen: Screen, command: str, answer: str) -> None:
    shown = screen(command, typing=[(QUESTION, answer)])
    assert shown.exit_code == 0
    assert "invoices synced" in shown.stdout
    assert set(new.in_xero()) == {"INV-0001", "INV-0002", "INV-0003"}
    assert len(new.state("Payments")) == 1
    new.takes(invoice("INV-0004"))
    again = screen(command)
    assert again.exit_code == 0
    assert "First push" not in again.stdout
    assert "INV-0004" in new.in_xero()


def test_who_names_invoices_is_asked_for_these(new: Clinic, screen: Screen) -> None:
    shown = screen("push", "INV-0002", "INV-0008", typing=[(QUESTION, "y\n")])
    assert shown.exit_code == 0
    assert "1 invoice, 1,100.00 AUD in all, the oldest of 2026-11-02." in in_one_line(shown.stdout)
    assert set(new.in_xero()) == {"INV-0002"}


def test_where_nothing_would_be_sent_nothing_is_asked(new: Clinic, screen: Screen) -> None:
    new.cli("settings", "set", "--start-date", "2027-01-01")
    for arguments in (("push",), ("push", "INV-0008"), ("sync",), ("push", "--dry-run")):
        shown = screen(*arguments)
        assert (shown.exit_code, "First push" in shown.stdout) == (0, False)


def test_a_dry_run_is_not_asked(new: Clinic, screen: Screen) -> None:
    shown = screen("push", "--dry-run")
    assert (shown.exit_code, QUESTION in shown.stdout) == (0, False)


def test_where_payments_and_accounts_are_otherwise_that_is_said(new: Clinic, screen: Screen) -> None:
    new.takes(invoice("INV-0005", currency="NZD"), invoice("INV-0006", currency="NZD"))
    in_xero.writes(new, "PUT", "Currencies", {"Code": "NZD"})
    new.cli("settings", "set", "--payments", "off")
    asked = screen("push", typing=[(QUESTION, "n\n")])
    assert asked.exit_code == 0
    shown = in_one_line(asked.stdout)
    assert "5 invoices, 3,300.00 AUD and 330.00 NZD in all" in shown
    assert "Account for invoice lines: 200 Sales Payments stay out of Xero: a bank feed brings them" in shown
    assert "Account for payments" not in shown
    assert "Payments to create" not in shown


def test_that_they_go_as_drafts_is_said(new: Clinic, screen: Screen) -> None:
    new.cli("settings", "set", "--invoice-status", "draft")
    shown = screen("push", typing=[(QUESTION, "n\n")], columns=120)
    assert "\n  They go as drafts, and a person approves them in Xero (--invoice-status draft)\n" in shown.screen
    assert "Drafts to create " in new.cli("push", "--dry-run").stdout


def test_an_account_that_waits_for_its_payment_method_is_said_too(ready: Clinic, screen: Screen) -> None:
    assert "waits for one called Gift card" in ready.cli("settings", "set", "--payment-method", "Gift card=880").stderr
    ready.takes(client("1048237"), invoice())
    shown = screen("push", typing=[(QUESTION, "n\n")])
    assert shown.exit_code == 0
    assert "  Account for Gift card payments: 880 " in shown.stdout


def test_after_a_no_sync_ends_as_its_pull_does(new: Clinic, screen: Screen, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "invoices.json").write_text(json.dumps([{"object": "client", "id": None}]))
    new.cli("settings", "set", "--source", export)
    new.forget_calls()
    assert screen("sync", typing=[(QUESTION, "n\n")]).exit_code == 3
    nothing_was_sent(new)


def test_a_no_is_told_as_the_reason_until_a_push_is_agreed_to(new: Clinic, screen: Screen) -> None:
    def reasons() -> set[str]:
        return {row["reason"] for row in new.unsynced()}

    assert reasons() == {"no push has sent it yet"}
    assert screen("push", typing=[(QUESTION, "\x03")]).exit_code == 130
    assert reasons() == {"no push has sent it yet"}
    assert screen("push", typing=[(QUESTION, "n\n")]).exit_code == 0
    (reason,) = reasons()
    assert re.fullmatch(r"no push has sent it yet; the first one was declined on \d{4}-\d\d-\d\d \d\d:\d\d \S+", reason)
    assert screen("push", "INV-0001", typing=[(QUESTION, "y\n")]).exit_code == 0
    assert reasons() == {reason}
    assert screen("push", "--max-writes", "1", typing=[(QUESTION, "y\n")]).exit_code == 3
    assert reasons() == {"no push has sent it yet"}


def test_after_a_no_the_exit_code_is_0_whatever_else_is_wrong(new: Clinic, screen: Screen, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps([{**invoice("INV-0007"), "total": "much"}]))
    new.cli("settings", "set", "--source", bad)
    assert screen("push", typing=[(QUESTION, "n\n")]).exit_code == 0
    assert new.in_xero() == {}


def test_no_contact_is_changed_before_the_answer(new: Clinic, screen: Screen) -> None:
    assert new.push("--max-writes", "1").json["contacts_created"] == 1
    new.takes(client("1048237", "Nelly"))
    new.forget_calls()
    assert screen("push", typing=[(QUESTION, "n\n")]).exit_code == 0
    assert new.writes() == []


def test_a_first_push_that_was_killed_is_finished_and_not_asked_for_again(new: Clinic, screen: Screen) -> None:
    with killed_at(new, 4, "after", "push") as was_killed:  # when Xero has made the invoices, before it can say so
        assert was_killed()
    assert len(new.in_xero()) == 3
    assert {row["sync_status"] for number, row in new.listed().items() if number < "INV-0008"} == {"pending"}
    shown = screen("push")
    assert shown.exit_code == 0
    assert QUESTION not in shown.stdout
    assert len(new.in_xero()) == 3
    assert new.unsynced() == []


def test_of_a_first_push_that_was_killed_before_any_invoice_only_the_rest_is_asked_for(
    new: Clinic, screen: Screen
) -> None:
    with killed_at(new, 3, "after", "push") as was_killed:  # when Xero has made the contact
        assert was_killed()
    assert screen("push", typing=[(QUESTION, "n\n")]).exit_code == 0
    assert new.in_xero() == {}
    assert new.sql("SELECT * FROM journal WHERE state = 'sent'") == []
    assert screen("push", typing=[(QUESTION, "y\n")]).exit_code == 0
    assert len(new.in_xero()) == 3
    assert len(new.contacts()) == 1


# --- where nobody is asked


@pytest.mark.parametrize(
    ("arguments", "shell"),
    [
        (("push", "--yes"), ""),
        (("sync", "--yes"), ""),
        (("push", "-y"), ""),
        (("push", "--quiet"), ""),
        (("push", "--json"), ""),
        (("sync", "--json"), ""),
        (("push",), "< /dev/null"),
        (("sync",), "< /dev/null"),
        (("push",), "> /dev/null 2>&1"),
    ],
)
def test_who_has_said_yes_or_is_no_person_at_a_terminal_is_not_asked(
    new: Clinic, screen: Screen, arguments: tuple[str, ...], shell: str
) -> None:
    shown = screen(*arguments, shell=shell)
    assert shown.exit_code == 0
    assert QUESTION not in shown.stdout
    assert len(new.in_xero()) == 3


@pytest.mark.parametrize("command", [("push",), ("sync",), ("push", "--json")])
def test_without_a_terminal_what_is_sent_is_said_beside_the_result(new: Clinic, command: tuple[str, ...]) -> None:
    done = new.cli(*command)
    assert done.exit_code == 0
    assert SAID in done.stderr
    assert len(new.in_xero()) == 3


def test_cron_hears_nothing_of_it(new: Clinic) -> None:
    done = new.cli("sync", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert len(new.in_xero()) == 3


# --- where the question is seen


@pytest.mark.parametrize("shell", ["| cat", "> {file}", "2> {file}"])
@pytest.mark.parametrize(("answer", "sent"), [("n\n", 0), ("y\n", 3)])
def test_a_person_whose_result_goes_elsewhere_is_asked_where_they_see_it(
    new: Clinic, screen: Screen, tmp_path: Path, shell: str, answer: str, sent: int
) -> None:
    file = tmp_path / "said"
    shown = screen("push", typing=[(QUESTION, answer)], shell=shell.format(file=file))
    assert shown.exit_code == 0
    assert in_one_line(SAID) in in_one_line(shown.stdout)
    assert len(new.in_xero()) == sent
    if file.exists():
        assert QUESTION not in file.read_text()


@pytest.mark.parametrize(
    ("asks", "words", "keys", "answer"),
    [
        ("confirm(output, 'Go?')", "Go? [y/N]", "y\n", "True"),
        ("pick(output, 'Which?', ['one', 'two'])", "Number (Enter: skip):", "2\n", "1"),
        ("ask(output, 'Where to')", "Where to:", "home\n", "'home'"),
        ("ask_secret(output, 'Key')", "Key:", "hush\n", "'hush'"),
    ],
)
def test_no_progress_bar_paints_over_a_question_and_it_goes_on_afterwards(
    screen: Screen, asks: str, words: str, keys: str, answer: str
) -> None:
    program = (
        "import time\n"
        "from caspen_xero.cli.menu import *\n"
        "output = Output()\n"
        "with output.progress('Working', 100) as progress:\n"
        "    progress(10)\n"
        "    time.sleep(0.3)\n"
        f"    answer = {asks}\n"
        "    progress(77)\n"
        "    time.sleep(0.3)\n"
        "print(f'\\nThe answer: {answer!r}')\n"
    )
    shown = screen(program=program, typing=[(words, keys)])
    assert shown.exit_code == 0
    before, _, after = shown.stdout.partition(words)
    assert "10 of 100" in before
    assert "77 of 100" in after
    assert f"The answer: {answer}" in after


def test_the_demo_runs_to_its_end_unasked(screen: Screen) -> None:
    shown = screen("demo", columns=120)
    assert shown.exit_code == 0, shown.stdout
    assert QUESTION not in shown.stdout
    assert "Nothing is unsynced" in shown.stdout


# --- invoices that were named, or linked by hand, before


def test_whoever_has_pushed_one_by_name_is_asked_before_all_the_others(new: Clinic, screen: Screen) -> None:
    assert screen("push", "INV-0002", typing=[(QUESTION, "y\n")]).exit_code == 0
    named = screen("push", "INV-0001")
    assert (named.exit_code, QUESTION in named.stdout) == (0, False)
    shown = screen("push", typing=[(QUESTION, "n\n")])
    assert shown.exit_code == 0
    assert "First push of all that is due to Demo Company (AU): 1 invoice," in in_one_line(shown.stdout)
    assert set(new.in_xero()) == {"INV-0001", "INV-0002"}
    assert screen("push", typing=[(QUESTION, "y\n")]).exit_code == 0
    new.takes(invoice("INV-0004"))
    later = screen("push")
    assert (later.exit_code, QUESTION in later.stdout) == (0, False)
    assert "INV-0004" in new.in_xero()


def test_an_invoice_linked_by_hand_is_no_push(new: Clinic, screen: Screen) -> None:
    assert screen("push", "INV-0002", typing=[(QUESTION, "y\n")]).exit_code == 0
    there = new.in_xero()["INV-0002"]["InvoiceID"]
    new.sql("DELETE FROM links")
    assert new.cli("invoices", "link", "INV-0002", there).exit_code == 0
    shown = screen("push", typing=[(QUESTION, "n\n")])
    assert shown.exit_code == 0
    assert "First push to Demo Company (AU): " in in_one_line(shown.stdout)
    assert set(new.in_xero()) == {"INV-0002"}


# --- what is announced is what is sent

LEVY = {"object": "tax_rate", "id": "tax_levy", "name": "Levy", "rate": "0", "archived": False}
UNLINKED = invoice("INV-0005", [line("150.00", rate="tax_levy")], issue_date="2026-10-01")


def test_what_cannot_be_sent_is_told_beside_the_figures_and_keeps_its_problem_after_a_no(
    new: Clinic, screen: Screen
) -> None:
    new.takes(LEVY, UNLINKED, payment("50.00", ("inv_INV-0005", "50.00"), id_="pay_5"), credit_note())
    planned = new.push("--dry-run").json["summary"]
    shown = in_one_line(screen("push", typing=[(QUESTION, "n\n")]).stdout)
    assert planned["kinds"]["create-invoice"]["sums"] == {"AUD": "3300.00"}
    assert "3 invoices, 3,300.00 AUD in all, the oldest of 2026-11-01. Payments to create: 1, 100.00 AUD" in shown
    assert "Credit notes to create: 1, 44.00 AUD Allocations to make: 1, 44.00 AUD" in shown
    assert "Stay out: 1 invoice, 150.00 AUD" in shown
    assert new.in_xero() == {}
    codes = {row["number"]: row["code"] for row in new.unsynced()}
    assert codes == {f"INV-000{n}": "not-pushed-yet" for n in (1, 2, 3)} | {"INV-0005": "tax-rate-not-linked"}
    assert screen("push", typing=[(QUESTION, "y\n")]).exit_code == 3
    assert set(new.in_xero()) == {"INV-0001", "INV-0002", "INV-0003"}


def test_a_bad_record_stays_out_with_the_figures_of_the_dry_run(new: Clinic, screen: Screen, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps([{**invoice("INV-0007", [line("100.00")]), "issue_date": "2026-11-31"}]))
    new.cli("settings", "set", "--source", bad)
    new.takes(LEVY, UNLINKED)
    planned = new.push("--dry-run").json["summary"]["invoices_kept_back"]["problem"]
    assert (planned["number"], planned["sums"]) == (2, {"AUD": "260.00"})
    assert "Stay out: 2 invoices, 260.00 AUD" in in_one_line(screen("push", typing=[(QUESTION, "n\n")]).stdout)


@pytest.mark.parametrize("together", [1, 2])
def test_what_is_planned_in_parts_is_announced_as_a_whole(
    new: Clinic, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("caspen_xero.sync.sending.push.SLICE", together)
    done = new.cli("push")
    assert (done.exit_code, SAID in done.stderr) == (0, True)
    assert len(new.in_xero()) == 3
    assert len(new.contacts()) == 1


def test_the_question_costs_no_call(new: Clinic, screen: Screen) -> None:
    new.takes(LEVY, UNLINKED)
    assert new.cli("invoices", "skip", "INV-0003").exit_code == 0
    assert screen("push", typing=[(QUESTION, "y\n")]).exit_code == 3
    asked = new.calls()
    assert len(asked) == len(set(asked))
    assert sum(call.startswith("GET Contacts") for call in asked) == 1


@pytest.mark.parametrize("command", ["push", "sync"])
def test_where_nothing_can_be_sent_nobody_is_asked_and_the_reason_is_said(
    ready: Clinic, screen: Screen, command: str
) -> None:
    ready.takes(LEVY, client("1048237"), UNLINKED)
    for _ in range(2):
        shown = screen(command)
        assert shown.exit_code == 5
        assert "First push" not in shown.stdout
        assert "1 invoice is unsynced: caspen-xero unsynced" in in_one_line(shown.stdout)
        assert ready.problem("INV-0005")["code"] == "tax-rate-not-linked"
    ready.takes(invoice("INV-0006"))
    shown = screen(command, typing=[(QUESTION, "y\n")])
    assert "First push to Demo Company (AU): 1 invoice, 165.00 AUD in all" in in_one_line(shown.stdout)
    assert set(ready.in_xero()) == {"INV-0006"}


def test_without_a_sales_account_nobody_is_asked(new: Clinic, screen: Screen) -> None:
    new.sql("DELETE FROM account_links WHERE purpose = 'sales'")
    shown = screen("push")
    assert (shown.exit_code, "First push" in shown.stdout) == (5, False)


def linked_by_hand(clinic: Clinic) -> None:
    """The one invoice of a clinic is in Xero already, and was linked there by a person."""
    clinic.takes(EFTPOS, client("1048237"), invoice())
    assert clinic.push().exit_code == 0
    there = clinic.in_xero()["INV-0001"]["InvoiceID"]
    clinic.sql("DELETE FROM links")
    clinic.sql("DELETE FROM settings WHERE key = 'begun'")
    assert clinic.cli("invoices", "link", "INV-0001", there).exit_code == 0


def test_what_is_only_linked_by_hand_is_not_announced(ready: Clinic) -> None:
    linked_by_hand(ready)
    for _ in range(2):
        done = ready.cli("push")
        assert (done.exit_code, "First push" in done.stderr) == (0, False)


def test_a_payment_on_what_was_linked_by_hand_is_announced_as_that_and_once(ready: Clinic) -> None:
    linked_by_hand(ready)
    ready.takes(payment("50.00", ("inv_INV-0001", "50.00")))
    done = ready.cli("push")
    assert "First push to Demo Company (AU): no new invoice.\n  Payments to create: 1, 50.00 AUD\n" in done.stderr
    ready.takes(payment("60.00", ("inv_INV-0001", "60.00"), id_="pay_2"))
    assert "First push" not in ready.cli("push").stderr
    assert sum(one["Amount"] for one in ready.state("Payments")) == 110


def test_a_push_that_may_write_only_some_says_so_and_one_that_may_write_nothing_does_not_ask(
    new: Clinic, screen: Screen
) -> None:
    none = screen("push", "--max-writes", "0")
    assert (none.exit_code, "First push" in none.stdout) == (3, False)
    some = screen("push", "--max-writes", "2", typing=[(QUESTION, "n\n")])
    assert "No more than 2 of these documents are written (--max-writes 2)" in in_one_line(some.stdout)


def test_what_was_merely_not_reached_could_have_been_sent(new: Clinic) -> None:
    new.takes(LEVY, UNLINKED)
    assert new.cli("push", "--dry-run").exit_code == 3
    assert new.cli("push", "--max-writes", "0").exit_code == 3
    assert new.cli("push", "INV-0005").exit_code == 5
