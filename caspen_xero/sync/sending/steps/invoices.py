"""Invoices: created, kept as they are, changed by their id, approved, voided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.compare import differences, invoice_shape, sent_shape
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
    as_we_would_write_it,
    edits_since,
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
    makes_document = True

    def goes_first(self, step: Step) -> bool:
        return isinstance(step.expected, ExpectedDocument) and step.expected.proves_tax

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _changed_at(found)

    def record(self, records: Records, step: Step, found: Element) -> str:
        return _wrote(records, step, found)

    def keep_as_sent(self, records: Records, step: Step, found: Element) -> str:
        link, expected = records.mappings.link("invoice", step.caspen_id), step.expected
        assert isinstance(found, Invoice)
        assert isinstance(expected, ExpectedDocument)
        if link is None or step.body is None or expected.total is None:
            return ""
        records.mappings.put_link(link.with_(last_written=sent_shape(step.body, expected.total, found)))
        return edits_since(found, step)

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        found = invoices_numbered(client, [step.number or "" for step in steps])
        return own_among(mappings, steps, {number: (one.invoice_id, one) for number, one in found.items()})

    def adopt(self, client: Client, records: Records, steps: Sequence[Step]) -> set[str]:
        return self._adopt(client, records, steps)[0]

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        """The same invoice under that number is linked; it is ours only where it shows all that we would write.

        Else it is `invoice-number-taken`.
        """
        adopted, others = self._adopt(client, records, refused)
        with records.mappings.store.write():
            for step, one in others:
                records.keep_hold(_number_taken(step, one))
        return adopted

    def _adopt(
        self, client: Client, records: Records, steps: Sequence[Step]
    ) -> tuple[set[str], list[tuple[Step, Invoice]]]:
        """Links what is the same under its number; gives the Caspen ids of it, and what else has the number of a step."""
        found = invoices_numbered(client, [step.number or "" for step in steps])
        taken = set(records.mappings.links_to(one.invoice_id for one in found.values() if one.invoice_id))
        adopted: set[str] = set()
        others: list[tuple[Step, Invoice]] = []
        for step in steps:
            one = found.get(step.number or "")
            if one is None:
                continue
            if (one.invoice_id or "") in taken or not same_document(one, step):
                others.append((step, one))
                continue
            with records.mappings.store.write():
                adopt_invoice(records, step, one)
                holds.release(records.mappings, self.kind, [step.caspen_id])
            adopted.add(step.caspen_id)
            taken.add(one.invoice_id or "")
        return adopted, others


class UpdateInvoice(Write):
    """An invoice of ours that has changed in Caspen, or whose figures Xero has otherwise."""

    kind = "update-invoice"
    expected = ExpectedDocument
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _changed_at(found)

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

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _changed_at(found)

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


def adopt_invoice(records: Records, step: Step, found: Invoice) -> None:
    """Links an invoice to one that was there before: ours where it shows all that we would write, else somebody else's.

    Where it differs from what we would write, that is told as an edit is.
    """
    shape, expected = as_we_would_write_it(found, step), step.expected
    assert isinstance(expected, ExpectedDocument)
    ours = shape or (sent_shape(step.body, expected.total, found) if step.body and expected.total is not None else None)
    records.link_invoice(
        step.caspen_id, found, made_by_us=shape is not None, fingerprint=expected.fingerprint, last_written=ours
    )


def _changed_at(found: Element) -> datetime | None:
    return found.updated_date_utc if isinstance(found, Invoice) else None


def _wrote(records: Records, step: Step, found: Element) -> str:
    expected = step.expected
    assert isinstance(found, Invoice)
    assert isinstance(expected, ExpectedDocument)
    written = invoice_shape(found) if found.line_items else None
    records.link_invoice(step.caspen_id, found, made_by_us=True, fingerprint=expected.fingerprint, last_written=written)
    records.learn_from_tax(expected, found)
    if expected.status == "AUTHORISED":
        records.hold_if_unapproved(step, found.status, "authorise-invoice")
    return found.invoice_id or ""


def _changed(records: Records, step: Step, found: Element) -> str:
    """Its status alone was written: what else it shows by now may be somebody's edit, and stays one."""
    assert isinstance(found, Invoice)
    link = records.mappings.link("invoice", step.caspen_id)
    shown = invoice_shape(found) if found.line_items else {}
    before = link.last_written if link else None
    total = {"total": shown["total"]} if "total" in shown else {}  # approval may compute a discount anew
    records.link_invoice(
        step.caspen_id,
        found,
        made_by_us=link.made_by_us if link else True,
        fingerprint=link.fingerprint if link else step.expected.fingerprint,
        last_written={**before, **total} if before is not None else shown or None,
    )
    return found.invoice_id or ""


def _of_another_kind(step: Step, found: Invoice) -> str:
    """The currency and the date of an invoice in Xero, where they are not Caspen's."""
    expected = step.expected
    assert isinstance(expected, ExpectedDocument)
    currency = "" if expected.currency in (None, found.currency_code) else f" {found.currency_code}"
    return currency + ("" if expected.issued in (None, found.date) else f" of {found.date}")


def _number_taken(step: Step, found: Invoice) -> Hold:
    """A person decides whether the invoice of that number is the same."""
    who = found.contact.name if found.contact else "another contact"
    ours = step.expected.total if isinstance(step.expected, ExpectedDocument) else None
    reason = (
        f"Xero already has an invoice {step.number}: {found.total or 0:.2f}{_of_another_kind(step, found)} for {who}, "
        f"{found.status}; Caspen's is {ours} ({step.detail})"
    )
    name = invoice_name(step.number, step.caspen_id)
    if found.status in GONE_STATUSES:
        fix = f"Give it another number in Caspen, or: caspen-xero invoices skip {name}"
    else:
        fix = f"caspen-xero invoices link {name} {found.invoice_id}"
    words = "Invoice # must be unique."
    return Hold("create-invoice", step.caspen_id, ProblemCode.INVOICE_NUMBER_TAKEN, reason, fix, step.depends_on, words)
