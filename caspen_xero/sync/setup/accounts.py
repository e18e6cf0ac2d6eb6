"""Which accounts of the chart can take sales lines and payments, and which one a person means. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.commands import Choice, handle, name_for, option, to_paste
from caspen_xero.outside_text import plain
from caspen_xero.sync.setup.choices import ChoiceError, choose, key_of, name_apart
from caspen_xero.sync.setup.settings import PAYMENT_ACCOUNT, PAYMENT_METHOD, SALES_ACCOUNT
from caspen_xero.xero.documents import Account

SALES = SALES_ACCOUNT.purpose
PAYMENTS = PAYMENT_ACCOUNT.purpose


def method_purpose(payment_method_id: str) -> str:
    """The purpose under which a payment method's own account is kept."""
    return f"method:{payment_method_id}"


def account_of_payment(account_links: Mapping[str, str], method_id: str | None) -> str | None:
    """The AccountID that payments of a method go to: the method's own, else the one for all; None where none was chosen."""
    return account_links.get(method_purpose(method_id or "")) or account_links.get(PAYMENTS)


def problem_subject(purpose: str) -> str:
    """The subject of the problems with the account for a purpose: "" where it is for all invoices alike."""
    return "" if purpose in (SALES, PAYMENTS) else purpose


def account_label(account: Account) -> str:
    """What a bookkeeper calls the account: code and name, or the one of them that it has."""
    return " ".join(plain(part) for part in (account.code, account.name) if part) or plain(account.account_id)


def method_name(method: PaymentMethod, methods: Iterable[PaymentMethod]) -> str:
    """What names one of Caspen's payment methods in a command, also before the `=` of METHOD=ACCOUNT."""
    named = name_apart(method.id, method.name, ((other.id, other.name) for other in methods))
    return handle(method.id) if "=" in named else named


def account_fix(purpose: str, chart: Sequence[Account], methods: Collection[PaymentMethod]) -> str:
    """What ends the lack of an account for a purpose: the command that asks which; where none can serve, first what to do in Xero.

    An empty `chart` says nothing: it was never read.
    """
    method = method_of(purpose, methods)
    ask = (
        to_paste(f"settings accounts {PAYMENTS}", method_name(method, methods))
        if method
        else to_paste(f"settings accounts {purpose}")
    )
    if not chart or fit_for(purpose, chart):
        return ask
    if purpose == SALES:
        return f"Add an income account in Xero (Accounting > Chart of accounts), then: {ask}"
    return (
        "Add a bank account in Xero, or enable payments to another account there (Accounting > Chart of accounts), "
        f"then: {ask}"
    )


def account_answers(purpose: str, chart: Sequence[Account], methods: Collection[PaymentMethod]) -> tuple[Choice, ...]:
    """The accounts that can serve a purpose, each with the command that chooses it."""
    method = method_of(purpose, methods)
    called = Counter(key for account in chart for key in {key_of(account.code), key_of(account.name)})

    def chosen(account: Account) -> str:
        alone = [name for name in (account.code, account.name) if called[key_of(name)] == 1]
        name = name_for(account.account_id, *alone)
        if method is not None:
            return option(PAYMENT_METHOD.option, f"{method_name(method, methods)}={name}")
        return option(SALES_ACCOUNT.option if purpose == SALES else PAYMENT_ACCOUNT.option, name)

    return tuple(
        Choice(
            to_paste(f"settings set {chosen(account)}"),
            f"{account_label(account)} ({plain(account.type or 'no type')})",
        )
        for account in fit_for(purpose, chart)
    )


def purpose_in_words(purpose: str, methods: Iterable[PaymentMethod]) -> str:
    """What goes to the account: `invoice lines`, `payments`, `EFTPOS payments`."""
    method = method_of(purpose, methods)
    if method is not None:
        return f"{plain(method.name)} {PAYMENT_ACCOUNT.what}"
    return SALES_ACCOUNT.what if purpose == SALES else PAYMENT_ACCOUNT.what


def fit_for(purpose: str, chart: Iterable[Account]) -> list[Account]:
    """The accounts that can serve a purpose, by code, then by name."""
    fit = [account for account in chart if why_not(account, purpose) is None]
    return sorted(fit, key=lambda account: (account.code is None, account.code or "", account.name or ""))


def method_of(purpose: str, methods: Iterable[PaymentMethod]) -> PaymentMethod | None:
    """The payment method that a purpose is of, None for all payments and for sales; one no longer known is called by its id."""
    if not problem_subject(purpose):
        return None
    id_ = purpose.removeprefix(method_purpose(""))
    known = (method for method in methods if method.id == id_)
    return next(known, None) or PaymentMethod.model_construct(id=id_, name=id_)


def why_not_sales(account: Account) -> str | None:
    """Why invoice lines can't go to this account, or None. They go to an active income account that is not Xero's own.

    Xero's Accounts page: class REVENUE holds the types REVENUE, SALES and OTHERINCOME; system accounts can't be used on
    lines.
    """
    if why := _why_not_active(account):
        return why
    if account.type == "BANK":
        return "it is a bank account, not an income account"
    if account.system_account:
        return f"it is one of Xero's own accounts ({plain(account.system_account)})"
    if account.account_class != "REVENUE":
        return f"it is not an income account ({plain(account.type or account.account_class or 'no type')})"
    return None


def why_not_payments(account: Account) -> str | None:
    """Why payments can't go to this account, or None. They go to bank accounts, and to those with payments enabled."""
    if why := _why_not_active(account):
        return why
    if account.type != "BANK" and not account.enable_payments_to_account:
        return (
            "it is no bank account, and payments to it are not enabled in Xero "
            "(Accounting > Chart of accounts > the account > Enable payments to this account)"
        )
    return None


def why_not(account: Account, purpose: str) -> str | None:
    """Why an account can't serve a purpose, or None: sales lines, or else payments (of all methods or of one)."""
    return why_not_sales(account) if purpose == SALES else why_not_payments(account)


def _why_not_active(account: Account) -> str | None:
    if account.status != "ACTIVE":
        return f"it is {plain((account.status or 'not active').lower())} in Xero"
    return None


def find_account(accounts: Sequence[Account], text: str, purpose: str | None = None) -> Account:
    """The account with that AccountID, code or name, whatever the case; near ones are told where they fit the purpose.

    Raises `ChoiceError` `account-not-found` with near matches, or `account-ambiguous`.
    """
    return choose(
        text,
        accounts,
        kind="account",
        called="account in Xero",
        names=(lambda account: account.account_id, lambda account: account.code, lambda account: account.name),
        label=account_label,
        alive=lambda account: account.status == "ACTIVE",
        offered=lambda account: purpose is None or why_not(account, purpose) is None,
        fix="caspen-xero settings accounts",
    )


def choose_account(accounts: Sequence[Account], text: str, purpose: str) -> Account:
    """The account for a purpose that `text` names. Raises `ChoiceError`: also `account-unusable`."""
    account = find_account(accounts, text, purpose)
    why = why_not(account, purpose)
    if why is None:
        return account
    usable = [account_label(other) for other in fit_for(purpose, accounts)]
    raise ChoiceError(
        "account-unusable",
        f"{account_label(account)} can't take {'sales lines' if purpose == SALES else 'payments'}: {why}.",
        f"These can: {', '.join(usable[:6])}{', ...' if len(usable) > 6 else ''}" if usable else "Add one in Xero.",
    )


def bank_feed_warning(account: Account) -> str | None:
    """What to look out for with this payment account. Xero does not say whether an account has a bank feed."""
    if account.type != "BANK":
        return None
    return (
        f"If a bank feed is connected to {account_label(account)}, it brings the same payments a second time: "
        "then choose a clearing account instead, or let the feed do it: caspen-xero settings set --payments off"
    )
