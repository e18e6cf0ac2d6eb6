"""What of a client goes to Xero: all, the name only, or nothing at all. Health information stays where the clinic wants it."""

from __future__ import annotations

import in_xero
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic, same_figures

PAYER = {
    "object": "contact",
    "id": "con_77",
    "type": "plan_manager",
    "company": "Plan Partners",
    "email": "ap@example.org",
}
PRIVATE = client(
    "1048237", "Nell", "Okafor", email="nell@example.org", phone_number="+61 400 1", address={"line1": "1 High St"}
)
TREATED = invoice(
    lines=[line(description="Anxiety, first session", item_code="IC001"), line(description="Nell's splint")],
    invoice_to_id="con_77",
    reference="Nell's NDIS plan",
    url="https://caspen.example/clients/nell/invoices/1",
)
CREDITED = credit_note(lines=[line("40.00", description="Anxiety, cut short", item_code="IC001")])


def everything_sent(clinic: Clinic) -> str:
    return str([row["body"] for row in clinic.sql("SELECT CAST(body AS TEXT) AS body FROM journal")])


def test_with_privacy_full_the_contact_has_all_details(ready: Clinic) -> None:
    ready.takes(PRIVATE, invoice())
    ready.push()
    contact = ready.contacts()["Nell Okafor (Caspen 48237)"]
    assert (contact["EmailAddress"], contact["FirstName"]) == ("nell@example.org", "Nell")


def test_with_privacy_name_only_nothing_but_the_name_goes(ready: Clinic) -> None:
    ready.cli("settings", "set", "--privacy", "name-only")
    ready.takes(PRIVATE, invoice())
    ready.push()
    assert "Nell Okafor (Caspen 48237)" in ready.contacts()
    assert not [word for word in ("nell@example.org", "+61", "High St", "FirstName") if word in everything_sent(ready)]


def test_with_privacy_generic_nothing_about_the_client_goes(ready: Clinic) -> None:
    ready.cli("settings", "set", "--privacy", "generic")
    ready.takes(EFTPOS, PRIVATE, PAYER, TREATED, CREDITED, payment("20.00", ("inv_INV-0001", "20.00")))
    assert ready.push().exit_code == 0
    words = ("Nell", "nell", "Okafor", "48237", "High St", "Anxiety", "splint", "Plan Partners", "NDIS")
    assert not [word for word in words if word in everything_sent(ready)]
    there = ready.in_xero()["INV-0001"]
    assert [item["Description"] for item in there["LineItems"]] == ["IC001", "Service"]
    assert len(ready.contacts()) == 1
    assert same_figures(TREATED, there)
    ready.takes(client("2", "Mei", "Tanaka"), invoice("INV-0002", client_id="2"))
    assert ready.push().exit_code == 0
    assert len(ready.contacts()) == 1  # the same for all
    assert in_xero.silent(ready)
