"""What a bookkeeper does in Xero while Caspen goes on: at the books themselves."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pushing import Clinic

from caspen_xero.sandbox.seam import ApiRequest


def writes(clinic: Clinic, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One write at the desk, below `/api.xro/2.0/`; gives the answer."""
    raw = b"" if body is None else json.dumps(body).encode()
    answer = clinic.sandbox.api.handle(ApiRequest(method, path, {}, {}, raw, clinic.tenant_id))
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body, parse_float=Decimal))


def pays(clinic: Clinic, number: str, amount: str, day: str = "2026-11-03", reference: str = "Bank feed") -> str:
    """Records a payment on an invoice by hand; gives its PaymentID."""
    body = {
        "Invoice": {"InvoiceNumber": number},
        "Account": {"Code": "090"},
        "Amount": amount,
        "Date": day,
        "Reference": reference,
    }
    return str(writes(clinic, "PUT", "Payments", body)["Payments"][0]["PaymentID"])


def edits(clinic: Clinic, number: str, **fields: Any) -> None:
    """Edits an invoice by hand."""
    invoice_id = clinic.in_xero()[number]["InvoiceID"]
    writes(clinic, "POST", f"Invoices/{invoice_id}", {"InvoiceID": invoice_id, **fields})


def payments(clinic: Clinic) -> list[dict[str, Any]]:
    """The living payments in Xero, by reference."""
    found = [payment for payment in clinic.state("Payments") if payment["Status"] != "DELETED"]
    return sorted(found, key=lambda payment: str(payment["Reference"]))


def credit_notes(clinic: Clinic) -> dict[str, dict[str, Any]]:
    """Xero's credit notes by number; no number is there twice."""
    found = clinic.state("CreditNotes")
    assert len({note["CreditNoteNumber"] for note in found}) == len(found)
    return {note["CreditNoteNumber"]: note for note in found}


def silent(clinic: Clinic) -> bool:
    """Whether another push writes and asks nothing."""
    clinic.forget_calls()
    clinic.push()
    return clinic.calls() == []
