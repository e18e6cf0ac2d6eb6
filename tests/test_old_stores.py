"""Stores that earlier versions made, in full use: they are carried over, and pushing goes on without a payment lost or doubled.

`stores/*.sql` are dumps; `@INV-0001@`, `@PAID-INV-0001-65.0@` and so on stand for Xero's ids, which the local Xero of a test gives.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import in_xero
import pytest
from bookkeeping import told
from clinics import EFTPOS, client, invoice, payment
from pushing import Clinic

STORES = Path(__file__).parent / "stores"
IN_XERO = [  # what the earlier version left there: number, amount, reference
    ("INV-0001", "65.00", "EFTPOS 1"),
    ("INV-0003", "30.00", "EFTPOS a"),
    ("INV-0003", "10.00", "EFTPOS x8"),
    ("INV-0004", "20.00", "EFTPOS b"),
    ("INV-0006", "50.00", "Bank feed"),
    ("INV-0007", "25.00", "EFTPOS x6"),
]


@pytest.fixture
def old(ready: Clinic) -> Clinic:
    """A clinic whose store an earlier version made, when an allocation was named by its own id alone.

    Payment pay_1 is in Xero; pay_2, whose allocation is called "1" too, has taken its place in the store. pay_4 says that it came
    from Xero as "nonsense" and was believed; pay_5 did come from there. The answer to pay_6 was lost; pay_7 is more than is due;
    pay_8 was voided since.
    """
    ready.takes(EFTPOS, client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 9)))
    assert ready.push().json["synced"] == 8
    ids = {number: found["InvoiceID"] for number, found in ready.in_xero().items()}
    ids["CONTACT"] = ready.in_xero()["INV-0001"]["Contact"]["ContactID"]
    ids["TENANT"] = ready.tenant_id
    for number, amount, reference in IN_XERO:
        ids[f"PAID-{number}-{amount.removesuffix('0')}"] = in_xero.pays(ready, number, amount, reference=reference)
    dump = re.sub("@([^@]+)@", lambda name: ids[name[1]], (STORES / "allocations_by_their_own_id.sql").read_text())
    with closing(sqlite3.connect(ready.store_file)) as now:
        own = now.execute("SELECT key, value FROM settings WHERE key IN ('entry', 'connection')").fetchall()
    for file in ready.store_file.parent.glob("store.sqlite*"):
        file.unlink()
    with closing(sqlite3.connect(ready.store_file)) as before:
        before.executescript(dump)
        before.executemany("INSERT INTO settings (key, value) VALUES (?, ?)", own)
        before.commit()
    ready.forget_calls()
    return ready


def living(clinic: Clinic) -> list[tuple[str, Decimal, str]]:
    """Number, amount and reference of every payment that lives in Xero."""
    return sorted((p["Invoice"]["InvoiceNumber"], p["Amount"], p["Reference"]) for p in in_xero.payments(clinic))


def test_two_payments_that_had_become_one_are_two_again_and_nothing_sent_is_lost_or_doubled(old: Clinic) -> None:
    assert old.push().exit_code == 3
    assert living(old) == sorted(
        [(n, Decimal(a), r) for n, a, r in IN_XERO if r != "EFTPOS x8"]
        + [("INV-0002", Decimal("40.00"), "EFTPOS pay_2/1")]
    )
    assert {row["number"]: row["code"] for row in old.unsynced()} == {
        "INV-0005": "payment-xero-id-wrong",
        "INV-0008": "payment-exceeds-due",
    }
    old.forget_calls()
    assert old.push().exit_code == 3
    assert old.calls() == []


def test_what_was_lost_in_the_store_comes_back_from_the_records(old: Clinic) -> None:
    old.cli("status")
    rows = {row["key"]: (row["invoice_id"], row["amount"]) for row in old.sql("SELECT * FROM allocations")}
    assert (rows["pay_1/1"], rows["pay_2/1"]) == (("inv_INV-0001", "65.00"), ("inv_INV-0002", "40.00"))
    assert {row["caspen_id"] for row in old.sql("SELECT caspen_id FROM links WHERE kind = 'payment'")} == {
        "pay_1/1",
        "pay_3/a",
        "pay_3/b",
        "/x8",
    }
    problem = old.problem("INV-0008")
    assert (problem["code"], problem["attempts"]) == ("payment-exceeds-due", 1)


def test_nothing_that_an_earlier_version_sent_or_told_is_told_to_caspen_after_the_migration(old: Clinic) -> None:
    old.takes(client("1048237"))  # so that updates go beside this import
    for command in (("pull", "--full"), ("push",), ("pull", "--full")):
        old.cli(*command)
    assert told(old) == []


def test_a_payment_sent_by_an_earlier_version_and_changed_since_is_taken_back_and_sent_anew(old: Clinic) -> None:
    changed = payment("70.00", ("inv_INV-0001", "70.00")) | {"amount": "70.00"}
    changed["allocations"][0]["id"] = "1"
    old.takes(changed)
    old.push()
    assert [each for each in living(old) if each[0] == "INV-0001"] == [("INV-0001", Decimal("70.00"), "EFTPOS pay_1/1")]


def test_a_new_store_knows_what_an_earlier_version_wrote(old: Clinic, ready_home: Path) -> None:
    shutil.copy(ready_home / "default" / "store.sqlite", old.store_file)
    for leftover in old.store_file.parent.glob("store.sqlite-*"):
        leftover.unlink()
    first = payment("65.00", ("inv_INV-0001", "65.00"))
    first["allocations"][0]["id"] = "1"
    second = payment("30.00", ("inv_INV-0001", "30.00"), id_="pay_2")
    second["allocations"][0]["id"] = "1"
    old.takes(EFTPOS, client("1048237"), invoice(), first, second)
    assert old.push().exit_code == 0
    assert [each for each in living(old) if each[0] == "INV-0001"] == [
        ("INV-0001", Decimal("30.00"), "EFTPOS pay_2/1"),
        ("INV-0001", Decimal("65.00"), "EFTPOS 1"),
    ]
