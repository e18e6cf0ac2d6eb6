"""The sandbox's house rules: it stands alone, and its README names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import caspen_xero.sandbox

HOUSE = Path(caspen_xero.sandbox.__file__).parent
TESTS = Path(__file__).parent


def imported(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("file", sorted(HOUSE.glob("*.py")), ids=lambda file: file.name)
def test_the_sandbox_stands_alone(file: Path) -> None:
    ours = {name for name in imported(file) if name.startswith("caspen_xero")}
    assert all(name.startswith("caspen_xero.sandbox") for name in ours)


def test_the_readme_names_tests_that_exist() -> None:
    source = "".join(file.read_text("utf-8") for file in TESTS.glob("*.py"))
    rows = [line for line in (HOUSE / "README.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.rpartition(" | ")[2])}
    assert len(named) > 80
    assert {name for name in named if f"def {name}(" not in source} == set()


def test_the_readme_names_files_that_exist() -> None:
    named = set(re.findall(r"`([a-z_]+\.py)`", (HOUSE / "README.md").read_text("utf-8")))
    there = {file.name for folder in (HOUSE, TESTS) for file in folder.glob("*.py")}
    assert named <= there
