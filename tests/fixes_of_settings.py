"""Cases of the codes of settings, and of a number that another invoice in Xero has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import in_xero
from clinics import invoice, line, payment
from ways_out import ID, Cases, Scene

from caspen_xero.sync.problems import ProblemCode as Code

CASES = Cases()
OTHER = {"object": "tax_rate", "id": "tax_other", "name": "Other", "rate": "0", "archived": False}


@CASES.way(Code.TAX_RATE_NOT_LINKED)
def a_rate_is_linked(scene: Scene) -> Iterator[None]:
    scene.clinic.cli("taxes", "unmap", "GST free")
    scene.begins(invoice(lines=[line(rate="tax_free")]))
    yield


@CASES.way(Code.TAX_RATE_UNFIT)
def a_deleted_rate_is_replaced(scene: Scene) -> Iterator[None]:
    rate = {"Name": "Old GST", "ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "GST", "Rate": 10}]}
    made = in_xero.writes(scene.clinic, "PUT", "TaxRates", rate)["TaxRates"][0]
    scene.clinic.cli("taxes", "map", "GST", made["TaxType"])
    deleted = {"Name": "Old GST", "TaxType": made["TaxType"], "Status": "DELETED"}
    in_xero.writes(scene.clinic, "POST", "TaxRates", deleted)
    scene.begins(invoice(), push=False)
    scene.clinic.push("--refresh")
    yield


@CASES.way(Code.TAX_RATE_MISSING, then=["tax-rate-not-linked"])
def a_rate_is_exported_too(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(lines=[line(rate="tax_other")]))
    yield
    scene.in_caspen(OTHER)


@CASES.way(Code.SALES_ACCOUNT_MISSING)
def an_account_for_lines_is_chosen(scene: Scene) -> Iterator[None]:
    scene.clinic.sql("DELETE FROM account_links WHERE purpose = 'sales'")
    scene.begins(invoice())
    yield


@CASES.way(Code.SALES_ACCOUNT_UNFIT)
def another_account_for_lines_is_chosen(scene: Scene) -> Iterator[None]:
    scene.clinic.control("accounts/200/archive")
    scene.begins(invoice(), push=False)
    scene.clinic.push("--refresh")
    yield


@CASES.way(Code.PAYMENT_ACCOUNT_MISSING)
def an_account_for_payments_is_chosen(scene: Scene) -> Iterator[None]:
    scene.clinic.sql("DELETE FROM account_links WHERE purpose = 'payments'")
    scene.begins(invoice(), payment("65.00", (ID, "65.00")))
    yield


@CASES.way(Code.PAYMENT_ACCOUNT_UNFIT)
def another_account_for_payments_is_chosen(scene: Scene) -> Iterator[None]:
    scene.clinic.control("accounts/090/archive")
    scene.begins(invoice(), payment("65.00", (ID, "65.00")), push=False)
    scene.clinic.push("--refresh")
    yield


def made_by_hand(scene: Scene, name: str) -> None:
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": "INV-0001",
        "Contact": {"Name": name},
        "Date": "2026-11-01",
        "DueDate": "2026-11-16",
    }
    one = {"Description": "x", "Quantity": 1, "UnitAmount": 150, "AccountCode": "200", "TaxType": "OUTPUT"}
    in_xero.writes(scene.clinic, "PUT", "Invoices", body | {"Status": "AUTHORISED", "LineItems": [one]})
    scene.begins(invoice())


@CASES.way(Code.INVOICE_NUMBER_TAKEN, 0, 1)
def it_gets_another_number(scene: Scene) -> Iterator[None]:
    made_by_hand(scene, "Nell Okafor (Caspen 48237)")
    yield
    scene.in_caspen(invoice("INV-0002", id=ID, updated_at="2026-11-09T00:00:00Z"))


@CASES.way(Code.INVOICE_NUMBER_TAKEN, by_reason=True, then=["edited-in-xero"], apart=True)
def the_invoice_of_that_number_is_the_same(scene: Scene) -> Iterator[None]:
    made_by_hand(scene, "Nell Okafor (Caspen 48237)")
    yield


def linked_by_force(scene: Scene, *paid: Mapping[str, Any]) -> None:
    made_by_hand(scene, "Rob Lee")
    if paid:
        scene.then_caspen_says(*paid)
    assert scene.clinic.cli("invoices", "link", "--force", "INV-0001", scene.invoice_id()).exit_code == 0
    assert scene.clinic.push().exit_code == 3


PAID = payment("165.00", (ID, "165.00"))


@CASES.way(Code.LINKED_WITH_DIFFERENCES, 0, then=["invoice-number-taken"])
def what_was_linked_by_force_is_unlinked_before_money_goes_there(scene: Scene) -> Iterator[None]:
    linked_by_force(scene, PAID)
    yield


@CASES.way(Code.LINKED_WITH_DIFFERENCES, 0, by_reason=True, apart=True)
def what_was_linked_by_force_is_the_same_debt(scene: Scene) -> Iterator[None]:
    linked_by_force(scene, PAID)
    yield


@CASES.way(Code.EDITED_IN_XERO, 0, then=["invoice-number-taken"])
def what_was_linked_by_force_is_unlinked(scene: Scene) -> Iterator[None]:
    linked_by_force(scene)
    yield


@CASES.way(Code.EDITED_IN_XERO, 1, apart=True)
def what_was_linked_by_force_may_stay_so(scene: Scene) -> Iterator[None]:
    linked_by_force(scene)
    yield


def total_is_cut_of_one_linked_by_force(scene: Scene) -> None:
    """Of which a person has said that the contact may stay another."""
    linked_by_force(scene)
    assert scene.clinic.cli("invoices", "accept", "INV-0001").exit_code == 0
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200", "TaxType": "OUTPUT"}
    in_xero.edits(scene.clinic, "INV-0001", LineItems=[line])
    scene.clinic.cli("pull")


@CASES.way(Code.EDITED_IN_XERO, 0, then=["invoice-number-taken"])
def what_was_linked_by_force_and_cut_is_unlinked(scene: Scene) -> Iterator[None]:
    total_is_cut_of_one_linked_by_force(scene)
    yield


@CASES.way(Code.EDITED_IN_XERO, 1, then=["totals-differ"], apart=True)
def what_was_linked_by_force_and_cut_is_the_same_debt(scene: Scene) -> Iterator[None]:
    total_is_cut_of_one_linked_by_force(scene)
    yield
