"""How far a push has come: an invoice is done once nothing of it is left to send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from caspen_xero.progress import Progress
from caspen_xero.sync.planning.steps import Step


class HowFar:
    """Counts the invoices of a push that are done, slice by slice, and tells of it after each step."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell
        self._all = self._before = self._documents = 0
        self._in_slice: Sequence[str] = ()
        self._left, self._sent = Counter[str](), Counter[str]()

    def begins(self, number: int, done: int = 0) -> None:
        """So many invoices are to do, in all, of which so many are done."""
        self._all, self._before = number, done
        self._takes(())

    def takes(self, invoice_ids: Sequence[str]) -> None:
        """A slice begins; the one before is done."""
        self._before += len(self._in_slice)
        self._takes(invoice_ids)

    def planned(self, steps: Iterable[Step]) -> None:
        """All that is left to send of the slice."""
        self._left = Counter(step.invoice_id for step in steps if step.invoice_id)
        self._now()

    def sent(self, steps: Sequence[Step]) -> None:
        """These were sent, and what came of them is known."""
        self._documents += len(steps)
        self.settled(steps)

    def settled(self, steps: Iterable[Step]) -> None:
        """These are no longer left to send."""
        ids = Counter(step.invoice_id for step in steps if step.invoice_id)
        self._left -= ids
        self._sent += ids
        self._now()

    def ends(self) -> None:
        """The last slice is done too."""
        self.takes(())

    def _takes(self, invoice_ids: Sequence[str]) -> None:
        self._in_slice = invoice_ids
        self._left, self._sent = Counter(dict.fromkeys(invoice_ids, 1)), Counter()
        self._now()

    def _now(self) -> None:
        open_ones = [id_ for id_ in self._in_slice if self._left[id_]]
        begun = sum(self._sent[id_] / (self._sent[id_] + self._left[id_]) for id_ in open_ones)
        self._tell(self._before + len(self._in_slice) - len(open_ones), self._all, begun=begun, sent=self._documents)
