"""What tokens say: the claims of access tokens, id tokens and userinfo, with the names that Xero gives them.

Source of the names: the types of both tokens in mrbrianevans/filing-deadlines `backend-shared/jwtTokens.ts`.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caspen_xero.sandbox.identity.jwt import base64url
from caspen_xero.sandbox.identity.scopes import OPENID
from caspen_xero.sandbox.organisation.users import EMAIL, FIRST_NAME, LAST_NAME, PERSON

ACCESS_LIFE = timedelta(minutes=30)
ID_TOKEN_LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Session:
    """One consent, as tokens tell of it.

    `began`: when the person allowed it. `asked`: the scopes asked for then. `with_secret`: its tokens were got with a client
    secret, and are only renewed with one. `nonce`: the app's own, for the first id token.
    """

    auth_event_id: str
    sid: str
    global_session_id: str
    began: datetime
    asked: frozenset[str]
    with_secret: bool = False
    nonce: str | None = None


def access_claims(
    now: datetime, issuer: str, client_id: str, scopes: frozenset[str], session: Session, *, custom: bool
) -> dict[str, Any]:
    """The claims of an access token; one of a custom connection (`custom`) speaks for no person."""
    claims: dict[str, Any] = {
        "nbf": _seconds(now),
        "exp": _seconds(now + ACCESS_LIFE),
        "iss": issuer,
        "aud": f"{issuer}/resources",
        "client_id": client_id,
        "auth_time": _seconds(session.began),
        "xero_userid": str(PERSON),
        "global_session_id": session.global_session_id,
        "sid": session.sid,
        "jti": uuid.uuid4().hex.upper(),
        "authentication_event_id": session.auth_event_id,
        "scope": sorted(scopes),
        "amr": ["pwd"],
    }
    return claims if custom else claims | {"sub": subject(client_id), "idp": "local"}


def id_claims(
    now: datetime, issuer: str, client_id: str, scopes: frozenset[str], session: Session, access_token: str
) -> dict[str, Any]:
    """The claims of the id token that goes with an access token."""
    claims: dict[str, Any] = {
        "nbf": _seconds(now),
        "exp": _seconds(now + ID_TOKEN_LIFE),
        "iss": issuer,
        "aud": client_id,
        "iat": _seconds(now),
        "at_hash": _at_hash(access_token),
        "sid": session.sid,
        "sub": subject(client_id),
        "auth_time": _seconds(session.began),
        "amr": ["pwd"],
    }
    claims |= {"xero_userid": str(PERSON), "global_session_id": session.global_session_id}
    return claims | person_claims(scopes) | ({} if session.nonce is None else {"nonce": session.nonce})


def person_claims(scopes: frozenset[str]) -> dict[str, str]:
    """As much of the person as the scopes allow."""
    claims = {}
    if "profile" in scopes:
        claims = {
            "preferred_username": EMAIL,
            "name": f"{FIRST_NAME} {LAST_NAME}",
            "given_name": FIRST_NAME,
            "family_name": LAST_NAME,
        }
    if "email" in scopes:
        claims["email"] = EMAIL
    return claims


def user_info(client_id: str, scopes: frozenset[str]) -> dict[str, str]:
    """What the userinfo endpoint tells of the person."""
    return {"sub": subject(client_id), "xero_userid": str(PERSON)} | person_claims(scopes)


def subject(client_id: str) -> str:
    """Who the person is to one app."""
    return uuid.uuid5(PERSON, client_id).hex


def wants_id_token(session: Session) -> bool:
    """Whether an id token was asked for, by the scope `openid`."""
    return OPENID in session.asked


def _at_hash(access_token: str) -> str:
    """The left half of the access token's SHA-256 (OpenID Connect Core, 3.1.3.6)."""
    return base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
