"""An invoice that a person linked though it differs: what is to be left alone before they say that it is the same debt. Pure."""

from __future__ import annotations

from caspen_xero.outside_text import plain
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import link_command, push_command, unlink_command
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import UNAPPROVED


def may_be_anothers(planner: Planner, state: InvoiceState, link: Link) -> bool:
    """Whether something is to be written to, paid or credited on an invoice whose contact or currency is another."""
    if not link.keeps_money_out:
        return False
    is_changed = link.fingerprint not in (None, state.fingerprint) or state.invoice.id in planner.snapshot.overwrite
    return is_changed or link.status in UNAPPROVED or _has_money_to_send(planner, state)


def unlink_or_same_debt(number: str | None, link: Link) -> str:
    """The two ways out of an invoice that may be somebody else's debt: nothing else is ever written there."""
    same = link_command(number, link.caspen_id, link.xero_id, force=True, with_payments=True)
    unlink = unlink_command(number, link.caspen_id)
    return f"If it is another invoice: {unlink}; if it is the same debt all the same: {same}"


def leave_alone(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Says so: nothing of it is sent."""
    number, id_ = state.invoice.number, state.invoice.id
    names = " and ".join(link.despite.anothers if link.despite else ())
    same = link_command(number, id_, link.xero_id, force=True, with_payments=True)
    reason = (
        f"a person linked it to {plain(link.number)} in Xero, whose {names} is another: nothing is written, paid or credited there;"
        f" if it is the same debt all the same: {same}"
    )
    planner.problem(state, ProblemCode.LINKED_WITH_DIFFERENCES, reason, unlink_command(number, id_))


def unlink_or_correct(state: InvoiceState) -> str:
    """The fix for figures in spite of which a person has linked an invoice."""
    number, id_ = state.invoice.number, state.invoice.id
    return f"If it is another invoice: {unlink_command(number, id_)}; else correct one of them, then: {push_command(number, id_)}"


def _has_money_to_send(planner: Planner, state: InvoiceState) -> bool:
    links = state.payment_links
    there = {key for key, link in links.items() if link.invoice_id == state.invoice.id and not link.is_deleted}
    payments = any(one.pays and not one.xero_id and one.key not in there for one in state.payments)
    credits = any(note.status == "issued" and note.id not in state.allocation_links for note in state.credit_notes)
    return credits or (payments and not planner.snapshot.settings.feed_brings_payments)
