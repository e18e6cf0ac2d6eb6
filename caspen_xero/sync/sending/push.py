"""A push: read what the plan needs, plan, send step by step, and note what is done and what is wrong.

Invoices are taken in slices, oldest first; within one, a plan is made, its first steps are sent and settled, and the plan is made
anew from the store until nothing is left to send. So whatever happens in between, the store says what is true.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from caspen_xero.outside_text import plain
from caspen_xero.progress import Progress, counted, untold
from caspen_xero.store import different_money, holds, other_homes, problems, skips, todo, waiting
from caspen_xero.store.bad_records import lone_invoices
from caspen_xero.store.holds import Hold
from caspen_xero.store.journal import has_open_entries
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.approvals import IS_DRAFT
from caspen_xero.sync.planning.bad_records import problem_of_lone
from caspen_xero.sync.planning.make_plan import make_plan
from caspen_xero.sync.planning.plan import Decided, Plan
from caspen_xero.sync.planning.snapshot import CaspenSide, ChangedParty, Snapshot
from caspen_xero.sync.planning.steps import ORDER, ExpectedPayment, Step, StepKind
from caspen_xero.sync.planning.translations import Translations
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.after_refusals import look_after_refusals
from caspen_xero.sync.sending.fetch import Fetcher
from caspen_xero.sync.sending.first_push import Foresight, may_begin
from caspen_xero.sync.sending.how_far import HowFar
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.sync.sending.judge_anew import LOOK_TO_COME, is_to_judge, judge_records
from caspen_xero.sync.sending.load import SLICE, load_caspen_side, load_changed_parties, load_snapshot
from caspen_xero.sync.sending.looking_around import LookingAround
from caspen_xero.sync.sending.other_homes import AnotherHome, OtherHomes, OurPayment, another_home
from caspen_xero.sync.sending.push_result import Announcement, PushOptions, PushResult
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.sending.steps import Link, specification, write_of
from caspen_xero.sync.setup.awaited import apply_awaited
from caspen_xero.sync.setup.organisation import (
    OrganisationFacts,
    known_organisation,
    read_currencies,
    read_organisation,
)
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.sync.setup.tax_links import link_sole_candidates, links_in_words, sole_candidates
from caspen_xero.xero.calls import Client
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import XeroError

log = logging.getLogger(__name__)

_MANY_PASSES = 60
ADOPT_TO_COME = (
    "this store may not know all of ours in Xero: the next push first looks it up, and does not send what is there already, though "
    "it may stand in this plan"
)
RECOVERY_TO_COME = (
    "an earlier run was broken off: the next push first settles what that left open, and some of that may stand in this "
    "plan"
)


class Push:
    """One push of one organisation, by the settings as they stood when it began.

    `client` is made on first use, so that a push with nothing to do opens nothing.
    """

    def __init__(
        self,
        mappings: Mappings,
        settings: Settings,
        client: Callable[[], Client],
        now: Callable[[], datetime],
        *,
        progress: Progress = untold,
        confirm: Callable[[Announcement], bool] = lambda announcement: True,
        before_writing: Callable[[], None] = lambda: None,
    ) -> None:
        self.mappings, self.settings = mappings, settings
        self._open_client, self.now = client, now
        self.confirm, self.before_writing = confirm, before_writing
        self._how_far = HowFar(progress)
        self.settler = Settler(mappings, now)
        self._homes = OtherHomes(mappings, lambda: self.client)
        self.result = self._foreseen = PushResult()
        self._client: Client | None = None
        self._fetcher: Fetcher
        self._around: LookingAround
        self._translations: Translations
        self._facts: OrganisationFacts
        self._facts_are_new = False
        self._writes_left: int | None = None
        self._suggested: dict[str, str] = {}
        self._decided: Decided | None = None  # by the plans that were foreseen so far
        self._facts_ahead: OrganisationFacts | None = None
        self._ignore_holds = False
        self._foresight = Foresight(mappings, now)

    @property
    def client(self) -> Client:
        """The Xero client, opened when first needed."""
        if self._client is None:
            self._client = self._open_client()
        return self._client

    def run(self, options: PushOptions) -> PushResult:
        """Carries the push out. Never raises for what Xero says: `stopped` tells why it ended early.

        `result` has it also where anything else is raised.
        """
        result = self.result = self._foreseen = PushResult(dry_run=options.dry_run)
        self._writes_left = options.max_writes
        self._fetcher = Fetcher(lambda: self.client, self.mappings, self.now, keeps=not options.dry_run)
        self._around = LookingAround(self.settings, self._fetcher, self.settler, self._homes)
        try:
            self._run(options, result)
            result.stopped = another_home(self.mappings)  # a dry run may plan on, but says it too
        except (XeroError, AnotherHome) as error:
            result.stopped = error
        finally:
            self._sum_up(result)
        return result

    def _run(self, options: PushOptions, result: PushResult) -> None:
        judge_records(self.mappings)
        if options.dry_run:
            result.warnings += self._not_foreseen(options)
        ids = self._invoice_ids(options) if options.dry_run else self._before_sending(options, result)
        result.skipped = skips.count_skipped(self.mappings)
        if options.dry_run and options.invoice_ids is None:
            lone = lone_invoices(self.mappings.store, self.settings.start_date)
            result.left_out = todo.left_out(self.mappings, self.settings.start_date, lone)
        if not options.dry_run and not self._may_begin(options, ids):
            result.declined = True
            return
        self._release_holds(options)
        if options.invoice_ids is None:
            self._beyond_the_invoices(options, result)
            if not options.dry_run:
                problems.drop_other_problems(self.mappings, ids, but=ProblemCode.UNREADABLE_IN_XERO)
                waiting.drop_others(self.mappings, ids)
        if not ids:
            if options.refresh:  # whoever has just changed something in Xero wants it known
                self._read_facts(options, ids, result)
            return
        result.unfinished |= set(ids)
        self._facts = self._facts_ahead or self._read_facts(options, ids, result)
        self._how_far.begins(len(ids))
        for start in range(0, len(ids), SLICE):
            self._push_slice(ids[start : start + SLICE], options, result)
        self._how_far.ends()
        self._push_what_was_taken_in(ids, options, result)

    def _beyond_the_invoices(self, options: PushOptions, result: PushResult) -> None:
        """What a push of all is about beside the invoices that it can plan: those with a bad record alone, and changed contacts."""
        for one in lone_invoices(self.mappings.store, self.settings.start_date):
            if not one.is_set_aside:
                problem = problem_of_lone(one.bad, one.bad.id, self.settings.source)
                result.problems[one.bad.id] = [problem]
                result.outlook.add_unreadable(str(problem.code), one.total, one.currency, one.day)
        self._update_contacts(options, result)

    def _not_foreseen(self, options: PushOptions) -> Iterator[str]:
        """What a push does first that a dry run does not, and that may change its plan; and that it would end early."""
        if options.max_writes is not None:
            yield f"a push with --max-writes {options.max_writes} writes no more than that many documents of this plan"
        if is_to_judge(self.mappings):
            yield LOOK_TO_COME
        elif other_homes.adopt_is_due_to_send(self.mappings.store):
            yield ADOPT_TO_COME
        if has_open_entries(self.mappings):
            yield RECOVERY_TO_COME

    def _before_sending(self, options: PushOptions, result: PushResult) -> list[str]:
        """Takes in what is in Xero already, and settles what an earlier run left open; gives the invoices to do after that."""
        ids = self._invoice_ids(options)
        try:
            self._around.before_sending(ids)
        except AnotherHome:
            result.unfinished |= set(ids)
            raise
        was_open = has_open_entries(self.mappings)
        if was_open:
            self._journal().recover()
        return (
            self._invoice_ids(options) if was_open or self._around.has_adopted or self._around.has_judged_anew else ids
        )

    def _push_what_was_taken_in(self, ids: Sequence[str], options: PushOptions, result: PushResult) -> None:
        """Invoices that are known to be in Xero since all of ours was taken in, and that Caspen has void, say."""
        if not self._around.has_adopted or options.invoice_ids is not None:
            return
        more = [id_ for id_ in self._invoice_ids(options) if id_ not in set(ids)]
        result.unfinished |= set(more)
        self._how_far.begins(len(ids) + len(more), done=len(ids))
        for start in range(0, len(more), SLICE):
            self._push_slice(more[start : start + SLICE], options, result)

    def _invoice_ids(self, options: PushOptions) -> list[str]:
        if options.invoice_ids is not None:
            return list(options.invoice_ids)
        return todo.invoices_to_do(self.mappings, self.settings.start_date)

    def _may_begin(self, options: PushOptions, ids: Sequence[str]) -> bool:
        may = may_begin(
            self.mappings,
            options,
            ids,
            lambda: self._look_ahead(options, ids),
            self.confirm,
            self._foresight.unchanged,
            self.now,
        )
        if not may:
            self.result.unfinished.clear()
        return may

    def _look_ahead(self, options: PushOptions, ids: Sequence[str]) -> PushResult:
        """What a dry run foresees of these invoices. All that it reads is what the push needs, and is not read again."""
        self.result.unfinished |= set(ids)
        self._facts = self._facts_ahead = self._read_facts(options, ids, self.result)
        ahead = self._foresee_all(options, ids)
        if self._around.finds_an_earlier_store(ahead.plan):
            self._around.look(ids)
            ahead = self._foresee_all(options, ids)
        return ahead

    def _foresee_all(self, options: PushOptions, ids: Sequence[str]) -> PushResult:
        ahead = self._foreseen = PushResult(dry_run=True)
        self._ignore_holds = options.refresh or options.invoice_ids is not None
        try:
            for start in range(0, len(ids), SLICE):
                self._push_slice(ids[start : start + SLICE], replace(options, dry_run=True), ahead)
            if options.invoice_ids is None:
                self._beyond_the_invoices(replace(options, dry_run=True), ahead)
        finally:
            self._decided, self._ignore_holds = None, False
        return ahead

    def _release_holds(self, options: PushOptions) -> None:
        """What a person names, or wants refreshed, is tried again at once."""
        if options.dry_run:
            self._ignore_holds = options.refresh or options.invoice_ids is not None
        elif options.refresh:
            holds.make_due(self.mappings)
        elif options.invoice_ids is not None:
            holds.make_invoices_due(self.mappings, options.invoice_ids)
            holds.make_organisation_due(self.mappings)

    # --- what the plan needs from Xero

    def _read_facts(self, options: PushOptions, ids: Sequence[str], result: PushResult) -> OrganisationFacts:
        facts = read_organisation(self.client, self.mappings, now=self.now(), refresh=options.refresh)
        self._facts_are_new = options.refresh
        if todo.other_currency(self.mappings, ids, facts.organisation.base_currency or ""):
            codes = read_currencies(self.client, self.mappings, now=self.now(), refresh=options.refresh)
            facts = replace(facts, currencies=codes)
        result.warnings += facts.left_out
        self._link_obvious_rates(facts, options, result)
        return facts

    def _link_obvious_rates(self, facts: OrganisationFacts, options: PushOptions, result: PushResult) -> None:
        """Links each Caspen rate that can only mean one Xero rate, and says so; a dry run only supposes it."""
        store = self.mappings.store
        if not options.dry_run:
            result.linked_rates += apply_awaited(store, self.mappings, facts.tax_rates)
            links = link_sole_candidates(store, self.mappings, facts.tax_rates)
        else:
            links = sole_candidates(store, self.mappings, facts.tax_rates)
            self._suggested = {link.rate.id: link.tax_type for link in links if link.tax_type}
        result.linked_rates += links_in_words(links, "would be" if options.dry_run else "is now")

    def _snapshot(
        self, caspen: CaspenSide, options: PushOptions, changed_parties: Sequence[ChangedParty] = ()
    ) -> Snapshot:
        return load_snapshot(
            self.mappings,
            caspen,
            self._facts,
            self.settings,
            self.now(),
            looks=self._fetcher.looks,
            changed_parties=changed_parties,
            created=frozenset(self.settler.made["create-invoice"]),
            created_notes=frozenset(self.settler.made["create-credit-note"]),
            overwrite=options.overwrite,
            pay_anyway=options.pay_anyway,
            asked_about=options.asked_about,
            is_named=options.invoice_ids is not None,
            suggested_rates=self._suggested,
            ignore_holds=self._ignore_holds,
        )

    def _plan(self, caspen: CaspenSide, options: PushOptions, changed_parties: Sequence[ChangedParty] = ()) -> Plan:
        """The plan as things stand, with all that it asks of Xero looked up."""
        while True:
            snapshot = self._snapshot(caspen, options, changed_parties)
            known = self._fetcher.contacts_read
            plan = make_plan(snapshot, self._translations, self._decided, contacts_known=known)
            if not self._fetcher.answer(plan, anew=options.refresh):
                break
        self._note_plan(plan, caspen, changed_parties)
        if options.dry_run:
            self._foresee(plan, snapshot)
        return plan

    def _note_plan(self, plan: Plan, caspen: CaspenSide, changed_parties: Sequence[ChangedParty]) -> None:
        of = (
            counted(len(changed_parties), "changed client")
            if changed_parties
            else counted(len(caspen.invoices), "invoice")
        )
        ready, wrong = sum(step.ready for step in plan.steps), sum(map(bool, plan.problems.values()))
        steps = (
            f"{counted(len(plan.steps), 'step')} left, {ready} to be sent now" if plan.steps else "nothing left to send"
        )
        log.info("Planned %s: %s%s.", of, steps, f"; a problem with {counted(wrong, 'invoice')}" if wrong else "")

    def _foresee(self, plan: Plan, snapshot: Snapshot) -> None:
        """What a dry run says of a plan; the next one goes on from what this one has decided."""
        self._decided = plan.decided
        self._foreseen.plan += plan.steps
        if self._around.would_send_unlooked_for(plan.steps) and ADOPT_TO_COME not in self._foreseen.warnings:
            self._foreseen.warnings.append(ADOPT_TO_COME)
        self._foreseen.outlook.add(plan, snapshot, self._translations)

    # --- carrying out

    def _update_contacts(self, options: PushOptions, result: PushResult) -> None:
        """Brings the contacts of clients who changed up to date."""
        changed = load_changed_parties(self.mappings, self.settings)
        if not changed:
            return
        self._facts = known_organisation(self.mappings) or OrganisationFacts.unknown()
        self._translations = Translations()
        plan = self._plan(load_caspen_side(self.mappings.store, (), self.settings), options, changed)
        result.warnings += plan.warnings
        if options.dry_run:
            return
        with self.mappings.store.write():
            for (kind, caspen_id), touched in plan.contacts_done.items():
                self.mappings.mark_done("payer" if kind == "payer" else "client", caspen_id, touched)
        if plan.steps:
            self._send(self._journal(), "update-contact", plan.steps)
            for held in holds.on(self.mappings, "update-contact", self.settler.refused["update-contact"]):
                name = plain(next(step.detail for step in plan.steps if step.caspen_id == held.caspen_id))
                result.warnings.append(
                    f"{name}: changed in Caspen, but the contact in Xero stays as it is. {held.reason}. It is tried again later."
                )

    def _push_slice(self, ids: Sequence[str], options: PushOptions, result: PushResult) -> None:
        if result is self.result:  # what is only foreseen is not done
            self._how_far.takes(ids)
        ahead = self._foresight.of(ids) if not options.dry_run else None
        caspen = ahead.caspen if ahead else load_caspen_side(self.mappings.store, ids, self.settings)
        self._translations = ahead.translations if ahead else Translations()
        last: Plan | None = None
        try:
            if options.dry_run:
                is_first = self._decided is None and not self._ignore_holds
                last = self._plan(caspen, options)
                if is_first:
                    self._foresight.keep(caspen, self._translations, last)
            else:
                last = self._carry_out(caspen, options, result)
        finally:
            plan = last or make_plan(self._snapshot(caspen, options), self._translations, self._decided)
            if options.dry_run:
                self._tell(plan, result)
                result.waiting |= plan.waiting
                result.outlook.add_codes(plan, caspen.invoices.values())
                result.unfinished -= set(caspen.invoices)
            else:
                with self.mappings.store.write():
                    self._note(caspen, plan, result)

    def _carry_out(self, caspen: CaspenSide, options: PushOptions, result: PushResult) -> Plan | None:
        """Sends step after step; gives the plan that has nothing more to send, if it came to that."""
        ids = tuple(caspen.invoices)
        with self._foresight.unchanged():
            journal = self._journal()
        for _ in range(_MANY_PASSES):
            self._around.look(ids)
            ahead = self._foresight.of(ids)
            plan = ahead.plan if ahead else self._plan(caspen, options)
            self._foresight.drop()
            if self._around.finds_an_earlier_store(plan.steps):
                continue
            result.warnings += [warning for warning in plan.warnings if warning not in result.warnings]
            self._how_far.planned(plan.steps)
            kind, steps = _first_kind(plan)
            if kind is None or self._writes_left == 0:
                return plan
            self._send(journal, kind, steps)
        return None

    def _send(self, journal: Journal, kind: StepKind, steps: Sequence[Step]) -> None:
        if isinstance(specification(kind), Link):
            self._link(steps)
            self._how_far.settled(steps)
            return
        for batch in _batches(kind, steps):
            if self._writes_left is not None:
                batch = batch[: self._writes_left]
                self._writes_left -= len(batch)
            if not batch:
                return
            refused_before = set(self.settler.refused[kind])
            journal.send(batch)
            self._fetcher.forget(batch)
            self._how_far.sent(batch)
            if self.settler.records.doubts_facts:
                self._read_facts_anew()
            newly_refused = self.settler.refused[kind] - refused_before
            refused = [step for step in batch if step.caspen_id in newly_refused]
            if refused and look_after_refusals(
                kind, refused, self.settler, self._homes, self.client, self._read_facts_anew
            ):
                return
            if any(write_of(kind).goes_first(step) for step in batch):
                return  # what Xero did with our tax amounts decides how the rest is sent

    def _link(self, steps: Sequence[Step]) -> None:
        """Links what is in Xero already: no call is made, but for what was not sent from here."""
        find = self._homes.look_at(_ours_among(steps))
        with self.mappings.store.write():
            for step in steps:
                self.settler.found(step, Element())
            self._homes.keep(find)

    def _read_facts_anew(self) -> OrganisationFacts:
        """Once in a run: what we know of the organisation is out of date."""
        if not self._facts_are_new:
            self._facts = read_organisation(self.client, self.mappings, now=self.now(), refresh=True)
            self._facts_are_new = True
        return self._facts

    def _journal(self) -> Journal:
        """What writes to Xero. `before_writing` is called first."""
        self.before_writing()
        return Journal(self.mappings, self.client, self.settler, self.now)

    # --- noting

    def _tell(self, plan: Plan, result: PushResult) -> None:
        result.problems |= {invoice_id: found for invoice_id, found in plan.problems.items() if found}

    def _note(self, caspen: CaspenSide, plan: Plan, result: PushResult) -> None:
        """Keeps the problems of the slice and marks the invoices done that need nothing more."""
        self._tell(plan, result)
        self._keep_holds(plan)
        result.waiting |= plan.waiting
        kept = {invoice_id: why for invoice_id, why in plan.waiting.items() if why != IS_DRAFT}  # its link shows that
        waiting.replace(self.mappings, caspen.invoices, kept, self.now())
        under_way = {step.invoice_id for step in plan.steps if step.invoice_id}
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
        records = self.settler.records
        for key, code in plan.left_to_a_person.items():
            if self._fetcher.contacts_read:
                records.keep_hold(Hold("match-contact", key, code, ""))
        for found in plan.holds:
            records.keep_hold(found)
        different_money.keep(self.mappings, plan.different)

    def _sum_up(self, result: PushResult) -> None:
        done = self.settler.done
        result.warnings += [*self._fetcher.warnings, *self.settler.warnings]
        result.linked_rates = [*self._around.linked_rates, *result.linked_rates]
        if number := self.settler.warned:
            what = "1 document was" if number == 1 else f"{number} documents were"
            result.warnings.append(f"{what} taken with a warning from Xero: caspen-xero log --warnings")
        result.done = {kind: len(ids) for kind, ids in done.items() if ids}
        result.synced = (done["create-invoice"] | done["adopt-invoice"]) - set(result.problems) - result.unfinished
        result.updated = done["update-invoice"] - set(result.problems)
        result.found_in_xero = self._homes.found
        result.api_calls = self._client.calls if self._client is not None else 0


def _first_kind(plan: Plan) -> tuple[StepKind | None, list[Step]]:
    """The first kind of step that has something to send, and all that can be sent of it."""
    for kind in ORDER:
        ready = [step for step in plan.steps if step.kind == kind and step.ready]
        if ready:
            return kind, ready
    return None, []


def _ours_among(steps: Sequence[Step]) -> Iterator[OurPayment]:
    """The payments among these steps that we made, by their Reference."""
    for step in steps:
        if isinstance(step.expected, ExpectedPayment) and step.expected.made_by_us:
            reference = step.number or ""
            yield OurPayment(step.caspen_id, step.invoice_id or "", step.target, step.expected.amount, reference)


def _batches(kind: StepKind, steps: Sequence[Step]) -> Iterator[list[Step]]:
    write = write_of(kind)
    ordered = sorted(steps, key=lambda step: not write.goes_first(step))
    for start in range(0, len(ordered), write.route.batch):
        yield ordered[start : start + write.route.batch]
