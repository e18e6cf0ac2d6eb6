"""What the local Xero was asked since its log was last cleared."""

from __future__ import annotations

from typing import Any

import loopback

_HTTP = loopback.Client()


def asked(url: str) -> list[dict[str, Any]]:
    """Every request to the local Xero at that address, wherever in it that went, in their order."""
    return list(_HTTP.get(f"{url}/sandbox/requests").json()["requests"])


def forget(url: str) -> None:
    """Clears the log, so that the calls of one command can be told."""
    _HTTP.delete(f"{url}/sandbox/requests").raise_for_status()
