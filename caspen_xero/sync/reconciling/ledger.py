"""What is compared: documents and money as one side has them, in one form for both.

`caspen_side.py` makes it of Caspen's records, `xero_side.py` of Xero's answers; neither knows how an invoice is sent. Amounts are
decimal, in the document's currency; dates are plain dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Kind = Literal["invoice", "credit_note"]
Standing = Literal["stands", "draft", "gone"]
"""`gone`: void or deleted. A `draft` in Xero counts there as what it is: an invoice that nobody has approved yet."""
WhyLeftOut = Literal["held", "pending", "draft", "void", "skipped", "before-start-date"]
"""Why a document of Caspen's is not to be in Xero, or is not there yet; the first two are not as they should be."""
NOT_YET: tuple[WhyLeftOut, ...] = ("held", "pending")


@dataclass(frozen=True)
class Asked:
    """What a person asks to have proved: documents dated in a period (`first` None: from the beginning), debtors as at a day."""

    first: date | None
    last: date
    as_at: date

    def holds(self, day: date) -> bool:
        """Whether a day is in the period."""
        return (self.first is None or self.first <= day) and day <= self.last

    def is_after(self, day: date) -> bool:
        """Whether a day is later than all that is asked about: what is of it counts neither in the period nor for the debtors."""
        return day > max(self.last, self.as_at)


@dataclass(frozen=True)
class Line:
    """A line as it counts: without tax, and its tax. `rate`: Xero's tax type; `account`: its code, else its id; "" for none."""

    net: Decimal
    tax: Decimal
    rate: str
    account: str
    text: str = ""


@dataclass(frozen=True)
class ExactLine:
    """A line of Caspen's before anybody rounds it, in cents: its amount as the document counts it (with its tax in `inclusive`).

    `own_amount`, `own_tax`: Caspen's figures for it, in cents, where the source carries them.
    """

    amount: Fraction
    percentage: Decimal
    rate_id: str | None
    text: str
    own_amount: Fraction | None = None
    own_tax: Fraction | None = None


@dataclass(frozen=True)
class Document:
    """An invoice, or a credit note with positive figures, as one side has it.

    `id`: Caspen's id, or Xero's; `status`: the side's own word; `contact`: the ContactID (of Caspen's: the one that stands for its
    client or payer, "" where none does); `party`: their name. `lines`: as they count (of Caspen's after `lines.py`).
    """

    kind: Kind
    id: str
    number: str
    standing: Standing
    status: str
    contact: str
    party: str
    day: date
    currency: str
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    due_date: date | None = None
    lines: Sequence[Line] = ()
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)

    @property
    def due(self) -> Decimal:
        """What is left to pay."""
        return self.total - self.paid - self.credited


@dataclass(frozen=True)
class Money:
    """A payment on an invoice, or what of a credit was put on it, as one side has it.

    `id`: of Caspen's the allocation's key, or the credit note's id; in Xero the PaymentID, AllocationID or what names it.
    `invoice`: the id of the invoice on that side. `account`: code or id of the account in Xero. `method`: Caspen's, by name.
    `told`: it was found in Xero, and Caspen was told of it, though no record of Caspen's has it yet.
    """

    kind: Literal["payment", "credit"]
    id: str
    invoice: str
    day: date
    amount: Decimal
    currency: str
    account: str = ""
    method: str = ""
    reference: str = ""
    told: bool = False


@dataclass(frozen=True)
class Pair:
    """A document on both sides, or on one. `xero` may be another's where it only has the same number: then `caspen` is None."""

    caspen: Document | None
    xero: Document | None


@dataclass(frozen=True)
class MoneyPair:
    """A payment, or an allocated credit, on both sides, or on one."""

    caspen: Money | None
    xero: Money | None


@dataclass(frozen=True)
class LeftOut:
    """A document of Caspen's that is not to be in Xero, or not yet. `reason`, `fix`: of one that is held, as `unsynced` has them.

    `xero`: a document there that has its number all the same, such as one from before the start date.
    """

    document: Document
    why: WhyLeftOut
    reason: str = ""
    fix: str = ""
    xero: Document | None = None


@dataclass(frozen=True)
class Find:
    """One thing that is not equal. `code`: `missing-in-xero`, `unknown-in-caspen`, `figures`, `payment-amount`, ... (`finds.py`).

    `caspen`, `xero`: what either side has, in words, with figures. `amount`: by how much Xero's total (of a document), or what
    is paid (of money), is more than Caspen's. `invoice_id`: Caspen's; None where Caspen knows none. `subject`: the payment,
    credit note or line that it is about, "" for the document itself. `accepted`: a person is content with it. `day`: the
    document's, or the payment's, on Caspen's side where it has one.
    """

    code: str
    number: str
    invoice_id: str | None
    xero_id: str | None
    party: str
    caspen: str
    xero: str
    currency: str
    amount: Decimal = Decimal(0)
    subject: str = ""
    day: date | None = None
    fix: str = ""
    accepted: bool = False


@dataclass
class Compared:
    """Both sides beside each other. `invoices`, `credit_notes`: what ought to be equal, or is known on one side only;
    `payments`: the same of money. `left_out`: of Caspen's, in sections of their own; `money_left_out`: payments that are not
    in Xero for a reason that is told (held, pending, or left to the bank's feed), each with that reason. `others`: sales invoices
    and credit notes in Xero that are nobody's of Caspen's. `not_read`: the InvoiceIDs of what is neither compared nor among the
    others, as it is of other days and was not read, and has payments of the period; each is left out in Caspen, or nobody's.
    `recoded`: lines (Caspen's as sent, Xero's) in another account than they were sent to. `finds`: what is not equal;
    `information`: what is listed and not counted (recodings, texts).
    """

    asked: Asked
    invoices: list[Pair] = field(default_factory=list)
    credit_notes: list[Pair] = field(default_factory=list)
    payments: list[MoneyPair] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    money_left_out: list[tuple[Money, str]] = field(default_factory=list)
    others: list[Document] = field(default_factory=list)
    not_read: dict[str, Literal["left-out", "nobodys"]] = field(default_factory=dict)
    finds: list[Find] = field(default_factory=list)
    information: list[Find] = field(default_factory=list)
    recoded: list[tuple[Document, Line, Line]] = field(default_factory=list)
    names: Names = field(default_factory=lambda: Names())


@dataclass(frozen=True)
class Names:
    """What ids are called. `accounts`: by code and by id ("200 Sales"); `rates`: by tax type ("GST on Income"); `parties`: by
    ContactID, as Caspen calls who it is, else as Xero does; `invoices`: number and client by Caspen's id, also of those that are
    not compared and have a payment that is.
    """

    accounts: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, str] = field(default_factory=dict)
    parties: Mapping[str, str] = field(default_factory=dict)
    invoices: Mapping[str, tuple[str, str]] = field(default_factory=dict)
