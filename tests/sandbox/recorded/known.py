"""What is known to differ from the recorded answers: `known_differences.toml`, read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.sandbox.recorded.shape import HERE, NAMES, differences, recorded, shape_of, without_parts
from tests.sandbox.recorded.situations import local_elements

Found = tuple[str, str, str]
"""The name of a shape, a path in it, and what is different there."""


@dataclass(frozen=True)
class Known:
    """One shape, one key, and what of it is known to differ."""

    shape: str
    key: str
    what: tuple[str, ...]
    why: str

    def covers(self, found: Found) -> bool:
        name, path, what = found
        return fnmatchcase(name, self.shape) and fnmatchcase(path, self.key) and what in self.what


def known_differences() -> Iterator[Known]:
    """Each of them, one for each pair of shape and key that it names."""
    for told in tomllib.loads((HERE / "known_differences.toml").read_text("utf-8"))["difference"]:
        for shape in told["shapes"]:
            for key in told["keys"]:
                yield Known(shape, key, tuple(told["what"]), told["why"])


def found_differences(names: list[str] = NAMES) -> list[Found]:
    """Where the local Xero's answers differ from the recorded ones of these names."""
    found = []
    for name in names:
        theirs = recorded(name)
        ours = without_parts(shape_of(local_elements(name)), theirs.apart)
        found += [(name, path, what) for path, what in differences(ours, theirs.keys)]
    return found
