"""JSON whose numbers stay exact: read as decimals and whole numbers, written as decimal strings; never a float."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_LONGEST_WHOLE_NUMBER = 30
_SURROGATE_ESCAPE = re.compile(r"\\u[dD]")


class OddNumber:
    """A number that no field of the feed takes: with an exponent, not finite, or absurdly long."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def _whole_number(text: str) -> int | OddNumber:
    return int(text) if len(text) <= _LONGEST_WHOLE_NUMBER else OddNumber(text)


def _fraction(text: str) -> Decimal | OddNumber:
    return OddNumber(text) if "e" in text or "E" in text else Decimal(text)


_decoder = json.JSONDecoder(parse_int=_whole_number, parse_float=_fraction, parse_constant=OddNumber)


def decode(text: str) -> Any:
    """The value of one JSON text. Half a character (a lone surrogate, which no database can hold) becomes "�".

    Raises `json.JSONDecodeError`, or `RecursionError` for absurd nesting.
    """
    value = _decoder.decode(text)
    return _with_whole_characters(value) if _SURROGATE_ESCAPE.search(text) else value


def _with_whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_with_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_with_whole_characters(key): _with_whole_characters(item) for key, item in value.items()}
    return value


def encode(record: Mapping[str, object]) -> str:
    """One line of plain ASCII JSON. Decimals become strings with their exact digits; a float raises `TypeError`."""
    return json.dumps({name: _writable(value) for name, value in record.items()}, allow_nan=False)


def _writable(value: object) -> object:
    match value:
        case float():
            raise TypeError(f"{value!r} is a float; amounts are decimals")
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case dict():
            return {name: _writable(item) for name, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
        case _:
            return value
