"""What is built is whole, says of which commit it is, and is the same each time; what a fix tells to install can be had."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from house import HOUSE
from packaging.requirements import Requirement

from caspen_xero import packages
from caspen_xero.cli import version
from caspen_xero.cli.shapes.every import SHAPES, schema_of

ROOT = HOUSE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_what_is_built_twice_is_the_same_and_whole(tmp_path: Path) -> None:
    built = []
    for name in ("one", "two"):
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path / name)]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        built.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert sorted(file.rsplit(".", 1)[-1] for file in built[0]) == ["gz", "whl"]
    assert built[0] == built[1]
    with ZipFile(next((tmp_path / "one").glob("*.whl"))) as wheel:
        there = set(wheel.namelist())
    data = [file for file in HOUSE.rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")]
    assert {f"caspen_xero/{file.relative_to(HOUSE).as_posix()}" for file in data} <= there
    assert [name for name in there if not re.match(r"caspen_xero(/|-[\d.]+\.dist-info/)", name)] == []
    assert "caspen_xero/py.typed" in there


def test_the_versions_for_development_are_those_that_the_project_allows() -> None:
    pinned = dict(
        re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements-dev.txt").read_text("utf-8"), re.MULTILINE)
    )
    wanted = [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["sandbox"],
        *PROJECT["optional-dependencies"]["test"],
    ]
    needs = [Requirement(line) for line in wanted]
    assert [
        str(one) for one in needs if one.name != PROJECT["name"] and pinned.get(one.name, "") not in one.specifier
    ] == []


def test_no_fix_tells_to_install_a_name_that_is_not_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert re.fullmatch(
        r'.+ -m pip install "joserfc[^"]+" "starlette[^"]+" "uvicorn[^"]+"', packages.to_install("sandbox")
    )
    monkeypatch.setattr(sys, "prefix", "/home/a/.local/share/pipx/venvs/caspen-xero")
    assert packages.to_install("socks").startswith('pipx runpip caspen-xero install "socksio')
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert packages.to_install("socks").startswith("uv pip install --python ")
    for noted in (
        "",
        '{"url": "https://git.example/c.git", "vcs_info": {"vcs": "git"}}',
        '{"url": "file:///nowhere"}',
        "[]",
    ):
        monkeypatch.setattr(type(distribution("caspen-xero")), "read_text", lambda *_, noted=noted: noted)
        assert not re.search(r"install\b.* ['\"]?caspen-xero", packages.to_upgrade())


def test_version_tells_commit_and_dependencies(cli: Callable[..., Any]) -> None:
    told = cli("version", "--json").json
    git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if git.returncode == 0:
        assert told["commit"] == git.stdout.strip() == version.commit()
    named = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert named <= {name for name, number in told["dependencies"].items() if number}
    assert f"caspen-xero {told['version']}" in cli("version").stdout


def test_a_schema_is_printed_for_each_command_that_gives_json(cli: Callable[..., Any]) -> None:
    assert cli("schema").stdout.split("\n")[:-1] == [*SHAPES, "feed"]
    assert cli("schema", "invoices", "list").json == schema_of("invoices list")
    assert cli("schema", "nothing").exit_code == 2
