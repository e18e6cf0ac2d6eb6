"""What an endpoint is made of: the fields it reads, who writes, and how it shows a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import Fields
from caspen_xero.sandbox.books.ledger import Body
from caspen_xero.sandbox.books.left_out import as_answered

Writer = Callable[[Desk, dict[str, Any]], tuple[Body, list[str]]]
"""Takes one element, gives the stored document and warnings; raises Refusal."""

WHOLE = ("full", "created")
"""The views of one document: with its contact in full and its lines checked."""


def singular_of(plural: str) -> str:
    """`Invoice` for `Invoices`, `Currency` for `Currencies`."""
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural[:-1]


@dataclass(frozen=True)
class Resource:
    """One endpoint, named in the plural. A `put` or `post` of None answers 501.

    `show` gives a document in one of the views `full`, `page`, `list`, `summary` and `created`; `flag` is what this
    endpoint calls the mark of a refused element, if it has one.
    """

    kind: str
    id: str
    fields: Fields
    show: Callable[[Desk, Body, str], Body]
    put: Writer | None = None
    post: Writer | None = None
    flag: str = ""
    show_refused: Callable[[Body], Body] = lambda sent: sent  # a refused element, from what was sent
    paged: bool = True
    changes: bool = True  # whether lists listen to If-Modified-Since
    order: str = "updated, id"  # of a list, unless asked otherwise
    single: bool = False  # settings: one element per request, and no summarizeErrors

    @property
    def singular(self) -> str:
        """What one of them is called."""
        return singular_of(self.kind)

    def answer(self, desk: Desk, document: Body, view: str) -> Body:
        """What `show` gives, as an answer holds it: with the keys that say nothing or without them, as the switch says."""
        shown = self.show(desk, document, view)
        return shown if desk.ledger.ways.absent_keys == "shown" else as_answered(shown, view)
