"""Invoices: created, kept as they are, changed by their id, approved, voided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.fix_commands import invoice_name, link_command, overwrite_command, push_command
from caspen_xero.sync.planning.compare import FIGURES, Shape, differences, invoice_shape, sent_shape, told
from caspen_xero.sync.planning.kept import NotKept
from caspen_xero.sync.planning.merge import written_lines
from caspen_xero.sync.planning.same_invoice import differing, in_words
from caspen_xero.sync.planning.steps import ExpectedDocument, Step
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.side_by_side import beside, once_in_caspen, where_it_is
from caspen_xero.sync.sending.steps.specification import (
    PRICED,
    Count,
    Found,
    Link,
    PricedWrite,
    Route,
    Write,
    edits_since,
    has_other_figures,
    is_as_we_would_write_it,
    of_targets,
    own_among,
    same_document,
)
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, Invoice
from caspen_xero.xero.elements import Element
from caspen_xero.xero.reading import invoices_by_id, invoices_numbered


class KeepInvoice(Link):
    """What has changed in Caspen shows nowhere in Xero, or a person is content with what differs."""

    kind = "keep-invoice"
    expected = ExpectedDocument

    def record(self, records: Records, step: Step, found: Element) -> str:
        link = records.mappings.link("invoice", step.caspen_id)
        if link is not None:
            expected = step.expected
            assert isinstance(expected, ExpectedDocument)
            ids = [line.get("LineItemID") for line in (step.body or {}).get("LineItems", ())]
            lines = list(zip(expected.line_ids, ids, strict=True)) if expected.line_ids and all(ids) else None
            records.mappings.put_link(
                link.with_(fingerprint=expected.fingerprint, last_written=expected.own, lines=lines)
            )
            records.keep_edits(link, expected.own or {}, expected.seen or {})
        return step.target


class _WholeInvoice(PricedWrite):
    """An invoice that is sent whole."""

    def keep_lost(
        self, records: Records, step: Step, found: Element, lost: Sequence[NotKept], warnings: Sequence[str]
    ) -> list[str]:
        assert isinstance(found, Invoice)
        is_held = ("update-invoice", step.caspen_id) in records.held
        if not is_held and not has_other_figures(found, step, lost):
            fix = overwrite_command(step.number, step.caspen_id)
            records.hold_lost(step, "update-invoice", "invoice", lost, warnings, fix)
            _keep_shown_as_written(records, step, found)
        return []


def _keep_shown_as_written(records: Records, step: Step, found: Invoice) -> None:
    """What Xero shows otherwise than it was sent is not a bookkeeper's edit: it is what was written, until it is sent once more."""
    link, expected = records.mappings.link("invoice", step.caspen_id), step.expected
    assert isinstance(expected, ExpectedDocument)
    if link is None or link.last_written is None or step.body is None or expected.total is None or not found.line_items:
        return
    written = dict(link.last_written)
    for name, _, theirs in differences(sent_shape(step.body, expected.total, expected.tax), invoice_shape(found)):
        written[name] = theirs
    records.wrote(link, {name: text for name, text in written.items() if text}, found)


class CreateInvoice(_WholeInvoice):
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
        sent = sent_shape(step.body, expected.total, expected.tax)
        records.wrote(link, sent, found)  # other figures may be somebody's edit by now
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
                records.keep_hold(_number_taken(records.mappings, step, one))
        return adopted

    def _adopt(
        self, client: Client, records: Records, steps: Sequence[Step]
    ) -> tuple[set[str], list[tuple[Step, Invoice]]]:
        """Links what is the same under its number; gives the Caspen ids of it, and what else has the number of a step."""
        found = invoices_numbered(client, [step.number or "" for step in steps])
        taken = set(records.mappings.links_to(one.invoice_id for one in found.values() if one.invoice_id))
        refused = records.mappings.refused_links()
        adopted: set[str] = set()
        others: list[tuple[Step, Invoice]] = []
        for step in steps:
            one = found.get(step.number or "")
            if one is None:
                continue
            is_refused = (f"invoice:{step.caspen_id}", one.invoice_id) in refused
            if (one.invoice_id or "") in taken or is_refused or not same_document(one, step):
                others.append((step, one))
                continue
            with records.mappings.store.write():
                adopt_invoice(records, step, one)
                holds.release(records.mappings, self.kind, [step.caspen_id])
            adopted.add(step.caspen_id)
            taken.add(one.invoice_id or "")
        return adopted, others


class UpdateInvoice(_WholeInvoice):
    """An invoice of ours that has changed in Caspen, or whose figures Xero has otherwise."""

    kind = "update-invoice"
    expected = ExpectedDocument
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _changed_at(found)

    def record(self, records: Records, step: Step, found: Element) -> str:
        before, expected = records.mappings.link("invoice", step.caspen_id), step.expected
        assert isinstance(found, Invoice)
        assert isinstance(expected, ExpectedDocument)
        figures = (found.sub_total, found.total_tax, found.total)
        wrong = differences(expected.shape or {}, invoice_shape(found)) if found.line_items else []
        if before is not None and wrong and (found.amount_paid or found.credited):
            # What was sent is not there, so it is still to be done.
            records.link_invoice(step.caspen_id, found, made_by_us=before.made_by_us, fingerprint=before.fingerprint)
            reason = f"Xero took the change, and did not make it, as there is a payment or credit: {told(wrong)}"
            records.hold(step, "update-invoice", ProblemCode.CHANGED_AFTER_PAYMENT, reason)
            return found.invoice_id or ""
        xero_id = _wrote(records, step, found)
        if figures != (expected.subtotal, expected.tax, expected.total):
            reason = "Xero's figures are not Caspen's, though every amount was told"
            records.hold(step, "update-invoice", ProblemCode.TOTALS_DIFFER, reason)
        return xero_id

    def keep_as_sent(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, Invoice)
        return edits_since(found, step)

    def read_back(self, client: Client, steps: Sequence[Step]) -> Found:
        # Xero may answer 200, and keep what it had (on invoices with payments, one integration's field notes).
        return dict(_known(client, steps))

    def is_touched(self, client: Client, steps: Sequence[Step]) -> bool:
        known = _known(client, steps)
        return any(_is_another(known[place], step) for place, step in enumerate(steps) if place in known)

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        # Writing an update again by id does no harm, so only one that shows all that we wrote is taken as done.
        return {place: one for place, one in _known(client, steps).items() if _shows(one, steps[place])}


class AuthoriseInvoice(Write):
    """A draft of ours that has shown the right figures."""

    kind = "authorise-invoice"
    route = Route("POST", "Invoices", "Invoices", params=PRICED)
    id_field = named_by = "invoice_id"

    def way_out(self, step: Step) -> str:
        # What an approved invoice lacks, a bookkeeper has taken off the draft: Caspen's version has it.
        return overwrite_command(step.number, step.caspen_id)

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _changed_at(found)

    def record(self, records: Records, step: Step, found: Element) -> str:
        xero_id = _changed(records, step, found)
        assert isinstance(found, Invoice)
        records.hold_if_unapproved(step, found.status, "authorise-invoice")
        return xero_id

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        return {place: one for place, one in _known(client, steps).items() if one.status not in (None, *UNAPPROVED)}


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


def _is_another(found: Invoice, step: Step) -> bool:
    """Whether an invoice shows neither what an update was planned for nor all that it writes; earlier versions kept no `seen`."""
    assert isinstance(step.expected, ExpectedDocument)
    seen = step.expected.seen
    return seen is not None and bool(differences(seen, invoice_shape(found))) and not _shows(found, step)


def _shows(found: Invoice, step: Step) -> bool:
    assert isinstance(step.expected, ExpectedDocument)
    return not differences(step.expected.shape or {}, invoice_shape(found))


def adopt_invoice(records: Records, step: Step, found: Invoice) -> None:
    """Links an invoice to one that was there before: ours where it shows all that we would write, else somebody else's.

    Where it differs from what we would write, that is told as an edit is.
    """
    is_ours, expected = is_as_we_would_write_it(found, step), step.expected
    assert isinstance(expected, ExpectedDocument)
    ours = sent_shape(step.body, expected.total, expected.tax) if step.body and expected.total is not None else None
    records.link_invoice(
        step.caspen_id,
        found,
        made_by_us=is_ours,
        fingerprint=expected.fingerprint,
        last_written=ours,
        lines=written_lines(expected.line_ids, step.body or {}, found) if is_ours else None,
    )


def _changed_at(found: Element) -> datetime | None:
    return found.updated_date_utc if isinstance(found, Invoice) else None


def _wrote(records: Records, step: Step, found: Element) -> str:
    expected = step.expected
    assert isinstance(found, Invoice)
    assert isinstance(expected, ExpectedDocument)
    own = expected.own or expected.shape  # earlier versions kept only what an update was to show
    if own is None and step.body is not None and expected.total is not None:
        own = sent_shape(step.body, expected.total, expected.tax)
    records.link_invoice(
        step.caspen_id,
        found,
        made_by_us=True,
        fingerprint=expected.fingerprint,
        last_written=_as_computed(own, expected, found),
        lines=written_lines(expected.line_ids, step.body or {}, found),
    )
    records.learn_from_tax(expected, found)
    if expected.status == "AUTHORISED":
        records.hold_if_unapproved(step, found.status, "authorise-invoice")
    return found.invoice_id or ""


def _as_computed(own: Shape | None, expected: ExpectedDocument, found: Invoice) -> Shape | None:
    """What was written, with Xero's own figures where it shows the rest as it was sent: those are its arithmetic, nobody's edit."""
    if own is None or not found.line_items or (found.total_tax, found.total) == (expected.tax, expected.total):
        return own
    shown = invoice_shape(found)
    if any(name not in FIGURES for name, _, _ in differences(expected.shape or own, shown)):
        return own
    return own | {name: shown[name] for name in FIGURES if name in shown}


def _changed(records: Records, step: Step, found: Element) -> str:
    """Its status alone was written: what else it shows by now may be somebody's edit, and stays one."""
    assert isinstance(found, Invoice)
    link = records.mappings.link("invoice", step.caspen_id)
    shown = invoice_shape(found) if found.line_items else {}
    before = link.last_written if link else None
    # Approval may compute discounts anew (xero-node#592).
    computed = {name: value for name, value in shown.items() if name in FIGURES or name.endswith(" discounted by")}
    records.link_invoice(
        step.caspen_id,
        found,
        made_by_us=link.made_by_us if link else True,
        fingerprint=link.fingerprint if link else step.expected.fingerprint,
        last_written={**before, **computed} if before is not None else shown or None,
        lines=link.lines if link else None,
    )
    return found.invoice_id or ""


def _number_taken(mappings: Mappings, step: Step, found: Invoice) -> Hold:
    """A person decides what is to be done: both are shown, and only one that differs in nothing is offered to be linked."""
    told = beside(mappings, step.caspen_id, found)
    there, link = {fact.what: fact.xero for fact in told}, where_it_is(mappings, found)
    reason = (
        f"Xero already has an invoice {plain(step.number)}: {there['total']} {plain(there['currency'])} of {there['date']} for "
        f"{plain(there['contact'])}, {plain(found.status)}{f' ({link})' if link else ''}; Caspen's is {step.detail}"
    )
    stands_for = mappings.links_to([found.invoice_id or ""]).get(found.invoice_id or "")
    again = once_in_caspen(mappings, push_command(None, step.caspen_id))  # it will have another number
    renumber = f"Give it another number in Caspen, then: {again}"
    if found.status in GONE_STATUSES:
        fix = f"{renumber}; or: {to_paste('invoices skip', invoice_name(step.number, step.caspen_id))}"
    elif stands_for is not None:
        reason += f"; that one stands for {plain(stands_for.caspen_id)} in Caspen"
        fix = renumber
    elif differing(told):
        same = link_command(step.number, step.caspen_id, found.invoice_id or "XERO_ID", force=True)
        reason += f". It differs: {in_words(differing(told))}. If it is the same all the same: {same}"
        fix = f"Give it another number in Caspen, or the other one in Xero, then: {again}"
    else:
        fix = link_command(step.number, step.caspen_id, found.invoice_id or "XERO_ID")
    words = holds.said(mappings, "create-invoice", step.caspen_id)
    return Hold("create-invoice", step.caspen_id, ProblemCode.INVOICE_NUMBER_TAKEN, reason, fix, step.depends_on, words)
