"""The page that the browser shows when it comes back from Xero."""

from __future__ import annotations

from html import escape

from caspen_xero.outside_text import plain

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - caspen-xero</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color:#1c2733}}
h1{{font-size:1.5rem}}p{{color:#44525f}}</style></head>
<body><h1>{title}</h1>{paragraphs}</body></html>
"""


def page(title: str, *paragraphs: str) -> str:
    """A plain page; every text is escaped, as names of organisations come from outside."""
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return _PAGE.format(title=escape(title), paragraphs=body)


def linked_page(organisation: str) -> str:
    """Told when all went well."""
    return page(
        f"Linked to {plain(organisation)}",
        f"caspen-xero now works with {plain(organisation)} in Xero.",
        "You can close this tab.",
    )


def failed_page(message: str, fix: str = "") -> str:
    """Told when it did not."""
    return page("Not linked", message, fix, "You can close this tab and go back to the terminal.")


def received_page() -> str:
    """Told when the answer arrived but the terminal still has a question."""
    return page("Signed in", "Xero let caspen-xero in. Go back to the terminal: it has a question for you.")


def stray_page() -> str:
    """Told to what is not the answer to this sign-in."""
    return page(
        "Not this sign-in",
        "This is not the answer that the terminal is waiting for: perhaps it belongs to another sign-in.",
        "Close this tab, and use the address that the terminal shows now.",
    )
