"""`adopt`: looks up all of ours in Xero and links what is there; nothing is sent.

For a store that was lost, restored or copied. What a push would send is looked for instead: invoices and credit notes by their
numbers, payments by their references, and each is taken over as a push takes over what it finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from caspen_xero.caspen.records import PaymentMethod, payment_id_in
from caspen_xero.outside_text import plain
from caspen_xero.progress import counted
from caspen_xero.store import clinic, holds, other_homes, problems, todo
from caspen_xero.store.journal import payments_asked_to_delete, sent_from_here
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.planning.adopting import (
    contacts_there,
    edited_ones_there,
    gone_invoices_there,
    gone_notes_there,
    invoices_there,
    money_there,
)
from caspen_xero.sync.planning.payment_references import key_in, last_word
from caspen_xero.sync.planning.payments_there import Beside, key_of, links_to_payments
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import CaspenSide
from caspen_xero.sync.planning.steps import Step, StepKind
from caspen_xero.sync.planning.translations import Translations
from caspen_xero.sync.problems import Problem, ProblemCode, kept_code, unreadable
from caspen_xero.sync.sending.fetch import Fetcher
from caspen_xero.sync.sending.load import SLICE, load_caspen_side, load_snapshot
from caspen_xero.sync.sending.other_homes import FoundInXero, found_documents
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.sending.steps import write_of
from caspen_xero.sync.setup.awaited import apply_awaited
from caspen_xero.sync.setup.organisation import OrganisationFacts, read_organisation
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.sync.setup.tax_links import link_sole_candidates, links_in_words
from caspen_xero.xero.answers import apart
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Payment
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import XeroError
from caspen_xero.xero.reading import sales_payments

log = logging.getLogger(__name__)


@dataclass
class AdoptResult:
    """What an adoption linked, by Caspen ids. `found`: of that, what was not sent from here; `problems`: by invoice id.

    `linked_rates`: sentences about tax rates that it linked on its way; `warnings`: about what can't be read.
    `stopped` is why it ended early.
    """

    contacts: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    credit_notes: set[str] = field(default_factory=set)
    allocations: set[str] = field(default_factory=set)
    found: FoundInXero = field(default_factory=FoundInXero)
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    linked_rates: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    api_calls: int = 0
    stopped: XeroError | None = None


class Adopt:
    """One adoption in one organisation. `client` is made on first use; `progress` is told how many invoices were looked at."""

    def __init__(
        self,
        mappings: Mappings,
        settings: Settings,
        client: Callable[[], Client],
        now: Callable[[], datetime],
        *,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> None:
        self.mappings, self.settings, self.client, self.now = mappings, settings, client, now
        self.progress = progress
        self.result = AdoptResult()
        self._settler = Settler(mappings, now)
        self._fetcher = Fetcher(client, mappings, now, keeps=True)
        self._not_recognised: set[str] = set()
        self._translations: Translations
        self._facts: OrganisationFacts

    def run(self) -> AdoptResult:
        """What a person asks for: so another home that was seen is forgotten. Never raises for what Xero says: `stopped` tells."""
        try:
            self.carry_out()
            other_homes.keep_another_home(self.mappings, None)
        except XeroError as error:
            self.result.stopped = error
        self.result.api_calls = self.client().calls
        return self.result

    def carry_out(self) -> AdoptResult:
        """The same, as a part of a push or pull: it forgets nothing, and raises `XeroError`."""
        ids = other_homes.invoices_to_adopt(self.mappings, self.settings.start_date)
        log.info("Looking up in Xero what is there already of %s.", counted(len(ids), "invoice"))
        self._facts = read_organisation(self.client(), self.mappings, now=self.now())
        self.result.warnings += self._facts.left_out
        self._link_rates()
        if ids:
            self._fetcher.read_contacts()
        for start in range(0, len(ids), SLICE):
            self._adopt(ids[start : start + SLICE])
            self.progress(min(start + SLICE, len(ids)), len(ids))
        self._take_in_payments()
        other_homes.has_adopted(self.mappings, self._xero_time(), self._not_recognised)
        self.result.warnings += self._fetcher.warnings
        return self.result

    def _link_rates(self) -> None:
        store, rates = self.mappings.store, self._facts.tax_rates
        self.result.linked_rates += apply_awaited(store, self.mappings, rates)
        self.result.linked_rates += links_in_words(link_sole_candidates(store, self.mappings, rates))

    def _xero_time(self) -> datetime:
        """By Xero's clock, at the latest; what it last showed of our invoices, where it tells no time."""
        clock = self.client().clock
        if clock.at_most(clock.steady()) is None:
            self.client().get("Organisation")  # any answer tells it
        return clock.at_most(clock.steady()) or other_homes.last_change_seen(self.mappings) or self.now()

    # --- one slice

    def _adopt(self, ids: Sequence[str]) -> None:
        began = self.now()
        caspen = load_caspen_side(self.mappings.store, ids, self.settings)
        self._translations = Translations()
        self._link(self._plan(caspen, contacts_there).steps)
        plan = self._plan(caspen, invoices_there)
        self._not_recognised |= {id_ for id_, found in plan.problems.items() if found}
        self._adopt_numbered("create-invoice", plan.steps)
        for look in (gone_invoices_there, edited_ones_there):
            self._adopt_numbered("create-invoice", self._plan(caspen, look).steps, are_gone=True)
        found = dict(plan.problems)
        plan = self._plan(caspen, money_there)
        self._link([step for step in plan.steps if step.kind != "create-credit-note"])
        notes = [step for step in plan.steps if step.kind == "create-credit-note"]
        self._adopt_numbered("create-credit-note", notes)
        self._adopt_numbered("create-credit-note", self._plan(caspen, gone_notes_there).steps, are_gone=True)
        self._note(caspen, found | plan.problems, began)

    def _plan(self, caspen: CaspenSide, look: Callable[[Planner], None]) -> Plan:
        """What is to be looked for, once all that it asks for is read."""
        while True:
            planner = self._planner(caspen)
            look(planner)
            if not self._fetcher.answer(planner.plan):
                return planner.plan

    def _planner(self, caspen: CaspenSide) -> Planner:
        snapshot = load_snapshot(
            self.mappings, caspen, self._facts, self.settings, self.now(), looks=self._fetcher.looks, ignore_holds=True
        )
        return Planner(snapshot, self._translations)

    def _link(self, steps: Sequence[Step]) -> None:
        """Links contacts, payments and allocations that are there: no call is made."""
        with self.mappings.store.write():
            for step in steps:
                self._settler.found(step, Element())
        done, keys = self._settler.done, {step.caspen_id for step in steps if step.kind == "adopt-payment"}
        self.result.payments |= keys
        self.result.found.payments |= keys - sent_from_here(self.mappings, "create-payment", keys)
        self.result.contacts |= done["link-contact"]
        self.result.allocations |= done["adopt-allocation"]

    def _adopt_numbered(self, kind: StepKind, steps: Sequence[Step], *, are_gone: bool = False) -> None:
        """Looks documents up by their numbers, and takes over those that a refusal of them would have shown to be ours.

        `are_gone`: in Caspen they are, so that it is nothing to us who else has their numbers.
        """
        if not steps:
            return
        look = write_of(kind).adopt if are_gone else write_of(kind).after_refusal
        adopted: set[str] = set()
        apart(
            steps,
            lambda some: adopted.update(look(self.client(), self._settler.records, some)),
            lambda step, error: self.result.warnings.append(f"{plain(step.number)}: {unreadable(error.why)}."),
        )
        self.result.found.add(found_documents(self.mappings, kind, adopted))
        if kind == "create-invoice":
            self.result.invoices |= adopted
        else:
            self.result.credit_notes |= adopted
            self.result.allocations |= set(self.mappings.links("allocation", adopted))

    # --- payments, on whatever invoice they stand

    def _take_in_payments(self) -> None:
        """Links what stands, or was deleted, elsewhere than Caspen has it now; a push then does what is to be done about it."""
        shown: dict[str, Payment] = {}
        methods = {method.id: method for method in clinic.payment_methods(self.mappings.store)}
        for page, odd in sales_payments(self.client()):
            self.result.warnings += [f"Left out: {one.why}." for one in odd]
            some = self._beside(page, methods)
            for one in page:
                if one.payment_id and key_of(one, some) is not None:
                    shown.pop(one.payment_id, None)  # changed while it was read: it goes to the end
                    shown[one.payment_id] = one
        if not shown:
            return
        beside = self._beside(list(shown.values()), methods)
        keys = {key for one in shown.values() if (key := key_of(one, beside)) is not None}
        on = [one.invoice.invoice_id for one in shown.values() if one.invoice and one.invoice.invoice_id]
        invoices = {id_: link for id_, link in self.mappings.links_to(on).items() if link.kind == "invoice"}
        beside = replace(
            beside,
            links=self.mappings.links("payment", keys),
            invoices=invoices,
            claimed=set(self.mappings.links_to(shown)),
            deleted_by_us=payments_asked_to_delete(self.mappings, keys),
        )
        self._link_payments(list(links_to_payments(shown.values(), beside)), beside)

    def _beside(self, shown: Sequence[Payment], methods: Mapping[str, PaymentMethod]) -> Beside:
        store, last_words = self.mappings.store, {last_word(one.reference) for one in shown}
        keys = {key for word in last_words if (key := key_in(word)) is not None}
        return Beside(
            applied=clinic.payments_keyed(store, keys),
            alike=clinic.payments_put_on_as(store, last_words - keys),
            payments=clinic.payment_statuses(store, {payment_id_in(key) for key in keys}).keys(),
            methods=methods,
        )

    def _link_payments(self, links: Sequence[Link], beside: Beside) -> None:
        concerned = {link.invoice_id for link in links if link.invoice_id}
        concerned |= {beside.applied[link.caspen_id].invoice_id for link in links if link.caspen_id in beside.applied}
        with self.mappings.store.write():
            for link in links:
                self.mappings.put_link(link.with_(linked_at=self.now()))
            holds.release(self.mappings, "create-payment", [link.caspen_id for link in links])
            todo.do_again(self.mappings, concerned)
        keys = {link.caspen_id for link in links if not link.is_deleted}
        self.result.payments |= keys
        self.result.found.payments |= keys - sent_from_here(self.mappings, "create-payment", keys)

    def _note(self, caspen: CaspenSide, found: dict[str, list[Problem]], began: datetime) -> None:
        """Keeps what stands against an invoice that is not linked; what a push had said of one that now is, is out of date."""
        held = holds.on(self.mappings, "create-invoice", set(caspen.invoices) - self.result.invoices)
        for hold in held:
            if hold.code == ProblemCode.INVOICE_NUMBER_TAKEN and hold.last_held_at >= began:
                problem = Problem(kept_code(hold.code), hold.caspen_id, hold.reason, hold.fix, xero_says=hold.xero_says)
                found.setdefault(hold.caspen_id, []).append(problem)
        self.result.problems |= found
        with self.mappings.store.write():
            for invoice_id in found.keys() | (self.result.invoices & caspen.invoices.keys()):
                problems.replace_problems(self.mappings, invoice_id, found.get(invoice_id, []), self.now())
