"""One organisation in Xero for each workspace, and never another host or another home's sign-in."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.conftest import Cli, Result
from tests.xero_side.keyrings import MemoryKeyring
from tests.xero_side.person import approving, can_read, connected_tenants, kept, organisation, settings
from tests.xero_side.told import Reply, told


def test_a_second_one_is_refused_with_the_way_out_and_taken_off_again(
    cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path
) -> None:
    cli("connect", "--client-id", "APP")
    first = kept(home)
    assert first is not None
    organisation(person, "Second Clinic")
    settings(person, next_organisation="Second Clinic")
    result = cli("connect", "--json")
    error = result.json["error"]
    assert (result.exit_code, error["code"]) == (1, "another-organisation")
    assert "disconnect" in error["fix"]
    assert "Not linked" in pages[-1].text
    assert connected_tenants(person) == [first["tenant_id"]]
    assert kept(home) == first
    assert can_read(cli)


def test_one_that_was_connected_before_is_not_taken_off(cli: Cli, person: Sandbox, home: Path) -> None:
    second = organisation(person, "Second Clinic")
    settings(person, next_organisation="Second Clinic")
    cli("connect", "--client-id", "APP", "--workspace", "other")
    settings(person, next_organisation="")
    cli("connect", "--client-id", "APP")
    settings(person, next_organisation="Second Clinic")
    person.xero.db.execute("UPDATE identity_connections SET created = created - 3600")
    assert cli("connect").exit_code == 1
    assert second in connected_tenants(person)
    assert can_read(cli, "--workspace", "other")


def test_after_disconnecting_another_one_can_be_connected(cli: Cli, person: Sandbox, home: Path) -> None:
    cli("connect", "--client-id", "APP")
    assert cli("disconnect").exit_code == 0
    organisation(person, "Second Clinic")
    settings(person, next_organisation="Second Clinic")
    assert cli("connect", "--client-id", "APP").exit_code == 0
    assert (kept(home) or {})["tenant_name"] == "Second Clinic"


def test_an_organisation_can_be_named(cli: Cli, person: Sandbox, home: Path) -> None:
    cli("connect", "--client-id", "APP", "--workspace", "other")
    organisation(person, "Second Clinic")
    settings(person, next_organisation="Second Clinic")
    assert cli("connect", "--client-id", "APP", "--org", "demo company (au)").exit_code == 0
    assert (kept(home) or {})["tenant_name"] == "Demo Company (AU)"
    result = cli("connect", "--client-id", "APP", "--org", "Nowhere", "--json", "--workspace", "third")
    assert (result.exit_code, result.json["error"]["code"]) == (1, "organisation-not-found")
    assert "Second Clinic" in result.json["error"]["message"]


def test_where_several_are_possible_a_person_is_asked(
    terminal: Callable[..., Result], cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text("import sys, httpx; httpx.get(sys.argv[1], follow_redirects=True, timeout=30)")
    monkeypatch.setenv("BROWSER", f"{shlex.join([sys.executable, str(browser)])} %s")
    names = ["Clinic One", "Clinic [bold]Two[/bold]"]
    with told(approving(Reply(200, '{"access_token":"A","refresh_token":"R","expires_in":1800}'), names)) as xero:
        monkeypatch.setenv("XERO_URL", xero.url)
        options = ("connect", "--client-id", "APP", "--token-store", "file")
        result = terminal(*options, typing=[("Number", "2")])
    assert result.exit_code == 0, result.stdout
    assert "Connected to Clinic [bold]Two[/bold]" in result.stdout


def test_where_several_are_possible_and_nobody_can_be_asked_they_are_listed(
    cli: Cli, home: Path, pages: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Reply(200, '{"access_token":"A","refresh_token":"R","expires_in":1800}')
    with told(approving(tokens, ["One", "Two"])) as xero:
        monkeypatch.setenv("XERO_URL", xero.url)
        result = cli("connect", "--client-id", "APP", "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (1, "organisation-unclear")
    assert "--org" in result.json["error"]["fix"]


def test_a_workspace_never_talks_to_another_host_than_its_own(
    cli: Cli, person: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("connect", "--client-id", "APP")
    monkeypatch.setenv("XERO_URL", "http://localhost:1")
    for command in (("connect",), ("disconnect",), ("settings", "accounts")):
        result = cli(*command, "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (4, "other-host")
    monkeypatch.delenv("XERO_URL")
    assert can_read(cli)


def test_a_copied_state_folder_shares_the_file_but_two_homes_never_share_a_keyring_entry(
    cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("connect", "--client-id", "APP")
    first = set(machine_keyring.kept)
    monkeypatch.setenv("CASPEN_XERO_HOME", str(home.parent / "second-home"))
    cli("connect", "--client-id", "APP")
    assert first < set(machine_keyring.kept)
    shutil.rmtree(home.parent / "second-home")
