"""How the books stand: one state for every invoice, decided here from both sides as last seen; all words derive from it.

What the two records alone say (`store/listing.py`: skipped, void, draft, synced, pending) gives way to what is wrong: a problem
makes an invoice `unsynced`; where there is nothing but differences of one that is in Xero, it `differs`. What a person has set
aside stays so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from caspen_xero.caspen.records import GONE
from caspen_xero.store import accepted as store_accepted
from caspen_xero.store import both_sides, skips, todo
from caspen_xero.store.bad_records import lone_invoices
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.listing import (
    SYNC_STATUSES,
    Counted,
    ListedInvoice,
    SyncStatus,
    count_invoices_by_state,
)
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.seen_invoices import PULLED_AT
from caspen_xero.store.store import Store, utc_time
from caspen_xero.sync.books.differences import differences_of
from caspen_xero.sync.books.due_dates import moved_due_dates, told_once
from caspen_xero.sync.books.not_equal import found_not_equal, rows_with, troubles_with
from caspen_xero.sync.books.troubles import Trouble, find_troubles, with_questions
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.drift import Drift, find_drift
from caspen_xero.sync.setup.settings import Settings


@dataclass(frozen=True)
class Books:
    """How all invoices stand. `troubles`: what is wrong, oldest invoice first; `accepted`: differences that a person has accepted;
    `waiting`: payments that the next pull tells Caspen of.

    `seen_at`: when Xero was last looked at as a whole (UTC), if ever; `some_sent_since`: whether anything was linked after
    that. `differences`: all on which the two sides differ, as `drift` shows it, but for what is accepted; `information`: what a
    bookkeeper has decided in Xero, where it stays; `seen_otherwise`: all of that, whether a person has accepted it or not;
    `moved_due_dates`: what of that is due dates, as a reconciliation would find it. `overlay`: the states of invoices that are in
    another one than the records alone say; `by_records` counts by these alone, and `moved` is the rest.
    """

    troubles: Sequence[Trouble]
    accepted: Sequence[Trouble]
    waiting: Sequence[Trouble]
    differences: Sequence[Drift]
    information: Sequence[Drift]
    seen_otherwise: Sequence[Drift] = field(repr=False)
    moved_due_dates: Sequence[Trouble] = field(repr=False)
    seen_at: datetime | None
    overlay: Mapping[str, SyncStatus] = field(repr=False)
    by_records: Callable[[], Sequence[Counted]] = field(repr=False)
    moved: Mapping[SyncStatus, int] = field(repr=False)
    lone_before_start: int = 0
    some_sent_since: bool = False

    @cached_property
    def _counted(self) -> Sequence[Counted]:
        return self.by_records()

    @cached_property
    def counts(self) -> Mapping[SyncStatus, int]:
        """How many invoices are in each state."""
        counts = dict.fromkeys(SYNC_STATUSES, 0)
        for some in self._counted:
            counts[some.state] += some.number
        return {state: number + self.moved.get(state, 0) for state, number in counts.items()}

    @property
    def before_start(self) -> int:
        """Of those skipped, how many the start date leaves out."""
        some_left_out = (some for some in self._counted if some.before_start and some.state == "skipped")
        return sum(some.number for some in some_left_out) + self.lone_before_start

    @property
    def set_aside(self) -> int:
        """Of those skipped, how many a person has set aside."""
        return self.counts["skipped"] - self.before_start

    @cached_property
    def troubles_of(self) -> Mapping[str, Sequence[Trouble]]:
        """What is wrong, by invoice id."""
        found: defaultdict[str, list[Trouble]] = defaultdict(list)
        for trouble in self.troubles:
            found[trouble.invoice_id].append(trouble)
        return found

    @property
    def in_order(self) -> bool:
        """Whether nothing is unsynced, and nothing differs but what a person has accepted."""
        return not self.troubles

    @property
    def unsynced(self) -> int:
        """How many invoices have a problem."""
        return self.counts["unsynced"]

    @property
    def differing(self) -> int:
        """How many invoices differ, without those with which a person is content."""
        return sum(self.overlay[id_] == "differs" for id_ in self.troubles_of)

    @property
    def content_with(self) -> int:
        """How many invoices differ as a person has accepted."""
        return self.counts["differs"] - self.differing

    @property
    def finalised(self) -> int:
        """How many finalised invoices ought to be in Xero: neither skipped nor void."""
        return sum(self.counts[state] for state in ("synced", "unsynced", "differs", "pending"))

    def state_of(self, trouble: Trouble) -> SyncStatus:
        """The state of the invoice that something is wrong with."""
        return self.overlay.get(trouble.invoice_id, trouble.invoice.sync_status)

    def judged(self, listed: Iterable[ListedInvoice]) -> list[ListedInvoice]:
        """Invoices, listed by their records alone, each in its state."""
        return [
            replace(
                one,
                sync_status=self.overlay.get(one.invoice_id, one.sync_status),
                is_accepted=self.overlay.get(one.invoice_id) == "differs" and one.invoice_id not in self.troubles_of,
            )
            for one in listed
        ]


def read_books(store: Store, mappings: Mappings | None, settings: Settings) -> Books:
    """How the books stand, from the store alone. Without a linked organisation (`mappings` None) nothing is in Xero.

    What is in order is only counted, so that a store of very many invoices is read quickly.
    """
    lone = lone_invoices(store, settings.start_date)
    drift = with_questions(mappings, find_drift(mappings, settings)) if mappings else []
    proved = found_not_equal(mappings, settings) if mappings else []
    invoices, found = find_troubles(store, mappings, settings, [*drift, *(one.drift for one in proved)], lone)
    content = {one.key: one.at for one in store_accepted.accepted(mappings)} if mappings else {}
    if proved:
        found = troubles_with(proved, found, content)
        drift += rows_with(proved, found)
    due_dates = moved_due_dates(mappings, settings, drift) if mappings else []
    known = {one.key for one in found}
    for one in due_dates:
        if one.key in content and one.key not in known:  # accepted before a reconciliation has looked
            found.append(one)
            invoices = {**invoices, one.invoice_id: one.invoice}
    waiting = [one for one in found if one.code is ProblemCode.NOT_IN_CASPEN_YET]
    found = [one for one in found if one.code is not ProblemCode.NOT_IN_CASPEN_YET]
    troubles = [one for one in found if one.key not in content]
    accepted = [replace(one, accepted_at=content[one.key]) for one in found if one.key in content]
    overlay: dict[str, SyncStatus] = {one.invoice_id: "pending" for one in waiting}
    overlay |= _overlay(troubles, accepted) | {one.bad.id: invoices[one.bad.id].sync_status for one in lone}
    moved = Counter(overlay.values())
    moved.subtract(_by_records_alone(store, overlay, invoices, {one.bad.id for one in lone}))
    seen_at = utc_time(mappings.setting(PULLED_AT)) if mappings else None
    return Books(
        troubles=troubles,
        accepted=accepted,
        waiting=waiting,
        differences=differences_of(drift, troubles, accepted),
        information=told_once(
            [one for one in drift if one.is_information],
            [one for one in due_dates if one.key not in content],
            troubles,
            InvoiceNames(store),
        ),
        seen_otherwise=drift,
        moved_due_dates=due_dates,
        seen_at=seen_at,
        overlay=overlay,
        by_records=lambda: count_invoices_by_state(store, mappings, settings.start_date),
        moved=moved,
        some_sent_since=mappings is not None
        and seen_at is not None
        and both_sides.some_linked_after(mappings, seen_at),
        lone_before_start=len(
            {one.bad.id for one in lone if one.is_set_aside} - skips.invoice_ids(store) if lone else ()
        ),
    )


def _by_records_alone(
    store: Store, invoice_ids: Iterable[str], invoices: Mapping[str, ListedInvoice], lone: set[str]
) -> Iterator[SyncStatus]:
    """The states of these invoices by their records alone; of one that has no good record, none."""
    good = todo.touched(store, lone) if lone else {}
    for invoice_id in invoice_ids:
        if invoice_id not in lone:
            yield invoices[invoice_id].sync_status
        elif invoice_id in good:  # neither finalised nor in Xero
            is_gone = invoices[invoice_id].caspen_own_status in GONE
            yield "skipped" if invoices[invoice_id].sync_status == "skipped" else "void" if is_gone else "draft"


def _overlay(troubles: Iterable[Trouble], accepted: Iterable[Trouble]) -> dict[str, SyncStatus]:
    """The states of invoices of which something is wrong; one with nothing but accepted differences still differs.

    Of that one the next push takes what it has not come to, such as a payment, unless it has left it at just that difference.
    """
    settled = {one.invoice_id for one in accepted if one.is_difference and one.last_tried_at is not None}
    states: dict[str, SyncStatus] = {
        one.invoice_id: "pending"
        if one.invoice.sync_status == "pending" and one.invoice_id not in settled
        else "differs"
        for one in accepted
    }
    states |= {one.invoice_id: "differs" for one in troubles}
    return states | {one.invoice_id: "unsynced" for one in troubles if not one.is_difference}
