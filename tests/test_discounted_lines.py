"""Discounts and lines that cost nothing, however Xero shows them: no conflict, no difference, and never a wrong cent unsaid."""

from __future__ import annotations

from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, invoice, line, payment
from pushing import Clinic, same_figures
from test_found_again import answer_is_lost

WAYS: list[dict[str, str]] = [
    {},
    {"discount_in_lists": "rate", "whole_discount": "taken"},
    {"zero_price_lines": "stripped"},
    {
        "discount_in_lists": "rate",
        "zero_price_lines": "stripped",
        "edit_of_paid": "refused",
        "whole_discount": "refused",
    },
]
LINES = [
    line("80.00", discount=("percentage", "12.5")),
    line("1000.00", discount=("fixed", "333.33")),
    line("9.99", "3", discount=("fixed", "4.98")),
    line("10.95", "1.5", discount=("percentage", "50")),
    line("0.00", "2"),
    line("45.00", discount=("percentage", "100")),
    line("20.00", discount=("fixed", "20.00")),
    line("12.00"),
]


@pytest.fixture(params=WAYS, ids=lambda ways: "+".join(ways.values()) or "usual")
def xero(request: pytest.FixtureRequest, ready: Clinic) -> Clinic:
    """A clinic whose Xero shows discounts and lines that cost nothing in one of the known ways."""
    ready.control("settings", **request.param)
    return ready


@pytest.fixture
def sent(xero: Clinic) -> Clinic:
    """One invoice with every such line, in Xero from an earlier run."""
    xero.takes(EFTPOS, client("1048237"), discounted())
    assert xero.push().exit_code == 0
    assert same_figures(discounted(), xero.in_xero()["INV-0001"])
    return xero


def discounted(lines: list[dict[str, Any]] = LINES, **more: Any) -> dict[str, Any]:
    return invoice("INV-0001", lines, **more)


def agrees(clinic: Clinic) -> bool:
    """Whether neither side is said to differ from the other, after everything was read anew."""
    pulled = clinic.cli("pull", "--json")
    assert pulled.exit_code == 0, pulled.stderr
    assert clinic.cli("drift", "--json").json["drift"] == []
    assert clinic.unsynced() == []
    shown = clinic.cli("invoices", "show", "INV-0001", "--json").json
    assert (shown["problems"], shown["invoice"]["sync_status"]) == ([], "synced")
    return True


def test_a_second_push_makes_no_call_and_nothing_differs(sent: Clinic) -> None:
    assert in_xero.silent(sent)
    assert agrees(sent)
    assert in_xero.silent(sent)


def changed(place: int, **more: Any) -> list[dict[str, Any]]:
    return [{**each, **more} if at == place else each for at, each in enumerate(LINES)]


@pytest.mark.parametrize("place", range(len(LINES)))
def test_a_change_of_one_line_goes_and_is_no_conflict(sent: Clinic, place: int) -> None:
    record = discounted(changed(place, description="In other words"), updated_at="2026-12-01T00:00:00Z")
    sent.takes(record)
    pushed = sent.push()
    assert (pushed.exit_code, pushed.json["updated"]) == (0, 1), sent.unsynced()
    there = sent.in_xero()["INV-0001"]
    assert same_figures(record, there)
    assert "In other words" in there["LineItems"][place]["Description"]
    assert in_xero.silent(sent)
    assert agrees(sent)


def test_another_price_goes_too(sent: Clinic) -> None:
    record = discounted(changed(len(LINES) - 1, unit_price="13.00"), updated_at="2026-12-01T00:00:00Z")
    sent.takes(record)
    assert sent.push().exit_code == 0, sent.unsynced()
    assert same_figures(record, sent.in_xero()["INV-0001"])
    assert agrees(sent)


def test_on_a_paid_invoice_what_shows_nowhere_in_xero_is_no_change(sent: Clinic) -> None:
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    assert sent.push().exit_code == 0
    sent.takes(discounted([{**each, "item_code": "IC001"} for each in LINES], updated_at="2026-12-01T00:00:00Z"))
    sent.forget_calls()
    assert sent.push().exit_code == 0, sent.unsynced()
    assert sent.writes() == []
    assert in_xero.silent(sent)


def test_after_a_lost_answer_it_is_found_as_ours_without_a_word(xero: Clinic, waits: list[float]) -> None:
    xero.takes(client("1048237"), discounted())
    answer_is_lost(xero)
    pushed = xero.cli("push")
    assert (pushed.exit_code, "edited" in pushed.stderr) == (0, False), pushed.stderr
    record = discounted(changed(0, unit_price="90.00"), updated_at="2026-12-01T00:00:00Z")
    xero.takes(record)
    assert xero.push().exit_code == 0, xero.unsynced()
    assert same_figures(record, xero.in_xero()["INV-0001"])
    assert agrees(xero)


# --- a draft's discount counted anew when it is approved


@pytest.fixture
def recomputes(ready: Clinic) -> Clinic:
    """A clinic whose Xero makes 666.70 of 333.33 off 1,000.00 when a draft is approved, and nothing was sent yet."""
    ready.control("settings", discount_at_approval="recomputed")
    ready.takes(EFTPOS, client("1048237"), APPROVED_FROM_A_DRAFT)
    return ready


APPROVED_FROM_A_DRAFT = invoice(
    # The tax of the small lines is told to Xero, so the first such invoice goes as a draft and is looked at.
    lines=[line("1000.00", discount=("fixed", "333.33")), *[line("0.24")] * 10],
    subtotal="669.07",
    tax="66.91",
    total="735.98",
)
MEND = {"path": "/Invoices", "method": "POST", "after": 1}  # the second POST: the first approves


def test_a_total_that_approval_changed_is_put_right_before_any_payment_goes(recomputes: Clinic) -> None:
    recomputes.takes(payment("735.98", ("inv_INV-0001", "735.98")))
    pushed = recomputes.push()
    assert (pushed.exit_code, pushed.json["updated"], pushed.json["payments"]) == (0, 1, 1)
    assert recomputes.writes() == ["PUT Contacts", "PUT Invoices", "POST Invoices", "POST Invoices", "PUT Payments"]
    there = recomputes.in_xero()["INV-0001"]
    assert (there["Status"], same_figures(APPROVED_FROM_A_DRAFT, there)) == ("PAID", True)
    assert in_xero.silent(recomputes)


def test_until_it_is_put_right_it_does_not_count_as_synced(recomputes: Clinic, waits: list[float]) -> None:
    recomputes.control("faults", kind="503", count=None, **MEND)
    assert recomputes.push().exit_code == 6
    assert not same_figures(APPROVED_FROM_A_DRAFT, recomputes.in_xero()["INV-0001"])
    assert [row["number"] for row in recomputes.unsynced()] == ["INV-0001"]
    assert recomputes.listed()["INV-0001"]["sync_status"] != "synced"
    recomputes.all_is_well_in_xero()
    assert recomputes.push().exit_code == 0
    assert same_figures(APPROVED_FROM_A_DRAFT, recomputes.in_xero()["INV-0001"])
    assert agrees(recomputes)


def test_where_a_payment_stands_in_the_way_the_totals_are_told_to_differ(
    recomputes: Clinic, waits: list[float]
) -> None:
    recomputes.control("faults", kind="503", count=None, **MEND)
    recomputes.push()
    recomputes.all_is_well_in_xero()
    in_xero.pays(recomputes, "INV-0001", "10.00")
    recomputes.cli("pull")
    assert recomputes.push().exit_code == 3
    problem = recomputes.problem()
    assert problem["code"] == "totals-differ"
    assert ("735.98" in problem["reason"], "736.01" in problem["reason"]) == (True, True)
    assert recomputes.listed()["INV-0001"]["sync_status"] != "synced"
    assert in_xero.silent(recomputes)


def test_where_a_person_in_xero_approves_it_drift_tells_the_figures(recomputes: Clinic) -> None:
    recomputes.cli("settings", "set", "--invoice-status", "draft")
    recomputes.takes(invoice(lines=[line("1000.00", discount=("fixed", "333.33"))]))
    assert recomputes.push().exit_code == 0
    in_xero.edits(recomputes, "INV-0001", Status="AUTHORISED")
    recomputes.cli("pull")
    figures = [row for row in recomputes.cli("drift", "--json").json["drift"] if row["code"] == "figures-differ"]
    assert ["733.34" in row["caspen"] and "733.37" in row["xero"] for row in figures] == [True]


def test_of_a_large_discount_shown_as_a_percentage_alone_nothing_is_missing(ready: Clinic) -> None:
    ready.control("settings", discount_in_lists="rate")
    large = line("123456.78", discount=("fixed", "8910.33"))
    ready.takes(client("1048237"), invoice("INV-0001", [large]))
    ready.push()
    ready.takes(invoice("INV-0001", [large | {"description": "In other words"}], updated_at="2026-12-01T00:00:00Z"))
    assert (ready.push().exit_code, ready.unsynced()) == (0, [])
