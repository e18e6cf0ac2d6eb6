"""Payments that stand on one side only, each with why: in Xero and not in Caspen's export yet, in Caspen and not in Xero yet.

From the store alone, as import, push and pull left it. A row goes by itself: once the next export has it (by its `xero_id`, or
linked by a person), or once a push has sent it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from caspen_xero.cents import money_text
from caspen_xero.commands import to_paste
from caspen_xero.store import bad_records, journal, other_homes, outstanding, problems, waiting, xero_payments
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_time
from caspen_xero.store.todo import BEFORE_START, SET_ASIDE
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.fix_commands import connected_first, invoice_name, naming_its_own, push_command
from caspen_xero.sync.planning.approvals import TO_BE_APPROVED, UNDER_WAY
from caspen_xero.sync.planning.bad_records import problem_of_known, subject_of
from caspen_xero.sync.planning.outlook import PAYMENTS_OFF
from caspen_xero.sync.planning.ways_out import APPROVE
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.deliver import Destination
from caspen_xero.sync.pulling.undelivered import Held, Undelivered, judge_undelivered
from caspen_xero.sync.sending.other_homes import END_ONE
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.deeplinks import XeroPages
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED

Direction = Literal["to_caspen", "to_xero"]
Status = Literal["told", "not-told", "pending", "held", "left-out"]


class Trouble(Protocol):
    """What `unsynced` says of an invoice. `subject`: the part that it is about."""

    @property
    def invoice_id(self) -> str: ...
    @property
    def code(self) -> ProblemCode: ...
    @property
    def subject(self) -> str: ...
    @property
    def fix(self) -> str: ...


class BooksLike(Protocol):
    """How the books stand: what is wrong, and with what of it a person is content."""

    @property
    def troubles(self) -> Sequence[Trouble]: ...
    @property
    def accepted(self) -> Sequence[Trouble]: ...


@dataclass(frozen=True)
class OutstandingPayment:
    """A payment, its part on one invoice, or an allocated credit, that stands on one side only. `amount` in `currency`.

    To Caspen it is `told` (`told_at`, `told_to`: the file or server), `not-told`, or `held` until a person has decided; to Xero
    `pending` (a push sends it), `held` by what is wrong (`code`), or `left-out` by what a person has chosen. `kind`: a payment
    from Xero's; `method`: Caspen's. `key`: of an allocation in Caspen. Times UTC.
    """

    direction: Direction
    status: Status
    code: str | None
    reason: str
    fix: str
    invoice_id: str
    number: str | None
    client: str | None
    date: date | None
    amount: Decimal
    currency: str | None
    kind: str = "payment"
    method: str | None = None
    reference: str | None = None
    reconciled: bool | None = None
    xero_id: str | None = None
    payment_id: str | None = None
    key: str | None = None
    found_at: datetime | None = None
    told_at: datetime | None = None
    told_to: str | None = None

    @property
    def is_credit(self) -> bool:
        """Whether it is an allocated credit."""
        return self.kind in xero_payments.CREDITS

    @property
    def is_to_enter(self) -> bool:
        """Whether a person has to enter it in Caspen where that takes in no updates: it is not in doubt that Caspen lacks it."""
        return self.direction == "to_caspen" and self.status != "held"


def outstanding_payments(
    mappings: Mappings, settings: Settings, books: BooksLike, now: datetime
) -> list[OutstandingPayment]:
    """All of them, those from Xero first, each by its date."""
    rows = outstanding.maybe_not_in_caspen(mappings)
    recorded = xero_payments.recorded(mappings, [row["xero_id"] for row in rows])
    told = [one for row in rows if (one := recorded[row["xero_id"]]).delivered]
    judged = judge_undelivered(mappings, settings, now, told=told)
    found = [*_to_caspen(rows, recorded, judged), *_to_xero(mappings, settings, books, judged.not_sent)]
    if other_homes.another_home(mappings) is not None:
        found = [_while_another_sends(one) for one in found]
    names, connected = InvoiceNames(mappings.store), mappings.store.connection() is not None

    def named(text: str, one: OutstandingPayment) -> str:
        return naming_its_own(text, one.invoice_id, names)

    return [
        replace(one, reason=named(one.reason, one), fix=connected_first(named(one.fix, one), connected=connected))
        for one in found
    ]


def _while_another_sends(one: OutstandingPayment) -> OutstandingPayment:
    """What waits for a push waits for a person: none sends while another copy of this workspace does."""
    if one.direction == "to_caspen" or one.status != "pending":
        return one
    return replace(one, reason="nothing is sent while another copy of this workspace sends to Xero too", fix=END_ONE)


# --- in Xero, and not in Caspen's export yet


def _to_caspen(
    rows: Sequence[Any], recorded: Mapping[str, XeroPayment], judged: Undelivered
) -> Iterator[OutstandingPayment]:
    in_caspen = {one.xero_id for one in (*judged.known, *judged.settled)}
    held = {one.payment.xero_id: one for one in (*judged.held, *judged.doubted)}
    for row in rows:
        if row["xero_id"] not in in_caspen:
            payment = recorded[row["xero_id"]]
            yield _of_xero(payment, row, *_why_not_in_caspen(payment, row, held.get(payment.xero_id)))


_Why = tuple[Status, str | None, str, str]


def _why_not_in_caspen(payment: XeroPayment, row: Any, held: Held | None) -> _Why:
    """Status, code, reason and fix."""
    if held is not None:
        return "held", held.code, held.why, held.fix
    if not payment.delivered:
        return "not-told", None, "Caspen has not been told of it yet", "caspen-xero pull"
    if row["told_to"] is None:
        reason = "Caspen was not told of it, as it had a payment of its own for it then"
        return "not-told", None, reason, "Enter it in Caspen"
    enter = "Have Caspen take it in, or enter it there"
    return "told", None, "Caspen was told of it, and its export does not have it yet", enter


def _of_xero(
    payment: XeroPayment, row: Any, status: Status, code: str | None, reason: str, fix: str
) -> OutstandingPayment:
    return OutstandingPayment(
        direction="to_caspen",
        status=status,
        code=code,
        reason=reason,
        fix=fix,
        invoice_id=payment.invoice_id,
        number=row["number"] or payment.invoice_number,
        client=row["client"],
        date=payment.date,
        amount=payment.amount,
        currency=row["currency"],
        kind=payment.kind,
        reference=payment.reference,
        reconciled=payment.reconciled,
        xero_id=payment.xero_id,
        found_at=utc_time(row["found_at"]),
        told_at=utc_time(row["told_at"]),
        told_to=row["told_to"] or None,
    )


def told_in_words(one: OutstandingPayment) -> str:
    """Where Caspen was told of it, as in "told 2026-11-28, ..."; "" where nobody knows."""
    return Destination(one.told_to).in_words if one.told_to else ""


# --- in Caspen, and not in Xero yet


def _to_xero(
    mappings: Mappings, settings: Settings, books: BooksLike, not_sent: Mapping[str, tuple[str, str]]
) -> Iterator[OutstandingPayment]:
    rows = outstanding.not_in_xero(mappings)
    wrong = _wrong(mappings, settings, rows, books) if rows else {}
    whys = waiting.whys(mappings) if rows else {}
    under_way = journal.invoices_under_way(mappings) if rows else set()
    pages = pages_of(mappings)
    for row in rows:
        invoice_id, doubt = row["invoice_id"], not_sent.get(row["key"])
        why = _why_not_in_xero(
            row,
            _gone(row, books),
            wrong.get(invoice_id, []),
            whys.get(invoice_id),
            doubt,
            settings,
            pages,
            is_under_way=invoice_id in under_way,
        )
        yield _of_caspen(row, *why)


_Wrong = tuple[str, str, str, str]
"""The code, subject, reason and fix of a problem."""


def _wrong(mappings: Mappings, settings: Settings, rows: Sequence[Any], books: BooksLike) -> dict[str, list[_Wrong]]:
    """What is wrong with the invoices of these rows: as the last push left it, and the bad records that have come since."""
    found: defaultdict[str, list[_Wrong]] = defaultdict(list)
    accepted = {(one.invoice_id, one.code, one.subject) for one in books.accepted}
    for problem in problems.problems(mappings):
        told = (problem["code"], problem["subject"], problem["reason"], problem["fix"])
        if (problem["invoice_id"], problem["code"], problem["subject"]) not in accepted:
            found[problem["invoice_id"]].append(told)
    numbers = {row["invoice_id"]: row["number"] for row in rows}
    for invoice_id, bad_ones in bad_records.bad_records_on(mappings.store, numbers).items():
        for bad in bad_ones:
            one = problem_of_known(bad, invoice_id, numbers[invoice_id], settings.source)
            found[invoice_id].append((one.code, subject_of(bad), one.reason, one.fix))
    return found


def _about(row: Any, wrong: Sequence[_Wrong]) -> list[_Wrong]:
    """Those about this very payment."""
    return [one for one in wrong if one[1] in (row["key"], f"payment:{row['payment_id']}")]


def _gone(row: Any, books: BooksLike) -> _Why | None:
    """Why one stays out that stood in Xero, or whose invoice did, until somebody put an end to that there, or that stands there
    with another amount; None of any other.
    """
    if row["xero_status"] in GONE_STATUSES:
        meant = {(ProblemCode.VOIDED_IN_XERO, "")}
        reason = f"its invoice is {row['xero_status'].lower()} in Xero"
    elif row["gone_id"] is not None:
        meant = {(ProblemCode.PAYMENT_REMOVED_IN_XERO, subject) for subject in (row["key"], row["gone_id"])}
        reason = "what stood for it in Xero was deleted there"
    elif row["other_id"] is not None:
        meant = {
            (ProblemCode.PAYMENT_CHANGED_IN_XERO, row["other_id"]),
            (ProblemCode.PAYMENT_NOT_OURS, row["key"]),
        }
        reason = f"it is in Xero as {money_text(Decimal(row['other_amount']))}"
    else:
        return None

    def is_it(one: Trouble) -> bool:
        return one.invoice_id == row["invoice_id"] and (one.code, one.subject) in meant

    if trouble := next((one for one in books.troubles if is_it(one)), None):
        return "held", trouble.code, reason, trouble.fix
    if trouble := next((one for one in books.accepted if is_it(one)), None):
        return "left-out", trouble.code, f"{reason}, and a person has accepted that", ""
    return None


def _why_not_in_xero(
    row: Any,
    gone: _Why | None,
    wrong: Sequence[_Wrong],
    wait: waiting.Why | None,
    doubt: tuple[str, str] | None,
    settings: Settings,
    pages: XeroPages,
    *,
    is_under_way: bool,
) -> _Why:
    """Status, code, reason and fix.

    `gone`: that it stood there; `wrong`: with its invoice and all that belongs to that; `wait`: why that waits; `doubt`:
    that it may be in Xero, and what to do; `is_under_way`: something of its invoice was sent, and no answer has come.
    """
    push, there = push_command(row["number"], row["invoice_id"]), pages.there(row["xero_invoice_id"])
    if row["is_set_aside"]:
        unskip = to_paste("invoices unskip", invoice_name(row["number"], row["invoice_id"]))
        return "left-out", SET_ASIDE, "its invoice is set aside", unskip
    if gone is not None:
        return gone
    if own := _about(row, wrong):
        code, _, reason, fix = own[0]
        return "held", code, reason, fix
    if row["xero_invoice_id"] is None and (row["issue_date"] or "") < (settings.start_date or ""):
        reason = f"its invoice is dated before the start date, {settings.start_date}"
        return "left-out", BEFORE_START, reason, ""
    if settings.feed_brings_payments and not row["claims"]:
        reason = "payments are not sent, as the bank feed brings them"
        return "left-out", PAYMENTS_OFF, reason, ""
    its_own = [one for one in wrong if not one[0].startswith(("payment-", "credit-note-")) or not one[1]]
    if its_own:
        code, _, reason, fix = min(its_own, key=lambda one: bool(one[1]))
        return "held", code, f"its invoice: {reason}" if not code.startswith("payment-") else reason, fix
    if doubt is not None:
        return "held", ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, *doubt
    if wait is not None:
        return "pending", wait.code, wait.reason, push
    if is_under_way:
        return "pending", ProblemCode.NOT_PUSHED_YET, f"its invoice: {UNDER_WAY}", "caspen-xero push"
    if row["xero_status"] in UNAPPROVED and settings.invoice_status != "draft":
        return "pending", ProblemCode.NOT_PUSHED_YET, f"its invoice: {TO_BE_APPROVED}", "caspen-xero push"
    if row["xero_status"] in UNAPPROVED:
        reason = "its invoice is a draft in Xero, and payments wait for its approval"
        return "pending", ProblemCode.WAITS_FOR_APPROVAL, reason, APPROVE.format(there=there, push=push)
    if row["xero_invoice_id"] is None:
        return "pending", ProblemCode.NOT_PUSHED_YET, "its invoice is not in Xero yet", "caspen-xero push"
    if row["gone_id"]:
        reason = "what stood for it in Xero was deleted there"
    elif row["is_elsewhere"]:
        reason = "what stands for it in Xero is on another invoice"
    elif row["other_id"]:
        there_now = money_text(Decimal(row["other_amount"]))
        reason = f"it was changed in Caspen, and stands in Xero as {there_now} until a push has come to it"
    else:
        reason = "no push has sent it yet"
    return "pending", ProblemCode.NOT_PUSHED_YET, reason, "caspen-xero push"


def _of_caspen(row: Any, status: Status, code: str | None, reason: str, fix: str) -> OutstandingPayment:
    return OutstandingPayment(
        direction="to_xero",
        status=status,
        code=code,
        reason=reason,
        fix=fix,
        invoice_id=row["invoice_id"],
        number=row["number"],
        client=row["client"],
        date=date.fromisoformat(row["date"]) if row["date"] else None,
        amount=Decimal(row["amount"]),
        currency=row["currency"],
        method=row["method"],
        payment_id=row["payment_id"],
        key=row["key"],
    )
