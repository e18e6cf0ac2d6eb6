"""How things stand: status, doctor, unsynced, drift, and what is listed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.words import Amount, Choice, Code, Count, Day, Moment, SyncStatus, Told


class Difference(TypedDict):
    """Where an invoice is no longer the same on both sides."""

    number: str | None
    invoice_id: Annotated[str | None, Field(description="Null where it is about a contact.")]
    code: Code
    caspen: str
    xero: str
    seen_at: Moment | None
    fix: str
    subject: str | None
    problem: Annotated[str | None, Field(description="The code in unsynced.")]


class Drift(TypedDict):
    """Where Caspen and Xero no longer agree."""

    drift: list[Difference]
    information: Annotated[
        list[Difference], Field(description="What was edited in Xero and stays: nothing is wrong there.")
    ]


class Problem(TypedDict):
    """One thing that is wrong with an invoice."""

    code: Code
    reason: str
    fix: Annotated[str, Field(description="A command to paste, or what to do; may be empty.")]
    xero_says: str | None
    attempts: Count
    first_failed_at: Moment | None
    last_tried_at: Moment | None
    choices: list[Choice]


class UnsyncedRow(Problem):
    """An invoice and one thing that is wrong with it."""

    number: str | None
    invoice_id: str
    client: str
    date: Day | None
    total: Amount | None
    currency: str
    sync_status: SyncStatus


class Write(TypedDict):
    """One document that was sent to Xero, with its answer."""

    id: int
    first_sent_at: Moment
    answered_at: Moment | None
    method: str
    path: str
    http_status: int | None
    write_state: Code
    operation: Code
    caspen_id: str | None
    invoice_id: str | None
    invoice: Annotated[str | None, Field(description="The number of the invoice that it belongs to.")]
    number: str | None
    state: Code
    xero_id: str | None
    message: str | None
    warnings: list[str]


class Sent(Write):
    """The same, with the document as it left."""

    sent: Annotated[dict[str, Any] | None, Field(description="Null where it was purged.")]


class Unsynced(TypedDict):
    """Which invoices are not in Xero as they are in Caspen: a row for each and each thing that is wrong."""

    unsynced: list[UnsyncedRow]
    sync_status: NotRequired[Annotated[SyncStatus | None, Field(description="Of the one invoice that was asked for.")]]
    writes: NotRequired[Annotated[list[Sent], Field(description="Of that invoice: every try, oldest first.")]]


class Invoice(TypedDict):
    """One invoice on both sides. Amounts are Xero's where it is there, else Caspen's."""

    number: str | None
    invoice_id: str
    client: str
    date: NotRequired[Day | None]
    caspen_status: Annotated[str, Field(description="As Caspen has it, and paid too where Xero shows that.")]
    caspen_own_status: str
    sync_status: SyncStatus
    accepted: Annotated[bool, Field(description="It differs, and a person is content with that.")]
    xero_invoice_id: str | None
    xero_status: str | None
    xero_url: str | None
    total: Amount | None
    amount_paid: Amount | None
    amount_credited: Amount | None
    amount_due: Amount | None
    currency: str
    details_purged: NotRequired[bool]


class InvoicesList(TypedDict):
    """Every invoice, or those that were asked for."""

    invoices: list[Invoice]


class Accepted(TypedDict):
    """A difference that a person is content with."""

    code: Code
    reason: str
    accepted_at: Moment | None


class EditedInXero(TypedDict):
    """What was edited in Xero and stays."""

    caspen: str
    xero: str
    since: Moment | None


class Side(TypedDict):
    """One fact about an invoice on both sides."""

    part: str
    what: str
    caspen: str | None
    xero: str | None
    differs: bool
    mark: str | None
    accepted: NotRequired[bool]
    note: NotRequired[str | None]


class InvoicesShow(TypedDict):
    """All of one invoice."""

    invoice: Invoice
    problems: list[Problem]
    accepted: list[Accepted]
    writes: list[Write]
    edited_in_xero: list[EditedInXero]
    both_sides: NotRequired[list[Side]]


class InvoicesOpen(TypedDict):
    """Where an invoice is in Xero."""

    xero_url: str


class What(TypedDict):
    """What differs between an invoice and what it was linked to."""

    what: str
    caspen: str | None
    xero: str | None


class Done(TypedDict):
    """What was done with an invoice, in words."""

    invoice: str
    done: str
    differences: NotRequired[list[What]]
    push: NotRequired[Annotated[str, Field(description="What push will do, in words.")]]


class Log(TypedDict):
    """What was sent, newest first."""

    log: list[Write]


class OutstandingPayment(TypedDict):
    """A payment that stands on one side only."""

    direction: Literal["to_caspen", "to_xero"]
    status: Annotated[
        Literal["told", "not-told", "held", "pending", "left-out"],
        Field(description="left-out: a person has chosen to keep it out of Xero."),
    ]
    number: str | None
    client: str | None
    date: Day | None
    amount: Amount
    currency: str | None
    kind: str | None
    method: str | None
    reference: str | None
    reconciled: bool | None
    code: Annotated[
        str | None,
        Field(
            description="As in unsynced. Of what is left out: payment-removed-in-xero or voided-in-xero (a person is content "
            "with that), set-aside, before-start-date or payments-off."
        ),
    ]
    reason: str | None
    fix: str
    found_at: Moment | None
    told_at: Moment | None
    told_to: str | None
    invoice_id: str | None
    xero_id: str | None
    payment_id: Annotated[str | None, Field(description="Caspen's id of it.")]


class PaymentsList(TypedDict):
    """What stands in Xero and not yet in Caspen's export, and the other way round."""

    payments: list[OutstandingPayment]


class RunError(TypedDict):
    """By what a run was ended."""

    code: Code
    message: str


class Run(TypedDict):
    """A run and how it ended: ok, partly, stopped or interrupted; null while it is active."""

    command: str
    started_at: Moment
    ended_at: Annotated[Moment | None, Field(description="Null for a run that was killed.")]
    exit_code: int | None
    ended: Literal["ok", "partly", "stopped", "interrupted"] | None
    error: RunError | None


class LastPush(Run):
    """The same, of a push."""

    synced: Count
    unsynced: Count
    named: int | str


class LastPull(Run):
    """The same, of a pull."""

    payments: Count
    invoices_updated: Count


class Begun(TypedDict):
    """A run that did not come to its end."""

    command: str
    started_at: Moment


class SignIn(TypedDict):
    """Whether the sign-in works, and until when."""

    kind: str
    works: bool | None
    until: Moment | None
    why: str | None


class CallsLeft(TypedDict):
    """How many calls are left today, as Xero last said."""

    left: Count
    as_of: Moment


Proof = TypedDict(
    "Proof",
    {
        "read_at": Moment,
        "from": Day | None,
        "to": Day,
        "as_at": Day,
        "compared": Count,
        "proved": Count,
        "differ": Count,
        "accepted": Count,
        "unknown": Count,
        "not_yet": Count,
        "money_not_yet": Count,
        "unexplained": Any,
        "changed_since": Annotated[Count, Field(description="How many invoices have changed since.")],
        "equal": Annotated[bool, Field(description="As it was then; differ and accepted are by how these stand now.")],
        "api_calls": Count,
    },
)


class Reading(TypedDict):
    """A reconciliation that did not come to its end."""

    began_at: Moment
    documents: Count
    fix: str


class PaymentsAndNotes(TypedDict):
    """How many payments and credit notes wait for an invoice that was never imported."""

    payments: Count
    credit_notes: Count


class Status(TypedDict):
    """How a workspace stands."""

    command: Literal["status"]
    workspace: str
    connected: bool
    organisation: str | None
    tenant_id: str | None
    connection: str | None
    token_store: Literal["keyring", "file"] | None
    xero_url: Annotated[str | None, Field(description="Where it is not the real Xero.")]
    last_push: LastPush | None
    last_pull: LastPull | None
    last_sync: Run | None
    last_good_push: Moment | None
    interrupted: list[Begun]
    sign_in: SignIn | None
    calls_left_today: CallsLeft | None
    drift: Count
    invoices: Annotated[dict[str, Count], Field(description="How many, by state.")]
    accepted: Count
    before_start_date: Count
    in_order: bool
    basis: str
    bad_records: Count
    without_invoice: PaymentsAndNotes
    proof: Annotated[Proof | None, Field(description="The last reconciliation.")]
    reading: Annotated[Reading | None, Field(description="A reconciliation that did not come to its end.")]
    store: str
    another_home: NotRequired[Annotated[Told, Field(description="While another home is alive.")]]
    too_old: NotRequired[Annotated[bool, Field(description="With --max-age: whether the last good push is older.")]]


class Check(TypedDict):
    """One precondition of a push."""

    name: str
    ok: bool
    state: Literal["ok", "note", "not-ok"]
    message: str
    fix: str
    choices: list[Choice]


class Doctor(TypedDict):
    """Every precondition of a push, then a line for each code in unsynced."""

    checks: list[Check]


class Bundle(TypedDict):
    """The report of a fault that was written."""

    command: Literal["doctor"]
    bundle: str
    bytes: Count
    holds: dict[str, str]
