"""Tax rates: what each comes to, which accounts it may be used with, and making or retiring one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import HUNDRED
from caspen_xero.sandbox.books.fields import FLAG, NUMBER, WORD, Choice, Fields, Many, Text
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.organisation.organisations import organisation_of

TAX_RATE_FIELDS: Fields = {
    "Name": Text(50),
    "TaxType": WORD,
    "Status": Choice(frozenset({"ACTIVE", "DELETED", "ARCHIVED", "PENDING"})),
    "ReportTaxType": WORD,
    "TaxComponents": Many({"Name": Text(50), "Rate": NUMBER, "IsCompound": FLAG, "IsNonRecoverable": FLAG}),
}
_REPORTING = ("AU", "NZ", "UK")  # the editions in which a rate says where it stands on the return
_APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def effective_rate(rate: Body) -> Decimal:
    """The percentage that a rate comes to: the plain components added, a compound one on top of them."""
    plain = sum((part["Rate"] for part in rate["TaxComponents"] if not part["IsCompound"]), Decimal(0))
    compound = sum((part["Rate"] for part in rate["TaxComponents"] if part["IsCompound"]), Decimal(0))
    return plain + compound * (HUNDRED + plain) / HUNDRED


def applies_to(rate: Body, account: Body) -> bool:
    return bool(rate[_APPLIES[account["Class"]]])


def show_tax_rate(rate: Body) -> Body:
    shown = {name: value for name, value in rate.items() if name not in ("System", "Updated")}
    total = sum((part["Rate"] for part in rate["TaxComponents"]), Decimal(0))
    return shown | {"DisplayTaxRate": total, "EffectiveRate": round(effective_rate(rate), 4)}


def create_tax_rate(ledger: Ledger, sent: dict[str, Any]) -> Body:
    """Makes a rate of the organisation's own: TAX002, TAX003, and so on. Of no report, it may stand on any account."""
    reports = organisation_of(ledger)["Version"] in _REPORTING
    for name in ("Name", "ReportTaxType", "TaxComponents"):
        if not sent.get(name) and (reports or name != "ReportTaxType"):
            raise Refusal(messages.TAX_RATE_FIELD_MISSING(field=name))
    if any(rate["Status"] == "ACTIVE" for rate in ledger.by_name("TaxRates", sent["Name"])):
        raise Refusal(messages.TAX_RATE_NAME_TAKEN())
    report = sent.get("ReportTaxType")
    number = 1
    while ledger.find("TaxRates", f"TAX{number:03d}"):
        number += 1
    rate: Body = {
        "Name": sent["Name"],
        "TaxType": f"TAX{number:03d}",
        **({"ReportTaxType": report} if report else {}),
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": not report or "OUTPUT" not in report,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": not report or "OUTPUT" in report,
        "Status": "ACTIVE",
        "TaxComponents": _components(sent),
        "System": False,
    }
    ledger.save("TaxRates", rate)
    return rate


def _components(sent: dict[str, Any]) -> list[Body]:
    parts = []
    for part in sent["TaxComponents"]:
        if "Name" not in part or "Rate" not in part:
            raise Refusal(messages.TAX_RATE_FIELD_MISSING(field="The name and rate of each component"))
        parts.append({"IsCompound": False, "IsNonRecoverable": False} | part)
    return parts


def update_tax_rate(ledger: Ledger, sent: dict[str, Any]) -> Body:
    """Renames a rate, adds components, or deletes it; found by its TaxType, else by its name (as in the OpenAPI's example).

    System rates can't be changed, components not taken away.
    """
    if sent.get("TaxType"):
        rate = ledger.find("TaxRates", sent["TaxType"])
    else:
        rate = next(iter(ledger.by_name("TaxRates", sent.get("Name", ""))), None)
    if rate is None:
        raise Refusal(messages.TAX_RATE_NOT_FOUND())
    if rate["System"]:
        raise Refusal(messages.TAX_RATE_IS_SYSTEM())
    if "TaxComponents" in sent:
        parts = _components(sent)
        if not {part["Name"] for part in rate["TaxComponents"]} <= {part["Name"] for part in parts}:
            raise Refusal(messages.TAX_COMPONENT_LOST())
        rate["TaxComponents"] = parts
    rate |= {name: sent[name] for name in ("Name", "ReportTaxType", "Status") if sent.get(name)}
    ledger.save("TaxRates", rate)
    return rate
