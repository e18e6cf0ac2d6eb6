"""`caspen-xero settings`: what is chosen is what Xero takes, and a call saves all of what it was given or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import loopback
import pytest
from clinics import CASH, EFTPOS
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.sync.setup.accounts import account_label, find_account, why_not_payments, why_not_sales
from caspen_xero.sync.setup.choices import ChoiceError
from caspen_xero.xero.documents import Account


def settings(cli: Callable[..., Any]) -> dict[str, Any]:
    shown = cli("settings", "show", "--json")
    assert shown.exit_code == 0
    found: dict[str, Any] = shown.json["settings"]
    return found


def problems(cli: Callable[..., Any]) -> list[str]:
    return [problem["code"] for problem in cli("settings", "show", "--json").json["problems"]]


def account_id(cli: Callable[..., Any], name: str) -> str:
    chart = cli("settings", "accounts", "--json").json["accounts"]
    found: str = next(account["account_id"] for account in chart if account["name"] == name)
    return found


# --- accounts


@pytest.mark.parametrize("named", ["200", "Sales", "sales", " 200 "])
def test_account_for_invoice_lines_is_found_by_code_and_name(
    connected: Path, cli: Callable[..., Any], named: str
) -> None:
    assert cli("settings", "set", "--sales-account", named).exit_code == 0
    assert settings(cli)["sales_account"]["code"] == "200"


def test_bank_account_without_a_code_is_found_by_name_and_id(connected: Path, cli: Callable[..., Any]) -> None:
    id_ = account_id(cli, "Clinic Card Settlement")
    for named in ("clinic card settlement", id_):
        assert cli("settings", "set", "--payment-account", named).exit_code == 0
        assert settings(cli)["payment_account"] == {
            "account_id": id_,
            "code": None,
            "name": "Clinic Card Settlement",
            "type": "BANK",
            "problem": None,
        }


@pytest.mark.parametrize(
    ("option", "named", "why"),
    [
        ("--sales-account", "090", "it is a bank account"),
        ("--sales-account", "460", "it is archived"),
        ("--sales-account", "610", "one of Xero's own accounts"),
        ("--sales-account", "855", "not an income account"),
        ("--payment-account", "200", "payments to it are not enabled"),
        ("--payment-account", "460", "it is archived"),
        ("--payment-method", "EFTPOS=200", "payments to it are not enabled"),
    ],
)
def test_account_that_xero_would_refuse_is_refused_with_those_that_fit(
    connected: Path, cli: Callable[..., Any], option: str, named: str, why: str
) -> None:
    refused = cli("settings", "set", option, named)
    assert refused.exit_code == 1
    assert why in refused.stderr
    assert ("200 Sales" if option == "--sales-account" else "090 Business Bank Account") in refused.stderr
    assert (settings(cli)["sales_account"], settings(cli)["payment_account"]) == (None, None)


def test_unknown_account_is_refused_with_near_matches(connected: Path, cli: Callable[..., Any]) -> None:
    refused = cli("settings", "set", "--payment-account", "Busines Bank Acount", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "account-not-found")
    assert "Did you mean 090 Business Bank Account" in refused.json["error"]["message"]
    assert refused.json["error"]["fix"] == "caspen-xero settings accounts"


def test_one_wrong_option_saves_nothing_of_the_call(connected: Path, cli: Callable[..., Any]) -> None:
    before = settings(cli)
    assert (
        cli("settings", "set", "--sales-account", "200", "--privacy", "generic", "--start-date", "soon").exit_code == 2
    )
    assert (
        cli("settings", "set", "--sales-account", "200", "--payments", "off", "--payment-account", "999").exit_code == 1
    )
    assert cli("settings", "set", "--sales-account", "200", "--payment-method", "EFTPOS").exit_code == 2
    assert settings(cli) == before


def test_account_archived_in_xero_since_is_shown_as_a_problem(
    connected: Path, sandbox: Sandbox, cli: Callable[..., Any]
) -> None:
    cli("settings", "set", "--sales-account", "200", "--payment-account", "855")
    assert problems(cli) == []
    loopback.post(f"{sandbox.url}/sandbox/accounts/{account_id(cli, 'Sales')}/archive").raise_for_status()
    shown = cli("settings", "show", "--json").json
    assert shown["problems"][0]["code"] == "sales-account-unfit"
    assert "archived" in shown["settings"]["sales_account"]["problem"]
    assert "-> caspen-xero settings accounts sales\n" in cli("settings", "show").stdout


def test_accounts_that_are_missing_are_problems_unless_payments_are_off(
    connected: Path, cli: Callable[..., Any]
) -> None:
    assert problems(cli) == ["sales-account-missing", "payment-account-missing"]
    cli("settings", "set", "--payments", "off")
    assert problems(cli) == ["sales-account-missing"]


def test_chart_says_what_each_account_can_take(connected: Path, cli: Callable[..., Any]) -> None:
    cli("settings", "set", "--sales-account", "200")
    chart = {account["code"]: account for account in cli("settings", "accounts", "--json").json["accounts"]}
    assert (chart["200"]["sales"], chart["200"]["payments"]) == (True, False)
    assert (chart["090"]["sales"], chart["090"]["payments"]) == (False, True)
    assert (chart["855"]["sales"], chart["855"]["payments"]) == (False, True)
    assert (chart["610"]["sales"], chart["610"]["payments"]) == (False, False)
    assert "460" not in chart
    table = cli("settings", "accounts").stdout
    assert any(line.split()[:3] == ["200", "Sales", "REVENUE"] and "sales" in line for line in table.splitlines())


# --- payments


def test_bank_account_for_payments_gets_one_line_about_bank_feeds(connected: Path, cli: Callable[..., Any]) -> None:
    warned = cli("settings", "set", "--payment-account", "090")
    assert warned.exit_code == 0
    assert warned.stderr.count("bank feed is connected to 090 Business Bank Account") == 1
    assert "settings set --payments off" in warned.stderr
    assert cli("settings", "set", "--payment-account", "855").stderr == ""
    assert cli("settings", "set", "--payment-account", "090", "--payments", "off").stderr == ""


def test_payment_methods_can_have_accounts_of_their_own(
    connected: Path, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    caspen(EFTPOS, CASH)
    set_ = cli("settings", "set", "--payment-method", "eftpos=090", "--payment-method", "pmt_cash=Owner Drawings")
    assert set_.exit_code == 0
    own = {method["name"]: method["account"]["code"] for method in settings(cli)["payment_methods"]}
    assert own == {"EFTPOS": "090", "Cash": "880"}
    unknown = cli("settings", "set", "--payment-method", "Efpos=090")
    assert unknown.exit_code == 1
    assert "Did you mean EFTPOS (pmt_eftpos)?" in unknown.stderr


def test_payment_method_named_before_the_first_import_waits_for_it(
    connected: Path, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    assert cli("settings", "set", "--payment-method", "EFTPOS=855").exit_code == 0
    assert settings(cli)["payment_methods"][0]["name"] == "EFTPOS"
    caspen(EFTPOS, CASH)
    cli("taxes", "list")
    (own,) = settings(cli)["payment_methods"]
    assert (own["id"], own["account"]["code"]) == ("pmt_eftpos", "855")


# --- what the workspace keeps by itself


def test_settings_without_accounts_need_no_connection(home: Path, cli: Callable[..., Any]) -> None:
    assert cli("settings", "set", "--start-date", "2026-07-01", "--privacy", "name-only").exit_code == 0
    assert cli("settings", "set", "--contact", "payer", "--invoice-status", "draft").exit_code == 0
    found = settings(cli)
    assert (found["start_date"], found["privacy"], found["contact"], found["invoice_status"]) == (
        "2026-07-01",
        "name-only",
        "payer",
        "draft",
    )
    assert cli("settings", "set", "--sales-account", "200").exit_code == 4
    assert cli("settings", "set", "--start-date", "none").exit_code == 0
    assert settings(cli)["start_date"] is None


def test_source_is_kept_as_an_absolute_path(
    home: Path, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli("settings", "set", "--source", "export").exit_code == 0
    assert settings(cli)["source"] == str(export)
    export.rmdir()
    assert "source-missing" in problems(cli)


@pytest.mark.parametrize("url", ["https://clinic.example.org/feed", "http://localhost:8000", "http://127.0.0.1:8000/x"])
def test_source_can_be_a_url(home: Path, cli: Callable[..., Any], url: str) -> None:
    assert cli("settings", "set", "--source", url).exit_code == 0
    assert settings(cli)["source"] == url


def test_a_server_that_gives_nothing_is_set_and_told_of_at_once(
    home: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASPEN_API_KEY", "key")
    result = cli("settings", "set", "--source", "http://127.0.0.1:9/v1")
    assert result.exit_code == 0
    assert "The source is set, but can't be read: http://127.0.0.1:9/v1 can't be reached" in result.stderr
    assert cli("settings", "show", "--json").json["settings"]["source"] == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "source",
    [
        "http://clinic.example.org/feed",
        "http://localhost.example.org/",
        "ftp://clinic.example.org",
        "https://",
        "https://me:secret@clinic.example.org/",
        "https://clinic.example.org/?key=secret",
        "no/such/folder",
    ],
)
def test_source_that_is_not_there_not_safe_or_holds_a_secret_is_refused(
    home: Path, cli: Callable[..., Any], source: str
) -> None:
    refused = cli("settings", "set", "--source", source, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (2, "bad-source")
    assert "secret" not in refused.stdout
    assert settings(cli)["source"] is None


# --- asking


def test_without_options_and_without_a_terminal_nothing_is_asked(home: Path, cli: Callable[..., Any]) -> None:
    refused = cli("settings", "set")
    assert refused.exit_code == 2
    assert "--sales-account" in refused.stderr
    assert "--privacy" in refused.stderr


def test_a_person_at_a_terminal_is_walked_through(
    connected: Path, cli: Callable[..., Any], terminal: Callable[..., Any], tmp_path: Path
) -> None:
    done = terminal(
        "settings",
        "set",
        typing=[
            ("Account for invoice lines:", "99"),
            ("There is no account", "1"),
            ("Payments:", ""),
            ("855 Card and HICAPS Clearing", "3"),  # by code
            ("Caspen's export", "/no/such/export"),
            ("There is no file or folder /no/such/export", str(tmp_path)),
            ("Invoices go to Xero from", "2026-07-01"),
            ("Invoices in Xero:", ""),
            ("The contact of an invoice", "2"),
            ("What of a client goes to Xero:", "2"),
        ],
    )
    assert done.exit_code == 0, done.stdout
    found = settings(cli)
    assert (found["sales_account"]["code"], found["payment_account"]["code"]) == ("200", "855")
    assert (found["source"], found["start_date"], found["payments"]) == (str(tmp_path), "2026-07-01", "on")
    assert (found["invoice_status"], found["contact"], found["privacy"]) == ("authorised", "payer", "name-only")


# --- which account is meant


charts = st.lists(
    st.fixed_dictionaries(
        {
            "AccountID": st.uuids().map(str),
            "Code": st.none() | st.text("0123456789A", min_size=1, max_size=10),
            "Name": st.text(min_size=1, max_size=20),
            "Status": st.sampled_from(["ACTIVE", "ARCHIVED"]),
            "Type": st.sampled_from(["BANK", "REVENUE", "EXPENSE", "CURRLIAB"]),
            "Class": st.sampled_from(["ASSET", "REVENUE", "EXPENSE", "LIABILITY"]),
            "EnablePaymentsToAccount": st.booleans(),
            "SystemAccount": st.none() | st.just("GST"),
        }
    ).map(Account.model_validate),
    min_size=1,
    unique_by=lambda account: account.account_id,
)


@given(charts)
def test_every_account_is_found_by_its_id_and_no_archived_one_is_ever_fit(accounts: list[Account]) -> None:
    for account in accounts:
        assert find_account(accounts, account.account_id.upper()) is account
        assert account_label(account)
        if account.status != "ACTIVE":
            assert why_not_sales(account)
            assert why_not_payments(account)
        if account.type == "BANK" or account.system_account:
            assert why_not_sales(account)


def test_namesakes_are_ambiguous_unless_only_one_is_active() -> None:
    def bank(id_: str, status: str = "ACTIVE") -> Account:
        return Account(account_id=id_, name="Clearing", type="BANK", status=status)

    assert find_account([bank("1", "ARCHIVED"), bank("2")], "clearing").account_id == "2"
    with pytest.raises(ChoiceError) as refused:
        find_account([bank("1"), bank("2")], "Clearing")
    assert refused.value.code == "account-ambiguous"
