"""Who may do what: consents, codes, tokens and connections, as Xero's identity service keeps them.

There is one person in the sandbox. Sources: Xero's pages on the authorisation flow, PKCE, token types, custom
connections, scopes, and the OpenAPI description of its identity API.

- a code works once, for 5 minutes, with the client id, redirect URI and verifier it was asked with;
- an access token works 30 minutes; a refresh token 60 days, is replaced at each refresh, and works 30 minutes more;
- scopes add up over consents until access is revoked;
- revoking takes every connection of the person to the app; a token already given out then finds nothing connected.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from caspen_xero.sandbox.identity.claims import ACCESS_LIFE, PERSON, access_claims, id_claims
from caspen_xero.sandbox.identity.jwt import signed
from caspen_xero.sandbox.identity.scopes import ACCOUNTING, OFFLINE_ACCESS
from caspen_xero.sandbox.seam import Clock

CODE_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
REFRESH_GRACE = timedelta(minutes=30)

_TABLES = """
CREATE TABLE IF NOT EXISTS identity_pending (id TEXT PRIMARY KEY, client_id TEXT, redirect_uri TEXT, scopes TEXT,
    challenge TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS identity_codes (code TEXT PRIMARY KEY, client_id TEXT, redirect_uri TEXT, scopes TEXT,
    challenge TEXT, offline INTEGER, auth_event_id TEXT, expires REAL);
CREATE TABLE IF NOT EXISTS identity_access_tokens (token TEXT PRIMARY KEY, client_id TEXT, scopes TEXT,
    auth_event_id TEXT, custom_tenant_id TEXT, expires REAL);
CREATE TABLE IF NOT EXISTS identity_refresh_tokens (token TEXT PRIMARY KEY, client_id TEXT, scopes TEXT,
    auth_event_id TEXT, expires REAL, successor TEXT);
CREATE TABLE IF NOT EXISTS identity_connections (id TEXT PRIMARY KEY, client_id TEXT, tenant_id TEXT,
    auth_event_id TEXT, created REAL, updated REAL, UNIQUE (client_id, tenant_id));
CREATE TABLE IF NOT EXISTS identity_consents (client_id TEXT PRIMARY KEY, scopes TEXT);
CREATE TABLE IF NOT EXISTS identity_key (key BLOB);
"""


class TokenError(Exception):
    """A refusal of the token endpoint; the text is OAuth's own error code."""


@dataclass(frozen=True)
class Wish:
    """What an app asked the person for."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    state: str | None


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
        if db.execute("SELECT key FROM identity_key").fetchone() is None:
            db.execute("INSERT INTO identity_key VALUES (?)", (secrets.token_bytes(64),))
        self._key: bytes = db.execute("SELECT key FROM identity_key").fetchone()[0]

    # the person decides

    def ask(self, wish: Wish) -> str:
        """Keeps a wish while the person looks at the consent page; gives its id."""
        pending = secrets.token_urlsafe(24)
        row = (pending, wish.client_id, wish.redirect_uri, _joined(wish.scopes), wish.challenge, wish.state)
        self.db.execute("INSERT INTO identity_pending VALUES (?, ?, ?, ?, ?, ?)", row)
        return pending

    def asked(self, pending: str) -> Wish | None:
        """The wish behind an id, once."""
        row = self.db.execute("SELECT * FROM identity_pending WHERE id = ?", (pending,)).fetchone()
        self.db.execute("DELETE FROM identity_pending WHERE id = ?", (pending,))
        return Wish(row[1], row[2], _split(row[3]), row[4], row[5]) if row else None

    def allow(self, wish: Wish, tenant_id: str) -> str:
        """The person allows access to one organisation; gives the code."""
        auth_event_id = str(uuid.uuid4())
        self._connect(wish.client_id, tenant_id, auth_event_id)
        scopes = wish.scopes | self._consented(wish.client_id)
        self.db.execute("INSERT OR REPLACE INTO identity_consents VALUES (?, ?)", (wish.client_id, _joined(scopes)))
        code = secrets.token_urlsafe(32)
        self.db.execute(
            "INSERT INTO identity_codes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                code,
                wish.client_id,
                wish.redirect_uri,
                _joined(scopes),
                wish.challenge,
                OFFLINE_ACCESS in wish.scopes,
                auth_event_id,
                (self.clock.now() + CODE_LIFE).timestamp(),
            ),
        )
        return code

    def _consented(self, client_id: str) -> frozenset[str]:
        row = self.db.execute("SELECT scopes FROM identity_consents WHERE client_id = ?", (client_id,)).fetchone()
        return _split(row[0]) if row else frozenset()

    # tokens

    def redeem(self, client_id: str, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Tokens for a code; raises `TokenError` for a used, old or foreign code, or a wrong verifier."""
        row = self.db.execute("SELECT * FROM identity_codes WHERE code = ?", (code,)).fetchone()
        self.db.execute("DELETE FROM identity_codes WHERE code = ?", (code,))
        if row is None or row[7] <= self._now():
            raise TokenError("invalid_grant")
        if (row[1], row[2]) != (client_id, redirect_uri) or _challenge_of(verifier) != row[4]:
            raise TokenError("invalid_grant")
        scopes = _split(row[3])
        tokens = self._access_token(client_id, scopes, row[6])
        if row[5]:
            tokens["refresh_token"] = self._refresh_token(client_id, scopes, row[6])
        return tokens

    def refresh(self, client_id: str, token: str, *, drops_successor: bool = False) -> dict[str, Any]:
        """New tokens for a refresh token, which itself works 30 minutes more; raises `TokenError`.

        `drops_successor`: a second use ends the token that the first gave (UNCONFIRMED which of the two Xero does).
        """
        row = self.db.execute(
            "SELECT * FROM identity_refresh_tokens WHERE token = ? AND client_id = ?", (token, client_id)
        ).fetchone()
        if row is None or row[4] <= self._now():
            raise TokenError("invalid_grant")
        scopes, auth_event_id, successor = _split(row[2]), row[3], row[5]
        if successor and drops_successor:
            self.db.execute("DELETE FROM identity_refresh_tokens WHERE token = ?", (successor,))
        following = self._refresh_token(client_id, scopes, auth_event_id)
        grace_ends = row[4] if successor else (self.clock.now() + REFRESH_GRACE).timestamp()
        self.db.execute(
            "UPDATE identity_refresh_tokens SET successor = ?, expires = min(expires, ?) WHERE token = ?",
            (following, grace_ends, token),
        )
        return self._access_token(client_id, scopes, auth_event_id) | {"refresh_token": following}

    def custom_connection(self, client_id: str, scopes: frozenset[str], tenant_id: str) -> dict[str, Any]:
        """A token for the client-credentials grant: one organisation, nothing to refresh; no scopes asked means all."""
        if scopes - ACCOUNTING:
            raise TokenError("invalid_scope")
        return self._access_token(client_id, scopes or ACCOUNTING, str(uuid.uuid4()), tenant_id)

    def _access_token(
        self, client_id: str, scopes: frozenset[str], auth_event_id: str, custom_tenant_id: str | None = None
    ) -> dict[str, Any]:
        now = self.clock.now()
        claims = access_claims(now, client_id, scopes, auth_event_id, custom=custom_tenant_id is not None)
        token = signed(claims, self._key)
        self.db.execute("DELETE FROM identity_access_tokens WHERE expires < ?", (self._now() - 86_400,))
        self.db.execute(
            "INSERT INTO identity_access_tokens VALUES (?, ?, ?, ?, ?, ?)",
            (token, client_id, _joined(scopes), auth_event_id, custom_tenant_id, (now + ACCESS_LIFE).timestamp()),
        )
        life = int(ACCESS_LIFE.total_seconds())
        tokens: dict[str, Any] = {
            "access_token": token,
            "expires_in": life,
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
        }
        if "openid" in scopes:
            tokens["id_token"] = signed(id_claims(now, client_id, scopes), self._key)
        return tokens

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

    def revoke(self, client_id: str, token: str) -> None:
        """What the revocation endpoint does with a refresh token; an unknown one is no error."""
        known = self.db.execute(
            "SELECT 1 FROM identity_refresh_tokens WHERE token = ? AND client_id = ?", (token, client_id)
        ).fetchone()
        if known:
            for table in ("connections", "refresh_tokens", "consents"):
                self.db.execute(f"DELETE FROM identity_{table} WHERE client_id = ?", (client_id,))

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


def _challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _joined(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _split(scopes: str) -> frozenset[str]:
    return frozenset(scopes.split())
