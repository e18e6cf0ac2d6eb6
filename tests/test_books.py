"""One state for every invoice, from both sides as last seen: every command says the same of it, and it is so."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, invoice, line
from clinics import payment as a_payment
from one_truth import ends, states
from pulling import credit_note, payment, pull
from pushing import Clinic
from xero_python.accounting import Contact

from caspen_xero.commands import each_command


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """Three invoices of 220.00 in Xero, the first with a payment of 100.00 of ours, the third with a credit note of 44.00."""
    ready.takes(client("1048237"), EFTPOS, *(invoice(f"INV-000{n}", [line("200.00")]) for n in (1, 2, 3)))
    ready.takes(payment(1, "INV-0001", "100.00"), credit_note(1, "INV-0003"))
    assert ends(ready, "push") == 0
    assert ends(ready, "pull") == 0
    assert set(states(ready).values()) == {"synced"}
    return ready


def edits(clinic: Clinic, **fields: Any) -> None:
    Bookkeeper(clinic.sandbox.url).changes("INV-0002", **fields)


def deletes_our_payment(clinic: Clinic) -> None:
    (found,) = clinic.state("Payments")
    Bookkeeper(clinic.sandbox.url).deletes(str(found["PaymentID"]))


def takes_the_credit_off(clinic: Clinic) -> None:
    (note,) = clinic.state("CreditNotes")
    (allocation,) = note["Allocations"]
    in_xero.writes(clinic, "DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{allocation['AllocationID']}")


def moves_to_another_contact(clinic: Clinic) -> None:
    other = clinic.put_in_xero("Contacts", Name="Somebody Else")
    in_xero.edits(clinic, "INV-0002", Contact={"ContactID": other["ContactID"]})


def cut_to_half(clinic: Clinic) -> None:
    (one,) = clinic.in_xero()["INV-0002"]["LineItems"]
    in_xero.edits(clinic, "INV-0002", LineItems=[{"LineItemID": one["LineItemID"], "UnitAmount": "100.00"}])


CHANGES: list[tuple[Any, str, str, list[str]]] = [
    (lambda c: edits(c, status="VOIDED"), "INV-0002", "voided-in-xero", ["open", "voided"]),
    (cut_to_half, "INV-0002", "edited-in-xero", ["220.00", "110.00"]),
    (lambda c: edits(c, date=date(2026, 11, 1)), "INV-0002", "edited-in-xero", ["2026-11-02", "2026-11-01"]),
    (lambda c: in_xero.edits(c, "INV-0002", InvoiceNumber="X-77"), "INV-0002", "edited-in-xero", ["INV-0002", "X-77"]),
    (moves_to_another_contact, "INV-0002", "edited-in-xero", ["Caspen 48237", "Somebody Else"]),
    (deletes_our_payment, "INV-0001", "payment-removed-in-xero", ["100.00", "gone"]),
    (takes_the_credit_off, "INV-0003", "credit-gone-in-xero", ["44.00", "not allocated"]),
]


@pytest.mark.parametrize(("change", "number", "code", "figures"), CHANGES)
def test_what_is_changed_in_xero_differs_everywhere_until_it_is_accepted(
    synced: Clinic, change: Any, number: str, code: str, figures: list[str]
) -> None:
    change(synced)
    assert ends(synced, "pull") == 3
    assert {id_: state for id_, state in states(synced).items() if state != "synced"} == {f"inv_{number}": "differs"}
    row = synced.problem(number)
    assert row["code"] == code
    assert [figure for figure in figures if figure not in row["reason"]] == []
    assert ends(synced, "push") == 3
    assert states(synced)[f"inv_{number}"] == "differs"
    assert synced.problem(number)["code"] == code
    accepting = f"caspen-xero invoices accept {number}"
    found: list[str] = []
    each_command(synced.problem(number)["fix"], lambda one: found.append(one) or one)  # type: ignore[func-returns-value]
    assert accepting in found
    assert synced.run(accepting).exit_code == 0
    assert states(synced)[f"inv_{number}"] == "differs"
    assert synced.unsynced() == []
    assert [ends(synced, command) for command in ("push", "pull")] == [0, 0]
    assert "1 differing as accepted" in " ".join(synced.cli("unsynced").stdout.split())


def test_what_comes_after_an_accepted_difference_is_told(synced: Clinic) -> None:
    edits(synced, date=date(2026, 11, 1))
    pull(synced)
    synced.cli("invoices", "accept", "INV-0002")
    edits(synced, date=date(2026, 10, 30))
    assert ends(synced, "pull") == 3
    assert "2026-10-30" in synced.problem("INV-0002")["reason"]
    edits(synced, date=date(2026, 11, 2))
    assert ends(synced, "pull") == 0
    edits(synced, date=date(2026, 11, 1))  # once more what was accepted, and undone since
    assert ends(synced, "pull") == 3
    states(synced)


def test_of_two_things_that_differ_none_hides_the_other(synced: Clinic) -> None:
    deletes_our_payment(synced)
    (one,) = synced.in_xero()["INV-0001"]["LineItems"]
    in_xero.edits(synced, "INV-0001", LineItems=[{"LineItemID": one["LineItemID"], "UnitAmount": "100.00"}])
    assert ends(synced, "pull") == 3
    rows = {row["code"]: row["reason"] for row in synced.unsynced()}
    assert set(rows) == {"payment-removed-in-xero", "edited-in-xero"}
    assert "total 220.00" in rows["edited-in-xero"]
    assert "total 110.00" in rows["edited-in-xero"]
    states(synced)


def test_who_accepts_that_an_invoice_is_voided_hears_of_what_is_paid_on_it_later(synced: Clinic) -> None:
    edits(synced, status="VOIDED")
    pull(synced)
    assert synced.cli("invoices", "accept", "INV-0002").exit_code == 0
    assert synced.unsynced() == []
    synced.takes(payment(7, "INV-0002", "50.00"))
    assert ends(synced, "push") == 3
    assert "paid or credited 50.00" in synced.problem("INV-0002")["reason"]
    states(synced)


def test_what_is_information_leaves_what_was_accepted_accepted(synced: Clinic) -> None:
    cut_to_half(synced)
    pull(synced)
    assert synced.cli("invoices", "accept", "INV-0002").exit_code == 0
    in_xero.edits(synced, "INV-0002", Reference="their own")
    assert ends(synced, "pull") == 0
    assert [row["code"] for row in synced.cli("drift", "--json").json["information"]] == ["details-edited-in-xero"]


def test_only_a_difference_can_be_accepted(synced: Clinic) -> None:
    nothing = synced.cli("invoices", "accept", "INV-0002", "--json")
    assert (nothing.exit_code, nothing.json["error"]["code"]) == (1, "nothing-to-accept")
    synced.cli("taxes", "unmap", "GST")
    synced.takes(invoice("INV-0004"))
    synced.push()
    refused = synced.cli("invoices", "accept", "INV-0004", "--json")
    assert refused.json["error"]["code"] == "nothing-to-accept"
    assert "caspen-xero invoices skip INV-0004" in refused.json["error"]["fix"]
    assert "tax-rate-not-linked" in refused.json["error"]["message"]
    states(synced)


def test_a_problem_of_one_that_is_in_xero_is_not_accepted_but_mended(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0002", "20.00")
    synced.takes(a_payment("20.00", ("inv_INV-0002", "20.00"), id_="pay_9"))
    synced.push()
    (row,) = synced.unsynced()
    refused = synced.cli("invoices", "accept", "INV-0002", "--json").json["error"]
    assert row["code"] in refused["message"]
    assert "Nothing differs" not in refused["message"]
    assert (refused["fix"], "skip" in row["fix"]) == (row["fix"], False)


@pytest.mark.parametrize(
    "line_fields", [{"AccountCode": "260"}, {"Description": "Anything else"}, {"TaxType": "OUTPUT", "ItemCode": None}]
)
def test_what_a_bookkeeper_may_decide_is_no_difference(synced: Clinic, line_fields: dict[str, Any]) -> None:
    (one,) = synced.in_xero()["INV-0002"]["LineItems"]
    given = {key: value for key, value in line_fields.items() if value is not None}
    in_xero.edits(
        synced,
        "INV-0002",
        LineItems=[{"LineItemID": one["LineItemID"], **given}],
        Reference="R 1",
        DueDate="2026-12-24",
    )
    assert ends(synced, "pull") == 0
    assert set(states(synced).values()) == {"synced"}
    assert synced.cli("drift", "--json").json["information"]


def test_a_contact_that_xero_has_merged_into_another_is_the_same(synced: Clinic) -> None:
    other = synced.put_in_xero("Contacts", Name="Nell Okafor the same")
    ours = next(one for one in synced.state("Contacts") if one["ContactID"] != other["ContactID"])
    synced.control(f"contacts/{ours['ContactID']}/merge", into=other["ContactID"])
    assert ends(synced, "pull") == 0
    pull(synced, "--full")
    assert set(states(synced).values()) == {"synced"}


def test_a_contact_that_is_merged_again_and_again_is_the_same(synced: Clinic) -> None:
    (last,) = [one["ContactID"] for one in synced.state("Contacts")]
    for name in ("Nell O", "N. Okafor", "Okafor, Nell"):
        other = synced.put_in_xero("Contacts", Name=name)["ContactID"]
        synced.control(f"contacts/{last}/merge", into=other)
        last = other
        if name != "N. Okafor":  # two at once are followed too
            assert ends(synced, "pull") == 0
        assert set(states(synced).values()) == {"synced"}
    bob = synced.put_in_xero("Contacts", Name="Bob Smith")["ContactID"]
    edits(synced, contact=Contact(contact_id=bob))
    assert ends(synced, "pull") == 3
    assert states(synced)["inv_INV-0002"] == "differs"


def test_a_payment_told_to_caspen_and_not_yet_in_its_export_is_no_difference(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0002", "220.00")
    assert ends(synced, "pull") == 0
    assert set(states(synced).values()) == {"synced"}
    listed = synced.listed()["INV-0002"]
    assert (listed["caspen_own_status"], listed["caspen_status"], listed["xero_status"]) == ("open", "paid", "PAID")
    shown = next(words for words in synced.cli("invoices", "list").stdout.splitlines() if "INV-0002" in words).split()
    assert ("open" in shown, "paid" in shown, "PAID" in shown) == (True, False, True)


def test_nothing_is_said_without_its_basis(ready: Clinic) -> None:
    assert "no invoice has been imported" in ready.cli("unsynced").stdout
    states(ready)
    numbers = [f"INV-{n:04}" for n in range(1, 7)]
    ready.takes(client("1048237"), *(invoice(n, issue_date="2026-11-02") for n in numbers))
    ready.takes(invoice("INV-0100", issue_date="2026-01-05"), invoice("INV-0101", status="draft"))
    ready.cli("settings", "set", "--start-date", "2026-06-01")
    ready.cli("invoices", "skip", "INV-0001")
    assert states(ready)["inv_INV-0002"] == "pending"
    assert ends(ready, "push") == 0
    said = " ".join(ready.cli("unsynced").stdout.split())
    assert said.startswith("Nothing is unsynced: 5 of 5 finalised invoices are in Xero and equal (as they were sent")
    assert said.endswith("; 1 skipped, 1 before the start date.")
    pull(ready)
    assert "in Xero and equal (as seen " in " ".join(ready.cli("unsynced").stdout.split())
    ready.cli("settings", "set", "--start-date", "2027-01-01")
    ready.takes(invoice("INV-0102", issue_date="2026-11-02"))
    states(ready)


def test_where_the_start_date_leaves_all_out_nothing_is_claimed(ready: Clinic) -> None:
    ready.cli("settings", "set", "--start-date", "2027-01-01")
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002"))
    ends(ready, "push")
    said = " ".join(ready.cli("unsynced").stdout.split())
    assert said == "Nothing is unsynced: no finalised invoice is to be in Xero; 2 before the start date."
    states(ready)


def test_what_was_sent_is_said_to_be_there_after_a_disconnect_too(synced: Clinic) -> None:
    edits(synced, status="VOIDED")
    assert ends(synced, "pull") == 3
    synced.takes(invoice("INV-0004", [line("200.00")]))
    before, told = states(synced), synced.cli("status", "--json").json
    sent, left = len(synced.cli("log", "--json").json["log"]), synced.cli("payments", "list", "--json").json
    assert (before["inv_INV-0002"], sent > 0) == ("differs", True)
    assert synced.cli("disconnect").exit_code == 0
    assert states(synced) == before
    after = synced.cli("status", "--json").json
    assert (after["connected"], after["basis"], after["drift"]) == (False, told["basis"], told["drift"])
    assert {row["number"]: row["fix"] for row in synced.unsynced()}["INV-0004"] == "caspen-xero connect"
    assert len(synced.cli("log", "--json").json["log"]) == sent
    assert synced.cli("payments", "list", "--json").json == left
    assert "2 of 4 finalised invoices are in Xero and equal" in " ".join(synced.cli("unsynced").stdout.split())


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_two_commands_disagree(ready: Clinic, bookkeeper: Bookkeeper, seed: int) -> None:
    """A dozen things happen on both sides, in any order."""
    chance = Random(seed)
    numbers = [f"INV-000{n}" for n in range(1, 6)]
    ready.takes(client("1048237"), EFTPOS, *(invoice(n, [line("200.00")]) for n in numbers))
    ready.push()
    version = 10

    def number() -> str:
        return chance.choice(numbers)

    def caspen_changes(**fields: Any) -> None:
        nonlocal version
        version += 1
        record = invoice(number(), [line(chance.choice(["200.00", "210.00"]))], **fields)
        ready.takes(record | {"updated_at": f"2026-12-{version:02}T00:00:00Z"})

    def xero_changes(**fields: Any) -> None:
        try:
            bookkeeper.changes(number(), **fields)
        except Exception:  # noqa: BLE001 - Xero does not allow it now
            return

    happenings = [
        lambda: caspen_changes(),
        lambda: caspen_changes(status="void"),
        lambda: caspen_changes(status="draft"),
        lambda: xero_changes(status="VOIDED"),
        lambda: xero_changes(date=date(2026, 11, chance.randint(1, 9))),
        lambda: ready.takes(payment(chance.randint(1, 9), number(), "20.00")),
        lambda: ready.cli("invoices", chance.choice(["skip", "unskip", "accept"]), number()),
        lambda: ready.cli("taxes", *chance.choice([["unmap", "GST"], ["map", "GST", "OUTPUT"]])),
        lambda: deletes_one(),
        lambda: ready.cli("settings", "set", "--start-date", chance.choice(["2026-11-03", "2026-01-01"])),
    ]

    def deletes_one() -> None:
        living = [one["PaymentID"] for one in ready.state("Payments") if one["Status"] != "DELETED"]
        if living:
            bookkeeper.deletes(str(chance.choice(living)))

    for _ in range(8):
        chance.choice(happenings)()
        states(ready)
        command = chance.choice(["push", "pull", "sync"])
        if command != "sync":
            ends(ready, command)
        states(ready)


def test_what_a_push_counts_and_what_is_wrong_in_all_are_two_things(ready: Clinic) -> None:
    """A push of one invoice, while another is unsynced: its last line does not contradict its table."""
    ready.takes(client("1048237"), EFTPOS, invoice("INV-0001", tax_mode="exclusive", lines=[line(rate="tax_free")]))
    ready.takes(invoice("INV-0002", [line("100.00")]), credit_note(1, "INV-0002"))
    ready.cli("taxes", "unmap", "GST free")
    done = ready.cli("push")
    table = dict(" ".join(row.split()).rsplit(" ", 1) for row in done.stdout.splitlines() if row[-1:].isdigit())
    assert (table["of these unsynced"], table["allocations"]) == ("1", "1")
    assert done.stderr.splitlines()[-1] == "In all: 1 invoice is unsynced:  caspen-xero unsynced"
    done = ready.cli("push", "INV-0002")
    assert "of these unsynced" not in done.stdout
