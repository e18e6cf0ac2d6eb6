"""Spans of time as people type them: `90m`, `26h`, `400d`."""

from __future__ import annotations

import re
from datetime import timedelta

from caspen_xero.cli.session import SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import said

LONGEST = timedelta(days=36_500)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def span(text: str, such_as: str = "90m, 26h or 2d") -> timedelta:
    """The span of time that was typed. Raises `SessionError` `bad-age` (usage) for what is none, or longer than a hundred years.

    `such_as`: spans that the command takes.
    """
    match = re.fullmatch(r"([0-9]{1,9})\s*([mhd])", text.strip())
    told = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if told is None or told > LONGEST:
        raise SessionError(
            "bad-age", f"{said(text, 40)} is no span of time.", f"Write it like {such_as}.", ExitCode.USAGE
        )
    return told
