"""The job of a workspace: which program, with which variables, under which name, and what of this machine runs it."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import state_home
from caspen_xero.commands import PROGRAM
from caspen_xero.outside_text import plain, said
from caspen_xero.schedules.job import Every, Installed, Job, ScheduleError

_ALSO_CALLED = {"windows": "task-scheduler", "macos": "launchd", "mac": "launchd", "linux": "cron"}
SYSTEMS = ("cron", "systemd", "systemd-system", "launchd", "task-scheduler")
PATHS = ("CASPEN_API_KEY_FILE", "CASPEN_XERO_LOG", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name a file or a folder."""
WORDS = ("NO_PROXY", "no_proxy", "TZ", "PYTHON_KEYRING_BACKEND")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
"""They may hold a password, and are left out then."""
SECRET = "CASPEN_API_KEY"
_PASSING = re.compile(r"/archive-v\d+/|/\.cache/(?:uv|pipx)/|/pipx/\.cache/|/uv/cache/")
"""Where programs stand that were installed for one run only."""
_OTHER_HOME = re.compile(r"\.[0-9a-f]{6}$")


class Scheduler(Protocol):
    """One of the systems. All methods raise `ScheduleError`."""

    name: str

    def texts(self, job: Job) -> list[tuple[str, str]]:
        """What is installed: where, and the text."""

    def found(self, label: str) -> Installed | None:
        """The job as it stands there now."""

    def labels(self) -> list[str]:
        """All of ours that are there."""

    def install(self, job: Job) -> bool:
        """Puts it there; gives whether anything is another than before."""

    def edited(self, label: str) -> bool:
        """Whether somebody has changed it since it was written here: then `install` refuses."""

    def remove(self, label: str) -> list[Path] | None:
        """Takes it away; None where it was not there, else the files in which is kept what somebody has changed of it."""

    def advice(self, job: Job) -> list[tuple[str, str]]:
        """What a person should know once it is there: words, and what to do."""


def scheduler(system: str) -> Scheduler:
    """The system of that name. Raises `ScheduleError` `bad-system` (usage)."""
    if system in ("systemd", "systemd-system"):
        from caspen_xero.schedules.systemd import Systemd

        return Systemd(machine=system == "systemd-system")
    if system == "launchd":
        from caspen_xero.schedules.launchd import Launchd

        return Launchd()
    if system == "task-scheduler":
        from caspen_xero.schedules.task_scheduler import TaskScheduler

        return TaskScheduler()
    if system == "cron":
        from caspen_xero.schedules.cron import Cron

        return Cron()
    word = system.strip().lower()
    near = _ALSO_CALLED.get(word) or next(iter(difflib.get_close_matches(word, SYSTEMS, 1, 0.5)), None)
    meant = f" Did you mean {near}?" if near else ""
    raise ScheduleError(
        "bad-system", f"There is no system {said(system, 40)}.{meant}", f"One of: {', '.join(SYSTEMS)}.", 2
    )


def usual_system(session: Session) -> str:
    """What this machine has: cron; but systemd where no cron is, or where the sign-in is in a keyring, which cron can't reach."""
    if sys.platform == "darwin":
        return "launchd"
    if os.name == "nt":
        return "task-scheduler"
    has_manager = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}", "systemd").is_dir()
    has_cron = any(Path(folder, "crontab").exists() for folder in os.get_exec_path())
    if has_manager and (not has_cron or _is_in_keyring(session)):
        return "systemd"
    return "cron" if has_cron or not Path("/run/systemd/system").is_dir() else "systemd-system"


def on_this_machine() -> tuple[str, ...]:
    """The systems that may hold a job here."""
    if os.name == "nt":
        return ("task-scheduler",)
    return ("launchd", "cron") if sys.platform == "darwin" else ("cron", "systemd", "systemd-system")


def where_found(label: str) -> list[tuple[Scheduler, Installed]]:
    """Every system of this machine that runs a job of that name."""
    return [(one, job) for one in _each() if (job := _quietly(lambda one=one: one.found(label))) is not None]  # type: ignore[misc]


def where_left(label: str) -> list[Scheduler]:
    """Every system of this machine that has anything of ours under that name, whole or not."""
    found = [one.name for one, _ in where_found(label)]
    return [one for one in _each() if one.name in found or label in (_quietly(one.labels) or ())]


def _each() -> list[Scheduler]:
    return [scheduler(name) for name in on_this_machine()]


def _quietly(call: Callable[[], Any]) -> Any:
    """What a system says; None where it is not there or says nothing."""
    try:
        return call()
    except ScheduleError:
        return None


def _is_in_keyring(session: Session) -> bool:
    if not session.store_file.exists():
        return False
    return (session.store.connection() or {}).get("token_store") == "keyring"


# --- the job


def label_of(home: Path, workspace: str | None, user: str | None = None) -> str:
    """The name of a workspace's job (None: of all), as the machine knows it; another home has names of its own."""
    name = PROGRAM if workspace is None else f"{PROGRAM}-{workspace}"
    return f"{name}{_of_home(home, user)}"


def others_found(home: Path, workspace: str | None, user: str | None = None) -> list[tuple[str, str]]:
    """Jobs of ours, each with its system, that sync what this one syncs too: all workspaces, or one of them."""
    end, everything = _of_home(home, user), label_of(home, None, user)

    def is_one_of_them(label: str) -> bool:
        if workspace is not None or label == everything:
            return workspace is not None and label == everything
        return label.startswith(f"{PROGRAM}-") and (label.endswith(end) if end else not _OTHER_HOME.search(label))

    return [(one.name, label) for one in _each() for label in _quietly(one.labels) or () if is_one_of_them(label)]


def _of_home(home: Path, user: str | None) -> str:
    """What the names of a home's jobs end with: nothing for the usual one."""
    if user is not None and user != _user():
        usual = _home_of(user) / ".local" / "share" / PROGRAM
    else:
        from platformdirs import user_data_dir

        usual = Path(user_data_dir(PROGRAM, appauthor=False)).absolute()
    return "" if home == usual else f".{hashlib.sha256(os.fsencode(home)).hexdigest()[:6]}"


def home_of(session: Session, user: str | None) -> Path:
    """The folder of all state; for another user's service (`user`) that user's own, where none is named."""
    if user is not None and user != _user() and "CASPEN_XERO_HOME" not in os.environ:
        return _home_of(user) / ".local" / "share" / PROGRAM
    if user is not None and user != _user():
        return Path(os.environ["CASPEN_XERO_HOME"]).absolute()
    return state_home().absolute()


def make_job(
    home: Path,
    workspace: str | None,
    every: Every,
    *,
    mail_to: str | None = None,
    user: str | None = None,
    system: str = "cron",
) -> Job:
    """The job that syncs a workspace (None: all)."""
    label = label_of(home, workspace, user)
    is_usual = workspace == "default" and not os.environ.get("CASPEN_XERO_WORKSPACE")
    which = ["--all-workspaces"] if workspace is None else [] if is_usual else ["--workspace", workspace]
    words = ("sync", "--quiet", *which)
    log = home / f"{label}.log"
    if system == "launchd":
        log = Path.home() / "Library" / "Logs" / f"{label}.log"
    return Job(
        label=label,
        every=every,
        command=(*program(windowless=system == "task-scheduler"), *words),
        environment=surroundings(home)[0],
        mail_to=mail_to,
        user=user if system == "systemd-system" else None,
        home=str(home),
        log=str(log),
    )


def program(*, windowless: bool = False) -> tuple[str, ...]:
    """How caspen-xero is started, with its whole path. `windowless`: the Python of Windows that opens no window."""
    python = Path(sys.executable)
    if windowless:
        without = python.with_name("pythonw.exe")
        return (str(without if without.exists() else python),)
    script = python.with_name(PROGRAM)
    return (str(script),) if script.is_file() and os.access(script, os.X_OK) else (str(python), "-m", "caspen_xero")


def is_passing() -> bool:
    """Whether the program that runs now was installed for this run only, by `uvx` or `pipx run`."""
    return _PASSING.search(Path(sys.executable).absolute().as_posix()) is not None


def is_temporary() -> bool:
    """Whether it stands where things are deleted some day."""
    return Path(sys.executable).absolute().is_relative_to(tempfile.gettempdir())


def surroundings(home: Path) -> tuple[dict[str, str], list[str]]:
    """The variables that a run needs, and the names of those that are left out, as they are secrets."""
    given: dict[str, str] = {}
    if os.name != "nt":
        given["PATH"] = os.pathsep.join(
            dict.fromkeys([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
        )
    given["CASPEN_XERO_HOME"] = str(home)
    given |= {name: str(Path(os.environ[name]).expanduser().absolute()) for name in PATHS if os.environ.get(name)}
    given |= {name: os.environ[name] for name in WORDS if os.environ.get(name)}
    proxies = {name: os.environ[name] for name in PROXIES if os.environ.get(name)}
    secret = [name for name, value in proxies.items() if _holds_password(value)]
    given |= {name: value for name, value in proxies.items() if name not in secret}
    return given, [*secret, *([SECRET] if os.environ.get(SECRET) else [])]


def _holds_password(proxy: str) -> bool:
    try:
        return urlsplit(proxy if "://" in proxy else f"http://{proxy}").username is not None
    except ValueError:
        return True


def service_user(given: str | None) -> str:
    """As whom a service of the whole machine runs: who was named, who called `sudo`, who runs this. Raises `ScheduleError`."""
    name = given or os.environ.get("SUDO_USER") or _user()
    _home_of(name)
    return name


def _user() -> str:
    import getpass

    return getpass.getuser()


def _home_of(user: str) -> Path:
    if os.name == "nt":  # which can show what another machine would get
        return Path.home()
    import pwd

    try:
        return Path(pwd.getpwnam(user).pw_dir)
    except KeyError:
        raise ScheduleError("bad-user", f"There is no user {plain(user)} on this machine.", "", 2) from None


def shown(texts: Sequence[tuple[str, str]]) -> str:
    """The texts one after the other; where there are several, each below the name of its file."""
    if len(texts) == 1:
        return texts[0][1]
    return "\n".join(f"# {place}\n{text}" for place, text in texts)
