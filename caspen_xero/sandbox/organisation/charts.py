"""What a chart of accounts and a country's tax rates are made of, and the clinic's chart that all countries share.

All of it is the project's own data. Rates that a country has given up stay listed as DELETED, as Xero lists them.
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
    """One tax rate: its percentage, and the classes of account it applies to (A, E, L, Q for equity, R for revenue).

    `parts`: its components with their percentages, where it has more than the one that `component` names.
    """

    tax_type: str
    name: str
    percentage: str
    applies_to: str
    report_type: str
    component: str = "GST"
    status: str = "ACTIVE"
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def is_system(self) -> bool:
        """Whether it came with Xero; those that people make are TAX001 and so on."""
        return not self.tax_type.startswith("TAX0")


@dataclass(frozen=True)
class Country:
    """What differs between countries when an organisation is made. `version`: the edition of Xero that the country has."""

    version: str
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
    tax_number_name: str = ""


def clinic_chart(
    sales: str, expense: str, consultations: str, none: str, *, clearing: str, tax: str = "GST"
) -> tuple[ChartAccount, ...]:
    """A clinic's accounts with the tax types that they have by default; `clearing` is where cards and insurers pay in."""
    a = ChartAccount
    return (
        a("090", "Business Bank Account", "BANK", none, bank="06200010203040"),
        a("091", "Business Savings Account", "BANK", none, bank="06200010203041"),
        a("", "Clinic Card Settlement", "BANK", none, bank="06200010203099"),
        a("200", "Sales", "REVENUE", sales, description="Income from the clinic's usual work"),
        a("201", "Consultations", "REVENUE", consultations, description="Consultations and treatments"),
        a("260", "Other Revenue", "REVENUE", sales, description="Income that is not the clinic's usual work"),
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
        a("820", tax, "CURRLIAB", none, system="GST"),
        a("840", "Historical Adjustment", "CURRLIAB", none, system="HISTORICAL"),
        a("855", clearing, "CURRLIAB", none, payable=True),
        a("860", "Rounding", "CURRLIAB", none, system="ROUNDING"),
        a("880", "Owner Drawings", "EQUITY", none, payable=True),
        a("900", "Loan", "NONCURRENT", none),
        a("960", "Retained Earnings", "EQUITY", none, system="RETAINEDEARNINGS"),
    )
