"""Looking documents up in Xero: after a lost answer, and where Xero says that a number is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from caspen_xero.store.journal import EntryDocument
from caspen_xero.store.mappings import KnownContact, Mappings
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.store.xero_payments import PaymentKind
from caspen_xero.sync.planning.compare import contact_shape, differences, invoice_shape
from caspen_xero.xero.addresses import Params, in_calls, is_id, named
from caspen_xero.xero.documents import Contact, CreditNote, Invoice, Payment
from caspen_xero.xero.errors import NotFound

OVERLAP = timedelta(seconds=2)  # If-Modified-Since is accurate to the second; whether inclusive is UNCONFIRMED
_UNAPPROVED = ("DRAFT", "SUBMITTED")
_PAGE = {"page": "1", "pageSize": "100"}  # with a page, so that lines come along: an invoice read without one has none
_PRICED_PAGE = {**_PAGE, "unitdp": "4"}
CREDITS: dict[PaymentKind, str] = {
    "credit_note": "CreditNotes",
    "overpayment": "Overpayments",
    "prepayment": "Prepayments",
}


class ReadingClient(Protocol):
    """The reading part of a Xero client."""

    def get(self, path: str, params: Params | None = None) -> Any: ...
    def pages(
        self, path: str, *, key: str, params: Params | None = None, since: datetime | None = None
    ) -> Iterator[list[dict[str, Any]]]: ...


def read_contacts(client: ReadingClient, mappings: Mappings, *, anew: bool = False) -> None:
    """Brings what is known of Xero's contacts up to date: one call per 1,000 contacts that changed since the last reading."""
    cursor = None if anew else utc_time(mappings.setting("contacts_cursor"))
    since = cursor - OVERLAP if cursor else None
    # Not summaryOnly: whether that shows MergedToContactID and ContactNumber is UNCONFIRMED.
    params = {"includeArchived": "true"}
    for page in client.pages("Contacts", key="Contacts", params=params, since=since):
        known: list[KnownContact] = []
        for element in page:
            contact = Contact.model_validate(element)
            if not contact.contact_id:
                continue
            known.append(
                KnownContact(
                    xero_id=contact.contact_id,
                    name=contact.name or "",
                    number=contact.contact_number,
                    status=contact.contact_status or "ACTIVE",
                    merged_to=contact.merged_to_contact_id,
                    updated_at=contact.updated_date_utc,
                )
            )
            if contact.updated_date_utc and (cursor is None or contact.updated_date_utc > cursor):
                cursor = contact.updated_date_utc
        with mappings.store.write():
            mappings.put_contacts(known)
            if cursor:
                mappings.set_setting("contacts_cursor", utc_text(cursor))


def invoices_numbered(client: ReadingClient, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The sales invoices with these numbers as Xero has them, by number; voided and deleted ones too."""
    in_list = [number for number in numbers if "," not in number]
    # A comma parts the numbers of a list, so a number that holds one goes into a filter; alone, as on a large organisation Xero
    # refuses an OR of anything but ids (its Invoices page).
    alone = [number for number in numbers if "," in number]
    calls = in_calls(in_list, lambda some: {"InvoiceNumbers": ",".join(some), **_PRICED_PAGE})
    calls += in_calls(alone, lambda some: {"where": named("InvoiceNumber", some[0]), **_PRICED_PAGE}, most=1)
    found = (element for params in calls for element in _listed(client, "Invoices", params))
    return {
        str(element["InvoiceNumber"]): element
        for element in found
        if element.get("Type", "ACCREC") == "ACCREC" and element.get("InvoiceNumber")
    }


def invoices_by_id(client: ReadingClient, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Invoices with their lines and payments, by InvoiceID; like all that is looked up by ids, without what is no id."""
    calls = in_calls(filter(is_id, ids), lambda some: {"IDs": ",".join(some), **_PRICED_PAGE})
    found = (element for params in calls for element in _listed(client, "Invoices", params))
    return {str(element["InvoiceID"]): element for element in found if element.get("InvoiceID")}


def contacts_by_id(client: ReadingClient, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Contacts with their details, archived ones too, by ContactID."""
    calls = in_calls(filter(is_id, ids), lambda some: {"IDs": ",".join(some), "includeArchived": "true", **_PAGE})
    found = (element for params in calls for element in _listed(client, "Contacts", params))
    return {str(element["ContactID"]): element for element in found if element.get("ContactID")}


def payments_by_id(client: ReadingClient, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Payments (reconciled or not, in a batch or not) by PaymentID; asks as `payment_calls` says."""
    found = (element for params in payment_calls(ids) for element in _listed(client, "Payments", params))
    return {str(element["PaymentID"]): element for element in found if element.get("PaymentID")}


def payment_calls(ids: Sequence[str]) -> list[Params]:
    """The parameters of the calls that it takes to read payments by their ids."""
    return in_calls(
        filter(is_id, ids),
        lambda some: {"where": " OR ".join(f'PaymentID==guid("{id_}")' for id_ in some), **_PAGE},
    )


def payment_by_id(client: ReadingClient, payment_id: str) -> dict[str, Any] | None:
    """A payment as Xero has it (deleted ones too), or None."""
    return _one(client, "Payments", payment_id)


def credit_note_by_id(client: ReadingClient, credit_note_id: str) -> dict[str, Any] | None:
    """A credit note with its allocations, or None."""
    return _one(client, "CreditNotes", credit_note_id, {"unitdp": "4"})


def credit_by_id(client: ReadingClient, kind: PaymentKind, credit_id: str) -> CreditNote | None:
    """A credit note, overpayment or prepayment with its allocations, or None."""
    element = _one(client, CREDITS[kind], credit_id)
    return CreditNote.model_validate(element) if element else None


def credit_notes_numbered(client: ReadingClient, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The sales credit notes with these numbers as Xero has them, by number."""
    calls = in_calls(
        numbers,
        lambda some: {"where": " OR ".join(named("CreditNoteNumber", number) for number in some), **_PRICED_PAGE},
    )
    found = (element for params in calls for element in _listed(client, "CreditNotes", params))
    return {
        str(element["CreditNoteNumber"]): element
        for element in found
        if element.get("Type", "ACCRECCREDIT") == "ACCRECCREDIT" and element.get("CreditNoteNumber")
    }


def _listed(client: ReadingClient, plural: str, params: Params) -> list[dict[str, Any]]:
    elements = client.get(plural, params).json().get(plural) or []
    return [element for element in elements if isinstance(element, dict)]


def _one(client: ReadingClient, plural: str, id_: str, params: Params | None = None) -> dict[str, Any] | None:
    """A document by its id, or None; what has no id's form can't be there, and is not asked for."""
    if not is_id(id_):
        return None
    try:
        elements = client.get(f"{plural}/{id_}", params).json().get(plural) or []
    except NotFound:
        return None
    return elements[0] if elements else None


class LookUp:
    """Finds the documents of a write whose answer is unknown. What is not found was never done."""

    def __init__(self, client: ReadingClient, mappings: Mappings) -> None:
        self.client, self.mappings = client, mappings

    def __call__(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        """What Xero has of the documents, by position, in the shape of an answer's element."""
        return self._FIND[documents[0].operation](self, documents) if documents else {}

    def _contacts(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        read_contacts(self.client, self.mappings)
        known = {
            contact.number: contact for contact in self.mappings.contacts_numbered(d.number or "" for d in documents)
        }
        ids = {number: contact.xero_id for number, contact in known.items() if contact.status == "ACTIVE"}
        found = contacts_by_id(self.client, list(ids.values()))  # with their details
        return {d.position: found[ids[d.number]] for d in documents if d.number in ids and ids[d.number] in found}

    def _new_invoices(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found = invoices_numbered(self.client, [document.number or "" for document in documents])
        linked = self.mappings.links_to(str(element["InvoiceID"]) for element in found.values())
        ours: dict[int, dict[str, Any]] = {}
        for document in documents:
            element = found.pop(document.number or "", None)  # two of one number can't both be it
            if element is None or not same_invoice(element, document.expected):
                continue
            link = linked.get(str(element["InvoiceID"]))
            if link is None or link.caspen_id == document.caspen_id:
                ours[document.position] = element
        return ours

    def _known_invoices(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found = invoices_by_id(self.client, [str(document.expected["target"]) for document in documents])
        return {
            document.position: found[str(document.expected["target"])]
            for document in documents
            if str(document.expected["target"]) in found
        }

    def _updated_invoices(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        # Writing an update again by id does no harm, so only one that shows all that we wrote is taken as done.
        known = self._known_invoices(documents)
        return {
            d.position: known[d.position] for d in documents if d.position in known and _shows(known[d.position], d)
        }

    def _approved_invoices(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        known = self._known_invoices(documents)
        return {position: found for position, found in known.items() if found.get("Status") not in _UNAPPROVED}

    def _voided_invoices(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        known = self._known_invoices(documents)
        return {position: found for position, found in known.items() if found.get("Status") in {"VOIDED", "DELETED"}}

    def _approved_credit_notes(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        known = self._known_credit_notes(documents)
        return {position: found for position, found in known.items() if found.get("Status") not in _UNAPPROVED}

    def _voided_credit_notes(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        known = self._known_credit_notes(documents)
        return {position: found for position, found in known.items() if found.get("Status") in {"VOIDED", "DELETED"}}

    def _known_contacts(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found = contacts_by_id(self.client, [str(document.expected["target"]) for document in documents])
        shapes = {d.position: contact_shape(found.get(str(d.expected["target"]), {})) for d in documents}
        return {
            d.position: found[str(d.expected["target"])]
            for d in documents
            if shapes[d.position] and shapes[d.position] == d.expected.get("shape")
        }

    def _payments(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        invoices = invoices_by_id(self.client, [str(document.expected["invoice_xero_id"]) for document in documents])
        shown = {id_: invoice.get("Payments") or [] for id_, invoice in invoices.items()}
        linked = self.mappings.links_to(str(one.get("PaymentID")) for some in shown.values() for one in some)
        found: dict[int, dict[str, Any]] = {}
        taken: set[str] = set()
        for document in documents:
            for payment in shown.get(str(document.expected["invoice_xero_id"]), ()):
                # Earlier versions could give two payments one Reference: each is one of Xero's, and its own.
                id_, amount = str(payment.get("PaymentID")), Payment.model_validate(payment).amount
                is_anothers = id_ in taken or (id_ in linked and linked[id_].caspen_id != document.caspen_id)
                if (
                    payment.get("Reference") == document.number
                    and payment.get("Status") != "DELETED"
                    and amount == Decimal(str(document.expected["amount"]))
                    and not is_anothers
                ):
                    found[document.position] = payment
                    taken.add(id_)
                    break
        return found

    def _deleted_payments(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        payments = {
            document.position: payment_by_id(self.client, str(document.expected["target"])) for document in documents
        }
        return {position: found for position, found in payments.items() if found and found.get("Status") == "DELETED"}

    def _new_credit_notes(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found = credit_notes_numbered(self.client, [document.number or "" for document in documents])
        return {
            document.position: found[document.number or ""]
            for document in documents
            if document.number in found and same_credit_note(found[document.number], document.expected)
        }

    def _known_credit_notes(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        notes = {d.position: credit_note_by_id(self.client, str(d.expected["target"])) for d in documents}
        return {position: note for position, note in notes.items() if note}

    def _allocations(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for document in documents:
            note = credit_note_by_id(self.client, str(document.expected["target"])) or {}
            for allocation in note.get("Allocations") or []:
                invoice = allocation.get("Invoice") or {}
                if invoice.get("InvoiceID") == document.expected["invoice_xero_id"]:
                    found[document.position] = allocation
        return found

    def _removed_allocations(self, documents: Sequence[EntryDocument]) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for document in documents:
            note = credit_note_by_id(self.client, str(document.expected["target"])) or {}
            left = {allocation.get("AllocationID") for allocation in note.get("Allocations") or []}
            if document.expected["other"] not in left:
                found[document.position] = {}
        return found

    _FIND: dict[str, Callable[[LookUp, Sequence[EntryDocument]], dict[int, dict[str, Any]]]] = {  # noqa: RUF012 - a table
        "create-contact": _contacts,
        "update-contact": _known_contacts,
        "create-invoice": _new_invoices,
        "update-invoice": _updated_invoices,
        "authorise-invoice": _approved_invoices,
        "void-invoice": _voided_invoices,
        "create-payment": _payments,
        "delete-payment": _deleted_payments,
        "create-credit-note": _new_credit_notes,
        "authorise-credit-note": _approved_credit_notes,
        "void-credit-note": _voided_credit_notes,
        "allocate-credit-note": _allocations,
        "remove-allocation": _removed_allocations,
    }


def same_invoice(element: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether an invoice in Xero is the one that was to be written: same contact, same total, alive."""
    found = Invoice.model_validate(element)
    return (
        found.contact is not None
        and found.contact.contact_id == expected.get("contact_id")
        and found.total == Decimal(str(expected.get("total")))
        and found.status not in {"VOIDED", "DELETED"}
    )


def same_credit_note(element: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether a credit note in Xero is the one that was to be written: same contact, same total, alive."""
    found = CreditNote.model_validate(element)
    return (
        found.contact is not None
        and found.contact.contact_id == expected.get("contact_id")
        and found.total == Decimal(str(expected.get("total")))
        and found.status not in {"VOIDED", "DELETED"}
    )


def _shows(element: Mapping[str, Any], document: EntryDocument) -> bool:
    return not differences(document.expected.get("shape") or {}, invoice_shape(Invoice.model_validate(element)))
