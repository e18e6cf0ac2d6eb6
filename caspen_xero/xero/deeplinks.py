"""Addresses of documents in Xero's own pages, as Xero's command line builds them."""

from __future__ import annotations

from urllib.parse import quote

from caspen_xero.xero.addresses import is_id

XERO_PAGES = "https://go.xero.com"


def invoice_link(short_code: str | None, invoice_id: str, base: str = XERO_PAGES) -> str | None:
    """Where a sales invoice opens in Xero; None for what is no id. `short_code` is the organisation's, with its `!`."""
    return _link(base, short_code, f"invoicing/view/{invoice_id}") if is_id(invoice_id) else None


def contact_link(short_code: str | None, contact_id: str, base: str = XERO_PAGES) -> str | None:
    """Where a contact opens in Xero; None for what is no id."""
    return _link(base, short_code, f"contacts/contact/{contact_id}") if is_id(contact_id) else None


def _link(base: str, short_code: str | None, page: str) -> str:
    return f"{base}/app/{quote(short_code or '', safe='!')}/{page}"
