"""Retention: what is settled and old loses its names and texts, in every byte; nothing is sent twice for that, nor written over."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, PAYER, client, credit_note, invoice, line, payment
from pulling import pull
from pushing import Clinic
from running import another_run, contents

from caspen_xero.cli.session import Session
from caspen_xero.sync.sending.journal import Journal

PERSON = client(
    "1048237", "Nell", "Okafor", email="nell@example.org", phone_number="+61 400 1", address={"line1": "1 High St"}
)
TREATED = invoice(
    lines=[line(description="Anxiety, first session"), line(description="Nell's splint")],
    invoice_to_id="con_77",
    reference="Nell's NDIS plan",
    url="https://caspen.example/clients/nell/invoices/1",
)
PAID = payment(TREATED["total"], (TREATED["id"], TREATED["total"]), description="From Nell's mother")
CREDITED = invoice("INV-0002", [line("40.00", description="Anxiety, second session")])
NOTE = credit_note(
    invoice_id=CREDITED["id"],
    lines=[line("40.00", description="Anxiety, cut short")],
    reason="Nell was ill",
)
OLD = [EFTPOS, PERSON, PAYER, TREATED, PAID, CREDITED, NOTE]
WORDS = (
    "Nell",
    "nell",
    "Okafor",
    "okafor",
    "Anxiety",
    "splint",
    "Plan Partners",
    "plan partners",
    "High St",
    "NDIS",
    "400 1",
)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on it is five hundred days later."""
    return lambda: monkeypatch.setattr(Session, "now", lambda session: datetime.now(UTC) + timedelta(days=500))


@pytest.fixture
def settled(ready: Clinic) -> Clinic:
    """Two invoices that are settled on both sides."""
    ready.takes(*OLD)
    assert ready.push().exit_code == 0
    assert {each["Status"] for each in ready.in_xero().values()} == {"PAID"}
    assert ready.cli("pull").exit_code == 0
    ready.forget_calls()
    return ready


@pytest.fixture
def purged(settled: Clinic, later: Callable[[], None]) -> Clinic:
    """The same, five hundred days later, after a purge."""
    later()
    result = settled.cli("purge", "--older-than", "400d", "--yes", "--json")
    assert result.exit_code == 0, result.stdout
    assert settled.calls() == []
    return settled


def left_in(folder: Path) -> dict[str, list[str]]:
    """The words that some file of the workspace still has, by its name."""
    read = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    found = {file.name: [word for word in WORDS if word.encode() in content] for file, content in read.items()}
    return {name: words for name, words in found.items() if words}


def test_what_is_settled_and_old_is_in_no_byte_any_more(settled: Clinic, later: Callable[[], None]) -> None:
    workspace = settled.home / "default"
    (workspace / ".restore-killed").mkdir()
    (workspace / ".restore-killed" / "store.sqlite").write_text("Nell")
    with closing(sqlite3.connect(settled.store_file)) as reader:  # so that the last changes stay beside the file
        reader.execute("SELECT 1 FROM log").fetchall()
        assert left_in(workspace)
        later()
        document = settled.cli("purge", "--older-than", "400d", "--yes", "--json").json
    assert left_in(workspace) == {}
    assert document["purged"] | {"writes": 0, "runs": 0} == {
        "invoices": 2,
        "credit_notes": 1,
        "payments": 1,
        "clients": 1,
        "contacts": 1,
        "xero_contacts": document["purged"]["xero_contacts"],
        "writes": 0,
        "runs": 0,
        "reports": 0,
    }
    assert document["purged"]["writes"] >= 4
    assert (document["command"], document["dry_run"], document["copies_left"]) == ("purge", False, [])
    assert [file.name for file in (workspace / "backups").iterdir()] == [Path(document["copy"]).name]


def test_what_is_open_or_young_stays(ready: Clinic, later: Callable[[], None]) -> None:
    unpaid = invoice("INV-0003", [line(description="Nell's open one")], client_id="2")
    ready.takes(*OLD, client("2", "Mei", "Tanaka"), unpaid)
    ready.push()
    before = contents(ready)
    assert ready.cli("purge", "--older-than", "60d", "--yes").exit_code == 0
    assert [row for row in contents(ready) if "journal" in row] == [row for row in before if "journal" in row]
    later()
    document = ready.cli("purge", "--older-than", "400d", "--yes", "--json").json
    assert (document["purged"]["invoices"], document["purged"]["clients"]) == (2, 1)
    assert "Mei Tanaka" in ready.cli("invoices", "show", "INV-0003").stdout
    ready.takes(payment(unpaid["total"], (unpaid["id"], unpaid["total"]), id_="pay_9"))
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0003"]["Status"] == "PAID"


def test_a_dry_run_counts_and_changes_nothing(settled: Clinic, later: Callable[[], None]) -> None:
    later()
    before = contents(settled)
    told = settled.cli("purge", "--older-than", "400d", "--dry-run", "--json").json
    assert (told["dry_run"], told["purged"]["invoices"], contents(settled)) == (True, 2, before)


def test_nothing_is_sent_again_and_the_same_export_brings_nothing_back(purged: Clinic) -> None:
    assert purged.push().exit_code == 0
    purged.takes(*OLD)
    read = purged.cli("import", "--json", purged.home.parent / f"export-{purged.imports}.jsonl").json
    assert purged.push().exit_code == 0
    assert purged.calls() == []
    assert left_in(purged.home / "default") == {}
    assert read["unchanged"] == read["read"]
    assert purged.unsynced() == []


def test_what_only_shows_still_shows_and_says_that_details_are_gone(purged: Clinic) -> None:
    listed = purged.listed()
    assert {(one["sync_status"], one["details_purged"]) for one in listed.values()} == {("synced", True)}
    shown = purged.cli("invoices", "show", "INV-0001")
    assert "purged here" in shown.stdout
    assert shown.exit_code == 0
    for command in ("status", "log", "drift", "unsynced"):
        assert purged.cli(command).exit_code == 0
    assert purged.cli("drift", "--json").json["drift"] == []


def test_pull_and_adopt_find_nothing_new_or_edited(purged: Clinic) -> None:
    assert pull(purged)["payments"] == 0
    assert purged.cli("adopt").exit_code == 0
    assert purged.cli("drift", "--json").json["drift"] == []
    assert purged.push().exit_code == 0
    assert purged.writes() == []


def test_what_caspen_changes_later_is_a_right_update(purged: Clinic) -> None:
    before = purged.in_xero()["INV-0001"]["LineItems"]
    lines = [TREATED["lines"][0] | {"description": "A first session"}, TREATED["lines"][1]]
    purged.takes(*OLD[:3], TREATED | {"lines": lines, "updated_at": "2027-01-01T00:00:00Z"})
    assert purged.push().exit_code == 0, purged.unsynced()
    there = purged.in_xero()["INV-0001"]
    assert [item["Description"] for item in there["LineItems"]] == ["A first session", "Nell's splint"]
    assert [item["LineItemID"] for item in there["LineItems"]] == [item["LineItemID"] for item in before]
    assert there["Reference"] == "Nell's NDIS plan | Invoice to Plan Partners"
    assert len(purged.state("Payments")) == 1


def test_what_was_edited_in_xero_is_never_written_over(settled: Clinic, later: Callable[[], None]) -> None:
    there = settled.in_xero()["INV-0001"]
    in_xero.edits(settled, "INV-0001", Reference="Seen by the bookkeeper")
    later()
    assert settled.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    lines = [TREATED["lines"][0] | {"description": "A first session"}, TREATED["lines"][1]]
    settled.takes(*OLD[:3], TREATED | {"lines": lines, "updated_at": "2027-01-01T00:00:00Z"})
    assert settled.push().exit_code == 0, settled.unsynced()
    now = settled.in_xero()["INV-0001"]
    assert (now["Reference"], now["LineItems"][0]["Description"]) == ("Seen by the bookkeeper", "A first session")
    assert now["LineItems"][0]["LineItemID"] == there["LineItems"][0]["LineItemID"]
    settled.takes(TREATED | {"reference": "Another plan", "updated_at": "2027-01-02T00:00:00Z"})
    settled.push()
    assert settled.problem()["code"] == "changed-in-xero"
    assert settled.in_xero()["INV-0001"]["Reference"] == "Seen by the bookkeeper"


def test_without_the_client_a_new_invoice_waits_until_the_export_is_read_again(purged: Clinic) -> None:
    new = invoice("INV-0009", invoice_to_id="con_77", issue_date="2027-12-01", due_date="2027-12-15")
    purged.takes(new)
    purged.push()
    problem = purged.problem("INV-0009")
    assert problem["code"] == "details-purged"
    assert purged.writes() == []
    purged.takes(*OLD)
    assert purged.push().exit_code == 0
    assert purged.in_xero()["INV-0009"]["Reference"] == "Invoice to Plan Partners"
    assert len(purged.contacts()) == 1
    assert purged.listed()["INV-0001"]["details_purged"]


def test_with_its_client_it_goes_at_once(purged: Clinic) -> None:
    purged.takes(*OLD, invoice("INV-0009", invoice_to_id="con_77", issue_date="2027-12-01", due_date="2027-12-15"))
    assert purged.push().exit_code == 0
    assert purged.in_xero()["INV-0009"]["Reference"] == "Invoice to Plan Partners"


def test_a_source_is_read_again_by_itself_where_details_are_missing(purged: Clinic, tmp_path: Path) -> None:
    source = tmp_path / "export.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in OLD))
    purged.cli("settings", "set", "--source", source)
    assert purged.push().exit_code == 0
    in_xero.edits(purged, "INV-0001", Reference="Edited")
    purged.push("--overwrite", "INV-0001")
    assert purged.problem()["code"] == "details-purged"
    assert purged.in_xero()["INV-0001"]["Reference"] == "Edited"
    assert purged.push("--overwrite", "INV-0001").exit_code == 0, purged.unsynced()
    assert purged.in_xero()["INV-0001"]["Reference"] == "Nell's NDIS plan | Invoice to Plan Partners"


def test_a_payment_that_is_removed_later_is_taken_back(purged: Clinic) -> None:
    purged.takes(PAID | {"status": "void", "updated_at": "2027-01-01T00:00:00Z"})
    assert purged.push().exit_code == 0, purged.unsynced()
    assert purged.in_xero()["INV-0001"]["AmountDue"] == purged.in_xero()["INV-0001"]["Total"]


def test_a_write_without_an_answer_keeps_what_it_needs(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, later: Callable[[], None]
) -> None:
    class Killed(BaseException):
        pass

    def dies(*arguments: Any) -> None:
        raise Killed

    ready.takes(*OLD)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_settle", dies)
        with pytest.raises(Killed):
            ready.push()
    later()
    assert ready.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    ready.push()
    assert ready.push().exit_code == 0
    assert (len(ready.contacts()), len(ready.in_xero()), len(ready.state("Payments"))) == (1, 2, 1)


@pytest.mark.parametrize("arguments", [[], ["--older-than", "1h"], ["--older-than", "soon"]])
def test_it_has_to_be_told_how_old(settled: Clinic, arguments: list[str]) -> None:
    before = contents(settled)
    assert settled.cli("purge", *arguments).exit_code == 2
    assert contents(settled) == before


def test_it_asks_at_a_terminal(settled: Clinic, terminal: Callable[..., Any]) -> None:
    settled.sql("UPDATE journal SET first_sent_at = '2020-01-01', answered_at = '2020-01-01'")
    asked = terminal("purge", "--older-than", "400d", typing=[("Purge that?", "n")])
    assert (asked.exit_code, "Nothing was changed." in asked.stdout) == (0, True)
    assert "writes to Xero" in asked.stdout
    done = terminal("purge", "--older-than", "400d", typing=[("Purge that?", "y")])
    assert (done.exit_code, "Purged, of before" in done.stdout) == (0, True)


def test_another_run_is_not_disturbed(settled: Clinic) -> None:
    with another_run(settled):
        assert settled.cli("purge", "--older-than", "400d", "--yes").exit_code == 7


def test_copies_that_a_person_made_are_left_and_named(settled: Clinic, later: Callable[[], None]) -> None:
    assert settled.cli("backup").exit_code == 0
    later()
    done = settled.cli("purge", "--older-than", "400d", "--yes")
    assert "by-hand.sqlite" in done.stderr
    assert [name for name in left_in(settled.home / "default") if "by-hand" not in name] == []


def test_where_another_program_reads_the_store_it_says_so(settled: Clinic, later: Callable[[], None]) -> None:
    later()
    with closing(sqlite3.connect(settled.store_file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM log").fetchone()
        refused = settled.cli("purge", "--older-than", "400d", "--yes", "--json")
    assert (refused.exit_code, refused.json["error"]["code"], refused.json["purged"]["invoices"]) == (
        1,
        "store-in-use",
        2,
    )
    assert settled.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    assert left_in(settled.home / "default") == {}
