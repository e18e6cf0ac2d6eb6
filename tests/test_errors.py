"""What people and scripts are told when a command can't go on: one tree of errors, and exit codes as docs/scripts.md has them."""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
from pathlib import Path

import pytest

import caspen_xero
from caspen_xero import cli, errors
from caspen_xero.cli.exit_codes import WORST_FIRST, worst_of
from caspen_xero.errors import ExitCode, UserError

PAGE = (Path(__file__).parent.parent / "docs" / "scripts.md").read_text("utf-8")


def drawn() -> dict[str, tuple[str, int]]:
    """The classes of the tree in the docstring: the one above, and the exit code in brackets (else that of the one above)."""
    found: dict[str, tuple[str, int]] = {"UserError": ("Exception", 1)}
    above = ["UserError"]
    for depth, name, told in re.findall(r"^    ((?:  )+)([A-Z]\w+)  (.*)$", errors.__doc__ or "", re.MULTILINE):
        del above[len(depth) // 2 :]
        number = re.search(r"^ *\((\d+)", told)
        found[name] = (above[-1], int(number[1]) if number else found[above[-1]][1])
        above.append(name)
    return found


def all_classes(top: type[UserError] = UserError) -> list[type[UserError]]:
    return [top, *itertools.chain.from_iterable(map(all_classes, top.__subclasses__()))]


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    for module in pkgutil.walk_packages(caspen_xero.__path__, "caspen_xero."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    there = [one for one in all_classes() if one.__module__.startswith("caspen_xero")]
    assert {one.__name__: (one.__bases__[0].__name__, one.exit_code) for one in there} == drawn()


def test_an_error_says_the_same_to_people_and_scripts() -> None:
    error = UserError("store-locked", "The store is in use.", "Close it.", ExitCode.ANOTHER_RUN)
    assert str(error) == "The store is in use."
    assert error.as_json() == {
        "code": "store-locked",
        "message": "The store is in use.",
        "fix": "Close it.",
        "exit_code": 7,
    }


def test_the_exit_codes_are_those_of_the_page_for_scripts() -> None:
    section = PAGE.partition("| Exit code | Meaning |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(str(int(code)), f"{code.meaning[0].upper()}{code.meaning[1:]}.") for code in ExitCode]


def test_the_order_of_exit_codes_is_that_of_the_page_for_scripts() -> None:
    (told,) = re.findall(r"^If several apply: ([\d, ]+)\.$", PAGE, re.MULTILINE)
    alone = (ExitCode.USAGE, ExitCode.ALL_WELL)  # these apply where no other does
    assert told == ", ".join(str(int(code)) for code in WORST_FIRST if code not in alone)
    assert sorted(WORST_FIRST) == sorted(ExitCode)


@pytest.mark.parametrize("file", sorted(Path(cli.__path__[0]).glob("*.py")), ids=lambda file: file.name)
def test_a_command_names_its_exit_code_and_writes_no_number(file: Path) -> None:
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    ends = [node.value for node in nodes if isinstance(node, ast.Return) and node.value]
    ends += [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "exit_code"]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    ends += [end for node in calls if ast.unparse(node.func) in {"typer.Exit", "sys.exit"} for end in node.args]
    bound = {
        ast.unparse(target): node.value
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    given = [bound.get(ast.unparse(one), one) for end in ends for one in outcomes(end)]
    numbers = [one.value for one in given if isinstance(one, ast.Constant) and type(one.value) is int]
    assert [number for number in numbers if number in set(ExitCode)] == []


def outcomes(end: ast.expr) -> list[ast.expr]:
    """What an expression can come to: each side of an `if`, each part of an `or`."""
    match end:
        case ast.IfExp(body=body, orelse=other):
            return [*outcomes(body), *outcomes(other)]
        case ast.BoolOp(values=values):
            return [one for value in values for one in outcomes(value)]
    return [end]


@pytest.mark.parametrize(
    ("codes", "worst"), [([], 0), ([0, 3], 3), ([3, 5], 5), ([3, 6, 5], 6), ([4, 6], 4), ([1, 4], 1), ([1, 130], 130)]
)
def test_the_worst_exit_code_wins(codes: list[int], worst: int) -> None:
    assert worst_of(codes) == worst
