"""The Tab key offers what can stand next: in every shell, in its own quotes, at once, and without leaving a trace."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clinics import invoice
from conftest import clean_environment

from caspen_xero.cli.completion import VARIABLE, answer
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store

ACCOUNTS = [
    {"account_id": "a-1", "code": "090", "name": "Bank", "status": "ACTIVE", "type": "BANK", "account_class": "ASSET"},
    {
        "account_id": "a-2",
        "code": "200",
        "name": "Sales",
        "status": "ACTIVE",
        "type": "REVENUE",
        "account_class": "REVENUE",
    },
    {"account_id": "a-3", "name": "Card Settlement", "status": "ACTIVE", "type": "BANK", "account_class": "ASSET"},
]
RATES = [{"name": "GST on Income", "tax_type": "OUTPUT", "status": "ACTIVE", "can_apply_to_revenue": True}]
HOSTILE = (
    "GST $(touch pwned)",
    "`touch pwned`",
    "x';touch pwned;'",
    'x";touch pwned;"',
    "\\$(touch pwned)",
    "a\nb",
    "\x1b[31mred",
)


@pytest.fixture
def store(home: Path, caspen: Callable[..., None]) -> Path:
    """A workspace's store with names of every kind, some of them meant to be run by a shell."""
    caspen(
        {"object": "tax_rate", "id": "tax_1", "name": "GST", "rate": "10", "archived": False},
        {"object": "tax_rate", "id": "tax_2", "name": "GST free", "rate": "0", "archived": False},
        *(
            {"object": "tax_rate", "id": f"$({number})", "name": name, "rate": "0", "archived": False}
            for number, name in enumerate(HOSTILE)
        ),
        {"object": "payment_method", "id": "pmt_1", "name": "EFTPOS", "type": "eftpos"},
        {"object": "client", "id": "cli_1", "name": "Ann Lee"},
        invoice("INV-0001"),
        invoice("INV-0002"),
    )
    file = home / "default" / "store.sqlite"
    with closing(Store(file)) as opened:
        organisation = Mappings(opened, "tenant")
        organisation.put_xero_list("Accounts", datetime.now(UTC), json.dumps(ACCOUNTS))
        organisation.put_xero_list("TaxRates", datetime.now(UTC), json.dumps(RATES))
    shutil.copytree(home / "default", home / "london")
    return file


def ask(shell: str, line: str) -> str:
    """What a script of typer's for a shell is answered; the last word of the line is the one that is being typed."""
    told = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_WORD_TO_COMPLETE": line.rpartition(" ")[2]}
    words = line.replace("=", " = ").split(" ")
    told |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), VARIABLE: f"complete_{shell}"}
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(out):
        assert answer({**os.environ, **told})
    return out.buffer.getvalue().decode()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("caspen-xero inv", ["invoices"]),
        ("caspen-xero invoices sk", ["skip"]),
        ("caspen-xero push --pay", ["--pay-anyway"]),
        ("caspen-xero push INV-0001 ", ["INV-0001", "INV-0002"]),
        ("caspen-xero invoices show inv-0002", ["INV-0002"]),
        ("caspen-xero invoices show INV-0002 ", []),
        ("caspen-xero push --overwrite ", ["INV-0001", "INV-0002"]),
        ("caspen-xero invoices list --status dr", ["draft"]),
        ("caspen-xero taxes map ", ["GST", "GST\\ free"]),
        ("caspen-xero taxes map GST ", ["OUTPUT"]),
        ("caspen-xero settings set --sales-account ", ["200"]),
        ("caspen-xero settings set --payment-account=", ["090", "Card\\ Settlement"]),
        ("caspen-xero settings set --payment-method EFT", ["EFTPOS=090", "EFTPOS=Card\\ Settlement"]),
        ("caspen-xero settings set --payment-method EFTPOS=0", ["090"]),
        ("caspen-xero status --workspace l", ["london"]),
        ("caspen-xero taxes map --workspace ../default ", []),
        ("caspen-xero invoices show --workspace nowhere ", []),
        ("caspen-xero help ex", ["exit-codes"]),
        ("caspen-xero invoices list INV-00", ["INV-0001", "INV-0002"]),
        ("caspen-xero log inv-0002", ["INV-0002"]),
        ("caspen-xero log --sort -s", ["-sent"]),
        ("caspen-xero invoices list --sort d", ["date", "due"]),
        ("caspen-xero schedule install --every 1", ["10m", "12h", "12m", "15m", "1d", "1h"]),
        ("caspen-xero contacts link ", ["cli_1"]),
        ("caspen-xero unsynced ", []),
        ("caspen-xero schema fee", ["feed"]),
        ("caspen-xero schema invoices li", ["link", "list"]),
    ],
)
def test_what_can_stand_next_is_offered(store: Path, line: str, offered: list[str]) -> None:
    assert sorted(ask("bash", line).split("\n")) == (offered or [""])


def test_who_waits_for_tab_waits_for_no_library_of_ours(store: Path) -> None:
    script = "import sys, os, json\nfrom caspen_xero.cli.start import main\nmain()\nprint()\nprint(json.dumps(list(sys.modules)))\n"
    asked = {
        VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_ARGS": "caspen-xero taxes map ",
        "CASPEN_XERO_HOME": str(store.parent.parent),
    }
    environment = clean_environment(**asked, _TYPER_COMPLETE_FISH_ACTION="get-args")
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    *answer, modules = done.stdout.splitlines()
    assert answer[0] == "GST\t10 %"
    heavy = (
        "typer",
        "rich",
        "pydantic",
        "sqlite_utils",
        "httpx",
        "keyring",
        "caspen_xero.store.store",
        "caspen_xero.cli.app",
    )
    assert [name for name in json.loads(modules) if name in heavy] == []


def test_nothing_is_made_or_changed_by_asking(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "caspen-xero invoices show INV-0001"

    def there() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in store.parent.parent.rglob("*") if file.is_file()}

    before = there()
    assert ask("bash", line) == "INV-0001"
    assert there() == before
    with closing(sqlite3.connect(store)) as other:
        other.execute("UPDATE invoices SET number = 'INV-0009' WHERE number = 'INV-0001'")
        other.commit()
        assert ask("bash", "caspen-xero invoices show INV-0009") == "INV-0009"
        other.execute("BEGIN EXCLUSIVE")
        assert ask("bash", line) in ("", "INV-0001")
    for content in (b"", b"no database", store.read_bytes()[:5000]):
        store.write_bytes(content)
        assert ask("bash", line) == ""
        assert store.read_bytes() == content
    monkeypatch.setenv("CASPEN_XERO_HOME", str(tmp_path / "nowhere"))
    assert ask("zsh", line) == ""
    assert not (tmp_path / "nowhere").exists()


def test_bash_completes_without_running_what_it_is_answered(store: Path, tmp_path: Path) -> None:
    script = f"""
        eval "$({VARIABLE}=source_bash caspen-xero)"
        COMP_WORDS=(caspen-xero taxes map ''); COMP_CWORD=3; _caspen_xero_completion caspen-xero
        printf '<%s>' "${{COMPREPLY[@]}}"
    """
    assert in_a_shell(["bash", "--norc", "-c", script], tmp_path) == "<GST><GST\\ free>"


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh here")
def test_zsh_completes_without_running_what_it_is_answered(store: Path, tmp_path: Path) -> None:
    script = f"""
        compdef() {{ : }}; _files() {{ print files }}; _describe() {{ print -rl -- ${{(P)3}} }}
        eval "$({VARIABLE}=source_zsh caspen-xero)"
        words=(caspen-xero taxes map ''); CURRENT=4; _caspen_xero_completion
        words=(caspen-xero push --a); CURRENT=3; _caspen_xero_completion
        words=(caspen-xero import ''); CURRENT=3; _caspen_xero_completion
    """
    shown = in_a_shell(["zsh", "-f", "-c", script], tmp_path).splitlines()
    assert shown[:2] == ["GST:10 %", "GST free:0 %"]
    assert shown[-2].startswith("--all:With --dry-run")
    assert shown[-1] == "files"


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish here")
def test_fish_completes_without_running_what_it_is_answered(store: Path, tmp_path: Path) -> None:
    script = f"""
        {VARIABLE}=source_fish caspen-xero | source
        complete -C 'caspen-xero taxes map '
        complete -C 'caspen-xero settings set --sales-account='
    """
    assert in_a_shell(["fish", "--no-config", "-c", script], tmp_path).splitlines() == [
        "GST\t10 %",
        "GST free\t0 %",
        "--sales-account=200\tSales",
    ]


def test_powershell_gets_names_in_quotes(store: Path) -> None:
    assert ask("powershell", "caspen-xero taxes map G") == "GST:::10 %\n'GST free':::0 %"
    assert ask("pwsh", "caspen-xero invoices show INV-0002") == "INV-0002:::2026-11-02 165.00 AUD"


def in_a_shell(command: list[str], folder: Path) -> str:
    """What a shell writes; nothing that a name asks for may have been run."""
    program = folder / "bin" / "caspen-xero"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m caspen_xero "$@"\n')
    program.chmod(0o755)
    ours = {name: value for name, value in os.environ.items() if name.startswith("CASPEN_")}
    environment = clean_environment(**ours) | {"HOME": str(folder), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert not (folder / "pwned").exists()
    return done.stdout
