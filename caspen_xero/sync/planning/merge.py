"""An update that keeps what a bookkeeper decided: what we wrote, what stands in Xero now, and what Caspen says now. Pure.

What only Caspen has changed is sent. What only Xero has, and moves no money, stays, and its line keeps its LineItemID (a line sent
without it is made anew: xeroizer#480). What both have changed, and what of a line can't be told apart, is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.sync.planning.compare import (
    FIGURES,
    NEVER_EMPTY,
    Shape,
    differences,
    heading_of,
    in_words,
    invoice_shape,
    line_shape,
    lines_of,
    sent_shape,
    text_of,
)
from caspen_xero.sync.planning.translate import Document
from caspen_xero.xero.documents import Invoice, Line

Differences = list[tuple[str, str, str]]
"""What differs: its name, Caspen's text, Xero's text."""

WrittenLines = Sequence[tuple[str, str]]
"""The lines of an invoice as they were written, in their order: Caspen's line id, Xero's LineItemID."""

_KEEPS_HEADING = {"reference": "Reference", "due date": "DueDate"}
_NEVER_CASPENS = ("account",)
_TEXTS = ("description", *_NEVER_CASPENS)
NO_MONEY = frozenset({"number", "reference", "due date", "description", "account"})
"""What may change on an invoice that has payments (Xero's Invoices page)."""


@dataclass(frozen=True)
class Base:
    """What we last wrote: its shape (None: not known), and its lines (None: an earlier version wrote them)."""

    shape: Mapping[str, str] | None
    lines: WrittenLines | None


@dataclass(frozen=True)
class Known:
    """What is known of the organisation: what each of its tax types taxes, and the AccountIDs that take no lines any more."""

    percentages: Mapping[str, Decimal]
    archived: frozenset[str] = frozenset()


@dataclass
class Merged:
    """An update: its body, the parts of it that would change in Xero, and what keeps it from being sent.

    `kept`: what was edited in Xero and stays; `against`: what only a person can decide; `left`: what is not written over, and
    differs. `own`: what it would show if nothing had been edited there, and `line_ids`: what tells its lines apart in Caspen, both
    in the order in which they are sent.
    """

    body: dict[str, Any]
    own: Shape = field(default_factory=dict)
    line_ids: tuple[str, ...] = ()
    changes: set[str] = field(default_factory=set)
    kept: Differences = field(default_factory=list)
    against: Differences = field(default_factory=list)
    left: Differences = field(default_factory=list)


def merge(document: Document, seen: Invoice, base: Base, known: Known, *, overwrite: bool = False) -> Merged:
    """The update of an invoice that shows `seen` to what Caspen's document says.

    No total depends on which of two tax types that tax alike it is. `overwrite`: Caspen's version is wanted, whatever was edited
    there.
    """
    merged = Merged(dict(document.body))
    ours, shown = sent_shape(document.body, document.total, document.tax), invoice_shape(seen)
    written = opened(base.shape, ours, shown) if base.shape else shown
    _merge_heading(merged, heading_of(ours), heading_of(shown), heading_of(written), overwrite=overwrite)
    if (seen.amount_paid or seen.credited) and not overwrite:
        _leave_contact(merged, seen, heading_of(written).get("contact"))
    lines = _Lines(document, seen, Base(written, base.lines), known, overwrite=overwrite)
    order = lines.merge_into(merged)
    if merged.changes and not overwrite:
        merged.against += lines.archived
    if not overwrite and not lines.money_moved:
        merged.against += _moved_figures(ours, shown, written)
    bodies = document.body["LineItems"]
    in_order = {**document.body, "LineItems": [bodies[place] for place in order]}
    merged.own = sent_shape(in_order, document.total, document.tax)
    merged.line_ids = tuple(document.line_ids[place] for place in order) if document.line_ids else ()
    return merged


def written_lines(line_ids: Sequence[str], body: Mapping[str, Any], found: Invoice) -> WrittenLines | None:
    """Which LineItemID each line of Caspen's has by now; None where the answer does not tell."""
    sent, shown = body.get("LineItems", ()), [line.line_item_id or "" for line in found.line_items]
    if not len(line_ids) == len(sent) == len(shown) or not all(shown):
        return None
    known = {line["LineItemID"] for line in sent if "LineItemID" in line}
    new = iter([id_ for id_ in shown if id_ not in known])
    ids = [line["LineItemID"] if line.get("LineItemID") in shown else next(new, "") for line in sent]
    return list(zip(line_ids, ids, strict=True)) if all(ids) and len(set(ids)) == len(ids) else None


def _merge_heading(merged: Merged, ours: Shape, shown: Shape, written: Shape, *, overwrite: bool) -> None:
    for name in {**ours, **shown}:
        own, theirs, before = ours.get(name, ""), shown.get(name, ""), written.get(name, "")
        if own == theirs or (name in NEVER_EMPTY and not theirs):  # an answer may lack it
            continue
        is_asked_for = name == "due date" and not theirs and own == before  # no document is approved without
        if overwrite or theirs == before or is_asked_for:
            merged.changes.add(name)
        elif own == before and name in _KEEPS_HEADING:
            merged.kept.append((name, own, theirs))
            merged.body[_KEEPS_HEADING[name]] = theirs
        else:
            merged.against.append((name, own, theirs))


def _leave_contact(merged: Merged, seen: Invoice, written: str | None) -> None:
    """The contact of an invoice with payments, where Caspen still says what was written: whoever it was moved to in Xero stays."""
    theirs = seen.contact.contact_id if seen.contact else None
    if theirs and written and merged.body["Contact"]["ContactID"] == written != theirs:
        merged.body["Contact"] = {"ContactID": theirs}
        merged.changes.discard("contact")
        merged.left = [one for one in merged.against if one[0] == "contact"]
        merged.against = [one for one in merged.against if one[0] != "contact"]


def _moved_figures(ours: Shape, shown: Shape, written: Mapping[str, str]) -> Differences:
    """Total and tax where Xero's are no longer those that it had, though nothing else tells why: a tax amount was edited there."""
    return [
        (name, ours[name], shown[name])
        for name in FIGURES
        if name in shown and name in written and written[name] != shown[name] != ours[name]
    ]


class _Lines:
    """The lines of an update: Caspen's, each beside the one that it was written as and the one that Xero shows.

    `money_moved`: some of them were edited in Xero in what their figures are made of. `archived`: those that keep an account of the
    bookkeeper's that is archived by now, so that Xero would refuse them.
    """

    def __init__(
        self,
        document: Document,
        seen: Invoice,
        base: Base,
        known: Known,
        *,
        overwrite: bool,
    ) -> None:
        self.percentages, self.overwrite = known.percentages, overwrite
        self.no_longer_taken, self.archived = known.archived, list[tuple[str, str, str]]()
        self.has_tax = seen.line_amount_types != "NoTax"
        self.seen = seen.line_items
        self.bodies = document.body["LineItems"]
        self.taxes = document.line_taxes
        self.money_moved = False
        self.ours = lines_of(sent_shape(document.body, document.total, document.tax))
        self.shown = [line_shape(line, has_tax=self.has_tax) for line in seen.line_items]
        self.written = lines_of(base.shape or {})
        self.line_ids, self.base_lines = document.line_ids, base.lines

    def merge_into(self, merged: Merged) -> list[int]:
        """Puts the lines of the update into its body; gives their places in Caspen's, in that order.

        Where no line comes or goes, they stay in the order in which they stand in Xero.
        """
        stand = self._standing()
        if stand is None:
            if not self.overwrite and not self._all_as_ours():
                self.money_moved = True
                merged.against.append(("what it has", *_listed(self.ours, self.shown)))
                return list(range(len(self.bodies)))
            # What it shows now is all that there is to go by.
            self.written, self.base_lines = self.shown, None
            stand = {place: place for place in range(len(self.seen))}
        before = self._before(stand)
        lines = []
        for place, body in enumerate(self.bodies):
            there = before.get(place)
            if there is None:
                merged.changes.add("lines")
                lines.append(dict(body))
            else:
                lines.append(self._merged_line(merged, place, *there))
        for written, place in self._dropped(before, stand):
            merged.changes.add("lines")
            edits = differences(self.written[written], self.shown[place])
            self.money_moved = self.money_moved or any(name not in NO_MONEY for name, _, _ in edits)
            edits += _decided(self.seen[place])
            if edits and not self.overwrite:
                merged.against += [
                    (f"line {written + 1} {name}", "no longer there", theirs) for name, _, theirs in edits
                ]
        order = list(range(len(lines)))
        if "lines" not in merged.changes:
            order.sort(key=lambda place: before[place][1])
        merged.body["LineItems"] = [lines[place] for place in order]
        return order

    def _merged_line(self, merged: Merged, place: int, written: int, there: int) -> dict[str, Any]:
        body, line = dict(self.bodies[place]), self.seen[there]
        body["LineItemID"] = line.line_item_id
        body |= _never_told(line) | _told_anew(body, line, self.taxes[place])
        ours, shown, before = self.ours[place], self.shown[there], self.written[written]
        for name in {**ours, **shown}:
            own, theirs = ours.get(name, ""), shown.get(name, "")
            is_gone = name in (*_ABSENT, "description") and not theirs  # no document is approved without
            was = _was(before, name, theirs, line)
            if is_gone and not line.line_amount:
                continue
            is_money = name not in NO_MONEY and not (name == "tax type" and self._tax_alike(was or "", theirs))
            self.money_moved = self.money_moved or (is_money and was != theirs)
            if own == theirs:
                continue
            if self.overwrite or is_gone or theirs == was:
                merged.changes.add(name)
            elif self._stays(name, own, theirs, was):
                merged.kept.append((f"line {place + 1} {name}", own, theirs))
                body |= _as_shown(name, line)
                if name == "account":
                    if line.account_id in self.no_longer_taken:
                        self.archived.append((f"line {place + 1} account", own, f"{plain(theirs)}, which is archived,"))
                    body = {key: value for key, value in body.items() if key not in _ACCOUNT} | _account(line)
            else:
                merged.against.append((f"line {place + 1} {name}", own, theirs))
        return body

    def _stays(self, name: str, own: str, theirs: str, was: str | None) -> bool:
        """Whether what was edited in Xero stays as it is."""
        if name in _NEVER_CASPENS:
            return True
        if own != was:
            return False
        return name in _TEXTS or (name == "tax type" and self._tax_alike(own, theirs))

    def _tax_alike(self, one: str, other: str) -> bool:
        return one in self.percentages and self.percentages[one] == self.percentages.get(other)

    # --- which line is which

    def _standing(self) -> dict[int, int] | None:
        """The place in Xero of each line as it was written; None where they can't be told apart."""
        if self.base_lines is not None and len(self.base_lines) == len(self.written):
            places = {line.line_item_id: place for place, line in enumerate(self.seen)}
            found = [places.get(id_) for _, id_ in self.base_lines]
            if len(self.seen) == len(found) and None not in found:
                return {written: place for written, place in enumerate(found) if place is not None}
            is_same = len(self.seen) == len(self.written) and not any(map(differences, self.written, self.shown))
        else:
            is_same = len(self.seen) == len(self.written)
        return {place: place for place in range(len(self.seen))} if is_same else None

    def _all_as_ours(self) -> bool:
        return len(self.ours) == len(self.shown) and not any(map(differences, self.ours, self.shown))

    def _before(self, stand: Mapping[int, int]) -> dict[int, tuple[int, int]]:
        """By the place of a line of Caspen's: its place among those written, and in Xero."""
        if self.base_lines is not None and len(self.base_lines) == len(self.written):
            ids = {line_id: written for written, (line_id, _) in enumerate(self.base_lines)}
            pairs = {place: ids[line_id] for place, line_id in enumerate(self.line_ids) if line_id in ids}
        else:
            pairs = {}
        pairs = pairs or _alike(self.ours, self.written)  # Caspen may have named all of them anew
        return {place: (written, stand[written]) for place, written in pairs.items() if written in stand}

    def _dropped(self, before: Mapping[int, tuple[int, int]], stand: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """Lines that Caspen has no more: their place among those written, and in Xero."""
        left = {written for written, _ in before.values()}
        return ((written, there) for written, there in stand.items() if written not in left)


_ACCOUNT = ("AccountID", "AccountCode")
_ABSENT = ("account", "tax type")
"""What Xero may take off a line that costs nothing."""


def _was(before: Shape, name: str, theirs: str, line: Line) -> str | None:
    """What was written; None where nobody knows. Earlier versions kept no accounts, and of a discount its percentage or amount."""
    if name == "account":
        return before.get(name)
    if name == "discounted by" and name not in before:
        shown = text_of(line.discount_rate or line.discount_amount)
        return theirs if before.get("discount", "") == shown else None
    return before.get(name, "")


def _alike(ours: Sequence[Shape], written: Sequence[Shape]) -> dict[int, int]:
    """Lines of Caspen's and those written, where nobody has kept which is which: those alike, and the rest in order if as many."""
    pairs: dict[int, int] = {}
    left = list(range(len(written)))
    for place, line in enumerate(ours):
        same = next((one for one in left if not differences(line, written[one])), None)
        if same is not None:
            pairs[place] = same
            left.remove(same)
    rest = [place for place in range(len(ours)) if place not in pairs]
    return pairs | (dict(zip(rest, left, strict=True)) if len(rest) == len(left) else {})


def _never_told(line: Line) -> dict[str, Any]:
    """What Caspen says nothing of: an item, and tracking."""
    told: dict[str, Any] = {"ItemCode": line.item_code} if line.item_code else {}
    tracking = [
        {
            name: value
            for name, value in (
                ("TrackingCategoryID", one.tracking_category_id),
                ("TrackingOptionID", one.tracking_option_id),
                ("Name", one.name),
                ("Option", one.option),
            )
            if value
        }
        for one in line.tracking
    ]
    return told | ({"Tracking": tracking} if tracking else {})


def _told_anew(body: Mapping[str, Any], line: Line, tax: Decimal | None) -> dict[str, Any]:
    """What a line that is known by its id has to be told, as what is left out of it stays: no discount, and another tax."""
    told: dict[str, Any] = {}
    if (line.discount_rate or line.discount_amount) and "DiscountRate" not in body and "DiscountAmount" not in body:
        told["DiscountRate"] = 0
    if tax is not None and "TaxAmount" not in body and line.tax_amount not in (None, tax):
        told["TaxAmount"] = tax
    return told


def _decided(line: Line) -> Differences:
    """What a bookkeeper has put on a line, of which Caspen says nothing."""
    tracking = ", ".join(f"{plain(one.name)} {plain(one.option)}" for one in line.tracking)
    return [(name, "", value) for name, value in (("item", line.item_code or ""), ("tracking", tracking)) if value]


def _as_shown(name: str, line: Line) -> dict[str, Any]:
    if name == "description":
        return {"Description": line.description}
    return {"TaxType": line.tax_type} if name == "tax type" else {}


def _account(line: Line) -> dict[str, Any]:
    told = {"AccountID": line.account_id, "AccountCode": line.account_code}
    return {name: value for name, value in told.items() if value}


def _listed(ours: Sequence[Shape], shown: Sequence[Shape]) -> tuple[str, str]:
    """The lines of both sides in words: their texts and prices, and where those are the same all of each line."""
    sides = tuple(_in_words(side, is_whole=False) for side in (ours, shown))
    return (
        (sides[0], sides[1])
        if sides[0] != sides[1]
        else (_in_words(ours, is_whole=True), _in_words(shown, is_whole=True))
    )


def _in_words(lines: Sequence[Shape], *, is_whole: bool) -> str:
    told = ", ".join(_line_in_words(one, is_whole=is_whole) for one in lines)
    return f"{len(lines)} line{'' if len(lines) == 1 else 's'} ({told})"


def _line_in_words(line: Shape, *, is_whole: bool) -> str:
    quantity, price = line.get("quantity", "1"), in_words("price", line.get("price", "0"))
    rest = [
        f"{name} {in_words(name, text)}"
        for name, text in line.items()
        if name not in ("description", "quantity", "price")
    ]
    return ", ".join([f"{line.get('description') or 'no text'}: {quantity} x {price}", *(rest if is_whole else ())])
