"""The link between a workspace and one organisation in Xero, as the store remembers it. It holds no secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.server_urls import is_loopback
from caspen_xero.xero.errors import XeroError
from caspen_xero.xero.hosts import base_url

Kind = Literal["pkce", "custom"]
StoreKind = Literal["keyring", "file"]


@dataclass(frozen=True)
class Connection:
    """One organisation, how we signed in to it, and where its tokens are (`token_store`, `entry`).

    `connection_id` names the link at Xero (it is not the organisation's id). `xero_url` is the base URL that issued the
    tokens, None for Xero itself. `connected_at` is UTC.
    """

    tenant_id: str
    tenant_name: str
    connection_id: str
    client_id: str
    kind: Kind
    xero_url: str | None
    token_store: StoreKind
    entry: str
    scopes: tuple[str, ...]
    connected_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"scopes": list(self.scopes), "connected_at": self.connected_at.isoformat()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Connection:
        """From what `to_dict` gave."""
        connected_at = datetime.fromisoformat(stored["connected_at"])
        if connected_at.tzinfo is None:
            connected_at = connected_at.replace(tzinfo=UTC)
        fields = {name: stored[name] for name in cls.__dataclass_fields__}
        return cls(**fields | {"scopes": tuple(stored["scopes"]), "connected_at": connected_at})


def where(xero_url: str | None) -> str:
    """What marks an organisation that is not in the real Xero; "" for the real one."""
    if xero_url is None:
        return ""
    return f"{'local Xero' if is_loopback(xero_url) else 'not the real Xero'} at {plain(xero_url)}"


def url_from_environment() -> str | None:
    """`XERO_URL` in its one form, None where it is not set; raises `XeroError` `bad-xero-url`."""
    given = os.environ.get("XERO_URL", "").strip()
    return base_url(given) if given else None


def check_same_host(connection: Connection) -> None:
    """Refuses to go on where `XERO_URL` names another host than the one that issued this connection's tokens.

    Raises `XeroError` `other-host` (exit code 4). An unset `XERO_URL` is fine: the remembered host is used.
    """
    wanted = url_from_environment()
    if wanted is not None and wanted != connection.xero_url:
        raise XeroError(
            "other-host",
            f"This workspace is connected to {plain(connection.tenant_name)} at {plain(connection.xero_url or 'Xero itself')}, "
            f"but XERO_URL says {plain(wanted)}.",
            "Unset XERO_URL, or work in another workspace (--workspace NAME).",
            exit_code=ExitCode.CONNECT_NEEDED,
        )
