"""One cell of a spreadsheet as the feed writes it: read by what the columns file says, or refused; never guessed.

CellError(ValueError)    what is wrong with the cell, in words
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from zoneinfo import ZoneInfo

from .feed_fields import FeedField
from .values import YEARS, quoted

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISO_DAY = "YYYY-MM-DD"
CREDIT_OR_DEBIT = ("cr", "dr")
"""Behind an amount these say which way it goes: no currency."""
THOUSANDS = ("", ",", ".", "'", " ")
_TOKEN = re.compile(r"YYYY|YY|MMM|MM|M|DD|D|HH|H|mm|ss|A")
_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MMM": r"(?P<name>[A-Za-z]{3,4})",
    "MM": r"(?P<month>[0-9]{1,2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{1,2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{1,2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "A": r"(?P<half>[AaPp][Mm])",
}
_ROUNDED = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?[eE][-+]?[0-9]+")
_ROUNDED_ID = re.compile(
    r"[0-9]+(?:[.,][0-9]+)?[eE][-+][0-9]+|[0-9]+[.,][0-9]+[eE][0-9]+"
)  # 12E3 may be an item's code; Excel always writes a sign
_DECIMAL_ID = re.compile(r"[0-9]+[.,]0+")
"""How a whole number is written by what takes a column with empty cells for decimals: `1048237.0`."""
_LONG = re.compile(r"[0-9]{15}0{2,}")
_FAILED = re.compile(r"#{3,}|#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!)")
_KEPT_TEXT = re.compile(r'="(.*)"', re.DOTALL)
"""How a spreadsheet is made to leave an id alone: `="0012"`."""
_SUMS = ("subtotal", "tax", "total", "amount")
_IN_THOUSANDS = re.compile(r"-?[0-9]+\.[0-9]{3}")
"""No sum has three decimals: a country that groups thousands by the mark has written it."""
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009")


class CellError(ValueError):
    """A cell that can't be read rightly."""


@dataclass(frozen=True)
class Writing:
    """How a file writes its values. `digits`: how many the numbers of a field have; `words`: what a field's words mean.

    `is_stated`: whether the columns file itself says what `decimal` is.
    """

    dates: str = ISO_DAY
    times: str | None = None
    zone: ZoneInfo | None = None
    decimal: str = "."
    is_stated: bool = False
    thousands: str = ""
    currency_signs: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    digits: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fractions: frozenset[str] = frozenset()
    reversed: frozenset[str] = frozenset()


def damage_of_id(text: str) -> str | None:
    """What a spreadsheet has done to an id, if anything can be seen of it."""
    if _ROUNDED_ID.fullmatch(text):
        return f"{quoted(text)} is an id that a spreadsheet has rounded: its digits are lost"
    if _DECIMAL_ID.fullmatch(text):
        return f"{quoted(text)} is an id that a spreadsheet, or another program, has made a decimal number"
    if _LONG.fullmatch(text):
        return f"{quoted(text)} is an id of which a spreadsheet keeps 15 digits: the rest may be lost"
    return f"{quoted(text)} is an error of the spreadsheet" if _FAILED.fullmatch(text) else None


def read_cell(cell: str, path: str, one: FeedField, writing: Writing) -> object:
    """What a cell says; None where it is empty. Raises `CellError`."""
    text = cell.strip()
    if kept := _KEPT_TEXT.fullmatch(text):
        text = kept[1]
    known = writing.words.get(path, {})
    said = known.get(text.casefold())
    if said is not None:
        text = said
    if not text:
        return None
    if _FAILED.fullmatch(text):
        raise CellError(f"{quoted(text)} is an error of the spreadsheet")
    match one.type:
        case "amount":
            return _amount(text, path, one, writing)
        case "percentage":
            return _percentage(text, path, writing)
        case "date":
            return text if said is not None else _day(text, writing.formats.get(path, writing.dates))
        case "time":
            return _moment(text, writing.formats.get(path, writing.times), writing.zone)
        case "word":
            return _word(text, one)
        case "yes/no":
            if text.casefold() not in ("true", "false"):
                raise CellError(f"{quoted(text)} is neither TRUE nor FALSE")
            return text.casefold() == "true"
        case "texts":
            return [each.strip() for each in text.split(";")]
        case "id":
            if said is None and (damage := damage_of_id(text)):
                raise CellError(damage)
            return _with_zeros(text, writing.digits.get(path))
        case _:
            if path in writing.digits or _is_number_of(path):
                if said is None and _ROUNDED_ID.fullmatch(text):
                    raise CellError(f"{quoted(text)} is a number that a spreadsheet has rounded")
                if said is None and path.endswith("_id") and (damage := damage_of_id(text)):
                    raise CellError(damage)
                return _with_zeros(text, writing.digits.get(path))
            return cell if said is None and not kept else text


def _is_number_of(path: str) -> bool:
    return path.endswith(("phone_number", "postal_code", "reference", "_id"))


def _with_zeros(text: str, digits: int | None) -> str:
    """The zeros that a spreadsheet took from the beginning of a number."""
    if digits is None or not text.isascii() or not text.isdigit():
        return text
    if len(text) > digits:
        raise CellError(f"{quoted(text)} has more than {digits} digits")
    return text.zfill(digits)


def _word(text: str, one: FeedField) -> str:
    if text.casefold() not in one.words:
        raise CellError(f"{quoted(text)} is not {' or '.join(one.words)}; the columns file can say what it means")
    return text.casefold()


def _amount(text: str, path: str, one: FeedField, writing: Writing) -> str:
    if text.endswith("%"):
        if not path.endswith("discount.value"):
            raise CellError(f"{quoted(text)} is a percentage, and no amount")
        return _number(text[:-1], writing) + "%"
    number = _number(text, writing)
    if not writing.is_stated and path.rsplit(".", 1)[-1] in _SUMS and _IN_THOUSANDS.fullmatch(number):
        known = number.replace(".", "").lstrip("-")
        words = f"{quoted(text)} may be {known} or {number.lstrip('-')}"
        raise CellError(f'{words}; the columns file has to say which: decimal = "." or decimal = ","')
    if path in writing.fractions:
        number = _times_100(number)
    if path in writing.reversed:
        number = number[1:] if number.startswith("-") else f"-{number}"
    return number


def _percentage(text: str, path: str, writing: Writing) -> str:
    if text.endswith("%"):
        return _number(text[:-1], writing)
    number = _number(text, writing)
    return _times_100(number) if path in writing.fractions else number


def _times_100(number: str) -> str:
    return format(Decimal(number).scaleb(2), "f")


def _number(text: str, writing: Writing) -> str:
    """A number without what people write around it, as the columns file says that they do."""
    if _ROUNDED.fullmatch(text):
        raise CellError(f"{quoted(text)} is a number that a spreadsheet has rounded")
    bare = text.strip()
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare[1:-1] if negative else bare
    minus = bare.startswith(("-", "\u2212"))
    bare = (bare[1:] if minus else bare).strip(" \u00a0")
    if sign := _sign_of(bare, writing):
        bare = bare.removeprefix(sign) if bare.startswith(sign) else bare.removesuffix(sign)
    bare = bare.strip(" \u00a0")
    if bare.startswith(("-", "\u2212")) and not minus:
        minus, bare = True, bare[1:]
    if negative and minus:
        raise CellError(_no_number(text, writing))
    if writing.thousands == " ":
        bare = re.sub("[\u00a0\u202f\u2009]", " ", bare)
    if not _shape(writing.decimal, writing.thousands).fullmatch(bare):
        raise CellError(_no_number(text, writing))
    if writing.thousands:
        bare = bare.replace(writing.thousands, "")
    bare = bare.replace(writing.decimal, ".")
    bare = f"0{bare}" if bare.startswith(".") else bare
    try:
        Decimal(bare)
    except InvalidOperation:
        raise CellError(_no_number(text, writing)) from None
    return f"-{bare}" if negative or minus else bare


def currency_sign(cell: str, writing: Writing) -> str | None:
    """The currency sign in the cell of an amount, of those that the columns file names."""
    bare = cell.strip().removesuffix(")").removeprefix("(").strip(" \u00a0").lstrip("-\u2212").strip(" \u00a0")
    return _sign_of(bare, writing)


def _sign_of(bare: str, writing: Writing) -> str | None:
    return next((sign for sign in writing.currency_signs if bare.startswith(sign) or bare.endswith(sign)), None)


def _no_number(text: str, writing: Writing) -> str:
    shown = f"1{writing.thousands}234{writing.decimal}50"
    return f"{quoted(text)} is not a number written as {shown}; the columns file says how numbers are written"


@cache
def _shape(decimal: str, thousands: str) -> re.Pattern[str]:
    fraction = f"(?:{re.escape(decimal)}[0-9]+)?"
    grouped = f"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+{fraction}|" if thousands else ""
    return re.compile(f"{grouped}[0-9]+{fraction}|{re.escape(decimal)}[0-9]+")


# --- dates


@cache
def pattern_of(form: str) -> re.Pattern[str]:
    """A form such as `DD/MM/YYYY` as a pattern. Raises `CellError` where it does not name a whole day once."""
    tokens = _TOKEN.findall(form)
    parts = [token[0] for token in tokens]
    if sorted(part for part in parts if part in "YMD") != ["D", "M", "Y"] or len(parts) != len(set(parts)):
        raise CellError(f"{quoted(form)} is no form of a date such as DD/MM/YYYY or D MMM YY")
    if re.search("[A-Za-z]", _TOKEN.sub("", form).replace("T", "").replace("Z", "")):
        raise CellError(f"{quoted(form)} is no form of a date such as DD/MM/YYYY or D MMM YY")
    at, pattern = 0, ""
    for found in _TOKEN.finditer(form):
        pattern += re.escape(form[at : found.start()]) + _PARTS[found[0]]
        at = found.end()
    return re.compile(pattern + re.escape(form[at:]))


def _day(text: str, form: str) -> str:
    return _parsed(text, form).date().isoformat()


def _moment(text: str, form: str | None, zone: ZoneInfo | None) -> str:
    if form is None or zone is None:
        return text  # the feed's own form, which the record checks
    local = _parsed(text, form).replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise CellError(f"{quoted(text)} is in the hour in which clocks are changed: it may be two moments, or none")
    return local.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parsed(text: str, form: str) -> dt.datetime:
    found = pattern_of(form).fullmatch(text)
    if found is None or (form == ISO_DAY and len(text) != len(ISO_DAY)):
        words = f"{quoted(text)} is not a date written {form}"
        raise CellError(f"{words}; the columns file says how dates are written")
    part = found.groupdict()
    year = int(part["year"]) if part.get("year") else 2000 + int(part["short"])
    if year not in YEARS:
        raise CellError(f"{quoted(text)} is in the year {year}, which can't be meant")
    name = (part.get("name") or "").casefold()[:3]
    if not part.get("month") and name not in MONTHS:
        raise CellError(f"{quoted(text)} names no month in English")
    month = int(part["month"]) if part.get("month") else MONTHS.index(name) + 1
    hour = int(part.get("hour") or 0)
    if half := part.get("half"):
        if not 1 <= hour <= 12:
            raise CellError(f"{quoted(text)} is no time of the day")
        hour = hour % 12 + (12 if half.casefold() == "pm" else 0)
    try:
        return dt.datetime(
            year, month, int(part["day"]), hour, int(part.get("minute") or 0), int(part.get("second") or 0)
        )
    except ValueError:
        raise CellError(f"{quoted(text)} is not a day of the calendar, read as {form}") from None
