"""The shape of answers: which keys their elements have, how often, and in which formats. No values.

`python -m tests.sandbox.recorded.shape Invoices < answer.json` prints the keys of a recorded answer as they stand in `shapes/`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = sorted(file.stem for file in (HERE / "shapes").glob("*.json"))

_TEXTS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "date": r"/Date\(-?\d+00000\+0000\)/",  # of whole days; looked at more closely below
    "time": r"/Date\(-?\d+\+0000\)/",
    "ticks": r"/Date\(-?\d+\)/",
    "day": r"\d{4}-\d\d-\d\dT00:00:00",
    "utc": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+",
    "word": r"[A-Z0-9]+",
}
_DAY_OF_MILLISECONDS = 86_400_000
_OF_PEOPLE = re.compile(
    r"(Name|Number|(?<!Currency)(?<!Country)Code|Reference|Option|Description|Details|City|Region|Country|AttentionTo|Line\d|Message|Instance)$"
)
"""Keys whose values people choose: there a word is a text like any other."""

_WIDER = {"word": {"text"}, "amount": {"number"}, "date": {"time"}, "empty": {"list"}}
"""Formats, and those that hold them too."""


def format_of(key: str, value: Any) -> str:
    """The format of one value; README.md has the table of them."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list" if value else "empty"
    if isinstance(value, str):
        return _format_of_text(key, value)
    number = Decimal(str(value))
    return "amount" if round(number, 2) == number else "number"


def _format_of_text(key: str, value: str) -> str:
    if value == "":
        return "blank"
    found = next((name for name, pattern in _TEXTS.items() if re.fullmatch(pattern, value)), "text")
    if found == "date" and int(re.findall(r"-?\d+", value)[0]) % _DAY_OF_MILLISECONDS:
        return "time"
    return "text" if found == "word" and _OF_PEOPLE.search(key) else found


@dataclass
class Seen:
    """How often a key stood in the objects that could have had it, and in which formats."""

    count: int = 0
    of: int = 0
    formats: set[str] = field(default_factory=set)

    @property
    def always(self) -> bool:
        return self.count == self.of

    def __str__(self) -> str:
        return f"{self.count}/{self.of} {' '.join(sorted(self.formats))}"


Shape = dict[str, Seen]
"""By path: `Contact.Addresses[].City` is the City of each element of the list Addresses of Contact."""


def shape_of(elements: Iterable[Any]) -> Shape:
    """The shape that these elements have together."""
    shape: Shape = {}
    parents: dict[str, int] = {}
    for element in elements:
        _look_at(element, "", shape, parents)
    for path, seen in shape.items():
        seen.of = parents[parent_of(path)]
    return shape


def parent_of(path: str) -> str:
    """The path of the objects that a key stands in; "" for the elements themselves."""
    return path.rpartition(".")[0]


def _look_at(element: dict[str, Any], path: str, shape: Shape, parents: dict[str, int]) -> None:
    parents[path] = parents.get(path, 0) + 1
    for key, value in element.items():
        name = f"{path}.{key}" if path else key
        seen = shape.setdefault(name, Seen())
        seen.count += 1
        seen.formats.add(format_of(key, value))
        inner = value if isinstance(value, list) else [value]
        for one in inner:
            if isinstance(one, dict):
                _look_at(one, name + "[]" * isinstance(value, list), shape, parents)


@dataclass(frozen=True)
class Recorded:
    """A recorded shape: what it is of, where it was recorded, and its keys.

    `apart`: by the path of a part that is recorded in more places than this one, the name of that part's shape.
    """

    name: str
    what: str
    sources: list[dict[str, Any]]
    keys: Shape
    apart: dict[str, str]


@cache
def recorded(name: str) -> Recorded:
    """The shape of this name."""
    told = json.loads((HERE / "shapes" / f"{name}.json").read_text("utf-8"))
    keys = {path: seen(text) for path, text in told["keys"].items()}
    return Recorded(name, told["what"], told["sources"], keys, told.get("apart", {}))


def parts_at(element: Any, path: str) -> list[Any]:
    """What stands at a path of an element: all of a list's elements, or the one object, or nothing."""
    key, _, rest = path.partition(".")
    found = element.get(key.removesuffix("[]"), [])
    parts = found if isinstance(found, list) else [found]
    return [inner for part in parts for inner in parts_at(part, rest)] if rest else parts


def without_parts(shape: Shape, apart: Iterable[str]) -> Shape:
    """A shape without the keys of its parts."""
    prefixes = tuple(f"{path}." for path in apart)
    return {path: seen for path, seen in shape.items() if not path.startswith(prefixes)}


def seen(text: str) -> Seen:
    """A key as a shape's file tells it."""
    often, *formats = text.split()
    count, of = often.split("/")
    return Seen(int(count), int(of), set(formats))


def differences(ours: Shape, theirs: Shape) -> Iterator[tuple[str, str]]:
    """Where what the local Xero answered differs from what was recorded: paths, and what is different there.

    `new`: never recorded. `missing`: recorded always, not always there. `always there`, `never there`: recorded as something that
    can be there or not. `as FORMAT`: never recorded in that format.
    """
    for path in ours:
        if path not in theirs and (parent_of(path).removesuffix("[]") in theirs or not parent_of(path)):
            yield path, "new"
    for path, seen in theirs.items():
        own = ours.get(path, Seen())
        if own.count == 0 and not _has_parent(path, ours):
            continue
        if seen.always and (not own.always or own.count == 0):
            yield path, "missing"
        elif not seen.always and own.count == 0:
            yield path, "never there"
        elif not seen.always and own.always:
            yield path, "always there"
        yield from ((path, f"as {name}") for name in sorted(own.formats) if not _is_held(name, seen.formats))
        if "list" in seen.formats and own.formats == {"empty"}:
            yield f"{path}[]", "never there"


def _has_parent(path: str, shape: Shape) -> bool:
    parent = parent_of(path)
    if not parent:
        return True
    found = shape.get(parent.removesuffix("[]"), Seen()).formats
    return ("list" if parent.endswith("[]") else "object") in found


def _is_held(name: str, formats: set[str]) -> bool:
    return name in formats or bool(_WIDER.get(name, set()) & formats)


if __name__ == "__main__":
    answer = json.load(sys.stdin, parse_float=Decimal)
    print(json.dumps({path: str(seen) for path, seen in shape_of(answer[sys.argv[1]]).items()}, indent=2))
