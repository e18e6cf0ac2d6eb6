"""Somebody who is signed in already, and somebody at a browser who is about to."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import keyring
import loopback
import pytest

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.xero.grants import Access
from tests.xero_side.keyrings import MemoryKeyring
from tests.xero_side.told import SignedIn


@pytest.fixture
def signed_in(tmp_path: Path) -> SignedIn:
    """Signed in: a refresh token, and an access token that is good for half an hour."""
    one = SignedIn(tmp_path)
    one.store.save_secret("the-refresh-token")
    one.store.save_access(Access("the-access-token", datetime.now(UTC) + timedelta(minutes=30)))
    return one


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
        shown.append(loopback.get(url, follow_redirects=True, timeout=20))
        return True

    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(webbrowser, "open", browse)
    return shown


@pytest.fixture
def person(sandbox: Sandbox, pages: list[httpx.Response], machine_keyring: MemoryKeyring) -> Iterator[Sandbox]:
    """A local Xero to which nobody has connected this app, with a person at the browser."""
    sandbox.xero.identity.revoke_everything("APP")
    yield sandbox
    sandbox.xero.identity.revoke_everything("APP")
