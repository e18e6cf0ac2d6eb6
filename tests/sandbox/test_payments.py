"""Payments and batches, and what they do to their invoices."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeper import Bookkeeper, Element

TOO_MUCH = ["Payment amount exceeds the amount outstanding on this document"]
DELETE: Element = {"Status": "DELETED"}


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def read(b: Bookkeeper, invoice: Element) -> Element:
    return b.read("Invoices", invoice["InvoiceID"])


def test_a_part_payment_leaves_the_invoice_open_and_the_rest_closes_it(b: Bookkeeper) -> None:
    invoice = b.invoice()
    b.pay(invoice, "60.50")
    half = read(b, invoice)
    assert (half["Status"], half["AmountPaid"], half["AmountDue"]) == (
        "AUTHORISED",
        Decimal("60.5"),
        Decimal("49.5"),
    )
    b.pay(invoice, "49.50", Date="2026-09-18")
    paid = read(b, invoice)
    assert (paid["Status"], paid["AmountDue"], paid["FullyPaidOnDate"][:12]) == ("PAID", 0, "/Date(178968")
    assert [payment["Amount"] for payment in paid["Payments"]] == [Decimal("60.5"), Decimal("49.5")]


def test_an_invoices_payments_show_neither_reconciliation_nor_batch(b: Bookkeeper) -> None:
    b.ways["absent_keys"] = "shown"
    invoice = b.invoice()
    b.pay(invoice, 10, Reference="EFTPOS 1", IsReconciled=True)
    shown = read(b, invoice)["Payments"][0]
    assert set(shown) == {
        *("PaymentID", "Date", "Amount", "Reference", "CurrencyRate", "HasAccount", "HasValidationErrors")
    }
    assert b.list("Payments")[0]["IsReconciled"] is True


def test_two_payments_in_one_request_share_what_is_due(b: Bookkeeper) -> None:
    wish = b.payment(b.invoice(), 60)
    first, second = b.send("PUT", "Payments", wish, wish)
    assert first["StatusAttributeString"] == "OK"
    assert [error["Message"] for error in second["ValidationErrors"]] == TOO_MUCH
    assert b.list("Payments")[0]["PaymentID"] == first["PaymentID"]


@pytest.mark.parametrize("account", [{"Code": "090"}, {"Code": "855"}, {"Code": "880"}])
def test_payable_accounts(b: Bookkeeper, account: Element) -> None:
    assert b.pay(b.invoice(), 1, Account=account)["Account"]["Code"] == account["Code"]


def test_a_bank_account_without_a_code_is_named_by_its_id(b: Bookkeeper) -> None:
    account = next(account for account in b.list("Accounts") if account["Type"] == "BANK" and "Code" not in account)
    shown = b.pay(b.invoice(), 1, Account={"AccountID": account["AccountID"]})["Account"]
    assert shown == {"AccountID": account["AccountID"], "Name": account["Name"]}


def test_a_payment_read_by_its_id_shows_its_invoice_with_its_payments(b: Bookkeeper) -> None:
    paid = b.pay(b.invoice(), 60)
    assert (paid["Invoice"]["AmountDue"], "Payments" in paid["Invoice"]) == (50, False)
    shown = b.read("Payments", paid["PaymentID"])["Invoice"]["Payments"]
    assert [payment["PaymentID"] for payment in shown] == [paid["PaymentID"]]


def test_an_invoice_may_be_named_by_its_number(b: Bookkeeper) -> None:
    invoice = b.invoice(InvoiceNumber="C-1")
    wish = b.payment(invoice, 1) | {"Invoice": {"InvoiceNumber": "C-1"}}
    assert b.put("Payments", wish)["Invoice"]["InvoiceID"] == invoice["InvoiceID"]


@pytest.mark.parametrize("length", [118, 255, 300])
def test_long_references_come_back_unchanged(b: Bookkeeper, length: int) -> None:
    b.pay(b.invoice(), 1, Reference="r" * length)
    assert b.list("Payments", where=f'Reference=="{"r" * length}"')[0]["Reference"] == "r" * length


def test_a_deleted_payment_stays_as_deleted_and_reopens_its_invoice(b: Bookkeeper) -> None:
    invoice = b.invoice()
    payment = b.pay(invoice, 110)
    paid = read(b, invoice)
    gone = b.post(f"Payments/{payment['PaymentID']}", DELETE)
    assert gone["Status"] == "DELETED"
    open_again = read(b, invoice)
    assert (open_again["Status"], open_again["AmountDue"], open_again["AmountPaid"]) == ("AUTHORISED", 110, 0)
    assert not {"Payments", "FullyPaidOnDate"} & set(open_again)
    assert open_again["UpdatedDateUTC"] > paid["UpdatedDateUTC"]
    assert b.list("Payments")[0]["Status"] == "DELETED"


def test_a_payment_may_be_dated_in_the_future(b: Bookkeeper) -> None:
    day = (b.clock.now() + timedelta(days=60)).date()
    payment = b.pay(b.invoice(), 10, Date=day.isoformat())
    assert payment["Date"] == f"/Date({(day - date(1970, 1, 1)).days * 86_400_000}+0000)/"


def test_a_payment_in_a_locked_period_is_neither_made_nor_deleted(b: Bookkeeper) -> None:
    invoice = b.invoice()
    payment = b.pay(invoice, 10)
    b.change(PeriodLockDate="2026-09-30")
    assert "period lock date" in b.refused("PUT", "Payments", b.payment(invoice, 1))[0]
    assert "period lock date" in b.refused("POST", f"Payments/{payment['PaymentID']}", DELETE)[0]
    assert b.pay(invoice, 1, Date="2026-10-01")["Status"] == "AUTHORISED", "only the payment's own date counts"


def test_a_row_of_the_list_has_what_a_pull_needs(b: Bookkeeper) -> None:
    invoice = b.invoice(InvoiceNumber="C-1")
    b.pay(invoice, 10, Reference="EFTPOS")
    row = b.list("Payments", where='PaymentType=="ACCRECPAYMENT"', page="1")[0]
    assert (row["Invoice"]["InvoiceID"], row["Invoice"]["InvoiceNumber"]) == (invoice["InvoiceID"], "C-1")
    assert (row["Amount"], row["Reference"], row["Status"], row["Account"]["Code"]) == (
        10,
        "EFTPOS",
        "AUTHORISED",
        "090",
    )
    assert (row["BankAmount"], row["CurrencyRate"], row["HasAccount"], row["IsReconciled"]) == (10, 1, True, False)


def test_foreign_money_has_a_bank_amount(b: Bookkeeper) -> None:
    b.put("Currencies", {"Code": "NZD"})
    invoice = b.invoice(CurrencyCode="NZD", CurrencyRate="1.1")
    assert b.pay(invoice, 11)["BankAmount"] == 10
    assert b.pay(invoice, 11, BankAmount="10.50")["CurrencyRate"] == Decimal("1.047619")


def test_marking_paid_as_a_person_does(b: Bookkeeper) -> None:
    invoice = b.invoice()
    payment_id = b.api.mark_paid(b.tenant, invoice["InvoiceID"], reconciled=True)
    assert read(b, invoice)["Status"] == "PAID"
    assert b.read("Payments", payment_id)["IsReconciled"] is True
    with pytest.raises(ValueError, match="greater than zero"):
        b.api.mark_paid(b.tenant, invoice["InvoiceID"])
    with pytest.raises(LookupError):
        b.api.mark_paid(b.tenant, payment_id)


def test_unreconciling_lets_a_payment_be_deleted(b: Bookkeeper) -> None:
    payment = b.pay(b.invoice(), 10, IsReconciled=True)
    b.api.reconcile_payment(b.tenant, payment["PaymentID"], reconciled=False)
    assert b.post(f"Payments/{payment['PaymentID']}", DELETE)["Status"] == "DELETED"


# batches


def batch_of(b: Bookkeeper, *parts: tuple[Element, int], **fields: object) -> Element:
    members = [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": amount} for invoice, amount in parts]
    return {"Account": {"Code": "090"}, "Date": "2026-09-15", "Reference": "HICAPS", "Payments": members} | fields


def test_a_batch_pays_many_invoices(b: Bookkeeper) -> None:
    first, second = b.invoice(), b.invoice()
    batch = b.put("BatchPayments", batch_of(b, (first, 110), (second, 10)))
    assert (batch["Type"], batch["TotalAmount"], batch["Status"]) == ("RECBATCH", 120, "AUTHORISED")
    assert (read(b, first)["Status"], read(b, second)["AmountDue"]) == ("PAID", 100)
    row = b.list("Payments")[0]
    assert row["PaymentID"] == batch["Payments"][0]["PaymentID"]
    assert row["BatchPaymentID"] == row["BatchPayment"]["BatchPaymentID"] == batch["BatchPaymentID"]
    assert (row["BatchPayment"]["TotalAmount"], row["Reference"]) == (120, "HICAPS")


def test_a_batch_is_made_whole_or_not_at_all(b: Bookkeeper) -> None:
    first, second = b.invoice(), b.invoice()
    assert b.refused("PUT", "BatchPayments", batch_of(b, (first, 10), (second, 111))) == TOO_MUCH
    assert b.list("Payments") == b.list("BatchPayments") == []
    assert read(b, first)["AmountDue"] == 110


def test_deleting_a_batch_deletes_all_its_payments(b: Bookkeeper) -> None:
    first, second = b.invoice(), b.invoice()
    batch = b.put("BatchPayments", batch_of(b, (first, 110), (second, 10)))
    gone = b.post(f"BatchPayments/{batch['BatchPaymentID']}", DELETE)
    assert (gone["Status"], gone["Payments"], gone["Account"]["CurrencyCode"]) == ("DELETED", [], "AUD")
    assert len(b.read("BatchPayments", batch["BatchPaymentID"])["Payments"]) == 2
    assert {payment["Status"] for payment in b.list("Payments")} == {"DELETED"}
    assert read(b, first)["Status"] == "AUTHORISED"


def test_a_batch_of_bills_pays_out(b: Bookkeeper) -> None:
    bill = b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")
    assert b.put("BatchPayments", batch_of(b, (bill, 10)))["Type"] == "PAYBATCH"
    assert b.list("Payments")[0]["PaymentType"] == "ACCPAYPAYMENT"


@pytest.mark.parametrize(("way", "members"), [("batch-only", False), ("members-too", True)])
def test_a_batch_that_is_reconciled_says_so_and_its_payments_may(way: str, members: bool) -> None:
    b = Bookkeeper(batch_reconciled=way)
    batch = b.put("BatchPayments", batch_of(b, (b.invoice(), 1), (b.invoice(), 1)))
    b.put("BatchPayments", batch_of(b, (b.invoice(), 1), IsReconciled=True))
    b.api.reconcile_payment(b.tenant, batch["Payments"][0]["PaymentID"])
    rows = b.list("Payments")
    assert [row["IsReconciled"] for row in rows] == [members] * 3
    assert [row["BatchPayment"]["IsReconciled"] for row in rows] == [True] * 3
    assert b.read("BatchPayments", batch["BatchPaymentID"])["IsReconciled"] is True
    b.api.reconcile_payment(b.tenant, batch["Payments"][1]["PaymentID"], reconciled=False)
    assert [row["BatchPayment"]["IsReconciled"] for row in b.list("Payments")].count(True) == 1


@pytest.mark.parametrize(
    ("way", "invoice_by_id", "payment_by_id", "in_lists"),
    [
        ("batch", "batch", "batch", "both"),
        ("invoice", "batch", "own", "both"),
        ("lists", "batch", "batch", "batch"),
        ("own", "own", "own", "both"),
    ],
)
def test_the_id_of_a_batch_stands_in_the_place_of_its_members(
    way: str, invoice_by_id: str, payment_by_id: str, in_lists: str
) -> None:
    b = Bookkeeper(batch_member_id=way)
    first, second = b.invoice(), b.invoice()
    batch = b.put("BatchPayments", batch_of(b, (first, 60), (first, 50), (second, 10)))
    ids = {"batch": [batch["BatchPaymentID"]] * 3, "own": [member["PaymentID"] for member in batch["Payments"]]}
    assert len(set(ids["own"])) == 3

    by_id = [payment for invoice in (first, second) for payment in read(b, invoice)["Payments"]]
    assert [payment["PaymentID"] for payment in by_id] == ids[invoice_by_id]
    assert not [payment for payment in by_id if "BatchPaymentID" in payment]
    alone = [b.read("Payments", id_) for id_ in ids["own"]]
    assert [payment["PaymentID"] for payment in alone] == ids[payment_by_id]
    assert [payment["BatchPaymentID"] for payment in alone] == ids["batch"]
    inside = [alone[0]["Invoice"]["Payments"][n]["PaymentID"] for n in range(2)]
    assert inside == ids[invoice_by_id][:2]

    for params in ({"page": "1"}, {"IDs": f"{first['InvoiceID']},{second['InvoiceID']}"}):
        rows = [payment for invoice in b.list("Invoices", **params) for payment in invoice["Payments"]]
        assert [payment["PaymentID"] for payment in rows] == ids["batch" if in_lists == "batch" else "own"]
        assert ["BatchPaymentID" in payment for payment in rows] == [in_lists == "both"] * 3
    listed = b.list("Payments")
    assert [payment["PaymentID"] for payment in listed] == ids["own"]
    assert [payment["BatchPaymentID"] for payment in listed] == ids["batch"]
    state = b.api.state(b.tenant)
    assert [payment["PaymentID"] for payment in state["Payments"]] == ids["own"]


def test_no_payment_is_found_by_the_id_of_its_batch(b: Bookkeeper) -> None:
    batch = b.put("BatchPayments", batch_of(b, (b.invoice(), 1)))
    assert b.ask("GET", f"Payments/{batch['BatchPaymentID']}").status == 404
    assert b.list("Payments", where=f'PaymentID==guid("{batch["BatchPaymentID"]}")') == []
