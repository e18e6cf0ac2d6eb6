"""Notes in what is built of which commit it is, where that is known for certain. The same commit gives the same bytes."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface[Any]):
    """Adds `caspen_xero/commit.txt` to a wheel and a source distribution; one that is there already stays."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before anything is built."""
        root = Path(self.root)
        if version == "editable" or not (root / ".git").exists() or not (commit := _commit(root)):
            return
        self._folder = tempfile.TemporaryDirectory()
        note = Path(self._folder.name) / "commit.txt"
        note.write_text(f"{commit}\n", encoding="ascii")
        note.chmod(0o644)
        build_data["force_include"][str(note)] = "caspen_xero/commit.txt"


def _commit(root: Path) -> str:
    """The commit of a checkout without changes; "" where git can't say."""
    try:
        if _git(root, "status", "--porcelain"):
            return ""
        return _git(root, "rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
