"""`doctor`: every precondition of a push, and the fix where one is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode

if TYPE_CHECKING:
    from caspen_xero.sync.setup.doctor import Check


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "doctor")(doctor)


def doctor(session: Session) -> int:
    """Check every precondition of a push, one line each, with the fix where one is not met.

    \b
    caspen-xero doctor
    """
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.sync.sending.other_homes import another_home
    from caspen_xero.sync.setup.doctor import Check, organisation_checks, source_check

    checks = [_store_check(session), source_check(session.settings.source, caspen_key(session))]
    if session.store.connection() is None:
        checks.append(Check("connection", False, "not connected to Xero", "caspen-xero connect"))
    else:
        connection = session.connection
        checks.append(Check("connection", True, f"{connection.tenant_name} (tokens: {connection.token_store})"))
        if (alive := another_home(session.mappings)) is not None:
            checks.append(Check("another home", False, alive.message, alive.fix))
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


def _store_check(session: Session) -> Check:
    """Whether the store is whole, every page of it looked at, and can be written."""
    from caspen_xero.sync.setup.doctor import Check

    store = session.store
    if (trouble := store.trouble()) is not None:
        return Check("store", False, trouble.message, trouble.fix)
    if store.adopt_is_due:
        older = f"{store.path}: it may be older than what was sent, so the next push looks up all of ours in Xero first"
        return Check("store", True, older, "caspen-xero adopt")
    return Check("store", True, str(store.path))
