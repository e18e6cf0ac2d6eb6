"""How Xero writes things: dates, exact numbers, JSON bodies, envelopes and its pages that are no JSON."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from caspen_xero.sandbox.seam import ApiAnswer

NOWHERE = "00000000-0000-0000-0000-000000000000"
EPOCH = date(1970, 1, 1)
_MS_DATE = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/\Z")
_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ][0-9:.]*(?:Z|[+-]\d{2}:?\d{2})?)?\Z")
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{0,20})?\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")

# The standard library's encoder can't write a Decimal as a number. It writes it as a string with this mark, known to
# nobody outside this process, and the quotes and the mark are taken off again.
_MARK = f"number-{secrets.token_hex(12)}:"
_MARKED = re.compile(f'"{_MARK}([^"]+)"')


class NotReadable(ValueError):
    """A value that Xero's JSON reader could not turn into a number or a date."""


def _mark(value: Any) -> str:
    if isinstance(value, Decimal):
        return _MARK + digits(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def digits(value: Decimal) -> str:
    """The exact digits of a number as Xero writes them: `24.15`, `21.0`, never an exponent."""
    text = format(value, "f")
    if "." not in text:
        return text + ".0"
    text = text.rstrip("0")
    if text.endswith("."):
        text += "0"
    return "0.0" if text == "-0.0" else text


def to_json(value: Any) -> str:
    """JSON text in which every `Decimal` is a number with its exact digits."""
    text = json.dumps(value, default=_mark, ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub(r"\1", text)


def _no_constant(name: str) -> Any:
    raise NotReadable(f"{name} is not JSON")


def from_json(text: str | bytes) -> Any:
    """Reads JSON; numbers with a point become `Decimal`. Raises ValueError (also for NaN, and for bad UTF-8)."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        raise NotReadable("nested too deeply") from error


def read_number(value: Any) -> Decimal:
    """A number from JSON: a number, or a string of plain digits. Raises NotReadable."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise NotReadable(f"Could not convert {value!r} to a number.")
    try:
        number = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation as error:
        raise NotReadable(f"Could not convert {value!r} to a number.") from error
    if isinstance(value, str) and not _NUMBER.match(value.strip()):
        raise NotReadable(f"Could not convert {value!r} to a number.")
    if not number.is_finite() or abs(number.adjusted()) > 28:
        if number == 0:
            return Decimal(0)
        raise NotReadable(f"Could not convert {value!r} to a number.")
    return number


def read_date(value: Any) -> str:
    """A calendar date as `YYYY-MM-DD` from `YYYY-MM-DD`, a date with a time (cut off), or `/Date(ms)/`. Raises NotReadable."""
    text = str(value).strip()
    if match := _MS_DATE.match(text):
        try:
            return (EPOCH + timedelta(milliseconds=int(match[1]))).isoformat()
        except OverflowError as error:
            raise NotReadable(f"Could not convert {text!r} to a date.") from error
    if match := _ISO_DATE.match(text):
        try:
            return date.fromisoformat(match[1]).isoformat()
        except ValueError as error:
            raise NotReadable(f"Could not convert {text!r} to a date.") from error
    raise NotReadable(f"Could not convert {text!r} to a date.")


def read_id(value: Any) -> str:
    """A Xero id in its usual spelling; text that is no UUID is given back as it is, and will match nothing."""
    text = str(value).strip()
    if _UUID.match(text):
        return str(uuid.UUID(text))
    return text


def is_id(text: str) -> bool:
    return bool(_UUID.match(text))


def new_id() -> str:
    return str(uuid.uuid4())


def xero_date(day: str) -> str:
    """`/Date(1789344000000+0000)/`: midnight UTC of a calendar date."""
    return f"/Date({(date.fromisoformat(day) - EPOCH).days * 86_400_000}+0000)/"


def dated(name: str, day: str | None) -> dict[str, str]:
    """A date as Xero shows it twice: `DateString` and `Date`. Nothing where there is no date."""
    if not day:
        return {}
    return {f"{name}String": f"{day}T00:00:00", name: xero_date(day)}


def xero_time(milliseconds: int) -> str:
    return f"/Date({milliseconds}+0000)/"


def utc_text(milliseconds: int) -> str:
    """`2026-09-14T09:29:59Z`, the `UpdatedDateUTCString` of an answer."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def updated(milliseconds: int) -> dict[str, str]:
    return {"UpdatedDateUTCString": utc_text(milliseconds), "UpdatedDateUTC": xero_time(milliseconds)}


def milliseconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def read_since(header: str) -> int | None:
    """The whole second (UTC, since 1970) that an If-Modified-Since header names; None where it can't be read."""
    text = header.strip()
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return milliseconds(moment) // 1000


def json_answer(value: Any, status: int = 200) -> ApiAnswer:
    return ApiAnswer(status, to_json(value).encode("utf-8", "surrogatepass"))


def envelope(app_name: str, now: datetime, key: str, elements: list[Any], pagination: dict[str, int] | None) -> Any:
    """The outer shape of an answer that holds documents."""
    body: dict[str, Any] = {
        "Id": new_id(),
        "Status": "OK",
        "ProviderName": app_name,
        "DateTimeUTC": f"/Date({milliseconds(now)})/",
    }
    if pagination is not None:
        body["pagination"] = pagination
    body[key] = elements
    return body


def not_found() -> ApiAnswer:
    """Xero's 404 is a page, not JSON (recorded answers of September 2026)."""
    return ApiAnswer(404, b"The resource you're looking for cannot be found", "text/html; charset=utf-8")
