"""What came back is named: which payments, on which invoices, and where they went; each number is what really happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from pulling import CLINIC, payment, pull
from pushing import Clinic

from caspen_xero.caspen.api import ApiFeed
from tests.caspen.caspen_server import CaspenServer

PAYS_THE_SAME = payment(9, "INV-0001", "50.00", date="2026-11-20")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The folder of Caspen's export."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "export.jsonl").write_text("".join(json.dumps(record) + "\n" for record in CLINIC))
    return folder


@pytest.fixture
def synced(ready: Clinic, export: Path) -> Clinic:
    """A clinic with four invoices of 220.00 in Xero, read from its export."""
    assert ready.cli("settings", "set", "--source", export).exit_code == 0
    assert ready.push().json["synced"] == 4
    return ready


@pytest.fixture
def server() -> Iterator[CaspenServer]:
    with CaspenServer(CLINIC) as caspen:
        yield caspen


@pytest.fixture
def over_http(ready: Clinic, server: CaspenServer, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """The same clinic, whose Caspen is a server."""
    monkeypatch.setenv("CASPEN_API_KEY", server.key)
    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", partial(ApiFeed, sleep=lambda seconds: None))
    assert ready.cli("settings", "set", "--source", server.url).exit_code == 0
    assert ready.push().json["synced"] == 4
    return ready


def says(clinic: Clinic, *command: str) -> list[str]:
    """What a pull says of what came back, without its table."""
    return sentences(clinic.cli(*(command or ("pull",))).stdout)


def sentences(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.endswith(".") and not line.startswith("Imported")]


def in_the_table(clinic: Clinic, *command: str) -> list[list[str]]:
    """Invoice, date and amount of each payment in the table."""
    rows = [line.split("\t") for line in clinic.cli(*(command or ("pull",))).stdout.splitlines() if "\t" in line]
    return [[row[0], row[2], row[3]] for row in rows if row[0].startswith("INV-")]


def outcomes(done: Any) -> list[tuple[str, str]]:
    return [(one["invoice_number"], one["outcome"]) for one in done["new"]]


# --- delivered


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "Nothing new from Xero for Caspen."),
        (1, "1 payment for Caspen, written to caspen-updates.jsonl in {}."),
        (3, "3 payments for Caspen, written to caspen-updates.jsonl in {}."),
    ],
)
def test_as_many_as_were_written_and_where_a_person_finds_them(
    synced: Clinic, export: Path, count: int, sentence: str
) -> None:
    for nth in range(1, count + 1):
        in_xero.pays(synced, f"INV-000{nth}", f"{nth}0.00")
    changed = {0: [], 1: ["1 invoice has"], 3: ["3 invoices have"]}[count]
    assert says(synced) == [
        sentence.format(export),
        *(f"{words} other amounts or another status in Xero than was last seen there." for words in changed),
    ]
    file = export / "caspen-updates.jsonl"
    assert (len(file.read_text().splitlines()) if file.exists() else 0) == count
    assert says(synced) == ["Nothing new from Xero for Caspen."]


def test_each_is_on_its_line_with_its_invoice(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "10.00")
    in_xero.pays(synced, "INV-0003", "30.00", day="2026-11-04")
    rows = [["INV-0001", "2026-11-03", "10.00"], ["INV-0003", "2026-11-04", "30.00"]]
    assert in_the_table(synced, "pull", "--dry-run") == rows
    assert in_the_table(synced, "sync") == rows
    assert in_the_table(synced) == []


def test_an_allocated_credit_is_counted_as_that(synced: Clinic) -> None:
    bookkeeper = Bookkeeper(synced.sandbox.url)
    credit = bookkeeper.receives_overpayment("INV-0002", "40.00")
    for number in ("INV-0002", "INV-0003"):
        bookkeeper.allocates("overpayment", credit, number, "15.00")
    bookkeeper.pays("INV-0001", "10.00")
    assert says(synced, "sync")[0].startswith("1 payment and 2 allocated credits for Caspen, written to ")


def test_over_http_it_says_at_which_server(over_http: Clinic, server: CaspenServer) -> None:
    in_xero.pays(over_http, "INV-0001", "10.00")
    in_xero.pays(over_http, "INV-0002", "20.00")
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert says(over_http, "pull", "--dry-run")[0] == (
        f"2 payments for Caspen would be sent to Caspen at {host}; nothing was changed."
    )
    assert server.received == {}
    assert says(over_http)[0] == f"2 payments for Caspen, sent to Caspen at {host}."
    assert len(server.received) == 2


def test_before_anything_is_in_xero_that_is_why_nothing_came(ready: Clinic) -> None:
    assert says(ready) == ["Nothing new from Xero for Caspen: no invoice of Caspen's is known to be in Xero yet."]


def test_quiet_says_in_a_line_what_came_back_and_nothing_after_that(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "10.00")
    done = synced.cli("pull", "--quiet")
    assert (done.stdout, "1 payment for Caspen, written to " in done.stderr) == ("", True)
    assert "INV-0001 10.00" in done.stderr
    again = synced.cli("pull", "--quiet")
    assert (again.stdout, again.stderr) == ("", "")


# --- not delivered


def test_what_could_not_be_written_is_said_to_wait_and_counted_when_it_goes(synced: Clinic, export: Path) -> None:
    in_xero.pays(synced, "INV-0001", "10.00")
    (export / "caspen-updates.jsonl").mkdir()
    assert says(synced)[0] == "1 payment for Caspen was not delivered; the next pull tries that again."
    done = synced.cli("pull", "--json").json
    assert (done["delivered"], done["delivered_to"], outcomes(done)) == (0, None, [("INV-0001", "waiting")])
    (export / "caspen-updates.jsonl").rmdir()
    where = f"written to caspen-updates.jsonl in {export}"
    would = f"1 payment for Caspen would be {where} (found by an earlier pull); nothing was changed."
    done = synced.cli("pull", "--dry-run")
    assert sentences(done.stdout) == [would]
    assert "This told what is new for Caspen alone." in done.stderr
    in_xero.pays(synced, "INV-0002", "20.00")
    assert says(synced)[0] == f"2 payments for Caspen, {where} (1 of them found by an earlier pull)."


def test_a_dry_run_that_knows_no_place_says_so_and_promises_none(ready: Clinic) -> None:
    ready.takes(*CLINIC)
    ready.push()
    (ready.home.parent / "export-1.jsonl").rename(ready.home.parent / "moved.jsonl")
    ready.sql("UPDATE settings SET value = '/nowhere/export.jsonl' WHERE key = 'last_import'")
    in_xero.pays(ready, "INV-0001", "10.00")
    done = ready.cli("pull", "--dry-run")
    assert done.exit_code == 1
    assert "1 payment for Caspen could not be delivered now; nothing was changed." in done.stdout
    assert "settings set --source PATH" in done.stderr


def test_what_caspen_refused_is_named_and_not_counted_among_what_it_took(
    over_http: Clinic, server: CaspenServer
) -> None:
    in_xero.pays(over_http, "INV-0001", "10.00")
    in_xero.pays(over_http, "INV-0002", "20.00")
    server.answer_next(422, {"message": "The invoice is archived."}, method="POST")
    done = over_http.cli("pull")
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert sentences(done.stdout)[:2] == [
        f"1 payment for Caspen, sent to Caspen at {host}.",
        "1 payment was not taken by Caspen; the next pull tries that again.",
    ]
    assert "INV-0001: Caspen did not take the payment of 10.00: " in done.stderr
    assert "The invoice is archived." in done.stderr
    again = over_http.cli("pull", "--json").json
    assert (again["payments"], again["delivered"], outcomes(again)) == (1, 1, [("INV-0001", "delivered")])


def test_what_a_person_has_to_decide_on_is_named_with_why_and_how(synced: Clinic, export: Path) -> None:
    in_xero.pays(synced, "INV-0001", "50.00", day="2026-11-20")
    (export / "caspen-updates.jsonl").mkdir()
    assert synced.cli("pull").exit_code == 1
    (export / "caspen-updates.jsonl").rmdir()
    with (export / "export.jsonl").open("a") as file:
        file.write(json.dumps(PAYS_THE_SAME) + "\n")
    done = synced.cli("pull")
    assert "Nothing new from Xero for Caspen." in done.stdout
    assert "1 payment is held back from Caspen until a person has decided." in done.stdout
    assert "INV-0001: Caspen is not told of a payment of 50.00: " in done.stderr
    assert "  -> If it is the same: caspen-xero invoices link INV-0001 " in done.stderr
    told = pull(synced)
    assert (told["payments"], told["delivered"], outcomes(told)) == (0, 0, [("INV-0001", "held")])


def test_what_caspen_has_by_now_is_said_not_to_be_told(synced: Clinic, export: Path) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00", day="2026-11-20")
    (export / "caspen-updates.jsonl").mkdir()
    synced.cli("pull")
    (export / "caspen-updates.jsonl").rmdir()
    with (export / "export.jsonl").open("a") as file:
        file.write(json.dumps({**PAYS_THE_SAME, "xero_id": theirs}) + "\n")
    assert says(synced) == [
        "Nothing new from Xero for Caspen.",
        "1 payment is in Caspen by now, and is not told.",
    ]
    assert not (export / "caspen-updates.jsonl").exists()


def test_the_log_keeps_the_numbers_and_no_payment_by_itself(synced: Clinic, export: Path) -> None:
    in_xero.pays(synced, "INV-0001", "10.00", reference="For Nell")
    pull(synced)
    (row,) = synced.sql("SELECT result FROM log WHERE command = 'pull'")
    kept = json.loads(row["result"])
    assert (kept["delivered"], kept["delivered_to"]) == (1, str(export / "caspen-updates.jsonl"))
    assert "For Nell" not in row["result"]
