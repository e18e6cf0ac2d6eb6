"""Payments found in Xero: recorded once per Xero id for ever, and delivered to Caspen after that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.cents import money_text
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text

PaymentKind = Literal["payment", "batch_payment", "prepayment", "overpayment", "credit_note"]

CREDITS: tuple[PaymentKind, ...] = ("prepayment", "overpayment", "credit_note")
"""What is no payment, but an allocated credit."""


@dataclass(frozen=True)
class XeroPayment:
    """One payment, or one allocation of a credit, found on an invoice that we synced. `amount` in the invoice's currency.

    `xero_id` is the PaymentID or the AllocationID; `credit_id` the credit that an allocation is of. `invoice_status` and
    `amount_due` are the invoice's when this was found. `told_as`: the id of its batch, where an earlier version told it so.
    `account_id`: of the account that it is in; None where that is not known.
    """

    xero_id: str
    kind: PaymentKind
    invoice_id: str
    invoice_number: str | None
    date: date | None
    amount: Decimal
    reconciled: bool | None
    reference: str | None
    invoice_status: Literal["open", "paid"]
    amount_due: Decimal
    credit_id: str | None = None
    delivered: bool = False
    told_as: str | None = None
    account_id: str | None = None

    @property
    def id_in_caspen(self) -> str:
        """The id by which Caspen is told of it."""
        return self.told_as or self.xero_id

    @property
    def is_credit(self) -> bool:
        """Whether no money came: a credit that was there has been allocated to the invoice."""
        return self.kind in CREDITS

    @property
    def kind_in_words(self) -> str:
        """Its kind as a bookkeeper calls it."""
        return self.kind.replace("_", " ")

    def as_record(self) -> dict[str, Any]:
        """The `xero_payment` record of Caspen's billing feed."""
        return {
            "object": "xero_payment",
            "id": self.id_in_caspen,
            "invoice_id": self.invoice_id,
            "invoice_number": self.invoice_number,
            "date": self.date,
            "amount": self.amount,
            "kind": self.kind,
            "reconciled": self.reconciled,
            "reference": self.reference,
            "invoice_status": self.invoice_status,
            "amount_due": self.amount_due,
        }


def record(mappings: Mappings, payments: Iterable[XeroPayment], now: datetime) -> None:
    """Records payments; one that is recorded already stays as it is."""
    for payment in payments:
        mappings.store.run(
            "INSERT INTO xero_payments (tenant_id, xero_id, invoice_id, kind, credit_id, date, amount, invoice_status, record, "
            "found_at, account_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, xero_id) DO NOTHING",
            mappings.tenant_id,
            payment.xero_id,
            payment.invoice_id,
            payment.kind,
            payment.credit_id,
            payment.date.isoformat() if payment.date else None,
            money_text(payment.amount),
            payment.invoice_status,
            json.dumps(payment.as_record(), default=_plain),
            utc_text(now),
            payment.account_id,
        )


def withdraw(mappings: Mappings, xero_ids: Iterable[str]) -> None:
    """Forgets what Caspen was not told of: it is gone in Xero."""
    for xero_id in xero_ids:
        sql = "DELETE FROM xero_payments WHERE tenant_id = ? AND xero_id = ? AND delivered_at IS NULL"
        mappings.store.run(sql, mappings.tenant_id, xero_id)


def known_ids(mappings: Mappings, xero_ids: Iterable[str]) -> set[str]:
    """Which of these payments and allocations are recorded here, or sent or adopted by us."""
    sql = "SELECT DISTINCT xero_id FROM known_xero_payments WHERE tenant_id = ? AND xero_id IN ({})"
    return {row["xero_id"] for row in mappings.store.rows_among(sql, xero_ids, mappings.tenant_id)}


def recorded_on(mappings: Mappings, invoice_ids: Iterable[str]) -> dict[str, list[XeroPayment]]:
    """What was recorded on invoices, by invoice id, in the order in which it was found."""
    found: dict[str, list[XeroPayment]] = {}
    sql = "SELECT * FROM xero_payments WHERE tenant_id = ? AND invoice_id IN ({}) ORDER BY seq"
    for row in mappings.store.rows_among(sql, invoice_ids, mappings.tenant_id):
        found.setdefault(row["invoice_id"], []).append(_payment(row))
    return found


def recorded(mappings: Mappings, xero_ids: Iterable[str]) -> dict[str, XeroPayment]:
    """What was recorded, or told, under these ids of payments and allocations, by that id."""
    ids = set(xero_ids)
    sql = "SELECT * FROM xero_payments WHERE tenant_id = ? AND {} IN ({{}})"
    return {
        row[column]: _payment(row)
        for column in ("told_as", "xero_id")
        for row in mappings.store.rows_among(sql.format(column), ids, mappings.tenant_id)
    }


def undelivered(mappings: Mappings) -> list[XeroPayment]:
    """What is recorded but not yet delivered, in the order in which it was found."""
    sql = "SELECT * FROM xero_payments WHERE tenant_id = ? AND delivered_at IS NULL ORDER BY seq"
    return [_payment(row) for row in mappings.store.rows(sql, mappings.tenant_id)]


def mark_delivered(mappings: Mappings, xero_ids: Iterable[str], now: datetime, told_to: str | None = None) -> None:
    """Notes that Caspen has these. `told_to`: the file or server that they went to; None where Caspen had them by itself."""
    with mappings.store.write():
        for xero_id in xero_ids:
            mappings.store.run(
                "UPDATE xero_payments SET delivered_at = ?, told_to = ? WHERE tenant_id = ? AND xero_id = ?",
                utc_text(now),
                told_to,
                mappings.tenant_id,
                xero_id,
            )


def told_to(mappings: Mappings) -> dict[str, str]:
    """The file or server to which each payment went, by its Xero id, oldest first; what an earlier version told is left out."""
    is_told = "delivered_at IS NOT NULL AND told_to > ''"
    sql = f"SELECT xero_id, told_to FROM xero_payments WHERE tenant_id = ? AND {is_told} ORDER BY seq"
    return {row["xero_id"]: row["told_to"] for row in mappings.store.rows(sql, mappings.tenant_id)}


def tell_again(mappings: Mappings, xero_ids: Iterable[str]) -> None:
    """Notes of these that Caspen may not have them: the next pull judges them anew, and what is told twice has one id."""
    sql = "UPDATE xero_payments SET delivered_at = NULL, told_to = NULL WHERE tenant_id = ? AND xero_id = ?"
    for xero_id in xero_ids:
        mappings.store.run(sql, mappings.tenant_id, xero_id)


def forget_invoice(mappings: Mappings, invoice_id: str) -> None:
    """Forgets how an invoice looked in Xero, and what was found on it and not told yet: it stands for none there any more."""
    mappings.store.run(
        "DELETE FROM seen_invoices WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id
    )
    sql = "DELETE FROM xero_payments WHERE tenant_id = ? AND invoice_id = ? AND delivered_at IS NULL"
    mappings.store.run(sql, mappings.tenant_id, invoice_id)


@dataclass(frozen=True)
class SentPayment:
    """A payment that we sent: the key of Caspen's allocation, its Reference, its amount, and the fingerprint of what it stands for.

    `unknown`: no answer told whether Xero has it.
    """

    key: str
    reference: str
    amount: Decimal
    fingerprint: str
    unknown: bool


def sent_payments(mappings: Mappings, invoice_ids: Iterable[str]) -> dict[str, list[SentPayment]]:
    """The payments of invoices that the journal holds, but for refused ones, newest first, by invoice id."""
    found: dict[str, list[SentPayment]] = {}
    sql = (
        "SELECT d.invoice_id, d.caspen_id, d.number, d.expected, d.state FROM journal_documents d "
        "JOIN journal j ON j.id = d.journal_id WHERE d.operation = 'create-payment' AND j.tenant_id = ? "
        "AND d.state <> 'refused' AND d.invoice_id IN ({}) ORDER BY j.id DESC"
    )
    for row in mappings.store.rows_among(sql, invoice_ids, mappings.tenant_id):
        expected = json.loads(row["expected"])
        sent = SentPayment(
            key=row["caspen_id"],
            reference=row["number"] or "",
            amount=Decimal(str(expected["amount"])),
            fingerprint=str(expected.get("fingerprint") or ""),
            unknown=row["state"] != "done",
        )
        found.setdefault(row["invoice_id"], []).append(sent)
    return found


def _payment(row: sqlite3.Row) -> XeroPayment:
    told = json.loads(row["record"])
    return XeroPayment(
        xero_id=row["xero_id"],
        kind=row["kind"],
        invoice_id=row["invoice_id"],
        invoice_number=told["invoice_number"],
        date=date.fromisoformat(row["date"]) if row["date"] else None,
        amount=Decimal(row["amount"]),
        reconciled=told["reconciled"],
        reference=told["reference"],
        invoice_status=row["invoice_status"],
        amount_due=Decimal(told["amount_due"]),
        credit_id=row["credit_id"],
        delivered=row["delivered_at"] is not None,
        told_as=row["told_as"],
        account_id=row["account_id"],
    )


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return money_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be kept")
