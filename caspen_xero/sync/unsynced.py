"""Which invoices are not wholly in Xero, one row per invoice and problem; those that no push has reached yet too."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from caspen_xero.store import other_homes, problems, waiting
from caspen_xero.store.bad_records import bad_records_on, lone_invoices
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.listing import ListedInvoice, list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.waiting import WhyLike
from caspen_xero.sync.planning.bad_records import problem_of_known, problem_of_lone, subject_of
from caspen_xero.sync.planning.invoices import IS_DRAFT
from caspen_xero.sync.problems import Problem, ProblemCode, named_rightly, push_command
from caspen_xero.sync.sending.other_homes import END_ONE
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import UNAPPROVED


def unsynced_rows(store: Store, mappings: Mappings | None, settings: Settings) -> list[dict[str, Any]]:
    """The rows of `unsynced`, oldest invoice first; amounts are decimal strings, times ISO 8601 in UTC."""
    found = problems.problems(mappings) if mappings else []
    listed_ones = list_invoices(store, mappings, settings.start_date)
    bad = _with_bad_records(store, settings, listed_ones, {(row["invoice_id"], row["subject"]) for row in found})
    with_problem = {row["invoice_id"] for row in (*found, *bad)}
    pending = [
        listed for listed in listed_ones if listed.sync_status == "pending" and listed.invoice_id not in with_problem
    ]
    whys: dict[str, WhyLike] = {}
    if mappings:
        whys = {**dict.fromkeys(waiting.drafts(mappings), IS_DRAFT), **waiting.whys(mappings)}
    unseen = _why_unseen(mappings)
    rows = [
        {
            "number": problem["number"],
            "invoice_id": problem["invoice_id"],
            "client": problem["client"] or "",
            "date": problem["issue_date"],
            "total": problem["total"],
            "currency": problem["currency"],
            "code": problem["code"],
            "reason": problem["reason"],
            "fix": problem["fix"],
            "xero_says": problem["xero_says"],
            "attempts": problem["attempts"],
            "first_failed_at": problem["first_failed_at"],
            "last_tried_at": problem["last_tried_at"],
        }
        for problem in found
    ]
    rows += bad
    rows += [
        _row(listed)
        | (
            _why_waiting(listed, whys[listed.invoice_id])
            if listed.invoice_id in whys
            else _why_pending(listed, settings, unseen)
        )
        for listed in pending
    ]
    names = InvoiceNames(store)
    rows = [named_rightly(row, row["invoice_id"], names) for row in rows]
    return sorted(rows, key=lambda row: (row["date"] or "", row["number"] or "", row["invoice_id"], row["code"]))


def _with_bad_records(
    store: Store, settings: Settings, listed: Iterable[ListedInvoice], known: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The rows of invoices that a bad record concerns, which no push has noted yet (`known`), or that have no other record."""
    concerned, lone = bad_records_on(store), {one.bad.id for one in lone_invoices(store, settings.start_date)}
    return [
        _row(one)
        | _as_row(
            problem_of_lone(bad, one.invoice_id, settings.source)
            if one.invoice_id in lone
            else problem_of_known(bad, one.invoice_id, one.number, settings.source)
        )
        for one in (listed if concerned else ())
        if one.sync_status in ("pending", "synced", "unsynced")
        for bad in concerned.get(one.invoice_id, ())
        if (one.invoice_id, subject_of(bad)) not in known
    ]


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
    }


def _as_row(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "reason": problem.reason, "fix": problem.fix}


def _why_unseen(mappings: Mappings | None) -> dict[str, str]:
    """Why no push has reached an invoice, and what brings one there."""
    reason, fix = "no push has reached it yet", "caspen-xero push" if mappings else "caspen-xero connect"
    if mappings is not None and other_homes.another_home(mappings) is not None:
        reason, fix = "nothing is sent while another copy of this workspace sends to Xero too", END_ONE
    return {"code": ProblemCode.NOT_PUSHED_YET, "reason": reason, "fix": fix}


def _why_pending(listed: ListedInvoice, settings: Settings, unseen: dict[str, str]) -> dict[str, str]:
    """The same; of a draft in Xero where approved ones are wanted, that it is one."""
    if (
        listed.xero_status not in UNAPPROVED
        or settings.invoice_status == "draft"
        or unseen["fix"] != "caspen-xero push"
    ):
        return unseen
    return {**unseen, "reason": "it is a draft in Xero, and no push has come to approve it yet"}


def _why_waiting(listed: ListedInvoice, why: WhyLike) -> dict[str, str]:
    push = push_command(listed.number, listed.invoice_id)
    fix = f"Approve it in Xero, then: {push}" if why.code == ProblemCode.WAITS_FOR_APPROVAL else push
    return {"code": why.code, "reason": why.reason, "fix": fix}
