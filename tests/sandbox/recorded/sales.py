"""The situations of invoices, bills, contacts and credit notes."""

from __future__ import annotations

from tests.sandbox.bookkeeper import Bookkeeper, Element
from tests.sandbox.recorded.books import DETAILS, FULL, TRACKED, Situations, many_bills, many_invoices, refused, written

SALES = Situations()


# --- invoices


@SALES.of("invoice.created")
def _created(b: Bookkeeper) -> list[Element]:
    return written(b, "PUT", "Invoices", b.draft(Contact={"ContactID": b.contact()}, Reference="recording"))


@SALES.of("invoice.updated")
def _updated(b: Bookkeeper) -> list[Element]:
    invoice, draft = b.invoice(b.line(10, ItemCode="ITEM")), b.invoice(Status="DRAFT")
    full = b.invoice(Contact={"ContactID": b.contact("Jo Low (Caspen 2)", **DETAILS)})
    edits: list[Element] = [{"InvoiceID": one["InvoiceID"], "Reference": "new"} for one in (invoice, full)]
    edits.append({"InvoiceID": full["InvoiceID"], "SentToContact": True})
    void: Element = {"InvoiceID": invoice["InvoiceID"], "Status": "VOIDED"}
    deletion = written(b, "POST", f"Invoices/{draft['InvoiceID']}", {"Status": "DELETED"})
    return deletion + [b.post("Invoices", edit) for edit in (*edits, void)]


@SALES.of("invoice.by_id")
def _by_id(b: Bookkeeper) -> list[Element]:
    credited, draft = b.invoice(b.line(100, ItemCode="ITEM", Tracking=[TRACKED])), b.invoice(Status="DRAFT")
    full = b.invoice(Contact={"ContactID": b.contact("Jo Low (Caspen 2)", **DETAILS)})
    b.allocate(f"CreditNotes/{b.credit_note(b.line(100))['CreditNoteID']}", credited, credited["Total"])
    return [b.read("Invoices", one["InvoiceID"]) for one in (credited, draft, full)]


@SALES.of("bill.by_id")
def _bill_by_id(b: Bookkeeper) -> list[Element]:
    line = b.line(29, AccountCode="445", TaxType="INPUT2")
    return [b.read("Invoices", b.invoice(line, Type="ACCPAY", InvoiceNumber="AP")["InvoiceID"])]


@SALES.of("invoice.in_page")
def _in_page(b: Bookkeeper) -> list[Element]:
    many_invoices(b)
    return b.list("Invoices", page="1")


@SALES.of("invoice.in_list")
def _in_list(b: Bookkeeper) -> list[Element]:
    many_invoices(b)
    return b.list("Invoices")


@SALES.of("bill.in_page")
def _bills_in_page(b: Bookkeeper) -> list[Element]:
    many_bills(b)
    return b.list("Invoices", page="1")


@SALES.of("invoice.refused")
def _refused_edit(b: Bookkeeper) -> list[Element]:
    invoice, contact = b.invoice(), b.list("Contacts")[0]["ContactID"]
    deletion = {"InvoiceID": invoice["InvoiceID"], "Status": "DELETED", "Contact": {"ContactID": contact}}
    return b.send("POST", "Invoices", deletion | {"Date": "2026-09-14"})


# --- contacts


@SALES.of("contact.created")
def _contact_created(b: Bookkeeper) -> list[Element]:
    names: tuple[Element, ...] = ({"Name": "Jo"}, {"Name": "Mo", "EmailAddress": "mo@example.com"})
    told_apart = b.put("Contacts", {"Name": "Ann"})
    return [told_apart, *(one for name in names for one in written(b, "PUT", "Contacts", name))]


@SALES.of("contact.updated")
def _contact_updated(b: Bookkeeper) -> list[Element]:
    known = b.contact("Mo", EmailAddress="mo@example.com")
    edited = written(b, "POST", "Contacts", {"ContactID": b.contact("Jo"), "Name": "Joe"})
    edited += written(b, "POST", f"Contacts/{known}", {"DefaultCurrency": "NZD"})
    return [*edited, b.post("Contacts", {"ContactID": known, "ContactStatus": "ARCHIVED"})]


@SALES.of("contact.by_id")
def _contact_by_id(b: Bookkeeper) -> list[Element]:
    b.invoice(Contact={"Name": "Jo"})
    return [b.read("Contacts", one["ContactID"]) for one in b.list("Contacts")] + [b.read("Contacts", b.contact())]


def many_contacts(b: Bookkeeper) -> None:
    b.contact()
    b.contact("Jo Low (Caspen 2)", **FULL)
    b.invoice(Contact={"Name": "Jo Low (Caspen 2)"})


@SALES.of("contact.in_page")
def _contacts_in_page(b: Bookkeeper) -> list[Element]:
    many_contacts(b)
    return b.list("Contacts", page="1")


@SALES.of("contact.in_list")
def _contacts_in_list(b: Bookkeeper) -> list[Element]:
    many_contacts(b)
    return b.list("Contacts")


@SALES.of("contact.refused")
def _contact_refused(b: Bookkeeper) -> list[Element]:
    wish: Element = {"Name": "Jo", "EmailAddress": "jo@example.com", "IsCustomer": True}
    wish |= {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "09 111 1111"}]}
    b.put("Contacts", wish)
    return refused(b, "PUT", "Contacts", wish) + refused(b, "PUT", "Contacts", {"Name": "Jo"})


@SALES.of("contact.refused_archived")
def _archived_contact_refused(b: Bookkeeper) -> list[Element]:
    archive = {"ContactID": b.contact(), "ContactStatus": "ARCHIVED"}
    b.post("Contacts", archive)
    return b.send("POST", "Contacts", archive)


# --- credit notes


def sent_note(b: Bookkeeper) -> Element:
    return b.draft(Type="ACCRECCREDIT", DueDate=None, Contact={"ContactID": b.contact()}, Status="DRAFT")


@SALES.of("credit_note.created")
def _note_created(b: Bookkeeper) -> list[Element]:
    return written(b, "PUT", "CreditNotes", sent_note(b))


@SALES.of("credit_note.updated")
def _note_updated(b: Bookkeeper) -> list[Element]:
    (note,) = written(b, "PUT", "CreditNotes", sent_note(b))
    return written(b, "POST", "CreditNotes", {"CreditNoteID": note["CreditNoteID"], "Reference": "new"})


def many_notes(b: Bookkeeper) -> None:
    """A credit note that is used up, and a draft."""
    invoice = b.invoice(b.line(200))
    note = b.credit_note(
        b.line(100, ItemCode="ITEM", Tracking=[TRACKED]), {"Description": "Words"}, Reference="CP-1", DueDate=None
    )
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, note["Total"])
    b.credit_note(Status="DRAFT", DueDate=None)


@SALES.of("credit_note.by_id")
def _note_by_id(b: Bookkeeper) -> list[Element]:
    note = b.credit_note(b.line(100, ItemCode="ITEM", Tracking=[TRACKED]), Reference="CP-1", DueDate=None)
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", b.invoice(b.line(200)), note["Total"])
    return [b.read("CreditNotes", note["CreditNoteID"])]


@SALES.of("credit_note.in_page")
def _notes_in_page(b: Bookkeeper) -> list[Element]:
    many_notes(b)
    return b.list("CreditNotes", page="1")


@SALES.of("credit_note.in_list")
def _notes_in_list(b: Bookkeeper) -> list[Element]:
    many_notes(b)
    return b.list("CreditNotes")
