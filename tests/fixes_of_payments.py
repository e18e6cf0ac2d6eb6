"""Cases of the codes of payments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import in_xero
from clinics import invoice, payment
from oddities import Field
from ways_out import ID, NUMBER, Cases, Scene

from caspen_xero.sync.problems import ProblemCode as Code

CASES = Cases()
LATER = {"updated_at": "2026-11-09T00:00:00Z"}


def paid(amount: str = "65.00", **more: Any) -> dict[str, Any]:
    return payment(amount, (ID, amount), **more)


def in_a_batch(scene: Scene) -> tuple[str, str]:
    """A batch payment of 65.00 on the invoice; gives its id and its member's."""
    one = {"Invoice": {"InvoiceID": scene.invoice_id()}, "Amount": 65}
    body = {"Account": {"Code": "090"}, "Date": "2026-11-03", "Payments": [one]}
    batch = in_xero.writes(scene.clinic, "PUT", "BatchPayments", {"BatchPayments": [body]})["BatchPayments"][0]
    return str(batch["BatchPaymentID"]), str(batch["Payments"][0]["PaymentID"])


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 0)
def the_payment_by_hand_is_the_same(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.then_caspen_says(paid())
    yield


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 1, apart=True)
def the_payment_by_hand_is_another(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.then_caspen_says(paid())
    yield


def on_no_invoice(scene: Scene) -> None:
    scene.sent(payment("65.00"))
    in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.clinic.cli("pull")


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 0, 1, then=[Code.PAYMENT_MAYBE_ALREADY_IN_XERO])
def the_payment_on_no_invoice_is_put_on_it_and_then_is_one_that_can_be_linked(scene: Scene) -> Iterator[None]:
    on_no_invoice(scene)
    yield
    scene.in_caspen(paid(**LATER))


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 2, then=[Code.NOT_IN_CASPEN_YET])
def the_payment_on_no_invoice_is_another(scene: Scene) -> Iterator[None]:
    on_no_invoice(scene)
    yield


def as_two_in_xero(scene: Scene) -> None:
    scene.sent()
    for amount in ("40.00", "25.00"):
        in_xero.pays(scene.clinic, NUMBER, amount)
    scene.then_caspen_says(paid())
    scene.clinic.cli("pull")


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 0, 1, then=[Code.PAYMENT_MAYBE_ALREADY_IN_XERO])
def the_amounts_agree_and_then_each_can_be_linked(scene: Scene) -> Iterator[None]:
    as_two_in_xero(scene)
    yield
    scene.in_caspen(paid("40.00", **LATER), paid("25.00", id_="pay_2", **LATER))


@CASES.way(Code.PAYMENT_MAYBE_ALREADY_IN_XERO, 2, then=[Code.NOT_IN_CASPEN_YET])
def the_two_are_other_money(scene: Scene) -> Iterator[None]:
    as_two_in_xero(scene)
    yield


@CASES.way(Code.PAYMENT_XERO_ID_WRONG)
def the_id_is_corrected(scene: Scene) -> Iterator[None]:
    scene.sent()
    scene.then_caspen_says(paid(xero_id="6c8f8f3e-2f0b-4d5a-9d51-5b6f3f0f6a11"))
    yield
    scene.in_caspen(paid(**LATER))


@CASES.way(Code.PAYMENT_XERO_ID_WRONG, by_reason=True)
def the_right_one_is_named(scene: Scene) -> Iterator[None]:
    scene.sent()
    in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.then_caspen_says(paid(xero_id="6c8f8f3e-2f0b-4d5a-9d51-5b6f3f0f6a11"))
    yield


def refunded(scene: Scene) -> None:
    scene.sent(paid())
    scene.then_caspen_says(paid(status="refunded", **LATER))


@CASES.way(Code.PAYMENT_REFUNDED, 0)
def the_refunded_one_is_deleted(scene: Scene) -> Iterator[None]:
    refunded(scene)
    yield
    scene.deletes_payment(scene.only_payment())


@CASES.way(Code.PAYMENT_REFUNDED, 1, apart=True)
def the_refund_is_booked_otherwise(scene: Scene) -> Iterator[None]:
    refunded(scene)
    yield


def more_than_is_due(scene: Scene) -> str:
    scene.sent(paid("100.00"))
    by_hand = in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.clinic.cli("pull")
    scene.clinic.takes(paid("65.00", id_="pay_3", xero_id=by_hand), paid("20.00", id_="pay_2"))
    scene.clinic.push()
    return by_hand


@CASES.way(Code.PAYMENT_EXCEEDS_DUE, 0, 1)
def what_is_too_much_is_taken_off(scene: Scene) -> Iterator[None]:
    by_hand = more_than_is_due(scene)
    yield
    scene.deletes_payment(by_hand)
    scene.in_caspen(paid("65.00", id_="pay_3", xero_id=by_hand, status="void", **LATER))


@CASES.way(Code.PAYMENT_EXCEEDS_DUE, 2, apart=True)
def what_is_too_much_stays_open(scene: Scene) -> Iterator[None]:
    more_than_is_due(scene)
    yield


def reconciled(scene: Scene) -> str:
    scene.sent(paid())
    there = scene.only_payment()
    scene.reconciles(there)
    scene.then_caspen_says(paid(status="void", **LATER))
    return there


@CASES.way(Code.PAYMENT_RECONCILED, 0)
def it_is_unreconciled(scene: Scene) -> Iterator[None]:
    there = reconciled(scene)
    yield
    scene.reconciles(there, reconciled=False)


@CASES.way(Code.PAYMENT_RECONCILED, 1, apart=True)
def it_stays_reconciled(scene: Scene) -> Iterator[None]:
    reconciled(scene)
    yield


def made_there(scene: Scene) -> str:
    scene.sent()
    by_hand = in_xero.pays(scene.clinic, NUMBER, "65.00")
    scene.then_caspen_says(paid(xero_id=by_hand))
    scene.then_caspen_says(paid(xero_id=by_hand, status="void", **LATER))
    return by_hand


@CASES.way(Code.PAYMENT_NOT_OURS, 0)
def the_one_that_was_made_there_is_deleted_there(scene: Scene) -> Iterator[None]:
    by_hand = made_there(scene)
    yield
    scene.deletes_payment(by_hand)


@CASES.way(Code.PAYMENT_NOT_OURS, 0)
def the_batch_is_deleted_there(scene: Scene) -> Iterator[None]:
    scene.sent()
    batch, member = in_a_batch(scene)
    scene.then_caspen_says(paid(xero_id=member))
    scene.then_caspen_says(paid(xero_id=member, status="void", **LATER))
    yield
    in_xero.writes(scene.clinic, "POST", "BatchPayments", {"BatchPaymentID": batch, "Status": "DELETED"})


@CASES.way(Code.PAYMENT_NOT_OURS, 1, 2)
def caspen_has_it_again(scene: Scene) -> Iterator[None]:
    by_hand = made_there(scene)
    yield
    scene.in_caspen(paid(xero_id=by_hand, updated_at="2026-11-29T00:00:00Z"))


@CASES.way(Code.PAYMENT_NOT_OURS, 3, apart=True)
def the_one_that_was_made_there_stays(scene: Scene) -> Iterator[None]:
    made_there(scene)
    yield


@CASES.way(Code.NOT_AS_SENT)
def a_payment_is_made_anew(scene: Scene) -> Iterator[None]:
    with scene.way.odd(Field("Payments", NUMBER, "Amount", 60)):
        scene.begins(invoice(), paid())
    yield


@CASES.way(Code.NOT_AS_SENT, 0)
def a_payment_that_is_reconciled_is_unreconciled_and_made_anew(scene: Scene) -> Iterator[None]:
    with scene.way.odd(Field("Payments", NUMBER, "Date", "/Date(1793577600000+0000)/")):
        scene.begins(invoice(), paid())
    there = scene.only_payment()
    scene.reconciles(there)
    scene.clinic.push(NUMBER)
    yield
    scene.reconciles(there, reconciled=False)


@CASES.way(Code.INVOICE_NOT_AUTHORISED)
def what_is_no_longer_approved_is_approved(scene: Scene) -> Iterator[None]:
    scene.xero_says("PUT", "Payments", "Payments can only be made against authorised documents")
    scene.begins(invoice(), paid())
    yield
    scene.xero_is_right_again()


@CASES.way(Code.XERO_REFUSED)
def a_payment_that_xero_refuses_goes_once_it_is_put_right(scene: Scene) -> Iterator[None]:
    scene.xero_says("PUT", "Payments", "Something that nobody has seen yet")
    scene.begins(invoice(), paid())
    yield
    scene.xero_is_right_again()
    scene.in_caspen(paid())


@CASES.way(Code.ACCOUNT_REFUSED, then=["payment-account-unfit"])
def an_archived_account_for_payments_becomes_known(scene: Scene) -> Iterator[None]:
    scene.sent()
    scene.clinic.control("accounts/090/archive")
    scene.then_caspen_says(paid())
    yield
