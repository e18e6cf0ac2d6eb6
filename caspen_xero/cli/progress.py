"""How far a run has come, for people: a bar on a terminal, else a line a minute at most; all of it on stderr."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caspen_xero.progress import counted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

A_MINUTE = 60.0
"""Seconds. Without a terminal there is no line before that, and none sooner after another."""
SHORTEST_SHOWN = 1.0
"""Seconds of a wait that is worth saying."""
BYTES = "bytes"
"""The unit of what is read from files, which people are told in per cent."""
LONGEST_BAR = 40

_VERBS = {"GET": "reading", "DELETE": "deleting"}


@dataclass
class UnderWay:
    """What a run is doing at this moment. `calls` gives the calls to Xero of this run, and how many are left today, if known."""

    calls: Callable[[], tuple[int, int | None]] = lambda: (0, None)
    is_ending: bool = False
    last_line_at: float = field(default_factory=lambda: time.monotonic())
    has_told: bool = False
    _what: str = ""
    _why: str = ""
    _wait_ends: float = 0.0

    def calls_xero(self, method: str, path: str) -> None:
        """A call to Xero goes out now."""
        from caspen_xero.xero.addresses import subject

        self._what, self._wait_ends = f"{_VERBS.get(method, 'sending')} {subject(path)}", 0.0

    def waits(self, seconds: float, why: str) -> None:
        """Nothing is done for so many seconds."""
        self._why, self._wait_ends = why, time.monotonic() + seconds

    def in_words(self) -> str:
        """All of it in a line; "" where there is nothing to say."""
        if self.is_ending:
            return "ending after the call under way; Ctrl-C again ends at once"
        left_to_wait = self._wait_ends - time.monotonic()
        what = self._what if left_to_wait <= 0 else f"waiting {math.ceil(left_to_wait)} s: {self._why}"
        used, left = self.calls()
        told = [what] if what else []
        if used:
            told.append(
                f"{used:,} {'call' if used == 1 else 'calls'}" + (f", {left:,} left today" if left is not None else "")
            )
        return "; ".join(told)


@dataclass(frozen=True)
class Work:
    """A piece of work in words; its `total`, where that is known before it begins; `is_about`: it is a guess."""

    what: str
    total: int | None = None
    unit: str = ""
    is_about: bool = False


class Shown:
    """How far a piece of work has come, as it is shown. It is called with what is done, of how much."""

    def __init__(self, work: Work, under_way: UnderWay) -> None:
        self.work, self.under_way = work, under_way
        self.done, self.total, self.begun, self.sent = 0, work.total, 0.0, 0

    def __call__(self, done: int, total: int | None = None, *, begun: float = 0.0, sent: int = 0) -> None:
        self.done, self.begun, self.sent = done, begun, sent
        self.total = max(total, done) if total else self.total
        self.look()

    def look(self, wait: float = 0.0) -> None:
        """Something has changed; `wait`: nothing will for so many seconds."""

    def start(self) -> None:
        """Shows it from now on."""

    def stop(self) -> None:
        """Takes it away."""

    def figures(self) -> str:
        """What is done of how much, in words."""
        if self.work.unit == BYTES:
            return f"{self.done * 100 // self.total} %" if self.total else ""
        unit = f" {self.work.unit}" if self.work.unit else ""
        if self.total:
            sent = f", {counted(self.sent, 'document')} sent" if self.begun and self.sent else ""
            return f"{self.done:,} of {'about ' if self.work.is_about else ''}{self.total:,}{unit}{sent}"
        return f"{self.done:,}{unit}" if self.done else ""


class Lines(Shown):
    """Where nobody looks: a line a minute at most, and none of a run that is over before that."""

    def __init__(self, tell: Callable[[str], None], work: Work, under_way: UnderWay) -> None:
        super().__init__(work, under_way)
        self._tell = tell

    def look(self, wait: float = 0.0) -> None:
        """Tells, where a minute is over, or would be over before anything else is heard of the run."""
        now, run = time.monotonic(), self.under_way
        since = now - run.last_line_at
        if since < A_MINUTE and (run.has_told or since + wait < A_MINUTE):
            return
        run.last_line_at, run.has_told = now, True
        told = "; ".join(each for each in (self.figures(), run.in_words()) if each)
        self._tell(f"{self.work.what}: {told}." if told else f"{self.work.what}.")


class Bar(Shown):
    """On a terminal: a bar, and below it what is under way. Both are painted anew all the time, and leave nothing behind."""

    def __init__(self, console: Console, work: Work, under_way: UnderWay) -> None:
        super().__init__(work, under_way)
        self._console = console
        self._live: Live | None = None

    def start(self) -> None:
        """Paints it, till `stop`."""
        import sys

        from rich.live import Live

        self._live = Live(
            self,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # what goes into a file or a pipe is not to be led to the screen
        )
        self._live.start()

    def stop(self) -> None:
        """Takes it off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.segment import Segment
        from rich.text import Text

        from caspen_xero.cli.tables import shortened

        figures = self.figures()
        room = options.max_width - len(self.work.what) - len(figures) - 3
        yield Text(f"{self.work.what} ", end="", no_wrap=True)
        if room >= 8:
            bar = ProgressBar(
                total=self.total or None,
                completed=self.done + self.begun,
                width=min(room, LONGEST_BAR),
                animation_time=time.monotonic(),
            )
            yield from (part for part in console.render(bar, options) if part.text != "\n")
            yield Segment(" ")
        yield Text(shortened(figures, options.max_width - len(self.work.what) - 1), no_wrap=True)
        yield Text(shortened(f"  {self.under_way.in_words()}", options.max_width), "dim", no_wrap=True)
