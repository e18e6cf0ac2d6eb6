"""The sandbox's pages in HTML: text is escaped unless it is `Markup`, and every page says that this is not Xero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #888; --accent: #0b6e99; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 0 1.5rem 4rem; }
.notice { background: #ffe9a8; color: #4a3800; margin: 0 -1.5rem 1.5rem; padding: .5rem 1.5rem; }
nav a { margin-right: 1.2rem; } a { color: var(--accent); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; }
td.amount, th.amount { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; }
dt { color: var(--quiet); } dd { margin: 0; }
button, select { font: inherit; padding: .3rem .9rem; }
button.main { background: var(--accent); border: 0; color: #fff; }
pre { border: 1px solid var(--line); overflow-x: auto; padding: .6rem; white-space: pre-wrap; word-break: break-word; }
.card { border: 1px solid var(--line); margin: 3rem auto; max-width: 30rem; padding: 1rem 2rem; }
.quiet { color: var(--quiet); } form.inline { display: inline; }
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
        '<p class="notice"><strong>Local sandbox, not Xero.</strong> A stand-in on this computer, for trying and '
        f"testing; nothing here reaches Xero.</p>{menu}{''.join(body)}</body></html>"
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
    """A table; figures (`Amount`) stand to the right."""
    body = [list(row) for row in rows]
    if not body:
        return Markup(f'<p class="quiet">{text(empty)}</p>')
    amounts = [isinstance(cell, Amount) for cell in body[0]]
    head = "".join(f"<th{_class(right)}>{text(name)}</th>" for name, right in zip(columns, amounts, strict=True))
    lines = ("".join(f"<td{_class(isinstance(cell, Amount))}>{text(cell)}</td>" for cell in row) for row in body)
    return Markup(
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>'
        + "".join(f"<tr>{line}</tr>" for line in lines)
        + "</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Names and values, those without a value left out."""
    shown = ((name, value) for name, value in pairs if value not in (None, ""))
    return Markup("<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in shown) + "</dl>")


def _class(right: bool) -> str:
    return ' class="amount"' if right else ""
