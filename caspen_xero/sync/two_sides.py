"""One invoice on both sides, row by row: head, figures, lines, payments, credit notes. From the store, as Xero was last seen.

Xero's lines are as they were written there, with what is known to have been edited since. What one side does not tell is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.caspen.records import FINALISED, GONE, CreditNote, Invoice, InvoiceLine
from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store import both_sides, clinic, known_contacts, seen_invoices, xero_payments
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.books.due_dates import CODE as DUE_DATE
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.compare import HEADING, Shape, differences, lines_of, sent_shape, text_of, with_cents
from caspen_xero.sync.planning.line_items import CannotTranslate
from caspen_xero.sync.planning.translate import invoice_fingerprint, translate_invoice
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.drift import Drift
from caspen_xero.sync.sending.load import load_caspen_side, load_snapshot
from caspen_xero.sync.setup.organisation import known_organisation
from caspen_xero.sync.setup.settings import read_settings
from caspen_xero.xero.documents import GONE_STATUSES

Value = str | Decimal | date | None
DIFFERS, ONLY_IN_CASPEN, ONLY_IN_XERO, EDITED = "differs", "only in Caspen", "only in Xero", "edited in Xero"
"""What a row is marked with; `EDITED` is what a bookkeeper may decide, so that it is no difference."""
TOLD, TELLS_NEXT = "Caspen was told", "Caspen was not told yet"
ZERO = Decimal(0)
NOT_THERE = "not in Xero"
"""In place of the id of a contact that is yet to be made."""
_FIELDS = (
    "number|contact|date|due date|reference|currency|amounts are|total|tax type|tax|description|quantity|price",
    "discounted by|account",
)
_NAME = rf"(?:line \d+ )?(?:{'|'.join(_FIELDS)})"
_EDIT = re.compile(rf"({_NAME}) (.*)", re.DOTALL)
"""How `edits.py` words what was edited."""
_NEXT_EDIT = re.compile(rf"; (?={_NAME} )")
_MORE_EDITS = re.compile(r"; and (\d+) more$")
_EDITED = (seen_invoices.DOCUMENT_EDITED, seen_invoices.DETAILS_EDITED)
_OF_MONEY = ("payment", "paid", "credit", "not-in-caspen")
"""How codes of what is about payments and credits begin."""
_PROVED = {"number": "number", "contact": "contact", "date": "date", DUE_DATE: "due date", "currency": "currency"}
"""What a reconciliation has found of the head, by its code."""
_FIGURE = re.compile(r"(subtotal|tax|total) (-?\d+\.\d+)")
_NOTHING = "nothing"


@dataclass(frozen=True)
class SideRow:
    """One thing on both sides. `part`: `invoice`, `line 1`, `payment` or `credit note`; `mark`: "" where they agree.

    `is_accepted`: a person is content with what is marked so. `note`: of money that Xero alone has records of, what Caspen knows.
    """

    part: str
    what: str
    caspen: Value
    xero: Value
    mark: str = ""
    is_accepted: bool = False
    note: str = ""


@dataclass(frozen=True)
class _Xero:
    """What is known of the invoice in Xero. `shape`: as `compare.py` has it; `marks`: of what in it differs, by name.

    `is_compared`: whether `marks` has all; else what Caspen has changed is compared here, as far as both sides tell it.
    `more_edited`: how many edits there are of which nobody has kept what they are. `figures`: as a reconciliation has found them.
    """

    link: Link
    shape: Mapping[str, str]
    marks: Mapping[str, str]
    is_compared: bool
    more_edited: int = 0
    figures: Mapping[str, Decimal] = field(default_factory=dict)

    def shows(self, name: str) -> str:
        return self.shape.get(name, "")


def two_sides(
    store: Store,
    mappings: Mappings | None,
    invoice_id: str,
    drift: Sequence[Drift],
    troubles: Sequence[Trouble] = (),
    accepted: Sequence[Trouble] = (),
) -> list[SideRow]:
    """The rows, in the order in which they are read. `drift`: what differs on this invoice, accepted or not, as far as that stands;
    `troubles`, `accepted`: what is wrong with it, and what of that a person is content with.
    """
    invoice = clinic.invoices(store, [invoice_id]).get(invoice_id)
    if invoice is None:
        return []
    payments = clinic.payments_on(store, [invoice_id]).get(invoice_id, [])
    notes = clinic.credit_notes_on(store, [invoice_id]).get(invoice_id, [])
    link = mappings.link("invoice", invoice_id) if mappings else None
    xero = _seen(mappings, link, invoice, drift) if mappings and link else None
    rows = [
        *_head(store, mappings, invoice, xero),
        *_figures(mappings, invoice, payments, notes, xero),
        *_lines(store, invoice, xero),
        *_payments(store, mappings, invoice_id, payments, drift, is_there=link is not None),
        *_notes(mappings, invoice_id, notes, is_there=link is not None),
    ]
    rows = list(_with_notes(rows))
    content = {_about(one) for one in accepted} - {_about(one) for one in troubles}
    return [
        replace(row, is_accepted=row.is_accepted or (_may_be_accepted(row) and _about_row(row) in content))
        for row in rows
    ]


def _may_be_accepted(row: SideRow) -> bool:
    """Of what a bookkeeper may decide, only a due date is asked about."""
    return bool(row.mark) and (row.mark != EDITED or row.what == "due date")


_About = Literal["document", "due date", "money"]
"""What a person can be content with by itself."""


def _about(trouble: Trouble) -> _About:
    if trouble.code is ProblemCode.NOT_EQUAL_IN_XERO:
        code = trouble.subject.partition(":")[0]
        return "due date" if code == DUE_DATE else "money" if code.startswith(_OF_MONEY) else "document"
    return "money" if trouble.code.startswith(_OF_MONEY) or trouble.subject else "document"


def _about_row(row: SideRow) -> _About:
    if row.part in ("payment", "credit note") or row.what in ("paid", "credited", "due"):
        return "money"
    return "due date" if row.what == "due date" else "document"


def _seen(mappings: Mappings, link: Link, invoice: Invoice, drift: Sequence[Drift]) -> _Xero:
    shape = dict(opened(link.last_written or {}))
    marks, more, figures = dict[str, str](), 0, dict[str, Decimal]()
    for name, (_, theirs) in (link.despite.differences if link.despite else {}).items():
        if name in HEADING:
            marks[name], shape[name] = DIFFERS, theirs or ""
    for one in drift:
        if one.problem is ProblemCode.NOT_EQUAL_IN_XERO:
            if part := _PROVED.get(one.code):
                marks[part], shape[part] = DIFFERS, "" if one.xero == _NOTHING else one.xero
            elif one.code == "figures":
                figures = {found[1]: Decimal(found[2]) for found in _FIGURE.finditer(one.xero)}
            continue
        if one.code not in _EDITED:
            continue
        if left := _MORE_EDITS.search(one.xero):
            more += int(left[1])
        for part in _NEXT_EDIT.split(_MORE_EDITS.sub("", one.xero)):
            if found := _EDIT.fullmatch(part):
                name = "whole tax" if found[1] == "tax" else found[1]
                marks[name] = EDITED if one.code == seen_invoices.DETAILS_EDITED else DIFFERS
                shape[name] = found[2]
    if link.fingerprint == invoice_fingerprint(invoice):
        return _Xero(link, shape, marks, is_compared=True, more_edited=more, figures=figures)
    ought = _ought_to_show(mappings, invoice) if shape else None
    changed = differences(ought, shape) if ought is not None else []
    marks = {name: DIFFERS for name, _, _ in changed} | marks
    return _Xero(link, shape, marks, is_compared=ought is not None, more_edited=more, figures=figures)


def _ought_to_show(mappings: Mappings, invoice: Invoice) -> Shape | None:
    """What Xero would show of an invoice that the next push sends anew; None where it can't be sent as it is."""
    settings, facts = read_settings(mappings.store), known_organisation(mappings)
    caspen = load_caspen_side(mappings.store, [invoice.id], settings)
    if facts is None or invoice.id in caspen.lack_details:
        return None
    terms = checks.terms(load_snapshot(mappings, caspen, facts, settings, datetime.now(UTC), ignore_holds=True))
    if terms is None:
        return None
    try:
        sent = translate_invoice(invoice, terms, caspen.payers.get(invoice.id))
    except CannotTranslate:
        return None
    party = caspen.parties[invoice.id]
    contact = mappings.link(party.kind, party.caspen_id)
    sent.body["Contact"] = {"ContactID": contact.xero_id if contact else NOT_THERE}
    return sent_shape(sent.body, sent.total, sent.tax)


def _head(store: Store, mappings: Mappings | None, invoice: Invoice, xero: _Xero | None) -> Iterator[SideRow]:
    link = xero.link if xero else None
    gone = link is not None and link.status in GONE_STATUSES
    is_apart = link is not None and (
        (invoice.status in FINALISED and gone) or (invoice.status in GONE and not gone) or invoice.status == "draft"
    )
    yield _row("status", invoice.status, link.status if link else None, is_apart)
    yield _told(xero, "number", invoice.number, link.number if link else None)
    party = clinic.billed_names(store, [invoice.id]).get(invoice.id, "")
    contact = ""
    if xero is not None:
        id_ = xero.shows("contact")
        known = known_contacts.by_id(mappings, [id_]).get(id_) if mappings and id_ else None
        contact = known.name if known else id_ if "contact" in xero.marks else ""
    yield _row("contact", party, contact, xero is not None and "contact" in xero.marks)
    yield _told(xero, "date", invoice.issue_date)
    yield _told(xero, "due date", invoice.due_date)
    yield _told(xero, "reference", invoice.reference)
    yield _told(xero, "currency", invoice.currency)
    if xero is not None and xero.more_edited:
        yield SideRow("invoice", "more edits", None, f"{xero.more_edited}, to be seen in Xero", EDITED)


def _told(xero: _Xero | None, name: str, caspen: Value, theirs: Value = None) -> SideRow:
    """A part of the head. As long as Caspen has it as it was sent, only an edit makes it differ."""
    if xero is None:
        return _row(name, caspen, None, False)
    there = xero.shows(name) or (theirs if name not in xero.marks else None)
    changed = not xero.is_compared and bool(there) and text_of(caspen) != text_of(there)
    return SideRow("invoice", name, caspen, there, xero.marks.get(name) or (DIFFERS if changed else ""))


def _row(what: str, caspen: Value, xero: Value, differs: bool) -> SideRow:
    return SideRow("invoice", what, caspen, xero, DIFFERS if differs else "")


def _figures(
    mappings: Mappings | None,
    invoice: Invoice,
    payments: Sequence[AppliedPayment],
    notes: Sequence[CreditNote],
    xero: _Xero | None,
) -> Iterator[SideRow]:
    """What is paid differs where what Caspen has, and is told, does not come to what Xero shows: as `drift` has it."""
    paid = sum((one.amount for one in payments if one.pays), ZERO)
    credited = sum((one.total for one in notes if one.status == "issued"), ZERO)
    due = None if invoice.total is None or invoice.status not in FINALISED else invoice.total - paid - credited
    if xero is None or mappings is None:
        for name in ("subtotal", "tax", "total"):
            yield _row(name, getattr(invoice, name), None, False)
        for name, ours in (("paid", paid), ("credited", credited), ("due", due)):
            yield _row(name, ours, None, False)
        return
    link, differs = xero.link, False
    for name in ("subtotal", "tax", "total"):
        ours, theirs = getattr(invoice, name), xero.figures.get(name, getattr(link, name))
        is_apart = None not in (ours, theirs) and ours != theirs
        differs = differs or is_apart
        yield _row(name, ours, theirs, is_apart)
    there = (link.amount_paid or ZERO) + (link.amount_credited or ZERO)
    is_apart = there != both_sides.paid_in_caspen(mappings, [invoice.id]).get(invoice.id, ZERO)
    yield _row("paid", paid, link.amount_paid, is_apart and paid != (link.amount_paid or ZERO))
    yield _row("credited", credited, link.amount_credited, is_apart and credited != (link.amount_credited or ZERO))
    yield _row("due", due, link.amount_due, (differs or is_apart) and due != link.amount_due)


def _with_notes(rows: Sequence[SideRow]) -> Iterator[SideRow]:
    """The same; sums that differ by no more than what Caspen was told of, or is to be told, are noted as the payments are."""
    notes = {row.note for row in rows if row.note}
    note = TELLS_NEXT if TELLS_NEXT in notes else next(iter(notes), "")
    for row in rows:
        is_sum = row.part == "invoice" and row.what in ("paid", "credited", "due")
        is_noted = is_sum and not row.mark and row.caspen != row.xero and row.xero is not None
        yield replace(row, note=note) if note and is_noted else row


# --- lines


def _lines(store: Store, invoice: Invoice, xero: _Xero | None) -> Iterator[SideRow]:
    rates = {rate.id: rate.name for rate in clinic.tax_rates(store)}
    theirs = lines_of(xero.shape) if xero else []
    is_known = bool(theirs)
    for place in range(max(len(invoice.lines), len(theirs))):
        ours = invoice.lines[place] if place < len(invoice.lines) else None
        there = theirs[place] if place < len(theirs) else None
        part, marks = f"line {place + 1}", xero.marks if xero else {}
        lone = "" if not is_known else ONLY_IN_XERO if ours is None else ONLY_IN_CASPEN if there is None else ""
        texts = (ours.description if ours else None, there.get("description", "") if there else None)
        figures = (_ours(ours, rates) if ours else None, _theirs(there) if there else None)
        of_text = marks.get(f"{part} description", "")
        names = ("quantity", "price", "discounted by", "tax type", "account")
        of_figures = min((marks[f"{part} {name}"] for name in names if f"{part} {name}" in marks), default="")
        if (
            xero is not None and not xero.is_compared and ours is not None and there is not None
        ):  # Caspen has changed it
            of_text = of_text or (DIFFERS if text_of(texts[0]) != text_of(texts[1]) else "")
            sides = ((ours.quantity, there.get("quantity")), (ours.unit_price, there.get("price")))
            is_apart = any(text_of(one) != (other or "") for one, other in sides)
            of_figures = of_figures or (DIFFERS if is_apart else "")
        yield SideRow(part, "text", *texts, lone or of_text)
        yield SideRow(part, "amounts", *figures, lone or of_figures)


def _ours(line: InvoiceLine, rates: Mapping[str, str | None]) -> str:
    told = f"{text_of(line.quantity)} x {with_cents(text_of(line.unit_price))}"
    if line.discount is not None:
        is_share = line.discount.type == "percentage"
        told += f" less {text_of(line.discount.value)}{' %' if is_share else ''}"
    if line.amount is not None:
        told += f" = {line.amount:.2f}"
    if line.tax is not None:
        told += f", tax {line.tax:.2f}"
    rate = rates.get(line.tax_rate_id or "") or line.tax_rate_id or "no tax rate"
    return f"{told}, {rate}"


def _theirs(line: Mapping[str, str]) -> str:
    parts = []
    if "quantity" in line or "price" in line:
        parts.append(f"{line.get('quantity', '')} x {with_cents(line.get('price', ''))}".strip())
    if line.get("discounted by") not in (None, "", "0"):
        parts[-1:] = [f"{parts[-1] if parts else ''} less {with_cents(line['discounted by'])}".strip()]
    parts += [line["tax type"]] if line.get("tax type") else []
    parts += [f"account {line['account']}"] if line.get("account") else []
    return ", ".join(parts)


# --- money on it


def _payments(
    store: Store,
    mappings: Mappings | None,
    invoice_id: str,
    payments: Sequence[AppliedPayment],
    drift: Sequence[Drift],
    *,
    is_there: bool,
) -> Iterator[SideRow]:
    methods = {method.id: method.name for method in clinic.payment_methods(store)}
    links = {one.caspen_id: one for one in mappings.links_of_invoices("payment", [invoice_id])} if mappings else {}
    recorded = xero_payments.recorded_on(mappings, [invoice_id]).get(invoice_id, []) if mappings else []
    seen = seen_invoices.as_last_seen(mappings, [invoice_id]).get(invoice_id) if mappings else None
    gone = seen.gone if seen else set()
    proved = {one.subject: one for one in drift if one.code in ("payment-date", "payment-amount")}
    by_id = {id_: one for one in recorded for id_ in (one.xero_id, one.id_in_caspen)}
    told = set[str]()
    for payment in payments:
        link = links.pop(payment.key, None)
        named = by_id.get(payment.xero_id or "")
        told |= {link.xero_id} if link else {named.xero_id} if named else set()
        there, mark = _stands(link, named, gone)
        ours: Value = payment.amount if payment.pays else f"{payment.amount:.2f} ({payment.status})"
        if not mark and payment.pays and isinstance(there, Decimal) and there != payment.amount:
            mark = DIFFERS
        elif there is None and payment.pays and is_there:
            mark = ONLY_IN_CASPEN
        elif not payment.pays and isinstance(there, Decimal):
            mark = DIFFERS
        for code in ("payment-amount", "payment-date"):
            if not mark and (found := proved.get(f"{code}: {payment.key}")):
                there, mark = found.xero if code == "payment-amount" else _dated(there, found.xero), DIFFERS
        known = link.despite.differences.get("date") if link and link.despite else None
        is_known = not mark and known is not None and str(payment.date) != known[1]
        if is_known and known:  # a person has linked it though it is of another day
            there, mark = _dated(there, f"on {known[1]}"), DIFFERS
        method = methods.get(payment.method_id or "") or "payment"
        is_content = is_known and known is not None and str(payment.date) == known[0]
        yield SideRow("payment", f"{payment.date} {method}", ours, there, mark, is_content)
    for link in links.values():  # what Caspen no longer has on it
        told.add(link.xero_id)
        if not link.is_deleted:
            yield SideRow("payment", link.number or "payment", None, link.total, ONLY_IN_XERO)
    for one in recorded:
        if one.xero_id not in told and one.xero_id not in gone:
            what = f"{one.date or ''} {one.kind_in_words}".strip()
            yield SideRow("payment", what, None, one.amount, ONLY_IN_XERO, note=TOLD if one.delivered else TELLS_NEXT)


def _dated(there: Value, words: str) -> str:
    return f"{there:.2f} {words}" if isinstance(there, Decimal) else words


def _stands(link: Link | None, named: XeroPayment | None, gone: set[str]) -> tuple[Value, str]:
    """What stands in Xero for a payment of Caspen's, and what is wrong with that."""
    if link is not None:
        return ("deleted", DIFFERS) if link.is_deleted or link.xero_id in gone else (link.total, "")
    if named is not None:
        return ("deleted", DIFFERS) if named.xero_id in gone else (named.amount, "")
    return None, ""


def _notes(
    mappings: Mappings | None, invoice_id: str, notes: Sequence[CreditNote], *, is_there: bool
) -> Iterator[SideRow]:
    documents: dict[str, Any] = {}
    allocations: dict[str, Any] = {}
    if mappings:
        documents = {one.caspen_id: one for one in mappings.links_of_invoices("credit_note", [invoice_id])}
        allocations = {one.caspen_id: one for one in mappings.links_of_invoices("allocation", [invoice_id])}
    for note in notes:
        issued = note.status == "issued"
        document, allocation = documents.get(note.id), allocations.get(note.id)
        ours: Value = note.total if issued else f"{note.total:.2f} ({note.status})"
        there: Value = None
        mark = ""
        if document is not None and document.status in GONE_STATUSES:
            there, mark = f"{document.total or note.total:.2f} ({document.status.lower()})", DIFFERS if issued else ""
        elif allocation is not None and not allocation.is_deleted:
            there = allocation.total if allocation.total is not None else document.total if document else None
            mark = "" if issued and there in (None, note.total) else DIFFERS
        elif document is not None:
            there, mark = f"{document.total or note.total:.2f}, not on the invoice", DIFFERS if issued else ""
        elif issued and is_there:
            mark = ONLY_IN_CASPEN
        yield SideRow("credit note", f"{note.date} {plain(note.number)}", ours, there, mark)
