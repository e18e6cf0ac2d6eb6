"""Where the sandbox keeps its documents: one SQLite table, and a view of one organisation's part of it.

Bodies are JSON in the sandbox's own shape (dates `YYYY-MM-DD`, amounts exact). The columns beside them are what rules and
filters look documents up by. Nothing here commits: a request is one transaction, and the server ends it.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from caspen_xero.sandbox.books.wire import from_json, milliseconds, to_json
from caspen_xero.sandbox.seam import Clock
from caspen_xero.sandbox.settings import Ways

Body = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    updated INTEGER NOT NULL,
    type TEXT,
    status TEXT,
    number TEXT,
    number_key TEXT,
    name_key TEXT,
    reference TEXT,
    owner_id TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
);
CREATE INDEX IF NOT EXISTS documents_by_change ON documents (tenant_id, kind, updated, id);
CREATE INDEX IF NOT EXISTS documents_by_number ON documents (tenant_id, kind, number_key);
CREATE INDEX IF NOT EXISTS documents_by_name ON documents (tenant_id, kind, name_key);
CREATE INDEX IF NOT EXISTS documents_by_reference ON documents (tenant_id, kind, reference);
CREATE INDEX IF NOT EXISTS documents_by_owner ON documents (tenant_id, kind, owner_id);
"""


@dataclass(frozen=True)
class Kind:
    """What a kind of document is looked up by: the names of its fields."""

    id: str
    type: str = "Type"
    status: str = "Status"
    number: str = ""
    name: str = ""
    owner: str = "ContactID"


KINDS = {
    "Organisation": Kind("OrganisationID"),
    "Accounts": Kind("AccountID", number="Code", name="Name"),
    "TaxRates": Kind("TaxType", name="Name"),
    "Currencies": Kind("Code"),
    "Items": Kind("ItemID", number="Code"),
    "TrackingCategories": Kind("TrackingCategoryID"),
    "BrandingThemes": Kind("BrandingThemeID"),
    "Users": Kind("UserID"),
    "Contacts": Kind("ContactID", status="ContactStatus", number="ContactNumber", name="Name"),
    "Invoices": Kind("InvoiceID", number="InvoiceNumber"),
    "CreditNotes": Kind("CreditNoteID", number="CreditNoteNumber"),
    "Payments": Kind("PaymentID", type="PaymentType", owner="TargetID"),
    "BatchPayments": Kind("BatchPaymentID"),
    "Overpayments": Kind("OverpaymentID"),
    "Prepayments": Kind("PrepaymentID"),
    "BankTransactions": Kind("BankTransactionID"),
}


def key_of(text: str) -> str:
    """Numbers and names are compared without regard to case (names: Xero's Contacts page; numbers: UNCONFIRMED)."""
    return text.strip().casefold()


def folded(text: str) -> str:
    """Text without case and accents: how a filter compares a contact's name (Xero's Contacts page)."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold().strip()


class Books:
    """All organisations' documents."""

    def __init__(self, db: sqlite3.Connection, clock: Clock, ways: Callable[[], Ways] = Ways) -> None:
        self.db = db
        self.clock = clock
        self.ways = ways
        # Statement by statement: executescript() would commit a transaction that the caller has open.
        for statement in SCHEMA.split(";"):
            if statement.strip():
                db.execute(statement)
        self._last = int(db.execute("SELECT coalesce(max(updated), 0) FROM documents").fetchone()[0])

    def tick(self) -> int:
        """The time of a change in milliseconds since 1970, later than that of any change before it."""
        self._last = max(milliseconds(self.clock.now()), self._last + 1)
        return self._last

    def organisations(self) -> list[tuple[str, Body]]:
        rows = self.db.execute("SELECT tenant_id, body FROM documents WHERE kind = 'Organisation' ORDER BY rowid")
        return [(tenant_id, from_json(body)) for tenant_id, body in rows]

    def forget_everything(self) -> None:
        self.db.execute("DELETE FROM documents")
        self._last = 0


class Ledger:
    """One organisation's documents during one request; what was read once is kept until the request ends."""

    def __init__(self, books: Books, tenant_id: str) -> None:
        self.books = books
        self.db = books.db
        self.ways = books.ways()
        self.tenant_id = tenant_id
        self._read: dict[tuple[str, str], Body | None] = {}

    def find(self, kind: str, document_id: str) -> Body | None:
        """A document by its id. The caller may change it, and must then save it."""
        key = (kind, document_id)
        if key not in self._read:
            self._read[key] = self._stored(kind, document_id)
        return self._read[key]

    def select(self, kind: str, condition: str = "1", parameters: Sequence[Any] = (), suffix: str = "") -> list[Body]:
        """Documents that meet an SQL condition over the table's columns (never built from a caller's text)."""
        rows = self.db.execute(
            f"SELECT id, body FROM documents WHERE tenant_id = ? AND kind = ? AND {condition} {suffix}",
            (self.tenant_id, kind, *parameters),
        )
        return [self._kept(kind, document_id, body) for document_id, body in rows]

    def _kept(self, kind: str, document_id: str, body: str) -> Body:
        found = self._read.get((kind, document_id))
        if found is None:
            found = self._read[(kind, document_id)] = from_json(body)
        return found

    def count(self, kind: str, condition: str = "1", parameters: Sequence[Any] = ()) -> int:
        row = self.db.execute(
            f"SELECT count(*) FROM documents WHERE tenant_id = ? AND kind = ? AND {condition}",
            (self.tenant_id, kind, *parameters),
        ).fetchone()
        return int(row[0])

    def by_number(self, kind: str, number: str) -> list[Body]:
        return self.select(kind, "number_key = ?", (key_of(number),), "ORDER BY rowid")

    def by_name(self, kind: str, name: str) -> list[Body]:
        """Documents of a name; the column knows neither case nor accents, a name's uniqueness knows accents."""
        field = KINDS[kind].name
        found = self.select(kind, "name_key = ?", (folded(name),), "ORDER BY rowid")
        return [body for body in found if key_of(body[field]) == key_of(name)]

    def of_contact(self, kind: str, contact_id: str) -> list[Body]:
        return self.select(kind, "owner_id = ?", (contact_id,))

    def read_all(self, kind: str, ids: Iterable[str]) -> None:
        """Reads many documents at once, for the finds that follow."""
        wanted = [document_id for document_id in set(ids) if (kind, document_id) not in self._read]
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            self.select(kind, f"id IN ({','.join('?' * len(some))})", some)

    def save(self, kind: str, body: Body, *, changed: bool = True) -> None:
        """Stores a document; with `changed` its UpdatedDateUTC moves (Xero doesn't move it for every edit).

        Where the document stands as it is, nothing moves (recorded of contacts and accounts; of others UNCONFIRMED).
        """
        fields = KINDS[kind]
        if self._stored(kind, body[fields.id]) == body:
            return
        if changed or "Updated" not in body:
            body["Updated"] = self.books.tick()
        number = body.get(fields.number) if fields.number else None
        name = body.get(fields.name) if fields.name else None
        self.db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " updated = excluded.updated, type = excluded.type, status = excluded.status, number = excluded.number,"
            " number_key = excluded.number_key, name_key = excluded.name_key, reference = excluded.reference,"
            " owner_id = excluded.owner_id, body = excluded.body",
            (
                self.tenant_id,
                kind,
                body[fields.id],
                body["Updated"],
                body.get(fields.type),
                body.get(fields.status),
                number,
                key_of(number) if number else None,
                folded(name) if name else None,
                body.get("Reference"),
                body.get(fields.owner),
                to_json(body),
            ),
        )
        self._read[(kind, body[fields.id])] = body

    def forget(self, kind: str, document_id: str) -> None:
        """Takes a document away for good; of those with money nothing ever goes."""
        self.db.execute(
            "DELETE FROM documents WHERE tenant_id = ? AND kind = ? AND id = ?", (self.tenant_id, kind, document_id)
        )
        self._read.pop((kind, document_id), None)

    def _stored(self, kind: str, document_id: str) -> Body | None:
        """A document as it is stored; what `find` gave may have been worked on since."""
        row = self.db.execute(
            "SELECT body FROM documents WHERE tenant_id = ? AND kind = ? AND id = ?",
            (self.tenant_id, kind, document_id),
        ).fetchone()
        return None if row is None else from_json(row[0])

    @contextmanager
    def all_or_nothing(self, name: str) -> Iterator[None]:
        """Undoes what the block wrote when it raises."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")
        self.db.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self.db.execute(f"ROLLBACK TO {name}")
            self.db.execute(f"RELEASE {name}")
            self._read.clear()
            raise
        self.db.execute(f"RELEASE {name}")
