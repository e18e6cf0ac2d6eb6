"""The sandbox's pages in HTML: text is escaped unless it is `Markup`, and every page says that this is not Xero."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b2733; --quiet: #55616d; --line: #b4bdc6; --shade: #eef1f4;
  --accent: #0b5f86; --on-accent: #fff; --control: #6b7782; --notice: #ffe9a8; --on-notice: #4a3800; }
@media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #eef2f6; --quiet: #b0bac4; --line: #46505a;
  --shade: #262d35; --accent: #7cc7ea; --on-accent: #10212b; --control: #8b96a1; --notice: #4a3d10; --on-notice: #ffedb3; } }
* { box-sizing: border-box; }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main, nav { margin: 0 auto; max-width: 72rem; padding: 0 1.5rem; } main { padding-bottom: 4rem; }
.notice { background: var(--notice); color: var(--on-notice); margin: 0 0 1rem; padding: .5rem 1.5rem; }
.notice p { margin: 0 auto; max-width: 69rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; margin: 0; padding: 0; }
nav a { display: inline-block; padding: .25rem 0; } a { color: var(--accent); overflow-wrap: anywhere; }
h1, p { overflow-wrap: anywhere; } h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; } td.word { overflow-wrap: normal; white-space: nowrap; }
td.amount, th.amount { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
button, select { background: var(--page); border: 1px solid var(--control); border-radius: .25rem; color: var(--ink);
  font: inherit; min-height: 2rem; padding: .25rem .9rem; } button { white-space: nowrap; }
select { max-width: 100%; width: 100%; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
pre { background: var(--shade); overflow-wrap: anywhere; padding: .6rem; white-space: pre-wrap; }
.card { border: 1px solid var(--line); border-radius: .5rem; margin: 3rem auto; max-width: 30rem; padding: 1rem 2rem; }
.card.failed { border: 2px dashed var(--ink); } .next { font-weight: 600; }
.quiet { color: var(--quiet); } form.inline { display: inline; }
@media (max-width: 45rem) {
  main, nav, .notice { padding-left: 1rem; padding-right: 1rem; }
  .card { margin: 1rem 0; padding: .5rem 1rem 1rem; } .card button { min-height: 2.75rem; }
  table, tbody, tr, td { display: block; } td { border: 0; padding: .1rem 0; }
  thead { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td[data-name] { display: grid; gap: 0 1rem; grid-template-columns: 8.5rem 1fr; }
  td[data-name]::before { color: var(--quiet); content: attr(data-name); }
  td.amount { text-align: left; } td:empty { display: none; }
}
"""


class Markup(str):
    """HTML made here, not to be escaped again."""

    __slots__ = ()


class Amount(str):
    """A figure: stands to the right in a table."""

    __slots__ = ()


def text(value: object) -> str:
    """Anything as HTML text; nothing shows as an empty string."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else escape(str(value))


def page(title: str, *body: str, menu: str = "") -> str:
    """A whole page around parts that are HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - local sandbox</title>"
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>'
        '<header class="notice"><p><strong>Local sandbox, not Xero.</strong> A stand-in on this computer, for trying and '
        f"testing; nothing here reaches Xero.</p></header>{menu}<main>{''.join(body)}</main></body></html>"
    )


def link(target: str, label: object) -> Markup:
    """A link; the target is a path of ours."""
    return Markup(f'<a href="{escape(target)}">{text(label)}</a>')


def button(target: str, label: str, *, main: bool = False) -> Markup:
    """A form of one button that posts to a path of ours."""
    look = ' class="main"' if main else ""
    return Markup(
        f'<form class="inline" method="post" action="{escape(target)}"><button{look}>{text(label)}</button></form>'
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "None yet.") -> Markup:
    """A table; figures (`Amount`) stand to the right. On a narrow screen each row is a list of names and cells."""
    body = [list(row) for row in rows]
    if not body:
        return Markup(f'<p class="quiet">{text(empty)}</p>')
    head = "".join(
        f'<th scope="col"{_class(cell)}>{text(name)}</th>' if name else "<td></td>"
        for name, cell in zip(columns, body[0], strict=True)
    )
    lines = ("".join(map(_cell, columns, row)) for row in body)
    return Markup(
        f"<table><thead><tr>{head}</tr></thead><tbody>"
        + "".join(f"<tr>{line}</tr>" for line in lines)
        + "</tbody></table>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Names and values, those without a value left out."""
    shown = ((name, value) for name, value in pairs if value not in (None, ""))
    return Markup("<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in shown) + "</dl>")


def _cell(name: str, cell: object) -> str:
    label = f' data-name="{escape(name)}"' if name and text(cell) else ""
    return f"<td{_class(cell)}{label}>{text(cell)}</td>"


_WORD = re.compile(r"[\w.:+-]{1,20}(?: [\d:]{5,8})?")
"""A date, a time, a state or a code: in one piece."""


def _class(cell: object) -> str:
    if isinstance(cell, Amount):
        return ' class="amount"'
    return ' class="word"' if isinstance(cell, str) and _WORD.fullmatch(cell) else ""
