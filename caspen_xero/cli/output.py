"""What a person or a script sees: tables and JSON on stdout, talk on stderr, and never markup or escape codes from outside."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal

from caspen_xero.commands import Choice, in_workspace
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import UNSEEN, harmless, plain
from caspen_xero.scrubbing import scrubbed
from caspen_xero.times import local

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

LONGEST_LINE = 4_000
"""Characters: no more than a person reads, whatever a line was made of."""
LONGEST_CELL = 300
"""Characters of what is from outside in a table."""


LONGEST_WORD = 40
"""Characters: a column of single words that are no longer (codes, dates, amounts) is the last to be broken."""
NARROW = 110
"""Columns: on a screen with less, tables leave out what stands elsewhere too."""
DEAD_SIGN_IN = "connect-needed"
"""By what an error is known that a new sign-in mends, whatever its words: there is one thing to do."""


class Ours(str):
    """Words of ours for a cell of a table, such as a reason or a command: what is from outside in them was made safe before."""

    __slots__ = ()


@dataclass(frozen=True)
class Held:
    """Something that a run with `--quiet` keeps to its end: a warning or an error; `key` is the same for the same."""

    kind: Literal["warning", "error"]
    key: str
    lines: tuple[str, ...]
    exit_code: int = 0


Cell = str | Decimal | int | date | None


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell | bool]]) -> str:
    """A spreadsheet as text: a row of names, then these. Amounts stay numbers, and no text becomes a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return scrubbed(text.getvalue())


def one_line(text: object) -> str:
    """A line as it is shown: whatever it was made of, it is one line, harmless, without secrets, and has an end."""
    line = harmless(scrubbed(str(text)[: 2 * LONGEST_LINE])).rstrip()
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."


def in_words(choices: Sequence[Choice]) -> str:
    """The answers that are possible, the first six by their names; "" where there are none."""
    more = f", and {len(choices) - 6} more" if len(choices) > 6 else ""
    return ", ".join(one.label for one in choices[:6]) + more


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass
class Output:
    """One command's way of speaking. `json`: stdout holds one JSON document and nothing else. `quiet`: errors only.

    `workspace`: the one that was named on the command line, so that the commands we show name it too. `held`: what a routine
    run has to say, kept till it ends (`cli/news.py`); None where all is said at once.
    """

    json: bool = False
    quiet: bool = False
    workspace: str | None = None
    held: list[Held] | None = None
    _bar: Progress | None = field(default=None, init=False, repr=False)

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console for tables and progress; width is generous when nobody looks, so that nothing is cut in a pipe."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else _width_asked_for()
        return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)

    def document(self, document: dict[str, Any]) -> None:
        """Writes the one JSON document of a `--json` run. Amounts are decimal strings, times ISO 8601 in UTC."""
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        text = json.dumps(document, default=_json_value, ensure_ascii=not utf8, indent=2)
        _give(
            "\n".join(UNSEEN.sub(lambda char: json.dumps(char[0])[1:-1], line) for line in scrubbed(text).split("\n"))
            + "\n"
        )

    def spreadsheet(self, columns: Sequence[str], rows: Iterable[Sequence[Cell | bool]]) -> None:
        """Writes CSV to stdout, in UTF-8 (see `as_csv`)."""
        text = as_csv(columns, rows)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        _give(text)

    def command(self, fix: str) -> str:
        """A fix as it is to be pasted: every command of ours in it names the workspace that was named."""
        return in_workspace(fix, self.workspace)

    def choices(self, choices: Iterable[Choice]) -> list[dict[str, str]]:
        """The answers that are possible, as JSON shows them."""
        return [{"command": self.command(one.command), "label": harmless(one.label)} for one in choices]

    def as_lines(self, lines: Iterable[str]) -> str:
        return "".join(f"{one_line(self.command(line))}\n" for line in lines)

    def say(self, *lines: str) -> None:
        """Result for people, on stdout. Here and below each argument is one line, whatever it holds."""
        if not (self.json or self.quiet):
            _give(self.as_lines(lines or ("",)))

    def note(self, *lines: str) -> None:
        """Talk (progress, a hint), on stderr."""
        if not self.quiet:
            tell(self.as_lines(lines))

    def warn(self, text: str, fix: str = "", key: str = "") -> None:
        """Something a person should look at, with what to do, on stderr, also with `--quiet`.

        `key`: by what it is known again where its words are others each time.
        """
        lines = (f"Warning: {text}", *([f"  -> {fix}"] if fix else []))
        if self.held is not None:
            self.held.append(Held("warning", key or text, lines))
        else:
            tell(self.as_lines(lines))

    def error(self, error: UserError, so_far: Mapping[str, Any] | None = None) -> None:
        """The one way an error reaches a person (stderr) or a script (JSON on stdout, with what was done `so_far`)."""
        if self.json:
            told = error.as_json() | {"fix": self.command(error.fix)}
            if error.choices:
                told["choices"] = self.choices(error.choices)
            self.document({**(so_far or {}), "error": told})
            return
        fixes = [f"  -> {error.fix}"] if error.fix else []
        fixes += [line for one in error.choices for line in (f"  {one.command}", f"      {one.label}")]
        words = f"Error: {error.message}" + (f" ({error.trace})" if error.trace else "")
        if self.held is not None:
            key = f"{error.code} {re.sub('[0-9]+', '', error.message)}"  # numbers may be others each time
            if error.exit_code == ExitCode.CONNECT_NEEDED:
                key = DEAD_SIGN_IN
            self.held.append(Held("error", key, (words, *fixes), error.exit_code))
            return
        tell(f"{one_line(words)}\n" + self.as_lines(fixes))

    @property
    def is_narrow(self) -> bool:
        """Whether tables leave out what stands elsewhere too."""
        return self.console().width < NARROW

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        title: str | None = None,
        narrow_without: Collection[str] = (),
        totals: Sequence[Sequence[Cell]] = (),
    ) -> None:
        """A table on stdout; amounts (Decimal) and counts stand to the right. Nothing of `rows` is read as markup.

        `narrow_without`: the columns that a narrow screen does without; `totals`: rows that close it, below a line.
        """
        if self.json or self.quiet:
            return
        if narrow_without and self.is_narrow:
            kept = [column not in narrow_without for column in columns]
            columns, rows = list(compress(columns, kept)), [list(compress(row, kept)) for row in rows]
            totals = [list(compress(row, kept)) for row in totals]
        from rich import box
        from rich.table import Table
        from rich.text import Text

        body = [list(row) for row in (*rows, *totals)]
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for index, column in enumerate(columns):
            numeric = any(isinstance(row[index], (Decimal, int)) for row in body)
            words = [_cell(row[index]) for row in body]
            whole = all(" " not in word and len(word) <= LONGEST_WORD for word in words)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
        for number, row in enumerate(body):
            table.add_row(*(Text(_cell(cell)) for cell in row), end_section=number + 1 == len(body) - len(totals))
        with _giving():
            self.console().print(table)

    def what_to_do(self, found: Iterable[tuple[str, str, str, Sequence[Choice]]]) -> None:
        """Of (fix, invoice, reason or "", choices): each fix once, alone on its line to be pasted; what it asks, and for whom."""
        waiting: dict[tuple[str, str, str], dict[str, None]] = {}
        for fix, number, why, choices in found:
            waiting.setdefault((fix, why, in_words(choices)), {})[plain(number)] = None
        self.say("What to do:")
        for (fix, why, answers), named in waiting.items():
            numbers = list(named)
            more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
            self.say(f"  {fix}", *([f"      asks which: {answers}"] if answers else []))
            self.say(f"      for {', '.join(numbers[:5])}{more}{': ' + why if why else ''}")

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
        """A progress bar on a terminal, a plain line at each tenth otherwise. Call the given function with (done, total)."""
        if self.quiet or self.json:
            yield _no_progress
        elif sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            bars = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
            with Progress(*bars, TimeRemainingColumn(), console=self.console(stderr=True), transient=True) as progress:
                task = progress.add_task(what, total=total)

                def update(done: int, total: int | None = None) -> None:
                    progress.update(task, completed=done, total=total)

                self._bar = progress
                try:
                    yield update
                finally:
                    self._bar = None
        else:
            yield self._plain_progress(what)

    @contextmanager
    def without_bar(self) -> Iterator[None]:
        """Takes a progress bar off the screen for as long as a person is asked something; it would paint over the question."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()
        yield
        if bar is not None:  # not after an error: then all ends
            bar.start()
            self._bar = bar

    def _plain_progress(self, what: str) -> Callable[[int, int | None], None]:
        told = 0

        def tell(done: int, total: int | None = None) -> None:
            nonlocal told
            tenth = done * 10 // total if total else 0
            if total and told < tenth < 10:
                told = tenth
                self.note(f"{what}: {tenth * 10} %")

        return tell


class NotTaken(UserError):
    """The result could not be written to where it was to go; `reader_left` if whoever read it has gone, who need not be told."""

    def __init__(self, error: OSError) -> None:
        self.reader_left = isinstance(error, BrokenPipeError)
        super().__init__(
            "result-not-written",
            f"The result could not be written: {error.strerror or error}.",
            "What was done is done: caspen-xero log",
        )


def _give(text: str) -> None:
    """Writes a part of the result."""
    with _giving():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def _giving() -> Iterator[None]:
    """While a part of the result is written. Raises `NotTaken` where the disk is full, or nobody reads any more."""
    try:
        yield
    except OSError as error:
        write_no_more(sys.stdout)
        raise NotTaken(error) from None


def tell(text: str) -> None:
    """Writes talk to stderr; where that can't be, nobody is told, and all goes on."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        write_no_more(sys.stderr)


def write_no_more(stream: Any) -> None:
    """Has a stream that takes nothing any more lead nowhere, so that it is not tried again when the program ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def leads_nowhere(stream: Any) -> bool:
    """Whether a stream takes nothing any more, so that nobody reads it."""
    with suppress(OSError, ValueError):
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))
    return False


def _width_asked_for() -> int:
    """The width of tables that go into a pipe or a file: `COLUMNS`, where it is a number."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isascii() and columns.isdigit() and int(columns) > 0 else 200


def _no_progress(done: int, total: int | None = None) -> None:
    """Progress that nobody wants to see."""


_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def _csv_cell(value: Cell | bool) -> str:
    """A cell of a spreadsheet. What it would compute, or call a program with, is made text by an apostrophe."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, Decimal | int | date):
        return str(_json_value(value)) if not isinstance(value, int) else str(value)
    text = harmless(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return local(value)
    return (
        one_line(value).strip() if isinstance(value, Ours) else plain(scrubbed(str(value)[:LONGEST_LINE]), LONGEST_CELL)
    )
