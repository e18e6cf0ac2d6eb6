"""Clients that look up where everything is, and check what they are given with somebody else's cryptography (PyJWT)."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App

WHERE = "/.well-known/openid-configuration"
SCOPES = "openid profile email offline_access accounting.invoices"


def checked(token: str, app: App, audience: str, issuer: str | None = None) -> dict[str, Any]:
    """The claims of a token whose signature, issuer, audience and times are right by the published keys."""
    where = app.http.get(WHERE).json()
    keys = jwt.PyJWKSet.from_dict(app.http.get(httpx.URL(where["jwks_uri"]).path).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    required = {"require": ["exp", "iss", "aud", "nbf"]}
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, issuer=issuer or where["issuer"], options=required
    )


def test_the_discovery_document_leads_to_everything_that_it_names(box: Sandbox, app: App) -> None:
    where = app.http.get(WHERE).json()
    assert where["issuer"] == box.url
    assert app.http.get(where["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"
    assert app.http.get(where["authorization_endpoint"], params=app.question()).status_code == 302
    for name in ("token_endpoint", "revocation_endpoint"):
        assert app.http.post(where[name], data={}).json() == {"error": "invalid_request"}
    assert app.http.get(where["userinfo_endpoint"]).status_code == 401
    assert where["id_token_signing_alg_values_supported"] == ["RS256"]
    assert where["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    for scope in where["scopes_supported"]:
        assert app.authorise(scope).status_code == 302


@pytest.mark.parametrize("host", ["identity.xero.com", "login.xero.com", "api.xero.com", "API.xero.com:443"])
def test_a_client_led_here_from_xeros_hosts_finds_xeros_addresses(app: App, host: str) -> None:
    app.http.headers["Host"] = host
    where = app.http.get(WHERE).json()
    assert where["issuer"] == "https://identity.xero.com"
    assert where["authorization_endpoint"] == "https://login.xero.com/identity/connect/authorize"
    assert where["token_endpoint"] == "https://identity.xero.com/connect/token"
    tokens = app.sign_in(SCOPES)
    assert checked(tokens["id_token"], app, app.client_id, "https://identity.xero.com")["email"]
    aud = "https://identity.xero.com/resources"
    assert checked(tokens["access_token"], app, aud, "https://identity.xero.com")["client_id"] == app.client_id


def test_behind_a_proxy_that_speaks_https_the_addresses_do_too(app: App) -> None:
    where = app.http.get(WHERE, headers={"Host": "localhost", "X-Forwarded-Proto": "https"}).json()
    assert where["token_endpoint"] == "https://localhost/connect/token"


def test_an_id_token_says_what_xeros_say(box: Sandbox, app: App) -> None:
    tokens = app.redeem(app.code(SCOPES, nonce="n-0S6_WzA2Mj")).json()
    claims = checked(tokens["id_token"], app, app.client_id)
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["exp"] - claims["iat"] == 300
    access = checked(tokens["access_token"], app, f"{box.url}/resources")
    for shared in ("sub", "sid", "xero_userid", "global_session_id", "auth_time"):
        assert claims[shared] == access[shared]
    person = {"email", "given_name", "family_name", "name", "preferred_username"}
    assert set(claims) == person | {
        *("nbf", "exp", "iss", "aud", "iat", "at_hash", "sid", "sub", "auth_time", "amr"),
        *("xero_userid", "global_session_id", "nonce"),
    }


def test_an_id_token_tells_no_more_than_was_asked_for(app: App) -> None:
    claims = checked(app.redeem(app.code("openid accounting.invoices")).json()["id_token"], app, app.client_id)
    assert not {"email", "name", "nonce"} & set(claims)
    assert "id_token" not in app.redeem(app.code("profile email accounting.invoices")).json()


def test_a_refresh_gives_a_new_id_token_of_the_same_sign_in_without_the_nonce(box: Sandbox, app: App) -> None:
    first = app.redeem(app.code(SCOPES, nonce="once")).json()
    again = app.refresh(first["refresh_token"]).json()
    one, two = (checked(tokens["id_token"], app, app.client_id) for tokens in (first, again))
    assert [two[name] for name in ("sub", "sid", "auth_time")] == [one[name] for name in ("sub", "sid", "auth_time")]
    assert two["at_hash"] != one["at_hash"]
    assert "nonce" not in two


def test_a_token_that_was_changed_is_found_out(app: App) -> None:
    head, body, signature = app.sign_in(SCOPES)["id_token"].split(".")
    other = app.redeem(app.code("openid")).json()["id_token"].split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        checked(f"{head}.{other}.{signature}", app, app.client_id)
    assert checked(f"{head}.{body}.{signature}", app, app.client_id)


def test_the_key_outlives_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "xero.db"
    with Sandbox(data=data, auto_approve=True) as box:
        token = App(box.url).sign_in(SCOPES)["id_token"]
    with Sandbox(data=data) as box:
        assert checked(token, App(box.url), "test-app", jwt.decode(token, options={"verify_signature": False})["iss"])


def test_userinfo_tells_who_the_person_is_as_far_as_the_scopes_go(box: Sandbox, app: App) -> None:
    tokens = app.sign_in(SCOPES)
    told = app.http.get("/connect/userinfo").json()
    assert told["email"].endswith("@sandbox.invalid")
    assert told["sub"] == checked(tokens["id_token"], app, app.client_id)["sub"]
    assert app.http.post("/connect/userinfo").json() == told
    other = App(box.url, "another-app")
    other.sign_in("openid")
    assert set(other.http.get("/connect/userinfo").json()) == {"sub", "xero_userid"}


def test_userinfo_is_refused_without_openid_and_without_a_good_token(app: App) -> None:
    app.sign_in("accounting.invoices")
    refused = app.http.get("/connect/userinfo")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (403, 'Bearer error="insufficient_scope"')
    refused = app.http.get("/connect/userinfo", headers={"Authorization": "Bearer none"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
