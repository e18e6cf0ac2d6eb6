"""The steps that a plan is made of, in the order in which they are carried out. Each is one Xero document and one HTTP element.

How a step of each kind travels, is settled and is found again after a lost answer is said in `sending/steps/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

from caspen_xero.sync.planning.compare import Shape

StepKind = Literal[
    "link-contact",
    "create-contact",
    "update-contact",
    "remove-allocation",
    "void-credit-note",
    "delete-payment",
    "adopt-payment",
    "adopt-allocation",
    "note-removed-payment",
    "keep-invoice",
    "update-invoice",  # before others are created: it may free a number
    "create-invoice",
    "authorise-invoice",
    "void-invoice",
    "create-payment",
    "create-credit-note",
    "authorise-credit-note",
    "allocate-credit-note",
]

AT_ONCE = 50
"""Documents in one call at the most."""
KeepsTax = Literal["unknown", "half-cents", "yes"]
"""Whether the organisation has shown that it keeps our tax amounts: all, or only where they decide half cents."""

ORDER: tuple[StepKind, ...] = get_args(StepKind)


def must_prove_tax(keeps_tax: KeepsTax, *, tells_tax: bool) -> bool:
    """Whether a document with explicit tax amounts leans on what the organisation has not yet shown to keep.

    `tells_tax`: some of them are such as Xero could not have reached by itself.
    """
    return keeps_tax != "yes" if tells_tax else keeps_tax == "unknown"


@dataclass(frozen=True)
class Expected:
    """What the answer to a step is held against. `fingerprint`: of what the document stands for in Caspen."""

    fingerprint: str | None = None


@dataclass(frozen=True)
class ExpectedContact(Expected):
    """Of a contact: the name that it is made with, the import that it is up to date with, and what it is to show.

    `kept`: what Caspen says of what was edited in Xero, where it stays.
    """

    name: str = ""
    touched: int | None = None
    shape: Shape | None = None
    kept: Shape | None = None


@dataclass(frozen=True)
class ExpectedDocument(Expected):
    """Of an invoice or credit note: its figures, in its currency, when it was issued, and its contact.

    Earlier versions kept neither `issued` nor `currency`, and of an update neither `seen`, `own` nor `line_ids`.

    `explicit_tax`: tax amounts were told to Xero, `tells_tax`: such as it could not have reached by itself. `proves_tax`: it stays
    a draft until it has shown that the organisation keeps them. `shape`: what an update is to show. `seen`: what showed when it
    was planned. `own`: what it would show if nothing had been edited in Xero. `line_ids`: what tells its lines apart in Caspen.
    """

    subtotal: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    explicit_tax: bool = False
    tells_tax: bool = False
    status: str | None = None
    contact_id: str | None = None
    proves_tax: bool = False
    shape: Shape | None = None
    own: Shape | None = None
    seen: Shape | None = None
    line_ids: tuple[str, ...] = ()
    issued: date | None = None
    currency: str | None = None


@dataclass(frozen=True)
class ExpectedPayment(Expected):
    """Of a payment: its amount, its Reference, and the InvoiceID that it is on; `made_by_us` False: somebody made it in Xero."""

    amount: Decimal = Decimal(0)
    reference: str = ""
    invoice_xero_id: str = ""
    made_by_us: bool = True


@dataclass(frozen=True)
class ExpectedRemoval(Expected):
    """Of a payment of ours that somebody has deleted in Xero: its amount there."""

    amount: Decimal = Decimal(0)


@dataclass(frozen=True)
class ExpectedAllocation(Expected):
    """Of an allocation: its amount, and the InvoiceID that it is on."""

    amount: Decimal = Decimal(0)
    invoice_xero_id: str = ""


@dataclass(frozen=True)
class Booking:
    """What lock dates are held against: what a step books in Xero, changes there or takes back, in words, and its day.

    `is_draft`: it is, and stays, what nobody has approved. `approved_in`: the month whose approvals an invoice uses up.
    """

    what: str
    day: date
    is_draft: bool = False
    approved_in: str = ""


@dataclass(frozen=True)
class Step:
    """One step for one record.

    `body` is the element for Xero; None while it waits for an earlier step (a contact not yet created). `depends_on` names the
    state that a hold on it would belong to. `target` is the Xero id of the document that it changes, `other` that of a part of it.
    `booking` is what lock dates say of it; None where they say nothing, or an earlier run has sent it.
    """

    kind: StepKind
    caspen_id: str
    invoice_id: str | None
    number: str | None
    detail: str = ""
    body: dict[str, Any] | None = None
    expected: Expected = field(default_factory=Expected)
    depends_on: str = ""
    target: str = ""
    other: str = ""
    booking: Booking | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be sent now."""
        return self.body is not None
