"""Caspen's documents in Xero's words. Pure: no clock, no network, no database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from caspen_xero.caspen.records import CreditNote, Invoice, InvoiceLine
from caspen_xero.sync.planning.half_cents import in_cents
from caspen_xero.sync.planning.line_items import CannotTranslate, Terms, figures_of
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.addresses import can_be_named

_LINE_AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "none": "NoTax"}


@dataclass(frozen=True)
class Document:
    """A document for Xero: its body, the totals that Xero must show, and whether it leans on explicit tax amounts.

    `tells_tax`: the totals can't come out right unless Xero keeps those amounts; with half cents alone they might by chance.
    `line_ids`: what tells its lines apart, in their order: Caspen's own ids; empty where those don't. `line_taxes`: the
    tax of each line, told or not; None where its prices carry none. `line_amounts`: what each line comes to, its tax in it where
    prices include tax.
    """

    body: dict[str, Any]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    explicit_tax: bool
    tells_tax: bool
    line_ids: tuple[str, ...] = ()
    line_taxes: tuple[Decimal | None, ...] = ()
    line_amounts: tuple[Decimal, ...] = ()


def translate_invoice(
    invoice: Invoice, terms: Terms, payer_name: str | None = None, *, certain: bool = False
) -> Document:
    """An invoice as Xero's ACCREC invoice, its contact left to be filled in.

    `certain` leaves nothing at all to Xero's arithmetic: every line in cents, every tax told. Raises `CannotTranslate`
    where no body gives Caspen's totals.
    """
    number = invoice.number or ""
    if not number or len(number) > 255 or not number.isascii() or not number.isprintable():
        raise CannotTranslate(
            ProblemCode.INVOICE_NUMBER_INVALID, "Xero takes 1 to 255 plain characters as an invoice number"
        )
    if "," in number and not can_be_named("InvoiceNumber", number):  # such a one is looked up by a filter
        raise CannotTranslate(
            ProblemCode.INVOICE_NUMBER_INVALID, "Xero can't look up a number with a comma and a backslash"
        )
    figures = figures_of(invoice.lines, invoice, terms, invoice.tax_mode, certain=certain)
    if in_cents(figures.total) < 0:
        raise CannotTranslate(ProblemCode.NEGATIVE_TOTAL, "Xero takes no invoice with a total below zero")
    body: dict[str, Any] = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {},
        "Date": invoice.issue_date,
        "DueDate": invoice.due_date or invoice.issue_date,
        "LineAmountTypes": _LINE_AMOUNT_TYPES[invoice.tax_mode],
        "CurrencyCode": invoice.currency,
        "Status": terms.invoice_status,
        "LineItems": figures.line_items,
    }
    private = terms.privacy == "generic"  # references and addresses may name the client, or the client's plan
    reference = "" if private else _reference(invoice.reference, payer_name)
    if reference:
        body["Reference"] = reference
    if invoice.url and "xero" not in invoice.url.casefold() and not private:
        body["Url"] = invoice.url
    return Document(
        body,
        figures.subtotal,
        figures.tax,
        figures.total,
        figures.explicit_tax,
        figures.tells_tax,
        _line_ids(invoice.lines),
        figures.line_taxes,
        figures.line_amounts,
    )


def _line_ids(lines: Sequence[InvoiceLine]) -> tuple[str, ...]:
    ids = tuple(line.id for line in lines)
    return ids if len(set(ids)) == len(ids) else ()


def translate_credit_note(note: CreditNote, invoice: Invoice, terms: Terms) -> Document:
    """A credit note as Xero's ACCRECCREDIT. Xero takes no discounts there: prices are net. Its tax mode is its invoice's."""
    if not can_be_named("CreditNoteNumber", note.number):
        raise CannotTranslate(
            ProblemCode.CREDIT_NOTE_NUMBER_INVALID,
            "its number is too long, or holds a backslash: Xero can't look it up",
        )
    figures = figures_of(note.lines, note, terms, invoice.tax_mode)
    body: dict[str, Any] = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": note.number,
        "Contact": {},
        "Date": note.date,
        "LineAmountTypes": _LINE_AMOUNT_TYPES[invoice.tax_mode],
        "CurrencyCode": invoice.currency,
        "Status": "AUTHORISED",
        "Reference": invoice.number,
        "LineItems": figures.line_items,
    }
    return Document(
        body,
        figures.subtotal,
        figures.tax,
        figures.total,
        figures.explicit_tax,
        figures.tells_tax,
        line_taxes=figures.line_taxes,
        line_amounts=figures.line_amounts,
    )


def invoice_fingerprint(invoice: Invoice) -> str:
    """A fingerprint of all that goes to Xero of an invoice: two equal ones need no update. One that was purged has that it had."""
    return _fingerprint(invoice, exclude={"status", "finalized_at", "updated_at"})


def credit_note_fingerprint(note: CreditNote) -> str:
    """A fingerprint of all that goes to Xero of a credit note."""
    return _fingerprint(note, exclude={"status", "updated_at", "reason"})


def _fingerprint(record: Invoice | CreditNote, exclude: set[str]) -> str:
    if record.purged_as is not None:
        return record.purged_as
    fingerprint = json.dumps(record.model_dump(mode="json", exclude=exclude), sort_keys=True, default=str)
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:32]


def _reference(own: str | None, payer_name: str | None) -> str:
    parts = [part for part in (own, f"Invoice to {payer_name}" if payer_name else None) if part]
    return " | ".join(parts)[:255]
