"""A draft in Xero is approved, or for a person to approve, as settings say; where approved ones are wanted it never is done."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from uuid import uuid4

import in_xero
import pytest
from another_home import Home
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pulling import pull
from pushing import Clinic

UNAPPROVED = ("DRAFT", "SUBMITTED")
NUMBER = "INV-0001"


def is_draft(clinic: Clinic) -> bool:
    """Whether the invoice, which stands in Xero once, is a draft there."""
    (there,) = [each for each in clinic.state("Invoices") if each["Status"] != "DELETED"]
    return there["Status"] in UNAPPROVED


def approves(clinic: Clinic) -> None:
    """A person approves the invoice in Xero."""
    (there,) = clinic.state("Invoices")
    in_xero.edits(clinic, there["InvoiceNumber"], Status="AUTHORISED")


def wants(clinic: Clinic, status: str) -> None:
    assert clinic.cli("settings", "set", "--invoice-status", status).exit_code == 0


def holds_are_due(clinic: Clinic) -> None:
    """So much time has passed that what is held is tried again by itself."""
    clinic.sql("UPDATE holds SET release_at = ''")


def is_told_or_done(clinic: Clinic) -> None:
    """What is shown of the invoice agrees with what it is in Xero: a draft is a problem with a way out everywhere."""
    listed, counts = clinic.listed()[NUMBER], clinic.cli("status", "--json").json["invoices"]
    if not is_draft(clinic):
        assert (listed["sync_status"], counts["synced"], clinic.unsynced()) == ("synced", 1, [])
        return
    assert (listed["sync_status"], listed["xero_status"] in UNAPPROVED) == ("unsynced", True)
    assert (counts["synced"], counts["unsynced"]) == (0, 1)
    problem = clinic.problem()
    assert problem["code"] == "needs-approval-in-xero"
    assert "draft" in problem["reason"]
    assert f"caspen-xero push {NUMBER}" in problem["fix"]


# --- how a draft comes to be linked


def by_hand(clinic: Clinic, number: str, status: str) -> str:
    """A bookkeeper writes the very invoice; gives its InvoiceID."""
    contact = clinic.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)", ContactNumber="1048237")
    theirs = {"Type": "ACCREC", "InvoiceNumber": number, "Contact": {"ContactID": contact["ContactID"]}}
    theirs |= {"Date": "2026-11-02", "DueDate": "2026-11-16", "Status": status}
    theirs["LineItems"] = [
        {"Description": "x", "Quantity": 1, "UnitAmount": 150, "AccountCode": "200", "TaxType": "OUTPUT"}
    ]
    return str(in_xero.writes(clinic, "PUT", "Invoices", {"Invoices": [theirs]})["Invoices"][0]["InvoiceID"])


def linked(clinic: Clinic, status: str) -> None:
    id_ = by_hand(clinic, NUMBER, status)
    assert clinic.cli("invoices", "link", NUMBER, id_).exit_code == 0


def found_by_number(clinic: Clinic, status: str) -> None:
    by_hand(clinic, NUMBER, status)


def adopted(clinic: Clinic, status: str) -> None:
    by_hand(clinic, NUMBER, status)
    assert clinic.cli("adopt").exit_code == 0


def taken_for_done(clinic: Clinic, status: str) -> None:
    """As an earlier version has left it."""
    linked(clinic, status)
    clinic.sql(
        "UPDATE links SET done_up_to = (SELECT touched FROM invoices WHERE id = caspen_id) WHERE kind = 'invoice'"
    )


THEIRS: dict[str, Callable[[Clinic, str], None]] = {
    "linked": linked,
    "found by its number": found_by_number,
    "adopted": adopted,
    "taken for done": taken_for_done,
}


@pytest.fixture
def unsent(ready: Clinic) -> Clinic:
    """A clinic with one invoice that was not sent."""
    ready.takes(EFTPOS, client("1048237"), invoice())
    return ready


@pytest.mark.parametrize("status", UNAPPROVED)
@pytest.mark.parametrize("way", THEIRS)
def test_a_draft_that_we_did_not_make_is_for_a_person_to_approve(unsent: Clinic, way: str, status: str) -> None:
    THEIRS[way](unsent, status)
    assert unsent.listed()[NUMBER]["sync_status"] != "synced"
    assert unsent.push().exit_code == 3
    assert is_draft(unsent)
    is_told_or_done(unsent)
    assert "did not make" in unsent.problem()["reason"]
    assert in_xero.silent(unsent)


@pytest.mark.parametrize("how", ["push INVOICE", "pull and push", "push when it is time"])
@pytest.mark.parametrize("way", THEIRS)
def test_once_it_is_approved_there_that_is_noticed_and_the_problem_goes(unsent: Clinic, way: str, how: str) -> None:
    THEIRS[way](unsent, "DRAFT")
    unsent.push()
    approves(unsent)
    if how == "pull and push":
        pull(unsent)
        assert "needs-approval-in-xero" not in {row["code"] for row in unsent.unsynced()}
    if how == "push when it is time":
        holds_are_due(unsent)
    assert unsent.push(*([NUMBER] if how == "push INVOICE" else [])).exit_code == 0
    is_told_or_done(unsent)
    assert in_xero.silent(unsent)


@pytest.mark.parametrize("status", UNAPPROVED)
@pytest.mark.parametrize("way", THEIRS)
def test_or_a_person_has_caspens_version_approved(unsent: Clinic, way: str, status: str) -> None:
    THEIRS[way](unsent, status)
    unsent.push()
    printed = f"caspen-xero push --overwrite {NUMBER}"
    assert printed in unsent.problem()["reason"]
    assert unsent.run(printed).exit_code == 0
    (there,) = unsent.state("Invoices")
    assert (there["Status"], there["LineItems"][0]["Description"]) == ("AUTHORISED", "Initial consultation")
    assert unsent.push().exit_code == 0
    assert unsent.unsynced() == []


@pytest.mark.parametrize("way", THEIRS)
def test_where_drafts_are_wanted_it_is_done_and_once_they_are_not_it_no_longer_is(unsent: Clinic, way: str) -> None:
    wants(unsent, "draft")
    THEIRS[way](unsent, "DRAFT")
    assert unsent.push().exit_code == 0
    assert (unsent.listed()[NUMBER]["sync_status"], unsent.unsynced()) == ("synced", [])
    wants(unsent, "authorised")
    assert unsent.listed()[NUMBER]["sync_status"] == "pending"
    assert "it is a draft in Xero" in unsent.problem()["reason"]
    unsent.push()
    is_told_or_done(unsent)


def test_payments_and_credit_notes_of_a_draft_that_waits_for_a_person_wait_too(unsent: Clinic) -> None:
    linked(unsent, "DRAFT")
    unsent.takes(payment("20.00", ("inv_INV-0001", "20.00")), credit_note())
    assert unsent.push().exit_code == 3
    assert unsent.problem()["code"] == "needs-approval-in-xero"
    assert (in_xero.payments(unsent), in_xero.credit_notes(unsent)) == ([], {})
    approves(unsent)
    assert unsent.push(NUMBER).exit_code == 0
    assert (len(in_xero.payments(unsent)), len(in_xero.credit_notes(unsent))) == (1, 1)


# --- drafts of our own


def test_what_was_pushed_as_a_draft_is_approved_once_approved_ones_are_wanted(unsent: Clinic) -> None:
    wants(unsent, "draft")
    assert unsent.push().exit_code == 0
    assert (unsent.listed()[NUMBER]["sync_status"], is_draft(unsent)) == ("synced", True)
    wants(unsent, "authorised")
    assert unsent.listed()[NUMBER]["sync_status"] == "pending"
    assert unsent.run(unsent.problem()["fix"]).exit_code == 0
    assert not is_draft(unsent)
    is_told_or_done(unsent)
    assert in_xero.silent(unsent)


def test_a_draft_left_over_by_a_crash_before_its_approval_is_approved_by_the_next_push(
    ready: Clinic, waits: list[float]
) -> None:
    ready.takes(client("1048237"), invoice(lines=[line("0.25"), line("0.25")]))  # goes as a draft first
    ready.control("faults", kind="drop-before", path="/Invoices", method="POST", count=9)
    assert ready.push().exit_code == 6
    assert is_draft(ready)
    assert ready.listed()[NUMBER]["sync_status"] != "synced"
    ready.all_is_well_in_xero()
    ready.control("clock", seconds=600)
    assert ready.push().exit_code == 0
    assert not is_draft(ready)
    is_told_or_done(ready)


def test_what_whoever_connected_may_not_approve_is_told_until_somebody_has(unsent: Clinic) -> None:
    unsent.control("organisation", Approver=False)
    assert unsent.push().exit_code == 3
    is_told_or_done(unsent)
    approves_as = {"Approver": True}
    unsent.control("organisation", **approves_as)
    approves(unsent)
    pull(unsent)
    assert unsent.push().exit_code == 0
    is_told_or_done(unsent)


@pytest.mark.parametrize("ours", [True, False])
def test_in_a_new_store_a_draft_of_the_old_one_is_approved_or_told(unsent: Clinic, anew: Home, ours: bool) -> None:
    wants(unsent, "draft")
    unsent.push()
    store = anew(unsent)
    if ours:  # found as a draft, as it would be written
        wants(store, "draft")
    store.takes(EFTPOS, client("1048237"), invoice())
    assert store.cli("adopt").exit_code in {0, 3}
    wants(store, "authorised")
    store.push()
    assert is_draft(store) is not ours
    is_told_or_done(store)


# --- whatever happens


DEEDS: dict[str, Callable[[Clinic], object]] = {
    "push": lambda clinic: clinic.push(),
    "push it": lambda clinic: clinic.push(NUMBER),
    "overwrite": lambda clinic: clinic.push("--overwrite", NUMBER),
    "pull": lambda clinic: clinic.cli("pull"),
    "adopt": lambda clinic: clinic.cli("adopt"),
    "time passes": holds_are_due,
    "drafts are wanted": lambda clinic: wants(clinic, "draft"),
    "approved ones are wanted": lambda clinic: wants(clinic, "authorised"),
    "may not approve": lambda clinic: clinic.control("organisation", Approver=False),
    "may approve": lambda clinic: clinic.control("organisation", Approver=True),
    "approved there": lambda clinic: approves(clinic) if clinic.in_xero() and is_draft(clinic) else None,
    "changed in Caspen": lambda clinic: clinic.takes(invoice(reference="R", updated_at="2026-12-01T00:00:00Z")),
    "paid in Caspen": lambda clinic: clinic.takes(payment("20.00", ("inv_INV-0001", "20.00"))),
}


@pytest.mark.parametrize("seed", range(16))
def test_no_draft_is_ever_counted_as_synced_while_approved_ones_are_wanted(unsent: Clinic, seed: int) -> None:
    chance = Random(seed)
    way = chance.choice([*THEIRS, None])
    if way is not None:
        THEIRS[way](unsent, chance.choice(UNAPPROVED))
    done: list[object] = [way]
    approved = True
    for _ in range(10):
        deed = chance.choice(list(DEEDS))
        DEEDS[deed](unsent)
        done.append(deed)
        listed = unsent.listed()[NUMBER]
        approved = {"drafts are wanted": False, "approved ones are wanted": True}.get(deed, approved)
        if approved and listed["xero_status"] in UNAPPROVED:
            assert listed["sync_status"] in {"pending", "unsynced"}, done
            assert unsent.problem()["fix"], done
    wants(unsent, "authorised")
    unsent.control("organisation", Approver=True)
    unsent.push(NUMBER)
    assert not is_draft(unsent) or unsent.listed()[NUMBER]["sync_status"] == "unsynced", done
    if "needs-approval-in-xero" in {row["code"] for row in unsent.unsynced()}:
        approves(unsent)
        unsent.push(NUMBER)
    assert "needs-approval-in-xero" not in {row["code"] for row in unsent.unsynced()}, done


def test_where_the_plan_has_no_approvals_left_drafts_that_were_redated_in_xero_are_not_tried_one_by_one(
    ready: Clinic,
) -> None:
    wants(ready, "draft")
    numbers = [f"INV-{nth:04d}" for nth in range(1, 5)]
    ready.takes(client("1048237"), EFTPOS, *(invoice(number) for number in numbers))
    assert ready.push().exit_code == 0
    for number in numbers:
        in_xero.edits(ready, number, Date="2026-09-02")
    wants(ready, "authorised")
    ready.control("organisation", ApprovalLimit=0)
    claims = [
        payment("20.00", (f"inv_{number}", "20.00"), id_=f"pay_{number}", xero_id=str(uuid4())) for number in numbers
    ]
    ready.takes(*claims)  # so that each is looked at
    ready.forget_calls()
    assert ready.push().exit_code == 3
    assert ready.writes() == ["POST Invoices"]
    assert in_xero.silent(ready)
