"""`caspen-xero version`: which version this is, of which commit, on what it stands."""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import typer

from caspen_xero import __version__
from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "version", begins="not-needed", without=("workspace",))(version)


def version(session: Session) -> None:
    """Show the version, the commit that it was made of, and the packages that it uses.

    \b
    caspen-xero version
    caspen-xero version --json
    """
    told, output = about(), session.output
    if output.json:
        output.document({"command": "version", **vars(told)})
        return
    made_of = f" (commit {told.commit})" if told.commit else ""
    output.say(f"caspen-xero {told.version}{made_of}")
    output.say(f"Python {told.python} on {told.system}")
    for name, number in told.dependencies.items():
        output.say(f"{name} {number or 'is not installed'}")


@dataclass(frozen=True)
class About:
    """What this is. `commit`: None where it is not known; `dependencies`: what is installed of what we use, else None."""

    version: str
    commit: str | None
    python: str
    system: str
    dependencies: dict[str, str | None]


def about() -> About:
    """What this is, and on what it stands."""
    system = f"{platform.system()} {platform.machine()}"
    return About(__version__, commit(), platform.python_version(), system, _dependencies())


def commit() -> str | None:
    """The commit: as an installer noted it, else as was noted when it was built, else of the checkout that we run in; or None."""
    from importlib.metadata import PackageNotFoundError, distribution

    house = Path(__file__).parents[1]
    try:
        noted = json.loads(distribution("caspen-xero").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        noted = {}
    told = noted.get("vcs_info", {}).get("commit_id")
    return str(told) if told else _noted(house) or _commit_of_checkout(house.parent)


def _noted(house: Path) -> str | None:
    """What was noted in what was built."""
    try:
        return _whole((house / "commit.txt").read_text("ascii").strip())
    except (OSError, ValueError):
        return None


def _commit_of_checkout(folder: Path) -> str | None:
    """What HEAD is in a git checkout, read from its files; git need not be there."""
    git = folder / ".git"
    try:
        if git.is_file():  # a worktree
            git = (folder / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text("utf-8").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return _whole(head)
        shared = git / "commondir"
        common = (git / shared.read_text("utf-8").strip()).resolve() if shared.is_file() else git
        for place in (git, common):
            if (place / name).is_file():
                return _whole((place / name).read_text("utf-8").strip())
        packed = (common / "packed-refs").read_text("utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(name)}$", packed, re.MULTILINE)
    return found[1] if found else None


def _whole(text: str) -> str | None:
    return text if re.fullmatch("[0-9a-f]{40,64}", text) else None


def _dependencies() -> dict[str, str | None]:
    """The packages that we use, by name, with the version that is installed; None for one of an extra that is not."""
    from importlib.metadata import PackageNotFoundError, requires
    from importlib.metadata import version as version_of

    found: dict[str, str | None] = {}
    try:
        wanted = requires("caspen-xero") or []
    except PackageNotFoundError:
        return found
    for line in wanted:
        if re.search(r"extra == .test", line):
            continue
        name = re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0]
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            found[name] = None
    return dict(sorted(found.items()))
