"""Proofs made up by hand, as a reconciliation of a small clinic would give them: equal, or with what may differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from caspen_xero.sync.reconciling.ledger import Asked, Find
from caspen_xero.sync.reconciling.proof import Proof
from caspen_xero.sync.reconciling.tables import Cell, Column, Holds, Table

NOVEMBER = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
READ_AT = datetime(2026, 11, 30, 8, 1, 12, tzinfo=UTC)
ZERO = Decimal("0.00")


def money(amount: str | int) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


def columns(*named: tuple[str, str] | tuple[str, str, Holds], spare: Sequence[str] = ()) -> list[Column]:
    """Columns by key and title; what a column holds is text where nothing else is said."""
    return [Column(one[0], one[1], one[2] if len(one) == 3 else "text", one[0] in spare) for one in named]


BOTH: tuple[tuple[str, str, Holds], ...] = (
    ("caspen_net", "Caspen net", "amount"),
    ("xero_net", "Xero net", "amount"),
    ("difference_net", "Net difference", "amount"),
    ("caspen_tax", "Caspen tax", "amount"),
    ("xero_tax", "Xero tax", "amount"),
    ("difference_tax", "Tax difference", "amount"),
)
ONE: tuple[tuple[str, str, Holds], ...] = (
    ("caspen_amount", "Caspen", "amount"),
    ("xero_amount", "Xero", "amount"),
    ("difference", "Difference", "amount"),
)


def both(*amounts: str) -> list[Cell]:
    """Caspen's, Xero's and the difference of each pair of amounts."""
    cells: list[Cell] = []
    for caspen, xero in zip(amounts[::2], amounts[1::2], strict=True):
        cells += [money(caspen), money(xero), money(xero) - money(caspen)]
    return cells


def steps(*rows: list[Cell]) -> list[list[Cell]]:
    return list(rows)


def tables(invoices: int = 3, *, off: str = "0.00", currencies: Sequence[str] = ("AUD",)) -> list[Table]:
    """The tables of a clinic with so many invoices of 110.00; `off`: so much more the first one is in Xero."""
    total = str(Decimal(110 * invoices))
    in_xero = str(Decimal(total) + Decimal(off))
    is_equal = not Decimal(off)
    rows: list[list[Cell]] = [
        [
            f"INV-{number + 1:04}",
            date(2026, 11, 1 + number % 30),
            "Nell Okafor" if number % 2 else "Theodora van der Meulen-Castellanos",
            currency,
            *both("110", str(110 + (Decimal(off) if number == 0 else 0)), "0", "0"),
        ]
        for currency in currencies
        for number in range(invoices)
    ]
    return [
        Table(
            "bridge",
            "From Caspen's whole to Xero's whole",
            "Step by step from all that Caspen has to all that Xero has.",
            columns(
                ("step", "Step"),
                ("currency", "Currency"),
                ("documents", "Documents", "count"),
                ("amount", "Amount", "amount"),
            ),
            [
                row
                for currency in currencies
                for row in steps(
                    ["All invoices of the period in Caspen", currency, invoices + 2, money(total) + money("210.00")],
                    ["less drafts", currency, -1, money("-100.00")],
                    ["less void", currency, -1, money("-110.00")],
                    ["= to be in Xero", currency, invoices, money(total)],
                    ["other figures", currency, 0 if is_equal else 1, money(off)],
                    ["= all sales invoices of the period in Xero", currency, invoices, money(in_xero)],
                )
            ],
            is_equal=is_equal,
        ),
        Table(
            "by_month",
            "By month",
            "Invoices less credit notes, by the month of their dates.",
            columns(("month", "Month"), ("kind", "What"), ("currency", "Currency"), *BOTH),
            [["2026-11", "invoices", one, *both(total, in_xero, "30", "30")] for one in currencies],
            [["All months", "", one, *both(total, in_xero, "30", "30")] for one in currencies],
            is_equal=is_equal,
        ),
        Table(
            "by_tax_rate",
            "By tax rate",
            "What the activity statement needs: credit notes are taken off.",
            columns(("tax_rate", "Tax rate"), ("currency", "Currency"), *BOTH),
            [["GST on Income (OUTPUT)", one, *both(total, in_xero, "30", "30")] for one in currencies],
            is_equal=is_equal,
        ),
        Table(
            "debtors",
            "Debtors as at 2026-11-30",
            "What clients owe.",
            columns(("client", "Client"), ("currency", "Currency"), *ONE),
            [["Nell Okafor", one, *both("110", "110")] for one in currencies],
            [["All clients", one, *both("110", "110")] for one in currencies],
            brief=[],
        ),
        Table(
            "left_out",
            "Left out",
            "What of Caspen's is not to be in Xero, or not yet.",
            columns(
                ("why", "Why"),
                ("number", "Number"),
                ("client", "Client"),
                ("currency", "Currency"),
                ("amount", "Amount", "amount"),
                ("reason", "Reason"),
                spare=("reason",),
            ),
            [["draft", "INV-0099", "Ed Li", currencies[0], money("100"), ""]],
        ),
        Table(
            "invoices",
            "Invoices one by one",
            "Each invoice that was compared.",
            columns(
                ("number", "Number"),
                ("date", "Date", "date"),
                ("client", "Client"),
                ("currency", "Currency"),
                ("caspen_total", "Caspen total", "amount"),
                ("xero_total", "Xero total", "amount"),
                ("difference", "Difference", "amount"),
                ("caspen_due", "Caspen due", "amount"),
                ("xero_due", "Xero due", "amount"),
                ("difference_due", "Due difference", "amount"),
            ),
            rows,
            brief=[],
            is_equal=is_equal,
        ),
    ]


def equal(invoices: int = 3) -> Proof:
    """A proof of which all is equal."""
    return Proof(NOVEMBER, READ_AT, READ_AT, 9, invoices, invoices, 0, [], [], tables(invoices))


FIGURES = Find(
    "figures",
    "INV-0001",
    "inv_0001",
    "60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1",
    "Theodora van der Meulen-Castellanos",
    "subtotal 100.00, tax 10.00, total 110.00",
    "subtotal 100.00, tax 10.01, total 110.01",
    "AUD",
    Decimal("0.01"),
    day=date(2026, 11, 1),
    fix="Put it right where it is wrong, then: caspen-xero pull; to write what Caspen says over it: caspen-xero push --overwrite "
    "INV-0001; if it may stay so: caspen-xero invoices accept INV-0001",
)
PAYMENT = Find(
    "payment-unknown-in-caspen",
    "INV-0002",
    "inv_0002",
    "7d0f4a52-1111-4c7f-a5c6-0d6ad2c4b2a1",
    "Nell Okafor",
    "",
    "50.00 on 2026-11-20, Cash at desk",
    "AUD",
    Decimal("50.00"),
    subject="Cash at desk",
    day=date(2026, 11, 20),
    fix="caspen-xero pull",
)
STRANGE = Find(
    "unknown-in-caspen",
    "X-77",
    None,
    "c0ffee00-8b94-4c7f-a5c6-0d6ad2c4b2a1",
    "Nell Okafor",
    "",
    "80.00 on 2026-11-12",
    "AUD",
    Decimal("80.00"),
    day=date(2026, 11, 12),
)


def unequal(*finds: Find, invoices: int = 3) -> Proof:
    """A proof with these finds; without any, one of each kind."""
    found = finds or (FIGURES, PAYMENT, STRANGE)
    ours = {one.invoice_id for one in found if one.invoice_id}
    return replace(equal(invoices), finds=found, proved=invoices - len(ours), tables=tables(invoices, off="0.01"))
