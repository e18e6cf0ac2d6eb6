"""The discount of a line: kept as it was sent, a percentage or an amount; shown as both."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import HUNDRED, ZERO, Rounding
from caspen_xero.sandbox.books.ledger import Body
from caspen_xero.sandbox.books.refusals import Refusal

RATE_PLACES = 4  # of a rate that follows from an amount: more than 2 (xero-node#592), how many is UNCONFIRMED


def read_discount(sent: Mapping[str, Any], rounding: Rounding) -> tuple[Decimal, Decimal]:
    """The percentage and the amount that were sent, of which one alone counts: where both were, the percentage."""
    rate = sent.get("DiscountRate", ZERO)
    return rate, ZERO if rate else rounding.cents(sent.get("DiscountAmount", ZERO))


def check_discount(
    sent: Mapping[str, Any], rate: Decimal, discount: Decimal, gross: Decimal, rounding: Rounding
) -> None:
    """Refuses a discount above its line; on a negative price an amount of nothing already is (Xero-OpenAPI#429)."""
    nothing_off_less = "DiscountAmount" in sent and not rate and gross < 0
    if rate > HUNDRED or rate < 0 or discount < 0 or (discount and discount > gross) or nothing_off_less:
        raise Refusal(messages.DISCOUNT_NOT_VALID(rate=f"{rounding.cents(rate or discount):.2f}"))


def check_whole_discount(
    way: str,
    given: Decimal | None,
    rate: Decimal,
    discount: Decimal,
    amount: Decimal,
    gross: Decimal,
    rounding: Rounding,
) -> None:
    """Refuses a discount that leaves nothing, where its LineAmount of 0.00 was sent, or always, as `whole_discount` says.

    Xero takes that LineAmount for none, and finds what the discount takes off (Xero-NetStandard#74, #147).
    """
    if not (rate or discount) or amount or not gross or way == "taken":
        return
    if given is not None and not rounding.cents(given):
        off = rounding.cents(-discount if discount else -gross * rate / HUNDRED)
        raise Refusal(messages.LINE_TOTAL_WRONG(given=f"{off:.2f}", expected="0.00"))
    if way == "refused":
        raise Refusal(messages.DISCOUNT_NOT_VALID(rate=f"{rounding.cents(rate or discount):.2f}"))


def is_discounted(line: Body) -> bool:
    return "DiscountRate" in line or "DiscountAmount" in line


def taken_off(line: Body, rounding: Rounding) -> Decimal:
    """What the discount of a line comes to, to the cent."""
    return rounding.cents(line["Quantity"] * line["UnitAmount"]) - Decimal(line["LineAmount"])


def show_discount(line: Body, rounding: Rounding) -> Body:
    """Percentage, amount, and which of them was sent; nothing where the line has no discount (an API explorer's answer)."""
    if "DiscountRate" in line:
        return {
            "DiscountRate": line["DiscountRate"],
            "DiscountEnteredAsPercent": True,
            "DiscountAmount": taken_off(line, rounding),
        }
    if "DiscountAmount" not in line:
        return {}
    return {
        "DiscountRate": rate_of_amount(line, rounding, RATE_PLACES),
        "DiscountEnteredAsPercent": False,
        "DiscountAmount": line["DiscountAmount"],
    }


def rate_of_amount(line: Body, rounding: Rounding, places: int) -> Decimal:
    """The percentage that a line's DiscountAmount comes to."""
    return rounding.to_places(line["DiscountAmount"] * HUNDRED / (line["Quantity"] * line["UnitAmount"]), places)


def repeats_discount(sent: Mapping[str, Any], line: Body, rounding: Rounding) -> bool:
    """Whether both were sent as the line shows them, with its quantity and price: what stands is what was meant."""
    shown = show_discount(line, rounding)
    both = ("DiscountRate", "DiscountAmount")
    made_of = ("Quantity", "UnitAmount")
    return (
        bool(shown)
        and all(sent.get(name) == shown[name] for name in both)
        and all(sent.get(name, line[name]) == line[name] for name in made_of)
    )
