"""What counts, and where: a document or a payment on the day, in the currency and with the standing that its own side gives it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from caspen_xero.sync.reconciling.ledger import Compared, Document, Kind, LeftOut, Money, MoneyPair, Pair

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Counting:
    """What was compared, and by which rules it counts. `base_currency`: the organisation's; it comes first.

    `drafts_count`: invoices are sent as drafts, so that one which nobody has approved yet is as it is to be. Else a draft in Xero
    counts nowhere, as in Xero's own reports.
    """

    compared: Compared
    base_currency: str
    drafts_count: bool = False

    def stands_in_xero(self, one: Document) -> bool:
        """Whether a document of Xero's counts at all."""
        return one.standing == "stands" or (self.drafts_count and one.standing == "draft")

    def of_caspen(self, pair: Pair) -> Document | None:
        """A pair's document in Caspen where it counts: it stands there, and its day is in the period."""
        one = pair.caspen
        return one if one and one.standing == "stands" and self.compared.asked.holds(one.day) else None

    def of_xero(self, pair: Pair) -> Document | None:
        """The same of Xero's."""
        return self.in_xero(pair.xero)

    def in_xero(self, one: Document | None) -> Document | None:
        """A document of Xero's where it counts in the period."""
        return one if one and self.stands_in_xero(one) and self.compared.asked.holds(one.day) else None

    def money_of_caspen(self, pair: MoneyPair) -> Money | None:
        """A pair's payment or credit in Caspen where its day is in the period."""
        return self.dated(pair.caspen)

    def money_of_xero(self, pair: MoneyPair) -> Money | None:
        """The same of Xero's."""
        return self.dated(pair.xero)

    def dated(self, one: Money | None) -> Money | None:
        """A payment or credit where its day is in the period."""
        return one if one and self.compared.asked.holds(one.day) else None

    def pairs(self, kind: Kind) -> Sequence[Pair]:
        """All that was compared of a kind."""
        return self.compared.invoices if kind == "invoice" else self.compared.credit_notes

    def left_out(self, kind: Kind) -> Iterator[LeftOut]:
        """What of a kind is left out, of whatever day."""
        return (one for one in self.compared.left_out if one.document.kind == kind)

    def others(self, kind: Kind) -> Iterator[Document]:
        """What of a kind is nobody's of Caspen's, of whatever day."""
        return (one for one in self.compared.others if one.kind == kind)

    @cached_property
    def money(self) -> Sequence[MoneyPair]:
        """All payments and credits, each in a currency: Xero's lists of payments tell none, so it is that of the invoice."""

        def known(one: Money | None, other: Money | None) -> Money | None:
            return one and self._in_a_currency(one, other.currency if other else "")

        return [
            MoneyPair(known(pair.caspen, pair.xero), known(pair.xero, pair.caspen)) for pair in self.compared.payments
        ]

    def listed(self, one: Money) -> Money:
        """A payment of Xero's own list of all, in the currency in which it counts elsewhere."""
        return self._in_a_currency(one, self._paired_currencies.get(one.id, ""))

    def _in_a_currency(self, one: Money, other: str) -> Money:
        if one.currency:
            return one
        return replace(one, currency=self._currencies.get(one.invoice) or other or self.base_currency)

    @cached_property
    def _currencies(self) -> Mapping[str, str]:
        return {one.id: one.currency for one in self._all_invoices()}

    @cached_property
    def _paired_currencies(self) -> Mapping[str, str]:
        return {pair.xero.id: pair.xero.currency for pair in self.money if pair.xero}

    def _all_invoices(self) -> Iterator[Document]:
        pairs = (*self.compared.invoices, *(Pair(one.document, one.xero) for one in self.compared.left_out))
        yield from self.compared.others
        yield from (one for pair in pairs for one in (pair.caspen, pair.xero) if one)

    @property
    def payments(self) -> Iterator[MoneyPair]:
        """The payments that were compared, without credits."""
        return (pair for pair in self.money if _kind(pair) == "payment" and not self.is_of_others(pair))

    @property
    def credits(self) -> Iterator[MoneyPair]:
        """What was put on invoices of credits, that was compared."""
        return (pair for pair in self.money if _kind(pair) == "credit" and not self.is_of_others(pair))

    @property
    def payments_of_others(self) -> Iterator[tuple[Money, str]]:
        """Payments in Xero on invoices that are not compared, and on which: of nobody (`others`), or left out in Caspen."""
        for pair in self.money:
            if pair.xero and _kind(pair) == "payment" and self.is_of_others(pair):
                yield pair.xero, self._of_others[pair.xero.invoice]

    def is_of_others(self, pair: MoneyPair) -> bool:
        """Whether it stands in Xero alone, on an invoice that is not compared."""
        return pair.caspen is None and pair.xero is not None and pair.xero.invoice in self._of_others

    @cached_property
    def _of_others(self) -> Mapping[str, str]:
        """The invoices in Xero that are not compared, by id, and the bridge's step of each."""
        steps = {"left-out": "left-out-in-xero", "nobodys": "others"}
        not_read = {id_: steps[whose] for id_, whose in self.compared.not_read.items()}
        left_out = {one.xero.id: "left-out-in-xero" for one in self.compared.left_out if one.xero}
        return not_read | left_out | {one.id: "others" for one in self.compared.others}

    def in_order(self, currencies: Collection[str]) -> list[str]:
        """Currencies in the order in which they are shown."""
        return sorted(currencies, key=self.place_of)

    def place_of(self, currency: str) -> tuple[bool, str]:
        """By what currencies are sorted: the organisation's own first."""
        return currency != self.base_currency, currency

    def named(self, money: Money) -> tuple[str, str]:
        """Number and client of the invoice that a payment or credit is on; its id where nothing else is known."""
        return self._invoices.get(money.invoice) or (money.invoice, "")

    def party(self, one: Document) -> str:
        """Whom a document is made out to, as its own side calls them, else as the other does."""
        return one.party or self.compared.names.parties.get(one.contact) or self.parties.get(one.contact, "")

    @cached_property
    def _invoices(self) -> Mapping[str, tuple[str, str]]:
        """Number and client by either side's id; Caspen's where both are known."""
        alone = (Pair(None, one) for one in self.compared.others)
        left_out = (Pair(one.document, one.xero) for one in self.compared.left_out)
        named = dict(self.compared.names.invoices)
        for pair in (*alone, *self.compared.invoices, *left_out):
            one = pair.caspen or pair.xero
            if one:
                named |= {side.id: (one.number, self.party(one)) for side in (pair.xero, pair.caspen) if side}
        return named

    @cached_property
    def parties(self) -> Mapping[str, str]:
        """What contacts are called on the documents, by ContactID: as Caspen calls them, else as Xero does."""
        pairs = (*self.compared.invoices, *self.compared.credit_notes)
        xero = [*(pair.xero for pair in pairs), *self.compared.others]
        them = [*xero, *(left.xero for left in self.compared.left_out), *(pair.caspen for pair in pairs)]
        return {one.contact: one.party for one in them if one and one.contact and one.party}

    @cached_property
    def of_another_contact(self) -> set[str]:
        """The ids of what is another contact's in Xero than it is to be."""
        return self.codes_of("contact", "credit-note-contact")

    def codes_of(self, *codes: str) -> set[str]:
        """The ids, of both sides, of what has a find of one of these codes, accepted or not."""
        found = [one for one in self.compared.finds if one.code in codes]
        return {id_ for one in found for id_ in (one.invoice_id, one.xero_id) if id_}


def _kind(pair: MoneyPair) -> str:
    one = pair.caspen or pair.xero
    return one.kind if one else ""


def less(one: Document) -> int:
    """The sign with which a document counts among sales: a credit note takes away."""
    return -1 if one.kind == "credit_note" else 1
