"""Secrets in a file of the workspace's folder that only its owner can read: the explicit choice where there is no keyring."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caspen_xero.outside_text import plain
from caspen_xero.secrets.store import SecretStoreError

FILE_NAME = "tokens.json"

ROOM = 64 * 1024
"""Bytes held before a sign-in is renewed: many times what Xero's tokens need, as nobody knows how long the next ones are."""


DAMAGED = "token-file-damaged"

_CAREFULLY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
"""No link is followed, and no pipe waited for."""

LONGEST = 1024 * 1024
"""Bytes of a file that is read: what is longer we did not write."""

ANEW = "caspen-xero connect --token-store file"


class SecretFile:
    """A 0600 file. It is replaced whole (written beside, synced, renamed), so a crash leaves the old one or the new one."""

    name = "token file"

    def __init__(self, folder: Path, entry: str, file_name: str = FILE_NAME, anew: str = ANEW) -> None:
        """`anew`: the command after which a damaged file is whole again."""
        self.path = folder / file_name
        self._beside = f".{self.path.stem}-"
        self._entry, self._anew = entry, anew
        self._spare: Path | None = None

    def secret(self) -> str | None:
        """The secret."""
        return self._read().get("secret")

    def save_secret(self, secret: str) -> None:
        """Replaces the secret. What was got for the one before is forgotten with it."""
        self._write({"entry": self._entry, "secret": secret})

    def companion(self) -> str | None:
        """The text beside it."""
        return self._read().get("access")

    def save_companion(self, text: str) -> None:
        """Keeps the text beside it."""
        self._write(self._read() | {"entry": self._entry, "access": text})

    @contextmanager
    def room(self) -> Iterator[None]:
        """Holds a file of more than enough length beside it, on the same disk: the next secret is written into that.

        What is there is written once more before: a file that can't be replaced says so now.
        """
        if self._spare is not None:
            yield
            return
        try:
            kept = self._read()
        except SecretStoreError as error:
            if error.code != DAMAGED:
                raise
            kept = {}  # nothing of it can be used, and a new sign-in takes its place
        self._write(kept)
        if not kept:
            self.clear()
        try:
            self._spare = self._file_beside(b"\n" * max(ROOM, 2 * len(self._text())))
        except OSError as error:
            raise self._unusable("written", error) from None
        try:
            yield
        finally:
            if self._spare is not None:
                self._spare.unlink(missing_ok=True)
                self._spare = None

    def clear(self) -> None:
        """Deletes the file, and what a run that was killed left beside it."""
        try:
            for file in (self.path, *self.path.parent.glob(f"{self._beside}*")):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable("deleted", error) from None

    def _read(self) -> dict[str, str]:
        text = self._text()
        if not text:
            return {}
        try:
            kept = json.loads(text)
        except (ValueError, RecursionError):
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(part, str) for part in kept.values()):
            raise SecretStoreError(DAMAGED, f"{plain(self.path)} does not hold what caspen-xero wrote.", self._anew)
        # A folder that was copied from another home must not use up that home's sign-in.
        return kept if kept.get("entry") in (None, self._entry) else {}

    def _text(self) -> str:
        """The file's text, "" where there is none; a file that others may read is tightened first."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _CAREFULLY)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unusable("read", error) from None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
            os.close(descriptor)
            raise self._unusable("used: it is no plain file of yours", None)
        with os.fdopen(descriptor, "rb") as file:
            if os.name == "posix" and status.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            return file.read(LONGEST).decode("utf-8", "replace")

    def _write(self, kept: dict[str, str]) -> None:
        text = json.dumps(kept, indent=1).encode()
        try:
            if self.path.is_symlink():
                raise self._unusable("written: it is a symbolic link", None)
            spare, self._spare = self._spare, None
            beside = _filled(spare, text) if spare is not None and spare.exists() else self._file_beside(text)
            try:
                os.replace(beside, self.path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            _sync_folder(self.path.parent)
        except OSError as error:
            raise self._unusable("written", error) from None
        if self._read() != kept:
            raise self._unusable("read back as it was written", None)

    def _file_beside(self, content: bytes) -> Path:
        """A new file that holds this, safely on the disk. mkstemp makes it with mode 0600, before anything is in it."""
        descriptor, name = tempfile.mkstemp(prefix=self._beside, dir=self.path.parent)
        os.close(descriptor)
        return _filled(Path(name), content)

    def _unusable(self, what: str, error: OSError | None) -> SecretStoreError:
        why = f": {error.strerror}" if error is not None and error.strerror else ""
        return SecretStoreError(
            "token-file-unusable",
            f"The token file {plain(self.path)} could not be {what}{why}.",
            "Check the folder's owner, its permissions and the free space, then run this again.",
        )


def _filled(file: Path, content: bytes) -> Path:
    """Writes over what a file holds, then cuts it off: a full disk has room for that. A file that fails is gone."""
    try:
        with file.open("r+b") as stream:
            stream.write(content)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file


def _sync_folder(folder: Path) -> None:
    """Makes the renaming last through a power cut; Windows has no such thing for folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
