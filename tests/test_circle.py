"""The whole circle: Caspen -> Xero -> Caspen, over HTTP and through files; what came from Xero comes back with its `xero_id`."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import keyring
import keyring.core
import pytest
from bookkeeping import Bookkeeper, as_arrived, killed_at, killed_before
from clinics import EFTPOS, TAX_RATES, client, invoice, line
from keyring.backends import fail
from pulling import payment, pull
from pushing import Clinic

from caspen_xero.caspen.api import ApiFeed
from tests.caspen.caspen_server import CaspenServer

NUMBERS = ["INV-0001", "INV-0002", "INV-0003"]
EXPORT = [
    *TAX_RATES,
    EFTPOS,
    client("1048237"),
    *(invoice(number, [line("200.00")]) for number in NUMBERS),
    payment(1, "INV-0001", "100.00"),
]


@pytest.fixture
def caspen_server() -> Iterator[CaspenServer]:
    with CaspenServer(EXPORT) as server:
        yield server


@pytest.fixture
def over_http(ready: Clinic, caspen_server: CaspenServer, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A clinic whose source is Caspen's server, pushed once."""
    monkeypatch.setenv("CASPEN_API_KEY", caspen_server.key)
    assert ready.cli("settings", "set", "--source", caspen_server.url).exit_code == 0
    assert ready.push().json["synced"] == 3
    return ready


def settle_everything(clinic: Clinic) -> Bookkeeper:
    """Each kind of money that Xero can bring, on all three invoices."""
    bookkeeper = Bookkeeper(clinic.sandbox.url)
    bookkeeper.pays("INV-0001", "120.00", reconciled=True)
    bookkeeper.pays_together({"INV-0002": "20.00", "INV-0003": "30.00"})
    over = bookkeeper.receives_overpayment("INV-0002", "40.00")
    bookkeeper.allocates("overpayment", over, "INV-0002", "40.00")
    before = bookkeeper.receives_prepayment("INV-0003", "33.00")
    bookkeeper.allocates("prepayment", before, "INV-0003", "33.00")
    note = bookkeeper.issues_credit_note("INV-0003", "11.00")
    bookkeeper.allocates("credit_note", note, "INV-0003", "11.00")
    return bookkeeper


def in_xero(clinic: Clinic) -> Any:
    """All that could be doubled in Xero."""
    return {kind: clinic.state(kind) for kind in ("Invoices", "Payments", "CreditNotes", "Overpayments", "Prepayments")}


def test_caspen_to_xero_to_caspen_and_round_again_without_a_second_of_anything(
    over_http: Clinic, caspen_server: CaspenServer
) -> None:
    bookkeeper = settle_everything(over_http)
    synced = over_http.cli("sync", "--json")
    assert synced.exit_code == 0, synced.stdout
    assert synced.json["command"] == "sync"
    assert synced.json["pull"]["payments"] == len(bookkeeper.made) == 6
    assert {id_: as_arrived(record) for id_, record in caspen_server.received.items()} == bookkeeper.made
    assert caspen_server.records["invoice", "inv_INV-0001"]["status"] == "paid"

    books = in_xero(over_http)
    for _ in range(2):  # Caspen's export now holds that money as ordinary payments, each with its xero_id
        over_http.forget_calls()
        again = over_http.cli("sync", "--json")
        assert again.exit_code == 0, again.stdout
        assert (again.json["pull"]["payments"], again.json["push"]["payments"]) == (0, 0)
        assert over_http.writes() == []
    assert in_xero(over_http) == books
    assert len(caspen_server.received) == 6
    assert over_http.unsynced() == []
    assert over_http.cli("drift", "--json").json["drift"] == []
    adopted = over_http.sql("SELECT xero_id FROM links WHERE kind = 'payment' AND NOT made_by_us")
    assert {row["xero_id"] for row in adopted} == set(bookkeeper.made)


def test_the_circle_through_files(ready: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "export.jsonl").write_text("".join(json.dumps(record) + "\n" for record in EXPORT))
    ready.cli("settings", "set", "--source", folder)
    assert ready.push().json["synced"] == 3
    bookkeeper = settle_everything(ready)
    assert ready.cli("sync", "--json").json["pull"]["payments"] == 6
    lines = (folder / "caspen-updates.jsonl").read_text().splitlines()
    records = [json.loads(text) for text in lines]
    assert {record["id"]: as_arrived(record) for record in records} == bookkeeper.made
    recorded = [
        payment(100 + n, record["invoice_number"], record["amount"], xero_id=record["id"], method_id=None)
        for n, record in enumerate(records)
    ]
    (folder / "next.json").write_text(json.dumps(recorded))
    books = in_xero(ready)
    assert ready.cli("sync").exit_code == 0
    assert in_xero(ready) == books
    assert (folder / "caspen-updates.jsonl").read_text().splitlines() == lines
    assert ready.cli("drift", "--json").json["drift"] == []


def test_a_new_home_learns_from_caspen_what_it_was_told_before(
    over_http: Clinic, caspen_server: CaspenServer, cli: Callable[..., Any]
) -> None:
    settle_everything(over_http)
    pull(over_http)
    for table in ("xero_payments", "seen_invoices", "feed_cursors"):
        over_http.sql(f"DELETE FROM {table}")
    over_http.sql("DELETE FROM settings WHERE key LIKE 'pull%'")
    over_http.push()
    assert pull(over_http)["payments"] == 0
    assert len(caspen_server.received) == 6
    assert over_http.cli("drift", "--json").json["drift"] == []


def test_only_what_is_new_is_fetched_and_a_changed_source_starts_anew(
    over_http: Clinic, caspen_server: CaspenServer
) -> None:
    caspen_server.requests.clear()
    over_http.push()
    asked = {request.path: request.query.get("updated_since") for request in caspen_server.requests}
    assert asked["/v1/invoices"]
    with CaspenServer(EXPORT) as other:
        over_http.cli("settings", "set", "--source", other.url)
        over_http.push()
        assert {request.query.get("updated_since") for request in other.requests} == {None}


def test_records_of_other_kinds_are_counted_in_the_import(ready: Clinic) -> None:
    said = ready.takes(client("1"), {"object": "appointment", "id": "app_1"}, {"object": "appointment", "id": "app_2"})
    assert "passed over 2 appointment" in said.stdout


# --- Caspen in trouble


def test_what_caspen_has_already_counts_as_delivered(over_http: Clinic, caspen_server: CaspenServer) -> None:
    bookkeeper = settle_everything(over_http)
    assert (
        killed_before(over_http, "caspen_xero.store.xero_payments.mark_delivered", CASPEN_API_KEY=caspen_server.key)
        == -9
    )
    assert len(caspen_server.received) == 1
    del caspen_server.records["payment", "pay_from_xero_1"]  # its lists don't show it yet
    assert pull(over_http)["payments"] == 6
    assert set(caspen_server.received) == set(bookkeeper.made)
    posted = [request.idempotency_key for request in caspen_server.requests if request.method == "POST"]
    assert sorted(set(posted)) == sorted(bookkeeper.made)
    assert len(posted) == 7  # one of them twice, which Caspen knew by its key


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5])
def test_a_sync_killed_at_any_call_tells_caspen_each_payment_once(
    over_http: Clinic, caspen_server: CaspenServer, call: int
) -> None:
    bookkeeper = settle_everything(over_http)
    with killed_at(over_http, call, "after", "sync", CASPEN_API_KEY=caspen_server.key):
        pass
    assert over_http.cli("sync").exit_code == 0
    assert {id_: as_arrived(record) for id_, record in caspen_server.received.items()} == bookkeeper.made
    money = [record for record in caspen_server.records.values() if record["object"] == "payment"]
    assert sorted(one["xero_id"] for one in money if one.get("xero_id")) == sorted(bookkeeper.made)


def test_a_payment_that_caspen_refuses_waits_and_the_rest_goes_on(
    over_http: Clinic, caspen_server: CaspenServer
) -> None:
    bookkeeper = settle_everything(over_http)
    caspen_server.answer_next(422, {"message": "Invalid.", "errors": {"amount": ["is too much"]}}, method="POST")
    partly = over_http.cli("pull", "--json")
    assert partly.exit_code == 3
    assert [one["code"] for one in partly.json["refused"]] == ["caspen-refused"]
    assert len(caspen_server.received) == 5
    assert [row["code"] for row in over_http.cli("drift", "--json").json["drift"]] == ["not-in-caspen-yet"]
    assert pull(over_http)["payments"] == 1
    assert set(caspen_server.received) == set(bookkeeper.made)


def test_a_payment_over_which_caspen_breaks_down_does_not_hold_up_the_rest(
    over_http: Clinic, caspen_server: CaspenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", partial(ApiFeed, sleep=lambda seconds: None))
    bookkeeper = settle_everything(over_http)
    caspen_server.answer_next(500, times=5, method="POST")  # all the tries for the first payment
    partly = over_http.cli("pull", "--json")
    assert (partly.exit_code, partly.json["stopped"]["code"]) == (6, "caspen-unavailable")
    assert len(caspen_server.received) == 5
    assert pull(over_http)["payments"] == 1
    assert set(caspen_server.received) == set(bookkeeper.made)


def test_a_caspen_that_takes_nothing_is_not_asked_over_every_payment(
    over_http: Clinic, caspen_server: CaspenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", partial(ApiFeed, sleep=lambda seconds: None))
    settle_everything(over_http)
    caspen_server.requests.clear()
    caspen_server.answer_next(503, times=100, method="POST")
    assert over_http.cli("pull", "--json").exit_code == 6
    posted = [request for request in caspen_server.requests if request.method == "POST"]
    assert len(posted) == 10  # five tries for each of two payments


def test_a_key_that_may_only_read_stops_the_delivery_and_nothing_is_lost(
    over_http: Clinic, caspen_server: CaspenServer
) -> None:
    bookkeeper = settle_everything(over_http)
    caspen_server.answer_next(403, method="POST")
    stopped = over_http.cli("pull", "--json")
    assert (stopped.exit_code, stopped.json["stopped"]["code"]) == (1, "caspen-forbidden")
    assert pull(over_http)["payments"] == 6
    assert set(caspen_server.received) == set(bookkeeper.made)


def test_an_imported_folder_that_is_gone_gets_its_payments_when_it_is_back(ready: Clinic, tmp_path: Path) -> None:
    folder, away = tmp_path / "disk" / "export", tmp_path / "away"
    folder.mkdir(parents=True)
    (folder / "export.jsonl").write_text("".join(json.dumps(record) + "\n" for record in EXPORT))
    ready.cli("import", folder)
    ready.push()
    bookkeeper = settle_everything(ready)
    folder.rename(away)
    stuck = ready.cli("pull", "--json")
    assert (stuck.exit_code, stuck.json["stopped"]["code"]) == (1, "nowhere-to-deliver")
    away.rename(folder)
    assert pull(ready)["payments"] == 6
    assert len((folder / "caspen-updates.jsonl").read_text().splitlines()) == len(bookkeeper.made)


# --- the key


def test_a_source_set_at_a_terminal_asks_once_for_the_key_and_keeps_it_out_of_sight(
    ready: Clinic, caspen_server: CaspenServer, terminal: Callable[..., Any]
) -> None:
    arguments = ("settings", "set", "--source", caspen_server.url)
    asked = terminal(*arguments, typing=[("Key for Caspen's API", caspen_server.key)])
    assert asked.exit_code == 0
    assert caspen_server.key not in asked.stdout
    assert "Key for Caspen's API" not in terminal(*arguments).stdout
    kept = ready.home / "default" / "caspen-key.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert caspen_server.key.encode() not in ready.store_file.read_bytes()
    assert ready.push().json["synced"] == 3
    ready.cli("settings", "set", "--source", "http://127.0.0.1:9/v1")  # another server never sees this key
    assert not kept.exists()
    assert ready.push().json["error"]["code"] == "caspen-key-missing"
    assert Decimal(ready.listed()["INV-0001"]["amount_paid"]) == 100


def test_a_key_in_a_file_is_found_and_forgotten_there_though_the_sign_in_has_ended(
    ready: Clinic, caspen_server: CaspenServer, terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    typing = [("Key for Caspen's API", caspen_server.key)]
    terminal("settings", "set", "--source", caspen_server.url, typing=typing)
    monkeypatch.setattr(keyring.core, "_keyring_backend", fail.Keyring())  # a server without a keyring
    assert ready.cli("disconnect", "--local-only").exit_code == 0
    (source,) = [one for one in ready.cli("doctor", "--json").json["checks"] if one["name"] == "source"]
    assert source["ok"]
    assert ready.cli("settings", "set", "--source", "none").exit_code == 0
    assert not (ready.home / "default" / "caspen-key.json").exists()
