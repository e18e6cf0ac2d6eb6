"""An invoice to look at."""

from __future__ import annotations

from typing import Any

import httpx

INVOICES = "/api.xro/2.0/Invoices"


def make_invoice(client: httpx.Client, number: str = "INV-1", contact: str = "Ada Lovelace") -> dict[str, Any]:
    line = {"Description": "Consultation", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200", "TaxType": "OUTPUT"}
    invoice = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"Name": contact},
        "Date": "2026-11-02",
        "DueDate": "2026-11-30",
        "Status": "AUTHORISED",
        "LineItems": [line],
    }
    made: dict[str, Any] = client.put(INVOICES, json={"Invoices": [invoice]}).raise_for_status().json()["Invoices"][0]
    return made
