"""Xero's limits on calls, per app and organisation: 60 a minute, 1,000 a day (free tier), 5 at the same time.

Source: Xero's limits page. Windows are fixed: one opens with the first call after the last one ended. A call refused is
not counted again. `Retry-After` stands only beside the minute and the day limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from caspen_xero.sandbox.seam import ApiAnswer, Clock

Problem = Literal["minute", "day", "concurrent", "appminute"]
Caller = tuple[str, str]  # client id, tenant id


@dataclass
class Window:
    """A stretch of time in which so many calls are allowed."""

    allowed: int
    length: timedelta
    opened: datetime | None = None
    used: int = 0

    def turn(self, now: datetime) -> None:
        """Forgets a window that has ended (or that a clock moved backwards has left in the future)."""
        if self.opened is not None and not self.opened <= now < self.opened + self.length:
            self.opened, self.used = None, 0

    def count(self, now: datetime) -> None:
        if self.opened is None:
            self.opened = now
        self.used += 1

    @property
    def remaining(self) -> int:
        return max(0, self.allowed - self.used)

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds until the window ends, rounded up, at least 1."""
        left = (self.opened + self.length - now) if self.opened is not None else self.length
        return max(1, math.ceil(left.total_seconds()))


class Limits:
    """Counts calls. `minute_seconds` shortens the minute so that a test needn't wait for a real one."""

    def __init__(
        self,
        clock: Clock,
        *,
        minute: int = 60,
        minute_seconds: float = 60,
        day: int = 1_000,
        concurrent: int = 5,
        app_minute: int = 10_000,
    ) -> None:
        self.clock, self.minute, self.day, self.concurrent, self.app_minute = clock, minute, day, concurrent, app_minute
        self.minute_length = timedelta(seconds=minute_seconds)
        self.forget()

    def forget(self) -> None:
        """Starts every window anew; calls under way stay counted until they end."""
        self._minutes: dict[Caller, Window] = {}
        self._days: dict[Caller, Window] = {}
        self._app_minutes: dict[str, Window] = {}
        self._under_way: dict[Caller, int] = getattr(self, "_under_way", {})

    def admit(self, caller: Caller) -> ApiAnswer | None:
        """Counts a call and lets it in, or gives the 429; whoever is let in must `leave`."""
        now = self.clock.now()
        minute, day, app_minute = self._windows(caller, now)
        if self._under_way.get(caller, 0) >= self.concurrent:
            return self.refusal(caller, "concurrent")
        if not day.remaining:
            return self.refusal(caller, "day")
        if not minute.remaining:
            return self.refusal(caller, "minute")
        if not app_minute.remaining:
            return self.refusal(caller, "appminute")
        for window in (minute, day, app_minute):
            window.count(now)
        self._under_way[caller] = self._under_way.get(caller, 0) + 1
        return None

    def leave(self, caller: Caller) -> None:
        """The call has its answer."""
        self._under_way[caller] -= 1

    def refusal(self, caller: Caller, problem: Problem, seconds: int | None = None) -> ApiAnswer:
        """The 429 as recorded in September 2026: no body and no content type; `seconds` overrides `Retry-After`."""
        now = self.clock.now()
        minute, day, _ = self._windows(caller, now)
        headers: dict[str, str] = {"X-Rate-Limit-Problem": problem}
        if problem in {"minute", "day"}:
            window = minute if problem == "minute" else day
            headers["Retry-After"] = str(seconds if seconds is not None else window.seconds_left(now))
        return ApiAnswer(429, b"", "", headers | self.headers(caller))

    def headers(self, caller: Caller) -> dict[str, str]:
        """What is left, as every answer of the API says it."""
        minute, day, app_minute = self._windows(caller, self.clock.now())
        return {
            "X-MinLimit-Remaining": str(minute.remaining),
            "X-DayLimit-Remaining": str(day.remaining),
            "X-AppMinLimit-Remaining": str(app_minute.remaining),
        }

    def _windows(self, caller: Caller, now: datetime) -> tuple[Window, Window, Window]:
        windows = (
            self._minutes.setdefault(caller, Window(self.minute, self.minute_length)),
            self._days.setdefault(caller, Window(self.day, timedelta(days=1))),
            self._app_minutes.setdefault(caller[0], Window(self.app_minute, self.minute_length)),
        )
        for window in windows:
            window.turn(now)
        return windows
