"""Trouble on demand: each fault does to a client what it says, and the books say what was done."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App

CONTACTS = "/api.xro/2.0/Contacts"


def fault(client: httpx.Client, kind: str, **details: Any) -> None:
    client.post("/sandbox/faults", json={"kind": kind, **details}).raise_for_status()


def put(client: httpx.Client, name: str = "Ada", **headers: str) -> httpx.Response:
    return client.put(CONTACTS, json={"Contacts": [{"Name": name}]}, headers=headers)


def contacts_in(box: Sandbox) -> int:
    return len(box.api.state(box.api.organisations()[0].tenant_id)["Contacts"])


@pytest.mark.parametrize("path", [CONTACTS, "/connect/token", "/sandbox/faults"])
def test_a_body_that_nobody_could_mean_is_not_taken(
    api_client: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("caspen_xero.sandbox.front.webapp.LARGEST_BODY", 1_000)
    method = "PUT" if path == CONTACTS else "POST"
    assert api_client.request(method, path, content=b"x" * 1_001).status_code == 413
    assert api_client.request(method, path, content=(b"x" for _ in range(1_001))).status_code == 413
    assert api_client.request(method, path, content=b"x" * 1_000).status_code != 413


@pytest.mark.parametrize(("kind", "done"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_connection_is_closed_without_an_answer(
    box: Sandbox, api_client: httpx.Client, kind: str, done: int
) -> None:
    fault(api_client, kind, path="Contacts")
    with pytest.raises(httpx.RemoteProtocolError):
        put(api_client)
    assert contacts_in(box) == done
    noted = api_client.get("/sandbox/requests").json()["requests"][-1]
    assert (noted["path"], noted["status"], noted["fault"]) == (CONTACTS, None, kind)


def test_a_request_after_a_drop_is_answered_and_its_key_tells_what_was_done(
    box: Sandbox, api_client: httpx.Client
) -> None:
    fault(api_client, "drop-after", path="Contacts")
    with pytest.raises(httpx.RemoteProtocolError):
        put(api_client, **{"Idempotency-Key": "key-1"})
    assert put(api_client, **{"Idempotency-Key": "key-1"}).status_code == 200
    assert contacts_in(box) == 1


def test_a_token_refresh_can_lose_its_answer_too(app: App) -> None:
    token = app.sign_in()["refresh_token"]
    fault(app.http, "drop-after", path="/connect/token")
    with pytest.raises(httpx.RemoteProtocolError):
        app.refresh(token)
    assert app.refresh(token).status_code == 200


@pytest.mark.parametrize(("kind", "done"), [("500-before", 0), ("500-after", 1)])
def test_an_internal_error_before_or_after_the_work(
    box: Sandbox, api_client: httpx.Client, kind: str, done: int
) -> None:
    fault(api_client, kind, path="Contacts")
    assert put(api_client).status_code == 500
    assert contacts_in(box) == done


def test_the_organisation_can_be_offline(box: Sandbox, api_client: httpx.Client) -> None:
    fault(api_client, "503")
    answer = put(api_client)
    assert (answer.status_code, answer.text) == (503, "The Organisation is offline")
    assert answer.headers["content-type"].startswith("text/plain")
    assert contacts_in(box) == 0


def test_a_proxy_can_answer_in_html(box: Sandbox, api_client: httpx.Client) -> None:
    fault(api_client, "html", status=200)
    answer = put(api_client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html"
    assert contacts_in(box) == 0


def test_a_gateway_can_repeat_the_whole_request(box: Sandbox, api_client: httpx.Client) -> None:
    fault(api_client, "echo", status=403)
    answer = put(api_client, "Ada's own")
    assert answer.status_code == 403
    assert api_client.headers["Authorization"] in answer.text
    assert "Ada&#x27;s own" in answer.text
    assert api_client.headers["Authorization"] in answer.headers["Location"]
    assert contacts_in(box) == 0


def test_an_answer_can_arrive_cut_in_half(box: Sandbox, api_client: httpx.Client) -> None:
    fault(api_client, "truncate", path="Contacts")
    answer = put(api_client)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert contacts_in(box) == 1


@pytest.mark.parametrize(
    ("kind", "problem", "waits"),
    [("429-minute", "minute", True), ("429-day", "day", True), ("429-concurrent", "concurrent", False)],
)
def test_each_limit_can_be_met_at_will(
    box: Sandbox, api_client: httpx.Client, kind: str, problem: str, waits: bool
) -> None:
    fault(api_client, kind)
    answer = put(api_client)
    assert (answer.status_code, answer.content) == (429, b"")
    assert answer.headers["X-Rate-Limit-Problem"] == problem
    assert ("Retry-After" in answer.headers) is waits
    assert contacts_in(box) == 0


def test_access_can_be_taken_away_in_mid_run(app: App) -> None:
    token = app.sign_in()["refresh_token"]
    fault(app.http, "revoke-token", path="Contacts", after=1)
    assert put(app.http, "Ada").status_code == 200
    assert put(app.http, "Grace").status_code == 401
    assert app.http.get("/api.xro/2.0/Organisation").status_code == 401
    assert app.refresh(token).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("kind", ["delay", "delay-after"])
def test_an_answer_can_be_late(box: Sandbox, api_client: httpx.Client, kind: str) -> None:
    fault(api_client, kind, seconds=0.3)
    began = time.monotonic()
    assert put(api_client).status_code == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(("kind", "done"), [("delay", 0), ("delay-after", 1)])
def test_whoever_gives_up_waiting_finds_the_work_done_early_or_late(
    box: Sandbox, api_client: httpx.Client, kind: str, done: int
) -> None:
    fault(api_client, kind, path="Contacts", seconds=0.4)
    with pytest.raises(httpx.ReadTimeout):
        api_client.put(CONTACTS, json={"Contacts": [{"Name": "Ada"}]}, timeout=0.1)
    assert contacts_in(box) == done
    deadline = time.monotonic() + 5
    while contacts_in(box) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert contacts_in(box) == 1


def struck(client: httpx.Client, calls: int, path: str = CONTACTS) -> list[bool]:
    return [client.get(path).status_code == 503 for _ in range(calls)]


def test_a_fault_strikes_so_many_times_after_so_many_requests(api_client: httpx.Client) -> None:
    fault(api_client, "503", path="Contacts", method="get", after=1, count=2)
    assert struck(api_client, 5) == [False, True, True, False, False]


def test_a_fault_strikes_only_where_its_path_or_expression_is(api_client: httpx.Client) -> None:
    fault(api_client, "503", path=r"Contacts\?page=[2-3]$", count=None)
    pages = [api_client.get(CONTACTS, params={"page": number}).status_code for number in (1, 2, 3, 4)]
    assert pages == [200, 503, 503, 200]


def test_chance_with_a_seed_strikes_the_same_requests_again(api_client: httpx.Client) -> None:
    runs = []
    for _ in range(2):
        api_client.delete("/sandbox/faults").raise_for_status()
        fault(api_client, "503", probability=0.5, seed=7)
        runs.append(struck(api_client, 20))
    assert runs[0] == runs[1]
    assert 0 < sum(runs[0]) < 20


def test_faults_are_listed_and_cleared(api_client: httpx.Client) -> None:
    fault(api_client, "503", path="Contacts", count=3)
    struck(api_client, 1)
    (listed,) = api_client.get("/sandbox/faults").json()["faults"]
    assert (listed["kind"], listed["count"], listed["struck"]) == ("503", 3, 1)
    api_client.delete("/sandbox/faults").raise_for_status()
    assert struck(api_client, 1) == [False]


@pytest.mark.parametrize(
    "wishes", [{"kind": "earthquake"}, {}, {"kind": "503", "count": "two"}, {"kind": "503", "x": 1}]
)
def test_a_fault_that_cant_be_is_refused_with_the_reason(api_client: httpx.Client, wishes: dict[str, Any]) -> None:
    answer = api_client.post("/sandbox/faults", json=wishes)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_client_that_goes_away_while_sending_changes_nothing(
    box: Sandbox, api_client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    token = api_client.headers["Authorization"]
    with socket.create_connection(("127.0.0.1", box.port)) as connection:
        head = f"PUT {CONTACTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b'{"Contacts": [{"Name": "Ada"')
    assert api_client.get(CONTACTS).json()["Contacts"] == []
    assert "Traceback" not in capfd.readouterr().err
