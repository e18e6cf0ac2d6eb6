"""How a find is made: with what to do about it, and whether a person is content with it already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.sync.books.books import Books
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.fix_commands import find_fix, push_command
from caspen_xero.sync.reconciling.caspen_side import OwnInvoice
from caspen_xero.sync.reconciling.finds import FINDS, Group
from caspen_xero.sync.reconciling.ledger import Compared, Document, Find
from caspen_xero.sync.reconciling.xero_side import DocumentThere

ZERO = Decimal(0)
ABSENT = "it is not there"
CANT_BE_READ = "it is there, and can't be read"
PULL = "caspen-xero pull"
OF_ONE_NEVER_SENT = "Void it in Xero, or finalise it in Caspen, then: caspen-xero sync"
_OF_A_PROOF = "not-equal-in-xero"  # what an earlier reconciliation has found is held against this one's finds by itself


@dataclass
class Findings:
    """Adds finds to what was compared. `pending`: the invoices of which a push has something left to do.

    `source`: what Caspen's records are read from, where a person has said that.
    """

    compared: Compared
    books: Books
    pending: Collection[str] = ()
    source: str | None = None
    _accepted: Mapping[str, list[Trouble]] = field(init=False)

    def __post_init__(self) -> None:
        accepted: defaultdict[str, list[Trouble]] = defaultdict(list)
        for one in self.books.accepted:
            accepted[one.invoice_id].append(one)
        self._accepted = accepted

    def of(
        self,
        code: str,
        own: OwnInvoice,
        there: DocumentThere | None,
        caspen: str,
        xero: str,
        *,
        amount: Decimal = ZERO,
        subject: str = "",
        named: Collection[str] = (),
        day: date | None = None,
        fix: str = "",
        is_content: bool = False,
    ) -> None:
        """One thing that is not equal on an invoice of Caspen's.

        `named`: ids by which a problem may tell of the same. `fix`: where another one than the problem's is right. `is_content`:
        the person who linked it has said that it is so.
        """
        self.compared.finds.append(
            Find(
                code=code,
                number=own.document.number,
                invoice_id=own.id,
                xero_id=there.id if there else own.link.xero_id if own.link else None,
                party=own.document.party,
                caspen=caspen,
                xero=xero,
                currency=own.document.currency,
                amount=amount,
                subject=subject,
                day=day or own.document.day,
                fix=fix or self._fix(own, code, named),
                accepted=is_content or self._is_accepted(own, there, code, named),
            )
        )

    def of_xeros(
        self,
        code: str,
        there: Document,
        caspen: str,
        xero: str,
        invoice_id: str | None = None,
        number: str | None = None,
        *,
        subject: str = "",
        fix: str = "",
    ) -> None:
        """A document in Xero that stands for none of Caspen's. `invoice_id`: of the one whose number it has, or that it
        doubles, and that one's `number`."""
        self.compared.finds.append(
            Find(
                code=code,
                number=there.number,
                invoice_id=invoice_id,
                xero_id=there.id,
                party=there.party,
                caspen=caspen,
                xero=xero,
                currency=there.currency,
                amount=there.total,
                subject=subject,
                day=there.day,
                fix=fix or find_fix(code, number, invoice_id, self.source),
            )
        )

    def tell(
        self,
        code: str,
        own: OwnInvoice,
        there: DocumentThere,
        caspen: str,
        xero: str,
        subject: str,
        day: date | None = None,
        *,
        amount: Decimal = ZERO,
    ) -> None:
        """What is listed, and not counted."""
        self.compared.information.append(
            Find(
                code=code,
                number=own.document.number,
                invoice_id=own.id,
                xero_id=there.id,
                party=own.document.party,
                caspen=caspen,
                xero=xero,
                currency=own.document.currency,
                amount=amount,
                subject=subject,
                day=day or own.document.day,
            )
        )

    def troubles_about(self, invoice_id: str, named: Collection[str]) -> list[Trouble]:
        """What is wrong with a payment or credit note of an invoice, by the ids that may name it."""
        return [one for one in self.books.troubles_of.get(invoice_id, ()) if one.subject and one.subject in named]

    def _fix(self, own: OwnInvoice, code: str, named: Collection[str]) -> str:
        """The way out of a problem that tells of the same, or keeps all of it from being sent, else of the find itself."""
        group, is_ours = FINDS[code][1], own.link is not None and own.link.made_by_us
        troubles = self.books.troubles_of.get(own.id, ())
        alike = [one for one in troubles if _tells(one, code, is_ours=is_ours)]
        by_name = [one for one in alike if one.subject in named]
        whole = [one for one in alike if not one.subject]
        twice = [one for one in alike if one.code == "payment-twice-in-xero" and code == "payment-unknown-in-caspen"]
        of_all = [one for one in troubles if not one.is_difference]  # what keeps all of it from being sent
        for some in (by_name, twice, whole, of_all):
            fixes = [one.fix for one in some if one.fix]
            if fixes:
                return fixes[0]
        if group in ("money", "credit") and any(one.invoice_id == own.id for one in self.books.waiting):
            return PULL
        if own.id in self.pending:
            return push_command(own.document.number, own.id)
        return find_fix(code, own.document.number, own.id, self.source)

    def _is_accepted(self, own: OwnInvoice, there: DocumentThere | None, code: str, named: Collection[str]) -> bool:
        """Whether a person has accepted just this: the books have seen what Xero shows now, and hold it for accepted."""
        content, group = self._accepted.get(own.id, ()), FINDS[code][1]
        troubles = [one for one in self.books.troubles_of.get(own.id, ()) if _is_about(one, group)]
        if any(not one.subject or not named or one.subject in named for one in troubles):
            return False
        seen, now = own.link.xero_updated_at if own.link else None, there.source.updated_date_utc if there else None
        if now is not None and (seen is None or seen < now):
            return False
        is_ours = own.link is not None and own.link.made_by_us
        return any(_tells(one, code, is_ours=is_ours) and (not one.subject or one.subject in named) for one in content)


_GONE = ("missing-in-xero", "gone-in-caspen", "twice-in-xero", "unreadable-in-xero")
"""What nothing tells of that push or pull knows."""


def _tells(trouble: Trouble, code: str, *, is_ours: bool) -> bool:
    """Whether what a person was told, and has accepted, is what was found: a find of another kind is another matter.

    `is_ours`: of an invoice that we made lines count, of another one only its figures.
    """
    group = FINDS[code][1]
    if not _is_about(trouble, group) or group == "details" or code in _GONE:
        return False
    if group == "document":
        is_void = trouble.code == "voided-in-xero"
        return is_void == (code == "voided-in-xero") and (is_ours or not code.startswith("line"))
    return True


def _is_about(trouble: Trouble, group: Group) -> bool:
    """Whether a problem tells of the same kind of thing as a group of finds."""
    code = str(trouble.code)
    if code.startswith(("payment-", "paid-in-", "not-in-caspen")):
        return group == "money"
    if code == _OF_A_PROOF:
        return False
    return group == "credit" if code.startswith("credit-") else group in ("document", "details")


def contacts_in_words(ours: Document, theirs: Document, parties: Mapping[str, str]) -> tuple[str, str]:
    """Whose two documents are; with their ContactIDs, where both are called the same. `parties`: Caspen's names, by ContactID."""
    mine = plain(parties.get(ours.contact) or ours.party or "nobody")
    shown = plain(theirs.party or "nobody")
    if mine == shown:
        return f"{mine} ({plain(ours.contact or 'not in Xero yet')})", f"{shown} ({plain(theirs.contact)})"
    return mine, shown


def figures_in_words(document: Document) -> str:
    """A document's subtotal, tax and total."""
    named = (("subtotal", document.subtotal), ("tax", document.tax), ("total", document.total))
    return ", ".join(f"{name} {money_text(amount)}" for name, amount in named)


def in_words(document: Document) -> str:
    """A document as a person knows it: its number, day, total and whose it is."""
    called = f"{plain(document.number)} " if document.number else ""
    party = f", {plain(document.party)}" if document.party else ""
    return f"{called}of {document.day}, {money_text(document.total)} {plain(document.currency)}{party}"
