"""How this program was installed: the commands that add to it, or bring a newer one, from where it can really be had.

The name caspen-xero belongs to nobody on the public index of Python packages, so no command names it there; what it needs does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

NAME = "caspen-xero"


def to_install(extra: str) -> str:
    """The command that installs what an extra of ours needs, beside this very program."""
    return f"{_installer()} {' '.join(_in_quotes(one) for one in _needed_by(extra))}"


def to_upgrade() -> str:
    """What brings a newer version, from where this one came."""
    came_from = _came_from()
    url = str(came_from.get("url", ""))
    parts = urlsplit(url)
    if "vcs_info" in came_from and parts.scheme in ("https", "ssh") and not parts.password:
        return f"{_installer()} --upgrade {_in_quotes(f'git+{url}')}"
    if parts.scheme == "file":
        folder = url2pathname(parts.path)
        if Path(folder).is_dir():
            return f"Bring {shlex.quote(folder)} up to date, then: {_installer()} {shlex.quote(folder)}"
    return "Install a newer version of caspen-xero from where you have this one."


def _installer() -> str:
    """What installs packages into the environment that we run in: pip; pipx or uv where one of these has made it."""
    place = Path(sys.prefix)
    if place.parent.name == "venvs" and "pipx" in place.parts:
        return f"pipx runpip {shlex.quote(place.name)} install"
    python = shlex.quote(sys.executable) if os.name != "nt" else f'"{sys.executable}"'
    if _made_by_uv(place):
        return f"uv pip install --python {python}"
    return f"{python} -m pip install"


def _made_by_uv(place: Path) -> bool:
    try:
        return re.search(r"^uv\s*=", (place / "pyvenv.cfg").read_text("utf-8"), re.MULTILINE) is not None
    except (OSError, ValueError):
        return False


def _needed_by(extra: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(NAME) or []
    except PackageNotFoundError:
        lines = []
    of_the_extra = [
        line.partition(";")[0].strip() for line in lines if re.search(rf"extra == .{re.escape(extra)}\b", line)
    ]
    return [line for line in of_the_extra if "[" not in line]


def _came_from() -> dict[str, object]:
    """What the installer has noted of where it had us from (PEP 610)."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _in_quotes(requirement: str) -> str:
    """A word with `<` in it, as every shell takes it, Windows' too."""
    return requirement if re.fullmatch(r"[\w.@:/+-]+", requirement) else f'"{requirement}"'
