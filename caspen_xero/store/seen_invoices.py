"""How each linked invoice looked in Xero when a pull last saw it, and what on it somebody had changed there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from caspen_xero.cents import money_text
from caspen_xero.store.imports import LAST_NEWS
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time

PULLED_AT = "pulled_at"
"""The setting that says when a pull last ended that has looked at all that changed in Xero (UTC)."""
DiscrepancyCode = Literal[
    "payment-gone-in-xero",
    "payment-changed-in-xero",
    "payment-twice-in-xero",
    "payment-astray-in-xero",
    "credit-gone-in-xero",
    "credit-changed-in-xero",
    "credit-note-voided-in-xero",
    "credit-astray-in-xero",
    "invoice-edited-in-xero",
    "details-edited-in-xero",
    "voided-in-xero",
    "draft-in-caspen",
    "figures-differ",
    "paid-in-caspen-only",
    "paid-in-xero-only",
]

PAYMENT_GONE: DiscrepancyCode = "payment-gone-in-xero"
"""What stood on it was deleted there, or taken off."""

DETAILS_EDITED: DiscrepancyCode = "details-edited-in-xero"
"""What is no difference: account, tax type, reference, due date or text, edited in Xero, where it stays."""

DOCUMENT_EDITED: DiscrepancyCode = "invoice-edited-in-xero"
"""What both sides have to agree on was edited there: number, contact, date, currency or figures."""

EDITED: tuple[DiscrepancyCode, ...] = (DOCUMENT_EDITED, DETAILS_EDITED)
"""What somebody has edited in an invoice itself; which of the two, by whether it is details."""


@dataclass(frozen=True)
class Discrepancy:
    """Something on an invoice that somebody changed in Xero: what we know, what Xero shows, and since when (ISO 8601, UTC).

    `subject`: the Xero id of the payment, allocation or credit note that it is about; "" for the invoice itself. `amount`: of a
    payment that is astray, as text. `facts`: the ids, amounts and statuses that differ; of an edit the seal of what Xero shows
    (`Link.shown`), where it is known.
    """

    code: DiscrepancyCode
    subject: str
    caspen: str
    xero: str
    since: str
    amount: str | None = None
    facts: Sequence[str] = ()


@dataclass(frozen=True)
class SeenNote:
    """A credit note of Caspen's as it was when it was looked up by itself; all None: Xero did not know it."""

    status: str | None = None
    total: Decimal | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class SeenInvoice:
    """A linked invoice as pull last saw it.

    `payments`: the ids shown; `allocations`: (credit id, amount) of credits that are not ours, by AllocationID; `credits`: what was
    applied, by the credit's id. `whole` False: something that it shows could not be read, or told from Caspen's own, yet.

    `notes`: what became of credit notes of Caspen's that are not on it as they were, by CreditNoteID. `judged_by`: where what
    it shows is ours and not as Caspen has it, what Caspen had then (`caspen_now`); None where nothing hangs on that.
    """

    invoice_id: str
    xero_id: str
    updated_at: datetime | None
    payments: frozenset[str] = frozenset()
    allocations: Mapping[str, tuple[str, Decimal]] = field(default_factory=dict)
    credits: Mapping[str, Decimal] = field(default_factory=dict)
    discrepancies: Sequence[Discrepancy] = ()
    whole: bool = True
    notes: Mapping[str, SeenNote] = field(default_factory=dict)
    judged_by: str | None = None

    @property
    def gone(self) -> set[str]:
        """The ids of the payments and allocations that stood there, and no longer do."""
        return {one.subject for one in self.discrepancies if one.code == "payment-gone-in-xero"}


def as_last_seen(mappings: Mappings, invoice_ids: Iterable[str]) -> dict[str, SeenInvoice]:
    """Invoices as pull last saw them, by Caspen id; one that it has not seen is left out."""
    sql = "SELECT * FROM seen_invoices WHERE tenant_id = ? AND invoice_id IN ({})"
    return {row["invoice_id"]: _seen(row) for row in mappings.store.rows_among(sql, invoice_ids, mappings.tenant_id)}


def discrepancies(mappings: Mappings) -> list[tuple[str, Discrepancy]]:
    """All that was found changed in Xero, with the Caspen invoice's id."""
    sql = "SELECT invoice_id, discrepancies FROM seen_invoices WHERE tenant_id = ? AND discrepancies <> '[]'"
    rows = mappings.store.rows(sql, mappings.tenant_id)
    return [(row["invoice_id"], Discrepancy(**told)) for row in rows for told in json.loads(row["discrepancies"])]


def keep_seen(mappings: Mappings, seen: SeenInvoice) -> None:
    """Keeps how an invoice looks now."""
    mappings.store.run(
        "INSERT OR REPLACE INTO seen_invoices (tenant_id, invoice_id, xero_id, payments, allocations, credits, discrepancies, "
        "updated_at, whole, notes, judged_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        mappings.tenant_id,
        seen.invoice_id,
        seen.xero_id,
        json.dumps(sorted(seen.payments)),
        *(json.dumps(dict(part), default=_plain) for part in (seen.allocations, seen.credits)),
        json.dumps([vars(discrepancy) for discrepancy in seen.discrepancies]),
        utc_text(seen.updated_at) if seen.updated_at else None,
        int(seen.whole),
        json.dumps({id_: vars(note) for id_, note in seen.notes.items()}, default=_plain),
        seen.judged_by,
    )


def caspen_now(mappings: Mappings) -> str:
    """What stands for all that Caspen has, and all that is linked: another one as soon as anything of it is new or changed."""
    latest = mappings.store.row("SELECT MAX(linked_at) AS at FROM links WHERE tenant_id = ?", mappings.tenant_id)
    return f"{mappings.store.setting(LAST_NEWS) or ''} {(latest['at'] if latest else None) or ''}"


def notes_looked_up(mappings: Mappings) -> list[tuple[str, dict[str, SeenNote]]]:
    """InvoiceIDs of linked invoices that credit notes of Caspen's are not on as they were, with what became of these."""
    rows = mappings.store.rows(
        "SELECT s.xero_id, s.notes FROM seen_invoices s JOIN links l ON l.tenant_id = s.tenant_id AND l.kind = 'invoice' "
        "AND l.caspen_id = s.invoice_id AND l.xero_id = s.xero_id WHERE s.tenant_id = ? AND s.notes <> '{}' ORDER BY s.invoice_id",
        mappings.tenant_id,
    )
    return [(row["xero_id"], _notes(row["notes"])) for row in rows]


def unseen(mappings: Mappings) -> list[str]:
    """InvoiceIDs of linked invoices that pull has not seen, or not wholly: linked after what they show had been passed by.

    So are those that show what is ours and not as Caspen has it, once Caspen has anything new.
    """
    rows = mappings.store.rows(
        "SELECT l.xero_id FROM links l LEFT JOIN seen_invoices s ON s.tenant_id = l.tenant_id AND s.invoice_id = l.caspen_id "
        "AND s.xero_id = l.xero_id AND s.whole AND COALESCE(s.judged_by, ?2) = ?2 "
        "WHERE l.tenant_id = ?1 AND l.kind = 'invoice' AND s.invoice_id IS NULL "
        "ORDER BY l.caspen_id",
        mappings.tenant_id,
        caspen_now(mappings),
    )
    return [row["xero_id"] for row in rows]


def look_again(mappings: Mappings, invoice_id: str) -> None:
    """Has the next pull look at an invoice though Xero shows no change: what was answered about it may have been out of date."""
    sql = "UPDATE seen_invoices SET whole = 0, notes = '{}' WHERE tenant_id = ? AND invoice_id = ?"
    mappings.store.run(sql, mappings.tenant_id, invoice_id)


def replace_edits(mappings: Mappings, invoice_id: str, xero_id: str, edits: Sequence[Discrepancy]) -> None:
    """Makes these all that was edited in an invoice in Xero beside what was written; what was known before, since then."""
    seen = as_last_seen(mappings, [invoice_id]).get(invoice_id)
    before = seen.discrepancies if seen and seen.xero_id == xero_id else ()
    since = {(one.code, one.caspen, one.xero): one.since for one in before if one.code in EDITED}
    found = [one for one in before if one.code not in EDITED]
    found += [replace(one, since=since.get((one.code, one.caspen, one.xero), one.since)) for one in edits]
    if found == list(before):
        return
    if seen is None or seen.xero_id != xero_id:
        keep_seen(mappings, SeenInvoice(invoice_id, xero_id, None, discrepancies=found, whole=False))
        return
    mappings.store.run(
        "UPDATE seen_invoices SET discrepancies = ? WHERE tenant_id = ? AND invoice_id = ?",
        json.dumps([vars(one) for one in found]),
        mappings.tenant_id,
        invoice_id,
    )


def money_stays(mappings: Mappings, invoice_id: str, before: datetime | None, after: datetime | None) -> None:
    """Notes that we changed an invoice (its `UpdatedDateUTC` before and after), and that no money has moved there by then."""
    if before is not None and after is not None:
        mappings.store.run(
            "UPDATE seen_invoices SET money_at = ?4 WHERE tenant_id = ?1 AND invoice_id = ?2 "
            "AND MAX(updated_at, COALESCE(money_at, '')) >= ?3",
            mappings.tenant_id,
            invoice_id,
            utc_text(before),
            utc_text(after),
        )


def first_change(mappings: Mappings) -> datetime | None:
    """The oldest moment at which Xero can have changed an invoice that we made, by Xero's clock; None if nobody can know."""
    row = mappings.store.row(
        "SELECT MIN(xero_updated_at) AS first, SUM(xero_updated_at IS NULL) AS unknown FROM links "
        "WHERE tenant_id = ? AND kind = 'invoice' AND made_by_us",
        mappings.tenant_id,
    )
    return utc_time(row["first"]) if row and not row["unknown"] else None


def _seen(row: sqlite3.Row) -> SeenInvoice:
    return SeenInvoice(
        invoice_id=row["invoice_id"],
        xero_id=row["xero_id"],
        updated_at=utc_time(row["updated_at"]),
        payments=frozenset(json.loads(row["payments"])),
        allocations={id_: (credit, Decimal(used)) for id_, (credit, used) in json.loads(row["allocations"]).items()},
        credits={id_: Decimal(applied) for id_, applied in json.loads(row["credits"]).items()},
        discrepancies=[Discrepancy(**told) for told in json.loads(row["discrepancies"])],
        whole=bool(row["whole"]),
        notes=_notes(row["notes"]),
        judged_by=row["judged_by"],
    )


def _notes(told: str) -> dict[str, SeenNote]:
    return {
        id_: SeenNote(
            note["status"], None if note["total"] is None else Decimal(note["total"]), utc_time(note["updated_at"])
        )
        for id_, note in json.loads(told).items()
    }


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return money_text(value)
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"{type(value).__name__} can't be kept")
