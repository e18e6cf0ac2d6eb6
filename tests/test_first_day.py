"""The first day: `caspen-xero` alone, `setup` led at a terminal and gone on with, and a trial that stays apart from real books."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from clinics import EFTPOS, TAX_RATES, client, invoice, line, payment
from house import HOUSE
from pushing import Clinic

from caspen_xero.cli import sandbox as sandbox_command
from caspen_xero.cli import setup_questions
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store

Terminal = Callable[..., Any]


def steps_of(told: Any) -> dict[str, bool]:
    steps = {step["step"]: step["done"] for step in told.json["steps"]}
    assert len(steps) == len(told.json["steps"])  # each stands there once
    return steps


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export with two rates, of which one has to be chosen, and one payment method."""
    file = tmp_path / "export.jsonl"
    records = [
        *TAX_RATES,
        EFTPOS,
        client("1048237"),
        invoice("INV-0001", [line()]),
        invoice("INV-0002", [line(rate="tax_free")]),
        payment("20.00", ("inv_INV-0001", "20.00")),
    ]
    file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return file


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that follows where it is sent, as a person who allows access does."""
    script = tmp_path / "browser"
    follow = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"
    script.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", follow])} "$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(script))


def test_setup_is_led_ended_and_gone_on_with_to_the_first_push(
    sandbox: Sandbox, home: Path, cli: Callable[..., Any], terminal: Terminal, browser: None, export: Path
) -> None:
    refused = cli("setup", "--json")
    assert (refused.exit_code, steps_of(refused)["connect"], home.exists()) == (4, False, False)

    ended = terminal(
        "setup",
        typing=[
            ("Client id", "APP"),
            ("file instead", "y"),
            ("(Enter: later)", str(export.parent / "nowhere")),
            ("no file or folder", str(export)),
            ("Number", "nonsense"),
            ("Number", "200"),
            ("Number", "\x03"),
        ],
    )
    assert ended.exit_code == 130
    assert "There is no account in Xero called 'nonsense'" in ended.stdout
    assert "Account for invoice lines: 200 Sales." in ended.stdout
    assert "Stopped at step 4" in ended.stdout
    assert ended.stdout.count("caspen-xero setup\n") == 1

    assert "from here: Who brings the payments to Xero." in cli().stdout
    standing = cli("setup")
    assert standing.exit_code == 5
    assert "done: Account for invoice lines: 200 Sales" in standing.stdout
    assert "  caspen-xero settings accounts payments\n" in standing.stdout

    done = terminal(
        "setup",
        typing=[
            ("Number", ""),  # payments go to Xero
            ("Number", "Clinic Card Settlement"),
            ("EFTPOS payments go to", "090"),
            ("Caspen's GST free", "3"),
            ("What of a client goes to Xero:", "2"),  # the name only
            ("such as 2026-11-28", ""),
            ("Send them? [y/N]", "y"),
        ],
    )
    assert done.exit_code == 0, done.stdout
    assert "The first day is done" in done.stdout
    settings = cli("settings", "show", "--json").json["settings"]
    assert settings["privacy"] == "name-only"
    assert settings["payment_account"]["name"] == "Clinic Card Settlement"
    assert cli("status", "--json").json["invoices"]["synced"] == 2
    assert all(steps_of(cli("--json")).values())
    assert cli("setup").exit_code == 0
    again = terminal("setup")
    assert (again.exit_code, "9 of 9  First push" in again.stdout) == (0, True)


def test_gone_on_with_setup_says_what_was_linked_and_chosen_earlier(
    ready: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Session(Output())) as session:
        setup_questions.link_rates(session)
    told = capsys.readouterr().out
    assert "GST is linked to GST on Income (OUTPUT, 10 %).\n" in told
    assert "Every tax rate is linked.\n" in told


def test_no_sentence_of_the_program_sends_people_to_a_file_that_only_a_clone_has() -> None:
    said = [line for file in HOUSE.rglob("*.py") for line in file.read_text().splitlines() if "docs/" in line]
    assert [line for line in said if ".md" in line and '"""' not in line and "`" not in line] == []


def test_alone_it_says_where_one_stands_and_the_next_step(
    connected: Path, cli: Callable[..., Any], export: Path
) -> None:
    assert "caspen-xero setup" in cli().stdout
    cli("settings", "set", "--sales-account", "200", "--payment-account", "090", "--source", str(export))
    cli("taxes", "map", "GST free", "EXEMPTOUTPUT")
    cli("push")
    told = cli()
    assert "2 of 2 finalised invoices are in Xero and equal" in told.stdout
    assert told.stdout.endswith(
        "Next: bring both sides up to date. By itself:  caspen-xero schedule install\n  caspen-xero sync\n"
    )
    assert cli("--json").json["next"] == "caspen-xero sync"


def test_a_local_xero_is_marked_on_a_terminal_only(
    connected: Path, cli: Callable[..., Any], terminal: Terminal, screen: Terminal, sandbox: Sandbox
) -> None:
    mark = f"local Xero at {sandbox.url}]"
    assert terminal("taxes", "list").stdout.count(mark) == 1
    assert mark not in cli("taxes", "list").stderr + terminal("taxes", "list", "--quiet").stdout
    assert mark not in screen("taxes", "list", shell="| cat").stdout


def test_a_workspace_that_knew_a_local_xero_meets_the_real_one_by_a_yes_only(
    connected: Path, cli: Callable[..., Any], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("disconnect")
    monkeypatch.delenv("XERO_URL")
    told = cli("connect", "--client-id", "APP", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (2, "trial-and-real")
    told = cli("connect", "--client-id", "APP", "--token-store", "file")
    assert "caspen-xero connect --client-id APP --token-store file --workspace NAME" in told.stderr
    assert "caspen-xero connect --client-id APP --token-store file --yes" in told.stderr
    refused = terminal(
        "connect", "--client-id", "APP", typing=[("Connect it to the real Xero all the same? [y/N]", "")]
    )
    assert (refused.exit_code, "may be of a trial" in refused.stdout) == (2, True)


def test_a_workspace_that_knew_the_real_xero_takes_no_trial_unasked(
    sandbox: Sandbox, home: Path, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    caspen(client("1048237"))
    with closing(Store(home / "default" / "store.sqlite")) as store:
        real = {"tenant_id": "t", "tenant_name": "Clinic", "xero_url": None}
        store.set_connection(real)
        store.set_connection(None)
    assert cli("connect", "--client-id", "APP", "--json").json["error"]["code"] == "trial-and-real"


def test_a_source_that_cannot_be_read_is_asked_for_again_and_never_kept(
    connected: Path, cli: Callable[..., Any], terminal: Terminal, export: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ended = terminal(
        "setup",
        typing=[
            ("(Enter: later)", str(tmp_path / "empty")),
            ("Another file", ""),
            ("settings set --source PATH", ""),
            ("Number", "\x03"),
        ],
    )
    assert "holds no .json" in " ".join(ended.stdout.split())
    assert cli("settings", "show", "--json").json["settings"]["source"] is None
    assert not steps_of(cli("--json"))["source"]
    terminal(
        "setup", typing=[("(Enter: later)", str(tmp_path / "empty")), ("Another file", str(export)), ("Number", "\x03")]
    )
    assert cli("settings", "show", "--json").json["settings"]["source"] == str(export)
    assert steps_of(cli("--json"))["source"]


def test_a_source_that_was_set_and_gives_nothing_is_told_and_asked_for_by_setup(
    connected: Path, cli: Callable[..., Any], terminal: Terminal, export: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert "can't be read" in cli("settings", "set", "--source", tmp_path / "empty").stderr
    assert "can't be read" in cli().stdout
    terminal("setup", typing=[("Another file", str(export)), ("Number", "\x03")])
    assert "2 invoices from" in cli().stdout


def test_a_start_date_that_leaves_all_out_is_doubted_and_asked_for_again(
    connected: Path, cli: Callable[..., Any], terminal: Terminal, export: Path
) -> None:
    told = cli("settings", "set", "--sales-account", "200", "--payment-account", "090", "--source", str(export))
    assert cli("push", "--dry-run").exit_code in (0, 3)
    odd = cli("settings", "set", "--start-date", "20261128")
    assert (odd.exit_code, "YYYY-MM-DD, such as 2026-11-28" in odd.stderr) == (2, True)
    told = cli("settings", "set", "--start-date", "2999-01-01")
    assert "lies in the future: all 2 finalised invoices stay out of Xero" in told.stderr
    assert "caspen-xero settings set --start-date none" in told.stderr
    assert "all 2 finalised invoices stay out of Xero" in cli().stdout
    shown = terminal(
        "setup",
        typing=[
            ("Number", ""),  # who brings the payments
            ("EFTPOS payments", ""),
            ("Caspen's GST free", "3"),
            ("What of a client", ""),
            ("Keep this start date? [y/N]", ""),
            ("such as 2026-11-28", "28/11/2026"),
            ("is no day written as", "2998-01-01"),
            ("Keep this start date? [y/N]", "n"),
            ("such as 2026-11-28", "none"),
            ("Send them? [y/N]", "y"),
        ],
    )
    assert shown.exit_code == 0, shown.stdout


def test_the_local_xeros_commands_import_a_sample_and_are_found_from_any_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_command.shutil, "which", lambda _: None)
    told = sandbox_command._welcome("http://localhost:8790", None, "GB")
    assert 'import "$CASPEN_XERO_HOME/export.jsonl"' in told
    copied = next(line for line in told.splitlines() if line.startswith("    cp "))
    assert Path(shlex.split(copied)[1]).is_file()
    assert f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"' in told
