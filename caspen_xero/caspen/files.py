"""The feed from files: an export folder, or JSON, JSON Lines and CSV files by name.

A folder is every `.json`, `.jsonl`, `.ndjson` and `.csv` file in it, in order of name; hidden files, other files and
`caspen-updates.jsonl` (ours, the way back to Caspen) are passed over.
"""

import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caspen_xero.outside_text import plain

from .csv_files import is_csv, is_csv_of_export, read_csv_files, with_siblings
from .feed import BadRecord, FeedError, OnProgress, RawRecord, check_record, unreadable
from .json_files import read_json_file
from .plain_files import no_file
from .records import Record
from .updates import UPDATES_FILE

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_PROGRESS_STEP = 256 * 1024


class FileFeed:
    """The records of files and folders. JSON Lines stream in bounded memory; JSON arrays and CSV are read file by file.

    Raises `FeedError` (`file-not-found`, `not-a-file`, `no-feed-files`, `unreadable`) at once when there is nothing to read.
    """

    def __init__(self, paths: Sequence[Path | str], on_progress: OnProgress | None = None) -> None:
        self._paths = [Path(path) for path in paths]
        self._files = _files_of(self._paths)
        self._on_progress = on_progress
        self._ignored: dict[str, int] = {}
        self._done = 0
        self._reported = 0
        self._total = 0

    @property
    def description(self) -> str:
        """The paths as they were given."""
        return ", ".join(str(path) for path in self._paths)

    @property
    def fingerprint(self) -> str | None:
        """Name, size, times and inode of every file: equal means that nothing was written since."""
        return "\n".join(_identity(file) for file in self._files)

    @property
    def ignored(self) -> Mapping[str, int]:
        """Records of kinds that the feed does not define, such as appointments, by kind."""
        return dict(self._ignored)

    @property
    def cursors(self) -> Mapping[str, dt.datetime]:
        """None: files are read whole."""
        return {}

    def check(self) -> None:
        """What is there was looked at already."""

    def close(self) -> None:
        """Nothing is held open between two readings."""

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record of every file. Raises `FeedError` where a file is no JSON or CSV, or breaks off."""
        self._ignored = {}
        self._done = self._reported = 0
        self._total = sum(_size(file) for file in self._files)
        for file in self._files:
            if not is_csv(file):
                yield from self._checked(read_json_file(file, self._advance), _shown(file))
        for file, found in read_csv_files([file for file in self._files if is_csv(file)], self._advance):
            yield from self._checked(found, _shown(file))
        self._report()

    def _checked(self, found: Iterator[RawRecord | BadRecord], file: str) -> Iterator[Record | BadRecord]:
        for item in found:
            record = check_record(item, file, self._ignored) if isinstance(item, RawRecord) else item
            if record is not None:
                yield record

    def _advance(self, read: int) -> None:
        self._done += read
        if self._done - self._reported >= _PROGRESS_STEP:
            self._report()

    def _report(self) -> None:
        self._reported = self._done
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)


def _files_of(paths: Sequence[Path]) -> list[Path]:
    found = [file for path in paths for file in (_feed_files_in(path) if path.is_dir() else [_existing(path)])]
    wanted = with_siblings(file for file in found if file.name != UPDATES_FILE)
    files = list({os.path.realpath(file): file for file in wanted}.values())
    for file in files:
        if file.exists() and not file.is_file():
            raise no_file(file)
    return files


def _feed_files_in(folder: Path) -> list[Path]:
    try:
        files = sorted(file for file in folder.iterdir() if _is_feed_file(file))
    except OSError as error:
        raise unreadable(folder, error) from error
    if not files:
        raise FeedError(
            "no-feed-files",
            f"{plain(folder)} holds no .json, .jsonl, .ndjson or .csv file",
            "Give the folder or the file that Caspen's export was saved to",
        )
    return files


def _is_feed_file(file: Path) -> bool:
    if file.name.startswith(".") or file.name == UPDATES_FILE:
        return False
    if not file.is_file() and not (file.is_symlink() and not file.exists()):  # what a link lost is missing, not foreign
        return False
    return file.suffix.lower() in JSON_SUFFIXES or is_csv_of_export(file)


def _existing(file: Path) -> Path:
    if not file.exists():
        raise FeedError("file-not-found", f"{plain(file)} does not exist", "Check the path of Caspen's export")
    return file


def _identity(file: Path) -> str:
    state = _stat(file)
    return f"{_shown(file)} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


def _shown(file: Path) -> str:
    """A file's name as it can be stored and shown; it need not be UTF-8."""
    return str(file).encode("utf-8", "backslashreplace").decode()


def _size(file: Path) -> int:
    return _stat(file).st_size


def _stat(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except OSError as error:
        raise unreadable(file, error) from error
