"""The feed from files: an export folder, or JSON, JSON Lines and CSV files by name.

A folder is every `.json`, `.jsonl`, `.ndjson` and `.csv` file in it, in order of name; hidden files, other files and what is ours
(`caspen-updates.jsonl`, the way back to Caspen, and reports of `doctor --bundle`) are passed over. A spreadsheet that may hold what
was exported is refused. Where a `columns.toml` lies in it, its CSV files are read as that says; what the files of several such
folders say of one record is put together.
"""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain

from .columns_file import COLUMNS_FILE, Columns, columns_beside, read_columns
from .csv_files import is_csv, is_csv_of_export, read_csv_files, with_siblings
from .feed import BadRecord, FeedError, OnProgress, RawRecord, check_record, unreadable
from .feed_fields import INSIDE, OUTSIDE
from .json_files import read_json_file
from .lost_zeros import LostZeros
from .mapped_csv import read_mapped_files
from .plain_files import is_sheet_by_name, lines_of, no_file, refuse_sheet
from .records import Record
from .updates import UPDATES_FILE

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
OUR_REPORTS = "caspen-xero-bundle-*.json"
"""The names of what `doctor --bundle` writes."""
_PROGRESS_STEP = 256 * 1024


class FileFeed:
    """The records of files and folders. JSON Lines stream in bounded memory; JSON arrays and CSV are read file by file.

    `columns`: the columns file of all CSV files; else each is read by the one that lies beside it, if any does.
    Raises `FeedError` (`file-not-found`, `not-a-file`, `no-feed-files`, `unreadable`, `spreadsheet`, `archive`, `bad-columns`,
    `columns-unconfirmed`) at once when there is nothing to read.
    """

    def __init__(
        self,
        paths: Sequence[Path | str],
        on_progress: OnProgress | None = None,
        columns: Path | None = None,
    ) -> None:
        self._paths = [Path(path) for path in paths]
        self._mapped: dict[Path, tuple[Columns, list[Path]]] = {}
        self._files = self._files_of(self._paths, columns)
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
        return "\n".join(_identity(file) for file in (*self._files, *self._mapped))

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
        zeros = LostZeros() if any(map(is_csv, self._files)) else None
        for file in self._files:
            if not is_csv(file):
                yield from self._checked(read_json_file(file, self._advance), file, zeros)
        mapped = {file for _, files in self._mapped.values() for file in files}
        plain_csv = [file for file in self._files if is_csv(file) and file not in mapped]
        for file, found in read_csv_files(plain_csv, self._advance):
            yield from self._checked(found, file, zeros)
        for file, found in read_mapped_files(list(self._mapped.values()), self._advance):
            yield from self._checked(found, file, zeros)
        self._report()

    def _files_of(self, paths: Sequence[Path], columns: Path | None) -> list[Path]:
        given = read_columns(columns) if columns is not None else None
        known: dict[Path, Columns] = {given.path: given} if given is not None else {}

        def of(path: Path) -> Columns | None:
            beside = columns_beside(path) if given is None else None
            if beside is not None and beside not in known:
                known[beside] = read_columns(beside)
            return given if beside is None else known[beside]

        found: list[Path] = []
        for path in paths:
            found += _feed_files_in(path, of(path)) if path.is_dir() else [_existing(path)]
        if found and all(map(_is_no_export, found)):
            raise _holds_no_record(found[0])
        found = [file for file in found if not _is_no_export(file)]
        for file in found:
            with lines_of(file):
                pass  # a spreadsheet is refused before its halves are looked for
        for file in found:
            if is_csv(file) and (columns_of := of(file)) is not None:
                self._mapped.setdefault(columns_of.path, (columns_of, []))[1].append(_described(file, columns_of))
        mapped = {file for _, files in self._mapped.values() for file in files}
        for path, (columns_of, files) in self._mapped.items():
            self._mapped[path] = (columns_of, _each_once(_with_partners(files, columns_of)))
        wanted = list(with_siblings(file for file in found if file not in mapped))
        files = _each_once([*wanted, *(file for _, files in self._mapped.values() for file in files)])
        for file in files:
            if file.exists() and not file.is_file():
                raise no_file(file)
        return files

    def _checked(
        self, found: Iterator[RawRecord | BadRecord], file: Path, zeros: LostZeros | None
    ) -> Iterator[Record | BadRecord]:
        name, is_sheet = _shown(file), is_csv(file)
        for item in found:
            if zeros is not None:
                zeros.look_at(item, name, is_sheet=is_sheet)
            record = check_record(item, name, self._ignored) if isinstance(item, RawRecord) else item
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


def _each_once(files: Iterable[Path]) -> list[Path]:
    return list({os.path.realpath(file): file for file in files}.values())


def _feed_files_in(folder: Path, columns: Columns | None) -> list[Path]:
    try:
        there = sorted(folder.iterdir())
        files = [file for file in there if _is_feed_file(file, columns)]
    except OSError as error:
        raise unreadable(folder, error) from error
    for sheet in filter(is_sheet_by_name, there):
        if _may_be_exported(sheet, columns) or not files:
            passed_over = f'; have it passed over: ignore = ["{plain(sheet.name)}"]' if columns is not None else ""
            refuse_sheet(sheet, otherwise=f", and move this one out of the folder{passed_over}")
    if not files:
        raise FeedError(
            "no-feed-files",
            f"{plain(folder)} holds no .json, .jsonl, .ndjson or .csv file of the feed",
            "Give the folder or the file that Caspen's export was saved to; CSV with other names and headings: "
            "caspen-xero schema feed --columns FILE.csv",
        )
    return files


def _is_feed_file(file: Path, columns: Columns | None) -> bool:
    if file.name.startswith(".") or _is_no_export(file):
        return False
    if not file.is_file() and not (file.is_symlink() and not file.exists()):  # what a link lost is missing, not foreign
        return False
    if columns is not None and is_csv(file):
        return not columns.ignores(file)  # what is forgotten in the columns file must not be forgotten by us
    return file.suffix.lower() in JSON_SUFFIXES or is_csv_of_export(file)


def _may_be_exported(sheet: Path, columns: Columns | None) -> bool:
    """Whether a spreadsheet in a folder may be a part of the export that was saved in the wrong form."""
    if sheet.name.startswith("."):
        return False
    return is_csv_of_export(sheet.with_suffix(".csv")) if columns is None else not columns.ignores(sheet)


def _is_no_export(file: Path) -> bool:
    return file.name in (UPDATES_FILE, COLUMNS_FILE) or file.match(OUR_REPORTS)


def _holds_no_record(file: Path) -> FeedError:
    what = (
        "says what the columns of CSV files are" if file.name == COLUMNS_FILE else "was written by caspen-xero itself"
    )
    words = f"{plain(file)} {what}, and holds no record of Caspen's; nothing was imported"
    return FeedError("no-feed-files", words, f"Give Caspen's export: {to_paste('import', str(file.parent))}")


def _described(file: Path, columns: Columns) -> Path:
    if not columns.of(file):
        words = f"{plain(file)} is none of the files that {plain(columns.path)} describes"
        fix = f'Describe it there; or have it passed over: ignore = ["{plain(file.name)}"]'
        raise FeedError("bad-columns", words, fix)
    return file


def _with_partners(files: Sequence[Path], columns: Columns) -> Iterator[Path]:
    """The files, and those beside them that hold their lines or allocations, or what these belong to."""
    stems = {one.stem for file in files for one in columns.of(file)}
    partners = {INSIDE[stem].stem for stem in stems if stem in INSIDE} | {OUTSIDE[s] for s in stems if s in OUTSIDE}
    yield from files
    for folder in dict.fromkeys(file.parent for file in files) if partners - stems else ():
        for file in _feed_files_in(folder, columns):
            if is_csv(file) and {one.stem for one in columns.of(file)} & (partners - stems):
                yield file


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
