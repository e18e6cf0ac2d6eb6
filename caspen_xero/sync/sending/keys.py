"""Whether Xero surely still knows a write's idempotency key, so that the same bytes may go again: in doubt it does not.

Xero keeps a key for six minutes from the first request. How long ago that went out is judged by all clocks, and the longest
counts: Xero's own, as its answers tell it; within one run a clock that nobody sets; and this machine's, which alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from caspen_xero.store import journal as rows
from caspen_xero.store.journal import Entry
from caspen_xero.store.mappings import Mappings
from caspen_xero.xero.clock import XeroClock

REPLAY_AGE = timedelta(minutes=5)
_SINCE_NOTED = 1.0


class Forgotten(Exception):
    """Xero may have forgotten the key: nothing was sent."""


class Key:
    """The key of one write in the journal. `is_new`: noted just now, and not sent yet; else an earlier run may have sent it."""

    def __init__(
        self, mappings: Mappings, entry: Entry, clock: XeroClock, now: Callable[[], datetime], *, is_new: bool
    ) -> None:
        self._mappings, self._entry, self._clock, self._now = mappings, entry, clock, now
        self._first_sent: float | None = clock.steady() if is_new else None

    def goes_first(self) -> None:
        """Called right before each request of a first try: one that is sent again has certainly done nothing before."""
        moment = self._clock.steady()
        if self._first_sent is None or moment - self._first_sent > _SINCE_NOTED:
            self._first_sent = moment
            self._note(self._now())

    def goes_again(self) -> None:
        """Called right before each request of a later try. Raises `Forgotten`."""
        if not self.is_known():
            raise Forgotten

    def note_time(self) -> None:
        """Keeps when the first try was by Xero's clock, once an answer has told the time."""
        if self._entry.first_sent_at_xero is None and self._first_sent is not None:
            self._note(self._entry.first_sent_at)

    @property
    def is_dated(self) -> bool:
        """Whether it is known when the first try was by Xero's clock."""
        return self._entry.first_sent_at_xero is not None

    @property
    def needs_time(self) -> bool:
        """Whether only an answer of this run can tell how old the key is."""
        heard = self._clock.at_most(self._clock.steady()) is not None
        return self.is_dated and not heard and self._now() - self._entry.first_sent_at < REPLAY_AGE

    def is_known(self) -> bool:
        """Whether Xero surely still knows the key; a DELETE has none."""
        age = self._age()
        return self._entry.method != "DELETE" and age is not None and age < REPLAY_AGE

    def _age(self) -> timedelta | None:
        """How long ago the first request went out, at the most; None where no clock proves it."""
        moment, first = self._clock.steady(), self._entry.first_sent_at_xero
        xero_now = self._clock.at_most(moment)
        proven = []
        if self._first_sent is not None:
            proven.append(timedelta(seconds=moment - self._first_sent))
        if first is not None and xero_now is not None and xero_now >= first:
            proven.append(xero_now - first)
        return max(*proven, self._now() - self._entry.first_sent_at) if proven else None

    def _note(self, first_sent_at: datetime) -> None:
        assert self._first_sent is not None
        xero_time = self._clock.at_least(self._first_sent)
        if (first_sent_at, xero_time) != (self._entry.first_sent_at, self._entry.first_sent_at_xero):
            self._entry = rows.sent_first(self._mappings, self._entry, first_sent_at, xero_time)
