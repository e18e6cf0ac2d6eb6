"""`import`, `push` and `unsynced`: Caspen's records in, invoices out to Xero, and what did not get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.drift import count_drift, tell_drift_count
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.first_push import may_begin, tell_declined
from caspen_xero.cli.session import Session, one_invoice
from caspen_xero.cli.source import import_summary, read_source, tell_import
from caspen_xero.errors import ExitCode

if TYPE_CHECKING:
    from caspen_xero.sync.sending.push import PushResult

NARROW = 110
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before the first push.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    command(app, "import")(import_)
    command(app, "push")(push)
    command(app, "unsynced")(unsynced)


def import_(
    session: Session,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files or folders of a Caspen export.")],
) -> int:
    """Read a Caspen export into the local store.

    Running it twice changes nothing. Bad records are reported and left out (exit code 3); a file that is no JSON, or
    breaks off, changes nothing at all (exit code 1).

    \b
    caspen-xero import ~/caspen-export
    caspen-xero import invoices.jsonl payments.jsonl
    """
    from caspen_xero.sync.importing import import_paths

    with session.only_writer(), session.output.progress("Importing") as progress:
        result = import_paths(session.store, paths, progress)
    if session.output.json:
        session.output.document({"command": "import", **import_summary(result)})
    else:
        tell_import(session, result)
    return ExitCode.PARTLY if result.bad_count else ExitCode.ALL_WELL


def push(
    session: Session,
    invoices: Annotated[
        list[str] | None,
        typer.Argument(metavar="INVOICE", help="Only these, by number or id; tried again at once."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; write nothing to Xero.")] = False,
    max_writes: Annotated[
        int | None, typer.Option("--max-writes", min=0, metavar="N", help="Write at most N documents, then stop.")
    ] = None,
    yes: Yes = False,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Read accounts, tax rates, lock dates and contacts anew, and try all again."),
    ] = False,
    overwrite: Annotated[
        list[str] | None,
        typer.Option("--overwrite", metavar="INVOICE", help="Let Caspen's version replace what was edited in Xero."),
    ] = None,
    pay_anyway: Annotated[
        list[str] | None,
        typer.Option("--pay-anyway", metavar="INVOICE", help="Send its payments though Xero shows one like them."),
    ] = None,
) -> int:
    """Send finalised invoices to Xero: new ones only, each exactly once.

    The first push says how many invoices it would send, their total and the accounts, and asks on a terminal.

    From cron, one line does it (the source is read first, if `settings set --source` named one):

    \b
    */15 * * * *  caspen-xero push --quiet

    \b
    caspen-xero push --dry-run
    caspen-xero push INV-0042
    """
    with session.only_writer():
        bad_records = read_source(session, f"Nothing was sent to {session.connection.tenant_name}.")
        pushed = push_now(
            session,
            invoices or (),
            overwrite or (),
            pay_anyway or (),
            bad_records=bad_records,
            yes=yes,
            dry_run=dry_run,
            refresh=refresh,
            max_writes=max_writes,
        )
    if session.output.json:
        session.output.document(pushed.summary)
    else:
        tell_push(session, pushed)
    return pushed.exit_code


@dataclass(frozen=True)
class Pushed:
    """A push that has ended: what it did, the same in numbers, and on how many things the two sides differ by now."""

    result: PushResult
    summary: dict[str, Any]
    exit_code: int
    drift_count: int = 0


def push_now(
    session: Session,
    invoices: Sequence[str] = (),
    overwrite: Sequence[str] = (),
    pay_anyway: Sequence[str] = (),
    *,
    bad_records: int = 0,
    yes: bool = False,
    **options: Any,
) -> Pushed:
    """Pushes, and logs it; the caller holds the workspace's lock and has read the source, with so many bad records."""
    from caspen_xero.store import log
    from caspen_xero.sync.pulling.drift import forget_count
    from caspen_xero.sync.sending.push import Push, PushOptions

    mappings = session.mappings
    overwritten, paid = _ids(session, overwrite), _ids(session, pay_anyway)
    named = tuple(dict.fromkeys([*_ids(session, invoices), *overwritten, *paid]))
    for invoice_id in named:
        _tell_if_nothing_to_send(session, invoice_id)
    with session.output.progress("Pushing") as progress:
        engine = Push(
            mappings,
            session.settings,
            lambda: session.client,
            session.now,
            progress=progress,
            confirm=lambda announcement: may_begin(session, announcement, yes=yes),
        )
        result = engine.run(
            PushOptions(
                invoice_ids=named or None,
                overwrite=frozenset(overwritten),
                pay_anyway=frozenset(paid),
                **options,
            )
        )
    code = exit_code(result, bad_records)
    summary = push_summary(result, session.seconds())
    if not (result.dry_run or result.declined):
        log.note(session.store, mappings.tenant_id, "push", session.started_at, code, summary)
    if result.done:
        forget_count(mappings)
    return Pushed(result, summary, code, 0 if result.declined or result.dry_run else count_drift(session))


def unsynced(session: Session) -> int:
    """Show which invoices are not in Xero, why, since when, and the command that fixes it."""
    from caspen_xero.sync.unsynced import unsynced_rows

    rows = unsynced_rows(session.store, session.mappings if session.store.connection() else None, session.settings)
    if session.output.json:
        session.output.document({"unsynced": [row | {"fix": session.output.command(row["fix"])} for row in rows]})
    elif not rows:
        session.output.say("Nothing is unsynced: every finalised invoice is in Xero.")
    else:
        _tell_unsynced(session, rows)
    return 0


def _tell_if_nothing_to_send(session: Session, invoice_id: str) -> None:
    """A person who names an invoice that never goes to Xero is told why."""
    from caspen_xero.store.listing import list_invoices

    listed = list_invoices(session.store, session.mappings, session.settings.start_date, invoice_id)[0]
    why = {
        "draft": "is a draft in Caspen: it is sent once it is finalised",
        "void": "is void in Caspen and was never sent",
        "skipped": "is set aside or dated before the start date",
    }.get(listed.sync_status)
    if why is not None and listed.xero_invoice_id is None:
        session.output.note(f"Invoice {listed.number or invoice_id} {why}.")


def _ids(session: Session, names: Sequence[str]) -> list[str]:
    """The ids of the invoices that were named."""
    return [one_invoice(session, name) for name in names]


def exit_code(result: PushResult, bad_records: int = 0) -> int:
    """How a push ends: by why it stopped, else by what is unsynced."""
    codes: set[int] = set()
    if result.stopped is not None:
        codes.add(result.stopped.exit_code)
    if result.only_settings_missing and not result.plan:
        codes.add(ExitCode.NOTHING_CAN_BE_SENT)
    if result.problems or (result.unfinished and not result.dry_run) or bad_records:
        codes.add(ExitCode.PARTLY)
    return worst_of(codes)


def push_summary(result: PushResult, seconds: float) -> dict[str, Any]:
    """A push in numbers, as JSON shows it and the log keeps it."""

    summary: dict[str, Any] = {
        "command": "push",
        "dry_run": result.dry_run,
        "synced": len(result.synced),
        "updated": len(result.updated),
        "unsynced": result.unsynced,
        "skipped": result.skipped,
        "payments": result.count("create-payment"),
        "credit_notes": result.count("create-credit-note"),
        "allocations": result.count("allocate-credit-note"),
        "contacts_created": result.count("create-contact"),
        "contacts_linked": result.count("link-contact"),
        "contacts_updated": result.count("update-contact"),
        "payments_deleted": result.count("delete-payment"),
        "pending": len(result.waiting),
        "voided": result.count("void-invoice"),
        "api_calls": result.api_calls,
        "seconds": seconds,
    }
    if result.stopped is not None:
        summary["stopped"] = result.stopped.as_json()
    if result.dry_run:
        summary["plan"] = [
            {"operation": step.kind, "number": step.number, "detail": step.detail} for step in result.plan
        ]
    return summary


def tell_push(session: Session, pushed: Pushed) -> None:
    """A push for people."""
    output, result = session.output, pushed.result
    if result.declined:
        tell_declined(session)
        return
    for line in (*result.linked_rates, *(f"Note: {warning}" for warning in result.warnings)):
        output.note(line)
    if result.dry_run:
        output.table(
            ("Step", "Number", "Detail"),
            [(step.kind.replace("-", " "), step.number, step.detail) for step in result.plan],
        )
        output.say(f"{len(result.plan)} steps; nothing was written to Xero.")
        if result.problems:
            number = len(result.problems)
            output.say(f"{number} {'invoice' if number == 1 else 'invoices'} would not be wholly in Xero.")
            found = [problem for problems in result.problems.values() for problem in problems]
            output.what_to_do((p.fix, _number(session, p.invoice_id), f"{p.code}: {p.reason}") for p in found)
    else:
        counts = [
            ("invoices synced", len(result.synced)),
            ("invoices updated", len(result.updated)),
            ("invoices voided", result.count("void-invoice")),
            ("contacts created", result.count("create-contact")),
            ("contacts linked", result.count("link-contact")),
            ("payments", result.count("create-payment")),
            ("payments deleted", result.count("delete-payment")),
            ("credit notes", result.count("create-credit-note")),
            ("contacts updated", result.count("update-contact")),
            ("invoices unsynced", result.unsynced),
        ]
        rows = [(what, number) for what, number in counts if number or what in {"invoices synced", "invoices unsynced"}]
        output.table((f"Push to {session.connection.tenant_name}", ""), rows)
    for invoice_id, why in list(result.waiting.items())[:5]:
        output.note(f"{_number(session, invoice_id)} waits: {why.reason}.")
    if len(result.waiting) > 5:
        output.note(f"... and {len(result.waiting) - 5} more wait.")
    if result.unsynced and not result.dry_run:
        output.note("See why, and what to do:  caspen-xero unsynced")
    tell_drift_count(session, pushed.drift_count)
    if result.stopped is not None:
        output.error(result.stopped)


def _number(session: Session, invoice_id: str) -> str:
    row = session.store.row("SELECT number FROM invoices WHERE id = ?", invoice_id)
    return str(row["number"] or invoice_id) if row else invoice_id


def _tell_unsynced(session: Session, rows: list[dict[str, Any]]) -> None:
    """The table, then each fix once. On a narrow terminal the reasons stand with the fixes: a column would be too thin."""
    from decimal import Decimal

    narrow = session.output.console().width < NARROW
    session.output.table(
        ("Invoice", "Client", "Date", "Total", "Why", "Since", "Tries"),
        [
            (
                row["number"] or row["invoice_id"],
                row["client"],
                row["date"],
                Decimal(row["total"]) if row["total"] is not None else None,
                row["code"] if narrow else f"{row['code']}: {row['reason']}",
                (row["first_failed_at"] or "")[: 10 if narrow else 16].replace("T", " "),
                row["attempts"],
            )
            for row in rows
        ],
        title="Unsynced invoices",
    )
    session.output.what_to_do(
        (row["fix"], row["number"] or row["invoice_id"], f"{row['code']}: {row['reason']}" if narrow else "")
        for row in rows
    )
