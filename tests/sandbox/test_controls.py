"""The sandbox's controls: see every document and request, move the clock, act as a person in Xero, start over."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from caspen_xero.sandbox import settings
from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.invoicing import INVOICES, make_invoice
from tests.sandbox.signing_in import App

CONTACTS = "/api.xro/2.0/Contacts"


def requests_at(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/sandbox/requests").json()["requests"]
    return found


# the request log


def test_every_request_is_noted_in_order_with_its_answer(api_client: httpx.Client) -> None:
    api_client.get(CONTACTS, params={"page": "1", "where": 'Name=="Ada"'})
    api_client.get("/api.xro/2.0/Nowhere")
    noted = requests_at(api_client)
    assert [(one["method"], one["path"], one["status"]) for one in noted] == [
        ("GET", "/identity/connect/authorize", 302),
        ("POST", "/connect/token", 200),
        ("GET", "/connections", 200),
        ("GET", CONTACTS, 200),
        ("GET", "/api.xro/2.0/Nowhere", 404),
    ]
    contacts = noted[3]
    assert contacts["query"] == {"page": "1", "where": 'Name=="Ada"'}
    assert contacts["headers"]["accept"] == "application/json"
    assert contacts["response_headers"]["X-MinLimit-Remaining"] == "9999"
    assert '"Contacts":[]' in contacts["response_body"]
    assert [one["id"] for one in noted] == sorted(one["id"] for one in noted)


def test_no_secret_stands_in_the_log(app: App) -> None:
    code = app.code()
    tokens = app.redeem(code).json()
    again = app.refresh(tokens["refresh_token"]).json()
    app.http.get("/connections", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    app.http.post("/connect/token", data={"grant_type": "client_credentials"}, auth=("custom", "very-secret"))
    app.http.post("/elsewhere", params={"code": "a-lost-code"}, data={"refresh_token": "a-lost-token"})
    app.http.post("/sandbox/faults", json={"kind": "echo", "count": 2}).raise_for_status()
    for path in ("/api.xro/2.0/Organisation", "/connections"):
        app.http.get(path, headers={"Authorization": "Bearer a-token-that-comes-back"})
    log = app.http.get("/sandbox/requests").text
    secrets = [code, app.verifier, "dmVyeS1zZWNyZXQ", "a-lost-code", "a-lost-token", "a-token-that-comes-back"]
    secrets += [one[name] for one in (tokens, again) for name in ("access_token", "refresh_token")]
    assert [secret for secret in secrets if secret in log] == []
    assert '"authorization": "Bearer (redacted)"' in log
    assert "grant_type=authorization_code" in log


def test_the_log_can_be_cleared(api_client: httpx.Client) -> None:
    api_client.delete("/sandbox/requests").raise_for_status()
    assert requests_at(api_client) == []


# the clock


def test_the_clock_moves_and_is_set(api_client: httpx.Client) -> None:
    api_client.post("/sandbox/clock", json={"now": "2027-07-01T00:00:00Z"}).raise_for_status()
    now = datetime.fromisoformat(api_client.post("/sandbox/clock", json={"seconds": 3600}).json()["now"])
    assert (now.tzinfo, now.date().isoformat(), now.hour) == (UTC, "2027-07-01", 1)


def test_every_answer_tells_the_sandboxs_own_time(api_client: httpx.Client) -> None:
    api_client.post("/sandbox/clock", json={"now": "2027-07-01T00:00:00Z"}).raise_for_status()

    def told() -> list[str | None]:
        asked = ("/api.xro/2.0/Invoices", "/api.xro/2.0/NoSuch", "/nowhere", "/sandbox/clock", "/connections", "/")
        answers = [api_client.get(path) for path in asked]
        for kind in ("500-before", "429-minute", "html"):
            api_client.post("/sandbox/faults", json={"kind": kind, "path": "/Accounts"})
            answers.append(api_client.get("/api.xro/2.0/Accounts"))
        answers.append(api_client.put("/api.xro/2.0/Invoices", content=b"x", headers={"Authorization": "Bearer none"}))
        return [answer.headers.get("date") for answer in answers]

    assert {date[:25] for date in told() if date} == {"Thu, 01 Jul 2027 00:00:00"}
    api_client.post("/sandbox/settings", json={"date_header": False}).raise_for_status()
    assert set(told()) == {None}


@pytest.mark.parametrize("wishes", [{}, {"seconds": "many"}, {"now": "tomorrow"}, {"seconds": 1e300}])
def test_a_time_that_is_none_is_refused(api_client: httpx.Client, wishes: dict[str, Any]) -> None:
    assert api_client.post("/sandbox/clock", json=wishes).status_code == 400


# what a person does in Xero


def test_a_person_marks_an_invoice_as_paid(api_client: httpx.Client) -> None:
    invoice = make_invoice(api_client)
    paid = api_client.post(f"/sandbox/invoices/{invoice['InvoiceID']}/mark-paid").json()
    payment = api_client.get(f"/api.xro/2.0/Payments/{paid['PaymentID']}").json()["Payments"][0]
    assert payment["Invoice"]["InvoiceID"] == invoice["InvoiceID"]
    state = api_client.get("/sandbox/state").json()
    assert [(one["Status"], one["AmountDue"]) for one in state["Invoices"]] == [("PAID", 0)]
    again = api_client.post(f"/sandbox/invoices/{invoice['InvoiceID']}/mark-paid")
    assert again.status_code == 400


def test_a_person_archives_and_restores_a_contact(api_client: httpx.Client) -> None:
    contact = api_client.put(CONTACTS, json={"Contacts": [{"Name": "Ada"}]}).json()["Contacts"][0]["ContactID"]
    api_client.post(f"/sandbox/contacts/{contact}/archive").raise_for_status()
    assert api_client.get(CONTACTS).json()["Contacts"] == []
    api_client.post(f"/sandbox/contacts/{contact}/restore").raise_for_status()
    assert len(api_client.get(CONTACTS).json()["Contacts"]) == 1
    assert api_client.post("/sandbox/contacts/unknown/archive").status_code == 400


def test_a_person_archives_an_account_by_its_code(api_client: httpx.Client) -> None:
    api_client.post("/sandbox/accounts/200/archive").raise_for_status()
    accounts = api_client.get("/sandbox/state").json()["Accounts"]
    assert [one["Status"] for one in accounts if one.get("Code") == "200"] == ["ARCHIVED"]


def test_a_person_makes_items_that_lines_can_name(api_client: httpx.Client) -> None:
    item = {"Code": "PHYSIO", "Name": "Physiotherapy"}
    assert api_client.post("/sandbox/items", json=item).status_code == 201
    kept = api_client.get("/sandbox/state").json()["Items"]
    assert [{name: one[name] for name in item} for one in kept] == [item]
    for refused in (item, {}, {"Code": ""}, {"Code": 7}, {"Code": "X" * 31}):
        assert api_client.post("/sandbox/items", json=refused).status_code == 400
    api_client.post("/sandbox/reset").raise_for_status()
    assert api_client.get("/sandbox/state").json()["Items"] == []


def test_a_person_locks_a_period(api_client: httpx.Client) -> None:
    api_client.post("/sandbox/organisation", json={"PeriodLockDate": "2026-10-31"}).raise_for_status()
    organisation = api_client.get("/api.xro/2.0/Organisation").json()["Organisations"][0]
    assert organisation["PeriodLockDate"].startswith("/Date(")
    assert api_client.post("/sandbox/organisation", json={"Moon": "full"}).status_code == 400


def test_more_organisations_have_books_of_their_own(api_client: httpx.Client) -> None:
    made = api_client.post("/sandbox/organisations", json={"Name": "Second clinic", "Country": "NZ"}).json()
    make_invoice(api_client)
    state = api_client.get("/sandbox/state", params={"tenant": made["TenantId"]}).json()
    assert (state["Organisation"]["Name"], state["Organisation"]["CountryCode"]) == ("Second clinic", "NZ")
    assert state["Invoices"] == []
    assert api_client.get("/sandbox/state", params={"tenant": "unknown"}).status_code == 400
    names = [one["Name"] for one in api_client.get("/sandbox/organisations").json()["organisations"]]
    assert names == ["Demo Company (AU)", "Second clinic"]
    assert api_client.post("/sandbox/organisations", json={"Name": "X", "Country": "ZZ"}).status_code == 400


# switches and starting over


@pytest.mark.parametrize(
    "wishes", [{"moon": True}, {"auto_approve": "yes"}, {"approval": "maybe"}, {"clients": {"a": 1}}, [1], "x"]
)
def test_a_switch_that_cant_be_is_refused(api_client: httpx.Client, wishes: Any) -> None:
    before = api_client.get("/sandbox/settings").json()
    assert api_client.post("/sandbox/settings", json=wishes).status_code == 400
    assert api_client.get("/sandbox/settings").json() == before


def test_a_reset_takes_everything_back_to_the_start_but_sign_ins_stay_good(
    box: Sandbox, api_client: httpx.Client
) -> None:
    organisation = box.api.organisations()
    make_invoice(api_client)
    api_client.post("/sandbox/organisations", json={"Name": "Second clinic"}).raise_for_status()
    api_client.post("/sandbox/clock", json={"seconds": 60}).raise_for_status()
    api_client.post("/sandbox/settings", json={"approval": "cancel"}).raise_for_status()
    api_client.post("/sandbox/faults", json={"kind": "503"}).raise_for_status()
    api_client.post("/sandbox/reset").raise_for_status()
    assert requests_at(api_client) == []
    assert box.api.organisations() == organisation
    assert api_client.get("/sandbox/settings").json()["approval"] == "allow"
    assert api_client.get(INVOICES, params={"page": 1}).json()["Invoices"] == []
    assert abs((box.clock.now() - datetime.now(UTC)).total_seconds()) < 1


def test_one_organisations_name_in_a_request_is_enough_for_any_letter_case(api_client: httpx.Client) -> None:
    tenant = api_client.headers["Xero-Tenant-Id"].upper()
    assert api_client.get(CONTACTS, headers={"Xero-Tenant-Id": tenant}).status_code == 200


def test_an_address_that_xero_does_not_have_is_an_html_404_and_noted(api_client: httpx.Client) -> None:
    answer = api_client.get("/api.xro/3.0/Invoices")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert requests_at(api_client)[-1]["path"] == "/api.xro/3.0/Invoices"


def test_an_unknown_control_names_those_that_there_are(api_client: httpx.Client) -> None:
    answer = api_client.get("/sandbox/requsts")
    assert answer.status_code == 404
    assert "GET /sandbox/requests" in answer.json()["controls"]


def test_the_readme_lists_every_switch_of_the_books_with_its_words() -> None:
    readme = (Path(settings.__file__).parent / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \| (.+?) \| .+ \|$", readme.partition("## Switches")[2], re.MULTILINE)
    told = {name: (first, set(re.findall(r"`([\w-]+)`", others))) for name, first, others in rows}
    words = get_type_hints(settings.Ways)
    assert told == {
        one.name: (one.default, set(get_args(words[one.name])) - {one.default}) for one in fields(settings.Ways)
    }
