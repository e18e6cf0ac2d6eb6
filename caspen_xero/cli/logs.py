"""What a run notes of its work, for who looks for what is slow or fails: `--verbose`, `--debug`, and the file `CASPEN_XERO_LOG`.

What is noted holds no body, no secret and no name (see `request_notes.py`). Nothing that goes wrong here ends a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from caspen_xero import __version__
from caspen_xero.cli.output import Output, one_line
from caspen_xero.cli.streams import tell
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    import logging

FILE = "CASPEN_XERO_LOG"
"""The variable that names the file."""


@contextmanager
def noting(output: Output, command: str, *, verbose: bool, debug: bool) -> Iterator[Callable[[int], None]]:
    """While a command runs: its notes go to stderr where that was asked for, and to the file where one is named.

    The given function is told how the command ends.
    """
    path = os.environ.get(FILE, "")
    if not (verbose or debug or path):
        yield lambda code: None
        return
    import logging

    log = logging.getLogger("caspen_xero")
    handlers = [_to_stderr(logging.DEBUG if debug else logging.INFO)] if verbose or debug else []
    if path and (file := _to_file(output, path)) is not None:
        handlers.append(file)
    (level, goes_up), log.propagate = (log.level, log.propagate), False
    log.setLevel(min((handler.level for handler in handlers), default=logging.WARNING))
    for handler in handlers:
        log.addHandler(handler)
    log.info("%s begins, version %s", command, __version__)
    began = time.monotonic()

    def ended(code: int) -> None:
        calls, left = output.under_way.calls()
        of_the_day = f" ({left} left today)" if left is not None else ""
        took = time.monotonic() - began
        log.info("%s ends: exit code %d after %.1f s, calls to Xero: %d%s", command, code, took, calls, of_the_day)

    try:
        yield ended
    finally:
        log.setLevel(level)
        log.propagate = goes_up
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()
        for one in output.before:
            tell(output.as_lines(one.lines))


def _to_stderr(level: int) -> logging.Handler:
    import logging

    class ToStderr(logging.Handler):
        """stderr as it is by then: it may be led around a progress bar."""

        def emit(self, record: logging.LogRecord) -> None:
            with suppress(Exception):
                tell(f"{one_line(record.getMessage())}\n")

    return ToStderr(level)


def _to_file(output: Output, path: str) -> logging.Handler | None:
    """What writes to the file; None where it can't be used, which is said."""
    from caspen_xero.cli.log_file import LogFile, why

    def unusable(words: str) -> None:
        output.warn(
            f"The log file {plain(path)} can't be written: {words}. The run goes on without it.",
            f"Name another file in {FILE}, or unset it.",
            key="log-file",
        )

    try:
        return LogFile(path, unusable)
    except (OSError, RuntimeError, UserError) as error:
        if output.quiet:  # whether that is news is known later
            output.held = output.before
        unusable(why(error))
        output.held = None
        return None
