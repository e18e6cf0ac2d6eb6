"""`caspen-xero settings`: which accounts, from where, since when, and how much of a client goes to Xero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import somebody_is_there
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode

if TYPE_CHECKING:
    from caspen_xero.sync.setup.settings import SettingsChange
    from caspen_xero.xero.documents import Account

settings_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Adds the `settings` group."""
    app.add_typer(settings_app, name="settings", help="Accounts, source, start date, privacy: show and set them.")


@command(settings_app, "show")
def show(session: Session) -> None:
    """Show every setting, and what is wrong with any of them.

    \b
    caspen-xero settings show
    caspen-xero settings show --json
    """
    from caspen_xero.cli.settings_view import show_settings

    show_settings(session)


@command(settings_app, "accounts")
def accounts(session: Session) -> None:
    """List Xero's chart of accounts, and which account can take sales or payments.

    \b
    caspen-xero settings accounts
    """
    from caspen_xero.cli.settings_view import show_accounts

    show_accounts(session)


@command(settings_app, "set")
def set_(
    session: Session,
    sales_account: Annotated[
        str | None, typer.Option(metavar="CODE|NAME|ID", help="Account for invoice lines: an income account.")
    ] = None,
    payment_account: Annotated[
        str | None, typer.Option(metavar="CODE|NAME|ID", help="Account for payments: a bank or clearing account.")
    ] = None,
    payment_method: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD=ACCOUNT", help="An account for one of Caspen's payment methods. Repeatable."),
    ] = None,
    payments: Annotated[
        Literal["on", "off"] | None,
        typer.Option(help="Whether payments go to Xero; off if a bank feed brings them."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL", help="Caspen's export, which push, pull and sync read by themselves; 'none' forgets it."
        ),
    ] = None,
    start_date: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Invoices before this day (YYYY-MM-DD) stay out of Xero; 'none': all go."),
    ] = None,
    invoice_status: Annotated[
        Literal["authorised", "draft"] | None,
        typer.Option(help="Invoices in Xero are approved, or drafts to approve there."),
    ] = None,
    contact: Annotated[
        Literal["client", "payer"] | None,
        typer.Option(help="The invoice's contact: the client, or who pays for the client."),
    ] = None,
    privacy: Annotated[
        Literal["full", "name-only", "generic"] | None,
        typer.Option(help="What of a client goes to Xero: all contact details, the name only, or nothing."),
    ] = None,
) -> None:
    """Set accounts and the rest. All options are checked first, then all saved. Without options, on a terminal: asks.

    \b
    caspen-xero settings set --sales-account 200 --payment-account 090
    caspen-xero settings set --payment-method EFTPOS=090 --payment-method "Gift card=Clearing account"
    caspen-xero settings set --source ~/caspen-export --start-date 2026-07-01
    caspen-xero settings set --payments off
    """
    from caspen_xero.cli.settings_view import show_settings
    from caspen_xero.sync.setup.settings import SettingsChange

    change = SettingsChange(
        sales_account=sales_account,
        payment_account=payment_account,
        payment_methods=tuple(payment_method or ()),
        payments=payments,
        source=source,
        start_date=start_date,
        invoice_status=invoice_status,
        contact=contact,
        privacy=privacy,
    )
    if change.is_empty:
        change = _ask_for_everything(session)
    _save(session, change)
    show_settings(session)


def _ask_for_everything(session: Session) -> SettingsChange:
    if not somebody_is_there(session.output):
        raise SessionError(
            "usage",
            "Nothing to set.",
            "Give at least one of --sales-account, --payment-account, --payment-method, --payments, --source, "
            "--start-date, --invoice-status, --contact, --privacy (caspen-xero settings set --help).",
            ExitCode.USAGE,
        )
    from caspen_xero.cli.settings_walk import walk_through

    return walk_through(session)


def _save(session: Session, change: SettingsChange) -> None:
    """Checks everything (accounts by Xero's chart as it is now), then saves all of it at once."""
    from caspen_xero.sync.setup.organisation import read_accounts
    from caspen_xero.sync.setup.settings import check_change, save_change

    def chart() -> list[Account]:
        return read_accounts(session.client, session.mappings, now=session.started_at)

    checked = check_change(session.store, change, chart)
    save_change(session.store, session.mappings if session.store.connection() else None, checked)
    for warning in checked.warnings:
        session.output.warn(warning)
    if change.source is not None:
        from caspen_xero.cli.caspen_key import ask_for_key

        ask_for_key(session)
