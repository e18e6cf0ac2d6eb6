"""What `settings show` and `settings accounts` show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.cli.output import Cell
from caspen_xero.cli.session import Session
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.accounts import (
    PAYMENTS,
    SALES,
    account_command,
    account_label,
    why_not_payments,
    why_not_sales,
)
from caspen_xero.sync.setup.awaited import awaited
from caspen_xero.sync.setup.changes import AccountChoice, account_choices
from caspen_xero.sync.setup.organisation import known_accounts, left_out, read_accounts
from caspen_xero.sync.setup.settings import (
    ACCOUNTS,
    PAYMENT_ACCOUNT,
    PAYMENT_METHOD,
    SALES_ACCOUNT,
    SET,
    SETTINGS,
    AccountSetting,
    Settings,
    SettingsError,
    check_source,
    read_settings,
)
from caspen_xero.xero.documents import Account
from caspen_xero.xero.errors import XeroError


@dataclass(frozen=True)
class _State:
    """The settings. `accounts` by key; `own`: of payment methods by id; `waiting`: of methods not yet known, by name."""

    organisation: str | None
    accounts: Mapping[str, AccountChoice | None]
    own: Mapping[str, AccountChoice]
    methods: Mapping[str, PaymentMethod]
    waiting: Mapping[str, str]
    settings: Settings

    def method(self, id_: str) -> PaymentMethod:
        """A payment method; one that is no longer known is called by its id."""
        return self.methods.get(id_) or PaymentMethod.model_construct(id=id_, name=id_)

    @property
    def problems(self) -> list[dict[str, str]]:
        """What keeps these settings from working: code, message, fix."""
        found = []
        if self.organisation is None:
            found.append(_problem("not-connected", "No Xero organisation is connected.", "caspen-xero connect"))
        else:
            found += self._problems_of(SALES_ACCOUNT)
            if not self.settings.feed_brings_payments:
                found += self._problems_of(PAYMENT_ACCOUNT)
                for method_id, choice in self.own.items():
                    fix = account_command("CODE", self.method(method_id), self.methods.values())
                    what = f"{plain(self.method(method_id).name)} payments"
                    found += _account_problems("payment-account", what, choice, fix)
        try:
            check_source(self.settings.source or "none")
        except SettingsError as error:
            found.append(_problem("source-missing", error.message, f"{SET} --source PATH"))
        return found

    def _problems_of(self, account: AccountSetting) -> list[dict[str, str]]:
        code, fix = account.key.replace("_", "-"), f"{SET} {account.option} CODE"
        return _account_problems(code, account.what, self.accounts[account.key], fix)


def show_settings(session: Session) -> None:
    """Every setting with the option that changes it, then what is wrong. Accounts are judged by Xero's chart of now."""
    state = _read(session)
    if session.output.json:
        problems = [problem | {"fix": session.output.command(problem["fix"])} for problem in state.problems]
        session.output.document(_document(state) | {"problems": problems})
        return
    rows: list[list[Cell]] = [
        [account.title, account_text(state.accounts[account.key]), account.option] for account in ACCOUNTS
    ]
    for method_id, choice in state.own.items():
        title = f"Account for {plain(state.method(method_id).name)} payments"
        rows.append([title, account_text(choice), PAYMENT_METHOD.option])
    for name in state.waiting:
        rows.append(
            [f"Account for {plain(name)} payments", "chosen; waits for the first import", PAYMENT_METHOD.option]
        )
    values = asdict(state.settings)
    rows += [[setting.title, values[setting.key] or setting.unset, setting.option] for setting in SETTINGS]
    session.output.say(f"Xero organisation: {plain(state.organisation or 'not connected')}")
    session.output.table(["Setting", "Value", "Set with"], rows)
    for problem in state.problems:
        session.output.say(f"! {problem['message']}", f"  -> {problem['fix']}")


def show_accounts(session: Session) -> None:
    """The chart of accounts as it is in Xero now: the active accounts, and archived ones that are chosen."""
    accounts = read_accounts(session.client, session.mappings, now=session.started_at)
    for words in left_out(session.mappings, "Accounts"):
        session.output.warn(words)
    accounts.sort(key=lambda account: (account.code is None, account.code or "", account.name or ""))
    chosen = session.mappings.account_links()
    listed = [a for a in accounts if a.status == "ACTIVE" or a.account_id in chosen.values()]
    if session.output.json:
        session.output.document({"accounts": [_chart_entry(account) for account in listed]})
        return
    session.output.table(
        ["Code", "Name", "Type", "Sales", "Payments", "Chosen for"],
        [
            [
                account.code,
                account.name
                if account.status == "ACTIVE"
                else f"{plain(account.name)} ({plain((account.status or '').lower())})",
                account.type,
                "yes" if why_not_sales(account) is None else "",
                "yes" if why_not_payments(account) is None else "",
                ", ".join(_purpose(purpose) for purpose, id_ in chosen.items() if id_ == account.account_id),
            ]
            for account in listed
        ],
    )
    session.output.say(f"Choose: {SET} --sales-account CODE --payment-account CODE")


def _read(session: Session) -> _State:
    store = session.store
    connected = store.connection() is not None
    choices = account_choices(session.mappings, _chart(session)) if connected else {}
    waiting = [choice for choice in awaited(session.mappings) if choice.kind == "payment_method"] if connected else []
    return _State(
        organisation=session.connection.tenant_name if connected else None,
        accounts={account.key: choices.get(account.purpose) for account in ACCOUNTS},
        own={p.removeprefix("method:"): choice for p, choice in choices.items() if p.startswith("method:")},
        methods={method.id: method for method in clinic.payment_methods(store)},
        waiting={choice.name: choice.target for choice in waiting},
        settings=read_settings(store),
    )


def _chart(session: Session) -> list[Account]:
    """Xero's chart as it is now; where Xero can't be asked, as it was when last read."""
    try:
        return read_accounts(session.client, session.mappings, now=session.started_at)
    except XeroError as error:
        session.output.warn(f"{error.message} The accounts are shown as they were when last read.")
        return known_accounts(session.mappings) or []


def _document(state: _State) -> dict[str, Any]:
    return {
        "organisation": state.organisation,
        "settings": {
            **{key: _account_document(choice) for key, choice in state.accounts.items()},
            "payment_methods": [
                {
                    "id": method_id,
                    "name": state.method(method_id).name if method_id in state.methods else None,
                    "account": _account_document(choice),
                }
                for method_id, choice in state.own.items()
            ]
            + [{"id": None, "name": name, "account": {"account_id": id_}} for name, id_ in state.waiting.items()],
            **asdict(state.settings),
        },
    }


def _account_document(choice: AccountChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    account = choice.account
    return {
        "account_id": choice.account_id,
        "code": account.code if account else None,
        "name": account.name if account else None,
        "type": account.type if account else None,
        "problem": choice.problem,
    }


def account_text(choice: AccountChoice | None) -> str:
    """A chosen account as people read it."""
    if choice is None:
        return "not chosen"
    return account_label(choice.account) if choice.account else choice.account_id


def _account_problems(code: str, what: str, choice: AccountChoice | None, fix: str) -> list[dict[str, str]]:
    if choice is None:
        return [_problem(f"{code}-missing", f"No account for {what} has been chosen.", fix)]
    if choice.problem:
        return [_problem(f"{code}-unfit", f"{account_text(choice)} can't be used for {what}: {choice.problem}.", fix)]
    return []


def _problem(code: str, message: str, fix: str) -> dict[str, str]:
    return {"code": code, "message": message, "fix": fix}


def _purpose(purpose: str) -> str:
    return {SALES: "sales", PAYMENTS: "payments"}.get(purpose, "a payment method")


def _chart_entry(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "code": account.code,
        "name": account.name,
        "type": account.type,
        "class": account.account_class,
        "status": account.status,
        "sales": why_not_sales(account) is None,
        "payments": why_not_payments(account) is None,
    }
