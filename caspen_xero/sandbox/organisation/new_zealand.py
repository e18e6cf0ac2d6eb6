"""New Zealand. Source: the tax rates recorded of a demo company in September 2026.

HICAPS is Australian; here ACC (the state's cover for accidents) and health insurers pay clinics.
"""

from __future__ import annotations

from caspen_xero.sandbox.organisation.charts import ChartRate, Country, clinic_chart

NEW_ZEALAND = Country(
    version="NZ",
    currency="NZD",
    timezone="Pacific/Auckland",
    utc_offset=12,
    xero_timezone="NEWZEALANDSTANDARDTIME",
    sales_tax_basis="PAYMENTS",
    sales_tax_period="TWOMONTHS",
    year_end=(31, 3),
    tax_number="111-111-119",
    no_tax="NONE",
    accounts=clinic_chart("OUTPUT2", "INPUT2", "OUTPUT2", "NONE", clearing="ACC and Southern Cross Clearing"),
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
