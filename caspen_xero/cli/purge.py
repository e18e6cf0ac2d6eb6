"""`purge`: what is over and old loses the names and words in it; what proves that it was sent stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.defects import kept_defects
from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.purge_workspace import remove_leftovers
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.cli.spans import span
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.times import local

SHORTEST = timedelta(days=1)
WHAT = {
    "invoices": "invoices that are settled: their texts and references",
    "credit_notes": "credit notes on them: their texts and reasons",
    "payments": "payments on them: their descriptions",
    "clients": "clients who are on no other invoice: all but the id",
    "contacts": "payers who are on no other invoice: all but the id",
    "xero_contacts": "contacts in Xero, as last read",
    "writes": "writes to Xero that have ended: what was sent and answered",
    "runs": "runs in the log: all but their numbers",
    "reports": "reports of faults",
}


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "purge")(purge)


def purge(
    session: Session,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", metavar="400d", help="Only what ended before so many days (d); a day at the least."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before anything is taken out.")] = False,
) -> int:
    """Take names and texts out of what is settled and old. Xero and Caspen are not touched.

    Ids, numbers, dates, amounts and what proves that a thing was sent once stay, so nothing is sent again. The copies of the store
    that were made without being asked go too, and a new one is made.

    \b
    caspen-xero purge --older-than 400d --dry-run
    caspen-xero purge --older-than 400d
    """
    limit = span(older_than, "2d or 400d")
    if limit < SHORTEST:
        words = "What is younger than a day can't be purged."
        raise SessionError("bad-age", words, "caspen-xero purge --older-than 400d", ExitCode.USAGE)
    before = session.now() - limit
    with session.only_writer():
        counts = _purge(session, before, dry_run=True)
    if not dry_run and not yes and somebody_is_there(session.output):
        _tell(session, counts, f"Before {local(before)}:")
        if not confirm(session.output, "Purge that? It can't be undone."):
            session.output.say("Nothing was changed.")
            return ExitCode.ALL_WELL
    document: dict[str, Any] = {"command": "purge", "before": before, "dry_run": dry_run, "purged": counts}
    if dry_run:
        _tell(session, counts, f"Would be purged, of before {local(before)}:")
    else:
        session.done["purge"] = lambda: document
        with session.only_writer(patience=AFTER_ANSWERS):
            document["purged"] = _purge(session, before)
            document |= _wipe(session)
        _tell(session, document["purged"], f"Purged, of before {local(before)}:")
        _tell_copies(session, document)
    if session.output.json:
        session.output.document(document)
    return ExitCode.ALL_WELL


def _purge(session: Session, before: datetime, *, dry_run: bool = False) -> dict[str, int]:
    from caspen_xero.caspen.records import CreditNote, Invoice
    from caspen_xero.store.purge import purge as purge_store
    from caspen_xero.sync.planning.translate import credit_note_fingerprint, invoice_fingerprint

    def fingerprint_of(record: Invoice | CreditNote) -> str:
        return invoice_fingerprint(record) if isinstance(record, Invoice) else credit_note_fingerprint(record)

    counts = purge_store(session.store, before, session.settings.start_date, fingerprint_of, dry_run=dry_run)
    old = [file for file in kept_defects(session.folder) if file.name < f"{before:%Y%m%dT%H%M%SZ}"]
    for file in old:
        if not dry_run:
            file.unlink()
    return {name: counts[name] for name in WHAT if name != "reports"} | {"reports": len(old)}


def _wipe(session: Session) -> dict[str, Any]:
    """Takes what was purged out of the file itself and out of its copies; a copy as it is now is made first."""
    from caspen_xero.store.backups import back_up_by_itself, remove_copies
    from caspen_xero.store.purge import wipe

    if not wipe(session.store):
        raise SessionError(
            "store-in-use",
            "It is purged, but another program reads the store, so that what went may still be in the bytes of its file.",
            "End that program, then run the same command again.",
        )
    made = back_up_by_itself(session.store.path, "day")
    removed, left = remove_copies(session.store.path, keep=made)
    remove_leftovers(session.folder)
    return {
        "copy": str(made),
        "copies_removed": [str(one) for one in removed],
        "copies_left": [str(one) for one in left],
    }


def _tell(session: Session, counts: dict[str, int], heading: str) -> None:
    session.output.say(heading)
    for name, words in WHAT.items():
        if counts.get(name):
            session.output.say(f"  {counts[name]:>7,}  {words}")
    if not any(counts.values()):
        session.output.say("  nothing")


def _tell_copies(session: Session, document: dict[str, Any]) -> None:
    gone = len(document["copies_removed"])
    session.output.say(
        f"Earlier copies of the store that were deleted: {gone}. The one of now: {plain(Path(document['copy']))}"
    )
    if document["copies_left"]:
        session.output.warn(
            "These still hold what was purged, and were left, as a person made them: "
            + ", ".join(plain(Path(one)) for one in document["copies_left"])
        )
