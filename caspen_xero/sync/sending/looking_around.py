"""Before a push sends anything: is another home alive, and is anything of ours in Xero that this store does not know?

Where that is so, all of ours is looked up and linked first (`adopt.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caspen_xero.store import holds, other_homes
from caspen_xero.sync.planning.steps import Step
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.adopt import Adopt
from caspen_xero.sync.sending.fetch import Fetcher
from caspen_xero.sync.sending.judge_anew import JudgeAnew, is_to_judge
from caspen_xero.sync.sending.load import has_contact_of_ours
from caspen_xero.sync.sending.other_homes import OtherHomes, another_home
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.setup.settings import Settings


class LookingAround:
    """The looking around of one push.

    `has_adopted`: whether it has taken in all of ours; `has_judged_anew`: whether it has judged what an earlier version believed.
    `linked_rates`: sentences about tax rates that this has linked on its way.
    """

    def __init__(self, settings: Settings, fetcher: Fetcher, settler: Settler, homes: OtherHomes) -> None:
        self.settings, self.fetcher, self.settler, self.homes = settings, fetcher, settler, homes
        self.mappings = settler.mappings
        self.has_adopted = self.has_judged_anew = False
        self.linked_rates: list[str] = []

    def before_sending(self, ids: Sequence[str]) -> None:
        """As a push of these invoices begins. Raises as `look` does."""
        judge = JudgeAnew(self.mappings, self.fetcher, self.fetcher.now)
        self.has_judged_anew = is_to_judge(self.mappings)
        if self.has_judged_anew:
            judge.carry_out()
        self._look_again_at_gone_ones()
        self.look(ids)
        if not ids and other_homes.has_to_look_for_gone_ones(self.mappings):
            self._look_for_an_earlier_store()
            self.look(ids)
            other_homes.has_looked_for_gone_ones(self.mappings)

    def look(self, ids: Sequence[str]) -> None:
        """Takes in all of ours where that is due; those of these invoices that were there are done.

        Raises `AnotherHome` where one is alive, and `XeroError`.
        """
        alive = another_home(self.mappings)
        if alive is not None:
            raise alive
        if not other_homes.adopt_is_due_to_send(self.mappings.store):
            return
        adopted = Adopt(self.mappings, self.settings, self.fetcher.client, self.fetcher.now).carry_out()
        self.has_adopted = True
        self.settler.done["adopt-invoice"] |= adopted.invoices & set(ids)
        self.settler.done["link-contact"] |= adopted.contacts
        self.homes.found.add(adopted.found)
        self.linked_rates += adopted.linked_rates
        self.fetcher.warnings += adopted.warnings

    def finds_an_earlier_store(self, plan: Iterable[Step]) -> bool:
        """Whether all of ours is to be taken in before anything of a new plan is sent.

        That is for what its reading has shown, or as it would make an invoice that could not be looked for the last time.
        """
        if self.would_send_unlooked_for(plan):
            self.mappings.store.set_adopt_due(True)
        elif self.fetcher.contacts_read:
            self._look_for_an_earlier_store()
        else:
            return False
        return self.mappings.store.adopt_is_due

    def would_send_unlooked_for(self, plan: Iterable[Step]) -> bool:
        """Whether a plan would make an invoice that may be in Xero, and could not be looked for there until now."""
        made = {step.caspen_id for step in plan if step.kind == "create-invoice"}
        return bool(made) and bool(made & other_homes.not_recognised(self.mappings))

    def _look_again_at_gone_ones(self) -> None:
        """What has the number of an invoice that Caspen has taken back may be that invoice, as it was sent before it was edited."""
        gone = other_homes.gone_ones_held(self.mappings, ProblemCode.INVOICE_NUMBER_TAKEN)
        if gone:
            holds.release(self.mappings, "create-invoice", gone)
            self.mappings.store.set_adopt_due(True)

    def _look_for_an_earlier_store(self) -> None:
        """Has all of ours looked up where contacts of ours in Xero show that this store, though it is new, is not the first."""
        if self.mappings.has_invoices() or other_homes.adopted_at(self.mappings) is not None:
            return
        self.fetcher.read_contacts()
        if has_contact_of_ours(self.mappings, self.settings):
            self.mappings.store.set_adopt_due(True)
