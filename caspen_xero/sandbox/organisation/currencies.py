"""Currencies: which there are, which of them an organisation is subscribed to, and what one costs in its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import WORD, Fields, Text
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.organisation.organisations import organisation_of

CURRENCY_FIELDS: Fields = {"Code": WORD, "Description": Text()}
# What one unit of the foreign currency costs is the market's business; these stand in for the day's rate where none is sent.
DAY_RATES = {
    "AUD": {"NZD": "1.09", "USD": "0.66", "EUR": "0.61", "GBP": "0.52"},
    "NZD": {"AUD": "0.92", "USD": "0.60", "EUR": "0.56", "GBP": "0.47"},
    "GBP": {"AUD": "1.92", "NZD": "2.13", "USD": "1.27", "EUR": "1.17", "SGD": "1.70"},
    "USD": {"AUD": "1.52", "NZD": "1.67", "EUR": "0.92", "GBP": "0.79", "SGD": "1.34"},
    "SGD": {"AUD": "1.13", "NZD": "1.25", "USD": "0.75", "EUR": "0.69", "GBP": "0.59"},
}

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "CAD": "Canadian Dollar",
    "SGD": "Singapore Dollar",
    "JPY": "Japanese Yen",
    "ZAR": "South African Rand",
    "HKD": "Hong Kong Dollar",
    "CHF": "Swiss Franc",
}


def put_currency(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """Subscribes the organisation to a currency."""
    code = sent.get("Code", "").upper()
    if code not in CURRENCY_NAMES:
        raise Refusal(messages.CURRENCY_NOT_VALID(code=code))
    currency = {"Code": code, "Description": CURRENCY_NAMES[code]}
    desk.ledger.save("Currencies", currency)
    return currency, []


def show_currency(_desk: Desk, currency: Body, _view: str) -> Body:
    return {"Code": currency["Code"], "Description": currency["Description"]}


def check_currency(ledger: Ledger, code: str) -> None:
    if ledger.find("Currencies", code) is None:
        raise Refusal(messages.CURRENCY_NOT_SUBSCRIBED(currency=code))


def currency_rate(ledger: Ledger, code: str, sent: Decimal | None) -> Decimal:
    """1 in the organisation's own currency; else the rate sent (6 places), else the day's."""
    base = organisation_of(ledger)["BaseCurrency"]
    if code == base:
        return Decimal(1)
    return round(sent, 6) if sent else Decimal(DAY_RATES.get(base, {}).get(code, "1"))
