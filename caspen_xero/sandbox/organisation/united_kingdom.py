"""The United Kingdom. Sources: the tables of Xero's Types and TaxRates pages; which report type a rate has: the list of them there.

Reverse charges and acquisitions add nothing to a bill: what is owed is reclaimed at once. So they have two parts that come to
nothing (UNCONFIRMED: the Types page says 20.00 of them). Old rates are listed as DELETED, as New Zealand's are (UNCONFIRMED).
"""

from __future__ import annotations

from functools import partial

from caspen_xero.sandbox.organisation.charts import ChartRate, Country, clinic_chart

_rate = partial(ChartRate, component="VAT")
_NOTHING = (("VAT", "20"), ("Reclaimed VAT", "-20"))

UNITED_KINGDOM = Country(
    version="UK",
    currency="GBP",
    timezone="Europe/London",
    utc_offset=0,
    xero_timezone="GMTSTANDARDTIME",
    sales_tax_basis="ACCRUAL",
    sales_tax_period="QUARTERLY",
    year_end=(31, 3),
    tax_number="GB999999973",
    no_tax="NONE",
    accounts=clinic_chart(
        "OUTPUT2", "INPUT2", "EXEMPTOUTPUT", "NONE", clearing="Card and Health Insurer Clearing", tax="VAT"
    ),
    rates=(
        _rate("OUTPUT2", "20% (VAT on Income)", "20", "ALQR", "OUTPUT"),
        _rate("RROUTPUT", "5% (VAT on Income)", "5", "ALQR", "OUTPUT"),
        _rate("ZERORATEDOUTPUT", "Zero Rated Income", "0", "ALQR", "OUTPUT"),
        _rate("EXEMPTOUTPUT", "Exempt Income", "0", "ALQR", "EXEMPTOUTPUT"),
        _rate("ECZROUTPUT", "Zero Rated EC Goods Income", "0", "ALQR", "ECOUTPUT"),
        _rate("ECZROUTPUTSERVICES", "Zero Rated EC Services", "0", "ALQR", "ECOUTPUTSERVICES"),
        _rate("NONE", "No VAT", "0", "AELQR", "NONE"),
        _rate("INPUT2", "20% (VAT on Expenses)", "20", "AELQ", "INPUT"),
        _rate("RRINPUT", "5% (VAT on Expenses)", "5", "AELQ", "INPUT"),
        _rate("ZERORATEDINPUT", "Zero Rated Expenses", "0", "AELQ", "INPUT"),
        _rate("EXEMPTINPUT", "Exempt Expenses", "0", "AELQ", "EXEMPTINPUT"),
        _rate("ECZRINPUT", "Zero Rated EC Expenses", "0", "AELQ", "ECINPUT"),
        _rate("ECACQUISITIONS", "EC Acquisitions (20%)", "20", "AELQ", "ECACQUISITIONS", parts=_NOTHING),
        _rate("ECZRACQUISITIONS", "EC Acquisitions (Zero Rated)", "0", "AELQ", "ECACQUISITIONS"),
        _rate("REVERSECHARGES", "Reverse Charge Expenses (20%)", "20", "AELQ", "REVERSECHARGES", parts=_NOTHING),
        _rate("CAPEXINPUT2", "20% (VAT on Capital Purchases)", "20", "A", "CAPITALEXPENSESINPUT"),
        _rate("CAPEXOUTPUT2", "20% (VAT on Capital Sales)", "20", "A", "CAPITALSALESOUTPUT"),
        _rate("GSTONIMPORTS", "VAT on Imports", "0", "L", "GSTONIMPORTS"),
        _rate("CAPEXINPUT", "17.5% (VAT on Capital Purchases)", "17.5", "A", "CAPITALEXPENSESINPUT", status="DELETED"),
        _rate("CAPEXOUTPUT", "17.5% (VAT on Capital Sales)", "17.5", "A", "CAPITALSALESOUTPUT", status="DELETED"),
        _rate("CAPEXSRINPUT", "15% (VAT on Capital Purchases)", "15", "A", "CAPITALEXPENSESINPUT", status="DELETED"),
        _rate("CAPEXSROUTPUT", "15% (VAT on Capital Sales)", "15", "A", "CAPITALSALESOUTPUT", status="DELETED"),
        _rate("SROUTPUT", "15% (VAT on Income)", "15", "ALQR", "OUTPUT", status="DELETED"),
        _rate("SRINPUT", "15% (VAT on Expenses)", "15", "AELQ", "INPUT", status="DELETED"),
    ),
)
