"""What a reconciliation reads of Xero: all that it asks about, as one moment had it, in few calls, and nothing twice."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import httpx
import pytest
from in_xero import writes
from oddities import Field, OddWay, answer
from pulling import CLINIC, payment
from pushing import Clinic

from caspen_xero import interruption
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode
from caspen_xero.interruption import ToldToEnd
from caspen_xero.sandbox.books.ledger import Ledger
from caspen_xero.store import readings
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.reconciling import reader
from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.sync.reconciling.reading import Reading, expected_calls, read_xero
from caspen_xero.xero import whole_lists
from caspen_xero.xero.errors import TryLater

OCTOBER = Asked(date(2026, 10, 1), date(2026, 10, 31), date(2026, 10, 31))
ALL = Asked(None, date(2099, 12, 31), date(2099, 12, 31))
Tell = Callable[[int, int | None], None]


@dataclass
class Reads:
    """Readings of a clinic's Xero, each in a run of its own; `calls`: those of the last one, as the list and the page."""

    clinic: Clinic

    def __call__(
        self, asked: Asked, tell: Tell = lambda read, of: None, *, now: datetime | None = None, finish: bool = True
    ) -> Reading:
        self.clinic.control("clock", seconds=10)  # what was done before is not of the same seconds
        self.clinic.forget_calls()
        session = Session(Output())
        try:
            reading = read_xero(session.client, session.mappings, asked, tell=tell, now=now)
            if finish:
                reading.finish()
            return reading
        finally:
            session.store.close()

    @property
    def calls(self) -> list[str]:
        rows = self.clinic.requests()
        return [f"{row['path'].removeprefix('/api.xro/2.0/')} {row['query'].get('page', '')}".strip() for row in rows]

    @property
    def kept(self) -> readings.UnderWay | None:
        session = Session(Output())
        with closing(session.store):
            return readings.under_way(session.mappings, datetime.now(UTC))

    def expects(self, asked: Asked) -> int:
        session = Session(Output())
        with closing(session.store):
            return expected_calls(session.mappings, asked)


@pytest.fixture
def reads(ready: Clinic) -> Reads:
    return Reads(ready)


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """Pages of three documents, so that a few make many pages."""
    monkeypatch.setattr(whole_lists, "PAGE", 3)
    return 3


# --- what people do in Xero


def books(clinic: Clinic, *days: str, amount: str = "100", **more: Any) -> list[str]:
    """Sales invoices in Xero, one for each of these days, over 110.00 with tax; gives their InvoiceIDs."""
    line = {"Description": "Physio", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
    made = [
        {
            "Type": "ACCREC",
            "Status": "AUTHORISED",
            "Contact": {"Name": "Nell Okafor", "EmailAddress": "nell@example.org"},
            "Date": day,
            "DueDate": "2026-12-31",
            "LineItems": [line],
            **more,
        }
        for day in days
    ]
    return [str(one["InvoiceID"]) for one in writes(clinic, "PUT", "Invoices", {"Invoices": made})["Invoices"]]


def pays(clinic: Clinic, invoice_id: str, day: str, amount: str = "110.00") -> str:
    body = {"Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Amount": amount, "Date": day}
    return str(writes(clinic, "PUT", "Payments", body)["Payments"][0]["PaymentID"])


def deletes(clinic: Clinic, payment_id: str) -> None:
    writes(clinic, "POST", f"Payments/{payment_id}", {"Status": "DELETED"})


def edits(clinic: Clinic, invoice_id: str, **fields: Any) -> None:
    writes(clinic, "POST", f"Invoices/{invoice_id}", {"InvoiceID": invoice_id, **fields})


def credits(clinic: Clinic, day: str, amount: str = "100") -> str:
    """A credit note in Xero; gives its id."""
    note = {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"Name": "Nell Okafor"},
        "Date": day,
        "LineItems": [{"Description": "Goodwill", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}],
    }
    return str(writes(clinic, "PUT", "CreditNotes", note)["CreditNotes"][0]["CreditNoteID"])


def receives_too_much(clinic: Clinic, day: str, amount: str, kind: str = "OVERPAYMENT") -> str:
    """An overpayment or prepayment in Xero; gives its id."""
    account = {"OVERPAYMENT": {"AccountCode": "610"}, "PREPAYMENT": {"AccountCode": "200", "TaxType": "OUTPUT"}}
    body = {
        "Type": f"RECEIVE-{kind}",
        "Contact": {"Name": "Nell Okafor"},
        "BankAccount": {"Code": "090"},
        "Date": day,
        "LineAmountTypes": "NoTax" if kind == "OVERPAYMENT" else "Inclusive",
        "LineItems": [{"Description": "Paid twice", "Quantity": 1, "UnitAmount": amount, **account[kind]}],
    }
    made = writes(clinic, "PUT", "BankTransactions", body)["BankTransactions"][0]
    return str(made[f"{kind.capitalize()}ID"])


def allocates(clinic: Clinic, plural: str, credit_id: str, invoice_id: str, amount: str) -> None:
    body = {"Allocations": [{"Amount": amount, "Invoice": {"InvoiceID": invoice_id}}]}
    writes(clinic, "PUT", f"{plural}/{credit_id}/Allocations", body)


# --- what is read


def test_a_period_is_read_in_every_status_and_no_other_day_and_no_bill(ready: Clinic, reads: Reads) -> None:
    before, first, last, after = books(ready, "2026-09-30", "2026-10-01", "2026-10-31", "2026-11-01")
    draft, void = books(ready, "2026-10-10", Status="DRAFT") + books(ready, "2026-10-11")
    edits(ready, void, Status="VOIDED")
    books(ready, "2026-10-12", Type="ACCPAY")
    pays(ready, before, "2026-10-02")
    reading = reads(OCTOBER)
    assert {id_: one.status for id_, one in reading.invoices.items()} == {
        first: "AUTHORISED",
        last: "AUTHORISED",
        draft: "DRAFT",
        void: "VOIDED",
    } | ({before: "PAID"} if before in reading.invoices else {})
    assert after not in reading.invoices
    assert reading.invoices[first].line_items[0].tax_amount == Decimal("10.00")
    assert (reading.odd, reading.unreadable_ids, reading.resumed_from) == ([], set(), None)
    assert reading.calls == len(reads.calls)


def test_from_the_beginning_all_is_read_up_to_the_last_day(ready: Clinic, reads: Reads) -> None:
    old, new, late = books(ready, "1999-01-01", "2026-10-31", "2026-11-01")
    paid = pays(ready, old, "1999-02-01")
    asked = replace(OCTOBER, first=None)
    reading = reads(asked)
    assert set(reading.invoices) == {old, new}
    assert set(reading.payments) == {paid}
    assert late not in reading.invoices


def test_of_older_invoices_those_are_read_that_are_open_or_were_on_the_day_of_the_debtors(
    ready: Clinic, reads: Reads
) -> None:
    is_open, part_paid, since, by_overpayment, by_note = books(ready, *["2026-09-15"] * 5)
    pays(ready, part_paid, "2026-10-05", "10.00")
    pays(ready, since, "2026-11-05")
    allocates(ready, "Overpayments", receives_too_much(ready, "2026-11-06", "110"), by_overpayment, "110")
    allocates(ready, "CreditNotes", credits(ready, "2026-11-07"), by_note, "110")
    reading = reads(OCTOBER)
    assert set(reading.invoices) == {is_open, part_paid, since, by_overpayment, by_note}
    assert {kind: [a.date for a in one.allocations] for kind, one in reading.credits.values()} == {
        "overpayment": [date(2026, 11, 6)],
        "credit_note": [date(2026, 11, 7)],
    }


def test_an_older_invoice_that_was_paid_ahead_of_the_day_of_the_debtors_is_read_by_its_id(
    ready: Clinic, reads: Reads
) -> None:
    """The payment is dated after that day, and was entered long before it."""
    asked = Asked(date(2098, 12, 1), date(2098, 12, 31), date(2098, 12, 31))
    old, elsewhere = books(ready, "2026-09-15", "2099-01-02")
    pays(ready, old, "2099-01-05")
    pays(ready, elsewhere, "2099-01-05")
    settled, *_ = books(ready, "2026-09-16")
    pays(ready, settled, "2026-09-17")
    assert set(reads(asked).invoices) == {old}


def test_payments_and_credit_notes_are_read_from_the_periods_first_day_or_the_day_after_that_of_the_debtors(
    ready: Clinic, reads: Reads
) -> None:
    (old,) = books(ready, "2026-08-01", amount="1000")
    early, july, august = (pays(ready, old, day, "10.00") for day in ("2026-08-02", "2026-09-01", "2026-10-01"))
    deletes(ready, august)
    notes = [credits(ready, day) for day in ("2026-08-31", "2026-09-01", "2026-10-01")]
    reading = reads(OCTOBER)
    assert {id_: one.status for id_, one in reading.payments.items()} == {august: "DELETED"}
    assert set(reading.credits) == {notes[2]}
    assert [one.amount for one in reading.invoices[old].payments] == [Decimal("10.00")] * 2
    reading = reads(replace(OCTOBER, as_at=date(2026, 8, 31)))
    assert set(reading.payments) == {july, august}
    assert set(reading.credits) == {*notes[1:]}
    assert early not in reading.payments


def test_all_credits_on_an_invoice_are_read_with_their_allocations(ready: Clinic, reads: Reads) -> None:
    (invoice,) = books(ready, "2026-10-15", amount="1000")
    given = {
        "credit_note": ("CreditNotes", credits(ready, "2026-09-01")),
        "overpayment": ("Overpayments", receives_too_much(ready, "2026-09-02", "30")),
        "prepayment": ("Prepayments", receives_too_much(ready, "2026-09-03", "40", "PREPAYMENT")),
    }
    for plural, id_ in given.values():
        allocates(ready, plural, id_, invoice, "20")
    reading = reads(OCTOBER)
    assert {(kind, id_) for id_, (kind, _) in reading.credits.items()} == {
        (kind, id_) for kind, (_, id_) in given.items()
    }
    for _, credit in reading.credits.values():
        assert [(one.amount, one.date) for one in credit.allocations] == [(Decimal("20.00"), date(2026, 10, 15))]


@pytest.mark.parametrize("shown", ["own", "invoice", "batch", "lists"])
def test_payments_are_read_under_their_own_ids_whichever_xero_shows_of_a_batch(
    ready: Clinic, reads: Reads, shown: str
) -> None:
    ready.control("settings", batch_member_id=shown)
    ids = books(ready, "2026-10-01", "2026-10-02")
    members = [{"Invoice": {"InvoiceID": id_}, "Amount": "110.00"} for id_ in ids]
    body = {"Account": {"Code": "090"}, "Date": "2026-10-03", "Reference": "HICAPS", "Payments": members}
    writes(ready, "PUT", "BatchPayments", body)
    reading = reads(OCTOBER)
    assert {one["PaymentID"] for one in ready.state("Payments")} == set(reading.payments)
    assert {one.invoice.invoice_id for one in reading.payments.values() if one.invoice} == set(ids)


@pytest.mark.parametrize("keys", ["left-out", "shown"])
def test_it_reads_the_same_whether_xero_leaves_out_what_says_nothing(ready: Clinic, reads: Reads, keys: str) -> None:
    ready.control("settings", absent_keys=keys)
    (invoice,) = books(ready, "2026-10-01")
    paid = pays(ready, invoice, "2026-10-02", "10.00")
    reading = reads(OCTOBER)
    assert reading.payments[paid].amount == Decimal("10.00")
    assert reading.invoices[invoice].amount_due == Decimal("100.00")


def test_others_are_read_by_their_ids_with_what_they_list(ready: Clinic, reads: Reads) -> None:
    """One that Caspen has in the period may have another date in Xero."""
    moved, other = books(ready, "2026-12-15", "2026-12-16")
    overpayment = receives_too_much(ready, "2026-12-16", "30")
    allocates(ready, "Overpayments", overpayment, moved, "30")
    session = Session(Output())
    reading = read_xero(session.client, session.mappings, OCTOBER, tell=lambda read, of: None)
    assert reading.invoices == {}
    ready.forget_calls()
    reading.also([moved, "20212e47-0000-4000-8000-000000000000"])
    assert set(reading.invoices) == {moved}
    assert other not in reading.invoices
    assert reading.credits[overpayment][1].allocations[0].amount == Decimal("30.00")
    assert len(ready.calls()) == 2
    ready.forget_calls()
    reading.also([moved])
    assert ready.calls() == []


# --- what can't be read


def test_what_can_not_be_read_is_told_and_takes_nothing_else_along(ready: Clinic, reads: Reads, way: OddWay) -> None:
    good, bad, paid = books(ready, "2026-10-01", "2026-10-02", "2026-10-03")
    pays(ready, paid, "2026-10-04")
    with way.odd(Field("Invoices", bad, "SubTotal", "much")):
        reading = reads(OCTOBER)
    assert (set(reading.invoices), reading.unreadable_ids) == ({good, paid}, {bad})
    assert ["SubTotal" in one.why or "sub_total" in one.why.lower() for one in reading.odd] == [True]


def test_a_payment_that_can_not_be_read_names_its_invoice(ready: Clinic, reads: Reads, way: OddWay) -> None:
    good, bad = books(ready, "2026-10-01", "2026-10-02")
    paid, odd = pays(ready, good, "2026-10-04"), pays(ready, bad, "2026-10-05")
    with way.odd(Field("Payments", odd, "Amount", "much")):
        reading = reads(OCTOBER)
    assert (set(reading.payments), reading.unreadable_ids) == ({paid}, {bad})
    assert len(reading.odd) == 1


def test_a_credit_that_can_not_be_read_names_the_invoices_that_list_it(
    ready: Clinic, reads: Reads, way: OddWay
) -> None:
    good, bad = books(ready, "2026-10-01", "2026-10-02")
    note, overpayment = credits(ready, "2026-09-01"), receives_too_much(ready, "2026-09-02", "30")
    allocates(ready, "CreditNotes", note, good, "20")
    allocates(ready, "Overpayments", overpayment, bad, "30")
    with way.odd(Field("Overpayments", overpayment, "Total", "much")):
        reading = reads(OCTOBER)
    assert (set(reading.credits), reading.unreadable_ids) == ({note}, {bad})


# --- while people work in Xero


def after_page(nth: int, *things: Callable[[], object]) -> Tell:
    """Does things in Xero right after the n-th page of a reading has come, counted from 1."""
    pages = iter(range(1, 1_000))

    def tell(read: int, of: int | None) -> None:
        if next(pages) == nth:
            for thing in things:
                thing()

    return tell


@pytest.mark.usefixtures("short_pages")
def test_an_invoice_that_leaves_the_period_meanwhile_hides_no_other(ready: Clinic, reads: Reads) -> None:
    ids = sorted(books(ready, *["2026-10-10"] * 10))
    reading = reads(OCTOBER, after_page(1, lambda: edits(ready, ids[0], Date="2026-12-01")))
    assert set(reading.invoices) == set(ids[1:])


@pytest.mark.parametrize("tells_the_time", [True, False])
@pytest.mark.usefixtures("short_pages")
def test_what_came_or_was_changed_meanwhile_is_read_as_it_is_at_the_end(
    ready: Clinic, reads: Reads, tells_the_time: bool
) -> None:
    ready.control("settings", date_header=tells_the_time)
    ids = sorted(books(ready, *["2026-10-10"] * 7))
    old = books(ready, "2026-09-10", "2026-09-10")
    new: list[str] = []
    reading = reads(
        OCTOBER,
        after_page(
            2,
            lambda: new.extend(books(ready, "2026-10-11", "2026-10-12", "2026-11-12")),
            lambda: edits(ready, ids[0], Reference="Late"),
            lambda: edits(ready, ids[1], Date="2026-09-30"),
            lambda: edits(ready, ids[2], Date="2026-12-30"),
            lambda: pays(ready, old[0], "2026-10-30"),
            lambda: pays(ready, ids[3], "2026-10-30", "10.00"),
        ),
    )
    assert set(reading.invoices) == {*(set(ids) - {ids[2]}), *new[:2], old[1]} | (
        {old[0]} & reading.invoices.keys()  # it is paid now, and may have been open on the last day of October
    )
    assert reading.invoices[ids[0]].reference == "Late"
    assert len(reading.invoices[ids[3]].payments) == 1
    assert len(reading.payments) == 2


@pytest.mark.usefixtures("short_pages")
def test_payments_that_move_to_the_end_of_their_list_hide_no_other(ready: Clinic, reads: Reads) -> None:
    """They are listed in the order of their changes, and a reconciliation with the bank is one."""
    ids = books(ready, *["2026-10-10"] * 8)
    paid = [pays(ready, id_, "2026-10-20") for id_ in ids]
    pages_before = 3
    reading = reads(
        OCTOBER,
        after_page(pages_before + 3, *(partial(ready.control, f"payments/{id_}/reconcile") for id_ in paid[:3])),
    )
    assert set(reading.payments) == set(paid)


def test_books_that_never_stand_still_are_not_proved(ready: Clinic, reads: Reads, way: OddWay) -> None:
    (invoice,) = books(ready, "2026-10-10")

    class Restless:
        """Somebody edits an invoice before each answer."""

        times = 0

        def strikes(self, number: int, path: str) -> bool:
            self.times += 1
            edits(ready, invoice, Reference=f"Edit {self.times}")
            return False

        def change(self, response: httpx.Response, body: bytes) -> httpx.Response:
            return response

    with way.odd(Restless()), pytest.raises(TryLater) as stopped:
        reads(OCTOBER)
    assert (stopped.value.code, stopped.value.exit_code) == ("xero-not-still", ExitCode.TRY_LATER)


def day_of(document: dict[str, Any]) -> date:
    """The day of a document as the books show it."""
    milliseconds = int(document["Date"].removeprefix("/Date(").partition("+")[0])
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).date()


class Office:
    """People who do this and that in Xero, at random, and what then stands there."""

    def __init__(self, clinic: Clinic, dice: Random) -> None:
        self.clinic, self.dice = clinic, dice
        self.ids = books(clinic, *(self.day() for _ in range(12)), amount="1000")
        self.paid = [pays(clinic, self.one(), self.day(), "10.00") for _ in range(8)]
        self.notes = [credits(clinic, self.day()) for _ in range(5)]

    def day(self) -> str:
        return f"2026-{self.dice.choice(['09', '10', '11'])}-{self.dice.randint(1, 28):02d}"

    def one(self) -> str:
        return self.dice.choice(self.ids)

    def works(self, *_: object) -> None:
        """One thing, or none."""
        clinic, dice = self.clinic, self.dice
        due = {one["InvoiceID"]: one for one in clinic.state("Invoices")}

        def allocate() -> None:
            allocates(clinic, "CreditNotes", dice.choice(self.notes), self.one(), "5")

        things: list[Callable[[], object]] = [
            lambda: None,
            lambda: None,
            lambda: self.ids.extend(books(clinic, self.day(), amount="1000")),
            lambda: edits(clinic, self.one(), Date=self.day()),
            lambda: edits(clinic, self.one(), Reference=f"No. {dice.randint(1, 999)}"),
            lambda: edits(clinic, self.one(), Status="VOIDED"),
            lambda: self.paid.append(pays(clinic, self.one(), self.day(), "10.00")),
            lambda: self.paid.append(pays(clinic, id_ := self.one(), self.day(), str(due[id_]["AmountDue"]))),
            lambda: deletes(clinic, dice.choice(self.paid)),
            lambda: clinic.control(f"payments/{dice.choice(self.paid)}/reconcile"),
            lambda: self.notes.append(credits(clinic, self.day())),
            allocate,
            allocate,
        ]
        try:
            dice.choice(things)()
        except (AssertionError, httpx.HTTPStatusError):  # Xero refuses it
            return

    def holds(self, reading: Reading, asked: Asked) -> None:
        """Checks a reading against what stands there."""
        state = self.clinic.whole_state()
        assert asked.first is not None
        for one in state["Invoices"]:
            day, id_ = day_of(one), one["InvoiceID"]
            in_period = asked.first <= day <= max(asked.last, asked.as_at)
            is_older = day < asked.first and day <= asked.as_at
            if in_period or (is_older and one["Status"] == "AUTHORISED"):
                assert id_ in reading.invoices, one
            elif not is_older:
                assert id_ not in reading.invoices, one
            if (read := reading.invoices.get(id_)) is not None:
                assert (read.status, read.date, read.amount_due) == (one["Status"], day, one["AmountDue"])
                assert read.reference == one["Reference"]
                assert {each.payment_id for each in read.payments} == {
                    each["PaymentID"]
                    for each in state["Payments"]
                    if each["Invoice"]["InvoiceID"] == id_ and each["Status"] != "DELETED"
                }
        was_settled = {
            each["Invoice"]["InvoiceID"]
            for each in state["Payments"]
            if each["Status"] != "DELETED" and day_of(each) > asked.as_at
        }
        dates = {one["InvoiceID"]: day_of(one) for one in state["Invoices"]}
        assert {id_ for id_ in was_settled if dates[id_] < asked.first and dates[id_] <= asked.as_at} <= set(
            reading.invoices
        )
        from_ = min(asked.first, asked.as_at + timedelta(days=1))
        assert {one["PaymentID"]: one["Status"] for one in state["Payments"] if day_of(one) >= from_} == {
            id_: one.status for id_, one in reading.payments.items()
        }
        notes = {one["CreditNoteID"]: one for one in state["CreditNotes"]}
        due = {id_ for id_, one in notes.items() if day_of(one) >= from_}
        listed = {each.credit_note_id for one in reading.invoices.values() for each in one.credit_notes}
        assert due | listed <= set(reading.credits)
        for id_, (_, note) in reading.credits.items():
            assert Counter(each.amount for each in note.allocations) == Counter(
                each["Amount"] for each in notes[id_]["Allocations"]
            )


ASKED = [
    OCTOBER,
    replace(OCTOBER, as_at=date(2026, 9, 15)),
    replace(OCTOBER, as_at=date(2026, 11, 15)),
    Asked(date(2026, 11, 1), date(2026, 11, 15), date(2099, 1, 1)),
]


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.usefixtures("short_pages")
def test_whatever_people_do_meanwhile_it_reads_what_stands_there_at_the_end(
    ready: Clinic, reads: Reads, seed: int
) -> None:
    office, asked = Office(ready, Random(seed)), ASKED[seed % len(ASKED)]
    office.holds(reads(asked, office.works), asked)


# --- a reading that ends early


class Ends(Exception):
    """Stands for a power cut."""


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.usefixtures("short_pages")
def test_whenever_it_ends_early_and_whatever_people_do_it_goes_on_to_what_stands_there(
    ready: Clinic, reads: Reads, seed: int
) -> None:
    dice = Random(seed)
    office, asked = Office(ready, dice), ASKED[seed % len(ASKED)]

    def works_till_a_power_cut(read: int, of: int | None) -> None:
        office.works()
        if dice.random() < 0.3:
            raise Ends

    for _ in range(40):
        try:
            reading = reads(asked, works_till_a_power_cut, finish=False)
            break
        except Ends:
            for _ in range(3):
                office.works()
    else:
        pytest.fail("it does not come to its end")
    office.holds(reading, asked)


@pytest.mark.usefixtures("short_pages")
def test_a_reading_that_was_killed_goes_on_and_asks_for_nothing_twice(ready: Clinic, reads: Reads) -> None:
    ids = books(ready, *["2026-10-10"] * 10)
    for id_ in ids:
        pays(ready, id_, "2026-10-20")
    whole = reads(OCTOBER)
    for page in range(1, len(whole.invoices) // 3 + 1):

        def ends(read: int, of: int | None) -> None:
            raise Ends

        with pytest.raises(Ends):
            reads(OCTOBER, after_page(page, lambda: ends(0, None)), finish=False)
        assert reads.kept is not None
        assert (reads.kept.calls, len(reads.calls)) == (page, page)
        first_run = reads.calls
        reading = reads(OCTOBER)
        assert reading.resumed_from is not None
        assert reading.began_at == reading.resumed_from
        assert reads.calls[0] == f"Invoices {page + 1}"
        assert [call for call in reads.calls if call in first_run and call != "Invoices 1"] == []
        assert (reading.invoices, reading.payments) == (whole.invoices, whole.payments)
        assert reading.calls == page + len(reads.calls)
        assert reads.kept is None


@pytest.mark.usefixtures("short_pages")
def test_a_reading_that_is_told_to_end_keeps_the_page_that_was_under_way(
    ready: Clinic, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    books(ready, *["2026-10-10"] * 10)

    def told_meanwhile(*arguments: Any) -> Any:
        page = whole_lists.page_of(*arguments)
        interruption._heard(2, None)
        return page

    with monkeypatch.context() as told:
        told.setattr(interruption, "_state", interruption._State())
        told.setattr(reader, "page_of", told_meanwhile)
        with pytest.raises(ToldToEnd):
            reads(OCTOBER, finish=False)
    assert reads.kept is not None
    assert (reads.kept.calls, reads.calls) == (1, ["Invoices 1"])
    reads(OCTOBER)
    assert reads.calls[0] == "Invoices 2"


@pytest.mark.usefixtures("short_pages")
def test_a_payment_that_moved_before_the_reading_was_killed_hides_no_other(ready: Clinic, reads: Reads) -> None:
    ids = books(ready, *["2026-10-10"] * 10)
    paid = []
    for id_ in ids:
        ready.control("clock", seconds=5)
        paid.append(pays(ready, id_, "2026-10-20"))
    pages_before = 4 + 2

    def reconciled_then_killed(read: int, of: int | None) -> None:
        if len(reads.calls) == pages_before + 1:
            ready.control(f"payments/{paid[0]}/reconcile")
        if len(reads.calls) == pages_before + 2:
            raise Ends

    with pytest.raises(Ends):
        reads(OCTOBER, reconciled_then_killed, finish=False)
    (late,) = books(ready, "2026-10-11")
    paid.append(pays(ready, late, "2026-10-21"))
    assert set(reads(OCTOBER).payments) == set(paid)


def test_it_says_how_far_it_came_and_with_which_command_it_goes_on(
    ready: Clinic, reads: Reads, waits: list[float]
) -> None:
    books(ready, *["2026-10-10"] * 4)
    ready.control("faults", kind="429-day", path="Payments", count=1)
    with pytest.raises(TryLater) as stopped:
        reads(OCTOBER)
    assert (stopped.value.code, stopped.value.exit_code) == ("xero-day-limit", ExitCode.TRY_LATER)
    assert stopped.value.message.endswith(" 4 of about 4 documents were read, and are kept for a week.")
    command = "caspen-xero reconcile --from 2026-10-01 --to 2026-10-31 --as-at 2026-10-31"
    assert stopped.value.fix.endswith(f"; it goes on where it stopped: {command}")
    ready.control("faults", kind="drop-before", path="Payments", count=None)
    with pytest.raises(TryLater) as broken:
        reads(OCTOBER)
    assert (broken.value.exit_code, broken.value.fix.rpartition(": ")[2]) == (ExitCode.TRY_LATER, command)
    ready.all_is_well_in_xero()
    assert len(reads(OCTOBER).invoices) == 4
    assert "Invoices 1" in reads.calls  # what changed since
    assert len([call for call in reads.calls if call.startswith("Payments")]) >= 1


@dataclass
class Left:
    """From an answer on, Xero says that so many calls of the day are left."""

    calls: int
    after: int = 0

    def strikes(self, number: int, path: str) -> bool:
        return number >= self.after

    def change(self, response: httpx.Response, body: bytes) -> httpx.Response:
        return answer(response, body, x_daylimit_remaining=str(self.calls))


def test_the_last_calls_of_the_day_are_left_for_what_runs_by_itself(ready: Clinic, reads: Reads, way: OddWay) -> None:
    books(ready, *["2026-10-10"] * 4)
    with way.odd(Left(20, after=2)), pytest.raises(TryLater) as stopped:
        reads(OCTOBER)
    assert (stopped.value.code, stopped.value.exit_code) == ("xero-day-limit", ExitCode.TRY_LATER)
    assert len(reads.calls) == 3
    with way.odd(Left(21)):
        assert len(reads(OCTOBER).invoices) == 4


def test_another_question_begins_anew_and_so_does_the_same_one_a_week_later(ready: Clinic, reads: Reads) -> None:
    books(ready, "2026-10-10")

    def ends(read: int, of: int | None) -> None:
        raise Ends

    later = datetime.now(UTC) + timedelta(days=8)
    for asked, now in ((ALL, None), (OCTOBER, later), (replace(OCTOBER, as_at=date(2026, 10, 30)), None)):
        with pytest.raises(Ends):
            reads(OCTOBER, ends)
        assert reads.kept is not None
        assert reads(asked, now=now).resumed_from is None


def test_what_is_kept_holds_no_address_and_goes_with_a_purge(ready: Clinic, reads: Reads) -> None:
    books(ready, "2026-10-10")

    def ends(read: int, of: int | None) -> None:
        raise Ends

    with pytest.raises(Ends):
        reads(OCTOBER, ends)
    (row,) = ready.sql("SELECT content FROM reading_pages")
    kept = zlib.decompress(row["content"]).decode()
    assert "Nell Okafor" in kept
    assert "nell@" not in kept
    assert ready.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    assert ready.sql("SELECT * FROM reading_pages") == ready.sql("SELECT * FROM readings") == []
    assert reads(OCTOBER).resumed_from is None


def test_what_an_earlier_version_kept_otherwise_is_read_anew(ready: Clinic, reads: Reads) -> None:
    (invoice,) = books(ready, "2026-10-10")

    def ends(read: int, of: int | None) -> None:
        raise Ends

    with pytest.raises(Ends):
        reads(OCTOBER, ends)
    ready.sql("UPDATE reading_pages SET content = x'00'")
    reading = reads(OCTOBER)
    assert (set(reading.invoices), reading.resumed_from) == ({invoice}, None)


def test_another_organisation_knows_nothing_of_it(ready: Clinic, reads: Reads) -> None:
    books(ready, "2026-10-10")

    def ends(read: int, of: int | None) -> None:
        raise Ends

    with pytest.raises(Ends):
        reads(OCTOBER, ends)
    session = Session(Output())
    with closing(session.store) as store:
        assert readings.under_way(Mappings(store, "another"), datetime.now(UTC)) is None
        assert readings.under_way(session.mappings, datetime.now(UTC)) is not None


# --- how many calls


def test_calls_are_told_in_advance(ready: Clinic, reads: Reads) -> None:
    ready.takes(*CLINIC, payment(1, "INV-0001", "220.00"))
    assert ready.push().exit_code == 0
    asked = Asked(None, date(2026, 12, 31), date(2026, 12, 31))
    told = reads.expects(asked)
    reading = reads(asked)
    assert (told, len(reading.invoices), len(reading.payments)) == (reading.calls, 4, 1)


def put_straight(clinic: Clinic, count: int) -> None:
    """Invoices of October, each with a payment, and some credit notes, straight into the books: copies of one of each."""
    (invoice,) = books(clinic, "2026-10-10")
    pays(clinic, invoice, "2026-10-20")
    credits(clinic, "2026-10-21")
    xero, tenant_id = clinic.sandbox.xero, clinic.tenant_id
    with xero.transaction():
        ledger = Ledger(xero.api.books, tenant_id)
        bodies = {kind: ledger.select(kind)[0] for kind in ("Invoices", "Payments", "CreditNotes")}
        for nth in range(1, count):
            id_ = f"00000000-0000-4000-8000-{nth:012d}"
            paid = {**bodies["Payments"], "PaymentID": id_.replace("-4000-", "-4001-"), "TargetID": id_}
            listed = [{**bodies["Invoices"]["Payments"][0], "PaymentID": paid["PaymentID"]}]
            ledger.save(
                "Invoices", {**bodies["Invoices"], "InvoiceID": id_, "InvoiceNumber": f"A-{nth}"} | {"Payments": listed}
            )
            ledger.save("Payments", paid)
            if nth < count * 3 // 100:
                note = {**bodies["CreditNotes"], "CreditNoteID": id_.replace("-4000-", "-4002-")}
                ledger.save("CreditNotes", {**note, "CreditNoteNumber": f"CN-{nth}"})


def test_thousands_of_documents_are_read_in_pages_of_a_thousand(ready: Clinic, reads: Reads) -> None:
    put_straight(ready, 2_500)
    ready.control("clock", seconds=120)  # the books give each change a millisecond of its own
    told: list[tuple[int, int | None]] = []
    reading = reads(OCTOBER, lambda read, of: told.append((read, of)))
    assert (len(reading.invoices), len(reading.payments), len(reading.credits)) == (2_500, 2_500, 75)
    # Three pages of invoices and of payments; one of older invoices that are open, of those settled since, of credit notes, and of
    # what has changed of invoices and of notes meanwhile.
    assert reading.calls == len(reads.calls) == 11
    assert told[-1] == (5_075, 5_075)
    assert told == sorted(told)
