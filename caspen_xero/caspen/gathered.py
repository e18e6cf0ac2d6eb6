"""What the rows of CSV files say of one record, whichever files the rows stand in: put together, or refused.

The order of rows and the names of files decide nothing. Of two files the later `updated_at` is right, where both have one; else
what they say must agree. Lines and allocations that two files have in the same words are there once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_core import PydanticCustomError

from caspen_xero.outside_text import plain, said

from .values import read_timestamp

Part = dict[str, object]


@dataclass
class Gathered:
    """A record, or its parts alone, as far as its rows were read. `names_files`: whether its places say their files."""

    id: str
    file: Path
    where: str
    fields: dict[str, object] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    wrong: tuple[str, str, str] | None = None
    names_files: bool = False

    def refuse(self, where: str, path: str, reason: str) -> None:
        """Keeps the first thing that is wrong."""
        self.wrong = self.wrong or (where, path, reason)

    def agree(self, path: str, value: object, place: str, hint: str = "") -> None:
        """Takes what a cell says of the record; refused, with a hint at another cause, where another says something else."""
        known = self.fields.get(path)
        if known is None:
            self.fields[path] = value
            self.places[path] = place
        elif value is not None and value != known:
            self.refuse(place, path, f"{said(value, 60)}, but {self.places[path]} has {said(known, 60)}{hint}")


def put_together(known: dict[str, Gathered], found: Mapping[str, Gathered], inside: str | None) -> None:
    """Adds what another file says to what is known. `inside`: the field that holds the parts."""
    for id_, one in found.items():
        if id_ not in known:
            known[id_] = one
            continue
        before, after = _moment(known[id_]), _moment(one)
        if before is not None and after is not None and before != after:
            known[id_] = known[id_] if before > after else one
        else:
            _merge(known[id_], one, inside or "")


def _merge(known: Gathered, one: Gathered, inside: str) -> None:
    there, here = _names(known.file, one.file)
    if one.wrong is not None:
        where, path, reason = one.wrong
        known.refuse(_in_file(where, here), path, reason)
    if not known.names_files:
        known.places = {path: _in_file(place, there) for path, place in known.places.items()}
        known.names_files = True
    for path, value in one.fields.items():
        known.agree(path, value, _in_file(one.places.get(path, one.where), here))
    new = _new_parts(known.parts, one.parts)
    if new is None:
        words = f"some of them stand in {there} too, and not all alike: nobody knows which are meant"
        known.refuse(_in_file(one.where, here), inside, words)
        return
    numbers = {f"{inside}[{old}].": f"{inside}[{len(known.parts) + at}]." for at, old in enumerate(new)}
    for path, place in one.places.items():
        if (part := re.match(r"\w+\[\d+\]\.", path)) and part[0] in numbers:
            known.places[numbers[part[0]] + path.removeprefix(part[0])] = _in_file(place, here)
    known.parts += [one.parts[at] for at in new]


def _new_parts(known: Sequence[Part], others: Sequence[Part]) -> list[int] | None:
    """Which parts of another file are not known yet, by their numbers; None where that can't be said.

    Without ids, the same words in two files may be one line or two: it is one where the files have all lines alike.
    """
    if sorted(map(_words, known)) == sorted(map(_words, others)):
        return []
    new: list[int] = []
    for at, other in enumerate(others):
        alike = [part for part in known if _may_be_one(part, other)]
        if any(part != other or part.get("id") is None for part in alike):
            return None
        if not alike:
            new.append(at)
    return new


def _words(part: Part) -> str:
    return repr(sorted((name, value) for name, value in part.items() if value is not None))


def _may_be_one(part: Part, other: Part) -> bool:
    if part.get("id") is not None and other.get("id") is not None:
        return part["id"] == other["id"]
    both = {name for name, value in part.items() if value is not None and other.get(name) is not None}
    if "invoice_id" in both:
        return part["invoice_id"] == other["invoice_id"]
    return all(part[name] == other[name] for name in both)


def _moment(one: Gathered) -> dt.datetime | None:
    value = one.fields.get("updated_at")
    if value is None:
        return None
    try:
        return read_timestamp(value)
    except PydanticCustomError:
        return None  # which the record refuses


def _names(one: Path, other: Path) -> tuple[str, str]:
    """The names of two files, with their folders' where they are called alike."""
    if one.name != other.name:
        return plain(one.name, 60), plain(other.name, 60)
    return plain(f"{one.parent.name}/{one.name}", 60), plain(f"{other.parent.name}/{other.name}", 60)


def _in_file(place: str, file: str) -> str:
    name = f"{file}, "
    return place if place.startswith(name) else name + place
