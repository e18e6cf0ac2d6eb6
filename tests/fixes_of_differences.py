"""Cases of what is in Xero and not equal there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import in_xero
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from kept_proofs import find, proves
from oddities import Field
from ways_out import ID, NUMBER, Cases, Scene

from caspen_xero.sync.problems import ProblemCode as Code

CASES = Cases()
LATER = {"updated_at": "2026-11-09T00:00:00Z"}
NOTE = credit_note()
CHEAPER = [
    {"Description": "Initial consultation", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200", "TaxType": "OUTPUT"}
]


def paid(amount: str = "65.00", **more: Any) -> dict[str, Any]:
    return payment(amount, (ID, amount), **more)


def pulled(scene: Scene) -> None:
    assert scene.clinic.cli("pull").exit_code in (0, 3)


def voided(scene: Scene) -> None:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, Status="VOIDED")
    pulled(scene)


@CASES.way(Code.VOIDED_IN_XERO, 0, 1)
def what_is_void_in_xero_is_voided_in_caspen(scene: Scene) -> Iterator[None]:
    voided(scene)
    yield
    scene.in_caspen(invoice(status="void", **LATER))


@CASES.way(Code.VOIDED_IN_XERO, 2, apart=True)
def what_is_void_in_xero_may_stay_so(scene: Scene) -> Iterator[None]:
    voided(scene)
    yield


def edited(scene: Scene) -> None:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, LineItems=CHEAPER)
    pulled(scene)


@CASES.way(Code.EDITED_IN_XERO, 0)
def caspens_figures_are_written_over_it(scene: Scene) -> Iterator[None]:
    edited(scene)
    yield


@CASES.way(Code.EDITED_IN_XERO, 1, 2)
def caspen_is_changed_to_match(scene: Scene) -> Iterator[None]:
    edited(scene)
    yield
    scene.in_caspen(invoice(lines=[line("50.00")], **LATER))


@CASES.way(Code.EDITED_IN_XERO, 3, apart=True)
def what_was_edited_may_stay_so(scene: Scene) -> Iterator[None]:
    edited(scene)
    yield


def somebody(scene: Scene, name: str = "Somebody Else") -> dict[str, str]:
    made = in_xero.writes(scene.clinic, "PUT", "Contacts", {"Contacts": [{"Name": name}]})
    return {"ContactID": made["Contacts"][0]["ContactID"]}


@CASES.way(Code.EDITED_IN_XERO, 0)
def the_contact_of_a_paid_one_is_written_over_it(scene: Scene) -> Iterator[None]:
    scene.sent(paid("165.00"))
    in_xero.edits(scene.clinic, NUMBER, Contact=somebody(scene))
    pulled(scene)
    yield


@CASES.way(Code.EDITED_IN_XERO, 0, then=["payment-removed-in-xero"])
def what_stands_while_it_is_paid_goes_once_it_is_not(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, LineItems=CHEAPER)
    payment_id = in_xero.pays(scene.clinic, NUMBER, "20.00")
    pulled(scene)
    assert "take the payment or credit off it" in scene.clinic.unsynced()[0]["fix"]
    yield
    scene.deletes_payment(payment_id)
    pulled(scene)


def client_changed_to_match(scene: Scene, *records: dict[str, Any]) -> None:
    scene.sent(client("2000000", "Jo", "Smith"), *records)
    in_xero.edits(scene.clinic, NUMBER, Contact=somebody(scene, "Jo Smith"))
    pulled(scene)
    scene.then_caspen_says(invoice(client_id="2000000", **LATER))


@CASES.way(Code.CHANGED_IN_XERO, 4, 5, 6)
def the_contact_there_is_the_clients(scene: Scene) -> Iterator[None]:
    client_changed_to_match(scene)
    yield


@CASES.way(Code.CHANGED_AFTER_PAYMENT, 3, 4, 5)
def the_contact_of_a_paid_one_is_the_clients(scene: Scene) -> Iterator[None]:
    client_changed_to_match(scene, paid())
    yield


def removed(scene: Scene) -> None:
    scene.sent(paid())
    scene.deletes_payment(scene.only_payment())
    pulled(scene)


@CASES.way(Code.PAYMENT_REMOVED_IN_XERO, 0)
def it_is_sent_anew(scene: Scene) -> Iterator[None]:
    removed(scene)
    yield


@CASES.way(Code.PAYMENT_REMOVED_IN_XERO, 1)
def another_one_stands_for_it(scene: Scene) -> Iterator[None]:
    removed(scene)
    yield
    scene.means["XERO_PAYMENT_ID"] = in_xero.pays(scene.clinic, NUMBER, "65.00")


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 0)
def another_one_that_push_has_seen_stands_for_one_that_was_deleted(scene: Scene) -> Iterator[None]:
    removed(scene)
    in_xero.pays(scene.clinic, NUMBER, "65.00")
    assert scene.clinic.cli("sync").exit_code == 3
    yield


@CASES.way(Code.PAYMENT_REMOVED_IN_XERO, 2, 3)
def it_is_voided_in_caspen_too(scene: Scene) -> Iterator[None]:
    removed(scene)
    yield
    scene.in_caspen(paid(status="void", **LATER))


@CASES.way(Code.PAYMENT_REMOVED_IN_XERO, 4, apart=True)
def it_may_stay_removed(scene: Scene) -> Iterator[None]:
    removed(scene)
    yield


@CASES.way(Code.PAYMENT_CHANGED_IN_XERO, 0, 1)
def the_amounts_agree_again(scene: Scene) -> Iterator[None]:
    scene.sent(paid())
    (there,) = in_xero.payments(scene.clinic)
    other = {name: there[name] for name in ("PaymentID", "Reference")} | {"Amount": 60, "Date": "2026-11-03"}
    in_xero.edits(scene.clinic, NUMBER, Reference="By hand")
    with scene.way.odd(Field("Invoices", NUMBER, "Payments", [other])):
        pulled(scene)
    yield
    in_xero.edits(scene.clinic, NUMBER, Reference="By hand again")
    scene.in_caspen(paid(**LATER))


@CASES.way(Code.PAYMENT_TWICE_IN_XERO, 0)
def one_of_the_two_is_deleted(scene: Scene) -> Iterator[None]:
    scene.sent(paid())
    (there,) = in_xero.payments(scene.clinic)
    second = in_xero.pays(scene.clinic, NUMBER, "65.00", reference=there["Reference"])
    pulled(scene)
    yield
    scene.deletes_payment(second)


@CASES.way(Code.PAYMENT_ASTRAY_IN_XERO, 0, 1)
def what_is_astray_is_removed(scene: Scene) -> Iterator[None]:
    scene.sent(paid("50.00", id_="pay_9", status="void"))
    astray = in_xero.pays(scene.clinic, NUMBER, "50.00", reference="EFTPOS pay_9/all_9a")
    pulled(scene)
    yield
    scene.deletes_payment(astray)
    scene.exports(EFTPOS)


@CASES.way(Code.PAID_IN_XERO_ONLY, 0, 1)
def what_is_paid_there_alone_is_removed(scene: Scene) -> Iterator[None]:
    scene.sent()
    alone = in_xero.pays(scene.clinic, NUMBER, "20.00")
    pulled(scene)
    scene.clinic.sql("DELETE FROM xero_payments")
    yield
    scene.deletes_payment(alone)
    scene.exports(EFTPOS)


@CASES.way(Code.PAID_IN_CASPEN_ONLY, 0, 1)
def what_is_paid_in_caspen_alone_is_voided(scene: Scene) -> Iterator[None]:
    scene.sent(paid())
    pulled(scene)
    scene.clinic.sql("UPDATE links SET amount_paid = '0', amount_due = '165.00' WHERE kind = 'invoice'")
    yield
    in_xero.edits(scene.clinic, NUMBER, Reference="By hand")
    scene.exports(EFTPOS)


@CASES.way(Code.NOT_IN_CASPEN_YET, 0)
def caspen_is_told(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_the_way = scene.clinic.home.parent / "caspen-updates.jsonl"
    scene.clinic.cli("settings", "set", "--source", scene.clinic.home.parent / "export-1.jsonl")
    in_the_way.mkdir()
    in_xero.pays(scene.clinic, NUMBER, "20.00")
    scene.clinic.cli("pull")
    yield
    in_the_way.rmdir()


def found_by_a_reconciliation(scene: Scene) -> None:
    scene.sent()
    in_xero.edits(scene.clinic, NUMBER, DueDate="2026-12-24")
    pulled(scene)
    proves(scene.clinic, find("due-date", NUMBER, "2026-11-30", "2026-12-24"))


@CASES.way(Code.NOT_EQUAL_IN_XERO, 2)
def what_was_found_is_written_over(scene: Scene) -> Iterator[None]:
    found_by_a_reconciliation(scene)
    yield


@CASES.way(Code.NOT_EQUAL_IN_XERO, 0, 1)
def what_was_found_is_changed_in_caspen_to_match(scene: Scene) -> Iterator[None]:
    found_by_a_reconciliation(scene)
    yield
    scene.in_caspen(invoice(due_date="2026-12-24", **LATER))


@CASES.way(Code.NOT_EQUAL_IN_XERO, 3, apart=True)
def what_was_found_may_stay_so(scene: Scene) -> Iterator[None]:
    found_by_a_reconciliation(scene)
    yield


def taken_off(scene: Scene) -> None:
    note = in_xero.credit_notes(scene.clinic)["CN-0001"]
    (one,) = note["Allocations"]
    in_xero.writes(scene.clinic, "DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{one['AllocationID']}")


def put_on(scene: Scene, number: str) -> None:
    note = in_xero.credit_notes(scene.clinic)["CN-0001"]
    part = {"Amount": "44.00", "Invoice": {"InvoiceID": scene.invoice_id(number)}}
    in_xero.writes(scene.clinic, "PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", part)


@CASES.way(Code.CREDIT_GONE_IN_XERO, 0, 1)
def the_credit_is_put_on_again(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    pulled(scene)
    yield
    put_on(scene, NUMBER)
    scene.exports(EFTPOS)


@CASES.way(Code.CREDIT_GONE_IN_XERO, 2, apart=True)
def the_credit_may_stay_off(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    pulled(scene)
    yield


def note_becomes(scene: Scene, **fields: Any) -> None:
    id_ = in_xero.credit_notes(scene.clinic)["CN-0001"]["CreditNoteID"]
    in_xero.writes(scene.clinic, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, **fields})


@CASES.way(Code.CREDIT_NOTE_VOIDED_IN_XERO, 0, 1)
def the_credit_that_was_voided_after_it_was_seen_off_is_voided(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    pulled(scene)
    note_becomes(scene, Status="VOIDED")
    pulled(scene)
    assert "it is voided" in scene.clinic.unsynced()[0]["reason"]
    yield
    scene.in_caspen(credit_note(status="void", **LATER))


@CASES.way(Code.CREDIT_NOTE_VOIDED_IN_XERO, 2, apart=True)
def the_credit_may_stay_void(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    note_becomes(scene, Status="VOIDED")
    pulled(scene)
    yield


@CASES.way(Code.CREDIT_GONE_IN_XERO, 0, 1)
def the_credit_that_was_cut_is_another(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    note_becomes(scene, LineItems=[{**CHEAPER[0], "UnitAmount": 10}])
    pulled(scene)
    assert "of 44.00; in Xero: it is 11.00, and it is not allocated" in scene.clinic.unsynced()[0]["reason"]
    yield
    another = credit_note("CN-0002", id="crn_another", lines=[line("10.00")])
    scene.in_caspen(credit_note(status="void", **LATER), another)


@CASES.way(Code.CREDIT_ASTRAY_IN_XERO, 0, 1)
def the_credit_goes_back_to_its_own(scene: Scene) -> Iterator[None]:
    scene.sent(invoice("INV-0002"), NOTE)
    taken_off(scene)
    put_on(scene, "INV-0002")
    pulled(scene)
    yield
    taken_off(scene)
    put_on(scene, NUMBER)
    scene.exports(EFTPOS)
