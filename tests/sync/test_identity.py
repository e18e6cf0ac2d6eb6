"""Who is who in Xero: by the full client id, then by exact name; two people are never merged, and no contact is made twice."""

from __future__ import annotations

from typing import Any

import pytest
from clinics import client, invoice
from hypothesis import given
from hypothesis import strategies as st
from pushing import Clinic

from caspen_xero.caspen.records import parse_record
from caspen_xero.sync.planning.contact_matching import Party, contact_body, last_five_digits, valid_email


def party(**fields: Any) -> Party:
    record = parse_record(client(fields.pop("id_", "1048237"), **fields))
    assert record.object == "client"
    return Party("client", record.id, record)


def pushed_to(clinic: Clinic, number: str = "INV-0001") -> str:
    """The ContactID of an invoice in Xero."""
    return str(clinic.in_xero()[number]["Contact"]["ContactID"])


# --- names


@pytest.mark.parametrize(
    ("caspen_id", "digits"),
    [
        ("1048237", "48237"),
        ("cli_01HQFQ9QWT", "00019"),
        ("cli_01HQFQ9QWTNNPY58FZ8CB3FWWK", "95883"),
        ("abc", "00000"),
        ("7", "00007"),
        ("12345", "12345"),
        ("٣٤٥", "00000"),  # digits of other scripts are no digits of an id
    ],
)
def test_the_five_digits_of_a_name(caspen_id: str, digits: str) -> None:
    assert last_five_digits(caspen_id) == digits


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Nell", "Okafor", "Nell Okafor (Caspen 48237)"),
        ("Cher", None, "Cher (Caspen 48237)"),
        (None, "Okafor", "Okafor (Caspen 48237)"),
        (None, None, "(Caspen 48237)"),
        ("", "  ", "(Caspen 48237)"),
        (" Nell ", " van  der  Berg ", "Nell van der Berg (Caspen 48237)"),
        ("Nell<b>", "<>Okafor", "Nellb Okafor (Caspen 48237)"),
        ("Nell\t", "Oka\nfor", "Nell Oka for (Caspen 48237)"),
        ("Zoë", "Müller-O'Hara", "Zoë Müller-O'Hara (Caspen 48237)"),
    ],
)
def test_a_contact_is_called_full_name_and_five_digits(first: str | None, last: str | None, name: str) -> None:
    assert party(first_name=first, last_name=last).name() == name


@given(st.text(max_size=400), st.text(max_size=400), st.text("0123456789abc_", min_size=1, max_size=80))
def test_no_name_breaks_xeros_rules_or_loses_its_digits(first: str, last: str, caspen_id: str) -> None:
    someone = Party("client", caspen_id, party(first_name=_whole(first), last_name=_whole(last)).record)
    for name in (someone.name(), someone.name(unique=True), someone.name(unique=True, attempt=3)):
        assert 0 < len(name) <= 255
        assert name == " ".join(name.split())
        assert "<" not in name
        assert ">" not in name
    assert someone.name().endswith(f"(Caspen {last_five_digits(caspen_id)})")
    assert 0 < len(someone.number) <= 50


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def test_a_name_too_long_for_xero_is_cut_before_its_digits(ready: Clinic) -> None:
    ready.takes(client("1048237", "N" * 300, "Okafor"), invoice("INV-0001"))
    assert ready.push().exit_code == 0
    (name,) = ready.contacts()
    assert len(name) <= 255
    assert name.endswith(" (Caspen 48237)")


# --- what goes along


def test_email_phone_and_address_go_along(ready: Clinic) -> None:
    address = {"line1": "1 High St", "city": "Sydney", "state": "NSW", "postal_code": "2000", "country_code": "AU"}
    ready.takes(
        client("1048237", email="nell@example.org", phone_number="+61400000001", address=address), invoice("INV-0001")
    )
    ready.push()
    contact = ready.contacts()["Nell Okafor (Caspen 48237)"]
    assert (contact["FirstName"], contact["LastName"]) == ("Nell", "Okafor")
    assert (contact["EmailAddress"], contact["ContactNumber"]) == ("nell@example.org", "caspen-1048237")
    assert "+61400000001" in {phone.get("PhoneNumber") for phone in contact["Phones"]}
    assert {"Sydney"} <= {each.get("City") for each in contact["Addresses"]}


@pytest.mark.parametrize(
    "email", ["ben(at)example.org", "zoë@example.org", "a@b", "a b@example.org", "x" * 250 + "@a.org"]
)
def test_a_bad_email_is_left_out_with_a_warning_and_the_invoice_still_goes(ready: Clinic, email: str) -> None:
    ready.takes(client("1048237", email=email), invoice("INV-0001"))
    pushed = ready.cli("push")
    assert pushed.exit_code == 0
    assert "email" in pushed.stderr
    assert "Nell Okafor" in pushed.stderr
    assert not ready.contacts()["Nell Okafor (Caspen 48237)"].get("EmailAddress")
    assert set(ready.in_xero()) == {"INV-0001"}


@given(st.emails())
def test_ordinary_addresses_are_taken(email: str) -> None:
    if email.isascii() and len(email) <= 255 and ".." not in email and email.rsplit(".", 1)[-1].isalpha():
        assert valid_email(email)
    body = contact_body(party(email=email), "Nell Okafor (Caspen 48237)")
    assert ("EmailAddress" in body.body) != bool(body.warnings)


# --- matches


def test_a_contact_with_our_number_is_taken_though_its_name_is_written_otherwise(ready: Clinic) -> None:
    theirs = ready.put_in_xero("Contacts", Name="N. Okafor-Smith", ContactNumber="caspen-1048237")
    ready.takes(client("1048237"), invoice("INV-0001"))
    pushed = ready.push()
    assert (pushed.json["contacts_linked"], pushed.json["contacts_created"]) == (1, 0)
    assert pushed_to(ready) == theirs["ContactID"]


@pytest.mark.parametrize("name", ["Nell Okafor (Caspen 48237)", "NELL OKAFOR (caspen 48237)"])
def test_a_contact_of_that_name_is_taken_whatever_its_letter_case(ready: Clinic, name: str) -> None:
    theirs = ready.put_in_xero("Contacts", Name=name)
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().json["contacts_linked"] == 1
    assert pushed_to(ready) == theirs["ContactID"]


def test_a_contact_that_was_matched_is_not_edited(ready: Clinic) -> None:
    theirs = ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)", EmailAddress="her@own.example")
    ready.takes(client("1048237", email="other@example.org"), invoice("INV-0001"))
    ready.push()
    contact = ready.contacts()[theirs["Name"]]
    assert contact["EmailAddress"] == "her@own.example"
    assert not [call for call in ready.writes() if "Contacts" in call]


def test_a_name_that_belongs_to_another_number_is_no_match(ready: Clinic) -> None:
    theirs = ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)", ContactNumber="somebody-else")
    ready.takes(client("1048237"), invoice("INV-0001"))
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["contacts_created"]) == (0, 1)
    assert pushed_to(ready) != theirs["ContactID"]
    assert ready.in_xero()["INV-0001"]["Contact"]["Name"] == "Nell Okafor (Caspen 1048237)"


def test_two_clients_of_one_name_and_equal_digits_are_two_contacts(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("2048237"), invoice("INV-0001"), invoice("INV-0002", client_id="2048237"))
    assert ready.push().json["contacts_created"] == 2
    assert pushed_to(ready, "INV-0001") != pushed_to(ready, "INV-0002")
    assert {contact["ContactNumber"] for contact in ready.contacts().values()} == {"caspen-1048237", "caspen-2048237"}


def test_two_clients_are_not_merged_into_one_contact_of_their_name(ready: Clinic) -> None:
    ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)")
    ready.takes(client("1048237"), client("2048237"), invoice("INV-0001"), invoice("INV-0002", client_id="2048237"))
    assert ready.push().exit_code == 0
    assert pushed_to(ready, "INV-0001") != pushed_to(ready, "INV-0002")


def test_a_client_who_comes_later_does_not_get_the_contact_of_another(ready: Clinic) -> None:
    ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)")
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.push()
    ready.takes(client("2048237"), invoice("INV-0002", client_id="2048237"))
    assert ready.push().exit_code == 0
    assert pushed_to(ready, "INV-0001") != pushed_to(ready, "INV-0002")


def test_one_client_with_many_invoices_is_one_contact(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 61)))
    assert ready.push().json["contacts_created"] == 1
    assert len(ready.contacts()) == 1


def test_a_contact_made_by_hand_since_the_last_push_is_found(ready: Clinic) -> None:
    ready.takes(client("1"), invoice("INV-0001", client_id="1"))
    ready.push()
    theirs = ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)")
    ready.takes(client("1048237"), invoice("INV-0002"))
    assert ready.push().json["contacts_linked"] == 1
    assert pushed_to(ready, "INV-0002") == theirs["ContactID"]


def test_a_merged_contact_leads_to_the_one_it_was_merged_into(ready: Clinic) -> None:
    old = ready.put_in_xero("Contacts", Name="Nell Okafor (Caspen 48237)", ContactNumber="1048237")
    new = ready.put_in_xero("Contacts", Name="Nell Okafor")
    ready.sandbox.api.merge_contacts(ready.tenant_id, old["ContactID"], new["ContactID"])
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 0
    assert pushed_to(ready) == new["ContactID"]


def test_a_client_who_was_never_exported_is_named(ready: Clinic) -> None:
    ready.takes(invoice("INV-0001"))
    assert ready.push().exit_code == 3
    row = ready.problem()
    assert (row["code"], "1048237" in row["reason"]) == ("client-missing", True)
    ready.takes(client("1048237"))
    assert ready.push().exit_code == 0
