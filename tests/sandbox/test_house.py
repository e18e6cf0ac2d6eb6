"""The sandbox's house rules: it stands alone, and its README names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import caspen_xero.sandbox

HOUSE = Path(caspen_xero.sandbox.__file__).parent
TESTS = Path(__file__).parent
README = (HOUSE / "README.md").read_text("utf-8")
FILES = {str(file.relative_to(HOUSE)): file for file in sorted(HOUSE.rglob("*.py")) if file.name != "__init__.py"}


def imported(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def rooms() -> list[set[str]]:
    """The files of each room of the README's table, from the way in down to the ground."""
    rows = README.partition("## The rooms")[2].partition("\n## ")[0].strip().splitlines()[2:]
    found = []
    for row in rows:
        name, files = row.strip("| ").split(" | ")
        folder = name.strip("`") if name.endswith("/`") else ""
        found.append({folder + file for file in re.findall(r"`([a-z_]+\.py)`", files)})
    return found


@pytest.mark.parametrize("file", sorted(HOUSE.rglob("*.py")), ids=lambda file: str(file.relative_to(HOUSE)))
def test_the_sandbox_stands_alone(file: Path) -> None:
    ours = {name for name in imported(file) if name.startswith("caspen_xero")}
    assert all(name.startswith("caspen_xero.sandbox") for name in ours)


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
