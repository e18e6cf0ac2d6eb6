"""Apps with a client secret: who they are at the token endpoint, and what becomes of those that are not."""

from __future__ import annotations

from collections.abc import Iterator

import loopback
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App, WebApp, error_of

REGISTERED = {"web-app": "web-secret", "desktop": "", "odd id": "a+b:c%/ é"}


@pytest.fixture
def registered() -> Iterator[Sandbox]:
    with Sandbox(auto_approve=True, clients=REGISTERED) as box:
        yield box


@pytest.mark.parametrize("in_form", [False, True])
def test_a_web_app_signs_in_and_refreshes_by_its_secret_without_pkce(box: Sandbox, in_form: bool) -> None:
    app = WebApp(box.url, in_form=in_form)
    tokens = app.sign_in()
    assert app.http.get("/api.xro/2.0/Organisation").status_code == 200
    again = app.refresh(tokens["refresh_token"]).json()
    assert again["refresh_token"] != tokens["refresh_token"]
    assert app.ask({"token": again["refresh_token"]}, "/connect/revocation").status_code == 200
    assert app.http.get("/connections").json() == []


def test_a_code_asked_for_without_pkce_needs_a_secret(app: App) -> None:
    code = app.code(code_challenge=None, code_challenge_method=None)
    assert error_of(app.redeem(code)) == "invalid_client"
    web = WebApp(str(app.http.base_url), app.client_id)
    assert error_of(web.redeem(code, code_verifier=app.verifier)) == "invalid_grant"  # nobody asked for one
    code = app.code(code_challenge=None, code_challenge_method=None)
    assert web.redeem(code).status_code == 200


def test_what_was_got_with_a_secret_is_not_renewed_or_revoked_without_one(box: Sandbox) -> None:
    web = WebApp(box.url)
    token = web.sign_in()["refresh_token"]
    without = App(box.url, web.client_id)
    assert error_of(without.refresh(token)) == "invalid_client"
    assert error_of(without.http.post("/connect/revocation", data={"client_id": "web-app", "token": token})) == (
        "invalid_client"
    )
    assert web.refresh(token).status_code == 200


def test_an_app_with_a_secret_may_use_pkce_as_well(registered: Sandbox) -> None:
    web, asking = WebApp(registered.url), App(registered.url, "web-app")
    assert error_of(web.redeem(asking.code(), code_verifier="x" * 64)) == "invalid_grant"
    assert web.redeem(asking.code(), code_verifier=asking.verifier).status_code == 200


@pytest.mark.parametrize("in_form", [False, True])
@pytest.mark.parametrize(("client_id", "secret"), [("web-app", "wrong"), ("web-app", ""), ("nobody", "web-secret")])
def test_where_apps_are_registered_a_wrong_id_or_secret_is_an_invalid_client(
    registered: Sandbox, client_id: str, secret: str, in_form: bool
) -> None:
    right, wrong = WebApp(registered.url), WebApp(registered.url, client_id, secret, in_form=in_form)
    code = right.code()
    assert error_of(wrong.redeem(code)) == "invalid_client"
    token = right.redeem(code).json()["refresh_token"]  # the code is still good
    assert error_of(wrong.refresh(token)) == "invalid_client"
    assert error_of(wrong.ask({"grant_type": "client_credentials"})) == "invalid_client"
    assert error_of(wrong.ask({"token": token}, "/connect/revocation")) == "invalid_client"
    assert right.refresh(token).status_code == 200


def test_where_apps_are_registered_an_unknown_one_ends_on_an_error_page(registered: Sandbox) -> None:
    page = App(registered.url, "nobody").authorise()
    assert page.status_code == 500
    assert "unauthorized_client : Unknown client" in page.text


def test_an_app_registered_without_a_secret_must_use_pkce(registered: Sandbox) -> None:
    desktop = App(registered.url, "desktop")
    page = desktop.authorise(code_challenge=None)
    assert (page.status_code, "invalid_request : code challenge required" in page.text) == (500, True)
    desktop.sign_in()
    form = {"grant_type": "client_credentials", "client_id": "desktop", "client_secret": "made up"}
    assert error_of(desktop.http.post("/connect/token", data=form)) == "invalid_client"


@pytest.mark.parametrize("in_form", [False, True])
def test_id_and_secret_are_form_encoded_in_either_place(registered: Sandbox, in_form: bool) -> None:
    assert WebApp(registered.url, "odd id", REGISTERED["odd id"], in_form=in_form).sign_in()["access_token"]


def test_apps_are_registered_while_it_runs_too(box: Sandbox) -> None:
    web = WebApp(box.url, "late", "made-up")
    token = web.sign_in()["refresh_token"]
    loopback.post(f"{box.url}/sandbox/settings", json={"clients": {"late": "the-real-one"}}).raise_for_status()
    assert error_of(web.refresh(token)) == "invalid_client"
    web.secret = "the-real-one"
    assert web.refresh(token).status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic ?", "Basic bm8gY29sb24=", "basic Og=="])
def test_a_basic_header_that_names_no_app_with_its_secret_is_an_invalid_client(box: Sandbox, header: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    assert error_of(loopback.post(f"{box.url}/connect/token", data=form, headers={"Authorization": header})) == (
        "invalid_client"
    )


@pytest.mark.parametrize("in_form", [False, True])
def test_a_custom_connection_shows_its_secret_in_either_place(box: Sandbox, in_form: bool) -> None:
    custom = WebApp(box.url, "custom", in_form=in_form)
    tokens = custom.ask({"grant_type": "client_credentials", "scope": "accounting.settings.read"}).json()
    for named in ({}, {"Xero-Tenant-Id": ""}):
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json", **named}
        assert custom.http.get("/api.xro/2.0/Organisation", headers=headers).status_code == 200
