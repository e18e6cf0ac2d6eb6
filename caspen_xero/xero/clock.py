"""What time it is at Xero, as its answers tell it: between two bounds, for an answer says only when it was given.

This machine's own clock proves nothing about Xero's: it may be wrong, and be set in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from caspen_xero.xero.errors import spoken_time

CLOCKS_APART = timedelta(minutes=2)
"""Beyond this a person is told that this machine's clock and Xero's differ."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(2000, 9000)  # an empty time is written as one of the year 1
_RESOLUTION = 1.0  # a Date header counts whole seconds


def steady() -> float:
    """Seconds of a clock that nobody sets and that goes on while the machine is suspended, where there is one."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # Linux; macOS, where time.monotonic stops
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()


class XeroClock:
    """Xero's time as its answers told it in this run. `steady` counts the seconds since; `now` is this machine's time (UTC)."""

    def __init__(
        self,
        *,
        steady: Callable[[], float] = steady,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.steady, self._now = steady, now
        self.machine_ahead: timedelta | None = None
        """How far this machine's clock was ahead of Xero's at the last answer (behind: below zero); None before one told."""
        self._least: float | None = None
        self._most: float | None = None

    def heard(self, told: datetime | None, asked_at: float) -> None:
        """Takes note of an answer that has just come, to a request that went out at `asked_at` of the steady clock.

        Of several that disagree (a proxy's own page may tell another time) each bound keeps the widest.
        """
        if told is None or told.year not in _YEARS:
            return
        seconds, answered_at = (told - _EPOCH).total_seconds(), self.steady()
        least, most = seconds - answered_at, seconds + _RESOLUTION - asked_at
        self._least = least if self._least is None else min(self._least, least)
        self._most = most if self._most is None else max(self._most, most)
        self.machine_ahead = self._now() - told - timedelta(seconds=(answered_at - asked_at) / 2)

    def now(self) -> datetime:
        """Xero's time, at the latest; this machine's before an answer told the time."""
        return self.at_most(self.steady()) or self._now()

    def at_least(self, moment: float) -> datetime | None:
        """Xero's time at a moment of the steady clock, at the earliest; None before an answer told the time."""
        return None if self._least is None else _EPOCH + timedelta(seconds=self._least + moment)

    def at_most(self, moment: float) -> datetime | None:
        """The same, at the latest."""
        return None if self._most is None else _EPOCH + timedelta(seconds=self._most + moment)


def clocks_apart(machine_ahead: timedelta) -> str:
    """How this machine's clock stands beside Xero's: "7 minutes ahead of Xero's"."""
    if abs(machine_ahead) < timedelta(seconds=2):
        return "the same as Xero's"
    side = "ahead of" if machine_ahead > timedelta() else "behind"
    return f"{spoken_time(abs(machine_ahead).total_seconds())} {side} Xero's"
