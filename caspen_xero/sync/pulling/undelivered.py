"""What pull has recorded and Caspen was not told yet, judged by what both sides hold now: to be told, known already, or held.

It may have waited for long: meanwhile Caspen can have learnt of the same money in another way. What Caspen was told of and does not
have yet is judged with it, as push does: it too may be what somebody has typed in there since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.store import batches, clinic, different_money, outstanding, seen_invoices, skips, xero_payments
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.mappings import Link, Mappings, by_invoice
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.fix_commands import link_command, naming_its_own, unlink_command
from caspen_xero.sync.planning.doubtful_payments import OnInvoice, may_be_in_caspen, may_be_in_xero, owed_in_caspen
from caspen_xero.sync.planning.same_money import Apart, Claim, There, sums_of, tell_apart
from caspen_xero.sync.planning.ways_out import SETTLE_ASTRAY, after_caspen
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.may_be_there import (
    claim_of_told,
    link_of,
    maybe_there,
    on_no_invoice,
    told_and_gone,
    unlinked,
)
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.ours import own_notes, own_payments
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.dealings import AppliedCredit
from caspen_xero.xero.documents import Payment

_ASIDE = "its invoice is set aside, and a push that names it sends it all the same"


@dataclass(frozen=True)
class Held:
    """A payment that Caspen is not told of until a person has decided: why, and what to do."""

    payment: XeroPayment
    why: str
    fix: str
    code: ProblemCode


@dataclass
class Undelivered:
    """What waits, in the order in which it was found. `known`: Caspen has it already; `links`: those that are its own payments.

    Of what Caspen was told of before: `settled` (Caspen has it by now) and `doubted` (it may have it as a payment of its own).
    `not_sent`: why payments of Caspen's are not to be sent, and what to do, by the key of their allocation; `asks`: the Xero
    ids of what each may be. `beside`: of what
    is held only as it may be money that is beside its invoice in Caspen, the invoice, that money, and its own id in Xero. `unlike`:
    pairs for `different_money`, of what Caspen has and what it is told of now.
    """

    to_tell: list[XeroPayment] = field(default_factory=list)
    known: list[XeroPayment] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    settled: list[XeroPayment] = field(default_factory=list)
    doubted: list[Held] = field(default_factory=list)
    not_sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    asks: dict[str, set[str]] = field(default_factory=dict)
    beside: list[tuple[str, Claim, str]] = field(default_factory=list)
    unlike: set[tuple[str, str]] = field(default_factory=set)

    def has(self, record: XeroPayment) -> None:
        """Caspen has it."""
        (self.settled if record.delivered else self.known).append(record)

    def hold(self, held: Held) -> None:
        """A person has to decide."""
        (self.doubted if held.payment.delivered else self.held).append(held)


def judge_undelivered(
    mappings: Mappings,
    settings: Settings,
    now: datetime,
    also: Sequence[XeroPayment] = (),
    told: Sequence[XeroPayment] | None = None,
) -> Undelivered:
    """Judges all that waits, from the store alone; keeps nothing. `also`: what would be recorded beside that.

    `told`: what Caspen was told of, and its export may not have; None: what there is of it on the invoices of what waits.
    """
    undelivered = Undelivered()
    waiting = [*xero_payments.undelivered(mappings), *also]
    records = [*waiting, *(told_on(mappings, {one.invoice_id for one in waiting}) if told is None else told)]
    ids = [record.xero_id for record in records]
    linked = mappings.links_to(ids)
    named = Named(mappings, ids)
    anothers = {id_: link for id_, link in mappings.links_in_spite_of_differences().items() if link.keeps_money_out}
    unknown: list[XeroPayment] = []
    for record in records:
        is_linked = record.xero_id in linked and linked[record.xero_id].kind == "payment"
        if is_linked or named.has(record.xero_id, record.invoice_id, record.amount):
            undelivered.has(record)
        elif who := named.disputed_by(record.xero_id):
            undelivered.hold(_misnamed(record, who, settings))
        elif record.invoice_id in anothers:
            undelivered.hold(_of_another(record, anothers[record.invoice_id]))
        else:
            unknown.append(record)
    # What is only about to be recorded its invoice does not know yet.
    due: dict[str, Decimal | None] = {one.invoice_id: one.amount_due for one in also}
    _match(mappings, settings, unknown, undelivered, ids, due, now)
    names, aside = InvoiceNames(mappings.store), skips.invoice_ids(mappings.store)
    for some in (undelivered.held, undelivered.doubted):
        some[:] = [
            replace(
                held,
                why=f"{held.why}; {_ASIDE}" if held.payment.invoice_id in aside else held.why,
                fix=naming_its_own(held.fix, held.payment.invoice_id, names),
            )
            for held in some
        ]
    return undelivered


def told_on(mappings: Mappings, invoice_ids: Iterable[str]) -> list[XeroPayment]:
    """What Caspen was told of, and may not have, on these invoices."""
    rows = outstanding.maybe_not_in_caspen(mappings, invoice_ids)
    recorded = xero_payments.recorded(mappings, [row["xero_id"] for row in rows])
    return [one for row in rows if (one := recorded[row["xero_id"]]).delivered]


def asked_about_beside(
    mappings: Mappings,
    settings: Settings,
    invoice_ids: Collection[str],
    now: datetime,
    known: Collection[tuple[str, Decimal]],
) -> list[tuple[str, str]]:
    """What a person has been asked about on these invoices who says now that it is other money: pairs for `different_money`.

    `known`: the keys and amounts of Caspen's money that was there when they were asked.
    """
    judged = judge_undelivered(mappings, settings, now, told=told_on(mappings, invoice_ids))
    return [
        (claim.key, xero_id)
        for id_, claim, xero_id in judged.beside
        if id_ in invoice_ids and (claim.was_told or (claim.key, claim.amount) in known)
    ]


def _match(
    mappings: Mappings,
    settings: Settings,
    records: Sequence[XeroPayment],
    undelivered: Undelivered,
    ids: Collection[str],
    due: Mapping[str, Decimal | None],
    now: datetime,
) -> None:
    """Judges what no payment in Caspen names, by the rule by which push judges what it sends. `ids`: of all that waits."""
    on: dict[str, list[XeroPayment]] = {}
    for record in records:
        on.setdefault(record.invoice_id, []).append(record)
    maybe, seen = maybe_there(mappings, list(on)), seen_invoices.as_last_seen(mappings, on)
    links, different = by_invoice(mappings.links_of_invoices("payment", on)), different_money.pairs(mappings)
    due = {id_: link.amount_due for id_, link in mappings.links("invoice", on).items()} | {**due}
    members = batches.among(mappings, {*ids, *(xero_id for look in seen.values() for xero_id in look.payments)})
    batch_of = {one.xero_id: one.batch_id for one in members}
    aparts: dict[str, Apart] = {}
    own_ids: set[str] = set()
    told_of = [one for one in told_and_gone(mappings) if one.kind != "credit_note"]
    on_none = on_no_invoice(mappings, list(on), ids)
    ours = own_payments(mappings.store, {id_: _payments(some) for id_, some in on.items()})
    astray = {id_: one.words for id_, one in ours.items()}
    astray |= _own_allocations(mappings, records)
    for invoice_id, some in on.items():
        look = seen.get(invoice_id)
        shown = {*ids, *look.payments, *look.allocations} if look is not None else {*ids}
        shown |= {batch_of[xero_id] for xero_id in shown & batch_of.keys()}
        shown -= look.gone if look is not None else set()
        claims = unlinked(maybe[invoice_id], links[invoice_id], shown)
        there = [_there(one) for one in some if one.kind != "credit_note"]
        if not all(one.is_told for one in there):
            claims += [claim_of_told(one) for one in told_of if one.invoice_id == invoice_id]
        free = on_none.get(invoice_id, ())
        named_otherwise = {(claim.key, one.xero_id) for claim in free for one in there if one.xero_id in astray}
        apart = tell_apart([*claims, *free], there, due.get(invoice_id), different | named_otherwise)
        aparts[invoice_id] = apart
        undelivered.unlike |= {*apart.unlike}
        own_ids |= {one.xero_id for _, one in apart.certain}
        for claim, one in apart.certain:
            if not one.is_told:  # push links that one
                is_new = claim.key not in links[invoice_id]
                undelivered.links.append(link_of(invoice_id, claim, one, now, made_by_us=is_new))
        if settings.feed_brings_payments:  # by that setting a person has said that the bank brings what Caspen has
            brought = [pair for pair in apart.pairs if not (pair[0].is_beside or pair[1].is_told)]
            undelivered.links += [link_of(invoice_id, *pair, now, made_by_us=False) for pair in brought]
    _add_sums(aparts, on_none, different, astray)
    undelivered.beside += [
        (invoice_id, claim, xero_id)
        for invoice_id, apart in aparts.items()
        for xero_id, some in (apart.asked_after if not apart.asked else {}).items()
        for claim in some
    ]
    questions = _questions(mappings, settings, on, aparts, due, undelivered)
    own_ids |= {link.xero_id for link in undelivered.links}
    for record in records:
        if record.xero_id in own_ids:
            undelivered.has(record)
        elif record.xero_id in questions:
            code = ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO
            undelivered.hold(Held(record, *questions[record.xero_id], code))
        elif record.xero_id in astray:
            undelivered.hold(_astray(mappings, record, astray[record.xero_id], settings))
        elif not record.delivered:
            undelivered.to_tell.append(record)


def _add_sums(
    aparts: dict[str, Apart],
    on_none: Mapping[str, Sequence[Claim]],
    different: Collection[tuple[str, str]],
    astray: Collection[str],
) -> None:
    """What a client has paid that is on no invoice in Caspen may be in several parts in Xero, on one invoice or on several."""
    of_client: dict[tuple[str, ...], list[str]] = {}  # who has the same money on no invoice is the same client
    for invoice_id, claims in on_none.items():
        of_client.setdefault(tuple(claim.key for claim in claims), []).append(invoice_id)
    for invoice_ids in of_client.values():
        paired = {claim.key for id_ in invoice_ids for claim, _ in aparts[id_].pairs}
        free = [claim for claim in on_none[invoice_ids[0]] if claim.key not in paired]
        news = [one for id_ in invoice_ids for one in aparts[id_].news if one.xero_id not in astray]
        sums = sums_of(free, news, different)
        for id_ in invoice_ids:
            here = {one.xero_id for one in aparts[id_].news}
            mine = [each for each in sums if not here.isdisjoint(one.xero_id for one in each.there)]
            if mine:
                aparts[id_] = aparts[id_].with_sums(mine)


def _questions(
    mappings: Mappings,
    settings: Settings,
    records: Mapping[str, Sequence[XeroPayment]],
    aparts: Mapping[str, Apart],
    due: Mapping[str, Decimal | None],
    undelivered: Undelivered,
) -> dict[str, tuple[str, str]]:
    """Why Caspen is not told of those that are in question, and what to do, by Xero's id; and of its own, why they are not sent."""
    in_question = [id_ for id_, apart in aparts.items() if apart.in_question]
    invoices = clinic.invoices(mappings.store, in_question)
    payments, notes = (
        clinic.payments_on(mappings.store, in_question),
        clinic.credit_notes_on(mappings.store, in_question),
    )
    questions: dict[str, tuple[str, str]] = {}
    for id_ in in_question:
        invoice, apart = invoices[id_], aparts[id_]
        owed = owed_in_caspen(invoice.total, payments.get(id_, ()), notes.get(id_, ()))
        is_fed = settings.feed_brings_payments
        on = OnInvoice(
            invoice.number,
            id_,
            due.get(id_),
            apart.room,
            owed,
            is_fed=is_fed,
            asked=apart.asked,
            asked_after=len(apart.asked_after),
            sums=apart.sums,
            source=settings.source,
        )
        there = {record.xero_id: _there(record) for record in records[id_]}
        claims = {claim.key: claim for some in apart.in_question.values() for claim in some if not claim.is_beside}
        questions |= {
            xero_id: may_be_in_caspen(there[xero_id], some, on) for xero_id, some in apart.in_question.items()
        }
        undelivered.not_sent |= {
            key: may_be_in_xero(claims[key], some, on) for key, some in apart.held.items() if key in claims
        }
        undelivered.asks |= {key: {one.xero_id for one in some} for key, some in apart.held.items() if key in claims}
    return questions


def _own_allocations(mappings: Mappings, records: Sequence[XeroPayment]) -> dict[str, str]:
    """By Xero's id, the allocations of credit notes of Caspen's, and the note's name."""
    credits = {
        record.xero_id: AppliedCredit("credit_note", record.credit_id, record.amount, record.reference)
        for record in records
        if record.kind == "credit_note" and record.credit_id
    }
    own = own_notes(mappings, credits.values())
    return {
        id_: f"credit note {plain(own[credit.credit_id].note.number)} is on {plain(own[credit.credit_id].invoice_name)}"
        for id_, credit in credits.items()
        if credit.credit_id in own
    }


def _there(record: XeroPayment) -> There:
    is_credit = record.credit_id is not None
    return There(
        record.xero_id,
        record.amount,
        record.date,
        record.reference,
        record.account_id,
        is_told=record.delivered,
        is_credit=is_credit,
    )


def _payments(records: Sequence[XeroPayment]) -> list[Payment]:
    return [
        Payment(payment_id=one.xero_id, amount=one.amount, date=one.date, reference=one.reference)
        for one in records
        if one.credit_id is None
    ]


def _of_another(record: XeroPayment, link: Link) -> Held:
    same = link_command(record.invoice_number, record.invoice_id, link.xero_id, force=True, with_payments=True)
    return Held(
        record,
        "the invoice in Xero that it is on was linked by a person though its contact or currency is another",
        f"If it is another invoice: {unlink_command(record.invoice_number, record.invoice_id)}; if it is the same debt: {same}",
        ProblemCode.LINKED_WITH_DIFFERENCES,
    )


def _astray(mappings: Mappings, record: XeroPayment, caspen: str, settings: Settings) -> Held:
    link = mappings.link("invoice", record.invoice_id)
    return Held(
        record,
        f"it carries the name of one of Caspen's own: {caspen}",
        SETTLE_ASTRAY.format(
            pull=after_caspen("caspen-xero pull", settings.source),
            there=pages_of(mappings).there(link.xero_id if link else None),
        ),
        ProblemCode.PAYMENT_ASTRAY_IN_XERO,
    )


def _misnamed(record: XeroPayment, names: Sequence[str], settings: Settings) -> Held:
    who = " and ".join(plain(name) for name in names[:5])
    return Held(
        record,
        f"Caspen's payments {who} both name it in their xero_id"
        if len(names) > 1
        else f"Caspen's payment {who} names it in its xero_id, but is not on this invoice with this amount",
        f"Correct payment {who} in Caspen, then: {after_caspen('caspen-xero pull', settings.source)}",
        ProblemCode.PAYMENT_XERO_ID_WRONG,
    )
