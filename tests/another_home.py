"""The same clinic in another home: begun anew with an empty store, while all of ours is in Xero already."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic

NUMBERS = [f"INV-{nth:04d}" for nth in range(1, 7)]
EXPORT = [EFTPOS, client("1048237"), *(invoice(number, [line("200.00")]) for number in NUMBERS)]  # 220.00 each


def pays(nth: int, number: str, amount: str = "50.00", **more: Any) -> dict[str, Any]:
    """A payment in Caspen, wholly on one invoice."""
    return payment(amount, (f"inv_{number}", amount), id_=f"pay_{nth}", **more)


Home = Callable[[Clinic], Clinic]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Home:
    """From now on commands run in the home of this clinic."""

    def go(clinic: Clinic) -> Clinic:
        monkeypatch.setenv("CASPEN_XERO_HOME", str(clinic.home))
        clinic.forget_calls()
        return clinic

    return go


@pytest.fixture
def anew(ready_home: Path, at: Home) -> Home:
    """The same clinic with a new store, connected and set up again; from now on commands run there."""

    def begin(clinic: Clinic) -> Clinic:
        another = replace(clinic, home=clinic.home.parent / "anew")
        shutil.copytree(ready_home, another.home)
        return at(another)

    return begin


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """A clinic with six invoices, two payments and a credit note, all in Xero."""
    ready.takes(*EXPORT, pays(1, "INV-0001"), pays(2, "INV-0002", "220.00"), credit_note(invoice_id="inv_INV-0003"))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def same_export() -> list[dict[str, Any]]:
    return [*EXPORT, pays(1, "INV-0001"), pays(2, "INV-0002", "220.00"), credit_note(invoice_id="inv_INV-0003")]


def amounts(clinic: Clinic) -> list[tuple[str, str]]:
    """Invoice and reference of each payment that lives in Xero."""
    return sorted((one["Invoice"]["InvoiceNumber"], str(one["Reference"])) for one in in_xero.payments(clinic))
