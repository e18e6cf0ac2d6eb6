"""`doctor`: every precondition of a push, and the fix where one is not met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours, in_words
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.cli.standing import LOOK, basis, read_standing, trouble_in_words
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.sync.setup.doctor import Check

_STATES = {"ok": "ok", "note": "note", "not-ok": "NOT OK"}

COLUMNS = ("name", "ok", "state", "message", "fix")
"""The fields of a check in CSV."""


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "doctor", in_all=True, lists=True)(doctor)


def doctor(
    session: Session,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="With --bundle: a new file, or a folder. [default: the workspace's folder]"
        ),
    ] = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Write a report of a fault to a file; nothing of your clients is in it.")
    ] = False,
    as_scheduled: Annotated[
        bool,
        typer.Option("--as-scheduled", help="Look with what a scheduled run has: no terminal, few variables."),
    ] = False,
) -> int:
    """Check every precondition of a push, one line each, with the fix where one is not met.

    With --as-scheduled the checks run as the next run of `schedule install` will, and it says whether that one finds all it needs.

    \b
    caspen-xero doctor
    caspen-xero doctor --as-scheduled
    caspen-xero doctor --bundle
    """
    if bundle and session.output.csv:
        raise SessionError("usage", "A report is no list.", "caspen-xero doctor --bundle", ExitCode.USAGE)
    if bundle and as_scheduled:
        words = "A report is of this run, and not of a scheduled one."
        raise SessionError("usage", words, "caspen-xero doctor --bundle", ExitCode.USAGE)
    if bundle:
        return _bundle(session, file)
    if file is not None:
        words = "A file is only written with --bundle."
        raise SessionError("usage", words, "caspen-xero doctor --bundle FILE", ExitCode.USAGE)
    if as_scheduled:
        return _as_scheduled(session)
    checks = _checks(session)
    _show(session, checks, {})
    return ExitCode.ALL_WELL if all(check.ok for check in checks) else ExitCode.FAILED


def _show(session: Session, checks: Sequence[Check], more: dict[str, Any]) -> None:
    """The checks as a table, or with what else is told of them as JSON."""
    if session.output.is_for_scripts:
        output = session.output
        found = [
            vars(check)
            | {"state": check.state, "fix": output.command(check.fix), "choices": output.choices(check.choices)}
            for check in checks
        ]
        session.output.listed({"checks": found} | more, "checks", COLUMNS)
    else:
        output = session.output
        rows = [
            (_STATES[check.state], Ours(plain(check.name)), _finding(check), Ours(output.command(check.fix)))
            for check in checks
        ]
        if output.is_piped:
            output.table(("", "Check", "Finding", "What to do"), rows)
        else:
            output.table(("", "Check", "Finding"), [row[:-1] for row in rows], beside=("Finding",))
            if any(check.fix for check in checks):
                output.what_to_do((check.fix, check.name, _finding(check), ()) for check in checks if check.fix)


def _as_scheduled(session: Session) -> int:
    """The same by a run of its own, with what the machine gives it; then whether tonight's will find what it needs."""
    from caspen_xero.cli.as_scheduled import look

    seen = look(session)
    _show(session, seen.checks, {"as_scheduled": seen.as_json()})
    if not session.output.is_for_a_screen:  # a line a check, and no other
        session.output.note(seen.conclusion)
    else:
        session.output.say("", seen.conclusion)
    return ExitCode.ALL_WELL if all(check.ok for check in seen.checks) else ExitCode.FAILED


def _finding(check: Check) -> Ours:
    return Ours(f"{check.message}; to choose from: {in_words(check.choices)}" if check.choices else check.message)


def _bundle(session: Session, file: str | None) -> int:
    """Writes what somebody who mends caspen-xero needs, and says what that is."""
    from caspen_xero.cli.bundle import HOLDS, write_bundle

    def findings() -> list[dict[str, Any]]:
        if not session.store_file.exists():
            return []
        return [{"check": check.name, "ok": check.ok} for check in _checks(session)]

    made = write_bundle(session, file, findings)
    if session.output.json:
        session.output.document(
            {"command": "doctor", "bundle": str(made), "bytes": made.stat().st_size, "holds": HOLDS}
        )
    session.output.say(f"Wrote {plain(made)}. It holds:")
    for words in HOLDS.values():
        session.output.say(f"  {words}")
    session.output.say("It holds no names, emails, amounts, invoice numbers or secrets. Nothing was sent to anybody.")
    return ExitCode.ALL_WELL


def _checks(session: Session) -> list[Check]:
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.store.errors import StoreCode, StoreError
    from caspen_xero.sync.sending.other_homes import another_home
    from caspen_xero.sync.setup.doctor import Check, organisation_checks, source_check, unsynced_checks
    from caspen_xero.sync.unsynced import unsynced_rows

    try:
        checks = [_store_check(session)]
    except StoreError as error:
        if error.code != StoreCode.FULL:
            raise
        unseen = (
            "the rest can't be looked at while the store can't be opened"  # it needs room beside it even to be read
        )
        return [Check("store", False, error.message, error.fix), Check("all else", False, unseen, "caspen-xero doctor")]
    try:
        checks.append(source_check(session.settings.source, caspen_key(session)))
    except UserError as error:  # the key is given, or kept, where it can't be read
        checks.append(Check("source", False, error.message, error.fix))
    if session.store.connection() is None:
        checks.append(Check("connection", False, "not connected to Xero", "caspen-xero connect"))
    else:
        connection = session.connection
        checks.append(Check("connection", True, f"{plain(connection.tenant_name)} (tokens: {connection.token_store})"))
        if (alive := another_home(session.mappings)) is not None:
            checks.append(Check("another home", False, alive.message, alive.fix))
        checks += organisation_checks(
            session.store, session.mappings, session.settings, lambda: session.client, session.now()
        )
    if checks[0].ok:
        books = read_standing(session)
        told = f"{trouble_in_words(books)}; {basis(session, books)}" if books.troubles else basis(session, books)
        checks.append(Check("invoices", books.in_order, told, LOOK if books.troubles else ""))
        checks += unsynced_checks(unsynced_rows(session.store, session.known_mappings, session.settings, books))
    return checks


def _store_check(session: Session) -> Check:
    """Whether the store is whole, every page of it looked at, and can be written."""
    from caspen_xero.sync.setup.doctor import Check

    store = session.store
    if (trouble := store.trouble()) is not None:
        return Check("store", False, trouble.message, trouble.fix)
    if store.adopt_is_due:
        older = f"{plain(store.path)}: it may be older than what was sent, so the next push looks up all of ours in Xero first"
        return Check("store", True, older, "caspen-xero adopt")
    return Check("store", True, plain(store.path))
