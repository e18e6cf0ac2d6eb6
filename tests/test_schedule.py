"""A machine runs caspen-xero by itself: what is written for each system is what that system reads, and is taken back whole."""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import Cli, clean_environment
from pushing import Clinic

from caspen_xero.caspen.connection import find_api_key
from caspen_xero.cli.scheduled import program
from caspen_xero.credentials import given_secret
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.http_client import proxy_for
from caspen_xero.schedules import cron, launchd, systemd, task_scheduler
from caspen_xero.schedules.job import MINUTES, Every, Job, ScheduleError, every, every_kind
from caspen_xero.scrubbing import scrubbed
from caspen_xero.store.store import Store

ODD = '/srv/our clinic\'s/100% of $HOME `x` "quoted" ~ë;&|'
"""A folder as nobody should call one."""
THEIRS = (
    b"",
    b"# mine\n5 4 * * *  echo 100\\%\n",
    b'MAILTO="me, you"\n\n@reboot x\n\n',
    b"SHELL=/bin/bash\n0 0 * * * echo \xff \x85 caspen\r\n",
    b"0 0 * * * without-an-end",
)
"""What may stand in somebody's crontab."""


def job(folder: str = ODD, label: str = "caspen-xero-default", **more: Any) -> Job:
    environment = {"PATH": f"{folder}/bin:/usr/bin", "CASPEN_XERO_HOME": f"{folder}/home", "NO_PROXY": "*, a=b"}
    command = (f"{folder}/bin/caspen-xero", "sync", "--quiet", "--workspace", "default")
    return Job(
        label, more.pop("every", Every(15)), command, environment, home=f"{folder}/home", log=f"{folder}/log", **more
    )


# --- how often


def test_every_interval_is_what_it_says_for_every_system() -> None:
    for minutes in MINUTES:
        one = Every(minutes)
        assert len(launchd.calendar(one)) == (24 * 60 // minutes if minutes > 60 else max(60 // minutes, 1))
        assert every(f"{minutes}m") == (Every(minutes, (6, 0)) if minutes == 24 * 60 else one)
    assert [cron.fields(every(text)) for text in ("15m", "1h", "120m", "1d")] == [
        "*/15 * * * *",
        "0 * * * *",
        "0 */2 * * *",
        "0 6 * * *",
    ]
    assert (every("1d", "23:05").in_words, every("2h").in_words) == ("every day at 23:05", "every 2 hours")
    for form in (cron.fields, systemd.on_calendar, launchd.calendar, task_scheduler.trigger):
        assert len({str(form(one)) for one in every_kind()}) == len(list(every_kind()))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--every", "7m"], "bad-interval"),
        (["--every", "1m"], "bad-interval"),
        (["--every", "often"], "bad-interval"),
        (["--every", "1d", "--at", "24:00"], "bad-time"),
        (["--every", "1h", "--at", "06:00"], "bad-time"),
        (["--system", "at"], "bad-system"),
        (["--system", "cron", "--mail-to", "a b"], "bad-address"),
        (["--system", "cron", "--mail-to", "x\nSHELL=/bin/false"], "bad-address"),
        (["--system", "systemd", "--mail-to", "a@b.example"], "usage"),
        (["--system", "cron", "--user", "root"], "usage"),
        (["--system", "systemd-system", "--user", "nobody-of-this-name"], "bad-user"),
    ],
)
def test_what_cannot_be_scheduled_is_wrong_usage(cli: Cli, options: list[str], code: str) -> None:
    told = cli("schedule", "show", *options, "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (2, code)


@pytest.mark.parametrize(
    ("typed", "meant"), [("windows", "task-scheduler"), ("macOS", "launchd"), ("sytemd", "systemd")]
)
def test_a_system_that_is_called_otherwise_is_told_by_our_name(cli: Cli, typed: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in cli("schedule", "show", "--system", typed).stderr


# --- cron


@pytest.mark.parametrize("theirs", THEIRS, ids=range(len(THEIRS)))
def test_a_crontab_keeps_what_is_the_users_own_byte_for_byte(theirs: bytes) -> None:
    ours, other = job(mail_to="ann@example.org"), job(label="caspen-xero", every=Every(60))
    once = cron.with_block(theirs, ours, "bob")
    both = cron.with_block(cron.with_block(once, other, "bob"), ours, "bob")
    assert cron.with_block(once, ours, "bob") == once
    assert both.startswith(once)
    assert once.startswith(theirs)
    both += b"1 1 * * * added later\n"
    assert ours.is_as(cron.read(both, ours.label))
    assert other.is_as(cron.read(both, other.label))
    left = cron.without_block(cron.without_block(both, ours.label), other.label)
    end = b"" if theirs.endswith(b"\n") or not theirs else b"\n"  # cron itself takes no crontab without it
    assert left == theirs + end + b"1 1 * * * added later\n"
    assert cron.without_block(left, ours.label) == left


def test_whom_cron_writes_to_is_as_before_for_the_lines_that_follow() -> None:
    for theirs, then in ((b"MAILTO=me@a.example\n", "me@a.example"), (b"", "bob"), (b'MAILTO=""\n', '""')):
        lines = cron.with_block(theirs, job(mail_to="ann@example.org"), "bob").decode().splitlines()
        assert [line for line in lines if line.startswith("MAILTO")][-2:] == [
            'MAILTO="ann@example.org"',
            f"MAILTO={then}",
        ]


def test_a_mark_that_stands_alone_is_left_for_a_person() -> None:
    whole = cron.block(job(), "bob").encode()
    for torn in (whole.partition(b"# END")[0], whole.partition(b"\n")[2]):
        with pytest.raises(ScheduleError, match="without the other one"):
            cron.without_block(torn, "caspen-xero-default")


def test_a_line_of_the_users_own_in_a_block_is_left_for_a_person() -> None:
    ours, label = job(), "caspen-xero-default"
    whole = cron.block(ours, "bob").encode()
    first, end = whole.partition(b"\n")[0] + b"\n", b"# END caspen-xero-default\n"
    job_line = whole[len(first) : -len(end)]
    theirs_too = (b"0 3 * * * /important/backup\n", first + job_line, job_line, b"# mine\n", b"MAILTO=me\n", b"\n")
    for theirs in theirs_too:
        crontab = first + job_line + theirs + end
        with pytest.raises(ScheduleError, match=r"without the other one|changed by hand"):
            cron.without_block(crontab, label)
        with pytest.raises(ScheduleError, match=r"without the other one|changed by hand"):
            cron.with_block(crontab, ours, "bob")
    in_latin = b"MAILTO=j\xf6rg\n"
    kept = cron.with_block(in_latin, job(mail_to="ann@example.org"), "bob")
    assert cron.without_block(kept, label) == in_latin


def test_a_workspace_that_is_synced_by_itself_is_not_taken_away(cli: Cli, home: Path, crontab: Path) -> None:
    cli("workspaces", "add", "north")
    cli("schedule", "install", "--system", "cron", "--workspace", "north")
    refused = cli("workspaces", "remove", "north", "--json").json["error"]
    assert refused["code"] == "workspace-in-use"
    assert refused["fix"].startswith("caspen-xero schedule remove --workspace north; then: ")
    shutil.rmtree(home / "north")
    assert cli("schedule", "remove", "--workspace", "north").exit_code == 0
    assert not crontab.exists()
    assert not (home / "north").exists()


def test_a_shell_gets_each_word_of_the_line_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / ODD.strip("/").replace("/", " ")
    shows = folder / "bin" / "caspen-xero"
    shows.parent.mkdir(parents=True)
    shows.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{SHOWS}' \"$0\" \"$@\"\n")
    shows.chmod(0o755)
    ours = job(str(folder))
    fields, command = cron.line(ours).split(" ", 5)[:5], cron.line(ours).split(" ", 5)[5]
    assert " ".join(fields) == "*/15 * * * *"
    around = {"HOME": str(tmp_path), "LOGNAME": "bob", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(  # as cron runs it: the backslash before a % is cron's
        ["/bin/sh", "-c", command.replace("\\%", "%")], env=around, capture_output=True, check=True, cwd=tmp_path
    )
    told = json.loads(ran.stdout)
    assert told["words"] == list(ours.command)
    assert {name: told["environment"][name] for name in ours.environment} == ours.environment


SHOWS = "import json, os, sys; print(json.dumps(dict(words=sys.argv[1:], environment=dict(os.environ))))"


@pytest.mark.parametrize("path", ["/srv/a\\b", "/srv/a\nb", "/srv/" + "long/" * 250])
def test_what_cron_would_not_read_as_it_is_is_refused(path: str) -> None:
    with pytest.raises(ScheduleError) as told:
        cron.line(job(path))
    assert told.value.code == "schedule-unwritable"


def test_crons_own_parser_takes_the_crontab() -> None:
    if not shutil.which("crontab") or b"-n" not in subprocess.run(["crontab", "-h"], capture_output=True).stderr:
        pytest.skip("Debian's cron is not here, whose crontab can check a file (apt-get install cron)")

    def takes(crontab: bytes) -> bool:
        told = subprocess.run(["crontab", "-n", "-"], input=crontab, capture_output=True, check=False)
        assert (told.returncode == 0) == (b"errors in crontab file" not in told.stderr)
        return told.returncode == 0

    crontab = b"".join(
        cron.with_block(THEIRS[1], job(every=one, mail_to="ann@example.org"), "bob") for one in map(Every, MINUTES)
    )
    longest = job("/srv/" + "x" * 100)
    room = cron.LONGEST_COMMAND - len(cron.line(longest).split(" ", 5)[5])
    at_most = Job(**{**vars(longest), "environment": dict(longest.environment) | {"NO_PROXY": "*, a=b" + "x" * room}})
    assert takes(crontab + cron.block(at_most, "bob").encode())
    assert not takes(b"*/75 * x * * /bin/true\n")
    assert not takes(cron.line(at_most).encode() + b"x\n")


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab that is a file: a program of that name keeps it. Refuses what holds the word `refuse`."""
    kept, tool = tmp_path / "crontab.txt", tmp_path / "tools" / "crontab"
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\ncd {shlex.quote(str(tmp_path))}\ncase "$1" in\n'
        "-l) cat crontab.txt 2>/dev/null || { echo 'no crontab for you' >&2; exit 1; };;\n"
        "-r) rm crontab.txt;;\n"
        "-) cat > new; if grep -q refuse new; then echo 'you are not allowed' >&2; exit 1; fi; mv new crontab.txt;;\n"
        "esac\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    return kept


def test_schedule_is_installed_kept_and_taken_back(cli: Cli, home: Path, crontab: Path) -> None:
    crontab.write_bytes(THEIRS[1])
    shown = cli("schedule", "show", "--system", "cron")
    assert "This is not installed here" in shown.stderr
    first = cli("schedule", "install", "--system", "cron", "--every", "1h", "--mail-to", "ann@example.org", "--json")
    assert (first.exit_code, first.json["changed"], first.json["every_minutes"]) == (0, True, 60)
    assert first.json["environment"]["CASPEN_XERO_HOME"] == str(home)
    again = cli("schedule", "install", "--system", "cron")
    assert "Already so: cron syncs the workspace default every hour." in again.stdout
    assert b'MAILTO="ann@example.org"' in crontab.read_bytes()
    there = cli("schedule", "show", "--system", "cron")
    assert "as it stands here" in there.stderr
    assert there.stdout.encode() in crontab.read_bytes()
    everything = cli("schedule", "install", "--system", "cron", "--all-workspaces")
    assert "so that a workspace is synced by both" in everything.stderr
    assert b"sync --quiet --all-workspaces\n" in crontab.read_bytes()
    assert cli("schedule", "remove", "--json").json["removed"] == ["cron"]
    assert "  caspen-xero schedule remove --all-workspaces\n" in cli("schedule", "remove").stdout
    assert cli("schedule", "remove", "--all-workspaces").exit_code == 0
    assert crontab.read_bytes() == THEIRS[1]
    assert "Nothing was scheduled" in cli("schedule", "remove").stdout


def test_a_crontab_of_ours_alone_is_gone_again(cli: Cli, crontab: Path) -> None:
    cli("schedule", "install", "--system", "cron")
    assert crontab.exists()
    cli("schedule", "remove")
    assert not crontab.exists()


def test_what_crontab_refuses_is_told_and_leaves_all_as_it_was(cli: Cli, crontab: Path) -> None:
    crontab.write_text("# refuse\n*/5 * * * * /usr/local/bin/caspen-xero sync --quiet\n")
    told = cli("schedule", "install", "--system", "cron", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "scheduler-refused")
    assert "you are not allowed" in told.json["error"]["message"]
    assert "refuse" in crontab.read_text()
    assert cron.by_hand(crontab.read_bytes()) == ["*/5 * * * * /usr/local/bin/caspen-xero sync --quiet"]


def test_no_secret_is_written_and_what_a_run_needs_is(cli: Cli, crontab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASPEN_API_KEY", "a-secret-key-of-caspen")
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret-word@proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    monkeypatch.setenv("CASPEN_API_KEY_FILE", "key file")
    told = cli("schedule", "install", "--system", "cron", "--json")
    text = crontab.read_text() + told.stdout
    assert not [word for word in ("a-secret-key", "secret-word") if word in text]
    given = told.json["environment"]
    assert (given["HTTP_PROXY"], given["CASPEN_API_KEY_FILE"]) == (
        "proxy.example:3128",
        str(Path("key file").absolute()),
    )
    assert all(f"{name} is a secret" in told.stderr for name in ("CASPEN_API_KEY", "HTTPS_PROXY"))


# --- systemd


def test_the_service_fails_with_what_a_person_has_to_mend_and_ends_a_run_that_hangs() -> None:
    unit = systemd.service(job())
    (codes,) = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("SuccessExitStatus=")]
    assert {int(code) for code in codes.split()} == {code for code in ExitCode if code not in (0, 1, 2, 4, 5)}
    assert "Type=oneshot\n" in unit
    assert "TimeoutStartSec=2h\n" in unit  # RuntimeMaxSec= has no effect on such a service


def test_systemd_takes_the_units_and_every_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here (apt-get install systemd)")
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # sockets there have names that are not long
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    for user, folder in ((None, "our clinic 100% $HOME"), ("root", ODD.rpartition("/")[2])):
        runs = tmp_path / folder / "caspen-xero"
        runs.parent.mkdir()
        runs.write_text("#!/bin/sh\n")
        runs.chmod(0o755)
        ours = Job(**{**vars(job()), "command": (str(runs), *job().command[1:]), "user": user})
        assert ours.is_as(systemd.read(systemd.service(ours), systemd.timer(ours)))
        files = [tmp_path / f"{ours.label}.service", tmp_path / f"{ours.label}.timer"]
        for file, text in zip(files, (systemd.service(ours), systemd.timer(ours)), strict=True):
            file.write_text(text)
        words = ["systemd-analyze", "--man=no", *([] if user else ["--user"]), "verify", *map(str, files)]
        told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        about_ours = [line for line in told.stderr.splitlines() if "caspen-xero" in line]
        assert (about_ours, told.returncode) == ([], 0), told.stderr
        files[0].write_text(systemd.service(ours).replace("[Service]", "[Service]\nType=nothing"))
        assert b"nothing" in subprocess.run(words, capture_output=True, check=False).stderr
    calendars = [systemd.on_calendar(Every(minutes, (6, 5))) for minutes in MINUTES]
    subprocess.run(["systemd-analyze", "calendar", *calendars], check=True, capture_output=True)
    shutil.rmtree(short)


# --- launchd, Task Scheduler


def test_launchd_reads_what_is_written() -> None:
    ours = job(every=Every(120))
    text = launchd.plist(ours)
    read = plistlib.loads(text.encode())
    assert (read["ProgramArguments"], read["EnvironmentVariables"]) == (list(ours.command), ours.environment)
    assert read["StartCalendarInterval"][1] == {"Hour": 2, "Minute": 0}
    assert ours.is_as(launchd.read(text.encode()))
    assert launchd.read(b"<plist>") is None


def test_task_scheduler_reads_what_is_written() -> None:
    folder = r"C:\Users\Ann & Bob\our clinic 100%" + "\\"
    environment = {"CASPEN_XERO_HOME": folder, "NO_PROXY": 'a "b" \\'}
    command = (rf"{folder}Scripts\pythonw.exe", "sync", "--quiet", "--workspace", "default")
    for often in (Every(15), Every(24 * 60, (6, 5))):
        ours = Job("caspen-xero-default", often, command, environment, log=folder + "a.log")
        text = task_scheduler.xml(ours, r"CLINIC\ann")
        assert ours.is_as(task_scheduler.read(text))
        by_windows = text.replace("<StopAtDurationEnd>false</StopAtDurationEnd>", "").replace(
            "<StartBoundary>", "<Enabled>true</Enabled><StartBoundary>"
        )
        assert ours.is_as(task_scheduler.read(by_windows))
        assert not task_scheduler.is_edited(by_windows)
        assert task_scheduler.is_edited(text.replace("<StartWhen", "<Enabled>false</Enabled><StartWhen"))
        for off in ("<Enabled>false</Enabled>", "<ExecutionTimeLimit>PT9H</ExecutionTimeLimit>"):
            name = off.partition(">")[0].strip("<")
            changed = by_windows.replace(f"<{name}>{'true' if name == 'Enabled' else 'PT2H'}</{name}>", off)
            assert task_scheduler.is_edited(changed), off
        for encoding in ("utf-16", "utf-8"):
            task = ElementTree.fromstring(text.encode(encoding))
        assert in_order(task) == [
            ("Task", ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]),
            ("Exec", ["Command", "Arguments"]),
            *(
                [("CalendarTrigger", ["StartBoundary", "ScheduleByDay"])]
                if often.minutes == 24 * 60
                else [
                    ("TimeTrigger", ["StartBoundary", "Repetition"]),
                    ("Repetition", ["Interval", "StopAtDurationEnd"]),
                ]
            ),
        ]
    for odd in ("%TEMP%", "$(Arg0)"):
        with pytest.raises(ScheduleError, match="a variable"):
            task_scheduler.xml(Job("x", Every(15), (odd, "sync"), {}, log="x"))


def in_order(task: ElementTree.Element) -> list[tuple[str, list[str]]]:
    """The elements whose order counts in Microsoft's published schema, each with what stands in it."""
    bare = {one: one.tag.partition("}")[2] for one in task.iter()}
    named = ("Task", "Exec", "CalendarTrigger", "TimeTrigger", "Repetition")
    return [(name, [bare[part] for part in one]) for name in named for one in bare if bare[one] == name]


def test_a_run_of_task_scheduler_has_its_variables_and_leaves_what_it_says_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "said.log"
    words = [str(log), f"CASPEN_XERO_HOME={tmp_path / 'home'}", "sync", "--quiet", "--workspace", "default"]
    ran = subprocess.run(
        [sys.executable, "-m", task_scheduler.MODULE, *words], env=clean_environment(), capture_output=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (4, b"", b"")
    assert "This workspace is not connected" in log.read_text()
    assert (tmp_path / "home" / "default").is_dir()


# --- on the machine


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose systemd and launchd say yes to everything, and whose Task Scheduler keeps one task as a file."""
    folder, kept = tmp_path / "tools", shlex.quote(str(tmp_path / "task.xml"))
    folder.mkdir()
    tasks = f'case "$1 $4" in "/Query /XML") cat {kept};; "/Create /XML") cp "$5" {kept};; /Delete*) rm {kept};; esac'
    for name, does in {"systemctl": "exit 0", "launchctl": "exit 0", "schtasks": tasks, "crontab": "exit 0"}.items():
        (folder / name).write_text(f'#!/bin/sh\necho "$0 $*" >> {shlex.quote(str(tmp_path))}/asked\n{does}\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("system", "files", "asked"),
    [
        ("systemd", [".config/systemd/user/*.service", ".config/systemd/user/*.timer"], "--user enable --now"),
        ("launchd", ["Library/LaunchAgents/*.plist"], "bootstrap gui/"),
        ("task-scheduler", ["task.xml"], "/Create /TN caspen-xero-default"),
    ],
)
def test_every_system_is_told_once_and_told_to_stop(
    cli: Cli, tools: Path, system: str, files: list[str], asked: str
) -> None:
    first = cli("schedule", "install", "--system", system, "--every", "1d", "--at", "05:30", "--json")
    assert (first.exit_code, first.json["changed"], first.json["at"]) == (0, True, "05:30"), first.stderr
    assert all(len(list(tools.glob(file))) == 1 for file in files)
    assert asked in (tools / "asked").read_text()
    on_this_machine = [] if system == "systemd" else ["--system", system]
    again = cli("schedule", "install", *on_this_machine, "--json").json
    assert (again["changed"], again["at"]) == (False, "05:30")
    assert "as it stands here" in cli("schedule", "show", "--system", system, "--every", "1d", "--at", "05:30").stderr
    assert cli("schedule", "remove", "--system", system, "--json").json["removed"] == [system]
    assert not any(list(tools.glob(file)) for file in files)
    assert cli("schedule", "remove", "--system", system, "--json").json["removed"] == []


def test_what_somebody_else_put_there_is_left(cli: Cli, tools: Path) -> None:
    (where,) = [
        Path(file["place"])
        for file in cli("schedule", "show", "--system", "systemd", "--json").json["files"]
        if file["place"].endswith(".service")
    ]
    where.parent.mkdir(parents=True)
    where.write_text("[Service]\n")
    told = cli("schedule", "install", "--system", "systemd", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "schedule-not-ours")
    assert cli("schedule", "remove", "--system", "systemd", "--json").json["removed"] == []
    assert where.read_text() == "[Service]\n"


@pytest.mark.parametrize(
    ("system", "file", "change"),
    [
        ("cron", "crontab.txt", ("*/15 ", "7 ")),
        ("cron", "crontab.txt", ("\n# END", "\nMAILTO=me@a.example\n# END")),
        ("systemd", ".config/systemd/user/*.service", ("Type=oneshot\n", "Type=oneshot\nNice=10\n")),
        ("systemd", ".config/systemd/user/*.timer", ("Persistent=true\n", "")),
        ("launchd", "Library/LaunchAgents/*.plist", ("Background", "Interactive")),
        ("task-scheduler", "task.xml", ("PT2H", "PT9H")),
        ("task-scheduler", "task.xml", ("</TimeTrigger>", "</TimeTrigger><BootTrigger/>")),
    ],
)
def test_what_somebody_has_changed_is_not_written_over(
    cli: Cli, tmp_path: Path, request: pytest.FixtureRequest, system: str, file: str, change: tuple[str, str]
) -> None:
    request.getfixturevalue("crontab" if system == "cron" else "tools")
    coding = "utf-16" if system == "task-scheduler" else "utf-8"
    cli("schedule", "install", "--system", system)
    (place,) = tmp_path.glob(file)
    was = place.read_text(coding)
    edited = was.replace(*change)
    assert edited != was
    place.write_text(edited, coding)
    before = {
        one: one.read_bytes() for one in place.parent.iterdir() if one.is_file() and one.name not in ("asked", "new")
    }
    refused = cli("schedule", "install", "--system", system, "--every", "1h", "--json").json["error"]
    assert (refused["code"], refused["exit_code"]) == ("schedule-edited", 1)
    assert cli("schedule", "show", "--system", system, "--json").json["edited"]
    assert {
        one: one.read_bytes() for one in place.parent.iterdir() if one.is_file() and one.name not in ("asked", "new")
    } == before
    if system == "cron":
        assert cli("schedule", "remove", "--json").json["error"]["code"] == "schedule-edited"
        assert place.read_text() == edited
        return
    assert refused["fix"] == (
        f"caspen-xero schedule remove --system {system}; then: caspen-xero schedule install --system {system} --every 1h"
    )
    (kept,) = cli("schedule", "remove", "--system", system, "--json").json["kept"]
    assert (Path(kept).read_text(coding), place.exists()) == (edited, False)
    assert cli("schedule", "install", "--system", system).exit_code == 0
    assert (place.read_text(coding), Path(kept).read_text(coding)) == (was, edited)


def test_what_only_root_may_do_is_told_with_the_whole_command(
    cli: Cli, tools: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = cli("schedule", "install", "--system", "systemd-system", "--every", "1h", "--json").json["error"]
    assert told["code"] == "needs-root"
    words = shlex.split(told["fix"])
    assert words[:2] == ["sudo", "env"]
    assert f"CASPEN_XERO_HOME={home}" in words
    begin = words.index(program()[0])
    assert words[begin : begin + 7] == [
        *program(),
        "schedule",
        "install",
        "--system",
        "systemd-system",
        "--every",
        "1h",
    ]


# --- the checks as a scheduled run has them


def test_the_checks_of_a_scheduled_run_see_what_only_this_shell_has(
    ready: Clinic, crontab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text("")
    ready.cli("settings", "set", "--source", export)
    ready.cli("schedule", "install", "--system", "cron")
    monkeypatch.setattr(cron, "is_running", lambda: True)
    monkeypatch.setenv("HTTPS_PROXY", "http://nowhere.example:1")
    told = ready.cli("doctor", "--as-scheduled", "--json").json
    assert told["as_scheduled"] == {
        "system": "cron",
        "label": told["as_scheduled"]["label"],
        "scheduled": True,
        "every_minutes": 15,
        "finds_all": True,
    }
    assert {one["name"]: one["ok"] for one in told["checks"]}.items() >= {
        "schedule": True,
        "source": True,
        "xero": True,
    }.items()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    with closing(Store(ready.store_file)) as store:
        store.set_connection((store.connection() or {}) | {"token_store": "keyring"})
    lost = ready.cli("doctor", "--as-scheduled")
    assert lost.exit_code == 1
    assert "Tonight's run by cron will not do its work: Xero does not answer its sign-in." in lost.stderr
    assert "--token-store file" in " ".join(lost.stdout.split())


def test_a_program_that_is_not_there_any_more_is_told(cli: Cli, crontab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as gone:
        gone.setattr("caspen_xero.cli.scheduled.program", lambda **_: ("/gone/caspen-xero",))
        cli("schedule", "install", "--system", "cron")
    told = cli("doctor", "--as-scheduled", "--json")
    assert [(one["ok"], one["fix"]) for one in told.json["checks"] if one["name"] == "program"] == [
        (False, "caspen-xero schedule install")
    ]
    cli("schedule", "remove")
    monkeypatch.setattr("caspen_xero.cli.scheduled.program", lambda **_: ("/gone/caspen-xero",))
    told = cli("doctor", "--as-scheduled")
    assert "a run by cron would not do its work: caspen-xero is not where it would be started from." in told.stderr


# --- credentials


def test_a_credential_is_read_where_its_variable_is_absent(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert given_secret("CASPEN_API_KEY") == ""
    (tmp_path / "CASPEN_API_KEY").write_text("key-of-a-file\n")
    (tmp_path / "HTTPS_PROXY").write_text("ann:word@proxy.example:3128")
    assert (given_secret("CASPEN_API_KEY"), find_api_key("kept")) == ("key-of-a-file", "key-of-a-file")
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for("https://api.xero.com") == ("HTTPS_PROXY", "http://ann:word@proxy.example:3128")
    monkeypatch.setenv("CASPEN_API_KEY", "key-of-the-variable")
    assert given_secret("CASPEN_API_KEY") == "key-of-the-variable"
    assert scrubbed("it is key-of-a-file") == "it is (secret)"


@pytest.mark.parametrize("held", [b"", b" \n", b"two\nlines\n", b"\xff\xfe", b"x" * 70_000, b"a\0b", None])
def test_a_credential_that_is_no_line_of_text_is_told_and_never_shown(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bytes | None
) -> None:
    file = tmp_path / "CASPEN_API_KEY"
    if held is None:
        os.mkfifo(file)
    else:
        file.write_bytes(held)
    cli("settings", "set", "--source", "https://caspen.example/v1")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(UserError) as told:
        given_secret("CASPEN_API_KEY")
    assert told.value.code == "credential-unusable"
    source = next(one for one in cli("doctor", "--json").json["checks"] if one["name"] == "source")
    assert (source["ok"], str(file) in source["message"], "two" in source["message"]) == (False, True, False)
