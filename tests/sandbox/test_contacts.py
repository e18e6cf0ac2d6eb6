"""Contacts: unique names and numbers, POST that edits by name, archiving, and the contact inside an invoice."""

from __future__ import annotations

import pytest

from tests.sandbox.bookkeeper import Bookkeeper

NAME = "Jo Smith (Caspen 10001)"


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def test_every_answer_has_both_addresses_and_all_four_phones(b: Bookkeeper) -> None:
    made = b.put("Contacts", {"Name": NAME, "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "0400 000 000"}]})
    assert [address["AddressType"] for address in made["Addresses"]] == ["STREET", "POBOX"]
    assert [phone["PhoneType"] for phone in made["Phones"]] == ["DEFAULT", "DDI", "FAX", "MOBILE"]
    assert made["Phones"][3]["PhoneNumber"] == "0400 000 000"
    assert made["ContactStatus"] == "ACTIVE"


def test_names_are_unique_among_active_contacts_only(b: Bookkeeper) -> None:
    b.api.archive_contact(b.tenant, b.contact(NAME))
    again = b.contact(NAME)
    assert b.list("Contacts")[0]["ContactID"] == again


def test_names_that_differ_in_an_accent_are_two(b: Bookkeeper) -> None:
    b.contact("Rene Dupont")
    b.contact("René Dupont")
    assert len(b.list("Contacts", where='Name=="rene dupont"')) == 2, "a filter knows no accents"


def test_post_with_a_known_name_edits_that_contact(b: Bookkeeper) -> None:
    first = b.contact(NAME, EmailAddress="jo@example.com", FirstName="Jo")
    second = b.post("Contacts", {"Name": NAME.upper(), "EmailAddress": "new@example.com"})
    assert second["ContactID"] == first
    assert (second["FirstName"], second["EmailAddress"]) == ("Jo", "new@example.com")


def test_post_finds_the_number_before_the_name(b: Bookkeeper) -> None:
    by_number = b.contact(NAME, ContactNumber="client-1")
    b.contact("Ann Other")
    renamed = b.post("Contacts", {"ContactNumber": "client-1", "Name": "Jo Miller"})
    assert (renamed["ContactID"], renamed["Name"]) == (by_number, "Jo Miller")
    taken = b.refused("POST", "Contacts", {"ContactNumber": "client-1", "Name": "Ann Other"})
    assert taken[0].startswith("The contact name Ann Other is already assigned")


def test_post_of_somebody_new_makes_a_contact(b: Bookkeeper) -> None:
    assert b.post("Contacts", {"Name": NAME})["ContactID"] == b.list("Contacts")[0]["ContactID"]


def test_contact_persons_left_out_of_a_sent_list_are_gone(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME, ContactPersons=[{"FirstName": "Pat"}, {"FirstName": "Sam"}])
    b.post(f"Contacts/{contact_id}", {"FirstName": "Jo"})
    assert len(b.read("Contacts", contact_id)["ContactPersons"]) == 2
    b.post(f"Contacts/{contact_id}", {"ContactPersons": [{"FirstName": "Sam"}]})
    assert [person["FirstName"] for person in b.read("Contacts", contact_id)["ContactPersons"]] == ["Sam"]


def test_archived_contacts_are_hidden_from_lists_but_can_be_read(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME)
    b.invoice(Contact={"ContactID": contact_id})
    assert b.post(f"Contacts/{contact_id}", {"ContactStatus": "ARCHIVED"})["ContactStatus"] == "ARCHIVED"
    assert b.list("Contacts") == []
    assert len(b.list("Contacts", includeArchived="true")) == 1
    assert b.read("Contacts", contact_id)["ContactStatus"] == "ARCHIVED"


def test_only_a_person_in_xero_restores_a_contact(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME)
    b.api.archive_contact(b.tenant, contact_id)
    assert b.refused("POST", "Contacts", {"Name": NAME})[0].startswith("The specified contact details matched")
    b.api.restore_contact(b.tenant, contact_id)
    assert b.invoice()["Contact"]["ContactID"] == contact_id


def test_a_name_taken_meanwhile_keeps_a_contact_archived(b: Bookkeeper) -> None:
    first = b.contact(NAME)
    b.api.archive_contact(b.tenant, first)
    b.contact(NAME)
    with pytest.raises(ValueError, match="already assigned"):
        b.api.restore_contact(b.tenant, first)


def test_an_invoice_finds_its_contact_by_name_or_makes_one(b: Bookkeeper) -> None:
    known = b.contact(NAME)
    assert b.invoice(Contact={"Name": NAME.lower()})["Contact"]["ContactID"] == known
    assert b.read("Contacts", known)["Name"] == NAME
    made = b.invoice(Contact={"Name": "Ann Other"})["Contact"]
    assert b.read("Contacts", made["ContactID"])["Name"] == "Ann Other"


def test_an_invoice_for_an_archived_name_makes_a_new_contact(b: Bookkeeper) -> None:
    archived = b.contact(NAME)
    b.api.archive_contact(b.tenant, archived)
    assert b.invoice()["Contact"]["ContactID"] != archived


def test_other_fields_inside_an_invoice_edit_the_contact(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME, ContactPersons=[{"FirstName": "Pat"}])
    before = b.read("Contacts", contact_id)
    b.invoice(Contact={"ContactID": contact_id})
    assert b.read("Contacts", contact_id)["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    b.invoice(Contact={"ContactID": contact_id, "EmailAddress": "jo@example.com"})
    after = b.read("Contacts", contact_id)
    assert (after["EmailAddress"], after["ContactPersons"]) == ("jo@example.com", [])
    assert after["UpdatedDateUTC"] > before["UpdatedDateUTC"]


def test_a_refused_invoice_leaves_no_contact_behind(b: Bookkeeper) -> None:
    b.refused("PUT", "Invoices", b.draft(b.line(TaxType="GST")))
    assert b.list("Contacts") == []


def test_a_refusal_is_repeated_where_it_belongs(b: Bookkeeper) -> None:
    answer = b.send("PUT", "Invoices", b.draft(Contact={"Name": "Jo <b>"}))[0]
    assert answer["Contact"]["ValidationErrors"] == answer["ValidationErrors"]
    answer = b.send("PUT", "Invoices", b.draft(b.line(), b.line(AccountCode="777")))[0]
    assert answer["LineItems"][1]["ValidationErrors"] == answer["ValidationErrors"]
    assert answer["LineItems"][0]["ValidationErrors"] == []


def test_merging_moves_documents_and_leaves_a_trace(b: Bookkeeper) -> None:
    old, new = b.contact("Jo Smyth"), b.contact(NAME)
    invoice = b.invoice(Contact={"ContactID": old})
    b.api.merge_contacts(b.tenant, old, new)
    assert b.read("Contacts", old)["MergedToContactID"] == new
    assert b.read("Invoices", invoice["InvoiceID"])["Contact"]["ContactID"] == new


def test_balances_and_customer_appear_without_a_change_of_date(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME)
    before = b.read("Contacts", contact_id)
    invoice = b.invoice(DueDate="2020-01-01", Date="2020-01-01")
    b.pay(invoice, 10)
    after = b.read("Contacts", contact_id)
    assert after["Balances"]["AccountsReceivable"] == {"Outstanding": 100, "Overdue": 100}
    assert b.list("Contacts")[0]["Balances"] == b.list("Contacts", page="1")[0]["Balances"] == after["Balances"]
    assert (before["IsCustomer"], after["IsCustomer"]) == (False, True)
    assert before["UpdatedDateUTC"] == after["UpdatedDateUTC"]


def test_a_contact_is_also_read_by_its_number(b: Bookkeeper) -> None:
    contact_id = b.contact(NAME, ContactNumber="client-1")
    assert b.read("Contacts", "client-1")["ContactID"] == contact_id
    assert b.ask("GET", "Contacts/client-2").status == 404
