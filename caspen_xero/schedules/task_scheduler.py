"""Task Scheduler, on Windows: a task of the user, as XML.

An action has no variables and throws away what its program says; so it starts `caspen_xero/cli/unattended.py`, which is given both.
"""

from __future__ import annotations

import csv
import io
import locale
import os
import re
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from caspen_xero.outside_text import plain
from caspen_xero.schedules.asking import WRITTEN_BY, ask, ask_and_insist, edited, free_name
from caspen_xero.schedules.job import (
    DAY,
    Every,
    Installed,
    Job,
    ScheduleError,
    every_kind,
    unwritable,
    variables_first,
)

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
MODULE = "caspen_xero.cli.unattended"
_WITH_VARIABLES = re.compile(r"%[^%]+%|\$\(")


def trigger(every: Every) -> str:
    """When: each interval from a midnight of the past on, or each day at its time."""
    if every.minutes == DAY:
        start = f"2026-01-01T{every.at[0]:02}:{every.at[1]:02}:00"
        day = "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>"
        return f"<CalendarTrigger><StartBoundary>{start}</StartBoundary>{day}</CalendarTrigger>"
    interval = f"PT{every.minutes}M" if every.minutes % 60 else f"PT{every.minutes // 60}H"
    start = "2026-01-01T00:00:00"
    again = f"<Repetition><Interval>{interval}</Interval><StopAtDurationEnd>false</StopAtDurationEnd></Repetition>"
    return f"<TimeTrigger><StartBoundary>{start}</StartBoundary>{again}</TimeTrigger>"


def xml(job: Job, user: str | None = None) -> str:
    """The task. No encoding is declared: whoever keeps it as a file chooses UTF-16 or UTF-8."""
    program, *arguments = action(job)
    whose = f"      <UserId>{escape(user)}</UserId>\n" if user else ""
    return f"""<?xml version="1.0"?>
<Task version="1.2" xmlns="{NAMESPACE}">
  <RegistrationInfo>
    <Author>caspen-xero</Author>
    <Description>{escape(job.description)}. {WRITTEN_BY}.</Description>
  </RegistrationInfo>
  <Triggers>
    {trigger(job.every)}
  </Triggers>
  <Principals>
    <Principal id="Author">
{whose}      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT2H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(subprocess.list2cmdline(arguments))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def action(job: Job) -> list[str]:
    """Python without a window, and what it starts. Raises `ScheduleError` where Windows would read a variable in it."""
    python, *rest = job.command
    variables = [f"{name}={value}" for name, value in job.environment.items()]
    words = [python, "-m", MODULE, job.log, *variables, *rest]
    for word in words:
        if _WITH_VARIABLES.search(word):
            raise unwritable(word, "Task Scheduler would read a variable in it")
    return words


def read(text: str) -> Installed | None:
    """The job of a task, as Windows gives it; None where it is not ours."""
    task = _tree(text)
    if task is None:
        return None
    told = {name: task.findtext(f".//{{{NAMESPACE}}}{name}") or "" for name in ("Author", "Command", "Arguments")}
    if told["Author"] != "caspen-xero":
        return None
    words = _split(told["Arguments"])
    variables, command = variables_first(words[3:])
    when = next((one for one in every_kind() if _is_when(task, one)), None)
    return Installed((told["Command"], *command), variables, when)


def _is_when(task: ElementTree.Element, every: Every) -> bool:
    """Whether a task runs just so often. Windows may leave out what is so anyway, and add that a trigger is enabled."""
    triggers = task.find(f"{{{NAMESPACE}}}Triggers")
    written = ElementTree.fromstring(f'<Triggers xmlns="{NAMESPACE}">{trigger(every)}</Triggers>')
    if triggers is None or [one.tag for one in triggers] != [one.tag for one in written]:
        return False
    usual = {f"{{{NAMESPACE}}}StopAtDurationEnd": "false", f"{{{NAMESPACE}}}Enabled": "true"}
    there, ours = ({**usual, **_texts(part)} for part in (triggers, written))
    return there == ours


def is_edited(text: str) -> bool:
    """Whether a task of ours runs, or is run, otherwise than it was written here. What Windows adds of its own is no change."""
    there, job = _tree(text), read(text)
    if there is None or job is None or job.every is None:
        return there is not None
    if any((one.text or "").strip() == "false" for one in there.iter(f"{{{NAMESPACE}}}Enabled")):
        return True  # switched off
    log = _split(there.findtext(f".//{{{NAMESPACE}}}Arguments") or "")[2:3]
    ours = _tree(xml(Job("", job.every, job.command, job.environment, log="".join(log))))
    assert ours is not None
    now, written = _said(there), _said(ours)
    parts = [
        [len(one.findall(f"{{{NAMESPACE}}}{part}/*")) for part in ("Triggers", "Actions")] for one in (there, ours)
    ]
    return parts[0] != parts[1] or any(now.get(name, value) != value for name, value in written.items())


def _tree(text: str) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except ElementTree.ParseError:
        return None


def _said(task: ElementTree.Element) -> dict[str, str]:
    """What a task says of when and how it is run, by the names of its elements."""
    parts = [part for part in task if part.tag.rpartition("}")[2] in ("Triggers", "Settings", "Actions")]
    return {name: text for part in parts for name, text in _texts(part).items()}


def _texts(part: ElementTree.Element) -> dict[str, str]:
    return {one.tag: one.text.strip() for one in part.iter() if one.text and one.text.strip()}


def _split(line: str) -> list[str]:
    """Words as a program on Windows gets them (the reverse of `subprocess.list2cmdline`)."""
    words: list[str] = []
    word, quoted, begun = "", False, False
    for part in re.findall(r'\\*"|\\+|[ \t]+|[^\s"\\]+', line):
        if part.endswith('"'):
            marks = len(part) - 1
            word += "\\" * (marks // 2)
            begun = True
            if marks % 2:
                word += '"'
            else:
                quoted = not quoted
        elif part.isspace() and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + part, True
    return [*words, word] if begun else words


class TaskScheduler:
    """The tasks of the user who runs this."""

    name = "task-scheduler"

    def texts(self, job: Job) -> list[tuple[str, str]]:
        """What is installed: where, and the text."""
        return [(f"\\{job.label}", xml(job, _user()))]

    def found(self, label: str) -> Installed | None:
        """The job as it stands there now."""
        text = self._there(label)
        return read(text) if text is not None else None

    def edited(self, label: str) -> bool:
        """Whether somebody has changed it since it was written here."""
        text = self._there(label)
        return text is not None and read(text) is not None and is_edited(text)

    def _there(self, label: str) -> str | None:
        done = ask("schtasks", "/Query", "/TN", label, "/XML")
        return _text(done.stdout) if done.returncode == 0 else None

    def labels(self) -> list[str]:
        """All that are there under names of ours."""
        rows = csv.reader(io.StringIO(_text(ask("schtasks", "/Query", "/FO", "CSV", "/NH").stdout)))
        return sorted({row[0].lstrip("\\") for row in rows if row and row[0].startswith("\\caspen-xero")})

    def install(self, job: Job) -> bool:
        """Puts the task there; gives whether it is another than before."""
        there, text = self._there(job.label), xml(job, _user())
        if there is not None and read(there) is None:
            raise ScheduleError(
                "schedule-not-ours",
                f"The task {plain(job.label)} was not written by caspen-xero.",
                "Rename it in Task Scheduler, then run this again.",
            )
        if there is not None and is_edited(there):
            raise edited(f"The task {plain(job.label)}")
        if there is not None and read(there) == read(text):
            return False
        descriptor, name = tempfile.mkstemp(prefix="caspen-xero-", suffix=".xml")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-16", newline="\r\n") as stream:
                stream.write(text)
            ask_and_insist("schtasks", "/Create", "/TN", job.label, "/XML", name, "/F")
        finally:
            Path(name).unlink(missing_ok=True)
        return True

    def remove(self, label: str) -> list[Path] | None:
        """Takes the task away; None where it was not there, else what is kept of it."""
        text = self._there(label)
        if text is None or read(text) is None:
            return None
        kept = []
        if is_edited(text):
            kept = [free_name(Path.home() / f"{label}.xml.edited")]
            kept[0].write_text(text, encoding="utf-16")
        ask_and_insist("schtasks", "/Delete", "/TN", label, "/F")
        return kept

    def advice(self, job: Job) -> list[tuple[str, str]]:
        """What a person should know once it is there: words, and what to do."""
        return [(f"It runs while you are logged in. What it says is in {plain(Path(job.log))}.", "")]


def _user() -> str | None:
    """Whose task it is, as Windows names them."""
    domain, user = os.environ.get("USERDOMAIN"), os.environ.get("USERNAME")
    return f"{domain}\\{user}" if domain and user and os.name == "nt" else None


def _text(told: bytes) -> str:
    return told.decode(
        "utf-16" if told[:2] in (b"\xff\xfe", b"\xfe\xff") else locale.getpreferredencoding(False), "replace"
    )
