"""`connect`: a person links one organisation, and every way in which it can go wrong has its words."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tempfile
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import keyring
import loopback
import pytest

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from tests.conftest import Cli, clean_environment, command_line
from tests.xero_side.keyrings import LockedForWriting, MemoryKeyring
from tests.xero_side.person import approving, can_read, connected_tenants, kept, settings
from tests.xero_side.told import Reply, Seen, told


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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

    def test_the_key_for_caspen_goes_where_the_sign_in_goes(
        self, cli: Cli, person: Sandbox, home: Path, machine_keyring: MemoryKeyring
    ) -> None:
        cli("connect", "--client-id", "APP")
        with closing(Store(home / "default" / "store.sqlite")) as store:
            store.set_setting("caspen_key_for", "https://caspen.example")
            entry = f"{store.entry()}:caspen:secret"
        machine_keyring.kept["caspen-xero", entry] = "the-key"
        assert cli("connect", "--token-store", "file").exit_code == 0
        assert json.loads((home / "default" / "caspen-key.json").read_text())["secret"] == "the-key"
        assert machine_keyring.kept == {}

    @pytest.mark.parametrize("place", ["keyring", "file"])
    def test_a_store_that_fails_while_a_person_is_at_xeros_page_loses_no_code_and_no_token(
        self,
        cli: Cli,
        home: Path,
        place: str,
        monkeypatch: pytest.MonkeyPatch,
        pages: list[httpx.Response],
        machine_keyring: MemoryKeyring,
    ) -> None:
        tokens = Reply(200, '{"access_token":"A","refresh_token":"R","expires_in":1800}')
        approve = approving(tokens, ["Demo Company (AU)"])

        def fails(seen: Seen) -> Reply:
            """The disk is full, or the keyring locks itself, when the browser is sent back."""
            if seen.path == "/identity/connect/authorize":
                monkeypatch.setattr(tempfile, "mkstemp", _full)
                locked = LockedForWriting()
                locked.kept = machine_keyring.kept
                keyring.set_keyring(locked)
            return approve(seen)

        with told(fails) as xero:
            monkeypatch.setenv("XERO_URL", xero.url)
            result = cli("connect", "--client-id", "APP", "--token-store", place, "--json")
            asked = [seen.path for seen in xero.seen]
        if place == "keyring":
            assert result.json["error"]["code"] == "keyring-locked"
            assert "/connect/token" not in asked
            assert kept(home) is None
        else:  # there was room from the beginning; only the access token could not be kept
            assert result.json["error"]["code"] == "token-file-unusable"
            assert json.loads((home / "default" / "tokens.json").read_text())["secret"] == "R"

    def test_access_denied_links_nothing(
        self, cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path
    ) -> None:
        settings(person, approval="cancel")
        result = cli("connect", "--client-id", "APP", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (4, "access-denied")
        assert "Not linked" in pages[0].text
        assert kept(home) is None

    def test_a_refusal_without_the_state_is_not_believed_and_the_person_is_told(
        self, cli: Cli, person: Sandbox, pages: list[httpx.Response], home: Path
    ) -> None:
        settings(person, approval="cancel", state_with_errors=False)
        result = cli("connect", "--client-id", "APP", "--timeout", "2", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (4, "state-mismatch")
        assert "still waiting" in result.stderr
        assert "Ctrl-C" in result.stderr
        assert pages[0].status_code == 400
        assert kept(home) is None

    def test_a_xero_to_which_tokens_would_go_in_the_open_is_wrong_usage(
        self, cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XERO_URL", "http://xero.example")
        monkeypatch.setenv("XERO_CLIENT_SECRET", "the-client-secret")
        for way in ([], ["--custom-connection"]):
            result = cli("connect", "--client-id", "APP", "--json", *way)
            assert (result.exit_code, result.json["error"]["code"]) == (2, "bad-xero-url")
            assert "in the open" in result.json["error"]["message"]

    def test_a_redirect_address_that_is_not_registered_ends_in_a_hint(self, cli: Cli, person: Sandbox) -> None:
        settings(person, redirect_uris=["http://localhost:1/callback"])
        result = cli("connect", "--client-id", "APP", "--timeout", "1", "--json")
        error = result.json["error"]
        assert (result.exit_code, error["code"]) == (4, "sign-in-timeout")
        assert "http://localhost:8742/callback" in error["fix"]

    def test_without_a_browser_and_a_terminal_it_says_at_once_that_nobody_can_answer(
        self, cli: Cli, person: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
        result = cli("connect", "--client-id", "APP", "--token-store", "file")
        assert (result.exit_code, "Your browser opens" in result.stderr) == (4, False)
        assert "caspen-xero connect --client-id APP --token-store file --no-browser" in result.stderr

    def test_a_local_xero_that_is_not_there_is_told_before_anybody_is_sent_to_its_page(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, home: Path
    ) -> None:
        monkeypatch.setenv("XERO_URL", "http://localhost:9")
        result = cli("connect", "--client-id", "APP", "--token-store", "file", "--no-browser")
        assert (result.exit_code, "Errno" in result.stderr) == (6, False)
        assert "caspen-xero sandbox serve --port 9; then" in result.stderr

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
        self, cli: Cli, home: Path, pages: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = (
            '{"access_token":"A","refresh_token":"R","expires_in":1800,"scope":"accounting.contacts offline_access"}'
        )
        with told(approving(Reply(200, tokens), [])) as xero:
            monkeypatch.setenv("XERO_URL", xero.url)
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
        loopback.get(line.strip(), follow_redirects=True).raise_for_status()
        rest, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Connected to Demo Company (AU)" in rest

    def test_beside_json_the_address_is_on_stderr(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home, "--json")
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith(person.url))
        loopback.get(url.strip(), follow_redirects=True).raise_for_status()
        out, _ = process.communicate(timeout=20)
        assert json.loads(out)["organisation"]["name"] == "Demo Company (AU)"

    def test_the_address_where_another_machines_browser_ended_can_be_pasted(self, person: Sandbox, home: Path) -> None:
        process = self.start(person, home, stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdin is not None
        redirect = loopback.get(process.stdout.readline().strip()).headers["location"]
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


def test_the_command_that_tries_again_is_the_one_that_was_typed(
    cli: Cli, pages: list[httpx.Response], person: Sandbox
) -> None:
    settings(person, auto_approve=False)
    typed = ("--client-id", "MY APP", "--token-store", "file", "--timeout", "1")
    result = cli("connect", *typed)
    assert result.exit_code == 4
    assert "Waiting for you to allow access on Xero's page, for 1 second at most" in result.stderr
    again = "caspen-xero connect --client-id 'MY APP' --token-store file"
    assert again in result.stderr.split("  -> ")[1]
