"""One specification for each kind of step. A new kind is a class in one of these files, and its name in this list."""

from __future__ import annotations

from caspen_xero.sync.planning.steps import StepKind
from caspen_xero.sync.sending.steps.contacts import CreateContact, LinkContact, UpdateContact
from caspen_xero.sync.sending.steps.credit_notes import (
    AdoptAllocation,
    AllocateCreditNote,
    AuthoriseCreditNote,
    CreateCreditNote,
    RemoveAllocation,
    VoidCreditNote,
)
from caspen_xero.sync.sending.steps.invoices import (
    AuthoriseInvoice,
    CreateInvoice,
    KeepInvoice,
    UpdateInvoice,
    VoidInvoice,
)
from caspen_xero.sync.sending.steps.payments import (
    AdoptPayment,
    CreatePayment,
    DeletePayment,
    NoteRemovedPayment,
)
from caspen_xero.sync.sending.steps.specification import Count, Link, Specification, Write

__all__ = ["SPECIFICATIONS", "Count", "Link", "Specification", "Write", "specification", "write_of"]

SPECIFICATIONS: tuple[Specification, ...] = (
    VoidInvoice(),
    CreateContact(),
    LinkContact(),
    CreatePayment(),
    DeletePayment(),
    CreateCreditNote(),
    AllocateCreditNote(),
    UpdateContact(),
    CreateInvoice(),
    UpdateInvoice(),
    AuthoriseInvoice(),
    KeepInvoice(),
    AdoptPayment(),
    AdoptAllocation(),
    NoteRemovedPayment(),
    AuthoriseCreditNote(),
    RemoveAllocation(),
    VoidCreditNote(),
)
_BY_KIND = {one.kind: one for one in SPECIFICATIONS}


def specification(kind: StepKind) -> Specification:
    """The specification of a kind of step."""
    return _BY_KIND[kind]


def write_of(kind: StepKind) -> Write:
    """The same, of a kind that writes to Xero."""
    found = _BY_KIND[kind]
    assert isinstance(found, Write)
    return found
