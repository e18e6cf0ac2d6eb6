"""What a place for secrets can do. A workspace has one, remembered with the connection, and never a second to fall back on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from caspen_xero.errors import UserError


class SecretStoreError(UserError):
    """The keyring or the file that secrets are kept in can't be read or written. Its words hold no secret."""


class SecretStore(Protocol):
    """Keeps one secret, and beside it a text that may be lost: what was got for the secret and is good for a while.

    What is saved is read back. All methods raise `SecretStoreError`.
    """

    name: str
    """What people call it: 'keyring', 'token file'."""

    def secret(self) -> str | None:
        """The secret."""

    def save_secret(self, secret: str) -> None:
        """Replaces the secret; it is safely kept when this returns."""

    def companion(self) -> str | None:
        """The text kept beside it, if there is one."""

    def save_companion(self, text: str) -> None:
        """Replaces the text beside it; a store that has no room for it forgets the old one."""

    def room(self) -> AbstractContextManager[None]:
        """Holds room for the next secret while it lasts: fails now if saving would fail later, when the old one is used up.

        Nobody else may be saving when it begins.
        """

    def clear(self) -> None:
        """Forgets both."""
