"""Xero's JSON is read and written to the last digit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.xero.codec import UNREADABLE, decode, encode, parse_date, parse_timestamp


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_an_amount_survives_the_way_out_and_back(amount: Decimal) -> None:
    assert Decimal(decode(encode({"Total": amount}))["Total"]) == amount


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("24.10"), b"24.10"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("1E-7"), b"0.0000001"),
        (Decimal("-0.00"), b"0.00"),
        (Decimal("0.1") + Decimal("0.2"), b"0.3"),
        (date(2026, 9, 14), b'"2026-09-14"'),
        (datetime(2026, 9, 14, 9, 29, 59, tzinfo=UTC), b'"2026-09-14T09:29:59Z"'),
        ({"Name": 'Zoë "O\'Hara"\n', "Ok": True, "None": None, "List": [], "Map": {}}, None),
    ],
)
def test_what_is_written(value: object, written: bytes | None) -> None:
    assert encode(value) == written if written is not None else json.loads(encode(value)) == value


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1), object()])
def test_what_is_no_exact_value_is_never_written(value: object) -> None:
    with pytest.raises(TypeError):
        encode([value])


def test_fractions_are_read_as_decimals_and_whole_numbers_as_ints() -> None:
    read = decode(b'\xef\xbb\xbf{"a": 24.10, "b": 7, "c": 1e2}')
    assert str(read["a"]) == "24.10"
    assert read["b"] == 7
    assert not any(isinstance(value, float) for value in read.values())


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode(body)


@pytest.mark.parametrize(
    "odd", [b"NaN", b"-Infinity", b"9" * 5_000, b"1." + b"0" * 5_000, b"1e999999999", b"1e-999999999", b'1, "a": 2']
)
def test_a_value_that_says_nothing_is_unreadable_and_the_rest_is_read(odd: bytes) -> None:
    assert decode(b'{"a": ' + odd + b', "b": [1.5]}') == {"a": UNREADABLE, "b": [Decimal("1.5")]}


def test_a_key_that_says_the_same_twice_says_it() -> None:
    assert decode(b'{"a": 1, "a": 1}') == {"a": 1}


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert decode(rb'{"\ud800": ["a\udc00", "\ud83d\ude00"]}') == {"?": ["a?", "\U0001f600"]}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1573755038314+0000)/", datetime(2019, 11, 14, 18, 10, 38, 314000, tzinfo=UTC)),
        ("/Date(1573755038314+1300)/", datetime(2019, 11, 14, 18, 10, 38, 314000, tzinfo=UTC)),
        ("/Date(1789378199160)/", datetime(2026, 9, 14, 9, 29, 59, 160000, tzinfo=UTC)),
        ("/Date(-86400000)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("2026-09-14T09:29:59Z", datetime(2026, 9, 14, 9, 29, 59, tzinfo=UTC)),
        ("2019-12-07T18:46:19.5165400", datetime(2019, 12, 7, 18, 46, 19, 516540, tzinfo=UTC)),
        ("2026-09-14T09:29:59+10:00", datetime(2026, 9, 13, 23, 29, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("/Date(-62135596800000+0000)/", None),
        ("", None),
        (None, None),
    ],
)
def test_times_as_xero_writes_them(text: str | None, moment: datetime | None) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize("text", ["/Date(1789344000000+0000)/", "2026-09-14T00:00:00", "2026-09-14"])
def test_a_date_is_the_calendar_date_whatever_the_zone(text: str) -> None:
    assert parse_date(text) == date(2026, 9, 14)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "/Date(99999999999999999999)/",
        "2026-13-01",
        "14/09/2026",
        "0001-01-01T00:00:00+10:00",
        f"/Date({'9' * 5_000})/",
        5,
        [],
    ],
)
def test_a_time_that_cannot_be_read_is_a_value_error(text: object) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)
