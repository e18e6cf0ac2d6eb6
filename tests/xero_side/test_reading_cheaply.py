"""Documents by their ids cost the fewest calls, in whatever form, and none of them is missed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from caspen_xero.xero.addresses import LONGEST_QUERY, Params, with_query
from caspen_xero.xero.codec import decode
from caspen_xero.xero.dealings import AppliedCredit
from caspen_xero.xero.errors import NotFound
from caspen_xero.xero.reading import (
    applied_credits,
    batches_by_id,
    contacts_by_id,
    credit_note_by_id,
    credits_by_id,
    deleted_payments_on,
    invoices_by_id,
    payment_by_id,
    payments_by_id,
)

READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "Contacts": contacts_by_id,
    "Invoices": invoices_by_id,
    "Payments": payments_by_id,
}


def ids(number: int, first: int = 0) -> list[str]:
    return [str(UUID(int=nth + 1)) for nth in range(first, first + number)]


@dataclass
class Answered:
    """An answer of that Xero."""

    body: bytes
    status: int = 200
    xero_time: datetime | None = None

    def json(self) -> Any:
        return decode(self.body)


@dataclass
class SomeXero:
    """A Xero with so many documents of a kind. `hidden`: those that its pages pass by, as when one changes between two pages."""

    plural: str
    size: int
    hidden: frozenset[str] = frozenset()
    not_found: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return len(self.asked)

    def get(self, path: str, params: Params | None = None, *, since: datetime | None = None) -> Answered:
        query = with_query("", params).removeprefix("?")
        assert len(query) <= LONGEST_QUERY
        self.asked.append(f"{path}?{query}")
        if path in self.not_found:
            raise NotFound(path)
        name, told = f"{self.plural.removesuffix('s')}ID", {**(params or {})}
        where = str(told.get("where", ""))
        wanted = re.findall(r'ID==guid\("(.+?)"\)', where) or [
            one for one in str(told.get("IDs", "")).split(",") if one
        ]
        if "/" in path:
            wanted = [path.rpartition("/")[2]]
        page, size = int(told.get("page", 1)), int(told.get("pageSize", 100))
        first = (page - 1) * size
        in_page = ids(max(0, min(size, self.size - first)), first)
        shown = [id_ for id_ in wanted if UUID(id_).int <= self.size] if wanted else in_page
        body = {
            "pagination": {"page": page, "pageCount": -(-(len(wanted) or self.size) // size)},
            self.plural: [{name: id_} for id_ in shown if wanted or id_ not in self.hidden],
        }
        return Answered(json.dumps(body).encode())

    def pages(self, path: str, *, key: str, params: Params | None = None, since: datetime | None = None) -> Any:
        yield self.get(path, params, since=since).json()[key]


@pytest.mark.parametrize("plural", READERS)
@pytest.mark.parametrize(
    ("wanted", "of", "most"),
    [
        (1, 100_000, 1),
        (40, 100_000, 2),
        (100, 100, 4),
        (300, 300, 1),
        (1_000, 1_000, 1),
        (1_000, 5_000, 5),
        (1_000, 1_000_000, 41),
        (10_000, 10_000, 10),
        (10_000, 100_000, 101),
    ],
)
def test_calls_for_so_many_wanted_of_so_many(plural: str, wanted: int, of: int, most: int) -> None:
    xero = SomeXero(plural, of)
    assert set(READERS[plural](xero, ids(wanted))) == set(ids(wanted))
    assert xero.calls <= most


@pytest.mark.parametrize("plural", READERS)
def test_what_the_pages_pass_by_is_asked_for_by_its_id(plural: str) -> None:
    missed = frozenset(ids(3, first=500))
    xero = SomeXero(plural, 2_000, hidden=missed)
    unknown = ids(2, first=5_000)
    assert set(READERS[plural](xero, [*ids(1_000), *unknown, "no id"])) == set(ids(1_000))
    assert xero.calls <= 3


def test_many_credits_are_read_in_pages_and_few_by_their_paths() -> None:
    many, few = SomeXero("CreditNotes", 900), SomeXero("CreditNotes", 900)
    assert len(credits_by_id(many, "credit_note", ids(900))) == 900  # type: ignore[arg-type] - it is asked for no more
    assert len(credits_by_id(few, "credit_note", ids(3))) == 3  # type: ignore[arg-type]
    assert (many.calls, [asked.partition("/")[0] for asked in few.asked]) == (1, ["CreditNotes"] * 3)


def test_credits_that_invoices_list_are_read_in_pages_too() -> None:
    xero = SomeXero("CreditNotes", 900, hidden=frozenset(ids(2, first=4)))
    applied = [AppliedCredit("credit_note", id_, Decimal(1), None) for id_ in ids(30)]
    assert set(applied_credits(xero, [*applied, *applied])) == set(ids(30))  # type: ignore[arg-type]
    assert [asked.partition("?")[0] for asked in xero.asked] == [
        "CreditNotes",
        *(f"CreditNotes/{id_}" for id_ in ids(2, first=4)),
    ]


def test_batches_are_read_in_a_list_and_what_that_does_not_show_by_itself() -> None:
    one, many = SomeXero("BatchPayments", 900), SomeXero("BatchPayments", 900)
    (unknown,) = ids(1, first=5_000)
    assert set(batches_by_id(one, ids(1))) == set(ids(1))  # type: ignore[arg-type]
    assert set(batches_by_id(many, [*ids(10), unknown, "no id"])) == set(ids(10))  # type: ignore[arg-type]
    assert [asked.partition("?")[0] for asked in one.asked] == [f"BatchPayments/{ids(1)[0]}"]
    assert [asked.partition("?")[0] for asked in many.asked] == [
        "BatchPayments",
        f"BatchPayments/{unknown}",
        "BatchPayments",  # an answer without it is not a no: the list has the last word
    ]


def test_deleted_payments_of_many_invoices_are_read_from_all_payments_where_that_is_cheaper() -> None:
    small, large = SomeXero("Payments", 900), SomeXero("Payments", 900_000)
    deleted_payments_on(small, ids(1_000))  # type: ignore[arg-type]
    deleted_payments_on(large, ids(1_000))  # type: ignore[arg-type]
    assert small.calls == 2
    assert large.calls < 50


# --- a 404 is a web page, whoever says it


def test_what_a_list_shows_is_not_gone_though_its_own_address_is_not_found() -> None:
    (there,) = ids(1)
    xero = SomeXero("Payments", 1, not_found=(f"Payments/{there}",))
    found = payment_by_id(xero, there)  # type: ignore[arg-type]
    assert found is not None
    assert found.payment_id == there


def test_what_no_list_shows_is_gone() -> None:
    (gone,) = ids(1, first=7)
    xero = SomeXero("CreditNotes", 1, not_found=(f"CreditNotes/{gone}",))
    assert credit_note_by_id(xero, gone) is None  # type: ignore[arg-type]
    assert xero.calls == 2
