"""What of a client goes to Xero: all, the name only, or nothing at all. Health information stays where the clinic wants it."""

from __future__ import annotations

from pathlib import Path

import in_xero
import pytest
from clinics import EFTPOS, PAYER, client, credit_note, invoice, line, payment
from pushing import Clinic, same_figures

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


CLIENT = client(
    "1048237",
    "Nellfirst",
    "Okaforlast",
    email="nell@client.example",
    phone_number="+61 400 111",
    address={"line1": "1 Clientstreet", "city": "Sydney"},
)
PAYING = PAYER | {"company": "Payerscompany", "email": "ap@payer.example", "phone_numbers": ["+61 400 222"]}
BILLED = invoice(
    lines=[line(description="Linedescription", item_code="ITEMCODE"), line(description="", item_code="OTHERCODE")],
    invoice_to_id="con_77",
    reference="Ownreference",
    url="https://caspen.example/ownlink",
)
NOTED = credit_note(lines=[line("40.00", description="Creditdescription", item_code="IC001")])
DATA = {
    "the client's name": {"client": ("Nellfirst", "Okaforlast")},
    "the client's number in Caspen": {"client": ("1048237",)},
    "the client's email, phone and address": {"client": ("nell@client.example", "400 111", "Clientstreet")},
    "the payer's name": {"client": ("Payerscompany",), "payer": ("Payerscompany",)},
    "the payer's number in Caspen": {"payer": ("con_77",)},
    "the payer's email, phone and address": {"payer": ("ap@payer.example", "400 222")},
    "line descriptions": {"client": ("Linedescription", "Creditdescription"), "payer": ("Linedescription",)},
    "the invoice's own reference, and its link to Caspen": {"client": ("Ownreference", "ownlink")},
    "item codes, where a line has no description or it stays here": {"client": ("OTHERCODE",), "payer": ("OTHERCODE",)},
    "the numbers of invoices and credit notes, their dates and amounts": {"client": ("INV-0001", "CN-0001")},
    "the name of a payment's method, and Caspen's ids of the payment": {"client": ("EFTPOS pay_",)},
}
"""The rows of the page's table, and words of the records that are such, by whose contact the invoice goes to."""


def told_on_the_page() -> dict[str, dict[str, bool]]:
    """The table of docs/privacy.md: what goes to Xero at which setting."""
    text = (
        (Path(__file__).parents[1] / "docs" / "privacy.md")
        .read_text("utf-8")
        .partition("\n## What goes to Xero\n")[2]
        .partition("\n## ")[0]
    )
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if row.startswith("|")]
    settings = [cell.strip("`") for cell in rows[0][1:]]
    return {row[0]: {name: cell == "yes" for name, cell in zip(settings, row[1:], strict=True)} for row in rows[2:]}


@pytest.mark.parametrize("privacy", ["full", "name-only", "generic"])
@pytest.mark.parametrize("contact", ["client", "payer"])
def test_the_table_on_the_page_is_what_is_sent(ready: Clinic, privacy: str, contact: str) -> None:
    told = told_on_the_page()
    assert list(told) == list(DATA)
    ready.cli("settings", "set", "--privacy", privacy, "--contact", contact)
    ready.takes(EFTPOS, CLIENT, PAYING, BILLED, NOTED, payment("20.00", ("inv_INV-0001", "20.00")))
    assert ready.push().exit_code == 0
    sent = everything_sent(ready)
    for what, words in DATA.items():
        gone = {word: word in sent for word in words.get(contact, ())}
        assert gone == dict.fromkeys(gone, told[what][privacy]), what
    if contact == "payer" and privacy != "generic":
        assert not [word for word in ("Nellfirst", "1048237") if word in sent]  # the client is named by nobody
