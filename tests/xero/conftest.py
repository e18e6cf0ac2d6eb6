"""Signed in, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caspen_xero.xero.grants import Access
from tests.xero.told import SignedIn


@pytest.fixture
def signed_in(tmp_path: Path) -> SignedIn:
    """Signed in: a refresh token, and an access token that is good for half an hour."""
    one = SignedIn(tmp_path)
    one.store.save_secret("the-refresh-token")
    one.store.save_access(Access("the-access-token", datetime.now(UTC) + timedelta(minutes=30)))
    return one
