"""Workspaces as folders below the state folder: which there are, and what a mistyped name may have meant. Looking makes none.

WorkspaceError    `bad-workspace` (usage), `home-unusable`, `no-such-workspace` (usage), `workspace-in-use`
"""

from __future__ import annotations

import difflib
import errno
import os
import re
from pathlib import Path
from typing import Literal

from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.output import Output
from caspen_xero.commands import to_paste
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.paths import leads_to_anothers

DEFAULT = "default"
"""The workspace of whoever names none."""
Begins = Literal["no", "asked", "by-itself", "not-needed"]
"""Whether a command begins a workspace that is not there: never; where a person says so; by itself where nobody can be asked.

`not-needed`: it works in none.
"""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_OURS = re.compile(
    r"store\.sqlite.*|(run|token|holder)\.lock|tokens\.json|caspen-key\.json|backups|defects|"
    r"caspen-xero-bundle-.*\.json|\.(new-|restore-|tokens-|store\.sqlite-).*"
)
"""What we give names to in a workspace's folder."""
LOCKS = ("run.lock", "token.lock", "holder.lock")


class WorkspaceError(UserError):
    """A workspace can't be used, or is not there."""


def state_home() -> Path:
    """The folder of all workspaces: `CASPEN_XERO_HOME`, else the platform's data folder; whether it is there or not."""
    home = os.environ.get("CASPEN_XERO_HOME")
    if not home:
        from platformdirs import user_data_dir

        home = user_data_dir("caspen-xero", appauthor=False)
    try:
        return Path(home).expanduser()
    except RuntimeError:
        raise _unusable(f"{plain(home)}: there is no such user") from None


def folder_of(workspace: str) -> Path:
    """A workspace's folder, whether it is there or not. Raises `WorkspaceError` `bad-workspace` where none can be called that."""
    if not _NAME.fullmatch(workspace):
        raise WorkspaceError(
            "bad-workspace",
            f"A workspace can't be called {said(workspace, MOST)}.",
            "Use letters, digits, '-', '_' and '.' (64 at most).",
            ExitCode.USAGE,
        )
    return state_home() / workspace


def make_folder(folder: Path) -> None:
    """Makes a workspace's folder, with mode 0700, where it is not there. Raises `WorkspaceError` `home-unusable`."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if any(leads_to_anothers(place) for place in (folder.parent, folder)):
            raise WorkspaceError(
                "home-unusable",
                f"The folder for caspen-xero's state can't be used: {plain(folder)} is a link to a folder of another user.",
                "Set CASPEN_XERO_HOME to a folder of your own.",
            )
        if folder.stat().st_mode & 0o077:
            _keep_to_owner(folder)
    except OSError as error:
        raise _unusable(f"{plain(error.filename)}: {error.strerror}") from error


def there_are() -> list[str]:
    """The workspaces that are there: folders with something of ours, and empty ones, in the order of the alphabet."""
    try:
        folders = sorted(state_home().iterdir(), key=lambda folder: folder.name.casefold())
    except OSError:
        return []
    return [folder.name for folder in folders if _NAME.fullmatch(folder.name) and _is_workspace(folder)]


def is_there(workspace: str) -> bool:
    """Whether a workspace's folder is there."""
    return folder_of(workspace).is_dir()


def must_be_there(workspace: str, output: Output, begins: Begins) -> None:
    """Raises `WorkspaceError` `no-such-workspace` for a name that nothing has, perhaps mistyped; `default` needs no beginning.

    Where the command may begin one, a person is asked; without a terminal `connect` and `restore` begin it, and say so.
    """
    if begins == "not-needed" or workspace == DEFAULT or is_there(workspace):
        return
    near = nearest(workspace)
    if begins != "no" and somebody_is_there(output):
        meant = f" There is {' and '.join(near)}: did you mean that?" if near else ""
        if confirm(output, f"There is no workspace {plain(workspace)} yet.{meant} Begin a new one called that?"):
            return
    elif begins == "by-itself":
        meant = f" (there is {' and '.join(near)} too)" if near else ""
        output.note(f"A new workspace begins: {plain(workspace)}{meant}.")
        return
    raise no_such(workspace)


def no_such(workspace: str) -> WorkspaceError:
    """That there is no such workspace, with the nearest names."""
    near = nearest(workspace)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    make = to_paste("workspaces add", workspace)
    fix = f"caspen-xero workspaces list; or to begin it: {make}" if there_are() else f"To begin it: {make}"
    words = f"There is no workspace {plain(workspace)}.{meant}"
    return WorkspaceError("no-such-workspace", words, fix, ExitCode.USAGE)


def nearest(workspace: str) -> list[str]:
    """Up to three workspaces that are called much like that."""
    names = {name.casefold(): name for name in there_are()}
    return [names[key] for key in difflib.get_close_matches(workspace.casefold(), names, 3, 0.6)]


def others_files(folder: Path) -> list[Path]:
    """What is in a workspace's folder and is none of ours."""
    return [place for place in sorted(folder.iterdir()) if not _OURS.fullmatch(place.name)]


def _is_workspace(folder: Path) -> bool:
    try:
        names = [place.name for place in folder.iterdir()] if folder.is_dir() else ["no folder"]
        return not names or any(_OURS.fullmatch(name) for name in names)
    except OSError:
        return False


def _unusable(why: str) -> WorkspaceError:
    return WorkspaceError(
        "home-unusable",
        f"The folder for caspen-xero's state can't be used: {why}.",
        "Set CASPEN_XERO_HOME to a folder that you can write to.",
    )


def _keep_to_owner(folder: Path) -> None:
    try:
        folder.chmod(0o700)
    except OSError as error:
        if error.errno != errno.EROFS:  # what can only be read is shown as it is
            raise
