"""Every document is read, also while documents change between two pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from tests.xero_side.told import Reply, Seen, SignedIn, told

START = datetime(2026, 9, 14, 9, 0, 0, tzinfo=UTC)


class Books:
    """Contacts with their times, answered as Xero does: newest last, If-Modified-Since to the second, by page."""

    def __init__(self, seconds: list[float], *, tells_pages: bool = True, inclusive: bool = True) -> None:
        self.updated = {f"id{number:04}": START + timedelta(seconds=at) for number, at in enumerate(seconds)}
        self.tells_pages, self.inclusive = tells_pages, inclusive
        self.between: Callable[[int], None] = lambda request: None
        self.requests = 0

    def touch(self, contact_id: str, at: float) -> None:
        self.updated[contact_id] = START + timedelta(seconds=at)

    def answer(self, seen: Seen) -> Reply:
        self.requests += 1
        self.between(self.requests)
        rows = sorted(self.updated.items(), key=lambda row: (row[1], row[0]))
        if since := seen.headers.get("if-modified-since"):
            edge = datetime.fromisoformat(since).replace(tzinfo=UTC)
            rows = [row for row in rows if row[1] > edge or (self.inclusive and row[1] == edge)]
        size, page = int(seen.query["pageSize"]), int(seen.query["page"])
        told_rows = [
            {"ContactID": name, "UpdatedDateUTC": f"/Date({int(at.timestamp() * 1000)}+0000)/"}
            for name, at in rows[(page - 1) * size : page * size]
        ]
        document: dict[str, object] = {"Contacts": told_rows}
        if self.tells_pages:
            count = -(-len(rows) // size)
            document["pagination"] = {"page": page, "pageSize": size, "pageCount": count, "itemCount": len(rows)}
        return Reply(200, json.dumps(document))


def read(
    books: Books, signed_in: SignedIn, since: datetime | None = None, page_size: int = 10
) -> list[tuple[str, str]]:
    with told(books.answer) as xero:
        pages = signed_in.client(xero.url).pages(
            "Contacts", key="Contacts", params={"summaryOnly": "true"}, since=since, page_size=page_size
        )
        return [(row["ContactID"], row["UpdatedDateUTC"]) for row in chain.from_iterable(pages)]


@pytest.mark.parametrize("tells_pages", [True, False])
@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 35, 100])
@pytest.mark.parametrize("step", [0.0, 0.05, 0.4, 1.0, 30.0])
def test_everything_comes_exactly_once(
    signed_in: SignedIn, number: int, step: float, tells_pages: bool, inclusive: bool
) -> None:
    books = Books([at * step for at in range(number)], tells_pages=tells_pages, inclusive=inclusive)
    assert sorted(name for name, _ in read(books, signed_in)) == sorted(books.updated)


def test_one_page_that_is_not_full_is_one_call(signed_in: SignedIn) -> None:
    books = Books([1, 2, 3])
    assert len(read(books, signed_in, START)) == 3
    assert books.requests == 1


def test_only_what_changed_since_is_read(signed_in: SignedIn) -> None:
    books = Books([at * 10.0 for at in range(40)])
    names = [name for name, _ in read(books, signed_in, START + timedelta(seconds=205))]
    assert names == [f"id{number:04}" for number in range(21, 40)]


def test_nothing_is_skipped_when_a_document_of_a_page_read_changes_before_the_next(signed_in: SignedIn) -> None:
    books = Books([at * 10.0 for at in range(40)])

    def change(request: int) -> None:
        if request == 2:
            for number in range(5):
                books.touch(f"id{number:04}", 1000.0 + number)

    books.between = change
    rows = read(books, signed_in)
    assert {name for name, _ in rows} == set(books.updated)
    assert len(rows) == 45  # the five changed ones came in both versions
    assert len(set(rows)) == 45


def test_rows_without_times_or_in_another_order_are_still_read_page_by_page(signed_in: SignedIn) -> None:
    replies = [
        Reply(200, json.dumps({"Contacts": [{"ContactID": "b"}, {"ContactID": "a"}]})),
        Reply(200, json.dumps({"Contacts": [{"ContactID": "c"}]})),
    ]
    with told(*replies) as xero:
        pages = signed_in.client(xero.url).pages("Contacts", key="Contacts", page_size=2)
        assert [row["ContactID"] for row in chain.from_iterable(pages)] == ["b", "a", "c"]
        assert [seen.query["page"] for seen in xero.seen] == ["1", "2"]
        assert "if-modified-since" not in xero.seen[1].headers
