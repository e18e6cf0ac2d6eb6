"""Items: what a line can name by its code. None is tracked as inventory here."""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import FLAG, ID, NUMBER, WORD, Fields, One, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import new_id, xero_time

_DETAILS = One({"UnitPrice": NUMBER, "AccountCode": WORD, "TaxType": WORD})
ITEM_FIELDS: Fields = {
    "ItemID": ID,
    "Code": Text(30),
    "Name": Text(50),
    "Description": Text(4000),
    "PurchaseDescription": Text(4000),
    "IsSold": FLAG,
    "IsPurchased": FLAG,
    "SalesDetails": _DETAILS,
    "PurchaseDetails": _DETAILS,
}
# What an item has of a side of the business that it is taken off (Xero's description of IsSold and IsPurchased).
_SIDES = {"IsSold": ("Description", "SalesDetails"), "IsPurchased": ("PurchaseDescription", "PurchaseDetails")}


def item_of(ledger: Ledger, code: str) -> Body | None:
    """The item of that code."""
    return next(iter(ledger.by_number("Items", code)), None)


def show_item(desk: Desk, item: Body, view: str) -> Body:
    names = ("ItemID", "Code", "Name", "Description", "PurchaseDescription")
    shown = {name: item[name] for name in names if item.get(name)}
    shown["UpdatedDateUTC"] = xero_time(item["Updated"])
    for name in ("PurchaseDetails", "SalesDetails"):
        shown[name] = dict(item[name])
        if "UnitPrice" in item[name]:
            shown[name]["UnitPrice"] = desk.rounding.to_places(item[name]["UnitPrice"], desk.unit_places)
    shown |= {"IsTrackedAsInventory": False, "IsSold": item["IsSold"], "IsPurchased": item["IsPurchased"]}
    return shown | ({"ValidationErrors": []} if view == "created" else {})


def put_item(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """A new item; it needs a code of its own."""
    item: Body = {"ItemID": new_id(), "IsSold": True, "IsPurchased": True, "SalesDetails": {}, "PurchaseDetails": {}}
    return _take(desk.ledger, item, sent), []


def post_item(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """Changes the item of that id, else of that code, else makes it. The code is to be said in any case (xero-php#528)."""
    item = desk.ledger.find("Items", sent["ItemID"]) if "ItemID" in sent else item_of(desk.ledger, sent.get("Code", ""))
    if item is None and "ItemID" in sent:
        raise Refusal(messages.ITEM_NOT_FOUND())
    return put_item(desk, sent) if item is None else (_take(desk.ledger, item, sent), [])


def delete_item(desk: Desk, item: Body) -> None:
    """Takes the item away; lines keep its code."""
    desk.ledger.forget("Items", item["ItemID"])


def _take(ledger: Ledger, item: Body, sent: dict[str, Any]) -> Body:
    if not sent.get("Code"):
        raise Refusal(messages.ITEM_CODE_MISSING())
    problems = too_long(sent, ITEM_FIELDS)
    other = item_of(ledger, sent["Code"])
    if other is not None and other["ItemID"] != item["ItemID"]:
        problems.append(messages.ITEM_CODE_TAKEN(code=sent["Code"]))
    for name in ("SalesDetails", "PurchaseDetails"):
        problems += _problems_of(ledger, sent.get(name, {}))
    if problems:
        raise Refusal(*dict.fromkeys(problems))
    item |= {name: value for name, value in sent.items() if name != "ItemID"}
    for side, parts in _SIDES.items():
        if not item[side]:
            item |= {parts[0]: "", parts[1]: {}}
    ledger.save("Items", item)
    return item


def _problems_of(ledger: Ledger, details: dict[str, Any]) -> list[str]:
    code, tax = details.get("AccountCode"), details.get("TaxType")
    problems = []
    if code and not ledger.by_number("Accounts", code):
        problems.append(messages.ACCOUNT_CODE_NOT_VALID(code=code))
    if tax and ledger.find("TaxRates", tax) is None:
        problems.append(messages.TAX_UNKNOWN(tax=tax))
    return problems
