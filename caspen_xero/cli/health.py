"""`status`, `doctor` and `log`: is all well, what is missing, and what was sent."""

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
    """Adds these commands to the command line."""
    command(app, "status")(status)
    command(app, "doctor")(doctor)
    command(app, "log")(log)


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


def doctor(session: Session) -> int:
    """Check every precondition of a push, one line each, with the fix where one is not met.

    \b
    caspen-xero doctor
    """
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.sync.setup.doctor import Check, organisation_checks, source_check

    checks = [Check("store", True, str(session.store.path)), source_check(session.settings.source, caspen_key(session))]
    if session.store.connection() is None:
        checks.append(Check("connection", False, "not connected to Xero", "caspen-xero connect"))
    else:
        connection = session.connection
        checks.append(Check("connection", True, f"{connection.tenant_name} (tokens: {connection.token_store})"))
        checks += organisation_checks(session.store, session.mappings, lambda: session.client, session.now())
    if session.output.json:
        found = [vars(check) | {"fix": session.output.command(check.fix)} for check in checks]
        session.output.document({"checks": found})
    else:
        rows = [
            ("ok" if check.ok else "NOT OK", check.name, check.message, session.output.command(check.fix))
            for check in checks
        ]
        session.output.table(("", "Check", "Finding", "What to do"), rows)
    return ExitCode.ALL_WELL if all(check.ok for check in checks) else ExitCode.FAILED


def log(
    session: Session,
    number: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many documents at the most.")] = 50,
    invoice: Annotated[str | None, typer.Option("--invoice", help="Only what belongs to this invoice.")] = None,
) -> int:
    """Show what was sent to Xero, when, and with what answer, newest first.

    \b
    caspen-xero log --invoice INV-0042
    """
    from caspen_xero.store import clinic
    from caspen_xero.store.journal import writes

    rows: list[dict[str, Any]] = []
    if session.store.connection():
        ids = clinic.invoice_ids(session.store, invoice) if invoice else [None]
        if not ids:
            raise SessionError("invoice-not-found", f"There is no invoice {invoice}.", "caspen-xero invoices list")
        rows = [row for id_ in ids for row in writes(session.mappings, number, id_)]
    if session.output.json:
        session.output.document({"log": rows})
        return 0
    session.output.table(
        ("Sent (UTC)", "What", "Number", "Answer", "HTTP", "Xero id", "Message"),
        [
            (
                row["first_sent_at"][:19].replace("T", " "),
                row["operation"].replace("-", " "),
                row["number"],
                row["state"] if row["write_state"] != "sent" else "unknown",
                row["http_status"],
                row["xero_id"],
                row["message"],
            )
            for row in rows
        ],
    )
    return 0


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
