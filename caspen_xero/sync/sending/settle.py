"""What an answer means: a step is done and recorded, or refused and held. After an answer, a crash or a look-up it is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from caspen_xero.outside_text import plain
from caspen_xero.store import holds, seen_invoices
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.kept import NotKept
from caspen_xero.sync.planning.steps import ExpectedContact, Step
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.refusal_codes import code_of
from caspen_xero.sync.sending.steps import Write, specification, write_of
from caspen_xero.xero.answers import Answered
from caspen_xero.xero.dealings import credits_on
from caspen_xero.xero.documents import CreditNote, Invoice
from caspen_xero.xero.elements import Element

JUST_NOW = timedelta(minutes=2)
"""How far the time of an answer and the `UpdatedDateUTC` of what it has made may lie apart, both by Xero's clock."""


@dataclass(frozen=True)
class Outcome:
    """How one step ended."""

    state: Literal["done", "refused"]
    xero_id: str | None
    message: str | None = None
    warnings: Sequence[str] = ()


class Settler:
    """Settles steps, and counts what was done and refused, as sets of Caspen ids by kind of step.

    `made`: of what was done, the documents that this process has made itself, by an answer that says so; nobody can have done
    anything to these yet. `warnings`: what others have edited in documents of ours that were found by a look. `warned`: how
    many documents Xero has taken with a warning that means something.
    """

    def __init__(self, mappings: Mappings, now: Callable[[], datetime]) -> None:
        self.mappings, self.now = mappings, now
        self.records = Records(mappings, now)
        self.done: defaultdict[str, set[str]] = defaultdict(set)
        self.refused: defaultdict[str, set[str]] = defaultdict(set)
        self.made: defaultdict[str, set[str]] = defaultdict(set)
        self.warnings: list[str] = []
        self.warned = 0

    def settle(self, step: Step, answered: Answered[Element], at: datetime | None = None) -> Outcome:
        """Settles one step by its element of an answer.

        `at`: when Xero answered, by its own clock, if that is the answer to the first try of this write; one that is repeated may
        be an old answer played back.
        """
        words = _refusal(step, answered)
        if words is not None:
            self.refuse(step, words)
            return Outcome("refused", None, " ".join(words), answered.warnings)
        document = answered.shown or answered.document
        invoice_id, changed_at = step.invoice_id or "", write_of(step.kind).leaves_invoice_at(answered.document)
        if at is None or changed_at != write_of(step.kind).leaves_invoice_at(document):  # somebody was there in between
            at = None
            seen_invoices.look_again(self.mappings, invoice_id)
        elif changed_at is not None:
            self.mappings.only_we_changed(invoice_id, changed_at)
        lost = _not_kept(step, answered.document)
        if answered.shown is not None:
            lost = [one for one in _not_kept(step, answered.shown) if one in lost or one.is_left_out]
        outcome = self._record(step, document, lost, answered.warnings)
        if answered.shown is not None and not lost:
            self._tell_edits(step, document)
        self.warned += any(not is_harmless(words) for words in answered.warnings)
        if at is not None and write_of(step.kind).makes_document and _is_new(answered.document, at):
            self.made[step.kind].add(step.caspen_id)
            if changed_at is not None:
                self.mappings.only_we_changed(invoice_id, changed_at, is_new=True)
        return outcome

    def found(self, step: Step, document: Element) -> Outcome:
        """Settles one step by the document that stands in Xero for it: what it shows by now need not be what we wrote."""
        differ = _not_kept(step, document)
        left_out = [one for one in differ if one.is_left_out]
        outcome = self._record(step, document, left_out)
        if left_out == differ and left_out:  # that was not somebody's edit
            return outcome
        self._tell_edits(step, document)
        return outcome

    def _tell_edits(self, step: Step, document: Element) -> None:
        """What others have edited in a document since it was sent stays, and is said; what is held for it is said there."""
        edits = specification(step.kind).keep_as_sent(self.records, step, document)
        if edits and not any(key == step.caspen_id for _, key in self.records.held):
            name = plain(step.expected.name if isinstance(step.expected, ExpectedContact) else step.number)
            self.warnings.append(
                f"{name}: somebody has edited it in Xero after it was sent ({edits}); that is left as it is."
            )

    def _record(self, step: Step, document: Element, lost: Sequence[NotKept], warnings: Sequence[str] = ()) -> Outcome:
        """`lost`: what of it Xero did not keep, and `warnings` what it said of that."""
        name = (step.kind, step.caspen_id)
        self.records.held.discard(name)
        xero_id = specification(step.kind).record(self.records, step, document)
        if lost:
            self.warnings += write_of(step.kind).keep_lost(self.records, step, document, lost, warnings)
        self.done[step.kind].add(step.caspen_id)
        if name not in self.records.held:  # done, but not as asked: that is not to be tried again at once
            holds.release(self.mappings, step.kind, [step.caspen_id])
        return Outcome("done", xero_id, warnings=warnings)

    def refuse(self, step: Step, words: Sequence[str]) -> None:
        """Holds a step that Xero has refused, in Xero's words."""
        self.refused[step.kind].add(step.caspen_id)
        said = " ".join(words)
        code, reason = code_of(step.kind, words), f"Xero refused: {said}"
        mends = code in (ProblemCode.ACCOUNT_REFUSED, ProblemCode.TAX_RATE_REFUSED, ProblemCode.XERO_REFUSED)
        fix = write_of(step.kind).way_out(step) if mends else ""
        held = Hold(step.kind, step.caspen_id, code, reason, fix, step.depends_on, said)
        self.records.keep_hold(held)


def _not_kept(step: Step, document: Element) -> list[NotKept]:
    """What a document shows otherwise than the step has written it."""
    own = specification(step.kind)
    return own.not_kept(step.body, document) if isinstance(own, Write) and step.body else []


def is_harmless(warning: str) -> bool:
    """Whether Xero's words are about a mark that we never send (`SentToContact`): nothing of ours is lost."""
    return "SentToContact" in warning


def _is_new(found: Element, at: datetime) -> bool:
    """Whether an answer of that time shows a document that was made just now, and that nobody has paid or credited."""
    if not isinstance(found, Invoice | CreditNote) or found.updated_date_utc is None:
        return False
    if isinstance(found, CreditNote):
        is_used = bool(found.allocations)
    else:
        is_used = bool(found.payments or credits_on(found) or found.amount_paid or found.amount_credited)
    return not is_used and abs(at - found.updated_date_utc) <= JUST_NOW


def _refusal(step: Step, answered: Answered[Element]) -> list[str] | None:
    """Xero's words where an element of an answer is a refusal, else None."""
    write = write_of(step.kind)
    if answered.is_refused or not write.has_id(answered.document):
        return answered.messages or ["Xero refused it without a reason."]
    return (answered.messages or None) if answered.has_errors or write.id_field is None else None
