"""The programs of the system that are asked to keep a schedule, and the files that they read."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.schedules.job import ScheduleError

PATIENCE = 60
"""Seconds that a program of the system has to answer."""

WRITTEN_BY = "Written by caspen-xero schedule install"
"""By this a file of ours is known again."""
_SEALED = re.compile(rf"{WRITTEN_BY} \[([0-9a-f]{{8}})\]")


def ask(*command: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs a program of the system to its end. Raises `ScheduleError` where it is missing or does not end."""
    try:
        return run_program(command, given)
    except FileNotFoundError:
        raise ScheduleError(
            "scheduler-missing",
            f"This machine has no {command[0]}.",
            "Choose another system with --system: cron, systemd, systemd-system, launchd, task-scheduler.",
        ) from None
    except subprocess.TimeoutExpired:
        raise ScheduleError("scheduler-refused", f"{command[0]} gave no answer in {PATIENCE} seconds.") from None
    except OSError as error:
        raise ScheduleError("scheduler-refused", f"{command[0]} can't be run: {error.strerror}.") from None


def run_alone(
    command: Sequence[str], variables: Mapping[str, str], folder: str, patience: float
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program as a scheduler does: no terminal, and just these variables. Raises `ScheduleError` where it does not end."""
    try:
        return subprocess.run(
            command,
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ScheduleError("no-end", f"it did not end in {patience / 60:.0f} minutes") from None
    except OSError as error:
        raise ScheduleError("no-begin", f"it can't be started: {plain(error.strerror)}") from None


def run_program(command: Sequence[str], given: bytes | None) -> subprocess.CompletedProcess[bytes]:
    """The one place where a scheduler is asked. `given`: its input."""
    if given is None:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    return subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=False)


def ask_and_insist(*command: str, given: bytes | None = None, fix: str = "") -> bytes:
    """The same; raises `ScheduleError` `scheduler-refused`, with its words, where it fails."""
    done = ask(*command, given=given)
    if done.returncode != 0:
        raise refused(command, done, fix)
    return done.stdout


def refused(command: Sequence[str], done: subprocess.CompletedProcess[bytes], fix: str = "") -> ScheduleError:
    """What a program that failed has said."""
    words = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
    told = plain(words or f"it ended with {done.returncode}", MOST_WORDS)
    return ScheduleError("scheduler-refused", f"{' '.join(command[:3])} refused: {told}", fix)


def is_ours(file: Path) -> bool:
    """Whether a file was written here."""
    try:
        return WRITTEN_BY in file.read_text("utf-8", "replace")[:2_000]
    except OSError:
        return False


def sealed(text: str) -> str:
    """A text of ours with its checksum behind `WRITTEN_BY`, by which it is seen whether somebody has changed it since."""
    return text.replace(WRITTEN_BY, f"{WRITTEN_BY} [{_sum(text)}]", 1)


def is_as_written(text: str) -> bool:
    """Whether a text of ours is as it was written, to the byte."""
    found = _SEALED.search(text)
    return found is not None and found[1] == _sum(text[: found.start()] + WRITTEN_BY + text[found.end() :])


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def is_edited(file: Path) -> bool:
    """Whether a file of ours was changed by somebody since it was written."""
    return is_ours(file) and not is_as_written(file.read_bytes().decode("utf-8", "surrogateescape"))


def edited(place: str) -> ScheduleError:
    """The error for what somebody has changed since it was written here: it is theirs too, and is not written over."""
    return ScheduleError(
        "schedule-edited",
        f"{place} was changed by hand since caspen-xero wrote it, and is not written over.",
        "caspen-xero schedule remove",  # which keeps what was changed
    )


def must_be_ours(file: Path) -> None:
    """Raises `ScheduleError` for a file in the way that is not ours (`schedule-not-ours`), or that somebody has changed."""
    if file.is_symlink() or (file.exists() and not is_ours(file)):
        raise ScheduleError(
            "schedule-not-ours",
            f"{plain(file)} was not written by caspen-xero.",
            "Move it away, then run this again.",
        )
    if is_edited(file):
        raise edited(plain(file))


def take_away(file: Path) -> Path | None:
    """Deletes a file of ours; one that somebody has changed is kept beside it, under a name that no system reads: that is given."""
    if file.is_symlink() or not is_edited(file):
        file.unlink()
        return None
    kept = free_name(file.with_name(f"{file.name}.edited"))
    file.rename(kept)
    return kept


def free_name(file: Path) -> Path:
    """That name, else with a number behind it: nothing has it yet."""
    names = [file, *(file.with_name(f"{file.name}.{number}") for number in range(2, 1_000))]
    return next(one for one in names if not (one.exists() or one.is_symlink()))


def write_ours(file: Path, text: str) -> bool:
    """Puts a file in its place, whole; gives whether it is another than before. One that is not ours is left as it is."""
    must_be_ours(file)
    if file.exists() and file.read_text("utf-8", "replace") == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=".caspen-xero-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(beside, 0o644)  # its reader may be another user; no secret is in it
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return True
