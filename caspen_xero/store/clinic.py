"""Caspen's records, read back from the store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar

from caspen_xero.caspen.records import (
    FINALISED,
    PAYS,
    UNALLOCATED,
    Client,
    Contact,
    CreditNote,
    Invoice,
    Payment,
    PaymentMethod,
    TaxRate,
    rest_key,
)
from caspen_xero.commands import handle, is_handle
from caspen_xero.store.purged import Purged
from caspen_xero.store.searching import invoices_by_xero_id
from caspen_xero.store.store import Store

_Kind = TypeVar("_Kind", Client, Contact, CreditNote, Invoice, Payment, PaymentMethod, TaxRate)


@dataclass(frozen=True)
class AppliedPayment:
    """One allocation of a payment to an invoice, with what its payment says. `amount` in the invoice's currency.

    `key` names it among all allocations; `allocation_id` is unique only within its payment.
    """

    key: str
    allocation_id: str
    payment_id: str
    invoice_id: str
    amount: Decimal
    date: date
    status: str
    method_id: str | None
    xero_id: str | None

    @property
    def pays(self) -> bool:
        """Whether it pays its invoice: what is void, refunded or not allocated pays nothing."""
        return self.status == PAYS

    @property
    def is_our_own(self) -> bool:
        """Whether Caspen has it as paid, and it did not come from Xero."""
        return self.pays and self.xero_id is None


def tax_rates(store: Store) -> list[TaxRate]:
    """Every tax rate, archived ones too, by name."""
    return [_model(TaxRate, row) for row in store.rows("SELECT * FROM tax_rates ORDER BY name, id")]


def payment_methods(store: Store) -> list[PaymentMethod]:
    """Every payment method, by name."""
    return [_model(PaymentMethod, row) for row in store.rows("SELECT * FROM payment_methods ORDER BY name, id")]


def clients(store: Store, ids: Iterable[str]) -> dict[str, Client]:
    """Clients by id; an unknown id, and whoever was purged, is left out."""
    return {row["id"]: _model(Client, row) for row in _among(store, "clients", "id", ids) if not row["purged"]}


def contacts(store: Store, ids: Iterable[str]) -> dict[str, Contact]:
    """Caspen's contacts (payers) by id; an unknown id, and whoever was purged, is left out."""
    return {row["id"]: _model(Contact, row) for row in _among(store, "contacts", "id", ids) if not row["purged"]}


def client_ids(store: Store) -> list[str]:
    """The ids of all clients."""
    return [row["id"] for row in store.rows("SELECT id FROM clients")]


def contact_ids(store: Store) -> list[str]:
    """The ids of all of Caspen's contacts (payers)."""
    return [row["id"] for row in store.rows("SELECT id FROM contacts")]


def parties_called(store: Store, name: str) -> list[tuple[Literal["client", "payer"], str]]:
    """The clients and payers of that name (the case of letters aside): kind and id."""
    sql = (
        "SELECT 'client' AS kind, id FROM clients WHERE name = ?1 COLLATE NOCASE "
        "UNION ALL SELECT 'payer', id FROM contacts WHERE name = ?1 COLLATE NOCASE ORDER BY 1, 2"
    )
    return [("payer" if row["kind"] == "payer" else "client", row["id"]) for row in store.rows(sql, name)]


def invoices(store: Store, ids: Iterable[str]) -> dict[str, Invoice]:
    """Invoices by id; an unknown id is left out."""
    return {row["id"]: _model(Invoice, row) for row in _among(store, "invoices", "id", ids)}


def invoice_ids(store: Store, name: str) -> list[str]:
    """The ids of the invoices which a person may mean: that id, else that number (case folded), else that handle of an id, else
    the id of Xero's that begins so, of the invoice or of what is on it.
    """
    if store.row("SELECT 1 FROM invoices WHERE id = ?", name):
        return [name]
    found = [row["id"] for row in store.rows("SELECT id FROM invoices WHERE number = ? COLLATE NOCASE", name)]
    if not found and is_handle(name):
        found = [row["id"] for row in store.rows("SELECT id FROM invoices") if handle(row["id"]) == name]
    return found or invoices_by_xero_id(store, store.known_tenant(), name)


def invoice_numbers(store: Store, invoice_ids: Iterable[str]) -> dict[str, str]:
    """Caspen's numbers of invoices, by id; a draft may have none."""
    rows = store.rows_among("SELECT id, number FROM invoices WHERE id IN ({})", invoice_ids)
    return {row["id"]: row["number"] for row in rows if row["number"]}


def client_names(store: Store, invoice_ids: Iterable[str]) -> dict[str, str]:
    """The names of the clients of invoices, by invoice id; of one that was purged, or never imported, there is none."""
    sql = "SELECT i.id, c.name FROM invoices i JOIN clients c ON c.id = i.client_id WHERE i.id IN ({})"
    return {row["id"]: row["name"] for row in store.rows_among(sql, invoice_ids) if row["name"]}


def billed_names(store: Store, invoice_ids: Iterable[str]) -> dict[str, str]:
    """The names of who is to pay invoices, the payer or else the client, by invoice id; as far as they are known."""
    sql = (
        "SELECT i.id, COALESCE(p.name, CASE WHEN i.record ->> 'invoice_to_id' IS NULL THEN c.name END) AS name FROM invoices i "
        "LEFT JOIN clients c ON c.id = i.client_id LEFT JOIN contacts p ON p.id = i.record ->> 'invoice_to_id' WHERE i.id IN ({})"
    )
    return {row["id"]: row["name"] for row in store.rows_among(sql, invoice_ids) if row["name"]}


def finalised_figures(store: Store, ids: Iterable[str]) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Subtotal, tax and total of those among invoices that are finalised, by id."""
    sql = f"SELECT id, subtotal, tax, total FROM invoices WHERE status IN {FINALISED} AND id IN ({{}})"
    return {
        row["id"]: (Decimal(row["subtotal"]), Decimal(row["tax"]), Decimal(row["total"]))
        for row in store.rows_among(sql, ids)
    }


def count_invoices(store: Store) -> int:
    """How many invoices were imported, drafts and void ones too."""
    row = store.row("SELECT COUNT(*) AS n FROM invoices")
    return int(row["n"]) if row else 0


def payments_on(store: Store, invoice_ids: Iterable[str]) -> dict[str, list[AppliedPayment]]:
    """The payments applied to invoices, by invoice id, oldest first; those of payments that pay nothing too."""
    found: dict[str, list[AppliedPayment]] = defaultdict(list)
    for row in store.rows_among(f"{_APPLIED} WHERE a.invoice_id IN ({{}}) ORDER BY p.date, a.key", invoice_ids):
        found[row["invoice_id"]].append(_applied(row))
    return found


def money_on_no_invoice(store: Store, invoice_ids: Iterable[str]) -> dict[str, list[AppliedPayment]]:
    """By invoice, what its client has paid in Caspen that is on no invoice there, oldest first: each as the rest of its payment.

    `key`: the rest's (`rest_key`), which has no `allocation_id`; `invoice_id`: the one that it may yet be put on.
    """
    of_client: dict[str, list[str]] = defaultdict(list)
    for invoice in store.rows_among("SELECT id, client_id FROM invoices WHERE id IN ({})", invoice_ids):
        of_client[invoice["client_id"]].append(invoice["id"])
    rows = store.rows_among(
        "SELECT p.id, p.client_id, p.amount, p.date, p.status, p.method_id, p.xero_id, "
        "(SELECT json_group_array(a.amount) FROM allocations a WHERE a.payment_id = p.id) AS parts FROM payments p "
        f"WHERE (p.status = '{UNALLOCATED}' OR p.status = '{PAYS}' AND NOT EXISTS "
        "(SELECT 1 FROM allocations a WHERE a.payment_id = p.id AND a.amount = p.amount)) "  # of most nothing is left
        "AND p.client_id IN ({}) ORDER BY p.date, p.id",
        of_client,
    )
    found: dict[str, list[AppliedPayment]] = defaultdict(list)
    for row in rows:
        parts = json.loads(row["parts"]) if row["status"] == PAYS else ()
        rest = Decimal(row["amount"]) - sum(map(Decimal, parts), Decimal(0))
        for invoice_id in of_client[row["client_id"]] if rest > 0 else ():
            found[invoice_id].append(_rest(row, invoice_id, rest))
    return found


def _rest(row: Any, invoice_id: str, amount: Decimal) -> AppliedPayment:
    return AppliedPayment(
        key=rest_key(row["id"]),
        allocation_id="",
        payment_id=row["id"],
        invoice_id=invoice_id,
        amount=amount,
        date=date.fromisoformat(row["date"]),
        status=row["status"],
        method_id=row["method_id"],
        xero_id=row["xero_id"],
    )


def payments_naming(store: Store, xero_ids: Iterable[str]) -> dict[str, list[AppliedPayment]]:
    """The allocations of payments that pay and say that they came from Xero with one of these ids, by that id."""
    found: dict[str, list[AppliedPayment]] = defaultdict(list)
    paying = f"{_APPLIED} WHERE p.status = '{PAYS}' AND p.xero_id IN ({{}}) ORDER BY p.date, a.key"
    for row in store.rows_among(paying, xero_ids):
        found[row["xero_id"]].append(_applied(row))
    return found


def payment_ids_naming(store: Store, xero_ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids of all payments that say so, void and deleted ones too, by that id."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in store.rows_among("SELECT xero_id, id FROM payments WHERE xero_id IN ({})", xero_ids):
        found[row["xero_id"]].append(row["id"])
    return found


def payments_keyed(store: Store, keys: Iterable[str]) -> dict[str, AppliedPayment]:
    """Allocations by their key; an unknown one is left out."""
    return {row["key"]: _applied(row) for row in store.rows_among(f"{_APPLIED} WHERE a.key IN ({{}})", keys)}


def payments_put_on_as(store: Store, allocation_ids: Iterable[str]) -> dict[str, list[AppliedPayment]]:
    """Allocations by their own id, which several payments may have given."""
    found: dict[str, list[AppliedPayment]] = defaultdict(list)
    for row in store.rows_among(f"{_APPLIED} WHERE a.id IN ({{}})", allocation_ids):
        found[row["id"]].append(_applied(row))
    return found


def payment_statuses(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """What became of payments, by id; an unknown one is left out."""
    return {
        row["id"]: row["status"] for row in store.rows_among("SELECT id, status FROM payments WHERE id IN ({})", ids)
    }


def payment_id_beginnings(store: Store) -> set[str]:
    """How the ids of Caspen's payments begin, where they tell their kind: `pay_`."""
    return {row["start"] for row in store.rows("SELECT DISTINCT substr(id, 1, instr(id, '_')) AS start FROM payments")}


def payments_of_our_own(store: Store, keys: Iterable[str]) -> set[str]:
    """Which of these allocations are `is_our_own`."""
    sql = (
        "SELECT a.key FROM allocations a JOIN payments p ON p.id = a.payment_id "
        f"WHERE p.status = '{PAYS}' AND p.xero_id IS NULL AND a.key IN ({{}})"
    )
    return {row["key"] for row in store.rows_among(sql, keys)}


_APPLIED = (
    "SELECT a.key, a.id, a.payment_id, a.invoice_id, a.amount, p.date, p.status, p.method_id, p.xero_id FROM allocations a "
    "JOIN payments p ON p.id = a.payment_id"
)


def _applied(row: Any) -> AppliedPayment:
    return AppliedPayment(
        key=row["key"],
        allocation_id=row["id"],
        payment_id=row["payment_id"],
        invoice_id=row["invoice_id"],
        amount=Decimal(row["amount"]),
        date=date.fromisoformat(row["date"]),
        status=row["status"],
        method_id=row["method_id"],
        xero_id=row["xero_id"],
    )


def credit_notes_on(store: Store, invoice_ids: Iterable[str]) -> dict[str, list[CreditNote]]:
    """The credit notes of invoices, by invoice id, oldest first; void and deleted ones too."""
    found: dict[str, list[CreditNote]] = defaultdict(list)
    for row in _among(store, "credit_notes", "invoice_id", invoice_ids):
        found[row["invoice_id"]].append(_model(CreditNote, row))
    for notes in found.values():
        notes.sort(key=lambda note: (note.date, note.id))
    return found


def credit_notes(store: Store, ids: Iterable[str]) -> dict[str, CreditNote]:
    """Credit notes by id; an unknown id is left out."""
    return {row["id"]: _model(CreditNote, row) for row in _among(store, "credit_notes", "id", ids)}


def credit_notes_numbered(store: Store, numbers: Iterable[str]) -> dict[str, CreditNote]:
    """Credit notes by number, whatever became of them; of two alike any one."""
    return {row["number"]: _model(CreditNote, row) for row in _among(store, "credit_notes", "number", numbers)}


def _among(store: Store, table: str, column: str, values: Iterable[str]) -> list[Any]:
    return store.rows_among(f"SELECT * FROM {table} WHERE {column} IN ({{}})", values)


def _model(kind: type[_Kind], row: Any) -> _Kind:
    record = json.loads(row["record"])
    if "updated_at" in row.keys() and row["updated_at"]:  # noqa: SIM118 - a sqlite3.Row is no dict
        record["updated_at"] = row["updated_at"]
    model = kind.model_validate(record)
    purged = Purged.of(row["purged"]) if "purged" in row.keys() else None  # noqa: SIM118
    return model.as_purged(purged.fingerprint) if purged and purged.fingerprint else model
