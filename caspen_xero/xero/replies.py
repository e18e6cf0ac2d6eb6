"""What an answer of Xero's API means: fine, or which error. Bodies may be JSON in any letter case, HTML, text or empty."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.xero.elements import messages_of
from caspen_xero.xero.errors import CONNECT_AGAIN, ConnectNeeded, MissingScope, NoAnswer, NotFound, Refused, XeroError
from caspen_xero.xero.transport import Answer

# Xero spells the word in two ways.
_SCOPE_WORD = re.compile(r"insuffici?ent[_ ]?scope", re.IGNORECASE)
_LONGEST_TEXT = 300


def accepted(answer: Answer, path: str, organisation: str) -> Answer:
    """The answer, where Xero did what was asked (2xx, or 304: nothing changed); raises the error that it is otherwise."""
    if 200 <= answer.status < 300 or answer.status == 304:
        return answer
    raise _error(answer, path, organisation).answered_as(answer.headers.get("Xero-Correlation-Id", ""))


def _error(answer: Answer, path: str, organisation: str) -> XeroError:
    status = answer.status
    if lacks_scope(answer):
        return MissingScope(path.split("/")[0])
    if status == 401:
        return ConnectNeeded(
            "sign-in-expired", f"Xero no longer accepts the sign-in for {plain(organisation)}.", CONNECT_AGAIN
        )
    if status == 403 and "authenticationunsuccessful" in _squeezed(answer):
        return ConnectNeeded(
            "organisation-unavailable",
            f"Xero no longer gives access to {plain(organisation)}: it was disconnected there, your role in it changed, it is "
            "no longer active, or it is a demo company that was reset.",
            f"{CONNECT_AGAIN}; for a demo company that was reset, first: caspen-xero disconnect",
        )
    if status == 404 and "/" in path:
        return NotFound(path)
    if status == 404:  # a list is always there: so says what stands in front of Xero's books, not they
        return NoAnswer(f"HTTP 404 for all of {plain(path)}{_said(answer)}", status=status)
    if status >= 500 or status == 408 or status < 400:
        return NoAnswer(f"HTTP {status}{_said(answer)}", status=status)
    return refusal(answer)


def lacks_scope(answer: Answer) -> bool:
    """Whether a 401 or 403 is about a missing scope: then a new token would be refused just the same."""
    if answer.status not in {401, 403}:
        return False
    told = answer.headers.get("WWW-Authenticate", "") + " " + answer.body.decode("utf-8", "replace")
    return _SCOPE_WORD.search(told) is not None


def refusal(answer: Answer) -> Refused:
    """A 4xx in Xero's own words."""
    fields = lower_keys(answer)
    told_of = fields.get("elements")
    elements = [element for element in told_of if isinstance(element, dict)] if isinstance(told_of, list) else []
    messages = messages_of(elements)
    if not messages:
        told = [fields.get(name) for name in ("message", "detail", "title")]
        messages = [plain(text, MOST_WORDS) for text in told if isinstance(text, str) and text.strip()][:1]
    if not messages and not fields:
        messages = [text] if (text := readable_text(answer)) else []
    number = fields.get("errornumber")
    return Refused(
        answer.status,
        messages,
        error_number=number if isinstance(number, int) else None,
        type=plain(kind if isinstance(kind := fields.get("type"), str) else ""),
        elements=elements,
    )


def lower_keys(answer: Answer) -> dict[str, Any]:
    """The outermost JSON object with its keys in lower case, as Xero varies theirs; {} for any other body."""
    try:
        document = answer.json()
    except NoAnswer:
        return {}
    return {str(key).lower(): value for key, value in document.items()} if isinstance(document, Mapping) else {}


def readable_text(answer: Answer) -> str:
    """A body that is no JSON as one short line: of an HTML page its text without tags."""
    text = answer.body[:20_000].decode("utf-8", "replace")
    if "<" in text:
        text = html.unescape(re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.I))
    return plain(text, _LONGEST_TEXT)


def _said(answer: Answer) -> str:
    fields = lower_keys(answer)
    told = next(
        (text for name in ("message", "detail", "title") if isinstance(text := fields.get(name), str) and text), ""
    )
    text = told or ("" if fields else readable_text(answer))
    return f", {plain(text, MOST_WORDS)}" if text else ""


def _squeezed(answer: Answer) -> str:
    return re.sub(r"\s", "", answer.body.decode("utf-8", "replace")).lower()
