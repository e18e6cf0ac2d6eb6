"""What is noted of each request, for who looks for what is slow or fails: nothing that is a secret, a name or a person's number.

No body, no header but how many calls are left, no host; of a path only words that we know and ids of Xero's; of a query the names,
and the values of those that only say how a list is cut.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import httpx

log = logging.getLogger(__name__)

HIDDEN = "*"
_WORDS = frozenset(
    {
        "api.xro",
        "accounts",
        "allocations",
        "batchpayments",
        "contacts",
        "creditnotes",
        "currencies",
        "history",
        "invoices",
    }
    | {"organisation", "overpayments", "payments", "prepayments", "taxrates", "2.0"}  # of Xero's API
    | {"connect", "connections", "identity", "revocation", "token"}  # of its sign-in
    | {"clients", "credit-notes", "payment-methods", "tax-rates", "v1"}  # of Caspen's
)
"""All words of our paths."""
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OF_LISTS = frozenset(
    ["includearchived", "limit", "page", "pagesize", "summarizeerrors", "summaryonly", "unitdp", "updated_since"]
)
_VALUE = re.compile(r"\d{1,6}|true|false|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.IGNORECASE | re.ASCII)
_LEFT = (("X-MinLimit-Remaining", "this minute"), ("X-DayLimit-Remaining", "today"))
_LONGEST = 200


def address_noted(url: str) -> str:
    """Path and query of an address as they may be noted."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return HIDDEN
    path = "/".join(one if one.lower() in _WORDS or _ID.fullmatch(one) else HIDDEN for one in parts.path.split("/")[1:])
    given = [
        f"{name if name.isascii() and name.isidentifier() else HIDDEN}={_value(name, value)}" for name, value in query
    ]
    return f"/{path}{'?' if given else ''}{'&'.join(given)}"[:_LONGEST]


def _value(name: str, value: str) -> str:
    return value if name.lower() in _OF_LISTS and _VALUE.fullmatch(value) else HIDDEN


@contextmanager
def noted(method: str, url: str) -> Iterator[Callable[[httpx.Response], None]]:
    """Notes a request once it is over; the function given is told its answer. What is raised instead is noted by its kind."""
    if not log.isEnabledFor(logging.DEBUG):
        yield lambda response: None
        return
    began, came = time.monotonic(), list[httpx.Response]()
    ended = "broken off"
    try:
        yield came.append
        ended = f"HTTP {came[0].status_code}" if came else ended
    except Exception as error:
        ended = f"no whole answer ({type(error).__name__})"
        raise
    finally:
        milliseconds = round((time.monotonic() - began) * 1000)
        log.debug("%s %s: %s in %d ms%s", method, address_noted(url), ended, milliseconds, _left(came))


def _left(came: list[httpx.Response]) -> str:
    told = [(came[0].headers.get(name, "").strip(), when) for name, when in _LEFT] if came else []
    known = [f"{number} {when}" for number, when in told if number.isascii() and number.isdigit() and len(number) < 10]
    return f"; calls left: {', '.join(known)}" if known else ""
