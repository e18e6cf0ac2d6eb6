"""`status`: what is linked, when it was last pushed and pulled, and how the invoices stand."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode, UserError


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "status")(status)


def status(
    session: Session,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="26h", help="Exit with 1 where the last good push is older (m, h or d)."),
    ] = None,
) -> int:
    """Show the linked organisation, where the tokens are, the last push and pull, and how the invoices stand.

    \b
    caspen-xero status --max-age 26h --quiet || mail-me
    """
    from caspen_xero.store import log as runs
    from caspen_xero.store.listing import SYNC_STATUSES, list_invoices

    limit = _span(max_age) if max_age else None
    stored = session.store.connection()
    mappings = session.mappings if stored else None
    counts = Counter(
        invoice.sync_status for invoice in list_invoices(session.store, mappings, session.settings.start_date)
    )
    last = _last_run(session, "push", "synced", "unsynced")
    summary: dict[str, Any] = {
        "command": "status",
        "workspace": session.workspace,
        "connected": stored is not None,
        "organisation": session.connection.tenant_name if stored else None,
        "tenant_id": session.connection.tenant_id if stored else None,
        "connection": session.connection.kind if stored else None,
        "token_store": session.connection.token_store if stored else None,
        "xero_url": session.connection.xero_url if stored else None,
        "last_push": last,
        "last_pull": _last_run(session, "pull", "payments", "invoices_updated"),
        "invoices": {name: counts.get(name, 0) for name in SYNC_STATUSES},
        "store": str(session.store.path),
    }
    too_old = limit is not None and _older_than(runs.last_good_push(session.store), limit, session)
    if session.output.json:
        session.output.document(summary | ({"too_old": too_old} if limit is not None else {}))
    else:
        _tell_status(session, summary)
    if too_old and not session.output.json:
        session.output.error(
            UserError("push-too-old", f"The last good push is older than {max_age}.", "caspen-xero push")
        )
    return ExitCode.FAILED if too_old else ExitCode.ALL_WELL


def _tell_status(session: Session, summary: dict[str, Any]) -> None:
    last, pulled = summary["last_push"], summary["last_pull"]
    facts: list[tuple[str, str]] = [
        ("Workspace", summary["workspace"]),
        ("Organisation", summary["organisation"] or "not connected  (caspen-xero connect)"),
    ]
    if summary["connected"]:
        kept = {"keyring": "the system's keyring", "file": "a file of this workspace (chosen with --token-store file)"}
        facts.append(("Tokens", kept[summary["token_store"]]))
        if summary["xero_url"]:
            facts.append(("Xero", f"{summary['xero_url']}  (not the real Xero)"))
    told = "never"
    if last:
        told = f"{last['ended_at'][:16].replace('T', ' ')} UTC: {last['synced']} synced, {last['unsynced']} unsynced"
    facts.append(("Last push", told))
    told = f"{pulled['ended_at'][:16].replace('T', ' ')} UTC: {pulled['payments']} payments" if pulled else "never"
    facts.append(("Last pull", told))
    facts.append(("Invoices", ", ".join(f"{n} {name}" for name, n in summary["invoices"].items() if n) or "none"))
    facts.append(("Store", summary["store"]))
    session.output.table(("caspen-xero", ""), facts)


def _last_run(session: Session, command_name: str, *counts: str) -> dict[str, Any] | None:
    from caspen_xero.store import log as runs

    run = runs.last(session.store, command_name)
    if run is None:
        return None
    told = {"started_at": run.started_at, "ended_at": run.ended_at, "exit_code": run.exit_code}
    return {**told, **{name: run.result.get(name, 0) for name in counts}}


def _older_than(moment: datetime | None, limit: timedelta, session: Session) -> bool:
    return moment is None or session.now() - moment > limit


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)\s*([mhd])", text.strip())
    if match is None:
        raise SessionError("bad-age", f"{text!r} is no span of time.", "Write it like 90m, 26h or 2d.", ExitCode.USAGE)
    return timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[match[2]]: int(match[1])})
