"""A clinic whose invoices are in the local Xero, and what a pull is tried with: Caspen's own payments, and a bookkeeper's."""

from __future__ import annotations

from typing import Any

import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, invoice, line
from pushing import Clinic


def payment(nth: int, number: str, amount: str, **more: Any) -> dict[str, Any]:
    """A payment in Caspen, wholly on one invoice."""
    return {
        "object": "payment",
        "id": f"pay_{nth}",
        "client_id": "1048237",
        "date": "2026-11-03",
        "method_id": "pmt_eftpos",
        "amount": amount,
        "status": "allocated",
        "allocations": [{"id": f"all_{nth}", "invoice_id": f"inv_{number}", "amount": amount, "date": "2026-11-03"}],
        "updated_at": "2026-11-03T01:00:00Z",
        **more,
    }


def credit_note(nth: int, number: str, **more: Any) -> dict[str, Any]:
    """A credit note of 44.00 in Caspen."""
    return {
        "object": "credit_note",
        "id": f"crn_{nth}",
        "number": f"CRN-{nth:04d}",
        "invoice_id": f"inv_{number}",
        "date": "2026-11-05",
        "status": "issued",
        "reason": "Session cut short",
        "lines": [
            {
                "id": "crl_1",
                "description": "Consultation",
                "quantity": "1",
                "unit_price": "40.00",
                "tax_rate_id": "tax_gst",
            }
        ],
        "subtotal": "40.00",
        "tax": "4.00",
        "total": "44.00",
        "updated_at": "2026-11-05T00:00:00Z",
        **more,
    }


NUMBERS = ["INV-0001", "INV-0002", "INV-0003", "INV-0004"]
CLINIC = [client("1048237"), EFTPOS, *(invoice(number, [line("200.00")]) for number in NUMBERS)]  # 220.00 each


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """A clinic with four invoices of 220.00 in Xero."""
    ready.takes(*CLINIC)
    assert ready.push().json["synced"] == 4
    ready.forget_calls()
    return ready


@pytest.fixture
def bookkeeper(synced: Clinic) -> Bookkeeper:
    """Who works in the Xero of that clinic."""
    return Bookkeeper(synced.sandbox.url)


def pull(clinic: Clinic, *arguments: str) -> Any:
    """`pull --json`, which must succeed: it ends with 3 where the books are not in order, and only there."""
    result = clinic.cli("pull", "--json", *arguments)
    in_order = clinic.cli("status", "--json").json["in_order"]
    assert result.exit_code == (0 if in_order else 3), result.stdout + result.stderr
    return result.json
