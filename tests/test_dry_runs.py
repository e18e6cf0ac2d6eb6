"""A dry run shows what would happen, and changes only records read from the source and Xero's cached lists."""

from __future__ import annotations

from typing import Any

import in_xero
import pytest
from bookkeeping import told
from clinics import EFTPOS, client, credit_note, invoice, owner_of, payment
from pushing import Clinic

CACHED = {"xero_lists", "xero_contacts"}  # Xero's lists as last read, and how far contacts were read


def kept(clinic: Clinic) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a dry run without a source may not change: each other table of the store, row by row."""
    tables = [row["name"] for row in clinic.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {
        table: sorted(map(tuple, clinic.sql(f'SELECT * FROM "{table}"')), key=repr)
        for table in tables
        if table not in CACHED
    }
    rows["settings"] = [row for row in rows["settings"] if row[1] != "contacts_cursor"]
    return rows


@pytest.fixture
def busy(ready: Clinic) -> Clinic:
    """A clinic in full use, with something of every kind to do: changed, void, paid, edited and archived in Xero."""
    ready.takes(
        EFTPOS,
        client("1048237", email="nell@example.org"),
        client("1048238", "Sam", "Reid", email="sam@example.org"),
        *(invoice(f"INV-{n:04d}") for n in range(1, 7)),
        invoice("INV-0007", client_id="1048238"),
        payment("65.00", ("inv_INV-0001", "65.00")),
        credit_note(invoice_id="inv_INV-0002"),
    )
    assert ready.push().exit_code == 0
    (sam,) = [each for each in ready.state("Contacts") if owner_of(each) == "1048238"]
    in_xero.writes(
        ready, "POST", f"Contacts/{sam['ContactID']}", {"ContactID": sam["ContactID"], "ContactStatus": "ARCHIVED"}
    )
    in_xero.pays(ready, "INV-0004", "40.00")
    in_xero.edits(ready, "INV-0005", Reference="looked at")
    ready.takes(
        client("1048237", email="new@example.org"),
        client("1048238", "Sam", "Reid", email="changed@example.org"),
        payment("65.00", ("inv_INV-0001", "65.00"), status="void"),
        credit_note(invoice_id="inv_INV-0002", status="void"),
        invoice("INV-0003", status="void"),
        payment("40.00", ("inv_INV-0004", "40.00"), id_="pay_4"),
        payment("50.00", ("inv_INV-0006", "50.00"), id_="pay_6", xero_id="nonsense"),
        invoice("INV-0005", reference="ours"),
        invoice("INV-0008"),
    )
    return ready


@pytest.mark.parametrize(
    "command",
    [
        ("push", "--dry-run"),
        ("push", "--dry-run", "--refresh"),
        ("push", "--dry-run", "INV-0005", "INV-0004"),
        ("push", "--dry-run", "--overwrite", "INV-0005", "--pay-anyway", "INV-0004"),
        ("pull", "--dry-run"),
        ("pull", "--dry-run", "--full"),
    ],
)
def test_a_dry_run_keeps_nothing_and_writes_nothing(busy: Clinic, command: tuple[str, ...]) -> None:
    before = kept(busy)
    busy.forget_calls()
    assert busy.cli(*command).exit_code in (0, 3)  # 3: some would stay out
    assert busy.writes() == []
    assert kept(busy) == before
    assert told(busy) == []


def test_what_a_dry_run_found_out_the_push_still_says(busy: Clinic) -> None:
    shown = busy.cli("push", "--dry-run")
    left_alone = "changed in Caspen; it is archived in Xero, so the contact in Xero stays as it is."
    assert left_alone in shown.stderr
    assert left_alone in busy.cli("push").stderr
    assert left_alone not in busy.cli("push").stderr


def test_a_push_does_what_the_dry_run_said(busy: Clinic) -> None:
    planned = busy.push("--dry-run").json["plan"]
    told_steps = {step["operation"] for step in planned}
    assert {"update-contact", "delete-payment", "void-invoice", "create-invoice", "void-credit-note"} <= told_steps
    assert busy.push().exit_code == 3
    assert {row["code"] for row in busy.unsynced()} == {
        "payment-maybe-already-in-xero",
        "payment-xero-id-wrong",
        "changed-in-xero",
    }
