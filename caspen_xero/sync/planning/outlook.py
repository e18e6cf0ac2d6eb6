"""What a plan comes to, for a person to judge before anything is sent: counts and sums by kind, accounts, tax rates. Pure.

Sums are by currency, to the cent, of Caspen's own figures; nothing is decided by them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from caspen_xero.caspen.records import FINALISED, CreditNote, Invoice
from caspen_xero.outside_text import plain
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.doubtful_payments import owed_in_caspen
from caspen_xero.sync.planning.line_items import Terms
from caspen_xero.sync.planning.payments import payment_account
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import Step, StepKind
from caspen_xero.sync.planning.translate import Document, translate_credit_note
from caspen_xero.sync.planning.translations import Translations
from caspen_xero.sync.setup.accounts import account_label
from caspen_xero.sync.setup.taxes import NO_TAX, NO_TAX_RATE, percent_text
from caspen_xero.xero.documents import Account


@dataclass
class Tally:
    """How many, what they come to by currency, and from when to when they are dated."""

    number: int = 0
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    oldest: date | None = None
    newest: date | None = None

    def add(self, amount: Decimal | None = None, currency: str = "", day: date | None = None) -> None:
        """One more."""
        self.number += 1
        if amount is not None:
            self.sums[currency] += amount
        if day is not None:
            self.oldest, self.newest = min(self.oldest or day, day), max(self.newest or day, day)


LinesOf = Literal["invoice-lines", "credit-note-lines"]
"""Lines of new invoices, or of new credit notes."""


class Use(NamedTuple):
    """What goes to an account: lines, or the payments of one of Caspen's methods, by name (None: of none)."""

    what: LinesOf | Literal["payments"]
    method: str | None
    account: str
    account_id: str


class RateUse(NamedTuple):
    """Lines with one of Caspen's rates, and what that is in Xero. None: their prices carry no tax."""

    what: LinesOf
    rate_id: str | None
    rate: str | None
    tax_type: str | None


@dataclass
class RateTally:
    """How many lines, and what they come to by currency: without tax, and the tax."""

    lines: int = 0
    net: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    tax: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


KeptBack = Literal["payments-off", "problem", "from-xero", "waits"]
"""Why a payment would stay out: settings leave it to a bank feed; something is wrong; it is said to come from Xero, which is looked
into once its invoice is there; or its invoice waits for an approval."""
PAYMENTS_OFF: KeptBack = "payments-off"

StaysOut = Literal["problem", "waits"]
"""Why an invoice would stay out, or a credit note: something is wrong with it or its invoice; or it waits though nothing is."""


@dataclass
class Outlook:
    """What a push would do. `kinds`: by kind of step; `kept_back`: payments that Caspen has, and that would stay out of Xero.

    `invoices_out`, `notes_out`: finalised invoices and credit notes that are not in Xero and would not be: with what `kinds` has
    created they are all that is due. `owed`: what new invoices lack payments of that Caspen calls paid.
    `codes`: by problem, or by why they wait, the invoices that have it, also where they go.
    """

    kinds: defaultdict[StepKind, Tally] = field(default_factory=lambda: defaultdict(Tally))
    accounts: defaultdict[Use, Tally] = field(default_factory=lambda: defaultdict(Tally))
    rates: defaultdict[RateUse, RateTally] = field(default_factory=lambda: defaultdict(RateTally))
    kept_back: defaultdict[KeptBack, Tally] = field(default_factory=lambda: defaultdict(Tally))
    invoices_out: defaultdict[StaysOut, Tally] = field(default_factory=lambda: defaultdict(Tally))
    notes_out: defaultdict[StaysOut, Tally] = field(default_factory=lambda: defaultdict(Tally))
    codes: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    owed: Tally = field(default_factory=Tally)

    def add(self, plan: Plan, snapshot: Snapshot, translations: Translations) -> None:
        """Adds what one plan would do, made from that snapshot."""
        states = {state.invoice.id: state for state in snapshot.invoices}
        removed = {
            key: (link.total, state.invoice.currency)
            for state in states.values()
            for key, link in state.payment_links.items()
        }
        terms = checks.terms(snapshot)
        for step in plan.steps:
            state = states.get(step.invoice_id or "")
            if step.kind == "delete-payment":
                amount, currency = removed[step.caspen_id]
                self.kinds[step.kind].add(amount, currency, step.booking.day if step.booking else None)
            elif state is None:
                self.kinds[step.kind].add()
            else:
                self._add_step(step, state, snapshot, terms, translations)
        self._add_kept_back(plan, snapshot)
        self._add_what_stays_out(plan, snapshot)

    def add_codes(self, plan: Plan, invoices: Iterable[Invoice]) -> None:
        """Adds what is wrong with these invoices by a plan, and why they wait."""
        for invoice in invoices:
            codes = {str(one.code) for one in plan.problems.get(invoice.id, ())}
            if (why := plan.waiting.get(invoice.id)) is not None:
                codes.add(str(why.code))
            for code in codes:
                self.codes[code].add(invoice.total, invoice.currency, invoice.issue_date)

    def add_unreadable(self, code: str, total: Decimal | None, currency: str, day: date | None) -> None:
        """Adds an invoice that stands nowhere but in a bad record, as far as that could be read."""
        for tally in (self.codes[code], self.invoices_out["problem"]):
            tally.add(total, currency, day)

    def _add_step(
        self, step: Step, state: InvoiceState, snapshot: Snapshot, terms: Terms | None, translations: Translations
    ) -> None:
        tally, invoice = self.kinds[step.kind], state.invoice
        payment = next((one for one in state.payments if one.key == step.caspen_id), None)
        note = next((one for one in state.credit_notes if one.id == step.caspen_id), None)
        if payment is not None:
            tally.add(payment.amount, invoice.currency, payment.date)
            if step.kind == "create-payment":
                self._add_payment(payment, state, snapshot)
        elif note is not None:
            tally.add(note.total, invoice.currency, note.date)
            if step.kind == "create-credit-note" and terms is not None:
                document = translate_credit_note(note, invoice, terms)
                self._add_lines("credit-note-lines", note, invoice, document, snapshot)
        else:
            tally.add(invoice.total, invoice.currency, invoice.issue_date)
            if step.kind == "create-invoice":
                self._add_owed(state, snapshot)
            if step.kind == "create-invoice" and terms is not None:
                document = translations.of(state, terms)
                self._add_lines("invoice-lines", invoice, invoice, document, snapshot)

    def _add_owed(self, state: InvoiceState, snapshot: Snapshot) -> None:
        lacks = owed_in_caspen(state.invoice.total, state.payments, state.credit_notes) or Decimal(0)
        if state.invoice.status == "paid" and lacks > 0 and not snapshot.settings.feed_brings_payments:
            self.owed.add(lacks, state.invoice.currency, state.invoice.issue_date)

    def _add_payment(self, payment: AppliedPayment, state: InvoiceState, snapshot: Snapshot) -> None:
        account, _ = payment_account(state, payment, snapshot)
        method = snapshot.methods.get(payment.method_id or "")
        use = _use("payments", method.name if method else None, account)
        self.accounts[use].add(payment.amount, state.invoice.currency, payment.date)

    def _add_lines(
        self,
        what: LinesOf,
        record: Invoice | CreditNote,
        invoice: Invoice,
        document: Document,
        snapshot: Snapshot,
    ) -> None:
        """The lines of a new document, by account and by tax rate."""
        items, amounts, taxes = document.body["LineItems"], document.line_amounts, document.line_taxes
        for line, item, amount, tax in zip(record.lines, items, amounts, taxes, strict=True):
            net = amount - tax if tax is not None and invoice.tax_mode == "inclusive" else amount
            self.accounts[_use(what, None, snapshot.facts.account(item["AccountID"]))].add(net, invoice.currency)
            rate_id = None if tax is None else line.tax_rate_id or NO_TAX
            tally = self.rates[RateUse(what, rate_id, _rate_name(rate_id, snapshot), item.get("TaxType"))]
            tally.lines += 1
            tally.net[invoice.currency] += net
            tally.tax[invoice.currency] += tax or Decimal("0.00")

    def _add_kept_back(self, plan: Plan, snapshot: Snapshot) -> None:
        planned = {step.caspen_id for step in plan.steps}
        for state, payment in _unsent(snapshot):
            if payment.key not in planned:
                why = _why_kept_back(state, payment, plan, snapshot)
                self.kept_back[why].add(payment.amount, state.invoice.currency, payment.date)

    def _add_what_stays_out(self, plan: Plan, snapshot: Snapshot) -> None:
        created = {(step.kind, step.caspen_id) for step in plan.steps}
        for state in snapshot.invoices:
            invoice = state.invoice
            if invoice.status not in FINALISED:
                continue
            why: StaysOut = "problem" if plan.problems.get(invoice.id) else "waits"
            if state.link is None and ("create-invoice", invoice.id) not in created:
                self.invoices_out[why].add(invoice.total, invoice.currency, invoice.issue_date)
            for note in state.credit_notes:
                is_there = note.id in state.credit_note_links or ("create-credit-note", note.id) in created
                if note.status == "issued" and not is_there:
                    self.notes_out[why].add(note.total, invoice.currency, note.date)


def _unsent(snapshot: Snapshot) -> Iterator[tuple[InvoiceState, AppliedPayment]]:
    """Payments that pay their invoice in Caspen, and of which nothing is known in Xero."""
    for state in snapshot.invoices:
        for payment in state.payments if state.invoice.status in FINALISED else ():
            link = state.payment_links.get(payment.key)
            if payment.pays and (link is None or link.is_deleted):
                yield state, payment


def _why_kept_back(state: InvoiceState, payment: AppliedPayment, plan: Plan, snapshot: Snapshot) -> KeptBack:
    if snapshot.settings.feed_brings_payments and payment.xero_id is None:
        return PAYMENTS_OFF
    if plan.problems.get(state.invoice.id):
        return "problem"
    return "waits" if payment.xero_id is None or state.link is not None else "from-xero"


def _use(what: LinesOf | Literal["payments"], method: str | None, account: Account | None) -> Use:
    return Use(what, method, account_label(account) if account else "", account.account_id if account else "")


def _rate_name(rate_id: str | None, snapshot: Snapshot) -> str | None:
    """Caspen's rate with its percentage, as people call it."""
    rate = NO_TAX_RATE if rate_id == NO_TAX else snapshot.tax_rates.get(rate_id or "")
    return (
        None if rate is None else rate.name if rate_id == NO_TAX else f"{plain(rate.name)} ({percent_text(rate.rate)})"
    )
