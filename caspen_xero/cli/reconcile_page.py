"""A proof as one page that a bookkeeper prints and files with the month: no script, nothing from elsewhere, black and white.

On a dark screen it is white on black; on a narrow one each row of a table is a list, so that no amount is beside the screen.
What differs is marked by words, a sign and a frame, never by colour alone. Whatever comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from itertools import compress
from typing import TYPE_CHECKING

from caspen_xero import __version__
from caspen_xero.cli.output import LONGEST_CELL, one_line
from caspen_xero.cli.reconcile_files import GENERATOR
from caspen_xero.cli.reconcile_words import (
    DIFFERENCES,
    counted,
    for_people,
    in_order,
    in_words,
    is_difference,
    is_off,
    lone_currency,
    period,
    verdict,
    what_to_do,
    when_read,
)
from caspen_xero.cli.session import Session
from caspen_xero.cli.tables import LONGEST_CODE
from caspen_xero.commands import in_pieces
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.scrubbing import scrubbed

if TYPE_CHECKING:
    from caspen_xero.cli.output import Cell
    from caspen_xero.sync.reconciling.ledger import Find
    from caspen_xero.sync.reconciling.proof import Proof
    from caspen_xero.sync.reconciling.tables import Column, Table

MOST_ROWS = 2_000
"""Rows of one table; CSV has them all."""
NOTHING = "\N{EM DASH}"
"""What a side has of which it has nothing."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{generator} {version}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

_STYLE = """\
:root{--page:#fff;--ink:#1b1f24;--soft:#4a525b;--faint:#d4d8dd;--shade:#f2f4f6;--link:#0b4f9e}
@media screen and (prefers-color-scheme:dark){
:root{color-scheme:dark;--page:#14171b;--ink:#eef1f4;--soft:#b4bcc5;--faint:#3d454d;--shade:#262c33;--link:#8cc4ff}}
*{box-sizing:border-box}
body{font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink);
background:var(--page);max-width:76rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.4rem 0 .5rem;border-bottom:2px solid var(--ink);padding-bottom:.2rem}
h2 small{font-size:.9rem;font-weight:400;color:var(--soft)}
h2 .off,.contents .off{font-weight:700;color:var(--ink)}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--link)}
.who{font-size:1.15rem;font-weight:600;margin:0 0 1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:0 0 1.2rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.verdict{border:2px solid var(--ink);padding:.7rem .9rem;font-size:1.1rem;max-width:none}
.verdict.is-off{border-width:4px;font-weight:700}
.contents ol{columns:2;column-gap:2.5rem;padding-left:1.4rem;margin:.4rem 0}
.contents li{break-inside:avoid;margin:.1rem 0}
.scroll{overflow-x:auto;margin:.6rem 0}
.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.875rem;line-height:1.3;font-variant-numeric:tabular-nums lining-nums}
caption{caption-side:top;text-align:left;color:var(--soft);padding:0 0 .4rem}
th,td{padding:.28rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--faint);overflow-wrap:anywhere}
th:first-child,td:first-child{padding-left:.2rem}
thead th{vertical-align:bottom;border-bottom:1.5px solid var(--ink);font-weight:600}
tbody th{font-weight:400}
tfoot th,tfoot td{font-weight:700}
tfoot tr:first-child>*{border-top:1.5px solid var(--ink)}
.n,.d,.k{white-space:nowrap;overflow-wrap:normal}
.n{text-align:right}
thead .n,thead .d,thead .t{white-space:normal;overflow-wrap:normal;min-width:0}
.t{min-width:7rem}
.long{min-width:12rem}
td.off{font-weight:700;outline:1.5px solid var(--ink);outline-offset:-2px}
tr.off th:first-child{font-weight:700}
.accepted td,.accepted th{color:var(--soft)}
.todo{padding-left:1.2rem;margin:.4rem 0}
.todo li{margin:.45rem 0}
code{font:.85em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--shade);padding:.1rem .3rem;
overflow-wrap:anywhere}
.how{color:var(--soft);font-size:.875rem;max-width:60rem}
.signed{display:none}
@media (max-width:40rem){body{padding:1rem .8rem 3rem}h1{font-size:1.35rem}dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.4rem}.contents ol{columns:1}}
@media screen and (max-width:45rem){
table,caption,tbody,tfoot,tr,tbody th,tfoot th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-bottom:1px solid var(--faint);padding:.4rem 0}
td,tbody th,tfoot th,th:first-child,td:first-child{border:0;padding:.1rem .2rem}
tfoot tr:first-child>*{border-top:0}tfoot tr:first-child{border-top:1.5px solid var(--ink)}
tbody th{font-weight:600}
td{display:grid;grid-template-columns:8.5rem 1fr;gap:0 .8rem}td:empty{display:none}
td.n{text-align:left}td::before{content:var(--name);color:var(--soft);font-weight:400}
/*names*/}
@page{size:A4 landscape;margin:13mm 13mm 15mm;@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif}}
@media print{
body{max-width:none;padding:0;font-size:9.5pt}
a{color:inherit;text-decoration:none}
h1{font-size:16pt}h2{font-size:12pt;margin-top:16pt;break-after:avoid}
caption,.about{break-after:avoid}
.scroll{overflow:visible;margin:4pt 0}
table{font-size:8pt}
thead{display:table-header-group;break-after:avoid}tfoot{display:table-row-group}
tr{break-inside:avoid}
th,td{padding:2pt 4pt}
.t{min-width:16mm}.long{min-width:26mm}
.todo li,.verdict,dl,.signed{break-inside:avoid}
.signed{display:flex;gap:12mm;margin:12mm 0 0;max-width:150mm}
.signed span{flex:1;border-top:1px solid var(--ink);padding-top:2mm}
code{background:none;padding:0}
}
"""

_NAMES = "/*names*/"
"""Where the names of the columns go that stand before each cell on a narrow screen."""

_HOW_TO_READ = (
    "Caspen's figures are added up from Caspen's records alone, Xero's from Xero's own answers alone, read anew for this page. "
    "A difference is what Xero has more than Caspen: 0.00 where both are equal. What differs has a frame and the sign "
    "\N{NOT EQUAL TO}."
)


def page_of(session: Session, proof: Proof) -> str:
    """The whole page, in UTF-8 text."""
    organisation = plain(session.connection.tenant_name)
    currency = lone_currency(proof)
    tables = [table for table in proof.tables if table.key != DIFFERENCES]
    parts = [
        "<header>",
        "<h1>Caspen and Xero reconciled</h1>",
        f'<p class="who">{escape(organisation)}</p>',
        _facts(proof, currency),
        f'<p class="verdict{"" if proof.is_equal else " is-off"}">{escape(verdict(proof))}</p>',
        f'<p class="how">{escape(_HOW_TO_READ)}</p>',
        '<p class="signed"><span>Checked by</span><span>Date</span></p>',
        "</header>",
        _contents(proof, tables),
        "<main>",
        *_of_finds(proof, has_currency=currency is None),
        *(piece for table in tables for piece in _section(table, currency)),
        "</main>",
    ]
    title = f"{organisation}, {period(proof)}: Caspen and Xero reconciled"
    style = _STYLE.replace(_NAMES, _names_of_columns(tables, currency))
    page = _PAGE.format(
        generator=GENERATOR, version=__version__, title=escape(title), style=style, body="\n".join(parts)
    )
    return scrubbed(page)


def _facts(proof: Proof, currency: str | None) -> str:
    facts = [
        ("Documents dated", period(proof)),
        ("Debtors as at", str(proof.asked.as_at)),
        ("Read from Xero", when_read(proof)),
        ("Invoices compared", f"{proof.compared:,}"),
        ("Equal to the cent", f"{proof.proved:,}"),
        ("To be in Xero, not there yet", _not_yet(proof)),
        *([("Amounts in", plain(currency))] if currency else []),
        ("Made by", f"caspen-xero {__version__}"),
    ]
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts) + "</dl>"


def _not_yet(proof: Proof) -> str:
    money = counted(proof.money_not_yet, "payment or credit note", "payments or credit notes")
    return f"{proof.not_yet:,}" + (f", and {money}" if proof.money_not_yet else "")


def _contents(proof: Proof, tables: Sequence[Table]) -> str:
    """The table of contents: what each table has, and whether it differs."""
    entries = [("differences", "Differences", f"{len(proof.finds):,}" if proof.finds else "none", bool(proof.finds))]
    entries += [
        (one.key, one.title, counted(len(one.rows), "row") if one.rows else "none", not one.is_equal) for one in tables
    ]
    items = "".join(
        f'<li><a href="#{escape(key)}">{_text(title)}</a> ({count}{", " + _OFF if off and key != "differences" else ""})</li>'
        for key, title, count, off in entries
    )
    return f'<nav class="contents" aria-labelledby="contents"><h2 id="contents">Contents</h2><ol>{items}</ol></nav>'


_OFF = '<span class="off">differs</span>'


# --- what differs


def _of_finds(proof: Proof, *, has_currency: bool) -> Iterator[str]:
    yield '<section aria-labelledby="differences"><h2 id="differences">Differences</h2>'
    if proof.finds:
        yield _finds(proof.finds, "What is not equal, with what either side has.", has_currency=has_currency)
        yield from _todo(proof.finds)
    else:
        yield "<p>None.</p>"
    yield "</section>"


_HEADS = ("Invoice", "Client", "Date", "What", "Caspen", "Xero", "Xero has more", "Currency")


def _finds(finds: Sequence[Find], about: str, *, has_currency: bool) -> str:
    head = "".join(
        f'<th scope="col"{" class=n" if one == "Xero has more" else " class=k"}>{one}</th>'
        for one in (_HEADS if has_currency else _HEADS[:-1])
    )
    shown = in_order(finds)[:MOST_ROWS]
    rows = "".join(_find(one, has_currency=has_currency) for one in shown)
    return _table(about, head, rows) + _not_all(len(finds), len(shown), "differences")


def _find(one: Find, *, has_currency: bool) -> str:
    name = one.number or one.invoice_id or one.xero_id or ""
    what = escape(in_words(one.code)) + (f": {_text(one.subject)}" if one.subject else "")
    if one.accepted:
        what += " <strong>(accepted)</strong>"
    cells = [
        f'<th scope="row"{_kind_of_text(name)}>{_text(name)}</th>',
        f'<td class="t">{_text(one.party)}</td>',
        f'<td class="d">{one.day or ""}</td>',
        f'<td class="long">{what}</td>',
        f'<td class="long">{_text(one.caspen, MOST_WORDS) or NOTHING}</td>',
        f'<td class="long">{_text(one.xero, MOST_WORDS) or NOTHING}</td>',
        f'<td class="n">{_amount(one.amount) if one.amount else ""}</td>',
        *([f"<td>{_text(one.currency)}</td>"] if has_currency else []),
    ]
    return f"<tr{' class=accepted' if one.accepted else ''}>{''.join(cells)}</tr>"


def _todo(finds: Sequence[Find]) -> Iterator[str]:
    """Each fix once, and for which invoices."""
    if todo := what_to_do(finds):
        yield "<h3>What to do</h3>"
        yield '<ul class="todo">'
        for fix, names in todo:
            way = "".join(
                f"<code>{escape(piece)}</code>" if is_command else escape(piece)
                for piece, is_command in in_pieces(one_line(fix))
            )
            yield f"<li>{escape(', '.join(names))}: {way}</li>"
        yield "</ul>"


# --- tables of sums


def _section(table: Table, currency: str | None) -> Iterator[str]:
    """A table under its heading; the columns that say nothing are left out."""
    every = [*table.rows, *table.totals]
    kept = for_people(table.columns, every, currency)
    columns = list(compress(table.columns, kept))
    compares = any(is_difference(column.key) for column in columns)
    state = "" if table.is_equal and not compares else f" <small>{'equal' if table.is_equal else _OFF}</small>"
    key = escape(table.key)
    yield f'<section aria-labelledby="{key}"><h2 id="{key}">{_text(table.title)}{state}</h2>'
    if not every:
        yield f'<p class="about">{_text(table.about, MOST_WORDS)}</p><p>None.</p></section>'
        return
    shown = _shown(table)
    head = "".join(f'<th scope="col"{_kind(column)}>{_text(column.title)}</th>' for column in columns)
    body = "".join(_row(columns, list(compress(row, kept)), off=is_off(table, row)) for row in shown)
    foot = "".join(_row(columns, list(compress(row, kept)), off=is_off(table, row)) for row in table.totals)
    yield _table(table.about, head, body, foot)
    yield _not_all(len(table.rows), len(shown), table.key)
    yield "</section>"


def _names_of_columns(tables: Sequence[Table], currency: str | None) -> str:
    """The style by which each cell of a narrow screen names its column."""
    named = {DIFFERENCES: list(_HEADS)}
    for table in tables:
        kept = for_people(table.columns, [*table.rows, *table.totals], currency)
        named[table.key] = [column.title for column in compress(table.columns, kept)]
    return "".join(
        f'[aria-labelledby="{_in_style(key)}"] td:nth-child({place}){{--name:"{_in_style(title)}"}}\n'
        for key, titles in named.items()
        for place, title in enumerate(titles, 1)
    )


def _in_style(text: str) -> str:
    """Text from outside as a string of a style sheet holds it: nothing in it can end the string."""
    return "".join(char if char.isascii() and char.isalnum() else f"\\{ord(char):x} " for char in plain(text))


def _shown(table: Table) -> Sequence[Sequence[Cell]]:
    """The rows that the page has room for: all that differ, and of the others the first, in their order."""
    if len(table.rows) <= MOST_ROWS:
        return table.rows
    off = [place for place, row in enumerate(table.rows) if is_off(table, row)]
    places = {*off, *range(max(0, MOST_ROWS - len(off)))}
    return [table.rows[place] for place in sorted(places)]


def _not_all(number: int, shown: int, key: str) -> str:
    if shown >= number:
        return ""
    return (
        f"<p><strong>{shown:,} of {number:,} rows are shown, all that differ among them.</strong> "
        f"The CSV file {escape(key)}.csv (--csv DIR) has all of them.</p>"
    )


def _table(about: str, head: str, body: str, foot: str = "") -> str:
    closing, words = f"<tfoot>{foot}</tfoot>" if foot else "", _text(about, MOST_WORDS)
    return (
        f'<div class="scroll" role="region" aria-label="{words}" tabindex="0"><table><caption>{words}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{closing}</table></div>"
    )


def _row(columns: Sequence[Column], row: Sequence[Cell], *, off: bool) -> str:
    cells = [_cell(column, cell, place) for place, (column, cell) in enumerate(zip(columns, row, strict=True))]
    return f"<tr{' class=off' if off else ''}>{''.join(cells)}</tr>"


def _cell(column: Column, cell: Cell, place: int) -> str:
    if place == 0:
        return f'<th scope="row"{_kind_of(column, cell)}>{_shown_cell(cell)}</th>'
    if is_difference(column.key) and isinstance(cell, Decimal | int) and cell:
        return f'<td class="n off">\N{NOT EQUAL TO} {_shown_cell(cell)}</td>'
    return f"<td{_kind_of(column, cell)}>{_shown_cell(cell)}</td>"


def _kind(column: Column) -> str:
    match column.holds:
        case "amount" | "count":
            return " class=n"
        case "date":
            return " class=d"
    return " class=t"


def _kind_of(column: Column, cell: Cell) -> str:
    return _kind_of_text(cell) if isinstance(cell, str) and column.holds == "text" else _kind(column)


def _kind_of_text(text: str) -> str:
    """A number or a code in one word stays on one line."""
    return " class=k" if len(text) <= LONGEST_CODE and " " not in text else " class=t"


def _shown_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return _amount(cell)
    if isinstance(cell, int):
        return f"{cell:,}".replace("-", "\N{MINUS SIGN}")
    return cell.isoformat() if isinstance(cell, date) else _text(cell)


def _amount(amount: Decimal) -> str:
    """An amount with its cents; a minus that is seen on paper."""
    return f"{amount:,.2f}".replace("-", "\N{MINUS SIGN}")


def _text(text: str, most: int = LONGEST_CELL) -> str:
    """Text from outside, in one piece, escaped."""
    return escape(plain(text, most))
