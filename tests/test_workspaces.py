"""Workspaces: a mistyped one is not made, an empty one goes, and a command can be carried out in all of them in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.mark.parametrize(
    "command", [("status",), ("push",), ("import", "x.jsonl"), ("settings", "set", "--payments", "off"), ()]
)
def test_a_mistyped_workspace_is_not_made(home: Path, cli: Cli, command: tuple[str, ...]) -> None:
    cli("workspaces", "add", "north")
    for line in ([*command, "--workspace", "nroth"], ["--workspace", "nroth", *command]):
        told = cli(*line)
        assert (told.exit_code, told.stdout) == (2, "")
        assert "There is no workspace nroth. Did you mean north?" in told.stderr
        assert "caspen-xero workspaces add nroth" in told.stderr
    assert [folder.name for folder in home.iterdir()] == ["north"]


def test_a_new_workspace_is_begun_by_a_yes(home: Path, cli: Cli, terminal: Callable[..., Any]) -> None:
    line = ("settings", "set", "--privacy", "generic", "--workspace", "north")
    assert terminal(*line, typing=[("called that? [y/N]", "")]).exit_code == 2
    assert not home.exists()
    assert terminal(*line, typing=[("called that? [y/N]", "y")]).exit_code == 0
    assert cli("workspaces", "list", "--json").json["workspaces"][0]["name"] == "north"


def test_a_script_may_connect_a_new_workspace(home: Path, cli: Cli) -> None:
    told = cli("connect", "--workspace", "north", "--json")  # goes on, to what it lacks
    assert told.json["error"]["code"] == "client-id-missing"
    assert "A new workspace begins: north" in told.stderr


def test_options_stand_before_the_command_too_and_those_after_it_win(home: Path, cli: Cli) -> None:
    for name in ("a", "b"):
        cli("workspaces", "add", name)
    assert cli("--json", "--workspace", "a", "status").json["workspace"] == "a"
    assert cli("--workspace", "a", "--json", "status", "--workspace", "b").json["workspace"] == "b"
    assert "settings" in cli("--workspace", "a", "settings", "--json", "show").json
    assert cli("--workspace", "a", "--json").json["workspace"] == "a"
    assert cli("--json", "demo").exit_code == 2
    assert cli("--json", "--workspace", "a", "connect").json["error"]["code"] == "client-id-missing"


def test_options_before_the_command_win_over_the_environment(
    home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        cli("workspaces", "add", name)
    monkeypatch.setenv("CASPEN_XERO_WORKSPACE", "b")
    assert cli("status", "--json").json["workspace"] == "b"
    assert cli("--workspace", "a", "status", "--json").json["workspace"] == "a"


def test_only_an_empty_workspace_goes(connected: Path, cli: Cli) -> None:
    cli("workspaces", "add", "north")
    cli("status", "--workspace", "north")  # which makes a store, with nothing in it
    assert [one["empty"] for one in cli("workspaces", "list", "--json").json["workspaces"]] == [False, True]
    refused = cli("workspaces", "remove", "default", "--json").json["error"]
    assert refused["code"] == "workspace-in-use"
    assert (
        "caspen-xero disconnect --workspace default --purge; then: caspen-xero workspaces remove default"
        in refused["fix"]
    )
    for theirs in ("letter.txt", "poetry.lock"):
        (connected / "north" / theirs).write_text("mine")
        assert cli("workspaces", "remove", "north").exit_code == 1
        (connected / "north" / theirs).unlink()
    (connected / "south").symlink_to(connected / "north")
    assert "symbolic link" in cli("workspaces", "remove", "south").stderr
    (connected / "south").unlink()
    assert (connected / "north" / "store.sqlite").exists()
    assert cli("workspaces", "remove", "north").exit_code == 0
    assert not (connected / "north").exists()
    assert cli("disconnect", "--purge").exit_code == 0
    assert cli("workspaces", "remove", "default").exit_code == 0
    assert list(connected.iterdir()) == []


def test_each_workspace_in_turn_and_a_failure_in_one_stops_no_other(
    connected: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broken", "new"):
        cli("workspaces", "add", name)
    (connected / "broken" / "store.sqlite").write_bytes(b"no store" * 1000)
    told = cli("sync", "--all-workspaces", "--json")
    broken, good = told.json["workspaces"]
    assert (broken["workspace"], broken["exit_code"], good["workspace"], good["exit_code"]) == (
        "broken",
        1,
        "default",
        0,
    )
    assert ("error" in broken, good["push"]["command"], told.exit_code, told.json["exit_code"]) == (True, "push", 1, 1)
    assert "left out: new" in told.stderr
    quiet = cli("sync", "--all-workspaces", "--quiet")
    assert (quiet.stdout, quiet.stderr.splitlines()[0], "default" in quiet.stderr) == ("", "broken:", False)
    monkeypatch.setenv("CASPEN_XERO_WORKSPACE", "default")
    assert cli("sync", "--all-workspaces", "--workspace", "default").exit_code == 2
    seen = cli("status", "--all-workspaces")
    assert "broken:\n" in seen.stdout
    assert "default (Demo Company (AU)):\n" in seen.stdout
    assert cli("status", "--all-workspaces", "--workspace", "default").exit_code == 2
