"""Errors have the form of those recorded from Xero (`recorded/errors/`): status, content type, headers, shape of the body."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.recorded.shape import HERE, differences, format_of, seen, shape_of
from tests.sandbox.signing_in import ALL_SCOPES, App

FILES = sorted((HERE / "errors").glob("*.json"))
API = "/api.xro/2.0"
NOBODY = "0a000000-0000-4000-8000-000000000001"

KNOWN = {
    "no_tenant_in_capitals": "Xero's keys of this one are in either letter case; here in lower case, as in `no_tenant`",
}
"""Forms that the local Xero does not have, and why."""

Provoked = Callable[[Sandbox, App], httpx.Response]
PROVOKED: dict[str, Provoked] = {}


def provokes(name: str) -> Callable[[Provoked], Provoked]:
    def keep(provoke: Provoked) -> Provoked:
        PROVOKED[name] = provoke
        return provoke

    return keep


@provokes("validation")
def _taken_name(_box: Sandbox, app: App) -> httpx.Response:
    wish = {"Contacts": [{"Name": "Jo"}]}
    app.http.put(f"{API}/Contacts", json=wish).raise_for_status()
    return app.http.put(f"{API}/Contacts", json=wish)


@provokes("query")
def _bad_filter(_box: Sandbox, app: App) -> httpx.Response:
    return app.http.get(f"{API}/Invoices", params={"where": 'Status=="PAID" AND ()'})


@provokes("post_data")
def _no_json(_box: Sandbox, app: App) -> httpx.Response:
    return app.http.put(f"{API}/Invoices", content=b"{")


@provokes("token_expired")
def _old_token(box: Sandbox, app: App) -> httpx.Response:
    box.clock.move(timedelta(minutes=31))
    return app.http.get(f"{API}/Organisation")


@provokes("no_scope")
def _scope_too_small(box: Sandbox, _app: App) -> httpx.Response:
    other = App(box.url, "app-that-asks-for-less")  # what was granted before stays granted
    other.sign_in(ALL_SCOPES.replace(" accounting.payments", ""))
    answer = other.http.get(f"{API}/Payments")
    other.http.close()
    return answer


@provokes("no_tenant")
@provokes("no_tenant_in_capitals")
def _stranger(_box: Sandbox, app: App) -> httpx.Response:
    return app.http.get(f"{API}/Organisation", headers={"Xero-Tenant-Id": NOBODY})


@provokes("not_found")
def _no_such_invoice(_box: Sandbox, app: App) -> httpx.Response:
    return app.http.get(f"{API}/Invoices/{NOBODY}")


@provokes("minute_limit")
def _one_too_many(_box: Sandbox, app: App) -> httpx.Response:
    return _struck(app, "429-minute")


@provokes("internal_error")
def _xero_fails(_box: Sandbox, app: App) -> httpx.Response:
    return _struck(app, "500-before")


@provokes("offline")
def _is_offline(_box: Sandbox, app: App) -> httpx.Response:
    return _struck(app, "503")


@provokes("invalid_grant")
def _no_such_token(_box: Sandbox, app: App) -> httpx.Response:
    return app.refresh("not-a-token")


def _struck(app: App, kind: str) -> httpx.Response:
    app.http.post("/sandbox/faults", json={"kind": kind}).raise_for_status()
    return app.http.get(f"{API}/Organisation")


def unlike(answer: httpx.Response, told: dict[str, Any]) -> list[str]:
    """In what an answer differs from the recorded error."""
    content_type = answer.headers.get("content-type", "")
    found = [f"status {answer.status_code}"] * (answer.status_code != told["status"])
    found += [content_type] * (told["content_type"] not in (None, content_type))
    for header, name in told["headers"].items():
        value = answer.headers.get(header, "")
        is_number = value.isdecimal()
        found += [f"{header}: {value}"] * (not value or (name == "amount") != is_number)
    if "keys" not in told:
        is_json = answer.text[:1] in ("{", "[")
        return found + [answer.text] * (is_json or (told["body"] == "empty") != (not answer.content))
    keys = {path: seen(text) for path, text in told["keys"].items()}
    body = json.loads(answer.text, parse_float=Decimal)
    ours = {path: each for path, each in shape_of([body]).items() if "." not in path}
    return found + [f"{path} {what}" for path, what in differences(ours, keys)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_errors_have_the_recorded_form(box: Sandbox, app: App, file: Path) -> None:
    told = json.loads(file.read_text("utf-8"))
    app.sign_in()
    assert bool(unlike(PROVOKED[file.stem](box, app), told)) == (file.stem in KNOWN)


def test_every_recorded_error_is_provoked_and_says_where_it_was_recorded() -> None:
    assert set(PROVOKED) == {file.stem for file in FILES} >= set(KNOWN)
    for file in FILES:
        told = json.loads(file.read_text("utf-8"))
        assert told["what"]
        assert all(source["repository"] and source["path"] and source["recorded"] for source in told["sources"])
        assert ("keys" in told) != ("body" in told)


def test_an_error_of_another_form_is_found() -> None:
    told = {"status": 400, "content_type": "application/json", "headers": {"Retry-After": "amount"}}
    right = httpx.Response(400, json={"ErrorNumber": 10}, headers={"Retry-After": "5"})
    assert unlike(right, told | {"keys": {"ErrorNumber": "1/1 amount"}}) == []
    assert unlike(right, told | {"keys": {"ErrorNumber": "1/1 text", "Type": "1/1 text"}}) != []
    assert unlike(right, told | {"body": "empty"}) != []
    assert unlike(httpx.Response(401, text=""), told | {"body": "empty"}) == [
        "status 401",
        "text/plain; charset=utf-8",
        "Retry-After: ",
    ]
    assert format_of("Status", 401) == "amount"
