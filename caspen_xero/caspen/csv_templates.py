"""CSV files with the feed's own headings, to be filled in: one for each kind of record, and for lines and allocations."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from caspen_xero.outside_text import plain

from .feed import FeedError, unreadable
from .feed_fields import INSIDE, KINDS, OUTSIDE, cells_of

_BOM = "\ufeff"
"""By which Excel knows UTF-8."""


def template(stem: str) -> str:
    """One file's text: its headings alone, since an example would be taken for a record."""
    fields = cells_of(stem)
    inside = f"{INSIDE[stem].field}." if stem in INSIDE else None
    text = io.StringIO()
    csv.writer(text).writerow([path for path in fields if inside is None or not path.startswith(inside)])
    return _BOM + text.getvalue()


def write_templates(folder: Path) -> list[Path]:
    """Writes all of them into a new folder. Raises `FeedError`: `folder-exists`, `unreadable`."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        words = (
            f"{plain(folder)} is there already; the templates go into a new folder, so that no export is written over"
        )
        raise FeedError("folder-exists", words, "Give the name of a folder that does not exist") from None
    except OSError as error:
        raise unreadable(folder, error) from error
    files = []
    for stem in [*KINDS, *OUTSIDE]:
        file = folder / f"{stem}.csv"
        try:
            file.write_text(template(stem), encoding="utf-8", newline="")
        except OSError as error:
            raise unreadable(file, error) from error
        files.append(file)
    return files
