"""What a list can be asked, the same for each: words, a client, days, a number of rows, an order."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from caspen_xero.cli.session import SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.times import DAY_FORM, local_day, written_day

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
"""The days that can be asked for."""
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORD",
        help="Only what has each of these words in it, such as a number or a name.",
        show_default=False,
    ),
]
ClientPart = Annotated[
    str | None,
    typer.Option("--client", metavar="NAME", help="Only of clients with this in their name, or with this id."),
]
FirstDay = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="Only from this day on (YYYY-MM-DD, YYYY-MM, today).")
]
LastDay = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Only up to this day (YYYY-MM-DD, YYYY-MM, today).")
]


@dataclass(frozen=True)
class Order:
    """By what rows stand in order, and whether the last comes first."""

    by: str
    backwards: bool


def day_of(option: str, text: str | None) -> date | None:
    """A day as it was typed for an option; of a month its first day for `--from`, else its last.

    Raises `SessionError` (usage) `bad-date`.
    """
    if text is None:
        return None
    given = text.strip()
    if given.lower() == "today":
        return local_day(datetime.now(UTC))
    if _MONTH.fullmatch(given):
        given += "-01" if option == "--from" else f"-{monthrange(int(given[:4]), int(given[5:]))[1]}"
    day = written_day(given)
    if day is None:
        words, fix = (
            f"{said(text, MOST)} is no date for {option}.",
            f"Write it as {DAY_FORM}, a month as YYYY-MM, or today.",
        )
        raise SessionError("bad-date", words, fix, ExitCode.USAGE)
    if not EARLIEST <= day <= LATEST:
        words, fix = f"{option} {day} is too {'early' if day < EARLIEST else 'late'}.", f"Give {EARLIEST} to {LATEST}."
        raise SessionError("bad-date", words, fix, ExitCode.USAGE)
    return day


def days_of(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """`--from` and `--to`. Raises `SessionError` (usage) `bad-date`, `bad-period`."""
    begin, end = day_of("--from", first), day_of("--to", last)
    if begin is not None and end is not None and begin > end:
        words = f"The period has no day: it begins on {begin} and ends on {end}."
        raise SessionError("bad-period", words, "Give a --to that is not before --from.", ExitCode.USAGE)
    return begin, end


def part_of(option: str, text: str | None) -> str | None:
    """A part of a name that was given for an option. Raises `SessionError` (usage) where it is empty: every name has that in it."""
    if text is not None and not text.strip():
        raise SessionError(
            f"bad-{option.removeprefix('--')}", f"{option} is empty.", "Give a part of a name.", ExitCode.USAGE
        )
    return text


def one_of(option: str, given: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """What was given for an option that can be named more than once. Raises `SessionError` (usage) for what it does not know."""
    for one in given or ():
        if one not in known:
            words = f"{plain(one)} is no value for {option}."
            raise SessionError(
                f"bad-{option.removeprefix('--')}", words, f"One of: {', '.join(known)}.", ExitCode.USAGE
            )
    return list(dict.fromkeys(given or ()))


def order_of(given: str | None, known: Collection[str]) -> Order | None:
    """What `--sort` says: a field, backwards with `-` before it. Raises `SessionError` (usage) `bad-sort`."""
    if given is None:
        return None
    (by,) = one_of("--sort", [given.removeprefix("-")], known)
    return Order(by, given.startswith("-"))


def in_words(
    words: Sequence[str], client: str | None, begin: date | None = None, end: date | None = None, *, dated: str = ""
) -> str:
    """What was asked for, as a part of a sentence: ` with 165.00, of client Nell, dated from 2026-11-01 to 2026-11-30`."""
    parts = [f"with {plain(' '.join(words))}"] if words else []
    parts += [f"of client {plain(client)}"] if client else []
    days = [f"from {begin}"] if begin else []
    days += [f"to {end}"] if end else []
    parts += [" ".join([dated, *days]).strip()] if days else []
    return f" {', '.join(parts)}" if parts else ""
