"""What somebody changed in Xero on an invoice that we synced: payments and credits that are gone or differ, and edits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store.mappings import KnownContact
from caspen_xero.store.store import utc_text
from caspen_xero.store.xero_payments import PAYMENT_GONE, Discrepancy, DiscrepancyCode, money_text
from caspen_xero.sync.planning.compare import (
    FIGURES,
    HEADING,
    differences,
    in_words,
    invoice_shape,
    is_detail,
    name_in_words,
    shortened,
)
from caspen_xero.sync.planning.contact_matching import merged_into
from caspen_xero.sync.pulling.matching import Matching
from caspen_xero.xero.documents import GONE_STATUSES, CreditNote

ZERO = Decimal(0)
Told = tuple[DiscrepancyCode, str, str, str]


def find_discrepancies(
    matching: Matching,
    allocations: Mapping[str, Decimal],
    credits: Mapping[str, CreditNote],
    whole: bool,
    contacts: Mapping[str, KnownContact],
    now: datetime,
) -> list[Discrepancy]:
    """All that is changed there, each since it was first seen. `allocations`: amounts of other people's credits on the invoice;
    `credits`: those that were read, by id;
    `whole` False: not all of them could be read, so none is taken for gone. `contacts`: by ContactID, to follow merges.
    """
    found, known = matching.found, matching.known
    told: list[Told] = [
        *_payments(matching, allocations, whole),
        *_doubled(matching),
        *(_credits(matching, credits) if found.tells_its_dealings else ()),
        *_astray(matching),
    ]
    if known.link.last_written is not None and found.line_items and found.status not in GONE_STATUSES:
        shown = invoice_shape(found)
        written = _with_merged_contact(opened(known.link.last_written, shown), contacts)
        names = {id_: one.name for id_, one in contacts.items()}
        if found.contact is not None and found.contact.contact_id:
            names[found.contact.contact_id] = found.contact.name or names.get(found.contact.contact_id, "")
        meant = known.link.despite.differences if known.link.despite else ()  # which are told apart
        edits = [edit for edit in differences(written, shown) if edit[0] not in meant]
        told += _edits(edits, names, is_ours=known.link.made_by_us)
    before = known.before.discrepancies if known.before else ()
    since = {(one.code, one.subject, one.caspen, one.xero): one.since for one in before}
    at = utc_text(found.updated_date_utc or now)
    amounts = {payment.payment_id: money_text(payment.amount or ZERO) for payment, _ in matching.astray}
    return [Discrepancy(*one, since=since.get(one, at), amount=amounts.get(one[1])) for one in told]


def payment_in_words(amount: Decimal, name: str) -> str:
    """A payment that ought to be in Xero. `name`: its Reference there, or what else it is known by."""
    return f"payment of {money_text(amount)} ({plain(name)})"


def _with_merged_contact(written: Mapping[str, str], contacts: Mapping[str, KnownContact]) -> Mapping[str, str]:
    """What was written, with the contact into which Xero has merged its contact since."""
    before = written.get("contact", "")
    contact_id = merged_into(before, contacts)
    return written if contact_id == before else {**written, "contact": contact_id}


def _payments(matching: Matching, allocations: Mapping[str, Decimal], whole: bool) -> Iterator[Told]:
    """Payments and allocations that stood on the invoice, and now don't, or with another amount."""
    shown = {payment.payment_id: payment.amount for payment in matching.found.payments if payment.payment_id}
    shown |= allocations
    in_batches = {payment.batch_id for payment in matching.found.payments}  # two were recorded of one: it is there
    for xero_id, (amount, name) in _expected(matching).items():
        if xero_id in shown:
            there = shown[xero_id]
            if there is not None and there != amount:
                yield "payment-changed-in-xero", xero_id, payment_in_words(amount, name), f"it is {money_text(there)}"
        elif whole and not matching.has_nameless and xero_id not in in_batches:
            yield PAYMENT_GONE, xero_id, payment_in_words(amount, name), "it is gone"


def _doubled(matching: Matching) -> Iterator[Told]:
    """Payments of ours that stand there twice, with the same ids in their References: two homes sent them at the same moment."""
    for key, payments in matching.doubled().items():
        link = matching.own_links[key]
        there = " and ".join(f"{money_text(one.amount or ZERO)} ({plain(one.payment_id)})" for one in payments)
        ours = f"one payment of {money_text(link.total or ZERO)} ({plain(link.number or key)})"
        yield (
            "payment-twice-in-xero",
            link.xero_id,
            ours,
            f"it is there {'twice' if len(payments) == 2 else f'{len(payments)} times'}: {there}",
        )


def _expected(matching: Matching) -> dict[str, tuple[Decimal, str]]:
    """Amount and name of every payment that ought to be there, by Xero's id."""
    recorded = matching.known.recorded
    expected = {one.xero_id: (one.amount, one.reference or one.kind_in_words) for one in recorded}
    for link in matching.own_links.values():
        if link.total is not None:
            expected.setdefault(link.xero_id, (link.total, link.number or link.caspen_id))
    return expected


def _credits(matching: Matching, read: Mapping[str, CreditNote]) -> Iterator[Told]:
    """Credit notes of Caspen's that stood on the invoice and no longer do, or with another amount."""
    names = {link.xero_id: link.number for link in matching.known.note_links.values()}
    for link in matching.known.allocation_links.values():
        credit = matching.own_credits.get(link.xero_id)
        if link.total is not None and (credit is None or credit.applied != link.total):
            theirs = f"{money_text(credit.applied)} of it is allocated" if credit else "it is not allocated"
            ours = f"credit note {plain(names.get(link.xero_id) or link.caspen_id)} of {money_text(link.total)}"
            note = read.get(link.xero_id)
            if note is not None and note.status in GONE_STATUSES:
                yield "credit-note-voided-in-xero", link.xero_id, ours, f"it is {plain((note.status or '').lower())}"
            elif note is not None and note.total not in (None, link.total):
                yield "credit-changed-in-xero", link.xero_id, ours, f"it is {money_text(note.total)}, and {theirs}"
            else:
                yield "credit-gone-in-xero", link.xero_id, ours, theirs


def _astray(matching: Matching) -> Iterator[Told]:
    """What is ours by what it carries, and not as Caspen has it."""
    for payment, caspen in matching.astray:
        there = f"payment of {money_text(payment.amount or ZERO)} ({plain(payment.reference)})"
        yield "payment-astray-in-xero", payment.payment_id or "", caspen, there
    for credit, caspen in matching.astray_credits:
        there = f"{money_text(credit.applied)} of it is allocated here"
        yield "credit-astray-in-xero", credit.credit_id, caspen, there


def _edits(edits: Sequence[tuple[str, str, str]], names: Mapping[str, str], *, is_ours: bool) -> Iterator[Told]:
    """What was edited there: details, which stay, and what both sides have to agree on.

    Of one that we did not make nobody knows who has written its lines so: there the whole of it has to agree.
    """
    others = [edit for edit in edits if not is_detail(edit[0])]
    wrong = others if is_ours else [edit for edit in others if edit[0] in HEADING or edit[0] in FIGURES]
    if wrong:
        yield _told("invoice-edited-in-xero", wrong, names)
    if details := [edit for edit in edits if edit not in wrong]:
        yield _told("details-edited-in-xero", details, names)


def _told(code: DiscrepancyCode, edits: Sequence[tuple[str, str, str]], names: Mapping[str, str]) -> Told:
    ours, theirs = (
        shortened([f"{name_in_words(edit[0])} {_in_words(edit[0], edit[side], names)}" for edit in edits])
        for side in (1, 2)
    )
    return code, "", ours, theirs


def _in_words(what: str, value: str, names: Mapping[str, str]) -> str:
    """A value of a shape as people write it: amounts with cents, contacts by name."""
    if not value:
        return "nothing"
    if what == "contact":
        return plain(names.get(value) or value)
    return in_words(what, value)
