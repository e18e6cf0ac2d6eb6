"""The command line as a whole: its version, its help, how it starts, how it says that it was typed wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from caspen_xero import __version__

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
    assert "  caspen-xero demo" in [line[2:] for line in lines]
    assert lines.index("    caspen-xero demo") < lines.index("Commands:")


def test_without_arguments_help_is_shown(cli: Callable[..., Any]) -> None:
    assert "Commands:" in cli().stdout + cli().stderr


@pytest.mark.parametrize("arguments", [["pussh"], ["settings", "set", "--payments", "maybe"], ["taxes", "map", "GST"]])
def test_wrong_usage_ends_with_2_and_in_json_where_json_was_asked_for(
    cli: Callable[..., Any], arguments: list[str]
) -> None:
    in_words, in_json = cli(*arguments), cli(*arguments, "--json")
    assert (in_words.exit_code, in_json.exit_code) == (2, 2)
    assert in_words.stdout == ""
    assert in_json.json["error"]["code"] == "usage"
    assert in_json.json["error"]["exit_code"] == 2
