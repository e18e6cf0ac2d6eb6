"""Staying inside Xero's limits without being told off.

Xero counts calls per app and organisation in fixed windows of a minute, and says in `X-MinLimit-Remaining` how many
are left, but says when the window ends only with a 429 (`Retry-After`, in whole seconds, read here as rounded up).
So the first time that nothing is left, one more call goes out to learn the end. After that the end of each window is
known from its first call: no window outlasts that call's answer by more than a window's length, whether windows follow
the clock or open with the first call after the last one (UNCONFIRMED which). Source: Xero's limits page; a recorded 429.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from caspen_xero.xero.codec import parse_header_date
from caspen_xero.xero.errors import LimitReached

XERO_WINDOW = 60.0
"""Length of Xero's minute window in seconds."""

LONGEST_HINT = 86_400.0
"""Seconds. No limit of Xero's lasts longer than a day, whatever an answer says."""

_WITHOUT_A_HINT = 10.0
_SECONDS = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_CALLS = re.compile(r"\d{1,9}", re.ASCII)


class Pace:
    """When the next call may go. Times are seconds of `clock`; `window` is the window's length where it is known."""

    def __init__(self, *, window: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._window = window
        self._outlasts: float | None = None
        self._first_answered: float | None = None
        self._ends: float | None = None
        self._remaining: int | None = None
        self._day_remaining: int | None = None

    @property
    def left_today(self) -> int | None:
        """How many calls of the day's limit are left, as the last answer said; None where none has said it."""
        return self._day_remaining

    def delay(self) -> float:
        """Seconds to wait before the next call. Raises `LimitReached` where the day's calls are used up."""
        if self._day_remaining == 0:
            raise LimitReached("day")
        if self._remaining != 0 or self._ends is None:
            return 0.0
        return max(0.0, self._ends - self.clock())

    def answered(self, headers: Mapping[str, str]) -> None:
        """Takes note of an answer that has just come, other than a 429."""
        self._day_remaining = _whole(headers, "X-DayLimit-Remaining", self._day_remaining)
        remaining = _whole(headers, "X-MinLimit-Remaining", None)
        if remaining is None:
            return
        # Each call takes one away: as many as before, or more, means that a new window has opened.
        if self._remaining is None or remaining >= self._remaining:
            began_unseen = self._remaining is None
            self._first_answered = self.clock()
            self._ends = None if began_unseen or self.window is None else self._first_answered + self.window
        self._remaining = remaining

    def refused(self, sent: float, retry_after: float | None) -> float:
        """Takes note of a 429 of the minute limit to the call of time `sent`; gives the seconds to wait."""
        self._remaining = 0
        wait = _WITHOUT_A_HINT if retry_after is None else max(1.0, retry_after)
        self._ends = self.clock() + wait
        if retry_after is not None and self._first_answered is not None:
            lasted = sent + wait - 1 - self._first_answered
            self._outlasts = max(lasted, self._outlasts or 0.0)
        return wait

    @property
    def window(self) -> float | None:
        """The window's length in seconds: the shortest whole number that agrees with every 429; None before the first."""
        if self._window is not None or self._outlasts is None:
            return self._window
        return min(XERO_WINDOW, math.floor(self._outlasts) + 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After`, a number or a date, up to `LONGEST_HINT`; None where there is none, or it is neither.

    A date counts from the answer's own `Date`, else from this machine's time.
    """
    told = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(told):
        return min(float(told), LONGEST_HINT)
    until = parse_header_date(told)
    if until is None:
        return None
    seconds = (until - (parse_header_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_HINT)


def _whole(headers: Mapping[str, str], name: str, otherwise: int | None) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if _CALLS.fullmatch(text) else otherwise
