"""What a place for tokens can do. A workspace has one, remembered with the connection, and never a second to fall back on."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Protocol

from caspen_xero.xero.grants import Access


class TokenStore(Protocol):
    """Keeps one connection's secret (the refresh token, or a custom connection's client secret) and access token.

    What is saved is read back. All methods raise `TokenStoreError`.
    """

    name: str
    """What people call it: 'keyring', 'token file'."""

    def secret(self) -> str | None:
        """The refresh token or client secret."""

    def save_secret(self, secret: str) -> None:
        """Replaces the secret; it is safely kept when this returns."""

    def access(self) -> Access | None:
        """The access token kept beside it, if there is one."""

    def save_access(self, access: Access) -> None:
        """Replaces the access token; a store that has no room for it forgets the old one."""

    def probe(self) -> None:
        """Fails now if saving would fail later: nobody should sign in for nothing."""

    def clear(self) -> None:
        """Forgets both."""


def access_text(access: Access) -> str:
    """An access token as a store keeps it."""
    return json.dumps({"token": access.token, "expires_at": access.expires_at.isoformat()}, separators=(",", ":"))


def read_access(text: str | None) -> Access | None:
    """An access token from what a store kept; None for nothing, or for something that can't be read."""
    if not text:
        return None
    try:
        kept = json.loads(text)
        return Access(str(kept["token"]), datetime.fromisoformat(kept["expires_at"]))
    except (ValueError, KeyError, TypeError):
        return None
