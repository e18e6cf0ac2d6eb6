"""`schedule`: has the machine run `sync` by itself, and takes that back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.commands import option
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.cli.scheduled import Scheduler
    from caspen_xero.schedules.job import Installed, Job

CHECK = "caspen-xero doctor --as-scheduled"
REMOVE = "caspen-xero schedule remove"

System = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="SYSTEM",
        help="One of cron, systemd, systemd-system, launchd or task-scheduler. [default: as it is, else what this machine has]",
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(
        "--every", metavar="15m", help="How often: 5m to 30m, 1h to 12h, or 1d. [default: as it is, else 15m]"
    ),
]
At = Annotated[str | None, typer.Option("--at", metavar="06:00", help="With --every 1d: the time of day.")]
All = Annotated[bool, typer.Option("--all-workspaces", help="All workspaces, one after the other, in one job.")]
MailTo = Annotated[str | None, typer.Option("--mail-to", metavar="ADDRESS", help="With cron: who gets what it says.")]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="With systemd-system: as whom it runs. [default: you]")
]


def register(app: typer.Typer) -> None:
    """Adds `schedule` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "show")(show)
    command(group, "install")(install)
    command(group, "remove", begins="not-needed")(remove)
    app.add_typer(group, name="schedule", help="Have this machine run sync by itself, every quarter of an hour.")


def show(
    session: Session,
    system: System = None,
    every: Interval = None,
    at: At = None,
    all_workspaces: All = False,
    mail_to: MailTo = None,
    user: User = None,
) -> None:
    """Show what `schedule install` would write, for this machine or for another system. Nothing is changed.

    \b
    caspen-xero schedule show
    caspen-xero schedule show --system systemd
    caspen-xero schedule show --all-workspaces --every 1h
    """
    from caspen_xero.cli.scheduled import on_this_machine, shown

    place, job = _planned(session, system, every, at, all_workspaces, mail_to, user)
    is_edited = _is_edited(place, job.label)
    there = job.is_as(_found(place, job.label)) and not is_edited
    texts = place.texts(job)
    if session.output.json:
        session.output.document(
            _document("show", place, job)
            | {
                "installed": there,
                "edited": is_edited,
                "files": [{"place": where, "text": text} for where, text in texts],
            }
        )
        return
    session.output.text(shown(texts))
    is_here = place.name in on_this_machine()
    missing = (
        "This is not installed here. To install it:"
        if is_here
        else "It is for a machine that has it; this one has not."
    )
    state = "It is installed as it stands here." if there else missing
    if is_edited:
        state = "Somebody has changed what is installed by hand, and this would not be written over it."
    session.output.note(f"{plain(job.label)}, {job.every.in_words}, by {place.name}. {state}")
    if is_here and not there and not is_edited:
        session.output.note(f"  {_words('install', place, job, all_workspaces, session)}")


def install(
    session: Session,
    system: System = None,
    every: Interval = None,
    at: At = None,
    all_workspaces: All = False,
    mail_to: MailTo = None,
    user: User = None,
) -> None:
    """Have this machine run `sync --quiet` by itself. Doing it again changes nothing but what you say anew.

    \b
    caspen-xero schedule install
    caspen-xero schedule install --every 1h --mail-to ann@example.org
    caspen-xero schedule install --all-workspaces --system systemd
    """
    from caspen_xero.cli.scheduled import is_passing, is_temporary, others_found, surroundings, where_found

    place, job = _planned(session, system, every, at, all_workspaces, mail_to, user)
    output = session.output
    if is_passing():
        raise SessionError(
            "program-passing",
            "This caspen-xero was installed for one run only, and will soon be gone from where it is.",
            "Install it to stay, then run this again with that one. How:  caspen-xero help install",
        )
    with _in_whole_commands(place, job, all_workspaces, session, "install"):
        changed = place.install(job)
    if output.json:
        output.document(
            _document("install", place, job) | {"changed": changed, "files": [where for where, _ in place.texts(job)]}
        )
    did = "From now on" if changed else "Already so:"
    which = "all workspaces" if all_workspaces else f"the workspace {plain(session.workspace)}"
    output.say(f"{did} {place.name} syncs {which} {job.every.in_words}.")
    end = " --all-workspaces" if all_workspaces else ""
    output.say(
        "See whether tonight's run will find all that it needs:", f"  {CHECK}", "Take it back:", f"  {REMOVE}{end}"
    )
    if is_temporary():
        output.warn("This caspen-xero stands in a folder for temporary files, and will be deleted with it some day.")
    if job.user and not Path(job.home).is_dir():
        output.warn(f"There is no folder {plain(Path(job.home))}, where the state of {plain(job.user)} would be.")
    for words, fix in place.advice(job):
        output.warn(words, fix)
    for other, _ in where_found(job.label):
        if other.name != place.name:
            output.warn(f"{other.name} runs it too.", f"{REMOVE}{end} {option('--system', other.name)}")
    workspace = None if all_workspaces else session.workspace
    for by, label in others_found(Path(job.home), workspace, job.user):
        output.warn(f"{by} runs {plain(label)} too, so that a workspace is synced by both.")
    for name in surroundings(Path(job.home))[1]:
        output.warn(
            f"{name} is a secret, and was not written into the schedule.",
            "Put it where only you can read it: for Caspen's key a file (CASPEN_API_KEY_FILE), else a credential of systemd.",
        )


def remove(session: Session, system: System = None, all_workspaces: All = False, user: User = None) -> None:
    """Take back what `schedule install` wrote. What is yours in the crontab stays as it is.

    A file of ours that you have changed is kept beside its place, as FILE.edited; a changed block of the crontab is left to you.

    \b
    caspen-xero schedule remove
    caspen-xero schedule remove --all-workspaces
    """
    from caspen_xero.cli.scheduled import home_of, label_of, others_found, scheduler, where_left
    from caspen_xero.schedules.job import DAY, Every, Job

    named = _named_user(system, user)
    home = home_of(session, named)
    label = label_of(home, None if all_workspaces else session.workspace, named)
    places = [scheduler(system)] if system else where_left(label)
    removed, kept = [], []
    for place in places:
        job = Job(label, Every(DAY), (), mail_to=None, user=named, home=str(home))
        with _in_whole_commands(place, job, all_workspaces, session, "remove"):
            left = place.remove(label)
        removed += [place.name] if left is not None else []
        kept += left or []
    if session.output.json:
        session.output.document(
            {"command": "schedule remove", "label": label, "removed": removed, "kept": [str(file) for file in kept]}
        )
    for name in removed:
        session.output.say(f"{name} no longer runs {plain(label)}.")
    for file in kept:
        session.output.say(f"Somebody had changed it by hand; that is kept in {plain(file)}.")
    if not removed:
        session.output.say(f"Nothing was scheduled under the name {plain(label)}, so nothing was changed.")
        if not all_workspaces and (others := others_found(home, session.workspace, named)):
            session.output.say(f"{others[0][0]} syncs all workspaces in one job. To take that back:")
            session.output.say(f"  {REMOVE} --all-workspaces")


def _planned(
    session: Session,
    system: str | None,
    interval: str | None,
    at: str | None,
    all_workspaces: bool,
    mail_to: str | None,
    user: str | None,
) -> tuple[Scheduler, Job]:
    """The system that was chosen, and the job for it. Raises `ScheduleError`, also for an option that goes with another system."""
    from caspen_xero.cli.scheduled import home_of, label_of, make_job, scheduler
    from caspen_xero.schedules.job import every, mail_address

    place = scheduler(system) if system else _usual(session, None if all_workspaces else session.workspace)
    if mail_to is not None and place.name != "cron":
        raise SessionError(
            "usage", f"{place.name} writes no mail; only cron does.", "Add --system cron, or leave --mail-to out.", 2
        )
    named = _named_user(place.name, user)
    home, workspace = home_of(session, named), None if all_workspaces else session.workspace
    before = _found(place, label_of(home, workspace, named))
    kept = before.every if before is not None and interval is None and at is None else None
    job = make_job(
        home,
        workspace,
        kept or every(interval or ("1d" if at is not None else "15m"), at),
        mail_to=mail_address(mail_to) if mail_to is not None else before.mail_to if before is not None else None,
        user=named,
        system=place.name,
    )
    return place, job


def _usual(session: Session, workspace: str | None) -> Scheduler:
    """The system that runs it already, else the one that this machine has."""
    from caspen_xero.cli.scheduled import home_of, label_of, scheduler, usual_system, where_found

    there = where_found(label_of(home_of(session, None), workspace))
    return there[0][0] if there else scheduler(usual_system(session))


def _named_user(system: str | None, user: str | None) -> str | None:
    """As whom a service of the machine runs; None for what the user's own systems run."""
    from caspen_xero.cli.scheduled import service_user

    if system == "systemd-system":
        return service_user(user)
    if user is not None:
        raise SessionError(
            "usage",
            "Only a service of the whole machine runs as another user.",
            "Add --system systemd-system.",
            ExitCode.USAGE,
        )
    return None


def _found(place: Scheduler, label: str) -> Installed | None:
    """What of that name is there; None where there is nothing, or the system is not on this machine."""
    from caspen_xero.schedules.job import ScheduleError

    try:
        return place.found(label)
    except ScheduleError:
        return None


def _is_edited(place: Scheduler, label: str) -> bool:
    """Whether somebody has changed what is installed; no, where the system is not on this machine."""
    from caspen_xero.schedules.job import ScheduleError

    try:
        return place.edited(label)
    except ScheduleError:
        return False


def _document(what: str, place: Scheduler, job: Job) -> dict[str, Any]:
    return {
        "command": f"schedule {what}",
        "system": place.name,
        "label": job.label,
        "every_minutes": job.every.minutes,
        "at": f"{job.every.at[0]:02}:{job.every.at[1]:02}" if job.every.minutes == 24 * 60 else None,
        "runs": list(job.command),
        "environment": dict(job.environment),
    }


def _words(what: str, place: Scheduler, job: Job, all_workspaces: bool, session: Session) -> str:
    """The command that does it, with every option."""
    from caspen_xero.schedules.job import DAY

    every = f"{job.every.minutes}m" if job.every.minutes < 60 else f"{job.every.minutes // 60}h"
    at = f"{job.every.at[0]:02}:{job.every.at[1]:02}"
    often = f"--every 1d --at {at}" if job.every.minutes == DAY else f"--every {every}"
    parts = [
        f"caspen-xero schedule {what}",
        option("--system", place.name),
        *([often] if what == "install" else []),
        *([option("--mail-to", job.mail_to)] if job.mail_to and what == "install" else []),
        *([option("--user", job.user)] if job.user else []),
        *(["--all-workspaces"] if all_workspaces else []),
        *([option("--workspace", session.workspace)] if session.workspace != "default" and not all_workspaces else []),
    ]
    return " ".join(parts)


@contextmanager
def _in_whole_commands(place: Scheduler, job: Job, all_workspaces: bool, session: Session, what: str) -> Iterator[None]:
    """Errors name whole commands, also where only root may do it: `sudo` knows neither our variables nor where we are."""
    from caspen_xero.cli.scheduled import program, surroundings
    from caspen_xero.schedules.job import ScheduleError

    try:
        yield
    except ScheduleError as error:
        words = _words(what, place, job, all_workspaces, session)
        if error.code == "schedule-edited" and error.fix == REMOVE:
            fix = f"{_words('remove', place, job, all_workspaces, session)}; then: {words}"
            raise ScheduleError(error.code, error.message, fix) from None
        if error.code != "needs-root":
            raise
        variables = [f"{name}={value}" for name, value in surroundings(Path(job.home))[0].items() if name != "PATH"]
        begin = shlex.join(["sudo", "env", *variables, *program()])
        raise ScheduleError(error.code, error.message, f"{begin} {words.partition(' ')[2]}") from None
