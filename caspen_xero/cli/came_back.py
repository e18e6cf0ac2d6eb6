"""What came back from Xero, told: which payments are new, on which invoices, and where each of them went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from caspen_xero.cli.session import Session
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.cli.output import Cell
    from caspen_xero.store.xero_payments import XeroPayment
    from caspen_xero.sync.pulling.deliver import Delivery, Destination
    from caspen_xero.sync.pulling.pull import PullResult


def news(result: PullResult, delivery: Delivery) -> list[XeroPayment]:
    """What is new to Caspen: what this pull has found, and what it has delivered of earlier ones; not what is held or known."""
    is_none = {one.xero_id for one in (*delivery.known, *(held.payment for held in delivery.held))}
    found = {one.xero_id: one for one in (*result.found, *delivery.delivered) if one.xero_id not in is_none}
    if result.dry_run:
        found |= {one.xero_id: one for one in delivery.waiting}
    return list(found.values())


def came_back_as_json(result: PullResult, delivery: Delivery) -> dict[str, Any]:
    """For scripts: how many reached Caspen, where they went (or would go), and each by itself with what became of it."""
    to = delivery.to if delivery.delivered or result.dry_run else None
    settled = {one.xero_id for _, some in _outcomes(delivery) for one in some}
    untried = [one for one in result.found if one.xero_id not in settled]  # the run broke off before
    return {
        "delivered": len(delivery.delivered),
        "delivered_to": to.where if to else None,
        "new": [
            one.as_record() | {"outcome": outcome}
            for outcome, some in (*_outcomes(delivery), ("waiting", untried))
            for one in some
        ],
    }


def in_the_log(summary: dict[str, Any]) -> dict[str, Any]:
    """What the log keeps of a pull: no payment by itself, which the store has anyway."""
    return {name: value for name, value in summary.items() if name != "new"}


def _outcomes(delivery: Delivery) -> list[tuple[str, Sequence[XeroPayment]]]:
    return [
        ("delivered", delivery.delivered),
        ("waiting", delivery.waiting),
        ("refused", [one for one, _ in delivery.refused]),
        ("held", [held.payment for held in delivery.held]),
        ("known", delivery.known),
    ]


def tell_came_back(session: Session, result: PullResult, delivery: Delivery) -> None:
    """For people: a table of what is new, and a sentence for whatever became of it."""
    refused = [one for one, _ in delivery.refused]
    _tell_table(session, [*delivery.delivered, *delivery.waiting, *refused])
    session.output.say(*came_back_in_words(session, result, delivery))


def came_back_in_words(session: Session, result: PullResult, delivery: Delivery) -> list[str]:
    """A sentence for each thing that became of payments from Xero; one that says so where nothing came back."""
    to = delivery.to.in_words if delivery.to else ""
    told: list[str] = []
    if some := [one for one in delivery.delivered if one not in delivery.there]:
        told.append(f"{counted(some)} for Caspen, {to}{_of_earlier(some, result)}.")
    if (some := delivery.there) and delivery.to is not None:
        told.append(
            f"{counted(some)} {_was(some)} in {plain(delivery.to.where)} already, and {_was(some)} not written again."
        )
    if some := delivery.waiting:
        if not result.dry_run:
            told.append(f"{counted(some)} for Caspen {_was(some)} not delivered; the next pull tries that again.")
        elif delivery.stopped is None:
            told.append(f"{counted(some)} for Caspen would be {to}{_of_earlier(some, result)}; nothing was changed.")
        else:
            told.append(f"{counted(some)} for Caspen could not be delivered now; nothing was changed.")
    if delivery.refused:
        some = [one for one, _ in delivery.refused]
        told.append(f"{counted(some)} {_was(some)} not taken by Caspen; the next pull tries that again.")
    if some := [held.payment for held in delivery.held]:
        told.append(f"{counted(some)} {_is(some)} held back from Caspen until a person has decided.")
    if some := delivery.known:
        told.append(f"{counted(some)} {_is(some)} in Caspen by now, and {_is(some)} not told.")
    if not (delivery.delivered or delivery.waiting or delivery.refused):
        told.insert(0, _nothing(session, result))
    if count := len(result.updated):
        it = "1 invoice has" if count == 1 else f"{count} invoices have"
        told.append(f"{it} other amounts or another status in Xero than was last seen there.")
    return told


def delivered_in_one_line(told: Sequence[XeroPayment], to: Destination) -> str:
    """What Caspen was told, and where, for a run that says only what is new: a person has to see that it gets there."""
    some = [f"{plain(one.invoice_number or one.invoice_id)} {one.amount:.2f}" for one in told[:5]]
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    return f"{counted(told)} for Caspen, {to.in_words}: {', '.join(some)}{more}."


def _nothing(session: Session, result: PullResult) -> str:
    if result.stopped is not None:
        return "Nothing new for Caspen was found before the pull ended."
    if not session.mappings.has_invoices():
        return "Nothing new from Xero for Caspen: no invoice of Caspen's is known to be in Xero yet."
    return "Nothing new from Xero for Caspen."


class Money(Protocol):
    """A payment, or an allocated credit."""

    @property
    def is_credit(self) -> bool: ...


def counted(payments: Sequence[Money]) -> str:
    """How many they are, as a bookkeeper counts: `2 payments and 1 allocated credit`."""
    credits = sum(one.is_credit for one in payments)
    parts = ((len(payments) - credits, "payment"), (credits, "allocated credit"))
    return " and ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in parts if count)


def _was(payments: Sequence[XeroPayment]) -> str:
    return "was" if len(payments) == 1 else "were"


def _is(payments: Sequence[XeroPayment]) -> str:
    return "is" if len(payments) == 1 else "are"


def _of_earlier(payments: Sequence[XeroPayment], result: PullResult) -> str:
    """How many of these an earlier pull has found."""
    found = {one.xero_id for one in result.found}
    earlier = sum(one.xero_id not in found for one in payments)
    if not earlier:
        return ""
    return (
        " (found by an earlier pull)" if earlier == len(payments) else f" ({earlier} of them found by an earlier pull)"
    )


def _tell_table(session: Session, payments: Sequence[XeroPayment]) -> None:
    from caspen_xero.store.clinic import client_names

    if not payments or session.output.quiet or session.output.json:
        return
    clients = client_names(session.store, {one.invoice_id for one in payments})
    rows = [_row(one, clients.get(one.invoice_id, "")) for one in payments]
    columns = ("Invoice", "Client", "Date", "Amount", "Kind", "Now", "Reconciled", "Reference")
    spare = ("Reconciled", "Reference", "Kind", "Client", "Now", "Date")
    session.output.table(columns, rows, title="New from Xero", narrow_without=spare)


def _row(payment: XeroPayment, client: str) -> tuple[Cell, ...]:
    now = "paid" if payment.invoice_status == "paid" else f"open, {payment.amount_due:,.2f} due"
    reconciled = {True: "reconciled", False: "not reconciled", None: ""}[payment.reconciled]
    name = payment.invoice_number or payment.invoice_id
    return (name, client, payment.date, payment.amount, payment.kind_in_words, now, reconciled, payment.reference)
