"""Payments: one Xero payment for each allocation of a Caspen payment to a synced invoice; never a second one. Pure."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.caspen.records import GONE, PaymentMethod
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.claims import adopt_payment, judge_claim, payment_fingerprint
from caspen_xero.sync.planning.invoices import wait_for_approval
from caspen_xero.sync.planning.payment_references import names, names_as_before, reference_of
from caspen_xero.sync.planning.plan import Stage
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import ExpectedPayment
from caspen_xero.sync.problems import Problem, ProblemCode, push_command, quoted
from caspen_xero.sync.setup import accounts
from caspen_xero.xero.documents import Account, Invoice, Payment


def take_back(planner: Planner, state: InvoiceState) -> bool:
    """Deletes the Xero payments that we made for what is void, removed or changed in Caspen; whether any is still to go."""
    under_way = False
    wanted = {payment.key: payment for payment in state.payments if payment.status not in GONE}
    for key, link in state.payment_links.items():
        payment = wanted.get(key)
        if payment is not None and link.invoice_id == state.invoice.id and _stands_for(link, payment):
            continue
        if planner.held(state, "delete-payment", key):
            continue
        if not link.made_by_us and link.status == "DELETED":  # pull has seen that it is gone
            continue
        if not _look_at(planner, link) and not link.made_by_us:
            under_way = True
            continue
        if not link.made_by_us:
            reason = (
                "a payment was removed in Caspen; the one in Xero was made there, so it is left alone"
                if payment is None
                else "a payment was changed in Caspen; the one in Xero was made there, so it is left alone"
            )
            fix = f"caspen-xero invoices show {state.name}"
            planner.found(state, "delete-payment", ProblemCode.PAYMENT_NOT_OURS, reason, fix, caspen_id=key)
            continue
        under_way |= _delete(planner, state, key, link)
    return under_way


def _stands_for(link: Link, payment: AppliedPayment) -> bool:
    """Whether what was sent is what Caspen says now; of a payment made in Xero only the amount is ours to compare."""
    if not link.made_by_us:
        return link.total == payment.amount
    return link.fingerprint in (None, payment_fingerprint(payment))


def _look_at(planner: Planner, link: Link) -> bool:
    """Whether a payment in Xero has been looked at; asks for it where not. One that is gone there has lost its link."""
    if link.xero_id in planner.snapshot.looks.payments:
        return True
    planner.plan.asks.payments.add(link.xero_id)
    return False


def _delete(planner: Planner, state: InvoiceState, key: str, link: Link) -> bool:
    seen = planner.snapshot.looks.payments.get(link.xero_id)
    if seen is not None and seen.is_reconciled:
        reason = (
            f"a payment of {link.total} was removed in Caspen, but is reconciled in Xero: unreconcile it there first"
        )
        planner.found(state, "delete-payment", ProblemCode.PAYMENT_RECONCILED, reason, caspen_id=key)
        return False
    if key in planner.deleting:  # moved from one invoice to another, it concerns both
        return True
    planner.deleting.add(key)
    planner.add(
        state,
        "delete-payment",
        caspen_id=key,
        number=link.number,
        detail=f"{link.total}",
        body={"Status": "DELETED"} if seen is not None else None,
        target=link.xero_id,
        invoice_id=link.invoice_id,
    )
    return True


def plan_payments(planner: Planner, state: InvoiceState) -> None:
    """Adds the payments that Xero does not have yet."""
    for payment in state.payments:
        link = state.payment_links.get(payment.key)
        stays = link and link.invoice_id == state.invoice.id and payment.key not in planner.deleting
        if payment.status in GONE or not payment.amount or stays:
            continue
        if payment.xero_id and link is None:
            judge_claim(planner, state, payment)
        elif not planner.snapshot.settings.feed_brings_payments:
            _create(planner, state, payment, moved=link is not None)


def _create(planner: Planner, state: InvoiceState, payment: AppliedPayment, *, moved: bool) -> None:
    """`moved`: it still stands in Xero, on another invoice or as it was before, and has to be taken back first."""
    link, snapshot = state.link, planner.snapshot
    if planner.held(state, "create-payment", payment.key):
        return
    account, problem = payment_account(state, payment, snapshot)
    problems = [problem] if problem else []
    problems += checks.locked(
        state.invoice.id,
        f"the payment of {payment.amount}",
        payment.date,
        snapshot.facts,
        subject=payment.key,
    )
    if problems:
        planner.plan.problems[state.invoice.id] += problems
        return
    stage = planner.stages[state.invoice.id]
    if stage is Stage.BLOCKED or (link is None and stage is Stage.WAITING):
        return
    if link is not None and stage is Stage.WAITING and not moved:
        wait_for_approval(planner, state)
        _look_now_and_then(planner, state, link)
        return
    ready = stage is Stage.OPEN and not moved
    if ready and link is not None and state.invoice.id not in snapshot.created:
        seen = snapshot.looks.invoices.get(link.xero_id)
        if seen is None:
            planner.plan.asks.invoices.add(link.xero_id)
            ready = False
        elif not _clear_to_pay(planner, state, payment, seen):
            return
    reference = reference_of(payment, _method(snapshot, payment))
    planner.add(
        state,
        "create-payment",
        caspen_id=payment.key,
        number=reference,
        detail=f"{payment.amount} on {state.invoice.number}, {reference}",
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
    )


def _look_now_and_then(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Now and then a draft is looked at, for a person may have approved it."""
    looked_at = ("look-at-draft", state.invoice.id) in planner.snapshot.holds
    if not looked_at and link.xero_id not in planner.snapshot.looks.invoices:
        planner.plan.asks.invoices.add(link.xero_id)


def _clear_to_pay(planner: Planner, state: InvoiceState, payment: AppliedPayment, seen: Invoice) -> bool:
    """Whether what Xero shows on the invoice leaves room for this payment; else it is there already, or a person decides."""
    unclaimed = _unclaimed(planner, seen)
    ours = _ours(unclaimed, payment, _method(planner.snapshot, payment))
    if ours is not None and ours.amount == payment.amount:
        adopt_payment(planner, state, payment, ours, made_by_us=True)
        return False
    due = _due(seen) - planner.promised[state.invoice.id]
    if state.invoice.id not in planner.snapshot.pay_anyway:
        alike = [ours] if ours else [found for found in unclaimed if found.amount == payment.amount]
        covered = payment.amount > due and (unclaimed or seen.prepayments or seen.overpayments)
        if alike or covered:
            _maybe_there(planner, state, payment, alike or unclaimed)
            return False
    if payment.amount > due:
        reason = f"the payment of {payment.amount} is more than the {due:.2f} that Xero shows as due"
        planner.found(state, "create-payment", ProblemCode.PAYMENT_EXCEEDS_DUE, reason, caspen_id=payment.key)
        return False
    planner.promised[state.invoice.id] += payment.amount
    return True


def _unclaimed(planner: Planner, seen: Invoice) -> list[Payment]:
    """The living payments on an invoice that stand for none of Caspen's, and that this plan links to none."""
    claimed = planner.snapshot.claimed | planner.adopting
    return [one for one in seen.payments if one.payment_id not in {None, *claimed} and one.status != "DELETED"]


def _due(seen: Invoice) -> Decimal:
    """What Xero shows as due."""
    return seen.amount_due if seen.amount_due is not None else seen.total or Decimal(0)


def _ours(shown: list[Payment], payment: AppliedPayment, method: PaymentMethod | None) -> Payment | None:
    """The payment in Xero that we made for this one: its Reference has the ids of it."""
    now = (one for one in shown if names(one.reference, payment))
    before = (one for one in shown if names_as_before(one.reference, one.amount, payment, method))
    return next(now, None) or next(before, None)


def _maybe_there(planner: Planner, state: InvoiceState, payment: AppliedPayment, found: list[Payment]) -> None:
    there = ", ".join(f"{one.amount or 0:.2f} of {one.date} ({one.reference or 'no reference'})" for one in found[:3])
    anyway = f"caspen-xero push --pay-anyway {state.name}"
    reason = (
        f"the payment of {payment.amount} of {payment.date} may be in Xero already: {there or 'an allocated credit'}; "
        f"if it is another one: {anyway}"
    )
    if not found:
        fix = anyway
    elif found[0].amount == payment.amount:
        fix = f"caspen-xero invoices link {state.name} {found[0].payment_id}"
    else:
        again = push_command(state.invoice.number, state.invoice.id)
        fix = f"If it is that one, make the amounts agree in Caspen or in Xero, then: {again}"
    planner.found(
        state, "create-payment", ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, reason, fix, caspen_id=payment.key
    )


def payment_account(
    state: InvoiceState, payment: AppliedPayment, snapshot: Snapshot
) -> tuple[Account | None, Problem | None]:
    """The account that a payment goes to: its method's own, else the default; or the problem with it."""
    links = snapshot.account_links
    own = links.get(accounts.method_purpose(payment.method_id or ""))
    account_id = own or links.get(accounts.PAYMENTS)
    account = snapshot.facts.account(account_id)
    why = accounts.why_not_payments(account) if account else None
    if account is not None and why is None:
        return account, None
    method = snapshot.methods.get(payment.method_id or "") if own else None
    choice = _likely_payment_account(snapshot)
    option = (
        f"--payment-method {quoted(f'{method.name}={choice}')}" if method else f"--payment-account {quoted(choice)}"
    )
    fix = f"caspen-xero settings set {option}"
    if account is None:
        reason = (
            "no default account for payments has been chosen" if account_id is None else "its account is gone in Xero"
        )
        return None, Problem(ProblemCode.PAYMENT_ACCOUNT_MISSING, state.invoice.id, reason, fix)
    reason = f"payments can't go to {accounts.account_label(account)}: {why}"
    return None, Problem(ProblemCode.PAYMENT_ACCOUNT_UNFIT, state.invoice.id, reason, fix)


def _likely_payment_account(snapshot: Snapshot) -> str:
    fit = [account for account in snapshot.facts.accounts if accounts.why_not_payments(account) is None]
    fit.sort(key=lambda account: (account.type != "BANK", account.code or "~"))
    return fit[0].code or fit[0].name or fit[0].account_id if fit else "CODE"


def _method(snapshot: Snapshot, payment: AppliedPayment) -> PaymentMethod | None:
    return snapshot.methods.get(payment.method_id or "")
