"""The end of `setup`: a dry run with its sums, and the first push, which asks before it sends."""

from __future__ import annotations

from caspen_xero.cli.push import push
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode

_NO_FAILURE = (ExitCode.NOTHING_CAN_BE_SENT, ExitCode.PARTLY)
"""Invoices can't go yet, which is said with what to do: no reason to end the walk."""


def dry_run(session: Session) -> int:
    """Shows what the first push would send."""
    if session.mappings.has_invoices():
        return ExitCode.ALL_WELL
    session.output.say("First a dry run: nothing is written to Xero.")
    code = push(session, dry_run=True) or ExitCode.ALL_WELL
    if code in _NO_FAILURE:
        session.output.note("What keeps invoices out, and the way out:  caspen-xero unsynced")
    return ExitCode.ALL_WELL if code in _NO_FAILURE else code


def first_push(session: Session) -> int:
    """Sends them, after a yes."""
    if session.mappings.has_invoices():
        session.output.say("It was made.")
        return ExitCode.ALL_WELL
    code = push(session) or ExitCode.ALL_WELL
    return ExitCode.ALL_WELL if code in _NO_FAILURE else code
