"""Xero leaves out keys that would say nothing, or shows them empty: what it leaves out is no error, no difference, no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from another_home import Home, same_export
from bookkeeping import Bookkeeper, told
from clinics import client, invoice, owner_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pulling import pull
from pushing import Clinic
from recorded_elements import told_and_left_out

from caspen_xero.store.mappings import Link
from caspen_xero.store.seen_invoices import SeenInvoice
from caspen_xero.sync.planning.compare import contact_shape, differences, invoice_shape
from caspen_xero.sync.planning.payment_references import key_in
from caspen_xero.sync.planning.snapshot import link_as_seen
from caspen_xero.sync.pulling.match_payments import match_invoice, reconcile
from caspen_xero.sync.pulling.matching import Known
from caspen_xero.xero.answers import DOCUMENTS, read
from caspen_xero.xero.codec import decode
from caspen_xero.xero.documents import Contact, CreditNote, Invoice, Payment
from caspen_xero.xero.elements import Element
from tests.sandbox.bookkeeper import Bookkeeper as AtTheBooks

WAYS = ("left-out", "shown")
NOW = datetime(2026, 11, 28, tzinfo=UTC)
FULL = {
    "email": "mei@example.org",
    "phone_numbers": ["02 1234 5678"],
    "address": {"line1": "1 Quay St", "city": "Sydney", "postal_code": "2000"},
}


@pytest.fixture(params=WAYS)
def keys(request: pytest.FixtureRequest, ready: Clinic) -> str:
    """A Xero that leaves keys out, and one that shows them all."""
    way: str = request.param
    ready.control("settings", absent_keys=way)
    return way


# --- whole flows


def test_contacts_with_and_without_details_are_kept_up_to_date(keys: str, ready: Clinic) -> None:
    ready.takes(
        client("1", "Mei", "Tan", **FULL), client("2", "Jo", "Low"), client("3", None, "Lee", email="lee@x.org")
    )
    numbers = ("INV-0001", "INV-0002", "INV-0003")
    ready.takes(*(invoice(number, client_id=str(id_)) for id_, number in enumerate(numbers, 1)))
    assert ready.push().json["synced"] == 3
    # One loses all of it, one gets some, one changes; what is repeated is no edit of somebody's.
    ready.takes(client("1", "Mei", "Tan"), client("2", "Jo", "Low", **FULL), client("3", None, "Lee", email="l@x.org"))
    changed = ready.push()
    assert (changed.exit_code, changed.json["contacts_updated"]) == (0, 3), changed.stdout
    contacts = {owner_of(one): one for one in ready.contacts().values()}
    assert [contacts[id_]["EmailAddress"] for id_ in "123"] == ["", "mei@example.org", "l@x.org"]
    ready.takes(client("1", "Mei", "Tan", **FULL), client("2", "Jo", "Low"), client("3", "Ann", "Lee"))
    assert ready.push().json["contacts_updated"] == 3


def test_money_without_references_comes_once_and_what_is_taken_back_is_seen(
    keys: str, synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "50.00")
    bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS 1")
    note = bookkeeper.issues_credit_note("INV-0002", "20.00")
    allocation = bookkeeper.allocates("credit_note", note, "INV-0002", "20.00")
    assert pull(synced)["payments"] == 3
    assert sorted(one["reference"] or "" for one in told(synced))[::2] == ["", "EFTPOS 1"]
    bookkeeper.takes_back("credit_note", note, allocation)
    pull(synced)
    assert synced.listed()["INV-0002"]["amount_credited"] == "0.00"
    gone = synced.cli("drift", "--json").json["drift"]
    assert {(one["number"], one["code"]) for one in gone} >= {("INV-0002", "payment-gone-in-xero")}
    assert not [one for one in gone if one["number"] in ("INV-0003", "INV-0004")]
    assert pull(synced, "--full")["payments"] == 0


def test_a_new_store_takes_in_all_of_ours_and_sends_nothing_again(keys: str, sent: Clinic, anew: Home) -> None:
    before = sent.whole_state()
    store = anew(sent)
    store.takes(*same_export())
    done = store.cli("adopt", "--json")
    assert done.exit_code == 0, done.stdout
    again = store.push()
    assert (again.exit_code, again.json["synced"], again.json["payments"]) == (0, 0, 0), again.stdout
    assert pull(store)["payments"] == 0
    assert store.cli("drift", "--json").json["drift"] == []
    assert store.whole_state() == before


# --- any key at all


RECORDED = {
    "Invoices": ("invoice.in_page", "invoice.by_id"),
    "Contacts": ("contact.in_page", "contact.by_id"),
    "CreditNotes": ("credit_note.in_page", "credit_note.by_id"),
    "Payments": ("payment.in_page", "payment.by_id"),
}
IDS = ("InvoiceID", "ContactID", "PaymentID", "CreditNoteID", "AllocationID", "OverpaymentID", "PrepaymentID", "ID")


@cache
def answers() -> dict[str, list[dict[str, Any]]]:
    """What the local Xero shows of invoices with payments and credits, in a page and by itself."""
    b = AtTheBooks()
    contact = b.contact(EmailAddress="mei@example.org", Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "1"}])
    whose = {"ContactID": contact}
    plain, mixed = b.invoice(Contact=whose, Reference="NDIS 1"), b.invoice(Contact=whose, DueDate="2026-12-01")
    b.pay(plain, 20)
    b.pay(mixed, 30, Reference="CP-1")
    note = b.credit_note(Contact=whose)
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", mixed, 40)
    kinds = ("Contacts", "Invoices", "CreditNotes", "Payments")
    shown = {kind: decode(b.ask("GET", kind, page="1", unitdp="4").body)[kind] for kind in kinds}
    ids = {"Contacts": "ContactID", "Invoices": "InvoiceID", "CreditNotes": "CreditNoteID", "Payments": "PaymentID"}
    for kind, id_ in ids.items():
        shown[kind] += [decode(b.ask("GET", f"{kind}/{one[id_]}").body)[kind][0] for one in list(shown[kind])]
    return shown


def without(draw: st.DrawFn, element: Any) -> Any:
    """An element of which any keys are left out, but for ids."""
    if isinstance(element, Sequence) and not isinstance(element, str):
        return [without(draw, one) for one in element]
    if not isinstance(element, Mapping):
        return element
    may_go = sorted(set(element) - set(IDS))
    gone = draw(st.sets(st.sampled_from(may_go))) if may_go else set()
    return {name: without(draw, value) for name, value in element.items() if name not in gone}


@st.composite
def documents(draw: st.DrawFn, kind: str) -> tuple[Element, Element]:
    """A document as the local Xero shows it, and with any of its keys left out; or `told_and_left_out` of a recorded shape."""
    if draw(st.booleans()):
        whole = draw(st.sampled_from(answers()[kind]))
        bare = without(draw, whole)
    else:
        whole, bare = draw(told_and_left_out(draw(st.sampled_from(RECORDED[kind]))))
    return read(DOCUMENTS[kind], whole), read(DOCUMENTS[kind], bare)


@given(documents("Invoices"))
@settings(max_examples=300, deadline=None)
def test_what_an_invoice_leaves_out_was_not_changed_there(both: tuple[Invoice, Invoice]) -> None:
    whole, bare = both
    link = link_as_seen(
        Link("invoice", "inv_1", whole.invoice_id or "", True, last_written=invoice_shape(whole)), whole
    )
    seen = link_as_seen(link, bare)
    assert seen.with_(shown=link.shown) == link
    if bare.contact is None or bare.date is None or not bare.line_items:
        assert seen.shown == link.shown  # what a line leaves out may be a change: then a person is asked once more
    told_of = ("number", "contact", "date", "currency", "amounts are", "total")
    assert not [what for what, _, _ in differences(invoice_shape(whole), invoice_shape(bare)) if what in told_of]


@given(documents("Invoices"))
@settings(max_examples=300, deadline=None)
def test_a_payment_or_credit_that_an_invoice_leaves_out_is_not_gone(both: tuple[Invoice, Invoice]) -> None:
    whole, bare = both
    first = seen_after(known(whole, None), whole)
    reconciled = reconciled_with(known(whole, first), bare)
    assert reconciled.seen.discrepancies == []
    assert not [link for link in reconciled.links if link.is_deleted]


@given(documents("Contacts"))
@settings(max_examples=200, deadline=None)
def test_what_a_contact_leaves_out_is_nothing(both: tuple[Contact, Contact]) -> None:
    whole, bare = both
    shape = contact_shape(whole)
    assert all(shape.get(name) == value for name, value in contact_shape(bare).items())
    assert "Name" not in {what for what, _, _ in differences(shape, contact_shape(bare))}


@given(documents("Payments"), documents("CreditNotes"))
@settings(max_examples=200, deadline=None)
def test_payments_and_credit_notes_are_read_whatever_they_leave_out(
    payments: tuple[Payment, Payment], notes: tuple[CreditNote, CreditNote]
) -> None:
    assert (payments[1].payment_id, notes[1].credit_note_id) == (payments[0].payment_id, notes[0].credit_note_id)
    assert key_in(payments[1].reference) is None


def known(whole: Invoice, before: SeenInvoice | None) -> Known:
    """What is known of an invoice on which all payments and credits are Caspen's own."""
    payments = {
        f"pay_{place}/inv_1": Link(
            "payment",
            f"pay_{place}/inv_1",
            one.payment_id or "",
            True,
            invoice_id="inv_1",
            total=one.amount,
            fingerprint="f",
        )
        for place, one in enumerate(whole.payments)
    }
    notes = {
        f"crn_{place}": Link("credit_note", f"crn_{place}", one.credit_note_id or "", True, invoice_id="inv_1")
        for place, one in enumerate(whole.credit_notes)
    }
    allocations = {
        f"crn_{place}": Link(
            "allocation", f"crn_{place}", one.credit_note_id or "", True, invoice_id="inv_1", total=one.applied_amount
        )
        for place, one in enumerate(whole.credit_notes)
    }
    link = link_as_seen(Link("invoice", "inv_1", whole.invoice_id or "", True), whole)
    return Known(link, whole.invoice_number, before, payments, allocations, notes, [], [])


def reconciled_with(of: Known, found: Invoice) -> Any:
    """What a pull makes of it."""
    return reconcile(match_invoice(of, found, {}), {}, {}, set(), None, {}, "", NOW)  # type: ignore[arg-type] - asked for nothing


def seen_after(of: Known, found: Invoice) -> SeenInvoice:
    """How it was seen the first time."""
    seen: SeenInvoice = reconciled_with(of, found).seen
    return seen
