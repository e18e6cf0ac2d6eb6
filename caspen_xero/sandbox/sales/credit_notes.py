"""Credit notes (ACCRECCREDIT, ACCPAYCREDIT): as invoices, without discounts; used up by allocations and refunds."""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import ID, Fields, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.resource import WHOLE
from caspen_xero.sandbox.books.wire import NOWHERE, dated, new_id, updated, xero_date
from caspen_xero.sandbox.contacts.contacts import contact_for_document, note_dealings
from caspen_xero.sandbox.contacts.views import contact_in_document, show_refused_contact
from caspen_xero.sandbox.organisation.organisations import (
    check_lock_dates,
    next_number,
    today,
)
from caspen_xero.sandbox.organisation.themes import branding_theme
from caspen_xero.sandbox.sales.documents import (
    DOCUMENT_FIELDS,
    approved_or_draft,
    check_edit,
    check_text,
    fill_lines,
    show_allocations,
    show_amounts,
    show_branding_theme,
    show_lines,
    show_payments,
    take_currency,
)
from caspen_xero.sandbox.sales.settlement import amount_due, has_dealings, settle
from caspen_xero.sandbox.sales.statuses import ENDED, NEW, UNAPPROVED

# SentToContact is read-only on a credit note: it is not read.
CREDIT_NOTE_FIELDS: Fields = {
    "CreditNoteID": ID,
    "CreditNoteNumber": Text(255),
    **{name: field for name, field in DOCUMENT_FIELDS.items() if name != "SentToContact"},
}
NAME = "Credit Note"
_CLOSED = ("Date", "ContactID", "LineAmountTypes", "SubTotal", "TotalTax", "Total", "CurrencyCode", "CurrencyRate")


def put_credit_note(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """PUT creates, and nothing else."""
    return _create(desk, {name: value for name, value in sent.items() if name != "CreditNoteID"})


def post_credit_note(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """POST edits the note with the id or the number that was sent, and else creates one."""
    note_id = sent.get("CreditNoteID", NOWHERE)
    if note_id != NOWHERE:
        note = desk.ledger.find("CreditNotes", note_id)
        if note is None:
            raise Refusal(messages.CREDIT_NOTE_NOT_FOUND(), shown={"CreditNoteID": note_id})
        return _edit(desk, note, sent)
    if sent.get("Type", "ACCRECCREDIT") == "ACCRECCREDIT":
        known = _by_number(desk.ledger, sent.get("CreditNoteNumber", ""))
        if known:
            return _edit(desk, known, sent)
    return _create(desk, sent)


def _by_number(ledger: Ledger, number: str) -> Body | None:
    found = (note for note in ledger.by_number("CreditNotes", number) if note["Type"] == "ACCRECCREDIT")
    return next(found, None) if number else None


def _create(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    ledger, together = desk.ledger, Together()
    if sent.get("Type") not in ("ACCRECCREDIT", "ACCPAYCREDIT"):
        raise Refusal(messages.TYPE_NOT_VALID(value=sent.get("Type", "")))
    status = sent.get("Status", "DRAFT")
    if status not in NEW:
        raise Refusal(messages.NOT_VALID_FOR_CREATION(document=NAME))
    sales, number = sent["Type"] == "ACCRECCREDIT", sent.get("CreditNoteNumber", "")
    note: Body = {
        "CreditNoteID": new_id(),
        "Type": sent["Type"],
        "CreditNoteNumber": "",
        "Reference": sent.get("Reference", ""),
        "Date": sent.get("Date", today(ledger)),
        "Status": approved_or_draft(desk, status),
        "SentToContact": False,
        "BrandingThemeID": sent.get("BrandingThemeID", branding_theme(ledger)),
        "Payments": [],
        "Allocations": [],
    }
    with together.also():
        _check_texts(sent)
    with together.also():
        take_currency(ledger, note, sent)
    with together.also():
        if sales and _by_number(ledger, number):
            raise Refusal(messages.CREDIT_NOTE_NUMBER_TAKEN())
    with together.also():
        note["ContactID"] = contact_for_document(ledger, sent.get("Contact"))["ContactID"]
    if "DueDate" in sent:
        note["DueDate"] = sent["DueDate"]
    with together.also():
        if not sent.get("LineItems"):
            raise Refusal(messages.LINES_MISSING())
    warnings = _fill(desk, note, sent, together) if sent.get("LineItems") else []
    together.end()
    note["CreditNoteNumber"] = number or (next_number(ledger, "CreditNotes", "CN") if sales else "")
    _finish(desk, note)
    return note, warnings


def _check_texts(sent: dict[str, Any]) -> None:
    if problems := too_long(sent, CREDIT_NOTE_FIELDS):
        raise Refusal(*problems)
    check_text(sent, "CreditNoteNumber")


def _fill(desk: Desk, note: Body, sent: dict[str, Any], together: Together) -> list[str]:
    """Fills in the lines that were sent; gives warnings."""
    warnings: list[str] = []
    with together.also():
        warnings += fill_lines(desk, note, sent, discounts=False)
    with together.also():
        check_lock_dates(desk.ledger, note["Date"], is_draft=note["Status"] in UNAPPROVED)
    return warnings


def _finish(desk: Desk, note: Body) -> None:
    contact = desk.ledger.find("Contacts", note["ContactID"])
    if note["Status"] == "AUTHORISED" and contact is not None:
        note_dealings(desk.ledger, contact, sales=note["Type"] == "ACCRECCREDIT")
    settle(note)
    desk.ledger.save("CreditNotes", note)


def _edit(desk: Desk, note: Body, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    names = ("CreditNoteID", "Type", "LineAmountTypes", "SubTotal", "TotalTax", "Total", "CurrencyCode")
    standing = (
        {name: note[name] for name in names} | {"LineItems": show_lines(desk, note)} | dated("Date", note["Date"])
    )
    try:
        return _edited(desk, note, sent)
    except Refusal as refusal:
        refusal.shown = standing
        raise


def _edited(desk: Desk, note: Body, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    ledger, before = desk.ledger, dict(note)
    status = str(sent.get("Status", note["Status"]))
    together = check_edit(ledger, note, status, NAME, contact_stays=True)
    if status in ENDED:
        note["Status"] = status
        ledger.save("CreditNotes", note)
        return note, []
    warnings = _take_edit(desk, note, sent, together)
    with together.also():
        if has_dealings(note) and any(before.get(name) != note.get(name) for name in _CLOSED):
            raise Refusal(messages.HAS_PAYMENTS())
    together.end()
    _finish(desk, note)
    return note, warnings


def _take_edit(desk: Desk, note: Body, sent: dict[str, Any], together: Together) -> list[str]:
    """Takes over what was sent, and gathers what is refused of it; gives warnings."""
    ledger, status = desk.ledger, str(sent.get("Status", note["Status"]))
    with together.also():
        if sent.get("Type", note["Type"]) != note["Type"]:
            raise Refusal(messages.TYPE_NOT_VALID(value=sent["Type"]))
    with together.also():
        _check_texts(sent)
    with together.also():
        _renumber(ledger, note, sent)
    if "Contact" in sent:
        with together.also():
            note["ContactID"] = contact_for_document(ledger, sent["Contact"])["ContactID"]
    if note["Status"] in UNAPPROVED and status in NEW:
        note["Status"] = approved_or_draft(desk, status)
    note |= {name: sent[name] for name in ("Date", "DueDate", "Reference", "BrandingThemeID") if name in sent}
    with together.also():
        take_currency(ledger, note, sent)
    return _fill(desk, note, sent, together)


def _renumber(ledger: Ledger, note: Body, sent: dict[str, Any]) -> None:
    if number := sent.get("CreditNoteNumber"):
        other = _by_number(ledger, number) if note["Type"] == "ACCRECCREDIT" else None
        if other is not None and other["CreditNoteID"] != note["CreditNoteID"]:
            raise Refusal(messages.CREDIT_NOTE_NUMBER_TAKEN())
        note["CreditNoteNumber"] = number


def show_credit_note(desk: Desk, note: Body, view: str = "full") -> Body:
    """A credit note as Xero shows it; without a page its lines are an empty list."""
    contact = desk.ledger.find("Contacts", note["ContactID"]) or {}
    shown: Body = {name: note[name] for name in ("CreditNoteID", "CreditNoteNumber", "Type", "Reference")}
    shown |= {
        "ID": note["CreditNoteID"],
        "Payments": show_payments(desk.ledger, note, view),
        "HasErrors": False,
        "CurrencyRate": note["CurrencyRate"],
        "RemainingCredit": amount_due(note),
        "Allocations": show_allocations(desk.ledger, note),
        "Contact": contact_in_document(contact, view),
        **show_branding_theme(desk.ledger, note, view),
        "Status": note["Status"],
        "LineAmountTypes": note["LineAmountTypes"],
        "LineItems": [] if view == "list" else show_lines(desk, note, checked=view in WHOLE),
        "CurrencyCode": note["CurrencyCode"],
    }
    if view not in WHOLE and (note["SentToContact"] or desk.ledger.ways.absent_keys == "shown"):
        shown["SentToContact"] = note["SentToContact"]
    if view != "created":
        shown |= {"HasAttachments": False} | ({"Attachments": []} if view == "full" else {"InvoiceAddresses": []})
    shown |= dated("Date", note["Date"]) | dated("DueDate", note.get("DueDate"))
    if "FullyPaidOnDate" in note:
        shown["FullyPaidOnDate"] = xero_date(note["FullyPaidOnDate"])
    return shown | show_amounts(desk, note) | updated(note["Updated"])


def show_refused_credit_note(sent: Body) -> Body:
    """A refused credit note, as a refused invoice is shown (the shape of the latter is recorded)."""
    shown: Body = {"Payments": [], "Allocations": [], "InvoiceAddresses": []} | sent
    if "Contact" in sent:
        shown["Contact"] = show_refused_contact(sent["Contact"]) | {"HasValidationErrors": False}
    return shown
