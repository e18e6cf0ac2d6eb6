"""Ids and numbers from whose beginning a spreadsheet took the zeros: seen where others of the same kind still have theirs.

Of one file alone in which all have lost them nothing can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from caspen_xero.outside_text import plain, said

from .feed import BadRecord, FeedError, RawRecord

_REFERS_TO = {
    "client_id": "client",
    "invoice_to_id": "contact",
    "method_id": "payment_method",
    "tax_rate_id": "tax_rate",
    "invoice_id": "invoice",
    "payment_id": "payment",
    "credit_note_id": "credit_note",
}
_FIX = (
    "Export it again, and don't save it from a spreadsheet; or have a columns file put the zeros back: [file.digits]. "
    "Nothing was imported"
)


class LostZeros:
    """Of all ids of an import, kind by kind: the longest that begins with a zero, and the shortest that does not."""

    def __init__(self) -> None:
        self._padded: dict[str, tuple[str, str]] = {}
        self._short: dict[str, tuple[str, str]] = {}

    def look_at(self, item: RawRecord | BadRecord, file: str, *, is_sheet: bool) -> None:
        """Raises `FeedError` `cell-damaged` where an id of a spreadsheet lacks the zeros that others of its kind have."""
        for kind, text, where in _ids_in(item):
            if not (isinstance(text, str) and text.isascii() and text.isdigit()):
                continue
            known = self._padded if text.startswith("0") and text != "0" else self._short
            is_better = kind not in known or (len(text) > len(known[kind][0])) == (known is self._padded)
            if is_better and (is_sheet or known is self._padded):
                known[kind] = (text, f"{plain(file)}, {where}")
                self._compare(kind)

    def _compare(self, kind: str) -> None:
        (padded, there), (short, here) = (known.get(kind, ("", "")) for known in (self._padded, self._short))
        if short and len(short) < len(padded):
            words = f"{here}: {said(short, 60)} has fewer digits than {said(padded, 60)} ({there}), so a spreadsheet may have"
            raise FeedError("cell-damaged", f"{words} taken the zeros from its beginning", _FIX)


def _ids_in(item: RawRecord | BadRecord) -> Iterator[tuple[str, object, str]]:
    """The ids that a record has, and those that it refers to: of which kind each is, and where it stands."""
    if isinstance(item, BadRecord):
        if item.owner is not None and item.field in _REFERS_TO:
            yield f"{_REFERS_TO[item.field]}.id", item.owner, item.where
        return
    if not isinstance(item.data, dict):
        return
    kind, data = str(item.data.get("object")), item.data
    for name in ("id", "number"):
        yield f"{kind}.{name}", data.get(name), item.places.get(name) or item.where
    yield from _references(data, "", item)
    for inside in ("lines", "allocations"):
        parts = data.get(inside)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                yield from _references(part, f"{inside}[{number}].", item)


def _references(data: Mapping[str, Any], before: str, item: RawRecord) -> Iterator[tuple[str, object, str]]:
    for name, kind in _REFERS_TO.items():
        if name in data:
            yield f"{kind}.id", data[name], item.places.get(before + name) or item.where
