"""What a person or a script sees: tables and JSON on stdout, talk on stderr, and never markup or escape codes from outside."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from caspen_xero.cli.progress import SHORTEST_SHOWN, Bar, Lines, Shown, UnderWay, Work
from caspen_xero.commands import Choice, in_workspace
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import UNSEEN, harmless, plain
from caspen_xero.progress import Progress, untold
from caspen_xero.scrubbing import scrubbed
from caspen_xero.times import local

if TYPE_CHECKING:
    from rich.console import Console

    from caspen_xero.cli.tables import Column, Fitted

LONGEST_LINE = 4_000
"""Characters: no more than a person reads, whatever a line was made of."""
LONGEST_CELL = 300
"""Characters of what is from outside in a table."""


LONGEST_WORD = 40
"""Characters of a single word (a code, a date, an amount) that is never broken."""
NARROW = 110
"""Columns: on a screen with less, tables leave out what stands elsewhere too."""
CURRENCY = "Currency"
"""The title of the column of currencies."""
OUR_COLUMNS = "CASPEN_XERO_COLUMNS"
"""The variable by which lists are laid out as for a screen of that many columns, also in a pipe."""
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
        return not sys.stdout.isatty() and _columns(OUR_COLUMNS) is None

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
            self.spreadsheet(columns, ([_one_cell(row[column]) for column in columns] for row in document[list_]))

    def text(self, text: str) -> None:
        """Writes a text of ours that another program reads, as it is."""
        if not (self.json or self.quiet):
            _give(text)

    def command(self, fix: str) -> str:
        """A fix as it is to be pasted: every command of ours in it names the workspace that was named."""
        return in_workspace(fix, self.workspace)

    def choices(self, choices: Iterable[Choice]) -> list[dict[str, str]]:
        """The answers that are possible, as JSON shows them."""
        return [{"command": self.command(one.command), "label": harmless(one.label)} for one in choices]

    def as_lines(self, lines: Iterable[str], stream: Any = None) -> str:
        """Lines as they are shown on a stream: a screen has no word broken at its edge, nor a command that is to be pasted."""
        shown = [one_line(self.command(line)) for line in lines]
        if stream is not None and (stream.isatty() or _columns(OUR_COLUMNS) is not None):
            width = width_of(stream)
            if any(len(line) * 2 > width for line in shown):  # some letters take two columns
                from caspen_xero.cli.tables import folded

                shown = [part for line in shown for part in folded(line, width)]
        return "".join(f"{line}\n" for line in shown)

    def say(self, *lines: str) -> None:
        """Result for people, on stdout. Here and below each argument is one line, whatever it holds; on a screen folded."""
        if not (self.is_for_scripts or self.quiet):
            _give(self.as_lines(lines or ("",), sys.stdout))

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

    @property
    def is_narrow(self) -> bool:
        """Whether a table has no room for whole sentences, which then stand below it."""
        return self.width < NARROW

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        title: str | None = None,
        narrow_without: Sequence[str] = (),
        totals: Sequence[Sequence[Cell]] = (),
        is_report: bool = False,
    ) -> None:
        """A list on stdout; amounts (Decimal) and counts stand to the right. Nothing of `rows` is read as markup.

        `narrow_without`: the columns that go first, in this order, until a screen holds the others, and where they are empty;
        `totals`: rows that close it, below a line. A column `CURRENCY` is only shown where there is more than one. In a pipe or a
        file a list is one line for each row, whole, with tabs and without a head, unless it is a part of a report (`is_report`),
        which people read there too.
        """
        if self.is_for_scripts or self.quiet:
            return
        body = [list(row) for row in (*rows, *totals)]
        if self.is_piped and not is_report:
            _give(self.as_lines([title] if title else []))
            _give("".join("\t".join(map(_piped_cell, row)) + "\n" for row in body))
            return
        from caspen_xero.cli.tables import fit

        shown = [one for one in _as_columns(columns, body) if one.width or one.title not in narrow_without]
        self._lay_out(shown, fit(shown, self.width, narrow_without), title, len(totals))

    def holds(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bool:
        """Whether a screen holds such a table with all its columns, and titles on the lines on which they are."""
        from caspen_xero.cli.tables import least_width

        return least_width(_as_columns(columns, [list(row) for row in rows])) <= self.width

    def _lay_out(self, columns: Sequence[Column], fitted: Fitted, title: str | None, closing: int) -> None:
        """A table as people see it, an empty line above and below it, and what did not go on the screen."""
        from caspen_xero.cli.tables import as_lines, head_lines, wrapped

        ellipsis, rule = _shown_or("…", "..."), _shown_or("─", "-")
        self.say()
        if title:
            self._say_styled("italic", *wrapped(title, self.width))
        self._say_styled("bold", *head_lines(columns, fitted))
        lines = as_lines(columns, fitted, closing=closing, ellipsis=ellipsis, rule=rule)
        _give("".join(f"{one_line(line)}\n" for line in (*lines, "")))
        if without := [" ".join(name.split()) for name in fitted.without if name]:
            them = "it" if len(without) == 1 else "them"
            names = ("; " if any("," in name for name in without) else ", ").join(without)
            told = f"Not shown, as the screen is too narrow: {names}. A wider one, or --json, shows {them}."
            self._say_styled("dim", *wrapped(told, self.width))
            self.say()

    def facts(self, title: str, facts: Iterable[tuple[str, Cell]]) -> None:
        """What there is to say of one thing: a label and its value each; sentences go on below themselves."""
        if self.is_for_scripts or self.quiet:
            return
        shown = [(label, value) for label, value in facts]
        if self.is_piped:
            self.say(title)
            _give("".join(f"{label}\t{_piped_cell(value)}\n" for label, value in shown))
            return
        from caspen_xero.cli.tables import count_lines, fact_lines, ruler, wrapped

        told = [(label, self.command(_cell(value))) for label, value in shown]
        are_counts = all(isinstance(value, int) for _, value in shown)
        lines = [*(count_lines(told) if are_counts else fact_lines(told, self.width))]
        self.say()
        self._say_styled("bold", *wrapped(title, self.width))
        _give(
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
        (tell if stderr else _give)(shown.get())

    def _say_styled(self, style: str, *lines: str) -> None:
        """Lines for people, in a style where the terminal has any."""
        from rich.text import Text

        console = self.console()
        with _giving():
            for line in lines:
                console.print(Text(one_line(self.command(line)), style), soft_wrap=True)

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

    def waits(self, seconds: float, why: str) -> None:
        """Nothing is done for so many seconds."""
        self.under_way.waits(seconds, why)
        if self._shown is not None:
            self._shown.look(seconds)
        elif seconds >= SHORTEST_SHOWN and sys.stderr.isatty() and not self.json:
            self.note(f"Waiting {seconds:.0f} s: {why}")

    def is_told_to_end(self) -> None:
        """The run ends once the call under way is over. It is said from within whatever is being done, so in the simplest way."""
        self.under_way.is_ending = True
        if not (self.quiet or self.json or isinstance(self._shown, Bar)):
            os.write(sys.stderr.fileno(), b"\nEnding after the call under way; Ctrl-C again ends at once.\n")


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


def width_of(stream: Any) -> int:
    """The columns of a screen; in a pipe or a file as many as a report is to have."""
    asked = _columns(OUR_COLUMNS) or _columns("COLUMNS")
    if asked is not None or not stream.isatty():
        return asked or 200
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80


def _columns(variable: str) -> int | None:
    """The columns that a variable asks for, where it is a number."""
    columns = os.environ.get(variable, "")
    return int(columns) if columns.isascii() and columns.isdigit() and 0 < int(columns) <= 10_000 else None


def _shown_or(sign: str, instead: str) -> str:
    """A sign, or what stands for it where stdout has none."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return instead
    return sign


_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def _csv_cell(value: Cell | bool) -> str:
    """A cell of a spreadsheet. What it would compute, or call a program with, is made text by an apostrophe."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, Decimal | int | date):
        return str(_json_value(value)) if not isinstance(value, int) else str(value)
    text = harmless(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _one_cell(value: Any) -> Cell | bool:
    """What a field of a document is in one cell: of several things each, one after the other."""
    if isinstance(value, dict):
        value = value.get("command", "")
    if isinstance(value, list | tuple):
        return "; ".join(str(_one_cell(one)) for one in value)
    cell: Cell | bool = value
    return cell


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
