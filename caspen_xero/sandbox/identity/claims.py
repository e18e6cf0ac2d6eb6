"""What tokens say: the claims of access tokens and id tokens, with the names that Xero gives them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from caspen_xero.sandbox.identity.scopes import IDENTITY

ACCESS_LIFE = timedelta(minutes=30)
ID_TOKEN_LIFE = timedelta(minutes=5)
PERSON = uuid.uuid5(uuid.NAMESPACE_URL, "caspen-xero sandbox: the one person in it")


def access_claims(
    now: datetime, client_id: str, scopes: frozenset[str], auth_event_id: str, *, custom: bool
) -> dict[str, Any]:
    """The claims of an access token; one of a custom connection (`custom`) speaks for no person."""
    claims: dict[str, Any] = {
        "nbf": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFE).timestamp()),
        "iss": "https://identity.sandbox.invalid",
        "aud": "https://identity.sandbox.invalid/resources",
        "client_id": client_id,
        "auth_time": int(now.timestamp()),
        "xero_userid": str(PERSON),
        "global_session_id": uuid.uuid4().hex,
        "sid": uuid.uuid4().hex,
        "jti": uuid.uuid4().hex.upper(),
        "authentication_event_id": auth_event_id,
        "scope": sorted(scopes),
        "amr": ["pwd"],
    }
    return claims if custom else claims | {"sub": uuid.uuid5(PERSON, client_id).hex, "idp": "local"}


def id_claims(now: datetime, client_id: str, scopes: frozenset[str]) -> dict[str, Any]:
    """The claims of an id token: as much of the person as the scopes allow."""
    claims: dict[str, Any] = {
        "nbf": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFE).timestamp()),
        "aud": client_id,
        "xero_userid": str(PERSON),
        "sub": uuid.uuid5(PERSON, client_id).hex,
    }
    if "profile" in scopes & IDENTITY:
        claims |= {"name": "Sandbox Person", "given_name": "Sandbox", "family_name": "Person"}
    if "email" in scopes & IDENTITY:
        claims |= {"email": "person@sandbox.invalid", "preferred_username": "person@sandbox.invalid"}
    return claims
