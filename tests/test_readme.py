"""The README says what is so: its commands exist, and what people copy from it is what the program uses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from caspen_xero.cli.app import app
from caspen_xero.sync.setup.settings import ACCOUNTS, PAYMENT_METHOD, SETTINGS
from caspen_xero.xero.login import REDIRECT_URIS, SCOPES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHELL = "\n".join(body for language, body in FENCED.findall(README) if language in {"sh", "cron"})
COMMANDS = sorted(
    {
        *re.findall(r"(?:^|  )(caspen-xero [a-z].*)$", SHELL, re.MULTILINE),
        *re.findall(r"`(caspen-xero [a-z][^`\n]*)`", FENCED.sub("", README)),
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("caspen-xero", [], resilient_parsing=True)
    while words and hasattr(command, "get_command"):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"there is no {line!r}"
        command, words = inner, words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_redirect_uris_and_scopes_to_copy_are_those_that_connect_uses() -> None:
    assert tuple(re.findall(r"^\s*(http://localhost:\d+/callback)$", README, re.MULTILINE)) == REDIRECT_URIS
    assert " ".join(SCOPES) in " ".join(README.split())


def test_the_justfile_contributing_and_the_readme_have_the_same_commands() -> None:
    recipes = re.findall(
        r'^\w+.*?(?: FOR="(\w+)")?:\n {4}([^@].*)$', (ROOT / "justfile").read_text("utf-8"), re.MULTILINE
    )
    by_hand = [
        line.removeprefix("VENV={{VENV}} ")
        .replace(" {{ARGUMENTS}}", "")
        .replace("{{FOR}}", usual)
        .replace("{{VENV}}", ".venv")
        for usual, line in recipes
    ]
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [line for line in by_hand if f"`{line}`" not in contributing] == []
    assert f"{by_hand[0]} && {by_hand[1]}" in README.splitlines()


def test_the_table_of_settings_is_that_of_their_declarations() -> None:
    rows = re.findall(
        r"^\| `(--[a-z-]+)(?: ([^`]+))?` \|.*\| ([^|]+) \|$", README.split("## Settings")[1].split("\n## ")[0], re.M
    )
    shown = [(option, (values or "").replace("\\|", "|"), default) for option, values, default in rows]
    accounts, settings = shown[: len(shown) - len(SETTINGS)], shown[-len(SETTINGS) :]
    assert [row[:2] for row in accounts] == [(one.option, one.metavar) for one in (*ACCOUNTS, PAYMENT_METHOD)]
    assert settings == [
        (one.option, "|".join(one.values) or one.metavar, f"`{one.default}`" if one.default else "none")
        for one in SETTINGS
    ]


def test_every_link_within_the_readme_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    assert {target[1:] for target in targets if target.startswith("#")} <= headings
    files = [target.partition("#")[0] for target in targets if not target.startswith(("#", "http"))]
    assert [file for file in files if not (ROOT / file).exists()] == []
