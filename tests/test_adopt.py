"""A new store, a restored one and a second home: what is ours in Xero is found, linked and said, and nothing of it is doubled."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from another_home import EXPORT, NUMBERS, Home, amounts, pays, same_export
from bookkeeping import told
from clinics import EFTPOS, TAX_RATES, client, credit_note, invoice, line, payment
from pulling import pull
from pushing import Clinic, commands_in


def copied(clinic: Clinic) -> Clinic:
    """A second home, copied to another machine as this one is now."""
    another = replace(clinic, home=clinic.home.parent / "copied")
    shutil.copytree(clinic.home, another.home)
    return another


def on_both(records: list[dict[str, Any]], *clinics: Clinic, at: Home) -> None:
    """A little later, both homes import the same export; commands then run in the last."""
    clinics[0].control("clock", seconds=5)
    for clinic in clinics:
        at(clinic).takes(*records)


def nothing_new(clinic: Clinic) -> bool:
    """Whether a pull delivers nothing, and another push and pull find all in order."""
    first, pushed, second = pull(clinic), clinic.push(), pull(clinic)
    return (first["payments"], pushed.exit_code, second["payments"], told(clinic)) == (0, 0, 0, [])


# --- adopt


def test_adopt_takes_in_all_of_ours_and_writes_nothing(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    done = store.cli("adopt", "--json")
    assert done.exit_code == 0, done.stdout
    counts = {key: done.json[key] for key in ("invoices", "payments", "credit_notes", "allocations", "contacts_linked")}
    assert counts == {"invoices": 6, "payments": 2, "credit_notes": 1, "allocations": 1, "contacts_linked": 1}
    assert done.json["found_in_xero"] == {"invoices": 6, "payments": 2, "credit_notes": 1}
    assert done.json["api_calls"] == len(store.calls())
    assert store.writes() == []
    assert nothing_new(store)
    assert amounts(store) == [("INV-0001", "EFTPOS pay_1/all_1a"), ("INV-0002", "EFTPOS pay_2/all_2a")]
    assert store.writes() == []


def test_adopt_says_what_it_has_linked_and_then_that_there_is_nothing(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    said = store.cli("adopt")
    assert (
        "6 invoices, 2 payments and 1 credit note of ours were in Xero already; this store did not know them."
        in said.stderr
    )
    assert "invoices linked" in said.stdout
    again = store.cli("adopt")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "Nothing of ours is in Demo Company (AU) that this store does not know." in again.stdout


def test_adopt_asks_for_forty_in_a_call(ready: Clinic, anew: Home) -> None:
    numbers = [f"INV-{nth:04d}" for nth in range(1, 81)]
    export = [EFTPOS, client("1048237"), *(invoice(number) for number in numbers)]
    export += [pays(nth, number, "5.00") for nth, number in enumerate(numbers, 1)]
    ready.takes(*export)
    assert ready.push().exit_code == 0
    store = anew(ready)
    store.takes(*export)
    done = store.cli("adopt", "--json")
    assert (done.json["invoices"], done.json["payments"]) == (80, 80)
    calls = Counter(store.calls())
    assert calls["GET Invoices"] == 4
    assert done.json["api_calls"] <= 9


def test_adopt_links_what_is_in_a_period_that_is_locked_since(sent: Clinic, anew: Home) -> None:
    sent.control("organisation", PeriodLockDate="2026-11-30")
    store = anew(sent)
    store.takes(*same_export())
    assert store.cli("adopt", "--json").json["invoices"] == 6
    assert store.push("--refresh").exit_code == 0
    assert store.unsynced() == []


def test_adopt_leaves_an_invoice_of_our_number_that_is_another_and_says_so(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT[:3])
    ready.push()
    store = anew(ready)
    store.takes(*EXPORT[:2], invoice("INV-0001", [line("300.00")]))
    done = store.cli("adopt", "--json")
    assert (done.exit_code, done.json["invoices"], done.json["unsynced"]) == (3, 0, 1)
    assert store.problem()["code"] == "invoice-number-taken"
    store.forget_calls()
    assert store.push().exit_code == 3
    assert store.writes() == []


def test_adopt_needs_the_settings_by_which_an_invoice_is_recognised(
    sent: Clinic, signed_in_home: Path, at: Home
) -> None:
    store = replace(sent, home=sent.home.parent / "unset")
    shutil.copytree(signed_in_home, store.home)
    at(store).takes(*TAX_RATES, *same_export())
    done = store.cli("adopt", "--json")
    assert (done.exit_code, done.json["invoices"], done.json["unsynced"]) == (3, 0, 6)
    assert {row["code"] for row in store.unsynced()} >= {"sales-account-missing"}
    answers = ("200 Sales", "GST on Income", "GST Free Income", "BAS Excluded")  # as the ones that were sent have them
    for row in {row["fix"]: row for row in store.unsynced()}.values():
        (answer, *_) = [answer for answer in answers if answer in str(row["choices"])]
        assert store.chooses(row, answer).exit_code == 0
    assert store.cli("adopt", "--json").json["invoices"] == 6
    assert {row["code"] for row in store.unsynced()} == {"not-pushed-yet"}
    assert store.push().exit_code == 0
    assert store.unsynced() == []


def test_adopt_leaves_what_is_before_the_start_date_or_set_aside(sent: Clinic, anew: Home) -> None:
    older = invoice("INV-0009", issue_date="2026-10-01")
    sent.takes(older)
    assert sent.push().json["synced"] == 1
    store = anew(sent)
    store.takes(*same_export(), older)
    store.cli("settings", "set", "--start-date", "2026-11-01")
    store.cli("invoices", "skip", "INV-0004")
    assert store.cli("adopt", "--json").json["invoices"] == 5
    assert {number for number, row in store.listed().items() if not row["xero_invoice_id"]} == {"INV-0004", "INV-0009"}


def test_adopt_takes_in_a_credit_note_that_is_on_its_invoice_already(sent: Clinic) -> None:
    sent.sql("DELETE FROM links WHERE kind = 'allocation'")
    done = sent.cli("adopt", "--json")
    assert (done.json["credit_notes"], done.json["allocations"]) == (0, 1)
    sent.takes(credit_note(invoice_id="inv_INV-0003") | {"updated_at": "2026-12-01T00:00:00Z"})
    assert sent.push().exit_code == 0
    assert sent.writes() == []


def test_adopt_reads_the_source_first(sent: Clinic, anew: Home, tmp_path: Path) -> None:
    store = anew(sent)
    source = tmp_path / "export"
    source.mkdir()
    assert store.cli("settings", "set", "--source", source).exit_code == 0
    source.rmdir()
    missing = store.cli("adopt", "--json")
    assert missing.exit_code == 1
    assert missing.json["error"]["message"].endswith("Nothing was looked up in Demo Company (AU).")
    source.mkdir()
    (source / "export.jsonl").write_text("".join(json.dumps(record) + "\n" for record in same_export()))
    assert store.cli("adopt", "--json").json["invoices"] == 6


def test_what_was_adopted_is_ours_again_and_follows_caspen(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    store.cli("adopt")
    later = {"updated_at": "2026-12-01T00:00:00Z"}
    store.takes(
        invoice("INV-0004", [line("200.00")], due_date="2026-12-24", **later),
        invoice("INV-0005", [line("200.00")], status="void", **later),
        pays(1, "INV-0001", status="void", **later),
    )
    pushed = store.push()
    assert (pushed.exit_code, pushed.json["updated"], pushed.json["voided"]) == (0, 1, 1), pushed.stdout
    assert store.in_xero()["INV-0004"]["DueDateString"].startswith("2026-12-24")
    assert amounts(store) == [("INV-0002", "EFTPOS pay_2/all_2a")]


def test_adopt_in_an_organisation_that_has_nothing_of_ours(ready: Clinic) -> None:
    ready.takes(*EXPORT)
    done = ready.cli("adopt", "--json")
    assert (done.exit_code, done.json["invoices"], done.json["contacts_linked"]) == (0, 0, 0)
    assert ready.writes() == []
    assert ready.push().json["synced"] == 6


def test_adopt_stops_where_xero_does_and_goes_on_the_next_time(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    store.control("faults", kind="429-day", path="/Invoices", method="GET")
    stopped = store.cli("adopt", "--json")
    assert (stopped.exit_code, stopped.json["stopped"]["code"]) == (6, "xero-day-limit")
    store.all_is_well_in_xero()
    assert store.cli("adopt", "--json").json["invoices"] == 6


# --- a push that finds something of ours


def test_a_new_store_that_pushes_doubles_nothing_and_says_what_it_found(sent: Clinic, anew: Home) -> None:
    before = amounts(sent)
    store = anew(sent)
    store.takes(*same_export(), invoice("INV-0009"), pays(9, "INV-0003", "10.00"))
    pushed = store.push()
    assert pushed.exit_code == 0, pushed.stdout
    assert (pushed.json["synced"], pushed.json["payments"]) == (7, 1)
    assert pushed.json["found_in_xero"] == {"invoices": 6, "payments": 2, "credit_notes": 1}
    assert store.in_xero().keys() == {*NUMBERS, "INV-0009"}
    assert amounts(store) == sorted([*before, ("INV-0003", "EFTPOS pay_9/all_9a")])
    assert in_xero.credit_notes(store).keys() == {"CN-0001"}
    assert len(store.contacts()) == 1
    assert nothing_new(store)


def test_the_first_find_looks_all_up_and_sends_no_more_blindly(ready: Clinic, anew: Home) -> None:
    numbers = [f"INV-{nth:04d}" for nth in range(1, 121)]
    export = [client("1048237"), *(invoice(number) for number in numbers)]
    ready.takes(*export)
    ready.push()
    nobody_is_known(ready)
    store = anew(ready)
    store.takes(*export)
    assert store.push().json["synced"] == 120
    assert store.writes() == ["PUT Invoices"]  # fifty of them; the rest were looked up


def nobody_is_known(clinic: Clinic) -> None:
    """Somebody has taken our numbers off the contacts in Xero."""
    for contact in clinic.contacts().values():
        in_xero.writes(clinic, "POST", f"Contacts/{contact['ContactID']}", {"ContactNumber": ""})


def test_contacts_of_ours_have_all_looked_up_before_a_new_store_sends_anything(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    assert store.push().json["synced"] == 6
    assert store.writes() == []


def test_a_contact_that_was_there_says_nothing_of_a_store_that_has_sent_before(sent: Clinic) -> None:
    in_xero.writes(sent, "PUT", "Contacts", {"Name": "Moana Rangi", "ContactNumber": "1048238"})
    sent.takes(client("1048238", "Moana", "Rangi"), invoice("INV-0009", client_id="1048238"))
    assert sent.push().json["synced"] == 1
    assert sent.calls() == ["GET Contacts", "PUT Invoices"]


def test_a_push_says_in_words_what_it_found(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*same_export())
    said = store.cli("push")
    assert (
        "6 invoices, 2 payments and 1 credit note of ours were in Xero already; this store did not know them."
        in said.stderr
    )
    assert "already" not in store.cli("push").stderr


def test_what_a_find_makes_due_is_done_by_the_next_push_where_this_one_could_not(sent: Clinic, anew: Home) -> None:
    nobody_is_known(sent)
    store = anew(sent)
    store.takes(*same_export())
    store.control("faults", kind="429-day", path="/Contacts", method="GET", after=1)  # once they were read for the plan
    stopped = store.push()
    assert (stopped.exit_code, stopped.json["found_in_xero"]["invoices"]) == (6, 6)
    store.all_is_well_in_xero()
    store.forget_calls()
    pushed = store.push()
    assert (pushed.exit_code, pushed.json["found_in_xero"]) == (0, {"invoices": 0, "payments": 2, "credit_notes": 1})
    assert store.writes() == []
    assert nothing_new(store)


def test_an_answer_that_was_lost_is_no_find(ready: Clinic, waits: list[float]) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.control("faults", kind="500-after", path="/Invoices", method="PUT")
    ready.control("faults", kind="500-after", path="/Payments", method="PUT")
    pushed = ready.push()
    assert pushed.exit_code == 0
    assert "found_in_xero" not in pushed.json
    assert "found_in_xero" not in pull(ready)


def test_a_payment_of_our_own_that_a_pull_finds_before_its_answer_is_known_is_no_find(
    ready: Clinic, waits: list[float]
) -> None:
    ready.takes(*EXPORT)
    ready.push()
    assert ready.cli("adopt").exit_code == 0
    ready.takes(pays(1, "INV-0001"))
    ready.control("faults", kind="drop-after", path="/Payments", method="PUT", count=10)
    ready.control("faults", kind="503", path="/Invoices", method="GET", after=1, count=10)  # nor can it be looked up
    assert ready.push().exit_code == 6
    ready.all_is_well_in_xero()
    pulled = pull(ready)
    assert "found_in_xero" not in pulled
    assert "another_home" not in pulled
    assert nothing_new(ready)
    assert len(amounts(ready)) == 1


def test_a_first_push_into_an_empty_organisation_asks_nothing_more(ready: Clinic) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    assert ready.push().exit_code == 0
    asked = Counter(ready.calls())
    assert asked == {"GET Organisation": 1, "GET Contacts": 1, "PUT Contacts": 1, "PUT Invoices": 1, "PUT Payments": 1}


# --- what Caspen has otherwise by the time a new store looks

LIVE = [EFTPOS, client("1048237"), *(invoice(number, [line("200.00")]) for number in NUMBERS[1:])]  # all but the first


def first_is(status: str, **more: Any) -> dict[str, Any]:
    """The first invoice, as Caspen has it by now."""
    return invoice("INV-0001", [line("200.00")], status=status, **more)


def in_order(clinic: Clinic) -> bool:
    """Whether nothing is told, and nothing is left to do."""
    return nothing_new(clinic) and clinic.unsynced() == [] and clinic.cli("drift", "--json").json["drift"] == []


@pytest.mark.parametrize("status", ["void", "deleted"])
def test_what_is_void_in_caspen_by_now_is_voided_in_xero(ready: Clinic, anew: Home, status: str) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    store.takes(*LIVE, first_is(status), pays(1, "INV-0001", status="void"))
    pushed = store.push()
    assert (pushed.exit_code, pushed.json["voided"], pushed.json["payments_deleted"]) == (0, 1, 1)
    assert store.in_xero()["INV-0001"]["Status"] == "VOIDED"
    assert amounts(store) == []
    assert in_order(store)


def test_a_new_store_that_has_only_void_invoices_voids_them(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT[:3])
    ready.push()
    store = anew(ready)
    store.takes(EFTPOS, client("1048237"), first_is("void"))
    assert store.push().json["voided"] == 1
    assert store.in_xero()["INV-0001"]["Status"] == "VOIDED"
    assert in_order(store)


def test_void_invoices_that_never_went_to_xero_are_nothing_to_do(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), first_is("void"))
    assert ready.push().exit_code == 0
    assert ready.push().exit_code == 0
    assert ready.calls() == ["GET Contacts"]


def test_of_a_draft_again_the_money_is_taken_back(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    no_figures = {"subtotal": None, "tax": None, "total": None}
    store.takes(*LIVE, first_is("draft", **no_figures), payment("50.00", id_="pay_1"))
    assert store.push().exit_code == 0
    assert amounts(store) == []
    assert store.in_xero()["INV-0001"]["Status"] == "AUTHORISED"
    assert nothing_new(store)
    assert [one["code"] for one in store.cli("drift", "--json").json["drift"]] == ["draft-in-caspen"]
    store.takes(first_is("void") | {"updated_at": "2026-12-01T00:00:00Z"})
    assert store.push().exit_code == 3  # the draft had no figures by which it could be said to be ours
    assert store.problem()["code"] == "void-not-ours"
    assert store.run(store.problem()["fix"], -1).exit_code == 0
    assert store.in_xero()["INV-0001"]["Status"] == "VOIDED"


def test_another_invoice_with_the_number_of_a_void_one_is_nothing_to_us(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    store = anew(ready)
    another = client("1048238", "Moana", "Rangi")
    store.takes(*LIVE, another, first_is("void", client_id="1048238"), invoice("INV-0009", client_id="1048238"))
    assert store.push().exit_code == 0
    adopted = store.cli("adopt", "--json")
    assert (adopted.exit_code, adopted.json["unsynced"]) == (0, 0)
    assert store.in_xero()["INV-0001"]["Status"] == "AUTHORISED"
    assert in_order(store)
    store.forget_calls()
    assert pull(store, "--full")["payments"] == 0
    assert store.calls() == ["GET Invoices"]  # it has been looked for already


def edited(status: str, **more: Any) -> dict[str, Any]:
    """The first invoice, which was edited before it came to that."""
    return invoice("INV-0001", [line("150.00")], status=status, **more)


def test_what_was_edited_before_it_was_void_is_told(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    store = anew(ready)
    store.takes(*LIVE, edited("void"))
    assert store.push().exit_code == 3
    assert store.problem()["code"] == "void-not-ours"
    assert store.writes() == []
    assert store.run(store.problem()["fix"], -1).exit_code == 0
    assert store.in_xero()["INV-0001"]["Status"] == "VOIDED"
    assert in_order(store)


def test_of_a_draft_that_was_edited_money_and_credits_are_taken_back(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"), credit_note())
    ready.push()
    store = anew(ready)
    store.takes(*LIVE, edited("draft"), payment("50.00", id_="pay_1"), credit_note(status="void"))
    assert store.push().exit_code == 0
    assert amounts(store) == []
    assert in_xero.credit_notes(store)["CN-0001"]["Status"] == "VOIDED"
    store.takes(edited("open", updated_at="2026-12-01T00:00:00Z"))
    assert store.push().exit_code == 3
    assert store.problem()["code"] == "changed-in-xero"
    assert store.run(store.problem()["fix"]).exit_code == 0
    assert store.in_xero()["INV-0001"]["Total"] == Decimal("165.00")
    assert in_order(store)


def test_a_void_one_of_which_another_has_the_number_now_is_not_looked_for(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    store = anew(ready)
    store.takes(*EXPORT, first_is("void", id="inv_of_before"))
    store.cli("invoices", "skip", "inv_INV-0001")
    assert store.push().exit_code == 0
    assert store.in_xero()["INV-0001"]["Status"] == "AUTHORISED"


def test_what_is_void_but_was_edited_in_xero_is_told(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    in_xero.edits(ready, "INV-0001", Reference="Paid by the insurer")
    store = anew(ready)
    store.takes(*LIVE, first_is("void"))
    assert store.push().exit_code == 3
    assert store.problem()["code"] == "void-not-ours"
    assert store.writes() == []


def test_a_void_credit_note_is_taken_off_and_voided(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    *others, note = same_export()
    store.takes(*others, note | {"status": "void"})
    assert store.push().exit_code == 0
    (there,) = in_xero.credit_notes(store).values()
    assert (there["Status"], there["Allocations"]) == ("VOIDED", [])
    assert in_order(store)


@pytest.mark.parametrize("gone", ["void", "deleted", "taken off"])
def test_a_payment_that_caspen_has_no_more_is_taken_back(ready: Clinic, anew: Home, gone: str) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    store.takes(*EXPORT, payment("50.00", id_="pay_1") if gone == "taken off" else pays(1, "INV-0001", status=gone))
    assert store.push().json["payments_deleted"] == 1
    assert amounts(store) == []
    assert in_order(store)


def test_a_payment_of_ours_that_this_export_does_not_have_is_left_alone(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    store.takes(*EXPORT)
    assert store.push().exit_code == 0
    assert len(amounts(store)) == 1
    assert pull(store)["payments"] == 0


def test_a_reference_of_a_bookkeepers_is_not_taken_for_that_of_a_payment_with_a_short_id(
    ready: Clinic, anew: Home
) -> None:
    ready.takes(*EXPORT)
    ready.push()
    in_xero.pays(ready, "INV-0001", "50.00", reference="EFTPOS 3/11")
    store = anew(ready)
    store.takes(*EXPORT, payment("1.00", ("inv_INV-0002", "1.00"), id_="3"))
    store.cli("adopt")
    assert store.push().json["payments_deleted"] == 0
    assert ("INV-0001", "EFTPOS 3/11") in amounts(store)
    assert pull(store)["payments"] == 1


@pytest.mark.parametrize("moved_to", ["INV-0002", "INV-0009"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_payment_that_was_put_on_another_invoice_stands_there_alone(
    ready: Clinic, anew: Home, moved_to: str, earlier: bool
) -> None:
    ready.takes(*EXPORT, *([] if earlier else [pays(1, "INV-0001")]))
    ready.push()
    if earlier:
        in_xero.pays(ready, "INV-0001", "50.00", reference="EFTPOS all_1a")  # what an earlier version wrote
    store = anew(ready)
    store.takes(*EXPORT, invoice("INV-0009"), pays(1, moved_to))
    pushed = store.push()
    assert (pushed.exit_code, pushed.json["payments"], pushed.json["payments_deleted"]) == (0, 1, 1)
    assert pushed.json["found_in_xero"]["payments"] == 1
    assert amounts(store) == [(moved_to, "EFTPOS pay_1/all_1a")]
    assert in_order(store)


def test_a_restored_store_takes_back_what_was_moved_since(sent: Clinic, tmp_path: Path) -> None:
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.takes(pays(3, "INV-0004"))
    sent.push()
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.sql("INSERT INTO settings (tenant_id, key, value) VALUES ('', 'adopt_due', '1')")
    sent.takes(pays(3, "INV-0005"))
    assert sent.push().exit_code == 0
    assert ("INV-0005", "EFTPOS pay_3/all_3a") in amounts(sent)
    assert len(amounts(sent)) == 3
    assert in_order(sent)


@pytest.mark.parametrize("had_adopted", [False, True])
def test_a_copy_that_nobody_said_was_put_back_is_noticed_by_a_pull(
    sent: Clinic, tmp_path: Path, had_adopted: bool
) -> None:
    if had_adopted:
        sent.cli("adopt")
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.control("clock", seconds=5)
    sent.takes(pays(3, "INV-0004"))
    sent.push()
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.takes(pays(3, "INV-0005"))
    assert sent.cli("sync", "--json").exit_code == 0
    assert ("INV-0005", "EFTPOS pay_3/all_3a") in amounts(sent)
    assert len(amounts(sent)) == 3
    assert in_order(sent)
    assert sent.sql("SELECT 1 FROM settings WHERE key LIKE 'adopt_due%'") == []


@pytest.mark.parametrize("had_adopted", [False, True])
def test_what_is_deleted_since_a_copy_that_was_put_back_is_noticed_by_a_pull(
    sent: Clinic, tmp_path: Path, had_adopted: bool
) -> None:
    if had_adopted:
        sent.cli("adopt")
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.control("clock", seconds=5)
    sent.takes(invoice("INV-0009"))
    sent.push()
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.takes(invoice("INV-0009", status="deleted"))
    assert sent.cli("sync", "--json").exit_code == 0
    assert sent.in_xero()["INV-0009"]["Status"] == "VOIDED"
    assert in_order(sent)
    sent.forget_calls()
    pull(sent)
    assert sent.calls() == ["GET Invoices"]


def test_a_restored_store_takes_back_what_is_gone_since(sent: Clinic, tmp_path: Path) -> None:
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.takes(pays(3, "INV-0004"), credit_note("CN-0002", invoice_id="inv_INV-0005"))
    sent.push()
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.sql("INSERT INTO settings (tenant_id, key, value) VALUES ('', 'adopt_due', '1')")
    sent.takes(payment("50.00", id_="pay_3"), credit_note("CN-0002", invoice_id="inv_INV-0005", status="void"))
    assert sent.push().exit_code == 0
    assert len(amounts(sent)) == 2
    assert in_xero.credit_notes(sent)["CN-0002"]["Status"] == "VOIDED"
    assert in_order(sent)


def test_a_payment_on_an_invoice_that_is_none_of_ours_is_told_and_not_sent(ready: Clinic, anew: Home) -> None:
    store = moved_from_nobodys(ready, anew)
    assert store.push().exit_code == 3
    row = store.problem("INV-0002")
    assert (row["code"], "but on INV-0001, which" in row["reason"]) == ("payment-maybe-already-in-xero", True)
    for command in ((), ("--refresh",), ("INV-0002",), ("--pay-anyway", "INV-0002")):
        assert store.push(*command).exit_code == 3
    assert amounts(store) == [("INV-0001", "EFTPOS pay_1/all_1a")]
    assert store.writes() == []


def moved_from_nobodys(ready: Clinic, anew: Home) -> Clinic:
    """A new store by whose choice the first invoice is too old; its payment stands on the second one in Caspen by now."""
    first = invoice("INV-0001", [line("200.00")], issue_date="2026-10-01")
    ready.takes(*LIVE, first, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    store.cli("settings", "set", "--start-date", "2026-11-01")
    store.takes(*LIVE, first, pays(1, "INV-0002"))
    return store


def test_once_that_is_removed_there_the_payment_can_be_sent(ready: Clinic, anew: Home) -> None:
    store = moved_from_nobodys(ready, anew)
    store.push()
    (paid,) = in_xero.payments(store)
    in_xero.writes(store, "POST", f"Payments/{paid['PaymentID']}", {"Status": "DELETED"})
    assert store.run(store.problem("INV-0002")["fix"], -1).exit_code == 0  # it never stood on that invoice there
    assert amounts(store) == [("INV-0002", "EFTPOS pay_1/all_1a")]


def test_once_that_invoice_is_linked_adopt_knows_where_the_payment_is_from(ready: Clinic, anew: Home) -> None:
    store = moved_from_nobodys(ready, anew)
    store.push()
    xero_id = store.in_xero()["INV-0001"]["InvoiceID"]
    assert store.cli("invoices", "link", "INV-0001", xero_id).exit_code == 0
    assert store.cli("adopt").exit_code == 0
    assert store.push().exit_code == 0
    assert amounts(store) == [("INV-0002", "EFTPOS pay_1/all_1a")]


def test_a_payment_of_another_amount_by_now_is_told_and_not_sent(ready: Clinic, anew: Home) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    store = anew(ready)
    store.takes(*EXPORT, pays(1, "INV-0001", "60.00"))
    assert store.push().exit_code == 3
    assert store.problem()["code"] == "payment-maybe-already-in-xero"
    assert store.writes() == []


@pytest.mark.parametrize("moved_to", ["INV-0001", "INV-0002", "INV-0009"])
def test_a_payment_that_somebody_deleted_stays_so_wherever_caspen_has_it_now(
    ready: Clinic, anew: Home, moved_to: str
) -> None:
    ready.takes(*EXPORT, pays(1, "INV-0001"))
    ready.push()
    (paid,) = in_xero.payments(ready)
    in_xero.writes(ready, "POST", f"Payments/{paid['PaymentID']}", {"Status": "DELETED"})
    store = anew(ready)
    store.takes(*EXPORT, invoice("INV-0009"), pays(1, moved_to))
    assert store.push().exit_code == 3
    assert store.problem(moved_to)["code"] == "payment-removed-in-xero"
    assert amounts(store) == []
    sends_anew, *_ = commands_in(store.problem(moved_to)["fix"])
    assert store.run(sends_anew).exit_code == 0
    assert amounts(store) == [(moved_to, "EFTPOS pay_1/all_1a")]


def test_a_payment_whose_answer_was_lost_before_it_was_moved_is_taken_back(ready: Clinic, waits: list[float]) -> None:
    ready.takes(*EXPORT)
    ready.push()
    ready.takes(pays(1, "INV-0001"))
    ready.control("faults", kind="drop-before", path="/Payments", method="PUT", count=10)
    assert ready.push().exit_code == 6
    ready.all_is_well_in_xero()
    ready.takes(pays(1, "INV-0002"))
    assert ready.push().exit_code == 0
    assert amounts(ready) == [("INV-0002", "EFTPOS pay_1/all_1a")]
    assert in_order(ready)


# --- two homes, one after the other


def test_two_homes_that_push_by_turns_double_nothing_and_the_second_find_stops(ready: Clinic, at: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    on_both([pays(nth, number) for nth, number in enumerate(NUMBERS[:2], 1)], ready, other, at=at)
    assert at(ready).push().json["payments"] == 2
    found = at(other).push()
    assert (found.exit_code, found.json["payments"]) == (0, 0)
    assert found.json["found_in_xero"] == {"invoices": 0, "payments": 2, "credit_notes": 0}
    # Both are alive: the other one pays first, then this one finds that.
    on_both([pays(3, "INV-0003"), pays(4, "INV-0004")], ready, other, at=at)
    assert at(ready).push().json["payments"] == 2
    at(other).takes(pays(5, "INV-0005"))
    stopped = other.push()
    assert stopped.exit_code == 1
    assert stopped.json["stopped"]["code"] == "another-home"
    assert stopped.json["payments"] == 0
    assert other.writes() == []
    assert len(amounts(other)) == 4
    assert nothing_is_sent(other)


def test_a_payment_that_never_left_here_and_is_there_shows_the_other_home(ready: Clinic, at: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    on_both([pays(1, "INV-0001")], ready, other, at=at)
    at(ready).push()
    assert at(other).push().json["found_in_xero"]["payments"] == 1
    on_both([pays(2, "INV-0002")], ready, other, at=at)
    other.control("faults", kind="429-day", path="/Payments", method="PUT")
    assert at(other).push().exit_code == 6
    other.all_is_well_in_xero()
    assert at(ready).push().json["payments"] == 1
    assert at(other).push().json["stopped"]["code"] == "another-home"


def nothing_is_sent(clinic: Clinic) -> bool:
    """Whether push, with `--yes` too, and sync say the same each time and write nothing."""
    clinic.forget_calls()
    for command in (("push",), ("push", "--yes"), ("push", "INV-0005"), ("sync", "--yes")):
        done = clinic.cli(*command, "--json")
        pushed = done.json["push"] if command[0] == "sync" else done.json
        assert (done.exit_code, pushed["stopped"]["code"]) == (1, "another-home"), done.stdout
    return clinic.writes() == []


def test_a_stop_says_what_was_found_and_ends_by_the_commands_that_it_names(ready: Clinic, at: Home) -> None:
    other = stopped_home(ready, at)
    error = other.push().json["stopped"]
    assert "the payment of 50.00 on INV-0002 (EFTPOS pay_2/all_2a)" in error["message"]
    assert error["fix"] == "On the other machine: caspen-xero disconnect --local-only; then here: caspen-xero adopt"
    on_the_other, here = (part.partition(": ")[2] for part in error["fix"].split("; "))
    in_words = other.cli("push", "--quiet")
    assert (in_words.exit_code, in_words.stdout) == (1, "")
    assert error["message"] in in_words.stderr
    assert at(ready).run(on_the_other).exit_code == 0
    assert ready.push().exit_code == 4
    assert at(other).run(here).exit_code == 0
    other.takes(pays(6, "INV-0006"))
    assert other.push().json["payments"] == 1
    assert nothing_new(other)


def stopped_home(ready: Clinic, at: Home) -> Clinic:
    """A copied home that has found twice what the first one sent, and has stopped."""
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    for nth, number in enumerate(NUMBERS[:2], 1):
        on_both([pays(nth, number)], ready, other, at=at)
        at(ready).push()
        ended = at(other).push()
    assert ended.exit_code == 1
    return other


def test_status_and_doctor_show_the_stop(ready: Clinic, at: Home) -> None:
    other = stopped_home(ready, at)
    assert other.cli("status", "--json").json["another_home"]["code"] == "another-home"
    assert "caspen-xero adopt" in other.cli("status").stdout
    (check,) = [one for one in other.cli("doctor", "--json").json["checks"] if not one["ok"] and "home" in one["name"]]
    assert check["fix"].endswith("caspen-xero adopt")
    other.takes(invoice("INV-0050"))
    assert {row["fix"] for row in other.unsynced()} == {check["fix"]}
    other.cli("adopt")
    assert {row["fix"] for row in other.unsynced()} == {"caspen-xero push"}
    assert "another_home" not in other.cli("status", "--json").json
    assert "another home" not in other.cli("doctor").stdout


def test_a_dry_run_still_plans_and_says_that_it_would_stop(ready: Clinic, at: Home) -> None:
    other = stopped_home(ready, at)
    other.takes(pays(6, "INV-0006"))
    dry = other.push("--dry-run")
    assert (dry.exit_code, dry.json["stopped"]["code"]) == (1, "another-home")
    assert [step["operation"] for step in dry.json["plan"]] == ["create-payment"]


@pytest.mark.parametrize("command", ["pull", "sync"])
def test_a_pull_links_what_the_other_home_made_tells_caspen_nothing_and_keeps_the_stop(
    ready: Clinic, at: Home, command: str
) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    on_both([pays(1, "INV-0001")], ready, other, at=at)
    at(ready).push()
    first = at(other).cli(command, "--json")
    assert first.exit_code == 0
    pulled = first.json["pull"] if command == "sync" else first.json
    assert (pulled["payments"], pulled["found_in_xero"]) == (0, {"invoices": 0, "payments": 1, "credit_notes": 0})
    on_both([pays(2, "INV-0002")], ready, other, at=at)
    at(ready).push()
    second = at(other).cli(command, "--json")
    pulled = second.json["pull"] if command == "sync" else second.json
    assert second.exit_code == (1 if command == "sync" else 3)
    assert (pulled["payments"], pulled["another_home"]["code"]) == (0, "another-home")
    assert told(other) == []
    assert len(amounts(other)) == 2
    for told_of in (other.cli("pull"), other.cli("sync"), other.cli("pull", "--quiet"), other.cli("sync", "--quiet")):
        assert told_of.stderr.count("Another copy of this workspace sends to Xero too") == 1
    assert nothing_is_sent(other)


def test_what_was_made_before_all_was_taken_in_stops_nothing(ready: Clinic, at: Home) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    at(ready).takes(pays(1, "INV-0001"), pays(2, "INV-0002"))
    ready.push()
    at(other).takes(pays(1, "INV-0001"))
    assert other.push().json["found_in_xero"] == {"invoices": 0, "payments": 1, "credit_notes": 0}
    other.takes(pays(2, "INV-0002"))  # this export is late; the first home has ended long ago
    late = other.push()
    assert (late.exit_code, late.json["found_in_xero"]) == (0, {"invoices": 0, "payments": 1, "credit_notes": 0})
    assert nothing_new(other)


def test_a_stop_survives_the_death_of_the_run_that_found_it(
    ready: Clinic, at: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    for nth, number in enumerate(NUMBERS[:2], 1):
        on_both([pays(nth, number)], ready, other, at=at)
        at(ready).push()
        if nth == 1:
            at(other).push()
    with monkeypatch.context() as patch:
        patch.setattr("caspen_xero.sync.sending.looking_around.another_home", died)
        with pytest.raises(Killed):
            at(other).push()
    assert nothing_is_sent(other)


class Killed(BaseException):
    """The machine was switched off."""


def died(mappings: Any) -> None:
    """The process ends at the second look: after what was found was linked."""
    if mappings.setting("another_home") is not None:
        raise Killed


# --- a restored store


@pytest.mark.parametrize("had_adopted", [False, True])
@pytest.mark.parametrize("command", ["sync", "push", "pull"])
def test_a_restored_store_doubles_nothing_and_takes_its_own_later_writes_for_nobodys(
    sent: Clinic, tmp_path: Path, command: str, had_adopted: bool
) -> None:
    if had_adopted:
        sent.cli("adopt")
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.takes(pays(3, "INV-0003"), invoice("INV-0009"))
    assert sent.push().json["payments"] == 1
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.sql("INSERT INTO settings (tenant_id, key, value) VALUES ('', 'adopt_due', '1')")
    sent.takes(pays(3, "INV-0003"), invoice("INV-0009"))
    sent.forget_calls()
    done = sent.cli(command, "--json")
    assert done.exit_code == 0, done.stdout
    part = done.json["pull"] if command == "sync" else done.json
    assert part["found_in_xero"] == {"invoices": 1, "payments": 1, "credit_notes": 0}
    assert sent.writes() == []
    assert sent.in_xero().keys() == {*NUMBERS, "INV-0009"}
    assert len(amounts(sent)) == 3
    assert sent.sql("SELECT 1 FROM settings WHERE key = 'adopt_due'") == []
    assert nothing_new(sent)


def test_what_is_due_is_done_before_a_push_sends_anything(sent: Clinic, tmp_path: Path) -> None:
    shutil.copy(sent.store_file, tmp_path / "backup.sqlite")
    sent.takes(invoice("INV-0009"))
    sent.push()
    shutil.copy(tmp_path / "backup.sqlite", sent.store_file)
    sent.sql("INSERT INTO settings (tenant_id, key, value) VALUES ('', 'adopt_due', '1')")
    sent.takes(invoice("INV-0009"))
    sent.forget_calls()
    pushed = sent.push()
    assert (pushed.json["synced"], pushed.json["found_in_xero"]) == (
        1,
        {"invoices": 1, "payments": 0, "credit_notes": 0},
    )
    assert sent.writes() == []


# --- two homes at the very same moment


def doubled(clinic: Clinic) -> Clinic:
    """A clinic whose payment of 50.00 another home has sent at the same moment."""
    clinic.takes(pays(1, "INV-0001"))
    assert clinic.push().json["payments"] == 1
    (paid,) = in_xero.payments(clinic)
    in_xero.pays(clinic, "INV-0001", "50.00", reference=paid["Reference"])
    return clinic


def test_two_payments_of_one_reference_are_told_and_caspen_hears_of_neither(ready: Clinic) -> None:
    ready.takes(*EXPORT)
    ready.push()
    doubled(ready)
    pulled = ready.cli("pull", "--json")
    assert (pulled.exit_code, pulled.json["payments"]) == (3, 0)
    (row,) = pulled.json["doubled"]
    assert (row["number"], row["code"]) == ("INV-0001", "payment-twice-in-xero")
    assert all(one["PaymentID"] in row["xero"] for one in in_xero.payments(ready))
    assert row["xero"].count("50.00") == 2
    assert told(ready) == []
    said = ready.cli("pull")
    assert said.exit_code == 3
    assert row["fix"] in said.stderr
    assert [one["code"] for one in ready.cli("drift", "--json").json["drift"]] == ["payment-twice-in-xero"]


@pytest.mark.parametrize("which", ["ours", "theirs"])
def test_once_one_of_the_two_is_deleted_all_is_well(ready: Clinic, which: str) -> None:
    ready.takes(*EXPORT)
    ready.push()
    doubled(ready)
    ready.cli("pull")
    (linked,) = [row["xero_id"] for row in ready.sql("SELECT xero_id FROM links WHERE kind = 'payment'")]
    (gone,) = [one["PaymentID"] for one in in_xero.payments(ready) if (one["PaymentID"] == linked) == (which == "ours")]
    in_xero.writes(ready, "POST", f"Payments/{gone}", {"Status": "DELETED"})
    assert nothing_new(ready)
    assert ready.cli("drift", "--json").json["drift"] == []
    assert [one["Amount"] for one in in_xero.payments(ready)] == [Decimal("50.00")]


def test_a_payment_that_was_moved_and_changed_since_is_left_to_a_person(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    moved = pays(1, "INV-0005", "60.00")
    store.takes(*changed("pay_1", amount="60.00", allocations=moved["allocations"]))
    assert store.push().exit_code == 3
    assert store.problem("INV-0005")["code"] == "payment-not-ours"
    assert amounts(store) == [("INV-0001", "EFTPOS pay_1/all_1a"), ("INV-0002", "EFTPOS pay_2/all_2a")]


def test_what_an_invoice_shows_otherwise_is_told_and_stays(sent: Clinic, anew: Home) -> None:
    store = anew(sent)
    store.takes(*changed("inv_INV-0006", due_date="2026-12-24"))
    store.push()
    pull(store)
    assert store.unsynced() == []
    assert {row["number"] for row in store.cli("drift", "--json").json["information"]} == {"INV-0006"}
    assert store.in_xero()["INV-0006"]["DueDateString"].startswith("2026-11-16")


def changed(id_: str, **fields: Any) -> list[dict[str, Any]]:
    """The same export with one record as it is by now."""
    later = fields | {"updated_at": "2026-11-28T00:00:00Z"}
    assert any(record["id"] == id_ for record in same_export())
    return [record | later if record["id"] == id_ else record for record in same_export()]


def test_a_credit_note_that_another_home_has_sent_is_said_and_has_all_of_ours_looked_up(
    ready: Clinic, at: Home
) -> None:
    ready.takes(*EXPORT)
    ready.push()
    other = copied(ready)
    for clinic in (ready, other):
        at(clinic).takes(credit_note())
    assert at(ready).push().json["credit_notes"] == 1
    pushed = at(other).push()
    assert (pushed.exit_code, pushed.json["credit_notes"]) == (0, 0)
    assert pushed.json["found_in_xero"] == {"invoices": 0, "payments": 0, "credit_notes": 1}
    assert "1 credit note of ours was in Xero already" not in other.cli("push").stderr
    assert other.cli("adopt", "--json").json["found_in_xero"] == {"invoices": 0, "payments": 0, "credit_notes": 0}


@pytest.mark.parametrize("status", ["void", "deleted", "draft"])
def test_one_that_was_told_as_a_taken_number_and_is_taken_back_in_caspen_is_told_still(
    sent: Clinic, anew: Home, status: str
) -> None:
    store = anew(sent)
    store.takes(*changed("inv_INV-0004", lines=[line("70.00")], subtotal="70.00", tax="7.00", total="77.00"))
    store.push()
    assert store.problem("INV-0004")["code"] == "invoice-number-taken"
    gone = next(record for record in same_export() if record["id"] == "inv_INV-0004")
    store.takes(gone | {"status": status, "updated_at": "2026-11-29T00:00:00Z"})
    assert store.push().exit_code in (0, 3)
    rows = [*store.unsynced(), *store.cli("drift", "--json").json["drift"]]
    assert "INV-0004" in {row["number"] for row in rows} or store.in_xero()["INV-0004"]["Status"] == "VOIDED"
    assert in_xero.silent(store)


# --- what could not be recognised yet when all of ours was taken in


@pytest.mark.parametrize("first", ["push", "sync", "adopt"])
def test_what_could_not_be_translated_when_ours_was_taken_in_is_looked_for_before_it_is_sent(
    ready: Clinic, signed_in_home: Path, at: Home, first: str
) -> None:
    free = [invoice(number, [line("200.00", rate="tax_free")]) for number in NUMBERS[1:4]]
    paid = [pays(nth, number, f"{nth}0.00") for nth, number in enumerate(NUMBERS[:3], 1)]
    export = [*EXPORT[:3], *free, *paid, credit_note(invoice_id=free[2]["id"])]
    ready.takes(*export)
    assert ready.push().exit_code == 0
    there = amounts(ready)
    store = replace(ready, home=ready.home.parent / "unset")
    shutil.copytree(signed_in_home, store.home)
    at(store).takes(*TAX_RATES, *export)
    assert store.cli("settings", "set", "--sales-account", "200", "--payment-account", "090").exit_code == 0
    assert store.cli(first, "--json").exit_code == 3
    said = {(row["number"], row["code"]) for row in store.unsynced() if row["code"] != "not-pushed-yet"}
    assert said == {(one["number"], "tax-rate-not-linked") for one in free}
    assert store.cli("taxes", "map", "GST free", "EXEMPTOUTPUT").exit_code == 0
    foreseen = store.cli("push", "--dry-run").stderr
    assert "the next push first looks it up" in " ".join(foreseen.split())
    pushed = store.push()
    assert pushed.exit_code == 0, pushed.stdout
    assert pushed.json["found_in_xero"]["invoices"] == 3
    assert store.writes() == []
    assert nothing_new(store)
    assert amounts(store) == there
    assert store.writes() == []


@pytest.mark.parametrize("by_earlier_version", [False, True])
def test_a_payment_that_was_found_before_its_invoice_is_linked_with_it(
    ready: Clinic, signed_in_home: Path, at: Home, by_earlier_version: bool
) -> None:
    free = invoice("INV-0001", [line("200.00", rate="tax_free")])
    export = [*EXPORT[:2], free, EXPORT[3], pays(1, "INV-0001")]
    ready.takes(*export)
    assert ready.push().exit_code == 0
    store = replace(ready, home=ready.home.parent / "unset")
    shutil.copytree(signed_in_home, store.home)
    at(store).takes(*TAX_RATES, *export)
    assert store.cli("settings", "set", "--sales-account", "200", "--payment-account", "090").exit_code == 0
    assert store.push().exit_code == 3
    assert store.cli("taxes", "map", "GST free", "EXEMPTOUTPUT").exit_code == 0
    assert store.cli("invoices", "link", "INV-0001", store.in_xero()["INV-0001"]["InvoiceID"]).exit_code == 0
    if by_earlier_version:
        said_by_an_earlier_version(store, "inv_INV-0001", "pay_1/all_1a")
        assert {row["code"] for row in store.unsynced()} == {"not-pushed-yet"}
        with closing(sqlite3.connect(store.home / "default" / "store.sqlite")) as db:
            assert db.execute("SELECT * FROM holds WHERE step = 'create-payment'").fetchall() == []
    assert store.push().exit_code == 0
    assert store.writes() == []
    assert nothing_new(store)
    assert amounts(store) == [("INV-0001", "EFTPOS pay_1/all_1a")]


def said_by_an_earlier_version(store: Clinic, invoice_id: str, key: str) -> None:
    """What earlier versions kept of a payment that was found before its invoice: that it is to be removed in Xero."""
    code, now, late = "payment-maybe-already-in-xero", "2026-11-29T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"
    with closing(sqlite3.connect(store.home / "default" / "store.sqlite")) as db, db:
        ((tenant_id,),) = db.execute(
            "SELECT tenant_id FROM links WHERE kind = 'invoice' AND caspen_id = ?", (invoice_id,)
        )
        db.execute(
            "INSERT INTO problems (tenant_id, invoice_id, code, subject, reason, fix, attempts, first_failed_at, last_tried_at) "
            "VALUES (?, ?, ?, ?, 'there', 'Remove it in Xero', 1, ?, ?)",
            (tenant_id, invoice_id, code, key, now, now),
        )
        db.execute(
            "INSERT INTO holds (tenant_id, step, caspen_id, code, reason, fix, depends_on, attempts, first_held_at, last_held_at, "
            "release_at) SELECT tenant_id, 'create-payment', ?, ?, 'there', 'Remove it in Xero', '', 1, ?, ?, ? FROM links "
            "WHERE kind = 'invoice' AND caspen_id = ?",
            (key, code, now, now, late, invoice_id),
        )
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'payments_found_before_their_invoices'")
