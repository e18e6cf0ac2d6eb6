"""What every command says of how the books stand: held against each other, and against Caspen's records and Xero's books."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from clinics import owner_of
from pushing import Clinic

TROUBLE = ("unsynced", "differs")


def states(clinic: Clinic) -> dict[str, str]:
    """The state of each invoice, by id, once every command that speaks of them was asked and agreed."""
    listed = {row["invoice_id"]: row for row in clinic.cli("invoices", "list", "--json").json["invoices"]}
    status = clinic.cli("status", "--json").json
    unsynced = clinic.unsynced()
    drift = clinic.cli("drift", "--json").json["drift"] if status["last_push"] else []
    found = {id_: row["sync_status"] for id_, row in listed.items()}
    accepted = {id_ for id_, row in listed.items() if row["accepted"]}

    assert Counter(found.values()) == {state: n for state, n in status["invoices"].items() if n}
    assert status["accepted"] == len(accepted)
    in_trouble = {id_ for id_, state in found.items() if state in TROUBLE} - accepted
    rows = {row["invoice_id"] for row in unsynced if row["sync_status"] in TROUBLE}
    assert all(row["sync_status"] == found[row["invoice_id"]] for row in unsynced)
    assert rows == in_trouble
    assert {row["invoice_id"] for row in unsynced} - rows == {id_ for id_, state in found.items() if state == "pending"}
    assert status["in_order"] == (not in_trouble)
    differing = {id_ for id_, state in found.items() if state == "differs"} - accepted
    told = {row["invoice_id"] for row in drift}
    drafts = {
        id_ for id_, state in found.items() if state == "draft"
    }  # one that stands in Xero is told, and no trouble
    waiting = {row["invoice_id"] for row in unsynced if row["code"] == "not-in-caspen-yet"}
    assert differing <= told <= in_trouble | drafts | waiting
    for row in unsynced:
        assert row["code"], row
        assert row["reason"], row
        assert row["fix"], row
    for id_, row in listed.items():
        shown = clinic.cli("invoices", "show", id_, "--json").json
        assert shown["invoice"] == row
        rows_of_it = [row for row in unsynced if row["invoice_id"] == id_ and row["sync_status"] in TROUBLE]
        assert _told(shown["problems"]) == _told(rows_of_it)
    _words(clinic, found, accepted, status)
    if status["connected"]:
        checks = clinic.cli("doctor", "--json").json["checks"]
        (of_invoices,) = [check["ok"] for check in checks if check["name"] == "invoices"]
        assert of_invoices == status["in_order"]
        kept_out = [check["ok"] for check in checks if check["name"] in {row["code"] for row in unsynced}]
        assert all(kept_out) == status["in_order"]
    return found


def _told(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((row["code"], row["reason"], row["fix"]) for row in rows)


def _words(clinic: Clinic, found: dict[str, str], accepted: set[str], status: dict[str, Any]) -> None:
    """The sentences for people."""
    to_be_there = [id_ for id_, state in found.items() if state in ("synced", "pending", *TROUBLE)]
    synced = [id_ for id_, state in found.items() if state == "synced"]
    for words in (clinic.cli("unsynced").stdout, clinic.cli("status").stdout):
        words = " ".join(words.split())
        if counted := re.search(r"(\d+) of (\d+) finalised", words):
            assert (int(counted[1]), int(counted[2])) == (len(synced), len(to_be_there))
        else:
            assert not to_be_there
    said = " ".join(clinic.cli("unsynced").stdout.split())
    assert ("Nothing is unsynced" in said) == (status["in_order"] and "pending" not in found.values())
    if status["connected"] and "Nothing differs" in clinic.cli("drift").stdout:
        assert "differs" not in {state for id_, state in found.items() if id_ not in accepted}


def true_to_the_books(clinic: Clinic) -> dict[str, str]:
    """The same as `states`, after a run that has looked at both sides: what is `synced` is equal, and what differs does differ.

    Held against Caspen's records and Xero's documents alone, whatever the product has found.
    """
    found = states(clinic)
    money = _Money(clinic)
    differ, told_and_gone = differences(clinic, money), money.told_and_gone  # which Caspen may have taken in
    for id_, state in found.items():
        if state == "synced":
            assert differ[id_] == [], (id_, state, differ[id_])
        elif state == "differs":
            assert differ[id_] or id_ in told_and_gone, (
                id_,
                [row for row in clinic.unsynced() if row["invoice_id"] == id_],
            )
    return found


def differences(clinic: Clinic, money: _Money) -> dict[str, list[str]]:
    """By the id of each invoice of Caspen's, all that has to agree and does not."""
    documents = {one["InvoiceID"]: one for one in clinic.state("Invoices")}
    contacts = {one["ContactID"]: one for one in clinic.state("Contacts")}
    rows = {row["invoice_id"]: row for row in clinic.cli("invoices", "list", "--json").json["invoices"]}
    records = [json.loads(row["record"]) for row in clinic.sql("SELECT record FROM invoices")]
    return {
        one["id"]: list(_differ(one, documents.get(rows[one["id"]]["xero_invoice_id"]), contacts, money))
        for one in records
    }


def _differ(
    ours: dict[str, Any], theirs: dict[str, Any] | None, contacts: dict[str, Any], money: _Money
) -> Iterator[str]:
    if theirs is None or theirs["Status"] in ("VOIDED", "DELETED"):
        yield "it is not there"
        return
    contact = contacts[theirs["Contact"]["ContactID"]]
    for what, one, other in (
        ("number", ours["number"], theirs["InvoiceNumber"]),
        ("contact", ours["client_id"], owner_of(contact)),
        ("date", ours["issue_date"], theirs["DateString"][:10]),
        ("currency", ours["currency"], theirs["CurrencyCode"]),
        ("subtotal", Decimal(ours["subtotal"]), theirs["SubTotal"]),
        ("tax", Decimal(ours["tax"]), theirs["TotalTax"]),
        ("total", Decimal(ours["total"]), theirs["Total"]),
    ):
        if one != other:
            yield f"{what}: {one} in Caspen, {other} in Xero"
    yield from money.differ(ours, theirs)


class _Money:
    """What is paid and credited on both sides. What Caspen was told of, and has not in its records, counts as its own."""

    def __init__(self, clinic: Clinic) -> None:
        state = clinic.whole_state()
        self.payments = [one for one in state["Payments"] if one["Status"] != "DELETED"]
        living = {one["PaymentID"] for one in self.payments} | {
            allocation["AllocationID"]
            for kind in ("CreditNotes", "Overpayments", "Prepayments")
            for document in state[kind]
            for allocation in document.get("Allocations") or []
        }
        records = [json.loads(row["record"]) for row in clinic.sql("SELECT record FROM payments")]
        self.parts = [
            (f"{one['id']}/{part['id']}", part["invoice_id"], Decimal(part["amount"]))
            for one in records
            if one["status"] == "allocated"
            for part in one["allocations"]
        ]
        self.ours: defaultdict[str, Decimal] = defaultdict(Decimal)
        for _, id_, amount in self.parts:
            self.ours[id_] += amount
        for note in (json.loads(row["record"]) for row in clinic.sql("SELECT record FROM credit_notes")):
            if note["status"] == "issued":
                self.ours[note["invoice_id"]] += Decimal(note["total"])
        file = clinic.home.parent / "caspen-updates.jsonl"
        told = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        named = {one.get("xero_id") for one in records}
        self.told_and_gone = {one["invoice_id"] for one in told if one["id"] not in living | named}
        for id_, one in {one["id"]: one for one in told}.items():
            if id_ in living and id_ not in named:
                self.ours[one["invoice_id"]] += Decimal(one["amount"])

    def differ(self, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
        """What is not equal on one invoice: the sums, and each payment that names one of Caspen's."""
        here, there = self.ours[ours["id"]], theirs["AmountPaid"] + theirs["AmountCredited"]
        if here != there:
            yield f"{here} paid or credited in Caspen, {there} in Xero"
        stand = [one for one in self.payments if one["Invoice"]["InvoiceID"] == theirs["InvoiceID"]]
        for key, id_, amount in self.parts:
            amounts = [one["Amount"] for one in stand if str(one["Reference"]).endswith(f" {key}")]
            if id_ == ours["id"] and amounts not in ([], [amount]):
                yield f"payment {key}: {amount} in Caspen, {amounts} in Xero"


def ends(clinic: Clinic, command: str) -> int:
    """How push, pull or sync ends: with 3 while anything is unsynced or differs, in the words that `unsynced` bears out."""
    result = clinic.cli(command)
    status = clinic.cli("status", "--json").json
    assert result.exit_code == (0 if status["in_order"] else 3), result.stdout + result.stderr
    last = result.stderr.splitlines()[-1]
    for state, word in (
        ("unsynced", r"(\d+) invoices? (?:is|are) unsynced"),
        ("differs", r"(\d+) invoices? differs?\b"),
    ):
        told = re.search(word, last)
        number = status["invoices"][state] - (status["accepted"] if state == "differs" else 0)
        assert (int(told[1]) if told else 0) == number, last
    assert ("finalised" in last) == status["in_order"]
    return int(result.exit_code)
