"""Stores that earlier versions made, in full use: they are carried over, and pushing goes on without a payment lost or doubled.

`stores/*.sql` are dumps; `@INV-0001@`, `@PAID-INV-0001-65.0@` and so on stand for Xero's ids, which the local Xero of a test gives.
`stores/in_full_use.json` is what the version that made that store said of it.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import told
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pulling import pull
from pushing import Clinic
from running import another_run, contents

from caspen_xero.store.store import utc_text

STORES = Path(__file__).parent / "stores"
IN_XERO = [  # what the earlier version left there: number, amount, reference
    ("INV-0001", "65.00", "EFTPOS 1"),
    ("INV-0003", "30.00", "EFTPOS a"),
    ("INV-0003", "10.00", "EFTPOS x8"),
    ("INV-0004", "20.00", "EFTPOS b"),
    ("INV-0006", "50.00", "Bank feed"),
    ("INV-0007", "25.00", "EFTPOS x6"),
]


@pytest.fixture
def old(ready: Clinic) -> Clinic:
    """A clinic whose store an earlier version made, when an allocation was named by its own id alone.

    Payment pay_1 is in Xero; pay_2, whose allocation is called "1" too, has taken its place in the store. pay_4 says that it came
    from Xero as "nonsense" and was believed; pay_5 did come from there. The answer to pay_6 was lost; pay_7 is more than is due;
    pay_8 was voided since.
    """
    ready.takes(EFTPOS, client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 9)))
    assert ready.push().json["synced"] == 8
    ids = {number: found["InvoiceID"] for number, found in ready.in_xero().items()}
    ids["CONTACT"] = ready.in_xero()["INV-0001"]["Contact"]["ContactID"]
    ids["TENANT"] = ready.tenant_id
    for number, amount, reference in IN_XERO:
        ids[f"PAID-{number}-{amount.removesuffix('0')}"] = in_xero.pays(ready, number, amount, reference=reference)
    has_the_store(ready, "allocations_by_their_own_id.sql", ids)
    return ready


def has_the_store(clinic: Clinic, dump: str, ids: Mapping[str, str]) -> None:
    """Gives a clinic the store of a dump, with these ids in it, instead of its own; it stays connected as it is."""
    with closing(sqlite3.connect(clinic.store_file)) as now:
        own = now.execute("SELECT key, value FROM settings WHERE key IN ('entry', 'connection')").fetchall()
    for file in clinic.store_file.parent.glob("store.sqlite*"):
        file.unlink()
    with closing(sqlite3.connect(clinic.store_file)) as before:
        before.executescript(filled(dump, ids))
        before.executemany("INSERT INTO settings (key, value) VALUES (?, ?)", own)
        before.commit()
    clinic.forget_calls()


def filled(name: str, ids: Mapping[str, str]) -> str:
    """A file of `stores/` with these ids in their places."""
    return re.sub(r"@([\w.-]+)@", lambda place: ids[place[1]], (STORES / name).read_text())


def living(clinic: Clinic) -> list[tuple[str, Decimal, str]]:
    """Number, amount and reference of every payment that lives in Xero."""
    return sorted((p["Invoice"]["InvoiceNumber"], p["Amount"], p["Reference"]) for p in in_xero.payments(clinic))


@pytest.mark.parametrize("command", ["status", "unsynced", "push", "settings set --privacy generic"])
def test_a_store_is_not_carried_over_while_the_earlier_version_is_at_work(old: Clinic, command: str) -> None:
    before = contents(old)
    with another_run(old):
        refused = old.cli(*command.split(), "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (7, "another-run")
    assert contents(old) == before
    assert old.cli(*command.split(), "--json").exit_code in (0, 3)
    assert "CREATE TABLE holds" in " ".join(contents(old)).replace('"', "")


def test_two_payments_that_had_become_one_are_two_again_and_nothing_sent_is_lost_or_doubled(old: Clinic) -> None:
    assert old.push().exit_code == 3
    assert living(old) == sorted(
        [(n, Decimal(a), r) for n, a, r in IN_XERO if r != "EFTPOS x8"]
        + [("INV-0002", Decimal("40.00"), "EFTPOS pay_2/1")]
    )
    assert {row["number"]: row["code"] for row in old.unsynced()} == {
        "INV-0005": "payment-xero-id-wrong",
        "INV-0008": "payment-exceeds-due",
    }
    old.forget_calls()
    assert old.push().exit_code == 3
    assert old.calls() == []


def test_what_was_lost_in_the_store_comes_back_from_the_records(old: Clinic) -> None:
    old.cli("status")
    rows = {row["key"]: (row["invoice_id"], row["amount"]) for row in old.sql("SELECT * FROM allocations")}
    assert (rows["pay_1/1"], rows["pay_2/1"]) == (("inv_INV-0001", "65.00"), ("inv_INV-0002", "40.00"))
    assert {row["caspen_id"] for row in old.sql("SELECT caspen_id FROM links WHERE kind = 'payment'")} == {
        "pay_1/1",
        "pay_3/a",
        "pay_3/b",
        "/x8",
    }
    problem = old.problem("INV-0008")
    assert (problem["code"], problem["attempts"]) == ("payment-exceeds-due", 1)


def test_nothing_that_an_earlier_version_sent_or_told_is_told_to_caspen_after_the_migration(old: Clinic) -> None:
    old.takes(client("1048237"))  # so that updates go beside this import
    held, claimed = ("INV-0008", "payment-exceeds-due"), ("INV-0005", "payment-xero-id-wrong")
    for command, found in (("pull --full", [held]), ("push", [claimed, held]), ("pull --full", [claimed, held])):
        assert old.cli(*command.split()).exit_code == 3
        wrong = [row for row in old.unsynced() if row["sync_status"] != "pending"]
        assert [(row["number"], row["code"]) for row in wrong] == found
    assert told(old) == []
    theirs = in_xero.pays(old, "INV-0006", "12.00")
    assert pull(old)["payments"] == 1
    assert [(record["id"], record["amount"]) for record in told(old)] == [(theirs, "12.00")]


def test_a_payment_sent_by_an_earlier_version_and_changed_since_is_taken_back_and_sent_anew(old: Clinic) -> None:
    changed = payment("70.00", ("inv_INV-0001", "70.00")) | {"amount": "70.00"}
    changed["allocations"][0]["id"] = "1"
    old.takes(changed)
    assert old.push().exit_code == 3
    assert [each for each in living(old) if each[0] == "INV-0001"] == [("INV-0001", Decimal("70.00"), "EFTPOS pay_1/1")]


def test_a_new_store_knows_what_an_earlier_version_wrote(old: Clinic, ready_home: Path) -> None:
    shutil.copy(ready_home / "default" / "store.sqlite", old.store_file)
    for leftover in old.store_file.parent.glob("store.sqlite-*"):
        leftover.unlink()
    first = payment("65.00", ("inv_INV-0001", "65.00"))
    first["allocations"][0]["id"] = "1"
    second = payment("30.00", ("inv_INV-0001", "30.00"), id_="pay_2")
    second["allocations"][0]["id"] = "1"
    old.takes(EFTPOS, client("1048237"), invoice(), first, second)
    assert old.push().exit_code == 0
    assert [each for each in living(old) if each[0] == "INV-0001"] == [
        ("INV-0001", Decimal("30.00"), "EFTPOS pay_2/1"),
        ("INV-0001", Decimal("65.00"), "EFTPOS 1"),
    ]


def test_a_new_store_that_pulls_knows_what_an_earlier_version_wrote_though_its_day_has_changed(
    old: Clinic, ready_home: Path
) -> None:
    there = old.in_xero()["INV-0001"]["InvoiceID"]
    shutil.copy(ready_home / "default" / "store.sqlite", old.store_file)
    for leftover in old.store_file.parent.glob("store.sqlite-*"):
        leftover.unlink()
    moved = payment("65.00", ("inv_INV-0001", "65.00"), date="2026-11-09")
    moved["allocations"][0]["id"] = "1"
    old.takes(EFTPOS, client("1048237"), invoice(), moved)
    assert old.cli("invoices", "link", "INV-0001", there).exit_code == 0
    assert pull(old)["payments"] == 0
    assert told(old) == []
    assert old.cli("drift", "--json").json["drift"] == []  # it is the one that Caspen has
    theirs = in_xero.pays(old, "INV-0001", "12.00", reference="EFTPOS 2")
    assert pull(old)["payments"] == 1
    assert [(record["id"], record["amount"]) for record in told(old)] == [(theirs, "12.00")]


def test_what_an_earlier_version_read_of_caspens_payments_from_xero_was_delivered(old: Clinic) -> None:
    old.cli("status")
    named = {row["xero_id"]: (row["invoice_id"], row["amount"]) for row in old.sql("SELECT * FROM named_payments")}
    paid = {row["id"]: row["xero_id"] for row in old.sql("SELECT id, xero_id FROM payments WHERE xero_id IS NOT NULL")}
    assert set(paid) == {"pay_4", "pay_5"}
    assert named == {paid["pay_4"]: ("inv_INV-0005", "165"), paid["pay_5"]: ("inv_INV-0006", "50")}


# --- a store in full use, made by the version before holds were called holds

HARBOUR = {
    "object": "contact",
    "id": "con_1",
    "type": "insurer",
    "company": "Harbour Insurance",
    "email": "claims@example.org",
}
CHANGED = {"updated_at": "2026-11-05T03:04:05Z"}
Answers = dict[str, dict[str, Any]]


@pytest.fixture
def ids(ready: Clinic) -> dict[str, str]:
    """What stands in Xero of that store, as the dump names it.

    INV-0001 has a payment and a credit note of ours, INV-0002 goes to its payer and was paid in Xero. INV-0003's contact is
    archived. INV-0004 and INV-0007 were edited in Xero, the former was changed in Caspen too. Xero refused INV-0005.
    INV-0006 is a draft. The answers to a change of INV-0008, and to the contact of INV-0009, were lost.
    """
    ines = ready.put_in_xero("Contacts", Name="Ines Duarte (Caspen 48203)", ContactNumber="1048203")
    ready.control(f"contacts/{ines['ContactID']}/archive")
    ready.cli("settings", "set", "--contact", "payer", "--contact-prefix", "none")  # as it was
    ready.takes(
        *(EFTPOS, HARBOUR, client("1048201"), client("1048202", "Tomas", "Reyes")),
        *(invoice(f"INV-{n:04d}", client_id="1048201") for n in (1, 4, 7, 8)),
        invoice("INV-0002", client_id="1048202", invoice_to_id="con_1"),
        payment("50.00", ("inv_INV-0001", "50.00"), client_id="1048201"),
        credit_note(),
    )
    assert ready.push().json["synced"] == 5
    in_xero.pays(ready, "INV-0002", "40.00")
    in_xero.edits(ready, "INV-0004", Reference="call first")
    in_xero.edits(ready, "INV-0007", Reference="see file")
    ready.takes(invoice("INV-0008", [line("180.00")], client_id="1048201", **CHANGED))
    ready.push()
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(invoice("INV-0006", client_id="1048201"))
    ready.push()
    ready.put_in_xero(
        "Contacts",
        Name="Mara Lindqvist (Caspen 48204)",
        ContactNumber="1048204",
        FirstName="Mara",
        LastName="Lindqvist",
    )
    now = datetime.now(UTC)
    return {
        **{number: each["InvoiceID"] for number, each in ready.in_xero().items()},
        **{each["ContactNumber"].removeprefix("payer-"): each["ContactID"] for each in ready.contacts().values()},
        **{f"PAID-{each['Invoice']['InvoiceNumber']}": each["PaymentID"] for each in in_xero.payments(ready)},
        **{number: each["CreditNoteID"] for number, each in in_xero.credit_notes(ready).items()},
        "TENANT": ready.tenant_id,
        "URL": ready.sandbox.url,
        "HOME": str(ready.home),
        "FOLDER": str(ready.home.parent),
        "NOW": utc_text(now),
        "LATER": utc_text(now + timedelta(hours=1)),  # until then what is held is held
    }


@pytest.fixture
def used(ready: Clinic, ids: dict[str, str]) -> Clinic:
    """That clinic with the store that the version before made."""
    has_the_store(ready, "in_full_use.sql", ids)
    return ready


@pytest.fixture
def said(ids: dict[str, str]) -> Answers:
    """What that version said of its store, with the one word that has another name since, and the warnings that it did not read.

    Of what waits it names the page by now, and of what was lost more is known.
    """
    answers: Answers = json.loads(filled("in_full_use.json", ids))
    for row in answers["log"]["log"]:
        row["caspen_id"] = re.sub("^contact:", "client:", row["caspen_id"])
        row["warnings"] = []
    waits, lost = (row for row in answers["unsynced"]["unsynced"] if row["number"] in ("INV-0006", "INV-0008"))
    waits["fix"] = waits["fix"].replace(
        "in Xero", f"in Xero ({ids['URL']}/app/!1D033/invoicing/view/{ids['INV-0006']})"
    )
    lost["reason"] = "something of it was sent, and no answer says whether it is in Xero: the next push looks"
    return answers


OF_RUNS = {"last_sync", "last_good_push", "interrupted", "sign_in", "calls_left_today", "drift"}


def _as_before(shown: Any, before: Any) -> Any:
    """What is shown, without what was not said before."""
    if isinstance(before, dict):
        return {name: _as_before(shown[name], value) for name, value in before.items()}
    if isinstance(before, list) and len(before) == len(shown):
        return [_as_before(*pair) for pair in zip(shown, before, strict=True)]
    return shown


@pytest.mark.parametrize("command", ["unsynced", "drift", "invoices list", "status", "log"])
def test_after_the_upgrade_every_command_says_what_it_said_before(used: Clinic, said: Answers, command: str) -> None:
    grown: dict[str, Any] = {"information": []} if command == "drift" else {}
    if command == "status":
        grown = {"bad_records": 0, "without_invoice": {"payments": 0, "credit_notes": 0}}
    shown = used.cli(*command.split(), "--json").json
    if (
        command == "status"
    ):  # how runs end, and what else is known by now, is new; what was told of them before stays as it was
        assert (shown["last_push"]["ended"], shown["last_push"]["error"]["code"]) == ("stopped", "xero-no-answer")
        assert (shown["last_pull"]["ended"], shown["last_pull"]["error"]) == ("ok", None)
        for run in ("last_push", "last_pull"):
            shown[run] = {name: shown[run][name] for name in said[command][run]}
        shown = {name: value for name, value in shown.items() if name not in OF_RUNS}
    if command == "drift":  # that only references were edited is information by now
        before = said[command]["drift"]
        assert shown["drift"] == []
        both = shown["information"]
        for name in ("number", "invoice_id", "caspen", "xero", "seen_at"):
            assert [row[name] for row in both] == [row[name] for row in before]
    else:
        assert _as_before(shown, said[command] | grown) == said[command] | grown
    assert used.calls() == []


def test_a_push_after_the_upgrade_recovers_what_was_lost_and_sends_nothing_that_is_held(
    used: Clinic, said: Answers, ids: dict[str, str]
) -> None:
    before = {row["number"]: row for row in said["unsynced"]["unsynced"]}
    assert used.push().exit_code == 3
    # The one look after an upgrade: all invoices and the credit note. Then the change and the contact whose answers were lost,
    # that contact's details, and the one invoice that was still to go.
    note = f"GET CreditNotes/{in_xero.credit_notes(used)['CN-0001']['CreditNoteID']}"
    assert used.calls() == ["GET Invoices", note, "GET Invoices", "GET Contacts", "GET Contacts", "PUT Invoices"]
    assert [document["InvoiceNumber"] for document in json.loads(used.requests()[-1]["body"])["Invoices"]] == [
        "INV-0009"
    ]
    rows = {row["number"]: row for row in used.unsynced()}
    assert {number: row["code"] for number, row in rows.items()} == {
        "INV-0003": "contact-archived",
        "INV-0004": "changed-in-xero",
        "INV-0005": "xero-refused",
        "INV-0006": "waits-for-approval",
    }
    for number in ("INV-0004", "INV-0005"):  # as often tried as before: these were not
        assert rows[number]["attempts"] == before[number]["attempts"]
    for number, row in rows.items():
        reason = before[number]["reason"].replace("https://go.xero.com", ids["URL"])  # where that Xero's pages are
        assert (row["reason"], row["first_failed_at"]) == (reason, before[number]["first_failed_at"])
    written = {
        row["id"]: (row["caspen_id"], row["state"], row["xero_id"]) for row in used.cli("log", "--json").json["log"]
    }
    lost = [row["id"] for row in said["log"]["log"] if row["write_state"] == "sent"]
    assert sorted(written[id_] for id_ in lost) == [
        ("client:1048204", "done", used.contacts()["Mara Lindqvist (Caspen 48204)"]["ContactID"]),
        ("inv_INV-0008", "done", used.in_xero()["INV-0008"]["InvoiceID"]),
    ]
    there = {number: (each["Status"], each["Total"]) for number, each in used.in_xero().items()}
    assert (there["INV-0008"], there["INV-0009"]) == (("AUTHORISED", Decimal("198.00")), ("DRAFT", Decimal("165.00")))
    assert len(used.contacts()) == len(used.state("Contacts")) == 4
    assert len(in_xero.payments(used)) == 2
    used.forget_calls()
    assert used.push().exit_code == 3
    assert used.calls() == []


def test_after_the_upgrade_changed_clients_and_payers_change_the_contacts_that_were_made_for_them(
    used: Clinic, ids: dict[str, str]
) -> None:
    used.push()
    used.takes(client("1048201", "Nelly"), {**HARBOUR, "email": "ap@example.org"}, client("1048204", "Mara", "Berg"))
    assert used.push().json["contacts_updated"] == 3
    contacts = {each["ContactID"]: each for each in used.state("Contacts")}
    assert contacts[ids["1048201"]]["Name"] == "Nelly Okafor (Caspen 48201)"
    assert contacts[ids["con_1"]]["EmailAddress"] == "ap@example.org"
    assert contacts[ids["1048204"]]["Name"] == "Mara Berg (Caspen 48204)"
    assert len(contacts) == 4


def test_after_the_upgrade_what_was_recovered_follows_later_changes(used: Clinic) -> None:
    assert used.cli("settings", "set", "--invoice-status", "authorised").exit_code == 0
    used.push()
    later = {"updated_at": "2026-11-06T03:04:05Z"}
    used.takes(
        invoice("INV-0008", [line("180.00")], client_id="1048201", reference="R 8", **later)
    )  # of the same total
    assert used.push().json["updated"] == 1
    assert used.in_xero()["INV-0008"]["Reference"] == "R 8"


def test_after_the_upgrade_what_was_edited_in_xero_is_not_written_over(used: Clinic) -> None:
    used.takes(invoice("INV-0007", client_id="1048201", reference="R 7", **CHANGED))
    assert used.push().exit_code == 3
    problem = used.problem("INV-0007")
    assert problem["code"] == "changed-in-xero"
    assert "reference is R 7 in Caspen, see file in Xero" in problem["reason"]
    assert used.in_xero()["INV-0007"]["Reference"] == "see file"


def test_after_the_upgrade_a_draft_that_is_approved_gets_its_payment_once(used: Clinic) -> None:
    in_xero.edits(used, "INV-0006", Status="AUTHORISED")
    assert used.push("INV-0006").exit_code == 0
    assert used.push().exit_code == 3  # over other invoices
    paid = sorted((each["Invoice"]["InvoiceNumber"], each["Amount"]) for each in in_xero.payments(used))
    assert paid == [("INV-0001", Decimal(50)), ("INV-0002", Decimal(40)), ("INV-0006", Decimal(65))]


def test_after_the_upgrade_a_pull_tells_nothing_that_was_told_and_finds_the_same_differences(
    used: Clinic, said: Answers
) -> None:
    used.push()  # for what was written by us and lost would be told as an edit
    assert pull(used, "--full")["payments"] == 0
    assert told(used) == []
    shown, before = used.cli("drift", "--json").json, said["drift"]["drift"]
    assert [row["code"] for row in before] == ["invoice-edited-in-xero"] * 2
    assert shown["drift"] == []  # a reference is a bookkeeper's to edit
    assert [row["code"] for row in shown["information"]] == ["details-edited-in-xero"] * 2
    sides = ("number", "caspen", "xero")
    assert [[row[side] for side in sides] for row in shown["information"]] == [
        [row[side] for side in sides] for row in before
    ]
    in_xero.pays(used, "INV-0007", "12.00")
    assert pull(used)["payments"] == 1
    assert [record["amount"] for record in told(used)] == ["12.00"]


def test_after_the_upgrade_what_was_told_is_listed_though_nobody_knows_where_it_went(used: Clinic) -> None:
    rows = used.cli("payments", "list", "--to-enter", "--json").json["payments"]
    delivered = used.sql("SELECT xero_id, delivered_at FROM xero_payments")
    assert [(row["xero_id"], row["status"], row["told_to"]) for row in rows] == [
        (one["xero_id"], "told", None) for one in delivered if one["delivered_at"]
    ]
    assert rows
    assert used.cli("payments", "list").exit_code == 0


def test_after_the_upgrade_nobody_is_asked_whether_to_begin(used: Clinic, screen: Callable[..., Any]) -> None:
    shown = screen("push")
    assert (shown.exit_code, "[y/N]" in shown.stdout) == (3, False)
    assert "INV-0009" in used.in_xero()


def test_a_year_that_an_earlier_version_took_is_still_read_and_is_refused_in_a_new_export(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", due_date="2199-12-31"))
    with closing(sqlite3.connect(ready.home / "default" / "store.sqlite")) as db, db:
        db.execute("UPDATE invoices SET record = replace(record, '2199-12-31', '9999-12-31')")
    assert "9999-12-31" in ready.cli("invoices", "show", "INV-0001").stdout
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0001"]["Status"] == "AUTHORISED"
    export = ready.home.parent / "later.jsonl"
    export.write_text(json.dumps(invoice("INV-0002", due_date="9999-12-31")))
    assert ready.cli("import", export).exit_code == 3
