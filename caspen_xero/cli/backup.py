"""`backup` and `restore`: a copy of the store, and a copy taken back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session
from caspen_xero.cli.sign_in import connect_again
from caspen_xero.cli.workspaces_seen import look
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain
from caspen_xero.paths import given_path

_COPIED_ON = "copied_on"


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    command(app, "backup")(backup)
    command(app, "restore", begins="by-itself")(restore)


def backup(
    session: Session,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="A new file, or a folder that is there. [default: in the workspace's folder]"
        ),
    ] = None,
) -> None:
    """Copy the store to a file, also while another run writes. The sign-in is not in it.

    Before each day's first push, and before a store is carried over to a newer version, a copy is made without being asked;
    the newest seven of those are kept.

    \b
    caspen-xero backup
    caspen-xero backup /mnt/safe/
    """
    from caspen_xero.store.backups import back_up, place_in
    from caspen_xero.store.errors import StoreCode, StoreError

    store = session.store_file
    if not store.exists():
        words = f"There is no store in {plain(session.folder)} to copy."
        raise StoreError(StoreCode.MISSING, words, "caspen-xero restore FILE; or for a new one: caspen-xero connect")
    target = given_path(file) if file is not None else None
    if target is not None and file is not None and (target.is_dir() or file.endswith(("/", os.sep))):
        target = place_in(target, store)
    made = back_up(store, target)
    size = made.stat().st_size
    if session.output.json:
        session.output.document({"command": "backup", "file": str(made), "bytes": size, "store": str(store)})
    session.output.say(f"Copied the store to {plain(made)} ({size:,} bytes).")


def restore(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A copy that `backup` or a push made, or a folder of such.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before a store that works is replaced.")] = False,
) -> None:
    """Put a copy in the store's place. What stands there is kept beside the copies; Xero is not told anything.

    Of a folder the newest copy is taken, and it says which. The next push looks up all of ours in Xero first, as the copy may be
    older than what was sent. On a terminal it asks before a store that works is replaced.

    \b
    caspen-xero restore /mnt/safe/
    caspen-xero restore ~/caspen-xero.sqlite
    """
    from caspen_xero.store import backups

    store, copy = session.store_file, given_path(file)
    session.refuse_if_busy()
    if copy.is_dir():
        folder, copy = copy, backups.newest_in(copy)
        session.output.note(f"The newest copy in {plain(folder)} is {plain(copy.name)}.")
    backups.check_copy(store, copy)
    if not yes and backups.is_in_order(store) and not _may_replace(session, copy):
        session.output.say("Nothing was changed.")
        return
    with session.only_writer(patience=AFTER_ANSWERS):
        replaced = backups.restore(store, copy)
        _tell_restored(session, copy, replaced)


def _may_replace(session: Session, copy: Path) -> bool:
    """Whether a store that works may be replaced; Enter means no. Where nobody is there to be asked it may, as it is kept.

    One that holds nothing, as a `connect` that failed leaves it, is in nobody's way.
    """
    if not somebody_is_there(session.output) or look(session.workspace).is_empty:
        return True
    return confirm(session.output, f"{plain(session.store_file)} is in order. Replace it by {plain(copy)}?")


def _tell_restored(session: Session, copy: Path, replaced: Path | None) -> None:
    """What was done, whose store it is, and the command that comes next."""
    from caspen_xero.store import clinic

    stored, invoices = session.store.connection(), clinic.count_invoices(session.store)
    organisation = stored["tenant_name"] if stored else None
    signed_in = stored is not None and _is_signed_in(session)
    following = [
        *([] if signed_in else [connect_again(session)]),
        *([] if session.settings.source else ["caspen-xero import PATH"]),  # what Caspen has said since
        "caspen-xero adopt",
        "caspen-xero sync",
    ]
    if session.output.json:
        document: dict[str, Any] = {
            "command": "restore",
            "file": str(copy),
            "store": str(session.store_file),
            "replaced": str(replaced) if replaced else None,
            "organisation": organisation,
            "invoices": invoices,
            "signed_in": signed_in,
            "next": [session.output.command(one) for one in following],
        }
        session.output.document(document)
        return
    whose = f"connected to {plain(organisation)}" if organisation else "not connected to Xero"
    known = "1 invoice" if invoices == 1 else f"{invoices} invoices"
    session.output.say(f"The store is that of {plain(copy)} now: {whose}, with {known}.")
    if replaced is not None:
        session.output.say(f"What stood there before is kept: {plain(replaced)}")
    if organisation and not signed_in:
        session.output.say("Its sign-in is not on this machine.")
    session.output.say(
        "A payment that Caspen was told of since that copy was made may be told once more, under the same id: in "
        "caspen-updates.jsonl it stands once all the same, and a server knows the id. If that file was emptied since, look in "
        "Caspen before you enter the payment."
    )
    session.output.say(
        "It may be older than what was sent, so all of ours is looked up in Xero before anything is sent, as Caspen has it now:"
    )
    for one in following:
        session.output.say(f"  {one}")


def _is_signed_in(session: Session) -> bool:
    """Whether the sign-in that the store names is kept on this machine."""
    from caspen_xero.xero.connection import Connection
    from caspen_xero.xero.token_store import open_token_store

    try:
        connection = Connection.from_dict(session.store.connection() or {})
        return open_token_store(connection.token_store, connection.entry, session.folder).secret() is not None
    except UserError:
        return False


def back_up_today(session: Session) -> None:
    """Before a day's first push sends anything: a copy of the store. Where none can be made that is told, and the push goes on."""
    from caspen_xero.store.backups import back_up_by_itself
    from caspen_xero.store.errors import StoreCode, StoreError

    today = session.now().date().isoformat()
    if session.store.setting(_COPIED_ON) == today:
        return
    try:
        back_up_by_itself(session.store.path, "day")
    except StoreError as error:
        if error.code != StoreCode.BACKUP_FAILED:
            raise
        session.output.warn(
            f"Today's copy of the store could not be made, and the push goes on: {error.message}", key="no copy"
        )
        return
    session.store.set_setting(_COPIED_ON, today)
