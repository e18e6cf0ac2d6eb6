"""What is to be run, how often and with what around it; the same for every system."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import UNSEEN, plain, said

DAY = 24 * 60
MINUTES = (5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, DAY)
"""How often a job may run: what divides an hour or a day, as cron knows nothing else, and no more often than every five minutes.

A run in which nothing is new takes one call, and Xero allows 1,000 a day.
"""
INTERVALS = tuple("1d" if one == DAY else f"{one // 60}h" if one >= 60 else f"{one}m" for one in MINUTES)
"""The same as they are typed."""
USUAL_TIME = (6, 0)
_UNITS = {"m": 1, "h": 60, "d": DAY}
_ADDRESS = r"\w[\w.+-]*(?:@\w[\w.-]*)?"
_MAIL_TO = re.compile(f"{_ADDRESS}(?:,{_ADDRESS})*")


class ScheduleError(UserError):
    """A schedule can't be made, read or taken away.

    `bad-interval`, `bad-time`, `bad-address`, `bad-system` (usage); `schedule-unwritable`: something in it can't be written down
    for that system; `scheduler-missing`, `scheduler-refused`: what the machine says; `schedule-not-ours`, `needs-root`;
    `schedule-edited`: somebody has changed what was written here.
    """


@dataclass(frozen=True)
class Every:
    """How often: so many minutes, one of `MINUTES`; once a day at `at` (hour, minute)."""

    minutes: int
    at: tuple[int, int] = (0, 0)

    @property
    def in_words(self) -> str:
        """`every 15 minutes`, `every hour`, `every day at 06:00`."""
        if self.minutes == DAY:
            return f"every day at {self.at[0]:02}:{self.at[1]:02}"
        if self.minutes == 60:
            return "every hour"
        return f"every {self.minutes} minutes" if self.minutes < 60 else f"every {self.minutes // 60} hours"


@dataclass(frozen=True)
class Job:
    """A program with absolute paths, its arguments and the variables that it needs. `label` names it on this machine.

    `mail_to`: whom cron writes to; `user`: as whom a service of the whole machine runs; `log`: a file for what is said, where the
    system keeps nothing of it.
    """

    label: str
    every: Every
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    mail_to: str | None = None
    user: str | None = None
    home: str = ""
    log: str = ""

    def __post_init__(self) -> None:
        for text in (*self.command, *self.environment, *self.environment.values()):
            if UNSEEN.search(text):
                raise unwritable(text, "it holds a character that nobody sees")

    def is_as(self, found: Installed | None) -> bool:
        """Whether just this was found."""
        return found == Installed(self.command, dict(self.environment), self.every, self.mail_to)

    @property
    def description(self) -> str:
        """One line about it, in words of ours."""
        return f"Sync Caspen's billing with Xero, {self.every.in_words}"


@dataclass(frozen=True)
class Installed:
    """A job as it was found on this machine: what it runs, with which variables, how often (None: as somebody edited it), and
    whom cron writes to of it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    every: Every | None
    mail_to: str | None = None

    @property
    def when(self) -> str:
        """How often, in words."""
        return self.every.in_words if self.every else "at times that somebody edited"


def every(text: str, at: str | None = None) -> Every:
    """The interval that was typed (`15m`, `2h`, `1d`), and for a day the time (`06:30`). Raises `ScheduleError` (usage)."""
    match = re.fullmatch(r"([0-9]{1,6})\s*([mhd])", text.strip())
    minutes = int(match[1]) * _UNITS[match[2]] if match else 0
    if minutes not in MINUTES:
        raise ScheduleError(
            "bad-interval",
            f"{said(text, 40)} is no interval that every system can keep, or it is shorter than five minutes.",
            f"Give one of {', '.join(INTERVALS)}.",
            ExitCode.USAGE,
        )
    if minutes != DAY:
        if at is not None:
            words = "A time of day goes with one run a day."
            raise ScheduleError("bad-time", words, "Add --every 1d, or leave --at out.", ExitCode.USAGE)
        return Every(minutes)
    if at is None:
        return Every(DAY, USUAL_TIME)
    time = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", at.strip())
    if time is None:
        raise ScheduleError("bad-time", f"{said(at, 40)} is no time of day.", "Write it like 06:30.", ExitCode.USAGE)
    return Every(DAY, (int(time[1]), int(time[2])))


def every_kind() -> Iterator[Every]:
    """Every interval that there is, by which one that was written down is known again."""
    yield from (Every(minutes) for minutes in MINUTES if minutes != DAY)
    yield from (Every(DAY, (hour, minute)) for hour in range(24) for minute in range(60))


def mail_address(text: str) -> str:
    """Whom cron is to write to: one address, or several with commas. Raises `ScheduleError` `bad-address` (usage)."""
    if not _MAIL_TO.fullmatch(text) or UNSEEN.search(text) or len(text) > 300:
        raise ScheduleError(
            "bad-address",
            f"{said(text, 80)} is no address to write to.",
            "Write it like ann@example.org.",
            ExitCode.USAGE,
        )
    return text


def variables_first(words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables that stand before a command, and the command."""
    number = next((at for at, word in enumerate(words) if not re.match(r"[A-Za-z_]\w*=", word)), len(words))
    return dict(word.split("=", 1) for word in words[:number]), tuple(words[number:])


def unwritable(text: str, why: str) -> ScheduleError:
    """The error for what can't be written down so that the system reads it as it is."""
    return ScheduleError(
        "schedule-unwritable",
        f"{plain(text)} can't stand in a schedule: {why}.",
        "Move it to a path of ordinary characters, then run this again.",
    )
