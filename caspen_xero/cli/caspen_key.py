"""The key for Caspen's API: from the environment, else kept where this workspace keeps its sign-in (keyring or 0600 file)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caspen_xero.caspen.sources import is_url
from caspen_xero.cli.menu import ask_secret, somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session
from caspen_xero.commands import option, to_paste
from caspen_xero.credentials import given_secret
from caspen_xero.errors import UserError

if TYPE_CHECKING:
    from caspen_xero.secrets.store import SecretStore

_KEPT_FOR = "caspen_key_for"
_FILE_NAME = "caspen-key.json"


def caspen_key(session: Session, source: str | None = None) -> str | None:
    """The kept key for a source, else for the run's, where the environment gives none and it was given for that one; else None.

    A key goes to no other server than the one it was given for.
    """
    source = source or session.settings.source
    if _in_environment() or not is_url(source) or session.store.setting(_KEPT_FOR) != source:
        return None
    return _key_store(session).secret()


def forget_other_key(session: Session, source: str | None) -> None:
    """With a source that is set: forgets the key of an earlier server. The caller holds the workspace's lock."""
    if session.store.setting(_KEPT_FOR) not in (None, source):
        _key_store(session).clear()
        session.store.set_setting(_KEPT_FOR, None)


def clear_key(session: Session) -> None:
    """Forgets whatever key is kept."""
    if session.store.setting(_KEPT_FOR) is not None:
        _key_store(session).clear()


@contextmanager
def moving_key(session: Session) -> Iterator[None]:
    """While the sign-in gets another place: the key goes with it. Where it can't, that is told, and it stays where it was."""
    before = _key_store(session) if session.store.setting(_KEPT_FOR) is not None else None
    yield
    after = _key_store(session) if before else None
    if before is None or after is None or before.name == after.name:
        return
    try:
        if (key := before.secret()) is not None:
            after.save_secret(key)
            before.clear()
    except UserError as error:
        again = to_paste(f"settings set {option('--source', session.settings.source or 'URL')}")
        session.output.warn(
            f"The key for Caspen's API could not be taken out of the {before.name}: {error.message} To give it anew: {again}"
        )


def ask_for_key(session: Session, source: str | None) -> None:
    """After a source was set: on a terminal asks once for a server's key, and keeps it."""
    if not is_url(source) or not somebody_is_there(session.output) or _in_environment():
        return
    if session.store.setting(_KEPT_FOR) == source and _key_store(session).secret() is not None:
        return
    key = ask_secret(session.output, "Key for Caspen's API (Enter: none)")
    if key:
        with session.only_writer(patience=AFTER_ANSWERS):
            _key_store(session).save_secret(key)
            session.store.set_setting(_KEPT_FOR, source)


def _in_environment() -> bool:
    return bool(os.environ.get("CASPEN_API_KEY_FILE") or given_secret("CASPEN_API_KEY"))


def _key_store(session: Session) -> SecretStore:
    """Where the key is kept: in its file where there is one, also once the sign-in is elsewhere, or none.

    The entry's name holds the store's random id, so that two homes never share a key.
    """
    from caspen_xero.secrets.in_file import SecretFile
    from caspen_xero.secrets.in_keyring import SecretKeyring

    entry = f"{session.store.entry()}:caspen"
    connected = session.store.connection() or {}
    if connected.get("token_store") == "file" or (session.folder / _FILE_NAME).exists():
        anew = to_paste(f"settings set {option('--source', session.settings.source or 'URL')}")
        return SecretFile(session.folder, entry, _FILE_NAME, anew)
    return SecretKeyring(entry)
