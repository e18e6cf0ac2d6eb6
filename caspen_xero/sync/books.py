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
from hashlib import sha256
from typing import Any

from caspen_xero.caspen.records import GONE
from caspen_xero.commands import Choice
from caspen_xero.outside_text import harmless
from caspen_xero.store import accepted as store_accepted
from caspen_xero.store import both_sides, skips, todo
from caspen_xero.store import problems as store_problems
from caspen_xero.store.bad_records import bad_records_on, lone_invoices
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.listing import (
    SYNC_STATUSES,
    Counted,
    ListedInvoice,
    SyncStatus,
    count_invoices_by_state,
    list_invoices,
)
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_time
from caspen_xero.store.xero_payments import PULLED_AT
from caspen_xero.sync.fix_commands import naming_its_own
from caspen_xero.sync.planning.bad_records import problem_of_known, problem_of_lone, subject_of
from caspen_xero.sync.problems import DIFFERENCES, Problem, ProblemCode, kept_code
from caspen_xero.sync.pulling.drift import Drift, find_drift
from caspen_xero.sync.setup.candidates import Candidates
from caspen_xero.sync.setup.settings import Settings

_SAYS_MORE: Mapping[ProblemCode, tuple[ProblemCode, ...]] = {
    ProblemCode.EDITED_IN_XERO: (
        ProblemCode.CHANGED_IN_XERO,
        ProblemCode.CHANGED_AFTER_PAYMENT,
        ProblemCode.TOTALS_DIFFER,
        ProblemCode.NOT_AS_SENT,
        ProblemCode.LINKED_WITH_DIFFERENCES,
    ),
    ProblemCode.CREDIT_GONE_IN_XERO: (
        ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO,
        ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO,
        ProblemCode.CREDIT_NOTE_CHANGED,
    ),
}
"""Problems by which a push tells more of a difference than the figures of both sides do: one of them is enough."""
_LOOKED_AT: tuple[SyncStatus, ...] = ("synced", "unsynced", "pending")
"""The states, by the records alone, in which a bad record makes an invoice unsynced."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with one invoice: a problem, or a difference between the two sides.

    `key` stays the same from run to run while the same is wrong in the same way. `subject` is the part that it is about; "" for the
    invoice itself. `choices`: the answers that are possible, where the fix is a command that asks. Times are ISO 8601 in UTC.
    """

    invoice: ListedInvoice
    code: ProblemCode
    subject: str
    reason: str
    fix: str
    key: str
    xero_says: str | None = None
    attempts: int = 0
    first_failed_at: str | None = None
    last_tried_at: str | None = None
    choices: Sequence[Choice] = ()

    @property
    def invoice_id(self) -> str:
        """The Caspen invoice's id."""
        return self.invoice.invoice_id

    @property
    def number(self) -> str | None:
        """The invoice's number."""
        return self.invoice.number

    @property
    def client(self) -> str:
        """The client's name."""
        return self.invoice.client

    @property
    def is_difference(self) -> bool:
        """Whether the invoice is in Xero, and this is not equal there."""
        return self.code in DIFFERENCES


@dataclass(frozen=True)
class Books:
    """How all invoices stand. `troubles`: what is wrong, oldest invoice first; `accepted`: differences that a person has accepted;
    `waiting`: payments that the next pull tells Caspen of.

    `seen_at`: when Xero was last looked at as a whole (UTC), if ever; `some_sent_since`: whether anything was linked after
    that. `differences`: all on which the two sides differ, as `drift` shows it, but for what is accepted; `information`: what a
    bookkeeper has decided in Xero, where it stays. `overlay`: the states of invoices that are in another one than the records
    alone say; `by_records` counts by these alone, and `moved` is the rest.
    """

    troubles: Sequence[Trouble]
    accepted: Sequence[Trouble]
    waiting: Sequence[Trouble]
    differences: Sequence[Drift]
    information: Sequence[Drift]
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
    kept = store_problems.problems(mappings) if mappings else []
    drift = find_drift(mappings, settings) if mappings else []
    bad = bad_records_on(store)
    differing = [one for one in drift if one.problem is not None and one.invoice_id is not None]
    concerned = {*(row["invoice_id"] for row in kept), *bad, *(one.bad.id for one in lone)}
    concerned |= {one.invoice_id or "" for one in differing}
    invoices = {
        one.invoice_id: one for one in list_invoices(store, mappings, settings.start_date, concerned) if concerned
    }
    found = [
        *_of_problems(kept, invoices, differing, Candidates(store, mappings)),
        *_of_bad_records(store, settings, invoices, {(row["invoice_id"], row["subject"]) for row in kept}),
        *_of_differences(differing, invoices, kept),
    ]
    names = InvoiceNames(store)
    found = [_named(one, names) for one in found if one.invoice.sync_status != "skipped"]
    found.sort(key=lambda one: (str(one.invoice.issue_date or ""), one.number or "", one.invoice_id, one.code))
    waiting = [one for one in found if one.code is ProblemCode.NOT_IN_CASPEN_YET]
    found = [one for one in found if one.code is not ProblemCode.NOT_IN_CASPEN_YET]
    content = store_accepted.accepted(mappings) if mappings else set()
    troubles = [one for one in found if one.key not in content]
    overlay: dict[str, SyncStatus] = {one.invoice_id: "pending" for one in waiting}
    overlay |= _overlay(found, troubles) | {one.bad.id: invoices[one.bad.id].sync_status for one in lone}
    moved = Counter(overlay.values())
    moved.subtract(_by_records_alone(store, overlay, invoices, {one.bad.id for one in lone}))
    seen_at = utc_time(mappings.setting(PULLED_AT)) if mappings else None
    content_with = [one for one in found if one.key in content]
    left = {(one.invoice_id, one.code, one.subject) for one in content_with}
    left -= {(one.invoice_id, one.code, one.subject) for one in troubles}
    differences = [
        one for one in drift if not one.is_information and (one.invoice_id, one.problem, one.subject) not in left
    ]
    fixes = {(one.invoice_id, one.code): one.fix for one in troubles}
    differences = [
        _with_the_fix_of(one, fixes)
        for one in differences
        if one.code != "figures-differ" or (one.invoice_id, ProblemCode.TOTALS_DIFFER) not in fixes
    ]
    shown = {(one.invoice_id, one.problem) for one in differences}
    differences += [_as_drift(one) for one in troubles if one.is_difference and (one.invoice_id, one.code) not in shown]
    return Books(
        troubles=troubles,
        accepted=content_with,
        waiting=waiting,
        differences=differences,
        information=[one for one in drift if one.is_information],
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


def _overlay(found: Iterable[Trouble], troubles: Iterable[Trouble]) -> dict[str, SyncStatus]:
    """The states of invoices of which something is wrong; one with nothing but accepted differences still differs."""
    states: dict[str, SyncStatus] = {one.invoice_id: "differs" for one in found}
    return states | {one.invoice_id: "unsynced" for one in troubles if not one.is_difference}


def _named(trouble: Trouble, names: InvoiceNames) -> Trouble:
    """The same, with commands that name its invoice and no other."""

    def rightly(text: str) -> str:
        return naming_its_own(harmless(text), trouble.invoice_id, names)

    return replace(trouble, reason=rightly(trouble.reason), fix=rightly(trouble.fix))


def _key(*parts: str) -> str:
    """What two of the same have in common, without any text of theirs."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _key_of(one: Drift) -> str:
    """What a difference is known by: of a payment that is gone, which one it is, else what each side has."""
    words = () if one.problem is ProblemCode.PAYMENT_REMOVED_IN_XERO else (one.caspen, one.xero)
    return _key(one.problem or one.code, one.invoice_id or "", one.subject, *words)


def _with_the_fix_of(one: Drift, fixes: Mapping[tuple[str, ProblemCode], str]) -> Drift:
    """A difference of which a problem tells more, with the way out of that (`fixes`: by invoice id and code)."""
    more = _SAYS_MORE.get(one.problem, ()) if one.problem else ()
    known = [fixes[key] for code in more if (key := (one.invoice_id or "", code)) in fixes]
    return replace(one, fix=known[0]) if known else one


def _as_drift(trouble: Trouble) -> Drift:
    """A difference that only a push has found, as `drift` shows it."""
    told = (trouble.number, trouble.invoice_id, str(trouble.code), "as it was sent", trouble.reason)
    return Drift(*told, trouble.first_failed_at, trouble.fix, trouble.subject, trouble.code)


def _of_problems(
    kept: Sequence[Mapping[str, Any]],
    invoices: Mapping[str, ListedInvoice],
    differing: Sequence[Drift],
    candidates: Candidates,
) -> list[Trouble]:
    """What pushes have found wrong; a difference that both sides' figures show anyway is told by these."""
    shown = {(one.invoice_id, one.problem) for one in differing if one.problem in DIFFERENCES}
    return [
        Trouble(
            invoices[row["invoice_id"]],
            kept_code(row["code"]),
            row["subject"],
            now["reason"],
            now["fix"],
            _key(row["code"], row["invoice_id"], row["subject"], row["reason"] if row["code"] in DIFFERENCES else ""),
            row["xero_says"],
            row["attempts"],
            row["first_failed_at"],
            row["last_tried_at"],
            now["choices"],
        )
        for row in kept
        if row["invoice_id"] in invoices and (row["invoice_id"], row["code"]) not in shown
        for now in [candidates.as_of_now(row)]
    ]


def _of_bad_records(
    store: Store, settings: Settings, invoices: Mapping[str, ListedInvoice], known: set[tuple[str, str]]
) -> list[Trouble]:
    """Bad records that concern invoices, which no push has noted yet (`known`), or that are all that there is of one."""
    lone = {one.bad.id for one in lone_invoices(store, settings.start_date)}
    problems = [
        problem_of_lone(bad, invoice_id, settings.source)
        if invoice_id in lone
        else problem_of_known(bad, invoice_id, invoices[invoice_id].number, settings.source)
        for invoice_id, some in bad_records_on(store, invoices).items()
        if invoices[invoice_id].sync_status in _LOOKED_AT
        for bad in some
        if (invoice_id, subject_of(bad)) not in known
    ]
    return [_of_problem(one, invoices[one.invoice_id]) for one in problems]


def _of_problem(problem: Problem, invoice: ListedInvoice) -> Trouble:
    key = _key(problem.code, problem.invoice_id, problem.subject, "")
    return Trouble(invoice, problem.code, problem.subject, problem.reason, problem.fix, key)


def _of_differences(
    differing: Sequence[Drift], invoices: Mapping[str, ListedInvoice], kept: Sequence[Mapping[str, Any]]
) -> list[Trouble]:
    """What is not equal on the two sides, and was not told by a problem that says more of it."""
    tried = {(row["invoice_id"], row["code"]): row for row in kept}
    found = list[Trouble]()
    alike: defaultdict[tuple[str, ProblemCode, str], list[Drift]] = defaultdict(list)
    for one in differing:
        alike[one.invoice_id or "", one.problem or ProblemCode.EDITED_IN_XERO, one.subject].append(one)
    for (invoice_id, code, subject), some in alike.items():
        say_more = _SAYS_MORE.get(code, ()) if code in DIFFERENCES else (code,)
        if invoice_id not in invoices or any((invoice_id, more) in tried for more in say_more):
            continue
        one, keys, row = some[0], [_key_of(each) for each in some], tried.get((invoice_id, code))
        is_alone = sum(other.problem is code and other.invoice_id == invoice_id for other in differing) == 1
        edits = [each for each in some if each.code == "invoice-edited-in-xero"]
        told = [each for each in some if each.code != "figures-differ" or not _tells_the_total(edits, each)]
        reason = "; ".join(f"in Caspen: {each.caspen}; in Xero: {each.xero}" for each in told)
        if row and is_alone:  # a push says why, and mostly with both figures
            reason = f"{row['reason']} ({reason})" if code is ProblemCode.VOIDED_IN_XERO else row["reason"]
        found.append(
            Trouble(
                invoices[invoice_id],
                code,
                subject,
                reason,
                one.fix,
                keys[0] if len(keys) == 1 else _key(*keys),
                row["xero_says"] if row else None,
                row["attempts"] if row else 0,
                row["first_failed_at"] if row else one.seen_at,
                row["last_tried_at"] if row else None,
            )
        )
    return found


def _tells_the_total(edits: Sequence[Drift], figures: Drift) -> bool:
    """Whether an edit names the total that Xero has, so that the figures say nothing more."""
    return any(figures.xero.rpartition(", ")[2] in edit.xero for edit in edits)
