"""Singapore, which has Xero's global edition. Source: the tables of Xero's Types and TaxRates pages.

The name of a rate's report type is its tax type without the year (UNCONFIRMED). The rates of 2022 and 2023 stay in force there,
for documents of those years: the standard ones are here, the special ones of those years are left out. TaxNumberName: recorded of a
demo company of the global edition in April 2026; each organisation words it itself.
"""

from __future__ import annotations

from caspen_xero.sandbox.organisation.charts import ChartRate, Country, clinic_chart

_SALES, _PURCHASES, _ALL = "ALQR", "AELQ", "AELQR"


def _rate(tax_type: str, name: str, percentage: str, applies_to: str) -> ChartRate:
    report_type = tax_type.removesuffix("Y24").removesuffix("Y23")
    return ChartRate(tax_type, name, percentage, applies_to, report_type)


SINGAPORE = Country(
    version="GLOBAL",
    currency="SGD",
    timezone="Asia/Singapore",
    utc_offset=8,
    xero_timezone="SINGAPORESTANDARDTIME",
    sales_tax_basis="ACCRUALS",
    sales_tax_period="3MONTHLY",
    year_end=(31, 12),
    tax_number="M90000001X",
    tax_number_name="GST reg no",
    no_tax="NONE",
    accounts=clinic_chart("OUTPUTY24", "INPUTY24", "OUTPUTY24", "NONE", clearing="Card and NETS Clearing"),
    rates=(
        _rate("OUTPUTY24", "Standard-Rated Supplies", "9", _SALES),
        _rate("ZERORATEDOUTPUT", "Zero-Rated Supplies", "0", _SALES),
        _rate("ES33OUTPUT", "Regulation 33 Exempt Supplies", "0", _ALL),
        _rate("ESN33OUTPUT", "Non-Regulation 33 Exempt Supplies", "0", _ALL),
        ChartRate("OSOUTPUT2", "Out Of Scope Supplies", "0", "LQR", "OSOUTPUT"),
        _rate("DSOUTPUTY24", "Deemed Supplies", "9", _SALES),
        _rate("SRCAS", "Customer Accounting Supplies by supplier", "0", _SALES),
        _rate("SRLVGY24", "LVG - own supply", "9", _SALES),
        _rate("SROVRLVGY24", "LVG - electronic marketplace/redeliverer", "9", _SALES),
        _rate("SROVRRSY24", "Remote services - electronic marketplace", "9", _SALES),
        _rate("BADDEBTRECOVERYY24", "Bad Debt Recovery", "9", _ALL),
        _rate("BADDEBTRELIEFY24", "Bad Debt Relief", "9", _ALL),
        _rate("TOURISTREFUND", "Tourist Refund Claim", "0", _ALL),
        _rate("NONE", "No Tax", "0", _ALL),
        _rate("INPUTY24", "Standard-Rated Purchases", "9", _PURCHASES),
        _rate("ZERORATEDINPUT", "Zero-Rated Purchases", "0", _PURCHASES),
        _rate("EPINPUT", "Exempt Purchases", "0", _PURCHASES),
        _rate("OPINPUT", "Out Of Scope Purchases", "0", _PURCHASES),
        _rate("NRINPUT", "Purchases from Non-GST Registered Suppliers", "0", _PURCHASES),
        _rate("BLINPUT3Y24", "Disallowed Expenses", "9", _PURCHASES),
        _rate("TXCAY24", "Customer Accounting Purchases", "0", _PURCHASES),
        _rate("TXPETINPUTY24", "Partially Exempt Traders Standard-Rated Purchases", "9", _PURCHASES),
        _rate("TXESSINPUTY24", "Partially Exempt Traders Regulation 33 Exempt", "9", _PURCHASES),
        _rate("TXN33INPUTY24", "Partially Exempt Traders Non-Regulation 33 Exempt", "9", _PURCHASES),
        _rate("TXREINPUTY24", "Partially Exempt Traders Residual Input tax", "9", _PURCHASES),
        _rate("MEINPUT", "Imports under a Special Scheme", "0", _PURCHASES),
        _rate("IGDSINPUT2Y24", "Imports under IGDS (input tax claim)", "0", _PURCHASES),
        _rate("IGDSINPUT3Y24", "Imports under IGDS (no input tax claim)", "0", _PURCHASES),
        _rate("IMY24", "Imports: taxable supplies", "0", _PURCHASES),
        _rate("IMREY24", "Imports: taxable & exempt supplies", "0", _PURCHASES),
        _rate("IMESSY24", "Imports: regulation 33 exempt supplies", "0", _PURCHASES),
        _rate("IMN33Y24", "Imports: non-regulation 33 exempt supplies", "0", _PURCHASES),
        _rate("TXRCTSY24", "Reverse charge: taxable supply @ 9%", "0", _PURCHASES),
        _rate("TXRCREY24", "Reverse charge: taxable & exempt supply", "0", _PURCHASES),
        _rate("TXRCESSY24", "Reverse charge: Regulation 33 exempt supply", "0", _PURCHASES),
        _rate("TXRCN33Y24", "Reverse charge: NonRegulation33 exempt supply", "0", _PURCHASES),
        _rate("OUTPUTY23", "2023 Standard-Rated Supplies", "8", _SALES),
        _rate("INPUTY23", "2023 Standard-Rated Purchases", "8", _PURCHASES),
        _rate("OUTPUT", "2022 Standard-Rated Supplies", "7", _SALES),
        _rate("INPUT", "2022 Standard-Rated Purchases", "7", _PURCHASES),
    ),
)
