"""What other programs call the fields of the feed: the words by which a column's heading is guessed. A guess is never believed."""

from __future__ import annotations

import re
from collections.abc import Mapping

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "tax_rates": {
        "id": "tax code|code|id|tax id",
        "name": "name|tax|tax name|description",
        "rate": "rate|percent|tax rate",
    },
    "payment_methods": {"id": "id|code|method id", "name": "name|method|payment method", "type": "type|kind"},
    "clients": {
        "id": "client id|patient id|customer id|client no|client number|patient number|patient no|id|client #|customer number",
        "first_name": "first name|given name|firstname|client first name|patient first name|client|client name|patient|patient name"
        "|customer|customer name|name|full name",
        "last_name": "last name|surname|family name|lastname|client last name|patient last name",
        "email": "email|e mail|email address|client email|patient email",
        "phone_number": "phone|mobile|phone number|mobile phone|telephone|client phone|patient phone",
        "address.line1": "address|address 1|address line 1|street|street address",
        "address.line2": "address 2|address line 2",
        "address.city": "city|suburb|town",
        "address.state": "state|region|county",
        "address.postal_code": "postcode|post code|postal code|zip|zip code",
        "address.country_code": "country|country code",
    },
    "contacts": {
        "id": "contact id|payer id|id",
        "company": "company|organisation|organization|payer|contact name|name",
        "first_name": "first name|given name",
        "last_name": "last name|surname",
        "type": "type|contact type",
        "email": "email|email address",
    },
    "invoices": {
        "id": "invoice id|id",
        "number": "invoice no|invoice number|invoice #|inv no|number|invoice|invoice num|doc number|document number",
        "status": "status|invoice status|state",
        "client_id": "client id|patient id|customer id|client no|client number|patient number|patient no|client|client name"
        "|patient|patient name|customer|customer name",
        "invoice_to_id": "invoice to id|payer id|contact id|invoice to|payer|bill to",
        "issue_date": "invoice date|issue date|date issued|issued|date|issued on|date of invoice",
        "due_date": "due date|date due|due|due on|payment due",
        "currency": "currency|currency code",
        "reference": "reference|ref|po number",
        "subtotal": "subtotal|sub total|net|net amount|total ex gst|total excl gst|total ex tax|amount ex gst|net total"
        "|total excl tax|total excluding tax|amount excl gst",
        "tax": "gst|tax|vat|tax amount|gst amount|vat amount|total tax|total gst",
        "total": "total|invoice total|total amount|gross|total inc gst|total incl gst|total incl tax|grand total|amount"
        "|invoice amount|total including tax",
        "updated_at": "updated at|last updated|modified|last modified",
        "url": "url|link",
        "lines.id": "line id|item id",
        "lines.description": "description|item|service|item description|line description|product|item name|details|treatment",
        "lines.item_code": "item code|billing code|item number|service code|item no|product code",
        "lines.quantity": "quantity|qty|units|hours|unit",
        "lines.unit_price": "unit price|price|fee|unit amount|unit cost|price each|item price",
        "lines.discount.value": "discount|disc|discount amount|line discount|discount %",
        "lines.tax_rate_id": "tax rate|tax type|tax code|gst code|gst rate|tax name",
        "lines.amount": "line total|line amount|item total|amount ex tax",
        "lines.tax": "line tax|item tax|line gst",
    },
    "payments": {
        "id": "payment id|receipt no|receipt number|receipt|payment no|payment number|transaction id|receipt #|id",
        "date": "payment date|date paid|paid on|date|receipt date|date received",
        "method_id": "payment method|method|payment type|paid by|type",
        "amount": "amount|payment amount|amount paid|paid|total|total paid",
        "status": "status|payment status",
        "client_id": "client id|patient id|client|patient|client name|patient name",
        "allocations.invoice_id": "invoice id|invoice no|invoice number|invoice|invoice #",
        "allocations.amount": "allocated|amount allocated|allocated amount|applied|amount applied",
        "updated_at": "updated at|last updated",
    },
    "credit_notes": {
        "id": "credit note id|id",
        "number": "credit note no|credit note number|credit note|credit no|number|cn no",
        "invoice_id": "invoice id|invoice no|invoice number|invoice|invoice #|original invoice",
        "date": "credit note date|date|date issued|issue date",
        "status": "status|state",
        "reason": "reason|note|notes",
        "subtotal": "subtotal|sub total|net|net amount|total ex gst|total excl gst",
        "tax": "gst|tax|vat|tax amount|gst amount",
        "total": "total|credit total|total amount|amount|total inc gst|credit amount",
        "lines.description": "description|item|service|item description",
        "lines.quantity": "quantity|qty|units",
        "lines.unit_price": "unit price|price|fee|unit amount",
        "lines.tax_rate_id": "tax rate|tax type|tax code|gst code",
    },
}
"""Headings by field, those that say most first. Invoices come before payments where both would fit."""

STATUSES: Mapping[str, Mapping[str, str]] = {
    "invoices": {
        "open": "open|sent|approved|authorised|awaiting payment|unpaid|outstanding|overdue|issued|part paid|partially paid|due",
        "paid": "paid|closed|complete|completed|settled|paid in full",
        "draft": "draft|pending|unsent|not sent",
        "void": "void|voided|cancelled|canceled|written off",
        "deleted": "deleted|removed",
    },
    "payments": {
        "allocated": "allocated|paid|applied|complete|completed|successful|received|processed",
        "unallocated": "unallocated|unapplied|credit",
        "void": "void|voided|cancelled|failed|declined|reversed",
        "refunded": "refunded|refund",
        "deleted": "deleted|removed",
    },
    "credit_notes": {
        "issued": "issued|open|approved|applied|paid|sent",
        "void": "void|voided|cancelled",
        "deleted": "deleted|removed",
    },
}
"""What other programs say where the feed says one of its few words."""


def bare(heading: str) -> str:
    """A heading as it is looked up: small letters and single spaces."""
    return " ".join(re.sub(r"[^a-z0-9#]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", heading).casefold()).split())


def word_for(stem: str, said: str) -> str | None:
    """The feed's word for a status of another program's."""
    return next((word for word, alike in STATUSES.get(stem, {}).items() if bare(said) in alike.split("|")), None)
