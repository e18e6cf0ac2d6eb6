"""What can be known before any call is made: missing settings, locked years, unfit accounts and tax rates. Pure."""

from __future__ import annotations

from dataclasses import replace

from caspen_xero.caspen.records import CreditNote, Invoice
from caspen_xero.outside_text import plain
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.planning.line_items import TaxChoice, Terms
from caspen_xero.sync.planning.lock_dates import booking_of, locked
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.ways_out import about, after_caspen, read_caspen, way_out
from caspen_xero.sync.problems import Problem, ProblemCode
from caspen_xero.sync.setup import accounts, taxes
from caspen_xero.sync.setup.taxes import NO_TAX, NO_TAX_RATE, percentage_of


def terms(snapshot: Snapshot) -> Terms | None:
    """How invoices are written, from the links that are fit to use; None without a usable sales account."""
    account = snapshot.facts.account(snapshot.account_links.get(accounts.SALES))
    if account is None or accounts.why_not_sales(account):
        return None
    target = {"AccountID": account.account_id} | ({"AccountCode": account.code} if account.code else {})
    choices = {}
    for rate_id, tax_type in snapshot.tax_links.items():
        caspen_rate = NO_TAX_RATE if rate_id == NO_TAX else snapshot.tax_rates.get(rate_id)
        xero_rate = snapshot.facts.tax_rate(tax_type)
        if caspen_rate is not None and xero_rate is not None and taxes.applies_to_sales(xero_rate, account):
            choices[rate_id] = TaxChoice(tax_type, caspen_rate.rate, percentage_of(xero_rate))
    return Terms(
        sales_account=target,
        taxes=choices,
        privacy=snapshot.settings.privacy,
        invoice_status="DRAFT" if snapshot.settings.invoice_status == "draft" else "AUTHORISED",
    )


def before_invoice(state: InvoiceState, snapshot: Snapshot) -> list[Problem]:
    """Everything that keeps an invoice from being written in Xero, as far as it can be known without asking."""
    invoice = state.invoice
    return [
        *details(state, snapshot.settings.source),
        *sales_account(invoice.id, snapshot),
        *tax_rates(invoice.id, invoice, invoice.tax_mode, snapshot),
        *_currency(state, snapshot),
        *_locked(state, snapshot),
    ]


def details(state: InvoiceState, source: str | None, note: CreditNote | None = None) -> list[Problem]:
    """What was purged of an invoice, or of a credit note on it, that would be written: nothing is written without.

    `source`: what a push reads by itself, from its beginning where an invoice waits for what was purged.
    """
    if not (note.purged_as if note else state.lacks_details):
        return []
    reason = "details of it, its client or its payer were purged here, so that it can't be written in Xero as it is"
    again = after_caspen(push_command(state.invoice.number, state.invoice.id), source)
    fix = f"Have Caspen's export read again: {again}"
    return [Problem(ProblemCode.DETAILS_PURGED, state.invoice.id, reason, fix)]


def sales_account(invoice_id: str, snapshot: Snapshot) -> list[Problem]:
    """A missing or unfit account for invoice lines."""
    account_id = snapshot.account_links.get(accounts.SALES)
    account = snapshot.facts.account(account_id)
    why = accounts.why_not_sales(account) if account else None
    if account is not None and why is None:
        return []
    fix = accounts.account_fix(accounts.SALES, snapshot.facts.accounts, ())
    if account_id is None:
        reason = "no default account for invoice lines has been chosen"
        return [Problem(ProblemCode.SALES_ACCOUNT_MISSING, invoice_id, reason, fix)]
    if account is None:
        reason = "the account chosen for invoice lines is no longer in Xero"
        return [Problem(ProblemCode.SALES_ACCOUNT_MISSING, invoice_id, reason, fix)]
    reason = f"invoice lines can't go to {accounts.account_label(account)}: {why}"
    return [Problem(ProblemCode.SALES_ACCOUNT_UNFIT, invoice_id, reason, fix)]


def tax_rates(invoice_id: str, record: Invoice | CreditNote, tax_mode: str, snapshot: Snapshot) -> list[Problem]:
    """The tax rates of a document's lines that are not linked, or linked to one that Xero can't use there."""
    if tax_mode == "none":
        return []
    account = snapshot.facts.account(snapshot.account_links.get(accounts.SALES))
    found: list[Problem] = []
    for rate_id in dict.fromkeys(line.tax_rate_id or NO_TAX for line in record.lines):
        rate = NO_TAX_RATE if rate_id == NO_TAX else snapshot.tax_rates.get(rate_id)
        if rate is None:
            reason = f"its tax rate {plain(rate_id)} was never imported"
            fix = f"Export the tax rates from Caspen too, then: {read_caspen(snapshot.settings.source)}"
            found.append(Problem(ProblemCode.TAX_RATE_MISSING, invoice_id, reason, fix, subject=rate_id))
            continue
        tax_type = snapshot.tax_links.get(rate_id)
        xero_rate = snapshot.facts.tax_rate(tax_type)
        why = taxes.why_not_sales(xero_rate, account) if xero_rate else None
        if xero_rate is not None and why is None:
            continue
        fix = taxes.rate_fix(rate, snapshot.tax_rates.values(), snapshot.facts.tax_rates)
        if tax_type is None:
            reason = f"Caspen's tax rate {plain(rate.name)} is not linked to a Xero tax rate"
            found.append(Problem(ProblemCode.TAX_RATE_NOT_LINKED, invoice_id, reason, fix, subject=rate_id))
        elif xero_rate is None:
            reason = f"the Xero tax rate {plain(tax_type)} that {plain(rate.name)} is linked to is no longer there"
            found.append(Problem(ProblemCode.TAX_RATE_UNFIT, invoice_id, reason, fix, subject=rate_id))
        else:
            reason = f"Caspen's tax rate {plain(rate.name)} can't go to Xero as linked: {why}"
            found.append(Problem(ProblemCode.TAX_RATE_UNFIT, invoice_id, reason, fix, subject=rate_id))
    return found


def _currency(state: InvoiceState, snapshot: Snapshot) -> list[Problem]:
    invoice, facts, code = state.invoice, snapshot.facts, ProblemCode.CURRENCY_NOT_ENABLED
    base = facts.organisation.base_currency
    if base is None or invoice.currency == base or facts.currencies is None or invoice.currency in facts.currencies:
        return []
    reason = f"the organisation has not enabled the currency {plain(invoice.currency)} (Settings > Currencies in Xero)"
    return [Problem(code, invoice.id, reason, way_out(code, about(state, snapshot)))]


def _locked(state: InvoiceState, snapshot: Snapshot) -> list[Problem]:
    """By the date that Caspen has: the one that stands in Xero is held against lock dates once it was looked at."""
    booking = booking_of(state, "create-invoice" if state.link is None else "update-invoice", snapshot)
    if booking is None:
        return []
    return locked(state, replace(booking, day=state.invoice.issue_date), snapshot)
