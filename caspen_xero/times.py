"""Times as people read them: by this machine's clock (or `TZ`), always with the zone. Whatever a script reads is UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta

DAY_FORM = "YYYY-MM-DD, such as 2026-11-28"
"""How a person writes a day."""


def written_day(text: str) -> date | None:
    """A day written as YYYY-MM-DD; None for anything else: 20261130 and 2026-W48-1 are dates too, and seldom what was meant."""
    given = text.strip()
    try:
        return date.fromisoformat(given) if len(given) == len("2026-11-28") and given[4] == "-" == given[7] else None
    except ValueError:
        return None


def local(when: datetime | str | None, *, seconds: bool = False) -> str:
    """A moment (aware, or ISO 8601 with its offset) as `2026-11-28 09:14 AEDT`; "" for none."""
    if not when:
        return ""
    here = _here(when)
    return f"{here:%Y-%m-%d %H:%M:%S} {_zone(here)}" if seconds else f"{here:%Y-%m-%d %H:%M} {_zone(here)}"


def local_today(when: datetime | str, now: datetime) -> str:
    """The same in few words: `09:14 AEDT`, with the day only where it is another one."""
    here = _here(when)
    return f"{here:%H:%M} {_zone(here)}" if here.date() == local_day(now) else local(here)


def local_day(when: datetime | str) -> date:
    """The day of a moment, where that says enough."""
    return _here(when).date()


def start_of(day: date) -> datetime:
    """The moment at which a day begins here."""
    return datetime(day.year, day.month, day.day).astimezone()


def end_of(day: date) -> datetime:
    """The moment at which the next day begins here."""
    return start_of(day + timedelta(days=1))


def _here(when: datetime | str) -> datetime:
    return (datetime.fromisoformat(when) if isinstance(when, str) else when).astimezone()


def _zone(here: datetime) -> str:
    """The zone's short name; where the system has only a long one, or none, how far it is ahead of UTC."""
    name = here.tzname() or ""
    return name if name.isascii() and name.isalnum() and len(name) <= 5 else f"UTC{here.isoformat()[-6:]}"
