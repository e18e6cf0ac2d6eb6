"""Which invoices are not in Xero as they are in Caspen, one row per invoice and trouble; those that no push has reached yet too."""

from __future__ import annotations

from typing import Any

from caspen_xero.store import other_homes, todo, waiting
from caspen_xero.store.journal import invoices_under_way
from caspen_xero.store.listing import ListedInvoice, pending_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.waiting import WhyLike
from caspen_xero.sync.books.books import Books
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.fix_commands import connected_first, push_command
from caspen_xero.sync.planning.approvals import IS_DRAFT, TO_BE_APPROVED, UNDER_WAY
from caspen_xero.sync.planning.ways_out import APPROVE, MORE_APPROVALS
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.other_homes import END_ONE
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.times import local
from caspen_xero.xero.deeplinks import XeroPages
from caspen_xero.xero.documents import UNAPPROVED


def unsynced_rows(store: Store, mappings: Mappings | None, settings: Settings, books: Books) -> list[dict[str, Any]]:
    """The rows of `unsynced`, oldest invoice first; amounts are decimal strings, times ISO 8601 in UTC.

    `choices`: the answers that are possible (`Choice`), where the fix is a command that asks.
    """
    rows = [_row_of(trouble, books) for trouble in books.troubles]
    if books.counts["pending"]:
        rows += _pending_rows(store, mappings, settings, books)
    return sorted(rows, key=lambda row: (row["date"] or "", row["number"] or "", row["invoice_id"], row["code"]))


def _pending_rows(store: Store, mappings: Mappings | None, settings: Settings, books: Books) -> list[dict[str, Any]]:
    """Those with which nothing is wrong, and why they are not in Xero yet."""
    whys: dict[str, WhyLike] = {}
    if mappings:
        drafts = waiting.drafts(mappings) if settings.invoice_status == "draft" else ()
        whys = {**dict.fromkeys(drafts, IS_DRAFT), **waiting.whys(mappings)}
    pages = pages_of(mappings) if mappings else XeroPages()
    accepted = {one.invoice_id for one in books.accepted}
    unseen, under_way = _why_unseen(store, mappings), invoices_under_way(mappings) if mappings else set()
    told = [_row_of(one, books) for one in books.waiting if books.state_of(one) == "pending"]
    is_told = {row["invoice_id"] for row in told}
    return told + [
        _row(listed)
        | (
            _why_waiting(listed, whys[listed.invoice_id], pages)
            if listed.invoice_id in whys
            else _why_pending(
                listed, settings, unseen, listed.invoice_id in under_way, is_accepted=listed.invoice_id in accepted
            )
        )
        for listed in books.judged(pending_invoices(store, mappings, settings.start_date))
        if listed.sync_status == "pending" and listed.invoice_id not in is_told
    ]


def _row_of(trouble: Trouble, books: Books) -> dict[str, Any]:
    return _row(trouble.invoice) | {
        "code": trouble.code,
        "reason": trouble.reason,
        "fix": trouble.fix,
        "xero_says": trouble.xero_says,
        "attempts": trouble.attempts,
        "first_failed_at": trouble.first_failed_at,
        "last_tried_at": trouble.last_tried_at,
        "choices": trouble.choices,
        "sync_status": books.state_of(trouble),
    }


def _row(listed: ListedInvoice) -> dict[str, Any]:
    """A row of what no push has come to."""
    return {
        "number": listed.number,
        "invoice_id": listed.invoice_id,
        "client": listed.client,
        "date": listed.issue_date.isoformat() if listed.issue_date else None,
        "total": None if listed.total is None else f"{listed.total:f}",
        "currency": listed.currency,
        "code": "",
        "reason": "",
        "fix": "",
        "xero_says": None,
        "attempts": 0,
        "first_failed_at": None,
        "last_tried_at": None,
        "sync_status": listed.sync_status,
        "choices": (),
    }


def _why_unseen(store: Store, mappings: Mappings | None) -> dict[str, str]:
    """Why no push has reached an invoice, and what brings one there."""
    reason = "no push has sent it yet"
    fix = connected_first("caspen-xero push", connected=store.connection() is not None)
    if mappings is not None and (declined := todo.declined_at(mappings)) is not None:
        reason += f"; the first one was declined on {local(declined)}"
    if mappings is not None and other_homes.another_home(mappings) is not None:
        reason, fix = "nothing is sent while another copy of this workspace sends to Xero too", END_ONE
    return {"code": ProblemCode.NOT_PUSHED_YET, "reason": reason, "fix": fix}


def _why_pending(
    listed: ListedInvoice, settings: Settings, unseen: dict[str, str], is_under_way: bool, *, is_accepted: bool
) -> dict[str, str]:
    """The same, by how far it has come: what of it was sent without an answer, what is in Xero as a draft, or as it was before."""
    if unseen["fix"] == END_ONE:
        return unseen
    reason = unseen["reason"]
    if is_under_way:
        reason = UNDER_WAY
    elif listed.xero_status in UNAPPROVED and settings.invoice_status != "draft":
        reason = TO_BE_APPROVED
    elif is_accepted:
        reason = "a person is content with how it is in Xero, and no push has looked since at what is left to do"
    elif listed.xero_invoice_id is not None:
        reason = "it is in Xero, and no push has looked at it since something of it changed"
    return {**unseen, "reason": reason}


def _why_waiting(listed: ListedInvoice, why: WhyLike, pages: XeroPages) -> dict[str, str]:
    is_draft = why.code == ProblemCode.WAITS_FOR_APPROVAL
    way_out = (APPROVE if is_draft else MORE_APPROVALS).format(
        there=pages.there(listed.xero_invoice_id), push=push_command(listed.number, listed.invoice_id)
    )
    return {"code": why.code, "reason": why.reason, "fix": way_out}
