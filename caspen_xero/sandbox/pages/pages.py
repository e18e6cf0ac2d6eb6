"""What a person sees of the sandbox in a browser: its organisations, their documents, and the requests that came.

The pages read the books through the API's own GET, so they show what an app would see. Xero's links to an invoice and
to a contact (`/app/{ShortCode}/...`) work here too.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal
from urllib.parse import quote, urlencode

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.books.wire import from_json
from caspen_xero.sandbox.exchange import Exchange, Handler, html_answer, redirect
from caspen_xero.sandbox.organisation.organisations import Organisation
from caspen_xero.sandbox.organisation.tenants import Tenants
from caspen_xero.sandbox.pages import markup
from caspen_xero.sandbox.pages.document_pages import (
    CONTACT_ROWS,
    LISTS,
    contact_page,
    credit_note_page,
    home,
    invoice_page,
    organisation_facts,
)
from caspen_xero.sandbox.request_log import RequestLog
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest

FIRST_ROWS = 10
ROWS = 100
NEWEST_REQUESTS = 200
_FIGURE = re.compile(r'"\\u0000([^"]*)"')


class Pages:
    """The pages."""

    def __init__(self, api: Api, tenants: Tenants, log: RequestLog) -> None:
        self.api, self.tenants, self.log = api, tenants, log

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        return [
            ("GET", "/", self.overview),
            ("GET", "/app/{short_code}/invoicing/view/{id}", self.invoice),
            ("POST", "/app/{short_code}/invoicing/view/{id}/paid", self.mark_paid),
            ("GET", "/app/{short_code}/contacts/contact/{id}", self.contact),
            ("GET", "/app/{short_code}/creditnotes/view/{id}", self.credit_note),
            ("GET", "/app/{short_code}/{kind}", self.list),
            ("GET", "/requests", self.requests),
            ("GET", "/requests/{id}", self.request),
        ]

    # an organisation

    def overview(self, exchange: Exchange) -> ApiAnswer:
        """The organisation, the newest of its documents, and the newest requests."""
        short_code = exchange.query.get("organisation")
        organisation = self.tenants.by_short_code(short_code) if short_code else self.tenants.first()
        if organisation is None:
            return _missing("organisation")
        body = self._get(organisation, "Organisation")["Organisations"][0]
        parts = [
            f"<h1>{markup.text(organisation.name)}</h1>",
            organisation_facts(body),
            *(self._section(organisation, kind, FIRST_ROWS) for kind in LISTS),
            "<h2>Requests</h2>",
            self._requests_table(FIRST_ROWS),
        ]
        return self._page(organisation.name, organisation, *parts)

    def list(self, exchange: Exchange) -> ApiAnswer:
        """All documents of one kind, a hundred at a time."""
        organisation, kind = self._organisation(exchange), exchange.captured["kind"]
        if organisation is None or kind not in LISTS:
            return _missing("page")
        number = exchange.query.get("page", "1")
        page = int(number) if number.isdecimal() and number.isascii() else 1
        return self._page(LISTS[kind].title, organisation, self._section(organisation, kind, ROWS, max(1, page), "h1"))

    def _section(
        self, organisation: Organisation, kind: str, rows: int, page: int = 1, heading: Literal["h1", "h2"] = "h2"
    ) -> str:
        shown = LISTS[kind]
        query = {"page": str(page), "pageSize": str(rows), "order": "UpdatedDateUTC DESC"}
        if kind == CONTACT_ROWS:
            query["includeArchived"] = "true"
        answer = self._get(organisation, shown.endpoint, query)
        count = int(answer.get("pagination", {}).get("itemCount", 0))
        table = markup.table(shown.columns, (shown.row(organisation, one) for one in answer[shown.endpoint]))
        base, more = home(organisation), ""
        if page > 1:
            more += markup.link(f"{base}/{kind}?page={page - 1}", "Newer") + " "
        if count > page * rows:
            following = f"{base}/{kind}" + (f"?page={page + 1}" if rows == ROWS else "")
            more += markup.link(following, "Older" if rows == ROWS else f"All {count}")
        return f"<{heading}>{markup.text(shown.title)}</{heading}>{table}<p>{more}</p>"

    def invoice(self, exchange: Exchange) -> ApiAnswer:
        """One invoice, with the button that pays it."""
        organisation, found = self._document(exchange, "Invoices")
        if organisation is None or found is None:
            return _missing("invoice")
        return self._page(found.get("InvoiceNumber") or "Invoice", organisation, invoice_page(organisation, found))

    def mark_paid(self, exchange: Exchange) -> ApiAnswer:
        """What a person does in Xero when the money has come: pays what is due."""
        organisation = self._organisation(exchange)
        if organisation is None:
            return _missing("organisation")
        invoice = f"{home(organisation)}/invoicing/view/{quote(exchange.captured['id'])}"
        try:
            self.api.mark_paid(organisation.tenant_id, exchange.captured["id"])
        except (LookupError, ValueError) as error:
            back = markup.link(invoice, "back to the invoice")
            return _failed(400, "Not paid", markup.text(error), f"go {back}, which says what is still due.")
        return redirect(invoice, 303)

    def contact(self, exchange: Exchange) -> ApiAnswer:
        organisation, found = self._document(exchange, "Contacts")
        if organisation is None or found is None:
            return _missing("contact")
        return self._page(found.get("Name") or "Contact", organisation, contact_page(found))

    def credit_note(self, exchange: Exchange) -> ApiAnswer:
        organisation, found = self._document(exchange, "CreditNotes")
        if organisation is None or found is None:
            return _missing("credit note")
        return self._page(
            found.get("CreditNoteNumber") or "Credit note", organisation, credit_note_page(organisation, found)
        )

    # the requests

    def requests(self, exchange: Exchange) -> ApiAnswer:
        """The newest requests, the newest first."""
        return self._page("Requests", None, "<h1>Requests</h1>", self._requests_table(NEWEST_REQUESTS))

    def request(self, exchange: Exchange) -> ApiAnswer:
        """One request with its answer, as far as they are no secrets."""
        one = self.log.request(exchange.captured["id"])
        if one is None:
            return _missing("request")
        url = one["path"] + (f"?{urlencode(one['query'])}" if one["query"] else "")
        headers = "\n".join(f"{name}: {value}" for name, value in one["headers"].items())
        answer_headers = "\n".join(f"{name}: {value}" for name, value in one["response_headers"].items())
        return self._page(
            f"{one['method']} {one['path']}",
            None,
            f"<h1>{markup.text(one['method'])} {markup.text(url)}</h1>",
            markup.facts([("At", one["at"]), ("Status", _status(one)), ("Fault", one["fault"])]),
            f"<h2>Request</h2><pre>{markup.text(headers)}</pre><pre>{markup.text(_readable(one['body']))}</pre>",
            f"<h2>Answer</h2><pre>{markup.text(answer_headers)}</pre><pre>{markup.text(_readable(one['response_body']))}</pre>",
        )

    def _requests_table(self, rows: int) -> str:
        return markup.table(
            ("At", "Request", "Status", "Trouble asked for"),
            (
                (
                    one["at"][:19],
                    markup.link(f"/requests/{one['id']}", f"{one['method']} {one['path']}"),
                    _status(one),
                    one["fault"],
                )
                for one in self.log.newest(rows)
            ),
        )

    # what they share

    def _organisation(self, exchange: Exchange) -> Organisation | None:
        return self.tenants.by_short_code(exchange.captured["short_code"])

    def _document(self, exchange: Exchange, endpoint: str) -> tuple[Organisation | None, dict[str, Any] | None]:
        organisation = self._organisation(exchange)
        if organisation is None:
            return None, None
        found = self._get(organisation, f"{endpoint}/{exchange.captured['id']}").get(endpoint) or [None]
        return organisation, found[0]

    def _get(self, organisation: Organisation, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        """The books' answer to a GET; nothing for an unknown document."""
        params, headers = {"unitdp": "4"} | (query or {}), {"accept": "application/json"}
        request = ApiRequest("GET", path, params, headers, b"", organisation.tenant_id)
        answer = self.api.handle(request)
        found: dict[str, Any] = from_json(answer.body) if answer.status == 200 else {}
        return found

    def _page(self, title: str, organisation: Organisation | None, *parts: str) -> ApiAnswer:
        here = organisation or self.tenants.first()
        links = [("/?" + urlencode({"organisation": here.short_code}), here.name)]
        links += [(f"{home(here)}/{kind}", shown.title) for kind, shown in LISTS.items()]
        links += [("/requests", "Requests")]
        links += [
            ("/?" + urlencode({"organisation": other.short_code}), other.name)
            for other in self.tenants.all()
            if other != here
        ]
        items = "".join(f"<li>{markup.link(target, label)}</li>" for target, label in links)
        menu = f'<nav aria-label="Pages"><ul>{items}</ul></nav>'
        return html_answer(markup.page(title, *parts, menu=menu))


def _status(one: dict[str, Any]) -> object:
    return "no answer" if one["status"] is None else one["status"]


def _readable(body: str) -> str:
    """JSON in lines, its figures as they were; anything else as it is."""
    try:
        indented = json.dumps(json.loads(body, parse_float=lambda digits: f"\0{digits}"), indent=2)
        return _FIGURE.sub(r"\1", indented)
    except ValueError:
        return body


def _missing(what: str) -> ApiAnswer:
    start = markup.link("/", "the first page")
    return _failed(
        404, "Not found", f"There is no such {markup.text(what)}.", f"go to {start}, which has all there is."
    )


def _failed(status: int, title: str, why: str, then: str) -> ApiAnswer:
    """A page that says what is not there or could not be done, and the way on; all parts are HTML already."""
    body = f'<div class="card failed"><h1>{title}</h1><p>{why}</p><p class="next">Next: {then}</p></div>'
    return html_answer(markup.page(title, body), status)
