"""`.ci/audit` fails for a known vulnerability, and for nothing else: least of all where there is no network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parent.parent / ".ci" / "audit"
FINE = {"name": "httpx", "version": "0.28.1", "vulns": []}
BAD = {"name": "rich", "version": "15.0.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": []}]}
UNKNOWN = {"name": "typer", "skip_reason": "Dependency not found"}
OLD_PIP = {"name": "pip", "version": "1", "vulns": [{"id": "PYSEC-2026-2"}]}

CASES = {
    "nothing found": (json.dumps({"dependencies": [FINE, UNKNOWN]}), 0, "1 packages audited, 0 of them vulnerable"),
    "found": (json.dumps({"dependencies": [FINE, BAD]}), 1, "VULNERABLE: rich: PYSEC-2026-1"),
    "only in pip": (json.dumps({"dependencies": [FINE, OLD_PIP]}), 0, "1 packages audited, 0 of them vulnerable"),
    "no package known": (json.dumps({"dependencies": [UNKNOWN]}), 0, "nothing was audited"),
    "no answer": ("", 0, "nothing was audited"),
    "no JSON": ("<html>", 0, "nothing was audited"),
    "another shape": ("[]", 0, "nothing was audited"),
    "too slow": (None, 0, "nothing was audited"),
}


@pytest.mark.parametrize("case", CASES)
def test_only_a_found_vulnerability_fails(tmp_path: Path, case: str) -> None:
    answer, exit_code, words = CASES[case]
    program = tmp_path / "pip-audit"
    does = "sleep 9" if answer is None else f"cat <<'END'\n{answer}\nEND\nexit 1"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, AUDIT, tmp_path],
        env={"PIP_AUDIT": str(program), "SECONDS_TO_AUDIT": "0.5" if answer is None else "20"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == exit_code, ended.stderr
    assert words in ended.stdout + ended.stderr
