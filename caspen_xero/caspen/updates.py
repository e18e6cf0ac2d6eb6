"""The way back to Caspen through files: payments found in Xero, appended to `caspen-updates.jsonl`.

Each record is one line, each id is there once, and a crash at any moment leaves at most a half last line of ours, which
the next call cuts off before it appends. What others wrote is never cut. One writer at a time, which the workspace's lock sees to.
"""

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from io import BufferedReader, FileIO
from pathlib import Path

from caspen_xero.outside_text import plain
from caspen_xero.paths import leads_to_anothers

from .exact_json import encode
from .feed import FeedError

UPDATES_FILE = "caspen-updates.jsonl"

_CAREFULLY = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
_OUR_BEGINNING = re.compile(rb'\s*\{\s*"object"\s*:\s*"xero_payment"')


def append_updates(folder: Path, records: Sequence[Mapping[str, object]]) -> list[str]:
    """Appends `xero_payment` records that are not in the folder's file yet; the ids that are now safely on the disk.

    All of them or none: when the disk refuses (`FeedError`, `updates-not-writable`), the file is as it was.
    Amounts are decimals; a float raises `TypeError`.
    """
    lines = {str(record["id"]): encode(record).encode("ascii") + b"\n" for record in records}
    if not lines:
        return []
    file = folder / UPDATES_FILE
    try:
        with _opened(file) as stream:
            end, known = _whole_lines(stream, list(lines.values()))
            _append(stream, end, b"".join(line for record_id, line in lines.items() if record_id not in known))
        _settle_folder(folder)
    except OSError as error:
        raise FeedError(
            "updates-not-writable",
            f"{plain(file)} can't be written: {error.strerror or error}",
            "Give this user the right to write there, and room on the disk; the next pull delivers what is waiting",
        ) from error
    return list(lines)


def ids_told(folder: Path) -> set[str]:
    """The ids of what the folder's file has already. Of a file that can't be read none; whoever appends to it is told why."""
    try:
        with FileIO(folder / UPDATES_FILE) as stream:
            return _whole_lines(stream, ())[1]
    except OSError:
        return set()


def _opened(file: Path) -> FileIO:
    """The file for its owner alone (mode 0600), whatever the umask. A link in its place is not followed, a pipe not waited for.

    The folder may be shared: somebody else can have put a file of theirs there, under a second name too.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | sum(getattr(os, name, 0) for name in _CAREFULLY)
    if file.is_symlink():
        raise OSError("it is a symbolic link")
    if leads_to_anothers(file.parent):
        raise OSError("its folder is a link to a folder of another user")
    descriptor = os.open(file, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no plain file")
        if os.name == "posix":
            if status.st_uid != os.getuid():
                raise OSError("it belongs to another user, who could read it")
            if status.st_nlink > 1:
                raise OSError("it is another file too (a hard link)")
            if status.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        return FileIO(descriptor, "a+b")
    except BaseException:
        os.close(descriptor)
        raise


def _whole_lines(stream: FileIO, new: Sequence[bytes]) -> tuple[int, set[str]]:
    """Where the last line ends that is to be kept, and the ids of all records.

    A last line that only lacks its line break is whole. One that broke off is cut off if it is ours: it begins as our records
    do, or as one of those that are to be written. What others wrote stays, whatever it is.
    """
    end = 0
    known: set[str] = set()
    reader = BufferedReader(stream)
    reader.seek(0)
    for line in reader:
        record_id = _id_in(line)
        if not line.endswith(b"\n") and record_id is None and _is_half_of_ours(line, new):
            break
        end += len(line)
        if record_id is not None:
            known.add(record_id)
    reader.detach()
    return end, known


def _is_half_of_ours(line: bytes, new: Sequence[bytes]) -> bool:
    is_empty = not line.strip(b"\0")  # what a power cut leaves
    return is_empty or _OUR_BEGINNING.match(line) is not None or any(record.startswith(line) for record in new)


def _id_in(line: bytes) -> str | None:
    """The id of the payment that a line holds; None for what is no whole record of ours."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # not JSON, or not UTF-8
        return None
    is_ours = isinstance(record, dict) and record.get("object") == "xero_payment" and "id" in record
    return str(record["id"]) if is_ours else None


def _append(stream: FileIO, end: int, new: bytes) -> None:
    stream.truncate(end)
    if end and not _ends_with_line_break(stream, end):
        new = b"\n" + new
    try:
        _write_all(stream, new)
        os.fsync(stream.fileno())
    except OSError:
        stream.truncate(end)
        raise


def _ends_with_line_break(stream: FileIO, end: int) -> bool:
    stream.seek(end - 1)
    return stream.read(1) == b"\n"


def _write_all(stream: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


def _settle_folder(folder: Path) -> None:
    """Makes a new file's name survive a power cut. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
