"""Where the tokens of one connection are kept: a place for secrets, in Xero's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from caspen_xero.scrubbing import keep_secret
from caspen_xero.secrets.in_file import SecretFile
from caspen_xero.secrets.in_keyring import SecretKeyring
from caspen_xero.secrets.store import SecretStore, SecretStoreError
from caspen_xero.xero.connection import StoreKind
from caspen_xero.xero.errors import TokenStoreError
from caspen_xero.xero.grants import Access, is_token

_T = TypeVar("_T")


class TokenStore:
    """One connection's secret (the refresh token, or a custom connection's client secret), and its access token beside it.

    What is saved is read back. All methods raise `TokenStoreError`.
    """

    def __init__(self, kept_in: SecretStore) -> None:
        self._kept_in = kept_in

    @property
    def name(self) -> str:
        """What people call the place: 'keyring', 'token file'."""
        return self._kept_in.name

    def secret(self) -> str | None:
        """The refresh token or client secret."""
        secret = _told(self._kept_in.secret)
        keep_secret(secret)
        return secret

    def save_secret(self, secret: str) -> None:
        """Replaces the secret; it is safely kept when this returns."""
        _told(lambda: self._kept_in.save_secret(secret))

    def access(self) -> Access | None:
        """The access token kept beside it, if there is one."""
        return _read_access(_told(self._kept_in.companion))

    def save_access(self, access: Access) -> None:
        """Replaces the access token; a store that has no room for it forgets the old one."""
        told = {"token": access.token, "expires_at": access.expires_at.isoformat()}
        _told(lambda: self._kept_in.save_companion(json.dumps(told, separators=(",", ":"))))

    @contextmanager
    def room(self) -> Iterator[None]:
        """Holds room for the next secret while it lasts: fails now if saving would fail later, when the old one is used up."""
        with ExitStack() as held:
            _told(lambda: held.enter_context(self._kept_in.room()))
            yield

    def clear(self) -> None:
        """Forgets both."""
        _told(self._kept_in.clear)


def open_token_store(kind: StoreKind, entry: str, folder: Path) -> TokenStore:
    """The token store of a workspace: the keyring, or a file in the workspace's folder. Nothing is read yet."""
    return TokenStore(SecretFile(folder, entry) if kind == "file" else SecretKeyring(entry))


def _told(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except SecretStoreError as error:
        raise TokenStoreError(error.code, error.message, error.fix) from None


def _read_access(text: str | None) -> Access | None:
    """An access token from what a store kept; None for nothing, or for something that can't be read."""
    if not text:
        return None
    try:
        kept = json.loads(text)
        access = Access(str(kept["token"]), datetime.fromisoformat(kept["expires_at"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_token(access.token) or access.expires_at.tzinfo is None:
        return None
    keep_secret(access.token)
    return access
