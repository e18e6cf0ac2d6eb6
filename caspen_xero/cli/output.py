"""What a person or a script sees: tables and JSON on stdout, talk on stderr, and never markup or escape codes from outside."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from caspen_xero.cli.for_scripts import Field, as_csv, as_json, one_field
from caspen_xero.cli.progress import SHORTEST_SHOWN, Bar, Lines, Shown, UnderWay, Work
from caspen_xero.cli.streams import give, giving, is_screen, tell, width_of
from caspen_xero.commands import Choice, each_on_its_own, in_workspace
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import harmless, plain
from caspen_xero.progress import Progress, untold
from caspen_xero.scrubbing import scrubbed
from caspen_xero.times import local

if TYPE_CHECKING:
    from rich.console import Console

    from caspen_xero.cli.tables import Column

LONGEST_LINE = 4_000
"""Characters: no more than a person reads, whatever a line was made of."""
LONGEST_CELL = 300
"""Characters of what is from outside in a table."""

CURRENCY = "Currency"
"""The title of the column of currencies."""
SIDES = ("In Caspen", "In Xero", "Differs")
"""The titles of the columns of one thing on both sides."""
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


def one_line(text: object) -> str:
    """A line as it is shown: whatever it was made of, it is one line, harmless, without secrets, and has an end."""
    line = harmless(scrubbed(str(text)[: 2 * LONGEST_LINE])).rstrip()
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."


def in_words(choices: Sequence[Choice]) -> str:
    """The answers that are possible, the first six by their names; "" where there are none."""
    more = f", and {len(choices) - 6} more" if len(choices) > 6 else ""
    return ", ".join(one.label for one in choices[:6]) + more


@dataclass
class Output:
    """One command's way of speaking. `json`: stdout holds one JSON document and nothing else; `csv`: one spreadsheet. `quiet`:
    errors only.

    `workspace`: the one that was named on the command line, so that the commands we show name it too. `held`: what a routine
    run has to say, kept till it ends (`cli/news.py`); None where all is said at once.
    """

    json: bool = False
    quiet: bool = False
    workspace: str | None = None
    csv: bool = False
    held: list[Held] | None = None
    before: list[Held] = field(default_factory=list, init=False, repr=False)
    """What was wrong before it was known whether the run keeps what it has to say."""
    is_marked: bool = False
    """Whether it was said that this is no real Xero."""
    under_way: UnderWay = field(default_factory=UnderWay, init=False, repr=False)
    _shown: Shown | None = field(default=None, init=False, repr=False)

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console for headings, links and progress; wide when nobody looks, so that nothing is cut in a pipe."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else width_of(stream)
        return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)

    @property
    def width(self) -> int:
        """Columns of the screen that the result goes to."""
        return width_of(sys.stdout)

    @property
    def is_piped(self) -> bool:
        """Whether the result goes to a program or a file, so that a list is a line with tabs for each row, and nothing else."""
        return not is_screen(sys.stdout)

    def document(self, document: dict[str, Any]) -> None:
        """Writes the one JSON document of a `--json` run. Amounts are decimal strings, times ISO 8601 in UTC."""
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        give(as_json(document, in_ascii=not utf8))

    def spreadsheet(self, columns: Sequence[str], rows: Iterable[Sequence[Field]]) -> None:
        """Writes CSV to stdout, in UTF-8 (see `as_csv`)."""
        text = as_csv(columns, rows)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        give(text)

    @property
    def is_for_scripts(self) -> bool:
        """Whether stdout is for a program: JSON or CSV, and no words."""
        return self.json or self.csv

    @property
    def is_for_a_screen(self) -> bool:
        """Whether a person looks at stdout while it comes."""
        return not (self.is_piped or self.is_for_scripts)

    def listed(self, document: Mapping[str, Any], list_: str, columns: Sequence[str]) -> None:
        """What a command lists, for a program: the document, or with `--csv` the rows that it has under `list_`, these columns.

        The fields of both have the same names. Amounts are to be decimals, for text never becomes a number.
        """
        if self.json:
            self.document(dict(document))
        else:
            self.spreadsheet(columns, ([one_field(row[column]) for column in columns] for row in document[list_]))

    def text(self, text: str) -> None:
        """Writes a text of ours that another program reads, as it is."""
        if not (self.json or self.quiet):
            give(text)

    def command(self, fix: str) -> str:
        """A fix as it is to be pasted: every command of ours in it names the workspace that was named."""
        return in_workspace(fix, self.workspace)

    def _named(self, cell: Cell) -> Cell:
        """A cell in which our own commands name the workspace; what comes from outside stays as it is."""
        return Ours(self.command(cell)) if isinstance(cell, Ours) else cell

    def choices(self, choices: Iterable[Choice]) -> list[dict[str, str]]:
        """The answers that are possible, as JSON shows them."""
        return [{"command": self.command(one.command), "label": harmless(one.label)} for one in choices]

    def as_lines(self, lines: Iterable[str], stream: Any = None) -> str:
        """Lines as they are shown on a stream: a screen has no word broken at its edge, nor a command that is to be pasted."""
        shown = [one_line(self.command(line)) for line in lines]
        if stream is not None and is_screen(stream):
            width = width_of(stream)
            if any("->" in line or len(line) * 2 > width for line in shown):  # some letters take two columns
                from caspen_xero.cli.tables import on_a_screen

                shown = [part for line in shown for part in on_a_screen(line, width)]
        return "".join(f"{line}\n" for line in shown)

    def say(self, *lines: str) -> None:
        """Result for people, on stdout. Here and below each argument is one line, whatever it holds; on a screen folded."""
        if not (self.is_for_scripts or self.quiet):
            give(self.as_lines(lines or ("",), sys.stdout))

    def note(self, *lines: str) -> None:
        """Talk (progress, a hint), on stderr."""
        if not self.quiet:
            tell(self.as_lines(lines, sys.stderr))

    def warn(self, text: str, fix: str = "", key: str = "") -> None:
        """Something a person should look at, with what to do, on stderr, also with `--quiet`.

        `key`: by what it is known again where its words are others each time.
        """
        lines = (f"Warning: {text}", *([f"  -> {fix}"] if fix else []))
        if self.held is not None:
            self.held.append(Held("warning", key or text, lines))
        else:
            tell(self.as_lines(lines, sys.stderr))

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
        tell(self.as_lines([words, *fixes], sys.stderr))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        title: str | None = None,
        narrow_without: Sequence[str] = (),
        beside: Sequence[str] = (),
        keeps_numbers: bool = False,
        left_out: Sequence[str] = (),
        totals: Sequence[Sequence[Cell]] = (),
        is_report: bool = False,
    ) -> None:
        """A list on stdout; amounts (Decimal) and counts stand to the right. Nothing of `rows` is read as markup.

        `narrow_without`: the columns that go first, in this order, until a screen holds the others, and where they are empty;
        `beside`: those that then stand below each other rather than that any other goes, with `keeps_numbers` also rather than
        that a number in them is cut off; `left_out`: what went before, and is named like all that goes; `totals`: rows that close
        it, below a line. A column `CURRENCY` is only shown where there is more than one. In a pipe or a file a list is one line
        for each row, whole, with tabs and without a head, unless it is a part of a report (`is_report`), which people read there
        too.
        """
        if self.is_for_scripts or self.quiet:
            return
        body = [[self._named(cell) for cell in row] for row in (*rows, *totals)]
        if self.is_piped and not is_report:
            give(self.as_lines([title] if title else []))
            give("".join("\t".join(map(_piped_cell, row)) + "\n" for row in body))
            return
        from caspen_xero.cli import tables

        shown = [one for one in _as_columns(columns, body) if one.width or one.title not in narrow_without]
        signs = {"ellipsis": _shown_or("…", "..."), "rule": _shown_or("─", "-")}
        shown, fitted = tables.fit_numbers(shown, self.width, narrow_without, signs["ellipsis"])
        closing = len(totals)
        without = [*left_out, *fitted.without]
        head = tables.head_lines(shown, fitted)
        lines = tables.as_lines(shown, fitted, closing=closing, **signs)
        goes = not {*fitted.without} <= {*narrow_without}
        if beside and (goes or (keeps_numbers and tables.cuts_a_number(shown, fitted, beside))):
            without = [*left_out]
            heading = [one.title for one in shown if one.title not in beside or not one.width]
            head = iter([tables.BETWEEN.join(filter(None, heading))] if any(heading) else [])
            lines = tables.below_each_other(shown, beside, self.width, closing=closing, **signs)
        self.say()
        if title:
            self._say_styled("italic", *tables.wrapped(title, self.width))
        self._say_styled("bold", *head)
        give("".join(f"{one_line(line)}\n" for line in (*lines, "")))
        self._name_what_went([" ".join(name.split()) for name in without if name])

    def paragraph(self, text: str, indent: str = "") -> None:
        """Sentences of a report, on lines of its width wherever it goes; a day, an amount or a command is never broken."""
        from caspen_xero.cli.tables import wrapped

        self.say(*(f"{indent}{line}" for line in wrapped(one_line(text), self.width - len(indent))))

    def _name_what_went(self, without: Sequence[str]) -> None:
        """Says which columns a screen does not show, if any."""
        from caspen_xero.cli.tables import wrapped

        if without:
            them = "it" if len(without) == 1 else "them"
            names = ("; " if any("," in name for name in without) else ", ").join(without)
            told = f"Not shown, as the screen is too narrow: {names}. A wider one, or --json, shows {them}."
            self._say_styled("dim", *wrapped(told, self.width))
            self.say()

    def holds(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bool:
        """Whether a screen holds such a table with all its columns, and titles on the lines on which they are."""
        from caspen_xero.cli.tables import least_width

        return least_width(_as_columns(columns, [list(row) for row in rows])) <= self.width

    def facts(self, title: str, facts: Iterable[tuple[str, Cell]]) -> None:
        """What there is to say of one thing: a label and its value each; sentences go on below themselves."""
        if self.is_for_scripts or self.quiet:
            return
        shown = [(label, self._named(value)) for label, value in facts]
        if self.is_piped:
            self.say(title)
            give("".join(f"{label}\t{_piped_cell(value)}\n" for label, value in shown))
            return
        from caspen_xero.cli.tables import count_lines, fact_lines, ruler, wrapped

        told = [(label, _cell(value)) for label, value in shown]
        are_counts = all(isinstance(value, int) for _, value in shown)
        lines = [*(count_lines(told) if are_counts else fact_lines(told, self.width))]
        self.say()
        self._say_styled("bold", *wrapped(title, self.width))
        give(
            "".join(
                f"{one_line(line)}\n" for line in (ruler([title, *lines], self.width, _shown_or("─", "-")), *lines, "")
            )
        )

    def remark(self, *lines: str) -> None:
        """What people are told beside a list, such as how long it is; in a pipe the list stands alone, and this goes to stderr."""
        if not self.is_piped:
            self.say(*lines)
        elif not self.is_for_scripts:
            self.note(*lines)

    def link(self, words: str, address: str, *, stderr: bool = False) -> None:
        """An address on one line behind these words, unbroken however long it is, and to be clicked where the terminal can."""
        if self.quiet or (self.is_for_scripts and not stderr):
            return
        from rich.style import Style
        from rich.text import Text

        console, address = self.console(stderr=stderr), one_line(address)
        can_link = os.environ.get("TERM") != "linux"  # the console of Linux would print the half of it
        line = Text(f"{one_line(words)} " if words else "")
        line.append(address, Style(link=address) if can_link else None)
        with console.capture() as shown:
            console.print(line, soft_wrap=True)
        (tell if stderr else give)(shown.get())

    def _say_styled(self, style: str, *lines: str) -> None:
        """Lines for people, in a style where the terminal has any."""
        from rich.text import Text

        console = self.console()
        with giving():
            for line in lines:
                console.print(Text(one_line(self.command(line)), style), soft_wrap=True)

    def what_to_do(self, found: Iterable[tuple[str, str, str, Sequence[Choice]]]) -> None:
        """Of (fix, invoice, reason or "", choices): each fix once, its commands to be pasted; what it asks, and for whom."""
        waiting: dict[tuple[str, str, str], dict[str, None]] = {}
        for fix, number, why, choices in found:
            waiting.setdefault((fix, why, in_words(choices)), {})[plain(number)] = None
        self.say("What to do:")
        for (fix, why, answers), named in waiting.items():
            numbers = list(named)
            more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
            lines = each_on_its_own(fix) if self.is_for_a_screen else [fix]
            self.say(*(f"  {line}" for line in lines), *([f"      asks which: {answers}"] if answers else []))
            self.say(f"      for {', '.join(numbers[:5])}{more}{': ' + why if why else ''}")

    @contextmanager
    def progress(
        self, what: str, total: int | None = None, unit: str = "", *, is_about: bool = False
    ) -> Iterator[Progress]:
        """How far a piece of work has come, on stderr; the given function is told it. `is_about`: the total is a guess."""
        if self.quiet or self.json:
            yield untold
            return
        work = Work(what, total, unit, is_about)
        shown: Shown
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            shown = Bar(self.console(stderr=True), work, self.under_way)
        else:
            shown = Lines(self.note, work, self.under_way)
        shown.start()
        self._shown = shown
        try:
            yield shown
        finally:
            self._shown = None
            shown.stop()

    @contextmanager
    def without_bar(self) -> Iterator[None]:
        """Takes a progress bar off the screen for as long as a person is asked something; it would paint over the question."""
        shown, self._shown = self._shown, None
        if shown is not None:
            shown.stop()
        yield
        if shown is not None:  # not after an error: then all ends
            shown.start()
            self._shown = shown

    def calls_xero(self, method: str, path: str) -> None:
        """A call to Xero goes out now."""
        self.under_way.calls_xero(method, path)
        if self._shown is not None:
            self._shown.look()

    @contextmanager
    def waits(self, seconds: float, why: str) -> Iterator[None]:
        """Around a wait of so many seconds: what is shown of the run counts them down; where nothing is, they are shown alone."""
        self.under_way.waits(seconds, why)
        if self._shown is not None or seconds < SHORTEST_SHOWN:
            if self._shown is not None:
                self._shown.look(seconds)
            yield
            return
        with self.progress("Waiting for Xero") as progress:
            if isinstance(progress, Shown):
                progress.look(seconds)
            yield

    def is_told_to_end(self) -> None:
        """The run ends once the call under way is over. It is said from within whatever is being done, so in the simplest way."""
        self.under_way.is_ending = True
        if not (self.quiet or self.json or isinstance(self._shown, Bar)):
            os.write(sys.stderr.fileno(), b"\nEnding after the call under way; Ctrl-C again ends at once.\n")


def _shown_or(sign: str, instead: str) -> str:
    """A sign, or what stands for it where stdout has none."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return instead
    return sign


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


def _piped_cell(value: Cell) -> str:
    """A cell as a program reads it: a figure without what parts its thousands."""
    return f"{value:.2f}" if isinstance(value, Decimal) else _cell(value)


def _as_columns(titles: Sequence[str], body: Sequence[Sequence[Cell]]) -> list[Column]:
    """A table column by column, as it is shown: a lone currency is not."""
    from caspen_xero.cli.tables import Column, amounts_aligned, kind_of

    columns = []
    for place, title in enumerate(titles):
        cells = [row[place] for row in body]
        if title == CURRENCY and len({cell for cell in cells if cell}) < 2:
            continue
        words = [_cell(cell) for cell in cells]
        are_figures = any(isinstance(cell, (Decimal, int)) for cell in cells)
        are_ours = any(isinstance(cell, Ours) for cell in cells)
        kind = kind_of(words, are_figures=are_figures, are_ours=are_ours)
        columns.append(Column(title, words if are_figures else amounts_aligned(words), kind))
    return columns
