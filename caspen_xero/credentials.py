"""A secret that is given to a run: in its variable, else as a file of that name in `$CREDENTIALS_DIRECTORY`, as systemd has it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from caspen_xero.errors import UserError
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.scrubbing import keep_secret

NAMES = ("CASPEN_API_KEY", "XERO_CLIENT_SECRET", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
"""The files that are looked for; each is named as its variable."""
LONGEST = 65_536
"""Bytes of such a file."""


def given_secret(name: str) -> str:
    """The secret, "" where none is given. Raises `UserError` `credential-unusable` for a file that is no one line of text."""
    return os.environ.get(name, "").strip() or credential(name)


def credential(name: str) -> str:
    """What the file of that name in `$CREDENTIALS_DIRECTORY` holds, without the end of its line; "" where there is none."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder or name not in NAMES:
        return ""
    file = Path(folder, name)
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe may never answer
            raise _unusable(name, file, "is no file")
        with file.open("rb") as stream:
            text = stream.read(LONGEST + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        words, fix = f"can't be read: {plain(error.strerror, MOST_WORDS)}", "Let the user who runs this read it"
        raise _unusable(name, file, words, fix) from None
    try:
        line = text.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _unusable(name, file, "is no text in UTF-8") from None
    if not line or len(text) > LONGEST or not line.isprintable():
        raise _unusable(name, file, "does not hold one line of text")
    keep_secret(line)
    return line


def _unusable(name: str, file: Path, why: str, fix: str = "Put just the secret into it, on one line") -> UserError:
    return UserError(
        "credential-unusable",
        f"The credential {plain(file)} {why}.",
        f"{fix}; or set {name}; or take the file away.",
    )
