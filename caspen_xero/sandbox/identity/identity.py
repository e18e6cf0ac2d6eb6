"""Who may do what: consents, codes, tokens and connections, as Xero's identity service keeps them.

There is one person in the sandbox. Sources: Xero's pages on the authorisation flow, PKCE, token types, custom
connections, scopes, and the OpenAPI description of its identity API.

- a code works once, for 5 minutes, with the client id, redirect URI and verifier it was asked with, or with a client secret
  where none was asked with;
- an access token works 30 minutes; a refresh token 60 days, is replaced at each refresh, and works 30 minutes more;
- scopes add up over consents until access is revoked;
- revoking takes every connection of the person to the app; a token already given out then finds nothing connected.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from caspen_xero.sandbox.identity.claims import ACCESS_LIFE, Session, access_claims, id_claims, wants_id_token
from caspen_xero.sandbox.identity.clients import Client, TokenError
from caspen_xero.sandbox.identity.jwt import Signer, base64url
from caspen_xero.sandbox.identity.scopes import ACCOUNTING, OFFLINE_ACCESS
from caspen_xero.sandbox.organisation.users import PERSON
from caspen_xero.sandbox.seam import Clock

CODE_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
REFRESH_GRACE = timedelta(minutes=30)

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")

_TABLES = """
DROP TABLE IF EXISTS identity_pending;
DROP TABLE IF EXISTS identity_codes;
DROP TABLE IF EXISTS identity_key;
CREATE TABLE IF NOT EXISTS identity_wishes (id TEXT PRIMARY KEY, wish TEXT);
CREATE TABLE IF NOT EXISTS identity_grants (code TEXT PRIMARY KEY, wish TEXT, scopes TEXT, auth_event_id TEXT,
    expires REAL);
CREATE TABLE IF NOT EXISTS identity_sessions (auth_event_id TEXT PRIMARY KEY, sid TEXT, global_session_id TEXT,
    began REAL, asked TEXT, with_secret INTEGER);
CREATE TABLE IF NOT EXISTS identity_access_tokens (token TEXT PRIMARY KEY, client_id TEXT, scopes TEXT,
    auth_event_id TEXT, custom_tenant_id TEXT, expires REAL);
CREATE TABLE IF NOT EXISTS identity_refresh_tokens (token TEXT PRIMARY KEY, client_id TEXT, scopes TEXT,
    auth_event_id TEXT, expires REAL, successor TEXT);
CREATE TABLE IF NOT EXISTS identity_connections (id TEXT PRIMARY KEY, client_id TEXT, tenant_id TEXT,
    auth_event_id TEXT, created REAL, updated REAL, UNIQUE (client_id, tenant_id));
CREATE TABLE IF NOT EXISTS identity_consents (client_id TEXT PRIMARY KEY, scopes TEXT);
"""
"""The three that go had other columns; what stood in them lived for minutes."""


@dataclass(frozen=True)
class Wish:
    """What an app asked the person for. `challenge` is empty where the app has a secret instead of PKCE."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    state: str | None
    nonce: str | None = None

    def kept(self) -> str:
        """As text, for the database."""
        return json.dumps(vars(self) | {"scopes": _joined(self.scopes)})

    @classmethod
    def of(cls, kept: str) -> Wish:
        """What was kept so."""
        fields = json.loads(kept)
        return cls(**fields | {"scopes": _split(fields["scopes"])})


@dataclass(frozen=True)
class Access:
    """What an access token stands for. `custom_tenant_id`: the organisation of a custom connection."""

    client_id: str
    scopes: frozenset[str]
    auth_event_id: str
    custom_tenant_id: str | None
    expires: datetime


@dataclass(frozen=True)
class Connection:
    """An app may work in an organisation; there is one per app and organisation."""

    id: str
    tenant_id: str
    auth_event_id: str
    created: datetime
    updated: datetime


class Identity:
    """The identity service, in the sandbox's database."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self.db, self.clock = db, clock
        db.executescript(_TABLES)
        self.signer = Signer(db)

    # the person decides

    def ask(self, wish: Wish) -> str:
        """Keeps a wish while the person looks at the consent page; gives its id."""
        pending = secrets.token_urlsafe(24)
        self.db.execute("INSERT INTO identity_wishes VALUES (?, ?)", (pending, wish.kept()))
        return pending

    def asked(self, pending: str) -> Wish | None:
        """The wish behind an id, once."""
        row = self.db.execute("SELECT wish FROM identity_wishes WHERE id = ?", (pending,)).fetchone()
        self.db.execute("DELETE FROM identity_wishes WHERE id = ?", (pending,))
        return Wish.of(row[0]) if row else None

    def allow(self, wish: Wish, tenant_id: str) -> str:
        """The person allows access to one organisation; gives the code."""
        auth_event_id = str(uuid.uuid4())
        self._connect(wish.client_id, tenant_id, auth_event_id)
        self._begin(auth_event_id, wish.scopes)
        scopes = wish.scopes | self._consented(wish.client_id)
        self.db.execute("INSERT OR REPLACE INTO identity_consents VALUES (?, ?)", (wish.client_id, _joined(scopes)))
        code = secrets.token_urlsafe(32)
        expires = (self.clock.now() + CODE_LIFE).timestamp()
        self.db.execute(
            "INSERT INTO identity_grants VALUES (?, ?, ?, ?, ?)",
            (code, wish.kept(), _joined(scopes), auth_event_id, expires),
        )
        return code

    def _consented(self, client_id: str) -> frozenset[str]:
        row = self.db.execute("SELECT scopes FROM identity_consents WHERE client_id = ?", (client_id,)).fetchone()
        return _split(row[0]) if row else frozenset()

    # tokens

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str, issuer: str) -> dict[str, Any]:
        """Tokens for a code; raises `TokenError` for a used, old or foreign code, a wrong verifier or a missing secret."""
        row = self.db.execute("SELECT * FROM identity_grants WHERE code = ?", (code,)).fetchone()
        if row is None or row[4] <= self._now():
            raise TokenError("invalid_grant")
        wish, scopes = Wish.of(row[1]), _split(row[2])
        if not wish.challenge and not client.has_secret:  # the app is looked at before its code is (IdentityServer)
            raise TokenError("invalid_client")
        self.db.execute("DELETE FROM identity_grants WHERE code = ?", (code,))
        if (wish.client_id, wish.redirect_uri) != (client.id, redirect_uri) or not _proves(verifier, wish.challenge):
            raise TokenError("invalid_grant")
        self.db.execute(
            "UPDATE identity_sessions SET with_secret = ? WHERE auth_event_id = ?", (client.has_secret, row[3])
        )
        session = replace(self._session(row[3]), nonce=wish.nonce)
        tokens = self._tokens(client.id, scopes, session, issuer)
        if OFFLINE_ACCESS in wish.scopes:
            tokens["refresh_token"] = self._refresh_token(client.id, scopes, row[3])
        return tokens

    def refresh(self, client: Client, token: str, issuer: str, *, drops_successor: bool = False) -> dict[str, Any]:
        """New tokens for a refresh token, which itself works 30 minutes more; raises `TokenError`.

        `drops_successor`: a second use ends the token that the first gave (UNCONFIRMED which of the two Xero does).
        """
        row = self._held(client, token)
        if row is None or row[4] <= self._now():
            raise TokenError("invalid_grant")
        scopes, auth_event_id, successor = _split(row[2]), row[3], row[5]
        if successor and drops_successor:
            self.db.execute("DELETE FROM identity_refresh_tokens WHERE token = ?", (successor,))
        following = self._refresh_token(client.id, scopes, auth_event_id)
        grace_ends = row[4] if successor else (self.clock.now() + REFRESH_GRACE).timestamp()
        self.db.execute(
            "UPDATE identity_refresh_tokens SET successor = ?, expires = min(expires, ?) WHERE token = ?",
            (following, grace_ends, token),
        )
        return self._tokens(client.id, scopes, self._session(auth_event_id), issuer) | {"refresh_token": following}

    def _held(self, client: Client, token: str) -> Any:
        """The row of an app's refresh token, None for another's; raises `TokenError` where the app should show a secret."""
        row = self.db.execute(
            "SELECT * FROM identity_refresh_tokens WHERE token = ? AND client_id = ?", (token, client.id)
        ).fetchone()
        if row and not client.has_secret and self._session(row[3]).with_secret:
            raise TokenError("invalid_client")
        return row

    def custom_connection(self, client: Client, scopes: frozenset[str], tenant_id: str, issuer: str) -> dict[str, Any]:
        """A token for the client-credentials grant: one organisation, nothing to refresh; no scopes asked means all."""
        if not client.has_secret:
            raise TokenError("invalid_client")
        if scopes - ACCOUNTING:
            raise TokenError("invalid_scope")
        session = _new_session(str(uuid.uuid4()), scopes, self.clock)
        return self._tokens(client.id, scopes or ACCOUNTING, session, issuer, tenant_id)

    def _tokens(
        self, client_id: str, scopes: frozenset[str], session: Session, issuer: str, custom_tenant_id: str | None = None
    ) -> dict[str, Any]:
        """The access token as the token endpoint gives it, and the id token that goes with it."""
        now, is_custom = self.clock.now(), custom_tenant_id is not None
        token = self.signer.signed(access_claims(now, issuer, client_id, scopes, session, custom=is_custom))
        self.db.execute("DELETE FROM identity_access_tokens WHERE expires < ?", (self._now() - 86_400,))
        self.db.execute(
            "INSERT INTO identity_access_tokens VALUES (?, ?, ?, ?, ?, ?)",
            (
                token,
                client_id,
                _joined(scopes),
                session.auth_event_id,
                custom_tenant_id,
                (now + ACCESS_LIFE).timestamp(),
            ),
        )
        tokens: dict[str, Any] = {
            "access_token": token,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
        }
        if wants_id_token(session):
            tokens["id_token"] = self.signer.signed(id_claims(now, issuer, client_id, scopes, session, token))
        return tokens

    def _begin(self, auth_event_id: str, asked: frozenset[str]) -> None:
        session = _new_session(auth_event_id, asked, self.clock)
        self.db.execute(
            "INSERT INTO identity_sessions VALUES (?, ?, ?, ?, ?, 0)",
            (auth_event_id, session.sid, session.global_session_id, session.began.timestamp(), _joined(asked)),
        )

    def _session(self, auth_event_id: str) -> Session:
        """The consent of that id; one of before this was kept told nothing of the person."""
        row = self.db.execute("SELECT * FROM identity_sessions WHERE auth_event_id = ?", (auth_event_id,)).fetchone()
        if row is None:
            return _new_session(auth_event_id, frozenset(), self.clock)
        return Session(row[0], row[1], row[2], _time(row[3]), _split(row[4]), with_secret=bool(row[5]))

    def _refresh_token(self, client_id: str, scopes: frozenset[str], auth_event_id: str) -> str:
        token = secrets.token_urlsafe(32)
        expires = (self.clock.now() + REFRESH_LIFE).timestamp()
        self.db.execute(
            "INSERT INTO identity_refresh_tokens VALUES (?, ?, ?, ?, ?, NULL)",
            (token, client_id, _joined(scopes), auth_event_id, expires),
        )
        return token

    def access(self, token: str) -> Access | None:
        """What a token stands for, also after it expired; None for one never given out or revoked."""
        row = self.db.execute("SELECT * FROM identity_access_tokens WHERE token = ?", (token,)).fetchone()
        return Access(row[1], _split(row[2]), row[3], row[4], datetime.fromtimestamp(row[5], UTC)) if row else None

    # taking access away

    def revoke(self, client: Client, token: str) -> None:
        """What the revocation endpoint does with a refresh token; an unknown one is no error. Raises `TokenError`."""
        if self._held(client, token):
            for table in ("connections", "refresh_tokens", "consents"):
                self.db.execute(f"DELETE FROM identity_{table} WHERE client_id = ?", (client.id,))

    def revoke_everything(self, client_id: str) -> None:
        """Takes the app's access away at once, tokens included (the fault `revoke-token`)."""
        for table in ("connections", "refresh_tokens", "access_tokens", "consents"):
            self.db.execute(f"DELETE FROM identity_{table} WHERE client_id = ?", (client_id,))

    # connections

    def connections(self, access: Access, auth_event_id: str | None = None) -> list[Connection]:
        """What the token's app is connected to, oldest first; `auth_event_id` narrows it to one consent."""
        if access.custom_tenant_id is not None:
            found: Sequence[Connection] = [_custom(access)]
        else:
            rows = self.db.execute(
                "SELECT id, tenant_id, auth_event_id, created, updated FROM identity_connections"
                " WHERE client_id = ? ORDER BY created, id",
                (access.client_id,),
            )
            found = [Connection(row[0], row[1], row[2], _time(row[3]), _time(row[4])) for row in rows]
        return [one for one in found if auth_event_id in (None, one.auth_event_id)]

    def disconnect(self, access: Access, connection_id: str) -> bool:
        """Ends one connection; False if the app has none of that id."""
        cursor = self.db.execute(
            "DELETE FROM identity_connections WHERE id = ? AND client_id = ?", (connection_id, access.client_id)
        )
        return cursor.rowcount > 0

    def _connect(self, client_id: str, tenant_id: str, auth_event_id: str) -> None:
        now = self._now()
        self.db.execute(
            "INSERT INTO identity_connections VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (client_id, tenant_id)"
            " DO UPDATE SET auth_event_id = excluded.auth_event_id, updated = excluded.updated",
            (str(uuid.uuid4()), client_id, tenant_id, auth_event_id, now, now),
        )

    def _now(self) -> float:
        return self.clock.now().timestamp()


def _custom(access: Access) -> Connection:
    tenant_id = access.custom_tenant_id or ""
    began = access.expires - ACCESS_LIFE
    identifier = str(uuid.uuid5(PERSON, f"{access.client_id} {tenant_id}"))
    return Connection(identifier, tenant_id, access.auth_event_id, began, began)


def _new_session(auth_event_id: str, asked: frozenset[str], clock: Clock) -> Session:
    return Session(auth_event_id, uuid.uuid4().hex, uuid.uuid4().hex, clock.now(), asked)


def _proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one of the challenge; where there was no challenge there is to be none (IdentityServer)."""
    if not challenge:
        return not verifier
    return bool(_VERIFIER.fullmatch(verifier)) and base64url(hashlib.sha256(verifier.encode()).digest()) == challenge


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _joined(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _split(scopes: str) -> frozenset[str]:
    return frozenset(scopes.split())
