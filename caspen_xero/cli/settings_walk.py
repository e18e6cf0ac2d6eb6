"""Questions about settings: all of them (`settings set` without options), or one account (`settings accounts sales`).

The Enter key means "as it is".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from caspen_xero.cli.menu import ask, pick, somebody_is_there
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.accounts import (
    account_answers,
    account_fix,
    account_label,
    choose_account,
    fit_for,
    method_name,
    method_purpose,
    purpose_in_words,
)
from caspen_xero.sync.setup.awaited import find_payment_method
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
        wanted[SALES_ACCOUNT.key] = _ask_for_account(session, SALES_ACCOUNT, chart)
        wanted[payments.key] = ask_for(session, left.pop(payments.key), now)
        if (wanted[payments.key] or now[payments.key]) == "on":
            wanted[PAYMENT_ACCOUNT.key] = _ask_for_account(session, PAYMENT_ACCOUNT, chart)
    for setting in left.values():
        wanted[setting.key] = ask_for(session, setting, now)
    return SettingsChange.of(wanted)


def ask_for_one_account(session: Session, purpose: str, method_text: str | None) -> tuple[SettingsChange, str] | None:
    """Asks which account sales or payments (`purpose`) go to, or the payments of one method; gives the change, and it in words.

    None where nothing was answered. Raises `SessionError`: `which-account` (usage), with the choices, where nobody can be asked;
    `no-account-fits`.
    """
    chart = read_accounts(session.client, session.mappings, now=session.started_at)
    methods = clinic.payment_methods(session.store)
    method = find_payment_method(methods, method_text) if method_text is not None else None
    key = SALES_ACCOUNT.key if purpose == SALES_ACCOUNT.purpose else PAYMENT_ACCOUNT.key
    purpose = method_purpose(method.id) if method else purpose
    what, choices = purpose_in_words(purpose, methods), account_answers(purpose, chart, methods)
    if not choices:
        raise SessionError(
            "no-account-fits", f"No account in Xero can take {what}.", account_fix(purpose, chart, methods)
        )
    if not somebody_is_there(session.output):
        words, fix = f"Which account do {what} go to?", "One of these, each with the command that chooses it:"
        raise SessionError("which-account", words, fix, ExitCode.USAGE, choices)
    session.refuse_if_busy()
    found = pick_account(session, f"Which account do {what} go to?", purpose, chart)
    if found is None:
        return None
    change = (
        SettingsChange(payment_methods=(f"{method_name(method, methods)}={found.account_id}",))
        if method
        else SettingsChange(accounts={key: found.account_id})
    )
    return change, f"Account for {what}: {account_label(found)}."


def _ask_for_account(session: Session, setting: AccountSetting, chart: Sequence[Account]) -> str | None:
    found = pick_account(session, f"{setting.title}:", setting.purpose, chart)
    is_chosen = found is None or found.account_id == session.mappings.account_links().get(setting.purpose)
    return None if found is None or is_chosen else found.account_id


def pick_account(
    session: Session, title: str, purpose: str, chart: Sequence[Account], *, otherwise: str = "skip"
) -> Account | None:
    """The account that a person picks, by number, code or name; for Enter the one chosen by now, None if that is of no use."""
    usable = fit_for(purpose, chart)
    if not usable:
        return None
    ids = [account.account_id for account in usable]
    chosen_id = session.mappings.account_links().get(purpose)
    chosen = ids.index(chosen_id) if chosen_id in ids else None

    def named(text: str) -> int:
        return usable.index(choose_account(chart, text, purpose))

    labels = [account_label(account) for account in usable]
    found = pick(session.output, title, labels, chosen=chosen, otherwise=otherwise, named=named)
    return None if found is None else usable[found]


def ask_for(session: Session, setting: Setting, now: Mapping[str, str | None]) -> str | None:
    """What a person wants a setting to be; None where it stays as it is."""
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
