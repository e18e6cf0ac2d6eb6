"""What every element of Xero's answers is made of: the types of its fields, and what Xero says about it.

A field that only tells people something is `Loose`: what can't be read of it is as if Xero had left it out. Any other ends its
document, and nothing else: `answers.py` says so of that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WrapValidator,
)

from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.xero.codec import parse_date, parse_timestamp

_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


_MOST = Decimal(10**15)
_FINEST = -12
"""Ten to this: no amount, price or percentage of Xero's has more places."""


def _amount(value: Any) -> Any:
    """Decimals, whole numbers and plain text digits; never a float, never `1_000` or `1e3`, and nothing beyond all money."""
    if isinstance(value, str):
        text = value.strip()
        if text == "":
            return None
        if len(text) > 40 or not _PLAIN_NUMBER.fullmatch(text):
            raise ValueError("not a plain number")
        value = Decimal(text)
    if isinstance(value, float | bool):
        raise ValueError("amounts are read as Decimal")
    if isinstance(value, int | Decimal):
        exponent = Decimal(value).normalize().as_tuple().exponent
        if not isinstance(exponent, int) or exponent < _FINEST or abs(Decimal(value)) >= _MOST:
            raise ValueError("not an amount")
    return value


def _truth(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False, "": None}.get(value.strip().lower(), value)
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def listed(value: Any) -> Any:
    """A list that Xero may leave out, or send as null."""
    return [] if value is None else value


def _if_readable(value: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
Truth = Annotated[bool | None, BeforeValidator(_truth)]
Text = Annotated[str | None, BeforeValidator(_text)]
Day = Annotated[date | None, BeforeValidator(parse_date)]
Moment = Annotated[datetime | None, BeforeValidator(parse_timestamp)]
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
"""An id that a header can carry: Xero's are GUIDs."""

Loose = WrapValidator(_if_readable)
"""On a field that nothing is decided by: unreadable is as good as left out."""


def _pascal(name: str) -> str:
    """`invoice_id` -> `InvoiceID`, `updated_date_utc` -> `UpdatedDateUTC`."""
    return "".join({"id": "ID", "utc": "UTC"}.get(word, word.capitalize()) for word in name.split("_"))


def day_field(name: str) -> Any:
    """A date: Xero's plain `...String` twin first, as it needs no reading of milliseconds."""
    return Field(default=None, validation_alias=AliasChoices(f"{name}String", name))


class Element(BaseModel):
    """An element of an answer. `called`: what a person calls it; `known_by`: the fields that can name one that can't be read;
    `own_id`: its field that has to hold an id of Xero's, if it holds anything.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=_pascal, populate_by_name=True)
    called: ClassVar[str] = "element"
    known_by: ClassVar[tuple[str, ...]] = ()
    own_id: ClassVar[str] = ""


class Verdict(Element):
    """What Xero says of an element of a write: its status ("OK", "ERROR"), and a flag that it also puts on what it has kept."""

    status_attribute_string: Text = None
    has_errors: Truth = None


_MOST_MESSAGES = 10


def messages_of(element: Any) -> list[str]:
    """Xero's words about one element: every `ValidationErrors` in it, however deep, each message once."""
    return _first(_messages(element, "ValidationErrors"))


def warnings_of(element: Any) -> list[str]:
    """Xero's words about what it took all the same: every `Warnings` in an element, however deep, each message once."""
    return _first(_messages(element, "Warnings"))


def _first(messages: Iterator[str]) -> list[str]:
    """Each message once, and no more than a person reads."""
    return list(dict.fromkeys(messages))[:_MOST_MESSAGES]


def _messages(value: Any, key: str) -> Iterator[str]:
    left: list[tuple[Any, bool]] = [(value, False)]  # however deep: not by recursion
    while left:
        one, is_told = left.pop()
        if isinstance(one, list):
            left += [(inner, is_told) for inner in reversed(one)]
        elif is_told:
            message = one.get("Message") if isinstance(one, Mapping) else one
            if isinstance(message, str) and message.strip():
                yield plain(message, MOST_WORDS)
        elif isinstance(one, Mapping):
            left += [(inner, name == key and isinstance(inner, list)) for name, inner in reversed(list(one.items()))]
