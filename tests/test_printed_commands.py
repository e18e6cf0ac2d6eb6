"""Every command that the program or a document prints exists, takes its words, and ends where a person would stop copying."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import why_not_taken
from house import HOUSE, MODULES, tree_of
from pushing import commands_in

ROOT = HOUSE.parent
DOCUMENTS = sorted(file for file in ROOT.rglob("*.md") if ".venv" not in file.parts)
LINE = re.compile(r"^\s*(?:[\d*/]+ \S+ \S+ \S+ \S+  |\$ |\d\. )?(caspen-xero [a-z].*)$")
"""A line that is a command for a shell, in an example or in a crontab."""
QUOTED = re.compile(r"`(caspen-xero [a-z][^`\n]*)`")
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
A_NAME = re.compile(r"[A-Z][A-Z0-9_-]*|X")
"""What stands for an invoice in a command that is written down."""


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module; what is put into one is an X."""
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.value


def commands_of(text: str) -> Iterator[str]:
    """The commands of a text of ours: whole lines, in quotes, or in a sentence."""
    lines = text.splitlines()
    for line in lines:
        if len(lines) > 1 and (whole := LINE.match(line)):
            yield alone(whole[1])
        elif quoted := QUOTED.findall(line):
            yield from map(alone, quoted)
        else:
            yield from commands_in(line)


def alone(line: str) -> str:
    """A command without what a shell does with it, and without what stands beside it."""
    return re.split(r" (?:&&|\|\||\||>) |  +", line)[0]


def why_wrong(command: str) -> str:
    words = shlex.split(command)
    if words[1] == "push" and not all(word.startswith("--") or A_NAME.fullmatch(word) for word in words[2:]):
        return "words follow that are no part of it"
    return why_not_taken(words)


def is_name(command: str) -> bool:
    """Whether it only names a command that exists: `caspen-xero purge`."""
    return (
        re.fullmatch(r"caspen-xero( [a-z]+)+", command) is not None
        and why_not_taken([*command.split(), "--help"]) == ""
    )


@pytest.mark.parametrize("name", [name for name, file in MODULES.items() if "caspen-xero " in file.read_text("utf-8")])
def test_every_command_that_a_module_prints_is_taken(name: str) -> None:
    found = {command for text in texts(tree_of(MODULES[name])) for command in commands_of(text)}
    assert [(command, told) for command in sorted(found) if (told := why_wrong(command))] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_that_a_document_shows_is_taken(file: Path) -> None:
    text = file.read_text("utf-8")
    shell = [body for language, body in FENCED.findall(text) if language in ("sh", "cron")]
    found = {alone(whole[1]) for body in shell for line in body.splitlines() if (whole := LINE.match(line))}
    found |= {alone(quoted) for quoted in QUOTED.findall(FENCED.sub("", text))}
    wrong = {command: told for command in found if (told := why_wrong(command))}
    assert {command: told for command, told in wrong.items() if not is_name(command)} == {}


def test_a_command_that_runs_on_into_the_sentence_would_be_found() -> None:
    for wrong in (
        "caspen-xero restore FILE, or anew",
        "caspen-xero push INVOICE or later",
        "caspen-xero push --now",
        "caspen-xero invoices mend X",
    ):
        assert any(why_wrong(command) for command in commands_of(f"Do this: {wrong}")), wrong
