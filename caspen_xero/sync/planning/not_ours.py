"""What is said of a payment in Xero that Caspen has no more, or otherwise, and that is not ours to delete. Pure."""

from __future__ import annotations

from caspen_xero.caspen.records import payment_id_in
from caspen_xero.outside_text import plain
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.xero.documents import Payment


def not_ours_in_words(state: InvoiceState, key: str, link: Link, seen: Payment | None, *, is_in_batch: bool) -> str:
    """What each side has of a payment that is removed or changed in Caspen, and why it is left alone in Xero."""
    why = (
        "is part of a batch payment, which can only be deleted there, and as a whole"
        if is_in_batch
        else "was made there, or has another amount than ours"
    )
    return f"{_both_sides(state, key, link, seen)} ({plain(link.xero_id)}), {why}, so it is left alone"


def reconciled_in_words(state: InvoiceState, key: str, link: Link, seen: Payment) -> str:
    """The same of one that we made, and that is reconciled in Xero."""
    return f"{_both_sides(state, key, link, seen)}, is reconciled: unreconcile it there first"


def _both_sides(state: InvoiceState, key: str, link: Link, seen: Payment | None) -> str:
    now = next((one for one in state.payments if one.key == key), None)
    if now is not None and now.pays:
        ours = f"its payment {plain(now.payment_id)} was changed in Caspen and is {now.amount:.2f} of {now.date} there"
    elif now is not None:
        ours = f"its payment {plain(now.payment_id)} of {now.amount:.2f} of {now.date} was removed in Caspen"
    else:
        ours = f"its payment {plain(payment_id_in(key))} was removed, or put on another invoice, in Caspen"
    day = f" of {seen.date}" if seen is not None and seen.date else ""
    amount = link.total if seen is None or seen.amount is None else seen.amount
    return f"{ours}; the one in Xero, {amount or 0:.2f}{day}"
