"""A report of a fault can be given to anybody: nothing of the clinic, its clients, its money or its secrets is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, invoice, line, payment
from pushing import Clinic
from test_secrets import secrets_of
from typer.testing import CliRunner

from caspen_xero.cli.app import app
from caspen_xero.sync.sending.journal import Journal

KEY = "caspen-key-that-nobody-may-see"
PERSON = client("1048237", "Nell", "Okafor", email="nell@example.org", phone_number="+61 400 1")
WRONG = invoice(
    "INV-0002", [line("77.31", description="Anxiety", tax_rate_id="Nells-own-rate")], reference="Nell's plan"
)
PLANTED = [
    *("Nell", "Okafor", "nell@example.org", "400 1", "Anxiety", "1048237"),
    *("INV-0001", "INV-0002", "inv_", "pay_1", "165", "123.45", "77.31", "63.21", "Bank feed"),
    *("Demo Company", "TEST-APP", KEY, "Clinic of Nell", "sandbox"),
]


@pytest.fixture
def used(ready: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clinic:
    """A clinic with records, problems, a fault of ours, an edit in Xero, a source and a key."""
    source = tmp_path / "Clinic of Nell Okafor"
    source.mkdir()
    monkeypatch.setenv("CASPEN_API_KEY", KEY)
    ready.takes(EFTPOS, PERSON, invoice(), payment("123.45", ("inv_INV-0001", "123.45")), WRONG)
    ready.push()
    in_xero.pays(ready, "INV-0001", "21.00")
    in_xero.edits(ready, "INV-0001", Reference="Nell Okafor's own words")
    ready.cli("pull")

    def breaks(*arguments: Any) -> None:
        raise RuntimeError("Nell Okafor, nell@example.org, INV-0001")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "send", breaks)
        ready.takes(payment("20.55", ("inv_INV-0001", "20.55"), id_="pay_2"))
        assert CliRunner().invoke(app, ["push"]).exit_code == 1
    assert ready.cli("settings", "set", "--source", source).exit_code == 0
    return ready


def test_nothing_that_is_anybodys_is_in_it(used: Clinic, tmp_path: Path) -> None:
    assert used.unsynced()
    made = used.cli("doctor", "--bundle", tmp_path / "report.json")
    assert made.exit_code == 0, made.stderr
    file = tmp_path / "report.json"
    text = file.read_text()
    planted = [*PLANTED, *secrets_of(used.home), used.tenant_id, str(used.home), str(Path.home()), str(tmp_path)]
    # A number is found as a whole: its digits may stand in a time, or in a count of bytes.
    assert [word for word in planted if re.search(rf"(?<!\d){re.escape(word)}(?!\d)", text)] == []
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_tells_what_is_needed_and_the_command_says_what_that_is(used: Clinic, tmp_path: Path) -> None:
    told = used.cli("doctor", "--bundle", tmp_path / "report.json", "--json").json
    bundle = json.loads(Path(told["bundle"]).read_text())
    assert set(told["holds"]) == {"program", "surroundings", "findings", "store", "defects"} < set(bundle)
    assert bundle["program"]["libraries"]["httpx"]
    assert "CASPEN_API_KEY" in bundle["surroundings"]
    assert {"check": "store", "ok": True} in bundle["findings"]
    assert bundle["store"]["rows"]["invoices"] == 2
    assert bundle["store"]["problems"] == {"tax-rate-missing": 1}
    assert bundle["store"]["http_statuses"]["200"] >= 2
    assert bundle["store"]["settings"]["source"] == "set"
    assert any(run["command"] == "push" and run["numbers"].get("synced") == 1 for run in bundle["store"]["runs"])
    assert bundle["defects"][0]["errors"][0]["kind"] == "RuntimeError"
    assert any("sync/sending/push.py:" in frame for frame in bundle["defects"][0]["errors"][0]["frames"])
    assert "Nothing was sent to anybody." in used.cli("doctor", "--bundle", tmp_path / "another.json").stdout


def test_without_a_name_it_goes_to_the_workspaces_folder_and_never_where_one_stands(
    used: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    monkeypatch.chdir(export)
    made = Path(used.cli("doctor", "--bundle", "--json").json["bundle"])
    assert (made.parent, list(export.iterdir())) == (used.store_file.parent, [])


def test_without_a_store_with_a_damaged_one_and_without_a_network(
    used: Clinic, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.xero.client.READ_TRIES", 1)
    used.control("faults", kind="drop-before", path="/api.xro/", count=None)
    assert used.cli("doctor", "--bundle", tmp_path / "1.json").exit_code == 0
    used.store_file.write_bytes(used.store_file.read_bytes()[:5000])
    for beside in ("-wal", "-shm"):
        used.store_file.with_name(f"store.sqlite{beside}").unlink(missing_ok=True)
    assert used.cli("doctor", "--bundle", tmp_path / "2.json").exit_code == 0
    assert json.loads((tmp_path / "2.json").read_text())["store"] == {"error": "store-damaged"}
    used.cli("workspaces", "add", "none-yet")
    assert used.cli("doctor", "--bundle", tmp_path / "3.json", "--workspace", "none-yet").exit_code == 0
    assert json.loads((tmp_path / "3.json").read_text())["store"] == {"error": "none"}
    assert not (home / "none-yet" / "store.sqlite").exists()


def test_where_it_can_not_be_written_no_half_of_it_is_left(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("caspen_xero.cli.bundle.json.dump", no_room)
    refused = cli("doctor", "--bundle", tmp_path / "report.json")
    assert (refused.exit_code, "caspen-xero doctor --bundle FILE" in refused.stderr) == (1, True)
    assert not list(tmp_path.glob("report*"))


@pytest.mark.parametrize("kind", ["a file", "a link", "a dangling link"])
def test_nothing_is_written_over(home: Path, cli: Any, tmp_path: Path, kind: str) -> None:
    there, other = tmp_path / "there.json", tmp_path / "other.json"
    if kind != "a dangling link":
        other.write_text("as it was")
    if kind == "a file":
        there.write_text("as it was")
    else:
        there.symlink_to(other)
    refused = cli("doctor", "--bundle", there)
    assert (refused.exit_code, "is there already" in refused.stderr) == (1, True)
    assert kind == "a dangling link" or there.read_text() == "as it was"
    assert kind != "a dangling link" or not other.exists()


def test_a_report_that_somebody_has_put_there_says_nothing(used: Clinic, tmp_path: Path) -> None:
    kept = sorted((used.home / "default" / "defects").iterdir())[0]
    kept.write_text(
        json.dumps(
            {
                "at": "Nell",
                "version": "Nell",
                "command": "Nell!",
                "errors": [{"kind": "Nell Okafor", "frames": ["Nell Okafor"]}],
            }
        )
    )
    assert used.cli("doctor", "--bundle", tmp_path / "report.json").exit_code == 0
    assert "Nell" not in (tmp_path / "report.json").read_text()


def test_a_file_without_the_option_is_wrong_usage(home: Path, cli: Any) -> None:
    assert cli("doctor", "somewhere.json").exit_code == 2
