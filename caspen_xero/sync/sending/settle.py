"""What an answer means: a step is done and recorded, or refused and held. After an answer, a crash or a look-up it is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.steps import Step
from caspen_xero.sync.problems import code_of
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.steps import specification, write_of
from caspen_xero.xero.answers import Answered
from caspen_xero.xero.documents import Element


@dataclass(frozen=True)
class Outcome:
    """How one step ended."""

    state: Literal["done", "refused"]
    xero_id: str | None
    message: str | None = None


class Settler:
    """Settles steps, and counts what was done and refused, as sets of Caspen ids by kind of step."""

    def __init__(self, mappings: Mappings, now: Callable[[], datetime]) -> None:
        self.mappings, self.now = mappings, now
        self.records = Records(mappings, now)
        self.done: defaultdict[str, set[str]] = defaultdict(set)
        self.refused: defaultdict[str, set[str]] = defaultdict(set)

    def settle(self, step: Step, answered: Answered[Element]) -> Outcome:
        """Settles one step by its element of an answer."""
        words = _refusal(step, answered)
        if words is not None:
            self.refuse(step, words)
            return Outcome("refused", None, " ".join(words))
        return self.found(step, answered.document)

    def found(self, step: Step, document: Element) -> Outcome:
        """Settles one step by the document that stands in Xero for it."""
        name = (step.kind, step.caspen_id)
        self.records.held.discard(name)
        xero_id = specification(step.kind).record(self.records, step, document)
        self.done[step.kind].add(step.caspen_id)
        if name not in self.records.held:  # done, but not as asked: that is not to be tried again at once
            holds.release(self.mappings, step.kind, [step.caspen_id])
        return Outcome("done", xero_id)

    def refuse(self, step: Step, words: Sequence[str]) -> None:
        """Holds a step that Xero has refused, in Xero's words."""
        self.refused[step.kind].add(step.caspen_id)
        said = " ".join(words)
        code, reason = code_of(step.kind, words), f"Xero refused: {said}"
        held = Hold(step.kind, step.caspen_id, code, reason, depends_on=step.depends_on, xero_says=said)
        self.records.keep_hold(held)


def _refusal(step: Step, answered: Answered[Element]) -> list[str] | None:
    """Xero's words where an element of an answer is a refusal, else None."""
    write = write_of(step.kind)
    if answered.is_refused or not write.has_id(answered.document):
        return answered.messages or ["Xero refused it without a reason."]
    return (answered.messages or None) if answered.has_errors or write.id_field is None else None
