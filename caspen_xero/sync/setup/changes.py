"""A change of the settings: all of it is checked, then all of it saved; and what has become of the accounts chosen so far.

SettingsError    a value that a setting can't have
ChoiceError      an account that is not there, or that Xero would refuse
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.store import clinic, todo
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.accounts import (
    PAYMENTS,
    SALES,
    account_label,
    bank_feed_warning,
    choose_account,
    method_purpose,
    problem_subject,
    why_not,
)
from caspen_xero.sync.setup.awaited import Awaited, find_payment_method, wait_for
from caspen_xero.sync.setup.candidates import account_chosen
from caspen_xero.sync.setup.settings import ACCOUNTS, SETTINGS, Settings, SettingsError, read_settings
from caspen_xero.xero.documents import Account


@dataclass(frozen=True)
class SettingsChange:
    """What a person wants to be set, as typed: `values` and `accounts` by key; what is left out stays as it is."""

    values: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    payment_methods: tuple[str, ...] = ()

    @classmethod
    def of(cls, wanted: Mapping[str, str | None], payment_methods: Sequence[str] = ()) -> SettingsChange:
        """The change that holds what was given of `wanted` (by key), and the accounts of payment methods (METHOD=ACCOUNT)."""
        given = {key: text for key, text in wanted.items() if text is not None}
        return cls(
            values={setting.key: given[setting.key] for setting in SETTINGS if setting.key in given},
            accounts={setting.key: given[setting.key] for setting in ACCOUNTS if setting.key in given},
            payment_methods=tuple(payment_methods),
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be set."""
        return self == SettingsChange()


@dataclass
class CheckedChange:
    """A change that can be saved: values by key, accounts by purpose, choices that wait for a payment method."""

    values: dict[str, str | None] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    waiting: list[Awaited] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AccountChoice:
    """The account chosen for a purpose, None where it is gone from Xero; `problem`: why it is of no use now."""

    purpose: str
    account_id: str
    account: Account | None
    problem: str | None


def check_change(store: Store, change: SettingsChange, read_chart: Callable[[], Sequence[Account]]) -> CheckedChange:
    """Checks all of a change; saves nothing. Raises `SettingsError` or `ChoiceError` for the first thing wrong."""
    checked = CheckedChange()
    for setting in SETTINGS:
        if setting.key in change.values:
            checked.values[setting.key] = setting.check(change.values[setting.key])
    pairs = [_method_and_account(pair) for pair in change.payment_methods]
    chart = read_chart() if change.accounts or pairs else ()
    for account_setting in ACCOUNTS:
        if account_setting.key in change.accounts:
            wanted = change.accounts[account_setting.key]
            checked.accounts[account_setting.purpose] = choose_account(chart, wanted, account_setting.purpose)
    methods = clinic.payment_methods(store)
    for name, account_text in pairs:
        account = choose_account(chart, account_text, PAYMENTS)
        if methods:
            checked.accounts[method_purpose(find_payment_method(methods, name).id)] = account
        else:
            checked.waiting.append(Awaited("payment_method", name, account.account_id))
            checked.warnings.append(
                f"Caspen's payment methods are not known yet: {account_label(account)} waits for one called {plain(name)}."
            )
    checked.warnings += _feed_warnings(store, checked)
    return checked


def save_change(store: Store, mappings: Mappings | None, checked: CheckedChange) -> None:
    """Saves a checked change in one transaction. Without a connection (`mappings` None) it can't hold accounts."""
    with store.write():
        before = read_settings(store)
        for key, value in checked.values.items():
            store.set_setting(key, value)
        if mappings is None:
            return
        if before.feed_brings_payments and not read_settings(store).feed_brings_payments:
            todo.look_at_unsent_payments(mappings)
        for purpose, account in checked.accounts.items():
            mappings.link_account(purpose, account.account_id)
            account_chosen(mappings, purpose)
        for choice in checked.waiting:
            wait_for(mappings, choice)
        mappings.settings_changed()


def account_choices(mappings: Mappings, accounts: Sequence[Account]) -> dict[str, AccountChoice]:
    """The chosen accounts by purpose, each with what is wrong with it by now."""
    by_id = {account.account_id: account for account in accounts}
    found = {}
    for purpose, account_id in mappings.account_links().items():
        account = by_id.get(account_id)
        problem = why_not(account, purpose) if account else "it is no longer in Xero"
        found[purpose] = AccountChoice(purpose, account_id, account, problem)
    return found


def purposes_in_use(mappings: Mappings, settings: Settings) -> list[str]:
    """What has an account by these settings: sales; where payments go to Xero, those, and each method with one of its own."""
    if settings.feed_brings_payments:
        return [SALES]
    return [SALES, PAYMENTS, *(purpose for purpose in mappings.account_links() if problem_subject(purpose))]


def _method_and_account(pair: str) -> tuple[str, str]:
    method, equals, account = (part.strip() for part in pair.partition("="))
    if not (method and equals and account):
        raise SettingsError(
            "bad-payment-method",
            f"{said(pair, MOST)} does not say which account a method has.",
            "Write it as EFTPOS=090.",
        )
    return method, account


def _feed_warnings(store: Store, checked: CheckedChange) -> list[str]:
    if checked.values.get("payments", read_settings(store).payments) == "off":
        return []
    chosen = {account.account_id: account for purpose, account in checked.accounts.items() if purpose != SALES}
    return [warning for account in chosen.values() if (warning := bank_feed_warning(account))]
