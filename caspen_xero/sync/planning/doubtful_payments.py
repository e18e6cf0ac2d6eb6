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
from caspen_xero.sync.planning.same_money import Claim, Sum, There, asked_first
from caspen_xero.sync.planning.ways_out import after_caspen

_MOST = 3


@dataclass(frozen=True)
class OnInvoice:
    """The invoice in question. `due`: what Xero shows as due; `room`: what of that is left for what is held; `owed`: in Caspen.

    `is_fed`: a bank feed brings Caspen's payments to Xero, so that none is sent. `asked`: all of Caspen's payments on it that may
    be in Xero already; one command says of all of them that they are not. `asked_after`: so many in Xero may only be money that is
    beside the invoice in Caspen; once nothing else is in question, that command says it of all of these. `sums`: what may be one
    payment on one side, and several on the other. `source`: what a run reads by itself, if anything.
    """

    number: str | None
    invoice_id: str
    due: Decimal | None
    room: Decimal | None
    owed: Decimal | None
    is_fed: bool = False
    asked: Sequence[Claim] = ()
    asked_after: int = 0
    sums: Sequence[Sum] = ()
    source: str | None = None

    def sum_with(self, name: str) -> Sum | None:
        """The likeliest of the sums that the one of that key or Xero's id is in."""
        return next((each for each in self.sums if each.has(name)), None)

    @property
    def sync(self) -> str:
        """The command that knows what Caspen says by then."""
        return after_caspen("caspen-xero sync", self.source)

    @property
    def push(self) -> str:
        """The same, for this invoice."""
        return after_caspen(push_command(self.number, self.invoice_id), self.source)


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
    if one_sum := on.sum_with(claim.key):
        return f"{_making(one_sum)}{_owed(on)}", _of_sums(one_sum, on)
    shown = asked_first(there)
    if shown[0].amount != claim.amount:
        return f"{_sides([claim], shown)}{_owed(on)}", _of_other_amounts(on)
    reason = f"the payment of {_named(claim, on)} may be in Xero already: {_listed([_in_xero(one) for one in shown])}"
    if claim.was_there and claim.goes:
        reason += "; what stood for it there was deleted"
    elif claim.may_be_told:
        reason += "; Caspen was told of one of that amount that was deleted there since, and may have typed it in"
    return reason, _answers([claim], shown, on)


def may_be_in_caspen(one: There, claims: Sequence[Claim], on: OnInvoice) -> tuple[str, str]:
    """Why Caspen is not told of a payment in Xero, and what to do. `claims`: all of Caspen's that it may be."""
    one_sum = on.sum_with(one.xero_id)
    if all(claim.is_beside for claim in claims):
        return _may_be_in_parts(one_sum, claims, on) if one_sum else _may_be_beside(claims, on)
    if one_sum:
        return f"it may be the same money, entered otherwise: {_making(one_sum)}{_owed(on)}", _of_sums(one_sum, on)
    claims = [claim for claim in claims if not claim.is_beside]
    if one.amount != claims[0].amount:
        return f"it may be a part of other money: {_sides(claims, [one])}{_owed(on)}", _of_other_amounts(on)
    which = _listed([_named(claim, on, by_reference=len(claims) > 1) for claim in claims])
    of = f"Caspen's payment of {which}" if len(claims) == 1 else f"one of Caspen's payments of {which}"
    return f"it may be the same money as {of}, for which nothing stands in Xero", _answers(claims, [one], on)


def _may_be_in_parts(one_sum: Sum, claims: Sequence[Claim], on: OnInvoice) -> tuple[str, str]:
    """The same, where it is one on one side and several on the other; these may be on several invoices."""
    where = f"{'which is' if len(one_sum.claims) == 1 else 'which are'} on no invoice there"
    fix = f"If it is: put it in Caspen where it is in Xero, then: {on.sync}; {_if_not_beside((), claims, on)}"
    return f"it may be the same money, entered otherwise: {_making(one_sum, where)}", fix


def _may_be_beside(claims: Sequence[Claim], on: OnInvoice) -> tuple[str, str]:
    """There is no payment on the invoice in Caspen to link it to: Caspen has to show first what became of that money."""
    told, free = [claim for claim in claims if claim.was_told], [claim for claim in claims if claim.is_on_none]
    reasons, answers = list[str](), list[str]()
    if free:
        which = _listed([f"{_in_caspen(claim)} ({plain(claim.references[0])})" for claim in free])
        several = "" if len(free) == 1 else "one of "
        reasons.append(f"{several}{which}, which {'are' if several else 'is'} on no invoice in Caspen")
        same = "it is what is on no invoice" if told else "it is"
        answers.append(f"If {same}: put it on {plain(on.number or on.invoice_id)} in Caspen, then: {on.sync}")
    if told:
        which = _listed([_in_caspen(claim) for claim in told])
        told_before = "that Caspen was told of before, which is gone in Xero since and not in Caspen's export yet"
        reasons.append(f"the payment of {which} {told_before}")
        which = "the one that it was told of" if free else "that one"
        answers.append(f"If Caspen has {which}, or will take it in: what to do is said here once its export has it")
    answers.append(_if_not_beside(told, free, on))
    fix = "; ".join([answers[0], *(answer.replace("If ", "if ", 1) for answer in answers[1:])])
    return f"it may be the same money as {', or '.join(reasons)}", fix


def _if_not_beside(told: Sequence[Claim], free: Sequence[Claim], on: OnInvoice) -> str:
    """When the command that tells it is right: it is for all on the invoice at once, and for Caspen's own on it first."""
    if on.asked_after > 1:
        when = f"if all {on.asked_after} of which this is said are other ones"
    elif told:
        when = "if it is neither" if free else "if Caspen does not have it, or this is another one"
    else:
        when = "if it is another one"
    if on.asked:
        return f"{when}, say so once the other payments in question on this invoice are settled: caspen-xero unsynced"
    return f"{when}: {pay_anyway_command(on.number, on.invoice_id)}"


def _answers(claims: Sequence[Claim], there: Sequence[There], on: OnInvoice) -> str:
    """Both answers; what can't be done is no command."""
    name = invoice_name(on.number, on.invoice_id)
    which = ("the same",) if len(there) == 1 else ("the first", "the second", "the third")
    links = [to_paste("invoices link", name, one.xero_id) for one in there]
    same = "If " + "; if ".join(f"it is {one}: {link}" for one, link in zip(which, links, strict=False))
    if on.is_fed:
        return f"{same}; if it is another one, enter it in Caspen"
    if _fits(claims, on):
        return f"{same}; {_if_another(on)}: {pay_anyway_command(on.number, on.invoice_id)}"
    too_much = (
        f"if it is another one, it is more than the {on.room:.2f} that is left to pay in Xero: correct it in Caspen"
    )
    return f"{same}; {too_much}, then: {on.push}"


def _fits(claims: Sequence[Claim], on: OnInvoice) -> bool:
    """Whether any of them could be paid beside what is there."""
    return on.room is None or any(claim.amount <= on.room or not claim.goes for claim in claims)


def _if_another(on: OnInvoice) -> str:
    """When the command that sends them is right: it is for all of them at once."""
    if len(on.asked) < 2:
        return "if it is another one"
    return f"if all {len(on.asked)} in question are other ones ({_listed([_named(claim, on) for claim in on.asked])})"


def _of_other_amounts(on: OnInvoice) -> str:
    """No command can make one amount of two; nor can more be paid than is due."""
    return (
        "If it is the same money, make the amounts agree in Caspen or in Xero; if it is other money, the payment in Caspen is more "
        f"than what is left to pay in Xero: correct it in Caspen. Then: {on.push}"
    )


def _of_sums(one_sum: Sum, on: OnInvoice) -> str:
    """The same where all may be paid beside what is there: then a command says that it is other money."""
    if not on.is_fed and not _fits(one_sum.claims, on):
        return _of_other_amounts(on)
    same = f"If it is the same money, make the amounts agree in Caspen or in Xero, then: {on.push}"
    if on.is_fed:
        return f"{same}; if it is other money, enter it in Caspen"
    return f"{same}; {_if_another(on)}: {pay_anyway_command(on.number, on.invoice_id)}"


def _making(one_sum: Sum, where: str = "") -> str:
    """Which several on one side make what on the other. `where`: said of what is in Caspen."""
    caspen = [f"{_in_caspen(claim)} ({plain(claim.references[0])})" for claim in one_sum.claims]
    xero = [_in_xero(one) for one in one_sum.there]
    if len(caspen) == 1:
        said = f", {where}" if where else ""
        return f"{_all_of(xero)} in Xero make {one_sum.claims[0].amount:.2f}, and Caspen has {caspen[0]}{said}"
    said = f", {where}," if where else ""
    return f"{_all_of(caspen)} in Caspen{said} make {one_sum.there[0].amount or 0:.2f}, and Xero has {xero[0]}"


def _all_of(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _sides(claims: Sequence[Claim], there: Sequence[There]) -> str:
    caspen, xero = _listed([_in_caspen(claim) for claim in claims]), _listed([_in_xero(one) for one in there])
    payments = "a payment" if len(claims) == 1 else "payments"
    return f"Caspen has {payments} of {caspen}, Xero has {xero}"


def _owed(on: OnInvoice) -> str:
    due = "" if on.due is None else f"; in Xero {on.due:.2f} is still due"
    if on.owed is None or not due:
        return due
    return f"{due}, in Caspen {on.owed:.2f}" if on.owed >= 0 else f"{due}, in Caspen {-on.owed:.2f} is paid too much"


def _named(claim: Claim, on: OnInvoice, *, by_reference: bool = False) -> str:
    """A payment in Caspen; where several are in question, also by what it is called."""
    reference = claim.references[0] if claim.references and (by_reference or len(on.asked) > 1) else ""
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
