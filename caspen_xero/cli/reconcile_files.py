"""Where a proof is written: a folder of CSV files, and one page. Each file is whole or not there, and for nobody else (mode 0600).

Whether it can be written is found out before Xero is read; nothing is written over that was not written here before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caspen_xero.cli.for_scripts import as_csv
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.paths import given_path

if TYPE_CHECKING:
    from caspen_xero.sync.reconciling.proof import Proof
    from caspen_xero.sync.reconciling.tables import Table

ABOUT = "proof.csv"
"""In a folder of tables: what the proof is, in one row. Where it is, the files beside it are ours."""
_ABOUT_COLUMNS = (
    *("organisation", "tenant_id", "from", "to", "as_at", "began_at", "read_at"),
    *("equal", "compared", "proved", "not_yet", "money_not_yet", "made_by"),
)
GENERATOR = '<meta name="generator" content="caspen-xero reconcile'
"""What is in the head of a page of ours, by which it is known again."""
_HEAD = 2_000  # bytes in which that stands


class FolderOfTables:
    """The folder that `--csv` names: made where it is not there, in a folder that is."""

    def __init__(self, given: str) -> None:
        """Raises `UserError` (usage) where nothing can be written there, or what is there is not ours."""
        self.path = given_path(given)
        if self.path.is_dir():
            _can_be_written(self.path)
            self._refuse_what_is_anothers()
        elif os.path.lexists(self.path):
            raise _unusable(f"{plain(self.path)} is no folder.", "Name a folder for the CSV files.")
        else:
            _can_be_written(self.path.absolute().parent)

    def write(self, session: Session, proof: Proof) -> None:
        """All tables, each as its rows under the keys of its columns. Raises `UserError`, with what was there before left."""
        with _telling(self.path):
            self.path.mkdir(mode=0o700, exist_ok=True)
        self._refuse_what_is_anothers()
        _put(self.path, {ABOUT: _about(session, proof), **{f"{one.key}.csv": _text(one) for one in proof.tables}})

    def _refuse_what_is_anothers(self) -> None:
        """Raises `SessionError` where files stand there that are not ours: Caspen's own export has names such as ours."""
        if (self.path / ABOUT).is_file():
            return
        if others := sorted(file.name for file in self.path.glob("*.csv")):
            words = f"{plain(self.path)} holds CSV files of something else, such as {plain(others[0])}."
            raise _unusable(words, "Name a new folder.")


class PageFile:
    """The file that `--html` names."""

    def __init__(self, given: str) -> None:
        """Raises `UserError` (usage) where it can't be written, or something else stands there."""
        self.path = given_path(given)
        if self.path.suffix.lower() not in (".html", ".htm"):
            raise _unusable(
                f"{plain(self.path)} has no name of a page.", "End it in .html, so that a browser opens it."
            )
        if os.path.lexists(self.path) and not self._is_ours():
            words = f"{plain(self.path)} was not written by caspen-xero, and is left as it is."
            raise _unusable(words, "Give another name.")
        _can_be_written(self.path.absolute().parent)

    def write(self, page: str) -> None:
        """A page. Raises `UserError`, with what was there before left."""
        _put(self.path.absolute().parent, {self.path.name: page})

    def _is_ours(self) -> bool:
        if not self.path.is_file():
            return False
        try:
            with self.path.open("rb") as opened:
                return GENERATOR.encode() in opened.read(_HEAD)
        except OSError:
            return False


def not_where_caspens_records_are(folder: Path, source: str | None) -> None:
    """Raises `SessionError` (usage) where the CSV files would be read as Caspen's own records by the next run."""
    if not source or "://" in source:
        return
    place = Path(source)
    place = place if place.is_dir() else place.parent
    if folder.absolute().resolve() == place.absolute().resolve():
        words = f"{plain(folder)} is where Caspen's records are read from."
        raise _unusable(words, "Name another folder.")


def _text(table: Table) -> str:
    return as_csv([one.key for one in table.columns], table.rows)


def _about(session: Session, proof: Proof) -> str:
    from caspen_xero import __version__

    asked = proof.asked
    row = (
        *(session.connection.tenant_name, session.connection.tenant_id, asked.first, asked.last, asked.as_at),
        *(f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in (proof.began_at, proof.read_at)),
        *(
            proof.is_equal,
            proof.compared,
            proof.proved,
            proof.not_yet,
            proof.money_not_yet,
            f"caspen-xero {__version__}",
        ),
    )
    return as_csv(_ABOUT_COLUMNS, [row])


def _can_be_written(folder: Path) -> None:
    """Raises `SessionError` (usage) where no file can be made in a folder."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".caspen-xero-", dir=folder)
        os.close(descriptor)
        os.unlink(name)
    except OSError as error:
        words = f"Nothing can be written in {plain(folder)}: {plain(error.strerror or error)}."
        raise _unusable(words, "Name another place.") from None


def _put(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes files, by name. All of them are written before the first takes its place, so that a full disk changes nothing."""
    written: dict[str, str] = {}
    try:
        with _telling(folder):
            for name, text in texts.items():
                descriptor, beside = tempfile.mkstemp(prefix=".caspen-xero-", dir=folder)
                written[name] = beside
                with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
                    opened.write(text)
                    opened.flush()
                    os.fsync(opened.fileno())
            for name, beside in list(written.items()):
                os.replace(beside, folder / name)
                del written[name]
    finally:
        for beside in written.values():
            Path(beside).unlink(missing_ok=True)


@contextmanager
def _telling(place: Path) -> Iterator[None]:
    """What the system says of a place where the result can't be written, in words."""
    try:
        yield
    except OSError as error:
        words = f"The result could not be written to {plain(place)}: {plain(error.strerror or error)}."
        raise UserError("result-not-written", words, "What was found is kept: caspen-xero status") from None


def _unusable(words: str, fix: str) -> SessionError:
    return SessionError("place-unusable", words, fix, ExitCode.USAGE)
