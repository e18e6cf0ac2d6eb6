"""docs/feed.md, written from the records' models: every field of the feed."""

from __future__ import annotations

import json

from .feed_fields import INSIDE, KINDS, FeedField, fields_of
from .records import RECORD_TYPES

_HEAD = """\
# Every field of the feed

This page is made from the program (`just docs`). What the feed is, and where an export comes from:
[caspens-records.md](caspens-records.md). For a machine: `caspen-xero schema feed`.

- **id**: text with something in it, up to 1,000 characters; a whole number is taken too. **Text** may be anything.
- **amount**: a decimal such as `150.00`, as a JSON number or as text, up to 14 digits. **Percentage**: one from 0 to 100.
- **date**: `YYYY-MM-DD`. **Time**: ISO 8601, in UTC where it names no zone.
- A field that need not be there may be absent, null, or in CSV an empty cell. Fields that are not here are ignored.
- In CSV the columns are named as the fields below. Those of an object have a dot (`address.city`). Lines and allocations
  have a file of their own, named below, whose rows say in one more column whose they are.
- Other headings, dates and numbers are read by a columns file, which names fields as this page does
  (`lines.discount.value`).
"""


def feed_document() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_section(stem, kind) for stem, kind in KINDS.items())


def _section(stem: str, kind: str) -> str:
    model = RECORD_TYPES[kind]
    words = " ".join((model.__doc__ or "").split())
    inside = INSIDE.get(stem)
    files = f"`{stem}.csv`"
    if inside:
        files += f" with `{inside.stem}.csv`, by its column `{inside.owner}`"
    rows = "".join(_row(one) for one in fields_of(kind))
    head = "| Field | Is | Must be there | Meaning | Example |\n|---|---|---|---|---|\n"
    return f"\n## `{kind}`\n\n{words} CSV: {files}.\n\n{head}{rows}"


def _row(one: FeedField) -> str:
    kind = "one of " + ", ".join(f"`{word}`" for word in one.words) if len(one.words) > 1 else one.type
    if one.path == "object":
        kind = f"`{one.example}`"
    example = "" if one.type in ("object", "list") else f"`{_shown(one.example)}`"
    outer = one.path.rpartition(".")[0]
    needed = f"yes, with `{outer}`" if outer and one.needed == "yes" else one.needed
    return f"| `{one.path}` | {_NAMES.get(kind, kind)} | {needed} | {one.meaning} | {example} |\n"


_NAMES = {"yes/no": "`true` or `false`", "texts": "list of texts", "word": "text"}


def _shown(example: object) -> str:
    return example if isinstance(example, str) else json.dumps(example)
