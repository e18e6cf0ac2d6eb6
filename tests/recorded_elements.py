"""Elements of the shapes that the real Xero answered: made-up values in recorded formats, each key there as often as it may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.sandbox.recorded.shape import Recorded, parent_of, recorded

_WORDS: Mapping[str, tuple[str, ...]] = {
    "Status": ("DRAFT", "AUTHORISED", "PAID", "VOIDED"),
    "PaymentType": ("ACCRECPAYMENT",),
    "CurrencyCode": ("AUD", "NZD"),
    "BaseCurrency": ("AUD", "NZD"),
    "TaxType": ("OUTPUT", "NONE"),
    "StatusAttributeString": ("OK",),
    "PhoneType": ("DEFAULT", "MOBILE"),
    "AddressType": ("STREET", "POBOX"),
}
_TYPES = {"invoice": "ACCREC", "bill": "ACCPAY", "credit_note": "ACCRECCREDIT"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = st.dates(date(2008, 1, 1), date(2026, 12, 31))
_TIMES = st.datetimes(datetime(2008, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "bool": st.booleans(),
    "amount": st.decimals(0, 5000, places=2),
    "number": st.decimals(0, 5000, places=4).filter(lambda value: round(value, 2) != value),
    "blank": st.just(""),
    "text": st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8),
    "uuid": st.uuids().map(str),
    "date": _DAYS.map(lambda day: f"/Date({_milliseconds(_midnight(day))}+0000)/"),
    "time": _TIMES.map(lambda moment: f"/Date({_milliseconds(moment)}+0000)/"),
    "ticks": _TIMES.map(lambda moment: f"/Date({_milliseconds(moment)})/"),
    "day": _DAYS.map(lambda day: f"{day}T00:00:00"),
    "utc": _TIMES.map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z"),
    "moment": _TIMES.map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.5165400"),
}


@st.composite
def elements(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """An element of this shape."""
    return _built(draw, recorded(name), "")


def _built(draw: st.DrawFn, shape: Recorded, parent: str) -> dict[str, Any]:
    built = {}
    for path, seen in shape.keys.items():
        if parent_of(path) == parent and (seen.always or draw(st.booleans())):
            built[path.rpartition(".")[2]] = _value(draw, shape, path, draw(st.sampled_from(sorted(seen.formats))))
    return built


def _value(draw: st.DrawFn, shape: Recorded, path: str, kind: str) -> Any:
    if kind == "object":
        return _part(draw, shape, path)
    if kind in ("list", "empty"):
        return [_part(draw, shape, f"{path}[]") for _ in range(draw(st.integers(1, 2)) if kind == "list" else 0)]
    if kind == "word":
        mine = _TYPES.get(shape.name.partition(".")[0]) if path == "Type" else None
        return mine or draw(st.sampled_from(_WORDS.get(path.rpartition(".")[2], ("WORD",))))
    return draw(_VALUES[kind])


def _part(draw: st.DrawFn, shape: Recorded, path: str) -> dict[str, Any]:
    """The object at a path: built as its own shape where it has one."""
    part = shape.apart.get(path)
    return _built(draw, recorded(part), "") if part else _built(draw, shape, path)


# --- what may be left out


@st.composite
def told_and_left_out(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An element of this shape that agrees with itself, and without some of the keys that recorded ones now had, now had not."""
    whole = _in_agreement(draw(elements(name)))
    return whole, _left_out(draw, recorded(name), "", whole)


def _in_agreement(element: dict[str, Any]) -> dict[str, Any]:
    """Sums are those of what is listed, and of each kind of address or telephone there is one."""
    if "CreditNotes" in element and "AmountCredited" in element:
        element["AmountCredited"] = sum((one["AppliedAmount"] for one in element["CreditNotes"]), Decimal(0))
    if "Payments" in element and "AmountPaid" in element:
        element["AmountPaid"] = sum((one["Amount"] for one in element["Payments"]), Decimal(0))
    for part, kind in (("Addresses", "AddressType"), ("Phones", "PhoneType")):
        for one, word in zip(element.get(part, []), _WORDS[kind], strict=False):
            one[kind] = word
    return element


def _left_out(draw: st.DrawFn, shape: Recorded, parent: str, element: Mapping[str, Any]) -> dict[str, Any]:
    left = {}
    for key, value in element.items():
        path = f"{parent}.{key}" if parent else key
        if shape.keys[path].always or draw(st.booleans()):
            left[key] = _left_out_of_value(draw, shape, path, value)
    return left


def _left_out_of_value(draw: st.DrawFn, shape: Recorded, path: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_left_out_of_value(draw, shape, f"{path}[]", one) for one in value]
    if not isinstance(value, dict):
        return value
    part = shape.apart.get(path)
    return _left_out(draw, recorded(part), "", value) if part else _left_out(draw, shape, path, value)
