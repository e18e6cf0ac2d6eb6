"""The sandbox refuses calls above Xero's limits, and says what is left."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App

ORGANISATION = "/api.xro/2.0/Organisation"
INVOICES = "/api.xro/2.0/Invoices"


@pytest.fixture
def tight() -> Iterator[Sandbox]:
    """Three calls a minute, seven a day."""
    with Sandbox(auto_approve=True, minute_limit=3, day_limit=7) as box:
        yield box


@pytest.fixture
def client(tight: Sandbox) -> httpx.Client:
    app = App(tight.url)
    app.sign_in()
    return app.http


def left(answer: httpx.Response) -> tuple[str, str, str]:
    names = ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining")
    return tuple(answer.headers[name] for name in names)  # type: ignore[return-value]


def test_every_answer_of_the_api_says_what_is_left(client: httpx.Client) -> None:
    assert left(client.get(ORGANISATION)) == ("2", "6", "9999")
    assert left(client.get("/api.xro/2.0/Nowhere")) == ("1", "5", "9998")
    assert left(client.put(INVOICES, content=b"no json")) == ("0", "4", "9997")
    assert left(client.get(ORGANISATION)) == ("0", "4", "9997")


def test_above_the_minute_limit_the_answer_is_an_empty_429_that_says_how_long(
    tight: Sandbox, client: httpx.Client
) -> None:
    client.get(ORGANISATION)
    tight.clock.move(timedelta(seconds=20.5))
    client.get(ORGANISATION)
    client.get(ORGANISATION)
    refused = client.get(ORGANISATION)
    assert refused.status_code == 429
    assert refused.content == b""
    assert "content-type" not in refused.headers
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["Retry-After"] == "40"  # the window began with its first call; rounded up


def test_the_next_window_begins_with_the_first_call_after_the_last_one_ended(
    tight: Sandbox, client: httpx.Client
) -> None:
    for _ in range(3):
        client.get(ORGANISATION)
    tight.clock.move(timedelta(seconds=90))
    assert client.get(ORGANISATION).headers["X-MinLimit-Remaining"] == "2"
    tight.clock.move(timedelta(seconds=59))
    assert client.get(ORGANISATION).headers["X-MinLimit-Remaining"] == "1"
    tight.clock.move(timedelta(seconds=2))
    assert client.get(ORGANISATION).headers["X-MinLimit-Remaining"] == "2"


def test_the_day_limit_lasts_for_hours(tight: Sandbox) -> None:
    app = App(tight.url)
    app.sign_in()
    client = app.http
    for _ in range(7):
        assert client.get(ORGANISATION).status_code == 200
        tight.clock.move(timedelta(minutes=1))
    refused = client.get(ORGANISATION)
    assert refused.headers["X-Rate-Limit-Problem"] == "day"
    assert 85_900 < int(refused.headers["Retry-After"]) <= 86_400 - 420
    tight.clock.move(timedelta(days=1))
    app.sign_in()
    assert client.get(ORGANISATION).status_code == 200


def test_limits_count_for_each_organisation_and_each_app_alone(tight: Sandbox, client: httpx.Client) -> None:
    for _ in range(3):
        client.get(ORGANISATION)
    other = App(tight.url, client_id="another-app")
    other.sign_in()
    assert other.http.get(ORGANISATION).status_code == 200
    client.post("/sandbox/organisations", json={"Name": "Second clinic"}).raise_for_status()
    client.post("/sandbox/settings", json={"next_organisation": "Second clinic"}).raise_for_status()
    again = App(tight.url)
    again.sign_in()
    assert again.http.get(ORGANISATION).status_code == 200
    assert client.get(ORGANISATION).status_code == 429


def test_a_sixth_call_at_the_same_time_is_refused_without_retry_after(box: Sandbox, api_client: httpx.Client) -> None:
    api_client.post("/sandbox/faults", json={"kind": "delay", "seconds": 0.5, "count": 5}).raise_for_status()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: api_client.get(ORGANISATION), range(8)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 3
    assert refused[0].headers["X-Rate-Limit-Problem"] == "concurrent"
    assert "Retry-After" not in refused[0].headers
    assert api_client.get(ORGANISATION).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_query_string_above_2048_bytes_is_not_found(client: httpx.Client, method: str) -> None:
    client.headers["Authorization"] = "Bearer nonsense"  # nobody looks that far

    def asked(query: str) -> httpx.Response:
        return client.request(method, f"{INVOICES}?{query}")

    fits = "where=" + "%22" * 680 + "aa"  # what counts is what is sent, not what it means
    assert len(fits) == 2_048
    assert asked(fits).status_code == 401
    refused = asked(fits + "a")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "text/html"
    assert b"<html>" in refused.content
    assert "X-MinLimit-Remaining" not in refused.headers


@pytest.mark.parametrize(("separator", "most"), [("%2C", 52), (",", 55)])
def test_as_many_ids_pass_as_were_reported(client: httpx.Client, separator: str, most: int) -> None:
    def asked(ids: int) -> int:
        return client.get(
            f"{INVOICES}?IDs=" + separator.join(["3f2b6a51-9c1e-4b7e-8a35-0d9f6c1a2b3c"] * ids)
        ).status_code

    assert (asked(most), asked(most + 1)) == (200, 404)


def test_what_is_too_long_counts_against_no_limit(client: httpx.Client) -> None:
    for _ in range(5):
        assert client.get(INVOICES, params={"where": "x" * 2_048}).status_code == 404
    assert client.get(ORGANISATION).headers["X-MinLimit-Remaining"] == "2"


def test_sign_in_and_the_sandboxs_own_pages_take_long_query_strings(tight: Sandbox) -> None:
    app = App(tight.url)
    assert app.authorise(state="s" * 4_000).status_code == 302
    app.sign_in()
    for path in ("/connections", "/sandbox/requests", "/"):
        assert app.http.get(path, params={"x": "y" * 4_000}).status_code == 200


def test_sign_in_and_connections_do_not_count(client: httpx.Client) -> None:
    for _ in range(10):
        assert client.get("/connections").status_code == 200
    assert client.get(ORGANISATION).headers["X-MinLimit-Remaining"] == "2"
