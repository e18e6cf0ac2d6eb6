"""The countries of the sandbox: what an organisation there is, its tax rates as Xero's pages list them, and its books."""

from __future__ import annotations

from decimal import Decimal

import pytest

from caspen_xero.sandbox.organisation.countries import COUNTRIES, demo_company
from tests.sandbox.bookkeeper import Bookkeeper, Element

# Edition, currency, time zone as Xero names it, basis of the sales tax.
FACTS = {
    "AU": ("AU", "AUD", "AUSEASTERNSTANDARDTIME", "ACCRUALS"),
    "NZ": ("NZ", "NZD", "NEWZEALANDSTANDARDTIME", "PAYMENTS"),
    "GB": ("UK", "GBP", "GMTSTANDARDTIME", "ACCRUAL"),
    "US": ("US", "USD", "EASTERNSTANDARDTIME", "ACCRUALS"),
    "SG": ("GLOBAL", "SGD", "SINGAPORESTANDARDTIME", "ACCRUALS"),
}
# What may stand on an income account, with its percentage; from the tables of Xero's Types and TaxRates pages.
ON_SALES = {
    "AU": {"OUTPUT": "10", "EXEMPTOUTPUT": "0", "EXEMPTEXPORT": "0", "INPUTTAXED": "0", "BASEXCLUDED": "0"},
    "NZ": {"OUTPUT2": "15", "ZERORATED": "0", "NONE": "0"},
    "GB": {
        "OUTPUT2": "20",
        "RROUTPUT": "5",
        "ZERORATEDOUTPUT": "0",
        "EXEMPTOUTPUT": "0",
        "ECZROUTPUT": "0",
        "ECZROUTPUTSERVICES": "0",
        "NONE": "0",
    },
    "US": {"OUTPUT": "8.25", "INPUT": "8.25", "NONE": "0", "AVALARA": "0"},
    "SG": {
        **dict.fromkeys(("OUTPUTY24", "DSOUTPUTY24", "SRLVGY24", "SROVRLVGY24", "SROVRRSY24"), "9"),
        **dict.fromkeys(("BADDEBTRECOVERYY24", "BADDEBTRELIEFY24"), "9"),
        **dict.fromkeys(("ZERORATEDOUTPUT", "ES33OUTPUT", "ESN33OUTPUT", "OSOUTPUT2", "SRCAS"), "0"),
        "TOURISTREFUND": "0",
        "NONE": "0",
        "OUTPUTY23": "8",
        "OUTPUT": "7",
    },
}
NAMES = {
    "AU": {"OUTPUT": "GST on Income", "EXEMPTOUTPUT": "GST Free Income", "BASEXCLUDED": "BAS Excluded"},
    "NZ": {"OUTPUT2": "15% GST on Income", "ZERORATED": "Zero Rated", "NONE": "No GST"},
    "GB": {"OUTPUT2": "20% (VAT on Income)", "EXEMPTOUTPUT": "Exempt Income", "NONE": "No VAT"},
    "US": {"OUTPUT": "Tax on Sales", "INPUT": "Tax on Purchases", "NONE": "Tax Exempt"},
    "SG": {"OUTPUTY24": "Standard-Rated Supplies", "ZERORATEDOUTPUT": "Zero-Rated Supplies", "NONE": "No Tax"},
}
# A purchase of 100.00 at the usual rate, and one that carries no tax.
ON_PURCHASES = {
    "AU": {"INPUT": "10", "CAPEXINPUT": "10", "EXEMPTEXPENSES": "0", "EXEMPTCAPITAL": "0"},
    "NZ": {"INPUT2": "15", "NONE": "0"},
    "GB": {"INPUT2": "20", "RRINPUT": "5", "EXEMPTINPUT": "0", "ZERORATEDINPUT": "0", "ECZRINPUT": "0"},
    "US": {"INPUT": "8.25", "NONE": "0"},
    "SG": {"INPUTY24": "9", "BLINPUT3Y24": "9", "NRINPUT": "0", "IMY24": "0", "TXRCTSY24": "0"},
}
IMPORTS = {"AU": "GSTONIMPORTS", "NZ": "GSTONIMPORTS", "GB": "GSTONIMPORTS", "US": "GSTONIMPORTS", "SG": "IMY24"}


@pytest.fixture(params=sorted(COUNTRIES))
def there(request: pytest.FixtureRequest) -> tuple[str, Bookkeeper]:
    """A country, and a bookkeeper there."""
    return request.param, Bookkeeper(request.param)


def rates_of(b: Bookkeeper) -> dict[str, Element]:
    return {rate["TaxType"]: rate for rate in b.list("TaxRates") if rate["Status"] == "ACTIVE"}


def bill(b: Bookkeeper, tax_type: str) -> Element:
    """A supplier's bill of 100.00 without tax."""
    return b.invoice(b.line(100, AccountCode="453", TaxType=tax_type), Type="ACCPAY", InvoiceNumber=f"B-{tax_type}")


def test_an_organisation_is_of_its_country(there: tuple[str, Bookkeeper]) -> None:
    country, b = there
    organisation = b.page("Organisation")["Organisations"][0]
    assert organisation["CountryCode"] == country
    told = tuple(organisation[name] for name in ("Version", "BaseCurrency", "Timezone", "SalesTaxBasis"))
    assert told == FACTS[country]
    assert organisation.get("TaxNumberName") == ("GST reg no" if country == "SG" else None)
    assert [currency["Code"] for currency in b.list("Currencies")] == [FACTS[country][1]]
    assert b.list("Accounts", where='Type=="BANK"')[0]["CurrencyCode"] == FACTS[country][1]
    assert {demo_company("GB"), demo_company("SG")} == {"Demo Company (UK)", "Demo Company (Global)"}


def test_the_tax_rates_of_a_country_are_those_of_xeros_pages(there: tuple[str, Bookkeeper]) -> None:
    country, b = there
    rates = rates_of(b)
    on_sales = {
        type_: rate["EffectiveRate"]
        for type_, rate in rates.items()
        if rate["CanApplyToRevenue"] and rate["ReportTaxType"] != "USSALESTAX"
    }
    assert on_sales == {type_: Decimal(percentage) for type_, percentage in ON_SALES[country].items()}
    assert NAMES[country].items() <= {type_: rate["Name"] for type_, rate in rates.items()}.items()
    for rate in rates.values():
        assert rate["DisplayTaxRate"] == sum(part["Rate"] for part in rate["TaxComponents"])


def test_an_account_has_a_tax_rate_that_goes_with_it(there: tuple[str, Bookkeeper]) -> None:
    _, b = there
    rates = rates_of(b)
    applies = {
        "ASSET": "Assets",
        "EQUITY": "Equity",
        "EXPENSE": "Expenses",
        "LIABILITY": "Liabilities",
        "REVENUE": "Revenue",
    }
    for account in b.list("Accounts"):
        assert rates[account["TaxType"]][f"CanApplyTo{applies[account['Class']]}"], account["Name"]


def test_a_sale_and_a_payment_in_each_country(there: tuple[str, Bookkeeper]) -> None:
    country, b = there
    percentage = Decimal(ON_SALES[country][b.income])
    invoice = b.invoice(b.line(200), b.line(50, AccountCode="201", TaxType=b.free))
    assert (invoice["SubTotal"], invoice["TotalTax"]) == (250, 2 * percentage)
    b.pay(invoice, invoice["Total"])
    assert b.read("Invoices", invoice["InvoiceID"])["Status"] == "PAID"


def test_purchases_have_their_own_tax_rates(there: tuple[str, Bookkeeper]) -> None:
    country, b = there
    for tax_type, percentage in ON_PURCHASES[country].items():
        assert bill(b, tax_type)["TotalTax"] == Decimal(percentage), tax_type
    assert "REVENUE" not in IMPORTS[country]
    assert not rates_of(b)[IMPORTS[country]]["CanApplyToRevenue"]
    if country != "US":
        (first, *_) = ON_PURCHASES[country]
        assert b.refused("PUT", "Invoices", b.draft(b.line(TaxType=first))) == [
            f"The TaxType code '{first}' cannot be used with account code '200'."
        ]


def test_a_purchase_rate_may_stand_on_income_in_the_us() -> None:
    b = Bookkeeper("US")
    invoice = b.invoice(b.line(200, TaxType="INPUT"))
    assert invoice["TotalTax"] == Decimal("16.50")
    parts = rates_of(b)["OUTPUT"]["TaxComponents"]
    assert {part["Name"]: part["Rate"] for part in parts} == {"City Tax": 4, "State Tax": Decimal("4.25")}


def test_the_us_lists_rates_that_no_app_can_use() -> None:
    rates = rates_of(Bookkeeper("US"))
    (automated,) = [rate for rate in rates.values() if rate["ReportTaxType"] == "USSALESTAX"]
    assert len(automated["TaxType"]) == 36
    assert automated["CanApplyToRevenue"]
    assert rates["AVALARA"]["CanApplyToRevenue"]


@pytest.mark.parametrize("tax_type", ["REVERSECHARGES", "ECACQUISITIONS"])
def test_a_reverse_charge_adds_nothing_to_a_bill(tax_type: str) -> None:
    made = bill(Bookkeeper("GB"), tax_type)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (100, 0, 100)


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_only_some_editions_ask_where_a_rate_is_reported(country: str) -> None:
    b = Bookkeeper(country)
    levy = {"Name": "Levy", "TaxComponents": [{"Name": "Levy", "Rate": "2.5"}]}
    if country in ("AU", "NZ", "GB"):
        assert b.refused("PUT", "TaxRates", levy) == ["ReportTaxType must be specified for a tax rate"]
    else:
        made = b.put("TaxRates", levy)
        assert (made["CanApplyToRevenue"], made["CanApplyToExpenses"]) == (True, True)
        assert "ReportTaxType" not in made


def test_foreign_money_has_a_days_rate_in_each_country(there: tuple[str, Bookkeeper]) -> None:
    _, b = there
    b.put("Currencies", {"Code": "EUR"})
    assert b.invoice(CurrencyCode="EUR")["CurrencyRate"] not in (0, 1)
