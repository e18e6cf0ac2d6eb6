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


def test_whatever_keeps_a_workspace_is_named_at_once(
    home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli("workspaces", "add", "north")
    cli("settings", "set", "--payments", "off", "--workspace", "north")
    (home / "north" / "caspen-key.json").write_text("{}")
    for theirs in ("letter.txt", "b.txt", "c.txt", "d.txt"):
        (home / "north" / theirs).write_text("mine")
    tool = tmp_path / "tools" / "crontab"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\ncd {tmp_path}; case "$1" in -l) cat kept;; -) cat > kept;; -r) : > kept;; esac\n')
    tool.chmod(0o755)
    (tmp_path / "kept").touch()
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    cli("schedule", "install", "--system", "cron", "--workspace", "north")
    told = cli("workspaces", "remove", "north", "--json").json["error"]
    assert told["message"] == (
        "The workspace north stays: cron still syncs it by itself; it is not empty, but keeps settings, a key of Caspen's; "
        "there is more in it than is ours (b.txt, c.txt, d.txt and 1 more)."
    )
    assert told["fix"].split("; then: ") == [
        "caspen-xero schedule remove --workspace north",
        "to delete all that it keeps: caspen-xero disconnect --workspace north --purge",
        "put elsewhere what is not ours",
        "caspen-xero workspaces remove north",
    ]
    assert (home / "north" / "store.sqlite").exists()


@pytest.mark.parametrize(("suffix", "store"), [("-wal", "none"), ("-journal", "none"), ("-journal", "another")])
def test_changes_that_no_store_of_a_workspace_knows_are_told(home: Path, cli: Cli, suffix: str, store: str) -> None:
    cli("workspaces", "add", "north")
    if store == "another":
        cli("status", "--workspace", "north")
    left = home / "north" / f"store.sqlite{suffix}"
    left.write_bytes(b"changes")
    (seen,) = cli("workspaces", "list", "--json").json["workspaces"]
    assert (seen["name"], seen["empty"], left.name in seen["trouble"]) == ("north", False, True)
    told = cli("workspaces", "remove", "north", "--json").json["error"]
    assert left.name in told["message"]
    assert left.read_bytes() == b"changes"
    assert cli("disconnect", "--workspace", "north", "--purge").exit_code == 0
    assert cli("workspaces", "remove", "north").exit_code == 0
    assert list(home.iterdir()) == []


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


def test_no_command_says_that_a_sign_in_works_which_is_not_there(connected: Path, cli: Callable[..., Any]) -> None:
    assert cli("workspaces", "list", "--json").json["workspaces"][0]["connected"]
    (connected / "default" / "tokens.json").unlink()
    assert cli("status", "--json").json["sign_in"]["works"] is False
    assert "does not work: there is no sign-in in the token file" in cli("status").stdout
    assert not cli("workspaces", "list", "--json").json["workspaces"][0]["connected"]
    assert "not signed in" in cli("workspaces", "list").stdout


def test_what_a_table_shows_as_a_command_names_the_workspace_too(home: Path, cli: Cli) -> None:
    cli("workspaces", "add", "north")
    assert "caspen-xero import --workspace north PATH" in cli("settings", "show", "--workspace", "north").stdout


def test_a_restored_workspace_is_connected_as_it_was_and_an_empty_store_is_in_nobodys_way(
    connected: Path,
    cli: Cli,
    terminal: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli("disconnect", "--local-only")
    assert cli("backup", tmp_path / "copy.sqlite").exit_code == 0
    assert "caspen-xero connect --token-store file" in cli("status").stdout
    monkeypatch.setenv("CASPEN_XERO_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("XERO_URL", "http://localhost:9")
    assert cli("connect", "--client-id", "APP", "--token-store", "file", "--no-browser").exit_code == 6
    restored = terminal("restore", str(tmp_path / "copy.sqlite"))
    assert (restored.exit_code, "  caspen-xero connect --token-store file\n" in restored.stdout) == (0, True)
