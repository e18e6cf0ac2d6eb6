"""Access tokens for Xero: from memory, from the store, or refreshed, by one process at a time.

A refresh token works once and its successor exists only in the answer, so a refresh happens inside a lock between
processes: take it, read the store again, decide, hold room for what will come, refresh, save, and only then use. Tokens are
dropped only when Xero itself says that the sign-in has ended (`invalid_grant`), after one more look into the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from filelock import FileLock, Timeout

from caspen_xero.commands import each_command
from caspen_xero.interruption import at_once, to_its_end
from caspen_xero.outside_text import plain
from caspen_xero.secrets import asking
from caspen_xero.xero.connection import Connection
from caspen_xero.xero.errors import CONNECT_AGAIN, ConnectNeeded, NoAnswer, TokenStoreError, TryLater, Unreachable
from caspen_xero.xero.grants import LONGEST_LIFE, Access, GrantRefused, Grants
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.token_store import TokenStore
from caspen_xero.xero.transport import Transport

log = logging.getLogger(__name__)

LONGEST_REFRESH = 240
"""Seconds to wait for another process that renews the tokens; its request gives up sooner than that."""

_LONGEST_ASKING = 110.0
"""Seconds for one request of a refresh, of which there may be two."""

UNUSED = timedelta(days=60)
"""How long a sign-in lasts that is not renewed. Source: Xero's page on token types."""

_CUSTOM = "--custom-connection"

_held_by_a_keyring: set[Path] = set()
"""The locks that this process holds until a keyring has answered."""
EARLY = timedelta(seconds=60)
"""A token is renewed when it has less than this left, so that it does not expire on its way."""


def keep_sign_in(store: TokenStore, lock_path: Path, secret: str, access: Access) -> None:
    """Keeps a new sign-in (refresh token or client secret, and its first access token) in place of an older one."""
    with token_lock(lock_path):
        store.save_secret(secret)
        store.save_access(access)


@contextmanager
def room_for_sign_in(store: TokenStore, lock_path: Path) -> Iterator[None]:
    """Room for a new sign-in, while a person is at Xero's page; meanwhile another process may renew the one before."""
    with ExitStack() as held:
        with token_lock(lock_path):
            held.enter_context(store.room())
        yield


@contextmanager
def token_lock(path: Path) -> Iterator[None]:
    """Held while tokens change; a system lock, so that it ends with the process that holds it.

    A keyring that has not answered in its time may still write: so long it stays held, else a newer token could be overwritten.
    """
    if path in _held_by_a_keyring:
        silent = asking.silent()
        raise TokenStoreError(silent.code, silent.message, silent.fix)
    lock = FileLock(
        path, timeout=LONGEST_REFRESH, mode=0o600, thread_local=False
    )  # another thread may have to release it
    before = asking.still_asked()
    try:
        if path.is_symlink():
            raise OSError("it is a symbolic link")
        with at_once():
            lock.acquire()
    except Timeout:
        raise TryLater(
            "sign-in-busy",
            "Another caspen-xero has been renewing the sign-in for minutes.",
            "See that it ends, then run the same command again.",
        ) from None
    except OSError as error:
        raise TokenStoreError(
            "token-lock-unusable",
            f"{plain(path)}, which is held while the sign-in is renewed, could not be opened: {error.strerror or error}.",
            "Check the folder's owner, its permissions and the free space, then run this again.",
        ) from None
    try:
        yield
    finally:
        if late := [thread for thread in asking.still_asked() if thread not in before]:
            _held_by_a_keyring.add(path)
            Thread(target=_release, args=(lock, path, late), name="token lock", daemon=True).start()
        else:
            lock.release()


def _release(lock: FileLock, path: Path, late: Sequence[Thread]) -> None:
    for thread in late:
        thread.join()
    lock.release()
    _held_by_a_keyring.discard(path)


class AccessTokens:
    """The access tokens of one connection."""

    def __init__(
        self,
        connection: Connection,
        store: TokenStore,
        lock_path: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._store = store
        self._lock_path = lock_path
        self._now = now
        self._access: Access | None = None
        self.renewed_at: datetime | None = None
        """When this object last renewed the sign-in (UTC), which then lasts anew."""

    def current(self) -> str:
        """A token that is good for the next minute. Raises `ConnectNeeded`, `Unreachable`, `TokenStoreError`."""
        with self._of_this_kind():
            if not self._good(self._access):
                self._access = self._store.access()
            if not self._good(self._access):
                self._access = self._renewed(None)
        assert self._access is not None
        return self._access.token

    def renew(self, rejected: str) -> str:
        """A token other than the one that Xero has just rejected: another process's newer one, or a refreshed one."""
        with self._of_this_kind():
            self._access = self._renewed(rejected)
        return self._access.token

    @contextmanager
    def _of_this_kind(self) -> Iterator[None]:
        """Where the sign-in can't be kept, the command that keeps it elsewhere signs in as this connection does."""

        def again(command: str) -> str:
            return f"{CONNECT_AGAIN} {_CUSTOM}{command.removeprefix(CONNECT_AGAIN)}" if ours(command) else command

        def ours(command: str) -> bool:
            return command.startswith(CONNECT_AGAIN) and _CUSTOM not in command

        try:
            yield
        except (TokenStoreError, ConnectNeeded) as error:
            if self._connection.kind == "custom":
                error.fix = each_command(error.fix, again)
            raise

    def _good(self, access: Access | None) -> bool:
        return access is not None and EARLY < access.expires_at - self._now() <= LONGEST_LIFE

    def _renewed(self, rejected: str | None) -> Access:
        with token_lock(self._lock_path):
            cached = self._store.access()
            if cached is not None and self._good(cached) and cached.token != rejected:
                return cached
            secret = self._secret()
            with to_its_end(), self._room():  # a refresh token whose answer is lost is spent
                try:
                    return self._refreshed(secret)
                except GrantRefused as refused:
                    return self._after_refusal(refused, secret)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Room for the next refresh token. Where there is none, none is asked for: the old one goes on working."""
        with ExitStack() as held:
            if self._connection.kind == "pkce":
                try:
                    held.enter_context(self._store.room())
                except TokenStoreError as error:
                    kept = (
                        f"The sign-in for {plain(self._connection.tenant_name)} was not renewed, and is kept as it was."
                    )
                    raise TokenStoreError(error.code, f"{error.message} {kept}", error.fix) from None
            yield

    def _after_refusal(self, refused: GrantRefused, secret: str) -> Access:
        """One more look: a process that holds no lock (a restored backup, another machine) may have saved a newer one."""
        newer = self._store.secret()
        if refused.error != "invalid_grant":
            raise self._no_longer(refused)
        if newer is not None and newer != secret:
            try:
                return self._refreshed(newer)
            except GrantRefused as again:
                refused = again
        if refused.error == "invalid_grant" and self._connection.kind == "pkce":
            self._store.clear()
        raise self._no_longer(refused)

    def _refreshed(self, secret: str) -> Access:
        transport = Transport(Hosts.of(self._connection.xero_url).token, seconds=_LONGEST_ASKING)
        try:
            grants = Grants(transport, Hosts.of(self._connection.xero_url), self._connection.client_id)
            if self._connection.kind == "custom":
                grant = grants.client_credentials(secret, self._connection.scopes)
            else:
                grant = grants.refresh(secret)
        except NoAnswer as error:
            # To the caller this is certain: its own request was never sent. Nothing is dropped; the old refresh token
            # goes on working for 30 minutes after a refresh whose answer was lost (Xero's OAuth questions page).
            raise Unreachable("its sign-in service", error.why) from None
        finally:
            transport.close()
        if grant.refresh_token is not None and self._connection.kind == "pkce":
            self._keep_next(grant.refresh_token)
        self._store.save_access(grant.access)
        self.renewed_at = self._now()
        log.info("The sign-in was renewed.")
        return grant.access

    def _keep_next(self, secret: str) -> None:
        """Keeps the next refresh token. There was room for it a moment ago, but a keyring can have been locked since."""
        try:
            self._store.save_secret(secret)
        except TokenStoreError as error:
            kept = "may not have been kept" if error.code == "keyring-silent" else "could not be kept"
            lost = (
                f"Xero has just renewed the sign-in for {plain(self._connection.tenant_name)}, and the new one {kept}; "
                "the one before works for 30 minutes from now."
            )
            raise TokenStoreError(error.code, f"{error.message} {lost}", error.fix) from None

    def _secret(self) -> str:
        secret = self._store.secret()
        if secret is None:
            raise ConnectNeeded(
                "not-connected",
                f"There is no sign-in for {plain(self._connection.tenant_name)} in the {self._store.name}, from where one that "
                "has ended is removed: it lasts 60 days after its last use, and ends when access is taken away in Xero.",
                CONNECT_AGAIN,
            )
        return secret

    def _no_longer(self, refused: GrantRefused) -> ConnectNeeded:
        name = plain(self._connection.tenant_name)
        if refused.error == "invalid_grant" and self._connection.kind == "pkce":
            return ConnectNeeded(
                "sign-in-expired",
                f"The sign-in for {name} has ended: it lasts 60 days after its last use, and ends when access is "
                "taken away in Xero.",
                CONNECT_AGAIN,
            )
        if refused.error == "invalid_client":
            return ConnectNeeded(
                "invalid-client",
                f"Xero no longer knows the app with client id {plain(self._connection.client_id)}"
                + (", or its secret has changed." if self._connection.kind == "custom" else "."),
                CONNECT_AGAIN + (f" {_CUSTOM}" if self._connection.kind == "custom" else ""),
            )
        return ConnectNeeded(
            "sign-in-refused", f"Xero's sign-in refuses to go on for {name}: {refused.reason}.", CONNECT_AGAIN
        )
