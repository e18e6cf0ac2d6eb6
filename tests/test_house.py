"""The house guards itself: `docs/architecture.md` says who may use whom, and here every import is held against it.

Rooms and files are found on disk; only the arrows that are allowed are written down. A failure means that a file reaches where it
may not: move what it needs down, or hand it in from above. A new arrow is a decision, and belongs into `docs/architecture.md`.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from house import HOUSE, MODULES, imported, tree_of, used

from caspen_xero.store.store import Store

ROOT = HOUSE.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")

ARROWS = {
    "cli": {"sync", "store", "xero", "caspen", "secrets", "sandbox"},
    "sync": {"store", "xero", "caspen", "secrets"},
    "store": {"caspen"},
    "caspen": set(),
    "xero": {"secrets"},
    "secrets": set(),
    "sandbox": set(),
}
FLOORS = ("pulling", "sending", "planning", "setup", "problems")
"""Inside sync/, from the top down. The files beside them may use any floor, and no floor uses them."""

LIBRARIES = {
    "typer": {"cli"},
    "rich": {"cli"},
    "httpx": {"caspen", "xero"},
    "keyring": {"secrets"},
    "sqlite_utils": {"store"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
}

OURS = {name: file for name, file in MODULES.items() if not name.startswith("caspen_xero.sandbox")}


def room_of(module: str) -> str | None:
    """The room that a module of ours stands in; None for the ground floor, and for modules of others."""
    parts = module.split(".")
    return parts[1] if parts[0] == "caspen_xero" and len(parts) > 1 and (HOUSE / parts[1]).is_dir() else None


def floor_of(module: str) -> str | None:
    """The floor of sync/, or the file beside the floors, that a module stands in; None elsewhere."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["caspen_xero", "sync"] and len(parts) > 2 else None


def may_use(module: str, other: str) -> bool:
    """Whether the arrows let a module use another: its own room, and those that the room may use; the ground floor always."""
    room, wanted = room_of(module), room_of(other)
    allowed = {"cli"} if module == "caspen_xero.__main__" else {room} | ARROWS.get(room or "", set())
    return wanted is None or wanted in allowed


def may_use_floor(module: str, other: str) -> bool:
    """The same inside sync/."""
    floor, wanted = floor_of(module), floor_of(other)
    below = FLOORS[FLOORS.index(floor) :] if floor in FLOORS else (floor, *FLOORS)
    return floor is None or wanted is None or wanted in below


def test_every_room_has_its_arrows() -> None:
    assert {folder.name for folder in HOUSE.iterdir() if (folder / "__init__.py").exists()} <= set(ARROWS)


def test_a_room_uses_only_those_that_it_may() -> None:
    assert [(name, other) for name, file in OURS.items() for other in used(file) if not may_use(name, other)] == []


def test_the_floors_of_the_engine_use_only_those_below() -> None:
    assert [
        (name, other) for name, file in OURS.items() for other in used(file) if not may_use_floor(name, other)
    ] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: (used(file) & set(MODULES)) - {name} for name, file in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_a_library_is_used_only_in_the_rooms_that_it_is_for() -> None:
    uses = [(name, other.partition(".")[0]) for name, file in MODULES.items() for other in used(file)]
    assert [
        (name, library) for name, library in uses if room_of(name) not in LIBRARIES.get(library, {room_of(name)})
    ] == []


SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|WITH\s+\w+\s+AS\s"
    r"|(CREATE|ALTER|DROP)\s+\w+\s|PRAGMA\s|BEGIN\b|COMMIT\b|ROLLBACK\b|VACUUM\b)"
)


def test_sql_is_in_the_store_alone() -> None:
    found = {
        name
        for name, file in OURS.items()
        if room_of(name) != "store"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    }
    assert found == set()


PRIVATE = re.compile(r"_[a-zA-Z](\w*[^_])?")  # not those of a protocol, such as `__init__`, or `_value_` of enums
DEFINED = re.compile(r"(?:def |class |self\.|cls\.|^ *)(_[a-zA-Z]\w*)", re.MULTILINE)


def test_private_names_are_used_only_in_the_file_that_defines_them() -> None:
    found = {
        (name, private)
        for name, file in MODULES.items()
        for private in {
            *(node.attr for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)),
            *(taken for _, taken in imported(file) if taken),
        }
        if PRIVATE.fullmatch(private) and private not in DEFINED.findall(file.read_text("utf-8"))
    }
    assert found == set()


# --- planning is pure

RECORDS = {"Link", "KnownContact", "name_key", "Hold", "AppliedPayment", "XeroPayment"}
"""What planning/ may take from store/: plain records, and how names are compared."""
OF_XERO = {"documents", "addresses", "deeplinks"}
"""The files of xero/ that planning/ may use: what a document is, and how one is addressed."""
HANDLES = {"Store", "Mappings", "Client", "XeroClient"}
"""A function that takes one of these reads or writes."""
OUTSIDE = {
    *("asyncio", "http", "httpx", "io", "keyring", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket"),
    *("sqlite3", "sqlite_utils", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"),
}
DOES = {"now", "utcnow", "today", "open", "input", "print", "exec", "eval", "__import__"}


PLANNING = {name: file for name, file in MODULES.items() if floor_of(name) == "planning"}
TAKEN = [(name, module, what) for name, file in PLANNING.items() for module, what in sorted(imported(file), key=str)]
"""What the files of planning/ import: (file, module, name)."""


def test_planning_takes_only_plain_records_from_the_store() -> None:
    assert [taken for taken in TAKEN if room_of(taken[1]) == "store" and taken[2] not in RECORDS] == []


def test_planning_reaches_no_client() -> None:
    assert [taken for taken in TAKEN if room_of(taken[1]) == "xero" and taken[1].split(".")[2] not in OF_XERO] == []


def test_planning_uses_nothing_of_setup_that_reads_or_writes() -> None:
    of_setup = [(name, module, what) for name, module, what in TAKEN if floor_of(module) == "setup"]
    assert [taken for taken in of_setup if takes_a_handle(MODULES[taken[1]], taken[2])] == []


def test_planning_has_no_clock_no_chance_and_no_files() -> None:
    assert [taken for taken in TAKEN if taken[1].partition(".")[0] in OUTSIDE] == []
    calls = [
        (name, ast.unparse(node.func))
        for name, file in PLANNING.items()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call)
    ]
    assert [call for call in calls if call[1].rpartition(".")[2] in DOES] == []


def takes_a_handle(file: Path, name: str | None) -> bool:
    """Whether a function of a file (or, without a name, any of them) is handed the store or a client."""
    functions = [node for node in tree_of(file).body if isinstance(node, ast.FunctionDef) and name in (None, node.name)]
    said = " ".join(ast.unparse(function.args) for function in functions)
    return bool(HANDLES & set(re.findall(r"\w+", said)))


# --- the book of the house


def chapter(folder: Path) -> str:
    """What `docs/architecture.md` says below the heading of a folder."""
    heading = f"# `{folder.relative_to(HOUSE).as_posix()}/`"
    assert heading in ARCHITECTURE, f"docs/architecture.md has no chapter {heading}"
    return re.split(r"\n#+ ", ARCHITECTURE.partition(heading)[2])[0]


PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = sorted(file.parent for file in HOUSE.glob("*/__init__.py"))
FOLDERS_OF_THE_ENGINE = sorted(file.parent for file in (HOUSE / "sync").rglob("__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_architecture_names_every_room(room: Path) -> None:
    assert f"`{room.name}/`" in ARCHITECTURE


def test_the_architecture_has_the_arrows_that_are_checked_here() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|.*\| (.*) \|$", ARCHITECTURE, re.MULTILINE)
    there = {room.name for room in ROOMS}
    assert {room: set(re.findall(r"`(\w+)/`", uses)) for room, uses in rows} == {
        name: ARROWS[name] & there for name in there
    }


@pytest.mark.parametrize("folder", FOLDERS_OF_THE_ENGINE, ids=lambda folder: folder.name)
def test_the_architecture_names_every_file_of_the_engine_and_no_other(folder: Path) -> None:
    named = re.findall(r"^\| `(\w+\.py)`", chapter(folder), re.MULTILINE)
    assert sorted(named) == sorted(file.name for file in folder.glob("*.py") if file.name != "__init__.py")


def test_the_architecture_names_every_table_and_view_of_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    tables = {*store.db.table_names(), *store.db.view_names()}
    store.close()
    section = ARCHITECTURE.partition("\n## The store")[2].partition("\n## ")[0]
    named = {name for row in section.splitlines() if row.startswith("| ") for name in re.findall(r"`(\w+)`", row)}
    assert {table for table in tables if not table.startswith(("_", "sqlite"))} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_documents_name_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [target for target in re.findall(r"\]\(([^)\s#]+)", text) if not target.startswith("http")]
    files = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [file for file in files if not any((base / file).exists() for base in (HOUSE, HOUSE / "sync", ROOT))] == []
