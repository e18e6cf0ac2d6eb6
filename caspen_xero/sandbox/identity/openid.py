"""OpenID Connect for clients that look up where everything is: the discovery document, the keys, and who the person is.

Sources: what clients of Xero read there (openid-client in xero-node, xero-ruby), OpenID Connect Discovery 1.0, and for
`userinfo` IdentityServer, which Xero's sign-in is built on.
"""

from __future__ import annotations

from caspen_xero.sandbox.exchange import Exchange, json_answer
from caspen_xero.sandbox.identity.addresses import addresses
from caspen_xero.sandbox.identity.claims import user_info
from caspen_xero.sandbox.identity.identity import Identity
from caspen_xero.sandbox.identity.jwt import ALGORITHM
from caspen_xero.sandbox.identity.scopes import GRANULAR, OPENID
from caspen_xero.sandbox.seam import ApiAnswer

DISCOVERY = "/.well-known/openid-configuration"
KEYS = f"{DISCOVERY}/jwks"
AUTHORISE = "/identity/connect/authorize"
TOKEN = "/connect/token"
REVOCATION = "/connect/revocation"
USER_INFO = "/connect/userinfo"

_CLAIMS = "sub xero_userid global_session_id sid auth_time name given_name family_name preferred_username email"


class OpenId:
    """The three endpoints."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def discovery(self, exchange: Exchange) -> ApiAnswer:
        """Where everything is, under the addresses that the request came by, and what of OpenID Connect there is."""
        where = addresses(exchange.headers)
        return json_answer(
            {
                "issuer": where.issuer,
                "jwks_uri": where.issuer + KEYS,
                "authorization_endpoint": where.login + AUTHORISE,
                "token_endpoint": where.issuer + TOKEN,
                "userinfo_endpoint": where.issuer + USER_INFO,
                "revocation_endpoint": where.issuer + REVOCATION,
                "scopes_supported": sorted(GRANULAR),
                "claims_supported": _CLAIMS.split(),
                "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "subject_types_supported": ["public"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def keys(self, exchange: Exchange) -> ApiAnswer:
        """The key that tokens are signed with."""
        return json_answer(self.identity.signer.key_set())

    def user_info(self, exchange: Exchange) -> ApiAnswer:
        """Who the person is, as much as the token's scopes allow."""
        scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
        access = self.identity.access(token.strip()) if scheme.lower() == "bearer" else None
        if access is None or access.expires <= self.identity.clock.now():
            return _refused(401, "invalid_token")
        if OPENID not in access.scopes or access.custom_tenant_id is not None:
            return _refused(403, "insufficient_scope")
        return json_answer(user_info(access.client_id, access.scopes), headers={"Cache-Control": "no-store"})


def _refused(status: int, error: str) -> ApiAnswer:
    return ApiAnswer(status, b"", "", {"WWW-Authenticate": f'Bearer error="{error}"'})
