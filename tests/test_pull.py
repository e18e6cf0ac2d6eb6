"""`pull`: what is paid in Xero reaches Caspen, each payment exactly once, and nothing that we sent comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, killed_at, told, told_once
from clinics import client, invoice
from pulling import NUMBERS, credit_note, payment, pull
from pushing import Clinic

# --- what arrives


def test_every_kind_of_payment_arrives_once_and_as_it_is(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="Cash at desk")
    bookkeeper.pays("INV-0001", "170.00", reconciled=True)
    bookkeeper.pays_together({"INV-0002": "20.00", "INV-0003": "30.00"}, reconciled=True)
    over = bookkeeper.receives_overpayment("INV-0002", "40.00")
    bookkeeper.allocates("overpayment", over, "INV-0002", "15.00")
    bookkeeper.allocates("overpayment", over, "INV-0003", "5.00")
    before = bookkeeper.receives_prepayment("INV-0004", "33.00")
    bookkeeper.allocates("prepayment", before, "INV-0004", "33.00")
    note = bookkeeper.issues_credit_note("INV-0004", "11.00")
    bookkeeper.allocates("credit_note", note, "INV-0004", "11.00")

    assert pull(synced)["payments"] == 8
    assert told_once(told(synced)) == bookkeeper.made
    listed = synced.listed()
    figures = {
        n: [listed[n][k] for k in ("caspen_status", "amount_paid", "amount_credited", "amount_due")] for n in NUMBERS
    }
    assert figures == {
        "INV-0001": ["paid", "220.00", "0.00", "0.00"],
        "INV-0002": ["open", "20.00", "15.00", "185.00"],
        "INV-0003": ["open", "30.00", "5.00", "185.00"],
        "INV-0004": ["open", "0.00", "44.00", "176.00"],
    }
    assert pull(synced)["payments"] == 0
    assert told_once(told(synced)) == bookkeeper.made


def test_money_that_caspen_has_too_waits_for_a_person_and_then_arrives(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    at_the_desk = bookkeeper.pays("INV-0001", "50.00", reference="Cash at desk")
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-20", updated_at="2026-11-20T01:00:00Z"))
    assert pull(synced)["payments"] == 0
    synced.push()
    assert synced.problem()["code"] == "payment-maybe-already-in-xero"
    assert synced.push("--pay-anyway", "INV-0001").json["payments"] == 1
    assert pull(synced)["payments"] == 1
    assert list(told_once(told(synced))) == [at_the_desk]


def test_of_two_equal_payments_one_arrives_and_the_other_waits_until_a_person_has_decided(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    for _ in range(2):
        bookkeeper.pays("INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-20", updated_at="2026-11-20T01:00:00Z"))
    pulled = pull(synced)
    assert (pulled["payments"], [held["code"] for held in pulled["held"]]) == (1, ["payment-maybe-already-in-xero"])
    for _ in range(2):  # the cursor passes by them
        synced.control("clock", seconds=60)
        bookkeeper.pays("INV-0004", "1.00")
        assert pull(synced)["payments"] == 1
    synced.push()
    the_same, _ = synced.answers()
    assert synced.run(the_same).exit_code == 0
    synced.push()
    assert pull(synced)["payments"] == 0  # one of the two was told by then
    del bookkeeper.made[the_same.split()[-1]]
    assert told_once(told(synced)) == bookkeeper.made
    assert pull(synced)["api_calls"] == 1
    assert synced.cli("drift", "--json").json["drift"] == []


def test_a_record_has_the_shape_that_caspen_expects(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    payment_id = bookkeeper.pays("INV-0001", "50.5", reference="Cash at desk")
    pull(synced)
    assert told(synced) == [
        {
            "object": "xero_payment",
            "id": payment_id,
            "invoice_id": "inv_INV-0001",
            "invoice_number": "INV-0001",
            "date": "2026-11-20",
            "amount": "50.50",
            "kind": "payment",
            "reconciled": False,
            "reference": "Cash at desk",
            "invoice_status": "open",
            "amount_due": "169.50",
        }
    ]


def test_pull_tells_scripts_its_numbers_in_the_documented_shape(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "220.00")
    synced.forget_calls()
    told_json = pull(synced)
    assert told_json == {
        "command": "pull",
        "payments": 1,
        "invoices_updated": 1,
        "api_calls": len(synced.calls()),
        "seconds": told_json["seconds"],
        "delivered": 1,
        "delivered_to": str(synced.home.parent / "caspen-updates.jsonl"),
        "new": [{**told(synced)[0], "outcome": "delivered"}],
    }
    assert synced.cli("status", "--json").json["last_pull"]["payments"] == 1


def test_people_see_invoice_client_date_amount_kind_new_status_and_reference(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "220.00", reconciled=True, reference="Statement 12")
    bookkeeper.pays("INV-0002", "20.00")
    shown = synced.cli("pull").stdout
    assert [" ".join(line.split()) for line in shown.splitlines() if "INV-" in line] == [
        "INV-0001 Nell Okafor 2026-11-20 220.00 payment paid reconciled Statement 12",
        "INV-0002 Nell Okafor 2026-11-20 20.00 payment open, 200.00 due not reconciled",
    ]


def test_a_dry_run_shows_and_changes_nothing(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "220.00")
    for _ in range(2):
        planned = pull(synced, "--dry-run")
        assert (planned["payments"], planned["invoices_updated"]) == (1, 1)
        assert [record["amount"] for record in planned["found"]] == ["220.00"]
    assert told(synced) == []
    assert synced.listed()["INV-0001"]["caspen_status"] == "open"
    assert pull(synced)["payments"] == 1


def test_an_invoice_that_is_not_ours_is_none_of_caspens_business(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    contact = synced.state("Contacts")[0]["ContactID"]
    foreign = synced.put_in_xero(
        "Invoices",
        Type="ACCREC",
        Contact={"ContactID": contact},
        InvoiceNumber="OTHER-1",
        Status="AUTHORISED",
        Date="2026-11-02",
        DueDate="2026-11-02",
        LineItems=[{"Description": "Rent", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200", "TaxType": "OUTPUT"}],
    )
    assert foreign["InvoiceID"]
    bookkeeper.pays("OTHER-1", "55.00")
    assert pull(synced)["payments"] == 0
    assert told(synced) == []


# --- what is ours


def test_nothing_that_we_pushed_comes_back(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    synced.takes(payment(1, "INV-0001", "220.00"), payment(2, "INV-0002", "20.00"), credit_note(1, "INV-0002"))
    assert synced.push().exit_code == 0
    synced.forget_calls()
    assert pull(synced)["payments"] == 0
    assert synced.calls() == ["GET Invoices"]
    assert told(synced) == []
    assert synced.listed()["INV-0002"]["amount_due"] == "156.00"


def push_whose_answer_is_lost(clinic: Clinic, call: int) -> None:
    """A push that ends when Xero has done its call of that number, before it learns of it."""
    with killed_at(clinic, call, "after", "push") as was_killed:
        assert was_killed()
    (left,) = clinic.sql("SELECT method FROM journal WHERE state = 'sent'")
    assert left["method"] == "PUT"


@pytest.mark.parametrize("pulls", [1, 2])
def test_a_payment_and_a_credit_whose_answers_were_lost_are_ours_all_the_same(synced: Clinic, pulls: int) -> None:
    for record, number, figures in (
        (payment(1, "INV-0001", "220.00"), "INV-0001", ["220.00", "0.00", "0.00"]),
        (credit_note(1, "INV-0002"), "INV-0002", ["0.00", "44.00", "176.00"]),
    ):
        synced.takes(record)
        push_whose_answer_is_lost(
            synced, 2
        )  # after a look at the invoice; after the credit note, before its allocation
        for _ in range(pulls):
            assert pull(synced)["payments"] == 0
        assert synced.push().exit_code == 0
        listed = synced.listed()[number]
        assert [listed[name] for name in ("amount_paid", "amount_credited", "amount_due")] == figures
    assert pull(synced)["payments"] == 0
    assert told(synced) == []
    assert len(synced.state("Payments")) == 1
    assert synced.cli("drift", "--json").json == {"drift": [], "information": []}


def test_what_was_taken_back_with_its_answer_lost_is_taken_off_once(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0001", "100.00"), credit_note(1, "INV-0002"))
    synced.push()
    pull(synced)
    gone = {"status": "void", "updated_at": "2026-11-09T00:00:00Z"}
    for record in (payment(1, "INV-0001", "100.00", **gone), credit_note(1, "INV-0002", **gone)):
        synced.takes(record)
        with killed_at(synced, 2, "after", "push") as was_killed:  # after a look at what is to be taken back
            assert was_killed()
        assert pull(synced)["payments"] == 0
        assert synced.push().exit_code == 0
    assert {row["amount_due"] for row in synced.listed().values()} == {"220.00"}
    assert synced.cli("drift", "--json").json == {"drift": [], "information": []}


def test_a_payment_added_before_the_push_learnt_of_its_invoice_still_arrives(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0009"))
    ready.push()
    ready.takes(invoice("INV-0001"))
    push_whose_answer_is_lost(ready, 1)
    bookkeeper = Bookkeeper(ready.sandbox.url)
    bookkeeper.pays("INV-0001", "10.00")
    bookkeeper.pays("INV-0009", "11.00")
    ready.control("clock", seconds=60)
    bookkeeper.pays("INV-0009", "12.00")
    assert pull(ready)["payments"] == 2  # the cursor has passed INV-0001, of which nobody knows here
    assert ready.push().exit_code == 0
    assert pull(ready)["payments"] == 1
    assert told_once(told(ready)) == bookkeeper.made


def test_where_the_bank_feed_brings_the_payments_the_same_money_does_not_come_twice(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    synced.cli("settings", "set", "--payments", "off")
    synced.takes(payment(1, "INV-0001", "100.00"))
    assert synced.push().exit_code == 0
    bookkeeper.pays("INV-0001", "100.00", reconciled=True)
    bookkeeper.made.clear()
    bookkeeper.pays("INV-0001", "100.00", reconciled=True)
    assert pull(synced)["payments"] == 1  # Caspen knows of one of the two
    bookkeeper.pays("INV-0001", "7.00", reconciled=True)
    assert pull(synced)["payments"] == 1


def test_what_is_allocated_again_is_another_allocation(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    over = bookkeeper.receives_overpayment("INV-0002", "40.00")
    first = bookkeeper.allocates("overpayment", over, "INV-0002", "15.00")
    pull(synced)
    bookkeeper.takes_back("overpayment", over, first)
    second = bookkeeper.allocates("overpayment", over, "INV-0002", "15.00")
    (question,) = pull(synced)["held"]  # Caspen may have taken in the first one
    assert (question["id"], [record["id"] for record in told(synced)]) == (second, [first])
    assert synced.run(question["fix"], -1).exit_code == 3
    pull(synced)
    assert [record["id"] for record in told(synced)] == [first, second]
    (row,) = synced.cli("drift", "--json").json["drift"]
    assert row["code"] == "payment-gone-in-xero"


# --- incremental and complete


def test_one_call_when_nothing_is_new_and_payments_are_read_only_for_new_ids(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    over = bookkeeper.receives_overpayment("INV-0002", "40.00")
    bookkeeper.allocates("overpayment", over, "INV-0002", "15.00")
    bookkeeper.pays("INV-0001", "5.00")
    pull(synced)
    synced.forget_calls()
    assert pull(synced)["api_calls"] == 1
    assert synced.calls() == ["GET Invoices"]
    (request,) = synced.requests()
    assert "if-modified-since" in request["headers"]
    bookkeeper.pays("INV-0003", "5.00")
    synced.forget_calls()
    pull(synced)
    assert synced.calls() == ["GET Invoices", "GET Payments"]


def test_without_anything_pushed_xero_is_not_asked(ready: Clinic) -> None:
    assert pull(ready)["api_calls"] == 0
    assert ready.calls() == []


def paid_in_xero(clinic: Clinic, count: int, *, together: bool) -> dict[str, str]:
    """As many invoices, in Xero, with 1.01, 1.02, ... paid on them: in one deposit or one by one. The amounts by PaymentID."""
    numbers = [f"INV-{n:04d}" for n in range(1, count + 1)]
    amounts = [f"{1 + Decimal(n) / 100:.2f}" for n in range(1, count + 1)]
    clinic.takes(client("1048237"), *(invoice(number) for number in numbers))
    assert clinic.push().json["synced"] == count
    there = clinic.in_xero()
    if together:
        paid = [
            {"Invoice": {"InvoiceID": there[number]["InvoiceID"]}, "Amount": amount}
            for number, amount in zip(numbers, amounts, strict=True)
        ]
        deposit = {"Account": {"Code": "090"}, "Date": "2026-11-20", "Reference": "HICAPS", "Payments": paid}
        (batch,) = in_xero.writes(clinic, "PUT", "BatchPayments", {"BatchPayments": [deposit]})["BatchPayments"]
        ids = [str(each["PaymentID"]) for each in batch["Payments"]]
    else:
        ids = [in_xero.pays(clinic, number, amount) for number, amount in zip(numbers, amounts, strict=True)]
    clinic.forget_calls()
    return dict(zip(ids, amounts, strict=True))


@pytest.mark.parametrize("full", [False, True], ids=["since then", "full"])
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "one deposit"])
@pytest.mark.parametrize("count", [29, 40, 120, 121])
def test_any_number_of_new_payments_arrives_whole(ready: Clinic, count: int, together: bool, full: bool) -> None:
    amounts = paid_in_xero(ready, count, together=together)
    assert pull(ready, *(["--full"] if full else []))["payments"] == count
    records = told(ready)
    assert told_once(records).keys() == amounts.keys()
    assert {record["id"]: record["amount"] for record in records} == amounts
    assert {(record["kind"], record["reconciled"], record["date"], record["reference"]) for record in records} == {
        # Read from the payments: the invoices don't say it.
        ("batch_payment", False, "2026-11-20", "HICAPS") if together else ("payment", False, "2026-11-03", "Bank feed")
    }
    assert {each["status"] for each in ready.requests()} == {200}
    assert pull(ready)["payments"] == 0


@pytest.mark.parametrize(("count", "reads"), [(28, 1), (29, 2), (84, 3), (85, 1)])
def test_few_new_payments_are_read_by_their_ids_and_many_from_what_has_changed(
    ready: Clinic, count: int, reads: int
) -> None:
    paid_in_xero(ready, count, together=True)
    assert pull(ready)["payments"] == count
    assert ready.calls() == ["GET Invoices"] + ["GET Payments"] * reads


def test_a_full_pull_looks_at_everything_and_comes_by_itself_after_a_week(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "5.00")
    pull(synced)

    def asked_for_changes_only() -> bool:
        synced.forget_calls()
        pull(synced)
        return "if-modified-since" in synced.requests()[0]["headers"]

    assert asked_for_changes_only()
    synced.forget_calls()
    assert pull(synced, "--full")["payments"] == 0
    assert "if-modified-since" not in synced.requests()[0]["headers"]
    assert asked_for_changes_only()
    synced.sql("UPDATE settings SET value = '2026-01-01T00:00:00.000000Z' WHERE key = 'pull_full_at'")
    assert not asked_for_changes_only()
    assert asked_for_changes_only()


def test_pages_that_change_while_they_are_read_skip_nothing(
    synced: Clinic, bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caspen_xero.xero.client import XeroClient

    pages = XeroClient.pages
    paid = iter(NUMBERS)

    def by_twos(self: Any, path: str, **more: Any) -> Any:
        for page in pages(self, path, **more, page_size=2):
            yield page
            number = next(paid, None)
            if number:  # an invoice of a page that was read already moves to the end
                bookkeeper.pays(number, "3.00")

    monkeypatch.setattr(XeroClient, "pages", by_twos)
    pull(synced)
    pull(synced)
    assert told_once(told(synced)) == bookkeeper.made
    assert len(bookkeeper.made) == 4


def test_more_than_a_page_of_one_second_that_changes_while_it_is_read_skips_nothing(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caspen_xero.xero.client import XeroClient

    numbers = [f"INV-{n:04d}" for n in range(1, 21)]
    ready.takes(client("1048237"), *(invoice(number) for number in numbers))
    ready.push()
    bookkeeper = Bookkeeper(ready.sandbox.url)
    pull(ready)
    ready.control("clock", seconds=60)
    bookkeeper.pays_together(dict.fromkeys(numbers, "1.00"))
    pages = XeroClient.pages
    changes = iter([False, True])

    def by_fives(self: Any, path: str, **more: Any) -> Any:
        for page in pages(self, path, **more, page_size=5):
            yield page
            if path == "Invoices" and next(changes, False):  # it moves to the end, and others over the page's border
                ready.control("clock", seconds=30)
                bookkeeper.pays(page[0]["InvoiceNumber"], "3.00")

    monkeypatch.setattr(XeroClient, "pages", by_fives)
    pull(ready)
    assert told_once(told(ready)) == bookkeeper.made


@pytest.mark.parametrize("number", [1, 29, 40, 120])
def test_a_deposit_over_so_many_invoices_comes_in_one_pull(ready: Clinic, number: int) -> None:
    """Asked for by their ids, 29 payments and more were a query string that Xero's gateway refuses."""
    numbers = [f"INV-{nth:04d}" for nth in range(number)]
    ready.takes(client("1048237"), *(invoice(each) for each in numbers))
    assert ready.push().json["synced"] == number
    bookkeeper = Bookkeeper(ready.sandbox.url)
    bookkeeper.pays_together(dict.fromkeys(numbers, "10.00"))
    ready.forget_calls()
    pulled = pull(ready)
    assert pulled["payments"] == number
    assert pulled["api_calls"] <= 4
    assert {each["status"] for each in ready.requests()} == {200}
    assert {one["id"] for one in told(ready)} == set(bookkeeper.made)
    assert pull(ready)["payments"] == 0
