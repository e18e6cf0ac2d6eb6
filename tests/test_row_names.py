"""A row names the invoice that its fix names: whatever was moved, renumbered, or has the name of another."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from random import Random
from typing import Any

import in_xero
import pytest
from clinics import client, invoice, line
from pulling import EFTPOS, credit_note, payment
from pushing import Clinic, commands_in

from caspen_xero.store.clinic import invoice_ids
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.store import Store

NAMED = re.compile(
    r"caspen-xero (?:push(?: --overwrite| --pay-anyway)?|invoices (?:show|open|skip|unskip|link|unlink)) (?!-)(.*)"
)
LATER = {"updated_at": "2026-11-20T00:00:00Z"}


def named_in(text: str) -> Iterator[str]:
    """The invoices that the commands in a text name, as a shell reads them."""
    for piece in text.split("caspen-xero ")[1:]:
        if (found := NAMED.match(f"caspen-xero {piece}")) is not None:
            lexer = shlex.shlex(found[1], posix=True, punctuation_chars=";")
            lexer.whitespace_split = True
            yield lexer.get_token() or ""


def rows_name_their_own(clinic: Clinic) -> list[dict[str, Any]]:
    """Each row's commands mean that row's invoice, as the command line looks for it; gives the rows."""
    rows = clinic.unsynced() + clinic.cli("drift", "--json").json["drift"]
    waiting = clinic.cli("payments", "list", "--json").json["payments"]
    for row in rows + waiting:
        for name in named_in(row["fix"] + "\n" + row.get("reason", "")):
            shown = clinic.cli("invoices", "show", name, "--json")
            assert shown.exit_code == 0, (name, row)
            told = shown.json["invoice"]
            assert (told["invoice_id"], told["number"]) == (row["invoice_id"], row["number"]), (name, row)
    return rows


def test_a_payment_of_a_bookkeeper_that_caspen_moved_is_told_on_each_invoice_with_its_own_name(ready: Clinic) -> None:
    first, second = invoice("INV-0001"), invoice("INV-0002")
    ready.takes(EFTPOS, client("1048237"), first, second)
    ready.push()
    theirs = in_xero.pays(ready, "INV-0001", "65.00")
    mine = payment(1, "INV-0001", "65.00", xero_id=theirs)
    ready.takes(mine)
    assert ready.push().exit_code == 0
    moved = {**mine["allocations"][0], "invoice_id": "inv_INV-0002"}
    ready.takes({**mine, "allocations": [moved], **LATER})
    ready.push()
    ready.push()
    rows = [row for row in rows_name_their_own(ready) if row["code"] == "payment-not-ours"]
    assert sorted(row["number"] for row in rows) == ["INV-0001", "INV-0001", "INV-0002", "INV-0002"]  # in `drift` too
    for row in rows:
        assert {command.split()[-1] for command in commands_in(row["fix"])} - {"PATH"} == {row["number"]}


def test_of_two_invoices_with_one_number_each_is_named_by_its_id(ready: Clinic) -> None:
    twins = [invoice("INV-0001", id="inv_a"), invoice("inv-0001", id="inv_b"), invoice("INV-0001", id="inv_c")]
    ready.takes(client("1048237"), *twins, client("9"), invoice("INV-0002", client_id="8"))
    ready.push()
    rows = rows_name_their_own(ready)
    taken = {row["invoice_id"]: row["fix"] for row in rows if row["code"] == "invoice-number-taken"}
    assert taken
    assert all(id_ in fix for id_, fix in taken.items())


def test_a_number_that_is_the_id_of_another_invoice_names_neither_of_them_wrongly(ready: Clinic) -> None:
    ready.takes(
        client("1048237"),
        invoice("inv_other", id="inv_1", subtotal="1.00", tax="0.00", total="1.00"),
        invoice("INV-0002", id="inv_other", subtotal="1.00", tax="0.00", total="1.00"),
    )
    ready.push()
    rows = {row["invoice_id"]: row["fix"] for row in rows_name_their_own(ready)}
    assert rows["inv_1"].endswith("caspen-xero push inv_1")
    assert rows["inv_other"].endswith("caspen-xero push INV-0002")


def test_an_invoice_that_has_another_number_by_now_is_named_by_it(ready: Clinic) -> None:
    wrong = {"subtotal": "1.00", "tax": "0.00", "total": "1.00"}
    ready.takes(client("1048237"), invoice("INV-0001", id="inv_1", **wrong))
    ready.push()
    ready.takes(invoice("INV-0009", id="inv_1", **wrong, **LATER), invoice("INV-0001", id="inv_2", **wrong))
    (row,) = [row for row in rows_name_their_own(ready) if row["invoice_id"] == "inv_1"]
    assert row["fix"].endswith("caspen-xero push INV-0009")


@pytest.mark.parametrize("number", ["A  1", "-1", "it's 'x'", "A;1", "1,", "push", 'a "b"'])
def test_odd_numbers_name_their_invoice_in_a_shell(ready: Clinic, number: str) -> None:
    ready.takes(client("1048237"), invoice(number, id="inv_1", subtotal="1.00", tax="0.00", total="1.00"))
    ready.push()
    (row,) = rows_name_their_own(ready)
    assert list(named_in(row["fix"])) in ([number], ["inv_1"])
    assert "caspen-xero push" in ready.cli("push", "--dry-run").stdout


def test_the_names_of_all_at_once_mean_what_a_command_would_take_them_for(ready: Clinic) -> None:
    numbers = [
        "INV-0001",
        "inv-0001",
        "INV-É",
        "inv-é",
        "inv_2",
        "A  1",
        "-1",
        "it's 'x'",
        "A;1",
        "1,",
        "push",
        'a "b"',
    ]
    ready.takes(client("1048237"), *(invoice(number, id=f"inv_{nth}") for nth, number in enumerate(numbers)))
    store = Store(ready.store_file)
    names = InvoiceNames(store)
    for name in {*numbers, *map(str.lower, numbers), *map(str.upper, numbers), "inv_0", "INV_0", "ſ", ""}:
        assert names.means(name) == set(invoice_ids(store, name)), name
    store.close()


@pytest.mark.parametrize("seed", range(12))
def test_rows_name_their_own_whatever_is_moved_renumbered_and_edited(ready: Clinic, seed: int) -> None:
    """A clinic in which numbers come twice, and payments and credit notes go from one invoice to another."""
    random = Random(seed)
    ids = [f"inv_{n}" for n in range(6)]
    numbers = ["INV-1", "INV-2", "inv-2", "inv_3", "INV 4", "INV-5"]
    records = {id_: invoice(random.choice(numbers), [line("200.00")], id=id_) for id_ in ids}
    ready.takes(EFTPOS, client("1048237"), *records.values())
    ready.push()
    payments = [payment(n, "", random.choice(["10.00", "300.00"])) for n in range(4)]
    notes = [credit_note(n, "") for n in range(2)]
    for step in range(4):
        day = {"updated_at": f"2026-11-{10 + step}T00:00:00Z"}
        for paid in payments:
            paid["allocations"][0]["invoice_id"] = random.choice(ids)
            paid |= day
        for note in notes:
            note |= day | {"invoice_id": random.choice(ids)}
        renumbered = random.choice(ids)
        records[renumbered] |= day | {"number": random.choice(numbers)}
        ready.takes(*records.values(), *payments, *notes)
        for number in ready.in_xero():
            if random.random() < 0.3 and ready.in_xero()[number]["AmountPaid"] == 0:
                in_xero.edits(ready, number, Reference=f"see file {step}")
            if random.random() < 0.3 and ready.in_xero()[number]["AmountDue"] >= 10:
                theirs = in_xero.pays(ready, number, "10.00")
                if random.random() < 0.5:
                    random.choice(payments)["xero_id"] = theirs
        ready.push()
        ready.cli("pull")
        rows_name_their_own(ready)
