"""A push: read what the plan needs, plan, send step by step, and note what is done and what is wrong.

Invoices are taken in slices, oldest first; within one, a plan is made, its first steps are sent and settled, and the plan is made
anew from the store until nothing is left to send. So whatever happens in between, the store says what is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from caspen_xero.store import holds, problems, skips, todo
from caspen_xero.store.holds import Hold
from caspen_xero.store.journal import has_open_entries
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.contact_updates import contact_updates
from caspen_xero.sync.planning.planner import Plan, make_plan
from caspen_xero.sync.planning.snapshot import CaspenSide, PushSettings, Snapshot, load_caspen_side, load_snapshot
from caspen_xero.sync.planning.steps import ORDER, ROUTES, Operation, OperationKind
from caspen_xero.sync.problems import REFERENCE_CODES, SETTING_CODES, Problem
from caspen_xero.sync.sending import adopt
from caspen_xero.sync.sending.fetch import Looker
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.sync.sending.recover import LookUp, read_contacts
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.setup.awaited import settle_awaited
from caspen_xero.sync.setup.organisation import Reference, read_currencies, read_reference
from caspen_xero.sync.setup.tax_links import link_sole_candidates, sole_candidates
from caspen_xero.sync.setup.taxes import rate_label
from caspen_xero.xero.errors import XeroError

SLICE = 1000
_MANY_PASSES = 60


@dataclass(frozen=True)
class PushOptions:
    """What one push was asked for. `invoice_ids` None means all that need something."""

    invoice_ids: tuple[str, ...] | None = None
    dry_run: bool = False
    refresh: bool = False
    max_writes: int | None = None
    overwrite: frozenset[str] = frozenset()
    pay_anyway: frozenset[str] = frozenset()


@dataclass
class PushResult:
    """What a push did. Counts are of documents; `problems` by invoice id; `stopped` is why it ended early.

    `waiting`: invoices that are in Xero as drafts, and what waits for their approval.
    """

    dry_run: bool = False
    synced: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    skipped: int = 0
    done: dict[str, int] = field(default_factory=dict)
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    plan: list[Operation] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    linked_rates: list[str] = field(default_factory=list)
    api_calls: int = 0
    stopped: XeroError | None = None

    @property
    def unsynced(self) -> int:
        """Invoices that have a problem or were not reached."""
        return len(set(self.problems) | self.unfinished)

    @property
    def only_settings_missing(self) -> bool:
        """Whether nothing at all could be sent because accounts or tax links are missing."""
        codes = {problem.code for problems in self.problems.values() for problem in problems}
        return bool(codes) and codes <= SETTING_CODES and not self.done and not self.stopped

    def count(self, *operations: OperationKind) -> int:
        """How many documents of these operations were done."""
        return sum(self.done.get(operation, 0) for operation in operations)


@dataclass
class Announcement:
    """What a first push is about to do."""

    invoices: int
    oldest: date | None


class Push:
    """One push of one organisation. `client` is made on first use, so that a push with nothing to do opens nothing."""

    def __init__(
        self,
        mappings: Mappings,
        client: Callable[[], Any],
        now: Callable[[], datetime],
        *,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
        confirm: Callable[[Announcement], bool] = lambda announcement: True,
    ) -> None:
        self.mappings, self._open_client, self.now = mappings, client, now
        self.progress, self.confirm = progress, confirm
        self.settler = Settler(mappings, now)
        self._client: Any = None
        self._looker = Looker(lambda: self.client, mappings, self.settler, now)
        self._writes_left: int | None = None
        self._suggested: dict[str, str] = {}
        self._reference_is_new = False
        self._reference: Reference
        self._ignore_holds = False

    @property
    def client(self) -> Any:
        """The Xero client, opened when first needed."""
        if self._client is None:
            self._client = self._open_client()
        return self._client

    def run(self, options: PushOptions) -> PushResult:
        """Carries the push out. Never raises for what Xero says: `stopped` tells why it ended early."""
        result = PushResult(dry_run=options.dry_run)
        self._writes_left = options.max_writes
        try:
            self._run(options, result)
        except XeroError as error:
            result.stopped = error
        self._sum_up(options, result)
        return result

    def _run(self, options: PushOptions, result: PushResult) -> None:
        if not options.dry_run and has_open_entries(self.mappings):
            self._journal().recover()
        settings = PushSettings.of(self.mappings)
        if options.dry_run:
            self._ignore_holds = options.refresh or options.invoice_ids is not None
        elif options.refresh:
            holds.make_due(self.mappings)
        elif options.invoice_ids is not None:
            holds.make_invoices_due(self.mappings, options.invoice_ids)
            holds.release_approvals(self.mappings)
        result.skipped = skips.count_skipped(self.mappings)
        if options.invoice_ids is None:
            self._update_contacts(settings, options, result)
        ids = self._invoice_ids(options, settings)
        if options.invoice_ids is None and not options.dry_run:
            problems.drop_other_problems(self.mappings, ids)
        if not ids:
            if options.refresh:  # whoever has just changed something in Xero wants it known
                self._read_reference(options, ids, result)
            return
        if not options.dry_run and not todo.has_pushed(self.mappings):
            announcement = Announcement(len(ids), todo.oldest_date(self.mappings, ids))
            if not self.confirm(announcement):
                result.unfinished |= set(ids)
                return
        result.unfinished |= set(ids)
        self._reference = self._read_reference(options, ids, result)
        for start in range(0, len(ids), SLICE):
            self._push_slice(ids[start : start + SLICE], options, result)
            self.progress(min(start + SLICE, len(ids)), len(ids))

    def _invoice_ids(self, options: PushOptions, settings: PushSettings) -> list[str]:
        if options.invoice_ids is not None:
            return list(options.invoice_ids)
        start = settings.start_date.isoformat() if settings.start_date else None
        return todo.invoices_to_do(self.mappings, start)

    # --- what the plan needs from Xero

    def _read_reference(self, options: PushOptions, ids: Sequence[str], result: PushResult) -> Reference:
        reference = read_reference(self.client, self.mappings, now=self.now(), refresh=options.refresh)
        self._reference_is_new = options.refresh
        if todo.other_currency(self.mappings, ids, reference.organisation.base_currency or ""):
            codes = read_currencies(self.client, self.mappings, now=self.now(), refresh=options.refresh)
            reference = replace(reference, currencies=codes)
        self._link_obvious_rates(reference, options, result)
        return reference

    def _link_obvious_rates(self, reference: Reference, options: PushOptions, result: PushResult) -> None:
        """Links each Caspen rate that can only mean one Xero rate, and says so; a dry run only supposes it."""
        store = self.mappings.store
        if not options.dry_run:
            result.linked_rates += settle_awaited(store, self.mappings, reference.tax_rates)
            links = link_sole_candidates(store, self.mappings, reference.tax_rates)
        else:
            links = sole_candidates(store, self.mappings, reference.tax_rates)
            self._suggested = {link.rate.id: link.tax_type for link in links if link.tax_type}
        said = "would be" if options.dry_run else "is now"
        result.linked_rates += [
            f"Tax rate {link.rate.name} {said} linked to {rate_label(link.xero_rate)}, the only one that fits."
            for link in links
            if link.xero_rate
        ]

    def _snapshot(self, caspen: CaspenSide, options: PushOptions) -> Snapshot:
        return load_snapshot(
            self.mappings,
            caspen,
            self._reference,
            PushSettings.of(self.mappings),
            self.now(),
            looks=self._looker.looks,
            created=frozenset(self.settler.done["create-invoice"]),
            overwrite=options.overwrite,
            pay_anyway=options.pay_anyway,
            suggested_rates=self._suggested,
            ignore_holds=self._ignore_holds,
        )

    def _plan(self, caspen: CaspenSide, options: PushOptions) -> Plan:
        """The plan as things stand, with all that it asks of Xero looked up."""
        plan = make_plan(self._snapshot(caspen, options))
        while self._looker.answer(plan, anew=options.refresh):
            plan = make_plan(self._snapshot(caspen, options))
        return plan

    def _update_contacts(self, settings: PushSettings, options: PushOptions, result: PushResult) -> None:
        """Brings the contacts of clients who changed up to date."""
        held = holds.standing(self.mappings, self.now())
        updates = contact_updates(lambda: self.client, self.mappings, settings.privacy, held, result.warnings)
        if options.dry_run:
            result.plan += updates
        elif updates:
            self._send(self._journal(), "update-contact", updates)

    # --- carrying out

    def _push_slice(self, ids: Sequence[str], options: PushOptions, result: PushResult) -> None:
        caspen = load_caspen_side(self.mappings.store, ids, PushSettings.of(self.mappings))
        last: Plan | None = None
        try:
            if options.dry_run:
                last = self._plan(caspen, options)
                result.plan += last.operations
            else:
                last = self._carry_out(caspen, options, result)
        finally:
            with self.mappings.store.write():
                self._note(caspen, last or make_plan(self._snapshot(caspen, options)), options, result)

    def _carry_out(self, caspen: CaspenSide, options: PushOptions, result: PushResult) -> Plan | None:
        """Sends step after step; gives the plan that has nothing more to send, if it came to that."""
        journal = self._journal()
        for _ in range(_MANY_PASSES):
            plan = self._plan(caspen, options)
            result.warnings += [warning for warning in plan.warnings if warning not in result.warnings]
            kind, operations = _first_step(plan)
            if kind is None or self._writes_left == 0:
                return plan
            self._send(journal, kind, operations)
        return None

    def _send(self, journal: Journal, kind: OperationKind, operations: list[Operation]) -> None:
        if kind in ("link-contact", "adopt-payment", "keep-invoice"):
            self._adopt(kind, operations)
            return
        for batch in _batches(kind, operations):
            if self._writes_left is not None:
                batch = batch[: self._writes_left]
                self._writes_left -= len(batch)
            if not batch:
                return
            refused_before = set(self.settler.refused[kind])
            journal.send(batch)
            self._looker.forget(batch)
            newly_refused = self.settler.refused[kind] - refused_before
            if newly_refused:
                refused = [operation for operation in batch if operation.caspen_id in newly_refused]
                if self._after_refusals(kind, refused):
                    return
            if any(operation.expected.get("proves_tax") for operation in batch):
                return  # what Xero did with our tax amounts decides how the rest is sent

    def _adopt(self, kind: OperationKind, operations: Sequence[Operation]) -> None:
        """Links what is in Xero already: no call is made."""
        with self.mappings.store.write():
            for step in operations:
                if kind == "link-contact":
                    self.settler.link_contact(
                        step.caspen_id, step.target, made_by_us=False, fingerprint=None, name=step.detail
                    )
                elif kind == "keep-invoice":
                    link = self.mappings.link("invoice", step.caspen_id)
                    if link is not None:
                        self.mappings.put_link(link.with_(fingerprint=step.expected["fingerprint"]))
                else:
                    self.settler.link_payment(
                        step.caspen_id,
                        step.invoice_id or "",
                        step.target,
                        step.expected,
                        made_by_us=bool(step.expected.get("made_by_us")),
                        number=step.number,
                    )
                self.settler.done[kind].add(step.caspen_id)

    def _after_refusals(self, kind: OperationKind, refused: list[Operation]) -> bool:
        """A refusal may mean that Xero has changed, or has the document already: look before it becomes a problem.

        True where no more of these are to be sent before a new plan: the organisation's plan has no approvals left.
        """
        if kind == "create-contact":
            read_contacts(self.client, self.mappings)
        elif kind == "create-invoice":
            adopt.adopt_refused_invoices(self.client, self.mappings, self.settler, refused)
        elif kind == "create-credit-note":
            adopt.adopt_refused_credit_notes(self.client, self.mappings, self.settler, refused)
        if kind in ("create-invoice", "authorise-invoice"):
            holds.hold_approvals(self.mappings, kind, [step.caspen_id for step in refused], self.now())
        codes = {held.code for held in holds.on(self.mappings, kind, [step.caspen_id for step in refused])}
        if "contact-archived" in codes:
            self._look_at_archived(kind, refused)
        if codes & REFERENCE_CODES and not self._reference_is_new:  # what we know of the organisation is out of date
            self._reference = read_reference(self.client, self.mappings, now=self.now(), refresh=True)
            self._reference_is_new = True
        return "approval-limit" in codes

    def _look_at_archived(self, kind: OperationKind, refused: list[Operation]) -> None:
        """Contacts that were archived or merged since they were read: the next plan knows, and says or follows it."""
        read_contacts(self.client, self.mappings)
        contact_of = {step.caspen_id: (step.body or {}).get("Contact", {}).get("ContactID", "") for step in refused}
        gone = {id_ for id_, known in self.mappings.contacts(contact_of.values()).items() if known.status != "ACTIVE"}
        holds.release(self.mappings, kind, [id_ for id_, contact_id in contact_of.items() if contact_id in gone])

    def _journal(self) -> Journal:
        return Journal(self.mappings, self.client, self.settler, LookUp(self.client, self.mappings), self.now)

    # --- noting

    def _note(self, caspen: CaspenSide, plan: Plan, options: PushOptions, result: PushResult) -> None:
        """Keeps the problems of the slice and settles the invoices that need nothing more."""
        result.problems |= {invoice_id: problems for invoice_id, problems in plan.problems.items() if problems}
        if options.dry_run:
            result.unfinished -= set(caspen.invoices)
            return
        self._keep_holds(plan)
        result.waiting |= plan.waiting
        under_way = {operation.invoice_id for operation in plan.operations if operation.invoice_id}
        had_problems, done, now = problems.with_problems(self.mappings), set(plan.done), self.now()
        for invoice_id in caspen.invoices:
            found = plan.problems.get(invoice_id, [])
            if found or invoice_id in had_problems:
                problems.replace_problems(self.mappings, invoice_id, found, now)
            if invoice_id in under_way:
                continue
            result.unfinished.discard(invoice_id)
            if not found and invoice_id in done:
                self.mappings.mark_done("invoice", invoice_id, caspen.touched[invoice_id])

    def _keep_holds(self, plan: Plan) -> None:
        """What took a look into Xero to find is kept, so that the next push need not look again."""
        for party in plan.archived:
            if self._looker.contacts_read:
                holds.hold(self.mappings, Hold("match-contact", party.key, "contact-archived", ""), self.now())
        for found in plan.holds:
            holds.hold(self.mappings, found, self.now())

    def _sum_up(self, options: PushOptions, result: PushResult) -> None:
        done = self.settler.done
        result.done = {kind: len(ids) for kind, ids in done.items() if ids}
        result.synced = (done["create-invoice"] | done["adopt-invoice"]) - set(result.problems) - result.unfinished
        result.updated = done["update-invoice"] - set(result.problems)
        result.api_calls = self._client.calls if self._client is not None else 0


def _first_step(plan: Plan) -> tuple[OperationKind | None, list[Operation]]:
    """The first kind of step that has something to send, and all that can be sent of it."""
    for kind in ORDER:
        ready = [operation for operation in plan.operations if operation.kind == kind and operation.ready]
        if ready:
            return kind, ready
    return None, []


def _batches(kind: OperationKind, operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    size = ROUTES[kind].batch
    ordered = list(operations)
    if kind == "create-invoice":  # what depends on an unproven tax amount goes first, in a batch of its own
        ordered.sort(key=lambda operation: not operation.expected.get("proves_tax"))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
