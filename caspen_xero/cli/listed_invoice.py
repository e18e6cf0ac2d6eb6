"""An invoice as commands find it and show it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.session import Session, one_invoice

if TYPE_CHECKING:
    from caspen_xero.store.listing import ListedInvoice
    from caspen_xero.sync.books.books import Books


def find(session: Session, name: str, books: Books | None = None) -> ListedInvoice:
    """The invoice that a person named; in its state, where it is told how the books stand."""
    from caspen_xero.store.listing import list_invoices

    found = one_invoice(session, name)
    listed = list_invoices(session.store, session.known_mappings, session.settings.start_date, [found])
    return (books.judged(listed) if books else listed)[0]


def state_in_words(invoice: ListedInvoice) -> str:
    """Its state, as lists have it."""
    return f"{invoice.sync_status} (accepted)" if invoice.is_accepted else invoice.sync_status


def links(session: Session) -> Callable[[ListedInvoice], str | None]:
    """A function that gives the address at which an invoice opens in Xero, or None where it is not there."""
    if (mappings := session.known_mappings) is None:
        return lambda listed: None
    from caspen_xero.sync.setup.organisation import pages_of

    pages = pages_of(mappings)
    return lambda listed: pages.invoice(listed.xero_invoice_id)


def as_json(listed: ListedInvoice, link: str | None) -> dict[str, Any]:
    """Its row in JSON; amounts are decimals with two places."""

    def money(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else Decimal(f"{amount:.2f}")

    return {
        "number": listed.number,
        "invoice_id": listed.invoice_id,
        "client": listed.client,
        "date": listed.issue_date,
        "caspen_status": listed.caspen_status,
        "caspen_own_status": listed.caspen_own_status,
        "sync_status": listed.sync_status,
        "xero_invoice_id": listed.xero_invoice_id,
        "xero_status": listed.xero_status,
        "xero_url": link,
        "total": money(listed.total),
        "amount_paid": money(listed.amount_paid),
        "amount_credited": money(listed.amount_credited),
        "amount_due": money(listed.amount_due),
        "currency": listed.currency,
        "accepted": listed.is_accepted,
    } | ({"details_purged": True} if listed.details_purged else {})
