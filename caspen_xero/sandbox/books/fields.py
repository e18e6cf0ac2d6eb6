"""Reading what a client sent: only the fields that a document has, each as what it is.

A field that is absent or null is left out of the result ("omitted", which keeps what is there); an empty text is a value.
Keys count in any letter case (`ContactId`, `lineitems`: xero-ruby#100), but no other spelling (`line_items`: xero-ruby#119); of
two that differ in case alone the later counts (UNCONFIRMED: so does .NET's usual reader of JSON).
Numbers may come as strings (UNCONFIRMED: old samples do so). What can't be read as its type refuses the whole request, as
a JSON reader would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.refusals import bad_data
from caspen_xero.sandbox.books.wire import NotReadable, dated, is_id, read_date, read_id, read_number


@dataclass(frozen=True)
class Text:
    """A text field, and how long it may be."""

    limit: int = 0


@dataclass(frozen=True)
class Choice:
    """One of some words; any other can't be read."""

    words: frozenset[str]


@dataclass(frozen=True)
class Many:
    """A list of objects with these fields."""

    fields: Mapping[str, Any]


@dataclass(frozen=True)
class One:
    """An object with these fields."""

    fields: Mapping[str, Any]


NUMBER, WHOLE, DATE, FLAG, ID, WORD = "number", "whole number", "date", "flag", "id", "word"
Fields = Mapping[str, Any]


def _read(value: Any, field: Any) -> Any:
    if isinstance(field, Many):
        if not isinstance(value, list):
            raise NotReadable("a list was expected")
        return [read(element, field.fields) for element in value]
    if isinstance(field, One):
        return read(value, field.fields)
    if isinstance(value, list | dict):
        raise NotReadable("a single value was expected")
    if field == NUMBER:
        return read_number(value)
    if field == WHOLE:
        return int(read_number(value))
    if field == DATE:
        return read_date(value)
    if field == ID:
        if not is_id(str(value)):
            raise NotReadable(f"Could not convert {value!r} to an id.")
        return read_id(value)
    if field == FLAG:
        if str(value).lower() not in ("true", "false"):
            raise NotReadable(f"Could not convert {value!r} to a boolean.")
        return str(value).lower() == "true"
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(field, Choice) and text not in field.words:
        raise NotReadable(f"Could not convert {text!r} to one of {', '.join(sorted(field.words))}.")
    return text.strip() if field == WORD else text


def read(element: Any, fields: Fields) -> dict[str, Any]:
    """The known fields of a sent object, by name. Raises RequestRefused (400, 14) where one can't be read."""
    if not isinstance(element, dict):
        raise bad_data(messages.BODY_NOT_READABLE(reason="an object was expected"))
    sent = {name.lower(): value for name, value in element.items()}
    result: dict[str, Any] = {}
    for name, field in fields.items():
        value = sent.get(name.lower())
        if value is None or (value == "" and not isinstance(field, Text)):
            continue
        try:
            result[name] = _read(value, field)
        except NotReadable as error:
            raise bad_data(messages.BODY_NOT_READABLE(reason=f"{name}: {error}")) from error
    return result


def too_long(sent: Mapping[str, Any], fields: Fields) -> list[str]:
    """Messages for the texts above their limits, those of nested objects included."""
    found: list[str] = []
    for name, value in sent.items():
        field = fields[name]
        if isinstance(field, Text) and field.limit and len(value) > field.limit:
            found.append(messages.FIELD_TOO_LONG(field=name, limit=field.limit))
        elif isinstance(field, Many):
            for element in value:
                found += too_long(element, field.fields)
        elif isinstance(field, One):
            found += too_long(value, field.fields)
    return found


# The parts of a document that Xero checks by themselves: in a refusal each has its errors, or an empty list of them.
_CHECKED = {"Contact", "LineItems", "Addresses", "Phones", "Bills", "Sales", "Account", "Invoice"}


def echo(sent: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """What was sent, written as Xero writes it: the body of a refused element."""
    shown: dict[str, Any] = {}
    for name, value in sent.items():
        field = fields[name]
        if isinstance(field, Many):
            shown[name] = [_echo_part(name, element, field.fields) for element in value]
        elif isinstance(field, One):
            shown[name] = _echo_part(name, value, field.fields)
        elif field == DATE:
            shown |= dated(name, value)
        else:
            shown[name] = value
    return shown


def _echo_part(name: str, sent: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    return echo(sent, fields) | ({"ValidationErrors": []} if name in _CHECKED else {})
