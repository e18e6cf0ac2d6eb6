"""Addresses of documents in Xero's own pages, as Xero's command line builds them."""

from __future__ import annotations

XERO_PAGES = "https://go.xero.com"


def invoice_link(short_code: str | None, invoice_id: str, base: str = XERO_PAGES) -> str:
    """Where a sales invoice opens in Xero. `short_code` is the organisation's, with its `!`."""
    return f"{base}/app/{short_code or ''}/invoicing/view/{invoice_id}"


def contact_link(short_code: str | None, contact_id: str, base: str = XERO_PAGES) -> str:
    """Where a contact opens in Xero."""
    return f"{base}/app/{short_code or ''}/contacts/contact/{contact_id}"
