"""Plans: what an invoice needs as things stand, what keeps it back, and that planning changes nothing that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from clinics import client, credit_note, invoice, payment
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.caspen.records import CreditNote, Invoice, Payment, parse_record
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.compare import invoice_shape
from caspen_xero.sync.planning.contact_matching import ContactBook, Party, contact_fingerprint
from caspen_xero.sync.planning.make_plan import make_plan
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.snapshot import ChangedParty, InvoiceState, Looks, Snapshot
from caspen_xero.sync.planning.translate import credit_note_fingerprint, invoice_fingerprint
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import Account, Contact, Organisation, TaxRate
from caspen_xero.xero.documents import Invoice as XeroInvoice

IN_XERO, THE_CONTACT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
PAYMENT_ID, NOTE_ID = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"

FACTS = OrganisationFacts(
    organisation=Organisation(
        name="Demo", base_currency="AUD", period_lock_date="2026-06-30", end_of_year_lock_date="2025-06-30"
    ),
    accounts=[
        Account(account_id="sales", code="200", name="Sales", status="ACTIVE", type="REVENUE", account_class="REVENUE"),
        Account(account_id="bank", code="090", name="Bank", status="ACTIVE", type="BANK", account_class="ASSET"),
    ],
    tax_rates=[
        TaxRate(name="GST on Income", tax_type="OUTPUT", status="ACTIVE", can_apply_to_revenue=True, effective_rate=10)
    ],
)
NELL = parse_record(client("1048237"))
PARTY = Party("client", "1048237", NELL)  # type: ignore[arg-type]
CONTACT_LINK = Link("client", "1048237", THE_CONTACT, True, fingerprint=contact_fingerprint(PARTY), status="ACTIVE")


def linked(record: Invoice, status: str = "AUTHORISED", **more: Any) -> Link:
    """The link of an invoice that stands in Xero as we wrote it."""
    figures = {"subtotal": record.subtotal, "tax": record.tax, "total": record.total}
    return Link(
        "invoice",
        record.id,
        IN_XERO,
        True,
        invoice_id=record.id,
        number=record.number,
        status=status,
        fingerprint=invoice_fingerprint(record),
        **(figures | more),
    )


def as_seen(record: Invoice, **more: Any) -> XeroInvoice:
    """The invoice as Xero shows it."""
    return XeroInvoice.model_validate(
        {
            "InvoiceID": IN_XERO,
            "InvoiceNumber": record.number,
            "Status": "AUTHORISED",
            "Contact": {"ContactID": THE_CONTACT, "Name": "Nell Okafor (Caspen 48237)"},
            "Total": record.total,
            "AmountDue": record.total,
            **more,
        }
    )


def applied(record: dict[str, Any]) -> tuple[AppliedPayment, ...]:
    """A payment's allocations."""
    whole = parse_record(record)
    assert isinstance(whole, Payment)
    return tuple(
        AppliedPayment(
            key=f"{whole.id}/{one.id}",
            allocation_id=one.id,
            payment_id=whole.id,
            invoice_id=one.invoice_id,
            amount=one.amount,
            date=whole.date,
            status=whole.status,
            method_id=whole.method_id,
            xero_id=whole.xero_id,
        )
        for one in whole.allocations
    )


def state(record: dict[str, Any], link: Link | None = None, **more: Any) -> InvoiceState:
    """One invoice with what belongs to it."""
    parsed = parse_record(record)
    assert isinstance(parsed, Invoice)
    told: dict[str, Any] = {
        "payments": (),
        "payment_links": {},
        "credit_notes": (),
        "credit_note_links": {},
        "allocation_links": {},
        **more,
    }
    return InvoiceState(parsed, invoice_fingerprint(parsed), 7, PARTY, None, link, **told)


def snapshot(*states: InvoiceState, contact: bool = True, looks: Looks | None = None, **more: Any) -> Snapshot:
    """What is known around some invoices."""
    links = {("client", "1048237"): CONTACT_LINK} if contact else {}
    told: dict[str, Any] = {
        "facts": FACTS,
        "settings": Settings(),
        "keeps_tax": "unknown",
        "tax_rates": {"tax_gst": parse_record({"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10"})},
        "tax_links": {"tax_gst": "OUTPUT"},
        "account_links": {"sales": "sales", "payments": "bank"},
        "methods": {},
        "contacts": ContactBook(links),
        "holds": {},
        "settings_number": 3,
        "looks": looks or Looks(),
        **more,
    }
    return Snapshot(invoices=states, **told)


def steps(plan: Plan) -> list[str]:
    """The steps that can be sent now, and in brackets those that wait for them."""
    return [step.kind if step.ready else f"({step.kind})" for step in plan.steps]


def codes(plan: Plan) -> list[str]:
    return [str(problem.code) for problems in plan.problems.values() for problem in problems]


RECORD = parse_record(invoice())
assert isinstance(RECORD, Invoice)
PAID = applied(payment("65.00", ("inv_INV-0001", "65.00")))
PAYMENT_LINK = Link(
    "payment", PAID[0].key, PAYMENT_ID, True, invoice_id=RECORD.id, fingerprint=payment_fingerprint(PAID[0])
)
NOTE, NOTE_2 = parse_record(credit_note()), parse_record(credit_note("CN-0002"))
assert isinstance(NOTE, CreditNote)
assert isinstance(NOTE_2, CreditNote)
NOTE_LINK = Link(
    "credit_note",
    NOTE.id,
    NOTE_ID,
    True,
    invoice_id=RECORD.id,
    status="AUTHORISED",
    fingerprint=credit_note_fingerprint(NOTE),
    subtotal=NOTE.subtotal,
    tax=NOTE.tax,
    total=NOTE.total,
)
SEEN = Looks(invoices={IN_XERO: as_seen(RECORD)}, notes_on={IN_XERO: {}}, deleted={IN_XERO: []})


# --- an invoice, as it stands on both sides -> what is to be done


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        pytest.param(snapshot(state(invoice())), ["create-invoice"], id="finalised and not in Xero: created"),
        pytest.param(
            snapshot(state(invoice()), contact=False),
            ["create-contact", "(create-invoice)"],
            id="its contact first",
        ),
        pytest.param(
            snapshot(state(invoice(), payments=PAID, credit_notes=(NOTE,))),
            ["create-invoice", "(create-payment)", "(create-credit-note)", "(allocate-credit-note)"],
            id="money waits for its invoice",
        ),
        pytest.param(snapshot(state(invoice(status="draft"))), [], id="a draft: nothing"),
        pytest.param(snapshot(state(invoice(status="void"))), [], id="void and never sent: nothing"),
        pytest.param(snapshot(state(invoice(), linked(RECORD))), [], id="as it should be: nothing"),
        pytest.param(snapshot(state(invoice(), linked(RECORD, "DRAFT"))), ["authorise-invoice"], id="a draft of ours"),
        pytest.param(
            snapshot(state(invoice(reference="new"), linked(RECORD))),
            ["(update-invoice)"],
            id="changed in Caspen: looked at before it is changed",
        ),
        pytest.param(
            snapshot(state(invoice(status="void"), linked(RECORD)), looks=SEEN), ["void-invoice"], id="void: voided"
        ),
        pytest.param(
            snapshot(state(invoice(), linked(RECORD), payments=PAID)),
            ["(create-payment)"],
            id="paid: looked at before it is paid",
        ),
        pytest.param(
            snapshot(state(invoice(), linked(RECORD), payments=PAID), looks=SEEN),
            ["create-payment"],
            id="paid and seen: the payment goes",
        ),
        pytest.param(
            snapshot(state(invoice(), linked(RECORD), payments=PAID, payment_links={PAID[0].key: PAYMENT_LINK})),
            [],
            id="its payment is there: nothing",
        ),
        pytest.param(
            snapshot(state(invoice(), linked(RECORD), payment_links={PAID[0].key: PAYMENT_LINK})),
            ["(delete-payment)"],
            id="a payment removed: looked at before it is deleted",
        ),
        pytest.param(
            snapshot(
                state(invoice(), linked(RECORD), credit_notes=(NOTE,), credit_note_links={NOTE.id: NOTE_LINK}),
            ),
            ["(allocate-credit-note)"],
            id="a credit note that is not on its invoice yet: looked at before it is put there",
        ),
        pytest.param(
            snapshot(
                state(invoice(), linked(RECORD), credit_notes=(NOTE,), credit_note_links={NOTE.id: NOTE_LINK}),
                looks=SEEN,
            ),
            ["allocate-credit-note"],
            id="a credit note, and seen that it is not on its invoice: it goes",
        ),
        pytest.param(
            snapshot(
                state(invoice(), linked(RECORD), credit_notes=(NOTE,), credit_note_links={NOTE.id: NOTE_LINK}),
                created=frozenset({RECORD.id}),
                created_notes=frozenset({NOTE.id}),
            ),
            ["allocate-credit-note"],
            id="a credit note and an invoice that were made just now",
        ),
    ],
)
def test_what_an_invoice_needs(given_: Snapshot, wanted: list[str]) -> None:
    plan = make_plan(given_)
    assert (steps(plan), codes(plan)) == (wanted, [])
    assert (plan.done == [RECORD.id]) == (not wanted)


# --- what keeps it back -> the problem, and what goes all the same


@pytest.mark.parametrize(
    ("given_", "problem", "wanted"),
    [
        (snapshot(state(invoice()), account_links={}), "sales-account-missing", []),
        (snapshot(state(invoice()), tax_links={}), "tax-rate-not-linked", []),
        (snapshot(state(invoice(issue_date="2025-06-30"))), "period-locked", []),
        (snapshot(state(invoice(), linked(RECORD, "VOIDED"))), "voided-in-xero", []),
        (
            snapshot(state(invoice(), payments=PAID), account_links={"sales": "sales"}),
            "payment-account-missing",
            ["create-invoice"],
        ),
        (
            snapshot(
                state(invoice(), linked(RECORD), payments=applied(payment("170.00", ("inv_INV-0001", "170.00")))),
                looks=SEEN,
            ),
            "payment-exceeds-due",
            [],
        ),
        (
            snapshot(
                state(invoice()),
                holds={
                    ("create-invoice", RECORD.id): Hold("create-invoice", RECORD.id, "xero-refused", "no", "", "7.3")
                },
            ),
            "xero-refused",
            [],
        ),
        (
            snapshot(
                state(invoice(reference="new"), linked(RECORD, last_written=invoice_shape(as_seen(RECORD)))),
                looks=Looks(invoices={IN_XERO: as_seen(RECORD, Reference="theirs")}),
            ),
            "changed-in-xero",
            [],
        ),
    ],
)
def test_what_keeps_an_invoice_back(given_: Snapshot, problem: str, wanted: list[str]) -> None:
    plan = make_plan(given_)
    assert (codes(plan), steps(plan), plan.done) == ([problem], wanted, [])


@pytest.mark.parametrize(
    ("touched", "settings_number", "wanted"),
    [(7, 3, []), (8, 3, ["create-invoice"]), (7, 4, ["create-invoice"])],
    ids=["nothing", "the invoice", "a setting"],
)
def test_a_hold_is_void_once_the_invoice_or_a_setting_has_changed(
    touched: int, settings_number: int, wanted: list[str]
) -> None:
    held = Hold("create-invoice", RECORD.id, "xero-refused", "no", depends_on="7.3")
    now = replace(state(invoice()), touched=touched)
    holds = {("create-invoice", RECORD.id): held}
    assert steps(make_plan(snapshot(now, holds=holds, settings_number=settings_number))) == wanted


def test_two_clients_of_one_name_get_two_names() -> None:
    twin = Party("client", "9948237", NELL)  # type: ignore[arg-type]
    first, second = state(invoice()), state(invoice("INV-0002", client_id="9948237"))
    other = InvoiceState(**{**vars(second), "party": twin})
    plan = make_plan(snapshot(first, other, contact=False))
    names = [step.detail for step in plan.steps if step.kind == "create-contact"]
    assert names == ["Nell Okafor (Caspen 48237)", "Nell Okafor (Caspen 9948237)"]


CHANGED = Party("client", "1048237", parse_record(client("1048237", email="new@example.org")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "wanted", "warned"),
    [
        ({}, [], False),
        ({THE_CONTACT: Contact(contact_id=THE_CONTACT, name="Nell Okafor (Caspen 48237)")}, ["update-contact"], False),
        ({THE_CONTACT: Contact(contact_id=THE_CONTACT, contact_status="ARCHIVED")}, [], True),
        ({THE_CONTACT: None}, [], True),
    ],
    ids=["asked for first", "updated", "archived: left alone, and said", "gone: said"],
)
def test_a_changed_client(seen: Mapping[str, Contact | None], wanted: list[str], warned: bool) -> None:
    change = ChangedParty(CHANGED, CONTACT_LINK, 8)
    plan = make_plan(snapshot(looks=Looks(contacts=dict(seen)), changed_parties=[change]))
    assert (steps(plan), bool(plan.warnings)) == (wanted, warned)
    assert plan.asks.contact_details == (set() if seen else {THE_CONTACT})
    assert (("client", "1048237") in plan.contacts_done) == warned


# --- planning is pure

statuses = st.sampled_from(["open", "paid", "draft", "void", "deleted"])
in_xero = st.none() | st.builds(
    linked,
    st.just(RECORD),
    st.sampled_from(["DRAFT", "AUTHORISED", "PAID", "VOIDED"]),
    total=st.sampled_from([RECORD.total, Decimal("1.00")]),
    last_written=st.sampled_from([None, {"reference": "old"}]),
)
payments = st.lists(
    st.tuples(
        st.sampled_from(["65.00", "165.00", "200.00"]),
        st.sampled_from(["allocated", "void"]),
        st.sampled_from([None, PAYMENT_ID, "nonsense"]),
    ),
    max_size=2,
).map(
    lambda told: [
        applied(payment(amount, (RECORD.id, amount), id_=f"pay_{place}", status=status, xero_id=xero_id))[0]
        for place, (amount, status, xero_id) in enumerate(told, 1)
    ]
)
looks = st.sampled_from(
    [Looks(), SEEN, Looks(invoices={IN_XERO: as_seen(RECORD, AmountPaid="5.00", AmountDue="160.00", Reference="x")})]
)
states = st.builds(
    lambda status, reference, link, paid, noted, payment_linked, note_linked: state(
        invoice(status=status, reference=reference),
        link,
        payments=tuple(paid),
        credit_notes=noted,
        payment_links={PAID[0].key: PAYMENT_LINK} if payment_linked and link else {},
        credit_note_links={NOTE.id: NOTE_LINK} if note_linked and link else {},
    ),
    statuses,
    st.sampled_from([None, "new"]),
    in_xero,
    payments,
    st.sampled_from([(), (NOTE,), (NOTE, NOTE_2), (NOTE_2, NOTE)]),
    st.booleans(),
    st.booleans(),
)
snapshots = st.builds(
    lambda one, seen, contact, drafts, changed: snapshot(
        one,
        looks=seen,
        contact=contact,
        settings=Settings(invoice_status="draft" if drafts else "authorised"),
        changed_parties=[ChangedParty(CHANGED, CONTACT_LINK, 8)] if changed else [],
    ),
    states,
    looks,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(snapshots)
def test_two_plans_of_one_snapshot_are_equal_and_leave_it_as_it_was(given_: Snapshot) -> None:
    before = deepcopy(given_)
    first = deepcopy(make_plan(given_))
    assert given_ == before  # before the second plan, which may undo what the first has done
    assert make_plan(given_) == first
    assert given_ == before
