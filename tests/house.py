"""Reading the house: which modules there are, and what each of them imports, wherever in it and for whatever purpose."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import caspen_xero

HOUSE = Path(caspen_xero.__file__).parent


def module_of(file: Path) -> str:
    """The name by which a file of the house is imported."""
    parts = file.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in sorted(HOUSE.rglob("*.py"))}


@cache
def tree_of(file: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(file.read_text("utf-8"))


@cache
def imported(file: Path) -> frozenset[tuple[str, str | None]]:
    """What a file imports: modules, and names of modules. Inside functions and for type checking count too."""
    found: set[tuple[str, str | None]] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {(name.name, None) for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(file, node)
            for name in node.names:
                inner = f"{module}.{name.name}"
                found.add((inner, None) if inner in MODULES else (module, name.name))
    return frozenset(found)


def used(file: Path) -> set[str]:
    """The modules that a file imports, or imports names of."""
    return {module for module, _ in imported(file)}


def _absolute(file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module_of(file).split(".") if file.name == "__init__.py" else module_of(file).split(".")[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)
