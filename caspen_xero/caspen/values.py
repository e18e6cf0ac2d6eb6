"""How the feed writes amounts, dates and moments, and nothing looser: a value read wrong is worse than one refused."""

import datetime as dt
import re
from decimal import Decimal

from pydantic_core import PydanticCustomError

from caspen_xero.outside_text import plain, said

MAX_DIGITS = 14
"""Digits a number may have: quantity times price then stays exact in Decimal's standard 28 digits."""

YEARS = range(1900, 2200)
"""Years that a day of a clinic's books may have: `0026` was 26 before something filled it up."""
_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def wrong(reason: str) -> PydanticCustomError:
    """The error that refuses a value, in plain words."""
    # The reason is quoted text: braces in it must not be taken for a template.
    return PydanticCustomError("feed", "{reason}", {"reason": reason})


def quoted(value: object) -> str:
    """A value as a message shows it: text in quotes, and nothing long."""
    match value:
        case str():
            return said(value, 60)
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return plain(value, 60)


def read_decimal(value: object) -> Decimal:
    """An exact decimal from a JSON number or a decimal string. No exponent, underscore, NaN, float or bool."""
    if type(value) is str:
        text = value
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    else:
        text = ""
    if not _DECIMAL.fullmatch(text):
        raise wrong(f"{quoted(value)} is not a plain decimal number such as 150.00")
    if len(text) > MAX_DIGITS and len(text.lstrip("-").replace(".", "")) > MAX_DIGITS:
        raise wrong(f"{quoted(value)} has more than {MAX_DIGITS} digits")
    number = Decimal(text)
    return number if number else number.copy_abs()  # no minus zero


def read_date(value: object) -> dt.date:
    """A day written `YYYY-MM-DD`, and in no other way."""
    if type(value) is dt.date:
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise wrong(f"{quoted(value)} is not a day of the calendar") from None
    raise wrong(f"{quoted(value)} is not a date written YYYY-MM-DD")


def read_timestamp(value: object) -> dt.datetime:
    """A moment in UTC from an ISO 8601 timestamp. The feed's timestamps are UTC, so one without an offset is too."""
    if isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            raise wrong(f"{quoted(value)} is not a moment of the calendar") from None
    else:
        raise wrong(f"{quoted(value)} is not a timestamp such as 2026-11-02T03:04:05Z")
    try:
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        raise wrong(f"{quoted(value)} is not a moment of the calendar") from None
    if moment < _EARLIEST:
        raise wrong(f"{quoted(value)} is before all computers")
    return moment
