"""The sandbox's house rules: it stands alone, its rooms stand on each other one way, and its README is true of both."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import house
import pytest
from house import module_of

import caspen_xero.sandbox

HOUSE = Path(caspen_xero.sandbox.__file__).parent
TESTS = Path(__file__).parent
README = (HOUSE / "README.md").read_text("utf-8")
FILES = {file.relative_to(HOUSE).as_posix(): file for file in sorted(HOUSE.rglob("*.py")) if file.name != "__init__.py"}


def used(file: str) -> set[str]:
    """The sandbox's files that one of them imports."""
    modules = {module_of(path): name for name, path in FILES.items()}
    return {modules[name] for name in house.used(FILES[file]) if name in modules}


def rooms() -> list[set[str]]:
    """The files of each room of the README's table, from the way in down to the ground."""
    table = README.partition("## The rooms")[2].partition("\n## ")[0].partition("|---|---|")[2]
    found = []
    for row in table.strip().splitlines():
        name, files = row.strip("| ").split(" | ")
        folder = name.strip("`") if name.endswith("/`") else ""
        found.append({folder + file for file in re.findall(r"`([a-z_]+\.py)`", files)})
    return found


@pytest.mark.parametrize("file", sorted(HOUSE.rglob("*.py")), ids=lambda file: str(file.relative_to(HOUSE)))
def test_the_sandbox_stands_alone(file: Path) -> None:
    ours = {name for name in house.used(file) if name.startswith("caspen_xero")}
    assert {name for name in ours if not name.startswith("caspen_xero.sandbox")} == set()


@pytest.mark.parametrize("file", FILES)
def test_a_room_uses_only_itself_and_those_below_it(file: str) -> None:
    level = {name: place for place, room in enumerate(rooms()) for name in room}
    assert {name for name in used(file) if level[name] < level[file]} == set()


def test_no_files_import_each_other_in_a_circle() -> None:
    TopologicalSorter({file: used(file) for file in FILES}).prepare()


def test_the_readme_names_tests_that_exist() -> None:
    source = "".join(file.read_text("utf-8") for file in TESTS.glob("*.py"))
    rows = [line for line in README.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.rpartition(" | ")[2])}
    assert len(named) > 80
    assert {name for name in named if f"def {name}(" not in source} == set()


def test_the_readme_names_every_file_in_its_room() -> None:
    named = [file for room in rooms() for file in room]
    assert sorted(named) == sorted(FILES)


def test_the_readme_names_files_that_exist() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", README))
    there = {Path(file).name for file in FILES} | set(FILES) | {file.name for file in TESTS.glob("*.py")}
    assert named <= there
