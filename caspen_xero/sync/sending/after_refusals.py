"""After a refusal: it may mean that Xero has changed, or has the document already; looked at before it becomes a problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caspen_xero.store import holds, known_contacts
from caspen_xero.store.holds import Hold
from caspen_xero.sync.planning.lock_dates import Lock, lock_over, refused_by
from caspen_xero.sync.planning.steps import Step, StepKind
from caspen_xero.sync.problems import FACT_CODES, ProblemCode
from caspen_xero.sync.sending.other_homes import OtherHomes
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.sending.steps import write_of
from caspen_xero.sync.setup.contacts import read_contacts
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.xero.answers import apart
from caspen_xero.xero.calls import Client


def look_after_refusals(
    kind: StepKind,
    refused: Sequence[Step],
    settler: Settler,
    homes: OtherHomes,
    client: Client,
    facts_anew: Callable[[], OrganisationFacts],
) -> bool:
    """Looks at what Xero has just refused, all of one kind. `facts_anew`: reads the organisation's facts, once in a run.

    True where no more of these are to be sent before a new plan: the organisation's plan has no approvals left, a lock date
    speaks against more of them, or all of ours is to be looked up first. Raises `XeroError`.
    """
    write, mappings, ids = write_of(kind), settler.mappings, [step.caspen_id for step in refused]
    adopted: set[str] = set()
    apart(  # where what is there can't be read, Xero's refusal stays the problem
        refused,
        lambda some: adopted.update(write.after_refusal(client, settler.records, some)),
        lambda step, error: None,
    )
    settler.done[write.adopted_as] |= adopted
    if adopted:
        homes.documents_found(kind, adopted)
    if kind in ("create-invoice", "authorise-invoice"):
        months = {step.caspen_id: step.booking.approved_in for step in refused if step.booking is not None}
        holds.hold_approvals(mappings, kind, months, ProblemCode.APPROVAL_LIMIT, settler.now())
    codes = {held.code for held in holds.on(mappings, kind, ids)}
    if ProblemCode.CONTACT_ARCHIVED in codes:
        _look_at_archived(kind, refused, settler, client)
    is_locked = False
    if codes & FACT_CODES:
        facts = facts_anew()
        is_locked = ProblemCode.PERIOD_LOCKED in codes and _hold_what_is_locked(kind, refused, settler, facts)
    return is_locked or ProblemCode.APPROVAL_LIMIT in codes or mappings.store.adopt_is_due


def _hold_what_is_locked(kind: StepKind, refused: Sequence[Step], settler: Settler, facts: OrganisationFacts) -> bool:
    """Where a known lock date is why Xero has refused: one hold for all that is like it; whether there is such a date."""
    found: dict[Lock, list[Hold]] = {}
    bookings = {step.caspen_id: step.booking for step in refused if step.booking is not None}
    for held in holds.on(settler.mappings, kind, bookings):
        lock = lock_over(bookings[held.caspen_id], facts)
        if lock is not None and held.code == ProblemCode.PERIOD_LOCKED:
            found.setdefault(lock, []).append(held)
    with settler.mappings.store.write():
        for lock, those in found.items():
            if lock.asked is not None:
                first = those[0]
                settler.records.keep_hold(refused_by(lock, bookings[first.caspen_id], first.xero_says))
            holds.release(settler.mappings, kind, [held.caspen_id for held in those])
    return bool(found)


def _look_at_archived(kind: StepKind, refused: Sequence[Step], settler: Settler, client: Client) -> None:
    """Contacts that were archived or merged since they were read: the next plan knows, and says or follows it."""
    read_contacts(client, settler.mappings)
    contact_of = {step.caspen_id: (step.body or {}).get("Contact", {}).get("ContactID", "") for step in refused}
    gone = {
        id_
        for id_, known in known_contacts.by_id(settler.mappings, contact_of.values()).items()
        if known.status != "ACTIVE"
    }
    holds.release(settler.mappings, kind, [id_ for id_, contact_id in contact_of.items() if contact_id in gone])
