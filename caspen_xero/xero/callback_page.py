"""The pages that the browser shows when it comes back from Xero: how it ended, and what comes next.

Success and failure differ in their sign, their frame and their words, not in colour alone.
"""

from __future__ import annotations

from html import escape

from caspen_xero.commands import in_pieces
from caspen_xero.outside_text import plain

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - caspen-xero</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{{color-scheme:light dark;--page:#fff;--ink:#1b2733;--soft:#45525e;--shade:#eef1f4;--good:#17663a;--bad:#a3211d;--mark:#fff}}
@media (prefers-color-scheme:dark){{:root{{--page:#14181d;--ink:#eef2f6;--soft:#b9c3cd;--shade:#262d35;--good:#6fd39b;
--bad:#ff9d94;--mark:#14181d}}}}
*{{box-sizing:border-box}}
body{{font:1.1rem/1.5 system-ui,sans-serif;margin:0;background:var(--page);color:var(--ink)}}
main{{max-width:36rem;margin:12vh auto 2rem;padding:1.25rem 1.5rem;border:2px solid var(--kind);border-radius:.5rem}}
.good{{--kind:var(--good)}}.bad{{--kind:var(--bad);border-style:dashed}}.open{{--kind:var(--soft)}}
svg{{display:block;width:3rem;height:3rem;fill:var(--kind);stroke:var(--mark);stroke-width:3;stroke-linecap:round;
stroke-linejoin:round}}
h1{{font-size:1.5rem;line-height:1.25;margin:.75rem 0 .5rem}}
p{{margin:.5rem 0;color:var(--soft)}}.next{{color:var(--ink)}}h1,p{{overflow-wrap:anywhere}}
code{{font:.9em/1.5 ui-monospace,Menlo,Consolas,monospace;background:var(--shade);padding:.1rem .35rem;border-radius:.2rem}}
@media (max-width:38rem){{main{{margin:1rem}}}}
</style></head>
<body><main class="{kind}">{sign}
<h1>{title}</h1>
{paragraphs}</main></body></html>
"""

_SIGN = '<svg viewBox="0 0 32 32" aria-hidden="true">{shape}</svg>'
_SIGNS = {
    "good": _SIGN.format(shape='<circle cx="16" cy="16" r="15" stroke="none"/><path fill="none" d="m9 17 5 5 9-11"/>'),
    "bad": _SIGN.format(
        shape='<path stroke="none" d="M10 1h12l9 9v12l-9 9H10l-9-9V10z"/><path d="m11 11 10 10m0-10-10 10"/>'
    ),
    "open": _SIGN.format(
        shape='<circle cx="16" cy="16" r="15" stroke="none"/><path d="M9 16h0m7 0h0m7 0h0" stroke-width="4"/>'
    ),
}


def page(kind: str, title: str, *paragraphs: str, then: str, last: str = "") -> str:
    """A plain page; every text is escaped, as names of organisations come from outside. `then`: what comes next."""
    parts = [f"<p>{_text(text)}</p>" for text in paragraphs if text]
    parts.append(f'<p class="next"><strong>Next:</strong> {_text(then)}</p>')
    parts += [f"<p>{_text(last)}</p>"] if last else []
    return _PAGE.format(kind=kind, sign=_SIGNS[kind], title=escape(title), paragraphs="\n".join(parts))


def linked_page(organisation: str) -> str:
    """Told when all went well."""
    return page(
        "good",
        f"Linked to {plain(organisation)}",
        f"caspen-xero now works with {plain(organisation)} in Xero.",
        then="you can close this tab and go back to the terminal, which says how to go on.",
    )


def failed_page(message: str, fix: str = "") -> str:
    """Told when it did not."""
    close = "you can close this tab and go back to the terminal"
    if not fix:
        return page("bad", "Not linked", message, then=f"{close}.")
    return page("bad", "Not linked", message, then=fix, last=f"{close.capitalize()}, which says the same.")


def received_page() -> str:
    """Told when the answer arrived but the terminal still has a question."""
    return page(
        "open", "Signed in", "Xero let caspen-xero in.", then="go back to the terminal: it has a question for you."
    )


def stray_page() -> str:
    """Told to what is not the answer to this sign-in."""
    return page(
        "bad",
        "Not this sign-in",
        "This is not the answer that the terminal is waiting for: perhaps it belongs to another sign-in, or was used before.",
        then="close this tab, and use the address that the terminal shows now.",
    )


def _text(text: str) -> str:
    """Escaped, with every command of ours in the type of a terminal."""
    return "".join(
        f"<code>{escape(piece)}</code>" if is_command else escape(piece) for piece, is_command in in_pieces(text)
    )
