"""A running local Xero and clients for it: real HTTP on loopback, nothing kept on disk."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A local Xero in memory; it approves by itself and has room for 10,000 calls a minute."""
    with Sandbox(auto_approve=True, minute_limit=10_000, day_limit=100_000) as running:
        yield running


@pytest.fixture
def app(box: Sandbox) -> Iterator[App]:
    """An app that has not signed in yet."""
    one = App(box.url)
    yield one
    one.http.close()


@pytest.fixture
def api_client(app: App) -> httpx.Client:
    """An HTTP client of an app that is signed in with every scope, for the first organisation."""
    app.sign_in()
    return app.http
