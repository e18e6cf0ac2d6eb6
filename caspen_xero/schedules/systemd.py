"""systemd: a service and its timer, of one user's manager or of the whole machine."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.schedules.asking import (
    WRITTEN_BY,
    ask,
    ask_and_insist,
    is_edited,
    is_ours,
    must_be_ours,
    sealed,
    take_away,
    write_ours,
)
from caspen_xero.schedules.job import DAY, Every, Installed, Job, ScheduleError, every_kind

WELL_ENOUGH = tuple(code for code in ExitCode if code not in (0, 1, 2, 4, 5))
"""What is no failure of the service: 3, some invoices are unsynced or differ; 6, try again later; 7, another run; 130, told to end.

It has failed with what only a person can mend: 1, 4 (connect needed), 5 (nothing at all could be sent).
"""
_NO_MANAGER = "Log in as this user, not by su or sudo, and run it again; or choose another system with --system."
_NO_MACHINE = "If this machine does not run systemd, choose another system with --system."
_ENV = "/usr/bin/env"
_SAFE = re.compile(r"[\w@:/.,=+-]+", re.ASCII)

HARDENING = """\
NoNewPrivileges=yes
UMask=0077
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
"""What every manager can do, also where users may make no namespaces."""
OF_THE_MACHINE = """\
CapabilityBoundingSet=
ProtectSystem=full
PrivateDevices=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
"""
"""And the machine's own. Homes and /tmp stay as they are: the source may be anywhere, and what comes back is written beside it.

What lays a mount over parts of /proc is left out: in containers the service would not start.
"""


def on_calendar(every: Every) -> str:
    """When, as a timer has it."""
    if every.minutes == DAY:
        return f"*-*-* {every.at[0]:02}:{every.at[1]:02}:00"
    if every.minutes < 60:
        return f"*:0/{every.minutes}"
    return "hourly" if every.minutes == 60 else f"0/{every.minutes // 60}:00"


def service(job: Job) -> str:
    """The unit that runs it once."""
    # systemd takes no quotation mark in the name of a program, but in an argument.
    by_env = [_ENV] if re.search(r"[\"'\\]", job.command[0]) else []
    words = " ".join(map(_word, [*by_env, *job.command]))
    # With ":" no $ is a variable in it; without, older managers read it too.
    start = f":{words}" if any("$" in word for word in job.command) else words
    variables = " ".join(_word(f"{name}={value}") for name, value in job.environment.items())
    network = "Wants=network-online.target\nAfter=network-online.target\n" if job.user else ""
    whose = f"User={job.user}\n" if job.user else ""
    home = f"ReadWritePaths={_word(f'-{job.home}')}\n" if job.user and job.home else ""
    codes = " ".join(str(int(code)) for code in WELL_ENOUGH)
    return sealed(
        f"# {WRITTEN_BY}, and taken away by: caspen-xero schedule remove\n"
        f"# What it says is new, once: journalctl {'' if job.user else '--user '}-u {job.label}\n"
        "\n[Unit]\n"
        f"Description={job.description}\n{network}"
        "\n[Service]\nType=oneshot\n"
        f"{whose}ExecStart={start}\nEnvironment={variables}\n"
        "# 3: some invoices are unsynced or differ. 6: try again later. 7: another run is active. 130: it was told to end.\n"
        f"SuccessExitStatus={codes}\nTimeoutStartSec=2h\n"
        f"{HARDENING}{OF_THE_MACHINE if job.user else ''}{home}"
    )


def timer(job: Job) -> str:
    """The unit that starts the service again and again; what was missed while the machine was off is made up for."""
    return sealed(
        f"# {WRITTEN_BY}, and taken away by: caspen-xero schedule remove\n"
        f"\n[Unit]\nDescription={job.description}\n"
        f"\n[Timer]\nOnCalendar={on_calendar(job.every)}\nRandomizedDelaySec=60\nPersistent=true\n"
        "\n[Install]\nWantedBy=timers.target\n"
    )


def read(service_text: str, timer_text: str) -> Installed:
    """The job of two units, as systemd reads them."""
    command = _words(next(_values(service_text, "ExecStart"), ""))
    variables = [word.partition("=") for value in _values(service_text, "Environment") for word in _words(value)]
    calendar = next(_values(timer_text, "OnCalendar"), "")
    when = next((one for one in every_kind() if on_calendar(one) == calendar), None)
    if command:
        command[0] = command[0].lstrip(":")
        command = command[command[0] == _ENV :]
    return Installed(tuple(command), {name: value for name, _, value in variables}, when)


def _word(text: str) -> str:
    """A word as a unit has it."""
    text = text.replace("%", "%%")
    if _SAFE.fullmatch(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _words(value: str) -> list[str]:
    found = re.findall(r'(:?)(?:"((?:[^"\\]|\\.)*)"|(\S+))', value)
    words = [mark + (re.sub(r"\\(.)", r"\1", quoted) or bare) for mark, quoted, bare in found]
    return [word.replace("%%", "%") for word in words]


def _values(text: str, name: str) -> Iterator[str]:
    return (line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}="))


class Systemd:
    """The manager of the user who runs this, or (`machine`) that of the whole machine."""

    def __init__(self, *, machine: bool = False) -> None:
        self.name = "systemd-system" if machine else "systemd"
        self._machine = machine
        self._systemctl = ("systemctl",) if machine else ("systemctl", "--user")

    @property
    def folder(self) -> Path:
        """Where the units stand."""
        if self._machine:
            return Path("/etc/systemd/system")
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"

    def texts(self, job: Job) -> list[tuple[str, str]]:
        """What is installed: where, and the text."""
        return [(str(file), text) for file, text in self._files(job)]

    def found(self, label: str) -> Installed | None:
        """The job as it stands there now."""
        both = self._places(label)
        if not all(map(is_ours, both)):
            return None
        return read(*(file.read_text("utf-8", "replace") for file in both))

    def labels(self) -> list[str]:
        """All of ours that are there."""
        units = [*self.folder.glob("caspen-xero*.timer"), *self.folder.glob("caspen-xero*.service")]
        return sorted({file.stem for file in units if is_ours(file)})

    def edited(self, label: str) -> bool:
        """Whether somebody has changed it since it was written here."""
        return any(map(is_edited, self._places(label)))

    def install(self, job: Job) -> bool:
        """Writes both units and starts the timer; gives whether any is another than before."""
        self._needs_root()
        for file in self._places(job.label):
            must_be_ours(file)
        fix = _NO_MACHINE if self._machine else _NO_MANAGER
        ask_and_insist(*self._systemctl, "daemon-reload", fix=fix)  # before anything is written: does it answer at all?
        was_there = self.found(job.label) is not None
        changed = [write_ours(file, text) for file, text in self._files(job)]
        try:
            ask_and_insist(*self._systemctl, "daemon-reload", fix=fix)
            ask_and_insist(*self._systemctl, "enable", "--now", f"{job.label}.timer", fix=fix)
            if changed[1]:
                ask_and_insist(*self._systemctl, "restart", f"{job.label}.timer")
        except ScheduleError:
            if not was_there:
                for file in self._places(job.label):
                    file.unlink(missing_ok=True)
            raise
        return any(changed)

    def remove(self, label: str) -> list[Path] | None:
        """Stops the timer and takes both units away; None where neither was there, else what is kept of them."""
        ours = [file for file in self._places(label) if is_ours(file)]
        if not ours:
            return None
        self._needs_root()
        ask(*self._systemctl, "disable", "--now", f"{label}.timer")
        kept = [one for one in map(take_away, ours) if one is not None]
        ask(*self._systemctl, "daemon-reload")
        return kept

    def advice(self, job: Job) -> list[tuple[str, str]]:
        """What a person should know once it is there: words, and what to do."""
        who = getpass.getuser()
        if self._machine or Path("/var/lib/systemd/linger", who).exists():
            return []
        return [
            (
                f"It runs only while {plain(who)} is logged in. So that it always does:",
                f"sudo loginctl enable-linger {who}",
            )
        ]

    def _files(self, job: Job) -> Sequence[tuple[Path, str]]:
        return list(zip(self._places(job.label), (service(job), timer(job)), strict=True))

    def _places(self, label: str) -> tuple[Path, Path]:
        return self.folder / f"{label}.service", self.folder / f"{label}.timer"

    def _needs_root(self) -> None:
        if self._machine and getattr(os, "geteuid", lambda: 0)() != 0:
            words = f"A service of the whole machine is kept in {self.folder}, where only root may write."
            raise ScheduleError("needs-root", words, "sudo, then the same command with its whole path")
