"""Xero's JSON without a float: amounts are `Decimal` on the way in, and keep their exact digits on the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from json.encoder import encode_basestring
from typing import Any, NoReturn

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLASH_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?)?")


def decode(body: bytes) -> Any:
    """What a JSON body says: fractions as `Decimal`, whole numbers as `int`. Raises ValueError if it is no JSON."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def encode(document: Any) -> bytes:
    """Compact UTF-8 JSON of dicts, lists, text, ints, bools, None, Decimals (exact digits), dates and times.

    Raises TypeError for anything else, floats among them: a float near money is a bug.
    """
    # A lone half of a surrogate pair can't be UTF-8; it becomes "?".
    return "".join(_pieces(document)).encode("utf-8", errors="replace")


def parse_timestamp(value: Any) -> datetime | None:
    """The moment that Xero wrote as `/Date(ms+0000)/` or ISO text (UTC unless it says otherwise); None for nothing.

    The offset inside `/Date()/` changes nothing: the number counts from 1970 in UTC.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    text = str(value).strip()
    if slash := _SLASH_DATE.fullmatch(text):
        return _since_1970(int(slash[1]))
    if not (iso := _ISO.fullmatch(text)):
        raise ValueError(f"not a time as Xero writes it: {text[:40]!r}")
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
    except (ValueError, TypeError, OverflowError):
        return None


def _pieces(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield encode_basestring(value)
        case None:
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


def _since_1970(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError(f"{milliseconds} ms is no time of this calendar") from None


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise TypeError("a time without a zone can't be sent to Xero")
    return moment.astimezone(UTC)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
