"""Secrets in the operating system's keyring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from caspen_xero.secrets.asking import WAYS_OUT, asked, backend_name
from caspen_xero.secrets.store import SecretStoreError

SERVICE = "caspen-xero"

SMALLEST_KEYRING = 1280
"""Characters that fit the smallest keyring: Windows takes 2,560 bytes of UTF-16."""

_LONGER = 64


class SecretKeyring:
    """The secret in an entry of its own; its companion in a second one, only while it fits every keyring."""

    name = "keyring"

    def __init__(self, entry: str) -> None:
        self._secret_entry = f"{entry}:secret"
        self._companion_entry = f"{entry}:access"
        self._probe_entry = f"{entry}:probe"

    def secret(self) -> str | None:
        """The secret."""
        return self._read(self._secret_entry)

    def save_secret(self, secret: str) -> None:
        """Replaces the secret. Raises `SecretStoreError` also where the keyring takes it and keeps nothing."""
        self._write(self._secret_entry, secret)

    def companion(self) -> str | None:
        """The text beside it, if it was small enough to be kept."""
        return self._read(self._companion_entry)

    def save_companion(self, text: str) -> None:
        """Keeps the text beside it while it fits."""
        if len(text) <= SMALLEST_KEYRING:
            self._write(self._companion_entry, text)
        else:
            self._delete(self._companion_entry)

    @contextmanager
    def room(self) -> Iterator[None]:
        """Writes, reads back and deletes an entry a little longer than the secret. A keyring can't be held open."""
        secret = len(self._read(self._secret_entry) or "")
        self._write(self._probe_entry, "-" * max(secret, min(secret + _LONGER, SMALLEST_KEYRING)))
        self._delete(self._probe_entry)
        yield

    def clear(self) -> None:
        """Forgets both."""
        self._delete(self._companion_entry)
        self._delete(self._secret_entry)

    def _read(self, entry: str) -> str | None:
        import keyring

        return asked(lambda: keyring.get_password(SERVICE, entry), "read")

    def _write(self, entry: str, text: str) -> None:
        import keyring

        asked(lambda: keyring.set_password(SERVICE, entry, text), "written")
        if self._read(entry) != text:
            raise SecretStoreError(
                "keyring-drops-writes",
                f"The keyring ({backend_name()}) took the sign-in but did not keep it.",
                WAYS_OUT,
            )

    def _delete(self, entry: str) -> None:
        import keyring

        if self._read(entry) is not None:
            asked(lambda: keyring.delete_password(SERVICE, entry), "written")
