"""What Xero takes with a warning, or otherwise than it was sent, reaches the person, and the printed command puts it right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from clinics import EFTPOS, client, invoice, line, payment
from pushing import Clinic
from test_taxes import keep_in_xero

from caspen_xero.xero import answers

Element = dict[str, Any]
WARNED = "1 document was taken with a warning from Xero: caspen-xero log --warnings"


@pytest.fixture
def drafts(ready: Clinic) -> Clinic:
    """A clinic that sends drafts, has read Xero's accounts, and has one new invoice."""
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice("INV-0000"))
    assert ready.push().json["unsynced"] == 0
    ready.takes(invoice("INV-0001", [line(), line("20.00", description="Tape")]))
    return ready


def archive(clinic: Clinic, code: str = "200") -> None:
    clinic.control(f"accounts/{code}/archive")


def test_a_draft_that_lost_its_account_is_a_problem_that_its_fix_mends(drafts: Clinic) -> None:
    archive(drafts)
    pushed = drafts.push().json
    assert (pushed["synced"], pushed["unsynced"]) == (0, 1)
    assert WARNED in pushed["warnings"]
    problem = drafts.problem()
    assert problem["code"] == "account-refused"
    assert "line 1: account was sent as 200, Xero shows none; line 2: account was sent as 200" in problem["reason"]
    assert "has been removed" in problem["xero_says"]

    drafts.run(problem["fix"], -1)  # now it is known that the account is archived
    problem = drafts.problem()
    assert problem["code"] == "sales-account-unfit"
    drafts.cli("settings", "set", "--sales-account", "260")
    drafts.push("INV-0001")
    assert [row for row in drafts.unsynced() if row["code"] != "waits-for-approval"] == []
    there = drafts.in_xero()["INV-0001"]
    assert {each["AccountCode"] for each in there["LineItems"]} == {"260"}
    assert drafts.listed()["INV-0001"]["sync_status"] == "synced"


def test_it_is_not_approved_while_its_account_is_missing(drafts: Clinic) -> None:
    archive(drafts)
    drafts.push()
    drafts.cli("settings", "set", "--invoice-status", "authorised")
    drafts.push()
    assert drafts.in_xero()["INV-0001"]["Status"] == "DRAFT"
    assert drafts.problem()["code"] == "sales-account-unfit"
    drafts.cli("settings", "set", "--sales-account", "260")
    drafts.push()
    there = drafts.in_xero()["INV-0001"]
    assert (there["Status"], {each["AccountCode"] for each in there["LineItems"]}) == ("AUTHORISED", {"260"})


def test_or_xero_refuses_the_draft_and_nothing_is_made(drafts: Clinic) -> None:
    drafts.control("settings", unknown_account_in_draft="refused")
    archive(drafts)
    drafts.push()
    assert drafts.problem()["code"] == "account-refused"
    assert "INV-0001" not in drafts.in_xero()
    drafts.cli("settings", "set", "--sales-account", "260")
    drafts.push()
    assert drafts.listed()["INV-0001"]["sync_status"] == "synced"


@pytest.mark.parametrize("way", ["warned", "refused"])
def test_a_tax_rate_that_was_deleted_since_is_named_and_another_link_mends_it(drafts: Clinic, way: str) -> None:
    drafts.control("settings", unknown_tax_type_in_draft=way)
    keep_in_xero(drafts.sandbox, "TAX001", like="OUTPUT", Name="GST anew")
    keep_in_xero(drafts.sandbox, "OUTPUT", Status="DELETED")
    drafts.push()
    problem = drafts.problem()
    assert problem["code"] == "tax-rate-refused"
    assert ("INV-0001" in drafts.in_xero()) == (way == "warned")
    drafts.run(problem["fix"], -1)  # now it is known that the rate is gone
    assert drafts.problem()["code"] == "tax-rate-unfit"
    assert drafts.cli("taxes", "map", "GST", "TAX001").exit_code == 0
    drafts.push("INV-0001")
    assert {each["TaxType"] for each in drafts.in_xero()["INV-0001"]["LineItems"]} == {"TAX001"}
    assert drafts.listed()["INV-0001"]["sync_status"] == "synced"


def test_warnings_stand_in_the_log_and_with_their_invoice(drafts: Clinic) -> None:
    archive(drafts)
    drafts.push()
    words = "Account code '200' has been removed as it does not match a recognised account."
    rows = drafts.cli("log", "--json").json["log"]
    assert [row["warnings"] for row in rows if row["number"] == "INV-0001"] == [[words]]
    assert all(row["warnings"] == [] for row in rows if row["number"] != "INV-0001")
    (only,) = drafts.cli("log", "--json", "--warnings").json["log"]
    assert (only["number"], only["warnings"]) == ("INV-0001", [words])
    assert "has been removed" in " ".join(drafts.cli("log", "--warnings").stdout.split())
    assert f"Xero warned: {words}" in drafts.cli("invoices", "show", "INV-0001").stdout
    assert drafts.cli("invoices", "show", "INV-0001", "--json").json["writes"][0]["warnings"] == [words]


def test_a_draft_without_account_is_found_though_the_answer_was_lost(drafts: Clinic, waits: list[float]) -> None:
    archive(drafts)
    drafts.control("faults", kind="drop-after", path="Invoices", count=1)
    assert drafts.push().json["warnings"] == []  # nobody has edited it, and Xero's words are lost
    assert drafts.problem()["code"] == "account-refused"
    drafts.cli("settings", "set", "--sales-account", "260")
    drafts.push()
    assert {each["AccountCode"] for each in drafts.in_xero()["INV-0001"]["LineItems"]} == {"260"}


def test_a_payment_before_its_invoice_is_taken_and_told(ready: Clinic) -> None:
    made = invoice("INV-0001")
    ready.takes(client("1048237"), EFTPOS, made, payment(made["total"], (made["id"], made["total"]), date="2026-11-01"))
    pushed = ready.push().json
    assert (pushed["payments"], pushed["unsynced"]) == (1, 0)
    assert WARNED in pushed["warnings"]
    (row,) = ready.cli("log", "--json", "--warnings").json["log"]
    assert row["warnings"] == ["The payment date is prior to the invoice date."]
    assert ready.unsynced() == []


def test_or_it_is_refused_in_xeros_words(ready: Clinic) -> None:
    ready.control("settings", early_payment="refused")
    made = invoice("INV-0001")
    ready.takes(client("1048237"), EFTPOS, made, payment(made["total"], (made["id"], made["total"]), date="2026-11-01"))
    ready.push()
    problem = ready.problem()
    assert (problem["code"], problem["xero_says"]) == (
        "xero-refused",
        "The payment date cannot be before the invoice date",
    )


@pytest.fixture
def answers_otherwise(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Element], None]], None]:
    """From now on the elements under a plural are answered otherwise; until the test says so again."""
    true_elements = answers.elements

    def answer(plural: str, change: Callable[[Element], None]) -> None:
        def changed(answer: Any, wanted: str) -> list[Element]:
            found = true_elements(answer, wanted)
            for element in found if wanted == plural else ():
                change(element)
            return found

        monkeypatch.setattr("caspen_xero.xero.answers.elements", changed)

    return answer


def test_a_line_that_shows_something_else_is_a_problem_until_it_is_sent_once_more(
    ready: Clinic, answers_otherwise: Callable[[str, Callable[[Element], None]], None]
) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    answers_otherwise("Invoices", lambda element: element["LineItems"][0].update(Description="Something else"))
    ready.push()
    answers_otherwise("Invoices", lambda element: None)
    problem = ready.problem()
    assert problem["code"] == "not-as-sent"
    assert "description was sent as Initial consultation, Xero shows Something else" in problem["reason"]
    ready.push()
    assert ready.problem()["code"] == "not-as-sent"
    ready.run(problem["fix"])
    assert ready.unsynced() == []
    assert ready.writes().count("PUT Invoices") == 1


def test_a_payment_of_another_amount_is_not_as_asked(
    ready: Clinic, answers_otherwise: Callable[[str, Callable[[Element], None]], None]
) -> None:
    made = invoice("INV-0001")
    ready.takes(client("1048237"), EFTPOS, made, payment(made["total"], (made["id"], made["total"])))
    answers_otherwise("Payments", lambda element: element.update(Amount=Decimal("60.00")))
    ready.push()
    answers_otherwise("Payments", lambda element: None)
    problem = ready.problem()
    assert problem["code"] == "not-as-sent"
    assert "amount was sent as 165, Xero shows 60" in problem["reason"]
    ready.run(problem["fix"])
    assert ready.unsynced() == []
    living = [each["Amount"] for each in ready.state("Payments") if each["Status"] != "DELETED"]
    assert living == [Decimal("165.00")]


def test_a_payment_that_is_shown_otherwise_is_never_deleted_unasked(
    ready: Clinic, answers_otherwise: Callable[[str, Callable[[Element], None]], None]
) -> None:
    made = invoice("INV-0001")
    ready.takes(client("1048237"), EFTPOS, made, payment(made["total"], (made["id"], made["total"])))
    answers_otherwise("Payments", lambda element: element.update(Date="/Date(1793577600000+0000)/"))
    ready.push()
    answers_otherwise("Payments", lambda element: None)
    for change in (
        ("push",),
        ("push", "--refresh"),
        ("settings", "set", "--payments", "off"),
        ("push",),
        ("push", "INV-0001"),  # it could not be made anew
        ("settings", "set", "--payments", "on"),
        ("push",),
    ):
        ready.cli(*change)
        assert [each["Status"] for each in ready.state("Payments")] == ["AUTHORISED"]
        assert ready.problem()["code"] == "not-as-sent"
    assert ready.run(ready.problem()["fix"]).exit_code == 0
    assert ready.unsynced() == []
    assert sorted(each["Status"] for each in ready.state("Payments")) == ["AUTHORISED", "DELETED"]


def test_one_that_is_reconciled_by_now_is_left_alone(
    ready: Clinic, answers_otherwise: Callable[[str, Callable[[Element], None]], None]
) -> None:
    made = invoice("INV-0001")
    ready.takes(client("1048237"), EFTPOS, made, payment(made["total"], (made["id"], made["total"])))
    answers_otherwise("Payments", lambda element: element.update(Date="/Date(1793577600000+0000)/"))
    ready.push()
    answers_otherwise("Payments", lambda element: None)
    (there,) = ready.state("Payments")
    ready.control(f"payments/{there['PaymentID']}/reconcile")
    ready.push("INV-0001")
    problem = ready.problem()
    assert (problem["code"], "removed in Caspen" in problem["reason"]) == ("not-as-sent", False)
    assert "reconciled" in problem["reason"]
    assert [each["Status"] for each in ready.state("Payments")] == ["AUTHORISED"]
