"""Which run has the workspace's lock, for those that find it taken."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from caspen_xero.times import local_today

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WHO_FILE = "holder.lock"
"""Beside the lock: which run has it, locked for as long as that lives. It is left behind by one that was killed."""


@dataclass(frozen=True)
class Holder:
    """The run that has the workspace's lock: its command, when it began (UTC), and its process; None where that is not known."""

    command: str
    since: datetime
    process: int | None = None

    def in_words(self, now: datetime) -> str:
        """As `sync (process 4711), since 09:14 AEDT`."""
        process = f" (process {self.process})" if self.process is not None else ""
        return f"{self.command}{process}, since {local_today(self.since, now)}"


@contextmanager
def held_by(folder: Path, holder: Holder) -> Iterator[None]:
    """While a run has the lock: keeps which one, for those that find it taken. Where that can't be kept, they say less."""
    told = json.dumps({"command": holder.command, "since": holder.since.isoformat(), "process": os.getpid()})
    descriptor = -1
    with suppress(OSError):
        (folder / WHO_FILE).unlink(missing_ok=True)
        descriptor = os.open(folder / WHO_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # who looks has it for a moment, and is waited for
        os.write(descriptor, told.encode())
    try:
        yield
    finally:
        with suppress(OSError):
            if descriptor >= 0:
                os.close(descriptor)
            (folder / WHO_FILE).unlink(missing_ok=True)


def active_holder(folder: Path) -> Holder | None:
    """Which run has the lock at this moment. Looks without taking it, so that no run that starts now finds it taken."""
    noted = holder(folder)
    if noted is None or fcntl is None:  # where the system can't tell, what is noted is believed
        return noted
    with suppress(OSError), (folder / WHO_FILE).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return noted
    return None


def holder(folder: Path) -> Holder | None:
    """Which run has the lock, while one has it; None where that is not known."""
    try:
        told = json.loads((folder / WHO_FILE).read_text())
        process = told.get("process")  # an earlier version did not note it
        known = process if isinstance(process, int) else None
        return Holder(str(told["command"]), datetime.fromisoformat(told["since"]), known)
    except (OSError, ValueError, KeyError, TypeError):
        return None
