"""What can be known before any call is made: missing settings, locked years, unfit accounts and tax rates. Pure."""

from __future__ import annotations

from dataclasses import replace

from caspen_xero.caspen.records import CreditNote, Invoice
from caspen_xero.commands import can_be_pasted, option, to_paste
from caspen_xero.outside_text import plain
from caspen_xero.sync.planning.lock_dates import booking_of, locked
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.translate import TaxChoice, Terms
from caspen_xero.sync.problems import Problem, ProblemCode, push_command
from caspen_xero.sync.setup import accounts, taxes
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.sync.setup.taxes import NO_TAX, NO_TAX_RATE, percentage_of
from caspen_xero.xero.documents import TaxRate


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
        *details(state),
        *sales_account(invoice.id, snapshot),
        *tax_rates(invoice.id, invoice, invoice.tax_mode, snapshot),
        *_currency(invoice, snapshot.facts),
        *_locked(state, snapshot),
    ]


def details(state: InvoiceState, note: CreditNote | None = None) -> list[Problem]:
    """What was purged of an invoice, or of a credit note on it, that would be written: nothing is written without."""
    if not (note.purged_as if note else state.lacks_details):
        return []
    reason = "details of it, its client or its payer were purged here, so that it can't be written in Xero as it is"
    fix = f"Have Caspen's export read again: caspen-xero import PATH, then: {push_command(state.invoice.number, state.invoice.id)}"
    return [Problem(ProblemCode.DETAILS_PURGED, state.invoice.id, reason, fix)]


def sales_account(invoice_id: str, snapshot: Snapshot) -> list[Problem]:
    """A missing or unfit account for invoice lines."""
    account_id = snapshot.account_links.get(accounts.SALES)
    account = snapshot.facts.account(account_id)
    why = accounts.why_not_sales(account) if account else None
    if account is not None and why is None:
        return []
    fix = to_paste(f"settings set {option('--sales-account', _likely_sales_account(snapshot.facts))}")
    if account_id is None:
        reason = "no default account for invoice lines has been chosen"
        return [Problem(ProblemCode.SALES_ACCOUNT_MISSING, invoice_id, reason, fix)]
    if account is None:
        reason = "the account chosen for invoice lines is no longer in Xero"
        return [Problem(ProblemCode.SALES_ACCOUNT_MISSING, invoice_id, reason, fix)]
    reason = f"invoice lines can't go to {accounts.account_label(account)}: {why}"
    return [Problem(ProblemCode.SALES_ACCOUNT_UNFIT, invoice_id, reason, fix)]


def _likely_sales_account(facts: OrganisationFacts) -> str:
    usable = [account for account in facts.accounts if accounts.why_not_sales(account) is None]
    usable.sort(
        key=lambda account: (account.code != "200", account.type not in {"SALES", "REVENUE"}, account.code or "~")
    )
    return accounts.account_name(usable[0]) if usable else "CODE"


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
            fix = "Export the tax rates from Caspen too, then: caspen-xero import PATH"
            found.append(Problem(ProblemCode.TAX_RATE_MISSING, invoice_id, reason, fix, subject=rate_id))
            continue
        tax_type = snapshot.tax_links.get(rate_id)
        xero_rate = snapshot.facts.tax_rate(tax_type)
        why = taxes.why_not_sales(xero_rate, account) if xero_rate else None
        if xero_rate is not None and why is None:
            continue
        fix = to_paste(
            "taxes map",
            taxes.rate_name(rate, snapshot.tax_rates.values()),
            _likely_tax_type(rate.name, rate_id, snapshot),
        )
        if tax_type is None:
            choices = _equal_rates(rate_id, snapshot)
            hint = f" (in Xero there is {' or '.join(map(taxes.rate_label, choices))})" if choices else ""
            reason = f"Caspen's tax rate {plain(rate.name)} is not linked to a Xero tax rate{hint}"
            found.append(Problem(ProblemCode.TAX_RATE_NOT_LINKED, invoice_id, reason, fix, subject=rate_id))
        elif xero_rate is None:
            reason = f"the Xero tax rate {plain(tax_type)} that {plain(rate.name)} is linked to is no longer there"
            found.append(Problem(ProblemCode.TAX_RATE_UNFIT, invoice_id, reason, fix, subject=rate_id))
        else:
            reason = f"Caspen's tax rate {plain(rate.name)} can't go to Xero as linked: {why}"
            found.append(Problem(ProblemCode.TAX_RATE_UNFIT, invoice_id, reason, fix, subject=rate_id))
    return found


def _equal_rates(rate_id: str, snapshot: Snapshot) -> list[TaxRate]:
    rate = NO_TAX_RATE if rate_id == NO_TAX else snapshot.tax_rates[rate_id]
    fit = taxes.candidates(rate.rate, snapshot.facts.tax_rates)
    return [candidate for candidate in fit if percentage_of(candidate) == rate.rate]


def _likely_tax_type(name: str, rate_id: str, snapshot: Snapshot) -> str:
    """The tax type for the command that people paste: of the rates of that percentage, the one whose name is most alike."""
    if rate_id == NO_TAX:
        outside = [rate for rate in _equal_rates(rate_id, snapshot) if rate.tax_type in {"BASEXCLUDED", "NONE"}]
        return outside[0].tax_type if outside else "TAX_TYPE"
    wanted = _words(name)
    fit = sorted(
        _equal_rates(rate_id, snapshot),
        key=lambda rate: (-len(wanted & _words(rate.name)), not _words(rate.name) & {"income", "sales"}),
    )
    return next((rate.tax_type for rate in fit if can_be_pasted(rate.tax_type)), "TAX_TYPE")


def _words(name: str) -> set[str]:
    return set(name.casefold().replace("-", " ").split())


def _currency(invoice: Invoice, facts: OrganisationFacts) -> list[Problem]:
    base = facts.organisation.base_currency
    if base is None or invoice.currency == base or facts.currencies is None or invoice.currency in facts.currencies:
        return []
    reason = f"the organisation has not enabled the currency {plain(invoice.currency)} (Settings > Currencies in Xero)"
    return [Problem(ProblemCode.CURRENCY_NOT_ENABLED, invoice.id, reason, "caspen-xero push --refresh")]


def _locked(state: InvoiceState, snapshot: Snapshot) -> list[Problem]:
    """By the date that Caspen has: the one that stands in Xero is held against lock dates once it was looked at."""
    booking = booking_of(state, "create-invoice" if state.link is None else "update-invoice", snapshot)
    if booking is None:
        return []
    return locked(state.invoice.id, replace(booking, day=state.invoice.issue_date), snapshot)
