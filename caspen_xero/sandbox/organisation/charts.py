"""The charts of accounts and the tax rates that a new organisation starts with, per country. All of it is the project's own data.

The tax types are those of Xero's Types page. Rates that a country has given up stay listed as DELETED, as Xero lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "INVENTORY": "ASSET",
    "FIXED": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY",
    "EQUITY": "EQUITY",
    "SALES": "REVENUE",
    "REVENUE": "REVENUE",
    "OTHERINCOME": "REVENUE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "DEPRECIATN": "EXPENSE",
}


@dataclass(frozen=True)
class ChartAccount:
    """One account of a new organisation's chart; `bank` is the number of a bank account, `system` Xero's name of its role."""

    code: str
    name: str
    type: str
    tax_type: str
    system: str = ""
    payable: bool = False
    bank: str = ""
    status: str = "ACTIVE"
    description: str = ""


@dataclass(frozen=True)
class ChartRate:
    """One tax rate: its percentage, and the classes of account it applies to (A, E, L, Q for equity, R for revenue)."""

    tax_type: str
    name: str
    percentage: str
    applies_to: str
    report_type: str
    component: str = "GST"
    status: str = "ACTIVE"


@dataclass(frozen=True)
class Country:
    """What differs between countries when an organisation is made."""

    currency: str
    timezone: str
    utc_offset: int
    xero_timezone: str
    sales_tax_basis: str
    sales_tax_period: str
    year_end: tuple[int, int]
    tax_number: str
    no_tax: str
    accounts: tuple[ChartAccount, ...]
    rates: tuple[ChartRate, ...]


def _chart(output: str, expense: str, free: str, none: str) -> tuple[ChartAccount, ...]:
    a = ChartAccount
    return (
        a("090", "Business Bank Account", "BANK", none, bank="06200010203040"),
        a("091", "Business Savings Account", "BANK", none, bank="06200010203041"),
        a("", "Clinic Card Settlement", "BANK", none, bank="06200010203099"),
        a("200", "Sales", "REVENUE", output, description="Income from the clinic's usual work"),
        a("201", "Consultations", "REVENUE", free, description="Consultations and treatments"),
        a("260", "Other Revenue", "REVENUE", output, description="Income that is not the clinic's usual work"),
        a("270", "Interest Income", "OTHERINCOME", none),
        a("300", "Purchases", "DIRECTCOSTS", expense),
        a("310", "Cost of Goods Sold", "DIRECTCOSTS", expense),
        a("400", "Advertising", "EXPENSE", expense),
        a("404", "Bank Fees", "EXPENSE", none),
        a("408", "Cleaning", "EXPENSE", expense),
        a("416", "Depreciation", "DEPRECIATN", none),
        a("420", "Entertainment", "EXPENSE", none),
        a("433", "Insurance", "EXPENSE", expense),
        a("445", "Light, Power, Heating", "EXPENSE", expense),
        a("453", "Office Expenses", "EXPENSE", expense),
        a("460", "Printing & Stationery", "EXPENSE", expense, status="ARCHIVED"),
        a("469", "Rent", "EXPENSE", expense),
        a("477", "Wages and Salaries", "EXPENSE", none),
        a("485", "Subscriptions", "EXPENSE", expense),
        a("489", "Telephone & Internet", "EXPENSE", expense),
        a("610", "Accounts Receivable", "CURRENT", none, system="DEBTORS"),
        a("620", "Prepayments", "CURRENT", none),
        a("630", "Inventory", "INVENTORY", none),
        a("710", "Office Equipment", "FIXED", expense),
        a("800", "Accounts Payable", "CURRLIAB", none, system="CREDITORS"),
        a("820", "GST", "CURRLIAB", none, system="GST"),
        a("840", "Historical Adjustment", "CURRLIAB", none, system="HISTORICAL"),
        a("855", "Card and HICAPS Clearing", "CURRLIAB", none, payable=True),
        a("860", "Rounding", "CURRLIAB", none, system="ROUNDING"),
        a("880", "Owner Drawings", "EQUITY", none, payable=True),
        a("900", "Loan", "NONCURRENT", none),
        a("960", "Retained Earnings", "EQUITY", none, system="RETAINEDEARNINGS"),
    )


AU = Country(
    currency="AUD",
    timezone="Australia/Sydney",
    utc_offset=10,
    xero_timezone="AUSEASTERNSTANDARDTIME",
    sales_tax_basis="ACCRUALS",
    sales_tax_period="QUARTERLY1",
    year_end=(30, 6),
    tax_number="11111111138",
    no_tax="BASEXCLUDED",
    accounts=_chart("OUTPUT", "INPUT", "EXEMPTOUTPUT", "BASEXCLUDED"),
    rates=(
        ChartRate("OUTPUT", "GST on Income", "10", "ALQR", "OUTPUT"),
        ChartRate("INPUT", "GST on Expenses", "10", "AELQ", "INPUT"),
        ChartRate("EXEMPTOUTPUT", "GST Free Income", "0", "R", "EXEMPTOUTPUT"),
        ChartRate("EXEMPTEXPENSES", "GST Free Expenses", "0", "AELQ", "EXEMPTEXPENSES"),
        ChartRate("BASEXCLUDED", "BAS Excluded", "0", "AELQR", "BASEXCLUDED"),
        ChartRate("EXEMPTEXPORT", "GST Free Exports", "0", "R", "EXEMPTEXPORT"),
        ChartRate("INPUTTAXED", "Input Taxed", "0", "AELQR", "INPUTTAXED"),
        ChartRate("GSTONIMPORTS", "GST on Imports", "0", "AELQ", "GSTONIMPORTS"),
        ChartRate("CAPEXINPUT", "GST on Capital", "10", "AELQ", "CAPEXINPUT"),
        ChartRate("TAX001", "Luxury Car Tax (old)", "33", "R", "OUTPUT", component="LCT", status="DELETED"),
    ),
)

NZ = Country(
    currency="NZD",
    timezone="Pacific/Auckland",
    utc_offset=12,
    xero_timezone="NEWZEALANDSTANDARDTIME",
    sales_tax_basis="PAYMENTS",
    sales_tax_period="TWOMONTHS",
    year_end=(31, 3),
    tax_number="111-111-119",
    no_tax="NONE",
    accounts=_chart("OUTPUT2", "INPUT2", "ZERORATED", "NONE"),
    rates=(
        ChartRate("OUTPUT2", "15% GST on Income", "15", "ALQR", "OUTPUT"),
        ChartRate("INPUT2", "15% GST on Expenses", "15", "AELQ", "INPUT"),
        ChartRate("ZERORATED", "Zero Rated", "0", "LR", "OUTPUT"),
        ChartRate("NONE", "No GST", "0", "AELQR", "NONE"),
        ChartRate("GSTONIMPORTS", "GST on Imports", "0", "L", "GSTONIMPORTS"),
        ChartRate("OUTPUT", "12.5% GST on Income", "12.5", "ALQR", "OUTPUT", status="DELETED"),
        ChartRate("INPUT", "12.5% GST on Expenses", "12.5", "AELQ", "INPUT", status="DELETED"),
    ),
)

COUNTRIES = {"AU": AU, "NZ": NZ}
