"""A proof on the terminal: what differs and what to do first, then the sums. Equal rows are not shown by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import compress
from textwrap import wrap
from typing import TYPE_CHECKING

from caspen_xero.cli.output import Ours
from caspen_xero.cli.reconcile_words import (
    DIFFERENCES,
    INVOICES,
    for_people,
    in_order,
    in_words,
    is_off,
    is_one_by_one,
    lone_currency,
    period,
    verdict,
    what_to_do,
    when_read,
)
from caspen_xero.cli.session import Session
from caspen_xero.commands import each_on_its_own
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.cli.output import Cell
    from caspen_xero.sync.reconciling.ledger import Asked, Find
    from caspen_xero.sync.reconciling.proof import Proof
    from caspen_xero.sync.reconciling.tables import Column, Table

MOST_ROWS = 40
"""Of a longer table only the rows that differ, if it has any, are shown."""
LONGEST_TEXT = 48
"""Characters of a text in a table of sums."""
_LEAST_TEXT = 14
"""Characters to which a column of texts may be narrowed."""
OUR_WORDS = ("what", "step", "why", "reason")
"""The keys of columns that hold words of ours."""
NOTHING = "-"
"""What a side has of which it has nothing."""
SIDES = ("caspen", "xero", "difference")
TALLEST_HEAD = 4
"""Lines of the head of a table."""
WHICH_COUNTS = ("total", "amount", "due", "net")
"""Of several figures of a row that by which it is judged: the first of these."""


def tell_proof(session: Session, proof: Proof, *, has_tables: bool, has_page: bool) -> None:
    """All of it that people read on a screen. `has_tables`, `has_page`: the rest is in files that this run has written."""
    output = session.output
    if output.json or output.quiet:
        return
    currency = lone_currency(proof)
    money = f", amounts in {plain(currency)}" if currency else ""
    output.say(
        f"Caspen and {plain(session.connection.tenant_name)} in Xero",
        f"  Period    {period(proof)}{money}",
        f"  Debtors   as at {proof.asked.as_at}",
        f"  Read      {when_read(proof)}",
        "",
    )
    output.paragraph(verdict(proof))
    output.say()
    _tell_finds(session, proof.finds, has_currency=currency is None)
    elsewhere: list[str] = []
    for table in proof.tables:
        if table.key != DIFFERENCES:
            rows, rest = _shown(table)
            if rows or (table.totals and not is_one_by_one(table)):
                _tell_table(session, table, rows, currency)
            if rest:
                elsewhere.append(f"{table.title} ({_how_many(table, proof.asked)})")
    if elsewhere:
        where = [*(["the page"] if has_page else []), *(["the CSV files"] if has_tables else [])]
        told = f"In full in {' and '.join(where) or '--html FILE and --csv DIR'}: {'; '.join(elsewhere)}."
        output.paragraph(told)


def _tell_finds(session: Session, finds: Sequence[Find], *, has_currency: bool) -> None:
    """All that is not equal, with what either side has; then what is to be done about it."""
    if not finds:
        return
    columns = ("Invoice", "Client", "Date", "What", "Caspen", "Xero", "Currency")
    session.output.table(
        columns if has_currency else columns[:-1],
        [_find_row(one)[: None if has_currency else -1] for one in in_order(finds)],
        title="Differences",
        narrow_without=("Client", "Date"),
        beside=("Caspen", "Xero"),
        keeps_numbers=True,
        is_report=True,
    )
    _tell_what_to_do(session, finds)


def _find_row(one: Find) -> list[Cell]:
    what = in_words(one.code) + (f": {plain(one.subject)}" if one.subject else "")
    name = one.number or one.invoice_id or one.xero_id
    return [
        name,
        one.party,
        one.day,
        Ours(f"{what} (accepted)" if one.accepted else what),
        Ours(plain(one.caspen) or NOTHING),
        Ours(plain(one.xero) or NOTHING),
        one.currency,
    ]


def _tell_what_to_do(session: Session, finds: Sequence[Find]) -> None:
    """Each fix, a line for each of its commands, and for which invoices."""
    todo = what_to_do(finds)
    if not todo:
        return
    session.output.say("What to do:")
    for fix, names in todo:
        session.output.say(*(f"  {line}" for line in each_on_its_own(fix)))
        session.output.paragraph(f"for {', '.join(names)}", " " * 6)
    session.output.say()


def _how_many(table: Table, asked: Asked) -> str:
    """How many rows a table has; of invoices also why some are not of the period."""
    places = [place for place, column in enumerate(table.columns) if column.holds == "date"]
    days = [[cell for cell in (row[place] for place in places) if isinstance(cell, date)] for row in table.rows]
    others = sum(1 for row in days if row and not any(map(asked.holds, row)))
    if table.key != INVOICES or not others:
        return f"{len(table.rows):,}"
    of_it, due = len(table.rows) - others, f"{asked.as_at.day} {asked.as_at:%b %Y}"
    return (
        f"{len(table.rows):,}: {of_it:,} of the period, and {others:,} from outside it that are not settled as at {due}"
    )


def _shown(table: Table) -> tuple[Sequence[Sequence[Cell]], int]:
    """The rows of a table that a screen shows, and how many it does not."""
    rows = table.rows if table.brief is None else table.brief
    if len(rows) > MOST_ROWS:
        rows = [row for row in rows if is_off(table, row)] or rows[:MOST_ROWS]
    return rows, max(0, len(table.rows) - len(rows))


# --- a table that fits


@dataclass(frozen=True)
class _Fitted:
    """A table in one way of laying it out; `totals` close it. `left_out`: the titles of what is not in it."""

    heads: list[str]
    rows: list[list[Cell]]
    totals: list[list[Cell]]
    left_out: list[str] = field(default_factory=list)


def _tell_table(session: Session, table: Table, rows: Sequence[Sequence[Cell]], currency: str | None) -> None:
    """One table under its name, in the widest way that the screen holds."""
    shown = [*rows, *table.totals]
    kept = [
        for_all and not (column.spare and not any(row[place] for row in shown))
        for place, (column, for_all) in enumerate(
            zip(table.columns, for_people(table.columns, shown, currency), strict=True)
        )
    ]
    columns = list(compress(table.columns, kept))
    body, totals = (
        [[_short(cell, column) for cell, column in zip(compress(row, kept), columns, strict=True)] for row in some]
        for some in (rows, table.totals)
    )
    output = session.output
    ways = _ways(columns, body, totals)
    fitted = next((one for one in ways if output.holds(one.heads, [*one.rows, *one.totals])), None)
    title = table.title if table.is_equal else f"{table.title}: DIFFERS"
    output.say(title)
    output.paragraph(table.about)
    if fitted:
        output.table(fitted.heads, fitted.rows, totals=fitted.totals, left_out=fitted.left_out, is_report=True)
    else:
        _tell_tight(session, columns, body, totals)


def _tell_tight(
    session: Session, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], totals: Sequence[Sequence[Cell]]
) -> None:
    """A table without what is spare in it, and with its figures below each other where there is no room beside each other."""
    some, (body, closing), left_out = _without_spare(columns, rows, totals)
    session.output.table(
        [column.title for column in some],
        body,
        totals=closing,
        narrow_without=[column.title for column in some if column.holds == "count"],
        beside=[column.title for column in some if column.holds in ("amount", "count")],
        left_out=left_out,
        is_report=True,
    )


def _ways(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], totals: Sequence[Sequence[Cell]]
) -> Iterator[_Fitted]:
    """A table in every way that is tried: all of it, what is not spare where both sides are in that, a row for each figure."""
    yield from _flat(columns, rows, totals)
    some, less, left_out = _without_spare(columns, rows, totals)
    if _has_both_sides(some):
        yield from _flat(some, less[0], less[1], left_out)
    for folds in (False, True):
        yield _by_figure(columns, rows, totals, folds=folds)


def _without_spare(
    columns: Sequence[Column], *parts: Sequence[Sequence[Cell]]
) -> tuple[list[Column], list[list[list[Cell]]], list[str]]:
    """The columns that a narrow screen has too, what of these rows stands in them, and the titles of the others."""
    kept = [not column.spare for column in columns]
    less = [[list(compress(row, kept)) for row in rows] for rows in parts]
    return list(compress(columns, kept)), less, [column.title for column in columns if column.spare]


def _flat(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    totals: Sequence[Sequence[Cell]],
    left_out: Sequence[str] = (),
) -> Iterator[_Fitted]:
    """With each head on one line, then with heads that are hardly wider than what stands below them: of figures first."""
    body, closing = [list(row) for row in rows], [list(row) for row in totals]
    titles = [one.title for one in columns]
    folded = [_folded(title, [row[place] for row in (*rows, *totals)]) for place, title in enumerate(titles)]
    of_figures = [
        title if one.holds == "text" else head for one, title, head in zip(columns, titles, folded, strict=True)
    ]
    for heads in (titles, of_figures, folded):
        if all(head.count("\n") < TALLEST_HEAD for head in heads):
            yield _Fitted(heads, body, closing, list(left_out))


def _sides(columns: Sequence[Column]) -> dict[str, dict[str, int]]:
    """Where each figure stands on each side, by what it is of: `caspen_tax`, `xero_tax` and `difference_tax` are of the tax."""
    found: dict[str, dict[str, int]] = {}
    for place, column in enumerate(columns):
        side, _, figure = column.key.partition("_")
        if side in SIDES and column.holds in ("amount", "count"):
            found.setdefault(figure, {})[side] = place
    alone = found.pop("", None)
    if alone is not None:  # a mere `difference` is that of the figure which counts
        lacking = [figure for figure in WHICH_COUNTS if figure in found and "difference" not in found[figure]]
        for figure in lacking[:1]:
            found[figure] |= alone
    return found


def _has_both_sides(columns: Sequence[Column]) -> bool:
    return all(len(places) in (0, len(SIDES)) for places in _sides(columns).values())


def _by_figure(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], totals: Sequence[Sequence[Cell]], *, folds: bool
) -> _Fitted:
    """A table in which each figure of a row (its net, its tax) is a row with both sides and the difference. `folds`: its heads may
    be on several lines.
    """
    figures = {
        figure: places
        for figure, places in _sides(columns).items()
        if any(not columns[place].spare for place in places.values())
    }
    amounts = {place for places in figures.values() for place in places.values()}
    labels = [
        place
        for place, column in enumerate(columns)
        if place not in amounts and not column.spare and column.holds != "amount"
    ]

    def turned(some: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
        found: list[list[Cell]] = []
        for row in some:
            names: list[Cell] = [row[place] for place in labels]
            for figure, places in figures.items():
                found.append(
                    [
                        *names,
                        Ours(figure.replace("_", " ")),
                        *(row[places[side]] if side in places else None for side in SIDES),
                    ]
                )
                names = [None] * len(labels)
        return found

    named = [columns[place].title for place in labels]
    if folds:
        named = [
            _folded(title, [row[place] for row in (*rows, *totals)]) for place, title in zip(labels, named, strict=True)
        ]
    heads = [*named, "Figure", "Caspen", "Xero", "Difference"]
    left_out = [one.title for place, one in enumerate(columns) if place not in amounts | {*labels}]
    return _Fitted(heads, turned(rows), turned(totals), left_out)


def _short(cell: Cell, column: Column) -> Cell:
    """A text that leaves room for the amounts, and may take two lines if it is ours; anything else as it is."""
    if not isinstance(cell, str):
        return cell
    text = plain(cell, LONGEST_TEXT)
    return Ours(text) if column.key in OUR_WORDS else text


def _folded(title: str, cells: Sequence[Cell]) -> str:
    """A head on as many lines as it takes to be no wider than these cells, or than its longest word."""
    widest = max(len(_words(cell)) for cell in cells)
    width = min(widest, _LEAST_TEXT) if _may_break(cells) else widest
    return "\n".join(wrap(title, max(width, *map(len, title.split())), break_on_hyphens=False))


def _may_break(cells: Sequence[Cell]) -> bool:
    """Whether some of these are texts of several words."""
    return any(" " in _words(cell) for cell in cells)


def _words(cell: Cell) -> str:
    """A cell as it is shown."""
    if cell is None:
        return ""
    return f"{cell:,.2f}" if isinstance(cell, Decimal) else str(cell)
