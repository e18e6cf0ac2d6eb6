"""Whatever happens in Caspen and Xero after a purge ends as it would have without: the same in Xero, and the same problems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic, begins_anew

from caspen_xero.cli.session import Session

Record = dict[str, Any]
OLD = {"updated_at": "2026-01-01T00:00:00Z"}
WHEN = {"updated_at": "2027-11-01T00:00:00Z"}


def described(record: Record, place: int = 0, text: str = "Told otherwise") -> Record:
    lines = [dict(each) for each in record["lines"]]
    lines[place]["description"] = text
    return record | WHEN | {"lines": lines}


CHANGES: dict[str, Callable[[Record, Record, Record], list[Record]]] = {
    "nothing": lambda one, paid, who: [],
    "the text of a line": lambda one, paid, who: [described(one)],
    "the text of a line that was edited": lambda one, paid, who: [described(one)],
    "the text of another line than was edited": lambda one, paid, who: [described(one, 1)],
    "the reference": lambda one, paid, who: [one | WHEN | {"reference": "Another plan"}],
    "the reference that was edited": lambda one, paid, who: [one | WHEN | {"reference": "Another plan"}],
    "the reference, to what it was edited to": lambda one, paid, who: [one | WHEN | {"reference": "By hand"}],
    "the due date": lambda one, paid, who: [one | WHEN | {"due_date": "2027-12-01"}],
    "an amount": lambda one, paid, who: [
        invoice(one["number"], [line("99.00"), one["lines"][1]], client_id=one["client_id"], **WHEN)
    ],
    "the order of the lines": lambda one, paid, who: [one | WHEN | {"lines": one["lines"][::-1]}],
    "a void invoice": lambda one, paid, who: [one | WHEN | {"status": "void"}, paid | WHEN | {"status": "void"}],
    "a void payment": lambda one, paid, who: [paid | WHEN | {"status": "void"}],
    "a payment's amount": lambda one, paid, who: [payment("10.00", (one["id"], "10.00"), id_=paid["id"], **WHEN)],
    "a credit note": lambda one, paid, who: [
        credit_note(f"CN-{one['number']}", [line("10.00")], invoice_id=one["id"], **WHEN)
    ],
    "a client's name": lambda one, paid, who: [who | WHEN | {"last_name": "Newname"}],
    "a client's name that was edited": lambda one, paid, who: [who | WHEN | {"last_name": "Newname"}],
    "only what does not show": lambda one, paid, who: [one | WHEN | {"url": "https://caspen.example/2"}],
}


def a_life(clinic: Clinic, later: Callable[[], None], *, purge: bool) -> tuple[Any, Any]:
    """What then stands in Xero, by invoice, and what is unsynced."""
    books: dict[str, tuple[Record, Record, Record]] = {}
    for nth, change in enumerate(CHANGES, 1):
        who = client(f"10{nth:02}", f"First{nth}", f"Last{nth}", email=f"a{nth}@example.org", **OLD)
        lines = [line("30.00", description=f"Session {nth}"), line("20.00", description=f"Splint {nth}")]
        one = invoice(f"INV-{nth:02}", lines, client_id=who["id"], reference=f"Plan {nth}")
        books[change] = one, payment(one["total"], (one["id"], one["total"]), id_=f"pay_{nth}"), who
    everything = [EFTPOS, *(record for three in books.values() for record in three[::-1])]
    clinic.takes(*everything)
    assert clinic.push().exit_code == 0, clinic.unsynced()
    for change, (one, _, who) in books.items():
        if "line" in change and "edited" in change:
            shown = clinic.in_xero()[one["number"]]["LineItems"]
            kept = [{"LineItemID": each["LineItemID"], "Description": each["Description"]} for each in shown]
            kept[0]["Description"] = "By hand"
            in_xero.edits(clinic, one["number"], LineItems=kept)
        elif "reference" in change and "edited" in change:
            in_xero.edits(clinic, one["number"], Reference="By hand")
        elif "name" in change and "edited" in change:
            there = next(
                each for each in clinic.state("Contacts") if each.get("ContactNumber") == f"caspen-{who['id']}"
            )
            in_xero.writes(clinic, "POST", "Contacts", {"ContactID": there["ContactID"], "Name": "By hand"})
    assert clinic.cli("pull").exit_code == 0
    later()
    if purge:
        done = clinic.cli("purge", "--older-than", "400d", "--yes", "--json").json
        assert (done["purged"]["invoices"], done["purged"]["clients"]) == (len(CHANGES), len(CHANGES))
    changed = {record["id"]: record for name, three in books.items() for record in CHANGES[name](*three)}
    known = {record["id"] for record in everything}
    clinic.takes(
        *(changed.get(record["id"], record) for record in everything),
        *(record for id_, record in changed.items() if id_ not in known),
    )
    told = clinic.push().json
    clinic.cli("pull")
    again = clinic.push().json
    assert [again[name] for name in ("synced", "updated", "payments")] == [0, 0, 0]
    shown = {
        number: (
            *(each.get(name) for name in ("Status", "Reference", "DueDateString", "Total", "AmountDue", "AmountPaid")),
            each["Contact"]["Name"],
            [(one.get("Description"), one["LineAmount"], one.get("TaxType")) for one in each["LineItems"]],
        )
        for number, each in clinic.in_xero().items()
    }
    counts = {name: told[name] for name in ("updated", "unsynced", "payments_deleted", "contacts_updated", "voided")}
    problems = sorted((row["number"], row["code"]) for row in clinic.unsynced())
    return shown, (counts, problems, len(clinic.contacts()), len(clinic.state("Payments")))


def test_all_ends_as_it_would_have_without_a_purge(
    ready: Clinic, ready_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later() -> None:
        monkeypatch.setattr(Session, "now", lambda session: datetime.now(UTC) + timedelta(days=500))

    without = a_life(ready, lambda: None, purge=False)
    purged = a_life(begins_anew(ready, ready_home), later, purge=True)
    assert purged[1] == without[1]
    assert purged[0] == without[0]
    assert without[1][1], "nothing that is a problem was tried"
