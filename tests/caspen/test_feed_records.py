"""What a record may look like: money exact or refused, dates and moments strict, missing things named."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from export_forms import clinic, invoice, payment
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.caspen.exact_json import decode, encode
from caspen_xero.caspen.records import Invoice, Payment, RecordError, parse_record


def refused(record: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(RecordError) as error:
        parse_record(record)
    return error.value.field, error.value.reason


def an_invoice(**changes: Any) -> Invoice:
    record = parse_record(invoice(**changes))
    assert isinstance(record, Invoice)
    return record


@pytest.mark.parametrize(
    "value",
    [
        "1_000",
        "1e3",
        "1E-2",
        "NaN",
        "Infinity",
        "-Infinity",
        " 1",
        "1 ",
        "1,50",
        "+1",
        ".5",
        "5.",
        "$5",
        "",
        "١٥",
        "1\n",
    ],
)
def test_what_is_no_plain_decimal_is_refused(value: str) -> None:
    assert refused(invoice(total=value))[0] == "total"


@pytest.mark.parametrize("value", ["1" * 15, "0." + "1" * 14, True, False, 1.5, [], {}])
def test_what_is_no_number_of_sane_length_is_refused(value: object) -> None:
    assert refused(invoice(total=value))[0] == "total"


@pytest.mark.parametrize(
    "written", ["1e2", "1.5E+1", "NaN", "Infinity", "-Infinity", "1" * 5000, "1e999999999999999999999"]
)
def test_json_numbers_that_no_one_writes_for_money_are_refused_where_they_stand(written: str) -> None:
    field, reason = refused({**invoice(), "total": decode(written)})
    assert field == "total"
    assert len(reason) < 150
    assert an_invoice(something_else=decode(written)) == an_invoice()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_json_number_and_a_string_are_read_as_the_same_exact_decimal(amount: Decimal) -> None:
    text = format(amount, "f")
    from_number, from_text = an_invoice(total=decode(text)).total, an_invoice(total=text).total
    assert from_number == from_text == amount
    assert from_number is not None
    assert from_number.as_tuple().exponent == -4 or not from_number


def test_binary_fractions_never_come_in() -> None:
    assert an_invoice(total=decode("0.1")).total == Decimal("0.1")
    assert str(an_invoice(total=decode("150.10")).total) == "150.10"


@pytest.mark.parametrize(
    "value", ["20261102", "2026-11-2", "2026-02-30", "02/11/2026", "2026-11-02T00:00:00Z", "2026-W45-1"]
)
def test_dates_are_year_month_day_and_nothing_else(value: str) -> None:
    assert refused(invoice(issue_date=value))[0] == "issue_date"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02T03:04:05Z",
        "2026-11-02T14:04:05+11:00",
        "2026-11-02T03:04:05.000Z",
        "2026-11-02T03:04:05",
        "2026-11-01T22:04:05-0500",
    ],
)
def test_timestamps_of_any_offset_are_one_moment_in_utc(written: str) -> None:
    stamp = an_invoice(updated_at=written).updated_at
    assert stamp == dt.datetime(2026, 11, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert stamp.tzinfo is dt.UTC


@pytest.mark.parametrize(
    "value", ["2026-11-02", "yesterday", "2026-11-02T25:00:00Z", 1730516645, "0001-01-01T00:00:00+10:00"]
)
def test_what_is_no_timestamp_is_refused(value: object) -> None:
    assert refused(invoice(updated_at=value))[0] == "updated_at"


@pytest.mark.parametrize("field", ["number", "subtotal", "tax", "total"])
@pytest.mark.parametrize("status", ["open", "paid", "void"])
def test_a_finalised_invoice_has_a_number_and_totals(status: str, field: str) -> None:
    assert refused(invoice(status=status, **{field: None})) == (
        field,
        f"is missing, but the invoice's status is {status}",
    )


def test_a_draft_may_lack_what_finalising_gives_it() -> None:
    draft = an_invoice(
        status="draft", number=None, due_date=None, subtotal=None, tax=None, total=None, finalized_at=None
    )
    assert (draft.number, draft.total) == (None, None)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"status": "sent"}, "status", "'sent' is not 'draft', 'open', 'paid', 'void' or 'deleted'"),
        ({"tax_mode": None}, "tax_mode", "is missing"),
        ({"currency": "aud"}, "currency", "'aud' is not three capital letters, as in AUD or GBP"),
        ({"client_id": " "}, "client_id", "is empty"),
        ({"client_id": True}, "client_id", "is not text"),
        ({"id": None}, "id", "is missing"),
        ({"lines": {}}, "lines", "is not a list"),
        ({"lines": [7]}, "lines[0]", "is not an object with fields"),
        ({"reference": ["a"]}, "reference", "is not text"),
        ({"object": None}, "object", "is missing: every record names its kind"),
        ({"object": "appointment"}, "object", "'appointment' is not a kind of record that the feed knows"),
    ],
)
def test_each_fault_names_its_field_and_says_why(changes: dict[str, Any], field: str, reason: str) -> None:
    assert refused(invoice(**changes)) == (field, reason)


def test_all_faulty_fields_are_named_at_once() -> None:
    field, reason = refused(invoice(total="x", tax="y", currency="z"))
    assert field == "currency"
    assert reason.endswith("(also wrong: tax, total)")


ODD = [[], {}, True, [[["x"] * 3]], {"a": {"b": None}}, decode("1e999999"), decode('{"a": 1, "a": 2}')["a"]]


SPARE = ("title", "preferred_name", "type", "description", "reason", "finalized_at", "anything_else")


@pytest.mark.parametrize("odd", ODD)
def test_a_field_that_nothing_uses_stops_nothing(odd: object) -> None:
    for record in clinic():
        changed = {**record, **dict.fromkeys(SPARE, odd)}
        if record["object"] == "payment":
            changed["client_id"] = odd
            changed["allocations"] = [{**each, "date": odd} for each in record["allocations"]]
        if record["object"] == "credit_note":
            changed["lines"] = [{**each, "invoice_line_id": odd} for each in record["lines"]]
        left_out: list[str] = []
        found = parse_record(changed, left_out)
        assert (found.id, left_out) == (record["id"], [])


@pytest.mark.parametrize("odd", ODD)
def test_what_a_contact_can_do_without_is_left_out_and_told(odd: object) -> None:
    fields = ["email", "phone_number", "phone_numbers", "address"]
    record = clinic()[2]
    for name in fields:
        if (name, odd) in (("phone_numbers", []), ("address", {}), ("address", {"a": {"b": None}})):
            continue
        left_out: list[str] = []
        found = parse_record({**record, name: odd}, left_out)
        assert (left_out, getattr(found, name) or None) == ([name], None)
        assert [getattr(found, other) for other in fields if other != name] == [
            getattr(parse_record(record), other) for other in fields if other != name
        ]


@pytest.mark.parametrize("value", ["101", "-1", "100.01"])
def test_a_percentage_off_is_between_0_and_100(value: str) -> None:
    record = invoice()
    record["lines"][0]["discount"]["value"] = value
    assert refused(record)[0] == "lines[0].discount"


def test_ids_are_text_of_any_length_and_whole_numbers_are_taken_as_text() -> None:
    long = "cli_" + "0" * 500
    assert an_invoice(client_id=1048237).client_id == "1048237"
    assert an_invoice(client_id=long).client_id == long


def test_text_is_kept_as_it_came_control_characters_too() -> None:
    assert an_invoice(reference="a\x1b[31m\x00\u202eb").reference == "a\x1b[31m\x00\u202eb"


def test_half_a_character_becomes_a_mark_that_a_database_can_hold() -> None:
    text = decode('"cut off \\ud83d and whole \\ud83d\\ude00"')
    assert text == "cut off \ufffd and whole 😀"


def test_a_payment_may_be_on_no_invoice_and_of_no_method() -> None:
    money = parse_record(payment(allocations=None, method_id="", status="unallocated"))
    assert isinstance(money, Payment)
    assert (money.allocations, money.method_id) == ((), None)


@pytest.mark.parametrize("raw", clinic(), ids=lambda raw: f"{raw['object']} {raw['id']}")
def test_a_stored_record_reads_back_as_the_same_record(raw: dict[str, Any]) -> None:
    record = parse_record(raw)
    assert type(record).model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("total", ["0.0000001", "0.0000000", "-12.340", "99999999999999"])
def test_a_stored_amount_keeps_its_digits(total: str) -> None:
    stored = Invoice.model_validate_json(an_invoice(total=total).model_dump_json())
    assert f"{stored.total:f}" == total


def test_what_we_write_has_exact_decimals_and_never_a_float() -> None:
    assert encode({"amount": Decimal("1E+2"), "date": dt.date(2026, 11, 3), "reconciled": None}) == (
        '{"amount": "100", "date": "2026-11-03", "reconciled": null}'
    )
    with pytest.raises(TypeError):
        encode({"amount": 0.1})
