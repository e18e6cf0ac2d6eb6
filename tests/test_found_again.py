"""What a look finds after a lost answer is not what we wrote: others' edits of it are told, and kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, credit_note, invoice, line, payment, random_clinic
from pushing import Clinic, finalised
from test_crash import ten_minutes_pass

EDITS: dict[str, dict[str, Any]] = {
    "reference": {"Reference": "Cheque in the post"},
    "due date": {"DueDate": "2026-12-24"},
}


def answer_is_lost(clinic: Clinic, path: str = "/Invoices", method: str = "PUT") -> None:
    """A push whose write is done by Xero, but whose answer never comes; and its key is forgotten before the next push."""
    clinic.control("faults", kind="drop-after", path=path, method=method, count=4)
    assert clinic.push().exit_code == 6
    clinic.all_is_well_in_xero()
    ten_minutes_pass(clinic)


@pytest.fixture
def lost(ready: Clinic, waits: list[float]) -> Clinic:
    """An invoice that was made in Xero, though nobody knows."""
    ready.takes(client("1048237"), invoice())
    answer_is_lost(ready)
    return ready


def shown(clinic: Clinic, what: str) -> str:
    names = {"reference": "Reference", "due date": "DueDate"}
    return str(clinic.in_xero()["INV-0001"].get(names[what]))


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_before_a_lost_answer_was_recovered_is_told_and_not_overwritten(lost: Clinic, what: str) -> None:
    in_xero.edits(lost, "INV-0001", **EDITS[what])
    theirs = shown(lost, what)
    pushed = lost.cli("push")
    assert pushed.exit_code == 0
    assert "INV-0001: somebody has edited it in Xero after it was sent" in pushed.stderr
    assert what in pushed.stderr
    lost.cli("pull")
    told = lost.cli("drift", "--json").json
    assert (told["drift"], [row["code"] for row in told["information"]]) == ([], ["details-edited-in-xero"])
    lost.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert lost.push().exit_code == 0
    assert (shown(lost, what), lost.in_xero()["INV-0001"]["Total"]) == (theirs, Decimal("176.00"))
    (row,) = told["information"]
    assert lost.run(row["fix"].split(": ", 1)[1]).exit_code == 0
    assert shown(lost, what) != theirs


def test_the_warning_stands_in_the_json_too(lost: Clinic) -> None:
    in_xero.edits(lost, "INV-0001", **EDITS["reference"])
    (warning,) = lost.push().json["warnings"]
    assert "reference was nothing, is Cheque in the post" in warning


def test_what_nobody_has_edited_is_found_without_a_word_and_changes_with_caspen(lost: Clinic) -> None:
    pushed = lost.cli("push")
    assert (pushed.exit_code, "edited" in pushed.stderr) == (0, False)
    lost.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert lost.push().exit_code == 0
    assert str(lost.in_xero()["INV-0001"]["Total"]) == "176.0"


@pytest.mark.parametrize("seed", range(2))
def test_no_invoice_that_was_found_as_it_was_sent_reads_as_edited(ready: Clinic, waits: list[float], seed: int) -> None:
    records = random_clinic(seed, invoices=60, clients=20)
    ready.takes(*records)
    ready.control("faults", kind="500-after", path="/Invoices", method="PUT", count=None)
    for _ in range(8):
        pushed = ready.push()
        assert pushed.json["warnings"] == []
    ready.all_is_well_in_xero()
    assert ready.push("--refresh").json["warnings"] == []
    assert ready.in_xero().keys() == finalised(records).keys()
    ready.cli("pull")
    assert ready.cli("drift", "--json").json["drift"] == []


@pytest.mark.parametrize("edit", [{"Date": "2026-11-09"}, {"Reference": "x", "Date": "2026-11-01"}])
def test_an_invoice_of_another_date_is_not_taken_for_ours(lost: Clinic, edit: dict[str, str]) -> None:
    in_xero.edits(lost, "INV-0001", **edit)
    assert lost.push().exit_code == 3
    problem = lost.problem()
    assert problem["code"] == "invoice-number-taken"
    assert edit["Date"] in problem["reason"]
    assert "invoices link" not in problem["fix"]
    there = lost.in_xero()["INV-0001"]["InvoiceID"]  # only a person can say that it is the same all the same
    assert lost.cli("invoices", "link", "--force", "INV-0001", there).exit_code == 0
    assert lost.push().exit_code == 3
    assert [(row["code"], row["sync_status"]) for row in lost.unsynced()] == [("edited-in-xero", "differs")]


def test_a_journal_of_an_earlier_version_that_kept_no_date_still_finds_its_invoice(lost: Clinic) -> None:
    lost.sql("UPDATE journal_documents SET expected = json_remove(expected, '$.issued', '$.currency')")
    assert lost.push().exit_code == 0
    (link,) = lost.sql("SELECT made_by_us FROM links WHERE kind = 'invoice'")
    assert link["made_by_us"] == 1


def test_a_contact_renamed_before_its_lost_answer_was_recovered_stays_renamed(
    ready: Clinic, waits: list[float]
) -> None:
    ready.takes(client("1048237", email="nell@example.org"), invoice())
    answer_is_lost(ready, "/Contacts")
    (contact,) = ready.state("Contacts")
    theirs = {"ContactID": contact["ContactID"], "Name": "Nell Okafor, Ms", "EmailAddress": "her@own.example"}
    in_xero.writes(ready, "POST", f"Contacts/{contact['ContactID']}", theirs)
    pushed = ready.cli("push")
    assert pushed.exit_code == 0
    assert "somebody has edited it in Xero after it was sent" in pushed.stderr
    ready.takes(client("1048237", "Ellen", updated_at="2026-12-01T00:00:00Z"))
    changed = ready.cli("push")
    assert changed.exit_code == 0
    assert "somebody has edited it in Xero too, so the contact in Xero stays as it is" in changed.stderr
    (contact,) = ready.state("Contacts")
    assert (contact["Name"], contact["EmailAddress"]) == (theirs["Name"], theirs["EmailAddress"])


def test_an_edit_of_a_draft_is_no_work_of_ours_when_we_approve_it(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice())
    assert ready.push().exit_code == 0
    in_xero.edits(ready, "INV-0001", **EDITS["reference"])
    ready.cli("settings", "set", "--invoice-status", "authorised")
    assert ready.push("INV-0001").exit_code == 0
    assert ready.in_xero()["INV-0001"]["Status"] == "AUTHORISED"
    ready.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert ready.push().exit_code == 0
    assert (shown(ready, "reference"), ready.in_xero()["INV-0001"]["Total"]) == (
        "Cheque in the post",
        Decimal("176.00"),
    )


# --- found under its number by a store that knows nothing of it


@pytest.fixture
def unknown(ready: Clinic) -> Clinic:
    """An invoice and its credit note in Xero, of which this store knows nothing."""
    ready.takes(client("1048237"), invoice(), credit_note())
    assert ready.push().exit_code == 0
    for table in ("links", "journal_documents", "journal"):
        ready.sql(f"DELETE FROM {table}")
    return ready


def made_by_us(clinic: Clinic) -> dict[str, int]:
    rows = clinic.sql("SELECT kind, made_by_us FROM links WHERE kind IN ('invoice', 'credit_note', 'allocation')")
    return {row["kind"]: row["made_by_us"] for row in rows}


def test_what_is_just_as_we_would_write_it_is_ours_and_changes_with_caspen(unknown: Clinic) -> None:
    assert unknown.push().exit_code == 0
    assert made_by_us(unknown) == {"invoice": 1, "credit_note": 1, "allocation": 1}
    unknown.takes(credit_note() | {"status": "void"})
    assert unknown.push().exit_code == 0
    unknown.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert unknown.push().exit_code == 0
    assert str(unknown.in_xero()["INV-0001"]["Total"]) == "176.0"


def test_what_shows_somebodys_edit_is_linked_and_not_ours(unknown: Clinic) -> None:
    in_xero.edits(unknown, "INV-0001", **EDITS["reference"])
    assert unknown.push().exit_code == 0
    assert made_by_us(unknown) == {"invoice": 0, "credit_note": 1, "allocation": 1}
    unknown.takes(credit_note() | {"status": "void"})
    unknown.push()
    unknown.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert unknown.push().exit_code == 3
    assert unknown.problem()["code"] == "changed-in-xero"
    assert shown(unknown, "reference") == "Cheque in the post"


def test_a_draft_that_shows_the_same_is_its_makers_to_approve(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice())
    assert ready.push().exit_code == 0
    for table in ("links", "journal_documents", "journal"):
        ready.sql(f"DELETE FROM {table}")
    ready.cli("settings", "set", "--invoice-status", "authorised")
    ready.push()
    assert made_by_us(ready) == {"invoice": 0}
    assert ready.in_xero()["INV-0001"]["Status"] == "DRAFT"


@pytest.mark.parametrize("currency", [True, False])
def test_an_invoice_of_another_currency_or_date_is_not_adopted(ready: Clinic, currency: bool) -> None:
    in_xero.writes(ready, "PUT", "Currencies", {"Code": "NZD"})
    ready.takes(client("1048237"), invoice("INV-0000"))
    ready.push()
    contact = ready.in_xero()["INV-0000"]["Contact"]["ContactID"]
    theirs = {
        "Type": "ACCREC",
        "InvoiceNumber": "INV-0001",
        "Contact": {"ContactID": contact},
        "Date": "2026-11-02" if currency else "2026-10-02",
        "DueDate": "2026-11-16",
        "CurrencyCode": "NZD" if currency else "AUD",
        "Status": "AUTHORISED",
        "LineItems": [
            {"Description": "x", "Quantity": 1, "UnitAmount": 150, "AccountCode": "200", "TaxType": "OUTPUT"}
        ],
    }
    in_xero.writes(ready, "PUT", "Invoices", theirs)
    ready.takes(invoice())
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "invoice-number-taken"
    assert ("NZD" if currency else "of 2026-10-02") in problem["reason"]


def test_hand_made_payments_with_our_reference_count_by_ids_and_amount_after_a_lost_answer(
    ready: Clinic, waits: list[float]
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("40.00", ("inv_INV-0001", "40.00")))
    ready.control("faults", kind="drop-before", path="/Payments", method="PUT", count=4)
    assert ready.push().exit_code == 6
    ready.all_is_well_in_xero()
    ten_minutes_pass(ready)
    in_xero.pays(ready, "INV-0001", "40.00", reference="Card machine pay_1/all_1a")
    assert ready.push().exit_code == 0
    assert [str(one["Amount"]) for one in in_xero.payments(ready)] == ["40.0"]
    assert in_xero.silent(ready)
    assert Bookkeeper(ready.sandbox.url).invoices()["INV-0001"].amount_due == 125
