"""The command line as a whole: its version, its help, how it starts, how it says that it was typed wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import in_xero
import pytest
import typer
from clinics import TAX_RATES, client, invoice, line, payment
from conftest import clean_environment, command_line
from pushing import Clinic
from typer.testing import CliRunner

from caspen_xero import __version__
from caspen_xero.cli import output, streams
from caspen_xero.cli.app import app
from caspen_xero.cli.output import Output

HEAVY = ("httpx", "keyring", "sqlite_utils", "uvicorn", "starlette", "rich", "caspen_xero.caspen", "caspen_xero.xero")


def modules_after(arguments: list[str]) -> list[str]:
    """The modules that a run of `caspen-xero` has imported when it ends."""
    script = (
        "import json, sys\n"
        "from caspen_xero.cli.app import main\n"
        f"sys.argv = ['caspen-xero', *{arguments!r}]\n"
        "try:\n    main()\nfinally:\n    print(json.dumps(list(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return modules


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_version_and_help_import_neither_http_nor_keyring_nor_models(arguments: list[str]) -> None:
    imported = modules_after(arguments)
    assert [name for name in imported if name.startswith(HEAVY) and name != "caspen_xero.cli"] == []


def test_version(cli: Callable[..., Any]) -> None:
    result = cli("--version")
    assert (result.exit_code, result.stdout) == (0, f"caspen-xero {__version__}\n")


def test_help_leads_with_commands_to_paste(cli: Callable[..., Any]) -> None:
    lines = cli("--help").stdout.splitlines()
    assert lines.index("  caspen-xero demo") < lines.index("Commands:")


def commands_below(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command and group."""
    yield path
    context = command.make_context("caspen-xero", [], resilient_parsing=True)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from commands_below(command.get_command(context, name), *path, name)


@pytest.mark.parametrize("path", list(commands_below(typer.main.get_command(app))), ids=" ".join)
def test_no_help_is_wider_than_80_columns(cli: Callable[..., Any], path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], terminal_width=80).output
    assert "Usage:" in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_without_arguments_the_first_things_are_told_and_nothing_is_made(cli: Callable[..., Any], home: Path) -> None:
    told = cli()
    assert [line for line in told.stdout.splitlines() if line.startswith("  caspen-xero")] == [
        "  caspen-xero demo",
        "  caspen-xero setup",
        "  caspen-xero --help",
    ]
    assert (told.exit_code, home.exists()) == (0, False)


@pytest.mark.parametrize("arguments", [["pussh"], ["settings", "set", "--payments", "maybe"], ["taxes", "map"]])
def test_wrong_usage_ends_with_2_and_in_json_where_json_was_asked_for(
    cli: Callable[..., Any], arguments: list[str]
) -> None:
    in_words, in_json = cli(*arguments), cli(*arguments, "--json")
    assert (in_words.exit_code, in_json.exit_code) == (2, 2)
    assert in_words.stdout == ""
    assert in_json.json["error"]["code"] == "usage"
    assert in_json.json["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    ("arguments", "takes"),
    [
        ("log --limit 0", "--limit takes a whole number from 1 to 1,000,000."),
        ("log -n x", "--limit takes a whole number from 1 to 1,000,000."),
        ("invoices list --limit -1", "--limit takes a whole number from 1 to 10,000,000."),
        ("push --max-writes 1.5", "--max-writes takes a whole number of 0 or more."),
        ("connect --timeout 0", "--timeout takes a whole number from 1 to 86,400."),
        ("sandbox serve --port 70000", "--port takes a whole number from 0 to 65,535."),
        ("sandbox serve --minute-seconds 0", "--minute-seconds takes a number of 0.1 or more."),
    ],
)
def test_a_number_that_is_not_taken_is_told_with_those_that_are(
    cli: Callable[..., Any], arguments: str, takes: str
) -> None:
    refused = cli(*arguments.split())
    assert (refused.exit_code, f"Error: {takes}\n" in refused.stderr) == (2, True), refused.stderr


def test_what_stands_after_two_hyphens_is_no_option(home: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(CASPEN_XERO_HOME=str(home))
        return subprocess.run(command_line(*words), env=environment, capture_output=True, text=True, check=False)

    wrong = run("log", "--bogus", "--", "--json", "--workspace", "nowhere")
    assert (wrong.returncode, wrong.stdout, "Error: No such option: --bogus" in wrong.stderr) == (2, "", True)
    assert run("log", "--", "--json").stdout == "Nothing with --json was sent to Xero.\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("columns", ["", "many", "0", "80"])
def test_names_that_the_terminal_lacks_and_odd_widths_end_no_command(
    home: Path, caspen: Callable[..., None], encoding: str, columns: str
) -> None:
    caspen(
        {"object": "client", "id": "1", "first_name": "Zoë", "last_name": "王"},
        invoice(client_id="1", status="draft"),
    )
    environment = clean_environment(
        CASPEN_XERO_HOME=str(home), PYTHONIOENCODING=encoding, PYTHONUTF8="0", COLUMNS=columns
    )
    for options in ([], ["--json"]):
        run = subprocess.run(
            command_line("invoices", "list", *options), env=environment, capture_output=True, check=False, timeout=20
        )
        assert run.returncode == 0
        assert run.stderr in (b"", b"1 invoice.\n")
    assert json.loads(run.stdout.decode(encoding))["invoices"][0]["client"] == "Zoë 王"


def test_in_eighty_columns_the_reasons_stand_with_the_fixes(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.takes(*TAX_RATES, client("1048237"), invoice("INV-0001", [line(rate="tax_free")]))
    clinic.push()
    monkeypatch.setenv("CASPEN_XERO_COLUMNS", "80")
    told = clinic.cli("unsynced", "--all").stdout
    assert max(map(len, told.split("What to do:")[0].splitlines())) <= 80
    assert "for INV-0001: tax-rate-not-linked: Caspen's tax rate GST free is not linked" in " ".join(told.split())


def test_in_eighty_columns_no_word_is_broken(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.takes(*TAX_RATES, client("1048237", "Wilhelmina", "Lindqvist"), invoice("INV-0001", [line()]))
    ready.push()
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    in_xero.pays(ready, "INV-0001", "20.00", "2026-11-04")
    ready.cli("sync")
    monkeypatch.setenv("CASPEN_XERO_COLUMNS", "80")
    code = "payment-maybe-already-in-xero"
    for command, words in {
        "unsynced --all": ["INV-0001", code, "Lindqvist"],
        "invoices list": ["INV-0001", "2026-11-02", "open", "unsynced", "AUTHORISED"],
        "doctor": ["invoices", code],
        "log": ["create invoice", "create contact", "INV-0001", "done"],
    }.items():
        told = ready.cli(*command.split()).stdout.split("What to do:")[0]
        assert max(map(len, told.splitlines())) <= 80
        assert [word for word in words if word not in told] == []


@pytest.mark.parametrize("name", ["", " "])
def test_an_invoice_that_is_not_named_is_a_mistake_in_typing(ready: Clinic, name: str) -> None:
    told = ready.cli("push", "--pay-anyway", name, "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (2, "invoice-not-named")


def test_a_state_folder_that_cannot_be_made_is_told_with_the_way_out(cli: Callable[..., Any], home: Path) -> None:
    home.write_text("not a folder")
    error = cli("status", "--json").json["error"]
    assert (error["code"], error["exit_code"]) == ("home-unusable", 1)
    assert "CASPEN_XERO_HOME" in error["fix"]


@pytest.mark.parametrize(
    ("fix", "to_paste"),
    [
        ("caspen-xero taxes map 'GST free' TAX_TYPE", "caspen-xero taxes map --workspace b 'GST free' TAX_TYPE"),
        ("Restore it, then: caspen-xero push INV-1", "Restore it, then: caspen-xero push --workspace b INV-1"),
        (
            "caspen-xero connect --no-browser, and paste the address.",
            "caspen-xero connect --workspace b --no-browser, and paste the address.",
        ),
        (
            "caspen-xero connect --workspace NAME; or first: caspen-xero disconnect",
            "caspen-xero connect --workspace NAME; or first: caspen-xero disconnect --workspace b",
        ),
        ("Correct it in Caspen", "Correct it in Caspen"),
    ],
)
def test_commands_to_paste_name_the_workspace_that_was_named(fix: str, to_paste: str) -> None:
    output = Output(workspace="b")
    assert output.command(fix) == to_paste
    assert output.command(to_paste) == to_paste
    assert Output().command(fix) == fix


@pytest.mark.parametrize(
    ("words", "code", "begins"),
    [
        (["--json", "version"], 0, "{"),
        (["version", "--json"], 0, "{"),
        (["-q", "version"], 0, ""),
        (["help", "-q"], 0, ""),
        (["help", "exit-codes", "--debug"], 0, "How a command ends"),
        (["--json", "help"], 2, "{"),
        (["help", "--json"], 2, "{"),
        (["sandbox", "serve", "--quiet", "--verbose", "--debug", "--port", "-1"], 2, ""),
        (["--json", "demo"], 2, "{"),
        (["demo", "-q", "--json"], 2, "{"),
        (["--workspace", "north", "sandbox", "serve"], 2, ""),
    ],
)
def test_options_of_the_program_are_taken_or_refused_wherever_they_stand(
    cli: Callable[..., Any], words: list[str], code: int, begins: str
) -> None:
    told = cli(*words)
    assert (told.exit_code, told.stdout[: len(begins) or None][: len(begins) or 1]) == (code, begins), told.stderr
    assert "No such option: --quiet" not in told.stderr


@pytest.mark.parametrize("words", [["version"], ["help"]])
def test_a_reader_who_leaves_is_told_nothing_and_a_full_disk_is_no_ones_command(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    for error, told in (
        (BrokenPipeError(), ""),
        (OSError(28, "No space left on device"), "Error: The result could not be written: No space left on device.\n"),
    ):

        def refuses(text: str, error: OSError = error) -> None:
            raise streams.NotTaken(error)

        monkeypatch.setattr(output, "give", refuses)
        ended = cli(*words)
        assert (ended.exit_code, ended.stderr) == (1, told)
