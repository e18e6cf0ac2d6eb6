"""`doctor --bundle`: what somebody who mends caspen-xero needs to know, in one file that says nothing of any clinic or client.

Nothing is copied into it as it stands: counts and codes are, and names that are ours. A part that can't be had says why, by a code.
"""

from __future__ import annotations

import json
import locale
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from caspen_xero import __version__
from caspen_xero.cli.defects import kept_defects
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain
from caspen_xero.paths import given_path

HOLDS = {
    "program": "the versions of caspen-xero, Python, the system and the libraries",
    "surroundings": "which variables that concern caspen-xero are set, by name",
    "findings": "what doctor finds: each check by name, and whether it is met",
    "store": "of the store: how many rows of what, codes, settings by name, the last runs in numbers",
    "defects": "the last faults of caspen-xero's own: kinds of errors, files and lines",
}
LIBRARIES = (
    *("certifi", "click", "filelock", "httpcore", "httpx", "keyring", "platformdirs", "pydantic", "pydantic-core"),
    *("rich", "socksio", "sqlite-utils", "starlette", "typer", "uvicorn"),
)
_VARIABLES = re.compile(r"(?:CASPEN|XERO|SSL)_[A-Z_]+|(?:all|http|https|no)_proxy|COLUMNS|TERM|NO_COLOR", re.IGNORECASE)
_FRAME = re.compile(r"[\w./<>-]{1,200}:\d+ [\w<>]{1,80}|\.\.\.")


def write_bundle(session: Session, file: str | None, findings: Callable[[], list[dict[str, Any]]]) -> Path:
    """Makes the file (mode 0600) and gives it. Raises `SessionError` `bundle-exists` where something of that name is there."""
    here = session.folder if session.folder.is_dir() else Path()
    place = (
        given_path(file) if file is not None else here
    )  # never where one happens to stand: it may be an export's folder
    if place.is_dir():
        place = place / f"caspen-xero-bundle-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    bundle = {
        "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "program": _part(_program),
        "surroundings": sorted(name for name in os.environ if _VARIABLES.fullmatch(name)),
        "findings": _part(findings),
        "store": _part(lambda: _store(session)),
        "defects": _part(lambda: [_defect(one) for one in kept_defects(session.folder)]),
    }
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        raise SessionError("bundle-exists", f"{plain(place)} is there already.", "Give another name.") from None
    except OSError as error:
        raise _not_written(place, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(bundle, opened, indent=1)
    except OSError as error:
        place.unlink(missing_ok=True)
        raise _not_written(place, error) from error
    return place.absolute()


def _not_written(place: Path, error: OSError) -> SessionError:
    words = f"{plain(place)} could not be written: {error.strerror or error}."
    return SessionError("bundle-failed", words, "Write it elsewhere: caspen-xero doctor --bundle FILE")


def _part(make: Callable[[], Any]) -> Any:
    """A part of the bundle; where it can't be had, why."""
    try:
        return make()
    except UserError as error:
        return {"error": error.code}
    except Exception as error:  # noqa: BLE001 - whatever is broken, the rest is told
        return {"error": type(error).__name__}


def _program() -> dict[str, Any]:
    return {
        "caspen-xero": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "sqlite": sqlite3.sqlite_version,
        "encodings": [sys.getfilesystemencoding(), locale.getpreferredencoding(False)],
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _store(session: Session) -> dict[str, Any]:
    from caspen_xero.store.facts import facts

    file = session.store_file
    if not file.exists():
        return {"error": "none"}
    size = {"bytes": file.stat().st_size, "mode": f"{file.stat().st_mode & 0o777:o}"}
    return size | facts(session.store)


def _defect(file: Path) -> dict[str, Any]:
    """A report as we wrote it; what does not look so is left out."""
    kept = json.loads(file.read_bytes()[:1_000_000])
    return {
        "at": kept["at"] if re.fullmatch(r"[0-9TZ:-]{1,20}", kept["at"]) else None,
        "version": kept["version"] if re.fullmatch(r"[0-9a-z.+]{1,20}", kept["version"]) else None,
        "command": kept["command"] if re.fullmatch(r"[a-z _]{1,40}", kept["command"]) else None,
        "errors": [
            {
                "kind": one["kind"] if str(one["kind"]).isidentifier() else None,
                "frames": [frame for frame in one["frames"] if _FRAME.fullmatch(frame)],
            }
            for one in kept["errors"]
        ],
    }
