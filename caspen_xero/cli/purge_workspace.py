"""All that a workspace keeps of anybody, deleted: by the names that we give, and never through a link that leads elsewhere."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from caspen_xero.cli.defects import FOLDER, kept_defects
from caspen_xero.cli.session import Session
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.xero.connection import Connection

_SECRETS = ("tokens.json", "caspen-key.json")
RESTORES = re.compile(r"\.restore-.*")
_LEFT_BY_KILLED_RUNS = re.compile(r"\.(new-|restore-|tokens-|store\.sqlite-).*")


@dataclass
class Going:
    """What is about to go, and what nobody will know after that.

    `in_doubt`: writes to Xero without an answer. `untold`: payments found in Xero that Caspen was not told. `in_xero`: how much of
    each kind stands there by what is known here. `unreadable`: why the store can't be read.
    """

    connection: Connection | None = None
    in_doubt: list[str] = field(default_factory=list)
    untold: int = 0
    in_xero: dict[str, int] = field(default_factory=dict)
    source: str | None = None
    unreadable: str = ""
    is_unknown: bool = False
    """There is no store that can tell."""

    def words(self) -> list[str]:
        """What a person should know before."""
        told = []
        if self.in_doubt:
            what = ", ".join(self.in_doubt[:5]) + (
                f" and {len(self.in_doubt) - 5} more" if len(self.in_doubt) > 5 else ""
            )
            told.append(
                f"Xero may or may not have done what was sent last, without an answer: {what}. A push finds that out; once "
                "the store is gone, only a look into Xero does."
            )
        if self.untold:
            told.append(f"Payments found in Xero that Caspen was not told of: {self.untold}. A pull tells it.")
        if self.unreadable:
            told.append(f"The store can't be read, so nobody can say whether something is in doubt: {self.unreadable}")
        return told


def about_to_go(session: Session, *, local_only: bool) -> Going:
    """Looks at the workspace; changes nothing, and makes no store where there is none."""
    from caspen_xero.store.purge import in_doubt, in_xero, untold
    from caspen_xero.xero.connection import Connection, check_same_host

    if not session.store_file.exists():
        return Going(is_unknown=True)
    try:
        store = session.store
        stored = store.connection()
        going = Going(
            connection=Connection.from_dict(stored) if stored else None,
            in_doubt=in_doubt(store),
            untold=untold(store),
            in_xero=in_xero(store),
            source=session.settings.source,
        )
    except UserError as error:
        return Going(unreadable=error.message, is_unknown=True)
    if going.connection is not None and not local_only:
        check_same_host(going.connection)
    return going


def purge_workspace(session: Session, going: Going) -> tuple[list[str], list[str]]:
    """Deletes it; gives what was removed, and what was left, in words. The caller holds the lock, and has forgotten the sign-in."""
    from caspen_xero.caspen.files import OUR_REPORTS
    from caspen_xero.caspen.updates import UPDATES_FILE
    from caspen_xero.store.backups import remove_copies
    from caspen_xero.store.damage import BACKUPS
    from caspen_xero.store.judge import BESIDE, beside

    left: list[str] = []
    if going.unreadable:
        left.append("whatever the system's keyring holds for this workspace: its name there stood in the store")
    session.close()
    removed = []
    copies, others = remove_copies(session.store_file, whatever_for=True)
    removed += [f"{BACKUPS}/{one.name}" for one in copies]
    left += [plain(one) for one in others]
    for file in (*kept_defects(session.folder), *sorted(session.folder.glob(OUR_REPORTS))):
        removed += _deleted(file)
    for name in _SECRETS:
        removed += _deleted(session.folder / name)
    for suffix in BESIDE:
        removed += _deleted(beside(session.store_file, suffix))
    removed += remove_leftovers(session.folder, _LEFT_BY_KILLED_RUNS)
    for folder in (BACKUPS, FOLDER):
        with suppress(OSError):
            (session.folder / folder).rmdir()
    left += [
        plain(one)
        for one in sorted(session.folder.iterdir())
        if not one.name.endswith(".lock") and not any(words.startswith(plain(one)) for words in left)
    ]
    if going.source and (updates := Path(going.source).expanduser() / UPDATES_FILE).is_file():
        left.append(f"{plain(updates)}: it is Caspen's to read")
    return removed, left


def remove_leftovers(folder: Path, named: re.Pattern[str] = RESTORES) -> list[str]:
    """Deletes what killed runs have left, such as a copy that was about to be restored. The caller holds the lock."""
    return [name for place in sorted(folder.iterdir()) if named.fullmatch(place.name) for name in _deleted(place)]


def _deleted(place: Path) -> list[str]:
    """Deletes a file, a link itself, or a folder; gives its name if it was there."""
    if not (place.exists() or place.is_symlink()):
        return []
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
    return [place.name]
