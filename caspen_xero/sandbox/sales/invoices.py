"""Sales invoices (ACCREC) and bills (ACCPAY): creating, editing and voiding, and finding one by its number."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, ID, Fields, One, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.wire import NOWHERE, new_id
from caspen_xero.sandbox.contacts.contacts import contact_for_document, note_dealings
from caspen_xero.sandbox.organisation.organisations import (
    check_lock_dates,
    count_approval,
    next_number,
    organisation_of,
    today,
)
from caspen_xero.sandbox.organisation.themes import branding_theme
from caspen_xero.sandbox.sales.documents import (
    DOCUMENT_FIELDS,
    approved_or_draft,
    check_edit,
    check_text,
    fill_lines,
    round_discounts,
    take_currency,
)
from caspen_xero.sandbox.sales.invoice_views import show_standing
from caspen_xero.sandbox.sales.paid_invoices import PLAIN, check_edit_of_paid, edit_of_paid
from caspen_xero.sandbox.sales.settlement import has_dealings, settle
from caspen_xero.sandbox.sales.statuses import APPROVED, ENDED, NEW, UNAPPROVED, is_complete

INVOICE_FIELDS: Fields = {
    "InvoiceID": ID,
    "InvoiceNumber": Text(255),
    **DOCUMENT_FIELDS,
    "Url": Text(),
    "ExpectedPaymentDate": DATE,
    "PlannedPaymentDate": DATE,
}
INVOICE_OF = One({"InvoiceID": ID, "InvoiceNumber": Text()})
NAME = "Invoice"
# Plans without invoicing, by the organisation's Class: of LEDGER Splose says that the API refuses there (4735175).
WITHOUT_INVOICING = ("LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK")


def put_invoice(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """PUT creates, and nothing else: a known number is refused. Gives the invoice and warnings."""
    return _create(desk, {name: value for name, value in sent.items() if name != "InvoiceID"})


def post_invoice(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """POST edits the invoice with the id or (sales invoices) the number that was sent, and else creates one."""
    invoice_id = sent.get("InvoiceID", NOWHERE)
    if invoice_id != NOWHERE:
        invoice = desk.ledger.find("Invoices", invoice_id)
        if invoice is None:
            raise Refusal(messages.INVOICE_NOT_FOUND(), shown={"InvoiceID": invoice_id})
        return _edit(desk, invoice, sent)
    if sent.get("InvoiceNumber") and sent.get("Type", "ACCREC") == "ACCREC":
        known = sales_invoice_by_number(desk.ledger, sent["InvoiceNumber"])
        if known:
            if known["Status"] == "DELETED" and desk.ledger.ways.number_of_deleted_draft == "edited":
                known["Status"] = "DRAFT"
            return _edit(desk, known, sent)
    return _create(desk, sent)


def sales_invoice_by_number(ledger: Ledger, number: str) -> Body | None:
    found = (invoice for invoice in ledger.by_number("Invoices", number) if invoice["Type"] == "ACCREC")
    return next(found, None)


def named_invoice(ledger: Ledger, named: dict[str, Any]) -> Body:
    """The invoice that an `INVOICE_OF` names, by its id or (sales invoices) its number. Refuses one that is not there."""
    if "InvoiceID" in named:
        invoice = ledger.find("Invoices", named["InvoiceID"])
    else:
        invoice = sales_invoice_by_number(ledger, named.get("InvoiceNumber", ""))
    if invoice is None:
        raise Refusal(messages.INVOICE_NOT_FOUND())
    return invoice


def _create(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    ledger, together = desk.ledger, Together()
    if sent.get("Type") not in ("ACCREC", "ACCPAY"):
        raise Refusal(messages.TYPE_NOT_VALID(value=sent.get("Type", "")))
    status, sales = sent.get("Status", "DRAFT"), sent["Type"] == "ACCREC"
    invoice: Body = {
        "InvoiceID": new_id(),
        "Type": sent["Type"],
        "InvoiceNumber": "",
        "Reference": "",
        "Date": sent.get("Date", today(ledger)),
        "Status": approved_or_draft(desk, status),
        "SentToContact": False,
        "BrandingThemeID": branding_theme(ledger),
        "Payments": [],
        "Allocations": [],
        "App": desk.client_id,
    }
    if status not in NEW:
        raise Refusal(messages.NOT_VALID_FOR_CREATION(document=NAME))
    with together.also():
        if sales and organisation_of(ledger)["Class"] in WITHOUT_INVOICING:
            raise Refusal(messages.PLAN_WITHOUT_INVOICING())
    with together.also():
        _check_texts(sent)
    with together.also():
        take_currency(ledger, invoice, sent)
    number = sent.get("InvoiceNumber", "")
    with together.also():
        if sales and number and sales_invoice_by_number(ledger, number):
            raise Refusal(messages.INVOICE_NUMBER_TAKEN())
    with together.also():
        invoice["ContactID"] = contact_for_document(ledger, sent.get("Contact"))["ContactID"]
    warnings = _take_plain(invoice, sent)
    with together.also():
        warnings += _first_lines(desk, invoice, sent)
    _check_dates(desk, invoice, together)
    together.end()
    invoice["InvoiceNumber"] = number or (next_number(ledger, "Invoices", "INV") if sales else "")
    if invoice["Status"] == "AUTHORISED":
        _approve(desk, invoice)
    ledger.save("Invoices", invoice)
    return invoice, warnings


def _first_lines(desk: Desk, invoice: Body, sent: dict[str, Any]) -> list[str]:
    if not sent.get("LineItems"):
        raise Refusal(messages.LINES_MISSING())
    return fill_lines(desk, invoice, sent, discounts=invoice["Type"] == "ACCREC")


def _approve(desk: Desk, invoice: Body) -> None:
    sales = invoice["Type"] == "ACCREC"
    if sales:
        count_approval(desk.ledger, invoice["Date"])
    if contact := desk.ledger.find("Contacts", invoice["ContactID"]):
        note_dealings(desk.ledger, contact, sales=sales)
    settle(invoice)  # an invoice over nothing is paid at once


def _check_texts(sent: dict[str, Any]) -> None:
    if problems := too_long(sent, INVOICE_FIELDS):
        raise Refusal(*problems)
    check_text(sent, "InvoiceNumber")
    if url := sent.get("Url"):
        parts = urlsplit(url) if url.isprintable() and "[" not in url else urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc or "xero" in url.lower():
            raise Refusal(messages.URL_NOT_VALID())


def _take_plain(invoice: Body, sent: dict[str, Any]) -> list[str]:
    """Takes over the fields without consequences. SentToContact is for approved sales invoices only; else a warning."""
    invoice |= {name: sent[name] for name in PLAIN if name in sent}
    if "SentToContact" in sent and sent["SentToContact"] != invoice["SentToContact"]:
        if invoice["Status"] not in APPROVED:
            return [messages.SENT_NOT_AUTHORISED()]
        invoice["SentToContact"] = sent["SentToContact"]
    return []


def _check_dates(desk: Desk, invoice: Body, together: Together) -> None:
    with together.also():
        if is_complete(invoice["Status"]) and not invoice.get("DueDate"):
            raise Refusal(messages.DUE_DATE_MISSING())
    with together.also():
        check_lock_dates(desk.ledger, invoice["Date"], is_draft=invoice["Status"] in UNAPPROVED)


def _edit(desk: Desk, invoice: Body, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """An edit of what was sent; the rest stays. What may change depends on the status and on payments (Xero's Invoices page)."""
    standing = show_standing(desk, invoice)
    try:
        return _edited(desk, invoice, sent)
    except Refusal as refusal:
        refusal.shown = standing
        raise


def _edited(desk: Desk, invoice: Body, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    ledger, before = desk.ledger, dict(invoice)
    status = str(sent.get("Status", invoice["Status"]))
    together = check_edit(ledger, invoice, status, NAME, contact_stays="Contact" not in sent)
    if status in ENDED:
        invoice["Status"] = status
        ledger.save("Invoices", invoice)
        return invoice, []
    warnings = _take_edit(desk, before, invoice, sent, together)
    together.end()
    is_approved_now = invoice["Status"] == "AUTHORISED" and before["Status"] != "AUTHORISED"
    if is_approved_now and ledger.ways.discount_at_approval == "recomputed":
        round_discounts(desk, invoice)
    if is_approved_now:
        _approve(desk, invoice)
    settle(invoice)
    ledger.save("Invoices", invoice, changed=not _is_unseen(before, invoice))
    return invoice, warnings


def _take_edit(desk: Desk, before: Body, invoice: Body, sent: dict[str, Any], together: Together) -> list[str]:
    """Takes over what was sent, and gathers what is refused of it; gives warnings."""
    ledger, status = desk.ledger, str(sent.get("Status", invoice["Status"]))
    with together.also():
        if sent.get("Type", invoice["Type"]) != invoice["Type"]:
            raise Refusal(messages.TYPE_NOT_VALID(value=sent["Type"]))
    with together.also():
        _check_texts(sent)
    with together.also():
        _renumber(ledger, invoice, sent)
    if "Contact" in sent:
        with together.also():
            invoice["ContactID"] = contact_for_document(ledger, sent["Contact"])["ContactID"]
    if invoice["Status"] in UNAPPROVED and status in NEW:
        invoice["Status"] = approved_or_draft(desk, status)
    warnings = _take_plain(invoice, sent)
    invoice["Date"] = sent.get("Date", invoice["Date"])
    with together.also():
        take_currency(ledger, invoice, sent)
    with together.also():
        if has_dealings(invoice):
            sent = edit_of_paid(ledger, invoice, sent)
        warnings += fill_lines(desk, invoice, sent, discounts=invoice["Type"] == "ACCREC")
        if has_dealings(invoice):
            check_edit_of_paid(before, invoice)
    _check_dates(desk, invoice, together)
    return warnings


def _renumber(ledger: Ledger, invoice: Body, sent: dict[str, Any]) -> None:
    number = sent.get("InvoiceNumber")
    if not number or number == invoice["InvoiceNumber"]:
        return
    other = sales_invoice_by_number(ledger, number) if invoice["Type"] == "ACCREC" else None
    if other is not None and other["InvoiceID"] != invoice["InvoiceID"]:
        raise Refusal(messages.INVOICE_NUMBER_TAKEN())
    invoice["InvoiceNumber"] = number


def _is_unseen(before: Body, invoice: Body) -> bool:
    """Edits that leave UpdatedDateUTC alone: the account of a line; DueDate and SentToContact of a part-paid invoice."""
    changed = {name for name in invoice if before.get(name) != invoice.get(name)}
    if changed == {"LineItems"}:
        accounts = ("AccountID", "AccountCode")
        without = [
            [{name: value for name, value in line.items() if name not in accounts} for line in document["LineItems"]]
            for document in (before, invoice)
        ]
        return without[0] == without[1]
    return bool(changed) and changed <= {"DueDate", "SentToContact"} and has_dealings(invoice)
