"""One credit note of Caspen's beside what stands for it in Xero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.reconciling.caspen_side import CaspenSide, OwnInvoice, OwnNote
from caspen_xero.sync.reconciling.documents import Rates, as_sent, compare_lines, counted_alone
from caspen_xero.sync.reconciling.findings import (
    ABSENT,
    CANT_BE_READ,
    Findings,
    contacts_in_words,
    figures_in_words,
    in_words,
)
from caspen_xero.sync.reconciling.ledger import Compared, Document, LeftOut, Pair, WhyLeftOut
from caspen_xero.sync.reconciling.xero_side import DocumentThere, XeroSide

ZERO = Decimal(0)


@dataclass
class OneNote:
    """Compares credit notes one by one. `taken`: CreditNoteIDs that stand for credit notes of Caspen's by their number alone."""

    compared: Compared
    findings: Findings
    caspen: CaspenSide
    xero: XeroSide
    rates: Rates
    taken: set[str] = field(default_factory=set)

    def compare(self, own: OwnInvoice, on: DocumentThere | None) -> None:
        """All credit notes of an invoice, on both sides. `on`: what stands for the invoice in Xero."""
        for note in own.notes:
            there = self._there(note, on)
            if there is not None:
                there = resolved(there, self.caspen)
            document = note_alone(own, note, self.rates.now)
            if note.document.standing == "gone":
                self._void(own, document, there)
            elif there is None:
                self._missing(own, note, document)
            elif there.document.standing == "gone":
                words = f"it is {plain(there.document.status.lower())}"
                self._found("voided-in-xero", own, note, there, in_words(document), words, amount=document.total)
                self.compared.credit_notes.append(Pair(document, there.document))
            else:
                self._both(own, note, there, on)

    def compare_what_stands(self, own: OwnInvoice) -> None:
        """The credit notes of an invoice that is on neither side: what of them stands in Xero, and what is left out."""
        for note in own.notes:
            there = self._there(note, None)
            if there is None or there.document.standing == "gone":
                self.compared.left_out.append(LeftOut(note_alone(own, note, self.rates.now), "void"))
            elif note.document.standing == "gone":
                self._void(own, note_alone(own, note, self.rates.now), resolved(there, self.caspen))
            else:
                self._both(own, note, resolved(there, self.caspen), None)

    def _there(self, note: OwnNote, on: DocumentThere | None) -> DocumentThere | None:
        if note.link is not None:
            return self.xero.credit_note(note.link.xero_id)
        for one in on.money if on else ():
            is_it = one.is_note and one.number == note.record.number and one.credit_id not in self.caspen.note_links
            if is_it and note.document.standing != "gone":
                self.taken.add(one.credit_id)
                return self.xero.credit_note(one.credit_id)
        return None

    def _void(self, own: OwnInvoice, document: Document, there: DocumentThere | None) -> None:
        if there is None or there.document.standing == "gone":
            self.compared.left_out.append(LeftOut(document, "void"))
            return
        words = f"it is {plain(document.status)}"
        note = next(one for one in own.notes if one.record.id == document.id)
        shown = in_words(there.document)
        self._found("gone-in-caspen", own, note, there, words, shown, amount=-there.document.total)
        self.compared.credit_notes.append(Pair(document, there.document))

    def _missing(self, own: OwnInvoice, note: OwnNote, document: Document) -> None:
        if self.compared.asked.is_after(document.day):
            return
        if note.link is None:
            why = self._why_out(own, note)
            if why is not None:
                troubles = self.findings.troubles_about(own.id, {note.record.id})
                troubles = troubles or list(self.findings.books.troubles_of.get(own.id, ()))
                reason = "; ".join(one.reason for one in troubles) if why == "held" else ""
                fix = next((one.fix for one in troubles if one.fix), "") or push_command(own.document.number, own.id)
                self.compared.left_out.append(LeftOut(document, why, reason, fix))
                return
        elif not self.compared.asked.holds(note.document.day):
            return  # it is from before what was read, and on nothing that was: of its invoice that is told
        if own.link and own.link.xero_id in self.xero.reading.unreadable_ids:
            self.findings.of("unreadable-in-xero", own, None, in_words(document), CANT_BE_READ, subject=document.number)
        else:
            self._found("missing-in-xero", own, note, None, in_words(document), ABSENT, amount=document.total)
        self.compared.credit_notes.append(Pair(document, None))

    def _why_out(self, own: OwnInvoice, note: OwnNote) -> WhyLeftOut | None:
        about = self.findings.troubles_about(own.id, {note.record.id})
        if any(not one.is_difference for one in about):
            return "held"
        if not own.is_done:
            return "pending"
        troubles = self.findings.books.troubles_of.get(own.id, ())
        return "held" if any(not one.is_difference for one in troubles) else None

    def _found(
        self,
        what: str,
        own: OwnInvoice,
        note: OwnNote,
        there: DocumentThere | None,
        caspen: str,
        xero: str,
        *,
        amount: Decimal = ZERO,
        subject: str = "",
    ) -> None:
        days = [note.document.day, *([there.document.day] if there else ())]
        if all(self.compared.asked.is_after(day) for day in days):
            return  # it counts for nothing that was asked
        named = {note.record.id, *([note.link.xero_id] if note.link else ()), *([there.id] if there else ())}
        about = f"credit note {plain(note.record.number)}"
        self.findings.of(
            f"credit-note-{what}",
            own,
            there,
            caspen,
            xero,
            amount=amount,
            subject=f"{about}, {subject}" if subject else about,
            named=named,
            day=note.document.day,
        )

    def _both(self, own: OwnInvoice, note: OwnNote, there: DocumentThere, on: DocumentThere | None) -> None:
        ours, theirs = note.document, there.document

        def differs(what: str, mine: object, shown: object, amount: Decimal = ZERO) -> None:
            self._found(what, own, note, there, plain(mine or "nothing"), plain(shown or "nothing"), amount=amount)

        if ours.number != theirs.number:
            differs("number", ours.number, theirs.number)
        if ours.day != theirs.day:
            differs("date", ours.day, theirs.day)
        if ours.currency != theirs.currency:
            differs("currency", ours.currency, theirs.currency)
        if theirs.standing == "draft":
            differs("status", ours.status, theirs.status)
        is_invoices = on is not None and theirs.contact == self.caspen.contact(on.document.contact)
        if is_invoices or self.caspen.is_contact_of(own, theirs.contact):
            ours = replace(ours, contact=theirs.contact)
        else:
            differs("contact", *contacts_in_words(ours, theirs, self.caspen.parties))
        if (ours.subtotal, ours.tax, ours.total) != (theirs.subtotal, theirs.tax, theirs.total):
            # It takes off what is owed: the more it is, the less Xero's total.
            differs("figures", figures_in_words(ours), figures_in_words(theirs), ours.total - theirs.total)
        sent = as_sent(None, there, note.record.lines, self.rates, is_done=True)
        is_ours = note.link is None or note.link.made_by_us
        sent = replace(sent, is_ours=is_ours, earlier=self._rates_of(own, on))

        def found(_: str, mine: str, shown: str, subject: str, amount: Decimal) -> None:
            self._found("line", own, note, there, mine, shown, amount=amount, subject=subject)

        names = self.compared.names
        held = compare_lines(ours, note.lines, note.figures, own.record.tax_mode, there, sent, names, found)
        self.compared.recoded += [(held.own, *lines) for lines in held.recoded]
        self.compared.credit_notes.append(Pair(held.own, theirs))

    def _rates_of(self, own: OwnInvoice, on: DocumentThere | None) -> Mapping[str, str]:
        """What Caspen's rates were in Xero when the invoice was sent."""
        if on is None:
            return {}
        sent = as_sent(own.link, on, own.record.lines, self.rates, is_done=own.is_done)
        return sent.rates_as_sent([line.tax_rate_id for line in own.record.lines])


def note_alone(own: OwnInvoice, note: OwnNote, rates: Mapping[str, str]) -> Document:
    """A credit note of Caspen's with what counts of its lines by themselves. `rates`: tax types by Caspen's rates."""
    return counted_alone(note.document, note.lines, note.figures, own.record.tax_mode, rates)


def resolved(there: DocumentThere, caspen: CaspenSide) -> DocumentThere:
    """The same, with the contact that its own was merged into."""
    return replace(there, document=replace(there.document, contact=caspen.contact(there.document.contact)))
