"""What is kept of a document that was written, found or adopted: its link, and what it did to its invoice's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store import holds, known_contacts, seen_invoices
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.seen_invoices import EDITED, Discrepancy
from caspen_xero.store.store import utc_text
from caspen_xero.sync.planning.accepting import seal_of
from caspen_xero.sync.planning.compare import invoice_shape
from caspen_xero.sync.planning.contact_matching import party_of
from caspen_xero.sync.planning.edits import edits_of
from caspen_xero.sync.planning.kept import NotKept, as_lost, told_not_kept
from caspen_xero.sync.planning.merge import WrittenLines
from caspen_xero.sync.planning.snapshot import still_despite
from caspen_xero.sync.planning.steps import ExpectedDocument, ExpectedPayment, Step, StepKind
from caspen_xero.sync.problems import FACT_CODES, ProblemCode, check_code
from caspen_xero.sync.sending.tax_amounts import has_kept_tax
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, CreditNote, Invoice

ZERO = Decimal(0)
NEEDS_APPROVAL = (
    "Xero keeps it as a draft: whoever connected may not approve there; somebody who may has to approve it in Xero"
)


class Records:
    """The links of one organisation, as steps change them. `held`: steps that are done, but not as they were asked.

    `doubts_facts`: Xero left something out that by our facts it should have kept.
    """

    def __init__(self, mappings: Mappings, now: Callable[[], datetime]) -> None:
        self.mappings, self.now = mappings, now
        self.held: set[tuple[str, str]] = set()
        self.doubts_facts = False

    def link_contact(
        self, key: str, xero_id: str, *, made_by_us: bool, fingerprint: str | None, name: str, **more: Any
    ) -> None:
        """Links a party (`client:ID` or `payer:ID`) to a Xero contact."""
        kind, id_ = party_of(key)
        self.mappings.put_link(
            Link(
                kind,
                id_,
                xero_id,
                made_by_us,
                number=name,
                status="ACTIVE",
                fingerprint=fingerprint,
                linked_at=self.now(),
                **more,
            )
        )

    def link_invoice(
        self,
        caspen_id: str,
        found: Invoice,
        *,
        made_by_us: bool,
        fingerprint: str | None,
        done_up_to: int | None = None,
        last_written: Mapping[str, str] | None = None,
        lines: WrittenLines | None = None,
    ) -> None:
        """Links an invoice to what Xero shows of it. `last_written`, `lines`: what was written there; None if that is as before."""
        before = self.mappings.link("invoice", caspen_id)
        if last_written is None and before is not None:
            last_written, lines = before.last_written, before.lines
        self._keep(
            Link(
                kind="invoice",
                caspen_id=caspen_id,
                xero_id=found.invoice_id or (before.xero_id if before else ""),
                made_by_us=made_by_us,
                invoice_id=caspen_id,
                number=found.invoice_number or (before.number if before else None),
                status=found.status,
                fingerprint=fingerprint,
                done_up_to=done_up_to,
                last_written=last_written,
                lines=lines,
                subtotal=_kept(found.sub_total, before, "subtotal"),
                tax=_kept(found.total_tax, before, "tax"),
                total=_kept(found.total, before, "total"),
                amount_paid=_kept(found.amount_paid, before, "amount_paid"),
                amount_credited=_kept(found.credited, before, "amount_credited"),
                amount_due=_kept(found.amount_due, before, "amount_due"),
                xero_updated_at=found.updated_date_utc or (before.xero_updated_at if before else None),
                linked_at=before.linked_at if before else self.now(),
                only_ours_until=before.only_ours_until if before else None,
                despite=still_despite(before.despite, found) if before else None,
                shown=seal_of(found, before, is_ours=made_by_us),
            ),
            found,
        )
        if before is not None and (before.amount_paid, before.amount_credited) == (found.amount_paid, found.credited):
            seen_invoices.money_stays(self.mappings, caspen_id, before.xero_updated_at, found.updated_date_utc)

    def wrote(self, link: Link, last_written: Mapping[str, str], found: Invoice) -> None:
        """Keeps that this was written to an invoice of which Xero shows `found`."""
        self._keep(link.with_(last_written=last_written), found)

    def _keep(self, link: Link, found: Invoice) -> None:
        self.mappings.put_link(link)
        if link.last_written is not None and found.line_items and found.status not in GONE_STATUSES:
            shown = invoice_shape(found)
            called = found.contact.name if found.contact else None
            self.keep_edits(link, opened(link.last_written, shown), shown, called)

    def keep_edits(
        self, link: Link, written: Mapping[str, str], shown: Mapping[str, str], called: str | None = None
    ) -> None:
        """Keeps, in the place of all that was found before, what of an invoice Xero shows otherwise than it was written.

        `called`: the name of the contact that it shows.
        """
        contacts = known_contacts.by_id(
            self.mappings, (shape["contact"] for shape in (written, shown) if "contact" in shape)
        )
        at, facts = utc_text(link.xero_updated_at or self.now()), (link.shown,) if link.shown else ()
        edits = [
            Discrepancy(EDITED[is_details], "", ours, theirs, at, facts=facts)
            for is_details, ours, theirs in edits_of(link, written, shown, contacts, called)
        ]
        seen_invoices.replace_edits(self.mappings, link.caspen_id, link.xero_id, edits)

    def link_payment(
        self, key: str, invoice_id: str, xero_id: str, expected: ExpectedPayment, *, number: str | None, **more: Any
    ) -> None:
        """Links an allocation of a Caspen payment to the Xero payment that stands for it."""
        self.mappings.put_link(
            Link(
                "payment",
                key,
                xero_id,
                expected.made_by_us,
                invoice_id=invoice_id,
                number=number,
                fingerprint=expected.fingerprint,
                total=expected.amount,
                linked_at=self.now(),
                **more,
            )
        )

    def link_credit_note(self, step: Step, found: CreditNote, *, made_by_us: bool = True) -> None:
        """Links a credit note to what Xero shows of it. `made_by_us` False: somebody else made it, and it stays theirs."""
        before = self.mappings.link("credit_note", step.caspen_id)
        self.mappings.put_link(
            Link(
                kind="credit_note",
                caspen_id=step.caspen_id,
                xero_id=found.credit_note_id or (before.xero_id if before else ""),
                made_by_us=before.made_by_us if before else made_by_us,
                invoice_id=step.invoice_id,
                number=found.credit_note_number or step.number,
                status=found.status,
                fingerprint=step.expected.fingerprint,
                subtotal=_kept(found.sub_total, before, "subtotal"),
                tax=_kept(found.total_tax, before, "tax"),
                total=_kept(found.total, before, "total"),
                xero_updated_at=found.updated_date_utc,
                linked_at=before.linked_at if before else self.now(),
            )
        )

    def link_allocation(self, step: Step, credit_note_id: str, amount: Decimal | None, **more: Any) -> None:
        """Links a credit note's allocation to its invoice."""
        self.mappings.put_link(
            Link(
                "allocation",
                step.caspen_id,
                credit_note_id,
                invoice_id=step.invoice_id,
                total=amount,
                linked_at=self.now(),
                **more,
            )
        )

    def moved(self, invoice_id: str, *, paid: Decimal = ZERO, credited: Decimal = ZERO) -> None:
        """What a payment or credit of ours did to its invoice in Xero, until it is next read."""
        link = self.mappings.link("invoice", invoice_id)
        if link is None or link.total is None:
            return
        amount_paid = (link.amount_paid or ZERO) + paid
        amount_credited = (link.amount_credited or ZERO) + credited
        if amount_paid < 0 or amount_credited < 0:
            return  # what is gone from there had not been seen there
        due = link.total - amount_paid - amount_credited
        status = link.status if link.status not in {"AUTHORISED", "PAID"} else "AUTHORISED" if due else "PAID"
        self.mappings.put_link(
            link.with_(amount_paid=amount_paid, amount_credited=amount_credited, amount_due=due, status=status)
        )

    def taken_back(self, kind: Literal["payment", "allocation"], key: str) -> None:
        """Forgets what is gone from its invoice, and what it did to the figures, unless a pull has seen that already."""
        link = self.mappings.link(kind, key)
        if link is None:
            return
        self.mappings.drop_link(kind, key)
        if link.is_deleted:
            return
        amount = -(link.total or ZERO)
        if kind == "payment":
            self.moved(link.invoice_id or "", paid=amount)
        else:
            self.moved(link.invoice_id or "", credited=amount)

    def hold(self, step: Step, kind: StepKind, code: ProblemCode, reason: str) -> None:
        """Holds a step on the record of one that is done, but not as it was asked."""
        self.held.add((kind, step.caspen_id))
        self.keep_hold(Hold(kind, step.caspen_id, code, reason, depends_on=step.depends_on))

    def hold_lost(
        self,
        step: Step,
        kind: StepKind,
        link_kind: Literal["invoice", "payment", "credit_note"],
        lost: Sequence[NotKept],
        warnings: Sequence[str],
        fix: str = "",
    ) -> None:
        """A document that Xero took, but not as it was sent: its link says so until it is sent once more, and a hold says what."""
        link = self.mappings.link(link_kind, step.caspen_id)
        if link is not None:
            self.mappings.put_link(link.with_(fingerprint=as_lost(link.fingerprint)))
        self.held.add((kind, step.caspen_id))
        code, says = _code_of_lost(lost), " ".join(warnings)
        self.doubts_facts |= code in FACT_CODES
        reason = f"Xero took {plain(step.number or 'it')}, but not as it was sent: {told_not_kept(lost)}"
        if says:
            reason += f". Xero warned: {says}"
        fix = fix if code is ProblemCode.NOT_AS_SENT else ""
        self.keep_hold(
            Hold(kind, step.caspen_id, code, reason, fix, depends_on=step.depends_on, xero_says=says or None)
        )

    def keep_hold(self, held: Hold) -> None:
        """Keeps a hold, as all of the engine are kept. Raises ValueError for a code that is no problem's."""
        check_code(held.code)
        holds.hold(self.mappings, held, self.now())

    def hold_if_unapproved(self, step: Step, status: str | None, kind: StepKind) -> None:
        """A document that stays a draft, though it was to be approved, waits for somebody who may approve it."""
        if status in UNAPPROVED:
            self.hold(step, kind, ProblemCode.NEEDS_APPROVAL_IN_XERO, NEEDS_APPROVAL)

    def learn_from_tax(self, expected: ExpectedDocument, found: Invoice | CreditNote) -> None:
        """An organisation that has once returned our tax amounts unchanged is trusted to do so again."""
        wanted = (expected.subtotal, expected.tax, expected.total)
        if expected.explicit_tax and (found.sub_total, found.total_tax, found.total) == wanted:
            has_kept_tax(self.mappings, tells_tax=expected.tells_tax)


def _code_of_lost(lost: Sequence[NotKept]) -> ProblemCode:
    """By what Xero left out: an account, a tax type; else that something is not as it was sent."""
    missing = {one.what for one in lost if one.is_left_out}
    if "account" in missing:
        return ProblemCode.ACCOUNT_REFUSED
    return ProblemCode.TAX_RATE_REFUSED if "tax type" in missing else ProblemCode.NOT_AS_SENT


def _kept(new: Decimal | None, before: Link | None, column: str) -> Decimal | None:
    """An amount that an answer may lack: then what was known before stays."""
    return new if new is not None or before is None else getattr(before, column)
