"""Australia. Sources: the tables of Xero's Types and TaxRates pages."""

from __future__ import annotations

from caspen_xero.sandbox.organisation.charts import ChartRate, Country, clinic_chart

AUSTRALIA = Country(
    version="AU",
    currency="AUD",
    timezone="Australia/Sydney",
    utc_offset=10,
    xero_timezone="AUSEASTERNSTANDARDTIME",
    sales_tax_basis="ACCRUALS",
    sales_tax_period="QUARTERLY1",
    year_end=(30, 6),
    tax_number="11111111138",
    no_tax="BASEXCLUDED",
    accounts=clinic_chart("OUTPUT", "INPUT", "EXEMPTOUTPUT", "BASEXCLUDED", clearing="Card and HICAPS Clearing"),
    rates=(
        ChartRate("OUTPUT", "GST on Income", "10", "ALQR", "OUTPUT"),
        ChartRate("INPUT", "GST on Expenses", "10", "AELQ", "INPUT"),
        ChartRate("EXEMPTOUTPUT", "GST Free Income", "0", "ALQR", "EXEMPTOUTPUT"),
        ChartRate("EXEMPTEXPENSES", "GST Free Expenses", "0", "AELQ", "EXEMPTEXPENSES"),
        ChartRate("BASEXCLUDED", "BAS Excluded", "0", "AELQR", "BASEXCLUDED"),
        ChartRate("EXEMPTEXPORT", "GST Free Exports", "0", "ALQR", "EXEMPTEXPORT"),
        ChartRate("INPUTTAXED", "Input Taxed", "0", "AELQR", "INPUTTAXED"),
        ChartRate("GSTONIMPORTS", "GST on Imports", "0", "L", "GSTONIMPORTS"),
        ChartRate("CAPEXINPUT", "GST on Capital", "10", "AELQ", "CAPITALEXINPUT"),
        ChartRate("EXEMPTCAPITAL", "GST Free Capital", "0", "AELQ", "EXEMPTCAPITAL"),
        ChartRate("GSTONCAPIMPORTS", "GST on Capital Imports", "0", "L", "GSTONCAPITALIMPORTS"),
        ChartRate("TAX001", "Luxury Car Tax (old)", "33", "R", "OUTPUT", component="LCT", status="DELETED"),
    ),
)
