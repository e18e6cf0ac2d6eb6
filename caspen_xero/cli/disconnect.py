"""`caspen-xero disconnect`: the end of a connection and, where that is wanted, of all that this workspace knows of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.xero.connection import Connection


PURGE = "caspen-xero disconnect --purge"


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "disconnect")(disconnect)


def disconnect(
    session: Session,
    local_only: Annotated[
        bool, typer.Option("--local-only", help="Only forget the sign-in here; Xero is not told.")
    ] = False,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Delete all that this workspace keeps, too: the store, its copies, the keys."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="With --purge: don't ask, also where writes are in doubt.")
    ] = False,
) -> None:
    """End the connection at Xero (this organisation's only) and forget the sign-in. What is linked stays linked.

    With --purge nothing is left here of clients and invoices, nor of what stands for what in Xero; what is there stays there.

    \b
    caspen-xero disconnect
    caspen-xero disconnect --purge
    """
    if purge:
        _disconnect_and_purge(session, local_only=local_only, yes=yes)
        return
    connection = session.connection
    with session.only_writer():
        at_xero = _end_at_xero(session, connection, local_only=local_only)
        is_forgotten = _forget(session, connection, local_only=local_only)
    if session.output.json:
        organisation = {"id": connection.tenant_id, "name": connection.tenant_name}
        document = {"command": "disconnect", "organisation": organisation, "disconnected_at_xero": at_xero}
        session.output.document(document)
        return
    deleted = f" The sign-in is deleted from the {_place(connection)}." if is_forgotten else ""
    session.output.say(f"Disconnected from {plain(connection.tenant_name)}.{deleted}")
    session.output.say("Connect to the same organisation again, and everything goes on where it stopped.")


def _disconnect_and_purge(session: Session, *, local_only: bool, yes: bool) -> None:
    from caspen_xero.cli.purge_workspace import about_to_go, purge_workspace

    with session.only_writer():
        going = about_to_go(session, local_only=local_only)
    if not yes:
        _ask(session, going.words(), going.in_doubt)
    with session.only_writer(patience=AFTER_ANSWERS):
        connection = going.connection
        at_xero = connection is not None and _end_at_xero(session, connection, local_only=local_only, command=PURGE)
        left = [] if going.is_unknown else _forget_key(session, local_only=local_only)
        if connection is not None:
            _forget(session, connection, local_only=local_only)
        removed, others = purge_workspace(session, going)
        left += others
        removed = [*(["the sign-in"] if connection else []), *removed]
    document: dict[str, Any] = {
        "command": "disconnect",
        "organisation": {"id": connection.tenant_id, "name": connection.tenant_name} if connection else None,
        "disconnected_at_xero": at_xero,
        "purged": {
            "removed": removed,
            "left": left,
            "in_doubt": going.in_doubt,
            "untold_payments": going.untold,
            "in_xero": going.in_xero,
        },
    }
    if session.output.json:
        session.output.document(document)
    for words in going.words() if yes else ():
        session.output.warn(words)
    session.output.say(f"Removed from {plain(session.folder)}: {', '.join(removed) or 'nothing was there'}.")
    for words in left:
        session.output.say(f"Left: {words}")
    in_xero = ", ".join(
        f"{count} {kind.removesuffix('s') if count == 1 else kind}" for kind, count in going.in_xero.items()
    )
    session.output.say(f"What is in Xero stays there{f': {in_xero}' if in_xero else ''}. So does what is in Caspen.")


def _ask(session: Session, words: list[str], in_doubt: list[str]) -> None:
    """Asks whether all may be deleted, where somebody can be asked.

    Raises where something is in doubt that a push would settle.
    """
    if in_doubt:
        again = f"caspen-xero push; or if it is to go all the same: {PURGE} --yes"
        raise SessionError("writes-unsettled", words[0], again)
    for one in words:
        session.output.warn(one)
    if somebody_is_there(session.output) and not confirm(
        session.output, f"Delete all that is kept in {plain(session.folder)}? It can't be undone."
    ):
        raise typer.Exit(ExitCode.ALL_WELL)


def _forget_key(session: Session, *, local_only: bool) -> list[str]:
    """Forgets the key for Caspen's server; gives what could not be, in words."""
    from caspen_xero.cli.caspen_key import clear_key

    try:
        clear_key(session)
    except UserError as error:
        if not local_only:
            raise
        return [f"the key for Caspen's server: {error.message}"]
    return []


def _end_at_xero(
    session: Session, connection: Connection, *, local_only: bool, command: str = "caspen-xero disconnect"
) -> bool:
    """Ends the connection at Xero, where it has one of its own; gives whether it did. `command`: the one that was typed."""
    return connection.kind == "pkce" and not local_only and _remove_at_xero(session, connection, command)


def _remove_at_xero(session: Session, connection: Connection, command: str) -> bool:
    """Ends the connection at Xero. False where Xero no longer accepts the sign-in: then there is nothing left to end.

    Raises where Xero can't be reached, unless a person says to go on without it.
    """
    from caspen_xero.xero.errors import ConnectNeeded, TokenStoreError, TryLater

    try:
        _delete_connection(session, connection)
    except ConnectNeeded:
        session.output.warn(
            f"Xero no longer accepts the sign-in for {plain(connection.tenant_name)}, so it could not be told. "
            "If caspen-xero still stands under Connected apps in Xero, disconnect it there."
        )
        return False
    except (TryLater, TokenStoreError) as error:
        if somebody_is_there(session.output):
            session.output.warn(error.message)
            if confirm(
                session.output, "Forget the sign-in here anyway? (caspen-xero stays under Connected apps in Xero.)"
            ):
                return False
        there = "then disconnect it in Xero, under Connected apps."
        error.fix = f"{error.fix.rstrip('.')}; or: {command} --local-only; {there}"
        raise
    return True


def _delete_connection(session: Session, connection: Connection) -> None:
    from caspen_xero.xero.connections import Connections
    from caspen_xero.xero.errors import ConnectNeeded
    from caspen_xero.xero.hosts import Hosts
    from caspen_xero.xero.transport import Transport

    hosts = Hosts.of(connection.xero_url)
    transport = Transport(hosts.connections)
    try:
        token = session.tokens.current()
        try:
            Connections(transport, hosts, token).remove(connection.connection_id)
        except ConnectNeeded:
            Connections(transport, hosts, session.tokens.renew(token)).remove(connection.connection_id)
    finally:
        transport.close()


def _forget(session: Session, connection: Connection, *, local_only: bool) -> bool:
    """Forgets the connection and its sign-in; gives whether that could be deleted where it is kept.

    Raises where it could not, unless a person says to forget it here only.
    """
    from caspen_xero.xero.errors import TokenStoreError
    from caspen_xero.xero.token_store import open_token_store
    from caspen_xero.xero.tokens import token_lock

    store = open_token_store(connection.token_store, connection.entry, session.folder)
    try:
        with token_lock(session.folder / "token.lock"):
            store.clear()
    except TokenStoreError as error:
        if not local_only:
            raise
        session.output.warn(f"The sign-in could not be deleted from the {store.name}: {error.message}")
        is_deleted = False
    else:
        is_deleted = True
    session.store.set_connection(None)
    return is_deleted


def _place(connection: Connection) -> str:
    return "token file" if connection.token_store == "file" else "keyring"
