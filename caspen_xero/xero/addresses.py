"""What may go into an address of Xero's: names and ids only, no query string that is too long, and lists cut so that they fit.

This is the one place where addresses are made: what is measured here is, byte for byte, what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlencode

from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.xero.errors import NotAnAddress

Params = Mapping[str, str | int]

LONGEST_QUERY = 2_048
"""Bytes of a query string, encoded, without its `?`. Above that Xero's gateway answers 404, as if nothing were there.

Source: XeroAPI/Xero-Java#328, Xero-NetStandard#413, Xero-Net#280 and #389: lists of 52 or 55 ids pass, of 53 or 56 fail, which is
between 2,038 and 2,068 bytes. 2,048 is the usual limit of the web server that answers; UNCONFIRMED to the byte.
"""

MOST_VALUES = 40
"""Values in one list, however short: Xero's advice for ids."""

_ID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_PATH = re.compile(rf"(?:[A-Za-z]+|{_ID})(?:/(?:[A-Za-z]+|{_ID}))*")
_ROOM = 100  # bytes for page, pageSize, unitdp and whatever else goes along with a filter


def subject(path: str) -> str:
    """What a path is about, as people call it: `tax rates`, `allocations`; nobody's name or id is in it."""
    parts = path.split("/")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", parts[2] if len(parts) == 3 else parts[0]).lower()


def is_id(text: str) -> bool:
    """Whether a text has the form of a Xero id (a GUID, in any letter case)."""
    return re.fullmatch(_ID, text) is not None


def ids_in(text: str) -> list[str]:
    """The Xero ids in a text, such as the address of a page in Xero, in order."""
    return re.findall(_ID, text)


def below(base: str, path: str, params: Params | None = None) -> str:
    """The address of a path below a base that ends in a slash.

    The path is made of resource names and ids, so nothing leads out of the base (`..`) with the token. Raises `NotAnAddress`,
    also where the query string is too long: its 404 would read as "not there".
    """
    if not _PATH.fullmatch(path):
        raise NotAnAddress(f"{said(path, MOST)} is no path of Xero's")
    if not _fits(params or {}):
        raise NotAnAddress(f"the query string for {plain(path)} has more than {LONGEST_QUERY} bytes")
    return with_query(base + path, params)


def with_query(url: str, params: Params | None) -> str:
    """A URL with these parameters, encoded."""
    return f"{url}?{urlencode(params)}" if params else url


def in_calls(values: Iterable[str], params: Callable[[Sequence[str]], Params], most: int = MOST_VALUES) -> list[Params]:
    """The parameters of the fewest calls that ask for all of these values, in order, each value once; none for no values.

    `params` gives the whole parameters of a call from some of the values, so that all of them count. Raises `NotAnAddress` for a
    value that is too long by itself: it is not left out, for what was never asked for must not be taken for what is not there
    and written once more. What we write can always be looked up, see `can_be_named`.
    """
    lists: list[list[str]] = []
    for value in dict.fromkeys(values):
        if lists and len(lists[-1]) < most and _fits(params([*lists[-1], value])):
            lists[-1].append(value)
        elif _fits(params([value])):
            lists.append([value])
        else:
            raise NotAnAddress(f"{said(value[:40], MOST)}... is too long to be looked up")
    return [params(some) for some in lists]


def named(field: str, text: str) -> str:
    """A filter (`where`) for a text: quotation marks in it are doubled."""
    doubled = text.replace('"', '""')
    return f'{field}=="{doubled}"'


def can_be_named(field: str, text: str) -> bool:
    """Whether a filter can name a text: Xero takes no backslash in one, and a long text finds no room in an address.

    A document whose number can't be looked up must not be written: after a lost answer nobody could tell whether it is there,
    and it would be written twice.
    """
    return "\\" not in text and len(urlencode({"where": named(field, text)})) <= LONGEST_QUERY - _ROOM


def _fits(params: Params) -> bool:
    return len(urlencode(params)) <= LONGEST_QUERY
