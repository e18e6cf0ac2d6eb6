"""Where Caspen and Xero no longer agree, and what to do: from the store alone, as push and pull last saw Xero.

Nothing here changes either side. What a push still has to do, or what stands in `unsynced`, is no drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from caspen_xero.caspen.records import FINALISED
from caspen_xero.outside_text import plain
from caspen_xero.store import both_sides, xero_payments
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.xero_payments import Discrepancy, XeroPayment, money_text
from caspen_xero.sync.problems import naming_its_own, overwrite_command
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.ours import SETTLE_ASTRAY
from caspen_xero.sync.pulling.undelivered import judge_undelivered
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import GONE_STATUSES

ZERO = Decimal(0)
DETAILS = xero_payments.DETAILS_EDITED
"""What is no difference: account, tax type, reference, due date or text, edited in Xero, where it stays."""
DOUBLED = "payment-twice-in-xero"
_FIXES = {
    "payment-gone-in-xero": "Void the payment in Caspen too; one entered in Xero again comes to Caspen by itself",
    "payment-changed-in-xero": "Correct the payment in Caspen or in Xero, so that the amounts agree",
    "payment-astray-in-xero": SETTLE_ASTRAY,
    "credit-astray-in-xero": "Allocate it to its own invoice in Xero, or correct the credit note in Caspen",
    DOUBLED: "Delete one of the two in Xero, then: caspen-xero pull",
    "credit-gone-in-xero": "Allocate the credit note in Xero again, or void it in Caspen",
    "invoice-edited-in-xero": "Undo the edit in Xero, or change the invoice in Caspen to match",
    DETAILS: "It stays as it was edited, until a person decides otherwise; to write what Caspen says over it",
    "voided-in-xero": "Void the invoice in Caspen too, or issue it there under a new number",
    "draft-in-caspen": "Finalise the invoice in Caspen again, or void it there",
    "figures-differ": "Correct the invoice in Xero, or change it in Caspen to match",
    "paid-in-caspen-only": "Record the payment in Caspen, and push sends it; or reopen the invoice there",
    "paid-in-xero-only": "Enter the payment in Caspen, or remove it in Xero",
    "not-in-caspen-yet": "caspen-xero pull",
    "contact-archived": "Restore the contact in Xero (Contacts, Archived): its invoices can't be changed or voided",
}
_ASTRAY = ("payment-astray-in-xero", "credit-astray-in-xero")


@dataclass(frozen=True)
class Drift:
    """One thing on which the two sides differ. `seen_at`: since when, as far as we know (ISO 8601, UTC)."""

    number: str | None
    invoice_id: str | None
    code: str
    caspen: str
    xero: str
    seen_at: str | None
    fix: str

    @property
    def is_information(self) -> bool:
        """Whether nothing is wrong: a bookkeeper's decision, which stays."""
        return self.code == DETAILS

    def as_json(self) -> dict[str, Any]:
        """The row of `drift --json`."""
        return dict(vars(self))


def find_drift(mappings: Mappings, settings: Settings) -> list[Drift]:
    """Everything on which Caspen and Xero differ, by invoice date and number."""
    discrepancies = _standing_discrepancies(mappings)
    money = _Money(mappings, settings)
    found: list[Drift] = []
    for row in both_sides.linked_invoices(mappings):
        found += [_drift(row, *one) for one in _of_invoice(row, discrepancies.get(row["invoice_id"], []), money)]
    names = InvoiceNames(mappings.store)
    found = [replace(one, fix=naming_its_own(one.fix, one.invoice_id or "", names)) for one in found]
    return found + _undelivered(mappings, settings) + _archived_contacts(mappings)


def doubled_payments(mappings: Mappings, settings: Settings) -> list[Drift]:
    """Payments of ours that stand in Xero twice, as last seen."""
    if not any(one.code == DOUBLED for _, one in xero_payments.discrepancies(mappings)):
        return []
    return [one for one in find_drift(mappings, settings) if one.code == DOUBLED]


Told = tuple[str, str, str, str | None]


def _of_invoice(row: Any, discrepancies: list[Discrepancy], money: _Money) -> Iterator[Told]:
    if row["status"] in FINALISED and row["xero_status"] in GONE_STATUSES:
        yield "voided-in-xero", str(row["status"]), row["xero_status"].lower(), row["xero_updated_at"]
        return
    if row["status"] == "draft":
        yield "draft-in-caspen", "draft", plain((row["xero_status"] or "").lower()), row["xero_updated_at"]
        return
    outdated = (row["xero_updated_at"] or "") > (row["seen_at"] or "")  # a push has looked since
    told = [one for one in discrepancies if not (one.code in xero_payments.EDITED and outdated)]
    for one in told:
        yield one.code, one.caspen, one.xero, one.since
    if row["status"] not in FINALISED or not row["is_quiet"]:
        return
    names = ("subtotal", "tax", "total")
    if any(row[name] != row[f"xero_{name}"] and _amount(row[name]) != _amount(row[f"xero_{name}"]) for name in names):
        ours = ", ".join(f"{name} {row[name]}" for name in names)
        theirs = ", ".join(f"{name} {row[f'xero_{name}']}" for name in names)
        yield "figures-differ", ours, theirs, row["xero_updated_at"]
    elif all(one.code == DETAILS for one in told):
        yield from _of_money(row, money)


def _of_money(row: Any, money: _Money) -> Iterator[Told]:
    """Whether the same is paid on both sides; what Caspen has been told, or is about to be, counts as paid there."""
    ours, theirs = money.paid_in_caspen(row), _amount(row["amount_paid"]) + _amount(row["amount_credited"])
    if ours == theirs or (ours > theirs and money.feed_brings_payments):
        return
    code = "paid-in-caspen-only" if ours > theirs else "paid-in-xero-only"
    yield code, f"{money_text(ours)} paid or credited", f"{money_text(theirs)} paid or credited", row["xero_updated_at"]


class _Money:
    """What is paid and credited in Caspen, by invoice."""

    def __init__(self, mappings: Mappings, settings: Settings) -> None:
        self.feed_brings_payments = settings.feed_brings_payments
        self._paid = both_sides.paid_in_caspen(mappings)

    def paid_in_caspen(self, row: Any) -> Decimal:
        """What is paid or credited of an invoice; all of one that Caspen calls paid."""
        known = self._paid.get(row["invoice_id"], ZERO)
        return max(known, _amount(row["total"])) if row["status"] == "paid" else known


def _standing_discrepancies(mappings: Mappings) -> dict[str, list[Discrepancy]]:
    """What pull found changed in Xero, less what Caspen has followed since, by invoice."""
    found: defaultdict[str, list[Discrepancy]] = defaultdict(list)
    all_discrepancies = xero_payments.discrepancies(mappings)
    standing = both_sides.wanted_in_xero(mappings) if all_discrepancies else set()
    standing |= _astray(mappings, [pair for pair in all_discrepancies if pair[1].code in _ASTRAY])
    for invoice_id, discrepancy in all_discrepancies:
        if not discrepancy.subject or discrepancy.subject in standing:
            found[invoice_id].append(discrepancy)
    return found


def _astray(mappings: Mappings, found: Sequence[tuple[str, Discrepancy]]) -> set[str]:
    """The Xero ids of those that nothing here stands for by now."""
    subjects = [one.subject for _, one in found]
    known, named = xero_payments.known_ids(mappings, subjects), Named(mappings, subjects)

    def is_named(invoice_id: str, one: Discrepancy) -> bool:
        return one.amount is not None and named.has(one.subject, invoice_id, Decimal(one.amount))

    return {one.subject for id_, one in found if one.subject not in known and not is_named(id_, one)}


def _undelivered(mappings: Mappings, settings: Settings) -> list[Drift]:
    """What was found in Xero and Caspen does not have: the next pull tells it, or a person has to decide first."""
    judged = judge_undelivered(mappings, settings, datetime.now(UTC))
    told_next = [_not_in_caspen(one, "it has not been told", _FIXES["not-in-caspen-yet"]) for one in judged.to_tell]
    return told_next + [_not_in_caspen(one.payment, one.why, one.fix) for one in judged.held]


def _not_in_caspen(one: XeroPayment, why: str, fix: str) -> Drift:
    there = f"{one.kind.replace('_', ' ')} of {money_text(one.amount)}" + (f" of {one.date}" if one.date else "")
    return Drift(one.invoice_number, one.invoice_id, "not-in-caspen-yet", why, there, None, fix)


def _archived_contacts(mappings: Mappings) -> list[Drift]:
    """Clients whose contact was archived while something is due: nobody can change or void such an invoice."""
    return [
        Drift(
            None,
            None,
            "contact-archived",
            f"client {plain(row['caspen_id'])} owes",
            f"{plain(row['name'])} is archived",
            row["updated_at"],
            _FIXES["contact-archived"],
        )
        for row in both_sides.archived_debtors(mappings)
    ]


def _drift(row: Any, code: str, caspen: str, xero: str, since: str | None) -> Drift:
    fix = _FIXES[code]
    if code in xero_payments.EDITED:
        over_it = overwrite_command(row["number"], row["invoice_id"])
        fix += f": {over_it}" if code == DETAILS else f", then: {over_it}"
    return Drift(row["number"], row["invoice_id"], code, caspen, xero, since, fix)


def _amount(text: str | None) -> Decimal:
    return Decimal(text) if text is not None else ZERO


def by_fix(rows: list[Drift]) -> Mapping[str, list[str]]:
    """What to do, and for which invoices."""
    fixes: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        fixes[row.fix].append(row.number or row.xero)
    return fixes
