"""Help, the manual and the documentation of the commands are one: made from the program, in whole sentences, with examples."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from house import HOUSE

from caspen_xero.cli.app import app
from caspen_xero.cli.pages import Page, every_page
from caspen_xero.cli.shapes.every import SHAPES
from caspen_xero.cli.topics import TOPICS, VARIABLES
from caspen_xero.errors import ExitCode

ROOT = HOUSE.parent


def _made() -> dict[Path, str]:
    specification = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return dict(module.made())


def _pages() -> list[Page]:
    command = typer.main.get_command(app)
    return list(every_page(command, command.make_context("caspen-xero", [], resilient_parsing=True)))


PAGES = _pages()


def test_what_is_made_from_the_program_is_as_the_program_makes_it() -> None:
    outdated = [str(file.relative_to(ROOT)) for file, text in _made().items() if file.read_text("utf-8") != text]
    assert outdated == [], "make them anew: .venv/bin/python docs/make.py"


def test_each_command_has_an_example_and_speaks_in_whole_sentences() -> None:
    without = [page.title for page in PAGES if not page.examples]
    assert without == []
    entries = [
        (page.title, one) for page in PAGES for one in (*page.arguments, *page.options, *page.for_all, *page.commands)
    ]
    assert [
        (title, one.spelling) for title, one in entries if not re.fullmatch(r"[A-Z'\-\d].{9,}[.)]", one.words)
    ] == []
    assert [(title, one.spelling) for title, one in entries if re.search(r"[<>{}]", one.spelling)] == []
    assert [page.title for page in PAGES if not page.first_sentence.endswith(".")] == []


def test_each_command_that_gives_json_has_a_schema() -> None:
    with_json = {
        " ".join(page.path)
        for page in PAGES
        for one in (*page.options, *page.for_all)
        if one.name == "as_json" and page.path and not page.commands
    }
    assert with_json - {*SHAPES, "schema"} == set(), "a shape for each, in caspen_xero/cli/shapes/"


def test_help_explains_topics_and_commands(cli: Callable[..., Any]) -> None:
    listed = cli("help").stdout
    assert [topic.name for topic in TOPICS if topic.name not in listed] == []
    told = cli("help", "exit", "codes").stdout
    assert [code for code in ExitCode if not re.search(rf"^  {int(code)} ", told, re.MULTILINE)] == []
    assert cli("help", "invoices", "link").stdout == cli("invoices", "link", "--help").stdout
    unknown = cli("help", "\x1b[31mnothing")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "\x1b" not in unknown.stderr
    assert max(map(len, (cli("help", "environment").stdout + told + listed).splitlines())) <= 100


def test_every_variable_that_is_read_is_told() -> None:
    told = {name for one in VARIABLES for name in one.spelling.split(", ")}
    files = [file for file in HOUSE.rglob("*.py") if "sandbox" not in file.parts and file.name != "topics.py"]
    read = {
        name
        for file in files
        for name in re.findall(r'env\w*(?:\.get\(|\[|=)"((?:CASPEN|XERO)_[A-Z_]+)"', file.read_text("utf-8"))
    }
    assert read - told == set()


@pytest.mark.skipif(not shutil.which("mandoc"), reason="there is no mandoc here")
def test_the_manual_page_is_read_without_a_warning() -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(ROOT / "docs" / "caspen-xero.1")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""
