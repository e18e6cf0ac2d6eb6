"""Where several answers are possible none is offered as *the* one: the fix is a command that asks, and the answers are listed."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from clinics import EFTPOS, client, invoice, line, payment
from hypothesis import given
from hypothesis import strategies as st
from pushing import Clinic
from test_settings import charts
from test_taxes import keep_in_xero, xero_rates

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.commands import to_paste
from caspen_xero.sandbox.books.ledger import Ledger
from caspen_xero.sync.setup.accounts import (
    PAYMENTS,
    SALES,
    account_answers,
    choose_account,
    fit_for,
    method_purpose,
)
from caspen_xero.sync.setup.awaited import find_payment_method
from caspen_xero.sync.setup.taxes import (
    NO_TAX,
    candidates,
    choose_xero_rate,
    find_caspen_rate,
    percentage_of,
    rate_answers,
)
from caspen_xero.xero.documents import Account
from caspen_xero.xero.documents import TaxRate as XeroRate

ODD_RATE = {"object": "tax_rate", "id": "-odd", "name": "-O'Hara's  rate", "rate": "0", "archived": False}

FIVE_PERCENT = [{"Name": "Five", "Rate": Decimal(5), "IsCompound": False, "IsNonRecoverable": False}]


def archive(clinic: Clinic, *codes: str) -> None:
    """A bookkeeper archives accounts in Xero."""
    chart = {one["code"]: one["account_id"] for one in clinic.cli("settings", "accounts", "--json").json["accounts"]}
    for code in codes:
        clinic.control(f"accounts/{chart[code]}/archive")


def restore(clinic: Clinic, code: str) -> None:
    """A bookkeeper takes an account back into use in Xero."""
    tenant_id = clinic.tenant_id
    with clinic.sandbox.xero.transaction():
        ledger = Ledger(clinic.sandbox.xero.api.books, tenant_id)
        account = next(one for one in ledger.select("Accounts") if one.get("Code") == code)
        ledger.save("Accounts", {**account, "Status": "ACTIVE"})


def an_unlinked_rate(clinic: Clinic) -> None:
    clinic.takes(invoice("INV-0001", [line(rate="tax_free")]))
    clinic.cli("taxes", "unmap", "GST free")


def an_unlinked_rate_with_an_odd_name(clinic: Clinic) -> None:
    clinic.takes(ODD_RATE, invoice("INV-0001", [line(rate="-odd")]))


def a_rate_that_was_deleted_in_xero(clinic: Clinic) -> None:
    clinic.takes(invoice("INV-0001", [line(rate="tax_free")]))
    keep_in_xero(clinic.sandbox, "EXEMPTOUTPUT", Status="DELETED")


def no_sales_account(clinic: Clinic) -> None:
    clinic.takes(invoice("INV-0001"))
    clinic.sql("DELETE FROM account_links WHERE purpose = 'sales'")


def a_sales_account_that_was_archived(clinic: Clinic) -> None:
    clinic.takes(invoice("INV-0001"))
    archive(clinic, "200")


def no_payment_account(clinic: Clinic) -> None:
    clinic.takes(EFTPOS, invoice("INV-0001"), payment("10.00", ("inv_INV-0001", "10.00"), method_id="pmt_eftpos"))
    clinic.sql("DELETE FROM account_links WHERE purpose = 'payments'")


def a_payment_account_that_was_archived(clinic: Clinic) -> None:
    clinic.takes(EFTPOS, invoice("INV-0001"), payment("10.00", ("inv_INV-0001", "10.00"), method_id="pmt_eftpos"))
    archive(clinic, "090")


def a_methods_account_that_was_archived(clinic: Clinic) -> None:
    clinic.takes(EFTPOS, invoice("INV-0001"), payment("10.00", ("inv_INV-0001", "10.00"), method_id="pmt_eftpos"))
    clinic.cli("settings", "set", "--payment-method", "EFTPOS=855")
    archive(clinic, "855")


CASES: dict[Callable[[Clinic], None], tuple[str, str, str]] = {
    an_unlinked_rate: (
        "tax-rate-not-linked",
        "caspen-xero taxes map 'GST free'",
        "GST Free Income (EXEMPTOUTPUT, 0 %)",
    ),
    an_unlinked_rate_with_an_odd_name: (
        "tax-rate-not-linked",
        to_paste("taxes map", "-O'Hara's  rate"),
        "BAS Excluded (BASEXCLUDED, 0 %)",
    ),
    a_rate_that_was_deleted_in_xero: (
        "tax-rate-unfit",
        "caspen-xero taxes map 'GST free'",
        "BAS Excluded (BASEXCLUDED, 0 %)",
    ),
    no_sales_account: ("sales-account-missing", "caspen-xero settings accounts sales", "200 Sales (REVENUE)"),
    a_sales_account_that_was_archived: (
        "sales-account-unfit",
        "caspen-xero settings accounts sales",
        "260 Other Revenue (REVENUE)",
    ),
    no_payment_account: (
        "payment-account-missing",
        "caspen-xero settings accounts payments",
        "090 Business Bank Account (BANK)",
    ),
    a_payment_account_that_was_archived: (
        "payment-account-unfit",
        "caspen-xero settings accounts payments",
        "091 Business Savings Account (BANK)",
    ),
    a_methods_account_that_was_archived: (
        "payment-account-unfit",
        "caspen-xero settings accounts payments EFTPOS",
        "090 Business Bank Account (BANK)",
    ),
}
each_case = pytest.mark.parametrize("happens", CASES, ids=lambda case: case.__name__)


@pytest.fixture
def kept_out(ready: Clinic) -> Callable[[Callable[[Clinic], None]], Clinic]:
    def make(happens: Callable[[Clinic], None]) -> Clinic:
        ready.takes(client("1048237"))
        happens(ready)
        ready.push("--refresh")
        return ready

    return make


KeptOut = Callable[[Callable[[Clinic], None]], Clinic]


@each_case
def test_on_a_terminal_the_fix_asks_and_an_answer_ends_it(
    kept_out: KeptOut, happens: Callable[[Clinic], None], terminal: Callable[..., Any]
) -> None:
    clinic = kept_out(happens)
    code, fix, answer = CASES[happens]
    row = clinic.problem()
    assert (row["code"], row["fix"]) == (code, fix)
    number = str(1 + [one["label"] for one in row["choices"]].index(answer))
    done = terminal(*shlex.split(fix)[1:], typing=[("Number (Enter: skip):", number)])
    assert done.exit_code == 0, done.stdout
    assert answer.split(" (")[0] in done.stdout.splitlines()[-1]
    assert (clinic.problem()["code"], clinic.problem()["fix"]) == ("not-pushed-yet", "caspen-xero push")
    assert clinic.push().exit_code == 0
    assert clinic.unsynced() == []


@pytest.mark.parametrize("happens", [an_unlinked_rate, no_sales_account], ids=lambda case: case.__name__)
def test_the_escape_key_changes_nothing(
    kept_out: KeptOut, happens: Callable[[Clinic], None], terminal: Callable[..., Any]
) -> None:
    clinic = kept_out(happens)
    row = clinic.problem()
    left = terminal(*shlex.split(row["fix"])[1:], typing=[("Number (Enter: skip):", "\x1b")])
    assert (left.exit_code, left.stdout.splitlines()[-1]) == (0, "Nothing was changed.")
    assert clinic.problem() == row


@each_case
def test_in_a_pipe_the_fix_changes_nothing_and_lists_answers_of_which_each_ends_it(
    kept_out: KeptOut, happens: Callable[[Clinic], None]
) -> None:
    clinic = kept_out(happens)
    row = clinic.problem()
    words = shlex.split(row["fix"])[1:]
    asked = clinic.cli(*words[:2], "--json", *words[2:])
    assert (asked.exit_code, asked.json["error"]["choices"]) == (2, row["choices"])
    told = clinic.run(row["fix"])
    assert (told.exit_code, told.stdout) == (2, "")
    lines = told.stderr.splitlines()
    assert [line.strip() for line in lines[2:]] == [
        text for one in row["choices"] for text in (one["command"], one["label"])
    ]
    assert clinic.problem() == row
    before = clinic.home.parent / "before"
    shutil.copytree(clinic.home, before)
    assert len(row["choices"]) > 1
    for one in row["choices"]:
        assert clinic.run(one["command"]).exit_code == 0, one
        assert [each["code"] for each in clinic.unsynced()] == ["not-pushed-yet"], one
        if one is not row["choices"][-1]:
            shutil.rmtree(clinic.home)
            shutil.copytree(before, clinic.home)
    assert clinic.push().exit_code == 0
    assert clinic.unsynced() == []


def test_the_guess_that_an_earlier_version_noted_is_never_offered(kept_out: KeptOut) -> None:
    clinic = kept_out(an_unlinked_rate)
    clinic.sql("UPDATE problems SET fix = 'caspen-xero taxes map ''GST free'' EXEMPTOUTPUT'")
    assert clinic.problem()["fix"] == "caspen-xero taxes map 'GST free'"
    assert clinic.cli("invoices", "show", "INV-0001", "--json").json["problems"][0]["fix"] == clinic.problem()["fix"]


@each_case
def test_doctor_invoices_show_and_a_dry_run_say_the_same(kept_out: KeptOut, happens: Callable[[Clinic], None]) -> None:
    clinic = kept_out(happens)
    row = clinic.problem()
    checked = clinic.cli("doctor", "--json")
    assert checked.exit_code == 1
    cause, counted, invoices = [check for check in checked.json["checks"] if not check["ok"]]
    assert (counted["name"], counted["message"].startswith("1 invoice is unsynced")) == ("invoices", True)
    assert (cause["fix"], cause["choices"]) == (row["fix"], row["choices"])
    assert (invoices["name"], invoices["message"]) == (row["code"], "1 invoice: INV-0001")
    assert (invoices["fix"], invoices["choices"]) == (row["fix"], row["choices"])
    (shown,) = clinic.cli("invoices", "show", "INV-0001", "--json").json["problems"]
    assert (shown["fix"], shown["choices"]) == (row["fix"], row["choices"])
    answers = "asks which: " + ", ".join(one["label"] for one in row["choices"][:6])
    for words in (("push", "--dry-run"), ("unsynced",), ("invoices", "show", "INV-0001")):
        said = clinic.cli(*words).stdout
        assert row["fix"] in said, words
        assert answers in said, words
    if "account" in row["code"]:
        (told,) = clinic.cli("settings", "show", "--json").json["problems"]
        assert (told["fix"], told["choices"]) == (row["fix"], row["choices"])


# --- where there is no answer


def test_without_any_account_for_payments_the_words_say_what_to_do_in_xero(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), payment("10.00", ("inv_INV-0001", "10.00")))
    chart = ready.cli("settings", "accounts", "--json").json["accounts"]
    archive(ready, *(one["code"] for one in chart if one["payments"]))
    ready.push("--refresh")
    row = ready.problem()
    ask = "caspen-xero settings accounts payments"
    assert (row["fix"].rpartition(", then: ")[2], row["choices"]) == (ask, [])
    assert row["fix"].startswith("Add a bank account in Xero")
    refused = ready.cli("settings", "accounts", "payments", "--json")
    assert (refused.exit_code, refused.json["error"]["fix"]) == (1, row["fix"])
    assert row["fix"] in [check["fix"] for check in ready.cli("doctor", "--json").json["checks"]]
    restore(ready, "091")  # a person does as told
    asked = ready.run(ask)
    assert (asked.exit_code, "  caspen-xero settings set --payment-account 091\n" in asked.stderr) == (2, True)
    assert ready.chooses(ready.problem()).exit_code == 0
    assert ready.push().exit_code == 0
    assert ready.unsynced() == []


def test_without_a_rate_of_the_percentage_the_words_say_which_to_add(
    ready: Clinic, terminal: Callable[..., Any]
) -> None:
    five = {**ODD_RATE, "id": "tax_5", "name": "Five", "rate": "5"}
    ready.takes(client("1048237"), five, invoice("INV-0001", [line(rate="tax_5")]))
    ready.push()
    fix = "Add a tax rate of 5 % for sales in Xero (Accounting > Tax rates), then: caspen-xero taxes map Five"
    assert (ready.problem()["fix"], ready.problem()["choices"]) == (fix, [])
    refused = ready.cli("taxes", "map", "Five", "--json")
    assert (refused.exit_code, refused.json["error"]["fix"]) == (1, fix)
    assert f"Link a rate: {fix}\n" in ready.cli("taxes", "list").stderr
    other = terminal("taxes", "map", "Five", typing=[("Number", "1"), ("all the same?", "n")])
    assert other.stdout.splitlines()[-1] == "Nothing was changed."
    keep_in_xero(ready.sandbox, "TAX009", like="OUTPUT", Name="Five", TaxComponents=FIVE_PERCENT)
    asked = ready.run("caspen-xero taxes map Five")
    assert (asked.exit_code, "  caspen-xero taxes map Five TAX009\n" in asked.stderr) == (2, True)
    ready.push("--refresh")  # the only one of its percentage: it needs no question
    assert "tax-rate-not-linked" not in [row["code"] for row in ready.unsynced()]


# --- what was put in order in Xero


PUT_IN_ORDER: dict[Callable[[Clinic], None], Callable[[Clinic], None]] = {
    a_rate_that_was_deleted_in_xero: lambda clinic: keep_in_xero(clinic.sandbox, "EXEMPTOUTPUT", Status="ACTIVE"),
    a_sales_account_that_was_archived: lambda clinic: restore(clinic, "200"),
    a_payment_account_that_was_archived: lambda clinic: restore(clinic, "090"),
    a_methods_account_that_was_archived: lambda clinic: restore(clinic, "855"),
}


@pytest.mark.parametrize("happens", PUT_IN_ORDER, ids=lambda case: case.__name__)
def test_what_a_person_has_put_in_order_in_xero_needs_a_push_and_no_answer(
    kept_out: KeptOut, happens: Callable[[Clinic], None]
) -> None:
    clinic = kept_out(happens)
    PUT_IN_ORDER[happens](clinic)
    checks = clinic.cli("doctor", "--json").json["checks"]  # it reads Xero anew
    counted, left = [check for check in checks if not check["ok"]]
    row = clinic.problem()
    assert (row["code"], row["fix"], row["choices"]) == (CASES[happens][0], "caspen-xero push INV-0001", [])
    assert "by now that is in order" in row["reason"]
    assert (counted["name"], counted["message"].startswith("1 invoice is unsynced")) == ("invoices", True)
    assert (left["name"], left["fix"]) == (row["code"], row["fix"])
    assert clinic.run(row["fix"]).exit_code == 0
    assert clinic.unsynced() == []


# --- what is asked for


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("settings", "accounts", "sales", "EFTPOS"), "usage"),
        (("settings", "accounts", "payments", "Nothing"), "payment-method-not-found"),
        (("taxes", "map", "Nothing"), "tax-rate-not-found"),
    ],
)
def test_what_is_not_there_can_not_be_asked_for(ready: Clinic, words: tuple[str, ...], code: str) -> None:
    ready.takes(EFTPOS)
    assert ready.cli(*words, "--json").json["error"]["code"] == code


def test_an_account_that_serves_already_is_kept_by_the_enter_key(ready: Clinic, terminal: Callable[..., Any]) -> None:
    done = terminal("settings", "accounts", "sales", typing=[("Number (Enter: 200 Sales):", "")])
    assert done.stdout.splitlines()[-1] == "Account for invoice lines: 200 Sales."
    assert ready.cli("settings", "show", "--json").json["settings"]["sales_account"]["code"] == "200"


def test_doctor_wants_no_payment_account_where_payments_are_off(ready: Clinic) -> None:
    ready.sql("DELETE FROM account_links WHERE purpose = 'payments'")
    assert ready.cli("doctor").exit_code == 1
    ready.cli("settings", "set", "--payments", "off")
    assert ready.cli("doctor").exit_code == 0


def test_doctor_tells_what_waits_for_a_push_and_is_content(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{n}") for n in range(5)))
    checked = ready.cli("doctor", "--json")
    assert checked.exit_code == 0
    assert checked.json["checks"][-1] == {
        "name": "not-pushed-yet",
        "ok": True,
        "state": "note",
        "message": "5 invoices: INV-0, INV-1, INV-2 and 2 more",
        "fix": "caspen-xero push",
        "choices": [],
    }


def test_two_methods_whose_accounts_are_gone_are_two_problems(ready: Clinic) -> None:
    cash = {**EFTPOS, "id": "pmt_cash", "name": "Cash"}
    ready.takes(client("1048237"), EFTPOS, cash, invoice("INV-0001"))
    for method in ("pmt_eftpos", "pmt_cash"):
        ready.takes(payment("10.00", ("inv_INV-0001", "10.00"), id_=method, method_id=method))
    ready.cli("settings", "set", "--payment-method", "EFTPOS=855", "--payment-method", "Cash=855")
    archive(ready, "855")
    ready.push("--refresh")
    ask = "caspen-xero settings accounts payments"
    assert {row["fix"] for row in ready.unsynced()} == {f"{ask} EFTPOS", f"{ask} Cash"}
    ready.chooses(next(row for row in ready.unsynced() if row["fix"].endswith("Cash")), "090")
    assert [row["fix"] for row in ready.unsynced()] == [f"{ask} EFTPOS"]


# --- whatever things are called


ODD_NAMES = st.text("ab -'\"=\n200", max_size=5) | st.sampled_from(["200", "no tax", "--force", "it's", "x" * 301])
METHODS = st.lists(
    st.builds(lambda id_, name: PaymentMethod.model_construct(id=id_, name=name), ODD_NAMES, ODD_NAMES),
    min_size=1,
    max_size=4,
    unique_by=lambda method: method.id,
)
RATES = st.lists(
    st.builds(
        lambda id_, name, rate: CaspenRate.model_construct(id=id_, name=name, rate=Decimal(rate), archived=False),
        ODD_NAMES.filter(lambda id_: id_ != NO_TAX),
        ODD_NAMES,
        st.sampled_from(["0", "10"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda rate: rate.id,
)


@given(charts, METHODS)
def test_each_answer_chooses_the_account_that_it_names(chart: list[Account], methods: list[PaymentMethod]) -> None:
    for purpose in (SALES, PAYMENTS, *(method_purpose(method.id) for method in methods)):
        fit = fit_for(purpose, chart)
        answers = account_answers(purpose, chart, methods)
        assert len(fit) == len(answers)
        for account, one in zip(fit, answers, strict=True):
            words = shlex.split(one.command)
            value = words[4] if len(words) == 5 else words[3].partition("=")[2]
            if purpose.startswith("method:"):
                method, _, value = value.partition("=")
                assert method_purpose(find_payment_method(methods, method).id) == purpose
            assert choose_account(chart, value, purpose) is account


@given(RATES, xero_rates)
def test_each_answer_links_the_rates_that_it_names(rates: list[CaspenRate], in_xero: list[XeroRate]) -> None:
    for rate in rates:
        equal = [one for one in candidates(rate.rate, in_xero) if percentage_of(one) == rate.rate]
        answers = rate_answers(rate, rates, in_xero)
        assert len(answers) == len(equal)
        for xero_rate, one in zip(equal, answers, strict=True):
            name, tax_type = shlex.split(one.command)[-2:]
            assert find_caspen_rate(rates, name) is rate
            assert choose_xero_rate(in_xero, tax_type, rate) is xero_rate
