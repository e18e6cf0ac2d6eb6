"""What has to happen, from a snapshot alone. Pure: the same plan is printed by a dry run and carried out by a push.

Making a plan again after a step has been carried out gives the next steps, so a crash at any moment only means planning anew.
What one concern needs is decided in a file of its own: contacts, invoices, payments, claims, credit notes. Of what has a bad
record nothing is sent, changed or taken back.
"""

from __future__ import annotations

from caspen_xero.caspen.records import FINALISED, GONE
from caspen_xero.sync.planning import approvals, contact_updates, contacts, credit_notes, invoices, payments
from caspen_xero.sync.planning.bad_records import problem_of_known
from caspen_xero.sync.planning.plan import Asks, Decided, Plan
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.translations import Translations


def make_plan(
    snapshot: Snapshot,
    translations: Translations | None = None,
    decided: Decided | None = None,
    *,
    contacts_known: bool = True,
) -> Plan:
    """The plan for the invoices and changed clients of a snapshot. `translations` spares what an earlier plan has translated.

    `decided`: by the plan of other invoices, of which nothing has been carried out. Without `contacts_known`, where Xero's contacts
    have to be read first, the plan asks for these and has nothing else.
    """
    planner = Planner(snapshot, translations or Translations(), decided)
    for change in snapshot.changed_parties:
        contact_updates.plan_contact_update(planner, change)
    for state in snapshot.invoices:
        _plan_invoice(planner, state)
        if planner.plan.asks.contacts and not contacts_known:
            return Plan(asks=Asks(contacts=True))
    approvals.add_those_to_come(planner)
    return planner.plan


def _plan_invoice(planner: Planner, state: InvoiceState) -> None:
    """Adds what one invoice needs; an invoice that adds nothing is done.

    What is gone in Caspen is taken back first: Xero lets nobody change or void an invoice that has payments or credits.
    """
    planner.keep_unreadable(state)
    before = _amount(planner, state)
    planner.plan.problems[state.invoice.id] += [
        problem_of_known(bad, state.invoice.id, state.invoice.number, planner.snapshot.settings.source)
        for bad in state.bad_records
    ]
    if state.is_bad("invoice", state.invoice.id):
        return
    payments_go = payments.take_back(planner, state)
    credits_go = credit_notes.take_back(planner, state)
    taking_back = payments_go or credits_go
    if state.invoice.status in FINALISED:
        problems = len(planner.plan.problems.get(state.invoice.id, ()))
        invoices.plan_finalised(planner, state, taking_back=taking_back)
        contacts.tell_if_doubted(planner, state)
        # What is wrong with one payment keeps back neither others nor credits: only the invoice's own problems do.
        blocked = len(planner.plan.problems.get(state.invoice.id, ())) > problems
        planner.stages[state.invoice.id] = invoices.stage_of(planner, state, blocked=blocked, taking_back=taking_back)
        payments.plan_payments(planner, state)
        credit_notes.plan_credit_notes(planner, state)
    elif state.invoice.status in GONE:
        invoices.plan_void(planner, state, taking_back=taking_back)
    if _amount(planner, state) == before and not taking_back:
        planner.plan.done.append(state.invoice.id)


def _amount(planner: Planner, state: InvoiceState) -> tuple[int, ...]:
    """How much a plan holds: what has grown has more to do."""
    plan, id_ = planner.plan, state.invoice.id
    waits = int(id_ in plan.waiting)
    return (len(plan.steps), len(plan.problems.get(id_, ())), len(plan.holds), len(plan.asks), waits)
