"""Which exit code wins, where several apply. What each means is said in `caspen_xero/errors.py`."""

from __future__ import annotations

from collections.abc import Iterable

from caspen_xero.errors import ExitCode

WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.USAGE,  # by itself: wrong usage ends a command before anything else can apply
    ExitCode.CONNECT_NEEDED,
    ExitCode.ANOTHER_RUN,
    ExitCode.TRY_LATER,
    ExitCode.NOTHING_CAN_BE_SENT,
    ExitCode.PARTLY,
    ExitCode.ALL_WELL,
)


def worst_of(codes: Iterable[int]) -> ExitCode:
    """The exit code of a command to which these apply; `ALL_WELL` where none does."""
    applying = {*codes, ExitCode.ALL_WELL}
    return next(code for code in WORST_FIRST if code in applying)
