"""`caspen-xero settings`: which accounts, from where, since when, and how much of a client goes to Xero."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.sync.setup.settings import (
    ACCOUNTS,
    PAYMENT_ACCOUNT,
    PAYMENT_METHOD,
    SALES_ACCOUNT,
    SET,
    SETTINGS,
    Option,
)

if TYPE_CHECKING:
    from caspen_xero.sync.setup.changes import SettingsChange
    from caspen_xero.xero.documents import Account

settings_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Adds the `settings` group."""
    app.add_typer(settings_app, name="settings", help="Accounts, source, start date, privacy: show and set them.")


@command(settings_app, "show", lists=True)
def show(session: Session) -> None:
    """Show every setting, and what is wrong with any of them.

    \b
    caspen-xero settings show
    caspen-xero settings show --json
    """
    from caspen_xero.cli.settings_view import show_settings

    show_settings(session)


class Purpose(StrEnum):
    """What an account can be chosen for, as it is typed."""

    SALES = SALES_ACCOUNT.purpose
    PAYMENTS = PAYMENT_ACCOUNT.purpose


@command(settings_app, "accounts", lists=True)
def accounts(
    session: Session,
    purpose: Annotated[
        Purpose | None, typer.Argument(metavar="[sales|payments]", help="Ask which account these go to.")
    ] = None,
    method: Annotated[
        str | None, typer.Argument(metavar="[METHOD]", help="Only for payments of this method: its name or id.")
    ] = None,
) -> None:
    """List Xero's chart of accounts. With `sales` or `payments`: ask which account these go to, of those that can take them.

    \b
    caspen-xero settings accounts
    caspen-xero settings accounts sales
    caspen-xero settings accounts payments
    caspen-xero settings accounts payments EFTPOS
    """
    from caspen_xero.cli.settings_view import show_accounts
    from caspen_xero.cli.settings_walk import ask_for_one_account

    if purpose is None:
        show_accounts(session)
        return
    if method is not None and purpose is Purpose.SALES:
        words = "Only payments have an account for each method."
        raise SessionError("usage", words, "caspen-xero settings accounts payments METHOD", ExitCode.USAGE)
    answered = ask_for_one_account(session, purpose.value, method)
    if answered is None:
        session.output.say("Nothing was changed.")
        return
    change, words = answered
    save(session, change, patience=AFTER_ANSWERS)
    session.output.say(words)


def _options() -> Iterator[inspect.Parameter]:
    """The options of `settings set`, one for each setting."""
    for account in ACCOUNTS:
        yield _parameter(account, str)
    yield _parameter(PAYMENT_METHOD, list[str])
    for setting in SETTINGS:
        yield _parameter(setting, setting.type)


def _parameter(setting: Option, type_: Any) -> inspect.Parameter:
    annotation = Annotated[type_ | None, typer.Option(setting.option, metavar=setting.metavar, help=setting.help)]
    return inspect.Parameter(setting.key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


@command(settings_app, "set", options=list(_options()), begins="asked")
def set_(session: Session, **wanted: Any) -> None:
    """Set accounts and the rest. All options are checked first, then all saved. Without options, on a terminal: asks.

    \b
    caspen-xero settings set --sales-account 200 --payment-account 090
    caspen-xero settings set --payment-method "Gift card=Clearing account"
    caspen-xero settings set --source ~/caspen-export --start-date 2026-07-01
    caspen-xero settings set --payments off
    """
    from caspen_xero.cli.settings_view import show_settings
    from caspen_xero.sync.setup.changes import SettingsChange

    change = SettingsChange.of(wanted, wanted[PAYMENT_METHOD.key] or ())
    if change.is_empty:
        save(session, _ask_for_everything(session), patience=AFTER_ANSWERS)
    else:
        save(session, change)
    show_settings(session)


def _ask_for_everything(session: Session) -> SettingsChange:
    if not somebody_is_there(session.output):
        options = ", ".join(setting.option for setting in (*ACCOUNTS, PAYMENT_METHOD, *SETTINGS))
        raise SessionError(
            "usage", "Nothing to set.", f"Give at least one of {options} ({SET} --help).", ExitCode.USAGE
        )
    from caspen_xero.cli.settings_walk import walk_through

    session.refuse_if_busy()
    return walk_through(session)


def save(session: Session, change: SettingsChange, *, patience: float = 0, is_read: bool = False) -> None:
    """Checks everything (accounts by Xero's chart as it is now), then saves all of it at once.

    `is_read`: its source was just read, so neither is its key asked for nor is it tried.
    """
    from caspen_xero.cli.caspen_key import ask_for_key, forget_other_key
    from caspen_xero.cli.first_steps import note_answered
    from caspen_xero.sync.setup.changes import check_change, save_change
    from caspen_xero.sync.setup.organisation import read_accounts
    from caspen_xero.sync.setup.start_date import FORGET, why_doubtful
    from caspen_xero.times import local_day

    def chart() -> list[Account]:
        return read_accounts(session.client, session.mappings, now=session.started_at)

    with session.only_writer(patience=patience):
        checked = check_change(session.store, change, chart)
        save_change(session.store, session.known_mappings, checked)
        note_answered(session, *checked.values)
        if "source" in checked.values:
            forget_other_key(session, checked.values["source"])
    for warning in checked.warnings:
        session.output.warn(warning)
    if doubt := why_doubtful(session.store, checked.values.get("start_date"), local_day(session.now())):
        session.output.warn(doubt, f"If that is not meant: {FORGET}")
    if "source" in checked.values and not is_read:
        source = checked.values["source"]
        ask_for_key(session, source)
        _tell_whether_it_answers(session, source)


def _tell_whether_it_answers(session: Session, source: str | None) -> None:
    """A source stays as it was set, but one that gives nothing is told at once, not by the first push."""
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.sync.setup.doctor import source_check

    if source:
        check = source_check(source, caspen_key(session, source))
        if not check.ok:
            session.output.warn(f"The source is set, but can't be read: {check.message}", check.fix)
