"""What a reconciliation tells a person to do: done, and pasted as it is printed, it leaves the books equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import in_xero
import moved
import pytest
from moved import LATER, PEOPLE, RECORDS, Act
from moves import CREDITS_IN_XERO, DOCUMENTS_IN_XERO, INV, NOTED, PAID, PAYMENTS_IN_XERO
from proving import DIFFERS, EQUAL, proves
from pushing import Clinic, commands_in

from caspen_xero.sync.fix_commands import find_fix
from caspen_xero.sync.reconciling.finds import FINDS

NOTE = "CRN-0001"
OVERWRITE, SYNC, PULL, PAY, RECONCILE = ("--overwrite",), ("sync",), ("pull",), ("pull", "--pay-anyway"), ("reconcile",)


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """The books in which `moved` moves things."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    return ready


@dataclass(frozen=True)
class Mended:
    """`act`: what goes wrong; `pastes`: which of the printed commands are pasted, after a person did what `first` is."""

    code: str
    act: Act
    pastes: Sequence[str]
    first: Act = lambda clinic: None


def document(name: str) -> Act:
    return DOCUMENTS_IN_XERO[name].act


def credit(name: str) -> Act:
    return CREDITS_IN_XERO[name].act


def voids_in_caspen(id_: str) -> Act:
    return lambda clinic: clinic.takes({**RECORDS[id_], **LATER, "status": "void"})


def deletes_the_payment_of(number: str) -> Act:
    def does(clinic: Clinic) -> None:
        (paid,) = [one for one in in_xero.payments(clinic) if one["Invoice"]["InvoiceNumber"] == number]
        moved.keeper(clinic).deletes(str(paid["PaymentID"]))

    return does


def puts_the_note_on_again(clinic: Clinic) -> None:
    moved.keeper(clinic).allocates("credit_note", moved.note(clinic)["CreditNoteID"], NOTED, "44.00")


def is_another_note(**fields: object) -> tuple[Act, Act]:
    """The note has other fields in Xero; the same put right there."""
    kept = {"CreditNoteNumber": NOTE, "Date": "2026-11-05", "CurrencyCode": "AUD", "Status": "PAID"}
    number = str(fields.get("CreditNoteNumber", NOTE))
    return (
        moved.sets(NOTE, "CreditNotes", **fields),
        moved.sets(number, "CreditNotes", **{name: kept[name] for name in fields}),
    )


MENDED: dict[str, Mended] = {
    "figures": Mended("figures", document("a cent of tax"), OVERWRITE),
    "a line": Mended("line", document("a tax rate of the same percentage"), OVERWRITE),
    "a line removed": Mended("line-missing-in-xero", document("a line removed"), OVERWRITE),
    "a line added": Mended("line-unknown-in-caspen", document("a line added"), OVERWRITE),
    "a date": Mended("date", document("a day"), OVERWRITE),
    "a due date": Mended("due-date", document("a due date"), OVERWRITE),
    "a due date that Caspen takes over": Mended(
        "due-date", document("a due date"), SYNC, moved.says(f"inv_{INV}", due_date="2026-11-17")
    ),
    "a number": Mended("number", document("a number"), OVERWRITE),
    "a contact": Mended("contact", document("another client's contact"), OVERWRITE),
    "a currency": Mended("currency", document("a currency"), OVERWRITE),
    "a draft in Xero": Mended("status", document("back to a draft"), RECONCILE, moved.sets(INV, Status="AUTHORISED")),
    "not there": Mended("missing-in-xero", document("gone altogether"), SYNC, voids_in_caspen(f"inv_{INV}")),
    "void there": Mended("voided-in-xero", document("voided"), SYNC, voids_in_caspen(f"inv_{INV}")),
    "a draft in Caspen": Mended(
        "gone-in-caspen",
        moved.says(f"inv_{INV}", status="draft"),
        SYNC,
        moved.edits(INV, Status="VOIDED"),
    ),
    "twice": Mended(
        "twice-in-xero", document("doubled under another number"), RECONCILE, moved.sets("X-1", Status="VOIDED")
    ),
    "a payment deleted": Mended("payment-missing-in-xero", PAYMENTS_IN_XERO["a payment deleted"].act, PAY),
    "a payment on another invoice": Mended(
        "payment-missing-in-xero",
        PAYMENTS_IN_XERO["a payment on another invoice"].act,
        PAY,
        deletes_the_payment_of(INV),
    ),
    "a payment deleted, that is void in Caspen too": Mended(
        "payment-missing-in-xero", PAYMENTS_IN_XERO["a payment deleted"].act, SYNC, moved.pays("110.00", status="void")
    ),
    "a payment added": Mended("payment-unknown-in-caspen", PAYMENTS_IN_XERO["a payment added"].act, PULL),
    "a payment added, and deleted": Mended(
        "payment-unknown-in-caspen", PAYMENTS_IN_XERO["a payment added"].act, RECONCILE, deletes_the_payment_of(INV)
    ),
    "a payment's amount, in Caspen": Mended(
        "payment-amount", PAYMENTS_IN_XERO["a payment a cent less"].act, SYNC, moved.pays("109.99")
    ),
    "a payment's amount, in Xero": Mended(
        "payment-amount", PAYMENTS_IN_XERO["a payment a cent less"].act, PAY, deletes_the_payment_of(PAID)
    ),
    "a payment's day, in Caspen": Mended(
        "payment-date", PAYMENTS_IN_XERO["a payment's day"].act, SYNC, moved.pays("110.00", date="2026-11-04")
    ),
    "a payment's day, in Xero": Mended(
        "payment-date", PAYMENTS_IN_XERO["a payment's day"].act, PAY, deletes_the_payment_of(PAID)
    ),
    "a credit taken off": Mended(
        "credit-missing-in-xero", credit("a note taken off its invoice"), RECONCILE, puts_the_note_on_again
    ),
    "a credit added": Mended("credit-unknown-in-caspen", credit("a credit note added to an invoice"), PULL),
    "an overpayment put on": Mended("credit-unknown-in-caspen", credit("an overpayment put on an invoice"), PULL),
    "a part of a credit": Mended(
        "credit-amount", credit("a part of a note taken off"), RECONCILE, moved.puts_it_on(NOTED, "44.00")
    ),
    "a credit's day": Mended(
        "credit-date",
        credit("the day since when a credit counts"),
        RECONCILE,
        moved.alters_the_allocation(NOTE, NOTED, Date="2026-11-05"),
    ),
    "a note not there": Mended(
        "credit-note-missing-in-xero", credit("a note gone altogether"), SYNC, moved.credits("40.00", status="void")
    ),
    "a note void there": Mended(
        "credit-note-voided-in-xero", credit("a note voided"), SYNC, moved.credits("40.00", status="void")
    ),
    "a note void in Caspen": Mended(
        "credit-note-gone-in-caspen", moved.credits("40.00", status="void"), (f"push {NOTED}",)
    ),
    "a note's figures": Mended(
        "credit-note-figures",
        credit("a note's cent of tax"),
        RECONCILE,
        moved.lines(NOTE, (1, "40.00", "4.00"), kind="CreditNotes"),
    ),
    "a note's line": Mended(
        "credit-note-line",
        credit("a note's tax rate of the same percentage"),
        RECONCILE,
        moved.rates(NOTE, 1, "OUTPUT", kind="CreditNotes"),
    ),
    "a note's contact": Mended(
        "credit-note-contact",
        credit("a note's contact"),
        RECONCILE,
        lambda clinic: moved.sets(NOTE, "CreditNotes", ContactID=moved.nells(clinic))(clinic),
    ),
    **{
        f"a note's {name}": Mended(f"credit-note-{name}", acts[0], RECONCILE, acts[1])
        for name, acts in {
            "number": is_another_note(CreditNoteNumber="CRN-0011"),
            "date": is_another_note(Date="2026-11-04"),
            "currency": is_another_note(CurrencyCode="NZD"),
            "status": is_another_note(Status="DRAFT"),
        }.items()
    },
    "nobody's": Mended(
        "unknown-in-caspen",
        document("added to a client of ours"),
        RECONCILE,
        moved.edits("X-1", Status="VOIDED"),
    ),
    "nobody's note": Mended(
        "credit-note-unknown-in-caspen",
        credit("a note doubled"),
        RECONCILE,
        moved.sets("CRN-0099", "CreditNotes", Status="VOIDED"),
    ),
}
NOT_DONE = {"paid", "credited", "credit-note-unknown-in-caspen", "unreadable-in-xero"}
"""What Xero alone can have made wrong: there is nothing to paste."""


def test_each_kind_of_find_is_mended_here() -> None:
    assert {one.code for one in MENDED.values()} | NOT_DONE == set(FINDS)


@pytest.mark.parametrize("what", MENDED.values(), ids=MENDED)
def test_what_is_said_to_mend_it_mends_it(books: Clinic, what: Mended) -> None:
    what.act(books)
    proved = proves(books)
    assert proved.exit_code == DIFFERS
    (fix, *_) = [row["fix"] for row in proved.finds if row["code"] == what.code]
    what.first(books)
    for some in what.pastes:
        (command, *_) = [each for each in commands_in(fix) if some in each]
        if some == "reconcile":
            break
        pasted = books.run(command)
        assert pasted.exit_code in (EQUAL, DIFFERS), (command, pasted.stderr)
    after = proves(books)
    assert (after.exit_code, after.finds) == (EQUAL, []), (fix, after.finds, books.unsynced())
    left = [row["code"] for row in books.unsynced()]
    assert left == (["xero-refused"] if what.code == "credit-note-missing-in-xero" else [])  # it can't be voided there


@pytest.mark.parametrize("code", FINDS)
def test_no_push_is_said_to_write_over_what_it_never_writes_over(code: str) -> None:
    fix = find_fix(code, INV, f"inv_{INV}", None)
    is_written_over = FINDS[code][1] in ("document", "details") and any(
        "--overwrite" in one for one in commands_in(fix)
    )
    assert is_written_over == any("--overwrite" in one for one in commands_in(fix))
    assert commands_in(fix)[-1] == f"caspen-xero invoices accept {INV}"
    assert len(commands_in(fix)) > 1
    assert "accept" not in find_fix(code, None, None, None)


def test_each_way_out_of_a_find_in_xero_alone_names_no_invoice(books: Clinic) -> None:
    document("added to a client of ours")(books)
    (row,) = proves(books).finds
    assert commands_in(row["fix"]) == ["caspen-xero reconcile", "caspen-xero import PATH", "caspen-xero sync"]
    assert Decimal(row["amount"]) == Decimal("55.00")
