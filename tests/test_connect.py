"""`connect` and `disconnect`: a person links one organisation, and every way in which it can go wrong has its words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from tests.conftest import Cli, Result, clean_environment, command_line
from tests.xero.keyrings import MemoryKeyring
from tests.xero.told import Reply, Seen, told


@pytest.fixture(autouse=True)
def machine_keyring() -> Iterator[MemoryKeyring]:
    """The machine's keyring is one in memory."""
    before = keyring.get_keyring()
    ours = MemoryKeyring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    """What the person's browser shows in the end. The Xero in it approves by itself."""
    shown: list[httpx.Response] = []

    def browse(url: str) -> bool:
        shown.append(httpx.get(url, follow_redirects=True, timeout=20))
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    return shown


@pytest.fixture
def person(sandbox: Sandbox, pages: list[httpx.Response]) -> Iterator[Sandbox]:
    """A local Xero that nobody has connected anything to, with a person at the browser."""
    for client_id in ("APP", "TEST-APP"):
        sandbox.xero.identity.revoke_everything(client_id)
    yield sandbox
    for client_id in ("APP", "TEST-APP"):
        sandbox.xero.identity.revoke_everything(client_id)


def settings(sandbox: Sandbox, **switches: Any) -> None:
    httpx.post(f"{sandbox.url}/sandbox/settings", json=switches).raise_for_status()


def organisation(sandbox: Sandbox, name: str) -> str:
    answer = httpx.post(f"{sandbox.url}/sandbox/organisations", json={"name": name}).raise_for_status()
    return str(next(one for one in _organisations(sandbox, answer) if one["name"] == name)["tenant_id"])


def _organisations(sandbox: Sandbox, _: object = None) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = httpx.get(f"{sandbox.url}/sandbox/organisations").json()["organisations"]
    return listed


def connected_tenants(sandbox: Sandbox, client_id: str = "APP") -> list[str]:
    """The organisations that the app is connected to, as Xero has it."""
    rows = sandbox.xero.db.execute("SELECT tenant_id FROM identity_connections WHERE client_id = ?", (client_id,))
    return sorted(row[0] for row in rows)


def kept(home: Path, workspace: str = "default") -> dict[str, Any] | None:
    with closing(Store(home / workspace / "store.sqlite")) as store:
        return store.connection()


def can_read(cli: Cli, *options: str) -> bool:
    """Whether the workspace's sign-in works: a call that asks Xero."""
    return cli("settings", "accounts", *options).exit_code == 0


class TestConnecting:
    def test_a_person_connects_through_the_browser_and_is_told_what_was_linked(
        self, cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path, machine_keyring: MemoryKeyring
    ) -> None:
        result = cli("connect", "--client-id", "APP")
        assert result.exit_code == 0
        assert "Connected to Demo Company (AU)" in result.stdout
        assert "keyring" in result.stdout
        assert "Linked to Demo Company (AU)" in pages[0].text
        connection = kept(home)
        assert connection is not None
        assert (connection["tenant_name"], connection["kind"], connection["token_store"]) == (
            "Demo Company (AU)",
            "pkce",
            "keyring",
        )
        assert can_read(cli)
        assert not (home / "default" / "tokens.json").exists()
        refresh_token = next(text for (_, entry), text in machine_keyring.kept.items() if entry.endswith(":secret"))
        everything = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
        assert refresh_token.encode() not in everything + result.stdout.encode() + result.stderr.encode()

    def test_for_a_script_it_is_one_json_document(self, cli: Cli, person: Sandbox) -> None:
        document = cli("connect", "--client-id", "APP", "--json", "--token-store", "file").json
        assert document["command"] == "connect"
        assert document["organisation"]["name"] == "Demo Company (AU)"
        assert (document["kind"], document["token_store"]) == ("pkce", "file")
        assert "token" not in json.dumps({name: value for name, value in document.items() if name != "token_store"})

    def test_signing_in_again_keeps_client_id_store_and_everything_linked(
        self, cli: Cli, person: Sandbox, home: Path
    ) -> None:
        assert cli("connect", "--client-id", "APP", "--token-store", "file").exit_code == 0
        first = kept(home)
        assert first is not None
        assert cli("connect").exit_code == 0
        second = kept(home)
        assert second is not None
        same = ("tenant_id", "connection_id", "client_id", "token_store", "entry")
        assert [second[name] for name in same] == [first[name] for name in same]
        assert len(connected_tenants(person)) == 1

    def test_another_token_store_leaves_nothing_in_the_old_one(
        self, cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
    ) -> None:
        cli("connect", "--client-id", "APP", "--token-store", "file")
        assert (home / "default" / "tokens.json").stat().st_mode & 0o777 == 0o600
        assert cli("connect", "--token-store", "keyring").exit_code == 0
        assert not (home / "default" / "tokens.json").exists()
        assert can_read(cli)
        cli("connect", "--token-store", "file")
        assert machine_keyring.kept == {}

    def test_access_denied_links_nothing(
        self, cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path
    ) -> None:
        settings(person, approval="cancel")
        result = cli("connect", "--client-id", "APP", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (4, "access-denied")
        assert "Not linked" in pages[0].text
        assert kept(home) is None

    def test_a_redirect_address_that_is_not_registered_ends_in_a_hint(self, cli: Cli, person: Sandbox) -> None:
        settings(person, redirect_uris=["http://localhost:1/callback"])
        result = cli("connect", "--client-id", "APP", "--timeout", "1", "--json")
        error = result.json["error"]
        assert (result.exit_code, error["code"]) == (4, "sign-in-timeout")
        assert "http://localhost:8742/callback" in error["fix"]

    def test_without_a_client_id_it_says_how_to_get_one(self, cli: Cli, person: Sandbox) -> None:
        result = cli("connect", "--json")
        error = result.json["error"]
        assert (result.exit_code, error["code"]) == (2, "client-id-missing")
        assert "Mobile or desktop app" in error["fix"]
        assert "http://localhost:8742/callback" in error["fix"]

    @pytest.mark.parametrize(
        ("backend", "code"),
        [("keyring.backends.fail.Keyring", "no-keyring"), ("keyring.backends.null.Keyring", "keyring-drops-writes")],
    )
    def test_without_a_working_keyring_nobody_is_sent_to_the_browser(
        self, person: Sandbox, home: Path, backend: str, code: str
    ) -> None:
        run = subprocess.run(
            command_line("connect", "--client-id", "APP", "--no-browser", "--json"),
            env=clean_environment(CASPEN_XERO_HOME=str(home), XERO_URL=person.url, PYTHON_KEYRING_BACKEND=backend),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        error = json.loads(run.stdout)["error"]
        assert (run.returncode, error["code"]) == (1, code)
        assert "--token-store file" in error["fix"]
        assert "http://" not in run.stderr

    def test_a_scope_that_was_not_given_is_told_at_once(
        self, cli: Cli, home: Path, pages: list[httpx.Response]
    ) -> None:
        tokens = (
            '{"access_token":"A","refresh_token":"R","expires_in":1800,"scope":"accounting.contacts offline_access"}'
        )
        with told(approving(Reply(200, tokens), [])) as xero:
            os.environ["XERO_URL"] = xero.url
            result = cli("connect", "--client-id", "APP", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (4, "missing-scope")
        assert "accounting.invoices" in result.json["error"]["message"]
        assert kept(home) is None


class TestWithoutABrowser:
    def start(self, person: Sandbox, home: Path, *options: str, **streams: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command_line("connect", "--no-browser", "--token-store", "file", "--client-id", "APP", *options),
            env=clean_environment(CASPEN_XERO_HOME=str(home), XERO_URL=person.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **{"stdin": subprocess.DEVNULL} | streams,
        )

    def test_the_address_stands_alone_on_its_line_at_once_also_in_a_pipe(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"{person.url}/identity/connect/authorize?")
        assert " " not in line.strip()
        httpx.get(line.strip(), follow_redirects=True).raise_for_status()
        rest, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Connected to Demo Company (AU)" in rest

    def test_beside_json_the_address_is_on_stderr(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home, "--json")
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith(person.url))
        httpx.get(url.strip(), follow_redirects=True).raise_for_status()
        out, _ = process.communicate(timeout=20)
        assert json.loads(out)["organisation"]["name"] == "Demo Company (AU)"

    def test_the_address_where_another_machines_browser_ended_can_be_pasted(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home, stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdin is not None
        redirect = httpx.get(process.stdout.readline().strip()).headers["location"]
        process.stdin.write(f"oops\n{redirect}\n")
        process.stdin.flush()
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "not the address" in err
        assert "code=" not in out + err.replace(redirect, "")

    def test_interrupting_it_ends_it(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home, stdin=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(2)
        process.communicate(timeout=10)
        assert process.returncode == 130
        assert kept(home) is None


class TestOneOrganisationPerWorkspace:
    def test_a_second_one_is_refused_with_the_way_out_and_taken_off_again(
        self, cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path
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

    def test_one_that_was_connected_before_is_not_taken_off(self, cli: Cli, person: Sandbox, home: Path) -> None:
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

    def test_after_disconnecting_another_one_can_be_connected(self, cli: Cli, person: Sandbox, home: Path) -> None:
        cli("connect", "--client-id", "APP")
        assert cli("disconnect").exit_code == 0
        organisation(person, "Second Clinic")
        settings(person, next_organisation="Second Clinic")
        assert cli("connect", "--client-id", "APP").exit_code == 0
        assert (kept(home) or {})["tenant_name"] == "Second Clinic"

    def test_an_organisation_can_be_named(self, cli: Cli, person: Sandbox, home: Path) -> None:
        cli("connect", "--client-id", "APP", "--workspace", "other")
        organisation(person, "Second Clinic")
        settings(person, next_organisation="Second Clinic")
        assert cli("connect", "--client-id", "APP", "--org", "demo company (au)").exit_code == 0
        assert (kept(home) or {})["tenant_name"] == "Demo Company (AU)"
        result = cli("connect", "--client-id", "APP", "--org", "Nowhere", "--json", "--workspace", "third")
        assert (result.exit_code, result.json["error"]["code"]) == (1, "organisation-not-found")
        assert "Second Clinic" in result.json["error"]["message"]

    def test_where_several_are_possible_a_person_is_asked(
        self, terminal: Callable[..., Result], cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = tmp_path / "browser.py"
        browser.write_text("import sys, httpx; httpx.get(sys.argv[1], follow_redirects=True, timeout=30)")
        monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
        names = ["Clinic One", "Clinic [bold]Two[/bold]"]
        with told(approving(Reply(200, '{"access_token":"A","refresh_token":"R","expires_in":1800}'), names)) as xero:
            monkeypatch.setenv("XERO_URL", xero.url)
            options = ("connect", "--client-id", "APP", "--token-store", "file")
            result = terminal(*options, typing=[("Number", "2")])
        assert result.exit_code == 0, result.stdout
        assert "Connected to Clinic [bold]Two[/bold]" in result.stdout

    def test_where_several_are_possible_and_nobody_can_be_asked_they_are_listed(
        self, cli: Cli, home: Path, pages: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = Reply(200, '{"access_token":"A","refresh_token":"R","expires_in":1800}')
        with told(approving(tokens, ["One", "Two"])) as xero:
            monkeypatch.setenv("XERO_URL", xero.url)
            result = cli("connect", "--client-id", "APP", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (1, "organisation-unclear")
        assert "--org" in result.json["error"]["fix"]


class TestCustomConnection:
    def test_the_secret_is_kept_so_that_cron_needs_no_variable(
        self, cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
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
        self, cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XERO_CLIENT_SECRET", "very-secret")
        cli("connect", "--custom-connection", "--client-id", "SERVER", "--token-store", "file")
        before = len(person.xero.db.execute("SELECT 1 FROM identity_connections").fetchall())
        document = cli("disconnect", "--json").json
        assert document["disconnected_at_xero"] is False
        assert not (home / "default" / "tokens.json").exists()
        assert len(person.xero.db.execute("SELECT 1 FROM identity_connections").fetchall()) == before

    def test_without_a_secret_and_a_terminal_it_says_where_to_put_it(self, cli: Cli, person: Sandbox) -> None:
        result = cli("connect", "--custom-connection", "--client-id", "SERVER", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (2, "client-secret-missing")
        assert "XERO_CLIENT_SECRET" in result.json["error"]["fix"]

    def test_on_a_terminal_the_secret_is_asked_for_and_not_shown(
        self, terminal: Callable[..., Result], person: Sandbox, home: Path
    ) -> None:
        options = ("connect", "--custom-connection", "--client-id", "SERVER", "--token-store", "file")
        result = terminal(*options, typing=[("Client secret", "very-secret")])
        assert result.exit_code == 0, result.stdout
        assert "very-secret" not in result.stdout

    def test_a_wrong_secret_has_its_own_error(self, cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XERO_CLIENT_SECRET", "very-secret")
        with told(Reply(400, '{"error":"invalid_client"}')) as xero:
            monkeypatch.setenv("XERO_URL", xero.url)
            result = cli("connect", "--custom-connection", "--client-id", "SERVER", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (1, "invalid-client")
        assert "very-secret" not in result.stdout


class TestDisconnecting:
    def test_it_ends_this_organisations_connection_only_and_forgets_the_sign_in(
        self, cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
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

    def test_what_is_linked_is_there_when_the_same_organisation_comes_back(
        self, cli: Cli, person: Sandbox, home: Path
    ) -> None:
        cli("connect", "--client-id", "APP")
        assert cli("settings", "set", "--sales-account", "200").exit_code == 0
        cli("disconnect")
        cli("connect", "--client-id", "APP")
        assert "200" in cli("settings", "show").stdout

    def test_a_sign_in_that_xero_no_longer_accepts_is_forgotten_with_a_warning(
        self, cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
    ) -> None:
        cli("connect", "--client-id", "APP")
        person.xero.identity.revoke_everything("APP")
        result = cli("disconnect")
        assert result.exit_code == 0
        assert "no longer accepts" in result.stderr
        assert kept(home) is None
        assert machine_keyring.kept == {}

    def test_without_xero_nothing_is_forgotten_unless_that_is_said(
        self, cli: Cli, person: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cli("connect", "--client-id", "APP", "--token-store", "file")
        httpx.post(
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


def approving(tokens: Reply, organisations: list[str]) -> Callable[[Seen], Reply]:
    """A Xero that says yes, gives these tokens, and is connected to these organisations."""

    def answer(seen: Seen) -> Reply:
        if seen.path == "/identity/connect/authorize":
            back = f"{seen.query['redirect_uri']}?code=C&state={seen.query['state']}"
            return Reply(302, b"", {"Location": back})
        if seen.path == "/connect/token":
            return tokens
        if seen.path == "/connections":
            rows = [
                {"id": f"c{number}", "tenantId": f"t{number}", "tenantName": name, "tenantType": "ORGANISATION"}
                for number, name in enumerate(organisations)
            ]
            return Reply(200, json.dumps(rows))
        return Reply(404, b"")

    return answer
