"""Lists that can be asked: what keeps how much out, which invoices, what was sent; on the screen, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, TAX_RATES, client, credit_note, invoice, line, payment
from pushing import Clinic, commands_in

TOTALS_WRONG: dict[str, Any] = {"subtotal": "99.00", "tax": "9.90", "total": "108.90"}


def spreadsheet(clinic: Clinic, *command: str) -> list[dict[str, str]]:
    done = clinic.cli(*command, "--csv")
    assert done.exit_code in {0, 1, 3}, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def numbers(clinic: Clinic, *asked: str) -> list[str]:
    return [row["number"] for row in clinic.cli("invoices", "list", *asked, "--json").json["invoices"]]


def test_three_hundred_alike_take_few_lines_and_most_money_comes_first(clinic: Clinic) -> None:
    alike = [invoice(f"INV-{n:04d}", [line(rate="tax_free")]) for n in range(1, 301)]
    clinic.takes(*TAX_RATES, client("1048237"), *alike, invoice("INV-0301", **TOTALS_WRONG))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.cli("taxes", "map", "GST", "OUTPUT")
    clinic.push()
    told = clinic.cli("unsynced").stdout
    assert told.startswith("301 invoices are not in Xero as in Caspen, 45,108.90 AUD.")
    assert len(told.splitlines()) <= 20
    assert told.index("300 invoices, 45,000.00 AUD: tax-rate-not-linked") < told.index(
        "1 invoice, 108.90 AUD: totals-diff"
    )
    (row, *_) = clinic.unsynced()
    assert f"  -> {row['fix']}\n" in told
    for shown in (
        "caspen-xero unsynced tax-rate-not-linked",
        "caspen-xero unsynced --all",
        "caspen-xero unsynced INV-",
    ):
        assert any(each.startswith(shown) for each in commands_in(told)), shown
    assert len(clinic.cli("unsynced", "tax-rate-not-linked", "--json").json["unsynced"]) == 300
    assert len(spreadsheet(clinic, "unsynced")) == len(clinic.unsynced()) == 301
    assert "INV-0299" in clinic.cli("unsynced", "--all").stdout
    assert clinic.cli("unsynced", "period-locked").stdout == "Nothing is unsynced as period-locked.\n"
    assert clinic.cli("unsynced", "nothing-like-it", "--json").json["error"]["code"] == "invoice-not-found"


def test_the_story_of_one_has_every_try_what_was_sent_and_what_xero_said(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", [line("99999999999.00", rate="tax_free")]), invoice("INV-0002"))
    ready.push()
    ready.push("INV-0001")
    told = ready.cli("unsynced", "INV-0001").stdout
    row = ready.problem()
    for words in (row["code"], row["fix"], "a push has come to it 2 times", "Xero said: ", "UnitAmount 99999999999.00"):
        assert words in told, words
    assert told.count("create invoice INV-0001: refused") == 2
    assert told.count("sent: the same as before") == 1
    story = ready.cli("unsynced", "inv_INV-0001", "--json").json
    assert story["unsynced"] == [row]
    assert [write["sent"]["InvoiceNumber"] for write in story["writes"]] == ["INV-0001"] * 2
    well = ready.cli("unsynced", "INV-0002").stdout
    assert "as in Caspen" in well
    assert "create invoice INV-0002: done" in well


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    ready.takes(
        EFTPOS,
        client("1048237"),
        client("2", "Zoë", "TANAKA"),
        invoice("INV-9", [line("10.00")], issue_date="2026-11-01"),
        invoice("INV-10", [line("30.00")], client_id="2", issue_date="2026-11-02", reference="Knee"),
        invoice("INV-11", [line("20.00")], issue_date="2026-11-03"),
        invoice("INV-12", client_id="2", issue_date="2026-11-04", status="draft"),
        invoice("INV-13", issue_date="2026-11-05", **TOTALS_WRONG),
        payment("5.00", ("inv_INV-11", "5.00")),
        credit_note("CN-1", [line("10.00")], invoice_id="inv_INV-10"),
    )
    ready.push()
    return ready


def test_invoices_are_found_by_what_a_person_knows_of_them(books: Clinic) -> None:
    in_order = ["INV-9", "INV-10", "INV-11", "INV-12", "INV-13"]
    there = books.in_xero()["INV-10"]["InvoiceID"]
    for asked, found in {
        (): in_order,
        ("knee",): ["INV-10"],
        ("TANAKA", "10"): ["INV-10"],
        ("33.00",): ["INV-10"],
        (there,): ["INV-10"],
        ("inv_INV-9",): ["INV-9"],
        ("--client", "zoË"): ["INV-10", "INV-12"],
        ("--client", "2"): ["INV-10", "INV-12"],
        ("--from", "2026-11-02", "--to", "2026-11-03"): ["INV-10", "INV-11"],
        ("--status", "draft"): ["INV-12"],
        ("--status", "draft", "--status", "unsynced"): ["INV-12", "INV-13"],
        ("--limit", "2"): ["INV-13", "INV-12"],
        ("--sort", "number"): in_order,
        ("--sort", "-total", "--status", "synced"): ["INV-10", "INV-11", "INV-9"],
        ("--sort", "due", "--limit", "1", "--status", "synced"): ["INV-9"],
        ("--sort", "status", "--limit", "1"): ["INV-9"],
        ("--sort", "client", "--from", "2026-11-03"): ["INV-11", "INV-13", "INV-12"],
    }.items():
        assert numbers(books, *asked) == found, asked
    assert books.cli("invoices", "list", "nobody", "--status", "void").stdout == "No invoice with nobody is void.\n"
    assert books.cli("invoices", "list", "--limit", "2").stderr == "The newest 2 of 5 invoices.\n"
    for wrong in (
        ("--sort", "colour"),
        ("--status", "odd"),
        ("--from", "2026-13"),
        ("--client", ""),
        ("--from", "2026-11-02", "--to", "2026-11-01"),
    ):
        assert books.cli("invoices", "list", *wrong).exit_code == 2, wrong


def test_what_was_sent_is_found_and_its_short_id_is_taken_wherever_it_is_shown(books: Clinic) -> None:
    def sent(*asked: str) -> list[dict[str, Any]]:
        return list(books.cli("log", *asked, "--json").json["log"])

    whole = sent()
    (paid,) = sent("create", "payment")
    short = next(each for each in books.cli("log", "create payment").stdout.split() if paid["xero_id"].startswith(each))
    assert 8 <= len(short) < 12
    assert paid["invoice"] == "INV-11"
    assert "\tINV-11 " in books.cli("log", "create payment").stdout  # its own name does not say which invoice it paid
    assert sent(short) == [paid]
    assert books.cli("invoices", "show", short, "--json").json["invoice"]["number"] == "INV-11"
    assert {row["invoice_id"] for row in sent("--client", "tanaka") if row["invoice_id"]} == {"inv_INV-10"}
    assert sent("--sort", "sent")[0]["id"] == whole[-1]["id"]
    assert len(sent("--limit", "2")) == 2
    assert sent("--to", "2020-01-01") == sent("--status", "refused") == []
    assert "was sent to Xero" in books.cli("log", "--to", "2020-01-01").stdout
    assert books.cli("log", "--status", "refused").stdout == "Nothing that was sent is refused.\n"
    assert sent("--from", "today") == sent() == sent("--to", "today")
    assert sent("--to", "2020-02") == []
    assert books.cli("invoices", "unlink", "INV-11", short, "--json").json["error"]["code"] != "invoice-not-found"


def test_both_sides_stand_beside_each_other_and_what_differs_is_marked(books: Clinic) -> None:
    there = books.in_xero()
    (row,) = there["INV-9"]["LineItems"]
    edited = {name: str(row[name]) for name in ("LineItemID", "Quantity", "UnitAmount", "TaxType")}
    in_xero.edits(books, "INV-9", LineItems=[{**edited, "Description": "By hand; it", "AccountCode": "260"}])
    in_xero.edits(books, "INV-9", Date="2026-11-15")
    in_xero.pays(books, "INV-9", "3.00")
    books.cli("pull")

    def marked(number: str) -> set[tuple[str, str, str]]:
        sides = books.cli("invoices", "show", number, "--json").json["both_sides"]
        assert all(bool(one["mark"]) == one["differs"] for one in sides)
        return {(one["part"], one["what"], one["mark"]) for one in sides if one["mark"]}

    assert marked("INV-11") == set()
    assert {("line 1", "text", "edited in Xero"), ("line 1", "amounts", "edited in Xero")} < marked("INV-9")
    assert "only in Xero" in {mark for _, _, mark in marked("INV-9")}
    assert ("invoice", "date", "differs") in marked("INV-9")
    shown = books.cli("invoices", "show", "INV-9").stdout
    for words in ("In Caspen", "In Xero", "By hand; it", "account 260", "edited in Xero", "create invoice"):
        assert words in shown, words
    notes = [
        one
        for one in books.cli("invoices", "show", "INV-10", "--json").json["both_sides"]
        if one["part"] == "credit note"
    ]
    assert [(one["caspen"], one["xero"], one["mark"]) for one in notes] == [("11.00", "11.00", None)]
    assert "In Xero: not there" in books.cli("invoices", "show", "INV-13").stdout


def test_what_caspen_has_changed_since_it_was_sent_is_marked_and_nothing_else(books: Clinic) -> None:
    books.takes(
        client("3"),
        invoice("INV-9", [line("10.00")], issue_date="2026-11-01", client_id="2"),
        invoice("INV-10", [line("30.00")], client_id="3", issue_date="2026-11-02", reference="Knee"),
        invoice("INV-11", [line("20.00", discount=("percentage", "10"))], issue_date="2026-11-03"),
    )

    def marked(number: str) -> set[tuple[str, str]]:
        sides = books.cli("invoices", "show", number, "--json").json["both_sides"]
        figures = {"subtotal", "tax", "total", "due"}
        return {(one["part"], one["what"]) for one in sides if one["mark"] == "differs" and one["what"] not in figures}

    assert marked("INV-9") == marked("INV-10") == {("invoice", "contact")}
    assert marked("INV-11") == {("line 1", "amounts")}
    books.takes(invoice("INV-11", [line("20.00", rate="tax_free")], issue_date="2026-11-03"))
    assert marked("INV-11") == {("line 1", "amounts")}
    books.push()
    assert marked("INV-9") == set()
    assert marked("INV-10") == {("invoice", "contact")}  # Xero doesn't have it otherwise:
    assert books.problem("INV-10")["code"]


def test_what_caspen_was_told_of_is_said_at_the_sums_that_it_makes_differ(books: Clinic) -> None:
    """The invoice is synced: Xero has more, and Caspen knows."""
    in_xero.pays(books, "INV-9", "3.00")
    books.cli("pull")
    sides = books.cli("invoices", "show", "INV-9", "--json").json["both_sides"]
    noted = {one["what"]: (one["mark"], one["note"]) for one in sides if one["note"]}
    assert noted.pop("paid") == noted.pop("due") == (None, "Caspen was told")
    assert list(noted.values()) == [("only in Xero", "Caspen was told")]
    shown = books.cli("invoices", "show", "INV-9").stdout
    assert (shown.count("Caspen was told"), "only in Xero" in shown) == (3, False)


def test_nothing_is_due_of_what_is_no_debt_and_no_push_is_to_come(books: Clinic) -> None:
    books.takes(invoice("INV-20", status="draft"), invoice("INV-21", status="void"))
    for number in ("INV-20", "INV-21"):
        shown = books.cli("invoices", "show", number)
        assert "Nothing of it was sent to Xero.\n" in shown.stdout
        sides = books.cli("invoices", "show", number, "--json").json["both_sides"]
        assert [one["caspen"] for one in sides if one["what"] == "due"] == [None]


def test_every_list_can_be_had_as_a_spreadsheet_or_as_json_but_not_as_both(books: Clinic) -> None:
    for command, name in {
        "unsynced": "unsynced",
        "invoices list": "invoices",
        "log": "log",
        "payments list": "payments",
        "drift": "drift",
        "taxes list": "taxes",
        "settings accounts": "accounts",
        "contacts list": "contacts",
        "workspaces list": "workspaces",
        "doctor": "checks",
        "push --dry-run": "plan",
    }.items():
        words = command.split()
        rows, as_json = spreadsheet(books, *words), books.cli(*words, "--json").json[name]
        before = books.cli("--csv", *words)
        assert list(csv.DictReader(io.StringIO(before.stdout))) == rows, command
        assert len(rows) == len(as_json), command
        assert all(set(row) <= set(each) | {"details_purged"} for row, each in zip(rows, as_json, strict=True)), command
        both = books.cli(*words, "--csv", "--json")
        assert (both.exit_code, both.json["error"]["code"]) == (2, "csv-or-json"), command


def test_a_command_without_a_list_refuses_csv_wherever_it_stands(books: Clinic) -> None:
    for words in (["status"], ["invoices", "show", "INV-0001"], ["schedule", "show"]):
        for typed in ([*words, "--csv"], ["--csv", *words]):
            told = books.cli(*typed)
            assert (told.exit_code, told.stdout, "--csv" in told.stderr) == (2, "", True), typed
    assert "--csv DIR of reconcile stands after the command" in books.cli("--csv", "reconcile").stderr
    assert books.cli("--csv").exit_code == 2
    assert books.cli("push", "--csv", "--json").json["error"]["code"] == "csv-or-json"
    assert "caspen-xero push --dry-run --csv" in books.cli("push", "--csv").stderr
    settings = {row["setting"]: row["value"] for row in spreadsheet(books, "settings", "show")}
    assert settings.items() >= {"privacy": "full", "start_date": ""}.items()


def test_the_usage_of_an_error_is_that_of_the_help(clinic: Clinic) -> None:
    for words in ([], ["invoices"], ["invoices", "list"], ["contacts", "link"]):
        (of_error,) = [line for line in clinic.cli(*words, "--nope").stderr.splitlines() if line.startswith("Usage: ")]
        assert of_error == clinic.cli(*words, "--help").stdout.splitlines()[0]


def test_clients_are_listed_with_their_contacts(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("1048238", "Zo\u00eb", "Marsh"), invoice("INV-0001"))
    assert [row["link"] for row in ready.cli("contacts", "list", "--json").json["contacts"]] == ["not linked"] * 2
    ready.push()
    linked, other = ready.cli("contacts", "list", "--json").json["contacts"]
    assert (linked["id"], linked["link"], linked["made_by_us"], linked["xero_status"]) == (
        "1048237",
        "linked",
        True,
        "ACTIVE",
    )
    assert linked["xero_url"].endswith(linked["contact_id"])
    assert (other["link"], other["contact_id"]) == ("not linked", None)
    for word in ("MARSH", "1048238"):
        assert [row["id"] for row in ready.cli("contacts", "list", word, "--json").json["contacts"]] == ["1048238"]
    (by_xero,) = ready.cli("contacts", "list", linked["contact_id"][:8], "--json").json["contacts"]
    assert by_xero == linked
    assert "The first 1 of 2 clients and payers." in ready.cli("contacts", "list", "--limit", "1").stderr
    ready.cli("contacts", "unlink", "1048237")
    assert ready.cli("contacts", "list", "--json").json["contacts"][0]["link"] == "not linked"
