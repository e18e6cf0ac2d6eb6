"""The codes of `unsynced` are promised to scripts: each is declared once, as docs/unsynced.md has it, and no other exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

import caspen_xero
from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.planning.plan import Waiting
from caspen_xero.sync.problems import Problem, ProblemCode, kept_code
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.refusal_codes import code_of

HOUSE = Path(caspen_xero.__file__).parent
PAGE = (HOUSE.parent / "docs" / "unsynced.md").read_text("utf-8")
MAKES_PROBLEMS = [
    *sorted((HOUSE / "sync" / "planning").rglob("*.py")),
    *sorted((HOUSE / "sync" / "sending").rglob("*.py")),
    # What a pull finds changed in Xero has codes of its own there: some are the names of problems too.
    *sorted(file for file in (HOUSE / "store").rglob("*.py") if file.name != "seen_invoices.py"),
    HOUSE / "sync" / "unsynced.py",
    HOUSE / "sync" / "books" / "troubles.py",
    HOUSE / "cli" / "sync.py",
]


def nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text("utf-8"))))


def test_the_page_has_each_code_with_its_meaning_and_way_out() -> None:
    section = PAGE.partition("\n## Unsynced\n")[2].partition("\n## ")[0]
    table = section.partition("|---|---|---|\n")[2].partition("\n\n")[0]
    alike = groupby(ProblemCode, key=lambda code: (code.meaning, code.way_out))  # these share a line
    rows = [f"| {', '.join(f'`{code}`' for code in codes)} | {what} | {way_out} |" for (what, way_out), codes in alike]
    assert table.splitlines() == rows


def test_each_code_is_of_use_somewhere() -> None:
    files = [file for room in ("cli", "sync") for file in (HOUSE / room).rglob("*.py")]
    used = {name for file in files for name in codes_in(ast.parse(file.read_text("utf-8")))}
    assert used == set(ProblemCode.__members__)


def codes_in(node: ast.AST) -> Iterator[str]:
    """The codes that a file names; in the list of all, those that Xero's words stand for. A code in a set has no use by that."""
    if isinstance(node, ast.Set):
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ProblemCode":
        yield node.attr
    for inner in ast.iter_child_nodes(node):
        yield from codes_in(inner)


@pytest.mark.parametrize("file", MAKES_PROBLEMS, ids=lambda file: str(file.relative_to(HOUSE)))
def test_codes_are_named_and_not_written_out(file: Path) -> None:
    texts = {node.value for node in nodes(file) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert texts & set(ProblemCode) == set()


def test_a_problem_has_no_other_code() -> None:
    with pytest.raises(ValueError, match="payment-number-taken"):
        Problem("payment-number-taken", "inv_001", "a reason", "a fix")  # type: ignore[arg-type]


def test_nothing_waits_or_is_held_under_another_code(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="made-up-code"):
        Waiting("made-up-code", "a reason")  # type: ignore[arg-type]
    with closing(Store(tmp_path / "store.sqlite")) as store:
        records = Records(Mappings(store, "tenant"), lambda: datetime.now(UTC))
        with pytest.raises(ValueError, match="made-up-code"):
            records.keep_hold(Hold("create-invoice", "inv_001", "made-up-code", "a reason"))
        assert holds.on(records.mappings, "create-invoice", ["inv_001"]) == []


def test_the_engine_has_one_door_by_which_a_hold_is_kept() -> None:
    uses = {
        file.name
        for file in (HOUSE / "sync").rglob("*.py")
        for node in nodes(file)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "holds.hold")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "caspen_xero.store.holds"
            and named(node) & {"hold", "*"}
        )
    }
    assert uses == {"records.py"}


def named(node: ast.ImportFrom) -> set[str]:
    """What an import takes from a module."""
    return {name.name for name in node.names}


@pytest.mark.parametrize(
    ("step", "words", "code"),
    [
        ("create-contact", "The contact name must be unique", "contact-number-taken"),
        ("authorise-invoice", "Invoice # must be unique.", "invoice-number-taken"),
        ("create-credit-note", "Credit note number must be unique", "credit-note-number-taken"),
        ("create-payment", "It must be unique", "xero-refused"),  # a payment has no number
        ("create-payment", "Payment amount exceeds the amount outstanding on this document", "payment-exceeds-due"),
        ("create-payment", "You must specify an Account code or Account ID for the payment", "account-refused"),
        ("create-invoice", "Account must be valid. Tax rate must be valid.", "account-refused"),
        ("create-invoice", "Tax rate must be valid.", "tax-rate-refused"),
        ("create-invoice", "Something that nobody has seen yet", "xero-refused"),
        ("create-invoice", "Account code '200' is locked for this contact", "xero-refused"),
        *[
            (step, words, "period-locked")
            for step in ("create-invoice", "update-invoice", "void-invoice", "create-payment", "delete-payment")
            for words in (
                "The document date cannot be before the period lock date, currently set at 30-Jun-2026",
                "The document date cannot be before the end of year lock date, currently set at 30 Jun 2026",
                "The document cannot be edited as it is currently dated before the end of year lock date",
                "Payment date must be after the lock-date",
                "The payment cannot be deleted as it is in a locked period",
                "This financial year has been locked",
                "The period is closed",
            )
        ],
    ],
)
def test_a_refusal_has_a_code_whatever_xero_says(step: str, words: str, code: str) -> None:
    assert code_of(step, [words]) == code


def test_what_another_version_has_kept_ends_no_run() -> None:
    assert kept_code("period-locked") is ProblemCode.PERIOD_LOCKED
    assert kept_code("payment-number-taken") is ProblemCode.XERO_REFUSED
