"""The last net: a fault of caspen-xero's own becomes words, and a report that holds nothing of anybody's is kept of it.

A report has the kinds of the errors and where they came from, file by file and line by line. It has neither what an error says nor
any value: these may be a client's. `CASPEN_XERO_DEBUG=1` shows all of it, on stderr, and keeps nothing more.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from caspen_xero import __version__
from caspen_xero.cli.output import one_line
from caspen_xero.cli.streams import tell
from caspen_xero.errors import UserError
from caspen_xero.interruption import note_again
from caspen_xero.paths import leads_to_anothers

FOLDER = "defects"
KEPT = 5
FRAMES = 60
"""Of each error at the most: its first and its last ones."""

_NAME = re.compile(r"\d{8}T\d{6}Z-[a-z0-9_]{8}\.json")
_STEPS = (
    ("sync/importing", "while reading Caspen's records"),
    ("caspen/", "while reading Caspen's records"),
    ("sync/pulling", "while reading what Xero did"),
    ("sync/sending", "while pushing"),
    ("sync/", "while planning"),
    ("xero/", "while talking to Xero"),
    ("store/", "while using the store"),
    ("secrets/", "while using the sign-in"),
    ("sandbox/", "in the local Xero"),
)
"""By the first of our files outside `cli/` that was under way: what the command was doing."""


def told_defect(error: BaseException) -> UserError:
    """A fault of our own in words: its kind, where it was, what became of the work, how to go on; nothing that it says itself."""
    ours = [frame for frame in _frames(error) if frame[0].startswith("caspen_xero/")]
    where = f" in {ours[-1][0]}:{ours[-1][1]}" if ours else ""
    step = next((words for frame in ours for room, words in _STEPS if frame[0].startswith(f"caspen_xero/{room}")), "")
    return UserError(
        "defect",
        f"This is a fault of caspen-xero's own: {_kind(error)}{where}{f', {step}' if step else ''}. Nothing is lost: each write to "
        "Xero is noted in the store before it is sent, and the next push brings to its end what was under way.",
        "Run the same command again. If it comes again, make a report: caspen-xero doctor --bundle",
    )


def keep_defect(folder: Path, error: BaseException, command: str) -> None:
    """Keeps a report in the workspace's folder, mode 0600, beside the last few. Where that can't be, there is none."""
    with suppress(Exception):
        if os.environ.get("CASPEN_XERO_DEBUG", "") not in ("", "0"):
            tell("".join(one_line(line) + "\n" for line in "".join(traceback.format_exception(error)).splitlines()))
    with suppress(Exception):
        place = folder / FOLDER
        if not folder.is_dir() or place.is_symlink() or leads_to_anothers(folder):
            return
        place.mkdir(mode=0o700, exist_ok=True)
        report = {
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": __version__,
            "command": command,
            "errors": [{"kind": _kind(one), "frames": _few(_frames(one))} for one in _chain(error)],
        }
        descriptor, _ = tempfile.mkstemp(prefix=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-", suffix=".json", dir=place)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
        for old in kept_defects(folder)[:-KEPT]:
            old.unlink()


def kept_defects(folder: Path) -> list[Path]:
    """The reports that are kept in a workspace's folder, oldest first."""
    place = folder / FOLDER
    if place.is_symlink() or not place.is_dir():
        return []
    return sorted(
        (file for file in place.iterdir() if _NAME.fullmatch(file.name) and not file.is_symlink()),
        key=lambda file: (file.name[:16], file.stat().st_mtime_ns),
    )


def catch_threads(folder: Callable[[], Path | None]) -> None:
    """An error in a thread, or one that nobody can be told of where it is, is told too; Ctrl-C there ends the run later."""

    def caught(error: BaseException | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            note_again()
        elif error is not None and not isinstance(error, SystemExit):
            if (place := folder()) is not None:
                keep_defect(place, error, "a thread")
            tell(f"Warning: {one_line(told_defect(error).message)}\n")

    threading.excepthook = lambda found: caught(found.exc_value)
    sys.unraisablehook = lambda found: caught(found.exc_value)


def _kind(error: BaseException) -> str:
    """The class of an error: a name in a program, which says nothing of its data."""
    return type(error).__name__[:80] if type(error).__name__.isidentifier() else "an error"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < 10:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """File, line and function of each call, outermost first; neither a line's text nor a value."""
    walked = traceback.walk_tb(error.__traceback__)
    return [(_shown(frame.f_code.co_filename), line, frame.f_code.co_name) for frame, line in walked]


def _few(frames: list[tuple[str, int, str]]) -> list[str]:
    told = [f"{file}:{line} {function}" for file, line, function in frames]
    return told if len(told) <= FRAMES else [*told[: FRAMES // 2], "...", *told[-FRAMES // 2 :]]


def _shown(file: str) -> str:
    """A program's file without where it is installed, which names a person: from the package on."""
    parts = file.replace("\\", "/").split("/")
    for mark in ("site-packages", "dist-packages"):
        if mark in parts:
            return "/".join(parts[parts.index(mark) + 1 :])
    if "caspen_xero" in parts:
        return "/".join(parts[len(parts) - 1 - parts[::-1].index("caspen_xero") :])
    return parts[-1]
