"""A bookkeeper at the books themselves: one organisation in memory, no HTTP, no sign-in."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest, Clock
from caspen_xero.sandbox.settings import Ways

USUAL = {
    "AU": ("OUTPUT", "EXEMPTOUTPUT"),
    "NZ": ("OUTPUT2", "ZERORATED"),
    "GB": ("OUTPUT2", "EXEMPTOUTPUT"),
    "US": ("OUTPUT", "NONE"),
    "SG": ("OUTPUTY24", "ZERORATEDOUTPUT"),
}
"""Of each country the tax types of a usual sale, and of one that carries no tax."""
NOWHERE = "00000000-0000-0000-0000-000000000000"
Element = dict[str, Any]


class Bookkeeper:
    """Puts and reads documents of one organisation; what is refused comes back as Xero's words. `ways`: the switches turned."""

    def __init__(self, country: str = "AU", rounding: str = "half-up", **ways: Any) -> None:
        self.clock = Clock()
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.ways = ways
        self.api = Api(self.db, self.clock, rounding=rounding, ways=lambda: Ways(**ways))
        self.tenant = self.api.add_organisation("Harbour Street Physiotherapy", country).tenant_id
        (self.income, self.free), self.bank = USUAL[country], "090"

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **params: str
    ) -> ApiAnswer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, default=str).encode()
        return self.api.handle(ApiRequest(method, path, params, headers or {}, raw, self.tenant))

    def page(self, path: str, headers: dict[str, str] | None = None, **params: str) -> Element:
        answer = self.ask("GET", path, headers=headers, **params)
        assert answer.status == 200, answer.body
        return json.loads(answer.body, parse_float=Decimal)

    def list(self, path: str, headers: dict[str, str] | None = None, **params: str) -> list[Element]:
        return self.page(path, headers, **params)[path.partition("/")[0]]

    def read(self, kind: str, name: str, **params: str) -> Element:
        return self.list(f"{kind}/{name}", **params)[0]

    def send(self, method: str, path: str, *elements: Element, **params: str) -> list[Element]:
        """The elements of the answer, each with its own status (settings have none: there the whole request is refused)."""
        plural = next((part for part in ("Allocations", "Options") if f"/{part}" in path), path.partition("/")[0])
        answer = self.ask(method, path, {plural: list(elements)}, summarizeErrors="false", **params)
        body = json.loads(answer.body, parse_float=Decimal)
        if plural in ("Accounts", "TaxRates", "Currencies", "TrackingCategories", "Options"):
            status = {"StatusAttributeString": "OK" if answer.status == 200 else "ERROR"}
            return [element | status for element in body.get(plural, body.get("Elements"))]
        assert answer.status == 200, answer.body
        return body[plural]

    def put(self, path: str, element: Element, **params: str) -> Element:
        return self._taken(self.send("PUT", path, element, **params)[0])

    def post(self, path: str, element: Element, **params: str) -> Element:
        return self._taken(self.send("POST", path, element, **params)[0])

    def _taken(self, element: Element) -> Element:
        assert element["StatusAttributeString"] != "ERROR", element["ValidationErrors"]
        return element

    def refused(self, method: str, path: str, element: Element, **params: str) -> list[str]:
        """Why the element was refused."""
        answer = self.send(method, path, element, **params)[0]
        assert answer["StatusAttributeString"] == "ERROR", "this was taken"
        return [error["Message"] for error in answer["ValidationErrors"]]

    # documents

    def contact(self, name: str = "Jo Smith (Caspen 10001)", **fields: Any) -> str:
        return self.put("Contacts", {"Name": name} | fields)["ContactID"]

    def line(self, amount: Any = 100, **fields: Any) -> Element:
        usual = {"Description": "Consultation", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
        return usual | {"TaxType": self.income} | fields

    def draft(self, *lines: Element, **fields: Any) -> Element:
        """An invoice to send; not yet sent."""
        usual: Element = {
            "Type": "ACCREC",
            "Contact": {"Name": "Jo Smith (Caspen 10001)"},
            "Date": "2026-09-14",
            "DueDate": "2026-09-28",
            "Status": "AUTHORISED",
            "LineItems": list(lines or (self.line(),)),
        }
        return usual | fields

    def invoice(self, *lines: Element, **fields: Any) -> Element:
        return self.put("Invoices", self.draft(*lines, **fields))

    def credit_note(self, *lines: Element, **fields: Any) -> Element:
        return self.put("CreditNotes", self.draft(*lines, **({"Type": "ACCRECCREDIT"} | fields)))

    def payment(self, invoice: Element, amount: Any, **fields: Any) -> Element:
        """A payment to send; not yet sent."""
        usual = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": self.bank}, "Amount": amount}
        return usual | {"Date": "2026-09-15"} | fields

    def pay(self, invoice: Element, amount: Any, **fields: Any) -> Element:
        return self.put("Payments", self.payment(invoice, amount, **fields))

    def receive(self, type_: str, amount: Any, **fields: Any) -> Element:
        """Money in the bank that is no payment: RECEIVE, RECEIVE-OVERPAYMENT or RECEIVE-PREPAYMENT."""
        line = {"Description": "Money", "Quantity": 1, "UnitAmount": amount}
        if type_ != "RECEIVE-OVERPAYMENT":
            line |= {"AccountCode": "200", "TaxType": self.income}
        usual = {"Type": type_, "Contact": {"Name": "Jo Smith (Caspen 10001)"}, "BankAccount": {"Code": self.bank}}
        usual |= {"Date": "2026-09-16", "LineItems": [line], "LineAmountTypes": "Inclusive"}
        return self.put("BankTransactions", usual | fields)

    def allocate(self, path: str, invoice: Element, amount: Any) -> Element:
        return self.put(f"{path}/Allocations", self.share(invoice, amount))

    def share(self, invoice: Element, amount: Any) -> Element:
        return {"Amount": amount, "Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Date": "2026-09-20"}

    def change(self, **fields: Any) -> None:
        self.api.change_organisation(self.tenant, fields)
