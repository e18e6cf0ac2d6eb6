"""The Accounting API of the sandbox: which answer a request gets. Sign-in, limits and faults are the front's business."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from caspen_xero.sandbox.api import screens
from caspen_xero.sandbox.api.bodies import elements_of, has_elements
from caspen_xero.sandbox.api.endpoints import ENDPOINTS, SCOPES, WITHOUT_ANY, endpoint_of, read_one
from caspen_xero.sandbox.api.writing import delete_one, summarizes, write
from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import ROUNDINGS
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Books, Ledger
from caspen_xero.sandbox.books.refusals import RequestRefused, bad_data, missing, no_data, not_implemented
from caspen_xero.sandbox.books.resource import Resource
from caspen_xero.sandbox.books.wire import envelope, is_id, json_answer, read_id
from caspen_xero.sandbox.money.allocations import NAMES, Allocator
from caspen_xero.sandbox.organisation.accounts import delete_account
from caspen_xero.sandbox.organisation.founding import found_organisation, furnish
from caspen_xero.sandbox.organisation.items import delete_item
from caspen_xero.sandbox.organisation.organisations import (
    Organisation,
    all_organisations,
    change_organisation,
    organisation_of,
    show_organisation,
)
from caspen_xero.sandbox.organisation.tracking import TrackingOptions, delete_category
from caspen_xero.sandbox.queries.lists import list_view, read_query, run_query
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest, Clock, Params
from caspen_xero.sandbox.settings import Ways

ACTIONS = (
    "CreateApprovedInvoice",
    "CreateDraftInvoice",
    "CreateInvoicePayment",
    "CreateApprovedBill",
    "CreateDraftBill",
)
# What can be deleted by DELETE; an item's answer is empty (OpenAPI).
_DELETED: dict[str, Callable[[Desk, Body], Body | None]] = {
    "Accounts": delete_account,
    "Items": delete_item,
    "TrackingCategories": delete_category,
}
# What Xero has below a document and the sandbox has not.
LEFT_OUT = {"attachments", "cissettings", "email", "history", "onlineinvoice", "pdf"}


def _with_id(element: Body, resource: Resource, document_id: str) -> Body:
    """An element with the id that the path names, whatever it says itself and however it spells that."""
    rest = {name: value for name, value in element.items() if name.lower() != resource.id.lower()}
    return rest | {resource.id: document_id}


class Api:
    """The books of all organisations behind one database connection. It commits nothing: that is the caller's business.

    `rounding` is where half a cent goes: `half-up` (away from zero) or `half-even`; `ways` gives the switches as they stand.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        clock: Clock,
        *,
        rounding: str = "half-up",
        app_name: str = "caspen-xero",
        ways: Callable[[], Ways] = Ways,
    ) -> None:
        self.books = Books(db, clock, ways)
        self.clock = clock
        self.rounding = ROUNDINGS[rounding]
        self.app_name = app_name

    def organisations(self) -> list[Organisation]:
        return all_organisations(self.books)

    def add_organisation(self, name: str, country: str = "AU", *, demo: bool = True, **fields: Any) -> Organisation:
        """Makes an organisation with its country's chart and tax rates; the first one has the same ids in every sandbox."""
        return found_organisation(self.books, name, country, demo, fields)

    def furnish_all(self) -> None:
        """Makes what organisations of an earlier version lack."""
        for organisation in self.organisations():
            furnish(Ledger(self.books, organisation.tenant_id))

    def change_organisation(self, tenant_id: str, fields: dict[str, Any]) -> None:
        """Sets lock dates (`PeriodLockDate`, `EndOfYearLockDate`), any field that GET shows, or a switch.

        `ApprovalLimit`: approvals a month; `Approver` False: AUTHORISED comes back DRAFT; `Adviser` True: the period lock date does
        not bind whoever connected; `KeepsTaxAmount` False: a sent tax is recomputed.
        """
        change_organisation(Ledger(self.books, tenant_id), fields)

    def archive_contact(self, tenant_id: str, contact_id: str) -> None:
        """As a person does in Xero, like the ones below. Raises LookupError for an unknown id, ValueError where Xero refuses."""
        screens.archive_contact(Ledger(self.books, tenant_id), contact_id)

    def restore_contact(self, tenant_id: str, contact_id: str) -> None:
        screens.restore_contact(Ledger(self.books, tenant_id), contact_id)

    def merge_contacts(self, tenant_id: str, contact_id: str, into_id: str) -> None:
        """Merges a contact into another; its MergedToContactID says where it went."""
        screens.merge_contacts(Ledger(self.books, tenant_id), contact_id, into_id)

    def archive_account(self, tenant_id: str, account_id: str) -> None:
        """Archives an account, named by its id or its code."""
        screens.archive_account(Ledger(self.books, tenant_id), account_id)

    def add_item(self, tenant_id: str, code: str, name: str = "") -> None:
        """Adds an item that lines can name by its code."""
        screens.add_item(self._desk(tenant_id), code, name)

    def mark_paid(self, tenant_id: str, invoice_id: str, *, reconciled: bool = False) -> str:
        """Pays what is due on an invoice, today, into the first bank account. Gives the payment's id."""
        return screens.mark_paid(self._desk(tenant_id), invoice_id, reconciled)

    def save_in_old_page(self, tenant_id: str, invoice_id: str) -> None:
        """Saves an invoice in Xero's old web page, which rounds the percentages of its discounts."""
        screens.save_in_old_page(self._desk(tenant_id), invoice_id)

    def reconcile_payment(self, tenant_id: str, payment_id: str, *, reconciled: bool = True) -> None:
        """Matches a payment (with the batch that it is in) with a bank statement line, or takes the match off."""
        screens.reconcile_payment(Ledger(self.books, tenant_id), payment_id, reconciled)

    def reset(self) -> None:
        """Takes all organisations and documents away."""
        self.books.forget_everything()

    def required_scope(self, method: str, path: str) -> frozenset[str] | None:
        """The scopes of which any one suffices for this call; None for a path that doesn't exist."""
        scope = SCOPES.get(endpoint_of(path))
        if scope is None:
            return None
        return frozenset({scope, f"{scope}.read"} if method == "GET" else {scope})

    def handle(self, request: ApiRequest) -> ApiAnswer:
        """The answer to a request whose token and limits are in order. Names of parameters count in any letter case."""
        request = replace(request, params=Params(request.params))
        desk = self._desk(request.tenant_id, 4 if request.params.get("unitdp") == "4" else 2, request.client_id)
        try:
            return self._answer(desk, request, [part for part in request.path.split("/") if part])
        except RequestRefused as refused:
            return refused.answer

    def _desk(self, tenant_id: str, unit_places: int = 4, client_id: str = "") -> Desk:
        return Desk(Ledger(self.books, tenant_id), self.rounding, unit_places, client_id)

    def _answer(self, desk: Desk, request: ApiRequest, path: list[str]) -> ApiAnswer:
        name = endpoint_of(request.path)
        if name == "organisation":
            return self._organisation(desk, request, path)
        if name in WITHOUT_ANY:
            return self._none(WITHOUT_ANY[name], request, path)
        resource = ENDPOINTS.get(name)
        if resource is None or len(path) > 4:
            raise missing()
        if len(path) > 2 and path[2].lower() == "allocations" and resource.kind in NAMES:
            return self._allocations(desk, resource, request, path)
        if len(path) > 2 and path[2].lower() == "options" and resource.kind == "TrackingCategories":
            return self._options(desk, request, path)
        if len(path) > 2:
            raise not_implemented() if path[2].lower() in LEFT_OUT else missing()
        if request.method == "GET":
            return self._read(desk, resource, request, path)
        return self._write(desk, resource, request, path)

    def _none(self, kind: str, request: ApiRequest, path: list[str]) -> ApiAnswer:
        """What the sandbox has none of: an empty list."""
        if request.method != "GET":
            raise not_implemented()
        if len(path) > 1:
            raise missing()
        return self._envelope(kind, [])

    def _organisation(self, desk: Desk, request: ApiRequest, path: list[str]) -> ApiAnswer:
        if request.method != "GET":
            raise not_implemented()
        if len(path) == 1:
            return self._envelope("Organisations", [show_organisation(organisation_of(desk.ledger))])
        if len(path) == 2 and path[1].lower() == "actions":
            return self._envelope("Actions", [{"Name": name, "Status": "ALLOWED"} for name in ACTIONS])
        raise missing()

    def _read(self, desk: Desk, resource: Resource, request: ApiRequest, path: list[str]) -> ApiAnswer:
        if len(path) == 2:
            found = read_one(desk.ledger, resource, path[1])
            if found is None:
                raise missing()
            return self._envelope(resource.kind, [resource.answer(desk, found, "full")])
        query = read_query(resource, request)
        documents, pagination = run_query(desk, resource, query)
        desk.ledger.read_all("Contacts", (body["ContactID"] for body in documents if "ContactID" in body))
        view = list_view(query)
        return self._envelope(resource.kind, [resource.answer(desk, body, view) for body in documents], pagination)

    def _write(self, desk: Desk, resource: Resource, request: ApiRequest, path: list[str]) -> ApiAnswer:
        if request.method == "DELETE" and resource.kind in _DELETED and len(path) == 2:
            return self._delete(desk, resource, path[1])
        if request.method not in ("PUT", "POST") or (request.method == "PUT" and len(path) > 1):
            raise not_implemented()
        elements = elements_of(request.body, resource)
        if (resource.single or len(path) > 1) and len(elements) > 1:
            raise bad_data(f"{resource.kind} takes one element per request")
        if len(path) > 1:
            found = read_one(desk.ledger, resource, path[1])
            if found is None and (resource.kind in ("Payments", "BatchPayments") or not is_id(path[1])):
                raise missing()
            elements = [_with_id(elements[0], resource, found[resource.id] if found else path[1])]
        writer = resource.put if request.method == "PUT" else resource.post
        return self._envelope(
            resource.kind, write(desk, resource, writer, elements, summarizes(resource, request.params))
        )

    def _allocations(self, desk: Desk, resource: Resource, request: ApiRequest, path: list[str]) -> ApiAnswer:
        credit = read_one(desk.ledger, resource, path[1])
        if credit is None:
            raise missing()
        allocator = Allocator(resource.kind, credit[resource.id])
        if request.method == "DELETE" and len(path) == 4:
            undone = delete_one(desk, lambda: allocator.undo(desk, read_id(path[3])))
            if undone is None:
                raise missing()
            if desk.ledger.ways.undone_allocation == "bare":
                return json_answer(undone)
            return self._envelope("Allocations", [undone])
        if request.method != "PUT" or len(path) != 3:
            raise not_implemented()
        if not has_elements(request.body, "Allocations"):
            raise no_data(messages.NO_DATA(what="Allocation"))
        below = allocator.resource()
        elements = elements_of(request.body, below)
        written = write(desk, below, below.put, elements, summarizes(below, request.params))
        return self._envelope("Allocations", written)

    def _options(self, desk: Desk, request: ApiRequest, path: list[str]) -> ApiAnswer:
        """The options of a tracking category: PUT makes one or many, POST changes one, DELETE takes one away."""
        category = desk.ledger.find("TrackingCategories", read_id(path[1]))
        if category is None:
            raise missing()
        options = TrackingOptions(category["TrackingCategoryID"])
        below, named = options.resource(), None
        if len(path) == 4:
            named = options.named(desk, read_id(path[3]))
            if named is None:
                raise missing()
            if request.method == "DELETE":
                deleted = named
                return self._envelope("Options", [delete_one(desk, lambda: options.delete(desk, deleted))])
        if request.method != ("PUT" if named is None else "POST"):
            raise not_implemented()
        elements = elements_of(request.body, below)
        if named is not None:
            elements = [_with_id(elements[0], below, named[below.id])]
        writer = below.put if named is None else below.post
        return self._envelope("Options", write(desk, below, writer, elements, summarize=True))

    def _delete(self, desk: Desk, resource: Resource, name: str) -> ApiAnswer:
        found = read_one(desk.ledger, resource, name)
        if found is None:
            raise missing()
        deleted = delete_one(desk, lambda: _DELETED[resource.kind](desk, found))
        return ApiAnswer(204) if deleted is None else self._envelope(resource.kind, [deleted])

    def _envelope(self, key: str, elements: list[Any], pagination: dict[str, int] | None = None) -> ApiAnswer:
        return json_answer(envelope(self.app_name, self.clock.now(), key, elements, pagination))

    def state(self, tenant_id: str) -> dict[str, Any]:
        """Every document of an organisation as GET by its id shows it, voided and deleted ones too; each under its own id."""
        desk = self._desk(tenant_id)
        desk.ledger.ways = replace(desk.ledger.ways, batch_member_id="own", absent_keys="shown")
        shown: dict[str, Any] = {"Organisation": show_organisation(organisation_of(desk.ledger))}
        for resource in ENDPOINTS.values():
            documents: list[Body] = desk.ledger.select(resource.kind, suffix="ORDER BY rowid")
            # GET by id leaves some keys out where there is nothing to say; whoever looks at the state shall find them.
            nothing: Body = {"Payments": [], "CreditNotes": [], "AmountCredited": 0}
            always = nothing if resource.kind == "Invoices" else {}
            shown[resource.kind] = [always | resource.show(desk, body, "full") for body in documents]
        return shown
