"""What `settings show` and `settings accounts` show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caspen_xero.cli.output import Cell
from caspen_xero.cli.session import Session
from caspen_xero.store import clinic
from caspen_xero.sync.problems import quoted
from caspen_xero.sync.setup.accounts import PAYMENTS, SALES, account_label, why_not_payments, why_not_sales
from caspen_xero.sync.setup.awaited import awaited
from caspen_xero.sync.setup.organisation import known_accounts, read_accounts
from caspen_xero.sync.setup.settings import (
    DEFAULTS,
    AccountChoice,
    SettingsError,
    account_choices,
    check_source,
    value_of,
)
from caspen_xero.xero.documents import Account
from caspen_xero.xero.errors import XeroError

_SET = "caspen-xero settings set"
_WORDS = {
    "payments": ("Payments go to Xero", "--payments"),
    "source": ("Source of Caspen's records", "--source"),
    "start_date": ("Start date", "--start-date"),
    "invoice_status": ("Status of invoices in Xero", "--invoice-status"),
    "contact": ("Contact of an invoice", "--contact"),
    "privacy": ("What of a client goes to Xero", "--privacy"),
}
_UNSET = {"source": "none (caspen-xero import PATH)", "start_date": "none (every finalised invoice goes)"}


@dataclass(frozen=True)
class _State:
    """The settings. `own`: accounts of payment methods by id; `waiting`: of methods not yet known, by name."""

    organisation: str | None
    sales: AccountChoice | None
    payments: AccountChoice | None
    own: Mapping[str, AccountChoice]
    names: Mapping[str, str]
    waiting: Mapping[str, str]
    values: Mapping[str, str | None]

    @property
    def problems(self) -> list[dict[str, str]]:
        """What keeps these settings from working: code, message, fix."""
        found = []
        if self.organisation is None:
            found.append(_problem("not-connected", "No Xero organisation is connected.", "caspen-xero connect"))
        else:
            found += _account_problems("sales-account", "invoice lines", self.sales, f"{_SET} --sales-account CODE")
            if self.values["payments"] == "on":
                found += _account_problems(
                    "payment-account", "payments", self.payments, f"{_SET} --payment-account CODE"
                )
                for method_id, choice in self.own.items():
                    name = self.names.get(method_id, method_id)
                    fix = f"{_SET} --payment-method {quoted(f'{name}=CODE')}"
                    found += _account_problems("payment-account", f"{name} payments", choice, fix)
        try:
            check_source(self.values["source"] or "none")
        except SettingsError as error:
            found.append(_problem("source-missing", error.message, f"{_SET} --source PATH"))
        return found


def show_settings(session: Session) -> None:
    """Every setting with the option that changes it, then what is wrong. Accounts are judged by Xero's chart of now."""
    state = _read(session)
    if session.output.json:
        problems = [problem | {"fix": session.output.command(problem["fix"])} for problem in state.problems]
        session.output.document(_document(state) | {"problems": problems})
        return
    rows: list[list[Cell]] = [
        ["Account for invoice lines", account_text(state.sales), "--sales-account"],
        ["Account for payments", account_text(state.payments), "--payment-account"],
    ]
    for method_id, choice in state.own.items():
        title = f"Account for {state.names.get(method_id, method_id)} payments"
        rows.append([title, account_text(choice), "--payment-method"])
    for name in state.waiting:
        rows.append([f"Account for {name} payments", "chosen; waits for the first import", "--payment-method"])
    rows += [[title, state.values[key] or _UNSET[key], option] for key, (title, option) in _WORDS.items()]
    session.output.say(f"Xero organisation: {state.organisation or 'not connected'}")
    session.output.table(["Setting", "Value", "Set with"], rows)
    for problem in state.problems:
        session.output.say(f"! {problem['message']}\n  -> {problem['fix']}")


def show_accounts(session: Session) -> None:
    """The chart of accounts as it is in Xero now: the active accounts, and archived ones that are chosen."""
    accounts = read_accounts(session.client, session.mappings, now=session.started_at)
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
                account.name if account.status == "ACTIVE" else f"{account.name} ({(account.status or '').lower()})",
                account.type,
                "yes" if why_not_sales(account) is None else "",
                "yes" if why_not_payments(account) is None else "",
                ", ".join(_purpose(purpose) for purpose, id_ in chosen.items() if id_ == account.account_id),
            ]
            for account in listed
        ],
    )
    session.output.say(f"Choose: {_SET} --sales-account CODE --payment-account CODE")


def _read(session: Session) -> _State:
    store = session.store
    connected = store.connection() is not None
    choices = account_choices(session.mappings, _chart(session)) if connected else {}
    waiting = [choice for choice in awaited(session.mappings) if choice.kind == "payment_method"] if connected else []
    return _State(
        organisation=session.connection.tenant_name if connected else None,
        sales=choices.get(SALES),
        payments=choices.get(PAYMENTS),
        own={p.removeprefix("method:"): choice for p, choice in choices.items() if p.startswith("method:")},
        names={method.id: method.name for method in clinic.payment_methods(store)},
        waiting={choice.name: choice.target for choice in waiting},
        values={key: value_of(store, key) for key in DEFAULTS},
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
            "sales_account": _account_document(state.sales),
            "payment_account": _account_document(state.payments),
            "payment_methods": [
                {"id": method_id, "name": state.names.get(method_id), "account": _account_document(choice)}
                for method_id, choice in state.own.items()
            ]
            + [{"id": None, "name": name, "account": {"account_id": id_}} for name, id_ in state.waiting.items()],
            **state.values,
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
