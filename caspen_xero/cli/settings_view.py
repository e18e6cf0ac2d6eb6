"""What `settings show` and `settings accounts` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.cli.output import Cell, Ours, in_words
from caspen_xero.cli.session import Session
from caspen_xero.commands import Choice
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.accounts import (
    PAYMENTS,
    SALES,
    account_answers,
    account_fix,
    account_label,
    purpose_in_words,
    why_not_payments,
    why_not_sales,
)
from caspen_xero.sync.setup.awaited import awaited
from caspen_xero.sync.setup.changes import AccountChoice, account_choices, purposes_in_use
from caspen_xero.sync.setup.organisation import known_accounts, left_out, read_accounts
from caspen_xero.sync.setup.settings import (
    ACCOUNTS,
    PAYMENT_METHOD,
    SET,
    SETTINGS,
    Settings,
    SettingsError,
    check_source,
    read_settings,
)
from caspen_xero.xero.documents import Account
from caspen_xero.xero.errors import XeroError


@dataclass(frozen=True)
class _State:
    """The settings. `accounts` by key; `own`: of payment methods by id; `waiting`: of methods not yet known, by name.

    `chosen`: the accounts by purpose; `needed`: the purposes that need one; `chart`: Xero's, as it is now.
    """

    organisation: str | None
    chosen: Mapping[str, AccountChoice]
    needed: Sequence[str]
    chart: Sequence[Account]
    accounts: Mapping[str, AccountChoice | None]
    own: Mapping[str, AccountChoice]
    methods: Mapping[str, PaymentMethod]
    waiting: Mapping[str, str]
    settings: Settings

    def method(self, id_: str) -> PaymentMethod:
        """A payment method; one that is no longer known is called by its id."""
        return self.methods.get(id_) or PaymentMethod.model_construct(id=id_, name=id_)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What keeps these settings from working: code, message, fix, choices."""
        found = []
        if self.organisation is None:
            found.append(_problem("not-connected", "No Xero organisation is connected.", "caspen-xero connect"))
        methods = self.methods.values()
        for purpose in self.needed:
            what, choice = purpose_in_words(purpose, methods), self.chosen.get(purpose)
            code = "sales-account" if purpose == SALES else "payment-account"
            if choice is None:
                code, message = f"{code}-missing", f"No account for {what} has been chosen."
            elif choice.problem:
                code, message = f"{code}-unfit", f"{account_text(choice)} can't be used for {what}: {choice.problem}."
            else:
                continue
            answers = account_answers(purpose, self.chart, methods)
            found.append(_problem(code, message, account_fix(purpose, self.chart, methods), answers))
        try:
            check_source(self.settings.source or "none")
        except SettingsError as error:
            found.append(_problem("source-missing", error.message, f"{SET} --source PATH"))
        return found


ACCOUNT_COLUMNS = ("account_id", "code", "name", "type", "class", "status", "sales", "payments")
"""The fields of an account, in JSON and in CSV."""


SETTING_COLUMNS = ("setting", "of", "value")
"""The fields of a setting in CSV. `of`: the payment method that it is about."""


def show_settings(session: Session) -> None:
    """Every setting with the option that changes it, then what is wrong. Accounts are judged by Xero's chart of now."""
    state = _read(session)
    if session.output.json:
        output = session.output
        problems = [
            problem | {"fix": output.command(problem["fix"]), "choices": output.choices(problem["choices"])}
            for problem in state.problems
        ]
        session.output.document(_document(state) | {"problems": problems})
        return
    if session.output.csv:
        session.output.listed({"settings": _rows(state)}, "settings", SETTING_COLUMNS)
        return
    rows: list[list[Cell]] = [
        [Ours(account.title), account_text(state.accounts[account.key]), account.option] for account in ACCOUNTS
    ]
    for method_id, choice in state.own.items():
        title = Ours(f"Account for {plain(state.method(method_id).name)} payments")
        rows.append([title, account_text(choice), PAYMENT_METHOD.option])
    for name in state.waiting:
        rows.append(
            [Ours(f"Account for {plain(name)} payments"), "chosen; waits for the first import", PAYMENT_METHOD.option]
        )
    values = asdict(state.settings)
    rows += [[Ours(setting.title), values[setting.key] or Ours(setting.unset), setting.option] for setting in SETTINGS]
    session.output.say(f"Xero organisation: {plain(state.organisation or 'not connected')}")
    session.output.table(["Setting", "Value", "Set with"], rows, narrow_without=["Set with"])
    for problem in state.problems:
        session.output.say(f"! {problem['message']}", f"  -> {problem['fix']}")
        if problem["choices"]:
            session.output.say(f"     asks which: {in_words(problem['choices'])}")


def show_accounts(session: Session) -> None:
    """The chart of accounts as it is in Xero now: the active accounts, and archived ones that are chosen."""
    accounts = read_accounts(session.client, session.mappings, now=session.started_at)
    for words in left_out(session.mappings, "Accounts"):
        session.output.warn(words)
    accounts.sort(key=lambda account: (account.code is None, account.code or "", account.name or ""))
    chosen = session.mappings.account_links()
    listed = [a for a in accounts if a.status == "ACTIVE" or a.account_id in chosen.values()]
    if session.output.is_for_scripts:
        session.output.listed({"accounts": [_chart_entry(account) for account in listed]}, "accounts", ACCOUNT_COLUMNS)
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
        narrow_without=("Type", "Payments", "Sales"),
    )
    session.output.remark(
        "Choose: caspen-xero settings accounts sales", "Choose: caspen-xero settings accounts payments"
    )


def _read(session: Session) -> _State:
    store = session.store
    connected = store.connection() is not None
    chart = _chart(session) if connected else []
    choices = account_choices(session.mappings, chart) if connected else {}
    settings = read_settings(store)
    waiting = [choice for choice in awaited(session.mappings) if choice.kind == "payment_method"] if connected else []
    return _State(
        organisation=session.connection.tenant_name if connected else None,
        chosen=choices,
        needed=purposes_in_use(session.mappings, settings) if connected else [],
        chart=chart,
        accounts={account.key: choices.get(account.purpose) for account in ACCOUNTS},
        own={p.removeprefix("method:"): choice for p, choice in choices.items() if p.startswith("method:")},
        methods={method.id: method for method in clinic.payment_methods(store)},
        waiting={choice.name: choice.target for choice in waiting},
        settings=settings,
    )


def _chart(session: Session) -> list[Account]:
    """Xero's chart as it is now; where Xero can't be asked, as it was when last read."""
    try:
        return read_accounts(session.client, session.mappings, now=session.started_at)
    except XeroError as error:
        session.output.warn(f"{error.message} The accounts are shown as they were when last read.")
        return known_accounts(session.mappings) or []


def _rows(state: _State) -> list[dict[str, Any]]:
    """Each setting as a row; an account by its id, as `settings set` takes it."""
    accounts = [(account.key, None, state.accounts[account.key]) for account in ACCOUNTS]
    own = [(PAYMENT_METHOD.key, state.method(id_).name, choice) for id_, choice in state.own.items()]
    rows = [(key, of, choice.account_id if choice else None) for key, of, choice in [*accounts, *own]]
    rows += [(PAYMENT_METHOD.key, name, id_) for name, id_ in state.waiting.items()]
    values = asdict(state.settings)
    rows += [(setting.key, None, values[setting.key]) for setting in SETTINGS]
    return [dict(zip(SETTING_COLUMNS, row, strict=True)) for row in rows]


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


def _problem(code: str, message: str, fix: str, choices: tuple[Choice, ...] = ()) -> dict[str, Any]:
    return {"code": code, "message": message, "fix": fix, "choices": choices}


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
