"""`doctor`: every precondition of a push, and the fix where one is not met."""

from __future__ import annotations

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "doctor")(doctor)


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
