"""Caspen's records into the store: one transaction, idempotent, never back to an older `updated_at`.

`touched` is the number of the import that last changed anything which concerns an invoice (its lines, its payments, its credit
notes) or a client; a link that is `done_up_to` that number has nothing left to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from caspen_xero.caspen.feed import BadRecord
from caspen_xero.caspen.records import (
    Client,
    Contact,
    CreditNote,
    Invoice,
    Payment,
    PaymentMethod,
    Record,
    TaxRate,
    allocation_key,
)
from caspen_xero.store.bad_records import BadRecords, WithoutInvoice, without_invoice
from caspen_xero.store.named_payments import keep_named
from caspen_xero.store.purged import PURGEABLE, Purged, is_wanted_again
from caspen_xero.store.store import Store, utc_text

LAST_NEWS = "import_with_news"
"""The setting that has the number of the last import that changed anything."""

LAST_READ = "last_import"
"""The setting that has what records were last read from. Where no source is set, Caspen is told of payments there."""

SHOWN_BAD_RECORDS = 1000
_LONGEST_NAME = 1000
_STAYS_PURGED = "purged"


@dataclass
class ImportResult:
    """How many records of each kind were new, changed, unchanged or older than what is known; and the bad ones.

    `unread_payments`: the ids (else the places) of bad ones that are payments, or may be, and did not come again as they should
    be. `ignored`: records of kinds that the feed does not have. `without_invoice`: what the store now has of payments and credit
    notes whose invoice was never imported. `read_before`: from where records were last read before these, where files were given.
    """

    new: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    older: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)
    bad_count: int = 0
    unread_payments: set[str] = field(default_factory=set)
    ignored: Mapping[str, int] = field(default_factory=dict)
    without_invoice: list[WithoutInvoice] = field(default_factory=list)
    read_before: str | None = None

    @property
    def read(self) -> int:
        """Good records read."""
        return sum(sum(counts.values()) for counts in (self.new, self.changed, self.unchanged, self.older))


def import_records(store: Store, records: Iterable[Record | BadRecord]) -> ImportResult:
    """Takes records into the store in one transaction; an error while reading them (`FeedError`) leaves it as it was."""
    result = ImportResult()
    with store.write():
        number = int(store.setting("imports") or "0") + 1
        store.set_setting("imports", str(number))
        bad_records = BadRecords(store, number)
        people: list[Record] = []
        for record in records:
            if isinstance(record, BadRecord):
                bad_records.keep(record)
                result.bad_count += 1
                if record.kind in (None, "payment"):
                    result.unread_payments.add(record.id or record.where)
                if result.bad_count <= SHOWN_BAD_RECORDS:
                    result.bad.append(record)
                continue
            if record.object == "payment":
                result.unread_payments.discard(record.id)
            outcome = _KEEP[record.object](store, record, number)
            if outcome == _STAYS_PURGED:
                outcome = "unchanged"
                if record.object in ("client", "contact"):
                    people.append(record)
            getattr(result, outcome)[record.object] += 1
            if outcome != "older":
                bad_records.mended(record)
        for record in people:  # by now it is known who is on a new invoice
            _KEEP[record.object](store, record, number)
        result.without_invoice = without_invoice(store)
        if result.new or result.changed:
            store.set_setting(LAST_NEWS, str(number))
    return result


def _keep(store: Store, table: str, record: Any, columns: dict[str, Any]) -> str:
    """Writes a record's row; gives 'new', 'changed', 'unchanged', 'older' or that it stays purged.

    `columns` holds what is not `id` or `record`.
    """
    body = record.model_dump_json(exclude={"updated_at"}, exclude_none=True)
    updated_at = utc_text(record.updated_at) if getattr(record, "updated_at", None) else None
    dated = "updated_at" if updated_at else "NULL"
    purged = "purged" if table in PURGEABLE else "NULL"
    known = store.row(f"SELECT record, {dated} AS updated_at, {purged} AS purged FROM {table} WHERE id = ?", record.id)
    if known and updated_at and known["updated_at"] and updated_at < known["updated_at"]:
        return "older"
    if updated_at:
        columns = {**columns, "updated_at": updated_at}
    if table in PURGEABLE:
        columns = {**columns, "purged": None}
    seal = Purged.of(known["purged"]) if known else None
    if known and (known["record"] == body if seal is None else seal.is_of(body)):
        if updated_at and updated_at != known["updated_at"]:
            store.run(f"UPDATE {table} SET updated_at = ? WHERE id = ?", updated_at, record.id)
        if seal is None:
            return "unchanged"
        if not is_wanted_again(store, table, record.id):
            return _STAYS_PURGED
        name = ", name = ?" if "name" in columns else ""
        put_back = f"UPDATE {table} SET record = ?, purged = NULL{name} WHERE id = ?"
        store.run(put_back, body, *([columns["name"]] if name else []), record.id)
        return "unchanged"
    row = {"id": record.id, **columns, "record": body}
    names = ", ".join(row)
    updates = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
    store.run(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))}) ON CONFLICT (id) DO UPDATE SET {updates}",
        *row.values(),
    )
    return "changed" if known else "new"


def _text(amount: object) -> str | None:
    return None if amount is None else f"{amount:f}"


def _keep_tax_rate(store: Store, rate: TaxRate, number: int) -> str:
    return _keep(
        store, "tax_rates", rate, {"name": rate.name, "rate": _text(rate.rate), "archived": int(rate.archived)}
    )


def _keep_payment_method(store: Store, method: PaymentMethod, number: int) -> str:
    return _keep(store, "payment_methods", method, {"name": method.name, "type": method.type})


def _keep_client(store: Store, client: Client, number: int) -> str:
    name = " ".join(part for part in (client.first_name, client.last_name) if part)[:_LONGEST_NAME]
    return _keep(store, "clients", client, {"name": name, "touched": number})


def _keep_contact(store: Store, contact: Contact, number: int) -> str:
    name = (contact.company or " ".join(part for part in (contact.first_name, contact.last_name) if part))[
        :_LONGEST_NAME
    ]
    return _keep(store, "contacts", contact, {"name": name, "touched": number})


def _keep_invoice(store: Store, invoice: Invoice, number: int) -> str:
    columns = {
        "number": invoice.number,
        "status": invoice.status,
        "client_id": invoice.client_id,
        "issue_date": invoice.issue_date.isoformat() if invoice.issue_date else None,
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "currency": invoice.currency,
        "subtotal": _text(invoice.subtotal),
        "tax": _text(invoice.tax),
        "total": _text(invoice.total),
        "touched": number,
    }
    return _keep(store, "invoices", invoice, columns)


def _keep_payment(store: Store, payment: Payment, number: int) -> str:
    columns = {
        "client_id": payment.client_id,
        "date": payment.date.isoformat(),
        "method_id": payment.method_id,
        "amount": _text(payment.amount),
        "status": payment.status,
        "xero_id": payment.xero_id.strip().lower() if payment.xero_id else None,  # as Xero writes its ids
    }
    if columns["xero_id"]:  # of an older record too: whatever an export has ever named was delivered
        parts = [(allocation.invoice_id, allocation.amount) for allocation in payment.allocations]
        keep_named(store, columns["xero_id"], payment.id, payment.amount, parts)
    outcome = _keep(store, "payments", payment, columns)
    if outcome in {"new", "changed"}:
        before = store.rows("SELECT invoice_id FROM allocations WHERE payment_id = ?", payment.id)
        store.run("DELETE FROM allocations WHERE payment_id = ?", payment.id)
        for allocation in payment.allocations:
            store.run(
                "INSERT INTO allocations (key, payment_id, id, invoice_id, amount, date) VALUES (?, ?, ?, ?, ?, ?)",
                allocation_key(payment.id, allocation.id),
                payment.id,
                allocation.id,
                allocation.invoice_id,
                _text(allocation.amount),
                allocation.date.isoformat() if allocation.date else None,
            )
        _touch(store, {row["invoice_id"] for row in before} | {a.invoice_id for a in payment.allocations}, number)
    return outcome


def _keep_credit_note(store: Store, note: CreditNote, number: int) -> str:
    columns = {
        "number": note.number,
        "invoice_id": note.invoice_id,
        "date": note.date.isoformat(),
        "status": note.status,
        "subtotal": _text(note.subtotal),
        "tax": _text(note.tax),
        "total": _text(note.total),
    }
    before = store.row("SELECT invoice_id FROM credit_notes WHERE id = ?", note.id)
    outcome = _keep(store, "credit_notes", note, columns)
    if outcome in {"new", "changed"}:
        _touch(store, {note.invoice_id} | ({before["invoice_id"]} if before else set()), number)
    return outcome


def _touch(store: Store, invoice_ids: set[str], number: int) -> None:
    for invoice_id in invoice_ids:
        store.run("UPDATE invoices SET touched = ? WHERE id = ?", number, invoice_id)


_KEEP: dict[str, Any] = {
    "tax_rate": _keep_tax_rate,
    "payment_method": _keep_payment_method,
    "client": _keep_client,
    "contact": _keep_contact,
    "invoice": _keep_invoice,
    "payment": _keep_payment,
    "credit_note": _keep_credit_note,
}
