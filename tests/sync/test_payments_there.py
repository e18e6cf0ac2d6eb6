"""Payments of ours on whatever invoice they stand in Xero: which of them a store is to link, and to which invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.payments_there import Beside, links_to_payments
from caspen_xero.xero.documents import DocumentRef, Payment

KEY = "pay_1/all_1"
MOVED = AppliedPayment(KEY, "all_1", "pay_1", "inv_2", Decimal(50), date(2026, 11, 3), "allocated", None, None)
BESIDE = Beside(
    applied={KEY: MOVED},
    alike={},
    payments={"pay_1"},
    methods={},
    invoices={"x-1": Link("invoice", "inv_1", "x-1", True), "x-2": Link("invoice", "inv_2", "x-2", True)},
)


def shown(id_: str, on: str = "x-1", status: str = "AUTHORISED") -> Payment:
    return Payment(
        payment_id=id_,
        invoice=DocumentRef(invoice_id=on),
        amount=Decimal(50),
        reference=f"EFTPOS {KEY}",
        status=status,
    )


def links(*there: Payment, beside: Beside = BESIDE) -> list[tuple[str, str | None, str | None]]:
    return [(link.xero_id, link.invoice_id, link.status) for link in links_to_payments(there, beside)]


def test_what_stands_elsewhere_is_linked_to_the_invoice_that_it_is_on() -> None:
    assert links(shown("p-1")) == [("p-1", "inv_1", "AUTHORISED")]


def test_what_stands_on_a_strange_invoice_is_linked_to_none() -> None:
    assert links(shown("p-1", on="x-9")) == [("p-1", None, "AUTHORISED")]
    assert links(shown("p-1", on="x-9"), shown("p-2")) == [("p-2", "inv_1", "AUTHORISED")]


def test_what_stands_where_caspen_has_it_is_found_there() -> None:
    assert links(shown("p-1", on="x-9"), shown("p-2", on="x-2")) == []


@pytest.mark.parametrize(
    "beside",
    [
        replace(BESIDE, claimed={"p-1"}),
        replace(BESIDE, applied={KEY: replace(MOVED, xero_id="p-7")}),
        replace(BESIDE, links={KEY: Link("payment", KEY, "p-7", True, invoice_id="inv_2")}),
        replace(BESIDE, applied={}, payments=set()),
    ],
    ids=["it stands for something", "from Xero by its own word", "linked", "unknown"],
)
def test_what_is_known_otherwise_is_left_alone(beside: Beside) -> None:
    assert links(shown("p-1"), beside=beside) == []


def test_one_that_somebody_deleted_last_is_linked_as_such() -> None:
    gone = (shown("p-1", status="DELETED"), shown("p-2", status="DELETED"))
    assert links(*gone) == [("p-2", "inv_2", "DELETED")]
    assert links(*gone, shown("p-3", on="x-2")) == []
    assert links(*gone, beside=replace(BESIDE, deleted_by_us={"p-1"})) == [("p-2", "inv_2", "DELETED")]
    assert links(*gone, beside=replace(BESIDE, deleted_by_us={"p-2"})) == []
    assert links(*gone, beside=replace(BESIDE, applied={KEY: replace(MOVED, status="void")})) == []
