"""The way back to Caspen through files: payments found in Xero, appended to `caspen-updates.jsonl`.

Each record is one line, each id is there once, and a crash at any moment leaves at most a half last line, which the
next call cuts off before it appends. One writer at a time, which the workspace's lock sees to.
"""

import json
import os
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path

from .exact_json import encode
from .feed import FeedError

UPDATES_FILE = "caspen-updates.jsonl"


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
        end, known = _whole_lines(file)
        with file.open("a+b", buffering=0) as stream:
            _append(stream, end, b"".join(line for record_id, line in lines.items() if record_id not in known))
        _settle_folder(folder)
    except OSError as error:
        raise FeedError(
            "updates-not-writable",
            f"{file} can't be written: {error.strerror or error}",
            "Give this user the right to write there, and room on the disk; the next pull delivers what is waiting",
        ) from error
    return list(lines)


def _whole_lines(file: Path) -> tuple[int, set[str]]:
    """Where the last whole record ends, and the ids of all. A last line that only lacks its line break is whole too."""
    end = 0
    known: set[str] = set()
    if not file.exists():
        return end, known
    with file.open("rb") as stream:
        for line in stream:
            record_id = _id_in(line)
            if not line.endswith(b"\n") and record_id is None:
                break
            end += len(line)
            if record_id is not None:
                known.add(record_id)
    return end, known


def _id_in(line: bytes) -> str | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # not JSON, or not UTF-8
        return None
    return str(record["id"]) if isinstance(record, dict) and "id" in record else None


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
