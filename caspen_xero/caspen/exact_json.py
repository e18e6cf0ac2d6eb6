"""JSON whose numbers stay exact: read as decimals and whole numbers, written as decimal strings; never a float."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from caspen_xero.outside_text import MOST, said

_LONGEST_WHOLE_NUMBER = 30
_SURROGATE_ESCAPE = re.compile(r"\\u[dD]")


class Odd:
    """What no field of the feed takes, as it was written.

    A number with an exponent, not finite, or absurdly long.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Twice(Odd):
    """What stands for a key that was there twice, with two values: nobody knows which is meant."""


TWICE = Twice("two values")


class NotJson(ValueError):
    """A text that is no JSON, and where (`line` and `column`, from 1).

    `breaks_off`: it may only lack its end. `is_too_deep`: it may be JSON, but nothing that anybody would write.
    """

    def __init__(
        self, reason: str, line: int = 1, column: int = 1, *, breaks_off: bool = False, is_too_deep: bool = False
    ) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column
        self.breaks_off = breaks_off
        self.is_too_deep = is_too_deep


def _whole_number(text: str) -> int | Odd:
    return int(text) if len(text) <= _LONGEST_WHOLE_NUMBER else Odd(text)


def _fraction(text: str) -> Decimal | Odd:
    return Odd(text) if "e" in text or "E" in text else Decimal(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        said: dict[str, Any] = {}
        for name, value in pairs:
            if name in said and said[name] != value:
                found[name] = TWICE
            said[name] = value
    return found


_decoder = json.JSONDecoder(
    parse_int=_whole_number, parse_float=_fraction, parse_constant=Odd, object_pairs_hook=_object
)


def decode(text: str) -> Any:
    """The value of one JSON text. Half a character (a lone surrogate, which no database can hold) becomes "�".

    Raises `NotJson` for whatever is no JSON, and for absurd nesting.
    """
    try:
        value = _decoder.decode(text)
        return _with_whole_characters(value) if _SURROGATE_ESCAPE.search(text) else value
    except json.JSONDecodeError as error:
        breaks_off = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        raise NotJson(error.msg, error.lineno, error.colno, breaks_off=breaks_off) from None
    except RecursionError:
        raise NotJson("too deeply nested", is_too_deep=True) from None


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
            raise TypeError(f"{said(value, MOST)} is a float; amounts are decimals")
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
