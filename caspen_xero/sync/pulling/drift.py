"""Where Caspen and Xero no longer agree, and what to do: from the store alone, as push and pull last saw Xero.

Nothing here changes either side. What a push still has to do is no drift, and what a person has set aside is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from caspen_xero.caspen.records import FINALISED
from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.store import both_sides, clinic, known_contacts, seen_invoices, skips, xero_payments
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.journal import deleted_from_here
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.seen_invoices import Discrepancy, DiscrepancyCode
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.fix_commands import accept_command, connected_first, naming_its_own, unlink_command
from caspen_xero.sync.planning.accepting import key_of
from caspen_xero.sync.planning.linked_by_hand import unlink_or_same_debt
from caspen_xero.sync.planning.same_invoice import FIGURES, kept_in_words
from caspen_xero.sync.planning.translate import invoice_fingerprint
from caspen_xero.sync.planning.ways_out import (
    CREDIT_CHANGED,
    ONCE_UNPAID,
    OR_ACCEPT,
    REMOVED_FROM_OTHERS,
    About,
    after_caspen,
    way_out,
    worded,
)
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.discrepancies import of_another_amount, payment_in_words
from caspen_xero.sync.pulling.may_be_there import told_and_gone
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.undelivered import judge_undelivered
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.deeplinks import XeroPages
from caspen_xero.xero.documents import GONE_STATUSES

ZERO = Decimal(0)
DETAILS = seen_invoices.DETAILS_EDITED
"""What is no difference: account, tax type, reference, due date or text, edited in Xero, where it stays."""
LINKED_THOUGH_IT_DIFFERS = "linked-though-it-differs"
"""What a person linked though number, contact, date or currency differ."""
_ASTRAY = ("payment-astray-in-xero", "credit-astray-in-xero")
_PROBLEMS = {
    "invoice-edited-in-xero": ProblemCode.EDITED_IN_XERO,
    "figures-differ": ProblemCode.EDITED_IN_XERO,
    seen_invoices.PAYMENT_GONE: ProblemCode.PAYMENT_REMOVED_IN_XERO,
    "payment-changed-in-xero": ProblemCode.PAYMENT_CHANGED_IN_XERO,
    "payment-twice-in-xero": ProblemCode.PAYMENT_TWICE_IN_XERO,
    "payment-astray-in-xero": ProblemCode.PAYMENT_ASTRAY_IN_XERO,
    "credit-gone-in-xero": ProblemCode.CREDIT_GONE_IN_XERO,
    "credit-changed-in-xero": ProblemCode.CREDIT_GONE_IN_XERO,
    "credit-note-voided-in-xero": ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO,
    "credit-astray-in-xero": ProblemCode.CREDIT_ASTRAY_IN_XERO,
    "voided-in-xero": ProblemCode.VOIDED_IN_XERO,
    "paid-in-caspen-only": ProblemCode.PAID_IN_CASPEN_ONLY,
    "paid-in-xero-only": ProblemCode.PAID_IN_XERO_ONLY,
}
"""How `unsynced` calls them, the first three otherwise than `drift` does; scripts rely on both names. The rest is no trouble."""
_NO_TROUBLE: Mapping[str, str] = {
    DETAILS: "It stays as it was edited, until a person decides otherwise; to write what Caspen says over it: {overwrite}",
    "draft-in-caspen": "Finalise the invoice in Caspen again, or void it there, then: {sync}",
}
_WRITTEN_OVER = ("invoice-edited-in-xero", "figures-differ", DETAILS)
_MAY_CHANGE = ("number ", "reference ", "due date ")
"""What Xero changes on a paid invoice, as edits in words begin; the contact too, where nothing is credited (Invoices page)."""
_ARCHIVED = "contact-archived"
_INFORMATION = frozenset({DETAILS, _ARCHIVED})


@dataclass(frozen=True)
class Drift:
    """One thing on which the two sides differ. `seen_at`: since when, as far as we know (ISO 8601, UTC).

    `problem`: how `unsynced` calls it; None for what is no trouble: what a bookkeeper may decide, and a draft again in Caspen.
    `subject`: the Xero id of the payment or credit that it is about; "" for the invoice itself. `key`: what it is known by, which
    is none of its words (`planning/accepting.py`); of an edit, the two documents are.
    """

    number: str | None
    invoice_id: str | None
    code: str
    caspen: str
    xero: str
    seen_at: str | None
    fix: str
    subject: str = ""
    problem: ProblemCode | None = None
    key: str = ""

    @property
    def is_information(self) -> bool:
        """Whether nothing is wrong: a bookkeeper's decision, which stays."""
        return self.code in _INFORMATION

    def as_json(self) -> dict[str, Any]:
        """The row of `drift --json`."""
        return {name: value for name, value in vars(self).items() if name != "key"}


def find_drift(mappings: Mappings, settings: Settings) -> list[Drift]:
    """Everything on which Caspen and Xero differ, by invoice date and number."""
    discrepancies = _standing_discrepancies(mappings)
    for payment in both_sides.payments_of_another_amount(mappings):
        discrepancies[payment.invoice_id].append(of_another_amount(payment))
    rows = list(both_sides.linked_invoices_that_may_differ(mappings))
    undelivered = _undelivered(mappings, settings)
    money = _Money(mappings, settings, rows, {one.invoice_id for one in undelivered})
    pages = pages_of(mappings)
    told = {one.xero_id for one in told_and_gone(mappings)}
    others = {id_: link for id_, link in mappings.links_in_spite_of_differences().items() if link.keeps_money_out}
    differ = [(row, one) for row in rows for one in _of_invoice(row, discrepancies[row["invoice_id"]], money)]
    ours = {id_ for id_, link in mappings.links_to(one.subject for _, one in differ).items() if link.made_by_us}
    found = [
        _told_and_gone(row, one, settings)
        if one.subject in told and one.code == seen_invoices.PAYMENT_GONE
        else _drift(row, one, one.subject in ours, settings, pages, others.get(row["invoice_id"]))
        for row, one in differ
    ]
    names = InvoiceNames(mappings.store)
    found = [
        replace(one, fix=naming_its_own(one.fix, one.invoice_id or "", names))
        for one in [*found, *_linked_by_hand(mappings, pages)]
    ]
    return found + undelivered + _archived_contacts(mappings)


def _of_invoice(row: Any, discrepancies: Sequence[Discrepancy], money: _Money) -> Iterator[Discrepancy]:
    """What differs on one invoice that stands in Xero."""
    changed_at, status = row["xero_updated_at"] or "", row["status"]
    if status in FINALISED and row["xero_status"] in GONE_STATUSES:
        paid = money.paid_in_caspen(row)
        ours = f"{status}, {_total(row['total'])}" + (f", paid or credited {money_text(paid)}" if paid else "")
        facts = (status, money_text(_amount(row["total"])), money_text(paid), row["xero_status"])
        yield _found("voided-in-xero", ours, row["xero_status"].lower(), changed_at, facts)
        return
    if status == "draft":
        if row["is_quiet"]:
            yield _found("draft-in-caspen", "draft", plain((row["xero_status"] or "").lower()), changed_at)
        return
    # Of an invoice that changed in Caspen, or that a push has looked at since, the next push or pull knows more.
    may_stand = money.is_as_sent(row) or row["has_problem"]
    told = [one for one in discrepancies if one.code not in seen_invoices.EDITED or (may_stand and _stands(row, one))]
    yield from told
    if status not in FINALISED or not money.is_as_sent(row):
        return
    if ours_and_theirs := _figures(row):
        yield _found("figures-differ", *ours_and_theirs, changed_at)
    elif row["is_quiet"] and all(one.code == DETAILS for one in told):
        yield from _of_money(row, money)


def _stands(row: Any, edit: Discrepancy) -> bool:
    """Whether Xero still shows what was seen edited there: whoever reads it whole says anew what is.

    Of what an earlier version has found, as far as anybody has looked since.
    """
    if edit.facts and row["shown"] and row["xero_status"] not in GONE_STATUSES:
        return tuple(edit.facts) == (row["shown"],)
    return (row["xero_updated_at"] or "") <= (row["seen_at"] or "")


def _figures(row: Any) -> tuple[str, str] | None:
    """The figures of both sides, in words, if they are not equal."""
    names = ("subtotal", "tax", "total")
    ours, theirs = ([_amount(row[prefix + name]) for name in names] for prefix in ("", "xero_"))
    if ours == theirs:
        return None
    told = [
        ", ".join(f"{name} {money_text(one)}" for name, one in zip(names, some, strict=True)) for some in (ours, theirs)
    ]
    return told[0], told[1]


def _total(text: str | None) -> str:
    return f"total {money_text(_amount(text))}"


def _found(code: DiscrepancyCode, caspen: str, xero: str, since: str | None, facts: Sequence[str] = ()) -> Discrepancy:
    return Discrepancy(code, "", caspen, xero, since or "", facts=facts)


def _of_money(row: Any, money: _Money) -> Iterator[Discrepancy]:
    """Whether the same is paid on both sides; what Caspen has been told, or is about to be, counts as paid there.

    An invoice that Caspen calls paid is so, whatever records there are of it. What was paid since a pull has looked is the next
    pull's to take.
    """
    ours, theirs = money.paid_in_caspen(row), _amount(row["amount_paid"]) + _amount(row["amount_credited"])
    at_most = max(ours, _amount(row["total"])) if row["status"] == "paid" else ours
    if ours <= theirs <= at_most or (ours > theirs and money.feed_brings_payments) or not money.was_looked_at(row):
        return
    code: DiscrepancyCode = "paid-in-caspen-only" if ours > theirs else "paid-in-xero-only"
    words, facts = "{} paid or credited", (money_text(ours), money_text(theirs))
    yield _found(code, words.format(facts[0]), words.format(facts[1]), row["xero_updated_at"], facts)


class _Money:
    """What is paid and credited in Caspen, by invoice; and which invoices Caspen has changed since they were sent."""

    def __init__(
        self, mappings: Mappings, settings: Settings, rows: Sequence[Any], undelivered: set[str | None]
    ) -> None:
        """`undelivered`: invoices of which something paid in Xero is not told to Caspen yet, which is said of each by itself."""
        invoice_ids = [row["invoice_id"] for row in rows]
        self._changed = _changed_since_sent(mappings, [row["invoice_id"] for row in rows if not row["is_done"]])
        self.feed_brings_payments, self._undelivered = settings.feed_brings_payments, undelivered
        self._paid = both_sides.paid_in_caspen(mappings, invoice_ids)
        pulled_at = utc_time(mappings.setting(seen_invoices.PULLED_AT))
        self._unseen = (
            set(invoice_ids) if pulled_at is None else both_sides.moved_since(mappings, invoice_ids, pulled_at)
        )

    def paid_in_caspen(self, row: Any) -> Decimal:
        """What is paid or credited of an invoice, by what there is of records."""
        return self._paid.get(row["invoice_id"], ZERO)

    def is_as_sent(self, row: Any) -> bool:
        """Whether Caspen has the invoice itself as it was sent, though something of it may be left to send."""
        return row["invoice_id"] not in self._changed

    def was_looked_at(self, row: Any) -> bool:
        """Whether a pull has seen what is paid on an invoice since anybody, as far as is known, has moved money there."""
        is_outdated = (row["xero_updated_at"] or "") > (row["money_at"] or "")
        return row["invoice_id"] not in {*self._undelivered, *self._unseen} and not is_outdated


def _changed_since_sent(mappings: Mappings, invoice_ids: Sequence[str]) -> set[str]:
    """Those that Caspen has otherwise by now than they were sent, and those of which that is not known."""
    now, links = clinic.invoices(mappings.store, invoice_ids), mappings.links("invoice", invoice_ids)
    sent = {id_: links[id_].fingerprint for id_ in invoice_ids if id_ in links}
    return {id_ for id_ in invoice_ids if id_ not in now or sent.get(id_) != invoice_fingerprint(now[id_])}


def _standing_discrepancies(mappings: Mappings) -> dict[str, list[Discrepancy]]:
    """What pull found changed in Xero, less what Caspen has followed since, by invoice."""
    found: defaultdict[str, list[Discrepancy]] = defaultdict(list)
    all_discrepancies = seen_invoices.discrepancies(mappings)
    told = {(invoice_id, one.code, one.subject) for invoice_id, one in all_discrepancies}
    for gone in both_sides.removed_payments(mappings):
        if (gone.invoice_id, seen_invoices.PAYMENT_GONE, gone.xero_id) not in told:
            ours = payment_in_words(gone.amount, gone.reference or gone.key)
            all_discrepancies.append(
                (gone.invoice_id, Discrepancy(seen_invoices.PAYMENT_GONE, gone.xero_id, ours, "it is gone", ""))
            )
    standing = both_sides.wanted_in_xero(mappings) if all_discrepancies else set()
    standing |= _astray(mappings, [pair for pair in all_discrepancies if pair[1].code in _ASTRAY])
    for invoice_id, discrepancy in all_discrepancies:
        if not discrepancy.subject or (invoice_id, discrepancy.subject) in standing:
            found[invoice_id].append(discrepancy)
    return found


def _astray(mappings: Mappings, found: Sequence[tuple[str, Discrepancy]]) -> set[tuple[str, str]]:
    """Invoice and Xero id of those that nothing here stands for by now."""
    subjects = [one.subject for _, one in found]
    known = xero_payments.known_ids(mappings, subjects) | deleted_from_here(mappings, subjects)
    named = Named(mappings, subjects)

    def is_named(invoice_id: str, one: Discrepancy) -> bool:
        return one.amount is not None and named.has(one.subject, invoice_id, Decimal(one.amount))

    return {(id_, one.subject) for id_, one in found if one.subject not in known and not is_named(id_, one)}


def _undelivered(mappings: Mappings, settings: Settings) -> list[Drift]:
    """What was found in Xero and Caspen does not have: the next pull tells it, or a person has to decide first."""
    judged, aside = judge_undelivered(mappings, settings, datetime.now(UTC)), skips.invoice_ids(mappings.store)
    yet = ProblemCode.NOT_IN_CASPEN_YET
    pull = connected_first("caspen-xero pull", connected=mappings.store.connection() is not None)
    told = [_not_in_caspen(one, "it has not been told", pull, yet) for one in judged.to_tell]
    told += [_not_in_caspen(one.payment, one.why, one.fix, one.code) for one in judged.held]
    return [one for one in told if one.invoice_id not in aside]


def _not_in_caspen(one: XeroPayment, why: str, fix: str, problem: ProblemCode) -> Drift:
    there = f"{one.kind_in_words} of {money_text(one.amount)}" + (f" of {one.date}" if one.date else "")
    code = str(ProblemCode.NOT_IN_CASPEN_YET)
    key = key_of(problem, one.invoice_id, one.xero_id, money_text(one.amount))
    return Drift(one.invoice_number, one.invoice_id, code, why, there, None, fix, one.xero_id, problem, key)


def _linked_by_hand(mappings: Mappings, pages: XeroPages) -> list[Drift]:
    """What a person linked though it differs, where Xero still shows it so; its figures are held against Caspen's anyway."""
    links = mappings.links_in_spite_of_differences()
    differ = {
        id_: {name: sides for name, sides in link.despite.differences.items() if name not in FIGURES}
        for id_, link in links.items()
        if link.despite is not None and link.status not in GONE_STATUSES
    }
    aside = skips.invoice_ids(mappings.store)
    contacts = known_contacts.by_id(mappings, (id_ for one in differ.values() for id_ in one.get("contact", ())))
    names = {id_: contact.name for id_, contact in contacts.items()}
    numbers = clinic.invoice_numbers(mappings.store, differ)
    return [
        Drift(
            numbers.get(id_),
            id_,
            LINKED_THOUGH_IT_DIFFERS,
            *kept_in_words(one, names),
            _text(links[id_].linked_at),
            f"Make them agree in Caspen or {pages.there(links[id_].xero_id)}; if it is another invoice: "
            f"{unlink_command(numbers.get(id_), id_)}; if it may stay so: {accept_command(numbers.get(id_), id_)}",
            problem=ProblemCode.EDITED_IN_XERO,
        )
        for id_, one in differ.items()
        if one and id_ not in aside and not _is_same_debt(links[id_])
    ]


def _is_same_debt(link: Link) -> bool:
    """Whether a person has said so, though contact or currency differ."""
    return link.despite is not None and link.despite.with_payments


def _text(at: datetime | None) -> str | None:
    return utc_text(at) if at else None


def _archived_contacts(mappings: Mappings) -> list[Drift]:
    """Clients whose contact was archived while something is due: nobody can change or void such an invoice."""
    return [
        Drift(
            None,
            None,
            _ARCHIVED,
            f"client {plain(row['caspen_id'])} owes",
            f"{plain(row['name'])} is archived",
            row["updated_at"],
            "Restore the contact in Xero (Contacts, Archived): its invoices can't be changed or voided",
        )
        for row in both_sides.archived_debtors(mappings)
    ]


def _drift(
    row: Any, one: Discrepancy, is_ours: bool, settings: Settings, pages: XeroPages, others: Link | None
) -> Drift:
    """`is_ours`: what it is about was sent from here. `others`: its link, where it may be somebody else's debt: there nothing is
    written over anything.
    """
    number, invoice_id, code = row["number"], row["invoice_id"], str(one.code)
    problem, invoice = _PROBLEMS.get(code), About(number, invoice_id, pages.there(row["xero_id"]), settings.source)
    if others is not None and code in _WRITTEN_OVER:
        fix = ("It stays as it was edited. " if code == DETAILS else "") + unlink_or_same_debt(number, others)
        fix += worded(OR_ACCEPT, invoice) if problem is not None else ""
    elif problem is None:
        fix = worded(_NO_TROUBLE[code], invoice)
    elif code in _WRITTEN_OVER and _stands_while_paid(row, one):
        fix = worded(ONCE_UNPAID + OR_ACCEPT, invoice)
    elif code == "credit-changed-in-xero":
        fix = worded(CREDIT_CHANGED, invoice)
    elif problem is ProblemCode.PAYMENT_REMOVED_IN_XERO and not (is_ours and not settings.feed_brings_payments):
        fix = worded(REMOVED_FROM_OTHERS, invoice)
    else:
        fix = way_out(problem, invoice)
    key = key_of(problem or code, invoice_id, one.subject, *one.facts)
    return Drift(number, invoice_id, code, one.caspen, one.xero, one.since or None, fix, one.subject, problem, key)


def _stands_while_paid(row: Any, one: Discrepancy) -> bool:
    """Whether something of what differs is kept as it is by Xero, as the invoice is paid or credited there."""
    credited = _amount(row["amount_credited"])
    may_change = _MAY_CHANGE if credited else (*_MAY_CHANGE, "contact ")
    is_all_free = all(edit.startswith(may_change) for edit in one.xero.split("; "))
    return bool(_amount(row["amount_paid"]) or credited) and not is_all_free


def _told_and_gone(row: Any, one: Discrepancy, settings: Settings) -> Drift:
    """What Caspen was told of and its export does not have: whether it took that in only a person knows."""
    number, invoice_id = row["number"], row["invoice_id"]
    told = f"told of it, and not in its export yet: {one.caspen}"
    again = after_caspen("caspen-xero sync", settings.source)
    fix = (
        f"If Caspen took it in and Xero does not have it anew, void it there, then: {again}; if Caspen did not and is not to "
        "any more, or both have it anew: "
        f"{accept_command(number, invoice_id)}"
    )
    code, problem = str(one.code), _PROBLEMS[one.code]
    key = key_of(problem, invoice_id, one.subject)
    return Drift(number, invoice_id, code, told, "it is gone since", one.since or None, fix, one.subject, problem, key)


def _amount(text: str | None) -> Decimal:
    return Decimal(text) if text is not None else ZERO
