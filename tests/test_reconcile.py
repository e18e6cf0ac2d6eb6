"""Whatever is moved on either side is found by a reconciliation, and named with both figures; equal books are said to be equal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import in_xero
import moved
import pytest
from clinics import credit_note, invoice, line, payment
from moved import BOB, LATER, NELL, PEOPLE, RECORDS, Act, Figure, Moved, three
from moves import CREDITS_IN_XERO, DOCUMENTS_IN_CASPEN, DOCUMENTS_IN_XERO, INV, MONEY_IN_CASPEN, PAYMENTS_IN_XERO
from proving import DIFFERS, Proved, Truth, debtors, is_equal, named, proves
from pushing import Clinic


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """Two clients' invoices in three tax modes and two months, some paid, some credited, one a draft and one void."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, 6), pushed.stdout
    ready.forget_calls()
    return ready


def test_books_that_are_equal_are_proved_to_be(books: Clinic) -> None:
    proved = is_equal(books)
    assert (proved.said["compared"], proved.said["proved"], proved.said["not_yet"]) == (6, 6, 0)
    truth = Truth(books)
    assert truth.caspens_invoices() == truth.xeros_invoices() == {"AUD": Decimal("1214.92")}
    assert books.writes() == []


def found(books: Clinic, what: Moved) -> Proved:
    """Something is moved in books that are equal: it is found, and nothing else is."""
    what.act(books)
    books.forget_calls()
    proved = proves(books)
    assert proved.exit_code == DIFFERS
    assert books.writes() == []
    rows = [row for row in proved.on(what.number) if row["code"] in what.codes]
    assert rows, proved.finds
    assert any(
        all(_is_said(row["caspen"], each) for each in what.caspen)
        and all(_is_said(row["xero"], each) for each in what.xero)
        for row in rows
    ), rows
    for row in proved.finds:
        assert row["code"] in (*what.codes, *what.besides), row
        assert any(one in text for one in (what.number, *what.others) for text in named(row)), row
    return proved


def _is_said(text: str, figure: Figure) -> bool:
    """Whether a text says a figure, or one of several; a day in whatever form."""
    if isinstance(figure, date):
        figure = (
            figure.isoformat(),
            f"{figure.day} {figure:%b %Y}",
            f"{figure:%d %b %Y}",
            f"{figure.day} {figure:%B %Y}",
        )
    return any(each in text for each in ((figure,) if isinstance(figure, str) else figure))


@pytest.mark.parametrize("what", DOCUMENTS_IN_XERO.values(), ids=DOCUMENTS_IN_XERO)
def test_an_invoice_that_was_moved_in_xero_is_found(books: Clinic, what: Moved) -> None:
    found(books, what)


@pytest.mark.parametrize("what", PAYMENTS_IN_XERO.values(), ids=PAYMENTS_IN_XERO)
def test_a_payment_that_was_moved_in_xero_is_found(books: Clinic, what: Moved) -> None:
    debtors(found(books, what), Truth(books))


@pytest.mark.parametrize("what", CREDITS_IN_XERO.values(), ids=CREDITS_IN_XERO)
def test_a_credit_that_was_moved_in_xero_is_found(books: Clinic, what: Moved) -> None:
    debtors(found(books, what), Truth(books))


@pytest.mark.parametrize("what", DOCUMENTS_IN_CASPEN.values(), ids=DOCUMENTS_IN_CASPEN)
def test_an_invoice_that_was_moved_in_caspen_is_found(books: Clinic, what: Moved) -> None:
    found(books, what)


@pytest.mark.parametrize("what", MONEY_IN_CASPEN.values(), ids=MONEY_IN_CASPEN)
def test_money_that_was_moved_in_caspen_is_found(books: Clinic, what: Moved) -> None:
    found(books, what)


# --- what is added in Caspen is not there yet

ADDED: dict[str, tuple[Act, str]] = {
    "an invoice": (lambda clinic: clinic.takes(invoice("INV-0099", [line("10.00")])), "INV-0099"),
    "an invoice under a number that is taken": (
        lambda clinic: clinic.takes(invoice("INV-0003", [line("10.00")], id="inv_again")),
        "INV-0003",
    ),
    "a payment": (lambda clinic: clinic.takes(payment("10.00", ("inv_INV-0003", "10.00"), id_="pay_9")), "INV-0003"),
    "a payment twice": (
        lambda clinic: clinic.takes(payment("110.00", ("inv_INV-0001", "110.00"), id_="pay_9")),
        "INV-0001",
    ),
    "a credit note": (
        lambda clinic: clinic.takes(credit_note("CRN-0009", [line("10.00")], invoice_id="inv_INV-0003")),
        "CRN-0009",
    ),
}


@pytest.mark.parametrize(("act", "number"), ADDED.values(), ids=ADDED)
def test_what_was_added_in_caspen_and_is_not_sent_yet_is_told(books: Clinic, act: Act, number: str) -> None:
    act(books)
    proved = proves(books)
    assert proved.exit_code == DIFFERS
    told = [row for row in (*proved.finds, *proved.rows("left_out")) if number in str(row)]
    assert told, proved.said
    books.push()


# --- what is no difference


NOTHING: dict[str, Act] = {
    "a stranger's invoice": lambda clinic: moved.writes_an_invoice(clinic, moved.stranger(clinic)),
    "a bill of a client of ours": lambda clinic: moved.writes_an_invoice(clinic, moved.nells(clinic), kind="ACCPAY"),
    "a line in another account": lambda clinic: moved.alters(
        INV, lambda document: document["LineItems"][0].update(AccountCode="260")
    )(clinic),
    "another text": lambda clinic: moved.alters(
        INV, lambda document: document["LineItems"][0].update(Description="Consultation")
    )(clinic),
    "another reference": moved.edits(INV, Reference="PO 7"),
    "money in advance that is on no invoice": lambda clinic: moved.keeper(clinic).receives_prepayment(INV, "22.00"),
    "a payment deleted that was nobody's": lambda clinic: moved.keeper(clinic).deletes(
        in_xero.pays(clinic, INV, "25.00")
    ),
}


@pytest.mark.parametrize("act", NOTHING.values(), ids=NOTHING)
def test_what_is_no_difference_is_none(books: Clinic, act: Act) -> None:
    act(books)
    is_equal(books)


def test_what_a_bookkeeper_recoded_is_listed_and_not_counted(books: Clinic) -> None:
    (account,) = [one for one in books.state("Accounts") if one.get("Code") == "260"]
    fields = {"AccountCode": "260", "AccountID": account["AccountID"]}
    moved.alters(INV, lambda document: document["LineItems"][0].update(fields))(books)
    proved = is_equal(books)
    (told,) = proved.rows("recoded")
    assert (told["number"], "200" in told["sent_to"], "260" in told["is_in"]) == (INV, True, True)
    recoded = {row["account"][:3]: Decimal(row["recoded"]) for row in proved.rows("by_account")}
    assert recoded == {"200": Decimal("-150.00"), "260": Decimal("150.00")}


def test_who_a_contact_was_merged_into_is_no_difference(books: Clinic) -> None:
    """Xero moves a merged contact's invoices; the one that it went into stands for the client since."""
    into = moved.stranger(books)
    books.control(f"contacts/{moved.nells(books)}/merge", into=into)
    books.cli("pull")
    proved = proves(books)
    assert {row["code"] for row in proved.finds} <= {"contact", "credit-note-contact"}


def test_another_client_in_the_same_period_is_not_touched(books: Clinic) -> None:
    """Of two clients with the same figures each find names its own."""
    books.takes(invoice("INV-0010", three(), client_id=BOB))
    assert books.push().exit_code == 0
    moved.lines("INV-0010", (1, "150.01", None))(books)
    proved = proves(books)
    assert {row["number"] for row in proved.finds} == {"INV-0010"}
    assert {row["client"] for row in proved.finds} != {None}
    assert NELL != BOB


def test_a_moved_thing_that_is_put_back_is_equal_again(books: Clinic) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    assert proves(books).exit_code == DIFFERS
    moved.lines(INV, (1, "150.00", None))(books)
    is_equal(books)


def test_several_moved_things_are_all_told(books: Clinic) -> None:
    for what in (
        DOCUMENTS_IN_XERO["a cent of tax from one line to another"],
        PAYMENTS_IN_XERO["a payment's day"],
        CREDITS_IN_XERO["a note's day"],
        DOCUMENTS_IN_XERO["added to a client of ours"],
    ):
        what.act(books)
    books.takes({**RECORDS["inv_INV-0005"], **LATER, "due_date": "2026-11-30"})
    proved = proves(books)
    assert {row["code"] for row in proved.finds} == {
        "line",
        "payment-date",
        "credit-note-date",
        "unknown-in-caspen",
        "due-date",
    }
