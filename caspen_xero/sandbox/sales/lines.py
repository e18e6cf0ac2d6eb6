"""The lines of invoices, credit notes and bank transactions: their accounts, tax rates, discounts and amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import (
    HUNDRED,
    LARGEST_LINE,
    ZERO,
    Amounts,
    Rounding,
    line_amount,
    line_tax,
    totals,
)
from caspen_xero.sandbox.books.fields import ID, NUMBER, WORD, Fields, Many, Text
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.wire import new_id
from caspen_xero.sandbox.organisation.items import item_of
from caspen_xero.sandbox.organisation.organisations import switch
from caspen_xero.sandbox.organisation.tax_rates import applies_to, effective_rate
from caspen_xero.sandbox.organisation.tracking import tracked
from caspen_xero.sandbox.sales.discounts import (
    check_discount,
    check_whole_discount,
    is_discounted,
    rate_of_amount,
    read_discount,
    repeats_discount,
    show_discount,
    taken_off,
)

LINE_FIELDS: Fields = {
    "LineItemID": ID,
    "Description": Text(4000),
    "Quantity": NUMBER,
    "UnitAmount": NUMBER,
    "ItemCode": Text(30),
    "AccountCode": WORD,
    "AccountID": ID,
    "TaxType": WORD,
    "TaxAmount": NUMBER,
    "LineAmount": NUMBER,
    "DiscountRate": NUMBER,
    "DiscountAmount": NUMBER,
    "Tracking": Many({"Name": Text(100), "Option": Text(100), "TrackingCategoryID": ID, "TrackingOptionID": ID}),
}
LINE_AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
_PRICED = ("Quantity", "UnitAmount", "LineAmount", "AccountCode", "AccountID", "TaxType", "ItemCode")
_SHOWN = [name for name in LINE_FIELDS if name not in ("Tracking", "DiscountRate", "DiscountAmount")]
_FOLLOWS = ("LineAmount", "TaxAmount", "DiscountAmount")
_STRIPPED = ("AccountID", "AccountCode", "TaxType")
_MADE_OF = ("Quantity", "UnitAmount", "DiscountRate", "DiscountAmount")
_AMOUNTS = ("Quantity", "UnitAmount", "LineAmount", "TaxType", "DiscountRate", "DiscountAmount")


@dataclass(frozen=True)
class LineRules:
    """What the document around a line allows and asks for. `warnings`: what Xero says of lines that it took without a part."""

    ledger: Ledger
    rounding: Rounding
    unit_places: int
    line_amount_types: str
    complete: bool  # the document is submitted or approved, so nothing may be missing
    discounts: bool = True
    control_accounts: bool = False  # an overpayment's line stands on the debtors' account
    draft: bool = False  # what can't stand in a line is left out, with a warning
    warnings: list[str] = field(default_factory=list)


def read_line_amount_types(text: str | None) -> str:
    """Exclusive where nothing is said (Xero's Invoices page). Refuses any other word than the three."""
    if text is None:
        return "Exclusive"
    if (known := LINE_AMOUNT_TYPES.get(text.lower())) is None:
        raise Refusal(messages.LINE_AMOUNT_TYPES_NOT_VALID(value=text))
    return known


def build_lines(rules: LineRules, sent: list[dict[str, Any]], existing: list[Body]) -> list[Body]:
    """The document's lines from those sent: a known LineItemID updates its line, any other is a new one, the rest is dropped.

    A known line keeps the fields that are not sent, and its amount and tax where nothing changed that they depend on (UNCONFIRMED).
    Raises one Refusal with the messages of every line.
    """
    known = {line["LineItemID"]: line for line in existing}
    lines: list[Body] = []
    problems: dict[tuple[str, int], list[str]] = {}
    for position, element in enumerate(sent):
        old = known.pop(element.get("LineItemID", ""), None)
        try:
            lines.append(_build_line(rules, _merged(rules, element, old), old))
        except Refusal as refusal:
            problems["LineItems", position] = refusal.messages
    if problems:
        raise Refusal(*dict.fromkeys(text for texts in problems.values() for text in texts), inside=problems)
    return lines


def with_rounded_discounts(rules: LineRules, lines: list[Body], *, rates: bool = False) -> list[Body]:
    """Lines whose discount was sent as an amount, counted anew from the percentage that it comes to, of 2 places.

    With `rates` those that were sent as a percentage of more places too.
    """
    names = ("DiscountAmount", "DiscountRate") if rates else ("DiscountAmount",)
    return [_with_rounded_discount(rules, line) if any(name in line for name in names) else line for line in lines]


def _with_rounded_discount(rules: LineRules, line: Body) -> Body:
    made_of = {name: line[name] for name in LINE_FIELDS if name in line and name not in _FOLLOWS}
    if "DiscountRate" in line:
        rate = rules.rounding.to_places(line["DiscountRate"], 2)
    else:
        rate = rate_of_amount(line, rules.rounding, 2)
    anew = _build_line(rules, made_of | {"DiscountRate": rate}, line)
    return line if anew["LineAmount"] == line["LineAmount"] else anew


def _merged(rules: LineRules, element: dict[str, Any], old: Body | None) -> dict[str, Any]:
    if old is None:
        return element
    kept = {name: old[name] for name in LINE_FIELDS if name in old and name not in ("LineAmount", "TaxAmount")}
    if "AccountCode" in element:
        kept.pop("AccountID", None)
    if repeats_discount(element, old, rules.rounding):
        element = {name: value for name, value in element.items() if name not in ("DiscountRate", "DiscountAmount")}
    if "DiscountRate" in element or "DiscountAmount" in element:
        kept.pop("DiscountRate", None)
        kept.pop("DiscountAmount", None)
    if "LineAmount" in element and "UnitAmount" not in element:
        kept.pop("UnitAmount", None)
    return kept | element


def _build_line(rules: LineRules, sent: dict[str, Any], old: Body | None) -> Body:
    line: Body = {"LineItemID": old["LineItemID"] if old else new_id()}
    line["Tracking"] = tracked(rules.ledger, sent.get("Tracking", []))
    together = Together()
    with together.also():
        line |= _line_text(rules, sent)
    if not any(name in sent for name in _PRICED):
        together.end()
        return line  # a line of text only
    with together.also():
        line |= _line_item(rules.ledger, sent, old)
    stripped = loses_account(rules.ledger, sent.get("UnitAmount", sent.get("LineAmount")))
    with together.also():
        sent = _without_what_is_unfit(rules, sent) if rules.draft else sent
        line |= _line_account_and_tax(rules, sent, needed=rules.complete and not stripped)
    with together.also():
        line |= _standing_money(sent, old) or _line_money(rules, sent)
        line["TaxAmount"] = _tax_amount(rules, line, sent, old)
    together.end()
    line["Mode"] = rules.line_amount_types
    return {name: value for name, value in line.items() if name not in _STRIPPED} if stripped else line


def _line_text(rules: LineRules, sent: Mapping[str, Any]) -> dict[str, Any]:
    description = sent.get("Description", "")
    if not description and rules.complete:
        raise Refusal(messages.DESCRIPTION_MISSING())
    if len(sent.get("Tracking", [])) > 2:
        raise Refusal(messages.TRACKING_TOO_MANY())
    return {"Description": description} if description else {}


def _line_account_and_tax(rules: LineRules, sent: Mapping[str, Any], *, needed: bool) -> Body:
    account, line, together = None, Body(), Together()
    with together.also():
        account = _line_account(rules, sent, needed=needed)
    with together.also():
        line |= _line_tax_type(rules, sent, account)
    together.end()
    if account is not None:
        line["AccountID"] = account["AccountID"]
        line |= {"AccountCode": account["Code"]} if "Code" in account else {}
    return line


def _line_item(ledger: Ledger, sent: Mapping[str, Any], old: Body | None) -> dict[str, Any]:
    """The item that a line names; a known line keeps one that is gone. What an item brings to a line is left out here."""
    code = sent.get("ItemCode")
    if code and code != (old or {}).get("ItemCode") and item_of(ledger, code) is None:
        raise Refusal(messages.ITEM_UNKNOWN(code=code))
    return {"ItemCode": code} if code else {}


def loses_account(ledger: Ledger, price: Decimal | None) -> bool:
    """Whether a line of this price loses its account and tax type: old reports say so of a price of 0."""
    return not price and ledger.ways.zero_price_lines == "stripped"


def _without_what_is_unfit(rules: LineRules, sent: dict[str, Any]) -> dict[str, Any]:
    """A draft's line without the account or tax type that can't stand there: Xero takes it, and warns (recorded in 2018 and 2021).

    UNCONFIRMED: of tax types; that it goes without tax then, not with the account's own; of accounts that are known but unfit.
    """
    account, ways = None, rules.ledger.ways
    try:
        account = _line_account(rules, sent, needed=False)
    except Refusal:
        if ways.unknown_account_in_draft == "refused":
            raise
        rules.warnings.append(messages.ACCOUNT_REMOVED(code=sent.get("AccountCode") or sent["AccountID"]))
        sent = {name: value for name, value in sent.items() if name not in ("AccountCode", "AccountID")}
    try:
        _line_tax_type(rules, sent, account)
    except Refusal:
        if ways.unknown_tax_type_in_draft == "refused":
            raise
        rules.warnings.append(messages.TAX_REMOVED(tax=sent["TaxType"]))
        sent = {name: value for name, value in sent.items() if name != "TaxAmount"} | {"TaxType": None}
    return sent


def _line_account(rules: LineRules, sent: Mapping[str, Any], *, needed: bool) -> Body | None:
    code = sent.get("AccountCode", "")
    if "AccountID" in sent and not code:
        account, code = rules.ledger.find("Accounts", sent["AccountID"]), sent["AccountID"]
    elif code:
        account = next(iter(rules.ledger.by_number("Accounts", code)), None)
    elif needed:
        raise Refusal(messages.ACCOUNT_MISSING(), *([] if sent.get("TaxType") else [messages.TAX_MISSING()]))
    else:
        return None
    if account is None:
        raise Refusal(messages.ACCOUNT_CODE_NOT_VALID(code=code))
    if account["Status"] != "ACTIVE":
        raise Refusal(messages.ACCOUNT_CODE_ARCHIVED(code=code))
    control = account.get("SystemAccount") in ("DEBTORS", "CREDITORS")
    if account["Type"] == "BANK" or control != rules.control_accounts:
        raise Refusal(messages.ACCOUNT_CODE_NOT_VALID(code=code))
    return account


def _line_tax_type(rules: LineRules, sent: Mapping[str, Any], account: Body | None) -> dict[str, Any]:
    if sent.get("TaxType", "") is None:  # left out, though it was sent
        return {}
    tax_type = sent.get("TaxType") or (account or {}).get("TaxType")
    if not tax_type:
        return {}
    rate = rules.ledger.find("TaxRates", tax_type)
    if rate is None and tax_type == "NONE" and rules.line_amount_types == "NoTax":
        return {"TaxType": "NONE"}
    if rate is None or rate["Status"] != "ACTIVE":
        raise Refusal(messages.TAX_UNKNOWN(tax=tax_type))
    if account is not None and not applies_to(rate, account):
        code = account.get("Code") or account["AccountID"]
        raise Refusal(messages.TAX_NOT_FOR_ACCOUNT(tax=tax_type, code=code))
    return {"TaxType": tax_type}


def _standing_money(sent: Mapping[str, Any], old: Body | None) -> Body:
    """The amount of a known line, and what it is made of, where nothing of that was sent otherwise; else nothing."""
    if old is None or "LineAmount" not in old or "LineAmount" in sent:
        return {}
    same = all(sent.get(name) == old.get(name) for name in _MADE_OF)
    return {name: old[name] for name in (*_MADE_OF, "LineAmount") if name in old} if same else {}


def _line_money(rules: LineRules, sent: Mapping[str, Any]) -> Body:
    """Quantity, price, discount and amount; the amount sent must be the one that follows from them."""
    quantity = rules.rounding.to_places(sent.get("Quantity", Decimal(1)), 4)
    if quantity < 0:
        raise Refusal(messages.QUANTITY_NEGATIVE(quantity=f"{quantity:.4f}"))
    rate, discount = read_discount(sent, rules.rounding)
    if (rate or discount) and not rules.discounts:
        raise Refusal(messages.DISCOUNT_NOT_HERE())
    given = sent.get("LineAmount")
    if "UnitAmount" in sent:
        unit = rules.rounding.to_places(sent["UnitAmount"], rules.unit_places)
    else:
        unit = rules.rounding.to_places(_unit_from_line(given or ZERO, quantity, rate, discount), rules.unit_places)
    amount = line_amount(rules.rounding, quantity, unit, rate, discount)
    if given is not None and "UnitAmount" not in sent:
        amount = rules.rounding.cents(given)  # Quantity and LineAmount stand, the price follows from them
    elif given is not None and rules.rounding.cents(given) != amount:
        raise Refusal(messages.LINE_TOTAL_WRONG(given=f"{rules.rounding.cents(given):.2f}", expected=f"{amount:.2f}"))
    if abs(amount) > LARGEST_LINE:
        raise Refusal(messages.LINE_TOO_LARGE())
    check_discount(sent, rate, discount, quantity * unit, rules.rounding)
    check_whole_discount(
        rules.ledger.ways.whole_discount, given, rate, discount, amount, quantity * unit, rules.rounding
    )
    money: Body = {"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount}
    if rate:
        money |= {"DiscountRate": rate}
    elif discount:
        money |= {"DiscountAmount": discount}
    return money


def _unit_from_line(given: Decimal, quantity: Decimal, rate: Decimal, discount: Decimal) -> Decimal:
    if not quantity or rate == HUNDRED:
        return ZERO
    gross = given * HUNDRED / (HUNDRED - rate) if rate else given + discount
    return gross / quantity


def _tax_amount(rules: LineRules, line: Body, sent: Mapping[str, Any], old: Body | None) -> Decimal:
    """The tax that was sent (seen to be kept with no tolerance, third party's live test), else the tax that the rate makes."""
    keeps = switch(rules.ledger, "KeepsTaxAmount", True)
    if rules.line_amount_types != "NoTax" and keeps:
        same = old is not None and old.get("Mode") == rules.line_amount_types
        if "TaxAmount" in sent:
            tax = rules.rounding.cents(sent["TaxAmount"])
            if abs(tax) > abs(line["LineAmount"]):
                raise Refusal(messages.TAX_ABOVE_LINE())
            return tax
        if old is not None and same and all(line.get(name) == old.get(name) for name in _AMOUNTS):
            return Decimal(old["TaxAmount"])
    percentage = ZERO
    if rate := rules.ledger.find("TaxRates", line.get("TaxType", "")):
        percentage = effective_rate(rate)
    return line_tax(rules.rounding, line["LineAmount"], percentage, rules.line_amount_types)


def document_totals(lines: list[Body], line_amount_types: str) -> Amounts:
    return totals(
        [(line["LineAmount"], line["TaxAmount"]) for line in lines if "LineAmount" in line], line_amount_types
    )


def total_discount(lines: list[Body], rounding: Rounding) -> Decimal:
    """What all discounts of the document come to."""
    return sum((taken_off(line, rounding) for line in lines if is_discounted(line)), ZERO)


def show_line(
    line: Body, rounding: Rounding, unit_places: int, *, checked: bool = False, rate_alone: bool = False
) -> Body:
    """One line as Xero shows it; where one document is written or read by its id, with an empty ValidationErrors (recorded).

    `rate_alone`: of a discount only its percentage.
    """
    shown: Body = {name: line[name] for name in _SHOWN if name in line}
    if "UnitAmount" in shown:
        shown["UnitAmount"] = rounding.to_places(shown["UnitAmount"], unit_places)
    discount = show_discount(line, rounding)
    shown |= {"DiscountRate": discount["DiscountRate"]} if discount and rate_alone else discount
    shown["Tracking"] = [_show_tracking(category, checked=checked) for category in line["Tracking"]]
    if checked:
        shown["ValidationErrors"] = []
    return shown


def _show_tracking(category: Body, *, checked: bool) -> Body:
    """A tracking category on a line: a list does not name the option's id, and has an empty list of options instead (recorded)."""
    if checked:
        return category
    return {name: value for name, value in category.items() if name != "TrackingOptionID"} | {"Options": []}
