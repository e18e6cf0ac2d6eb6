"""What `caspen-xero reconcile` says, read as a script would, and what must be so of it whatever it has found.

The sums are held against Caspen's records and Xero's documents alone, added up here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pushing import Clinic

TO = "2026-12-31"
"""The last day of a proof, unless a test says otherwise: after all that its records and its bookkeepers are dated."""
EQUAL, DIFFERS = 0, 3
FEW = 1_000
"""Books of fewer invoices are held against both sides each time."""
LIVE = ("open", "paid")
STANDS = ("AUTHORISED", "PAID")
Row = dict[str, Any]


@dataclass(frozen=True)
class Proved:
    """One run of `reconcile --json`."""

    exit_code: int
    said: dict[str, Any]

    @property
    def finds(self) -> list[Row]:
        return list(self.said["differences"])

    def rows(self, key: str) -> list[Row]:
        """A table."""
        return list(self.said[key])

    def on(self, number: str) -> list[Row]:
        """What was found on the invoice or the credit note with that number."""
        return [row for row in self.finds if any(number in text for text in named(row))]


def named(row: Mapping[str, Any]) -> tuple[str, str]:
    """What a find is about: the number of its invoice, and what of that, where it says so."""
    return row["number"] or "", row["subject"] or ""


def proves(clinic: Clinic, *options: str, to: str = TO) -> Proved:
    """`reconcile --json`; how it ends, `equal` and what it has found say the same."""
    days = options if "--to" in options else ("--to", to, *options)
    result = clinic.cli("reconcile", "--json", *days)
    assert result.exit_code in (EQUAL, DIFFERS), result.stdout + result.stderr
    said = json.loads(result.stdout, parse_float=Decimal)
    assert [name for name, value in said.items() if isinstance(value, Decimal)] in ([], ["seconds"])
    proved = Proved(result.exit_code, said)
    assert said["command"] == "reconcile"
    counted = [row for row in proved.finds if not row["accepted"]]
    left = said["not_yet"] or said["money_not_yet"]
    assert said["unexplained"] == [], "tables differ, and nothing that was found is why"
    assert (result.exit_code == EQUAL) == said["equal"] == (not counted and not left), said["differences"]
    for row in proved.finds:
        _is_whole(row)
    assert said["compared"] >= said["proved"] >= 0
    adds_up(proved)
    if said["compared"] < FEW:
        is_whole(clinic, proved)
    return proved


def _is_whole(row: Mapping[str, Any]) -> None:
    """A find names itself, its document and both sides, and says what to do unless a person has accepted it."""
    for name in ("code", "what", "caspen", "xero", "currency"):
        assert row[name], row
    assert row["number"] or row["xero_id"], row
    assert row["caspen"] != row["xero"], row
    assert row["accepted"] or row["fix"], row


def is_equal(clinic: Clinic, *options: str, to: str = TO) -> Proved:
    """Everything is equal: exit code 0, nothing found, 0.00 in every difference of every table, and the sums are right."""
    proved = proves(clinic, *options, to=to)
    assert (proved.exit_code, proved.finds) == (EQUAL, []), proved.finds
    for where, difference in differences(proved.said):
        assert Decimal(difference) == 0, (where, difference)
    assert proved.said["compared"] == proved.said["proved"]
    return proved


def differences(said: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every amount or count in a document that is called a difference, with where it stands."""
    if isinstance(said, dict):
        for name, value in said.items():
            if "difference" in name and not isinstance(value, list | dict):
                assert value is None or Decimal(value) == Decimal(str(value)), (where, name, value)
                yield f"{where}.{name}", value if value is not None else "0"
            else:
                yield from differences(value, f"{where}.{name}")
    elif isinstance(said, list):
        for place, each in enumerate(said):
            yield from differences(each, f"{where}[{place}]")


FIGURES = ("subtotal", "tax", "net", "total", "amount", "due")
SUMS = ("all-in-caspen", "to-be-in-xero", "caspens-in-xero", "all-in-xero")
"""The lines of the bridge to which those before them come."""


def adds_up(proved: Proved) -> None:
    """Xero's amount less Caspen's is the difference in each row that has them; rows come to their totals, steps to the next sum."""
    for key, rows in proved.said.items():
        if not isinstance(rows, list) or key in ("differences", "information") or key.endswith("_totals"):
            continue
        for row in (*rows, *proved.said.get(f"{key}_totals", [])):
            assert not any(isinstance(value, Decimal) for value in row.values()), f"an amount is a string: {row}"
            for caspen, xero, difference in sides(row):
                assert difference == xero - caspen, (key, row)
        _come_to(key, rows, proved.said.get(f"{key}_totals", []))
    _is_a_bridge(proved.rows("bridge"))


def sides(row: Mapping[str, Any]) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """The amounts of a row that stand beside each other: Caspen's, Xero's, their difference."""
    for what in FIGURES:
        caspen, xero = f"caspen_{what}", f"xero_{what}"
        difference = row.get(f"difference_{what}", row.get("difference"))
        if caspen in row and xero in row and difference is not None:
            yield Decimal(row[caspen] or 0), Decimal(row[xero] or 0), Decimal(difference)


def _come_to(key: str, rows: list[Row], totals: list[Row]) -> None:
    """A total is the sum of the rows of its currency, and of what it is named for besides."""
    for total in totals:
        names = [name for name in ("currency", "why", "what") if name in total and rows and name in rows[0]]
        own = [row for row in rows if all(row[name] == total[name] for name in names)]
        for name, value in total.items() if own else ():
            if name.startswith(("caspen_", "xero_", "difference")) and _is_number(value) and "." in str(value):
                assert sum((Decimal(row[name] or 0) for row in own), Decimal(0)) == Decimal(value), (key, name, total)


def _is_a_bridge(rows: list[Row]) -> None:
    """From Caspen's whole to Xero's, for each currency and kind: no step is missing, and none is unaccounted for."""
    assert rows
    running: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for row in rows:
        kind = (row["currency"], row["what"])
        step = (int(row["number"]), Decimal(row["amount"]))
        number, amount = running.get(kind, (0, Decimal(0)))
        assert row["code"] != "not-accounted-for", (row, rows)
        assert (row["code"] == SUMS[0]) == (kind not in running), row
        if row["code"] in SUMS[1:]:
            assert step == (number, amount), (row, rows)
        else:
            running[kind] = (number + step[0], amount + step[1])


def whole(proved: Proved, what: str, code: str) -> dict[str, Decimal]:
    """A line of the bridge, by currency; what is nothing is left out."""
    rows = (row for row in proved.rows("bridge") if (row["what"], row["code"]) == (what, code))
    return {row["currency"]: Decimal(row["amount"]) for row in rows if Decimal(row["amount"])}


def is_whole(clinic: Clinic, proved: Proved) -> None:
    """The bridge begins with all that Caspen's records come to, and ends with all that Xero's documents do."""
    said = proved.said
    truth = Truth(clinic, date.fromisoformat(said["from"] or "0001-01-01"), date.fromisoformat(said["to"]))
    for what, caspen, xero in (
        ("Invoices", truth.caspens_whole("invoices", "issue_date"), truth.xeros_invoices()),
        ("Credit notes", truth.caspens_whole("credit_notes", "date"), truth.xeros_credit_notes()),
    ):
        assert whole(proved, what, "all-in-caspen") == caspen, (what, proved.rows("bridge"))
        assert whole(proved, what, "all-in-xero") == xero, (what, proved.rows("bridge"))
    assert whole(proved, "Payments", "all-in-xero") == truth.xeros_payments(), proved.rows("bridge")


def _is_number(value: Any) -> bool:
    try:
        Decimal(value)
    except (ArithmeticError, TypeError, ValueError):
        return False
    return True


# --- the truth, from Caspen's records and Xero's documents alone


@dataclass
class Truth:
    """What either side comes to, by currency, in a period and as at a day."""

    clinic: Clinic
    first: date = date.min
    last: date = date.max

    def __post_init__(self) -> None:
        self.state = self.clinic.whole_state()
        rows = {row["invoice_id"]: row for row in self.clinic.cli("invoices", "list", "--json").json["invoices"]}
        self.links = {id_: row["xero_invoice_id"] for id_, row in rows.items() if row["xero_invoice_id"]}
        self.states = {id_: row["sync_status"] for id_, row in rows.items()}

    def records(self, kind: str) -> list[Row]:
        return [json.loads(row["record"]) for row in self.clinic.sql(f"SELECT record FROM {kind}")]

    def holds(self, day: str) -> bool:
        return self.first <= date.fromisoformat(day[:10]) <= self.last

    def caspens_invoices(self) -> dict[str, Decimal]:
        """All that Caspen has finalised in the period and that is linked, by currency."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.records("invoices"):
            if one["status"] in LIVE and one["id"] in self.links and self.holds(one["issue_date"]):
                found[one["currency"]] += Decimal(one["total"])
        return _without_nothing(found)

    def xeros_invoices(self) -> dict[str, Decimal]:
        """All sales invoices that stand in Xero in the period, by currency."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.state["Invoices"]:
            if one["Type"] == "ACCREC" and one["Status"] in STANDS and self.holds(one["DateString"]):
                found[one["CurrencyCode"]] += one["Total"]
        return _without_nothing(found)

    def caspens_whole(self, kind: str, day: str) -> dict[str, Decimal]:
        """All that Caspen has of the period, drafts and void ones too."""
        currencies = {one["id"]: one["currency"] for one in self.records("invoices")}
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.records(kind):
            if self.holds(one[day]):
                found[one.get("currency") or currencies[one["invoice_id"]]] += Decimal(one["total"])
        return _without_nothing(found)

    def xeros_credit_notes(self) -> dict[str, Decimal]:
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.state["CreditNotes"]:
            if one["Type"] == "ACCRECCREDIT" and one["Status"] in STANDS and self.holds(one["DateString"]):
                found[one["CurrencyCode"]] += one["Total"]
        return _without_nothing(found)

    def xeros_payments(self) -> dict[str, Decimal]:
        """All payments of sales invoices of the period, in the currencies of their invoices."""
        invoices = {one["InvoiceID"]: one for one in self.state["Invoices"] if one["Type"] == "ACCREC"}
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.state["Payments"]:
            of = invoices.get(one["Invoice"].get("InvoiceID"))
            if of and one["Status"] != "DELETED" and self.first <= _day(one["Date"]) <= self.last:
                found[of["CurrencyCode"]] += one["Amount"]
        return _without_nothing(found)

    def owed_in_caspen(self, as_at: date) -> dict[str, Decimal]:
        """By currency, what clients owe as at a day."""
        owed: defaultdict[str, Decimal] = defaultdict(Decimal)
        invoices = {
            one["id"]: one
            for one in self.records("invoices")
            if one["status"] in LIVE and one["id"] in self.links and _until(one["issue_date"], as_at)
        }
        for one in invoices.values():
            owed[one["currency"]] += Decimal(one["total"])
        for paid in self.records("payments"):
            for part in paid["allocations"] if paid["status"] == "allocated" else ():
                if part["invoice_id"] in invoices and _until(paid["date"], as_at):
                    owed[invoices[part["invoice_id"]]["currency"]] -= Decimal(part["amount"])
        for credit in self.records("credit_notes"):
            of = invoices.get(credit["invoice_id"])
            if credit["status"] == "issued" and of and _until(max(credit["date"], of["issue_date"]), as_at):
                owed[of["currency"]] -= Decimal(credit["total"])
        return dict(owed)

    def owed_in_xero(self, as_at: date) -> dict[str, Decimal]:
        owed: defaultdict[str, Decimal] = defaultdict(Decimal)
        invoices = {
            one["InvoiceID"]: one
            for one in self.state["Invoices"]
            if one["Type"] == "ACCREC" and one["Status"] in STANDS and _until(one["DateString"], as_at)
        }
        for one in invoices.values():
            owed[one["CurrencyCode"]] += one["Total"]
        for paid in self.state["Payments"]:
            of = invoices.get(paid["Invoice"]["InvoiceID"])
            if of and paid["Status"] != "DELETED" and _day(paid["Date"]) <= as_at:
                owed[of["CurrencyCode"]] -= paid["Amount"]
        for kind in ("CreditNotes", "Overpayments", "Prepayments"):
            for credit in self.state[kind]:
                for part in credit.get("Allocations") or []:
                    of = invoices.get(part["Invoice"]["InvoiceID"])
                    if of and _day(part["Date"]) <= as_at:
                        owed[of["CurrencyCode"]] -= part["Amount"]
        return dict(owed)


def _without_nothing(found: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in found.items() if amount}


def _until(day: str, as_at: date) -> bool:
    return date.fromisoformat(day[:10]) <= as_at


def _day(text: str) -> date:
    """A day as Xero writes it: `/Date(1795910400000+0000)/`."""
    milliseconds = int(text.removeprefix("/Date(").split("+")[0].rstrip(")/"))
    return date.fromordinal(date(1970, 1, 1).toordinal() + milliseconds // 86_400_000)


def by_currency(rows: list[Row], name: str) -> dict[str, Decimal]:
    """A column of a table, added up by currency."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row["currency"]] += Decimal(row[name] or 0)
    return dict(found)


def debtors(proved: Proved, truth: Truth, currency: str = "AUD") -> tuple[Decimal, Decimal]:
    """What is owed in Caspen and in Xero, once it is known that it is what either side comes to."""
    day = date.fromisoformat(proved.said["as_at"])
    rows = proved.rows("debtors")
    caspen, xero = (
        by_currency(rows, "caspen_due").get(currency, Decimal(0)),
        by_currency(rows, "xero_due").get(currency, Decimal(0)),
    )
    assert (caspen, xero) == (truth.owed_in_caspen(day).get(currency, 0), truth.owed_in_xero(day).get(currency, 0))
    return caspen, xero
