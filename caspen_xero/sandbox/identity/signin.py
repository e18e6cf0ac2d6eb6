"""Sign-in over HTTP: the authorise request, the consent page, the token and revocation endpoints, and connections.

Sources: Xero's pages on the authorisation flow and PKCE, and its OpenAPI description of the identity API. All of them
live below one base URL here. A bad authorise request ends on an error page and nothing reaches the app's listener.
An app with a secret may leave PKCE out; one without must not.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from caspen_xero.sandbox.exchange import Exchange, html_answer, json_answer, redirect
from caspen_xero.sandbox.identity.addresses import addresses
from caspen_xero.sandbox.identity.clients import TokenError, client_of
from caspen_xero.sandbox.identity.identity import Connection, Identity, Wish
from caspen_xero.sandbox.identity.scopes import refused_scopes
from caspen_xero.sandbox.identity.unauthorised import admitted
from caspen_xero.sandbox.organisation.tenants import Tenants
from caspen_xero.sandbox.pages import markup
from caspen_xero.sandbox.seam import ApiAnswer
from caspen_xero.sandbox.settings import Settings

CONSENT = "/identity/consent"

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class _Unacceptable(Exception):
    """An authorise request that ends on the error page: OAuth's error code, and what is wrong."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(code)
        self.code, self.problem = code, problem


class SignIn:
    """The pages and endpoints by which an app gets and gives up access; the person knows it as `app_name`."""

    def __init__(self, identity: Identity, tenants: Tenants, settings: Settings, app_name: str) -> None:
        self.identity, self.tenants, self.settings, self.app_name = identity, tenants, settings, app_name

    # the browser's side

    def authorise(self, exchange: Exchange) -> ApiAnswer:
        """The consent page; with auto-approval the redirect at once."""
        try:
            wish = self._wish(exchange.query)
        except _Unacceptable as refusal:
            return _error_page(refusal.code, refusal.problem)
        if not self.settings.now.auto_approve:
            return html_answer(self._consent_page(wish))
        if self.settings.now.approval == "cancel":
            return self._denied(wish)
        return self._allowed(wish, self.tenants.chosen(self.settings.now.next_organisation).tenant_id)

    def consent(self, exchange: Exchange) -> ApiAnswer:
        """What the person pressed on the consent page."""
        wish = self.identity.asked(exchange.form.get("request", ""))
        if wish is None:
            return _error_page("invalid_request", "This page was used already. Start again from the app")
        if exchange.form.get("decision") != "allow":
            return self._denied(wish)
        tenant = self.tenants.by_id(exchange.form.get("organisation", ""))
        if tenant is None:
            return _error_page("invalid_request", "There is no such organisation")
        return self._allowed(wish, tenant.tenant_id)

    def _denied(self, wish: Wish) -> ApiAnswer:
        return _back(wish if self.settings.now.state_with_errors else replace(wish, state=None), error="access_denied")

    def _allowed(self, wish: Wish, tenant_id: str) -> ApiAnswer:
        code = self.identity.allow(wish, tenant_id)
        return _back(wish, code=code, scope=" ".join(sorted(wish.scopes)))

    def _wish(self, query: dict[str, str]) -> Wish:
        clients = self.settings.now.clients
        if not query.get("client_id") or (clients and query["client_id"] not in clients):
            raise _Unacceptable("unauthorized_client", "Unknown client or client not enabled")
        redirect_uri = query.get("redirect_uri", "")
        registered = self.settings.now.redirect_uris
        if not _may_redirect(redirect_uri) or (registered and redirect_uri not in registered):
            raise _Unacceptable("unauthorized_client", "Invalid redirect_uri")
        if query.get("response_type") != "code":
            raise _Unacceptable("unsupported_response_type", "The response_type must be code")
        scopes = frozenset(query.get("scope", "").split())
        if not scopes or refused_scopes(scopes):
            raise _Unacceptable("invalid_scope", "Invalid scope for client")
        challenge = _challenge(query, must=bool(clients) and not clients[query["client_id"]])
        return Wish(query["client_id"], redirect_uri, scopes, challenge, query.get("state"), query.get("nonce"))

    def _consent_page(self, wish: Wish) -> str:
        options = "".join(
            f'<option value="{markup.text(tenant.tenant_id)}">{markup.text(tenant.name)}</option>'
            for tenant in self.tenants.all()
        )
        scopes = "".join(f"<li>{markup.text(scope)}</li>" for scope in sorted(wish.scopes))
        return markup.page(
            "Allow access",
            f'<div class="card"><h1>{markup.text(self.app_name)} wants access to an organisation</h1>'
            f'<form method="post" action="{CONSENT}">'
            f'<input type="hidden" name="request" value="{markup.text(self.identity.ask(wish))}">'
            f'<p><label for="organisation">Organisation</label><br>'
            f'<select id="organisation" name="organisation">{options}</select></p>'
            f"<p>It asks for:</p><ul>{scopes}</ul>"
            '<p><button class="main" id="allow" name="decision" value="allow">Allow access</button> '
            '<button id="cancel" name="decision" value="cancel">Cancel</button></p></form>'
            f'<p class="quiet">Client id {markup.text(wish.client_id)}. Either way this page goes back to the app.</p></div>',
        )

    # the app's side

    def token(self, exchange: Exchange) -> ApiAnswer:
        """Tokens for a code, a refresh token or a client secret; form-encoded requests only."""
        try:
            tokens = self._tokens(exchange)
        except TokenError as refusal:
            return json_answer({"error": str(refusal)}, 400, {"Cache-Control": "no-store"})
        return json_answer(tokens, headers={"Cache-Control": "no-store"})

    def _tokens(self, exchange: Exchange) -> dict[str, object]:
        form = exchange.form
        grant = form.get("grant_type", "")
        if not exchange.is_form or not grant:
            raise TokenError("invalid_request")
        client = client_of(exchange, self.settings.now.clients)
        issuer = addresses(exchange.headers).issuer
        if grant == "client_credentials":
            tenant_id = self.tenants.chosen(self.settings.now.next_organisation).tenant_id
            return self.identity.custom_connection(client, frozenset(form.get("scope", "").split()), tenant_id, issuer)
        if grant == "authorization_code":
            code, uri, verifier = (form.get(name, "") for name in ("code", "redirect_uri", "code_verifier"))
            return self.identity.redeem(client, code, uri, verifier, issuer)
        if grant == "refresh_token":
            drops = self.settings.now.refresh_drops_successor
            return self.identity.refresh(client, form.get("refresh_token", ""), issuer, drops_successor=drops)
        raise TokenError("unsupported_grant_type")

    def revocation(self, exchange: Exchange) -> ApiAnswer:
        """Ends every connection of the person to the app that owns the refresh token."""
        token = exchange.form.get("token", "")
        try:
            if not token:
                raise TokenError("invalid_request")
            self.identity.revoke(client_of(exchange, self.settings.now.clients), token)
        except TokenError as refusal:
            return json_answer({"error": str(refusal)}, 400)
        return ApiAnswer(200, b"", "")

    def connections(self, exchange: Exchange) -> ApiAnswer:
        """The organisations that the app is connected to, oldest connection first."""
        access = admitted(exchange.headers, self.identity)
        found = self.identity.connections(access, exchange.query.get("authEventId"))
        return json_answer([self._described(one) for one in found])

    def disconnect(self, exchange: Exchange) -> ApiAnswer:
        """Ends one connection, by the connection's own id."""
        access = admitted(exchange.headers, self.identity)
        gone = self.identity.disconnect(access, exchange.captured["connection_id"])
        return ApiAnswer(204 if gone else 404, b"", "")

    def _described(self, connection: Connection) -> dict[str, object]:
        tenant = self.tenants.by_id(connection.tenant_id)
        return {
            "id": connection.id,
            "authEventId": connection.auth_event_id,
            "tenantId": connection.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": tenant.name if tenant else None,
            "createdDateUtc": _seven_digits(connection.created),
            "updatedDateUtc": _seven_digits(connection.updated),
        }


def _challenge(query: dict[str, str], *, must: bool) -> str:
    """The challenge of PKCE; "" where there is none and need not be. Raises `_Unacceptable`."""
    challenge = query.get("code_challenge", "")
    if not challenge and not must:
        return ""
    if not challenge:
        raise _Unacceptable("invalid_request", "code challenge required")
    if query.get("code_challenge_method") != "S256":
        raise _Unacceptable("invalid_request", "Transform algorithm not supported")
    if not _CHALLENGE.fullmatch(challenge):
        raise _Unacceptable("invalid_request", "Invalid code_challenge")
    return challenge


def _may_redirect(uri: str) -> bool:
    """Xero takes https anywhere, and http on `localhost` only: not on 127.0.0.1."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.fragment or "#" in uri or host in {"127.0.0.1", "::1"}:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")


def _back(wish: Wish, **answer: str) -> ApiAnswer:
    """Sends the browser back to the app with the answer, and with the app's state as it was sent, if any."""
    if wish.state is not None:
        answer["state"] = wish.state
    if "code" in answer:
        answer["session_state"] = f"{secrets.token_urlsafe(32)}.{secrets.token_hex(16).upper()}"
    joint = "&" if "?" in wish.redirect_uri else "?"
    return redirect(f"{wish.redirect_uri}{joint}{urlencode(answer)}")


def _error_page(code: str, problem: str) -> ApiAnswer:
    body = (
        '<div class="card failed"><h1>Sorry, something went wrong</h1><p>Error code: 500</p>'
        f"<p>Error: {markup.text(code)} : {markup.text(problem)}</p>"
        '<p class="next">Next: close this tab, and start again from the app.</p></div>'
    )
    return html_answer(markup.page("Error", body), 500)


def _seven_digits(at: datetime) -> str:
    """A time as `/connections` writes it: seven fractional digits and no zone."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0"
