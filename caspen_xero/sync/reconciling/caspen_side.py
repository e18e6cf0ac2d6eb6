"""Caspen's side, from its records alone: its documents, and what of money is on them, as it is to stand in Xero.

Nothing here asks how a document is sent. What tells who is who in Xero are the links of the store, and nothing else of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from caspen_xero.caspen.records import FINALISED, GONE, CreditNote, Invoice
from caspen_xero.store import batches, clinic, known_contacts, skips, todo, xero_payments
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.listing import ListedInvoice
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.reconciling.ledger import Document, ExactLine, Money, Standing
from caspen_xero.sync.reconciling.lines import Figures, cents_of, exact_line
from caspen_xero.sync.setup.accounts import account_of_payment
from caspen_xero.sync.setup.organisation import known_accounts
from caspen_xero.sync.setup.settings import Settings

EVERYBODY = "all-clients"
"""The id by which the one contact is linked that stands for all clients where nothing of them goes to Xero."""
ZERO = Decimal(0)


@dataclass(frozen=True)
class OwnMoney:
    """A payment or credit of Caspen's on an invoice. `names`: Xero's ids by which it may stand there, the surest first.

    `key`: the last word of our Reference, and what a problem of it is known by. `number`: of a credit note. `is_linked`: something
    stands, or stood, for it in Xero; `made_by_us`: we made that. `came_from_xero`: Caspen's record says so, or Caspen was told.
    `account_id`: where payments of its method go by now, None for what we don't send. `known_days`: Caspen's day and Xero's, where
    a person has linked it though they are not the same.
    """

    money: Money
    names: tuple[str, ...]
    key: str
    number: str = ""
    is_linked: bool = False
    made_by_us: bool = False
    came_from_xero: bool = False
    account_id: str | None = None
    known_days: tuple[str, str] | None = None


@dataclass(frozen=True)
class OwnNote:
    """A credit note of Caspen's: its record, its document without what counts of its lines, and its link."""

    record: CreditNote
    document: Document
    lines: Sequence[ExactLine]
    figures: Figures
    link: Link | None


@dataclass(frozen=True)
class OwnInvoice:
    """An invoice of Caspen's: its record, its document without what counts of its lines, and its link.

    `is_done`: a push has come to all that Caspen says of it. `contacts`: the ContactIDs of all that it may be made out to;
    `written_to`: the one of them that it was written to, "" where that is not known.
    """

    record: Invoice
    listed: ListedInvoice
    document: Document
    lines: Sequence[ExactLine]
    figures: Figures
    link: Link | None
    is_done: bool
    contacts: tuple[str, ...]
    written_to: str = ""
    money: Sequence[OwnMoney] = ()
    notes: Sequence[OwnNote] = ()

    @property
    def id(self) -> str:
        """Caspen's id of it."""
        return self.record.id

    @property
    def is_finalised(self) -> bool:
        """Whether it belongs in Xero by its status."""
        return self.record.status in FINALISED


@dataclass
class CaspenSide:
    """What Caspen has, by invoice id. `links`: of all invoices, by InvoiceID; `note_links`: of credit notes, by CreditNoteID.

    `parties`: what a ContactID that stands for a client or payer is called; `merged`: the contact that one was merged into.
    """

    mappings: Mappings
    settings: Settings
    listed: Mapping[str, ListedInvoice]
    links: Mapping[str, Link] = field(init=False)
    note_links: Mapping[str, Link] = field(init=False)
    parties: dict[str, str] = field(init=False)
    set_aside: Collection[str] = field(init=False)

    def __post_init__(self) -> None:
        mappings = self.mappings
        invoice_links = mappings.all_links("invoice")
        self.links = {link.xero_id: link for link in invoice_links}
        self._by_caspen = {link.caspen_id: link for link in invoice_links}
        notes = mappings.all_links("credit_note")
        self.note_links = {link.xero_id: link for link in notes}
        self._note_by_caspen = {link.caspen_id: link for link in notes}
        self._allocated = {link.caspen_id for link in mappings.all_links("allocation")}
        self._clients = {link.caspen_id: link.xero_id for link in mappings.all_links("client")}
        self._payers = {link.caspen_id: link.xero_id for link in mappings.all_links("payer")}
        ours = {*self._clients.values(), *self._payers.values()}
        self._contacts = known_contacts.by_id(mappings, ours)
        self.parties = self._names()
        self.set_aside = skips.invoice_ids(mappings.store)
        self._rates = {rate.id: rate.rate for rate in clinic.tax_rates(mappings.store)}
        self._methods = {method.id: method.name for method in clinic.payment_methods(mappings.store)}
        self._chosen = mappings.account_links()
        self._chart = {one.account_id: one.code or one.account_id for one in known_accounts(mappings) or ()}

    # --- who is who

    def contact(self, xero_id: str) -> str:
        """A ContactID, or that of the contact it was merged into, as far as is known."""
        seen = set[str]()
        while xero_id not in seen:
            seen.add(xero_id)
            known = self._contacts.get(xero_id)
            xero_id = known.merged_to if known and known.merged_to else xero_id
        return xero_id

    def knows_contacts(self, xero_ids: Iterable[str]) -> None:
        """Looks up, for `contact`, whether these were merged into others."""
        self._contacts |= known_contacts.by_id(self.mappings, set(xero_ids) - self._contacts.keys())

    def is_contact_of(self, own: OwnInvoice, contact: str) -> bool:
        """Whether a contact is right for an invoice: the one that it was written to; else all that it may be made out to.

        Where nobody knows that of its client yet, all that are no other's are, but for the one in spite of which it was linked.
        """
        if own.written_to:
            return contact == own.written_to
        is_anybodys = own.link is None or own.link.despite is None or "contact" not in own.link.despite.differences
        return contact in own.contacts if own.contacts else is_anybodys and contact not in self.parties

    def account(self, account_id: str | None) -> str:
        """What an account is called in documents: its code, else its id; "" for none."""
        return self._chart.get(account_id or "", account_id or "")

    def link(self, invoice_id: str) -> Link | None:
        """The link of an invoice."""
        return self._by_caspen.get(invoice_id)

    def _names(self) -> dict[str, str]:
        store = self.mappings.store
        clients, payers = clinic.clients(store, self._clients), clinic.contacts(store, self._payers)
        called = {self.contact(xero_id): _person(clients.get(id_)) for id_, xero_id in self._clients.items()}
        for id_, xero_id in self._payers.items():
            payer = payers.get(id_)
            called[self.contact(xero_id)] = (payer.company or _person(payer)) if payer else ""
        return called | {
            self.contact(self._clients[id_]): "All clients" for id_ in (EVERYBODY,) if id_ in self._clients
        }

    # --- documents

    def invoices(self, ids: Iterable[str]) -> dict[str, OwnInvoice]:
        """Invoices with all that is on them, by id; one that was never imported whole is left out."""
        store, ids = self.mappings.store, list(ids)
        records, money = clinic.invoices(store, ids), self._money_on(ids)
        notes, touched = clinic.credit_notes_on(store, ids), todo.touched(store, ids)
        self.knows_contacts(_contact_in(self.link(id_)) for id_ in ids)
        found: dict[str, OwnInvoice] = {}
        for id_, record in records.items():
            link, listed, contacts = self.link(id_), self.listed[id_], self._may_be_made_out_to(record)
            written_to = self._written_to(link, contacts)
            contact = written_to or self._made_out_to(record)
            found[id_] = OwnInvoice(
                record=record,
                listed=listed,
                document=self._invoice_document(record, listed, contact),
                lines=[exact_line(line, self._rates.get(line.tax_rate_id or "", ZERO)) for line in record.lines],
                figures=_figures(record),
                link=link,
                is_done=link is not None and link.done_up_to == touched.get(id_),
                contacts=contacts,
                written_to=written_to,
                money=[
                    *money.get(id_, ()),
                    *(self._credit(note, record) for note in notes.get(id_, ()) if _stands(note)),
                ],
                notes=[self._own_note(note, record, listed, contact) for note in notes.get(id_, ())],
            )
        return found

    def _invoice_document(self, record: Invoice, listed: ListedInvoice, contact: str) -> Document:
        return Document(
            kind="invoice",
            id=record.id,
            number=record.number or "",
            standing=_standing(record.status),
            status=record.status,
            contact=contact,
            party=listed.client or self.parties.get(contact, ""),
            day=record.issue_date,
            currency=record.currency,
            subtotal=record.subtotal or ZERO,
            tax=record.tax or ZERO,
            total=record.total or ZERO,
            due_date=record.due_date,
        )

    def _own_note(self, note: CreditNote, invoice: Invoice, listed: ListedInvoice, contact: str) -> OwnNote:
        document = Document(
            kind="credit_note",
            id=note.id,
            number=note.number,
            standing=_standing(note.status),
            status=note.status,
            contact=contact,
            party=listed.client or self.parties.get(contact, ""),
            day=note.date,
            currency=invoice.currency,
            subtotal=note.subtotal,
            tax=note.tax,
            total=note.total,
        )
        lines = [exact_line(line, self._rates.get(line.tax_rate_id or "", ZERO)) for line in note.lines]
        return OwnNote(note, document, lines, _figures(note), self._note_by_caspen.get(note.id))

    def _made_out_to(self, record: Invoice) -> str:
        """The ContactID that stands for whom an invoice is made out to, as far as one does."""
        payer = self._payers.get(record.invoice_to_id or "") if self.settings.contact == "payer" else None
        everybody = self._clients.get(EVERYBODY) if self.settings.privacy == "generic" else None
        own = everybody or payer or self._clients.get(record.client_id)
        found = own or self._payers.get(record.invoice_to_id or "") or self._clients.get(EVERYBODY)
        return self.contact(found) if found else ""

    def _may_be_made_out_to(self, record: Invoice) -> tuple[str, ...]:
        """The settings may have changed since it was sent: its client, its payer, and the one contact of all are right."""
        found = (
            self._clients.get(record.client_id),
            self._payers.get(record.invoice_to_id or ""),
            self._clients.get(EVERYBODY),
        )
        return tuple(self.contact(one) for one in found if one)

    def _written_to(self, link: Link | None, contacts: Collection[str]) -> str:
        """The contact that an invoice was written to, as long as it is one of those that it may be made out to.

        An invoice that is somebody else's was written to none; where no contact of its client is known yet, it is to stay with the
        one that it had when it was linked.
        """
        if link is None or (contacts and not link.made_by_us):
            return ""
        if not contacts and link.despite is not None and "contact" in link.despite.differences:
            return ""
        written_to = self.contact(_contact_in(link))
        may_be = written_to in contacts if contacts else written_to not in self.parties
        return written_to if may_be else ""

    # --- money

    def _money_on(self, ids: Iterable[str]) -> dict[str, list[OwnMoney]]:
        """What is paid on invoices in Caspen, by invoice id, and what Caspen was told of and its records don't have yet."""
        store, ids = self.mappings.store, list(ids)
        on = clinic.payments_on(store, ids)
        recorded = xero_payments.recorded_on(self.mappings, ids)
        links = {link.caspen_id: link for link in self.mappings.links_of_invoices("payment", ids)}
        links |= self.mappings.links("payment", [one.key for some in on.values() for one in some])
        ours = {link.xero_id for link in links.values()}
        told = [one for some in recorded.values() for one in some if one.delivered]
        named = self._named(told)
        credits = {one.xero_id for some in recorded.values() for one in some if one.is_credit}
        found: defaultdict[str, list[OwnMoney]] = defaultdict(list)
        for id_ in ids:
            currency = self.listed[id_].currency
            found[id_] += [
                self._payment(one, links.get(one.key), currency, credits) for one in on.get(id_, ()) if one.pays
            ]
            found[id_] += [
                _told(one, currency, self.listed[id_].issue_date, self.account(one.account_id))
                for one in recorded.get(id_, ())
                if one.delivered and one.xero_id not in ours and one.xero_id not in named
            ]
        return found

    def _named(self, told: Sequence[XeroPayment]) -> set[str]:
        """Those of which Caspen has a record by now: it names them, or the batch that they are in."""
        store, ids = self.mappings.store, {one.xero_id for one in told}
        batch_of = {one.xero_id: one.batch_id for one in batches.among(self.mappings, ids)}
        by_id = clinic.payment_ids_naming(store, ids | {one.told_as for one in told if one.told_as})
        by_batch = clinic.payments_naming(store, batch_of.values())
        return {
            one.xero_id
            for one in told
            if by_id.keys() & {one.xero_id, one.told_as}
            or any(part.invoice_id == one.invoice_id for part in by_batch.get(batch_of.get(one.xero_id, ""), ()))
        }

    def _payment(self, one: AppliedPayment, link: Link | None, currency: str, credits: Collection[str]) -> OwnMoney:
        chosen = account_of_payment(self._chosen, one.method_id) if one.xero_id is None else None
        return OwnMoney(
            Money(
                kind="credit" if one.xero_id in credits else "payment",
                id=one.key,
                invoice=one.invoice_id,
                day=one.date,
                amount=one.amount,
                currency=currency,
                account=self.account(chosen),
                method=self._methods.get(one.method_id or "", ""),
            ),
            names=tuple(dict.fromkeys(id_ for id_ in (link.xero_id if link else None, one.xero_id) if id_)),
            key=one.key,
            is_linked=link is not None,
            made_by_us=link is not None and link.made_by_us,
            came_from_xero=one.xero_id is not None,
            account_id=chosen if link is None or link.made_by_us else None,
            known_days=link.despite.differences.get("date") if link and link.despite else None,
        )

    def _credit(self, note: CreditNote, invoice: Invoice) -> OwnMoney:
        link = self._note_by_caspen.get(note.id)
        return OwnMoney(
            Money(
                kind="credit",
                id=note.id,
                invoice=invoice.id,
                day=max(note.date, invoice.issue_date),
                amount=note.total,
                currency=invoice.currency,
                reference=note.number,
            ),
            names=(link.xero_id,) if link else (),
            key=note.id,
            number=note.number,
            is_linked=note.id in self._allocated,
        )


def of_listed(listed: ListedInvoice, day: date) -> Document:
    """An invoice of Caspen's as the list of all has it, without a look at its record. `day`: where no day of it is known."""
    total = listed.total or ZERO
    return Document(
        kind="invoice",
        id=listed.invoice_id,
        number=listed.number or "",
        standing="stands",
        status=listed.caspen_own_status,
        contact="",
        party=listed.client,
        day=listed.issue_date or day,
        currency=listed.currency,
        subtotal=total,
        tax=ZERO,
        total=total,
    )


def _told(one: XeroPayment, currency: str, day: date | None, account: str) -> OwnMoney:
    money = Money(
        kind="credit" if one.is_credit else "payment",
        id=one.xero_id,
        invoice=one.invoice_id,
        day=one.date or day or date.min,
        amount=one.amount,
        currency=currency,
        account=account,
        reference=one.reference or "",
        told=True,
    )
    return OwnMoney(money, (one.xero_id,), one.xero_id, is_linked=True, came_from_xero=True)


def _contact_in(link: Link | None) -> str:
    """The ContactID in what was last written of an invoice, "" for none."""
    return (link.last_written or {}).get("contact", "") if link else ""


def _figures(record: Invoice | CreditNote) -> Figures:
    return Figures(*(cents_of(one or ZERO) for one in (record.subtotal, record.tax, record.total)))


def _standing(status: str) -> Standing:
    return "gone" if status in GONE else "draft" if status == "draft" else "stands"


def _stands(note: CreditNote) -> bool:
    return note.status == "issued"


def _person(record: object) -> str:
    names = (getattr(record, "first_name", None), getattr(record, "last_name", None))
    return " ".join(one.strip() for one in names if one and one.strip())
