"""A plan: the steps to carry out, what keeps invoices back, and what has to be read from Xero before more can be said."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from caspen_xero.store.holds import Hold
from caspen_xero.sync.planning.contact_matching import GivenAway
from caspen_xero.sync.planning.steps import KeepsTax, Step
from caspen_xero.sync.problems import Problem, ProblemCode, check_code


class Stage(Enum):
    """How far an invoice itself has come in a plan; what its payments and credit notes may do follows from it."""

    ABSENT = "not in Xero yet: this plan creates it"
    BLOCKED = "its own problems keep it back"
    TAKING_BACK = "payments or credits of it are taken back first"
    WAITING = "it is, or will be, a draft that only a person can approve, or no approvals are left"
    CHANGING = "this plan changes or approves it first"
    OPEN = "it is in Xero as Caspen has it, and takes payments and credits"


@dataclass(frozen=True)
class Waiting:
    """Why an invoice waits though nothing is wrong with it."""

    code: Literal[ProblemCode.WAITS_FOR_APPROVAL, ProblemCode.NOT_PUSHED_YET]
    reason: str

    def __post_init__(self) -> None:
        check_code(self.code)


@dataclass
class Asks:
    """What has to be read from Xero before something is decided.

    `contacts`: a party is not linked yet, so Xero's contacts should be known as they are now. By Xero's ids: `contact_details` of
    contacts to be changed; `invoices`; `credits`, the invoices of which the credits have to be read too, and `deleted`, those of
    which the deleted payments; `payments` and `credit_notes` that are to be taken back, or are said to be there.
    """

    contacts: bool = False
    contact_details: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)
    credits: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    credit_notes: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        by_id = (self.contact_details, self.invoices, self.credits, self.deleted, self.payments, self.credit_notes)
        return sum(len(ids) for ids in by_id)


@dataclass
class Decided:
    """What a plan has decided of what its invoices share with others.

    By a party's key the ContactID that it has, or None where it is to be created first, and the problem with its contact; the
    contacts, names and numbers that are `given` away; the payments (by key) that are taken back; and what the organisation has
    shown by then of tax amounts, if all goes well (None: only what it has shown so far).
    """

    contact_ids: dict[str, str | None] = field(default_factory=dict)
    contact_problems: dict[str, Problem] = field(default_factory=dict)
    given: GivenAway = field(default_factory=GivenAway)
    deleting: set[str] = field(default_factory=set)
    keeps_tax: KeepsTax | None = None

    def for_another(self) -> Decided:
        """The same for another plan, which adds to it."""
        given = GivenAway(set(self.given.names), set(self.given.numbers), set(self.given.contacts))
        return Decided(dict(self.contact_ids), dict(self.contact_problems), given, set(self.deleting), self.keeps_tax)


@dataclass
class Plan:
    """Steps to carry out, problems by invoice, warnings, and the invoices that need nothing more (`done`).

    `holds`: what a look into Xero has found to speak against a step. `left_to_a_person`: of parties (by key), why only a person can
    say or restore their contact. `waiting`: invoices that wait though nothing is wrong. `contacts_done`: clients and payers (kind,
    id) whose change needs nothing more, with the import number that it came with. `different`: payments of Caspen's (by key) and of
    Xero's (by id) that are not the same money, as a person has just said.
    """

    steps: list[Step] = field(default_factory=list)
    problems: defaultdict[str, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    warnings: list[str] = field(default_factory=list)
    left_to_a_person: dict[str, ProblemCode] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    asks: Asks = field(default_factory=Asks)
    done: list[str] = field(default_factory=list)
    contacts_done: dict[tuple[str, str], int] = field(default_factory=dict)
    decided: Decided = field(default_factory=Decided)
    different: set[tuple[str, str]] = field(default_factory=set)
