"""Organisations: how one is made, what it shows of itself, its lock dates, its own today, and the switches behind its screens."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.ledger import Body, Books, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import read_date, xero_date
from caspen_xero.sandbox.organisation.charts import CLASSES, COUNTRIES, ChartAccount, ChartRate, Country

SPACE = uuid.UUID("6c8f8f3e-2f0b-4d5a-9d51-5b6f3f0f6a11")
DATES = ("PeriodLockDate", "EndOfYearLockDate")
# What a person sets in Xero's screens, or what is unknown of Xero; never part of an answer.
SWITCHES = {"ApprovalLimit", "Approver", "KeepsTaxAmount"}


@dataclass(frozen=True)
class Organisation:
    """What sign-in and pages need to know of an organisation."""

    tenant_id: str
    name: str
    country: str
    short_code: str
    organisation_id: str


def fixed_id(*parts: str) -> str:
    """An id that is the same in every sandbox."""
    return str(uuid.uuid5(SPACE, "/".join(parts)))


def summary(tenant_id: str, body: Body) -> Organisation:
    return Organisation(tenant_id, body["Name"], body["CountryCode"], body["ShortCode"], body["OrganisationID"])


def all_organisations(books: Books) -> list[Organisation]:
    """Every organisation, in the order in which they were made."""
    return [summary(tenant_id, body) for tenant_id, body in books.organisations()]


def found_organisation(books: Books, name: str, country_code: str, demo: bool, fields: dict[str, Any]) -> Organisation:
    """Makes an organisation with its country's chart, tax rates and currency. Raises ValueError for an unknown country."""
    country = COUNTRIES.get(country_code)
    if country is None:
        raise ValueError(f"no chart for the country {country_code!r}: choose one of {', '.join(COUNTRIES)}")
    tenant_id = fixed_id("tenant", str(len(books.organisations()) + 1))
    ledger = Ledger(books, tenant_id)
    ledger.save("Organisation", _organisation_body(books, tenant_id, name, country_code, country, demo))
    for account in country.accounts:
        ledger.save("Accounts", _account_body(tenant_id, account, country.currency))
    for rate in country.rates:
        ledger.save("TaxRates", _rate_body(rate))
    ledger.save("Currencies", {"Code": country.currency, "Description": country.currency_name})
    if fields:
        change_organisation(ledger, fields)
    return summary(tenant_id, organisation_of(ledger))


def _organisation_body(
    books: Books, tenant_id: str, name: str, country_code: str, country: Country, demo: bool
) -> Body:
    return {
        "OrganisationID": fixed_id(tenant_id, "organisation"),
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": country_code,
        "OrganisationType": "COMPANY",
        "BaseCurrency": country.currency,
        "CountryCode": country_code,
        "IsDemoCompany": demo,
        "OrganisationStatus": "ACTIVE",
        "TaxNumber": country.tax_number,
        "FinancialYearEndDay": country.year_end[0],
        "FinancialYearEndMonth": country.year_end[1],
        "SalesTaxBasis": country.sales_tax_basis,
        "SalesTaxPeriod": country.sales_tax_period,
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Inclusive",
        "Created": books.tick(),
        "OrganisationEntityType": "COMPANY",
        "Timezone": country.xero_timezone,
        "ShortCode": "!" + fixed_id(tenant_id, "short").replace("-", "")[:5].upper(),
        "Edition": "BUSINESS",
        "Class": "DEMO" if demo else "PREMIUM",
        "LineOfBusiness": "Healthcare",
        "Switches": {},
        "Counters": {},
    }


def _account_body(tenant_id: str, account: ChartAccount, currency: str) -> Body:
    body: Body = {
        "AccountID": fixed_id(tenant_id, "account", account.code or account.name),
        "Name": account.name,
        "Status": account.status,
        "Type": account.type,
        "TaxType": account.tax_type,
        "Class": CLASSES[account.type],
        "EnablePaymentsToAccount": account.payable,
        "ShowInExpenseClaims": False,
    }
    if account.code:
        body["Code"] = account.code
    if account.description:
        body["Description"] = account.description
    if account.system:
        body["SystemAccount"] = account.system
    if account.bank:
        body |= {"BankAccountNumber": account.bank, "BankAccountType": "BANK", "CurrencyCode": currency}
    return body


def _rate_body(rate: ChartRate) -> Body:
    percentage = Decimal(rate.percentage)
    component = {"Name": rate.component, "Rate": percentage, "IsCompound": False, "IsNonRecoverable": False}
    return {
        "Name": rate.name,
        "TaxType": rate.tax_type,
        "ReportTaxType": rate.report_type,
        "CanApplyToAssets": "A" in rate.applies_to,
        "CanApplyToEquity": "Q" in rate.applies_to,
        "CanApplyToExpenses": "E" in rate.applies_to,
        "CanApplyToLiabilities": "L" in rate.applies_to,
        "CanApplyToRevenue": "R" in rate.applies_to,
        "Status": rate.status,
        "TaxComponents": [component],
        "System": rate.tax_type != "TAX001",
    }


def organisation_of(ledger: Ledger) -> Body:
    """The ledger's organisation. Raises LookupError for an unknown tenant id."""
    found = ledger.find("Organisation", fixed_id(ledger.tenant_id, "organisation"))
    if found is None:
        raise LookupError(f"no organisation with the tenant id {ledger.tenant_id}")
    return found


def show_organisation(body: Body) -> Body:
    shown = {key: value for key, value in body.items() if key not in ("Created", "Switches", "Counters", "Updated")}
    for name in DATES:
        if shown.get(name):
            shown[name] = xero_date(shown[name])
    shown["CreatedDateUTC"] = f"/Date({body['Created']})/"  # without an offset (recorded)
    shown |= {"Addresses": [], "Phones": [], "ExternalLinks": [], "PaymentTerms": {}}
    return shown


def change_organisation(ledger: Ledger, fields: dict[str, Any]) -> None:
    """What a person changes in the organisation's settings: lock dates (a date, or nothing to lift it), any shown field, a switch.

    Raises ValueError for a field that no organisation has, or a date that is none.
    """
    body = organisation_of(ledger)
    for name, value in fields.items():
        if name in SWITCHES:
            body["Switches"][name] = value
        elif name in DATES:
            body[name] = read_date(value) if value else None
            if not value:
                del body[name]
        elif name in body and name not in ("OrganisationID", "Created", "Switches", "Counters", "Updated"):
            body[name] = value
        else:
            raise ValueError(f"an organisation has no field {name!r}")
    ledger.save("Organisation", body)


def switch(ledger: Ledger, name: str, default: Any) -> Any:
    return organisation_of(ledger)["Switches"].get(name, default)


def next_number(ledger: Ledger, kind: str, prefix: str) -> str:
    """The next number that Xero gives a document without one: `INV-0001`; numbers in use are passed over."""
    organisation = organisation_of(ledger)
    counters = organisation["Counters"]
    while True:
        counters[prefix] = counters.get(prefix, 0) + 1
        number = f"{prefix}-{counters[prefix]:04d}"
        if not ledger.by_number(kind, number):
            ledger.save("Organisation", organisation, changed=False)
            return number


def today(ledger: Ledger) -> str:
    """The date in the organisation's own time zone: what Xero fills in for a missing Date."""
    country = COUNTRIES[organisation_of(ledger)["CountryCode"]]
    zone: tzinfo
    try:
        zone = ZoneInfo(country.timezone)
    except ZoneInfoNotFoundError:  # a machine without time zone data: standard time will do
        zone = timezone(timedelta(hours=country.utc_offset))
    return ledger.books.clock.now().astimezone(zone).date().isoformat()


def check_lock_dates(ledger: Ledger, day: str) -> None:
    """Refuses a date on or before a lock date (a lock covers its own day)."""
    organisation = organisation_of(ledger)
    for name, message in (("PeriodLockDate", messages.PERIOD_LOCKED), ("EndOfYearLockDate", messages.YEAR_LOCKED)):
        locked = organisation.get(name)
        if locked and day <= locked:
            raise Refusal(message(day=date.fromisoformat(locked).strftime("%d %b %Y").lstrip("0")))


def count_approval(ledger: Ledger) -> None:
    """Counts a sales invoice approved this month against the plan's limit (entry plans: 20 a month). Refuses above it."""
    limit = switch(ledger, "ApprovalLimit", None)
    organisation = organisation_of(ledger)
    month = f"approved {today(ledger)[:7]}"
    approved = organisation["Counters"].get(month, 0)
    if limit is not None and approved >= int(limit):
        raise Refusal(messages.APPROVAL_LIMIT())
    organisation["Counters"][month] = approved + 1
    ledger.save("Organisation", organisation, changed=False)
