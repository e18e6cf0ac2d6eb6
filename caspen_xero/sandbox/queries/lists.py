"""Reading lists: filters, If-Modified-Since, order, pages, and how much of each document a list shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import KINDS, Body, folded
from caspen_xero.sandbox.books.refusals import bad_filter, broken
from caspen_xero.sandbox.books.resource import Resource
from caspen_xero.sandbox.books.wire import read_id, read_since
from caspen_xero.sandbox.queries.filter_fields import FILTER_FIELDS, FOLDED, columns_of, lookup
from caspen_xero.sandbox.queries.where import (
    Compare,
    Filter,
    FilterError,
    Negated,
    NothingThere,
    Value,
    matches,
    narrowed,
    parse,
)
from caspen_xero.sandbox.seam import ApiRequest

PAGE_SIZE, LARGEST_PAGE = 100, 1000
# Parameters that list values, and the column that holds them; a prepayment's number is its reference.
_LISTS = {
    "Invoices": {"InvoiceNumbers": "number", "ContactIDs": "owner_id", "Statuses": "status"},
    "Overpayments": {"References": "reference"},
    "Prepayments": {"InvoiceNumbers": "reference"},
}
_SEARCHED = {
    "Invoices": ("InvoiceNumber", "Reference"),
    "Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress"),
}


@dataclass
class Query:
    """What a list asks for, in SQL where the columns can say it, else as a filter over the documents."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    filter: Filter | None = None
    search: str = ""
    order: list[tuple[str, bool]] = field(default_factory=list)
    page: int = 0  # 0: not paged
    page_size: int = PAGE_SIZE
    summary: bool = False
    archived: bool = False  # what is archived below an element is shown too

    def one_of(self, column: str, values: list[Any]) -> None:
        self.conditions.append(f"{column} IN ({','.join('?' * len(values))})")
        self.values += values


def read_query(resource: Resource, request: ApiRequest) -> Query:
    """Understands the request's parameters. Raises RequestRefused (400, 16) for a filter or an order that can't be read."""
    kind, params, headers = resource.kind, request.params, request.headers
    query = Query()
    if resource.changes and (since := read_since(headers.get("if-modified-since", ""))) is not None:
        query.conditions.append("updated >= ?")  # the whole second of the header counts (UNCONFIRMED)
        query.values.append(since * 1000)
    _read_lists(kind, params, query)
    if kind == "Invoices" and params.get("createdByMyApp", "").lower() == "true":
        query.conditions.append("json_extract(body, '$.App') = ?")
        query.values.append(request.client_id)
    if kind in FILTER_FIELDS and (where := params.get("where", "").strip()):
        _read_where(kind, where, query)
    if kind in FILTER_FIELDS and (order := params.get("order", "").strip()):
        _read_order(kind, order, query)
    query.summary = kind in ("Invoices", "Contacts") and params.get("summaryOnly", "").lower() == "true"
    query.search = params.get("searchTerm", "").casefold() if kind in _SEARCHED else ""
    forced = query.summary or (kind == "Invoices" and bool(params.get("Statuses")))
    if resource.paged and (params.get("page") or forced):
        query.page = max(1, _whole(params.get("page", ""), 1))
        query.page_size = min(LARGEST_PAGE, max(1, _whole(params.get("pageSize", ""), PAGE_SIZE)))
    return query


def _whole(text: str, otherwise: int) -> int:
    try:
        return min(int(text), 10**9)
    except ValueError:
        return otherwise


def _read_lists(kind: str, params: Mapping[str, str], query: Query) -> None:
    if kind in ("Invoices", "Contacts") and params.get("IDs"):
        query.one_of("id", [read_id(text) for text in params["IDs"].split(",")])
    for name, column in _LISTS.get(kind, {}).items():
        if params.get(name):
            values = [text.strip() for text in params[name].split(",")]
            query.one_of(column, [read_id(text) for text in values] if name == "ContactIDs" else values)
    archived = params.get("includeArchived", "").lower() == "true"
    if kind in ("Contacts", "TrackingCategories") and not archived:
        query.conditions.append("status = 'ACTIVE'")
    elif kind == "TrackingCategories":
        query.conditions.append("status != 'DELETED'")
        query.archived = True


def _read_where(kind: str, text: str, query: Query) -> None:
    fields = FILTER_FIELDS[kind]
    try:
        query.filter = _without_case(kind, parse(text, {name.lower(): name for name in fields}))
    except FilterError as error:
        raise bad_filter(messages.WHERE_NOT_READABLE(reason=error)) from error
    conditions, exact = narrowed(query.filter, columns_of(kind))
    for column, values in conditions:
        query.one_of(column, values)
    if exact:
        query.filter = None


def _without_case(kind: str, found: Filter) -> Filter:
    """Folds the constants that are compared with folded fields, and spells ids as they are kept."""
    if isinstance(found, Compare):
        if found.field.endswith("ID") and isinstance(found.value, str):
            return replace(found, value=read_id(found.value))
        fold = found.field in FOLDED.get(kind, ()) and isinstance(found.value, str)
        return replace(found, value=folded(str(found.value))) if fold else found
    if isinstance(found, Negated):
        return Negated(_without_case(kind, found.inner))
    return type(found)(_without_case(kind, found.left), _without_case(kind, found.right))


def _read_order(kind: str, text: str, query: Query) -> None:
    names = {name.lower(): name for name in FILTER_FIELDS[kind]}
    for part in text.split(","):
        words = part.split()
        descending = len(words) == 2 and words[1].upper() in ("DESC", "DESCENDING")
        known = len(words) == 1 or (len(words) == 2 and words[1].upper() in ("ASC", "ASCENDING", "DESC", "DESCENDING"))
        if not known or words[0].lower() not in names:
            raise bad_filter(messages.ORDER_NOT_READABLE(reason=f"'{part.strip()}'"))
        query.order.append((names[words[0].lower()], descending))


def run_query(desk: Desk, resource: Resource, query: Query) -> tuple[list[Body], dict[str, int] | None]:
    """The documents of a list, and `pagination` where it is paged.

    Raises RequestRefused where the filter doesn't go with them.
    """
    condition = " AND ".join(query.conditions) or "1"
    order = _sql_order(resource, query)
    if order is not None and query.filter is None and not query.search:
        if not query.page:
            return desk.ledger.select(resource.kind, condition, query.values, order), None
        total = desk.ledger.count(resource.kind, condition, query.values)
        window = f"{order} LIMIT {query.page_size} OFFSET {(query.page - 1) * query.page_size}"
        return desk.ledger.select(resource.kind, condition, query.values, window), _pagination(query, total)
    found = desk.ledger.select(resource.kind, condition, query.values, order or "ORDER BY updated, id")
    if order is None or query.filter is not None:
        desk.ledger.read_all("Contacts", (body["ContactID"] for body in found if "ContactID" in body))
    try:
        found = [body for body in found if _passes(desk, resource.kind, body, query)]
    except FilterError as error:
        raise bad_filter(messages.WHERE_NOT_READABLE(reason=error)) from error
    except NothingThere as error:
        raise broken(messages.BROKEN()) from error
    for name, descending in reversed(query.order if order is None else []):
        found.sort(key=lambda body: _sortable(lookup(desk, resource.kind, body, name)), reverse=descending)
    if not query.page:
        return found, None
    start = (query.page - 1) * query.page_size
    return found[start : start + query.page_size], _pagination(query, len(found))


def _passes(desk: Desk, kind: str, body: Body, query: Query) -> bool:
    if query.search and not any(query.search in str(body.get(name, "")).casefold() for name in _SEARCHED[kind]):
        return False
    return query.filter is None or matches(query.filter, lambda name: lookup(desk, kind, body, name))


def _sortable(value: Value) -> tuple[bool, Any]:
    return value is not None, 0 if value is None else value


def _sql_order(resource: Resource, query: Query) -> str | None:
    """The resource's own order (by change, then id, of most) unless asked otherwise; None for one that only the documents know."""
    if not query.order:
        return f"ORDER BY {resource.order}"
    names = {"UpdatedDateUTC": "updated", KINDS[resource.kind].id: "id"}
    if not all(name in names for name, _ in query.order):
        return None
    parts = [f"{names[name]} {'DESC' if descending else 'ASC'}" for name, descending in query.order]
    return f"ORDER BY {', '.join(parts)}, id"


def _pagination(query: Query, total: int) -> dict[str, int]:
    pages = -(-total // query.page_size)
    return {"page": query.page, "pageSize": query.page_size, "pageCount": pages, "itemCount": total}


def list_view(query: Query) -> str:
    """How much a list shows: without `page`, documents come without their lines."""
    if query.summary:
        return "summary"
    if query.archived:
        return "full"
    return "page" if query.page else "list"
