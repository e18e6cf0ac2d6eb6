"""Whether an invoice in Xero is the one that Caspen has: what an invoice is known by, on both sides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.caspen.records import Invoice as CaspenInvoice
from caspen_xero.outside_text import plain
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.contact_matching import Party, is_partys
from caspen_xero.sync.planning.contact_numbers import PartyKind
from caspen_xero.xero.documents import CreditNote, Invoice

FIGURES = frozenset({"total", "tax"})
"""What of the facts an invoice's amounts are; push holds these against each other by itself."""


@dataclass(frozen=True)
class Fact:
    """One thing that an invoice is known by (`number`, `contact`, `date`, `currency`, `total`, `tax`), on both sides, in words.

    `ids`: the ContactIDs of both sides, of a contact; Caspen's "" where it has none.
    """

    what: str
    caspen: str
    xero: str
    differs: bool
    ids: tuple[str, str] | None = None

    @property
    def kept(self) -> tuple[str, str]:
        """What a link keeps of a difference: both sides."""
        return self.ids or (self.caspen, self.xero)


@dataclass(frozen=True)
class Whose:
    """A party's contact in Xero, and the one that an invoice there is made out to; of merged ones, what they became.

    `ours`: None where the party has none yet. `owner`: the other party that `there` is linked to. `made`: our journal says that we
    made it for this one; `has_namesake`: Caspen has another party of that name.
    """

    party: Party
    ours: KnownContact | None
    there: KnownContact
    owner: Link | None = None
    made: bool = False
    has_namesake: bool = False

    @property
    def agree(self) -> bool:
        """Whether they are one, or nothing says that they are not: another party's contact, or another name, never is."""
        if self.ours is not None:
            return self.ours.xero_id == self.there.xero_id
        if self.owner is not None:
            return False
        if self.there.number:
            return is_partys(self.party, self.there, made=self.made)
        return self.party.is_called(self.there.name) and not self.has_namesake

    def fact(self) -> Fact:
        """Both in words."""
        ours = (self.ours.name if self.ours else "") or self.party.full_name or self.party.name()
        theirs, ids = self.there.name or "no name", (self.ours.xero_id if self.ours else "", self.there.xero_id)
        if not self.agree and ours == theirs:
            ours, theirs = f"{ours} ({ids[0] or 'not in Xero yet'})", f"{theirs} ({ids[1]})"
        if not self.agree and self.owner is not None:
            kind: PartyKind = "payer" if self.owner.kind == "payer" else "client"
            theirs = f"{theirs}, the {kind} {plain(self.owner.caspen_id)} in Caspen"
        return Fact("contact", ours, theirs, not self.agree, ids)


def facts(invoice: CaspenInvoice, found: Invoice, whose: Whose) -> tuple[Fact, ...]:
    """What both sides are known by. What only one of them says is no difference: a draft has no total yet."""
    ours, theirs = _heading_in_caspen(invoice), heading_in_xero(found)
    told = [
        Fact(name, ours[name], theirs[name], bool(ours[name] and theirs[name] and ours[name] != theirs[name]))
        for name in ours
    ]
    return (told[0], whose.fact(), *told[1:])


def heading_in_xero(found: Invoice | CreditNote) -> dict[str, str]:
    """What a document is known by, as Xero shows it; of the contact its ContactID. "" for what is not told."""
    number = found.invoice_number if isinstance(found, Invoice) else found.credit_note_number
    return {
        "number": number or "",
        "contact": (found.contact.contact_id if found.contact else None) or "",
        "date": str(found.date or ""),
        "currency": found.currency_code or "",
        "total": _money(found.total),
        "tax": _money(found.total_tax),
    }


def differing(told: Iterable[Fact]) -> list[Fact]:
    """Those that differ."""
    return [fact for fact in told if fact.differs]


def in_words(told: Iterable[Fact]) -> str:
    """Facts in a sentence, Caspen's side first."""
    return "; ".join(f"{one.what} is {plain(one.caspen)} in Caspen, {plain(one.xero)} in Xero" for one in told)


def kept_in_words(differences: Mapping[str, tuple[str, str]], names: Mapping[str, str]) -> tuple[str, str]:
    """What a link was made in spite of, Caspen's side and Xero's. `names`: of contacts, by ContactID."""

    def side(place: int) -> str:
        parts = [(name, sides[place]) for name, sides in differences.items()]
        return ", ".join(
            f"{name} {plain((names.get(text, text) if name == 'contact' else text) or 'not in Xero yet')}"
            for name, text in parts
        )

    return side(0), side(1)


def _heading_in_caspen(invoice: CaspenInvoice) -> dict[str, str]:
    return {
        "number": invoice.number or "",
        "date": str(invoice.issue_date),
        "currency": invoice.currency,
        "total": _money(invoice.total),
        "tax": _money(invoice.tax),
    }


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
