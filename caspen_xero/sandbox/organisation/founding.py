"""How an organisation is made: with its country's chart of accounts, tax rates and currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books.ledger import Body, Books, Ledger
from caspen_xero.sandbox.organisation.charts import CLASSES, ChartAccount, ChartRate, Country
from caspen_xero.sandbox.organisation.countries import COUNTRIES
from caspen_xero.sandbox.organisation.currencies import CURRENCY_NAMES
from caspen_xero.sandbox.organisation.organisations import (
    Organisation,
    change_organisation,
    fixed_id,
    organisation_of,
    summary,
)
from caspen_xero.sandbox.organisation.themes import add_standard_theme
from caspen_xero.sandbox.organisation.users import add_person


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
    ledger.save("Currencies", {"Code": country.currency, "Description": CURRENCY_NAMES[country.currency]})
    furnish(ledger)
    if fields:
        change_organisation(ledger, fields)
    return summary(tenant_id, organisation_of(ledger))


def furnish(ledger: Ledger) -> None:
    """Makes what an organisation has of itself, where it is missing: books of an earlier version lack it."""
    add_standard_theme(ledger)
    add_person(ledger)


def _organisation_body(
    books: Books, tenant_id: str, name: str, country_code: str, country: Country, demo: bool
) -> Body:
    return {
        "OrganisationID": tenant_id,  # one id (recorded answers of August 2026)
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": country.version,
        "OrganisationType": "COMPANY",
        "BaseCurrency": country.currency,
        "CountryCode": country_code,
        "IsDemoCompany": demo,
        "OrganisationStatus": "ACTIVE",
        "TaxNumber": country.tax_number,
        **({"TaxNumberName": country.tax_number_name} if country.tax_number_name else {}),
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
    parts = rate.parts or ((rate.component, rate.percentage),)
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
        "TaxComponents": [
            {"Name": name, "Rate": Decimal(percentage), "IsCompound": False, "IsNonRecoverable": False}
            for name, percentage in parts
        ],
        "System": rate.is_system,
    }
