"""A table as a screen holds it: what counts is never broken, names are shortened, and what matters least goes first.

Three kinds of column are told apart by what stands in them. Figures, and whole things (dates, times, codes, numbers of invoices,
addresses) are shown whole or not at all. Names end in an ellipsis where there is no room. Our own words may take a second line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Literal

from rich.cells import cell_len

from caspen_xero.commands import each_on_its_own, each_whole_command

Kind = Literal["figure", "whole", "name", "words"]

BETWEEN = "  "
"""What stands between two columns."""
NUMBERED = ("Invoice", "Number")
"""The titles of the columns of numbers that a clinic or Xero gives."""
FIX_MARK = "->"
"""What a line that says what to do begins with."""
MOST_LINES = 2
"""Lines that a row takes at the most."""
MOST_BELOW = 5
"""Lines that a cell takes at the most where it stands below the others of its row."""
LONGEST_CODE = 40
"""Characters: a longer word is no code that anybody reads whole."""
SHORT = 20
"""Cells: a word, or words of ours, that are no longer, are a state or the like, and never broken."""
LONGEST_NUMBER = 20
"""Cells of the number of an invoice, or the like, that are shown where another column would go for more: less in its middle."""
_ROOMY: dict[Kind, int] = {"name": 20, "words": 28}
"""Cells that a column keeps as long as another can go in its place."""
_TIGHT: dict[Kind, int] = {"name": 8, "words": 14}
"""Cells that it keeps before those go too that nobody said may go."""

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? [^\s,;.)]+"
_WITH_UNIT = r"(?<![\w,.-])[-+]?[0-9](?:[0-9,.]*[0-9])? (?:[A-Z]{3}|%)(?![\w-])"
_WHOLE = re.compile(
    rf"{_TIME}|{_WITH_UNIT}|(?:[a-z]+://|/|~/|[A-Z]:\\)\S+|(?=\S*[0-9])\S{{1,{LONGEST_CODE}}}|[a-z]+(?:-[a-z]+)+"
)
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")
_LONG_NUMBER = re.compile(
    rf"(?=\S*[0-9])(?![a-z]+://|/|~/|[A-Z]:|[0-9a-f]{{8}}-[0-9a-f-]{{27}}$)\S{{{LONGEST_NUMBER + 1},}}"
)
_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?[0-9][0-9,]*\.[0-9]{2}")
_PLAIN_AMOUNT = re.compile(r"(?<![\w.,/-])-?[0-9]{4,15}\.[0-9]{2}(?![\w.,-]*[0-9])")
_BOUND = re.compile(rf"{_TIME}|{_WITH_UNIT}|[0-9]{{1,2}} [A-Z][a-z]{{2}} [0-9]{{4}}|(?<![\w,.-])[0-9][0-9,]* [a-z]+")
"""What stays on one line in a sentence: a time, an amount with its currency, a day, a number with what it counts."""
_NUMBER = re.compile(r"[0-9]+")
_HAS_A_NUMBER = re.compile(rf"{_TIME}|{_WITH_UNIT}|[^\s0-9]*[0-9]\S*")
_JOINED = "\ue000"  # no text of ours or of others holds it (see `outside_text.UNSEEN`)


@dataclass(frozen=True)
class Column:
    """A column with its cells as they are shown, those of the closing rows too."""

    title: str
    cells: Sequence[str]
    kind: Kind

    @property
    def width(self) -> int:
        """How wide it would like to be, but for its title."""
        return max(map(cell_len, self.cells), default=0)

    def title_width(self, *, folds: bool) -> int:
        """How wide its title has to be; where that may be folded, currencies need none."""
        needs_none = folds and self.width and all(_CURRENCY.fullmatch(cell) for cell in self.cells if cell)
        words = self.title.split() if folds else self.title.split("\n")
        return max(map(cell_len, [] if needs_none else words), default=0)

    def least(self, room: dict[Kind, int]) -> int:
        """To how much it may be narrowed: as long as another can go in its place, to no less than what is whole in it."""
        if self.kind not in room:
            return self.width
        unbroken = _WHOLE if room is _ROOMY else _CODE
        whole = max((cell_len(cell) for cell in self.cells if unbroken.fullmatch(cell.strip())), default=0)
        return min(self.width, max(room[self.kind], whole))


@dataclass(frozen=True)
class Fitted:
    """Which columns a screen holds, by their places, and how wide each is; `without`: the titles of the others."""

    widths: dict[int, int]
    without: list[str]


def kind_of(cells: Sequence[str], *, are_figures: bool, are_ours: bool) -> Kind:
    """What a column holds, by its cells as they are shown."""
    if are_figures:
        return "figure"
    shown = [cell for cell in cells if cell]
    if all(_WHOLE.fullmatch(cell) or (" " not in cell and cell_len(cell) <= SHORT) for cell in shown):
        return "whole"
    if are_ours:
        return "words" if max(map(cell_len, shown)) > SHORT else "whole"
    return "name"


def amounts_aligned(cells: Sequence[str]) -> list[str]:
    """Cells of a column of words and amounts, in which the amounts end below each other."""
    widest = max((len(cell) for cell in cells if _AMOUNT.fullmatch(cell)), default=0)
    return [cell.rjust(widest) if _AMOUNT.fullmatch(cell) else cell for cell in cells]


def with_thousands(text: str) -> str:
    """Words in which amounts stand as tables have them: 1,357.95."""
    return _PLAIN_AMOUNT.sub(lambda found: f"{Decimal(found[0]):,.2f}", text)


def fit(columns: Sequence[Column], width: int, narrow_without: Sequence[str] = ()) -> Fitted:
    """The widest way in which these columns go on a screen. `narrow_without`: those that go first, in this order."""
    titles = [column.title for column in columns]
    first_to_go = [titles.index(title) for title in narrow_without if title in titles]
    last_to_go = [place for place in range(len(columns) - 1, 0, -1) if titles[place] and place not in first_to_go]
    going = [*first_to_go, *last_to_go]
    for number in range(len(going) + 1):
        kept = {place: column for place, column in enumerate(columns) if place not in going[:number]}
        is_last_name = [place for place, column in kept.items() if column.kind in _ROOMY] == going[number : number + 1]
        for room in (_ROOMY, _TIGHT) if number >= len(first_to_go) or is_last_name else (_ROOMY,):
            if (widths := _widths(kept, width, room)) is not None:
                return Fitted(widths, [titles[place] for place in going[:number]])
    return Fitted({0: width}, titles[1:])


def fit_numbers(
    columns: list[Column], width: int, narrow_without: Sequence[str] = (), ellipsis: str = "…"
) -> tuple[list[Column], Fitted]:
    """The same, with long numbers shortened in their middle where that keeps a column which one of them would drive out."""
    fitted = fit(columns, width, narrow_without)
    if fitted.without:
        shorter = [
            Column(one.title, [_less_in_the_middle(cell, ellipsis) for cell in one.cells], one.kind)
            if one.title in NUMBERED
            else one
            for one in columns
        ]
        tighter = fit(shorter, width, narrow_without)
        if len(tighter.without) < len(fitted.without):
            return shorter, tighter
    return columns, fitted


def _less_in_the_middle(cell: str, ellipsis: str) -> str:
    """A number's beginning and end."""
    if not cell.isascii() or not _LONG_NUMBER.fullmatch(cell):
        return cell
    end = LONGEST_NUMBER // 2 - 1
    return f"{cell[: LONGEST_NUMBER - end - len(ellipsis)]}{ellipsis}{cell[-end:]}"


def least_width(columns: Sequence[Column]) -> int:
    """How wide a screen has to be for all of these."""
    least = [max(column.least(_ROOMY), column.title_width(folds=False)) for column in columns]
    return sum(least) + len(BETWEEN) * (len(columns) - 1)


def _widths(columns: dict[int, Column], width: int, room: dict[Kind, int]) -> dict[int, int] | None:
    """How wide each column is, if all go on the screen; titles of several words are folded rather than that one goes."""
    free = width - len(BETWEEN) * (len(columns) - 1)
    for folds in (False, True):
        least = {place: max(column.least(room), column.title_width(folds=folds)) for place, column in columns.items()}
        if sum(least.values()) <= free:
            return _shared_out(least, {place: max(least[place], one.width) for place, one in columns.items()}, free)
    return None


def _shared_out(least: dict[int, int], most: dict[int, int], free: int) -> dict[int, int]:
    """The room that is left, given to the narrowest first, so that a short name is whole before a long one is longer."""
    widths, left = dict(least), free - sum(least.values())
    while left > 0 and (wanting := [place for place in widths if widths[place] < most[place]]):
        widths[min(wanting, key=widths.__getitem__)] += 1
        left -= 1
    return widths


# --- as lines


def as_lines(
    columns: Sequence[Column], fitted: Fitted, *, closing: int = 0, ellipsis: str = "…", rule: str = "─"
) -> Iterator[str]:
    """The lines of a table: its head (see `head_lines`), a rule, the rows, and after a rule those that close it."""
    across = rule * (sum(fitted.widths.values()) + len(BETWEEN) * (len(fitted.widths) - 1))
    yield across
    number = len(columns[0].cells) if columns else 0
    for row in range(number):
        if closing and 0 < row == number - closing:
            yield across
        yield from _side_by_side(
            columns, fitted, [_cell_lines(columns[p], row, w, ellipsis) for p, w in fitted.widths.items()]
        )


def cuts_a_number(columns: Sequence[Column], fitted: Fitted, beside: Sequence[str]) -> bool:
    """Whether one of these columns is so narrow that a number is lost with what is cut off."""
    return any(
        _NUMBER.findall(" ".join(_cell_lines(columns[place], row, width, ""))) != _NUMBER.findall(cell)
        for place, width in fitted.widths.items()
        if columns[place].title in beside
        for row, cell in enumerate(columns[place].cells)
        if cell_len(cell) > width
    )


def below_each_other(
    columns: Sequence[Column],
    beside: Sequence[str],
    width: int,
    *,
    closing: int = 0,
    ellipsis: str = "…",
    rule: str = "─",
) -> Iterator[str]:
    """The lines of a table that a screen does not hold: of each row a heading, and below it these columns, a line for each."""
    below = [column for column in columns if column.title in beside]
    heading = [column for column in columns if column.title not in beside]
    values = max((column.width for column in below if column.kind == "figure"), default=0)
    labels = min(
        max((cell_len(column.title) for column in below), default=0), width - 2 * len(BETWEEN) - max(values, SHORT // 2)
    )
    room = width - labels - 2 * len(BETWEEN)
    number = len(columns[0].cells) if columns else 0
    yield rule * width
    for row in range(number):
        if closing and 0 < row == number - closing:
            yield rule * width
        named = [
            shortened(cell, width // 2, ellipsis) if one.kind == "name" else cell
            for one in heading
            if (cell := one.cells[row].strip())
        ]
        yield from folded(BETWEEN.join(named), width) if named else ()
        for column in below:
            if not column.cells[row].strip():
                continue
            is_figure = column.kind == "figure"
            told = [column.cells[row]] if is_figure else _cell_lines(column, row, room, ellipsis, most=MOST_BELOW)
            *before, label = wrapped(column.title, labels)
            yield from (f"{BETWEEN}{line}" for line in before)
            for line in told:
                value = _padded(line, values, to_the_right=True) if is_figure else line.strip()
                yield f"{BETWEEN}{_padded(label, labels, to_the_right=False)}{BETWEEN}{value}"
                label = ""


def head_lines(columns: Sequence[Column], fitted: Fitted) -> Iterator[str]:
    """The titles of the columns, beside each other; "" where there are none."""
    if not any(columns[place].title for place in fitted.widths):
        return
    heads = [
        [part for line in columns[place].title.split("\n") for part in wrapped(line, width) or [""]]
        if columns[place].title_width(folds=True) or cell_len(columns[place].title) <= width
        else [""]
        for place, width in fitted.widths.items()
    ]
    tallest = max(map(len, heads))
    yield from _side_by_side(columns, fitted, [[""] * (tallest - len(head)) + head for head in heads])


def _side_by_side(columns: Sequence[Column], fitted: Fitted, cells: Sequence[Sequence[str]]) -> Iterator[str]:
    for parts in zip_longest(*cells, fillvalue=""):
        yield BETWEEN.join(
            _padded(part, width, to_the_right=columns[place].kind == "figure")
            for part, (place, width) in zip(parts, fitted.widths.items(), strict=True)
        ).rstrip()


def _padded(text: str, width: int, *, to_the_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return f"{space}{text}" if to_the_right else f"{text}{space}"


def _cell_lines(column: Column, row: int, width: int, ellipsis: str, most: int = MOST_LINES) -> list[str]:
    text = column.cells[row]
    if cell_len(text) <= width:
        return [text]
    if column.kind != "words":
        return [shortened(text, width, ellipsis)]
    lines = wrapped(text, width)
    kept = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [shortened(line, width, ellipsis) for line in kept if line]


def shortened(text: str, width: int, ellipsis: str = "…") -> str:
    """A text in that many cells, with an ellipsis where it was longer. A number in it is shown whole or not at all."""
    if cell_len(text) <= width:
        return text
    room, kept = width - cell_len(ellipsis), ""
    for char in text:
        if cell_len(kept + char) > room:
            break
        kept += char
    for whole in _HAS_A_NUMBER.finditer(text):
        if 0 < whole.start() < len(kept) < whole.end():
            kept = text[: whole.start()]
    return f"{kept.rstrip(' ,;:')}{ellipsis}"


def wrapped(text: str, width: int) -> list[str]:
    """A text on lines of so many cells, broken between words: never within a time, an amount with its currency, or a command.

    What is wider than a line stands on one of its own, behind no more than a mark (`$`, `->`, `!`).
    """
    bound = _BOUND.sub(lambda found: found[0].replace(" ", _JOINED), text)
    bound = each_whole_command(bound, lambda ours: ours.replace(" ", _JOINED))
    lines: list[str] = []
    for word in bound.split(" "):
        if lines and (cell_len(lines[-1]) + 1 + cell_len(word) <= width or (len(lines) == 1 and len(lines[0]) <= 2)):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [line.replace(_JOINED, " ").rstrip() for line in lines]


def fact_lines(facts: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Labels, each with what is said of it beside it, on as many lines as that takes; a fix behind a mark begins on its own."""
    indent = min(max((cell_len(label) for label, _ in facts), default=0), width // 3) + len(BETWEEN)
    for label, told in facts:
        words, mark, fix = told.partition(f"{BETWEEN}{FIX_MARK}{BETWEEN}")
        told_lines = wrapped(words, width - indent)
        told_lines += on_a_screen(f"{FIX_MARK} {fix}", width - indent) if mark else []
        if cell_len(label) + len(BETWEEN) > indent:
            yield label
            label = ""
        for line in told_lines:
            yield f"{_padded(label, indent, to_the_right=False)}{line}".rstrip()
            label = ""


def count_lines(facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Labels, each with a count, which stand to the right below each other."""
    columns = [Column("", [label for label, _ in facts], "whole"), Column("", [count for _, count in facts], "figure")]
    fitted = Fitted({place: column.width for place, column in enumerate(columns)}, [])
    for cells in facts:
        yield from _side_by_side(columns, fitted, [[cell] for cell in cells])


def ruler(lines: Sequence[str], width: int, rule: str = "─") -> str:
    """A line as wide as the widest of these, as far as the screen goes."""
    return rule * min(width, max(map(cell_len, lines)))


def folded(line: str, width: int) -> list[str]:
    """A sentence on as many lines as it takes, each set in as far as the first, and one step more."""
    if cell_len(line) <= width:
        return [line]
    text = line.lstrip(" ")
    indent = " " * (len(line) - len(text))
    inner = f"{indent}  " if indent else ""
    first, *others = wrapped(text, width - len(inner))
    return [f"{indent}{first}", *(f"{inner}{other}" for other in others)]


def on_a_screen(line: str, width: int) -> list[str]:
    """A line of what is said as a screen shows it: folded, and each command of a fix on a line of its own."""
    text = line.lstrip(" ")
    if not text.startswith(f"{FIX_MARK} "):
        return folded(line, width)
    indent, mark = " " * (len(line) - len(text)), f"{FIX_MARK} "
    inner = width - len(indent) - len(mark)
    parts = [part for each in each_on_its_own(text[len(mark) :]) for part in folded(each, inner)]
    return [f"{indent}{' ' * len(mark) if place else mark}{part}" for place, part in enumerate(parts)]
