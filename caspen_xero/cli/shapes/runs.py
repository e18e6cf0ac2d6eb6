"""What is sent and what comes back: push, pull, sync, adopt, import."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.standing import Difference
from caspen_xero.cli.shapes.words import Amount, Code, Count, Day, FoundInXero, Seconds, Sums, Told


class Tally(TypedDict):
    """How many documents, their sums, and their first and last day."""

    number: Count
    sums: Sums
    oldest: Day | None
    newest: Day | None


class NumberAndSums(TypedDict):
    """How many, and what they come to."""

    number: Count
    sums: Sums


AccountUse = TypedDict(
    "AccountUse",
    {
        "for": Literal["invoice-lines", "credit-note-lines", "payments"],
        "method": str | None,
        "account": str | None,
        "account_id": str | None,
        "number": Count,
        "sums": Sums,
    },
)
RateUse = TypedDict(
    "RateUse",
    {
        "for": Literal["invoice-lines", "credit-note-lines"],
        "rate": str | None,
        "rate_id": str | None,
        "tax_type": str | None,
        "lines": Count,
        "net": Sums,
        "tax": Sums,
    },
)


class Step(TypedDict):
    """One step of a plan."""

    operation: Code
    number: str | None
    detail: str


class DryRun(TypedDict):
    """A dry run in numbers."""

    kinds: Annotated[dict[str, Tally], Field(description="By operation.")]
    oldest: Day | None
    newest: Day | None
    accounts: Annotated[list[AccountUse], Field(description="To which accounts it would go; of credit notes net.")]
    tax_rates: list[RateUse]
    codes: Annotated[dict[str, Count], Field(description="By problem code, how many invoices have it.")]
    problems: Annotated[dict[str, Tally], Field(description="By problem code.")]
    left_out: Annotated[
        dict[str, NumberAndSums],
        Field(description="Invoices that no push takes: set-aside, before-start-date, draft, void."),
    ]
    paid_without_payment: NotRequired[
        Annotated[
            Tally, Field(description="New invoices that Caspen calls paid, and what its records have no payment of.")
        ]
    ]
    invoices_kept_back: Annotated[
        dict[str, Tally], Field(description="Invoices that this one would not send: problem, waits.")
    ]
    payments_kept_back: Annotated[
        dict[str, Tally], Field(description="Payments that it would not send: payments-off, problem, from-xero, waits.")
    ]
    credit_notes_kept_back: Annotated[dict[str, Tally], Field(description="Credit notes: problem, waits.")]


class Push(TypedDict):
    """What a push did, or with --dry-run would do."""

    command: Literal["push"]
    dry_run: bool
    synced: Annotated[Count, Field(description="Invoices that are in Xero now, and were not.")]
    updated: Annotated[Count, Field(description="Invoices that were changed there.")]
    unsynced: Annotated[Count, Field(description="Invoices that it looked at and that are not there.")]
    skipped: Count
    payments: Count
    credit_notes: Count
    allocations: Count
    contacts_created: Count
    contacts_linked: Count
    contacts_updated: Count
    payments_deleted: Count
    voided: Count
    pending: Count
    differs: NotRequired[Count]
    api_calls: Annotated[Count, Field(description="Requests below /api.xro/.")]
    seconds: Seconds
    warnings: list[str]
    found_in_xero: NotRequired[FoundInXero]
    stopped: NotRequired[Annotated[Told, Field(description="Where it ended early: why.")]]
    plan: NotRequired[Annotated[list[Step], Field(description="Of a dry run.")]]
    summary: NotRequired[Annotated[DryRun, Field(description="Of a dry run.")]]


class XeroPayment(TypedDict):
    """A payment, or an allocated credit, that stands in Xero: as Caspen is told of it."""

    object: Literal["xero_payment"]
    id: str
    invoice_id: str
    invoice_number: str | None
    date: Day | None
    amount: Amount
    kind: Literal["payment", "batch_payment", "prepayment", "overpayment", "credit_note"]
    reconciled: bool | None
    reference: str | None
    invoice_status: str | None
    amount_due: Amount | None


class NewPayment(XeroPayment):
    """The same, with what became of it."""

    outcome: Annotated[
        Literal["delivered", "waiting", "refused", "held", "known"],
        Field(description="waiting: the next pull delivers it; known: in Caspen already, so not told."),
    ]


class Refused(TypedDict):
    """A payment that Caspen did not take."""

    id: str
    code: Code
    message: str


class Held(Refused):
    """A payment that is held back until a person has decided."""

    fix: str


class Unreadable(TypedDict):
    """An invoice of which what Xero answers can't be read."""

    number: str | None
    invoice_id: str
    reason: str


class Pull(TypedDict):
    """What a pull found in Xero, and what Caspen was told."""

    command: Literal["pull"]
    payments: Annotated[Count, Field(description="Payments that are new to Caspen.")]
    invoices_updated: Count
    api_calls: Count
    seconds: Seconds
    delivered: Annotated[Count, Field(description="How many of these Caspen has now.")]
    delivered_to: Annotated[
        str | None, Field(description="The file or URL that they went to, or in a dry run would go to.")
    ]
    new: list[NewPayment]
    dry_run: NotRequired[bool]
    found: NotRequired[Annotated[list[XeroPayment], Field(description="Of a dry run.")]]
    stopped: NotRequired[Annotated[Told, Field(description="Where it ended early: why.")]]
    found_in_xero: NotRequired[FoundInXero]
    doubled: NotRequired[Annotated[list[Difference], Field(description="Payments of ours that stand there twice.")]]
    another_home: NotRequired[Annotated[Told, Field(description="While another home is alive.")]]
    unreadable: NotRequired[list[Unreadable]]
    refused: NotRequired[Annotated[list[Refused], Field(description="What Caspen did not take.")]]
    held: NotRequired[Annotated[list[Held], Field(description="What is held back, and why.")]]


class Sync(TypedDict):
    """A pull and a push; a half that never began is null."""

    command: Literal["sync"]
    pull: Pull | None
    push: Push | None


class Adopt(TypedDict):
    """What of ours was found in Xero and linked."""

    command: Literal["adopt"]
    invoices: Count
    payments: Count
    credit_notes: Count
    allocations: Count
    contacts_linked: Count
    unsynced: Annotated[Count, Field(description="Invoices that could not be taken in.")]
    found_in_xero: FoundInXero
    api_calls: Count
    seconds: Seconds
    stopped: NotRequired[Annotated[Told, Field(description="Where it ended early: why.")]]


class BadRecord(TypedDict):
    """A record that was left out, and why."""

    file: str | None
    where: str | None
    kind: str | None
    id: str | None
    field: str | None
    reason: str


class WithoutInvoice(TypedDict):
    """A payment or credit note on an invoice that was never imported."""

    kind: str
    id: str
    invoice_id: str | None


class PaymentsGoElsewhere(TypedDict):
    """Files in which Caspen finds payments from Xero."""

    before: Annotated[str | None, Field(description="Null where that folder is gone.")]
    now: str


class Import(TypedDict):
    """What was read of Caspen's records."""

    command: Literal["import"]
    read: Count
    new: Count
    changed: Count
    unchanged: Count
    older: Count
    bad: Count
    ignored: Annotated[dict[str, Any], Field(description="How many, by kind, or by field that was left out.")]
    bad_records: list[BadRecord]
    without_invoice: list[WithoutInvoice]
    payments_go_elsewhere: Annotated[
        PaymentsGoElsewhere | None, Field(description="Where payments are delivered now, if this import changed that.")
    ]
