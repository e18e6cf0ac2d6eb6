"""A keyring is asked: within a time, without a question where nobody is there to answer it, and its errors in our words.

A locked keyring asks for its password in a window of its own, and waits for the answer for ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import closing
from threading import Thread
from time import monotonic
from typing import Any, NoReturn, TypeVar

from caspen_xero.secrets.store import SecretStoreError

SECONDS = 10.0
"""For one answer of a keyring, where nobody is there."""
SECONDS_FOR_A_PERSON = 30.0
"""For one answer at a terminal, as the keyring may be asking for its password."""

_AT_ONCE = 1.5
"""Seconds in which a keyring answers that asks nobody."""

WAYS_OUT = (
    "Any of these three: (1) install or start a keyring for this user (on Linux a Secret Service such as GNOME Keyring "
    "or KWallet), then connect again; (2) keep the tokens in a file that only you can read: caspen-xero "
    "connect --token-store file; (3) set PYTHON_KEYRING_BACKEND to a keyring back end that works here, then connect again."
)

_WITHOUT_A_SESSION = (
    "Any of these three: (1) keep the tokens in a file that only you can read: caspen-xero connect --token-store file; (2) run "
    "this in your desktop session, where a keyring is; (3) set PYTHON_KEYRING_BACKEND to a keyring back end that works here, "
    "then connect again."
)

_IN_A_FILE = (
    "On a server or in cron, where nobody can unlock it, keep the sign-in in a file that only you can read: caspen-xero "
    "connect --token-store file"
)

_UNLOCK = f"Unlock it (log in to the desktop, or open it in its own program), then run this again. {_IN_A_FILE}"

_T = TypeVar("_T")

_still_asked: list[Thread] = []
"""Who waits for a keyring that has not answered in its time. Nobody else waits meanwhile."""


class _NothingThere(Exception):
    """A Secret Service that runs and has nowhere to keep anything yet: it would ask for a password for that."""


def asked(call: Callable[[], _T], what: str) -> _T:
    """What a keyring answers. `what` it was asked for: 'read', 'written'. Raises `SecretStoreError`."""
    if still_asked():
        raise silent()
    answer: Future[_T] = Future()

    def ask() -> None:
        try:
            if not _somebody_is_there():
                _ask_nobody()
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - back ends raise whatever their system raises (D-Bus, COM, OS errors)
            answer.set_exception(error)

    patience = SECONDS_FOR_A_PERSON if _somebody_is_there() else SECONDS
    thread = Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    ends = monotonic() + patience
    try:
        _tell_of_a_wait(answer, patience)
        return answer.result(max(0.0, ends - monotonic()))
    except Exception as error:  # noqa: BLE001 - see above
        if not answer.done():
            _still_asked[:] = [thread]
            raise _silent(patience) from None
        _tell(error, what)


def still_asked() -> list[Thread]:
    """Who waits for a keyring that has not answered in its time. What it was to write it may write as long as they wait."""
    return [thread for thread in _still_asked if thread.is_alive()]


def silent() -> SecretStoreError:
    """That the keyring has not answered yet."""
    return _silent(0)


def backend_name() -> str:
    """The keyring's own name."""
    import keyring

    try:
        return str(keyring.get_keyring().name)
    except Exception:  # noqa: BLE001 - a back end that can't even be loaded, such as a mistyped PYTHON_KEYRING_BACKEND
        return "none could be loaded"


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _tell_of_a_wait(answer: Future[Any], patience: float) -> None:
    """To whoever sits at the terminal, once the answer takes longer than one that needs no person."""
    if _somebody_is_there() and not wait([answer], _AT_ONCE).done and sys.stderr.isatty():
        words = f"The keyring may be asking for its password in a window: waiting {patience:.0f} seconds."
        print(words, file=sys.stderr, flush=True)


def _ask_nobody() -> None:
    """Refuses where a Secret Service would open a window: at night that is seen by nobody, or by somebody else."""
    import keyring
    from keyring.backends import SecretService

    chosen = keyring.get_keyring()
    if not any(type(one) is SecretService.Keyring for one in getattr(chosen, "backends", [chosen])):
        return
    import secretstorage
    from keyring.errors import KeyringLocked

    with closing(secretstorage.dbus_init()) as bus:
        try:
            collection = secretstorage.Collection(bus)
        except secretstorage.ItemNotFoundException:
            raise _NothingThere from None
        if collection.is_locked():
            raise KeyringLocked


def _silent(seconds: float) -> SecretStoreError:
    within = f" within {seconds:.0f} seconds" if seconds else ""
    return SecretStoreError(
        "keyring-silent",
        f"The keyring did not answer{within}: perhaps it is locked, and asks for its password in a window that nobody sees.",
        _UNLOCK,
    )


def _tell(error: Exception, what: str) -> NoReturn:
    """The error in our words. Its own text stays out: some back ends put what was to be stored into it."""
    from keyring.errors import InitError, KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        raise SecretStoreError("no-keyring", *_none()) from None
    if isinstance(error, KeyringLocked):
        raise SecretStoreError("keyring-locked", "The keyring is locked.", _UNLOCK) from None
    if isinstance(error, _NothingThere | InitError):
        raise SecretStoreError(
            "keyring-not-set-up",
            f"The keyring ({backend_name()}) runs, and has no place for passwords yet: it would ask for a password to make one.",
            f"Make one (log in to the desktop, or open it in its own program), then run this again. {_IN_A_FILE}",
        ) from None
    raise SecretStoreError(
        "keyring-unusable", f"The keyring ({backend_name()}) could not be {what}: {type(error).__name__}.", WAYS_OUT
    ) from None


def _none() -> tuple[str, str]:
    """That there is no keyring, as far as this run can see; and the ways out."""
    if not sys.platform.startswith("linux"):
        return "This machine has no keyring to keep the sign-in in.", WAYS_OUT
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return "There is no keyring to keep the sign-in in: no Secret Service answers in this D-Bus session.", WAYS_OUT
    why = "DBUS_SESSION_BUS_ADDRESS is not set (in cron, under sudo and on most servers it is not)"
    return f"This run reaches no keyring: it belongs to no desktop session, as {why}.", _WITHOUT_A_SESSION
