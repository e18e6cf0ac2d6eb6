"""The sign-in in GNOME's Secret Service, as a desktop has it: unlocked, locked, not set up, and none for a run such as cron's."""

from __future__ import annotations

import subprocess
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest
from clinics import client, invoice
from conftest import command_line
from desktop_session import MISSING, DesktopSession, desktop_session
from pushing import Clinic, commands_in

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no Secret Service can be started here: not installed: {', '.join(MISSING)}"
)
SOON = 20.0
"""Seconds in which every run here has ended, with what it does besides."""


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[DesktopSession]:
    """A desktop session in which this process runs; the keyring library has chosen nothing yet."""
    with tempfile.TemporaryDirectory(prefix="desk", dir="/tmp") as folder, desktop_session(Path(folder)) as session:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
        choose_anew(monkeypatch)
        yield session


def choose_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    looked_up = keyring.backend.get_all_keyring
    monkeypatch.setattr(keyring.backend, "get_all_keyring", getattr(looked_up, "__wrapped__", looked_up))


@pytest.fixture
def person(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """The clinic's, at a browser in which Xero's page is answered with yes."""

    def browse(url: str) -> bool:
        httpx.get(url, follow_redirects=True, timeout=20)
        return True

    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(webbrowser, "open", browse)
    ready.takes(client("1048237"), invoice("INV-0001"))
    return ready


def error(result: Any) -> dict[str, Any]:
    assert result.exit_code == 1, (result.stdout, result.stderr)
    told: dict[str, Any] = result.json.get("error") or result.json["stopped"]
    return told


def as_cron(clinic: Clinic, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run with no more than what cron gives, and where the workspace and Xero are."""
    environment = {
        "HOME": str(clinic.home.parent),
        "LOGNAME": "clinic",
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
        "CASPEN_XERO_HOME": str(clinic.home),
        "XERO_URL": clinic.sandbox.url,
    }
    return subprocess.run(
        command_line(*arguments),
        env=environment,
        cwd=clinic.home.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_unlocked_then_as_cron_then_locked_then_in_a_file(
    person: Clinic, desktop: DesktopSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.log_in()
    connected = person.cli("connect", "--token-store", "keyring", "--json")
    assert (connected.exit_code, connected.json["token_store"]) == (0, "keyring")
    assert not (person.home / "default" / "tokens.json").exists()
    assert person.push().exit_code == 0
    assert [*person.in_xero()] == ["INV-0001"]

    # cron belongs to no desktop session
    person.takes(invoice("INV-0002"))
    for arguments in (("push",), ("sync", "--quiet")):
        begun, run = time.monotonic(), as_cron(person, *arguments)
        assert time.monotonic() - begun < SOON
        said = run.stdout + run.stderr
        assert run.returncode == 1, said
        assert "DBUS_SESSION_BUS_ADDRESS is not set" in " ".join(said.split())
        assert "caspen-xero connect --token-store file" in said
        assert "Traceback" not in said

    # locked: nobody is asked where nobody is there
    desktop.lock()
    for arguments in (("push",), ("connect", "--client-id", "sandbox"), ("disconnect", "--yes")):
        begun = time.monotonic()
        told = error(person.cli(*arguments, "--json"))
        assert time.monotonic() - begun < SOON
        assert told["code"] == "keyring-locked", arguments
        assert "Unlock it" in told["fix"]
        way_out = commands_in(told["fix"])[0]
        assert way_out.startswith("caspen-xero connect ")
        assert way_out.endswith(" --token-store file")
    assert desktop.times_asked == 0

    # unlocked again: no token was lost
    desktop.unlock()
    assert person.push().exit_code == 0
    assert [*person.in_xero()] == ["INV-0001", "INV-0002"]

    # the way out, as it is printed; the keyring is locked again and keeps what it has
    desktop.lock()
    moved = person.run(way_out)
    assert moved.exit_code == 0, moved.stderr
    assert "could not be deleted from the keyring" in " ".join(moved.stderr.split())
    person.takes(invoice("INV-0003"))
    assert as_cron(person, "push").returncode == 0
    assert [*person.in_xero()] == ["INV-0001", "INV-0002", "INV-0003"]
    assert desktop.times_asked == 0


def test_a_locked_keyring_that_asks_a_person_in_a_window_which_nobody_sees_is_left_in_time(
    person: Clinic, desktop: DesktopSession, screen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.log_in()
    assert person.cli("connect", "--token-store", "keyring").exit_code == 0
    desktop.lock()
    shorter = "import caspen_xero.secrets.asking as asking; asking.SECONDS_FOR_A_PERSON = 2; "
    begun = time.monotonic()
    run = screen(
        program=f"{shorter}import sys; sys.argv = ['caspen-xero', 'push']; from caspen_xero.cli.app import main; main()"
    )
    assert time.monotonic() - begun < SOON
    assert run.exit_code == 1, run.stdout
    said = " ".join(run.stdout.split())
    assert "The keyring may be asking for its password in a window: waiting 2 seconds." in said
    assert "did not answer within 2 seconds: perhaps it is locked" in said
    assert "caspen-xero connect --token-store file" in said
    assert desktop.times_asked == 1
    desktop.unlock()
    assert person.push().exit_code == 0  # no token was lost


def test_a_secret_service_that_nobody_has_logged_in_to_is_told_from_none(
    person: Clinic, desktop: DesktopSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = error(person.cli("connect", "--token-store", "keyring", "--json"))
    assert told["code"] == "no-keyring"
    assert "no Secret Service answers in this D-Bus session" in told["message"]
    assert "caspen-xero connect --token-store file" in told["fix"]
    desktop.start_without_login()
    choose_anew(monkeypatch)
    told = error(person.cli("connect", "--token-store", "keyring", "--json"))
    assert told["code"] == "keyring-not-set-up"
    assert "caspen-xero connect --token-store file" in told["fix"]
    assert desktop.times_asked == 0
    assert person.push().exit_code == 0  # with the sign-in that is in the file
