"""Lines that a person may paste while something else is waited for, read without keeping later questions from stdin."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

_LONGEST_LINE = 65_536
"""Bytes. Of a longer line only the end is kept: it is no address anyway."""


class PastedLines:
    """Calls `told` with each line of stdin, from a thread, until closed or until stdin ends (which means nothing)."""

    def __init__(self, told: Callable[[str], None], stdin: TextIO | None = None) -> None:
        self._told = told
        self._stdin = stdin if stdin is not None else sys.stdin
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops reading; what comes next on stdin is left for others (a blocked pipe on Windows is let go)."""
        self._closed.set()
        self._thread.join(1)

    def _read(self) -> None:
        for line in self._lines():
            if self._closed.is_set():
                return
            if line.strip():
                self._told(line.strip())

    def _lines(self) -> Iterator[str]:
        try:
            descriptor = self._stdin.fileno()
        except (OSError, ValueError, AttributeError):  # closed, none at all, or no file behind it
            descriptor = None
        if descriptor is not None and os.name == "posix":
            yield from self._polled(descriptor)
        elif self._stdin is not None and not self._stdin.closed:
            if os.name != "posix" and self._stdin.isatty():
                self._await_key()
            yield from self._stdin

    def _polled(self, descriptor: int) -> Iterator[str]:
        import select

        pending = b""
        while not self._closed.is_set():
            ready, _, _ = select.select([descriptor], [], [], 0.2)
            if not ready:
                continue
            try:
                some = os.read(descriptor, 65_536)
            except OSError:  # the terminal went away
                return
            if not some:
                yield pending.decode("utf-8", "replace")
                return
            *lines, pending = (pending + some).split(b"\n")
            pending = pending[-_LONGEST_LINE:]
            for line in lines:
                yield line.decode("utf-8", "replace")

    def _await_key(self) -> None:
        """On Windows nothing else can tell without blocking whether somebody types."""
        import msvcrt

        while not self._closed.wait(0.2) and not msvcrt.kbhit():  # type: ignore[attr-defined, unused-ignore]
            continue
