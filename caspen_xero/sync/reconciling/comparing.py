"""Both sides held against each other, document by document, line by line and payment by payment: what is equal, and what is not.

Whatever ought to be in Xero is paired with what stands for it there, by the links of the store and by what it carries, and never
because it looks alike. What Caspen leaves out of Xero, and what in Xero is nobody's of Caspen's, stands apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from caspen_xero.caspen.records import GONE
from caspen_xero.outside_text import plain
from caspen_xero.store.listing import ListedInvoice
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.books.books import Books
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.reconciling.caspen_side import CaspenSide, OwnInvoice, OwnNote, of_listed
from caspen_xero.sync.reconciling.documents import Rates, counted_alone
from caspen_xero.sync.reconciling.findings import Findings, figures_in_words
from caspen_xero.sync.reconciling.ledger import (
    NOT_YET,
    Asked,
    Compared,
    Document,
    LeftOut,
    MoneyPair,
    Names,
    WhyLeftOut,
)
from caspen_xero.sync.reconciling.money import WhyMoneyLeftOut, as_paired, match_money
from caspen_xero.sync.reconciling.nobodys import Nobodys
from caspen_xero.sync.reconciling.one_invoice import OneInvoice
from caspen_xero.sync.reconciling.xero_side import ReadingLike, There, XeroSide
from caspen_xero.sync.setup.accounts import account_label
from caspen_xero.sync.setup.organisation import known_accounts, known_tax_rates
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import GONE_STATUSES

ZERO = Decimal(0)


def compare_books(
    mappings: Mappings,
    settings: Settings,
    asked: Asked,
    reading: ReadingLike,
    listed: Mapping[str, ListedInvoice],
    books: Books,
) -> Compared:
    """Compares what Caspen has with what was read of Xero. `listed`: every invoice, judged (`Books.judged`), by id.

    Asks the reading for invoices of ours that it lacks, once for all that stand within what is asked, by their ids.
    """
    return _Comparison(mappings, settings, asked, reading, listed, books).made()


class _Comparison:
    def __init__(
        self,
        mappings: Mappings,
        settings: Settings,
        asked: Asked,
        reading: ReadingLike,
        listed: Mapping[str, ListedInvoice],
        books: Books,
    ) -> None:
        self.settings, self.asked, self.reading, self.listed, self.books = settings, asked, reading, listed, books
        self.caspen, self.xero = CaspenSide(mappings, settings, listed), XeroSide(reading)
        self.compared = Compared(asked, names=_names(mappings, self.caspen))
        self.findings = Findings(self.compared, books, source=settings.source)
        self.rates = Rates(mappings.tax_links(), mappings.tax_rates_linked_at())
        self.why = {id_: why for id_, one in listed.items() if (why := self._why_left_out(one)) is not None}

    def made(self) -> Compared:
        """Everything compared."""
        shown = (one.contact for one in self.reading.invoices.values())
        self.caspen.knows_contacts(one.contact_id for one in shown if one and one.contact_id)
        self._leave_out()
        own = self._to_compare()
        self.findings.pending = {id_ for id_, one in own.items() if not one.is_done}
        one_invoice = OneInvoice(self.compared, self.findings, self.caspen, self.xero, self.settings, self.rates)
        for invoice in sorted(own.values(), key=lambda one: (one.document.day, one.document.number, one.id)):
            one_invoice.compare(invoice, is_read=self._is_read)
        Nobodys(self.compared, self.findings, self.caspen, self.xero, self.why, one_invoice.notes.taken).sort()
        self._payments_on_what_was_not_read()
        self._name_parties()
        return self.compared

    # --- what is left out

    def _why_left_out(self, one: ListedInvoice) -> WhyLeftOut | None:
        """Why an invoice is not compared; None for one that is in Xero, or was, as far as anybody knows."""
        if one.invoice_id in self.caspen.set_aside:
            return "skipped"
        if self.caspen.link(one.invoice_id) is not None:
            return None
        match one.sync_status:
            case "draft" | "void" | "pending":
                return one.sync_status
            case "skipped":
                return "before-start-date"
        if one.caspen_own_status in GONE:
            return "void"
        return "held" if one.caspen_own_status != "draft" or one.sync_status == "unsynced" else "draft"

    def _leave_out(self) -> None:
        own = self.caspen.invoices(self.why)
        self._read_what_is_missing(id_ for id_, one in own.items() if one.link and self.asked.holds(one.document.day))
        for id_, why in self.why.items():
            listed = self.listed[id_]
            document = own[id_].document if id_ in own else of_listed(listed, self.asked.last)
            troubles = self.books.troubles_of.get(id_, ())
            reason, fix = "; ".join(one.reason for one in troubles), next((one.fix for one in troubles if one.fix), "")
            if why == "pending" and not fix:
                fix = push_command(listed.number, id_)
            is_in = self.asked.holds(document.day) or (why in NOT_YET and document.day <= self.asked.as_at)
            link = self.caspen.link(id_)
            there = self.xero.invoice(link.xero_id) if link else None
            if id_ in own:
                document = self._counted_alone(own[id_])
            if link is not None and id_ in own:
                reason = _beside(document, there.document if there else None)
            if is_in or there is not None:
                stands_there = there.document if there and there.document.standing != "gone" else None
                self.compared.left_out.append(LeftOut(document, why, reason, fix, stands_there))
                if there is not None and stands_there is not None:
                    self.compared.payments += [MoneyPair(None, one.money) for one in there.money]
            if id_ in own:
                self._leave_out_what_is_on(own[id_], why, reason, fix, is_in=is_in)

    def _leave_out_what_is_on(self, own: OwnInvoice, why: WhyLeftOut, reason: str, fix: str, *, is_in: bool) -> None:
        for note in own.notes:
            if (is_in and not self.asked.is_after(note.document.day)) or self._is_asked_for(note):
                why_note: WhyLeftOut = "void" if note.document.standing == "gone" else why
                document = self._counted_note(own, note)
                there = self.xero.credit_note(note.link.xero_id) if note.link else None
                stands_there = there.document if there and there.document.standing != "gone" else None
                self.compared.left_out.append(LeftOut(document, why_note, reason, fix, stands_there))
        left: WhyMoneyLeftOut = "invoice-left-out"
        self.compared.money_left_out += [
            (one.money, left)
            for one in own.money
            if (is_in and not self.asked.is_after(one.money.day)) or self.asked.holds(one.money.day)
        ]

    def _counted_alone(self, own: OwnInvoice) -> Document:
        return counted_alone(own.document, own.lines, own.figures, own.record.tax_mode, self.rates.now)

    def _counted_note(self, own: OwnInvoice, note: OwnNote) -> Document:
        return counted_alone(note.document, note.lines, note.figures, own.record.tax_mode, self.rates.now)

    # --- what is compared

    def _to_compare(self) -> dict[str, OwnInvoice]:
        """The invoices that are compared, all that Xero has of them read."""
        linked = {
            id_: link for id_ in self.listed if id_ not in self.why and (link := self.caspen.link(id_)) is not None
        }
        within = {id_ for id_, link in linked.items() if self._is_within(self.listed[id_], link)}
        own = self.caspen.invoices(within)
        outside = self.caspen.invoices(linked.keys() - within)
        own |= {id_: one for id_, one in outside.items() if self._owes(one)}
        own |= self._with_money_that_differs({id_: one for id_, one in outside.items() if id_ not in own})
        self._read_what_is_missing(own.keys() | self._namesakes())
        return own

    def _is_within(self, one: ListedInvoice, link: Link) -> bool:
        day = one.issue_date
        is_asked_for = day is None or self.asked.holds(day) or (self._from_start(day) and day <= self.asked.as_at)
        return is_asked_for or self._is_read(link.xero_id)

    def _from_start(self, day: date) -> bool:
        return self.asked.first is None or self.asked.first <= day

    def _is_read(self, xero_id: str) -> bool:
        return xero_id in self.reading.invoices or xero_id in self.reading.unreadable_ids

    def _owes(self, own: OwnInvoice) -> bool:
        """Whether, by Caspen, something is owed of an invoice from before the period on the day of the debtors."""
        if not own.is_finalised or own.document.day > self.asked.as_at:
            return False
        gone = sum((one.money.amount for one in own.money if one.money.day <= self.asked.as_at), ZERO)
        return own.document.total != gone

    def _with_money_that_differs(self, outside: Mapping[str, OwnInvoice]) -> dict[str, OwnInvoice]:
        """Of invoices outside the period, those whose payments or credits of the period differ, or that have a credit note of it.

        What is plainly equal of the others is paired.
        """
        by_xero = {one.link.xero_id: id_ for id_, one in outside.items() if one.link}
        there: defaultdict[str, list[There]] = defaultdict(list)
        for found in (self.xero.payments_by_invoice(), self.xero.allocations_by_invoice()):
            for xero_id, some in found.items():
                if xero_id in by_xero:
                    there[by_xero[xero_id]] += [one for one in some if self.asked.holds(one.money.day)]
        differ = dict[str, OwnInvoice]()
        for id_, one in outside.items():
            mine = [each for each in one.money if self.asked.holds(each.money.day)]
            has_note = any(self._is_asked_for(note) for note in one.notes)
            if not (mine or there[id_] or has_note):
                continue
            matched = match_money(mine, there[id_], by_feed=False)
            is_equal = not (matched.own or matched.there or matched.rest) and all(
                (each.money.amount, each.money.day) == (other.money.amount, other.money.day)
                for each, other in matched.pairs
            )
            if is_equal and not has_note:
                self.compared.payments += [MoneyPair(*as_paired(*pair)) for pair in matched.pairs]
            else:
                differ[id_] = one
        return differ

    def _is_asked_for(self, note: OwnNote) -> bool:
        """Whether a credit note is of the period on either side."""
        there = self.xero.credit_note(note.link.xero_id) if note.link else None
        return self.asked.holds(note.document.day) or (there is not None and self.asked.holds(there.document.day))

    def _namesakes(self) -> set[str]:
        """Linked invoices whose number something else in Xero has too, which nothing stands for."""
        unlinked = {
            (one.invoice_number or "").casefold()
            for id_, one in self.reading.invoices.items()
            if id_ not in self.caspen.links and one.status not in GONE_STATUSES
        }
        return {id_ for id_, one in self.listed.items() if one.number and one.number.casefold() in unlinked}

    def _read_what_is_missing(self, ids: Iterable[str]) -> None:
        links = (self.caspen.link(id_) for id_ in ids)
        missing = {link.xero_id for link in links if link and not self._is_read(link.xero_id)}
        if missing:
            self.reading.also(sorted(missing))

    def _payments_on_what_was_not_read(self) -> None:
        """Adds the payments of the period in Xero whose invoice shows none here: it is of another day, or can't be read."""
        shown = {pair.xero.id for pair in self.compared.invoices if pair.xero}
        shown |= {pair.xero.invoice for pair in self.compared.payments if pair.xero}
        numbers = {(self.listed[id_].number or "").casefold() for id_ in self.why} - {""}
        for xero_id, some in self.xero.payments_by_invoice().items():
            there = [one for one in some if self.asked.holds(one.money.day)]
            if not there or xero_id in shown:
                continue
            self.compared.payments += [MoneyPair(None, one.money) for one in there]
            link = self.caspen.links.get(xero_id)
            if link is None:
                on = self.reading.payments[there[0].money.id].invoice
                is_left_out = on is not None and (on.invoice_number or "").casefold() in numbers
                self.compared.not_read[xero_id] = "left-out" if is_left_out else "nobodys"
            elif link.caspen_id in self.why:
                self.compared.not_read[xero_id] = "left-out"

    def _name_parties(self) -> None:
        """What is called so in Xero alone, beside Caspen's own names."""
        called = dict[str, str]()
        for pair in (*self.compared.invoices, *self.compared.credit_notes):
            if pair.xero:
                called.setdefault(pair.xero.contact, pair.xero.party)
        for one in self.compared.others:
            called.setdefault(one.contact, one.party)
        ours = {id_: name for id_, name in self.caspen.parties.items() if name}
        paid = [pair.caspen.invoice for pair in self.compared.payments if pair.caspen]
        paid += [money.invoice for money, _ in self.compared.money_left_out]
        invoices = {id_: (self.listed[id_].number or "", self.listed[id_].client) for id_ in paid if id_ in self.listed}
        self.compared.names = replace(self.compared.names, parties=called | ours, invoices=invoices)


def _beside(ours: Document, theirs: Document | None) -> str:
    """How an invoice that a person has set aside after it was sent stands in Xero, where that is not as Caspen has it."""
    if theirs is None:
        return "it was sent, and Xero does not have it, or it can't be read there"
    if theirs.standing == "gone":
        return f"it was sent, and is {plain(theirs.status.lower())} in Xero"
    both = [
        (figures_in_words(ours), figures_in_words(theirs)),
        (f"number {plain(ours.number)}", f"number {plain(theirs.number)}"),
        (f"date {ours.day}", f"date {theirs.day}"),
        (plain(ours.currency), plain(theirs.currency)),
    ]
    differ = [(mine, shown) for mine, shown in both if mine != shown]
    if not differ:
        return ""
    mine, shown = ("; ".join(words) for words in zip(*differ, strict=True))
    return f"it was sent, and differs: {mine} in Caspen, {shown} in Xero"


def _names(mappings: Mappings, caspen: CaspenSide) -> Names:
    accounts = dict[str, str]()
    for account in known_accounts(mappings) or ():
        label = account_label(account)
        accounts[account.account_id] = label
        if account.code:
            accounts[account.code] = label
    rates = {rate.tax_type: rate.name for rate in known_tax_rates(mappings) or ()}
    return Names(accounts=accounts, rates=rates, parties=caspen.parties)
