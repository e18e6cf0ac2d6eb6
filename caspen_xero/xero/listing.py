"""The end of a reading over pages: a list that would have none is no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caspen_xero.xero.answers import items_of, pages_of, text_in
from caspen_xero.xero.errors import NoAnswer

MOST_PAGES = 5_000
"""Pages of one reading. Xero allows no more calls a day to one organisation (its limits page)."""


class Listing:
    """One reading of a list, page by page, as Xero answers it. `what` names the list, rows are known by `id_name`.

    Other people change documents meanwhile, and those come again: so twice as many rows as were counted at first may come, and a
    page more, but no page twice in one turning of the pages.
    """

    def __init__(self, what: str, id_name: str, page_size: int) -> None:
        self._what, self._id_name, self._page_size = what, id_name, page_size
        self._pages = self._news = 0
        self._counted: int | None = None
        self._turned: set[tuple[str, str]] = set()

    def came(self, page: int, document: Mapping[str, Any], rows: Sequence[object], news: int) -> None:
        """Takes note of a page, of which `news` rows had not come before. Raises `NoAnswer` where that can't lead to an end."""
        self._pages, self._news = self._pages + 1, self._news + news
        if self._counted is None:
            self._counted = _counted(document, self._page_size)
        if page == 1:
            self._turned.clear()
        keys = {self.key(row) for row in rows}
        if page > 1 and keys and keys <= self._turned:
            raise NoAnswer(f"its list of {self._what} shows the same page twice, as page {page}")
        self._turned |= keys
        if self._counted is not None and self._news > 2 * self._counted + self._page_size:
            raise NoAnswer(f"its list of {self._what} goes on beyond the {self._counted} that it counted")
        if self._pages > MOST_PAGES:
            raise NoAnswer(f"its list of {self._what} goes on after {MOST_PAGES:,} pages")

    def key(self, row: object) -> tuple[str, str]:
        """By what a row is known to have come before: its id, and when it was changed; one without is like any other without."""
        return text_in(row, self._id_name) or "", text_in(row, "UpdatedDateUTC") or ""


def _counted(document: Mapping[str, Any], page_size: int) -> int | None:
    """How many rows a list has, by its own count; None where it says nothing of it."""
    items, pages = items_of(document), pages_of(document)
    return items if items is not None else pages * page_size if pages is not None else None
