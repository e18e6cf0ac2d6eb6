"""What a request is asked at the door: which organisation, which format, which scopes; and what every answer carries."""

from __future__ import annotations

import uuid

import httpx
import loopback
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App

INVOICES = "/api.xro/2.0/Invoices"


def asked(client: httpx.Client, **headers: str | None) -> int:
    """The status of a read with these headers changed; None takes one away."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = client.build_request("GET", INVOICES, headers={k: v for k, v in names.items() if v is not None})
    for name in (name for name, value in names.items() if value is None):
        del request.headers[name]
    return client.send(request).status_code


def turn(client: httpx.Client, **switches: str) -> None:
    client.post("/sandbox/settings", json=switches).raise_for_status()


# which organisation


@pytest.mark.parametrize("tenant", ["00000000-0000-0000-0000-000000000000", "x"])
def test_an_organisation_that_is_not_connected_is_forbidden(api_client: httpx.Client, tenant: str) -> None:
    answer = api_client.get(INVOICES, headers={"Xero-Tenant-Id": tenant})
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("way", "empty", "missing"), [("empty-header", 200, 403), ("any", 200, 200), ("refused", 403, 403)]
)
def test_where_one_organisation_is_connected_it_need_not_be_named(
    api_client: httpx.Client, way: str, empty: int, missing: int
) -> None:
    if way != "empty-header":
        turn(api_client, unnamed_organisation=way)
    assert asked(api_client, xero_tenant_id="") == empty
    assert asked(api_client, xero_tenant_id=None) == missing


@pytest.mark.parametrize("way", ["empty-header", "any"])
def test_where_several_are_connected_one_must_be_named(api_client: httpx.Client, app: App, way: str) -> None:
    turn(api_client, unnamed_organisation=way)
    first = api_client.headers["Xero-Tenant-Id"]
    api_client.post("/sandbox/organisations", json={"Name": "Second clinic"}).raise_for_status()
    turn(api_client, next_organisation="Second clinic")
    app.sign_in()
    assert asked(api_client, xero_tenant_id="") == 403
    assert asked(api_client, xero_tenant_id=None) == 403
    assert asked(api_client, xero_tenant_id=first) == 200


def test_connections_have_a_trailing_slash_or_none(api_client: httpx.Client) -> None:
    told = api_client.get("/connections").json()
    assert len(told) == 1
    for path in ("/connections/", "/Connections/", "/Connections"):
        answer = api_client.get(path)
        assert (answer.status_code, answer.json()) == (200, told)


# which format


@pytest.mark.parametrize("accept", [None, "", "*/*", "application/*", "text/html, */*;q=0.8"])
def test_a_request_that_asks_for_no_format_is_answered_in_json_or_refused(
    api_client: httpx.Client, accept: str | None
) -> None:
    assert asked(api_client, accept=accept) == 200
    turn(api_client, without_accept="refused")
    assert asked(api_client, accept=accept) == 406
    assert asked(api_client, accept="application/json") == 200


def test_other_formats_than_json_are_knowingly_left_out(api_client: httpx.Client) -> None:
    for accept in ("application/xml", "text/xml", "application/pdf", "text/*"):
        answer = api_client.get(INVOICES, headers={"Accept": accept})
        assert answer.status_code == 406
        assert "JSON only" in answer.text
    assert asked(api_client, accept="application/json, text/plain, */*") == 200


# which scopes


def test_a_missing_scope_is_a_401_that_says_so_in_either_spelling(app: App) -> None:
    app.sign_in("offline_access accounting.invoices.read accounting.contacts")
    assert app.http.get(INVOICES).status_code == 200
    answer = app.http.put(INVOICES, json={"Invoices": []})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "insufficient_scope")
    assert answer.json()["Detail"] == "AuthorizationUnsuccessful"
    turn(app.http, insufficient_scope='Bearer error="insufficent_scope"')
    told = app.http.put(INVOICES, json={"Invoices": []}).headers["www-authenticate"]
    assert told == 'Bearer error="insufficent_scope"'


def test_or_a_missing_scope_is_a_403(app: App) -> None:
    app.sign_in("offline_access accounting.invoices.read")
    turn(app.http, missing_scope="403")
    answer = app.http.put(INVOICES, json={"Invoices": []})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (403, "insufficient_scope")
    assert answer.json()["detail"] == "AuthorizationUnsuccessful"


# what every answer carries


def test_every_answer_has_an_id_of_its_own(box: Sandbox, api_client: httpx.Client) -> None:
    asked_for = [INVOICES, "/api.xro/2.0/NoSuch", "/nowhere", "/connections", "/identity/connect/authorize", "/"]
    answers = [api_client.get(path) for path in asked_for]
    for kind in ("500-before", "429-minute", "html"):
        api_client.post("/sandbox/faults", json={"kind": kind, "path": "/Accounts"})
        answers.append(api_client.get("/api.xro/2.0/Accounts"))
    answers.append(api_client.put(INVOICES, content=b"x"))
    answers.append(api_client.put(INVOICES, content=b"x", headers={"Authorization": "Bearer none"}))
    answers.append(api_client.post("/connect/token", data={}))
    answers.append(loopback.get(box.url, headers={"Host": "evil.example"}))
    assert {200, 400, 401, 404, 421, 429, 500} <= {answer.status_code for answer in answers}
    told = [answer.headers["Xero-Correlation-Id"] for answer in answers]
    assert [str(uuid.UUID(one)) for one in told] == told
    assert len(set(told)) == len(told)


def test_an_answer_given_again_for_its_key_has_a_new_id(api_client: httpx.Client) -> None:
    contact = {"Contacts": [{"Name": "Grace Hopper"}]}
    one, two = (
        api_client.put("/api.xro/2.0/Contacts", json=contact, headers={"Idempotency-Key": "key-1"}) for _ in range(2)
    )
    assert one.content == two.content
    assert one.headers["Xero-Correlation-Id"] != two.headers["Xero-Correlation-Id"]
