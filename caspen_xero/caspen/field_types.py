"""The types of the records' fields: how each is read, what is left out, and what a JSON Schema says of it."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from .record_errors import LONGEST_ID
from .values import YEARS, quoted, read_date, read_decimal, read_timestamp, wrong


def means(meaning: str, *examples: object) -> Any:
    """What a field is for, and what it looks like: `schema feed`, the columns file and docs/feed.md are made from this."""
    return Field(description=meaning, examples=list(examples))


def blank_is_null(value: object) -> object:
    """A text of nothing but spaces says nothing."""
    return None if isinstance(value, str) and not value.strip() else value


def null_is_blank(value: object) -> object:
    """No text is an empty one."""
    return "" if value is None else value


def null_is_empty(value: object) -> object:
    """No list is an empty one."""
    return () if value is None else value


def null_is_false(value: object) -> object:
    """Nothing said is no."""
    return False if value is None else value


def or_nothing(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """An odd value is none."""
    try:
        return check(value)
    except ValidationError:
        return None


def or_left_out(value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """An odd value is none, and the field is told to whoever asked (`left_out` of `parse_record`)."""
    try:
        return check(value)
    except ValidationError:
        if isinstance(info.context, list):
            info.context.append(info.field_name)
        return None


def plain_phone_numbers(value: object) -> object:
    """Caspen does not document what an element of `phone_numbers` is: a text, or an object that holds one."""
    if not isinstance(value, list | tuple):
        return () if value is None else value
    found = (item.get("number") or item.get("phone_number") if isinstance(item, dict) else item for item in value)
    return tuple(number for number in found if number not in (None, ""))


def share(value: Decimal) -> Decimal:
    """A percentage, which is between 0 and 100."""
    if not 0 <= value <= 100:
        raise wrong(f"{value} is not a percentage between 0 and 100")
    return value


_OF_AN_ID = {"type": ["string", "integer"], "pattern": r"\S", "maxLength": LONGEST_ID}
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_OF_AN_AMOUNT = {"type": ["string", "number"], "pattern": _NUMBER}
_OF_A_SHARE = {"type": ["string", "number"], "pattern": r"^[0-9]+(\.[0-9]+)?$", "minimum": 0, "maximum": 100}
_OF_A_DAY = {"type": "string", "format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_OF_A_MOMENT = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"}


def _day_that_can_be_meant(value: object, info: ValidationInfo) -> dt.date:
    """A day of the feed. What a store has taken before there was a limit is read as it is."""
    day = read_date(value)
    if info.context is not None and day.year not in YEARS:
        raise wrong(f"{quoted(value)} is in the year {day.year}, which can't be meant")
    return day


Id = Annotated[str, StringConstraints(pattern=r"\S", max_length=LONGEST_ID), WithJsonSchema(_OF_AN_ID)]
OptionalId = Annotated[Id | None, BeforeValidator(blank_is_null)]
_Plain = PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json")  # never 0E-7
Amount = Annotated[Decimal, BeforeValidator(read_decimal), _Plain, WithJsonSchema(_OF_AN_AMOUNT)]
Percentage = Annotated[
    Decimal, BeforeValidator(lambda value: share(read_decimal(value))), _Plain, WithJsonSchema(_OF_A_SHARE)
]
Day = Annotated[dt.date, BeforeValidator(_day_that_can_be_meant), WithJsonSchema(_OF_A_DAY)]
OptionalDay = Annotated[Day | None, BeforeValidator(blank_is_null)]
Moment = Annotated[dt.datetime, BeforeValidator(read_timestamp), WithJsonSchema(_OF_A_MOMENT)]
OptionalMoment = Annotated[Moment | None, BeforeValidator(blank_is_null)]
Description = Annotated[str, BeforeValidator(null_is_blank)]
Spare = Annotated[str | None, WrapValidator(or_nothing)]
Told = Annotated[str | None, WrapValidator(or_left_out)]
PhoneNumbers = Annotated[
    tuple[str, ...],
    BeforeValidator(plain_phone_numbers),
    WrapValidator(or_left_out),
    WrapValidator(lambda value, check: check(value) or ()),
]
