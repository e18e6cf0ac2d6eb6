"""The README and the pages below docs/ say what is so, once: what people copy from them is what the program uses."""

from __future__ import annotations

import re
from pathlib import Path

from caspen_xero.sync.setup.settings import ACCOUNTS, PAYMENT_METHOD, SETTINGS
from caspen_xero.xero.login import REDIRECT_URIS, SCOPES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "caspen_xero" / "sandbox" / "README.md"]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}


def page(name: str) -> str:
    """The text of a page below docs/."""
    return TEXT[ROOT / "docs" / name]


FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def test_the_redirect_uris_and_scopes_to_copy_are_those_that_connect_uses() -> None:
    assert tuple(re.findall(r"^\s*(http://localhost:\d+/callback)$", page("connect.md"), re.MULTILINE)) == REDIRECT_URIS
    assert " ".join(SCOPES) in " ".join(page("connect.md").split())


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
        r"^\| `(--[a-z-]+)(?: ([^`]+))?` \|.*\| ([^|]+) \|$",
        page("settings.md").split("## Settings")[1].split("\n## ")[0],
        re.M,
    )
    shown = [(option, (values or "").replace("\\|", "|"), default) for option, values, default in rows]
    accounts, settings = shown[: len(shown) - len(SETTINGS)], shown[-len(SETTINGS) :]
    assert [row[:2] for row in accounts] == [(one.option, one.metavar) for one in (*ACCOUNTS, PAYMENT_METHOD)]
    assert settings == [
        (one.option, "|".join(one.values) or one.metavar, f"`{one.default}`" if one.default else "none")
        for one in SETTINGS
    ]


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links."""
    return {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_every_link_on_a_page_leads_somewhere() -> None:
    wrong = []
    for place, text in TEXT.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text)):
            if target.startswith("http"):
                continue
            name, _, anchor = target.partition("#")
            file = (place.parent / name).resolve() if name else place
            known = anchors(file.read_text("utf-8")) if anchor and file.is_file() else {anchor}
            if not file.exists() or anchor not in known:
                wrong.append(f"{place.name}: {target}")
    assert wrong == []


def test_the_readme_is_read_in_five_minutes_and_says_nothing_that_another_page_says() -> None:
    assert len(README.splitlines()) <= 200
    elsewhere = {line: place.name for place, text in TEXT.items() if place.name != "README.md" for line in prose(text)}
    assert {line: elsewhere[line] for line in prose(README) if line in elsewhere} == {}


def prose(text: str) -> list[str]:
    """The sentences of a page, apart from its examples and headings."""
    whole = " ".join(line for line in FENCED.sub("", text).splitlines() if not line.startswith("#"))
    return [one.strip() for one in re.split(r"(?<=[.:])\s", whole) if len(one.strip()) > 40]
