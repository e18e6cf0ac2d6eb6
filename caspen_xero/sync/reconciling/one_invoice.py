"""One invoice of Caspen's beside what stands for it in Xero, with its payments and credit notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from caspen_xero.caspen.records import allocation_key, payment_id_in
from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.sync.fix_commands import find_fix
from caspen_xero.sync.reconciling.caspen_side import CaspenSide, OwnInvoice, OwnMoney
from caspen_xero.sync.reconciling.documents import Rates, accounts_sent, as_sent, compare_lines, counted_alone
from caspen_xero.sync.reconciling.findings import (
    ABSENT,
    CANT_BE_READ,
    Findings,
    contacts_in_words,
    figures_in_words,
    in_words,
)
from caspen_xero.sync.reconciling.finds import PAID_WITHOUT_PAYMENT
from caspen_xero.sync.reconciling.ledger import Compared, Document, LeftOut, Money, MoneyPair, Pair, WhyLeftOut
from caspen_xero.sync.reconciling.money import WhyMoneyLeftOut, as_paired, match_money
from caspen_xero.sync.reconciling.money import in_words as money_in_words
from caspen_xero.sync.reconciling.one_note import OneNote, resolved
from caspen_xero.sync.reconciling.xero_side import DocumentThere, There, XeroSide
from caspen_xero.sync.setup.settings import Settings

ZERO = Decimal(0)


@dataclass
class OneInvoice:
    """Compares invoices one by one; `notes` compares their credit notes."""

    compared: Compared
    findings: Findings
    caspen: CaspenSide
    xero: XeroSide
    settings: Settings
    rates: Rates
    notes: OneNote = field(init=False)

    def __post_init__(self) -> None:
        self.notes = OneNote(self.compared, self.findings, self.caspen, self.xero, self.rates)

    def compare(self, own: OwnInvoice, *, is_read: Callable[[str], bool]) -> None:
        """An invoice with all that is on it, on both sides."""
        assert own.link is not None
        there = self.xero.invoice(own.link.xero_id)
        if there is None:
            self._not_there(own, is_there=is_read(own.link.xero_id))
        elif there.document.standing == "gone":
            self._gone_there(own, there)
        elif not own.is_finalised:
            self._gone_here(own, there)
        else:
            self._both(own, resolved(there, self.caspen))

    # --- on one side only

    def _not_there(self, own: OwnInvoice, *, is_there: bool) -> None:
        if not own.is_finalised and not is_there:
            self._leave_out(own)
            return
        document = self._alone(own)
        code, words = ("unreadable-in-xero", CANT_BE_READ) if is_there else ("missing-in-xero", "Xero does not have it")
        amount = ZERO if is_there else -document.total
        self.findings.of(code, own, None, in_words(document), words, amount=amount)
        self._only_here(own, document, None)

    def _gone_there(self, own: OwnInvoice, there: DocumentThere) -> None:
        if not own.is_finalised:
            self._leave_out(own)
            return
        document = self._alone(own)
        words = f"it is {plain(there.document.status.lower())}"
        self.findings.of("voided-in-xero", own, there, in_words(document), words, amount=-document.total)
        self._only_here(own, document, there.document)

    def _gone_here(self, own: OwnInvoice, there: DocumentThere) -> None:
        there = resolved(there, self.caspen)
        words = f"it is {'a draft' if own.record.status == 'draft' else plain(own.record.status)}"
        shown = in_words(there.document)
        is_draft = own.record.status == "draft"  # of which a push does nothing
        number, source = own.document.number, self.settings.source
        fix = find_fix("gone-in-caspen", number, own.id, source) if is_draft else ""
        self.findings.of("gone-in-caspen", own, there, words, shown, amount=there.document.total, fix=fix)
        self.compared.invoices.append(Pair(self._alone(own), there.document))
        self.compared.payments += [MoneyPair(None, one.money) for one in there.money]
        self.notes.compare(own, there)

    def _only_here(self, own: OwnInvoice, document: Document, there: Document | None) -> None:
        paid = [one.money for one in own.money]
        self.compared.payments += [MoneyPair(money, None) for money in paid]
        self.compared.invoices.append(Pair(_with_money(document, paid), there))
        self.notes.compare(own, None)

    def _leave_out(self, own: OwnInvoice) -> None:
        why: WhyLeftOut = "draft" if own.record.status == "draft" else "void"
        self.compared.left_out.append(LeftOut(self._alone(own), why))
        self.notes.compare_what_stands(own)
        paid = (one.money for one in own.money if not self._is_after(one.money.day))
        self.compared.money_left_out += [(money, "invoice-left-out") for money in paid]

    def _alone(self, own: OwnInvoice) -> Document:
        accounts = accounts_sent(own.link, own.record.lines)
        return counted_alone(own.document, own.lines, own.figures, own.record.tax_mode, self.rates.now, accounts)

    # --- on both sides

    def _both(self, own: OwnInvoice, there: DocumentThere) -> None:
        document = self._heading(own, there)
        self._figures(own, there)
        document = self._lines(own, there, document)
        paid = self._money(own, there)
        document = _with_money(document, paid)
        self._whole_money(own, there, document)
        self._paid_without_payment(own, there)
        self.compared.invoices.append(Pair(document, there.document))
        self.notes.compare(own, there)

    def _heading(self, own: OwnInvoice, there: DocumentThere) -> Document:
        """Finds what differs in the heading; gives Caspen's document with the contact that is right for it."""
        ours, theirs = own.document, there.document

        def differs(code: str, mine: object, shown: object) -> None:
            content = self._is_content(own, code, str(shown))
            self.findings.of(code, own, there, plain(mine or "nothing"), plain(shown or "nothing"), is_content=content)

        if ours.number != theirs.number:
            differs("number", ours.number, theirs.number)
        if ours.day != theirs.day:
            differs("date", ours.day, theirs.day)
        if ours.due_date is not None and ours.due_date != theirs.due_date:
            differs("due-date", ours.due_date, theirs.due_date)
        if ours.currency != theirs.currency:
            differs("currency", ours.currency, theirs.currency)
        if theirs.standing == "draft" and self.settings.invoice_status != "draft":
            differs("status", ours.status, theirs.status)
        if self.caspen.is_contact_of(own, theirs.contact):
            return replace(ours, contact=theirs.contact)
        mine, shown = contacts_in_words(ours, theirs, self.caspen.parties)
        content = self._is_content(own, "contact", theirs.contact)
        self.findings.of("contact", own, there, mine, shown, is_content=content)
        return ours

    def _is_content(self, own: OwnInvoice, name: str, shown: str) -> bool:
        """Whether the person who linked an invoice has said that it is the same debt though Xero shows that."""
        despite = own.link.despite if own.link else None
        if despite is None or not despite.with_payments or name not in despite.differences:
            return False
        return despite.differences[name][1] == shown

    def _figures(self, own: OwnInvoice, there: DocumentThere) -> None:
        ours, theirs = own.document, there.document
        if (ours.subtotal, ours.tax, ours.total) != (theirs.subtotal, theirs.tax, theirs.total):
            mine, shown = figures_in_words(ours), figures_in_words(theirs)
            self.findings.of("figures", own, there, mine, shown, amount=theirs.total - ours.total)

    def _lines(self, own: OwnInvoice, there: DocumentThere, document: Document) -> Document:
        sent = as_sent(own.link, there, own.record.lines, self.rates, is_done=own.is_done)

        def found(code: str, mine: str, shown: str, subject: str, amount: Decimal) -> None:
            self.findings.of(code, own, there, mine, shown, subject=subject, amount=amount)

        held = compare_lines(
            document, own.lines, own.figures, own.record.tax_mode, there, sent, self.compared.names, found
        )
        self.compared.recoded += [(held.own, *lines) for lines in held.recoded]
        for code, mine, shown, subject in held.told:
            self.findings.tell(code, own, there, mine, shown, subject)
        return held.own

    # --- money

    def _money(self, own: OwnInvoice, there: DocumentThere) -> list[Money]:
        """Pairs what is paid and credited; gives what of Caspen's counts."""
        matched = match_money(own.money, there.money, by_feed=self.settings.feed_brings_payments)
        counts = list[Money]()
        for mine, one in matched.pairs:
            parts = [part for whose, part in matched.rest if whose is mine]
            counts.append(self._pair(own, there, mine, one, parts))
        for mine in matched.own:
            why = self._why_out(own, mine)
            if why is not None and self._is_after(mine.money.day):
                continue
            if why is not None:
                self.compared.money_left_out.append((mine.money, why))
                continue
            counts.append(mine.money)
            self.compared.payments.append(MoneyPair(mine.money, None))
            self._found_money(own, there, f"{mine.money.kind}-missing-in-xero", mine, None)
        for one in matched.there:
            self.compared.payments.append(MoneyPair(None, one.money))
            self._found_money(own, there, f"{one.money.kind}-unknown-in-caspen", None, one)
        return counts

    def _pair(self, own: OwnInvoice, there: DocumentThere, mine: OwnMoney, one: There, parts: list[There]) -> Money:
        is_of_the_feed = (
            self.settings.feed_brings_payments
            and mine.money.kind == one.money.kind == "payment"
            and not (mine.made_by_us or mine.came_from_xero)
        )
        if is_of_the_feed:  # what the bank shows is the day on which it was paid, and the account into which
            if mine.money.day != one.money.day:
                both = str(mine.money.day), str(one.money.day)
                self.findings.tell("bank-day", own, there, *both, subject=_subject(mine.money), day=one.money.day)
            mine = replace(mine, money=replace(mine.money, day=one.money.day), account_id=None)
        whole = one.money.amount + sum((part.money.amount for part in parts), ZERO)
        is_one_day = all(part.money.day == one.money.day for part in parts)
        ours, theirs = as_paired(mine, replace(one, money=replace(one.money, amount=whole)) if is_one_day else one)
        self.compared.payments.append(MoneyPair(ours, theirs))
        if not is_one_day:
            self.compared.payments += [MoneyPair(None, part.money) for part in parts]
        kind, named = theirs.kind, _named(mine, one)
        days = {theirs.day, *(part.money.day for part in parts)}
        if self._is_after(ours.day, *days):
            return ours
        if ours.amount != whole:
            amounts = money_in_words(ours), money_in_words(replace(theirs, amount=whole))
            amount = whole - ours.amount
            self.findings.of(
                f"{kind}-amount",
                own,
                there,
                *amounts,
                amount=amount,
                subject=_subject(ours, mine.number),
                named=named,
                day=ours.day,
            )
        if days != {ours.day}:
            words = f"{money_in_words(ours)}", f"on {', '.join(str(day) for day in sorted(days))}"
            self.findings.of(
                f"{kind}-date",
                own,
                there,
                *words,
                subject=_subject(ours, mine.number),
                named=named,
                day=ours.day,
                is_content=mine.known_days is not None
                and mine.known_days == (str(ours.day), ", ".join(map(str, sorted(days)))),
            )
        chosen = self.caspen.account(mine.account_id)
        if kind == "payment" and chosen and theirs.account and chosen != theirs.account:
            called = self.compared.names.accounts
            accounts = plain(called.get(chosen) or chosen), plain(called.get(theirs.account) or theirs.account)
            self.findings.tell(
                "payment-account", own, there, *accounts, subject=_subject(ours, mine.number), day=ours.day
            )
        return ours

    def _found_money(
        self, own: OwnInvoice, there: DocumentThere, code: str, mine: OwnMoney | None, one: There | None
    ) -> None:
        money = mine.money if mine else one.money if one else None
        assert money is not None
        if self._is_after(money.day):
            return
        words = (money_in_words(money), self._where_else(own, mine)) if mine else (ABSENT, money_in_words(money))
        amount, named = -money.amount if mine else money.amount, _named(mine, one)
        self.findings.of(
            code,
            own,
            there,
            *words,
            amount=amount,
            subject=_subject(money, (mine.number if mine else one.number if one else "")),
            named=named,
            day=money.day,
        )

    def _is_after(self, *days: date) -> bool:
        """Whether money of these days, on either side, counts for nothing that was asked."""
        return all(self.compared.asked.is_after(day) for day in days)

    def _where_else(self, own: OwnInvoice, mine: OwnMoney) -> str:
        """Where in Xero a payment is that is not on its invoice, as far as the reading tells."""
        for id_ in mine.names:
            found = self.xero.reading.payments.get(id_)
            if found is not None and found.status == "DELETED":
                return "it is deleted"
            on = found.invoice if found else None
            if on is not None and own.link and on.invoice_id == own.link.xero_id:
                return "another payment of Caspen's stands for it"
            if on is not None:
                return f"it is on {plain(on.invoice_number or on.invoice_id or 'another invoice')}"
        return ABSENT

    def _why_out(self, own: OwnInvoice, mine: OwnMoney) -> WhyMoneyLeftOut | None:
        """Why a payment or credit of Caspen's is not in Xero, where that is as it ought to be, or is known already."""
        if mine.came_from_xero or mine.is_linked:
            return None
        if mine.money.kind == "payment" and self.settings.feed_brings_payments:
            return "feed"
        about = self.findings.troubles_about(own.id, _named(mine, None))
        if any(not one.is_difference for one in about):
            return "held"
        if not own.is_done:
            return "pending"
        troubles = self.findings.books.troubles_of.get(own.id, ())
        return "held" if any(not one.is_difference for one in troubles) else None

    def _whole_money(self, own: OwnInvoice, there: DocumentThere, document: Document) -> None:
        """Xero's own sums, where its own lists don't come to them."""
        theirs = there.document
        due = getattr(there.source, "amount_due", None)
        for code, whole, listed, ours in (
            ("paid", theirs.paid, there.listed_paid, document.paid),
            ("credited", theirs.credited, there.listed_credited, document.credited),
        ):
            if whole != listed:
                shown = f"{money_text(whole)} in all, though what is listed comes to {money_text(listed)}"
                self.findings.of(code, own, there, money_text(ours), shown, amount=whole - listed)
        if due is not None and due != theirs.due and theirs.paid == there.listed_paid:
            shown = f"{money_text(due)} is due of {money_text(theirs.total)}, though {money_text(theirs.due)} is left"
            self.findings.of("paid", own, there, f"{money_text(document.due)} is due", shown)

    def _paid_without_payment(self, own: OwnInvoice, there: DocumentThere) -> None:
        """What Caspen calls paid, and has no record of; where the bank's feed brings the payments, it needs none."""
        lacks = own.document.total - sum((one.money.amount for one in own.money), ZERO)
        if own.record.status != "paid" or lacks <= 0 or self.settings.feed_brings_payments:
            return
        words = "paid", f"{money_text(there.document.due)} is due"
        self.findings.tell(PAID_WITHOUT_PAYMENT, own, there, *words, subject="", amount=lacks)


def _with_money(document: Document, money: list[Money]) -> Document:
    """Caspen's document with what of its payments and credits counts."""
    paid = sum((one.amount for one in money if one.kind == "payment"), ZERO)
    credited = sum((one.amount for one in money if one.kind == "credit"), ZERO)
    return replace(document, paid=paid, credited=credited)


def _named(mine: OwnMoney | None, one: There | None) -> set[str]:
    """The ids by which a problem may tell of a payment or credit."""
    found = {one.money.id, one.credit_id} if one else set[str]()
    if mine:
        found |= {mine.key, *mine.names}
        if mine.money.kind == "payment" and not mine.money.told:
            found |= {payment_id_in(mine.key), allocation_key(payment_id_in(mine.key), "")}
    return found - {""}


def _subject(money: Money, number: str = "") -> str:
    """What names a payment, or a credit; a credit note by its number."""
    return plain(number or money.id)
