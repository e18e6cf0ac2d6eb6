"""Makes the pictures of the documentation: real commands on a local Xero, as a terminal shows them.

    python docs/pictures/make.py

What is another each time (the port, ids, the time of the run) is replaced by something that is as long, so that a picture changes
only where the program does.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from caspen_xero.cli.demo_clinics import CLINICS
from caspen_xero.cli.sandbox import open_sandbox

HERE = Path(__file__).parent
COLUMNS = 100
MOST_LINES = 48
"""Lines of a picture: a page is to show it whole."""
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"
"""Stands in for a person's browser: the local Xero says yes by itself."""
PLACE, TODAY = "caspen-export", "2026-11-28"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORT_ID = re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{8}\b(?!-[0-9a-f]{4})-?")
_TIME = re.compile(r"\b\d\d:\d\d(?:(:)\d\d)?(?= UTC)")
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Where a page would load its fonts from another server."""


def export(folder: Path) -> Path:
    """The demo's clinic, with some invoices more that can't go yet."""
    (place := folder / PLACE).mkdir()
    records = [json.loads(line) for line in CLINICS["AU"].sample.read_text("utf-8").splitlines()]
    by_number = {one.get("number"): one for one in records}
    made = [
        invoice(by_number[like], number, rate, price)
        for number, (like, rate, price) in enumerate(
            [("INV-0011", "tax_free", "150.00")] * 3
            + [("INV-0004", "tax_free", "185.50")]
            + [("INV-0010", "tax_ndis", "95.00")] * 2,
            start=22,
        )
    ]
    rate = {"object": "tax_rate", "id": "tax_ndis", "name": "NDIS", "rate": "0", "archived": False}
    wrong = by_number["INV-0016"] | {"id": "inv_028", "number": "INV-0028", "total": "195.90"}
    records = [rate, *records, *made, wrong]
    (place / "export.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records), "utf-8")
    return place


def invoice(like: dict[str, Any], number: int, tax_rate: str, price: str) -> dict[str, Any]:
    """An invoice to the client of another one, of one line without tax."""
    line = {"id": f"lin_{number:03}", "description": "Telehealth session", "quantity": "1", "unit_price": price}
    return like | {
        "id": f"inv_{number:03}",
        "number": f"INV-{number:04}",
        "tax_mode": "exclusive",
        "lines": [line | {"tax_rate_id": tax_rate}],
        "subtotal": price,
        "tax": "0.00",
        "total": price,
    }


def pictures(folder: Path, url: str) -> Iterator[tuple[str, str, str]]:
    """Each picture's name, the command that it shows, and what that says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CASPEN_", "XERO_"))} | {
        "CASPEN_XERO_HOME": str(folder / "home"),
        "CASPEN_XERO_COLUMNS": str(COLUMNS),
        "XERO_URL": url,
        "FORCE_COLOR": "1",
        "TZ": "UTC",
        "BROWSER": f'{sys.executable} -c "{BROWSER}" %s',
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "caspen_xero", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 3):
            raise SystemExit(f"caspen-xero {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def shown(name: str, *arguments: str) -> tuple[str, str, str]:
        return name, " ".join(["caspen-xero", *arguments]), run(*arguments)

    place = export(folder)
    run("connect", "--client-id", "DEMO", "--token-store", "file")
    run("settings", "set", "--sales-account", "200", "--payment-account", "090", "--source", str(place))
    run("push", "--yes")
    yield shown("unsynced", "unsynced")
    yield shown("invoices-show", "invoices", "show", "INV-0005")
    for rate in ("GST free", "NDIS"):
        run("taxes", "map", rate, "EXEMPTOUTPUT")
    run("invoices", "skip", "INV-0028", "--reason", "entered by hand")
    run("push")
    yield shown("reconcile", "reconcile", "--from", "2026-10-01", "--to", "2026-11-30")


def steady(text: str, url: str, folder: Path) -> str:
    """The same with what is another each time made the same."""
    text = text.replace(str(folder), "/home/nell").replace(url, "https://go.xero.com")
    text = _SHORT_ID.sub("60aa5d55", _UUID.sub("60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1", text))
    text = re.sub(r"!\w{5,6}\b", "!Demo1", text)
    text = text.replace(f"{datetime.now(UTC):%Y-%m-%d}", TODAY)
    return _TIME.sub(lambda found: "09:14:05" if found[1] else "09:14", text)


def drawn(command: str, said: str) -> str:
    """A terminal with a command and what it says, as SVG."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    lines = said.rstrip("\n").split("\n")
    end = len(lines)
    if end > MOST_LINES:
        end = max(place for place, line in enumerate(lines[:MOST_LINES]) if not line) + 1
    console.print(Text.assemble(("$ ", "green"), (command, "bold")))
    console.print(Text.from_ansi("\n".join(lines[:end])), soft_wrap=True)
    if end < len(lines):
        console.print(Text(f"\n... {len(lines) - end} more lines", "dim"))
    return _FONTS.sub("", console.export_svg(title=command))


def make(write: Callable[[str, str], object]) -> None:
    """Makes every picture, and gives its file's name and its text."""
    with tempfile.TemporaryDirectory() as folder, open_sandbox(auto_approve=True, country="AU") as box:
        for name, command, said in pictures(Path(folder), box.url):
            write(f"{name}.svg", drawn(command, steady(said, box.url, Path(folder))))


if __name__ == "__main__":
    make(lambda name, text: (HERE / name).write_text(text, "utf-8"))
