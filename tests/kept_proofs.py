"""Proofs as a reconciliation would have them, kept by hand: what was found is made up, and how it stands afterwards is asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pushing import Clinic

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.reconciling.keeping import keep, with_accepted
from caspen_xero.sync.reconciling.ledger import Asked, Compared, Document, Find, Money, MoneyPair, Pair
from caspen_xero.sync.reconciling.proof import Proof

ALL = Asked(None, date(2099, 12, 31), date(2099, 12, 31))


def find(code: str, number: str | None = "INV-0001", caspen: str = "220.00", xero: str = "210.00", **more: Any) -> Find:
    """Something that is not equal on an invoice of Caspen's; of none where it has no number."""
    id_ = f"inv_{number}" if number else None
    return Find(code, number or "", id_, None, "Nell Okafor", caspen, xero, "AUD", **more)


def proves(
    clinic: Clinic,
    *finds: Find,
    of: Sequence[str] | None = None,
    asked: Asked = ALL,
    payments: Sequence[str] = (),
    notes: Sequence[str] = (),
    **more: Any,
) -> Proof:
    """Keeps what a reconciliation of these invoices (by number; None: all) has come to, by how Xero has them now."""
    there = {one["InvoiceID"]: one for one in clinic.state("Invoices")}
    with closing(Store(clinic.store_file)) as store:
        mappings = Mappings(store, clinic.tenant_id)
        rows = store.rows(
            "SELECT i.id, i.number, l.xero_id FROM invoices i JOIN links l ON l.kind = 'invoice' AND l.caspen_id = i.id"
        )
        rows = [row for row in rows if of is None or row["number"] in of]
        compared = Compared(asked, finds=list(finds))
        for row in rows:
            theirs = there[row["xero_id"]]["Contact"]["ContactID"]
            ours = mappings.link("client", "1048237")
            assert ours is not None
            sides = _document(row["id"], row["number"], ours.xero_id), _document(row["xero_id"], row["number"], theirs)
            compared.invoices.append(Pair(*sides))
        for id_ in payments:
            money = Money("payment", id_, "inv_INV-0001", date(2026, 11, 3), Decimal(100), "AUD")
            compared.payments.append(MoneyPair(money, None))
        for number in notes:
            compared.credit_notes.append(
                Pair(replace(_document(f"crn_{number}", number, ""), kind="credit_note"), None)
            )
        compared.finds = with_accepted(mappings, compared)
        wrong = {one.invoice_id for one in finds} - {None}
        now = datetime.now(UTC)
        proof = Proof(
            asked, now, now, 3, len(rows), len(rows) - len(wrong), more.pop("not_yet", 0), compared.finds, [], []
        )
        keep(mappings, replace(proof, **more), compared, {id_: changed_at(one) for id_, one in there.items()})
        return proof


def changed_at(document: dict[str, Any]) -> datetime:
    """When a document was last changed, as Xero's own list of it says (`/Date(...)/`)."""
    milliseconds = int(str(document["UpdatedDateUTC"])[6:19])
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _document(id_: str, number: str, contact: str) -> Document:
    figures = (Decimal(200), Decimal(20), Decimal(220))
    return Document("invoice", id_, number, "stands", "open", contact, "Nell", date(2026, 11, 2), "AUD", *figures)
