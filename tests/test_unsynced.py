"""`unsynced`: each reason has a stable code, words, and a command that, pasted into a shell, brings the invoice to Xero."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import TAX_RATES, client, invoice, line, payment
from conftest import clean_environment, command_line
from pushing import Clinic, same_figures

FIELDS = {
    "number",
    "invoice_id",
    "client",
    "total",
    "currency",
    "code",
    "reason",
    "fix",
    "xero_says",
    "attempts",
    "first_failed_at",
    "last_tried_at",
}
LISTED = {
    "number",
    "invoice_id",
    "client",
    "caspen_status",
    "sync_status",
    "xero_invoice_id",
    "xero_status",
    "xero_url",
    "total",
    "amount_paid",
    "amount_credited",
    "amount_due",
    "currency",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def fixed_by_its_command(clinic: Clinic, number: str = "INV-0001", which: int = 0) -> None:
    """Pastes the command of the invoice's row (`which` of them); it is in Xero after it, or after one more push."""
    assert clinic.run(clinic.problem(number)["fix"], which).exit_code == 0
    assert clinic.push().exit_code == 0
    assert clinic.unsynced() == []
    assert clinic.listed()[number]["sync_status"] == "synced"


def fixed_by_an_answer(clinic: Clinic, answer: str) -> None:
    """Pastes the command of the invoice's row, which asks, and that of the answer; the next push brings the invoice to Xero."""
    assert clinic.chooses(clinic.problem(), answer).exit_code == 0
    assert [(row["code"], row["fix"]) for row in clinic.unsynced()] == [("not-pushed-yet", "caspen-xero push")]
    assert clinic.run("caspen-xero push").exit_code == 0
    assert clinic.unsynced() == []


def waits_without_calls(clinic: Clinic) -> None:
    """Another plain push has nothing to ask Xero: nothing has changed."""
    before = clinic.unsynced()
    clinic.forget_calls()
    assert clinic.push().exit_code in {3, 5}
    assert clinic.calls() == []
    assert [row["code"] for row in clinic.unsynced()] == [row["code"] for row in before]


# --- what can be known before a call


def test_an_unlinked_tax_rate(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(rate="tax_free")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.push()
    row = clinic.problem()
    assert row["code"] == "tax-rate-not-linked"
    assert "GST free" in row["reason"]
    waits_without_calls(clinic)
    fixed_by_an_answer(clinic, "GST Free Income")


def test_a_line_without_a_rate_in_a_taxed_invoice(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(), line("5.00", rate=None)]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.push()
    assert clinic.problem()["code"] == "tax-rate-not-linked"
    fixed_by_an_answer(clinic, "BAS Excluded")
    assert [item["TaxType"] for item in clinic.in_xero()["INV-0001"]["LineItems"]] == ["OUTPUT", "BASEXCLUDED"]


def test_two_unlinked_rates_are_two_rows_with_a_command_each(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(rate="tax_free"), line(rate=None)]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.push()
    rows = clinic.unsynced()
    assert [row["code"] for row in rows] == ["tax-rate-not-linked"] * 2
    for row in rows:
        assert clinic.chooses(row).exit_code == 0
    assert clinic.push().exit_code == 0


def test_a_rate_whose_name_a_shell_would_read(clinic: Clinic, tmp_path: Path) -> None:
    odd = {"object": "tax_rate", "id": "tax_odd", "name": "O'Hara's $(rate) & \"co\"", "rate": "0"}
    clinic.takes(odd, client("1048237"), invoice("INV-0001", [line(rate="tax_odd")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.push()
    program = tmp_path / "caspen-xero"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command_line())} "$@"\n')
    program.chmod(0o755)
    ours = {"CASPEN_XERO_HOME": str(clinic.home), "XERO_URL": clinic.sandbox.url}
    pasted = subprocess.run(
        ["sh", "-c", clinic.problem()["choices"][0]["command"]],
        env=clean_environment(**ours, PATH=f"{tmp_path}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert pasted.returncode == 0, pasted.stderr
    assert clinic.push().exit_code == 0


def test_two_rates_of_one_name_are_told_apart_by_their_ids(clinic: Clinic) -> None:
    twins = [{"object": "tax_rate", "id": f"tax_{n}", "name": "Free", "rate": "0"} for n in (1, 2)]
    clinic.takes(*twins, client("1048237"), invoice("INV-0001", [line(rate="tax_2")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.push()
    fixed_by_an_answer(clinic, "GST Free Income")


def test_no_account_for_invoice_lines(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"))
    assert clinic.push().exit_code == 5
    assert clinic.problem()["code"] == "sales-account-missing"
    waits_without_calls(clinic)
    fixed_by_an_answer(clinic, "200 Sales")


def test_an_account_that_was_archived_in_xero_since(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.control("accounts/200/archive")
    assert ready.push().exit_code == 3
    ready.push("--refresh")
    row = ready.problem()
    assert row["code"] in {"sales-account-unfit", "sales-account-missing"}
    assert "200" in row["reason"]
    fixed_by_an_answer(ready, "260 Other Revenue")


def test_a_locked_period(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.control("organisation", PeriodLockDate="2026-11-30")
    assert ready.push("--refresh").exit_code == 3
    row = ready.problem()
    assert row["code"] == "period-locked"
    assert "2026-11-30" in row["reason"]
    assert "period lock date, currently set at 30-Nov-2026" in row["xero_says"]
    assert ready.writes() == ["PUT Contacts", "PUT Invoices"]  # only Xero knows whether it binds whoever connected
    waits_without_calls(ready)
    ready.control("organisation", PeriodLockDate="2026-10-31")
    fixed_by_its_command(ready)


def test_a_period_that_was_locked_since_xero_was_last_read(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.control("organisation", PeriodLockDate="2026-11-30")
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "period-locked"
    waits_without_calls(ready)
    ready.control("organisation", PeriodLockDate="2026-10-31")
    ready.push("--refresh")
    assert ready.unsynced() == []


def test_totals_that_contradict_themselves(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", subtotal="99.00", tax="9.90", total="108.90"))
    assert ready.push().exit_code == 3
    row = ready.problem()
    assert row["code"] == "totals-differ"
    assert "150.00" in row["reason"]
    assert "its total less its tax is 99.00 (108.90 - 9.90)" in row["reason"]
    assert ready.writes() == []
    ready.takes(invoice("INV-0001", updated_at="2026-11-03T00:00:00Z"))  # corrected in Caspen
    assert ready.push().exit_code == 0


def test_totals_that_xero_shows_otherwise_are_mended_by_id_or_told_but_never_approved(ready: Clinic) -> None:
    ready.control("organisation", KeepsTaxAmount=False)
    record = invoice("INV-0001", [line("0.24")] * 10, subtotal="2.40", tax="0.24", total="2.64")
    ready.takes(client("1048237"), record)
    assert ready.push().exit_code == 3
    row = ready.problem()
    assert row["code"] == "totals-differ"
    assert "0.24" in row["reason"]
    assert "0.20" in row["reason"]
    assert ready.in_xero()["INV-0001"]["Status"] == "DRAFT"
    waits_without_calls(ready)
    ready.control("organisation", KeepsTaxAmount=True)
    fixed_by_its_command(ready, which=-2)
    there = ready.in_xero()["INV-0001"]
    assert same_figures(record, there)
    assert there["Status"] == "AUTHORISED"


# --- what Xero says


def test_a_number_that_another_invoice_has(ready: Clinic) -> None:
    someone = ready.put_in_xero("Contacts", Name="Someone else")
    theirs = ready.put_in_xero(
        "Invoices",
        Type="ACCREC",
        InvoiceNumber="INV-0001",
        Contact={"ContactID": someone["ContactID"]},
        Date="2026-11-01",
        DueDate="2026-11-01",
        LineItems=[{"Description": "Rent", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}],
    )
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 3
    row = ready.problem()
    assert row["code"] == "invoice-number-taken"
    assert "Someone else" in row["reason"]
    assert "165.00" in row["reason"]
    waits_without_calls(ready)
    assert ready.in_xero()["INV-0001"]["Contact"]["Name"] == "Someone else"
    assert "invoices link" not in row["fix"]
    assert ready.cli("invoices", "link", "--force", "INV-0001", theirs["InvoiceID"]).exit_code == 0
    ready.push()  # a person says that it is this one: it is looked at, but stays as it is
    there = ready.in_xero()["INV-0001"]
    assert (there["Contact"]["Name"], there["Total"]) == ("Someone else", Decimal(f"{theirs['Total']}"))
    assert ready.unsynced()


def test_two_invoices_of_one_number_are_never_one(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", id="inv_a"), invoice("INV-0001", id="inv_b"))
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"], pushed.json["unsynced"]) == (3, 1, 1)
    assert ready.problem()["code"] == "invoice-number-taken"
    assert len(ready.in_xero()) == 1


def test_the_approvals_of_a_small_plan_are_used_up_and_the_rest_waits(ready: Clinic) -> None:
    ready.control("organisation", ApprovalLimit=2)
    ready.takes(client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 6)))
    assert ready.push().exit_code == 3
    assert "approval-limit" in {row["code"] for row in ready.unsynced()}
    assert len(ready.in_xero()) == 2
    ready.control("organisation", ApprovalLimit=100)
    fix = next(row["fix"] for row in ready.unsynced() if row["code"] == "approval-limit")
    assert ready.run(fix).exit_code in {0, 3}
    assert ready.push().exit_code == 0
    assert len(ready.in_xero()) == 5


def test_the_same_invoice_already_in_xero_is_taken_as_it_is(ready: Clinic) -> None:
    record = invoice("INV-0001")
    ready.takes(client("1048237"), record)
    ready.push()
    before = ready.in_xero()["INV-0001"]
    ready.sql("DELETE FROM links WHERE kind = 'invoice'")  # a store that was lost and made anew
    ready.sql("DELETE FROM journal_documents")
    ready.sql("DELETE FROM journal")
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, 1)
    assert ready.in_xero()["INV-0001"]["InvoiceID"] == before["InvoiceID"]
    assert ready.in_xero()["INV-0001"]["UpdatedDateUTC"] == before["UpdatedDateUTC"]


@pytest.mark.parametrize("number", [None, "1048237"])
def test_an_archived_contact_that_only_a_person_can_restore(ready: Clinic, number: str | None) -> None:
    more = {"ContactNumber": number} if number else {}
    theirs = ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)", **more)
    ready.control(f"contacts/{theirs['ContactID']}/archive")
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002"))
    assert ready.push().exit_code == 3
    for invoice_number in ("INV-0001", "INV-0002"):
        row = ready.problem(invoice_number)
        assert row["code"] == "contact-archived"
        assert theirs["ContactID"] in row["reason"]
        assert invoice_number in row["fix"]
    assert ready.writes() == []
    waits_without_calls(ready)
    ready.control(f"contacts/{theirs['ContactID']}/restore")
    fixed_by_its_command(ready)
    assert len(ready.contacts()) == 1


def test_a_contact_archived_after_it_was_linked(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.push()
    (contact,) = ready.contacts().values()
    ready.control(f"contacts/{contact['ContactID']}/archive")
    ready.takes(invoice("INV-0002"))
    assert ready.push().exit_code == 3
    assert ready.problem("INV-0002")["code"] == "contact-archived"
    waits_without_calls(ready)
    ready.control(f"contacts/{contact['ContactID']}/restore")
    fixed_by_its_command(ready, "INV-0002")


def test_a_refusal_in_words_that_nobody_foresaw_is_told_as_xero_says_it(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", currency="EUR"), invoice("INV-0002"))
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (3, 1)
    row = ready.problem()
    assert row["code"] in {"currency-not-enabled", "xero-refused"}
    assert "EUR" in row["reason"]


def test_one_refused_invoice_does_not_keep_the_others_back(ready: Clinic) -> None:
    long_url = "https://example.org/" + "x" * 5_000
    ready.takes(
        client("1048237"),
        invoice(
            "INV-0001", [line(quantity="1", price="99999999999.00", rate="tax_free")]
        ),  # beyond Xero's largest line
        invoice("INV-0002"),
        invoice("INV-0003", url=long_url),
    )
    pushed = ready.push()
    assert pushed.exit_code == 3
    row = ready.problem()
    assert row["code"] == "xero-refused"
    assert row["xero_says"]
    assert row["xero_says"] in row["reason"]
    assert "INV-0002" in ready.in_xero()
    waits_without_calls(ready)


def test_tries_are_counted_and_the_first_time_is_kept(ready: Clinic) -> None:
    huge = invoice("INV-0001", [line("99999999999.00", rate="tax_free")])
    ready.takes(client("1048237"), huge)
    ready.push()
    first = ready.problem()
    ready.forget_calls()
    ready.push("INV-0001")  # by name: tried again at once
    again = ready.problem()
    assert ready.writes() == ["PUT Invoices"]
    assert (first["attempts"], again["attempts"]) == (1, 2)
    assert again["first_failed_at"] == first["first_failed_at"]
    assert again["last_tried_at"] > first["last_tried_at"]


def test_a_change_in_caspen_is_tried_at_once(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", [line("99999999999.00", rate="tax_free")]))
    ready.push()
    ready.takes(invoice("INV-0001", updated_at="2026-11-04T00:00:00Z"))
    assert ready.push().exit_code == 0


@pytest.mark.parametrize("status", ["void", "deleted", "draft"])
def test_what_is_void_in_caspen_is_unsynced_no_longer(ready: Clinic, status: str) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", subtotal="99.00", tax="9.90", total="108.90"))
    assert ready.push().exit_code == 3
    ready.takes(invoice("INV-0001", status=status, updated_at="2026-11-04T00:00:00Z"))
    assert ready.push().exit_code == 0
    assert ready.unsynced() == []
    assert ready.listed()["INV-0001"]["sync_status"] in {"void", "draft"}


def test_what_a_later_start_date_leaves_out_is_unsynced_no_longer(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", subtotal="99.00", tax="9.90", total="108.90"))
    assert ready.push().exit_code == 3
    ready.cli("settings", "set", "--start-date", "2026-12-01")
    assert ready.push().exit_code == 0
    assert ready.unsynced() == []


# --- how it is told


def test_nothing_unsynced_says_so(ready: Clinic) -> None:
    result = ready.cli("unsynced")
    assert result.exit_code == 0
    assert "Nothing is unsynced" in result.stdout
    assert ready.cli("unsynced", "--json").json == {"unsynced": []}


def test_the_rows_have_the_documented_shape(ready: Clinic) -> None:
    ready.takes(
        client("1048237"),
        invoice("INV-0001", subtotal="99.00", tax="9.90", total="108.90"),
        invoice("INV-0002"),
        invoice("INV-0003", status="draft"),
    )
    ready.push("INV-0001")
    refused, waiting = ready.unsynced()
    assert set(refused) >= FIELDS
    assert set(waiting) >= FIELDS
    assert (refused["number"], refused["invoice_id"], refused["client"]) == ("INV-0001", "inv_INV-0001", "Nell Okafor")
    assert (refused["total"], refused["currency"], refused["attempts"]) == ("108.90", "AUD", 1)
    assert TIME.fullmatch(refused["first_failed_at"])
    assert (waiting["number"], waiting["fix"]) == ("INV-0002", "caspen-xero push")


def test_invoices_list_has_the_documented_shape(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002", status="draft"))
    ready.push()
    rows = ready.listed()
    assert set(rows["INV-0001"]) >= LISTED
    synced, draft = rows["INV-0001"], rows["INV-0002"]
    there = ready.in_xero()["INV-0001"]
    assert (synced["xero_invoice_id"], synced["xero_status"]) == (there["InvoiceID"], "AUTHORISED")
    assert there["InvoiceID"] in synced["xero_url"]
    assert (synced["total"], synced["amount_paid"], synced["amount_due"]) == ("165.00", "0.00", "165.00")
    assert (draft["sync_status"], draft["xero_invoice_id"], draft["xero_url"]) == ("draft", None, None)
    assert [row["number"] for row in ready.cli("invoices", "list", "--status", "draft", "--json").json["invoices"]] == [
        "INV-0002"
    ]


def test_show_tells_one_invoice_with_its_problem_and_its_link(ready: Clinic) -> None:
    ready.takes(
        client("1048237"), invoice("INV-0001"), invoice("INV-0002", subtotal="99.00", tax="9.90", total="108.90")
    )
    ready.push()
    synced = ready.cli("invoices", "show", "INV-0001").stdout
    assert "Synced" in synced
    assert ready.in_xero()["INV-0001"]["InvoiceID"] in synced
    problem = ready.cli("invoices", "show", "INV-0002")
    assert "totals-differ" in problem.stdout
    assert ready.problem("INV-0002")["fix"] in problem.stdout
    assert ready.cli("invoices", "show", "INV-9999").exit_code == 1


HOSTILE = ["[red]Nell[/red]", "\x1b[31mNell", "Nell\nINV-9999", "N\u202eell", "\x9b31mNell", "[link=http://x]y[/link]"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_reach_no_terminal_as_markup_or_controls(ready: Clinic, terminal: Any, name: str) -> None:
    ready.takes(
        client("1048237", name, "Okafor"),
        invoice("INV-0001", subtotal="99.00", tax="9.90", total="108.90"),
        invoice(f"INV-2{name}", id="inv_2"),
        invoice("INV-0003"),
    )
    ready.push()
    for command in (("unsynced",), ("invoices", "list"), ("invoices", "show", "INV-0001"), ("push",), ("log",)):
        shown = ready.cli(*command)
        for text in (shown.stdout, shown.stderr):
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), command
            assert not [each for each in text.splitlines() if each.strip().startswith("INV-9999")], command
    assert "[red]" in ready.cli("unsynced").stdout or "[red]" not in name


def test_at_a_terminal_a_name_is_no_markup_either(ready: Clinic, terminal: Any) -> None:
    ready.takes(client("1048237", "[bold red]Nell[/]", "\x1b]0;owned\x07"), invoice("INV-0001", total="1.00"))
    ready.push()
    shown = terminal("unsynced").stdout
    assert "[bold" in shown
    assert "\x1b]0;" not in shown
    assert "\x07" not in shown


# --- commands that work as they were printed


def test_an_invoice_whose_number_reads_as_an_option_is_named_by_its_id(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("-x"), payment("65.00", ("inv_-x", "65.00")))
    assert ready.push().exit_code == 0
    in_xero.pays(ready, "-x", "50.00")
    ready.takes(payment("50.00", ("inv_-x", "50.00"), id_="pay_2"))
    assert ready.push().exit_code == 3
    assert ready.run(ready.answers("-x")[0]).exit_code == 0
    assert ready.push().exit_code == 0


def test_a_number_that_has_to_be_corrected_is_not_the_name_in_the_fix(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("y" * 300, id="inv_1"))
    assert ready.push().exit_code == 3
    fix = ready.problem("y" * 300)["fix"]
    ready.takes(invoice("INV-0001", id="inv_1"))
    assert ready.run(fix, -1).exit_code == 0
    assert "INV-0001" in ready.in_xero()


def test_what_to_do_next_is_quoted_for_a_shell(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("A 1;x"))
    said = ready.cli("invoices", "skip", "A 1;x").stderr
    assert "To take that back: caspen-xero invoices unskip 'A 1;x'" in said
    assert ready.run(said.rpartition("Next: ")[2].strip()).exit_code == 0
