"""`connect --custom-connection`: for servers, with a secret that is seen once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.conftest import Cli, Result
from tests.xero_side.person import can_read
from tests.xero_side.told import Reply, told


def test_the_secret_is_kept_so_that_cron_needs_no_variable(
    cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XERO_CLIENT_SECRET", "very-secret")
    options = ("--custom-connection", "--client-id", "SERVER", "--token-store", "file")
    result = cli("connect", *options, "--json")
    assert (result.exit_code, result.json["kind"]) == (0, "custom")
    assert "very-secret" not in result.stdout + result.stderr
    monkeypatch.delenv("XERO_CLIENT_SECRET")
    store = home / "default" / "tokens.json"
    kept_text = json.loads(store.read_text())
    store.write_text(json.dumps({name: text for name, text in kept_text.items() if name != "access"}))
    assert can_read(cli)
    assert b"very-secret" not in (home / "default" / "store.sqlite").read_bytes()


def test_disconnecting_deletes_the_secret_and_nothing_at_xero(
    cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XERO_CLIENT_SECRET", "very-secret")
    cli("connect", "--custom-connection", "--client-id", "SERVER", "--token-store", "file")
    before = len(person.xero.db.execute("SELECT 1 FROM identity_connections").fetchall())
    document = cli("disconnect", "--json").json
    assert document["disconnected_at_xero"] is False
    assert not (home / "default" / "tokens.json").exists()
    assert len(person.xero.db.execute("SELECT 1 FROM identity_connections").fetchall()) == before


@pytest.mark.parametrize("given", ["", " ", "no-text-\udce9"])
def test_without_a_secret_and_a_terminal_it_says_where_to_put_it(
    cli: Cli, person: Sandbox, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("XERO_CLIENT_SECRET", given)
    result = cli("connect", "--custom-connection", "--client-id", "SERVER", "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (2, "client-secret-missing")
    assert "XERO_CLIENT_SECRET" in result.json["error"]["fix"]


def test_on_a_terminal_the_secret_is_asked_for_and_not_shown(
    terminal: Callable[..., Result], person: Sandbox, home: Path
) -> None:
    options = ("connect", "--custom-connection", "--client-id", "SERVER", "--token-store", "file")
    result = terminal(*options, typing=[("Client secret", "very-secret")])
    assert result.exit_code == 0, result.stdout
    assert "very-secret" not in result.stdout


def test_a_wrong_secret_has_its_own_error(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XERO_CLIENT_SECRET", "very-secret")
    with told(Reply(400, '{"error":"invalid_client"}')) as xero:
        monkeypatch.setenv("XERO_URL", xero.url)
        result = cli("connect", "--custom-connection", "--client-id", "SERVER", "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (1, "invalid-client")
    assert "very-secret" not in result.stdout
