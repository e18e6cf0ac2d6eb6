"""Xero's side, from its answers alone: its documents with their lines, and what of money is on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from caspen_xero.sync.reconciling.ledger import Document, Line, Money, Standing
from caspen_xero.xero.dealings import CreditKind, credits_on
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, CreditNote, Invoice, Payment
from caspen_xero.xero.documents import Line as XeroLine

ZERO = Decimal(0)


class ReadingLike(Protocol):
    """What was read of Xero anew: invoices, payments and credits by id. `also` reads invoices that are not among them."""

    @property
    def invoices(self) -> Mapping[str, Invoice]: ...
    @property
    def payments(self) -> Mapping[str, Payment]: ...
    @property
    def credits(self) -> Mapping[str, tuple[CreditKind, CreditNote]]: ...
    @property
    def unreadable_ids(self) -> Iterable[str]: ...
    def also(self, ids: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class LineThere:
    """A line in Xero. `is_text`: it costs nothing and was not given a quantity, so it is words alone."""

    id: str
    line: Line
    is_text: bool


@dataclass(frozen=True)
class There:
    """A payment, or what of a credit was put on an invoice, in Xero. `batch_id`: the batch that a payment is in.

    `credit_id`, `number`: of the credit, where it is one; `is_note`: that is a credit note. `is_dated` False: nothing that was read
    tells its day.
    """

    money: Money
    batch_id: str = ""
    credit_id: str = ""
    number: str = ""
    is_note: bool = False
    is_dated: bool = True


@dataclass(frozen=True)
class DocumentThere:
    """An invoice or credit note in Xero. `listed_paid`, `listed_credited`: what the payments and credits come to that it lists."""

    source: Invoice | CreditNote
    document: Document
    lines: Sequence[LineThere]
    has_tax: bool
    reference: str
    money: Sequence[There] = ()
    listed_paid: Decimal = ZERO
    listed_credited: Decimal = ZERO

    @property
    def id(self) -> str:
        """Its id in Xero."""
        return self.document.id


@dataclass
class XeroSide:
    """What Xero has, made of a reading as it is asked for."""

    reading: ReadingLike
    _made: dict[str, DocumentThere] = field(default_factory=dict)

    def invoice(self, xero_id: str) -> DocumentThere | None:
        """An invoice, or None where the reading has none that can be read."""
        if xero_id not in self._made:
            found = self.reading.invoices.get(xero_id)
            if found is None:
                return None
            self._made[xero_id] = self._invoice(found)
        return self._made[xero_id]

    def credit_note(self, xero_id: str) -> DocumentThere | None:
        """A credit note of sales, or None where the reading has none."""
        kind, found = self.reading.credits.get(xero_id, (None, None))
        if found is None or kind != "credit_note" or found.type not in (None, "ACCRECCREDIT"):
            return None
        if xero_id not in self._made:
            self._made[xero_id] = _document(found, xero_id)
        return self._made[xero_id]

    def payments_by_invoice(self) -> Mapping[str, list[There]]:
        """The living payments of the reading's own list, by InvoiceID, in the currency of the invoice ("" where none is told)."""
        found: defaultdict[str, list[There]] = defaultdict(list)
        for id_, payment in self.reading.payments.items():
            on = payment.invoice.invoice_id if payment.invoice else None
            if payment.invoice and on and payment.status != "DELETED" and payment.date is not None:
                invoice = self.reading.invoices.get(on)
                currency = (invoice.currency_code if invoice else None) or payment.invoice.currency_code or ""
                found[on].append(_payment(payment, id_, on, payment, currency, payment.date))
        return found

    def allocations_by_invoice(self) -> Mapping[str, list[There]]:
        """What of the reading's credits was put on which invoice, by InvoiceID."""
        found: defaultdict[str, list[There]] = defaultdict(list)
        for credit_id, (kind, credit) in self.reading.credits.items():
            on = {one.invoice.invoice_id for one in credit.allocations if one.invoice and one.invoice.invoice_id}
            for invoice_id in on:
                found[invoice_id] += _allocated(credit_id, kind, credit, invoice_id, credit.currency_code or "", None)
        return found

    def _invoice(self, found: Invoice) -> DocumentThere:
        made = _document(found, found.invoice_id or "")
        money = [*self._payments(found, made.document), *self._credits(found, made.document)]
        listed_paid = sum((one.money.amount for one in money if one.money.kind == "payment"), ZERO)
        listed_credited = sum((one.money.amount for one in money if one.money.kind == "credit"), ZERO)
        document = made.document
        if found.amount_paid is None:
            document = replace(document, paid=listed_paid)
        return replace(made, document=document, money=money, listed_paid=listed_paid, listed_credited=listed_credited)

    def _payments(self, found: Invoice, document: Document) -> list[There]:
        """As the invoice lists them; the account, and the own id of one that is shown under its batch's, from the list of all."""
        shown = [one for one in found.payments if one.status != "DELETED"]
        named = {one.payment_id for one in shown}
        own_ids: defaultdict[tuple[str, Decimal | None], list[str]] = defaultdict(list)
        if any(one.is_nameless for one in shown):
            for id_, one in self.reading.payments.items():
                is_here = one.invoice is not None and one.invoice.invoice_id == found.invoice_id
                if is_here and one.batch_id and one.status != "DELETED" and id_ not in named:
                    own_ids[one.batch_id, one.amount].append(id_)
        made, times = list[There](), Counter[str]()
        for one in shown:
            id_ = one.payment_id or ""
            if one.is_nameless and own_ids[one.batch_id or "", one.amount]:
                id_ = own_ids[one.batch_id or "", one.amount].pop(0)
            times[id_] += 1
            whole = self.reading.payments.get(id_)
            made.append(_payment(one, id_, document.id, whole, document.currency, document.day))
        return made

    def _credits(self, found: Invoice, document: Document) -> list[There]:
        made = list[There]()
        for credit in credits_on(found):
            kind, read = self.reading.credits.get(credit.credit_id, (credit.kind, None))
            here = _allocated(credit.credit_id, kind, read, document.id, document.currency, document.day)
            rest = credit.applied - sum((one.money.amount for one in here), ZERO)
            if rest:  # its own page does not tell, or tells otherwise: the invoice itself does
                day = max(document.day, read.date) if read and read.date else document.day
                money = Money("credit", credit.credit_id, document.id, day, rest, document.currency)
                is_note, is_dated = kind == "credit_note", read is not None
                here.append(There(money, "", credit.credit_id, credit.number or "", is_note=is_note, is_dated=is_dated))
            made += here
        return made


def _payment(one: Payment, id_: str, invoice_id: str, whole: Payment | None, currency: str, day: date) -> There:
    account = whole.account if whole else one.account
    return There(
        Money(
            kind="payment",
            id=id_,
            invoice=invoice_id,
            day=one.date or day,
            amount=one.amount or ZERO,
            currency=currency,
            account=(account.code or account.account_id or "") if account else "",
            reference=one.reference or (whole.reference if whole else None) or "",
        ),
        batch_id=one.batch_id or (whole.batch_id if whole else None) or "",
    )


def _allocated(
    credit_id: str, kind: CreditKind, credit: CreditNote | None, invoice_id: str, currency: str, day: date | None
) -> list[There]:
    """The allocations of a credit to one invoice (dated `day`, if that is known). Each counts on its own day, which is the later
    of both documents' where it is not told.
    """
    found = list[There]()
    for one in credit.allocations if credit else ():
        is_here = one.invoice is not None and one.invoice.invoice_id == invoice_id and not one.is_deleted
        days = [each for each in (credit.date if credit else None, day) if each]
        if credit is None or not (is_here and one.amount and (one.date or days)):
            continue
        id_ = one.allocation_id or f"{credit_id}-{invoice_id}-{len(found) + 1}"
        money = Money(
            kind="credit",
            id=id_,
            invoice=invoice_id,
            day=one.date or max(days),
            amount=one.amount,
            currency=currency,
            reference=credit.credit_note_number or credit.reference or "",
        )
        found.append(There(money, "", credit_id, credit.credit_note_number or "", is_note=kind == "credit_note"))
    return found


def _document(found: Invoice | CreditNote, xero_id: str) -> DocumentThere:
    is_invoice = isinstance(found, Invoice)
    number = found.invoice_number if isinstance(found, Invoice) else found.credit_note_number
    tax, total = found.total_tax or ZERO, found.total or ZERO
    status, mode = found.status or "", found.line_amount_types or ""
    document = Document(
        kind="invoice" if is_invoice else "credit_note",
        id=xero_id,
        number=number or "",
        standing=_standing(status),
        status=status,
        contact=(found.contact.contact_id or "") if found.contact else "",
        party=(found.contact.name or "") if found.contact else "",
        day=found.date or date.min,
        currency=found.currency_code or "",
        subtotal=total - tax if found.sub_total is None else found.sub_total,
        tax=tax,
        total=total,
        due_date=found.due_date if isinstance(found, Invoice) else None,
        lines=[_line(one, mode) for one in found.line_items],
        paid=(found.amount_paid or ZERO) if isinstance(found, Invoice) else ZERO,
        credited=(found.credited or ZERO) if isinstance(found, Invoice) else ZERO,
    )
    lines = [
        LineThere(one.line_item_id or "", line, is_text=not line.net and not line.tax and not one.quantity)
        for one, line in zip(found.line_items, document.lines, strict=True)
    ]
    return DocumentThere(found, document, lines, mode != "NoTax", found.reference or "")


def _line(one: XeroLine, mode: str) -> Line:
    tax = ZERO if mode == "NoTax" else one.tax_amount or ZERO
    amount = one.line_amount or ZERO
    return Line(
        net=amount - tax if mode == "Inclusive" else amount,
        tax=tax,
        rate="" if mode == "NoTax" else one.tax_type or "",
        account=one.account_code or one.account_id or "",
        text=one.description or "",
    )


def _standing(status: str) -> Standing:
    return "gone" if status in GONE_STATUSES else "draft" if status in UNAPPROVED else "stands"
