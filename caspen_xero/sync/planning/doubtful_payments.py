"""What is said of payments that may be the same money, wherever it is said: why they are held, and both answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.caspen.records import CreditNote
from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.sync.fix_commands import invoice_name, pay_anyway_command, push_command
from caspen_xero.sync.planning.same_money import Claim, There

_MOST = 3


@dataclass(frozen=True)
class OnInvoice:
    """The invoice in question. `due`: what Xero shows as due; `room`: what of that is left for what is held; `owed`: in Caspen.

    `is_fed`: a bank feed brings Caspen's payments to Xero, so that none is sent. `asked`: all of Caspen's payments on it that may
    be in Xero already; one command says of all of them that they are not.
    """

    number: str | None
    invoice_id: str
    due: Decimal | None
    room: Decimal | None
    owed: Decimal | None
    is_fed: bool = False
    asked: Sequence[Claim] = ()


def owed_in_caspen(
    total: Decimal | None, payments: Iterable[AppliedPayment], notes: Iterable[CreditNote]
) -> Decimal | None:
    """What is still to be paid of an invoice by Caspen's own records; None of one without a total."""
    if total is None:
        return None
    paid = sum((payment.amount for payment in payments if payment.pays), Decimal(0))
    return total - paid - sum((note.total for note in notes if note.status == "issued"), Decimal(0))


def may_be_in_xero(claim: Claim, there: Sequence[There], on: OnInvoice) -> tuple[str, str]:
    """Why a payment of Caspen's is not sent, and what to do. `there`: all that it may be, the likeliest first."""
    shown = [one for one in there if not one.is_told] or list(there)
    if shown[0].amount != claim.amount:
        return f"{_sides([claim], shown)}{_owed(on)}", _of_other_amounts(on)
    reason = f"the payment of {_named(claim, on)} may be in Xero already: {_listed([_in_xero(one) for one in shown])}"
    return reason, _answers([claim], shown, on)


def may_be_in_caspen(one: There, claims: Sequence[Claim], on: OnInvoice) -> tuple[str, str]:
    """Why Caspen is not told of a payment in Xero, and what to do. `claims`: all of Caspen's that it may be."""
    if all(claim.was_told for claim in claims):
        return _may_be_told(claims, on)
    claims = [claim for claim in claims if not claim.was_told]
    if one.amount != claims[0].amount:
        return f"it may be a part of other money: {_sides(claims, [one])}{_owed(on)}", _of_other_amounts(on)
    which = _listed([_named(claim, on) for claim in claims])
    of = f"Caspen's payment of {which}" if len(claims) == 1 else f"one of Caspen's payments of {which}"
    return f"it may be the same money as {of}, for which nothing stands in Xero", _answers(claims, [one], on)


def _may_be_told(claims: Sequence[Claim], on: OnInvoice) -> tuple[str, str]:
    """What Caspen was told of before can't be linked: its export has to show first what became of it."""
    told = _listed([_in_caspen(claim) for claim in claims])
    reason = (
        f"it may be the same money as the payment of {told} that Caspen was told of before, which is gone in Xero since and not in "
        "Caspen's export yet"
    )
    another = pay_anyway_command(on.number, on.invoice_id)
    return reason, (
        "If Caspen has that one, or will take it in: what to do is said here once its export has it; if Caspen does not have it, "
        f"or this is another one: {another}"
    )


def _answers(claims: Sequence[Claim], there: Sequence[There], on: OnInvoice) -> str:
    """Both answers; what can't be done is no command."""
    name = invoice_name(on.number, on.invoice_id)
    which = ("the same",) if len(there) == 1 else ("the first", "the second", "the third")
    links = [to_paste("invoices link", name, one.xero_id) for one in there]
    same = "If " + "; if ".join(f"it is {one}: {link}" for one, link in zip(which, links, strict=False))
    if on.is_fed:
        return f"{same}; if it is another one, enter it in Caspen"
    if on.room is None or any(claim.amount <= on.room or not claim.goes for claim in claims):
        return f"{same}; {_if_another(on)}: {pay_anyway_command(on.number, on.invoice_id)}"
    too_much = (
        f"if it is another one, it is more than the {on.room:.2f} that is left to pay in Xero: correct it in Caspen"
    )
    return f"{same}; {too_much}, then: {push_command(on.number, on.invoice_id)}"


def _if_another(on: OnInvoice) -> str:
    """When the command that sends them is right: it is for all of them at once."""
    if len(on.asked) < 2:
        return "if it is another one"
    return f"if all {len(on.asked)} in question are other ones ({_listed([_named(claim, on) for claim in on.asked])})"


def _of_other_amounts(on: OnInvoice) -> str:
    """No command can make one amount of two; nor can more be paid than is due."""
    return (
        "If it is the same money, make the amounts agree in Caspen or in Xero; if it is other money, the payment in Caspen is more "
        f"than what is left to pay in Xero: correct it in Caspen. Then: {push_command(on.number, on.invoice_id)}"
    )


def _sides(claims: Sequence[Claim], there: Sequence[There]) -> str:
    caspen, xero = _listed([_in_caspen(claim) for claim in claims]), _listed([_in_xero(one) for one in there])
    payments = "a payment" if len(claims) == 1 else "payments"
    return f"Caspen has {payments} of {caspen}, Xero has {xero}"


def _owed(on: OnInvoice) -> str:
    due = "" if on.due is None else f"; in Xero {on.due:.2f} is still due"
    if on.owed is None or not due:
        return due
    return f"{due}, in Caspen {on.owed:.2f}" if on.owed >= 0 else f"{due}, in Caspen {-on.owed:.2f} is paid too much"


def _named(claim: Claim, on: OnInvoice) -> str:
    """A payment in Caspen; where several are in question, also by what it is called."""
    reference = claim.references[0] if claim.references and len(on.asked) > 1 else ""
    return f"{_in_caspen(claim)} ({plain(reference)})" if reference else _in_caspen(claim)


def _in_caspen(claim: Claim) -> str:
    return f"{claim.amount:.2f} of {claim.date}"


def _in_xero(one: There) -> str:
    if one.is_credit:
        return f"an allocated credit of {one.amount or 0:.2f}" + (f" of {one.date}" if one.date else "")
    return f"{one.amount or 0:.2f} of {one.date} ({plain(one.reference or 'no reference')})"


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _MOST} more" if len(parts) > _MOST else ""
    return ", ".join(parts[:_MOST]) + more
