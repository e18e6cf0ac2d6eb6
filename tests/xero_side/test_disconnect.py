"""`disconnect`: this organisation's connection ends at Xero, the sign-in is forgotten, what is linked stays linked."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import loopback
import pytest
import request_log

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from tests.conftest import Cli
from tests.xero_side.keyrings import MemoryKeyring
from tests.xero_side.person import can_read, connected_tenants, kept, organisation, settings


def test_it_ends_this_organisations_connection_only_and_forgets_the_sign_in(
    cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
) -> None:
    second = organisation(person, "Second Clinic")
    settings(person, next_organisation="Second Clinic")
    cli("connect", "--client-id", "APP", "--workspace", "other")
    settings(person, next_organisation="")
    cli("connect", "--client-id", "APP")
    result = cli("disconnect")
    assert result.exit_code == 0
    assert "Demo Company (AU)" in result.stdout
    assert connected_tenants(person) == [second]
    assert can_read(cli, "--workspace", "other")
    assert kept(home) is None
    again = cli("disconnect", "--json")
    assert (again.exit_code, again.json["error"]["code"]) == (4, "not-connected")


def test_what_is_linked_is_there_when_the_same_organisation_comes_back(cli: Cli, person: Sandbox, home: Path) -> None:
    cli("connect", "--client-id", "APP")
    assert cli("settings", "set", "--sales-account", "200").exit_code == 0
    cli("disconnect")
    cli("connect", "--client-id", "APP")
    assert "200" in cli("settings", "show").stdout


def test_a_sign_in_that_xero_no_longer_accepts_is_forgotten_with_a_warning(
    cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
) -> None:
    cli("connect", "--client-id", "APP")
    person.xero.identity.revoke_everything("APP")
    result = cli("disconnect")
    assert result.exit_code == 0
    assert "no longer accepts" in result.stderr
    assert kept(home) is None
    assert machine_keyring.kept == {}


def test_what_names_no_connection_is_not_sent_to_xero_and_the_sign_in_stays_until_that_is_said(
    cli: Cli, person: Sandbox, home: Path
) -> None:
    cli("connect", "--client-id", "APP")
    with closing(Store(home / "default" / "store.sqlite")) as store:
        connection = store.connection() or {}
        store.set_connection({**connection, "connection_id": "../api.xro/2.0/Accounts/x"})
    request_log.forget(person.url)
    error = cli("disconnect", "--json").json["error"]
    assert (error["code"], error["exit_code"]) == ("not-an-address", 1)
    assert [each["path"] for each in request_log.asked(person.url) if each["method"] == "DELETE"] == []
    assert kept(home) is not None
    assert error["fix"] == "caspen-xero disconnect --local-only"
    assert cli(*error["fix"].split()[1:]).exit_code == 0
    assert kept(home) is None


def test_without_xero_nothing_is_forgotten_unless_that_is_said(
    cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("connect", "--client-id", "APP", "--token-store", "file")
    loopback.post(
        f"{person.url}/sandbox/faults", json={"kind": "503", "path": "/connections", "count": None}
    ).raise_for_status()
    result = cli("disconnect", "--json")
    assert result.exit_code == 6
    assert "--local-only" in result.json["error"]["fix"]
    assert kept(home) is not None
    assert (home / "default" / "tokens.json").exists()
    result = cli("disconnect", "--local-only", "--json")
    assert (result.exit_code, result.json["disconnected_at_xero"]) == (0, False)
    assert kept(home) is None
    assert not (home / "default" / "tokens.json").exists()


def test_what_could_not_be_deleted_is_not_said_to_be(
    cli: Cli, person: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("connect", "--client-id", "APP", "--token-store", "file")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _read_only)
        result = cli("disconnect", "--local-only")
    assert result.exit_code == 0
    assert "could not be deleted" in result.stderr
    assert "is deleted" not in result.stdout
    assert cli("connect", "--client-id", "APP", "--token-store", "file").exit_code == 0
    assert "is deleted from the token file" in cli("disconnect", "--local-only").stdout


def test_what_ended_at_xero_and_could_not_be_forgotten_here_is_forgotten_by_the_same_command_again(
    cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("connect", "--client-id", "APP", "--token-store", "file")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _read_only)
        result = cli("disconnect", "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (1, "token-file-unusable")
    assert connected_tenants(person) == []
    assert kept(home) is not None
    assert cli("disconnect").exit_code == 0
    assert kept(home) is None
    assert not (home / "default" / "tokens.json").exists()


def _read_only(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))
