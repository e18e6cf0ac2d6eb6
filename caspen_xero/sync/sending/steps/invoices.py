"""Invoices: created, kept as they are, changed by their id, approved, voided."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.compare import differences, invoice_shape
from caspen_xero.sync.planning.steps import ExpectedDocument, Step
from caspen_xero.sync.problems import ProblemCode, invoice_name
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.steps.specification import (
    PRICED,
    Count,
    Found,
    Link,
    Route,
    Write,
    of_targets,
    own_among,
    same_document,
)
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, Element, Invoice
from caspen_xero.xero.reading import invoices_by_id, invoices_numbered


class KeepInvoice(Link):
    """What has changed in Caspen shows nowhere in Xero."""

    kind = "keep-invoice"

    def record(self, records: Records, step: Step, found: Element) -> str:
        link = records.mappings.link("invoice", step.caspen_id)
        if link is not None:
            records.mappings.put_link(link.with_(fingerprint=step.expected.fingerprint))
        return step.target


class CreateInvoice(Write):
    """A finalised invoice that is not in Xero."""

    kind = "create-invoice"
    expected = ExpectedDocument
    route = Route("PUT", "Invoices", "Invoices", params=PRICED)
    id_field, named_by = "invoice_id", "invoice_number"
    adopted_as = "adopt-invoice"

    def goes_first(self, step: Step) -> bool:
        return isinstance(step.expected, ExpectedDocument) and step.expected.proves_tax

    def record(self, records: Records, step: Step, found: Element) -> str:
        return _wrote(records, step, found)

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        found = invoices_numbered(client, [step.number or "" for step in steps])
        return own_among(mappings, steps, {number: (one.invoice_id, one) for number, one in found.items()})

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        """Same contact and total under that number: linked as not made by us, else `invoice-number-taken`."""
        found = invoices_numbered(client, [step.number or "" for step in refused])
        taken = set(records.mappings.links_to(one.invoice_id for one in found.values() if one.invoice_id))
        adopted = set()
        for step in refused:
            one = found.get(step.number or "")
            if one is None:
                continue
            with records.mappings.store.write():
                if (one.invoice_id or "") not in taken and same_document(one, step):
                    records.link_invoice(step.caspen_id, one, made_by_us=False, fingerprint=step.expected.fingerprint)
                    holds.release(records.mappings, self.kind, [step.caspen_id])
                    adopted.add(step.caspen_id)
                    taken.add(one.invoice_id or "")
                else:
                    records.keep_hold(_number_taken(step, one))
        return adopted


class UpdateInvoice(Write):
    """An invoice of ours that has changed in Caspen, or whose figures Xero has otherwise."""

    kind = "update-invoice"
    expected = ExpectedDocument
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        xero_id = _wrote(records, step, found)
        link, expected = records.mappings.link("invoice", step.caspen_id), step.expected
        assert isinstance(expected, ExpectedDocument)
        if link and (link.subtotal, link.tax, link.total) != (expected.subtotal, expected.tax, expected.total):
            reason = "Xero's figures are not Caspen's, though every amount was told"
            records.hold(step, "update-invoice", ProblemCode.TOTALS_DIFFER, reason)
        return xero_id

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        # Writing an update again by id does no harm, so only one that shows all that we wrote is taken as done.
        return {place: one for place, one in _known(client, steps).items() if _shows(one, steps[place])}


class AuthoriseInvoice(Write):
    """A draft of ours that has shown the right figures."""

    kind = "authorise-invoice"
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        xero_id = _changed(records, step, found)
        assert isinstance(found, Invoice)
        records.hold_if_unapproved(step, found.status, "authorise-invoice")
        return xero_id

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        return {place: one for place, one in _known(client, steps).items() if one.status not in UNAPPROVED}


class VoidInvoice(Write):
    """An invoice that is void, or deleted, in Caspen."""

    kind = "void-invoice"
    counts_as = Count("voided", "invoices voided")
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        return _changed(records, step, found)

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        return {place: one for place, one in _known(client, steps).items() if one.status in GONE_STATUSES}


def _known(client: Client, steps: Sequence[Step]) -> dict[int, Invoice]:
    return of_targets(steps, invoices_by_id(client, [step.target for step in steps]))


def _shows(found: Invoice, step: Step) -> bool:
    assert isinstance(step.expected, ExpectedDocument)
    return not differences(step.expected.shape or {}, invoice_shape(found))


def _wrote(records: Records, step: Step, found: Element) -> str:
    expected = step.expected
    assert isinstance(found, Invoice)
    assert isinstance(expected, ExpectedDocument)
    records.link_invoice(step.caspen_id, found, made_by_us=True, fingerprint=expected.fingerprint, written=True)
    records.learn_from_tax(expected, found)
    if expected.status == "AUTHORISED":
        records.hold_if_unapproved(step, found.status, "authorise-invoice")
    return found.invoice_id or ""


def _changed(records: Records, step: Step, found: Element) -> str:
    assert isinstance(found, Invoice)
    link = records.mappings.link("invoice", step.caspen_id)
    records.link_invoice(
        step.caspen_id,
        found,
        made_by_us=link.made_by_us if link else True,
        fingerprint=link.fingerprint if link else step.expected.fingerprint,
        written=True,
    )
    return found.invoice_id or ""


def _number_taken(step: Step, found: Invoice) -> Hold:
    """A person decides whether the invoice of that number is the same."""
    who = found.contact.name if found.contact else "another contact"
    ours = step.expected.total if isinstance(step.expected, ExpectedDocument) else None
    reason = (
        f"Xero already has an invoice {step.number}: {found.total or 0:.2f} for {who}, {found.status}; "
        f"Caspen's is {ours} ({step.detail})"
    )
    name = invoice_name(step.number, step.caspen_id)
    if found.status in GONE_STATUSES:
        fix = f"Give it another number in Caspen, or: caspen-xero invoices skip {name}"
    else:
        fix = f"caspen-xero invoices link {name} {found.invoice_id}"
    words = "Invoice # must be unique."
    return Hold("create-invoice", step.caspen_id, ProblemCode.INVOICE_NUMBER_TAKEN, reason, fix, step.depends_on, words)
