"""The settings: accounts of the linked organisation, and what the workspace keeps by itself. Checked, then saved whole.

SettingsError    `bad-source`, `bad-start-date`, `bad-payment-method`
ChoiceError      an account that is not there, or that Xero would refuse
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.store import clinic, todo
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.accounts import (
    PAYMENTS,
    SALES,
    account_label,
    bank_feed_warning,
    choose_payment_account,
    choose_sales_account,
    method_purpose,
    why_not_payments,
    why_not_sales,
)
from caspen_xero.sync.setup.awaited import Awaited, find_payment_method, wait_for
from caspen_xero.xero.documents import Account

Privacy = Literal["full", "name-only", "generic"]

DEFAULTS: Mapping[str, str | None] = {
    "payments": "on",
    "source": None,
    "start_date": None,
    "invoice_status": "authorised",
    "contact": "client",
    "privacy": "full",
}
"""What the workspace keeps by itself, whichever organisation it is connected to."""

NONE = "none"
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class SettingsError(UserError):
    """A setting can't have that value."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class SettingsChange:
    """What a person wants to be set, as typed; None is left as it is. Accounts by code, name or id."""

    sales_account: str | None = None
    payment_account: str | None = None
    payment_methods: tuple[str, ...] = ()
    payments: str | None = None
    source: str | None = None
    start_date: str | None = None
    invoice_status: str | None = None
    contact: str | None = None
    privacy: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be set."""
        return self == SettingsChange()

    @property
    def needs_accounts(self) -> bool:
        """Whether the chart of accounts is needed to check it."""
        return bool(self.sales_account is not None or self.payment_account is not None or self.payment_methods)


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
    for key in DEFAULTS:
        wanted: str | None = getattr(change, key)
        if wanted is not None:
            checked.values[key] = _CHECKS.get(key, str)(wanted)
    pairs = [_method_and_account(pair) for pair in change.payment_methods]
    chart = read_chart() if change.needs_accounts else ()
    if change.sales_account is not None:
        checked.accounts[SALES] = choose_sales_account(chart, change.sales_account)
    if change.payment_account is not None:
        checked.accounts[PAYMENTS] = choose_payment_account(chart, change.payment_account)
    methods = clinic.payment_methods(store)
    for name, account_text in pairs:
        account = choose_payment_account(chart, account_text)
        if methods:
            checked.accounts[method_purpose(find_payment_method(methods, name).id)] = account
        else:
            checked.waiting.append(Awaited("payment_method", name, account.account_id))
            checked.warnings.append(
                f"Caspen's payment methods are not known yet: {account_label(account)} waits for one called {name}."
            )
    checked.warnings += _feed_warnings(store, checked)
    return checked


def save_change(store: Store, mappings: Mappings | None, checked: CheckedChange) -> None:
    """Saves a checked change in one transaction. Without a connection (`mappings` None) it can't hold accounts."""
    with store.write():
        payments_were_off = value_of(store, "payments") == "off"
        for key, value in checked.values.items():
            store.set_setting(key, value)
        if mappings is None:
            return
        if payments_were_off and value_of(store, "payments") == "on":
            todo.look_at_unsent_payments(mappings)
        for purpose, account in checked.accounts.items():
            mappings.link_account(purpose, account.account_id)
        for choice in checked.waiting:
            wait_for(mappings, choice)
        # Whatever was refused before may go through now.
        mappings.set_setting("settings_number", str(mappings.settings_number() + 1))


def value_of(store: Store, key: str) -> str | None:
    """A setting that the workspace keeps by itself, or its default."""
    return store.setting(key) or DEFAULTS[key]


def account_choices(mappings: Mappings, accounts: Sequence[Account]) -> dict[str, AccountChoice]:
    """The chosen accounts by purpose, each with what is wrong with it by now."""
    by_id = {account.account_id: account for account in accounts}
    found = {}
    for purpose, account_id in mappings.account_links().items():
        account = by_id.get(account_id)
        why_not = why_not_sales if purpose == SALES else why_not_payments
        problem = why_not(account) if account else "it is no longer in Xero"
        found[purpose] = AccountChoice(purpose, account_id, account, problem)
    return found


def check_source(text: str) -> str | None:
    """Where Caspen's records come from: an absolute path that exists, or a URL; None for `none`."""
    if text.strip().casefold() in {"", NONE}:
        return None
    if "://" in text:
        return _check_url(text.strip())
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise SettingsError("bad-source", f"There is no file or folder {path}.", "Give the path of Caspen's export.")
    return str(path)


def check_start_date(text: str) -> str | None:
    """A day as YYYY-MM-DD; None for `none`."""
    if text.strip().casefold() in {"", NONE}:
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise SettingsError(
            "bad-start-date", f"{text!r} is not a date.", "Write it as YYYY-MM-DD, or 'none' for no start date."
        ) from None
    return day.isoformat()


_CHECKS: Mapping[str, Callable[[str], str | None]] = {"source": check_source, "start_date": check_start_date}


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, secret = parts.hostname, parts.username is not None or parts.query or parts.fragment
    except ValueError:
        raise SettingsError("bad-source", "That is not a URL.", "Give the path or URL of Caspen's export.") from None
    if secret:
        raise SettingsError(
            "bad-source",
            "A source's URL holds no user, password, query or fragment: it is kept in the store for all to read.",
            "Give the key in CASPEN_API_KEY or CASPEN_API_KEY_FILE, and the bare URL here.",
        )
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL_HOSTS)):
        return url
    raise SettingsError(
        "bad-source",
        f"{url} is no source: clients' records travel over https only (http on this machine).",
        "Give a path, or a URL that begins with https://",
    )


def _method_and_account(pair: str) -> tuple[str, str]:
    method, equals, account = (part.strip() for part in pair.partition("="))
    if not (method and equals and account):
        raise SettingsError(
            "bad-payment-method", f"{pair!r} does not say which account a method has.", "Write it as EFTPOS=090."
        )
    return method, account


def _feed_warnings(store: Store, checked: CheckedChange) -> list[str]:
    if checked.values.get("payments", value_of(store, "payments")) == "off":
        return []
    chosen = {account.account_id: account for purpose, account in checked.accounts.items() if purpose != SALES}
    return [warning for account in chosen.values() if (warning := bank_feed_warning(account))]


@dataclass(frozen=True)
class PushSettings:
    """The settings that decide what is sent and how.

    `keeps_tax_amount`: whether the organisation has shown that it keeps ours: "yes", or only where they decide half cents.
    """

    start_date: date | None = None
    payments: bool = True
    privacy: Privacy = "full"
    contact: Literal["client", "payer"] = "client"
    invoice_status: Literal["AUTHORISED", "DRAFT"] = "AUTHORISED"
    keeps_tax_amount: Literal["yes", "half-cents", "unknown"] = "unknown"

    @classmethod
    def of(cls, mappings: Mappings) -> PushSettings:
        """The settings as the store has them."""
        store = mappings.store
        start = store.setting("start_date")
        privacy = store.setting("privacy") or "full"
        kept = mappings.setting("keeps_tax_amount")
        return cls(
            start_date=date.fromisoformat(start) if start else None,
            payments=store.setting("payments") != "off",
            privacy="generic" if privacy == "generic" else "name-only" if privacy == "name-only" else "full",
            contact="payer" if store.setting("contact") == "payer" else "client",
            invoice_status="DRAFT" if store.setting("invoice_status") == "draft" else "AUTHORISED",
            keeps_tax_amount="yes" if kept == "yes" else "half-cents" if kept == "half-cents" else "unknown",
        )

    def must_prove_tax(self, *, tells_tax: bool) -> bool:
        """Whether a document with explicit tax amounts leans on what the organisation has not yet shown to keep.

        `tells_tax`: some of them are such as Xero could not have reached by itself.
        """
        return self.keeps_tax_amount != "yes" if tells_tax else self.keeps_tax_amount == "unknown"
