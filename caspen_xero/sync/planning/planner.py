"""One plan in the making: the snapshot, what was decided so far, and the ways to add to it. Pure: it changes only itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.store.holds import Hold
from caspen_xero.sync.planning import checks, ways_out
from caspen_xero.sync.planning.accepting import key_of
from caspen_xero.sync.planning.compare import text_of
from caspen_xero.sync.planning.lock_dates import booking_of, locked
from caspen_xero.sync.planning.plan import Decided, Plan, Stage
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import Booking, Expected, Step, StepKind
from caspen_xero.sync.planning.translations import Translations
from caspen_xero.sync.problems import ABOUT_DOCUMENTS, Problem, ProblemCode, kept_code

NOTHING = Expected()


class Planner:
    """One plan in the making.

    `decided` goes on from the plan of other invoices where nothing is carried out in between. `stages`: how far each invoice has
    come; `promised`: what this plan pays on an invoice; `adopting`: the keys of the payments that it links, by Xero id.
    """

    def __init__(self, snapshot: Snapshot, translations: Translations, decided: Decided | None = None) -> None:
        self.snapshot, self.translations = snapshot, translations
        self.plan = Plan(decided=decided.for_another() if decided else Decided())
        self.terms = checks.terms(snapshot)
        self.contact_ids, self.contact_problems = self.plan.decided.contact_ids, self.plan.decided.contact_problems
        self.given, self.deleting = self.plan.decided.given, self.plan.decided.deleting
        self.stages: dict[str, Stage] = {}
        self.promised: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.adopting: dict[str, str] = {}

    def ask(
        self,
        state: InvoiceState,
        what: Literal["invoices", "credits", "deleted", "payments", "credit_notes"],
        xero_id: str,
    ) -> None:
        """Asks for something in Xero before more is said of an invoice; that this run could not read it is said."""
        asked: set[str] = getattr(self.plan.asks, what)
        asked.add(xero_id)
        self._unreadable(state, self.snapshot.looks.odd.get((what, xero_id)))

    def add(
        self,
        state: InvoiceState,
        kind: StepKind,
        *,
        detail: str,
        body: dict[str, Any] | None,
        expected: Expected = NOTHING,
        caspen_id: str | None = None,
        number: str | None = None,
        target: str = "",
        other: str = "",
        invoice_id: str | None = None,
        booking: Booking | None = None,
    ) -> bool:
        """Adds a step that belongs to an invoice: this one, or the one that a payment is taken from; gives whether it did.

        `booking`: what lock dates say of a payment or credit note; of the invoice itself that is known. Where Xero's answer to such
        a step can't be read, it is not added: whether it is done nobody knows.
        """
        unknown = self.snapshot.unsettled.get((kind, caspen_id or state.invoice.id))
        if unknown is not None:
            self._unreadable(state, unknown, subject=kind)
            return False
        self.plan.steps.append(
            Step(
                kind=kind,
                caspen_id=caspen_id or state.invoice.id,
                invoice_id=invoice_id or state.invoice.id,
                number=number or state.invoice.number,
                detail=detail,
                body=body,
                expected=expected,
                depends_on=self.depends_on(state),
                target=target,
                other=other,
                booking=booking or booking_of(state, kind, self.snapshot),
            )
        )
        return True

    def keep_unreadable(self, state: InvoiceState) -> None:
        """Keeps what was said of an invoice that could not be read, till it can: so it is read once more."""
        why = self.snapshot.unreadable.get(state.invoice.id)
        if why is not None and state.link is not None and state.link.xero_id not in self.snapshot.looks.invoices:
            self.ask(state, "invoices", state.link.xero_id)
            self._unreadable(state, why)

    def _unreadable(self, state: InvoiceState, why: str | None, subject: str = "") -> None:
        told = {(one.code, one.subject) for one in self.plan.problems.get(state.invoice.id, ())}
        if why is not None and (ProblemCode.UNREADABLE_IN_XERO, subject) not in told:
            self.problem(state, ProblemCode.UNREADABLE_IN_XERO, why, subject=subject)

    def depends_on(self, state: InvoiceState) -> str:
        """What a hold on a step of this invoice depends on, as far as we can know: the invoice and the settings."""
        return f"{state.touched}.{self.snapshot.settings_number}"

    def problem(
        self,
        state: InvoiceState,
        code: ProblemCode,
        reason: str,
        fix: str = "",
        *,
        subject: str = "",
        xero_says: str | None = None,
        attempts: int | None = None,
        about: str | None = None,
    ) -> None:
        """Adds a problem of an invoice; without a `fix` of its own with the way out of its kind.

        `about`: by what it is known that a person may be content with, where that does not follow from its code.
        """
        fix = ways_out.fix_or_way_out(fix, code, ways_out.about(state, self.snapshot), attempts)
        about = _about(state, code, subject) if about is None else about
        self.plan.problems[state.invoice.id].append(
            Problem(code, state.invoice.id, reason, fix, subject, xero_says, attempts, about)
        )

    def found(
        self,
        state: InvoiceState,
        kind: StepKind,
        code: ProblemCode,
        reason: str,
        fix: str = "",
        *,
        caspen_id: str | None = None,
        about: Iterable[str] = (),
    ) -> None:
        """Adds a problem that a look into Xero has shown; it stays until something changes or it is time to look again.

        `about`: the Xero ids of what a person is asked about.
        """
        id_ = caspen_id or state.invoice.id
        depends_on = self._depends_on_both(state) if code in ABOUT_DOCUMENTS else self.depends_on(state)
        self.plan.holds.append(Hold(kind, id_, code, reason, fix, depends_on, about=" ".join(about)))
        self.problem(state, code, reason, fix, subject=_subject(state, id_))

    def is_locked(
        self, state: InvoiceState, booking: Booking, caspen_id: str | None = None, *, seen_for: StepKind | None = None
    ) -> bool:
        """Whether a lock date is known to keep this from being booked; then that is the problem.

        `seen_for`: the step that it took a look into Xero to know that of; it is held until the lock dates are others.
        """
        id_ = caspen_id or state.invoice.id
        found = locked(state, booking, self.snapshot, _subject(state, id_))
        self.plan.problems[state.invoice.id] += found
        if found and seen_for is not None:
            why, depends_on = found[0], self._depends_on_locks(state)
            self.plan.holds.append(Hold(seen_for, id_, why.code, why.reason, why.fix, depends_on, why.xero_says))
        return bool(found)

    def held(self, state: InvoiceState, kind: StepKind, caspen_id: str | None = None) -> bool:
        """Whether this step is held as things stand; then that is the problem, and it is not sent yet."""
        held = self.hold_on(state, kind, caspen_id)
        if held is None:
            return False
        self.problem(
            state,
            kept_code(held.code),
            held.reason,
            held.fix,
            subject=_subject(state, caspen_id or state.invoice.id),
            xero_says=held.xero_says,
            attempts=held.attempts,
        )
        return True

    def hold_on(self, state: InvoiceState, kind: StepKind, caspen_id: str | None = None) -> Hold | None:
        """The hold on this step, if it still stands."""
        held = self.snapshot.holds.get((kind, caspen_id or state.invoice.id))
        stands_by = (self.depends_on(state), self._depends_on_locks(state), self._depends_on_both(state))
        return held if held is not None and held.depends_on in stands_by else None

    def _depends_on_both(self, state: InvoiceState) -> str:
        """The same, and what Xero shows of the invoice."""
        return f"{self.depends_on(state)}.{state.link.shown if state.link else None}"

    def _depends_on_locks(self, state: InvoiceState) -> str:
        known = self.snapshot.facts.organisation
        return f"{self.depends_on(state)}.{known.period_lock_date}.{known.end_of_year_lock_date}"


def _about(state: InvoiceState, code: ProblemCode, subject: str) -> str:
    """The key of what is not equal on the two sides: the two documents, or a credit note and what is credited in Xero."""
    if code in ABOUT_DOCUMENTS:
        return state.document_key
    if code is not ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO:
        return ""
    totals = [text_of(note.total) for note in state.credit_notes if note.id == subject]
    return key_of(code, state.invoice.id, subject, *totals, text_of(state.link.amount_credited if state.link else None))


def _subject(state: InvoiceState, caspen_id: str) -> str:
    return "" if caspen_id == state.invoice.id else caspen_id
