"""What a call to Xero does with every kind of answer, over real HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from caspen_xero.xero.client import XeroClient
from caspen_xero.xero.errors import (
    ConnectNeeded,
    LimitReached,
    MissingScope,
    NoAnswer,
    NotFound,
    Refused,
    Unreachable,
    XeroError,
)
from tests.xero_side.told import TENANT, Reply, SignedIn, told

EXPIRED = Reply(
    401,
    '{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 01/01/2001 00:00:00",'
    '"Instance":"x","Extensions":{}}',
)
NEW_TOKENS = Reply(200, '{"access_token":"second-access","refresh_token":"second-refresh","expires_in":1800}')
DONE = Reply(200, '{"Invoices":[{"InvoiceID":"i1","Total":24.10}]}')
INVALID = Reply(
    400,
    json.dumps(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [{"InvoiceNumber": "1", "ValidationErrors": [{"Message": "Invoice # must be unique."}]}],
        }
    ),
)


def minute_limit(seconds: int | None) -> Reply:
    hint = {} if seconds is None else {"Retry-After": str(seconds)}
    return Reply(429, b"", {"X-Rate-Limit-Problem": "minute", "Content-Type": "", **hint})


def test_a_write_carries_what_xero_asks_for_and_its_bytes_untouched(signed_in: SignedIn) -> None:
    with told(DONE) as xero:
        client = signed_in.client(xero.url)
        body = b'{"Invoices":[{"Total":24.10}]}'
        answer = client.send(
            "PUT", "Invoices", body, params={"summarizeErrors": "false", "unitdp": "4"}, idempotency_key="k" * 64
        )
        request = xero.seen[0]
        assert (request.method, request.path) == ("PUT", "/api.xro/2.0/Invoices")
        assert request.query == {"summarizeErrors": "false", "unitdp": "4"}
        assert request.body == body
        sent = {name: request.headers.get(name) for name in ("authorization", "xero-tenant-id", "accept")}
        assert sent == {
            "authorization": "Bearer the-access-token",
            "xero-tenant-id": TENANT,
            "accept": "application/json",
        }
        assert request.headers["idempotency-key"] == "k" * 64
        assert request.headers["content-type"] == "application/json"
        assert request.headers["user-agent"].startswith("caspen-xero/")
        assert answer.json()["Invoices"][0]["Total"] == Decimal("24.10")
        assert client.calls == 1


def test_a_custom_connection_names_no_organisation(signed_in: SignedIn) -> None:
    with told(DONE) as xero:
        signed_in.client(xero.url, "custom").get("Invoices")
        assert "xero-tenant-id" not in xero.seen[0].headers


def test_a_read_asks_for_changes_by_the_second_and_nothing_changed_is_no_elements(signed_in: SignedIn) -> None:
    with told(Reply(304, b"")) as xero:
        since = datetime(2026, 9, 14, 19, 30, 5, 999, tzinfo=UTC).astimezone()
        assert signed_in.client(xero.url).get("Invoices", since=since).json() == {}
        assert xero.seen[0].headers["if-modified-since"] == "2026-09-14T19:30:05"


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(503, "The Organisation is offline", {"Content-Type": "text/plain"}),
        Reply(500, '{"ErrorNumber":500}'),
        Reply(200, "<html>a proxy's page</html>", {"Content-Type": "text/html"}),
        Reply(200, '{"Invoices":[{"Invoi'),
        Reply(302, b"", {"Location": "http://example.invalid/"}),
        Reply(hang_up=True),
    ],
    ids=["503", "500", "html", "truncated", "redirect", "hang-up"],
)
class TestAnAnswerThatIsNone:
    def test_a_read_tries_again(self, signed_in: SignedIn, trouble: Reply) -> None:
        with told(trouble, trouble, DONE) as xero:
            client = signed_in.client(xero.url)
            assert client.get("Invoices").json()["Invoices"][0]["InvoiceID"] == "i1"
            assert client.calls == 3
            assert all(seconds < 6 for seconds, _ in signed_in.waits)

    def test_a_read_gives_up_in_the_end(self, signed_in: SignedIn, trouble: Reply) -> None:
        with told(trouble) as xero:
            with pytest.raises(NoAnswer):
                signed_in.client(xero.url).get("Invoices")
            assert len(xero.seen) == 4

    def test_a_write_is_never_sent_twice(self, signed_in: SignedIn, trouble: Reply) -> None:
        with told(trouble, DONE) as xero:
            with pytest.raises(NoAnswer) as caught:
                signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")
            assert len(xero.seen) == 1
            assert caught.value.exit_code == 6
            assert caught.value.status == (None if trouble.hang_up else trouble.status)


def test_a_write_that_was_answered_with_nothing_may_have_been_done(signed_in: SignedIn) -> None:
    with told(Reply(200, b"")) as xero, pytest.raises(NoAnswer):
        signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")


def test_a_delete_may_be_answered_with_nothing(signed_in: SignedIn) -> None:
    with told(Reply(204, b"")) as xero:
        assert signed_in.client(xero.url).send("DELETE", "CreditNotes/c/Allocations/a", b"").status == 204


def test_a_xero_that_is_not_there_was_never_sent_anything(signed_in: SignedIn) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = signed_in.client(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Unreachable) as caught:
            client.send("PUT", "Invoices", b"{}", idempotency_key="k")
        assert client.calls == 0
        assert caught.value.exit_code == 6


def test_a_name_that_does_not_exist_was_never_sent_anything(signed_in: SignedIn) -> None:
    with pytest.raises(Unreachable):
        signed_in.client("https://no-such-host.invalid").get("Organisation")


def test_xeros_refusal_comes_with_its_words_and_elements(signed_in: SignedIn) -> None:
    with told(INVALID) as xero, pytest.raises(Refused) as caught:
        signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")
    refused = caught.value
    assert (refused.status, refused.error_number, refused.type) == (400, 10, "ValidationException")
    assert refused.messages == ["Invoice # must be unique."]
    assert refused.elements[0]["InvoiceNumber"] == "1"
    assert (refused.code, refused.exit_code) == ("xero-refused", 1)
    assert "Invoice # must be unique." in refused.message


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            Reply(400, '{"ErrorNumber":16,"Type":"QueryParseException","Message":"Where clause invocation error: x"}'),
            "Where",
        ),
        (Reply(400, '{"title":"Bad","detail":"lower case keys"}'), "lower case keys"),
        (
            Reply(400, "Idempotency Key: K is used with a different request.", {"Content-Type": "text/plain"}),
            "Idempotency",
        ),
        (
            Reply(413, "<html><style>x{}</style><h1>Too &amp; large</h1></html>", {"Content-Type": "text/html"}),
            "Too & large",
        ),
        (Reply(400, b""), "HTTP 400"),
        (Reply(400, "[1, 2]"), "[1, 2]"),
        (Reply(403, '{"Message":"The User specified does not have the correct permissions"}'), "correct permissions"),
    ],
)
def test_a_refusal_of_any_shape_says_something(signed_in: SignedIn, reply: Reply, message: str) -> None:
    with told(reply) as xero, pytest.raises(Refused) as caught:
        signed_in.client(xero.url).get("Invoices")
    assert message in caught.value.message


@pytest.mark.parametrize("body", ["<html>The resource you're looking for cannot be found</html>", ""])
def test_what_is_not_there_is_not_found(signed_in: SignedIn, body: str) -> None:
    with told(Reply(404, body, {"Content-Type": "text/html"})) as xero, pytest.raises(NotFound) as caught:
        signed_in.client(xero.url).get("Invoices/unknown")
    assert "Invoices/unknown" in caught.value.message


def test_an_expired_token_is_renewed_once_and_the_write_sent_again(signed_in: SignedIn) -> None:
    with told(EXPIRED, NEW_TOKENS, DONE) as xero:
        client = signed_in.client(xero.url)
        assert client.send("PUT", "Invoices", b'{"a":1}', idempotency_key="k").status == 200
        assert [seen.path for seen in xero.seen] == ["/api.xro/2.0/Invoices", "/connect/token", "/api.xro/2.0/Invoices"]
        assert xero.seen[1].form == {
            "grant_type": "refresh_token",
            "client_id": "APP",
            "refresh_token": "the-refresh-token",
        }
        assert xero.seen[2].headers["authorization"] == "Bearer second-access"
        assert xero.seen[0].body == xero.seen[2].body
        assert client.calls == 2
    assert signed_in.store.secret() == "second-refresh"


def test_a_token_that_is_refused_again_ends_in_connect_needed(signed_in: SignedIn) -> None:
    with told(EXPIRED, NEW_TOKENS, EXPIRED) as xero:
        with pytest.raises(ConnectNeeded) as caught:
            signed_in.client(xero.url).get("Invoices")
        assert len(xero.seen) == 3
    assert (caught.value.code, caught.value.exit_code) == ("sign-in-expired", 4)
    assert signed_in.store.secret() == "second-refresh"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("word", ["insufficient_scope", "insufficent_scope"])
@pytest.mark.parametrize("place", ["header", "detail"])
def test_a_missing_scope_is_told_as_that_and_refreshes_nothing(
    signed_in: SignedIn, status: int, word: str, place: str
) -> None:
    reply = (
        Reply(status, "{}", {"WWW-Authenticate": f'Bearer error="{word}"'})
        if place == "header"
        else Reply(status, json.dumps({"detail": f"{word}: more is needed"}))
    )
    with told(reply) as xero:
        with pytest.raises(MissingScope) as caught:
            signed_in.client(xero.url).get("Accounts")
        assert len(xero.seen) == 1
    assert (caught.value.code, caught.value.exit_code) == ("missing-scope", 4)
    assert "Accounts" in caught.value.message


def test_an_organisation_that_is_gone_is_told_as_that(signed_in: SignedIn) -> None:
    gone = Reply(403, '{"title":"Forbidden","status":403,"detail":"AuthenticationUnsuccessful","instance":"x"}')
    with told(gone) as xero:
        with pytest.raises(ConnectNeeded) as caught:
            signed_in.client(xero.url).get("Organisation")
        assert len(xero.seen) == 1
    assert caught.value.code == "organisation-unavailable"
    assert "Demo Company (AU)" in caught.value.message
    assert signed_in.store.secret() == "the-refresh-token"


def test_the_minute_limit_is_waited_for_and_the_write_sent_again(signed_in: SignedIn) -> None:
    with told(minute_limit(26), DONE) as xero:
        client = signed_in.client(xero.url)
        assert client.send("PUT", "Invoices", b"{}", idempotency_key="k").status == 200
        assert next(seconds for seconds, _ in signed_in.waits) == 26
        assert xero.seen[0].headers["idempotency-key"] == xero.seen[1].headers["idempotency-key"]
        assert client.calls == 2


def test_a_limit_of_calls_at_the_same_time_is_waited_for(signed_in: SignedIn) -> None:
    busy = Reply(429, b"", {"X-Rate-Limit-Problem": "concurrent"})
    with told(busy, busy, DONE) as xero:
        assert signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k").status == 200


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, b"", {"X-Rate-Limit-Problem": "day", "Retry-After": "20000"}), "day"),
        (Reply(429, b"", {"Retry-After": "20000"}), "day"),
        (Reply(429, b"", {"X-Rate-Limit-Problem": "minute", "Retry-After": "20000"}), "minute"),
    ],
)
def test_a_limit_that_takes_hours_is_not_waited_for(signed_in: SignedIn, reply: Reply, kind: str) -> None:
    with told(reply) as xero:
        with pytest.raises(LimitReached) as caught:
            signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")
        assert len(xero.seen) == 1
    assert (caught.value.kind, caught.value.retry_after, caught.value.exit_code) == (kind, 20000, 6)
    assert "6 hours" in caught.value.fix
    assert signed_in.waits == []


@pytest.mark.parametrize("problem", ["minute", "concurrent", "appminute", "unheard-of"])
def test_a_limit_that_never_ends_is_not_waited_for_for_ever(signed_in: SignedIn, problem: str) -> None:
    with told(Reply(429, b"", {"X-Rate-Limit-Problem": problem})) as xero:
        with pytest.raises(LimitReached):
            signed_in.client(xero.url).get("Invoices")
        assert 5 <= len(xero.seen) <= 12


def test_the_last_call_of_the_day_is_made_and_the_one_after_it_is_not(signed_in: SignedIn) -> None:
    with told(Reply(200, "{}", {"X-DayLimit-Remaining": "0", "X-MinLimit-Remaining": "9"})) as xero:
        client = signed_in.client(xero.url)
        client.get("Invoices")
        with pytest.raises(LimitReached):
            client.get("Invoices")
        assert len(xero.seen) == 1


@pytest.mark.parametrize(
    "replies",
    [
        [EXPIRED, Reply(400, '{"error":"invalid_grant"}')],
        [EXPIRED, Reply(503, "down")],
        [EXPIRED, Reply(hang_up=True)],
        [Reply(hang_up=True)],
        [INVALID],
    ],
)
def test_no_error_holds_a_token(signed_in: SignedIn, replies: list[Reply]) -> None:
    with told(*replies) as xero, pytest.raises(XeroError) as caught:
        signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")
    error: BaseException | None = caught.value
    while error is not None:
        assert "the-access-token" not in f"{error!r} {vars(error)}"
        assert "the-refresh-token" not in f"{error!r} {vars(error)}"
        error = error.__cause__


def test_a_write_whose_token_could_not_be_renewed_was_certainly_not_done(signed_in: SignedIn) -> None:
    for trouble in (Reply(503, "down"), Reply(hang_up=True), Reply(400, "<html>a proxy</html>"), Reply(200, "{}")):
        with told(EXPIRED, trouble) as xero, pytest.raises(Unreachable):
            signed_in.client(xero.url).send("PUT", "Invoices", b"{}", idempotency_key="k")
        assert signed_in.store.secret() == "the-refresh-token"


# --- what time it is there


def test_every_answer_tells_xeros_time_by_its_date_else_by_its_own_words(signed_in: SignedIn) -> None:
    for status, body, kind in ((200, "{}", "application/json"), (500, "", ""), (503, "offline", "text/plain")):
        with told(Reply(status, body, {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Content-Type": kind})) as xero:
            client = signed_in.client(xero.url)
            with contextlib.suppress(XeroError):
                client.get("Invoices")
            assert told_at(client) == datetime(2026, 11, 22, 10, tzinfo=UTC)
    enveloped = {"DateTimeUTC": "/Date(1795341600000)/", "Invoices": []}
    with told(Reply(200, json.dumps(enveloped), {"Date": "some day"})) as xero:
        client = signed_in.client(xero.url)
        client.get("Invoices")
        assert told_at(client) == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize("body", ["<html></html>", "[1]", '{"DateTimeUTC":"soon"}', '{"DateTimeUTC":7e99}'])
def test_an_answer_that_tells_no_time_is_an_answer_all_the_same(signed_in: SignedIn, body: str) -> None:
    with told(Reply(400, body, {"Date": "Sun, 40 Nov 2026"})) as xero:
        client = signed_in.client(xero.url)
        with pytest.raises(Refused):
            client.get("Invoices")
        assert told_at(client) is None


def test_whoever_sends_is_asked_again_right_before_each_request(signed_in: SignedIn) -> None:
    seen_before: list[int] = []
    with told(minute_limit(50), EXPIRED, NEW_TOKENS, DONE) as xero:
        signed_in.client(xero.url).send(
            "PUT", "Invoices", b"{}", before_each=lambda: seen_before.append(len(xero.seen))
        )
        assert [xero.seen[number].path for number in seen_before] == ["/api.xro/2.0/Invoices"] * 3
        assert seen_before == [0, 1, 3]


def test_what_may_no_longer_go_is_not_sent(signed_in: SignedIn) -> None:
    class TooLate(Exception):
        pass

    def too_late() -> None:
        if xero.seen:
            raise TooLate

    with told(minute_limit(50), DONE) as xero:
        client = signed_in.client(xero.url)
        with pytest.raises(TooLate):
            client.send("PUT", "Invoices", b"{}", before_each=too_late)
        assert (len(xero.seen), client.calls) == (1, 1)
        client.get("Invoices")  # and the next call goes out as ever


def told_at(client: XeroClient) -> datetime | None:
    """Xero's time as a client last heard it, to the second."""
    moment = client.clock.at_least(client.clock.steady())
    return None if moment is None else moment.replace(microsecond=0) - timedelta(seconds=moment.second)
