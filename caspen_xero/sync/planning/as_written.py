"""An invoice as it is to stand in Xero, and what the answer is held against. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.line_items import CannotTranslate
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import ExpectedDocument, must_prove_tax
from caspen_xero.sync.planning.translate import Document
from caspen_xero.sync.planning.ways_out import correct_it
from caspen_xero.sync.problems import ProblemCode


def totals_agree(state: InvoiceState, link: Link) -> bool:
    """Whether Xero shows Caspen's subtotal, tax and total."""
    return (link.subtotal, link.tax, link.total) == own_figures(state)


def own_figures(state: InvoiceState) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Caspen's subtotal, tax and total."""
    return (state.invoice.subtotal, state.invoice.tax, state.invoice.total)


def expectation(document: Document, fingerprint: str) -> ExpectedDocument:
    """What an answer is held against."""
    return ExpectedDocument(
        fingerprint=fingerprint,
        subtotal=document.subtotal,
        tax=document.tax,
        total=document.total,
        explicit_tax=document.explicit_tax,
        tells_tax=document.tells_tax,
        status=document.body.get("Status"),
        issued=document.body["Date"],
        currency=document.body["CurrencyCode"],
        line_ids=document.line_ids,
    )


def address(planner: Planner, document: Document, contact_id: str | None, fingerprint: str) -> ExpectedDocument:
    """Puts the contact on a new document, which stays a draft where it has yet to prove tax amounts; gives what is expected."""
    document.body["Contact"] = {"ContactID": contact_id}
    proves_tax = document.explicit_tax and must_prove_tax(planner.snapshot.keeps_tax, tells_tax=document.tells_tax)
    if proves_tax:
        document.body["Status"] = "DRAFT"
    return replace(expectation(document, fingerprint), contact_id=contact_id, proves_tax=proves_tax)


def written(planner: Planner, state: InvoiceState, *, certain: bool = False) -> Document | None:
    """The invoice as it is to stand in Xero, or None with the problems that keep it from that."""
    problems = checks.before_invoice(state, planner.snapshot)
    if problems or planner.terms is None:
        planner.plan.problems[state.invoice.id] += problems
        return None
    try:
        return planner.translations.of(state, planner.terms, certain=certain)
    except CannotTranslate as error:
        is_renamed = error.code is ProblemCode.INVOICE_NUMBER_INVALID
        planner.problem(state, error.code, error.reason, correct_it(state, planner.snapshot, is_renamed=is_renamed))
        return None
