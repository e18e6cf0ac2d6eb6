"""Clinics for tests: records in the feed's shape, and Caspen's totals worked out anew, in every way a clinic may round them.

Nothing here uses the project's own arithmetic: totals are exact fractions of a cent that are rounded once, here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, Literal

Record = dict[str, Any]
TaxMode = Literal["exclusive", "inclusive", "none"]

RATES: dict[str | None, Decimal] = {"tax_gst": Decimal(10), "tax_free": Decimal(0), None: Decimal(0)}
TAX_RATES: list[Record] = [
    {"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10", "archived": False},
    {"object": "tax_rate", "id": "tax_free", "name": "GST free", "rate": "0", "archived": False},
]
TAX_TYPES: dict[str | None, str] = {"tax_gst": "OUTPUT", "tax_free": "EXEMPTOUTPUT", None: "BASEXCLUDED"}


@dataclass(frozen=True)
class Totals:
    """Subtotal, tax and total in whole cents, and each line's amount and tax where they are rounded line by line."""

    subtotal: int
    tax: int
    total: int
    lines: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True)
class Rounding:
    """How a clinic's software rounds: line by line or once per document; a half cent up (away from zero) or to even.

    `discount_apart`: the price is rounded, the discount is rounded, and then one is taken off the other.
    """

    per: Literal["line", "document"] = "line"
    half: Literal["up", "even"] = "up"
    discount_apart: bool = False

    def cents(self, exact: Fraction) -> int:
        """Whole cents of an exact number of cents."""
        whole, rest = divmod(abs(exact), 1)
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and (self.half == "up" or whole % 2 == 1))
        return int(whole + up) * (1 if exact >= 0 else -1)

    def totals(
        self, lines: Sequence[Mapping[str, Any]], tax_mode: TaxMode, rates: Mapping[str | None, Decimal] = RATES
    ) -> Totals:
        """What the clinic's software says that these lines come to."""
        exact = [(self._net(line), Fraction(rates.get(line.get("tax_rate_id"), Decimal(0))) / 100) for line in lines]
        if self.per == "line":
            return self._by_line(exact, tax_mode)
        amount = self.cents(sum((net for net, _ in exact), Fraction(0)))
        tax = self.cents(sum((_tax(net, rate, tax_mode) for net, rate in exact), Fraction(0)))
        return _sums(amount, tax, tax_mode, None)

    def _by_line(self, exact: Sequence[tuple[Fraction, Fraction]], tax_mode: TaxMode) -> Totals:
        lines = []
        for net, rate in exact:
            amount = self.cents(net)
            if tax_mode == "inclusive":
                tax = amount - self.cents(Fraction(amount) / (1 + rate))
            else:
                tax = self.cents(_tax(Fraction(amount), rate, tax_mode))
            lines.append((amount, tax))
        return _sums(sum(amount for amount, _ in lines), sum(tax for _, tax in lines), tax_mode, tuple(lines))

    def _net(self, line: Mapping[str, Any]) -> Fraction:
        gross = Fraction(Decimal(line["unit_price"])) * Fraction(Decimal(line["quantity"])) * 100
        discount = line.get("discount")
        if discount is None:
            return gross
        value = Fraction(Decimal(discount["value"]))
        off = gross * value / 100 if discount["type"] == "percentage" else value * 100
        if self.discount_apart:
            return Fraction(self.cents(gross) - self.cents(off))
        return gross - off


def _tax(net: Fraction, rate: Fraction, tax_mode: TaxMode) -> Fraction:
    if tax_mode == "none":
        return Fraction(0)
    return net - net / (1 + rate) if tax_mode == "inclusive" else net * rate


def _sums(amount: int, tax: int, tax_mode: TaxMode, lines: tuple[tuple[int, int], ...] | None) -> Totals:
    if tax_mode == "inclusive":
        return Totals(amount - tax, tax, amount, lines)
    return Totals(amount, tax, amount + tax, lines)


def dollars(cents: int) -> str:
    """Cents as the feed writes an amount."""
    return f"{Decimal(cents).scaleb(-2):.2f}"


def owner_of(contact: Mapping[str, Any]) -> str | None:
    """Whose a contact in Xero is by its number: the id of Caspen's client, if there is one."""
    number = contact.get("ContactNumber")
    return str(number).removeprefix("caspen-") if number else None


def client(id_: str, first_name: str | None = "Nell", last_name: str | None = "Okafor", **more: Any) -> Record:
    """A client."""
    return {"object": "client", "id": id_, "first_name": first_name, "last_name": last_name, **more}


def line(
    price: str = "150.00",
    quantity: str = "1",
    *,
    rate: str | None = "tax_gst",
    discount: tuple[str, str] | None = None,
    **more: Any,
) -> Record:
    """A line; `discount` is its type and value."""
    off = {"discount": {"type": discount[0], "value": discount[1]}} if discount else {}
    return {
        "id": more.pop("id", "lin"),
        "description": "Initial consultation",
        "quantity": quantity,
        "unit_price": price,
        "tax_rate_id": rate,
        **off,
        **more,
    }


def invoice(
    number: str = "INV-0001",
    lines: Sequence[Record] | None = None,
    *,
    client_id: str = "1048237",
    tax_mode: TaxMode = "exclusive",
    rounding: Rounding = Rounding(),
    **more: Any,
) -> Record:
    """A finalised invoice whose totals are those of its lines, unless `subtotal`, `tax` and `total` are given."""
    own = [{**each, "id": f"lin_{place}"} for place, each in enumerate(lines if lines is not None else [line()], 1)]
    totals = rounding.totals(own, tax_mode)
    return {
        "object": "invoice",
        "id": more.pop("id", f"inv_{number}"),
        "number": number,
        "status": "open",
        "client_id": client_id,
        "invoice_to_id": None,
        "issue_date": "2026-11-02",
        "due_date": "2026-11-16",
        "currency": "AUD",
        "tax_mode": tax_mode,
        "reference": None,
        "lines": own,
        "subtotal": dollars(totals.subtotal),
        "tax": dollars(totals.tax),
        "total": dollars(totals.total),
        "finalized_at": "2026-11-02T03:04:05Z",
        "updated_at": "2026-11-02T03:04:05Z",
        **more,
    }


_ROUNDINGS = [
    Rounding(per, half, apart) for per in ("line", "document") for half in ("up", "even") for apart in (False, True)
]
_QUANTITIES = ("1", "1", "2", "3", "0.75", "0.5", "1.25", "0.3333", "0", "12")


def random_invoice(random: Random, number: str, client_id: str = "1048237") -> Record:
    """An invoice with anything in it that a clinic may write: odd quantities, prices of four decimals, every discount."""
    tax_mode: TaxMode = random.choice(("exclusive", "inclusive", "none"))
    many = random.random() < 0.1
    lines = [_random_line(random, small=many) for _ in range(random.randint(20, 60) if many else random.randint(1, 5))]
    rounding = random.choice(_ROUNDINGS)
    made = invoice(number, lines, client_id=client_id, tax_mode=tax_mode, rounding=rounding)
    if Decimal(made["total"]) < 0:
        return invoice(number, [*lines, line("2000000.00")], client_id=client_id, tax_mode=tax_mode, rounding=rounding)
    return made


def _random_line(random: Random, *, small: bool) -> Record:
    price = Decimal(random.randint(1, 99 if small else 3_000_000)).scaleb(-random.choice((2, 2, 3, 4)))
    if random.random() < 0.08:
        price = -price
    discount = None
    roll = random.random()
    if roll < 0.2:
        discount = ("percentage", random.choice(("5", "10", "12.5", "33.33", "50", "100", "7.125")))
    elif roll < 0.35:
        discount = ("fixed", f"{Decimal(random.randint(0, 2000)).scaleb(-2)}")
    rate = random.choice(("tax_gst", "tax_gst", "tax_free", None))
    return line(f"{price}", random.choice(_QUANTITIES), rate=rate, discount=discount)


def random_clinic(seed: int, invoices: int, clients: int = 5) -> list[Record]:
    """A whole export: tax rates, clients and invoices, the same for the same seed."""
    random = Random(seed)
    people = [client(f"{1_050_000 + place}", "Ana", f"Person {place}") for place in range(clients)]
    return [
        *TAX_RATES,
        *people,
        *(
            random_invoice(random, f"INV-{place:05d}", people[place % clients]["id"])
            for place in range(1, invoices + 1)
        ),
    ]


PAYER: Record = {
    "object": "contact",
    "id": "con_77",
    "type": "plan_manager",
    "company": "Plan Partners",
    "email": "ap@example.org",
}
EFTPOS: Record = {"object": "payment_method", "id": "pmt_eftpos", "name": "EFTPOS", "type": "eftpos"}
CASH: Record = {"object": "payment_method", "id": "pmt_cash", "name": "Cash", "type": "cash"}


def payment(amount: str, *parts: tuple[str, str], id_: str = "pay_1", **more: Any) -> Record:
    """A payment; `parts` are the invoice ids and amounts that it is put on, as allocations `all_1a`, `all_1b`, ..."""
    return {
        "object": "payment",
        "id": id_,
        "client_id": "1048237",
        "date": "2026-11-03",
        "method_id": "pmt_eftpos",
        "amount": amount,
        "status": "allocated" if parts else "unallocated",
        "allocations": [
            {"id": f"{id_.replace('pay', 'all')}{letter}", "invoice_id": invoice_id, "amount": part}
            for letter, (invoice_id, part) in zip("abcdefgh", parts, strict=False)
        ],
        **more,
    }


def credit_note(
    number: str = "CN-0001",
    lines: Sequence[Record] | None = None,
    *,
    invoice_id: str = "inv_INV-0001",
    tax_mode: TaxMode = "exclusive",
    rounding: Rounding = Rounding(),
    **more: Any,
) -> Record:
    """A credit note whose totals are those of its lines."""
    own = [
        {**each, "id": f"crl_{place}"} for place, each in enumerate(lines if lines is not None else [line("40.00")], 1)
    ]
    totals = rounding.totals(own, tax_mode)
    return {
        "object": "credit_note",
        "id": f"crn_{number}",
        "number": number,
        "invoice_id": invoice_id,
        "date": "2026-11-05",
        "status": "issued",
        "reason": "Session cut short",
        "lines": own,
        "subtotal": dollars(totals.subtotal),
        "tax": dollars(totals.tax),
        "total": dollars(totals.total),
        **more,
    }
