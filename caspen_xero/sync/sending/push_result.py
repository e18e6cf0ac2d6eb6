"""What a push is asked for, what it announces before it begins, and what it did."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from caspen_xero.errors import UserError
from caspen_xero.store.todo import LeftOut, WhyLeftOut
from caspen_xero.sync.planning.outlook import Outlook, StaysOut, Tally
from caspen_xero.sync.planning.plan import Waiting
from caspen_xero.sync.planning.steps import Step, StepKind
from caspen_xero.sync.problems import SETTING_CODES, Problem
from caspen_xero.sync.sending.other_homes import FoundInXero


@dataclass(frozen=True)
class PushOptions:
    """What one push was asked for. `invoice_ids` None means all that need something.

    `pay_anyway`: by invoice, the keys of the payments that a person can have been asked about; `asked_about`: of
    each, with what in Xero: the pairs of its key and an id there.
    """

    invoice_ids: tuple[str, ...] | None = None
    dry_run: bool = False
    refresh: bool = False
    max_writes: int | None = None
    overwrite: frozenset[str] = frozenset()
    pay_anyway: Mapping[str, Collection[str]] = field(default_factory=dict)
    asked_about: frozenset[tuple[str, str]] = frozenset()


@dataclass
class PushResult:
    """What a push did. Counts are of documents; `problems` by invoice id; `stopped` is why it ended early.

    `waiting`: invoices that wait though nothing is wrong. `declined`: a person did not want the first push. `found_in_xero`: what
    of ours was there already though it was not sent from here. Of a dry run: the `plan`, its `outlook`, and which invoices are
    `left_out` for what a person chose, or for what they are.
    """

    dry_run: bool = False
    synced: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    skipped: int = 0
    done: dict[str, int] = field(default_factory=dict)
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    plan: list[Step] = field(default_factory=list)
    declined: bool = False
    warnings: list[str] = field(default_factory=list)
    linked_rates: list[str] = field(default_factory=list)
    found_in_xero: FoundInXero = field(default_factory=FoundInXero)
    outlook: Outlook = field(default_factory=Outlook)
    left_out: dict[WhyLeftOut, LeftOut] = field(default_factory=dict)
    api_calls: int = 0
    stopped: UserError | None = None

    @property
    def unsynced(self) -> int:
        """Invoices that have a problem or were not reached."""
        return len(set(self.problems) | self.unfinished)

    @property
    def only_settings_missing(self) -> bool:
        """Whether nothing at all could be sent because accounts or tax links are missing."""
        codes = {problem.code for problems in self.problems.values() for problem in problems}
        is_all = not self.done and not self.unfinished and not self.stopped
        return bool(codes) and codes <= SETTING_CODES and is_all

    def count(self, *kinds: StepKind) -> int:
        """How many steps of these kinds were done."""
        return sum(self.done.get(kind, 0) for kind in kinds)


@dataclass(frozen=True)
class Announcement:
    """What a first push is about to write, by kind of step, and the invoices that would stay out, as a dry run foresees them.

    `owed`: what of that Caspen calls paid without a record of the payment.
    `is_first`: nothing was ever sent; otherwise only invoices that a person had named. `at_most`: it writes no more documents.
    """

    kinds: Mapping[StepKind, Tally]
    stay_out: Mapping[StaysOut, Tally]
    is_first: bool = True
    at_most: int | None = None
    owed: Tally = field(default_factory=Tally)
