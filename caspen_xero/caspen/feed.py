"""What a source of Caspen's records is, whether files or HTTP (`sources.open_feed`), and what may be wrong with one.

    FeedError               the source as a whole can't be read, or did not take a payment: nothing of the import counts
      codes of files        file-not-found, not-a-file, no-feed-files, spreadsheet, archive, unreadable,
                            too-large, not-json, not-csv, broken-off, updates-not-writable, source-is-a-server,
                            bad-columns, columns-unconfirmed, cell-damaged, folder-exists (of `schema feed --csv`)
      codes of HTTP         bad-source-url, caspen-key-missing, caspen-key-refused, caspen-forbidden,
                            caspen-not-found, caspen-refused, caspen-odd-answer
      ... with exit code 6  caspen-rate-limit, caspen-unavailable, caspen-unreachable

A record that is wrong by itself is no error but a `BadRecord` among the good ones.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain

from .readable import Readable, readable_of
from .record_errors import RecordError
from .records import RECORD_TYPES, Record, parse_record

OnProgress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes in all (0 where nobody can know)."""


class FeedError(UserError):
    """The source can't be read, or did not take a payment."""


def unreadable(path: Path, error: OSError) -> FeedError:
    """The error for a file or folder that the operating system does not let us read."""
    return FeedError(
        "unreadable", f"{plain(path)} can't be read: {error.strerror or error}", "Check the path and its permissions"
    )


@dataclass(frozen=True)
class BadRecord:
    """A record that was left out, and why. `where` is its place in the file, such as `line 12` or `record 3`.

    `readable`: what can be read of it all the same, where it carries money. `owner`: of lines or allocations of a record that is
    not there, the id of that.
    """

    file: str
    where: str
    kind: str | None
    id: str | None
    field: str
    reason: str
    readable: Readable | None = None
    owner: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """The record as `--json` shows it."""
        return {name: getattr(self, name) for name in ("file", "where", "kind", "id", "field", "reason")}


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A decoded record before it is checked, with its place for the message; `places`: those of its fields, such as cells."""

    where: str
    data: object
    places: Mapping[str, str] = field(default_factory=dict)


class Feed(Protocol):
    """A source of Caspen's records."""

    @property
    def description(self) -> str:
        """The source in words, for messages."""

    @property
    def fingerprint(self) -> str | None:
        """Changes whenever the source may hold something new; None where only reading can tell."""

    @property
    def ignored(self) -> Mapping[str, int]:
        """How many records were passed over, by kind, because the feed has no such kind. Complete once all are read.

        So were fields with odd values without which a record does as well, by kind and field: `client.email`.
        """

    @property
    def cursors(self) -> Mapping[str, dt.datetime]:
        """Where the next reading may start, by kind, in UTC. Complete once all are read; empty for files."""

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record, the bad ones too, each one once read. Raises `FeedError`: then nothing read so far counts."""

    def check(self) -> None:
        """Raises `FeedError` where there is nothing to read from; asks a server once, without waiting for a better moment."""

    def close(self) -> None:
        """Lets go of what it holds open."""


def check_record(raw: RawRecord, file: str, ignored: dict[str, int]) -> Record | BadRecord | None:
    """The record, or what is wrong with it; None (and counted, as are fields left out) if the feed has no such kind."""
    data = raw.data
    if not isinstance(data, dict):
        return BadRecord(file, raw.where, None, None, "", "is not a record: an object with fields was expected")
    kind = data.get("object")
    if isinstance(kind, str) and kind not in RECORD_TYPES:
        ignored[kind] = ignored.get(kind, 0) + 1
        return None
    left_out: list[str] = []
    try:
        record = parse_record(data, left_out)
    except RecordError as error:
        within = (place for name, place in raw.places.items() if name.startswith(f"{error.field}."))
        where = raw.places.get(error.field) or next(within, raw.where)
        return BadRecord(file, where, error.kind, error.record_id, error.field, error.reason, readable_of(data))
    for name in left_out:
        ignored[f"{kind}.{name}"] = ignored.get(f"{kind}.{name}", 0) + 1
    return record


def expand_page(data: Any) -> list[Any] | None:
    """The records of an array or of a `{"data": [...]}` page; None if `data` is something else, such as one record."""
    if isinstance(data, list):
        return data
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        return None
    kind = data.get("object")
    is_record = isinstance(kind, str) and kind in RECORD_TYPES
    return None if is_record else list(data["data"])
