"""`status`: what is linked, when it was last pushed and pulled, and how the invoices stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.proved import Proved, proved, under_way
from caspen_xero.cli.session import Session
from caspen_xero.cli.sign_in import calls_left_today, connect_again, sign_in
from caspen_xero.cli.source import some_without_invoice
from caspen_xero.cli.spans import span
from caspen_xero.cli.standing import LOOK, basis, read_standing
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.store.bad_records import WithoutInvoice
    from caspen_xero.store.log import Run


STOPPED = ("stopped", "interrupted")


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "status", in_all=True)(status)


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
    from caspen_xero.store import log as runs

    too_old = _why_too_old(session, max_age) if max_age is not None else ""
    stored = session.store.connection()
    books = read_standing(session)
    without_invoice = bad_records.without_invoice(session.store)
    good, last_proof = runs.last_good_push(session.store), proved(session, books)
    summary: dict[str, Any] = {
        "command": "status",
        "workspace": session.workspace,
        "connected": stored is not None,
        "organisation": session.connection.tenant_name if stored else None,
        "tenant_id": session.connection.tenant_id if stored else None,
        "connection": session.connection.kind if stored else None,
        "token_store": session.connection.token_store if stored else None,
        "xero_url": session.connection.xero_url if stored else None,
        "last_push": _last_run(session, ("push", "sync"), "synced", "unsynced", "named"),
        "last_pull": _last_run(session, ("pull", "sync"), "payments", "invoices_updated"),
        "last_sync": _last_run(session, ("sync",), "named"),
        "last_good_push": good.ended_at if good else None,
        "interrupted": _interrupted(session),
        "sign_in": sign_in(session) if stored else None,
        "calls_left_today": calls_left_today(session) if stored else None,
        "drift": len(books.differences),
        "invoices": books.counts,
        "accepted": books.content_with,
        "before_start_date": books.before_start,
        "in_order": books.in_order,
        "basis": basis(session, books),
        "bad_records": bad_records.count(session.store),
        "without_invoice": {
            "payments": sum(one.kind == "payment" for one in without_invoice),
            "credit_notes": sum(one.kind == "credit_note" for one in without_invoice),
        },
        "proof": last_proof.as_json() if last_proof else None,
        "reading": under_way(session),
        "store": str(session.store.path),
    }
    if stored and (alive := _another_home(session)):
        summary["another_home"] = alive
    if session.output.json:
        session.output.document(summary | ({"too_old": bool(too_old)} if max_age is not None else {}))
    else:
        _tell_status(session, summary, without_invoice, last_proof)
    if too_old and not session.output.json:
        session.output.error(UserError("push-too-old", too_old, session.next_run("push")))
    return ExitCode.FAILED if too_old else ExitCode.ALL_WELL


def _tell_status(
    session: Session,
    summary: dict[str, Any],
    without_invoice: Sequence[WithoutInvoice],
    last_proof: Proved | None,
) -> None:
    facts: list[tuple[str, str]] = [
        ("Workspace", summary["workspace"]),
        ("Organisation", summary["organisation"] or Ours(f"not connected  ({connect_again(session)})")),
    ]
    if summary["connected"]:
        kept = {"keyring": "the system's keyring", "file": "a file of this workspace (chosen with --token-store file)"}
        facts.append(("Tokens", kept[summary["token_store"]]))
        if summary["xero_url"]:
            facts.append(("Xero", Ours(f"{plain(summary['xero_url'])}  (not the real Xero)")))
    facts += (
        [("Sign-in", Ours(_of_sign_in(summary["sign_in"], connect_again(session))))] if summary["connected"] else []
    )
    facts.append(("Last push", Ours(_of_run(summary["last_push"], "synced", "unsynced"))))
    last = [run for run in (summary["last_push"], summary["last_sync"]) if run]
    if any(run["ended"] in STOPPED or run["named"] for run in last):
        facts.append(("Last good push", local(summary["last_good_push"]) or "never"))
    facts.append(("Last pull", Ours(_of_run(summary["last_pull"], "payments"))))
    if summary["last_sync"]:
        facts.append(("Last sync", Ours(_of_run(summary["last_sync"]))))
    if summary["interrupted"]:
        times = [f"{run['command']} of {local(run['started_at'])}" for run in summary["interrupted"]]
        more = f" and {len(times) - 3} more" if len(times) > 3 else ""
        facts.append(("Did not end", f"{', '.join(times[:3])}{more}: killed, or the machine went down"))
    if calls := summary["calls_left_today"]:
        facts.append(("Calls left", f"{calls['left']} of Xero's limit for the day, as of {local(calls['as_of'])}"))
    if stop := summary.get("another_home"):
        facts.append(("Stopped", Ours(f"{stop['message']}  ->  {stop['fix']}")))
    facts.append(("Invoices", ", ".join(f"{n} {name}" for name, n in summary["invoices"].items() if n) or "none"))
    facts.append(("In Xero", Ours(summary["basis"])))
    if last_proof:
        facts.append(("Proved", Ours(session.output.command(last_proof.in_words()))))
    if reading := summary["reading"]:
        read = f"{reading['documents']:,} {'document' if reading['documents'] == 1 else 'documents'} read"
        begun = f"a reading was begun on {local(reading['began_at'])}, {read}; it goes on with"
        facts.append(("Reading", Ours(f"{begun}: {reading['fix']}")))
    if not summary["in_order"]:
        facts.append(("To do", Ours(LOOK)))
    if summary["bad_records"]:
        facts.append(
            ("Bad records", f"{summary['bad_records']}, of which nothing is sent till they are corrected in Caspen")
        )
    if without_invoice:
        facts.append(("Without invoice", Ours(f"{some_without_invoice(without_invoice)}: never imported")))
    older = "  (it may be older than what was sent:  caspen-xero adopt)" if session.store.adopt_is_due else ""
    facts.append(("Store", Ours(plain(session.store.path) + older)))
    session.output.facts("caspen-xero", facts)


def _of_run(run: dict[str, Any] | None, *counts: str) -> str:
    """One run in words: when, how it ended, what it did."""
    if run is None:
        return "never"
    if run["ended"] is None:
        return f"running since {local(run['started_at'])}"
    when = local(run["ended_at"] or run["started_at"])
    if run["ended"] in STOPPED:
        why = "by a person" if run["error"]["code"] == "interrupted" else plain(run["error"]["message"], MOST_WORDS)
        return f"{when}: {run['ended']}: {why}"
    few = f"only what was named ({run['named']})" if run.get("named") else ""
    did = [f"{run[name]} {name if run[name] != 1 else name.removesuffix('s')}" for name in counts]
    return ", ".join(filter(None, [f"{when}: {run['ended']}", few, *did]))


def _of_sign_in(told: dict[str, Any], again: str) -> str:
    if told["works"] is False:
        return f"does not work: {plain(told['why'], MOST_WORDS)}  ->  {again}"
    if told["kind"] == "custom":
        return "works, without an end (a custom connection)"
    if told["works"] is None:
        return f"not used since long; it was to be used by {local(told['until'])}"
    if told["until"] is None:
        return "works, as far as is known"
    return f"works until {local(told['until'])}, and longer with each use; unless access is taken away in Xero"


def _last_run(session: Session, commands: Sequence[str], *counts: str) -> dict[str, Any] | None:
    """The last of these runs, with what it counted and how it ended; `ended` None while it runs."""
    from caspen_xero.store import log as runs

    run = runs.last(session.store, *commands)
    if run is None:
        return None
    told = {"command": run.command, "started_at": run.started_at, "ended_at": run.ended_at, "exit_code": run.exit_code}
    ended = None if _is_active(session, run) else run.ended
    counted = {name: run.result.get(name, 0) for name in counts}
    return {**told, "ended": ended, "error": run.why if ended else None, **counted}


def _is_active(session: Session, run: Run) -> bool:
    """Whether a run that was not noted as ended is the one that has the workspace's lock."""
    from caspen_xero.store.store import utc_text

    if run.exit_code is not None:
        return False
    holder = session.active_run()
    return holder is not None and run.started_at >= utc_text(holder.since)


def _interrupted(session: Session) -> list[dict[str, str]]:
    """The commands that were begun since the last good push, and did not end."""
    from caspen_xero.store import log as runs

    good = runs.last_good_push(session.store)
    found = runs.not_ended(session.store, good.id if good else 0)
    return [{"command": run.command, "started_at": run.started_at} for run in found if not _is_active(session, run)]


def _why_too_old(session: Session, max_age: str) -> str:
    """What is wrong with the age of the last good push, as a sentence; empty where nothing is."""
    from caspen_xero.store import log as runs
    from caspen_xero.store.store import utc_time
    from caspen_xero.xero.clock import CLOCKS_APART

    limit, now = span(max_age), session.now()
    good = runs.last_good_push(session.store)
    ended = utc_time(good.ended_at) if good else None
    if ended is None:
        return "There has been no good push yet."
    if now - ended > limit:
        return f"The last good push is older than {plain(max_age)}."
    if ended - now > CLOCKS_APART:
        return f"The last good push is noted for {local(ended)}, by a clock that was wrong: it may be of any age."
    return ""


def _another_home(session: Session) -> dict[str, Any] | None:
    """Why nothing is sent, where another home sends too."""
    from caspen_xero.sync.sending.other_homes import another_home

    alive = another_home(session.mappings)
    return alive.as_json() | {"fix": session.output.command(alive.fix)} if alive else None
