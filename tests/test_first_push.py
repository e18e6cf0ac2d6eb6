"""The first push says what it is about to send and asks a person at a terminal, who sees the question; nobody else is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bookkeeping import killed_at
from clinics import CASH, EFTPOS, client, invoice, line, payment
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
  Account for invoice lines: 200 Sales
  Account for payments: 090 Business Bank Account
  Account for Cash payments: 855 Card and HICAPS Clearing
"""


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def nothing_was_sent(clinic: Clinic) -> None:
    """Xero was not even asked; the invoices are pending, and no push has taken place."""
    assert clinic.calls() == []
    assert {row["code"] for row in clinic.unsynced()} == {"not-pushed-yet"}
    statuses = {number: row["sync_status"] for number, row in clinic.listed().items()}
    assert [statuses[f"INV-000{n}"] for n in (1, 2, 3)] == ["pending"] * 3
    status = clinic.cli("status", "--json", "--max-age", "1d")
    assert (status.exit_code, status.json["last_push"]) == (1, None)


# --- at a terminal


@pytest.mark.parametrize("columns", [80, 120])
def test_a_person_sees_what_goes_where_before_they_are_asked(new: Clinic, screen: Screen, columns: int) -> None:
    shown = screen("push", typing=[(QUESTION, "n\n")], columns=columns)
    assert shown.exit_code == 0
    before = shown.stdout[shown.stdout.index("First push") : shown.stdout.index(QUESTION)]
    assert in_one_line(SAID) in in_one_line(before)
    assert max(map(len, before.splitlines())) <= columns
    assert (SAID in before) == (columns == 120)


@pytest.mark.parametrize("command", ["push", "sync"])
@pytest.mark.parametrize("answer", ["\n", "n\n", "No\n", "perhaps\n\n"])
def test_without_a_yes_nothing_is_sent(new: Clinic, screen: Screen, command: str, answer: str) -> None:
    shown = screen(command, typing=[(QUESTION, answer)])
    assert shown.exit_code == 0
    said = shown.stdout[shown.stdout.index(QUESTION) :]
    assert "Nothing was sent to Xero; the invoices stay pending." in said
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
    new.cli("settings", "set", "--payments", "off")
    new.sql("DELETE FROM account_links WHERE purpose = 'sales'")
    asked = screen("push", typing=[(QUESTION, "n\n")])
    assert asked.exit_code == 0
    shown = in_one_line(asked.stdout)
    assert "5 invoices, 3,300.00 AUD and 330.00 NZD in all" in shown
    assert "Account for invoice lines: not chosen Payments stay out of Xero: a bank feed brings them" in shown
    assert "Account for payments" not in shown


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


def test_no_contact_is_changed_before_the_answer(new: Clinic, screen: Screen) -> None:
    assert new.push("--max-writes", "1").json["contacts_created"] == 1
    new.takes(client("1048237", "Nelly"))
    new.forget_calls()
    assert screen("push", typing=[(QUESTION, "n\n")]).exit_code == 0
    assert new.calls() == []


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
    assert "10%" in before
    assert "77%" in after
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
