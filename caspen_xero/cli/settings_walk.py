"""`settings set` without options: a walk through everything that is to be set, with the Enter key for "as it is"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from caspen_xero.cli.menu import ask, pick
from caspen_xero.cli.session import Session
from caspen_xero.outside_text import plain
from caspen_xero.sync.setup.accounts import account_label, why_not
from caspen_xero.sync.setup.changes import SettingsChange
from caspen_xero.sync.setup.organisation import read_accounts
from caspen_xero.sync.setup.settings import (
    NONE,
    PAYMENT_ACCOUNT,
    SALES_ACCOUNT,
    SETTINGS,
    AccountSetting,
    Setting,
    read_settings,
)
from caspen_xero.xero.documents import Account


def walk_through(session: Session) -> SettingsChange:
    """Asks for every setting that has a question, in turn; gives what is to be changed (all but what was left as it is)."""
    now = asdict(read_settings(session.store))
    wanted: dict[str, str | None] = {}
    left = {setting.key: setting for setting in SETTINGS if setting.question}
    payments = left["payments"]
    if session.store.connection() is None:
        session.output.note("Not connected to Xero, so no accounts can be chosen yet: caspen-xero connect")
        del left[payments.key]
    else:
        chart = read_accounts(session.client, session.mappings, now=session.started_at)
        chosen = session.mappings.account_links()
        wanted[SALES_ACCOUNT.key] = _ask_for_account(session, SALES_ACCOUNT, chart, chosen)
        wanted[payments.key] = _ask_for(session, left.pop(payments.key), now)
        if (wanted[payments.key] or now[payments.key]) == "on":
            wanted[PAYMENT_ACCOUNT.key] = _ask_for_account(session, PAYMENT_ACCOUNT, chart, chosen)
    for setting in left.values():
        wanted[setting.key] = _ask_for(session, setting, now)
    return SettingsChange.of(wanted)


def _ask_for_account(
    session: Session, setting: AccountSetting, chart: Sequence[Account], links: Mapping[str, str]
) -> str | None:
    usable = [account for account in chart if why_not(account, setting.purpose) is None]
    ids = [account.account_id for account in usable]
    chosen_id = links.get(setting.purpose)
    chosen = ids.index(chosen_id) if chosen_id in ids else None
    if not usable:
        return None
    found = pick(session.output, f"{setting.title}:", [account_label(account) for account in usable], chosen=chosen)
    return None if found is None or found == chosen else ids[found]


def _ask_for(session: Session, setting: Setting, now: Mapping[str, str | None]) -> str | None:
    value = now[setting.key]
    if setting.values:
        values = list(setting.values)
        chosen = values.index(value or values[0])
        found = pick(
            session.output,
            setting.question,
            [f"{one}: {meaning}" for one, meaning in setting.values.items()],
            chosen=chosen,
        )
        return None if found is None or found == chosen else values[found]
    hint = f"Enter: {plain(value)}; '{NONE}' forgets it" if value else "Enter: none"
    return ask(session.output, f"{setting.question} ({hint})", setting.check, before=("",)) or None
