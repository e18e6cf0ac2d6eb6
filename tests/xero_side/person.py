"""What a person does in Xero, and what is then there, here and at Xero."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import loopback

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from tests.conftest import Cli
from tests.xero_side.told import Reply, Seen


def settings(sandbox: Sandbox, **switches: Any) -> None:
    loopback.post(f"{sandbox.url}/sandbox/settings", json=switches).raise_for_status()


def organisation(sandbox: Sandbox, name: str) -> str:
    """One more organisation in Xero; gives its tenant id."""
    loopback.post(f"{sandbox.url}/sandbox/organisations", json={"Name": name}).raise_for_status()
    return next(one.tenant_id for one in sandbox.xero.tenants.all() if one.name == name)


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
