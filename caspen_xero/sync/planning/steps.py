"""The steps that a plan is made of, in the order in which they are carried out. Each is one Xero document and one HTTP element."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.errors import NotAnAddress

OperationKind = Literal[
    "link-contact",
    "create-contact",
    "update-contact",
    "remove-allocation",
    "void-credit-note",
    "delete-payment",
    "adopt-payment",
    "keep-invoice",
    "update-invoice",  # before others are created: it may free a number
    "create-invoice",
    "authorise-invoice",
    "void-invoice",
    "create-payment",
    "create-credit-note",
    "authorise-credit-note",
    "allocate-credit-note",
]


@dataclass(frozen=True)
class Route:
    """How an operation travels: method, path (`{id}` is filled per document), the plural that wraps it, and how many go at once."""

    method: Literal["PUT", "POST", "DELETE"]
    path: str
    plural: str
    batch: int = 50
    params: dict[str, str] = field(default_factory=dict)

    def path_of(self, operation: Operation) -> str:
        """The path with the operation's ids in it. Raises `NotAnAddress` for one that has no id's form."""
        path = self.path
        for place, id_ in (("{id}", operation.target), ("{other}", operation.other)):
            if place in path and not is_id(id_):
                raise NotAnAddress(f"{id_!r} is no id of Xero's")
            path = path.replace(place, id_)
        return path


_LIST = {"summarizeErrors": "false"}
_PRICED = {"summarizeErrors": "false", "unitdp": "4"}

ROUTES: dict[OperationKind, Route] = {
    "create-contact": Route("PUT", "Contacts", "Contacts", params=_LIST),
    "update-contact": Route("POST", "Contacts", "Contacts", params=_LIST),
    "remove-allocation": Route("DELETE", "CreditNotes/{id}/Allocations/{other}", "Allocations", batch=1),
    "void-credit-note": Route("POST", "CreditNotes", "CreditNotes", params=_PRICED),
    "delete-payment": Route("POST", "Payments/{id}", "Payments", batch=1),
    "create-invoice": Route("PUT", "Invoices", "Invoices", params=_PRICED),
    "update-invoice": Route("POST", "Invoices", "Invoices", params=_PRICED),
    "authorise-invoice": Route("POST", "Invoices", "Invoices", params=_PRICED),
    "void-invoice": Route("POST", "Invoices", "Invoices", params=_PRICED),
    "create-payment": Route("PUT", "Payments", "Payments", params=_LIST),
    "create-credit-note": Route("PUT", "CreditNotes", "CreditNotes", params=_PRICED),
    "authorise-credit-note": Route("POST", "CreditNotes", "CreditNotes", params=_PRICED),
    "allocate-credit-note": Route("PUT", "CreditNotes/{id}/Allocations", "Allocations", batch=1, params=_LIST),
}

ORDER: tuple[OperationKind, ...] = get_args(OperationKind)


@dataclass(frozen=True)
class Operation:
    """One step for one record.

    `body` is the element for Xero; None while it waits for an earlier step (a contact not yet created). `expected` is what the
    answer is held against: plain JSON values that the journal keeps. `depends_on` names the state that a refusal would belong to.
    """

    kind: OperationKind
    caspen_id: str
    invoice_id: str | None
    number: str | None
    detail: str
    body: dict[str, Any] | None = None
    expected: dict[str, Any] = field(default_factory=dict)
    depends_on: str = ""
    target: str = ""
    other: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be sent now."""
        return self.body is not None
