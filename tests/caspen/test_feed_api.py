"""The feed over HTTP: Caspen's conventions kept, the key shown to nobody else, and cursors that skip nothing."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from caspen_server import CaspenServer
from export_forms import clinic, invoice, payment

from caspen_xero.caspen.api import OVERLAP, ApiFeed
from caspen_xero.caspen.connection import find_api_key
from caspen_xero.caspen.feed import BadRecord, FeedError
from caspen_xero.caspen.records import Payment, Record

KEY = "secret-key-1"


@pytest.fixture
def caspen() -> Iterator[CaspenServer]:
    with CaspenServer(clinic(invoices=120), key=KEY) as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    """The waits that a feed asked for, in seconds, none of them waited."""
    return []


@pytest.fixture
def feed(caspen: CaspenServer, waits: list[float]) -> Iterator[ApiFeed]:
    opened = ApiFeed(caspen.url, api_key=KEY, sleep=waits.append)
    yield opened
    opened.close()


def again(caspen: CaspenServer, before: ApiFeed) -> list[Record | BadRecord]:
    """What a later reading brings, from the cursors of the one before."""
    caspen.requests.clear()
    later = ApiFeed(caspen.url, api_key=KEY, cursors=before.cursors)
    try:
        return list(later.records())
    finally:
        later.close()


def refused(feed: ApiFeed) -> FeedError:
    with pytest.raises(FeedError) as error:
        list(feed.records())
    assert KEY not in f"{error.value.message} {error.value.fix}"
    return error.value


def test_each_kind_is_read_in_pages_of_100_with_the_key_in_its_header(caspen: CaspenServer, feed: ApiFeed) -> None:
    assert len(list(feed.records())) == len(caspen.records)
    assert [request.path for request in caspen.requests] == [
        "/v1/tax-rates",
        "/v1/payment-methods",
        "/v1/clients",
        "/v1/contacts",
        "/v1/invoices",
        "/v1/invoices",
        "/v1/payments",
        "/v1/credit-notes",
    ]
    assert {request.query["limit"] for request in caspen.requests} == {"100"}
    assert {request.key for request in caspen.requests} == {KEY}
    assert not any(KEY in str(request.query) or KEY in request.path for request in caspen.requests)


def test_the_next_page_is_asked_for_exactly_as_given(caspen: CaspenServer, feed: ApiFeed) -> None:
    link = f"{caspen.url}/tax-rates?cursor=a%2Bb%2F%3D%3D%20c&limit=100"
    caspen.answer_next(200, {"data": [], "links": {"prev": None, "next": link}})
    caspen.answer_next(200, {"data": [], "links": {"prev": None, "next": None}})
    list(feed.records())
    assert caspen.requests[1].query == {"cursor": "a+b/== c", "limit": "100"}


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/v1/x", "http://127.0.0.1:1/v1/x", "//evil.example/x", "http://u:p@{host}/v1/x", 7],
)
def test_the_key_is_never_sent_to_another_server(elsewhere: object, caspen: CaspenServer, feed: ApiFeed) -> None:
    link = elsewhere.format(host=caspen.url.split("/")[2]) if isinstance(elsewhere, str) else elsewhere
    caspen.answer_next(200, {"data": [], "links": {"next": link}})
    assert refused(feed).code == "caspen-odd-answer"
    assert len(caspen.requests) == 1


def test_a_redirect_is_not_followed(caspen: CaspenServer, feed: ApiFeed) -> None:
    with CaspenServer([], key=KEY) as other:
        caspen.answer_next(302, Location=f"{other.url}/tax-rates")
        assert refused(feed).code == "caspen-odd-answer"
        assert other.requests == []


def test_pages_that_go_in_a_circle_end_the_reading(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(200, {"data": [], "links": {"next": f"{caspen.url}/tax-rates?limit=100"}})
    assert refused(feed).code == "caspen-odd-answer"


def test_a_later_reading_asks_only_for_what_changed_a_little_overlapped(caspen: CaspenServer, feed: ApiFeed) -> None:
    list(feed.records())
    newest = max(record["updated_at"] for record in caspen.records.values() if record["object"] == "invoice")
    caspen.put(invoice(500, updated_at="2026-11-20T00:00:00Z"))
    found = again(caspen, feed)
    asked = {request.path: request.query.get("updated_since") for request in caspen.requests}
    since = dt.datetime.fromisoformat(newest) - OVERLAP
    assert asked["/v1/invoices"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "inv_500" in {record.id for record in found}
    assert "inv_001" in {record.id for record in found}, "within the overlap"


def test_kinds_without_update_times_are_read_whole_each_time(caspen: CaspenServer, feed: ApiFeed) -> None:
    list(feed.records())
    assert set(feed.cursors) == {"invoice", "payment", "credit_note"}
    found = again(caspen, feed)
    assert {record.id for record in found} >= {"tax_gst", "pmt_eftpos", "1048237", "cli_01HQFQ9QWT", "con_77"}


def test_a_reading_that_brings_nothing_new_keeps_its_cursors(caspen: CaspenServer, feed: ApiFeed) -> None:
    list(feed.records())
    caspen.records.clear()
    later = ApiFeed(caspen.url, api_key=KEY, cursors=feed.cursors)
    assert list(later.records()) == []
    later.close()
    assert later.cursors == feed.cursors


def test_a_bad_record_comes_back_until_it_is_mended(caspen: CaspenServer, feed: ApiFeed) -> None:
    list(feed.records())
    caspen.put(invoice(600, total="abc", updated_at="2026-11-18T00:00:00Z"))
    caspen.put(invoice(601, updated_at="2026-11-19T00:00:00Z"))
    broken = ApiFeed(caspen.url, api_key=KEY, cursors=feed.cursors, sleep=lambda _: None)
    [bad] = [record for record in broken.records() if isinstance(record, BadRecord)]
    assert (bad.id, bad.field, bad.file) == ("inv_600", "total", f"{caspen.url}/invoices")
    assert broken.cursors["invoice"] == feed.cursors["invoice"]
    broken.close()
    caspen.put(invoice(600, updated_at="2026-11-18T00:00:00Z"))
    assert "inv_600" in {record.id for record in again(caspen, broken)}


def test_a_stamp_in_the_future_does_not_hide_what_comes_after(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.put(invoice(700, updated_at="2999-01-01T00:00:00Z"))
    list(feed.records())
    assert feed.cursors["invoice"] < dt.datetime(2998, 1, 1, tzinfo=dt.UTC)


def test_a_record_without_its_kind_has_the_kind_of_its_list(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(200, {"data": [{"id": "tax_1", "name": "GST", "rate": "10"}], "links": {"next": None}})
    assert next(feed.records()).object == "tax_rate"  # type: ignore[union-attr]


def test_a_record_of_another_kind_than_was_asked_for_is_named(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.put({**invoice(600), "object": "invoice"})
    caspen.records["invoice", "inv_600"]["object"] = "appointment"
    caspen.records["invoice", "inv_001"]["object"] = None
    found = [record for record in feed.records() if isinstance(record, BadRecord)]
    assert [(bad.id, bad.reason) for bad in found] == [
        ("inv_600", "'appointment' is not 'invoice', which was asked for")
    ]
    assert "invoice" not in feed.cursors, "it is read, and told, until it is mended"


def shortly(body: object) -> str | None:
    """A body as a test is named by it."""
    return repr(body[:40]) if isinstance(body, bytes) else None


DEEP = b'{"data":[' + b"[" * 500 + b"]" * 500 + b',{"id":"tax_1","name":"GST","rate":"10"}]}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"object": "tax_rate", "id": "tax_1", "name": "GST", "rate": "10"}',
        b'{"data": null}',
        b'{"data": [], "data": [1]}',
        b'{"data": [], "links": []}',
        b'{"data": [], "links": "next"}',
        b'{"data": [], "links": {"next": 7}}',
        b'{"data": [], "links": {"next": "http://["}}',
        b'{"data": [], "links": {"next": "//[::1"}}',
        b'{"data": [], "links": {"next": "\\u0000"}}',
        b'{"data": [], "links": {"next": "x", "next": "y"}}',
        b'{"data": [], "links": {"next": ""}}',
        b'{"data": [], "links": {"next": "http://127.0.0.1:99999/"}}',
        b'{"data": [], "links": {"next": "//xn--\\u00e4.example/"}}',
        b'{"data": [], "links": {"next": "' + b"x" * 70_000 + b'"}}',
        b"[" * 100_000,
        b'{"data": [NaN',
        "{}".encode("utf-16"),
        b'{"data": [\xff]}',
    ],
    ids=shortly,
)
def test_whatever_is_no_page_is_one_clear_error(body: bytes, caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(200, body, Content_Type="application/json; charset=no-such")
    error = refused(feed)
    assert (error.code, error.exit_code) == ("caspen-odd-answer", 1)
    assert caspen.url in error.message
    assert len(error.message) < 500


@pytest.mark.parametrize(
    "body",
    [DEEP, b"\xef\xbb\xbf" + DEEP, DEEP.replace(b"[" * 500 + b"]" * 500, b"NaN"), DEEP[:-1] + b',"links":null}'],
    ids=shortly,
)
def test_an_odd_element_is_a_bad_record_and_the_others_go_on(body: bytes, caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(200, body, Content_Type="text/html; charset=utf-16")
    bad, good, *_ = feed.records()
    assert isinstance(bad, BadRecord)
    assert (bad.where, good.id) == ("record 1", "tax_1")


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 422, 499, 500, 599, 999])
@pytest.mark.parametrize(
    "body",
    [
        b"[1, 2]",
        b'{"message": {"message": ["a", {"b": null}]}, "errors": [[[[[1]]]]]}',
        b'{"errors": {"total": {"x": NaN, "y": true}}, "message": 1e999}',
        b'{"message": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"\xff" * 100,
        b'{"message": "' + b"x" * 100_000 + b'"}',
    ],
    ids=shortly,
)
def test_whatever_an_error_says_it_is_one_clear_error(
    status: int, body: bytes, caspen: CaspenServer, feed: ApiFeed
) -> None:
    for headers in ({}, {"Content_Encoding": "gzip"}):
        caspen.answer_next(status, body, times=5, **headers)
        error = refused(feed)
        assert f"Caspen answered {status}" in error.message
        assert len(error.message) < 600
        caspen.answer_as_usual()


def test_a_429_is_waited_out_as_long_as_caspen_asks(caspen: CaspenServer, feed: ApiFeed, waits: list[float]) -> None:
    caspen.answer_next(429, {"message": "Too Many Attempts."}, Retry_After="17")
    assert len(list(feed.records())) == len(caspen.records)
    assert waits == [17]


@pytest.mark.parametrize("reset", ["9", None])
def test_the_last_request_of_the_minute_is_followed_by_a_wait(
    reset: str | None, caspen: CaspenServer, feed: ApiFeed, waits: list[float]
) -> None:
    moment = str(int(dt.datetime.now(dt.UTC).timestamp()) + 9)
    page = {"data": [], "links": {"next": None}}
    caspen.answer_next(200, page, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset or moment)
    list(feed.records())
    assert waits == [pytest.approx(9, abs=1)]


def test_within_the_limit_no_429_is_ever_provoked() -> None:
    with CaspenServer(clinic(), key=KEY, per_window=3, window=1) as limited:
        feed = ApiFeed(limited.url, api_key=KEY)
        assert len(list(feed.records())) == len(limited.records)
        feed.close()
        assert len(limited.requests) == 7, "one for each kind, none refused"


def test_a_limit_that_lasts_is_for_later(caspen: CaspenServer, feed: ApiFeed, waits: list[float]) -> None:
    caspen.answer_next(429, {"message": "Too Many Attempts."}, Retry_After="3600")
    error = refused(feed)
    assert (error.code, error.exit_code, waits) == ("caspen-rate-limit", 6, [])


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble_is_asked_again_and_then_left_for_later(
    status: int, caspen: CaspenServer, feed: ApiFeed, waits: list[float]
) -> None:
    caspen.answer_next(status, b"<html>oops</html>", times=2)
    assert len(list(feed.records())) == len(caspen.records)
    caspen.answer_next(status, b"<html>oops</html>", times=99)
    error = refused(feed)
    assert (error.code, error.exit_code) == ("caspen-unavailable", 6)
    assert waits == [1, 2, 1, 2, 4, 8]


def test_an_answer_that_breaks_off_is_asked_for_again(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(200, {"data": [], "links": {"next": None}}, breaks_off=True)
    assert len(list(feed.records())) == len(caspen.records)


def test_a_server_that_is_not_there_is_for_later(caspen: CaspenServer) -> None:
    feed = ApiFeed("http://127.0.0.1:9", api_key=KEY, sleep=lambda _: None)
    error = refused(feed)
    assert (error.code, error.exit_code) == ("caspen-unreachable", 6)


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"message": "Bad cursor."}, "caspen-refused", "Bad cursor."),
        (401, {"message": "Unauthenticated."}, "caspen-key-refused", "Unauthenticated."),
        (403, {"message": "No access."}, "caspen-forbidden", "No access."),
        (404, b"<html>", "caspen-not-found", "/tax-rates: Caspen answered 404"),
        (409, {"message": f"Bearer {KEY}"}, "caspen-refused", "Bearer (secret)"),
        (
            422,
            {"message": "Invalid.", "errors": {"limit": ["too big", "odd"]}},
            "caspen-refused",
            "limit: too big, odd",
        ),
        (200, b"<html>Sign in</html>", "caspen-odd-answer", "not JSON"),
        (200, {"tax_rates": []}, "caspen-odd-answer", "no page of records"),
        (200, {"data": {}}, "caspen-odd-answer", "no page of records"),
    ],
)
def test_every_documented_error_is_told_in_words(
    status: int, body: object, code: str, words: str, caspen: CaspenServer, feed: ApiFeed
) -> None:
    caspen.answer_next(status, body)
    error = refused(feed)
    assert (error.code, error.exit_code) == (code, 1)
    assert words in error.message
    assert len(caspen.requests) == 1, "asking again would not help"


def test_a_wrong_key_says_where_to_get_a_right_one(caspen: CaspenServer) -> None:
    feed = ApiFeed(caspen.url, api_key="wrong")
    error = refused(feed)
    assert error.code == "caspen-key-refused"
    assert "CASPEN_API_KEY" in error.fix


def test_the_key_comes_from_the_environment_a_file_or_the_caller(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    assert find_api_key("from-keyring", {"CASPEN_API_KEY": "from-env", "CASPEN_API_KEY_FILE": str(file)}) == "from-env"
    assert find_api_key("from-keyring", {"CASPEN_API_KEY_FILE": str(file)}) == "from-file"
    assert find_api_key("from-keyring", {}) == "from-keyring"


@pytest.mark.parametrize(
    ("given", "environ"),
    [
        (None, {}),
        ("", {"CASPEN_API_KEY": ""}),
        (None, {"CASPEN_API_KEY_FILE": "/no/such"}),
        ("a b\n", {}),
        ("ключ", {}),
    ],
)
def test_a_missing_or_impossible_key_is_a_clear_error(given: str | None, environ: dict[str, str]) -> None:
    with pytest.raises(FeedError) as error:
        find_api_key(given, environ)
    assert (error.value.code, bool(error.value.fix)) == ("caspen-key-missing", True)


@pytest.mark.parametrize(
    "url",
    [
        "http://caspen.example/v1",
        "https://user:pw@caspen.example/v1",
        "https://caspen.example/v1?key=secret",
        "https://",
        "https://[::1",
        "ftp://x/y",
        "ftp://user:pw@x/y",
        "https://user:pw@x:port",
        "https://a..b",
        "https://xn--",
    ],
)
def test_a_source_url_that_would_give_the_key_away_is_refused(url: str) -> None:
    with pytest.raises(FeedError) as error:
        ApiFeed(url, api_key=KEY)
    assert error.value.code == "bad-source-url"
    assert "pw" not in error.value.message
    assert "secret" not in error.value.message


def from_xero(record_id: str = "b26fd49a", **fields: Any) -> dict[str, Any]:
    return {
        "object": "xero_payment",
        "id": record_id,
        "invoice_id": "inv_001",
        "invoice_number": "INV-0001",
        "date": dt.date(2026, 11, 20),
        "amount": Decimal("120.50"),
        "kind": "payment",
        "reconciled": True,
        "invoice_status": "open",
        "amount_due": Decimal("50.00"),
        **fields,
    }


def test_a_payment_posted_is_an_ordinary_payment_with_its_xero_id_afterwards(
    caspen: CaspenServer, feed: ApiFeed
) -> None:
    feed.post_payment("inv_001", from_xero(), "b26fd49a")
    [money] = [record for record in feed.records() if isinstance(record, Payment) and record.xero_id == "b26fd49a"]
    assert (money.amount, money.allocations[0].invoice_id, money.date) == (
        Decimal("120.50"),
        "inv_001",
        dt.date(2026, 11, 20),
    )


def test_a_payment_posted_again_is_recorded_once_and_counts_as_delivered(caspen: CaspenServer, feed: ApiFeed) -> None:
    for _ in range(3):
        feed.post_payment("inv_001", from_xero(), "b26fd49a")
    assert list(caspen.received) == ["b26fd49a"]


def test_a_payment_whose_answer_was_lost_is_posted_again_with_the_same_key(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.answer_next(502)
    caspen.answer_next(503, {"message": "Busy."}, breaks_off=True)
    caspen.answer_next(429, Retry_After="1")
    feed.post_payment("inv_001", from_xero(), "b26fd49a")
    assert [request.idempotency_key for request in caspen.requests] == ["b26fd49a"] * 4
    assert len({str(request.body) for request in caspen.requests}) == 1
    assert list(caspen.received) == ["b26fd49a"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 409])
@pytest.mark.parametrize("body", [b"", b"null", b"<html>", b"[" * 5000, b"\xff\xfe", b'{"message": "Failed"}'])
@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}])
def test_that_a_payment_was_taken_is_said_by_the_status_alone(
    status: int, body: bytes, headers: dict[str, str], caspen: CaspenServer, feed: ApiFeed
) -> None:
    caspen.answer_next(status, b"" if status == 204 else body, **headers)
    feed.post_payment("inv_001", from_xero(), "b26fd49a")
    assert len(caspen.requests) == 1


def test_an_odd_invoice_id_stays_inside_its_place_in_the_url(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.put(invoice(1, id="../payments?x=1#/ß"))
    feed.post_payment("../payments?x=1#/ß", from_xero(), "key-2")
    assert list(caspen.received) == ["key-2"]


@pytest.mark.parametrize("invoice_id", [".", ".."])
def test_an_invoice_id_that_leads_elsewhere_in_a_url_is_never_posted_to(
    caspen: CaspenServer, feed: ApiFeed, invoice_id: str
) -> None:
    with pytest.raises(FeedError) as error:
        feed.post_payment(invoice_id, from_xero(), "key-3")
    assert error.value.code == "caspen-refused"  # about this one record: the others go on
    assert caspen.requests == []


def test_a_payment_that_caspen_refuses_is_not_delivered(caspen: CaspenServer, feed: ApiFeed) -> None:
    with pytest.raises(FeedError) as error:
        feed.post_payment("inv_404", from_xero(), "b26fd49a")
    assert (error.value.code, error.value.exit_code) == ("caspen-not-found", 1)
    assert "invoices/inv_404/payments" in error.value.message


def test_records_that_come_back_over_http_are_the_ones_of_the_export(caspen: CaspenServer, feed: ApiFeed) -> None:
    caspen.put(payment(9, amount="50.10"))
    [money] = [record for record in feed.records() if record.id == "pay_009"]
    assert isinstance(money, Payment)
    assert str(money.amount) == "50.10"
