"""Branding themes: how documents look in print. There is the standard one, which documents have unless they name another."""

from __future__ import annotations

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.wire import xero_time
from caspen_xero.sandbox.organisation.organisations import fixed_id


def branding_theme(ledger: Ledger) -> str:
    """The id of the standard theme."""
    return fixed_id(ledger.tenant_id, "branding")


def add_standard_theme(ledger: Ledger) -> None:
    """Makes the standard theme, unless it is there."""
    if ledger.find("BrandingThemes", branding_theme(ledger)) is None:
        ledger.save("BrandingThemes", {"BrandingThemeID": branding_theme(ledger), "Name": "Standard", "SortOrder": 0})


def show_theme(_desk: Desk, theme: Body, _view: str) -> Body:
    shown = {name: theme[name] for name in ("BrandingThemeID", "Name", "SortOrder")}
    return shown | {"CreatedDateUTC": xero_time(theme["Updated"])}
