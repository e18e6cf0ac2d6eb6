"""An app that signs in at the sandbox as an app must."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import loopback

ALL_SCOPES = (
    "offline_access accounting.contacts accounting.invoices accounting.payments accounting.settings"
    " accounting.banktransactions"
)
CALLBACK = "http://localhost:8742/callback"


class App:
    """An app that signs in as an app must: PKCE, form-encoded, no secret."""

    def __init__(self, url: str, client_id: str = "test-app") -> None:
        self.http = loopback.Client(base_url=url, timeout=10)
        self.client_id = client_id
        self.verifier = secrets.token_urlsafe(48)

    def question(self, scope: str = ALL_SCOPES, **changes: str | None) -> dict[str, str]:
        """The authorise request's parameters; a change to None leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": scope,
            "state": "state-of-the-app",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def authorise(self, scope: str = ALL_SCOPES, **changes: str | None) -> httpx.Response:
        return self.http.get("/identity/connect/authorize", params=self.question(scope, **changes))

    def code(self, scope: str = ALL_SCOPES, **changes: str | None) -> str:
        """A code, from a sandbox that approves by itself."""
        return returned(self.authorise(scope, **changes))["code"]

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return self.http.post("/connect/token", data=form | changes)

    def refresh(self, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return self.http.post("/connect/token", data=form)

    def sign_in(self, scope: str = ALL_SCOPES) -> dict[str, str]:
        """Tokens; from now on every request carries the token and the organisation's id."""
        tokens: dict[str, str] = self.redeem(self.code(scope)).raise_for_status().json()
        self.http.headers.update({"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"})
        self.http.headers["Xero-Tenant-Id"] = self.http.get("/connections").json()[-1]["tenantId"]
        return tokens


class WebApp(App):
    """An app with a secret and without PKCE, which it shows by Basic authorisation, or in the form."""

    def __init__(
        self, url: str, client_id: str = "web-app", secret: str = "web-secret", *, in_form: bool = False
    ) -> None:
        super().__init__(url, client_id)
        self.secret, self.in_form = secret, in_form

    def question(self, scope: str = ALL_SCOPES, **changes: str | None) -> dict[str, str]:
        return super().question(scope, **{"code_challenge": None, "code_challenge_method": None, **changes})

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        return self.ask({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK} | changes)

    def refresh(self, token: str) -> httpx.Response:
        return self.ask({"grant_type": "refresh_token", "refresh_token": token})

    def ask(self, form: dict[str, str], at: str = "/connect/token") -> httpx.Response:
        """Asks the token endpoint, showing id and secret."""
        if self.in_form:
            return self.http.post(at, data={"client_id": self.client_id, "client_secret": self.secret} | form)
        return self.http.post(at, data=form, auth=(quote_plus(self.client_id), quote_plus(self.secret)))


def returned(redirect: httpx.Response) -> dict[str, str]:
    """What the redirect to the app's listener carries."""
    assert redirect.status_code == 302, redirect.text
    assert redirect.headers["location"].startswith(CALLBACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(redirect.headers["location"]).query).items()}


def error_of(answer: httpx.Response) -> str:
    """OAuth's code for a refusal of the token endpoint."""
    assert answer.status_code == 400
    return str(answer.json()["error"])
