"""A desktop session of its own: a D-Bus session with GNOME's Secret Service in it, and nobody who answers its questions."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
MISSING = [name for name in PROGRAMS if not shutil.which(name)]
PASSWORD = b"the password of the login"

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
_UNLOCKING = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"  # GNOME's own name for it
# What shows GNOME's question for a password: here it notes that it was started, shows nothing, and is never answered.
_PROMPTER = """[D-BUS Service]
Name=org.gnome.keyring.SystemPrompter
Exec=/bin/sh -c "echo asked >>{folder}/asked; exec sleep 60"
"""


@dataclass
class DesktopSession:
    """`address`: of its bus. Everything that its Secret Service keeps is in `folder`."""

    folder: Path
    _running: list[subprocess.Popen[bytes]]

    @property
    def address(self) -> str:
        """What a program of this session finds in DBUS_SESSION_BUS_ADDRESS."""
        return f"unix:path={self.folder}/bus"

    @property
    def times_asked(self) -> int:
        """How often a window with a question for a password would have been opened."""
        file = self.folder / "asked"
        return len(file.read_text().splitlines()) if file.exists() else 0

    @property
    def environment(self) -> Mapping[str, str]:
        """Of the session's own programs."""
        own = {
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
        }
        return {"PATH": os.environ["PATH"], "DBUS_SESSION_BUS_ADDRESS": self.address} | own

    def log_in(self) -> None:
        """GNOME's Secret Service starts, unlocked by the login's password; the first time it makes the login's keyring."""
        self._start("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets", told=PASSWORD)
        wait_until(lambda: self._collection("is there"))

    def start_without_login(self) -> None:
        """GNOME's Secret Service starts as the bus starts it: nobody has given a password."""
        self._start("gnome-keyring-daemon", "--foreground", "--start", "--components=secrets")
        wait_until(lambda: self._collection("serves"))

    def lock(self) -> None:
        """As the person locks it in its own program, or the desktop does."""
        assert self._collection("lock")

    def unlock(self) -> None:
        """As the person unlocks it, by the login's password: what stands behind the window that asks for it."""
        import secretstorage
        from jeepney import DBusAddress, new_method_call
        from jeepney.io.blocking import open_dbus_connection
        from secretstorage.util import format_secret, open_session

        with closing(open_dbus_connection(self.address)) as bus:
            collection, session = secretstorage.get_collection_by_alias(bus, "default"), open_session(bus)
            service = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", _UNLOCKING)
            told = (collection.collection_path, format_secret(session, PASSWORD, "text/plain"))
            bus.send_and_get_reply(new_method_call(service, "UnlockWithMasterPassword", "o(oayays)", told))
            assert not collection.is_locked()

    def log_out(self) -> None:
        """The Secret Service ends; the bus stays."""
        self._end(self._running.pop())

    def end(self) -> None:
        """Everything ends."""
        while self._running:
            self._end(self._running.pop())

    def _collection(self, what: str) -> bool:
        """One look at the Secret Service, or a word to it, past everything that is tested."""
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection

        with closing(open_dbus_connection(self.address)) as bus:
            if not secretstorage.check_service_availability(bus):
                return False
            if what == "serves":
                return True
            try:
                collection = secretstorage.Collection(bus)
            except secretstorage.ItemNotFoundException:
                return False
            if what == "lock":
                collection.lock()
                return bool(collection.is_locked())
            return True

    def _start(self, *command: str, told: bytes = b"") -> None:
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write(told)
        process.stdin.close()
        self._running.append(process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def desktop_session(folder: Path) -> Iterator[DesktopSession]:
    """A bus of its own, on which nothing runs yet and no service starts by itself. `folder` has a short path, for its sockets."""
    (folder / "services").mkdir()
    (folder / "services" / "prompter.service").write_text(_PROMPTER.format(folder=folder))
    (folder / "bus.conf").write_text(_BUS.format(folder=folder))
    session = DesktopSession(folder, [])
    session._start("dbus-daemon", "--nofork", f"--config-file={folder}/bus.conf")
    try:
        wait_until(lambda: (folder / "bus").exists())
        yield session
    finally:
        session.end()


def wait_until(true: object) -> None:
    """Looks twenty times a second, for ten seconds."""
    assert callable(true)
    for _ in range(200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("The desktop session did not come up.")
