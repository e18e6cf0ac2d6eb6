"""How a run of `store/log.py`'s `COMMANDS` is noted in the log: before anything can go wrong, and again however it has ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from caspen_xero.cli.session import Session
from caspen_xero.cli.sign_in import note_what_xero_said
from caspen_xero.errors import UserError


def begins(session: Session, command: str) -> None:
    """Notes that a run, or a part of one, begins; once, however often it is said.

    Where the store can't be written at once nothing is noted yet: what is said next says that, or says it again.
    """
    if any(noted == command for noted, _ in session.noted) or session.store.is_read_only:
        return
    from caspen_xero.store import log

    with suppress(Exception), session.store.in_a_hurry():
        whole = session.noted[0][1] if session.noted else None
        began = log.begin(session.store, session.tenant_id, command, session.started_at, whole)
        session.noted.append((command, began))


def ends(session: Session, command: str, code: int, summary: dict[str, Any], *stopped: UserError | None) -> None:
    """Notes how it ended, and by what, of all that `stopped` it the first."""
    from caspen_xero.store import log

    begins(session, command)
    note_what_xero_said(session)
    error = next((one for one in stopped if one is not None), None)
    session.ended_by = session.ended_by or error
    for noted in [each for each in session.noted if each[0] == command]:
        log.end(session.store, noted[1], code, summary, error)
        session.noted.remove(noted)


def all_end(session: Session, code: int) -> None:
    """Notes the end of what has begun and not ended: the whole of which a part has ended, or all that an error broke off."""
    from caspen_xero.store import log

    if session.noted:
        note_what_xero_said(session)
    for _, began in session.noted:
        log.end(session.store, began, code, None, session.ended_by)
    session.noted.clear()
