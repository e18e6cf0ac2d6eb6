"""Sign-in at the sandbox keeps Xero's rules: who gets a code, what a code and a token are good for, and how it ends."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import CALLBACK, App, error_of, returned

INVOICES = "/api.xro/2.0/Invoices"


def claims_of(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


# the authorise request


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redirect_uri": "http://127.0.0.1:8742/callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": "http://[::1]:8742/callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": "http://example.com/callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": "http://localhost.example.com/callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": "caspen://callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": None}, "unauthorized_client : Invalid redirect_uri"),
        ({"client_id": None}, "unauthorized_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "offline_access accounting.transactions"}, "invalid_scope : Invalid scope for client"),
        ({"scope": "accounting.reports.read"}, "invalid_scope : Invalid scope for client"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request : Invalid code_challenge"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
def test_a_bad_authorise_request_ends_on_an_error_page_and_never_reaches_the_listener(
    app: App, change: dict[str, str | None], words: str
) -> None:
    answer = app.http.get(
        "/identity/connect/authorize",
        params={name: value for name, value in (app.question() | change).items() if value is not None},
    )
    assert answer.status_code == 500
    assert "location" not in answer.headers
    assert "Error code: 500" in answer.text
    assert words in answer.text


def test_only_registered_redirect_uris_are_taken_where_some_are_registered(app: App) -> None:
    app.http.post("/sandbox/settings", json={"redirect_uris": [CALLBACK]}).raise_for_status()
    assert app.authorise().status_code == 302
    assert "Invalid redirect_uri" in app.authorise(redirect_uri=CALLBACK + "/").text


def test_the_state_comes_back_as_it_was_sent(app: App) -> None:
    assert returned(app.authorise(state="a b&c=d/é"))["state"] == "a b&c=d/é"
    assert "state" not in returned(app.authorise(state=None))


# the consent page


@pytest.fixture
def asking() -> Iterator[Sandbox]:
    with Sandbox(organisations=["Second <b>Clinic</b> & Co"]) as box:
        yield box


def decide(app: App, decision: str, organisation: str = "") -> httpx.Response:
    """Opens the consent page and presses a button on it."""
    page = app.authorise()
    assert page.status_code == 200
    hidden = re.search(r'name="request" value="([^"]+)"', page.text)
    options = {
        unescape(name): unescape(value) for value, name in re.findall(r'<option value="([^"]+)">([^<]+)<', page.text)
    }
    assert hidden
    form = {"request": hidden[1], "decision": decision, "organisation": options.get(organisation, "")}
    return app.http.post("/identity/consent", data=form)


def test_the_organisation_chosen_on_the_consent_page_is_the_one_connected(asking: Sandbox) -> None:
    app = App(asking.url)
    code = returned(decide(app, "allow", "Second <b>Clinic</b> & Co"))["code"]
    token = app.redeem(code).json()["access_token"]
    connections = app.http.get("/connections", headers={"Authorization": f"Bearer {token}"}).json()
    assert [one["tenantName"] for one in connections] == ["Second <b>Clinic</b> & Co"]


def test_names_are_text_on_the_consent_page_and_every_page_says_it_is_not_xero(asking: Sandbox) -> None:
    page = App(asking.url, client_id="<script>alert(1)</script>").authorise().text
    assert "<script" not in page
    assert "<b>Clinic" not in page
    assert "Local sandbox, not Xero." in page


def test_cancel_sends_access_denied_to_the_listener(asking: Sandbox) -> None:
    assert returned(decide(App(asking.url), "cancel")) == {"error": "access_denied", "state": "state-of-the-app"}


@pytest.mark.parametrize("auto_approve", [True, False])
def test_cancel_can_leave_the_state_out(asking: Sandbox, auto_approve: bool) -> None:
    app = App(asking.url)
    switches = {"state_with_errors": False, "approval": "cancel", "auto_approve": auto_approve}
    app.http.post("/sandbox/settings", json=switches).raise_for_status()
    assert returned(app.authorise() if auto_approve else decide(app, "cancel")) == {"error": "access_denied"}


def test_a_consent_page_works_once(asking: Sandbox) -> None:
    app = App(asking.url)
    hidden = re.search(r'name="request" value="([^"]+)"', app.authorise().text)
    assert hidden
    form = {"request": hidden[1], "decision": "cancel"}
    assert app.http.post("/identity/consent", data=form).status_code == 302
    assert app.http.post("/identity/consent", data=form).status_code == 500


def test_auto_approval_can_be_told_to_cancel(app: App) -> None:
    app.http.post("/sandbox/settings", json={"approval": "cancel"}).raise_for_status()
    assert returned(app.authorise())["error"] == "access_denied"


# codes


def test_a_code_works_once(app: App) -> None:
    code = app.code()
    assert app.redeem(code).status_code == 200
    assert error_of(app.redeem(code)) == "invalid_grant"


def test_a_code_works_for_five_minutes(box: Sandbox, app: App) -> None:
    code = app.code()
    box.clock.move(timedelta(minutes=5))
    assert error_of(app.redeem(code)) == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "x" * 64},
        {"code_verifier": "too-short"},
        {"redirect_uri": CALLBACK + "/"},
        {"client_id": "another-app"},
    ],
)
def test_a_code_is_bound_to_what_it_was_asked_with(app: App, change: dict[str, str]) -> None:
    assert error_of(app.redeem(app.code(), **change)) == "invalid_grant"


# tokens


def test_an_access_token_is_a_jwt_of_realistic_size_with_the_claims_of_xeros(app: App) -> None:
    tokens = app.sign_in(
        "offline_access accounting.contacts accounting.invoices accounting.payments accounting.settings"
    )
    assert 1_200 <= len(tokens["access_token"]) <= 1_500
    assert tokens["expires_in"] == 1800
    assert tokens["token_type"] == "Bearer"
    claims = claims_of(tokens["access_token"])
    assert claims["exp"] - claims["nbf"] == 1800  # type: ignore[operator]
    assert claims["authentication_event_id"] == app.http.get("/connections").json()[0]["authEventId"]
    assert set(claims) >= {"client_id", "scope", "jti", "xero_userid", "global_session_id", "iss", "aud"}


def test_an_expired_token_is_answered_as_xero_does(box: Sandbox, app: App) -> None:
    app.sign_in()
    assert app.http.get(INVOICES).status_code == 200
    box.clock.move(timedelta(minutes=30))
    for path in (INVOICES, "/connections"):
        answer = app.http.get(path)
        assert answer.status_code == 401
        assert answer.json()["Title"] == "Unauthorized"
        assert answer.json()["Detail"].startswith("TokenExpired: token expired at ")


@pytest.mark.parametrize("header", [None, "Bearer made-up", "Basic abc", "Bearer"])
def test_without_a_good_token_nothing_is_answered(app: App, header: str | None) -> None:
    headers = {"Accept": "application/json"} | ({"Authorization": header} if header else {})
    answer = app.http.get(INVOICES, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["Detail"] == "AuthenticationUnsuccessful"


def test_a_refresh_token_is_only_given_where_offline_access_was_asked(app: App) -> None:
    assert "refresh_token" not in app.redeem(app.code("accounting.invoices")).json()
    assert "refresh_token" in app.redeem(app.code("accounting.invoices offline_access")).json()


def test_a_refresh_rotates_the_token_and_the_old_one_works_thirty_minutes_more(box: Sandbox, app: App) -> None:
    first = app.sign_in()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    assert second != first
    box.clock.move(timedelta(minutes=29))
    assert app.refresh(first).status_code == 200
    box.clock.move(timedelta(minutes=2))
    assert error_of(app.refresh(first)) == "invalid_grant"
    assert app.refresh(second).status_code == 200


def test_a_second_use_of_an_old_refresh_token_can_end_the_first_new_one(app: App) -> None:
    app.http.post("/sandbox/settings", json={"refresh_drops_successor": True}).raise_for_status()
    first = app.sign_in()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    third = app.refresh(first).json()["refresh_token"]
    assert error_of(app.refresh(second)) == "invalid_grant"
    assert app.refresh(third).status_code == 200


def test_a_refresh_token_unused_for_sixty_days_is_gone(box: Sandbox, app: App) -> None:
    token = app.sign_in()["refresh_token"]
    box.clock.move(timedelta(days=60))
    assert error_of(app.refresh(token)) == "invalid_grant"


def test_a_refreshed_token_keeps_the_consent_it_came_from(app: App) -> None:
    tokens = app.sign_in()
    again = app.refresh(tokens["refresh_token"]).json()["access_token"]
    event = "authentication_event_id"
    assert claims_of(again)[event] == claims_of(tokens["access_token"])[event]


def test_another_app_cant_use_a_refresh_token(box: Sandbox, app: App) -> None:
    token = app.sign_in()["refresh_token"]
    assert error_of(App(box.url, client_id="another-app").refresh(token)) == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password", "client_id": "x"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "client_id": ""}, "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "x", "refresh_token": "y"}, "invalid_grant"),
    ],
)
def test_the_token_endpoints_refusals(app: App, form: dict[str, str], error: str) -> None:
    assert error_of(app.http.post("/connect/token", data=form)) == error


def test_the_token_endpoint_reads_forms_only(app: App) -> None:
    body = {"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": app.sign_in()["refresh_token"]}
    assert error_of(app.http.post("/connect/token", json=body)) == "invalid_request"


def test_scopes_add_up_over_consents(app: App) -> None:
    app.redeem(app.code("accounting.contacts"))
    assert app.redeem(app.code("accounting.invoices")).json()["scope"] == "accounting.contacts accounting.invoices"


# custom connections


def test_a_custom_connection_gets_a_token_without_refresh_and_needs_no_tenant_header(app: App) -> None:
    form = {"grant_type": "client_credentials", "scope": "accounting.invoices accounting.settings.read"}
    tokens = app.http.post("/connect/token", data=form, auth=("custom", "secret")).json()
    assert "refresh_token" not in tokens
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"}
    connections = app.http.get("/connections", headers=headers).json()
    assert [one["tenantName"] for one in connections] == ["Demo Company (AU)"]
    assert app.http.get("/api.xro/2.0/Organisation", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("credentials", "error"),
    [(("custom", ""), "invalid_client"), (("", "secret"), "invalid_client"), (None, "invalid_request")],
)
def test_a_custom_connection_needs_a_client_id_and_a_secret(
    app: App, credentials: tuple[str, str] | None, error: str
) -> None:
    answer = app.http.post("/connect/token", data={"grant_type": "client_credentials"}, auth=credentials)
    assert error_of(answer) == error


@pytest.mark.parametrize("scope", ["accounting.transactions", "accounting.invoices offline_access"])
def test_a_custom_connection_cant_have_broad_or_offline_scopes(app: App, scope: str) -> None:
    form = {"grant_type": "client_credentials", "scope": scope}
    assert error_of(app.http.post("/connect/token", data=form, auth=("custom", "secret"))) == "invalid_scope"


# connections


def test_a_second_consent_renews_the_connection_and_its_auth_event(box: Sandbox, app: App) -> None:
    app.sign_in()
    first = app.http.get("/connections").json()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", first["createdDateUtc"])
    assert first["tenantType"] == "ORGANISATION"
    box.clock.move(timedelta(minutes=1))
    app.sign_in()
    (second,) = app.http.get("/connections").json()
    assert (second["id"], second["createdDateUtc"]) == (first["id"], first["createdDateUtc"])
    assert second["authEventId"] != first["authEventId"]
    assert second["updatedDateUtc"] > first["updatedDateUtc"]


def test_connections_can_be_asked_for_one_consent(app: App) -> None:
    app.http.post("/sandbox/organisations", json={"Name": "Second clinic"}).raise_for_status()
    app.sign_in()
    app.http.post("/sandbox/settings", json={"next_organisation": "Second clinic"}).raise_for_status()
    app.sign_in()
    first, second = app.http.get("/connections").json()
    narrowed = app.http.get("/Connections", params={"authEventId": second["authEventId"]}).json()
    assert [one["tenantName"] for one in narrowed] == ["Second clinic"]
    assert first["tenantName"] == "Demo Company (AU)"


def test_a_deleted_connection_is_forbidden_from_then_on(app: App) -> None:
    app.sign_in()
    connection = app.http.get("/connections").json()[0]["id"]
    assert app.http.delete(f"/connections/{connection}").status_code == 204
    assert app.http.delete(f"/connections/{connection}").status_code == 404
    assert app.http.get("/connections").json() == []
    answer = app.http.get(INVOICES)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "AuthenticationUnsuccessful"


def test_revocation_takes_every_connection_and_the_refresh_token(app: App) -> None:
    token = app.sign_in()["refresh_token"]
    answer = app.http.post("/connect/revocation", data={"client_id": app.client_id, "token": token})
    assert (answer.status_code, answer.content) == (200, b"")
    assert app.http.get("/connections").json() == []
    assert app.http.get(INVOICES).status_code == 403
    assert error_of(app.refresh(token)) == "invalid_grant"
