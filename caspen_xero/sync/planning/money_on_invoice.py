"""What of Caspen's payments has yet to be on one invoice in Xero, beside what stands there for none of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.doubtful_payments import OnInvoice, may_be_in_xero, owed_in_caspen
from caspen_xero.sync.planning.payment_references import earlier_reference_of, names, names_as_before, reference_of
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.same_money import Apart, Claim, There, account_decides, tell_apart
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.setup.accounts import account_of_payment
from caspen_xero.xero.documents import Invoice, Payment

ZERO = Decimal(0)


def claim_of(
    payment: AppliedPayment,
    methods: Mapping[str, PaymentMethod],
    account_links: Mapping[str, str],
    *,
    waits: bool,
    was_there: bool = False,
    may_be_told: bool = False,
) -> Claim:
    """A payment of Caspen's as one that may be in Xero. `was_there`: what we know to have stood for it is deleted there.

    `may_be_told`: as in `Claim`.
    """
    method = methods.get(payment.method_id or "")
    return Claim(
        payment.key,
        (reference_of(payment, method), earlier_reference_of(payment, method)),
        payment.amount,
        payment_fingerprint(payment),
        waits,
        payment.date,
        account_of_payment(account_links, payment.method_id),
        tuple(name.casefold() for name in (payment.payment_id, payment.allocation_id, method and method.name) if name),
        goes=payment.xero_id is None,
        was_there=was_there or payment.xero_id is not None,
        may_be_told=may_be_told,
    )


def _taken(planner: Planner, state: InvoiceState) -> set[str]:
    """What stands in Xero for a payment of Caspen's, and what this plan links to one.

    What stands for one that pays no more, and stays, may be what was entered in Caspen for that: it stands for none.
    """
    paying = {payment.key for payment in state.payments if payment.pays}
    idle = {link.xero_id for key, link in state.payment_links.items() if key not in {*paying, *planner.deleting}}
    return {*(planner.snapshot.claimed - idle), *planner.adopting}


def unclaimed(planner: Planner, state: InvoiceState, seen: Invoice) -> list[There]:
    """The living payments on an invoice that stand for none of Caspen's, and that this plan links to none."""
    looked_at = planner.snapshot.looks.payments
    taken = _taken(planner, state)
    found: list[There] = []
    for one in seen.payments:
        whole = looked_at.get(one.payment_id or "", one)
        if one.payment_id not in {None, *taken} and "DELETED" not in (one.status, whole.status):
            found.append(_there(one, whole, is_told=one.payment_id in planner.snapshot.delivered))
    return found


def _there(shown: Payment, whole: Payment, *, is_told: bool) -> There:
    """`whole`: the payment itself, where it was read; what is shown inside an invoice lacks its account."""
    account_id = whole.account.account_id if whole.account else None
    return There(
        shown.payment_id or "", shown.amount, shown.date, shown.reference, account_id, shown.batch_id, is_told=is_told
    )


def _names(one: Payment, payment: AppliedPayment, method: PaymentMethod | None) -> bool:
    return names(one.reference, payment) or names_as_before(one.reference, one.amount, payment, method)


class Money:
    """The money of one invoice, once the payments that say that they came from Xero were judged."""

    def __init__(self, planner: Planner, state: InvoiceState) -> None:
        self._planner, self._state = planner, state

    @cached_property
    def claims(self) -> list[Claim]:
        """Caspen's payments that nothing in Xero is known to stand for."""
        snapshot, adopted = self._planner.snapshot, self._planner.adopting.values()
        gone = {key for key, link in self._state.payment_links.items() if link.is_deleted}
        known = {*self._state.payment_links, *adopted} - gone
        return [
            claim_of(
                payment,
                snapshot.methods,
                snapshot.account_links,
                waits=True,
                was_there=self.removed(payment) is not None,
                may_be_told=payment.amount in snapshot.told_and_gone.get(self._state.invoice.id, ()),
            )
            for payment in self._state.payments
            if payment.pays and payment.key not in known
        ]

    def removed(self, payment: AppliedPayment) -> Link | Payment | None:
        """What stood for a payment in Xero, on whichever invoice, where somebody else has deleted that.

        Where we have deleted one later, that was settled, and it is we who make it anew.
        """
        link, snapshot = self._state.payment_links.get(payment.key), self._planner.snapshot
        if link is not None and link.is_deleted:
            return link
        deleted = snapshot.looks.deleted.get(self._state.link.xero_id if self._state.link else "", [])
        method = snapshot.methods.get(payment.method_id or "")
        last = next((one for one in reversed(deleted) if _names(one, payment, method)), None)
        return None if last is None or last.payment_id in snapshot.deleted_by_us else last

    @cached_property
    def apart(self) -> Apart | None:
        """What is what. None: asked for, as something has to be looked at in Xero first."""
        there = self._there
        if there is None:
            return None
        snapshot = self._planner.snapshot
        return tell_apart(self.claims, there, self.due, snapshot.different | self._planner.plan.different)

    def note_what_is_different(self) -> None:
        """Where a person wants the payments sent anyway: what they are not, in Xero. Not of those that are more than is due.

        Nor of those that have come since, on either side: nobody was asked about them yet.
        """
        snapshot, invoice_id = self._planner.snapshot, self._state.invoice.id
        asked = snapshot.pay_anyway.get(invoice_id, ()) if invoice_id not in snapshot.created else ()
        there = self._there if asked and self._state.link is not None and self.claims else None
        if there is None:
            return
        apart = tell_apart(self.claims, there, self.due, snapshot.different)
        room = apart.room or ZERO
        for claim in self.claims:
            alike = apart.may_be_said_of(claim)
            if not snapshot.asked_about.issuperset(alike):
                continue
            if alike and claim.key in asked and (claim.amount <= room or not claim.goes):
                room -= claim.amount if claim.goes else ZERO
                self._planner.plan.different |= alike

    @property
    def due(self) -> Decimal:
        """What Xero shows as due."""
        seen = self._seen
        if seen is None:
            return ZERO
        return seen.amount_due if seen.amount_due is not None else seen.total or ZERO

    def question(self, key: str) -> tuple[str, str]:
        """Why a payment is held, and what to do."""
        apart, state = self.apart, self._state
        assert apart is not None
        owed = owed_in_caspen(state.invoice.total, state.payments, state.credit_notes)
        on = OnInvoice(
            state.invoice.number,
            state.invoice.id,
            self.due,
            apart.room,
            owed,
            asked=apart.asked,
            sums=apart.sums,
            source=self._planner.snapshot.settings.source,
        )
        claim = next(claim for claim in self.claims if claim.key == key)
        return may_be_in_xero(claim, apart.held[key], on)

    @property
    def _seen(self) -> Invoice | None:
        link = self._state.link
        return self._planner.snapshot.looks.invoices.get(link.xero_id) if link else None

    @cached_property
    def _there(self) -> list[There] | None:
        seen, planner, looks = self._seen, self._planner, self._planner.snapshot.looks
        if seen is None:
            if self._state.link is not None:
                planner.ask(self._state, "invoices", self._state.link.xero_id)
            return None
        there = unclaimed(planner, self._state, seen)
        unread = account_decides(self.claims, there) - looks.payments.keys()
        unread = {xero_id for xero_id in unread if ("payments", xero_id) not in looks.odd}
        for xero_id in unread:
            planner.ask(self._state, "payments", xero_id)
        credits = self._credits(seen)
        return None if unread or credits is None else there + credits

    def _credits(self, seen: Invoice) -> list[There] | None:
        """The allocations of overpayments and prepayments that stand for none of Caspen's payments. None: asked for."""
        if not (self.claims and (seen.overpayments or seen.prepayments)):
            return []
        planner, xero_id = self._planner, seen.invoice_id or ""
        credits = planner.snapshot.looks.credits.get(xero_id)
        if credits is None:
            is_odd = ("credits", xero_id) in planner.snapshot.looks.odd
            planner.ask(self._state, "credits", xero_id)
            return [There("", None, None, None, is_credit=True)] if is_odd else None
        taken, delivered = _taken(planner, self._state), planner.snapshot.delivered
        return [
            There(id_, one.amount, one.date, one.number, is_credit=True, is_told=id_ in delivered)
            for id_, one in credits.items()
            if one.kind != "credit_note" and id_ not in taken
        ]
