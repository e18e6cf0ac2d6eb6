"""`doctor --as-scheduled`: the checks by a run of their own, with no more around it than the machine gives a scheduled one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caspen_xero.cli.scheduled import (
    Scheduler,
    home_of,
    label_of,
    make_job,
    scheduler,
    usual_system,
    where_found,
)
from caspen_xero.cli.session import Session
from caspen_xero.commands import Choice
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.schedules.asking import run_alone
from caspen_xero.schedules.job import Every, Installed, ScheduleError
from caspen_xero.sync.setup.doctor import Check

PATIENCE = 300
"""Seconds that the checks have, a slow network included."""
_NEEDS = {
    "program": "caspen-xero is not where it would be started from",
    "cron": "no cron is running on this machine",
    "run": "it can't begin its work",
    "store": "its store is not in order",
    "source": "it can't read Caspen's export",
    "connection": "the workspace is not connected to Xero",
    "xero": "Xero does not answer its sign-in",
}
"""What a run can't do without, by the names of the checks: what it means where one is not met."""


@dataclass(frozen=True)
class Seen:
    """What was found, by which system, and how often that runs it (None: nothing is scheduled)."""

    system: str
    label: str
    every: Every | None
    is_scheduled: bool
    checks: Sequence[Check]

    @property
    def conclusion(self) -> str:
        """Whether tonight's run will find what it needs, in one line."""
        wrong = {one.name for one in self.checks if not one.ok} - {"schedule"}
        missing = [words for name, words in _NEEDS.items() if name in wrong]
        run = (
            f"Tonight's run by {self.system} will"
            if self.is_scheduled
            else f"Nothing is scheduled; a run by {self.system} would"
        )
        if missing:
            lacks_key = any(one.name == "source" and not one.ok and "no key" in one.message for one in self.checks)
            unless = lacks_key and self.system.startswith("systemd")
            end = ", unless systemd hands the key to it as a credential, which is not seen here" if unless else ""
            return f"{run} not do its work: {'; '.join(missing)}{end}."
        rest = "; what else is NOT OK above keeps invoices back" if wrong else ""
        return f"{run} find all that it needs to begin{rest}."

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "system": self.system,
            "label": self.label,
            "scheduled": self.is_scheduled,
            "every_minutes": self.every.minutes if self.every else None,
            "finds_all": all(one.ok for one in self.checks if one.name in _NEEDS),
        }


def look(session: Session) -> Seen:
    """Runs the checks as the workspace's job would be run; as this machine would, where there is none yet."""
    home = home_of(session, None)
    for workspace in (session.workspace, None):
        label = label_of(home, workspace)
        for place, installed in where_found(label):
            when = f"{place.name} runs it {installed.when}"
            again = "caspen-xero schedule install" + (" --all-workspaces" if workspace is None else "")
            checks = [Check("schedule", True, when), *_checks(session, place, installed, again)]
            return Seen(place.name, label, installed.every, True, checks)
    place = scheduler(usual_system(session))
    job = make_job(home, session.workspace, Every(15), system=place.name)
    words = f"nothing is scheduled; what follows is as a run by {place.name} would find it"
    install = "caspen-xero schedule install"
    checks = [Check("schedule", False, words, install)]
    checks += _checks(session, place, Installed(job.command, job.environment, job.every), install)
    return Seen(place.name, job.label, None, False, checks)


def _checks(session: Session, place: Scheduler, job: Installed, install: str) -> list[Check]:
    program = _program(job.command)
    file = Path(program[0])
    if not (file.is_file() and os.access(file, os.X_OK)):
        return [Check("program", False, f"{plain(file)} is not there, or can't be run", install)]
    checks = [Check("program", True, plain(file))]
    if place.name == "cron":
        from caspen_xero.schedules.cron import how_to_start, is_running

        if is_running() is False:
            checks.append(Check("cron", False, "no cron is running on this machine", how_to_start()))
    return checks + _found_by([*program, "doctor", "--json"], session.workspace, place.name, job)


def _found_by(command: Sequence[str], workspace: str, system: str, job: Installed) -> list[Check]:
    """What a run of its own has found. The workspace goes by its variable, so that fixes name it only where a person did."""
    around = poor(system) | dict(job.environment) | {"CASPEN_XERO_WORKSPACE": workspace}
    try:
        done = run_alone(command, around, _folder(system, around), PATIENCE)
    except ScheduleError as error:
        return [Check("run", False, error.message)]
    try:
        return _read(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        words = plain(done.stderr.decode("utf-8", "replace"), MOST_WORDS)
        return [Check("run", False, f"it ended with {done.returncode}: {words or 'it said nothing'}")]


def _read(document: Mapping[str, Any]) -> list[Check]:
    if "error" in document:
        error = document["error"]
        return [Check("run", False, str(error["message"]), str(error["fix"]))]
    return [
        Check(
            str(one["name"]),
            one["ok"] is True,
            str(one["message"]),
            str(one["fix"]),
            tuple(Choice(str(choice["command"]), str(choice["label"])) for choice in one["choices"]),
        )
        for one in document["checks"]
    ]


def _program(command: Sequence[str]) -> list[str]:
    """How the job starts caspen-xero, without what it has it do."""
    if Path(command[0]).name.lower().startswith("python") and "-m" not in command:  # Task Scheduler's, without a window
        return [str(Path(command[0]).with_name("python.exe")), "-m", "caspen_xero"]
    return list(command[: command.index("sync")] if "sync" in command else command[:1])


def poor(system: str) -> dict[str, str]:
    """What a system gives a job before the job's own variables: a short PATH, and a bus only from one's own manager."""
    if os.name == "nt":
        return {name: value for name, value in os.environ.items() if not name.startswith(("CASPEN_", "XERO_"))}
    import pwd

    user = pwd.getpwuid(os.getuid())
    own = {"HOME": user.pw_dir, "LOGNAME": user.pw_name}
    if system == "cron":
        return own | {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    own |= {"USER": user.pw_name, "SHELL": user.pw_shell or "/bin/sh"}
    if system == "launchd":
        return own | {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    own |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    runtime = Path(f"/run/user/{user.pw_uid}")
    if system == "systemd" and runtime.is_dir():
        own["XDG_RUNTIME_DIR"] = str(runtime)
        if (runtime / "bus").exists():
            own["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime / 'bus'}"
    return own


def _folder(system: str, around: Mapping[str, str]) -> str:
    """Where such a run begins."""
    if sys.platform == "win32":
        return str(Path(around.get("SYSTEMROOT", "C:\\Windows"), "System32"))
    return around["HOME"] if system in ("cron", "systemd") else "/"
