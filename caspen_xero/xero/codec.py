"""Xero's JSON without a float: amounts are `Decimal` on the way in, and keep their exact digits on the way out.

What no reader could use is `UNREADABLE` in its place: only whoever needs that very value fails over it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from json.encoder import encode_basestring
from typing import Any, Final

from caspen_xero.outside_text import MOST, said


class Unreadable:
    """What stands in the place of a value that says nothing; see `UNREADABLE`."""

    def __repr__(self) -> str:
        return "(unreadable)"


UNREADABLE: Final = Unreadable()
"""A key that is there twice with two values, NaN and the infinities, a number of more digits than anything has."""

_MOST_DIGITS = 40
_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLASH_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?)?")


def decode(body: bytes) -> Any:
    """What a JSON body says: fractions as `Decimal`, whole numbers as `int`, `UNREADABLE` what says nothing.

    Raises ValueError if it is no JSON in UTF-8, or is nested too deeply. Half a surrogate pair, which is no text, becomes "?".
    """
    text = body.decode("utf-8-sig")
    try:
        told = json.loads(
            text,
            parse_float=_fraction,
            parse_int=_whole,
            parse_constant=lambda name: UNREADABLE,
            object_pairs_hook=_object,
        )
        return _whole_text(told) if _HALF_A_PAIR.search(text) else told
    except RecursionError:
        raise ValueError("nested too deeply") from None


def encode(document: Any) -> bytes:
    """Compact UTF-8 JSON of dicts, lists, text, ints, bools, None, Decimals (exact digits), dates and times; `UNREADABLE` is null.

    Raises TypeError for anything else, floats among them: a float near money is a bug.
    """
    # A lone half of a surrogate pair can't be UTF-8; it becomes "?".
    return "".join(_pieces(document)).encode("utf-8", errors="replace")


def parse_timestamp(value: Any) -> datetime | None:
    """The moment that Xero wrote as `/Date(ms+0000)/` or ISO text (UTC unless it says otherwise); None for nothing.

    The offset inside `/Date()/` changes nothing: the number counts from 1970 in UTC. One of the year 1 is an empty time.
    Raises ValueError for anything else.
    """
    try:
        moment = _moment(value)
    except OverflowError:
        raise ValueError("not a time of this calendar") from None
    return None if moment is None or moment.year == 1 else moment


def _moment(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        raise ValueError("not a time as Xero writes it")
    text = value.strip()
    if slash := _SLASH_DATE.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(slash[1]))
    if not (iso := _ISO.fullmatch(text)):
        raise ValueError(f"not a time as Xero writes it: {said(text[:40], MOST)}")
    day, time, fraction, zone = iso.groups()
    # Xero's connections carry 7 fractional digits; Python reads 6.
    moment = datetime.fromisoformat(f"{day}T{time or '00:00:00'}.{(fraction or '0')[:6]:0<6}")
    if zone in (None, "Z"):
        return moment.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{moment.isoformat()}{zone}").astimezone(UTC)


def parse_date(value: Any) -> date | None:
    """The calendar date that Xero wrote as `/Date(ms+0000)/`, `2026-09-14T00:00:00` or `2026-09-14`; None for nothing.

    Xero writes a date as midnight UTC of that day, so no time zone is applied.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = parse_timestamp(value)
    return None if moment is None else moment.date()


def parse_header_date(text: str) -> datetime | None:
    """The moment (UTC) of a date as HTTP headers write it; None for what is no date, or none of this calendar."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _pieces(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield encode_basestring(value)
        case None | Unreadable():
            yield "null"
        case bool():
            yield "true" if value else "false"
        case int():
            yield str(int(value))
        case Decimal():
            yield _digits(value)
        case datetime():
            yield f'"{_utc(value):%Y-%m-%dT%H:%M:%S}Z"'
        case date():
            yield f'"{value.isoformat()}"'
        case Mapping():
            separator = "{"
            for key, inner in value.items():
                yield f"{separator}{encode_basestring(key)}:"
                yield from _pieces(inner)
                separator = ","
            yield "}" if separator == "," else "{}"
        case list() | tuple():
            separator = "["
            for inner in value:
                yield separator
                yield from _pieces(inner)
                separator = ","
            yield "]" if separator == "," else "[]"
        case _:
            raise TypeError(f"{type(value).__name__} can't be sent to Xero")


def _digits(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError(f"{value} can't be sent to Xero")
    return format(value if value else abs(value), "f")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise TypeError("a time without a zone can't be sent to Xero")
    return moment.astimezone(UTC)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key with two values has neither."""
    told = dict(pairs)
    if len(told) < len(pairs):
        for name, value in pairs:
            if type(value) is not type(told[name]) or value != told[name]:
                told[name] = UNREADABLE
    return told


def _whole(digits: str) -> int | Unreadable:
    return int(digits) if len(digits) <= _MOST_DIGITS else UNREADABLE


def _fraction(digits: str) -> Decimal | Unreadable:
    if len(digits) > _MOST_DIGITS:
        return UNREADABLE
    number = Decimal(digits)
    return number if abs(number.adjusted()) <= _MOST_DIGITS else UNREADABLE


def _whole_text(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_whole_text(name): _whole_text(inner) for name, inner in value.items()}
        case list():
            return [_whole_text(inner) for inner in value]
    return value
