"""`invoices link`: a person says that an invoice, or a payment of it, is in Xero already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from caspen_xero.caspen.records import FINALISED
from caspen_xero.errors import UserError
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.store import clinic, holds, problems
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Despite, Link, Mappings
from caspen_xero.sync.fix_commands import link_command, push_command, unlink_command
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.compare import FIGURES as SHOWN_FIGURES
from caspen_xero.sync.planning.compare import HEADING, invoice_shape
from caspen_xero.sync.planning.same_invoice import FIGURES, Fact, differing, in_words
from caspen_xero.sync.planning.steps import ExpectedPayment
from caspen_xero.sync.planning.translate import invoice_fingerprint
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.allocations_there import AllocatedCredit, allocations_named
from caspen_xero.sync.sending.own_ids import keep_members, members_among
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.side_by_side import beside, once_in_caspen
from caspen_xero.sync.setup.contacts import read_contacts
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.addresses import ids_in
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, Invoice, Payment
from caspen_xero.xero.reading import batch_by_id, invoices_by_id, payment_by_id, payments_on


class LinkError(UserError):
    """What was named can't stand for the invoice or its payment: `link-not-an-id`, `link-not-found`, `link-does-not-fit`.

    `link-differs`: a person may link it all the same. Of taking back: `link-not-linked`, `link-not-by-hand`.
    """


_MOST_OFFERED = 3
_ASKED = (ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, ProblemCode.PAYMENT_REMOVED_IN_XERO)


@dataclass(frozen=True)
class Candidate:
    """The invoice in Xero that a person has named for one of Caspen's, and what both are known by; nothing for our own."""

    invoice_id: str
    found: Invoice
    facts: tuple[Fact, ...]

    @property
    def differences(self) -> list[Fact]:
        """What differs."""
        return differing(self.facts)

    @property
    def ought_to_show(self) -> dict[str, str]:
        """What Xero ought to show from now on, but for its figures: its lines and texts as they are, the rest as in Caspen."""
        ours = {fact.what: fact.ids[0] if fact.ids else fact.caspen for fact in self.facts}
        shown = {name: text for name, text in invoice_shape(self.found).items() if name not in SHOWN_FIGURES}
        return shown | {name: text for name, text in ours.items() if text and name in HEADING}


def named_in_xero(client: Client, mappings: Mappings, invoice_id: str, name: str) -> Candidate | Sequence[Payment]:
    """What a person has named by its id (or an address that holds it): an invoice, or payments (several: of one batch).

    Raises `LinkError` for what can't be linked, whoever wants it.
    """
    xero_id = xero_id_in(name)
    invoice = invoices_by_id(client, [xero_id]).get(xero_id)
    if invoice is not None:
        _check(mappings, invoice_id, invoice)
        own = mappings.link("invoice", invoice_id)
        if own is not None and own.made_by_us:
            return Candidate(invoice_id, invoice, ())
        read_contacts(client, mappings)  # what was merged into which, and what they are called
        return Candidate(invoice_id, invoice, beside(mappings, invoice_id, invoice))
    payments = _payments_named(client, mappings, invoice_id, xero_id)
    if payments:
        return payments
    if batch_by_id(client, xero_id) is not None:
        raise LinkError("link-does-not-fit", "That batch payment in Xero pays nothing on this invoice.")
    raise LinkError(
        "link-not-found",
        f"Xero has neither an invoice nor a payment {plain(xero_id)}.",
        "Check the id in Xero; of an overpayment or prepayment the id of its allocation to the invoice is wanted, its xero_id "
        "in: caspen-xero payments list --json",
    )


def xero_id_in(name: str) -> str:
    """The Xero id in what a person has typed or pasted. Raises `LinkError`."""
    found = ids_in(name)
    if not found:
        raise LinkError(
            "link-not-an-id", f"{said(name, MOST)} holds no Xero id.", "Copy it from the address of the page in Xero."
        )
    return found[-1].lower()


def name_alone(mappings: Mappings, invoice_id: str) -> str | None:
    """The number of an invoice, where it names no other; for commands and words, which else take its id."""
    number = clinic.invoice_numbers(mappings.store, [invoice_id]).get(invoice_id)
    return number if number and clinic.invoice_ids(mappings.store, number) == [invoice_id] else None


def _payments_named(client: Client, mappings: Mappings, invoice_id: str, xero_id: str) -> Sequence[Payment]:
    """The payment with that id; for the id of a batch, its members on this invoice."""
    payment = payment_by_id(client, xero_id)
    link = mappings.link("invoice", invoice_id)
    if link is None or (payment is not None and payment.batch_id is None):
        return [payment] if payment is not None else []
    listed = payments_on(client, [link.xero_id]).get(link.xero_id, [])
    with mappings.store.write():
        keep_members(mappings, list(members_among(invoice_id, listed)))
    named = [one for one in listed if xero_id in (one.payment_id, one.batch_id)]
    return named or ([payment] if payment is not None else allocations_named(client, link.xero_id, xero_id))


# --- an invoice


def _check(mappings: Mappings, invoice_id: str, found: Invoice) -> None:
    xero_id = found.invoice_id or ""
    other = mappings.links_to([xero_id]).get(xero_id)
    if other is not None and invoice_id not in (other.caspen_id, other.invoice_id):
        stands_for = clinic.invoice_numbers(mappings.store, [other.caspen_id]).get(other.caspen_id)
        raise LinkError(
            "link-does-not-fit",
            f"{plain(found.invoice_number)} in Xero already stands for {plain(stands_for or other.caspen_id)} in Caspen.",
        )
    if found.type not in (None, "ACCREC") or found.status in GONE_STATUSES:
        raise LinkError(
            "link-does-not-fit", f"{plain(found.invoice_number)} is no living sales invoice ({plain(found.status)})."
        )
    before = mappings.link("invoice", invoice_id)
    if before is not None and before.xero_id != xero_id:
        number = name_alone(mappings, invoice_id)
        raise LinkError(
            "link-does-not-fit",
            f"{plain(number or invoice_id)} is linked to another Xero invoice ({plain(before.xero_id)}).",
            unlink_command(number, invoice_id),
        )


def refusal(mappings: Mappings, candidate: Candidate) -> LinkError:
    """Why an invoice is not linked as long as nobody says that it is the same all the same."""
    found, number = candidate.found, name_alone(mappings, candidate.invoice_id)
    return LinkError(
        "link-differs",
        f"{plain(found.invoice_number)} in Xero differs from {plain(number or candidate.invoice_id)}: "
        f"{in_words(candidate.differences)}. Nothing was linked.",
        f"If they are the same all the same: {link_command(number, candidate.invoice_id, found.invoice_id or '', force=True)}",
    )


def link_invoice(mappings: Mappings, candidate: Candidate, now: datetime, *, with_payments: bool = False) -> str:
    """Links an invoice to the one that a person has named, whatever differs; gives what was done, in words.

    `with_payments`: the person has said that it is the same debt, so that money goes there though contact or currency differ.
    """
    invoice_id, found = candidate.invoice_id, candidate.found
    what = f"linked to {plain(found.invoice_number)} in Xero ({found.total or 0:.2f}, {plain(found.status)})"
    before = mappings.link("invoice", invoice_id)
    if before is not None and before.made_by_us:
        return f"was {what} before"
    invoice = clinic.invoices(mappings.store, [invoice_id])[invoice_id]
    differences = {fact.what: fact.kept for fact in candidate.differences}
    with mappings.store.write():
        Records(mappings, lambda: now).link_invoice(
            invoice_id,
            found,
            made_by_us=False,
            fingerprint=invoice_fingerprint(invoice),
            last_written=candidate.ought_to_show,
        )
        link = mappings.link("invoice", invoice_id)
        assert link is not None
        mappings.put_link(link.with_(despite=Despite(differences, with_payments) if differences else None))
        mappings.allow_link("invoice", invoice_id, link.xero_id)
        holds.make_invoices_due(mappings, [invoice_id])
        problems.replace_problems(mappings, invoice_id, [], now)
    return f"is {what}"


def what_push_does(mappings: Mappings, settings: Settings, candidate: Candidate) -> str:
    """What becomes of a linked invoice, in words."""
    link, found = mappings.link("invoice", candidate.invoice_id), candidate.found
    number = name_alone(mappings, candidate.invoice_id)
    status = clinic.invoices(mappings.store, [candidate.invoice_id])[candidate.invoice_id].status
    if link is None or link.made_by_us:
        return ""
    if status not in FINALISED:
        return f"push will send nothing of it: in Caspen it is {plain(status)}"
    if link.keeps_money_out:
        same = link_command(number, candidate.invoice_id, link.xero_id, force=True, with_payments=True)
        return (
            "push will leave it alone: it writes, pays and credits nothing there, and pull tells Caspen of no payment on it. If it "
            f"is the same debt all the same: {same}"
        )
    if link.despite is not None and FIGURES & link.despite.differences.keys():
        return "push will leave it alone, and list it as totals-differ, until its figures agree"
    if found.status in UNAPPROVED:
        return "push will send nothing there before it is approved in Xero"
    if settings.feed_brings_payments:
        return "push will put its credit notes there, and no payments (--payments off)"
    there = (found.amount_paid or Decimal(0)) + (found.credited or Decimal(0))
    also = (
        f"; {there:.2f} is paid or credited there already, and what may be the same money is for you to say"
        if there
        else ""
    )
    return f"push will put its payments and credit notes there, and leave the invoice itself as it is{also}"


# --- a payment


def link_payment(
    client: Client, mappings: Mappings, invoice_id: str, payments: Sequence[Payment], now: datetime
) -> str:
    """Links one of these (more than one: members of one batch) to a payment of that amount that waits; gives what was done.

    Raises `LinkError`: money is never linked to another amount, whoever says so.
    """
    number = name_alone(mappings, invoice_id)
    linked = _standing_for(mappings, [one.payment_id or "" for one in payments])
    free = [one for one in payments if one.payment_id not in linked]
    waiting = [
        payment
        for payment in clinic.payments_on(mappings.store, [invoice_id]).get(invoice_id, [])
        if payment.pays and _waits(mappings.link("payment", payment.key))
    ]
    if not free:
        raise _taken(client, mappings, invoice_id, linked[payments[0].payment_id or ""], waiting)
    link = mappings.link("invoice", invoice_id)
    on = link.xero_id if link else None
    living = [one for one in free if one.invoice and one.invoice.invoice_id == on and one.status != "DELETED"]
    if not living:
        raise _elsewhere(mappings, invoice_id, free[0])
    fit = _fitting(waiting, living)
    if not fit:
        amounts = " and ".join(f"{one.amount or 0:.2f}" for one in living)
        there = ", ".join(f"{payment.amount:.2f}" for payment in waiting) or "none"
        raise LinkError(
            "link-does-not-fit",
            f"That {_kind(living[0])} in Xero is {amounts}; of this invoice's in Caspen wait to be linked: {there}. "
            "Only equal amounts are one payment.",
            f"Correct the amount in Caspen or {pages_of(mappings).there(on)}, then: "
            f"{once_in_caspen(mappings, push_command(number, invoice_id))}"
            if waiting
            else "",
        )
    # Of several alike, the one that names it, else one of its day.
    fit.sort(key=lambda pair: (not _is_named(*pair), pair[0].date != pair[1].date))
    payment, found = fit[0]
    with mappings.store.write():
        for before in mappings.links_to([found.payment_id or ""]).values():  # it pays no more
            mappings.drop_link(before.kind, before.caspen_id)
        Records(mappings, lambda: now).link_payment(
            payment.key,
            invoice_id,
            found.payment_id or "",
            ExpectedPayment(payment_fingerprint(payment), payment.amount, made_by_us=False),
            number=found.reference,
            despite=_another_day(payment, found),
        )
        _settle(mappings, invoice_id, payment.key, found.payment_id or "")
        holds.make_invoices_due(mappings, [invoice_id])
    alike = {one.key for one, _ in fit}
    return _linked_in_words(mappings, payment, found, len(alike))


def _another_day(payment: AppliedPayment, found: Payment) -> Despite | None:
    """That a person has said that it is the same though its day is another: they were shown both."""
    if found.date is None or found.date == payment.date:
        return None
    return Despite({"date": (payment.date.isoformat(), found.date.isoformat())}, with_payments=True)


def _settle(mappings: Mappings, invoice_id: str, key: str, xero_id: str) -> None:
    """Forgets what was asked about a payment that is linked now, and of others that it might have been: a push asks anew."""
    for row in problems.problems(mappings, invoice_id):
        if row["subject"] == key or (row["code"] in _ASKED and xero_id in row["fix"]):
            problems.drop_problems_about(mappings, row["subject"], [row["code"]])


def _fitting(waiting: Sequence[AppliedPayment], there: Sequence[Payment]) -> list[tuple[AppliedPayment, Payment]]:
    return [(payment, found) for found in there for payment in waiting if payment.amount == found.amount]


def _taken(
    client: Client, mappings: Mappings, invoice_id: str, link: Link, waiting: Sequence[AppliedPayment]
) -> LinkError:
    """Why what stands for another payment is not linked once more, and what may be what the person was looking for."""
    number, own = name_alone(mappings, invoice_id), mappings.link("invoice", invoice_id)
    where = link.invoice_id if link.invoice_id and link.invoice_id != invoice_id else None
    of = f" on {plain(name_alone(mappings, where) or where)}" if where else ""
    why = f"That payment in Xero already stands for {plain(link.caspen_id)}{of} in Caspen."
    listed = payments_on(client, [own.xero_id]).get(own.xero_id, []) if own else []
    known = mappings.links_to(one.payment_id or "" for one in listed)
    free = [one for one in listed if one.status != "DELETED" and one.payment_id not in known]
    found = {one.payment_id or "": one for _, one in _fitting(waiting, free)}
    if found:
        answers = [
            f"if it is {one.amount or 0:.2f} of {one.date} ({plain(one.reference or 'no reference')}): "
            f"{link_command(number, invoice_id, id_)}"
            for id_, one in list(found.items())[:_MOST_OFFERED]
        ]
        more = len(found) - _MOST_OFFERED
        left = f" (and {more} more, {pages_of(mappings).there(own.xero_id if own else None)})" if more > 0 else ""
        words = f"Of what is on this invoice in Xero, nothing in Caspen has these yet{left}"
        return LinkError("link-does-not-fit", why, f"{words}: {'; '.join(answers)}")
    if not waiting:
        fix = f"What is left to send of it, a push sends: {push_command(number, invoice_id)}"
        return LinkError("link-does-not-fit", f"{why} No payment of this invoice waits to be linked.", fix)
    doubled = [payment for payment in waiting if payment.xero_id == link.xero_id]
    if doubled:
        fix = (
            f"If {plain(doubled[0].payment_id)} was entered in Caspen a second time, void it there; if it is another payment, "
            f"take its xero_id away there; then: {once_in_caspen(mappings, push_command(number, invoice_id))}"
        )
        return LinkError("link-does-not-fit", why, fix)
    fix = f"No payment of that amount on this invoice in Xero is free; see what push says: {push_command(number, invoice_id)}"
    return LinkError("link-does-not-fit", why, fix)


def _elsewhere(mappings: Mappings, invoice_id: str, found: Payment) -> LinkError:
    """Why a payment that is not on the invoice, or no more, is not linked; and to which invoice it can be."""
    if found.status == "DELETED":
        return LinkError("link-does-not-fit", f"That payment of {found.amount or 0:.2f} in Xero is deleted there.", "")
    on = found.invoice.invoice_id if found.invoice else None
    known = mappings.links_to([on]).get(on) if on else None
    named = found.invoice.invoice_number if found.invoice else None
    why = f"That payment in Xero is not on this invoice, but on {plain(named or 'another document')}."
    fix = f"If it pays this invoice, move it {pages_of(mappings).there(on)}, then: caspen-xero pull"
    if known is not None and known.kind == "invoice" and known.caspen_id != invoice_id:
        theirs = link_command(name_alone(mappings, known.caspen_id), known.caspen_id, found.payment_id or "")
        fix = f"If that is its invoice: {theirs}; if {fix[3:]}"
    return LinkError("link-does-not-fit", why, fix)


def _linked_in_words(mappings: Mappings, payment: AppliedPayment, found: Payment, alike: int) -> str:
    """Which payment was linked to which: what of it differs, and that others are like it."""
    names = {method.id: method.name for method in clinic.payment_methods(mappings.store)}
    method = names.get(payment.method_id or "")
    told = (
        f"has its payment {plain(payment.payment_id)} of {payment.amount:.2f} linked to the {_kind(found, 'one')} of "
        f"{found.date} in Xero"
    )
    if payment.date != found.date:
        told += f", though Caspen's is of {payment.date}"
    reference = f"{plain(found.reference)} there" if found.reference else "without a reference there"
    sides = [f"{plain(method)} in Caspen" if method else "", "" if isinstance(found, AllocatedCredit) else reference]
    told += f" ({', '.join(filter(None, sides))})" if any(sides) else ""
    return f"{told}; {alike} of Caspen's of that amount waited, and this is the one" if alike > 1 else told


def _kind(found: Payment, payment: str = "payment") -> str:
    """What money on an invoice is called."""
    return "allocated credit" if isinstance(found, AllocatedCredit) else payment


def _is_named(payment: AppliedPayment, found: Payment) -> bool:
    return payment.xero_id is not None and payment.xero_id in (found.payment_id, found.batch_id)


def _standing_for(mappings: Mappings, xero_ids: Sequence[str]) -> dict[str, Link]:
    """The links of these payments in Xero, but of what pays no more in Caspen: another may stand for it there by now."""
    links = mappings.links_to(xero_ids)
    on = clinic.payments_on(mappings.store, [one.invoice_id for one in links.values() if one.invoice_id])
    paying = {payment.key for some in on.values() for payment in some if payment.pays}
    return {id_: one for id_, one in links.items() if one.kind != "payment" or one.caspen_id in paying}


def _waits(link: Link | None) -> bool:
    """Whether nothing in Xero stands for a payment, or only what somebody has deleted there."""
    return link is None or link.is_deleted
