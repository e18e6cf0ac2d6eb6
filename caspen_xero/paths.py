"""A path that a person gave: `~` is their home, and what can be no path is said so; and whose a folder is."""

from __future__ import annotations

import os
from pathlib import Path

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain


def given_path(text: str) -> Path:
    """The path, with `~` and `~user` replaced. Raises `UserError` `bad-path` (usage): empty, no UTF-8, or of no such user.

    A name that is no UTF-8 can't be kept in the store, nor shown so that it can be typed again.
    """
    if not text.strip():
        raise _bad("An empty path names nothing.", "Give the path of a file or a folder.")
    if "\0" in text or not is_text(text):
        raise _bad(f"The name {plain(text)} is no text in UTF-8.", "Rename it, or give a folder that it is in.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise _bad(f"There is no user {plain(text.split('/')[0])}.", "Give the whole path.") from None


def is_text(text: str) -> bool:
    """Whether a text is whole; what was no UTF-8 where it came from (an argument, a file name) has parts that are not."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def leads_to_anothers(folder: Path) -> bool:
    """Whether a folder is a link that leads to what another user owns, who could take it away, or read what is in it."""
    return folder.is_symlink() and hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()


def _bad(message: str, fix: str) -> UserError:
    return UserError("bad-path", message, fix, ExitCode.USAGE)
