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
    "cli": {"sync", "store", "xero", "caspen", "secrets", "schedules", "sandbox"},
    "sync": {"store", "xero", "caspen", "secrets"},
    "store": {"caspen"},
    "caspen": set(),
    "xero": {"secrets"},
    "secrets": set(),
    "schedules": set(),
    "sandbox": set(),
}
FLOORS = ("reconciling", "books", "pulling", "sending", "planning", "setup", "fix_commands", "problems")
"""Inside sync/, from the top down. The files beside them may use any floor, and no floor uses them."""

LIBRARIES: dict[str, set[str | None]] = {
    "typer": {"cli"},
    "rich": {"cli"},
    "httpx": {"caspen", "xero", None},  # None: the ground floor, which makes the client of both
    "keyring": {"secrets"},
    "sqlite3": {"store", "sandbox", "cli"},  # cli/ for its errors
    "sqlite_utils": {"store"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
    "joserfc": {"sandbox"},
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
    r"\s*((SELECT|EXPLAIN|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|REPLACE\s+INTO|WITH\s+\w+\s+AS"
    r"|(CREATE|ALTER|DROP)\s+\w+|PRAGMA|ATTACH)\s|(BEGIN|COMMIT|ROLLBACK|VACUUM|SAVEPOINT|RELEASE)\b"
    # In other letters words are SQL where they are followed by what follows them there: "Select a rate from the list" is none.
    r"|(?i:(explain\s+(query\s+plan\s+)?)?(select\s+(distinct\s+)?([\d*]|\w+(\.[\w*]|\()"
    r"|[\s\S]*\sfrom\s+\w+(\s+\w)?\s*(where|order|join|left|;|$))"
    r"|(insert|replace)\s+(or\s+\w+\s+)?into\s+\w+\s*(\(|values|select)|update\s+\w+\s+set\s+\w+\s*="
    r"|delete\s+from\s+\w+\s*(where\s|;|$)|with\s+\w+\s+as\s*\(|(create|alter|drop)\s+(table|index|view|trigger)\s+\w+"
    r"|pragma\s+\w+|(begin(\s+immediate|\s+exclusive)?|commit|rollback|vacuum)\s*;?\s*$)))"
)
OF_THE_STORE = {"db", "row", "rows", "rows_among", "run", "execute", "executemany", "executescript", "cursor"}
"""What only the files of store/ ask of a store, and of what it stands on."""
HAS_A_STORE = {name for name in ARROWS if "store" in ARROWS[name]}


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("SELECT ", True),
        ("EXPLAIN SELECT 1", True),
        ("select 1", True),
        ("select id, number from invoices where id = ?", True),
        ("select distinct l.xero_id", True),
        ("select max(id)", True),
        ("delete from holds", True),
        ("Update links set status = ''", True),
        ("begin immediate", True),
        ("Select a rate from the list", False),
        ("Select Settings, then Chart of accounts.", False),
        ("Update it, then set the account", False),
        ("Begin with the accounts", False),
        ("Delete from Xero what is not yours", False),
        ("Create an account in Xero", False),
    ],
)
def test_sql_is_told_from_words(text: str, is_sql: bool) -> None:
    assert bool(SQL.match(text)) == is_sql


def test_sql_is_in_the_store_alone() -> None:
    found = {
        name
        for name, file in OURS.items()
        if room_of(name) != "store"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    }
    assert found == set()


def test_a_store_is_asked_for_its_rows_by_the_files_of_the_store_alone() -> None:
    found = {
        (name, ast.unparse(node))
        for name, file in OURS.items()
        if room_of(name) in HAS_A_STORE
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and node.attr in OF_THE_STORE
        if not (node.attr == "rows" and "caspen_xero.sync.reconciling.tables" in used(file))  # those of such a table
    }
    assert {used for used in found if used[1] != "engine.run"} == set()  # that runs a push or a pull


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

ALL = None
PLAIN: dict[str, set[str] | None] = {
    **dict.fromkeys(
        ("__future__", "collections", "collections.abc", "dataclasses", "decimal", "enum", "fractions"), ALL
    ),
    **dict.fromkeys(("hashlib", "json", "re", "typing", "unicodedata"), ALL),
    "datetime": {"date"},
    "functools": {"cached_property"},
    "itertools": {"combinations"},
    "caspen_xero.caspen.records": ALL,
    "caspen_xero.store.bad_records": {"KeptBadRecord"},
    "caspen_xero.commands": ALL,
    "caspen_xero.outside_text": ALL,
    "caspen_xero.store.clinic": {"AppliedPayment"},
    "caspen_xero.store.holds": {"APPROVE", "Hold", "ORGANISATION", "month_of"},
    "caspen_xero.store.known_contacts": {"KnownContact", "name_key"},
    "caspen_xero.store.mappings": {"Despite", "Link"},
    "caspen_xero.store.xero_payments": {"XeroPayment"},
    "caspen_xero.seals": ALL,
    "caspen_xero.xero.addresses": ALL,
    "caspen_xero.xero.deeplinks": ALL,
    "caspen_xero.xero.dealings": ALL,
    "caspen_xero.xero.documents": ALL,
    "caspen_xero.xero.elements": ALL,
    "caspen_xero.sync.fix_commands": ALL,
    "caspen_xero.sync.problems": ALL,
    "caspen_xero.sync.setup.accounts": ALL,
    "caspen_xero.sync.setup.taxes": ALL,
    "caspen_xero.sync.setup.organisation": {"OrganisationFacts"},
    "caspen_xero.sync.setup.settings": {"Privacy", "Settings"},
}
"""What planning/ may take from elsewhere: from these modules these names, and nothing from any other."""
HANDLES = {"Store", "Mappings", "Client", "XeroClient"}
"""What is made of one of these, or is handed one, reads or writes."""
BUILT_IN = {"open", "input", "print", "exec", "eval", "__import__"}
DOES = {"now", "utcnow", "today", *BUILT_IN}
"""Clocks, files and the like: nothing is to be called so, and nothing of that name kept to be called under another."""


PLANNING = {name: file for name, file in MODULES.items() if floor_of(name) == "planning"}
TAKEN = [(name, module, what) for name, file in PLANNING.items() for module, what in sorted(imported(file), key=str)]
"""What the files of planning/ import: (file, module, name)."""


def is_plain(module: str, what: str | None) -> bool:
    """Whether planning/ may take this."""
    names = PLAIN.get(module, set())
    return floor_of(module) == "planning" or names is ALL or what in names


def test_planning_takes_only_what_is_plain() -> None:
    assert [taken for taken in TAKEN if not is_plain(taken[1], taken[2])] == []


def test_planning_uses_nothing_of_setup_that_reads_or_writes() -> None:
    of_setup = [(name, module, what) for name, module, what in TAKEN if floor_of(module) == "setup"]
    assert [taken for taken in of_setup if has_a_handle(MODULES[taken[1]], taken[2])] == []


def test_planning_has_no_clock_no_chance_and_no_files() -> None:
    found = [
        (name, ast.unparse(node)) for name, file in PLANNING.items() for node in ast.walk(tree_of(file)) if does(node)
    ]
    assert found == []


def test_a_time_is_made_local_in_one_place() -> None:
    def is_made_local(node: ast.AST) -> bool:
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        return is_call and node.func.attr == "astimezone" and not (node.args or node.keywords)

    files = [file for file in MODULES.values() if any(is_made_local(node) for node in ast.walk(tree_of(file)))]
    assert [file.name for file in files] == ["times.py"]


def does(node: ast.AST) -> bool:
    """Whether a piece of a file calls, or takes to call it later, what is not to be called."""
    match node:
        case ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
            return name in DOES
        case ast.Name(id=name):
            return name in BUILT_IN
    return False


def has_a_handle(file: Path, name: str | None) -> bool:
    """Whether what a file defines under a name (without one: anything in it) has the store or a client in its hands."""
    wanted = [node for node in tree_of(file).body if name in (None, getattr(node, "name", None))]
    inside = [inner for node in wanted for inner in ast.walk(node)]
    return any(getattr(inner, place, None) in HANDLES for inner in inside for place in ("id", "attr", "name"))


# --- what proves shares nothing with what it proves

PROVES = (
    "ledger",
    "finds",
    "lines",
    "caspen_side",
    "xero_side",
    "money",
    "documents",
    "one_invoice",
    "one_note",
    "nobodys",
)
PROVES += ("findings", "comparing", "sums", "tables", "counting", "by_what", "bridge", "debtors", "lists", "one_by_one")
"""The files of sync/reconciling/ that compare the two sides, and sum them."""
PROVED = ("planning", "sending", "pulling")


def test_the_two_sides_are_compared_by_nothing_that_they_were_made_equal_by() -> None:
    files = {name: MODULES[f"caspen_xero.sync.reconciling.{name}"] for name in PROVES}
    assert [(name, other) for name, file in files.items() for other in used(file) if floor_of(other) in PROVED] == []


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
