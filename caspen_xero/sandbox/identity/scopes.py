"""The scopes that an app made since 2 March 2026 may ask for: the granular ones. The broad ones are refused.

Source: Xero's scopes page and its FAQ on granular scopes. Left out: scopes of Xero's other APIs (payroll, files, ...)
and `accounting.journals.read`, which belongs to a paid tier.
"""

from __future__ import annotations

OPENID = "openid"
IDENTITY = frozenset({OPENID, "profile", "email"})
OFFLINE_ACCESS = "offline_access"

_WRITABLE = ("invoices", "payments", "banktransactions", "manualjournals", "settings", "contacts", "attachments")
_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "taxreports",
)
ACCOUNTING = frozenset(
    {f"accounting.{name}{ending}" for name in _WRITABLE for ending in ("", ".read")}
    | {f"accounting.reports.{name}.read" for name in _REPORTS}
    | {"accounting.budgets.read"}
)
GRANULAR = ACCOUNTING | IDENTITY | {OFFLINE_ACCESS}


def refused_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """Those that a new app can't have; asking for none at all is refused elsewhere."""
    return scopes - GRANULAR
