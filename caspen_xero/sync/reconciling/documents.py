"""The lines of one document on both sides: which is which, what each counts, and where they are not equal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from caspen_xero.caspen.records import CreditNoteLine, InvoiceLine, TaxMode
from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store.mappings import Link
from caspen_xero.sync.reconciling.ledger import Document, ExactLine, Line, Names
from caspen_xero.sync.reconciling.lines import Cents, Figures, cents_of, counted, money_of
from caspen_xero.sync.reconciling.xero_side import DocumentThere, LineThere

Adds = Callable[[str, str, str, str, Decimal], None]
"""Adds a find: what of the document (`date`, `line`, ...), both sides in words, what it is about, and by how much."""
ZERO = Decimal(0)


@dataclass(frozen=True)
class AsSent:
    """What was written of an invoice's or credit note's lines, as far as that is known.

    `written`: by name ("line 2 tax type"), as the link of an invoice has it. `line_ids`: Xero's id of each line of Caspen's, by
    Caspen's id of it. `is_ours`: the document was made by us, so that its lines are rounded by our rule. `rates`: what each of
    Caspen's rates is in Xero by now; `earlier`: what it was when the invoice of a credit note was sent. `is_done`: what was written
    is what Caspen says. `other_rates`: those of Caspen's rates that may have been another one in Xero when it was sent, as they
    were linked anew since, or are linked to none any more.
    """

    written: Mapping[str, str]
    line_ids: Mapping[str, str]
    is_ours: bool
    is_done: bool
    rates: Mapping[str, str]
    own_line_ids: Sequence[str] = ()
    other_rates: Collection[str] = ()
    earlier: Mapping[str, str] = field(default_factory=dict)

    def rates_as_sent(self, rate_ids: Sequence[str | None]) -> dict[str, str]:
        """What those of Caspen's rates that may have been another one in Xero were there when its lines were written.

        `rate_ids`: of its lines, in their order.
        """
        places = zip(rate_ids, _written_places(self), strict=False)
        written = {rate_id or NO_TAX: self.written.get(f"line {nth} tax type", "") for rate_id, nth in places}
        return {rate_id: tax_type for rate_id, tax_type in written.items() if tax_type and rate_id in self.other_rates}


@dataclass(frozen=True)
class Rates:
    """What each of Caspen's tax rates is in Xero by now, and since when, by its id."""

    now: Mapping[str, str]
    since: Mapping[str, datetime]

    def others_at(self, moment: datetime | None, rate_ids: Sequence[str | None]) -> set[str]:
        """Those that may have been another one at that moment (None: nobody knows when)."""
        ids = {rate_id or NO_TAX for rate_id in rate_ids}
        return {id_ for id_ in ids if moment is None or id_ not in self.since or self.since[id_] > moment}


def as_sent(
    link: Link | None,
    there: DocumentThere,
    lines: Sequence[InvoiceLine] | Sequence[CreditNoteLine],
    rates: Rates,
    *,
    is_done: bool,
) -> AsSent:
    """What is known of how a document was sent. `lines`: Caspen's."""
    own_line_ids = [line.id for line in lines]
    written = dict(link.last_written or {}) if link else {}
    shown = {"reference": _text(there.reference)}
    shown |= {f"line {place} description": _text(one.line.text) for place, one in enumerate(there.lines, 1)}
    is_unique = len(set(own_line_ids)) == len(own_line_ids)
    line_ids = dict(link.lines or ()) if link and is_unique else {}
    others = rates.others_at(link.linked_at, [line.tax_rate_id for line in lines]) if link else ()
    is_ours = link is None or link.made_by_us
    return AsSent(opened(written, shown), line_ids, is_ours, is_done, rates.now, own_line_ids, others)


@dataclass(frozen=True)
class Held:
    """A document of Caspen's beside Xero's, once its lines count. `recoded`: Caspen's line as sent, and Xero's."""

    own: Document
    there: Document
    recoded: Sequence[tuple[Line, Line]]
    told: Sequence[tuple[str, str, str, str]]


def compare_lines(
    own: Document,
    exact: Sequence[ExactLine],
    figures: Figures,
    tax_mode: TaxMode,
    there: DocumentThere,
    sent: AsSent,
    names: Names,
    found: Adds,
) -> Held:
    """Caspen's document with what counts of its lines; finds where Xero's are otherwise. What is only told is in the answer."""
    matched = _matched(exact, there.lines, sent, tax_mode)
    of_xero = [there.lines[place] if place is not None else None for place in matched]
    shown = [_in_mode(one.line, tax_mode) if one else None for one in of_xero]
    cents = counted(exact, figures, tax_mode, shown, by_rule=sent.is_ours)
    lines, recoded, told = list[Line](), list[tuple[Line, Line]](), list[tuple[str, str, str, str]]()
    others = {place: one for place, one in enumerate(there.lines) if place not in matched}
    places = _written_places(sent)
    for place, (line, (amount, tax), mate) in enumerate(zip(exact, cents, of_xero, strict=True)):
        nth = places[place] if place < len(places) else None
        rate = _rate_of(line, nth, sent, tax_mode, mate)
        if mate is not None and mate.line.rate and mate.line.rate == sent.earlier.get(line.rate_id or NO_TAX):
            rate = mate.line.rate
        account = sent.written.get(f"line {nth} account", "") if nth else ""
        if mate is not None and not account:
            account = mate.line.account
        is_without = tax_mode == "none" and sent.is_ours  # we send no tax type then; others may
        mine = Line(
            net=money_of(amount - tax) if tax_mode == "inclusive" else money_of(amount),
            tax=money_of(tax),
            rate=rate or (mate.line.rate if mate and not is_without else ""),
            account=account,
            text=line.text,
        )
        lines.append(mine)
        subject = f"line {place + 1}"
        if mate is None:
            found("line-missing-in-xero", _line_in_words(mine, names), "it is not there", subject, ZERO)
            continue
        theirs = mate.line
        if (mine.net, mine.tax) != (theirs.net, theirs.tax) or not _is_same_rate(mine, theirs):
            found("line", _line_in_words(mine, names), _line_in_words(theirs, names), subject, ZERO)
        if mine.account and theirs.account and mine.account != theirs.account:
            recoded.append((mine, theirs))
            told.append(("recoded", _account(mine, names), _account(theirs, names), subject))
        description = sent.written.get(f"line {nth} description") if nth else None
        if description is not None and description != _text(theirs.text):
            told.append(("text", plain(description or "nothing"), plain(_text(theirs.text) or "nothing"), subject))
    for place, extra in others.items():
        words, subject = _line_in_words(extra.line, names), f"line {place + 1} in Xero"
        if extra.is_text:
            told.append(("text", "it is not there", plain(_text(extra.line.text) or "an empty line"), subject))
        else:
            found("line-unknown-in-caspen", "it is not there", words, subject, ZERO)
    if "reference" in sent.written and sent.written["reference"] != _text(there.reference):
        mine_and_theirs = sent.written["reference"], _text(there.reference)
        told.append(
            ("text", plain(mine_and_theirs[0] or "nothing"), plain(mine_and_theirs[1] or "nothing"), "reference")
        )
    return Held(replace(own, lines=lines), there.document, recoded, told)


def accounts_sent(link: Link | None, lines: Sequence[InvoiceLine]) -> list[str]:
    """The account that each of Caspen's lines was sent to, in its order; "" where that is not known."""
    if link is None or not link.last_written:
        return [""] * len(lines)
    order = {own_id: nth for nth, (own_id, _) in enumerate(link.lines or (), 1)}
    places = [order.get(line.id, 0) if order else nth for nth, line in enumerate(lines, 1)]
    return [link.last_written.get(f"line {nth} account", "") for nth in places]


def counted_alone(
    own: Document,
    exact: Sequence[ExactLine],
    figures: Figures,
    tax_mode: TaxMode,
    rates: Mapping[str, str],
    accounts: Sequence[str] = (),
) -> Document:
    """Caspen's document where Xero has none beside it: its lines as the rule spreads them. `accounts`: that they were sent to."""
    cents = counted(exact, figures, tax_mode, [None] * len(exact), by_rule=True)
    lines = [
        Line(
            net=money_of(amount - tax) if tax_mode == "inclusive" else money_of(amount),
            tax=money_of(tax),
            rate="" if tax_mode == "none" else rates.get(line.rate_id or NO_TAX, ""),
            account=account,
            text=line.text,
        )
        for line, (amount, tax), account in zip(exact, cents, accounts or [""] * len(exact), strict=True)
    ]
    return replace(own, lines=lines)


NO_TAX = "no tax"
"""The id under which the Xero rate of a line without one is linked."""


# --- which line is which


def _matched(
    exact: Sequence[ExactLine], there: Sequence[LineThere], sent: AsSent, tax_mode: TaxMode
) -> list[int | None]:
    """For each line of Caspen's the place of its line in Xero: by id, else the one most like it, else in their order."""
    by_id = {one.id: place for place, one in enumerate(there) if one.id}
    found: list[int | None] = [None] * len(exact)
    for place, own_id in enumerate(sent.own_line_ids[: len(exact)]):
        found[place] = by_id.get(sent.line_ids.get(own_id, ""))

    def left() -> list[int]:
        return [place for place in range(len(there)) if place not in found]

    for is_like in (_is_alike, _costs_the_same):
        for place, line in enumerate(exact):
            if found[place] is None:
                alike = [other for other in left() if is_like(line, there[other], tax_mode)]
                found[place] = min(alike, key=lambda other: abs(other - place)) if alike else None
    rest = [place for place in left() if not there[place].is_text]
    open_places = [place for place in range(len(exact)) if found[place] is None]
    if len(rest) != len(open_places):  # of a line whose id is known, and not there any more, no other one is it
        open_places = [place for place in open_places if not _is_known(place, sent)]
    for place, other in zip(open_places, rest, strict=False):
        found[place] = other
    return found


def _is_known(place: int, sent: AsSent) -> bool:
    """Whether Xero's id of a line was kept."""
    return place < len(sent.own_line_ids) and bool(sent.line_ids.get(sent.own_line_ids[place]))


def _is_alike(line: ExactLine, other: LineThere, tax_mode: TaxMode) -> bool:
    return _costs_the_same(line, other, tax_mode) and _text(line.text) == _text(other.line.text)


def _costs_the_same(line: ExactLine, other: LineThere, tax_mode: TaxMode) -> bool:
    return not other.is_text and abs(_in_mode(other.line, tax_mode)[0] - line.amount) <= 1


def _in_mode(line: Line, tax_mode: TaxMode) -> Cents:
    """A line of Xero's as a document of that mode counts it."""
    tax, net = cents_of(line.tax), cents_of(line.net)
    return (net + tax if tax_mode == "inclusive" else net), tax


def _written_places(sent: AsSent) -> list[int]:
    """For each line of Caspen's, in its order, the place at which it was written, counted from 1; nothing where that is unknown."""
    if not sent.line_ids:
        return list(range(1, len(sent.own_line_ids) + 1))
    order = {own_id: nth for nth, own_id in enumerate(sent.line_ids, 1)}
    return [order.get(own_id, 0) for own_id in sent.own_line_ids]


# --- what a line is


def _rate_of(line: ExactLine, nth: int | None, sent: AsSent, tax_mode: TaxMode, mate: LineThere | None) -> str:
    """The tax type that a line ought to have: the one that its rate is linked to.

    What was written counts only where the rate was linked anew since, or is not linked any more: else a wrong one that was sent
    would prove itself. Where Caspen has changed since too, a push may or may not have come to it.
    """
    if tax_mode == "none":
        return ""
    rate_id = line.rate_id or NO_TAX
    written = sent.written.get(f"line {nth} tax type", "") if nth else ""
    now = sent.rates.get(rate_id, "")
    if not written or rate_id not in sent.other_rates:
        return now
    return written if sent.is_done or not now or (mate is not None and mate.line.rate == written) else now


def _is_same_rate(mine: Line, theirs: Line) -> bool:
    """A line that costs nothing may have lost its tax type in Xero."""
    if not (theirs.rate or theirs.net or theirs.tax):
        return True
    return mine.rate == theirs.rate


def _line_in_words(line: Line, names: Names) -> str:
    rate = f" ({plain(names.rates.get(line.rate) or line.rate)})" if line.rate else ""
    text = f"{plain(_text(line.text), 60)}: " if _text(line.text) else ""
    return f"{text}{money_text(line.net)}, tax {money_text(line.tax)}{rate}"


def _account(line: Line, names: Names) -> str:
    return plain(names.accounts.get(line.account) or line.account)


def _text(text: str | None) -> str:
    return " ".join((text or "").split())
