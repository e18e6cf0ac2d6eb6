"""cron: a block of lines in the user's crontab, between two marks. Whatever else stands there stays, byte for byte."""

from __future__ import annotations

import getpass
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from caspen_xero.outside_text import plain
from caspen_xero.schedules.asking import WRITTEN_BY, ask, ask_and_insist, is_as_written, refused, sealed
from caspen_xero.schedules.job import DAY, Every, Installed, Job, ScheduleError, every_kind, unwritable, variables_first

LONGEST_COMMAND = 998
"""Bytes: Debian's cron refuses a whole crontab for one command that is longer."""

_BLOCK = re.compile(rb"^# BEGIN (caspen-xero[\w.-]*):[^\n]*\n(.*?)^# END \1\n", re.MULTILINE | re.DOTALL)
_MARK = re.compile(rb"^# (?:BEGIN caspen-xero[\w.-]*:|END caspen-xero[\w.-]*$)", re.MULTILINE)
_MAIL_TO = re.compile(rb"^[ \t]*MAILTO[ \t]*=[ \t]*([^\n]*?)[ \t]*$", re.MULTILINE)
_BY_HAND = re.compile(rb"^[ \t]*[^#\s][^\n]*caspen-xero[^\n]* (?:sync|push)\b[^\n]*$", re.MULTILINE)
_DAEMONS = {"cron", "crond", "cronie", "fcron", "dcron", "anacron"}


def fields(every: Every) -> str:
    """The five fields of a line: minute, hour, day, month, weekday."""
    if every.minutes == DAY:
        return f"{every.at[1]} {every.at[0]} * * *"
    if every.minutes < 60:
        return f"*/{every.minutes} * * * *"
    return "0 * * * *" if every.minutes == 60 else f"0 */{every.minutes // 60} * * *"


def line(job: Job) -> str:
    """The line. The variables go by `env`: one that is set in a crontab would hold for the user's own lines too.

    A `%` ends the command in cron's eyes, and has a backslash before it; cron takes that away before a shell sees it.
    """
    words = ["/usr/bin/env", *(f"{name}={value}" for name, value in job.environment.items()), *job.command]
    for word in words:
        if "\\" in word:
            raise unwritable(word, "what cron makes of a backslash differs from cron to cron")
    command = shlex.join(words).replace("%", "\\%")
    if len(command.encode()) > LONGEST_COMMAND:
        raise unwritable(f"A command of {len(command):,} characters", f"cron takes {LONGEST_COMMAND}")
    return f"{fields(job.every)} {command}"


def block(job: Job, mail_before: str) -> str:
    """What stands in the crontab. `mail_before`: whom cron writes to for the lines that follow."""
    mail = [f'MAILTO="{job.mail_to}"'] if job.mail_to else []
    back = [f"MAILTO={mail_before}"] if job.mail_to else []
    first = f"# BEGIN {job.label}: {WRITTEN_BY}, and taken away by: caspen-xero schedule remove"
    return sealed("\n".join([first, *mail, line(job), *back, f"# END {job.label}", ""]))


def with_block(crontab: bytes, job: Job, user: str) -> bytes:
    """A crontab that has this job's block once: where it stood, else at the end."""
    _check(crontab, job.label)
    found = _find(crontab, job.label)
    before, after = (crontab[: found.start()], crontab[found.end() :]) if found else (crontab, b"")
    if not found and before and not before.endswith(b"\n"):
        before += b"\n"
    new = block(job, _mail_to(before, user)).encode("utf-8", "surrogateescape")
    return before + new + without_block(after, job.label)  # somebody may have copied it


def without_block(crontab: bytes, label: str) -> bytes:
    """A crontab without that block."""
    _check(crontab, label)
    return _BLOCK.sub(lambda found: b"" if found[1].decode() == label else found[0], crontab)


def read(crontab: bytes, label: str) -> Installed | None:
    """The job of that name, as cron reads it."""
    found = _find(crontab, label)
    for each in found[2].decode("utf-8", "surrogateescape").split("\n") if found else ():
        parts = each.split(None, 5)
        if len(parts) == 6 and parts[5].startswith("/usr/bin/env "):
            variables, command = variables_first(shlex.split(parts[5].replace("\\%", "%"))[1:])
            when = next((one for one in every_kind() if fields(one) == " ".join(parts[:5])), None)
            mail = _MAIL_TO.match(found[2]) if found else None
            return Installed(command, variables, when, mail[1].decode().strip('"') if mail else None)
    return None


def by_hand(crontab: bytes) -> list[str]:
    """Lines of the user's own that run caspen-xero too."""
    return [found.decode("utf-8", "replace").strip() for found in _BY_HAND.findall(_BLOCK.sub(b"", crontab))]


def is_running() -> bool | None:
    """Whether a cron is at work on this machine; None where that can't be seen."""
    if not Path("/proc/1/comm").exists():
        return None
    try:
        Path("/proc/1/comm").read_text()
        names = {(folder / "comm").read_text().strip() for folder in Path("/proc").glob("[0-9]*") if folder.exists()}
    except OSError:
        return None
    return bool(names & _DAEMONS)


def how_to_start() -> str:
    """The command that has cron run, now and whenever the machine starts."""
    if not Path("/run/systemd/system").is_dir():
        return "sudo service cron start"
    names = [
        name for name in ("cron", "cronie", "crond") if list(Path("/usr/lib/systemd/system").glob(f"{name}.service"))
    ]
    return f"sudo systemctl enable --now {(names or ['cron'])[0]}"


def _find(crontab: bytes, label: str) -> re.Match[bytes] | None:
    return next((one for one in _BLOCK.finditer(crontab) if one[1].decode() == label), None)


def is_edited(crontab: bytes, label: str) -> bool:
    """Whether somebody has changed a block of that name since it was written here."""
    blocks = [one[0] for one in _BLOCK.finditer(crontab) if one[1].decode() == label]
    return not all(is_as_written(one.decode("utf-8", "surrogateescape")) for one in blocks)


def _check(crontab: bytes, label: str) -> None:
    """Raises `ScheduleError` where a mark stands alone, or somebody changed the block: what is whose in it is unknown."""
    inside = b"".join(found[2] for found in _BLOCK.finditer(crontab))
    if is_edited(crontab, label) and not _MARK.search(inside):
        lines = _strange(crontab, label)
        which = f": {plain(_without_values(lines[0]))}" if lines else ""
        raise ScheduleError(
            "schedule-edited",
            f"In the crontab the block {plain(label)} was changed by hand since caspen-xero wrote it{which}",
            "Move what is yours out of the block, and delete the rest of it: crontab -e",
        )
    if _MARK.search(_BLOCK.sub(b"", crontab) + inside):
        raise ScheduleError(
            "schedule-not-ours",
            "A line '# BEGIN caspen-xero' or '# END caspen-xero' of the crontab stands without the other one.",
            "Put them right, or delete both: crontab -e",
        )


def _strange(crontab: bytes, label: str) -> list[bytes]:
    """The lines of a block that we would not have written there."""
    found, job = _find(crontab, label), read(crontab, label)
    if found is None:
        return []
    lines = found[2].splitlines()
    if job is None or job.every is None:
        return lines
    ours = block(
        Job(label, job.every, job.command, job.environment, job.mail_to), _mail_to(crontab[: found.start()], "")
    )
    return [each for each in lines if each not in ours.encode("utf-8", "surrogateescape").splitlines()]


def _without_values(line: bytes) -> str:
    """A line as it may be shown: what stands behind an `=` may be a secret."""
    name, is_set, _ = line.decode("utf-8", "replace").partition("=")
    return f"{name}=..." if is_set else name


def _mail_to(before: bytes, user: str) -> str:
    """Whom cron writes to at this place of the user's own lines."""
    own = _MAIL_TO.findall(_BLOCK.sub(b"", before))
    return own[-1].decode("utf-8", "surrogateescape") if own else user


class Cron:
    """The crontab of the user who runs this."""

    name = "cron"

    def texts(self, job: Job) -> list[tuple[str, str]]:
        """What is installed: where, and the text."""
        return [("crontab", block(job, _owner()))]

    def found(self, label: str) -> Installed | None:
        """The job as it stands there now."""
        return read(_crontab(), label)

    def labels(self) -> list[str]:
        """All of ours that are there."""
        return [one[1].decode() for one in _BLOCK.finditer(_crontab())]

    def install(self, job: Job) -> bool:
        """Puts it there; gives whether anything is another than before."""
        return _replace(_crontab(), lambda old: with_block(old, job, _owner()))

    def edited(self, label: str) -> bool:
        """Whether somebody has changed it since it was written here."""
        return is_edited(_crontab(), label)

    def remove(self, label: str) -> list[Path] | None:
        """Takes it away; None where it was not there. One that somebody has changed is left for them."""
        return [] if _replace(_crontab(), lambda old: without_block(old, label)) else None

    def advice(self, job: Job) -> list[tuple[str, str]]:
        """What a person should know once it is there: words, and what to do."""
        told = [
            (f"The crontab has a line of your own that runs caspen-xero too: {plain(own)}", "crontab -e")
            for own in by_hand(_crontab())
        ]
        if is_running() is False:
            told.append(("No cron is running on this machine, so nothing will be run.", how_to_start()))
        return told


def _owner() -> str:
    """To whom cron writes where no MAILTO says so."""
    if os.name == "nt":  # which has no cron, but can show what one would get
        return getpass.getuser()
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _crontab() -> bytes:
    """The user's crontab, empty where there is none."""
    done = ask("crontab", "-l")
    if done.returncode == 0:
        return done.stdout
    if re.search(rb"no crontab|No such file", done.stderr):
        return b""
    raise refused(("crontab", "-l"), done, "Another system can be chosen with --system.")


def _replace(old: bytes, change: Callable[[bytes], bytes]) -> bool:
    new = change(old)
    if new == old:
        return False
    if new:
        ask_and_insist("crontab", "-", given=new)
    else:
        ask_and_insist("crontab", "-r")
    if _crontab() != new:
        raise ScheduleError(
            "scheduler-refused",
            "The crontab does not hold what was written: something else changed it at the same moment.",
            "Look at it: crontab -l",
        )
    return True
