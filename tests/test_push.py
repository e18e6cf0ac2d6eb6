"""`push`: finalised invoices go to Xero once, to the cent, as planned, and whoever has to look at one is told."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clinics import TAX_RATES, client, invoice, line, random_clinic
from conftest import sign_in
from pushing import Clinic, connected_to, finalised, same_figures

from caspen_xero.cli import sync
from caspen_xero.sandbox.server import Sandbox

SAMPLE = [
    json.loads(text) for text in Path(sync.__file__).with_name("sample_clinic.jsonl").read_text().splitlines() if text
]


# --- to the cent


@pytest.mark.parametrize("rounding", ["half-up", "half-even"])
def test_a_whole_clinic_arrives_to_the_cent_whichever_way_xero_rounds(
    rounding: str, home: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = random_clinic(seed=7, invoices=250)
    with Sandbox(auto_approve=True, minute_limit=100_000, day_limit=100_000, rounding=rounding) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        clinic = connected_to(box, cli, home)
        clinic.takes(*records)
        pushed = clinic.push()
        assert (pushed.exit_code, pushed.json["synced"], pushed.json["unsynced"]) == (0, 250, 0)
        there, wanted = clinic.in_xero(), finalised(records)
        assert set(there) == set(wanted)
        assert [number for number in wanted if not same_figures(wanted[number], there[number])] == []
        due = [document["Status"] for document in there.values() if document["Total"]]
        assert set(due) == {"AUTHORISED"}  # Xero shows one without anything to pay as PAID


def test_the_sample_clinic_arrives_but_for_what_is_not_linked(clinic: Clinic) -> None:
    clinic.takes(*SAMPLE)
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    first = clinic.push()
    assert first.exit_code == 3
    left = {row["number"] for row in clinic.unsynced()}
    wanted, there = finalised(SAMPLE), clinic.in_xero()
    assert left
    assert set(there) == set(wanted) - left
    assert all(same_figures(wanted[number], there[number]) for number in there)
    for row in {row["fix"]: row for row in clinic.unsynced()}.values():
        assert clinic.chooses(row).exit_code == 0
    assert clinic.push().exit_code == 0
    there = clinic.in_xero()
    assert set(there) == set(wanted)
    assert all(same_figures(wanted[number], there[number]) for number in there)


def test_an_organisation_that_recomputes_tax_never_gets_a_wrong_invoice_approved(ready: Clinic) -> None:
    ready.control("organisation", KeepsTaxAmount=False)
    tie_that_comes_out_alike = invoice("INV-0001", [line("0.25")])  # 0.025 of tax: Xero makes 0.03 of it as well
    ready.takes(client("1048237"), tie_that_comes_out_alike)
    assert ready.push().exit_code == 0
    told = invoice("INV-0002", [line("0.24")] * 10, subtotal="2.40", tax="0.24", total="2.64")  # Xero: 10 x 0.02
    ready.takes(told)
    pushed = ready.push()
    there = ready.in_xero()["INV-0002"]
    assert same_figures(told, there) or there["Status"] == "DRAFT"
    assert pushed.exit_code == (0 if same_figures(told, there) else 3)


# --- what goes and what stays


def test_drafts_and_void_invoices_never_go(ready: Clinic) -> None:
    ready.takes(
        client("1048237"),
        invoice("INV-0001"),
        invoice("INV-0002", status="paid"),
        invoice("INV-0003", status="draft"),
        invoice("INV-0004", status="void"),
        invoice("INV-0005", status="deleted"),
    )
    assert ready.push().json["synced"] == 2
    assert set(ready.in_xero()) == {"INV-0001", "INV-0002"}
    statuses = {number: row["sync_status"] for number, row in ready.listed().items()}
    assert statuses == {
        "INV-0001": "synced",
        "INV-0002": "synced",
        "INV-0003": "draft",
        "INV-0004": "void",
        "INV-0005": "void",
    }


def test_invoices_before_the_start_date_stay_out_and_are_not_unsynced(ready: Clinic) -> None:
    ready.takes(
        client("1048237"), invoice("INV-0001", issue_date="2026-10-31"), invoice("INV-0002", issue_date="2026-11-01")
    )
    ready.cli("settings", "set", "--start-date", "2026-11-01")
    assert ready.push().exit_code == 0
    assert set(ready.in_xero()) == {"INV-0002"}
    assert ready.unsynced() == []


def test_a_second_push_makes_no_call(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line("0.25")]))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    second = ready.push()
    assert (second.exit_code, second.json["synced"], second.json["api_calls"]) == (0, 0, 0)
    assert ready.calls() == []


def test_one_new_invoice_of_a_known_client_is_one_call(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.push()
    ready.takes(invoice("INV-0002"))
    ready.forget_calls()
    assert ready.push().json["api_calls"] == 1
    assert ready.calls() == ["PUT Invoices"]


def test_an_unchanged_export_imported_again_sends_nothing(ready: Clinic) -> None:
    records = [client("1048237"), invoice("INV-0001")]
    ready.takes(*records)
    ready.push()
    ready.takes(*records)
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert ready.calls() == []


def test_api_calls_counts_what_xero_was_asked(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line("0.25")]))
    assert ready.push().json["api_calls"] == len(ready.calls())


# --- what an invoice looks like in Xero


def test_an_invoice_carries_its_dates_reference_account_and_tax_type(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", [line("33.3333", "3")], reference="NDIS 4711", due_date=None))
    ready.push()
    there = ready.in_xero()["INV-0001"]
    assert there["Type"] == "ACCREC"
    assert there["DateString"][:10] == "2026-11-02"
    assert there["DueDateString"][:10] == "2026-11-02"
    assert there["Reference"] == "NDIS 4711"
    (item,) = there["LineItems"]
    assert (item["AccountCode"], item["TaxType"], item["UnitAmount"]) == ("200", "OUTPUT", Decimal("33.3333"))


@pytest.mark.parametrize(
    ("tax_mode", "shown"), [("exclusive", "Exclusive"), ("inclusive", "Inclusive"), ("none", "NoTax")]
)
def test_prices_stay_with_without_or_free_of_tax(ready: Clinic, tax_mode: Any, shown: str) -> None:
    record = invoice("INV-0001", [line("110.00")], tax_mode=tax_mode)
    ready.takes(client("1048237"), record)
    ready.push()
    there = ready.in_xero()["INV-0001"]
    assert there["LineAmountTypes"] == shown
    assert same_figures(record, there)


def test_an_invoice_without_tax_needs_no_linked_rate(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(rate="tax_free")], tax_mode="none"))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    assert clinic.push().exit_code == 0


def test_the_payer_of_an_invoice_stands_in_its_reference(ready: Clinic) -> None:
    ready.takes(
        client("1048237"),
        {"object": "contact", "id": "con_77", "company": "Plan Partners"},
        invoice("INV-0001", invoice_to_id="con_77", reference="NDIS 4711"),
    )
    ready.push()
    assert ready.in_xero()["INV-0001"]["Reference"] == "NDIS 4711 | Invoice to Plan Partners"


def test_drafts_are_made_where_the_clinic_wants_to_approve_in_xero(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line("0.25")]))
    assert ready.push().exit_code == 0
    assert {each["Status"] for each in ready.in_xero().values()} == {"DRAFT"}
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert ready.calls() == []


def test_whoever_may_not_approve_is_told_once_and_not_asked_again(ready: Clinic) -> None:
    ready.control("organisation", Approver=False)
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line("0.25")]))
    assert ready.push().exit_code == 3
    assert {row["code"] for row in ready.unsynced()} == {"needs-approval-in-xero"}
    assert len(ready.writes()) <= 4  # the contact, two batches of invoices, one try to approve
    ready.forget_calls()
    assert ready.push().exit_code == 3
    assert ready.writes() == []


# --- the plan


def test_a_dry_run_writes_nothing_and_the_push_does_just_its_plan(ready: Clinic) -> None:
    ready.put_in_xero("Contacts", Name="Mei Tanaka (Caspen 00002)")
    ready.takes(
        client("1048237"),
        client("2", "Mei", "Tanaka"),
        invoice("INV-0001"),
        invoice("INV-0002", client_id="2"),
        invoice("INV-0003", [line(rate="tax_unknown")], tax_mode="none"),
    )
    planned = ready.push("--dry-run")
    assert planned.json["dry_run"] is True
    assert ready.writes() == []
    assert ready.in_xero() == {}
    pushed = ready.push().json
    steps = [step["operation"] for step in planned.json["plan"]]
    assert steps.count("create-invoice") == pushed["synced"] == 3
    assert steps.count("create-contact") == pushed["contacts_created"] == 1
    assert steps.count("link-contact") == pushed["contacts_linked"] == 1
    assert {step["number"] for step in planned.json["plan"] if step["operation"] == "create-invoice"} == set(
        ready.in_xero()
    )
    assert ready.push("--dry-run").json["plan"] == []


def test_a_dry_run_counts_what_would_stay_unsynced(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(rate="tax_free")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    planned = clinic.push("--dry-run")
    assert (planned.exit_code, planned.json["unsynced"], planned.json["plan"]) == (5, 1, [])
    assert clinic.writes() == []


def test_a_dry_run_with_something_to_send_says_what_would_be_left_and_how_to_mend_it(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line(rate="tax_free")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    planned = clinic.cli("push", "--dry-run")
    assert planned.exit_code == 3
    assert "1 invoice would not be wholly in Xero." in planned.stdout
    fix = planned.stdout.split("What to do:\n")[1].splitlines()
    assert fix[0] == "  caspen-xero taxes map 'GST free'"
    assert fix[1].startswith("      asks which: BAS Excluded (BASEXCLUDED, 0 %), ")
    assert fix[2].startswith("      for INV-0002: tax-rate-not-linked: ")


def test_max_writes_stops_and_the_next_push_goes_on(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 7)))
    first = ready.push("--max-writes", "4")  # one contact, three invoices
    assert (first.exit_code, first.json["synced"], first.json["unsynced"]) == (3, 3, 3)
    assert len(ready.in_xero()) == 3
    assert ready.push("--max-writes", "0").json["synced"] == 0
    assert ready.push().exit_code == 0
    assert len(ready.in_xero()) == 6


def test_a_push_of_named_invoices_sends_only_these(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 4)))
    assert ready.push("inv-0002", "inv_INV-0003").json["synced"] == 2
    assert set(ready.in_xero()) == {"INV-0002", "INV-0003"}
    unknown = ready.push("INV-9999")
    assert (unknown.exit_code, unknown.json["error"]["code"]) == (1, "invoice-not-found")


def test_a_rate_that_can_only_mean_one_xero_rate_is_linked_by_the_push_and_said_so(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    assert "GST is now linked to" in clinic.cli("push").stderr
    assert set(clinic.in_xero()) == {"INV-0001"}


def test_a_rate_that_a_person_unlinked_stays_unlinked(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.cli("taxes", "map", "GST", "OUTPUT")
    clinic.cli("taxes", "unmap", "GST")
    clinic.push()
    assert clinic.in_xero() == {}
    assert clinic.problem()["code"] == "tax-rate-not-linked"


# --- ends


@pytest.mark.parametrize("wrong", [("--max-writes", "-1"), ("--max-writes", "many"), ("--no-such-option",)])
def test_a_wrong_option_is_a_usage_error(ready: Clinic, wrong: tuple[str, ...]) -> None:
    assert ready.push(*wrong).exit_code == 2


def test_a_push_without_a_connection_exits_4(home: Path, cli: Any) -> None:
    result = cli("push", "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (4, "not-connected")


def test_a_push_with_nothing_set_up_exits_5(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"))
    assert clinic.push().exit_code == 5
    assert clinic.problem()["code"] == "sales-account-missing"
    assert clinic.writes() == []


def test_some_unsynced_is_3_and_all_well_is_0(clinic: Clinic) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001"), invoice("INV-0002", [line(rate="tax_free")]))
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    assert clinic.push().exit_code == 3
    clinic.cli("taxes", "map", "GST free", "EXEMPTOUTPUT")
    assert clinic.push().exit_code == 0


def test_a_sign_in_that_has_ended_exits_4_and_nothing_is_lost(
    home: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(auto_approve=True) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        clinic = connected_to(box, cli, home)
        clinic.takes(client("1048237"), invoice("INV-0001"))
        clinic.control("faults", kind="revoke-token", path="/api.xro/", method="PUT")
        stopped = clinic.push()
        assert (stopped.exit_code, stopped.json["stopped"]["exit_code"]) == (4, 4)
        assert [row["number"] for row in clinic.unsynced()] == ["INV-0001"]
        sign_in(box.url, home)
        assert clinic.push().exit_code == 0
        assert set(clinic.in_xero()) == {"INV-0001"}


def test_a_token_that_expires_in_the_middle_is_renewed(home: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(auto_approve=True) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        clinic = connected_to(box, cli, home)
        clinic.takes(client("1048237"), invoice("INV-0001"))
        let_in = box.xero.gateway.leave

        def half_an_hour_later(admission: Any) -> None:
            let_in(admission)
            if admission.request.method == "PUT" and admission.request.path == "Contacts":
                box.xero.move_clock(timedelta(minutes=31))

        monkeypatch.setattr(box.xero.gateway, "leave", half_an_hour_later)
        assert clinic.push().exit_code == 0
        assert set(clinic.in_xero()) == {"INV-0001"}
        assert [each["status"] for each in clinic.requests() if each["method"] == "PUT"] == [200, 401, 200]


def test_push_tells_scripts_its_numbers_in_the_documented_shape(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert set(ready.push("--dry-run").json) == set(ready.push().json) - {"differs"} | {"plan", "summary"}
    assert set(ready.push().json) >= {
        "command",
        "dry_run",
        "synced",
        "updated",
        "unsynced",
        "skipped",
        "payments",
        "credit_notes",
        "allocations",
        "contacts_created",
        "contacts_linked",
        "voided",
        "api_calls",
        "seconds",
    }


def test_status_and_log_know_what_the_push_did(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.push()
    assert ready.cli("status", "--json").json["last_push"]["synced"] == 1
    rows = ready.cli("log", "--json").json["log"]
    assert [(row["operation"], row["number"], row["state"]) for row in rows] == [
        ("create-invoice", "INV-0001", "done"),
        ("create-contact", "caspen-1048237", "done"),
    ]
