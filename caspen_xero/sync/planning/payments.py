"""Payments: one Xero payment for each allocation of a Caspen payment to a synced invoice; never a second one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.caspen.records import PaymentMethod, payment_id_in
from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.planning.approvals import wait_for_approval
from caspen_xero.sync.planning.claims import adopt_payment, judge_claim, payment_fingerprint
from caspen_xero.sync.planning.kept import as_lost
from caspen_xero.sync.planning.money_on_invoice import Money
from caspen_xero.sync.planning.not_ours import not_ours_in_words, reconciled_in_words
from caspen_xero.sync.planning.payment_references import reference_of
from caspen_xero.sync.planning.plan import Stage
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.same_money import There
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot, is_only_ours
from caspen_xero.sync.planning.steps import Booking, ExpectedPayment, ExpectedRemoval
from caspen_xero.sync.planning.ways_out import REMOVED, about, way_out, worded
from caspen_xero.sync.problems import Problem, ProblemCode, kept_code
from caspen_xero.sync.setup import accounts
from caspen_xero.xero.documents import Account, Payment


def take_back(planner: Planner, state: InvoiceState) -> bool:
    """Deletes the Xero payments that we made for what is void, removed or changed in Caspen; whether any is still to go."""
    under_way = False
    wanted = {payment.key: payment for payment in state.payments if payment.pays}
    for key, link in state.payment_links.items():
        payment = wanted.get(key)
        if state.is_bad("payment", payment_id_in(key)):
            continue
        if payment is not None and link.invoice_id == state.invoice.id and _stands_for(link, payment):
            continue
        if link.invoice_id is None and not link.is_deleted:  # it stands on an invoice that is none of ours
            continue
        if link.is_deleted:  # it is gone already
            if payment is None and link.made_by_us:
                _look_at(planner, state, link)  # once more, and then forget it
            continue
        if payment is not None and _is_not_kept(link, payment) and not _may_be_made_anew(planner, state, payment, link):
            _tell_not_kept(planner, state, key, link)
            continue
        if planner.held(state, "delete-payment", key):
            continue
        is_refunded = payment_id_in(key) in planner.snapshot.refunded
        if not _look_at(planner, state, link) and (is_refunded or not link.made_by_us):
            under_way = True
            continue
        if is_refunded:
            _tell_refunded(planner, state, key, link)
            continue
        seen = planner.snapshot.looks.payments.get(link.xero_id)
        is_in_batch = seen is not None and seen.batch_id is not None
        if not link.made_by_us or is_in_batch:
            reason = not_ours_in_words(state, key, link, seen, is_in_batch=is_in_batch)
            planner.found(state, "delete-payment", ProblemCode.PAYMENT_NOT_OURS, reason, caspen_id=key)
            continue
        under_way |= _delete(planner, state, key, link)
    return under_way


def _stands_for(link: Link, payment: AppliedPayment) -> bool:
    """Whether what was sent is what Caspen says now; of a payment made in Xero only the amount is ours to compare.

    One that had another amount when it was found (no fingerprint) is no push's to mend: the books tell both amounts.
    """
    if not link.made_by_us:
        return link.total == payment.amount or link.fingerprint is None
    return link.fingerprint in (None, payment_fingerprint(payment))


def _is_not_kept(link: Link, payment: AppliedPayment) -> bool:
    """Whether Caspen says what was sent, and Xero showed it otherwise."""
    return link.made_by_us and link.fingerprint == as_lost(payment_fingerprint(payment))


def _may_be_made_anew(planner: Planner, state: InvoiceState, payment: AppliedPayment, link: Link) -> bool:
    """Whether a person wants a payment that Xero shows otherwise deleted there and made once more, and both can be."""
    seen = planner.snapshot.looks.payments.get(link.xero_id)
    if seen is not None and (seen.reconciled or seen.batch_id is not None):
        return False
    can_be_made = payment_account(state, payment, planner.snapshot)[1] is None
    return planner.snapshot.is_named and can_be_made and not planner.snapshot.settings.feed_brings_payments


def _tell_not_kept(planner: Planner, state: InvoiceState, key: str, link: Link) -> None:
    """Money is never moved by itself because of what a payment shows: it stays a problem until a person names the invoice."""
    held = planner.snapshot.holds.get(("delete-payment", key))
    reason = held.reason if held else f"Xero shows the payment of {link.total or 0:.2f} otherwise than it was sent"
    seen = planner.snapshot.looks.payments.get(link.xero_id)
    fix = ""
    if seen is not None and (seen.reconciled or seen.batch_id is not None):
        reason += "; it is reconciled or in a batch there, so it is left alone"
        fix = way_out(ProblemCode.PAYMENT_RECONCILED, about(state, planner.snapshot))
    code = kept_code(held.code) if held else ProblemCode.NOT_AS_SENT
    planner.problem(state, code, reason, fix, subject=key, xero_says=held.xero_says if held else None)


def _tell_refunded(planner: Planner, state: InvoiceState, key: str, link: Link) -> None:
    """Where its money went back from, and how that is booked, nobody knows but a person."""
    reason = (
        f"its payment of {link.total or 0:.2f} is refunded in Caspen, and stands in Xero: nothing of it is deleted by itself. If "
        "the payment is to go, delete it in Xero; if the refund is booked otherwise there, set the invoice aside: "
        f"{to_paste('invoices skip', state.name)}"
    )
    planner.found(state, "delete-payment", ProblemCode.PAYMENT_REFUNDED, reason, caspen_id=key)


def _look_at(planner: Planner, state: InvoiceState, link: Link) -> bool:
    """Whether a payment in Xero has been looked at; asks for it where not. One that is gone there has lost its link."""
    if link.xero_id in planner.snapshot.looks.payments:
        return True
    planner.ask(state, "payments", link.xero_id)
    return False


def _delete(planner: Planner, state: InvoiceState, key: str, link: Link) -> bool:
    seen = planner.snapshot.looks.payments.get(link.xero_id)
    if seen is not None and seen.reconciled:
        reason = reconciled_in_words(state, key, link, seen)
        planner.found(state, "delete-payment", ProblemCode.PAYMENT_RECONCILED, reason, caspen_id=key)
        return False
    booking = None if seen is None or seen.date is None else Booking(f"the payment of {link.total or 0:.2f}", seen.date)
    if booking is not None and planner.is_locked(state, booking, key, seen_for="delete-payment"):
        return False
    if key in planner.deleting:  # moved from one invoice to another, it concerns both
        return True
    planner.deleting.add(key)
    planner.add(
        state,
        "delete-payment",
        caspen_id=key,
        number=link.number,
        detail=f"{link.total or 0:.2f}",
        body={"Status": "DELETED"} if seen is not None else None,
        target=link.xero_id,
        invoice_id=link.invoice_id,
        booking=booking,
    )
    return True


@dataclass(frozen=True)
class _Wish:
    """A payment that Xero does not have.

    `moved`: it still stands there, on another invoice or as it was before, and has to be taken back first. `removed`: what stood
    for it on this invoice, where somebody has deleted that.
    """

    payment: AppliedPayment
    moved: bool = False
    removed: Link | None = None


def plan_payments(planner: Planner, state: InvoiceState) -> None:
    """Adds the payments that Xero does not have yet."""
    wishes: list[_Wish] = []
    for payment in state.payments:
        link = state.payment_links.get(payment.key)
        if not payment.pays or state.is_bad("payment", payment.payment_id):
            continue
        if link is not None and link.is_deleted and payment.xero_id is None:
            wishes.append(_Wish(payment, removed=link if link.invoice_id == state.invoice.id else None))
        elif link is not None and link.invoice_id == state.invoice.id and payment.key not in planner.deleting:
            _look_if_it_is_missing(planner, state, payment, link)
        elif link is not None and link.invoice_id is None:
            _stands_elsewhere(planner, state, payment, link)
        elif payment.xero_id and link is None:
            judge_claim(planner, state, payment)
        else:
            wishes.append(_Wish(payment, moved=link is not None))
    if planner.snapshot.settings.feed_brings_payments:
        return
    money = Money(planner, state)
    money.note_what_is_different()
    for wish in wishes:
        _create(planner, state, wish, money)


def _stands_elsewhere(planner: Planner, state: InvoiceState, payment: AppliedPayment, link: Link) -> None:
    """Sent here, it would be there twice; and what is on an invoice that is none of ours is left alone.

    It was found before this invoice was, it may be: so nothing is said while this one is not linked, and it is looked at again
    once this one is.
    """
    if state.link is None:
        return
    held = planner.hold_on(state, "create-payment", payment.key)
    is_news = held is not None and state.link.linked_at is not None and state.link.linked_at > held.last_held_at
    if not is_news and planner.held(state, "create-payment", payment.key):
        return
    if not _look_at(planner, state, link):
        return
    there = planner.snapshot.looks.payments[link.xero_id]
    if there.status == "DELETED":  # only a dry run sees it so: it keeps nothing, and a push knows by now
        return
    stands_on = there.invoice.invoice_id if there.invoice else None
    if stands_on == state.link.xero_id:
        shown = There(link.xero_id, there.amount, there.date, there.reference, batch_id=there.batch_id)
        _is_there(planner, state, _Wish(payment), shown)
        return
    number = there.invoice.invoice_number if there.invoice else None
    on_its_page = planner.snapshot.xero_pages.there(stands_on)
    reason = (
        f"the payment of {payment.amount:.2f} of {payment.date} is in Xero already ({plain(link.number)}), but on "
        f"{plain(number or 'another invoice')}, which stands for none of Caspen's"
    )
    fix = (
        "If that invoice is one of Caspen's: caspen-xero adopt; or where that does not find it: "
        f"{to_paste('invoices link', 'INVOICE', stands_on or 'XERO_ID')}; if it is none: remove the payment from it "
        f"{on_its_page}, then: {push_command(state.invoice.number, state.invoice.id)}"
    )
    planner.found(
        state, "create-payment", ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, reason, fix, caspen_id=payment.key
    )


def _look_if_it_is_missing(planner: Planner, state: InvoiceState, payment: AppliedPayment, link: Link) -> None:
    """A payment that its invoice, where it was looked at, does not show is looked at itself: somebody may have deleted it."""
    seen = planner.snapshot.looks.invoices.get(state.link.xero_id) if state.link else None
    if seen is None or payment.xero_id is not None or planner.snapshot.settings.feed_brings_payments:
        return
    if link.xero_id not in {one.payment_id for one in seen.payments if one.status != "DELETED"}:
        _look_at(planner, state, link)


def _create(planner: Planner, state: InvoiceState, wish: _Wish, money: Money) -> None:
    link, snapshot, payment = state.link, planner.snapshot, wish.payment
    if planner.held(state, "create-payment", payment.key):
        return
    account, problem = payment_account(state, payment, snapshot)
    booking = Booking(f"the payment of {payment.amount:.2f}", payment.date)
    planner.plan.problems[state.invoice.id] += [problem] if problem else []
    if planner.is_locked(state, booking, payment.key) or problem:
        return
    stage = planner.stages[state.invoice.id]
    if stage is Stage.BLOCKED or (link is None and stage is Stage.WAITING):
        return
    if link is not None and stage is Stage.WAITING and not wish.moved:
        wait_for_approval(planner, state)
        _look_now_and_then(planner, state, link)
        return
    ready: bool | None = stage is Stage.OPEN and not wish.moved
    if ready and link is not None and (state.invoice.id not in snapshot.created or wish.removed is not None):
        ready = _look_before_paying(planner, state, wish, link, money)
        if ready is None:
            return
    reference = reference_of(payment, _method(snapshot, payment))
    planner.add(
        state,
        "create-payment",
        caspen_id=payment.key,
        number=reference,
        detail=f"{payment.amount:.2f} on {plain(state.invoice.number)}, {plain(reference)}",
        body={
            "Invoice": {"InvoiceID": link.xero_id},
            "Account": {"AccountID": account.account_id},
            "Date": payment.date,
            "Amount": payment.amount,
            "Reference": reference,
        }
        if ready and link is not None and account is not None
        else None,
        expected=ExpectedPayment(payment_fingerprint(payment), payment.amount, reference, link.xero_id if link else ""),
        booking=booking,
    )


def _look_before_paying(planner: Planner, state: InvoiceState, wish: _Wish, link: Link, money: Money) -> bool | None:
    """Whether the payment can go by what was seen of its invoice; None where it is not to go: it is there, or a person decides."""
    apart = money.apart
    if apart is None:  # it has to be looked at first
        return False
    ours = next((one for claim, one in apart.certain if claim.key == wish.payment.key), None)
    if ours is not None:
        _is_there(planner, state, wish, ours)
        return None
    if _has_to_see_deleted_ones(planner, link, wish.removed):
        planner.ask(state, "deleted", link.xero_id)
        return False
    return True if _clear_to_pay(planner, state, wish, money) else None


def _look_now_and_then(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Now and then a draft is looked at, for a person may have approved it."""
    looked_at = ("look-at-draft", state.invoice.id) in planner.snapshot.holds
    if not looked_at and link.xero_id not in planner.snapshot.looks.invoices:
        planner.ask(state, "invoices", link.xero_id)


def _has_to_see_deleted_ones(planner: Planner, link: Link, removed: Link | None) -> bool:
    """Whether somebody may have deleted a payment that this store knows nothing of: where others too have changed the invoice."""
    return removed is None and not is_only_ours(link) and link.xero_id not in planner.snapshot.looks.deleted


def _is_there(planner: Planner, state: InvoiceState, wish: _Wish, ours: There) -> None:
    """The invoice shows this very payment, so it is linked; with another amount, a person has to say which is right."""
    if ours.amount == wish.payment.amount:
        adopt_payment(planner, state, wish.payment, ours, made_by_us=wish.removed is None)
    else:
        _has_another_amount(planner, state, wish.payment, ours)


def _clear_to_pay(planner: Planner, state: InvoiceState, wish: _Wish, money: Money) -> bool:
    """Whether nobody has deleted this payment in Xero, none there may be it, and it is not too much; else a person decides."""
    payment, apart = wish.payment, money.apart
    if apart is not None and payment.key in apart.held:
        code, (reason, fix) = ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, money.question(payment.key)
        about = [one.xero_id for one in apart.held[payment.key]]
        planner.found(state, "create-payment", code, reason, fix, caspen_id=payment.key, about=about)
        return False
    if payment.key not in planner.snapshot.pay_anyway.get(state.invoice.id, ()):
        gone = wish.removed or money.removed(payment)
        if gone is not None and (gone == wish.removed or isinstance(gone, Payment)):
            _tell_removed(planner, state, payment, gone)
            return False
    due = money.due - planner.promised[state.invoice.id]
    if payment.amount > due:
        reason = f"the payment of {payment.amount:.2f} is more than the {due:.2f} that Xero shows as due"
        planner.found(state, "create-payment", ProblemCode.PAYMENT_EXCEEDS_DUE, reason, caspen_id=payment.key)
        return False
    planner.promised[state.invoice.id] += payment.amount
    return True


def _tell_removed(planner: Planner, state: InvoiceState, payment: AppliedPayment, removed: Link | Payment) -> None:
    if isinstance(removed, Payment):  # from now on that is known
        planner.add(
            state,
            "note-removed-payment",
            caspen_id=payment.key,
            number=removed.reference,
            detail=f"{payment.amount:.2f} was there and is deleted",
            body={},
            expected=ExpectedRemoval(payment_fingerprint(payment), removed.amount or payment.amount),
            target=removed.payment_id or "",
        )
    amount = removed.total if isinstance(removed, Link) else removed.amount
    as_it_was = "" if amount in (None, payment.amount) else f" as {amount:.2f}"
    reason = (
        f"the payment of {payment.amount:.2f} of {payment.date} was in Xero{as_it_was}, and somebody deleted it there"
    )
    fix = worded(REMOVED, about(state, planner.snapshot))
    planner.found(state, "create-payment", ProblemCode.PAYMENT_REMOVED_IN_XERO, reason, fix, caspen_id=payment.key)


def _has_another_amount(planner: Planner, state: InvoiceState, payment: AppliedPayment, ours: There) -> None:
    """It would be paid twice, so nobody can have it sent all the same."""
    reason = (
        f"the payment of {payment.amount:.2f} of {payment.date} is in Xero already, but as {ours.amount or 0:.2f} of {ours.date} "
        f"({plain(ours.reference)})"
    )
    fix = worded("Make the amounts agree in Caspen or {there}, then: {fresh}", about(state, planner.snapshot))
    planner.found(
        state, "create-payment", ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, reason, fix, caspen_id=payment.key
    )


def payment_account(
    state: InvoiceState, payment: AppliedPayment, snapshot: Snapshot
) -> tuple[Account | None, Problem | None]:
    """The account that a payment goes to: its method's own, else the default; or the problem with it."""
    own = snapshot.account_links.get(accounts.method_purpose(payment.method_id or ""))
    account_id = accounts.account_of_payment(snapshot.account_links, payment.method_id)
    account = snapshot.facts.account(account_id)
    why = accounts.why_not_payments(account) if account else None
    if account is not None and why is None:
        return account, None
    purpose = accounts.method_purpose(payment.method_id or "") if own else accounts.PAYMENTS
    subject = accounts.problem_subject(purpose)
    fix = accounts.account_fix(purpose, snapshot.facts.accounts, snapshot.methods.values())
    if account is None:
        reason = (
            "no default account for payments has been chosen" if account_id is None else "its account is gone in Xero"
        )
        return None, Problem(ProblemCode.PAYMENT_ACCOUNT_MISSING, state.invoice.id, reason, fix, subject)
    reason = f"payments can't go to {accounts.account_label(account)}: {why}"
    return None, Problem(ProblemCode.PAYMENT_ACCOUNT_UNFIT, state.invoice.id, reason, fix, subject)


def _method(snapshot: Snapshot, payment: AppliedPayment) -> PaymentMethod | None:
    return snapshot.methods.get(payment.method_id or "")
