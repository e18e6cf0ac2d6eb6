"""Nothing is unbounded: whatever a server does, each conversation ends, in one error of ours."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from clinics import client, invoice
from hostile import GOOD, HANG_UP, HEAD, KINDS, LARGE, SLOW, Behaviour, hostile, pages, says, whole
from pushing import Clinic

from caspen_xero.bounded_http import BoundedClient
from caspen_xero.caspen import api
from caspen_xero.caspen.api import ApiFeed
from caspen_xero.caspen.connection import Connection
from caspen_xero.caspen.feed import FeedError
from caspen_xero.xero.connections import Connections
from caspen_xero.xero.errors import LimitReached, NoAnswer, TooSlow
from caspen_xero.xero.grants import Access, Grants
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.listing import MOST_PAGES
from caspen_xero.xero.replies import accepted
from caspen_xero.xero.transport import Transport
from tests.xero_side.told import SignedIn

SECONDS = 0.5
LARGEST = 1_000_000
LONG = 30.0
"""Seconds within which anything has to be over, however busy the machine."""


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for side in ("caspen_xero.xero.transport", "caspen_xero.caspen.connection"):
        monkeypatch.setattr(f"{side}.LONGEST_CALL", SECONDS)
        monkeypatch.setattr(f"{side}.LARGEST_BODY", LARGEST)


@contextmanager
def within_reason() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < LONG


# --- one conversation


@pytest.mark.parametrize("kind", KINDS)
def test_every_conversation_with_xero_ends_in_no_answer(kind: str) -> None:
    with (
        hostile(KINDS[kind]) as server,
        closing(Transport(server.url)) as transport,
        within_reason(),
        pytest.raises(NoAnswer) as caught,
    ):
        accepted(transport.request("POST", f"{server.url}/x", body=b"{}"), "x", "Clinic").json()
    assert isinstance(caught.value, TooSlow) == (kind in SLOW)
    assert ("1,000,000 bytes" in caught.value.message) == (kind in LARGE)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("kind", KINDS)
def test_every_conversation_with_caspen_ends_in_one_error(kind: str) -> None:
    with hostile(KINDS[kind]) as server, within_reason():
        with (
            closing(Connection(server.url, "key-1", sleep=lambda _: None)) as caspen,
            pytest.raises(FeedError) as caught,
        ):
            caspen.get(f"{server.url}/invoices")
        assert len(server.requests) <= 5
    assert (caught.value.code, caught.value.exit_code) in {("caspen-unreachable", 6), ("caspen-odd-answer", 1)}
    assert ("1,000,000 bytes" in caught.value.message) == (kind in LARGE)
    assert ("within 0.5 seconds" in caught.value.message) == (kind in SLOW)


@pytest.mark.parametrize("kind", ["a-drip-of-a-body", "a-zip-bomb", "a-length-beyond-all-numbers"])
def test_so_does_a_sign_in(kind: str) -> None:
    with (
        hostile(KINDS[kind]) as server,
        closing(Transport(server.url)) as transport,
        within_reason(),
        pytest.raises(NoAnswer),
    ):
        Grants(transport, Hosts.of(server.url), "APP").refresh("the-refresh-token")


def test_an_answer_in_time_and_size_is_whole_however_it_comes() -> None:
    body = b'{"a":"' + b"x" * 500_000 + b'"}'
    ways = [
        says(whole(gzip.compress(body), b"Content-Encoding: gzip")),
        says(HEAD + b"Connection: close\r\n\r\n" + body, HANG_UP),
        says(HEAD + b"Content-Length: 9\r\n\r\n", *(bytes([one]) for one in b'{"a":"b"}')),
    ]
    for way, wanted in zip(ways, (body, body, b'{"a":"b"}'), strict=True):
        with hostile(way) as server, closing(Transport(server.url)) as transport:
            assert transport.request("GET", f"{server.url}/x").body == wanted


class Malformed(Exception):
    """What socksio raises for a reply that it can't read; it is installed with the extra alone."""

    __module__ = "socksio.exceptions"


@pytest.mark.parametrize(
    ("below", "told"),
    [
        (Malformed("Malformed reply"), httpx.ProxyError),
        (IndexError("index out of range"), httpx.RemoteProtocolError),
        (UnicodeError("label too long"), httpx.RemoteProtocolError),
        (OSError("no such device"), httpx.RemoteProtocolError),
        (httpx.ReadError("broken"), httpx.ReadError),
    ],
)
def test_what_a_library_below_stumbles_over_is_one_of_the_known_errors(
    below: Exception, told: type[httpx.HTTPError]
) -> None:
    def stumbles(request: httpx.Request) -> httpx.Response:
        raise below

    client = BoundedClient(httpx.Client(transport=httpx.MockTransport(stumbles)), seconds=9, largest=9)
    with closing(client), pytest.raises(told):
        client.request("GET", "http://localhost/")


def test_what_was_cut_off_does_not_spoil_the_next_conversation() -> None:
    def first_drips(number: int, target: str) -> Iterator[bytes]:
        yield from SLOW["a-drip-of-a-body"](number, target) if number == 2 else [whole(GOOD)]

    with hostile(first_drips) as server, closing(Transport(server.url)) as transport:
        assert transport.request("GET", f"{server.url}/1").body == GOOD
        with pytest.raises(TooSlow):
            transport.request("GET", f"{server.url}/2")
        assert [transport.request("GET", f"{server.url}/{number}").body for number in (3, 4)] == [GOOD, GOOD]
        assert server.connections == 2


def test_a_server_that_takes_nothing_ends_a_write_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, within_reason():
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with closing(Transport(url)) as transport, pytest.raises(TooSlow):
            transport.request("PUT", f"{url}/x", body=b"x" * 30_000_000)


def test_a_list_of_connections_elsewhere_is_not_followed_with_the_token() -> None:
    with hostile(says(whole(b"[]"))) as elsewhere:
        led_on = says(whole(b"", f"Location: {elsewhere.url}/connections".encode(), status=b"302 Found"))
        with hostile(led_on) as server, closing(Transport(server.url)) as transport:
            with pytest.raises(NoAnswer):
                Connections(transport, Hosts.of(server.url), "the-access-token").linked()
            assert (len(server.requests), elsewhere.requests) == (1, [])


def test_no_cookie_is_kept() -> None:
    with hostile(says(whole(GOOD, b"Set-Cookie: a=1"))) as server, closing(Transport(server.url)) as transport:
        for _ in range(3):
            transport.request("GET", f"{server.url}/x")
        assert not any("cookie" in headers for headers in server.headers)


@pytest.fixture
def signed_in(tmp_path: Path) -> SignedIn:
    one = SignedIn(tmp_path)
    one.store.save_secret("the-refresh-token")
    one.store.save_access(Access("the-access-token", datetime.now(UTC) + timedelta(minutes=30)))
    return one


def test_a_read_whose_answers_never_come_in_time_is_tried_once_more_and_a_write_never(signed_in: SignedIn) -> None:
    with hostile(SLOW["a-drip-of-a-body"]) as server, within_reason():
        client = signed_in.client(server.url)
        with pytest.raises(TooSlow):
            client.get("Invoices")
        assert len(server.requests) == 2
        with pytest.raises(TooSlow):
            client.send("PUT", "Invoices", b"{}")
        assert len(server.requests) == 3


def test_slow_answers_among_others_that_are_none_end_too(signed_in: SignedIn) -> None:
    def in_turn(number: int, target: str) -> Iterator[bytes]:
        yield from (SLOW["a-drip-of-a-body"] if number >= 3 else says(HANG_UP))(number, target)

    with hostile(in_turn) as server, within_reason(), pytest.raises(TooSlow):
        signed_in.client(server.url).get("Invoices")
    assert len(server.requests) == 3


# --- pages


def rows(first: int, number: int, *, minutes: int | None = 0) -> list[dict[str, str]]:
    """Rows of a page: each has an id, and (but for None) a date of change, so many minutes after the last row's."""
    at = [
        {} if minutes is None else {"UpdatedDateUTC": f"/Date({1_790_000_000_000 + 60_000 * minutes * n})/"}
        for n in range(first, first + number)
    ]
    return [{"ContactID": f"id{first + n}", **at[n]} for n in range(number)]


def page_of(target: str) -> int:
    return int(parse_qs(urlsplit(target).query)["page"][0])


def counted(**pagination: object) -> dict[str, object]:
    return {"pagination": pagination}


def the_same_for_ever(number: int, target: str) -> object:
    return {"Contacts": rows(0, 2)}


def the_same_whatever_is_counted(number: int, target: str) -> object:
    return {"Contacts": rows(0, 2), **counted(pageCount=10**12, itemCount=10**12)}


def two_in_turn(number: int, target: str) -> object:
    return {"Contacts": rows(number % 2 * 2, 2, minutes=None)}


def without_ids(number: int, target: str) -> object:
    return {"Contacts": [{"Name": "A"}, {"Name": "B"}]}


def a_count_that_grows(number: int, target: str) -> object:
    return {"Contacts": rows(number * 2, 2), **counted(pageCount=page_of(target) + 1)}


def a_count_that_grows_with_later_dates(number: int, target: str) -> object:
    return {"Contacts": rows(number * 2, 2, minutes=5), **counted(pageCount=2, itemCount=4)}


def a_count_below_its_pages(number: int, target: str) -> object:
    return {"Contacts": rows(number * 2, 2, minutes=None), **counted(itemCount=4, pageCount=99)}


@pytest.mark.parametrize(
    "endless",
    [
        the_same_for_ever,
        the_same_whatever_is_counted,
        two_in_turn,
        without_ids,
        a_count_that_grows,
        a_count_that_grows_with_later_dates,
        a_count_below_its_pages,
    ],
)
def test_pages_of_xeros_without_an_end_are_no_answer(
    endless: Callable[[int, str], object], signed_in: SignedIn
) -> None:
    with hostile(pages(endless)) as server, within_reason():
        read = signed_in.client(server.url).pages("Contacts", key="Contacts", page_size=2)
        with pytest.raises(NoAnswer) as caught:
            list(islice(read, 20))
    assert "its list of Contacts" in caught.value.message
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    "count", [{}, counted(itemCount=10**15), counted(itemCount="many", pageCount=None), counted(itemCount=-1)]
)
def test_pages_that_bring_news_for_ever_end_with_the_calls_of_a_day(
    count: dict[str, object], signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.xero.listing.MOST_PAGES", 30)

    def news(number: int, target: str) -> object:
        return {"Contacts": rows(number * 2, 2, minutes=number % 2 or None), **count}

    with hostile(pages(news)) as server, within_reason():
        read = signed_in.client(server.url).pages("Contacts", key="Contacts", page_size=2)
        with pytest.raises(NoAnswer, match="goes on after 30 pages"):
            list(islice(read, 32))
    assert MOST_PAGES <= 5_000


def again_under_another_address(number: int, target: str) -> object:
    return {"data": [{"id": "inv_1"}, {"id": 2}, "odd"], "links": {"next": f"/v1/tax-rates?cursor={number}"}}


def by_turns(number: int, target: str) -> object:
    return {"data": [{"id": f"inv_{number % 3}"}], "links": {"next": f"/v1/tax-rates?cursor={number}"}}


def nothing_at_all(number: int, target: str) -> object:
    return {"data": [], "links": {"next": f"/v1/tax-rates?cursor={number}"}}


def always_more(number: int, target: str) -> object:
    return {"data": [{"id": f"inv_{number}"}], "links": {"next": f"/v1/tax-rates?cursor={number}"}}


def always_more_without_ids(number: int, target: str) -> object:
    return {"data": [{"number": number}], "links": {"next": f"/v1/tax-rates?cursor={number}"}}


@pytest.mark.parametrize(
    ("endless", "most"),
    [
        (again_under_another_address, 2),
        (by_turns, 4),
        (nothing_at_all, 101),
        (always_more, 200),
        (always_more_without_ids, 200),
    ],
)
def test_pages_of_caspens_without_an_end_are_an_odd_answer(
    endless: Callable[[int, str], object], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_PAGES", 200)
    with hostile(pages(endless)) as server, within_reason():
        feed = ApiFeed(f"{server.url}/v1", api_key="key-1", sleep=lambda _: None)
        with closing(feed), pytest.raises(FeedError) as caught:
            list(islice(feed.records(), 1_000))
        assert len(server.requests) == most
    assert (caught.value.code, caught.value.exit_code) == ("caspen-odd-answer", 1)


# --- numbers in headers

ABSURD = {
    "5000-digits": "9" * 5_000,
    "60000-digits": "9" * 60_000,
    "negative": "-5",
    "not-a-number": "nan",
    "infinite": "inf",
    "an-exponent": "1e400",
    "other-digits": "\u0663\u0664",
    "a-fraction": "0.5",
    "words": "soon",
    "no-date": "Sun, 99 Nov 99999999999 10:00:00 GMT",
    "a-date-long-gone": "Sun, 22 Nov 1998 10:00:00 GMT",
    "a-date-far-off": "Sun, 22 Nov 9998 10:00:00 GMT",
    "nothing": "",
}


def limited(
    name: str, value: str, status: bytes = b"429 Too Many Requests", body: bytes = GOOD, **more: str
) -> Behaviour:
    """Answers with such a header."""
    named = {name: value, **more}
    return says(whole(body, *(f"{key}: {told}".encode() for key, told in named.items()), status=status))


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("problem", ["minute", "day", "concurrent", "appminute", "odd", ""])
def test_an_absurd_hint_of_xeros_is_a_limit_like_any_other(value: str, problem: str, signed_in: SignedIn) -> None:
    said = {"X-Rate-Limit-Problem": problem, "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    with hostile(limited("Retry-After", ABSURD[value], **said)) as server, within_reason():
        with pytest.raises(LimitReached) as caught:
            signed_in.client(server.url).get("Invoices")
        assert len(server.requests) <= 12
    assert all(0 < seconds <= 300 for seconds, _ in signed_in.waits)
    assert len(caught.value.fix) < 100
    assert 0 <= (caught.value.retry_after or 0) <= 86_400


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("name", ["X-MinLimit-Remaining", "X-DayLimit-Remaining", "Date", "Retry-After"])
def test_an_absurd_number_in_a_good_answer_of_xeros_changes_nothing(value: str, name: str, signed_in: SignedIn) -> None:
    with hostile(limited(name, ABSURD[value], b"200 OK")) as server:
        client = signed_in.client(server.url)
        assert [client.get("Invoices").json() for _ in range(3)] == [{"Invoices": []}] * 3
    assert all(0 < seconds <= 60 for seconds, _ in signed_in.waits)


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("name", ["Retry-After", "X-RateLimit-Reset"])
@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"503 Unavailable", b"200 OK"])
def test_an_absurd_hint_of_caspens_is_waited_for_within_reason_or_left_for_later(
    value: str, name: str, status: bytes
) -> None:
    waits: list[float] = []
    said = {"X-RateLimit-Remaining": "0", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    answered = nullcontext() if status == b"200 OK" else pytest.raises(FeedError, match="Caspen answered")
    with (
        hostile(limited(name, ABSURD[value], status, b'{"data": []}', **said)) as server,
        closing(Connection(server.url, "key-1", sleep=waits.append)) as caspen,
        within_reason(),
    ):
        for _ in range(2):  # what was too long to wait for is not waited for by the next request either
            with answered:
                caspen.get(f"{server.url}/invoices")
    assert all(0 < seconds <= 120 for seconds in waits)
    assert len(server.requests) <= 10


# --- whole commands


def a_page_of_contacts(number: int, target: str) -> object:
    return {"Contacts": [{"ContactID": f"{n:08}-0000-4000-8000-000000000000", "Name": f"C{n}"} for n in range(1_000)]}


@pytest.mark.parametrize(
    "behaviour",
    [SLOW["a-drip-of-a-body"], LARGE["a-zip-bomb"], pages(a_page_of_contacts), limited("Retry-After", "9" * 5_000)],
    ids=["drip", "zip-bomb", "same-page", "retry-after"],
)
def test_a_push_to_a_hostile_xero_ends_with_one_document_lets_the_lock_go_and_loses_nothing(
    behaviour: Behaviour, ready: Clinic, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(client("1", "Nell", "Okafor"), invoice("INV-0001", client_id="1"))
    there = ready.sql("SELECT value FROM settings WHERE key = 'connection'")[0]["value"]
    with hostile(behaviour) as server, within_reason():
        ready.sql(
            "UPDATE settings SET value = ? WHERE key = 'connection'", there.replace(ready.sandbox.url, server.url)
        )
        monkeypatch.setenv("XERO_URL", server.url)
        stopped = ready.push()
        assert (stopped.exit_code, stopped.json["stopped"]["exit_code"]) == (6, 6)
        assert server.requests
    ready.sql("UPDATE settings SET value = ? WHERE key = 'connection'", there)
    monkeypatch.setenv("XERO_URL", ready.sandbox.url)
    assert ready.push().exit_code == 0
    assert list(ready.in_xero()) == ["INV-0001"]
    assert ready.unsynced() == []


@pytest.mark.parametrize(
    ("behaviour", "exit_code"),
    [
        (SLOW["a-drip-of-a-body"], 6),
        (LARGE["a-zip-bomb"], 1),
        (pages(again_under_another_address), 1),
        (limited("Retry-After", "9" * 5_000), 6),
    ],
    ids=["drip", "zip-bomb", "same-page", "retry-after"],
)
def test_a_sync_with_a_hostile_caspen_ends_with_one_document_and_lets_the_lock_go(
    behaviour: Behaviour, exit_code: int, ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASPEN_API_KEY", "key-1")
    with hostile(behaviour) as server, within_reason():
        assert ready.cli("settings", "set", "--source", f"{server.url}/v1").exit_code == 0
        ready.forget_calls()
        ended = ready.cli("sync", "--yes", "--json")
        assert ended.exit_code == exit_code
        assert ended.json["error"]["exit_code"] == exit_code
    assert ready.calls() == []
    ready.sql("DELETE FROM settings WHERE key = 'source'")
    assert ready.push().exit_code == 0
