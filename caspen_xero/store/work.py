"""What is left to do and what is wrong: the invoices to look at, the problems that people see, and refusals to wait after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Protocol

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_text, utc_time

FINALISED = ("open", "paid")
_FIRST_WAIT = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=24)


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


@dataclass(frozen=True)
class Refusal:
    """Xero's last "no" to one operation on one record. It is tried again after `retry_after`, or when `basis` has changed."""

    operation: str
    caspen_id: str
    code: str
    reason: str
    fix: str
    xero_says: str | None
    attempts: int
    first_failed_at: datetime
    last_tried_at: datetime
    retry_after: datetime
    basis: str


def invoices_to_do(mappings: Mappings, start_date: str | None) -> list[str]:
    """Ids of invoices that may need something, oldest first.

    Those finalised or already in Xero whose last change is not settled; not the skipped ones, nor unlinked ones dated before
    `start_date` (`YYYY-MM-DD`).
    """
    rows = mappings.store.rows(
        "SELECT i.id FROM invoices i LEFT JOIN links l ON l.tenant_id = ? AND l.kind = 'invoice' AND l.caspen_id = i.id "
        "WHERE l.settled IS NOT i.touched AND (l.xero_id IS NOT NULL OR (i.status IN ('open', 'paid') AND i.issue_date >= ?)) "
        "AND i.id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id",
        mappings.tenant_id,
        start_date or "",
    )
    return [row["id"] for row in rows]


def contacts_to_do(mappings: Mappings) -> list[tuple[str, str, int]]:
    """Clients and payers (kind, id, import number) who changed since their contact, made by us, was last settled."""
    found: list[tuple[str, str, int]] = []
    for kind, table in (("contact", "clients"), ("payer", "contacts")):
        rows = mappings.store.rows(
            f"SELECT c.id, c.touched FROM {table} c JOIN links l ON l.tenant_id = ? AND l.kind = ? AND l.caspen_id = c.id "
            "WHERE l.made_by_us AND l.settled IS NOT c.touched",
            mappings.tenant_id,
            kind,
        )
        found += [(kind, row["id"], row["touched"]) for row in rows]
    return found


def touched(
    store: Store, ids: Iterable[str], table: Literal["invoices", "clients", "contacts"] = "invoices"
) -> dict[str, int]:
    """The import number that last changed each invoice (client, contact)."""
    return {
        row["id"]: row["touched"]
        for some in _lists(list(ids))
        for row in store.rows(f"SELECT id, touched FROM {table} WHERE id IN ({', '.join('?' * len(some))})", *some)
    }


def with_problems(mappings: Mappings) -> set[str]:
    """The invoices that have a problem."""
    rows = mappings.store.rows("SELECT DISTINCT invoice_id FROM problems WHERE tenant_id = ?", mappings.tenant_id)
    return {row["invoice_id"] for row in rows}


def drop_other_problems(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Forgets the problems of all invoices but these: they are void in Caspen by now, set aside, or before the start date."""
    with mappings.store.write():
        for invoice_id in with_problems(mappings) - set(invoice_ids):
            mappings.store.run(
                "DELETE FROM problems WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id
            )


def replace_problems(mappings: Mappings, invoice_id: str, problems: Iterable[ProblemLike], now: datetime) -> None:
    """Makes these the problems of an invoice. One that was there before keeps its first time and counts one try more."""
    with mappings.store.write():
        known = {
            (row["code"], row["subject"]): row
            for row in mappings.store.rows(
                "SELECT * FROM problems WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id
            )
        }
        mappings.store.run(
            "DELETE FROM problems WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id
        )
        for problem in problems:
            before = known.get((problem.code, problem.subject))
            attempts = problem.attempts or (before["attempts"] + 1 if before else 1)
            mappings.store.run(
                "INSERT OR REPLACE INTO problems (tenant_id, invoice_id, code, subject, reason, fix, xero_says, attempts, "
                "first_failed_at, last_tried_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            )


def problems(mappings: Mappings, invoice_id: str | None = None) -> list[Mapping[str, Any]]:
    """Problems as kept, by invoice date and number, with the invoice's own columns; of one invoice, or of all."""
    one = " AND p.invoice_id = ?" if invoice_id else ""
    rows = mappings.store.rows(
        "SELECT p.*, i.number, i.client_id, i.issue_date, i.total, i.currency, i.status FROM problems p "
        f"JOIN invoices i ON i.id = p.invoice_id WHERE p.tenant_id = ?{one} "
        "AND p.invoice_id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id, p.code",
        mappings.tenant_id,
        *([invoice_id] if invoice_id else []),
    )
    return [dict(row) for row in rows]


def refuse(
    mappings: Mappings,
    operation: str,
    caspen_id: str,
    code: str,
    reason: str,
    basis: str,
    now: datetime,
    *,
    xero_says: str | None = None,
    fix: str = "",
) -> None:
    """Notes a refusal; each further one for the same record waits twice as long before it is tried again by itself.

    An empty `fix` stands for "push the invoice again".
    """
    before = mappings.store.row(
        "SELECT attempts, first_failed_at FROM refusals WHERE tenant_id = ? AND operation = ? AND caspen_id = ?",
        mappings.tenant_id,
        operation,
        caspen_id,
    )
    attempts = before["attempts"] + 1 if before else 1
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    mappings.store.run(
        "INSERT OR REPLACE INTO refusals (tenant_id, operation, caspen_id, code, reason, fix, xero_says, attempts, "
        "first_failed_at, last_tried_at, retry_after, basis) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        mappings.tenant_id,
        operation,
        caspen_id,
        code,
        reason,
        fix,
        xero_says,
        attempts,
        before["first_failed_at"] if before else utc_text(now),
        utc_text(now),
        utc_text(now + wait),
        basis,
    )


def forgive(mappings: Mappings, operation: str | None = None, caspen_ids: Iterable[str] | None = None) -> None:
    """Forgets refusals: all, those of an operation, or those of some records."""
    condition, values = "tenant_id = ?", [mappings.tenant_id]
    if operation is not None:
        condition += " AND operation = ?"
        values.append(operation)
    if caspen_ids is None:
        mappings.store.run(f"DELETE FROM refusals WHERE {condition}", *values)
        return
    with mappings.store.write():
        for caspen_id in caspen_ids:
            mappings.store.run(f"DELETE FROM refusals WHERE {condition} AND caspen_id = ?", *values, caspen_id)


def retry_now(mappings: Mappings, caspen_ids: Iterable[str] | None = None) -> None:
    """Lets refused steps (all, or those of some records) be tried again at once; the tries so far still count."""
    with mappings.store.write():
        if caspen_ids is None:
            mappings.store.run("UPDATE refusals SET retry_after = '' WHERE tenant_id = ?", mappings.tenant_id)
            return
        for caspen_id in caspen_ids:
            mappings.store.run(
                "UPDATE refusals SET retry_after = '' WHERE tenant_id = ? AND caspen_id = ?",
                mappings.tenant_id,
                caspen_id,
            )


def refusals(mappings: Mappings, now: datetime) -> dict[tuple[str, str], Refusal]:
    """The refusals that are not yet to be tried again, by operation and record."""
    rows = mappings.store.rows(
        "SELECT * FROM refusals WHERE tenant_id = ? AND retry_after > ?", mappings.tenant_id, utc_text(now)
    )
    return {(row["operation"], row["caspen_id"]): _refusal(row) for row in rows}


def refusals_of(mappings: Mappings, operation: str, caspen_ids: Iterable[str]) -> list[Refusal]:
    """The refusals of an operation on some records."""
    sql = "SELECT * FROM refusals WHERE tenant_id = ? AND operation = ? AND caspen_id = ?"
    rows = (mappings.store.row(sql, mappings.tenant_id, operation, caspen_id) for caspen_id in caspen_ids)
    return [_refusal(row) for row in rows if row is not None]


def _refusal(row: Any) -> Refusal:
    def at(column: str) -> datetime:
        return utc_time(row[column]) or datetime.min.replace(tzinfo=UTC)

    return Refusal(
        operation=row["operation"],
        caspen_id=row["caspen_id"],
        code=row["code"],
        reason=row["reason"],
        fix=row["fix"],
        xero_says=row["xero_says"],
        attempts=row["attempts"],
        first_failed_at=at("first_failed_at"),
        last_tried_at=at("last_tried_at"),
        retry_after=at("retry_after"),
        basis=row["basis"],
    )


def forgive_invoices(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Lets what was refused of invoices and of all that belongs to them be tried at once: a person asked for these by name."""
    store = mappings.store
    for invoice_id in invoice_ids:
        ids = {invoice_id}
        for row in store.rows(
            "SELECT client_id, record ->> 'invoice_to_id' AS payer FROM invoices WHERE id = ?", invoice_id
        ):
            ids |= {f"contact:{row['client_id']}", f"payer:{row['payer']}"}
        ids |= {row["key"] for row in store.rows("SELECT key FROM allocations WHERE invoice_id = ?", invoice_id)}
        ids |= {link.caspen_id for link in mappings.links_of_invoices("payment", [invoice_id])}  # removed ones too
        ids |= {row["id"] for row in store.rows("SELECT id FROM credit_notes WHERE invoice_id = ?", invoice_id)}
        retry_now(mappings, ids)


def has_open_entries(mappings: Mappings) -> bool:
    """Whether an earlier run left a write whose answer is unknown."""
    sql = "SELECT 1 FROM journal WHERE tenant_id = ? AND state = 'sent' LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None


def has_pushed(mappings: Mappings) -> bool:
    """Whether any invoice was ever linked to this organisation."""
    sql = "SELECT 1 FROM links WHERE tenant_id = ? AND kind = 'invoice' LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None


def count_skipped(mappings: Mappings) -> int:
    """How many invoices a person has set aside."""
    row = mappings.store.row("SELECT COUNT(*) AS n FROM skips")
    return int(row["n"]) if row else 0


def oldest_date(mappings: Mappings, invoice_ids: Sequence[str]) -> date | None:
    """The oldest issue date among invoices."""
    days = [
        row["issue_date"]
        for some in _lists(invoice_ids)
        for row in mappings.store.rows(
            f"SELECT MIN(issue_date) AS issue_date FROM invoices WHERE id IN ({', '.join('?' * len(some))})", *some
        )
        if row["issue_date"]
    ]
    return date.fromisoformat(min(days)) if days else None


def other_currency(mappings: Mappings, invoice_ids: Sequence[str], base: str) -> bool:
    """Whether an invoice among these is in another currency than `base`."""
    return any(
        mappings.store.row(
            f"SELECT 1 FROM invoices WHERE currency <> ? AND id IN ({', '.join('?' * len(some))}) LIMIT 1", base, *some
        )
        for some in _lists(invoice_ids)
    )


def look_at_unsent_payments(mappings: Mappings) -> None:
    """Has invoices whose payments stayed out of Xero looked at again by the next push."""
    mappings.store.run(
        "UPDATE links SET settled = NULL WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id IN (SELECT invoice_id FROM "
        "allocations WHERE key NOT IN (SELECT caspen_id FROM links WHERE tenant_id = ? AND kind = 'payment'))",
        mappings.tenant_id,
        mappings.tenant_id,
    )


def _lists(values: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def forgive_approvals(mappings: Mappings) -> None:
    """Forgets that the organisation's plan had no approvals left: a person asks for another try."""
    forgive(mappings, "approve")


def stop_approvals(mappings: Mappings, operation: str, refused_ids: Sequence[str], now: datetime) -> None:
    """Where the organisation's plan has no approvals left: one problem, on the first invoice, and no more approving for now."""
    known = refusals(mappings, now)
    limited = [
        id_ for id_ in refused_ids if (operation, id_) in known and known[operation, id_].code == "approval-limit"
    ]
    if limited:
        refuse(mappings, "approve", "organisation", "approval-limit", known[operation, limited[0]].reason, "", now)
        forgive(mappings, operation, limited[1:])


def skip(store: Store, invoice_id: str, reason: str | None, now: datetime) -> None:
    """Sets an invoice aside for good: pushes pass it over and it is no longer unsynced."""
    store.run(
        "INSERT INTO skips (invoice_id, reason, skipped_at) VALUES (?, ?, ?) ON CONFLICT (invoice_id) DO UPDATE SET "
        "reason = excluded.reason",
        invoice_id,
        reason,
        utc_text(now),
    )


def unskip(store: Store, invoice_id: str) -> bool:
    """Takes an invoice back among those that pushes look after; False where it was not set aside."""
    return bool(store.run("DELETE FROM skips WHERE invoice_id = ?", invoice_id))
