"""Cases of the codes of an invoice itself, its contact and its record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import in_xero
from clinics import client, invoice, line, payment
from oddities import Field
from ways_out import ID, NELL, NUMBER, Cases, Scene

from caspen_xero.sync.problems import ProblemCode as Code

CASES = Cases()
LATER = {"updated_at": "2026-11-09T00:00:00Z"}
HUGE = [line("99999999999.00", rate="tax_free")]
RENT = {"Description": "Rent", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200", "TaxType": "OUTPUT"}


def theirs(scene: Scene, number: str = NUMBER, price: int = 150, **more: Any) -> str:
    """An invoice for Nell that a bookkeeper wrote; gives its InvoiceID."""
    nell = {"Name": "Nell Okafor (Caspen 48237)"}
    body = {"Type": "ACCREC", "InvoiceNumber": number, "Contact": nell, "Date": "2026-11-02", "DueDate": "2026-11-16"}
    lines = [RENT | {"UnitAmount": price}]
    made = in_xero.writes(scene.clinic, "PUT", "Invoices", body | {"Status": "AUTHORISED", "LineItems": lines} | more)
    return str(made["Invoices"][0]["InvoiceID"])


@CASES.way(Code.NOT_PUSHED_YET)
def no_push_has_come(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(), push=False)
    yield


@CASES.way(Code.NOT_PUSHED_YET)
def the_plan_has_no_approvals_for_it(scene: Scene) -> Iterator[None]:
    scene.clinic.control("organisation", ApprovalLimit=1)
    scene.begins(invoice("INV-0003"), invoice("INV-0002"), invoice())
    yield
    scene.clinic.control("organisation", ApprovalLimit=100)


@CASES.way(Code.APPROVAL_LIMIT)
def a_larger_plan_is_taken(scene: Scene) -> Iterator[None]:
    scene.clinic.control("organisation", ApprovalLimit=1)
    scene.begins(invoice(), invoice("INV-0002"))
    yield
    scene.clinic.control("organisation", ApprovalLimit=100)


@CASES.way(Code.BAD_RECORD)
def a_bad_record_is_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice())
    scene.exports(invoice(issue_date="someday"))
    scene.clinic.cli("import", scene.means["PATH"])
    scene.clinic.push()
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.BAD_RECORD)
def a_payment_below_zero_is_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice())
    scene.exports(payment("-20.00", (ID, "-20.00")))
    scene.clinic.cli("import", scene.means["PATH"])
    scene.clinic.push()
    yield
    scene.in_caspen(payment("20.00", (ID, "20.00"), **LATER))


@CASES.way(Code.DETAILS_PURGED)
def the_export_is_read_again(scene: Scene) -> Iterator[None]:
    scene.sent(payment("165.00", (ID, "165.00")))
    scene.later(500)
    assert scene.clinic.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    scene.then_caspen_says(invoice("INV-0009", issue_date="2027-12-01", due_date="2027-12-15"))
    yield
    scene.in_caspen(NELL)


@CASES.way(Code.CLIENT_MISSING)
def the_client_is_exported_too(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(client_id="2"))
    yield
    scene.in_caspen(client("2", "Mei", "Tanaka"))


@CASES.way(Code.CONTACT_ARCHIVED)
def the_contact_is_restored(scene: Scene) -> Iterator[None]:
    scene.begins()
    contact = scene.clinic.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)")["ContactID"]
    scene.clinic.control(f"contacts/{contact}/archive")
    scene.then_caspen_says(invoice())
    yield
    scene.clinic.control(f"contacts/{contact}/restore")


@CASES.way(Code.WAITS_FOR_APPROVAL)
def a_draft_with_a_payment_is_approved(scene: Scene) -> Iterator[None]:
    scene.clinic.cli("settings", "set", "--invoice-status", "draft")
    scene.begins(invoice(), payment("65.00", (ID, "65.00")))
    yield
    scene.approves()


@CASES.way(Code.NEEDS_APPROVAL_IN_XERO)
def somebody_who_may_approves_it(scene: Scene) -> Iterator[None]:
    scene.clinic.control("organisation", Approver=False)
    scene.begins(invoice(), payment("65.00", (ID, "65.00")))
    yield
    scene.clinic.control("organisation", Approver=True)
    scene.approves()


@CASES.way(Code.NEEDS_APPROVAL_IN_XERO, by_reason=True)
def a_draft_of_somebody_elses_is_approved_as_caspen_has_it(scene: Scene) -> Iterator[None]:
    theirs(scene, Status="DRAFT")
    scene.begins(invoice())
    yield


@CASES.way(Code.PERIOD_LOCKED)
def the_lock_date_is_moved(scene: Scene) -> Iterator[None]:
    scene.clinic.control("organisation", PeriodLockDate="2026-11-30")
    scene.begins(invoice())
    yield
    scene.clinic.control("organisation", PeriodLockDate="2026-10-31")


@CASES.way(Code.PERIOD_LOCKED)
def the_end_of_the_year_is_moved(scene: Scene) -> Iterator[None]:
    scene.clinic.control("organisation", EndOfYearLockDate="2026-11-30")
    scene.begins(invoice())
    yield
    scene.clinic.control("organisation", EndOfYearLockDate="2026-06-30")


@CASES.way(Code.CURRENCY_NOT_ENABLED)
def the_currency_is_enabled(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(currency="EUR"))
    yield
    in_xero.writes(scene.clinic, "PUT", "Currencies", {"Code": "EUR"})


@CASES.way(Code.CONTACT_NUMBER_TAKEN, 0)
def two_contacts_are_one(scene: Scene) -> Iterator[None]:
    scene.clinic.cli("settings", "set", "--contact-prefix", "none")
    scene.clinic.put_in_xero("Contacts", Name="Harbour Street Studio", ContactNumber="1048237")
    scene.begins(invoice())
    yield


@CASES.way(Code.CONTACT_NUMBER_TAKEN, 1)
def two_contacts_are_two(scene: Scene) -> Iterator[None]:
    scene.clinic.cli("settings", "set", "--contact-prefix", "none")
    scene.clinic.put_in_xero("Contacts", Name="Harbour Street Studio", ContactNumber="1048237")
    scene.begins(invoice())
    yield
    scene.means["XERO_ID"] = scene.clinic.put_in_xero("Contacts", Name="Nell Okafor")["ContactID"]


def refused_as_taken(scene: Scene) -> None:
    scene.xero_says(
        "PUT", "Contacts", "The contact name Nell Okafor (Caspen 48237) is already assigned to another contact."
    )
    scene.begins(invoice())


@CASES.way(Code.CONTACT_NUMBER_TAKEN, 0)
def the_contact_that_xero_refuses_to_make_is_another_one(scene: Scene) -> Iterator[None]:
    refused_as_taken(scene)
    yield
    scene.xero_is_right_again()
    scene.means["XERO_ID"] = scene.clinic.put_in_xero("Contacts", Name="Nell Okafor")["ContactID"]


@CASES.way(Code.CONTACT_NUMBER_TAKEN, 1, 2)
def the_contact_that_xero_refuses_to_make_gets_another_name(scene: Scene) -> Iterator[None]:
    refused_as_taken(scene)
    yield
    scene.xero_is_right_again()
    scene.in_caspen(client("1048237", "Nell", "Okafor-Smith"))


@CASES.way(Code.INVOICE_NUMBER_INVALID)
def a_number_is_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice("x" * 300, id=ID))
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.NO_LINES)
def lines_are_added(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(lines=[]))
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.NEGATIVE_TOTAL)
def a_total_below_zero_is_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(lines=[line("-10.00")]))
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.TOTALS_DIFFER)
def figures_that_contradict_themselves_are_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(subtotal="99.00", tax="9.90", total="108.90"))
    yield
    scene.in_caspen(invoice(**LATER))


def kept_otherwise(scene: Scene) -> None:
    scene.clinic.control("organisation", KeepsTaxAmount=False)
    scene.begins(invoice(lines=[line("0.24")] * 10, subtotal="2.40", tax="0.24", total="2.64"))


@CASES.way(Code.TOTALS_DIFFER, 2)
def figures_that_xero_keeps_otherwise_may_stay_so(scene: Scene) -> Iterator[None]:
    kept_otherwise(scene)
    yield


@CASES.way(Code.TOTALS_DIFFER, 0, 1)
def figures_that_xero_keeps_otherwise_are_corrected(scene: Scene) -> Iterator[None]:
    kept_otherwise(scene)
    yield
    scene.in_caspen(invoice(lines=[line("0.20")] * 10, **LATER))


@CASES.way(Code.ACCOUNT_REFUSED, then=["sales-account-unfit"])
def an_archived_account_becomes_known(scene: Scene) -> Iterator[None]:
    scene.begins(invoice("INV-0000"))
    scene.clinic.control("accounts/200/archive")
    scene.then_caspen_says(invoice())
    yield


@CASES.way(Code.ACCOUNT_REFUSED)
def another_account_is_chosen(scene: Scene) -> Iterator[None]:
    scene.begins(invoice("INV-0000"))
    scene.clinic.control("accounts/200/archive")
    scene.then_caspen_says(invoice())
    yield
    scene.clinic.cli("settings", "set", "--sales-account", "260")


@CASES.way(Code.TAX_RATE_REFUSED)
def a_refused_rate_is_put_right(scene: Scene) -> Iterator[None]:
    scene.xero_says(
        "PUT", "Invoices", "The TaxType code 'OUTPUT' does not exist or cannot be used for this type of transaction"
    )
    scene.begins(invoice())
    yield
    scene.xero_is_right_again()


@CASES.way(Code.XERO_REFUSED)
def what_xero_says_is_put_right_in_caspen(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(lines=HUGE))
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.XERO_REFUSED, 2, apart=True)
def what_xero_refuses_again_and_again_is_done_by_hand(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(lines=HUGE))
    scene.clinic.push(NUMBER)
    yield


@CASES.way(Code.CHANGED_IN_XERO, 0)
def caspens_version_is_written_over_it(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, Reference="PO 99")
    scene.then_caspen_says(invoice(reference="NDIS 4712", **LATER))
    yield


@CASES.way(Code.CHANGED_IN_XERO, 1, 2)
def what_was_edited_is_kept(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, Reference="PO 99")
    scene.then_caspen_says(invoice(reference="NDIS 4712", **LATER))
    yield
    scene.in_caspen(invoice(reference="PO 99", **LATER))


@CASES.way(Code.CHANGED_IN_XERO, 3)
def what_both_have_changed_may_stay_as_xero_has_it(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, Date="2026-11-01")
    scene.then_caspen_says(invoice(lines=[line("100.00")], **LATER))
    yield


@CASES.way(Code.CHANGED_AFTER_PAYMENT, 2)
def what_changed_after_a_payment_may_stay_as_xero_has_it(scene: Scene) -> Iterator[None]:
    scene.sent(payment("65.00", (ID, "65.00")))
    scene.then_caspen_says(invoice(lines=[line("100.00")], **LATER))
    yield


@CASES.way(Code.CHANGED_AFTER_PAYMENT, 0, 1)
def a_change_is_taken_back(scene: Scene) -> Iterator[None]:
    scene.sent(payment("65.00", (ID, "65.00")))
    scene.then_caspen_says(invoice(lines=[line("100.00")], **LATER))
    yield
    scene.in_caspen(invoice(**LATER))


@CASES.way(Code.CHANGED_AFTER_PAYMENT, 0, 1)
def a_payment_is_taken_off_for_a_change(scene: Scene) -> Iterator[None]:
    scene.sent(payment("65.00", (ID, "65.00")))
    changed = invoice(lines=[line("100.00")], **LATER)
    scene.then_caspen_says(changed)
    yield
    scene.deletes_payment(scene.only_payment())
    scene.in_caspen(changed, payment("65.00", (ID, "65.00"), status="void", **LATER))


def not_ours_and_void(scene: Scene) -> None:
    theirs(scene)
    scene.sent()
    scene.then_caspen_says(invoice(status="void", **LATER))


@CASES.way(Code.VOID_NOT_OURS, 0)
def somebody_elses_is_voided_in_xero(scene: Scene) -> Iterator[None]:
    not_ours_and_void(scene)
    yield
    in_xero.edits(scene.clinic, NUMBER, Status="VOIDED")


@CASES.way(Code.VOID_NOT_OURS, 1)
def somebody_elses_is_voided_by_the_command(scene: Scene) -> Iterator[None]:
    not_ours_and_void(scene)
    yield


@CASES.way(Code.VOID_HAS_PAYMENT)
def a_void_invoices_payment_is_taken_off(scene: Scene) -> Iterator[None]:
    scene.sent()
    by_hand = in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.then_caspen_says(invoice(status="void", **LATER))
    yield
    scene.deletes_payment(by_hand)


@CASES.way(Code.NOT_AS_SENT)
def what_came_back_otherwise_is_sent_once_more(scene: Scene) -> Iterator[None]:
    with scene.way.odd(Field("Invoices", NUMBER, "LineItems", [RENT | {"LineItemID": None, "UnitAmount": 150}])):
        scene.begins(invoice())
    yield


@CASES.way(Code.UNREADABLE_IN_XERO)
def an_answer_is_readable_again(scene: Scene) -> Iterator[None]:
    scene.sent()
    scene.clinic.cli("pull")
    in_xero.edits(scene.clinic, NUMBER, Reference="By hand")
    with scene.way.odd(Field("Invoices", NUMBER, "AmountDue", ["odd"])):
        scene.clinic.cli("pull")
    yield


@CASES.way(Code.UNREADABLE_IN_XERO)
def an_answer_to_a_push_is_readable_again(scene: Scene) -> Iterator[None]:
    scene.sent()
    scene.clinic.takes(invoice(reference="NDIS 4712", **LATER))
    with scene.way.odd(Field("Invoices", NUMBER, "AmountDue", ["odd"])):
        scene.clinic.push()
    yield
