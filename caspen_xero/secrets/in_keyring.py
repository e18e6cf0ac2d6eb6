"""Secrets in the operating system's keyring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from caspen_xero.secrets.store import SecretStoreError

SERVICE = "caspen-xero"

SMALLEST_KEYRING = 1280
"""Characters that fit the smallest keyring: Windows takes 2,560 bytes of UTF-16."""

_LONGER = 64

WAYS_OUT = (
    "Any of these three: (1) install or start a keyring for this user (on Linux a Secret Service such as GNOME Keyring "
    "or KWallet), then connect again; (2) keep the tokens in a file that only you can read: caspen-xero "
    "connect --token-store file; (3) set PYTHON_KEYRING_BACKEND to a keyring back end that works here, then connect again."
)

_T = TypeVar("_T")


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

        return _asked(lambda: keyring.get_password(SERVICE, entry), "read")

    def _write(self, entry: str, text: str) -> None:
        import keyring

        _asked(lambda: keyring.set_password(SERVICE, entry, text), "written")
        if self._read(entry) != text:
            raise SecretStoreError(
                "keyring-drops-writes",
                f"The keyring ({_backend()}) took the sign-in but did not keep it.",
                WAYS_OUT,
            )

    def _delete(self, entry: str) -> None:
        import keyring

        if self._read(entry) is not None:
            _asked(lambda: keyring.delete_password(SERVICE, entry), "written")


def _asked(call: Callable[[], _T], what: str) -> _T:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - back ends raise whatever their system raises (D-Bus, COM, OS errors)
        _tell(error, what)


def _tell(error: Exception, what: str) -> NoReturn:
    """The error in our words. Its own text stays out: some back ends put what was to be stored into it."""
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        raise SecretStoreError("no-keyring", "This machine has no keyring to keep the sign-in in.", WAYS_OUT) from None
    if isinstance(error, KeyringLocked):
        raise SecretStoreError(
            "keyring-locked",
            "The keyring is locked.",
            "Unlock it (log in to the desktop, or open it in its own program), then run this again. On a server or in "
            "cron, where nobody can unlock it: caspen-xero connect --token-store file",
        ) from None
    raise SecretStoreError(
        "keyring-unusable", f"The keyring ({_backend()}) could not be {what}: {type(error).__name__}.", WAYS_OUT
    ) from None


def _backend() -> str:
    import keyring

    try:
        return str(keyring.get_keyring().name)
    except Exception:  # noqa: BLE001 - a back end that can't even be loaded, such as a mistyped PYTHON_KEYRING_BACKEND
        return "none could be loaded"
