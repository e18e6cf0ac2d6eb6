"""`caspen-xero connect`: one organisation in Xero for each workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import ask, ask_secret, confirm, has_browser, pick, somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.commands import PROGRAM, each_command, option
from caspen_xero.credentials import given_secret
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.paths import is_text

if TYPE_CHECKING:
    from caspen_xero.xero.callback import Stray
    from caspen_xero.xero.connection import Connection, Kind, StoreKind
    from caspen_xero.xero.connections import Connections, Linked
    from caspen_xero.xero.grants import Grant
    from caspen_xero.xero.hosts import Hosts
    from caspen_xero.xero.login import SignIn
    from caspen_xero.xero.token_store import TokenStore
    from caspen_xero.xero.transport import Transport

PATIENCE = 300
STRAYS: dict[Stray, str] = {
    "another": "A browser came back with the answer to another sign-in; still waiting for this one.",
    "unmarked": "A page came back without the state of this sign-in, so it was not believed; still waiting. (Any web page can do "
    "that. If it was you who chose Cancel on Xero's page, end this with Ctrl-C.)",
}
"""What is told of something that came back and is not the answer."""


class TokenPlace(StrEnum):
    """Where the sign-in is kept."""

    keyring = "keyring"
    file = "file"


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "connect", begins="by-itself")(connect)


def connect(
    session: Session,
    client_id: Annotated[
        str | None,
        typer.Option(envvar="XERO_CLIENT_ID", metavar="ID", help="The client id of your app at developer.xero.com."),
    ] = None,
    org: Annotated[
        str | None, typer.Option(metavar="NAME|ID", help="Which organisation, where several are connected.")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address instead, and take the pasted redirect address.")
    ] = False,
    custom_connection: Annotated[
        bool,
        typer.Option(
            "--custom-connection", help="For servers: client id and secret (XERO_CLIENT_SECRET, or asked once)."
        ),
    ] = False,
    token_store: Annotated[
        TokenPlace | None, typer.Option(help="Where the sign-in is kept: the system's keyring, or a file (mode 0600).")
    ] = None,
    timeout: Annotated[
        int, typer.Option(min=1, max=86_400, metavar="SECONDS", help="How long to wait for the browser.")
    ] = PATIENCE,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Don't ask before a trial's workspace meets the real Xero, or the other way."),
    ] = False,
) -> None:
    """Connect this workspace to an organisation in Xero, or sign in to it again.

    \b
    caspen-xero connect --client-id YOUR_APPS_CLIENT_ID
    caspen-xero connect --no-browser --token-store file  # on a server, over ssh
    caspen-xero connect --custom-connection  # without a browser at all
    """
    from caspen_xero.xero.connection import Connection, check_same_host, url_from_environment
    from caspen_xero.xero.hosts import Hosts
    from caspen_xero.xero.login import SignIn
    from caspen_xero.xero.token_store import open_token_store
    from caspen_xero.xero.tokens import room_for_sign_in
    from caspen_xero.xero.transport import Transport, see_that_it_listens

    session.refuse_if_busy()
    stored = session.store.connection()
    bound = Connection.from_dict(stored) if stored else None
    if bound:
        check_same_host(bound)
    xero_url = bound.xero_url if bound else url_from_environment()

    def typed() -> AbstractContextManager[None]:
        flags = {"--no-browser": no_browser, "--custom-connection": custom_connection, "--yes": yes}
        return _as_typed(session, client_id, org, token_store, flags)

    if bound is None and not yes:
        with typed():
            _keep_trial_apart(session, xero_url)
    hosts = Hosts.of(xero_url)
    kind: Kind = "custom" if custom_connection else "pkce"
    client = _client_id(session, client_id, bound, kind)
    was_kept = session.store.last_way()["token_store"]
    place: StoreKind = token_store.value if token_store else "file" if was_kept == "file" else "keyring"
    store, lock = open_token_store(place, session.store.entry(), session.folder), session.folder / "token.lock"

    with typed():
        asks_for_paste = no_browser or (not custom_connection and not _opens_a_browser())

    def prove() -> None:  # a keyring can have been locked while a person was at Xero's page
        with room_for_sign_in(store, lock):
            pass

    def link(transport: Transport, grant: Grant, secret: str) -> Connection:
        _require_scopes(grant)
        linked = _organisation(session, transport, hosts, grant, org, bound)
        connection = Connection(
            tenant_id=linked.tenant_id,
            tenant_name=linked.name,
            connection_id=linked.connection_id,
            client_id=client,
            kind=kind,
            xero_url=xero_url,
            token_store=place,
            entry=session.store.entry(),
            scopes=grant.scopes,
            connected_at=datetime.now(UTC),
        )
        with session.only_writer(patience=AFTER_ANSWERS):  # not while a person is at Xero's page
            _remember(session, connection, store, grant, secret, bound)
        return connection

    def stray(kind: Stray) -> None:
        session.output.note(STRAYS[kind])

    with typed(), room_for_sign_in(store, lock):
        see_that_it_listens(xero_url)
        transport = Transport(hosts.token, hosts.connections)
        try:
            if custom_connection:
                secret = _client_secret(session)
                connection = link(transport, _custom_grant(transport, hosts, client, secret), secret)
            else:
                # As typed on the browser's page too, so inside.
                with SignIn(hosts, client, on_stray=stray) as sign_in, typed():
                    grant = _browser_grant(
                        session, sign_in, transport, prove, no_browser=asks_for_paste, patience=timeout
                    )
                    connection = link(transport, grant, grant.refresh_token or "")
                    sign_in.tell_linked(connection.tenant_name)
        finally:
            transport.close()
    _tell_connected(session, connection, store.name)


@contextmanager
def _as_typed(
    session: Session,
    client_id: str | None,
    org: str | None,
    token_store: TokenPlace | None,
    flags: Mapping[str, bool],
) -> Iterator[None]:
    """Where connecting fails, the command that tries it again is the one that was typed, with its options."""
    given = {
        "--client-id": client_id if client_id != os.environ.get("XERO_CLIENT_ID") else None,
        "--org": org,
        "--token-store": token_store.value if token_store else None,
    }
    words = {name: option(name, value) for name, value in given.items() if value}
    words |= {name: name for name, is_given in flags.items() if is_given}

    def again(command: str) -> str:
        connect = f"{PROGRAM} connect"
        if not command.startswith(connect):
            return command
        left_out = [word for name, word in words.items() if name not in command]
        return f"{' '.join([connect, *left_out])}{command.removeprefix(connect)}"

    try:
        yield
    except UserError as error:
        error.fix = session.output.command(each_command(error.fix, again))
        raise


# connecting


def _keep_trial_apart(session: Session, xero_url: str | None) -> None:
    """A workspace that knew a local Xero holds a trial, and one that knew the real one the clinic's books: they meet by a yes only.

    Raises `SessionError` `trial-and-real` (usage) where a person says no, or nobody can be asked.
    """
    local = session.store.knew_local()
    if xero_url is None and local:
        words = f"This workspace was connected to a local Xero ({plain(local)}), so what it keeps may be of a trial."
        question = "Connect it to the real Xero all the same?"
    elif xero_url is not None and session.store.knew_real():
        words = f"This workspace was connected to the real Xero, and {plain(xero_url)} is another: a trial would mix with them."
        question = "Connect it there all the same?"
    else:
        return
    if somebody_is_there(session.output) and confirm(session.output, question, before=(words,)):
        return
    raise SessionError(
        "trial-and-real",
        words,
        "Take a new workspace: caspen-xero connect --workspace NAME; or if it is meant: caspen-xero connect --yes",
        ExitCode.USAGE,
    )


def _client_id(session: Session, given: str | None, bound: Connection | None, kind: Kind) -> str:
    if given and given.strip():
        return given.strip()
    if bound and bound.kind == kind:
        return bound.client_id
    if somebody_is_there(session.output) and (
        typed := ask(session.output, "Client id of your app at developer.xero.com")
    ):
        return typed
    from caspen_xero.xero.login import ACCOUNTING_SCOPES, REDIRECT_URIS

    app = (
        f"an app of the kind 'Custom connection' with the scopes {' '.join(ACCOUNTING_SCOPES)}"
        if kind == "custom"
        else f"a free app of the kind 'Mobile or desktop app' with the redirect URIs {', '.join(REDIRECT_URIS)}"
    )
    raise SessionError(
        "client-id-missing",
        "Which app at Xero is this? A client id is needed.",
        f"Create {app} at https://developer.xero.com/app/manage, then give its client id with --client-id or XERO_CLIENT_ID.",
        ExitCode.USAGE,
    )


def _client_secret(session: Session) -> str:
    secret = given_secret("XERO_CLIENT_SECRET")
    if not secret and somebody_is_there(session.output):
        secret = ask_secret(session.output, "Client secret of the custom connection (it is not shown)")
    if not secret or not is_text(secret):
        raise SessionError(
            "client-secret-missing",
            f"A custom connection signs in with its client secret{', and this is no text in UTF-8' if secret else ''}.",
            "Put it into the environment variable XERO_CLIENT_SECRET for this one command, or run it on a terminal.",
            ExitCode.USAGE,
        )
    return secret


def _custom_grant(transport: Transport, hosts: Hosts, client_id: str, secret: str) -> Grant:
    from caspen_xero.xero.grants import GrantRefused, Grants
    from caspen_xero.xero.login import ACCOUNTING_SCOPES, refused_sign_in

    try:
        return Grants(transport, hosts, client_id).client_credentials(secret, ACCOUNTING_SCOPES)
    except GrantRefused as refused:
        raise refused_sign_in(refused, client_id) from None


def _opens_a_browser() -> bool:
    """Whether a browser opens by itself here; else the address is printed. Raises where nobody could be there to follow it."""
    if has_browser():
        return True
    if sys.stdin is not None and sys.stdin.isatty():
        return False
    raise SessionError(
        "nobody-there",
        "Nobody can allow access on Xero's page from here: there is no browser, and no terminal to paste into.",
        "Run it on a terminal; or have the address printed and followed elsewhere: caspen-xero connect --no-browser; "
        "or sign in without a browser at all: caspen-xero connect --custom-connection",
        ExitCode.CONNECT_NEEDED,
    )


def _browser_grant(
    session: Session,
    sign_in: SignIn,
    transport: Transport,
    ready: Callable[[], None],
    *,
    no_browser: bool,
    patience: int,
) -> Grant:
    if not no_browser:
        _open_browser(sign_in.url)
        session.output.note("Your browser opens Xero's page. If it does not, open this address yourself:")
        session.output.link("", sign_in.url, stderr=True)
        _tell_waiting(session, patience)
        return sign_in.grant(transport, patience=patience, ready=ready)
    from caspen_xero.xero.pasting import PastedLines

    session.output.note("Open this address in a browser:")
    _print_address(session, sign_in.url)
    session.output.note(
        "Then allow access. If the browser can't come back to this machine, paste the address where it ends up here."
    )

    _tell_waiting(session, patience)

    def pasted(line: str) -> None:
        if problem := sign_in.paste(line):
            session.output.note(problem)

    lines = PastedLines(pasted)
    try:
        return sign_in.grant(transport, patience=patience, ready=ready)
    finally:
        lines.close()


def _tell_waiting(session: Session, patience: int) -> None:
    seconds = "1 second" if patience == 1 else f"{patience} seconds"
    session.output.note(f"Waiting for you to allow access on Xero's page, for {seconds} at most (Ctrl-C ends it).")


def _print_address(session: Session, url: str) -> None:
    """The address alone on its line and unbroken, at once, also into a pipe; beside a JSON document on stderr."""
    stream = sys.stderr if session.output.json else sys.stdout
    stream.write(f"{url}\n")
    stream.flush()


def _open_browser(url: str) -> None:
    """In a thread: some browsers only return when they are closed."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _require_scopes(grant: Grant) -> None:
    from caspen_xero.xero.errors import MissingScope
    from caspen_xero.xero.login import ACCOUNTING_SCOPES

    given = set(grant.scopes) | {f"{scope}.read" for scope in grant.scopes}
    # An app older than March 2026 may still have the broad scope that covers invoices and payments.
    missing = [scope for scope in ACCOUNTING_SCOPES if scope not in given]
    if given and missing and "accounting.transactions" not in given:
        raise MissingScope(", ".join(missing))


def _organisation(
    session: Session, transport: Transport, hosts: Hosts, grant: Grant, wanted: str | None, bound: Connection | None
) -> Linked:
    """The organisation of this sign-in; another one than the workspace's is refused, and taken off Xero's list again."""
    from caspen_xero.xero.connections import Connections, candidates, unclear
    from caspen_xero.xero.errors import SignInFailed
    from caspen_xero.xero.grants import claims

    connections = Connections(transport, hosts, grant.access.token)
    everything = connections.linked()
    event = claims(grant.access.token).get("authentication_event_id")
    fresh = connections.linked(event) if isinstance(event, str) and len(everything) > 1 else everything
    possible = candidates(fresh, everything, wanted=wanted, bound=bound.tenant_id if bound else None)
    chosen = possible[0]
    if len(possible) > 1:
        if not somebody_is_there(session.output):
            raise unclear(possible)
        number = pick(session.output, "Which organisation?", [one.name for one in possible], otherwise="none")
        if number is None:
            raise unclear(possible)
        chosen = possible[number]
    if bound and chosen.tenant_id != bound.tenant_id:
        for one in fresh:
            if one.is_new and one.tenant_id != bound.tenant_id and one.connection_id != bound.connection_id:
                _take_off_again(session, connections, one)
        raise SignInFailed(
            "another-organisation",
            f"This workspace belongs to {plain(bound.tenant_name)}; {plain(chosen.name)} can't be connected to it as well.",
            f"For {plain(chosen.name)} take another workspace: caspen-xero connect --workspace NAME; or end this link first: "
            "caspen-xero disconnect",
            exit_code=ExitCode.FAILED,
        )
    return chosen


def _take_off_again(session: Session, connections: Connections, linked: Linked) -> None:
    from caspen_xero.xero.errors import XeroError

    try:
        connections.remove(linked.connection_id)
    except XeroError as error:
        session.output.warn(f"{plain(linked.name)} stays on Xero's list of connected apps: {error.message}")


def _remember(
    session: Session, connection: Connection, store: TokenStore, grant: Grant, secret: str, bound: Connection | None
) -> None:
    """First the tokens, then the connection that names them."""
    from caspen_xero.cli.caspen_key import moving_key
    from caspen_xero.xero.token_store import open_token_store
    from caspen_xero.xero.tokens import keep_sign_in

    with session.store.write():
        now_stored = session.store.connection()
        if now_stored is not None and now_stored["tenant_id"] != connection.tenant_id:
            raise SessionError(
                "another-organisation",
                f"Meanwhile this workspace was connected to {plain(now_stored['tenant_name'])}.",
                "caspen-xero disconnect; then: caspen-xero connect",
            )
    keep_sign_in(store, session.folder / "token.lock", secret, grant.access)
    with moving_key(session):
        session.store.set_connection(connection.to_dict())
    if bound and (bound.token_store, bound.entry) != (connection.token_store, connection.entry):
        old = open_token_store(bound.token_store, bound.entry, session.folder)
        try:
            old.clear()
        except UserError as error:
            session.output.warn(f"The earlier sign-in could not be deleted from the {old.name}: {error.message}")


def _tell_connected(session: Session, connection: Connection, place: str) -> None:
    if session.output.json:
        session.output.document(
            {
                "command": "connect",
                "organisation": {"id": connection.tenant_id, "name": connection.tenant_name},
                "kind": connection.kind,
                "client_id": connection.client_id,
                "xero_url": connection.xero_url,
                "token_store": connection.token_store,
                "scopes": list(connection.scopes),
                "connected_at": connection.connected_at,
            }
        )
        return
    session.output.say(f"Connected to {plain(connection.tenant_name)}. The sign-in is kept in the {place}.")
    if session.command == "connect":  # and not a step of setup, which goes on by itself
        session.output.note("Next, led step by step:", "  caspen-xero setup")
