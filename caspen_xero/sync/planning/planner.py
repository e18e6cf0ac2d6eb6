"""What has to happen, from the store alone. Pure: the same plan is printed by a dry run and carried out by a push.

Making a plan again after a step has been carried out gives the next steps, so a crash at any moment only means planning anew.
What one concern needs is decided in a file of its own: `plan_contacts`, `plan_invoices`, `plan_payments`, `plan_credit_notes`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from caspen_xero.store.holds import Hold
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning import credit_notes as plan_credit_notes
from caspen_xero.sync.planning import invoices as plan_invoices
from caspen_xero.sync.planning import payments as plan_payments
from caspen_xero.sync.planning.contact_matching import Party
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import Operation, OperationKind
from caspen_xero.sync.planning.translate import Terms
from caspen_xero.sync.problems import Problem, push_command

FINALISED = ("open", "paid")


@dataclass
class Plan:
    """Steps to carry out, problems by invoice, warnings, and the invoices that need nothing more.

    `asks_for_contacts`: a party is not linked yet, so Xero's contacts should be known as they are now. `asks_for_invoices`:
    InvoiceIDs that have to be read before something is decided, `asks_for_credits`: those of which the credits have to be
    read too; `asks_for_payments` and `asks_for_credit_notes`: the same for what is to be taken back, or said to be there.
    `archived`: the parties whose contact only a person can restore. `waiting`: why invoices wait though nothing is wrong.
    """

    operations: list[Operation] = field(default_factory=list)
    problems: defaultdict[str, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    warnings: list[str] = field(default_factory=list)
    archived: list[Party] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    asks_for_contacts: bool = False
    asks_for_invoices: set[str] = field(default_factory=set)
    asks_for_payments: set[str] = field(default_factory=set)
    asks_for_credit_notes: set[str] = field(default_factory=set)
    asks_for_credits: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)


def make_plan(snapshot: Snapshot) -> Plan:
    """The plan for the invoices of a snapshot."""
    planner = Planner(snapshot)
    for state in snapshot.invoices:
        planner.plan_invoice(state)
    return planner.plan


class Planner:
    """One plan in the making: the snapshot, what was decided so far, and the ways to add to it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.plan = Plan()
        self.terms: Terms | None = checks.terms(snapshot)
        self.contact_ids: dict[str, str | None] = {}
        self.contact_problems: dict[str, Problem] = {}
        self.promised: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.blocked: set[str] = set()
        self.taking_back: set[str] = set()
        self.deleting: set[str] = set()
        self.adopting: set[str] = set()

    def plan_invoice(self, state: InvoiceState) -> None:
        """Adds what one invoice needs; an invoice that adds nothing is done.

        What is gone in Caspen is taken back first: Xero lets nobody change or void an invoice that has payments or credits.
        """
        before = self._amount(state)
        payments_go = plan_payments.take_back(self, state)
        credits_go = plan_credit_notes.take_back(self, state)
        if payments_go or credits_go:
            self.taking_back.add(state.invoice.id)
        if state.invoice.status in FINALISED:
            problems = len(self.plan.problems.get(state.invoice.id, ()))
            plan_invoices.plan_finalised(self, state, taking_back=payments_go or credits_go)
            if len(self.plan.problems.get(state.invoice.id, ())) > problems:
                # What is wrong with one payment keeps back neither others nor credits: only the invoice's own problems do.
                self.blocked.add(state.invoice.id)
            plan_payments.plan_payments(self, state)
            plan_credit_notes.plan_credit_notes(self, state)
        elif state.invoice.status in ("void", "deleted"):
            plan_invoices.plan_void(self, state, taking_back=payments_go or credits_go)
        if self._amount(state) == before and state.invoice.id not in self.taking_back:
            self.plan.done.append(state.invoice.id)

    def _amount(self, state: InvoiceState) -> tuple[int, ...]:
        plan, id_ = self.plan, state.invoice.id
        asked = sum(
            len(ids)
            for ids in (
                plan.asks_for_invoices,
                plan.asks_for_payments,
                plan.asks_for_credit_notes,
                plan.asks_for_credits,
            )
        )
        return (
            len(plan.operations),
            len(plan.problems.get(id_, ())),
            len(plan.holds),
            asked,
            int(id_ in plan.waiting),
        )

    def add(
        self,
        state: InvoiceState,
        kind: OperationKind,
        *,
        detail: str,
        body: dict[str, Any] | None,
        expected: dict[str, Any],
        caspen_id: str | None = None,
        number: str | None = None,
        target: str = "",
        other: str = "",
        invoice_id: str | None = None,
    ) -> None:
        """Adds a step that belongs to an invoice: this one, or the one that a payment is taken from."""
        self.plan.operations.append(
            Operation(
                kind=kind,
                caspen_id=caspen_id or state.invoice.id,
                invoice_id=invoice_id or state.invoice.id,
                number=number or state.invoice.number,
                detail=detail,
                body=body,
                expected=expected,
                depends_on=self.depends_on(state),
                target=target,
                other=other,
            )
        )

    def depends_on(self, state: InvoiceState) -> str:
        """What a hold on a step of this invoice depends on, as far as we can know: the invoice and the settings."""
        return f"{state.touched}.{self.snapshot.settings_number}"

    def problem(
        self,
        state: InvoiceState,
        code: str,
        reason: str,
        fix: str = "",
        *,
        subject: str = "",
        xero_says: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Adds a problem of an invoice; without a `fix` it is to push the invoice again."""
        fix = fix or push_command(state.invoice.number, state.invoice.id)
        self.plan.problems[state.invoice.id].append(
            Problem(code, state.invoice.id, reason, fix, subject, xero_says, attempts)
        )

    def found(
        self,
        state: InvoiceState,
        kind: OperationKind,
        code: str,
        reason: str,
        fix: str,
        *,
        caspen_id: str | None = None,
    ) -> None:
        """Adds a problem that a look into Xero has shown; it stays until something changes or it is time to look again."""
        id_ = caspen_id or state.invoice.id
        self.plan.holds.append(Hold(kind, id_, code, reason, fix, self.depends_on(state)))
        self.problem(state, code, reason, fix, subject=_subject(state, id_))

    def held(self, state: InvoiceState, kind: OperationKind, caspen_id: str | None = None) -> bool:
        """Whether this step is held as things stand; then that is the problem, and it is not sent yet."""
        held = self.hold_on(state, kind, caspen_id)
        if held is None:
            return False
        self.problem(
            state,
            held.code,
            held.reason,
            held.fix,
            subject=_subject(state, caspen_id or state.invoice.id),
            xero_says=held.xero_says,
            attempts=held.attempts,
        )
        return True

    def hold_on(self, state: InvoiceState, kind: OperationKind, caspen_id: str | None = None) -> Hold | None:
        """The hold on this step, if it still stands."""
        held = self.snapshot.holds.get((kind, caspen_id or state.invoice.id))
        return held if held is not None and held.depends_on == self.depends_on(state) else None


def _subject(state: InvoiceState, caspen_id: str) -> str:
    return "" if caspen_id == state.invoice.id else caspen_id
