"""What is known of the sign-in and of the day's calls without asking Xero: as the last runs left it, and whether it is there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.session import Session
from caspen_xero.commands import to_connect

if TYPE_CHECKING:
    from caspen_xero.xero.connection import Connection

_RENEWED, _CALLS = "sign_in_renewed_at", "calls_left"
_NOT_OF_THE_SIGN_IN = "other-host"
"""Ends a run with the same exit code."""


def note_what_xero_said(session: Session) -> None:
    """Keeps when the sign-in was renewed and how many calls are left, where this run has learnt that."""
    from caspen_xero.store.store import utc_text

    if session.has_client:
        tenant, left = session.connection.tenant_id, session.client.calls_left_today
        if left is not None:
            told = {"left": left, "as_of": utc_text(session.now())}
            session.store.set_setting(_CALLS, json.dumps(told), tenant)
        if session.tokens.renewed_at is not None:
            session.store.set_setting(_RENEWED, utc_text(session.tokens.renewed_at), tenant)


def calls_left_today(session: Session) -> dict[str, Any] | None:
    """`left` and `as_of` (ISO 8601 in UTC), as Xero said it last; None where that is older than a day."""
    told = session.store.setting(_CALLS, session.connection.tenant_id)
    if told is None:
        return None
    seen: dict[str, Any] = json.loads(told)
    return seen if session.now() - datetime.fromisoformat(seen["as_of"]) < timedelta(days=1) else None


def sign_in(session: Session) -> dict[str, Any]:
    """`kind`, whether it `works`, `until` when (UTC), and `why` it does not work; None for what is not known, or has no end."""
    from caspen_xero.store import log
    from caspen_xero.store.store import utc_text, utc_time
    from caspen_xero.xero.tokens import UNUSED

    connection = session.connection
    if gone := why_gone(connection, session.folder):
        return {"kind": connection.kind, "works": False, "until": None, "why": gone}
    renewed = utc_time(session.store.setting(_RENEWED, connection.tenant_id))
    told: dict[str, Any] = {"kind": connection.kind, "works": True, "until": None, "why": None}
    dead = log.dead_sign_in(session.store, connection.connected_at)
    why = dead.why if dead else None
    if why is not None and why["code"] != _NOT_OF_THE_SIGN_IN:
        return told | {"works": False, "why": why["message"]}
    if connection.kind == "pkce":
        until = max(connection.connected_at, renewed or connection.connected_at) + UNUSED
        is_over = until < session.now()
        # A store of an earlier version does not know of renewals, so its sign-in may well go on.
        told |= {"until": None if is_over and renewed is None else utc_text(until), "works": None if is_over else True}
    return told


def why_gone(connection: Connection, folder: Path) -> str:
    """Why there is no sign-in where it is to be, as far as a look into its file can tell; "" where there is one.

    A keyring is not asked: that may open a window, or take long.
    """
    from caspen_xero.xero.errors import TokenStoreError
    from caspen_xero.xero.token_store import open_token_store

    if connection.token_store != "file":
        return ""
    store = open_token_store(connection.token_store, connection.entry, folder)
    try:
        return "" if store.secret() is not None else f"there is no sign-in in the {store.name} of this workspace"
    except TokenStoreError as error:
        return error.message


def connect_again(session: Session) -> str:
    """The command that signs in as this workspace was signed in before, to be pasted."""
    return to_connect(**session.store.last_way())
