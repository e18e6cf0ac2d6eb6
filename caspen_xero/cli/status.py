"""`status`: what is linked, when it was last pushed and pulled, and how the invoices stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import some_without_invoice
from caspen_xero.cli.spans import span
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.store.bad_records import WithoutInvoice


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
    from caspen_xero.store import bad_records
    from caspen_xero.store.listing import SYNC_STATUSES, list_invoices

    too_old = _why_too_old(session, max_age) if max_age is not None else ""
    stored = session.store.connection()
    mappings = session.mappings if stored else None
    counts = Counter(
        invoice.sync_status for invoice in list_invoices(session.store, mappings, session.settings.start_date)
    )
    without_invoice = bad_records.without_invoice(session.store)
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
        "bad_records": bad_records.count(session.store),
        "without_invoice": {
            "payments": sum(one.kind == "payment" for one in without_invoice),
            "credit_notes": sum(one.kind == "credit_note" for one in without_invoice),
        },
        "store": str(session.store.path),
    }
    if stored and (alive := _another_home(session)):
        summary["another_home"] = alive
    if session.output.json:
        session.output.document(summary | ({"too_old": bool(too_old)} if max_age is not None else {}))
    else:
        _tell_status(session, summary, without_invoice)
    if too_old and not session.output.json:
        session.output.error(UserError("push-too-old", f"The last good push {too_old}.", "caspen-xero push"))
    return ExitCode.FAILED if too_old else ExitCode.ALL_WELL


def _tell_status(session: Session, summary: dict[str, Any], without_invoice: Sequence[WithoutInvoice]) -> None:
    last, pulled = summary["last_push"], summary["last_pull"]
    facts: list[tuple[str, str]] = [
        ("Workspace", summary["workspace"]),
        ("Organisation", summary["organisation"] or Ours("not connected  (caspen-xero connect)")),
    ]
    if summary["connected"]:
        kept = {"keyring": "the system's keyring", "file": "a file of this workspace (chosen with --token-store file)"}
        facts.append(("Tokens", kept[summary["token_store"]]))
        if summary["xero_url"]:
            facts.append(("Xero", Ours(f"{plain(summary['xero_url'])}  (not the real Xero)")))
    told = "never"
    if last:
        told = f"{last['ended_at'][:16].replace('T', ' ')} UTC: {last['synced']} synced, {last['unsynced']} unsynced"
    facts.append(("Last push", told))
    told = f"{pulled['ended_at'][:16].replace('T', ' ')} UTC: {pulled['payments']} payments" if pulled else "never"
    facts.append(("Last pull", told))
    if stop := summary.get("another_home"):
        facts.append(("Stopped", Ours(f"{stop['message']}  ->  {stop['fix']}")))
    facts.append(("Invoices", ", ".join(f"{n} {name}" for name, n in summary["invoices"].items() if n) or "none"))
    if summary["bad_records"]:
        facts.append(
            ("Bad records", f"{summary['bad_records']}, of which nothing is sent till they are corrected in Caspen")
        )
    if without_invoice:
        facts.append(("Without invoice", Ours(f"{some_without_invoice(without_invoice)}: never imported")))
    older = "  (it may be older than what was sent:  caspen-xero adopt)" if session.store.adopt_is_due else ""
    facts.append(("Store", Ours(plain(session.store.path) + older)))
    session.output.table(("caspen-xero", ""), facts)


def _last_run(session: Session, command_name: str, *counts: str) -> dict[str, Any] | None:
    from caspen_xero.store import log as runs

    run = runs.last(session.store, command_name)
    if run is None:
        return None
    told = {"started_at": run.started_at, "ended_at": run.ended_at, "exit_code": run.exit_code}
    return {**told, **{name: run.result.get(name, 0) for name in counts}}


def _why_too_old(session: Session, max_age: str) -> str:
    """What is wrong with the age of the last good push; empty where nothing is."""
    from caspen_xero.store import log as runs
    from caspen_xero.xero.clock import CLOCKS_APART

    limit, now = span(max_age), session.now()
    ended = runs.last_good_push(session.store)
    if ended is None or now - ended > limit:
        return f"is older than {plain(max_age)}"
    if ended - now > CLOCKS_APART:
        return f"is noted for {ended:%Y-%m-%d %H:%M} UTC, by a clock that was wrong: it may be of any age"
    return ""


def _another_home(session: Session) -> dict[str, Any] | None:
    """Why nothing is sent, where another home sends too."""
    from caspen_xero.sync.sending.other_homes import another_home

    alive = another_home(session.mappings)
    return alive.as_json() | {"fix": session.output.command(alive.fix)} if alive else None
