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
from caspen_xero.xero.documents import Contact, CreditNote, Invoice, Payment
from caspen_xero.xero.errors import NotFound

IDS_PER_CALL = 40  # Xero's advice for id lists in an address
NUMBERS_PER_FILTER = 15
OVERLAP = timedelta(seconds=2)  # If-Modified-Since is accurate to the second; whether inclusive is UNCONFIRMED
_UNAPPROVED = ("DRAFT", "SUBMITTED")
CREDITS: dict[PaymentKind, str] = {
    "credit_note": "CreditNotes",
    "overpayment": "Overpayments",
    "prepayment": "Prepayments",
}


class ReadingClient(Protocol):
    """The reading part of a Xero client."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any: ...
    def pages(
        self, path: str, *, key: str, params: Mapping[str, str] | None = None, since: datetime | None = None
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
    found: dict[str, dict[str, Any]] = {}
    plain = [number for number in dict.fromkeys(numbers) if "," not in number]
    listed = [{"InvoiceNumbers": ",".join(some)} for some in _slices(plain, IDS_PER_CALL)]
    filtered = [{"where": f"InvoiceNumber=={_quoted(number)}"} for number in dict.fromkeys(numbers) if "," in number]
    for which in listed + filtered:
        for element in _invoices(client, which):
            if element.get("Type", "ACCREC") == "ACCREC" and element.get("InvoiceNumber"):
                found[str(element["InvoiceNumber"])] = element
    return found


def invoices_by_id(client: ReadingClient, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Invoices with their lines and payments, by InvoiceID."""
    found: dict[str, dict[str, Any]] = {}
    for some in _slices(list(dict.fromkeys(ids)), IDS_PER_CALL):
        for element in _invoices(client, {"IDs": ",".join(some)}):
            if element.get("InvoiceID"):
                found[str(element["InvoiceID"])] = element
    return found


def _invoices(client: ReadingClient, which: dict[str, str]) -> list[dict[str, Any]]:
    # With a page, so that lines come along: an invoice read without one has none.
    answer = client.get("Invoices", {**which, "page": "1", "pageSize": "100", "unitdp": "4"}).json()
    return [element for element in answer.get("Invoices", []) if isinstance(element, dict)]


def contacts_by_id(client: ReadingClient, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Contacts with their details, archived ones too, by ContactID."""
    found: dict[str, dict[str, Any]] = {}
    for some in _slices(list(dict.fromkeys(ids)), IDS_PER_CALL):
        params = {"IDs": ",".join(some), "includeArchived": "true", "page": "1", "pageSize": "100"}
        for element in client.get("Contacts", params).json().get("Contacts", []):
            found[str(element.get("ContactID"))] = element
    return found


def payment_by_id(client: ReadingClient, payment_id: str) -> dict[str, Any] | None:
    """A payment as Xero has it (deleted ones too), or None."""
    return _one(client, f"Payments/{payment_id}", "Payments")


def credit_note_by_id(client: ReadingClient, credit_note_id: str) -> dict[str, Any] | None:
    """A credit note with its allocations, or None."""
    return _one(client, f"CreditNotes/{credit_note_id}", "CreditNotes", {"unitdp": "4"})


def credit_by_id(client: ReadingClient, kind: PaymentKind, credit_id: str) -> CreditNote | None:
    """A credit note, overpayment or prepayment with its allocations, or None."""
    plural = CREDITS[kind]
    element = _one(client, f"{plural}/{credit_id}", plural)
    return CreditNote.model_validate(element) if element else None


def credit_notes_numbered(client: ReadingClient, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The sales credit notes with these numbers as Xero has them, by number."""
    found: dict[str, dict[str, Any]] = {}
    for some in _slices(list(dict.fromkeys(numbers)), NUMBERS_PER_FILTER):
        where = " OR ".join(f"CreditNoteNumber=={_quoted(number)}" for number in some)
        answer = client.get("CreditNotes", {"where": where, "page": "1", "pageSize": "100", "unitdp": "4"}).json()
        for element in answer.get("CreditNotes", []):
            if element.get("Type", "ACCRECCREDIT") == "ACCRECCREDIT" and element.get("CreditNoteNumber"):
                found[str(element["CreditNoteNumber"])] = element
    return found


def _one(
    client: ReadingClient, path: str, plural: str, params: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    try:
        elements = client.get(path, params).json().get(plural) or []
    except NotFound:
        return None
    return elements[0] if elements else None


def _quoted(text: str) -> str:
    """A text as Xero's filters take it: the quotation mark is doubled."""
    return '"' + text.replace('"', '""') + '"'


def _slices(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


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
