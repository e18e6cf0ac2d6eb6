"""A payment of Caspen's that says it came from Xero (`xero_id`): believed only once it was seen there. Pure.

An id that we have told Caspen ourselves is known without a call. Any other has to stand on this invoice in Xero, as a payment or
as an allocation of a credit, with this amount; and nothing else may claim it. Many may name one batch, each for a member of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.xero_payments import XeroPayment as RecordedPayment
from caspen_xero.sync.fix_commands import link_command
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.same_money import There
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import ExpectedPayment
from caspen_xero.sync.planning.ways_out import REMOVED_FROM_OTHERS, about, correct_it, worded
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import Invoice

_MOST_OFFERED = 3


def judge_claim(planner: Planner, state: InvoiceState, payment: AppliedPayment) -> None:
    """Links a payment to the Xero payment that it names, or says why it can't be that one; asks for what is to be read first."""
    claim, snapshot = payment.xero_id or "", planner.snapshot
    rival, told = _rival(planner, payment), snapshot.told.get(claim)
    is_own = claim in snapshot.claimed_by or (told is not None and told.xero_id == claim)
    if rival and (is_own or state.link is None):
        _refuse(planner, state, payment, rival)
        return
    if told is not None and is_own:
        _judge_told(planner, state, payment, told)
        return
    if state.link is None or planner.held(state, "adopt-payment", payment.key):
        return  # an invoice that is not in Xero yet has no payment there: it is judged once it is
    seen = snapshot.looks.invoices.get(state.link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", state.link.xero_id)
        return
    if any(one.batch_id == claim for one in seen.payments):
        _judge_member(planner, state, payment)
        return
    if rival:
        _refuse(planner, state, payment, rival)
        return
    applied = _applied(planner, state, seen, claim)
    if applied is None:
        return
    if claim not in applied:
        _not_on_the_invoice(planner, state, payment)
    elif applied[claim] != payment.amount:
        _find(planner, state, payment, f"there it is {applied[claim]:.2f}")
    else:
        adopt_payment(planner, state, payment, None, made_by_us=False)


def _judge_told(planner: Planner, state: InvoiceState, payment: AppliedPayment, told: RecordedPayment) -> None:
    if told.invoice_id != state.invoice.id:
        _refuse(planner, state, payment, f"there it is on {plain(told.invoice_number or 'another invoice')}")
    elif told.amount != payment.amount:
        _refuse(planner, state, payment, f"there it is {told.amount:.2f}")
    else:
        adopt_payment(planner, state, payment, None, made_by_us=False)


def _judge_member(planner: Planner, state: InvoiceState, payment: AppliedPayment) -> None:
    """A payment that names a batch stands for one of its members on the invoice, of its amount; so may others, for the others."""
    snapshot, batch_id = planner.snapshot, payment.xero_id or ""
    taken = snapshot.claimed | planner.adopting.keys()
    free = [one for one in snapshot.members.get((batch_id, state.invoice.id), ()) if one[0] not in taken]
    fit = next((xero_id for xero_id, amount in free if amount == payment.amount), None)
    if fit is not None:
        adopt_payment(planner, state, payment, None, made_by_us=False, target=fit)
        return
    amounts = " and ".join(f"{amount:.2f}" for _, amount in free)
    why = f"of that batch there is {amounts}" if free else "all of that batch stands for other payments of Caspen's"
    _find(planner, state, payment, f"{why} on this invoice" if free else why)


def adopt_payment(
    planner: Planner,
    state: InvoiceState,
    payment: AppliedPayment,
    found: There | None,
    *,
    made_by_us: bool,
    target: str = "",
) -> None:
    """Links a payment to the one that stands for it in Xero: `found`, else `target`, else the one that it names itself."""
    target = (found.xero_id if found else target or payment.xero_id) or ""
    planner.adopting[target] = payment.key
    made_by_us = made_by_us and not (found and found.batch_id)  # we make no batches
    planner.add(
        state,
        "adopt-payment",
        caspen_id=payment.key,
        number=found.reference if found else None,
        detail=f"{payment.amount:.2f} is there already" if found else f"{payment.amount:.2f} came from Xero",
        body={},
        expected=ExpectedPayment(payment_fingerprint(payment), payment.amount, made_by_us=made_by_us),
        target=target,
    )


def payment_fingerprint(payment: AppliedPayment) -> str:
    """What of a payment stands in Xero: a change of it needs another Xero payment."""
    return f"{payment.amount.normalize():f}|{payment.date}|{payment.method_id or ''}"


def _rival(planner: Planner, payment: AppliedPayment) -> str:
    """What else claims the same Xero payment, in words; "" where nothing does. Parts of one payment on other invoices don't."""
    claim, snapshot = payment.xero_id or "", planner.snapshot
    for other in snapshot.claimants.get(claim, ()):
        if other.key != payment.key and (
            other.payment_id != payment.payment_id or other.invoice_id == payment.invoice_id
        ):
            return (
                "more than one part of that payment on this invoice says so"
                if other.payment_id == payment.payment_id
                else f"Caspen's payment {plain(other.payment_id)} says the same of itself"
            )
    link = snapshot.claimed_by.get(claim)
    if link is not None and link.caspen_id != payment.key:
        return f"there it stands for Caspen's {link.kind.replace('_', ' ')} {plain(link.caspen_id)}"
    return ""


def _applied(planner: Planner, state: InvoiceState, seen: Invoice, claim: str) -> Mapping[str, Decimal | None] | None:
    """What is on an invoice in Xero, by the id of the payment or allocation; None while its credits are still to be read."""
    payments = {one.payment_id: one.amount for one in seen.payments if one.payment_id and one.status != "DELETED"}
    if claim in payments or not (seen.credit_notes or seen.overpayments or seen.prepayments):
        return payments
    xero_id = seen.invoice_id or (state.link.xero_id if state.link else "")
    credits = planner.snapshot.looks.credits.get(xero_id)
    if credits is None:
        planner.ask(state, "credits", xero_id)
        return None
    return payments | {allocation_id: one.amount for allocation_id, one in credits.items()}


def _not_on_the_invoice(planner: Planner, state: InvoiceState, payment: AppliedPayment) -> None:
    """Looks where the payment is that is not here, if it is anywhere: a person should be told."""
    claim, looks = payment.xero_id or "", planner.snapshot.looks
    if claim not in looks.payments:
        planner.ask(state, "payments", claim)
        return
    there = looks.payments[claim]
    is_here = state.link is not None and there.invoice is not None and there.invoice.invoice_id == state.link.xero_id
    if there.status == "DELETED" and there.is_nameless:
        _find(planner, state, payment, "that batch was deleted there")
    elif there.is_nameless:
        _find(planner, state, payment, "there it is a batch payment that pays nothing on this invoice")
    elif is_here and there.status != "DELETED" and there.amount == payment.amount:
        adopt_payment(planner, state, payment, None, made_by_us=False)  # the invoice shows it under its batch's id
    elif there.status == "DELETED" and is_here:
        _tell_removed(planner, state, payment)
    elif there.status == "DELETED":
        _find(planner, state, payment, "Xero has no such payment, or it was deleted there")
    else:
        number = there.invoice.invoice_number if there.invoice else None
        _find(planner, state, payment, f"there it is on {plain(number or 'something else')}")


def _tell_removed(planner: Planner, state: InvoiceState, payment: AppliedPayment) -> None:
    """It did come from Xero, and somebody has deleted it there since: one fact, whatever pull has seen of it."""
    reason = (
        f"Caspen's payment {plain(payment.payment_id)} of {payment.amount:.2f} of {payment.date} came from Xero as "
        f"{plain(payment.xero_id)}, and somebody deleted it there; to have it sent anew, take its xero_id away in Caspen"
    )
    fix = worded(REMOVED_FROM_OTHERS, about(state, planner.snapshot))
    planner.found(state, "adopt-payment", ProblemCode.PAYMENT_REMOVED_IN_XERO, reason, fix, caspen_id=payment.key)


def _refuse(planner: Planner, state: InvoiceState, payment: AppliedPayment, why: str) -> None:
    """A problem that the store alone shows: it is judged anew by every push."""
    planner.problem(
        state, ProblemCode.PAYMENT_XERO_ID_WRONG, *_words(planner, state, payment, why), subject=payment.key
    )


def _find(planner: Planner, state: InvoiceState, payment: AppliedPayment, why: str) -> None:
    """A problem that took a look into Xero."""
    planner.found(
        state,
        "adopt-payment",
        ProblemCode.PAYMENT_XERO_ID_WRONG,
        *_words(planner, state, payment, why),
        caspen_id=payment.key,
    )


def _words(planner: Planner, state: InvoiceState, payment: AppliedPayment, why: str) -> tuple[str, str]:
    reason = (
        f"Caspen says that its payment {plain(payment.payment_id)} of {payment.amount:.2f} of {payment.date} came from Xero as "
        f"{plain(payment.xero_id)}, but {why}. If it was entered in Caspen twice, void one of the two; else correct its xero_id "
        "there (without one, it is a new payment, which is sent unless Xero may have it already)"
    )
    links = [
        link_command(state.invoice.number, state.invoice.id, id_)
        for id_ in _free_of_its_amount(planner, state, payment)
    ]
    if links:
        reason += f"; if it is another payment on this invoice in Xero: {' or '.join(links[:_MOST_OFFERED])}"
    return reason, correct_it(state, planner.snapshot)


def _free_of_its_amount(planner: Planner, state: InvoiceState, payment: AppliedPayment) -> list[str]:
    """The payments on the invoice in Xero, as far as it was looked at, that could be this one, and that nothing stands for."""
    snapshot = planner.snapshot
    seen = snapshot.looks.invoices.get(state.link.xero_id) if state.link else None
    taken = snapshot.claimed | planner.adopting.keys()
    return [
        one.payment_id
        for one in (seen.payments if seen else ())
        if one.payment_id and one.status != "DELETED" and one.amount == payment.amount and one.payment_id not in taken
    ]
