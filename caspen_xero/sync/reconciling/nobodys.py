"""What stands in Xero for nothing of Caspen's: twice the same, of a client of Caspen's, of a number of Caspen's, or nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.reconciling.caspen_side import CaspenSide, of_listed
from caspen_xero.sync.reconciling.findings import OF_ONE_NEVER_SENT, Findings, in_words
from caspen_xero.sync.reconciling.ledger import Compared, Document, LeftOut, MoneyPair, Pair, Standing, WhyLeftOut
from caspen_xero.sync.reconciling.xero_side import DocumentThere, XeroSide

NOT_THERE = "Caspen does not have it"
_Sameness = tuple[object, ...]


@dataclass
class Nobodys:
    """Sorts them. `why`: Caspen's invoices that are left out; `taken_notes`: what stands for its credit notes without a link."""

    compared: Compared
    findings: Findings
    caspen: CaspenSide
    xero: XeroSide
    why: Mapping[str, WhyLeftOut]
    taken_notes: Collection[str]

    def sort(self) -> None:
        """Adds what is found of them to what was compared."""
        reading = self.xero.reading
        unlinked = [id_ for id_, one in reading.invoices.items() if id_ not in self.caspen.links and _is_sale(one.type)]
        there = [one for id_ in unlinked if (one := self.xero.invoice(id_)) and one.document.standing != "gone"]
        notes = [
            one
            for id_ in reading.credits
            if id_ not in self.caspen.note_links and id_ not in self.taken_notes
            if (one := self.xero.credit_note(id_)) and one.document.standing != "gone"
        ]
        self.caspen.knows_contacts(one.document.contact for one in (*there, *notes))
        there, notes = [self._resolved(one) for one in there], [self._resolved(one) for one in notes]
        self._invoices(sorted(there, key=lambda one: (one.document.day, one.document.number, one.id)))
        self._notes(sorted(notes, key=lambda one: (one.document.day, one.document.number, one.id)))

    def _resolved(self, there: DocumentThere) -> DocumentThere:
        return replace(there, document=replace(there.document, contact=self.caspen.contact(there.document.contact)))

    # --- invoices

    def _invoices(self, there: list[DocumentThere]) -> None:
        numbered = self._numbered()
        same = {_sameness(pair.xero): pair.caspen for pair in self.compared.invoices if pair.xero and pair.caspen}
        left_out = {one.document.id: place for place, one in enumerate(self.compared.left_out)}
        taken = dict[str, DocumentThere]()
        for one in there:
            document = one.document
            ids = numbered.get(document.number.casefold(), ()) if document.number else ()
            free = [id_ for id_ in ids if id_ in self.why and id_ not in taken]
            linked = [id_ for id_ in ids if id_ not in self.why]
            twins = [id_ for id_ in linked if self._stands(id_)] or [id_ for id_ in ids if id_ in taken]
            twin = same.get(_sameness(document))
            if free:
                taken[free[0]] = one
                self._goes_with(free[0], document, left_out)
                self._with_money(one)
            elif twins:
                number = plain(document.number)
                self._found(
                    "twice-in-xero", one, f"{number}, once", f"it is there twice: {in_words(document)}", twins[0]
                )
            elif twin is not None:
                words = f"{in_words(twin)}, once"
                self._found(
                    "twice-in-xero", one, words, f"another one of the same lines: {in_words(document)}", twin.id
                )
            elif linked:
                words = f"{plain(document.number)} is in Xero as another one, which is void there"
                self._found("unknown-in-caspen", one, words, in_words(document), linked[0])
            elif document.contact in self.caspen.parties:
                self._found("unknown-in-caspen", one, NOT_THERE, in_words(document), None)
            else:
                self.compared.others.append(document)
                self._with_money(one)

        self._gone_in_caspen()

    def _gone_in_caspen(self) -> None:
        """What is void or a draft in Caspen, was never sent, and stands in Xero by its number, is not left out: it differs."""
        stays = list[LeftOut]()
        for one in self.compared.left_out:
            if one.document.kind != "invoice" or one.xero is None or one.why not in ("void", "draft"):
                stays.append(one)
                continue
            words = f"it is {'a draft' if one.why == 'draft' else 'void'}, and was never sent"
            shown, id_ = in_words(one.xero), one.document.id
            self.findings.of_xeros(
                "gone-in-caspen", one.xero, words, shown, id_, one.document.number, fix=OF_ONE_NEVER_SENT
            )
            standing: Standing = "draft" if one.why == "draft" else "gone"
            self.compared.invoices.append(Pair(replace(one.document, standing=standing), one.xero))
        self.compared.left_out = stays

    def _with_money(self, there: DocumentThere) -> None:
        """What is paid and credited of it stands in Xero alone."""
        self.compared.payments += [MoneyPair(None, one.money) for one in there.money]

    def _numbered(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for id_, one in self.caspen.listed.items():
            if one.number:
                found[one.number.casefold()].append(id_)
        return found

    def _stands(self, invoice_id: str) -> bool:
        """Whether what an invoice of Caspen's is linked to stands in Xero."""
        link = self.caspen.link(invoice_id)
        there = self.xero.invoice(link.xero_id) if link else None
        return there is not None and there.document.standing != "gone"

    def _goes_with(self, invoice_id: str, document: Document, left_out: Mapping[str, int]) -> None:
        """It has the number of an invoice that is left out: the two are shown beside each other."""
        place = left_out.get(invoice_id)
        if place is not None:
            self.compared.left_out[place] = replace(self.compared.left_out[place], xero=document)
            return
        own = self.caspen.invoices([invoice_id])
        listed = self.caspen.listed[invoice_id]
        mine = own[invoice_id].document if own else of_listed(listed, document.day)
        self.compared.left_out.append(LeftOut(mine, self.why[invoice_id], xero=document))

    def _found(self, code: str, there: DocumentThere, caspen: str, xero: str, invoice_id: str | None) -> None:
        number = self.caspen.listed[invoice_id].number if invoice_id else None
        self.findings.of_xeros(code, there.document, caspen, xero, invoice_id, number)
        self.compared.invoices.append(Pair(None, there.document))
        self._with_money(there)

    # --- credit notes

    def _notes(self, there: list[DocumentThere]) -> None:
        own_numbers = {pair.caspen.number.casefold(): pair.caspen for pair in self.compared.credit_notes if pair.caspen}
        left_out = {
            one.document.number.casefold(): place
            for place, one in enumerate(self.compared.left_out)
            if one.document.kind == "credit_note" and one.document.number
        }
        told, gone = self._told_credits(), set[int]()
        for one in there:
            document, key = one.document, one.document.number.casefold()
            place = left_out.get(key) if key else None
            place = None if place in gone else place
            if self.compared.asked.is_after(document.day):
                continue  # it counts for nothing that was asked
            if place is not None and _is_void(self.compared.left_out[place]):
                gone.add(place)
                self._found_gone(self.compared.left_out[place].document, document)
            elif place is not None and self.compared.left_out[place].xero is None:
                self.compared.left_out[place] = replace(self.compared.left_out[place], xero=document)
            elif key and key in own_numbers:
                words = f"{plain(document.number)} is in Xero as another one"
                self._found_note(document, words)
            elif document.contact in self.caspen.parties and not self._is_told(one, told):
                self._found_note(document, NOT_THERE)
            else:
                self.compared.others.append(document)
        self.compared.left_out = [one for place, one in enumerate(self.compared.left_out) if place not in gone]

    def _found_gone(self, void: Document, document: Document) -> None:
        """A credit note that is void in Caspen and was never sent, and one that stands in Xero by its number."""
        record = clinic.credit_notes(self.caspen.mappings.store, [void.id]).get(void.id)
        self.findings.of_xeros(
            "credit-note-gone-in-caspen",
            replace(document, total=-document.total),
            f"it is {plain(void.status)}, and was never sent",
            in_words(document),
            record.invoice_id if record else None,
            subject=f"credit note {plain(void.number)}",
            fix="Void it in Xero, then: caspen-xero reconcile",
        )
        self.compared.credit_notes.append(Pair(void, document))

    def _found_note(self, document: Document, words: str) -> None:
        self.findings.of_xeros(
            "credit-note-unknown-in-caspen",
            replace(document, total=-document.total),
            words,
            in_words(document),
        )
        self.compared.credit_notes.append(Pair(None, document))

    def _told_credits(self) -> Mapping[str, Decimal]:
        """What of credits in Xero stands on invoices and Caspen has, as it was told of it: by the id of the allocation."""
        return {
            pair.xero.id: pair.xero.amount
            for pair in self.compared.payments
            if pair.caspen and pair.xero and pair.xero.kind == "credit"
        }

    def _is_told(self, there: DocumentThere, told: Mapping[str, Decimal]) -> bool:
        """Whether Caspen has all of a credit note by what of it stands on invoices, so that nothing of it is unknown there."""
        allocations = getattr(there.source, "allocations", ())
        known = sum((told.get(one.allocation_id or "", Decimal(0)) for one in allocations), Decimal(0))
        return there.document.standing == "stands" and known == there.document.total


def _is_void(left: LeftOut) -> bool:
    """Whether it is a void credit note of which nothing in Xero is known yet."""
    return left.xero is None and left.why == "void" and left.document.standing == "gone"


def _is_sale(kind: str | None) -> bool:
    return kind in (None, "ACCREC")


def _sameness(document: Document) -> _Sameness:
    """What two documents have in common that are the same but for their numbers."""
    lines = tuple(
        sorted((str(line.net), str(line.tax), line.rate, " ".join(line.text.split())) for line in document.lines)
    )
    return document.contact, document.day, document.currency, document.total, lines
