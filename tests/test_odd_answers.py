"""What can't be read of Xero's answers is a problem of its own invoice: never taken for undone, never lost; the others go on."""

from __future__ import annotations

from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, payment
from oddities import Field, OddWay
from pushing import Clinic

NUMBERS = [f"INV-{place:04d}" for place in range(1, 6)]
ODD = "INV-0003"


@pytest.fixture
def five(ready: Clinic) -> Clinic:
    """Five finalised invoices that no push has seen."""
    ready.takes(EFTPOS, client("1048237"), *(invoice(number) for number in NUMBERS))
    return ready


@pytest.mark.parametrize("value", [[], {}, "words", 10**30, True])
def test_of_a_batch_one_that_cannot_be_read_waits_and_the_others_are_settled(
    five: Clinic, way: OddWay, waits: list[float], value: Any
) -> None:
    with way.odd(Field("Invoices", ODD, "Total", value)):
        pushed = five.push("--yes")
        assert (pushed.exit_code, pushed.json["synced"]) == (3, 4)
        assert five.problem(ODD)["code"] == "unreadable-in-xero"
        five.forget_calls()
        for again in ((), ("--refresh",), (ODD,)):  # it is looked up, and never sent again
            assert five.push(*again).exit_code == 3
        assert five.writes() == []
    assert five.push().exit_code == 0
    assert five.writes() == []
    assert sorted(five.in_xero()) == NUMBERS
    assert {row["sync_status"] for row in five.listed().values()} == {"synced"}


def test_an_answer_that_cannot_be_read_is_looked_up_at_once(five: Clinic, way: OddWay, waits: list[float]) -> None:
    with way.odd(Field("Invoices", ODD, "InvoiceID", "no id")):
        assert five.push("--yes").json["synced"] == 4
    assert five.push().exit_code == 0
    assert sorted(five.in_xero()) == NUMBERS


@pytest.mark.parametrize("field", ["Amount", "Status", "PaymentID", "Reference"])
def test_a_payment_whose_answer_cannot_be_read_is_not_sent_again(
    five: Clinic, way: OddWay, waits: list[float], field: str
) -> None:
    five.push("--yes")
    five.takes(payment("20.00", ("inv_INV-0001", "10.00"), (f"inv_{ODD}", "10.00")))
    with way.odd(Field("Payments", ODD, field)):
        five.push()
    with way.odd(Field("Invoices", ODD, "Payments", [{"Amount": []}])):
        for again in ((), ("--refresh",), (ODD,), ("--pay-anyway", ODD)):
            five.push(*again)
    assert five.push().exit_code == 0
    assert [each["Amount"] for each in in_xero.payments(five)] == [10, 10]


def test_a_credit_note_whose_answer_cannot_be_read_is_made_once(five: Clinic, way: OddWay, waits: list[float]) -> None:
    five.takes(credit_note(invoice_id=f"inv_{ODD}"))
    with way.odd(Field("CreditNotes", "CN-0001", "Total", "much")):
        assert five.push("--yes").json["synced"] == 4
        assert five.push().exit_code == 3
    assert five.push().exit_code == 0
    assert list(in_xero.credit_notes(five)) == ["CN-0001"]


def test_a_pull_names_the_one_that_it_cannot_read_and_takes_the_others(
    five: Clinic, way: OddWay, waits: list[float]
) -> None:
    five.push("--yes")
    assert five.cli("pull").exit_code == 0
    for number in NUMBERS:
        in_xero.pays(five, number, "25.00")
    with way.odd(Field("Invoices", ODD, "AmountDue", ["odd"])):
        pulled = five.cli("pull", "--json")
        assert (pulled.exit_code, pulled.json["payments"]) == (3, 4)
        assert [row["number"] for row in pulled.json["unreadable"]] == [ODD]
        assert five.problem(ODD)["code"] == "unreadable-in-xero"
        assert five.cli("sync", "--json").exit_code == 3  # the cursor has passed it, and yet it is read again
        assert five.problem(ODD)["fix"].endswith("then: caspen-xero pull")
    pulled = five.cli("pull", "--json")
    assert (pulled.exit_code, pulled.json["payments"]) == (0, 1)
    assert five.unsynced() == []


def test_an_invoice_that_does_not_say_which_it_is_is_not_passed_over(
    five: Clinic, way: OddWay, waits: list[float]
) -> None:
    five.push("--yes")
    five.cli("pull")
    in_xero.pays(five, ODD, "25.00")
    with way.odd(Field("Invoices", ODD, "InvoiceID", 5)):
        pulled = five.cli("pull", "--json")
        assert (pulled.exit_code, pulled.json["payments"]) == (3, 0)
    assert five.cli("pull", "--json").json["payments"] == 1


def test_a_change_that_is_yet_to_come_hides_no_other(five: Clinic, way: OddWay, waits: list[float]) -> None:
    five.push("--yes")
    five.cli("pull")
    in_xero.edits(five, "INV-0001", Reference="by hand")
    with way.odd(Field("Invoices", "INV-0001", "UpdatedDateUTC", "/Date(7258118400000+0000)/")):  # the year 2200
        five.cli("pull")
    in_xero.pays(five, ODD, "25.00")
    assert five.cli("pull", "--json").json["payments"] == 1


@pytest.mark.parametrize(
    ("kind", "holding", "field"),
    [("TaxRates", '"EXEMPTOUTPUT"', "EffectiveRate"), ("Accounts", '"860"', "Status"), ("Contacts", "Other", "Name")],
)
def test_an_odd_element_of_a_list_is_left_out_and_stops_nothing(
    five: Clinic, way: OddWay, waits: list[float], kind: str, holding: str, field: str
) -> None:
    five.put_in_xero("Contacts", Contacts=[{"Name": "Other"}])
    with way.odd(Field(kind, holding, field)):
        pushed = five.push("--yes", "--refresh")
        assert (pushed.exit_code, pushed.json["synced"]) == (0, 5)
        assert any("can't be read" in warning for warning in pushed.json["warnings"])
    if kind != "Contacts":
        shown = {"TaxRates": ("taxes", "list"), "Accounts": ("settings", "accounts")}[kind]
        with way.odd(Field(kind, holding, field)):
            assert "can't be read" in five.cli("doctor").stdout
            assert "can't be read" in five.cli(*shown).stderr
    assert five.push("--refresh").exit_code == 0
    assert five.cli("doctor").exit_code == 0


def test_what_depends_on_a_rate_that_cannot_be_read_is_a_problem_of_its_invoices(
    five: Clinic, way: OddWay, waits: list[float]
) -> None:
    with way.odd(Field("TaxRates", '"OUTPUT"', "Status")):
        assert five.push("--yes", "--refresh").exit_code == 3
    assert {row["code"] for row in five.unsynced()} == {"tax-rate-unfit"}
    assert five.push("--refresh").json["synced"] == 5
