"""`workspaces`: which clinics' books are kept here; a new one begun, an empty one taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import (
    LOCKS,
    WorkspaceError,
    folder_of,
    is_there,
    make_folder,
    no_such,
    others_files,
    there_are,
)
from caspen_xero.cli.workspaces_seen import Seen, look
from caspen_xero.commands import option, to_paste
from caspen_xero.outside_text import plain
from caspen_xero.times import local

COLUMNS = ("name", "organisation", "tenant_id", "connected", "xero_url", "last_good_push", "empty", "folder", "trouble")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The workspace's name.")]


def register(app: typer.Typer) -> None:
    """Adds the `workspaces` group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list", begins="not-needed", lists=True)(list_)
    command(group, "add", begins="not-needed")(add)
    command(group, "remove", begins="not-needed")(remove)
    app.add_typer(
        group, name="workspaces", help="List the workspaces, one for each clinic's books; add and remove them."
    )


def list_(session: Session) -> None:
    """List the workspaces, each with its organisation and its last good push.

    \b
    caspen-xero workspaces list
    """
    found = [look(name) for name in there_are()]
    if session.output.json or session.output.csv:
        session.output.listed({"workspaces": [_as_json(one) for one in found]}, "workspaces", COLUMNS)
        return
    if not found:
        session.output.say("There is no workspace yet. To begin with one:", "  caspen-xero setup")
        return
    rows = [(one.name, one.organisation, Ours(_state(one)), local(one.last_good_push) or None) for one in found]
    session.output.table(
        ("Workspace", "Organisation", "State", "Last good push"), rows, narrow_without=["Last good push"]
    )


def add(session: Session, name: Name) -> None:
    """Begin a new workspace: the books of one more clinic.

    \b
    caspen-xero workspaces add north
    """
    folder, was_there = folder_of(name), is_there(name)
    make_folder(folder)
    following = to_paste(f"setup {option('--workspace', name)}")
    if session.output.json:
        session.output.document(
            {
                "command": "workspaces add",
                "name": name,
                "added": not was_there,
                "folder": str(folder),
                "next": following,
            }
        )
        return
    session.output.say(f"The workspace {name} is there{' already' if was_there else ' now'}.", f"  {following}")


def remove(session: Session, name: Name) -> None:
    """Take an empty workspace away: one that was never used, or that was purged. Nothing of any clinic is deleted by it.

    \b
    caspen-xero workspaces remove north
    """
    if not is_there(name):
        raise no_such(name)
    folder = folder_of(name)
    if folder.is_symlink():
        raise WorkspaceError(
            "workspace-in-use", f"{plain(folder)} is a symbolic link, and is left as it is.", "Delete it."
        )
    if obstacles := list(_obstacles(session, name)):
        words = "; ".join(words for words, _ in obstacles)
        first, *fixes = [fix for _, fix in obstacles] + [to_paste("workspaces remove", name)]
        raise WorkspaceError(
            "workspace-in-use",
            f"The workspace {name} stays: {words}.",
            "; then: ".join([first, *(fix[0].lower() + fix[1:] for fix in fixes)]),
        )
    _delete(Session(session.output, name, "workspaces remove"))
    if session.output.json:
        session.output.document({"command": "workspaces remove", "name": name, "removed": str(folder)})
    session.output.say(f"The workspace {name} is no longer there.")


def _obstacles(session: Session, name: str) -> Iterator[tuple[str, str]]:
    """Whatever keeps a workspace from being taken away, each with what to do about it; in the order in which to do it."""
    from caspen_xero.cli.scheduled import home_of, label_of, where_left

    if jobs := [place.name for place in where_left(label_of(home_of(session, None), name))]:
        yield (
            f"{' and '.join(jobs)} still syncs it by itself",
            to_paste(f"schedule remove {option('--workspace', name)}"),
        )
    seen = look(name)
    if not seen.is_empty:
        whose = f" of {plain(seen.organisation)}" if seen.organisation else ""
        keeps = f"it is not empty, but keeps {', '.join(seen.keeps)}{whose}" if seen.keeps else ""
        words = "; ".join(filter(None, (seen.trouble.rstrip("."), keeps)))
        purge = to_paste(f"disconnect {option('--workspace', name)} --purge")
        yield words, f"To delete all that it keeps: {purge}"
    if others := [plain(one.name) for one in others_files(folder_of(name))]:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        yield f"there is more in it than is ours ({', '.join(others[:3])}{more})", "Put elsewhere what is not ours"


def _delete(session: Session) -> None:
    from caspen_xero.cli.purge_workspace import about_to_go, purge_workspace

    with session.only_writer():
        purge_workspace(session, about_to_go(session, local_only=True))
    for lock in (session.folder / one for one in LOCKS if (session.folder / one).exists()):
        lock.unlink()
    session.folder.rmdir()


def _state(seen: Seen) -> str:
    from caspen_xero.xero.connection import where

    if seen.trouble:
        return f"can't be read: {seen.trouble}"
    if seen.is_empty:
        return "empty"
    if seen.connected:
        return "connected" + (f" ({where(seen.xero_url)})" if seen.xero_url else "")
    return "not signed in" if seen.organisation else "not connected"


def _as_json(seen: Seen) -> dict[str, Any]:
    return {
        "name": seen.name,
        "organisation": seen.organisation,
        "tenant_id": seen.tenant_id,
        "connected": seen.connected,
        "xero_url": seen.xero_url,
        "last_good_push": seen.last_good_push,
        "empty": seen.is_empty,
        "folder": str(folder_of(seen.name)),
        "trouble": seen.trouble or None,
    }
