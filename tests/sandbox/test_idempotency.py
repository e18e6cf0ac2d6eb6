"""An idempotency key at the sandbox gives the first answer again for six minutes, as at Xero."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox

CONTACTS = "/api.xro/2.0/Contacts"


def contact(name: str) -> dict[str, Any]:
    return {"Contacts": [{"Name": name}]}


def put(client: httpx.Client, body: dict[str, Any], key: str, path: str = CONTACTS) -> httpx.Response:
    return client.put(path, json=body, headers={"Idempotency-Key": key})


def contacts_in(box: Sandbox) -> list[str]:
    return [one["Name"] for one in box.api.state(box.api.organisations()[0].tenant_id)["Contacts"]]


def test_the_same_key_gives_the_same_answer_and_nothing_happens_again(box: Sandbox, api_client: httpx.Client) -> None:
    first = put(api_client, contact("Ada"), "key-1")
    again = put(api_client, contact("Ada"), "key-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert first.status_code == 200
    assert contacts_in(box) == ["Ada"]


def test_after_six_minutes_a_key_is_new(box: Sandbox, api_client: httpx.Client) -> None:
    put(api_client, contact("Ada"), "key-1")
    box.clock.move(timedelta(minutes=5))
    assert put(api_client, contact("Ada"), "key-1").status_code == 200  # a replay doesn't prolong it
    box.clock.move(timedelta(minutes=1))
    assert put(api_client, contact("Ada"), "key-1").status_code == 400  # the name is taken: it was really tried again


@pytest.mark.parametrize("change", ["body", "query", "method"])
def test_a_key_with_another_request_is_refused(box: Sandbox, api_client: httpx.Client, change: str) -> None:
    put(api_client, contact("Ada"), "key-1")
    headers = {"Idempotency-Key": "key-1"}
    answer = api_client.request(
        "POST" if change == "method" else "PUT",
        CONTACTS + ("?summarizeErrors=false" if change == "query" else ""),
        json=contact("Grace" if change == "body" else "Ada"),
        headers=headers,
    )
    assert answer.status_code == 400
    assert "Idempotency Key: key-1 is used with a different request." in answer.text
    assert contacts_in(box) == ["Ada"]


def test_errors_are_given_again_too(api_client: httpx.Client) -> None:
    refused = put(api_client, {"Contacts": [{"EmailAddress": "a@example.com"}]}, "key-1")
    assert refused.status_code == 400
    assert put(api_client, {"Contacts": [{"EmailAddress": "a@example.com"}]}, "key-1").content == refused.content


def test_an_internal_error_after_the_work_was_done_is_kept_as_well(box: Sandbox, api_client: httpx.Client) -> None:
    api_client.post("/sandbox/faults", json={"kind": "500-after", "path": "Contacts"}).raise_for_status()
    assert put(api_client, contact("Ada"), "key-1").status_code == 500
    assert put(api_client, contact("Ada"), "key-1").status_code == 500
    assert contacts_in(box) == ["Ada"]


def test_a_refused_key_is_an_error_as_the_description_has_it(api_client: httpx.Client) -> None:
    """The OpenAPI's Error has texts and numbers only: no field of it may be null."""
    refused = api_client.put(CONTACTS, json={"Name": "Ann"}, headers={"Idempotency-Key": "k" * 129}).json()
    assert (refused["Status"], refused["Title"]) == (400, "Bad Request")
    assert None not in refused.values()


def test_a_key_is_at_most_128_characters(box: Sandbox, api_client: httpx.Client) -> None:
    assert put(api_client, contact("Ada"), "k" * 128).status_code == 200
    assert put(api_client, contact("Grace"), "k" * 129).status_code == 400
    assert contacts_in(box) == ["Ada"]


def test_a_key_on_a_get_means_nothing(api_client: httpx.Client) -> None:
    before = api_client.get(CONTACTS, headers={"Idempotency-Key": "key-1"}).json()["Contacts"]
    put(api_client, contact("Ada"), "key-1").raise_for_status()
    after = api_client.get(CONTACTS, headers={"Idempotency-Key": "key-1"}).json()["Contacts"]
    assert (len(before), len(after)) == (0, 1)


def test_a_limit_refuses_before_the_key_is_looked_at(api_client: httpx.Client) -> None:
    put(api_client, contact("Ada"), "key-1")
    api_client.post("/sandbox/faults", json={"kind": "429-minute", "seconds": 7}).raise_for_status()
    refused = put(api_client, contact("Ada"), "key-1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert put(api_client, contact("Ada"), "key-1").status_code == 200
