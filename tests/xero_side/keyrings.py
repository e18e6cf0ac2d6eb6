"""Keyrings as machines have them: one that works, one that is locked, one that breaks, one that is small."""

from __future__ import annotations

from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Works."""

    priority: ClassVar[float] = -1  # never chosen by itself: a test that wants one sets it

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("no such password")
        del self.kept[service, username]


class WindowsKeyring(MemoryKeyring):
    """Takes 2,560 bytes of UTF-16, and says what it was given when it is too much."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "CredWrite", f"The stub received bad data: {password}")
        super().set_password(service, username, password)


class LockedKeyring(MemoryKeyring):
    """Nobody is there to unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class LockedForWriting(MemoryKeyring):
    """What is in it can be read; nothing new goes in."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class Dropping(MemoryKeyring):
    """Takes what is new and keeps nothing of it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Forgets it."""


class BrokenKeyring(MemoryKeyring):
    """Its system service answers nonsense; the error holds what was to be kept."""

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"D-Bus: could not store {password}")
