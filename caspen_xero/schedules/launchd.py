"""launchd, on macOS: a property list in the user's LaunchAgents."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

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


def calendar(every: Every) -> list[dict[str, int]]:
    """When. A calendar, and no interval: what was missed while the Mac slept is made up for when it wakes."""
    if every.minutes == DAY:
        return [{"Hour": every.at[0], "Minute": every.at[1]}]
    if every.minutes <= 60:
        return [{"Minute": minute} for minute in range(0, 60, every.minutes)]
    return [{"Hour": hour, "Minute": 0} for hour in range(0, 24, every.minutes // 60)]


def plist(job: Job) -> str:
    """The property list."""
    agent: dict[str, Any] = {
        "Label": job.label,
        "ProgramArguments": list(job.command),
        "EnvironmentVariables": dict(job.environment),
        "StartCalendarInterval": calendar(job.every),
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": job.log,
        "StandardErrorPath": job.log,
    }
    text = plistlib.dumps(agent, sort_keys=False).decode()
    mark = f"<!-- {WRITTEN_BY} -->\n"
    return sealed(text.replace("<plist ", f"{mark}<plist ", 1))


def read(text: bytes) -> Installed | None:
    """The job of a property list, as launchd reads it."""
    try:
        agent = plistlib.loads(text)
        when = next((one for one in every_kind() if calendar(one) == agent.get("StartCalendarInterval")), None)
        return Installed(tuple(agent["ProgramArguments"]), dict(agent.get("EnvironmentVariables", {})), when)
    except (ExpatError, plistlib.InvalidFileException, ValueError, KeyError, TypeError, AttributeError):
        return None


class Launchd:
    """The agents of the user who runs this."""

    name = "launchd"

    @property
    def folder(self) -> Path:
        """Where agents stand."""
        return Path.home() / "Library" / "LaunchAgents"

    def texts(self, job: Job) -> list[tuple[str, str]]:
        """What is installed: where, and the text."""
        return [(str(self._place(job.label)), plist(job))]

    def found(self, label: str) -> Installed | None:
        """The job as it stands there now."""
        file = self._place(label)
        return read(file.read_bytes()) if is_ours(file) else None

    def labels(self) -> list[str]:
        """All of ours that are there."""
        return sorted(file.stem for file in self.folder.glob("caspen-xero*.plist") if is_ours(file))

    def edited(self, label: str) -> bool:
        """Whether somebody has changed it since it was written here."""
        return is_edited(self._place(label))

    def install(self, job: Job) -> bool:
        """Writes the agent and has it loaded anew; gives whether it is another than before."""
        file = self._place(job.label)
        must_be_ours(file)
        is_loaded = ask("launchctl", "print", f"{_domain()}/{job.label}").returncode == 0
        was_there = is_ours(file)
        changed = write_ours(file, plist(job))
        if changed or not is_loaded:
            if is_loaded:
                ask("launchctl", "bootout", f"{_domain()}/{job.label}")
            try:
                ask_and_insist("launchctl", "bootstrap", _domain(), str(file))
            except ScheduleError:
                if not was_there:
                    file.unlink(missing_ok=True)
                raise
        return changed

    def remove(self, label: str) -> list[Path] | None:
        """Unloads the agent and takes it away; None where it was not there, else what is kept of it."""
        file = self._place(label)
        if not is_ours(file):
            return None
        ask("launchctl", "bootout", f"{_domain()}/{label}")
        kept = take_away(file)
        return [kept] if kept else []

    def advice(self, job: Job) -> list[tuple[str, str]]:
        """What a person should know once it is there: words, and what to do."""
        return [(f"It runs while you are logged in. What it says is in {plain(Path(job.log))}.", "")]

    def _place(self, label: str) -> Path:
        return self.folder / f"{label}.plist"


def _domain() -> str:
    return f"gui/{os.getuid()}"
