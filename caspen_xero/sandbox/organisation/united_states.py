"""The United States. Sources: the tables of Xero's Types and TaxRates pages.

Xero starts with rates of 0 % that each organisation sets to its own; 8.25 %, of state and city, is that of a demo company in a
public collection of requests. Purchase rates may stand on income accounts too (TaxRates page; a third party's live test). Those
of automated sales tax and of Avalara are listed, but an app can't use them (TaxRates page).
"""

from __future__ import annotations

from functools import partial

from caspen_xero.sandbox.organisation.charts import ChartRate, Country, clinic_chart

_rate = partial(ChartRate, component="No Tax")
_CITY_AND_STATE = (("City Tax", "4"), ("State Tax", "4.25"))

UNITED_STATES = Country(
    version="US",
    currency="USD",
    timezone="America/New_York",
    utc_offset=-5,
    xero_timezone="EASTERNSTANDARDTIME",
    sales_tax_basis="ACCRUALS",
    sales_tax_period="3MONTHLY",
    year_end=(31, 12),
    tax_number="00-0000001",
    no_tax="NONE",
    accounts=clinic_chart("OUTPUT", "INPUT", "NONE", "NONE", clearing="Card and Insurance Clearing", tax="Sales Tax"),
    rates=(
        _rate("OUTPUT", "Tax on Sales", "8.25", "AELQR", "OUTPUT", parts=_CITY_AND_STATE),
        _rate("INPUT", "Tax on Purchases", "8.25", "AELQR", "INPUT", parts=_CITY_AND_STATE[::-1]),
        _rate("NONE", "Tax Exempt", "0", "AELQR", "NONE"),
        _rate("GSTONIMPORTS", "Sales Tax on Imports", "0", "L", "GSTONIMPORTS", component="TAX"),
        _rate("AVALARA", "Auto Look Up (DO NOT USE)", "0", "AELQR", "AVALARA"),
        _rate("6f1d4c0a-52f6-4b0e-8f39-0d6c2a8e7b15", "Harbor City, 7.5%", "7.5", "AELQR", "USSALESTAX"),
    ),
)
