"""The problems that people see in `unsynced`, as the last push that looked at an invoice left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text


class ProblemLike(Protocol):
    """What a problem needs to be kept (the engine's `Problem`)."""

    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def fix(self) -> str: ...
    @property
    def xero_says(self) -> str | None: ...
    @property
    def attempts(self) -> int | None: ...
    @property
    def about(self) -> str: ...


def with_problems(mappings: Mappings) -> set[str]:
    """The invoices that have a problem."""
    rows = mappings.store.rows("SELECT DISTINCT invoice_id FROM problems WHERE tenant_id = ?", mappings.tenant_id)
    return {row["invoice_id"] for row in rows}


def drop_other_problems(mappings: Mappings, invoice_ids: Iterable[str], *, but: str) -> None:
    """Forgets the problems of all invoices but these: they are void in Caspen by now, set aside, or before the start date.

    `but`: the code of what stays on a linked invoice, for only a look into Xero can settle it.
    """
    sql = (
        "DELETE FROM problems WHERE tenant_id = ? AND invoice_id = ? AND NOT (code = ? AND subject = '' AND EXISTS (SELECT 1 "
        "FROM links l WHERE l.tenant_id = problems.tenant_id AND l.kind = 'invoice' AND l.caspen_id = problems.invoice_id))"
    )
    with mappings.store.write():
        for invoice_id in with_problems(mappings) - set(invoice_ids):
            mappings.store.run(sql, mappings.tenant_id, invoice_id, but)


def reasons(mappings: Mappings, code: str) -> dict[str, str]:
    """The invoices that have one problem themselves, and why."""
    rows = mappings.store.rows(
        "SELECT invoice_id, reason FROM problems WHERE tenant_id = ? AND code = ? AND subject = ''",
        mappings.tenant_id,
        code,
    )
    return {row["invoice_id"]: row["reason"] for row in rows}


def add_problem(mappings: Mappings, invoice_id: str, problem: ProblemLike, now: datetime) -> None:
    """Adds one problem to those of an invoice, or says it anew."""
    _put(mappings, invoice_id, problem, _known(mappings, invoice_id), now)


def drop_problem(mappings: Mappings, invoice_id: str, code: str) -> None:
    """Forgets one problem of an invoice: it was seen to be settled in Xero."""
    mappings.store.run(
        "DELETE FROM problems WHERE tenant_id = ? AND invoice_id = ? AND code = ? AND subject = ''",
        mappings.tenant_id,
        invoice_id,
        code,
    )


def drop_problems_about(mappings: Mappings, subject: str, codes: Iterable[str] | None = None) -> list[str]:
    """Forgets the problems (of some `codes`) about one subject, such as a client; gives the ids of the invoices that had them."""
    wanted = None if codes is None else set(codes)
    sql = "SELECT invoice_id, code FROM problems WHERE tenant_id = ? AND subject = ?"
    found = [
        (row["invoice_id"], row["code"])
        for row in mappings.store.rows(sql, mappings.tenant_id, subject)
        if wanted is None or row["code"] in wanted
    ]
    for invoice_id, code in found:
        mappings.store.run(
            "DELETE FROM problems WHERE tenant_id = ? AND subject = ? AND invoice_id = ? AND code = ?",
            mappings.tenant_id,
            subject,
            invoice_id,
            code,
        )
    return list(dict.fromkeys(invoice_id for invoice_id, _ in found))


def replace_problems(mappings: Mappings, invoice_id: str, problems: Iterable[ProblemLike], now: datetime) -> None:
    """Makes these the problems of an invoice. One that was there before keeps its first time and counts one try more."""
    with mappings.store.write():
        known = _known(mappings, invoice_id)
        mappings.store.run(
            "DELETE FROM problems WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id
        )
        for problem in problems:
            _put(mappings, invoice_id, problem, known, now)


def _known(mappings: Mappings, invoice_id: str) -> dict[tuple[str, str], Any]:
    sql = "SELECT * FROM problems WHERE tenant_id = ? AND invoice_id = ?"
    return {(row["code"], row["subject"]): row for row in mappings.store.rows(sql, mappings.tenant_id, invoice_id)}


def _put(
    mappings: Mappings, invoice_id: str, problem: ProblemLike, known: Mapping[tuple[str, str], Any], now: datetime
) -> None:
    before = known.get((problem.code, problem.subject))
    attempts = problem.attempts or (before["attempts"] + 1 if before else 1)
    mappings.store.run(
        "INSERT OR REPLACE INTO problems (tenant_id, invoice_id, code, subject, reason, fix, xero_says, attempts, "
        "first_failed_at, last_tried_at, about) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        mappings.tenant_id,
        invoice_id,
        problem.code,
        problem.subject,
        problem.reason,
        problem.fix,
        problem.xero_says,
        attempts,
        before["first_failed_at"] if before else utc_text(now),
        utc_text(now),
        problem.about,
    )


def problems(mappings: Mappings, invoice_id: str | None = None) -> list[Mapping[str, Any]]:
    """Problems as kept, by invoice date and number, with the invoice's own columns; of one invoice, or of all."""
    one = " AND p.invoice_id = ?" if invoice_id else ""
    rows = mappings.store.rows(
        "SELECT p.*, i.number, c.name AS client, i.issue_date, i.total, i.currency, i.status FROM problems p "
        f"JOIN invoices i ON i.id = p.invoice_id LEFT JOIN clients c ON c.id = i.client_id WHERE p.tenant_id = ?{one} "
        "AND p.invoice_id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id, p.code",
        mappings.tenant_id,
        *([invoice_id] if invoice_id else []),
    )
    return [dict(row) for row in rows]
