"""`settings set` without options: a walk through everything that is to be set, with the Enter key for "as it is"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caspen_xero.cli.menu import ask, pick
from caspen_xero.cli.session import Session
from caspen_xero.sync.setup.accounts import PAYMENTS, SALES, account_label, why_not_payments, why_not_sales
from caspen_xero.sync.setup.organisation import read_accounts
from caspen_xero.sync.setup.settings import NONE, SettingsChange, check_source, check_start_date, value_of
from caspen_xero.xero.documents import Account

_CHOICES = {
    "invoice_status": (
        "Invoices in Xero:",
        {"authorised": "approved at once", "draft": "drafts, which a person approves in Xero; payments wait till then"},
    ),
    "contact": (
        "The contact of an invoice in Xero:",
        {"client": "the client", "payer": "who pays for the client, where Caspen names one"},
    ),
    "privacy": (
        "What of a client goes to Xero:",
        {
            "full": "name and contact details",
            "name-only": "the name only",
            "generic": "nothing: one contact for all, and item codes instead of descriptions",
        },
    ),
}


def walk_through(session: Session) -> SettingsChange:
    """Asks for every setting in turn; gives what is to be changed (all but what was left as it is)."""
    sales_account = payment_account = payments = None
    if session.store.connection() is None:
        session.output.note("Not connected to Xero, so no accounts can be chosen yet: caspen-xero connect")
    else:
        chart = read_accounts(session.client, session.mappings, now=session.started_at)
        chosen = session.mappings.account_links()
        sales_account = _pick_account(session, "Account for invoice lines:", chart, why_not_sales, chosen.get(SALES))
        payments = _pick_value(session, "payments", "Payments:", {"on": "go to Xero", "off": "a bank feed brings them"})
        if (payments or value_of(session.store, "payments")) == "on":
            payment_account = _pick_account(
                session, "Account for payments:", chart, why_not_payments, chosen.get(PAYMENTS)
            )
    return SettingsChange(
        sales_account=sales_account,
        payment_account=payment_account,
        payments=payments,
        source=_ask_for(session, "source", "Caspen's export (file, folder or URL)", check_source),
        start_date=_ask_for(session, "start_date", "Invoices go to Xero from (YYYY-MM-DD)", check_start_date),
        invoice_status=_pick_value(session, "invoice_status", *_CHOICES["invoice_status"]),
        contact=_pick_value(session, "contact", *_CHOICES["contact"]),
        privacy=_pick_value(session, "privacy", *_CHOICES["privacy"]),
    )


def _pick_account(
    session: Session,
    title: str,
    chart: Sequence[Account],
    why_not: Callable[[Account], str | None],
    chosen_id: str | None,
) -> str | None:
    usable = [account for account in chart if why_not(account) is None]
    ids = [account.account_id for account in usable]
    chosen = ids.index(chosen_id) if chosen_id in ids else None
    if not usable:
        return None
    found = pick(session.output, title, [account_label(account) for account in usable], chosen=chosen)
    return None if found is None or found == chosen else ids[found]


def _pick_value(session: Session, key: str, title: str, words: dict[str, str]) -> str | None:
    values = list(words)
    chosen = values.index(value_of(session.store, key) or values[0])
    found = pick(session.output, title, [f"{value}: {meaning}" for value, meaning in words.items()], chosen=chosen)
    return None if found is None or found == chosen else values[found]


def _ask_for(session: Session, key: str, question: str, check: Callable[[str], str | None]) -> str | None:
    now = value_of(session.store, key)
    hint = f"Enter: {now}; '{NONE}' forgets it" if now else "Enter: none"
    return ask(session.output, f"\n{question} ({hint})", check) or None
